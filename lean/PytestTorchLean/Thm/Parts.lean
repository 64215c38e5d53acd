prelude
import PytestTorchLean.Thm.Soundness
/-!
# One claim, several theorems

A tree of cases may be too large for one theorem: the kernel keeps what it has computed until a theorem is
done. Each part of the tree is then a theorem of its own about the cases on its path, `PartHolds.checked`. Two
parts whose paths differ in the first case, one with the slot at most a value, one with it at least, give the
part without that case, `PartHolds.join`: one of the two always holds. Up to the empty path the parts so
become the claim itself, and `sound_parts` states it as `sound` does.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- Every execution on an input of the box has the property, if the cases on the path hold of it. -/
structure PartHolds (K : Type u) [OrderedRing K] (m : Semantics) (g : Graph) (s : Scale) (p : Property)
    (b : Box) (path : List Case) : Prop where
  holds : ∀ slots : Nat → K, Executes m g slots → b.Contains m g.inputs slots →
    Every (Case.Holds s slots) path → p.Holds slots ∧ NodesFinite m slots g.nodes

/-- An accepted part. -/
theorem PartHolds.checked (K : Type u) [OrderedRing K] {rules : Rules} [Rules.Sound K rules] {m : Semantics}
    {g : Graph} {s : Scale} {p : Property} {b : Box} {path : List Case} {script : Script}
    (h : checkPart rules m g s p b path script = true) :
    PartHolds K m g s p b path :=
  ⟨checkCases_sound (fitting_sound (both_true h).1) m (both_true h).2⟩

/-- Both cases of a slot: together they are everything. -/
theorem PartHolds.join {m : Semantics} {g : Graph} {s : Scale} {p : Property} {b : Box} {slot value : Nat}
    {path : List Case}
    (below : PartHolds K m g s p b (⟨slot, value, true⟩ :: path))
    (above : PartHolds K m g s p b (⟨slot, value, false⟩ :: path)) :
    PartHolds K m g s p b path :=
  ⟨fun slots run inside cases => (le_total (s.image (slots slot)) (natural value)).elim
    (fun h => below.holds slots run inside ⟨h, cases⟩) (fun h => above.holds slots run inside ⟨h, cases⟩)⟩

/-- The property holds of every box of every claim, whatever the case. -/
def PartsHold (K : Type u) [OrderedRing K] (m : Semantics) (g : Graph) (s : Scale) (claims : List Claim) :
    Prop :=
  Every (fun c : Claim => Every (fun b => PartHolds K m g s c.property b []) c.boxes) claims

theorem Every.imp {α : Type u} {p q : α → Prop} (h : ∀ a, p a → q a) : (l : List α) → Every p l → Every q l
  | [], _ => trivial
  | a :: l, hl => ⟨h a hl.1, Every.imp h l hl.2⟩

/-- **Soundness, in parts.** Parts joined up to the empty path prove the claims about every execution of the
    graph. -/
theorem sound_parts {m : Semantics} {g : Graph} {s : Scale} {claims : List Claim}
    (h : PartsHold K m g s claims) :
    Every (Claim.Holds K m g) claims :=
  Every.imp
    (fun c hc => Every.imp (fun _ hb slots run inside => hb.holds slots run inside trivial) c.boxes hc) claims
    h

end PytestTorchLean
