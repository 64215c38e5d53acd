prelude
import PytestTorchLean.Check.Forward.Parts
/-!
# A tree of parts of the box

The box of the inputs is cut in two, one input at a time, until the forms of the last layer show the property
on every part. What does not depend on the part has been prepared before: a part costs one pass of the forms.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-! ### The forms of the inputs themselves -/

def middle (r : Range) : Nat := Nat.div (Nat.add r.lower r.upper) 2
def middles : List Range → Nat → Nat
  | [], _ => 0
  | r :: _, 0 => middle r
  | _ :: ranges, i + 1 => middles ranges i
def magnitudesOf : List Range → List Nat
  | [] => []
  | r :: ranges => (r.upper - middle r) :: magnitudesOf ranges
/-- How far each input is from the middle of its range. -/
def deviationsOf (s : Scale) (slots : Nat → K) : Nat → List Range → List K
  | _, [] => []
  | k, r :: ranges => (s.image (slots k) - natural (middle r)) :: deviationsOf s slots (k + 1) ranges

/-- The words of the middles, and the magnitudes of the deviations. -/
def measure (s : Scale) : List Range → (Nat → List Nat → Bool) → Bool :=
  List.rec (motive := fun _ => (Nat → List Nat → Bool) → Bool) (fun next => next 0 [])
    (fun r _ rest next => force (fun m => force (fun w => both (Nat.ble m s.top)
            (rest fun packed magnitudes => force (fun packed' => next packed' (w :: magnitudes))
              (Nat.add (Nat.mul m (Nat.succ (Nat.pow 2 s.half))) (Nat.mul (Nat.pow 2 s.stride) packed))))
          (Nat.sub r.upper m)) (Nat.div (Nat.add r.lower r.upper) 2))
theorem measure_sound (s : Scale) :
    (ranges : List Range) → (next : Nat → List Nat → Bool) →
    measure s ranges next = true →
    (∀ i, i < ranges.length → middles ranges i ≤ s.top) ∧
      next (pack s.stride ranges.length (fun i => Memory.directWord s (middles ranges i) (middles ranges i)))
        (magnitudesOf ranges) = true
  | [], _, h => ⟨fun i hi => absurd hi (Nat.not_succ_le_zero i), h⟩
  | r :: ranges, next, h => by
    have h : force (fun m => force (fun w => both (Nat.ble m s.top)
            (measure s ranges fun packed magnitudes => force (fun packed' => next packed' (w :: magnitudes))
              (Nat.add (Nat.mul m (Nat.succ (Nat.pow 2 s.half))) (Nat.mul (Nat.pow 2 s.stride) packed))))
          (Nat.sub r.upper m)) (Nat.div (Nat.add r.lower r.upper) 2) = true := h
    rw [force_eq, force_eq] at h
    obtain ⟨h1, h⟩ := both_true h
    obtain ⟨h2, h⟩ := measure_sound s ranges _ h
    rw [force_eq] at h
    refine ⟨fun i hi => ?_, ?_⟩
    · cases i with
      | zero => exact Nat.le_of_ble_eq_true h1
      | succ i => exact h2 i (Nat.le_of_succ_le_succ hi)
    · refine Eq.trans (congrArg (fun x => next x _) ?_) h
      show (middle r + 2 ^ s.half * middle r) + 2 ^ s.stride * _ =
        middle r * (2 ^ s.half + 1) + 2 ^ s.stride * _
      rw [Nat.mul_succ, Nat.add_comm (middle r * _), Nat.mul_comm (middle r)]; rfl

