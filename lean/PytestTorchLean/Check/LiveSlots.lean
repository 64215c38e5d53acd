prelude
import PytestTorchLean.Check.Live
import PytestTorchLean.Check.Sides
/-!
# Slots that are known to hold 0

Both bounds of a slot are 0 where a ReLU is off in the whole box. Where the first columns of a matrix read
consecutive slots, a few steps on long numbers count those of which that is not so.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Affine
variable {K : Type u} [OrderedRing K]

/-- 1 where the bounds of a slot differ, which are on both sides of 0. -/
def apart (s : Scale) (l u : Nat → Nat) (j : Nat) : Nat :=
  (lifted s (u j) - lowered s (l j) + (2 ^ s.half - 1)) / 2 ^ s.half
theorem span_le {s : Scale} (l u : Nat) (h : u ≤ s.top) : lifted s u - lowered s l ≤ s.top :=
  Nat.le_trans (Natural.sub_le _ _) (lifted_le h)
theorem apart_small {s : Scale} {l u : Nat → Nat} {j : Nat} (small : s.top < 2 ^ s.half) (h : u j ≤ s.top) :
    lifted s (u j) - lowered s (l j) + (2 ^ s.half - 1) < 2 ^ s.half * 2 := by
  have z := Nat.add_le_add (Nat.le_trans (span_le (l j) (u j) h) (Natural.le_of_lt small))
    (Natural.le_of_eq (Natural.mask_succ s.half))
  rw [Nat.mul_comm, Natural.two_mul]
  exact z
theorem apart_le {s : Scale} {l u : Nat → Nat} {j : Nat} (small : s.top < 2 ^ s.half) (h : u j ≤ s.top) :
    apart s l u j ≤ 1 :=
  Nat.le_of_succ_le_succ (Natural.div_lt (Natural.two_pow_pos s.half) (apart_small small h))
/-- A slot whose bounds do not differ holds 0. -/
theorem apart_or_zero {s : Scale} {slots : Nat → K} {l u : Nat → Nat} {j : Nat} (hu : 0 < s.unit)
    (hw : Within s (l j) (u j) (slots j)) : 1 ≤ apart s l u j ∨ slots j = 0 := by
  unfold apart
  cases e : lifted s (u j) - lowered s (l j) with
  | succ k =>
    left
    have m : 2 ^ s.half ≤ k + 1 + (2 ^ s.half - 1) := by
      rw [Nat.add_assoc, Nat.add_comm 1, Natural.mask_succ]; exact Nat.le_add_left _ _
    obtain ⟨r, hr⟩ := Nat.exists_of_le m
    rw [hr]
    have d : (2 ^ s.half + r) / 2 ^ s.half = r / 2 ^ s.half + 1 := by
      obtain ⟨q, x, e, g⟩ := Natural.euclid (Natural.two_pow_pos s.half) r
      rw [e, Natural.add_mul_div _ g]
      have z : 2 ^ s.half + (x + 2 ^ s.half * q) = x + 2 ^ s.half * (q + 1) := by
        rw [Nat.mul_succ]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
      rw [z, Natural.add_mul_div _ g]
    rw [d]; exact Nat.succ_le_succ (Nat.zero_le _)
  | zero =>
    right
    have below := (lowered_le s (l j)).2
    have above := (le_lifted s (u j)).2
    have le : lifted s (u j) ≤ lowered s (l j) := by
      obtain ⟨k, hk⟩ := Nat.exists_of_le (Nat.le_trans below above)
      rw [hk, Natural.add_sub_cancel_left] at e
      rw [hk, e]; exact Nat.le.refl
    have low : lowered s (l j) = s.center := Nat.le_antisymm below (Nat.le_trans above le)
    have high : lifted s (u j) = s.center := Nat.le_antisymm (Nat.le_trans le below) above
    obtain ⟨h1, h2⟩ := sides_within hw
    have none : s.center - s.center = 0 := Natural.sub_eq_of_add_eq (Nat.zero_add _)
    rw [high, none] at h1
    rw [low, none, ← mul_neg] at h2
    refine le_antisymm (cancel_natural hu ?_) ?_
    · rw [mul_zero]; exact h1
    · have z : -slots j ≤ (0 : K) := cancel_natural hu (by rw [mul_zero]; exact h2)
      exact le_cert ((ring1 K x, x - 0, 0 - -x) (slots j)) (sub_nonneg z)

/-- How many of `n` slots have bounds that differ. -/
def differing (s : Scale) (n bounds : Nat) : Nat :=
  force (fun units => force (fun mask => force (fun low => force (fun span =>
      Nat.mod (Decode.field s.half s.half (Nat.add span mask) units) (Nat.sub (Nat.pow 2 s.stride) 1))
      (Nat.sub (Nat.shiftRight (Nat.sub bounds low) s.half) low))
    (Nat.land bounds mask)) (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) units)) (ones s.stride n)

