prelude
import PytestTorchLean.Check.Forward.BendColumns
/-!
# Forms through a ReLU

The lower form is multiplied by a slope between 0 and 1. The upper form is replaced by a line over it that
lies above the ReLU wherever the form can reach; slope and offset come from how far it reaches and from the
bounds of the memory. Every slope is valid: which one is taken is computed here, so that a certificate need
not hold any.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural

/-! ### What is computed -/

/-- How far the upper forms reach from their constants, rounded up, in fixed point. -/
def radius (s : Scale) (fraction n : Nat) (columns : List Memory) (magnitudes : List Nat) : Nat :=
  Nat.add (Decode.field fraction (Nat.sub s.stride fraction)
      (radiusOf (fun c : Memory =>
            distances s.stride n s.half (uppers s n c.direct) (Nat.mul s.center (ones s.stride n))) columns
          magnitudes) (ones s.stride n))
    (ones s.stride n)
/-- The slopes of the upper lines, from how far the values reach below 0 and above. -/
def chords (s : Scale) (slope n negative positive : Nat) : Nat :=
  Nat.add (quotients s.stride n (Nat.sub s.stride 1) (Nat.add (Nat.add negative positive) (ones s.stride n))
      slope positive 0)
    (bitsAt s.stride n (Nat.sub s.stride 1)
      (Nat.sub (Nat.mul (Nat.pow 2 (Nat.sub s.stride 1)) (ones s.stride n)) negative))
/-- The slopes of the lower lines: 1 where the lower form's constant is not negative, otherwise 0. -/
def floors (s : Scale) (slope n constant : Nat) : Nat :=
  Nat.mul (Nat.pow 2 slope)
    (bitsAt s.stride n (Nat.sub s.stride 1)
      (Nat.sub (Nat.add (Nat.mul (Nat.pow 2 (Nat.sub s.stride 1)) (ones s.stride n)) (lowers s n constant))
        (Nat.mul s.center (ones s.stride n))))
/-- The offsets of the upper lines: large enough at both ends. -/
def offsets (s : Scale) (slope n negative positive upper : Nat) : Nat :=
  Decode.field slope (Nat.sub s.stride slope)
    (Nat.add (larger s.stride n (Nat.sub s.stride 1)
        (Matrix.multiply s.stride n (Nat.succ slope) negative upper)
        (Matrix.multiply s.stride n (Nat.succ slope) positive
          (Nat.sub (Nat.mul (Nat.pow 2 slope) (ones s.stride n)) upper)))
      (Nat.mul (Nat.sub (Nat.pow 2 slope) 1) (ones s.stride n))) (ones s.stride n)

/-- The forms after a ReLU. `negative` and `positive` say how far the memory lets the values reach below 0 and
    above. -/
def bend (s : Scale) (slope fraction n negative positive : Nat) (magnitudes : List Nat) (constant : Memory)
    (columns : List Memory) (next : Memory → List Memory → Bool) : Bool :=
  force (fun step => force (fun center => force (fun reach =>
          force (fun top => force (fun down => force (fun up => force (fun upper => force (fun slopes =>
          force (fun offset =>
              both (Nat.ble step s.center) (bendWith s slope n step slopes offset constant columns next))
        (offsets s slope n down up upper))
        (Nat.add (floors s slope n constant.direct) (Nat.mul (Nat.pow 2 s.half) upper)))
        (chords s slope n down up))
        (smaller s.stride n (Nat.sub s.stride 1)
            (Vector.difference s.stride n (Nat.sub s.stride 1) (Nat.add top reach) center) positive))
        (smaller s.stride n (Nat.sub s.stride 1)
            (Vector.difference s.stride n (Nat.sub s.stride 1) (Nat.add center reach) top) negative))
        (uppers s n constant.direct))
        (radius s fraction n columns magnitudes))
        (Nat.mul s.center (ones s.stride n)))
    (Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction)))

/-- The conditions on the numbers of a leaf, decided once per leaf. -/
def roomy (s : Scale) (slope fraction : Nat) (magnitudes : List Nat) : Bool :=
  both (Nat.ble (Nat.succ slope) s.half)
    (both (Nat.ble (Nat.succ (Nat.mul s.top (Nat.pow 2 slope))) (Nat.pow 2 s.half))
      (both (Nat.ble (Nat.succ (Nat.add (Nat.mul 3 s.top) 3)) (Nat.pow 2 (Nat.sub s.half 1)))
        (both (Nat.ble fraction s.stride)
          (Nat.ble (Nat.succ (Nat.add (Nat.mul s.top (Nat.succ (total magnitudes))) 1))
            (Nat.pow 2 (Nat.sub s.stride 1))))))

