prelude
import PytestTorchLean.Spec.Arithmetic
import PytestTorchLean.Thm.Rounds
/-!
# The operations round the exact results

`add`, `sub`, `mul`, `div`, `fma` on finite operands are correct roundings of the sum, difference, product,
quotient and fused multiply-add in every ordered ring. A finite result comes from finite operands only.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Binary32
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-! ### Kinds of patterns -/

theorem quietNaN_exponent : exponent quietNaN = 255 := by decide +kernel

theorem isFinite_iff {x : Nat} : isFinite x = true ↔ exponent x < 255 :=
  ⟨Nat.le_of_ble_eq_true, Nat.ble_eq_true_of_le⟩

theorem beq_false_of_lt {a b : Nat} (h : a < b) : Nat.beq a b = false :=
  Bool.of_not_eq_true fun g => Nat.lt_irrefl b (Nat.eq_of_beq_eq_true g ▸ h)

theorem finite_not_nan {x : Nat} (h : exponent x < 255) : isNaN x = false := by
  unfold isNaN
  rw [beq_false_of_lt h]; rfl
theorem finite_not_infinite {x : Nat} (h : exponent x < 255) : isInfinite x = false := by
  unfold isInfinite
  rw [beq_false_of_lt h]; rfl

theorem exponent_le (x : Nat) : exponent x ≤ 255 :=
  Nat.le_of_succ_le_succ (Natural.mod_lt (Natural.two_pow_pos 8) _)

/-- What is neither NaN nor infinite is finite. -/
theorem finite_of_kind {x : Nat} (h : isNaN x = false) (g : isInfinite x = false) : exponent x < 255 := by
  cases Nat.lt_or_ge (exponent x) 255 with
  | inl l => exact l
  | inr r =>
    have e : Nat.beq (exponent x) 255 = true := by rw [Nat.le_antisymm (exponent_le x) r]; rfl
    unfold isNaN at h
    unfold isInfinite at g
    rw [e] at h g
    cases f : Nat.beq (fraction x) 0 with
    | false => rw [f] at h; exact Bool.noConf_tf h
    | true => rw [f] at g; exact Bool.noConf_tf g

theorem infinite_exponent {x : Nat} (h : isInfinite x = true) : exponent x = 255 := by
  unfold isInfinite at h
  cases e : Nat.beq (exponent x) 255 with
  | false => rw [e] at h; exact Bool.noConf_tf h.symm
  | true => exact Nat.eq_of_beq_eq_true e

theorem signedInfinity_exponent {s : Nat} (hs : s ≤ 1) : exponent (signedInfinity s) = 255 :=
  sign_cases (P := fun s => exponent (signedInfinity s) = 255) (by decide +kernel) (by decide +kernel) s hs

theorem neither_true {a b : Bool} (h : or a b = false) : a = false ∧ b = false := by
  cases a
  · exact ⟨rfl, h⟩
  · exact Bool.noConf_tf h
theorem or_false_of {a b : Bool} (h : a = false) (g : b = false) : or a b = false := by rw [h, g]; rfl

/-! ### Exact sums and products -/

theorem choose_true {α : Type} {a b : α} : cond true a b = a := rfl
theorem choose_false {α : Type} {a b : α} : cond false a b = b := rfl
theorem beq_one_zero : Nat.beq 1 0 = false := rfl
theorem beq_zero_one : Nat.beq 0 1 = false := rfl

theorem opposite_sum {a b : Nat} :
    (signed (cond (Nat.beq a b) 0 (cond (Nat.ble b a) 0 1)) (distance a b) : K) = natural a + -natural b := by
  cases Nat.lt_or_ge a b with
  | inl l =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le (Nat.le_of_lt l)
    have c : Nat.ble (a + k) a = false := NatEquations.ble_eq_false l
    rw [beq_false_of_lt l, c, distance_up, natural_add]
    exact (ring2 K a k, -k, a + -(a + k)) (natural a) (natural k)
  | inr g =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le g
    have c : Nat.ble b (b + k) = true := Nat.ble_eq_true_of_le g
    rw [c, distance_down, natural_add]
    have e : (natural k : K) = natural b + natural k + -natural b :=
      (ring2 K b k, k, b + k + -b) (natural b) (natural k)
    rw [← e]
    cases Nat.beq (b + k) b <;> rfl

