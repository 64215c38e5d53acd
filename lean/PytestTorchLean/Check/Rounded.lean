prelude
import PytestTorchLean.Check.Passed
import PytestTorchLean.Check.RowError
/-!
# Bounds of an affine node in binary32, for every order of summation

The error of a row is a small multiple of the sum of its products' absolute values. If no slot that the node
reads is further from 0 than a radius, that sum is the radius times the sum of the absolute weights, which
interval arithmetic forms anyway: the errors of all rows are one product and one sum away.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Affine

/-! ### Where a node's sources lie -/

/-- Each of the first `count` words is 0, 1 or at least `first`. -/
def sourcesFrom (first start count sources : Nat) : Bool :=
  both (both (Nat.ble (Nat.succ start) (Nat.pow 2 31)) (Nat.ble 2 start)) (both (Nat.ble first start)
    (force (fun units => force (fun guards => force (fun packed =>
        Nat.beq (Nat.land (Nat.sub packed (Nat.mul first units)) guards) (Nat.land (Nat.sub packed (Nat.mul 2 units)) guards))
      (Nat.add guards (Nat.land sources (Nat.mul (Nat.sub (Nat.pow 2 32) 1) units)))) (Nat.mul (Nat.pow 2 31) units)) (ones 32 count)))

theorem guard_flags {count c : Nat} {f : Nat → Nat} (hf : ∀ i, i < count → f i < 2 ^ 31) (hc : c < 2 ^ 31) :
    Nat.land (2 ^ 31 * ones 32 count + pack 32 count f - c * ones 32 count) (2 ^ 31 * ones 32 count) = pack 32 count (fun i => 2 ^ 31 * Vector.flag (f i) c) := by
  have hb : 0 < 32 := by decide
  rw [mul_ones hb count c, Vector.guarded_eq hb (fun _ _ => hc), mul_ones hb]
  rw [land_pack (fun i hi => Vector.guarded_lt _ (by decide) (hf i hi)) (fun _ _ => Vector.guard_lt (by decide))]
  exact pack_congr fun i hi => Vector.offset_bit (hf i hi) hc

theorem sourcesFrom_sound {first start count sources : Nat} (hw : ∀ i, i < count → word sources i < start)
    (h : sourcesFrom first start count sources = true) :
    2 ≤ start ∧ first ≤ start ∧ ∀ i, i < count → word sources i < 2 ∨ first ≤ word sources i := by
  obtain ⟨h1, h⟩ := both_true h
  obtain ⟨h1, h2⟩ := both_true h1
  obtain ⟨h3, h⟩ := both_true h
  simp only [force_eq] at h
  have h1 : start < 2 ^ 31 := Nat.le_of_ble_eq_true h1
  have h2 := Nat.le_of_ble_eq_true h2
  have h3 := Nat.le_of_ble_eq_true h3
  refine ⟨h2, h3, ?_⟩
  have hb : 0 < 32 := by decide
  have e : Nat.land sources (Nat.mul (Nat.sub (Nat.pow 2 32) 1) (ones 32 count)) = pack 32 count (word sources) := by
    refine Eq.trans (Decode.low_digit (Nat.le.refl (n := 32)) hb count sources) (pack_congr fun i _ => ?_)
    exact Natural.mod_eq_self (digit_lt 32 sources i)
  have small : ∀ i, i < count → word sources i < 2 ^ 31 := fun i hi => Nat.le_trans (hw i hi) (Nat.le_trans (Nat.le_add_right _ 1) h1)
  have g := Nat.eq_of_beq_eq_true h
  rw [e] at g
  have g : Nat.land (2 ^ 31 * ones 32 count + pack 32 count (word sources) - first * ones 32 count) (2 ^ 31 * ones 32 count) =
    Nat.land (2 ^ 31 * ones 32 count + pack 32 count (word sources) - 2 * ones 32 count) (2 ^ 31 * ones 32 count) := g
  rw [guard_flags small (Nat.le_trans (Nat.succ_le_succ h3) h1), guard_flags small (by decide +kernel)] at g
  have lt : ∀ c i, i < count → 2 ^ 31 * Vector.flag (word sources i) c < 2 ^ 32 := fun c i _ => by
    cases Vector.flag_cases (word sources i) c with
    | inl h => rw [h.1]; decide +kernel
    | inr h => rw [h.1]; decide +kernel
  have z := pack_injective (lt first) (lt 2) g
  intro i hi
  cases Vector.flag_cases (word sources i) first with
  | inl h => exact Or.inr h.2
  | inr h =>
    cases Vector.flag_cases (word sources i) 2 with
    | inr k => exact Or.inl k.2
    | inl k =>
      have y := z i hi
      rw [h.1, k.1] at y
      exact absurd y (by decide +kernel)

