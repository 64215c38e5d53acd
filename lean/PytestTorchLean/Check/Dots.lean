prelude
import PytestTorchLean.Check.Tiles
/-!
# All rows of a grid times a vector, in tiles

Times a vector in reverse order, one digit of every row of the product is the sum of the products of entries,
as in a product of polynomials. With tiles of `c` columns the multiplications are short: `pieces` cuts a grid
into narrow ones, once; `dot` multiplies all of them by a vector.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

theorem total_le_total {n : Nat} {f g : Nat → Nat} (h : ∀ j, j < n → f j ≤ g j) : total n f ≤ total n g := by
  induction n generalizing f g with
  | zero => exact Nat.le.refl
  | succ n ih =>
    exact Nat.add_le_add (h 0 (Nat.succ_le_succ (Nat.zero_le n)))
      (ih fun j hj => h (j + 1) (Nat.succ_le_succ hj))
theorem sub_add_left (c z i : Nat) : c + z - (c + i) = z - i := by
  induction c with
  | zero => rw [Nat.zero_add, Nat.zero_add]
  | succ c ih => rw [Nat.succ_add, Nat.succ_add, Nat.succ_sub_succ, ih]

/-! ### Products of packed vectors -/

/-- `x`, moved up by `i` places. -/
def moved (x : Nat → Nat) (i t : Nat) : Nat := cond (Nat.ble i t) (x (t - i)) 0
theorem moved_up (x : Nat → Nat) (i t : Nat) : moved x i (i + t) = x t := by
  unfold moved
  rw [Nat.ble_eq_true_of_le (Nat.le_add_right i t), Natural.add_sub_cancel_left]; rfl
theorem moved_below (x : Nat → Nat) {i t : Nat} (h : t < i) : moved x i t = 0 := by
  unfold moved
  rw [Memory.ble_false_of_lt h]; rfl
theorem moved_le {x : Nat → Nat} {a : Nat} (h : ∀ t, x t ≤ a) (i t : Nat) : moved x i t ≤ a := by
  cases le_or_lt i t with
  | inl g => obtain ⟨k, rfl⟩ := Nat.exists_of_le g; rw [moved_up]; exact h k
  | inr g => rw [moved_below x g]; exact Nat.zero_le a
theorem pack_moved {b M n : Nat} (x : Nat → Nat) {i : Nat} (hi : i ≤ n) :
    2 ^ (b * i) * pack b M (upTo M x) = pack b (M + n) (moved (upTo M x) i) := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le hi
  have e : M + (i + k) = i + (M + k) := Nat.add_left_comm M i k
  rw [e, pack_append, pack_congr (g := fun _ => 0) (fun t ht => moved_below (upTo M x) ht), pack_zero,
      Nat.zero_add]
  have z : (fun t => moved (upTo M x) i (i + t)) = upTo M x := funext fun t => moved_up _ i t
  rw [z, pack_upTo Nat.le.refl, pack_upTo (Nat.le_add_right M k)]
