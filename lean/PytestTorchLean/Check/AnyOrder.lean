prelude
import PytestTorchLean.Check.Packed
import PytestTorchLean.Spec.Summation
/-!
# How far a sum in binary32 can be from the exact sum

Every product is rounded at most once and every addition at most once. So `n` products lie below at most
`n` roundings each, whatever the order and the grouping, and each rounding enlarges an error by the factor
`1 + 2^-24` at most: in all `(n * 2^24 + n^2) / 2^48` of the sum of the products' absolute values, plus at
most `2 n` units for underflow.
-/
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-! ### Absolute bounds -/
namespace AtMost
theorem nonneg {x a : K} (h : AtMost x a) : 0 ≤ a := by
  cases le_total 0 x with
  | inl g => exact le_trans g h.1
  | inr g => exact le_trans (neg_nonneg g) h.2
theorem add {x y a b : K} (h : AtMost x a) (g : AtMost y b) : AtMost (x + y) (a + b) := by
  refine ⟨add_le_add h.1 g.1, ?_⟩
  rw [neg_add]; exact add_le_add h.2 g.2
theorem weaken {x a b : K} (h : AtMost x a) (g : a ≤ b) : AtMost x b := ⟨le_trans h.1 g, le_trans h.2 g⟩
theorem mul_left {n x a : K} (hn : 0 ≤ n) (h : AtMost x a) : AtMost (n * x) (n * a) := by
  refine ⟨mul_le_left hn h.1, ?_⟩
  rw [← mul_neg]; exact mul_le_left hn h.2
theorem zero {a : K} (h : 0 ≤ a) : AtMost 0 a := by
  refine ⟨h, ?_⟩
  rw [neg_zero]; exact h
theorem neg {x a : K} (h : AtMost x a) : AtMost (-x) a := by
  refine ⟨h.2, ?_⟩
  rw [neg_neg]; exact h.1
theorem mul {x a y b : K} (h : AtMost x a) (g : AtMost y b) : AtMost (x * y) (a * b) := by
  have first : ∀ z : K, 0 ≤ z → z ≤ b → AtMost (x * z) (a * b) := fun z hz hb => by
    have m := h.mul_left hz
    rw [mul_comm z, mul_comm z] at m
    exact m.weaken (mul_le_left h.nonneg hb)
  cases le_total 0 y with
  | inl p => exact first y p g.1
  | inr p =>
    have m := (first (-y) (neg_nonneg p) g.2).neg
    rw [mul_neg, neg_neg] at m
    exact m
theorem of_le {x a : K} (h : 0 ≤ x) (g : x ≤ a) : AtMost x a :=
  ⟨g, le_trans (le_cert ((ring1 K x, 0 - -x, x) x) h) (le_trans h g)⟩
end AtMost

theorem AtMost.cancel {n : Nat} (hn : 0 < n) {x a : K} (h : AtMost (natural n * x) (natural n * a)) :
    AtMost x a := by
  refine ⟨cancel_natural hn h.1, cancel_natural hn ?_⟩
  rw [mul_neg]; exact h.2

/-- The rounding error of a number of which a multiple is bounded. -/
theorem Rounds.scaled {m b s r : K} (hm : 0 ≤ m) (h : Rounds s r) (hb : AtMost (m * s) b) :
    AtMost (m * (natural (2 ^ 24) * (r - s))) (b + m * natural (2 ^ 23)) := by
  have key : ∀ a, AtMost s a → m * a ≤ b →
      AtMost (m * (natural (2 ^ 24) * (r - s))) (b + m * natural (2 ^ 23)) := fun a ha hab => by
    have z := (h a ha).mul_left hm
    rw [mul_add] at z
    exact z.weaken (add_le _ hab)
  cases le_total 0 s with
  | inl g => exact key s (AtMost.of_le g (le_refl _)) hb.1
  | inr g =>
    have z := (AtMost.of_le (neg_nonneg g) (le_refl (-s))).neg
    rw [neg_neg] at z
    refine key (-s) z ?_
    rw [mul_neg]; exact hb.2

/-! ### Sums of lists, and of their absolute values -/

