prelude
import PytestTorchLean.Thm.Certified
import PytestTorchLean.Thm.ScheduleInstances
/-!
# Instances about products that are 0

A sum with a product that is 0, a row that reads a slot that holds 0, and a certificate that counts products.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing Binary32

/-- `1 * 2^24 + 1 * 0 + 1 * 1` -/
def withZero : List (Nat × Nat) := [Prod.mk unit large, Prod.mk unit 0, Prod.mk unit unit]
def zeroTerms (K : Type u) [OrderedRing K] : List K := [scaled large, scaled 0, scaled unit]
theorem withZero_products (K : Type u) [OrderedRing K] : Products withZero (zeroTerms K) := by
  have one : (scaled unit : K) = natural (2 ^ 149) := one_scaled
  have unitTimes :
      ∀ x : Nat, natural (2 ^ 149) * scaled x = (scaled unit * scaled x : K) := fun x => by rw [one]
  exact ⟨unitTimes large, unitTimes 0, unitTimes unit, trivial⟩
theorem zero_kept (K : Type u) [OrderedRing K] : IsSum (zeroTerms K) (scaled large) := by
  have h := sequential_is_execution (withZero_products K) (by decide +kernel)
  rw [show sequential 0 withZero = large by decide +kernel] at h
  exact h
/-- Two products that are not 0, so one addition is rounded: half of what three products would be charged. -/
theorem IsSum.close (K : Type u) [OrderedRing K] :
    AtMost (natural (2 ^ 48) * (natural 1 * (scaled large - total (zeroTerms K))))
      (natural (roundingShare 2) * (natural (2 ^ 173 + 2 ^ 149) + natural 1 * natural (2 ^ 173 + 2 ^ 149)) +
        natural (2 ^ 48) * natural (3 + 3) * natural 1) := by
  have l : (scaled large : K) = natural (2 ^ 173) := by
    have s : sign large = 0 := by decide +kernel
    have m : magnitude large = 2 ^ 173 := by decide +kernel
    unfold scaled
    rw [s, m]
  have one : (scaled unit : K) = natural (2 ^ 149) := one_scaled
  have zero : (scaled 0 : K) = 0 := scaled_zero
  have each : ∀ n : Nat, (0 : K) ≤ natural n ∧ natural 1 * natural n ≤ (natural n : K) := fun n =>
    ⟨natural_nonneg n, le_of_eq (one_mul _)⟩
  have below : ∀ n : Nat, (0 : K) ≤ 0 ∧ -(natural 1 * natural n : K) ≤ 0 := fun n => by
    refine ⟨le_refl 0, ?_⟩
    have e : (natural 1 * natural n : K) = natural n := one_mul _
    rw [e]
    exact le_cert ((ring1 K x, 0 - -x, x) (natural n)) (natural_nonneg n)
  have none : (0 : K) ≤ 0 ∧ natural 1 * 0 ≤ (0 : K) := ⟨le_refl 0, by rw [mul_zero]; exact le_refl 0⟩
  have none' : (0 : K) ≤ 0 ∧ -(natural 1 * 0) ≤ (0 : K) :=
    ⟨le_refl 0, by rw [mul_zero, neg_zero]; exact le_refl 0⟩
  have leans : Leans (natural 1) (zeroTerms K) (natural (2 ^ 173 + 2 ^ 149)) 0 := by
    unfold zeroTerms
    rw [l, zero, one, natural_add]
    exact ⟨_, 0, _, 0, each _, below _, ⟨0, 0, _, 0, none, none',
      ⟨_, 0, 0, 0, each _, below _, ⟨le_refl 0, le_refl 0⟩, le_of_eq (add_zer _), le_of_eq (add_zer 0)⟩,
      le_of_eq (zero_add _), le_of_eq (add_zer 0)⟩, le_refl _, le_of_eq (add_zer 0)⟩
  have few : Few (zeroTerms K) 2 :=
    Few.succ (n := 1) _ (Few.zero zero (Few.succ (n := 0) _ Few.nil))
  have weighs := leans.weighs
  rw [add_zer] at weighs
  exact PytestTorchLean.IsSum.close (zero_kept K) (n := 3) (c := 2) Nat.le.refl (by decide +kernel) few
    (natural_nonneg 1) weighs leans (le_refl _) (natural_nonneg _)

/-- 3 in slot 2, and 0 in all others. -/
def alone (i : Nat) : Nat := cond (Nat.beq i 2) 3 0
def aloneBound (i : Nat) : Nat := 2 ^ 16 * alone i + 2 ^ 20
/-- Of the layer's two products one is other than 0; its columns of zeros have none. -/
theorem Affine.products_few (K : Type u) [OrderedRing K] :
    Few (wide.terms (fun i => (natural (alone i) : K)) 0 0) 1 := by
  have counted : Option.rec (motive := fun _ => Bool) false (fun lanes => Nat.beq 1
      (PytestTorchLean.Affine.products scale wide 2 4 (pack scale.stride 4 fun i => Memory.directWord scale
          (PytestTorchLean.Affine.lowered scale (aloneBound i))
          (PytestTorchLean.Affine.lifted scale (aloneBound i)))
        (Columns.flatten lanes)))
      (decode wide weightDecoding) = true := by decide +kernel
  have small : ∀ i, aloneBound i ≤ scale.top := fun i => by
    unfold aloneBound alone
    cases Nat.beq i 2 with
    | true => exact show 2 ^ 16 * 3 + 2 ^ 20 ≤ scale.top by decide +kernel
    | false => exact show 2 ^ 16 * 0 + 2 ^ 20 ≤ scale.top by decide +kernel
  cases h : decode wide weightDecoding with
  | none => rw [h] at counted; exact Bool.noConf_tf (Eq.symm counted)
  | some lanes =>
    rw [h] at counted
    have counted := Nat.eq_of_beq_eq_true counted
    have reads : ∀ i, i < wide.columns * wide.positions → word wide.sources i < 4 := fun i hi => by
      refine wordsBelow_sound 4 (wide.columns * wide.positions) wide.sources (by decide +kernel) i hi
    have few := PytestTorchLean.Affine.products_few (s := scale) (n := 2) (start := 4) (l := aloneBound)
      (u := aloneBound) (slots := fun i => (natural (alone i) : K)) scale_fits.unit (by decide +kernel)
      (by decide +kernel) (decode_sound h)
      (fun i _ => ⟨Nat.le.refl, small i, by
        have e : scale.image (natural (alone i) : K) = natural (aloneBound i) := by
          unfold Scale.image aloneBound
          rw [natural_add, natural_mul]; rfl
        exact ⟨le_of_eq e.symm, le_of_eq e⟩⟩) reads 0 0 (by decide +kernel) (by decide +kernel)
    rw [← counted] at few
    exact few

/-- A certificate whose affine node counts its products. -/
def counting : Certificate := ⟨scale, [[.node ⟨weightDecoding, 2, 0⟩ (.node reluStep afterRelu)]]⟩
theorem counted (K : Type u) [OrderedRing K] : Every (Claim.Holds K .binary32 wideGraph) claims :=
  PytestTorchLean.sound K (rules := .plain) (c := counting) (by decide +kernel)

end Example
end PytestTorchLean
