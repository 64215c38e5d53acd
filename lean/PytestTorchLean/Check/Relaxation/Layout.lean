prelude
import PytestTorchLean.Check.Relaxation.Sweep
/-!
# Where the slots that a convolution reads are put

An affine node with several positions reads, with each of its columns, one slot at every position. A *layout*
puts the slots into places so that what column `k` reads at position `p` is in place `rows * p + shift k`:
then the coefficients of a column at all positions are moved by one shift. Padding, which reads slot 0, is
left out.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

theorem shiftLeft_eq (x n : Nat) : Nat.shiftLeft x n = 2 ^ n * x := by
  have e : Nat.shiftLeft x n = x * 2 ^ n := NatEquations.shiftLeft_eq x n
  rw [e, Nat.mul_comm]
/-- The same row, `q` times: shifts, where a product with ones would be long. -/
def repeated (size row q : Nat) : Nat :=
  Nat.rec (motive := fun _ => Nat) 0 (fun _ rest => Nat.add row (Nat.shiftLeft rest size)) q
theorem repeated_eq (size row : Nat) : (q : Nat) → repeated size row q = pack size q fun _ => row
  | 0 => rfl
  | q + 1 => by
    have ih := repeated_eq size row q
    show row + Nat.shiftLeft (repeated size row q) size = row + 2 ^ size * pack size q fun _ => row
    rw [shiftLeft_eq, ih]

/-! ### For the compiler: by doubling -/

/-- The row once more where `r` is not 0. -/
def onceMore (size row most : Nat) : (r : Nat) → Nat
  | 0 => most
  | Nat.succ _ => Nat.add row (Nat.shiftLeft most size)
/-- A few times, one after the other. -/
def fewTimes (size row : Nat) : (q : Nat) → Nat
  | 0 => 0
  | Nat.succ q => Nat.add row (Nat.shiftLeft (fewTimes size row q) size)
theorem fewTimes_eq (size row : Nat) : (q : Nat) → fewTimes size row q = pack size q fun _ => row
  | 0 => rfl
  | q + 1 => by
    show row + Nat.shiftLeft (fewTimes size row q) size = row + 2 ^ size * pack size q fun _ => row
    rw [shiftLeft_eq, fewTimes_eq size row q]
/-- `q` times; `fuel` bounds how often what is there is doubled. -/
def repeatedDoubled (size row : Nat) : (fuel q : Nat) → Nat
  | 0, q => fewTimes size row q
  | Nat.succ fuel, q =>
    let half := Nat.div q 2
    let few := repeatedDoubled size row fuel half
    onceMore size row (Nat.add few (Nat.shiftLeft few (Nat.mul size half))) (Nat.mod q 2)
theorem repeatedDoubled_eq (size row : Nat) :
    (fuel q : Nat) → repeatedDoubled size row fuel q = pack size q fun _ => row
  | 0, q => fewTimes_eq size row q
  | fuel + 1, q => by
    have two : 0 < 2 := Nat.succ_le_succ (Nat.zero_le 1)
    have small := Natural.mod_lt two q
    have whole : q / 2 + q / 2 + q % 2 = q := by
      have e := Natural.mod_add_div two q
      rw [Natural.two_mul, Nat.add_comm] at e
      exact e
    show onceMore size row (repeatedDoubled size row fuel (q / 2) +
        Nat.shiftLeft (repeatedDoubled size row fuel (q / 2)) (size * (q / 2))) (q % 2) = _
    rw [repeatedDoubled_eq size row fuel, shiftLeft_eq]
    generalize q / 2 = h at *
    generalize q % 2 = r at *
    subst whole
    have e : pack size h (fun _ => row) + 2 ^ (size * h) * pack size h (fun _ => row) =
        pack size (h + h) fun _ => row := (pack_append size h h fun _ => row).symm
    rw [e]
    cases r with
    | zero => rfl
    | succ r =>
      cases r with
      | zero =>
        show row + Nat.shiftLeft (pack size (h + h) fun _ => row) size =
          row + 2 ^ size * pack size (h + h) fun _ => row
        rw [shiftLeft_eq]
      | succ r =>
        exact absurd (Nat.le_of_succ_le_succ (Nat.le_of_succ_le_succ small)) (Nat.not_succ_le_zero r)
