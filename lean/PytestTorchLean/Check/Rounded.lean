prelude
import PytestTorchLean.Check.LiveSlots
import PytestTorchLean.Check.Widen
/-!
# Bounds of an affine node in binary32, for every order of summation

The error of a row is a small multiple of the sum of its products' absolute values. It is bounded in one of
two ways. If no slot that the node reads is further from 0 than a radius, that sum is the radius times the sum
of the absolute weights, which interval arithmetic forms anyway. Or the columns are applied once more, to
bounds that enclose 0, and tell for every row how much its products above 0 add up to, and those below: no sum
that is rounded is larger than the larger of the two, and there is one for each product that may be other than
0. That is many times tighter.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Affine

/-- All rows' errors from one radius of the sources. -/
def coarse (s : Scale) (a : Affine) (step : Step) (direct start masses : Nat) (next : Nat → Nat → Bool) :
    Bool :=
  both (both (Nat.ble step.radius s.center)
      (both (sourcesFrom step.first start (a.columns * a.positions) a.sources)
        (both (slotsWithin s step.radius 0 2 direct)
          (slotsWithin s step.radius step.first (start - step.first) direct))))
    (force (fun most => force (fun error => next most error)
        (Nat.add
          (Nat.mul (errorFactor a step.radius) (Nat.mul masses (ones (32 * a.lanes * a.rows) a.positions)))
          (Nat.mul (errorLoss s a step.decoding) (ones (32 * a.lanes) (a.rows * a.positions)))))
      (errorLimit s a step.decoding (errorFactor a step.radius)))

/-- All rows' errors from what their products above 0 add up to, and those below, by the bounds of what the
    node reads. -/
def fine [Prepared] (s : Scale) (a : Affine) (step : Step) (direct mirrored start : Nat)
    (columns : List Column) (masses : Nat) (next : Nat → Nat → Bool) : Bool :=
  withZero s start direct mirrored (fun read readMirrored => force (fun reach => force (fun count =>
      both (both (Nat.ble 48 (32 * a.lanes)) (both (Nat.ble (Nat.succ s.half) (32 * a.lanes))
        (Nat.ble (signedError count a.divisor (reach + reach) reach + 2 ^ 48) (2 ^ (32 * a.lanes)))))
      (force (fun most => force (fun mass => force (fun bounds =>
          force (fun error => next most error) (signed s a step.decoding count bounds mass))
        (boundsOf s.stride (32 * a.lanes) read readMirrored start a columns))
        (Nat.mul s.center (Nat.mul masses (ones (32 * a.lanes * a.rows) a.positions))))
        (signedLimit s a step.decoding count reach)))
    (products s a step.first start read columns))
    (Linear.reach s (2 ^ step.decoding.bits) a.columns))

/-- Bounds of the outputs of an affine node, and the error radii of its rows. -/
def runRounded [Prepared] (s : Scale) (a : Affine) (step : Step) (direct mirrored start : Nat)
    (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => both (both (fits s a step.decoding start) (Nat.ble 1 (32 * a.lanes * a.rows)))
        (both (roundable s a step.decoding)
          (Bool.rec (motive := fun _ => (Nat → Nat → Bool) → Bool)
            (coarse s a step direct start (Prepared.summed a step.decoding lanes).masses)
            (fine s a step direct mirrored start (Prepared.summed a step.decoding lanes).columns
              (Prepared.summed a step.decoding lanes).masses) (Nat.beq step.radius 0)
            (fun most error => widen s a step.decoding direct mirrored start
              (Prepared.summed a step.decoding lanes).columns (Prepared.summed a step.decoding lanes).masses
              most next error))))
    (Prepared.columns a step.decoding)

/-! ### Soundness -/

