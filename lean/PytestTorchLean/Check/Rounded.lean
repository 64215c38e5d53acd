prelude
import PytestTorchLean.Check.Corners
import PytestTorchLean.Check.Passed
/-!
# Bounds of an affine node in binary32, for every order of summation

The error of a row is a small multiple of the sum of its products' absolute values. It is bounded in one of two
ways. If no slot that the node reads is further from 0 than a radius, that sum is the radius times the sum of
the absolute weights, which interval arithmetic forms anyway. Or every absolute weight is charged with the
magnitude of the slot it reads, which takes one more pass over the columns and is several times tighter; the
rows' bounds then charge each slot with the magnitude of that bound which they take it at (Check/Corners).
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Affine

/-! ### The errors of all rows -/

/-- The error of a row for each unit of its absolute weights, when all sources lie within the radius. -/
def errorFactor (a : Affine) (radius : Nat) : Nat := Nat.succ (Nat.div (Nat.mul (relativeError a.columns a.divisor) radius) (2 ^ 48))
/-- The part of a row's error that underflow causes. -/
def errorLoss (s : Scale) (a : Affine) (d : Decoding) : Nat := Nat.succ (Nat.div (Nat.mul (underflow a.columns a.divisor) s.unit) (2 ^ (d.base - 1)))
/-- No error is larger, if no unit of weight is charged more than `factor`. -/
def errorLimit (s : Scale) (a : Affine) (d : Decoding) (factor : Nat) : Nat := factor * (a.columns * (2 ^ d.bits + 2 ^ d.bits)) + errorLoss s a d

/-- The conditions on a node whose errors are bounded. -/
def roundable (s : Scale) (a : Affine) (d : Decoding) : Bool :=
  both (both (Nat.ble 1 s.half) (Nat.ble (Nat.succ s.top) (Nat.pow 2 (Nat.sub s.half 1))))
    (both (Nat.ble a.columns (2 ^ 22)) (Nat.ble (Nat.succ ((2 ^ 48 + growth a.columns) * (2 ^ (d.base - 1) * Linear.reach s (2 ^ d.bits) a.columns) +
      2 ^ 48 * (a.columns + a.columns) * s.unit)) (2 ^ 48 * s.unit * overflowThreshold)))

/-- Write the rows that the memory `read` gives, moved outward by `slack`, behind the memory `direct`. -/
def writeRows [Prepared] (s : Scale) (a : Affine) (d : Decoding) (limit center read readMirrored slack direct mirrored start : Nat) (columns : List Column) (masses : Nat)
    (next : Nat → Nat → Nat → Bool) : Bool :=
  force (fun stride => force (fun b => force (fun e => force (fun offset => force (fun mass => force (fun bounds =>
        Rows.write s b e offset limit (a.rows * a.positions) bounds mass (extend stride (a.rows * a.positions) direct mirrored start next))
      (Nat.add (boundsOf stride b read readMirrored start a columns) (Nat.mul (Nat.pow 2 s.half) (Nat.add slack slack))))
      (Nat.add (Nat.mul center (Nat.mul masses (ones (32 * a.lanes * a.rows) a.positions))) slack)) (e * s.center))
      (a.divisor * 2 ^ (150 - d.base))) (32 * a.lanes)) s.stride

/-- Widen the rows by their errors, `most` at most, and write them. -/
def widen [Prepared] (s : Scale) (a : Affine) (d : Decoding) (direct mirrored start : Nat) (columns : List Column) (masses most : Nat) (next : Nat → Nat → Nat → Nat → Bool)
    (error : Nat) : Bool :=
  both (Nat.ble (Nat.succ (Linear.reach s (2 ^ d.bits) a.columns + (most + most))) (2 ^ s.half))
    (writeRows s a d (Linear.reach s (2 ^ d.bits) a.columns + (most + most)) s.center direct mirrored error direct mirrored start columns masses (next error))

/-- Move the memory's bounds outward by their own charges, and write the rows that it gives. -/
def enclose [Prepared] (s : Scale) (a : Affine) (d : Decoding) (direct mirrored start : Nat) (columns : List Column) (masses loss : Nat) (next : Nat → Nat → Nat → Nat → Bool)
    (margin error : Nat) : Bool :=
  both (both (Nat.ble (Nat.succ (s.raised margin).top) (2 ^ s.half))
      (Nat.ble (Nat.succ (Linear.reach (s.raised margin) (2 ^ d.bits) a.columns + (loss + loss))) (2 ^ s.half)))
    (outward s (relativeError a.columns a.divisor) margin start direct (fun read readMirrored => force (fun slack =>
        writeRows s a d (Linear.reach (s.raised margin) (2 ^ d.bits) a.columns + (loss + loss)) (s.raised margin).center read readMirrored slack
          direct mirrored start columns masses (next error))
      (Nat.mul loss (ones (32 * a.lanes) (a.rows * a.positions)))))

/-- All rows' errors from one radius of the sources. -/
def coarse (s : Scale) (a : Affine) (step : Step) (direct start masses : Nat) (next : Nat → Nat → Bool) : Bool :=
  both (both (Nat.ble step.radius s.center) (both (sourcesFrom step.first start (a.columns * a.positions) a.sources)
      (both (slotsWithin s step.radius 0 2 direct) (slotsWithin s step.radius step.first (start - step.first) direct))))
    (force (fun most => force (fun error => next most error)
      (Nat.add (Nat.mul (errorFactor a step.radius) (Nat.mul masses (ones (32 * a.lanes * a.rows) a.positions)))
        (Nat.mul (errorLoss s a step.decoding) (ones (32 * a.lanes) (a.rows * a.positions)))))
      (errorLimit s a step.decoding (errorFactor a step.radius)))

/-- The most that a unit of weight is charged. -/
def mostCharged (s : Scale) (a : Affine) : Nat := Nat.succ (Nat.div (relativeError a.columns a.divisor * s.top) (2 ^ 48))

/-- All rows' errors from the magnitude of each source. -/
def fine (s : Scale) (a : Affine) (step : Step) (direct start : Nat) (columns : List Column) (next : Nat → Nat → Bool) : Bool :=
  both (both (Nat.ble 48 s.stride) (Nat.ble (relativeError a.columns a.divisor * s.top + 2 ^ 48) (2 ^ s.stride)))
    (force (fun margin => force (fun stride => force (fun b => force (fun charged => force (fun error => next margin error)
      (Nat.add (chargeAll stride b a.rows (32 * a.columns) charged columns a.positions a.sources)
        (Nat.mul (errorLoss s a step.decoding) (ones b (a.rows * a.positions)))))
      (charges s (relativeError a.columns a.divisor) start direct)) (32 * a.lanes)) s.stride)
      (mostCharged s a))

