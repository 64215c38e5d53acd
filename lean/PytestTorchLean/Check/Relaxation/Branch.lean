prelude
import PytestTorchLean.Check.Relaxation.Arrange
/-!
# Branches

Where a node reads the results of several others, `x + f(x)` say, a batch speaks of a run of slots that
reaches from the first of them to the last. It forks: the coefficients of the later slots go on through the
nodes that wrote these, the others wait. Once the former have come to where the latter stand, they are joined.
Whatever graph of nodes is passed, and however often it branches, forks and joins suffice.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### A longer run of slots -/

theorem pack_window {b n start length : Nat} (h : start + length ≤ n) (f : Nat → Nat) :
    pack b n (fun j => window start length j * f j) =
    2 ^ (b * start) * pack b length fun j => f (start + j) := by
  obtain ⟨rest, rfl⟩ := Nat.exists_of_le h
  have a : pack b start (fun j => window start length j * f j) = 0 :=
    (pack_congr fun j hj => by rw [window_before hj, Nat.zero_mul]).trans (pack_zero b start)
  have c : pack b rest (fun j => window start length (start + (length + j)) * f (start + (length + j))) = 0 :=
    (pack_congr fun j _ => by rw [window_behind, Nat.zero_mul]).trans (pack_zero b rest)
  have d : pack b length (fun j => window start length (start + j) * f (start + j)) =
      pack b length fun j => f (start + j) :=
    pack_congr fun j hj => by rw [window_inside hj, Nat.one_mul]
  rw [Nat.add_assoc, pack_append, pack_append, a, c, d, Nat.mul_zero, Nat.add_zero, Nat.zero_add]

/-- Row after row with `before` zeros in front; what follows them in the longer row is 0. -/
def padded (before length : Nat) (f : Nat → Nat → Nat) (r j : Nat) : Nat :=
  window before length j * f r (j - before)
theorem grid_padded_eq {b w n before length R : Nat} (h : before + length ≤ n) (f : Nat → Nat → Nat) :
    grid b w n R (padded before length f) = 2 ^ (b * before) * grid b w length R f := by
  unfold grid padded
  rw [← pack_mul]
  refine pack_congr fun r _ => ?_
  rw [pack_window h]
  exact congrArg (fun y => 2 ^ (b * before) * y) (pack_congr fun j _ => by rw [Natural.add_sub_cancel_left])
theorem padded_lt {before length n k : Nat} {f : Nat → Nat → Nat} {r : Nat}
    (h : ∀ j, j < length → f r j < 2 ^ k) (j : Nat) :
    padded before length f r j < 2 ^ k := by
  unfold padded
  cases Natural.le_or_lt before j with
  | inr g => rw [window_before g, Nat.zero_mul]; exact Natural.two_pow_pos k
  | inl g =>
    obtain ⟨i, rfl⟩ := Nat.exists_of_le g
    cases Natural.le_or_lt length i with
    | inl l =>
      obtain ⟨m, rfl⟩ := Nat.exists_of_le l
      rw [window_behind, Nat.zero_mul]
      exact Natural.two_pow_pos k
    | inr l => rw [window_inside l, Nat.one_mul, Natural.add_sub_cancel_left]; exact h i l
theorem form_padded {s : Scale} {slots : Nat → K} {n before length first : Nat} (h : before + length ≤ n)
    (f g : Nat → Nat → Nat) (r : Nat) :
    form n (padded before length f r) (padded before length g r) (values s slots first) =
    form length (f r) (g r) (values s slots (first + before)) := by
  unfold padded
  rw [form_window h]
  unfold form
  refine Columns.sum_congr fun j _ => ?_
  show (natural (f r (before + j - before)) - natural (g r (before + j - before))) *
    values s slots first (before + j) = _
  unfold values
  rw [Natural.add_sub_cancel_left, Nat.add_assoc]

