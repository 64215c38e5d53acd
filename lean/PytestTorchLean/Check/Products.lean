prelude
import PytestTorchLean.Check.Matrix
/-!
# Products digit by digit, and sums

`multiply` multiplies two vectors digit by digit, one bit of the second at a time. With it the columns of a
matrix are scaled.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

/-! ### Digit by digit -/

/-- `x i * v i` for all digits, `m` of them, those of `v` below `2^bits`. -/
def multiply (b m bits x v : Nat) : Nat :=
  force (fun u => Nat.rec (motive := fun _ => Nat) 0
    (fun t before => Nat.add before (Nat.mul (Nat.pow 2 t)
      (Nat.land x (Nat.mul (Nat.sub (Nat.pow 2 b) 1) (Nat.land (Nat.shiftRight v t) u))))) bits) (ones b m)
theorem bit_pack {b m t : Nat} {v : Nat → Nat} (hb : 0 < b) (hv : ∀ i, i < m → v i < 2 ^ b) (ht : t < b) :
    Nat.land (Nat.shiftRight (pack b m v) t) (ones b m) = pack b m (fun i => v i / 2 ^ t % 2 ^ 1) := by
  rw [ones_eq hb, land_mask _ (fun _ _ => one_lt_two_pow hb)]
  refine pack_congr fun i hi => ?_
  have low := land_low (digit b (Nat.shiftRight (pack b m v) t) i) 1
  refine low.trans ?_
  show pack b m v / 2 ^ t / 2 ^ (b * i) % 2 ^ b % 2 ^ 1 = _
  rw [mod_mod (Nat.le_trans (Nat.succ_le_succ (Nat.zero_le t)) ht), shift_shift, Nat.add_comm, ← shift_shift]
  obtain ⟨c, rfl⟩ := Nat.exists_of_le ht
  have d := digit_pack hv hi
  rw [← d]
  show _ = pack (t + 1 + c) m v / 2 ^ ((t + 1 + c) * i) % 2 ^ (t + 1 + c) / 2 ^ t % 2 ^ 1
  generalize pack (t + 1 + c) m v / 2 ^ ((t + 1 + c) * i) = y
  have e : t + 1 + c = t + (1 + c) := Nat.add_assoc t 1 c
  rw [e]
  obtain ⟨q, r, rfl, h⟩ := euclid (two_pow_pos t) y
  obtain ⟨q2, r2, rfl, h2⟩ := euclid (two_pow_pos (1 + c)) q
  rw [add_mul_div _ h, Nat.mul_add, ← Nat.add_assoc, ← Nat.mul_assoc, ← Natural.pow_add, add_mul_mod,
      add_mul_div _ h]
  · have z := mod_mod (Nat.le_add_right 1 c) (r2 + 2 ^ (1 + c) * q2)
    rw [add_mul_mod _ h2] at z; exact z.symm
  · rw [Natural.pow_add]; exact add_mul_lt h h2
