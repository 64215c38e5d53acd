prelude
import PytestTorchLean.Core
/-!
# Many numbers in one

Weights, slot numbers and boxes are long lists of short numbers. Each list is one natural number whose
digits in a power of two are the list.
-/
set_option linter.all false
namespace PytestTorchLean

/-- The `index`-th 32-bit word of a packed number. -/
def word (packed index : Nat) : Nat := packed / 2 ^ (32 * index) % 2 ^ 32

/-- The `index`-th digit of `width` bits. -/
def digit (width packed index : Nat) : Nat := packed / 2 ^ (width * index) % 2 ^ width

/-- `low` with `high` above its lowest `bits` bits. Long numbers are written so, piece by piece. -/
def join (bits low high : Nat) : Nat := Nat.add low (Nat.mul (Nat.pow 2 bits) high)

end PytestTorchLean