theorem middle_le (r : Range) (h : r.lower ≤ r.upper) :
    r.lower ≤ middle r ∧ middle r ≤ r.upper ∧ middle r + middle r ≤ r.lower + r.upper := by
  have two : 0 < 2 := Nat.succ_le_succ (Nat.zero_le 1)
  have a := Rows.mul_div_le (r.lower + r.upper) 2 two
  rw [Natural.two_mul] at a
  have a : middle r + middle r ≤ r.lower + r.upper := a
  refine ⟨?_, ?_, a⟩
  · cases Natural.le_or_lt r.lower (middle r) with
    | inl g => exact g
    | inr g =>
      have b := Rows.lt_mul_div (r.lower + r.upper) 2 two
      rw [Natural.two_mul] at b
      have b : r.lower + r.upper ≤ middle r + middle r + 1 := b
      have c : r.lower + r.lower ≤ middle r + middle r + 1 := Nat.le_trans (Nat.add_le_add Nat.le.refl h) b
      have d := Nat.add_le_add g g
      have e : middle r + 1 + (middle r + 1) = middle r + middle r + 1 + 1 := Nat.add_add_add_comm _ _ _ _
      rw [e] at d
      exact absurd (Nat.le_trans d c) (Nat.not_succ_le_self _)
  · cases Natural.le_or_lt (middle r) r.upper with
    | inl g => exact g
    | inr g =>
      have c := Nat.le_trans a (Nat.add_le_add h (Nat.le.refl (n := r.upper)))
      have d := Nat.add_le_add g g
      have e : r.upper + 1 + (r.upper + 1) = r.upper + r.upper + 1 + 1 := Nat.add_add_add_comm _ _ _ _
      rw [e] at d
      exact absurd (Nat.le_trans (Nat.le_trans (Nat.le_add_right _ 1) d) c) (Nat.not_succ_le_self _)

theorem deviations_small {s : Scale} {slots : Nat → K} :
    (ranges : List Range) → (k : Nat) → RangesHold s slots k ranges →
    Small (magnitudesOf ranges) (deviationsOf s slots k ranges)
  | [], _, _ => trivial
  | r :: ranges, k, h => by
    refine ⟨?_, deviations_small ranges (k + 1) h.2⟩
    obtain ⟨h1, h2⟩ := h.1
    have le := Rows.natural_le_reflect (le_trans h1 h2)
    obtain ⟨_, m2, m3⟩ := middle_le r le
    have m3 := natural_le (K := K) m3
    rw [natural_add, natural_add] at m3
    rw [Linear.natural_sub m2]
    exact ⟨le_cert ((ring3 K x m u, u - m - (x - m), u - x) _ _ _) (sub_nonneg h2),
      le_cert ((ring4 K x m u l, u - m - -(x - m), (x - l) + (l + u - (m + m))) _ _ _ _)
        (add_nonneg (sub_nonneg h1) (sub_nonneg m3))⟩

/-- The bands of the inputs: input `k` depends on its own deviation alone. -/
def unitBand (s : Scale) (fraction k : Nat) : Band :=
  ⟨fun i => s.center + 2 ^ fraction * Matrix.indicator k i,
      fun i => s.center + 2 ^ fraction * Matrix.indicator k i⟩
def unitBands (s : Scale) (fraction : Nat) : Nat → Nat → List Band
  | 0, _ => []
  | count + 1, k => unitBand s fraction k :: unitBands s fraction count (k + 1)