theorem differing_eq {s : Scale} {n : Nat} {l u : Nat → Nat} (c1 : 1 ≤ s.half) (small : s.top < 2 ^ s.half)
    (h : ∀ j, j < n → u j ≤ s.top) (room : n + 1 < 2 ^ s.stride) :
    differing s n (pack s.stride n (fun j => Memory.directWord s (lowered s (l j)) (lifted s (u j)))) =
      Columns.added n (apart s l u) := by
  have stride : 0 < s.stride := Nat.le_trans c1 (Nat.le_add_right _ _)
  have lows : ∀ j, j < n → lowered s (l j) < 2 ^ s.half := fun j _ =>
    Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (lowered_le s (l j)).2 (Nat.le_add_right _ _))) small
  have highs : ∀ j, j < n → lifted s (u j) < 2 ^ s.half := fun j hj =>
    Nat.le_trans (Nat.succ_le_succ (lifted_le (h j hj))) small
  have e_low : Nat.land
      (pack s.stride n (fun j => Memory.directWord s (lowered s (l j)) (lifted s (u j))))
      (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones s.stride n)) =
      pack s.stride n (fun j => lowered s (l j)) := by
    have e := Decode.low_pack (b := s.stride) (Nat.le_add_right s.half s.half) stride
      (w := fun j => lowered s (l j) + 2 ^ s.half * lifted s (u j)) (m := n)
      (fun j hj => Memory.halves_lt (lows j hj) (highs j hj))
    exact Eq.trans e (pack_congr fun j hj => Natural.add_mul_mod _ (lows j hj))
  have e_span : Nat.sub (Nat.shiftRight (Nat.sub
        (pack s.stride n (fun j => Memory.directWord s (lowered s (l j)) (lifted s (u j))))
        (pack s.stride n (fun j => lowered s (l j)))) s.half)
      (pack s.stride n (fun j => lowered s (l j))) =
      pack s.stride n (fun j => lifted s (u j) - lowered s (l j)) := by
    show Nat.shiftRight (pack s.stride n (fun j => lowered s (l j) + 2 ^ s.half * lifted s (u j)) - _)
      s.half - _ = _
    rw [pack_add, Natural.add_sub_cancel_left, shift_pack_mul]
    exact (pack_sub fun j _ => Nat.le_trans (lowered_le s (l j)).2 (le_lifted s (u j)).2).symm
  have e_sum : Nat.add (pack s.stride n (fun j => lifted s (u j) - lowered s (l j)))
      (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones s.stride n)) =
      pack s.stride n (fun j => lifted s (u j) - lowered s (l j) + (2 ^ s.half - 1)) := by
    show _ + (2 ^ s.half - 1) * ones s.stride n = _
    rw [mul_ones stride, ← pack_add]
  have two : 2 ^ s.half * 2 ≤ 2 ^ s.stride := by
    rw [Nat.mul_comm, ← Natural.pow_succ]
    exact Natural.two_pow_le (by rw [Nat.add_comm]; exact Nat.add_le_add c1 Nat.le.refl)
  have e_field : Decode.field s.half s.half
      (pack s.stride n (fun j => lifted s (u j) - lowered s (l j) + (2 ^ s.half - 1))) (ones s.stride n) =
      pack s.stride n (apart s l u) := by
    refine Eq.trans (Decode.field_pack (b := s.stride)
      (w := fun j => lifted s (u j) - lowered s (l j) + (2 ^ s.half - 1)) (Natural.le_of_eq rfl) stride
      (fun j hj => Nat.le_trans (apart_small small (h j hj)) two)) (pack_congr fun j hj => ?_)
    have one := apart_le (l := l) small (h j hj)
    exact Natural.mod_eq_self (Nat.le_trans (Nat.succ_le_succ one) (Natural.two_pow_le c1))
  have le : Columns.added n (apart s l u) ≤ n :=
    Columns.added_le n (apart s l u) fun j hj => apart_le small (h j hj)
  unfold differing
  simp only [force_eq]
  rw [e_low, e_span, e_sum, e_field]
  refine Columns.added_eq (Nat.le_trans (Nat.succ_le_succ le) (Nat.le_of_succ_le_succ ?_))
  show n + 1 + 1 ≤ 2 ^ s.stride - 1 + 1
  rw [Natural.mask_succ]; exact room

/-- How many products of a row may be other than 0, where the first `n` columns read consecutive slots and
    there is one position; otherwise as many as there are columns. -/
def products (s : Scale) (a : Affine) (n start read : Nat) (columns : List Column) : Nat :=
  force (fun first => Bool.casesOn (motive := fun _ => Nat)
      (both (both (Nat.ble 1 n) (Nat.beq a.positions 1))
        (both (both (Nat.ble n a.columns) (Nat.ble (Nat.add n 2) (Nat.pow 2 s.stride)))
          (both (Nat.ble (Nat.add first n) start) (Dense.consecutive n first a.sources))))
      a.columns
      (Nat.add (differing s n (Nat.land (Nat.shiftRight read (Nat.mul s.stride first))
          (Nat.sub (Nat.pow 2 (Nat.mul s.stride n)) 1)))
        (Columns.filled (Dense.drop n columns))))
    (Nat.land a.sources (Nat.sub (Nat.pow 2 32) 1))

