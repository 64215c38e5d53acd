prelude
import PytestTorchLean.Check.Relaxation.Signed
import PytestTorchLean.Check.Relaxation.Substitute
import PytestTorchLean.Check.Relaxation.Reversed
/-!
# A whole affine node substituted at once

Where a node reads one run of slots with its first columns and constants with the others, all columns of its
weights are multiplied by all rows of the batch, without regard to what they read. The coefficients of the run
then lie side by side; the other slots are replaced by their bounds.
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
    (pack_sub (b := b * w) (m := R) (f := fun r => pack b n (f r)) (g := fun r => pack b n (g r)) fun r hr => pack_le (h r hr)).symm
  rw [e]
  exact pack_congr fun r hr => (pack_sub (h r hr)).symm

/-- The rows of a batch, positive coefficients less negative ones, raised by `2^size`. -/
def raisedRows (b w R m size positive negative : Nat) : Nat :=
  Nat.sub (Nat.add positive (Nat.mul (Nat.mul (Nat.pow 2 size) (ones b m)) (ones (Nat.mul b w) R))) negative
theorem raisedRows_eq {b w R m size : Nat} {f g : Nat → Nat → Nat} (hb : 0 < b) (hw : 0 < b * w) (h : ∀ r, r < R → ∀ i, i < m → g r i ≤ 2 ^ size) :
    raisedRows b w R m size (grid b w m R f) (grid b w m R g) = grid b w m R fun r i => f r i + 2 ^ size - g r i := by
  have c : Nat.mul (Nat.mul (Nat.pow 2 size) (ones b m)) (ones (Nat.mul b w) R) = grid b w m R fun _ _ => 2 ^ size := by
    have e : Nat.mul (Nat.pow 2 size) (ones b m) = pack b m fun _ => 2 ^ size := mul_ones hb m _
    rw [e]; exact repeat_pack hw m R _
  unfold raisedRows
  rw [c]
  show grid b w m R f + _ - _ = _
  rw [← grid_add]
  exact grid_sub fun r hr i hi => Nat.le_trans (h r hr i hi) (Nat.le_add_left _ _)

/-- The batch's rows with a further row of ones below them. -/
def withOnes (b w R m rows : Nat) : Nat := Nat.add rows (Nat.mul (Nat.pow 2 (Nat.mul (Nat.mul b w) R)) (ones b m))
/-- `raw` has the products of all raised rows and raised columns, in its last row the columns' sums: without what the offsets
    add, raised by `2^(b - 2)`. -/
def lowerAll (b w R m size bits count rows raw : Nat) : Nat :=
  share (fun weights => share (fun sums =>
        Nat.sub (Nat.add (Nat.land raw (Nat.sub (Nat.pow 2 (Nat.mul (Nat.mul b w) R)) 1))
            (Nat.mul (Nat.mul (Nat.add (Nat.pow 2 (Nat.sub b 2)) (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.pow 2 bits)))) (ones b count)) (ones (Nat.mul b w) R)))
          (Nat.add (Nat.mul (Nat.mul (Nat.pow 2 bits) sums) (ones b count)) (Nat.mul (Nat.mul (Nat.pow 2 size) weights) (ones (Nat.mul b w) R))))
      (times b w R m rows (ones b m))) (Nat.shiftRight raw (Nat.mul (Nat.mul b w) R))
/-- All rows times all columns: raised rows times raised columns, without what the offsets add, raised by `2^(b - 2)`. The
    columns come in one number in reverse order, `m` digits each; a further row of ones yields their sums. -/
def combined (b w c R levels m tiles size bits count rows turned : Nat) : Nat :=
  share (lowerAll b w R m size bits count rows) (dotsOf b w c (Nat.succ R) levels m tiles count (withOnes b w R m rows) turned)

/-- A coefficient as `combined` computes it. -/
def combinedAt (b m F O : Nat) (f g p n : Nat → Nat) : Nat :=
  (tally m fun i => (f i + F - g i) * (p i + O - n i)) + (2 ^ (b - 2) + m * (F * O)) -
    (O * (tally m fun i => f i + F - g i) + F * tally m fun i => p i + O - n i)

/-- The raised rows, with the row of ones, and the raised columns fit their digits. -/
theorem raised_fits {b w R m size bits count : Nat} {f g : Nat → Nat → Nat} {p n : Nat → Nat → Nat} (hb : 2 ≤ b) (hm : 0 < m)
    (fits : 2 * (m * (2 ^ size * 2 ^ bits)) < 2 ^ (b - 2))
    (hf : ∀ r, r < R → ∀ i, i < m → f r i < 2 ^ size ∧ g r i < 2 ^ size) (hp : ∀ k, k < count → ∀ i, i < m → p k i ≤ 2 ^ bits ∧ n k i ≤ 2 ^ bits) :
    m * ((2 ^ size + 2 ^ size) * (2 ^ bits + 2 ^ bits)) < 2 ^ b ∧ 2 ^ size + 2 ^ size < 2 ^ b ∧ 2 ^ bits + 2 ^ bits < 2 ^ b ∧
      (∀ k, k < count → ∀ i, i < m → p k i + 2 ^ bits - n k i ≤ 2 ^ bits + 2 ^ bits) ∧
      (∀ r, r < R → ∀ i, i < m → f r i + 2 ^ size - g r i ≤ 2 ^ size + 2 ^ size) ∧
      (∀ r, r < R + 1 → ∀ i, i < m → stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i ≤ 2 ^ size + 2 ^ size) ∧
      withOnes b w R m (grid b w m R fun r i => f r i + 2 ^ size - g r i) = grid b w m (R + 1) (stacked R (fun r i => f r i + 2 ^ size - g r i) fun _ _ => 1) := by
  have b0 : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) hb
  have half : 2 ^ (b - 2) + 2 ^ (b - 2) + (2 ^ (b - 2) + 2 ^ (b - 2)) = 2 ^ b := by
    obtain ⟨k, rfl⟩ := Nat.exists_of_le hb
    have e1 : 2 + k - 2 = k := Natural.add_sub_cancel_left 2 k
    rw [e1, Nat.add_comm 2]
    show _ = 2 ^ (k + 1 + 1)
    rw [Natural.pow_succ, Natural.pow_succ, Natural.two_mul, Natural.two_mul]
  -- the products of raised numbers fit a digit
  have room : m * ((2 ^ size + 2 ^ size) * (2 ^ bits + 2 ^ bits)) < 2 ^ b := by
    have e : m * ((2 ^ size + 2 ^ size) * (2 ^ bits + 2 ^ bits)) = 2 * (m * (2 ^ size * 2 ^ bits)) + 2 * (m * (2 ^ size * 2 ^ bits)) := by
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
    have e := Nat.mul_le_mul hm (Nat.mul_le_mul (Nat.le.refl (n := 2 ^ size + 2 ^ size)) (Nat.le_trans (one bits) (Nat.le_add_right (2 ^ bits) (2 ^ bits))))
    rw [Nat.one_mul, Nat.mul_one] at e; exact e
  have d_lt : 2 ^ bits + 2 ^ bits < 2 ^ b := by
    refine Natural.lt_of_le_of_lt ?_ room
    have e := Nat.mul_le_mul hm (Nat.mul_le_mul (Nat.le_trans (one size) (Nat.le_add_right (2 ^ size) (2 ^ size))) (Nat.le.refl (n := 2 ^ bits + 2 ^ bits)))
    rw [Nat.one_mul, Nat.one_mul] at e; exact e
  have stackedLe : ∀ r, r < R + 1 → ∀ i, i < m → stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i ≤ 2 ^ size + 2 ^ size := fun r hr i hi => by
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
    exact Memory.pack_splice (h := fun r => pack b m (stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r))
      (fun r hr => by rw [stacked_first _ _ hr]) (fun r _ => by rw [stacked_second])
  exact ⟨room, a_lt, d_lt, vle, xle, stackedLe, both_rows⟩