/-- Bounds of the outputs of an affine node, and the error radii of its rows. -/
def runRounded [Prepared] (s : Scale) (a : Affine) (step : Step) (direct mirrored start : Nat) (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => both (both (fits s a step.decoding start) (Nat.ble 1 (32 * a.lanes * a.rows))) (both (roundable s a step.decoding)
      (Bool.rec (motive := fun _ => Bool)
        (coarse s a step direct start (Prepared.summed a step.decoding lanes).masses
          (fun most error => widen s a step.decoding direct mirrored start (Prepared.summed a step.decoding lanes).columns (Prepared.summed a step.decoding lanes).masses most next error))
        (fine s a step direct start (Prepared.summed a step.decoding lanes).columns
          (fun margin error => force (fun loss => enclose s a step.decoding direct mirrored start (Prepared.summed a step.decoding lanes).columns
            (Prepared.summed a step.decoding lanes).masses loss next margin error) (errorLoss s a step.decoding)))
        (Nat.beq step.radius 0))))
    (Prepared.columns a step.decoding)

/-! ### Soundness -/

theorem ceiling {n e : Nat} (he : 0 < e) : n ≤ e * (n / e + 1) := by
  refine Nat.le_trans (Rows.lt_mul_div n e he) ?_
  rw [Nat.mul_succ]
  exact Nat.add_le_add Nat.le.refl (Natural.sub_le e 1)

theorem mass_le {b rows bound i : Nat} (hi : i < rows) : (cs : List Column) → (ds : List Digits) → Packed b rows bound cs ds →
    Linear.mass ds i ≤ cs.length * (bound + bound)
  | [], [], _ => Nat.zero_le _
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨_, _, hd⟩, ht⟩ := h
    show d.positive i + d.negative i + Linear.mass ds i ≤ (cs.length + 1) * (bound + bound)
    rw [Nat.succ_mul, Nat.add_comm (cs.length * _)]
    exact Nat.add_le_add (Nat.add_le_add (hd i hi).1 (hd i hi).2) (mass_le hi cs ds ht)
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem weight_constant (radius i : Nat) : (ds : List Digits) → (source : Nat → Nat) → Columns.weight (fun _ => radius) ds source i = radius * Linear.mass ds i
  | [], _ => rfl
  | d :: ds, source => by
    show radius * (d.positive i + d.negative i) + Columns.weight (fun _ => radius) ds _ i = radius * (d.positive i + d.negative i + Linear.mass ds i)
    rw [weight_constant radius i ds, ← Nat.mul_add]

/-- The rows of a vector, position after position. -/
theorem repeated {b rows : Nat} (f : Nat → Nat) : (m : Nat) → pack b rows f * pack (b * rows) m (fun _ => 1) = pack b (rows * m) (fun i => f (i % rows))
  | 0 => rfl
  | m + 1 => by
    have hcount : rows * (m + 1) = rows + rows * m := by rw [Nat.mul_succ, Nat.add_comm]
    rw [pack_succ, Nat.mul_add, Natural.mul_one, Nat.mul_left_comm, repeated f m, hcount]
    refine Memory.pack_splice (fun i h => by rw [Natural.mod_eq_self h]) (fun i h => ?_)
    have pos : 0 < rows := by
      cases rows with
      | zero => rw [Nat.zero_mul] at h; exact absurd h (Nat.not_succ_le_zero i)
      | succ r => exact Nat.succ_le_succ (Nat.zero_le r)
    obtain ⟨q, r, e, lt⟩ := Natural.euclid pos i
    have e2 : rows + (r + rows * q) = r + rows * (q + 1) := by
      rw [Nat.mul_succ]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    rw [e, e2, Natural.add_mul_mod _ lt, Natural.add_mul_mod _ lt]

/-- Rounded values within their radii lie in the widened bounds. -/
theorem widened_values {s : Scale} {slots value : Nat → K} {e n : Nat} {low high mass error : Nat → Nat}
    (h : ∀ i, i < n → natural (low i) ≤ natural s.unit * value i + natural (mass i) ∧ natural s.unit * value i + natural (mass i) ≤ natural (high i))
    (near : ∀ i, i < n → AtMost (natural s.unit * (natural e * slots i - value i)) (natural (error i))) :
    ∀ i, i < n → natural (low i) ≤ natural s.unit * (natural e * slots i) + natural (mass i + error i) ∧
      natural s.unit * (natural e * slots i) + natural (mass i + error i) ≤ natural (high i + (error i + error i)) := by
  intro i hi
  obtain ⟨h1, h2⟩ := h i hi
  obtain ⟨n1, n2⟩ := near i hi
  rw [natural_add (mass i), natural_add (high i), natural_add (error i)]
  generalize (natural s.unit : K) = u at *
  generalize natural e * slots i = y at *
  generalize value i = c at *
  generalize (natural (mass i) : K) = m at *
  generalize (natural (error i) : K) = r at *
  constructor
  · refine le_cert ?_ (add_nonneg (sub_nonneg h1) (sub_nonneg n2))
    rw [(ring4 K u y c r, r - -(u * (y - c)), r + u * y - u * c) u y c r]
    exact (ring5 K a l m r b, a + (m + r) - l, b + m - l + (r + a - b)) (u * y) (natural (low i)) m r (u * c)
  · refine le_cert ?_ (add_nonneg (sub_nonneg h2) (sub_nonneg n1))
    rw [(ring4 K u y c r, r - u * (y - c), r - u * y + u * c) u y c r]
    exact (ring5 K a l m r b, l + (r + r) - (a + (m + r)), l - (b + m) + (r - a + b)) (u * y) (natural (high i)) m r (u * c)

/-- A position and a row make up an index. -/
theorem index_lt {a : Affine} {position row : Nat} (h1 : position < a.positions) (h2 : row < a.rows) : row + a.rows * position < a.rows * a.positions := by
  refine Nat.le_trans ?_ (Nat.mul_le_mul (Nat.le.refl (n := a.rows)) h1)
  show row + a.rows * position + 1 ≤ a.rows * position + a.rows
  rw [Nat.add_comm row, Nat.add_assoc]
  exact Nat.add_le_add Nat.le.refl h2
