prelude
import PytestTorchLean.Check.Forward.Bend
/-!
# A noise symbol for every undecided ReLU

Forms with noise symbols, as in affine arithmetic and zonotopes. A ReLU's value is its line through the value before,
plus what it misses. Where that is not decided it becomes a deviation of its own, known by its magnitude alone, on
which all later values depend linearly: what two of them share still cancels behind the next layers. Both lines of a
value have the same slope, so that lower and upper forms differ by roundings only.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-! ### What is computed -/

/-- How far the lower forms reach from their constants, rounded up, in fixed point. -/
def radiusBelow (s : Scale) (fraction n : Nat) (columns : List Memory) (magnitudes : List Nat) : Nat :=
  Nat.add (Decode.field fraction (Nat.sub s.stride fraction)
      (radiusOf (fun c : Memory => distances s.stride n s.half (lowers s n c.direct) (Nat.mul s.center (ones s.stride n))) columns magnitudes) (ones s.stride n))
    (ones s.stride n)

/-- A column and a magnitude for each of the first `count` values that may miss its line. `misses` holds by how much, the
    magnitudes have `slope` bits more; the column is `2^place` for the value itself and 0 for all others. -/
def symbols (s : Scale) (slope place n misses : Nat) (next : List Memory → List Nat → Bool) (count : Nat) : List Memory → List Nat → Bool :=
  Nat.rec (motive := fun _ => List Memory → List Nat → Bool) next
    (fun k rest columns magnitudes => force (fun w => force (fun direct => paired s n direct fun c =>
        rest (Bool.rec (motive := fun _ => List Memory) (c :: columns) columns (Nat.beq w 0)) (Bool.rec (motive := fun _ => List Nat) (w :: magnitudes) magnitudes (Nat.beq w 0)))
      (Nat.mul (Nat.succ (Nat.pow 2 s.half)) (Nat.add (Nat.mul s.center (ones s.stride n)) (Nat.mul (Nat.pow 2 place) (Nat.pow 2 (Nat.mul s.stride k))))))
      (Nat.mul (Nat.pow 2 slope) (Nat.land (Nat.shiftRight misses (Nat.mul s.stride k)) (Nat.sub (Nat.pow 2 s.stride) 1)))) count

