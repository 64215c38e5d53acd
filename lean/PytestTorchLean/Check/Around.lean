prelude
import PytestTorchLean.Check.Root
/-!
# Bounds moved outward

How far a value may be from one that is bounded, and what that says of it, in fixed point.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Curve
/-- The absolute value, which need not be named. -/
theorem absolute_value (v : K) : ∃ a, AtMost v a ∧ (a = v ∨ a = -v) := by
  cases le_total 0 v with
  | inl h => exact ⟨v, AtMost.of_le h (le_refl v), Or.inl rfl⟩
  | inr h => exact ⟨-v, ⟨le_trans h (neg_nonneg h), le_refl _⟩, Or.inr rfl⟩

/-- Bounds of a value, moved outward by how far another one may be from it. -/
theorem moved {s : Scale} {low high r : Nat} {v y : K} (hv : Within s low high v) (hr : r ≤ low)
    (h : AtMost (natural s.unit * (y - v)) (natural r)) :
    Within s (low - r) (high + r) y := by
  obtain ⟨v1, v2⟩ := hv
  obtain ⟨h1, h2⟩ := h
  have d : (natural low : K) = natural (low - r) + natural r := by
    rw [← natural_add, Natural.sub_add_cancel hr]
  unfold Within
  unfold Scale.image at *
  rw [natural_add]
  rw [d] at v1
  have e : natural s.unit * y + natural s.center =
      natural s.unit * v + natural s.center + natural s.unit * (y - v) :=
    (ring4 K u y c v, u * y + c, u * v + c + u * (y - v)) _ _ _ _
  rw [e]
  generalize natural s.unit * (y - v) = z at *
  generalize natural s.unit * v + natural s.center = w at *
  constructor
  · exact le_cert ((ring4 K w l r z, w + z - l, (w - (l + r)) + (r - -z)) _ _ _ _)
      (add_nonneg (sub_nonneg v1) (sub_nonneg h2))
  · exact le_cert ((ring4 K w h r z, h + r - (w + z), h - w + (r - z)) _ _ _ _)
      (add_nonneg (sub_nonneg v2) (sub_nonneg h1))

/-- What the distance of the bounds from the center says of the value. -/
theorem size_of {s : Scale} {low high : Nat} {v a : K} (hv : Within s low high v) (ea : a = v ∨ a = -v) :
    natural s.unit * a ≤ natural (high - s.center + (s.center - low)) := by
  obtain ⟨v1, v2⟩ := hv
  unfold Scale.image at v1 v2
  rw [natural_add]
  cases ea with
  | inl ea =>
    rw [ea]
    have t := add_le_add (le_sub high s.center v2) (natural_nonneg (K := K) (s.center - low))
    rw [add_zer] at t; exact t
  | inr ea =>
    rw [ea]
    have z : natural s.unit * -v + natural low ≤ natural s.center :=
      le_cert ((ring4 K u v c l, c - (u * -v + l), u * v + c - l) _ _ _ _) (sub_nonneg v1)
    have t := add_le_add (natural_nonneg (K := K) (high - s.center)) (le_sub s.center low z)
    rw [zero_add] at t; exact t

/-- The product of bounds of absolute values. -/
theorem atMost_mul {p q A B : K} (hp : AtMost p A) (hq : AtMost q B) : AtMost (p * q) (A * B) := by
  have A0 := hp.nonneg
  obtain ⟨p1, p2⟩ := hp
  obtain ⟨q1, q2⟩ := hq
  cases le_total 0 q with
  | inl g =>
    have t := mul_le_left A0 q1
    refine ⟨le_trans (mul_le_right g p1) t, le_trans ?_ t⟩
    have s := mul_le_right g p2
    rw [neg_mul] at s; exact s
  | inr g =>
    have g := neg_nonneg g
    have t := mul_le_left A0 q2
    refine ⟨le_trans ?_ t, le_trans ?_ t⟩
    · have s := mul_le_right g p2
      rw [neg_mul, mul_neg, neg_neg] at s; exact s
    · have s := mul_le_right g p1
      rw [mul_neg] at s; exact s
theorem atMost_add {p q A B : K} (hp : AtMost p A) (hq : AtMost q B) : AtMost (p + q) (A + B) :=
  ⟨add_le_add hp.1 hq.1, by rw [neg_add]; exact add_le_add hp.2 hq.2⟩
end Curve
end PytestTorchLean