/-- Every index is made up of a position and a row. -/
theorem index_cases {a : Affine} {i : Nat} (hi : i < a.rows * a.positions) : ∃ position row, position < a.positions ∧ row < a.rows ∧ i = row + a.rows * position := by
  have pos : 0 < a.rows := by
    cases g : a.rows with
    | zero => rw [g, Nat.zero_mul] at hi; exact absurd hi (Nat.not_succ_le_zero i)
    | succ r => exact Nat.succ_le_succ (Nat.zero_le r)
  obtain ⟨q, r, e, lt⟩ := Natural.euclid pos i
  subst e
  refine ⟨q, r, ?_, lt, rfl⟩
  have z := Natural.div_lt pos hi
  rw [Natural.add_mul_div _ lt] at z; exact z

/-- What `fits` says. -/
theorem fits_says {s : Scale} {a : Affine} {d : Decoding} {start : Nat} (hf : fits s a d start = true) :
    s.half + s.half ≤ 32 * a.lanes ∧ 0 < a.divisor * 2 ^ (150 - d.base) ∧ Linear.reach s (2 ^ d.bits) a.columns < 2 ^ s.half ∧
      ∀ i, i < a.columns * a.positions → word a.sources i < start := by
  obtain ⟨f1, hf⟩ := both_true hf
  obtain ⟨_, hf⟩ := both_true hf
  obtain ⟨_, hf⟩ := both_true hf
  obtain ⟨f4, hf⟩ := both_true hf
  obtain ⟨f5, f6⟩ := both_true hf
  exact ⟨Nat.le_of_ble_eq_true f1, Nat.mul_le_mul (a := 1) (c := 1) (Nat.le_of_ble_eq_true f4) (Natural.two_pow_pos (150 - d.base)),
    Nat.le_of_ble_eq_true f5, wordsBelow_sound start _ _ f6⟩

/-- All slots that a position reads have been written. -/
theorem reads_below {a : Affine} {b bound start position : Nat} {columns : List Column} {ds : List Digits} (hlen : columns.length = a.columns) (hp : Packed b a.rows bound columns ds)
    (below : ∀ i, i < a.columns * a.positions → word a.sources i < start) (h : position < a.positions) :
    ∀ k, k < ds.length → word a.sources (a.columns * position + k) < start := fun k hk => by
  rw [← Columns.packed_length _ _ hp, hlen] at hk
  refine below _ (Nat.le_trans ?_ (Nat.mul_le_mul Nat.le.refl h))
  show a.columns * position + (k + 1) ≤ a.columns * position + a.columns
  exact Nat.add_le_add Nat.le.refl hk

/-- From rows that leave room for the rounding to bounds of the rounded value. -/
theorem enclosed_values {unit y v r w : K} {loss center mass low high : Nat}
    (near : AtMost (natural (2 ^ 48) * (unit * (y - v))) (r * w + natural (2 ^ 48) * natural loss))
    (b1 : natural (2 ^ 48) * natural low + r * w ≤ natural (2 ^ 48) * (unit * v + natural center * natural mass))
    (b2 : natural (2 ^ 48) * (unit * v + natural center * natural mass) + r * w ≤ natural (2 ^ 48) * natural high) :
    natural low ≤ unit * y + natural (center * mass + loss) ∧ unit * y + natural (center * mass + loss) ≤ natural (high + (loss + loss)) := by
  obtain ⟨n1, n2⟩ := near
  rw [natural_add (center * mass), natural_add high, natural_add loss, natural_mul center]
  have e : unit * (y - v) = unit * y - unit * v := (ring3 K u y v, u * (y - v), u * y - u * v) _ _ _
  rw [e] at n1 n2
  generalize unit * y = y at *
  generalize unit * v = v at *
  generalize natural center * (natural mass : K) = m at *
  generalize (natural loss : K) = o at *
  generalize r * w = w at *
  constructor
  · refine cancel_natural (Natural.two_pow_pos 48) (le_cert ?_ (add_nonneg (sub_nonneg b1) (sub_nonneg n2)))
    generalize (natural (2 ^ 48) : K) = q
    have x := (ring5 K q l m o y, q * (y + (m + o)) - q * l, q * (m - l) + q * (o + y)) q (natural low) m o y
    rw [x]
    have z := (ring5 K q v a b w, q * a + q * b, q * (v + a) - w + (w + q * (b - v))) q v (m - natural low) (o + y) w
    rw [z]
    have t := (ring5 K q l m v w, q * (v + (m - l)) - w, q * (v + m) - (q * l + w)) q (natural low) m v w
    have t2 := (ring5 K q o y v w, w + q * (o + y - v), w + q * o - -(q * (y - v))) q o y v w
    rw [t, t2]
  · refine cancel_natural (Natural.two_pow_pos 48) (le_cert ?_ (add_nonneg (sub_nonneg b2) (sub_nonneg n1)))
    generalize (natural (2 ^ 48) : K) = q
    have x := (ring5 K q h m o y, q * (h + (o + o)) - q * (y + (m + o)), q * (h - m) + q * (o - y)) q (natural high) m o y
    rw [x]
    have z := (ring5 K q v a b w, q * a + q * b, q * (a - v) - w + (w + q * (b + v))) q v (natural high - m) (o - y) w
    rw [z]
    have t := (ring5 K q h m v w, q * (h - m - v) - w, q * h - (q * (v + m) + w)) q (natural high) m v w
    have t2 := (ring5 K q o y v w, w + q * (o - y + v), w + q * o - q * (y - v)) q o y v w
    rw [t, t2]