/-- The digits of a product of packed vectors. -/
theorem pack_mul_pack (b M : Nat) (x : Nat → Nat) (n : Nat) :
    (m : Nat) → (i : Nat) → (v : Nat → Nat) → i + m ≤ n →
    2 ^ (b * i) * (pack b M x * pack b m v) =
      pack b (M + n) (fun t => total m (fun j => v j * moved (upTo M x) (i + j) t))
  | 0, i, v, _ => (pack_zero b (M + n)).symm
  | m + 1, i, v, h => by
    have next : i + 1 + m ≤ n := by rw [Nat.add_assoc, Nat.add_comm 1]; exact h
    have ih := pack_mul_pack b M x n m (i + 1) (fun j => v (j + 1)) next
    have first := pack_moved (b := b) (M := M) (n := n) x (Nat.le_trans (Nat.le_add_right i (m + 1)) h)
    rw [pack_upTo Nat.le.refl] at first
    have e : ∀ t, total (m + 1) (fun j => v j * moved (upTo M x) (i + j) t) =
        v 0 * moved (upTo M x) i t + total m (fun j => v (j + 1) * moved (upTo M x) (i + 1 + j) t) :=
            fun t => by
      show v 0 * moved (upTo M x) (i + 0) t +
        total m (fun j => v (j + 1) * moved (upTo M x) (i + (j + 1)) t) = _
      have e2 : ∀ j, i + (j + 1) = i + 1 + j := fun j => by rw [Nat.add_assoc, Nat.add_comm 1]
      rw [total_congr (n := m) fun j _ => by rw [e2 j]]
      rfl
    rw [pack_congr fun t _ => e t, pack_add, pack_mul, ← ih, ← first, pack_succ, Nat.mul_add, Nat.mul_add]
    have power : 2 ^ (b * (i + 1)) = 2 ^ (b * i) * 2 ^ b := by rw [Nat.mul_succ, Natural.pow_add]
    rw [power]
    simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]

/-! ### Pieces -/

/-- The columns `c * t`, ..., `c * t + c - 1` as narrow grids, for `t` from `count - 1` down to 0. -/
def pieces (b w c R levels x count : Nat) : List Nat :=
  Nat.rec (motive := fun _ => List Nat) []
    (fun t rest => force (fun y => y :: rest) (closer b w c levels (piece b w c R x t))) count
theorem pieces_succ (b w c R levels x t : Nat) :
    pieces b w c R levels x (t + 1) =
    closer b w c levels (piece b w c R x t) :: pieces b w c R levels x t := by
  show force (fun y => y :: pieces b w c R levels x t) (closer b w c levels (piece b w c R x t)) = _
  rw [force_eq]

/-- The first piece times the `c` lowest digits of `v`, and so on. -/
def piecesTimes (b c : Nat) (ys : List Nat) : Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun y _ rest v => Nat.add (Nat.mul y (Nat.land v (Nat.sub (Nat.pow 2 (Nat.mul b c)) 1)))
        (force rest (Nat.shiftRight v (Nat.mul b c)))) ys
theorem piecesTimes_cons (b c y : Nat) (ys : List Nat) (v : Nat) :
    piecesTimes b c (y :: ys) v =
    y * Nat.land v (2 ^ (b * c) - 1) + piecesTimes b c ys (Nat.shiftRight v (b * c)) := by
  show _ + force (piecesTimes b c ys) (Nat.shiftRight v (b * c)) = _
  rw [force_eq]; rfl

/-- Digit `p` of the sum of the products. -/
def overlap (c R : Nat) (f : Nat → Nat → Nat) : Nat → (Nat → Nat) → Nat → Nat
  | 0, _, _ => 0
  | t + 1, v, p => total c (fun i => v i * moved (upTo (c * R) (flat c c fun r j => f r (c * t + j))) i p) +
      overlap c R f t (fun i => v (c + i)) p

theorem overlap_le {c R a : Nat} {f : Nat → Nat → Nat} (hf : ∀ r, r < R → ∀ j, f r j ≤ a) :
    (t : Nat) → (v : Nat → Nat) → (p : Nat) → overlap c R f t v p ≤ total (c * t) v * a
  | 0, _, _ => Nat.zero_le _
  | t + 1, v, p => by
    have ih := overlap_le (c := c) hf t (fun i => v (c + i)) p
    have below : ∀ q, upTo (c * R) (flat c c fun r j => f r (c * t + j)) q ≤ a := fun q => by
      cases le_or_lt (c * R) q with
      | inl g => rw [upTo_new _ g]; exact Nat.zero_le a
      | inr g =>
        rw [upTo_old _ g]
        exact flat_all (P := fun x => x ≤ a) (Nat.zero_le a) (fun r hr j _ => hf r hr _) q g
    have first : total c (fun i => v i * moved (upTo (c * R) (flat c c fun r j => f r (c * t + j))) i p) ≤
        total c v * a := by
      rw [Nat.mul_comm (total c v) a, ← total_mul]
      exact total_le_total
          fun i _ => by rw [Nat.mul_comm a]; exact Nat.mul_le_mul Nat.le.refl (moved_le below i p)
    have size : c * (t + 1) = c + c * t := by rw [Nat.mul_succ, Nat.add_comm]
    rw [size, total_split, Nat.add_mul]
    exact Nat.add_le_add first ih
