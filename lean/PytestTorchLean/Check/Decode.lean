prelude
import PytestTorchLean.Check.Recursors
/-!
# Decoding binary32 weights, a whole matrix at a time

`Decode.whole` turns the bit patterns of a matrix into packed integer columns: for every weight the pattern's
value is `2^(base - 1) * (positive - negative) / 2^149`. The kernel runs it: the words are decoded in one
or a few interleaved groups, each in a number of `Nat` operations that does not depend on the number of
weights, and then cut into columns by halving. `whole_sound` says that what comes out is what
`Spec/Binary32.lean` says the patterns denote, `whole_finite` that no pattern is an infinity or NaN.
`Check/DecodeTiles.lean` takes a large matrix a few columns at a time.
-/
set_option linter.all false
namespace PytestTorchLean
open Natural

namespace Decode

/-! ### What the kernel computes

`u` is always a vector of ones, so a number times `u` is a vector of equal digits. -/

/-- the `k` low bits of every digit -/
def low (k x u : Nat) : Nat := Nat.land x ((2 ^ k - 1) * u)
/-- bits `j` to `j + k - 1` of every digit -/
def field (j k x u : Nat) : Nat := Nat.shiftRight (Nat.land x ((2 ^ k - 1) * 2 ^ j * u)) j
/-- the digits of `k` bits at which `s` has a 1, elsewhere 0 -/
def select (k x s : Nat) : Nat := Nat.land x ((2 ^ k - 1) * s)
/-- For the compiler, as in Core/Recursors. -/
def compiledLow (k x u : Nat) : Nat := Nat.land x (filled k u)
@[csimp] theorem compiledLow_eq : @low = @compiledLow :=
  funext fun k => funext fun x => funext fun u => congrArg (Nat.land x) (filled_eq k u)
def compiledField (j k x u : Nat) : Nat := Nat.shiftRight (Nat.land x (Nat.shiftLeft (filled k u) j)) j
@[csimp] theorem compiledField_eq : @field = @compiledField :=
  funext fun j => funext fun k => funext fun x => funext fun u => by
  show Nat.shiftRight (Nat.land x ((2 ^ k - 1) * 2 ^ j * u)) j =
    Nat.shiftRight (Nat.land x (filled k u * 2 ^ j)) j
  rw [← filled_eq, Nat.mul_assoc, Nat.mul_assoc, Nat.mul_comm (2 ^ j)]
def compiledSelect (k x s : Nat) : Nat := Nat.land x (filled k s)
@[csimp] theorem compiledSelect_eq : @select = @compiledSelect :=
  funext fun k => funext fun x => funext fun s => congrArg (Nat.land x) (filled_eq k s)
/-- every digit of `x` times two to the power of the digit of `shifts` -/
def scale (b u shifts x stages : Nat) : Nat :=
  Nat.rec (motive := fun _ => Nat) x
    (fun j before => share (fun q => q + (2 ^ 2 ^ j - 1) * select b q (field j 1 shifts u)) before) stages
/-- the patterns at positions `l`, `l + h`, `l + 2 h`, ... of a vector of digits of `b` bits -/
def every (b h l k m y : Nat) : Nat := low k (Nat.shiftRight y (b * l)) (ones (b * h) m)

/-- Decode `m` patterns, digits of `b` bits, and continue with the positive and the negative parts. -/
def words {α : Type} (d : Decoding) (b m x : Nat) (next : Nat → Nat → Option α) : Option α :=
  share (fun u =>
  share (fun exponents =>
  share (fun fractions =>
  share (fun normal =>
  share (fun shifts =>
  share (fun q =>
    cond (Nat.beq (field 8 1 (exponents + u) u) 0)
    (cond (Nat.beq (shifts + d.base * normal) exponents)
    (cond (cond (Nat.beq d.base 1) true (Nat.beq (select 23 fractions (u - normal)) 0))
    (cond (Nat.beq (low d.bits q u) q)
      (share (fun negative => share (fun positive => next positive negative) (q - negative))
        (select d.bits q (field 31 1 x u)))
    none) none) none) none)
    (scale b u shifts (fractions + 2 ^ 23 * normal) d.stages))
    (low d.stages (exponents - d.base * normal) u))
    (field 8 1 (exponents + 255 * u) u))
    (low 23 x u))
    (field 23 8 x u))
    (ones b m)

/-- Cut two vectors into `n` columns of `width` bits by halving, and put the columns before `rest`. -/
def split (width fuel : Nat) : Nat → Nat → Nat → List Column → List Column :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → List Column → List Column) (fun _ _ _ rest => rest)
    (fun _ next n p q rest =>
      cond (Nat.ble n 1) (⟨p, q⟩ :: rest)
        (force (fun half =>
          force (fun cut =>
          share (fun pLow => share (fun qLow => share (fun pHigh => share (fun qHigh =>
            next half pLow qLow (next (n - half) pHigh qHigh rest))
            (Nat.shiftRight q cut)) (Nat.shiftRight p cut))
            (Nat.land q (2 ^ cut - 1))) (Nat.land p (2 ^ cut - 1)))
          (width * half)) (n / 2))) fuel

/-- The groups from `k` on, each cut into `columns` columns that still hold `h` lanes. -/
def groups (d : Decoding) (rows columns g h weights count : Nat) :
    Nat → Option (List (List Column)) :=
  Nat.rec (motive := fun _ => Nat → Option (List (List Column))) (fun _ => some [])
    (fun _ next k =>
      share (fun x => words d (32 * g) (h * rows * columns) x (fun p q =>
        Option.rec (motive := fun _ => Option (List (List Column))) none
          (fun rest => some (split (32 * g * (h * rows)) columns columns p q [] :: rest)) (next (k + 1))))
        (every 32 g k 32 (h * rows * columns) weights)) count

/-- Lane `l` of every column of a group. -/
def lane (d : Decoding) (rows g h l : Nat) (columns : List Column) : List Column :=
  force (fun shift => share (fun mask => List.rec (motive := fun _ => List Column) []
    (fun c _ rest =>
      share (fun p => share (fun q => ⟨p, q⟩ :: rest) (Nat.land (Nat.shiftRight c.negative shift) mask))
        (Nat.land (Nat.shiftRight c.positive shift) mask)) columns)
    ((2 ^ d.bits - 1) * ones (32 * g * h) rows)) (32 * g * l)

/-- All lanes: lane `l` of every group, for `count` values of `l`. -/
def interleave (d : Decoding) (rows g h : Nat) (groups : List (List Column)) (count : Nat) :
    Nat → List (List Column) :=
  Nat.rec (motive := fun _ => Nat → List (List Column)) (fun _ => [])
    (fun _ next l => List.rec (motive := fun _ => List (List Column)) (next (l + 1))
      (fun columns _ rest => lane d rows g h l columns :: rest) groups) count

