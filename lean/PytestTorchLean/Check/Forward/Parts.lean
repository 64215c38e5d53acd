prelude
import PytestTorchLean.Check.Forward.Finish
/-!
# The parts of a box

The box of the inputs is cut in two, one input at a time. The parts cover it.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-- Where the box is cut: the fixed-point number of an input of the first layer is at most `value`, or at
    least. -/
inductive Cuts where
  | leaf
  | cut (input value : Nat) (below above : Cuts)

/-- For the compiler, as in Core/Recursors. -/
def Recursor.cuts {motive : Cuts → Sort v} (leaf : motive .leaf)
    (cut : (input value : Nat) → (below above : Cuts) →
      motive below → motive above → motive (.cut input value below above)) : (c : Cuts) → motive c
  | .leaf => leaf
  | .cut input value below above =>
    cut input value below above (Recursor.cuts leaf cut below) (Recursor.cuts leaf cut above)
@[csimp] theorem Recursor.cuts_eq : @Cuts.rec = @Recursor.cuts :=
  funext fun _ => funext fun leaf => funext fun cut => funext fun c => by
    induction c with
    | leaf => rfl
    | cut input value below above ih1 ih2 =>
      show cut input value below above _ _ = cut input value below above _ _
      rw [ih1, ih2]

/-- Fixed-point bounds of an input. -/
structure Range where
  lower : Nat
  upper : Nat

/-- The inputs from slot `k` on lie in their ranges. -/
def RangesHold (s : Scale) (slots : Nat → K) : Nat → List Range → Prop
  | _, [] => True
  | k, r :: ranges => Within s r.lower r.upper (slots k) ∧ RangesHold s slots (k + 1) ranges

/-! ### The parts -/

/-- The input number `input` at most `value`. -/
def capped (value : Nat) : List Range → Nat → List Range :=
  List.rec (motive := fun _ => Nat → List Range) (fun _ => [])
    (fun r ranges rest input => Nat.rec (motive := fun _ => List Range) (⟨r.lower, value⟩ :: ranges)
        (fun before _ => r :: rest before) input)
/-- The input number `input` at least `value`. -/
def raisedTo (value : Nat) : List Range → Nat → List Range :=
  List.rec (motive := fun _ => Nat → List Range) (fun _ => [])
    (fun r ranges rest input => Nat.rec (motive := fun _ => List Range) (⟨value, r.upper⟩ :: ranges)
        (fun before _ => r :: rest before) input)
theorem capped_hold {s : Scale} {slots : Nat → K} {value : Nat} :
    (ranges : List Range) → (k input : Nat) → RangesHold s slots k ranges →
    s.image (slots (k + input)) ≤ natural value → RangesHold s slots k (capped value ranges input)
  | [], _, _, h, _ => h
  | r :: ranges, k, 0, h, g => ⟨⟨h.1.1, g⟩, h.2⟩
  | r :: ranges, k, input + 1, h, g => ⟨h.1, capped_hold ranges (k + 1) input h.2 (by
      have e : k + 1 + input = k + (input + 1) := by rw [Nat.add_assoc, Nat.add_comm 1 input]
      rw [e]; exact g)⟩
theorem raisedTo_hold {s : Scale} {slots : Nat → K} {value : Nat} :
    (ranges : List Range) → (k input : Nat) → RangesHold s slots k ranges →
    natural value ≤ s.image (slots (k + input)) → RangesHold s slots k (raisedTo value ranges input)
  | [], _, _, h, _ => h
  | r :: ranges, k, 0, h, g => ⟨⟨g, h.1.2⟩, h.2⟩
  | r :: ranges, k, input + 1, h, g => ⟨h.1, raisedTo_hold ranges (k + 1) input h.2 (by
      have e : k + 1 + input = k + (input + 1) := by rw [Nat.add_assoc, Nat.add_comm 1 input]
      rw [e]; exact g)⟩
theorem length_capped (value : Nat) :
    (ranges : List Range) → (input : Nat) → (capped value ranges input).length = ranges.length
  | [], _ => rfl
  | _ :: _, 0 => rfl
  | r :: ranges, input + 1 => congrArg Nat.succ (length_capped value ranges input)
theorem length_raisedTo (value : Nat) :
    (ranges : List Range) → (input : Nat) → (raisedTo value ranges input).length = ranges.length
  | [], _ => rfl
  | _ :: _, 0 => rfl
  | r :: ranges, input + 1 => congrArg Nat.succ (length_raisedTo value ranges input)

/-- `leaf` is true of every part. -/
def Cuts.run (leaf : List Range → Bool) (c : Cuts) : List Range → Bool :=
  Cuts.rec (motive := fun _ => List Range → Bool) leaf
    (fun input value _ _ below above ranges =>
        both (below (capped value ranges input)) (above (raisedTo value ranges input))) c
/-- Every input lies in one of the parts. -/
theorem Cuts.run_sound {s : Scale} {slots : Nat → K} {first n : Nat} {leaf : List Range → Bool} {goal : Prop}
    (h : ∀ ranges : List Range,
      ranges.length = n → RangesHold s slots first ranges → leaf ranges = true → goal) :
    (c : Cuts) → (ranges : List Range) → ranges.length = n →
    RangesHold s slots first ranges → c.run leaf ranges = true →
    goal
  | .leaf, ranges, hn, hr, g => h ranges hn hr g
  | .cut input value below above, ranges, hn, hr, g => by
    obtain ⟨g1, g2⟩ := both_true g
    cases le_total (s.image (slots (first + input))) (natural value) with
    | inl le =>
      exact Cuts.run_sound h below _ (by rw [length_capped]; exact hn) (capped_hold ranges first input hr le)
        g1
    | inr le =>
      exact Cuts.run_sound h above _ (by rw [length_raisedTo]; exact hn)
        (raisedTo_hold ranges first input hr le) g2
end Forward
end PytestTorchLean
