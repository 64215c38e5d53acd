prelude
import PytestTorchLean.Check.Products
import PytestTorchLean.Check.Dense
import PytestTorchLean.Check.Narrow
/-!
# Tiles: some columns of a grid as a narrow grid

A column of a wide grid is mostly zeros: most of the work of a multiplication by it is lost. Where all columns
are to be multiplied, the grid is cut into tiles of `c` columns, whose rows are `c` digits apart.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

/-- Columns `c * t` to `c * t + c - 1`, still `w` digits from row to row. -/
def piece (b w c R x t : Nat) : Nat :=
  Nat.land (Nat.shiftRight x (Nat.mul b (Nat.mul c t)))
    (Nat.mul (Nat.sub (Nat.pow 2 (Nat.mul b c)) 1) (ones (Nat.mul b w) R))
/-- For the compiler, as in Core/Recursors. -/
def compiledPiece (b w c R x t : Nat) : Nat :=
  Nat.land (Nat.shiftRight x (Nat.mul b (Nat.mul c t))) (filled (Nat.mul b c) (ones (Nat.mul b w) R))
@[csimp] theorem compiledPiece_eq : @piece = @compiledPiece :=
  funext fun b => funext fun w => funext fun c => funext fun R => funext fun x => funext fun t =>
    congrArg (Nat.land (Nat.shiftRight x (b * (c * t)))) (filled_eq (b * c) (ones (b * w) R))
theorem slice {b M i c : Nat} {f : Nat → Nat} (h : i + c ≤ M) (hf : ∀ k, k < M → f k < 2 ^ b) :
    pack b M f / 2 ^ (b * i) % 2 ^ (b * c) = pack b c (fun k => f (i + k)) := by
  rw [← Dense.segment h hf, land_low]; rfl
theorem piece_eq {b w c R t : Nat} {f : Nat → Nat → Nat} (hb : 0 < b) (hc : 0 < c) (hw : c * t + c ≤ w)
    (hf : ∀ r, r < R → ∀ j, j < w → f r j < 2 ^ b) :
    piece b w c R (grid b w w R f) t = grid b w c R (fun r j => f r (c * t + j)) := by
  have wide : c ≤ w := Nat.le_trans (Nat.le_add_left c _) hw
  have le : b * c ≤ b * w := Nat.mul_le_mul Nat.le.refl wide
  have pos : 0 < b * w := lt_of_lt_of_le (Nat.mul_pos hb hc) le
  show Nat.land (Nat.shiftRight (grid b w w R f) (b * (c * t))) ((2 ^ (b * c) - 1) * ones (b * w) R) =
    pack (b * w) R _
  rw [mul_ones pos, land_mask _ (fun _ _ => mask_lt le)]
  refine pack_congr fun r hr => ?_
  rw [land_low]
  show grid b w w R f / 2 ^ (b * (c * t)) / 2 ^ (b * w * r) % 2 ^ (b * w) % 2 ^ (b * c) = _
  have place : b * (c * t) + b * w * r = b * (w * r + c * t) := by
    rw [Nat.mul_add, Nat.mul_assoc, Nat.add_comm]
  have inside : w * r + c * t + c ≤ w * R := by
    have next : w * (r + 1) ≤ w * R := Nat.mul_le_mul Nat.le.refl hr
    refine Nat.le_trans ?_ next
    rw [Nat.add_assoc]
    exact Nat.add_le_add Nat.le.refl hw
  rw [mod_mod le, shift_shift, place, grid_flat Nat.le.refl, slice inside (flat_lt hf)]
  refine pack_congr fun j hj => ?_
  have hj' : c * t + j < w := lt_of_lt_of_le (Nat.add_le_add Nat.le.refl hj) hw
  rw [Nat.add_assoc, flat_at f r hj', Memory.splice_old _ _ hj']

/-- Rows `w` digits apart brought to a distance of `c` digits; `2^levels` is at least their number. -/
def closer (b w c levels x : Nat) : Nat :=
  cond (Nat.ble w c) x (narrow (Nat.mul b w) (Nat.mul b c) levels 1 x)
/-- The same back. -/
def wider (b w c levels x : Nat) : Nat :=
  cond (Nat.ble w c) x (Dense.spread (Nat.mul b w) (Nat.mul b c) levels 1 x)
theorem closer_eq {b w c R levels : Nat} {f : Nat → Nat} (hb : 0 < b) (hc : 0 < c) (hw : c ≤ w)
    (hl : R ≤ 2 ^ levels) (hf : ∀ r, r < R → f r < 2 ^ (b * c)) :
    closer b w c levels (pack (b * w) R f) = pack (b * c) R f := by
  unfold closer
  cases e : Nat.ble w c with
  | true =>
    have same := Nat.le_antisymm hw (Nat.le_of_ble_eq_true e)
    rw [same]; rfl
  | false =>
    exact narrow_pack (Nat.mul_le_mul Nat.le.refl hw)
      (lt_of_lt_of_le (Nat.mul_pos hb hc) (Nat.mul_le_mul Nat.le.refl hw)) hl hf
theorem wider_eq {b w c R levels : Nat} {f : Nat → Nat} (hb : 0 < b) (hc : 0 < c) (hw : c ≤ w)
    (hl : R ≤ 2 ^ levels) (hf : ∀ r, r < R → f r < 2 ^ (b * c)) :
    wider b w c levels (pack (b * c) R f) = pack (b * w) R f := by
  unfold wider
  cases e : Nat.ble w c with
  | true =>
    have same := Nat.le_antisymm hw (Nat.le_of_ble_eq_true e)
    rw [same]; rfl
  | false =>
    exact Dense.spread_pack (Nat.mul_le_mul Nat.le.refl hw)
      (lt_of_lt_of_le (Nat.mul_pos hb hc) (Nat.mul_le_mul Nat.le.refl hw)) hl hf

/-- Hand on a list whose numbers are evaluated. -/
def evaluated {α : Type u} (xs : List Nat) : (List Nat → α) → α :=
  List.rec (motive := fun _ => (List Nat → α) → α) (fun next => next [])
    (fun x _ rest next => force (fun y => rest (fun ys => next (y :: ys))) x) xs
theorem evaluated_eq {α : Type u} : (xs : List Nat) → (next : List Nat → α) → evaluated xs next = next xs
  | [], _ => rfl
  | x :: xs, next => by
    show force (fun y => evaluated xs (fun ys => next (y :: ys))) x = _
    rw [force_eq, evaluated_eq xs]

/-- `n / c`, rounded up. -/
def ceiling (n c : Nat) : Nat := Nat.div (Nat.add n (Nat.sub c 1)) c

end Matrix
end PytestTorchLean
