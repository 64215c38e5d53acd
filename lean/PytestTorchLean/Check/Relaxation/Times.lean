prelude
import PytestTorchLean.Check.Matrix
import PytestTorchLean.Check.Relaxation.Lines
/-!
# All rows of a matrix times a vector

`times` multiplies the whole matrix, one number, by the vector, one number: as in a product of polynomials,
one digit of every row of the result is the row's product with the reversed vector. `dots` goes digit by
digit and asks nothing of the size of the sums.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open Natural Matrix

theorem tally_add (n : Nat) (f g : Nat → Nat) : tally n (fun i => f i + g i) = tally n f + tally n g := by
  induction n generalizing f g with
  | zero => rfl
  | succ n ih =>
    show f 0 + g 0 + tally n (fun i => f (i + 1) + g (i + 1)) = f 0 + tally n _ + (g 0 + tally n _)
    rw [ih (fun i => f (i + 1)) (fun i => g (i + 1))]
    exact Nat.add_add_add_comm _ _ _ _
theorem tally_le {n c : Nat} {f : Nat → Nat} (h : ∀ i, i < n → f i ≤ c) : tally n f ≤ n * c := by
  induction n generalizing f with
  | zero => exact Nat.zero_le _
  | succ n ih =>
    show f 0 + tally n _ ≤ (n + 1) * c
    rw [Nat.succ_mul, Nat.add_comm (n * c)]
    exact Nat.add_le_add (forall_zero (p := fun i => f i ≤ c) h) (ih (forall_succ (p := fun i => f i ≤ c) h))

theorem tally_last (n : Nat) (f : Nat → Nat) : tally (n + 1) f = tally n f + f n := by
  induction n generalizing f with
  | zero => show f 0 + 0 = 0 + f 0; rw [Nat.zero_add]; rfl
  | succ n ih =>
    show f 0 + tally (n + 1) (fun i => f (i + 1)) = f 0 + tally n (fun i => f (i + 1)) + f (n + 1)
    rw [ih (fun i => f (i + 1)), Nat.add_assoc]
/-- The order of a sum does not matter. -/
theorem tally_backward (n : Nat) (f : Nat → Nat) : tally n (fun j => f (n - 1 - j)) = tally n f := by
  induction n with
  | zero => rfl
  | succ n ih =>
    rw [tally_last n f, ← ih, Nat.add_comm]
    show f n + tally n (fun j => f (n - (j + 1))) = f n + tally n _
    refine congrArg (fun y => f n + y) (tally_congr fun j hj => ?_)
    cases n with
    | zero => exact absurd hj (Nat.not_succ_le_zero j)
    | succ n =>
      show f (n + 1 - (j + 1)) = f (n - j)
      rw [Nat.succ_sub_succ]

/-! ### Products of packed vectors -/

/-- Digit `t` of a product of polynomials with coefficients `x` (zero from some place on) and `v 0`, ...,
    `v (m - 1)`. -/
def convolution (x : Nat → Nat) : Nat → (Nat → Nat) → Nat → Nat
  | 0, _, _ => 0
  | m + 1, v, 0 => x 0 * v 0
  | m + 1, v, t + 1 => x (t + 1) * v 0 + convolution x m (fun j => v (j + 1)) t

theorem convolution_le {x : Nat → Nat} {a c : Nat} (hx : ∀ i, x i ≤ a) :
    (m : Nat) → (v : Nat → Nat) → (∀ j, j < m → v j ≤ c) → (t : Nat) → convolution x m v t ≤ m * (a * c)
  | 0, _, _, _ => Nat.zero_le _
  | m + 1, v, hv, 0 => by
    show x 0 * v 0 ≤ (m + 1) * (a * c)
    rw [Nat.succ_mul]
    exact Nat.le_trans (Nat.mul_le_mul (hx 0) (hv 0 (Nat.succ_le_succ (Nat.zero_le _)))) (Nat.le_add_left _ _)
  | m + 1, v, hv, t + 1 => by
    show x (t + 1) * v 0 + convolution x m _ t ≤ (m + 1) * (a * c)
    rw [Nat.succ_mul, Nat.add_comm (m * _)]
    exact Nat.add_le_add (Nat.mul_le_mul (hx _) (hv 0 (Nat.succ_le_succ (Nat.zero_le _))))
      (convolution_le hx m _ (fun j hj => hv (j + 1) (Nat.succ_le_succ hj)) t)

theorem pack_shifted (b n : Nat) (f g : Nat → Nat) (h : Nat → Nat) (h0 : h 0 = f 0)
    (hs : ∀ i, h (i + 1) = f (i + 1) + g i) :
    pack b (n + 1) h = pack b (n + 1) f + 2 ^ b * pack b n g := by
  rw [pack_succ, pack_succ, h0, Nat.add_assoc, ← Nat.mul_add, ← pack_add]
  exact congrArg (fun y => f 0 + 2 ^ b * y) (pack_congr fun i _ => hs i)

