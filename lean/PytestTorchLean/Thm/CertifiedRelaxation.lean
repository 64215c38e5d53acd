prelude
import PytestTorchLean.Thm.Certified
/-!
# An accepted certificate with backward substitution

Two layers of two ReLUs: `y = max(c0, 0) + max(c1, 0)` with `c = (r0 + r1, r0 - r1)`,
`r = (max(x0 + x1, 0), max(x0 - x1, 0))`. On `-1 ≤ x ≤ 1` interval bounds give `y ≤ 6`; rows carried back
through both layers give `y ≤ 5`. The certificate tightens the bounds of the second layer by rows and
concludes by a row. Another one concludes by forms of the inputs, carried forward on each quadrant of the box,
a third one by forms with noise symbols on the whole box.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- `1 1` over `1 -1`, six lanes of one column each, of which two are used. -/
def signs : Nat := 2 ^ 192 * 0xbf8000003f800000 + 0x3f8000003f800000
def slotPair (first : Nat) : Nat := first + 2 ^ 32 * (first + 1)
def firstLayer : Affine := ⟨2, 6, 1, signs, 1, slotPair 2, 1⟩
def secondLayer : Affine := ⟨2, 6, 1, signs, 1, slotPair 6, 1⟩
def lastLayer : Affine := ⟨1, 6, 1, 0x3f8000003f800000, 1, slotPair 10, 1⟩
def deepGraph : Graph :=
  ⟨2, [.affine firstLayer, .relu 4 2, .affine secondLayer, .relu 8 2, .affine lastLayer]⟩
/-- `-1 ≤ x ≤ 1` -/
def unitBox : Box := ⟨1, 1, 192, 0, 2 + 2 ^ 192 * 2⟩
/-- `5 - y ≥ 0`, as `5 * slot 1 - 1 * slot 12`, in subnormal patterns -/
def atMostFive : Property := ⟨⟨1, 6, 1, 0x0000000580000001, 1, 12 + 2 ^ 32 * 1, 1⟩, false, 1⟩
def ones24 : Decoding := ⟨127, 0, 24⟩
def fives : Decoding := ⟨1, 0, 3⟩
def deepScale : Scale := ⟨2 ^ 32, 2 ^ 36, 96⟩
def intervalStep : Step := ⟨ones24, 0, 0⟩
/-- Both bounds of slots 8 and 9 that are undecided: rows back to the inputs, with a line for each ReLU. -/
def rowsOfSecondLayer : Relaxation := ⟨62, 10, 2, 8, 2, 2 + 2 ^ 32 * 3,
  [.through 6 2 0 24, .bend 8 0 0x10080, .through 2 2 24 30]⟩
def rowsOfProperty : Relaxation := ⟨68, 9, 1, 12, 1, 0,
  [.through 10 2 0 24, .bend 8 256 0x10100, .through 6 2 25 30, .bend 8 0 0x10080, .through 2 2 31 30]⟩
def relaxedScript : Script :=
  .node intervalStep (.node reluStep
      (.node intervalStep
        (.tighten rowsOfSecondLayer
          (.node reluStep (.node intervalStep (.conclude (.relaxed fives 0 1 rowsOfProperty)))))))
def intervalScript : Script :=
  .node intervalStep
    (.node reluStep (.node intervalStep (.node reluStep (.node intervalStep (.conclude (.direct fives))))))
def deepClaims : List Claim := [⟨atMostFive, [unitBox]⟩]

theorem relaxed_accepted : check .plain .real deepGraph deepClaims ⟨deepScale, [[relaxedScript]]⟩ = true := by
  decide +kernel
/-- Intervals do not suffice. -/
theorem interval_refused :
    check .plain .real deepGraph deepClaims ⟨deepScale, [[intervalScript]]⟩ = false := by
  decide +kernel
/-- What the two relaxations prove together. -/
theorem relaxed_sound (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real deepGraph) deepClaims :=
  PytestTorchLean.sound K relaxed_accepted

/-- The box cut into its quadrants, the property by forms of the inputs on each. -/
def quadrants : Forward.Cuts := .cut 0 (2 ^ 36) (.cut 1 (2 ^ 36) .leaf .leaf) (.cut 1 (2 ^ 36) .leaf .leaf)
def carriedScript (cuts : Forward.Cuts) : Script :=
  .node intervalStep (.node reluStep
      (.node intervalStep
        (.node reluStep (.node intervalStep (.conclude (.forward fives 29 8 24 2 false cuts))))))
theorem carried_accepted :
    check .plain .real deepGraph deepClaims ⟨deepScale, [[carriedScript quadrants]]⟩ = true := by
  decide +kernel
/-- Forms on the whole box that give every undecided ReLU a noise symbol. -/
def symbolScript : Script :=
  .node intervalStep (.node reluStep
      (.node intervalStep
        (.node reluStep (.node intervalStep (.conclude (.forward fives 29 8 24 2 true .leaf))))))
theorem symbols_sound (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real deepGraph) deepClaims :=
  PytestTorchLean.sound K (rules := .plain) (c := ⟨deepScale, [[symbolScript]]⟩) (by decide +kernel)
/-- Without cuts and without symbols the forms do not suffice. -/
theorem uncut_refused :
    check .plain .real deepGraph deepClaims ⟨deepScale, [[carriedScript .leaf]]⟩ = false := by
  decide +kernel
/-- What the forms prove on all parts together. -/
theorem carried_sound (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real deepGraph) deepClaims :=
  PytestTorchLean.sound K carried_accepted

end Example
end PytestTorchLean