theorem overlap_last {c R r : Nat} {f : Nat → Nat → Nat} (hr : r < R) : (t : Nat) → (v : Nat → Nat) →
    overlap c R f t v (c * r + (c - 1)) = total (c * t) (fun j => v j * f r (c * t - 1 - j))
  | 0, _ => rfl
  | t + 1, v => by
    have ih := overlap_last (c := c) (f := f) hr t (fun i => v (c + i))
    have size : c * (t + 1) = c + c * t := by rw [Nat.mul_succ, Nat.add_comm]
    show total c _ + overlap c R f t (fun i => v (c + i)) (c * r + (c - 1)) = _
    rw [ih, size, total_split]
    have same : ∀ {x y x' y' : Nat}, x = x' → y = y' → x + y = x' + y' := fun h g => by rw [h, g]
    refine same (total_congr fun i hi => ?_) (total_congr fun i _ => ?_)
    · obtain ⟨k, rfl⟩ := Nat.exists_of_le hi
      have e1 : i + 1 + k - 1 = i + k :=
        sub_eq_of_add_eq (by rw [Nat.add_assoc, Nat.add_comm k 1, ← Nat.add_assoc])
      have e2 : (i + 1 + k) * r + (i + 1 + k - 1) = i + ((i + 1 + k) * r + k) := by rw [e1, Nat.add_left_comm]
      have lt : k < i + 1 + k := by rw [Natural.add_right_comm]; exact Nat.succ_le_succ (Nat.le_add_left k i)
      have place : (i + 1 + k) * r + k < (i + 1 + k) * R := by rw [Nat.add_comm]; exact add_mul_lt lt hr
      rw [e2, moved_up, upTo_old _ place, flat_at _ r lt, Memory.splice_old _ _ lt]
      have e3 : i + 1 + k + (i + 1 + k) * t - 1 - i = (i + 1 + k) * t + k := by
        generalize (i + 1 + k) * t = z
        have e : i + 1 + k + z - 1 = i + (z + k) :=
          sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
        rw [e, Natural.add_sub_cancel_left]
      rw [e3]
    · have e : ∀ z, c + z - 1 - (c + i) = z - 1 - i := fun z => by
        cases z with
        | zero =>
          exact (Nat.sub_eq_zero_of_le (Nat.le_trans (Natural.sub_le _ _) (Nat.le_add_right c i))).trans
            (Nat.sub_eq_zero_of_le (Nat.le_trans (Natural.sub_le 0 1) (Nat.zero_le i))).symm
        | succ z =>
          have e1 : c + (z + 1) - 1 = c + z := sub_eq_of_add_eq rfl
          have e2 : z + 1 - 1 = z := rfl
          rw [e1, e2, sub_add_left]
      rw [e]