theorem lowerAll_eq (K : Type u) [OrderedRing K] {b w R m size bits count : Nat} {f g : Nat → Nat → Nat} {p n : Nat → Nat → Nat} (hb : 2 ≤ b) (hm : 0 < m)
    (hw : m ≤ w) (hcount : count ≤ w) (fits : 2 * (m * (2 ^ size * 2 ^ bits)) < 2 ^ (b - 2))
    (hf : ∀ r, r < R → ∀ i, i < m → f r i < 2 ^ size ∧ g r i < 2 ^ size) (hp : ∀ k, k < count → ∀ i, i < m → p k i ≤ 2 ^ bits ∧ n k i ≤ 2 ^ bits) :
    lowerAll b w R m size bits count (grid b w m R fun r i => f r i + 2 ^ size - g r i)
      (grid b w count (R + 1) fun r k => tally m fun i => stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i * (p k i + 2 ^ bits - n k i)) =
      grid b w count R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (p k) (n k) := by
  have b0 : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) hb
  have w0 : 0 < w := Natural.lt_of_lt_of_le hm hw
  have bw : 0 < b * w := Nat.mul_pos b0 w0
  have one : ∀ a : Nat, 1 ≤ 2 ^ a := fun a => Natural.two_pow_pos a
  obtain ⟨room, a_lt, d_lt, vle, xle, stackedLe, _⟩ := raised_fits (w := w) hb hm fits hf hp
  have small : ∀ r, r < R → pack b count (fun k => tally m fun i => stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i * (p k i + 2 ^ bits - n k i)) < 2 ^ (b * w) := fun r hr =>
    row_lt hcount fun k hk => Natural.lt_of_le_of_lt (tally_le fun i hi => Nat.mul_le_mul (stackedLe r (Nat.le_trans hr (Nat.le_add_right R 1)) i hi) (vle k hk i hi)) room
  have body : Nat.land (grid b w count (R + 1) fun r k => tally m fun i => stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i * (p k i + 2 ^ bits - n k i))
      (Nat.sub (Nat.pow 2 (Nat.mul (Nat.mul b w) R)) 1) = grid b w count R fun r k => tally m fun i => (f r i + 2 ^ size - g r i) * (p k i + 2 ^ bits - n k i) := by
    refine (land_pack_append small).trans ?_
    exact pack_congr fun r hr => pack_congr fun k _ => tally_congr fun i _ => by rw [stacked_first _ _ hr]
  have weights : Nat.shiftRight (grid b w count (R + 1) fun r k => tally m fun i => stacked R (fun r i => f r i + 2 ^ size - g r i) (fun _ _ => 1) r i * (p k i + 2 ^ bits - n k i))
      (Nat.mul (Nat.mul b w) R) = pack b count fun k => tally m fun i => p k i + 2 ^ bits - n k i := by
    refine (shift_pack_append small).trans ?_
    show pack b count (fun k => tally m fun i => stacked R _ (fun _ _ => 1) (R + 0) i * _) + 2 ^ (b * w) * 0 = _
    rw [Nat.mul_zero, Nat.add_zero]
    refine pack_congr fun k _ => tally_congr fun i _ => ?_
    rw [stacked_second, Nat.one_mul]
  have sums := times_ones (R := R) (f := fun r i => f r i + 2 ^ size - g r i) hm hw b0 xle (by
    refine Natural.lt_of_le_of_lt ?_ room
    refine Nat.mul_le_mul Nat.le.refl ?_
    have e := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ size + 2 ^ size)) (Nat.le_trans (one bits) (Nat.le_add_right (2 ^ bits) (2 ^ bits)))
    rw [Nat.mul_one] at e; exact e)
  unfold lowerAll
  simp only [share_eq]
  rw [body, weights, sums]
  have k1 : Nat.mul (Nat.mul (Nat.add (Nat.pow 2 (Nat.sub b 2)) (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.pow 2 bits)))) (ones b count)) (ones (Nat.mul b w) R) =
      grid b w count R fun _ _ => 2 ^ (b - 2) + m * (2 ^ size * 2 ^ bits) := by
    have e : Nat.mul (Nat.add (Nat.pow 2 (Nat.sub b 2)) (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.pow 2 bits)))) (ones b count) = pack b count fun _ => 2 ^ (b - 2) + m * (2 ^ size * 2 ^ bits) :=
      mul_ones b0 count _
    rw [e]; exact repeat_pack bw count R _
  have k2 : Nat.mul (Nat.mul (Nat.pow 2 bits) (side b w R fun r => tally m fun i => f r i + 2 ^ size - g r i)) (ones b count) =
      grid b w count R fun r _ => 2 ^ bits * tally m fun i => f r i + 2 ^ size - g r i := by
    have e : Nat.mul (Nat.pow 2 bits) (side b w R fun r => tally m fun i => f r i + 2 ^ size - g r i) = _ := (side_mul b w R (2 ^ bits) _).symm
    rw [e, ones_eq b0]
    exact (side_mul_pack b w count R _ _).trans (grid_congr fun r _ k _ => Natural.mul_one _)
  have k3 : Nat.mul (Nat.mul (Nat.pow 2 size) (pack b count fun k => tally m fun i => p k i + 2 ^ bits - n k i)) (ones (Nat.mul b w) R) =
      grid b w count R fun _ k => 2 ^ size * tally m fun i => p k i + 2 ^ bits - n k i := by
    have e : Nat.mul (Nat.pow 2 size) (pack b count fun k => tally m fun i => p k i + 2 ^ bits - n k i) = _ := (pack_mul b count (2 ^ size) _).symm
    rw [e]; exact repeat_pack bw count R _
  rw [k1, k2, k3]
  show grid b w count R _ + grid b w count R _ - (grid b w count R _ + grid b w count R _) = _
  rw [← grid_add, ← grid_add]
  refine grid_sub fun r hr k hk => ?_
  exact (lowered (K := K) hb fits (fun i hi => ⟨Natural.le_of_lt (hf r hr i hi).1, Natural.le_of_lt (hf r hr i hi).2⟩) (fun i hi => hp k hk i hi) rfl).1

theorem combined_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits count turned : Nat} {f g : Nat → Nat → Nat} {p n : Nat → Nat → Nat} (hb : 2 ≤ b) (hm : 0 < m)
    (hw : m ≤ w) (hc : 0 < c) (hcw : c ≤ w) (hl : R + 1 ≤ 2 ^ levels) (hmc : m ≤ c * tiles) (hct : c * tiles ≤ w) (hcount : count ≤ w) (pos : 0 < count)
    (fits : 2 * (m * (2 ^ size * 2 ^ bits)) < 2 ^ (b - 2))
    (hf : ∀ r, r < R → ∀ i, i < m → f r i < 2 ^ size ∧ g r i < 2 ^ size) (hp : ∀ k, k < count → ∀ i, i < m → p k i ≤ 2 ^ bits ∧ n k i ≤ 2 ^ bits)
    (ht : ∀ u, u < count → digit (b * m) turned u = pack b m fun i => p (count - 1 - u) (m - 1 - i) + 2 ^ bits - n (count - 1 - u) (m - 1 - i)) :
    combined b w c R levels m tiles size bits count (grid b w m R fun r i => f r i + 2 ^ size - g r i) turned =
      grid b w count R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (p k) (n k) := by
  have b0 : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) hb
  obtain ⟨room, a_lt, d_lt, vle, _, stackedLe, both_rows⟩ := raised_fits (w := w) hb hm fits hf hp
  have raw := dotsOf_eq (levels := levels) (turned := turned) (R := R + 1) (V := fun k i => p k i + 2 ^ bits - n k i) b0 hc hcw hl hmc hct pos
    stackedLe vle a_lt d_lt room ht
  unfold combined
  rw [share_eq, both_rows]
  exact (congrArg (lowerAll b w R m size bits count _) raw).trans (lowerAll_eq K hb hm hw hcount fits hf hp)

/-! ### Slots that are replaced by their bounds -/

theorem form_split (n k : Nat) (p q : Nat → Nat) (x : Nat → K) :
    form (n + k) p q x = form n p q x + form k (fun j => p (n + j)) (fun j => q (n + j)) fun j => x (n + j) := by
  induction n generalizing p q x with
  | zero =>
    have e : ∀ {α : Type u} (g : Nat → α), (fun j => g (0 + j)) = g := fun g => funext fun j => congrArg g (Nat.zero_add j)
    have e' : ∀ g : Nat → Nat, (fun j => g (0 + j)) = g := fun g => funext fun j => congrArg g (Nat.zero_add j)
    rw [Nat.zero_add, e' p, e' q, e x]
    exact (zero_add _).symm
  | succ n ih =>
    have e : ∀ j, n + 1 + j = n + j + 1 := fun j => Natural.add_right_comm n 1 j
    have count : n + 1 + k = n + k + 1 := Natural.add_right_comm n 1 k
    have z : form k (fun j => p (n + 1 + j)) (fun j => q (n + 1 + j)) (fun j => x (n + 1 + j)) =
        form k (fun j => p (n + j + 1)) (fun j => q (n + j + 1)) (fun j => x (n + j + 1)) := Columns.sum_congr fun j _ => by
      show (natural (p (n + 1 + j)) - natural (q (n + 1 + j))) * x (n + 1 + j) = _
      rw [e j]
    rw [count, z]
    have h := ih (fun j => p (j + 1)) (fun j => q (j + 1)) (fun j => x (j + 1))
    show (natural (p 0) - natural (q 0)) * x 0 + form (n + k) (fun j => p (j + 1)) (fun j => q (j + 1)) (fun j => x (j + 1)) =
      (natural (p 0) - natural (q 0)) * x 0 + form n (fun j => p (j + 1)) (fun j => q (j + 1)) (fun j => x (j + 1)) + _
    rw [h, add_assoc]

/-- The columns from `j` on, `remaining` of them: the slots they belong to are replaced by their bounds. -/
def settleColumns (s : Scale) (frame : Frame) (weight direct mirrored memory positive negative remaining : Nat) :
    Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool) (fun _ _ gain loss next => next gain loss)
    (fun _ rest j sources gain loss next => force (fun slot => both (Nat.ble (Nat.succ slot) memory)
        (force (fun p => force (fun q => force (fun gain' => force (fun loss' => force (fun sources' => force (fun j' => rest j' sources' gain' loss' next)
                (Nat.succ j)) (Nat.shiftRight sources 32))
              (Nat.add loss (Nat.mul (Nat.mul weight s.center) (Nat.add p q))))
              (Nat.add gain (Nat.mul weight (Nat.add (Nat.mul (lows s direct slot 1) p) (Nat.mul (lows s mirrored slot 1) q)))))
          (column frame.digit frame.width frame.rows negative j)) (column frame.digit frame.width frame.rows positive j)))
      (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))) remaining
theorem settleColumns_succ (s : Scale) (frame : Frame) (weight direct mirrored memory positive negative remaining j sources gain loss : Nat) (next : Nat → Nat → Bool) :
    settleColumns s frame weight direct mirrored memory positive negative (remaining + 1) j sources gain loss next =
      both (Nat.ble (Nat.succ (word sources 0)) memory)
        (settleColumns s frame weight direct mirrored memory positive negative remaining (j + 1) (Nat.shiftRight sources 32)
          (gain + weight * (lows s direct (word sources 0) 1 * column frame.digit frame.width frame.rows positive j +
            lows s mirrored (word sources 0) 1 * column frame.digit frame.width frame.rows negative j))
          (loss + weight * s.center * (column frame.digit frame.width frame.rows positive j + column frame.digit frame.width frame.rows negative j)) next) := by
  rw [← word_zero]
  unfold settleColumns
  simp only [force_eq]
  rfl

