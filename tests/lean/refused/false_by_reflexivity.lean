prelude
import PytestTorchLean
theorem claim : (2 : Nat) ^ 300 = 2 ^ 301 := Eq.refl (nat_lit 0x10)
