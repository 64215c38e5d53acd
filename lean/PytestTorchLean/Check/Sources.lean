prelude
import PytestTorchLean.Check.RowError
/-!
# How large the values are that a node reads

The error of a row depends on the sum of its products' absolute values. Here the fixed-point bounds of the
memory's slots are compared with one radius, or turned into one bound for each slot: all slots at once.
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

/-! ### A bound for each slot -/

/-- For every slot, its distance from 0 at most: how far its bounds lie above or below, whichever is more. -/
def magnitudes (s : Scale) (count direct : Nat) : Nat :=
  force (fun centers => force (fun mask => force (fun above =>
      force (fun over => Nat.add over (Vector.difference s.stride count (Nat.sub s.half 1)
          (Nat.land (Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1) centers direct) mask) over))
        (Nat.shiftRight (Nat.sub above (Nat.land above mask)) s.half))
    (Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1) direct centers))
    (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (Nat.add s.half s.half) count))) (Nat.mul s.center (ones s.half (Nat.mul 2 count)))

/-- `relative / 2^48` of each number, rounded up. -/
def portions (s : Scale) (relative count numbers : Nat) : Nat :=
  force (fun units => Decode.field 48 (Nat.sub s.stride 48) (Nat.add (Nat.mul relative numbers) (Nat.mul (Nat.sub (Nat.pow 2 48) 1) units)) units)
    (ones s.stride count)
/-- What each unit of weight on a slot adds to a row's error, rounded up. -/
def charges (s : Scale) (relative count direct : Nat) : Nat := portions s relative count (magnitudes s count direct)

/-- A slot's bounds, as a bound of its absolute value. -/
def magnitude (s : Scale) (l u : Nat) : Nat := (u - s.center) + (s.center - l - (u - s.center))
/-- `relative / 2^48` of a number, rounded up. -/
def portion (relative n : Nat) : Nat := (relative * n + (2 ^ 48 - 1)) / 2 ^ 48
def chargeOf (s : Scale) (relative l u : Nat) : Nat := portion relative (magnitude s l u)

theorem le_add_sub (a b : Nat) : b ≤ a + (b - a) := by
  cases Nat.le_total a b with
  | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact Nat.le.refl
  | inr g => exact Nat.le_trans g (Nat.le_add_right _ _)
theorem magnitude_within {s : Scale} {l u : Nat} {x : K} (hw : Within s l u x) : AtMost (natural s.unit * x) (natural (magnitude s l u)) := by
  refine within_radius hw ?_ ?_
  · have c : s.center ≤ l + (s.center - l) := by
      cases Nat.le_total l s.center with
      | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact Nat.le.refl
      | inr g => exact Nat.le_trans g (Nat.le_add_right _ _)
    have e : s.center ≤ l + magnitude s l u := Nat.le_trans c (Nat.add_le_add Nat.le.refl (le_add_sub _ _))
    cases Nat.le_total (magnitude s l u) s.center with
    | inl g =>
      have z : s.center - magnitude s l u + magnitude s l u ≤ l + magnitude s l u := by rw [Natural.sub_add_cancel g]; exact e
      exact Nat.le_of_add_le_add_right _ z
    | inr g =>
      obtain ⟨k, hk⟩ := Nat.exists_of_le g
      rw [hk, Vector.sub_zero_of]; exact Nat.zero_le _
  · have c : u ≤ s.center + (u - s.center) := le_add_sub s.center u
    exact Nat.le_trans c (Nat.add_le_add Nat.le.refl (Nat.le_add_right _ _))

theorem magnitude_le {s : Scale} {l u : Nat} (hu : u ≤ s.top) : magnitude s l u ≤ s.top := by
  refine Nat.add_le_add ?_ (Nat.le_trans (Natural.sub_le _ _) (Natural.sub_le _ _))
  cases Nat.le_total s.center u with
  | inl g =>
    refine Nat.le_of_add_le_add_right s.center ?_
    rw [Natural.sub_add_cancel g]; exact hu
  | inr g =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le g
    rw [hk, Vector.sub_zero_of]; exact Nat.zero_le _