/-- Rows of which each end is known to lie beyond the values, once they are moved outward. -/
theorem writeRows_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding} {limit center read readMirrored slack direct mirrored start : Nat} {columns : List Column} {ds : List Digits}
    {low high slacks : Nat → Nat} {next : Nat → Nat → Nat → Bool} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots start)
    (f1 : s.half + s.half ≤ 32 * a.lanes) (e_pos : 0 < a.divisor * 2 ^ (150 - d.base)) (wide : 1 ≤ 32 * a.lanes * a.rows)
    (hp : Packed (32 * a.lanes) a.rows (2 ^ d.bits) columns ds) (small : limit < 2 ^ s.half)
    (hb : boundsOf s.stride (32 * a.lanes) read readMirrored start a columns = pack (32 * a.lanes) (a.rows * a.positions) (fun i => low i + 2 ^ s.half * high i))
    (hk : slack = pack (32 * a.lanes) (a.rows * a.positions) slacks)
    (room : ∀ i, i < a.rows * a.positions → low i ≤ limit ∧ high i + (slacks i + slacks i) ≤ limit ∧ center * Linear.mass ds (i % a.rows) + slacks i ≤ limit)
    (values : ∀ i, i < a.rows * a.positions →
      natural (low i) ≤ natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + i)) + natural (center * Linear.mass ds (i % a.rows) + slacks i) ∧
      natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + i)) + natural (center * Linear.mass ds (i % a.rows) + slacks i) ≤ natural (high i + (slacks i + slacks i)))
    (h : writeRows s a d limit center read readMirrored slack direct mirrored start columns (Linear.masses columns) next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧ next direct' mirrored' (start + (Node.affine a).size) = true := by
  unfold writeRows at h
  simp only [force_eq] at h
  have size : start + (Node.affine a).size = start + a.rows * a.positions := by
    show start + a.positions * a.rows = _; rw [Nat.mul_comm]
  rw [size]
  rw [hb, hk] at h
  have e_high : Nat.add (pack (32 * a.lanes) (a.rows * a.positions) (fun i => low i + 2 ^ s.half * high i)) (Nat.mul (Nat.pow 2 s.half)
      (Nat.add (pack (32 * a.lanes) (a.rows * a.positions) slacks) (pack (32 * a.lanes) (a.rows * a.positions) slacks))) =
      pack (32 * a.lanes) (a.rows * a.positions) (fun i => low i + 2 ^ s.half * (high i + (slacks i + slacks i))) := by
    show pack (32 * a.lanes) _ _ + 2 ^ s.half * (pack (32 * a.lanes) _ slacks + pack (32 * a.lanes) _ slacks) = _
    rw [← pack_add, ← pack_mul, ← pack_add]
    exact pack_congr fun i _ => by rw [Nat.mul_add (2 ^ s.half) (high i)]; exact Nat.add_assoc _ _ _
  have e_mass : Nat.add (Nat.mul center (Nat.mul (Linear.masses columns) (ones (32 * a.lanes * a.rows) a.positions))) (pack (32 * a.lanes) (a.rows * a.positions) slacks) =
      pack (32 * a.lanes) (a.rows * a.positions) (fun i => center * Linear.mass ds (i % a.rows) + slacks i) := by
    show center * (Linear.masses columns * ones (32 * a.lanes * a.rows) a.positions) + _ = _
    rw [Linear.masses_eq _ ds hp, ones_eq wide, repeated, ← pack_mul, ← pack_add]
  rw [e_high, e_mass] at h
  obtain ⟨tail, tailMirrored, m1, m2⟩ := Rows.write_sound (slots := fun i => slots (start + i)) sf f1 e_pos small room (bounded_values values) h
  rw [Affine.extend_eq] at m2
  exact ⟨_, _, Memory.append_holds hm m1, m2⟩

/-- Rows that lie within their errors of what the weights say. -/
theorem widen_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding} {direct mirrored start most error : Nat} {columns : List Column} {ds : List Digits}
    {radii : Nat → Nat} {next : Nat → Nat → Nat → Nat → Bool} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots start)
    (hf : fits s a d start = true) (wide : 1 ≤ 32 * a.lanes * a.rows)
    (hlen : columns.length = a.columns) (hp : Packed (32 * a.lanes) a.rows (2 ^ d.bits) columns ds)
    (he : error = pack (32 * a.lanes) (a.rows * a.positions) radii) (small : ∀ i, i < a.rows * a.positions → radii i ≤ most)
    (near : ∀ position row, position < a.positions → row < a.rows →
      AtMost (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + (row + a.rows * position)) -
        Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) row)) (natural (radii (row + a.rows * position))))
    (h : widen s a d direct mirrored start columns (Linear.masses columns) most next error = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧ next error direct' mirrored' (start + (Node.affine a).size) = true := by
  obtain ⟨r8, h⟩ := both_true h
  have r8 := Nat.le_of_ble_eq_true r8
  obtain ⟨f1, f4, f5, below⟩ := fits_says hf
  obtain ⟨l, u, h1, h2, hw⟩ := hm
  have hw' : ∀ j, j < start → l j ≤ u j ∧ u j ≤ s.top := fun j hj => ⟨(hw j hj).1, (hw j hj).2.1⟩
  have g := gather_eq (rows := a.rows) sf hw' hlen hp below a.positions 0 (Nat.zero_add _)
  have zero : Nat.shiftRight a.sources (32 * (a.columns * 0)) = a.sources := Natural.div_one _
  rw [zero] at g
  have h1 : direct = pack s.stride start (fun i => Memory.directWord s (l i) (u i)) := h1
  have h2 : mirrored = pack s.stride start (fun i => Memory.mirroredWord s (l i) (u i)) := h2
  have hm : (Memory.mk direct mirrored).Holds s slots start := ⟨l, u, h1, h2, hw⟩
  have hb := boundsOf_eq sf f1 hlen hp f5 hm
  rw [← h1, ← h2, ← hb] at g
  refine writeRows_sound sf hm f1 f4 wide hp r8 g he (fun i hi => ?_) (widened_values (value := fun i => Linear.combination slots ds (fun k => word a.sources (a.columns * (i / a.rows) + k)) (i % a.rows))
    (fun i hi => ?_) (fun i hi => ?_)) h
  · obtain ⟨position, row, hq, lt, e⟩ := index_cases hi
    have inside := reads_below hlen hp below hq
    obtain ⟨a1, a2, a3⟩ := Linear.small (i := i % a.rows) (by rw [e, Natural.add_mul_mod _ lt]; exact lt) hw' columns ds (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) hp
      (by rw [e, Natural.add_mul_div _ lt, Nat.zero_add, Columns.packed_length _ _ hp]; exact inside)
    rw [hlen] at a1 a2 a3
    have r := small i hi
    exact ⟨Nat.le_trans a1 (Nat.le_add_right _ _), Nat.add_le_add a2 (Nat.add_le_add r r), Nat.add_le_add a3 (Nat.le_trans r (Nat.le_add_right _ _))⟩
  · obtain ⟨position, row, hq, lt, e⟩ := index_cases hi
    rw [Nat.zero_add, natural_mul s.center]
    refine Linear.bracket hw (i % a.rows) ds _ ?_
    rw [e, Natural.add_mul_div _ lt]; exact reads_below hlen hp below hq
  · obtain ⟨position, row, hq, lt, e⟩ := index_cases hi
    rw [e, Natural.add_mul_div _ lt, Natural.add_mul_mod _ lt]
    exact near position row hq lt

/-- Rows of moved bounds enclose what rounding may make of the rows. -/
theorem enclose_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding} {direct mirrored start loss margin error : Nat} {columns : List Column} {ds : List Digits}
    {next : Nat → Nat → Nat → Nat → Bool} (sf : s.Fits) (c1 : 1 ≤ s.half) (c2 : s.top < 2 ^ (s.half - 1)) (hm : (Memory.mk direct mirrored).Holds s slots start)
    (hf : fits s a d start = true) (wide : 1 ≤ 32 * a.lanes * a.rows) (lane : 1 ≤ 32 * a.lanes)
    (r1 : 48 ≤ s.stride) (r2 : relativeError a.columns a.divisor * s.top + 2 ^ 48 ≤ 2 ^ s.stride) (few : relativeError a.columns a.divisor ≤ 2 ^ 48) (hmargin : margin = mostCharged s a)
    (hlen : columns.length = a.columns) (hp : Packed (32 * a.lanes) a.rows (2 ^ d.bits) columns ds)
    (near : ∀ sizes : Nat → K, (∀ j, j < start → AtMost (natural s.unit * slots j) (sizes j)) → ∀ position row, position < a.positions → row < a.rows →
      AtMost (natural (2 ^ 48) * (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + (row + a.rows * position)) -
        Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) row)))
        (natural (relativeError a.columns a.divisor) * Columns.weigh sizes ds (fun k => word a.sources (a.columns * position + k)) row + natural (2 ^ 48) * natural loss))
    (h : enclose s a d direct mirrored start columns (Linear.masses columns) loss next margin error = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧ next error direct' mirrored' (start + (Node.affine a).size) = true := by
  obtain ⟨r8, h⟩ := both_true h
  obtain ⟨r8, r9⟩ := both_true r8
  have r8 : (s.raised margin).top < 2 ^ s.half := Nat.le_of_ble_eq_true r8
  have r9 := Nat.le_of_ble_eq_true r9
  obtain ⟨f1, f4, f5, below⟩ := fits_says hf
  obtain ⟨l, u, h1, h2, hw⟩ := hm
  have h1 : direct = pack s.stride start (fun i => Memory.directWord s (l i) (u i)) := h1
  have hw' : ∀ j, j < start → l j ≤ u j ∧ u j ≤ s.top := fun j hj => ⟨(hw j hj).1, (hw j hj).2.1⟩
  generalize hrel : relativeError a.columns a.divisor = relative at *
  have most : relative * s.top / 2 ^ 48 + 1 ≤ margin := by rw [hmargin, ← hrel]; exact Nat.le.refl
  obtain ⟨moved, ordered⟩ := outward_eq c1 c2 r1 r2 hw' most r8 (next := fun read readMirrored => force (fun slack =>
        writeRows s a d (Linear.reach (s.raised margin) (2 ^ d.bits) a.columns + (loss + loss)) (s.raised margin).center read readMirrored slack
          direct mirrored start columns (Linear.masses columns) (next error)) (Nat.mul loss (ones (32 * a.lanes) (a.rows * a.positions))))
  have h : outward s relative margin start direct _ = true := h
  rw [← h1] at moved
  rw [moved, force_eq] at h
  have raised : (s.raised margin).Fits := ⟨r8, sf.unit⟩
  have hw2 : ∀ j, j < start → lowered s relative margin (l j) ≤ lifted s relative margin (u j) ∧ lifted s relative margin (u j) ≤ (s.raised margin).top :=
    fun j hj => ⟨(ordered j hj).1, (ordered j hj).2.1⟩
  obtain ⟨sizes, hsizes⟩ := choose_below start (fun j hj => outward_within few (hw j hj).2.2 (ordered j hj).2.2)
  have held : (Memory.mk (pack (s.raised margin).stride start (fun i => Memory.directWord (s.raised margin) (lowered s relative margin (l i)) (lifted s relative margin (u i))))
      (pack (s.raised margin).stride start (fun i => Memory.mirroredWord (s.raised margin) (lowered s relative margin (l i)) (lifted s relative margin (u i))))).Holds (s.raised margin) slots start := by
    refine ⟨_, _, rfl, rfl, fun j hj => ⟨(hw2 j hj).1, (hw2 j hj).2, ?_⟩⟩
    obtain ⟨z1, z2, z3⟩ := hsizes j hj
    have p := mul_nonneg (natural_nonneg (K := K) relative) z1.nonneg
    refine ⟨cancel_natural (Natural.two_pow_pos 48) (le_trans ?_ z2), cancel_natural (Natural.two_pow_pos 48) (le_trans ?_ z3)⟩
    · exact le_cert ((ring2 K a b, a + b - a, b) _ _) p
    · exact le_cert ((ring2 K a b, a + b - a, b) _ _) p
  have g := gather_eq (rows := a.rows) raised hw2 hlen hp below a.positions 0 (Nat.zero_add _)
  have zero : Nat.shiftRight a.sources (32 * (a.columns * 0)) = a.sources := Natural.div_one _
  have room : Linear.reach (s.raised margin) (2 ^ d.bits) a.columns < 2 ^ (s.raised margin).half := Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right _ _)) r9
  rw [zero, ← boundsOf_eq raised f1 hlen hp room held] at g
  refine writeRows_sound (slacks := fun _ => loss) sf ⟨l, u, h1, h2, hw⟩ f1 f4 wide hp r9 g (mul_ones lane _ _) (fun i hi => ?_) (fun i hi => ?_) h
  · obtain ⟨position, row, hq, lt, e⟩ := index_cases hi
    have inside := reads_below hlen hp below hq
    obtain ⟨a1, a2, a3⟩ := Linear.small (i := i % a.rows) (by rw [e, Natural.add_mul_mod _ lt]; exact lt) hw2 columns ds (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) hp
      (by rw [e, Natural.add_mul_div _ lt, Nat.zero_add, Columns.packed_length _ _ hp]; exact inside)
    rw [hlen] at a1 a2 a3
    exact ⟨Nat.le_trans a1 (Nat.le_add_right _ _), Nat.add_le_add a2 Nat.le.refl, Nat.add_le_add a3 (Nat.le_add_right _ _)⟩
  · obtain ⟨position, row, hq, lt, e⟩ := index_cases hi
    have inside := reads_below hlen hp below hq
    have near := near sizes (fun j hj => (hsizes j hj).1) position row hq lt
    obtain ⟨b1, b2⟩ := bracket_outward (fun j hj => ⟨(hw2 j hj).1, (hw2 j hj).2, (hsizes j hj).2⟩) row ds _ inside
    rw [e, Natural.add_mul_div _ lt, Natural.add_mul_mod _ lt, Nat.zero_add]
    exact enclosed_values (near := near) b1 b2