/-- What the compiler takes in the stead of `repeated`. -/
def compiledRepeated (size row q : Nat) : Nat := repeatedDoubled size row 6 q
@[csimp] theorem compiledRepeated_eq : @repeated = @compiledRepeated :=
  funext fun size => funext fun row => funext fun q =>
    (repeated_eq size row q).trans (repeatedDoubled_eq size row 6 q).symm

/-! ### Which positions of a column count -/

/-- Slot 0 does not count; any other slot must be the one in its place. -/
@[macro_inline] def counts (slot place : Nat) (yes no : Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.beq slot 0) (both (Nat.beq slot place) yes) no
theorem counts_true {slot place : Nat} {yes no : Bool} (h : counts slot place yes no = true) :
    (slot = 0 ∧ no = true) ∨ (slot = place ∧ yes = true) := by
  unfold counts at h
  cases z : Nat.beq slot 0 with
  | true => rw [z] at h; exact Or.inl ⟨Nat.eq_of_beq_eq_true z, h⟩
  | false =>
    rw [z] at h
    obtain ⟨h1, h2⟩ := both_true h
    exact Or.inr ⟨Nat.eq_of_beq_eq_true h1, h2⟩

/-- Position after position: slot 0 is left out; any other slot must be the one in its place. `sources` starts
    with the slot of the first position, `places` with the slot in the first place; `next` is handed the
    digits 1 of the positions that count, `unit` bits apart. -/