/-- Words that are decoded together are this many words apart: 2 if the digits are large enough. -/
def groupCount (d : Decoding) (lanes : Nat) : Nat :=
  cond (Nat.beq (lanes % 2) 0) (cond (Nat.ble d.stages 5) (cond (Nat.ble d.bits 64) 2 lanes) lanes) lanes

/-- The columns of every lane, or `none` if the patterns do not fit the decoding; all at once. -/
def whole (a : Affine) (d : Decoding) : Option (List (List Column)) :=
  force (fun rows => force (fun columns => force (fun g => force (fun h =>
    cond (Nat.beq (g * h) a.lanes)
    (cond (Nat.ble 1 d.base)
    (cond (Nat.ble d.base 255)
    (cond (Nat.ble (23 + 2 ^ d.stages) (32 * g))
    (cond (Nat.ble d.bits (32 * g))
      (Option.rec (motive := fun _ => Option (List (List Column))) none
        (fun found => some (interleave d rows g h found h 0))
        (groups d rows columns g h a.weights g 0))
    none) none) none) none) none)
    (a.lanes / g)) (groupCount d a.lanes)) a.laneColumns) a.rows

/-! ### What happens to the digits -/

theorem one_lt_pow {b : Nat} (hb : 0 < b) (c : Nat) (h : c ≤ 1) : c < 2 ^ b :=
  lt_of_le_of_lt h (one_lt_two_pow hb)
theorem low_pack {b m k : Nat} {w : Nat → Nat} (hk : k ≤ b) (hb : 0 < b) (hw : ∀ i, i < m → w i < 2 ^ b) :
    low k (pack b m w) (ones b m) = pack b m (fun i => w i % 2 ^ k) := by
  show Nat.land _ _ = _
  rw [mul_ones hb, land_pack hw (fun _ _ => mask_lt hk)]
  exact pack_congr fun i _ => land_low _ _
theorem low_digit {b k : Nat} (hk : k ≤ b) (hb : 0 < b) (m x : Nat) :
    low k x (ones b m) = pack b m (fun i => digit b x i % 2 ^ k) := by
  show Nat.land _ _ = _
  rw [mul_ones hb, land_mask x (fun _ _ => mask_lt hk)]
  exact pack_congr fun i _ => land_low _ _
theorem field_lt {b j k : Nat} (h : j + k ≤ b) : (2 ^ k - 1) * 2 ^ j < 2 ^ b := by
  refine lt_of_lt_of_le ?_ (two_pow_le h)
  rw [pow_add, Nat.mul_comm]
  exact mul_lt_mul_left (two_pow_pos j) (mask_lt Nat.le.refl)
theorem field_pack {b m j k : Nat} {w : Nat → Nat} (h : j + k ≤ b) (hb : 0 < b)
    (hw : ∀ i, i < m → w i < 2 ^ b) :
    field j k (pack b m w) (ones b m) = pack b m (fun i => w i / 2 ^ j % 2 ^ k) := by
  show Nat.shiftRight (Nat.land _ _) j = _
  have e : pack b m (fun i => Nat.land (w i) ((2 ^ k - 1) * 2 ^ j))
      = pack b m (fun i => 2 ^ j * (w i / 2 ^ j % 2 ^ k)) :=
    pack_congr fun i _ => land_field _ _ _
  rw [mul_ones hb, land_pack hw (fun _ _ => field_lt h), e, shift_pack_mul]
theorem select_digit {k q s : Nat} (hs : s ≤ 1) (hq : q < 2 ^ k) : Nat.land q ((2 ^ k - 1) * s) = s * q := by
  cases s with
  | zero => rw [Nat.mul_zero, land_zero, Nat.zero_mul]
  | succ s =>
    have e : s = 0 := eq_zero_of_le_zero (Nat.le_of_succ_le_succ hs)
    subst e
    rw [mul_one, land_low, mod_eq_self hq]; exact (one_mul q).symm
theorem select_pack {b m k : Nat} {q s : Nat → Nat} (hk : k ≤ b) (hs : ∀ i, i < m → s i ≤ 1)
    (hq : ∀ i, i < m → q i < 2 ^ k) :
    select k (pack b m q) (pack b m s) = pack b m (fun i => s i * q i) := by
  show Nat.land _ _ = _
  rw [← pack_mul, land_pack (fun i hi => lt_of_lt_of_le (hq i hi) (two_pow_le hk))]
  · exact pack_congr fun i hi => select_digit (hs i hi) (hq i hi)
  · intro i hi
    refine lt_of_le_of_lt ?_ (mask_lt hk)
    have h : (2 ^ k - 1) * s i ≤ (2 ^ k - 1) * 1 := Nat.mul_le_mul Nat.le.refl (hs i hi)
    rw [mul_one] at h; exact h
theorem bit_le (n : Nat) : n % 2 ^ 1 ≤ 1 := Nat.le_of_succ_le_succ (mod_lt (two_pow_pos 1) n)
theorem mod_le (n k : Nat) : n % 2 ^ k ≤ n :=
  Nat.le_trans (Nat.le_add_right _ _) (le_of_eq (mod_add_div (two_pow_pos k) n))
theorem mod_pow_succ (r j : Nat) : r % 2 ^ (j + 1) = r % 2 ^ j + 2 ^ j * (r / 2 ^ j % 2 ^ 1) := by
  obtain ⟨q, s, rfl, h⟩ := euclid (two_pow_pos j) r
  obtain ⟨p, t, rfl, g⟩ := euclid (two_pow_pos 1) q
  rw [add_mul_div _ h, add_mul_mod _ h, add_mul_mod _ g, Nat.mul_add, ← Nat.add_assoc, ← Nat.mul_assoc,
    ← pow_add]
  refine add_mul_mod p ?_
  rw [pow_add]; exact add_mul_lt h g
theorem pow_one_add (n : Nat) {s : Nat} (hs : s ≤ 1) (q : Nat) :
    q + (2 ^ n - 1) * (s * q) = q * 2 ^ (n * s) := by
  cases s with
  | zero => rw [Nat.zero_mul, Nat.mul_zero, Nat.mul_zero]; exact (mul_one q).symm
  | succ s =>
    have e : s = 0 := eq_zero_of_le_zero (Nat.le_of_succ_le_succ hs)
    subst e
    have h : (2 ^ n - 1 + 1) * q = 2 ^ n * q := by rw [mask_succ]
    rw [Nat.succ_mul] at h
    show q + (2 ^ n - 1) * (1 * q) = q * 2 ^ (n * 1)
    rw [one_mul, mul_one, Nat.add_comm, h, Nat.mul_comm]
