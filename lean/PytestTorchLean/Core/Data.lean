prelude
import PytestTorchLean.Core.Prelude
/-!
# Numerals, arithmetic classes and data types

As in Lean's own core library, whose names, constructor orders and argument orders the elaborator refers to.
No axiom is declared here.
-/
set_option genInjectivity false
universe u v w

/-! ### Numerals and the arithmetic classes -/
class OfNat (α : Type u) (_ : Nat) where
  ofNat : α
export OfNat (ofNat)
@[reducible] def outParam (α : Sort u) : Sort u := α
@[reducible] def semiOutParam (α : Sort u) : Sort u := α
@[reducible] def optParam (α : Sort u) (default : α) : Sort u := α
@[reducible] def namedPattern {α : Sort u} (x a : α) (h : Eq x a) : α := a
@[default_instance 100] instance instOfNatNat (n : Nat) : OfNat Nat n := ⟨n⟩

class Inhabited (α : Sort u) where
  default : α
export Inhabited (default)
instance instNonemptyOfInhabited {α : Sort u} [Inhabited α] : Nonempty α := ⟨default⟩
instance : Inhabited Nat := ⟨Nat.zero⟩
instance : Inhabited Bool := ⟨false⟩
instance : Inhabited PUnit := ⟨PUnit.unit⟩
instance : Inhabited (Sort u) := ⟨PUnit⟩
instance (α : Sort u) {β : Sort v} [Inhabited β] : Inhabited (α → β) := ⟨fun _ => default⟩

class LE (α : Type u) where
  le : α → α → Prop
class LT (α : Type u) where
  lt : α → α → Prop
@[reducible] def GE.ge {α : Type u} [LE α] (a b : α) : Prop := LE.le b a
@[reducible] def GT.gt {α : Type u} [LT α] (a b : α) : Prop := LT.lt b a
@[reducible] def Ne {α : Sort u} (a b : α) : Prop := Not (Eq a b)
class BEq (α : Type u) where
  beq : α → α → Bool
