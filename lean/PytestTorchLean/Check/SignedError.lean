prelude
import PytestTorchLean.Check.Sides
/-!
# The errors of all rows by what their products above 0 and below 0 add up to

No sum that is rounded is larger than the larger of the two (Check/AnyOrderSigned). Both are read off bounds
that enclose 0 (Check/Sides), for all rows at once.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Affine
variable {K : Type u} [OrderedRing K]

/-! ### The errors of all rows -/

/-- The part of a row's error that underflow causes. -/
def errorLoss (s : Scale) (a : Affine) (d : Decoding) : Nat :=
  Nat.succ (Nat.div (Nat.mul (underflow a.columns a.divisor) s.unit) (2 ^ (d.base - 1)))
/-- No error is larger, if no row's sums above and below 0 are. -/
def signedLimit (s : Scale) (a : Affine) (d : Decoding) (count most : Nat) : Nat :=
  Nat.succ (Nat.div (signedError count a.divisor (most + most) most) (2 ^ 48)) + errorLoss s a d

/-- All rows' errors from what their products above 0 add up to, and those below; `count` products at most are
    not 0. -/
def signed (s : Scale) (a : Affine) (d : Decoding) (count bounds mass : Nat) : Nat :=
  force (fun units =>
      force (fun low => force (fun high => force (fun down => force (fun up => force (fun larger =>
        Nat.add (Decode.field 48 (Nat.sub (32 * a.lanes) 48) (Nat.add (Nat.add
            (Nat.mul (roundingShare count) (Nat.add (Nat.add up down) (Nat.mul (count - 1) larger)))
              (Nat.mul (dividing a.divisor) (Nat.add up down)))
            (Nat.mul (Nat.sub (Nat.pow 2 48) 1) units)) units) (Nat.mul (errorLoss s a d) units))
      (Nat.add down (Vector.difference (32 * a.lanes) (a.rows * a.positions) s.half up down)))
      (Nat.sub high mass)) (Nat.sub mass low))
      (Nat.shiftRight (Nat.sub bounds low) s.half))
        (Nat.land bounds (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) units)))
    (ones (32 * a.lanes) (a.rows * a.positions))

theorem ceiling {n e : Nat} (he : 0 < e) : n ≤ e * (n / e + 1) := by
  refine Nat.le_trans (Rows.lt_mul_div n e he) ?_
  rw [Nat.mul_succ]
  exact Nat.add_le_add Nat.le.refl (Natural.sub_le e 1)

theorem loss_large (s : Scale) (a : Affine) (d : Decoding) :
    underflow a.columns a.divisor * s.unit ≤ 2 ^ (d.base - 1) * errorLoss s a d :=
  ceiling (Natural.two_pow_pos _)

theorem signedError_mono {n divisor weight larger weight' larger' : Nat} (h : weight ≤ weight')
    (g : larger ≤ larger') :
    signedError n divisor weight larger ≤ signedError n divisor weight' larger' :=
  Nat.add_le_add (Nat.mul_le_mul Nat.le.refl (Nat.add_le_add h (Nat.mul_le_mul Nat.le.refl g)))
    (Nat.mul_le_mul Nat.le.refl h)

/-- An error in units of `2^-48`, rounded up. -/
def roundedUp (x : Nat) : Nat := (x + (2 ^ 48 - 1)) / 2 ^ 48
theorem roundedUp_large (x : Nat) : x ≤ 2 ^ 48 * roundedUp x :=
  Nat.le_of_add_le_add_right (2 ^ 48 - 1)
    (Rows.lt_mul_div (x + (2 ^ 48 - 1)) (2 ^ 48) (Natural.two_pow_pos 48))
theorem roundedUp_le {x most : Nat} (h : x ≤ most) : roundedUp x ≤ most / 2 ^ 48 + 1 := by
  have p := Natural.two_pow_pos 48
  have last : 2 ^ 48 - 1 + 1 = 2 ^ 48 := Natural.mask_succ 48
  have b : x + (2 ^ 48 - 1) < 2 ^ 48 * (most / 2 ^ 48 + 1 + 1) := by
    have c := Rows.lt_mul_div most (2 ^ 48) p
    refine Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add (Nat.le_trans h c) Nat.le.refl)) ?_
    rw [Nat.mul_succ, Nat.mul_succ, Nat.add_assoc, Nat.add_assoc]
    generalize most / 2 ^ 48 = q
    refine Nat.add_le_add Nat.le.refl (Nat.le_trans (n := 2 ^ 48 - 1 + (2 ^ 48 - 1 + 1)) Nat.le.refl ?_)
    rw [last]
    exact Nat.add_le_add (Natural.sub_le _ _) Nat.le.refl
  exact Nat.le_of_succ_le_succ (Natural.div_lt p b)