/-- A product of packed vectors, `x` being 0 from `n` on. -/
theorem pack_product (b n : Nat) {x : Nat → Nat} (hx : ∀ i, x (n + i) = 0) : (m : Nat) → (v : Nat → Nat) →
    pack b n x * pack b m v = pack b (n + m) (convolution x m v)
  | 0, v => by
    show pack b n x * 0 = pack b n (fun t => convolution x 0 v t)
    have e : (fun t => convolution x 0 v t) = fun _ => 0 := funext fun t => by cases t <;> rfl
    rw [e, pack_zero]; rfl
  | m + 1, v => by
    have ih := pack_product b n hx m (fun j => v (j + 1))
    have e := pack_shifted b (n + m) (fun t => x t * v 0) (convolution x m (fun j => v (j + 1)))
      (convolution x (m + 1) v) rfl (fun _ => rfl)
    show _ = pack b (n + m + 1) _
    rw [e, ← ih, pack_succ b m v, Nat.mul_add, Nat.mul_left_comm]
    have tail : pack b (n + m + 1) (fun t => x t * v 0) = pack b n (fun t => x t * v 0) :=
      Dense.pack_tail_zero (n := m + 1) fun i => by rw [hx i, Nat.zero_mul]
    have swap : (fun t => x t * v 0) = fun t => v 0 * x t := funext fun t => Nat.mul_comm _ _
    rw [tail, swap, pack_mul, Nat.mul_comm (v 0)]

/-- A digit in the middle: `sum_j x (u + m - j) * v j`. -/
theorem convolution_at (x : Nat → Nat) (u : Nat) : (m : Nat) → (v : Nat → Nat) →
    convolution x (m + 1) v (u + m) = tally (m + 1) fun j => x (u + (m - j)) * v j
  | 0, v => by
    cases u with
    | zero => rfl
    | succ u =>
      show x (u + 1) * v 0 + convolution x 0 _ u = x (u + 1) * v 0 + 0
      cases u <;> rfl
  | m + 1, v => by
    have ih := convolution_at x u m (fun j => v (j + 1))
    show x (u + m + 1) * v 0 + convolution x (m + 1) _ (u + m) = x (u + (m + 1)) * v 0 + tally (m + 1) _
    rw [ih]
    exact congrArg (fun y => x (u + (m + 1)) * v 0 + y) (tally_congr fun j _ => by
      show x (u + (m - j)) * v (j + 1) = x (u + (m + 1 - (j + 1))) * v (j + 1)
      rw [Nat.succ_sub_succ])

/-- Every row times the reversed vector `v` of `n` digits. -/
def times (b w R n x v : Nat) : Nat := column b w R (Nat.mul x v) (Nat.sub n 1)
theorem times_eq {b w n R a c : Nat} {f : Nat → Nat → Nat} {v : Nat → Nat}
    (hn : 0 < n)
    (hw : n ≤ w)
    (hb : 0 < b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j ≤ a)
    (hv : ∀ j, j < n → v j ≤ c)
    (fits : n * (a * c) < 2 ^ b) :
    times b w R n (grid b w n R f) (pack b n v) =
    side b w R (fun r => tally n fun j => f r (n - 1 - j) * v j) := by
  unfold times
  rw [column_digit hb (lt_of_lt_of_le hn hw)]
  refine side_congr fun r hr => ?_
  show digit b (grid b w n R f * pack b n v) (w * r + (n - 1)) = _
  rw [grid_flat hw]
  have flat_le := flat_all (w := w) (P := fun x => x ≤ a) (Nat.zero_le a) hf
  have e : pack b (w * R) (flat w n f) = pack b (w * R) (Memory.splice (w * R) (flat w n f) fun _ => 0) :=
    pack_congr fun i hi => (Memory.splice_old _ _ hi).symm
  have below : ∀ i, Memory.splice (w * R) (flat w n f) (fun _ => 0) i ≤ a := fun i => by
    cases le_or_lt (w * R) i with
    | inl h => obtain ⟨k, rfl⟩ := Nat.exists_of_le h; rw [Memory.splice_new]; exact Nat.zero_le a
    | inr h => rw [Memory.splice_old _ _ h]; exact flat_le i h
  have last : n - 1 + 1 = n := succ_pred hn
  have place : ∀ j, j < w → w * r + j < w * R := fun j hj => by rw [Nat.add_comm]; exact add_mul_lt hj hr
  rw [e, pack_product b (w * R) (fun i => Memory.splice_new _ _ _ i), digit_pack
    (fun i _ => lt_of_le_of_lt (convolution_le below n v hv i) fits)
    (lt_of_lt_of_le (place (n - 1) (lt_of_lt_of_le (le_of_eq last) hw)) (Nat.le_add_right _ _))]
  have m := convolution_at (Memory.splice (w * R) (flat w n f) fun _ => 0) (w * r) (n - 1) v
  rw [last] at m
  rw [m]
  refine tally_congr fun j hj => ?_
  have inside : n - 1 - j < n := lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq last)
  rw [Memory.splice_old _ _ (place _ (lt_of_lt_of_le inside hw)), flat_at f r (lt_of_lt_of_le inside hw),
      Memory.splice_old _ _ inside]

