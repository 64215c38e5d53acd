prelude
import PytestTorchLean.Check.Forward.Product
/-!
# Forms through an affine layer

Every column of the forms is multiplied by the weights that read the values before; what the row holds
besides, biases and slots that are not among these values, lies between bounds that are the same for all parts
of a box and are prepared once. A division by a power of two follows; the constant is charged for what it
drops.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

theorem substitute_sound {inside : Nat → Prop} {s : Scale} {fraction n : Nat} {a : Substitution}
    {magnitudes : List Nat} {deviations : List K} {x y : Nat → K} {constant : Memory} {columns : List Memory}
    {next : Memory → List Memory → Bool}
    (sf : s.Fits)
    (half : 1 ≤ s.half)
    (top : s.top < 2 ^ (s.half - 1))
    (ha : a.HoldsOn inside s x n y)
    (hx : EnclosedOn inside s (2 ^ fraction) n magnitudes deviations x constant columns)
    (h : substitute s fraction a magnitudes constant columns next = true) :
    ∃ constant' columns', EnclosedOn inside s (2 ^ fraction) a.rows magnitudes deviations y constant'
        columns' ∧ next constant' columns' = true := by
  obtain
    ⟨es, reach, limit, tl, th, tm, place, row, hprod, places, reaches, e_mass, e_rest, e_restMass, rest, room⟩
    := ha
  obtain ⟨⟨band, bands, hc, hb, forms⟩, small⟩ := hx
  unfold substitute at h
  simp only [force_eq] at h
  obtain ⟨hstep, h⟩ := both_true h
  have hstep := Nat.le_of_ble_eq_true hstep
  have enough : (natural (totalOf magnitudes) : K) ≤
      natural (2 ^ fraction) * natural (Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction))) := by
    rw [← natural_mul, total_eq]
    refine natural_le ?_
    refine Nat.le_trans (Rows.lt_mul_div _ (2 ^ fraction) (Natural.two_pow_pos fraction)) ?_
    show _ ≤ 2 ^ fraction * (_ + 1)
    rw [Nat.mul_succ]
    exact Nat.add_le_add Nat.le.refl (Natural.sub_le _ 1)
  generalize Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction)) = step at *
  have stride : 0 < s.stride := Nat.le_trans half (Nat.le_add_right _ _)
  have guard : s.half - 1 + 1 = s.half := Natural.succ_pred half
  -- room for all digits
  have charge_le : 2 ^ a.shift * step ≤ 2 ^ a.shift * s.center := Nat.mul_le_mul Nat.le.refl hstep
  generalize hq : 2 ^ a.shift = q at *
  have qk : Nat.pow 2 a.shift = q := hq
  rw [qk] at h
  have room' : reach + limit + (q * s.center + q * s.center) + q * s.center + q ≤
      2 ^ (s.half - 1) := by
    refine Nat.le_trans (Natural.le_of_eq ?_) room
    show _ = _ + limit + q * (s.center + s.center + s.center) + q
    simp only [Nat.mul_add, Nat.add_assoc]
  have shift_le : a.shift ≤ s.half - 1 := by
    cases Natural.le_or_lt a.shift (s.half - 1) with
    | inl g => exact g
    | inr g =>
      have z : 2 ^ (s.half - 1) < q := by
        rw [← hq]
        refine Natural.lt_of_lt_of_le ?_ (Natural.two_pow_le g)
        rw [Natural.pow_succ, Natural.two_mul]
        exact Nat.add_le_add (Nat.le.refl (n := 2 ^ (s.half - 1))) (Natural.two_pow_pos _)
      exact absurd (Nat.le_trans (Nat.le_add_left _ _) room') (Nat.not_le_of_lt z)
  have fit : ∀ t : Nat, t ≤ limit + (q * s.center + q * s.center) →
      reach + t + q * s.center + 2 ^ a.shift ≤ 2 ^ (s.half - 1) := fun t ht => by
    rw [hq]
    refine Nat.le_trans
      (Nat.add_le_add (Nat.add_le_add (Nat.add_le_add Nat.le.refl ht) Nat.le.refl) Nat.le.refl)
      (Nat.le_trans (Natural.le_of_eq ?_) room')
    simp only [Nat.add_assoc]
  have weighs : ∀ b : Band, (∀ j, j < n → b.lower j ≤ s.top ∧ b.upper j ≤ s.top) → ∀ i, i < a.rows →
      Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j) (row i) ≤ reach ∧
          Compose.weighted es (seen place i b).upper (fun j => s.top - (seen place i b).lower j) (row i) ≤
              reach :=
          fun b hb i hi =>
    ⟨reaches i hi _ _ (fun j hj => ⟨(hb _ (places i hi j hj).1).1, Natural.sub_le _ _⟩),
      reaches i hi _ _ (fun j hj => ⟨(hb _ (places i hi j hj).1).2, Natural.sub_le _ _⟩)⟩
  have masses : ∀ i, i < a.rows → s.center * Linear.mass es (row i) ≤ reach := fun i hi => by
    have m := reaches i hi (fun _ => s.center) (fun _ => s.center)
      (fun _ _ => ⟨Nat.le_add_right _ _, Nat.le_add_right _ _⟩)
    refine Nat.le_trans (Natural.le_of_eq ?_) m
    exact (mass_weighted s.center (row i) es).symm
  have offset_eq : Nat.mul q s.center = q * s.center := rfl
  -- the constant
  have charge_eq :
    Nat.mul (Nat.mul q step) (ones s.stride a.rows) = pack s.stride a.rows (fun _ => q * step) :=
    mul_ones stride a.rows (q * step)
  have bounds_eq : Nat.add (Nat.add (a.product constant) a.rest)
    (Nat.mul (Nat.pow 2 s.half)
      (Nat.add (pack s.stride a.rows (fun _ => q * step)) (pack s.stride a.rows (fun _ => q * step)))) =
      pack s.stride a.rows (fun i => (Compose.weighted es (seen place i band).lower
                  (fun j => s.top - (seen place i band).upper j) (row i) + tl i) +
            2 ^ s.half * (Compose.weighted es (seen place i band).upper
                    (fun j => s.top - (seen place i band).lower j) (row i) + th i + (q * step + q * step)))
          := by
    rw [hprod _ _ hc, e_rest]
    show pack s.stride a.rows _ + pack s.stride a.rows _ +
      2 ^ s.half * (pack s.stride a.rows _ + pack s.stride a.rows _) = _
    rw [← pack_add, ← pack_add, ← pack_mul, ← pack_add]
    exact pack_congr fun i _ => regroup _ _ _ _ _ _ _
  have mass_eq : Nat.add (Nat.add a.mass a.restMass) (pack s.stride a.rows (fun _ => q * step)) =
      pack s.stride a.rows (fun i => s.center * Linear.mass es (row i) + tm i + q * step) := by
    rw [e_mass, e_restMass]
    show pack s.stride a.rows _ + pack s.stride a.rows _ + pack s.stride a.rows _ = _
    rw [← pack_add, ← pack_add]
  rw [charge_eq, bounds_eq, mass_eq] at h
  have both_charges : q * step + q * step ≤ q * s.center + q * s.center := Nat.add_le_add charge_le charge_le
  have wide : ∀ i, i < a.rows →
    Compose.weighted es (seen place i band).lower (fun j => s.top - (seen place i band).upper j) (row i) +
            tl i ≤ reach + (limit + (q * s.center + q * s.center)) ∧
        Compose.weighted es (seen place i band).upper (fun j => s.top - (seen place i band).lower j) (row i) +
            th i + (q * step + q * step) ≤ reach + (limit + (q * s.center + q * s.center)) ∧
        s.center * Linear.mass es (row i) + tm i + q * step ≤
          reach + (limit + (q * s.center + q * s.center)) := fun i hi => by
    obtain ⟨w1, w2⟩ := weighs band hc.2.2 i hi
    obtain ⟨r1, r2, r3, _, _⟩ := rest i hi
    refine ⟨Nat.add_le_add w1 (Nat.le_trans r1 (Nat.le_add_right _ _)), ?_, ?_⟩
    · rw [Nat.add_assoc]; exact Nat.add_le_add w2 (Nat.add_le_add r2 both_charges)
    · rw [Nat.add_assoc]
      exact Nat.add_le_add (masses i hi)
        (Nat.add_le_add r3 (Nat.le_trans (Nat.le_add_right _ _) both_charges))
  have room1 := fit _ Nat.le.refl
  obtain ⟨c1, h⟩ := Rows.divide_digits (s := s) (w := s.half - 1) (k := a.shift) (offset := q * s.center)
    (n := a.rows) guard shift_le top room1 wide h
  -- the deviations
  have room2 := fit 0 (Nat.zero_le _)
  obtain ⟨columns', k2, k3, h⟩ := every_sound (r := Holds s n) (r' := Holds s a.rows)
    (p := fun b => ∀ i, i < a.rows →
        s.center * Linear.mass es (row i) ≤
            Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j) (row i) +
              q * s.center ∧
          s.center * Linear.mass es (row i) ≤
            Compose.weighted es (seen place i b).upper (fun j => s.top - (seen place i b).lower j) (row i) +
              (q * s.center + (2 ^ a.shift - 1)))
    (step := fun b => ⟨fun i => (Compose.weighted es (seen place i b).lower
              (fun j => s.top - (seen place i b).upper j) (row i) + q * s.center -
              s.center * Linear.mass es (row i)) / 2 ^ a.shift,
      fun i => (Compose.weighted es (seen place i b).upper (fun j => s.top - (seen place i b).lower j)
                (row i) + (q * s.center + (2 ^ a.shift - 1)) - s.center * Linear.mass es (row i)) /
          2 ^ a.shift⟩)
      (fun c b next hx h => by
      rw [hprod _ _ hx, e_mass] at h
      obtain ⟨c2, h⟩ := Rows.divide_digits (s := s) (w := s.half - 1) (k := a.shift) (offset := q * s.center)
        (n := a.rows) (limit := reach + 0) guard shift_le top room2
        (fun i hi => ⟨(weighs b hx.2.2 i hi).1, (weighs b hx.2.2 i hi).2, masses i hi⟩) h
      exact ⟨_, ⟨rfl, rfl, fun i hi => ⟨(c2 i hi).2.2.1, (c2 i hi).2.2.2⟩⟩,
          fun i hi => ⟨(c2 i hi).1, (c2 i hi).2.1⟩, h⟩)
    columns bands _ hb h
  refine ⟨_, columns',
      ⟨⟨⟨_, _⟩, _, ⟨rfl, rfl, fun i hi => ⟨(c1 i hi).2.2.1, (c1 i hi).2.2.2⟩⟩, k2, fun i hi hin => ?_⟩,
          small⟩, h⟩
  have T0 := natural_nonneg (K := K) (2 ^ fraction)
  obtain ⟨b1, b2⟩ :=
    products_bound (i := row i) (n := es.length) (x := fun j => x (place i j)) (band := seen place i band)
      (bands := mapped (seen place i) bands) (deviations := deviations) rfl
      (fun j hj => hc.2.2 _ (places i hi j hj).1)
      (every_mapped (fun b hb j hj => hb _ (places i hi j hj).1) bands
        (Paired.every (fun _ _ hb => hb.2.2) columns bands hb))
      (fun j hj => by
        have z := forms _ (places i hi j hj).1 ((places i hi j hj).2 hin)
        unfold below above
        rw [combined_mapped, combined_mapped]; exact z)
  rw [combined_mapped] at b1 b2
  obtain ⟨_, _, _, s1, s2⟩ := rest i hi
  obtain ⟨d1, d2⟩ := divided (K := K) (c := s.center) (k := a.shift) (by rw [hq]) (c1 i hi).1 (c1 i hi).2.1
  rw [natural_add _ (tl i), natural_add _ (q * step), natural_add _ (tm i), natural_mul q step] at d1
  rw [natural_add _ (q * step + q * step), natural_add (q * step), natural_add _ (th i),
      natural_add _ (q * step), natural_add _ (tm i), natural_mul q step] at d2
  have hq' : (natural (2 ^ a.shift) : K) = natural q := by rw [hq]
  have near : ∀ b : Band, (∀ i, i < a.rows →
      s.center * Linear.mass es (row i) ≤
        Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j) (row i) +
          q * s.center ∧
      s.center * Linear.mass es (row i) ≤
        Compose.weighted es (seen place i b).upper (fun j => s.top - (seen place i b).lower j) (row i) +
          (q * s.center + (2 ^ a.shift - 1))) →
      AtMost (natural q * ((natural ((Compose.weighted es (seen place i b).lower
                            (fun j => s.top - (seen place i b).upper j) (row i) + q * s.center -
                          s.center * Linear.mass es (row i)) / 2 ^ a.shift) : K) - natural s.center) -
          (natural (Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j)
                  (row i)) - natural (s.center * Linear.mass es (row i)))) (natural q) ∧
      AtMost (natural q * ((natural ((Compose.weighted es (seen place i b).upper
                              (fun j => s.top - (seen place i b).lower j) (row i) +
                            (q * s.center + (2 ^ a.shift - 1)) - s.center * Linear.mass es (row i)) /
                        2 ^ a.shift) : K) - natural s.center) -
            (natural (Compose.weighted es (seen place i b).upper (fun j => s.top - (seen place i b).lower j)
                    (row i)) - natural (s.center * Linear.mass es (row i)))) (natural q) := fun b hb => by
    obtain ⟨⟨l1, l2⟩, u1, u2⟩ :=
      divided (K := K) (c := s.center) (k := a.shift) (by rw [hq]) (hb i hi).1 (hb i hi).2
    have q0 := natural_nonneg (K := K) q
    rw [hq'] at l1 l2 u1 u2
    exact ⟨⟨le_cert ((ring3 K x y q, q - (x - y), (y - x) + q) _ _ _) (add_nonneg (sub_nonneg l1) q0),
          le_cert ((ring3 K x y q, q - -(x - y), x + q - y) _ _ _) (sub_nonneg l2)⟩,
        le_cert ((ring3 K x y q, q - (x - y), y + q - x) _ _ _) (sub_nonneg u2),
        le_cert ((ring3 K x y q, q - -(x - y), (x - y) + q) _ _ _) (add_nonneg (sub_nonneg u1) q0)⟩
  have sumL := combined_near small (every_imp (fun b hb => (near b hb).1) bands k3)
  have sumU := combined_near small (every_imp (fun b hb => (near b hb).2) bands k3)
  rw [combined_scale, natural_mul q (totalOf magnitudes)] at sumL sumU
  rw [hq'] at d1 d2
  constructor
  · unfold below
    rw [combined_mapped]
    refine carried_lower (k := a.shift)
      (p := natural (Compose.weighted es (seen place i band).lower
              (fun j => s.top - (seen place i band).upper j) (row i)) + natural (tl i) -
          (natural (s.center * Linear.mass es (row i)) + natural (tm i))) hq' T0 (le_trans d1.1 (le_of_eq ?_))
        sumL
      enough ?_
    · exact (ring5 K w t m u v, w + t - (m + u + v), w + t - (m + u) - v) _ _ _ _ _
    · have z := add_nonneg (sub_nonneg b1) (mul_nonneg T0 (sub_nonneg s1))
      refine le_cert ?_ z
      generalize combined _ bands deviations = l
      exact (ring8 K w t m u T l v e, e - ((w + t - (m + u)) * T + l),
            (v - ((w - m) * T + l)) + (T * (0 + u - t) + e - v)) _ _ _ _ _ l
          (natural (2 ^ fraction) * (natural s.unit * Compose.blend es (fun j => x (place i j)) (row i))) _ |>
              fun t => by
        rw [t]
        refine congrArg (HAdd.hAdd _) ?_
        exact (ring8 K T u t q y v b w, T * (0 + t - b) + q * (T * (u * y)) - T * (u * v),
            T * (u * (q * y - v) + t - b)) (natural (2 ^ fraction)) (natural s.unit) (natural (tm i))
          (natural q) (y i) (Compose.blend es (fun j => x (place i j)) (row i)) (natural (tl i)) 0
  · unfold above
    rw [combined_mapped]
    refine carried_upper (k := a.shift)
      (p := natural (Compose.weighted es (seen place i band).upper
              (fun j => s.top - (seen place i band).lower j) (row i)) + natural (th i) -
          (natural (s.center * Linear.mass es (row i)) + natural (tm i))) hq' T0 (le_trans (le_of_eq ?_) d2.1)
        sumU
      enough ?_
    · exact (ring5 K w t m u v, w + t - (m + u) + v, w + t + (v + v) - (m + u + v)) _ _ _ _ _
    · have z := add_nonneg (sub_nonneg b2) (mul_nonneg T0 (sub_nonneg s2))
      refine le_cert ?_ z
      generalize combined _ bands deviations = l
      exact (ring8 K w t m u T l v e, (w + t - (m + u)) * T + l - e,
            ((w - m) * T + l - v) + (T * (t - (0 + u)) + v - e)) _ _ _ _ _ l
          (natural (2 ^ fraction) * (natural s.unit * Compose.blend es (fun j => x (place i j)) (row i))) _ |>
              fun t => by
        rw [t]
        refine congrArg (HAdd.hAdd _) ?_
        exact (ring8 K T u t q y v b w, T * (b - (0 + t)) + T * (u * v) - q * (T * (u * y)),
            T * (b - (u * (q * y - v) + t))) (natural (2 ^ fraction)) (natural s.unit) (natural (tm i))
          (natural q) (y i) (Compose.blend es (fun j => x (place i j)) (row i)) (natural (th i)) 0
end Forward
end PytestTorchLean
