prelude
import PytestTorchLean.Check.Products
import PytestTorchLean.Check.Dense
import PytestTorchLean.Check.Narrow
/-!
# The product of two matrices, in tiles

`product` multiplies each column of a grid by a packed row. A column of a wide grid is mostly zeros: most of
the work of such a multiplication is lost. `tiled` computes the same number from columns that lie closer
together and from pieces of the rows, `c` digits wide.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

/-! ### A matrix given by its packed rows -/

/-- The `j`-th number packs `m` digits `f j`. -/
def Rows (b m : Nat) : List Nat → (Nat → Nat → Nat) → Prop
  | [], _ => True
  | x :: xs, f => x = pack b m (f 0) ∧ Rows b m xs (fun j => f (j + 1))

/-- Column `j` of the grid `x` times the first row, and so on. -/
def productFrom (b w R x : Nat) (rows : List Nat) : Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun row _ rest j => Nat.add (Nat.mul (column b w R x j) row) (force rest (Nat.add j 1))) rows
/-- The matrix product of a grid and a list of rows. -/
def product (b w R x : Nat) (rows : List Nat) : Nat := productFrom b w R x rows 0
theorem productFrom_cons (b w R x row : Nat) (rows : List Nat) (j : Nat) :
    productFrom b w R x (row :: rows) j = column b w R x j * row + productFrom b w R x rows (j + 1) := by
  show _ + force (productFrom b w R x rows) (Nat.add j 1) = _
  rw [force_eq]; rfl
theorem productFrom_eq {b w n R m : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w) (hb : 0 < b) (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) :
    (rows : List Nat) → (v : Nat → Nat → Nat) → (j : Nat) → Rows b m rows v → j + rows.length ≤ n →
    productFrom b w R (grid b w n R f) rows j = grid b w m R (fun r i => total rows.length (fun k => f r (j + k) * v k i))
  | [], _, _, _, _ => (grid_zero b w m R).symm
  | row :: rows, v, j, h, hj => by
    have next : j + 1 + rows.length ≤ n := by rw [Nat.add_assoc, Nat.add_comm 1]; exact hj
    have here : j < n := Nat.le_trans (Nat.le_add_right (j + 1) rows.length) next
    rw [productFrom_cons, column_eq hw hb hf here, h.1, side_mul_pack,
      productFrom_eq hw hb hf rows (fun k => v (k + 1)) (j + 1) h.2 next, ← grid_add]
    refine grid_congr fun r _ i _ => ?_
    have e : (fun k => f r (j + 1 + k) * v (k + 1) i) = fun k => f r (j + (k + 1)) * v (k + 1) i := funext fun k => by
      rw [Nat.add_assoc, Nat.add_comm 1]
    rw [e]; rfl
theorem product_eq {b w n R m : Nat} {f v : Nat → Nat → Nat} {rows : List Nat} (hw : n ≤ w) (hb : 0 < b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) (h : Rows b m rows v) (hn : rows.length ≤ n) :
    product b w R (grid b w n R f) rows = grid b w m R (fun r i => total rows.length (fun j => f r j * v j i)) := by
  refine (productFrom_eq hw hb hf rows v 0 h (Nat.le_trans (le_of_eq (Nat.zero_add _)) hn)).trans (grid_congr fun r _ i _ => ?_)
  have e : (fun k => f r (0 + k) * v k i) = fun k => f r k * v k i := funext fun k => by rw [Nat.zero_add]
  rw [e]

/-! ### Columns of a narrower grid -/

/-- Columns `c * t` to `c * t + c - 1`, still `w` digits from row to row. -/
def piece (b w c R x t : Nat) : Nat :=
  Nat.land (Nat.shiftRight x (Nat.mul b (Nat.mul c t))) (Nat.mul (Nat.sub (Nat.pow 2 (Nat.mul b c)) 1) (ones (Nat.mul b w) R))
theorem slice {b M i c : Nat} {f : Nat → Nat} (h : i + c ≤ M) (hf : ∀ k, k < M → f k < 2 ^ b) :
    pack b M f / 2 ^ (b * i) % 2 ^ (b * c) = pack b c (fun k => f (i + k)) := by
  rw [← Dense.segment h hf, land_low]; rfl