/-! ### How far from 0 the slots are -/

/-- The `n` slots from `first` on lie within the radius. -/
def slotsWithin (s : Scale) (radius first n direct : Nat) : Bool :=
  force (fun units => force (fun guards => force (fun segment =>
      both (Nat.beq (Nat.land (Nat.sub (Nat.add guards segment) (Nat.mul (Nat.sub s.center radius) units)) guards) guards)
        (Nat.beq (Nat.land (Nat.sub (Nat.add guards (Nat.mul (Nat.add s.center radius) units)) segment) guards) guards))
    (Nat.land (Nat.shiftRight direct (Nat.mul s.stride first)) (Nat.sub (Nat.pow 2 (Nat.mul s.stride n)) 1)))
    (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) units)) (ones s.half (Nat.mul 2 n))

/-- A slot whose bounds lie within the radius. -/
theorem within_radius {s : Scale} {l u radius : Nat} {x : K} (hw : Within s l u x) (hl : s.center - radius ≤ l) (hu : u ≤ s.center + radius) :
    AtMost (natural s.unit * x) (natural radius) := by
  have low : s.center ≤ l + radius := by
    cases Nat.le_total radius s.center with
    | inl g =>
      have z := Nat.add_le_add hl (Nat.le.refl (n := radius))
      rw [Natural.sub_add_cancel g] at z
      exact z
    | inr g => exact Nat.le_trans g (Nat.le_add_left _ _)
  have low := natural_le (K := K) low
  have high := natural_le (K := K) hu
  rw [natural_add] at low high
  obtain ⟨w1, w2⟩ := hw
  unfold Scale.image at w1 w2
  refine ⟨?_, ?_⟩
  · exact le_cert ((ring4 K x c u r, r - x, (u - (x + c)) + (c + r - u)) (natural s.unit * x) (natural s.center) (natural u) (natural radius))
      (add_nonneg (sub_nonneg w2) (sub_nonneg high))
  · exact le_cert ((ring4 K x c l r, r - -x, (x + c - l) + (l + r - c)) (natural s.unit * x) (natural s.center) (natural l) (natural radius))
      (add_nonneg (sub_nonneg w1) (sub_nonneg low))

