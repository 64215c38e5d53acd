prelude
import PytestTorchLean.Thm.Certified
/-!
# Two parts of a box, carried side by side

The layer of the small graph, bounded by forms of its two inputs on two parts of the same widths at once:
`x0` from 5/2 to 13/4 and from 13/4 to 4.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- The parts; `x1` is 1. -/
def halves : List (List Forward.Range) :=
  [[⟨2 ^ 20 + 5 * 2 ^ 15, 2 ^ 20 + 13 * 2 ^ 14⟩, ⟨2 ^ 20 + 2 ^ 16, 2 ^ 20 + 2 ^ 16⟩],
    [⟨2 ^ 20 + 13 * 2 ^ 14, 2 ^ 20 + 2 ^ 18⟩, ⟨2 ^ 20 + 2 ^ 16, 2 ^ 20 + 2 ^ 16⟩]]
/-- How far the parts reach from their middles. -/
def reaches : List Nat := [2 ^ 15, 1]
/-- What is left of the layer once it is composed with the property: no layers before, and two parts. -/
def sideBySide (last : Forward.Substitution) (first n : Nat) : Bool :=
  both (both (Nat.beq first 2) (both (Nat.beq n 2) (Nat.beq last.shift 0)))
    (Forward.columnsBeside scale 16 2 n n 0 fun columns => Forward.partsTogether scale 8 16 true 1 2
      (Forward.layersBeside scale 2 [] n) (last.beside scale 2 n) last.rows columns reaches halves)
def finalRow (direct mirrored count : Nat) : Bool :=
  Forward.finalLayer scale (positive 4) formDecoding 28 wide weightDecoding 0 4 direct mirrored count
    sideBySide
def boundedLayer (direct mirrored count : Nat) : Bool :=
  PytestTorchLean.Affine.run scale wide weightDecoding direct mirrored count finalRow
theorem together_accepted : PytestTorchLean.Box.run scale 2 box boundedLayer = true := by decide +kernel

/-- `y > 0` on either part, both at once. -/
theorem Forward.partsTogether_sound (K : Type u) [OrderedRing K] :
    Every (fun ranges => Forward.RangesHold scale (fun i => (natural (value i) : K)) 2 ranges →
      (positive 4).Holds (fun i => (natural (value i) : K))) halves := by
  obtain ⟨direct, mirrored, hm, h⟩ := PytestTorchLean.Box.run_sound
    (slots := fun i => (natural (value i) : K)) scale_fits rfl rfl (wide_executes K).2 together_accepted
  obtain ⟨direct', mirrored', hm', h⟩ := PytestTorchLean.Affine.run_sound scale_fits hm wide_holds h
  obtain ⟨last, first, n, y, hl, rows, signs, h⟩ := Forward.finalLayer_sound scale_fits hm'
    (fun position row hp hr =>
      near_of_computes (by decide +kernel) (by decide +kernel) (wide_holds position row hp hr)) h
  obtain ⟨c, g⟩ := both_true h
  obtain ⟨c1, c⟩ := both_true c
  have c1 := Nat.eq_of_beq_eq_true c1
  have c2 := Nat.eq_of_beq_eq_true (both_true c).1
  have whole := Nat.eq_of_beq_eq_true (both_true c).2
  subst c1
  subst c2
  have roomy := Forward.roomy_sound (show Forward.roomy scale 8 16 reaches = true by decide +kernel)
  obtain ⟨columns, hc, g⟩ := Forward.columnsBeside_sound roomy (by decide +kernel) (by decide) 2 0 _ rfl g
  exact PytestTorchLean.Forward.partsTogether_sound (layers := []) (origin := 2) (magnitudes := reaches)
    scale_fits (by decide +kernel) (by decide) rfl ⟨rfl, rfl⟩ y hl rows whole signs hc g

end Example
end PytestTorchLean