theorem piece_eq {b w c R t : Nat} {f : Nat → Nat → Nat} (hb : 0 < b) (hc : 0 < c) (hw : c * t + c ≤ w) (hf : ∀ r, r < R → ∀ j, j < w → f r j < 2 ^ b) :
    piece b w c R (grid b w w R f) t = grid b w c R (fun r j => f r (c * t + j)) := by
  have wide : c ≤ w := Nat.le_trans (Nat.le_add_left c _) hw
  have le : b * c ≤ b * w := Nat.mul_le_mul Nat.le.refl wide
  have pos : 0 < b * w := lt_of_lt_of_le (Nat.mul_pos hb hc) le
  show Nat.land (Nat.shiftRight (grid b w w R f) (b * (c * t))) ((2 ^ (b * c) - 1) * ones (b * w) R) = pack (b * w) R _
  rw [mul_ones pos, land_mask _ (fun _ _ => mask_lt le)]
  refine pack_congr fun r hr => ?_
  rw [land_low]
  show grid b w w R f / 2 ^ (b * (c * t)) / 2 ^ (b * w * r) % 2 ^ (b * w) % 2 ^ (b * c) = _
  have place : b * (c * t) + b * w * r = b * (w * r + c * t) := by rw [Nat.mul_add, Nat.mul_assoc, Nat.add_comm]
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
def closer (b w c levels x : Nat) : Nat := cond (Nat.ble w c) x (narrow (Nat.mul b w) (Nat.mul b c) levels 1 x)
/-- The same back. -/
def wider (b w c levels x : Nat) : Nat := cond (Nat.ble w c) x (Dense.spread (Nat.mul b w) (Nat.mul b c) levels 1 x)
theorem closer_eq {b w c R levels : Nat} {f : Nat → Nat} (hb : 0 < b) (hc : 0 < c) (hw : c ≤ w) (hl : R ≤ 2 ^ levels)
    (hf : ∀ r, r < R → f r < 2 ^ (b * c)) : closer b w c levels (pack (b * w) R f) = pack (b * c) R f := by
  unfold closer
  cases e : Nat.ble w c with
  | true =>
    have same := Nat.le_antisymm hw (Nat.le_of_ble_eq_true e)
    rw [same]; rfl
  | false => exact narrow_pack (Nat.mul_le_mul Nat.le.refl hw) (lt_of_lt_of_le (Nat.mul_pos hb hc) (Nat.mul_le_mul Nat.le.refl hw)) hl hf
theorem wider_eq {b w c R levels : Nat} {f : Nat → Nat} (hb : 0 < b) (hc : 0 < c) (hw : c ≤ w) (hl : R ≤ 2 ^ levels)
    (hf : ∀ r, r < R → f r < 2 ^ (b * c)) : wider b w c levels (pack (b * c) R f) = pack (b * w) R f := by
  unfold wider
  cases e : Nat.ble w c with
  | true =>
    have same := Nat.le_antisymm hw (Nat.le_of_ble_eq_true e)
    rw [same]; rfl
  | false => exact Dense.spread_pack (Nat.mul_le_mul Nat.le.refl hw) (lt_of_lt_of_le (Nat.mul_pos hb hc) (Nat.mul_le_mul Nat.le.refl hw)) hl hf

/-- Columns as one list; the `j`-th has the digits `f r j`, with `c` digits from row to row. -/
def Sides (b c R : Nat) : List Nat → (Nat → Nat → Nat) → Prop
  | [], _ => True
  | x :: xs, f => x = side b c R (fun r => f r 0) ∧ Sides b c R xs (fun r j => f r (j + 1))
/-- `count` columns of `y`, from `j` on, before `tail`. -/
def columnsFrom (b c R y : Nat) (tail : List Nat) (count : Nat) : Nat → List Nat :=
  Nat.rec (motive := fun _ => Nat → List Nat) (fun _ => tail)
    (fun _ rest j => force (fun a => a :: force rest (Nat.add j 1)) (column b c R y j)) count
