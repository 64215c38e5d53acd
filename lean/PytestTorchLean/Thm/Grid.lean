prelude
import PytestTorchLean.Check.Packed
import PytestTorchLean.Spec.Rounding
/-!
# The binary32 numbers as a grid

Every finite magnitude is `m * 2^e` units of `2^-149` with `m < 2^24`, and `e = 0` or `2^23 ≤ m`. Its bit
pattern is `2^23 * e + m`, in the subnormal range as elsewhere: the hidden one of `m` carries into the
exponent field. So patterns are in the order of their magnitudes, and the pattern after one is the next larger
number.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Binary32
open Natural

/-- What `Nat.log2` computes. -/
theorem log2_bounds {n : Nat} (h : 0 < n) : 2 ^ Nat.log2 n ≤ n ∧ n < 2 ^ (Nat.log2 n + 1) :=
  upTo n n Nat.le.refl h
where
  upTo : (fuel n : Nat) → n ≤ fuel → 0 < n → 2 ^ Nat.log2 n ≤ n ∧ n < 2 ^ (Nat.log2 n + 1)
    | 0, n, hf, h => absurd (Nat.le_trans h hf) (Nat.not_succ_le_zero 0)
    | fuel + 1, n, hf, h => by
      cases Nat.lt_or_ge n 2 with
      | inl l =>
        have e : n = 1 := Nat.le_antisymm (Nat.le_of_succ_le_succ l) h
        subst e
        exact ⟨by decide, by decide⟩
      | inr g =>
        have half := NatEquations.div_spec n 2 (Nat.succ_pos 1)
        have smaller : Nat.div n 2 ≤ fuel :=
          Nat.le_of_succ_le_succ (Nat.le_trans (NatEquations.div_two_lt h) hf)
        have positive : 0 < Nat.div n 2 := by
          cases e : Nat.div n 2 with
          | zero => rw [e] at half; exact absurd half.2 (Nat.not_lt_of_le g)
          | succ k => exact Nat.succ_pos k
        obtain ⟨lower, upper⟩ := upTo fuel _ smaller positive
        rw [NatEquations.log2_step g]
        constructor
        · exact Nat.le_trans (Nat.mul_le_mul lower (Nat.le_refl 2)) half.1
        · exact lt_of_lt_of_le half.2 (Nat.mul_le_mul upper (Nat.le_refl 2))

/-- Powers of two grow with their exponents, seen from the powers. -/
theorem exponent_lt_of_pow_lt {j k : Nat} (h : 2 ^ j < 2 ^ k) : j < k :=
  Nat.lt_of_not_le fun g => Nat.not_le_of_lt h (two_pow_le g)


theorem placeOf_small {q : Nat} (h : q < 2 ^ 24) : placeOf q = 0 := by
  refine Nat.sub_eq_zero_of_le ?_
  cases q with
  | zero => exact Nat.zero_le 23
  | succ q =>
    exact Nat.le_of_succ_le_succ (exponent_lt_of_pow_lt (lt_of_le_of_lt (log2_bounds (Nat.succ_pos q)).1 h))