theorem magnitudes_eq {s : Scale} {count : Nat} {l u : Nat → Nat} (c1 : 1 ≤ s.half) (c2 : s.top < 2 ^ (s.half - 1))
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top) :
    magnitudes s count (pack s.stride count (fun i => Memory.directWord s (l i) (u i))) = pack s.stride count (fun i => magnitude s (l i) (u i)) := by
  have hwide : s.half - 1 + 1 ≤ s.half := Natural.le_of_eq (Natural.succ_pred c1)
  have hcenter : s.center < 2 ^ (s.half - 1) := Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right _ _)) c2
  have small : ∀ i, i < count → l i < 2 ^ (s.half - 1) ∧ u i < 2 ^ (s.half - 1) := fun i hi =>
    ⟨Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (hw i hi).1 (hw i hi).2)) c2, Nat.le_trans (Nat.succ_le_succ (hw i hi).2) c2⟩
  have p := Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) count l u small
  have half_le : 2 ^ (s.half - 1) ≤ 2 ^ s.half := Natural.two_pow_le (Natural.sub_le _ _)
  have less : ∀ {x y}, x < 2 ^ (s.half - 1) → x - y < 2 ^ s.half := fun hx => Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _)) (Nat.le_trans hx half_le)
  have direct : pack s.stride count (fun i => Memory.directWord s (l i) (u i)) = pack s.half (2 * count) (fun j => Vector.pair j l u) :=
    (Vector.pack_pair s.half count l u).symm
  have centers : Nat.mul s.center (ones s.half (Nat.mul 2 count)) = pack s.half (2 * count) (fun _ => s.center) := mul_ones c1 _ _
  have d1 : Vector.difference s.half (2 * count) (s.half - 1) (pack s.half (2 * count) (fun j => Vector.pair j l u)) (pack s.half (2 * count) (fun _ => s.center)) =
      pack (s.half + s.half) count (fun i => (l i - s.center) + 2 ^ s.half * (u i - s.center)) := by
    rw [Vector.difference_eq hwide p (fun _ _ => hcenter)]
    have g := Vector.pack_map (fun x y => x - y) s.half count l u (fun _ => s.center) (fun _ => s.center)
    rw [← g]
    exact pack_congr fun j _ => by rw [Vector.pair_constant]
  have d2 : Vector.difference s.half (2 * count) (s.half - 1) (pack s.half (2 * count) (fun _ => s.center)) (pack s.half (2 * count) (fun j => Vector.pair j l u)) =
      pack (s.half + s.half) count (fun i => (s.center - l i) + 2 ^ s.half * (s.center - u i)) := by
    rw [Vector.difference_eq hwide (fun _ _ => hcenter) p]
    have g := Vector.pack_map (fun x y => y - x) s.half count l u (fun _ => s.center) (fun _ => s.center)
    rw [← g]
    exact pack_congr fun j _ => by rw [Vector.pair_constant]
  have low : ∀ f g : Nat → Nat, (∀ i, i < count → f i < 2 ^ s.half) → (∀ i, i < count → g i < 2 ^ s.half) →
      Nat.land (pack (s.half + s.half) count (fun i => f i + 2 ^ s.half * g i)) (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (Nat.add s.half s.half) count)) =
        pack (s.half + s.half) count f := fun f g hf hg => by
    have e := Decode.low_pack (Nat.le_add_left s.half s.half) (Nat.le_trans c1 (Nat.le_add_left s.half s.half)) (w := fun i => f i + 2 ^ s.half * g i)
      (m := count) (fun i hi => Memory.halves_lt (hf i hi) (hg i hi))
    exact Eq.trans e (pack_congr fun i hi => Natural.add_mul_mod _ (hf i hi))
  unfold magnitudes
  simp only [force_eq]
  rw [centers, direct]
  have d1' : Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1) (pack s.half (2 * count) (fun j => Vector.pair j l u)) (pack s.half (2 * count) (fun _ => s.center)) = _ := d1
  have d2' : Vector.difference s.half (Nat.mul 2 count) (Nat.sub s.half 1) (pack s.half (2 * count) (fun _ => s.center)) (pack s.half (2 * count) (fun j => Vector.pair j l u)) = _ := d2
  rw [d1', d2', low _ _ (fun i hi => less (small i hi).1) (fun i hi => less (small i hi).2),
    low _ _ (fun i _ => less hcenter) (fun i _ => less hcenter)]
  have over : Nat.shiftRight (Nat.sub (pack (s.half + s.half) count (fun i => (l i - s.center) + 2 ^ s.half * (u i - s.center)))
      (pack (s.half + s.half) count (fun i => l i - s.center))) s.half = pack s.stride count (fun i => u i - s.center) := by
    show Nat.shiftRight (_ - _) s.half = _
    rw [pack_add, Natural.add_sub_cancel_left, shift_pack_mul]; rfl
  have room : s.half - 1 + 1 ≤ s.stride := Nat.le_trans hwide (Nat.le_add_left _ _)
  have under : Vector.difference s.stride count (Nat.sub s.half 1) (pack (s.half + s.half) count (fun i => s.center - l i))
      (pack s.stride count (fun i => u i - s.center)) = pack s.stride count (fun i => s.center - l i - (u i - s.center)) :=
    Vector.difference_eq room (fun _ _ => Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _)) hcenter)
      (fun i hi => Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _)) (small i hi).2)
  rw [over, under]
  exact (pack_add _ _ _ _).symm

