prelude
import PytestTorchLean.Check.Relaxation.Signed
import PytestTorchLean.Check.Relaxation.Substitute
import PytestTorchLean.Check.Relaxation.Reversed
/-!
# All coefficients of one column times all rows

The coefficients of a batch, positive and negative, are raised by an offset to be natural and stand side by
side with a row of ones; one product with the weights, raised in the same way, gives the new coefficients,
and subtracting what the offsets contribute leaves them.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### All coefficients -/

theorem grid_sub {b w n R : Nat} {f g : Nat → Nat → Nat} (h : ∀ r, r < R → ∀ j, j < n → g r j ≤ f r j) :
    grid b w n R f - grid b w n R g = grid b w n R fun r j => f r j - g r j := by
  have e : grid b w n R f - grid b w n R g = pack (b * w) R fun r => pack b n (f r) - pack b n (g r) :=
    (pack_sub (b := b * w) (m := R) (f := fun r => pack b n (f r)) (g := fun r => pack b n (g r))
        fun r hr => pack_le (h r hr)).symm
  rw [e]
  exact pack_congr fun r hr => (pack_sub (h r hr)).symm

/-- The rows of a batch, positive coefficients less negative ones, raised by `2^size`. -/
def raisedRows (b w R m size positive negative : Nat) : Nat :=
  Nat.sub (Nat.add positive (Nat.mul (Nat.mul (Nat.pow 2 size) (ones b m)) (ones (Nat.mul b w) R))) negative
theorem raisedRows_eq {b w R m size : Nat} {f g : Nat → Nat → Nat} (hb : 0 < b) (hw : 0 < b * w)
    (h : ∀ r, r < R → ∀ i, i < m → g r i ≤ 2 ^ size) :
    raisedRows b w R m size (grid b w m R f) (grid b w m R g) =
    grid b w m R fun r i => f r i + 2 ^ size - g r i := by
  have c : Nat.mul (Nat.mul (Nat.pow 2 size) (ones b m)) (ones (Nat.mul b w) R) =
      grid b w m R fun _ _ => 2 ^ size := by
    have e : Nat.mul (Nat.pow 2 size) (ones b m) = pack b m fun _ => 2 ^ size := mul_ones hb m _
    rw [e]; exact repeat_pack hw m R _
  unfold raisedRows
  rw [c]
  show grid b w m R f + _ - _ = _
  rw [← grid_add]
  exact grid_sub fun r hr i hi => Nat.le_trans (h r hr i hi) (Nat.le_add_left _ _)

/-- The batch's rows with a further row of ones below them. -/
def withOnes (b w R m rows : Nat) : Nat :=
  Nat.add rows (Nat.mul (Nat.pow 2 (Nat.mul (Nat.mul b w) R)) (ones b m))
/-- `raw` has the products of all raised rows and raised columns, in its last row the columns' sums: without
    what the offsets add, raised by `2^(b - 2)`. -/
def lowerAll (b w R m size bits count rows raw : Nat) : Nat :=
  share (fun weights => share (fun sums =>
        Nat.sub (Nat.add (Nat.land raw (Nat.sub (Nat.pow 2 (Nat.mul (Nat.mul b w) R)) 1))
            (Nat.mul (Nat.mul
                  (Nat.add (Nat.pow 2 (Nat.sub b 2)) (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.pow 2 bits))))
                  (ones b count)) (ones (Nat.mul b w) R)))
          (Nat.add (Nat.mul (Nat.mul (Nat.pow 2 bits) sums) (ones b count))
              (Nat.mul (Nat.mul (Nat.pow 2 size) weights) (ones (Nat.mul b w) R))))
      (times b w R m rows (ones b m))) (Nat.shiftRight raw (Nat.mul (Nat.mul b w) R))
/-- All rows times all columns: raised rows times raised columns, without what the offsets add, raised by
    `2^(b - 2)`. The columns come in one number in reverse order, `m` digits each; a further row of ones
    yields their sums. -/
def combined (b w c R levels m tiles size bits count rows turned : Nat) : Nat :=
  share (lowerAll b w R m size bits count rows)
    (dotsOf b w c (Nat.succ R) levels m tiles count (withOnes b w R m rows) turned)

/-- A coefficient as `combined` computes it. -/
def combinedAt (b m F O : Nat) (f g p n : Nat → Nat) : Nat :=
  (tally m fun i => (f i + F - g i) * (p i + O - n i)) + (2 ^ (b - 2) + m * (F * O)) -
    (O * (tally m fun i => f i + F - g i) + F * tally m fun i => p i + O - n i)