theorem unit_sum {s : Scale} {slots : Nat → K} {fraction first i : Nat} :
    (ranges : List Range) → (k : Nat) →
    (i < k →
          combined (fun b => natural (b.lower i) - natural s.center) (unitBands s fraction ranges.length k)
            (deviationsOf s slots (first + k) ranges) = 0) ∧
      (∀ j, i = k + j → j < ranges.length →
          combined (fun b => natural (b.lower i) - natural s.center) (unitBands s fraction ranges.length k)
              (deviationsOf s slots (first + k) ranges) =
            natural (2 ^ fraction) * (s.image (slots (first + i)) - natural (middles ranges j)))
  | [], k => ⟨fun _ => rfl, fun j _ h => absurd h (Nat.not_succ_le_zero j)⟩
  | r :: ranges, k => by
    obtain ⟨r1, r2⟩ :=
      unit_sum (s := s) (slots := slots) (fraction := fraction) (first := first) (i := i) ranges (k + 1)
    have head : combined (fun b => natural (b.lower i) - natural s.center)
        (unitBands s fraction (r :: ranges).length k) (deviationsOf s slots (first + k) (r :: ranges)) =
      (natural (s.center + 2 ^ fraction * Matrix.indicator k i) - natural s.center) *
          (s.image (slots (first + k)) - natural (middle r)) +
        combined (fun b => natural (b.lower i) - natural s.center)
          (unitBands s fraction ranges.length (k + 1)) (deviationsOf s slots (first + (k + 1)) ranges) := rfl
    rw [head]
    have zero :
        k ≠ i → (natural (s.center + 2 ^ fraction * Matrix.indicator k i) - natural s.center : K) = 0 :=
        fun ne => by
      rw [indicator_other ne, Nat.mul_zero]; exact add_neg' _
    constructor
    · intro h
      have ne : k ≠ i := fun e => by rw [e] at h; exact Natural.lt_irreflexive i h
      rw [zero ne, r1 (Nat.le_trans h (Nat.le_add_right _ 1)), zero_mul, add_zer]
    · intro j hj h
      cases j with
      | zero =>
        have e : k = i := hj.symm
        subst e
        rw [indicator_same, Natural.mul_one, natural_add, r1 Nat.le.refl]
        exact (ring4 K c t x m, (c + t - c) * (x - m) + 0, t * (x - m)) _ _ _ _
      | succ j =>
        have ne : k ≠ i := fun e => by
          rw [e] at hj
          exact Natural.lt_irreflexive i (by
            have z : i + 1 ≤ i + (j + 1) := Nat.succ_le_succ (Nat.le_add_right i j)
            rw [← hj] at z; exact z)
        have e : i = k + 1 + j := by rw [hj, Nat.add_assoc, Nat.add_comm 1 j]
        rw [zero ne, r2 j e (Nat.le_of_succ_le_succ h), zero_mul, OrderedRing.zero_add]
        rfl

/-- The columns of the inputs. -/
def unitColumns (s : Scale) (fraction n : Nat) (count : Nat) : Nat → (List Memory → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → (List Memory → Bool) → Bool) (fun _ next => next [])
    (fun _ rest k next => force
        (fun direct => paired s n direct fun c => rest (Nat.succ k) fun columns => next (c :: columns))
        (Nat.mul (Nat.succ (Nat.pow 2 s.half))
          (Nat.add (Nat.mul s.center (ones s.stride n))
            (Nat.mul (Nat.pow 2 fraction) (Nat.pow 2 (Nat.mul s.stride k)))))) count
theorem unitColumns_sound {s : Scale} {slope fraction n : Nat} {magnitudes : List Nat}
    (r : Roomy s slope fraction magnitudes) (point : 2 ^ fraction ≤ s.center) :
    (count k : Nat) → (next : List Memory → Bool) →
    k + count = n → unitColumns s fraction n count k next = true →
    ∃ columns, Paired (Holds s n) columns (unitBands s fraction count k) ∧ next columns = true
  | 0, _, next, _, h => ⟨[], trivial, h⟩
  | count + 1, k, next, hn, h => by
    have h : force (fun direct => paired s n direct
          fun c => unitColumns s fraction n count (Nat.succ k) fun columns => next (c :: columns))
        (Nat.mul (Nat.succ (Nat.pow 2 s.half))
          (Nat.add (Nat.mul s.center (ones s.stride n))
            (Nat.mul (Nat.pow 2 fraction) (Nat.pow 2 (Nat.mul s.stride k))))) = true := h
    rw [force_eq] at h
    have hk : k < n := by rw [← hn]; exact Nat.succ_le_succ (Nat.le_add_right k count)
    have e : Nat.mul (Nat.succ (Nat.pow 2 s.half))
      (Nat.add (Nat.mul s.center (ones s.stride n))
        (Nat.mul (Nat.pow 2 fraction) (Nat.pow 2 (Nat.mul s.stride k)))) =
        pack s.stride n (fun i => Memory.directWord s (s.center + 2 ^ fraction * Matrix.indicator k i)
              (s.center + 2 ^ fraction * Matrix.indicator k i)) := by
      have p : Nat.pow 2 (Nat.mul s.stride k) = pack s.stride n (Matrix.indicator k) :=
        (Matrix.pack_indicator s.stride k n hk).symm
      rw [p]
      show (2 ^ s.half + 1) *
        (s.center * ones s.stride n + 2 ^ fraction * pack s.stride n (Matrix.indicator k)) = _
      rw [mul_ones r.stride, ← pack_mul, ← pack_add, ← pack_mul]
      refine pack_congr fun i _ => ?_
      show (2 ^ s.half + 1) * _ = _ + 2 ^ s.half * _
      rw [Nat.succ_mul, Nat.add_comm]
    rw [e] at h
    have small : ∀ i, s.center + 2 ^ fraction * Matrix.indicator k i < 2 ^ (s.half - 1) := fun i => by
      refine Natural.lt_of_le_of_lt ?_ r.top_lt
      refine Nat.add_le_add (Nat.le.refl (n := s.center)) (Nat.le_trans ?_ point)
      have z := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ fraction)) (indicator_le k i)
      rw [Natural.mul_one] at z; exact z
    obtain ⟨c, hc, h⟩ := paired_sound r (fun i _ => ⟨small i, small i⟩) h
    obtain ⟨columns, hcs, h⟩ := unitColumns_sound r point count (k + 1) (fun columns => next (c :: columns))
      (by rw [← hn, Nat.add_assoc, Nat.add_comm 1]) h
    exact ⟨c :: columns, ⟨hc, hcs⟩, h⟩