theorem settleColumns_sound {s : Scale} {frame : Frame} {slots goal extra : Nat → K} {weight direct mirrored memory n cap : Nat} {p q : Nat → Nat → Nat} {next : Nat → Nat → Bool}
    (half : 0 < s.half) (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory) (hb : 0 < frame.digit) (hw : n ≤ frame.width)
    (hcap : cap < 2 ^ frame.digit) (hp : ∀ r, r < frame.rows → ∀ k, k < n → p r k ≤ cap ∧ q r k ≤ cap) :
    (remaining j : Nat) → j + remaining = n → (sources limit : Nat) → (c d : Nat → Nat) →
    (∀ r, r < frame.rows → c r ≤ limit ∧ d r ≤ limit ∧
      natural weight * (form remaining (fun k => p r (j + k)) (fun k => q r (j + k)) (fun k => natural s.unit * slots (word sources k)) + extra r) + natural (c r) ≤ goal r + natural (d r)) →
    settleColumns s frame weight direct mirrored memory (grid frame.digit frame.width n frame.rows p) (grid frame.digit frame.width n frame.rows q) remaining j sources
      (side frame.digit frame.width frame.rows c) (side frame.digit frame.width frame.rows d) next = true →
    ∃ c' d' : Nat → Nat, next (side frame.digit frame.width frame.rows c') (side frame.digit frame.width frame.rows d') = true ∧
      ∀ r, r < frame.rows → c' r ≤ limit + remaining * (weight * (cap * (s.top + s.top))) ∧ d' r ≤ limit + remaining * (weight * (cap * (s.top + s.top))) ∧
        natural weight * extra r + natural (c' r) ≤ goal r + natural (d' r)
  | 0, j, _, sources, limit, c, d, hr, h => by
    refine ⟨c, d, h, fun r hr' => ?_⟩
    obtain ⟨y1, y2, y3⟩ := hr r hr'
    have z : (form 0 (fun k => p r (j + k)) (fun k => q r (j + k)) (fun k => natural s.unit * slots (word sources k)) + extra r : K) = extra r := zero_add _
    rw [z] at y3
    rw [Nat.zero_mul]
    exact ⟨y1, y2, y3⟩
  | remaining + 1, j, hj, sources, limit, c, d, hr, h => by
    have here : j < n := by rw [← hj]; exact Nat.add_le_add (Nat.le.refl (n := j)) (Nat.succ_le_succ (Nat.zero_le remaining))
    have hj' : j + 1 + remaining = n := by rw [← hj, Nat.add_assoc, Nat.add_comm 1]
    rw [settleColumns_succ] at h
    obtain ⟨h1, h⟩ := both_true h
    have h1 : word sources 0 < memory := Nat.le_of_ble_eq_true h1
    obtain ⟨l, m, e1, e2, hv⟩ := lows_hold (start := word sources 0) (n := 1) half sf h1 hm
    obtain ⟨v1, v2, v3, v4⟩ := hv 0 Nat.le.refl
    have one : ∀ g : Nat → Nat, pack s.stride 1 g = g 0 := fun g => by show g 0 + 2 ^ s.stride * 0 = g 0; rw [Nat.mul_zero]; rfl
    rw [one] at e1 e2
    have c1 : column frame.digit frame.width frame.rows (grid frame.digit frame.width n frame.rows p) j = _ :=
      column_eq hw hb (fun r hr' k hk => Natural.lt_of_le_of_lt (hp r hr' k hk).1 hcap) here
    have c2 : column frame.digit frame.width frame.rows (grid frame.digit frame.width n frame.rows q) j = _ :=
      column_eq hw hb (fun r hr' k hk => Natural.lt_of_le_of_lt (hp r hr' k hk).2 hcap) here
    have g1 : side frame.digit frame.width frame.rows c + weight * (l 0 * side frame.digit frame.width frame.rows (fun r => p r j) +
        m 0 * side frame.digit frame.width frame.rows fun r => q r j) = side frame.digit frame.width frame.rows fun r => c r + weight * (l 0 * p r j + m 0 * q r j) := by
      rw [side_add, side_mul, side_add, side_mul, side_mul]
    have g2 : side frame.digit frame.width frame.rows d + weight * s.center * (side frame.digit frame.width frame.rows (fun r => p r j) +
        side frame.digit frame.width frame.rows fun r => q r j) = side frame.digit frame.width frame.rows fun r => d r + weight * s.center * (p r j + q r j) := by
      rw [side_add, side_mul, side_add]
    rw [e1, e2, c1, c2, g1, g2] at h
    have grow : ∀ y : Nat, limit + y + remaining * y = limit + (remaining + 1) * y := fun y => by
      rw [Nat.succ_mul, Nat.add_assoc, Nat.add_comm y]
    obtain ⟨c', d', r1, r2⟩ := settleColumns_sound (goal := goal) (extra := extra) half sf hm hb hw hcap hp remaining (j + 1) hj' (Nat.shiftRight sources 32)
      (limit + weight * (cap * (s.top + s.top))) _ _ (fun r hr' => by
        obtain ⟨y1, y2, y3⟩ := hr r hr'
        obtain ⟨a1, a2⟩ := hp r hr' j here
        refine ⟨Nat.add_le_add y1 (Nat.mul_le_mul Nat.le.refl ?_), Nat.add_le_add y2 ?_, ?_⟩
        · rw [Nat.mul_add, Nat.mul_comm cap]
          exact Nat.add_le_add (Nat.mul_le_mul v1 a1) (Nat.mul_le_mul v2 a2)
        · rw [Nat.mul_assoc]
          refine Nat.mul_le_mul Nat.le.refl ?_
          rw [Nat.mul_add, Nat.mul_add, Nat.mul_comm cap]
          have ct : s.center ≤ s.top := Nat.le_add_right _ _
          exact Nat.add_le_add (Nat.mul_le_mul ct a1) (Nat.mul_le_mul ct a2)
        · have k := form_bounds (K := K) (n := 1) (c := s.center) (p := fun _ => p r j) (q := fun _ => q r j)
            (lower := fun _ => l 0) (mirrored := fun _ => m 0) (x := fun _ => natural s.unit * slots (word sources 0)) (fun _ _ => ⟨v3, v4⟩)
          have k : natural (p r j * l 0 + q r j * m 0 + 0) ≤
              (natural (p r j) - natural (q r j)) * (natural s.unit * slots (word sources 0)) + 0 + (natural (s.center * (p r j + q r j + 0)) : K) := k
          have k := mul_le_left (natural_nonneg (K := K) weight) k
          have e3 : p r j * l 0 + q r j * m 0 + 0 = l 0 * p r j + m 0 * q r j := by
            rw [Nat.mul_comm (l 0), Nat.mul_comm (m 0)]; rfl
          rw [e3, Nat.add_zero, natural_mul s.center, add_zer] at k
          have first : (form (remaining + 1) (fun k => p r (j + k)) (fun k => q r (j + k)) (fun k => natural s.unit * slots (word sources k)) : K) =
              (natural (p r j) - natural (q r j)) * (natural s.unit * slots (word sources 0)) +
                form remaining (fun k => p r (j + 1 + k)) (fun k => q r (j + 1 + k)) (fun k => natural s.unit * slots (word (Nat.shiftRight sources 32) k)) := by
            show (natural (p r (j + 0)) - natural (q r (j + 0))) * _ + form remaining (fun k => p r (j + (k + 1))) (fun k => q r (j + (k + 1)))
              (fun k => natural s.unit * slots (word sources (k + 1))) = _
            refine congrArg (fun y => (natural (p r j) - natural (q r j)) * (natural s.unit * slots (word sources 0)) + y) (Columns.sum_congr fun i _ => ?_)
            have o : j + (i + 1) = j + 1 + i := by rw [Nat.add_assoc, Nat.add_comm 1]
            show (natural (p r (j + (i + 1))) - natural (q r (j + (i + 1)))) * (natural s.unit * slots (word sources (i + 1))) = _
            rw [o, ← word_succ]
          rw [first] at y3
          rw [natural_add (c r), natural_add (d r), natural_mul weight, natural_mul (weight * s.center), natural_mul weight s.center]
          refine le_cert ?_ (add_nonneg (sub_nonneg k) (sub_nonneg y3))
          generalize (natural (p r j) - natural (q r j)) * (natural s.unit * slots (word sources 0)) = y
          generalize (form remaining (fun k => p r (j + 1 + k)) (fun k => q r (j + 1 + k)) (fun k => natural s.unit * slots (word (Nat.shiftRight sources 32) k)) : K) = z
          generalize (natural (l 0 * p r j + m 0 * q r j) : K) = a
          generalize (natural (p r j + q r j) : K) = o
          generalize extra r = x
          generalize goal r = v
          have s1 : natural weight * (y + natural s.center * o) - natural weight * a + (v + natural (d r) - (natural weight * (y + z + x) + natural (c r))) =
              v + (natural (d r) + natural weight * natural s.center * o) - (natural weight * (z + x) + (natural (c r) + natural weight * a)) := by
            have k1 : natural weight * (y + natural s.center * o) = natural weight * y + natural weight * natural s.center * o := by rw [mul_add, mul_assoc]
            have k2 : natural weight * (y + z + x) = natural weight * y + natural weight * (z + x) := by rw [add_assoc, mul_add]
            rw [k1, k2]
            exact (ring8 K y o a v d w c z, y + o - a + (v + d - (y + w + c)), v + (d + o) - (w + (c + a))) _ _ _ _ _ _ _ 0
          exact s1.symm) h
    rw [grow] at r2
    exact ⟨c', d', r1, r2⟩