theorem relative_small {n : Nat} (h : n ≤ 2 ^ 22) (divisor : Nat) : relativeError n divisor ≤ 2 ^ 48 := by
  refine Nat.le_trans (Nat.add_le_add (growth_mono h) (b := growth (2 ^ 22)) (d := 6 * 2 ^ 24) ?_) (by decide +kernel)
  unfold dividing
  cases Nat.beq divisor 1 with
  | true => exact Nat.zero_le _
  | false => exact Nat.le.refl
theorem loss_large (s : Scale) (a : Affine) (d : Decoding) : underflow a.columns a.divisor * s.unit ≤ 2 ^ (d.base - 1) * errorLoss s a d :=
  ceiling (Natural.two_pow_pos _)

theorem weight_le {f g : Nat → Nat} {r c n i : Nat} : (ds : List Digits) → (source : Nat → Nat) → (∀ k, k < ds.length → source k < n) →
    (∀ j, j < n → r * f j ≤ c * g j) → r * Columns.weight f ds source i ≤ c * Columns.weight g ds source i
  | [], _, _, _ => Nat.zero_le _
  | d :: ds, source, hs, h => by
    have ih := weight_le (i := i) ds (fun k => source (k + 1)) (fun k hk => hs (k + 1) (Nat.succ_le_succ hk)) h
    show r * (f (source 0) * (d.positive i + d.negative i) + Columns.weight f ds _ i) ≤ c * (g (source 0) * (d.positive i + d.negative i) + Columns.weight g ds _ i)
    generalize d.positive i + d.negative i = w
    rw [Nat.mul_add, Nat.mul_add, ← Nat.mul_assoc, ← Nat.mul_assoc]
    exact Nat.add_le_add (Nat.mul_le_mul (h _ (hs 0 (Nat.succ_le_succ (Nat.zero_le _)))) Nat.le.refl) ih
