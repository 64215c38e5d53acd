prelude
import PytestTorchLean.Spec.Rounding
/-!
# Binary32 arithmetic on bit patterns

IEEE-754 operations that compute: 32-bit patterns in, pattern out. The result of finite operands is the
rounding of the exact result, as each definition shows in its last line; infinities, zeros and NaN follow the
standard, and every NaN that comes out is `quietNaN`. Subnormal numbers are never flushed to zero.

Thm/Arithmetic, SquareRoot, Comparison and Conversion prove each operation equal to the rounding of the exact
result in an ordered ring; a test runs these definitions against the Python evaluator, bit for bit.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Binary32

/-! ### Kinds of numbers -/

def isFinite (x : Nat) : Bool := Nat.ble (exponent x + 1) 255
def isInfinite (x : Nat) : Bool := and (Nat.beq (exponent x) 255) (Nat.beq (fraction x) 0)
def isNaN (x : Nat) : Bool := and (Nat.beq (exponent x) 255) (not (Nat.beq (fraction x) 0))
/-- `0` or `-0` -/
def isZero (x : Nat) : Bool := Nat.beq (x % 2 ^ 31) 0
/-- Infinity or zero with a sign. -/
def signedInfinity (s : Nat) : Nat := 2 ^ 31 * s + infinity
def signedZero (s : Nat) : Nat := 2 ^ 31 * s

/-! ### Exact sums and products of numbers given by sign and magnitude -/

/-- The sign of a sum. An exact zero is positive unless both terms are negative. -/
def sumSign (s a t b : Nat) : Nat := cond (Nat.beq s t) s (cond (Nat.beq a b) 0 (cond (Nat.ble b a) s t))
def sumMagnitude (s a t b : Nat) : Nat := cond (Nat.beq s t) (a + b) (distance a b)
/-- The sign of a product or quotient. -/
def productSign (x y : Nat) : Nat := cond (Nat.beq (sign x) (sign y)) 0 1

/-! ### Operations -/

def negate (x : Nat) : Nat := cond (isNaN x) quietNaN (cond (Nat.beq (sign x) 0) (2 ^ 31 + x) (x - 2 ^ 31))
def absolute (x : Nat) : Nat := cond (isNaN x) quietNaN (x % 2 ^ 31)

/-- `x + y` -/
def add (x y : Nat) : Nat :=
  cond (or (isNaN x) (isNaN y)) quietNaN <|
  cond (isInfinite x) (cond (and (isInfinite y) (not (Nat.beq (sign x) (sign y)))) quietNaN x) <|
  cond (isInfinite y) y <|
  round (sumSign (sign x) (magnitude x) (sign y) (magnitude y))
    (sumMagnitude (sign x) (magnitude x) (sign y) (magnitude y)) 1

/-- `x - y` -/
def sub (x y : Nat) : Nat := add x (negate y)

/-- `x * y`; a product of two numbers of units is a number of units times `2^149`. -/
def mul (x y : Nat) : Nat :=
  cond (or (isNaN x) (isNaN y)) quietNaN <|
  cond (or (isInfinite x) (isInfinite y))
    (cond (or (isZero x) (isZero y)) quietNaN (signedInfinity (productSign x y))) <|
  round (productSign x y) (magnitude x * magnitude y) (2 ^ 149)

/-- `x / y` -/
def div (x y : Nat) : Nat :=
  cond (or (isNaN x) (isNaN y)) quietNaN <|
  cond (isInfinite x) (cond (isInfinite y) quietNaN (signedInfinity (productSign x y))) <|
  cond (isInfinite y) (signedZero (productSign x y)) <|
  cond (isZero y) (cond (isZero x) quietNaN (signedInfinity (productSign x y))) <|
  round (productSign x y) (2 ^ 149 * magnitude x) (magnitude y)

/-- `x * y + z` with one rounding -/
def fma (x y z : Nat) : Nat :=
  cond (or (isNaN x) (or (isNaN y) (isNaN z))) quietNaN <|
  cond (or (isInfinite x) (isInfinite y))
    (cond (or (or (isZero x) (isZero y)) (and (isInfinite z) (not (Nat.beq (productSign x y) (sign z)))))
        quietNaN (signedInfinity (productSign x y))) <|
  cond (isInfinite z) z <|
  round (sumSign (productSign x y) (magnitude x * magnitude y) (sign z) (2 ^ 149 * magnitude z))
    (sumMagnitude (productSign x y) (magnitude x * magnitude y) (sign z) (2 ^ 149 * magnitude z)) (2 ^ 149)

