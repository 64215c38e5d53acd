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

/-- Eight pieces of `bits` bits each, the lowest first. Long numbers are written so, piece by piece. -/
def join (bits a b c d e f g h : Nat) : Nat :=
  Nat.add a (Nat.shiftLeft (Nat.add b (Nat.shiftLeft (Nat.add c (Nat.shiftLeft (Nat.add d (Nat.shiftLeft
    (Nat.add e (Nat.shiftLeft (Nat.add f (Nat.shiftLeft (Nat.add g (Nat.shiftLeft h bits)) bits)) bits))
                  bits)) bits)) bits)) bits)

end PytestTorchLean
