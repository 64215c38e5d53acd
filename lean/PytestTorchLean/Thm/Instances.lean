prelude
import PytestTorchLean.Core.Int
import PytestTorchLean.Thm.Parts
/-!
# The theorems are not vacuous

The integers are an ordered ring, and a small graph with an input in a box has an execution in every
ordered ring: the hypotheses of `sound` can be met.
-/
set_option linter.all false
namespace PytestTorchLean

namespace Integers

theorem le_trans {a b c : Int} (h : a ≤ b) (g : b ≤ c) : a ≤ c := by
  have h : Int.posPart a + Int.negPart b ≤ Int.posPart b + Int.negPart a := h
  have g : Int.posPart b + Int.negPart c ≤ Int.posPart c + Int.negPart b := g
  show Int.posPart a + Int.negPart c ≤ Int.posPart c + Int.negPart a
  have s := Nat.add_le_add h g
  generalize Int.posPart a = p at *
  generalize Int.negPart a = p' at *
  generalize Int.posPart b = q at *
  generalize Int.negPart b = q' at *
  generalize Int.posPart c = r at *
  generalize Int.negPart c = r' at *
  have e1 : p + q' + (q + r') = q + q' + (p + r') := by
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  have e2 : q + p' + (r + q') = q + q' + (r + p') := by
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  rw [e1, e2] at s
  exact cancel s
where
  cancel {k m n : Nat} (h : k + m ≤ k + n) : m ≤ n := by
    induction k with
    | zero => rw [Nat.zero_add, Nat.zero_add] at h; exact h
    | succ k ih => rw [Nat.succ_add, Nat.succ_add] at h; exact ih (Nat.le_of_succ_le_succ h)

theorem le_antisymm {a b : Int} (h : a ≤ b) (g : b ≤ a) : a = b := Int.ext (Nat.le_antisymm h g)
theorem le_total (a b : Int) : a ≤ b ∨ b ≤ a := Nat.le_total _ _

theorem parts_add (a b : Int) :
    Int.posPart (a + b) + (Int.negPart a + Int.negPart b) =
    Int.posPart a + Int.posPart b + Int.negPart (a + b) :=
  Int.sub_spec _ _

theorem add_le {a b : Int} (c : Int) (h : a ≤ b) : a + c ≤ b + c := by
  have h : Int.posPart a + Int.negPart b ≤ Int.posPart b + Int.negPart a := h
  show Int.posPart (a + c) + Int.negPart (b + c) ≤ Int.posPart (b + c) + Int.negPart (a + c)
  have x := parts_add a c
  have y := parts_add b c
  generalize Int.posPart (a + c) = s at *
  generalize Int.negPart (a + c) = s' at *
  generalize Int.posPart (b + c) = t at *
  generalize Int.negPart (b + c) = t' at *
  generalize Int.posPart a = p at *
  generalize Int.negPart a = p' at *
  generalize Int.posPart b = q at *
  generalize Int.negPart b = q' at *
  generalize Int.posPart c = r at *
  generalize Int.negPart c = r' at *
  apply le_trans.cancel (k := p' + r' + (q' + r'))
  have e1 : p' + r' + (q' + r') + (s + t') = s + (p' + r') + (q' + r' + t') := by
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  have e2 : p' + r' + (q' + r') + (t + s') = t + (q' + r') + (p' + r' + s') := by
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  rw [e1, e2, x, y]
  have e3 : p + r + s' + (q' + r' + t') = (r + r' + s' + t') + (p + q') := by
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  have e4 : q + r + t' + (p' + r' + s') = (r + r' + s' + t') + (q + p') := by
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  rw [e3, e4]
  exact Nat.add_le_add Nat.le.refl h

