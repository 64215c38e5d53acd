prelude
import PytestTorchLean.Check.RowError
/-!
# How large a row's products can get, above 0 and below

A memory whose bounds enclose 0 as well gives two sums for every row: what its products above 0 add up to at
most, and those below 0. One application of the columns bounds both, as it bounds the row itself.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Affine
variable {K : Type u} [OrderedRing K]

/-- The memory with every lower bound that is above 0 lowered to 0, and every upper bound below 0 raised to
    0. -/
def withZero (s : Scale) (count direct mirrored : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun centers => force (fun mask => force (fun lows => force (fun highs =>
          force (force next (Nat.add (Nat.sub direct lows) (Nat.mul (Nat.pow 2 s.half) highs)))
            (Nat.add (Nat.sub mirrored highs) (Nat.mul (Nat.pow 2 s.half) lows)))
        (force (fun below => Nat.shiftRight (Nat.sub below (Nat.land below mask)) s.half)
          (Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1) centers direct)))
      (Nat.land (Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1) direct centers) mask))
    (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (Nat.add s.half s.half) count)))
    (Nat.mul s.center (ones s.half (Nat.mul 2 count)))

/-- A lower bound that does not exceed 0. -/
def lowered (s : Scale) (x : Nat) : Nat := x - (x - s.center)
/-- An upper bound that is not below 0. -/
def lifted (s : Scale) (x : Nat) : Nat := x + (s.center - x)

theorem le_add_sub (a b : Nat) : b ≤ a + (b - a) := by
  cases Nat.le_total a b with
  | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact Nat.le.refl
  | inr g => exact Nat.le_trans g (Nat.le_add_right _ _)
theorem lowered_le (s : Scale) (x : Nat) : lowered s x ≤ x ∧ lowered s x ≤ s.center := by
  refine ⟨Natural.sub_le _ _, ?_⟩
  unfold lowered
  cases Nat.le_total s.center x with
  | inl g =>
    refine Nat.le_of_add_le_add_right (x - s.center) ?_
    rw [Natural.sub_add_cancel (Natural.sub_le _ _)]
    exact le_add_sub _ _
  | inr g => exact Nat.le_trans (Natural.sub_le _ _) g
theorem le_lifted (s : Scale) (x : Nat) : x ≤ lifted s x ∧ s.center ≤ lifted s x :=
  ⟨Nat.le_add_right _ _, le_add_sub _ _⟩
theorem lifted_le {s : Scale} {x : Nat} (h : x ≤ s.top) : lifted s x ≤ s.top := by
  unfold lifted
  cases Nat.le_total x s.center with
  | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact Nat.le_add_right _ _
  | inr g =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le g
    rw [hk, Vector.sub_zero_of, ← hk]; exact h

