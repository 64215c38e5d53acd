prelude
import PytestTorchLean.Core.Nat
/-! IntLib: integers with the core constructors; operations are defined through the positive and
    negative parts so that the ring laws follow from two lemmas (`sub_spec`, `ext`). -/
set_option linter.all false
theorem Nat.add_right_cancel {a b : Nat} : (c : Nat) → a + c = b + c → a = b
  | 0, h => h
  | c+1, h => Nat.add_right_cancel c (Nat.succ.inj h)
theorem Nat.sub_succ (n m : Nat) : n - succ m = pred (n - m) := rfl
theorem Nat.succ_sub_succ (n m : Nat) : succ n - succ m = n - m := by
  induction m with
  | zero => rfl
  | succ m ih => rw [sub_succ, ih, sub_succ]
@[simp] theorem Nat.zero_sub (m : Nat) : 0 - m = 0 := by
  induction m with
  | zero => rfl
  | succ m ih => rw [sub_succ, ih]; rfl

-- `casesOn` for `Int` is compiled to calls of `Int.decLt` and `Int.natAbs`, so nothing that matches on an `Int`
-- may be compiled before these exist
set_option genCtorIdx false in
inductive Int where
  | ofNat (n : Nat)
  | negSucc (n : Nat)
attribute [extern "lean_nat_to_int"] Int.ofNat
attribute [extern "lean_int_neg_succ_of_nat"] Int.negSucc
namespace Int
def subNatNat (m n : Nat) : Int := match n - m with
  | 0 => ofNat (m - n)
  | k+1 => negSucc k
noncomputable def P (x : Int) : Nat := Int.rec (fun n => n) (fun _ => 0) x
noncomputable def N (x : Int) : Nat := Int.rec (fun _ => 0) (fun n => n + 1) x
protected def lt (x y : Int) : Prop := P x + N y < P y + N x
instance instLTInt : LT Int := ⟨Int.lt⟩
@[extern "lean_int_dec_lt"] instance decLt (x y : Int) : Decidable (x < y) := Nat.decLt _ _
@[extern "lean_nat_abs"] def natAbs (x : Int) : Nat := Int.rec (fun n => n) (fun n => n + 1) x
instance _root_.instOfNat (n : Nat) : OfNat Int n := ⟨ofNat n⟩
attribute [gen_constructor_elims] Int
@[extern "lean_int_dec_eq"] protected def decEq : (x y : Int) → Decidable (x = y)
  | ofNat a, ofNat b => if h : a = b then isTrue (congrArg ofNat h) else isFalse (fun e => h (congrArg P e))
  | negSucc a, negSucc b => if h : a = b then isTrue (congrArg negSucc h) else isFalse (fun e => h (Nat.succ.inj (congrArg N e)))
  | ofNat _, negSucc _ => isFalse (fun e => Nat.noConfusion (congrArg N e))
  | negSucc _, ofNat _ => isFalse (fun e => Nat.noConfusion (congrArg N e))
instance instDecidableEq : DecidableEq Int := Int.decEq
@[extern "lean_int_add"] protected def add (x y : Int) : Int := subNatNat (P x + P y) (N x + N y)
@[extern "lean_int_mul"] protected def mul (x y : Int) : Int := subNatNat (P x * P y + N x * N y) (P x * N y + N x * P y)
@[extern "lean_int_neg"] protected def neg (x : Int) : Int := subNatNat (N x) (P x)
instance instAddInt : Add Int := ⟨Int.add⟩
instance instMulInt : Mul Int := ⟨Int.mul⟩
instance instNegInt : Neg Int := ⟨Int.neg⟩
@[extern "lean_int_sub"] protected def sub (x y : Int) : Int := x + -y
instance instSubInt : Sub Int := ⟨Int.sub⟩
protected def le (x y : Int) : Prop := P x + N y ≤ P y + N x
instance instLEInt : LE Int := ⟨Int.le⟩
@[extern "lean_int_dec_le"] instance decLe (x y : Int) : Decidable (x ≤ y) := Nat.decLe _ _

theorem sub_spec (a b : Nat) : P (subNatNat a b) + b = a + N (subNatNat a b) := by
  induction b generalizing a with
  | zero => simp [subNatNat, P, N]; rfl
  | succ b ih =>
    cases a with
    | zero => exact rfl
    | succ a =>
      have e : subNatNat (Nat.succ a) (Nat.succ b) = subNatNat a b := by
        unfold subNatNat
        rw [Nat.succ_sub_succ, Nat.succ_sub_succ]
      have h := ih a
      rw [e, Nat.add_succ, h, Nat.succ_add]
