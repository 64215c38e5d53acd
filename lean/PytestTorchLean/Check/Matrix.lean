prelude
import PytestTorchLean.Check.Spread
/-!
# A matrix in one natural number

Back-substitution works on a batch of rows at once. The batch is a `grid`: digits of `b` bits, row after row,
each row at a distance of `w` digits from the one before, of which it uses the first `n`. One step of the
kernel adds two such matrices, compares them, or takes out a column.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

/-- `R` rows of `n` digits of `b` bits; row `r` starts at digit `w * r`. -/
def grid (b w n R : Nat) (f : Nat → Nat → Nat) : Nat := pack (b * w) R (fun r => pack b n (fun j => f r j))
/-- One number for each row, at the row's first digit. -/
def side (b w R : Nat) (g : Nat → Nat) : Nat := pack (b * w) R g

/-! ### Equality, sums, multiples, size -/

theorem grid_congr {b w n R : Nat} {f g : Nat → Nat → Nat} (h : ∀ r, r < R → ∀ j, j < n → f r j = g r j) :
    grid b w n R f = grid b w n R g :=
  pack_congr fun r hr => pack_congr fun j hj => h r hr j hj
theorem grid_zero (b w n R : Nat) : grid b w n R (fun _ _ => 0) = 0 :=
  (pack_congr fun _ _ => pack_zero b n).trans (pack_zero (b * w) R)
theorem grid_add (b w n R : Nat) (f g : Nat → Nat → Nat) :
    grid b w n R (fun r j => f r j + g r j) = grid b w n R f + grid b w n R g :=
  (pack_congr fun _ _ => pack_add b n _ _).trans (pack_add (b * w) R _ _)
theorem grid_mul (b w n R c : Nat) (f : Nat → Nat → Nat) :
    grid b w n R (fun r j => c * f r j) = c * grid b w n R f :=
  (pack_congr fun _ _ => pack_mul b n c _).trans (pack_mul (b * w) R c _)
theorem row_lt {b w n : Nat} {f : Nat → Nat} (hw : n ≤ w) (h : ∀ j, j < n → f j < 2 ^ b) :
    pack b n f < 2 ^ (b * w) :=
  lt_of_lt_of_le (pack_lt h) (two_pow_le (Nat.mul_le_mul Nat.le.refl hw))
theorem grid_lt {b w n R : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w)
    (h : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) :
    grid b w n R f < 2 ^ (b * w * R) :=
  pack_lt fun r hr => row_lt hw (h r hr)

theorem side_congr {b w R : Nat} {f g : Nat → Nat} (h : ∀ r, r < R → f r = g r) :
    side b w R f = side b w R g := pack_congr h
theorem side_zero (b w R : Nat) : side b w R (fun _ => 0) = 0 := pack_zero _ R
theorem side_add (b w R : Nat) (f g : Nat → Nat) :
    side b w R (fun r => f r + g r) = side b w R f + side b w R g := pack_add _ R f g
theorem side_mul (b w R c : Nat) (f : Nat → Nat) : side b w R (fun r => c * f r) = c * side b w R f :=
  pack_mul _ R c f
theorem side_lt {b w R : Nat} {f : Nat → Nat} (h : ∀ r, r < R → f r < 2 ^ (b * w)) :
    side b w R f < 2 ^ (b * w * R) := pack_lt h

/-- A column times a row: all products of their digits. -/
theorem side_mul_pack (b w n R : Nat) (g : Nat → Nat) (h : Nat → Nat) :
    side b w R g * pack b n h = grid b w n R (fun r i => g r * h i) := by
  show pack (b * w) R g * pack b n h = pack (b * w) R _
  rw [Nat.mul_comm, ← pack_mul]
  exact pack_congr fun r _ => by rw [pack_mul, Nat.mul_comm]
/-- The same row, `R` times. -/
theorem repeat_pack {b w : Nat} (hb : 0 < b * w) (n R : Nat) (h : Nat → Nat) :
    pack b n h * ones (b * w) R = grid b w n R (fun _ i => h i) := by
  rw [Nat.mul_comm, ones_eq hb]
  exact (side_mul_pack b w n R (fun _ => 1) h).trans (grid_congr fun _ _ _ _ => Natural.one_mul _)

