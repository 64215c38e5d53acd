prelude
import PytestTorchLean.Core.Tactic
/-!
# Recursors for the compiler

The checker is written with recursors, which the kernel evaluates fast and the compiler refuses. Here every
recursor of the core types gets an equal function that the compiler takes in its stead (`csimp` wants a
proof). So one definition serves both levels: the kernel's, and the compiled one that `lean --run` interprets.
Hence no definition of the checker is marked `noncomputable`, and each of its inductive types has such a
function.

Compiled code evaluates an argument before it is used. A recursor's first step is therefore put in line: where
it does not use the result for the rest of a list, which is how a recursor tells cases apart, none is
computed.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
namespace Recursor

@[inline] def bool {motive : Bool → Sort u} (isFalse : motive false) (isTrue : motive true) (b : Bool) :
    motive b :=
  match b with
  | false => isFalse
  | true => isTrue
@[csimp] theorem bool_eq : @Bool.rec = @bool :=
  funext fun _ => funext fun _ => funext fun _ => funext fun b => by cases b <;> rfl

@[specialize] def naturals {motive : Nat → Sort u} (zero : motive 0)
    (succ : (n : Nat) → motive n → motive (Nat.succ n)) : (n : Nat) → motive n
  | 0 => zero
  | Nat.succ n => succ n (naturals zero succ n)
@[inline] def natural {motive : Nat → Sort u} (zero : motive 0)
    (succ : (n : Nat) → motive n → motive (Nat.succ n)) (n : Nat) : motive n :=
  match n with
  | 0 => zero
  | Nat.succ n => succ n (naturals zero succ n)
@[csimp] theorem natural_eq : @Nat.rec = @natural :=
  funext fun _ => funext fun zero => funext fun succ => funext fun n => by
    have e : (n : Nat) → @naturals _ zero succ n = Nat.rec zero succ n := fun n => by
      induction n with
      | zero => rfl
      | succ n ih => show succ n _ = succ n _; rw [ih]
    cases n with
    | zero => rfl
    | succ n => show succ n _ = succ n _; rw [e]

@[inline] def option {α : Type v} {motive : Option α → Sort u} (none : motive none)
    (some : (a : α) → motive (some a)) (o : Option α) : motive o :=
  match o with
  | .none => none
  | .some a => some a
@[csimp] theorem option_eq : @Option.rec.{u, v} = @option.{u, v} :=
  funext fun _ => funext fun _ => funext fun _ => funext fun _ => funext fun o => by cases o <;> rfl

@[specialize] def lists {α : Type v} {motive : List α → Sort u} (nil : motive [])
    (cons : (a : α) → (rest : List α) → motive rest → motive (a :: rest)) : (l : List α) → motive l
  | [] => nil
  | a :: rest => cons a rest (lists nil cons rest)
@[inline] def list {α : Type v} {motive : List α → Sort u} (nil : motive [])
    (cons : (a : α) → (rest : List α) → motive rest → motive (a :: rest)) (l : List α) : motive l :=
  match l with
  | [] => nil
  | a :: rest => cons a rest (lists nil cons rest)
@[csimp] theorem list_eq : @List.rec.{u, v} = @list.{u, v} :=
  funext fun _ => funext fun _ => funext fun nil => funext fun cons => funext fun l => by
    have e : (l : List _) → @lists _ _ nil cons l = List.rec nil cons l := fun l => by
      induction l with
      | nil => rfl
      | cons a rest ih => show cons a rest _ = cons a rest _; rw [ih]
    cases l with
    | nil => rfl
    | cons a rest => show cons a rest _ = cons a rest _; rw [e]

end Recursor
end PytestTorchLean