theorem opposite_sum' {a b : Nat} :
    (signed (cond (Nat.beq a b) 0 (cond (Nat.ble b a) 1 0)) (distance a b) : K) = -natural a + natural b := by
  cases Nat.lt_or_ge a b with
  | inl l =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le (Nat.le_of_lt l)
    have c : Nat.ble (a + k) a = false := NatEquations.ble_eq_false l
    rw [beq_false_of_lt l, c, distance_up, natural_add]
    exact (ring2 K a k, k, -a + (a + k)) (natural a) (natural k)
  | inr g =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le g
    have c : Nat.ble b (b + k) = true := Nat.ble_eq_true_of_le g
    rw [c, distance_down, natural_add]
    have e : (-natural k : K) = -(natural b + natural k) + natural b :=
      (ring2 K b k, -k, -(b + k) + b) (natural b) (natural k)
    rw [← e]
    cases h : Nat.beq (b + k) b with
    | false => rfl
    | true =>
      have z : k = 0 := Nat.add_left_cancel b (Nat.eq_of_beq_eq_true h)
      rw [z]; exact OrderedRing.neg_zero.symm

/-- The sum of two signed magnitudes. -/
theorem signed_sum {s t : Nat} (hs : s ≤ 1) (ht : t ≤ 1) (a b : Nat) :
    (signed (sumSign s a t b) (sumMagnitude s a t b) : K) = signed s a + signed t b ∧
    sumSign s a t b ≤ 1 := by
  refine ⟨?_, ?_⟩
  · refine sign_cases
      (P := fun s => (signed (sumSign s a t b) (sumMagnitude s a t b) : K) = signed s a + signed t b) ?_ ?_ s
      hs
    · refine sign_cases
        (P := fun t => (signed (sumSign 0 a t b) (sumMagnitude 0 a t b) : K) = signed 0 a + signed t b) ?_ ?_
        t ht
      · exact natural_add a b
      · exact opposite_sum
    · refine sign_cases
        (P := fun t => (signed (sumSign 1 a t b) (sumMagnitude 1 a t b) : K) = signed 1 a + signed t b) ?_ ?_
        t ht
      · exact opposite_sum'
      · show (-natural (a + b) : K) = -natural a + -natural b
        rw [natural_add, OrderedRing.neg_add]
  · unfold sumSign
    cases Nat.beq s t
    · cases Nat.beq a b
      · cases Nat.ble b a
        · exact ht
        · exact hs
      · exact Nat.zero_le 1
    · exact hs

theorem productSign_le (x y : Nat) : productSign x y ≤ 1 := by
  unfold productSign
  cases Nat.beq (sign x) (sign y)
  · exact Nat.le_refl 1
  · exact Nat.zero_le 1

/-- The product of two signed magnitudes. -/
theorem signed_product {s t : Nat} (hs : s ≤ 1) (ht : t ≤ 1) (a b : Nat) :
    (signed (cond (Nat.beq s t) 0 1) (a * b) : K) = signed s a * signed t b := by
  refine sign_cases (P := fun s => (signed (cond (Nat.beq s t) 0 1) (a * b) : K) = signed s a * signed t b) ?_
    ?_ s hs
  · refine sign_cases (P := fun t => (signed (cond (Nat.beq 0 t) 0 1) (a * b) : K) = signed 0 a * signed t b)
      ?_ ?_ t ht
    · exact natural_mul a b
    · show (-natural (a * b) : K) = natural a * -natural b
      rw [natural_mul, OrderedRing.mul_neg]
  · refine sign_cases (P := fun t => (signed (cond (Nat.beq 1 t) 0 1) (a * b) : K) = signed 1 a * signed t b)
      ?_ ?_ t ht
    · show (-natural (a * b) : K) = -natural a * natural b
      rw [natural_mul, OrderedRing.neg_mul]
    · show (natural (a * b) : K) = -natural a * -natural b
      rw [natural_mul, OrderedRing.neg_mul, OrderedRing.mul_neg, OrderedRing.neg_neg]