theorem scale_pack {b m : Nat} {r x : Nat → Nat} (hb : 0 < b) (hr : ∀ i, i < m → r i < 2 ^ b)
    (hx : ∀ i, i < m → x i * 2 ^ r i < 2 ^ b) : (stages : Nat) → stages ≤ b →
    scale b (ones b m) (pack b m r) (pack b m x) stages = pack b m (fun i => x i * 2 ^ (r i % 2 ^ stages))
  | 0, _ => pack_congr fun i _ => by
    have e : r i % 2 ^ 0 = 0 := eq_zero_of_lt_one (mod_lt (two_pow_pos 0) _)
    rw [e]; exact (mul_one _).symm
  | j + 1, hj => by
    have ih := scale_pack hb hr hx j (Nat.le_trans (Nat.le.step Nat.le.refl) hj)
    show share (fun q => q + (2 ^ 2 ^ j - 1) * select b q (field j 1 (pack b m r) (ones b m)))
      (scale b (ones b m) (pack b m r) (pack b m x) j) = _
    rw [share_eq, ih, field_pack hj hb hr, select_pack Nat.le.refl (fun i _ => bit_le _),
      ← pack_mul, ← pack_add]
    · refine pack_congr fun i _ => ?_
      rw [pow_one_add (2 ^ j) (bit_le _), mod_pow_succ (r i), pow_add 2 (r i % 2 ^ j), Nat.mul_assoc]
    · intro i hi
      exact lt_of_le_of_lt (Nat.mul_le_mul Nat.le.refl (two_pow_le (mod_le _ _))) (hx i hi)
theorem every_digit {b h k : Nat} (hk : k ≤ b) (hb : 0 < b) (hh : 0 < h) (l m y : Nat) :
    every b h l k m y = pack (b * h) m (fun i => digit b y (l + h * i) % 2 ^ k) := by
  have le : b ≤ b * h := by
    have g : b * 1 ≤ b * h := Nat.mul_le_mul Nat.le.refl hh
    rw [mul_one] at g; exact g
  show low k _ (ones (b * h) m) = _
  rw [low_digit (Nat.le_trans hk le) (lt_of_lt_of_le hb le)]
  refine pack_congr fun i _ => ?_
  show y / 2 ^ (b * l) / 2 ^ (b * h * i) % 2 ^ (b * h) % 2 ^ k = y / 2 ^ (b * (l + h * i)) % 2 ^ b % 2 ^ k
  rw [mod_mod (Nat.le_trans hk le), mod_mod hk, shift_shift, Nat.mul_add, Nat.mul_assoc]
/-- digits in groups of `w` -/
theorem pack_group (b w n : Nat) (f : Nat → Nat) :
    pack b (w * n) f = pack (b * w) n (fun c => pack b w (fun j => f (w * c + j))) := by
  induction n generalizing f with
  | zero => rfl
  | succ n ih =>
    rw [Nat.mul_succ, Nat.add_comm, pack_append, pack_succ, ih]
    have e : pack b w (fun j => f (w * 0 + j)) = pack b w f :=
      pack_congr fun j _ => by rw [Nat.mul_zero, Nat.zero_add]
    have e2 : pack (b * w) n (fun c => pack b w (fun j => f (w + (w * c + j))))
        = pack (b * w) n (fun c => pack b w (fun j => f (w * (c + 1) + j))) :=
      pack_congr fun c _ => pack_congr fun j _ => by
        rw [Nat.mul_succ, Nat.add_comm (w * c) w, Nat.add_assoc]
    rw [e, e2]

/-! ### One pattern -/

/-- 1 for a normal number, 0 for zero and subnormal numbers -/
def normal (w : Nat) : Nat := (Binary32.exponent w + 255) / 2 ^ 8 % 2 ^ 1
theorem exponent_lt (w : Nat) : Binary32.exponent w < 2 ^ 8 := mod_lt (two_pow_pos 8) _
theorem fraction_lt (w : Nat) : Binary32.fraction w < 2 ^ 23 := mod_lt (two_pow_pos 23) _
theorem normal_zero {w : Nat} (h : Binary32.exponent w = 0) : normal w = 0 := by unfold normal; rw [h]; rfl
theorem normal_succ {w e : Nat} (h : Binary32.exponent w = e + 1) : normal w = 1 := by
  have he : e < 2 ^ 8 := Nat.le_trans (Nat.le.step Nat.le.refl)
    (lt_of_lt_of_le (h ▸ Nat.le.refl) (exponent_lt w))
  have e2 : e + 1 + 255 = e + 2 ^ 8 * 1 := Nat.add_assoc e 1 255
  unfold normal; rw [h, e2, add_mul_div 1 he]; rfl
theorem normal_le (w : Nat) : normal w ≤ 1 := bit_le _
theorem magnitude_zero {w : Nat} (h : Binary32.exponent w = 0) :
    Binary32.magnitude w = Binary32.fraction w := by
  unfold Binary32.magnitude; rw [h]
theorem magnitude_succ {w e : Nat} (h : Binary32.exponent w = e + 1) :
    Binary32.magnitude w = (2 ^ 23 + Binary32.fraction w) * 2 ^ e := by
  unfold Binary32.magnitude; rw [h]
/-- the significand, shifted by the relative exponent -/
theorem magnitude_eq {base w r : Nat} (hb : 1 ≤ base) (hr : r + base * normal w = Binary32.exponent w)
    (hf : base = 1 ∨ (1 - normal w) * Binary32.fraction w = 0) :
    Binary32.magnitude w = 2 ^ (base - 1) * ((Binary32.fraction w + 2 ^ 23 * normal w) * 2 ^ r) := by
  cases e : Binary32.exponent w with
  | zero =>
    rw [normal_zero e, e] at hr
    rw [normal_zero e] at hf
    have hr : r = 0 := hr
    rw [magnitude_zero e, normal_zero e, hr, Nat.mul_zero, Nat.add_zero]
    have one : Binary32.fraction w * 2 ^ 0 = Binary32.fraction w := mul_one _
    rw [one]
    cases hf with
    | inl h => subst h; exact (one_mul _).symm
    | inr h =>
      have h : 1 * Binary32.fraction w = 0 := h
      rw [one_mul] at h; rw [h]; rfl
  | succ e' =>
    rw [normal_succ e, e, mul_one] at hr
    rw [magnitude_succ e, normal_succ e, mul_one]
    have h : e' = base - 1 + r := by
      have h2 : r + (base - 1 + 1) = e' + 1 := by rw [succ_pred hb]; exact hr
      have h3 : r + (base - 1) = e' := congrArg Nat.pred h2
      rw [← h3, Nat.add_comm]
    rw [h, pow_add, Nat.add_comm (2 ^ 23), Nat.mul_left_comm]