theorem slotsWithin_sound {s : Scale} {slots : Nat → K} {radius first n count direct mirrored : Nat} (sf : s.Fits)
    (c1 : 1 ≤ s.half) (c2 : s.top < 2 ^ (s.half - 1)) (hr : radius ≤ s.center) (hs : first + n ≤ count)
    (hm : (Memory.mk direct mirrored).Holds s slots count) (h : slotsWithin s radius first n direct = true) :
    ∀ i, first ≤ i → i < first + n → AtMost (natural s.unit * slots i) (natural radius) := by
  unfold slotsWithin at h
  simp only [force_eq] at h
  have hw : s.half - 1 + 1 = s.half := Natural.succ_pred c1
  obtain ⟨l, u, h1, h2, hw'⟩ := hm
  have h1 : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := h1
  have inside : ∀ i, i < n → first + i < count := fun i hi => Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := first)) hi) hs
  have e1 : Nat.land (Nat.shiftRight direct (Nat.mul s.stride first)) (Nat.sub (Nat.pow 2 (Nat.mul s.stride n)) 1) =
      pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (first + i)) (fun i => u (first + i))) := by
    rw [h1, Vector.pack_pair]
    exact Dense.segment (f := fun i => Memory.directWord s (l i) (u i)) hs (fun i hi => (Memory.word_lt sf (hw' i hi).1 (hw' i hi).2.1).1)
  have small : ∀ i, i < n → l (first + i) < 2 ^ (s.half - 1) ∧ u (first + i) < 2 ^ (s.half - 1) := fun i hi =>
    have w := hw' _ (inside i hi)
    ⟨Nat.le_trans (Nat.succ_le_succ (Nat.le_trans w.1 w.2.1)) c2, Nat.le_trans (Nat.succ_le_succ w.2.1) c2⟩
  have p := Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) n _ _ small
  have below : s.center - radius < 2 ^ (s.half - 1) :=
    Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (Natural.sub_le _ _) (Nat.le_add_right _ _))) c2
  have above : s.center + radius < 2 ^ (s.half - 1) := Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add Nat.le.refl hr)) c2
  rw [e1] at h
  obtain ⟨g1, g2⟩ := both_true h
  have g1 := Nat.eq_of_beq_eq_true g1
  have g2 := Nat.eq_of_beq_eq_true g2
  have d1 : Nat.sub (Nat.add (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) (ones s.half (Nat.mul 2 n)))
      (pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (first + i)) (fun i => u (first + i))))) (Nat.mul (Nat.sub s.center radius) (ones s.half (Nat.mul 2 n))) =
      pack s.half (2 * n) (fun j => 2 ^ (s.half - 1) + Vector.pair j (fun i => l (first + i)) (fun i => u (first + i)) - (s.center - radius)) := by
    show 2 ^ (s.half - 1) * ones s.half (2 * n) + _ - (s.center - radius) * ones s.half (2 * n) = _
    rw [mul_ones c1 (2 * n) (s.center - radius)]
    exact Vector.guarded_eq c1 (fun _ _ => below)
  have d2 : Nat.sub (Nat.add (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) (ones s.half (Nat.mul 2 n))) (Nat.mul (Nat.add s.center radius) (ones s.half (Nat.mul 2 n))))
      (pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (first + i)) (fun i => u (first + i)))) =
      pack s.half (2 * n) (fun j => 2 ^ (s.half - 1) + (s.center + radius) - Vector.pair j (fun i => l (first + i)) (fun i => u (first + i))) := by
    show 2 ^ (s.half - 1) * ones s.half (2 * n) + (s.center + radius) * ones s.half (2 * n) - _ = _
    rw [mul_ones c1 (2 * n) (s.center + radius)]
    exact Vector.guarded_eq c1 p
  rw [d1] at g1
  rw [d2] at g2
  have le1 := Vector.unborrowed (Natural.le_of_eq hw) p (fun _ _ => below) g1
  have le2 := Vector.unborrowed (Natural.le_of_eq hw) (fun _ _ => above) p g2
  have b1 := Vector.pair_both (P := fun x y => x ≤ y) n (fun _ => s.center - radius) (fun _ => s.center - radius)
    (fun i => l (first + i)) (fun i => u (first + i))
    (fun j hj => by rw [Vector.pair_constant]; exact le1 j hj)
  have b2 := Vector.pair_both (P := fun x y => x ≤ y) n (fun i => l (first + i)) (fun i => u (first + i)) (fun _ => s.center + radius) (fun _ => s.center + radius)
    (fun j hj => by rw [Vector.pair_constant]; exact le2 j hj)
  intro i h1 h2
  obtain ⟨k, rfl⟩ := Nat.exists_of_le h1
  have hk : k < n := Memory.lt_of_add_lt h2
  exact within_radius (hw' _ (inside k hk)).2.2 (b1 k hk).1 (b2 k hk).2

/-! ### The radii of all rows -/

/-- The error of a row for each unit of its absolute weights, when all sources lie within the radius. -/
def errorFactor (a : Affine) (radius : Nat) : Nat := Nat.succ (Nat.div (Nat.mul (relativeError a.columns a.divisor) radius) (2 ^ 48))
/-- The part of a row's error that underflow causes. -/
def errorLoss (s : Scale) (a : Affine) (d : Decoding) : Nat := Nat.succ (Nat.div (Nat.mul (underflow a.columns a.divisor) s.unit) (2 ^ (d.base - 1)))
/-- No error is larger. -/
def errorLimit (s : Scale) (a : Affine) (d : Decoding) (radius : Nat) : Nat :=
  errorFactor a radius * (a.columns * (2 ^ d.bits + 2 ^ d.bits)) + errorLoss s a d

/-- The conditions on a node for its errors to be bounded by the radius of its sources. -/
def roundable (s : Scale) (a : Affine) (step : Step) (direct start : Nat) : Bool :=
  both (both (Nat.ble 1 s.half) (Nat.ble (Nat.succ s.top) (Nat.pow 2 (Nat.sub s.half 1))))
    (both (both (Nat.ble a.columns (2 ^ 22)) (Nat.ble step.radius s.center))
      (both (sourcesFrom step.first start (a.columns * a.positions) a.sources)
        (both (both (slotsWithin s step.radius 0 2 direct) (slotsWithin s step.radius step.first (start - step.first) direct))
          (both (Nat.ble (Nat.succ (Linear.reach s (2 ^ step.decoding.bits) a.columns + (errorLimit s a step.decoding step.radius + errorLimit s a step.decoding step.radius))) (2 ^ s.half))
            (Nat.ble (Nat.succ ((2 ^ 48 + growth a.columns) * (2 ^ (step.decoding.base - 1) * Linear.reach s (2 ^ step.decoding.bits) a.columns) +
              2 ^ 48 * (a.columns + a.columns) * s.unit)) (2 ^ 48 * s.unit * overflowThreshold))))))

/-- Bounds of the outputs of an affine node, and the error radii of its rows. -/
def runRounded (s : Scale) (a : Affine) (step : Step) (direct mirrored start : Nat) (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => both (both (fits s a step.decoding start) (Nat.ble 1 (32 * a.lanes * a.rows))) (both (roundable s a step direct start)
      (force (fun stride => force (fun b => force (fun e => force (fun offset => force (fun weights => force (fun error => force (fun mass => force (fun bounds =>
          Rows.write s b e offset (Linear.reach s (2 ^ step.decoding.bits) a.columns + (errorLimit s a step.decoding step.radius + errorLimit s a step.decoding step.radius))
            (a.rows * a.positions) bounds mass (extend stride (a.rows * a.positions) direct mirrored start (next error)))
        (Nat.add (boundsOf stride b direct mirrored start a (Columns.flatten lanes)) (Nat.mul (Nat.pow 2 s.half) (Nat.add error error))))
        (Nat.add (Nat.mul s.center weights) error))
        (Nat.add (Nat.mul (errorFactor a step.radius) weights) (Nat.mul (errorLoss s a step.decoding) (ones b (a.rows * a.positions)))))
        (Nat.mul (Linear.masses (Columns.flatten lanes)) (ones (32 * a.lanes * a.rows) a.positions))) (e * s.center)) (a.divisor * 2 ^ (150 - step.decoding.base)))
        (32 * a.lanes)) s.stride)))
    (decode a step.decoding)

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

theorem runRounded_sound {s : Scale} {slots : Nat → K} {a : Affine} {step : Step} {direct mirrored start : Nat} {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots start) (hn : (Node.affine a).Holds .binary32 slots start)
    (h : runRounded s a step direct mirrored start next = true) :
    (Node.affine a).Finite .binary32 slots ∧ ∃ error direct' mirrored', (Passed.mk (.affine a) start step.decoding error).Holds s slots ∧
      (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧
      next error direct' mirrored' (start + (Node.affine a).size) = true := by
  obtain ⟨d, first, radius⟩ := step
  unfold runRounded at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
    rw [hd] at h
    obtain ⟨hf, h⟩ := both_true h
    obtain ⟨hr, h⟩ := both_true h
    simp only [force_eq] at h
    obtain ⟨hf, wide⟩ := both_true hf
    have wide := Nat.le_of_ble_eq_true wide
    obtain ⟨f1, hf⟩ := both_true hf
    obtain ⟨f2, hf⟩ := both_true hf
    obtain ⟨f3, hf⟩ := both_true hf
    obtain ⟨f4, hf⟩ := both_true hf
    obtain ⟨f5, f6⟩ := both_true hf
    have f1 := Nat.le_of_ble_eq_true f1
    have f2 := Nat.le_of_ble_eq_true f2
    have f3 := Nat.le_of_ble_eq_true f3
    have f5 := Nat.le_of_ble_eq_true f5
    obtain ⟨r1, hr⟩ := both_true hr
    obtain ⟨r1, r2⟩ := both_true r1
    obtain ⟨r3, hr⟩ := both_true hr
    obtain ⟨r3, r4⟩ := both_true r3
    obtain ⟨r5, hr⟩ := both_true hr
    obtain ⟨r6, hr⟩ := both_true hr
    obtain ⟨r6, r7⟩ := both_true r6
    obtain ⟨r8, r9⟩ := both_true hr
    have r1 := Nat.le_of_ble_eq_true r1
    have r2 : s.top < 2 ^ (s.half - 1) := Nat.le_of_ble_eq_true r2
    have r3 := Nat.le_of_ble_eq_true r3
    have r4 : radius ≤ s.center := Nat.le_of_ble_eq_true r4
    have r8 := Nat.le_of_ble_eq_true r8
    have r9 := Nat.le_of_ble_eq_true r9
    obtain ⟨hlen, ds, hp, hform, hweigh⟩ := Columns.decoded_weighing (K := K) (decode_sound hd)
    have below := wordsBelow_sound start _ _ f6
    obtain ⟨two, first_le, from_first⟩ := sourcesFrom_sound below r5
    -- the slots that are read
    have constants := slotsWithin_sound sf r1 r2 r4 two hm r6
    have others := slotsWithin_sound sf r1 r2 r4 (Natural.le_of_eq (by rw [Nat.add_comm]; exact Natural.sub_add_cancel first_le)) hm r7
    have sources_at : ∀ position k, position < a.positions → k < a.columns → a.columns * position + k < a.columns * a.positions := fun position k h1 h2 =>
      Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := a.columns * position)) h2) (Nat.mul_le_mul Nat.le.refl h1)
    have reads : ∀ position k, position < a.positions → k < a.columns →
        AtMost (natural s.unit * slots (word a.sources (a.columns * position + k))) (natural radius) := fun position k h1 h2 => by
      have inside := sources_at position k h1 h2
      cases from_first _ inside with
      | inl g => exact constants _ (Nat.zero_le _) (by rw [Nat.zero_add]; exact g)
      | inr g =>
        refine others _ g ?_
        have e : first + (start - first) = start := by rw [Nat.add_comm]; exact Natural.sub_add_cancel first_le
        show word a.sources (a.columns * position + k) < first + (start - first)
        rw [e]; exact below _ inside
    have weighs := fun position row (h1 : position < a.positions) (h2 : row < a.rows) =>
      hweigh slots (fun _ => radius) (natural s.unit) position row h2 (fun k hk => reads position k h1 hk)
    simp only [weight_constant] at weighs
    have mass_small : ∀ row, row < a.rows → Linear.mass ds row ≤ a.columns * (2 ^ d.bits + 2 ^ d.bits) := fun row hrow => by
      have z := mass_le hrow _ ds hp
      rw [hlen] at z; exact z
    have weight_small : ∀ row, row < a.rows → radius * Linear.mass ds row ≤ Linear.reach s (2 ^ d.bits) a.columns := fun row hrow => by
      refine Nat.le_trans (Nat.mul_le_mul (Nat.le_trans r4 (Nat.le_add_right s.center s.center)) (mass_small row hrow)) (Natural.le_of_eq ?_)
      show s.top * (a.columns * (2 ^ d.bits + 2 ^ d.bits)) = a.columns * (s.top * 2 ^ d.bits + s.top * 2 ^ d.bits)
      rw [Nat.mul_left_comm, Nat.mul_add s.top]
    refine ⟨fun position row h1 h2 => finite_row sf.unit r3 (weighs position row h1 h2) (weight_small row h2) r9, ?_⟩
    -- the errors
    have he : 0 < a.divisor * 2 ^ (150 - d.base) :=
      Nat.mul_le_mul (a := 1) (c := 1) (Nat.le_of_ble_eq_true f4) (Natural.two_pow_pos (150 - d.base))
    have size : start + (Node.affine a).size = start + a.rows * a.positions := by
      show start + a.positions * a.rows = _; rw [Nat.mul_comm]
    rw [size]
    generalize hfactor : errorFactor a radius = factor at *
    generalize hloss : errorLoss s a d = loss at *
    have large : ∀ m, relativeError a.columns a.divisor * (2 ^ (d.base - 1) * (radius * m)) + 2 ^ 48 * underflow a.columns a.divisor * s.unit ≤
        2 ^ 48 * (2 ^ (d.base - 1) * (factor * m + loss)) := fun m => by
      have c1 : relativeError a.columns a.divisor * radius ≤ 2 ^ 48 * factor := by rw [← hfactor]; exact ceiling (Natural.two_pow_pos 48)
      have c2 : underflow a.columns a.divisor * s.unit ≤ 2 ^ (d.base - 1) * loss := by rw [← hloss]; exact ceiling (Natural.two_pow_pos _)
      have c1 := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ (d.base - 1) * m)) c1
      have c2 := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ 48)) c2
      generalize 2 ^ (d.base - 1) = p at *
      generalize 2 ^ 48 = q at *
      have z := Nat.add_le_add c1 c2
      refine Nat.le_trans (Natural.le_of_eq ?_) (Nat.le_trans z (Natural.le_of_eq ?_))
      · simp only [Nat.mul_add, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
      · simp only [Nat.mul_add, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
    have row_near := fun position row (h1 : position < a.positions) (h2 : row < a.rows) (c : K) (hc : natural (2 ^ (d.base - 1)) * c = a.form slots position row) =>
      near f2 f3 r3 (weighs position row h1 h2) (hn position row h1 h2) hc (large (Linear.mass ds row))
    let value : Nat → K := fun i => Linear.combination slots ds (fun k => word a.sources (a.columns * (i / a.rows) + k)) (i % a.rows)
    let radii : Nat → Nat := fun i => factor * Linear.mass ds (i % a.rows) + loss
    have div_mod : ∀ position row, row < a.rows → (row + a.rows * position) / a.rows = position ∧ (row + a.rows * position) % a.rows = row :=
      fun position row h => ⟨Natural.add_mul_div _ h, Natural.add_mul_mod _ h⟩
    have rows_pos : ∀ {i}, i < a.rows * a.positions → 0 < a.rows := fun {i} hi => by
      cases g : a.rows with
      | zero => rw [g, Nat.zero_mul] at hi; exact absurd hi (Nat.not_succ_le_zero i)
      | succ r => exact Nat.succ_le_succ (Nat.zero_le r)
    have radii_small : ∀ i, i < a.rows * a.positions → radii i ≤ factor * (a.columns * (2 ^ d.bits + 2 ^ d.bits)) + loss := fun i hi =>
      Nat.add_le_add (Nat.mul_le_mul Nat.le.refl (mass_small _ (Natural.mod_lt (rows_pos hi) i))) Nat.le.refl
    have limit : errorLimit s a d radius = factor * (a.columns * (2 ^ d.bits + 2 ^ d.bits)) + loss := by
      unfold errorLimit; rw [hfactor, hloss]
    have limit : errorLimit s a (Step.mk d first radius).decoding (Step.mk d first radius).radius = factor * (a.columns * (2 ^ d.bits + 2 ^ d.bits)) + loss := limit
    rw [limit] at h r8
    generalize factor * (a.columns * (2 ^ d.bits + 2 ^ d.bits)) + loss = most at *
    obtain ⟨low, high, mass, g1, g2, g3, g4⟩ := gather_sound (value := value) sf hlen hp f5 below
      (fun position row h1 h2 => by
        show Linear.combination slots ds (fun k => word a.sources (a.columns * ((row + a.rows * position) / a.rows) + k)) ((row + a.rows * position) % a.rows) = _
        rw [(div_mod position row h2).1, (div_mod position row h2).2]) hm a.positions 0 (Nat.zero_add _)
    have zero : Nat.shiftRight a.sources (32 * (a.columns * 0)) = a.sources := Natural.div_one _
    rw [zero, ← boundsOf_eq sf f1 hlen hp f5 hm] at g1
    have g4 : ∀ i, i < a.rows * a.positions → _ := fun i hi => by
      have z := g4 i hi
      rw [Nat.mul_zero, Nat.zero_add] at z
      exact z
    have lane_pos : 0 < 32 * a.lanes := Nat.le_trans (Nat.le_trans r1 (Nat.le_add_right _ _)) f1
    have masses := Linear.masses_eq _ ds hp
    have e_radii : Nat.add (Nat.mul factor (Nat.mul (Linear.masses (Columns.flatten lanes)) (ones (32 * a.lanes * a.rows) a.positions)))
        (Nat.mul loss (ones (32 * a.lanes) (a.rows * a.positions))) = pack (32 * a.lanes) (a.rows * a.positions) radii := by
      show factor * (Linear.masses (Columns.flatten lanes) * ones (32 * a.lanes * a.rows) a.positions) + loss * ones (32 * a.lanes) (a.rows * a.positions) = _
      rw [masses, ones_eq wide, repeated, mul_ones lane_pos, ← pack_mul, ← pack_add]
    have e_mass : Nat.mul s.center (Nat.mul (Linear.masses (Columns.flatten lanes)) (ones (32 * a.lanes * a.rows) a.positions)) =
        pack (32 * a.lanes) (a.rows * a.positions) mass := by
      show s.center * (Linear.masses (Columns.flatten lanes) * ones (32 * a.lanes * a.rows) a.positions) = _
      rw [← g2, ones_eq wide, ← Nat.mul_assoc]
    have h : Rows.write s (32 * a.lanes) (a.divisor * 2 ^ (150 - d.base)) (a.divisor * 2 ^ (150 - d.base) * s.center)
      (Linear.reach s (2 ^ d.bits) a.columns + (most + most)) (a.rows * a.positions)
      (Nat.add (boundsOf s.stride (32 * a.lanes) direct mirrored start a (Columns.flatten lanes)) (Nat.mul (Nat.pow 2 s.half)
        (Nat.add (Nat.add (Nat.mul factor (Nat.mul (Linear.masses (Columns.flatten lanes)) (ones (32 * a.lanes * a.rows) a.positions))) (Nat.mul loss (ones (32 * a.lanes) (a.rows * a.positions))))
          (Nat.add (Nat.mul factor (Nat.mul (Linear.masses (Columns.flatten lanes)) (ones (32 * a.lanes * a.rows) a.positions))) (Nat.mul loss (ones (32 * a.lanes) (a.rows * a.positions)))))))
      (Nat.add (Nat.mul s.center (Nat.mul (Linear.masses (Columns.flatten lanes)) (ones (32 * a.lanes * a.rows) a.positions)))
        (Nat.add (Nat.mul factor (Nat.mul (Linear.masses (Columns.flatten lanes)) (ones (32 * a.lanes * a.rows) a.positions))) (Nat.mul loss (ones (32 * a.lanes) (a.rows * a.positions)))))
      (extend s.stride (a.rows * a.positions) direct mirrored start (next
        (Nat.add (Nat.mul factor (Nat.mul (Linear.masses (Columns.flatten lanes)) (ones (32 * a.lanes * a.rows) a.positions))) (Nat.mul loss (ones (32 * a.lanes) (a.rows * a.positions)))))) = true := h
    rw [e_radii, e_mass, g1] at h
    have e_high : Nat.add (pack (32 * a.lanes) (a.rows * a.positions) (fun i => low i + 2 ^ s.half * high i)) (Nat.mul (Nat.pow 2 s.half)
        (Nat.add (pack (32 * a.lanes) (a.rows * a.positions) radii) (pack (32 * a.lanes) (a.rows * a.positions) radii))) =
        pack (32 * a.lanes) (a.rows * a.positions) (fun i => low i + 2 ^ s.half * (high i + (radii i + radii i))) := by
      show pack (32 * a.lanes) _ _ + 2 ^ s.half * (pack (32 * a.lanes) _ radii + pack (32 * a.lanes) _ radii) = _
      rw [← pack_add, ← pack_mul, ← pack_add]
      exact pack_congr fun i _ => by rw [Nat.mul_add (2 ^ s.half) (high i)]; exact Nat.add_assoc _ _ _
    have e_mass2 : Nat.add (pack (32 * a.lanes) (a.rows * a.positions) mass) (pack (32 * a.lanes) (a.rows * a.positions) radii) =
        pack (32 * a.lanes) (a.rows * a.positions) (fun i => mass i + radii i) := (pack_add _ _ _ _).symm
    rw [e_high, e_mass2] at h
    have slot_near : ∀ i, i < a.rows * a.positions → AtMost (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + i) - value i)) (natural (radii i)) := fun i hi => by
      obtain ⟨q, r, e, lt⟩ := Natural.euclid (rows_pos hi) i
      subst e
      have hq : q < a.positions := by
        have z := Natural.div_lt (rows_pos hi) hi
        rw [Natural.add_mul_div _ lt] at z; exact z
      have z := row_near q r hq lt _ (hform slots q r lt)
      show AtMost (natural s.unit * (_ * slots (start + (r + a.rows * q)) -
        Linear.combination slots ds (fun k => word a.sources (a.columns * ((r + a.rows * q) / a.rows) + k)) ((r + a.rows * q) % a.rows)))
        (natural (factor * Linear.mass ds ((r + a.rows * q) % a.rows) + loss))
      rw [(div_mod q r lt).1, (div_mod q r lt).2]
      exact z
    have room : ∀ i, i < a.rows * a.positions → low i ≤ Linear.reach s (2 ^ d.bits) a.columns + (most + most) ∧
        high i + (radii i + radii i) ≤ Linear.reach s (2 ^ d.bits) a.columns + (most + most) ∧ mass i + radii i ≤ Linear.reach s (2 ^ d.bits) a.columns + (most + most) := fun i hi =>
      have r := radii_small i hi
      have g := g3 i hi
      ⟨Nat.le_trans g.1 (Nat.le_add_right _ _), Nat.add_le_add g.2.1 (Nat.add_le_add r r),
        Nat.add_le_add g.2.2 (Nat.le_trans r (Nat.le_add_right _ _))⟩
    obtain ⟨tail, tailMirrored, m1, m2⟩ := Rows.write_sound (slots := fun i => slots (start + i)) sf f1 he r8 room
      (bounded_values (widened_values g4 slot_near)) h
    rw [Affine.extend_eq] at m2
    refine ⟨_, _, _, fun position row h1 h2 c hc => ?_, Memory.append_holds hm m1, m2⟩
    have lt : row + a.rows * position < a.rows * a.positions := by
      refine Nat.le_trans ?_ (Nat.mul_le_mul (Nat.le.refl (n := a.rows)) h1)
      show row + a.rows * position + 1 ≤ a.rows * position + a.rows
      rw [Nat.add_comm row, Nat.add_assoc]
      exact Nat.add_le_add Nat.le.refl h2
    have half_le : 2 ^ s.half ≤ 2 ^ (32 * a.lanes) := Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ _) f1)
    have digit_small : ∀ i, i < a.rows * a.positions → radii i < 2 ^ (32 * a.lanes) := fun i hi =>
      Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (Nat.le_add_left _ _) (room i hi).2.2)) (Nat.le_trans r8 half_le)
    rw [digit_pack digit_small lt]
    show AtMost _ (natural (factor * Linear.mass ds ((row + a.rows * position) % a.rows) + loss))
    rw [(div_mod position row h2).2]
    exact row_near position row h1 h2 c hc
end Affine
end PytestTorchLean