/-! ### The node -/

/-- All columns are the rows' combination. -/
theorem form_columns {s : Scale} {slots : Nat → K} {m : Nat} {f g : Nat → Nat} : (ds : List Digits) → (P N : Nat → Nat) → (source : Nat → Nat) →
    (∀ k, k < ds.length → (natural (P k) - natural (N k) : K) = form m f g fun i => natural ((entry ds k).positive i) - natural ((entry ds k).negative i)) →
    form ds.length P N (fun k => natural s.unit * slots (source k)) = form m f g fun i => natural s.unit * Linear.combination slots ds source i
  | [], _, _, _, _ => by
    show (0 : K) = sum m fun i => (natural (f i) - natural (g i)) * (natural s.unit * 0)
    refine (sum_zero (K := K) m).symm.trans (Columns.sum_congr fun i _ => ?_)
    exact (ring2 K x y, 0, x * (y * 0)) _ _
  | d :: ds, P, N, source, h => by
    have ih := form_columns (s := s) (slots := slots) ds (fun k => P (k + 1)) (fun k => N (k + 1)) (fun k => source (k + 1))
      (fun k hk => h (k + 1) (Nat.succ_le_succ hk))
    have first : (natural (P 0) - natural (N 0) : K) = form m f g fun i => natural (d.positive i) - natural (d.negative i) :=
      h 0 (Nat.succ_le_succ (Nat.zero_le _))
    show (natural (P 0) - natural (N 0)) * (natural s.unit * slots (source 0)) + form ds.length (fun k => P (k + 1)) (fun k => N (k + 1)) _ = _
    rw [ih, first]
    unfold form
    rw [mul_comm, ← sum_mul, ← sum_add]
    refine Columns.sum_congr fun i _ => ?_
    show _ = _ * (natural s.unit * ((natural (d.positive i) - natural (d.negative i)) * slots (source 0) + Linear.combination slots ds (fun k => source (k + 1)) i))
    exact (ring5 K c v u x z, u * x * (c * v) + c * (u * z), c * (u * (v * x + z))) _ _ _ _ _

/-- The errors of all rows: what the coefficients in the batch make of them. -/
def errors (frame : Frame) (C m size error x : Nat) (next : Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.beq error 0) (rounded frame.digit frame.width frame.rows m (Nat.succ size) C 1 error x next) (next 0)
theorem errors_sound {frame : Frame} {C m size error : Nat} {f : Nat → Nat → Nat} {next : Nat → Bool}
    (hf : ∀ r, r < frame.rows → ∀ j, j < m → f r j < 2 ^ (size + 1)) (he : error < 2 ^ (C * m))
    (h : errors frame C m size error (grid frame.digit frame.width m frame.rows f) next = true) :
    ∃ T : Nat → Nat, next (side frame.digit frame.width frame.rows T) = true ∧
      ∀ r, r < frame.rows → T r ≤ m * (2 ^ (size + 1) * 2 ^ (C + 1)) ∧ tally m (fun j => f r j * digit C error j) ≤ T r := by
  unfold errors at h
  cases z : Nat.beq error 0 with
  | false =>
    rw [z] at h
    rw [pack_digits m error he] at h
    obtain ⟨t, ht, h⟩ := rounded_sound Nat.le.refl hf (fun j _ => digit_lt C error j) h
    exact ⟨_, h, fun r hr => ⟨rounded_le ht (hf r hr) (fun j _ => digit_lt C error j), rounded_above m t (f r) (digit C error)⟩⟩
  | true =>
    rw [z] at h
    have z := Nat.eq_of_beq_eq_true z
    subst z
    refine ⟨fun _ => 0, by rw [side_zero]; exact h, fun r _ => ⟨Nat.zero_le _, ?_⟩⟩
    refine Nat.le_trans (tally_le (c := 0) fun j _ => ?_) (Natural.le_of_eq (Nat.mul_zero m))
    have zero : digit C 0 j = 0 := by
      show 0 / 2 ^ _ % 2 ^ _ = 0
      rw [Natural.div_eq_zero (Natural.two_pow_pos _)]
      exact Natural.mod_eq_self (Natural.two_pow_pos _)
    rw [zero, Nat.mul_zero]; exact Nat.le.refl

/-- What a node's product needs: room in the digits, tiles that fit the frame. -/
def roomy (frame : Frame) (m C K n size bits c tiles levels : Nat) : Bool :=
  both (Nat.ble 1 m) (both (Nat.ble 1 n) (both (Nat.ble n K) (both (Nat.ble K frame.width) (both (Nat.ble frame.digit C) (both (Nat.ble 2 frame.digit)
    (both (Nat.ble (Nat.succ (Nat.mul 2 (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.pow 2 bits))))) (Nat.pow 2 (Nat.sub frame.digit 2)))
      (both (Nat.ble 1 c) (both (Nat.ble c frame.width)
        (both (Nat.ble (Nat.mul c tiles) frame.width) (both (Nat.ble m (Nat.mul c tiles)) (Nat.ble (Nat.succ frame.rows) (Nat.pow 2 levels))))))))))))

/-! ### All columns of a node -/

/-- All rows times some columns. -/
def combinedOf (b w c R levels m tiles size bits C rows count : Nat) (columns : List Column) : Nat :=
  combined b w c R levels m tiles size bits count rows (turned C b (Nat.mul m count) (joined C m (Nat.pow 2 bits) columns))
/-- All rows times the columns of all lanes, each of `count` columns. -/
def combinedLanes (b w c R levels m tiles size bits C rows count : Nat) (lanes : List (List Column)) : Nat :=
  List.rec (motive := fun _ => Nat) 0
    (fun lane _ rest => Nat.add (combinedOf b w c R levels m tiles size bits C rows count lane) (Nat.shiftLeft rest (Nat.mul b count))) lanes
/-- All `K` columns at once if the kernel takes the number they make, else lane after lane; `g` lanes of `count` columns. -/
def turnedCombined (b w c R levels m tiles size bits C rows K g count : Nat) (lanes : List (List Column)) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.ble (Nat.mul (Nat.mul m K) g) 262144) (combinedLanes b w c R levels m tiles size bits C rows count lanes)
    (combinedOf b w c R levels m tiles size bits C rows K (Columns.flatten lanes))

/-- How a product with reversed rows is laid out. -/
structure Sharing where
  /-- a row takes `2^row` digits -/
  row : Nat
  /-- digits of a tile -/
  tile : Nat
  tiles : Nat
  /-- columns besides the first that share its digits -/
  others : Nat
  /-- `2^height` is at least the number of rows -/
  height : Nat
  /-- `2^levels` is at least the number of digits -/
  levels : Nat
  /-- at least the number of groups of columns -/
  wide : Nat
/-- The layout for a large matrix, and whether everything fits: `R` rows, `m` by `K` weights. -/
def Sharing.fits (x : Sharing) (b w R m size bits C K : Nat) : Bool :=
  both (both (Nat.ble 16384 (Nat.mul m K)) (both (Nat.ble R 64) (both (Nat.ble (Nat.mul b (Nat.succ x.others)) C) (both (Nat.ble m (Nat.pow 2 x.row))
    (both (Nat.ble (Nat.succ R) (Nat.pow 2 x.height)) (both (Nat.ble (Nat.mul (Nat.pow 2 x.row) (Nat.succ R)) (Nat.pow 2 x.levels))
      (Nat.ble (Nat.mul x.wide (Nat.succ R)) (Nat.pow 2 x.levels))))))))
    (both (Nat.ble 1 x.tile) (both (Nat.beq (Nat.mul x.tile x.tiles) (Nat.pow 2 x.row)) (both (Nat.ble x.tile x.wide)
      (both (Nat.ble (Nat.succ (Nat.add K (Nat.succ x.others))) (Nat.mul (Nat.succ x.others) (Nat.succ x.wide)))
        (Nat.ble (Nat.succ (Nat.mul (Nat.pow 2 x.row) (Nat.mul (Nat.add (Nat.pow 2 size) (Nat.pow 2 size))
          (Nat.mul (Nat.pow 2 (Nat.mul b x.others)) (Nat.succ (Nat.add (Nat.pow 2 bits) (Nat.pow 2 bits))))))) (Nat.pow 2 C))))))
/-- A layout for `next`. -/
def laidOut (b R m C K : Nat) (next : Sharing → Nat) : Nat :=
  force (fun row => force (fun others => force (fun tiles => force (fun tile => force (fun groups => force (fun wide => force (fun height => force (fun levels =>
      next ⟨row, tile, tiles, others, height, levels, wide⟩)
    (Nat.succ (Nat.log2 (Nat.mul (Nat.add (Nat.pow 2 row) wide) (Nat.succ R))))) (Nat.succ (Nat.log2 (Nat.succ R))))
    (Nat.add groups (Nat.sub tile groups))) (Nat.succ (Nat.div K (Nat.succ others)))) (Nat.div (Nat.pow 2 row) tiles)) (Nat.pow 2 (Nat.sub row 6)))
    (Nat.div (Nat.sub C b) b)) (Nat.succ (Nat.log2 (Nat.sub m 1)))
