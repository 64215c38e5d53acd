prelude
import PytestTorchLean.Check.Decoding
/-!
# Recursors of the checker's types, for the compiler

As in Core/Recursors.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Recursor

@[inline] def column {motive : Column → Sort u} (mk : (positive negative : Nat) → motive ⟨positive, negative⟩)
    (c : Column) : motive c :=
  match c with
  | ⟨positive, negative⟩ => mk positive negative
@[csimp] theorem column_eq : @Column.rec = @column :=
  funext fun _ => funext fun _ => funext fun c => by cases c; rfl

@[inline] def semantics {motive : Semantics → Sort u} (real : motive .real) (binary32 : motive .binary32)
    (m : Semantics) : motive m :=
  match m with
  | .real => real
  | .binary32 => binary32
@[csimp] theorem semantics_eq : @Semantics.rec = @semantics :=
  funext fun _ => funext fun _ => funext fun _ => funext fun m => by cases m <;> rfl

@[inline] def node {motive : Node → Sort u} (affine : (a : Affine) → motive (.affine a))
    (relu : (first count : Nat) → motive (.relu first count))
    (maximum : (count sources : Nat) → motive (.maximum count sources))
    (minimum : (count sources : Nat) → motive (.minimum count sources))
    (curve : (function : Curve) → (first count : Nat) → motive (.curve function first count))
    (bilinear : (count terms sources : Nat) → motive (.bilinear count terms sources))
    (quotient : (count sources : Nat) → motive (.quotient count sources)) (n : Node) : motive n :=
  match n with
  | .affine a => affine a
  | .relu first count => relu first count
  | .maximum count sources => maximum count sources
  | .minimum count sources => minimum count sources
  | .curve function first count => curve function first count
  | .bilinear count terms sources => bilinear count terms sources
  | .quotient count sources => quotient count sources
@[csimp] theorem node_eq : @Node.rec = @node :=
  funext fun _ => funext fun _ => funext fun _ => funext fun _ =>
      funext fun _ => funext fun _ => funext fun _ => funext fun _ => funext fun n => by cases n <;> rfl

end Recursor
end PytestTorchLean
