prelude
import PytestTorchLean.Thm.Arithmetic
/-!
# The square root is correctly rounded
-/
set_option linter.all false
namespace PytestTorchLean
namespace Binary32
open Natural

/-- `r` is the largest number whose square is at most `n`. -/
def IsRoot (n r : Nat) : Prop := r * r ≤ n ∧ n < (r + 1) * (r + 1)

theorem double_square (r : Nat) : 2 * r * (2 * r) = 4 * (r * r) := by
  rw [Nat.mul_assoc, Nat.mul_left_comm r, ← Nat.mul_assoc]
theorem double_next (r : Nat) : (2 * r + 1 + 1) * (2 * r + 1 + 1) = 4 * ((r + 1) * (r + 1)) :=
  double_square (r + 1)

theorem squareRootBitwise_root : (steps n : Nat) → n < 4 ^ steps → IsRoot n (squareRootBitwise steps n)
  | 0, n, h => by
    have z : n = 0 := eq_zero_of_lt_one h
    subst z
    exact ⟨Nat.le_refl 0, Nat.succ_pos 0⟩
  | steps + 1, n, h => by
    have small : n / 4 < 4 ^ steps := div_lt (by decide) (by rw [← Natural.pow_succ]; exact h)
    obtain ⟨lower, upper⟩ := squareRootBitwise_root steps (n / 4) small
    have whole := mod_add_div (B := 4) (by decide) n
    have rest := mod_lt (B := 4) (by decide) n
    show IsRoot n (cond
        (Nat.ble ((2 * squareRootBitwise steps (n / 4) + 1) * (2 * squareRootBitwise steps (n / 4) + 1)) n)
        (2 * squareRootBitwise steps (n / 4) + 1) (2 * squareRootBitwise steps (n / 4)))
    generalize squareRootBitwise steps (n / 4) = r at *
    generalize n / 4 = k at *
    generalize n % 4 = j at *
    have low : 2 * r * (2 * r) ≤ n := by
      rw [double_square, ← whole]
      exact Nat.le_trans (Nat.mul_le_mul (Nat.le_refl 4) lower) (Nat.le_add_left _ j)
    have high : n < (2 * r + 1 + 1) * (2 * r + 1 + 1) := by
      rw [double_next, ← whole]
      exact add_mul_lt rest upper
    cases c : Nat.ble ((2 * r + 1) * (2 * r + 1)) n with
    | true => exact ⟨Nat.le_of_ble_eq_true c, high⟩
    | false => exact ⟨low, Nat.lt_of_not_le fun g => ne_true_of_eq_false c (Nat.ble_eq_true_of_le g)⟩

theorem squareRoot_root {n : Nat} (h : n < 4 ^ 256) : IsRoot n (squareRoot n) := by
  have slow := squareRootBitwise_root 256 n h
  unfold squareRoot
  generalize squareRootBitwise 256 n = r at *
  generalize newton n 12 (2 ^ (Nat.log2 n / 2 + 1)) = x
  show IsRoot n (cond (and (Nat.ble (x * x) n) (Nat.ble (n + 1) ((x + 1) * (x + 1)))) x r)
  cases c : and (Nat.ble (x * x) n) (Nat.ble (n + 1) ((x + 1) * (x + 1))) with
  | false => exact slow
  | true =>
    rw [Bool.and_eq_true] at c
    exact ⟨Nat.le_of_ble_eq_true c.1, Nat.le_of_ble_eq_true c.2⟩

theorem square_lt {a b : Nat} (h : b < a) : b * b < a * a := by
  refine lt_of_lt_of_le ?_ (Nat.mul_le_mul h h)
  show b * b + 1 ≤ (b + 1) * (b + 1)
  rw [Nat.succ_mul, Nat.mul_succ, Nat.add_assoc]
  exact Nat.add_le_add (Nat.le_refl (b * b)) (Nat.le_add_left 1 (b + b))
