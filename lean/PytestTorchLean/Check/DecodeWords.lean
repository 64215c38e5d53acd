prelude
import PytestTorchLean.Check.Decode
/-!
# Decoding binary32 weights: a vector of patterns

All digits of a packed vector of bit patterns are decoded at once, to two vectors: the positive parts and the
negative parts of the values.
-/
set_option linter.all false
namespace PytestTorchLean
open Natural

namespace Decode

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
end Decode
end PytestTorchLean