/-- The pieces times a vector: `overlap` digit by digit. -/
theorem piecesTimes_eq {b w c R levels : Nat} {f : Nat → Nat → Nat} (hb : 0 < b) (hc : 0 < c)
    (hl : R ≤ 2 ^ levels) (hf : ∀ r, r < R → ∀ j, j < w → f r j < 2 ^ b) :
    (t : Nat) → (v : Nat → Nat) → c * t ≤ w → (∀ i, i < c * t → v i < 2 ^ b) →
    piecesTimes b c (pieces b w c R levels (grid b w w R f) t) (pack b (c * t) v) =
      pack b (c * R + c) (overlap c R f t v)
  | 0, _, _, _ => (pack_zero b _).symm
  | t + 1, v, ht, hv => by
    have size : c * (t + 1) = c + c * t := by rw [Nat.mul_succ, Nat.add_comm]
    have here : c * t + c ≤ w := ht
    have wide : c ≤ w := Nat.le_trans (Nat.le_add_left c _) here
    have vlow : ∀ i,
      i < c → v i < 2 ^ b := fun i hi => hv i (by rw [size]; exact Nat.le_trans hi (Nat.le_add_right _ _))
    have vhigh : ∀ i, i < c * t → v (c + i) < 2 ^ b :=
      fun i hi => hv (c + i) (by rw [size]; exact Nat.add_le_add (Nat.le.refl (n := c)) hi)
    have ih :=
      piecesTimes_eq hb hc hl hf t (fun i => v (c + i)) (Nat.le_trans (Nat.le_add_right _ c) here) vhigh
    have small : ∀ r, r < R → ∀ j, j < c → f r (c * t + j) < 2 ^ b := fun r hr j hj =>
      hf r hr _ (lt_of_lt_of_le (Nat.add_le_add (Nat.le.refl (n := c * t)) hj) here)
    have close : closer b w c levels (grid b w c R (fun r j => f r (c * t + j))) =
        grid b c c R (fun r j => f r (c * t + j)) :=
      closer_eq hb hc wide hl (fun r hr => pack_lt (small r hr))
    have product :=
      pack_mul_pack b (c * R) (flat c c fun r j => f r (c * t + j)) c c 0 v (le_of_eq (Nat.zero_add c))
    have one : 2 ^ (b * 0) = 1 := rfl
    rw [one, Natural.one_mul] at product
    rw [pieces_succ, piecesTimes_cons, piece_eq hb hc here hf, close, size, land_pack_append vlow,
        shift_pack_append vlow, ih, grid_flat Nat.le.refl, product, ← pack_add]
    refine pack_congr fun p _ => ?_
    show total c _ + _ = total c _ + _
    rw [total_congr (n := c) (f := fun j => v j * moved _ (0 + j) p) fun j _ => by rw [Nat.zero_add]]

/-- Every row of the grid that was cut into `pieces` (of `count * c` columns) times the reversed vector `v` of
    `n` digits; the results are `c` digits apart. -/
def dot (b c R n count v : Nat) (ys : List Nat) : Nat :=
  column b c R (piecesTimes b c ys (Nat.shiftLeft v (Nat.mul b (Nat.sub (Nat.mul c count) n)))) (Nat.sub c 1)
