prelude
import PytestTorchLean.Check.Relaxation.Everywhere
import PytestTorchLean.Check.Relaxation.Through
/-!
# Column after column of an affine node with several positions

Each column's coefficients at all positions come from one product. They are added where the layout has the
slots that the column reads. A column that reads the same slot at every position (the constant 1 of a bias) is
replaced by that slot's bounds.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### Sums over positions -/

theorem sum_append (m n : Nat) (f : Nat → K) : sum (m + n) f = sum m f + sum n fun i => f (m + i) := by
  induction m generalizing f with
  | zero =>
    rw [Nat.zero_add]
    show _ = (0 : K) + _
    rw [zero_add]
    exact Columns.sum_congr fun i _ => by rw [Nat.zero_add]
  | succ m ih =>
    rw [Nat.succ_add]
    show f 0 + sum (m + n) (fun i => f (i + 1)) = f 0 + sum m (fun i => f (i + 1)) + _
    rw [ih (fun i => f (i + 1)), add_assoc]
    refine congrArg (fun y => f 0 + (sum m (fun i => f (i + 1)) + y)) (Columns.sum_congr fun i _ => ?_)
    rw [Nat.succ_add]
/-- Position after position. -/
theorem sum_grouped (m : Nat) :
    (n : Nat) → (f : Nat → K) → sum (m * n) f = sum n fun p => sum m fun i => f (m * p + i)
  | 0, _ => rfl
  | n + 1, f => by
    have size : m * (n + 1) = m + m * n := Nat.add_comm _ _
    rw [size, sum_append, sum_grouped m n]
    show _ = sum m (fun i => f (0 + i)) + sum n _
    have e : (fun i => f (0 + i)) = f := funext fun i => by rw [Nat.zero_add]
    rw [e]
    refine congrArg (fun y => _ + y) (Columns.sum_congr fun p _ => Columns.sum_congr fun i _ => ?_)
    show f (m + (m * p + i)) = f (m * p + m + i)
    rw [Nat.add_comm (m * p) m, Nat.add_assoc]

/-! ### The columns -/

/-- What stays the same while the columns are passed. -/
structure Convolution where
  field : Field
  /-- results of a position -/
  rows : Nat
  positions : Nat
  columns : Nat
  /-- how many places, and the slots in them -/
  count : Nat
  places : Nat
  /-- the coefficients, positive ones and behind them negative ones -/
  matrix : Nat
  /-- what undoes that the weights are raised: for each position, and for all of them together -/
  sums : Nat
  base : Nat
  /-- the columns in reverse order -/
  turned : Nat

/-- Every position reads this slot. -/
def alike (sourceBits positions slot : Nat) : Nat → Bool :=
  Nat.rec (motive := fun _ => Nat → Bool) (fun _ => true)
    (fun _ rest sources => both (Nat.beq (Nat.land sources (Nat.sub (Nat.pow 2 32) 1)) slot)
        (force rest (Nat.shiftRight sources sourceBits))) positions
theorem alike_sound {columns slot : Nat} :
    (positions sources : Nat) → alike (32 * columns) positions slot sources = true →
    ∀ p, p < positions → word sources (columns * p) = slot
  | 0, _, _, p, hp => absurd hp (Nat.not_succ_le_zero p)
  | positions + 1, sources, h, p, hp => by
    obtain ⟨h1, h2⟩ := both_true h
    rw [force_eq] at h2
    cases p with
    | zero => exact (word_zero sources).symm.trans (Nat.eq_of_beq_eq_true h1)
    | succ p =>
      have e := alike_sound positions _ h2 p (Nat.le_of_succ_le_succ hp)
      rw [word_shift] at e
      rw [Nat.mul_succ, Nat.add_comm]; exact e

