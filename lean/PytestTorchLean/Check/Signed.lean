prelude
import PytestTorchLean.Check.Tiles
import PytestTorchLean.Check.Transpose
/-!
# Products of signed matrices

A signed matrix is two grids, positive and negative parts. Adding a constant to every entry makes it one grid
without signs; then one product does the work of four, and what the constants added is taken away again.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

/-! ### Arithmetic of the constants -/

theorem cancel_add {a c x : Nat} (h : a + x = c + x) : a = c := add_right_cancel x h
/-- One product of offset numbers, `A + q = p + H` and `W + n = w + K`. -/
theorem offset_product {A W H K p q w n : Nat} (hA : A + q = H + p) (hW : W + n = K + w) :
    A * W + H * K + (p * n + q * w) = H * W + K * A + (p * w + q * n) := by
  refine add_right_cancel (A * n + q * W + q * n + K * q + H * n) ?_
  have e1 : (A + q) * (W + n) = (H + p) * (K + w) := by rw [hA, hW]
  have e2 : H * (W + n) = H * (K + w) := by rw [hW]
  have e3 : K * (A + q) = K * (H + p) := by rw [hA]
  have e4 : (A + q) * n = (H + p) * n := by rw [hA]
  have e5 : q * (W + n) = q * (K + w) := by rw [hW]
  have left : A * W + H * K + (p * n + q * w) + (A * n + q * W + q * n + K * q + H * n) =
      (A + q) * (W + n) + H * K + p * n + q * w + K * q + H * n := by
    simp only [Nat.mul_add, Nat.add_mul, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm, Nat.mul_comm]
  have right : H * W + K * A + (p * w + q * n) + (A * n + q * W + q * n + K * q + H * n) =
      H * (W + n) + K * (A + q) + (A + q) * n + q * (W + n) + p * w := by
    simp only [Nat.mul_add, Nat.add_mul, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm, Nat.mul_comm]
  rw [left, right, e1, e2, e3, e4, e5]
  simp only [Nat.mul_add, Nat.add_mul, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm, Nat.mul_comm]
theorem total_constant (n c : Nat) : total n (fun _ => c) = n * c := by
  induction n with
  | zero => exact (Nat.zero_mul c).symm
  | succ n ih =>
    show c + total n (fun _ => c) = (n + 1) * c
    rw [Nat.succ_mul, ih, Nat.add_comm]
/-- The sum of such products. -/
theorem offset_total {H K : Nat} (n : Nat) (A W p q w v : Nat → Nat) (hA : ∀ j, j < n → A j + q j = H + p j)
    (hW : ∀ j, j < n → W j + v j = K + w j) :
    total n (fun j => A j * W j) + n * (H * K) + total n (fun j => p j * v j + q j * w j) =
      H * total n W + K * total n A + total n (fun j => p j * w j + q j * v j) := by
  have each : total n (fun j => A j * W j + H * K + (p j * v j + q j * w j)) =
      total n (fun j => H * W j + K * A j + (p j * w j + q j * v j)) :=
    total_congr fun j hj => offset_product (hA j hj) (hW j hj)
  have e1 := total_add n (fun j => A j * W j + H * K) (fun j => p j * v j + q j * w j)
  have e2 := total_add n (fun j => A j * W j) (fun _ => H * K)
  have e3 := total_add n (fun j => H * W j + K * A j) (fun j => p j * w j + q j * v j)
  have e4 := total_add n (fun j => H * W j) (fun j => K * A j)
  have e5 := total_mul n H W
  have e6 := total_mul n K A
  have e7 := total_constant n (H * K)
  rw [e1, e2, e3, e4, e5, e6, e7] at each
  exact each