/-! ### What the digits say -/

structure Roomy (s : Scale) (slope fraction : Nat) (magnitudes : List Nat) : Prop where
  bits : slope + 1 ≤ s.half
  tilt : s.top * 2 ^ slope < 2 ^ s.half
  top : 3 * s.top + 3 < 2 ^ (s.half - 1)
  places : fraction ≤ s.stride
  reach : s.top * (totalOf magnitudes + 1) + 1 < 2 ^ (s.stride - 1)
theorem roomy_sound {s : Scale} {slope fraction : Nat} {magnitudes : List Nat}
    (h : roomy s slope fraction magnitudes = true) :
    Roomy s slope fraction magnitudes := by
  obtain ⟨h1, h⟩ := both_true h
  obtain ⟨h2, h⟩ := both_true h
  obtain ⟨h3, h⟩ := both_true h
  obtain ⟨h4, h5⟩ := both_true h
  have h5 : s.top * (total magnitudes + 1) + 1 < 2 ^ (s.stride - 1) := Nat.le_of_ble_eq_true h5
  rw [total_eq] at h5
  exact ⟨Nat.le_of_ble_eq_true h1, Nat.le_of_ble_eq_true h2, Nat.le_of_ble_eq_true h3,
      Nat.le_of_ble_eq_true h4, h5⟩

namespace Roomy
variable {s : Scale} {slope fraction : Nat} {magnitudes : List Nat}
theorem half (r : Roomy s slope fraction magnitudes) : 0 < s.half :=
  Nat.le_trans (Nat.succ_le_succ (Nat.zero_le _)) r.bits
theorem guard (r : Roomy s slope fraction magnitudes) : s.half - 1 + 1 = s.half := Natural.succ_pred r.half
theorem stride (r : Roomy s slope fraction magnitudes) : 0 < s.stride :=
  Nat.le_trans r.half (Nat.le_add_right _ _)
theorem guard2 (r : Roomy s slope fraction magnitudes) : s.stride - 1 + 1 = s.stride :=
  Natural.succ_pred r.stride
theorem top_lt (r : Roomy s slope fraction magnitudes) : s.top < 2 ^ (s.half - 1) :=
  Natural.lt_of_le_of_lt (Nat.le_trans (Natural.le_of_eq (Natural.one_mul _).symm)
      (Nat.le_trans (Nat.mul_le_mul (Nat.succ_le_succ (Nat.zero_le 2)) Nat.le.refl) (Nat.le_add_right _ 3)))
    r.top
theorem top_half (r : Roomy s slope fraction magnitudes) : s.top < 2 ^ s.half :=
  Natural.lt_of_lt_of_le r.top_lt (Natural.two_pow_le (Natural.sub_le _ 1))
theorem half_le (r : Roomy s slope fraction magnitudes) : 2 ^ s.half ≤ 2 ^ (s.stride - 1) := by
  refine Natural.two_pow_le ?_
  refine Nat.le_of_succ_le_succ ?_
  show s.half + 1 ≤ s.stride - 1 + 1
  rw [r.guard2]
  exact Nat.add_le_add Nat.le.refl r.half
theorem tilt_lt (r : Roomy s slope fraction magnitudes) {x : Nat} (h : x ≤ s.top * 2 ^ slope) :
    x < 2 ^ (s.stride - 1) :=
  Natural.lt_of_lt_of_le (Natural.lt_of_le_of_lt h r.tilt) r.half_le
theorem center_top (s : Scale) : s.center ≤ s.top := Nat.le_add_right _ _
end Roomy

theorem paired_sound {s : Scale} {slope fraction n : Nat} {magnitudes : List Nat} {l u : Nat → Nat}
    {next : Memory → Bool}
    (r : Roomy s slope fraction magnitudes)
    (hd : ∀ i, i < n → l i < 2 ^ (s.half - 1) ∧ u i < 2 ^ (s.half - 1))
    (h : paired s n (pack s.stride n (fun i => Memory.directWord s (l i) (u i))) next = true) :
    ∃ c, Holds s n c ⟨l, u⟩ ∧ next c = true := by
  obtain ⟨top, h⟩ := Rows.mirror_digits r.guard r.top_lt hd h
  exact ⟨_, ⟨rfl, rfl, top⟩, h⟩

