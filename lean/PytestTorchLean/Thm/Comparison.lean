prelude
import PytestTorchLean.Thm.Schedules
/-!
# Comparison and selection

Comparisons of finite patterns are those of the numbers they denote. Relu, maximum and minimum select, as the
specification's `IsRelu`, `IsMaximum` and `IsMinimum` demand; nothing is rounded.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Binary32
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- `lt` of sign bits and the rest of the patterns. -/
def less (s p t q : Nat) : Bool :=
  cond (Nat.beq s 0) (and (Nat.beq t 0) (Nat.ble (p + 1) q))
    (cond (Nat.beq t 0) (not (and (Nat.beq p 0) (Nat.beq q 0))) (Nat.ble (q + 1) p))

theorem lt_eq_less {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255) :
    lt x y = less (sign x) (x % 2 ^ 31) (sign y) (y % 2 ^ 31) := by
  unfold lt isZero
  rw [finite_not_nan hx, finite_not_nan hy]; rfl

theorem natural_le_neg {m n : Nat} (h : (natural m : K) ≤ -natural n) : m = 0 ∧ n = 0 := by
  have sum : (natural (m + n) : K) ≤ natural 0 := by
    rw [natural_add]
    exact le_cert ((ring2 K m n, 0 - (m + n), -n - m) (natural m) (natural n)) (sub_nonneg h)
  have z := Nat.eq_zero_of_le_zero (le_of_natural_le sum)
  exact ⟨Nat.eq_zero_of_add_eq_zero_left z, Nat.eq_zero_of_add_eq_zero_right z⟩

theorem neg_le_natural (m n : Nat) : (-natural m : K) ≤ natural n :=
  OrderedRing.le_trans (RoundsTo.monotone.neg_nonpos (natural_nonneg m)) (natural_nonneg n)

theorem magnitude_lt_iff {p q : Nat} (hp : p < infinity) (hq : q < infinity) :
    p < q ↔ magnitude p < magnitude q :=
  ⟨fun h => magnitude_lt h (Nat.le_of_lt hq),
      fun h => Nat.lt_of_not_le fun g => Nat.not_le_of_lt h (magnitude_le g (Nat.le_of_lt hp))⟩

theorem magnitude_injective {p q : Nat} (hp : p < infinity) (hq : q < infinity)
    (h : magnitude p = magnitude q) :
    p = q := by
  refine Nat.le_antisymm ?_ ?_
  · exact (Nat.lt_or_ge q p).elim
      (fun l => absurd (Natural.le_of_eq h) (Nat.not_le_of_lt (magnitude_lt l (Nat.le_of_lt hp)))) id
  · exact (Nat.lt_or_ge p q).elim
      (fun l => absurd (Natural.le_of_eq h.symm) (Nat.not_le_of_lt (magnitude_lt l (Nat.le_of_lt hq)))) id

/-- Not less one way: at most the other way. -/
theorem le_of_not_less {s p t q : Nat} (hs : s ≤ 1) (ht : t ≤ 1) (hp : p < infinity) (hq : q < infinity)
    (h : less s p t q = false) :
    (signed t (magnitude q) : K) ≤ signed s (magnitude p) := by
  refine sign_cases
    (P := fun s => less s p t q = false → (signed t (magnitude q) : K) ≤ signed s (magnitude p)) ?_ ?_ s hs h
  · refine sign_cases
      (P := fun t => less 0 p t q = false → (signed t (magnitude q) : K) ≤ signed 0 (magnitude p)) ?_ ?_ t ht
    · intro h
      have h : Nat.ble (p + 1) q = false := h
      refine natural_le (magnitude_le ?_ (Nat.le_of_lt hp))
      exact (Nat.lt_or_ge p q).elim (fun l => absurd (Nat.ble_eq_true_of_le l) (ne_true_of_eq_false h)) id
    · intro _
      rw [signed_zero, signed_one]; exact neg_le_natural _ _
  · refine sign_cases
      (P := fun t => less 1 p t q = false → (signed t (magnitude q) : K) ≤ signed 1 (magnitude p)) ?_ ?_ t ht
    · intro h
      have h : not (and (Nat.beq p 0) (Nat.beq q 0)) = false := h
      cases e : Nat.beq p 0 with
      | false => rw [e] at h; exact Bool.noConf_tf h
      | true =>
        cases f : Nat.beq q 0 with
        | false => rw [e, f] at h; exact Bool.noConf_tf h
        | true =>
          have z : magnitude 0 = 0 := by decide +kernel
          rw [Nat.eq_of_beq_eq_true e, Nat.eq_of_beq_eq_true f, z, signed_zero, signed_one]
          exact OrderedRing.le_of_eq neg_zero.symm
    · intro h
      have h : Nat.ble (q + 1) p = false := h
      rw [signed_one, signed_one]
      refine neg_le_neg (natural_le (magnitude_le ?_ (Nat.le_of_lt hq)))
      exact (Nat.lt_or_ge q p).elim (fun l => absurd (Nat.ble_eq_true_of_le l) (ne_true_of_eq_false h)) id

