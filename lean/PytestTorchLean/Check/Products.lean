prelude
import PytestTorchLean.Check.Matrix
import PytestTorchLean.Check.Weigh
/-!
# Products of packed matrices

`multiply` multiplies two vectors digit by digit, one bit of the second at a time. With it the columns of a
matrix are scaled; `combine` replaces every row of a matrix by the combination of weight rows it describes.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

/-! ### Digit by digit -/

/-- `x i * v i` for all digits, `m` of them, those of `v` below `2^bits`. -/
def multiply (b m bits x v : Nat) : Nat :=
  force (fun u => Nat.rec (motive := fun _ => Nat) 0
    (fun t before => Nat.add before (Nat.mul (Nat.pow 2 t)
      (Nat.land x (Nat.mul (Nat.sub (Nat.pow 2 b) 1) (Nat.land (Nat.shiftRight v t) u))))) bits) (ones b m)
theorem bit_pack {b m t : Nat} {v : Nat → Nat} (hb : 0 < b) (hv : ∀ i, i < m → v i < 2 ^ b) (ht : t < b) :
    Nat.land (Nat.shiftRight (pack b m v) t) (ones b m) = pack b m (fun i => v i / 2 ^ t % 2 ^ 1) := by
  rw [ones_eq hb, land_mask _ (fun _ _ => one_lt_two_pow hb)]
  refine pack_congr fun i hi => ?_
  have low := land_low (digit b (Nat.shiftRight (pack b m v) t) i) 1
  refine low.trans ?_
  show pack b m v / 2 ^ t / 2 ^ (b * i) % 2 ^ b % 2 ^ 1 = _
  rw [mod_mod (Nat.le_trans (Nat.succ_le_succ (Nat.zero_le t)) ht), shift_shift, Nat.add_comm, ← shift_shift]
  obtain ⟨c, rfl⟩ := Nat.exists_of_le ht
  have d := digit_pack hv hi
  rw [← d]
  show _ = pack (t + 1 + c) m v / 2 ^ ((t + 1 + c) * i) % 2 ^ (t + 1 + c) / 2 ^ t % 2 ^ 1
  generalize pack (t + 1 + c) m v / 2 ^ ((t + 1 + c) * i) = y
  have e : t + 1 + c = t + (1 + c) := Nat.add_assoc t 1 c
  rw [e]
  obtain ⟨q, r, rfl, h⟩ := euclid (two_pow_pos t) y
  obtain ⟨q2, r2, rfl, h2⟩ := euclid (two_pow_pos (1 + c)) q
  rw [add_mul_div _ h, Nat.mul_add, ← Nat.add_assoc, ← Nat.mul_assoc, ← Natural.pow_add, add_mul_mod, add_mul_div _ h]
  · have z := mod_mod (Nat.le_add_right 1 c) (r2 + 2 ^ (1 + c) * q2)
    rw [add_mul_mod _ h2] at z; exact z.symm
  · rw [Natural.pow_add]; exact add_mul_lt h h2
