prelude
import PytestTorchLean.Check.Block
import PytestTorchLean.Check.Relaxation.Layout
/-!
# One column at all positions

The coefficients of a node's results lie side by side, `m` for every position. One product of the whole matrix
with a reversed column is, in every `m`-th digit, the product of a position's coefficients with the column.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix

/-- All rows at all positions times the reversed column `v` of `m` digits, and `offset` times the sums of the
    rows of `y`, where `marked` has a digit 1. Digits of `b` bits, rows `w` digits apart, `q` of them. -/
def everywhere (b w q m x v sums marked : Nat) : Nat :=
  Nat.land (Nat.shiftRight (Nat.add (Nat.mul x v) sums) (Nat.mul b (Nat.sub m 1)))
    (repeated (Nat.mul b w) (Nat.mul (Nat.sub (Nat.pow 2 b) 1) marked) q)

/-- A grid as one vector with zeros behind it. -/
theorem grid_padded {b w n q m a c : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w)
    (hf : ∀ r, r < q → ∀ j, j < n → f r j ≤ a) (v : Nat → Nat) (hv : ∀ i, i < m → v i ≤ c) :
    ∃ x : Nat → Nat, grid b w n q f * pack b m v = pack b (w * q + m) (convolution x m v) ∧
      (∀ i, x i ≤ a) ∧
      ∀ r, r < q → ∀ j, j < n → x (w * r + j) = f r j := by
  have flat_le := flat_all (w := w) (P := fun x => x ≤ a) (Nat.zero_le a) hf
  refine ⟨Memory.splice (w * q) (flat w n f) fun _ => 0, ?_, fun i => ?_, fun r hr j hj => ?_⟩
  · have e : pack b (w * q) (flat w n f) = pack b (w * q) (Memory.splice (w * q) (flat w n f) fun _ => 0) :=
      pack_congr fun i hi => (Memory.splice_old _ _ hi).symm
    rw [grid_flat hw, e]
    exact pack_product b (w * q) (fun i => Memory.splice_new _ _ _ i) m v
  · cases Natural.le_or_lt (w * q) i with
    | inl h => obtain ⟨k, rfl⟩ := Nat.exists_of_le h; rw [Memory.splice_new]; exact Nat.zero_le a
    | inr h => rw [Memory.splice_old _ _ h]; exact flat_le i h
  · have inside : w * r + j < w * q := by
      rw [Nat.add_comm]
      exact Natural.add_mul_lt (Natural.lt_of_lt_of_le hj hw) hr
    rw [Memory.splice_old _ _ inside, flat_at f r (Natural.lt_of_lt_of_le hj hw), Memory.splice_old _ _ hj]

/-- A digit of a product of the grid. -/
theorem convolution_digit {w n q m : Nat} {f : Nat → Nat → Nat} {x v : Nat → Nat} (hm : 0 < m)
    (hx : ∀ r, r < q → ∀ j, j < n → x (w * r + j) = f r j) {r j : Nat} (hr : r < q) (hj : j + m ≤ n) :
    convolution x m (fun i => v (m - 1 - i)) (w * r + j + (m - 1)) = tally m fun i => f r (j + i) * v i := by
  have last : m - 1 + 1 = m := Natural.succ_pred hm
  have c := convolution_at x (w * r + j) (m - 1) (fun i => v (m - 1 - i))
  rw [last] at c
  rw [c]
  have e : tally m (fun i => x (w * r + j + (m - 1 - i)) * v (m - 1 - i)) =
      tally m fun i => x (w * r + j + i) * v i :=
    tally_backward m fun i => x (w * r + j + i) * v i
  rw [e]
  refine tally_congr fun i hi => ?_
  rw [Nat.add_assoc, hx r hr (j + i) (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := j)) hi) hj)]

