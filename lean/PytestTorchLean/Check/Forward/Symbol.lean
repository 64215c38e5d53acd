prelude
import PytestTorchLean.Check.Forward.Bend
/-!
# A noise symbol for what one ReLU misses of its line

What is computed, and what one value's symbol and the columns of all symbols say.
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
      (radiusOf (fun c : Memory =>
            distances s.stride n s.half (lowers s n c.direct) (Nat.mul s.center (ones s.stride n))) columns
          magnitudes) (ones s.stride n))
    (ones s.stride n)

/-- A column and a magnitude for each of the first `count` values that may miss its line. `misses` holds by
    how much, the magnitudes have `slope` bits more; the column is `2^place` for the value itself and 0 for
    all others. -/
def symbols (s : Scale) (slope place n misses : Nat) (next : List Memory → List Nat → Bool) (count : Nat) :
    List Memory → List Nat → Bool :=
  Nat.rec (motive := fun _ => List Memory → List Nat → Bool) next
    (fun k rest columns magnitudes => force (fun w => force (fun direct => paired s n direct fun c =>
        rest (Bool.rec (motive := fun _ => List Memory) (c :: columns) columns (Nat.beq w 0))
          (Bool.rec (motive := fun _ => List Nat) (w :: magnitudes) magnitudes (Nat.beq w 0)))
      (Nat.mul (Nat.succ (Nat.pow 2 s.half))
          (Nat.add (Nat.mul s.center (ones s.stride n))
            (Nat.mul (Nat.pow 2 place) (Nat.pow 2 (Nat.mul s.stride k))))))
      (Nat.mul (Nat.pow 2 slope)
          (Nat.land (Nat.shiftRight misses (Nat.mul s.stride k)) (Nat.sub (Nat.pow 2 s.stride) 1)))) count

