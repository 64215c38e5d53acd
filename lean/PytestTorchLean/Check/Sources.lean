prelude
import PytestTorchLean.Check.RowError
/-!
# How large the values are that a node reads

The error of a row depends on the sum of its products' absolute values. Here the fixed-point bounds of the
memory's slots are compared with one radius: all slots at once.
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
        Nat.beq (Nat.land (Nat.sub packed (Nat.mul first units)) guards)
          (Nat.land (Nat.sub packed (Nat.mul 2 units)) guards))
      (Nat.add guards (Nat.land sources (Nat.mul (Nat.sub (Nat.pow 2 32) 1) units))))
            (Nat.mul (Nat.pow 2 31) units)) (ones 32 count)))

theorem guard_flags {count c : Nat} {f : Nat → Nat} (hf : ∀ i, i < count → f i < 2 ^ 31) (hc : c < 2 ^ 31) :
    Nat.land (2 ^ 31 * ones 32 count + pack 32 count f - c * ones 32 count) (2 ^ 31 * ones 32 count) =
    pack 32 count (fun i => 2 ^ 31 * Vector.flag (f i) c) := by
  have hb : 0 < 32 := by decide
  rw [mul_ones hb count c, Vector.guarded_eq hb (fun _ _ => hc), mul_ones hb]
  rw [land_pack (fun i hi => Vector.guarded_lt _ (by decide) (hf i hi))
      (fun _ _ => Vector.guard_lt (by decide))]
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
  have e : Nat.land sources (Nat.mul (Nat.sub (Nat.pow 2 32) 1) (ones 32 count)) =
      pack 32 count (word sources) := by
    refine Eq.trans (Decode.low_digit (Nat.le.refl (n := 32)) hb count sources) (pack_congr fun i _ => ?_)
    exact Natural.mod_eq_self (digit_lt 32 sources i)
  have small : ∀ i, i < count → word sources i < 2 ^ 31 :=
    fun i hi => Nat.le_trans (hw i hi) (Nat.le_trans (Nat.le_add_right _ 1) h1)
  have g := Nat.eq_of_beq_eq_true h
  rw [e] at g
  have g : Nat.land (2 ^ 31 * ones 32 count + pack 32 count (word sources) - first * ones 32 count)
      (2 ^ 31 * ones 32 count) =
    Nat.land (2 ^ 31 * ones 32 count + pack 32 count (word sources) - 2 * ones 32 count)
      (2 ^ 31 * ones 32 count) := g
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
      both (Nat.beq
          (Nat.land (Nat.sub (Nat.add guards segment) (Nat.mul (Nat.sub s.center radius) units)) guards)
          guards) (Nat.beq
          (Nat.land (Nat.sub (Nat.add guards (Nat.mul (Nat.add s.center radius) units)) segment) guards)
          guards))
    (Nat.land (Nat.shiftRight direct (Nat.mul s.stride first)) (Nat.sub (Nat.pow 2 (Nat.mul s.stride n)) 1)))
    (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) units)) (ones s.half (Nat.mul 2 n))

/-- A slot whose bounds lie within the radius. -/
theorem within_radius {s : Scale} {l u radius : Nat} {x : K} (hw : Within s l u x)
    (hl : s.center - radius ≤ l) (hu : u ≤ s.center + radius) :
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
  · exact le_cert ((ring4 K x c u r, r - x, (u - (x + c)) + (c + r - u)) (natural s.unit * x)
        (natural s.center) (natural u) (natural radius)) (add_nonneg (sub_nonneg w2) (sub_nonneg high))
  · exact le_cert ((ring4 K x c l r, r - -x, (x + c - l) + (l + r - c)) (natural s.unit * x)
        (natural s.center) (natural l) (natural radius)) (add_nonneg (sub_nonneg w1) (sub_nonneg low))

