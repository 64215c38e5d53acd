prelude
import PytestTorchLean.Core.Recursors
import PytestTorchLean.Spec.Packing
/-!
# Vectors packed into one natural number

`pack b m f` holds `f 0`, ..., `f (m - 1)` as the digits of `b` bits of a single number. The kernel
computes `Nat.add`, `Nat.mul`, `Nat.sub`, `Nat.div`, `Nat.land`, `Nat.shiftRight` and `Nat.pow` of
literals in one step each, however long they are: one step for a whole vector. The theorems below say
what such a step does to the digits.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Natural

/-! ### Order, cancellation and subtraction of naturals -/

export Nat (le_of_lt lt_of_lt_of_le lt_of_le_of_lt eq_zero_of_le_zero add_right_cancel add_left_cancel
  add_sub_cancel add_sub_cancel_left sub_add_cancel sub_le one_mul mul_one two_mul pow_add)
theorem lt_irreflexive (n : Nat) : ¬ n < n := Nat.lt_irrefl n
theorem le_of_eq {a b : Nat} (h : a = b) : a ≤ b := h ▸ Nat.le.refl
theorem le_or_lt (a b : Nat) : a ≤ b ∨ b < a := Or.symm (Nat.lt_or_ge b a)
theorem eq_zero_of_lt_one {a : Nat} (h : a < 1) : a = 0 := eq_zero_of_le_zero (Nat.le_of_succ_le_succ h)
theorem succ_pred {n : Nat} (h : 0 < n) : n - 1 + 1 = n := sub_add_cancel h
theorem sub_eq_of_add_eq {a b c : Nat} (h : c + b = a) : a - b = c := by rw [← h]; exact add_sub_cancel c b
theorem add_right_comm (a b c : Nat) : a + b + c = a + c + b := by
  rw [Nat.add_assoc, Nat.add_comm b, Nat.add_assoc]
theorem mul_lt_mul_left {a b c : Nat} (hc : 0 < c) (h : a < b) : c * a < c * b := by
  have g : c * (a + 1) ≤ c * b := Nat.mul_le_mul Nat.le.refl h
  exact lt_of_lt_of_le (Nat.add_le_add Nat.le.refl hc) g
theorem lt_of_mul_lt_mul_left {a b c : Nat} (h : c * a < c * b) : a < b := by
  rw [Nat.mul_comm c, Nat.mul_comm c] at h; exact Nat.lt_of_mul_lt_mul_right h
/-- a digit `r` below a number `q` of digits: `r + B * q < B * C` -/
theorem add_mul_lt {r B q C : Nat} (hr : r < B) (hq : q < C) : r + B * q < B * C := by
  have h : B * (q + 1) ≤ B * C := Nat.mul_le_mul Nat.le.refl hq
  refine lt_of_lt_of_le ?_ h
  show r + B * q + 1 ≤ B * q + B
  rw [Nat.add_comm r, Nat.add_assoc]
  exact Nat.add_le_add Nat.le.refl hr

/-! ### Powers of two -/

theorem pow_succ (n k : Nat) : n ^ (k + 1) = n * n ^ k := Nat.mul_comm (n ^ k) n
theorem two_pow_pos (k : Nat) : 0 < 2 ^ k := Nat.two_pow_pos k
theorem two_pow_le {j k : Nat} (h : j ≤ k) : 2 ^ j ≤ 2 ^ k := by
  obtain ⟨c, rfl⟩ := Nat.exists_of_le h
  rw [pow_add]
  have g : 2 ^ j * 1 ≤ 2 ^ j * 2 ^ c := Nat.mul_le_mul Nat.le.refl (two_pow_pos c)
  rw [mul_one] at g; exact g
theorem mask_succ (k : Nat) : 2 ^ k - 1 + 1 = 2 ^ k := succ_pred (two_pow_pos k)
theorem mask_lt {j k : Nat} (h : j ≤ k) : 2 ^ j - 1 < 2 ^ k := by
  show 2 ^ j - 1 + 1 ≤ 2 ^ k
  rw [mask_succ]; exact two_pow_le h
theorem one_lt_two_pow {k : Nat} (h : 0 < k) : 1 < 2 ^ k := two_pow_le h

