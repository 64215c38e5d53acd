prelude
import PytestTorchLean.Check.Forward.Columns
/-!
# The lines of a ReLU, applied to all columns

What is the same for all columns of a layer - the bits of the slopes, guards, vectors of ones - a program
forms once, as in Check/Forward/Compiled: it is proved equal to what the kernel evaluates.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Forward
open Natural

/-- A column's two numbers from the first. -/
def paired (s : Scale) (n direct : Nat) (next : Memory → Bool) : Bool :=
  Rows.mirror s (Nat.sub s.half 1) n (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) (ones s.half (Nat.mul 2 n)))
    direct (fun direct mirrored => next ⟨direct, mirrored⟩)

/-- The lines, applied to all columns. `step` is charged for roundings. -/
def bendWith (s : Scale) (slope n step slopes offset : Nat) (constant : Memory) (columns : List Memory)
    (next : Memory → List Memory → Bool) : Bool :=
  force (fun rest =>
    lowered s.half (Nat.mul 2 n) (Nat.sub s.half 1)
      (Nat.add (tilted s slope n slopes rest constant.direct)
          (Nat.mul (Nat.pow 2 s.half) (Nat.add offset (Nat.mul (Nat.succ step) (ones s.stride n)))))
      (Nat.mul step (ones s.stride n)) fun direct => paired s n direct fun constant' =>
        every (fun c : Memory => paired s n (tilted s slope n slopes rest c.direct)) columns (next constant'))
    (untilted s slope n slopes)

/-! ### For the compiler -/

/-- A column's mirrored number. `tops` are the guards and the largest digits, `low` masks lower halves. -/
def mirrorBy (half guards tops low direct : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun y => both (Nat.beq (Nat.land y guards) guards)
      (force (fun x => force (fun part => next direct
          (Nat.add (Nat.mul part (Nat.pow 2 half)) (Nat.shiftRight (Nat.sub x part) half))) (Nat.land x low))
        (Nat.sub y guards)))
    (Nat.sub tops direct)
theorem mirrorBy_eq (s : Scale) (w n guards direct : Nat) (next : Nat → Nat → Bool) :
    Rows.mirror s w n guards direct next =
    mirrorBy s.half guards (Nat.add guards (Nat.mul s.top (ones s.half (Nat.mul 2 n))))
      (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (Nat.add s.half s.half) n)) direct next := by
  unfold Rows.mirror mirrorBy Vector.exchange
  simp only [force_eq]

/-- Where the bits of the slopes from `t` on are set, all bits of a digit. -/
def masksFrom (mask ones v : Nat) : Nat → Nat → List Nat
  | 0, _ => []
  | Nat.succ left, t =>
    Nat.mul mask (Nat.land (Nat.shiftRight v t) ones) :: masksFrom mask ones v left (Nat.succ t)
def maskedLoop (x : Nat) : List Nat → Nat → Nat → Nat
  | [], _, sum => sum
  | m :: masks, t, sum => maskedLoop x masks (Nat.succ t) (Nat.add sum (Nat.shiftLeft (Nat.land x m) t))
theorem maskedLoop_eq (mask ones x v : Nat) : (left t sum : Nat) →
    maskedLoop x (masksFrom mask ones v left t) t sum = multiplyLoop mask ones x v left t sum
  | 0, _, _ => rfl
  | left + 1, t, sum => maskedLoop_eq mask ones x v left (t + 1) _
def tiltedBy (bits window : Nat) (masks : List Nat) (rest x : Nat) : Nat :=
  Nat.shiftRight (Nat.land (Nat.add (maskedLoop x masks 0 0) rest) window) bits
theorem tiltedBy_eq (s : Scale) (bits n slopes rest x : Nat) :
    tilted s bits n slopes rest x =
    tiltedBy bits (Nat.mul (Nat.mul (Nat.sub (Nat.pow 2 (Nat.sub s.half bits)) 1) (Nat.pow 2 bits))
        (ones s.half (Nat.mul 2 n)))
      (masksFrom (Nat.sub (Nat.pow 2 s.half) 1) (ones s.half (Nat.mul 2 n)) slopes (Nat.succ bits) 0) rest
      x :=
    by
  unfold tilted tiltedBy
  rw [compiledMultiply_eq, maskedLoop_eq]
  rfl

def bendColumns (s : Scale) (slope n step window guards tops low : Nat) (masks : List Nat) (offset rest : Nat)
    (constant : Memory) (columns : List Memory) (next : Memory → List Memory → Bool) : Bool :=
  lowered s.half (Nat.mul 2 n) (Nat.sub s.half 1)
    (Nat.add (tiltedBy slope window masks rest constant.direct)
        (Nat.mul (Nat.pow 2 s.half) (Nat.add offset (Nat.mul (Nat.succ step) (ones s.stride n)))))
    (Nat.mul step (ones s.stride n)) fun direct =>
      mirrorBy s.half guards tops low direct fun direct mirrored =>
        every (fun (c : Memory) next => mirrorBy s.half guards tops low
          (tiltedBy slope window masks rest c.direct) fun direct mirrored => next ⟨direct, mirrored⟩)
            columns (next ⟨direct, mirrored⟩)
def compiledBendWith (s : Scale) (slope n step slopes offset : Nat) (constant : Memory)
    (columns : List Memory) (next : Memory → List Memory → Bool) : Bool :=
  force (fun unit => force (fun guards => bendColumns s slope n step
        (Nat.mul (Nat.mul (Nat.sub (Nat.pow 2 (Nat.sub s.half slope)) 1) (Nat.pow 2 slope)) unit) guards
        (Nat.add guards (Nat.mul s.top unit))
        (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (Nat.add s.half s.half) n))
        (masksFrom (Nat.sub (Nat.pow 2 s.half) 1) unit slopes (Nat.succ slope) 0) offset
        (untilted s slope n slopes) constant columns next)
      (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) unit))
    (ones s.half (Nat.mul 2 n))
@[csimp] theorem compiledBendWith_eq : @bendWith = @compiledBendWith :=
  funext fun s => funext fun slope => funext fun n => funext fun step => funext fun slopes =>
    funext fun offset => funext fun constant => funext fun columns => funext fun next => by
  unfold bendWith compiledBendWith bendColumns paired
  simp only [force_eq, tiltedBy_eq, mirrorBy_eq]

end Forward
end PytestTorchLean
