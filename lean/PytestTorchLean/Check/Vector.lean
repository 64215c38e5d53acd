prelude
import PytestTorchLean.Check.Memory
import PytestTorchLean.Check.DecodeColumns
/-!
# Comparing and subtracting whole vectors

One number holds all digits of a vector. A guard bit `2^w` above each digit tells after a subtraction
whether the digit borrowed: one step of the kernel compares all digits.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Vector

/-! ### Digit-wise truncated difference -/

/-- All digits of `positive - negative`, 0 where the difference is negative; digits below `2^w`. -/
def difference (b rows w positive negative : Nat) : Nat :=
  force (fun d => Nat.land d
      (Nat.mul (Nat.sub (Nat.pow 2 w) 1)
        (Nat.shiftRight (Nat.land d (Nat.mul (Nat.pow 2 w) (ones b rows))) w)))
    (Nat.sub (Nat.add (Nat.mul (Nat.pow 2 w) (ones b rows)) positive) negative)
theorem difference_def (b rows w positive negative : Nat) :
    difference b rows w positive negative =
    Nat.land (2 ^ w * ones b rows + positive - negative)
      ((2 ^ w - 1) *
        Nat.shiftRight (Nat.land (2 ^ w * ones b rows + positive - negative) (2 ^ w * ones b rows)) w) := by
  unfold difference
  simp only [force_eq]
  rfl

/-- 1 where `y ≤ x`. -/
def flag (x y : Nat) : Nat := cond (Nat.ble y x) 1 0
theorem flag_cases (x y : Nat) : (flag x y = 1 ∧ y ≤ x) ∨ (flag x y = 0 ∧ x < y) := by
  unfold flag
  cases h : Nat.ble y x with
  | true => exact Or.inl ⟨rfl, Nat.le_of_ble_eq_true h⟩
  | false =>
    refine Or.inr ⟨rfl, ?_⟩
    cases Natural.le_or_lt y x with
    | inl g => rw [Nat.ble_eq_true_of_le g] at h; exact Bool.noConf_tf h
    | inr g => exact g
theorem offset_eq {w x y : Nat} (h : y ≤ x) : 2 ^ w + x - y = (x - y) + 2 ^ w * 1 := by
  apply Natural.sub_eq_of_add_eq
  rw [Natural.mul_one, Nat.add_comm (x - y), Nat.add_assoc, Natural.sub_add_cancel h]
theorem offset_lt {w x y : Nat} (hy : y < 2 ^ w) (h : x < y) : 2 ^ w + x - y < 2 ^ w := by
  have e : 2 ^ w + x - y + y = 2 ^ w + x :=
    Natural.sub_add_cancel (Nat.le_trans (Natural.le_of_lt hy) (Nat.le_add_right _ _))
  cases Natural.le_or_lt (2 ^ w) (2 ^ w + x - y) with
  | inr g => exact g
  | inl g =>
    have a := Nat.add_le_add g h
    have a2 : 2 ^ w + (x + 1) ≤ 2 ^ w + x := by
      rw [← e]
      rw [e] at a ⊢
      exact Nat.le_trans (Nat.add_le_add g h) (Natural.le_of_eq e)
    exact absurd a2 (Natural.lt_irreflexive _)
theorem offset_bit {w x y : Nat} (hx : x < 2 ^ w) (hy : y < 2 ^ w) :
    Nat.land (2 ^ w + x - y) (2 ^ w) = 2 ^ w * flag x y := by
  have e : Nat.land (2 ^ w + x - y) (2 ^ w) = Nat.land (2 ^ w + x - y) (0 + 2 ^ w * 1) := by
    rw [Nat.zero_add, Natural.mul_one]
  rw [e]
  cases flag_cases x y with
  | inl h =>
    rw [h.1, offset_eq h.2, Natural.land_split w _ _ _ _
        (Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _)) hx) (Natural.two_pow_pos w), Natural.land_zero,
        Nat.zero_add]
    rfl
  | inr h =>
    have lt := offset_lt hy h.2
    rw [h.1]
    generalize 2 ^ w + x - y = d at *
    have e2 : d = d + 2 ^ w * 0 := rfl
    rw [e2, Natural.land_split w _ _ _ _ lt (Natural.two_pow_pos w), Natural.land_zero, Nat.zero_add]
    rfl