theorem finite {w : Nat} (h : (Binary32.exponent w + 1) / 2 ^ 8 % 2 ^ 1 = 0) : Binary32.exponent w ≠ 255 := by
  intro e
  rw [e] at h
  exact Nat.noConfusion (show 1 = 0 from h)
theorem represents {base w q s : Nat} (hs : s = Binary32.sign w) (hs1 : s ≤ 1)
    (hq : Binary32.magnitude w = 2 ^ (base - 1) * q) : Represents base w (q - s * q) (s * q) := by
  cases s with
  | zero => left; rw [Nat.zero_mul]; exact ⟨hs.symm, hq, rfl⟩
  | succ s =>
    have e : s = 0 := eq_zero_of_le_zero (Nat.le_of_succ_le_succ hs1)
    subst e
    right
    have one : (0 + 1) * q = q := one_mul q
    rw [one]
    refine ⟨hs.symm, hq, ?_⟩
    have h := add_sub_cancel 0 q
    rw [Nat.zero_add] at h; exact h

/-! ### A vector of patterns -/

theorem cond_some {α : Type} {c : Bool} {x : Option α} {y : α} (h : cond c x none = some y) :
    c = true ∧ x = some y := by
  cases c
  · cases h
  · exact ⟨rfl, h⟩
theorem pack_eq_zero {b m : Nat} {f : Nat → Nat} (hf : ∀ i, i < m → f i < 2 ^ b) (h : pack b m f = 0) :
    ∀ i, i < m → f i = 0 :=
  pack_injective hf (fun _ _ => two_pow_pos b) (h.trans (pack_zero b m).symm)
theorem le_pow (n : Nat) : n ≤ 2 ^ n := by
  induction n with
  | zero => exact Nat.zero_le _
  | succ n ih => rw [pow_succ, two_mul]; exact Nat.add_le_add ih (two_pow_pos n)

