prelude
import PytestTorchLean.Check.Relaxation.Convolve
/-!
# A batch behind a convolution, handed back

As in Returned: what `convolve` hands on, for the compiler.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix

@[inline] def threefold {α : Type} (found : Nat × (Nat × Nat)) (next : Nat → Nat → Nat → α) : α :=
  next found.fst found.snd.fst found.snd.snd

/-- What `convolve` hands on. -/
def convolvedBatch [Prepared] (s : Scale) (frame : Frame) (a : Affine) (d : Decoding) (e error : Nat)
    (layout : Layout) (direct mirrored memory : Nat) (x : Batch) : Option Batch :=
  Option.rec (motive := fun _ => Option Batch) none (fun lanes =>
      force (fun C => force (fun n => force (fun step => force (fun size => force (fun offset =>
        tested (both (fits s frame memory x)
            (both (Nat.beq x.count n)
              (both (Nat.ble 1 a.rows) (both (Nat.ble 1 a.positions) (both (Nat.ble frame.digit C)
            (both (Nat.ble layout.count frame.width)
              (both (Nat.ble (Nat.succ step) (Nat.pow 2 (Nat.sub frame.digit 1)))
                            (both (Nat.ble (Nat.succ (Nat.mul a.columns (stepOf a.rows x.size d.bits)))
                                (Nat.pow 2 (Nat.sub frame.digit 1))) (within C n layout.radius error)))))))))
          (force (fun whole => force (fun swapped => force
                  (fun sums => force (fun base => force (fun turned => force (fun gain => force (fun loss =>
              followed (collected s ⟨⟨frame, 0, 0, x.weight⟩, a.rows, a.positions, a.columns, layout.count,
                  layout.places, whole, sums, base, turned⟩ direct mirrored memory a.columns 0
                a.sources layout.shifts 0 gain loss) fun found => threefold found fun grid gain' loss' =>
                force (fun p => force (fun q =>
                      force (fun positive => force (fun negative => force (fun scale => force (fun limit =>
                    some ⟨scale, x.weight, limit, 0, layout.count, Nat.sub frame.digit 1, positive, negative,
                        gain', loss'⟩)
                  (Nat.add (Nat.add (Nat.mul e x.limit)
                        (Nat.mul x.weight (Nat.mul layout.radius (Nat.mul n (Nat.mul 2 (Nat.pow 2 x.size))))))
                      (Nat.mul a.columns (Nat.mul x.weight (Nat.mul step (Nat.add s.top s.top))))))
                  (Nat.mul e x.scale))
                  (minus frame.digit frame.width layout.count frame.rows (Nat.sub frame.digit 1) q p))
                  (minus frame.digit frame.width layout.count frame.rows (Nat.sub frame.digit 1) p q))
                  (Nat.shiftRight grid size)) (Nat.land grid (Nat.sub (Nat.pow 2 size) 1)))
            (Nat.add (Nat.mul e x.loss)
                (Nat.mul x.weight (Nat.mul layout.radius
                    (times frame.digit frame.width frame.rows n (Nat.add x.positive x.negative)
                      (ones frame.digit n))))))
            (Nat.mul e x.gain))
            (turned C frame.digit (Nat.mul a.rows a.columns)
                (joined C a.rows offset (Columns.flatten lanes))))
            (Nat.mul offset (times frame.digit frame.width (Nat.add frame.rows frame.rows) n swapped
                  (ones frame.digit n))))
            (Nat.mul offset (Nat.mul swapped (ones frame.digit a.rows))))
            (Nat.add x.negative (Nat.mul (Nat.pow 2 size) x.positive)))
            (Nat.add x.positive (Nat.mul (Nat.pow 2 size) x.negative))))
      (Nat.pow 2 d.bits)) (Nat.mul (Nat.mul frame.digit frame.width) frame.rows))
            (stepOf (Nat.mul a.rows a.positions) x.size d.bits)) (Nat.mul a.rows a.positions))
        (Nat.mul 32 a.lanes))
    (Prepared.columns a d)

theorem convolved_followed (s : Scale) (x : Convolution) (direct mirrored memory remaining k sources shifts
    grid gain loss : Nat) (found : Nat → Nat → Nat → Option Batch) (next : Batch → Bool) :
    convolved s x direct mirrored memory remaining k sources shifts grid gain loss
      (fun grid' gain' loss' => handed (found grid' gain' loss') next) =
    handed (followed (collected s x direct mirrored memory remaining k sources shifts grid gain loss)
      fun one => threefold one found) next := by
  rw [convolved_handed]
  exact followed_handed _ (fun one => threefold one found) next

theorem convolve_handed [Prepared] (s : Scale) (frame : Frame) (a : Affine) (d : Decoding) (e error : Nat)
    (layout : Layout) (direct mirrored memory : Nat) (x : Batch) (next : Batch → Bool) :
    convolve s frame a d e error layout direct mirrored memory x next =
      handed (convolvedBatch s frame a d e error layout direct mirrored memory x) next := by
  unfold convolve convolvedBatch
  simp only [force_eq]
  cases Prepared.columns a d with
  | none => rfl
  | some lanes =>
    refine Eq.trans ?_ (both_handed _ _ next)
    refine congrArg (both _) ?_
    exact convolved_followed _ _ _ _ _ _ _ _ _ _ _ _ (fun grid gain' loss' => some _) next

/-- `convolve` for the compiler. -/
def convolving [Prepared] (s : Scale) (frame : Frame) (a : Affine) (d : Decoding) (e error : Nat)
    (layout : Layout) (direct mirrored memory : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  handed (convolvedBatch s frame a d e error layout direct mirrored memory x) next
@[csimp] theorem convolve_eq : @convolve = @convolving :=
  funext fun p => funext fun s => funext fun frame => funext fun a => funext fun d => funext fun e =>
    funext fun error => funext fun layout => funext fun direct => funext fun mirrored =>
      funext fun memory => funext fun x => funext fun next =>
        @convolve_handed p s frame a d e error layout direct mirrored memory x next

end Relaxation
end PytestTorchLean
