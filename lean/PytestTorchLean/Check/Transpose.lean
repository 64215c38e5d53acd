prelude
import PytestTorchLean.Check.Linear
/-!
# From the columns of a matrix to its rows

`decode` yields the columns of a weight matrix, each with one digit for every row. Back-substitution needs its
rows, each with one digit for every column.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Matrix
open Natural

/-- The `i`-th of a list of columns' digits. -/
def entry : List Digits → Nat → Digits
  | [], _ => ⟨fun _ => 0, fun _ => 0⟩
  | d :: _, 0 => d
  | _ :: ds, i + 1 => entry ds i
/-- Row `j`: its digits are those of all columns. -/
def rowDigits (ds : List Digits) (j : Nat) : Digits := ⟨fun i => (entry ds i).positive j, fun i => (entry ds i).negative j⟩
/-- `count` rows from row `j` on. -/
def rowsFrom (ds : List Digits) : Nat → Nat → List Digits
  | 0, _ => []
  | count + 1, j => rowDigits ds j :: rowsFrom ds count (j + 1)

/-- Row `j` of the columns, digit by digit. -/
def gather (b j : Nat) (cs : List Column) : Column :=
  List.rec (motive := fun _ => Column) ⟨0, 0⟩
    (fun c _ rest => Column.rec (motive := fun _ => Column) (fun positive negative =>
      Column.rec (motive := fun _ => Column) (fun p q =>
        ⟨Nat.add (Nat.land (Nat.shiftRight positive (Nat.mul b j)) (Nat.sub (Nat.pow 2 b) 1)) (Nat.mul (Nat.pow 2 b) p),
         Nat.add (Nat.land (Nat.shiftRight negative (Nat.mul b j)) (Nat.sub (Nat.pow 2 b) 1)) (Nat.mul (Nat.pow 2 b) q)⟩) rest) c) cs
def gatherFrom (b : Nat) (cs : List Column) (count : Nat) : Nat → List Column :=
  Nat.rec (motive := fun _ => Nat → List Column) (fun _ => [])
    (fun _ rest j => gather b j cs :: force rest (Nat.add j 1)) count
/-- The rows of the matrix whose columns are `cs`, with `rows` digits each. -/
def rowsOf (b rows : Nat) (cs : List Column) : List Column := gatherFrom b cs rows 0

theorem gather_packs {b rows bound j : Nat} (small : bound < 2 ^ b) (hj : j < rows) : (cs : List Column) → (ds : List Digits) →
    Packed b rows bound cs ds → (gather b j cs).Packs b cs.length bound (rowDigits ds j)
  | [], [], _ => ⟨rfl, rfl, fun i hi => absurd hi (Nat.not_succ_le_zero i)⟩
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    obtain ⟨ip, iq, id⟩ := gather_packs small hj cs ds ht
    have lp : ∀ i, i < rows → d.positive i < 2 ^ b := fun i hi => lt_of_le_of_lt (hd i hi).1 small
    have lq : ∀ i, i < rows → d.negative i < 2 ^ b := fun i hi => lt_of_le_of_lt (hd i hi).2 small
    have e : gather b j (c :: cs) = ⟨Nat.land (Nat.shiftRight c.positive (b * j)) (2 ^ b - 1) + 2 ^ b * (gather b j cs).positive,
        Nat.land (Nat.shiftRight c.negative (b * j)) (2 ^ b - 1) + 2 ^ b * (gather b j cs).negative⟩ := rfl
    rw [e]
    refine ⟨?_, ?_, ?_⟩
    · show Nat.land (Nat.shiftRight c.positive (b * j)) (2 ^ b - 1) + 2 ^ b * (gather b j cs).positive = d.positive j + 2 ^ b * pack b cs.length _
      rw [digit_eq, hp, digit_pack lp hj, ip]; rfl
    · show Nat.land (Nat.shiftRight c.negative (b * j)) (2 ^ b - 1) + 2 ^ b * (gather b j cs).negative = d.negative j + 2 ^ b * pack b cs.length _
      rw [digit_eq, hn, digit_pack lq hj, iq]; rfl
    · intro i hi
      cases i with
      | zero => exact hd j hj
      | succ i => exact id i (Nat.le_of_succ_le_succ hi)
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem gatherFrom_packed {b rows bound : Nat} (small : bound < 2 ^ b) {cs : List Column} {ds : List Digits} (h : Packed b rows bound cs ds) :
    (count j : Nat) → j + count ≤ rows → Packed b cs.length bound (gatherFrom b cs count j) (rowsFrom ds count j)
  | 0, _, _ => trivial
  | count + 1, j, hj => by
    have next : j + 1 + count ≤ rows := by rw [Nat.add_assoc, Nat.add_comm 1]; exact hj
    have e : gatherFrom b cs (count + 1) j = gather b j cs :: gatherFrom b cs count (j + 1) := by
      show _ :: force (gatherFrom b cs count) (Nat.add j 1) = _
      rw [force_eq]
    rw [e]
    exact ⟨gather_packs small (Nat.le_trans (Nat.le_add_right (j + 1) count) next) cs ds h, gatherFrom_packed small h count (j + 1) next⟩
/-- The rows hold the digits of the columns: digit `i` of row `j` is digit `j` of column `i`. -/
theorem rowsOf_packed {b rows bound : Nat} (small : bound < 2 ^ b) {cs : List Column} {ds : List Digits} (h : Packed b rows bound cs ds) :
    Packed b cs.length bound (rowsOf b rows cs) (rowsFrom ds rows 0) :=
  gatherFrom_packed small h rows 0 (le_of_eq (Nat.zero_add rows))

theorem rowsFrom_length (ds : List Digits) : (count j : Nat) → (rowsFrom ds count j).length = count
  | 0, _ => rfl
  | count + 1, j => congrArg Nat.succ (rowsFrom_length ds count (j + 1))
theorem entry_rowsFrom (ds : List Digits) : (count j k : Nat) → k < count → entry (rowsFrom ds count j) k = rowDigits ds (j + k)
  | 0, _, k, h => absurd h (Nat.not_succ_le_zero k)
  | count + 1, j, 0, _ => rfl
  | count + 1, j, k + 1, h => by
    have e : j + (k + 1) = j + 1 + k := by rw [Nat.add_assoc, Nat.add_comm 1]
    rw [e]
    exact entry_rowsFrom ds count (j + 1) k (Nat.le_of_succ_le_succ h)

end Matrix
end PytestTorchLean