/-- The raised rows, with the row of ones, and the raised columns fit their digits. -/
theorem raised_fits {b w R m size bits count : Nat} {f g : Nat → Nat → Nat} {p n : Nat → Nat → Nat}
    (hb : 2 ≤ b)
    (hm : 0 < m)
    (fits : 2 * (m * (2 ^ size * 2 ^ bits)) < 2 ^ (b - 2))
    (hf : ∀ r, r < R → ∀ i, i < m → f r i < 2 ^ size ∧ g r i < 2 ^ size)
    (hp : ∀ k, k < count → ∀ i, i < m → p k i ≤ 2 ^ bits ∧ n k i ≤ 2 ^ bits) :
    m * ((2 ^ size + 2 ^ size) * (2 ^ bits + 2 ^ bits)) < 2 ^ b ∧
    2 ^ size + 2 ^ size < 2 ^ b ∧
    2 ^ bits + 2 ^ bits < 2 ^ b ∧
    (∀ k, k < count → ∀ i, i < m → p k i + 2 ^ bits - n k i ≤ 2 ^ bits + 2 ^ bits) ∧
    (∀ r, r < R → ∀ i, i < m → f r i + 2 ^ size - g r i ≤ 2 ^ size + 2 ^ size) ∧
    (∀ r, r < R + 1 →
        ∀ i,
          i < m → stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i ≤ 2 ^ size + 2 ^ size) ∧
    withOnes b w R m (grid b w m R fun r i => f r i + 2 ^ size - g r i) =
      grid b w m (R + 1) (stacked R (fun r i => f r i + 2 ^ size - g r i) fun _ _ => 1) := by
  have b0 : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) hb
  have half : 2 ^ (b - 2) + 2 ^ (b - 2) + (2 ^ (b - 2) + 2 ^ (b - 2)) = 2 ^ b := by
    obtain ⟨k, rfl⟩ := Nat.exists_of_le hb
    have e1 : 2 + k - 2 = k := Natural.add_sub_cancel_left 2 k
    rw [e1, Nat.add_comm 2]
    show _ = 2 ^ (k + 1 + 1)
    rw [Natural.pow_succ, Natural.pow_succ, Natural.two_mul, Natural.two_mul]
  -- the products of raised numbers fit a digit
  have room : m * ((2 ^ size + 2 ^ size) * (2 ^ bits + 2 ^ bits)) < 2 ^ b := by
    have e : m * ((2 ^ size + 2 ^ size) * (2 ^ bits + 2 ^ bits)) =
        2 * (m * (2 ^ size * 2 ^ bits)) + 2 * (m * (2 ^ size * 2 ^ bits)) := by
      rw [← Natural.two_mul, ← Natural.two_mul, ← Natural.two_mul]
      simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
    rw [e, ← half]
    have s := Nat.add_le_add fits (Natural.le_of_lt fits)
    rw [Nat.succ_add] at s
    exact Nat.le_trans s (Nat.le_add_right _ _)
  have one : ∀ a : Nat, 1 ≤ 2 ^ a := fun a => Natural.two_pow_pos a
  have xle : ∀ r, r < R → ∀ i, i < m → f r i + 2 ^ size - g r i ≤ 2 ^ size + 2 ^ size := fun r hr i hi =>
    Nat.le_trans (Natural.sub_le _ _) (Nat.add_le_add (Natural.le_of_lt (hf r hr i hi).1) Nat.le.refl)
  have vle : ∀ k, k < count → ∀ i, i < m → p k i + 2 ^ bits - n k i ≤ 2 ^ bits + 2 ^ bits := fun k hk i hi =>
    Nat.le_trans (Natural.sub_le _ _) (Nat.add_le_add (hp k hk i hi).1 Nat.le.refl)
  have a_lt : 2 ^ size + 2 ^ size < 2 ^ b := by
    refine Natural.lt_of_le_of_lt ?_ room
    have e := Nat.mul_le_mul hm
      (Nat.mul_le_mul (Nat.le.refl (n := 2 ^ size + 2 ^ size))
        (Nat.le_trans (one bits) (Nat.le_add_right (2 ^ bits) (2 ^ bits))))
    rw [Nat.one_mul, Nat.mul_one] at e; exact e
  have d_lt : 2 ^ bits + 2 ^ bits < 2 ^ b := by
    refine Natural.lt_of_le_of_lt ?_ room
    have e := Nat.mul_le_mul hm
      (Nat.mul_le_mul (Nat.le_trans (one size) (Nat.le_add_right (2 ^ size) (2 ^ size)))
        (Nat.le.refl (n := 2 ^ bits + 2 ^ bits)))
    rw [Nat.one_mul, Nat.one_mul] at e; exact e
  have stackedLe : ∀ r, r < R + 1 →
      ∀ i, i < m → stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i ≤ 2 ^ size + 2 ^ size :=
        fun r hr i hi => by
    cases Natural.le_or_lt R r with
    | inl h =>
      obtain ⟨q, rfl⟩ := Nat.exists_of_le h
      rw [stacked_second]; exact Nat.le_trans (one size) (Nat.le_add_right _ _)
    | inr h => rw [stacked_first _ _ h]; exact xle r h i hi
  have both_rows : withOnes b w R m (grid b w m R fun r i => f r i + 2 ^ size - g r i) =
      grid b w m (R + 1) (stacked R (fun r i => f r i + 2 ^ size - g r i) fun _ _ => 1) := by
    have single : ones b m = pack (b * w) 1 fun _ => pack b m fun _ => 1 := by
      rw [ones_eq b0]
      show _ = pack b m _ + 2 ^ (b * w) * 0
      rw [Nat.mul_zero]; rfl
    unfold withOnes
    rw [single]
    exact Memory.pack_splice
      (h := fun r => pack b m (stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r))
      (fun r hr => by rw [stacked_first _ _ hr]) (fun r _ => by rw [stacked_second])
  exact ⟨room, a_lt, d_lt, vle, xle, stackedLe, both_rows⟩