def marks (unit sourceBits placeBits : Nat) (positions : Nat) : Nat → Nat → Nat → Nat → (Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → (Nat → Bool) → Bool)
    (fun _ _ _ marked next => next marked)
    (fun _ rest sources places one marked next =>
        force (fun slot => force (fun sources' => force (fun places' => force (fun one' =>
          counts slot (Nat.land places (Nat.sub (Nat.pow 2 32) 1))
            (force (fun marked' => rest sources' places' one' marked' next) (Nat.add marked one))
              (rest sources' places' one' marked next))
        (Nat.mul one (Nat.pow 2 unit))) (Nat.shiftRight places placeBits))
          (Nat.shiftRight sources sourceBits))
      (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))) positions

/-- What `marks` finds out: at every position the slot is 0 and not marked, or marked and in its place. -/
def Marked (columns rows sources places : Nat) (bit : Nat → Nat) (p : Nat) : Prop :=
  (bit p = 0 ∧ word sources (columns * p) = 0) ∨
    (bit p = 1 ∧ word sources (columns * p) = word places (rows * p))

theorem word_shift (x a i : Nat) : word (Nat.shiftRight x (32 * a)) i = word x (a + i) := by
  show x / 2 ^ (32 * a) / 2 ^ (32 * i) % 2 ^ 32 = x / 2 ^ (32 * (a + i)) % 2 ^ 32
  rw [Natural.shift_shift, Nat.mul_add]

theorem marks_succ (unit sourceBits placeBits positions sources places one marked : Nat) (next : Nat → Bool) :
    marks unit sourceBits placeBits (positions + 1) sources places one marked next =
    counts (word sources 0) (word places 0)
      (marks unit sourceBits placeBits positions (Nat.shiftRight sources sourceBits)
        (Nat.shiftRight places placeBits) (one * 2 ^ unit) (marked + one) next)
      (marks unit sourceBits placeBits positions (Nat.shiftRight sources sourceBits)
        (Nat.shiftRight places placeBits) (one * 2 ^ unit) marked next) := by
  rw [← word_zero, ← word_zero]
  unfold marks
  simp only [force_eq]
  rfl
theorem marks_sound {unit columns rows : Nat} {next : Nat → Bool} :
    (positions sources places one marked : Nat) →
    marks unit (32 * columns) (32 * rows) positions sources places one marked next = true →
    ∃ bit : Nat → Nat, (∀ p, p < positions → Marked columns rows sources places bit p) ∧
      next (marked + one * pack unit positions bit) = true
  | 0, _, _, _, marked, h => ⟨fun _ => 0, fun p hp => absurd hp (Nat.not_succ_le_zero p), h⟩
  | positions + 1, sources, places, one, marked, h => by
    rw [marks_succ] at h
    have extend : ∀ (bit : Nat → Nat) (first : Nat),
        (first = 0 ∧ word sources 0 = 0) ∨ (first = 1 ∧ word sources 0 = word places 0) →
        (∀ p, p < positions →
            Marked columns rows (Nat.shiftRight sources (32 * columns)) (Nat.shiftRight places (32 * rows))
              bit p) →
        ∀ p, p < positions + 1 →
            Marked columns rows sources places (Memory.splice 1 (fun _ => first) bit) p :=
            fun bit first h0 hs p hp => by
      cases p with
      | zero => exact h0
      | succ p =>
        have e : Memory.splice 1 (fun _ => first) bit (p + 1) = bit p := by
          rw [Nat.add_comm]; exact Memory.splice_new 1 _ bit p
        have g := hs p (Nat.le_of_succ_le_succ hp)
        unfold Marked at g ⊢
        rw [word_shift, word_shift] at g
        rw [e, Nat.mul_succ, Nat.mul_succ, Nat.add_comm (columns * p), Nat.add_comm (rows * p)]
        exact g
    have total : ∀ (bit : Nat → Nat) (first : Nat), pack unit (positions + 1)
          (Memory.splice 1 (fun _ => first) bit) = first + 2 ^ unit * pack unit positions bit :=
        fun bit first => by
      rw [pack_succ]
      refine congrArg (fun y => first + 2 ^ unit * y) (pack_congr fun i _ => ?_)
      rw [Nat.add_comm]; exact Memory.splice_new 1 _ bit i
    cases counts_true h with
    | inl g =>
      obtain ⟨bit, b1, b2⟩ := marks_sound positions _ _ _ _ g.2
      refine ⟨Memory.splice 1 (fun _ => 0) bit, extend bit 0 (Or.inl ⟨rfl, g.1⟩) b1, ?_⟩
      rw [total, Nat.zero_add, ← Nat.mul_assoc]
      exact b2
    | inr g =>
      obtain ⟨bit, b1, b2⟩ := marks_sound positions _ _ _ _ g.2
      refine ⟨Memory.splice 1 (fun _ => 1) bit, extend bit 1 (Or.inr ⟨rfl, g.1⟩) b1, ?_⟩
      rw [total, Nat.mul_add, Natural.mul_one, ← Nat.add_assoc, ← Nat.mul_assoc]
      exact b2

/-- The same, `size` positions at a time, `blocks` times, and then `rest` positions: numbers that are as long
    as all positions are walked through once for each block. -/
def marksInBlocks (unit sourceBits placeBits size rest : Nat) (blocks : Nat) :
    Nat → Nat → Nat → Nat → (Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → (Nat → Bool) → Bool)
    (fun sources places spot marked next => marks unit sourceBits placeBits rest sources places 1 0
        fun own => next (Nat.add marked (Nat.shiftLeft own spot)))
    (fun _ later sources places spot marked next =>
      force (fun block => force (fun here => marks unit sourceBits placeBits size block here 1 0 fun own =>
          force (fun sources' => force (fun places' => force (fun spot' => force
                  (fun marked' => later sources' places' spot' marked' next)
                  (Nat.add marked (Nat.shiftLeft own spot))) (Nat.add spot (Nat.mul unit size)))
              (Nat.shiftRight places (Nat.mul placeBits size)))
            (Nat.shiftRight sources (Nat.mul sourceBits size)))
        (Nat.land places (Nat.sub (Nat.pow 2 (Nat.mul placeBits size)) 1)))
          (Nat.land sources (Nat.sub (Nat.pow 2 (Nat.mul sourceBits size)) 1)))
    blocks

theorem marksInBlocks_succ (unit sourceBits placeBits size rest blocks sources places spot marked : Nat)
    (next : Nat → Bool) :
    marksInBlocks unit sourceBits placeBits size rest (blocks + 1) sources places spot marked next =
    marks unit sourceBits placeBits size (Nat.land sources (2 ^ (sourceBits * size) - 1))
      (Nat.land places (2 ^ (placeBits * size) - 1)) 1 0 fun own => marksInBlocks unit sourceBits placeBits
      size rest blocks (Nat.shiftRight sources (sourceBits * size)) (Nat.shiftRight places (placeBits * size))
      (spot + unit * size) (marked + Nat.shiftLeft own spot) next := by
  unfold marksInBlocks
  simp only [force_eq]
  rfl

/-- Words before the end of what is left of a number. -/
theorem word_land {m i : Nat} (hi : i < m) (x : Nat) : word (Nat.land x (2 ^ (32 * m) - 1)) i = word x i := by
  rw [land_low, ← Decode.low_eq]
  exact Decode.word_low hi x

theorem marked_land {columns rows size sources places p : Nat} {bit : Nat → Nat}
    (hc : 0 < columns)
    (hr : 0 < rows)
    (hp : p < size)
    (h : Marked columns rows (Nat.land sources (2 ^ (32 * columns * size) - 1))
      (Nat.land places (2 ^ (32 * rows * size) - 1)) bit p) :
    Marked columns rows sources places bit p := by
  unfold Marked at h ⊢
  rw [Nat.mul_assoc, Nat.mul_assoc, word_land (Natural.mul_lt_mul_left hc hp),
      word_land (Natural.mul_lt_mul_left hr hp)] at h
  exact h

theorem marksInBlocks_sound {unit columns rows size rest : Nat} {next : Nat → Bool} (hc : 0 < columns)
    (hr : 0 < rows) :
    (blocks sources places spot marked : Nat) →
    marksInBlocks unit (32 * columns) (32 * rows) size rest blocks sources places spot marked next = true →
    ∃ bit : Nat → Nat, (∀ p, p < size * blocks + rest → Marked columns rows sources places bit p) ∧
      next (marked + 2 ^ spot * pack unit (size * blocks + rest) bit) = true
  | 0, sources, places, spot, marked, h => by
    obtain ⟨bit, b1, b2⟩ := marks_sound rest _ _ _ _ h
    rw [Nat.mul_zero, Nat.zero_add]
    refine ⟨bit, b1, ?_⟩
    rw [Nat.zero_add, Nat.one_mul] at b2
    have b2 : next (marked + Nat.shiftLeft (pack unit rest bit) spot) = true := b2
    rw [shiftLeft_eq] at b2
    exact b2
  | blocks + 1, sources, places, spot, marked, h => by
    rw [marksInBlocks_succ] at h
    obtain ⟨first, f1, h⟩ := marks_sound size _ _ _ _ h
    obtain ⟨later, l1, l2⟩ := marksInBlocks_sound hc hr blocks _ _ _ _ h
    rw [Nat.zero_add, Nat.one_mul, shiftLeft_eq] at l2
    have all : size * (blocks + 1) + rest = size + (size * blocks + rest) := by
      rw [Nat.mul_succ, Nat.add_comm (size * blocks) size, Nat.add_assoc]
    refine ⟨Memory.splice size first later, fun p hp => ?_, ?_⟩
    · cases Natural.le_or_lt size p with
      | inl g =>
        obtain ⟨q, rfl⟩ := Nat.exists_of_le g
        have hq : q < size * blocks + rest := by rw [all] at hp; exact Memory.lt_of_add_lt hp
        have m := l1 q hq
        unfold Marked at m ⊢
        rw [Nat.mul_assoc, Nat.mul_assoc, word_shift, word_shift] at m
        rw [Memory.splice_new, Nat.mul_add, Nat.mul_add]
        exact m
      | inr g =>
        have m := marked_land hc hr g (f1 p g)
        unfold Marked at m ⊢
        rw [Memory.splice_old _ _ g]
        exact m
    · rw [all, ← Memory.pack_splice (f := first) (g := later) (fun i hi => Memory.splice_old _ _ hi)
          (fun i _ => Memory.splice_new _ _ _ i), Nat.mul_add, ← Nat.mul_assoc, ← Natural.pow_add,
          ← Nat.add_assoc]
      exact l2

/-- Positions that are looked at together. -/
def blockSize : Nat := 16
/-- The digits 1 of the positions that count, `unit` bits apart. -/
def marksOf (unit sourceBits placeBits positions sources places : Nat) (next : Nat → Bool) : Bool :=
  marksInBlocks unit sourceBits placeBits blockSize (Nat.mod positions blockSize)
    (Nat.div positions blockSize) sources places 0 0 next
theorem marksOf_sound {unit columns rows positions sources places : Nat} {next : Nat → Bool}
    (hc : 0 < columns)
    (hr : 0 < rows)
    (h : marksOf unit (32 * columns) (32 * rows) positions sources places next = true) :
    ∃ bit : Nat → Nat, (∀ p, p < positions → Marked columns rows sources places bit p) ∧
      next (pack unit positions bit) = true := by
  obtain ⟨bit, b1, b2⟩ := marksInBlocks_sound hc hr _ _ _ _ _ h
  have all : blockSize * Nat.div positions blockSize + Nat.mod positions blockSize = positions :=
    NatEquations.div_add_mod positions blockSize
  rw [all] at b1 b2
  have one : 2 ^ 0 = 1 := rfl
  rw [one, Nat.zero_add, Nat.one_mul] at b2
  exact ⟨bit, b1, b2⟩

/-! ### Digits that are added at a distance -/

/-- Digits `t 0`, `t 1`, ... added in places `h`, `h + m`, ... -/
def scattered (m h positions : Nat) (t : Nat → Nat) (j : Nat) : Nat :=
  tally positions fun p => t p * indicator (h + m * p) j

theorem scattered_succ (m h positions : Nat) (t : Nat → Nat) (j : Nat) :
    scattered m h (positions + 1) t j =
    t 0 * indicator h j + scattered m (h + m) positions (fun p => t (p + 1)) j := by
  show t 0 * indicator (h + m * 0) j +
    tally positions (fun p => t (p + 1) * indicator (h + m * (p + 1)) j) = _
  refine congrArg (fun y => _ + y) (tally_congr fun p _ => ?_)
  rw [Nat.mul_succ, Nat.add_comm (m * p), ← Nat.add_assoc]

/-- In one number: a shift. -/
theorem pack_scattered {b w m : Nat} : (positions h : Nat) → (t : Nat → Nat) → h + m * positions ≤ w → 0 < m →
    2 ^ (b * h) * pack (b * m) positions t = pack b w (scattered m h positions t)
  | 0, h, t, _, _ => by
    show 2 ^ (b * h) * 0 = _
    exact (pack_zero b w).symm
  | positions + 1, h, t, hw, hm => by
    have hw : h + (m * positions + m) ≤ w := hw
    have inside : h < w := by
      refine Nat.le_trans ?_ hw
      exact Nat.add_le_add (Nat.le.refl (n := h)) (Nat.le_trans hm (Nat.le_add_left _ _))
    have ih := pack_scattered (b := b) (w := w) (m := m) positions (h + m) (fun p => t (p + 1))
      (by rw [Nat.add_assoc, Nat.add_comm m]; exact hw) hm
    have e : pack b w (scattered m h (positions + 1) t) =
        pack b w (fun j => t 0 * indicator h j) +
            pack b w (scattered m (h + m) positions fun p => t (p + 1)) := by
      rw [← pack_add]
      exact pack_congr fun j _ => scattered_succ m h positions t j
    rw [e, ← ih, pack_mul, pack_indicator b h w inside, pack_succ, Nat.mul_add, Nat.mul_add b h m,
        Natural.pow_add, Nat.mul_assoc, Nat.mul_comm (t 0)]

/-- At most one digit gets into a place. -/
theorem scattered_le {m step : Nat} (hm : 0 < m) :
    (positions h : Nat) → (t : Nat → Nat) → (∀ p, p < positions → t p ≤ step) →
    (j : Nat) → scattered m h positions t j ≤ step ∧ (j < h → scattered m h positions t j = 0)
  | 0, _, _, _, _ => ⟨Nat.zero_le _, fun _ => rfl⟩
  | positions + 1, h, t, ht, j => by
    obtain ⟨r1, r2⟩ :=
      scattered_le hm positions (h + m) (fun p => t (p + 1)) (fun p hp => ht (p + 1) (Nat.succ_le_succ hp)) j
    rw [scattered_succ]
    have first := ht 0 (Nat.succ_le_succ (Nat.zero_le _))
    cases q : Nat.beq h j with
    | true =>
      have q := Nat.eq_of_beq_eq_true q
      subst q
      have one : indicator h h = 1 := by unfold indicator; rw [Nat.beq_refl]; rfl
      have below : h < h + m := Nat.add_le_add (Nat.le.refl (n := h)) hm
      rw [one, Natural.mul_one, r2 below]
      exact ⟨first, fun g => absurd g (Natural.lt_irreflexive _)⟩
    | false =>
      have none : indicator h j = 0 := by unfold indicator; rw [q]; rfl
      rw [none, Nat.mul_zero, Nat.zero_add]
      exact ⟨r1, fun g => r2 (Nat.le_trans g (Nat.le_add_right h m))⟩

/-- What the added digits mean for a form. -/
theorem form_scattered {n m : Nat} {v : Nat → K} :
    (positions h : Nat) → (t t' : Nat → Nat) → h + m * positions ≤ n →
    0 < m →
    form n (scattered m h positions t) (scattered m h positions t') v =
      sum positions fun p => (natural (t p) - natural (t' p)) * v (h + m * p)
  | 0, _, _, _, _, _ => form_zero n v
  | positions + 1, h, t, t', hn, hm => by
    have hn : h + (m * positions + m) ≤ n := hn
    have inside : h < n := by
      refine Nat.le_trans ?_ hn
      exact Nat.add_le_add (Nat.le.refl (n := h)) (Nat.le_trans hm (Nat.le_add_left _ _))
    have ih := form_scattered (v := v) positions (h + m) (fun p => t (p + 1)) (fun p => t' (p + 1))
      (by rw [Nat.add_assoc, Nat.add_comm m]; exact hn) hm
    have e : form n (scattered m h (positions + 1) t) (scattered m h (positions + 1) t') v =
        form n (fun j => t 0 * indicator h j + scattered m (h + m) positions (fun p => t (p + 1)) j)
          (fun j => t' 0 * indicator h j + scattered m (h + m) positions (fun p => t' (p + 1)) j) v := by
      unfold form
      exact Columns.sum_congr fun j _ => by rw [scattered_succ, scattered_succ]
    rw [e, form_add, form_indicator _ _ n h v inside, ih]
    show _ = (natural (t 0) - natural (t' 0)) * v (h + m * 0) + sum positions _
    refine congrArg (fun y => _ + y) (Columns.sum_congr fun p _ => ?_)
    show _ = (natural (t (p + 1)) - natural (t' (p + 1))) * v (h + (m * p + m))
    rw [Nat.add_comm (m * p), ← Nat.add_assoc]

end Relaxation
end PytestTorchLean