/-- `m` times the sum of the terms' absolute values is at most `a`. -/
def Weighs (m : K) : List K → K → Prop
  | [], a => 0 ≤ a
  | t :: ts, a => ∃ x y, AtMost (m * t) x ∧ Weighs m ts y ∧ x + y ≤ a

theorem Weighs.mono {m : K} : {s : List K} → {a b : K} → Weighs m s a → a ≤ b → Weighs m s b
  | [], _, _, h, g => le_trans h g
  | _ :: _, _, _, ⟨x, y, h1, h2, h3⟩, g => ⟨x, y, h1, h2, le_trans h3 g⟩
theorem Weighs.total {m : K} : {s : List K} → {a : K} → Weighs m s a → AtMost (m * PytestTorchLean.total s) a
  | [], a, h => by
    show AtMost (m * 0) a
    rw [mul_zero]; exact AtMost.zero h
  | t :: ts, a, ⟨x, y, h1, h2, h3⟩ => by
    show AtMost (m * (t + PytestTorchLean.total ts)) a
    rw [mul_add]
    exact (h1.add h2.total).weaken h3
theorem Weighs.joined {m : K} :
    {s t : List K} → {a : K} → Weighs m (joined s t) a → ∃ x y, Weighs m s x ∧ Weighs m t y ∧ x + y ≤ a
  | [], _, a, h => ⟨0, a, le_refl _, h, by rw [zero_add]; exact le_refl _⟩
  | _ :: s, t, a, ⟨x, y, h1, h2, h3⟩ => by
    obtain ⟨p, q, g1, g2, g3⟩ := Weighs.joined (s := s) h2
    refine ⟨x + p, q, ⟨x, p, h1, g1, le_refl _⟩, g2, ?_⟩
    rw [add_assoc]
    exact le_trans (add_le_add (le_refl x) g3) h3
theorem Weighs.join {m : K} :
    {s t : List K} → {a b : K} → Weighs m s a → Weighs m t b → Weighs m (PytestTorchLean.joined s t) (a + b)
  | [], _, a, b, h, g => by
    have z := add_le_add h (le_refl b)
    rw [zero_add] at z
    exact Weighs.mono g z
  | _ :: _, _, _, b, ⟨x, y, h1, h2, h3⟩, g => by
    refine ⟨x, y + b, h1, Weighs.join h2 g, ?_⟩
    rw [← add_assoc]
    exact add_le_add h3 (le_refl b)
theorem Weighs.first {m : K} {s t : List K} {a : K} (h : Weighs m (PytestTorchLean.joined s t) a) :
    Weighs m s a := by
  obtain ⟨x, y, h1, h2, h3⟩ := h.joined
  refine h1.mono (le_trans ?_ h3)
  have z := add_le_add (le_refl x) h2.total.nonneg
  rw [add_zer] at z; exact z
theorem Weighs.reorder {m : K} {s t : List K} (r : Reordered s t) :
    {a : K} → Weighs m s a → Weighs m t a := by
  induction r with
  | nil => intro a h; exact h
  | cons x _ ih => intro a ⟨p, q, h1, h2, h3⟩; exact ⟨p, q, h1, ih h2, h3⟩
  | swap x y s =>
    intro a ⟨p, q, h1, ⟨p', q', g1, g2, g3⟩, h3⟩
    refine ⟨p', p + q', g1, ⟨p, q', h1, g2, le_refl _⟩, ?_⟩
    rw [add_left_comm]
    exact le_trans (add_le_add (le_refl p) g3) h3
  | trans _ _ ih1 ih2 => intro a h; exact ih2 (ih1 h)

theorem Reordered.symm {s t : List K} (r : Reordered s t) : Reordered t s := by
  induction r with
  | nil => exact .nil
  | cons x _ ih => exact .cons x ih
  | swap x y s => exact .swap y x s
  | trans _ _ ih1 ih2 => exact .trans ih2 ih1
theorem Reordered.total {s t : List K} (r : Reordered s t) :
    PytestTorchLean.total s = PytestTorchLean.total t := by
  induction r with
  | nil => rfl
  | cons x _ ih => exact congrArg (fun y => x + y) ih
  | swap x y s => exact add_left_comm _ _ _
  | trans _ _ ih1 ih2 => exact ih1.trans ih2
