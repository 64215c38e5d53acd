prelude
import PytestTorchLean.Approximation.Network
/-!
# The approximating network

For a table of naturals `value`, one for each point of a grid, the network computes

    (max over the grid points c of value c - valueShift - |X 0 - c 0| - ... - |X (d-1) - c (d-1)|) /
    2^(outputBits * outputSteps)

where `X i = 2^(inputBits * inputSteps) * x i + shift`. The grid has `2^gridBits` coordinates in each
direction; the digits of `p` in base `2^gridBits` say which of them point `p` has. If the table holds the
values of a function that changes by at most the distance, this is McShane's extension of the table
(Approximation/Lipschitz).

Layers: scale the inputs, and 1 with them; form the constants of the table; `X i - c` and `c - X i` for every
coordinate of the grid; ReLU, so that their sum is the absolute value; one piece for each grid point; maxima
in pairs by `max(a, b) = relu(a - b) + b`; scale the output. All weights are 1, -1, two powers of two and the
digits of the table.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Approximation

/-! ### Patterns -/

/-- The pattern of `2^(field - 127)`. -/
def power (field : Nat) : Nat := Nat.mul field 0x800000
def one : Nat := 0x3F800000
def minusOne : Nat := 0xBF800000
/-- The pattern of a natural number below `2^24`. -/
def whole (n : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.beq n 0)
    (Nat.add (Nat.mul 0x800000 (Nat.add 126 (Nat.log2 n))) (Nat.mul n (Nat.pow 2 (Nat.sub 23 (Nat.log2 n)))))
      0

/-! ### Layers -/

/-- Each of `count` slots from `first` on, times one weight. -/
def scale (weight count first : Nat) : Layer :=
  .affine ⟨1, 1, fun _ _ => weight, count, fun position _ => first + position⟩
/-- The same again and again, each time of what the last one wrote; the first reads the `count` slots before
    its own. -/
def scaling (weight count : Nat) : (steps first : Nat) → List Layer
  | 0, _ => []
  | steps + 1, first => scale weight count first :: scaling weight count steps (first + count)

/-- The number `n` for each row, from its digits: column `k` is digit `k` times the slot that holds
    `2^(bits * k)`. -/
def constants (bits digits stride count : Nat) (n : Nat → Nat) : Layer :=
  .affine ⟨count, digits, fun row column => whole (digit bits (n row) column), 1,
      fun _ column => 1 + column * stride⟩

/-- 1, 1, -1 in row 0; the opposite in row 1. -/
def differenceWeight (row column : Nat) : Nat := cond (Nat.beq row (cond (Nat.beq column 2) 1 0)) one minusOne
/-- `X i + shift - c` and its opposite, for coordinate `c` of input `i` at position `c + side * i`. -/
def differences (inputs side scaled shift grid : Nat) : Layer :=
  .affine ⟨2, 3, differenceWeight, side * inputs, fun position column =>
    cond (Nat.beq column 0) (scaled + position / side)
      (cond (Nat.beq column 1) shift (grid + position % side))⟩

/-- 1, then -1. -/
def pieceWeight (_ column : Nat) : Nat := cond (Nat.beq column 0) one minusOne
/-- The ReLUs of `X i - c` for the coordinates of a grid point: both signs, one input after the other. -/
def absolutePart (bits point relus k : Nat) : Nat :=
  relus + (k % 2 + 2 * (digit bits point (k / 2) + 2 ^ bits * (k / 2)))
/-- `value - shift - (both ReLUs of each coordinate)` for each grid point. -/
def pieces (inputs bits values shift relus : Nat) : Layer :=
  .affine ⟨1, 2 + 2 * inputs, pieceWeight, 2 ^ (bits * inputs), fun point column =>
    cond (Nat.beq column 0) (values + point)
      (cond (Nat.beq column 1) shift (absolutePart bits point relus (column - 2)))⟩

/-- `a - b`, where the `a` are `count` slots from `first` on and the `b` the next ones. -/
def pairDifferences (count first : Nat) : Layer :=
  .affine ⟨1, 2, pieceWeight, count, fun position column => first + (position + count * column)⟩
/-- `relu(a - b) + b` -/
def pairMaxima (count first : Nat) : Layer :=
  .affine
    ⟨1, 2, fun _ _ => one, count, fun position column => first + (count + (position + 2 * count * column))⟩