theorem columnsFrom_succ (b c R y : Nat) (tail : List Nat) (count j : Nat) :
    columnsFrom b c R y tail (count + 1) j = column b c R y j :: columnsFrom b c R y tail count (j + 1) := by
  show force (fun a => a :: force (columnsFrom b c R y tail count) (Nat.add j 1)) (column b c R y j) = _
  rw [force_eq, force_eq]
theorem columnsFrom_sides {b c R y : Nat} {tail : List Nat} : (count j : Nat) → (f : Nat → Nat → Nat) →
    (∀ k, k < count → column b c R y (j + k) = side b c R (fun r => f r k)) → Sides b c R tail (fun r k => f r (count + k)) →
    Sides b c R (columnsFrom b c R y tail count j) f ∧ (columnsFrom b c R y tail count j).length = count + tail.length
  | 0, _, f, _, h => by
    have e : (fun r k => f r (0 + k)) = f := funext fun r => funext fun k => by rw [Nat.zero_add]
    rw [e] at h
    exact ⟨h, (Nat.zero_add _).symm⟩
  | count + 1, j, f, hy, h => by
    rw [columnsFrom_succ]
    have next : ∀ k, k < count → column b c R y (j + 1 + k) = side b c R (fun r => f r (k + 1)) := fun k hk => by
      rw [Nat.add_assoc, Nat.add_comm 1]; exact hy (k + 1) (Nat.succ_le_succ hk)
    have e : (fun r k => f r (count + 1 + k)) = fun r k => f r (count + k + 1) := funext fun r => funext fun k => by
      rw [Nat.add_assoc, Nat.add_comm 1, ← Nat.add_assoc]
    rw [e] at h
    obtain ⟨a, l⟩ := columnsFrom_sides count (j + 1) (fun r k => f r (k + 1)) next h
    refine ⟨⟨hy 0 (Nat.succ_le_succ (Nat.zero_le _)), a⟩, ?_⟩
    show (columnsFrom b c R y tail count (j + 1)).length + 1 = count + 1 + tail.length
    rw [l, Nat.succ_add]

/-- All columns of pieces `t`, `t + 1`, ..., `count` of them; `2^levels` is at least `R`. -/
def columnsOf (b w c R levels x count : Nat) : Nat → List Nat :=
  Nat.rec (motive := fun _ => Nat → List Nat) (fun _ => [])
    (fun _ rest t => force (fun y => columnsFrom b c R y (force rest (Nat.add t 1)) c 0)
      (closer b w c levels (piece b w c R x t))) count
theorem columnsOf_succ (b w c R levels x count t : Nat) : columnsOf b w c R levels x (count + 1) t =
    columnsFrom b c R (closer b w c levels (piece b w c R x t)) (columnsOf b w c R levels x count (t + 1)) c 0 := by
  show force (fun y => columnsFrom b c R y (force (columnsOf b w c R levels x count) (Nat.add t 1)) c 0)
    (closer b w c levels (piece b w c R x t)) = _
  rw [force_eq, force_eq]