/-! ### The grid as one vector of `w * R` digits -/

/-- The digits of a grid in their order, with zeros in the unused places. -/
def flat (w n : Nat) (f : Nat → Nat → Nat) (i : Nat) : Nat := Memory.splice n (f (i / w)) (fun _ => 0) (i % w)

theorem flat_at {w n : Nat} (f : Nat → Nat → Nat) (r : Nat) {j : Nat} (hj : j < w) :
    flat w n f (w * r + j) = Memory.splice n (f r) (fun _ => 0) j := by
  unfold flat
  rw [Nat.add_comm (w * r), add_mul_div r hj, add_mul_mod r hj]
theorem grid_flat {b w n : Nat} (hw : n ≤ w) (R : Nat) (f : Nat → Nat → Nat) :
    grid b w n R f = pack b (w * R) (flat w n f) := by
  rw [Decode.pack_group]
  refine pack_congr fun r _ => ?_
  rw [pack_congr (fun j hj => flat_at f r hj)]
  obtain ⟨k, rfl⟩ := Nat.exists_of_le hw
  rw [Dense.pack_tail_zero (fun i => Memory.splice_new n _ _ i)]
  exact pack_congr fun j hj => (Memory.splice_old _ _ hj).symm
theorem pos_of_lt_mul {w R i : Nat} (h : i < w * R) : 0 < w := by
  cases w with
  | zero => rw [Nat.zero_mul] at h; exact absurd h (Nat.not_succ_le_zero i)
  | succ w => exact Nat.succ_le_succ (Nat.zero_le w)
theorem flat_all {w n R : Nat} {f : Nat → Nat → Nat} {P : Nat → Prop} (zero : P 0)
    (h : ∀ r, r < R → ∀ j, j < n → P (f r j)) :
    ∀ i, i < w * R → P (flat w n f i) := by
  intro i hi
  unfold flat
  have hw := pos_of_lt_mul hi
  generalize e : i % w = j
  cases le_or_lt n j with
  | inl g => obtain ⟨k, rfl⟩ := Nat.exists_of_le g; rw [Memory.splice_new]; exact zero
  | inr g => rw [Memory.splice_old _ _ g]; exact h _ (div_lt hw hi) _ g
theorem flat_lt {w n R k : Nat} {f : Nat → Nat → Nat} (h : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ k) :
    ∀ i, i < w * R → flat w n f i < 2 ^ k :=
  flat_all (P := fun x => x < 2 ^ k) (two_pow_pos k) h
theorem flat_map (w n : Nat) (F : Nat → Nat → Nat) (zero : F 0 0 = 0) (f g : Nat → Nat → Nat) (i : Nat) :
    flat w n (fun r j => F (f r j) (g r j)) i = F (flat w n f i) (flat w n g i) := by
  unfold flat
  cases le_or_lt n (i % w) with
  | inl h =>
    obtain ⟨k, e⟩ := Nat.exists_of_le h
    rw [e, Memory.splice_new, Memory.splice_new, Memory.splice_new, zero]
  | inr h => rw [Memory.splice_old _ _ h, Memory.splice_old _ _ h, Memory.splice_old _ _ h]

/-! ### Operations on all digits -/

/-- `x - y` digit by digit, 0 where it is negative; digits below `2^k`. -/
def minus (b w n R k x y : Nat) : Nat := force (fun size => Vector.difference b size k x y) (Nat.mul w R)
theorem minus_eq {b w n R k : Nat} {p q : Nat → Nat → Nat} (hw : n ≤ w) (hk : k + 1 ≤ b)
    (hp : ∀ r, r < R → ∀ j, j < n → p r j < 2 ^ k) (hq : ∀ r, r < R → ∀ j, j < n → q r j < 2 ^ k) :
    minus b w n R k (grid b w n R p) (grid b w n R q) = grid b w n R (fun r j => p r j - q r j) := by
  unfold minus
  rw [force_eq, grid_flat hw, grid_flat hw, grid_flat hw]
  refine (Vector.difference_eq hk (flat_lt hp) (flat_lt hq)).trans ?_
  exact pack_congr fun i _ => (flat_map w n (fun a c => a - c) rfl p q i).symm