class HAdd (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hAdd : α → β → γ
class HSub (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hSub : α → β → γ
class HMul (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hMul : α → β → γ
class HDiv (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hDiv : α → β → γ
class HMod (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hMod : α → β → γ
class HPow (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hPow : α → β → γ
class HAppend (α : Type u) (β : Type v) (γ : outParam (Type w)) where
  hAppend : α → β → γ
class Add (α : Type u) where
  add : α → α → α
class Sub (α : Type u) where
  sub : α → α → α
class Mul (α : Type u) where
  mul : α → α → α
class Neg (α : Type u) where
  neg : α → α
class Div (α : Type u) where
  div : α → α → α
class Mod (α : Type u) where
  mod : α → α → α
class Pow (α : Type u) (β : Type v) where
  pow : α → β → α
class NatPow (α : Type u) where
  pow : α → Nat → α
class Append (α : Type u) where
  append : α → α → α
class Max (α : Type u) where
  max : α → α → α
export Max (max)
class Min (α : Type u) where
  min : α → α → α
export Min (min)
class Dvd (α : Type u) where
  dvd : α → α → Prop
class Zero (α : Type u) where
  zero : α
class One (α : Type u) where
  one : α
@[default_instance] instance instHAdd {α : Type u} [Add α] : HAdd α α α := ⟨fun a b => Add.add a b⟩
@[default_instance] instance instHSub {α : Type u} [Sub α] : HSub α α α := ⟨fun a b => Sub.sub a b⟩
@[default_instance] instance instHMul {α : Type u} [Mul α] : HMul α α α := ⟨fun a b => Mul.mul a b⟩
@[default_instance] instance instHDiv {α : Type u} [Div α] : HDiv α α α := ⟨fun a b => Div.div a b⟩
@[default_instance] instance instHMod {α : Type u} [Mod α] : HMod α α α := ⟨fun a b => Mod.mod a b⟩
@[default_instance] instance instHPow {α : Type u} {β : Type v} [Pow α β] : HPow α β α :=
  ⟨fun a b => Pow.pow a b⟩
@[default_instance] instance instPowNat {α : Type u} [NatPow α] : Pow α Nat := ⟨fun a b => NatPow.pow a b⟩
@[default_instance] instance instHAppendOfAppend {α : Type u} [Append α] : HAppend α α α :=
  ⟨fun a b => Append.append a b⟩

instance instAddNat : Add Nat := ⟨Nat.add⟩
instance instMulNat : Mul Nat := ⟨Nat.mul⟩
attribute [match_pattern] Add.add HAdd.hAdd
instance instSubNat : Sub Nat := ⟨Nat.sub⟩
instance instNatPowNat : NatPow Nat := ⟨Nat.pow⟩

protected inductive Nat.le (n : Nat) : Nat → Prop where
  | refl : Nat.le n n
  | step {m} : Nat.le n m → Nat.le n (Nat.succ m)
@[reducible] protected def Nat.lt (n m : Nat) : Prop := Nat.le (Nat.succ n) m
instance instLENat : LE Nat := ⟨Nat.le⟩
instance instLTNat : LT Nat := ⟨Nat.lt⟩

theorem Nat.not_succ_le_zero : (n : Nat) → Not (LE.le (Nat.succ n) 0) :=
  fun n h =>
    have : (m : Nat) → Nat.le (Nat.succ n) m → Eq m 0 → False := fun m h =>
      h.rec (fun e => Nat.noConfusion e) (fun _ _ e => Nat.noConfusion e)
    this 0 h rfl
theorem Nat.zero_le : (n : Nat) → LE.le 0 n
  | .zero => Nat.le.refl
  | .succ n => Nat.le.step (Nat.zero_le n)
theorem Nat.succ_le_succ {n m : Nat} (h : LE.le n m) : LE.le (Nat.succ n) (Nat.succ m) :=
  Nat.le.rec (motive := fun m _ => Nat.le (Nat.succ n) (Nat.succ m)) Nat.le.refl (fun _ ih => Nat.le.step ih)
    h
theorem Nat.le_trans {n m k : Nat} (h₁ : LE.le n m) (h₂ : LE.le m k) : LE.le n k :=
  Nat.le.rec (motive := fun k _ => Nat.le n k) h₁ (fun _ ih => Nat.le.step ih) h₂
theorem Nat.pred_le_pred {n m : Nat} (h : LE.le n m) : LE.le (Nat.pred n) (Nat.pred m) :=
  Nat.le.rec (motive := fun m _ => Nat.le (Nat.pred n) (Nat.pred m)) Nat.le.refl
    (fun {m} _ ih => Nat.rec (motive := fun m => Nat.le (Nat.pred n) (Nat.pred m) → Nat.le (Nat.pred n) m)
      (fun h => h) (fun _ _ h => Nat.le.step h) m ih) h
theorem Nat.le_of_succ_le_succ {n m : Nat} (h : LE.le (Nat.succ n) (Nat.succ m)) : LE.le n m :=
  Nat.pred_le_pred h
theorem Nat.le_of_ble_eq_true : {n m : Nat} → Eq (Nat.ble n m) true → LE.le n m
  | .zero, m, _ => Nat.zero_le m
  | .succ _, .zero, h => Bool.noConf_tf (Eq.symm h)
  | .succ n, .succ m, h => Nat.succ_le_succ (le_of_ble_eq_true (n := n) (m := m) h)
theorem Nat.ble_self_eq_true : (n : Nat) → Eq (Nat.ble n n) true
  | .zero => rfl
  | .succ n => Nat.ble_self_eq_true n
theorem Nat.ble_succ_eq_true : {n m : Nat} → Eq (Nat.ble n m) true → Eq (Nat.ble n (Nat.succ m)) true
  | .zero, _, _ => rfl
  | .succ _, .zero, h => Bool.noConf_tf (Eq.symm h)
  | .succ n, .succ m, h => Nat.ble_succ_eq_true (n := n) (m := m) h
theorem Nat.ble_eq_true_of_le {n m : Nat} (h : LE.le n m) : Eq (Nat.ble n m) true :=
  Nat.le.rec (motive := fun m _ => Eq (Nat.ble n m) true) (Nat.ble_self_eq_true n)
    (fun _ ih => Nat.ble_succ_eq_true ih) h
theorem Nat.not_le_of_not_ble_eq_true {n m : Nat} (h : Not (Eq (Nat.ble n m) true)) : Not (LE.le n m) :=
  fun h' => h (Nat.ble_eq_true_of_le h')

instance instDecidableEqBool : DecidableEq Bool
  | false, false => isTrue rfl
  | true, true => isTrue rfl
  | false, true => isFalse (fun h => Bool.noConf_tf (Eq.symm h))
  | true, false => isFalse (fun h => Bool.noConf_tf h)
@[extern "lean_nat_dec_le"] instance Nat.decLe (n m : Nat) : Decidable (LE.le n m) :=
  dite (Eq (Nat.ble n m) true) (fun h => isTrue (Nat.le_of_ble_eq_true h))
    (fun h => isFalse (Nat.not_le_of_not_ble_eq_true h))
@[extern "lean_nat_dec_lt"] instance Nat.decLt (n m : Nat) : Decidable (LT.lt n m) := Nat.decLe (Nat.succ n) m

/-- fuelled division; `Nat.div`/`Nat.mod` below are what the kernel accelerates -/
def Nat.divFuel : Nat → Nat → Nat → Nat
  | .zero, _, _ => 0
  | .succ f, n, m => cond (Nat.ble m n) (Nat.succ (Nat.divFuel f (Nat.sub n m) m)) 0
@[extern "lean_nat_div"] protected def Nat.div (n m : Nat) : Nat :=
  match m with
  | .zero => 0
  | .succ k => Nat.divFuel n n (Nat.succ k)
@[extern "lean_nat_mod"] protected def Nat.mod (n m : Nat) : Nat := Nat.sub n (Nat.mul m (Nat.div n m))
def Nat.gcdFuel : Nat → Nat → Nat → Nat
  | .zero, _, n => n
  | .succ f, .zero, n => n
  | .succ f, .succ m, n => Nat.gcdFuel f (Nat.mod n (Nat.succ m)) (Nat.succ m)
@[extern "lean_nat_gcd"] def Nat.gcd (m n : Nat) : Nat := Nat.gcdFuel (Nat.succ m) m n
/-- bitwise combination, by fuel -/
def Nat.bitFuel (f : Bool → Bool → Bool) : Nat → Nat → Nat → Nat
  | .zero, _, _ => 0
  | .succ k, n, m =>
    cond (cond (Nat.beq n 0) (Nat.beq m 0) false) 0
      (Nat.add (Nat.mul 2 (Nat.bitFuel f k (Nat.div n 2) (Nat.div m 2)))
        (cond (f (Nat.beq (Nat.mod n 2) 1) (Nat.beq (Nat.mod m 2) 1)) 1 0))
@[extern "lean_nat_land"] def Nat.land (n m : Nat) : Nat :=
  Nat.bitFuel (fun a b => cond a b false) (Nat.add n m) n m
@[extern "lean_nat_lor"] def Nat.lor (n m : Nat) : Nat :=
  Nat.bitFuel (fun a b => cond a true b) (Nat.add n m) n m
@[extern "lean_nat_lxor"] def Nat.xor (n m : Nat) : Nat :=
  Nat.bitFuel (fun a b => cond a (cond b false true) b) (Nat.add n m) n m
@[extern "lean_nat_shiftl"] def Nat.shiftLeft (n m : Nat) : Nat := Nat.mul n (Nat.pow 2 m)
@[extern "lean_nat_shiftr"] def Nat.shiftRight (n m : Nat) : Nat := Nat.div n (Nat.pow 2 m)
def Nat.log2Fuel : Nat → Nat → Nat
  | .zero, _ => 0
  | .succ k, n => cond (Nat.ble 2 n) (Nat.succ (Nat.log2Fuel k (Nat.div n 2))) 0
@[extern "lean_nat_log2"] def Nat.log2 (n : Nat) : Nat := Nat.log2Fuel n n
instance instDivNat : Div Nat := ⟨Nat.div⟩
instance instModNat : Mod Nat := ⟨Nat.mod⟩
instance : Max Nat := ⟨fun a b => cond (Nat.ble a b) b a⟩
instance : Min Nat := ⟨fun a b => cond (Nat.ble a b) a b⟩

/-! ### Data types -/
inductive Option (α : Type u) where
  | none : Option α
  | some (val : α) : Option α
export Option (none some)
inductive Sum (α : Type u) (β : Type v) where
  | inl (val : α) : Sum α β
  | inr (val : β) : Sum α β
inductive List (α : Type u) where
  | nil : List α
  | cons (head : α) (tail : List α) : List α
inductive Ordering where
  | lt | eq | gt
inductive Except (ε : Type u) (α : Type v) where
  | error : ε → Except ε α
  | ok : α → Except ε α
structure Fin (n : Nat) where
  mk ::
  val : Nat
  isLt : LT.lt val n
instance {α : Type u} : Inhabited (Option α) := ⟨none⟩
instance {α : Type u} : Inhabited (List α) := ⟨List.nil⟩

structure BitVec (w : Nat) where
  ofFin ::
  toFin : Fin (Nat.pow 2 w)
structure UInt8 where
  ofBitVec ::
  toBitVec : BitVec 8
structure UInt16 where
  ofBitVec ::
  toBitVec : BitVec 16
structure UInt32 where
  ofBitVec ::
  toBitVec : BitVec 32
structure UInt64 where
  ofBitVec ::
  toBitVec : BitVec 64
opaque System.Platform.numBits : Nat
structure USize where
  ofBitVec ::
  toBitVec : BitVec System.Platform.numBits
theorem Nat.two_pow_pos : (n : Nat) → LT.lt 0 (Nat.pow 2 n)
  | .zero => Nat.le.refl
  | .succ n => 
    have h : LT.lt 0 (Nat.pow 2 n) := Nat.two_pow_pos n
    have e : (a : Nat) → LT.lt 0 a → LT.lt 0 (Nat.mul a 2) := fun a ha =>
      match a, ha with
      | .zero, ha => (Nat.not_succ_le_zero _ ha).rec
      | .succ a, _ => Nat.succ_le_succ (Nat.zero_le _)
    e _ h
instance (w : Nat) : Inhabited (BitVec w) := ⟨⟨⟨0, Nat.two_pow_pos w⟩⟩⟩
instance : Inhabited UInt8 := ⟨⟨default⟩⟩
instance : Inhabited UInt32 := ⟨⟨default⟩⟩
instance : Inhabited UInt64 := ⟨⟨default⟩⟩
instance : Inhabited USize := ⟨⟨default⟩⟩
@[extern "lean_uint8_of_nat"] opaque UInt8.ofNat (n : Nat) : UInt8
@[extern "lean_uint8_to_nat"] opaque UInt8.toNat (n : UInt8) : Nat
@[extern "lean_uint32_of_nat"] opaque UInt32.ofNat (n : Nat) : UInt32
@[extern "lean_uint32_to_nat"] opaque UInt32.toNat (n : UInt32) : Nat
@[extern "lean_uint64_of_nat"] opaque UInt64.ofNat (n : Nat) : UInt64
@[extern "lean_usize_of_nat"] opaque USize.ofNat (n : Nat) : USize
@[extern "lean_uint64_mix_hash"] opaque mixHash (u₁ u₂ : UInt64) : UInt64
structure Char where
  val : UInt32
  valid : True
@[extern "lean_uint32_of_nat"] def Char.ofNat (n : Nat) : Char := ⟨UInt32.ofNat n, True.intro⟩
instance : Inhabited Char := ⟨⟨default, True.intro⟩⟩
structure Array (α : Type u) where
  mk ::
  toList : List α
attribute [extern "lean_array_to_list"] Array.toList
attribute [extern "lean_array_mk"] Array.mk
@[extern "lean_mk_empty_array_with_capacity"] def Array.mkEmpty {α : Type u} (c : Nat) : Array α := ⟨List.nil⟩
def Array.empty {α : Type u} : Array α := Array.mkEmpty 0
def List.concat {α : Type u} : List α → α → List α
  | .nil, b => .cons b .nil
  | .cons a as, b => .cons a (List.concat as b)
@[extern "lean_array_push"] def Array.push {α : Type u} (a : Array α) (v : α) : Array α :=
  ⟨List.concat a.toList v⟩
def List.length {α : Type u} : List α → Nat
  | .nil => 0
  | .cons _ as => Nat.succ (List.length as)
@[extern "lean_array_get_size"] def Array.size {α : Type u} (a : Array α) : Nat := List.length a.toList
instance {α : Type u} : Inhabited (Array α) := ⟨Array.empty⟩
structure ByteArray where
  data : Array UInt8
attribute [extern "lean_byte_array_mk"] ByteArray.mk
attribute [extern "lean_byte_array_data"] ByteArray.data
/-- simplified: no UTF-8 validity invariant (strings are never reasoned about here) -/
structure String where
  ofByteArray ::
  toByteArray : ByteArray
attribute [extern "lean_string_from_utf8_unchecked"] String.ofByteArray
attribute [extern "lean_string_to_utf8"] String.toByteArray
instance : Inhabited String := ⟨""⟩
@[extern "lean_string_append"] opaque String.append : String → String → String
@[extern "lean_string_dec_eq"] opaque String.beqNative (a b : String) : Bool
@[extern "lean_string_hash"] opaque String.hash (s : String) : UInt64
instance : Append String := ⟨String.append⟩
@[inline] unsafe def unsafeCast {α : Sort u} {β : Sort v} (a : α) : β :=
  PULift.down.{u, v} (cast (lcProof : Eq (PULift.{v, u} α) (PULift.{u, v} β)) (PULift.up a))
