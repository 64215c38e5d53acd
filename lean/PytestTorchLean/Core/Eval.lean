prelude
import PytestTorchLean.Core.Int
/-!
# What `#eval` asks for: formats and `Repr`

No proof imports this module; evaluation by the interpreter proves nothing to the kernel.
-/
inductive Std.Format.FlattenBehavior where | allOrNone | fill
inductive Std.Format where
  | nil | line
  | align (force : Bool)
  | text (s : String)
  | nest (indent : Int) (f : Std.Format)
  | append (a b : Std.Format)
  | group (f : Std.Format) (behavior : Std.Format.FlattenBehavior)
  | tag (n : Nat) (f : Std.Format)
instance : Inhabited Std.Format := ⟨.nil⟩
class Repr (α : Type u) where
  reprPrec : α → Nat → Std.Format
export Repr (reprPrec)
def repr {α : Type u} [Repr α] (a : α) : Std.Format := Repr.reprPrec a 0
class Std.ToFormat (α : Type u) where
  format : α → Std.Format
export Std.ToFormat (format)
instance : Std.ToFormat Std.Format := ⟨fun f => f⟩
instance : Std.ToFormat String := ⟨fun s => .text s⟩
instance {α : Type u} [ToString α] : Std.ToFormat α := ⟨fun s => .text (toString s)⟩
instance : Repr Nat := ⟨fun n _ => .text (Nat.repr n)⟩
instance : Repr Bool := ⟨fun n _ => .text (cond n "true" "false")⟩