theorem le_of_square_le {a b : Nat} (h : a * a ≤ b * b) : a ≤ b :=
  (Nat.lt_or_ge b a).elim (fun g => absurd h (Nat.not_le_of_lt (square_lt g))) id

/-- 0 if the root is exact, otherwise 1. -/
def sticky (N t : Nat) : Nat := cond (Nat.beq (t * t) N) 0 1

theorem sticky_cases (N t : Nat) : (sticky N t = 0 ∧ t * t = N) ∨ (sticky N t = 1 ∧ t * t ≠ N) := by
  unfold sticky
  cases c : Nat.beq (t * t) N with
  | true => exact Or.inl ⟨rfl, Nat.eq_of_beq_eq_true c⟩
  | false => exact Or.inr ⟨rfl, Nat.ne_of_beq_eq_false c⟩

theorem four_mul (t : Nat) : 2 * (2 * t) = 4 * t := (Nat.mul_assoc 2 2 t).symm

/-- A midpoint `S / 2` up to the substitute for the root is one up to the root. -/
theorem midpoint_below {N t S : Nat} (h : IsRoot N t) (g : 4 * S ≤ 2 * (2 * t + sticky N t)) :
    S * S ≤ N ∧ (S * S = N → 4 * S = 2 * (2 * t + sticky N t)) := by
  have le : S ≤ t := by
    refine Nat.le_of_succ_le_succ (lt_of_mul_lt_mul_left (c := 4) (lt_of_le_of_lt g ?_))
    rw [Nat.mul_add, four_mul]
    refine Nat.add_le_add (Nat.le_refl (4 * t))
      (Nat.succ_le_succ (Nat.le_trans (Nat.mul_le_mul (Nat.le_refl 2) ?_) (by decide : 2 * 1 ≤ 3)))
    exact (sticky_cases N t).elim (fun c => by rw [c.1]; exact Nat.zero_le 1) fun c => Natural.le_of_eq c.1
  refine ⟨Nat.le_trans (Nat.mul_le_mul le le) h.1, fun e => ?_⟩
  have same : S = t := Nat.le_antisymm le (le_of_square_le (by rw [e]; exact h.1))
  subst same
  cases sticky_cases N S with
  | inl c => rw [c.1, Nat.add_zero, four_mul]
  | inr c => exact absurd e c.2

/-- And from the substitute on, one from the root on. -/
theorem midpoint_above {N t S : Nat} (h : IsRoot N t) (g : 2 * (2 * t + sticky N t) ≤ 4 * S) :
    N ≤ S * S ∧ (N = S * S → 2 * (2 * t + sticky N t) = 4 * S) := by
  cases sticky_cases N t with
  | inl c =>
    rw [c.1, Nat.add_zero, four_mul] at g ⊢
    have le := Midpoints.le.cancel_le (by decide) g
    refine ⟨by rw [← c.2]; exact Nat.mul_le_mul le le, fun e => ?_⟩
    rw [Nat.le_antisymm le (le_of_square_le (by rw [c.2, e]; exact Nat.le_refl _))]
  | inr c =>
    have lt : t < S := by
      refine lt_of_mul_lt_mul_left (c := 4) (Nat.lt_of_lt_of_le ?_ g)
      rw [c.1, Nat.mul_add, four_mul]
      exact Nat.add_le_add (Nat.le_refl (4 * t)) (by decide : 1 ≤ 2 * 1)
    have strict : N < S * S := lt_of_lt_of_le h.2 (Nat.mul_le_mul lt lt)
    exact ⟨le_of_lt strict, fun e => absurd (Natural.le_of_eq e.symm) (Nat.not_le_of_lt strict)⟩

