prelude
import PytestTorchLean.Check.Relaxation.Differences
/-!
# Differences of ReLUs: what is computed

Of the two coefficients that a row has for the two copies' values, the part that they share with opposite
signs is replaced by a line over what the ReLUs read.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### Through a ReLU, differences first -/

/-- The smaller of two numbers. -/
theorem smaller_le (a b : Nat) : a - (a - b) ≤ a ∧ a - (a - b) ≤ b := by
  refine ⟨Natural.sub_le _ _, ?_⟩
  cases Nat.le_total a b with
  | inl h => rw [Nat.sub_eq_zero_of_le h]; exact h
  | inr h =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le h
    rw [Natural.add_sub_cancel_left, Natural.add_sub_cancel]
    exact Nat.le.refl

/-- Part of the rows of a batch over the `n` results of a ReLU that reads `first`, and so on: what they hold
    of the differences of `facts` is replaced by lines over the differences of what the ReLU reads, and waits
    there. The rest goes on. Of the bits of `chosen` those are 1 whose differences are meant. -/
def pair (s : Scale) (frame : Frame) (bits slopes chosen first n memory : Nat) (facts : Differences)
    (x : Batch) (next : Batch → Batch → Bool) : Bool :=
  force (fun i => force (fun k =>
    both (both (fits s frame memory x)
        (both (Nat.beq x.count n)
          (both (both (Nat.beq (Nat.add first i) facts.left) (Nat.beq (Nat.add first k) facts.right))
        (both (Nat.ble (Nat.add i facts.count) k)
                (both (Nat.ble (Nat.add k facts.count) n)
                  (both (Nat.ble (Nat.add (Nat.add s.half bits) 2) s.stride)
                    (both (Nat.ble (Nat.add bits 2) frame.digit)
                      (both (Nat.ble facts.count (Nat.pow 2 (Nat.succ (Nat.log2 facts.count))))
                        (both (slopesFit bits facts.count slopes) (slopesFit 0 facts.count chosen))))))))))
      (force (fun levels => force (fun upper =>
              force (fun slope => force (fun tops => force (fun down => force (fun up => force (fun offset =>
          both (atMost frame.digit facts.count (Nat.succ bits) (Nat.pow 2 bits) upper)
            (force (fun lower => force (fun mask => force (fun atI => force (fun atK =>
              force (fun p => force (fun q => force (fun p' => force (fun q' =>
                force (fun first' => force (fun second =>
                  rounded frame.digit frame.width frame.rows facts.count (Nat.succ x.size) s.stride 1 offset
                      (Nat.add first' second) fun charge =>
                    force (fun rise => force (fun fall => force (fun unit =>
                      force (fun positive =>
                          force (fun negative => force (fun gain => force (fun loss => force (fun limit =>
                      force (fun aside =>
                          force (fun against => force (fun scale => force (fun weight => force (fun size =>
                          next ⟨1, weight, limit, x.start, n, x.size, positive, negative, gain, loss⟩
                            ⟨scale, x.weight, 0, first, n, size, aside, against, 0, 0⟩)
                        (Nat.succ (Nat.add x.size (Nat.succ bits)))) (Nat.mul x.weight unit))
                          (Nat.mul unit x.scale))
                        (Nat.add (Nat.mul atI rise) (Nat.mul atK fall)))
                          (Nat.add (Nat.mul atK rise) (Nat.mul atI fall)))
                        (Nat.add (Nat.mul unit x.limit)
                            (Nat.mul x.weight (Nat.mul facts.count
                                (Nat.mul (Nat.pow 2 (Nat.succ x.size)) (Nat.pow 2 (Nat.succ s.stride)))))))
                        (Nat.add (Nat.mul unit x.loss) (Nat.mul x.weight charge))) (Nat.mul unit x.gain))
                        (Nat.sub x.negative (Nat.add (Nat.mul atK second) (Nat.mul atI first'))))
                          (Nat.sub x.positive (Nat.add (Nat.mul atK first') (Nat.mul atI second))))
                      (Nat.pow 2 bits)) (scaleColumns frame.digit frame.width facts.count frame.rows
                          (Nat.succ bits) second upper))
                      (scaleColumns frame.digit frame.width facts.count frame.rows (Nat.succ bits) first'
                          lower))
                  (Nat.sub q' (minus frame.digit frame.width facts.count frame.rows x.size q' p)))
                  (Nat.sub p' (minus frame.digit frame.width facts.count frame.rows x.size p' q)))
                (scaleColumns frame.digit frame.width facts.count frame.rows 1
                    (cutOut frame.digit frame.width frame.rows x.negative k facts.count) mask))
                (scaleColumns frame.digit frame.width facts.count frame.rows 1
                    (cutOut frame.digit frame.width frame.rows x.positive k facts.count) mask))
                (cutOut frame.digit frame.width frame.rows x.negative i facts.count))
                  (cutOut frame.digit frame.width frame.rows x.positive i facts.count))
              (Nat.pow 2 (Nat.mul frame.digit k))) (Nat.pow 2 (Nat.mul frame.digit i)))
              (Dense.spread frame.digit 1 levels 1 chosen))
              (Nat.sub (Nat.mul (Nat.pow 2 bits) (ones frame.digit facts.count)) upper)))
          (offsets s facts.count bits slope down up))
          (Vector.difference s.stride facts.count s.half tops facts.high))
            (Vector.difference s.stride facts.count s.half tops facts.low))
          (Nat.mul s.top (ones s.stride facts.count)))
          (Dense.spread s.stride (Nat.succ bits) levels 1 slopes))
                (Dense.spread frame.digit (Nat.succ bits) levels 1 slopes))
              (Nat.succ (Nat.log2 facts.count))))
    (Nat.sub facts.right first)) (Nat.sub facts.left first)

/-- The part of the positive coefficients of one run that meets negative ones of the other. -/
def meet (f g : Nat → Nat → Nat) (bit : Nat → Nat) (k i r j : Nat) : Nat :=
  f r (k + j) * bit j - (f r (k + j) * bit j - g r (i + j))
end Relaxation
end PytestTorchLean