theorem portion_large (relative n : Nat) : relative * n ≤ 2 ^ 48 * portion relative n := by
  have z := Rows.lt_mul_div (relative * n + (2 ^ 48 - 1)) (2 ^ 48) (Natural.two_pow_pos 48)
  exact Nat.le_of_add_le_add_right (2 ^ 48 - 1) z
theorem portion_le {relative n most : Nat} (h : n ≤ most) : portion relative n ≤ relative * most / 2 ^ 48 + 1 := by
  have p := Natural.two_pow_pos 48
  have last : 2 ^ 48 - 1 + 1 = 2 ^ 48 := Natural.mask_succ 48
  have a := Nat.mul_le_mul (Nat.le.refl (n := relative)) h
  have b : relative * n + (2 ^ 48 - 1) < 2 ^ 48 * (relative * most / 2 ^ 48 + 1 + 1) := by
    have c := Rows.lt_mul_div (relative * most) (2 ^ 48) p
    refine Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add (Nat.le_trans a c) Nat.le.refl)) ?_
    rw [Nat.mul_succ, Nat.mul_succ, Nat.add_assoc, Nat.add_assoc]
    generalize relative * most / 2 ^ 48 = q
    refine Nat.add_le_add Nat.le.refl (Nat.le_trans (n := 2 ^ 48 - 1 + (2 ^ 48 - 1 + 1)) Nat.le.refl ?_)
    rw [last]
    exact Nat.add_le_add (Natural.sub_le _ _) Nat.le.refl
  exact Nat.le_of_succ_le_succ (Natural.div_lt p b)
theorem portions_eq {s : Scale} {relative count : Nat} {f : Nat → Nat} (wide : 48 ≤ s.stride)
    (room : relative * s.top + 2 ^ 48 ≤ 2 ^ s.stride) (hf : ∀ i, i < count → f i ≤ s.top) :
    portions s relative count (pack s.stride count f) = pack s.stride count (fun i => portion relative (f i)) := by
  have hb : 0 < s.stride := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 47)) wide
  unfold portions
  rw [force_eq]
  have e : Nat.add (Nat.mul relative (pack s.stride count f)) (Nat.mul (Nat.sub (Nat.pow 2 48) 1) (ones s.stride count)) =
      pack s.stride count (fun i => relative * f i + (2 ^ 48 - 1)) := by
    show relative * pack s.stride count _ + (2 ^ 48 - 1) * ones s.stride count = _
    rw [mul_ones hb, ← pack_mul, ← pack_add]
  rw [e]
  have lt : ∀ i, i < count → relative * f i + (2 ^ 48 - 1) < 2 ^ s.stride := fun i hi => by
    refine Nat.le_trans ?_ room
    show relative * f i + (2 ^ 48 - 1 + 1) ≤ _
    rw [Natural.mask_succ 48]
    exact Nat.add_le_add (Nat.mul_le_mul Nat.le.refl (hf i hi)) Nat.le.refl
  have split : 48 + (s.stride - 48) = s.stride := by rw [Nat.add_comm]; exact Natural.sub_add_cancel wide
  have f := Decode.field_pack (j := 48) (k := s.stride - 48) (Natural.le_of_eq split) hb lt
  refine Eq.trans f (pack_congr fun i hi => Natural.mod_eq_self ?_)
  refine Natural.div_lt (Natural.two_pow_pos 48) ?_
  rw [← Natural.pow_add, split]; exact lt i hi