/-- A digit of a digit. -/
theorem digit_inside {b w m r p y : Nat} (hm : 0 < m) (hp : m * p < w) :
    digit (b * m) (digit (b * w) y r) p % 2 ^ b = digit b y (w * r + m * p) := by
  have le : b ≤ b * m := by
    have e := Nat.mul_le_mul (Nat.le.refl (n := b)) hm
    rw [Nat.mul_one] at e; exact e
  have low := digit_low (W := b) hp (y / 2 ^ (b * w * r))
  rw [land_low] at low
  show y / 2 ^ (b * w * r) % 2 ^ (b * w) / 2 ^ (b * m * p) % 2 ^ (b * m) % 2 ^ b = _
  rw [Natural.mod_mod le, Nat.mul_assoc b m]
  refine Eq.trans low ?_
  show y / 2 ^ (b * w * r) / 2 ^ (b * (m * p)) % 2 ^ b = y / 2 ^ (b * (w * r + m * p)) % 2 ^ b
  rw [Natural.shift_shift, Nat.mul_add, Nat.mul_assoc]

theorem everywhere_eq {b w n q m a c o positions : Nat} {f g : Nat → Nat → Nat} {v bit : Nat → Nat}
    (hb : 0 < b)
    (hm : 0 < m)
    (hn : m * positions = n)
    (hw : n ≤ w)
    (hf : ∀ r, r < q → ∀ j, j < n → f r j ≤ a)
    (hg : ∀ r, r < q → ∀ j, j < n → g r j ≤ a)
    (hv : ∀ i, i < m → v i ≤ c)
    (fits : m * (a * c) + o * (m * (a * 1)) < 2 ^ b)
    (hbit : ∀ p, p < positions → bit p = 0 ∨ bit p = 1) :
    everywhere b w q m (grid b w n q f) (pack b m fun i => v (m - 1 - i)) (o * (grid b w n q g * ones b m))
      (pack (b * m) positions bit) =
    pack (b * w) q fun r => pack (b * m) positions
      fun p => bit p * ((tally m fun i => f r (m * p + i) * v i) + o * tally m fun i => g r (m * p + i)) := by
  have inside : ∀ j, m - 1 - j < m :=
    fun j => Natural.lt_of_le_of_lt (Natural.sub_le _ _) (Natural.le_of_eq (Natural.succ_pred hm))
  obtain ⟨x, x1, x2, x3⟩ := grid_padded (b := b) hw hf (fun i => v (m - 1 - i)) (fun i _ => hv _ (inside i))
  obtain ⟨y, y1, y2, y3⟩ := grid_padded (b := b) (m := m) (c := 1) hw hg (fun _ => 1) (fun _ _ => Nat.le.refl)
  have total :
    Nat.add (Nat.mul (grid b w n q f) (pack b m fun i => v (m - 1 - i))) (o * (grid b w n q g * ones b m)) =
      pack b (w * q + m) fun i =>
          convolution x m (fun i => v (m - 1 - i)) i + o * convolution y m (fun _ => 1) i := by
    rw [pack_add, pack_mul, ← x1, ← y1, ones_eq hb]; rfl
  have small :
      ∀ i, convolution x m (fun i => v (m - 1 - i)) i + o * convolution y m (fun _ => 1) i < 2 ^ b := fun i =>
    Natural.lt_of_le_of_lt (Nat.add_le_add (convolution_le x2 m _ (fun j _ => hv _ (inside j)) i)
      (Nat.mul_le_mul Nat.le.refl (convolution_le y2 m _ (fun _ _ => Nat.le.refl) i))) fits
  have bw : 0 < positions → m ≤ w := fun hp => by
    refine Nat.le_trans ?_ hw
    rw [← hn]
    have e := Nat.mul_le_mul (Nat.le.refl (n := m)) hp
    rw [Nat.mul_one] at e; exact e
  have le : b ≤ b * m := by
    have e := Nat.mul_le_mul (Nat.le.refl (n := b)) hm
    rw [Nat.mul_one] at e; exact e
  have cell : ∀ p, p < positions → (2 ^ b - 1) * bit p < 2 ^ (b * m) := fun p hp => by
    cases hbit p hp with
    | inl h => rw [h]; exact Natural.two_pow_pos _
    | inr h => rw [h, Nat.mul_one]; exact Natural.mask_lt le
  have mask : Nat.mul (Nat.sub (Nat.pow 2 b) 1) (pack (b * m) positions bit) =
    pack (b * m) positions fun p => (2 ^ b - 1) * bit p := (pack_mul _ _ _ _).symm
  have maskLt : pack (b * m) positions (fun p => (2 ^ b - 1) * bit p) < 2 ^ (b * w) := by
    refine Natural.lt_of_lt_of_le (pack_lt cell) (Natural.two_pow_le ?_)
    rw [Nat.mul_assoc, hn]
    exact Nat.mul_le_mul Nat.le.refl hw
  cases positions with
  | zero =>
    unfold everywhere
    rw [mask]
    rw [repeated_eq]
    show Nat.land _ (pack (b * w) q fun _ => 0) = pack (b * w) q fun _ => 0
    rw [pack_zero, Natural.land_zero]
  | succ positions =>
  have row : 0 < b * w := Nat.mul_pos hb (Nat.le_trans hm (bw (Nat.succ_le_succ (Nat.zero_le _))))
  unfold everywhere
  rw [mask, total]
  have same : repeated (Nat.mul b w) (pack (b * m) (positions + 1) fun p => (2 ^ b - 1) * bit p) q =
      pack (b * w) q fun _ => pack (b * m) (positions + 1) fun p => (2 ^ b - 1) * bit p :=
    repeated_eq _ _ q
  rw [same, land_mask _ (fun _ _ => maskLt)]
  refine pack_congr fun r hr => ?_
  rw [land_mask _ cell]
  refine pack_congr fun p hp => ?_
  have upto : m * p + m ≤ n := by
    rw [← hn, ← Nat.mul_succ]
    exact Nat.mul_le_mul Nat.le.refl hp
  cases hbit p hp with
  | inl h => rw [h, Nat.mul_zero, Natural.land_zero, Nat.zero_mul]
  | inr h =>
    rw [h, Nat.mul_one, Nat.one_mul, land_low,
        digit_inside hm (Nat.le_trans (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := m * p)) hm) upto) hw)]
    have place : w * r + m * p + (m - 1) < w * q + m := by
      have a1 : w * r + m * p < w * q := by
        rw [Nat.add_comm]
        exact Natural.add_mul_lt
          (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := m * p)) hm) (Nat.le_trans upto hw)) hr
      have e := Nat.add_le_add a1 (Natural.sub_le m 1)
      rw [Nat.succ_add] at e
      exact e
    have d := digit_pack (b := b)
      (f := fun i => convolution x m (fun i => v (m - 1 - i)) i + o * convolution y m (fun _ => 1) i)
      (fun i _ => small i) place
    have e : digit b (Nat.shiftRight (pack b (w * q + m)
          fun i => convolution x m (fun i => v (m - 1 - i)) i + o * convolution y m (fun _ => 1) i)
        (Nat.mul b (Nat.sub m 1))) (w * r + m * p) =
        digit b (pack b (w * q + m)
              fun i => convolution x m (fun i => v (m - 1 - i)) i + o * convolution y m (fun _ => 1) i)
            (w * r + m * p + (m - 1)) := by
      show _ / 2 ^ (b * (m - 1)) / 2 ^ (b * (w * r + m * p)) % 2 ^ b =
        _ / 2 ^ (b * (w * r + m * p + (m - 1))) % 2 ^ b
      rw [Natural.shift_shift, ← Nat.mul_add, Nat.add_comm (m - 1)]
    rw [e, d, convolution_digit hm x3 hr upto]
    have o' := convolution_digit (v := fun _ => 1) hm y3 hr upto
    rw [o']
    refine congrArg (fun z => _ + o * z) (tally_congr fun i _ => Nat.mul_one _)

end Relaxation
end PytestTorchLean