/-- The forms after a ReLU, with the magnitudes of all deviations. `negative` and `positive` as in `bend`. -/
def bendWithSymbols (s : Scale) (slope fraction n negative positive : Nat) (magnitudes : List Nat) (constant : Memory) (columns : List Memory)
    (next : List Nat → Memory → List Memory → Bool) : Bool :=
  both (both (roomy s slope fraction magnitudes) (both (Nat.ble (Nat.succ slope) fraction) (Nat.ble (Nat.pow 2 fraction) s.center)))
    (force (fun step => force (fun center => force (fun bottom => force (fun top => force (fun down => force (fun up => force (fun slopes => force (fun misses => force (fun middle =>
            both (Nat.ble step s.center) (bendWith s slope n step (Nat.mul (Nat.succ (Nat.pow 2 s.half)) slopes) (ones s.stride n) constant columns fun constant' columns' =>
              force (fun direct => paired s n direct fun constant'' =>
                  symbols s slope (Nat.sub fraction (Nat.succ slope)) n misses (fun columns'' magnitudes' => next magnitudes' constant'' columns'') n columns' magnitudes)
                (Nat.add constant'.direct (Nat.mul (Nat.succ (Nat.pow 2 s.half)) middle))))
          (Decode.field 1 (Nat.sub s.stride 1) misses (ones s.stride n)))
          (offsets s slope n down up slopes))
          (chords s slope n down up))
          (smaller s.stride n (Nat.sub s.stride 1) (Vector.difference s.stride n (Nat.sub s.stride 1) (Nat.add top (radius s fraction n columns magnitudes)) center) positive))
          (smaller s.stride n (Nat.sub s.stride 1) (Vector.difference s.stride n (Nat.sub s.stride 1) (Nat.add center (radiusBelow s fraction n columns magnitudes)) bottom) negative))
          (uppers s n constant.direct))
          (lowers s n constant.direct))
          (Nat.mul s.center (ones s.stride n)))
      (Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction))))

/-! ### One value -/

/-- What a ReLU misses of its line, centered: twice the rest, less its largest value. -/
def missed (q a m x y : K) : K := (1 + 1) * (q * y - a * x) - q * m

theorem missed_atMost {q a m x y d p : K} (ha : 0 ≤ a) (haq : a ≤ q) (h : IsRelu x y) (low : -d ≤ x) (high : x ≤ p)
    (left : a * d ≤ q * m) (right : (q - a) * p ≤ q * m) : AtMost (missed q a m x y) (q * m) := by
  have rest : 0 ≤ q * y - a * x ∧ q * y - a * x ≤ q * m := by
    cases h with
    | inl h =>
      rw [h.2]
      have b1 := mul_nonneg (sub_nonneg haq) h.1
      have b2 := mul_nonneg (sub_nonneg haq) (sub_nonneg high)
      exact ⟨le_cert ((ring3 K q a x, q * x - a * x - 0, (q - a) * x) _ _ _) b1,
        le_cert ((ring5 K q a x p m, q * m - (q * x - a * x), (q - a) * (p - x) + (q * m - (q - a) * p)) _ _ _ _ _) (add_nonneg b2 (sub_nonneg right))⟩
    | inr h =>
      rw [h.2]
      have b1 := mul_nonneg ha (sub_nonneg h.1)
      have b2 := mul_nonneg ha (sub_nonneg low)
      exact ⟨le_cert ((ring3 K q a x, q * 0 - a * x - 0, a * (0 - x)) _ _ _) b1,
        le_cert ((ring5 K q a x d m, q * m - (q * 0 - a * x), a * (x - -d) + (q * m - a * d)) _ _ _ _ _) (add_nonneg b2 (sub_nonneg left))⟩
  have u := sub_nonneg rest.2
  have v := sub_nonneg rest.1
  unfold missed
  generalize q * y - a * x = t at *
  generalize q * m = w at *
  exact ⟨le_cert ((ring2 K t w, w - ((1 + 1) * t - w), (w - t) + (w - t)) _ _) (add_nonneg u u),
    le_cert ((ring2 K t w, w - -((1 + 1) * t - w), (t - 0) + (t - 0)) _ _) (add_nonneg v v)⟩

/-- The line with its symbol, by what the value before says of it. `g` is the symbol's coefficient, `h` half the offset. -/
theorem with_symbol (q a g m h x y : K) :
    q * (q * (g + g) * y - q * (g + g) * h - g * missed q a m x y) = a * (q * (g + g) * x) + q * (q * (g * (m - (h + h)))) := by
  unfold missed
  exact (ring8 K q a g m h x y z, q * (q * (g + g) * y - q * (g + g) * h - g * ((1 + 1) * (q * y - a * x) - q * m)), a * (q * (g + g) * x) + q * (q * (g * (m - (h + h))))) q a g m h x y 0

/-! ### All values -/

theorem indicator_same (i : Nat) : Matrix.indicator i i = 1 := by unfold Matrix.indicator; rw [Nat.beq_refl]; rfl
theorem indicator_other {k i : Nat} (h : k ≠ i) : Matrix.indicator k i = 0 := by
  unfold Matrix.indicator
  cases e : Nat.beq k i with
  | true => exact absurd (Nat.eq_of_beq_eq_true e) h
  | false => rfl
theorem indicator_le (k i : Nat) : Matrix.indicator k i ≤ 1 := by
  unfold Matrix.indicator
  cases Nat.beq k i with
  | true => exact Nat.le.refl
  | false => exact Nat.zero_le 1

/-- The coefficients of the symbol of value `k`. -/
def symbolBand (s : Scale) (place k : Nat) : Band :=
  ⟨fun i => s.center + 2 ^ place * Matrix.indicator k i, fun i => s.center + 2 ^ place * Matrix.indicator k i⟩
theorem symbol_same (s : Scale) (place i : Nat) : (natural (s.center + 2 ^ place * Matrix.indicator i i) - natural s.center : K) = natural (2 ^ place) := by
  rw [indicator_same, Natural.mul_one, natural_add]
  exact (ring2 K c t, c + t - c, t) _ _
theorem symbol_other (s : Scale) (place : Nat) {k i : Nat} (h : k ≠ i) : (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center : K) = 0 := by
  rw [indicator_other h, Nat.mul_zero]
  exact add_neg' _

/-- The column of a symbol, built and checked. -/
theorem symbol_column {s : Scale} {slope fraction n place k : Nat} {magnitudes : List Nat} {next : Memory → Bool} (r : Roomy s slope fraction magnitudes) (point : 2 ^ place ≤ s.center) (hk : k < n)
    (h : paired s n (Nat.mul (Nat.succ (Nat.pow 2 s.half)) (Nat.add (Nat.mul s.center (ones s.stride n)) (Nat.mul (Nat.pow 2 place) (Nat.pow 2 (Nat.mul s.stride k))))) next = true) :
    ∃ c, Holds s n c (symbolBand s place k) ∧ next c = true := by
  have e : Nat.mul (Nat.succ (Nat.pow 2 s.half)) (Nat.add (Nat.mul s.center (ones s.stride n)) (Nat.mul (Nat.pow 2 place) (Nat.pow 2 (Nat.mul s.stride k)))) =
      pack s.stride n (fun i => Memory.directWord s (s.center + 2 ^ place * Matrix.indicator k i) (s.center + 2 ^ place * Matrix.indicator k i)) := by
    have p : Nat.pow 2 (Nat.mul s.stride k) = pack s.stride n (Matrix.indicator k) := (Matrix.pack_indicator s.stride k n hk).symm
    rw [p]
    show (2 ^ s.half + 1) * (s.center * ones s.stride n + 2 ^ place * pack s.stride n (Matrix.indicator k)) = _
    rw [mul_ones r.stride, ← pack_mul, ← pack_add, ← pack_mul]
    refine pack_congr fun i _ => ?_
    show (2 ^ s.half + 1) * _ = _ + 2 ^ s.half * _
    rw [Nat.succ_mul, Nat.add_comm]
  rw [e] at h
  have small : ∀ i, s.center + 2 ^ place * Matrix.indicator k i < 2 ^ (s.half - 1) := fun i => by
    refine Natural.lt_of_le_of_lt ?_ r.top_lt
    refine Nat.add_le_add (Nat.le.refl (n := s.center)) (Nat.le_trans ?_ point)
    have z := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ place)) (indicator_le k i)
    rw [Natural.mul_one] at z; exact z
  exact paired_sound r (fun i _ => ⟨small i, small i⟩) h

theorem atMost_zero {x : K} (h : AtMost x (natural 0)) : x = 0 :=
  le_antisymm h.1 (le_cert ((ring1 K x, x - 0, 0 - -x) x) (sub_nonneg (show -x ≤ 0 from h.2)))

/-- What the bands of the values before, and those of the symbols of the values from `count` on, say of a value. -/
def Sums (s : Scale) (place n count : Nat) (lows highs misses : Nat → K) (bands : List Band) (deviations : List K) : Prop :=
  ∀ i, i < n →
    (i < count → combined (fun b => natural (b.lower i) - natural s.center) bands deviations = lows i ∧
      combined (fun b => natural (b.upper i) - natural s.center) bands deviations = highs i) ∧
    (count ≤ i → combined (fun b => natural (b.lower i) - natural s.center) bands deviations = natural (2 ^ place) * misses i + lows i ∧
      combined (fun b => natural (b.upper i) - natural s.center) bands deviations = natural (2 ^ place) * misses i + highs i)

