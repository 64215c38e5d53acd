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

/-- The bounds of `n` results, the last one first and each put in front of those found so far. -/
def results (m : Semantics) (s : Scale) (direct count sources n : Nat) :
    Nat → Nat → (Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun tail tailMirrored next => next tail tailMirrored)
    (fun index rest tail tailMirrored next => force (fun here => force (fun first => force (fun second =>
        both (Nat.ble (Nat.succ first) count) (both (Nat.ble (Nat.succ second) count)
          (force (fun x => force (fun z => force (fun l => force (fun u => force (fun l' => force (fun u' =>
              transfer m s l u l' u' fun lower upper =>
                force (fun tail' => force (fun tailMirrored' => rest tail' tailMirrored' next)
                  (Nat.add (Nat.add (Nat.sub s.top upper) (Nat.mul (Nat.pow 2 s.half) (Nat.sub s.top lower)))
                    (Nat.mul (Nat.pow 2 s.stride) tailMirrored)))
                  (Nat.add (Nat.add lower (Nat.mul (Nat.pow 2 s.half) upper))
                    (Nat.mul (Nat.pow 2 s.stride) tail)))
            (Nat.shiftRight z s.half)) (Nat.land z (Nat.sub (Nat.pow 2 s.half) 1))) (Nat.shiftRight x s.half))
              (Nat.land x (Nat.sub (Nat.pow 2 s.half) 1)))
            (Memory.lookup s.stride direct second)) (Memory.lookup s.stride direct first))))
      (Nat.land (Nat.shiftRight here 32) (Nat.sub (Nat.pow 2 32) 1)))
        (Nat.land here (Nat.sub (Nat.pow 2 32) 1)))
      (Nat.shiftRight sources (Nat.mul 64 index))) n

theorem results_succ (m : Semantics) (s : Scale) (direct count sources n tail tailMirrored : Nat)
    (next : Nat → Nat → Bool) :
    results m s direct count sources (n + 1) tail tailMirrored next =
      (let here := Nat.shiftRight sources (64 * n)
       let first := Nat.land here (2 ^ 32 - 1)
       let second := Nat.land (Nat.shiftRight here 32) (2 ^ 32 - 1)
       let x := Memory.lookup s.stride direct first
       let z := Memory.lookup s.stride direct second
       both (Nat.ble (Nat.succ first) count) (both (Nat.ble (Nat.succ second) count)
         (transfer m s (Nat.land x (2 ^ s.half - 1)) (Nat.shiftRight x s.half) (Nat.land z (2 ^ s.half - 1))
             (Nat.shiftRight z s.half) fun lower upper =>
           results m s direct count sources n
             (Memory.directWord s lower upper + 2 ^ s.stride * tail)
             (Memory.mirroredWord s lower upper + 2 ^ s.stride * tailMirrored) next))) := by
  unfold results
  simp only [force_eq]
  rfl

theorem results_sound {m : Semantics} {s : Scale} {slots : Nat → K} {direct mirrored count all sources : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hy : ∀ i, i < all →
      Computes m (slots (word sources (2 * i))) (slots (word sources (2 * i + 1))) (slots (count + i))) :
    (n done tail tailMirrored : Nat) → (next : Nat → Nat → Bool) → n + done = all →
    (Memory.mk tail tailMirrored).Holds s (fun i => slots (count + (n + i))) done →
    (∀ i, n ≤ i → i < all → Defined m (slots (word sources (2 * i))) (slots (word sources (2 * i + 1)))) →
    results m s direct count sources n tail tailMirrored next = true →
    ∃ tail' tailMirrored', next tail' tailMirrored' = true ∧
      (Memory.mk tail' tailMirrored').Holds s (fun i => slots (count + i)) all ∧
      ∀ i, i < all → Defined m (slots (word sources (2 * i))) (slots (word sources (2 * i + 1)))
  | 0, done, tail, tailMirrored, next, hi, ht, hs, h => by
    rw [Nat.zero_add] at hi
    subst hi
    have z : (fun i => slots (count + (0 + i))) = fun i => slots (count + i) :=
      funext fun i => by rw [Nat.zero_add]
    rw [z] at ht
    exact ⟨tail, tailMirrored, h, ht, fun i hi => hs i (Nat.zero_le i) hi⟩
  | n + 1, done, tail, tailMirrored, next, hi, ht, hs, h => by
    rw [results_succ] at h
    obtain ⟨b1, h⟩ := both_true h
    obtain ⟨b2, h⟩ := both_true h
    have first : Nat.land (Nat.shiftRight sources (64 * n)) (2 ^ 32 - 1) = word sources (2 * n) :=
      (word_zero _).trans (word_behind sources n 0)
    have second : Nat.land (Nat.shiftRight (Nat.shiftRight sources (64 * n)) 32) (2 ^ 32 - 1) =
        word sources (2 * n + 1) := ((word_zero _).trans (word_succ _ 0)).trans (word_behind sources n 1)
    rw [first] at b1 h
    rw [second] at b2 h
    obtain ⟨l, u, e1, e2, x1, x2, x3⟩ := Bilinear.bounds_at sf hm (Nat.le_of_ble_eq_true b1)
    obtain ⟨l', u', e3, e4, z1, z2, z3⟩ := Bilinear.bounds_at sf hm (Nat.le_of_ble_eq_true b2)
    rw [e1, e2, e3, e4] at h
    have next1 : ∀ a i : Nat, a + 1 + i = a + (i + 1) := fun a i => by rw [Nat.add_assoc, Nat.add_comm 1 i]
    have lt : n < all := by
      rw [← hi, next1]
      exact Nat.add_le_add Nat.le.refl (Nat.succ_le_succ (Nat.zero_le done))
    obtain ⟨defined, lower, upper, c1, c2, within, h⟩ := transfer_sound sf x3 z3 x1 x2 z1 z2 (hy n lt) h
    have moved : (fun i => slots (count + (n + 1 + i))) = fun i => slots (count + (n + (i + 1))) :=
      funext fun i => by rw [next1]
    rw [moved] at ht
    have ht' := Memory.front_holds (slots := fun i => slots (count + (n + i))) ht c1 c2 within
    refine results_sound sf hm hy n (done + 1) _ _ next (by rw [← next1]; exact hi) ht' (fun i h1 h2 => ?_) h
    cases Natural.le_or_lt (n + 1) i with
    | inl g => exact hs i g h2
    | inr g =>
      cases Memory.le_of_lt_succ g with
      | inl e => rw [e]; exact defined
      | inr g => exact absurd (Nat.le_trans g h1) (Natural.lt_irreflexive _)

/-- Bounds of the results behind the memory. -/
def run (m : Semantics) (s : Scale) (n sources direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) :
    Bool :=
  results m s direct count sources n 0 0
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
  obtain ⟨tail, tailMirrored, h, ht, hs⟩ := results_sound sf hm hn n 0 0 0 _ (Nat.add_zero n)
    (Memory.empty_holds s _) (fun i h1 h2 => absurd (Nat.le_trans h2 h1) (Natural.lt_irreflexive _)) h
  rw [Affine.extend_eq] at h
  exact ⟨hs, _, _, Memory.append_holds hm ht, h⟩
end Quotient
end PytestTorchLean
