prelude
import PytestTorchLean.Spec.Binary32
import PytestTorchLean.Spec.Curve
import PytestTorchLean.Spec.Packing
import PytestTorchLean.Spec.Summation
/-!
# The meaning of a graph, of a region and of a property

A graph is a list of nodes that write consecutive *slots*. Slot 0 holds 0, slot 1 holds 1, the
inputs follow from slot 2 on, then the outputs of the nodes in their order. An execution is an
assignment of ring elements to all slots that satisfies every node. There are two meanings of a node:

- `real`: exact arithmetic. Divisions are stated by their defining equations (`9 * y = x0 + ... + x8`),
  so every ordered ring will do. Over the real numbers the equations have exactly one solution for given
  inputs: the exact value of the network on its stored binary32 weights.
- `binary32`: whatever a runtime may compute in binary32. Every row's products may be summed in any order
  and grouping, with fused multiply-adds or without (Spec/Summation).

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

/-- `f 0`, ..., `f (n - 1)`, one list after the other. -/
def listed {K : Type u} : (n : Nat) → (Nat → List K) → List K
  | 0, _ => []
  | n + 1, f => joined (f 0) (listed n fun i => f (i + 1))

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
/-- The exact products of a row at a position, in units of `2^-149`. -/
def terms {K : Type u} [OrderedRing K] (a : Affine) (slots : Nat → K) (position row : Nat) : List K :=
  listed a.lanes fun lane => listed a.laneColumns fun column =>
    [Binary32.scaled (a.pattern row lane column) * slots (a.source position lane column)]
/-- `2^149` times (row `row` of the matrix times the sources of `position`): the sum of `terms`. -/
def form {K : Type u} [OrderedRing K] (a : Affine) (slots : Nat → K) (position row : Nat) : K :=
  sum a.lanes fun lane => sum a.laneColumns fun column =>
    Binary32.scaled (a.pattern row lane column) * slots (a.source position lane column)
end Affine

/-- Exact arithmetic, or any execution in binary32. -/
inductive Semantics where
  | real
  | binary32

inductive Node where
  /-- `divisor * y = weights * x` at every position; `positions * rows` slots -/
  | affine (a : Affine)
  /-- `y = max(x, 0)` of `count` consecutive slots from `first` on -/
  | relu (first count : Nat)
  /-- `y = max(x, x')`; `sources` holds the slots of `x` and `x'` for one result after the other, in words -/
  | maximum (count sources : Nat)
  /-- `y = min(x, x')`, in the same way -/
  | minimum (count sources : Nat)
  /-- a smooth activation of `count` consecutive slots from `first` on -/
  | curve (function : Curve) (first count : Nat)
  /-- `y = x0 * z0 + x1 * z1 + ...`, sums of `terms` products of two slots; `sources` holds the slots of `x`
      and `z` for one product after the other, for one result after the other, in words -/
  | bilinear (count terms sources : Nat)
  /-- `y = x / z`; `sources` holds the slots of `x` and `z` for one result after the other, in words -/
  | quotient (count sources : Nat)

/-- `y = max(x, 0)` -/
def IsRelu {K : Type u} [OrderedRing K] (x y : K) : Prop := (0 ≤ x ∧ y = x) ∨ (x ≤ 0 ∧ y = 0)
/-- `y = max(x, z)` -/
def IsMaximum {K : Type u} [OrderedRing K] (x z y : K) : Prop := (z ≤ x ∧ y = x) ∨ (x ≤ z ∧ y = z)
/-- `y = min(x, z)` -/
def IsMinimum {K : Type u} [OrderedRing K] (x z y : K) : Prop := (x ≤ z ∧ y = x) ∨ (z ≤ x ∧ y = z)

namespace Bilinear
/-- Product `k` of result `i`. -/
def product {K : Type u} [OrderedRing K] (slots : Nat → K) (terms sources i k : Nat) : K :=
  slots (word sources (2 * (k + terms * i))) * slots (word sources (2 * (k + terms * i) + 1))
/-- The exact products of a result, in units of `2^-149`. -/
def products {K : Type u} [OrderedRing K] (slots : Nat → K) (terms sources i : Nat) : List K :=
  listed terms fun k => [natural (2 ^ 149) * product slots terms sources i k]
/-- What a result may be: the sum of its products, or that sum computed in binary32 in any order. A single
    product is rounded once. -/
