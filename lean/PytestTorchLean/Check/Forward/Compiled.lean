prelude
import PytestTorchLean.Check.Products
import PytestTorchLean.Check.Weigh
/-!
# Loops for the compiler

The interpreter spends more time between the operations on long numbers than in them. The sums over columns
and over bits are therefore compiled as loops that form their masks once, as in Core/Recursors: each is proved
equal to what the kernel evaluates.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Forward

/-- `Compose.weigh`, from what has been summed so far on. -/
def weighLoop (b mask : Nat) : List Column → Nat → Nat → Nat → Nat
  | [], _, _, sum => sum
  | ⟨positive, negative⟩ :: columns, first, second, sum =>
    weighLoop b mask columns (Nat.shiftRight first b) (Nat.shiftRight second b)
      (Nat.add sum
          (Nat.add (Nat.mul (Nat.land first mask) positive) (Nat.mul (Nat.land second mask) negative)))
def compiledWeigh (b : Nat) (columns : List Column) (first second : Nat) : Nat :=
  weighLoop b (Nat.sub (Nat.pow 2 b) 1) columns first second 0
theorem weighLoop_eq (b : Nat) :
    (columns : List Column) → (first second sum : Nat) →
    weighLoop b (Nat.sub (Nat.pow 2 b) 1) columns first second sum =
      sum + Compose.weigh b columns first second
  | [], _, _, _ => rfl
  | ⟨positive, negative⟩ :: columns, first, second, sum => by
    show weighLoop b _ columns _ _ _ =
      sum + (Nat.land first (2 ^ b - 1) * positive + Nat.land second (2 ^ b - 1) * negative +
            Compose.weigh b columns _ _)
    rw [weighLoop_eq b columns]
    exact Nat.add_assoc _ _ _
@[csimp] theorem compiledWeigh_eq : @Compose.weigh = @compiledWeigh :=
  funext fun b => funext fun columns => funext fun first => funext fun second => by
    show _ = weighLoop b _ columns first second 0
    rw [weighLoop_eq, Nat.zero_add]

/-- `Matrix.multiply`, the `left` bits from `t` on. -/
def multiplyLoop (mask ones x v : Nat) : (left t : Nat) → Nat → Nat
  | 0, _, sum => sum
  | Nat.succ left, t, sum => multiplyLoop mask ones x v left (Nat.succ t)
      (Nat.add sum (Nat.shiftLeft (Nat.land x (Nat.mul mask (Nat.land (Nat.shiftRight v t) ones))) t))
def compiledMultiply (b m bits x v : Nat) : Nat :=
  multiplyLoop (Nat.sub (Nat.pow 2 b) 1) (ones b m) x v bits 0 0
/-- The sum over the first bits, as the kernel forms it. -/
def bitSum (mask ones x v : Nat) (bits : Nat) : Nat :=
  Nat.rec (motive := fun _ => Nat) 0
    (fun t before =>
      Nat.add before (Nat.mul (Nat.pow 2 t) (Nat.land x (Nat.mul mask (Nat.land (Nat.shiftRight v t) ones)))))
    bits
theorem multiplyLoop_eq (mask ones x v : Nat) :
    (left t : Nat) →
    multiplyLoop mask ones x v left t (bitSum mask ones x v t) = bitSum mask ones x v (t + left)
  | 0, _ => rfl
  | left + 1, t => by
    have e : t + (left + 1) = t + 1 + left := by rw [Nat.add_assoc, Nat.add_comm 1]
    rw [e, ← multiplyLoop_eq mask ones x v left (t + 1)]
    show multiplyLoop mask ones x v left (t + 1) (bitSum mask ones x v t + Nat.shiftLeft _ t) =
      multiplyLoop mask ones x v left (t + 1) (bitSum mask ones x v t + 2 ^ t * _)
    have s : ∀ y, Nat.shiftLeft y t = 2 ^ t * y := fun y => by
      rw [NatEquations.shiftLeft_eq, Nat.mul_comm]
    rw [s]
@[csimp] theorem compiledMultiply_eq : @Matrix.multiply = @compiledMultiply :=
  funext fun b => funext fun m => funext fun bits => funext fun x => funext fun v => by
    have e := multiplyLoop_eq (Nat.sub (Nat.pow 2 b) 1) (ones b m) x v bits 0
    rw [Nat.zero_add] at e
    refine Eq.trans ?_ e.symm
    unfold Matrix.multiply
    rw [force_eq]
    rfl

end Forward
end PytestTorchLean