theorem columnsOf_sides {b w c R levels : Nat} {f : Nat → Nat → Nat} (hb : 0 < b) (hc : 0 < c) (hl : R ≤ 2 ^ levels)
    (hf : ∀ r, r < R → ∀ j, j < w → f r j < 2 ^ b) : (count t : Nat) → c * t + c * count ≤ w →
    Sides b c R (columnsOf b w c R levels (grid b w w R f) count t) (fun r j => f r (c * t + j)) ∧
      (columnsOf b w c R levels (grid b w w R f) count t).length = c * count
  | 0, _, _ => ⟨trivial, rfl⟩
  | count + 1, t, h => by
    have start : c * (t + 1) + c * count = c * t + c * (count + 1) := by
      rw [Nat.mul_succ, Nat.mul_succ]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    obtain ⟨a, l⟩ := columnsOf_sides hb hc hl hf count (t + 1) (by rw [start]; exact h)
    have here : c * t + c ≤ w := by
      refine Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := c * t)) ?_) h
      exact Nat.le_add_left _ _
    have wide : c ≤ w := Nat.le_trans (Nat.le_add_left c _) here
    have small : ∀ r, r < R → ∀ j, j < c → f r (c * t + j) < 2 ^ b := fun r hr j hj =>
      hf r hr _ (lt_of_lt_of_le (Nat.add_le_add (Nat.le.refl (n := c * t)) hj) here)
    have close : closer b w c levels (grid b w c R (fun r j => f r (c * t + j))) = grid b c c R (fun r j => f r (c * t + j)) :=
      closer_eq hb hc wide hl (fun r hr => pack_lt (small r hr))
    rw [columnsOf_succ, piece_eq hb hc here hf, close]
    have s := columnsFrom_sides (b := b) (c := c) (R := R) (y := grid b c c R (fun r j => f r (c * t + j)))
      (tail := columnsOf b w c R levels (grid b w w R f) count (t + 1)) c 0 (fun r j => f r (c * t + j))
      (fun k hk => by rw [Nat.zero_add]; exact column_eq Nat.le.refl hb small hk)
      (by
        have e : (fun r k => f r (c * t + (c + k))) = fun r j => f r (c * (t + 1) + j) := funext fun r => funext fun k => by
          rw [Nat.mul_succ, Nat.add_assoc]
        rw [e]; exact a)
    refine ⟨s.1, ?_⟩
    rw [s.2, l, Nat.mul_succ, Nat.add_comm]

/-! ### The tiles -/

/-- The first column times the piece of the first row that starts at bit `shift`, and so on. -/
def tile (shift mask : Nat) (rows : List Nat) : List Nat → Nat :=
  List.rec (motive := fun _ => List Nat → Nat) (fun _ => 0)
    (fun row _ rest sides => List.rec (motive := fun _ => Nat) 0
      (fun a tail _ => Nat.add (Nat.mul a (Nat.land (Nat.shiftRight row shift) mask)) (rest tail)) sides) rows
theorem tile_eq {b c R m N s : Nat} (hm : m ≤ c * N) (hs : s < N) : (rows sides : List Nat) → (f v : Nat → Nat → Nat) →
    Rows b m rows v → (∀ j, j < rows.length → ∀ i, i < m → v j i < 2 ^ b) → Sides b c R sides f → rows.length ≤ sides.length →
    tile (b * (c * s)) (2 ^ (b * c) - 1) rows sides =
      grid b c c R (fun r i => total rows.length (fun j => f r j * upTo m (v j) (c * s + i)))
  | [], _, _, _, _, _, _, _ => (grid_zero b c c R).symm
  | _ :: _, [], _, _, _, _, _, h => absurd h (Nat.not_succ_le_zero _)
  | row :: rows, a :: sides, f, v, h, hv, hs', hl => by
    have ih := tile_eq hm hs rows sides (fun r j => f r (j + 1)) (fun j => v (j + 1)) h.2
      (fun j hj => hv (j + 1) (Nat.succ_le_succ hj)) hs'.2 (Nat.le_of_succ_le_succ hl)
    show a * Nat.land (Nat.shiftRight row (b * (c * s))) (2 ^ (b * c) - 1) + tile (b * (c * s)) (2 ^ (b * c) - 1) rows sides = _
    have inside : c * s + c ≤ c * N := by
      have g : c * (s + 1) ≤ c * N := Nat.mul_le_mul Nat.le.refl hs
      exact g
    have small := upTo_lt (hv 0 (Nat.succ_le_succ (Nat.zero_le _)))
    rw [ih, h.1, hs'.1, ← pack_upTo hm, Dense.segment inside (fun i _ => small i), side_mul_pack, ← grid_add]
    rfl

/-- The tiles `s`, `s + 1`, ..., `count` of them, brought to rows `w` digits apart, side by side. -/
def assemble (b w c R levels : Nat) (rows sides : List Nat) (count : Nat) : Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun _ rest s => Nat.add (wider b w c levels
        (tile (Nat.mul b (Nat.mul c s)) (Nat.sub (Nat.pow 2 (Nat.mul b c)) 1) rows sides))
      (Nat.shiftLeft (force rest (Nat.add s 1)) (Nat.mul b c))) count
