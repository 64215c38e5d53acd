prelude
import PytestTorchLean.Check.Signed
/-!
# Rows carried through an affine map

Rows of coefficients of the outputs of an affine map become rows of coefficients of its inputs: the signed
matrix of the rows times the signed matrix of the weights, with positive and negative parts cancelled.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

theorem total_split (n k : Nat) (f : Nat → Nat) : total (n + k) f = total n f + total k (fun j => f (n + j)) := by
  induction n generalizing f with
  | zero =>
    have e : (fun j => f (0 + j)) = f := funext fun j => congrArg f (Nat.zero_add j)
    rw [e, Nat.zero_add]; exact (Nat.zero_add _).symm
  | succ n ih =>
    rw [Nat.succ_add]
    show f 0 + total (n + k) (fun j => f (j + 1)) = f 0 + total n (fun j => f (j + 1)) + total k (fun j => f (n + 1 + j))
    rw [ih, Nat.add_assoc]
    have e : (fun j => f (n + j + 1)) = fun j => f (n + 1 + j) := funext fun j => by rw [Nat.add_assoc, Nat.add_comm j 1, ← Nat.add_assoc]
    rw [e]
theorem total_upTo {n m : Nat} (h : n ≤ m) (f : Nat → Nat) : total m (upTo n f) = total n f := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le h
  rw [total_split, total_zero (n := k) (fun j _ => upTo_new f (Nat.le_add_right n j)), Nat.add_zero]
  exact total_congr fun j hj => upTo_old f hj
theorem rowSum_sides {b c R : Nat} : (sides : List Nat) → (f : Nat → Nat → Nat) → Sides b c R sides f →
    rowSum sides = side b c R (fun r => total sides.length (f r))
  | [], _, _ => (side_zero b c R).symm
  | x :: xs, f, h => by
    show x + rowSum xs = side b c R (fun r => f r 0 + total xs.length (fun j => f r (j + 1)))
    rw [h.1, rowSum_sides xs (fun r j => f r (j + 1)) h.2, side_add]

theorem grid_sub {b w n R : Nat} {f g : Nat → Nat → Nat} (h : ∀ r, r < R → ∀ j, j < n → g r j ≤ f r j) :
    grid b w n R (fun r j => f r j - g r j) = grid b w n R f - grid b w n R g := by
  refine (sub_eq_of_add_eq ?_).symm
  rw [← grid_add]
  exact grid_congr fun r hr j hj => Natural.sub_add_cancel (h r hr j hj)

/-- `n / c`, rounded up. -/
def ceiling (n c : Nat) : Nat := Nat.div (Nat.add n (Nat.sub c 1)) c
theorem le_mul_ceiling {n c : Nat} (hc : 0 < c) : n ≤ c * ceiling n c := by
  show n ≤ c * ((n + (c - 1)) / c)
  obtain ⟨q, r, e, h⟩ := euclid hc (n + (c - 1))
  rw [e, add_mul_div q h]
  have last : c - 1 + 1 = c := succ_pred hc
  have g : n + (c - 1) ≤ c * q + (c - 1) := by
    rw [e, Nat.add_comm r]
    exact Nat.add_le_add Nat.le.refl (Nat.le_of_succ_le_succ (Nat.le_trans h (le_of_eq last.symm)))
  exact Nat.le_of_add_le_add_right (c - 1) g

/-- The sizes fit: `n` rows of weights at most `K` with `m` digits, `R` rows of coefficients below `2^k`, tiles of `c` columns. -/
def usable (b w n R m k K c levels : Nat) : Bool :=
  both (Nat.ble 1 c) (both (Nat.ble c w) (both (Nat.ble (Nat.mul c (ceiling n c)) w) (both (Nat.ble m w) (both (Nat.ble R (Nat.pow 2 levels))
    (both (Nat.ble (Nat.succ (Nat.succ k)) b) (both (both (Nat.ble 1 K) (Nat.ble (Nat.succ (Nat.mul 2 K)) (Nat.pow 2 b)))
      (Nat.ble (Nat.succ (Nat.mul 5 (Nat.mul n (Nat.mul (Nat.pow 2 k) K)))) (Nat.pow 2 (Nat.sub b 1)))))))))

