prelude
import PytestTorchLean.Algebra.Order
/-!
# What a 32-bit pattern denotes

A finite IEEE-754 binary32 number is an integer divided by `2^149`. An ordered ring has no
fractions, so the number enters as that integer: `scaled w` is `2^149` times the value of the
pattern `w`. Infinities and NaN (exponent field 255) denote no number; a model that holds one
is refused before it gets here, and `check` refuses it again.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Binary32
open OrderedRing

/-- Bit 31: 1 for negative numbers. -/
def sign (w : Nat) : Nat := w / 2 ^ 31 % 2
/-- Bits 23 to 30: the biased exponent. -/
def exponent (w : Nat) : Nat := w / 2 ^ 23 % 2 ^ 8
/-- Bits 0 to 22: the fraction without its leading one. -/
def fraction (w : Nat) : Nat := w % 2 ^ 23

/-- `2^149` times the absolute value: subnormal for exponent 0, otherwise with the leading one. -/
def magnitude (w : Nat) : Nat :=
  match exponent w with
  | 0 => fraction w
  | e + 1 => (2 ^ 23 + fraction w) * 2 ^ e

/-- `2^149` times the value of the pattern, as an element of the ring. -/
def scaled {K : Type u} [OrderedRing K] (w : Nat) : K :=
  match sign w with
  | 0 => natural (magnitude w)
  | _ + 1 => -natural (magnitude w)

end Binary32
end PytestTorchLean