theorem symbols_sound {s : Scale} {slope bits fraction n place : Nat} {before : List Nat} {m : Nat → Nat} {lows highs misses : Nat → K} {next : List Memory → List Nat → Bool}
    (r : Roomy s slope fraction before) (point : 2 ^ place ≤ s.center) (lt : ∀ i, i < n → m i < 2 ^ s.stride) (small : ∀ i, i < n → AtMost (misses i) (natural (2 ^ bits * m i))) :
    (count : Nat) → count ≤ n → (columns : List Memory) → (magnitudes : List Nat) → (bands : List Band) → (deviations : List K) → Paired (Holds s n) columns bands →
    Small magnitudes deviations → Sums s place n count lows highs misses bands deviations → symbols s bits place n (pack s.stride n m) next count columns magnitudes = true →
    ∃ columns' magnitudes' bands' deviations', Paired (Holds s n) columns' bands' ∧ Small magnitudes' deviations' ∧ Sums s place n 0 lows highs misses bands' deviations' ∧ next columns' magnitudes' = true := by
  intro count
  induction count with
  | zero =>
    intro _ columns magnitudes bands deviations hc hs sums h
    exact ⟨columns, magnitudes, bands, deviations, hc, hs, sums, h⟩
  | succ k smaller =>
    intro hk columns magnitudes bands deviations hc hs sums h
    have h : force (fun w => force (fun direct => paired s n direct fun c =>
        symbols s bits place n (pack s.stride n m) next k (Bool.rec (motive := fun _ => List Memory) (c :: columns) columns (Nat.beq w 0)) (Bool.rec (motive := fun _ => List Nat) (w :: magnitudes) magnitudes (Nat.beq w 0)))
      (Nat.mul (Nat.succ (Nat.pow 2 s.half)) (Nat.add (Nat.mul s.center (ones s.stride n)) (Nat.mul (Nat.pow 2 place) (Nat.pow 2 (Nat.mul s.stride k))))))
      (Nat.mul (Nat.pow 2 bits) (Nat.land (Nat.shiftRight (pack s.stride n m) (Nat.mul s.stride k)) (Nat.sub (Nat.pow 2 s.stride) 1))) = true := h
    rw [force_eq, force_eq] at h
    have ew : Nat.mul (Nat.pow 2 bits) (Nat.land (Nat.shiftRight (pack s.stride n m) (Nat.mul s.stride k)) (Nat.sub (Nat.pow 2 s.stride) 1)) = 2 ^ bits * m k := by
      show 2 ^ bits * Nat.land (Nat.shiftRight (pack s.stride n m) (s.stride * k)) (2 ^ s.stride - 1) = _
      rw [digit_eq, digit_pack lt hk]
    rw [ew] at h
    obtain ⟨c, hcol, h⟩ := symbol_column r point hk h
    cases hz : Nat.beq (2 ^ bits * m k) 0 with
    | true =>
      rw [hz] at h
      refine smaller (Nat.le_of_lt hk) columns magnitudes bands deviations hc hs (fun i hi => ⟨fun g => (sums i hi).1 (Nat.le.step g), fun g => ?_⟩) h
      cases Natural.le_or_lt i k with
      | inl e =>
        have e := Nat.le_antisymm g e
        subst e
        have none := small k hk
        rw [Nat.eq_of_beq_eq_true hz] at none
        have z := (sums k hi).1 Nat.le.refl
        rw [z.1, z.2, atMost_zero none]
        exact ⟨(ring2 K t l, l, t * 0 + l) _ _, (ring2 K t l, l, t * 0 + l) _ _⟩
      | inr g => exact (sums i hi).2 g
    | false =>
      rw [hz] at h
      refine smaller (Nat.le_of_lt hk) (c :: columns) (2 ^ bits * m k :: magnitudes) (symbolBand s place k :: bands) (misses k :: deviations) ⟨hcol, hc⟩
        ⟨small k hk, hs⟩ (fun i hi => ?_) h
      show (i < k → (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center) * misses k + _ = _ ∧ (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center) * misses k + _ = _) ∧
        (k ≤ i → (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center) * misses k + _ = _ ∧ (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center) * misses k + _ = _)
      refine ⟨fun g => ?_, fun g => ?_⟩
      · have z := (sums i hi).1 (Nat.le.step g)
        rw [symbol_other s place (fun e => by rw [e] at g; exact Natural.lt_irreflexive i g), z.1, z.2]
        exact ⟨(ring2 K d l, 0 * d + l, l) _ _, (ring2 K d l, 0 * d + l, l) _ _⟩
      · cases Natural.le_or_lt i k with
        | inl e =>
          have e := Nat.le_antisymm g e
          subst e
          have z := (sums k hi).1 Nat.le.refl
          rw [symbol_same, z.1, z.2]
          exact ⟨rfl, rfl⟩
        | inr g =>
          have z := (sums i hi).2 g
          rw [symbol_other s place (fun e => by rw [e] at g; exact Natural.lt_irreflexive i g), z.1, z.2]
          exact ⟨(ring2 K d l, 0 * d + l, l) _ _, (ring2 K d l, 0 * d + l, l) _ _⟩