theorem multiply_eq {b m bits : Nat} {x v : Nat → Nat} (hb : 0 < b) (hbits : bits ≤ b) (hx : ∀ i, i < m → x i < 2 ^ b)
    (hv : ∀ i, i < m → v i < 2 ^ bits) : multiply b m bits (pack b m x) (pack b m v) = pack b m (fun i => x i * v i) := by
  have step : (t : Nat) → t ≤ bits → Nat.rec (motive := fun _ => Nat) 0
      (fun t before => Nat.add before (Nat.mul (Nat.pow 2 t)
        (Nat.land (pack b m x) (Nat.mul (Nat.sub (Nat.pow 2 b) 1) (Nat.land (Nat.shiftRight (pack b m v) t) (ones b m)))))) t
      = pack b m (fun i => x i * (v i % 2 ^ t)) := by
    intro t
    induction t with
    | zero =>
      intro _
      refine (pack_zero b m).symm.trans (pack_congr fun i _ => ?_)
      rw [eq_zero_of_lt_one (mod_lt (two_pow_pos 0) (v i))]; rfl
    | succ t ih =>
      intro ht
      show _ + 2 ^ t * Nat.land (pack b m x) ((2 ^ b - 1) * Nat.land (Nat.shiftRight (pack b m v) t) (ones b m)) = _
      rw [ih (Nat.le_trans (Nat.le.step Nat.le.refl) ht), bit_pack hb (fun i hi => lt_of_lt_of_le (hv i hi) (two_pow_le hbits))
        (Nat.le_trans ht hbits)]
      have s := Decode.select_pack (q := x) Nat.le.refl (fun i _ => Decode.bit_le (v i / 2 ^ t)) hx
      have s' : Nat.land (pack b m x) ((2 ^ b - 1) * pack b m (fun i => v i / 2 ^ t % 2 ^ 1)) = _ := s
      rw [s', ← pack_mul, ← pack_add]
      refine pack_congr fun i _ => ?_
      show _ = x i * (v i % 2 ^ (t + 1))
      rw [Decode.mod_pow_succ (v i) t, Nat.mul_add]
      simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
  unfold multiply
  rw [force_eq]
  exact (step bits Nat.le.refl).trans (pack_congr fun i hi => by rw [mod_eq_self (hv i hi)])

/-- Column `j` of a grid times digit `j` of `v`, which is below `2^bits`. -/
def scaleColumns (b w n R bits x v : Nat) : Nat :=
  force (fun size => force (multiply b size bits x) (Nat.mul v (ones (Nat.mul b w) R))) (Nat.mul w R)
theorem scaleColumns_eq {b w n R bits : Nat} {f : Nat → Nat → Nat} {v : Nat → Nat} (hw : n ≤ w) (hb : 0 < b) (hbits : bits ≤ b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) (hv : ∀ j, j < n → v j < 2 ^ bits) :
    scaleColumns b w n R bits (grid b w n R f) (pack b n v) = grid b w n R (fun r j => f r j * v j) := by
  unfold scaleColumns
  rw [force_eq, force_eq]
  cases le_or_lt 1 w with
  | inr h =>
    have hz := eq_zero_of_lt_one h
    subst hz
    have z := eq_zero_of_le_zero hw
    subst z
    rw [grid_flat Nat.le.refl, grid_flat Nat.le.refl, Nat.zero_mul]
    show multiply b (0 * R) bits 0 (0 * _) = 0
    rw [Nat.zero_mul, Nat.zero_mul]
    exact multiply_eq (x := fun _ => 0) (v := fun _ => 0) hb hbits (fun _ _ => two_pow_pos b) (fun _ _ => two_pow_pos bits)
  | inl hp =>
    have e : Nat.mul (pack b n v) (ones (Nat.mul b w) R) = grid b w n R (fun _ j => v j) := repeat_pack (Nat.mul_pos hb hp) n R v
    rw [e, grid_flat hw, grid_flat hw, grid_flat hw]
    refine (multiply_eq hb hbits (flat_lt hf) (flat_lt fun _ _ j hj => hv j hj)).trans ?_
    exact pack_congr fun i _ => (flat_map w n (fun a c => a * c) rfl f (fun _ j => v j) i).symm
/-! ### Rows combined by the entries of other rows -/

/-- For every row of the matrices `p` and `q`: the sum over `j` of entry `j` of the row of `p` times the positive part of
    weight row `j`, and of entry `j` of the row of `q` times the negative part. Here for the weight rows from `j` on. -/
def combineFrom (b w R : Nat) (rows : List Column) : Nat → Nat → Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat → Nat → Nat) (fun _ _ _ => 0)
    (fun c _ rest p q j => Column.rec (motive := fun _ => Nat) (fun positive negative =>
      Nat.add (Nat.add (Nat.mul (column b w R p j) positive) (Nat.mul (column b w R q j) negative))
        (force (rest p q) (Nat.add j 1))) c) rows
