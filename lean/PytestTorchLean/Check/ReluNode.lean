prelude
import PytestTorchLean.Check.AffineNode
/-!
# Running a ReLU on bounds

The bounds of the positive parts of a run of slots, for all of them at once.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Relu
variable {K : Type u} [OrderedRing K]
def larger (a b : Nat) : Nat := Bool.casesOn (motive := fun _ => Nat) (Nat.ble a b) a b
theorem larger_cases (a b : Nat) : (larger a b = b ∧ a ≤ b) ∨ (larger a b = a ∧ b ≤ a) := by
  unfold larger
  cases h : Nat.ble a b with
  | true => exact Or.inl ⟨rfl, Nat.le_of_ble_eq_true h⟩
  | false =>
    refine Or.inr ⟨rfl, ?_⟩
    cases Nat.le_total a b with
    | inl g => rw [Nat.ble_eq_true_of_le g] at h; exact Bool.noConf_tf h
    | inr g => exact g
theorem le_larger_left (a b : Nat) : a ≤ larger a b := by
  cases larger_cases a b with
  | inl h => rw [h.1]; exact h.2
  | inr h => rw [h.1]; exact Nat.le.refl
theorem le_larger_right (a b : Nat) : b ≤ larger a b := by
  cases larger_cases a b with
  | inl h => rw [h.1]; exact Nat.le.refl
  | inr h => rw [h.1]; exact h.2

theorem image_zero (s : Scale) : s.image (0 : K) = natural s.center := by
  unfold Scale.image; rw [mul_zero, zero_add]
theorem image_le {s : Scale} {x y : K} (h : x ≤ y) : s.image x ≤ s.image y :=
  add_le _ (mul_le_left (natural_nonneg _) h)

theorem within {s : Scale} {l u : Nat} {x y : K} (hw : Within s l u x) (hr : IsRelu x y) :
    Within s (larger l s.center) (larger u s.center) y := by
  have high : (natural s.center : K) ≤ natural (larger u s.center) := natural_le (le_larger_right _ _)
  have up : s.image x ≤ natural (larger u s.center) := le_trans hw.2 (natural_le (le_larger_left _ _))
  cases hr with
  | inl h =>
    obtain ⟨h0, e⟩ := h
    subst e
    have h1 := image_le (s := s) h0
    rw [image_zero] at h1
    refine ⟨?_, up⟩
    cases larger_cases l s.center with
    | inl g => rw [g.1]; exact h1
    | inr g => rw [g.1]; exact hw.1
  | inr h =>
    obtain ⟨h0, e⟩ := h
    subst e
    have h1 := image_le (s := s) h0
    unfold Within
    rw [image_zero] at h1 ⊢
    refine ⟨?_, high⟩
    cases larger_cases l s.center with
    | inl g => rw [g.1]; exact le_refl _
    | inr g => rw [g.1]; exact le_trans hw.1 h1

/-- The raised slots behind the memory. -/
def run (s : Scale) (n first direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) : Bool :=
  both (both (Nat.ble 1 s.half) (Nat.ble (Nat.succ s.top) (Nat.pow 2 (Nat.sub s.half 1))))
    (force (fun stride => force (fun zeros => force (fun raised =>
        Rows.mirror s (Nat.sub s.half 1) n
          (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) (ones s.half (Nat.mul 2 n))) (Nat.add zeros raised)
          (Affine.extend stride n direct mirrored count next))
      (Vector.difference s.half (Nat.mul 2 n) (Nat.sub s.half 1)
        (Nat.land (Nat.shiftRight direct (Nat.mul stride first)) (Nat.sub (Nat.pow 2 (Nat.mul stride n)) 1))
            zeros))
      (Nat.mul s.center (ones s.half (Nat.mul 2 n)))) s.stride)

theorem larger_eq (a b : Nat) : larger a b = b + (a - b) := by
  cases larger_cases a b with
  | inl h =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le h.2
    rw [h.1, hk, Vector.sub_zero_of]; rfl
  | inr h => rw [h.1, Nat.add_comm]; exact (Natural.sub_add_cancel h.2).symm