theorem assemble_succ (b w c R levels : Nat) (rows sides : List Nat) (count s : Nat) :
    assemble b w c R levels rows sides (count + 1) s =
      wider b w c levels (tile (b * (c * s)) (2 ^ (b * c) - 1) rows sides) +
        assemble b w c R levels rows sides count (s + 1) * 2 ^ (b * c) := by
  show _ + Nat.shiftLeft (force (assemble b w c R levels rows sides count) (Nat.add s 1)) (b * c) = _
  rw [force_eq]; rfl
theorem assemble_eq {b w c R levels m N : Nat} {rows sides : List Nat} {f v : Nat → Nat → Nat} (hb : 0 < b) (hc : 0 < c) (hw : c ≤ w)
    (hl : R ≤ 2 ^ levels) (hm : m ≤ c * N) (h : Rows b m rows v) (hv : ∀ j, j < rows.length → ∀ i, i < m → v j i < 2 ^ b)
    (hs : Sides b c R sides f) (hn : rows.length ≤ sides.length)
    (sum : ∀ r, r < R → ∀ i, total rows.length (fun j => f r j * upTo m (v j) i) < 2 ^ b) : (count s : Nat) → s + count = N →
    assemble b w c R levels rows sides count s =
      grid b w (c * count) R (fun r i => total rows.length (fun j => f r j * upTo m (v j) (c * s + i)))
  | 0, _, _ => (grid_zero b w 0 R).symm
  | count + 1, s, e => by
    have here : s < N := by rw [← e]; exact Nat.succ_le_succ (Nat.le_add_right s count)
    have next : s + 1 + count = N := by rw [Nat.add_assoc, Nat.add_comm 1]; exact e
    have ih := assemble_eq hb hc hw hl hm h hv hs hn sum count (s + 1) next
    have wide : wider b w c levels (grid b c c R (fun r i => total rows.length (fun j => f r j * upTo m (v j) (c * s + i)))) =
        grid b w c R (fun r i => total rows.length (fun j => f r j * upTo m (v j) (c * s + i))) :=
      wider_eq hb hc hw hl (fun r hr => pack_lt fun i _ => sum r hr (c * s + i))
    rw [assemble_succ, tile_eq hm here rows sides f v h hv hs hn, wide, ih]
    show pack (b * w) R _ + pack (b * w) R _ * 2 ^ (b * c) = pack (b * w) R _
    rw [Nat.mul_comm _ (2 ^ (b * c)), ← pack_mul, ← pack_add]
    refine pack_congr fun r _ => ?_
    rw [Nat.mul_succ c count, Nat.add_comm (c * count), pack_append]
    refine congrArg (fun z => _ + 2 ^ (b * c) * z) (pack_congr fun i _ => ?_)
    have place : c * (s + 1) + i = c * s + (c + i) := by rw [Nat.mul_succ, Nat.add_assoc]
    show total rows.length (fun j => f r j * upTo m (v j) (c * (s + 1) + i)) = total rows.length (fun j => f r j * upTo m (v j) (c * s + (c + i)))
    rw [place]