theorem scaled_product (x y : Nat) :
    (signed (productSign x y) (magnitude x * magnitude y) : K) = scaled x * scaled y := by
  rw [scaled_eq_signed, scaled_eq_signed]
  exact signed_product (sign_le x) (sign_le y) _ _

theorem signed_scaled {s : Nat} (hs : s ≤ 1) (m n : Nat) :
    (signed s (m * n) : K) = natural m * signed s n := by
  refine sign_cases (P := fun s => (signed s (m * n) : K) = natural m * signed s n) ?_ ?_ s hs
  · exact natural_mul m n
  · show (-natural (m * n) : K) = natural m * -natural n
    rw [natural_mul, OrderedRing.mul_neg]

/-! ### Operations on finite numbers -/

/-- **Addition** rounds the exact sum. -/
theorem add_rounds (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255) :
    RoundsTo (scaled x + scaled y : K) 1 (add x y) := by
  unfold add
  rw [finite_not_nan hx, finite_not_nan hy, finite_not_infinite hx, finite_not_infinite hy,
      scaled_eq_signed x, scaled_eq_signed y]
  obtain ⟨e, h⟩ := signed_sum (K := K) (sign_le x) (sign_le y) (magnitude x) (magnitude y)
  rw [← e]
  exact round_rounds K h (Nat.le_refl 1)

/-- **Multiplication** rounds the exact product; a unit times a unit is `2^-149` units. -/
theorem mul_rounds (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255) :
    RoundsTo (scaled x * scaled y : K) (2 ^ 149) (mul x y) := by
  unfold mul
  rw [finite_not_nan hx, finite_not_nan hy, finite_not_infinite hx, finite_not_infinite hy, ← scaled_product]
  exact round_rounds K (productSign_le x y) (Natural.two_pow_pos 149)

/-- **Fused multiply-add** rounds the exact `x * y + z` once. -/
theorem fma_rounds (K : Type u) [OrderedRing K] {x y z : Nat} (hx : exponent x < 255) (hy : exponent y < 255)
    (hz : exponent z < 255) :
    RoundsTo (scaled x * scaled y + natural (2 ^ 149) * scaled z : K) (2 ^ 149) (fma x y z) := by
  unfold fma
  rw [finite_not_nan hx, finite_not_nan hy, finite_not_nan hz, finite_not_infinite hx,
    finite_not_infinite hy, finite_not_infinite hz, ← scaled_product, scaled_eq_signed z,
      ← signed_scaled (sign_le z)]
  obtain ⟨e, h⟩ :=
    signed_sum (K := K) (productSign_le x y) (sign_le z) (magnitude x * magnitude y) (2 ^ 149 * magnitude z)
  rw [← e]
  exact round_rounds K h (Natural.two_pow_pos 149)

/-- A finite pattern of 32 bits: its sign bit, the rest, and what they denote. -/
theorem pattern_shape {x : Nat} (h : exponent x < 255) (g : x < 2 ^ 32) :
    ∃ s p, s ≤ 1 ∧
      p < infinity ∧
      x = 2 ^ 31 * s + p ∧
      sign x = s ∧
      x % 2 ^ 31 = p ∧
      magnitude x = magnitude p := by
  obtain ⟨p, hp, e⟩ := finite_cases h g
  have l : p < 2 ^ 31 := Nat.lt_of_lt_of_le hp (by decide +kernel)
  obtain ⟨m, _, s1, s0⟩ := magnitude_negative l
  cases e with
  | inl e =>
    refine ⟨0, p, Nat.zero_le 1, hp, ?_, ?_, ?_, ?_⟩
    · rw [e, Nat.mul_zero, Nat.zero_add]
    · rw [e]; exact s0
    · rw [e]; exact Natural.mod_eq_self l
    · rw [e]
  | inr e =>
    refine ⟨1, p, Nat.le_refl 1, hp, ?_, ?_, ?_, ?_⟩
    · rw [e, Nat.mul_one]
    · rw [e]; exact s1
    · have e1 : x = p + 2 ^ 31 * 1 := by rw [e, Nat.mul_one, Nat.add_comm]
      rw [e1]; exact Natural.add_mul_mod 1 l
    · rw [e]; exact m