theorem placeOf_large {q : Nat} (h : 2 ^ 24 ≤ q) :
    2 ^ 23 * 2 ^ placeOf q ≤ q ∧ q < 2 ^ 24 * 2 ^ placeOf q := by
  obtain ⟨lower, upper⟩ := log2_bounds (lt_of_lt_of_le (two_pow_pos 24) h)
  have l : 24 < Nat.log2 q + 1 := exponent_lt_of_pow_lt (lt_of_le_of_lt h upper)
  have e : 23 + placeOf q = Nat.log2 q := by
    rw [Nat.add_comm]; exact sub_add_cancel (Nat.le_of_succ_le_succ (le_of_lt l))
  rw [← pow_add, ← pow_add, e]
  refine ⟨lower, ?_⟩
  have e' : 24 + placeOf q = Nat.log2 q + 1 := by rw [← e]; exact Nat.succ_add 23 _
  rw [e']; exact upper

/-- A number `n / d` of units lies between two neighbours of the grid, `m * 2^e` and `(m + 1) * 2^e`. -/
theorem floor_spec (n : Nat) {d : Nat} (hd : 0 < d) {e m : Nat} (he : placeOf (n / d) = e)
    (hm : n / (d * 2 ^ e) = m) :
    m < 2 ^ 24 ∧ (e = 0 ∨ 2 ^ 23 ≤ m) ∧ d * (m * 2 ^ e) ≤ n ∧ n < d * ((m + 1) * 2 ^ e) := by
  have pos : 0 < d * 2 ^ e := Nat.mul_pos hd (two_pow_pos e)
  have s := NatEquations.div_spec n (d * 2 ^ e) pos
  have hm' : Nat.div n (d * 2 ^ e) = m := hm
  rw [hm', Nat.mul_left_comm, Nat.mul_left_comm (m + 1)] at s
  have w := NatEquations.div_spec n d hd
  have upper : n < d * (n / d + 1) := by rw [Nat.mul_comm]; exact w.2
  have lower : d * (n / d) ≤ n := by rw [Nat.mul_comm]; exact w.1
  refine ⟨?_, ?_, s⟩
  · rw [← hm]
    refine div_lt pos (lt_of_lt_of_le upper ?_)
    rw [Nat.mul_assoc]
    refine Nat.mul_le_mul (Nat.le_refl d) ?_
    cases Nat.lt_or_ge (n / d) (2 ^ 24) with
    | inl small =>
      rw [placeOf_small small] at he
      subst he
      have e1 : 2 ^ 0 * 2 ^ 24 = 2 ^ 24 := one_mul _
      rw [e1]; exact small
    | inr large =>
      have g := (placeOf_large large).2
      rw [he, Nat.mul_comm] at g
      exact g
  · cases Nat.lt_or_ge (n / d) (2 ^ 24) with
    | inl small => left; rw [← he]; exact placeOf_small small
    | inr large =>
      right
      have g := (placeOf_large large).1
      rw [he] at g
      have h : d * (2 ^ 23 * 2 ^ e) < d * ((m + 1) * 2 ^ e) :=
        lt_of_le_of_lt (Nat.le_trans (Nat.mul_le_mul (Nat.le_refl d) g) lower) s.2
      exact Nat.le_of_succ_le_succ (Nat.lt_of_mul_lt_mul_right (lt_of_mul_lt_mul_left h))

/-! ### Patterns of the grid -/

theorem fields {f k : Nat} (hf : f < 2 ^ 23) (hk : k < 2 ^ 8) :
    exponent (f + 2 ^ 23 * k) = k ∧ fraction (f + 2 ^ 23 * k) = f := by
  constructor
  · unfold exponent
    rw [add_mul_div k hf]; exact mod_eq_self hk
  · exact add_mul_mod k hf

theorem magnitude_of_zero {w f : Nat} (h : exponent w = 0) (g : fraction w = f) : magnitude w = f := by
  unfold magnitude; rw [h]; exact g
theorem magnitude_of_succ {w f k : Nat} (h : exponent w = k + 1) (g : fraction w = f) :
    magnitude w = (2 ^ 23 + f) * 2 ^ k := by
  unfold magnitude; rw [h, ← g]

theorem next_digit (H e f : Nat) : H * e + (H + f) = f + H * (e + 1) := by
  rw [Nat.mul_succ, ← Nat.add_assoc, Nat.add_comm f]
theorem next_digits (H e : Nat) : H * e + (H + H) = 0 + H * (e + 1 + 1) := by
  rw [Nat.mul_succ, Nat.mul_succ, Nat.zero_add, Nat.add_assoc]
theorem double_place (H : Nat) (e : Nat) : (H + 0) * 2 ^ (e + 1) = (H + H) * 2 ^ e := by
  rw [pow_succ, ← Nat.mul_assoc, Nat.add_zero, Nat.mul_comm H 2, two_mul]
theorem two_halves : 2 ^ 24 = 2 ^ 23 + 2 ^ 23 := by decide +kernel

/-- The pattern of `m * 2^e`; for `m = 2^24` it is the next exponent's first. -/
theorem magnitude_grid {e m : Nat} (hm : m ≤ 2 ^ 24) (low : e = 0 ∨ 2 ^ 23 ≤ m) (he : e < 254) :
    magnitude (2 ^ 23 * e + m) = m * 2 ^ e := by
  rw [two_halves] at hm
  cases Nat.lt_or_ge m (2 ^ 23) with
  | inl small =>
    cases low with
    | inr g => exact absurd g (Nat.not_le_of_lt small)
    | inl g =>
      subst g
      rw [Nat.add_comm]
      obtain ⟨h1, h2⟩ := fields (k := 0) small (two_pow_pos 8)
      rw [magnitude_of_zero h1 h2]
      exact (mul_one m).symm
  | inr g =>
    obtain ⟨f, rfl⟩ := Nat.exists_of_le g
    cases Nat.lt_or_ge f (2 ^ 23) with
    | inl hf =>
      obtain ⟨h1, h2⟩ := fields (k := e + 1) hf (lt_of_lt_of_le (Nat.succ_le_succ he) (by decide))
      rw [next_digit, magnitude_of_succ h1 h2]
    | inr hf =>
      have ef : f = 2 ^ 23 := Nat.le_antisymm (by
        refine Nat.le_of_add_le_add_right (2 ^ 23) ?_
        rw [Nat.add_comm]; exact hm) hf
      subst ef
      obtain ⟨h1, h2⟩ := fields (k := e + 1 + 1) (two_pow_pos 23)
        (lt_of_lt_of_le (Nat.succ_le_succ (Nat.succ_le_succ he)) (by decide))
      rw [next_digits, magnitude_of_succ h1 h2, double_place]

/-- Bit 31 decides the sign and nothing else. -/
theorem magnitude_negative {p : Nat} (hp : p < 2 ^ 31) :
    magnitude (2 ^ 31 + p) = magnitude p ∧
    exponent (2 ^ 31 + p) = exponent p ∧
    sign (2 ^ 31 + p) = 1 ∧
    sign p = 0 := by
  obtain ⟨q, f, rfl, hf⟩ := euclid (two_pow_pos 23) p
  have e1 : 2 ^ 31 + (f + 2 ^ 23 * q) = f + 2 ^ 23 * (q + 2 ^ 8) := by
    rw [Nat.mul_add, ← Natural.pow_add, Nat.add_left_comm, Nat.add_comm (2 ^ 31)]
  have hq : q < 2 ^ 8 := by
    refine lt_of_mul_lt_mul_left (c := 2 ^ 23) (lt_of_le_of_lt (Nat.le_add_left _ f) ?_)
    rw [← Natural.pow_add]; exact hp
  have ee : exponent (2 ^ 31 + (f + 2 ^ 23 * q)) = exponent (f + 2 ^ 23 * q) := by
    rw [e1]
    show (f + 2 ^ 23 * (q + 2 ^ 8)) / 2 ^ 23 % 2 ^ 8 = (f + 2 ^ 23 * q) / 2 ^ 23 % 2 ^ 8
    rw [add_mul_div _ hf, add_mul_div _ hf]
    have e2 : q + 2 ^ 8 = q + 2 ^ 8 * 1 := congrArg (fun x => q + x) (mul_one _).symm
    rw [e2, add_mul_mod 1 hq, mod_eq_self hq]
  have ef : fraction (2 ^ 31 + (f + 2 ^ 23 * q)) = fraction (f + 2 ^ 23 * q) := by
    rw [e1]
    show (f + 2 ^ 23 * (q + 2 ^ 8)) % 2 ^ 23 = (f + 2 ^ 23 * q) % 2 ^ 23
    rw [add_mul_mod _ hf, add_mul_mod _ hf]
  refine ⟨?_, ee, ?_, ?_⟩
  · unfold magnitude; rw [ee, ef]
  · generalize f + 2 ^ 23 * q = p at hp
    show (2 ^ 31 + p) / 2 ^ 31 % 2 = 1
    have e3 : 2 ^ 31 + p = p + 2 ^ 31 * 1 := by rw [mul_one, Nat.add_comm]
    rw [e3, add_mul_div 1 hp]; rfl
  · generalize f + 2 ^ 23 * q = p at hp
    show p / 2 ^ 31 % 2 = 0
    rw [div_eq_zero hp]; rfl

/-- The patterns below that of infinity are the finite ones. -/
theorem exponent_finite {p : Nat} (h : p < 255 * 2 ^ 23) : exponent p < 255 := by
  obtain ⟨q, f, rfl, hf⟩ := euclid (two_pow_pos 23) p
  have hq : q < 255 := by
    refine lt_of_mul_lt_mul_left (c := 2 ^ 23) (lt_of_le_of_lt (Nat.le_add_left _ f) ?_)
    rw [Nat.mul_comm (2 ^ 23) 255]; exact h
  show (f + 2 ^ 23 * q) / 2 ^ 23 % 2 ^ 8 < 255
  rw [add_mul_div _ hf, mod_eq_self (lt_of_lt_of_le hq (by decide))]
  exact hq

end Binary32
end PytestTorchLean