/-- Bounds of what a ReLU reads give bounds of its outputs. -/
theorem run_sound {s : Scale} {slots : Nat → K} {n first direct mirrored count : Nat}
    {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hs : first + n ≤ count)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hr : ∀ i, i < n → IsRelu (slots (first + i)) (slots (count + i)))
    (h : run s n first direct mirrored count next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (count + n) ∧
      next direct' mirrored' (count + n) = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c1, c2⟩ := both_true hc
  have c1 := Nat.le_of_ble_eq_true c1
  have c2 : s.top < 2 ^ (s.half - 1) := Nat.le_of_ble_eq_true c2
  have hw : s.half - 1 + 1 = s.half := Natural.succ_pred c1
  simp only [force_eq] at h
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
  have hcenter : s.center ≤ s.top := Nat.le_add_right _ _
  have low : ∀ i, i < n → l (first + i) < 2 ^ (s.half - 1) ∧ u (first + i) < 2 ^ (s.half - 1) := fun i hi =>
    have w := hw' _ (inside i hi)
    ⟨Nat.le_trans (Nat.succ_le_succ (Nat.le_trans w.1 w.2.1)) c2, Nat.le_trans (Nat.succ_le_succ w.2.1) c2⟩
  have p := Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) n _ _ low
  have e2 : Nat.add (Nat.mul s.center (ones s.half (Nat.mul 2 n)))
    (Vector.difference s.half (Nat.mul 2 n) (Nat.sub s.half 1)
        (pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (first + i)) (fun i => u (first + i))))
          (Nat.mul s.center (ones s.half (Nat.mul 2 n)))) =
      pack s.stride n
          (fun i => Memory.directWord s (larger (l (first + i)) s.center) (larger (u (first + i)) s.center))
          := by
    have e : Nat.mul s.center (ones s.half (Nat.mul 2 n)) = pack s.half (2 * n) (fun _ => s.center) :=
      mul_ones c1 _ _
    rw [e]
    have d : Vector.difference s.half (2 * n) (s.half - 1)
        (pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (first + i)) (fun i => u (first + i))))
        (pack s.half (2 * n) (fun _ => s.center)) = _ :=
      Vector.difference_eq (Natural.le_of_eq hw) p (fun _ _ => Nat.le_trans (Nat.succ_le_succ hcenter) c2)
    have d' : Vector.difference s.half (Nat.mul 2 n) (Nat.sub s.half 1)
        (pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (first + i)) (fun i => u (first + i))))
        (pack s.half (2 * n) (fun _ => s.center)) = _ := d
    rw [d']
    refine Eq.trans (pack_add _ _ _ _).symm ?_
    have g := Vector.pack_map (fun x y => larger x y) s.half n (fun i => l (first + i))
      (fun i => u (first + i)) (fun _ => s.center) (fun _ => s.center)
    refine Eq.trans (pack_congr fun j _ => ?_) g
    rw [Vector.pair_constant]
    exact (larger_eq _ _).symm
  rw [e1, e2] at h
  have raised : ∀ x, x < 2 ^ (s.half - 1) → larger x s.center < 2 ^ (s.half - 1) := fun x hx => by
    cases larger_cases x s.center with
    | inl g => rw [g.1]; exact Nat.le_trans (Nat.succ_le_succ hcenter) c2
    | inr g => rw [g.1]; exact hx
  obtain ⟨tail, tailMirrored, r1, r2⟩ := Rows.mirror_sound (slots := fun i => slots (count + i)) hw c2
    (l := fun i => larger (l (first + i)) s.center) (u := fun i => larger (u (first + i)) s.center)
    (fun i hi => ⟨raised _ (low i hi).1, raised _ (low i hi).2⟩)
      (fun i hi => within (hw' _ (inside i hi)).2.2 (hr i hi)) h
  rw [Affine.extend_eq] at r2
  exact ⟨_, _, Memory.append_holds ⟨l, u, h1, h2, hw'⟩ r1, r2⟩
end Relu
end PytestTorchLean