/-- Less: not at most the other way. -/
theorem lt_of_less {s p t q : Nat} (hs : s ≤ 1) (ht : t ≤ 1) (hp : p < infinity) (hq : q < infinity)
    (h : less s p t q = true) :
    (signed s (magnitude p) : K) < signed t (magnitude q) := by
  refine sign_cases
    (P := fun s => less s p t q = true → (signed s (magnitude p) : K) < signed t (magnitude q)) ?_ ?_ s hs h
  · refine sign_cases
      (P := fun t => less 0 p t q = true → (signed 0 (magnitude p) : K) < signed t (magnitude q)) ?_ ?_ t ht
    · intro h g
      have h : Nat.ble (p + 1) q = true := h
      exact Nat.not_le_of_lt (magnitude_lt (Nat.le_of_ble_eq_true h) (Nat.le_of_lt hq)) (le_of_natural_le g)
    · intro h
      exact Bool.noConf_tf (Eq.symm h)
  · refine sign_cases
      (P := fun t => less 1 p t q = true → (signed 1 (magnitude p) : K) < signed t (magnitude q)) ?_ ?_ t ht
    · intro h g
      obtain ⟨zq, zp⟩ := natural_le_neg (K := K) g
      have h : not (and (Nat.beq p 0) (Nat.beq q 0)) = true := h
      rw [(magnitude_zero_iff hp).1 zp, (magnitude_zero_iff hq).1 zq] at h
      exact Bool.noConf_tf h.symm
    · intro h g
      have h : Nat.ble (q + 1) p = true := h
      exact Nat.not_le_of_lt (magnitude_lt (Nat.le_of_ble_eq_true h) (Nat.le_of_lt hp))
        (le_of_natural_le (le_of_neg_le_neg g))

/-- **`<`** on finite patterns is that of their numbers. -/
theorem lt_true (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255)
    (gx : x < 2 ^ 32) (gy : y < 2 ^ 32) (h : lt x y = true) :
    (scaled x : K) < scaled y := by
  obtain ⟨s, p, hs, hp, _, e1, e2, e3⟩ := pattern_shape hx gx
  obtain ⟨t, q, ht, hq, _, f1, f2, f3⟩ := pattern_shape hy gy
  rw [lt_eq_less hx hy, e1, e2, f1, f2] at h
  rw [scaled_eq_signed, scaled_eq_signed, e1, e3, f1, f3]
  exact lt_of_less hs ht hp hq h
theorem lt_false (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255)
    (gx : x < 2 ^ 32) (gy : y < 2 ^ 32) (h : lt x y = false) :
    (scaled y : K) ≤ scaled x := by
  obtain ⟨s, p, hs, hp, _, e1, e2, e3⟩ := pattern_shape hx gx
  obtain ⟨t, q, ht, hq, _, f1, f2, f3⟩ := pattern_shape hy gy
  rw [lt_eq_less hx hy, e1, e2, f1, f2] at h
  rw [scaled_eq_signed, scaled_eq_signed, e1, e3, f1, f3]
  exact le_of_not_less hs ht hp hq h

theorem lt_iff (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255)
    (gx : x < 2 ^ 32) (gy : y < 2 ^ 32) :
    lt x y = true ↔ (scaled x : K) < scaled y := by
  refine ⟨lt_true K hx hy gx gy, fun h => ?_⟩
  cases e : lt x y with
  | true => rfl
  | false => exact absurd (lt_false K hx hy gx gy e) h

