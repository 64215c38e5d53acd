prelude
import PytestTorchLean.Spec.Schedule
import PytestTorchLean.Core.IO
/-!
Compares the kernel with results computed elsewhere. The file holds records of 28 little-endian words of 32 bits:
the operands x, y, z, t and one expected word for each of `results`. Prints `agree COUNT`, or
`differ RECORD OPERATION WORD` for the first word that is another one.
-/
namespace PytestTorchLean.Binary32

/-- The 32-bit word at an index of the file. -/
def wordAt (bytes : ByteArray) (index : Nat) : Nat :=
  let pair := UInt64.toNat (ByteArray.toUInt64LE! (ByteArray.extract bytes (8 * (index / 2)) (8 * (index / 2) + 8)))
  cond (Nat.beq (index % 2) 0) (pair % 2 ^ 32) (pair / 2 ^ 32)

def quiet (x : Nat) : Nat := cond (isNaN x) quietNaN x
def flag (b : Bool) : Nat := cond b 1 0

/-- Each operation of the kernel, and each floating-point operation of the intermediate representation. -/
def results (x y z t : Nat) : List Nat :=
  let row := sequential 0 [Prod.mk x y, Prod.mk z t, Prod.mk y z]
  let raised := cond (lt x y) y x
  let clipped := cond (lt z raised) z raised
  [add x y, sub x y, mul x y, div x y, fma x y z, sqrt x, negate x, absolute x, relu x, maximum x y, minimum x y,
    ofInt32 x, toInt32 x, flag (eq x y) + 2 * flag (lt x y) + 4 * flag (le x y),
    row, add row x, div (add (add (add 0 x) y) z) 0x40400000, add (mul (sub x y) (div z (sqrt (add t 0x3727C5AC)))) y,
    add row t, maximum (maximum x y) z, quiet clipped, quiet (cond (le 0 x) x (mul y x)),
    fused 0 [Prod.mk x y, Prod.mk z t], (Grouping.sum (.product (Prod.mk x y)) (.multiplyAdd (Prod.mk z t) (.product (Prod.mk y z)))).run]

/-- 0, or 1 more than the position of the first result that differs from the word at its place. -/
def differing (bytes : ByteArray) : List Nat → Nat → Nat → Nat
  | [], _, _ => 0
  | value :: rest, index, position => cond (Nat.beq value (wordAt bytes index)) (differing bytes rest (index + 1) (position + 1)) (position + 1)

/-- The results of a record. -/
def computed (bytes : ByteArray) (record : Nat) : List Nat :=
  results (wordAt bytes (28 * record)) (wordAt bytes (28 * record + 1)) (wordAt bytes (28 * record + 2)) (wordAt bytes (28 * record + 3))

/-- The first difference among `count` records, as 1 more than `32 * record + position`; 0 if there is none. Recursion
    by halves: the interpreter's stack is short. -/
def search (bytes : ByteArray) : Nat → Nat → Nat → Nat
  | 0, _, _ => 0
  | fuel + 1, first, count =>
    cond (Nat.ble count 1)
      (cond (Nat.beq count 0) 0
        (match differing bytes (computed bytes first) (28 * first + 4) 0 with
        | 0 => 0
        | position + 1 => 32 * first + position + 1))
      (match search bytes fuel first (count / 2) with
      | 0 => search bytes fuel (first + count / 2) (count - count / 2)
      | found + 1 => found + 1)

def element : List Nat → Nat → Nat
  | [], _ => 0
  | value :: rest, position => cond (Nat.beq position 0) value (element rest (position - 1))

end PytestTorchLean.Binary32
open PytestTorchLean.Binary32

def main (arguments : List String) : IO UInt32 :=
  match arguments with
  | [] => pure (UInt32.ofNat 3)
  | name :: _ =>
    bind (IO.FS.readBinFile ⟨name⟩) fun bytes =>
    match search bytes 64 0 (ByteArray.size bytes / 112) with
    | 0 => bind (IO.println ("agree " ++ toString (ByteArray.size bytes / 112))) fun _ => pure (UInt32.ofNat 0)
    | found + 1 => bind (IO.println ("differ " ++ toString (found / 32) ++ " " ++ toString (found % 32) ++ " " ++
        toString (element (computed bytes (found / 32)) (found % 32)))) fun _ => pure (UInt32.ofNat 4)
