prelude
import PytestTorchLean.Spec.Graph
/-!
# Claims

A claim says of one property that every execution of the graph on every input of each listed box has
it. This is what a user's property becomes, and what the theorem of a certificate states.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
open OrderedRing

/-- `p` holds of every element of the list. -/
def Every {α : Type v} (p : α → Prop) : List α → Prop
  | [] => True
  | a :: rest => p a ∧ Every p rest

structure Claim where
  property : Property
  boxes : List Box

/-- For every input of every box: whatever the graph computes has the property, and no operation overflows. -/
def Claim.Holds (K : Type u) [OrderedRing K] (m : Semantics) (g : Graph) (c : Claim) : Prop :=
  Every (fun box : Box => ∀ slots : Nat → K, Executes m g slots → box.Contains m g.inputs slots →
    c.property.Holds slots ∧ NodesFinite m slots g.nodes) c.boxes

end PytestTorchLean