theorem sub_zero_of (x : Nat) : (k : Nat) → x - (x + k) = 0
  | 0 => Natural.sub_eq_of_add_eq (Nat.zero_add x)
  | k + 1 => by show Nat.pred (x - (x + k)) = 0; rw [sub_zero_of x k]; rfl
theorem offset_masked {w x y : Nat} (hx : x < 2 ^ w) (hy : y < 2 ^ w) :
    Nat.land (2 ^ w + x - y) ((2 ^ w - 1) * flag x y) = x - y := by
  cases flag_cases x y with
  | inl h =>
    rw [h.1, Natural.mul_one, offset_eq h.2, land_low,
        Natural.add_mul_mod _ (Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _)) hx)]
  | inr h =>
    rw [h.1, Nat.mul_zero, Natural.land_zero]
    obtain ⟨k, hk⟩ := Nat.exists_of_le (Natural.le_of_lt h.2)
    rw [hk, sub_zero_of]

theorem guard_lt {b w : Nat} (hw : w + 1 ≤ b) : 2 ^ w < 2 ^ b := by
  refine Nat.le_trans ?_ (Natural.two_pow_le hw)
  show 2 ^ w + 1 ≤ 2 ^ w * 2
  rw [Nat.mul_comm, Natural.two_mul]
  exact Nat.add_le_add Nat.le.refl (Natural.two_pow_pos w)
theorem guarded_lt {b w x : Nat} (y : Nat) (hw : w + 1 ≤ b) (hx : x < 2 ^ w) : 2 ^ w + x - y < 2 ^ b := by
  refine Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _)) ?_
  refine Nat.le_trans ?_ (Natural.two_pow_le hw)
  show 2 ^ w + (x + 1) ≤ 2 ^ w * 2
  have e : 2 ^ w * 2 = 2 ^ w + 2 ^ w := by rw [Nat.mul_comm, Natural.two_mul]
  rw [e]; exact Nat.add_le_add Nat.le.refl hx

/-- `guards + x - y`, all digits at once, where `guards` has the bit `2^w` in every digit. -/
theorem guarded_eq {b w m : Nat} {f g : Nat → Nat} (hb : 0 < b) (hg : ∀ i, i < m → g i < 2 ^ w) :
    2 ^ w * ones b m + pack b m f - pack b m g = pack b m (fun i => 2 ^ w + f i - g i) := by
  rw [mul_ones hb, ← pack_add]
  exact (pack_sub (fun i hi => Nat.le_trans (Natural.le_of_lt (hg i hi)) (Nat.le_add_right _ _))).symm

theorem difference_eq {b rows w : Nat} {f g : Nat → Nat} (hw : w + 1 ≤ b) (hf : ∀ i, i < rows → f i < 2 ^ w)
    (hg : ∀ i, i < rows → g i < 2 ^ w) :
    difference b rows w (pack b rows f) (pack b rows g) = pack b rows (fun i => f i - g i) := by
  rw [difference_def]
  have hb : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le w)) hw
  have h2 : 2 ^ w < 2 ^ b := guard_lt hw
  have hd : ∀ i, i < rows → 2 ^ w + f i - g i < 2 ^ b := fun i hi => guarded_lt _ hw (hf i hi)
  have e2 : Nat.land (pack b rows (fun i => 2 ^ w + f i - g i)) (2 ^ w * ones b rows) =
      pack b rows (fun i => 2 ^ w * flag (f i) (g i)) := by
    rw [mul_ones hb, land_pack hd (fun _ _ => h2)]
    exact pack_congr fun i hi => offset_bit (hf i hi) (hg i hi)
  have small : ∀ i, i < rows → (2 ^ w - 1) * flag (f i) (g i) < 2 ^ b := fun i _ => by
    cases flag_cases (f i) (g i) with
    | inl h => rw [h.1, Natural.mul_one]; exact Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _)) h2
    | inr h => rw [h.1]; exact Natural.two_pow_pos b
  rw [guarded_eq hb hg, e2, shift_pack_mul, ← pack_mul, land_pack hd small]
  exact pack_congr fun i hi => offset_masked (hf i hi) (hg i hi)

