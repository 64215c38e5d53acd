prelude
import PytestTorchLean.Check.Forward.BendValue
/-!
# The forms after a ReLU enclose its values

For the whole layer at once, by the mathematics of one value (Check/Forward/BendValue).
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-! ### The whole layer -/

/-- How far the memory lets the values reach below 0 and above. -/
def Reaches (s : Scale) (n negative positive : Nat) (x : Nat → K) : Prop :=
  ∃ d p : Nat → Nat, negative = pack s.stride n d ∧ positive = pack s.stride n p ∧
    ∀ i, i < n →
      d i ≤ s.center ∧
        p i ≤ s.center ∧
        -natural (d i) ≤ natural s.unit * x i ∧
        natural s.unit * x i ≤ natural (p i)

theorem bendWith_sound {s : Scale} {slope fraction n step : Nat} {magnitudes : List Nat} {a c m : Nat → Nat}
    {constant : Memory} {columns : List Memory} {band : Band} {bands : List Band}
    {next : Memory → List Memory → Bool}
    (r : Roomy s slope fraction magnitudes)
    (hc : Holds s n constant band) (hb : Paired (Holds s n) columns bands)
    (hstep : step ≤ s.center)
    (ha : ∀ i, i < n → a i ≤ 2 ^ slope ∧ c i ≤ 2 ^ slope)
    (hm : ∀ i, i < n → m i ≤ s.center + 1)
    (h : bendWith s slope n step (pack s.stride n (fun i => a i + 2 ^ s.half * c i)) (pack s.stride n m)
      constant columns next = true) :
    ∃ constant' columns', Holds s n constant'
        ⟨fun i => tilt s.center slope (band.lower i) (a i) - step,
          fun i => tilt s.center slope (band.upper i) (c i) + (m i + (step + 1))⟩ ∧
      Paired (Holds s n) columns'
        (mapped (fun b =>
            ⟨fun i => tilt s.center slope (b.lower i) (a i), fun i => tilt s.center slope (b.upper i) (c i)⟩)
          bands) ∧
      (∀ i, i < n → step ≤ tilt s.center slope (band.lower i) (a i)) ∧
      next constant' columns' = true := by
  unfold bendWith at h
  rw [force_eq] at h
  have tilts : ∀ (x : Memory) (b : Band), Holds s n x b →
      tilted s slope n (pack s.stride n (fun i => a i + 2 ^ s.half * c i))
            (untilted s slope n (pack s.stride n (fun i => a i + 2 ^ s.half * c i))) x.direct =
          pack s.stride n (fun i => Memory.directWord s (tilt s.center slope (b.lower i) (a i))
              (tilt s.center slope (b.upper i) (c i))) := fun x b hx => by
    rw [hx.1]
    exact tilted_eq r.half r.bits r.tilt hx.2.2 ha
  have tilt_top : ∀ (b : Band), (∀ i, i < n → b.lower i ≤ s.top ∧ b.upper i ≤ s.top) → ∀ i, i < n →
      tilt s.center slope (b.lower i) (a i) ≤ s.top ∧ tilt s.center slope (b.upper i) (c i) ≤ s.top :=
          fun b hb i hi =>
    ⟨tilt_le (ha i hi).1 (Roomy.center_top s) (hb i hi).1,
        tilt_le (ha i hi).2 (Roomy.center_top s) (hb i hi).2⟩
  have w : ∀ {x : Nat}, x ≤ 3 * s.top + 3 → x < 2 ^ (s.half - 1) := fun hx => Natural.lt_of_le_of_lt hx r.top
  have raised : ∀ i,
      i < n → tilt s.center slope (band.upper i) (c i) + (m i + (step + 1)) ≤ 3 * s.top + 3 := fun i hi => by
    have z := Nat.add_le_add (tilt_top band hc.2.2 i hi).2 (Nat.add_le_add (hm i hi) (Nat.succ_le_succ hstep))
    refine Nat.le_trans z ?_
    have three : 3 * s.top = s.top + (s.top + s.top) := by
      show (2 + 1) * s.top = _
      rw [Nat.succ_mul, Natural.two_mul, Nat.add_assoc]
    rw [three, Nat.add_assoc s.top (s.top + s.top) 3]
    refine Nat.add_le_add (Nat.le.refl (n := s.top)) ?_
    have t := Roomy.center_top s
    refine Nat.le_trans (Nat.add_le_add (Nat.succ_le_succ t) (Nat.succ_le_succ t)) ?_
    show s.top + 1 + (s.top + 1) ≤ s.top + s.top + 3
    rw [Nat.add_add_add_comm]
    exact Nat.add_le_add Nat.le.refl (Nat.le_add_right 2 1)
  have low : ∀ i, i < n → tilt s.center slope (band.lower i) (a i) < 2 ^ (s.half - 1) :=
    fun i hi => Natural.lt_of_le_of_lt (tilt_top band hc.2.2 i hi).1 r.top_lt
  have shift : Nat.add (pack s.stride n
      (fun i => Memory.directWord s (tilt s.center slope (band.lower i) (a i))
        (tilt s.center slope (band.upper i) (c i))))
      (Nat.mul (Nat.pow 2 s.half) (Nat.add (pack s.stride n m) (Nat.mul (Nat.succ step) (ones s.stride n)))) =
      pack s.half (2 * n) (fun j => Vector.pair j (fun i => tilt s.center slope (band.lower i) (a i))
            (fun i => tilt s.center slope (band.upper i) (c i) + (m i + (step + 1)))) := by
    show pack s.stride n _ + 2 ^ s.half * (pack s.stride n m + (step + 1) * ones s.stride n) = _
    rw [Vector.pack_pair, mul_ones r.stride, ← pack_add, ← pack_mul]
    show pack (s.half + s.half) n _ + pack (s.half + s.half) n _ = _
    rw [← pack_add]
    refine pack_congr fun i _ => ?_
    show _ + 2 ^ s.half * _ + 2 ^ s.half * _ = _ + 2 ^ s.half * (_ + _)
    rw [Nat.mul_add (2 ^ s.half) (tilt s.center slope (band.upper i) (c i)), Nat.add_assoc]
  have steps : Nat.mul step (ones s.stride n) =
      pack s.half (2 * n) (fun j => Vector.pair j (fun _ => step) (fun _ => 0)) := by
    rw [Vector.pack_pair]
    refine (mul_ones r.stride n step).trans (pack_congr fun i _ => ?_)
    show step = step + 2 ^ s.half * 0
    rw [Nat.mul_zero]; rfl
  rw [tilts constant band hc] at h
  rw [shift, steps] at h
  have g1 : s.half - 1 + 1 ≤ s.half := Natural.le_of_eq r.guard
  obtain ⟨le, h⟩ := lowered_sound g1
    (Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) n _ _ (fun i hi => ⟨low i hi, w (raised i hi)⟩))
    (Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) n _ _
      (fun i hi =>
        ⟨Natural.lt_of_le_of_lt (Nat.le_trans hstep (Roomy.center_top s)) r.top_lt, Natural.two_pow_pos _⟩)) h
  have le2 := Vector.pair_both (P := fun x y => x ≤ y) n (fun _ => step) (fun _ => 0)
    (fun i => tilt s.center slope (band.lower i) (a i))
    (fun i => tilt s.center slope (band.upper i) (c i) + (m i + (step + 1))) le
  have shape : pack s.half (2 * n)
    (fun j => Vector.pair j (fun i => tilt s.center slope (band.lower i) (a i))
      (fun i => tilt s.center slope (band.upper i) (c i) + (m i + (step + 1))) -
      Vector.pair j (fun _ => step) (fun _ => 0)) =
      pack s.stride n (fun i => Memory.directWord s (tilt s.center slope (band.lower i) (a i) - step)
          (tilt s.center slope (band.upper i) (c i) + (m i + (step + 1)))) :=
    Vector.pack_map (fun x y => x - y) s.half n (fun i => tilt s.center slope (band.lower i) (a i))
      (fun i => tilt s.center slope (band.upper i) (c i) + (m i + (step + 1))) (fun _ => step) (fun _ => 0)
  rw [shape] at h
  obtain ⟨constant', k1, h⟩ :=
    paired_sound r (fun i hi => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _) (low i hi), w (raised i hi)⟩) h
  obtain ⟨columns', k2, _, h⟩ := every_sound (r := Holds s n) (r' := Holds s n) (p := fun _ => True)
    (step := fun b =>
        ⟨fun i => tilt s.center slope (b.lower i) (a i), fun i => tilt s.center slope (b.upper i) (c i)⟩)
      (fun x b next hx h => by
      rw [tilts x b hx] at h
      obtain ⟨c', k, h⟩ := paired_sound r
        (fun i hi => ⟨Natural.lt_of_le_of_lt (tilt_top b hx.2.2 i hi).1 r.top_lt,
            Natural.lt_of_le_of_lt (tilt_top b hx.2.2 i hi).2 r.top_lt⟩) h
      exact ⟨c', k, trivial, h⟩)
    columns bands _ hb h
  exact ⟨constant', columns', k1, k2, fun i hi => (le2 i hi).1, h⟩

theorem bend_sound {inside : Nat → Prop} {s : Scale} {slope fraction n negative positive : Nat}
    {magnitudes : List Nat} {deviations : List K} {x y : Nat → K} {constant : Memory} {columns : List Memory}
    {next : Memory → List Memory → Bool}
    (r : Roomy s slope fraction magnitudes)
    (hx : EnclosedOn inside s (2 ^ fraction) n magnitudes deviations x constant columns)
    (reaches : Reaches s n negative positive x)
    (relu : ∀ i, i < n → IsRelu (x i) (y i))
    (h : bend s slope fraction n negative positive magnitudes constant columns next = true) :
    ∃ constant' columns', EnclosedOn inside s (2 ^ fraction) n magnitudes deviations y constant' columns' ∧
      next constant' columns' = true := by
  obtain ⟨⟨band, bands, hc, hb, forms⟩, small⟩ := hx
  obtain ⟨d, p, ed, ep, hr⟩ := reaches
  unfold bend at h
  simp only [force_eq] at h
  obtain ⟨hstep, h⟩ := both_true h
  have hstep := Nat.le_of_ble_eq_true hstep
  have half_lt : ∀ {x : Nat}, x ≤ s.top → x < 2 ^ s.half := fun h => Natural.lt_of_le_of_lt h r.top_half
  have e_up : uppers s n constant.direct = pack s.stride n band.upper := by
    rw [hc.1]
    exact uppers_eq r.half (fun i hi => half_lt (hc.2.2 i hi).1) (fun i hi => half_lt (hc.2.2 i hi).2)
  have e_center : Nat.mul s.center (ones s.stride n) = pack s.stride n (fun _ => s.center) :=
    mul_ones r.stride n s.center
  have reach_le : ∀ i, i < n →
      reachOf (fun b => apart (b.upper i) s.center) bands magnitudes / 2 ^ fraction ≤
        s.top * totalOf magnitudes := fun i hi =>
    Nat.le_trans (Nat.le_trans (Natural.le_of_eq (Natural.one_mul _).symm)
        (Nat.le_trans (Nat.mul_le_mul (Natural.two_pow_pos fraction) Nat.le.refl)
          (Rows.mul_div_le _ _ (Natural.two_pow_pos fraction))))
      (reachOf_le (g := fun b => apart (b.upper i) s.center) bands magnitudes
        (Paired.every (fun _ b hb => apart_le (hb.2.2 i hi).2 (Roomy.center_top s)) columns bands hb))
  rw [radius_eq r hb, e_up, e_center, ed, ep] at h
  generalize hR :
    (fun i => reachOf (fun b => apart (b.upper i) s.center) bands magnitudes / 2 ^ fraction + 1) = R at *
  have hR' : ∀ i, R i = reachOf (fun b => apart (b.upper i) s.center) bands magnitudes / 2 ^ fraction + 1 :=
      fun i => by rw [← hR]
  have room : ∀ i, i < n → ∀ z, z ≤ s.top → z + R i < 2 ^ (s.stride - 1) := fun i hi z hz => by
    rw [hR' i]
    refine Natural.lt_of_le_of_lt ?_ r.reach
    rw [Nat.mul_succ, ← Nat.add_assoc, Nat.add_comm z]
    exact Nat.succ_le_succ (Nat.add_le_add (reach_le i hi) hz)
  have lt :
    ∀ {z : Nat}, z ≤ s.top → z < 2 ^ (s.stride - 1) := fun hz => Natural.lt_of_lt_of_le (half_lt hz) r.half_le
  have v := Natural.le_of_eq r.guard2
  have sum1 : Nat.add (pack s.stride n (fun _ => s.center)) (pack s.stride n R) =
    pack s.stride n (fun i => s.center + R i) := (pack_add _ _ _ _).symm
  have sum2 : Nat.add (pack s.stride n band.upper) (pack s.stride n R) =
    pack s.stride n (fun i => band.upper i + R i) := (pack_add _ _ _ _).symm
  have dif1 : Vector.difference s.stride n (Nat.sub s.stride 1) (pack s.stride n (fun i => s.center + R i))
        (pack s.stride n band.upper) = _ :=
    Vector.difference_eq v (fun i hi => room i hi _ (Roomy.center_top s)) (fun i hi => lt (hc.2.2 i hi).2)
  have dif2 : Vector.difference s.stride n (Nat.sub s.stride 1)
        (pack s.stride n (fun i => band.upper i + R i)) (pack s.stride n (fun _ => s.center)) = _ :=
    Vector.difference_eq v (fun i hi => room i hi _ (hc.2.2 i hi).2) (fun i _ => lt (Roomy.center_top s))
  have center_lt :
    ∀ {z : Nat}, z ≤ s.center → z < 2 ^ (s.stride - 1) := fun hz => lt (Nat.le_trans hz (Roomy.center_top s))
  have min1 : smaller s.stride n (Nat.sub s.stride 1)
        (pack s.stride n (fun i => s.center + R i - band.upper i)) (pack s.stride n d) = _ :=
    smaller_eq v (fun i hi => Natural.lt_of_le_of_lt (Natural.sub_le _ _) (room i hi _ (Roomy.center_top s)))
      (fun i hi => center_lt (hr i hi).1)
  have min2 : smaller s.stride n (Nat.sub s.stride 1)
        (pack s.stride n (fun i => band.upper i + R i - s.center)) (pack s.stride n p) = _ :=
    smaller_eq v (fun i hi => Natural.lt_of_le_of_lt (Natural.sub_le _ _) (room i hi _ (hc.2.2 i hi).2))
      (fun i hi => center_lt (hr i hi).2.1)
  rw [sum1, sum2, dif1, dif2, min1, min2] at h
  obtain ⟨a, ea, ha⟩ := floors_eq r.stride slope n constant.direct
  obtain ⟨c, ecc, hcc⟩ := chords_eq r.stride slope n
    (pack s.stride n (fun i => least (s.center + R i - band.upper i) (d i)))
    (pack s.stride n (fun i => least (band.upper i + R i - s.center) (p i)))
  rw [ea, ecc] at h
  obtain ⟨m, em, hm⟩ := offsets_eq (d := fun i => least (s.center + R i - band.upper i) (d i))
    (p := fun i => least (band.upper i + R i - s.center) (p i)) (a := c) r
    (fun i hi => ⟨Nat.le_trans (least_right _ _) (hr i hi).1, Nat.le_trans (least_right _ _) (hr i hi).2.1⟩)
    (fun i _ => hcc i)
  rw [em] at h
  have words : Nat.add (pack s.stride n a) (Nat.mul (Nat.pow 2 s.half) (pack s.stride n c)) =
      pack s.stride n (fun i => a i + 2 ^ s.half * c i) := by
    show pack s.stride n a + 2 ^ s.half * pack s.stride n c = _
    rw [← pack_mul, ← pack_add]
  rw [words, total_eq] at h
  have hstep : totalOf magnitudes / 2 ^ fraction + 1 ≤ s.center := by rw [total_eq] at hstep; exact hstep
  obtain ⟨constant', columns', k1, k2, k3, h⟩ :=
    bendWith_sound r hc hb hstep (fun i _ => ⟨ha i, hcc i⟩) (fun i hi => (hm i hi).1) h
  refine ⟨constant', columns', ⟨⟨_, _, k1, k2, fun i hi hp => ?_⟩, small⟩, h⟩
  obtain ⟨f1, f2⟩ := forms i hi hp
  have T0 := natural_nonneg (K := K) (2 ^ fraction)
  have q0 := natural_nonneg (K := K) (2 ^ slope)
  have enough : (natural (totalOf magnitudes) : K) ≤
      natural (2 ^ fraction) * natural (totalOf magnitudes / 2 ^ fraction + 1) := by
    rw [← natural_mul]; exact natural_le (step_large _ _)
  have rl := isRelu_scaled (isRelu_scaled (relu i hi) (natural_nonneg s.unit)) T0
  constructor
  · have z := lower_line (bits := slope)
      (c1 := natural (tilt s.center slope (band.lower i) (a i)) - natural s.center) rfl (natural_nonneg (a i))
      (natural_le (ha i)) T0 (tilt_bracket (ha i)).1 (tilted_sum (ha i) (fun b => b.lower i) small) enough rl
      f1
    refine le_trans (le_of_eq ?_) z
    unfold below
    rw [combined_mapped]
    refine congrArg (fun t => t * _ + _) ?_
    show natural (tilt s.center slope (band.lower i) (a i) - (totalOf magnitudes / 2 ^ fraction + 1)) -
      natural s.center = _
    rw [Linear.natural_sub (k3 i hi)]
    exact (ring3 K t r c, t - r - c, t - c - r) _ _ _
  · have reach : AtMost (combined (fun b => (natural (b.upper i) : K) - natural s.center) bands deviations)
        (natural (reachOf (fun b => apart (b.upper i) s.center) bands magnitudes)) :=
      combined_atMost bands magnitudes deviations small (every_of (fun b => by
        unfold apart
        rw [natural_add]
        have u1 := Rows.sub_ge (K := K) (b.upper i) s.center
        have u2 := Rows.sub_ge (K := K) s.center (b.upper i)
        have n1 := natural_nonneg (K := K) (b.upper i - s.center)
        have n2 := natural_nonneg (K := K) (s.center - b.upper i)
        exact ⟨le_cert ((ring4 K u c a b, a + b - (u - c), (a - (u - c)) + b) _ _ _ _)
              (add_nonneg (sub_nonneg u1) n2), le_cert
              ((ring4 K u c a b, a + b - -(u - c), (b - (c - u)) + a) _ _ _ _)
              (add_nonneg (sub_nonneg u2) n1)⟩) bands)
    have large : reachOf (fun b => apart (b.upper i) s.center) bands magnitudes ≤ 2 ^ fraction * R i := by
      rw [hR' i]
      exact step_large _ _
    obtain ⟨w1, w2⟩ := reach_within (c0 := natural (band.upper i) - natural s.center) large reach
    have f2 : natural (2 ^ fraction) * (natural s.unit * x i) ≤
      (natural (band.upper i) - natural s.center) * natural (2 ^ fraction) +
        combined (fun b => natural (b.upper i) - natural s.center) bands deviations := f2
    obtain ⟨_, _, m1, m2⟩ := hr i hi
    have low : -(natural (2 ^ fraction) * natural (least (s.center + R i - band.upper i) (d i))) ≤
      (natural (band.upper i) - natural s.center) * natural (2 ^ fraction) +
        combined (fun b => (natural (b.upper i) : K) - natural s.center) bands deviations := by
      cases least_cases (s.center + R i - band.upper i) (d i) with
      | inl e =>
        rw [e]
        refine le_trans ?_ w2
        have g := mul_nonneg T0 (sub_nonneg (Rows.sub_ge (K := K) (s.center + R i) (band.upper i)))
        rw [natural_add] at g
        exact le_cert ((ring5 K T u c R z, T * (u - c - R) - -(T * z), T * (z - (c + R - u))) _ _ _ _ _) g
      | inr e =>
        rw [e]
        refine le_trans ?_ f2
        have g := mul_le_left T0 m1
        rw [mul_neg] at g; exact g
    have high : natural (2 ^ fraction) * (natural s.unit * x i) ≤
        natural (2 ^ fraction) * natural (least (band.upper i + R i - s.center) (p i)) := by
      cases least_cases (band.upper i + R i - s.center) (p i) with
      | inl e =>
        rw [e]
        refine le_trans (le_trans f2 w1) (mul_le_left T0 ?_)
        have g := Rows.sub_ge (K := K) (band.upper i + R i) s.center
        rw [natural_add] at g
        exact le_trans (le_of_eq ((ring3 K u c R, u - c + R, u + R - c) _ _ _)) g
      | inr e => rw [e]; exact mul_le_left T0 m2
    have left := natural_le (K := K) (hm i hi).2.1
    have right := natural_le (K := K) (hm i hi).2.2
    rw [natural_mul, natural_mul] at left
    rw [natural_mul, natural_mul, Linear.natural_sub (hcc i)] at right
    have z := upper_line (bits := slope)
      (c1 := natural (tilt s.center slope (band.upper i) (c i)) - natural s.center) rfl (natural_nonneg (c i))
      (natural_le (hcc i)) T0 (tilt_bracket (hcc i)).2 (tilted_sum (hcc i) (fun b => b.upper i) small) enough
      rl f2 low high left right
    refine le_trans z (le_of_eq ?_)
    unfold above
    rw [combined_mapped]
    refine congrArg (fun t => t * _ + _) ?_
    show _ = natural
          (tilt s.center slope (band.upper i) (c i) + (m i + (totalOf magnitudes / 2 ^ fraction + 1 + 1))) -
        natural s.center
    generalize totalOf magnitudes / 2 ^ fraction + 1 = stp
    rw [natural_add, natural_add, natural_succ]
    exact (ring4 K t c m r, t - c + (m + (r + 1)), t + (m + (r + 1)) - c) _ _ _ _
end Forward
end PytestTorchLean
