prelude
import PytestTorchLean.Check.Box
import PytestTorchLean.Check.Clauses
/-!
# Deciding a property from bounds

`Direct` bounds the property's forms over the slots they name. `Composed` first substitutes the last
affine node into them, so that a margin `y_c - y_k` becomes one row of weight differences, formed here
from the file's own weights: far tighter than two separate bounds.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- `mass < low` (`strict`), or `mass ≤ low` -/
def Exceeds (strict : Bool) (mass low : Nat) : Prop :=
  match strict with
  | true => mass < low
  | false => mass ≤ low

/-- The low half of a row's bounds exceeds its offset (`strict`), or is not below it. -/
def rowPositive (s : Scale) (strict : Bool) (bounds mass : Nat) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) strict
    (Nat.ble mass (Nat.land bounds (Nat.sub (Nat.pow 2 s.half) 1)))
    (Nat.ble (Nat.succ mass) (Nat.land bounds (Nat.sub (Nat.pow 2 s.half) 1)))

theorem rowPositive_sound {s : Scale} {strict : Bool} {low high mass : Nat} (hl : low < 2 ^ s.half)
    (h : rowPositive s strict (low + 2 ^ s.half * high) mass = true) : Exceeds strict mass low := by
  have e : Nat.land (low + 2 ^ s.half * high) (Nat.sub (Nat.pow 2 s.half) 1) = low := by
    show Nat.land (low + 2 ^ s.half * high) (2 ^ s.half - 1) = low
    rw [land_low, Natural.add_mul_mod _ hl]
  unfold rowPositive at h
  rw [e] at h
  cases strict with
  | true => exact Nat.le_of_ble_eq_true h
  | false => exact Nat.le_of_ble_eq_true h

/-- Of every clause, one row's lower bound is positive (`strict`), or not negative. -/
def clausesPositive (s : Scale) (b : Nat) (strict : Bool) (alternatives rows bounds mass : Nat) : Bool :=
  Clauses.run b (rowPositive s strict) alternatives rows bounds mass

theorem clausesPositive_sound {s : Scale} {p : Property} {slots : Nat → K} {b : Nat}
    {low high mass : Nat → Nat}
    (hb : s.half + s.half ≤ b)
    (hd : ∀ i, i < p.forms.rows → low i < 2 ^ s.half ∧ high i < 2 ^ s.half ∧ mass i < 2 ^ b)
    (signs :
      ∀ i, i < p.forms.rows → Exceeds p.strict (mass i) (low i) → Signed p.strict (p.forms.form slots 0 i))
    (h : clausesPositive s b p.strict p.alternatives p.forms.rows
      (pack b p.forms.rows (fun i => low i + 2 ^ s.half * high i)) (pack b p.forms.rows mass) = true) :
    p.Holds slots :=
  Property.holds_of_clauses (test := fun i => rowPositive s p.strict (low i + 2 ^ s.half * high i) (mass i))
    (Clauses.run_sound (fun i hi =>
      ⟨Nat.le_trans (Memory.halves_lt (hd i hi).1 (hd i hi).2.1) (Natural.two_pow_le hb), (hd i hi).2.2⟩) h)
    (fun i hi g => signs i hi (rowPositive_sound (hd i hi).1 g))

theorem pos_of_natural_mul {n : Nat} (hn : 0 < n) {x : K} (h : 0 < natural n * x) : 0 < x := by
  intro g
  have a := mul_le_left (natural_nonneg (K := K) n) g
  rw [mul_zero] at a
  exact h a
theorem nonneg_of_natural_mul {n : Nat} (hn : 0 < n) {x : K} (h : 0 ≤ natural n * x) : 0 ≤ x := by
  refine Rows.cancel hn ?_
  rw [mul_zero]; exact h
theorem natural_mul_pos {n : Nat} (hn : 0 < n) {x : K} (h : 0 < x) : 0 < natural n * x := by
  intro g
  refine h (Rows.cancel hn ?_)
  rw [mul_zero]; exact g

theorem signed_mul {strict : Bool} {n : Nat} (hn : 0 < n) {x : K} (h : Signed strict x) :
    Signed strict (natural n * x) := by
  cases strict with
  | true => exact natural_mul_pos hn h
  | false => exact mul_nonneg (natural_nonneg n) h
theorem signed_of_mul {strict : Bool} {n : Nat} (hn : 0 < n) {x : K} (h : Signed strict (natural n * x)) :
    Signed strict x := by
  cases strict with
  | true => exact pos_of_natural_mul hn h
  | false => exact nonneg_of_natural_mul hn h