theorem words_sound {α : Type} {d : Decoding} {b m : Nat} {w : Nat → Nat}
    {next : Nat → Nat → Option α} {y : α}
    (hb : 32 ≤ b) (hbase : 1 ≤ d.base ∧ d.base ≤ 255) (hstages : 23 + 2 ^ d.stages ≤ b) (hbits : d.bits ≤ b)
    (hw : ∀ i, i < m → w i < 2 ^ 32) (h : words d b m (pack b m w) next = some y) :
    ∃ p n : Nat → Nat, next (pack b m p) (pack b m n) = some y ∧ ∀ i, i < m →
      p i < 2 ^ d.bits ∧ n i < 2 ^ d.bits ∧ Represents d.base (w i) (p i) (n i) ∧
      Binary32.exponent (w i) ≠ 255 := by
  have pos : 0 < b := lt_of_lt_of_le (Nat.succ_le_succ (Nat.zero_le 31)) hb
  have to_b : ∀ {n k : Nat}, k ≤ 32 → n < 2 ^ k → n < 2 ^ b := fun hk hn =>
    lt_of_lt_of_le hn (two_pow_le (Nat.le_trans hk hb))
  have hwb : ∀ i, i < m → w i < 2 ^ b := fun i hi => lt_of_lt_of_le (hw i hi) (two_pow_le hb)
  have fixed : ∀ {n k : Nat}, Nat.ble n k = true → n ≤ k := fun h => Nat.le_of_ble_eq_true h
  have hEb : ∀ i, i < m → Binary32.exponent (w i) < 2 ^ b := fun i _ => to_b (fixed rfl) (exponent_lt (w i))
  have hFb : ∀ i, i < m → Binary32.fraction (w i) < 2 ^ b := fun i _ => to_b (fixed rfl) (fraction_lt (w i))
  have hstagesb : d.stages ≤ b :=
    Nat.le_trans (le_pow _) (Nat.le_trans (Nat.le_add_left _ 23) hstages)
  have exponents : field 23 8 (pack b m w) (ones b m) = pack b m (fun i => Binary32.exponent (w i)) :=
    field_pack (Nat.le_trans (fixed rfl) hb) pos hwb
  have fractions : low 23 (pack b m w) (ones b m) = pack b m (fun i => Binary32.fraction (w i)) :=
    low_pack (Nat.le_trans (fixed rfl) hb) pos hwb
  have signs : field 31 1 (pack b m w) (ones b m) = pack b m (fun i => Binary32.sign (w i)) :=
    field_pack (Nat.le_trans (fixed rfl) hb) pos hwb
  have normals : field 8 1 (pack b m (fun i => Binary32.exponent (w i)) + 255 * ones b m) (ones b m)
      = pack b m (fun i => normal (w i)) := by
    rw [mul_ones pos, ← pack_add]
    exact field_pack (Nat.le_trans (fixed rfl) hb) pos fun i _ => to_b (k := 9) (fixed rfl)
      (Nat.add_le_add (exponent_lt (w i)) (fixed (n := 255) (k := 256) rfl))
  have infinite : field 8 1 (pack b m (fun i => Binary32.exponent (w i)) + ones b m) (ones b m)
      = pack b m (fun i => (Binary32.exponent (w i) + 1) / 2 ^ 8 % 2 ^ 1) := by
    have e : pack b m (fun i => Binary32.exponent (w i)) + ones b m
        = pack b m (fun i => Binary32.exponent (w i) + 1) := by rw [ones_eq pos, ← pack_add]
    rw [e]
    exact field_pack (Nat.le_trans (fixed rfl) hb) pos fun i _ => to_b (k := 9) (fixed rfl)
      (Nat.add_le_add (exponent_lt (w i)) (fixed (n := 1) (k := 256) rfl))
  unfold words at h
  rw [share_eq, share_eq, exponents, share_eq, fractions, share_eq, normals, share_eq,
    low_digit hstagesb pos, share_eq, infinite, signs] at h
  generalize er : (fun i => digit b (pack b m (fun i => Binary32.exponent (w i))
    - d.base * pack b m (fun i => normal (w i))) i % 2 ^ d.stages) = r at h
  have hr : ∀ i, r i < 2 ^ d.stages := fun i => by rw [← er]; exact mod_lt (two_pow_pos _) _
  obtain ⟨h1, h⟩ := cond_some h
  obtain ⟨h2, h⟩ := cond_some h
  obtain ⟨h3, h⟩ := cond_some h
  obtain ⟨h4, h⟩ := cond_some h
  have finite_i := pack_eq_zero (fun i _ => one_lt_pow pos _ (bit_le _)) (Nat.eq_of_beq_eq_true h1)
  -- relative exponents
  obtain ⟨c, hc⟩ : ∃ c, b = c + 1 := ⟨b - 1, (succ_pred pos).symm⟩
  have hstagesc : d.stages ≤ c := by
    have g : 1 + d.stages ≤ c + 1 := by
      rw [← hc]
      exact Nat.le_trans (Nat.add_le_add (fixed (n := 1) (k := 23) rfl) (le_pow _)) hstages
    rw [Nat.add_comm] at g; exact Nat.le_of_succ_le_succ g
  have h8c : 8 ≤ c := Nat.le_of_succ_le_succ (Nat.le_trans (fixed (n := 9) rfl) (hc ▸ hb))
  have hbase_i : ∀ i, d.base * normal (w i) < 2 ^ 8 := fun i => by
    refine lt_of_le_of_lt (Nat.mul_le_mul Nat.le.refl (normal_le (w i))) ?_
    rw [mul_one]; exact Nat.succ_le_succ hbase.2
  have sum_lt : ∀ i, i < m → r i + d.base * normal (w i) < 2 ^ b := fun i _ => by
    rw [hc, pow_succ, two_mul]
    refine lt_of_lt_of_le (b := 2 ^ d.stages + d.base * normal (w i)) ?_
      (Nat.add_le_add (two_pow_le hstagesc) ?_)
    · show r i + d.base * normal (w i) + 1 ≤ 2 ^ d.stages + d.base * normal (w i)
      rw [add_right_comm]; exact Nat.add_le_add (hr i) Nat.le.refl
    · exact Nat.le_trans (le_of_lt (hbase_i i)) (two_pow_le h8c)
  have shifts_i : ∀ i, i < m → r i + d.base * normal (w i) = Binary32.exponent (w i) := by
    have e := Nat.eq_of_beq_eq_true h2
    rw [← pack_mul, ← pack_add] at e
    exact pack_injective sum_lt hEb e
  -- no subnormal numbers above base 1
  have complement : ∀ i, 1 - normal (w i) ≤ 1 := fun i => sub_le 1 _
  have subnormal_i : ∀ i, i < m → d.base = 1 ∨ (1 - normal (w i)) * Binary32.fraction (w i) = 0 := by
    cases e : Nat.beq d.base 1 with
    | true => exact fun _ _ => Or.inl (Nat.eq_of_beq_eq_true e)
    | false =>
      rw [e] at h3
      have g := Nat.eq_of_beq_eq_true h3
      rw [ones_eq pos, ← pack_sub (fun i _ => normal_le (w i)),
        select_pack (Nat.le_trans (fixed rfl) hb) (fun i _ => complement i)
          (fun i _ => fraction_lt (w i))] at g
      refine fun i hi => Or.inr (pack_eq_zero (fun i hi => ?_) g i hi)
      refine lt_of_le_of_lt (Nat.mul_le_mul (complement i) Nat.le.refl) ?_
      rw [one_mul]; exact hFb i hi
  -- shifted significands
  have x_lt : ∀ i, Binary32.fraction (w i) + 2 ^ 23 * normal (w i) < 2 ^ 24 := fun i =>
    add_mul_lt (C := 2) (fraction_lt (w i)) (Nat.succ_le_succ (normal_le (w i)))
  have q_lt : ∀ i, i < m → (Binary32.fraction (w i) + 2 ^ 23 * normal (w i)) * 2 ^ r i < 2 ^ b :=
      fun i _ => by
    have g : 24 + r i ≤ b := by
      refine Nat.le_trans (le_of_eq ?_) (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := 23)) (hr i)) hstages)
      exact Nat.succ_add 23 (r i)
    refine lt_of_lt_of_le ?_ (two_pow_le g)
    rw [pow_add, Nat.mul_comm, Nat.mul_comm (2 ^ 24)]
    exact mul_lt_mul_left (two_pow_pos _) (x_lt i)
  have scaled : scale b (ones b m) (pack b m r) (pack b m (fun i => Binary32.fraction (w i))
        + 2 ^ 23 * pack b m (fun i => normal (w i))) d.stages
      = pack b m (fun i => (Binary32.fraction (w i) + 2 ^ 23 * normal (w i)) * 2 ^ r i) := by
    rw [← pack_mul, ← pack_add,
      scale_pack pos (fun i _ => lt_of_lt_of_le (hr i) (two_pow_le hstagesb)) q_lt d.stages hstagesb]
    exact pack_congr fun i _ => by rw [mod_eq_self (hr i)]
  obtain ⟨q, hq⟩ : ∃ q, (fun i => (Binary32.fraction (w i) + 2 ^ 23 * normal (w i)) * 2 ^ r i) = q := ⟨_, rfl⟩
  have q_lt : ∀ i, i < m → q i < 2 ^ b := by rw [← hq]; exact q_lt
  have magnitude_i : ∀ i, i < m → Binary32.magnitude (w i) = 2 ^ (d.base - 1) * q i := by
    rw [← hq]; exact fun i hi => magnitude_eq hbase.1 (shifts_i i hi) (subnormal_i i hi)
  rw [scaled, hq] at h h4
  have q_small : ∀ i, i < m → q i < 2 ^ d.bits := by
    have e := Nat.eq_of_beq_eq_true h4
    rw [low_pack hbits pos q_lt] at e
    intro i hi
    rw [← pack_injective (fun i hi => lt_of_le_of_lt (mod_le _ _) (q_lt i hi)) q_lt e i hi]
    exact mod_lt (two_pow_pos _) _
  -- signs
  have sign_le : ∀ i, Binary32.sign (w i) ≤ 1 := fun i => bit_le _
  have part_le : ∀ i, Binary32.sign (w i) * q i ≤ q i := fun i => by
    have g : Binary32.sign (w i) * q i ≤ 1 * q i := Nat.mul_le_mul (sign_le i) Nat.le.refl
    rw [one_mul] at g; exact g
  rw [select_pack hbits (fun i _ => sign_le i) q_small, share_eq,
    ← pack_sub (fun i _ => part_le i), share_eq] at h
  exact ⟨_, _, h, fun i hi => ⟨lt_of_le_of_lt (sub_le _ _) (q_small i hi),
    lt_of_le_of_lt (part_le i) (q_small i hi), represents rfl (sign_le i) (magnitude_i i hi),
    finite (finite_i i hi)⟩⟩

/-! ### Cutting into columns -/

/-- `f 0`, ..., `f (n - 1)`, then `rest` -/
def prepend (rest : List Column) : Nat → (Nat → Column) → List Column
  | 0, _ => rest
  | n + 1, f => f 0 :: prepend rest n (fun i => f (i + 1))