/-- All rows times all columns: with reversed rows where the matrix is large and the rows are few. -/
def allCombined (b w c R levels m tiles size bits C rows K g count : Nat) (lanes : List (List Column)) : Nat :=
  laidOut b R m C K fun x => Bool.casesOn (motive := fun _ => Nat) (x.fits b w R m size bits C K)
    (turnedCombined b w c R levels m tiles size bits C rows K g count lanes)
    (share (lowerAll b w R m size bits K rows)
      (reversedDots b w C (Nat.succ R) x.row x.tile x.tiles x.others x.height x.levels x.wide (withOnes b w R m rows)
        (raisedColumns (Nat.mul (Nat.pow 2 bits) (ones C m)) (Columns.flatten lanes))))

theorem turned_digits {C b m bits count : Nat} {cs : List Column} {ds : List Digits} (hb : b ≤ C) (b0 : 0 < b) (hwide : 2 ^ bits + 2 ^ bits < 2 ^ b)
    (hp : Packed C m (2 ^ bits) cs ds) (hlen : cs.length = count) (pos : 0 < count) {u : Nat} (hu : u < count) :
    digit (b * m) (turned C b (m * count) (joined C m (2 ^ bits) cs)) u = pack b m fun i => raised (2 ^ bits) ds (count - 1 - u) (m - 1 - i) := by
  have hC : 0 < C := Nat.le_trans b0 hb
  have inside : count - 1 - u < count := Natural.lt_of_le_of_lt (Natural.sub_le _ _) (Natural.le_of_eq (Natural.succ_pred pos))
  have wide : ∀ k, k < count → ∀ i, i < m → raised (2 ^ bits) ds k i < 2 ^ b := fun k hk i hi =>
    Natural.lt_of_le_of_lt (raised_le (offset := 2 ^ bits) cs ds hp k (by rw [hlen]; exact hk) i hi).1 hwide
  have t := turnedColumn_eq (C := C) (V := raised (2 ^ bits) ds) hb hC wide inside
  have back : count - 1 - (count - 1 - u) = u := by
    obtain ⟨q, hq⟩ := Nat.exists_of_le hu
    have e1 : count - 1 = u + q := Natural.sub_eq_of_add_eq (by rw [hq, Nat.succ_add])
    rw [e1, Natural.add_sub_cancel_left, Nat.add_comm, Natural.add_sub_cancel_left]
  have j := joined_eq (offset := 2 ^ bits) hC Nat.le.refl cs ds hp
  rw [hlen] at j
  rw [← j] at t
  refine Eq.trans ?_ t
  unfold turnedColumn
  have z : Nat.mul (Nat.mul b m) (Nat.sub (Nat.sub count 1) (count - 1 - u)) = b * m * u := congrArg (fun y => b * m * y) back
  rw [z]
  exact (digit_eq (b * m) _ u).symm

/-- What one multiplication of rows by columns needs. -/
structure Combines (b w c R levels m tiles size bits C : Nat) (f g : Nat → Nat → Nat) : Prop where
  digit : 2 ≤ b
  narrow : b ≤ C
  height : 0 < m
  width : m ≤ w
  tile : 0 < c
  inside : c ≤ w
  halvings : R + 1 ≤ 2 ^ levels
  reach : m ≤ c * tiles
  tiled : c * tiles ≤ w
  fits : 2 * (m * (2 ^ size * 2 ^ bits)) < 2 ^ (b - 2)
  small : ∀ r, r < R → ∀ i, i < m → f r i < 2 ^ size ∧ g r i < 2 ^ size

theorem Combines.wide {b w c R levels m tiles size bits C : Nat} {f g : Nat → Nat → Nat} (ok : Combines b w c R levels m tiles size bits C f g) :
    2 ^ bits + 2 ^ bits < 2 ^ b := by
  refine Natural.lt_of_le_of_lt ?_ (Natural.lt_of_lt_of_le ok.fits (Natural.two_pow_le (Natural.sub_le _ _)))
  rw [← Natural.two_mul]
  refine Nat.mul_le_mul Nat.le.refl ?_
  have t := Nat.mul_le_mul ok.height (Nat.mul_le_mul (Natural.two_pow_pos size) (Nat.le.refl (n := 2 ^ bits)))
  rw [Nat.one_mul, Nat.one_mul] at t; exact t

theorem combinedOf_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits C count : Nat} {f g : Nat → Nat → Nat}
    (ok : Combines b w c R levels m tiles size bits C f g) (hcount : count ≤ w) (pos : 0 < count) {cs : List Column} {ds : List Digits}
    (hp : Packed C m (2 ^ bits) cs ds) (hlen : cs.length = count) :
    combinedOf b w c R levels m tiles size bits C (grid b w m R fun r i => f r i + 2 ^ size - g r i) count cs =
      grid b w count R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry ds k).positive (entry ds k).negative :=
  combined_eq K (p := fun k => (entry ds k).positive) (n := fun k => (entry ds k).negative) ok.digit ok.height ok.width ok.tile ok.inside ok.halvings ok.reach ok.tiled
    hcount pos ok.fits ok.small (fun k hk i hi => (raised_le (offset := 2 ^ bits) cs ds hp k (by rw [hlen]; exact hk) i hi).2)
    fun _ hu => turned_digits ok.narrow (Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) ok.digit) ok.wide hp hlen pos hu

theorem entry_first : (ds es : List Digits) → (k : Nat) → k < ds.length → entry (Columns.appendDigits ds es) k = entry ds k
  | [], _, k, h => absurd h (Nat.not_succ_le_zero k)
  | _ :: _, _, 0, _ => rfl
  | _ :: ds, es, k + 1, h => entry_first ds es k (Nat.le_of_succ_le_succ h)
theorem entry_second : (ds es : List Digits) → (k : Nat) → entry (Columns.appendDigits ds es) (ds.length + k) = entry es k
  | [], es, k => by
    show entry es (0 + k) = _
    rw [Nat.zero_add]
  | d :: ds, es, k => by
    have e : (d :: ds).length + k = ds.length + k + 1 := Nat.succ_add _ _
    rw [e]; exact entry_second ds es k
/-- Columns beside columns. -/
theorem grid_append (b w n m R : Nat) (h : Nat → Nat → Nat) :
    grid b w (n + m) R h = grid b w n R h + grid b w m R (fun r i => h r (n + i)) * 2 ^ (b * n) := by
  refine (pack_congr fun r _ => pack_append b n m (h r)).trans ?_
  rw [pack_add, pack_mul, Nat.mul_comm (2 ^ (b * n))]; rfl

theorem combinedLanes_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits C count : Nat} {f g : Nat → Nat → Nat}
    (ok : Combines b w c R levels m tiles size bits C f g) (hcount : count ≤ w) (pos : 0 < count) :
    (lanes : List (List Column)) → (ds : List Digits) → Packed C m (2 ^ bits) (Columns.flatten lanes) ds → Even count lanes →
    combinedLanes b w c R levels m tiles size bits C (grid b w m R fun r i => f r i + 2 ^ size - g r i) count lanes =
      grid b w (count * lanes.length) R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry ds k).positive (entry ds k).negative
  | [], _, _, _ => (pack_zero (b * w) R).symm
  | lane :: lanes, ds, hp, he => by
    obtain ⟨d1, d2, e, p1, p2⟩ := packed_split lane (Columns.flatten lanes) ds hp
    obtain ⟨len, he⟩ := he
    have len1 : d1.length = count := by rw [← Columns.packed_length lane d1 p1]; exact len
    subst e
    have whole : count * (lane :: lanes).length = count + count * lanes.length := (Nat.mul_succ _ _).trans (Nat.add_comm _ _)
    show combinedOf b w c R levels m tiles size bits C _ count lane + combinedLanes b w c R levels m tiles size bits C _ count lanes * 2 ^ (b * count) = _
    rw [combinedOf_eq K ok hcount pos p1 len, combinedLanes_eq K ok hcount pos lanes d2 p2 he, whole, grid_append]
    have left : (grid b w count R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry (Columns.appendDigits d1 d2) k).positive
        (entry (Columns.appendDigits d1 d2) k).negative) = _ := grid_congr fun r _ k hk => by rw [entry_first d1 d2 k (by rw [len1]; exact hk)]
    have right : (grid b w (count * lanes.length) R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry (Columns.appendDigits d1 d2) (count + k)).positive
        (entry (Columns.appendDigits d1 d2) (count + k)).negative) = _ := grid_congr fun r _ k _ => by rw [← len1, entry_second d1 d2 k]
    rw [left, right]