/-- Every digit divided by `2^t`, rounded down. -/
def quotient (b w n R t x : Nat) : Nat :=
  Nat.shiftRight (Nat.land x
      (Nat.mul (Nat.mul (Nat.sub (Nat.pow 2 (Nat.sub b t)) 1) (Nat.pow 2 t)) (ones b (Nat.mul w R)))) t
theorem quotient_eq {b w n R t : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w) (hb : 0 < b) (ht : t ≤ b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) :
    quotient b w n R t (grid b w n R f) = grid b w n R (fun r j => f r j / 2 ^ t) := by
  have e : t + (b - t) = b := by rw [Nat.add_comm]; exact Natural.sub_add_cancel ht
  have small := flat_lt (w := w) hf
  show Decode.field t (b - t) (grid b w n R f) (ones b (w * R)) = _
  rw [grid_flat hw, grid_flat hw, Decode.field_pack (le_of_eq e) hb small]
  refine pack_congr fun i hi => ?_
  have h : flat w n f i / 2 ^ t < 2 ^ (b - t) :=
    div_lt (two_pow_pos t) (by rw [← Natural.pow_add, e]; exact small i hi)
  rw [mod_eq_self h]
  exact (flat_map w n (fun a _ => a / 2 ^ t) (div_eq_zero (two_pow_pos t)) f f i).symm
/-! ### Columns -/

/-- Digit `j` of every row. -/
def column (b w R x j : Nat) : Nat :=
  Nat.land (Nat.shiftRight x (Nat.mul b j)) (Nat.mul (Nat.sub (Nat.pow 2 b) 1) (ones (Nat.mul b w) R))
/-- For the compiler, as in Core/Recursors. -/
def compiledColumn (b w R x j : Nat) : Nat :=
  Nat.land (Nat.shiftRight x (Nat.mul b j)) (filled b (ones (Nat.mul b w) R))
@[csimp] theorem compiledColumn_eq : @column = @compiledColumn :=
  funext fun b => funext fun w => funext fun R => funext
    fun x => funext fun j => congrArg (Nat.land (Nat.shiftRight x (b * j))) (filled_eq b (ones (b * w) R))
theorem column_digit {b w : Nat} (hb : 0 < b) (hw : 0 < w) (R x j : Nat) :
    column b w R x j = side b w R (fun r => digit b x (w * r + j)) := by
  have le : b ≤ b * w := by
    have g : b * 1 ≤ b * w := Nat.mul_le_mul Nat.le.refl hw
    rw [Natural.mul_one] at g; exact g
  show Nat.land (Nat.shiftRight x (b * j)) ((2 ^ b - 1) * ones (b * w) R) = pack (b * w) R _
  rw [mul_ones (lt_of_lt_of_le hb le), land_mask _ (fun _ _ => mask_lt le)]
  refine pack_congr fun r _ => ?_
  rw [land_low]
  show x / 2 ^ (b * j) / 2 ^ (b * w * r) % 2 ^ (b * w) % 2 ^ b = x / 2 ^ (b * (w * r + j)) % 2 ^ b
  rw [mod_mod le, shift_shift, Nat.mul_add, Nat.mul_assoc, Nat.add_comm]
/-- An entry of a grid. -/
theorem digit_grid {b w n R r j : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) (hr : r < R) (hj : j < n) :
    digit b (grid b w n R f) (w * r + j) = f r j := by
  have hj' := lt_of_lt_of_le hj hw
  have hi : w * r + j < w * R := by rw [Nat.add_comm]; exact add_mul_lt hj' hr
  rw [grid_flat hw, digit_pack (flat_lt hf) hi, flat_at f r hj', Memory.splice_old _ _ hj]
theorem column_eq {b w n R j : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w) (hb : 0 < b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) (hj : j < n) :
    column b w R (grid b w n R f) j = side b w R (fun r => f r j) := by
  rw [column_digit hb (lt_of_le_of_lt (Nat.zero_le j) (lt_of_lt_of_le hj hw))]
  exact side_congr fun r hr => digit_grid hw hf hr hj

end Matrix
end PytestTorchLean
