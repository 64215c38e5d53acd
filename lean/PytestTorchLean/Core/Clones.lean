prelude
import PytestTorchLean.Core
import PytestTorchLean.Core.Int
/-!
# The accelerated functions against clones of their definitions

The kernel computes `Nat.add` and its kin on literals with GMP, going by the name. Each definition of
`Prelude.lean` is repeated here under another name, where the kernel has to unfold it, and both are compared
on all small arguments. Compiled by a test only; nothing imports this module.
-/
namespace PytestTorchLean.Clones

def add : Nat → Nat → Nat
  | n, 0 => n
  | n, m+1 => Nat.succ (add n m)
def sub : Nat → Nat → Nat
  | n, 0 => n
  | n, m+1 => Nat.pred (sub n m)
def mul : Nat → Nat → Nat
  | _, 0 => 0
  | n, m+1 => add (mul n m) n
def pow (n : Nat) : Nat → Nat
  | 0 => 1
  | m+1 => mul (pow n m) n
def beq : Nat → Nat → Bool
  | 0, 0 => true
  | 0, _+1 => false
  | _+1, 0 => false
  | n+1, m+1 => beq n m
def ble : Nat → Nat → Bool
  | 0, _ => true
  | _+1, 0 => false
  | n+1, m+1 => ble n m
def div (n m : Nat) : Nat :=
  match m with
  | .zero => 0
  | .succ k => Nat.divFuel n n (Nat.succ k)
def mod (n m : Nat) : Nat := n - m * div n m
def gcd (m n : Nat) : Nat := Nat.gcdFuel (m + 1) m n
def land (n m : Nat) : Nat := Nat.bitFuel (fun a b => cond a b false) (n + m) n m
def lor (n m : Nat) : Nat := Nat.bitFuel (fun a b => cond a true b) (n + m) n m
def xor (n m : Nat) : Nat := Nat.bitFuel (fun a b => cond a (cond b false true) b) (n + m) n m
def shiftLeft (n m : Nat) : Nat := n * 2 ^ m
def shiftRight (n m : Nat) : Nat := n / 2 ^ m
def log2 (n : Nat) : Nat := Nat.log2Fuel n n

/-- `p` holds below `k`. -/
def below (p : Nat → Bool) : Nat → Bool
  | 0 => true
  | n+1 => p n && below p n
/-- `f` and `g` agree on all pairs below `k`. -/
def agree (f g : Nat → Nat → Nat) (k : Nat) : Bool :=
  below (fun n => below (fun m => Nat.beq (f n m) (g n m)) k) k

theorem add_agrees : agree add Nat.add 14 = true := by decide +kernel
theorem sub_agrees : agree sub Nat.sub 14 = true := by decide +kernel
theorem mul_agrees : agree mul Nat.mul 14 = true := by decide +kernel
theorem pow_agrees : agree pow Nat.pow 5 = true := by decide +kernel
theorem beq_agrees : below (fun n => below (fun m => decide (beq n m = Nat.beq n m)) 14) 14 = true := by
  decide +kernel
theorem ble_agrees : below (fun n => below (fun m => decide (ble n m = Nat.ble n m)) 14) 14 = true := by
  decide +kernel
theorem div_agrees : agree div Nat.div 14 = true := by decide +kernel
theorem mod_agrees : agree mod Nat.mod 14 = true := by decide +kernel
theorem gcd_agrees : agree gcd Nat.gcd 14 = true := by decide +kernel
theorem land_agrees : agree land Nat.land 14 = true := by decide +kernel
theorem lor_agrees : agree lor Nat.lor 14 = true := by decide +kernel
theorem xor_agrees : agree xor Nat.xor 14 = true := by decide +kernel
theorem shiftLeft_agrees : agree shiftLeft Nat.shiftLeft 8 = true := by decide +kernel
theorem shiftRight_agrees : agree shiftRight Nat.shiftRight 14 = true := by decide +kernel
theorem log2_agrees : below (fun n => Nat.beq (log2 n) (Nat.log2 n)) 60 = true := by decide +kernel

/-! Integers are computed through their parts. -/
theorem int_small : ((-7 : Int) * 6 + 100) = 58 := by decide
theorem int_large : (-123456789123456789123456789 : Int) * 987654321987654321 ≤ -5 := by decide
end PytestTorchLean.Clones