/-- **`=`** on finite patterns is that of their numbers: the two zeros are equal. -/
theorem eq_iff (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255)
    (gx : x < 2 ^ 32) (gy : y < 2 ^ 32) :
    eq x y = true ↔ (scaled x : K) = scaled y := by
  obtain ⟨s, p, hs, hp, e0, e1, e2, e3⟩ := pattern_shape hx gx
  obtain ⟨t, q, ht, hq, f0, f1, f2, f3⟩ := pattern_shape hy gy
  have e : eq x y = or (Nat.beq x y) (and (Nat.beq p 0) (Nat.beq q 0)) := by
    unfold eq isZero
    rw [finite_not_nan hx, finite_not_nan hy, e2, f2]; rfl
  rw [e, scaled_eq_signed, scaled_eq_signed, e1, e3, f1, f3]
  constructor
  · intro h
    rw [Bool.or_eq_true, Bool.and_eq_true] at h
    cases h with
    | inl h =>
      have same := Nat.eq_of_beq_eq_true h
      subst same
      rw [← e1, ← f1, ← e3, ← f3]
    | inr h =>
      have z : magnitude 0 = 0 := by decide +kernel
      have zero : ∀ s, s ≤ 1 → (signed s 0 : K) = 0 :=
        fun s hs => sign_cases (P := fun s => (signed s 0 : K) = 0) rfl neg_zero s hs
      rw [Nat.eq_of_beq_eq_true h.1, Nat.eq_of_beq_eq_true h.2, z, zero s hs, zero t ht]
  · intro h
    have zeros : ∀ {a b : Nat},
      (natural a : K) = -natural b → a = 0 ∧ b = 0 := fun g => natural_le_neg (OrderedRing.le_of_eq g)
    have both : p = 0 → q = 0 → or (Nat.beq x y) (and (Nat.beq p 0) (Nat.beq q 0)) = true := fun a b => by
      rw [a, b, Bool.or_eq_true]; exact Or.inr rfl
    have same : s = t → p = q → or (Nat.beq x y) (and (Nat.beq p 0) (Nat.beq q 0)) = true := fun a b => by
      have e : x = y := by rw [e0, f0, a, b]
      rw [e, Bool.or_eq_true]; exact Or.inl (Nat.beq_refl y)
    refine sign_cases (P := fun s' => s = s' → (signed s' (magnitude p) : K) = signed t (magnitude q) →
      or (Nat.beq x y) (and (Nat.beq p 0) (Nat.beq q 0)) = true)
      ?_ ?_ s hs rfl h
    · refine sign_cases (P := fun t' => t = t' → s = 0 →
          (signed 0 (magnitude p) : K) = signed t' (magnitude q) →
          or (Nat.beq x y) (and (Nat.beq p 0) (Nat.beq q 0)) = true) ?_ ?_ t ht rfl
      · intro ht hs g
        exact same (hs.trans ht.symm) (magnitude_injective hp hq (natural_injective g))
      · intro _ _ g
        obtain ⟨a, b⟩ := zeros g
        exact both ((magnitude_zero_iff hp).1 a) ((magnitude_zero_iff hq).1 b)
    · refine sign_cases (P := fun t' => t = t' → s = 1 →
          (signed 1 (magnitude p) : K) = signed t' (magnitude q) →
          or (Nat.beq x y) (and (Nat.beq p 0) (Nat.beq q 0)) = true) ?_ ?_ t ht rfl
      · intro _ _ g
        obtain ⟨b, a⟩ := zeros g.symm
        exact both ((magnitude_zero_iff hp).1 a) ((magnitude_zero_iff hq).1 b)
      · intro ht hs g
        have g : (natural (magnitude p) : K) = natural (magnitude q) := by
          rw [← OrderedRing.neg_neg (natural (magnitude p)), ← OrderedRing.neg_neg (natural (magnitude q))]
          exact congrArg (fun k => -k) g
        exact same (hs.trans ht.symm) (magnitude_injective hp hq (natural_injective g))

/-! ### Selection -/

theorem le_of_lt' {a b : K} (h : a < b) : a ≤ b := (OrderedRing.le_total a b).elim id fun g => absurd g h

theorem zero_finite : exponent 0 < 255 ∧ (0 : Nat) < 2 ^ 32 := ⟨by decide +kernel, Natural.two_pow_pos 32⟩

/-- **Relu** on patterns is the specification's. -/
theorem relu_selects (K : Type u) [OrderedRing K] {x : Nat} (hx : exponent x < 255) (gx : x < 2 ^ 32) :
    IsRelu (scaled x : K) (scaled (relu x)) := by
  unfold relu
  rw [finite_not_nan hx]
  cases h : lt x 0 with
  | true =>
    exact Or.inr
      ⟨scaled_zero (K := K) ▸ le_of_lt' (lt_true K hx zero_finite.1 gx zero_finite.2 h), scaled_zero⟩
  | false => exact Or.inl ⟨scaled_zero (K := K) ▸ lt_false K hx zero_finite.1 gx zero_finite.2 h, rfl⟩

/-- **Maximum** on patterns is the specification's. -/
theorem maximum_selects (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255)
    (hy : exponent y < 255) (gx : x < 2 ^ 32) (gy : y < 2 ^ 32) :
    IsMaximum (scaled x : K) (scaled y) (scaled (maximum x y)) := by
  unfold maximum
  rw [finite_not_nan hx, finite_not_nan hy]
  cases h : lt y x with
  | true => exact Or.inl ⟨le_of_lt' (lt_true K hy hx gy gx h), rfl⟩
  | false => exact Or.inr ⟨lt_false K hy hx gy gx h, rfl⟩

/-- **Minimum** on patterns is the specification's. -/
theorem minimum_selects (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255)
    (hy : exponent y < 255) (gx : x < 2 ^ 32) (gy : y < 2 ^ 32) :
    IsMinimum (scaled x : K) (scaled y) (scaled (minimum x y)) := by
  unfold minimum
  rw [finite_not_nan hx, finite_not_nan hy]
  cases h : lt x y with
  | true => exact Or.inl ⟨le_of_lt' (lt_true K hx hy gx gy h), rfl⟩
  | false => exact Or.inr ⟨lt_false K hx hy gx gy h, rfl⟩

/-! ### Slots hold numbers, patterns denote `2^149` times as much -/

theorem IsRelu.of_scaled {d : Nat} (hd : 0 < d) {x y : K} (h : IsRelu (natural d * x) (natural d * y)) :
    IsRelu x y := by
  cases h with
  | inl h =>
    exact Or.inl
      ⟨le_of_natural_mul_le hd (by rw [OrderedRing.mul_zero]; exact h.1), eq_of_natural_mul_eq hd h.2⟩
  | inr h =>
    refine Or.inr
      ⟨le_of_natural_mul_le hd (by rw [OrderedRing.mul_zero]; exact h.1), eq_of_natural_mul_eq hd ?_⟩
    rw [OrderedRing.mul_zero]; exact h.2
theorem IsMaximum.of_scaled {d : Nat} (hd : 0 < d) {x z y : K}
    (h : IsMaximum (natural d * x) (natural d * z) (natural d * y)) :
    IsMaximum x z y :=
  h.elim (fun h => Or.inl ⟨le_of_natural_mul_le hd h.1, eq_of_natural_mul_eq hd h.2⟩)
    fun h => Or.inr ⟨le_of_natural_mul_le hd h.1, eq_of_natural_mul_eq hd h.2⟩
theorem IsMinimum.of_scaled {d : Nat} (hd : 0 < d) {x z y : K}
    (h : IsMinimum (natural d * x) (natural d * z) (natural d * y)) :
    IsMinimum x z y :=
  h.elim (fun h => Or.inl ⟨le_of_natural_mul_le hd h.1, eq_of_natural_mul_eq hd h.2⟩)
    fun h => Or.inr ⟨le_of_natural_mul_le hd h.1, eq_of_natural_mul_eq hd h.2⟩

/-- The evaluator's Relu in a graph: slots `x` and `y` hold the numbers of a pattern and of its Relu. -/
theorem evaluator_relu {w : Nat} (hw : exponent w < 255) (gw : w < 2 ^ 32) {x y : K}
    (hx : natural (2 ^ 149) * x = scaled w) (hy : natural (2 ^ 149) * y = scaled (relu w)) :
    IsRelu x y := by
  refine IsRelu.of_scaled (Natural.two_pow_pos 149) ?_
  rw [hx, hy]; exact relu_selects K hw gw

end Binary32
end PytestTorchLean
