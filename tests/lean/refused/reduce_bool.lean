prelude
import PytestTorchLean
theorem claim (a b : Bool) (h : Lean.reduceBool a = b) : a = b := Lean.ofReduceBool a b h