/-- A column's shift, or the word that says that it reads the same slot everywhere. -/
@[macro_inline] def steadyOr (shift : Nat) (steady moved : Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.beq shift 4294967295) moved steady
theorem steadyOr_true {shift : Nat} {steady moved : Bool} (h : steadyOr shift steady moved = true) :
    steady = true ∨ moved = true := by
  unfold steadyOr at h
  cases z : Nat.beq shift 4294967295 with
  | true => rw [z] at h; exact Or.inl h
  | false => rw [z] at h; exact Or.inr h

/-- The coefficients of column `k` at the marked positions. -/
def Convolution.column (x : Convolution) (k marked : Nat) : Nat :=
  everywhere x.field.frame.digit x.field.frame.width (Nat.add x.field.frame.rows x.field.frame.rows) x.rows
    x.matrix (turnedColumn x.field.frame.digit x.rows x.columns k x.turned) x.sums marked
/-- The sum of the coefficients of column `k` over all positions. -/
def Convolution.together (x : Convolution) (k : Nat) : Nat :=
  Nat.add (times x.field.frame.digit x.field.frame.width (Nat.add x.field.frame.rows x.field.frame.rows)
      (Nat.mul x.rows x.positions) x.matrix
      (Nat.mul (turnedColumn x.field.frame.digit x.rows x.columns k x.turned)
        (ones (Nat.mul x.field.frame.digit x.rows) x.positions))) x.base