def combine (b w R : Nat) (rows : List Column) (p q : Nat) : Nat := combineFrom b w R rows p q 0
theorem combineFrom_cons (b w R : Nat) (c : Column) (cs : List Column) (p q j : Nat) :
    combineFrom b w R (c :: cs) p q j = column b w R p j * c.positive + column b w R q j * c.negative + combineFrom b w R cs p q (j + 1) := by
  show _ + _ + force (combineFrom b w R cs p q) (Nat.add j 1) = _
  rw [force_eq]; rfl
theorem combineFrom_eq {b w n R m bound : Nat} {p q : Nat → Nat → Nat} (hw : n ≤ w) (hb : 0 < b)
    (hp : ∀ r, r < R → ∀ j, j < n → p r j < 2 ^ b) (hq : ∀ r, r < R → ∀ j, j < n → q r j < 2 ^ b) :
    (cs : List Column) → (ds : List Digits) → (j : Nat) → Packed b m bound cs ds → j + cs.length ≤ n →
    combineFrom b w R cs (grid b w n R p) (grid b w n R q) j =
      grid b w m R (fun r => Compose.weighted ds (fun k => p r (j + k)) (fun k => q r (j + k)))
  | [], [], _, _, _ => (grid_zero b w m R).symm
  | c :: cs, d :: ds, j, h, hj => by
    obtain ⟨⟨h1, h2, _⟩, ht⟩ := h
    have next : j + 1 + cs.length ≤ n := by
      rw [Nat.add_assoc, Nat.add_comm 1]; exact hj
    have here : j < n := Nat.le_trans (Nat.le_add_right (j + 1) cs.length) next
    rw [combineFrom_cons, column_eq hw hb hp here, column_eq hw hb hq here, h1, h2, side_mul_pack, side_mul_pack,
      combineFrom_eq hw hb hp hq cs ds (j + 1) ht next, ← grid_add, ← grid_add]
    refine grid_congr fun r _ i _ => ?_
    have e : ∀ k, j + 1 + k = j + (k + 1) := fun k => by rw [Nat.add_assoc, Nat.add_comm 1]
    have e1 : (fun k => p r (j + 1 + k)) = fun k => p r (j + (k + 1)) := funext fun k => by rw [e]
    have e2 : (fun k => q r (j + 1 + k)) = fun k => q r (j + (k + 1)) := funext fun k => by rw [e]
    rw [e1, e2]
    rfl
  | [], _ :: _, _, h, _ => h.elim
  | _ :: _, [], _, h, _ => h.elim
/-- Row `r` of the result is the row `sum_j (p r j * positive j + q r j * negative j)`. -/
theorem combine_eq {b w n R m bound : Nat} {p q : Nat → Nat → Nat} {cs : List Column} {ds : List Digits} (hw : n ≤ w) (hb : 0 < b)
    (hp : ∀ r, r < R → ∀ j, j < n → p r j < 2 ^ b) (hq : ∀ r, r < R → ∀ j, j < n → q r j < 2 ^ b)
    (h : Packed b m bound cs ds) (hn : cs.length ≤ n) :
    combine b w R cs (grid b w n R p) (grid b w n R q) = grid b w m R (fun r => Compose.weighted ds (p r) (q r)) := by
  refine (combineFrom_eq hw hb hp hq cs ds 0 h (by rw [Nat.zero_add]; exact hn)).trans (grid_congr fun r _ i _ => ?_)
  have e : ∀ f : Nat → Nat, (fun k => f (0 + k)) = f := fun f => funext fun k => by rw [Nat.zero_add]
  rw [e, e]

/-! ### Rows times a vector -/

/-- `f 0 + ... + f (n - 1)` -/
def total : Nat → (Nat → Nat) → Nat
  | 0, _ => 0
  | n + 1, f => f 0 + total n (fun j => f (j + 1))

