prelude
import PytestTorchLean.Evaluated.Format
/-!
# The weights of a document against a model's own files

Every block of a document names weights of a node and the place of the same weights in a file. They are
compared bit for bit, as they stand in the two files.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Evaluated

/-- The 32-bit word that ends before a byte, which is at least the eighth. -/
def patternBefore (bytes : ByteArray) (stop : Nat) : Nat :=
  UInt64.toNat (UInt64.shiftRight (wordAt bytes (Nat.sub stop 8)) (UInt64.ofNat 32))

/-- `count` words of a document, `step` bytes apart, are those of a file, `fileStep` bytes apart. A number's
    words end at `stop`; those after it are 0. The first words end before `position` and `filePosition`. -/
def sameWords (document : ByteArray) (stop step : Nat) (file : ByteArray) (fileStep : Nat) :
    (count position filePosition : Nat) → Bool
  | 0, _, _ => true
  | Nat.succ count, position, filePosition =>
    match Nat.beq (cond (Nat.ble position stop) (patternBefore document position) 0)
        (patternBefore file filePosition) with
    | true =>
      sameWords document stop step file fileStep count (Nat.add position step) (Nat.add filePosition fileStep)
    | false => false

/-- The columns `from` to `to - 1` of a row, all of them in `lane`. -/
def sameColumns (document file : ByteArray) (n : PlacedNode) (a : Affine) (b : Block)
    (row lane first last : Nat) : Bool :=
  let position := Nat.add n.first
    (Nat.mul 4 (Nat.add lane
        (Nat.mul a.lanes (Nat.add row (Nat.mul a.rows (Nat.sub first (Nat.mul a.laneColumns lane)))))))
  let filePosition := Nat.add b.offset
    (Nat.add (Nat.mul b.rowStride row) (Nat.mul b.columnStride (Nat.sub first b.firstColumn)))
  let fileLast := Nat.add filePosition (Nat.mul b.columnStride (Nat.sub (Nat.sub last first) 1))
  both (Nat.ble 4 filePosition) (both (Nat.ble (Nat.add fileLast 4) (ByteArray.size file))
    (sameWords document n.stop (Nat.mul 4 (Nat.mul a.lanes a.rows)) file b.columnStride (Nat.sub last first)
      (Nat.add position 4) (Nat.add filePosition 4)))

def smaller (m n : Nat) : Nat := cond (Nat.ble m n) m n
def larger (m n : Nat) : Nat := cond (Nat.ble m n) n m

/-- The columns of a row in the `count` lanes from `lane` on. -/
def sameLanes (document file : ByteArray) (n : PlacedNode) (a : Affine) (b : Block) (row : Nat) :
    (count lane : Nat) → Bool
  | 0, _ => true
  | Nat.succ count, lane =>
    let first := larger b.firstColumn (Nat.mul a.laneColumns lane)
    let last := smaller (Nat.add b.firstColumn b.columns) (Nat.mul a.laneColumns (Nat.succ lane))
    match cond (Nat.ble last first) true (sameColumns document file n a b row lane first last) with
    | true => sameLanes document file n a b row count (Nat.succ lane)
    | false => false

/-- The `count` rows from `row` on. -/
def sameRows (document file : ByteArray) (n : PlacedNode) (a : Affine) (b : Block) : (count row : Nat) → Bool
  | 0, _ => true
  | Nat.succ count, row =>
    match sameLanes document file n a b row a.lanes 0 with
    | true => sameRows document file n a b count (Nat.succ row)
    | false => false

/-- The element of a list with a number, if there is one. -/
def element {α : Type} : List α → Nat → Option α
  | [], _ => none
  | first :: rest, index =>
    match Nat.beq index 0 with
    | true => some first
    | false => element rest (Nat.sub index 1)

/-- A block's weights are the file's. -/
def sameBlock (document : ByteArray) (files : List ByteArray) (nodes : List PlacedNode) (b : Block) : Bool :=
  match element files b.file with
  | none => false
  | some file =>
    match element nodes b.node with
    | none => false
    | some n =>
      match n.node with
      | .affine a =>
        both (Nat.ble b.rows a.rows) (both (Nat.ble (Nat.add b.firstColumn b.columns) a.columns)
          (both (Nat.ble b.offset (ByteArray.size file)) (sameRows document file n a b b.rows 0)))
      | _ => false

/-- All blocks' weights are the files'. -/
def sameBlocks (document : ByteArray) (files : List ByteArray) (nodes : List PlacedNode) : List Block → Bool
  | [] => true
  | b :: rest =>
    match sameBlock document files nodes b with
    | true => sameBlocks document files nodes rest
    | false => false

/-- The number of weights that the blocks speak of. -/
def compared : List Block → Nat
  | [] => 0
  | b :: rest => Nat.add (Nat.mul b.rows b.columns) (compared rest)

end Evaluated
end PytestTorchLean
