prelude
import PytestTorchLean.Spec.Binary32
import PytestTorchLean.Spec.Packing
/-!
# The meaning of a graph, of a region and of a property

A graph is a list of nodes that write consecutive *slots*. Slot 0 holds 0, slot 1 holds 1, the
inputs follow from slot 2 on, then the outputs of the nodes in their order. An execution is an
assignment of ring elements to all slots that satisfies the equation of every node: divisions are
stated by their defining equations (`9 * y = x0 + ... + x8`), so every ordered ring will do. Over
the real numbers the equations have exactly one solution for given inputs: the exact value of the
network on its stored binary32 weights.

Weights are the model file's own 32-bit patterns, packed into one natural number.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

/-- `f 0 + ... + f (n - 1)` -/
def sum {K : Type u} [OrderedRing K] : (n : Nat) → (Nat → K) → K
  | 0, _ => 0
  | n + 1, f => f 0 + sum n (fun i => f (i + 1))

/-- One matrix of binary32 weights, applied at one or more positions (a convolution has one position
    per output pixel). The columns are stored in `lanes` interleaved groups of `laneColumns`. -/
structure Affine where
  rows : Nat
  lanes : Nat
  laneColumns : Nat
  /-- the weights' bit patterns, `lanes * laneColumns * rows` words -/
  weights : Nat
  positions : Nat
  /-- the slots that each position reads, `positions * lanes * laneColumns` words -/
  sources : Nat
  /-- 1, or the number of averaged elements -/
  divisor : Nat

namespace Affine
def columns (a : Affine) : Nat := a.lanes * a.laneColumns
/-- The bit pattern of the weight of column `laneColumns * lane + column` in row `row`. -/
def pattern (a : Affine) (row lane column : Nat) : Nat :=
  word a.weights (lane + a.lanes * (row + a.rows * column))
/-- The slot that a column of a position reads. -/
def source (a : Affine) (position lane column : Nat) : Nat :=
  word a.sources (column + a.laneColumns * (lane + a.lanes * position))
/-- `2^149` times (row `row` of the matrix times the sources of `position`). -/
def form {K : Type u} [OrderedRing K] (a : Affine) (slots : Nat → K) (position row : Nat) : K :=
  sum a.lanes fun lane => sum a.laneColumns fun column =>
    Binary32.scaled (a.pattern row lane column) * slots (a.source position lane column)
end Affine

inductive Node where
  /-- `divisor * y = weights * x` at every position; `positions * rows` slots -/
  | affine (a : Affine)
  /-- `y = max(x, 0)` of `count` consecutive slots from `first` on -/
  | relu (first count : Nat)

/-- `y = max(x, 0)` -/
def IsRelu {K : Type u} [OrderedRing K] (x y : K) : Prop := (0 ≤ x ∧ y = x) ∨ (x ≤ 0 ∧ y = 0)

namespace Node
/-- Number of slots a node writes. -/
def size : Node → Nat
  | .affine a => a.positions * a.rows
  | .relu _ count => count
/-- The equation of a node whose first slot is `start`. -/
def Holds {K : Type u} [OrderedRing K] (slots : Nat → K) (start : Nat) : Node → Prop
  | .affine a => ∀ position row, position < a.positions → row < a.rows →
      natural (a.divisor * 2 ^ 149) * slots (start + (row + a.rows * position)) = a.form slots position row
  | .relu first count => ∀ i, i < count → IsRelu (slots (first + i)) (slots (start + i))
end Node

/-- Every node's equation, the first node's outputs starting at slot `start`. -/
def NodesHold {K : Type u} [OrderedRing K] (slots : Nat → K) : Nat → List Node → Prop
  | _, [] => True
  | start, node :: rest => node.Holds slots start ∧ NodesHold slots (start + node.size) rest

structure Graph where
  /-- number of input elements -/
  inputs : Nat
  nodes : List Node

/-- `slots` is an execution of the graph. -/
def Executes {K : Type u} [OrderedRing K] (g : Graph) (slots : Nat → K) : Prop :=
  slots 0 = 0 ∧ slots 1 = 1 ∧ NodesHold slots (2 + g.inputs) g.nodes

/-- A box of rationals: input i lies between `(lower_i - offset) / denominator` and
    `(upper_i - offset) / denominator`, where lower_i and upper_i are digits of `width` bits. -/
structure Box where
  denominator : Nat
  offset : Nat
  width : Nat
  lower : Nat
  upper : Nat

/-- The inputs lie in the box. -/
def Box.Holds {K : Type u} [OrderedRing K] (b : Box) (inputs : Nat) (slots : Nat → K) : Prop :=
  ∀ i, i < inputs →
    natural (digit b.width b.lower i) ≤ natural b.denominator * slots (2 + i) + natural b.offset ∧
    natural b.denominator * slots (2 + i) + natural b.offset ≤ natural (digit b.width b.upper i)

/-- Linear inequalities: every row of the form is positive (`strict`) or not negative. -/
structure Property where
  forms : Affine
  strict : Bool

def Property.Holds {K : Type u} [OrderedRing K] (p : Property) (slots : Nat → K) : Prop :=
  ∀ row, row < p.forms.rows →
    match p.strict with
    | true => 0 < p.forms.form slots 0 row
    | false => 0 ≤ p.forms.form slots 0 row

end PytestTorchLean