/-- The largest number whose square is at most `n`, two bits of `n` at a time; `steps` bounds their number. -/
def squareRootBitwise : Nat → Nat → Nat
  | 0, _ => 0
  | steps + 1, n =>
    let half := 2 * squareRootBitwise steps (n / 4)
    cond (Nat.ble ((half + 1) * (half + 1)) n) (half + 1) half
/-- Newton's iteration from `x` down, while it descends. -/
def newton (n : Nat) : Nat → Nat → Nat
  | 0, x => x
  | steps + 1, x => cond (Nat.ble x ((x + n / x) / 2)) x (newton n steps ((x + n / x) / 2))
/-- The largest number whose square is at most `n`, for `n` below `4^256`: Newton's, if it is right, which is
    checked. -/
def squareRoot (n : Nat) : Nat :=
  let x := newton n 12 (2 ^ (Nat.log2 n / 2 + 1))
  cond (and (Nat.ble (x * x) n) (Nat.ble (n + 1) ((x + 1) * (x + 1)))) x (squareRootBitwise 256 n)

/-- The square root of `n / 2^149`, rounded. In units it is the root of `2^149 * n`. Twice that, `t` or
    between `t` and `t + 1`, lies on the same side of every midpoint of two numbers as `t` or `t + 1/2`. -/
def roundRoot (n : Nat) : Nat :=
  let t := squareRoot (4 * (2 ^ 149 * n))
  roundMagnitude (2 * t + cond (Nat.beq (t * t) (4 * (2 ^ 149 * n))) 0 1) 4

/-- The square root of `x`. -/
def sqrt (x : Nat) : Nat :=
  cond (isNaN x) quietNaN <|
  cond (isZero x) x <|
  cond (Nat.beq (sign x) 1) quietNaN <|
  cond (isInfinite x) x <|
  roundRoot (magnitude x)

/-! ### Comparison and selection -/

/-- `x < y`; false if one is NaN. Patterns are in the order of their magnitudes. -/
def lt (x y : Nat) : Bool :=
  and (not (or (isNaN x) (isNaN y))) <|
  cond (Nat.beq (sign x) 0)
    (and (Nat.beq (sign y) 0) (Nat.ble (x % 2 ^ 31 + 1) (y % 2 ^ 31)))
    (cond (Nat.beq (sign y) 0) (not (and (isZero x) (isZero y))) (Nat.ble (y % 2 ^ 31 + 1) (x % 2 ^ 31)))
/-- `x = y`; false if one is NaN. -/
def eq (x y : Nat) : Bool := and (not (or (isNaN x) (isNaN y))) (or (Nat.beq x y) (and (isZero x) (isZero y)))
/-- `x ≤ y`; false if one is NaN. -/
def le (x y : Nat) : Bool := or (lt x y) (eq x y)

/-- ONNX Relu: 0 for negative numbers, otherwise `x` itself, also `-0`. -/
def relu (x : Nat) : Nat := cond (isNaN x) quietNaN (cond (lt x 0) 0 x)
/-- The larger one, the second if they are equal; NaN if one is. -/
def maximum (x y : Nat) : Nat := cond (or (isNaN x) (isNaN y)) quietNaN (cond (lt y x) x y)
/-- The smaller one, the second if they are equal; NaN if one is. -/
def minimum (x y : Nat) : Nat := cond (or (isNaN x) (isNaN y)) quietNaN (cond (lt x y) x y)

/-! ### 32-bit integers, in two's complement -/

/-- The absolute value of an integer's pattern. -/
def int32Magnitude (i : Nat) : Nat := cond (Nat.beq (sign i) 0) i (2 ^ 32 - i)
/-- The binary32 number nearest to an integer. -/
def ofInt32 (i : Nat) : Nat := round (sign i) (2 ^ 149 * int32Magnitude i) 1
/-- The integer part of a number. IEEE-754 leaves open what NaN and numbers out of range give; here it is
    `-2^31`, as on x86. -/
def toInt32 (x : Nat) : Nat :=
  let whole := magnitude x / 2 ^ 149
  cond (and (isFinite x) (Nat.ble whole (2 ^ 31 - 1)))
    (cond (or (Nat.beq (sign x) 0) (Nat.beq whole 0)) whole (2 ^ 32 - whole)) (2 ^ 31)

end Binary32
end PytestTorchLean