def Computes {K : Type u} [OrderedRing K] (m : Semantics) (slots : Nat → K) (terms sources i : Nat) (y : K) :
    Prop :=
  match m with
  | .real => y = sum terms (product slots terms sources i)
  | .binary32 => IsSum (products slots terms sources i) (natural (2 ^ 149) * y)
end Bilinear

namespace Quotient
/-- What `y` may be for `x / z`: `z * y = x`, or that quotient rounded once, stated without a division: half a
    unit in the last place is at most `2^-24 |x / z| + 2^-150`. Where `z` is 0, anything. -/
def Computes {K : Type u} [OrderedRing K] (m : Semantics) (x z y : K) : Prop :=
  ¬ z = 0 → match m with
    | .real => z * y = x
    | .binary32 => ∀ a b, AtMost x a → AtMost z b →
        AtMost (natural (2 ^ 149) * (natural (2 ^ 24) * (z * y - x)))
          (natural (2 ^ 149) * a + natural (2 ^ 23) * b)
/-- The divisor is not 0, and in binary32 the quotient does not overflow: `|2^149 x|` is below the threshold
    times `|z|`. -/
def Defined {K : Type u} [OrderedRing K] (m : Semantics) (x z : K) : Prop :=
  ¬ z = 0 ∧ match m with
    | .real => True
    | .binary32 => natural (2 ^ 149) * x * (natural (2 ^ 149) * x) <
        natural overflowThreshold * z * (natural overflowThreshold * z)
end Quotient

namespace Affine
/-- What a row's result may be. -/
def Computes {K : Type u} [OrderedRing K] (m : Semantics) (a : Affine) (slots : Nat → K) (position row : Nat)
    (y : K) : Prop :=
  match m with
  | .real => natural (a.divisor * 2 ^ 149) * y = a.form slots position row
  | .binary32 =>
    ∃ s, IsSum (a.terms slots position row) s ∧ Divides a.divisor s (natural (2 ^ 149) * y)
end Affine

/-- What a curve's result may be: the exact value, or a number within the budget of it. -/
def Curve.Computes {K : Type u} [OrderedRing K] (m : Semantics) (function : Curve) (e : K → K) (x y : K) :
    Prop :=
  match m with
  | .real => function.At e x y
  | .binary32 => ∃ v, function.At e x v ∧ function.Budget v y

namespace Node
/-- Number of slots a node writes. -/
def size : Node → Nat
  | .affine a => a.positions * a.rows
  | .relu _ count => count
  | .maximum count _ => count
  | .minimum count _ => count
  | .curve _ _ count => count
  | .bilinear count _ _ => count
  | .quotient count _ => count
/-- What a node whose first slot is `start` demands of an execution. Affine and bilinear nodes and curves
    round, the others select. -/
def Holds {K : Type u} [OrderedRing K] (m : Semantics) (slots : Nat → K) (start : Nat) : Node → Prop
  | .affine a => ∀ position row, position < a.positions → row < a.rows →
      a.Computes m slots position row (slots (start + (row + a.rows * position)))
  | .relu first count => ∀ i, i < count → IsRelu (slots (first + i)) (slots (start + i))
  | .maximum count sources => ∀ i, i < count →
      IsMaximum (slots (word sources (2 * i))) (slots (word sources (2 * i + 1))) (slots (start + i))
  | .minimum count sources => ∀ i, i < count →
      IsMinimum (slots (word sources (2 * i))) (slots (word sources (2 * i + 1))) (slots (start + i))
  | .curve function first count => ∃ e : K → K, IsExponential e ∧
      ∀ i, i < count → function.Computes m e (slots (first + i)) (slots (start + i))
  | .bilinear count terms sources =>
    ∀ i, i < count → Bilinear.Computes m slots terms sources i (slots (start + i))
  | .quotient count sources => ∀ i, i < count →
      Quotient.Computes m (slots (word sources (2 * i))) (slots (word sources (2 * i + 1)))
        (slots (start + i))
/-- No operation of the node overflows, in any order of summation, no result of a curve does, every curve is
    defined at its argument, and nothing is divided by 0. Exact arithmetic knows no overflow. -/