/-- The matrix `p - q` times the matrix whose rows are `cs`; hands on positive and negative parts. -/
def backward {α : Type u} (b w n R m k K c levels : Nat) (cs : List Column) (p q : Nat) (next : Nat → Nat → α) : α :=
  force (fun all => evaluated (offsetRows b m K cs) (fun rows =>
    force (fun a => evaluated (columnsOf b w c R levels a (ceiling n c) 0) (fun sides =>
      force (fun x => force (fun y => force (fun positive => force (next positive) (minus b w m R (Nat.sub b 1) y x))
          (minus b w m R (Nat.sub b 1) x y))
        (Nat.add (Nat.mul (Nat.mul (Nat.pow 2 k) (rowSum rows)) all) (Nat.mul (Nat.mul K (wider b w c levels (rowSum sides))) (ones b m))))
      (Nat.add (assemble b w c R levels rows sides (ceiling m c) 0) (Nat.mul (Nat.mul n (Nat.mul (Nat.pow 2 k) K)) (Nat.mul (ones b m) all)))))
    (Nat.sub (Nat.add (Nat.mul (Nat.pow 2 k) (Nat.mul (ones b n) all)) p) q)))
    (ones (Nat.mul b w) R)

/-- Entry `i` of row `r` of the product: what the positive parts make, and what the negative parts make. -/
def combined (ds : List Digits) (n : Nat) (p q : Nat → Nat) (i : Nat) : Nat :=
  total n fun j => p j * (entry ds j).positive i + q j * (entry ds j).negative i

theorem congrArg₂ {α β γ : Sort _} (f : α → β → γ) {a a' : α} {c c' : β} (h : a = a') (g : c = c') : f a c = f a' c' := by rw [h, g]