theorem inputs_forms {s : Scale} {slots : Nat → K} {fraction first : Nat} {ranges : List Range} {i : Nat}
    (hi : i < ranges.length) :
    below s (2 ^ fraction) ⟨middles ranges, middles ranges⟩ (unitBands s fraction ranges.length 0)
        (deviationsOf s slots first ranges) i ≤
      natural (2 ^ fraction) * (natural s.unit * slots (first + i)) ∧
    natural (2 ^ fraction) * (natural s.unit * slots (first + i)) ≤
      above s (2 ^ fraction) ⟨middles ranges, middles ranges⟩ (unitBands s fraction ranges.length 0)
        (deviationsOf s slots first ranges) i := by
  have z := (unit_sum (s := s) (slots := slots) (fraction := fraction) (first := first) (i := i) ranges 0).2 i
    (Nat.zero_add i).symm hi
  have upper : combined (fun b => (natural (b.upper i) : K) - natural s.center)
    (unitBands s fraction ranges.length 0) (deviationsOf s slots first ranges) =
      combined (fun b => natural (b.lower i) - natural s.center) (unitBands s fraction ranges.length 0)
          (deviationsOf s slots first ranges) := by
    have same : (count k : Nat) → (ds : List K) →
      combined (fun b => (natural (b.upper i) : K) - natural s.center) (unitBands s fraction count k) ds =
        combined (fun b => natural (b.lower i) - natural s.center) (unitBands s fraction count k) ds :=
            fun count => by
      induction count with
      | zero => intro _ _; rfl
      | succ count ih =>
        intro k ds
        cases ds with
        | nil => rfl
        | cons d ds =>
          show _ * d + combined _ (unitBands s fraction count (k + 1)) ds =
            _ * d + combined _ (unitBands s fraction count (k + 1)) ds
          rw [ih]; rfl
    exact same _ _ _
  have value : (natural (middles ranges i) - natural s.center) * natural (2 ^ fraction) +
      combined (fun b => natural (b.lower i) - natural s.center) (unitBands s fraction ranges.length 0)
            (deviationsOf s slots first ranges) =
          natural (2 ^ fraction) * (natural s.unit * slots (first + i)) := by
    have z : combined (fun b => natural (b.lower i) - natural s.center) (unitBands s fraction ranges.length 0)
        (deviationsOf s slots first ranges) = _ := z
    rw [z]
    unfold Scale.image
    exact (ring5 K m c t u x, (m - c) * t + t * (u * x + c - m), t * (u * x)) _ _ _ _ _
  unfold below above
  rw [upper, value]
  exact ⟨le_refl _, le_refl _⟩