/-- The tiles of a product whose columns are `sides` and what they make up. -/
theorem assemble_grid {b w n R m c levels outs : Nat} {f v : Nat → Nat → Nat} {rows sides : List Nat} (hb : 0 < b) (hc : 0 < c)
    (hl : R ≤ 2 ^ levels) (hcw : c ≤ w) (ho : m ≤ c * outs) (h : Rows b m rows v) (hv : ∀ j, j < rows.length → ∀ i, i < m → v j i < 2 ^ b)
    (hs : Sides b c R sides (fun r => upTo n (f r))) (hi : rows.length ≤ sides.length) (hn : rows.length ≤ n)
    (sum : ∀ r, r < R → ∀ i, i < m → total rows.length (fun j => f r j * v j i) < 2 ^ b) :
    assemble b w c R levels rows sides outs 0 = grid b w m R (fun r i => total rows.length (fun j => f r j * v j i)) := by
  have same : ∀ r i, i < m → total rows.length (fun j => upTo n (f r) j * upTo m (v j) i) = total rows.length (fun j => f r j * v j i) :=
    fun r i hi => total_congr fun j hj => by rw [upTo_old _ (lt_of_lt_of_le hj hn), upTo_old _ hi]
  have none : ∀ r i, m ≤ i → total rows.length (fun j => upTo n (f r) j * upTo m (v j) i) = 0 :=
    fun r i hi => total_zero fun j _ => by rw [upTo_new _ hi, Nat.mul_zero]
  rw [assemble_eq hb hc hcw hl ho h hv hs hi (fun r hr i => by
    cases le_or_lt m i with
    | inl g => rw [none r i g]; exact two_pow_pos b
    | inr g => rw [same r i g]; exact sum r hr i g) outs 0 (Nat.zero_add outs)]
  refine pack_congr fun r _ => ?_
  have e : ∀ i, c * 0 + i = i := fun i => Nat.zero_add i
  obtain ⟨k, hk⟩ := Nat.exists_of_le ho
  rw [hk, Dense.pack_tail_zero (fun i => by
    show total rows.length (fun j => upTo n (f r) j * upTo m (v j) (c * 0 + (m + i))) = 0
    rw [e]; exact none r _ (Nat.le_add_right m i))]
  refine pack_congr fun i hi => ?_
  show total rows.length (fun j => upTo n (f r) j * upTo m (v j) (c * 0 + i)) = _
  rw [e]; exact same r i hi
/-- The columns of a grid of `n` columns, with zeros after them. -/
theorem columnsOf_grid {b w n R c levels ins : Nat} {f : Nat → Nat → Nat} (hb : 0 < b) (hc : 0 < c) (hl : R ≤ 2 ^ levels) (hw : n ≤ w)
    (hiw : c * ins ≤ w) (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) :
    Sides b c R (columnsOf b w c R levels (grid b w n R f) ins 0) (fun r => upTo n (f r)) ∧
      (columnsOf b w c R levels (grid b w n R f) ins 0).length = c * ins := by
  have whole : grid b w n R f = grid b w w R (fun r => upTo n (f r)) := pack_congr fun r _ => (pack_upTo hw (f r)).symm
  have small : ∀ r, r < R → ∀ j, j < w → upTo n (f r) j < 2 ^ b := fun r hr j _ => upTo_lt (hf r hr) j
  obtain ⟨sides, len⟩ := columnsOf_sides hb hc hl small ins 0 (Nat.le_trans (le_of_eq (Nat.zero_add _)) hiw)
  have start : (fun r j => upTo n (f r) (c * 0 + j)) = fun r => upTo n (f r) := funext fun r => funext fun j => congrArg _ (Nat.zero_add j)
  rw [start] at sides
  rw [whole]
  exact ⟨sides, len⟩

/-- `product`, in tiles of `c` columns: `ins` of them in the grid, `outs` in the rows; `R` is at most `2^levels`. -/
def tiled (b w R c levels ins outs x : Nat) (rows : List Nat) : Nat :=
  assemble b w c R levels rows (columnsOf b w c R levels x ins 0) outs 0
theorem tiled_eq {b w n R m c levels ins outs : Nat} {f v : Nat → Nat → Nat} {rows : List Nat} (hb : 0 < b) (hc : 0 < c)
    (hl : R ≤ 2 ^ levels) (hw : n ≤ w) (hi : rows.length ≤ c * ins) (hiw : c * ins ≤ w) (hcw : c ≤ w) (ho : m ≤ c * outs)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) (h : Rows b m rows v) (hv : ∀ j, j < rows.length → ∀ i, i < m → v j i < 2 ^ b)
    (hn : rows.length ≤ n) (sum : ∀ r, r < R → ∀ i, i < m → total rows.length (fun j => f r j * v j i) < 2 ^ b) :
    tiled b w R c levels ins outs (grid b w n R f) rows = grid b w m R (fun r i => total rows.length (fun j => f r j * v j i)) := by
  obtain ⟨sides, len⟩ := columnsOf_grid hb hc hl hw hiw hf
  exact assemble_grid hb hc hl hcw ho h hv sides (by rw [len]; exact hi) hn sum

end Matrix
end PytestTorchLean
