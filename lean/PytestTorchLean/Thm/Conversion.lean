prelude
import PytestTorchLean.Thm.Comparison
/-!
# Absolute values, integers, and products with 1
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Binary32
open Natural OrderedRing
variable {K : Type u} [OrderedRing K]

/-- **The absolute value** is exact: the number or its negative, whichever is not negative. -/
theorem absolute_scaled (K : Type u) [OrderedRing K] {x : Nat} (h : exponent x < 255) (g : x < 2 ^ 32) :
    (scaled (absolute x) : K) = natural (magnitude x) ∧ exponent (absolute x) < 255 := by
  obtain ⟨s, p, _, hp, _, _, low, m⟩ := pattern_shape h g
  unfold absolute
  rw [finite_not_nan h, choose_false, low, m]
  exact scaled_positive hp

/-- A finite number times 1 is itself, bit for bit. So a bias is a product with the slot that holds 1. -/
theorem mul_one_pattern {x : Nat} (h : exponent x < 255) (g : x < 2 ^ 32) : mul x 0x3F800000 = x := by
  obtain ⟨s, p, hs, hp, e, hsign, _, m⟩ := pattern_shape h g
  have one : exponent 0x3F800000 < 255 := by decide +kernel
  have s1 : sign 0x3F800000 = 0 := by decide +kernel
  have m1 : magnitude 0x3F800000 = 2 ^ 149 := by decide +kernel
  have signs : productSign x 0x3F800000 = s := by
    unfold productSign
    rw [s1, hsign]
    exact sign_cases (P := fun s => cond (Nat.beq s 0) 0 1 = s) rfl rfl s hs
  unfold mul
  rw [finite_not_nan h, finite_not_nan one, finite_not_infinite h, finite_not_infinite one, signs, m1, m,
      Nat.mul_comm (magnitude p)]
  show round s (2 ^ 149 * magnitude p) (2 ^ 149) = x
  unfold round
  rw [roundMagnitude_exact (two_pow_pos 149) hp, e]

/-! ### 32-bit integers -/

/-- The integer that 32 bits denote in two's complement. -/
theorem int32_value (K : Type u) [OrderedRing K] {i : Nat} (h : i < 2 ^ 32) :
    (signed (sign i) (int32Magnitude i) : K) = natural i - natural (2 ^ 32 * sign i) := by
  unfold int32Magnitude
  have le : 2 ^ 32 - i + i = 2 ^ 32 := sub_add_cancel (le_of_lt h)
  generalize 2 ^ 32 - i = k at *
  generalize 2 ^ 32 = m at *
  refine sign_cases (P := fun s => (signed s (cond (Nat.beq s 0) i k) : K) = natural i - natural (m * s)) ?_
    ?_ (sign i) (sign_le i)
  · rw [Nat.mul_zero]
    exact (ring1 K i, i, i - 0) (natural i)
  · rw [Nat.mul_one, ← le, natural_add]
    exact (ring2 K i k, -k, i - (k + i)) (natural i) (natural k)

/-- **From integers**: the nearest binary32 number. -/
theorem ofInt32_rounds (K : Type u) [OrderedRing K] (i : Nat) :
    RoundsTo (natural (2 ^ 149) * signed (sign i) (int32Magnitude i) : K) 1 (ofInt32 i) := by
  rw [← signed_scaled (sign_le i)]
  exact round_rounds K (sign_le i) (Nat.le_refl 1)

theorem int32_positive {w : Nat} (h : w < 2 ^ 31) : int32Magnitude w = w ∧ sign w = 0 := by
  have s := (magnitude_negative h).2.2.2
  refine ⟨?_, s⟩
  unfold int32Magnitude
  rw [s, Nat.beq_refl, choose_true]