theorem lowerAll_eq (K : Type u) [OrderedRing K] {b w R m size bits count : Nat} {f g : Nat → Nat → Nat}
    {p n : Nat → Nat → Nat}
    (hb : 2 ≤ b)
    (hm : 0 < m)
    (hw : m ≤ w)
    (hcount : count ≤ w)
    (fits : 2 * (m * (2 ^ size * 2 ^ bits)) < 2 ^ (b - 2))
    (hf : ∀ r, r < R → ∀ i, i < m → f r i < 2 ^ size ∧ g r i < 2 ^ size)
    (hp : ∀ k, k < count → ∀ i, i < m → p k i ≤ 2 ^ bits ∧ n k i ≤ 2 ^ bits) :
    lowerAll b w R m size bits count (grid b w m R fun r i => f r i + 2 ^ size - g r i)
      (grid b w count (R + 1) fun r k => tally m fun i =>
        stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i * (p k i + 2 ^ bits - n k i)) =
    grid b w count R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (p k) (n k) := by
  have b0 : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) hb
  have w0 : 0 < w := Natural.lt_of_lt_of_le hm hw
  have bw : 0 < b * w := Nat.mul_pos b0 w0
  have one : ∀ a : Nat, 1 ≤ 2 ^ a := fun a => Natural.two_pow_pos a
  obtain ⟨room, a_lt, d_lt, vle, xle, stackedLe, _⟩ := raised_fits (w := w) hb hm fits hf hp
  have small : ∀ r, r < R →
      pack b count (fun k => tally m fun i =>
            stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i * (p k i + 2 ^ bits - n k i)) <
        2 ^ (b * w) := fun r hr =>
    row_lt hcount fun k hk => Natural.lt_of_le_of_lt (tally_le fun i hi =>
        Nat.mul_le_mul (stackedLe r (Nat.le_trans hr (Nat.le_add_right R 1)) i hi) (vle k hk i hi)) room
  have body : Nat.land (grid b w count (R + 1) fun r k => tally m fun i =>
      stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i * (p k i + 2 ^ bits - n k i))
      (Nat.sub (Nat.pow 2 (Nat.mul (Nat.mul b w) R)) 1) =
          grid b w count R fun r k =>
            tally m fun i => (f r i + 2 ^ size - g r i) * (p k i + 2 ^ bits - n k i) := by
    refine (land_pack_append small).trans ?_
    exact pack_congr fun r hr => pack_congr fun k _ => tally_congr fun i _ => by rw [stacked_first _ _ hr]
  have weights : Nat.shiftRight (grid b w count (R + 1) fun r k => tally m fun i =>
      stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i * (p k i + 2 ^ bits - n k i))
      (Nat.mul (Nat.mul b w) R) = pack b count fun k => tally m fun i => p k i + 2 ^ bits - n k i := by
    refine (shift_pack_append small).trans ?_
    show pack b count (fun k => tally m fun i => stacked R _ (fun _ _ => 1) (R + 0) i * _) +
      2 ^ (b * w) * 0 = _
    rw [Nat.mul_zero, Nat.add_zero]
    refine pack_congr fun k _ => tally_congr fun i _ => ?_
    rw [stacked_second, Nat.one_mul]
  have sums := times_ones (R := R) (f := fun r i => f r i + 2 ^ size - g r i) hm hw b0 xle (by
    refine Natural.lt_of_le_of_lt ?_ room
    refine Nat.mul_le_mul Nat.le.refl ?_
    have e := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ size + 2 ^ size))
      (Nat.le_trans (one bits) (Nat.le_add_right (2 ^ bits) (2 ^ bits)))
    rw [Nat.mul_one] at e; exact e)
  unfold lowerAll
  simp only [share_eq]
  rw [body, weights, sums]
  have k1 : Nat.mul (Nat.mul
      (Nat.add (Nat.pow 2 (Nat.sub b 2)) (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.pow 2 bits))))
      (ones b count)) (ones (Nat.mul b w) R) =
      grid b w count R fun _ _ => 2 ^ (b - 2) + m * (2 ^ size * 2 ^ bits) := by
    have e : Nat.mul
          (Nat.add (Nat.pow 2 (Nat.sub b 2)) (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.pow 2 bits))))
          (ones b count) = pack b count fun _ => 2 ^ (b - 2) + m * (2 ^ size * 2 ^ bits) :=
      mul_ones b0 count _
    rw [e]; exact repeat_pack bw count R _
  have k2 : Nat.mul (Nat.mul (Nat.pow 2 bits) (side b w R fun r => tally m fun i => f r i + 2 ^ size - g r i))
    (ones b count) =
      grid b w count R fun r _ => 2 ^ bits * tally m fun i => f r i + 2 ^ size - g r i := by
    have e : Nat.mul (Nat.pow 2 bits) (side b w R fun r => tally m fun i => f r i + 2 ^ size - g r i) = _ :=
      (side_mul b w R (2 ^ bits) _).symm
    rw [e, ones_eq b0]
    exact (side_mul_pack b w count R _ _).trans (grid_congr fun r _ k _ => Natural.mul_one _)
  have k3 : Nat.mul
    (Nat.mul (Nat.pow 2 size) (pack b count fun k => tally m fun i => p k i + 2 ^ bits - n k i))
    (ones (Nat.mul b w) R) =
      grid b w count R fun _ k => 2 ^ size * tally m fun i => p k i + 2 ^ bits - n k i := by
    have e : Nat.mul (Nat.pow 2 size) (pack b count fun k => tally m fun i => p k i + 2 ^ bits - n k i) = _ :=
      (pack_mul b count (2 ^ size) _).symm
    rw [e]; exact repeat_pack bw count R _
  rw [k1, k2, k3]
  show grid b w count R _ + grid b w count R _ - (grid b w count R _ + grid b w count R _) = _
  rw [← grid_add, ← grid_add]
  refine grid_sub fun r hr k hk => ?_
  exact (lowered (K := K) hb fits
      (fun i hi => ⟨Natural.le_of_lt (hf r hr i hi).1, Natural.le_of_lt (hf r hr i hi).2⟩)
      (fun i hi => hp k hk i hi) rfl).1