/-- Every row times a vector that is given in reverse order. -/
theorem times_turned {b w n R a c : Nat} {f : Nat → Nat → Nat} {v : Nat → Nat}
    (hn : 0 < n)
    (hw : n ≤ w)
    (hb : 0 < b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j ≤ a)
    (hv : ∀ j, j < n → v j ≤ c)
    (fits : n * (a * c) < 2 ^ b) :
    times b w R n (grid b w n R f) (pack b n fun j => v (n - 1 - j)) =
    side b w R (fun r => tally n fun j => f r j * v j) := by
  have inside : ∀ j, n - 1 - j < n := fun j => lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq (succ_pred hn))
  rw [times_eq hn hw hb hf (fun j _ => hv _ (inside j)) fits]
  exact side_congr fun r _ => tally_backward n fun j => f r j * v j

/-! ### Digit by digit -/

/-- `sum_k x r (j + k) * v k` for every row `r` and the first `n` digits of `v`, which have `d` bits. -/
def dots (b w R d x n : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ _ => 0)
    (fun _ rest j v => Nat.add (Nat.mul (column b w R x j) (Nat.land v (Nat.sub (Nat.pow 2 d) 1)))
      (force (fun j' => force (rest j') (Nat.shiftRight v d)) (Nat.succ j))) n
theorem dots_succ (b w R d x n j v : Nat) :
    dots b w R d x (n + 1) j v =
    column b w R x j * Nat.land v (2 ^ d - 1) + dots b w R d x n (j + 1) (Nat.shiftRight v d) := by
  show _ + force (fun j' => force (dots b w R d x n j') (Nat.shiftRight v d)) (Nat.succ j) = _
  rw [force_eq, force_eq]; rfl
/-- For the compiler, as in Core/Recursors: the mask of a column is formed once. -/
def dotsBy (mask b d x : Nat) : (n j v : Nat) → Nat
  | 0, _, _ => 0
  | Nat.succ n, j, v => Nat.add
      (Nat.mul (Nat.land (Nat.shiftRight x (Nat.mul b j)) mask) (Nat.land v (Nat.sub (Nat.pow 2 d) 1)))
      (dotsBy mask b d x n (Nat.succ j) (Nat.shiftRight v d))
def compiledDots (b w R d x n j v : Nat) : Nat := dotsBy (filled b (ones (Nat.mul b w) R)) b d x n j v
theorem dotsBy_eq (b w R d x : Nat) : (n j v : Nat) → dots b w R d x n j v = compiledDots b w R d x n j v
  | 0, _, _ => rfl
  | n + 1, j, v => by
    rw [dots_succ, dotsBy_eq b w R d x n (j + 1)]
    show Nat.land _ ((2 ^ b - 1) * ones (b * w) R) * _ + _ = _
    rw [filled_eq]; rfl
@[csimp] theorem compiledDots_eq : @dots = @compiledDots :=
  funext fun b => funext fun w => funext fun R => funext fun d => funext fun x => funext fun n =>
    funext fun j => funext fun v => dotsBy_eq b w R d x n j v

theorem dotsFrom_eq {b w n R d : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w) (hb : 0 < b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) :
    (m j : Nat) → (v : Nat → Nat) → j + m ≤ n → (∀ k, k < m → v k < 2 ^ d) →
    dots b w R d (grid b w n R f) m j (pack d m v) = side b w R (fun r => tally m fun k => f r (j + k) * v k)
  | 0, _, _, _, _ => (side_zero b w R).symm
  | m + 1, j, v, hm, hv => by
    have v0 := hv 0 (Nat.succ_le_succ (Nat.zero_le m))
    have next : j + 1 + m ≤ n := by rw [Nat.add_assoc, Nat.add_comm 1]; exact hm
    rw [dots_succ, column_eq hw hb hf (Nat.le_trans (Nat.le_add_right _ m) next), land_pack_succ v0,
        shift_pack_succ v0, dotsFrom_eq hw hb hf m (j + 1) (fun k => v (k + 1)) next
        (fun k hk => hv (k + 1) (Nat.succ_le_succ hk)), Nat.mul_comm, ← side_mul, ← side_add]
    refine side_congr fun r _ => ?_
    show v 0 * f r j + tally m _ = f r (j + 0) * v 0 + tally m _
    rw [Nat.add_zero, Nat.mul_comm]
    exact congrArg (fun y => f r j * v 0 + y) (tally_congr fun k _ => by rw [Nat.add_assoc, Nat.add_comm 1])
theorem dots_eq {b w n R d : Nat} {f : Nat → Nat → Nat} {v : Nat → Nat} (hw : n ≤ w) (hb : 0 < b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) (hv : ∀ k, k < n → v k < 2 ^ d) :
    dots b w R d (grid b w n R f) n 0 (pack d n v) = side b w R (fun r => tally n fun k => f r k * v k) := by
  refine (dotsFrom_eq hw hb hf n 0 v (Natural.le_of_eq (Nat.zero_add n)) hv).trans (side_congr fun r _ => ?_)
  exact tally_congr fun k _ => by rw [Nat.zero_add]

end Relaxation
end PytestTorchLean