theorem Midpoints.root {n t p : Nat} (h : IsRoot (4 * (2 ^ 149 * n)) t)
    (m : Midpoints (2 * t + sticky (4 * (2 ^ 149 * n)) t) 4 p) (finite : p < infinity) :
    NearestRoot n p := by
  generalize hN : 4 * (2 ^ 149 * n) = N at *
  refine ⟨finite, fun q hq => ⟨fun l => ?_, fun l => ?_⟩⟩
  · obtain ⟨a, b⟩ := m.below q l
    obtain ⟨c, d⟩ := midpoint_below h a
    rw [hN]; exact ⟨c, fun e => b (d e)⟩
  · obtain ⟨a, b⟩ := m.above q l (le_of_lt hq)
    obtain ⟨c, d⟩ := midpoint_above h a
    rw [hN]; exact ⟨c, fun e => b (d e)⟩

theorem root_limit : 4 * (2 ^ 149 * magnitude infinity) = 2 ^ 214 * 2 ^ 214 := by decide +kernel
theorem square_limit : 2 ^ 214 * 2 ^ 214 ≤ 4 ^ 256 := by decide +kernel
theorem threshold_limit : 2 * 2 ^ 214 + 1 < 4 * overflowThreshold := by decide +kernel

/-- The root of every finite number is finite, and the one that is nearest. -/
theorem roundRoot_nearest {p : Nat} (hp : p < infinity) :
    NearestRoot (magnitude p) (roundRoot (magnitude p)) := by
  have l := magnitude_lt hp (Nat.le_refl _)
  generalize magnitude p = n at *
  have bound : 4 * (2 ^ 149 * n) < 2 ^ 214 * 2 ^ 214 := by
    rw [← root_limit]; exact mul_lt_mul_left (by decide) (mul_lt_mul_left (two_pow_pos 149) l)
  have root := squareRoot_root (lt_of_lt_of_le bound square_limit)
  show NearestRoot n (roundMagnitude
      (2 * squareRoot (4 * (2 ^ 149 * n)) + sticky (4 * (2 ^ 149 * n)) (squareRoot (4 * (2 ^ 149 * n)))) 4)
  generalize squareRoot (4 * (2 ^ 149 * n)) = t at *
  refine Midpoints.root root (roundMagnitude_midpoints _ (by decide))
    ((roundMagnitude_finite (by decide)).2 (lt_of_le_of_lt ?_ threshold_limit))
  have small : t ≤ 2 ^ 214 := le_of_square_le (Nat.le_trans root.1 (le_of_lt bound))
  refine Nat.add_le_add (Nat.mul_le_mul (Nat.le_refl 2) small) ?_
  exact (sticky_cases (4 * (2 ^ 149 * n)) t).elim (fun c => by rw [c.1]; exact Nat.zero_le 1)
    fun c => Natural.le_of_eq c.1

/-- **The square root** of a finite number that is not negative is the nearest binary32 number. -/
theorem sqrt_nearest {x : Nat} (hx : x < infinity) : NearestRoot (magnitude x) (sqrt x) := by
  have finite := exponent_finite hx
  have low : x < 2 ^ 31 := Nat.lt_of_lt_of_le hx (by decide +kernel)
  have positive : sign x = 0 := (magnitude_negative low).2.2.2
  have whole : x % 2 ^ 31 = x := mod_eq_self low
  cases z : Nat.beq x 0 with
  | true =>
    have e := Nat.eq_of_beq_eq_true z
    subst e
    have s : sqrt 0 = 0 := by decide +kernel
    have m : magnitude 0 = 0 := by decide +kernel
    rw [s, m]
    exact
      ⟨hx, fun q _ => ⟨fun l => absurd l (Nat.not_succ_le_zero q), fun _ => ⟨Nat.zero_le _, fun _ => rfl⟩⟩⟩
  | false =>
    unfold sqrt isZero
    rw [finite_not_nan finite, finite_not_infinite finite, positive, whole, z, beq_zero_one, choose_false,
        choose_false, choose_false, choose_false]
    exact roundRoot_nearest hx

end Binary32
end PytestTorchLean
