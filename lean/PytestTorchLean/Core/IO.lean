prelude
import PytestTorchLean.Core.Tactic
/-!
# Input and output for `lean --run`

As much of Lean's run-time interface as a program needs that reads files and prints a line. World tokens have
type `Void`, which the compiler erases; an `EIO` result is an `ok` or `error` constructor of one field.
No proof imports this module: what the interpreter runs is trusted, not checked by the kernel.
-/
protected noncomputable def Classical.ofNonempty {α : Sort u} [h : Nonempty α] : α := Classical.choice h
def NonemptyType := { α : Type // Nonempty α }
instance : Inhabited NonemptyType := ⟨⟨Unit, ⟨Unit.unit⟩⟩⟩
def NonemptyType.type (t : NonemptyType) : Type := t.val
opaque Void.nonemptyType (σ : Type) : NonemptyType
def Void (σ : Type) : Type := (Void.nonemptyType σ).type
structure ST.Out (σ α : Type) where
  val : α
  state : Void σ
def ST (σ α : Type) : Type := Void σ → ST.Out σ α
inductive EST.Out (ε σ α : Type) where
  | ok : α → Void σ → EST.Out ε σ α
  | error : ε → Void σ → EST.Out ε σ α
def EST (ε σ α : Type) : Type := Void σ → EST.Out ε σ α
opaque IO.RealWorld : Type := Unit
instance : Inhabited { α : Type // Nonempty α } := ⟨⟨Unit, ⟨Unit.unit⟩⟩⟩
opaque IO.ErrorPointed : { α : Type // Nonempty α }
def IO.Error : Type := IO.ErrorPointed.val
abbrev EIO (ε α : Type) := EST ε IO.RealWorld α
abbrev IO (α : Type) := EIO IO.Error α
instance {ε σ : Type} : Monad (EST ε σ) where
  pure a := fun s => .ok a s
  bind x f := fun s => match x s with
    | .ok a s => f a s
    | .error e s => .error e s
instance {α : Type} : Nonempty (IO α) :=
  match (IO.ErrorPointed.property : Nonempty IO.Error) with
  | ⟨e⟩ => ⟨fun s => .error e s⟩
@[extern "l_IO_println"] opaque IO.println {α : Type} [ToString α] (s : α) : IO Unit
structure System.FilePath where
  toString : String
@[extern "l_IO_FS_readFile"] opaque IO.FS.readFile (fname : System.FilePath) : IO String
@[extern "l_IO_FS_readBinFile"] opaque IO.FS.readBinFile (fname : System.FilePath) : IO ByteArray

/-! ### Bytes and words -/
instance : Inhabited ByteArray := ⟨⟨Array.empty⟩⟩
@[extern "lean_byte_array_size"] opaque ByteArray.size (b : @& ByteArray) : Nat
@[extern "l_ByteArray_extract"] opaque ByteArray.extract (b : ByteArray) (i j : Nat) : ByteArray
@[extern "l_ByteArray_toUInt64LE_x21"] opaque ByteArray.toUInt64LE! (b : ByteArray) : UInt64
@[extern "lean_uint64_to_nat"] opaque UInt64.toNat (n : UInt64) : Nat
/-- The bits of a word, moved down. -/
@[extern "lean_uint64_shift_right"] opaque UInt64.shiftRight (a b : UInt64) : UInt64
