prelude
import PytestTorchLean.Check.DecodeColumns
/-!
# Decoding a large matrix, some columns at a time

The steps of `Decode.whole` take time and memory for vectors as long as the whole matrix, and the kernel
computes no power of two with more than `2^24` bits. So a large matrix is cut in two between its columns until
the pieces are small. Pieces of one size share the masks, which do not depend on the weights.
-/
set_option linter.all false
namespace PytestTorchLean
open Natural

namespace Decode

/-- A matrix of `columns` columns in each lane, with these patterns. -/
def columnsOf (a : Affine) (columns weights : Nat) : Affine :=
  ⟨a.rows, a.lanes, columns, weights, a.positions, a.sources, a.divisor⟩

/-- One list of columns after another. -/
def followed (first second : List Column) : List Column :=
  List.rec (motive := fun _ => List Column) second (fun c _ rest => c :: rest) first
/-- The same in every lane. -/
def abreast (first : List (List Column)) : List (List Column) → List (List Column) :=
  List.rec (motive := fun _ => List (List Column) → List (List Column)) (fun _ => [])
    (fun lane _ next later => List.rec (motive := fun _ => List (List Column)) []
        (fun lane' rest _ => followed lane lane' :: next rest) later) first

/-- Weights that are decoded at once. -/
def tileSize : Nat := 32768

/-- Decode `columns` columns of every lane, in halves where they are many. -/
def tiles (a : Affine) (d : Decoding) (fuel : Nat) : Nat → Nat → Option (List (List Column)) :=
  Nat.rec (motive := fun _ => Nat → Nat → Option (List (List Column)))
    (fun columns weights => whole (columnsOf a columns weights) d)
    (fun _ next columns weights => cond (Nat.ble (Nat.mul (Nat.mul a.lanes a.rows) columns) tileSize)
        (whole (columnsOf a columns weights) d)
      (force (fun half => force (fun cut => force (fun high => force (fun low =>
          Option.rec (motive := fun _ => Option (List (List Column))) none
            (fun first => Option.rec (motive := fun _ => Option (List (List Column))) none
              (fun second => some (abreast first second)) (next (Nat.sub columns half) high)) (next half low))
        (Nat.sub weights (Nat.shiftLeft high cut))) (Nat.shiftRight weights cut))
        (Nat.mul 32 (Nat.mul (Nat.mul a.lanes a.rows) half))) (Nat.div columns 2))) fuel
theorem tiles_succ (a : Affine) (d : Decoding) (fuel columns weights : Nat) :
    tiles a d (fuel + 1) columns weights =
    cond (Nat.ble (a.lanes * a.rows * columns) tileSize) (whole (columnsOf a columns weights) d)
      (Option.rec (motive := fun _ => Option (List (List Column))) none
        (fun first => Option.rec (motive := fun _ => Option (List (List Column))) none
          (fun second => some (abreast first second))
          (tiles a d fuel (columns - columns / 2) (weights / 2 ^ (32 * (a.lanes * a.rows * (columns / 2))))))
        (tiles a d fuel (columns / 2)
          (weights - weights / 2 ^ (32 * (a.lanes * a.rows * (columns / 2))) *
              2 ^ (32 * (a.lanes * a.rows * (columns / 2)))))) := by
  show cond _ _ (force _ _) = _
  rw [force_eq, force_eq, force_eq, force_eq]; rfl
end Decode

open Decode in
/-- The columns of every lane, or `none` if the patterns do not fit the decoding. -/
def decode (a : Affine) (d : Decoding) : Option (List (List Column)) := tiles a d 64 a.laneColumns a.weights

namespace Decode

/-! ### Words of a half -/

theorem word_high (x m i : Nat) : word (x / 2 ^ (32 * m)) i = word x (m + i) := by
  show x / 2 ^ (32 * m) / 2 ^ (32 * i) % 2 ^ 32 = x / 2 ^ (32 * (m + i)) % 2 ^ 32
  rw [shift_shift, Nat.mul_add]
theorem low_eq (x k : Nat) : x - x / 2 ^ k * 2 ^ k = x % 2 ^ k := by
  refine sub_eq_of_add_eq ?_
  rw [Nat.mul_comm]; exact mod_add_div (two_pow_pos k) x