theorem withZero_eq {s : Scale} {count : Nat} {l u : Nat → Nat} {next : Nat → Nat → Bool} (c1 : 1 ≤ s.half)
    (c2 : s.top < 2 ^ (s.half - 1)) (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top) :
    withZero s count (pack s.stride count (fun i => Memory.directWord s (l i) (u i)))
      (pack s.stride count (fun i => Memory.mirroredWord s (l i) (u i))) next =
    next (pack s.stride count (fun i => Memory.directWord s (lowered s (l i)) (lifted s (u i))))
      (pack s.stride count (fun i => Memory.mirroredWord s (lowered s (l i)) (lifted s (u i)))) := by
  have hwide : s.half - 1 + 1 ≤ s.half := Natural.le_of_eq (Natural.succ_pred c1)
  have hcenter : s.center < 2 ^ (s.half - 1) := Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right _ _)) c2
  have small : ∀ i, i < count → l i < 2 ^ (s.half - 1) ∧ u i < 2 ^ (s.half - 1) := fun i hi =>
    ⟨Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (hw i hi).1 (hw i hi).2)) c2,
        Nat.le_trans (Nat.succ_le_succ (hw i hi).2) c2⟩
  have p := Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) count l u small
  have half_le : 2 ^ (s.half - 1) ≤ 2 ^ s.half := Natural.two_pow_le (Natural.sub_le _ _)
  have less : ∀ {x y}, x < 2 ^ (s.half - 1) → x - y < 2 ^ s.half :=
    fun hx => Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _)) (Nat.le_trans hx half_le)
  have direct : pack s.stride count (fun i => Memory.directWord s (l i) (u i)) =
      pack s.half (2 * count) (fun j => Vector.pair j l u) :=
    (Vector.pack_pair s.half count l u).symm
  have centers :
    Nat.mul s.center (ones s.half (Nat.mul 2 count)) = pack s.half (2 * count) (fun _ => s.center) :=
    mul_ones c1 _ _
  have above : Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1)
    (pack s.stride count (fun i => Memory.directWord s (l i) (u i)))
    (pack s.half (2 * count) (fun _ => s.center)) =
      pack (s.half + s.half) count (fun i => (l i - s.center) + 2 ^ s.half * (u i - s.center)) := by
    rw [direct]
    refine Eq.trans (Vector.difference_eq hwide p (fun _ _ => hcenter)) ?_
    have g := Vector.pack_map (fun x y => x - y) s.half count l u (fun _ => s.center) (fun _ => s.center)
    rw [← g]
    exact pack_congr fun j _ => by rw [Vector.pair_constant]
  have below : Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1)
    (pack s.half (2 * count) (fun _ => s.center))
    (pack s.stride count (fun i => Memory.directWord s (l i) (u i))) =
      pack (s.half + s.half) count (fun i => (s.center - l i) + 2 ^ s.half * (s.center - u i)) := by
    rw [direct]
    refine Eq.trans (Vector.difference_eq hwide (fun _ _ => hcenter) p) ?_
    have g := Vector.pack_map (fun x y => y - x) s.half count l u (fun _ => s.center) (fun _ => s.center)
    rw [← g]
    exact pack_congr fun j _ => by rw [Vector.pair_constant]
  have low : ∀ f g : Nat → Nat, (∀ i, i < count → f i < 2 ^ s.half) → (∀ i, i < count → g i < 2 ^ s.half) →
      Nat.land (pack (s.half + s.half) count (fun i => f i + 2 ^ s.half * g i))
            (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (Nat.add s.half s.half) count)) =
          pack (s.half + s.half) count f := fun f g hf hg => by
    have e := Decode.low_pack (Nat.le_add_left s.half s.half)
      (Nat.le_trans c1 (Nat.le_add_left s.half s.half)) (w := fun i => f i + 2 ^ s.half * g i) (m := count)
      (fun i hi => Memory.halves_lt (hf i hi) (hg i hi))
    exact Eq.trans e (pack_congr fun i hi => Natural.add_mul_mod _ (hf i hi))
  have over : Nat.shiftRight
    (Nat.sub (pack (s.half + s.half) count (fun i => (s.center - l i) + 2 ^ s.half * (s.center - u i)))
      (pack (s.half + s.half) count (fun i => s.center - l i))) s.half =
      pack s.stride count (fun i => s.center - u i) := by
    show Nat.shiftRight (_ - _) s.half = _
    rw [pack_add, Natural.add_sub_cancel_left, shift_pack_mul]; rfl
  unfold withZero
  simp only [force_eq]
  rw [centers, above, below, low _ _ (fun i hi => less (small i hi).1) (fun i hi => less (small i hi).2),
    low _ _ (fun i _ => less hcenter) (fun i _ => less hcenter), over]
  have stride : s.half + s.half = s.stride := rfl
  rw [stride]
  have moved : Nat.add (Nat.sub (pack s.stride count (fun i => Memory.directWord s (l i) (u i)))
      (pack s.stride count (fun i => l i - s.center)))
      (Nat.mul (Nat.pow 2 s.half) (pack s.stride count (fun i => s.center - u i))) =
          pack s.stride count (fun i => Memory.directWord s (lowered s (l i)) (lifted s (u i))) := by
    show pack s.stride count _ - pack s.stride count _ + 2 ^ s.half * pack s.stride count _ = _
    rw [← pack_sub (f := fun i => Memory.directWord s (l i) (u i)) (g := fun i => l i - s.center)
        (fun i _ => Nat.le_trans (Natural.sub_le (l i) s.center) (Nat.le_add_right _ _)), ← pack_mul,
        ← pack_add]
    refine pack_congr fun i _ => ?_
    have z : Memory.directWord s (l i) (u i) - (l i - s.center) = lowered s (l i) + 2 ^ s.half * u i := by
      refine Natural.sub_eq_of_add_eq ?_
      rw [Natural.add_right_comm]
      unfold lowered
      rw [Natural.sub_add_cancel (Natural.sub_le _ _)]; rfl
    rw [z, Nat.add_assoc, ← Nat.mul_add]; rfl
  have turned : Nat.add (Nat.sub (pack s.stride count (fun i => Memory.mirroredWord s (l i) (u i)))
      (pack s.stride count (fun i => s.center - u i)))
      (Nat.mul (Nat.pow 2 s.half) (pack s.stride count (fun i => l i - s.center))) =
          pack s.stride count (fun i => Memory.mirroredWord s (lowered s (l i)) (lifted s (u i))) := by
    show pack s.stride count _ - pack s.stride count _ + 2 ^ s.half * pack s.stride count _ = _
    have room : ∀ i, i < count → s.center - u i ≤ s.top - u i := fun i hi => by
      cases Nat.le_total (u i) s.center with
      | inl g =>
        refine Nat.le_of_add_le_add_right (u i) ?_
        rw [Natural.sub_add_cancel g, Natural.sub_add_cancel (hw i hi).2]
        exact Nat.le_add_right _ _
      | inr g =>
        obtain ⟨k, hk⟩ := Nat.exists_of_le g
        rw [hk, Vector.sub_zero_of]; exact Nat.zero_le _
    rw [← pack_sub (f := fun i => Memory.mirroredWord s (l i) (u i)) (g := fun i => s.center - u i)
        (fun i hi => Nat.le_trans (room i hi) (Nat.le_add_right _ _)), ← pack_mul, ← pack_add]
    refine pack_congr fun i hi => ?_
    have z : Memory.mirroredWord s (l i) (u i) - (s.center - u i) =
        s.top - lifted s (u i) + 2 ^ s.half * (s.top - l i) := by
      refine Natural.sub_eq_of_add_eq ?_
      have k : s.top - lifted s (u i) + (s.center - u i) = s.top - u i := by
        refine (Natural.sub_eq_of_add_eq ?_).symm
        have q := Natural.sub_add_cancel (lifted_le (hw i hi).2)
        rw [Nat.add_assoc, Nat.add_comm (s.center - u i)]; exact q
      rw [Natural.add_right_comm, k]; rfl
    have y : s.top - l i + (l i - s.center) = s.top - lowered s (l i) := by
      refine (Natural.sub_eq_of_add_eq ?_).symm
      unfold lowered
      rw [Nat.add_assoc, Nat.add_comm (l i - s.center), Natural.sub_add_cancel (Natural.sub_le _ _)]
      exact Natural.sub_add_cancel (Nat.le_trans (hw i hi).1 (hw i hi).2)
    rw [z, Nat.add_assoc, ← Nat.mul_add, y]; rfl
  rw [moved, turned]