theorem chargeOf_le {s : Scale} {relative l u : Nat} (hu : u ≤ s.top) : chargeOf s relative l u ≤ relative * s.top / 2 ^ 48 + 1 :=
  portion_le (magnitude_le hu)
theorem charges_eq {s : Scale} {relative count : Nat} {l u : Nat → Nat} (c1 : 1 ≤ s.half) (c2 : s.top < 2 ^ (s.half - 1)) (wide : 48 ≤ s.stride)
    (room : relative * s.top + 2 ^ 48 ≤ 2 ^ s.stride) (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top) :
    charges s relative count (pack s.stride count (fun i => Memory.directWord s (l i) (u i))) = pack s.stride count (fun i => chargeOf s relative (l i) (u i)) := by
  unfold charges
  rw [magnitudes_eq c1 c2 hw]
  exact portions_eq wide room (fun i hi => magnitude_le (hw i hi).2)
theorem chargeOf_large (s : Scale) (relative l u : Nat) : relative * magnitude s l u ≤ 2 ^ 48 * chargeOf s relative l u := portion_large relative _

/-! ### The charges of all rows -/

/-- For every row, the sum of its absolute weights, each times the charge of the slot it reads. -/
def charge (stride charged : Nat) (columns : List Column) : Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun c _ next sources => Column.rec (motive := fun _ => Nat) (fun positive negative =>
        Nat.add (Nat.mul (Nat.land (Nat.shiftRight charged (Nat.mul stride (Nat.land sources (Nat.sub (Nat.pow 2 32) 1)))) (Nat.sub (Nat.pow 2 stride) 1)) (Nat.add positive negative))
          (force next (Nat.shiftRight sources 32))) c) columns
/-- For the compiler, as in Core/Recursors: a loop that forms its masks once. -/
def chargeLoop (stride mask wordMask charged : Nat) : List Column → (sources place rest sum : Nat) → Nat
  | [], _, _, _, sum => sum
  | ⟨positive, negative⟩ :: columns, sources, place, rest, sum =>
    let slot := Nat.land sources wordMask
    let rest := Linear.restAt stride charged place rest slot
    chargeLoop stride mask wordMask charged columns (Nat.shiftRight sources 32) slot rest
      (Nat.add sum (Nat.mul (Nat.land rest mask) (Nat.add positive negative)))
def compiledCharge (stride charged : Nat) (columns : List Column) (sources : Nat) : Nat :=
  chargeLoop stride (Nat.sub (Nat.pow 2 stride) 1) (Nat.sub (Nat.pow 2 32) 1) charged columns sources 0 charged 0
theorem chargeLoop_eq (stride charged : Nat) : (columns : List Column) → (sources place sum : Nat) →
    chargeLoop stride (2 ^ stride - 1) (2 ^ 32 - 1) charged columns sources place (Nat.shiftRight charged (stride * place)) sum =
      sum + charge stride charged columns sources
  | [], _, _, _ => rfl
  | ⟨positive, negative⟩ :: columns, sources, place, sum => by
    have step : charge stride charged (⟨positive, negative⟩ :: columns) sources =
        Nat.land (Nat.shiftRight charged (stride * Nat.land sources (2 ^ 32 - 1))) (2 ^ stride - 1) * (positive + negative) +
          charge stride charged columns (Nat.shiftRight sources 32) := by
      rw [← force_eq (charge stride charged columns)]; rfl
    rw [step, ← Nat.add_assoc, ← chargeLoop_eq stride charged columns (Nat.shiftRight sources 32) (Nat.land sources (2 ^ 32 - 1)),
      ← Linear.restAt_eq stride charged place (Nat.land sources (2 ^ 32 - 1))]
    rfl