theorem weight_le_mass {f : Nat → Nat} {most n i : Nat} (ds : List Digits) (source : Nat → Nat) (hs : ∀ k, k < ds.length → source k < n)
    (h : ∀ j, j < n → f j ≤ most) : Columns.weight f ds source i ≤ most * Linear.mass ds i := by
  have z := weight_le (f := f) (g := fun _ => most) (r := 1) (c := 1) (i := i) ds source hs (fun j hj => by rw [Natural.one_mul, Natural.one_mul]; exact h j hj)
  rw [Natural.one_mul, Natural.one_mul, weight_constant] at z
  exact z

theorem coarse_sound {s : Scale} {slots : Nat → K} {a : Affine} {step : Step} {direct mirrored start : Nat} {columns : List Column} {ds : List Digits} {next : Nat → Nat → Bool}
    (sf : s.Fits) (c1 : 1 ≤ s.half) (c2 : s.top < 2 ^ (s.half - 1)) (hm : (Memory.mk direct mirrored).Holds s slots start)
    (hlen : columns.length = a.columns) (hp : Packed (32 * a.lanes) a.rows (2 ^ step.decoding.bits) columns ds) (wide : 1 ≤ 32 * a.lanes * a.rows) (lane : 1 ≤ 32 * a.lanes)
    (below : ∀ i, i < a.columns * a.positions → word a.sources i < start) (h : coarse s a step direct start (Linear.masses columns) next = true) :
    ∃ (radius : Nat → Nat) (radii : Nat → Nat) (most error : Nat), next most error = true ∧ error = pack (32 * a.lanes) (a.rows * a.positions) radii ∧
      (∀ j, j < start → radius j ≤ s.top) ∧
      (∀ i, i < a.columns * a.positions → AtMost (natural s.unit * slots (word a.sources i)) (natural (radius (word a.sources i)))) ∧
      ∀ position row, position < a.positions → row < a.rows → radii (row + a.rows * position) ≤ most ∧
        relativeError a.columns a.divisor * Columns.weight radius ds (fun k => word a.sources (a.columns * position + k)) row +
          2 ^ 48 * errorLoss s a step.decoding ≤ 2 ^ 48 * radii (row + a.rows * position) := by
  obtain ⟨d, first, radius⟩ := step
  obtain ⟨hr, h⟩ := both_true h
  obtain ⟨r4, hr⟩ := both_true hr
  obtain ⟨r5, hr⟩ := both_true hr
  obtain ⟨r6, r7⟩ := both_true hr
  simp only [force_eq] at h
  have r4 : radius ≤ s.center := Nat.le_of_ble_eq_true r4
  obtain ⟨two, first_le, from_first⟩ := sourcesFrom_sound below r5
  have constants := slotsWithin_sound sf c1 c2 r4 two hm r6
  have others := slotsWithin_sound sf c1 c2 r4 (Natural.le_of_eq (by rw [Nat.add_comm]; exact Natural.sub_add_cancel first_le)) hm r7
  refine ⟨fun _ => radius, fun i => errorFactor a radius * Linear.mass ds (i % a.rows) + errorLoss s a d, _, _, h, ?_, fun _ _ => Nat.le_trans r4 (Nat.le_add_right _ _), fun i hi => ?_, fun position row h1 h2 => ?_⟩
  · show errorFactor a radius * (Linear.masses columns * ones (32 * a.lanes * a.rows) a.positions) + errorLoss s a d * ones (32 * a.lanes) (a.rows * a.positions) = _
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
    show errorFactor a radius * Linear.mass ds ((row + a.rows * position) % a.rows) + errorLoss s a d ≤ errorLimit s a d (errorFactor a radius) ∧
      _ ≤ 2 ^ 48 * (errorFactor a radius * Linear.mass ds ((row + a.rows * position) % a.rows) + errorLoss s a d)
    rw [e, weight_constant]
    refine ⟨Nat.add_le_add (Nat.mul_le_mul Nat.le.refl m) Nat.le.refl, ?_⟩
    rw [Nat.mul_add, ← Nat.mul_assoc, ← Nat.mul_assoc]
    exact Nat.add_le_add (Nat.mul_le_mul (ceiling (Natural.two_pow_pos 48)) Nat.le.refl) Nat.le.refl