/-- It bounds the slots, too. -/
theorem withZero_holds {s : Scale} {slots : Nat → K} {count : Nat} {l u : Nat → Nat}
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top ∧ Within s (l i) (u i) (slots i)) :
    (Memory.mk (pack s.stride count (fun i => Memory.directWord s (lowered s (l i)) (lifted s (u i))))
      (pack s.stride count (fun i => Memory.mirroredWord s (lowered s (l i)) (lifted s (u i))))).Holds s slots
    count :=
  ⟨fun i => lowered s (l i), fun i => lifted s (u i), rfl, rfl, fun i hi =>
    ⟨Nat.le_trans (lowered_le s (l i)).2 (le_lifted s (u i)).2, lifted_le (hw i hi).2.1,
      le_trans (natural_le (lowered_le s (l i)).1) (hw i hi).2.2.1,
          le_trans (hw i hi).2.2.2 (natural_le (le_lifted s (u i)).1)⟩⟩

/-- How far such bounds let a slot lie above 0, and below. -/
theorem sides_within {s : Scale} {l u : Nat} {x : K} (hw : Within s l u x) :
    natural s.unit * x ≤ natural (lifted s u - s.center) ∧
    -(natural s.unit * x) ≤ natural (s.center - lowered s l) := by
  have low := le_trans (natural_le (K := K) (lowered_le s l).1) hw.1
  have high := le_trans hw.2 (natural_le (K := K) (le_lifted s u).1)
  rw [Linear.natural_sub (le_lifted s u).2, Linear.natural_sub (lowered_le s l).2]
  unfold Scale.image at low high
  refine ⟨le_cert ?_ (sub_nonneg high), le_cert ?_ (sub_nonneg low)⟩
  · exact (ring3 K x c u, u - c - x, u - (x + c)) _ _ _
  · exact (ring3 K x c l, c - l - -x, x + c - l) _ _ _

