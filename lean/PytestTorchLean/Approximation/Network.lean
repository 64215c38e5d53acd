prelude
import PytestTorchLean.Check.Packed
import PytestTorchLean.Spec.Graph
/-!
# ReLU networks before packing

A `Graph` holds its weights and wiring as packed numbers, which a kernel reads quickly and a proof slowly. A
`Network` holds the same as functions and means the same: `Network.graph` packs it, and Approximation/Lowering
proves that every execution of the packed graph is one of the network.

A graph names slots by 32 bits. A network knows no such limit, so it is what a theorem about every precision
has to speak of; `Network.Fits` says that the graph can hold it.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Approximation

/-- One matrix of binary32 patterns, applied at one or more positions. -/
structure Wiring where
  rows : Nat
  columns : Nat
  /-- the pattern in a row and column -/
  weight : Nat → Nat → Nat
  positions : Nat
  /-- the slot that a position reads for a column -/
  source : Nat → Nat → Nat

/-- Affine maps and ReLUs, and maxima of two slots, which are ReLUs: `max(a, b) = relu(a - b) + b`. -/
inductive Layer where
  | affine (w : Wiring)
  | relu (first count : Nat)
  /-- `source i side` is the slot of one side of the `i`-th maximum -/
  | maximum (count : Nat) (source : (i side : Nat) → Nat)

/-- Layers that write one slot after the other, behind slot 0 (holds 0), slot 1 (holds 1) and the inputs. -/
structure Network where
  inputs : Nat
  layers : List Layer

namespace Wiring
/-- A row times the slots that a position reads, in units of `2^-149`. -/
def form {K : Type u} [OrderedRing K] (w : Wiring) (slots : Nat → K) (position row : Nat) : K :=
  sum w.columns fun column => Binary32.scaled (w.weight row column) * slots (w.source position column)

/-! The checker reads matrices in lanes: `lanes` interleaved groups of columns, filled up with zeros. -/
def lanes : Nat := 4
def laneColumns (w : Wiring) : Nat := (w.columns + 3) / 4
def paddedWeight (w : Wiring) (row column : Nat) : Nat :=
  cond (Nat.ble (column + 1) w.columns) (w.weight row column) 0
def paddedSource (w : Wiring) (position column : Nat) : Nat :=
  cond (Nat.ble (column + 1) w.columns) (w.source position column) 0
/-- The wiring with weights and slots packed into words. -/
def affine (w : Wiring) : Affine where
  rows := w.rows
  lanes := lanes
  laneColumns := w.laneColumns
  weights := pack 32 (lanes * (w.rows * w.laneColumns))
    fun k => w.paddedWeight (k / lanes % w.rows) (w.laneColumns * (k % lanes) + k / lanes / w.rows)
  positions := w.positions
  sources := pack 32 (w.laneColumns * lanes * w.positions)
    fun k => w.paddedSource (k / (w.laneColumns * lanes)) (k % (w.laneColumns * lanes))
  divisor := 1

/-- What a row's result may be: exactly its form, or whatever the packed matrix may give in binary32. -/
def Computes {K : Type u} [OrderedRing K] (m : Semantics) (w : Wiring) (slots : Nat → K) (position row : Nat)
    (y : K) : Prop :=
  match m with
  | .real => natural (2 ^ 149) * y = w.form slots position row
  | .binary32 => w.affine.Computes .binary32 slots position row y
end Wiring

namespace Layer
/-- The number of slots a layer writes. -/
def size : Layer → Nat
  | .affine w => w.positions * w.rows
  | .relu _ count => count
  | .maximum count _ => count
/-- What a layer whose first slot is `start` demands of an execution. -/
def Holds {K : Type u} [OrderedRing K] (m : Semantics) (slots : Nat → K) (start : Nat) : Layer → Prop
  | .affine w => ∀ position row, position < w.positions → row < w.rows →
      w.Computes m slots position row (slots (start + (row + w.rows * position)))
  | .relu first count => ∀ i, i < count → IsRelu (slots (first + i)) (slots (start + i))
  | .maximum count source =>
    ∀ i, i < count → IsMaximum (slots (source i 0)) (slots (source i 1)) (slots (start + i))
def node : Layer → Node
  | .affine w => .affine w.affine
  | .relu first count => .relu first count
  | .maximum count source => .maximum count (pack 32 (2 * count) fun k => source (k / 2) (k % 2))
/-- Every weight is a word, and every slot that is read has been written, before slot `start`. -/
def ReadsBelow (start : Nat) : Layer → Prop
  | .affine w => (∀ row column, row < w.rows → column < w.columns → w.weight row column < 2 ^ 32) ∧
      ∀ position column, position < w.positions → column < w.columns → w.source position column < start
  | .relu first count => ∀ i, i < count → first + i < start
  | .maximum count source => ∀ i side, i < count → side < 2 → source i side < start
end Layer

/-- Every layer is obeyed, the first one's outputs starting at slot `start`. -/
def LayersHold {K : Type u} [OrderedRing K] (m : Semantics) (slots : Nat → K) : Nat → List Layer → Prop
  | _, [] => True
  | start, layer :: rest => layer.Holds m slots start ∧ LayersHold m slots (start + layer.size) rest
/-- The slots written by the layers. -/
def written : List Layer → Nat
  | [] => 0
  | layer :: rest => layer.size + written rest
/-- Every layer reads what the ones before it have written. -/
def InOrder : Nat → List Layer → Prop
  | _, [] => True
  | start, layer :: rest => layer.ReadsBelow start ∧ InOrder (start + layer.size) rest
def nodes : List Layer → List Node
  | [] => []
  | layer :: rest => layer.node :: nodes rest

namespace Network
/-- The number of slots: 0, 1, the inputs, and every result. -/
def slots (n : Network) : Nat := 2 + n.inputs + written n.layers
/-- `values` is an execution of the network. -/
def Executes {K : Type u} [OrderedRing K] (m : Semantics) (n : Network) (values : Nat → K) : Prop :=
  values 0 = 0 ∧ values 1 = 1 ∧ LayersHold m values (2 + n.inputs) n.layers
/-- The network as the checker takes it. -/
def graph (n : Network) : Graph := ⟨n.inputs, nodes n.layers⟩
/-- The last slot. -/
def output (n : Network) : Nat := n.slots - 1
/-- The graph can name every slot. -/
def Fits (n : Network) : Prop := n.slots ≤ 2 ^ 32
end Network

end Approximation
end PytestTorchLean
