prelude
import PytestTorchLean.Check.Sources
/-!
# Bounds moved outward by what rounding may add

The error of a row is at most a small multiple of the sum of its products' absolute values. A bound of the
row takes every slot at that one of its bounds which makes the product largest, or smallest; there the
product is charged its own part of the error. So a memory whose bounds are moved outward, each by the
charge of its own distance from 0, gives bounds of the rows, rounding included: what may be as little as 0
is charged nothing where it is taken to be 0.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

/-- Fixed-point numbers above a center that is further from 0. -/
def Scale.raised (s : Scale) (margin : Nat) : Scale := ⟨s.unit, s.center + margin, s.half⟩

namespace Affine
variable {K : Type u} [OrderedRing K]

/-- For every slot, how far each of its two bounds lies from 0: the lower bound's distance in the low half of the word. -/
def distances (s : Scale) (count direct : Nat) : Nat :=
  force (fun centers => Nat.add (Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1) direct centers)
      (Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1) centers direct)) (Nat.mul s.center (ones s.half (Nat.mul 2 count)))

/-- The memory whose bounds are moved outward by `relative / 2^48` of their distance from 0, at most by the margin,
    which the center is raised by. -/
def outward (s : Scale) (relative margin count direct : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun words => force (fun apart => force (fun below => force (fun lows => force (fun highs => force (fun direct' =>
        force (next direct') (Nat.sub (Nat.mul (s.raised margin).top words) (Vector.exchange s.half count direct')))
      (Nat.sub (Nat.add (Nat.add direct (Nat.mul margin words)) (Nat.mul (Nat.pow 2 s.half) highs)) lows))
      (portions s relative count (Nat.shiftRight (Nat.sub apart below) s.half)))
      (portions s relative count below))
      (Nat.land apart (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (Nat.add s.half s.half) count))))
      (distances s count direct)) (ones s.half (Nat.mul 2 count))

/-- How far a fixed-point number lies from 0. -/
def distance (s : Scale) (x : Nat) : Nat := (x - s.center) + (s.center - x)
/-- A lower bound moved outward. -/
def lowered (s : Scale) (relative margin x : Nat) : Nat := x + margin - portion relative (distance s x)
/-- An upper bound moved outward. -/
def lifted (s : Scale) (relative margin x : Nat) : Nat := x + margin + portion relative (distance s x)

theorem distance_le {s : Scale} {x : Nat} (h : x ≤ s.top) : distance s x ≤ s.top := by
  unfold distance
  cases Nat.le_total s.center x with
  | inl g =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le g
    rw [hk, Vector.sub_zero_of, ← hk]
    exact Nat.le_trans (Natural.sub_le _ _) h
  | inr g =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le g
    rw [hk, Vector.sub_zero_of, Nat.zero_add, ← hk]
    exact Nat.le_trans (Natural.sub_le _ _) (Nat.le_add_right _ _)
theorem distance_apart (s : Scale) (x : Nat) : x ≤ s.center + distance s x ∧ s.center ≤ x + distance s x :=
  ⟨Nat.le_trans (le_add_sub s.center x) (Nat.add_le_add Nat.le.refl (Nat.le_add_right _ _)),
    Nat.le_trans (le_add_sub x s.center) (Nat.add_le_add Nat.le.refl (Nat.le_add_left _ _))⟩