/-- Two differences of naturals that agree as integers agree truncated. -/
theorem sub_eq_sub {x y p n : Nat} (h : x + n = y + p) : x - y = p - n := by
  cases Nat.le_total y x with
  | inl g =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le g
    rw [Nat.add_assoc] at h
    have e : k + n = p := add_left_cancel y h
    rw [add_sub_cancel_left, ← e, add_sub_cancel]
  | inr g =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le g
    rw [Nat.add_assoc] at h
    have e : n = k + p := add_left_cancel x h
    rw [e, Nat.sub_eq_zero_of_le (Nat.le_add_right x k), Nat.sub_eq_zero_of_le (Nat.le_add_left p k)]

/-! ### Offset rows -/

/-- `K + positive - negative` for every digit of every row. -/
def offsetRows (b m K : Nat) (cs : List Column) : List Nat :=
  List.rec (motive := fun _ => List Nat) [] (fun c _ rest => Column.rec (motive := fun _ => List Nat)
    (fun positive negative => Nat.sub (Nat.add (Nat.mul K (ones b m)) positive) negative :: rest) c) cs
/-- Hand on a list whose numbers are evaluated. -/
def evaluated {α : Type u} (xs : List Nat) : (List Nat → α) → α :=
  List.rec (motive := fun _ => (List Nat → α) → α) (fun next => next [])
    (fun x _ rest next => force (fun y => rest (fun ys => next (y :: ys))) x) xs
theorem evaluated_eq {α : Type u} : (xs : List Nat) → (next : List Nat → α) → evaluated xs next = next xs
  | [], _ => rfl
  | x :: xs, next => by
    show force (fun y => evaluated xs (fun ys => next (y :: ys))) x = _
    rw [force_eq, evaluated_eq xs]
def rowSum (rows : List Nat) : Nat := List.rec (motive := fun _ => Nat) 0 (fun x _ rest => Nat.add x rest) rows
theorem rowSum_eq {b m : Nat} : (rows : List Nat) → (v : Nat → Nat → Nat) → Rows b m rows v →
    rowSum rows = pack b m (fun i => total rows.length (fun j => v j i))
  | [], _, _ => (pack_zero b m).symm
  | x :: xs, v, h => by
    show x + rowSum xs = pack b m (fun i => v 0 i + total xs.length (fun j => v (j + 1) i))
    rw [h.1, rowSum_eq xs (fun j => v (j + 1)) h.2, pack_add]
theorem offsetRows_rows {b m K bound : Nat} (hb : 0 < b) (hK : bound ≤ K) : (cs : List Column) → (ds : List Digits) → Packed b m bound cs ds →
    Rows b m (offsetRows b m K cs) (fun j i => K + (entry ds j).positive i - (entry ds j).negative i) ∧ (offsetRows b m K cs).length = cs.length
  | [], [], _ => ⟨trivial, rfl⟩
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    obtain ⟨a, l⟩ := offsetRows_rows hb hK cs ds ht
    refine ⟨⟨?_, a⟩, congrArg Nat.succ l⟩
    show K * ones b m + c.positive - c.negative = pack b m (fun i => K + d.positive i - d.negative i)
    rw [hp, hn, mul_ones hb, ← pack_add]
    exact (pack_sub fun i hi => Nat.le_trans (Nat.le_trans (hd i hi).2 hK) (Nat.le_add_right K _)).symm
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem packed_entry {b m bound : Nat} : (cs : List Column) → (ds : List Digits) → Packed b m bound cs ds →
    ∀ j, j < cs.length → ∀ i, i < m → (entry ds j).positive i ≤ bound ∧ (entry ds j).negative i ≤ bound
  | [], _, _, j, hj, _, _ => absurd hj (Nat.not_succ_le_zero j)
  | _ :: _, _ :: _, h, 0, _, i, hi => h.1.2.2 i hi
  | _ :: cs, _ :: ds, h, j + 1, hj, i, hi => packed_entry cs ds h.2 j (Nat.le_of_succ_le_succ hj) i hi
  | _ :: _, [], h, _, _, _, _ => h.elim

end Matrix
end PytestTorchLean