theorem slotsWithin_sound {s : Scale} {slots : Nat → K} {radius first n count direct mirrored : Nat}
    (sf : s.Fits)
    (c1 : 1 ≤ s.half)
    (c2 : s.top < 2 ^ (s.half - 1))
    (hr : radius ≤ s.center)
    (hs : first + n ≤ count)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (h : slotsWithin s radius first n direct = true) :
    ∀ i, first ≤ i → i < first + n → AtMost (natural s.unit * slots i) (natural radius) := by
  unfold slotsWithin at h
  simp only [force_eq] at h
  have hw : s.half - 1 + 1 = s.half := Natural.succ_pred c1
  obtain ⟨l, u, h1, h2, hw'⟩ := hm
  have h1 : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := h1
  have inside : ∀ i,
    i < n → first + i < count := fun i hi => Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := first)) hi) hs
  have e1 :
    Nat.land (Nat.shiftRight direct (Nat.mul s.stride first)) (Nat.sub (Nat.pow 2 (Nat.mul s.stride n)) 1) =
      pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (first + i)) (fun i => u (first + i))) := by
    rw [h1, Vector.pack_pair]
    exact Dense.segment (f := fun i => Memory.directWord s (l i) (u i)) hs
      (fun i hi => (Memory.word_lt sf (hw' i hi).1 (hw' i hi).2.1).1)
  have small : ∀ i, i < n → l (first + i) < 2 ^ (s.half - 1) ∧ u (first + i) < 2 ^ (s.half - 1) := fun i hi =>
    have w := hw' _ (inside i hi)
    ⟨Nat.le_trans (Nat.succ_le_succ (Nat.le_trans w.1 w.2.1)) c2, Nat.le_trans (Nat.succ_le_succ w.2.1) c2⟩
  have p := Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) n _ _ small
  have below : s.center - radius < 2 ^ (s.half - 1) :=
    Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (Natural.sub_le _ _) (Nat.le_add_right _ _))) c2
  have above : s.center + radius < 2 ^ (s.half - 1) :=
    Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add Nat.le.refl hr)) c2
  rw [e1] at h
  obtain ⟨g1, g2⟩ := both_true h
  have g1 := Nat.eq_of_beq_eq_true g1
  have g2 := Nat.eq_of_beq_eq_true g2
  have d1 : Nat.sub (Nat.add (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) (ones s.half (Nat.mul 2 n)))
      (pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (first + i)) (fun i => u (first + i)))))
      (Nat.mul (Nat.sub s.center radius) (ones s.half (Nat.mul 2 n))) =
      pack s.half (2 * n) (fun j => 2 ^ (s.half - 1) +
            Vector.pair j (fun i => l (first + i)) (fun i => u (first + i)) - (s.center - radius)) := by
    show 2 ^ (s.half - 1) * ones s.half (2 * n) + _ - (s.center - radius) * ones s.half (2 * n) = _
    rw [mul_ones c1 (2 * n) (s.center - radius)]
    exact Vector.guarded_eq c1 (fun _ _ => below)
  have d2 : Nat.sub (Nat.add (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) (ones s.half (Nat.mul 2 n)))
      (Nat.mul (Nat.add s.center radius) (ones s.half (Nat.mul 2 n))))
      (pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (first + i)) (fun i => u (first + i)))) =
      pack s.half (2 * n) (fun j => 2 ^ (s.half - 1) + (s.center + radius) -
            Vector.pair j (fun i => l (first + i)) (fun i => u (first + i))) := by
    show 2 ^ (s.half - 1) * ones s.half (2 * n) + (s.center + radius) * ones s.half (2 * n) - _ = _
    rw [mul_ones c1 (2 * n) (s.center + radius)]
    exact Vector.guarded_eq c1 p
  rw [d1] at g1
  rw [d2] at g2
  have le1 := Vector.unborrowed (Natural.le_of_eq hw) p (fun _ _ => below) g1
  have le2 := Vector.unborrowed (Natural.le_of_eq hw) (fun _ _ => above) p g2
  have b1 := Vector.pair_both (P := fun x y => x ≤ y) n (fun _ => s.center - radius)
    (fun _ => s.center - radius) (fun i => l (first + i)) (fun i => u (first + i))
    (fun j hj => by rw [Vector.pair_constant]; exact le1 j hj)
  have b2 := Vector.pair_both (P := fun x y => x ≤ y) n (fun i => l (first + i)) (fun i => u (first + i))
    (fun _ => s.center + radius) (fun _ => s.center + radius)
    (fun j hj => by rw [Vector.pair_constant]; exact le2 j hj)
  intro i h1 h2
  obtain ⟨k, rfl⟩ := Nat.exists_of_le h1
  have hk : k < n := Memory.lt_of_add_lt h2
  exact within_radius (hw' _ (inside k hk)).2.2 (b1 k hk).1 (b2 k hk).2

end Affine
end PytestTorchLean