/-- The columns from column `k` on. `sources` starts with what column `k` reads, `shifts` with its shift. -/
def convolved (s : Scale) (x : Convolution) (direct mirrored memory remaining : Nat) :
    Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ _ _ grid gain loss next => next grid gain loss)
    (fun _ rest k sources shifts grid gain loss next =>
        force (fun shift => force (fun sources' => force (fun shifts' => force (fun k' =>
          steadyOr shift
            (force (fun slot => both (alike (Nat.mul 32 x.columns) x.positions slot sources)
                  (both (Nat.ble (Nat.succ slot) memory)
                    (settle s x.field direct mirrored slot (x.together k) gain loss
                      fun gain' loss' => rest k' sources' shifts' grid gain' loss' next)))
                (Nat.land sources (Nat.sub (Nat.pow 2 32) 1)))
            (both (Nat.ble (Nat.add shift (Nat.mul x.rows x.positions)) x.count)
              (marksOf (Nat.mul x.field.frame.digit x.rows) (Nat.mul 32 x.columns) (Nat.mul 32 x.rows)
                  x.positions sources (Nat.shiftRight x.places (Nat.mul 32 shift)) fun marked =>
                force (fun grid' => rest k' sources' shifts' grid' gain loss next)
                  (Nat.add grid (Nat.shiftLeft (x.column k marked) (Nat.mul x.field.frame.digit shift))))))
        (Nat.succ k)) (Nat.shiftRight shifts 32)) (Nat.shiftRight sources 32))
          (Nat.land shifts (Nat.sub (Nat.pow 2 32) 1))) remaining

theorem convolved_succ (s : Scale) (x : Convolution)
    (direct mirrored memory remaining k sources shifts grid gain loss : Nat) (next : Nat → Nat → Nat → Bool) :
    convolved s x direct mirrored memory (remaining + 1) k sources shifts grid gain loss next =
    steadyOr (word shifts 0)
      (both (alike (32 * x.columns) x.positions (word sources 0) sources)
        (both (Nat.ble (word sources 0 + 1) memory)
          (settle s x.field direct mirrored (word sources 0) (x.together k) gain loss
            fun gain' loss' => convolved s x direct mirrored memory remaining (k + 1)
            (Nat.shiftRight sources 32) (Nat.shiftRight shifts 32) grid gain' loss' next)))
      (both (Nat.ble (word shifts 0 + x.rows * x.positions) x.count)
        (marksOf (x.field.frame.digit * x.rows) (32 * x.columns) (32 * x.rows) x.positions sources
          (Nat.shiftRight x.places (32 * word shifts 0)) fun marked => convolved s x direct mirrored memory
          remaining (k + 1) (Nat.shiftRight sources 32) (Nat.shiftRight shifts 32)
          (grid + Nat.shiftLeft (x.column k marked) (x.field.frame.digit * word shifts 0)) gain loss
          next)) := by
  rw [← word_zero, ← word_zero]
  unfold convolved
  simp only [force_eq]
  rfl

/-- What is known of a convolution's numbers. -/
structure Convolves (x : Convolution) (C size bits offset step : Nat) (ds : List Digits)
    (f : Nat → Nat → Nat) : Prop where
  digit : 0 < x.field.frame.digit
  width : 0 < x.field.frame.width
  rows : 0 < x.rows
  positions : 0 < x.positions
  inside : x.rows * x.positions ≤ x.field.frame.width
  matrix : x.matrix = grid x.field.frame.digit x.field.frame.width (x.rows * x.positions)
      (x.field.frame.rows + x.field.frame.rows) f
  small : ∀ r, r < x.field.frame.rows + x.field.frame.rows → ∀ j, j < x.rows * x.positions → f r j ≤ 2 ^ size
  total : step =
    x.rows * x.positions * (2 ^ size * (2 ^ bits + offset)) + offset * (x.rows * x.positions * 2 ^ size)
  fits : step < 2 ^ (x.field.frame.digit - 1)
  sums : x.sums = offset * (grid x.field.frame.digit x.field.frame.width (x.rows * x.positions)
            (x.field.frame.rows + x.field.frame.rows)
            (fun r =>
              f (cond (Nat.ble x.field.frame.rows r) (r - x.field.frame.rows) (x.field.frame.rows + r))) *
          ones x.field.frame.digit x.rows)
  base :
      x.base = side x.field.frame.digit x.field.frame.width (x.field.frame.rows + x.field.frame.rows) fun r =>
    offset * tally (x.rows * x.positions)
        (f (cond (Nat.ble x.field.frame.rows r) (r - x.field.frame.rows) (x.field.frame.rows + r)))
  columns : ∀ k, k < x.columns →
    turnedColumn x.field.frame.digit x.rows x.columns k x.turned =
        pack x.field.frame.digit x.rows (fun i => raised offset ds k (x.rows - 1 - i)) ∧
      ∀ i, i < x.rows →
        raised offset ds k i ≤ 2 ^ bits + offset ∧ (entry ds k).negative i ≤ (entry ds k).positive i + offset

/-- The coefficients of a column at a position. -/
def coefficientAt (x : Convolution) (f : Nat → Nat → Nat) (offset : Nat) (ds : List Digits) (k p r : Nat) :
    Nat :=
  coefficient x.field.frame.rows x.rows (fun r i => f r (x.rows * p + i)) offset ds k r

theorem swap_lt {R r : Nat} (h : r < R + R) : cond (Nat.ble R r) (r - R) (R + r) < R + R := by
  cases Natural.le_or_lt R r with
  | inl g => rw [Nat.ble_eq_true_of_le g]; exact Natural.lt_of_le_of_lt (Natural.sub_le _ _) h
  | inr g => rw [Memory.ble_false_of_lt g]; exact Nat.add_le_add (Nat.le.refl (n := R)) g

namespace Convolves
variable {x : Convolution} {C size bits offset step : Nat} {ds : List Digits} {f : Nat → Nat → Nat}

theorem position_le (ok : Convolves x C size bits offset step ds f) {p i : Nat} (hp : p < x.positions)
    (hi : i < x.rows) :
    x.rows * p + i < x.rows * x.positions := by
  rw [Nat.add_comm]; exact Natural.add_mul_lt hi hp

theorem coefficient_le (ok : Convolves x C size bits offset step ds f) {k p r : Nat} (hk : k < x.columns)
    (hp : p < x.positions) (hr : r < x.field.frame.rows + x.field.frame.rows) :
    coefficientAt x f offset ds k p r ≤
    x.rows * (2 ^ size * (2 ^ bits + offset)) + offset * (x.rows * 2 ^ size) :=
  Nat.add_le_add (tally_le (c := 2 ^ size * (2 ^ bits + offset))
      fun i hi => Nat.mul_le_mul (ok.small r hr _ (ok.position_le hp hi)) ((ok.columns k hk).2 i hi).1)
    (Nat.mul_le_mul Nat.le.refl
      (tally_le (c := 2 ^ size) fun i hi => ok.small _ (swap_lt hr) _ (ok.position_le hp hi)))

theorem column_eq (ok : Convolves x C size bits offset step ds f) {k : Nat} (hk : k < x.columns)
    {bit : Nat → Nat} (hbit : ∀ p, p < x.positions → bit p = 0 ∨ bit p = 1) :
    x.column k (pack (x.field.frame.digit * x.rows) x.positions bit) =
    pack (x.field.frame.digit * x.field.frame.width) (x.field.frame.rows + x.field.frame.rows)
      fun r =>
      pack (x.field.frame.digit * x.rows) x.positions fun p => bit p * coefficientAt x f offset ds k p r := by
  unfold Convolution.column
  rw [(ok.columns k hk).1, ok.matrix, ok.sums]
  have one : x.rows ≤ x.rows * x.positions := by
    have e := Nat.mul_le_mul (Nat.le.refl (n := x.rows)) ok.positions
    rw [Nat.mul_one] at e; exact e
  refine everywhere_eq (a := 2 ^ size) (c := 2 ^ bits + offset) (o := offset) (v := raised offset ds k)
    ok.digit ok.rows rfl ok.inside ok.small (fun r hr j hj => ok.small _ (swap_lt hr) j hj)
    (fun i hi => ((ok.columns k hk).2 i hi).1) ?_ hbit
  refine Natural.lt_of_le_of_lt ?_ (Natural.lt_of_lt_of_le ok.fits (Natural.two_pow_le (Natural.sub_le _ _)))
  rw [ok.total, Nat.mul_one]
  exact Nat.add_le_add (Nat.mul_le_mul one Nat.le.refl)
    (Nat.mul_le_mul Nat.le.refl (Nat.mul_le_mul one Nat.le.refl))

/-- The weights of a column over all results. -/
def spread (m : Nat) (ds : List Digits) (k : Nat) : List Digits :=
  [⟨fun j => (entry ds k).positive (j % m), fun j => (entry ds k).negative (j % m)⟩]

theorem together_eq (ok : Convolves x C size bits offset step ds f) {k : Nat} (hk : k < x.columns) :
    x.together k = side x.field.frame.digit x.field.frame.width (x.field.frame.rows + x.field.frame.rows)
        (coefficient x.field.frame.rows (x.rows * x.positions) f offset (spread x.rows ds k) 0) ∧
    ∀ r, r < x.field.frame.rows + x.field.frame.rows →
      coefficient x.field.frame.rows (x.rows * x.positions) f offset (spread x.rows ds k) 0 r ≤ step := by
  have raisedLe : ∀ j, raised offset (spread x.rows ds k) 0 j ≤ 2 ^ bits + offset :=
    fun j => ((ok.columns k hk).2 (j % x.rows) (Natural.mod_lt ok.rows j)).1
  refine ⟨?_, fun r hr => ?_⟩
  · have pos : 0 < x.rows * x.positions := Nat.mul_pos ok.rows ok.positions
    have unit : 0 < x.field.frame.digit * x.rows := Nat.mul_pos ok.digit ok.rows
    have vector : Nat.mul (turnedColumn x.field.frame.digit x.rows x.columns k x.turned)
      (ones (Nat.mul x.field.frame.digit x.rows) x.positions) =
        pack x.field.frame.digit (x.rows * x.positions) fun j =>
            raised offset (spread x.rows ds k) 0 (x.rows * x.positions - 1 - j) := by
      have same : turnedColumn x.field.frame.digit x.rows x.columns k x.turned *
          ones (x.field.frame.digit * x.rows) x.positions = _ := mul_ones unit x.positions _
      refine same.trans ?_
      rw [Decode.pack_group, (ok.columns k hk).1]
      refine pack_congr fun p hp => pack_congr fun i hi => ?_
      obtain ⟨t, ht⟩ := Nat.exists_of_le hp
      obtain ⟨u, hu⟩ := Nat.exists_of_le hi
      have hu : x.rows = i + 1 + u := hu
      have ht : x.positions = p + 1 + t := ht
      have e1 : x.rows * x.positions - 1 - (x.rows * p + i) = u + x.rows * t := by
        have e : x.rows * x.positions - 1 = x.rows * p + i + (u + x.rows * t) := Natural.sub_eq_of_add_eq (by
          rw [ht, Nat.mul_add x.rows (p + 1), Nat.mul_succ]
          generalize x.rows * p = a
          generalize x.rows * t = c
          rw [hu]
          simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
        rw [e, Natural.add_sub_cancel_left]
      have e2 : x.rows - 1 - i = u := by
        have e : x.rows - 1 = i + u :=
          Natural.sub_eq_of_add_eq (by rw [hu]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
        rw [e, Natural.add_sub_cancel_left]
      have lt : u < x.rows := by
        rw [hu, Natural.add_right_comm]; exact Nat.succ_le_succ (Nat.le_add_left u i)
      rw [e1, e2]
      show raised offset ds k u =
        (entry ds k).positive ((u + x.rows * t) % x.rows) + offset -
          (entry ds k).negative ((u + x.rows * t) % x.rows)
      rw [Natural.add_mul_mod t lt]
      rfl
    unfold Convolution.together
    rw [vector, ok.matrix, ok.base]
    have t := times_turned (R := x.field.frame.rows + x.field.frame.rows)
      (v := raised offset (spread x.rows ds k) 0) pos ok.inside ok.digit ok.small (fun j _ => raisedLe j) (by
      refine Natural.lt_of_le_of_lt ?_
        (Natural.lt_of_lt_of_le ok.fits (Natural.two_pow_le (Natural.sub_le _ _)))
      rw [ok.total]; exact Nat.le_add_right _ _)
    refine Eq.trans (congrArg (fun y => y + _) t) ?_
    exact (side_add _ _ _ _ _).symm
  · rw [ok.total]
    exact Nat.add_le_add (tally_le fun j hj => Nat.mul_le_mul (ok.small r hr j hj) (raisedLe j))
      (Nat.mul_le_mul Nat.le.refl (tally_le fun j hj => ok.small _ (swap_lt hr) j hj))

/-- Together they are the sum over the positions. -/
theorem together_sub (ok : Convolves x C size bits offset step ds f) {k r : Nat} (hk : k < x.columns)
    (hr : r < x.field.frame.rows) :
    (natural (coefficient x.field.frame.rows (x.rows * x.positions) f offset (spread x.rows ds k) 0 r) -
        natural (coefficient x.field.frame.rows (x.rows * x.positions) f offset (spread x.rows ds k) 0
            (x.field.frame.rows + r)) : K) =
    sum x.positions fun p => natural (coefficientAt x f offset ds k p r) -
      natural (coefficientAt x f offset ds k p (x.field.frame.rows + r)) := by
  rw [coefficient_sub (bound := 0) hr
      (fun j _ => ((ok.columns k hk).2 (j % x.rows) (Natural.mod_lt ok.rows j)).2)]
  unfold form
  rw [sum_grouped]
  refine Columns.sum_congr fun p hp => ?_
  refine Eq.trans ?_ (coefficient_sub (K := K) (bound := 0) hr (f := fun r i => f r (x.rows * p + i))
      (fun i hi => ((ok.columns k hk).2 i hi).2)).symm
  unfold form
  refine Columns.sum_congr fun i hi => ?_
  have own : (x.rows * p + i) % x.rows = i := by rw [Nat.add_comm]; exact Natural.add_mul_mod p hi
  show _ * (natural ((entry ds k).positive ((x.rows * p + i) % x.rows)) -
        natural ((entry ds k).negative ((x.rows * p + i) % x.rows))) = _
  rw [own]

end Convolves

end Relaxation
end PytestTorchLean