theorem dot_eq {b w n c R levels count a d : Nat} {f : Nat → Nat → Nat} {v : Nat → Nat}
    (hb : 0 < b)
    (hc : 0 < c)
    (hl : R ≤ 2 ^ levels)
    (hn : n ≤ c * count)
    (hw : c * count ≤ w)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j ≤ a)
    (hv : ∀ j, j < n → v j ≤ d)
    (ha : a < 2 ^ b)
    (hd : d < 2 ^ b)
    (fits : n * (a * d) < 2 ^ b) :
    dot b c R n count (pack b n v) (pieces b w c R levels (grid b w n R f) count) =
    side b c R (fun r => total n (fun j => f r (n - 1 - j) * v j)) := by
  obtain ⟨pad, hp⟩ := Nat.exists_of_le hn
  have whole : grid b w n R f = grid b w w R (fun r => upTo n (f r)) :=
    pack_congr fun r _ => (pack_upTo (Nat.le_trans hn hw) (f r)).symm
  have fa : ∀ r, r < R → ∀ j, upTo n (f r) j ≤ a := fun r hr j => by
    cases le_or_lt n j with
    | inl g => rw [upTo_new _ g]; exact Nat.zero_le a
    | inr g => rw [upTo_old _ g]; exact hf r hr j g
  have up :
      (pack b n v).shiftLeft (b.mul ((c.mul count).sub n)) = pack b (c * count) (moved (upTo n v) pad) := by
    have e : (c.mul count).sub n = pad := by show c * count - n = pad; rw [hp, Natural.add_sub_cancel_left]
    rw [e, hp, ← pack_moved (b := b) (M := n) v (Nat.le.refl (n := pad)), pack_upTo Nat.le.refl, Nat.mul_comm]
    rfl
  have vd : ∀ i, moved (upTo n v) pad i ≤ d := moved_le (fun j => by
    cases le_or_lt n j with
    | inl g => rw [upTo_new _ g]; exact Nat.zero_le d
    | inr g => rw [upTo_old _ g]; exact hv j g) pad
  have order : c * count = pad + n := by rw [hp, Nat.add_comm]
  have padded : ∀ g : Nat → Nat, total (c * count) (fun j => moved (upTo n v) pad j * g j) =
      total n (fun j => v j * g (pad + j)) := fun g => by
    rw [order, total_split, total_zero (n := pad) (fun j hj => by rw [moved_below _ hj, Nat.zero_mul]),
        Nat.zero_add]
    exact total_congr fun j hj => by rw [moved_up, upTo_old _ hj]
  have sum : total (c * count) (moved (upTo n v) pad) * a < 2 ^ b := by
    have e := padded (fun _ => 1)
    rw [total_congr (n := c * count) fun j _ => Natural.mul_one _] at e
    rw [e]
    have bound : total n (fun j => v j * 1) ≤ n * d :=
        total_le fun j hj => by rw [Natural.mul_one]; exact hv j hj
    refine lt_of_le_of_lt (Nat.mul_le_mul bound (Nat.le.refl (n := a))) ?_
    rw [Nat.mul_assoc, Nat.mul_comm d]; exact fits
  have digits : ∀ p, overlap c R (fun r => upTo n (f r)) count (moved (upTo n v) pad) p < 2 ^ b :=
    fun p => lt_of_le_of_lt (overlap_le fa count _ p) sum
  have last : c - 1 < c := le_of_eq (succ_pred hc)
  have narrow : ∀ r, r < R →
    digit b (pack b (c * R + c) (overlap c R (fun r => upTo n (f r)) count (moved (upTo n v) pad)))
      (c * r + (c - 1)) =
      total n (fun j => f r (n - 1 - j) * v j) := fun r hr => by
    have place : c * r + (c - 1) < c * R := by rw [Nat.add_comm]; exact add_mul_lt last hr
    rw [digit_pack (fun p _ => digits p) (Nat.le_trans place (Nat.le_add_right _ _)), overlap_last hr, padded]
    refine total_congr fun j hj => ?_
    obtain ⟨k, rfl⟩ := Nat.exists_of_le hj
    have e1 : c * count - 1 - (pad + j) = k := by
      have e : c * count - 1 = pad + j + k := sub_eq_of_add_eq (by
        rw [order]
        show pad + j + k + 1 = pad + (j + 1 + k)
        rw [Natural.add_right_comm j 1 k]; simp only [Nat.add_assoc])
      rw [e, Natural.add_sub_cancel_left]
    have e2 : j + 1 + k - 1 - j = k := by
      have e : j + 1 + k - 1 = j + k :=
        sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
      rw [e, Natural.add_sub_cancel_left]
    have lt : k < j + 1 + k := by rw [Natural.add_right_comm]; exact Nat.succ_le_succ (Nat.le_add_left k j)
    rw [e1, e2, upTo_old _ lt, Nat.mul_comm]
  unfold dot
  rw [up, whole, piecesTimes_eq hb hc hl (fun r hr j _ => lt_of_le_of_lt (fa r hr j) ha) count _ hw
      (fun i _ => lt_of_le_of_lt (vd i) hd)]
  show column b c R _ (c - 1) = _
  rw [column_digit hb hc, side_congr narrow]

end Matrix
end PytestTorchLean
