prelude
import PytestTorchLean.Check.Relaxation.Through
/-!
# Rows of coefficients times rows of weights

A node's weights row by row, and the product of a row of coefficients with them: a sum of multiples of whole
rows.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### The weights' rows -/

/-- Some numbers are vectors of `m` digits. -/
def Vectors (C m : Nat) : List Nat → (Nat → Nat → Nat) → Prop
  | [], _ => True
  | x :: xs, V => x = pack C m (V 0) ∧ Vectors C m xs fun k => V (k + 1)
/-- Some numbers are rows of `n` digits: number `i` holds `V k i` for all `k`. -/
def Rows (b n : Nat) : List Nat → (Nat → Nat → Nat) → Prop
  | [], _ => True
  | w :: ws, V => w = pack b n (fun k => V k 0) ∧ Rows b n ws fun k i => V k (i + 1)

theorem firstDigits_eq {C b m : Nat} :
    (xs : List Nat) → (V : Nat → Nat → Nat) → Vectors C (m + 1) xs V →
    (∀ k, k < xs.length → V k 0 < 2 ^ C) → firstDigits C b xs = pack b xs.length fun k => V k 0
  | [], _, _, _ => rfl
  | x :: xs, V, h, hV => by
    have ih :=
      firstDigits_eq (b := b) xs (fun k => V (k + 1)) h.2 fun k hk => hV (k + 1) (Nat.succ_le_succ hk)
    show Nat.land x (2 ^ C - 1) + firstDigits C b xs * 2 ^ b = pack b (xs.length + 1) _
    rw [ih, h.1, land_pack_succ (hV 0 (Nat.succ_le_succ (Nat.zero_le _))), pack_succ, Nat.mul_comm _ (2 ^ b)]
theorem laterDigits_eq {C m : Nat} :
    (xs : List Nat) → (V : Nat → Nat → Nat) → Vectors C (m + 1) xs V →
    (∀ k, k < xs.length → V k 0 < 2 ^ C) →
    (laterDigits C xs).length = xs.length ∧ Vectors C m (laterDigits C xs) fun k i => V k (i + 1)
  | [], _, _, _ => ⟨rfl, trivial⟩
  | x :: xs, V, h, hV => by
    obtain ⟨h1, h2⟩ := laterDigits_eq xs (fun k => V (k + 1)) h.2 fun k hk => hV (k + 1) (Nat.succ_le_succ hk)
    refine ⟨congrArg Nat.succ h1, ?_, h2⟩
    rw [h.1, shift_pack_succ (hV 0 (Nat.succ_le_succ (Nat.zero_le _)))]
theorem transposed_eq {C b : Nat} :
    (m : Nat) → (xs : List Nat) → (V : Nat → Nat → Nat) →
    Vectors C m xs V → (∀ k, k < xs.length → ∀ i, i < m → V k i < 2 ^ C) →
    (transposed C b m xs).length = m ∧ Rows b xs.length (transposed C b m xs) V
  | 0, _, _, _, _ => ⟨rfl, trivial⟩
  | m + 1, xs, V, h, hV => by
    have zero : ∀ k, k < xs.length → V k 0 < 2 ^ C := fun k hk => hV k hk 0 (Nat.succ_le_succ (Nat.zero_le m))
    obtain ⟨l1, l2⟩ := laterDigits_eq xs V h zero
    obtain ⟨r1, r2⟩ := transposed_eq (b := b) m (laterDigits C xs) (fun k i => V k (i + 1)) l2
      fun k hk i hi => hV k (by rw [← l1]; exact hk) (i + 1) (Nat.succ_le_succ hi)
    rw [l1] at r2
    exact ⟨congrArg Nat.succ r1, firstDigits_eq xs V h zero, r2⟩