theorem radiusBelow_eq {s : Scale} {slope fraction n : Nat} {magnitudes : List Nat} (r : Roomy s slope fraction magnitudes) {columns : List Memory} {bands : List Band}
    (h : Paired (Holds s n) columns bands) :
    radiusBelow s fraction n columns magnitudes = pack s.stride n (fun i => reachOf (fun b => apart (b.lower i) s.center) bands magnitudes / 2 ^ fraction + 1) := by
  have small : ∀ {x : Nat}, x ≤ s.top → x < 2 ^ s.half := fun h => Natural.lt_of_le_of_lt h r.top_half
  have each : ∀ c band, Holds s n c band → distances s.stride n s.half (lowers s n c.direct) (Nat.mul s.center (ones s.stride n)) =
      pack s.stride n (fun i => apart (band.lower i) s.center) := fun c band hc => by
    obtain ⟨h1, _, h3⟩ := hc
    have e : lowers s n c.direct = pack s.stride n band.lower := by
      rw [h1]; exact lowers_eq r.half (fun i hi => small (h3 i hi).1) (fun i hi => small (h3 i hi).2)
    have c : Nat.mul s.center (ones s.stride n) = pack s.stride n (fun _ => s.center) := mul_ones r.stride n s.center
    rw [e, c]
    exact distances_eq (Nat.add_le_add Nat.le.refl r.half) (fun i hi => small (h3 i hi).1) (fun i _ => small (Roomy.center_top s))
  unfold radiusBelow
  rw [radiusOf_eq (g := fun band i => apart (band.lower i) s.center) each columns bands magnitudes h]
  have bound : ∀ i, i < n → reachOf (fun b => apart (b.lower i) s.center) bands magnitudes < 2 ^ s.stride := fun i hi => by
    have le := reachOf_le (g := fun b => apart (b.lower i) s.center) (c := s.top) bands magnitudes
      (Paired.every (fun _ b hb => apart_le (hb.2.2 i hi).1 (Roomy.center_top s)) columns bands h)
    refine Natural.lt_of_le_of_lt le (Natural.lt_of_lt_of_le (Natural.lt_of_le_of_lt ?_ r.reach) (Natural.two_pow_le (Natural.sub_le _ 1)))
    exact Nat.le_trans (Nat.mul_le_mul Nat.le.refl (Nat.le_add_right _ 1)) (Nat.le_add_right _ 1)
  have whole : fraction + (s.stride - fraction) = s.stride := by rw [Nat.add_comm]; exact Natural.sub_add_cancel r.places
  have cut := Decode.field_pack (b := s.stride) (m := n) (j := fraction) (k := s.stride - fraction) (Natural.le_of_eq whole) r.stride bound
  have cut : Decode.field fraction (Nat.sub s.stride fraction) (pack s.stride n fun i => reachOf (fun b => apart (b.lower i) s.center) bands magnitudes) (ones s.stride n) = _ := cut
  rw [cut, ones_eq r.stride]
  show pack s.stride n _ + pack s.stride n _ = _
  rw [← pack_add]
  refine pack_congr fun i hi => ?_
  rw [Natural.mod_eq_self]
  refine Natural.div_lt (Natural.two_pow_pos fraction) ?_
  rw [← Natural.pow_add, whole]; exact bound i hi

/-- A form reaches as far as its coefficients and the magnitudes of the deviations say. -/
theorem reach_of {s : Scale} (side : Band → Nat) {bands : List Band} {magnitudes : List Nat} {deviations : List K} (small : Small magnitudes deviations) :
    AtMost (combined (fun b => (natural (side b) : K) - natural s.center) bands deviations) (natural (reachOf (fun b => apart (side b) s.center) bands magnitudes)) :=
  combined_atMost bands magnitudes deviations small (every_of (fun b => by
    unfold apart
    rw [natural_add]
    have u1 := Rows.sub_ge (K := K) (side b) s.center
    have u2 := Rows.sub_ge (K := K) s.center (side b)
    have n1 := natural_nonneg (K := K) (side b - s.center)
    have n2 := natural_nonneg (K := K) (s.center - side b)
    exact ⟨le_cert ((ring4 K u c a b, a + b - (u - c), (a - (u - c)) + b) _ _ _ _) (add_nonneg (sub_nonneg u1) n2),
      le_cert ((ring4 K u c a b, a + b - -(u - c), (b - (c - u)) + a) _ _ _ _) (add_nonneg (sub_nonneg u2) n1)⟩) bands)

theorem raised_halves (S l u h : Nat) : l + S * u + (S + 1) * h = l + h + S * (u + h) := by
  rw [Nat.succ_mul, Nat.mul_add]
  simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

theorem half_digits {b n : Nat} {m : Nat → Nat} (hb : 0 < b) (hm : ∀ i, i < n → m i < 2 ^ b) :
    Decode.field 1 (Nat.sub b 1) (pack b n m) (ones b n) = pack b n (fun i => m i / 2) := by
  have whole : 1 + (b - 1) = b := by rw [Nat.add_comm]; exact Natural.succ_pred hb
  have cut := Decode.field_pack (b := b) (m := n) (j := 1) (k := b - 1) (Natural.le_of_eq whole) hb hm
  refine Eq.trans cut (pack_congr fun i hi => ?_)
  show m i / 2 ^ 1 % 2 ^ (b - 1) = m i / 2
  refine Natural.mod_eq_self (Natural.div_lt (Natural.two_pow_pos 1) ?_)
  rw [← Natural.pow_add, whole]; exact hm i hi

