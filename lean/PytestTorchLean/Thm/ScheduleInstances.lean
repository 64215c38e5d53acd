prelude
import PytestTorchLean.Thm.Evaluator
import PytestTorchLean.Thm.Instances
import PytestTorchLean.Thm.RoundedInput
/-!
# The theorems about schedules are not vacuous

Numbers on which the evaluator's schedule, the fused one and a grouping run without overflow, in every
ordered ring, and two orders of the same sum that give different results.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing Binary32
variable {K : Type u} [OrderedRing K]

/-- `1 * 2^24 + 1 * 1 + 1 * 1`, the second factors of the three pairs -/
def large : Nat := 0x4B800000
def unit : Nat := 0x3F800000
def summands : List (Nat × Nat) := [Prod.mk unit large, Prod.mk unit unit, Prod.mk unit unit]
/-- The products, which are exact. -/
def terms (K : Type u) [OrderedRing K] : List K := [scaled large, scaled unit, scaled unit]

theorem summands_products : Products summands (terms K) := by
  have one : (scaled unit : K) = natural (2 ^ 149) := one_scaled
  have unitTimes :
      ∀ x : Nat, natural (2 ^ 149) * scaled x = (scaled unit * scaled x : K) := fun x => by rw [one]
  exact ⟨unitTimes large, unitTimes unit, unitTimes unit, trivial⟩

/-- From left to right `2^24 + 1` is rounded to `2^24`, twice. -/
theorem sequential_loses : sequential 0 summands = large := by decide +kernel
/-- Both ones added first make `2^24 + 2`. -/
def onesFirst : Grouping :=
  .sum (.product (Prod.mk unit large)) (.sum (.product (Prod.mk unit unit)) (.product (Prod.mk unit unit)))
theorem grouping_keeps : onesFirst.run = large + 1 := by decide +kernel
/-- With fused multiply-adds, too, the ones are lost one by one. -/
theorem fused_loses : fused 0 summands = large := by decide +kernel

/-- Two executions of one sum with different results: the specification contains both. -/
theorem order_matters (K : Type u) [OrderedRing K] :
    IsSum (terms K) (scaled large) ∧ IsSum (terms K) (scaled (large + 1)) := by
  constructor
  · have h := sequential_is_execution (K := K) summands_products (by decide +kernel)
    rw [sequential_loses] at h
    exact h
  · have h := grouping_is_execution (K := K) onesFirst (terms K) summands_products (by decide +kernel)
    rw [grouping_keeps] at h
    exact h
theorem order_matters_fused (K : Type u) [OrderedRing K] : IsSum (terms K) (scaled large) := by
  have h := fused_is_execution (K := K) summands_products (by decide +kernel)
  rw [fused_loses] at h
  exact h

/-- The patterns of the numbers in `value`. -/
def bits (i : Nat) : Nat := cond (Nat.beq i 0) 0 (cond (Nat.beq i 2) 0x40400000 unit)

theorem bits_value (i : Nat) : natural (2 ^ 149) * natural (value i) = (scaled (bits i) : K) := by
  have three : (scaled 0x40400000 : K) = natural (2 ^ 149 * 3) := by
    have s : sign 0x40400000 = 0 := by decide +kernel
    have m : magnitude 0x40400000 = 2 ^ 149 * 3 := by decide +kernel
    unfold scaled
    rw [s, m]
  unfold value bits
  cases Nat.beq i 0 with
  | true => exact (OrderedRing.mul_zero _).trans scaled_zero.symm
  | false =>
    cases Nat.beq i 2 with
    | true => exact (natural_mul _ 3).symm.trans three.symm
    | false => exact (natural_mul _ 1).symm.trans one_scaled.symm

theorem evaluated_row : sequential 0 (layer.pairs bits 0 0) = unit := by decide +kernel

/-- The evaluator's value of the row `1.0 * 3 + -2.0 * 1` in the example graph. -/
theorem evaluator_computes_row (K : Type u) [OrderedRing K] :
    layer.Computes .binary32 (fun i => (natural (value i) : K)) 0 0 (natural 1) := by
  refine Affine.evaluator_computes layer rfl bits_value ?_ ?_
  · rw [evaluated_row]; exact (natural_mul _ 1).symm.trans one_scaled.symm
  · rw [evaluated_row]; decide +kernel