/-- The arithmetic of an error that is large enough. -/
theorem large_enough {total under unit p charged loss : Nat} (h : total ≤ 2 ^ 48 * charged)
    (hl : under * unit ≤ p * loss) :
    p * total + 2 ^ 48 * under * unit ≤ 2 ^ 48 * (p * (charged + loss)) := by
  have a := Nat.mul_le_mul (Nat.le.refl (n := p)) h
  have b := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ 48)) hl
  generalize 2 ^ 48 = q at *
  refine Nat.le_trans (Natural.le_of_eq ?_) (Nat.le_trans (Nat.add_le_add a b) (Natural.le_of_eq ?_))
  · simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
  · simp only [Nat.mul_add, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]

theorem weight_le {f g : Nat → Nat} {r c n i : Nat} :
    (ds : List Digits) → (source : Nat → Nat) → (∀ k, k < ds.length → source k < n) →
    (∀ j, j < n → r * f j ≤ c * g j) → r * Columns.weight f ds source i ≤ c * Columns.weight g ds source i
  | [], _, _, _ => Nat.zero_le _
  | d :: ds, source, hs, h => by
    have ih :=
      weight_le (i := i) ds (fun k => source (k + 1)) (fun k hk => hs (k + 1) (Nat.succ_le_succ hk)) h
    show r * (f (source 0) * (d.positive i + d.negative i) + Columns.weight f ds _ i) ≤
      c * (g (source 0) * (d.positive i + d.negative i) + Columns.weight g ds _ i)
    generalize d.positive i + d.negative i = w
    rw [Nat.mul_add, Nat.mul_add, ← Nat.mul_assoc, ← Nat.mul_assoc]
    exact Nat.add_le_add (Nat.mul_le_mul (h _ (hs 0 (Nat.succ_le_succ (Nat.zero_le _)))) Nat.le.refl) ih
theorem weight_le_mass {f : Nat → Nat} {most n i : Nat} (ds : List Digits) (source : Nat → Nat)
    (hs : ∀ k, k < ds.length → source k < n) (h : ∀ j, j < n → f j ≤ most) :
    Columns.weight f ds source i ≤ most * Linear.mass ds i := by
  have z := weight_le (f := f) (g := fun _ => most) (r := 1) (c := 1) (i := i) ds source hs
    (fun j hj => by rw [Natural.one_mul, Natural.one_mul]; exact h j hj)
  rw [Natural.one_mul, Natural.one_mul, weight_constant] at z
  exact z