theorem fine_sound {s : Scale} {slots : Nat → K} {a : Affine} {step : Step} {direct mirrored start : Nat} {columns : List Column} {ds : List Digits} {next : Nat → Nat → Bool}
    (sf : s.Fits) (c1 : 1 ≤ s.half) (c2 : s.top < 2 ^ (s.half - 1)) (hm : (Memory.mk direct mirrored).Holds s slots start)
    (hlen : columns.length = a.columns) (hp : Packed (32 * a.lanes) a.rows (2 ^ step.decoding.bits) columns ds) (lane : 1 ≤ 32 * a.lanes)
    (below : ∀ i, i < a.columns * a.positions → word a.sources i < start) (h : fine s a step direct start columns next = true) :
    48 ≤ s.stride ∧ relativeError a.columns a.divisor * s.top + 2 ^ 48 ≤ 2 ^ s.stride ∧
    ∃ (radius : Nat → Nat) (radii : Nat → Nat) (error : Nat), next (mostCharged s a) error = true ∧ error = pack (32 * a.lanes) (a.rows * a.positions) radii ∧
      (∀ j, j < start → radius j ≤ s.top) ∧
      (∀ i, i < a.columns * a.positions → AtMost (natural s.unit * slots (word a.sources i)) (natural (radius (word a.sources i)))) ∧
      ∀ position row, position < a.positions → row < a.rows → radii (row + a.rows * position) ≤ errorLimit s a step.decoding (mostCharged s a) ∧
        relativeError a.columns a.divisor * Columns.weight radius ds (fun k => word a.sources (a.columns * position + k)) row +
          2 ^ 48 * errorLoss s a step.decoding ≤ 2 ^ 48 * radii (row + a.rows * position) := by
  obtain ⟨hr, h⟩ := both_true h
  obtain ⟨r1, r2⟩ := both_true hr
  have r1 := Nat.le_of_ble_eq_true r1
  have r2 := Nat.le_of_ble_eq_true r2
  simp only [force_eq] at h
  obtain ⟨l, u, h1, _, hw⟩ := hm
  have h1 : direct = pack s.stride start (fun i => Memory.directWord s (l i) (u i)) := h1
  have hw' : ∀ i, i < start → l i ≤ u i ∧ u i ≤ s.top := fun i hi => ⟨(hw i hi).1, (hw i hi).2.1⟩
  generalize hrel : relativeError a.columns a.divisor = relative at *
  have charged := charges_eq c1 c2 r1 r2 hw'
  rw [h1, charged] at h
  have small : ∀ j, j < start → chargeOf s relative (l j) (u j) ≤ relative * s.top / 2 ^ 48 + 1 := fun j hj => chargeOf_le (hw' j hj).2
  have fit : ∀ j, j < start → chargeOf s relative (l j) (u j) < 2 ^ s.stride := fun j hj => by
    refine Nat.le_trans ?_ r2
    have m := Nat.mul_le_mul (Nat.le.refl (n := relative)) (magnitude_le (l := l j) (hw' j hj).2)
    have q : (relative * magnitude s (l j) (u j) + (2 ^ 48 - 1)) / 2 ^ 48 ≤ relative * magnitude s (l j) (u j) + (2 ^ 48 - 1) := by
      refine Nat.le_trans ?_ (Rows.mul_div_le _ (2 ^ 48) (Natural.two_pow_pos 48))
      have w := Nat.mul_le_mul (Natural.two_pow_pos 48) (Nat.le.refl (n := (relative * magnitude s (l j) (u j) + (2 ^ 48 - 1)) / 2 ^ 48))
      rw [Nat.one_mul] at w; exact w
    refine Nat.le_trans (Nat.succ_le_succ q) ?_
    show relative * magnitude s (l j) (u j) + (2 ^ 48 - 1 + 1) ≤ _
    rw [Natural.mask_succ 48]
    exact Nat.add_le_add m Nat.le.refl
  have all := chargeAll_eq (n := a.columns) fit hlen hp below a.positions 0 (Nat.zero_add _)
  have zero : Nat.shiftRight a.sources (32 * (a.columns * 0)) = a.sources := Natural.div_one _
  rw [zero] at all
  rw [all] at h
  have limit : mostCharged s a = relative * s.top / 2 ^ 48 + 1 := by rw [← hrel]; rfl
  refine ⟨r1, r2, fun j => magnitude s (l j) (u j),
    fun i => Columns.weight (fun j => chargeOf s relative (l j) (u j)) ds (fun k => word a.sources (a.columns * (0 + i / a.rows) + k)) (i % a.rows) + errorLoss s a step.decoding,
    _, h, ?_, fun j hj => magnitude_le (hw' j hj).2, fun i hi => magnitude_within (hw _ (below i hi)).2.2, fun position row g1 g2 => ?_⟩
  · show pack (32 * a.lanes) (a.rows * a.positions) _ + errorLoss s a step.decoding * ones (32 * a.lanes) (a.rows * a.positions) = _
    rw [mul_ones lane, ← pack_add]
  · have e1 : (row + a.rows * position) / a.rows = position := Natural.add_mul_div _ g2
    have e2 : (row + a.rows * position) % a.rows = row := Natural.add_mul_mod _ g2
    have inside : ∀ k, k < ds.length → word a.sources (a.columns * position + k) < start := fun k hk => by
      rw [← Columns.packed_length _ _ hp, hlen] at hk
      refine below _ (Nat.le_trans ?_ (Nat.mul_le_mul Nat.le.refl g1))
      show a.columns * position + (k + 1) ≤ a.columns * position + a.columns
      exact Nat.add_le_add Nat.le.refl hk
    have m := mass_le g2 _ ds hp
    rw [hlen] at m
    rw [limit]
    show Columns.weight (fun j => chargeOf s relative (l j) (u j)) ds (fun k => word a.sources (a.columns * (0 + (row + a.rows * position) / a.rows) + k)) ((row + a.rows * position) % a.rows) +
      errorLoss s a step.decoding ≤ errorLimit s a step.decoding (relative * s.top / 2 ^ 48 + 1) ∧
      _ ≤ 2 ^ 48 * (Columns.weight (fun j => chargeOf s relative (l j) (u j)) ds (fun k => word a.sources (a.columns * (0 + (row + a.rows * position) / a.rows) + k)) ((row + a.rows * position) % a.rows) +
        errorLoss s a step.decoding)
    rw [e1, e2, Nat.zero_add]
    refine ⟨Nat.add_le_add (Nat.le_trans (weight_le_mass ds _ inside small) (Nat.mul_le_mul Nat.le.refl m)) Nat.le.refl, ?_⟩
    rw [Nat.mul_add]
    exact Nat.add_le_add (weight_le ds _ inside (fun j _ => chargeOf_large s relative (l j) (u j))) Nat.le.refl

theorem runRounded_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {step : Step} {direct mirrored start : Nat} {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots start) (hn : (Node.affine a).Holds .binary32 slots start)
    (h : runRounded s a step direct mirrored start next = true) :
    (Node.affine a).Finite .binary32 slots ∧ ∃ error direct' mirrored', (Passed.mk (.affine a) start step.decoding error).Holds s slots ∧
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
  obtain ⟨_, f6⟩ := both_true f
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
  have lane : 1 ≤ 32 * a.lanes := Nat.le_trans (Nat.le_trans r1 (Nat.le_add_right _ _)) (Nat.le_of_ble_eq_true f1)
  obtain ⟨hlen, ds, hp, hform, hweigh⟩ := Columns.decoded_weighing (K := K) (decode_sound hd)
  have at_lt : ∀ position k, position < a.positions → k < a.columns → a.columns * position + k < a.columns * a.positions := fun position k h1 h2 =>
    Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := a.columns * position)) h2) (Nat.mul_le_mul Nat.le.refl h1)
  have weighs : ∀ radius : Nat → Nat, (∀ i, i < a.columns * a.positions → AtMost (natural s.unit * slots (word a.sources i)) (natural (radius (word a.sources i)))) →
      ∀ position row, position < a.positions → row < a.rows → Weighs (natural s.unit) (a.terms slots position row)
        (natural (2 ^ (step.decoding.base - 1)) * natural (Columns.weight radius ds (fun k => word a.sources (a.columns * position + k)) row)) := fun radius reads position row h1 h2 => by
    rw [Columns.natural_weight radius row ds]
    exact hweigh slots (fun j => natural (radius j)) (natural s.unit) position row h2 (fun k hk => reads _ (at_lt position k h1 hk))
  obtain ⟨radius, radii, error, most, he, low, small, reads, rows, run⟩ : ∃ (radius radii : Nat → Nat) (error most : Nat), error = pack (32 * a.lanes) (a.rows * a.positions) radii ∧
      most < 2 ^ (32 * a.lanes) ∧ (∀ j, j < start → radius j ≤ s.top) ∧
      (∀ i, i < a.columns * a.positions → AtMost (natural s.unit * slots (word a.sources i)) (natural (radius (word a.sources i)))) ∧
      (∀ position row, position < a.positions → row < a.rows → radii (row + a.rows * position) ≤ most ∧
        relativeError a.columns a.divisor * Columns.weight radius ds (fun k => word a.sources (a.columns * position + k)) row +
          2 ^ 48 * errorLoss s a step.decoding ≤ 2 ^ 48 * radii (row + a.rows * position)) ∧
      ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧ next error direct' mirrored' (start + (Node.affine a).size) = true := by
    have half_le : 2 ^ s.half ≤ 2 ^ (32 * a.lanes) := Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ _) (Nat.le_of_ble_eq_true f1))
    cases hmode : Nat.beq step.radius 0 with
    | false =>
      rw [hmode] at h
      obtain ⟨radius, radii, most, error, run, he, small, reads, rows⟩ := coarse_sound sf r1 r2 hm hlen hp wide lane below h
      have fits := Nat.le_of_ble_eq_true (both_true run).1
      refine ⟨radius, radii, error, most, he, Nat.le_trans (Nat.succ_le_succ ?_) (Nat.le_trans fits half_le), small, reads, rows, ?_⟩
      · exact Nat.le_trans (Nat.le_add_left most most) (Nat.le_add_left _ _)
      refine widen_sound sf hm hf wide hlen hp he (fun i hi => ?_) (fun position row h1 h2 => ?_) run
      · obtain ⟨q, r, hq, lt, e⟩ := index_cases hi
        rw [e]; exact (rows q r hq lt).1
      · exact near f2 f3 r3 (weighs radius reads position row h1 h2) (hn position row h1 h2) (hform slots position row h2) (loss_large s a step.decoding) (rows position row h1 h2).2
    | true =>
      rw [hmode] at h
      obtain ⟨q1, q2, radius, radii, error, run, he, small, reads, rows⟩ := fine_sound sf r1 r2 hm hlen hp lane below h
      rw [force_eq] at run
      have fits := Nat.le_of_ble_eq_true (both_true (both_true run).1).2
      refine ⟨radius, radii, error, errorLimit s a step.decoding (mostCharged s a), he, Nat.le_trans (Nat.succ_le_succ ?_) (Nat.le_trans fits half_le), small, reads, rows, ?_⟩
      · refine Nat.add_le_add ?_ (Nat.le_add_right _ _)
        rw [Nat.mul_left_comm]
        have top : mostCharged s a ≤ (s.raised (mostCharged s a)).top := Nat.le_trans (Nat.le_add_left _ s.center) (Nat.le_add_right _ _)
        refine Nat.mul_le_mul Nat.le.refl (Nat.le_trans (Nat.mul_le_mul top Nat.le.refl) (Natural.le_of_eq (Nat.mul_add _ _ _)))
      exact enclose_sound sf r1 r2 hm hf wide lane q1 q2 (relative_small r3 a.divisor) rfl hlen hp (fun sizes hsizes position row h1 h2 =>
        row_error f2 f3 r3 (Columns.weigh_nonneg (fun j hj => (hsizes j hj).nonneg) row ds _ (reads_below hlen hp below h1))
          (hweigh slots sizes (natural s.unit) position row h2 (fun k hk => hsizes _ (below _ (at_lt position k h1 hk))))
          (hn position row h1 h2) (hform slots position row h2) (loss_large s a step.decoding)) run
  have weight_small : ∀ position row, position < a.positions → row < a.rows →
      Columns.weight radius ds (fun k => word a.sources (a.columns * position + k)) row ≤ Linear.reach s (2 ^ step.decoding.bits) a.columns := fun position row h1 h2 => by
    have m := mass_le h2 _ ds hp
    rw [hlen] at m
    refine Nat.le_trans (weight_le_mass (n := start) ds _ (reads_below hlen hp below h1) small) ?_
    refine Nat.le_trans (Nat.mul_le_mul Nat.le.refl m) (Natural.le_of_eq ?_)
    show s.top * (a.columns * (2 ^ step.decoding.bits + 2 ^ step.decoding.bits)) = a.columns * (s.top * 2 ^ step.decoding.bits + s.top * 2 ^ step.decoding.bits)
    rw [Nat.mul_left_comm, Nat.mul_add s.top]
  refine ⟨fun position row h1 h2 => finite_row sf.unit r3 (weighs radius reads position row h1 h2) (weight_small position row h1 h2) r9, ?_⟩
  obtain ⟨direct', mirrored', held, done⟩ := run
  refine ⟨error, direct', mirrored', fun position row h1 h2 c hc => ?_, held, done⟩
  have digit_small : ∀ i, i < a.rows * a.positions → radii i < 2 ^ (32 * a.lanes) := fun i hi => by
    obtain ⟨q, r, hq, lt, e⟩ := index_cases hi
    rw [e]; exact Nat.le_trans (Nat.succ_le_succ (rows q r hq lt).1) low
  show AtMost _ (natural (digit (32 * a.lanes) error (row + a.rows * position)))
  rw [he, digit_pack digit_small (index_lt h1 h2)]
  exact near f2 f3 r3 (weighs radius reads position row h1 h2) (hn position row h1 h2) hc (loss_large s a step.decoding) (rows position row h1 h2).2
end Affine
end PytestTorchLean