/-! ### Division with remainder -/

theorem digits_absurd {x y z B : Nat} (hx : x < B) (h : x = y + (z + B)) : False := by
  have g : B ≤ x := by rw [h]; exact Nat.le_trans (Nat.le_add_left B z) (Nat.le_add_left _ y)
  exact lt_irreflexive x (lt_of_lt_of_le hx g)
/-- the last digit and the rest are determined by the number -/
theorem digits_unique {B x y : Nat} (hx : x < B) (hy : y < B) :
    (X Y : Nat) → x + B * X = y + B * Y → x = y ∧ X = Y
  | 0, 0, h => ⟨h, rfl⟩
  | 0, Y + 1, h => (digits_absurd hx h).elim
  | X + 1, 0, h => (digits_absurd hy h.symm).elim
  | X + 1, Y + 1, h => by
    have e := digits_unique hx hy X Y
      (add_right_cancel B (by rw [Nat.add_assoc, Nat.add_assoc]; exact h))
    exact ⟨e.1, congrArg Nat.succ e.2⟩
theorem add_mul_div {B r : Nat} (q : Nat) (h : r < B) : (r + B * q) / B = q :=
  (NatEquations.mod_unique (Nat.add_comm r (B * q)) h).1
theorem add_mul_mod {B r : Nat} (q : Nat) (h : r < B) : (r + B * q) % B = r :=
  (NatEquations.mod_unique (Nat.add_comm r (B * q)) h).2
theorem euclid {B : Nat} (hB : 0 < B) (n : Nat) : ∃ q r, n = r + B * q ∧ r < B :=
  ⟨n / B, n % B, by rw [Nat.add_comm]; exact (NatEquations.div_add_mod n B).symm, NatEquations.mod_lt n hB⟩
theorem mod_add_div {B : Nat} (hB : 0 < B) (n : Nat) : n % B + B * (n / B) = n := by
  obtain ⟨q, r, rfl, h⟩ := euclid hB n
  rw [add_mul_div q h, add_mul_mod q h]
theorem mod_lt {B : Nat} (hB : 0 < B) (n : Nat) : n % B < B := by
  obtain ⟨q, r, rfl, h⟩ := euclid hB n
  rw [add_mul_mod q h]; exact h
theorem mod_eq_self {n B : Nat} (h : n < B) : n % B = n := add_mul_mod 0 h
theorem mul_div_cancel {B : Nat} (hB : 0 < B) (q : Nat) : B * q / B = q := by
  have h := add_mul_div q hB
  rw [Nat.zero_add] at h; exact h
theorem div_one (n : Nat) : n / 1 = n := by
  have h := mul_div_cancel Nat.le.refl n
  rw [one_mul] at h; exact h
theorem div_eq_zero {n B : Nat} (h : n < B) : n / B = 0 := add_mul_div 0 h
theorem div_lt {n B C : Nat} (hB : 0 < B) (h : n < B * C) : n / B < C := by
  refine lt_of_mul_lt_mul_left (c := B) (lt_of_le_of_lt ?_ h)
  have e := mod_add_div hB n
  exact Nat.le_trans (Nat.le_add_left _ (n % B)) (le_of_eq e)
theorem div_div (n : Nat) {A B : Nat} (hA : 0 < A) (hB : 0 < B) : n / A / B = n / (A * B) := by
  obtain ⟨q, r, rfl, h⟩ := euclid hA n
  obtain ⟨p, s, rfl, g⟩ := euclid hB q
  rw [add_mul_div _ h, add_mul_div _ g, Nat.mul_add, ← Nat.add_assoc, ← Nat.mul_assoc,
    add_mul_div _ (add_mul_lt h g)]
theorem shift_shift (n j k : Nat) : n / 2 ^ j / 2 ^ k = n / 2 ^ (j + k) := by
  rw [pow_add]; exact div_div n (two_pow_pos j) (two_pow_pos k)