/-- The forms after a ReLU, with the magnitudes of all deviations. `negative` and `positive` as in `bend`. -/
def bendWithSymbols (s : Scale) (slope fraction n negative positive : Nat) (magnitudes : List Nat)
    (constant : Memory) (columns : List Memory) (next : List Nat → Memory → List Memory → Bool) : Bool :=
  both (both (roomy s slope fraction magnitudes)
      (both (Nat.ble (Nat.succ slope) fraction) (Nat.ble (Nat.pow 2 fraction) s.center)))
    (force (fun step => force (fun center => force (fun bottom => force
              (fun top => force
                (fun down => force (fun up => force (fun slopes => force (fun misses => force (fun middle =>
            both (Nat.ble step s.center)
              (bendWith s slope n step (Nat.mul (Nat.succ (Nat.pow 2 s.half)) slopes) (ones s.stride n)
                constant columns fun constant' columns' =>
              force (fun direct => paired s n direct fun constant'' =>
                  symbols s slope (Nat.sub fraction (Nat.succ slope)) n misses
                    (fun columns'' magnitudes' => next magnitudes' constant'' columns'') n columns'
                    magnitudes)
                (Nat.add constant'.direct (Nat.mul (Nat.succ (Nat.pow 2 s.half)) middle))))
          (Decode.field 1 (Nat.sub s.stride 1) misses (ones s.stride n)))
          (offsets s slope n down up slopes))
          (chords s slope n down up))
          (smaller s.stride n (Nat.sub s.stride 1)
              (Vector.difference s.stride n (Nat.sub s.stride 1)
                (Nat.add top (radius s fraction n columns magnitudes)) center) positive))
          (smaller s.stride n (Nat.sub s.stride 1)
              (Vector.difference s.stride n (Nat.sub s.stride 1)
                (Nat.add center (radiusBelow s fraction n columns magnitudes)) bottom) negative))
          (uppers s n constant.direct))
          (lowers s n constant.direct))
          (Nat.mul s.center (ones s.stride n)))
      (Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction))))

/-! ### One value -/

/-- What a ReLU misses of its line, centered: twice the rest, less its largest value. -/
def missed (q a m x y : K) : K := (1 + 1) * (q * y - a * x) - q * m

theorem missed_atMost {q a m x y d p : K} (ha : 0 ≤ a) (haq : a ≤ q) (h : IsRelu x y) (low : -d ≤ x)
    (high : x ≤ p) (left : a * d ≤ q * m) (right : (q - a) * p ≤ q * m) :
    AtMost (missed q a m x y) (q * m) := by
  have rest : 0 ≤ q * y - a * x ∧ q * y - a * x ≤ q * m := by
    cases h with
    | inl h =>
      rw [h.2]
      have b1 := mul_nonneg (sub_nonneg haq) h.1
      have b2 := mul_nonneg (sub_nonneg haq) (sub_nonneg high)
      exact ⟨le_cert ((ring3 K q a x, q * x - a * x - 0, (q - a) * x) _ _ _) b1,
        le_cert
          ((ring5 K q a x p m, q * m - (q * x - a * x), (q - a) * (p - x) + (q * m - (q - a) * p)) _ _ _ _ _)
          (add_nonneg b2 (sub_nonneg right))⟩
    | inr h =>
      rw [h.2]
      have b1 := mul_nonneg ha (sub_nonneg h.1)
      have b2 := mul_nonneg ha (sub_nonneg low)
      exact ⟨le_cert ((ring3 K q a x, q * 0 - a * x - 0, a * (0 - x)) _ _ _) b1,
        le_cert ((ring5 K q a x d m, q * m - (q * 0 - a * x), a * (x - -d) + (q * m - a * d)) _ _ _ _ _)
          (add_nonneg b2 (sub_nonneg left))⟩
  have u := sub_nonneg rest.2
  have v := sub_nonneg rest.1
  unfold missed
  generalize q * y - a * x = t at *
  generalize q * m = w at *
  exact ⟨le_cert ((ring2 K t w, w - ((1 + 1) * t - w), (w - t) + (w - t)) _ _) (add_nonneg u u),
    le_cert ((ring2 K t w, w - -((1 + 1) * t - w), (t - 0) + (t - 0)) _ _) (add_nonneg v v)⟩

/-- The line with its symbol, by what the value before says of it. `g` is the symbol's coefficient, `h` half
    the offset. -/
theorem with_symbol (q a g m h x y : K) :
    q * (q * (g + g) * y - q * (g + g) * h - g * missed q a m x y) =
    a * (q * (g + g) * x) + q * (q * (g * (m - (h + h)))) := by
  unfold missed
  exact (ring8 K q a g m h x y z,
      q * (q * (g + g) * y - q * (g + g) * h - g * ((1 + 1) * (q * y - a * x) - q * m)),
      a * (q * (g + g) * x) + q * (q * (g * (m - (h + h))))) q a g m h x y 0

/-! ### All values -/

theorem indicator_same (i : Nat) : Matrix.indicator i i = 1 := by
  unfold Matrix.indicator
  rw [Nat.beq_refl]
  rfl
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
theorem symbol_same (s : Scale) (place i : Nat) :
    (natural (s.center + 2 ^ place * Matrix.indicator i i) - natural s.center : K) = natural (2 ^ place) := by
  rw [indicator_same, Natural.mul_one, natural_add]
  exact (ring2 K c t, c + t - c, t) _ _
theorem symbol_other (s : Scale) (place : Nat) {k i : Nat} (h : k ≠ i) :
    (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center : K) = 0 := by
  rw [indicator_other h, Nat.mul_zero]
  exact add_neg' _

/-- The column of a symbol, built and checked. -/
theorem symbol_column {s : Scale} {slope fraction n place k : Nat} {magnitudes : List Nat}
    {next : Memory → Bool}
    (r : Roomy s slope fraction magnitudes)
    (point : 2 ^ place ≤ s.center)
    (hk : k < n)
    (h : paired s n (Nat.mul (Nat.succ (Nat.pow 2 s.half))
        (Nat.add (Nat.mul s.center (ones s.stride n))
          (Nat.mul (Nat.pow 2 place) (Nat.pow 2 (Nat.mul s.stride k))))) next = true) :
    ∃ c, Holds s n c (symbolBand s place k) ∧ next c = true := by
  have e : Nat.mul (Nat.succ (Nat.pow 2 s.half))
    (Nat.add (Nat.mul s.center (ones s.stride n))
      (Nat.mul (Nat.pow 2 place) (Nat.pow 2 (Nat.mul s.stride k)))) =
      pack s.stride n (fun i => Memory.directWord s (s.center + 2 ^ place * Matrix.indicator k i)
            (s.center + 2 ^ place * Matrix.indicator k i)) := by
    have p : Nat.pow 2 (Nat.mul s.stride k) = pack s.stride n (Matrix.indicator k) :=
      (Matrix.pack_indicator s.stride k n hk).symm
    rw [p]
    show (2 ^ s.half + 1) *
      (s.center * ones s.stride n + 2 ^ place * pack s.stride n (Matrix.indicator k)) = _
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

/-- What the bands of the values before, and those of the symbols of the values from `count` on, say of a
    value. -/
def Sums (s : Scale) (place n count : Nat) (lows highs misses : Nat → K) (bands : List Band)
    (deviations : List K) : Prop :=
  ∀ i, i < n →
    (i < count → combined (fun b => natural (b.lower i) - natural s.center) bands deviations = lows i ∧
      combined (fun b => natural (b.upper i) - natural s.center) bands deviations = highs i) ∧
    (count ≤ i →
        combined (fun b => natural (b.lower i) - natural s.center) bands deviations =
            natural (2 ^ place) * misses i + lows i ∧
          combined (fun b => natural (b.upper i) - natural s.center) bands deviations =
            natural (2 ^ place) * misses i + highs i)

theorem symbols_sound {s : Scale} {slope bits fraction n place : Nat} {before : List Nat} {m : Nat → Nat}
    {lows highs misses : Nat → K} {next : List Memory → List Nat → Bool}
    (r : Roomy s slope fraction before)
    (point : 2 ^ place ≤ s.center)
    (lt : ∀ i, i < n → m i < 2 ^ s.stride)
    (small : ∀ i, i < n → AtMost (misses i) (natural (2 ^ bits * m i))) :
    (count : Nat) → count ≤ n → (columns : List Memory) →
    (magnitudes : List Nat) → (bands : List Band) →
    (deviations : List K) → Paired (Holds s n) columns bands →
    Small magnitudes deviations → Sums s place n count lows highs misses bands deviations →
    symbols s bits place n (pack s.stride n m) next count columns magnitudes = true →
    ∃ columns' magnitudes' bands' deviations', Paired (Holds s n) columns' bands' ∧
      Small magnitudes' deviations' ∧
      Sums s place n 0 lows highs misses bands' deviations' ∧
      next columns' magnitudes' = true := by
  intro count
  induction count with
  | zero =>
    intro _ columns magnitudes bands deviations hc hs sums h
    exact ⟨columns, magnitudes, bands, deviations, hc, hs, sums, h⟩
  | succ k smaller =>
    intro hk columns magnitudes bands deviations hc hs sums h
    have h : force (fun w => force (fun direct => paired s n direct fun c =>
        symbols s bits place n (pack s.stride n m) next k
          (Bool.rec (motive := fun _ => List Memory) (c :: columns) columns (Nat.beq w 0))
          (Bool.rec (motive := fun _ => List Nat) (w :: magnitudes) magnitudes (Nat.beq w 0)))
      (Nat.mul (Nat.succ (Nat.pow 2 s.half))
          (Nat.add (Nat.mul s.center (ones s.stride n))
            (Nat.mul (Nat.pow 2 place) (Nat.pow 2 (Nat.mul s.stride k))))))
      (Nat.mul (Nat.pow 2 bits)
            (Nat.land (Nat.shiftRight (pack s.stride n m) (Nat.mul s.stride k))
              (Nat.sub (Nat.pow 2 s.stride) 1))) = true := h
    rw [force_eq, force_eq] at h
    have ew : Nat.mul (Nat.pow 2 bits)
          (Nat.land (Nat.shiftRight (pack s.stride n m) (Nat.mul s.stride k))
            (Nat.sub (Nat.pow 2 s.stride) 1)) = 2 ^ bits * m k := by
      show 2 ^ bits * Nat.land (Nat.shiftRight (pack s.stride n m) (s.stride * k)) (2 ^ s.stride - 1) = _
      rw [digit_eq, digit_pack lt hk]
    rw [ew] at h
    obtain ⟨c, hcol, h⟩ := symbol_column r point hk h
    cases hz : Nat.beq (2 ^ bits * m k) 0 with
    | true =>
      rw [hz] at h
      refine smaller (Nat.le_of_lt hk) columns magnitudes bands deviations hc hs
        (fun i hi => ⟨fun g => (sums i hi).1 (Nat.le.step g), fun g => ?_⟩) h
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
      refine smaller (Nat.le_of_lt hk) (c :: columns) (2 ^ bits * m k :: magnitudes)
        (symbolBand s place k :: bands) (misses k :: deviations) ⟨hcol, hc⟩ ⟨small k hk, hs⟩ (fun i hi => ?_)
        h
      show (i < k →
            (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center) * misses k + _ = _ ∧
              (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center) * misses k + _ = _) ∧
        (k ≤ i →
            (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center) * misses k + _ = _ ∧
              (natural (s.center + 2 ^ place * Matrix.indicator k i) - natural s.center) * misses k + _ = _)
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

theorem radiusBelow_eq {s : Scale} {slope fraction n : Nat} {magnitudes : List Nat}
    (r : Roomy s slope fraction magnitudes)
    {columns : List Memory} {bands : List Band} (h : Paired (Holds s n) columns bands) :
    radiusBelow s fraction n columns magnitudes =
    pack s.stride n
      (fun i => reachOf (fun b => apart (b.lower i) s.center) bands magnitudes / 2 ^ fraction + 1) := by
  have small : ∀ {x : Nat}, x ≤ s.top → x < 2 ^ s.half := fun h => Natural.lt_of_le_of_lt h r.top_half
  have each : ∀ c band, Holds s n c band →
    distances s.stride n s.half (lowers s n c.direct) (Nat.mul s.center (ones s.stride n)) =
      pack s.stride n (fun i => apart (band.lower i) s.center) := fun c band hc => by
    obtain ⟨h1, _, h3⟩ := hc
    have e : lowers s n c.direct = pack s.stride n band.lower := by
      rw [h1]; exact lowers_eq r.half (fun i hi => small (h3 i hi).1) (fun i hi => small (h3 i hi).2)
    have c : Nat.mul s.center (ones s.stride n) = pack s.stride n (fun _ => s.center) :=
      mul_ones r.stride n s.center
    rw [e, c]
    exact distances_eq (Nat.add_le_add Nat.le.refl r.half) (fun i hi => small (h3 i hi).1)
      (fun i _ => small (Roomy.center_top s))
  unfold radiusBelow
  rw [radiusOf_eq (g := fun band i => apart (band.lower i) s.center) each columns bands magnitudes h]
  have bound : ∀ i,
      i < n → reachOf (fun b => apart (b.lower i) s.center) bands magnitudes < 2 ^ s.stride := fun i hi => by
    have le := reachOf_le (g := fun b => apart (b.lower i) s.center) (c := s.top) bands magnitudes
      (Paired.every (fun _ b hb => apart_le (hb.2.2 i hi).1 (Roomy.center_top s)) columns bands h)
    refine Natural.lt_of_le_of_lt le
      (Natural.lt_of_lt_of_le (Natural.lt_of_le_of_lt ?_ r.reach) (Natural.two_pow_le (Natural.sub_le _ 1)))
    exact Nat.le_trans (Nat.mul_le_mul Nat.le.refl (Nat.le_add_right _ 1)) (Nat.le_add_right _ 1)
  have whole : fraction + (s.stride - fraction) = s.stride := by
    rw [Nat.add_comm]
    exact Natural.sub_add_cancel r.places
  have cut := Decode.field_pack (b := s.stride) (m := n) (j := fraction) (k := s.stride - fraction)
    (Natural.le_of_eq whole) r.stride bound
  have cut : Decode.field fraction (Nat.sub s.stride fraction)
      (pack s.stride n fun i => reachOf (fun b => apart (b.lower i) s.center) bands magnitudes)
      (ones s.stride n) = _ := cut
  rw [cut, ones_eq r.stride]
  show pack s.stride n _ + pack s.stride n _ = _
  rw [← pack_add]
  refine pack_congr fun i hi => ?_
  rw [Natural.mod_eq_self]
  refine Natural.div_lt (Natural.two_pow_pos fraction) ?_
  rw [← Natural.pow_add, whole]; exact bound i hi

/-- A form reaches as far as its coefficients and the magnitudes of the deviations say. -/
theorem reach_of {s : Scale} (side : Band → Nat) {bands : List Band} {magnitudes : List Nat}
    {deviations : List K} (small : Small magnitudes deviations) :
    AtMost (combined (fun b => (natural (side b) : K) - natural s.center) bands deviations)
    (natural (reachOf (fun b => apart (side b) s.center) bands magnitudes)) :=
  combined_atMost bands magnitudes deviations small (every_of (fun b => by
    unfold apart
    rw [natural_add]
    have u1 := Rows.sub_ge (K := K) (side b) s.center
    have u2 := Rows.sub_ge (K := K) s.center (side b)
    have n1 := natural_nonneg (K := K) (side b - s.center)
    have n2 := natural_nonneg (K := K) (s.center - side b)
    exact ⟨le_cert ((ring4 K u c a b, a + b - (u - c), (a - (u - c)) + b) _ _ _ _)
          (add_nonneg (sub_nonneg u1) n2), le_cert
          ((ring4 K u c a b, a + b - -(u - c), (b - (c - u)) + a) _ _ _ _) (add_nonneg (sub_nonneg u2) n1)⟩)
      bands)

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
end Forward
end PytestTorchLean
