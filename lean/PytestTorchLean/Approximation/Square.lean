prelude
import PytestTorchLean.Approximation.Certified
/-!
# The network of 16 points is close to the product, everywhere on the unit square

The general theorem applied to one table: its values are samples of the product, and its grid leaves no point
of the square further than 8 64ths away.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open Approximation OrderedRing
variable {K : Type u} [OrderedRing K]

/-- The coordinates of the grid, in 64ths. -/
def centre (c : Nat) : Nat := 8 + 16 * c
theorem centre_le {c : Nat} (h : c < 4) : centre c ≤ 64 := by
  have z := Nat.add_le_add (Nat.le_refl 8) (Nat.mul_le_mul (Nat.le_refl 16) (Nat.le_of_succ_le_succ h))
  exact Nat.le_trans z (by decide)

/-- The table holds samples of the product. -/
theorem square_sampled (halves : Halves K) (point : Nat) :
    Sampled square (zeros K) (ones K) product point (square.value point) := by
  obtain ⟨q, hq⟩ := choose (0 : K) 2 (p := fun i q => natural 64 * q = natural (centre (digit 2 point i)))
    fun i _ => divide halves _ 6
  have inside : InBox 2 (zeros K) (ones K) q := fun i hi => by
    constructor
    · refine le_of_natural_mul_le (d := 64) (by decide) ?_
      rw [hq i hi]
      exact le_trans (le_of_eq (mul_zero _)) (natural_nonneg _)
    · refine le_of_natural_mul_le (d := 64) (by decide) ?_
      rw [hq i hi]
      exact le_trans (natural_le (centre_le (digit_lt 2 point i))) (le_of_eq (mul_on _).symm)
  refine ⟨q, inside, fun x distance _ hd i hi => ?_, ?_⟩
  · have z : AtMost (natural 64 * x i + natural 0 - natural (centre (digit 2 point i))) (distance i) :=
      hd i hi
    rw [← hq i hi] at z
    have e : natural 64 * x i + natural 0 - natural 64 * q i = natural 64 * (x i - q i) :=
      (ring3 K n x q, n * x + 0 - n * q, n * (x - q)) _ _ _
    rw [e] at z
    exact z
  · have both : natural 64 * (natural 64 * product q) =
        (natural (centre (digit 2 point 0) * centre (digit 2 point 1)) : K) := by
      rw [natural_mul, ← hq 0 (by decide), ← hq 1 (by decide)]
      exact (ring3 K n x y, n * (n * (x * y)), n * x * (n * y)) (natural 64) (q 0) (q 1)
    have value : square.value point = centre (digit 2 point 0) * centre (digit 2 point 1) / 64 := rfl
    have whole :=
      Natural.mod_add_div (B := 64) (by decide) (centre (digit 2 point 0) * centre (digit 2 point 1))
    have part := Natural.mod_lt (B := 64) (by decide) (centre (digit 2 point 0) * centre (digit 2 point 1))
    rw [value]
    generalize centre (digit 2 point 0) * centre (digit 2 point 1) = n at *
    have unit : natural square.outputUnit = (natural 64 : K) := rfl
    have none : natural 64 * product q + natural 0 = natural 64 * product q := add_zer _
    show natural (n / 64) ≤ natural 64 * product q + natural 0 ∧
      natural 64 * product q + natural 0 ≤ natural (n / 64) + 1
    rw [none]
    constructor
    · refine le_of_natural_mul_le (d := 64) (by decide) ?_
      rw [both, ← natural_mul]
      refine natural_le ?_
      exact Nat.le_trans (Nat.le_add_left _ (n % 64)) (Natural.le_of_eq whole)
    · refine le_of_natural_mul_le (d := 64) (by decide) ?_
      rw [both, ← natural_succ, ← natural_mul]
      refine natural_le (Nat.le_trans (Natural.le_of_eq whole.symm) ?_)
      rw [Nat.mul_succ, Nat.add_comm]
      exact Nat.add_le_add (Nat.le_refl _) (Natural.le_of_lt part)

/-- A number between two multiples of 16 is no further than 8 from what is in the middle. -/
theorem near_centre {y : K} {c : Nat} (low : natural (16 * c) ≤ y) (high : y ≤ natural (16 * (c + 1))) :
    AtMost (y - natural (centre c)) (natural 8) := by
  have middle : (natural (centre c) : K) = natural 8 + natural (16 * c) := natural_add _ _
  have last : (natural (16 * (c + 1)) : K) = natural (16 * c) + (natural 8 + natural 8) := by
    rw [← natural_add, ← natural_add]; rfl
  rw [last] at high
  rw [middle]
  generalize (natural (16 * c) : K) = a at *
  generalize (natural 8 : K) = e at *
  exact ⟨le_cert ((ring3 K y a e, e - (y - (e + a)), a + (e + e) - y) _ _ _) (sub_nonneg high),
    le_cert ((ring3 K y a e, e - -(y - (e + a)), y - a) _ _ _) (sub_nonneg low)⟩
theorem square_cover {y : K} (low : 0 ≤ y) (high : y ≤ natural 64) :
    ∃ c, c < 4 ∧ AtMost (y - natural (centre c)) (natural 8) := by
  cases le_total y (natural 16) with
  | inl h => exact ⟨0, by decide, near_centre (c := 0) low h⟩
  | inr g =>
    cases le_total y (natural 32) with
    | inl h => exact ⟨1, by decide, near_centre (c := 1) g h⟩
    | inr g =>
      cases le_total y (natural 48) with
      | inl h => exact ⟨2, by decide, near_centre (c := 2) g h⟩
      | inr g => exact ⟨3, by decide, near_centre (c := 3) g high⟩

/-- **The theorem, executed for two inputs.** Every exact execution of the packed graph on an input of the
    unit square has an output that is at most the product and at least the product less 33 64ths. -/
theorem square_approximates (halves : Halves K) {slots : Nat → K}
    (h : Executes .real square.network.graph slots)
    (hx : InBox 2 (zeros K) (ones K) (fun i => slots (2 + i))) :
    slots square.output ≤ slots 2 * slots 3 ∧
    natural 64 * (slots 2 * slots 3 - slots square.output) ≤ natural 33 := by
  have steep : natural square.outputUnit * 1 ≤ (natural square.inputUnit : K) := le_of_eq (mul_on _)
  obtain ⟨below, close⟩ := Table.approximates (t := square) (radius := natural 8) (slope := 1) (f := product)
    (lower := zeros K) (upper := ones K)
    halves product_lipschitz steep (fun point _ => square_sampled halves point) (fun x hx i hi => by
      have low := mul_le_left (natural_nonneg (K := K) 64) (hx i hi).1
      have high := mul_le_left (natural_nonneg (K := K) 64) (hx i hi).2
      have low : 0 ≤ natural 64 * x i := le_trans (le_of_eq (mul_zero (natural 64)).symm) low
      have high : natural 64 * x i ≤ natural 64 := le_trans high (le_of_eq (mul_on _))
      have e : natural 64 * x i + natural 0 = natural 64 * x i := add_zer _
      show ∃ c, c < 4 ∧ AtMost (natural 64 * x i + natural 0 - natural (centre c)) (natural 8)
      rw [e]
      exact square_cover low high) hx ((square_interpolates halves).1 slots h)
  refine ⟨below, le_trans close (le_of_eq ?_)⟩
  show natural 2 * (natural 2 * natural 8) + 1 = natural 33
  rw [← natural_mul, ← natural_mul, ← natural_succ]

end Example
end PytestTorchLean