theorem bits_finite (i : Nat) : exponent (bits i) < 255 ∧ bits i < 2 ^ 32 := by
  unfold bits
  cases Nat.beq i 0 with
  | true => exact show exponent 0 < 255 ∧ 0 < 2 ^ 32 from ⟨by decide +kernel, by decide +kernel⟩
  | false =>
    cases Nat.beq i 2 with
    | true =>
      exact show exponent 0x40400000 < 255 ∧ 0x40400000 < 2 ^ 32 from ⟨by decide +kernel, by decide +kernel⟩
    | false => exact show exponent unit < 255 ∧ unit < 2 ^ 32 from ⟨by decide +kernel, by decide +kernel⟩

theorem same_order {α : Type} : (s : List α) → Reordered s s
  | [] => Reordered.nil
  | x :: s => Reordered.cons x (same_order s)

/-- The evaluator runs the example graph on `x0 = 3`, `x1 = 1` without overflow. -/
theorem evaluates : graph.Evaluates bits := by
  refine ⟨by decide +kernel, by decide +kernel, bits_finite, ?_, ?_, trivial⟩
  · intro position row hp hr
    have hp : position = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hp) (Nat.zero_le _)
    have hr : row = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hr) (Nat.zero_le _)
    subst hp
    subst hr
    have run := evaluated_row
    cases pairs : layer.pairs bits 0 0 with
    | nil => cases pairs
    | cons pair rest =>
      rw [pairs] at run
      exact ⟨pair, rest, same_order _, Or.inl ⟨by decide +kernel, by rw [run]; decide +kernel⟩⟩
  · intro i hi
    have hi : i = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hi) (Nat.zero_le _)
    subst hi
    decide +kernel

/-- So the graph has this execution in binary32. -/
theorem evaluator_run (K : Type u) [OrderedRing K] :
    Executes .binary32 graph (fun i => (natural (value i) : K)) :=
  evaluates.executes bits_value

/-- The number in a slot is rounded to its pattern. -/
theorem bits_rounded (i : Nat) : RoundsTo (natural (2 ^ 149 * value i) : K) 1 (bits i) := by
  have exactly : ∀ {n p : Nat}, round 0 n 1 = p → RoundsTo (natural n : K) 1 p :=
    fun e => e ▸ round_rounds K (Nat.zero_le 1) (Nat.le_refl 1)
  unfold value bits
  cases Nat.beq i 0 with
  | true => exact exactly (show round 0 (2 ^ 149 * 0) 1 = 0 by decide +kernel)
  | false =>
    cases Nat.beq i 2 with
    | true => exact exactly (show round 0 (2 ^ 149 * 3) 1 = 0x40400000 by decide +kernel)
    | false => exact exactly (show round 0 (2 ^ 149 * 1) 1 = unit by decide +kernel)

/-- The inputs 3 and 1, rounded, lie in the hull of the example's box. -/
theorem rounded_inputs (K : Type u) [OrderedRing K] :
    box.HullHolds graph.inputs (fun i => (natural (value i) : K)) := by
  refine box.rounded_in_hull (bits := fun i => bits (2 + i)) (d := fun _ => 1)
    (v := fun i => natural (2 ^ 149 * value (2 + i))) (by decide)
    (fun i _ => ⟨Nat.le_refl 1, bits_rounded (2 + i), (bits_finite (2 + i)).1, bits_value (2 + i)⟩)
    fun i hi => ?_
  have between : ∀ {l m u : Nat}, l ≤ 2 * m → 2 * m ≤ u →
      natural 1 * (natural l - natural (2 ^ 149 * box.offset)) ≤ (natural box.denominator * natural m : K) ∧
      (natural box.denominator * natural m : K) ≤ natural 1 * (natural u - natural (2 ^ 149 * box.offset)) :=
          fun {l m u} a b => by
    have e : (natural box.denominator * natural m : K) = natural (2 * m) := (natural_mul 2 m).symm
    have z :
        ∀ n : Nat, natural 1 * (natural n - natural (2 ^ 149 * box.offset)) = (natural n : K) := fun n => by
      have none : 2 ^ 149 * box.offset = 0 := by decide +kernel
      rw [none]
      exact (ring1 K x, 1 * (x - 0), x) _
    rw [e, z, z]
    exact ⟨natural_le a, natural_le b⟩
  cases i with
  | zero => exact between (by decide +kernel) (by decide +kernel)
  | succ i =>
    have hi : i = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ (Nat.le_of_succ_le_succ hi)) (Nat.zero_le _)
    subst hi
    exact between (by decide +kernel) (by decide +kernel)

end Example
end PytestTorchLean