theorem prepend_add (rest : List Column) (m n : Nat) (f : Nat → Column) :
    prepend rest (m + n) f = prepend (prepend rest n (fun i => f (m + i))) m f := by
  induction m generalizing f with
  | zero =>
    have e : (fun i => f (0 + i)) = f := funext fun i => by rw [Nat.zero_add]
    show prepend rest (0 + n) f = prepend rest n (fun i => f (0 + i))
    rw [e, Nat.zero_add]
  | succ m ih =>
    have e : (fun i => f (m + 1 + i)) = fun i => f (m + i + 1) := funext fun i => by rw [Nat.succ_add]
    rw [Nat.succ_add]
    show f 0 :: prepend rest (m + n) (fun i => f (i + 1)) = f 0 :: _
    rw [ih, e]
theorem half_facts {n : Nat} (h : 1 < n) :
    1 ≤ n / 2 ∧ n / 2 + (n - n / 2) = n ∧ n / 2 < n ∧ 1 ≤ n - n / 2 := by
  obtain ⟨q, r, e, hr⟩ := euclid (two_pow_pos 1) n
  have hq : n / 2 = q := by rw [e]; exact add_mul_div q hr
  have e2 : n = q + (q + r) := by
    rw [e, Nat.add_comm r, ← Nat.add_assoc]
    exact congrArg (fun t => t + r) (two_mul q)
  have q_pos : 1 ≤ q := by
    cases q with
    | zero => rw [e] at h; exact absurd (lt_of_lt_of_le h (Nat.le_of_succ_le_succ hr)) (lt_irreflexive 1)
    | succ q => exact Nat.succ_le_succ (Nat.zero_le q)
  have hs : n - q = q + r := by rw [e2]; exact add_sub_cancel_left q (q + r)
  rw [hq, hs]
  have le : 1 ≤ q + r := Nat.le_trans q_pos (Nat.le_add_right q r)
  exact ⟨q_pos, e2.symm, by rw [e2]; exact Nat.add_le_add (Nat.le.refl (n := q)) le, le⟩
theorem split_step (width fuel n p q : Nat) (rest : List Column) :
    split width (fuel + 1) n p q rest = cond (Nat.ble n 1) (⟨p, q⟩ :: rest)
      (split width fuel (n / 2) (Nat.land p (2 ^ (width * (n / 2)) - 1))
        (Nat.land q (2 ^ (width * (n / 2)) - 1))
        (split width fuel (n - n / 2) (Nat.shiftRight p (width * (n / 2)))
          (Nat.shiftRight q (width * (n / 2)))
          rest)) := by
  show cond _ _ (force _ _) = _
  rw [force_eq, force_eq, share_eq, share_eq, share_eq, share_eq]; rfl
theorem split_eq {width : Nat} : (fuel n : Nat) → (p q : Nat → Nat) → (rest : List Column) →
    n ≤ fuel → (fuel = 0 ∨ 1 ≤ n) →
    (∀ i, i < n → p i < 2 ^ width) → (∀ i, i < n → q i < 2 ^ width) →
    split width fuel n (pack width n p) (pack width n q) rest = prepend rest n (fun i => ⟨p i, q i⟩) := by
  intro fuel
  induction fuel with
  | zero =>
    intro n p q rest hn _ _ _
    exact by rw [eq_zero_of_le_zero hn]; rfl
  | succ fuel smaller =>
    intro n p q rest hn h1 hp hq
    have h1 : 1 ≤ n := h1.elim (fun e => Nat.noConfusion e) id
    rw [split_step]
    cases e : Nat.ble n 1 with
    | true =>
      have e : n = 1 := Nat.le_antisymm (Nat.le_of_ble_eq_true e) h1
      subst e
      show (⟨pack width 1 p, pack width 1 q⟩ : Column) :: rest = ⟨p 0, q 0⟩ :: rest
      rw [pack_succ, pack_succ, pack_nil, pack_nil]; rfl
    | false =>
      have lt : 1 < n := (le_or_lt n 1).elim
        (fun g => Bool.noConf_tf ((Nat.ble_eq_true_of_le g).symm.trans e)) id
      obtain ⟨low_pos, sum, low_lt, high_pos⟩ := half_facts lt
      generalize n - n / 2 = high at *
      generalize n / 2 = low at *
      subst sum
      have below : low ≤ fuel := Nat.le_of_succ_le_succ (Nat.le_trans low_lt hn)
      have above : high ≤ fuel := Nat.le_of_succ_le_succ (Nat.le_trans
        (by rw [Nat.add_comm]; exact Nat.add_le_add Nat.le.refl low_pos) hn)
      have first : ∀ i, i < low → i < low + high := fun i hi => lt_of_lt_of_le hi (Nat.le_add_right _ _)
      have second : ∀ i, i < high → low + i < low + high :=
        fun i hi => Nat.add_le_add (Nat.le.refl (n := low)) hi
      show split width fuel low _ _ (split width fuel high _ _ rest) = _
      rw [land_pack_append (fun i hi => hp i (first i hi)), land_pack_append (fun i hi => hq i (first i hi)),
        shift_pack_append (fun i hi => hp i (first i hi)), shift_pack_append (fun i hi => hq i (first i hi)),
        smaller high _ _ rest above (Or.inr high_pos) (fun i hi => hp _ (second i hi))
          (fun i hi => hq _ (second i hi)),
        smaller low _ _ _ below (Or.inr low_pos) (fun i hi => hp i (first i hi))
          (fun i hi => hq i (first i hi)), prepend_add]

/-! ### Groups and lanes -/

/-- The list is group `k` of the matrix, decoded and cut into columns. -/
def GroupHolds (a : Affine) (d : Decoding) (g h k : Nat) (columns : List Column) : Prop :=
  ∃ p n : Nat → Nat,
    columns = prepend [] a.laneColumns (fun c =>
      ⟨pack (32 * g) (h * a.rows) (fun j => p (h * a.rows * c + j)),
       pack (32 * g) (h * a.rows) (fun j => n (h * a.rows * c + j))⟩) ∧
    ∀ i, i < h * a.rows * a.laneColumns → p i < 2 ^ d.bits ∧ n i < 2 ^ d.bits ∧
      Represents d.base (word a.weights (k + g * i)) (p i) (n i) ∧
      Binary32.exponent (word a.weights (k + g * i)) ≠ 255

/-- The groups from `k` on. -/
def GroupsHold (a : Affine) (d : Decoding) (g h : Nat) : Nat → List (List Column) → Prop
  | k, [] => k = g
  | k, columns :: rest => GroupHolds a d g h k columns ∧ GroupsHold a d g h (k + 1) rest

/-- What `whole` checks of the decoding itself. -/
structure Fits (d : Decoding) (g : Nat) : Prop where
  group : 0 < g
  base : 1 ≤ d.base ∧ d.base ≤ 255
  stages : 23 + 2 ^ d.stages ≤ 32 * g
  bits : d.bits ≤ 32 * g