/-- What `signed` computes. -/
theorem signed_eq {s : Scale} {a : Affine} {d : Decoding} {count reach : Nat}
    {low high up down mass : Nat → Nat}
    (f1 : s.half + s.half ≤ 32 * a.lanes)
    (q1 : 48 ≤ 32 * a.lanes)
    (q2 : s.half + 1 ≤ 32 * a.lanes)
    (q3 : signedError count a.divisor (reach + reach) reach + 2 ^ 48 ≤ 2 ^ (32 * a.lanes))
    (small : reach < 2 ^ s.half)
    (h : ∀ i, i < a.rows * a.positions →
      low i + down i = mass i ∧ mass i + up i = high i ∧ mass i ≤ reach ∧ high i ≤ reach) :
    signed s a d count (pack (32 * a.lanes) (a.rows * a.positions) (fun i => low i + 2 ^ s.half * high i))
      (pack (32 * a.lanes) (a.rows * a.positions) mass) =
    pack (32 * a.lanes) (a.rows * a.positions)
      (fun i => roundedUp (signedError count a.divisor (up i + down i) (down i + (up i - down i))) +
        errorLoss s a d) := by
  have lane : 0 < 32 * a.lanes := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 47)) q1
  have half_le : 2 ^ s.half ≤ 2 ^ (32 * a.lanes) :=
    Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ 1) q2)
  have ups : ∀ i, i < a.rows * a.positions → up i ≤ reach := fun i hi =>
    Nat.le_trans (Nat.le_trans (Nat.le_add_left _ _) (Natural.le_of_eq (h i hi).2.1)) (h i hi).2.2.2
  have downs : ∀ i, i < a.rows * a.positions → down i ≤ reach :=
    fun i hi => Nat.le_trans (Nat.le_trans (Nat.le_add_left _ _) (Natural.le_of_eq (h i hi).1)) (h i hi).2.2.1
  have lows : ∀ i, i < a.rows * a.positions → low i < 2 ^ s.half := fun i hi =>
    Nat.le_trans (Nat.succ_le_succ
        (Nat.le_trans (Nat.le_trans (Nat.le_add_right _ _) (Natural.le_of_eq (h i hi).1)) (h i hi).2.2.1))
      small
  have highs : ∀ i, i < a.rows * a.positions → high i < 2 ^ s.half :=
    fun i hi => Nat.le_trans (Nat.succ_le_succ (h i hi).2.2.2) small
  have e_low : Nat.land (pack (32 * a.lanes) (a.rows * a.positions) (fun i => low i + 2 ^ s.half * high i))
      (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (32 * a.lanes) (a.rows * a.positions))) =
          pack (32 * a.lanes) (a.rows * a.positions) low := by
    have e := Decode.low_pack (Nat.le_trans (Nat.le_add_right _ 1) q2) lane
      (w := fun i => low i + 2 ^ s.half * high i) (m := a.rows * a.positions)
      (fun i hi => Nat.le_trans (Memory.halves_lt (lows i hi) (highs i hi)) (Natural.two_pow_le f1))
    exact Eq.trans e (pack_congr fun i hi => Natural.add_mul_mod _ (lows i hi))
  have e_high : Nat.shiftRight (Nat.sub
      (pack (32 * a.lanes) (a.rows * a.positions) (fun i => low i + 2 ^ s.half * high i))
      (pack (32 * a.lanes) (a.rows * a.positions) low)) s.half =
      pack (32 * a.lanes) (a.rows * a.positions) high := by
    show Nat.shiftRight (_ - _) s.half = _
    rw [pack_add, Natural.add_sub_cancel_left, shift_pack_mul]
  have e_down : Nat.sub (pack (32 * a.lanes) (a.rows * a.positions) mass)
        (pack (32 * a.lanes) (a.rows * a.positions) low) =
      pack (32 * a.lanes) (a.rows * a.positions) down := by
    show pack _ _ mass - pack _ _ low = _
    rw [← pack_sub (fun i hi => Nat.le_trans (Nat.le_add_right _ _) (Natural.le_of_eq (h i hi).1))]
    exact pack_congr fun i hi => by rw [← (h i hi).1]; exact Natural.add_sub_cancel_left _ _
  have e_up : Nat.sub (pack (32 * a.lanes) (a.rows * a.positions) high)
        (pack (32 * a.lanes) (a.rows * a.positions) mass) =
      pack (32 * a.lanes) (a.rows * a.positions) up := by
    show pack _ _ high - pack _ _ mass = _
    rw [← pack_sub (fun i hi => Nat.le_trans (Nat.le_add_right _ _) (Natural.le_of_eq (h i hi).2.1))]
    exact pack_congr fun i hi => by rw [← (h i hi).2.1]; exact Natural.add_sub_cancel_left _ _
  have e_larger : Vector.difference (32 * a.lanes) (a.rows * a.positions) s.half
    (pack (32 * a.lanes) (a.rows * a.positions) up) (pack (32 * a.lanes) (a.rows * a.positions) down) =
      pack (32 * a.lanes) (a.rows * a.positions) (fun i => up i - down i) :=
    Vector.difference_eq q2 (fun i hi => Nat.le_trans (Nat.succ_le_succ (ups i hi)) small)
      (fun i hi => Nat.le_trans (Nat.succ_le_succ (downs i hi)) small)
  unfold signed
  simp only [force_eq]
  rw [e_low, e_high, e_down, e_up, e_larger]
  have e_sum : Nat.add (Nat.add (Nat.mul (roundingShare count)
        (Nat.add (Nat.add (pack (32 * a.lanes) (a.rows * a.positions) up)
            (pack (32 * a.lanes) (a.rows * a.positions) down))
      (Nat.mul (count - 1)
            (Nat.add (pack (32 * a.lanes) (a.rows * a.positions) down)
              (pack (32 * a.lanes) (a.rows * a.positions) (fun i => up i - down i))))))
      (Nat.mul (dividing a.divisor)
          (Nat.add (pack (32 * a.lanes) (a.rows * a.positions) up)
            (pack (32 * a.lanes) (a.rows * a.positions) down))))
      (Nat.mul (Nat.sub (Nat.pow 2 48) 1) (ones (32 * a.lanes) (a.rows * a.positions))) =
      pack (32 * a.lanes) (a.rows * a.positions)
          (fun i => signedError count a.divisor (up i + down i) (down i + (up i - down i)) + (2 ^ 48 - 1))
          := by
    show roundingShare count *
        (pack _ _ up + pack _ _ down + (count - 1) * (pack _ _ down + pack _ _ _)) +
      dividing a.divisor * (pack _ _ up + pack _ _ down) + (2 ^ 48 - 1) * ones _ _ = _
    rw [mul_ones lane, ← pack_add _ _ up, ← pack_add _ _ down, ← pack_mul, ← pack_add, ← pack_mul, ← pack_mul,
        ← pack_add, ← pack_add]
    rfl
  rw [e_sum]
  have larger_le : ∀ i, i < a.rows * a.positions → down i + (up i - down i) ≤ reach := fun i hi => by
    cases Nat.le_total (down i) (up i) with
    | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact ups i hi
    | inr g =>
      obtain ⟨k, hk⟩ := Nat.exists_of_le g
      rw [hk, Vector.sub_zero_of, ← hk]; exact downs i hi
  have lt : ∀ i, i < a.rows * a.positions →
      signedError count a.divisor (up i + down i) (down i + (up i - down i)) + (2 ^ 48 - 1) <
        2 ^ (32 * a.lanes) := fun i hi => by
    refine Nat.le_trans ?_ q3
    show signedError _ _ _ _ + (2 ^ 48 - 1 + 1) ≤ _
    rw [Natural.mask_succ 48]
    exact Nat.add_le_add (signedError_mono (Nat.add_le_add (ups i hi) (downs i hi)) (larger_le i hi))
      Nat.le.refl
  have split : 48 + (32 * a.lanes - 48) = 32 * a.lanes := by
    rw [Nat.add_comm]
    exact Natural.sub_add_cancel q1
  have f := Decode.field_pack (j := 48) (k := 32 * a.lanes - 48) (Natural.le_of_eq split) lane lt
  show Decode.field 48 (32 * a.lanes - 48) _ _ + errorLoss s a d * ones _ _ = _
  rw [f, mul_ones lane, ← pack_add]
  refine pack_congr fun i hi => ?_
  refine congrArg (fun x => x + errorLoss s a d) (Natural.mod_eq_self ?_)
  refine Natural.div_lt (Natural.two_pow_pos 48) ?_
  rw [← Natural.pow_add, split]; exact lt i hi
end Affine
end PytestTorchLean
