prelude
import PytestTorchLean.Check.Relaxation.Record
/-!
# Bounds from what a relaxation proves

The rows of a relaxation bound their goals from below. A goal is a slot's value or its opposite, a slot of a
run that was written, be it the last one or an earlier one: the memory's bounds of these slots are replaced
where they get tighter. So what a case says of a phase serves all bounds that depend on it, in whatever order
cases are distinguished.
-/
set_option linter.all false
universe u
namespace PytestTorchLean

/-- Linear bounds of some slots, or of the rows of a property, by backward substitution. -/
structure Relaxation where
  /-- bits of a coefficient's digit -/
  digit : Nat
  /-- digits from one row to the next -/
  width : Nat
  /-- number of goals -/
  rows : Nat
  /-- the run of slots that the goals are in -/
  start : Nat
  count : Nat
  /-- for every goal a word: twice its place in the run, plus 1 to bound it from above -/
  goals : Nat
  /-- what to do about the passed nodes, the last one first -/
  links : List Relaxation.Link

namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- Tighter bounds of the goals' slots. -/
def tighten [Prepared] [Rules] (s : Scale) (x : Relaxation) (passed : List Passed) (facts : List Differences)
    (direct mirrored memory : Nat) (next : Nat → Nat → Bool) : Bool :=
  both (both (Nat.ble 1 s.half) (Nat.ble (Nat.add x.start x.count) memory))
    (begin ⟨x.digit, x.width, x.rows⟩ x.start x.count x.goals fun batch =>
      walk s ⟨x.digit, x.width, x.rows⟩ facts direct mirrored memory (fun scale limit gain loss =>
          both (both (Nat.ble 1 scale) (Nat.ble (Nat.succ limit) (Nat.pow 2 (Nat.mul x.digit x.width))))
            (force (fun size => force (fun shift => recordWithin s (Nat.add x.start x.count) size x.start
                    x.count scale shift x.rows x.goals gain loss direct mirrored next)
                  (Nat.mul scale s.center)) (Nat.mul x.digit x.width)))
        x.links passed [] batch)

/-- **Backward substitution gives valid bounds** of the slots that its rows start from: rows carried back
    through the nodes, by a line for each ReLU, each charged the rounding errors that it passes. -/
theorem tighten_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {s : Scale} {slots : Nat → K}
    {x : Relaxation} {passed : List Passed} {facts : List Differences} {direct mirrored memory : Nat}
    {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hp : Passed.AllHold s slots passed memory)
    (hf : Every (Differences.Holds s slots) facts)
    (h : tighten s x passed facts direct mirrored memory next = true) :
    ∃ direct' mirrored',
      (Memory.mk direct' mirrored').Holds s slots memory ∧ next direct' mirrored' = true := by
  obtain ⟨h1, h⟩ := both_true h
  obtain ⟨half, h1⟩ := both_true h1
  have half : 0 < s.half := Nat.le_of_ble_eq_true half
  have h1 : x.start + x.count ≤ memory := Nat.le_of_ble_eq_true h1
  obtain ⟨more, rfl⟩ := Nat.exists_of_le h1
  obtain ⟨batch, b1, _, b3, h, inside⟩ := begin_sound (v := values s slots x.start) h
  rw [← b1] at b3
  obtain ⟨scale, limit, gain, loss, ⟨c, d, e1, e2, hr⟩, h⟩ :=
    walk_sound sf hm hf x.links passed _ hp [] _ rfl batch b3 h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c1, c2⟩ := both_true hc
  have c1 : 0 < scale := Nat.le_of_ble_eq_true c1
  have c2 : limit < 2 ^ (x.digit * x.width) := Nat.le_of_ble_eq_true c2
  rw [force_eq, force_eq, e1, e2] at h
  refine recordWithin_sound half sf c1 (fun r hr' => ?_) hm h
  obtain ⟨q1, q2, q3⟩ := hr r hr'
  rw [b1] at q3
  exact ⟨Natural.lt_of_le_of_lt q1 c2, Natural.lt_of_le_of_lt q2 c2, inside r hr', q3⟩

end Relaxation
end PytestTorchLean
