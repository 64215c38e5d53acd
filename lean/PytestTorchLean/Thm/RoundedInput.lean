prelude
import PytestTorchLean.Spec.Graph
import PytestTorchLean.Thm.Rounds
/-!
# A point of a box, rounded to binary32, lies in the box's hull

A user's box has rational bounds; what a runtime is given is a binary32 number. Whichever point of the box the
input comes from, its rounding is in the outward hull that `Box.HullHolds` describes, also when it lies
outside the box.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Binary32

/-- The value of any finite pattern is rounded to that value. -/
theorem scaled_rounds {w : Nat} (h : exponent w < 255) :
    ∃ p, exponent p < 255 ∧ RoundsTo (scaled w : K) 1 p ∧ (scaled p : K) = scaled w := by
  have hf : fraction w < 2 ^ 23 := Natural.mod_lt (Natural.two_pow_pos 23) _
  obtain ⟨e1, e2⟩ := fields hf (k := exponent w) (Nat.lt_of_lt_of_le h (by decide))
  have same : magnitude (fraction w + 2 ^ 23 * exponent w) = magnitude w := by
    unfold magnitude
    rw [e1, e2]
  have low : fraction w + 2 ^ 23 * exponent w < infinity := by
    have g := Natural.add_mul_lt (C := 255) hf h
    rw [Nat.mul_comm (2 ^ 23) 255] at g
    exact g
  have sg : sign w ≤ 1 := sign_le w
  refine ⟨2 ^ 31 * sign w + (fraction w + 2 ^ 23 * exponent w), (pattern_finite sg (Nat.le_of_lt low)).2 low,
      ?_, ?_⟩
  · have r :=
      round_rounds K (s := sign w) (n := 1 * magnitude (fraction w + 2 ^ 23 * exponent w)) sg (Nat.le_refl 1)
    unfold round at r
    rw [roundMagnitude_exact (Nat.le_refl 1) low, Nat.one_mul, same] at r
    rw [scaled_eq_signed]
    exact r
  · rw [scaled_pattern sg low, same, ← scaled_eq_signed]

end Binary32

namespace Box
open Binary32

/-- What a bound of the box says about the rounding: nothing representable lies between. -/
theorem below_rounded {D d o l : Nat} {v : K} {w p : Nat}
    (hD : 0 < D)
    (hd : 0 < d)
    (r : RoundsTo v d p)
    (fp : exponent p < 255)
    (fw : exponent w < 255)
    (inside : natural d * (natural l - natural o) ≤ natural D * v)
    (below : natural D * (scaled w : K) + natural o ≤ natural l) :
    (scaled w : K) ≤ scaled p := by
  obtain ⟨q, fq, rq, e⟩ := scaled_rounds (K := K) fw
  rw [← e]
  refine rq.monotone (Nat.le_refl 1) hd r fq fp ?_
  refine le_of_natural_mul_le hD ?_
  have a : natural D * (natural d * (scaled w : K)) ≤ natural d * (natural l - natural o) := by
    have g := mul_le_left (natural_nonneg (K := K) d) (sub_nonneg below)
    rw [OrderedRing.mul_zero] at g
    exact le_cert ((ring5 K D d w l o, d * (l - o) - D * (d * w), d * (l - (D * w + o)))
      (natural D) (natural d) (scaled w) (natural l) (natural o)) g
  refine OrderedRing.le_trans a (OrderedRing.le_trans inside (OrderedRing.le_of_eq ?_))
  exact (ring2 K D v, D * v, D * (1 * v)) _ _

theorem above_rounded {D d o l : Nat} {v : K} {w p : Nat}
    (hD : 0 < D)
    (hd : 0 < d)
    (r : RoundsTo v d p)
    (fp : exponent p < 255)
    (fw : exponent w < 255)
    (inside : natural D * v ≤ natural d * (natural l - natural o))
    (above : natural l ≤ natural D * (scaled w : K) + natural o) :
    (scaled p : K) ≤ scaled w := by
  obtain ⟨q, fq, rq, e⟩ := scaled_rounds (K := K) fw
  rw [← e]
  refine r.monotone hd (Nat.le_refl 1) rq fp fq ?_
  refine le_of_natural_mul_le hD ?_
  have a : natural d * (natural l - natural o) ≤ natural D * (natural d * (scaled w : K)) := by
    have g := mul_le_left (natural_nonneg (K := K) d) (sub_nonneg above)
    rw [OrderedRing.mul_zero] at g
    exact le_cert ((ring5 K D d w l o, D * (d * w) - d * (l - o), d * (D * w + o - l))
      (natural D) (natural d) (scaled w) (natural l) (natural o)) g
  refine OrderedRing.le_trans (OrderedRing.le_of_eq ?_) (OrderedRing.le_trans inside a)
  exact (ring2 K D v, D * (1 * v), D * v) _ _

/-- **Rounded inputs lie in the hull.** Input `i` holds the rounding, to pattern `bits i`, of the number
    `v i / d i` (in units of `2^-149`), which lies between the bounds of the box. -/
theorem rounded_in_hull (b : Box) {inputs : Nat} {slots : Nat → K} {bits d : Nat → Nat} {v : Nat → K}
    (hD : 0 < b.denominator)
    (rounded : ∀ i, i < inputs →
      0 < d i ∧
        RoundsTo (v i) (d i) (bits i) ∧
        exponent (bits i) < 255 ∧
        natural (2 ^ 149) * slots (2 + i) = scaled (bits i))
    (inside : ∀ i, i < inputs →
      natural (d i) * (natural (2 ^ 149 * digit b.width b.lower i) - natural (2 ^ 149 * b.offset)) ≤
          natural b.denominator * v i ∧
        natural b.denominator * v i ≤
          natural (d i) * (natural (2 ^ 149 * digit b.width b.upper i) - natural (2 ^ 149 * b.offset))) :
    b.HullHolds inputs slots := by
  intro i hi w fw
  obtain ⟨hd, r, fp, e⟩ := rounded i hi
  obtain ⟨low, high⟩ := inside i hi
  rw [e]
  exact ⟨below_rounded hD hd r fp fw low, above_rounded hD hd r fp fw high⟩

end Box
end PytestTorchLean