theorem Reordered.length {s t : List K} (r : Reordered s t) : s.length = t.length := by
  induction r with
  | nil => rfl
  | cons x _ ih => exact congrArg Nat.succ ih
  | swap x y s => rfl
  | trans _ _ ih1 ih2 => exact ih1.trans ih2
theorem total_joined : (s t : List K) → total (joined s t) = total s + total t
  | [], t => (zero_add _).symm
  | x :: s, t => by
    show x + total (joined s t) = x + total s + total t
    rw [total_joined s t, add_assoc]
theorem length_joined : (s t : List K) → (joined s t).length = s.length + t.length
  | [], t => (Nat.zero_add _).symm
  | x :: s, t => by
    show (joined s t).length + 1 = s.length + 1 + t.length
    rw [length_joined s t, Nat.succ_add]

/-! ### The error of a tree of additions -/

/-- `2^48 * ((1 + 2^-24)^k - 1)` is at most this. -/
def growth (k : Nat) : Nat := k * 2 ^ 24 + k * k
/-- Roundings above a product, in a sum of `k + 1` products. -/
def roundings : Stage → Nat → Nat
  | .exact, k => k
  | .rounded, k => k + 1
/-- Roundings in a sum of `k + 1` products. -/
def operations : Stage → Nat → Nat
  | .exact, k => k + k
  | .rounded, k => k + k + 1

theorem roundings_le (p : Stage) (k : Nat) : roundings p k ≤ k + 1 := by
  cases p with
  | exact => exact Nat.le_add_right k 1
  | rounded => exact Nat.le.refl
theorem operations_le (p : Stage) (k : Nat) : operations p k ≤ k + k + 1 := by
  cases p with
  | exact => exact Nat.le_add_right _ 1
  | rounded => exact Nat.le.refl
theorem growth_mono {j k : Nat} (h : j ≤ k) : growth j ≤ growth k :=
  Nat.add_le_add (Nat.mul_le_mul h Nat.le.refl) (Nat.mul_le_mul h h)

/-- One more rounding. -/
theorem growth_step {k : Nat} (h : k ≤ 2 ^ 24) :
    (natural (2 ^ 24) * natural (growth k) + (natural (2 ^ 48) + natural (growth k)) : K) ≤
    natural (2 ^ 24) * natural (growth (k + 1)) := by
  have p : (natural (2 ^ 48) : K) = natural (2 ^ 24) * natural (2 ^ 24) := natural_mul (2 ^ 24) (2 ^ 24)
  have g : ∀ j : Nat,
      (natural (growth j) : K) = natural j * natural (2 ^ 24) + natural j * natural j := fun j => by
    show natural (j * 2 ^ 24 + j * j) = _
    rw [natural_add, natural_mul, natural_mul]
  have le := sub_nonneg (natural_le (K := K) h)
  have q0 := natural_nonneg (K := K) (2 ^ 24)
  have k0 := natural_nonneg (K := K) k
  have s : (natural (k + 1) : K) = natural k + 1 := natural_succ k
  rw [p, g, g, s]
  generalize (natural (2 ^ 24) : K) = q at *
  generalize (natural k : K) = x at *
  refine le_cert ?_ (add_nonneg (mul_nonneg k0 le) q0)
  exact (ring2 K q x,
      q * ((x + 1) * q + (x + 1) * (x + 1)) - (q * (x * q + x * x) + (q * q + (x * q + x * x))),
      x * (q - x) + q) q x

