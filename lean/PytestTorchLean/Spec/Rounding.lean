prelude
import PytestTorchLean.Spec.Summation
import PytestTorchLean.Spec.Binary32
/-!
# Correct rounding to binary32

An exact number is `n / d` units of `2^-149` (`n`, `d` naturals, `d` positive) with a sign. Its rounding is
the binary32 number nearest to it; of two that are equally near, the one whose last bit is 0; and infinity
from half a last place above the largest finite number on. This is IEEE-754's roundTiesToEven. The sign is
rounded by itself: a negative number so small that it rounds to zero becomes `-0`.

`RoundsMagnitude` says this without computing; `roundMagnitude` computes it, on bit patterns. In Thm/Rounding,
`roundMagnitude_rounds` proves that it does, and `RoundsMagnitude.unique` that nothing else would.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Binary32

/-- The bit pattern of infinity. The patterns below it are those of the finite numbers that are not
    negative. -/
def infinity : Nat := 255 * 2 ^ 23
/-- The one bit pattern of NaN that results have. -/
def quietNaN : Nat := infinity + 2 ^ 22

/-- The distance of two natural numbers. -/
def distance (a b : Nat) : Nat := (a - b) + (b - a)

/-- Of all finite numbers, `p` is nearest to `n / d`; if another is as near, then `p` is even. -/
def Nearest (n d p : Nat) : Prop :=
  p < infinity ∧ ∀ q, q < infinity →
    distance n (d * magnitude p) ≤ distance n (d * magnitude q) ∧
    (q ≠ p → distance n (d * magnitude p) = distance n (d * magnitude q) → p % 2 = 0)

/-- Of all finite numbers, `p` is nearest to the square root of `n` units, which is the root of
    `N = 2^149 * n` in units; if another is as near, then `p` is even. The root is on the side of a midpoint
    `(a + b) / 2` on which `4 N` is of `(a + b)^2`. -/
def NearestRoot (n p : Nat) : Prop :=
  p < infinity ∧ ∀ q, q < infinity →
    (q < p → (magnitude q + magnitude p) * (magnitude q + magnitude p) ≤ 4 * (2 ^ 149 * n) ∧
      ((magnitude q + magnitude p) * (magnitude q + magnitude p) = 4 * (2 ^ 149 * n) → p % 2 = 0)) ∧
    (p < q → 4 * (2 ^ 149 * n) ≤ (magnitude p + magnitude q) * (magnitude p + magnitude q) ∧
      (4 * (2 ^ 149 * n) = (magnitude p + magnitude q) * (magnitude p + magnitude q) → p % 2 = 0))

/-- `p` is the correctly rounded pattern of `n / d`. -/
def RoundsMagnitude (n d p : Nat) : Prop :=
  (n < d * overflowThreshold ∧ Nearest n d p) ∨ (d * overflowThreshold ≤ n ∧ p = infinity)

/-- A sign bit and a magnitude as an element of a ring. -/
def signed {K : Type u} [OrderedRing K] (s n : Nat) : K :=
  match s with
  | 0 => OrderedRing.natural n
  | _ + 1 => -OrderedRing.natural n

/-- `w` is the correctly rounded pattern of `v / d` units; if `v` is zero, of either zero. -/
def RoundsTo {K : Type u} [OrderedRing K] (v : K) (d w : Nat) : Prop :=
  ∃ s n p, s ≤ 1 ∧ v = signed s n ∧ RoundsMagnitude n d p ∧ w = 2 ^ 31 * s + p

/-- The last place of the numbers around `q` units is `2^placeOf q` units: 0 below `2^24`. -/
def placeOf (q : Nat) : Nat := Nat.log2 q - 23

/-- The correctly rounded pattern of `n / d`. With `e` the exponent of the last place, `m * 2^e` is the number
    just below, and its pattern is `2^23 * e + m`; the next pattern is the number just above. The remainder is
    compared with half a place, where an odd `m` tips the balance at a tie. -/
def roundMagnitude (n d : Nat) : Nat :=
  let e := placeOf (n / d)
  let place := d * 2 ^ e
  let m := n / place
  let below := 2 ^ 23 * e + m
  Min.min infinity (cond (Nat.ble (2 * (n % place) + m % 2) place) below (below + 1))

/-- The correctly rounded pattern of the number with sign bit `s` and magnitude `n / d`. -/
def round (s n d : Nat) : Nat := 2 ^ 31 * s + roundMagnitude n d

end Binary32
end PytestTorchLean