theorem radius_eq {s : Scale} {slope fraction n : Nat} {magnitudes : List Nat}
    (r : Roomy s slope fraction magnitudes)
    {columns : List Memory} {bands : List Band} (h : Paired (Holds s n) columns bands) :
    radius s fraction n columns magnitudes =
    pack s.stride n
      (fun i => reachOf (fun b => apart (b.upper i) s.center) bands magnitudes / 2 ^ fraction + 1) := by
  have small : ∀ {x : Nat}, x ≤ s.top → x < 2 ^ s.half := fun h => Natural.lt_of_le_of_lt h r.top_half
  have each : ∀ c band, Holds s n c band →
    distances s.stride n s.half (uppers s n c.direct) (Nat.mul s.center (ones s.stride n)) =
      pack s.stride n (fun i => apart (band.upper i) s.center) := fun c band hc => by
    obtain ⟨h1, _, h3⟩ := hc
    have e : uppers s n c.direct = pack s.stride n band.upper := by
      rw [h1]; exact uppers_eq r.half (fun i hi => small (h3 i hi).1) (fun i hi => small (h3 i hi).2)
    have c : Nat.mul s.center (ones s.stride n) = pack s.stride n (fun _ => s.center) :=
      mul_ones r.stride n s.center
    rw [e, c]
    exact distances_eq (Nat.add_le_add Nat.le.refl r.half) (fun i hi => small (h3 i hi).2)
      (fun i _ => small (Roomy.center_top s))
  unfold radius
  rw [radiusOf_eq (g := fun band i => apart (band.upper i) s.center) each columns bands magnitudes h]
  have bound : ∀ i,
      i < n → reachOf (fun b => apart (b.upper i) s.center) bands magnitudes < 2 ^ s.stride := fun i hi => by
    have le := reachOf_le (g := fun b => apart (b.upper i) s.center) (c := s.top) bands magnitudes
      (Paired.every (fun _ b hb => apart_le (hb.2.2 i hi).2 (Roomy.center_top s)) columns bands h)
    refine Natural.lt_of_le_of_lt le
      (Natural.lt_of_lt_of_le (Natural.lt_of_le_of_lt ?_ r.reach) (Natural.two_pow_le (Natural.sub_le _ 1)))
    exact Nat.le_trans (Nat.mul_le_mul Nat.le.refl (Nat.le_add_right _ 1)) (Nat.le_add_right _ 1)
  have whole : fraction + (s.stride - fraction) = s.stride := by
    rw [Nat.add_comm]
    exact Natural.sub_add_cancel r.places
  have cut := Decode.field_pack (b := s.stride) (m := n) (j := fraction) (k := s.stride - fraction)
    (Natural.le_of_eq whole) r.stride bound
  have cut : Decode.field fraction (Nat.sub s.stride fraction)
      (pack s.stride n fun i => reachOf (fun b => apart (b.upper i) s.center) bands magnitudes)
      (ones s.stride n) = _ := cut
  rw [cut, ones_eq r.stride]
  show pack s.stride n _ + pack s.stride n _ = _
  rw [← pack_add]
  refine pack_congr fun i hi => ?_
  rw [Natural.mod_eq_self]
  refine Natural.div_lt (Natural.two_pow_pos fraction) ?_
  rw [← Natural.pow_add, whole]; exact bound i hi

theorem chords_eq {s : Scale} (stride : 0 < s.stride) (slope n negative positive : Nat) :
    ∃ a : Nat → Nat, chords s slope n negative positive = pack s.stride n a ∧ ∀ i, a i ≤ 2 ^ slope := by
  obtain ⟨a, e, ha⟩ := quotients_digits stride n (Nat.sub s.stride 1)
    (Nat.add (Nat.add negative positive) (ones s.stride n)) slope positive 0 (fun _ => 0) (pack_zero _ _).symm
  obtain ⟨f, e', hf⟩ := bitsAt_eq stride n (Nat.sub s.stride 1)
    (Nat.sub (Nat.mul (Nat.pow 2 (Nat.sub s.stride 1)) (ones s.stride n)) negative)
  refine ⟨fun i => a i + f i, ?_, fun i => ?_⟩
  · unfold chords
    rw [e, e']
    exact (pack_add _ _ _ _).symm
  · have z := ha i
    rw [Nat.zero_add, Natural.mul_one] at z
    exact Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := a i)) (hf i)) z
