prelude
import PytestTorchLean.Check.Hull
import PytestTorchLean.Check.Script
/-!
# The check of a certificate

A certificate holds fixed-point units and, for every box of every claim, a script. Whatever it says,
`check` is true only if the bounds it computes prove every claim.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
open OrderedRing

structure Certificate where
  scale : Scale
  /-- for every claim its boxes' scripts; the last script serves all boxes that follow -/
  scripts : List (List Script)

/-- Bounds of the graph on one box in the cases on a path, then the property. -/
def checkCases [Prepared] [Rules] (m : Semantics) (g : Graph) (s : Scale) (p : Property) (b : Box)
    (path : List Case) (script : Script) : Bool :=
  Semantics.casesOn (motive := fun _ => Bool) m
    (Box.run s g.inputs b
        fun direct mirrored count => script.run m s p path g.nodes [] [] direct mirrored count)
    (Box.runHull s g.inputs b
        fun direct mirrored count => script.run m s p path g.nodes [] [] direct mirrored count)

/-- Bounds of the graph on one box, then the property. -/
def checkBox [Prepared] [Rules] (m : Semantics) (g : Graph) (s : Scale) (p : Property) (b : Box)
    (script : Script) : Bool := checkCases m g s p b [] script

/-- All boxes of a claim, each with its script. -/
def checkBoxes [Prepared] [Rules] (m : Semantics) (g : Graph) (s : Scale) (p : Property) (boxes : List Box) :
    List Script → Bool :=
  List.rec (motive := fun _ => List Script → Bool) (fun _ => true)
    (fun b _ rest scripts => List.rec (motive := fun _ => Bool) false
      (fun script later _ => both (checkBox m g s p b script)
        (rest (List.rec (motive := fun _ => List Script) [script] (fun _ _ _ => later) later))) scripts) boxes

def checkClaims [Prepared] [Rules] (m : Semantics) (g : Graph) (s : Scale) (claims : List Claim) :
    List (List Script) → Bool :=
  List.rec (motive := fun _ => List (List Script) → Bool) (fun _ => true)
    (fun claim _ rest scripts => List.rec (motive := fun _ => Bool) false
      (fun first later _ => both (checkBoxes m g s claim.property claim.boxes first) (rest later)) scripts)
      claims

/-- The units are as every step assumes. -/
def fitting (s : Scale) : Bool := both (Nat.ble (s.top + 1) (2 ^ s.half)) (Nat.ble 1 s.unit)
theorem fitting_sound {s : Scale} (h : fitting s = true) : s.Fits :=
  ⟨Nat.le_of_ble_eq_true (both_true h).1, Nat.le_of_ble_eq_true (both_true h).2⟩

/-- The certificate proves the claims about the graph, by the checker's own steps and these rules. -/
def check [Prepared] (rules : Rules) (m : Semantics) (g : Graph) (claims : List Claim) (c : Certificate) :
    Bool :=
  both (fitting c.scale) (checkClaims m g c.scale claims c.scripts)

/-- The script proves the property of one box, in the cases on a path. -/
def checkPart [Prepared] (rules : Rules) (m : Semantics) (g : Graph) (s : Scale) (p : Property) (b : Box)
    (path : List Case) (script : Script) : Bool :=
  both (fitting s) (checkCases m g s p b path script)

end PytestTorchLean