theorem ext : {x y : Int} → P x + N y = P y + N x → x = y
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
  generalize P (subNatNat a b) = p at *
  generalize N (subNatNat a b) = q at *
  generalize P (subNatNat c d) = r at *
  generalize N (subNatNat c d) = s at *
  calc p + s + (b + d) = (p + b) + (d + s) := by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = (a + d) + (q + s) := by rw [h1]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = (c + s) + (b + q) := by rw [h]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = r + q + (b + d) := by rw [← h2]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem sub_PN (x : Int) : subNatNat (P x) (N x) = x := ext (by
  have h := sub_spec (P x) (N x); exact h)
theorem add_def (x y : Int) : x + y = subNatNat (P x + P y) (N x + N y) := rfl
theorem mul_def (x y : Int) : x * y = subNatNat (P x * P y + N x * N y) (P x * N y + N x * P y) := rfl
theorem add_comm (x y : Int) : x + y = y + x := by
  rw [add_def, add_def, Nat.add_comm (P x), Nat.add_comm (N x)]
theorem mul_comm (x y : Int) : x * y = y * x := by
  rw [mul_def, mul_def]; apply sub_eq
  simp only [Nat.mul_comm, Nat.add_comm, Nat.add_left_comm, Nat.add_assoc]
theorem sub_add (a b : Nat) (z : Int) : subNatNat a b + z = subNatNat (a + P z) (b + N z) := by
  rw [add_def]; apply sub_eq
  have h := sub_spec a b
  generalize P (subNatNat a b) = p at *
  generalize N (subNatNat a b) = q at *
  calc p + P z + (b + N z) = (p + b) + (P z + N z) := by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = a + P z + (q + N z) := by rw [h]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem add_assoc (x y z : Int) : x + y + z = x + (y + z) := by
  rw [add_def x y, sub_add, add_comm x, add_def y z, sub_add]
  apply sub_eq
  simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem sub_mul (a b : Nat) (z : Int) : subNatNat a b * z = subNatNat (a * P z + b * N z) (a * N z + b * P z) := by
  rw [mul_def]; apply sub_eq
  have h := sub_spec a b
  generalize P (subNatNat a b) = p at *
  generalize N (subNatNat a b) = q at *
  calc p * P z + q * N z + (a * N z + b * P z)
      = (p + b) * P z + (a + q) * N z := by simp only [Nat.add_mul, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = (a + q) * P z + (p + b) * N z := by rw [h]
    _ = a * P z + b * N z + (p * N z + q * P z) := by simp only [Nat.add_mul, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem mul_assoc (x y z : Int) : x * y * z = x * (y * z) := by
  rw [mul_def x y, sub_mul, mul_comm x, mul_def y z, sub_mul]
  apply sub_eq
  simp only [Nat.mul_add, Nat.add_mul, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem mul_add (x y z : Int) : x * (y + z) = x * y + x * z := by
  rw [mul_comm, add_def y z, sub_mul, mul_def x y, sub_add, mul_def x z]
  apply sub_eq
  have h := sub_spec (P x * P z + N x * N z) (P x * N z + N x * P z)
  generalize P (subNatNat (P x * P z + N x * N z) (P x * N z + N x * P z)) = p at *
  generalize N (subNatNat (P x * P z + N x * N z) (P x * N z + N x * P z)) = q at *
  calc (P y + P z) * P x + (N y + N z) * N x + (P x * N y + N x * P y + q)
      = P y * P x + N y * N x + (P x * N y + N x * P y) + (P x * P z + N x * N z + q) := by
        simp only [Nat.mul_add, Nat.add_mul, Nat.mul_comm, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    _ = P y * P x + N y * N x + (P x * N y + N x * P y) + (p + (P x * N z + N x * P z)) := by rw [h]
    _ = P x * P y + N x * N y + p + ((P y + P z) * N x + (N y + N z) * P x) := by
        simp only [Nat.mul_add, Nat.add_mul, Nat.mul_comm, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
theorem zero_add (x : Int) : 0 + x = x := by
  show subNatNat (0 + P x) (0 + N x) = x
  rw [Nat.zero_add, Nat.zero_add, sub_PN]
theorem add_neg (x : Int) : x + -x = 0 := by
  show x + subNatNat (N x) (P x) = 0
  rw [add_comm, sub_add]
  exact sub_eq (c := 0) (d := 0) (by rw [Nat.add_comm]; simp only [Nat.add_comm])
theorem le_refl (x : Int) : x ≤ x := Nat.le.refl
theorem test1 : (-5 : Int) * 7 + 3 = -32 := by decide
theorem test2 : (-123456789123456789 : Int) * 987654321987654321 ≤ 5 := by decide
end Int
