prelude
import PytestTorchLean.Check.Recursors
/-!
# Decoding binary32 weights: what the kernel computes, and what happens to the digits

`Decode.whole` turns the bit patterns of a matrix into packed integer columns: for every weight the pattern's
value is `2^(base - 1) * (positive - negative) / 2^149`. The kernel runs it: the words are decoded in one or a
few interleaved groups, each in a number of `Nat` operations that does not depend on the number of weights,
and then cut into columns by halving. Here is the computation, what each of its operations does to the digits
of a packed vector, and what decoding one pattern gives. `whole_sound` (Check/DecodeColumns) says that what
comes out is what `Spec/Binary32.lean` says the patterns denote, `whole_finite` that no pattern is an infinity
or NaN. `Check/DecodeTiles.lean` takes a large matrix a few columns at a time.
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
end Decode
end PytestTorchLean