theorem inputs_enclosed {s : Scale} {slots : Nat → K} {fraction first : Nat} {ranges : List Range}
    {constant : Memory} {columns : List Memory}
    (hr : RangesHold s slots first ranges)
    (hc : Holds s ranges.length constant ⟨middles ranges, middles ranges⟩)
    (hcs : Paired (Holds s ranges.length) columns (unitBands s fraction ranges.length 0)) :
    Enclosed s (2 ^ fraction) ranges.length (magnitudesOf ranges) (deviationsOf s slots first ranges)
    (fun i => slots (first + i)) constant columns :=
  ⟨⟨_, _, hc, hcs, fun _ hi _ => inputs_forms hi⟩, deviations_small ranges first hr⟩

/-! ### A part -/

/-- The property on one part, from the prepared layers; with `symbols`, undecided ReLUs get one. -/
def part (s : Scale) (slope fraction : Nat) (symbols strict : Bool) (alternatives : Nat) (layers : List Layer)
    (last : Substitution) (n : Nat) (columns : List Memory) (ranges : List Range) : Bool :=
  measure s ranges fun packed magnitudes => both (roomy s slope fraction magnitudes)
    (paired s n packed fun constant => Bool.rec (motive := fun _ => Memory → Bool)
      (fun constant => through s slope fraction magnitudes
          (fun constant' columns' => finish s fraction strict alternatives last magnitudes constant' columns')
          layers n constant columns)
      (fun constant => throughSymbols s slope fraction
          (fun magnitudes' constant' columns' =>
            finish s fraction strict alternatives last magnitudes' constant' columns') layers n magnitudes
          constant columns)
      symbols constant)

theorem part_sound {s : Scale} {slots z : Nat → K} {slope fraction m origin : Nat} {symbols : Bool}
    {p : Property} {layers : List Layer} {last : Substitution} {columns : List Memory} {ranges : List Range}
    (sf : s.Fits)
    (chain : Chain s z m layers (fun i => slots (origin + i)) ranges.length)
    (y : Nat → K)
    (hlast : last.Holds s z m y)
    (rows : last.rows = p.forms.rows)
    (whole : last.shift = 0)
    (signs : ∀ row, row < p.forms.rows → Signed p.strict (y row) → Signed p.strict (p.forms.form slots 0 row))
    (hcs : Paired (Holds s ranges.length) columns (unitBands s fraction ranges.length 0))
    (hr : RangesHold s slots origin ranges)
    (h :
      part s slope fraction symbols p.strict p.alternatives layers last ranges.length columns ranges = true) :
    p.Holds slots := by
  unfold part at h
  obtain ⟨top, h⟩ := measure_sound s ranges _ h
  obtain ⟨roomy, h⟩ := both_true h
  have r := roomy_sound roomy
  obtain ⟨constant, hc, h⟩ := paired_sound r
    (fun i hi => ⟨Natural.lt_of_le_of_lt (top i hi) r.top_lt, Natural.lt_of_le_of_lt (top i hi) r.top_lt⟩) h
  cases symbols with
  | false =>
    obtain ⟨constant', columns', hx, h⟩ := through_sound
      (next := fun c cs => finish s fraction p.strict p.alternatives last (magnitudesOf ranges) c cs) sf r
      layers _ _ constant columns (Chain.on sf _ _ _ chain) (inputs_enclosed hr hc hcs) h
    exact finish_sound sf r.half r.places hlast whole rows signs hx h
  | true =>
    obtain ⟨magnitudes', deviations', constant', columns', hx, h⟩ := throughSymbols_sound
      (next := fun ms c cs => finish s fraction p.strict p.alternatives last ms c cs) sf r.half r.top_lt
      layers _ _ _ _ constant columns chain (inputs_enclosed hr hc hcs) h
    exact finish_sound sf r.half r.places hlast whole rows signs hx h
end Forward
end PytestTorchLean
