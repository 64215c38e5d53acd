prelude
import PytestTorchLean.Core.IO
import PytestTorchLean.Check.Packed
/-!
# Numbers from the bytes of a file

A file is a sequence of words of 8 bytes, the least significant byte first. A natural number is the count of
its words, then the words, the least significant first, the last one not 0 (0 has no words). A list is the
count of its items, then the items; a structure is its fields in their order; an inductive value is the
number of its constructor, then the fields. Every reader starts at a position and gives the value and the
position after it, or nothing where the bytes end early or are not of this form.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Evaluated

/-- Reads a value from a position of some bytes on. -/
def Read (α : Type) : Type := ByteArray → Nat → Option (Prod α Nat)

namespace Read
@[inline] def pure {α : Type} (a : α) : Read α := fun _ position => some (a, position)
@[inline] def fail {α : Type} : Read α := fun _ _ => none
@[inline] def bind {α β : Type} (first : Read α) (next : α → Read β) : Read β := fun bytes position =>
  match first bytes position with
  | none => none
  | some (a, position) => next a bytes position
instance : Monad Read where
  pure := Read.pure
  bind := Read.bind
end Read

/-- The word that starts at a byte. -/
def wordAt (bytes : ByteArray) (position : Nat) : UInt64 :=
  ByteArray.toUInt64LE! (ByteArray.extract bytes position (Nat.add position 8))

/-- The number whose four words start at a byte. -/
def fourWordsAt (bytes : ByteArray) (position : Nat) : Nat :=
  Nat.add
    (Nat.add (UInt64.toNat (wordAt bytes position))
        (Nat.shiftLeft (UInt64.toNat (wordAt bytes (Nat.add position 8))) 64))
    (Nat.shiftLeft (Nat.add (UInt64.toNat (wordAt bytes (Nat.add position 16)))
      (Nat.shiftLeft (UInt64.toNat (wordAt bytes (Nat.add position 24))) 64)) 128)

/-- The number whose `count` words start at a byte, by halves: reading word after word would be quadratic.
    `depth` is a bound on the number of halvings. -/
def wordsAt (bytes : ByteArray) : (depth position count : Nat) → Nat
  | 0, _, _ => 0
  | Nat.succ depth, position, count =>
    match Nat.beq count 4 with
    | true => fourWordsAt bytes position
    | false =>
      match Nat.ble count 1 with
      | true => UInt64.toNat (wordAt bytes position)
      | false =>
        -- a multiple of four, where there are more than that
        let low := cond (Nat.ble count 4) 1 (Nat.shiftLeft (Nat.shiftRight (Nat.add count 4) 3) 2)
        Nat.add (wordsAt bytes depth position low)
          (Nat.shiftLeft (wordsAt bytes depth (Nat.add position (Nat.mul 8 low)) (Nat.sub count low))
              (Nat.mul 64 low))

/-- One word. -/
def oneWord : Read Nat := fun bytes position =>
  match Nat.ble (Nat.add position 8) (ByteArray.size bytes) with
  | true => some (UInt64.toNat (wordAt bytes position), Nat.add position 8)
  | false => none

/-- A natural number. -/
def number : Read Nat := fun bytes position =>
  match oneWord bytes position with
  | none => none
  | some (count, position) =>
    let stop := Nat.add position (Nat.mul 8 count)
    match Nat.beq count 0 with
    | true => some (0, position)
    | false =>
      match both (Nat.ble stop (ByteArray.size bytes))
          (Nat.ble 1 (UInt64.toNat (wordAt bytes (Nat.sub stop 8)))) with
      | true => some (wordsAt bytes 64 position count, stop)
      | false => none

/-- Where the reading stands. -/
def here : Read Nat := fun _ position => some (position, position)

/-- `count` items. -/
def items {α : Type} (item : Read α) : Nat → Read (List α)
  | 0 => Read.pure []
  | Nat.succ count =>
    Read.bind item fun first => Read.bind (items item count) fun rest => Read.pure (first :: rest)

/-- A list. -/
def list {α : Type} (item : Read α) : Read (List α) := Read.bind oneWord (items item)

/-- The reader with a number. -/
def select {α : Type} : List (Read α) → Nat → Read α
  | [], _ => Read.fail
  | first :: rest, index =>
    match Nat.beq index 0 with
    | true => first
    | false => select rest (Nat.sub index 1)

/-- The number of a constructor, then its fields. -/
def constructor {α : Type} (readers : List (Read α)) : Read α := Read.bind oneWord (select readers)

/-- Nothing but what was read. -/
def finished {α : Type} (read : Read α) (bytes : ByteArray) : Option α :=
  match read bytes 0 with
  | none => none
  | some (a, position) =>
    match Nat.beq position (ByteArray.size bytes) with
    | true => some a
    | false => none

end Evaluated
end PytestTorchLean