/-- The two sums of a row, from bounds that enclose 0. -/
theorem sides_eq {s : Scale} {count : Nat} {l u : Nat → Nat}
    (hw : ∀ j, j < count → l j ≤ s.center ∧ s.center ≤ u j ∧ u j ≤ s.top) (i : Nat) :
    (ds : List Digits) → (source : Nat → Nat) → (∀ k, k < ds.length → source k < count) →
    Linear.low s.top l u ds source i +
          Columns.sides (fun j => s.center - l j) (fun j => u j - s.center) ds source i =
        s.center * Linear.mass ds i ∧
      s.center * Linear.mass ds i +
          Columns.sides (fun j => u j - s.center) (fun j => s.center - l j) ds source i =
        Linear.high s.top l u ds source i
  | [], _, _ => ⟨(Nat.mul_zero s.center).symm, Nat.mul_zero s.center⟩
  | d :: ds, source, hs => by
    obtain ⟨ih1, ih2⟩ :=
      sides_eq hw i ds (fun k => source (k + 1)) (fun k hk => hs (k + 1) (Nat.succ_le_succ hk))
    obtain ⟨h1, h2, h3⟩ := hw (source 0) (hs 0 (Nat.succ_le_succ (Nat.zero_le _)))
    have e1 : l (source 0) + (s.center - l (source 0)) = s.center := by
      rw [Nat.add_comm]
      exact Natural.sub_add_cancel h1
    have e2 : s.center + (u (source 0) - s.center) = u (source 0) := by
      rw [Nat.add_comm]
      exact Natural.sub_add_cancel h2
    have e3 : s.top - u (source 0) + (u (source 0) - s.center) = s.center := by
      refine Natural.add_right_cancel s.center ?_
      rw [Nat.add_assoc, Natural.sub_add_cancel h2, Natural.sub_add_cancel h3]; rfl
    have e4 : s.center + (s.center - l (source 0)) = s.top - l (source 0) := by
      refine (Natural.sub_eq_of_add_eq ?_).symm
      rw [Nat.add_assoc, Natural.sub_add_cancel h1]; rfl
    show l (source 0) * d.positive i + (s.top - u (source 0)) * d.negative i + Linear.low s.top l u ds _ i +
        ((s.center - l (source 0)) * d.positive i + (u (source 0) - s.center) * d.negative i +
              Columns.sides _ _ ds _ i) = s.center * (d.positive i + d.negative i + Linear.mass ds i) ∧
      s.center * (d.positive i + d.negative i + Linear.mass ds i) +
          ((u (source 0) - s.center) * d.positive i + (s.center - l (source 0)) * d.negative i +
              Columns.sides _ _ ds _ i) =
        u (source 0) * d.positive i + (s.top - l (source 0)) * d.negative i + Linear.high s.top l u ds _ i
    rw [← ih2, Nat.mul_add, Nat.mul_add, ← ih1]
    constructor
    · have p :
          s.center * d.positive i =
            l (source 0) * d.positive i + (s.center - l (source 0)) * d.positive i := by
        rw [← Nat.add_mul, e1]
      have n : s.center * d.negative i =
          (s.top - u (source 0)) * d.negative i + (u (source 0) - s.center) * d.negative i := by
        rw [← Nat.add_mul, e3]
      rw [p, n]
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    · have p :
          u (source 0) * d.positive i =
            s.center * d.positive i + (u (source 0) - s.center) * d.positive i := by
        rw [← Nat.add_mul, e2]
      have n : (s.top - l (source 0)) * d.negative i =
          s.center * d.negative i + (s.center - l (source 0)) * d.negative i := by rw [← Nat.add_mul, e4]
      rw [p, n]
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