/-- A positive low half is a positive row. -/
theorem signed_of_bracket {strict : Bool} {unit low mass : Nat} (hu : 0 < unit) {c : K}
    (h : natural low ≤ natural unit * c + natural mass)
    (g : Exceeds strict mass low) : Signed strict c := by
  refine signed_of_mul hu ?_
  cases strict with
  | true =>
    intro k
    have g : mass + 1 ≤ low := g
    have a := natural_le (K := K) g
    rw [natural_succ] at a
    have b := add_nonneg (add_nonneg (sub_nonneg a) (sub_nonneg h)) (sub_nonneg k)
    have e : natural low - (natural mass + 1) + (natural unit * c + natural mass - natural low) +
          (0 - natural unit * c) = (-1 : K) :=
      (ring3 K l m x, l - (m + 1) + (x + m - l) + (0 - x), -1) (natural low) (natural mass) (natural unit * c)
    rw [e] at b
    exact one_not_le (le_cert ((ring1 K x, x - 1, x + -1) (0 : K)) (by rw [zero_add]; exact b))
  | false =>
    have g : mass ≤ low := g
    have b := add_nonneg (sub_nonneg (natural_le (K := K) g)) (sub_nonneg h)
    refine le_cert ?_ b
    exact (ring3 K l m x, x - 0, l - m + (x + m - l)) (natural low) (natural mass) (natural unit * c)

namespace Direct
/-- The forms over the slots they name, from the bounds of all `count` slots. -/
def run [Prepared] (s : Scale) (p : Property) (d : Decoding) (direct mirrored count : Nat) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => both (Nat.beq p.forms.positions 1) (both (Affine.fits s p.forms d count)
      (force (fun bounds => force (fun mass =>
                clausesPositive s (32 * p.forms.lanes) p.strict p.alternatives p.forms.rows bounds mass)
              (s.center * (Prepared.summed p.forms d lanes).masses))
            (Dense.apply Prepared.longest s.stride (32 * p.forms.lanes * p.forms.rows) direct mirrored count
              p.forms.columns (Prepared.summed p.forms d lanes).columns p.forms.sources))))
    (Prepared.columns p.forms d)

/-- Bounds of the slots that the property reads bound its rows: if those pass the test, it holds. -/
theorem run_sound [Prepared] {s : Scale} {slots : Nat → K} {p : Property} {d : Decoding}
    {direct mirrored count : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (h : run s p d direct mirrored count = true) :
    p.Holds slots := by
  unfold run at h
  rw [Prepared.columns_eq] at h
  cases hd : decode p.forms d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
    rw [hd] at h
    obtain ⟨hone, h⟩ := both_true h
    obtain ⟨hf, h⟩ := both_true h
    simp only [force_eq, Prepared.summed_eq _ _ _ hd, summed] at h
    obtain ⟨f1, hf⟩ := both_true hf
    obtain ⟨f2, hf⟩ := both_true hf
    obtain ⟨f3, hf⟩ := both_true hf
    obtain ⟨f4, hf⟩ := both_true hf
    obtain ⟨f5, f6⟩ := both_true hf
    have f1 := Nat.le_of_ble_eq_true f1
    have hone := Nat.eq_of_beq_eq_true hone
    obtain ⟨hlen, ds, hp, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
    have below := wordsBelow_sound count _ _ f6
    rw [hone, Natural.mul_one] at below
    obtain ⟨lo, hi, e1, e2, hq⟩ :=
      Linear.apply_columns sf hm hp (by rw [hlen]; exact below) (by rw [hlen]; exact Nat.le_of_ble_eq_true f5)
    have reach : Linear.reach s (2 ^ d.bits) (Columns.flatten lanes).length < 2 ^ s.half := by
      rw [hlen]
      exact Nat.le_of_ble_eq_true f5
    have d1 := Dense.apply_eq (longest := Prepared.longest) (sources := p.forms.sources) sf hm hp reach f1
    rw [hlen] at d1
    rw [d1, e1, e2] at h
    have half_le : 2 ^ s.half ≤ 2 ^ (32 * p.forms.lanes) :=
      Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ _) f1)
    refine clausesPositive_sound f1
      (fun i hi' => ⟨(hq i hi').1, (hq i hi').2.1, Nat.le_trans (hq i hi').2.2.1 half_le⟩) ?_ h
    intro row hrow positive
    have sg := signed_of_bracket (K := K) sf.unit (hq row hrow).2.2.2.2.1 positive
    have m := signed_mul (Natural.two_pow_pos (d.base - 1)) sg
    have f := hform slots 0 row hrow
    have e : (fun k => word p.forms.sources (p.forms.columns * 0 + k)) = word p.forms.sources :=
        funext fun k => by
      show word p.forms.sources (0 + k) = _; rw [Nat.zero_add]
    rw [e] at f
    rw [f] at m
    exact m
end Direct
end PytestTorchLean
