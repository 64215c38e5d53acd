prelude
import PytestTorchLean.Algebra.Normalizer
/-! # Order lemmas, and images of naturals -/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace OrderedRing
variable {K : Type u} [OrderedRing K]
theorem le_of_eq {a b : K} (h : a = b) : a ≤ b := h ▸ le_refl a
theorem add_le_add {a b c d : K} (h : a ≤ b) (g : c ≤ d) : a + c ≤ b + d := by
  have g' := add_le b g
  rw [add_comm c, add_comm d] at g'
  exact le_trans (add_le c h) g'
theorem sub_nonneg {a b : K} (h : a ≤ b) : 0 ≤ b - a := by
  have h2 := add_le (-a) h
  rw [add_neg'] at h2; exact h2
/-- certificate form of an inequality: `b - a` equals something nonnegative -/
theorem le_cert {a b s : K} (e : b - a = s) (h : 0 ≤ s) : a ≤ b := by
  have h2 := add_le a (e ▸ h : 0 ≤ b - a)
  rw [zero_add, (ring2 K x y, y - x + x, y) a b] at h2; exact h2
theorem mul_nonneg {a b : K} (h : 0 ≤ a) (g : 0 ≤ b) : 0 ≤ a * b := mul_nonneg' h g
theorem add_nonneg {a b : K} (h : 0 ≤ a) (g : 0 ≤ b) : 0 ≤ a + b := by
  have := add_le_add h g; rw [add_zer] at this; exact this
theorem neg_nonneg {a : K} (h : a ≤ 0) : 0 ≤ -a := by
  have h := sub_nonneg h; rw [sub_def, zero_add] at h; exact h
theorem sq_nonneg (a : K) : 0 ≤ a * a := by
  cases le_total 0 a with
  | inl h => exact mul_nonneg h h
  | inr h => have h := neg_nonneg h
             have h2 := mul_nonneg h h
             rw [(ring1 K x, -x * -x, x * x) a] at h2; exact h2
theorem zero_le_one : (0 : K) ≤ 1 := by have h := sq_nonneg (1 : K); rw [mul_on] at h; exact h
theorem one_not_le : ¬ ((1 : K) ≤ 0) := by rw [one_eq]; exact one_not_le_zero
theorem lt_irrefl {a : K} (h : a < a) : False := h (le_refl a)
theorem mul_le_left {a b c : K} (hc : 0 ≤ c) (h : a ≤ b) : c * a ≤ c * b :=
  le_cert ((ring3 K x y z, z * y - z * x, z * (y - x)) a b c) (mul_nonneg hc (sub_nonneg h))
theorem mul_le_right {a b c : K} (hc : 0 ≤ c) (h : a ≤ b) : a * c ≤ b * c := by
  rw [mul_comm a, mul_comm b]; exact mul_le_left hc h
theorem mul_le_mul {a b c d : K} (ha : 0 ≤ a) (hc : 0 ≤ c) (h : a ≤ b) (g : c ≤ d) : a * c ≤ b * d :=
  le_trans (mul_le_right hc h) (mul_le_left (le_trans ha h) g)
/-! ### images of naturals -/
theorem natural_succ (n : Nat) : (natural (n+1) : K) = natural n + 1 := by rw [one_eq]; rfl
theorem natural_add (m n : Nat) : (natural (m + n) : K) = natural m + natural n := by
  induction n with
  | zero => exact (add_zer _).symm
  | succ n ih => show natural (m + n + 1) = _; rw [natural_succ, ih, natural_succ, add_assoc]
theorem natural_mul (m n : Nat) : (natural (m * n) : K) = natural m * natural n := by
  induction n with
  | zero => exact (mul_zero _).symm
  | succ n ih =>
    rw [Nat.mul_succ, natural_add, ih, natural_succ, mul_add, mul_on]
theorem natural_nonneg (n : Nat) : (0 : K) ≤ natural n := by
  induction n with
  | zero => exact le_refl _
  | succ n ih => rw [natural_succ]; exact add_nonneg ih zero_le_one
theorem natural_le {m n : Nat} (h : m ≤ n) : (natural m : K) ≤ natural n := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le h
  have := add_le_add (le_refl (natural m : K)) (natural_nonneg k)
  rw [add_zer] at this
  rw [natural_add]; exact this
theorem cancel_natural {n : Nat} (hn : 0 < n) {x y : K} (h : natural n * x ≤ natural n * y) : x ≤ y := by
  cases le_total x y with
  | inl g => exact g
  | inr g =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le hn
    have e : n = k + 1 := by rw [hk, Nat.add_comm]
    rw [e, natural_succ] at h
    have a := add_nonneg (mul_nonneg (natural_nonneg (K := K) k) (sub_nonneg g)) (sub_nonneg h)
    exact le_cert ((ring3 K n x y, y - x, n * (x - y) + ((n + 1) * y - (n + 1) * x)) (natural k) x y) a
theorem natural_le_reflect {m n : Nat} (h : (natural m : K) ≤ natural n) : m ≤ n := by
  cases Nat.lt_or_ge n m with
  | inr g => exact g
  | inl g =>
    have a : (natural (n + 1) : K) ≤ natural m := natural_le g
    have b := le_trans a h
    rw [natural_succ] at b
    refine absurd (le_cert ?_ (sub_nonneg b)) one_not_le
    exact (ring1 K x, 0 - 1, x - (x + 1)) (natural n)
end OrderedRing
end PytestTorchLean