theorem total_congr {n : Nat} {f g : Nat → Nat} (h : ∀ j, j < n → f j = g j) : total n f = total n g := by
  induction n generalizing f g with
  | zero => rfl
  | succ n ih =>
    show f 0 + total n _ = g 0 + total n _
    rw [h 0 (Nat.succ_le_succ (Nat.zero_le n)), ih fun j hj => h (j + 1) (Nat.succ_le_succ hj)]
theorem total_zero {n : Nat} {f : Nat → Nat} (h : ∀ j, j < n → f j = 0) : total n f = 0 := by
  induction n generalizing f with
  | zero => rfl
  | succ n ih =>
    show f 0 + total n _ = 0
    rw [h 0 (Nat.succ_le_succ (Nat.zero_le n)), ih fun j hj => h (j + 1) (Nat.succ_le_succ hj)]
theorem total_add (n : Nat) (f g : Nat → Nat) : total n (fun j => f j + g j) = total n f + total n g := by
  induction n generalizing f g with
  | zero => rfl
  | succ n ih =>
    show f 0 + g 0 + total n (fun j => f (j + 1) + g (j + 1)) = f 0 + total n _ + (g 0 + total n _)
    rw [ih, Nat.add_add_add_comm]
theorem total_mul (n c : Nat) (f : Nat → Nat) : total n (fun j => c * f j) = c * total n f := by
  induction n generalizing f with
  | zero => rfl
  | succ n ih =>
    show c * f 0 + total n (fun j => c * f (j + 1)) = c * (f 0 + total n _)
    rw [ih, Nat.mul_add]
theorem total_le {n bound : Nat} {f : Nat → Nat} (h : ∀ j, j < n → f j ≤ bound) : total n f ≤ n * bound := by
  induction n generalizing f with
  | zero => exact Nat.zero_le _
  | succ n ih =>
    show f 0 + total n _ ≤ (n + 1) * bound
    rw [Nat.succ_mul, Nat.add_comm (n * bound)]
    exact Nat.add_le_add (h 0 (Nat.succ_le_succ (Nat.zero_le n))) (ih fun j hj => h (j + 1) (Nat.succ_le_succ hj))

/-- `sum_j x r j * v j` for every row `r`, the digits of `v` from `j` on. -/
def dotsFrom (b w R x n : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ _ => 0)
    (fun _ rest j v => Nat.add (Nat.mul (column b w R x j) (Nat.land v (Nat.sub (Nat.pow 2 b) 1)))
      (force (fun j' => force (rest j') (Nat.shiftRight v b)) (Nat.add j 1))) n
def dots (b w R n x v : Nat) : Nat := dotsFrom b w R x n 0 v
theorem dotsFrom_succ (b w R x n j v : Nat) :
    dotsFrom b w R x (n + 1) j v = column b w R x j * Nat.land v (2 ^ b - 1) + dotsFrom b w R x n (j + 1) (Nat.shiftRight v b) := by
  show _ + force (fun j' => force (dotsFrom b w R x n j') (Nat.shiftRight v b)) (Nat.add j 1) = _
  rw [force_eq, force_eq]; rfl