theorem mul_nonneg : {a b : Int} → (0 : Int) ≤ a → (0 : Int) ≤ b → (0 : Int) ≤ a * b
  | .ofNat a, .ofNat b, _, _ => by
    show 0 + Int.negPart (Int.ofNat a * Int.ofNat b) ≤ Int.posPart (Int.ofNat a * Int.ofNat b) + 0
    have e : Int.ofNat a * Int.ofNat b = Int.ofNat (a * b) := by
      apply Int.ext
      have s := Int.sub_spec (a * b + 0 * 0) (a * 0 + 0 * b)
      have s : Int.posPart (Int.ofNat a * Int.ofNat b) + (a * 0 + 0 * b) =
        a * b + Int.negPart (Int.ofNat a * Int.ofNat b) := s
      have z : a * 0 + 0 * b = 0 := by rw [Nat.zero_mul]; rfl
      rw [z] at s
      exact s
    rw [e]
    exact Nat.zero_le _
  | .negSucc a, _, h, _ =>
    absurd (show 0 + (a + 1) ≤ 0 + 0 from h) (by rw [Nat.zero_add]; exact Nat.not_succ_le_zero a)
  | .ofNat _, .negSucc b, _, h =>
    absurd (show 0 + (b + 1) ≤ 0 + 0 from h) (by rw [Nat.zero_add]; exact Nat.not_succ_le_zero b)

end Integers

/-- The integers. -/
instance Integers.orderedRing : OrderedRing Int where
  zero := 0
  one := 1
  add_assoc := Int.add_assoc
  add_comm := Int.add_comm
  add_zero a := by rw [Int.add_comm]; exact Int.zero_add a
  add_neg := Int.add_neg
  mul_assoc := Int.mul_assoc
  mul_comm := Int.mul_comm
  mul_one a := by
    rw [Int.mul_def]
    show Int.subNatNat (Int.posPart a * 1 + Int.negPart a * 0) (Int.posPart a * 0 + Int.negPart a * 1) = a
    rw [Nat.mul_zero, Nat.mul_zero, Nat.add_zero, Nat.zero_add]
    have e : ∀ n : Nat, n * 1 = n := fun n => Nat.zero_add n
    rw [e, e, Int.subNatNat_parts]
  mul_add := Int.mul_add
  le_refl := Int.le_refl
  le_trans := Integers.le_trans
  le_antisymm := Integers.le_antisymm
  le_total := Integers.le_total
  add_le := Integers.add_le
  mul_nonneg' := Integers.mul_nonneg
  one_not_le_zero := fun h => Nat.not_succ_le_zero 0 h

namespace Example
open OrderedRing
universe u

/-- `y = 1.0 * x0 + -2.0 * x1`, one position -/
def layer : Affine := ⟨1, 1, 2, 0xC00000003F800000, 1, 0x0000000300000002, 1⟩
/-- `z = max(y, 0)` behind it -/
def graph : Graph := ⟨2, [.affine layer, .relu 4 1]⟩
/-- `2.5 ≤ x0 ≤ 4` and `x1 = 1` -/
def box : Box := ⟨2, 0, 8, 0x0205, 0x0208⟩
/-- 0, 1, x0 = 3, x1 = 1, y = 1, z = 1 -/
def value (i : Nat) : Nat := cond (Nat.beq i 0) 0 (cond (Nat.beq i 2) 3 1)

variable {K : Type u} [OrderedRing K]

/-- The pattern of 1.0. -/
theorem one_scaled : (Binary32.scaled 0x3F800000 : K) = natural (2 ^ 149) := by
  have s : Binary32.sign 0x3F800000 = 0 := by decide +kernel
  have m : Binary32.magnitude 0x3F800000 = 2 ^ 149 := by decide +kernel
  unfold Binary32.scaled
  rw [s, m]
/-- The pattern of -2.0. -/
theorem minus_two_scaled : (Binary32.scaled 0xC0000000 : K) = -natural (2 ^ 149 * 2) := by
  have s : Binary32.sign 0xC0000000 = 1 := by decide +kernel
  have m : Binary32.magnitude 0xC0000000 = 2 ^ 149 * 2 := by decide +kernel
  unfold Binary32.scaled
  rw [s, m]