/-- What `gather` computes. -/
theorem gather_eq {s : Scale} {b rows bound count n sources positions : Nat} {l u : Nat → Nat}
    {cs : List Column} {ds : List Digits}
    (sf : s.Fits)
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top)
    (hlen : cs.length = n)
    (hp : Packed b rows bound cs ds)
    (hs : ∀ i, i < n * positions → word sources i < count) :
    (remaining position : Nat) → position + remaining = positions →
    gather s.stride b rows (32 * n) (pack s.stride count (fun i => Memory.directWord s (l i) (u i)))
        (pack s.stride count (fun i => Memory.mirroredWord s (l i) (u i))) cs remaining
        (Nat.shiftRight sources (32 * (n * position))) =
      pack b (rows * remaining)
        (fun i => Linear.low s.top l u ds (fun k => word sources (n * (position + i / rows) + k)) (i % rows) +
          2 ^ s.half *
            Linear.high s.top l u ds (fun k => word sources (n * (position + i / rows) + k)) (i % rows))
  | 0, _, _ => rfl
  | remaining + 1, position, hpos => by
    have hlt : position < positions := by
      rw [← hpos]
      show position + 1 ≤ position + (remaining + 1)
      exact Nat.succ_le_succ (Nat.le_add_right _ _)
    have hword : ∀ k,
        word (Nat.shiftRight sources (32 * (n * position))) k = word sources (n * position + k) := fun k => by
      show sources / 2 ^ (32 * (n * position)) / 2 ^ (32 * k) % 2 ^ 32 =
        sources / 2 ^ (32 * (n * position + k)) % 2 ^ 32
      rw [Natural.shift_shift, Nat.mul_add]
    have hbelow :
        ∀ k, k < cs.length → word (Nat.shiftRight sources (32 * (n * position))) k < count := fun k hk => by
      rw [hword]
      rw [hlen] at hk
      refine hs _ (Nat.le_trans ?_ (Nat.mul_le_mul Nat.le.refl hlt))
      show n * position + (k + 1) ≤ n * position + n
      exact Nat.add_le_add Nat.le.refl hk
    have first := Linear.accumulate_eq sf hw cs ds (Nat.shiftRight sources (32 * (n * position))) _ hp
      (fun _ _ => rfl) hbelow
    have ih :=
      gather_eq sf hw hlen hp hs remaining (position + 1) (by rw [← hpos, Nat.add_assoc, Nat.add_comm 1])
    have hshift : Nat.shiftRight (Nat.shiftRight sources (32 * (n * position))) (32 * n) =
        Nat.shiftRight sources (32 * (n * (position + 1))) := by
      show sources / 2 ^ (32 * (n * position)) / 2 ^ (32 * n) = sources / 2 ^ (32 * (n * (position + 1)))
      rw [Natural.shift_shift, ← Nat.mul_add]; rfl
    have hcount : rows * (remaining + 1) = rows + rows * remaining := by rw [Nat.mul_succ, Nat.add_comm]
    rw [gather_succ, hshift, ih, first, hcount]
    refine Memory.pack_splice (fun i h => ?_) (fun i h => ?_)
    · have e : (fun k => word sources (n * (position + i / rows) + k)) =
          word (Nat.shiftRight sources (32 * (n * position))) := funext fun k => by
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
      rw [e, e2, Natural.add_mul_mod _ lt, Natural.add_mul_mod _ lt, Natural.add_mul_div _ lt,
          Natural.add_mul_div _ lt, e3]
end Affine
end PytestTorchLean
