prelude
import PytestTorchLean.Check.Certificate
/-!
# Soundness

If `check` is true, every claim holds of every execution: for every linearly ordered commutative
ring, for every assignment of its elements to the slots that the graph allows, and with no further
hypothesis.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- One box in the cases on a path: bounds of the graph, then the property. -/
theorem checkCases_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {g : Graph} {s : Scale}
    {p : Property} {b : Box} {path : List Case} {script : Script} (sf : s.Fits) :
    (m : Semantics) → checkCases m g s p b path script = true →
    ∀ slots : Nat → K, Executes m g slots → b.Contains m g.inputs slots →
      Every (Case.Holds s slots) path → p.Holds slots ∧ NodesFinite m slots g.nodes
  | .real, h, slots, run, inside, cases => by
    obtain ⟨h0, h1, hn⟩ := run
    obtain ⟨direct, mirrored, hm, h⟩ := Box.run_sound sf h0 h1 inside h
    exact Script.run_sound sf cases script g.nodes [] [] direct mirrored _ hm h0 trivial hn h
  | .binary32, h, slots, run, inside, cases => by
    obtain ⟨h0, h1, hn⟩ := run
    obtain ⟨direct, mirrored, hm, h⟩ := Box.runHull_sound sf h0 h1 inside h
    exact Script.run_sound sf cases script g.nodes [] [] direct mirrored _ hm h0 trivial hn h

theorem checkBoxes_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {m : Semantics} {g : Graph}
    {s : Scale} {p : Property} (sf : s.Fits) :
    (boxes : List Box) → (scripts : List Script) →
    checkBoxes m g s p boxes scripts = true →
    Every (fun box : Box => ∀ slots : Nat → K,
        Executes m g slots → box.Contains m g.inputs slots → p.Holds slots ∧ NodesFinite m slots g.nodes)
      boxes
  | [], _, _ => trivial
  | _ :: _, [], h => Bool.noConf_tf (Eq.symm h)
  | _ :: boxes, _ :: _, h => by
    obtain ⟨h1, h2⟩ := both_true h
    exact ⟨fun slots run inside => checkCases_sound sf m h1 slots run inside trivial,
        checkBoxes_sound sf boxes _ h2⟩

theorem checkClaims_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {m : Semantics} {g : Graph}
    {s : Scale} (sf : s.Fits) :
    (claims : List Claim) → (scripts : List (List Script)) →
    checkClaims m g s claims scripts = true → Every (Claim.Holds K m g) claims
  | [], _, _ => trivial
  | _ :: _, [], h => Bool.noConf_tf (Eq.symm h)
  | _ :: claims, _ :: scripts, h => by
    obtain ⟨h1, h2⟩ := both_true h
    exact ⟨checkBoxes_sound sf _ _ h1, checkClaims_sound sf claims scripts h2⟩

/-- **Soundness.** An accepted certificate proves its claims about every execution of the graph. -/
theorem sound (K : Type u) [OrderedRing K] [Prepared] {rules : Rules} [Rules.Sound K rules] {m : Semantics}
    {g : Graph} {claims : List Claim} {c : Certificate} (h : check rules m g claims c = true) :
    Every (Claim.Holds K m g) claims := by
  obtain ⟨hf, h⟩ := both_true h
  exact checkClaims_sound (fitting_sound hf) claims c.scripts h

end PytestTorchLean
