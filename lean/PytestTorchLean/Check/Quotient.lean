prelude
import PytestTorchLean.Check.QuotientBounds
/-!
# Bounds of quotients: all results of a node

One quotient after the other (Check/QuotientBounds), and in binary32 what rounding adds.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Quotient
open Bilinear (most)
variable {K : Type u} [OrderedRing K]

/-! ### All results -/

/-- The bounds of `n` results, one after the other. -/
def results (m : Semantics) (s : Scale) (direct count n : Nat) :
    Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun _ _ tail tailMirrored next => next tail tailMirrored)
    (fun _ rest index sources tail tailMirrored next => force (fun first => force (fun second =>
        both (Nat.ble (Nat.succ first) count) (both (Nat.ble (Nat.succ second) count)
          (force (fun x => force (fun z => force (fun l => force (fun u => force (fun l' => force (fun u' =>
              transfer m s l u l' u' fun lower upper =>
                force (fun place => force
                    (fun tail' => force (fun tailMirrored' => force (fun index' => force (fun sources' =>
                    rest index' sources' tail' tailMirrored' next)
                  (Nat.shiftRight sources 64)) (Nat.succ index))
                  (Nat.add tailMirrored
                      (Nat.mul place
                        (Nat.add (Nat.sub s.top upper) (Nat.mul (Nat.pow 2 s.half) (Nat.sub s.top lower))))))
                  (Nat.add tail (Nat.mul place (Nat.add lower (Nat.mul (Nat.pow 2 s.half) upper)))))
                  (Nat.pow 2 (Nat.mul s.stride index)))
            (Nat.shiftRight z s.half)) (Nat.land z (Nat.sub (Nat.pow 2 s.half) 1))) (Nat.shiftRight x s.half))
              (Nat.land x (Nat.sub (Nat.pow 2 s.half) 1)))
            (Memory.lookup s.stride direct second)) (Memory.lookup s.stride direct first))))
      (Nat.land (Nat.shiftRight sources 32) (Nat.sub (Nat.pow 2 32) 1)))
        (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))) n

theorem results_succ (m : Semantics) (s : Scale) (direct count n index sources tail tailMirrored : Nat)
    (next : Nat → Nat → Bool) :
    results m s direct count (n + 1) index sources tail tailMirrored next =
      (let first := Nat.land sources (2 ^ 32 - 1)
       let second := Nat.land (Nat.shiftRight sources 32) (2 ^ 32 - 1)
       let x := Memory.lookup s.stride direct first
       let z := Memory.lookup s.stride direct second
       both (Nat.ble (Nat.succ first) count) (both (Nat.ble (Nat.succ second) count)
         (transfer m s (Nat.land x (2 ^ s.half - 1)) (Nat.shiftRight x s.half) (Nat.land z (2 ^ s.half - 1))
             (Nat.shiftRight z s.half) fun lower upper =>
           results m s direct count n (index + 1) (Nat.shiftRight sources 64)
             (tail + 2 ^ (s.stride * index) * Memory.directWord s lower upper)
             (tailMirrored + 2 ^ (s.stride * index) * Memory.mirroredWord s lower upper) next))) := by
  unfold results
  simp only [force_eq]
  rfl

theorem results_sound {m : Semantics} {s : Scale} {slots : Nat → K} {direct mirrored count all sources : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hy : ∀ i, i < all →
      Computes m (slots (word sources (2 * i))) (slots (word sources (2 * i + 1))) (slots (count + i))) :
    (n index here tail tailMirrored : Nat) → (next : Nat → Nat → Bool) →
    index + n = all → (∀ j, word here j = word sources (2 * index + j)) →
    (Memory.mk tail tailMirrored).Holds s (fun i => slots (count + i)) index →
    (∀ i, i < index → Defined m (slots (word sources (2 * i))) (slots (word sources (2 * i + 1)))) →
    results m s direct count n index here tail tailMirrored next = true →
    ∃ tail' tailMirrored', next tail' tailMirrored' = true ∧
      (Memory.mk tail' tailMirrored').Holds s (fun i => slots (count + i)) all ∧
      ∀ i, i < all → Defined m (slots (word sources (2 * i))) (slots (word sources (2 * i + 1)))
  | 0, index, _, tail, tailMirrored, next, hi, _, ht, hs, h => by
    have e : index = all := hi
    rw [e] at ht hs
    exact ⟨tail, tailMirrored, h, ht, hs⟩
  | n + 1, index, here, tail, tailMirrored, next, hi, hw, ht, hs, h => by
    rw [results_succ] at h
    obtain ⟨b1, h⟩ := both_true h
    obtain ⟨b2, h⟩ := both_true h
    have first : Nat.land here (2 ^ 32 - 1) = word sources (2 * index) := (word_zero here).trans (hw 0)
    have second : Nat.land (Nat.shiftRight here 32) (2 ^ 32 - 1) = word sources (2 * index + 1) :=
      ((word_zero _).trans (word_succ here 0)).trans (hw 1)
    rw [first] at b1 h
    rw [second] at b2 h
    obtain ⟨l, u, e1, e2, x1, x2, x3⟩ := Bilinear.bounds_at sf hm (Nat.le_of_ble_eq_true b1)
    obtain ⟨l', u', e3, e4, z1, z2, z3⟩ := Bilinear.bounds_at sf hm (Nat.le_of_ble_eq_true b2)
    rw [e1, e2, e3, e4] at h
    have lt : index < all := by
      rw [← hi]
      show index + 1 ≤ index + (n + 1)
      exact Nat.add_le_add Nat.le.refl (Nat.succ_le_succ (Nat.zero_le n))
    obtain ⟨defined, lower, upper, c1, c2, within, h⟩ := transfer_sound sf x3 z3 x1 x2 z1 z2 (hy index lt) h
    refine results_sound sf hm hy n (index + 1) _ _ _ next (by rw [← hi, Nat.add_assoc, Nat.add_comm 1])
      (fun j => ?_) (Memory.push_holds ht c1 c2 within) (fun i hi => ?_) h
    · rw [Bilinear.shift_word, hw]
      show word sources (2 * index + (2 + j)) = word sources (2 * index + 2 + j)
      rw [Nat.add_assoc]
    · cases Memory.le_of_lt_succ hi with
      | inl g => rw [g]; exact defined
      | inr g => exact hs i g

/-- Bounds of the results behind the memory. -/
def run (m : Semantics) (s : Scale) (n sources direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) :
    Bool :=
  results m s direct count n 0 sources 0 0
    fun tail tailMirrored => Affine.extend s.stride n direct mirrored count next tail tailMirrored

/-- **Quotients.** The memory with the bounds of the results still holds, no divisor is 0, and nothing
    overflows. -/
theorem run_sound {s : Scale} {slots : Nat → K} {n sources direct mirrored count : Nat}
    {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (m : Semantics)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hn : (Node.quotient n sources).Holds m slots count)
    (h : run m s n sources direct mirrored count next = true) :
    (Node.quotient n sources).Finite m slots ∧
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots
        (count + (Node.quotient n sources).size) ∧
      next direct' mirrored' (count + (Node.quotient n sources).size) = true := by
  obtain ⟨tail, tailMirrored, h, ht, hs⟩ := results_sound sf hm hn n 0 sources 0 0 _ (Nat.zero_add n)
    (fun j => by rw [Nat.mul_zero, Nat.zero_add]) (Memory.empty_holds s _)
      (fun i hi => absurd hi (Nat.not_succ_le_zero i)) h
  rw [Affine.extend_eq] at h
  exact ⟨hs, _, _, Memory.append_holds hm ht, h⟩
end Quotient
end PytestTorchLean