/-! ### A subtraction that must not borrow -/

/-- If all guard bits survive, no digit borrowed. -/
theorem unborrowed {b w m : Nat} {f g : Nat → Nat}
    (hw : w + 1 ≤ b)
    (hf : ∀ i, i < m → f i < 2 ^ w)
    (hg : ∀ i, i < m → g i < 2 ^ w)
    (h : Nat.land (pack b m (fun i => 2 ^ w + f i - g i)) (2 ^ w * ones b m) = 2 ^ w * ones b m) :
    ∀ i, i < m → g i ≤ f i := by
  have hb : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le w)) hw
  have h2 : 2 ^ w < 2 ^ b := guard_lt hw
  rw [mul_ones hb, land_pack (fun i hi => guarded_lt _ hw (hf i hi)) (fun _ _ => h2)] at h
  have e : ∀ i, i < m → Nat.land (2 ^ w + f i - g i) (2 ^ w) = 2 ^ w * flag (f i) (g i) :=
    fun i hi => offset_bit (hf i hi) (hg i hi)
  have small : ∀ i, i < m → 2 ^ w * flag (f i) (g i) < 2 ^ b := fun i _ => by
    cases flag_cases (f i) (g i) with
    | inl c => rw [c.1, Natural.mul_one]; exact h2
    | inr c => rw [c.1]; exact Natural.two_pow_pos b
  rw [pack_congr e] at h
  have z := pack_injective small (fun _ _ => h2) h
  intro i hi
  cases flag_cases (f i) (g i) with
  | inl c => exact c.2
  | inr c =>
    have y := z i hi
    rw [c.1, Nat.mul_zero] at y
    have p := Natural.two_pow_pos w
    rw [← y] at p
    exact absurd p (Nat.not_succ_le_zero 0)

/-! ### Two numbers for each index -/

/-- `f 0, g 0, f 1, g 1, ...` -/
def pair : Nat → (Nat → Nat) → (Nat → Nat) → Nat
  | 0, f, _ => f 0
  | 1, _, g => g 0
  | j + 2, f, g => pair j (fun i => f (i + 1)) (fun i => g (i + 1))

theorem pack_pair (h : Nat) : (n : Nat) → (f g : Nat → Nat) →
    pack h (2 * n) (fun j => pair j f g) = pack (h + h) n (fun i => f i + 2 ^ h * g i)
  | 0, _, _ => rfl
  | n + 1, f, g => by
    have ih := pack_pair h n (fun i => f (i + 1)) (fun i => g (i + 1))
    show f 0 +
      2 ^ h * (g 0 + 2 ^ h * pack h (2 * n) (fun j => pair j (fun i => f (i + 1)) (fun i => g (i + 1)))) = _
    rw [ih, pack_succ, Nat.mul_add, Natural.pow_add, Nat.mul_assoc, Nat.add_assoc]

theorem pair_all {P : Nat → Prop} : (n : Nat) → (f g : Nat → Nat) → (∀ i, i < n → P (f i) ∧ P (g i)) →
    ∀ j, j < 2 * n → P (pair j f g)
  | 0, _, _, _, j, hj => absurd hj (Nat.not_succ_le_zero j)
  | _ + 1, _, _, h, 0, _ => (h 0 (Nat.succ_le_succ (Nat.zero_le _))).1
  | _ + 1, _, _, h, 1, _ => (h 0 (Nat.succ_le_succ (Nat.zero_le _))).2
  | n + 1, _, _, h, j + 2, hj => pair_all n _ _ (fun i hi => h (i + 1) (Nat.succ_le_succ hi)) j
      (Nat.le_of_succ_le_succ (Nat.le_of_succ_le_succ hj))

