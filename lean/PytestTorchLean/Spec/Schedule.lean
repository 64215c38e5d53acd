prelude
import PytestTorchLean.Spec.Arithmetic
import PytestTorchLean.Spec.Graph
/-!
# Schedules: how a sum of products may be computed, on bit patterns

A row of a matrix product is a list of pairs: the pattern of a weight and the pattern of an input. A schedule
says in which order and grouping the products are rounded and added. Thm/Schedules proves that what each of
them computes is among the executions of the specification (`Sums`), unless an operation overflowed.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Binary32
open OrderedRing

/-- The evaluator's schedule: `acc := acc + w * x`, product and sum rounded, from `acc` on, in order. It
    starts with `acc = 0`. -/
def sequential (acc : Nat) : List (Nat × Nat) → Nat
  | [] => acc
  | pair :: rest => sequential (add acc (mul pair.fst pair.snd)) rest

/-- The same with fused multiply-adds: `w * x + acc` is rounded once. -/
def fused (acc : Nat) : List (Nat × Nat) → Nat
  | [] => acc
  | pair :: rest => fused (fma pair.fst pair.snd acc) rest

/-- Any grouping: pairwise sums, blocks, several accumulators, fused or not, or both. -/
inductive Grouping where
  | product (pair : Nat × Nat)
  | sum (left right : Grouping)
  | multiplyAdd (pair : Nat × Nat) (rest : Grouping)

/-- What a grouping computes. -/
def Grouping.run : Grouping → Nat
  | .product pair => mul pair.fst pair.snd
  | .sum left right => add left.run right.run
  | .multiplyAdd pair rest => fma pair.fst pair.snd rest.run

/-- The pairs that a grouping multiplies, from left to right. -/
def Grouping.pairs : Grouping → List (Nat × Nat)
  | .product pair => [pair]
  | .sum left right => joined left.pairs right.pairs
  | .multiplyAdd pair rest => pair :: rest.pairs

/-- `terms` are the exact products of the pairs, in units of `2^-149`: `t = w * x * 2^149`. The patterns
    denote `2^149 * w` and `2^149 * x`, hence the factor. -/
def Products {K : Type u} [OrderedRing K] : List (Nat × Nat) → List K → Prop
  | [], [] => True
  | pair :: pairs, t :: terms =>
    natural (2 ^ 149) * t = scaled pair.fst * scaled pair.snd ∧ Products pairs terms
  | _, _ => False

end Binary32

/-- The pairs of a row at a position, when slot `i` holds the number of pattern `bits i`. -/
def Affine.pairs (a : Affine) (bits : Nat → Nat) (position row : Nat) : List (Nat × Nat) :=
  listed a.lanes fun lane => listed a.laneColumns fun column =>
    [Prod.mk (a.pattern row lane column) (bits (a.source position lane column))]

/-- The pairs of a result of a bilinear node. -/
def Bilinear.pairs (bits : Nat → Nat) (terms sources i : Nat) : List (Nat × Nat) :=
  listed terms fun k =>
    [Prod.mk (bits (word sources (2 * (k + terms * i)))) (bits (word sources (2 * (k + terms * i) + 1)))]

/-! ### What the evaluator does with a graph -/

namespace Node
open Binary32
/-- The patterns in the slots from `start` on are the evaluator's results for the node. The products of a row
    are added in the order of its columns or in another one that is fixed by the operation; an average divides
    by its exactly represented divisor. Nothing is said of graphs with smooth activations. -/
def Evaluates (bits : Nat → Nat) (start : Nat) : Node → Prop
  | .affine a => ∀ position row, position < a.positions → row < a.rows →
      ∃ pair pairs, Reordered (a.pairs bits position row) (pair :: pairs) ∧
        ((a.divisor = 1 ∧ bits (start + (row + a.rows * position)) = sequential 0 (pair :: pairs)) ∨
          ∃ y, y < infinity ∧ magnitude y = 2 ^ 149 * a.divisor ∧ 1 < a.divisor ∧
            bits (start + (row + a.rows * position)) = div (sequential 0 (pair :: pairs)) y)
  | .relu first count => ∀ i, i < count → bits (start + i) = Binary32.relu (bits (first + i))
  | .maximum count sources => ∀ i, i < count →
      bits (start + i) = Binary32.maximum (bits (word sources (2 * i))) (bits (word sources (2 * i + 1)))
  | .minimum count sources => ∀ i, i < count →
      bits (start + i) = Binary32.minimum (bits (word sources (2 * i))) (bits (word sources (2 * i + 1)))
  | .curve _ _ _ => False
  | .bilinear count terms sources => ∀ i, i < count →
      ∃ pair pairs, Reordered (Bilinear.pairs bits terms sources i) (pair :: pairs) ∧
        bits (start + i) = sequential 0 (pair :: pairs)
  | .quotient _ _ => False
end Node

/-- The evaluator's results of a list of nodes, the first one's in the slots from `start` on. -/
def NodesEvaluate (bits : Nat → Nat) : Nat → List Node → Prop
  | _, [] => True
  | start, node :: rest => node.Evaluates bits start ∧ NodesEvaluate bits (start + node.size) rest

/-- `bits` holds the patterns of all slots after the evaluator ran the graph without overflow. -/
structure Graph.Evaluates (g : Graph) (bits : Nat → Nat) : Prop where
  zero : bits 0 = 0
  one : bits 1 = 0x3F800000
  finite : ∀ i, Binary32.exponent (bits i) < 255 ∧ bits i < 2 ^ 32
  nodes : NodesEvaluate bits (2 + g.inputs) g.nodes

end PytestTorchLean