theorem mod_mod {j k : Nat} (h : j ≤ k) (n : Nat) : n % 2 ^ k % 2 ^ j = n % 2 ^ j := by
  obtain ⟨c, rfl⟩ := Nat.exists_of_le h
  obtain ⟨q, r, e, g⟩ := euclid (two_pow_pos (j + c)) n
  rw [e, add_mul_mod q g]
  obtain ⟨p, s, e2, g2⟩ := euclid (two_pow_pos j) r
  rw [e2, add_mul_mod p g2, pow_add, Nat.mul_assoc, Nat.add_assoc, ← Nat.mul_add, add_mul_mod _ g2]

/-! ### `Nat.land`, bit by bit and digit by digit -/

open NatEquations (bit)
theorem bits (n : Nat) : ∃ a x, n = bit a + 2 * x := by
  obtain ⟨a, x, e⟩ := NatEquations.exists_bit n
  exact ⟨a, x, by rw [e, Nat.add_comm]⟩
theorem land_bits (a c : Bool) (x y : Nat) :
    Nat.land (bit a + 2 * x) (bit c + 2 * y) = bit (and a c) + 2 * Nat.land x y := by
  rw [Nat.add_comm, Nat.add_comm (bit c), NatEquations.land_bit, Nat.add_comm]
theorem half_le {a : Bool} {x k : Nat} (h : bit a + 2 * x ≤ k + 1) : x ≤ k := by
  rw [two_mul] at h
  have h := Nat.le_trans (Nat.le_add_left _ _) h
  cases x with
  | zero => exact Nat.zero_le k
  | succ x =>
    have g : x + 1 + x ≤ k := Nat.le_of_succ_le_succ h
    exact Nat.le_trans (Nat.le_add_right _ x) g
theorem lt_half {a : Bool} {x n : Nat} (h : bit a + 2 * x < 2 * n) : x < n :=
  lt_of_mul_lt_mul_left (c := 2) (lt_of_le_of_lt (Nat.le_add_left _ _) h)
/-- `Nat.land` acts on the low `b` bits and on the rest separately. -/
theorem land_split : (b x y X Y : Nat) → x < 2 ^ b → y < 2 ^ b →
    Nat.land (x + 2 ^ b * X) (y + 2 ^ b * Y) = Nat.land x y + 2 ^ b * Nat.land X Y
  | 0, x, y, X, Y, hx, hy => by
    have hx := eq_zero_of_lt_one hx
    have hy := eq_zero_of_lt_one hy
    subst hx; subst hy
    have e : ∀ n, 0 + 2 ^ 0 * n = n := fun n => (Nat.zero_add _).trans (one_mul n)
    rw [e, e]; exact (e _).symm
  | b + 1, x, y, X, Y, hx, hy => by
    obtain ⟨a, x', rfl⟩ := bits x
    obtain ⟨c, y', rfl⟩ := bits y
    rw [pow_succ] at hx hy
    rw [pow_succ, Nat.mul_assoc, Nat.mul_assoc, Nat.mul_assoc, Nat.add_assoc, Nat.add_assoc,
      ← Nat.mul_add, ← Nat.mul_add, land_bits, land_bits,
      land_split b x' y' X Y (lt_half hx) (lt_half hy), Nat.mul_add, Nat.add_assoc]
