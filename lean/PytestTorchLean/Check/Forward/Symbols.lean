prelude
import PytestTorchLean.Check.Forward.Symbol
/-!
# A noise symbol for every undecided ReLU

Forms with noise symbols, as in affine arithmetic and zonotopes. A ReLU's value is its line through the value
before, plus what it misses. Where that is not decided it becomes a deviation of its own, known by its
magnitude alone, on which all later values depend linearly: what two of them share still cancels behind the
next layers. Both lines of a value have the same slope, so that lower and upper forms differ by roundings
only.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-- What an undecided ReLU misses of its line is a deviation of its own: the forms with these new symbols
    enclose the layer's values. -/
theorem bendWithSymbols_sound {s : Scale} {slope fraction n negative positive : Nat} {magnitudes : List Nat}
    {deviations : List K} {x y : Nat → K} {constant : Memory} {columns : List Memory}
    {next : List Nat → Memory → List Memory → Bool}
    (hx : Enclosed s (2 ^ fraction) n magnitudes deviations x constant columns)
    (reaches : Reaches s n negative positive x)
    (relu : ∀ i, i < n → IsRelu (x i) (y i))
    (h : bendWithSymbols s slope fraction n negative positive magnitudes constant columns next = true) :
    ∃ magnitudes' deviations' constant' columns', Enclosed s (2 ^ fraction) n magnitudes'
        (deviations' : List K) y constant' columns' ∧ next magnitudes' constant' columns' = true := by
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
    rw [hc.1]
    exact uppers_eq r.half (fun i hi => half_lt (hc.2.2 i hi).1) (fun i hi => half_lt (hc.2.2 i hi).2)
  have e_low : lowers s n constant.direct = pack s.stride n band.lower := by
    rw [hc.1]
    exact lowers_eq r.half (fun i hi => half_lt (hc.2.2 i hi).1) (fun i hi => half_lt (hc.2.2 i hi).2)
  have e_center : Nat.mul s.center (ones s.stride n) = pack s.stride n (fun _ => s.center) :=
    mul_ones r.stride n s.center
  have reach_le : ∀ (side : Band → Nat → Nat), (∀ b : Band,
        (∀ i, i < n → b.lower i ≤ s.top ∧ b.upper i ≤ s.top) → ∀ i, i < n → side b i ≤ s.top) →
    ∀ i, i < n →
      reachOf (fun b => apart (side b i) s.center) bands magnitudes / 2 ^ fraction ≤
          s.top * totalOf magnitudes := fun side hside i hi =>
    Nat.le_trans (Nat.le_trans (Natural.le_of_eq (Natural.one_mul _).symm)
        (Nat.le_trans (Nat.mul_le_mul (Natural.two_pow_pos fraction) Nat.le.refl)
          (Rows.mul_div_le _ _ (Natural.two_pow_pos fraction))))
      (reachOf_le (g := fun b => apart (side b i) s.center) bands magnitudes
        (Paired.every (fun _ b hb => apart_le (hside b hb.2.2 i hi) (Roomy.center_top s)) columns bands hb))
  rw [radius_eq r hb, radiusBelow_eq r hb, e_up, e_low, e_center, ed, ep] at h
  generalize hR :
    (fun i => reachOf (fun b => apart (b.upper i) s.center) bands magnitudes / 2 ^ fraction + 1) = R at *
  generalize hQ :
    (fun i => reachOf (fun b => apart (b.lower i) s.center) bands magnitudes / 2 ^ fraction + 1) = Q at *
  have hR' : ∀ i, R i = reachOf (fun b => apart (b.upper i) s.center) bands magnitudes / 2 ^ fraction + 1 :=
      fun i => by rw [← hR]
  have hQ' : ∀ i, Q i = reachOf (fun b => apart (b.lower i) s.center) bands magnitudes / 2 ^ fraction + 1 :=
      fun i => by rw [← hQ]
  have fit : ∀ w, w ≤ s.top * totalOf magnitudes →
      ∀ z, z ≤ s.top → z + (w + 1) < 2 ^ (s.stride - 1) := fun w hw z hz => by
    refine Natural.lt_of_le_of_lt ?_ r.reach
    rw [Nat.mul_succ, ← Nat.add_assoc, Nat.add_comm z]
    exact Nat.succ_le_succ (Nat.add_le_add hw hz)
  have room : ∀ i, i < n → ∀ z, z ≤ s.top → z + R i < 2 ^ (s.stride - 1) := fun i hi z hz => by
    rw [hR' i]; exact fit _ (reach_le (fun b => b.upper) (fun b hb i hi => (hb i hi).2) i hi) z hz
  have room' : ∀ i, i < n → ∀ z, z ≤ s.top → z + Q i < 2 ^ (s.stride - 1) := fun i hi z hz => by
    rw [hQ' i]; exact fit _ (reach_le (fun b => b.lower) (fun b hb i hi => (hb i hi).1) i hi) z hz
  have lt :
    ∀ {z : Nat}, z ≤ s.top → z < 2 ^ (s.stride - 1) := fun hz => Natural.lt_of_lt_of_le (half_lt hz) r.half_le
  have v := Natural.le_of_eq r.guard2
  have sum1 : Nat.add (pack s.stride n (fun _ => s.center)) (pack s.stride n Q) =
    pack s.stride n (fun i => s.center + Q i) := (pack_add _ _ _ _).symm
  have sum2 : Nat.add (pack s.stride n band.upper) (pack s.stride n R) =
    pack s.stride n (fun i => band.upper i + R i) := (pack_add _ _ _ _).symm
  have dif1 : Vector.difference s.stride n (Nat.sub s.stride 1) (pack s.stride n (fun i => s.center + Q i))
        (pack s.stride n band.lower) = _ :=
    Vector.difference_eq v (fun i hi => room' i hi _ (Roomy.center_top s)) (fun i hi => lt (hc.2.2 i hi).1)
  have dif2 : Vector.difference s.stride n (Nat.sub s.stride 1)
        (pack s.stride n (fun i => band.upper i + R i)) (pack s.stride n (fun _ => s.center)) = _ :=
    Vector.difference_eq v (fun i hi => room i hi _ (hc.2.2 i hi).2) (fun i _ => lt (Roomy.center_top s))
  have center_lt :
    ∀ {z : Nat}, z ≤ s.center → z < 2 ^ (s.stride - 1) := fun hz => lt (Nat.le_trans hz (Roomy.center_top s))
  have min1 : smaller s.stride n (Nat.sub s.stride 1)
        (pack s.stride n (fun i => s.center + Q i - band.lower i)) (pack s.stride n d) = _ :=
    smaller_eq v (fun i hi => Natural.lt_of_le_of_lt (Natural.sub_le _ _) (room' i hi _ (Roomy.center_top s)))
      (fun i hi => center_lt (hr i hi).1)
  have min2 : smaller s.stride n (Nat.sub s.stride 1)
        (pack s.stride n (fun i => band.upper i + R i - s.center)) (pack s.stride n p) = _ :=
    smaller_eq v (fun i hi => Natural.lt_of_le_of_lt (Natural.sub_le _ _) (room i hi _ (hc.2.2 i hi).2))
      (fun i hi => center_lt (hr i hi).2.1)
  rw [sum1, sum2, dif1, dif2, min1, min2] at h
  obtain ⟨a, ea, ha⟩ := chords_eq r.stride slope n
    (pack s.stride n (fun i => least (s.center + Q i - band.lower i) (d i)))
    (pack s.stride n (fun i => least (band.upper i + R i - s.center) (p i)))
  rw [ea] at h
  obtain ⟨m, em, hm⟩ := offsets_eq (d := fun i => least (s.center + Q i - band.lower i) (d i))
    (p := fun i => least (band.upper i + R i - s.center) (p i)) (a := a) r
    (fun i hi => ⟨Nat.le_trans (least_right _ _) (hr i hi).1, Nat.le_trans (least_right _ _) (hr i hi).2.1⟩)
    (fun i _ => ha i)
  rw [em] at h
  have m_lt : ∀ i, i < n → m i < 2 ^ s.stride := fun i hi => by
    refine Natural.lt_of_le_of_lt (hm i hi).1
      (Natural.lt_of_lt_of_le (Natural.lt_of_le_of_lt ?_ r.top)
        (Natural.two_pow_le (Nat.le_trans (Natural.sub_le _ 1) (Nat.le_add_right _ _))))
    refine Nat.le_trans (Nat.succ_le_succ (Roomy.center_top s)) ?_
    show s.top + 1 ≤ _
    refine Nat.add_le_add
      (Nat.le_trans (Natural.le_of_eq (Natural.one_mul _).symm)
        (Nat.mul_le_mul (Nat.succ_le_succ (Nat.zero_le 2)) Nat.le.refl)) (Nat.succ_le_succ (Nat.zero_le 2))
  rw [half_digits r.stride m_lt] at h
  have words : Nat.mul (Nat.succ (Nat.pow 2 s.half)) (pack s.stride n a) =
      pack s.stride n (fun i => a i + 2 ^ s.half * a i) := by
    show (2 ^ s.half + 1) * pack s.stride n a = _
    rw [← pack_mul]
    refine pack_congr fun i _ => ?_
    rw [Nat.succ_mul, Nat.add_comm]
  rw [words, ones_eq r.stride, total_eq] at h
  have hstep : totalOf magnitudes / 2 ^ fraction + 1 ≤ s.center := by rw [total_eq] at hstep; exact hstep
  have pos_center : 1 ≤ s.center + 1 := Nat.succ_le_succ (Nat.zero_le _)
  obtain ⟨constant', columns', k1, k2, k3, h⟩ :=
    bendWith_sound r hc hb hstep (fun i _ => ⟨ha i, ha i⟩) (fun i _ => pos_center) h
  -- the constants, raised by half of what the ReLU may miss
  have raise : Nat.add constant'.direct
      (Nat.mul (Nat.succ (Nat.pow 2 s.half)) (pack s.stride n (fun i => m i / 2))) =
    pack s.stride n (fun i => Memory.directWord s
      (tilt s.center slope (band.lower i) (a i) - (totalOf magnitudes / 2 ^ fraction + 1) + m i / 2)
        (tilt s.center slope (band.upper i) (a i) + (1 + (totalOf magnitudes / 2 ^ fraction + 1 + 1)) +
          m i / 2)) := by
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
    refine Natural.lt_of_le_of_lt
      (Nat.add_le_add hw (Nat.le_trans hz (Nat.succ_le_succ (Roomy.center_top s))))
      (Natural.lt_of_le_of_lt ?_ r.top)
    have three : 3 * s.top = s.top + (s.top + s.top) := by
      show (2 + 1) * s.top = _
      rw [Nat.succ_mul, Natural.two_mul, Nat.add_assoc]
    rw [three]
    show s.top + (s.top + 1) ≤ _
    rw [← Nat.add_assoc s.top s.top s.top, ← Nat.add_assoc s.top s.top 1]
    exact Nat.add_le_add (Nat.le_add_right _ _) (Nat.succ_le_succ (Nat.zero_le 2))
  rw [raise] at h
  obtain ⟨constant'', j1, h⟩ :=
    paired_sound r (fun i hi => ⟨tops (k1.2.2 i hi).1 (half_m i hi), tops (k1.2.2 i hi).2 (half_m i hi)⟩) h
  -- the symbols
  generalize hq : (natural (2 ^ slope) : K) = q at *
  have place_le : 2 ^ (fraction - (slope + 1)) ≤ s.center :=
    Nat.le_trans (Natural.two_pow_le (Natural.sub_le _ _)) point
  have T0 := natural_nonneg (K := K) (2 ^ fraction)
  have bounds : ∀ i, i < n →
      -natural (least (s.center + Q i - band.lower i) (d i)) ≤ natural s.unit * x i ∧
        natural s.unit * x i ≤ natural (least (band.upper i + R i - s.center) (p i)) := fun i hi => by
    obtain ⟨f1, f2⟩ := forms i hi trivial
    obtain ⟨_, _, m1, m2⟩ := hr i hi
    have large : reachOf (fun b => apart (b.upper i) s.center) bands magnitudes ≤ 2 ^ fraction * R i := by
      rw [hR' i]
      exact step_large _ _
    have large' : reachOf (fun b => apart (b.lower i) s.center) bands magnitudes ≤ 2 ^ fraction * Q i := by
      rw [hQ' i]
      exact step_large _ _
    obtain ⟨w1, _⟩ := reach_within (c0 := natural (band.upper i) - natural s.center) large
      (reach_of (fun b => b.upper i) small)
    obtain ⟨_, w2⟩ := reach_within (c0 := natural (band.lower i) - natural s.center) large'
      (reach_of (fun b => b.lower i) small)
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
  have misses : ∀ i, i < n →
      AtMost (missed q (natural (a i)) (natural (m i)) (natural s.unit * x i) (natural s.unit * y i))
        (natural (2 ^ slope * m i)) := fun i hi => by
    have left := natural_le (K := K) (hm i hi).2.1
    have right := natural_le (K := K) (hm i hi).2.2
    have le := natural_le (K := K) (ha i)
    rw [natural_mul, natural_mul] at left
    rw [natural_mul, natural_mul, Linear.natural_sub (ha i)] at right
    rw [natural_mul]
    rw [hq] at left right le ⊢
    exact missed_atMost (natural_nonneg _) le (isRelu_scaled (relu i hi) (natural_nonneg _)) (bounds i hi).1
      (bounds i hi).2 left right
  obtain ⟨columns'', magnitudes', bands', deviations', c1, c2, c3, h⟩ := symbols_sound
    (next := fun columns'' magnitudes' => next magnitudes' constant'' columns'')
    (lows := fun i =>
      combined (fun b => natural (tilt s.center slope (b.lower i) (a i)) - natural s.center) bands deviations)
    (highs := fun i =>
      combined (fun b => natural (tilt s.center slope (b.upper i) (a i)) - natural s.center) bands deviations)
    r place_le m_lt misses n Nat.le.refl columns' magnitudes
    (mapped (fun b =>
        ⟨fun i => tilt s.center slope (b.lower i) (a i), fun i => tilt s.center slope (b.upper i) (a i)⟩)
      bands) deviations k2 small
    (fun i hi =>
      ⟨fun _ => ⟨combined_mapped _ _ _ _, combined_mapped _ _ _ _⟩, fun g => absurd hi (Nat.not_lt_of_le g)⟩)
    h
  refine ⟨magnitudes', deviations', constant'', columns'', ⟨⟨_, bands', j1, c1, fun i hi _ => ?_⟩, c2⟩, h⟩
  obtain ⟨f1, f2⟩ := forms i hi trivial
  obtain ⟨s1, s2⟩ := (c3 i hi).2 (Nat.zero_le i)
  have s1 : combined (fun b => natural (b.lower i) - natural s.center) bands' deviations' =
      natural (2 ^ (fraction - (slope + 1))) *
          missed q (natural (a i)) (natural (m i)) (natural s.unit * x i) (natural s.unit * y i) +
        combined (fun b => natural (tilt s.center slope (b.lower i) (a i)) - natural s.center) bands
          deviations := s1
  have s2 : combined (fun b => natural (b.upper i) - natural s.center) bands' deviations' =
      natural (2 ^ (fraction - (slope + 1))) *
          missed q (natural (a i)) (natural (m i)) (natural s.unit * x i) (natural s.unit * y i) +
        combined (fun b => natural (tilt s.center slope (b.upper i) (a i)) - natural s.center) bands
          deviations := s2
  have enough : (natural (totalOf magnitudes) : K) ≤
      natural (2 ^ fraction) * natural (totalOf magnitudes / 2 ^ fraction + 1) := by
    rw [← natural_mul]; exact natural_le (step_large _ _)
  -- the scale of the forms, by the symbols' coefficient
  have e_point : (natural (2 ^ fraction) : K) =
      q * (natural (2 ^ (fraction - (slope + 1))) + natural (2 ^ (fraction - (slope + 1)))) := by
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
  · show (natural
              (tilt s.center slope (band.lower i) (a i) - (totalOf magnitudes / 2 ^ fraction + 1) + m i / 2) -
            natural s.center) * natural (2 ^ fraction) + _ ≤ _
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
    have z := lower_tilt (bits := slope) (x := q * (g + g) * X)
      (y :=
        q * (g + g) * Y - q * (g + g) * natural (m i / 2) - g * missed q (natural (a i)) (natural (m i)) X Y)
      hq (natural_nonneg (a i)) T0 bracket sum enough (by
        rw [value]
        refine le_cert ?_ (mul_nonneg q0 (mul_nonneg q0 (mul_nonneg g0 (sub_nonneg lower_half))))
        exact (ring2 K x y, x + y - x, y) _ _) f1
    refine le_cert ?_ (sub_nonneg z)
    exact (ring8 K T c r h l e Y t, T * Y - ((t - r + h - c) * T + (e + l)),
        T * Y - T * h - e - ((t - c - r) * T + l)) (q * (g + g)) (natural s.center)
      (natural (totalOf magnitudes / 2 ^ fraction + 1)) (natural (m i / 2)) _ _ Y _
  · show _ ≤ (natural (tilt s.center slope (band.upper i) (a i) +
                  (1 + (totalOf magnitudes / 2 ^ fraction + 1 + 1)) + m i / 2) - natural s.center) *
          natural (2 ^ fraction) + _
    rw [s2, natural_add, natural_add (tilt s.center slope (band.upper i) (a i)), natural_add 1,
        natural_succ (totalOf magnitudes / 2 ^ fraction + 1)]
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
    have z := upper_tilt (bits := slope) (m := 1)
      (y :=
        q * (g + g) * Y - q * (g + g) * natural (m i / 2) - g * missed q (natural (a i)) (natural (m i)) X Y)
      hq T0 bracket sum enough (by
        rw [value]
        have b1 := mul_nonneg (natural_nonneg (K := K) (a i)) (sub_nonneg f2)
        have b2 := mul_nonneg q0 (mul_nonneg q0 (mul_nonneg g0 (sub_nonneg upper_half)))
        have b3 := mul_nonneg q0 (mul_nonneg q0 g0)
        generalize (natural (band.upper i) - natural s.center) * (q * (g + g)) +
            combined (fun b => natural (b.upper i) - natural s.center) bands deviations = F at *
        refine le_cert ?_ (add_nonneg b1 (add_nonneg b2 b3))
        exact (ring8 K q a g m h X F z,
            a * F + q * (g + g) * (q * 1) - (a * (q * (g + g) * X) + q * (q * (g * (m - (h + h))))),
            a * (F - q * (g + g) * X) + (q * (q * (g * (h + h + 1 - m))) + q * (q * g))) q (natural (a i)) g
          (natural (m i)) (natural (m i / 2)) X F 0)
    refine le_cert ?_ (sub_nonneg z)
    exact (ring8 K T c r h l e Y t, (t + (1 + (r + 1)) + h - c) * T + (e + l) - T * Y,
        (t - c + (1 + (r + 1))) * T + l - (T * Y - T * h - e)) (q * (g + g)) (natural s.center)
      (natural (totalOf magnitudes / 2 ^ fraction + 1)) (natural (m i / 2)) _ _ Y _
end Forward
end PytestTorchLean