/-- Rounding moves no product beyond the moved bounds: `a` is the absolute value of the slot in fixed point. -/
theorem outward_within {s : Scale} {relative margin l u : Nat} {x : K} (small : relative ≤ 2 ^ 48) (hw : Within s l u x)
    (hl : portion relative (distance s l) ≤ margin) :
    ∃ a, AtMost (natural s.unit * x) a ∧
      natural (2 ^ 48) * natural (lowered s relative margin l) + natural relative * a ≤ natural (2 ^ 48) * (s.raised margin).image x ∧
      natural (2 ^ 48) * (s.raised margin).image x + natural relative * a ≤ natural (2 ^ 48) * natural (lifted s relative margin u) := by
  have reach : ∀ n, AtMost (natural relative * (natural n - natural s.center)) (natural (2 ^ 48) * natural (portion relative (distance s n)) : K) := fun n => by
    have z := natural_le (K := K) (portion_large relative (distance s n))
    rw [natural_mul, natural_mul] at z
    obtain ⟨d1, d2⟩ := distance_apart s n
    have d1 := natural_le (K := K) d1
    have d2 := natural_le (K := K) d2
    rw [natural_add] at d1 d2
    generalize (natural (distance s n) : K) = d at *
    generalize (natural n : K) = x at *
    generalize (natural s.center : K) = c at *
    refine AtMost.weaken (AtMost.mul_left (natural_nonneg relative) ⟨?_, ?_⟩) z
    · exact le_cert ((ring3 K x c d, d - (x - c), c + d - x) x c d) (sub_nonneg d1)
    · exact le_cert ((ring3 K x c d, d - -(x - c), x + d - c) x c d) (sub_nonneg d2)
  obtain ⟨l1, l2⟩ := reach l
  obtain ⟨u1, u2⟩ := reach u
  have e : (natural (lowered s relative margin l) : K) = natural l + natural margin - natural (portion relative (distance s l)) := by
    unfold lowered
    rw [Linear.natural_sub (Nat.le_trans hl (Nat.le_add_left _ _)), natural_add]
  have e' : (natural (lifted s relative margin u) : K) = natural u + natural margin + natural (portion relative (distance s u)) := by
    unfold lifted
    rw [natural_add, natural_add]
  have r0 := natural_nonneg (K := K) relative
  have q0 := sub_nonneg (natural_le (K := K) small)
  obtain ⟨w1, w2⟩ := hw
  unfold Scale.image at w1 w2
  have i : (s.raised margin).image x = natural s.unit * x + (natural s.center + natural margin) := by
    show natural s.unit * x + natural (s.center + margin) = _
    rw [natural_add]
  rw [e, e', i]
  generalize natural s.unit * x = y at *
  generalize (natural (portion relative (distance s l)) : K) = p at *
  generalize (natural (portion relative (distance s u)) : K) = p' at *
  generalize (natural l : K) = l at *
  generalize (natural u : K) = u at *
  generalize (natural s.center : K) = c at *
  generalize (natural margin : K) = m at *
  generalize (natural relative : K) = r at *
  generalize (natural (2 ^ 48) : K) = q at *
  have sum0 : 0 ≤ q + r := by
    have z := add_nonneg q0 (add_nonneg r0 r0)
    rw [(ring2 K q r, q - r + (r + r), q + r) q r] at z
    exact z
  have below : 0 ≤ y - (l - c) := by
    rw [(ring3 K y l c, y - (l - c), y + c - l) y l c]; exact sub_nonneg w1
  have above : 0 ≤ u - c - y := by
    rw [(ring3 K y u c, u - c - y, u - (y + c)) y u c]; exact sub_nonneg w2
  have lower : ∀ a, q * (y + (c + m)) - (q * (l + m - p) + r * a) = q * (y - (l - c) + p) - r * a := fun a => by
    rw [← (ring5 K y c m l p, y + (c + m) - (l + m - p), y - (l - c) + p) y c m l p]
    exact (ring5 K q x z r a, q * x - (q * z + r * a), q * (x - z) - r * a) _ _ _ _ _
  have upper : ∀ a, q * (u + m + p') - (q * (y + (c + m)) + r * a) = q * (u - c - y + p') - r * a := fun a => by
    rw [← (ring5 K y c m u p, u + m + p - (y + (c + m)), u - c - y + p) y c m u p']
    exact (ring5 K q x z r a, q * x - (q * z + r * a), q * (x - z) - r * a) _ _ _ _ _
  generalize l - c = low at *
  cases le_total 0 y with
  | inl h =>
    refine ⟨y, AtMost.of_le h (le_refl _), le_cert (lower y) ?_, le_cert (upper y) ?_⟩
    · have z := add_nonneg (mul_nonneg q0 below) (sub_nonneg l1)
      rw [(ring5 K q r y l p, (q - r) * (y - l) + (q * p - r * l), q * (y - l + p) - r * y) q r y low p] at z
      exact z
    · have z := add_nonneg (mul_nonneg sum0 above) (sub_nonneg u1)
      generalize u - c = high at *
      rw [(ring5 K q r y u p, (q + r) * (u - y) + (q * p - r * u), q * (u - y + p) - r * y) q r y high p'] at z
      exact z
  | inr h =>
    have a := (AtMost.of_le (neg_nonneg h) (le_refl (-y))).neg
    rw [neg_neg] at a
    refine ⟨-y, a, le_cert (lower (-y)) ?_, le_cert (upper (-y)) ?_⟩
    · have z := add_nonneg (mul_nonneg sum0 below) (sub_nonneg l2)
      rw [(ring5 K q r y l p, (q + r) * (y - l) + (q * p - -(r * l)), q * (y - l + p) - r * -y) q r y low p] at z
      exact z
    · have z := add_nonneg (mul_nonneg q0 above) (sub_nonneg u2)
      generalize u - c = high at *
      rw [(ring5 K q r y u p, (q - r) * (u - y) + (q * p - -(r * u)), q * (u - y + p) - r * -y) q r y high p'] at z
      exact z

/-- Finitely many choices. -/
theorem choose_below {P : Nat → K → Prop} : (n : Nat) → (∀ i, i < n → ∃ a, P i a) → ∃ f : Nat → K, ∀ i, i < n → P i (f i)
  | 0, _ => ⟨fun _ => 0, fun i hi => absurd hi (Nat.not_succ_le_zero i)⟩
  | n + 1, h => by
    obtain ⟨f, hf⟩ := choose_below n (fun i hi => h i (Nat.le_trans hi (Nat.le_add_right n 1)))
    obtain ⟨a, ha⟩ := h n Nat.le.refl
    refine ⟨fun i => cond (Nat.ble n i) a (f i), fun i hi => ?_⟩
    show P i (cond (Nat.ble n i) a (f i))
    cases Memory.le_of_lt_succ hi with
    | inl e => subst e; rw [Nat.ble_self_eq_true]; exact ha
    | inr g => rw [Memory.ble_false_of_lt g]; exact hf i g

/-! ### The moved memory -/

theorem outward_eq {s : Scale} {relative margin count : Nat} {l u : Nat → Nat} {next : Nat → Nat → Bool} (c1 : 1 ≤ s.half) (c2 : s.top < 2 ^ (s.half - 1))
    (wide : 48 ≤ s.stride) (room : relative * s.top + 2 ^ 48 ≤ 2 ^ s.stride) (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top)
    (hm : relative * s.top / 2 ^ 48 + 1 ≤ margin) (fits : (s.raised margin).top < 2 ^ s.half) :
    outward s relative margin count (pack s.stride count (fun i => Memory.directWord s (l i) (u i))) next =
      next (pack (s.raised margin).stride count (fun i => Memory.directWord (s.raised margin) (lowered s relative margin (l i)) (lifted s relative margin (u i))))
        (pack (s.raised margin).stride count (fun i => Memory.mirroredWord (s.raised margin) (lowered s relative margin (l i)) (lifted s relative margin (u i)))) ∧
    ∀ i, i < count → lowered s relative margin (l i) ≤ lifted s relative margin (u i) ∧ lifted s relative margin (u i) ≤ (s.raised margin).top ∧
      portion relative (distance s (l i)) ≤ margin := by
  have hwide : s.half - 1 + 1 ≤ s.half := Natural.le_of_eq (Natural.succ_pred c1)
  have hcenter : s.center < 2 ^ (s.half - 1) := Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right _ _)) c2
  have small : ∀ i, i < count → l i < 2 ^ (s.half - 1) ∧ u i < 2 ^ (s.half - 1) := fun i hi =>
    ⟨Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (hw i hi).1 (hw i hi).2)) c2, Nat.le_trans (Nat.succ_le_succ (hw i hi).2) c2⟩
  have p := Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) count l u small
  have half_le : 2 ^ (s.half - 1) ≤ 2 ^ s.half := Natural.two_pow_le (Natural.sub_le _ _)
  have lt_half : ∀ {x}, x ≤ s.top → x < 2 ^ s.half := fun hx => Nat.le_trans (Nat.le_trans (Nat.succ_le_succ hx) c2) half_le
  have dl : ∀ i, i < count → distance s (l i) ≤ s.top := fun i hi => distance_le (Nat.le_trans (hw i hi).1 (hw i hi).2)
  have du : ∀ i, i < count → distance s (u i) ≤ s.top := fun i hi => distance_le (hw i hi).2
  have pl : ∀ i, i < count → portion relative (distance s (l i)) ≤ margin := fun i hi => Nat.le_trans (portion_le (dl i hi)) hm
  have pu : ∀ i, i < count → portion relative (distance s (u i)) ≤ margin := fun i hi => Nat.le_trans (portion_le (du i hi)) hm
  have ordered : ∀ i, i < count → lowered s relative margin (l i) ≤ lifted s relative margin (u i) ∧ lifted s relative margin (u i) ≤ (s.raised margin).top := fun i hi => by
    refine ⟨Nat.le_trans (Natural.sub_le _ _) (Nat.le_trans (Nat.add_le_add (hw i hi).1 Nat.le.refl) (Nat.le_add_right _ _)), ?_⟩
    refine Nat.le_trans (Nat.add_le_add (Nat.add_le_add (hw i hi).2 Nat.le.refl) (pu i hi)) (Natural.le_of_eq ?_)
    show s.center + s.center + margin + margin = s.center + margin + (s.center + margin)
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  refine ⟨?_, fun i hi => ⟨(ordered i hi).1, (ordered i hi).2, pl i hi⟩⟩
  have direct : pack s.stride count (fun i => Memory.directWord s (l i) (u i)) = pack s.half (2 * count) (fun j => Vector.pair j l u) :=
    (Vector.pack_pair s.half count l u).symm
  have centers : Nat.mul s.center (ones s.half (Nat.mul 2 count)) = pack s.half (2 * count) (fun _ => s.center) := mul_ones c1 _ _
  have apart : distances s count (pack s.stride count (fun i => Memory.directWord s (l i) (u i))) =
      pack s.stride count (fun i => distance s (l i) + 2 ^ s.half * distance s (u i)) := by
    unfold distances
    rw [force_eq, centers, direct]
    show Vector.difference s.half (2 * count) (s.half - 1) _ _ + Vector.difference s.half (2 * count) (s.half - 1) _ _ = _
    rw [Vector.difference_eq hwide p (fun _ _ => hcenter), Vector.difference_eq hwide (fun _ _ => hcenter) p, ← pack_add]
    have g := Vector.pack_map (fun x y => (x - y) + (y - x)) s.half count l u (fun _ => s.center) (fun _ => s.center)
    refine Eq.trans (pack_congr fun j _ => ?_) g
    rw [Vector.pair_constant]
  have words : ∀ c, c * ones s.half (2 * count) = pack s.stride count (fun _ => c + 2 ^ s.half * c) := fun c => by
    rw [mul_ones c1]
    have g := Vector.pack_pair s.half count (fun _ => c) (fun _ => c)
    exact Eq.trans (pack_congr fun j _ => (Vector.pair_constant c j).symm) g
  have below : Nat.land (pack s.stride count (fun i => distance s (l i) + 2 ^ s.half * distance s (u i)))
      (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (Nat.add s.half s.half) count)) = pack s.stride count (fun i => distance s (l i)) := by
    have e := Decode.low_pack (Nat.le_add_left s.half s.half) (Nat.le_trans c1 (Nat.le_add_left s.half s.half)) (w := fun i => distance s (l i) + 2 ^ s.half * distance s (u i))
      (m := count) (fun i hi => Memory.halves_lt (lt_half (dl i hi)) (lt_half (du i hi)))
    exact Eq.trans e (pack_congr fun i hi => Natural.add_mul_mod _ (lt_half (dl i hi)))
  have over : Nat.shiftRight (Nat.sub (pack s.stride count (fun i => distance s (l i) + 2 ^ s.half * distance s (u i)))
      (pack s.stride count (fun i => distance s (l i)))) s.half = pack s.stride count (fun i => distance s (u i)) := by
    show Nat.shiftRight (_ - _) s.half = _
    rw [pack_add, Natural.add_sub_cancel_left, shift_pack_mul]
  unfold outward
  simp only [force_eq]
  rw [apart, below, over, portions_eq wide room dl, portions_eq wide room du]
  have moved : Nat.sub (Nat.add (Nat.add (pack s.stride count (fun i => Memory.directWord s (l i) (u i))) (Nat.mul margin (ones s.half (Nat.mul 2 count))))
      (Nat.mul (Nat.pow 2 s.half) (pack s.stride count (fun i => portion relative (distance s (u i))))))
      (pack s.stride count (fun i => portion relative (distance s (l i)))) =
      pack s.stride count (fun i => lowered s relative margin (l i) + 2 ^ s.half * lifted s relative margin (u i)) := by
    show pack s.stride count _ + margin * ones s.half (2 * count) + 2 ^ s.half * pack s.stride count _ - _ = _
    rw [words, ← pack_mul, ← pack_add, ← pack_add, ← pack_sub (fun i hi => ?_)]
    · refine pack_congr fun i hi => Natural.sub_eq_of_add_eq ?_
      have z : lowered s relative margin (l i) + portion relative (distance s (l i)) = l i + margin :=
        Natural.sub_add_cancel (Nat.le_trans (pl i hi) (Nat.le_add_left _ _))
      unfold lifted Memory.directWord
      rw [Natural.add_right_comm, z, Nat.mul_add, Nat.mul_add]
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    · refine Nat.le_trans (pl i hi) (Nat.le_trans (Nat.le_add_right margin (2 ^ s.half * margin)) (Nat.le_trans (Nat.le_add_left _ _) (Nat.le_add_right _ _)))
  rw [moved]
  have lt : ∀ i, i < count → lowered s relative margin (l i) < 2 ^ s.half ∧ lifted s relative margin (u i) < 2 ^ s.half := fun i hi =>
    ⟨Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (ordered i hi).1 (ordered i hi).2)) fits, Nat.le_trans (Nat.succ_le_succ (ordered i hi).2) fits⟩
  have mirrored : Nat.sub (Nat.mul (s.raised margin).top (ones s.half (Nat.mul 2 count)))
      (Vector.exchange s.half count (pack s.stride count (fun i => lowered s relative margin (l i) + 2 ^ s.half * lifted s relative margin (u i)))) =
      pack (s.raised margin).stride count (fun i => Memory.mirroredWord (s.raised margin) (lowered s relative margin (l i)) (lifted s relative margin (u i))) := by
    have e := Vector.exchange_eq (n := count) c1 (fun i hi => (lt i hi).1) (fun i hi => (lt i hi).2)
    show (s.raised margin).top * ones s.half (2 * count) - Vector.exchange s.half count (pack (s.half + s.half) count _) = _
    rw [e, words]
    refine Eq.trans (pack_sub (b := s.stride) fun i hi => ?_).symm (pack_congr fun i hi => ?_)
    · exact Nat.add_le_add (ordered i hi).2 (Nat.mul_le_mul Nat.le.refl (Nat.le_trans (ordered i hi).1 (ordered i hi).2))
    · unfold Memory.mirroredWord
      have a := Natural.sub_add_cancel (ordered i hi).2
      have b := Natural.sub_add_cancel (Nat.le_trans (ordered i hi).1 (ordered i hi).2)
      refine Natural.sub_eq_of_add_eq ?_
      show (s.raised margin).top - lifted s relative margin (u i) + 2 ^ s.half * ((s.raised margin).top - lowered s relative margin (l i)) +
        (lifted s relative margin (u i) + 2 ^ s.half * lowered s relative margin (l i)) = _
      rw [← Nat.add_assoc, Natural.add_right_comm _ _ (lifted s relative margin (u i)), a, Nat.add_assoc, ← Nat.mul_add, b]
  rw [mirrored]
  rfl

