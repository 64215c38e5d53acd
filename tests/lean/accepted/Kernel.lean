prelude
import PytestTorchLean
def fact : Nat → Nat
  | 0 => 1
  | n+1 => (n+1) * fact n
def isBig : Bool := Nat.ble (2^100) (fact 200)
theorem big3 : isBig = true := by decide +kernel
theorem big4 : fact 300 % 7 = 0 := by decide +kernel
theorem big6 : (2^2000) * (2^2000) = (2 : Nat)^4000 := by decide +kernel
theorem big7 : Nat.gcd (2^2000) (6^1000) = 2^1000 := by decide +kernel
theorem big8 : Nat.log2 (2^2000) = 2000 := by decide +kernel
theorem big9 : Nat.land (2^2000+5) 7 = 5 ∧ Nat.xor (2^2000+5) 7 = 2^2000+2 ∧ Nat.lor (2^2000) 1 = 2^2000+1 := by decide +kernel
theorem big10 : Nat.shiftLeft 1 2000 = 2^2000 ∧ Nat.shiftRight (2^2000) 1999 = 2 ∧ (2^2000+3) % 2^1000 = 3 ∧ (2^2000) / (2^1990) = 1024 := by decide +kernel
theorem big11 : (2^20000 : Nat) < 2^20001 := by decide +kernel
def sumTo : Nat → Nat → Nat
  | 0, acc => acc
  | n+1, acc => sumTo n (acc + n*n)
theorem s1 : sumTo 3000 0 = 8995500500 := by decide +kernel
theorem s1' : sumTo 10000 0 = 333283335000 := by decide +kernel
theorem s2 : fact 20 = 2432902008176640000 := by rfl
