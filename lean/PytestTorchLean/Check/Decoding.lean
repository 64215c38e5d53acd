prelude
import PytestTorchLean.Check.Ones
import PytestTorchLean.Spec.Graph
/-!
# What it means that weights are decoded

Columns of integers that hold, digit for digit, what the bit patterns of a node's weights denote.
`Check/Decode.lean` computes them, `Check/DecodeColumns.lean` proves that they do.
-/
set_option linter.all false
namespace PytestTorchLean

/-- How the producer wants patterns decoded. It only decides whether `decode` refuses. -/
structure Decoding where
  /-- every exponent field is 0 or at least `base`; above 1 there are no subnormal numbers -/
  base : Nat
  /-- bits of an exponent field relative to `base` -/
  stages : Nat
  /-- the integers are below `2^bits` -/
  bits : Nat

/-- Positive and negative parts of one column of weights, `rows` digits each. -/
structure Column where
  positive : Nat
  negative : Nat

/-- The pattern `w` denotes `2^(base - 1) * (p - n) / 2^149`. -/
def Represents (base w p n : Nat) : Prop :=
  (Binary32.sign w = 0 ∧ Binary32.magnitude w = 2 ^ (base - 1) * p ∧ n = 0) ∨
  (Binary32.sign w = 1 ∧ Binary32.magnitude w = 2 ^ (base - 1) * n ∧ p = 0)

/-- The column holds the decoded weights of column `column` of lane `lane`. -/
def Column.Holds (a : Affine) (d : Decoding) (lane column : Nat) (c : Column) : Prop :=
  ∃ p n : Nat → Nat, c.positive = pack (32 * a.lanes) a.rows p ∧ c.negative = pack (32 * a.lanes) a.rows n ∧
    ∀ i, i < a.rows → p i < 2 ^ d.bits ∧ n i < 2 ^ d.bits ∧
      Represents d.base (a.pattern i lane column) (p i) (n i)

/-- The columns of a lane from `column` on. -/
def LaneHolds (a : Affine) (d : Decoding) (lane : Nat) : Nat → List Column → Prop
  | column, [] => column = a.laneColumns
  | column, c :: rest => c.Holds a d lane column ∧ LaneHolds a d lane (column + 1) rest

/-- The lanes from `lane` on. -/
def LanesHold (a : Affine) (d : Decoding) : Nat → List (List Column) → Prop
  | lane, [] => lane = a.lanes
  | lane, columns :: rest => LaneHolds a d lane 0 columns ∧ LanesHold a d (lane + 1) rest

end PytestTorchLean