theorem int32_negative {w : Nat} (h : w < 2 ^ 31) (g : 0 < w) :
    int32Magnitude (2 ^ 32 - w) = w ∧ sign (2 ^ 32 - w) = 1 := by
  have double : 2 ^ 32 = 2 ^ 31 + 2 ^ 31 := by decide +kernel
  have e1 : 2 ^ 31 - w + w = 2 ^ 31 := sub_add_cancel (le_of_lt h)
  have e2 : 2 ^ 32 - w = 2 ^ 31 + (2 ^ 31 - w) := sub_eq_of_add_eq (by rw [Nat.add_assoc, e1, double])
  have small : 2 ^ 31 - w < 2 ^ 31 := by
    have l := Nat.add_le_add (Nat.le_refl (2 ^ 31 - w)) g
    rw [e1] at l; exact l
  have s := (magnitude_negative small).2.2.1
  rw [← e2] at s
  refine ⟨?_, s⟩
  unfold int32Magnitude
  rw [s, beq_one_zero, choose_false]
  refine sub_eq_of_add_eq ?_
  have e3 : 2 ^ 32 - w + w = 2 ^ 32 := sub_add_cancel (Nat.le_trans (le_of_lt h) (two_pow_le (by decide)))
  rw [Nat.add_comm]; exact e3

/-- **To integers**: the number without its fraction, for numbers below `2^31` in absolute value. -/
theorem toInt32_truncates {x : Nat} (h : exponent x < 255) (range : magnitude x / 2 ^ 149 ≤ 2 ^ 31 - 1) :
    int32Magnitude (toInt32 x) = magnitude x / 2 ^ 149 ∧
    (sign (toInt32 x) = sign x ∨ magnitude x / 2 ^ 149 = 0) := by
  have finite : isFinite x = true := isFinite_iff.2 h
  have small : magnitude x / 2 ^ 149 < 2 ^ 31 := by
    have l := Nat.succ_le_succ range
    exact Nat.le_trans l (Natural.le_of_eq (mask_succ 31))
  show int32Magnitude (cond (and (isFinite x) (Nat.ble (magnitude x / 2 ^ 149) (2 ^ 31 - 1)))
      (cond (or (Nat.beq (sign x) 0) (Nat.beq (magnitude x / 2 ^ 149) 0)) (magnitude x / 2 ^ 149)
            (2 ^ 32 - magnitude x / 2 ^ 149)) (2 ^ 31)) = _ ∧
    (sign (cond (and (isFinite x) (Nat.ble (magnitude x / 2 ^ 149) (2 ^ 31 - 1)))
      (cond (or (Nat.beq (sign x) 0) (Nat.beq (magnitude x / 2 ^ 149) 0)) (magnitude x / 2 ^ 149)
        (2 ^ 32 - magnitude x / 2 ^ 149)) (2 ^ 31)) = _ ∨ _)
  generalize magnitude x / 2 ^ 149 = w at *
  rw [finite, Nat.ble_eq_true_of_le range]
  have chosen : and true true = true := rfl
  rw [chosen, choose_true]
  cases z : Nat.beq w 0 with
  | true =>
    have e := Nat.eq_of_beq_eq_true z
    have either : or (Nat.beq (sign x) 0) true = true := by rw [Bool.or_eq_true]; exact Or.inr rfl
    rw [either, choose_true]
    exact ⟨(int32_positive small).1, Or.inr e⟩
  | false =>
    have positive : 0 < w := Nat.pos_of_ne_zero (Nat.ne_of_beq_eq_false z)
    refine sign_cases (P := fun s => int32Magnitude (cond (or (Nat.beq s 0) false) w (2 ^ 32 - w)) = w ∧
      (sign (cond (or (Nat.beq s 0) false) w (2 ^ 32 - w)) = s ∨ w = 0)) ?_ ?_ (sign x) (sign_le x)
    · have c : or (Nat.beq 0 0) false = true := rfl
      rw [c, choose_true]
      exact ⟨(int32_positive small).1, Or.inl (int32_positive small).2⟩
    · have c : or (Nat.beq 1 0) false = false := rfl
      rw [c, choose_false]
      exact ⟨(int32_negative small positive).1, Or.inl (int32_negative small positive).2⟩

end Binary32
end PytestTorchLean
