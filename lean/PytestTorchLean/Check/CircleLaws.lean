prelude
import PytestTorchLean.Check.Circle
/-!
# What the sine and the cosine obey

From the theorems of addition: neither is larger than 1, and over a distance each moves by no more than the
other one's size times the distance, and half the distance's square.
-/
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Circle
variable {sine cosine : K → K}

/-! ### What a circle obeys -/

theorem atMost_one {v : K} (h : v * v ≤ 1) : AtMost v 1 := by
  have one : ∀ w : K, w * w ≤ 1 → w ≤ 1 := fun w hw => by
    cases le_total w 1 with
    | inl g => exact g
    | inr g =>
      have t := mul_nonneg (le_trans zero_le_one g) (sub_nonneg g)
      exact le_cert ((ring1 K w, 1 - w, w * (w - 1) + (1 - w * w)) w) (add_nonneg t (sub_nonneg hw))
  exact ⟨one v h, one (-v) (by rw [neg_mul, mul_neg, neg_neg]; exact h)⟩
theorem sine_atMost (hc : IsCircle sine cosine) (x : K) : AtMost (sine x) 1 :=
  atMost_one (le_cert ((ring2 K s c, s * s + c * c - s * s, c * c) (sine x) (cosine x) ▸ by rw [hc.2.1 x])
      (sq_nonneg (cosine x)))
theorem cosine_atMost (hc : IsCircle sine cosine) (x : K) : AtMost (cosine x) 1 :=
  atMost_one (le_cert ((ring2 K s c, s * s + c * c - c * c, s * s) (sine x) (cosine x) ▸ by rw [hc.2.1 x])
      (sq_nonneg (sine x)))

/-- Near 0 the sine is no larger than its argument, and the cosine at most half its square below 1. -/
theorem near_zero {e : K → K} (he : IsExponential e) (hc : IsCircle sine cosine) {d : K} (h0 : 0 ≤ d)
    (h1 : d ≤ 1) :
    AtMost (sine d) d ∧ cosine d ≤ 1 ∧ natural 2 * (1 - cosine d) ≤ d * d := by
  obtain ⟨a, b⟩ := hc.2.2.2 d h0
  obtain ⟨r, er⟩ := he.part (n := (1 + 1) * (1 + 2))
    (Nat.mul_pos (Nat.succ_le_succ (Nat.zero_le _)) (Nat.succ_le_succ (Nat.zero_le _))) (d * d * d)
  obtain ⟨q, eq⟩ := he.part (n := (0 + 1) * (0 + 2))
    (Nat.mul_pos (Nat.succ_le_succ (Nat.zero_le _)) (Nat.succ_le_succ (Nat.zero_le _))) (d * d * 1)
  obtain ⟨a1, a2⟩ := a _ _ _ _ r .first er
  obtain ⟨b1, b2⟩ := b _ _ _ _ q .first eq
  have six : natural 6 * r = d * d * d := er
  have two : natural 2 * q = d * d * 1 := eq
  refine ⟨⟨le_trans a1 (le_of_eq ((ring1 K d, d - 0, d) d)), ?_⟩,
      le_trans b1 (le_of_eq ((ring1 K d, 1 - 0, 1) d)), ?_⟩
  · have small : r ≤ d := by
      apply cancel_natural (n := 6) (Nat.succ_le_succ (Nat.zero_le _))
      rw [six]
      have t := mul_le_right h0 (mul_le_mul h0 h0 h1 h1)
      have s := mul_nonneg (natural_nonneg (K := K) 5) h0
      have sum : natural 6 * d = d + natural 5 * d := by
        have n : (natural 6 : K) = 1 + natural 5 := by rw [← add_comm]; exact natural_succ 5
        rw [n, OrderedRing.add_mul, one_mul]
      rw [sum]
      exact le_cert ((ring2 K d w, d + w - d * d * d, 1 * 1 * d - d * d * d + w) _ _)
        (add_nonneg (sub_nonneg t) s)
    exact le_cert ((ring3 K d r s, d - -s, s - (d - 0 - r) + (d - r) + d) d r (sine d))
        (add_nonneg (add_nonneg (sub_nonneg a2) (sub_nonneg small)) h0)
  · have t := mul_le_left (natural_nonneg (K := K) 2) b2
    rw [mul_on] at two
    rw [← two]
    exact le_cert ((ring2 K q c, 2 * q - 2 * (1 - c), 2 * c - 2 * (1 - 0 - q)) q (cosine d)) (sub_nonneg t)

/-- How far from 0 an argument is. -/
def Distance (d a : K) : Prop := 0 ≤ a ∧ a ≤ 1 ∧ (d = a ∨ d = -a)

theorem near_zero_signed {e : K → K} (he : IsExponential e) (hc : IsCircle sine cosine) {d a : K}
    (h : Distance d a) :
    AtMost (sine d) a ∧ cosine d ≤ 1 ∧ natural 2 * (1 - cosine d) ≤ a * a := by
  obtain ⟨a0, a1, ed⟩ := h
  have near := near_zero he hc a0 a1
  cases ed with
  | inl g => rw [g]; exact near
  | inr g =>
    obtain ⟨odd, even⟩ := hc.1 a
    rw [g, odd, even]
    obtain ⟨n1, n2⟩ := near
    exact ⟨⟨n1.2, by rw [neg_neg]; exact n1.1⟩, n2⟩

/-- `f (y + d) - f y`, twice. -/
theorem moves {f g cos sin a size : K} (hf : AtMost f 1) (hg : AtMost g size) (hs : AtMost sin a)
    (hc : cos ≤ 1) (h2 : natural 2 * (1 - cos) ≤ a * a) :
    AtMost (natural 2 * (f * (cos - 1) + g * sin)) (a * a + natural 2 * (size * a)) := by
  have two := natural_nonneg (K := K) 2
  have down : AtMost (natural 2 * (cos - 1)) (a * a) :=
    ⟨le_trans (le_cert ((ring1 K c, 0 - 2 * (c - 1), 2 * (1 - c)) cos) (mul_nonneg two (sub_nonneg hc)))
        (sq_nonneg a), le_trans (le_of_eq ((ring1 K c, -(2 * (c - 1)), 2 * (1 - c)) cos)) h2⟩
  have t := Curve.atMost_add (Curve.atMost_mul hf down) ((Curve.atMost_mul hg hs).mul_left two)
  have e1 : natural 2 * (f * (cos - 1) + g * sin) = f * (natural 2 * (cos - 1)) + natural 2 * (g * sin) :=
    (ring4 K f c g s, 2 * (f * (c - 1) + g * s), f * (2 * (c - 1)) + 2 * (g * s)) _ _ _ _
  rw [e1, ← one_mul (a * a)]
  exact t
end Circle
end PytestTorchLean