/-! ### The bounds of the rows -/

/-- Rows of the moved memory: they leave room for `relative / 2^48` of the sum of the products' absolute values. -/
theorem bracket_outward {s : Scale} {slots a : Nat → K} {q r : K} {count : Nat} {l u : Nat → Nat}
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top ∧ q * natural (l i) + r * a i ≤ q * s.image (slots i) ∧ q * s.image (slots i) + r * a i ≤ q * natural (u i)) (i : Nat) :
    (ds : List Digits) → (source : Nat → Nat) → (∀ k, k < ds.length → source k < count) →
    q * natural (Linear.low s.top l u ds source i) + r * Columns.weigh a ds source i ≤
      q * (natural s.unit * Linear.combination slots ds source i + natural s.center * natural (Linear.mass ds i)) ∧
    q * (natural s.unit * Linear.combination slots ds source i + natural s.center * natural (Linear.mass ds i)) + r * Columns.weigh a ds source i ≤
      q * natural (Linear.high s.top l u ds source i)
  | [], _, _ => by
    show q * 0 + r * 0 ≤ q * (natural s.unit * 0 + natural s.center * 0) ∧ q * (natural s.unit * 0 + natural s.center * 0) + r * 0 ≤ q * 0
    have zero : (0 : K) + 0 = 0 := add_zer 0
    simp only [mul_zero, zero]; exact ⟨le_refl _, le_refl _⟩
  | d :: ds, source, hs => by
    obtain ⟨h1, h2, h3, h4⟩ := hw (source 0) (hs 0 (Nat.succ_le_succ (Nat.zero_le _)))
    obtain ⟨ih1, ih2⟩ := bracket_outward hw i ds (fun k => source (k + 1)) (fun k hk => hs (k + 1) (Nat.succ_le_succ hk))
    have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
    unfold Scale.image at h3 h4
    have h4 := add_le (-(r * a (source 0))) h4
    rw [add_assoc, add_neg', add_zer] at h4
    rw [mul_add, ← mul_assoc] at h3 h4
    have w := Linear.product_within (K := K) (p := natural (d.positive i)) (n := natural (d.negative i)) (natural_nonneg _) (natural_nonneg _) rfl rfl h3 h4
    have el : (natural (Linear.low s.top l u (d :: ds) source i) : K) = natural (l (source 0)) * natural (d.positive i)
        + (natural s.center + natural s.center - natural (u (source 0))) * natural (d.negative i) + natural (Linear.low s.top l u ds (fun k => source (k + 1)) i) := by
      show natural (_ + _ + _) = _
      rw [natural_add, natural_add, natural_mul, natural_mul, Linear.natural_sub h2, top]
    have eh : (natural (Linear.high s.top l u (d :: ds) source i) : K) = natural (u (source 0)) * natural (d.positive i)
        + (natural s.center + natural s.center - natural (l (source 0))) * natural (d.negative i) + natural (Linear.high s.top l u ds (fun k => source (k + 1)) i) := by
      show natural (_ + _ + _) = _
      rw [natural_add, natural_add, natural_mul, natural_mul, Linear.natural_sub (Nat.le_trans h1 h2), top]
    have ew : Columns.weigh a (d :: ds) source i = a (source 0) * (natural (d.positive i) + natural (d.negative i)) + Columns.weigh a ds (fun k => source (k + 1)) i := by
      show a (source 0) * natural (_ + _) + _ = _
      rw [natural_add]
    have ec : natural s.unit * Linear.combination slots (d :: ds) source i + natural s.center * natural (Linear.mass (d :: ds) i)
        = (natural s.unit * ((natural (d.positive i) - natural (d.negative i)) * slots (source 0)) + natural s.center * (natural (d.positive i) + natural (d.negative i)))
        + (natural s.unit * Linear.combination slots ds (fun k => source (k + 1)) i + natural s.center * natural (Linear.mass ds i)) := by
      show natural s.unit * (_ + _) + natural s.center * natural (_ + _ + _) = _
      rw [natural_add, natural_add, mul_add, mul_add, add_assoc, add_assoc]
      simp only [add_left_comm]
    rw [el, eh, ew, ec]
    rw [mul_assoc q (natural s.unit), mul_assoc q (natural s.center), ← mul_add q (natural s.unit * ((natural (d.positive i) - natural (d.negative i)) * slots (source 0)))] at w
    generalize natural s.unit * ((natural (d.positive i) - natural (d.negative i)) * slots (source 0)) + natural s.center * (natural (d.positive i) + natural (d.negative i)) = v at *
    generalize natural s.unit * Linear.combination slots ds (fun k => source (k + 1)) i + natural s.center * natural (Linear.mass ds i) = vs at *
    generalize (natural (Linear.low s.top l u ds (fun k => source (k + 1)) i) : K) = ls at *
    generalize (natural (Linear.high s.top l u ds (fun k => source (k + 1)) i) : K) = us at *
    generalize Columns.weigh a ds (fun k => source (k + 1)) i = ws at *
    generalize (natural (d.positive i) : K) = p at *
    generalize (natural (d.negative i) : K) = n at *
    generalize (natural (l (source 0)) : K) = low at *
    generalize (natural (u (source 0)) : K) = high at *
    generalize (natural s.center : K) = c at *
    generalize ha : r * a (source 0) = ra at *
    have split : ∀ x y z : K, r * (a (source 0) * (p + n) + x) = ra * (p + n) + r * x := fun x _ _ => by rw [mul_add, ← mul_assoc, ha]
    rw [split ws 0 0]
    have first : q * (low * p + (c + c - high) * n) + ra * (p + n) = (q * low + ra) * p + (q * c + q * c - (q * high + -ra)) * n := by
      have x := (ring4 K q l r p, q * (l * p) + r * p, (q * l + r) * p) q low ra p
      have y := (ring5 K q c u r n, q * ((c + c - u) * n) + r * n, (q * c + q * c - (q * u + -r)) * n) q c high ra n
      rw [← x, ← y, mul_add q, mul_add ra]
      simp only [add_assoc, add_left_comm, add_comm]
    have second : q * (high * p + (c + c - low) * n) = (q * high + -ra) * p + (q * c + q * c - (q * low + ra)) * n + ra * (p + n) := by
      have x := (ring4 K q u r p, q * (u * p), (q * u + -r) * p + r * p) q high ra p
      have y := (ring5 K q c l r n, q * ((c + c - l) * n), (q * c + q * c - (q * l + r)) * n + r * n) q c low ra n
      rw [mul_add q, x, y, mul_add ra]
      simp only [add_assoc, add_left_comm, add_comm]
    constructor
    · refine le_trans (le_of_eq ?_) (le_trans (add_le_add (le_trans (le_of_eq first) w.1) ih1) (le_of_eq (mul_add q v vs).symm))
      rw [mul_add q (low * p + (c + c - high) * n)]
      exact (ring4 K a b c d, a + b + (c + d), a + c + (b + d)) _ _ _ _
    · refine le_trans (le_of_eq ?_) (le_trans (add_le_add (add_le_add w.2 (le_refl (ra * (p + n)))) ih2) (le_of_eq ?_))
      · rw [mul_add q v vs]
        exact (ring4 K a b c d, a + b + (c + d), a + c + (b + d)) _ _ _ _
      · rw [← second, ← mul_add]

/-- What `gather` computes. -/
theorem gather_eq {s : Scale} {b rows bound count n sources positions : Nat} {l u : Nat → Nat} {cs : List Column} {ds : List Digits} (sf : s.Fits)
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top) (hlen : cs.length = n) (hp : Packed b rows bound cs ds) (hs : ∀ i, i < n * positions → word sources i < count) :
    (remaining position : Nat) → position + remaining = positions →
    gather s.stride b rows (32 * n) (pack s.stride count (fun i => Memory.directWord s (l i) (u i))) (pack s.stride count (fun i => Memory.mirroredWord s (l i) (u i)))
        cs remaining (Nat.shiftRight sources (32 * (n * position))) =
      pack b (rows * remaining) (fun i => Linear.low s.top l u ds (fun k => word sources (n * (position + i / rows) + k)) (i % rows) +
        2 ^ s.half * Linear.high s.top l u ds (fun k => word sources (n * (position + i / rows) + k)) (i % rows))
  | 0, _, _ => rfl
  | remaining + 1, position, hpos => by
    have hlt : position < positions := by
      rw [← hpos]; show position + 1 ≤ position + (remaining + 1); exact Nat.succ_le_succ (Nat.le_add_right _ _)
    have hword : ∀ k, word (Nat.shiftRight sources (32 * (n * position))) k = word sources (n * position + k) := fun k => by
      show sources / 2 ^ (32 * (n * position)) / 2 ^ (32 * k) % 2 ^ 32 = sources / 2 ^ (32 * (n * position + k)) % 2 ^ 32
      rw [Natural.shift_shift, Nat.mul_add]
    have hbelow : ∀ k, k < cs.length → word (Nat.shiftRight sources (32 * (n * position))) k < count := fun k hk => by
      rw [hword]
      rw [hlen] at hk
      refine hs _ (Nat.le_trans ?_ (Nat.mul_le_mul Nat.le.refl hlt))
      show n * position + (k + 1) ≤ n * position + n
      exact Nat.add_le_add Nat.le.refl hk
    have first := Linear.accumulate_eq sf hw cs ds (Nat.shiftRight sources (32 * (n * position))) _ hp (fun _ _ => rfl) hbelow
    have ih := gather_eq sf hw hlen hp hs remaining (position + 1) (by rw [← hpos, Nat.add_assoc, Nat.add_comm 1])
    have hshift : Nat.shiftRight (Nat.shiftRight sources (32 * (n * position))) (32 * n) = Nat.shiftRight sources (32 * (n * (position + 1))) := by
      show sources / 2 ^ (32 * (n * position)) / 2 ^ (32 * n) = sources / 2 ^ (32 * (n * (position + 1)))
      rw [Natural.shift_shift, ← Nat.mul_add]; rfl
    have hcount : rows * (remaining + 1) = rows + rows * remaining := by rw [Nat.mul_succ, Nat.add_comm]
    rw [gather_succ, hshift, ih, first, hcount]
    refine Memory.pack_splice (fun i h => ?_) (fun i h => ?_)
    · have e : (fun k => word sources (n * (position + i / rows) + k)) = word (Nat.shiftRight sources (32 * (n * position))) := funext fun k => by
        rw [hword, Natural.div_eq_zero h]; rfl
      rw [e, Natural.mod_eq_self h]
    · have pos : 0 < rows := by
        cases rows with
        | zero => rw [Nat.zero_mul] at h; exact absurd h (Nat.not_succ_le_zero i)
        | succ r => exact Nat.succ_le_succ (Nat.zero_le r)
      obtain ⟨q, r, e, lt⟩ := Natural.euclid pos i
      have e2 : rows + (r + rows * q) = r + rows * (q + 1) := by
        rw [Nat.mul_succ]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
      have e3 : position + (q + 1) = position + 1 + q := by rw [Nat.add_assoc, Nat.add_comm 1]
      rw [e, e2, Natural.add_mul_mod _ lt, Natural.add_mul_mod _ lt, Natural.add_mul_div _ lt, Natural.add_mul_div _ lt, e3]

end Affine
end PytestTorchLean