theorem turnedCombined_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits C g' count : Nat} {f g : Nat → Nat → Nat}
    (ok : Combines b w c R levels m tiles size bits C f g) {lanes : List (List Column)} {ds : List Digits} (hp : Packed C m (2 ^ bits) (Columns.flatten lanes) ds)
    (he : Even count lanes) (hlen : (Columns.flatten lanes).length = count * lanes.length) (hw : count * lanes.length ≤ w) (pos : 0 < count * lanes.length) :
    turnedCombined b w c R levels m tiles size bits C (grid b w m R fun r i => f r i + 2 ^ size - g r i) (count * lanes.length) g' count lanes =
      grid b w (count * lanes.length) R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry ds k).positive (entry ds k).negative := by
  unfold turnedCombined
  cases Nat.ble (Nat.mul (Nat.mul m (count * lanes.length)) g') 262144 with
  | true => exact combinedOf_eq K ok hw pos hp hlen
  | false =>
    cases lanes with
    | nil => exact absurd pos (Nat.not_succ_le_zero 0)
    | cons lane lanes =>
      have some : 0 < count := by
        cases count with
        | zero => rw [Nat.zero_mul] at pos; exact absurd pos (Nat.not_succ_le_zero 0)
        | succ count => exact Nat.succ_le_succ (Nat.zero_le count)
      have one : count ≤ count * (lane :: lanes).length := by
        have z := Nat.mul_le_mul (Nat.le.refl (n := count)) (Nat.succ_le_succ (Nat.zero_le lanes.length))
        rw [Nat.mul_one] at z; exact z
      exact combinedLanes_eq K ok (Nat.le_trans one hw) some (lane :: lanes) ds hp he

theorem allCombined_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits C g' count : Nat} {f g : Nat → Nat → Nat}
    (ok : Combines b w c R levels m tiles size bits C f g) {lanes : List (List Column)} {ds : List Digits} (hp : Packed C m (2 ^ bits) (Columns.flatten lanes) ds)
    (he : Even count lanes) (hlen : (Columns.flatten lanes).length = count * lanes.length) (hw : count * lanes.length ≤ w) (pos : 0 < count * lanes.length) :
    allCombined b w c R levels m tiles size bits C (grid b w m R fun r i => f r i + 2 ^ size - g r i) (count * lanes.length) g' count lanes =
      grid b w (count * lanes.length) R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry ds k).positive (entry ds k).negative := by
  have other := turnedCombined_eq (g' := g') K ok hp he hlen hw pos
  unfold allCombined laidOut
  simp only [force_eq]
  generalize Nat.succ (Nat.log2 (Nat.sub m 1)) = row
  generalize Nat.div (Nat.sub C b) b = others
  generalize Nat.pow 2 (Nat.sub row 6) = tiles'
  generalize Nat.div (Nat.pow 2 row) tiles' = tile
  generalize Nat.succ (Nat.div (count * lanes.length) (Nat.succ others)) = groups
  generalize Nat.add groups (Nat.sub tile groups) = wide
  generalize Nat.succ (Nat.log2 (Nat.succ R)) = height
  generalize Nat.succ (Nat.log2 (Nat.mul (Nat.add (Nat.pow 2 row) wide) (Nat.succ R))) = digits
  cases e : Sharing.fits ⟨row, tile, tiles', others, height, digits, wide⟩ b w R m size bits C (count * lanes.length) with
  | false => exact other
  | true =>
    obtain ⟨h1, h2⟩ := both_true e
    obtain ⟨_, h1⟩ := both_true h1
    obtain ⟨_, h1⟩ := both_true h1
    obtain ⟨a1, h1⟩ := both_true h1
    obtain ⟨a2, h1⟩ := both_true h1
    obtain ⟨a3, h1⟩ := both_true h1
    obtain ⟨a4, a5⟩ := both_true h1
    obtain ⟨b1, h2⟩ := both_true h2
    obtain ⟨b2, h2⟩ := both_true h2
    obtain ⟨b3, h2⟩ := both_true h2
    obtain ⟨b4, b5⟩ := both_true h2
    have b0 : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) ok.digit
    have C0 : 0 < C := Nat.le_trans b0 ok.narrow
    have bounded : ∀ k, k < count * lanes.length → ∀ i, i < m → (entry ds k).positive i ≤ 2 ^ bits ∧ (entry ds k).negative i ≤ 2 ^ bits :=
      fun k hk i hi => (raised_le (offset := 2 ^ bits) (Columns.flatten lanes) ds hp k (by rw [hlen]; exact hk) i hi).2
    obtain ⟨room, a_lt, d_lt, vle, _, stackedLe, both_rows⟩ := raised_fits (w := w) (R := R) (p := fun k => (entry ds k).positive) (n := fun k => (entry ds k).negative)
      ok.digit ok.height ok.fits ok.small bounded
    obtain ⟨len, vectors⟩ := raisedColumns_eq (offset := 2 ^ bits) C0 Nat.le.refl (Columns.flatten lanes) ds hp
    have fit : 2 ^ row * ((2 ^ size + 2 ^ size) * (2 ^ (b * others) * (2 ^ bits + 2 ^ bits + 1))) < 2 ^ C := Nat.le_of_ble_eq_true b5
    have single : 2 ^ (b * others) * (2 ^ bits + 2 ^ bits + 1) < 2 ^ C := by
      refine Natural.lt_of_le_of_lt ?_ fit
      generalize 2 ^ (b * others) * (2 ^ bits + 2 ^ bits + 1) = z
      have t := Nat.mul_le_mul (Natural.two_pow_pos row) (Nat.mul_le_mul (Nat.le_trans (Natural.two_pow_pos size) (Nat.le_add_right _ (2 ^ size))) (Nat.le.refl (n := z)))
      have o : (0 + 1) * ((0 + 1) * z) = z := (Nat.one_mul _).trans (Nat.one_mul _)
      exact Nat.le_trans (Natural.le_of_eq o.symm) t
    have raw := reversedDots_eq (b := b) (w := w) (C := C) (R := R + 1) (V := raised (2 ^ bits) ds) b0 (Nat.le_of_ble_eq_true a1) ok.height ok.width
      (Nat.le_of_ble_eq_true a2) (Nat.le_of_ble_eq_true a3) (Nat.le_of_ble_eq_true a4) (Nat.le_of_ble_eq_true a5) (Nat.le_of_ble_eq_true b1)
      (Nat.eq_of_beq_eq_true b2) (Nat.le_of_ble_eq_true b3) hw pos (Nat.le_of_ble_eq_true b4) stackedLe a_lt vle d_lt room fit single vectors (len.trans hlen)
    show share _ (reversedDots b w C (R + 1) row tile tiles' others height digits wide (withOnes b w R m _) (raisedColumns (2 ^ bits * ones C m) (Columns.flatten lanes))) = _
    rw [share_eq, both_rows]
    exact (congrArg (lowerAll b w R m size bits (count * lanes.length) _) raw).trans (lowerAll_eq K ok.digit ok.height ok.width hw ok.fits ok.small bounded)

/-- The batch over the run `first`, ..., which a node with one position reads with its first `n` columns. The frame's numbers are
    evaluated first: where a later relaxation does the same with the weights, the kernel knows the result. -/
def wholeFrom (s : Scale) (frame : Frame) (a : Affine) (bits e error first n direct mirrored memory C K c tiles levels : Nat) (lanes : List (List Column)) (x : Batch)
    (next : Batch → Bool) : Bool :=
  both (both (framed s frame x) (both (Nat.beq x.count a.rows) (both (Dense.consecutive n first a.sources)
      (both (roomy frame a.rows C K n x.size bits c tiles levels) (Nat.ble (Nat.succ error) (Nat.pow 2 (Nat.mul C a.rows)))))))
    (force (fun digit => force (fun width =>
    (share (fun rows => share (fun all => share (fun base => share (fun p => share (fun q => errors frame C a.rows x.size error (Nat.add x.positive x.negative) fun charge =>
        force (fun gain => force (fun loss => settleColumns s frame x.weight direct mirrored memory p q (Nat.sub K n) n (Nat.shiftRight a.sources (Nat.mul 32 n)) gain loss fun gain' loss' =>
            share (fun positive => share (fun negative => force (fun scale => force (fun limit =>
                next ⟨scale, x.weight, limit, first, n, Nat.sub digit 1, positive, negative, gain', loss'⟩)
              (Nat.add (Nat.add (Nat.mul e x.limit) (Nat.mul x.weight (Nat.mul a.rows (Nat.mul (Nat.pow 2 (Nat.succ x.size)) (Nat.pow 2 (Nat.succ C))))))
                (Nat.mul (Nat.sub K n) (Nat.mul x.weight (Nat.mul (Nat.pow 2 (Nat.sub digit 1)) (Nat.add s.top s.top))))))
              (Nat.mul e x.scale))
              (piece digit width n frame.rows q 0))
              (piece digit width n frame.rows p 0))
          (Nat.add (Nat.mul e x.loss) (Nat.mul x.weight charge)))
          (Nat.mul e x.gain))
        (minus digit width K frame.rows (Nat.sub digit 1) base all))
        (minus digit width K frame.rows (Nat.sub digit 1) all base))
        (Nat.mul (Nat.mul (Nat.pow 2 (Nat.sub digit 2)) (ones digit K)) (ones (Nat.mul digit width) frame.rows)))
        (allCombined digit width c frame.rows levels a.rows tiles x.size bits C rows K a.lanes a.laneColumns lanes))
        (raisedRows digit width frame.rows a.rows x.size x.positive x.negative)))
      frame.width) frame.digit)

theorem wholeFrom_sound {s : Scale} {frame : Frame} {slots goal v : Nat → K} {a : Affine} {d : Decoding} {e error first n direct mirrored memory c tiles levels : Nat}
    {lanes : List (List Column)} {x : Batch} {next : Batch → Bool} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory) (hx : x.HoldsOver frame v goal)
    (one : a.positions = 1) (hd : decode a d = some lanes)
    (near : ∀ i, i < a.rows → ∀ c : K, natural (2 ^ (d.base - 1)) * c = a.form slots 0 i →
      AtMost (natural e * v i - natural s.unit * c) (natural (digit (32 * a.lanes) error i)))
    (h : wholeFrom s frame a d.bits e error first n direct mirrored memory (32 * a.lanes) a.columns c tiles levels lanes x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  unfold wholeFrom at h
  simp only [force_eq, share_eq] at h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hf, hc⟩ := both_true hc
  obtain ⟨c1, hc⟩ := both_true hc
  obtain ⟨c2, hc⟩ := both_true hc
  obtain ⟨hr, c8⟩ := both_true hc
  obtain ⟨r1, hr⟩ := both_true hr
  obtain ⟨r2, hr⟩ := both_true hr
  obtain ⟨r3, hr⟩ := both_true hr
  obtain ⟨r4, hr⟩ := both_true hr
  obtain ⟨r5, hr⟩ := both_true hr
  obtain ⟨r6, hr⟩ := both_true hr
  obtain ⟨r7, hr⟩ := both_true hr
  obtain ⟨r9, hr⟩ := both_true hr
  obtain ⟨r10, hr⟩ := both_true hr
  obtain ⟨r11, hr⟩ := both_true hr
  obtain ⟨r12, r13⟩ := both_true hr
  have ok := framed_sound hf
  have c1 := Nat.eq_of_beq_eq_true c1
  have words := Dense.consecutive_sound n first a.sources c2
  have c8 : error < 2 ^ (32 * a.lanes * a.rows) := Nat.le_of_ble_eq_true c8
  have r1 : 0 < a.rows := Nat.le_of_ble_eq_true r1
  have r2 : 0 < n := Nat.le_of_ble_eq_true r2
  have r3 : n ≤ a.columns := Nat.le_of_ble_eq_true r3
  have r4 : a.columns ≤ frame.width := Nat.le_of_ble_eq_true r4
  have r5 : frame.digit ≤ 32 * a.lanes := Nat.le_of_ble_eq_true r5
  have r6 : 2 ≤ frame.digit := Nat.le_of_ble_eq_true r6
  have r7 : 2 * (a.rows * (2 ^ x.size * 2 ^ d.bits)) < 2 ^ (frame.digit - 2) := Nat.le_of_ble_eq_true r7
  have r9 : 0 < c := Nat.le_of_ble_eq_true r9
  have r10 : c ≤ frame.width := Nat.le_of_ble_eq_true r10
  have r11 : c * tiles ≤ frame.width := Nat.le_of_ble_eq_true r11
  have r12 : a.rows ≤ c * tiles := Nat.le_of_ble_eq_true r12
  have r13 : frame.rows + 1 ≤ 2 ^ levels := Nat.le_of_ble_eq_true r13
  obtain ⟨hlen, ds, hp, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
  have dlen : ds.length = a.columns := by rw [← Columns.packed_length _ ds hp]; exact hlen
  have K0 : 0 < a.columns := Natural.lt_of_lt_of_le r2 r3
  obtain ⟨f, g, cs, l, p1, p2, p3, p4, hr⟩ := hx
  rw [c1] at p1 p2 hr
  have width : a.rows ≤ frame.width := by rw [← c1]; exact ok.width
  have hC : 0 < 32 * a.lanes := Natural.lt_of_lt_of_le ok.digit r5
  have le := fun k hk => raised_le (offset := 2 ^ d.bits) (Columns.flatten lanes) ds hp k (by rw [hlen]; exact hk)
  have sized : ∀ r, r < frame.rows → ∀ i, i < a.rows → f r i < 2 ^ x.size ∧ g r i < 2 ^ x.size := fun r hr' => (hr r hr').1
  have rows : raisedRows frame.digit frame.width frame.rows a.rows x.size x.positive x.negative =
      grid frame.digit frame.width a.rows frame.rows fun r i => f r i + 2 ^ x.size - g r i := by
    rw [p1, p2]
    exact raisedRows_eq ok.digit ok.row (fun r hr' i hi => Natural.le_of_lt (sized r hr' i hi).2)
  have bounded : ∀ k, k < a.columns → ∀ i, i < a.rows → (entry ds k).positive i ≤ 2 ^ d.bits ∧ (entry ds k).negative i ≤ 2 ^ d.bits :=
    fun k hk i hi => (le k hk i hi).2
  have combines : Combines frame.digit frame.width c frame.rows levels a.rows tiles x.size d.bits (32 * a.lanes) f g :=
    ⟨r6, r5, r1, width, r9, r10, r13, r12, r11, r7, sized⟩
  have holds := decode_sound hd
  have number : lanes.length = a.lanes := by
    have z := (Columns.lanes_digits (K := K) lanes 0 holds).1
    rw [Nat.zero_add] at z; exact z
  have columns : a.laneColumns * lanes.length = a.columns := by rw [number]; exact Nat.mul_comm _ _
  have all := allCombined_eq (g' := a.lanes) K combines hp (even_lanes lanes 0 holds) (by rw [columns]; exact hlen) (by rw [columns]; exact r4) (by rw [columns]; exact K0)
  rw [columns] at all
  have low := fun r (hr' : r < frame.rows) k (hk : k < a.columns) => lowered (K := K) (A := combinedAt frame.digit a.rows (2 ^ x.size) (2 ^ d.bits) (f r) (g r) (entry ds k).positive (entry ds k).negative)
    r6 r7 (fun i hi => ⟨Natural.le_of_lt (sized r hr' i hi).1, Natural.le_of_lt (sized r hr' i hi).2⟩) (bounded k hk) rfl
  have base : Nat.mul (Nat.mul (Nat.pow 2 (Nat.sub frame.digit 2)) (ones frame.digit a.columns)) (ones (Nat.mul frame.digit frame.width) frame.rows) =
      grid frame.digit frame.width a.columns frame.rows fun _ _ => 2 ^ (frame.digit - 2) := by
    have z : Nat.mul (Nat.pow 2 (Nat.sub frame.digit 2)) (ones frame.digit a.columns) = pack frame.digit a.columns fun _ => 2 ^ (frame.digit - 2) := mul_ones ok.digit _ _
    rw [z]; exact repeat_pack ok.row _ _ _
  have sumsTo : x.positive.add x.negative = grid frame.digit frame.width a.rows frame.rows fun r j => f r j + g r j := by
    rw [p1, p2]; exact (grid_add _ _ _ _ _ _).symm
  have twice : ∀ r, r < frame.rows → ∀ j, j < a.rows → f r j + g r j < 2 ^ (x.size + 1) := fun r hr' j hj => by
    obtain ⟨a1, a2⟩ := sized r hr' j hj
    have z : 2 ^ (x.size + 1) = 2 ^ x.size + 2 ^ x.size := by rw [Natural.pow_succ, Natural.two_mul]
    rw [z]
    have sum := Nat.add_le_add a1 (Natural.le_of_lt a2)
    rw [Nat.succ_add] at sum
    exact sum
  have half : 2 ^ (frame.digit - 2) < 2 ^ (frame.digit - 1) := by
    obtain ⟨k, hk⟩ := Nat.exists_of_le r6
    have z1 : frame.digit - 2 = k := by rw [hk, Natural.add_sub_cancel_left]
    have z2 : frame.digit - 1 = k + 1 := Natural.sub_eq_of_add_eq (by rw [hk, Nat.add_comm 2])
    rw [z1, z2]; exact Vector.guard_lt Nat.le.refl
  have guard : frame.digit - 1 + 1 ≤ frame.digit := Natural.le_of_eq (Natural.succ_pred ok.digit)
  have found : ∃ A : Nat → Nat → Nat, allCombined frame.digit frame.width c frame.rows levels a.rows tiles x.size d.bits (32 * a.lanes)
      (grid frame.digit frame.width a.rows frame.rows fun r i => f r i + 2 ^ x.size - g r i) a.columns a.lanes a.laneColumns lanes =
        grid frame.digit frame.width a.columns frame.rows A ∧
      (∀ r, r < frame.rows → ∀ k, k < a.columns → (natural (A r k) : K) =
        form a.rows (f r) (g r) (fun i => natural ((entry ds k).positive i) - natural ((entry ds k).negative i)) + natural (2 ^ (frame.digit - 2))) ∧
      ∀ r, r < frame.rows → ∀ k, k < a.columns → A r k < 2 ^ (frame.digit - 1) :=
    ⟨_, all, fun r hr' k hk => (low r hr' k hk).2.2, fun r hr' k hk => (low r hr' k hk).2.1⟩
  obtain ⟨A, all, value, less⟩ := found
  have P : minus frame.digit frame.width a.columns frame.rows (Nat.sub frame.digit 1) (grid frame.digit frame.width a.columns frame.rows A)
      (grid frame.digit frame.width a.columns frame.rows fun _ _ => 2 ^ (frame.digit - 2)) = _ := minus_eq r4 guard less (fun _ _ _ _ => half)
  have N : minus frame.digit frame.width a.columns frame.rows (Nat.sub frame.digit 1) (grid frame.digit frame.width a.columns frame.rows fun _ _ => 2 ^ (frame.digit - 2))
      (grid frame.digit frame.width a.columns frame.rows A) = _ := minus_eq r4 guard (fun _ _ _ _ => half) less
  rw [rows, all, base, P, N, sumsTo] at h
  obtain ⟨T, h, hT⟩ := errors_sound twice c8 h
  have gains : e.mul x.gain = side frame.digit frame.width frame.rows fun r => e * cs r := by rw [p3]; exact (side_mul _ _ _ _ _).symm
  have losses : (e.mul x.loss).add (x.weight.mul (side frame.digit frame.width frame.rows T)) = side frame.digit frame.width frame.rows fun r => e * l r + x.weight * T r := by
    rw [p4, side_add, side_mul, side_mul]; rfl
  rw [gains, losses] at h
  have caps : ∀ r, r < frame.rows → ∀ k, k < a.columns → A r k - 2 ^ (frame.digit - 2) ≤ 2 ^ (frame.digit - 1) ∧ 2 ^ (frame.digit - 2) - A r k ≤ 2 ^ (frame.digit - 1) :=
    fun r hr' k hk => ⟨Nat.le_trans (Natural.sub_le _ _) (Natural.le_of_lt (less r hr' k hk)), Nat.le_trans (Natural.sub_le _ _) (Natural.le_of_lt half)⟩
  have capLt : 2 ^ (frame.digit - 1) < 2 ^ frame.digit := Vector.guard_lt guard
  obtain ⟨rest, hrest⟩ := Nat.exists_of_le r3
  have drop : Nat.sub a.columns n = rest := by show a.columns - n = rest; rw [hrest, Natural.add_sub_cancel_left]
  rw [drop] at h
  have split : ∀ r, r < frame.rows →
      (form rest (fun k => A r (n + k) - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r (n + k))
        (fun k => natural s.unit * slots (word (Nat.shiftRight a.sources (32 * n)) k)) +
        form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k) (values s slots first) : K) =
      form a.rows (f r) (g r) fun i => natural s.unit * Linear.combination slots ds (word a.sources) i := fun r hr' => by
    rw [← form_columns (s := s) (slots := slots) (m := a.rows) (f := f r) (g := g r) ds (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k) (word a.sources)
      (fun k hk => by
        rw [dlen] at hk
        rw [Compose.truncated_sub, value r hr' k hk]
        exact (ring2 K x y, x + y - y, x) _ _), dlen, hrest, form_split, add_comm]
    have e1 : (form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k) (values s slots first) : K) =
        form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k) fun k => natural s.unit * slots (word a.sources k) :=
      Columns.sum_congr fun k hk => by
        show _ * (natural s.unit * slots (first + k)) = _ * (natural s.unit * slots (word a.sources k))
        rw [words k hk]
    have e2 : (form rest (fun k => A r (n + k) - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r (n + k))
        (fun k => natural s.unit * slots (word (Nat.shiftRight a.sources (32 * n)) k)) : K) =
        form rest (fun k => A r (n + k) - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r (n + k)) fun k => natural s.unit * slots (word a.sources (n + k)) :=
      Columns.sum_congr fun k _ => by
        have z : word (Nat.shiftRight a.sources (32 * n)) k = word a.sources (n + k) := by
          show a.sources / 2 ^ (32 * n) / 2 ^ (32 * k) % 2 ^ 32 = a.sources / 2 ^ (32 * (n + k)) % 2 ^ 32
          rw [Natural.shift_shift, Nat.mul_add]
        show _ * (natural s.unit * slots (word (Nat.shiftRight a.sources (32 * n)) k)) = _ * (natural s.unit * slots (word a.sources (n + k)))
        rw [z]
    rw [e1, e2]
  obtain ⟨c', d', h, hr'⟩ := settleColumns_sound (goal := fun r => natural e * (natural x.scale * goal r))
    (extra := fun r => form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k) (values s slots first))
    ok.half sf hm ok.digit r4 capLt caps rest n hrest.symm (Nat.shiftRight a.sources (32 * n))
    (e * x.limit + x.weight * (a.rows * (2 ^ (x.size + 1) * 2 ^ (32 * a.lanes + 1)))) _ _ (fun r hr' => by
      obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
      obtain ⟨t1, t2⟩ := hT r hr'
      refine ⟨Nat.le_trans (Nat.mul_le_mul Nat.le.refl q2) (Nat.le_add_right _ _), Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q3) (Nat.mul_le_mul Nat.le.refl t1), ?_⟩
      have b := form_near (K := K) (m := a.rows) (e := e) (p := f r) (q := g r) (error := fun j => digit (32 * a.lanes) error j)
        (y := v) (c := fun i => natural s.unit * Linear.combination slots ds (word a.sources) i) (fun i hi => by
          have k := near i hi (Linear.combination slots ds (fun k => word a.sources (a.columns * 0 + k)) i) (hform slots 0 i hi)
          have e1 : (fun k => word a.sources (a.columns * 0 + k)) = word a.sources := funext fun k => by
            show word a.sources (0 + k) = _
            rw [Nat.zero_add]
          rw [e1] at k
          exact k)
      have more := add_le_add (le_refl (natural e * form a.rows (f r) (g r) v : K)) (natural_le (K := K) t2)
      have b := mul_le_left (natural_nonneg (K := K) x.weight) (le_trans b more)
      have q4 := mul_le_left (natural_nonneg (K := K) e) q4
      have z := split r hr'
      show natural x.weight * (form rest (fun k => A r (n + k) - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r (n + k))
        (fun k => natural s.unit * slots (word (Nat.shiftRight a.sources (32 * n)) k)) +
        form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k) (values s slots first)) + natural (e * cs r) ≤
          natural e * (natural x.scale * goal r) + natural (e * l r + x.weight * T r)
      rw [z, natural_add, natural_mul e, natural_mul e, natural_mul x.weight]
      refine le_cert ?_ (add_nonneg (sub_nonneg b) (sub_nonneg q4))
      exact (ring8 K o e l t m v c w, e * o + (e * l + t * m) - (t * v + e * c), t * (e * w + m) - t * v + (e * (o + l) - e * (t * w + c))) _ _ _ _ _ _ _ _) h
  have cut : ∀ p : Nat → Nat → Nat, (∀ r, r < frame.rows → ∀ k, k < a.columns → p r k ≤ 2 ^ (frame.digit - 1)) →
      piece frame.digit frame.width n frame.rows (grid frame.digit frame.width a.columns frame.rows p) 0 = grid frame.digit frame.width n frame.rows p := fun p hp' => by
    have whole : grid frame.digit frame.width a.columns frame.rows p = grid frame.digit frame.width frame.width frame.rows fun r => upTo a.columns (p r) :=
      pack_congr fun r _ => (pack_upTo r4 (p r)).symm
    rw [whole, piece_eq ok.digit r2 (by rw [Nat.mul_zero, Nat.zero_add]; exact Nat.le_trans r3 r4) (fun r hr' => fun j _ => upTo_lt (fun k hk =>
      Natural.lt_of_le_of_lt (hp' r hr' k hk) capLt) j)]
    refine grid_congr fun r _ j hj => ?_
    rw [Nat.mul_zero, Nat.zero_add]
    exact upTo_old _ (Natural.lt_of_lt_of_le hj r3)
  rw [cut _ (fun r hr' k hk => (caps r hr' k hk).1), cut _ (fun r hr' k hk => (caps r hr' k hk).2)] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, c', d', rfl, rfl, rfl, rfl, fun r hr'' => ?_⟩
  obtain ⟨y1, y2, y3⟩ := hr' r hr''
  refine ⟨fun j hj => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _) (less r hr'' j (Natural.lt_of_lt_of_le hj r3)), Natural.lt_of_le_of_lt (Natural.sub_le _ _) half⟩, y1, y2, ?_⟩
  show natural x.weight * form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k) (values s slots first) + natural (c' r) ≤
    natural (e * x.scale) * goal r + natural (d' r)
  rw [natural_mul e, mul_assoc]
  exact y3

/-- An affine node substituted into a batch: at once where its first columns read the run and the weights of a lane fit a number that the
    kernel takes, column after column elsewhere. -/
def substitute [Prepared] (s : Scale) (frame : Frame) (a : Affine) (d : Decoding) (e error first n direct mirrored memory : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (both (Nat.beq a.positions 1) (both (Nat.ble n a.columns) (both (Nat.ble (Nat.mul (Nat.mul a.rows a.laneColumns) a.lanes) 262144) (Dense.consecutive n first a.sources))))
    (through s frame a d e error first n direct mirrored memory x next)
    (Option.rec (motive := fun _ => Bool) false (fun lanes => force (fun C => force (fun K => force (fun tiles => force (fun c => force (fun levels =>
          wholeFrom s frame a d.bits e error first n direct mirrored memory C K c tiles levels lanes x next)
        (Nat.succ (Nat.log2 (Nat.succ frame.rows)))) (ceiling a.rows tiles)) (ceiling a.rows 32)) a.columns) (Nat.mul 32 a.lanes))
      (Prepared.columns a d))

theorem substitute_none [Prepared] {s : Scale} {frame : Frame} {a : Affine} {d : Decoding} {e error first n direct mirrored memory : Nat} {x : Batch} {next : Batch → Bool}
    (h : decode a d = none) : substitute s frame a d e error first n direct mirrored memory x next = false := by
  unfold substitute through
  rw [Prepared.columns_eq, h]
  cases both (Nat.beq a.positions 1) (both (Nat.ble n a.columns) (both (Nat.ble (Nat.mul (Nat.mul a.rows a.laneColumns) a.lanes) 262144) (Dense.consecutive n first a.sources))) <;> rfl

theorem substitute_sound [Prepared] {s : Scale} {frame : Frame} {slots goal v : Nat → K} {a : Affine} {d : Decoding} {e error first n direct mirrored memory : Nat} {x : Batch} {next : Batch → Bool}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory) (hx : x.HoldsOver frame v goal)
    (near : a.positions = 1 → ∀ i, i < a.rows → ∀ c : K, natural (2 ^ (d.base - 1)) * c = a.form slots 0 i →
      AtMost (natural e * v i - natural s.unit * c) (natural (digit (32 * a.lanes) error i)))
    (h : substitute s frame a d e error first n direct mirrored memory x next = true) : ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  unfold substitute at h
  cases e1 : both (Nat.beq a.positions 1) (both (Nat.ble n a.columns) (both (Nat.ble (Nat.mul (Nat.mul a.rows a.laneColumns) a.lanes) 262144) (Dense.consecutive n first a.sources))) with
  | false => rw [e1] at h; exact through_sound sf hm hx near h
  | true =>
    rw [e1, Prepared.columns_eq] at h
    have one := Nat.eq_of_beq_eq_true (both_true e1).1
    cases hd : decode a d with
    | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
    | some lanes =>
      rw [hd] at h
      simp only [force_eq] at h
      exact wholeFrom_sound sf hm hx one hd (near one) h

end Relaxation
end PytestTorchLean