theorem magnitude_zero_iff {p : Nat} (hp : p < infinity) : magnitude p = 0 ↔ p = 0 := by
  refine ⟨fun h => ?_, fun h => by rw [h]; decide +kernel⟩
  cases p with
  | zero => rfl
  | succ p =>
    have l := magnitude_lt (Nat.succ_pos p) (Nat.le_of_lt hp)
    rw [h] at l
    exact absurd l (Nat.not_succ_le_zero _)

theorem isZero_magnitude {x : Nat} (h : exponent x < 255) (g : x < 2 ^ 32) :
    isZero x = true ↔ magnitude x = 0 := by
  obtain ⟨s, p, _, hp, _, _, low, m⟩ := pattern_shape h g
  unfold isZero
  rw [low, m, magnitude_zero_iff hp]
  exact NatEquations.beq_iff p 0

theorem negate_positive {x : Nat} (h : isNaN x = false) (g : sign x = 0) : negate x = 2 ^ 31 + x := by
  unfold negate; rw [h, g, choose_false, Nat.beq_refl, choose_true]
theorem negate_negative {x : Nat} (h : isNaN x = false) (g : sign x = 1) : negate x = x - 2 ^ 31 := by
  unfold negate; rw [h, g, choose_false, beq_one_zero, choose_false]

/-- **Negation** is exact. -/
theorem negate_scaled (K : Type u) [OrderedRing K] {x : Nat} (h : exponent x < 255) (g : x < 2 ^ 32) :
    (scaled (negate x) : K) = -scaled x ∧ exponent (negate x) < 255 ∧ negate x < 2 ^ 32 := by
  obtain ⟨p, hp, e⟩ := finite_cases h g
  obtain ⟨v0, f0⟩ := scaled_positive (K := K) hp
  obtain ⟨v1, f1⟩ := scaled_negative (K := K) hp
  obtain ⟨_, _, s1, s0⟩ := magnitude_negative (Nat.lt_of_lt_of_le hp (by decide +kernel))
  cases e with
  | inl e =>
    subst e
    rw [negate_positive (finite_not_nan h) s0, v0]
    exact ⟨v1, f1, negative_lt hp⟩
  | inr e =>
    subst e
    rw [negate_negative (finite_not_nan h) s1, v1, OrderedRing.neg_neg, Nat.add_sub_cancel_left]
    exact ⟨v0, f0, Nat.lt_of_lt_of_le hp (by decide +kernel)⟩

/-- **Subtraction** rounds the exact difference. -/
theorem sub_rounds (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255)
    (gy : y < 2 ^ 32) :
    RoundsTo (scaled x - scaled y : K) 1 (sub x y) := by
  obtain ⟨e, f, _⟩ := negate_scaled K hy gy
  have r := add_rounds K hx f
  rw [e] at r
  exact r

/-- **Division** rounds the exact quotient: the number `v / |y|` with `v * y = |y| * (2^149 * x)`. -/
theorem div_rounds (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255)
    (gy : y < 2 ^ 32) (nonzero : magnitude y ≠ 0) :
    ∃ v : K, v * scaled y = natural (magnitude y) * (natural (2 ^ 149) * scaled x) ∧
      RoundsTo v (magnitude y) (div x y) := by
  have hz : isZero y = false := Bool.of_not_eq_true fun h => nonzero ((isZero_magnitude hy gy).1 h)
  refine ⟨signed (productSign x y) (2 ^ 149 * magnitude x), ?_, ?_⟩
  · rw [signed_scaled (productSign_le x y), scaled_eq_signed x, scaled_eq_signed y]
    have one := signed_product (K := K) (productSign_le x y) (sign_le y) (magnitude x) (magnitude y)
    have two : (signed (cond (Nat.beq (productSign x y) (sign y)) 0 1) (magnitude x * magnitude y) : K) =
        natural (magnitude y) * signed (sign x) (magnitude x) := by
      rw [Nat.mul_comm, twice, signed_scaled (sign_le x)]
    rw [OrderedRing.mul_assoc, ← one, two, OrderedRing.mul_left_comm]
  · unfold div
    rw [finite_not_nan hx, finite_not_nan hy, finite_not_infinite hx, finite_not_infinite hy, hz]
    exact round_rounds K (productSign_le x y) (Nat.pos_of_ne_zero nonzero)
