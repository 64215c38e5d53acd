prelude
import PytestTorchLean.Check.Memory
/-!
# Results put in front of those found so far

Where the results of a node are found one by one, the last one comes first and the others are put in front of
it: so the lowest digits of what is found, by which the kernel's caches tell numbers apart, differ from step
to step. Numbers that end in zeros, as a word moved to its place behind the others does, are all alike to
them.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Memory
/-- The memory with one more slot in front of the others. -/
theorem front_holds {K : Type u} [OrderedRing K] {s : Scale} {slots : Nat → K}
    {count l u direct mirrored : Nat}
    (h : (Memory.mk direct mirrored).Holds s (fun i => slots (i + 1)) count)
    (hl : l ≤ u)
    (hu : u ≤ s.top)
    (w : Within s l u (slots 0)) :
    (Memory.mk (directWord s l u + 2 ^ s.stride * direct)
      (mirroredWord s l u + 2 ^ s.stride * mirrored)).Holds s slots (count + 1) := by
  obtain ⟨lo, up, hd, hm, hw⟩ := h
  have hd : direct = pack s.stride count fun i => directWord s (lo i) (up i) := hd
  have hm : mirrored = pack s.stride count fun i => mirroredWord s (lo i) (up i) := hm
  refine ⟨fun i => Nat.casesOn (motive := fun _ => Nat) i l lo,
      fun i => Nat.casesOn (motive := fun _ => Nat) i u up, ?_, ?_, fun i hi => ?_⟩
  · show directWord s l u + 2 ^ s.stride * direct = _
    rw [pack_succ, hd]; rfl
  · show mirroredWord s l u + 2 ^ s.stride * mirrored = _
    rw [pack_succ, hm]; rfl
  · cases i with
    | zero => exact ⟨hl, hu, w⟩
    | succ i => exact hw i (Nat.le_of_succ_le_succ hi)

end Memory

/-- The words of what lies behind `2 * k` others. -/
theorem word_behind (sources k j : Nat) :
    word (Nat.shiftRight sources (64 * k)) j = word sources (2 * k + j) := by
  show sources / 2 ^ (64 * k) / 2 ^ (32 * j) % 2 ^ 32 = sources / 2 ^ (32 * (2 * k + j)) % 2 ^ 32
  rw [Natural.shift_shift, Nat.mul_add, ← Nat.mul_assoc]
end PytestTorchLean