theorem layer_holds : (Node.affine layer).Holds .real (fun i => (natural (value i) : K)) 4 := by
  intro position row hp hr
  have hp : position = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hp) (Nat.zero_le _)
  have hr : row = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hr) (Nat.zero_le _)
  subst hp
  subst hr
  have p0 : layer.pattern 0 0 0 = 0x3F800000 := by decide +kernel
  have p1 : layer.pattern 0 0 (0 + 1) = 0xC0000000 := by decide +kernel
  have s0 : layer.source 0 0 0 = 2 := by decide +kernel
  have s1 : layer.source 0 0 (0 + 1) = 3 := by decide +kernel
  have d : layer.divisor * 2 ^ 149 = 2 ^ 149 := by decide +kernel
  show natural (layer.divisor * 2 ^ 149) * natural 1 =
    Binary32.scaled (layer.pattern 0 0 0) * natural (value (layer.source 0 0 0)) +
      (Binary32.scaled (layer.pattern 0 0 (0 + 1)) * natural (value (layer.source 0 0 (0 + 1))) + 0) + 0
  rw [p0, p1, s0, s1, d, one_scaled, minus_two_scaled, natural_mul (2 ^ 149) 2]
  generalize (natural (2 ^ 149) : K) = w
  show w * natural 1 = w * natural 3 + (-(w * natural 2) * natural 1 + 0) + 0
  exact (ring1 K w, w * 1, w * 3 + (-(w * 2) * 1 + 0) + 0) w

/-- The values above are an execution whose input lies in the box. -/
theorem value_executes (K : Type u) [OrderedRing K] :
    Executes .real graph (fun i => (natural (value i) : K)) ∧
    box.Holds graph.inputs (fun i => (natural (value i) : K)) := by
  refine ⟨⟨rfl, rfl, layer_holds, ?_, trivial⟩, ?_⟩
  · intro i hi
    have hi : i = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hi) (Nat.zero_le _)
    subst hi
    exact Or.inl ⟨natural_nonneg _, rfl⟩
  · intro i hi
    have exactly : (natural box.denominator * natural (value (2 + i)) + natural box.offset : K) =
        natural (2 * value (2 + i) + 0) := by rw [natural_add, natural_mul]; rfl
    show natural _ ≤ natural box.denominator * natural (value (2 + i)) + natural box.offset ∧
      natural box.denominator * natural (value (2 + i)) + natural box.offset ≤ natural _
    rw [exactly]
    cases i with
    | zero => exact ⟨natural_le (by decide +kernel), natural_le (by decide +kernel)⟩
    | succ i =>
      have hi : i = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ (Nat.le_of_succ_le_succ hi)) (Nat.zero_le _)
      subst hi
      exact ⟨natural_le (by decide +kernel), natural_le (by decide +kernel)⟩

/-- The graph has an execution whose input lies in the box. -/
theorem executes (K : Type u) [OrderedRing K] :
    ∃ slots : Nat → K, Executes .real graph slots ∧ box.Holds graph.inputs slots :=
  ⟨_, value_executes K⟩

/-- It is of the case in which y, slot 4, is at most 2: the number 2 is 254 in steps of a half from 250 on. -/
theorem executes_in_case (K : Type u) [OrderedRing K] :
    ∃ slots : Nat → K, Executes .real graph slots ∧
      box.Holds graph.inputs slots ∧
      Every (Case.Holds ⟨2, 250, 16⟩ slots) [⟨4, 254, true⟩] := by
  refine ⟨_, (value_executes K).1, (value_executes K).2, ?_, trivial⟩
  show natural 2 * natural 1 + natural 250 ≤ (natural 254 : K)
  rw [← natural_mul, ← natural_add]
  exact natural_le (by decide +kernel)

/-- In particular over the integers. -/
theorem executes_integers : ∃ slots : Nat → Int, Executes .real graph slots ∧ box.Holds graph.inputs slots :=
  executes Int

end Example
end PytestTorchLean
