prelude
import PytestTorchLean.Core.Nat
/-!
# Linearly ordered commutative rings

Every theorem of this library holds in every linearly ordered commutative ring: the integers, the
rationals and the real numbers are instances. Numbers of the model enter as images of naturals
(`natural`), so nothing about division or limits is assumed.
-/
set_option linter.all false
universe u
namespace PytestTorchLean

/-- A linearly ordered commutative ring in which 1 is positive. -/
class OrderedRing (K : Type u) extends Add K, Mul K, Neg K, LE K where
  zero : K
  one : K
  add_assoc (a b c : K) : a + b + c = a + (b + c)
  add_comm (a b : K) : a + b = b + a
  add_zero (a : K) : a + zero = a
  add_neg (a : K) : a + -a = zero
  mul_assoc (a b c : K) : a * b * c = a * (b * c)
  mul_comm (a b : K) : a * b = b * a
  mul_one (a : K) : a * one = a
  mul_add (a b c : K) : a * (b + c) = a * b + a * c
  le_refl (a : K) : a ≤ a
  le_trans {a b c : K} : a ≤ b → b ≤ c → a ≤ c
  le_antisymm {a b : K} : a ≤ b → b ≤ a → a = b
  le_total (a b : K) : a ≤ b ∨ b ≤ a
  add_le {a b : K} (c : K) : a ≤ b → a + c ≤ b + c
  mul_nonneg' {a b : K} : zero ≤ a → zero ≤ b → zero ≤ a * b
  one_not_le_zero : ¬ (one ≤ zero)

namespace OrderedRing
variable {K : Type u} [OrderedRing K]

/-- The image of a natural number: 1 + ... + 1. -/
def natural : Nat → K
  | 0 => zero
  | n+1 => natural n + one
instance instOfNat (n : Nat) : OfNat K n := ⟨natural n⟩
instance instSub : Sub K := ⟨fun a b => a + -b⟩
instance instLT : LT K := ⟨fun a b => ¬ b ≤ a⟩
instance : Trans (α := K) (β := K) (γ := K) LE.le LE.le LE.le := ⟨le_trans⟩
theorem sub_def (a b : K) : a - b = a + -b := rfl
theorem add_zer (a : K) : a + 0 = a := add_zero a
theorem zero_add (a : K) : 0 + a = a := by rw [add_comm]; exact add_zero a
theorem one_eq : (1 : K) = one := by show (zero : K) + one = one; rw [add_comm]; exact add_zero _
theorem mul_on (a : K) : a * 1 = a := by rw [one_eq]; exact mul_one a
theorem one_mul (a : K) : 1 * a = a := by rw [mul_comm]; exact mul_on a
theorem add_neg' (a : K) : a + -a = 0 := add_neg a
theorem add_left_comm (a b c : K) : a + (b + c) = b + (a + c) := by
  rw [← add_assoc, add_comm a b, add_assoc]
theorem mul_left_comm (a b c : K) : a * (b * c) = b * (a * c) := by
  rw [← mul_assoc, mul_comm a b, mul_assoc]
theorem add_mul (a b c : K) : (a + b) * c = a * c + b * c := by
  rw [mul_comm, mul_add, mul_comm c a, mul_comm c b]
theorem neg_unique {a b : K} (h : a + b = 0) : b = -a := by
  have h1 : -a + (a + b) = b := by rw [← add_assoc, add_comm (-a), add_neg', zero_add]
  rw [← h1, h, add_zer]
theorem neg_neg (a : K) : - -a = a := (neg_unique (by rw [add_comm]; exact add_neg' a)).symm
theorem neg_add (a b : K) : -(a + b) = -a + -b := by
  refine (neg_unique ?_).symm
  have e : a + b + (-a + -b) = (a + -a) + (b + -b) := by simp only [add_assoc, add_left_comm, add_comm]
  rw [e, add_neg', add_neg', add_zer]
theorem neg_zero : -(0 : K) = 0 := (neg_unique (add_zer 0)).symm
theorem mul_zero (a : K) : a * 0 = 0 := by
  have h : a * 0 + a * 0 = a * 0 := by rw [← mul_add, add_zer]
  have h2 : a * 0 + a * 0 + -(a * 0) = a * 0 + -(a * 0) := by rw [h]
  rw [add_assoc, add_neg', add_zer] at h2; exact h2
theorem zero_mul (a : K) : 0 * a = 0 := by rw [mul_comm]; exact mul_zero a
theorem mul_neg (a b : K) : a * -b = -(a * b) := by
  apply neg_unique; rw [← mul_add, add_neg', mul_zero]
theorem neg_mul (a b : K) : -a * b = -(a * b) := by rw [mul_comm, mul_neg, mul_comm]

end OrderedRing
end PytestTorchLean