theorem land_zero_of_le : (k x : Nat) → x ≤ k → Nat.land x 0 = 0
  | 0, x, h => by rw [eq_zero_of_le_zero h]; rfl
  | k + 1, x, h => by
    obtain ⟨a, x', rfl⟩ := bits x
    have z := land_bits a false x' 0
    have e0 : bit false + 2 * 0 = 0 := rfl
    rw [e0, land_zero_of_le k x' (half_le h)] at z
    rw [z]; cases a <;> rfl
theorem land_zero (x : Nat) : Nat.land x 0 = 0 := land_zero_of_le x x Nat.le.refl
theorem mask_bits (k : Nat) : 2 ^ (k + 1) - 1 = bit true + 2 * (2 ^ k - 1) := by
  apply sub_eq_of_add_eq
  show bit true + 2 * (2 ^ k - 1) + 1 = 2 ^ (k + 1)
  have h : 2 * (2 ^ k - 1) + 2 = 2 ^ (k + 1) := by
    rw [pow_succ, ← mask_succ k, add_sub_cancel]; exact (Nat.mul_succ 2 _).symm
  rw [← h, Nat.add_comm (bit true)]; rfl
theorem land_mask_self : (k x : Nat) → x < 2 ^ k → Nat.land x (2 ^ k - 1) = x
  | 0, x, h => by rw [eq_zero_of_lt_one h]; rfl
  | k + 1, x, h => by
    obtain ⟨a, x', rfl⟩ := bits x
    rw [pow_succ] at h
    rw [mask_bits, land_bits, land_mask_self k x' (lt_half h)]
    cases a <;> rfl
end Natural
open Natural
/-- the `k` low bits -/
theorem land_low (x k : Nat) : Nat.land x (2 ^ k - 1) = x % 2 ^ k := by
  obtain ⟨q, r, rfl, h⟩ := euclid (two_pow_pos k) x
  have z := land_split k r (2 ^ k - 1) q 0 h (mask_lt Nat.le.refl)
  rw [Nat.mul_zero, Nat.add_zero, land_zero, Nat.mul_zero, Nat.add_zero, land_mask_self k r h] at z
  rw [z, add_mul_mod q h]
/-- bits `j` to `j + k - 1`, in their place -/
theorem land_field (x j k : Nat) : Nat.land x ((2 ^ k - 1) * 2 ^ j) = 2 ^ j * (x / 2 ^ j % 2 ^ k) := by
  obtain ⟨q, r, rfl, h⟩ := euclid (two_pow_pos j) x
  have z := land_split j r 0 q (2 ^ k - 1) h (two_pow_pos j)
  rw [Nat.zero_add, land_zero, Nat.zero_add, land_low] at z
  rw [Nat.mul_comm (2 ^ k - 1), z, add_mul_div q h]
theorem digit_eq (w Y i : Nat) : Nat.land (Nat.shiftRight Y (w * i)) (2 ^ w - 1) = digit w Y i := land_low _ w

/-! ### Digits -/

theorem digit_zero (b Y : Nat) : digit b Y 0 = Y % 2 ^ b := congrArg (fun n => n % 2 ^ b) (div_one Y)
theorem digit_succ (b Y i : Nat) : digit b Y (i + 1) = digit b (Y / 2 ^ b) i := by
  show Y / 2 ^ (b * i + b) % 2 ^ b = Y / 2 ^ b / 2 ^ (b * i) % 2 ^ b
  rw [shift_shift, Nat.add_comm]
theorem word_zero (Y : Nat) : Nat.land Y (2 ^ 32 - 1) = word Y 0 :=
  (land_low Y 32).trans (digit_zero 32 Y).symm
theorem word_succ (Y i : Nat) : word (Nat.shiftRight Y 32) i = word Y (i + 1) := (digit_succ 32 Y i).symm
theorem digit_lt (b Y i : Nat) : digit b Y i < 2 ^ b := mod_lt (two_pow_pos b) _

/-! ### Packed vectors -/

/-- `f 0 + 2^b * f 1 + ... + 2^(b * (m - 1)) * f (m - 1)` -/
def pack (b : Nat) : Nat → (Nat → Nat) → Nat
  | 0, _ => 0
  | m + 1, f => f 0 + 2 ^ b * pack b m (fun i => f (i + 1))

theorem pack_nil (b : Nat) (f : Nat → Nat) : pack b 0 f = 0 := rfl
theorem pack_succ (b m : Nat) (f : Nat → Nat) :
    pack b (m + 1) f = f 0 + 2 ^ b * pack b m (fun i => f (i + 1)) := rfl
namespace Natural
theorem forall_zero {m : Nat} {p : Nat → Prop} (h : ∀ i, i < m + 1 → p i) : p 0 :=
  h 0 (Nat.succ_le_succ (Nat.zero_le m))
theorem forall_succ {m : Nat} {p : Nat → Prop} (h : ∀ i, i < m + 1 → p i) : ∀ i, i < m → p (i + 1) :=
  fun i hi => h (i + 1) (Nat.succ_le_succ hi)
end Natural
theorem pack_congr {b m : Nat} {f g : Nat → Nat} (h : ∀ i, i < m → f i = g i) : pack b m f = pack b m g := by
  induction m generalizing f g with
  | zero => rfl
  | succ m ih =>
    have t : ∀ i, i < m → f (i + 1) = g (i + 1) := forall_succ (p := fun i => f i = g i) h
    rw [pack_succ, pack_succ, forall_zero (p := fun i => f i = g i) h, ih t]
theorem pack_zero (b m : Nat) : pack b m (fun _ => 0) = 0 := by
  induction m with
  | zero => rfl
  | succ m ih => rw [pack_succ, ih]; rfl
theorem pack_add (b m : Nat) (f g : Nat → Nat) :
    pack b m (fun i => f i + g i) = pack b m f + pack b m g := by
  induction m generalizing f g with
  | zero => rfl
  | succ m ih =>
    rw [pack_succ, pack_succ, pack_succ, ih (fun i => f (i + 1)) (fun i => g (i + 1)), Nat.mul_add]
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem pack_mul (b m c : Nat) (f : Nat → Nat) : pack b m (fun i => c * f i) = c * pack b m f := by
  induction m generalizing f with
  | zero => rfl
  | succ m ih => rw [pack_succ, pack_succ, ih (fun i => f (i + 1)), Nat.mul_add, Nat.mul_left_comm]
theorem pack_sub {b m : Nat} {f g : Nat → Nat} (h : ∀ i, i < m → g i ≤ f i) :
    pack b m (fun i => f i - g i) = pack b m f - pack b m g := by
  refine (sub_eq_of_add_eq ?_).symm
  rw [← pack_add]
  exact pack_congr fun i hi => sub_add_cancel (h i hi)
theorem pack_lt {b m : Nat} {f : Nat → Nat} (h : ∀ i, i < m → f i < 2 ^ b) : pack b m f < 2 ^ (b * m) := by
  induction m generalizing f with
  | zero => exact Nat.le.refl
  | succ m ih =>
    rw [pack_succ, Nat.mul_succ, Nat.add_comm (b * m), pow_add]
    exact add_mul_lt (forall_zero (p := fun i => f i < 2 ^ b) h) (ih (forall_succ h))
theorem pack_le {b m : Nat} {f g : Nat → Nat} (h : ∀ i, i < m → f i ≤ g i) : pack b m f ≤ pack b m g := by
  induction m generalizing f g with
  | zero => exact Nat.le.refl
  | succ m ih =>
    exact Nat.add_le_add (forall_zero (p := fun i => f i ≤ g i) h)
      (Nat.mul_le_mul Nat.le.refl (ih (forall_succ h)))
theorem pack_injective {b m : Nat} {f g : Nat → Nat} (hf : ∀ i, i < m → f i < 2 ^ b)
    (hg : ∀ i, i < m → g i < 2 ^ b) (h : pack b m f = pack b m g) : ∀ i, i < m → f i = g i := by
  induction m generalizing f g with
  | zero => exact fun i hi => absurd hi (Nat.not_succ_le_zero i)
  | succ m ih =>
    rw [pack_succ, pack_succ] at h
    have e := digits_unique (forall_zero (p := fun i => f i < 2 ^ b) hf)
      (forall_zero (p := fun i => g i < 2 ^ b) hg) _ _ h
    intro i hi
    cases i with
    | zero => exact e.1
    | succ i => exact ih (forall_succ hf) (forall_succ hg) e.2 i (Nat.le_of_succ_le_succ hi)
/-- the first `m` digits of `h`, then `n` more -/
theorem pack_append (b m n : Nat) (h : Nat → Nat) :
    pack b (m + n) h = pack b m h + 2 ^ (b * m) * pack b n (fun i => h (m + i)) := by
  induction m generalizing h with
  | zero =>
    rw [Nat.zero_add, pack_nil, Nat.zero_add]
    have e : 2 ^ (b * 0) = 1 := rfl
    rw [e, one_mul]
    exact pack_congr fun i _ => by rw [Nat.zero_add]
  | succ m ih =>
    rw [Nat.succ_add, pack_succ, pack_succ, ih (fun i => h (i + 1)), Nat.mul_succ,
      Nat.add_comm (b * m), pow_add, Nat.mul_add, Nat.mul_assoc, Nat.add_assoc]
    have e : pack b n (fun i => h (m + i + 1)) = pack b n (fun i => h (m + 1 + i)) :=
      pack_congr fun i _ => by rw [Nat.succ_add]
    rw [e]

/-! ### Unpacking -/

/-- the digit at the end -/
theorem land_pack_succ {b m : Nat} {f : Nat → Nat} (h : f 0 < 2 ^ b) :
    Nat.land (pack b (m + 1) f) (2 ^ b - 1) = f 0 := by
  rw [land_low, pack_succ, add_mul_mod _ h]
/-- the other digits -/
theorem shift_pack_succ {b m : Nat} {f : Nat → Nat} (h : f 0 < 2 ^ b) :
    Nat.shiftRight (pack b (m + 1) f) b = pack b m (fun i => f (i + 1)) := by
  show pack b (m + 1) f / 2 ^ b = _
  rw [pack_succ, add_mul_div _ h]
/-- the first `m` digits -/
theorem land_pack_append {b m n : Nat} {h : Nat → Nat} (hd : ∀ i, i < m → h i < 2 ^ b) :
    Nat.land (pack b (m + n) h) (2 ^ (b * m) - 1) = pack b m h := by
  rw [land_low, pack_append, add_mul_mod _ (pack_lt hd)]
/-- the digits from `m` on -/
theorem shift_pack_append {b m n : Nat} {h : Nat → Nat} (hd : ∀ i, i < m → h i < 2 ^ b) :
    Nat.shiftRight (pack b (m + n) h) (b * m) = pack b n (fun i => h (m + i)) := by
  show pack b (m + n) h / 2 ^ (b * m) = _
  rw [pack_append, add_mul_div _ (pack_lt hd)]
/-- digits that are multiples of `2^k`, divided by it -/
theorem shift_pack_mul (b m k : Nat) (f : Nat → Nat) :
    Nat.shiftRight (pack b m (fun i => 2 ^ k * f i)) k = pack b m f := by
  show pack b m (fun i => 2 ^ k * f i) / 2 ^ k = _
  rw [pack_mul, mul_div_cancel (two_pow_pos k)]
theorem digit_pack {b m i : Nat} {f : Nat → Nat} (h : ∀ i, i < m → f i < 2 ^ b) (hi : i < m) :
    digit b (pack b m f) i = f i := by
  induction m generalizing f i with
  | zero => exact absurd hi (Nat.not_succ_le_zero i)
  | succ m ih =>
    have h0 := forall_zero (p := fun i => f i < 2 ^ b) h
    cases i with
    | zero => rw [digit_zero, pack_succ, add_mul_mod _ h0]
    | succ i =>
      rw [digit_succ, pack_succ, add_mul_div _ h0, ih (forall_succ h) (Nat.le_of_succ_le_succ hi)]

/-! ### Bitwise and, digit by digit -/

theorem land_pack {b m : Nat} {f g : Nat → Nat} (hf : ∀ i, i < m → f i < 2 ^ b)
    (hg : ∀ i, i < m → g i < 2 ^ b) :
    Nat.land (pack b m f) (pack b m g) = pack b m (fun i => Nat.land (f i) (g i)) := by
  induction m generalizing f g with
  | zero => rfl
  | succ m ih =>
    rw [pack_succ, pack_succ, pack_succ, land_split b _ _ _ _ (forall_zero (p := fun i => f i < 2 ^ b) hf)
      (forall_zero (p := fun i => g i < 2 ^ b) hg), ih (forall_succ hf) (forall_succ hg)]
/-- the same for any number and a mask of `m` digits -/
theorem land_mask {b m : Nat} (Y : Nat) {g : Nat → Nat} (hg : ∀ i, i < m → g i < 2 ^ b) :
    Nat.land Y (pack b m g) = pack b m (fun i => Nat.land (digit b Y i) (g i)) := by
  induction m generalizing Y g with
  | zero => exact land_zero Y
  | succ m ih =>
    have e : pack b m (fun i => Nat.land (digit b Y (i + 1)) (g (i + 1)))
        = pack b m (fun i => Nat.land (digit b (Y / 2 ^ b) i) (g (i + 1))) :=
      pack_congr fun i _ => by rw [digit_succ]
    rw [pack_succ, pack_succ, digit_zero, e, ← ih (Y / 2 ^ b) (forall_succ hg),
      ← land_split b _ _ _ _ (mod_lt (two_pow_pos b) Y) (forall_zero (p := fun i => g i < 2 ^ b) hg),
      mod_add_div (two_pow_pos b)]

/-! ### A vector of ones -/

/-- `m` digits 1: a closed form, three steps of the kernel for any `m` -/
def ones (b m : Nat) : Nat :=
  Nat.div (Nat.sub (Nat.pow 2 (Nat.mul b m)) 1) (Nat.sub (Nat.pow 2 b) 1)
theorem ones_mul (b m : Nat) : (2 ^ b - 1) * pack b m (fun _ => 1) + 1 = 2 ^ (b * m) := by
  induction m with
  | zero => rfl
  | succ m ih =>
    rw [pack_succ, Nat.mul_add, mul_one, Nat.mul_left_comm, add_right_comm, mask_succ]
    show 2 ^ b + 2 ^ b * ((2 ^ b - 1) * pack b m (fun _ => 1)) = 2 ^ (b * m + b)
    rw [Nat.add_comm (b * m), pow_add, ← ih, Nat.mul_succ, Nat.add_comm]
theorem ones_eq {b : Nat} (hb : 0 < b) (m : Nat) : ones b m = pack b m (fun _ => 1) := by
  have h : 2 ^ (b * m) - 1 = (2 ^ b - 1) * pack b m (fun _ => 1) := sub_eq_of_add_eq (ones_mul b m)
  have p : 0 < 2 ^ b - 1 := Nat.le_of_succ_le_succ (by
    show 1 + 1 ≤ 2 ^ b - 1 + 1
    rw [mask_succ]; exact one_lt_two_pow hb)
  show (2 ^ (b * m) - 1) / (2 ^ b - 1) = _
  rw [h, mul_div_cancel p]
/-- `m` equal digits -/
theorem mul_ones {b : Nat} (hb : 0 < b) (m c : Nat) : c * ones b m = pack b m (fun _ => c) := by
  rw [ones_eq hb, ← pack_mul]
  exact pack_congr fun i _ => mul_one c

/-! ### Evaluation order -/

/-- `f n`, with `n` evaluated to a literal before it is substituted: what the successor of a literal is made
    of is one. A variable in place of `n` stops the computation. -/
def force {α : Sort u} (f : Nat → α) (n : Nat) : α :=
  Nat.rec (motive := fun _ => α) (f 0) (fun m _ => f m) (Nat.add 1 n)
theorem force_eq {α : Sort u} (f : Nat → α) (n : Nat) : force f n = f n := by
  have e : Nat.add 1 n = Nat.succ n := Nat.add_comm 1 n
  unfold force
  rw [e]
/-- Compiled code evaluates arguments first anyway. -/
@[inline] def compiledForce {α : Sort u} (f : Nat → α) (n : Nat) : α := f n
@[csimp] theorem compiledForce_eq : @force = @compiledForce :=
  funext fun _ => funext fun f => funext fun n => force_eq f n

/-- `f n`, with `n` evaluated first but substituted as it stands: later uses find its value in the kernel's
    cache. Takes less memory than `force`; not for loops, where such terms would pile up. -/
def share {α : Sort u} (f : Nat → α) (n : Nat) : α :=
  Bool.rec (motive := fun _ => α) (f n) (f n) (Nat.ble n n)
theorem share_eq {α : Sort u} (f : Nat → α) (n : Nat) : share f n = f n := by
  unfold share
  cases Nat.ble n n <;> rfl
@[csimp] theorem compiledShare_eq : @share = @compiledForce :=
  funext fun _ => funext fun f => funext fun n => share_eq f n

/-- Conjunction that evaluates its second part only when the first is true. -/
@[macro_inline] def both (first second : Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) first false second
theorem both_true {a b : Bool} (h : both a b = true) : a = true ∧ b = true := by
  cases a with
  | true => exact ⟨rfl, h⟩
  | false => exact Bool.noConf_tf (Eq.symm h)

end PytestTorchLean