theorem combined_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits count turned : Nat}
    {f g : Nat → Nat → Nat} {p n : Nat → Nat → Nat}
    (hb : 2 ≤ b)
    (hm : 0 < m)
    (hw : m ≤ w)
    (hc : 0 < c)
    (hcw : c ≤ w)
    (hl : R + 1 ≤ 2 ^ levels)
    (hmc : m ≤ c * tiles)
    (hct : c * tiles ≤ w)
    (hcount : count ≤ w)
    (pos : 0 < count)
    (fits : 2 * (m * (2 ^ size * 2 ^ bits)) < 2 ^ (b - 2))
    (hf : ∀ r, r < R → ∀ i, i < m → f r i < 2 ^ size ∧ g r i < 2 ^ size)
    (hp : ∀ k, k < count → ∀ i, i < m → p k i ≤ 2 ^ bits ∧ n k i ≤ 2 ^ bits)
    (ht : ∀ u, u < count →
      digit (b * m) turned u =
        pack b m fun i => p (count - 1 - u) (m - 1 - i) + 2 ^ bits - n (count - 1 - u) (m - 1 - i)) :
    combined b w c R levels m tiles size bits count (grid b w m R fun r i => f r i + 2 ^ size - g r i)
      turned = grid b w count R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (p k) (n k) := by
  have b0 : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) hb
  obtain ⟨room, a_lt, d_lt, vle, _, stackedLe, both_rows⟩ := raised_fits (w := w) hb hm fits hf hp
  have raw := dotsOf_eq (levels := levels) (turned := turned) (R := R + 1)
    (V := fun k i => p k i + 2 ^ bits - n k i) b0 hc hcw hl hmc hct pos stackedLe vle a_lt d_lt room ht
  unfold combined
  rw [share_eq, both_rows]
  exact (congrArg (lowerAll b w R m size bits count _) raw).trans (lowerAll_eq K hb hm hw hcount fits hf hp)
end Relaxation
end PytestTorchLean