theorem word_low {m i : Nat} (hi : i < m) (x : Nat) :
    word (x - x / 2 ^ (32 * m) * 2 ^ (32 * m)) i = word x i := by
  rw [low_eq]
  obtain ⟨k, rfl⟩ := Nat.exists_of_le hi
  have size : 32 * (i + 1 + k) = 32 * i + (32 + 32 * k) := by rw [Nat.mul_add, Nat.mul_succ, Nat.add_assoc]
  show x % 2 ^ (32 * (i + 1 + k)) / 2 ^ (32 * i) % 2 ^ 32 = x / 2 ^ (32 * i) % 2 ^ 32
  rw [size]
  obtain ⟨q, r, e, g⟩ := euclid (two_pow_pos (32 * i)) x
  obtain ⟨q2, r2, e2, g2⟩ := euclid (two_pow_pos (32 + 32 * k)) q
  have bound : r + 2 ^ (32 * i) * r2 < 2 ^ (32 * i + (32 + 32 * k)) := by
    rw [Natural.pow_add]
    exact add_mul_lt g g2
  rw [e, e2, Nat.mul_add, ← Nat.add_assoc, ← Nat.mul_assoc, ← Natural.pow_add, add_mul_mod _ bound,
      add_mul_div _ g, Nat.add_assoc, Natural.pow_add, Nat.mul_assoc, ← Nat.mul_add, add_mul_div _ g]
  have z := mod_mod (Nat.le_add_right 32 (32 * k)) (r2 + 2 ^ (32 + 32 * k) * q2)
  rw [add_mul_mod _ g2] at z; exact z

variable {a : Affine} {d : Decoding}

/-- Where a weight's word is among the first columns. -/
theorem index_lt {row lane column columns : Nat} (hr : row < a.rows) (hl : lane < a.lanes)
    (hc : column < columns) :
    lane + a.lanes * (row + a.rows * column) < a.lanes * a.rows * columns := by
  rw [Nat.mul_assoc]; exact add_mul_lt hl (add_mul_lt hr hc)
theorem pattern_low {row lane column half columns weights : Nat} (hr : row < a.rows) (hl : lane < a.lanes)
    (hc : column < half) :
    (columnsOf a half (weights -
          weights / 2 ^ (32 * (a.lanes * a.rows * half)) * 2 ^ (32 * (a.lanes * a.rows * half)))).pattern row
      lane column = (columnsOf a columns weights).pattern row lane column :=
  word_low (index_lt hr hl hc) weights