theorem dotsFrom_eq {b w n R : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w) (hb : 0 < b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) : (c j : Nat) → (v : Nat → Nat) → (∀ k, k < c → v k < 2 ^ b) → j + c ≤ n →
    dotsFrom b w R (grid b w n R f) c j (pack b c v) = side b w R (fun r => total c (fun k => f r (j + k) * v k))
  | 0, _, _, _, _ => (side_zero b w R).symm
  | c + 1, j, v, hv, hj => by
    have next : j + 1 + c ≤ n := by rw [Nat.add_assoc, Nat.add_comm 1]; exact hj
    have here : j < n := Nat.le_trans (Nat.le_add_right (j + 1) c) next
    have v0 := hv 0 (Nat.succ_le_succ (Nat.zero_le c))
    rw [dotsFrom_succ, column_eq hw hb hf here, land_pack_succ v0, shift_pack_succ v0,
      dotsFrom_eq hw hb hf c (j + 1) (fun k => v (k + 1)) (fun k hk => hv (k + 1) (Nat.succ_le_succ hk)) next,
      Nat.mul_comm, ← side_mul, ← side_add]
    refine side_congr fun r _ => ?_
    have e : (fun k => f r (j + 1 + k) * v (k + 1)) = fun k => f r (j + (k + 1)) * v (k + 1) := funext fun k => by
      rw [Nat.add_assoc, Nat.add_comm 1]
    rw [e, Nat.mul_comm]
    rfl
theorem dots_eq {b w n R : Nat} {f : Nat → Nat → Nat} {v : Nat → Nat} (hw : n ≤ w) (hb : 0 < b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) (hv : ∀ j, j < n → v j < 2 ^ b) :
    dots b w R n (grid b w n R f) (pack b n v) = side b w R (fun r => total n (fun j => f r j * v j)) := by
  refine (dotsFrom_eq hw hb hf n 0 v hv (le_of_eq (Nat.zero_add n))).trans (side_congr fun r _ => ?_)
  have e : (fun k => f r (0 + k) * v k) = fun k => f r k * v k := funext fun k => by rw [Nat.zero_add]
  rw [e]

/-! ### Ones on a diagonal -/

/-- `n` rows; row `r` has the digit 1 in place `off + r`, elsewhere 0. -/
def unit (b w off n : Nat) : Nat := Nat.mul (Nat.pow 2 (Nat.mul b off)) (ones (Nat.add (Nat.mul b w) b) n)
/-- 1 in place `i`, 0 elsewhere. -/
def indicator (i j : Nat) : Nat := cond (Nat.beq i j) 1 0
theorem pack_indicator (b : Nat) : (i m : Nat) → i < m → pack b m (indicator i) = 2 ^ (b * i)
  | _, 0, h => absurd h (Nat.not_succ_le_zero _)
  | 0, m + 1, _ => by
    show 1 + 2 ^ b * pack b m (fun _ => 0) = 1
    rw [pack_zero]; rfl
  | i + 1, m + 1, h => by
    show 0 + 2 ^ b * pack b m (indicator i) = 2 ^ (b * i + b)
    rw [pack_indicator b i m (Nat.le_of_succ_le_succ h), Nat.zero_add, Natural.pow_add, Nat.mul_comm]
theorem pack_powers (c b n : Nat) : pack c n (fun r => 2 ^ (b * r)) = pack (c + b) n (fun _ => 1) := by
  induction n with
  | zero => rfl
  | succ n ih =>
    have e : (fun i => 2 ^ (b * (i + 1))) = fun i => 2 ^ b * 2 ^ (b * i) := funext fun i => by
      rw [Nat.mul_succ, Natural.pow_add, Nat.mul_comm]
    rw [pack_succ, pack_succ, ← ih, e, pack_mul, Natural.pow_add, Nat.mul_assoc]
    rfl
theorem unit_eq {b w off n m : Nat} (hb : 0 < b) (hm : off + n ≤ m) :
    unit b w off n = grid b w m n (fun r j => indicator (off + r) j) := by
  show 2 ^ (b * off) * ones (b * w + b) n = pack (b * w) n (fun r => pack b m (indicator (off + r)))
  rw [ones_eq (lt_of_lt_of_le hb (Nat.le_add_left b _)), ← pack_powers, ← pack_mul]
  refine pack_congr fun r hr => ?_
  have here : off + r < m := Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := off)) hr) hm
  show 2 ^ (b * off) * 2 ^ (b * r) = _
  rw [pack_indicator b (off + r) m here, Nat.mul_add, Natural.pow_add]

end Matrix
end PytestTorchLean