theorem bendWithSymbols_sound {s : Scale} {slope fraction n negative positive : Nat} {magnitudes : List Nat} {deviations : List K} {x y : Nat → K} {constant : Memory} {columns : List Memory}
    {next : List Nat → Memory → List Memory → Bool} (hx : Enclosed s (2 ^ fraction) n magnitudes deviations x constant columns)
    (reaches : Reaches s n negative positive x) (relu : ∀ i, i < n → IsRelu (x i) (y i))
    (h : bendWithSymbols s slope fraction n negative positive magnitudes constant columns next = true) :
    ∃ magnitudes' deviations' constant' columns', Enclosed s (2 ^ fraction) n magnitudes' (deviations' : List K) y constant' columns' ∧ next magnitudes' constant' columns' = true := by
  obtain ⟨⟨band, bands, hc, hb, forms⟩, small⟩ := hx
  obtain ⟨d, p, ed, ep, hr⟩ := reaches
  unfold bendWithSymbols at h
  obtain ⟨conditions, h⟩ := both_true h
  obtain ⟨r, conditions⟩ := both_true conditions
  obtain ⟨places, point⟩ := both_true conditions
  have r := roomy_sound r
  have places : slope + 1 ≤ fraction := Nat.le_of_ble_eq_true places
  have point : 2 ^ fraction ≤ s.center := Nat.le_of_ble_eq_true point
  simp only [force_eq] at h
  obtain ⟨hstep, h⟩ := both_true h
  have hstep := Nat.le_of_ble_eq_true hstep
  have half_lt : ∀ {x : Nat}, x ≤ s.top → x < 2 ^ s.half := fun h => Natural.lt_of_le_of_lt h r.top_half
  have e_up : uppers s n constant.direct = pack s.stride n band.upper := by
    rw [hc.1]; exact uppers_eq r.half (fun i hi => half_lt (hc.2.2 i hi).1) (fun i hi => half_lt (hc.2.2 i hi).2)
  have e_low : lowers s n constant.direct = pack s.stride n band.lower := by
    rw [hc.1]; exact lowers_eq r.half (fun i hi => half_lt (hc.2.2 i hi).1) (fun i hi => half_lt (hc.2.2 i hi).2)
  have e_center : Nat.mul s.center (ones s.stride n) = pack s.stride n (fun _ => s.center) := mul_ones r.stride n s.center
  have reach_le : ∀ (side : Band → Nat → Nat), (∀ b : Band, (∀ i, i < n → b.lower i ≤ s.top ∧ b.upper i ≤ s.top) → ∀ i, i < n → side b i ≤ s.top) → ∀ i, i < n →
      reachOf (fun b => apart (side b i) s.center) bands magnitudes / 2 ^ fraction ≤ s.top * totalOf magnitudes := fun side hside i hi =>
    Nat.le_trans (Nat.le_trans (Natural.le_of_eq (Natural.one_mul _).symm) (Nat.le_trans (Nat.mul_le_mul (Natural.two_pow_pos fraction) Nat.le.refl)
      (Rows.mul_div_le _ _ (Natural.two_pow_pos fraction))))
      (reachOf_le (g := fun b => apart (side b i) s.center) bands magnitudes (Paired.every (fun _ b hb => apart_le (hside b hb.2.2 i hi) (Roomy.center_top s)) columns bands hb))
  rw [radius_eq r hb, radiusBelow_eq r hb, e_up, e_low, e_center, ed, ep] at h
  generalize hR : (fun i => reachOf (fun b => apart (b.upper i) s.center) bands magnitudes / 2 ^ fraction + 1) = R at *
  generalize hQ : (fun i => reachOf (fun b => apart (b.lower i) s.center) bands magnitudes / 2 ^ fraction + 1) = Q at *
  have hR' : ∀ i, R i = reachOf (fun b => apart (b.upper i) s.center) bands magnitudes / 2 ^ fraction + 1 := fun i => by rw [← hR]
  have hQ' : ∀ i, Q i = reachOf (fun b => apart (b.lower i) s.center) bands magnitudes / 2 ^ fraction + 1 := fun i => by rw [← hQ]
  have fit : ∀ w, w ≤ s.top * totalOf magnitudes → ∀ z, z ≤ s.top → z + (w + 1) < 2 ^ (s.stride - 1) := fun w hw z hz => by
    refine Natural.lt_of_le_of_lt ?_ r.reach
    rw [Nat.mul_succ, ← Nat.add_assoc, Nat.add_comm z]
    exact Nat.succ_le_succ (Nat.add_le_add hw hz)
  have room : ∀ i, i < n → ∀ z, z ≤ s.top → z + R i < 2 ^ (s.stride - 1) := fun i hi z hz => by
    rw [hR' i]; exact fit _ (reach_le (fun b => b.upper) (fun b hb i hi => (hb i hi).2) i hi) z hz
  have room' : ∀ i, i < n → ∀ z, z ≤ s.top → z + Q i < 2 ^ (s.stride - 1) := fun i hi z hz => by
    rw [hQ' i]; exact fit _ (reach_le (fun b => b.lower) (fun b hb i hi => (hb i hi).1) i hi) z hz
  have lt : ∀ {z : Nat}, z ≤ s.top → z < 2 ^ (s.stride - 1) := fun hz => Natural.lt_of_lt_of_le (half_lt hz) r.half_le
  have v := Natural.le_of_eq r.guard2
  have sum1 : Nat.add (pack s.stride n (fun _ => s.center)) (pack s.stride n Q) = pack s.stride n (fun i => s.center + Q i) := (pack_add _ _ _ _).symm
  have sum2 : Nat.add (pack s.stride n band.upper) (pack s.stride n R) = pack s.stride n (fun i => band.upper i + R i) := (pack_add _ _ _ _).symm
  have dif1 : Vector.difference s.stride n (Nat.sub s.stride 1) (pack s.stride n (fun i => s.center + Q i)) (pack s.stride n band.lower) = _ :=
    Vector.difference_eq v (fun i hi => room' i hi _ (Roomy.center_top s)) (fun i hi => lt (hc.2.2 i hi).1)
  have dif2 : Vector.difference s.stride n (Nat.sub s.stride 1) (pack s.stride n (fun i => band.upper i + R i)) (pack s.stride n (fun _ => s.center)) = _ :=
    Vector.difference_eq v (fun i hi => room i hi _ (hc.2.2 i hi).2) (fun i _ => lt (Roomy.center_top s))
  have center_lt : ∀ {z : Nat}, z ≤ s.center → z < 2 ^ (s.stride - 1) := fun hz => lt (Nat.le_trans hz (Roomy.center_top s))
  have min1 : smaller s.stride n (Nat.sub s.stride 1) (pack s.stride n (fun i => s.center + Q i - band.lower i)) (pack s.stride n d) = _ :=
    smaller_eq v (fun i hi => Natural.lt_of_le_of_lt (Natural.sub_le _ _) (room' i hi _ (Roomy.center_top s))) (fun i hi => center_lt (hr i hi).1)
  have min2 : smaller s.stride n (Nat.sub s.stride 1) (pack s.stride n (fun i => band.upper i + R i - s.center)) (pack s.stride n p) = _ :=
    smaller_eq v (fun i hi => Natural.lt_of_le_of_lt (Natural.sub_le _ _) (room i hi _ (hc.2.2 i hi).2)) (fun i hi => center_lt (hr i hi).2.1)
  rw [sum1, sum2, dif1, dif2, min1, min2] at h
  obtain ⟨a, ea, ha⟩ := chords_eq r.stride slope n (pack s.stride n (fun i => least (s.center + Q i - band.lower i) (d i))) (pack s.stride n (fun i => least (band.upper i + R i - s.center) (p i)))
  rw [ea] at h
  obtain ⟨m, em, hm⟩ := offsets_eq (d := fun i => least (s.center + Q i - band.lower i) (d i)) (p := fun i => least (band.upper i + R i - s.center) (p i)) (a := a) r
    (fun i hi => ⟨Nat.le_trans (least_right _ _) (hr i hi).1, Nat.le_trans (least_right _ _) (hr i hi).2.1⟩) (fun i _ => ha i)
  rw [em] at h
  have m_lt : ∀ i, i < n → m i < 2 ^ s.stride := fun i hi => by
    refine Natural.lt_of_le_of_lt (hm i hi).1 (Natural.lt_of_lt_of_le (Natural.lt_of_le_of_lt ?_ r.top) (Natural.two_pow_le (Nat.le_trans (Natural.sub_le _ 1) (Nat.le_add_right _ _))))
    refine Nat.le_trans (Nat.succ_le_succ (Roomy.center_top s)) ?_
    show s.top + 1 ≤ _
    refine Nat.add_le_add (Nat.le_trans (Natural.le_of_eq (Natural.one_mul _).symm) (Nat.mul_le_mul (Nat.succ_le_succ (Nat.zero_le 2)) Nat.le.refl)) (Nat.succ_le_succ (Nat.zero_le 2))
  rw [half_digits r.stride m_lt] at h
  have words : Nat.mul (Nat.succ (Nat.pow 2 s.half)) (pack s.stride n a) = pack s.stride n (fun i => a i + 2 ^ s.half * a i) := by
    show (2 ^ s.half + 1) * pack s.stride n a = _
    rw [← pack_mul]
    refine pack_congr fun i _ => ?_
    rw [Nat.succ_mul, Nat.add_comm]
  rw [words, ones_eq r.stride, total_eq] at h
  have hstep : totalOf magnitudes / 2 ^ fraction + 1 ≤ s.center := by rw [total_eq] at hstep; exact hstep
  have pos_center : 1 ≤ s.center + 1 := Nat.succ_le_succ (Nat.zero_le _)
  obtain ⟨constant', columns', k1, k2, k3, h⟩ := bendWith_sound r hc hb hstep (fun i _ => ⟨ha i, ha i⟩) (fun i _ => pos_center) h
  -- the constants, raised by half of what the ReLU may miss
  have raise : Nat.add constant'.direct (Nat.mul (Nat.succ (Nat.pow 2 s.half)) (pack s.stride n (fun i => m i / 2))) = pack s.stride n (fun i => Memory.directWord s
      (tilt s.center slope (band.lower i) (a i) - (totalOf magnitudes / 2 ^ fraction + 1) + m i / 2) (tilt s.center slope (band.upper i) (a i) + (1 + (totalOf magnitudes / 2 ^ fraction + 1 + 1)) + m i / 2)) := by
    rw [k1.1]
    show pack s.stride n _ + (2 ^ s.half + 1) * pack s.stride n _ = _
    rw [← pack_mul, ← pack_add]
    refine pack_congr fun i _ => ?_
    exact raised_halves (2 ^ s.half) _ _ (m i / 2)
  have half_m : ∀ i, i < n → m i / 2 ≤ s.center + 1 := fun i hi => by
    refine Nat.le_trans ?_ (hm i hi).1
    have z := Rows.mul_div_le (m i) 2 (Nat.succ_le_succ (Nat.zero_le 1))
    rw [Natural.two_mul] at z
    exact Nat.le_trans (Nat.le_add_right _ _) z
  have tops : ∀ {w z : Nat}, w ≤ s.top → z ≤ s.center + 1 → w + z < 2 ^ (s.half - 1) := fun hw hz => by
    refine Natural.lt_of_le_of_lt (Nat.add_le_add hw (Nat.le_trans hz (Nat.succ_le_succ (Roomy.center_top s)))) (Natural.lt_of_le_of_lt ?_ r.top)
    have three : 3 * s.top = s.top + (s.top + s.top) := by
      show (2 + 1) * s.top = _
      rw [Nat.succ_mul, Natural.two_mul, Nat.add_assoc]
    rw [three]
    show s.top + (s.top + 1) ≤ _
    rw [← Nat.add_assoc s.top s.top s.top, ← Nat.add_assoc s.top s.top 1]
    exact Nat.add_le_add (Nat.le_add_right _ _) (Nat.succ_le_succ (Nat.zero_le 2))
  rw [raise] at h
  obtain ⟨constant'', j1, h⟩ := paired_sound r (fun i hi => ⟨tops (k1.2.2 i hi).1 (half_m i hi), tops (k1.2.2 i hi).2 (half_m i hi)⟩) h
  -- the symbols
  generalize hq : (natural (2 ^ slope) : K) = q at *
  have place_le : 2 ^ (fraction - (slope + 1)) ≤ s.center := Nat.le_trans (Natural.two_pow_le (Natural.sub_le _ _)) point
  have T0 := natural_nonneg (K := K) (2 ^ fraction)
  have bounds : ∀ i, i < n → -natural (least (s.center + Q i - band.lower i) (d i)) ≤ natural s.unit * x i ∧ natural s.unit * x i ≤ natural (least (band.upper i + R i - s.center) (p i)) := fun i hi => by
    obtain ⟨f1, f2⟩ := forms i hi
    obtain ⟨_, _, m1, m2⟩ := hr i hi
    have large : reachOf (fun b => apart (b.upper i) s.center) bands magnitudes ≤ 2 ^ fraction * R i := by rw [hR' i]; exact step_large _ _
    have large' : reachOf (fun b => apart (b.lower i) s.center) bands magnitudes ≤ 2 ^ fraction * Q i := by rw [hQ' i]; exact step_large _ _
    obtain ⟨w1, _⟩ := reach_within (c0 := natural (band.upper i) - natural s.center) large (reach_of (fun b => b.upper i) small)
    obtain ⟨_, w2⟩ := reach_within (c0 := natural (band.lower i) - natural s.center) large' (reach_of (fun b => b.lower i) small)
    constructor
    · cases least_cases (s.center + Q i - band.lower i) (d i) with
      | inl e =>
        rw [e]
        refine le_trans ?_ (Rows.cancel (Natural.two_pow_pos fraction) (le_trans w2 f1))
        have g := Rows.sub_ge (K := K) (s.center + Q i) (band.lower i)
        rw [natural_add] at g
        exact le_cert ((ring4 K l c r z, l - c - r - -z, z - (c + r - l)) _ _ _ _) (sub_nonneg g)
      | inr e => rw [e]; exact m1
    · cases least_cases (band.upper i + R i - s.center) (p i) with
      | inl e =>
        rw [e]
        refine le_trans (Rows.cancel (Natural.two_pow_pos fraction) (le_trans f2 w1)) ?_
        have g := Rows.sub_ge (K := K) (band.upper i + R i) s.center
        rw [natural_add] at g
        exact le_trans (le_of_eq ((ring3 K u c r, u - c + r, u + r - c) _ _ _)) g
      | inr e => rw [e]; exact m2
  have misses : ∀ i, i < n → AtMost (missed q (natural (a i)) (natural (m i)) (natural s.unit * x i) (natural s.unit * y i)) (natural (2 ^ slope * m i)) := fun i hi => by
    have left := natural_le (K := K) (hm i hi).2.1
    have right := natural_le (K := K) (hm i hi).2.2
    have le := natural_le (K := K) (ha i)
    rw [natural_mul, natural_mul] at left
    rw [natural_mul, natural_mul, Linear.natural_sub (ha i)] at right
    rw [natural_mul]
    rw [hq] at left right le ⊢
    exact missed_atMost (natural_nonneg _) le (isRelu_scaled (relu i hi) (natural_nonneg _)) (bounds i hi).1 (bounds i hi).2 left right
  obtain ⟨columns'', magnitudes', bands', deviations', c1, c2, c3, h⟩ := symbols_sound (next := fun columns'' magnitudes' => next magnitudes' constant'' columns'')
    (lows := fun i => combined (fun b => natural (tilt s.center slope (b.lower i) (a i)) - natural s.center) bands deviations)
    (highs := fun i => combined (fun b => natural (tilt s.center slope (b.upper i) (a i)) - natural s.center) bands deviations) r place_le m_lt misses n Nat.le.refl columns' magnitudes
    (mapped (fun b => ⟨fun i => tilt s.center slope (b.lower i) (a i), fun i => tilt s.center slope (b.upper i) (a i)⟩) bands) deviations k2 small
    (fun i hi => ⟨fun _ => ⟨combined_mapped _ _ _ _, combined_mapped _ _ _ _⟩, fun g => absurd hi (Nat.not_lt_of_le g)⟩) h
  refine ⟨magnitudes', deviations', constant'', columns'', ⟨⟨_, bands', j1, c1, fun i hi => ?_⟩, c2⟩, h⟩
  obtain ⟨f1, f2⟩ := forms i hi
  obtain ⟨s1, s2⟩ := (c3 i hi).2 (Nat.zero_le i)
  have s1 : combined (fun b => natural (b.lower i) - natural s.center) bands' deviations' =
      natural (2 ^ (fraction - (slope + 1))) * missed q (natural (a i)) (natural (m i)) (natural s.unit * x i) (natural s.unit * y i) +
        combined (fun b => natural (tilt s.center slope (b.lower i) (a i)) - natural s.center) bands deviations := s1
  have s2 : combined (fun b => natural (b.upper i) - natural s.center) bands' deviations' =
      natural (2 ^ (fraction - (slope + 1))) * missed q (natural (a i)) (natural (m i)) (natural s.unit * x i) (natural s.unit * y i) +
        combined (fun b => natural (tilt s.center slope (b.upper i) (a i)) - natural s.center) bands deviations := s2
  have enough : (natural (totalOf magnitudes) : K) ≤ natural (2 ^ fraction) * natural (totalOf magnitudes / 2 ^ fraction + 1) := by
    rw [← natural_mul]; exact natural_le (step_large _ _)
  -- the scale of the forms, by the symbols' coefficient
  have e_point : (natural (2 ^ fraction) : K) = q * (natural (2 ^ (fraction - (slope + 1))) + natural (2 ^ (fraction - (slope + 1)))) := by
    have e : 2 ^ fraction = 2 ^ slope * (2 ^ (fraction - (slope + 1)) + 2 ^ (fraction - (slope + 1))) := by
      rw [← Natural.two_mul, Nat.mul_comm 2, ← Nat.pow_succ, ← Natural.pow_add]
      refine congrArg (fun k => 2 ^ k) ?_
      show fraction = slope + (fraction - (slope + 1) + 1)
      rw [Nat.add_comm (fraction - (slope + 1)), ← Nat.add_assoc, Nat.add_comm (slope + 1)]
      exact (Natural.sub_add_cancel places).symm
    rw [e, natural_mul, natural_add, hq]
  have lower_half : (natural (m i / 2) : K) + natural (m i / 2) ≤ natural (m i) := by
    have z := natural_le (K := K) (Rows.mul_div_le (m i) 2 (Nat.succ_le_succ (Nat.zero_le 1)))
    rw [Natural.two_mul, natural_add] at z; exact z
  have upper_half : (natural (m i) : K) ≤ natural (m i / 2) + natural (m i / 2) + 1 := by
    have z := natural_le (K := K) (Rows.lt_mul_div (m i) 2 (Nat.succ_le_succ (Nat.zero_le 1)))
    have z : (natural (m i) : K) ≤ natural (2 * (m i / 2) + 1) := z
    rw [natural_succ, Natural.two_mul, natural_add] at z; exact z
  have g0 := natural_nonneg (K := K) (2 ^ (fraction - (slope + 1)))
  have q0 : 0 ≤ q := by rw [← hq]; exact natural_nonneg _
  have one0 : (0 : K) ≤ 1 := by
    have z := natural_nonneg (K := K) 1
    have e : (natural 1 : K) = 1 := by
      show natural (0 + 1) = _
      rw [natural_succ]; exact OrderedRing.zero_add 1
    rw [e] at z; exact z
  constructor
  · show (natural (tilt s.center slope (band.lower i) (a i) - (totalOf magnitudes / 2 ^ fraction + 1) + m i / 2) - natural s.center) * natural (2 ^ fraction) + _ ≤ _
    rw [s1, natural_add, Linear.natural_sub (k3 i hi)]
    have sum := tilted_sum (c := s.center) (bands := bands) (ha i) (fun b => b.lower i) small
    have bracket := (tilt_bracket (K := K) (c := s.center) (x := band.lower i) (ha i)).1
    rw [hq] at sum bracket
    unfold below at f1
    rw [e_point] at f1 enough T0 ⊢
    generalize natural s.unit * x i = X at *
    generalize natural s.unit * y i = Y at *
    generalize (natural (2 ^ (fraction - (slope + 1))) : K) = g at *
    have value := with_symbol q (natural (a i)) g (natural (m i)) (natural (m i / 2)) X Y
    have z := lower_tilt (bits := slope) (x := q * (g + g) * X) (y := q * (g + g) * Y - q * (g + g) * natural (m i / 2) - g * missed q (natural (a i)) (natural (m i)) X Y)
      hq (natural_nonneg (a i)) T0 bracket sum enough (by
        rw [value]
        refine le_cert ?_ (mul_nonneg q0 (mul_nonneg q0 (mul_nonneg g0 (sub_nonneg lower_half))))
        exact (ring2 K x y, x + y - x, y) _ _) f1
    refine le_cert ?_ (sub_nonneg z)
    exact (ring8 K T c r h l e Y t, T * Y - ((t - r + h - c) * T + (e + l)), T * Y - T * h - e - ((t - c - r) * T + l)) (q * (g + g)) (natural s.center) (natural (totalOf magnitudes / 2 ^ fraction + 1)) (natural (m i / 2)) _ _ Y _
  · show _ ≤ (natural (tilt s.center slope (band.upper i) (a i) + (1 + (totalOf magnitudes / 2 ^ fraction + 1 + 1)) + m i / 2) - natural s.center) * natural (2 ^ fraction) + _
    rw [s2, natural_add, natural_add (tilt s.center slope (band.upper i) (a i)), natural_add 1, natural_succ (totalOf magnitudes / 2 ^ fraction + 1)]
    have e_one : (natural 1 : K) = 1 := by
      show natural (0 + 1) = _
      rw [natural_succ]; exact OrderedRing.zero_add 1
    rw [e_one]
    have sum := tilted_sum (c := s.center) (bands := bands) (ha i) (fun b => b.upper i) small
    have bracket := (tilt_bracket (K := K) (c := s.center) (x := band.upper i) (ha i)).2
    rw [hq] at sum bracket
    unfold above at f2
    rw [e_point] at f2 enough T0 ⊢
    generalize natural s.unit * x i = X at *
    generalize natural s.unit * y i = Y at *
    generalize (natural (2 ^ (fraction - (slope + 1))) : K) = g at *
    have value := with_symbol q (natural (a i)) g (natural (m i)) (natural (m i / 2)) X Y
    have z := upper_tilt (bits := slope) (m := 1) (y := q * (g + g) * Y - q * (g + g) * natural (m i / 2) - g * missed q (natural (a i)) (natural (m i)) X Y)
      hq T0 bracket sum enough (by
        rw [value]
        have b1 := mul_nonneg (natural_nonneg (K := K) (a i)) (sub_nonneg f2)
        have b2 := mul_nonneg q0 (mul_nonneg q0 (mul_nonneg g0 (sub_nonneg upper_half)))
        have b3 := mul_nonneg q0 (mul_nonneg q0 g0)
        generalize (natural (band.upper i) - natural s.center) * (q * (g + g)) + combined (fun b => natural (b.upper i) - natural s.center) bands deviations = F at *
        refine le_cert ?_ (add_nonneg b1 (add_nonneg b2 b3))
        exact (ring8 K q a g m h X F z, a * F + q * (g + g) * (q * 1) - (a * (q * (g + g) * X) + q * (q * (g * (m - (h + h))))), a * (F - q * (g + g) * X) + (q * (q * (g * (h + h + 1 - m))) + q * (q * g))) q (natural (a i)) g (natural (m i)) (natural (m i / 2)) X F 0)
    refine le_cert ?_ (sub_nonneg z)
    exact (ring8 K T c r h l e Y t, (t + (1 + (r + 1)) + h - c) * T + (e + l) - T * Y, (t - c + (1 + (r + 1))) * T + l - (T * Y - T * h - e)) (q * (g + g)) (natural s.center) (natural (totalOf magnitudes / 2 ^ fraction + 1)) (natural (m i / 2)) _ _ Y _

end Forward
end PytestTorchLean