/-- The maxima of `a` and `b` at once. -/
def directMaxima (count first : Nat) : Layer := .maximum count fun i side => first + (i + count * side)
/-- One round: the maxima of `2 * count` slots from `first` on, in pairs, by ReLUs or by maximum nodes. -/
def round (byRelu : Bool) (count first : Nat) : List Layer :=
  cond byRelu [pairDifferences count first, .relu (first + 2 * count) count, pairMaxima count first]
    [directMaxima count first]
/-- Slots from the first number of a round to its first maximum, for each maximum. -/
def stride (byRelu : Bool) : Nat := cond byRelu 4 2
/-- The maximum of `2^levels` slots from `first` on, in `levels` rounds. -/
def maximum (byRelu : Bool) : (levels first : Nat) → List Layer
  | 0, _ => []
  | levels + 1, first =>
    joined (round byRelu (2 ^ levels) first) (maximum byRelu levels (first + stride byRelu * 2 ^ levels))
/-- The slot of that maximum. -/
def peak (byRelu : Bool) : (levels first : Nat) → Nat
  | 0, first => first
  | levels + 1, first => peak byRelu levels (first + stride byRelu * 2 ^ levels)

/-! ### The network -/

structure Table where
  inputs : Nat
  /-- 1 and the inputs are multiplied by `2^inputBits`, `steps` times -/
  inputBits : Nat
  steps : Nat
  /-- of these, what the grid's unit is: `2^(inputBits * inputSteps)` units in 1 -/
  inputSteps : Nat
  /-- digits of `inputBits` bits that the constants have -/
  digits : Nat
  /-- the grid has `2^gridBits` coordinates for each input -/
  gridBits : Nat
  /-- the grid's coordinates, the same for every input -/
  coordinate : Nat → Nat
  /-- what is added to the scaled inputs -/
  shift : Nat
  /-- what is subtracted from the values -/
  valueShift : Nat
  /-- the value at a grid point -/
  value : Nat → Nat
  /-- maxima by ReLUs; otherwise by maximum nodes -/
  byRelu : Bool
  /-- the output is divided by `2^outputBits`, `outputSteps` times -/
  outputBits : Nat
  outputSteps : Nat

namespace Table
def side (t : Table) : Nat := 2 ^ t.gridBits
def points (t : Table) : Nat := 2 ^ (t.gridBits * t.inputs)
/-- The constants: the grid's coordinates, the two shifts, the values. -/
def constant (t : Table) (k : Nat) : Nat :=
  cond (Nat.ble (k + 1) t.side) (t.coordinate k)
    (cond (Nat.beq k t.side) t.shift
        (cond (Nat.beq k (t.side + 1)) t.valueShift (t.value (k - (t.side + 2)))))
def constantCount (t : Table) : Nat := t.side + 2 + t.points

/-! First slots of what the layers write. -/
/-- Of the inputs, scaled. -/
def firstScaled (t : Table) : Nat := 1 + t.inputSteps * (1 + t.inputs) + 1
def firstConstant (t : Table) : Nat := 1 + (1 + t.inputs) + t.steps * (1 + t.inputs)
def firstDifference (t : Table) : Nat := t.firstConstant + t.constantCount
def firstRelu (t : Table) : Nat := t.firstDifference + t.side * t.inputs * 2
def firstPiece (t : Table) : Nat := t.firstRelu + t.side * t.inputs * 2
def lastPiece (t : Table) : Nat := peak t.byRelu (t.gridBits * t.inputs) t.firstPiece

def network (t : Table) : Network where
  inputs := t.inputs
  layers := joined (scaling (power (127 + t.inputBits)) (1 + t.inputs) t.steps 1) <|
    constants t.inputBits t.digits (1 + t.inputs) t.constantCount t.constant ::
    differences t.inputs t.side t.firstScaled (t.firstConstant + t.side) t.firstConstant ::
    .relu t.firstDifference (t.side * t.inputs * 2) ::
    pieces t.inputs t.gridBits (t.firstConstant + (t.side + 2)) (t.firstConstant + (t.side + 1)) t.firstRelu
      ::
    joined (maximum t.byRelu (t.gridBits * t.inputs) t.firstPiece)
      (scaling (power (127 - t.outputBits)) 1 t.outputSteps t.lastPiece)
/-- The slot of the network's output, the last one. -/
def output (t : Table) : Nat := t.lastPiece + t.outputSteps
end Table

end Approximation
end PytestTorchLean