theorem floors_eq {s : Scale} (stride : 0 < s.stride) (slope n constant : Nat) :
    ∃ a : Nat → Nat, floors s slope n constant = pack s.stride n a ∧ ∀ i, a i ≤ 2 ^ slope := by
  obtain ⟨f, e, hf⟩ := bitsAt_eq stride n (Nat.sub s.stride 1)
    (Nat.sub (Nat.add (Nat.mul (Nat.pow 2 (Nat.sub s.stride 1)) (ones s.stride n)) (lowers s n constant))
      (Nat.mul s.center (ones s.stride n)))
  refine ⟨fun i => 2 ^ slope * f i, ?_, fun i => ?_⟩
  · unfold floors
    rw [e]
    exact (pack_mul _ _ _ _).symm
  · have z := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ slope)) (hf i)
    rw [Natural.mul_one] at z; exact z

theorem offsets_eq {s : Scale} {slope fraction n : Nat} {magnitudes : List Nat}
    (r : Roomy s slope fraction magnitudes)
    {d p a : Nat → Nat}
    (hd : ∀ i, i < n → d i ≤ s.center ∧ p i ≤ s.center)
    (ha : ∀ i, i < n → a i ≤ 2 ^ slope) :
    ∃ m : Nat → Nat, offsets s slope n (pack s.stride n d) (pack s.stride n p) (pack s.stride n a) =
        pack s.stride n m ∧
      ∀ i, i < n →
        m i ≤ s.center + 1 ∧ a i * d i ≤ 2 ^ slope * m i ∧ (2 ^ slope - a i) * p i ≤ 2 ^ slope * m i := by
  have pos := Natural.two_pow_pos slope
  have next : ∀ {y : Nat}, y ≤ 2 ^ slope → y < 2 ^ (slope + 1) := fun h => Natural.lt_of_le_of_lt h (by
    rw [Natural.pow_succ, Natural.two_mul]; exact Nat.add_le_add (Nat.le.refl (n := 2 ^ slope)) pos)
  have center : ∀ {x : Nat}, x ≤ s.center → x < 2 ^ s.stride := fun h =>
    Natural.lt_of_le_of_lt h
      (Natural.lt_of_le_of_lt (Roomy.center_top s)
        (Natural.lt_of_lt_of_le r.top_half (Natural.two_pow_le (Nat.le_add_right _ _))))
  have wide : slope + 1 ≤ s.stride := Nat.le_trans r.bits (Nat.le_add_right _ _)
  have product : ∀ (x v : Nat → Nat), (∀ i, i < n → x i ≤ s.center) → (∀ i, i < n → v i ≤ 2 ^ slope) →
      Matrix.multiply s.stride n (Nat.succ slope) (pack s.stride n x) (pack s.stride n v) =
          pack s.stride n (fun i => x i * v i) := fun x v hx hv =>
    Matrix.multiply_eq r.stride wide (fun i hi => center (hx i hi)) (fun i hi => next (hv i hi))
  have complement : Nat.sub (Nat.mul (Nat.pow 2 slope) (ones s.stride n)) (pack s.stride n a) =
      pack s.stride n (fun i => 2 ^ slope - a i) := by
    show 2 ^ slope * ones s.stride n - _ = _
    rw [mul_ones r.stride, ← pack_sub ha]
  have bounded : ∀ (x v : Nat),
    x ≤ s.center → v ≤ 2 ^ slope → x * v ≤ s.center * 2 ^ slope := fun x v hx hv => Nat.mul_le_mul hx hv
  have short : ∀ {x : Nat}, x ≤ s.center * 2 ^ slope → x < 2 ^ (s.stride - 1) := fun h =>
    r.tilt_lt (Nat.le_trans h (Nat.mul_le_mul (Roomy.center_top s) Nat.le.refl))
  have large := larger_eq (b := s.stride) (n := n) (v := s.stride - 1) (f := fun i => d i * a i)
    (g := fun i => p i * (2 ^ slope - a i)) (Natural.le_of_eq r.guard2)
    (fun i hi => short (bounded _ _ (hd i hi).1 (ha i hi)))
    (fun i hi => short (bounded _ _ (hd i hi).2 (Natural.sub_le _ _)))
  have whole : slope + (s.stride - slope) = s.stride := by
    rw [Nat.add_comm]
    exact Natural.sub_add_cancel (Nat.le_trans (Nat.le_add_right _ 1) wide)
  have limit : ∀ i, i < n → most (d i * a i) (p i * (2 ^ slope - a i)) ≤ s.center * 2 ^ slope := fun i hi =>
    most_le (bounded _ _ (hd i hi).1 (ha i hi)) (bounded _ _ (hd i hi).2 (Natural.sub_le _ _))
  have raised : ∀ i, i < n →
      most (d i * a i) (p i * (2 ^ slope - a i)) + (2 ^ slope - 1) < 2 ^ slope * (s.center + 1) :=
      fun i hi => by
    rw [Nat.mul_succ, Nat.mul_comm (2 ^ slope) s.center]
    show _ + (2 ^ slope - 1) + 1 ≤ _
    rw [Nat.add_assoc, Natural.mask_succ]
    exact Nat.add_le_add (limit i hi) Nat.le.refl
  have fits : s.center + 1 ≤ 2 ^ (s.stride - slope) := by
    have a : s.center * 2 ^ slope + 2 ^ slope ≤ s.top * 2 ^ slope + 2 ^ slope :=
      Nat.add_le_add (Nat.mul_le_mul (Roomy.center_top s) Nat.le.refl) Nat.le.refl
    have half_slope : 2 ^ slope ≤ 2 ^ s.half :=
      Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ 1) r.bits)
    have b : s.top * 2 ^ slope + 2 ^ slope ≤ 2 ^ s.half + 2 ^ s.half :=
      Nat.add_le_add (Natural.le_of_lt r.tilt) half_slope
    have c : 2 ^ s.half + 2 ^ s.half ≤ 2 ^ s.stride := by
      rw [← Natural.two_mul, ← Natural.pow_succ]
      exact Natural.two_pow_le (Nat.add_le_add Nat.le.refl r.half)
    have e : 2 ^ slope * (s.center + 1) ≤ 2 ^ slope * 2 ^ (s.stride - slope) := by
      rw [← Natural.pow_add, whole, Nat.mul_succ, Nat.mul_comm]
      exact Nat.le_trans a (Nat.le_trans b c)
    cases Natural.le_or_lt (s.center + 1) (2 ^ (s.stride - slope)) with
    | inl g => exact g
    | inr g => exact absurd e (Nat.not_le_of_lt (Natural.mul_lt_mul_left pos g))
  have cut := Decode.field_pack (b := s.stride) (m := n) (j := slope) (k := s.stride - slope)
    (w := fun i => most (d i * a i) (p i * (2 ^ slope - a i)) + (2 ^ slope - 1)) (Natural.le_of_eq whole)
      r.stride (fun i hi => by
      rw [← whole, Natural.pow_add]
      exact Natural.lt_of_lt_of_le (raised i hi) (Nat.mul_le_mul Nat.le.refl fits))
  refine
    ⟨fun i => (most (d i * a i) (p i * (2 ^ slope - a i)) + (2 ^ slope - 1)) / 2 ^ slope, ?_, fun i hi => ?_⟩
  · unfold offsets
    rw [product d a (fun i hi => (hd i hi).1) ha, complement,
        product p _ (fun i hi => (hd i hi).2) (fun i _ => Natural.sub_le _ _)]
    have large : larger s.stride n (Nat.sub s.stride 1) (pack s.stride n fun i => d i * a i)
        (pack s.stride n fun i => p i * (2 ^ slope - a i)) = _ := large
    rw [large]
    have sum : Nat.add (pack s.stride n (fun i => most (d i * a i) (p i * (2 ^ slope - a i))))
      (Nat.mul (Nat.sub (Nat.pow 2 slope) 1) (ones s.stride n)) =
        pack s.stride n (fun i => most (d i * a i) (p i * (2 ^ slope - a i)) + (2 ^ slope - 1)) := by
      show _ + (2 ^ slope - 1) * ones s.stride n = _
      rw [mul_ones r.stride, ← pack_add]
    rw [sum]
    refine Eq.trans cut (pack_congr fun i hi => ?_)
    exact Natural.mod_eq_self (Natural.lt_of_lt_of_le (Natural.div_lt pos (raised i hi)) fits)
  · have ceiling : most (d i * a i) (p i * (2 ^ slope - a i)) ≤
        2 ^ slope * ((most (d i * a i) (p i * (2 ^ slope - a i)) + (2 ^ slope - 1)) / 2 ^ slope) := by
      have z := Rows.lt_mul_div (most (d i * a i) (p i * (2 ^ slope - a i)) + (2 ^ slope - 1)) (2 ^ slope) pos
      exact Nat.le_of_add_le_add_right _ z
    refine ⟨Nat.le_of_succ_le_succ ?_, ?_, ?_⟩
    · exact Nat.le_trans (Natural.div_lt pos (raised i hi)) (Nat.le_add_right _ 1)
    · rw [Nat.mul_comm (a i)]; exact Nat.le_trans (most_left _ _) ceiling
    · rw [Nat.mul_comm (2 ^ slope - a i)]; exact Nat.le_trans (most_right _ _) ceiling

end Forward
end PytestTorchLean
