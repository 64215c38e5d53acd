prelude
import PytestTorchLean.Core.Nat
/-!
# Integers

Constructors are those of Lean's core library. Operations are defined through the positive and the negative
part of a number, so that the ring laws follow from two lemmas, `sub_spec` and `ext`, and from the laws of
natural numbers. Only natural numbers are computed with GMP in the kernel.
-/
-- `casesOn` for `Int` is compiled to calls of `Int.decLt` and `Int.natAbs`, so nothing that matches on an
-- `Int` may be compiled before these exist
set_option genCtorIdx false in
inductive Int where
  | ofNat (n : Nat)
  | negSucc (n : Nat)
attribute [extern "lean_nat_to_int"] Int.ofNat
attribute [extern "lean_int_neg_succ_of_nat"] Int.negSucc
namespace Int
/-- The integer `m - n`. -/
def subNatNat (m n : Nat) : Int := match n - m with
  | 0 => ofNat (m - n)
  | k+1 => negSucc k
/-- `n` for `n`, 0 for negative numbers. -/
noncomputable def posPart (x : Int) : Nat := Int.rec (fun n => n) (fun _ => 0) x
/-- `n` for `-n`, 0 for numbers that are not negative. -/
noncomputable def negPart (x : Int) : Nat := Int.rec (fun _ => 0) (fun n => n + 1) x
protected def lt (x y : Int) : Prop := posPart x + negPart y < posPart y + negPart x
instance instLTInt : LT Int := ⟨Int.lt⟩
@[extern "lean_int_dec_lt"] instance decLt (x y : Int) : Decidable (x < y) := Nat.decLt _ _
@[extern "lean_nat_abs"] def natAbs (x : Int) : Nat := Int.rec (fun n => n) (fun n => n + 1) x
instance _root_.instOfNat (n : Nat) : OfNat Int n := ⟨ofNat n⟩
attribute [gen_constructor_elims] Int
@[extern "lean_int_dec_eq"] protected def decEq : (x y : Int) → Decidable (x = y)
  | ofNat a, ofNat b =>
    if h : a = b then isTrue (congrArg ofNat h) else isFalse (fun e => h (congrArg posPart e))
  | negSucc a, negSucc b =>
    if h : a = b then isTrue (congrArg negSucc h)
    else isFalse (fun e => h (Nat.succ.inj (congrArg negPart e)))
  | ofNat _, negSucc _ => isFalse (fun e => Nat.noConfusion (congrArg negPart e))
  | negSucc _, ofNat _ => isFalse (fun e => Nat.noConfusion (congrArg negPart e))
instance instDecidableEq : DecidableEq Int := Int.decEq
@[extern "lean_int_add"] protected def add (x y : Int) : Int :=
  subNatNat (posPart x + posPart y) (negPart x + negPart y)
@[extern "lean_int_mul"] protected def mul (x y : Int) : Int :=
  subNatNat (posPart x * posPart y + negPart x * negPart y) (posPart x * negPart y + negPart x * posPart y)
@[extern "lean_int_neg"] protected def neg (x : Int) : Int := subNatNat (negPart x) (posPart x)
instance instAddInt : Add Int := ⟨Int.add⟩
instance instMulInt : Mul Int := ⟨Int.mul⟩
instance instNegInt : Neg Int := ⟨Int.neg⟩
@[extern "lean_int_sub"] protected def sub (x y : Int) : Int := x + -y
instance instSubInt : Sub Int := ⟨Int.sub⟩
protected def le (x y : Int) : Prop := posPart x + negPart y ≤ posPart y + negPart x
instance instLEInt : LE Int := ⟨Int.le⟩
@[extern "lean_int_dec_le"] instance decLe (x y : Int) : Decidable (x ≤ y) := Nat.decLe _ _

theorem sub_spec (a b : Nat) : posPart (subNatNat a b) + b = a + negPart (subNatNat a b) := by
  induction b generalizing a with
  | zero => simp [subNatNat, posPart, negPart]; rfl
  | succ b ih =>
    cases a with
    | zero => exact rfl
    | succ a =>
      have e : subNatNat (Nat.succ a) (Nat.succ b) = subNatNat a b := by
        unfold subNatNat
        rw [Nat.succ_sub_succ, Nat.succ_sub_succ]
      have h := ih a
      rw [e, Nat.add_succ, h, Nat.succ_add]
theorem ext : {x y : Int} → posPart x + negPart y = posPart y + negPart x → x = y
  | ofNat a, ofNat b, h => congrArg ofNat h
  | negSucc a, negSucc b, h => by
    have h : 0 + (b + 1) = 0 + (a + 1) := h
    rw [Nat.zero_add, Nat.zero_add] at h
    injection h with h
    rw [h]
  | ofNat a, negSucc b, h => by
    have h : a + (b + 1) = 0 := h
    cases h
  | negSucc a, ofNat b, h => by
    have h : 0 = b + (a + 1) := h
    cases h