theorem stride_ge {g : Nat} (h : 0 < g) : 32 ≤ 32 * g := by
  have e : 32 * 1 ≤ 32 * g := Nat.mul_le_mul Nat.le.refl h
  exact e
theorem stride_pos {g : Nat} (h : 0 < g) : 0 < 32 * g :=
  Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 31)) (stride_ge h)

theorem split_group {b w columns : Nat} {p n : Nat → Nat} (hp : ∀ i, i < w * columns → p i < 2 ^ b)
    (hn : ∀ i, i < w * columns → n i < 2 ^ b) :
    split (b * w) columns columns (pack b (w * columns) p) (pack b (w * columns) n) []
      = prepend [] columns (fun c => ⟨pack b w (fun j => p (w * c + j)),
          pack b w (fun j => n (w * c + j))⟩) := by
  have inside : ∀ c, c < columns → ∀ j, j < w → w * c + j < w * columns := fun c hc j hj => by
    rw [Nat.add_comm]; exact add_mul_lt hj hc
  rw [pack_group, pack_group]
  refine split_eq columns columns _ _ [] Nat.le.refl ?_
    (fun c hc => pack_lt fun j hj => hp _ (inside c hc j hj))
    (fun c hc => pack_lt fun j hj => hn _ (inside c hc j hj))
  cases columns with
  | zero => exact Or.inl rfl
  | succ n => exact Or.inr (Nat.succ_le_succ (Nat.zero_le n))

theorem groups_sound {a : Affine} {d : Decoding} {g h : Nat} (fits : Fits d g) :
    (count k : Nat) → (found : List (List Column)) → k + count = g →
    groups d a.rows a.laneColumns g h a.weights count k = some found → GroupsHold a d g h k found
  | 0, k, found, hk, e => by
    have e : some [] = some found := e
    injection e with e
    rw [← e]; exact hk
  | count + 1, k, found, hk, e => by
    have e : share (fun x => words d (32 * g) (h * a.rows * a.laneColumns) x (fun p q =>
        Option.rec (motive := fun _ => Option (List (List Column))) none
          (fun rest => some (split (32 * g * (h * a.rows)) a.laneColumns a.laneColumns p q [] :: rest))
          (groups d a.rows a.laneColumns g h a.weights count (k + 1))))
        (every 32 g k 32 (h * a.rows * a.laneColumns) a.weights) = some found := e
    rw [share_eq, every_digit Nat.le.refl (Nat.succ_le_succ (Nat.zero_le 31)) fits.group] at e
    obtain ⟨p, n, e, hpn⟩ := words_sound (stride_ge fits.group) fits.base fits.stages fits.bits
      (fun i _ => mod_lt (two_pow_pos 32) _) e
    have ih := groups_sound (a := a) (h := h) fits count (k + 1)
    cases er : groups d a.rows a.laneColumns g h a.weights count (k + 1) with
    | none => rw [er] at e; cases e
    | some rest =>
      rw [er] at e
      have e : some (split (32 * g * (h * a.rows)) a.laneColumns a.laneColumns _ _ [] :: rest) =
        some found := e
      injection e with e
      rw [← e]
      refine ⟨⟨p, n, ?_, fun i hi => ?_⟩, ih rest (by rw [Nat.succ_add]; exact hk) er⟩
      · exact split_group (fun i hi => lt_of_lt_of_le (hpn i hi).1 (two_pow_le fits.bits))
          (fun i hi => lt_of_lt_of_le (hpn i hi).2.1 (two_pow_le fits.bits))
      · have t := hpn i hi
        have w : digit 32 a.weights (k + g * i) % 2 ^ 32 = word a.weights (k + g * i) :=
          mod_eq_self (mod_lt (two_pow_pos 32) _)
        rw [w] at t; exact t

theorem lane_prepend (d : Decoding) (rows g h l n : Nat) (f : Nat → Column) :
    lane d rows g h l (prepend [] n f) = prepend [] n (fun c =>
      ⟨every (32 * g) h l d.bits rows (f c).positive, every (32 * g) h l d.bits rows (f c).negative⟩) := by
  unfold lane
  rw [force_eq, share_eq]
  induction n generalizing f with
  | zero => rfl
  | succ n ih =>
    show share (fun p => share (fun q => (⟨p, q⟩ : Column) :: List.rec [] _ (prepend [] n fun i => f (i + 1)))
      (every (32 * g) h l d.bits rows (f 0).negative)) (every (32 * g) h l d.bits rows (f 0).positive) = _
    rw [share_eq, share_eq, ih]; rfl
theorem laneHolds_prepend {a : Affine} {d : Decoding} {lane : Nat} (n start : Nat) (f : Nat → Column)
    (hn : start + n = a.laneColumns) (h : ∀ c, c < n → (f c).Holds a d lane (start + c)) :
    LaneHolds a d lane start (prepend [] n f) := by
  induction n generalizing f start with
  | zero => exact hn
  | succ n ih =>
    refine ⟨h 0 (Nat.succ_le_succ (Nat.zero_le n)), ih (start + 1) _ (by rw [Nat.succ_add]; exact hn) ?_⟩
    intro c hc
    have t := h (c + 1) (Nat.succ_le_succ hc)
    rw [Nat.succ_add]; exact t

/-- lane `l` of a column of a group -/
theorem every_column {a : Affine} {d : Decoding} {g h l c : Nat} {p : Nat → Nat}
    (fits : Fits d g) (hl : l < h)
    (hc : c < a.laneColumns) (lanes : g * h = a.lanes)
    (hp : ∀ i, i < h * a.rows * a.laneColumns → p i < 2 ^ d.bits) :
    every (32 * g) h l d.bits a.rows (pack (32 * g) (h * a.rows) (fun j => p (h * a.rows * c + j)))
      = pack (32 * a.lanes) a.rows (fun r => p (h * a.rows * c + (l + h * r))) := by
  have pos : 0 < h := lt_of_le_of_lt (Nat.zero_le l) hl
  have inside : ∀ j, j < h * a.rows → h * a.rows * c + j < h * a.rows * a.laneColumns := fun j hj => by
    rw [Nat.add_comm]; exact add_mul_lt hj hc
  rw [every_digit fits.bits (stride_pos fits.group) pos, Nat.mul_assoc, lanes]
  refine pack_congr fun r hr => ?_
  have at_r : l + h * r < h * a.rows := add_mul_lt hl hr
  rw [digit_pack (fun j hj => lt_of_lt_of_le (hp _ (inside j hj)) (two_pow_le fits.bits)) at_r,
    mod_eq_self (hp _ (inside _ at_r))]