@[csimp] theorem compiledCharge_eq : @charge = @compiledCharge :=
  funext fun stride => funext fun charged => funext fun columns => funext fun sources => by
    have e := chargeLoop_eq stride charged columns sources 0 0
    have zero : ∀ x : Nat, Nat.shiftRight x (stride * 0) = x := fun x => Natural.div_one _
    rw [zero, Nat.zero_add] at e
    exact e.symm
theorem charge_eq {stride b rows bound count : Nat} {f : Nat → Nat} (hf : ∀ i, i < count → f i < 2 ^ stride) :
    (cs : List Column) → (ds : List Digits) → (sources : Nat) → (source : Nat → Nat) → Packed b rows bound cs ds →
    Linear.Reads sources source cs.length → (∀ k, k < cs.length → source k < count) →
    charge stride (pack stride count f) cs sources = pack b rows (Columns.weight f ds source)
  | [], [], _, _, _, _, _ => (pack_zero b rows).symm
  | c :: cs, d :: ds, sources, source, h, hr, hs => by
    obtain ⟨⟨hp, hn, _⟩, ht⟩ := h
    have ih := charge_eq hf cs ds (Nat.shiftRight sources 32) (fun k => source (k + 1)) ht (Linear.reads_tail hr) (fun k hk => hs (k + 1) (Nat.succ_le_succ hk))
    have e : charge stride (pack stride count f) (c :: cs) sources =
      Memory.lookup stride (pack stride count f) (Nat.land sources (2 ^ 32 - 1)) * (c.positive + c.negative) + force (charge stride (pack stride count f) cs) (Nat.shiftRight sources 32) := rfl
    rw [e, force_eq, ih, Linear.reads_head hr, Memory.lookup_pack hf (hs 0 (Nat.succ_le_succ (Nat.zero_le _))), hp, hn, ← pack_add, ← pack_mul, ← pack_add]
    rfl
  | [], _ :: _, _, _, h, _, _ => h.elim
  | _ :: _, [], _, _, h, _, _ => h.elim

/-- The charges of all rows at all positions. -/
def chargeAll (stride b rows width charged : Nat) (columns : List Column) (positions : Nat) : Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun _ rest sources => Nat.add (charge stride charged columns sources)
      (Nat.shiftLeft (rest (Nat.shiftRight sources width)) (Nat.mul b rows))) positions
theorem chargeAll_eq {stride b rows bound count n sources positions : Nat} {f : Nat → Nat} {cs : List Column} {ds : List Digits}
    (hf : ∀ i, i < count → f i < 2 ^ stride) (hlen : cs.length = n) (hp : Packed b rows bound cs ds) (hs : ∀ i, i < n * positions → word sources i < count) :
    (remaining position : Nat) → position + remaining = positions →
    chargeAll stride b rows (32 * n) (pack stride count f) cs remaining (Nat.shiftRight sources (32 * (n * position))) =
      pack b (rows * remaining) (fun i => Columns.weight f ds (fun k => word sources (n * (position + i / rows) + k)) (i % rows))
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
    have first := charge_eq hf cs ds (Nat.shiftRight sources (32 * (n * position))) _ hp (fun _ _ => rfl) hbelow
    have ih := chargeAll_eq hf hlen hp hs remaining (position + 1) (by rw [← hpos, Nat.add_assoc, Nat.add_comm 1])
    have hshift : Nat.shiftRight (Nat.shiftRight sources (32 * (n * position))) (32 * n) = Nat.shiftRight sources (32 * (n * (position + 1))) := by
      show sources / 2 ^ (32 * (n * position)) / 2 ^ (32 * n) = sources / 2 ^ (32 * (n * (position + 1)))
      rw [Natural.shift_shift, ← Nat.mul_add]; rfl
    have hcount : rows * (remaining + 1) = rows + rows * remaining := by rw [Nat.mul_succ, Nat.add_comm]
    show charge stride (pack stride count f) cs (Nat.shiftRight sources (32 * (n * position))) +
      chargeAll stride b rows (32 * n) (pack stride count f) cs remaining (Nat.shiftRight (Nat.shiftRight sources (32 * (n * position))) (32 * n)) * 2 ^ (b * rows) = _
    rw [Nat.mul_comm _ (2 ^ (b * rows)), hshift, ih, first, hcount]
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