def Finite {K : Type u} [OrderedRing K] (m : Semantics) (slots : Nat → K) : Node → Prop
  | .affine a =>
    match m with
    | .real => True
    | .binary32 =>
      ∀ position row, position < a.positions → row < a.rows → NeverOverflows (a.terms slots position row)
  | .curve function first count => (∀ i, i < count → function.Defined (slots (first + i))) ∧
    match m with
    | .real => True
    | .binary32 => ∀ e : K → K, IsExponential e →
        ∀ i, i < count →
          ∀ y, function.Computes .binary32 e (slots (first + i)) y →
            natural (2 ^ 149) * y < natural overflowThreshold ∧
              -(natural (2 ^ 149) * y) < natural overflowThreshold
  | .bilinear count terms sources =>
    match m with
    | .real => True
    | .binary32 => ∀ i, i < count → NeverOverflows (Bilinear.products slots terms sources i)
  | .quotient count sources =>
    ∀ i, i < count → Quotient.Defined m (slots (word sources (2 * i))) (slots (word sources (2 * i + 1)))
  | _ => True
end Node

/-- Every node is obeyed, the first node's outputs starting at slot `start`. -/
def NodesHold {K : Type u} [OrderedRing K] (m : Semantics) (slots : Nat → K) : Nat → List Node → Prop
  | _, [] => True
  | start, node :: rest => node.Holds m slots start ∧ NodesHold m slots (start + node.size) rest

/-- No operation of any node overflows. -/
def NodesFinite {K : Type u} [OrderedRing K] (m : Semantics) (slots : Nat → K) : List Node → Prop
  | [] => True
  | node :: rest => node.Finite m slots ∧ NodesFinite m slots rest

structure Graph where
  /-- number of input elements -/
  inputs : Nat
  nodes : List Node

/-- `slots` is an execution of the graph. -/
def Executes {K : Type u} [OrderedRing K] (m : Semantics) (g : Graph) (slots : Nat → K) : Prop :=
  slots 0 = 0 ∧ slots 1 = 1 ∧ NodesHold m slots (2 + g.inputs) g.nodes

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

/-- The inputs lie in the outward binary32 hull of the box: no binary32 number at or below the lower bound
    is above the input, none at or above the upper bound is below it. Every binary32 number that the box
    is rounded to on entry to the model lies in the hull, also where the box itself contains none. -/
def Box.HullHolds {K : Type u} [OrderedRing K] (b : Box) (inputs : Nat) (slots : Nat → K) : Prop :=
  ∀ i, i < inputs → ∀ w, Binary32.exponent w < 255 →
    (natural b.denominator * (Binary32.scaled w : K) + natural (2 ^ 149 * b.offset) ≤
          natural (2 ^ 149 * digit b.width b.lower i) →
        Binary32.scaled w ≤ natural (2 ^ 149) * slots (2 + i)) ∧
    (natural (2 ^ 149 * digit b.width b.upper i) ≤
          natural b.denominator * (Binary32.scaled w : K) + natural (2 ^ 149 * b.offset) →
        natural (2 ^ 149) * slots (2 + i) ≤ Binary32.scaled w)

/-- The inputs a claim speaks of: the box itself, or its binary32 hull. -/
def Box.Contains {K : Type u} [OrderedRing K] (m : Semantics) (b : Box) (inputs : Nat) (slots : Nat → K) :
    Prop :=
  match m with
  | .real => b.Holds inputs slots
  | .binary32 => b.HullHolds inputs slots

/-- Linear inequalities in clauses of `alternatives` rows each: of every clause at least one row of the form
    is positive (`strict`) or not negative. With one alternative, every row is. A property that is wanted only
    where a form `g` of the inputs is not negative has `-g` as one more alternative of every clause. -/
structure Property where
  forms : Affine
  strict : Bool
  alternatives : Nat

/-- The sign that a property asks for. -/
def Signed {K : Type u} [OrderedRing K] (strict : Bool) (x : K) : Prop :=
  match strict with
  | true => 0 < x
  | false => 0 ≤ x

def Property.Holds {K : Type u} [OrderedRing K] (p : Property) (slots : Nat → K) : Prop :=
  ∀ clause, clause * p.alternatives < p.forms.rows →
    ∃ k, k < p.alternatives ∧ clause * p.alternatives + k < p.forms.rows ∧
      Signed p.strict (p.forms.form slots 0 (clause * p.alternatives + k))

end PytestTorchLean
