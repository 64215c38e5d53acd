prelude
import PytestTorchLean.Approximation.Example
import PytestTorchLean.Thm.Soundness
/-!
# An approximating network of two inputs, checked

The construction is executed: the network of a table of 16 points, for the product of two numbers on the unit
square, is packed and put before the checker, which bounds its output on a part of the square, in exact
arithmetic and in binary32.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open Approximation OrderedRing

/-- The product at the centres of 16 squares, in 64ths, rounded down. -/
def square : Table where
  inputs := 2
  inputBits := 6
  steps := 1
  inputSteps := 1
  digits := 1
  gridBits := 2
  coordinate := fun c => 8 + 16 * c
  shift := 0
  valueShift := 0
  value := fun p => (8 + 16 * digit 2 p 0) * (8 + 16 * digit 2 p 1) / 64
  byRelu := false
  outputBits := 6
  outputSteps := 1

/-- `p` holds of all numbers below `n`. -/
def allBelow (p : Nat → Bool) : Nat → Bool
  | 0 => true
  | n + 1 => p n && allBelow p n
theorem allBelow_true {p : Nat → Bool} : {n : Nat} → allBelow p n = true → ∀ k, k < n → p k = true
  | 0, _, k, hk => absurd hk (Nat.not_succ_le_zero k)
  | n + 1, h, k, hk => by
    have z : p n = true ∧ allBelow p n = true := by
      have h : (p n && allBelow p n) = true := h
      rw [Bool.and_eq_true] at h; exact h
    cases Nat.lt_or_ge k n with
    | inl l => exact allBelow_true z.2 k l
    | inr g =>
      have e : k = n := Nat.le_antisymm (Nat.le_of_succ_le_succ hk) g
      rw [e]; exact z.1

theorem square_wellFormed : square.WellFormed where
  inputBits := by decide
  outputBits := by decide
  inputSteps := by decide
  digits := by decide
  constants := fun k hk => by
    have all : allBelow (fun k => Nat.ble (square.constant k + 1) (2 ^ (square.inputBits * square.digits)))
          square.constantCount = true := by decide +kernel
    exact Nat.le_of_ble_eq_true (allBelow_true all k hk)

theorem square_slots : square.network.slots = 93 := by decide +kernel
theorem square_fits : square.network.Fits := by
  show square.network.slots ≤ 2 ^ 32
  rw [square_slots]; decide +kernel

/-- Both inputs between 1/2 and 3/4: the product is between 16 and 36 64ths. -/
def cell : Box := ⟨4, 0, 8, 0x0202, 0x0303⟩
/-- `upper - 64 y ≥ 0` and `64 y - lower ≥ 0` for the output `y`: a row each for slot 1 and the output's slot,
    where bit 31 is the sign. -/
def between (lower upper : Nat) : Property where
  forms := ⟨2, 4, 1, upper + 2 ^ 32 * 0x80000040 + 2 ^ 128 * (0x80000000 + lower) + 2 ^ 160 * 0x40, 1,
    1 + 2 ^ 32 * square.output, 1⟩
  strict := false
  alternatives := 1

/-- Interval bounds, node by node. -/
def squareScript : Script :=
  Script.node ⟨⟨133, 0, 24⟩, 0, 0⟩ <|
  Script.node ⟨⟨127, 3, 31⟩, 0, 0⟩ <|
  Script.node ⟨⟨127, 0, 24⟩, 0, 0⟩ <|
  Script.node ⟨⟨1, 0, 0⟩, 0, 0⟩ <|
  Script.node ⟨⟨127, 0, 24⟩, 0, 0⟩ <|
  Script.node ⟨⟨1, 0, 0⟩, 0, 0⟩ <|
  Script.node ⟨⟨1, 0, 0⟩, 0, 0⟩ <|
  Script.node ⟨⟨1, 0, 0⟩, 0, 0⟩ <|
  Script.node ⟨⟨1, 0, 0⟩, 0, 0⟩ <|
  Script.node ⟨⟨121, 0, 24⟩, 0, 0⟩ <| Script.conclude (.direct ⟨1, 0, 7⟩)
def squareCertificate : Certificate := ⟨⟨2 ^ 14, 2 ^ 22, 64⟩, [[squareScript]]⟩

theorem square_accepted :
    check .plain .real square.network.graph [⟨between 0 36, [cell]⟩] squareCertificate = true := by
  decide +kernel
/-- The kernel accepts a certificate of the constructed network, in binary32. -/
theorem square_accepted_binary32 :
    check .plain .binary32 square.network.graph [⟨between 0 36, [cell]⟩] squareCertificate = true := by
  decide +kernel
/-- The network comes closer to the product than 12 64ths nowhere on this part. -/
theorem square_refused :
    check .plain .binary32 square.network.graph [⟨between 30 36, [cell]⟩] squareCertificate = false := by
  decide +kernel

/-- What was certified of the network that was constructed. -/
theorem square_sound (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .binary32 square.network.graph) [⟨between 0 36, [cell]⟩] :=
  PytestTorchLean.sound K square_accepted_binary32

/-- Every exact execution of it computes the interpolation of its table, and there is one for every input. -/
theorem square_interpolates {K : Type u} [OrderedRing K] (halves : Halves K) :
    (∀ slots : Nat → K, Executes .real square.network.graph slots →
        square.Interpolates (fun i => slots (2 + i)) (slots square.output)) ∧
    ∀ x : Nat → K, ∃ slots : Nat → K,
      Executes .real square.network.graph slots ∧ ∀ i, i < 2 → slots (2 + i) = x i := by
  have order := Table.inOrder square_wellFormed
  refine ⟨fun slots h =>
      Table.interpolates square_wellFormed ((Network.executes_graph square_fits order).1 h), fun x => ?_⟩
  obtain ⟨slots, h, inputs⟩ := Network.exists_execution halves order x
  exact ⟨slots, (Network.executes_graph square_fits order).2 h, inputs⟩

end Example
end PytestTorchLean
