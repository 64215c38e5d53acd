prelude
import PytestTorchLean.Check.Dense
import PytestTorchLean.Check.Weigh
/-!
# Weights that are prepared once

Many boxes, and many cases of one box, need the same node's weights decoded and turned in the same way. The
kernel keeps what it has evaluated; compiled code does not. So whatever depends on a node's weights alone is
asked of a `Prepared`: the kernel's computes it where it is asked for, the compiled program's looks it up in a
table. Either is proved to answer what the weights say, so it makes no difference to what is checked.
-/
set_option linter.all false
namespace PytestTorchLean

namespace Relaxation
/-- A column's weights, raised by `offset` so that none is negative; `m` digits of `C` bits. -/
def raisedColumn (C m offset : Nat) (c : Column) : Nat :=
  Nat.sub (Nat.add c.positive (Nat.mul offset (ones C m))) c.negative

/-! ### A matrix row by row -/

/-- The raised columns; `raise` has the offset in each digit. -/
def raisedColumns (raise : Nat) (columns : List Column) : List Nat :=
  List.rec (motive := fun _ => List Nat) []
    (fun c _ rest => Nat.sub (Nat.add c.positive raise) c.negative :: rest) columns
/-- The first digits, of `C` bits each, side by side as digits of `b` bits. -/
def firstDigits (C b : Nat) : List Nat → Nat
  | [] => 0
  | x :: xs => Nat.add (Nat.land x (Nat.sub (Nat.pow 2 C) 1)) (Nat.shiftLeft (firstDigits C b xs) b)
def laterDigits (C : Nat) : List Nat → List Nat
  | [] => []
  | x :: xs => Nat.shiftRight x C :: laterDigits C xs
/-- Columns of `m` digits of `C` bits as rows of digits of `b` bits. -/
def transposed (C b : Nat) : (m : Nat) → List Nat → List Nat
  | 0, _ => []
  | Nat.succ m, xs => firstDigits C b xs :: transposed C b m (laterDigits C xs)
def firstOf : Nat → List Nat → List Nat
  | 0, _ => []
  | Nat.succ _, [] => []
  | Nat.succ n, x :: xs => x :: firstOf n xs
def othersOf : Nat → List Nat → List Nat
  | 0, xs => xs
  | Nat.succ _, [] => []
  | Nat.succ n, _ :: xs => othersOf n xs
/-- The raised weights row by row, in digits of `digit` bits: the first `n` columns, and the others. -/
def weightRows (a : Affine) (d : Decoding) (digit n : Nat) (lanes : List (List Column)) :
    Prod (List Nat) (List Nat) :=
  let columns :=
    raisedColumns (Nat.mul (Nat.pow 2 d.bits) (ones (Nat.mul 32 a.lanes) a.rows)) (Columns.flatten lanes)
  ⟨transposed (Nat.mul 32 a.lanes) digit a.rows (firstOf n columns),
      transposed (Nat.mul 32 a.lanes) digit a.rows (othersOf n columns)⟩
end Relaxation

/-- Columns, and the packed sums of their absolute weights. -/
structure Summed where
  columns : List Column
  masses : Nat
def summed (columns : List Column) : Summed := ⟨columns, Linear.masses columns⟩
/-- The columns of `forms` with a node substituted whose columns stand in `lanes`. -/
def composition (a forms : Affine) (size : Nat) (lanes lanes' : List (List Column)) : Summed :=
  summed (Compose.columns (32 * a.lanes) (32 * forms.lanes) forms.rows size
      (Dense.take a.rows (Columns.flatten lanes')) (Columns.flatten lanes))

/-- What depends on the weights of a node, or of a node and a property, alone. -/
class Prepared where
  /-- Bits of a product's factor above which columns are taken one by one: a matter of time only. The kernel
      saves steps by long products, compiled code does not. -/
  longest : Nat
  /-- Parts of a box whose forms are carried side by side (Check/Forward/Together), 0 for one by one. -/
  together : Nat
  /-- the decoded columns -/
  columns : Affine → Decoding → Option (List (List Column))
  columns_eq : (a : Affine) → (d : Decoding) → columns a d = decode a d
  /-- the weights row by row, if they are at hand: digits of `digit` bits, the first `n` columns and the
      others -/
  rows : Affine → Decoding → (digit n : Nat) → Option (Prod (List Nat) (List Nat))
  rows_eq : (a : Affine) → (d : Decoding) → (digit n : Nat) →
    (lanes : List (List Column)) → (ws : Prod (List Nat) (List Nat)) →
    decode a d = some lanes → rows a d digit n = some ws →
    ws = Relaxation.weightRows a d digit n lanes
  /-- all columns one after the other -/
  summed : Affine → Decoding → List (List Column) → Summed
  summed_eq : (a : Affine) → (d : Decoding) → (lanes : List (List Column)) →
    decode a d = some lanes → summed a d lanes = PytestTorchLean.summed (Columns.flatten lanes)
  /-- the columns of forms with a node substituted -/
  composed : (a : Affine) → (d : Decoding) → (forms : Affine) →
    (d' : Decoding) → (size : Nat) → (lanes lanes' : List (List Column)) →
    Summed
  composed_eq : (a : Affine) → (d : Decoding) → (forms : Affine) →
    (d' : Decoding) → (size : Nat) → (lanes lanes' : List (List Column)) →
    decode a d = some lanes → decode forms d' = some lanes' →
    composed a d forms d' size lanes lanes' = composition a forms size lanes lanes'

/-- Hand on a decoding whose numbers are evaluated: so the kernel knows weights again that it has decoded
    before. -/
def Decoding.evaluated {α : Type} (d : Decoding) (next : Decoding → α) : α :=
  force (fun base => force (fun stages => force (fun bits => next ⟨base, stages, bits⟩) d.bits) d.stages)
    d.base
theorem Decoding.evaluated_eq {α : Type} (d : Decoding) (next : Decoding → α) :
    d.evaluated next = next d := by
  unfold Decoding.evaluated
  rw [force_eq, force_eq, force_eq]

/-- Nothing is kept: the kernel keeps what it has evaluated. -/
@[reducible] instance Prepared.plain : Prepared where
  longest := 160000
  together := 0
  columns := fun a d => d.evaluated (decode a)
  columns_eq := fun a d => d.evaluated_eq (decode a)
  rows := fun _ _ _ _ => none
  rows_eq := fun _ _ _ _ _ _ _ h => by cases h
  summed := fun _ _ lanes => PytestTorchLean.summed (Columns.flatten lanes)
  summed_eq := fun _ _ _ _ => rfl
  composed := fun a _ forms _ size lanes lanes' => composition a forms size lanes lanes'
  composed_eq := fun _ _ _ _ _ _ _ _ _ => rfl

end PytestTorchLean