theorem backward_eq {α : Type u} {b w n R m k K c levels bound : Nat} {cs : List Column} {ds : List Digits} {p q : Nat → Nat → Nat}
    {next : Nat → Nat → α} (ok : usable b w n R m k K c levels = true) (h : Packed b m bound cs ds) (hn : cs.length = n) (hK : bound ≤ K)
    (hp : ∀ r, r < R → ∀ j, j < n → p r j < 2 ^ k) (hq : ∀ r, r < R → ∀ j, j < n → q r j < 2 ^ k) :
    backward b w n R m k K c levels cs (grid b w n R p) (grid b w n R q) next =
      next (grid b w m R fun r i => combined ds n (p r) (q r) i - combined ds n (q r) (p r) i)
        (grid b w m R fun r i => combined ds n (q r) (p r) i - combined ds n (p r) (q r) i) := by
  obtain ⟨o1, ok⟩ := both_true ok
  obtain ⟨o2, ok⟩ := both_true ok
  obtain ⟨o3, ok⟩ := both_true ok
  obtain ⟨o4, ok⟩ := both_true ok
  obtain ⟨o5, ok⟩ := both_true ok
  obtain ⟨o6, ok⟩ := both_true ok
  obtain ⟨o7, o8⟩ := both_true ok
  have hc : 0 < c := Nat.le_of_ble_eq_true o1
  have hcw : c ≤ w := Nat.le_of_ble_eq_true o2
  have hiw : c * ceiling n c ≤ w := Nat.le_of_ble_eq_true o3
  have hm : m ≤ w := Nat.le_of_ble_eq_true o4
  have hl : R ≤ 2 ^ levels := Nat.le_of_ble_eq_true o5
  have hk : k + 1 + 1 ≤ b := Nat.le_of_ble_eq_true o6
  have positive : 1 ≤ K := Nat.le_of_ble_eq_true (both_true o7).1
  have wide : 2 * K < 2 ^ b := Nat.le_of_ble_eq_true (both_true o7).2
  have room : 5 * (n * (2 ^ k * K)) < 2 ^ (b - 1) := Nat.le_of_ble_eq_true o8
  have hb : 0 < b := lt_of_lt_of_le (Nat.succ_le_succ (Nat.zero_le _)) hk
  have hw : n ≤ w := Nat.le_trans (le_mul_ceiling hc) hiw
  have row : 0 < b * w := Nat.mul_pos hb (lt_of_lt_of_le hc hcw)
  have guard : b - 1 + 1 ≤ b := le_of_eq (succ_pred hb)
  -- the coefficients
  have hA : ∀ r, r < R → ∀ j, j < n → 2 ^ k + p r j - q r j + q r j = 2 ^ k + p r j := fun r hr j hj =>
    Natural.sub_add_cancel (Nat.le_trans (Natural.le_of_lt (hq r hr j hj)) (Nat.le_add_right _ _))
  have Ale : ∀ r, r < R → ∀ j, j < n → 2 ^ k + p r j - q r j ≤ 2 * 2 ^ k := fun r hr j hj => by
    rw [Natural.two_mul]
    exact Nat.le_trans (Natural.sub_le _ _) (Nat.add_le_add Nat.le.refl (Natural.le_of_lt (hp r hr j hj)))
  have Alt : ∀ r, r < R → ∀ j, j < n → 2 ^ k + p r j - q r j < 2 ^ b := fun r hr j hj => by
    refine lt_of_le_of_lt (Ale r hr j hj) ?_
    rw [← Natural.pow_succ]
    exact lt_of_lt_of_le (Vector.guard_lt Nat.le.refl) (two_pow_le hk)
  have full : (ones b n).mul (ones (b.mul w) R) = grid b w n R (fun _ _ => 1) := by
    show ones b n * ones (b * w) R = _
    rw [ones_eq hb, repeat_pack row]
  have full' : (ones b m).mul (ones (b.mul w) R) = grid b w m R (fun _ _ => 1) := by
    show ones b m * ones (b * w) R = _
    rw [ones_eq hb, repeat_pack row]
  have coefficients : Nat.sub (Nat.add (Nat.mul (Nat.pow 2 k) ((ones b n).mul (ones (b.mul w) R))) (grid b w n R p)) (grid b w n R q) =
      grid b w n R (fun r j => 2 ^ k + p r j - q r j) := by
    rw [full]
    show 2 ^ k * grid b w n R (fun _ _ => 1) + grid b w n R p - grid b w n R q = _
    rw [← grid_mul, ← grid_add]
    refine (grid_sub fun r hr j hj => ?_).symm.trans (grid_congr fun r _ j _ => by rw [Natural.mul_one])
    rw [Natural.mul_one]
    exact Nat.le_trans (Natural.le_of_lt (hq r hr j hj)) (Nat.le_add_right _ _)
  -- the weights
  obtain ⟨rows, len⟩ := offsetRows_rows hb hK cs ds h
  have entries := packed_entry cs ds h
  have hW : ∀ j, j < n → ∀ i, i < m → K + (entry ds j).positive i - (entry ds j).negative i + (entry ds j).negative i = K + (entry ds j).positive i :=
    fun j hj i hi => Natural.sub_add_cancel (Nat.le_trans (Nat.le_trans (entries j (by rw [hn]; exact hj) i hi).2 hK) (Nat.le_add_right _ _))
  have Wle : ∀ j, j < n → ∀ i, i < m → K + (entry ds j).positive i - (entry ds j).negative i ≤ 2 * K := fun j hj i hi => by
    rw [Natural.two_mul]
    exact Nat.le_trans (Natural.sub_le _ _) (Nat.add_le_add Nat.le.refl (Nat.le_trans (entries j (by rw [hn]; exact hj) i hi).1 hK))
  -- the product
  obtain ⟨sides, count⟩ := columnsOf_grid (ins := ceiling n c) hb hc hl hw hiw Alt
  have lengths : (offsetRows b m K cs).length = n := len.trans hn
  have each : ∀ r, r < R → ∀ i, i < m → ∀ j, j < n →
      (2 ^ k + p r j - q r j) * (K + (entry ds j).positive i - (entry ds j).negative i) ≤ 4 * (2 ^ k * K) := fun r hr i hi j hj => by
    refine Nat.le_trans (Nat.mul_le_mul (Ale r hr j hj) (Wle j hj i hi)) (Natural.le_of_eq ?_)
    have four : 4 = 2 * 2 := rfl
    rw [four]
    simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
  have total_four : ∀ r, r < R → ∀ i, i < m →
      total n (fun j => (2 ^ k + p r j - q r j) * (K + (entry ds j).positive i - (entry ds j).negative i)) ≤ 4 * (n * (2 ^ k * K)) := fun r hr i hi => by
    have t := total_le (n := n) (fun j hj => each r hr i hi j hj)
    rw [Nat.mul_left_comm] at t
    exact t
  have five : 5 * (n * (2 ^ k * K)) = 4 * (n * (2 ^ k * K)) + n * (2 ^ k * K) := Nat.succ_mul 4 _
  have below : ∀ {x : Nat}, x ≤ 5 * (n * (2 ^ k * K)) → x < 2 ^ (b - 1) := fun hx => lt_of_le_of_lt hx room
  have product := assemble_grid (outs := ceiling m c) (n := n) hb hc hl hcw (le_mul_ceiling hc) rows
    (fun j hj i hi => lt_of_le_of_lt (Wle j (by rw [← lengths]; exact hj) i hi) wide) sides
    (by rw [count, lengths]; exact le_mul_ceiling hc) (le_of_eq lengths)
    (fun r hr i hi => by
      rw [lengths]
      refine lt_of_lt_of_le (below (Nat.le_trans (total_four r hr i hi) ?_)) (two_pow_le (Natural.sub_le b 1))
      rw [five]; exact Nat.le_add_right _ _)
  rw [lengths] at product
  -- the sums
  have weightSums := rowSum_eq _ _ rows
  rw [lengths] at weightSums
  have coefficientSums := rowSum_sides _ _ sides
  rw [count] at coefficientSums
  have hU : ∀ r, r < R → K * total n (fun j => 2 ^ k + p r j - q r j) ≤ 2 * (n * (2 ^ k * K)) := fun r hr => by
    have t := Nat.mul_le_mul (Nat.le.refl (n := K)) (total_le (n := n) (fun j hj => Ale r hr j hj))
    refine Nat.le_trans t (Natural.le_of_eq ?_)
    simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
  have hT : ∀ i, i < m → 2 ^ k * total n (fun j => K + (entry ds j).positive i - (entry ds j).negative i) ≤ 2 * (n * (2 ^ k * K)) := fun i hi => by
    have t := Nat.mul_le_mul (Nat.le.refl (n := 2 ^ k)) (total_le (n := n) (fun j hj => Wle j hj i hi))
    refine Nat.le_trans t (Natural.le_of_eq ?_)
    simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
  have four : 4 * (n * (2 ^ k * K)) = 2 * (n * (2 ^ k * K)) + 2 * (n * (2 ^ k * K)) := Nat.add_mul 2 2 _
  have once : ∀ r, total (c * ceiling n c) (upTo n (fun j => 2 ^ k + p r j - q r j)) = total n (fun j => 2 ^ k + p r j - q r j) :=
    fun r => total_upTo (le_mul_ceiling hc) _
  have coefficientSums : rowSum (columnsOf b w c R levels (grid b w n R fun r j => 2 ^ k + p r j - q r j) (ceiling n c) 0) =
      side b c R (fun r => total n (fun j => 2 ^ k + p r j - q r j)) := coefficientSums.trans (side_congr fun r _ => once r)
  have small : ∀ r, r < R → total n (fun j => 2 ^ k + p r j - q r j) < 2 ^ (b * c) := fun r hr => by
    have one := Nat.mul_le_mul positive (Nat.le.refl (n := total n (fun j => 2 ^ k + p r j - q r j)))
    rw [Natural.one_mul] at one
    have le : b - 1 ≤ b * c := by
      refine Nat.le_trans (Natural.sub_le b 1) ?_
      have g := Nat.mul_le_mul (Nat.le.refl (n := b)) hc
      rw [Natural.mul_one] at g; exact g
    refine lt_of_lt_of_le (below (Nat.le_trans one (Nat.le_trans (hU r hr) ?_))) (two_pow_le le)
    rw [five, four, Nat.add_assoc]; exact Nat.le_add_right _ _
  have distance : wider b w c levels (side b c R (fun r => total n (fun j => 2 ^ k + p r j - q r j))) =
      side b w R (fun r => total n (fun j => 2 ^ k + p r j - q r j)) := wider_eq hb hc hcw hl small
  have first : Nat.mul (Nat.mul (Nat.pow 2 k) (pack b m fun i => total n fun j => K + (entry ds j).positive i - (entry ds j).negative i)) (ones (b.mul w) R) =
      grid b w m R (fun _ i => 2 ^ k * total n fun j => K + (entry ds j).positive i - (entry ds j).negative i) := by
    show 2 ^ k * _ * ones (b * w) R = _
    rw [← pack_mul, repeat_pack row]
  have second : Nat.mul (Nat.mul K (side b w R fun r => total n fun j => 2 ^ k + p r j - q r j)) (ones b m) =
      grid b w m R (fun r _ => K * total n fun j => 2 ^ k + p r j - q r j) := by
    show K * _ * ones b m = _
    rw [← side_mul, ones_eq hb, side_mul_pack]
    exact grid_congr fun _ _ _ _ => Natural.mul_one _
  have third : Nat.mul (Nat.mul n (Nat.mul (Nat.pow 2 k) K)) (grid b w m R (fun _ _ => 1)) = grid b w m R (fun _ _ => n * (2 ^ k * K)) := by
    show n * (2 ^ k * K) * _ = _
    rw [← grid_mul]
    exact grid_congr fun _ _ _ _ => Natural.mul_one _
  -- the result
  have agree : ∀ r, r < R → ∀ i, i < m →
      total n (fun j => (2 ^ k + p r j - q r j) * (K + (entry ds j).positive i - (entry ds j).negative i)) + n * (2 ^ k * K) + combined ds n (q r) (p r) i =
      2 ^ k * total n (fun j => K + (entry ds j).positive i - (entry ds j).negative i) + K * total n (fun j => 2 ^ k + p r j - q r j) +
        combined ds n (p r) (q r) i := fun r hr i hi => by
    have t := offset_total n (fun j => 2 ^ k + p r j - q r j) (fun j => K + (entry ds j).positive i - (entry ds j).negative i) (p r) (q r)
      (fun j => (entry ds j).positive i) (fun j => (entry ds j).negative i) (fun j hj => hA r hr j hj) (fun j hj => hW j hj i hi)
    have swap : total n (fun j => p r j * (entry ds j).negative i + q r j * (entry ds j).positive i) = combined ds n (q r) (p r) i :=
      total_congr fun j _ => Nat.add_comm _ _
    rw [swap] at t
    exact t
  have largeX : ∀ r, r < R → ∀ i, i < m →
      total n (fun j => (2 ^ k + p r j - q r j) * (K + (entry ds j).positive i - (entry ds j).negative i)) + n * (2 ^ k * K) < 2 ^ (b - 1) :=
    fun r hr i hi => below (by rw [five]; exact Nat.add_le_add (total_four r hr i hi) Nat.le.refl)
  have largeY : ∀ r, r < R → ∀ i, i < m →
      2 ^ k * total n (fun j => K + (entry ds j).positive i - (entry ds j).negative i) + K * total n (fun j => 2 ^ k + p r j - q r j) < 2 ^ (b - 1) :=
    fun r hr i hi => below (by
      rw [five, four]
      exact Nat.le_trans (Nat.add_le_add (hT i hi) (hU r hr)) (Nat.le_add_right _ _))
  unfold backward
  simp only [force_eq, evaluated_eq]
  rw [coefficients, coefficientSums, weightSums, distance, first, second, full', third]
  rw [product]
  have x := (grid_add b w m R (fun r i => total n (fun j => (2 ^ k + p r j - q r j) * (K + (entry ds j).positive i - (entry ds j).negative i)))
    (fun _ _ => n * (2 ^ k * K))).symm
  have y := (grid_add b w m R (fun _ i => 2 ^ k * total n fun j => K + (entry ds j).positive i - (entry ds j).negative i)
    (fun r _ => K * total n fun j => 2 ^ k + p r j - q r j)).symm
  have xy := minus_eq (k := b - 1) hm guard largeX largeY
  have yx := minus_eq (k := b - 1) hm guard largeY largeX
  rw [← x, ← y] at xy yx
  refine (congrArg₂ (fun u v => next u v) xy yx).trans ?_
  refine congrArg₂ (fun u v => next u v) (grid_congr fun r hr i hi => ?_) (grid_congr fun r hr i hi => ?_)
  · exact sub_eq_sub (agree r hr i hi)
  · exact sub_eq_sub (agree r hr i hi).symm

end Matrix
end PytestTorchLean