theorem raisedColumns_eq {C m bound offset : Nat} (hC : 0 < C) (ho : bound ≤ offset) :
    (cs : List Column) → (ds : List Digits) → Packed C m bound cs ds →
    (raisedColumns (offset * ones C m) cs).length = cs.length ∧
      Vectors C m (raisedColumns (offset * ones C m) cs) (raised offset ds)
  | [], [], _ => ⟨rfl, trivial⟩
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    obtain ⟨ih1, ih2⟩ := raisedColumns_eq hC ho cs ds ht
    refine ⟨congrArg Nat.succ ih1, ?_, ih2⟩
    show c.positive + offset * ones C m - c.negative = pack C m (raised offset (d :: ds) 0)
    rw [hp, hn, mul_ones hC, ← pack_add]
    exact (pack_sub fun i hi => Nat.le_trans (hd i hi).2 (Nat.le_trans ho (Nat.le_add_left _ _))).symm
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem firstOf_eq {C m : Nat} :
    (n : Nat) → (xs : List Nat) → (V : Nat → Nat → Nat) →
    n ≤ xs.length → Vectors C m xs V → (firstOf n xs).length = n ∧ Vectors C m (firstOf n xs) V
  | 0, _, _, _, _ => ⟨rfl, trivial⟩
  | n + 1, [], _, h, _ => absurd h (Nat.not_succ_le_zero n)
  | n + 1, _ :: xs, V, h, hx => by
    obtain ⟨h1, h2⟩ := firstOf_eq n xs (fun k => V (k + 1)) (Nat.le_of_succ_le_succ h) hx.2
    exact ⟨congrArg Nat.succ h1, hx.1, h2⟩
theorem othersOf_eq {C m : Nat} :
    (n rest : Nat) → (xs : List Nat) → (V : Nat → Nat → Nat) →
    xs.length = n + rest → Vectors C m xs V →
    (othersOf n xs).length = rest ∧ Vectors C m (othersOf n xs) fun k => V (n + k)
  | 0, rest, xs, V, h, hx => by
    have e : (fun k => V (0 + k)) = V := funext fun k => by rw [Nat.zero_add]
    rw [e]
    exact ⟨h.trans (Nat.zero_add rest), hx⟩
  | n + 1, rest, [], _, h, _ => by
    rw [Nat.succ_add] at h; exact Nat.noConfusion h
  | n + 1, rest, _ :: xs, V, h, hx => by
    rw [Nat.succ_add] at h
    obtain ⟨h1, h2⟩ := othersOf_eq n rest xs (fun k => V (k + 1)) (Nat.succ.inj h) hx.2
    have e : (fun k => V (n + 1 + k)) = fun k => V (n + k + 1) := funext fun k => by rw [Nat.succ_add]
    rw [e]
    exact ⟨h1, h2⟩

/-! ### Rows times a matrix -/

/-- One row of the batch: digit after digit of `x` times the weights' rows. -/
def rowSum (b mask : Nat) : List Nat → Nat → Nat → Nat
  | [], _, sum => sum
  | w :: ws, x, sum =>
    let y := Nat.land x mask
    rowSum b mask ws (Nat.shiftRight x b) (cond (Nat.beq y 0) sum (Nat.add sum (Nat.mul y w)))