theorem pattern_high (row lane column half rest columns weights : Nat) :
    (columnsOf a rest (weights / 2 ^ (32 * (a.lanes * a.rows * half)))).pattern row lane column =
      (columnsOf a columns weights).pattern row lane (half + column) := by
  have e : a.lanes * a.rows * half + (lane + a.lanes * (row + a.rows * column)) =
      lane + a.lanes * (row + a.rows * (half + column)) := by
    simp only [Nat.mul_add, Nat.mul_assoc, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  exact (word_high weights (a.lanes * a.rows * half) (lane + a.lanes * (row + a.rows * column))).trans
    (congrArg (word weights) e)

/-! ### Lists of columns -/

theorem lane_length {b : Affine} {lane : Nat} :
    (cs : List Column) → (column : Nat) → LaneHolds b d lane column cs → column ≤ b.laneColumns
  | [], _, h => Natural.le_of_eq h
  | _ :: cs, column, h => Nat.le_trans (Nat.le_add_right column 1) (lane_length cs (column + 1) h.2)
theorem lanes_length {b : Affine} :
    (ls : List (List Column)) → (lane : Nat) → LanesHold b d lane ls → lane ≤ b.lanes
  | [], _, h => Natural.le_of_eq h
  | _ :: ls, lane, h => Nat.le_trans (Nat.le_add_right lane 1) (lanes_length ls (lane + 1) h.2)

theorem column_congr {b b' : Affine} {lane column column' : Nat} {c : Column}
    (lanes : b.lanes = b'.lanes)
    (rows : b.rows = b'.rows)
    (e : ∀ row, row < b.rows → b.pattern row lane column = b'.pattern row lane column')
    (h : c.Holds b d lane column) :
    c.Holds b' d lane column' := by
  obtain ⟨p, n, hp, hn, hd⟩ := h
  refine ⟨p, n, by rw [← lanes, ← rows]; exact hp, by rw [← lanes, ← rows]; exact hn, fun i hi => ?_⟩
  rw [← rows] at hi
  obtain ⟨h1, h2, h3⟩ := hd i hi
  exact ⟨h1, h2, by rw [← e i hi]; exact h3⟩

theorem lane_high {half rest columns weights lane : Nat} (sum : half + rest = columns) :
    (cs : List Column) → (column : Nat) →
    LaneHolds (columnsOf a rest (weights / 2 ^ (32 * (a.lanes * a.rows * half)))) d lane column cs →
    LaneHolds (columnsOf a columns weights) d lane (half + column) cs
  | [], column, h => by
    have h : column = rest := h
    show half + column = columns
    rw [h]; exact sum
  | c :: cs, column, h => ⟨column_congr
        (b := columnsOf a rest (weights / 2 ^ (32 * (a.lanes * a.rows * half))))
        (b' := columnsOf a columns weights) rfl rfl
        (fun row _ => pattern_high row lane column half rest columns weights) h.1,
        lane_high sum cs (column + 1) h.2⟩
theorem lane_both {half rest columns weights lane : Nat}
    (hl : lane < a.lanes)
    (sum : half + rest = columns)
    (second : List Column)
    (h2 : LaneHolds (columnsOf a rest (weights / 2 ^ (32 * (a.lanes * a.rows * half)))) d lane 0 second) :
    (first : List Column) → (column : Nat) →
    LaneHolds (columnsOf a half
        (weights - weights / 2 ^ (32 * (a.lanes * a.rows * half)) * 2 ^ (32 * (a.lanes * a.rows * half)))) d
      lane column first → LaneHolds (columnsOf a columns weights) d lane column (followed first second)
  | [], column, h => by
    have h : column = half := h
    rw [h]; exact lane_high sum second 0 h2
  | c :: cs, column, h =>
    have lt : column < half := lane_length cs (column + 1) h.2
    ⟨column_congr (b := columnsOf a half
          (weights - weights / 2 ^ (32 * (a.lanes * a.rows * half)) * 2 ^ (32 * (a.lanes * a.rows * half))))
        (b' := columnsOf a columns weights) rfl rfl (fun row hr => pattern_low (a := a) hr hl lt) h.1,
        lane_both hl sum second h2 cs (column + 1) h.2⟩
theorem lanes_both {half rest columns weights : Nat} (sum : half + rest = columns) :
    (first second : List (List Column)) → (lane : Nat) →
    LanesHold (columnsOf a half
        (weights - weights / 2 ^ (32 * (a.lanes * a.rows * half)) * 2 ^ (32 * (a.lanes * a.rows * half)))) d
      lane first →
    LanesHold (columnsOf a rest (weights / 2 ^ (32 * (a.lanes * a.rows * half)))) d lane second →
    LanesHold (columnsOf a columns weights) d lane (abreast first second)
  | [], _, _, h, _ => h
  | l :: ls, [], lane, h, h2 => by
    have full : lane = a.lanes := h2
    exact absurd (lanes_length ls (lane + 1) h.2) (by rw [full]; exact lt_irreflexive a.lanes)
  | l :: ls, l' :: ls', lane, h, h2 =>
    ⟨lane_both (lanes_length ls (lane + 1) h.2) sum l' h2.1 l 0 h.1,
        lanes_both sum ls ls' (lane + 1) h.2 h2.2⟩

/-! ### Soundness -/

theorem halves_le (n : Nat) : n / 2 ≤ n := by
  obtain ⟨q, r, e, h⟩ := euclid (two_pow_pos 1) n
  have e2 : n / 2 = q := by rw [e]; exact add_mul_div q h
  rw [e2, e]
  refine Nat.le_trans ?_ (Nat.le_add_left _ r)
  show q ≤ 2 * q
  rw [two_mul]; exact Nat.le_add_right q q

/-- What is known of decoded columns. -/
def Right (b : Affine) (d : Decoding) (lanes : List (List Column)) : Prop :=
  LanesHold b d 0 lanes ∧
    ∀ row lane column, row < b.rows → lane < b.lanes →
      column < b.laneColumns → Binary32.exponent (b.pattern row lane column) ≠ 255
theorem whole_right {b : Affine} {lanes : List (List Column)} (h : whole b d = some lanes) :
    Right b d lanes :=
  ⟨whole_sound h, fun _ _ _ hr hl hc => whole_finite h hr hl hc⟩

theorem both_right {half rest columns weights : Nat} {first second : List (List Column)}
    (sum : half + rest = columns)
    (h1 : Right (columnsOf a half
        (weights - weights / 2 ^ (32 * (a.lanes * a.rows * half)) * 2 ^ (32 * (a.lanes * a.rows * half)))) d
      first)
    (h2 : Right (columnsOf a rest (weights / 2 ^ (32 * (a.lanes * a.rows * half)))) d second) :
    Right (columnsOf a columns weights) d (abreast first second) := by
  refine ⟨lanes_both sum first second 0 h1.1 h2.1, fun row lane column hr hl hc => ?_⟩
  have lt_of_add_lt : ∀ {x y z : Nat}, x + y < x + z → y < z := fun {x y z} h =>
    (le_or_lt z y).elim
      (fun g => absurd (lt_of_lt_of_le h (Nat.add_le_add (Nat.le.refl (n := x)) g)) (lt_irreflexive _)) id
  cases le_or_lt half column with
  | inl g =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le g
    have hk : k < rest := lt_of_add_lt (by rw [sum]; exact hc)
    have z := h2.2 row lane k hr hl hk
    rw [pattern_high row lane k half rest columns weights] at z
    exact z
  | inr g =>
    have z := h1.2 row lane column hr hl g
    rw [pattern_low (a := a) (columns := columns) hr hl g] at z
    exact z

theorem tiles_right :
    (fuel columns weights : Nat) → (lanes : List (List Column)) →
    tiles a d fuel columns weights = some lanes → Right (columnsOf a columns weights) d lanes
  | 0, _, _, _, h => whole_right h
  | fuel + 1, columns, weights, lanes, h => by
    rw [tiles_succ] at h
    cases c : Nat.ble (a.lanes * a.rows * columns) tileSize with
    | true => rw [c] at h; exact whole_right h
    | false =>
      rw [c] at h
      have sum : columns / 2 + (columns - columns / 2) = columns := by
        rw [Nat.add_comm]; exact Natural.sub_add_cancel (halves_le columns)
      generalize columns / 2 = half at *
      cases h1 : tiles a d fuel half
          (weights - weights / 2 ^ (32 * (a.lanes * a.rows * half)) * 2 ^ (32 * (a.lanes * a.rows * half)))
          with
      | none => rw [h1] at h; cases h
      | some first =>
        cases h2 : tiles a d fuel (columns - half) (weights / 2 ^ (32 * (a.lanes * a.rows * half))) with
        | none => rw [h1, h2] at h; cases h
        | some second =>
          rw [h1, h2] at h
          have h : some (abreast first second) = some lanes := h
          injection h with h
          rw [← h]
          exact both_right sum (tiles_right fuel half _ first h1)
            (tiles_right fuel (columns - half) _ second h2)
end Decode

/-- What `decode` returns are the weights' values. -/
theorem decode_sound {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : decode a d = some lanes) :
    LanesHold a d 0 lanes :=
  (Decode.tiles_right 64 a.laneColumns a.weights lanes h).1

/-- `decode` refuses infinities and NaN. -/
theorem decode_finite {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : decode a d = some lanes)
    {row lane column : Nat} (hr : row < a.rows) (hl : lane < a.lanes) (hc : column < a.laneColumns) :
    Binary32.exponent (a.pattern row lane column) ≠ 255 :=
  (Decode.tiles_right 64 a.laneColumns a.weights lanes h).2 row lane column hr hl hc

end PytestTorchLean