/-- **Few products.** No row has more products other than 0 than `products` counts. -/
theorem products_few {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding} {n start : Nat}
    {l u : Nat → Nat} {lanes : List (List Column)}
    (hu : 0 < s.unit)
    (c1 : 1 ≤ s.half)
    (small : s.top < 2 ^ s.half)
    (held : LanesHold a d 0 lanes)
    (hw : ∀ i, i < start → l i ≤ u i ∧ u i ≤ s.top ∧ Within s (l i) (u i) (slots i))
    (below : ∀ i, i < a.columns * a.positions → word a.sources i < start) :
    ∀ position row, position < a.positions → row < a.rows → Few (a.terms slots position row)
      (products s a n start
        (pack s.stride start (fun i => Memory.directWord s (lowered s (l i)) (lifted s (u i))))
        (Columns.flatten lanes)) := by
  intro position row hp hr
  have hlen := (Columns.decoded_weighing (K := K) held).1
  unfold products
  rw [force_eq]
  cases c : both (both (Nat.ble 1 n) (Nat.beq a.positions 1))
        (both (both (Nat.ble n a.columns) (Nat.ble (Nat.add n 2) (Nat.pow 2 s.stride)))
          (both (Nat.ble (Nat.add (Nat.land a.sources (Nat.sub (Nat.pow 2 32) 1)) n) start)
            (Dense.consecutive n (Nat.land a.sources (Nat.sub (Nat.pow 2 32) 1)) a.sources))) with
  | false => exact (Few.all _).mono (Natural.le_of_eq (length_terms a slots position row))
  | true =>
    obtain ⟨c0, c⟩ := both_true c
    have one := Nat.eq_of_beq_eq_true (both_true c0).2
    obtain ⟨c2, c⟩ := both_true c
    have n_le := Nat.le_of_ble_eq_true (both_true c2).1
    have room : n + 2 ≤ 2 ^ s.stride := Nat.le_of_ble_eq_true (both_true c2).2
    obtain ⟨c3, c4⟩ := both_true c
    have reads := Dense.consecutive_sound _ _ _ c4
    have inside := Nat.le_of_ble_eq_true c3
    generalize Nat.land a.sources (Nat.sub (Nat.pow 2 32) 1) = first at *
    have inside : first + n ≤ start := inside
    have zero : position = 0 := by
      rw [one] at hp
      exact Natural.eq_zero_of_lt_one hp
    subst zero
    have index : ∀ k, a.columns * 0 + k = k := fun k => Nat.zero_add k
    have alive_le : ∀ j, cond (Nat.ble start j) 0 (apart s l u j) ≤ 1 := fun j => by
      cases Natural.le_or_lt start j with
      | inl g => rw [Nat.ble_eq_true_of_le g]; exact Nat.zero_le 1
      | inr g => rw [Memory.ble_false_of_lt g]; exact apart_le small (hw j g).2.1
    have few := Columns.decoded_few (slots := slots) (position := 0) (i := row) held
      (alive := fun j => cond (Nat.ble start j) 0 (apart s l u j)) hr (fun k hk => by
        have lt := below (a.columns * 0 + k) (by rw [index, one, Natural.mul_one]; exact hk)
        rw [Memory.ble_false_of_lt lt]
        exact apart_or_zero hu (hw _ lt).2.2)
    have within : ∀ j, j < n → first + j < start := fun j hj =>
      Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := first)) hj) inside
    have lower : ∀ i, i < start → lowered s (l i) < 2 ^ s.half := fun i _ =>
      Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (lowered_le s (l i)).2 (Nat.le_add_right _ _))) small
    have upper : ∀ i, i < start → lifted s (u i) < 2 ^ s.half := fun i hi =>
      Nat.le_trans (Nat.succ_le_succ (lifted_le (hw i hi).2.1)) small
    refine few.mono (Nat.le_trans (Columns.live_take n _ _ (by rw [hlen]; exact n_le)) ?_)
    refine Nat.add_le_add ?_ (Columns.live_le_filled alive_le _ _)
    have segment : Nat.land (Nat.shiftRight
          (pack s.stride start (fun i => Memory.directWord s (lowered s (l i)) (lifted s (u i))))
          (Nat.mul s.stride first)) (Nat.sub (Nat.pow 2 (Nat.mul s.stride n)) 1) =
        pack s.stride n
          (fun j => Memory.directWord s (lowered s (l (first + j))) (lifted s (u (first + j)))) :=
      Dense.segment (b := s.stride) (f := fun i => Memory.directWord s (lowered s (l i)) (lifted s (u i)))
        inside (fun i hi => Memory.halves_lt (lower i hi) (upper i hi))
    rw [segment]
    rw [differing_eq (l := fun j => l (first + j)) (u := fun j => u (first + j)) c1 small
      (fun j hj => (hw _ (within j hj)).2.1) room]
    refine Natural.le_of_eq (Columns.added_congr fun k hk => ?_)
    rw [index, reads k hk, Memory.ble_false_of_lt (within k hk)]; rfl
end Affine
end PytestTorchLean