theorem rowSum_eq {b n : Nat} :
    (ws : List Nat) → (x sum : Nat) → (f : Nat → Nat) →
    (V : Nat → Nat → Nat) → Rows b n ws V → x = pack b ws.length f →
    (∀ i, i < ws.length → f i < 2 ^ b) →
    rowSum b (Nat.sub (Nat.pow 2 b) 1) ws x sum = sum + pack b n fun k => tally ws.length fun i => f i * V k i
  | [], _, sum, _, _, _, _, _ => by
    show sum = sum + pack b n fun _ => 0
    rw [pack_zero]; rfl
  | w :: ws, x, sum, f, V, h, hx, hf => by
    have zero := hf 0 (Nat.succ_le_succ (Nat.zero_le _))
    have e1 : Nat.land x (Nat.sub (Nat.pow 2 b) 1) = f 0 := by rw [hx]; exact land_pack_succ zero
    have e2 :
        Nat.shiftRight x b = pack b ws.length fun i => f (i + 1) := by rw [hx]; exact shift_pack_succ zero
    have e3 : cond (Nat.beq (f 0) 0) sum (Nat.add sum (Nat.mul (f 0) w)) = sum + f 0 * w := by
      cases z : Nat.beq (f 0) 0 with
      | false => rfl
      | true =>
        rw [Nat.eq_of_beq_eq_true z, Nat.zero_mul]; rfl
    have ih := rowSum_eq ws (pack b ws.length fun i => f (i + 1)) (sum + f 0 * w) (fun i => f (i + 1))
      (fun k i => V k (i + 1)) h.2 rfl fun i hi => hf (i + 1) (Nat.succ_le_succ hi)
    show rowSum b _ ws (Nat.shiftRight x b) (cond (Nat.beq (Nat.land x (Nat.sub (Nat.pow 2 b) 1)) 0) sum
      (Nat.add sum (Nat.mul (Nat.land x (Nat.sub (Nat.pow 2 b) 1)) w))) =
      sum + pack b n fun k => f 0 * V k 0 + tally ws.length fun i => f (i + 1) * V k (i + 1)
    rw [e1, e2, e3, ih, h.1, pack_add, pack_mul, Nat.add_assoc]

/-- All `R` rows of a matrix with `w` digits from one row to the next. -/
def rowSums (b size mask low : Nat) (ws : List Nat) : (R : Nat) → Nat → Nat
  | 0, _ => 0
  | Nat.succ R, x => Nat.add (rowSum b mask ws (Nat.land x low) 0)
      (Nat.shiftLeft (rowSums b size mask low ws R (Nat.shiftRight x size)) size)
theorem rowSums_eq {b w n m : Nat} {ws : List Nat} {V : Nat → Nat → Nat} (hl : ws.length = m) (hw : m ≤ w)
    (h : Rows b n ws V) :
    (R : Nat) → (f : Nat → Nat → Nat) → (∀ r, r < R → ∀ i, i < m → f r i < 2 ^ b) →
    rowSums b (Nat.mul b w) (Nat.sub (Nat.pow 2 b) 1) (Nat.sub (Nat.pow 2 (Nat.mul b w)) 1) ws R
        (grid b w m R f) = grid b w n R fun r k => tally m fun i => f r i * V k i
  | 0, _, _ => rfl
  | R + 1, f, hf => by
    have zero := hf 0 (Nat.succ_le_succ (Nat.zero_le R))
    have lt : pack b m (f 0) < 2 ^ (b * w) := row_lt hw zero
    have ih := rowSums_eq hl hw h R (fun r => f (r + 1)) fun r hr => hf (r + 1) (Nat.succ_le_succ hr)
    have e1 : Nat.land (grid b w m (R + 1) f) (Nat.sub (Nat.pow 2 (Nat.mul b w)) 1) = pack b m (f 0) :=
      land_pack_succ (f := fun r => pack b m (f r)) lt
    have e2 : Nat.shiftRight (grid b w m (R + 1) f) (Nat.mul b w) =
      grid b w m R fun r => f (r + 1) := shift_pack_succ (f := fun r => pack b m (f r)) lt
    have e3 :=
      rowSum_eq ws (pack b m (f 0)) 0 (f 0) V h (by rw [hl]) fun i hi => zero i (by rw [← hl]; exact hi)
    rw [Nat.zero_add, hl] at e3
    show rowSum b _ ws (Nat.land (grid b w m (R + 1) f) _) 0 +
        rowSums b _ _ _ ws R (Nat.shiftRight (grid b w m (R + 1) f) _) * 2 ^ (b * w) = pack (b * w) (R + 1) _
    rw [e1, e2, e3, ih, pack_succ, Nat.mul_comm _ (2 ^ (b * w))]
    rfl
end Relaxation
end PytestTorchLean