theorem coarse_sound {s : Scale} {slots : Nat → K} {a : Affine} {step : Step} {direct mirrored start : Nat}
    {columns : List Column} {ds : List Digits} {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (c1 : 1 ≤ s.half)
    (c2 : s.top < 2 ^ (s.half - 1))
    (hm : (Memory.mk direct mirrored).Holds s slots start)
    (hlen : columns.length = a.columns)
    (hp : Packed (32 * a.lanes) a.rows (2 ^ step.decoding.bits) columns ds)
    (wide : 1 ≤ 32 * a.lanes * a.rows)
    (lane : 1 ≤ 32 * a.lanes)
    (below : ∀ i, i < a.columns * a.positions → word a.sources i < start)
    (h : coarse s a step direct start (Linear.masses columns) next = true) :
    ∃ (radius : Nat → Nat) (radii : Nat → Nat) (most error : Nat), next most error = true ∧
      error = pack (32 * a.lanes) (a.rows * a.positions) radii ∧
      (∀ j, j < start → radius j ≤ s.top) ∧
      (∀ i, i < a.columns * a.positions →
          AtMost (natural s.unit * slots (word a.sources i)) (natural (radius (word a.sources i)))) ∧
      ∀ position row, position < a.positions → row < a.rows →
        radii (row + a.rows * position) ≤ most ∧
          relativeError a.columns a.divisor * (2 ^ (step.decoding.base - 1) *
                    Columns.weight radius ds (fun k => word a.sources (a.columns * position + k)) row) +
              2 ^ 48 * underflow a.columns a.divisor * s.unit ≤
            2 ^ 48 * (2 ^ (step.decoding.base - 1) * radii (row + a.rows * position)) := by
  obtain ⟨d, first, radius⟩ := step
  obtain ⟨hr, h⟩ := both_true h
  obtain ⟨r4, hr⟩ := both_true hr
  obtain ⟨r5, hr⟩ := both_true hr
  obtain ⟨r6, r7⟩ := both_true hr
  simp only [force_eq] at h
  have r4 : radius ≤ s.center := Nat.le_of_ble_eq_true r4
  obtain ⟨two, first_le, from_first⟩ := sourcesFrom_sound below r5
  have constants := slotsWithin_sound sf c1 c2 r4 two hm r6
  have others := slotsWithin_sound sf c1 c2 r4
    (Natural.le_of_eq (by rw [Nat.add_comm]; exact Natural.sub_add_cancel first_le)) hm r7
  refine ⟨fun _ => radius, fun i => errorFactor a radius * Linear.mass ds (i % a.rows) + errorLoss s a d, _,
      _, h, ?_, fun _ _ => Nat.le_trans r4 (Nat.le_add_right _ _), fun i hi => ?_,
      fun position row h1 h2 => ?_⟩
  · show errorFactor a radius * (Linear.masses columns * ones (32 * a.lanes * a.rows) a.positions) +
      errorLoss s a d * ones (32 * a.lanes) (a.rows * a.positions) = _
    rw [Linear.masses_eq _ ds hp, ones_eq wide, repeated, mul_ones lane, ← pack_mul, ← pack_add]
  · cases from_first i hi with
    | inl g => exact constants _ (Nat.zero_le _) (by rw [Nat.zero_add]; exact g)
    | inr g =>
      refine others _ g ?_
      have e : first + (start - first) = start := by rw [Nat.add_comm]; exact Natural.sub_add_cancel first_le
      show word a.sources i < first + (start - first)
      rw [e]; exact below _ hi
  · have m := mass_le h2 _ ds hp
    rw [hlen] at m
    have e : (row + a.rows * position) % a.rows = row := Natural.add_mul_mod _ h2
    show errorFactor a radius * Linear.mass ds ((row + a.rows * position) % a.rows) + errorLoss s a d ≤
      errorLimit s a d (errorFactor a radius) ∧
      _ ≤ 2 ^ 48 *
          (_ * (errorFactor a radius * Linear.mass ds ((row + a.rows * position) % a.rows) + errorLoss s a d))
    rw [e, weight_constant]
    refine ⟨Nat.add_le_add (Nat.mul_le_mul Nat.le.refl m) Nat.le.refl, ?_⟩
    rw [Nat.mul_left_comm]
    refine large_enough ?_ (loss_large s a d)
    rw [← Nat.mul_assoc, ← Nat.mul_assoc]
    exact Nat.mul_le_mul (ceiling (Natural.two_pow_pos 48)) Nat.le.refl

/-- All slots that a position reads have been written. -/
theorem reads_below {a : Affine} {b bound start position : Nat} {columns : List Column} {ds : List Digits}
    (hlen : columns.length = a.columns)
    (hp : Packed b a.rows bound columns ds)
    (below : ∀ i, i < a.columns * a.positions → word a.sources i < start)
    (h : position < a.positions) :
    ∀ k, k < ds.length → word a.sources (a.columns * position + k) < start := fun k hk => by
  rw [← Columns.packed_length _ _ hp, hlen] at hk
  refine below _ (Nat.le_trans ?_ (Nat.mul_le_mul Nat.le.refl h))
  show a.columns * position + (k + 1) ≤ a.columns * position + a.columns
  exact Nat.add_le_add Nat.le.refl hk

theorem fine_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {step : Step}
    {direct mirrored start : Nat} {lanes : List (List Column)} {ds : List Digits} {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (c1 : 1 ≤ s.half)
    (c2 : s.top < 2 ^ (s.half - 1))
    (hm : (Memory.mk direct mirrored).Holds s slots start)
    (f1 : s.half + s.half ≤ 32 * a.lanes)
    (f5 : Linear.reach s (2 ^ step.decoding.bits) a.columns < 2 ^ s.half)
    (held : LanesHold a step.decoding 0 lanes)
    (hlen : (Columns.flatten lanes).length = a.columns)
    (hp : Packed (32 * a.lanes) a.rows (2 ^ step.decoding.bits) (Columns.flatten lanes) ds)
    (wide : 1 ≤ 32 * a.lanes * a.rows)
    (below : ∀ i, i < a.columns * a.positions → word a.sources i < start)
    (h : fine s a step direct mirrored start (Columns.flatten lanes) (Linear.masses (Columns.flatten lanes))
      next = true) :
    ∃ (count : Nat) (up down : Nat → Nat) (radii : Nat → Nat) (most error : Nat), next most error = true ∧
      error = pack (32 * a.lanes) (a.rows * a.positions) radii ∧
      (∀ i, i < a.columns * a.positions →
          natural s.unit * slots (word a.sources i) ≤ natural (up (word a.sources i)) ∧
            -(natural s.unit * slots (word a.sources i)) ≤ natural (down (word a.sources i))) ∧
      ∀ position row, position < a.positions → row < a.rows →
        radii (row + a.rows * position) ≤ most ∧ Few (a.terms slots position row) count ∧
          ∃ above beneath larger, above =
              Columns.sides up down ds (fun k => word a.sources (a.columns * position + k)) row ∧
            beneath = Columns.sides down up ds (fun k => word a.sources (a.columns * position + k)) row ∧
            above ≤ larger ∧
            beneath ≤ larger ∧
            above + beneath ≤ Linear.reach s (2 ^ step.decoding.bits) a.columns ∧
            2 ^ (step.decoding.base - 1) * signedError count a.divisor (above + beneath) larger +
                2 ^ 48 * underflow a.columns a.divisor * s.unit ≤
              2 ^ 48 * (2 ^ (step.decoding.base - 1) * radii (row + a.rows * position)) := by
  unfold fine at h
  obtain ⟨l, u, h1, h2, hw⟩ := hm
  have h1 : direct = pack s.stride start (fun i => Memory.directWord s (l i) (u i)) := h1
  have h2 : mirrored = pack s.stride start (fun i => Memory.mirroredWord s (l i) (u i)) := h2
  rw [h1, h2, withZero_eq c1 c2 (fun i hi => ⟨(hw i hi).1, (hw i hi).2.1⟩), force_eq, force_eq] at h
  have fit : s.top < 2 ^ s.half := Nat.le_trans c2 (Natural.two_pow_le (Natural.sub_le _ _))
  have few := products_few (n := step.first) sf.unit c1 fit held hw below
  generalize products s a step.first start _ _ = count at *
  obtain ⟨hr, h⟩ := both_true h
  obtain ⟨q1, hr⟩ := both_true hr
  obtain ⟨q2, q3⟩ := both_true hr
  have q1 := Nat.le_of_ble_eq_true q1
  have q2 : s.half + 1 ≤ 32 * a.lanes := Nat.le_of_ble_eq_true q2
  have q3 := Nat.le_of_ble_eq_true q3
  simp only [force_eq] at h
  have memory := withZero_holds hw
  have ordered : ∀ j, j < start → lowered s (l j) ≤ lifted s (u j) ∧ lifted s (u j) ≤ s.top := fun j hj =>
    ⟨Nat.le_trans (lowered_le s (l j)).2 (le_lifted s (u j)).2, lifted_le (hw j hj).2.1⟩
  have g := gather_eq (rows := a.rows) sf ordered hlen hp below a.positions 0 (Nat.zero_add _)
  have zero : Nat.shiftRight a.sources (32 * (a.columns * 0)) = a.sources := Natural.div_one _
  rw [zero, ← boundsOf_eq sf f1 hlen hp f5 memory] at g
  have e_mass :
    Nat.mul s.center (Nat.mul (Linear.masses (Columns.flatten lanes))
        (ones (32 * a.lanes * a.rows) a.positions)) =
      pack (32 * a.lanes) (a.rows * a.positions) (fun i => s.center * Linear.mass ds (i % a.rows)) := by
    show s.center * (Linear.masses (Columns.flatten lanes) * ones (32 * a.lanes * a.rows) a.positions) = _
    rw [Linear.masses_eq _ ds hp, ones_eq wide, repeated, ← pack_mul]
  have between : ∀ j, j < start →
      lowered s (l j) ≤ s.center ∧ s.center ≤ lifted s (u j) ∧ lifted s (u j) ≤ s.top := fun j hj =>
    ⟨(lowered_le s (l j)).2, (le_lifted s (u j)).2, lifted_le (hw j hj).2.1⟩
  have facts : ∀ i, i < a.rows * a.positions →
      Linear.low s.top (fun j => lowered s (l j)) (fun j => lifted s (u j)) ds
            (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) (i % a.rows) +
          Columns.sides (fun j => s.center - lowered s (l j)) (fun j => lifted s (u j) - s.center) ds
            (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) (i % a.rows) =
        s.center * Linear.mass ds (i % a.rows) ∧
      s.center * Linear.mass ds (i % a.rows) + Columns.sides (fun j => lifted s (u j) - s.center)
            (fun j => s.center - lowered s (l j)) ds
            (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) (i % a.rows) =
        Linear.high s.top (fun j => lowered s (l j)) (fun j => lifted s (u j)) ds
          (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) (i % a.rows) ∧
      s.center * Linear.mass ds (i % a.rows) ≤ Linear.reach s (2 ^ step.decoding.bits) a.columns ∧
          Linear.high s.top (fun j => lowered s (l j)) (fun j => lifted s (u j)) ds
              (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) (i % a.rows) ≤
            Linear.reach s (2 ^ step.decoding.bits) a.columns := fun i hi => by
    obtain ⟨position, row, hq, lt, e⟩ := index_cases hi
    have inside := reads_below hlen hp below hq
    have row_lt : i % a.rows < a.rows := by rw [e, Natural.add_mul_mod _ lt]; exact lt
    have place : a.columns * (0 + i / a.rows) = a.columns * position := by
      rw [e, Natural.add_mul_div _ lt, Nat.zero_add]
    obtain ⟨b1, b2⟩ := sides_eq between (i % a.rows) ds
      (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) (by rw [place]; exact inside)
    obtain ⟨_, a2, a3⟩ := Linear.small row_lt ordered (Columns.flatten lanes) ds
      (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) hp
      (by rw [place, Columns.packed_length _ _ hp]; exact inside)
    rw [hlen] at a2 a3
    exact ⟨b1, b2, a3, a2⟩
  rw [g, e_mass, signed_eq f1 q1 q2 q3 f5 facts] at h
  refine ⟨count, fun j => lifted s (u j) - s.center, fun j => s.center - lowered s (l j), _, _, _, h, rfl,
      fun i hi => sides_within (hw _ (below i hi)).2.2, fun position row g1 g2 => ?_⟩
  obtain ⟨b1, b2, b3, b4⟩ := facts _ (index_lt g1 g2)
  have e1 : (row + a.rows * position) / a.rows = position := Natural.add_mul_div _ g2
  have e2 : (row + a.rows * position) % a.rows = row := Natural.add_mul_mod _ g2
  simp only [e1, e2, Nat.zero_add] at *
  generalize Columns.sides (fun j => lifted s (u j) - s.center) (fun j => s.center - lowered s (l j)) ds
      (fun k => word a.sources (a.columns * position + k)) row = above at *
  generalize Columns.sides (fun j => s.center - lowered s (l j)) (fun j => lifted s (u j) - s.center) ds
      (fun k => word a.sources (a.columns * position + k)) row = beneath at *
  have above_le := Nat.le_trans (Nat.le_trans (Nat.le_add_left above _) (Natural.le_of_eq b2)) b4
  have beneath_le := Nat.le_trans (Nat.le_trans (Nat.le_add_left beneath _) (Natural.le_of_eq b1)) b3
  have larger_le : beneath + (above - beneath) ≤ Linear.reach s (2 ^ step.decoding.bits) a.columns := by
    cases Nat.le_total beneath above with
    | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact above_le
    | inr g =>
      obtain ⟨k, hk⟩ := Nat.exists_of_le g
      rw [hk, Vector.sub_zero_of, ← hk]; exact beneath_le
  refine ⟨?_, few position row g1 g2, above, beneath, beneath + (above - beneath), rfl, rfl, le_add_sub _ _,
      Nat.le_add_right _ _, ?_, large_enough (roundedUp_large _) (loss_large s a step.decoding)⟩
  · exact Nat.add_le_add (roundedUp_le (signedError_mono (Nat.add_le_add above_le beneath_le) larger_le))
      Nat.le.refl
  · refine Nat.le_trans (Nat.le_trans ?_ (Natural.le_of_eq b2)) b4
    rw [Nat.add_comm, ← b1]
    exact Nat.add_le_add (Nat.le_add_left _ _) Nat.le.refl

/-- Bounds of an affine node's inputs give bounds of its outputs in binary32, for every order of summation,
    fused or not; and no sum of any of its products overflows. -/
theorem runRounded_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {step : Step}
    {direct mirrored start : Nat} {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots start)
    (hn : (Node.affine a).Holds .binary32 slots start)
    (h : runRounded s a step direct mirrored start next = true) :
    (Node.affine a).Finite .binary32 slots ∧
    ∃ error direct' mirrored', (Passed.mk (.affine a) start step.decoding error).Holds s slots ∧
      (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧
      next error direct' mirrored' (start + (Node.affine a).size) = true := by
  unfold runRounded at h
  rw [Prepared.columns_eq] at h
  cases hd : decode a step.decoding with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
  rw [hd] at h
  obtain ⟨hf, h⟩ := both_true h
  obtain ⟨hf, wide⟩ := both_true hf
  obtain ⟨hr, h⟩ := both_true h
  simp only [Prepared.summed_eq _ _ _ hd, summed] at h
  have wide := Nat.le_of_ble_eq_true wide
  obtain ⟨f1, f⟩ := both_true hf
  obtain ⟨f2, f⟩ := both_true f
  obtain ⟨f3, f⟩ := both_true f
  obtain ⟨_, f⟩ := both_true f
  obtain ⟨f5, f6⟩ := both_true f
  have f2 := Nat.le_of_ble_eq_true f2
  have f3 := Nat.le_of_ble_eq_true f3
  have below := wordsBelow_sound start _ _ f6
  obtain ⟨r1, hr⟩ := both_true hr
  obtain ⟨r1, r2⟩ := both_true r1
  obtain ⟨r3, r9⟩ := both_true hr
  have r1 := Nat.le_of_ble_eq_true r1
  have r2 : s.top < 2 ^ (s.half - 1) := Nat.le_of_ble_eq_true r2
  have r3 := Nat.le_of_ble_eq_true r3
  have r9 := Nat.le_of_ble_eq_true r9
  have lane : 1 ≤ 32 * a.lanes :=
    Nat.le_trans (Nat.le_trans r1 (Nat.le_add_right _ _)) (Nat.le_of_ble_eq_true f1)
  obtain ⟨hlen, ds, hp, hform, hweigh, hsides⟩ := Columns.decoded_weighing (K := K) (decode_sound hd)
  have at_lt : ∀ position k, position < a.positions →
      k < a.columns → a.columns * position + k < a.columns * a.positions := fun position k h1 h2 =>
    Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := a.columns * position)) h2) (Nat.mul_le_mul Nat.le.refl h1)
  obtain ⟨radii, most, error, run, he, rows⟩ : ∃ (radii : Nat → Nat) (most error : Nat),
      widen s a step.decoding direct mirrored start (Columns.flatten lanes)
            (Linear.masses (Columns.flatten lanes)) most next error = true ∧
        error = pack (32 * a.lanes) (a.rows * a.positions) radii ∧
      ∀ position row, position < a.positions → row < a.rows → radii (row + a.rows * position) ≤ most ∧
        (∃ weight, Weighs (natural s.unit) (a.terms slots position row)
              (natural (2 ^ (step.decoding.base - 1)) * natural weight) ∧
            weight ≤ Linear.reach s (2 ^ step.decoding.bits) a.columns) ∧
        ∀ c : K, natural (2 ^ (step.decoding.base - 1)) * c = a.form slots position row →
          AtMost (natural s.unit * (natural (a.divisor * 2 ^ (150 - step.decoding.base)) *
                      slots (start + (row + a.rows * position)) - c))
              (natural (radii (row + a.rows * position))) := by
    cases hmode : Nat.beq step.radius 0 with
    | false =>
      rw [hmode] at h
      obtain ⟨radius, radii, most, error, run, he, small, reads, rows⟩ :=
        coarse_sound sf r1 r2 hm hlen hp wide lane below h
      refine ⟨radii, most, error, run, he, fun position row h1 h2 => ?_⟩
      have weighs :=
        hweigh slots radius (natural s.unit) position row h2 (fun k hk => reads _ (at_lt position k h1 hk))
      refine ⟨(rows position row h1 h2).1, ⟨_, weighs, ?_⟩,
          fun c hc => near f2 f3 r3 weighs (hn position row h1 h2) hc (rows position row h1 h2).2⟩
      have m := mass_le h2 _ ds hp
      rw [hlen] at m
      refine Nat.le_trans (weight_le_mass (n := start) ds _ (reads_below hlen hp below h1) small) ?_
      refine Nat.le_trans (Nat.mul_le_mul Nat.le.refl m) (Natural.le_of_eq ?_)
      show s.top * (a.columns * (2 ^ step.decoding.bits + 2 ^ step.decoding.bits)) =
        a.columns * (s.top * 2 ^ step.decoding.bits + s.top * 2 ^ step.decoding.bits)
      rw [Nat.mul_left_comm, Nat.mul_add s.top]
    | true =>
      rw [hmode] at h
      obtain ⟨count, up, down, radii, most, error, run, he, reads, rows⟩ := fine_sound sf r1 r2 hm
        (Nat.le_of_ble_eq_true f1) (Nat.le_of_ble_eq_true f5) (decode_sound hd) hlen hp wide below h
      refine ⟨radii, most, error, run, he, fun position row h1 h2 => ?_⟩
      have leans :=
        hsides slots up down (natural s.unit) position row h2 (fun k hk => reads _ (at_lt position k h1 hk))
      obtain ⟨small, few, above, beneath, larger, ea, eb, la, lb, fits, large⟩ := rows position row h1 h2
      rw [← ea, ← eb] at leans
      refine ⟨small, ⟨above + beneath, ?_, fits⟩,
          fun c hc => near_signed f2 f3 r3 leans few la lb (hn position row h1 h2) hc large⟩
      have w := leans.weighs
      rw [← mul_add, ← natural_add] at w
      exact w
  refine ⟨fun position row h1 h2 => ?_, ?_⟩
  · obtain ⟨_, ⟨weight, weighs, small⟩, _⟩ := rows position row h1 h2
    exact finite_row sf.unit r3 weighs small r9
  refine widen_sound sf hm hf wide r1 hlen hp hform he (fun i hi => ?_)
    (fun position row h1 h2 c hc => (rows position row h1 h2).2.2 c hc) run
  obtain ⟨q, r, hq, lt, e⟩ := index_cases hi
  rw [e]; exact (rows q r hq lt).1
end Affine
end PytestTorchLean