theorem multiply_eq {b m bits : Nat} {x v : Nat → Nat} (hb : 0 < b) (hbits : bits ≤ b)
    (hx : ∀ i, i < m → x i < 2 ^ b) (hv : ∀ i, i < m → v i < 2 ^ bits) :
    multiply b m bits (pack b m x) (pack b m v) = pack b m (fun i => x i * v i) := by
  have step : (t : Nat) → t ≤ bits → Nat.rec (motive := fun _ => Nat) 0
      (fun t before => Nat.add before (Nat.mul (Nat.pow 2 t)
        (Nat.land (pack b m x)
              (Nat.mul (Nat.sub (Nat.pow 2 b) 1) (Nat.land (Nat.shiftRight (pack b m v) t) (ones b m)))))) t
      = pack b m (fun i => x i * (v i % 2 ^ t)) := by
    intro t
    induction t with
    | zero =>
      intro _
      refine (pack_zero b m).symm.trans (pack_congr fun i _ => ?_)
      rw [eq_zero_of_lt_one (mod_lt (two_pow_pos 0) (v i))]; rfl
    | succ t ih =>
      intro ht
      show _ +
        2 ^ t * Nat.land (pack b m x) ((2 ^ b - 1) * Nat.land (Nat.shiftRight (pack b m v) t) (ones b m)) = _
      rw [ih (Nat.le_trans (Nat.le.step Nat.le.refl) ht),
          bit_pack hb (fun i hi => lt_of_lt_of_le (hv i hi) (two_pow_le hbits)) (Nat.le_trans ht hbits)]
      have s := Decode.select_pack (q := x) Nat.le.refl (fun i _ => Decode.bit_le (v i / 2 ^ t)) hx
      have s' : Nat.land (pack b m x) ((2 ^ b - 1) * pack b m (fun i => v i / 2 ^ t % 2 ^ 1)) = _ := s
      rw [s', ← pack_mul, ← pack_add]
      refine pack_congr fun i _ => ?_
      show _ = x i * (v i % 2 ^ (t + 1))
      rw [Decode.mod_pow_succ (v i) t, Nat.mul_add]
      simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
  unfold multiply
  rw [force_eq]
  exact (step bits Nat.le.refl).trans (pack_congr fun i hi => by rw [mod_eq_self (hv i hi)])

/-- Column `j` of a grid times digit `j` of `v`, which is below `2^bits`. -/
def scaleColumns (b w n R bits x v : Nat) : Nat :=
  force (fun size => force (multiply b size bits x) (Nat.mul v (ones (Nat.mul b w) R))) (Nat.mul w R)
theorem scaleColumns_eq {b w n R bits : Nat} {f : Nat → Nat → Nat} {v : Nat → Nat}
    (hw : n ≤ w)
    (hb : 0 < b)
    (hbits : bits ≤ b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b)
    (hv : ∀ j, j < n → v j < 2 ^ bits) :
    scaleColumns b w n R bits (grid b w n R f) (pack b n v) = grid b w n R (fun r j => f r j * v j) := by
  unfold scaleColumns
  rw [force_eq, force_eq]
  cases le_or_lt 1 w with
  | inr h =>
    have hz := eq_zero_of_lt_one h
    subst hz
    have z := eq_zero_of_le_zero hw
    subst z
    rw [grid_flat Nat.le.refl, grid_flat Nat.le.refl, Nat.zero_mul]
    show multiply b (0 * R) bits 0 (0 * _) = 0
    rw [Nat.zero_mul, Nat.zero_mul]
    exact multiply_eq (x := fun _ => 0) (v := fun _ => 0) hb hbits (fun _ _ => two_pow_pos b)
      (fun _ _ => two_pow_pos bits)
  | inl hp =>
    have e : Nat.mul (pack b n v) (ones (Nat.mul b w) R) = grid b w n R (fun _ j => v j) :=
      repeat_pack (Nat.mul_pos hb hp) n R v
    rw [e, grid_flat hw, grid_flat hw, grid_flat hw]
    refine (multiply_eq hb hbits (flat_lt hf) (flat_lt fun _ _ j hj => hv j hj)).trans ?_
    exact pack_congr fun i _ => (flat_map w n (fun a c => a * c) rfl f (fun _ j => v j) i).symm
/-! ### Sums -/

/-- `f 0 + ... + f (n - 1)` -/
def total : Nat → (Nat → Nat) → Nat
  | 0, _ => 0
  | n + 1, f => f 0 + total n (fun j => f (j + 1))

theorem total_congr {n : Nat} {f g : Nat → Nat} (h : ∀ j, j < n → f j = g j) : total n f = total n g := by
  induction n generalizing f g with
  | zero => rfl
  | succ n ih =>
    show f 0 + total n _ = g 0 + total n _
    rw [h 0 (Nat.succ_le_succ (Nat.zero_le n)), ih fun j hj => h (j + 1) (Nat.succ_le_succ hj)]
theorem total_zero {n : Nat} {f : Nat → Nat} (h : ∀ j, j < n → f j = 0) : total n f = 0 := by
  induction n generalizing f with
  | zero => rfl
  | succ n ih =>
    show f 0 + total n _ = 0
    rw [h 0 (Nat.succ_le_succ (Nat.zero_le n)), ih fun j hj => h (j + 1) (Nat.succ_le_succ hj)]
theorem total_add (n : Nat) (f g : Nat → Nat) : total n (fun j => f j + g j) = total n f + total n g := by
  induction n generalizing f g with
  | zero => rfl
  | succ n ih =>
    show f 0 + g 0 + total n (fun j => f (j + 1) + g (j + 1)) = f 0 + total n _ + (g 0 + total n _)
    rw [ih, Nat.add_add_add_comm]
theorem total_mul (n c : Nat) (f : Nat → Nat) : total n (fun j => c * f j) = c * total n f := by
  induction n generalizing f with
  | zero => rfl
  | succ n ih =>
    show c * f 0 + total n (fun j => c * f (j + 1)) = c * (f 0 + total n _)
    rw [ih, Nat.mul_add]
theorem total_split (n k : Nat) (f : Nat → Nat) :
    total (n + k) f = total n f + total k (fun j => f (n + j)) := by
  induction n generalizing f with
  | zero =>
    have e : (fun j => f (0 + j)) = f := funext fun j => congrArg f (Nat.zero_add j)
    rw [e, Nat.zero_add]; exact (Nat.zero_add _).symm
  | succ n ih =>
    rw [Nat.succ_add]
    show f 0 + total (n + k) (fun j => f (j + 1)) =
      f 0 + total n (fun j => f (j + 1)) + total k (fun j => f (n + 1 + j))
    rw [ih, Nat.add_assoc]
    have e : (fun j => f (n + j + 1)) =
        fun j => f (n + 1 + j) := funext fun j => by rw [Nat.add_assoc, Nat.add_comm j 1, ← Nat.add_assoc]
    rw [e]
theorem total_le {n bound : Nat} {f : Nat → Nat} (h : ∀ j, j < n → f j ≤ bound) : total n f ≤ n * bound := by
  induction n generalizing f with
  | zero => exact Nat.zero_le _
  | succ n ih =>
    show f 0 + total n _ ≤ (n + 1) * bound
    rw [Nat.succ_mul, Nat.add_comm (n * bound)]
    exact Nat.add_le_add (h 0 (Nat.succ_le_succ (Nat.zero_le n)))
      (ih fun j hj => h (j + 1) (Nat.succ_le_succ hj))

/-! ### A single one -/

/-- 1 in place `i`, 0 elsewhere. -/
def indicator (i j : Nat) : Nat := cond (Nat.beq i j) 1 0
theorem pack_indicator (b : Nat) : (i m : Nat) → i < m → pack b m (indicator i) = 2 ^ (b * i)
  | _, 0, h => absurd h (Nat.not_succ_le_zero _)
  | 0, m + 1, _ => by
    show 1 + 2 ^ b * pack b m (fun _ => 0) = 1
    rw [pack_zero]; rfl
  | i + 1, m + 1, h => by
    show 0 + 2 ^ b * pack b m (indicator i) = 2 ^ (b * i + b)
    rw [pack_indicator b i m (Nat.le_of_succ_le_succ h), Nat.zero_add, Natural.pow_add, Nat.mul_comm]
end Matrix
end PytestTorchLean