theorem lane_sound {a : Affine} {d : Decoding} {g h k l : Nat} {columns : List Column}
    (fits : Fits d g) (hl : l < h)
    (lanes : g * h = a.lanes) (hold : GroupHolds a d g h k columns) :
    LaneHolds a d (k + g * l) 0 (lane d a.rows g h l columns) := by
  obtain ⟨p, n, e, hpn⟩ := hold
  rw [e, lane_prepend]
  refine laneHolds_prepend a.laneColumns 0 _ (Nat.zero_add _) fun c hc => ?_
  refine ⟨_, _, every_column fits hl hc lanes (fun i hi => (hpn i hi).1),
    every_column fits hl hc lanes (fun i hi => (hpn i hi).2.1), fun r hr => ?_⟩
  have inside : h * a.rows * c + (l + h * r) < h * a.rows * a.laneColumns := by
    rw [Nat.add_comm]; exact add_mul_lt (add_mul_lt hl hr) hc
  have t := hpn _ inside
  have index : k + g * (h * a.rows * c + (l + h * r)) = k + g * l + a.lanes * (r + a.rows * (0 + c)) := by
    rw [← lanes, Nat.zero_add]
    simp only [Nat.mul_add, Nat.mul_assoc, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  rw [index] at t
  exact ⟨t.1, t.2.1, t.2.2.1⟩

theorem interleave_sound {a : Affine} {d : Decoding} {g h : Nat} {found : List (List Column)}
    (fits : Fits d g)
    (lanes : g * h = a.lanes) (hold : GroupsHold a d g h 0 found) :
    (count l : Nat) → l + count = h → LanesHold a d (g * l) (interleave d a.rows g h found count l)
  | 0, l, hl => by
    show g * l = a.lanes
    rw [← lanes, ← hl]; rfl
  | count + 1, l, hl => by
    have next := interleave_sound fits lanes hold count (l + 1) (by rw [Nat.succ_add]; exact hl)
    have lt : l < h := by
      rw [← hl]
      exact Nat.add_le_add (Nat.le.refl (n := l)) (Nat.succ_le_succ (Nat.zero_le count))
    have each : ∀ (list : List (List Column)) (k : Nat), GroupsHold a d g h k list →
        LanesHold a d (k + g * l) (List.rec (motive := fun _ => List (List Column))
          (interleave d a.rows g h found count (l + 1))
          (fun columns _ rest => lane d a.rows g h l columns :: rest) list) := by
      intro list
      induction list with
      | nil =>
        intro k hk
        have hk : k = g := hk
        rw [hk, Nat.add_comm]; exact next
      | cons columns rest ih =>
        intro k hk
        have t := ih (k + 1) hk.2
        rw [Nat.succ_add] at t
        exact ⟨lane_sound fits lt lanes hk.1, t⟩
    have t := each found 0 hold
    rw [Nat.zero_add] at t; exact t

/-- What the checks of `whole` establish. -/
theorem whole_some {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : whole a d = some lanes) :
    ∃ g height found, Fits d g ∧ g * height = a.lanes ∧ GroupsHold a d g height 0 found ∧
      lanes = interleave d a.rows g height found height 0 := by
  unfold whole at h
  rw [force_eq, force_eq, force_eq, force_eq] at h
  obtain ⟨h1, h⟩ := cond_some h
  obtain ⟨h2, h⟩ := cond_some h
  obtain ⟨h3, h⟩ := cond_some h
  obtain ⟨h4, h⟩ := cond_some h
  obtain ⟨h5, h⟩ := cond_some h
  generalize groupCount d a.lanes = g at *
  generalize a.lanes / g = height at *
  have stages := Nat.le_of_ble_eq_true h4
  have fits : Fits d g := by
    refine ⟨?_, ⟨Nat.le_of_ble_eq_true h2, Nat.le_of_ble_eq_true h3⟩, stages, Nat.le_of_ble_eq_true h5⟩
    cases g with
    | zero => exact absurd (Nat.le_trans (Nat.le_add_right 23 _) stages) (Nat.not_succ_le_zero 22)
    | succ g => exact Nat.succ_le_succ (Nat.zero_le g)
  cases e : groups d a.rows a.laneColumns g height a.weights g 0 with
  | none => rw [e] at h; cases h
  | some found =>
    rw [e] at h
    have h : some (interleave d a.rows g height found height 0) = some lanes := h
    injection h with h
    exact ⟨g, height, found, fits, Nat.eq_of_beq_eq_true h1,
      groups_sound fits g 0 found (Nat.zero_add g) e, h.symm⟩

theorem group_at {a : Affine} {d : Decoding} {g h : Nat} : (found : List (List Column)) → (k : Nat) →
    GroupsHold a d g h k found → ∀ j, k + j < g → ∃ columns, GroupHolds a d g h (k + j) columns
  | [], k, hold, j, hj => by
    have e : k = g := hold
    rw [e] at hj
    exact absurd (lt_of_le_of_lt (Nat.le_add_right g j) hj) (lt_irreflexive g)
  | columns :: _, k, hold, 0, _ => ⟨columns, hold.1⟩
  | _ :: rest, k, hold, j + 1, hj => by
    have t := group_at rest (k + 1) hold.2 j
    rw [Nat.succ_add] at t
    exact t hj

/-- What `whole` returns are the weights' values. -/
theorem whole_sound {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : whole a d = some lanes) :
    LanesHold a d 0 lanes := by
  obtain ⟨g, height, found, fits, product, hold, rfl⟩ := whole_some h
  exact interleave_sound fits product hold height 0 (Nat.zero_add height)

/-- `whole` refuses infinities and NaN. -/
theorem whole_finite {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : whole a d = some lanes)
    {row lane column : Nat} (hr : row < a.rows) (hl : lane < a.lanes) (hc : column < a.laneColumns) :
    Binary32.exponent (a.pattern row lane column) ≠ 255 := by
  obtain ⟨g, height, found, fits, product, hold, _⟩ := whole_some h
  obtain ⟨l, k, e, hk⟩ := euclid fits.group lane
  have hl : l < height := lt_of_mul_lt_mul_left (c := g)
    (lt_of_le_of_lt (Nat.le_add_left _ k) (by rw [← e, product]; exact hl))
  obtain ⟨_, p, n, _, all⟩ := group_at found 0 hold k (by rw [Nat.zero_add]; exact hk)
  have t := (all _ (add_mul_lt (add_mul_lt hl hr) hc)).2.2.2
  have index : 0 + k + g * (l + height * row + height * a.rows * column)
      = lane + a.lanes * (row + a.rows * column) := by
    rw [e, ← product, Nat.zero_add]
    simp only [Nat.mul_add, Nat.mul_assoc, Nat.add_assoc]
  rw [index] at t
  exact t

end Decode
end PytestTorchLean