/-- The batch over `count` slots from `first` on, with coefficient 0 for those that it does not speak of. -/
def widen (frame : Frame) (first count : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  both (both (Nat.ble first x.start) (Nat.ble (Nat.add x.start x.count) (Nat.add first count)))
    (force (fun unit => force (fun positive => force (fun negative =>
        next ⟨x.scale, x.weight, x.limit, first, count, x.size, positive, negative, x.gain, x.loss⟩)
      (Nat.mul unit x.negative)) (Nat.mul unit x.positive))
        (Nat.pow 2 (Nat.mul frame.digit (Nat.sub x.start first))))

/-- What `widen` decides. -/
theorem widened {first count start length : Nat}
    (h : both (Nat.ble first start) (Nat.ble (Nat.add start length) (Nat.add first count)) = true) :
    ∃ before, start = first + before ∧ before + length ≤ count := by
  obtain ⟨h1, h2⟩ := both_true h
  obtain ⟨before, rfl⟩ := Nat.exists_of_le (Nat.le_of_ble_eq_true h1)
  have h2 : first + before + length ≤ first + count := Nat.le_of_ble_eq_true h2
  refine ⟨before, rfl, ?_⟩
  rw [Nat.add_assoc] at h2
  exact Nat.le_of_succ_le_succ (Memory.lt_of_add_lt (c := first) (Nat.succ_le_succ h2))

theorem widen_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {first count : Nat} {x : Batch}
    {next : Batch → Bool} (hx : x.Holds s frame slots goal) (h : widen frame first count x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨before, hs, room⟩ := widened hc
  simp only [force_eq] at h
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  have shift : x.start.sub first = before := by rw [hs]; exact Natural.add_sub_cancel_left _ _
  rw [shift] at h
  refine ⟨_, ?_, h⟩
  refine ⟨padded before x.count f, padded before x.count g, c, d, ?_, ?_, p3, p4, fun r hr' => ?_⟩
  · show 2 ^ (frame.digit * before) * x.positive = _
    rw [p1, grid_padded_eq room]
  · show 2 ^ (frame.digit * before) * x.negative = _
    rw [p2, grid_padded_eq room]
  · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
    refine ⟨fun j _ => ⟨padded_lt (n := count) (fun i hi => (q1 i hi).1) j,
          padded_lt (n := count) (fun i hi => (q1 i hi).2) j⟩, q2, q3, ?_⟩
    show natural x.weight *
        form count (padded before x.count f r) (padded before x.count g r) (values s slots first) + _ ≤ _
    rw [form_padded room, ← hs]
    exact q4

/-! ### Batches that wait -/

/-- A batch that waits: times its weight it is what `goal` lacks of `whole`, times its scale. -/
def Batch.Waits (s : Scale) (frame : Frame) (slots goal whole : Nat → K) (x : Batch) : Prop :=
  ∃ f g : Nat → Nat → Nat,
    x.positive = grid frame.digit frame.width x.count frame.rows f ∧
      x.negative = grid frame.digit frame.width x.count frame.rows g ∧
    ∀ r, r < frame.rows → (∀ j, j < x.count → f r j < 2 ^ x.size ∧ g r j < 2 ^ x.size) ∧
      goal r =
        natural x.scale * whole r - natural x.weight * form x.count (f r) (g r) (values s slots x.start)

/-- Batches that wait, the last one first: the goals of the batch that goes on, and those of all. -/
def AllWait (s : Scale) (frame : Frame) (slots whole : Nat → K) : List Batch → (Nat → K) → Prop
  | [], goal => goal = whole
  | x :: rest, goal =>
    ∃ goal' : Nat → K, x.Waits s frame slots goal goal' ∧ AllWait s frame slots whole rest goal'

/-- Coefficients that are 0 wherever the packed ones are. -/
theorem grid_none {b w n R : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) (h : grid b w n R f = 0) :
    ∀ r, r < R → ∀ j, j < n → f r j = 0 := fun r hr j hj => by
  have rows := pack_injective (b := b * w) (m := R) (f := fun r => pack b n (f r)) (g := fun _ => 0)
    (fun i hi => row_lt hw (hf i hi)) (fun _ _ => Natural.two_pow_pos _) (h.trans (pack_zero _ R).symm) r hr
  exact pack_injective (b := b) (m := n) (f := f r) (g := fun _ => 0) (hf r hr)
    (fun _ _ => Natural.two_pow_pos b) (rows.trans (pack_zero b n).symm) j hj

/-- The coefficients of the slots from place `cut` on, and those of the first `keep` slots; between them all
    are 0. -/
def fork (frame : Frame) (keep cut : Nat) (x : Batch) (next : Batch → Batch → Bool) : Bool :=
  both (both (both (Nat.ble (Nat.succ x.size) frame.digit) (Nat.ble x.count frame.width))
      (both (Nat.ble keep cut) (Nat.ble cut x.count)))
    (force (fun between => force (fun count => force (fun start =>
        both (both (Nat.beq (cutOut frame.digit frame.width frame.rows x.positive keep between) 0)
            (Nat.beq (cutOut frame.digit frame.width frame.rows x.negative keep between) 0))
          (force
              (fun firstPositive => force (fun firstNegative => force (fun positive => force (fun negative =>
              next ⟨1, x.weight, x.limit, start, count, x.size, positive, negative, x.gain, x.loss⟩
                ⟨x.scale, x.weight, 0, x.start, keep, x.size, firstPositive, firstNegative, 0, 0⟩)
            (cutOut frame.digit frame.width frame.rows x.negative cut count))
              (cutOut frame.digit frame.width frame.rows x.positive cut count))
            (cutOut frame.digit frame.width frame.rows x.negative 0 keep))
                (cutOut frame.digit frame.width frame.rows x.positive 0 keep)))
      (Nat.add x.start cut)) (Nat.sub x.count cut)) (Nat.sub cut keep))

/-- Of a row that reads the results of several nodes one part may wait while the other goes on. -/
theorem fork_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {keep cut : Nat} {x : Batch}
    {next : Batch → Batch → Bool} (hx : x.Holds s frame slots goal) (h : fork frame keep cut x next = true) :
    ∃ y low : Batch, ∃ goal' : Nat → K,
      y.Holds s frame slots goal' ∧ low.Waits s frame slots goal' goal ∧ next y low = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨h1, h2⟩ := both_true hc
  obtain ⟨c1, c2⟩ := both_true h1
  obtain ⟨c3, c4⟩ := both_true h2
  have c1 : x.size + 1 ≤ frame.digit := Nat.le_of_ble_eq_true c1
  have c2 : x.count ≤ frame.width := Nat.le_of_ble_eq_true c2
  obtain ⟨between, hb⟩ := Nat.exists_of_le (Nat.le_of_ble_eq_true c3)
  obtain ⟨count, hn⟩ := Nat.exists_of_le (Nat.le_of_ble_eq_true c4)
  simp only [force_eq] at h
  have e1 : cut.sub keep = between := by rw [hb]; exact Natural.add_sub_cancel_left _ _
  have e2 : x.count.sub cut = count := by rw [hn]; exact Natural.add_sub_cancel_left _ _
  rw [e1, e2] at h
  obtain ⟨hz, h⟩ := both_true h
  obtain ⟨z1, z2⟩ := both_true hz
  have z1 := Nat.eq_of_beq_eq_true z1
  have z2 := Nat.eq_of_beq_eq_true z2
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  have digit : 0 < frame.digit := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le _)) c1
  have sizeLe : x.size ≤ frame.digit := Nat.le_trans (Nat.le_add_right _ 1) c1
  have fw : ∀ r, r < frame.rows → ∀ j, j < x.count → f r j < 2 ^ frame.digit := fun r hr' j hj =>
    Natural.lt_of_lt_of_le ((hr r hr').1 j hj).1 (Natural.two_pow_le sizeLe)
  have gw : ∀ r, r < frame.rows → ∀ j, j < x.count → g r j < 2 ^ frame.digit := fun r hr' j hj =>
    Natural.lt_of_lt_of_le ((hr r hr').1 j hj).2 (Natural.two_pow_le sizeLe)
  have total : x.count = keep + (between + count) := by rw [hn, hb, Nat.add_assoc]
  have in1 : 0 + keep ≤ x.count := by rw [total, Nat.zero_add]; exact Nat.le_add_right _ _
  have in2 : keep + between ≤ x.count := by rw [hn, hb]; exact Nat.le_add_right _ _
  have in3 : cut + count ≤ x.count := Natural.le_of_eq hn.symm
  rw [p1, cutOut_eq digit c2 fw in2] at z1
  rw [p2, cutOut_eq digit c2 gw in2] at z2
  have room : between ≤ frame.width := Nat.le_trans (Nat.le_trans (Nat.le_add_left between keep) in2) c2
  have inside : ∀ j, j < between → keep + j < x.count :=
    fun j hj => Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := keep)) hj) in2
  have n1 := grid_none (f := fun r j => f r (keep + j)) room (fun r hr' j hj => fw r hr' _ (inside j hj)) z1
  have n2 := grid_none (f := fun r j => g r (keep + j)) room (fun r hr' j hj => gw r hr' _ (inside j hj)) z2
  rw [p1, p2, cutOut_eq digit c2 fw in1, cutOut_eq digit c2 gw in1, cutOut_eq digit c2 fw in3,
      cutOut_eq digit c2 gw in3] at h
  have late : ∀ j,
    j < count → cut + j < x.count := fun j hj => Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := cut)) hj) in3
  have early :
    ∀ j, j < keep → 0 + j < x.count := fun j hj => Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := 0)) hj) in1
  refine ⟨_, _, fun r => natural x.scale * goal r -
      natural x.weight * form keep (fun j => f r (0 + j)) (fun j => g r (0 + j)) (values s slots x.start), ?_,
      ?_, h⟩
  · refine ⟨_, _, c, d, rfl, rfl, p3, p4, fun r hr' => ?_⟩
    obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
    refine ⟨fun j hj => q1 _ (late j hj), q2, q3, ?_⟩
    have split : form x.count (f r) (g r) (values s slots x.start) =
      form keep (fun j => f r (0 + j)) (fun j => g r (0 + j)) (values s slots x.start) +
        form count (fun j => f r (cut + j)) (fun j => g r (cut + j)) (values s slots (x.start + cut)) := by
      unfold form
      rw [total, sum_append, sum_append]
      have a : (sum between fun i =>
              (natural (f r (keep + i)) - natural (g r (keep + i))) * values s slots x.start (keep + i)) =
          0 :=
        (Columns.sum_congr fun i hi => by
          rw [n1 r hr' i hi, n2 r hr' i hi]
          show ((0 : K) - 0) * _ = 0
          exact (ring1 K v, (0 - 0) * v, 0) _).trans (sum_zero (K := K) between)
      rw [a, zero_add]
      refine congr (congrArg _ (Columns.sum_congr fun j _ => ?_)) (Columns.sum_congr fun j _ => ?_)
      · show _ = (natural (f r (0 + j)) - natural (g r (0 + j))) * values s slots x.start j
        rw [Nat.zero_add]
      · have place : keep + (between + j) = cut + j := by rw [hb, Nat.add_assoc]
        unfold values
        rw [place, Nat.add_assoc x.start]
    show natural x.weight *
          form count (fun j => f r (cut + j)) (fun j => g r (cut + j)) (values s slots (x.start + cut)) +
        natural (c r) ≤ natural 1 * _ + natural (d r)
    rw [split] at q4
    refine le_cert ?_ (sub_nonneg q4)
    exact (ring8 K w l h c s g d o, 1 * (s * g - w * l) + d - (w * h + c), s * g + d - (w * (l + h) + c)) _ _
      _ _ _ _ _ 0
  · refine ⟨_, _, rfl, rfl, fun r hr' => ?_⟩
    exact ⟨fun j hj => (hr r hr').1 _ (early j hj), rfl⟩

/-- A batch and one that waited for it: `own` times the coefficients of the one, `other` times those of the
    other. -/
def join (frame : Frame) (weight own other size : Nat) (x low : Batch) (next : Batch → Bool) : Bool :=
  both (both (both (Nat.ble (Nat.succ size) frame.digit) (Nat.ble x.count frame.width))
      (both (Nat.beq (Nat.mul weight own) x.weight)
      (both (Nat.beq (Nat.mul weight other) (Nat.mul x.scale low.weight))
            (Nat.ble
              (Nat.succ (Nat.add (Nat.mul own (Nat.pow 2 x.size)) (Nat.mul other (Nat.pow 2 low.size))))
              (Nat.pow 2 size)))))
    (both (both (Nat.ble x.start low.start) (Nat.ble (Nat.add low.start low.count) (Nat.add x.start x.count)))
      (force (fun factor =>
            force (fun p => force (fun q => force (fun positive => force (fun negative => force (fun scale =>
          next ⟨scale, weight, x.limit, x.start, x.count, size, positive, negative, x.gain, x.loss⟩)
          (Nat.mul x.scale low.scale))
          (minus frame.digit frame.width x.count frame.rows size q p))
            (minus frame.digit frame.width x.count frame.rows size p q))
          (Nat.add (Nat.mul own x.negative) (Nat.mul factor low.negative)))
            (Nat.add (Nat.mul own x.positive) (Nat.mul factor low.positive)))
        (Nat.mul other (Nat.pow 2 (Nat.mul frame.digit (Nat.sub low.start x.start))))))

/-- Once the rows have come to where a part waits, the two are added. -/
theorem join_sound {s : Scale} {frame : Frame} {slots goal whole : Nat → K} {weight own other size : Nat}
    {x low : Batch} {next : Batch → Bool}
    (hx : x.Holds s frame slots goal)
    (hl : low.Waits s frame slots goal whole)
    (h : join frame weight own other size x low next = true) :
    ∃ y : Batch, y.Holds s frame slots whole ∧ next y = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hw, h⟩ := both_true h
  obtain ⟨before, hs, room⟩ := widened hw
  obtain ⟨h1, h2⟩ := both_true hc
  obtain ⟨c1, c2⟩ := both_true h1
  obtain ⟨c3, h2⟩ := both_true h2
  obtain ⟨c4, c5⟩ := both_true h2
  have c1 : size + 1 ≤ frame.digit := Nat.le_of_ble_eq_true c1
  have c2 : x.count ≤ frame.width := Nat.le_of_ble_eq_true c2
  have c3 : weight * own = x.weight := Nat.eq_of_beq_eq_true c3
  have c4 : weight * other = x.scale * low.weight := Nat.eq_of_beq_eq_true c4
  have c5 : own * 2 ^ x.size + other * 2 ^ low.size < 2 ^ size := Nat.le_of_ble_eq_true c5
  simp only [force_eq] at h
  have shift : low.start.sub x.start = before := by rw [hs]; exact Natural.add_sub_cancel_left _ _
  rw [shift] at h
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  obtain ⟨f', g', l1, l2, hr''⟩ := hl
  have sum : ∀ {a a' : Nat → Nat → Nat} {m m' : Nat}, m = grid frame.digit frame.width x.count frame.rows a →
    m' = grid frame.digit frame.width low.count frame.rows a' →
      Nat.add (Nat.mul own m) (Nat.mul (Nat.mul other (Nat.pow 2 (Nat.mul frame.digit before))) m') =
        grid frame.digit frame.width x.count frame.rows fun r j =>
            own * a r j + other * padded before low.count a' r j := fun e e' => by
    rw [grid_add, grid_mul, grid_mul, grid_padded_eq room, ← e, ← e', ← Nat.mul_assoc]; rfl
  have less :
      ∀ {a a' : Nat}, a < 2 ^ x.size → a' < 2 ^ low.size → own * a + other * a' < 2 ^ size := fun u v =>
    Natural.lt_of_le_of_lt (Nat.add_le_add (Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt u))
        (Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt v))) c5
  have fw : ∀ r, r < frame.rows →
      ∀ j, j < x.count → own * f r j + other * padded before low.count f' r j < 2 ^ size := fun r hr' j hj =>
    less ((hr r hr').1 j hj).1 (padded_lt (n := x.count) (fun i hi => ((hr'' r hr').1 i hi).1) j)
  have gw : ∀ r, r < frame.rows →
      ∀ j, j < x.count → own * g r j + other * padded before low.count g' r j < 2 ^ size := fun r hr' j hj =>
    less ((hr r hr').1 j hj).2 (padded_lt (n := x.count) (fun i hi => ((hr'' r hr').1 i hi).2) j)
  rw [sum p1 l1, sum p2 l2, minus_eq c2 c1 fw gw, minus_eq c2 c1 gw fw] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, c, d, rfl, rfl, p3, p4, fun r hr' => ?_⟩
  obtain ⟨_, q2, q3, q4⟩ := hr r hr'
  refine ⟨fun j hj => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _) (fw r hr' j hj),
        Natural.lt_of_le_of_lt (Natural.sub_le _ _) (gw r hr' j hj)⟩, q2, q3, ?_⟩
  rw [form_cancel]
  obtain ⟨_, same⟩ := hr'' r hr'
  rw [same, hs, ← form_padded room f' g' r] at q4
  show natural weight * form x.count (fun j => own * f r j + other * padded before low.count f' r j)
          (fun j => own * g r j + other * padded before low.count g' r j) (values s slots x.start) +
      natural (c r) ≤ natural (x.scale * low.scale) * whole r + natural (d r)
  have scaled : form x.count (fun j => own * f r j + other * padded before low.count f' r j)
    (fun j => own * g r j + other * padded before low.count g' r j) (values s slots x.start) =
      natural own * form x.count (f r) (g r) (values s slots x.start) +
        natural other * form x.count (padded before low.count f' r) (padded before low.count g' r)
              (values s slots x.start) := by
    rw [form_add]
    unfold form
    rw [← sum_mul, ← sum_mul]
    refine congr (congrArg _ (Columns.sum_congr fun j _ => ?_)) (Columns.sum_congr fun j _ => ?_)
    · rw [natural_mul, natural_mul]
      exact (ring4 K o a b v, (o * a - o * b) * v, o * ((a - b) * v)) _ _ _ _
    · rw [natural_mul, natural_mul]
      exact (ring4 K o a b v, (o * a - o * b) * v, o * ((a - b) * v)) _ _ _ _
  have e3 : (natural weight * natural own : K) = natural x.weight := by rw [← natural_mul, c3]
  have e4 : (natural weight * natural other : K) = natural x.scale * natural low.weight := by
    rw [← natural_mul, c4, natural_mul]
  rw [scaled, mul_add, ← mul_assoc, ← mul_assoc, e3, e4, natural_mul,
      mul_assoc (natural x.scale) (natural low.weight)]
  generalize natural low.weight *
      form x.count (padded before low.count f' r) (padded before low.count g' r) (values s slots x.start) =
    m at q4 ⊢
  refine le_cert ?_ (sub_nonneg q4)
  exact (ring8 K w a s t m g c d, s * t * g + d - (w * a + s * m + c), s * (t * g - m) + d - (w * a + c)) _ _
    _ _ _ _ _ _

end Relaxation
end PytestTorchLean