theorem sub_eq {a b c d : Nat} (h : a + d = c + b) : subNatNat a b = subNatNat c d := by
  apply ext
  apply Nat.add_right_cancel (b + d)
  have h1 := sub_spec a b
  have h2 := sub_spec c d
  generalize posPart (subNatNat a b) = p at *
  generalize negPart (subNatNat a b) = q at *
  generalize posPart (subNatNat c d) = r at *
  generalize negPart (subNatNat c d) = s at *
  calc p + s + (b + d) = (p + b) + (d + s) := by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = (a + d) + (q + s) := by rw [h1]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = (c + s) + (b + q) := by rw [h]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = r + q + (b + d) := by rw [← h2]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem subNatNat_parts (x : Int) : subNatNat (posPart x) (negPart x) = x := ext (by
  have h := sub_spec (posPart x) (negPart x); exact h)
theorem add_def (x y : Int) : x + y = subNatNat (posPart x + posPart y) (negPart x + negPart y) := rfl
theorem mul_def (x y : Int) :
    x * y = subNatNat (posPart x * posPart y + negPart x * negPart y)
      (posPart x * negPart y + negPart x * posPart y) := rfl
theorem add_comm (x y : Int) : x + y = y + x := by
  rw [add_def, add_def, Nat.add_comm (posPart x), Nat.add_comm (negPart x)]
theorem mul_comm (x y : Int) : x * y = y * x := by
  rw [mul_def, mul_def]; apply sub_eq
  simp only [Nat.mul_comm, Nat.add_comm, Nat.add_left_comm, Nat.add_assoc]
theorem sub_add (a b : Nat) (z : Int) : subNatNat a b + z = subNatNat (a + posPart z) (b + negPart z) := by
  rw [add_def]; apply sub_eq
  have h := sub_spec a b
  generalize posPart (subNatNat a b) = p at *
  generalize negPart (subNatNat a b) = q at *
  calc p + posPart z + (b + negPart z) = (p + b) + (posPart z + negPart z) :=
      by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = a + posPart z + (q + negPart z) := by
      rw [h]
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem add_assoc (x y z : Int) : x + y + z = x + (y + z) := by
  rw [add_def x y, sub_add, add_comm x, add_def y z, sub_add]
  apply sub_eq
  simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem sub_mul (a b : Nat) (z : Int) :
    subNatNat a b * z = subNatNat (a * posPart z + b * negPart z) (a * negPart z + b * posPart z) := by
  rw [mul_def]; apply sub_eq
  have h := sub_spec a b
  generalize posPart (subNatNat a b) = p at *
  generalize negPart (subNatNat a b) = q at *
  calc p * posPart z + q * negPart z + (a * negPart z + b * posPart z)
      = (p + b) * posPart z + (a + q) * negPart z := by
        simp only [Nat.add_mul, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = (a + q) * posPart z + (p + b) * negPart z := by rw [h]
    _ = a * posPart z + b * negPart z + (p * negPart z + q * posPart z) := by
      simp only [Nat.add_mul, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem mul_assoc (x y z : Int) : x * y * z = x * (y * z) := by
  rw [mul_def x y, sub_mul, mul_comm x, mul_def y z, sub_mul]
  apply sub_eq
  simp only [Nat.mul_add, Nat.add_mul, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm, Nat.add_assoc,
      Nat.add_left_comm, Nat.add_comm]
theorem mul_add (x y z : Int) : x * (y + z) = x * y + x * z := by
  rw [mul_comm, add_def y z, sub_mul, mul_def x y, sub_add, mul_def x z]
  apply sub_eq
  have h :=
    sub_spec (posPart x * posPart z + negPart x * negPart z) (posPart x * negPart z + negPart x * posPart z)
  generalize posPart (subNatNat (posPart x * posPart z + negPart x * negPart z)
        (posPart x * negPart z + negPart x * posPart z)) = p at *
  generalize negPart (subNatNat (posPart x * posPart z + negPart x * negPart z)
        (posPart x * negPart z + negPart x * posPart z)) = q at *
  calc (posPart y + posPart z) * posPart x + (negPart y + negPart z) * negPart x +
    (posPart x * negPart y + negPart x * posPart y + q)
      = posPart y * posPart x + negPart y * negPart x + (posPart x * negPart y + negPart x * posPart y) +
          (posPart x * posPart z + negPart x * negPart z + q) := by
        simp only [Nat.mul_add, Nat.add_mul, Nat.mul_comm, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = posPart y * posPart x + negPart y * negPart x + (posPart x * negPart y + negPart x * posPart y) +
          (p + (posPart x * negPart z + negPart x * posPart z)) := by rw [h]
    _ = posPart x * posPart y + negPart x * negPart y + p +
          ((posPart y + posPart z) * negPart x + (negPart y + negPart z) * posPart x) := by
        simp only [Nat.mul_add, Nat.add_mul, Nat.mul_comm, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem zero_add (x : Int) : 0 + x = x := by
  show subNatNat (0 + posPart x) (0 + negPart x) = x
  rw [Nat.zero_add, Nat.zero_add, subNatNat_parts]
theorem add_neg (x : Int) : x + -x = 0 := by
  show x + subNatNat (negPart x) (posPart x) = 0
  rw [add_comm, sub_add]
  exact sub_eq (c := 0) (d := 0) (by rw [Nat.add_comm]; simp only [Nat.add_comm])
theorem le_refl (x : Int) : x ≤ x := Nat.le.refl
end Int
