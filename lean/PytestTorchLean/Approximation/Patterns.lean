prelude
import PytestTorchLean.Approximation.Construction
import PytestTorchLean.Thm.Grid
import PytestTorchLean.Thm.Rounds
/-!
# What the weights of the approximating network are
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing Binary32
namespace Approximation
variable {K : Type u} [OrderedRing K]

theorem scaled_one : (scaled one : K) = natural (2 ^ 149) := by
  have s : sign one = 0 := by decide +kernel
  have m : magnitude one = 2 ^ 149 := by decide +kernel
  unfold scaled
  rw [s, m]
theorem scaled_minusOne : (scaled minusOne : K) = -natural (2 ^ 149) := by
  have s : sign minusOne = 1 := by decide +kernel
  have m : magnitude minusOne = 2 ^ 149 := by decide +kernel
  unfold scaled
  rw [s, m]

/-- Patterns of numbers that are not negative. -/
theorem scaled_positive {p : Nat} (h : p < 2 ^ 31) : (scaled p : K) = natural (magnitude p) := by
  have s : sign p = 0 := by
    show p / 2 ^ 31 % 2 = 0
    rw [Natural.div_eq_zero h]; rfl
  unfold scaled
  rw [s]

theorem power_small {field : Nat} (h : field < 255) : power field < 2 ^ 31 := by
  have z : field * 0x800000 < 255 * 0x800000 := by
    rw [Nat.mul_comm field, Nat.mul_comm 255]
    exact Natural.mul_lt_mul_left (by decide +kernel) h
  exact Nat.lt_of_lt_of_le z (by decide +kernel)
theorem scaled_power {e : Nat} (h : e < 254) : (scaled (power (e + 1)) : K) = natural (2 ^ (23 + e)) := by
  rw [scaled_positive (power_small (Nat.succ_le_succ h))]
  have g := fields (f := 0) (k := e + 1) (Natural.two_pow_pos 23)
    (Nat.lt_of_lt_of_le (Nat.succ_le_succ h) (by decide))
  have p : power (e + 1) = 0 + 2 ^ 23 * (e + 1) := by
    rw [Nat.zero_add]; exact Nat.mul_comm (e + 1) 0x800000
  rw [p, magnitude_of_succ g.1 g.2, Natural.pow_add]

theorem whole_zero : whole 0 = 0 := rfl
/-- `n * 2^(23 - log2 n)` has 24 bits. -/
theorem whole_digits {n : Nat} (h : 0 < n) (g : n < 2 ^ 24) :
    Nat.log2 n ≤ 23 ∧ 2 ^ 23 ≤ n * 2 ^ (23 - Nat.log2 n) ∧ n * 2 ^ (23 - Nat.log2 n) < 2 ^ 24 := by
  obtain ⟨low, high⟩ := log2_bounds h
  have l : Nat.log2 n ≤ 23 := Nat.le_of_succ_le_succ (exponent_lt_of_pow_lt (Nat.lt_of_le_of_lt low g))
  refine ⟨l, ?_, ?_⟩
  · have z := Nat.mul_le_mul low (Nat.le_refl (2 ^ (23 - Nat.log2 n)))
    rw [← Natural.pow_add, Nat.add_comm, Natural.sub_add_cancel l] at z
    exact z
  · have z := Natural.mul_lt_mul_left (Natural.two_pow_pos (23 - Nat.log2 n)) high
    rw [← Natural.pow_add, ← Nat.add_assoc, Natural.sub_add_cancel l, Nat.mul_comm] at z
    exact z
theorem whole_positive {n : Nat} (h : 0 < n) :
    whole n = 2 ^ 23 * (126 + Nat.log2 n) + n * 2 ^ (23 - Nat.log2 n) := by
  have b : Nat.beq n 0 = false := by
    cases n with
    | zero => exact absurd h (Nat.lt_irrefl 0)
    | succ n => rfl
  unfold whole
  rw [b]; rfl
theorem whole_small {n : Nat} (g : n < 2 ^ 24) : whole n < 2 ^ 31 := by
  cases n with
  | zero => exact Natural.two_pow_pos 31
  | succ n =>
    have h := Nat.succ_pos n
    obtain ⟨l, _, high⟩ := whole_digits h g
    rw [whole_positive h]
    have z := Nat.add_le_add (Nat.mul_le_mul (Nat.le_refl (2 ^ 23)) (Nat.add_le_add (Nat.le_refl 126) l)) high
    exact Nat.lt_of_lt_of_le z (by decide +kernel)
theorem scaled_whole {n : Nat} (g : n < 2 ^ 24) : (scaled (whole n) : K) = natural (2 ^ 149 * n) := by
  rw [scaled_positive (whole_small g)]
  cases n with
  | zero => exact congrArg natural (by decide +kernel)
  | succ n =>
    have h := Nat.succ_pos n
    obtain ⟨l, low, high⟩ := whole_digits h g
    rw [whole_positive h, magnitude_grid (Nat.le_of_lt high) (Or.inr low)
      (Nat.lt_of_le_of_lt (Nat.add_le_add (Nat.le_refl 126) l) (by decide)), Nat.mul_assoc, ← Natural.pow_add,
        ← Nat.add_assoc,
      Nat.add_comm _ 126, Nat.add_assoc, Natural.sub_add_cancel l, Nat.mul_comm]

end Approximation
end PytestTorchLean