where
  twice {x y : Nat} : cond (Nat.beq (productSign x y) (sign y)) 0 1 = sign x := by
    unfold productSign
    refine sign_cases (P := fun s => cond (Nat.beq (cond (Nat.beq s (sign y)) 0 1) (sign y)) 0 1 = s) ?_ ?_
      (sign x) (sign_le x)
    · exact sign_cases (P := fun t => cond (Nat.beq (cond (Nat.beq 0 t) 0 1) t) 0 1 = 0) rfl rfl (sign y)
        (sign_le y)
    · exact sign_cases (P := fun t => cond (Nat.beq (cond (Nat.beq 1 t) 0 1) t) 0 1 = 1) rfl rfl (sign y)
        (sign_le y)

/-! ### A finite result has finite operands -/

theorem finite_of_cond {c : Bool} {a b : Nat} (h : exponent a = 255) (g : exponent (cond c a b) < 255) :
    c = false ∧ exponent b < 255 := by
  cases c with
  | false => exact ⟨rfl, g⟩
  | true => exact absurd g (by show ¬ exponent a < 255; rw [h]; exact Nat.lt_irrefl 255)

theorem cond_exponent {c : Bool} {a b : Nat} (h : exponent a = 255) (g : exponent b = 255) :
    exponent (cond c a b) = 255 := by
  cases c
  · exact g
  · exact h

theorem add_finite {x y : Nat} (h : exponent (add x y) < 255) : exponent x < 255 ∧ exponent y < 255 := by
  unfold add at h
  obtain ⟨nan, h⟩ := finite_of_cond quietNaN_exponent h
  obtain ⟨nx, ny⟩ := neither_true nan
  have ix : isInfinite x = false := Bool.of_not_eq_true fun i => by
    rw [i] at h
    exact absurd h (by
        show ¬ exponent (cond _ _ x) < 255
        rw [cond_exponent quietNaN_exponent (infinite_exponent i)]
        exact Nat.lt_irrefl 255)
  rw [ix] at h
  have iy : isInfinite y = false := Bool.of_not_eq_true fun i => by
    rw [i] at h
    exact absurd h (by show ¬ exponent y < 255; rw [infinite_exponent i]; exact Nat.lt_irrefl 255)
  exact ⟨finite_of_kind nx ix, finite_of_kind ny iy⟩

theorem mul_finite {x y : Nat} (h : exponent (mul x y) < 255) : exponent x < 255 ∧ exponent y < 255 := by
  unfold mul at h
  obtain ⟨nan, h⟩ := finite_of_cond quietNaN_exponent h
  obtain ⟨nx, ny⟩ := neither_true nan
  obtain ⟨i, _⟩ :=
    finite_of_cond (cond_exponent quietNaN_exponent (signedInfinity_exponent (productSign_le x y))) h
  obtain ⟨ix, iy⟩ := neither_true i
  exact ⟨finite_of_kind nx ix, finite_of_kind ny iy⟩

theorem fma_finite {x y z : Nat} (h : exponent (fma x y z) < 255) :
    exponent x < 255 ∧ exponent y < 255 ∧ exponent z < 255 := by
  unfold fma at h
  obtain ⟨nan, h⟩ := finite_of_cond quietNaN_exponent h
  obtain ⟨nx, nan⟩ := neither_true nan
  obtain ⟨ny, nz⟩ := neither_true nan
  obtain ⟨i, h⟩ :=
    finite_of_cond (cond_exponent quietNaN_exponent (signedInfinity_exponent (productSign_le x y))) h
  obtain ⟨ix, iy⟩ := neither_true i
  have iz : isInfinite z = false := Bool.of_not_eq_true fun i => by
    rw [i] at h
    exact absurd h (by show ¬ exponent z < 255; rw [infinite_exponent i]; exact Nat.lt_irrefl 255)
  exact ⟨finite_of_kind nx ix, finite_of_kind ny iy, finite_of_kind nz iz⟩

end Binary32
end PytestTorchLean