theorem pair_both {P : Nat → Nat → Prop} :
    (n : Nat) → (f g f' g' : Nat → Nat) → (∀ j, j < 2 * n → P (pair j f g) (pair j f' g')) →
    ∀ i, i < n → P (f i) (f' i) ∧ P (g i) (g' i)
  | 0, _, _, _, _, _, i, hi => absurd hi (Nat.not_succ_le_zero i)
  | n + 1, _, _, _, _, h, 0, _ =>
    ⟨h 0 (Nat.succ_le_succ (Nat.zero_le _)), h 1 (Nat.succ_le_succ (Nat.succ_le_succ (Nat.zero_le _)))⟩
  | n + 1, f, g, f', g', h, i + 1, hi => pair_both n (fun i => f (i + 1)) (fun i => g (i + 1))
      (fun i => f' (i + 1)) (fun i => g' (i + 1))
      (fun j hj => h (j + 2) (Nat.succ_le_succ (Nat.succ_le_succ hj))) i (Nat.le_of_succ_le_succ hi)

theorem pair_map (F : Nat → Nat → Nat) : (j : Nat) → (f g f' g' : Nat → Nat) →
    pair j (fun i => F (f i) (f' i)) (fun i => F (g i) (g' i)) = F (pair j f g) (pair j f' g')
  | 0, _, _, _, _ => rfl
  | 1, _, _, _, _ => rfl
  | j + 2, f, g, f', g' =>
    pair_map F j (fun i => f (i + 1)) (fun i => g (i + 1)) (fun i => f' (i + 1)) (fun i => g' (i + 1))
theorem pair_constant (c : Nat) : (j : Nat) → pair j (fun _ => c) (fun _ => c) = c
  | 0 => rfl
  | 1 => rfl
  | j + 2 => pair_constant c j

/-- Digit-wise, so also half by half. -/
theorem pack_map (F : Nat → Nat → Nat) (h n : Nat) (f g f' g' : Nat → Nat) :
    pack h (2 * n) (fun j => F (pair j f g) (pair j f' g')) =
      pack (h + h) n (fun i => F (f i) (f' i) + 2 ^ h * F (g i) (g' i)) := by
  rw [← pack_pair]
  exact pack_congr fun j _ => (pair_map F j f g f' g').symm

/-- The halves of every digit exchanged. -/
def exchange (h n x : Nat) : Nat :=
  force (fun low => Nat.add (Nat.mul low (Nat.pow 2 h)) (Nat.shiftRight (Nat.sub x low) h))
    (Nat.land x (Nat.mul (Nat.sub (Nat.pow 2 h) 1) (ones (Nat.add h h) n)))
theorem exchange_eq {h n : Nat} {f g : Nat → Nat} (hh : 0 < h) (hf : ∀ i, i < n → f i < 2 ^ h)
    (hg : ∀ i, i < n → g i < 2 ^ h) :
    exchange h n (pack (h + h) n (fun i => f i + 2 ^ h * g i)) =
    pack (h + h) n (fun i => g i + 2 ^ h * f i) := by
  unfold exchange
  rw [force_eq]
  have low : Nat.land (pack (h + h) n (fun i => f i + 2 ^ h * g i)) ((2 ^ h - 1) * ones (h + h) n) =
      pack (h + h) n f := by
    have e := Decode.low_pack (Nat.le_add_left h h) (Nat.le_trans hh (Nat.le_add_left h h))
      (w := fun i => f i + 2 ^ h * g i) (m := n) (fun i hi => Memory.halves_lt (hf i hi) (hg i hi))
    refine Eq.trans e (pack_congr fun i hi => ?_)
    exact Natural.add_mul_mod _ (hf i hi)
  have low' : Nat.land (pack (h + h) n (fun i => f i + 2 ^ h * g i))
      (Nat.mul (Nat.sub (Nat.pow 2 h) 1) (ones (Nat.add h h) n)) = pack (h + h) n f := low
  rw [low']
  show pack (h + h) n f * 2 ^ h +
    Nat.shiftRight (pack (h + h) n (fun i => f i + 2 ^ h * g i) - pack (h + h) n f) h = _
  rw [pack_add, Natural.add_sub_cancel_left, shift_pack_mul, pack_add, pack_mul, Nat.mul_comm, Nat.add_comm]

end Vector
end PytestTorchLean