theorem round_step {m q d a r t g g' A l c : K}
    (hq : 0 ≤ q)
    (hA : 0 ≤ A)
    (hm : 0 ≤ m)
    (hd : 0 ≤ d)
    (before : AtMost (d * (m * (a - t))) (g * A + d * l * m))
    (round : AtMost (d * m * (q * (r - a))) (d * A + (g * A + d * l * m) + d * m * c))
    (grow : q * g + (d + g) ≤ q * g')
    (lose : l + c ≤ q) :
    AtMost (q * (d * (m * (r - t)))) (q * (g' * A + d * (l + 1) * m)) := by
  have z := (before.mul_left hq).add round
  have e : q * (d * (m * (a - t))) + d * m * (q * (r - a)) = q * (d * (m * (r - t))) := by
    have x := (ring5 K q p a t r, q * (p * (a - t)) + p * (q * (r - a)), q * (p * (r - t))) q (d * m) a t r
    rw [mul_assoc d m (a - t), mul_assoc d m (r - t)] at x
    exact x
  rw [e] at z
  refine z.weaken ?_
  have n := add_nonneg (mul_nonneg hA (sub_nonneg grow)) (mul_nonneg (mul_nonneg hd hm) (sub_nonneg lose))
  refine le_cert ?_ n
  have e1 : q * (g' * A + d * (l + 1) * m) = A * (q * g') + d * m * (q * l + q) := by
    have x := (ring5 K q g A p l, q * (g * A + p * (l + 1)), A * (q * g) + p * (q * l + q)) q g' A (d * m) l
    have y : d * (l + 1) * m = d * m * (l + 1) := by rw [mul_assoc, mul_comm (l + 1), ← mul_assoc]
    rw [y]; exact x
  have e2 : q * (g * A + d * l * m) + (d * A + (g * A + d * l * m) + d * m * c) =
      A * (q * g + (d + g)) + d * m * (q * l + (l + c)) := by
    have y : d * l * m = d * m * l := by rw [mul_assoc, mul_comm l, ← mul_assoc]
    rw [y]
    generalize d * m = p
    have x :=
      (ring5 K q g A p l, q * (g * A + p * l) + (g * A + p * l), A * (q * g + g) + p * (q * l + l)) q g A p l
    have w := (ring5 K x d A p c, x + d * A + p * c, x + (d * A + p * c))
      (q * (g * A + p * l) + (g * A + p * l)) d A p c
    have v : q * (g * A + p * l) + (d * A + (g * A + p * l) + p * c) =
        q * (g * A + p * l) + (g * A + p * l) + (d * A + p * c) := by
      simp only [add_assoc, add_left_comm, add_comm]
    rw [v, x]
    have k := (ring5 K A x y d z, A * x + z + (A * d + y), A * (d + x) + (z + y)) A (q * g + g) (p * c) d
      (p * (q * l + l))
    have f : q * g + (d + g) = d + (q * g + g) := by simp only [add_assoc, add_left_comm, add_comm]
    rw [f, mul_comm d A, k, mul_add p, mul_add p, mul_add p]
    simp only [add_assoc]
  rw [e1, e2]
  generalize q * g' = x
  generalize q * g + (d + g) = y
  generalize d * m = p
  generalize q * l = w
  exact (ring5 K A x y p w, A * x + p * w - (A * y + p * w), A * (x - y)) A x y p w |> fun t => by
    have f :=
      (ring5 K A p w q v, A + p * (w + q) - (p * (w + v)), A + p * (q - v)) (A * x - A * y) p w q (l + c)
    have h1 :
        A * x + p * (w + q) - (A * y + p * (w + (l + c))) = A * x - A * y + p * (w + q) - p * (w + (l + c)) :=
      (ring4 K a b c d, a + b - (c + d), a - c + b - d) _ _ _ _
    rw [h1, f, (ring3 K a x y, a * x - a * y, a * (x - y)) A x y]

/-- **Any order.** What may be computed for `k + 1` products lies near their exact sum. -/
theorem Sums.near {stage : Stage} {s : List K} {r : K} (h : Sums stage s r) :
    ∃ k, s.length = k + 1 ∧
      (k + 1 ≤ 2 ^ 22 →
          ∀ m a, 0 ≤ m → Weighs m s a →
            AtMost (natural (2 ^ 48) * (m * (r - total s)))
              (natural (growth (roundings stage k)) * a +
                natural (2 ^ 48) * natural (operations stage k) * m)) := by
  induction h with
  | product t =>
    refine ⟨0, rfl, fun _ m a hm hw => ?_⟩
    have z : t - total [t] = 0 := by
      show t - (t + 0) = 0
      rw [add_zer]; exact add_neg' t
    rw [z, mul_zero, mul_zero]
    have w := hw.total.nonneg
    exact AtMost.zero (add_nonneg (mul_nonneg (natural_nonneg _) w)
        (mul_nonneg (mul_nonneg (natural_nonneg _) (natural_nonneg _)) hm))
  | @add p q s t a b _ _ ih1 ih2 =>
    obtain ⟨j, l1, h1⟩ := ih1
    obtain ⟨k, l2, h2⟩ := ih2
    have len : (joined s t).length = j + k + 1 + 1 := by
      rw [length_joined, l1, l2]
      show j + 1 + k + 1 = j + k + 1 + 1
      rw [Natural.add_right_comm j 1 k]
    refine ⟨j + k + 1, len, fun small m c hm hw => ?_⟩
    obtain ⟨x, y, w1, w2, le⟩ := hw.joined
    have j_le : j + 1 ≤ j + k + 1 := Nat.succ_le_succ (Nat.le_add_right j k)
    have k_le : k + 1 ≤ j + k + 1 := Nat.succ_le_succ (Nat.le_add_left k j)
    have small' := Nat.le_trans (Nat.le_add_right _ 1) small
    have z := (h1 (Nat.le_trans j_le small') m x hm w1).add (h2 (Nat.le_trans k_le small') m y hm w2)
    rw [← mul_add, ← mul_add] at z
    have e : a - total s + (b - total t) = a + b - total (joined s t) := by
      rw [total_joined]; exact (ring4 K a s b t, a - s + (b - t), a + b - (s + t)) _ _ _ _
    rw [e] at z
    refine z.weaken ?_
    have g1 := mul_le_right (c := x) w1.total.nonneg
      (natural_le (K := K) (growth_mono (Nat.le_trans (roundings_le p j) j_le)))
    have g2 := mul_le_right (c := y) w2.total.nonneg
      (natural_le (K := K) (growth_mono (Nat.le_trans (roundings_le q k) k_le)))
    have grown := le_trans (add_le_add g1 g2) (le_of_eq (mul_add _ _ _).symm)
    have grown := le_trans grown (mul_le_left (natural_nonneg _) le)
    have ops : operations p j + operations q k ≤ operations .exact (j + k + 1) := by
      refine Nat.le_trans (Nat.add_le_add (operations_le p j) (operations_le q k)) (Natural.le_of_eq ?_)
      show j + j + 1 + (k + k + 1) = j + k + 1 + (j + k + 1)
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    have lost := mul_le_right hm (mul_le_left (natural_nonneg (K := K) (2 ^ 48)) (natural_le (K := K) ops))
    rw [natural_add, mul_add, add_mul] at lost
    have both := add_le_add grown lost
    refine le_trans (le_of_eq ?_) both
    exact (ring4 K a b c d, a + b + (c + d), a + c + (b + d)) _ _ _ _
  | @round s a r _ hr ih =>
    obtain ⟨k, len, h⟩ := ih
    refine ⟨k, len, fun small m c hm hw => ?_⟩
    have before := h small m c hm hw
    have size := ((hw.total.mul_left (natural_nonneg (2 ^ 48))).add before)
    rw [← mul_add, ← mul_add] at size
    have e : total s + (a - total s) = a := (ring2 K s a, s + (a - s), a) _ _
    rw [e, ← mul_assoc] at size
    have rounded := hr.scaled (mul_nonneg (natural_nonneg (2 ^ 48)) hm) size
    have k_le : k ≤ 2 ^ 22 := Nat.le_trans (Nat.le_add_right k 1) small
    have grow :=
      growth_step (K := K) (Nat.le_trans k_le (Natural.two_pow_le (j := 22) (k := 24) (by decide +kernel)))
    have lose : (natural (k + k) + natural (2 ^ 23) : K) ≤ natural (2 ^ 24) := by
      rw [← natural_add]
      refine natural_le (Nat.le_trans (Nat.add_le_add (Nat.add_le_add k_le k_le) Nat.le.refl) ?_)
      decide +kernel
    have z := round_step (natural_nonneg (2 ^ 24)) hw.total.nonneg hm (natural_nonneg (2 ^ 48)) before rounded
      grow lose
    have one : (natural (operations .exact k) + 1 : K) = natural (operations .rounded k) :=
      (natural_succ (k + k)).symm
    rw [one] at z
    exact AtMost.cancel (Natural.two_pow_pos 24) z
  | reorder e _ ih =>
    obtain ⟨k, len, h⟩ := ih
    refine ⟨k, e.length.symm.trans len, fun small m a hm hw => ?_⟩
    rw [← e.total]
    exact h small m a hm (hw.reorder e.symm)
end PytestTorchLean
