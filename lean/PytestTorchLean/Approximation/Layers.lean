prelude
import PytestTorchLean.Approximation.Patterns
import PytestTorchLean.Check.Relaxation.Bend
/-!
# What each layer of the approximating network computes, in exact arithmetic
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Approximation
variable {K : Type u} [OrderedRing K] {v : Nat → K}

theorem layersHold_joined {m : Semantics} :
    {first rest : List Layer} → {start : Nat} → LayersHold m v start (joined first rest) →
    LayersHold m v start first ∧ LayersHold m v (start + written first) rest
  | [], _, _, h => ⟨trivial, h⟩
  | layer :: first, rest, start, h => by
    obtain ⟨a, b⟩ := layersHold_joined (first := first) h.2
    rw [Nat.add_assoc] at b
    exact ⟨⟨h.1, a⟩, b⟩

/-- `2^149` may be cancelled. -/
theorem cancel_unit {x y : K} (h : natural (2 ^ 149) * x = natural (2 ^ 149) * y) : x = y :=
  eq_of_natural_mul_eq (Natural.two_pow_pos 149) h

/-! ### Sums -/

theorem sum_scaled (c : K) : (n : Nat) → (f : Nat → K) → sum n (fun i => c * f i) = c * sum n f
  | 0, _ => (mul_zero c).symm
  | n + 1, f => by
    show c * f 0 + sum n (fun i => c * f (i + 1)) = c * (f 0 + sum n fun i => f (i + 1))
    rw [sum_scaled c n (fun i => f (i + 1)), mul_add]
theorem sum_negated : (n : Nat) → (f : Nat → K) → sum n (fun i => -f i) = -sum n f
  | 0, _ => neg_zero.symm
  | n + 1, f => by
    show -f 0 + sum n (fun i => -f (i + 1)) = -(f 0 + sum n fun i => f (i + 1))
    rw [sum_negated n (fun i => f (i + 1)), neg_add]
/-- A sum over `2 * n`, in pairs. -/
theorem sum_pairs : (n : Nat) → (f : Nat → K) → sum (2 * n) f = sum n fun i => f (0 + 2 * i) + f (1 + 2 * i)
  | 0, _ => rfl
  | n + 1, f => by
    have e : ∀ k i : Nat, k + 2 * i + 1 + 1 = k + 2 * (i + 1) := fun k i => by rw [Nat.mul_succ]; rfl
    show f 0 + (f 1 + sum (2 * n) fun i => f (i + 1 + 1)) =
      f 0 + f 1 + sum n fun i => f (0 + 2 * (i + 1)) + f (1 + 2 * (i + 1))
    rw [sum_pairs n (fun i => f (i + 1 + 1)), add_assoc]
    refine congrArg (fun z => f 0 + (f 1 + z)) (Columns.sum_congr fun i _ => ?_)
    show f (0 + 2 * i + 1 + 1) + f (1 + 2 * i + 1 + 1) = _
    rw [e, e]
/-- A number from its digits. -/
theorem sum_digits (b : Nat) :
    (m : Nat) → (f : Nat → Nat) →
    sum m (fun k => natural (f k) * (natural (2 ^ (b * k)) : K)) = natural (pack b m f)
  | 0, _ => rfl
  | m + 1, f => by
    have e : ∀ k, natural (f (k + 1)) * (natural (2 ^ (b * (k + 1))) : K) =
        natural (2 ^ b) * (natural (f (k + 1)) * natural (2 ^ (b * k))) := fun k => by
      rw [Nat.mul_succ, Natural.pow_add, natural_mul]
      exact (ring3 K x y z, x * (y * z), z * (x * y)) _ _ _
    show natural (f 0) * natural (2 ^ (b * 0)) +
      sum m (fun k => natural (f (k + 1)) * natural (2 ^ (b * (k + 1)))) = _
    rw [Columns.sum_congr fun k _ => e k, sum_scaled, sum_digits b m (fun k => f (k + 1)), pack_succ,
        natural_add, natural_mul]
    exact congrArg (fun z => z + natural (2 ^ b) * natural (pack b m fun i => f (i + 1)))
      (mul_on (natural (f 0)))

/-! ### Scaling -/

theorem scale_holds {weight count first start : Nat} (h : (scale weight count first).Holds .real v start)
    {i : Nat} (hi : i < count) :
    natural (2 ^ 149) * v (start + i) = Binary32.scaled weight * v (first + i) := by
  have z := h i 0 hi Nat.le.refl
  have e : 0 + 1 * i = i := by rw [Nat.zero_add, Nat.one_mul]
  have z : natural (2 ^ 149) * v (start + (0 + 1 * i)) = Binary32.scaled weight * v (first + i) + 0 := z
  rw [e, add_zer] at z
  exact z

/-- Multiplied by `2^bits` in every step. -/
theorem scaling_grows {bits count : Nat} (hb : bits ≤ 24) : {steps first : Nat} →
    LayersHold .real v (first + count) (scaling (power (127 + bits)) count steps first) →
    ∀ j, j ≤ steps → ∀ i, i < count → v (first + j * count + i) = natural (2 ^ (bits * j)) * v (first + i)
  | steps, first, h, 0, _, i, _ => by
    rw [Nat.zero_mul]
    exact (one_mul _).symm
  | 0, _, _, j + 1, hj, _, _ => absurd hj (Nat.not_succ_le_zero j)
  | steps + 1, first, h, j + 1, hj, i, hi => by
    have small : 126 + bits < 254 := Nat.lt_of_le_of_lt (Nat.add_le_add (Nat.le_refl 126) hb) (by decide)
    have one := scale_holds h.1 hi
    have field : 127 + bits = 126 + bits + 1 := Natural.add_right_comm 126 1 bits
    have p : 23 + (126 + bits) = 149 + bits := by rw [← Nat.add_assoc]
    rw [field, scaled_power small, p, Natural.pow_add, natural_mul, mul_assoc] at one
    have one := cancel_unit one
    have size : (scale (power (127 + bits)) count first).size = count := Nat.mul_one count
    have rest := h.2
    rw [size] at rest
    have more := scaling_grows hb (first := first + count) rest j (Nat.le_of_succ_le_succ hj) i hi
    have place : first + count + j * count + i = first + (j + 1) * count + i := by
      rw [Nat.succ_mul, Nat.add_assoc first, Nat.add_comm count]
    rw [place, one, ← mul_assoc, ← natural_mul, ← Natural.pow_add] at more
    rw [more, Nat.mul_succ]

/-- Divided by `2^bits` in every step. -/
theorem scaling_shrinks {bits : Nat} (hb : bits ≤ 126) : {steps first : Nat} →
    LayersHold .real v (first + 1) (scaling (power (127 - bits)) 1 steps first) →
    natural (2 ^ (bits * steps)) * v (first + steps) = v first
  | 0, first, _ => one_mul _
  | steps + 1, first, h => by
    have one := scale_holds h.1 (Nat.succ_pos 0)
    have e1 : 126 - bits + bits = 126 := Natural.sub_add_cancel hb
    have field : 127 - bits = 126 - bits + 1 := by
      refine Natural.sub_eq_of_add_eq ?_
      rw [Nat.succ_add, e1]
    have split : (natural (2 ^ 149) : K) = natural (2 ^ (23 + (126 - bits))) * natural (2 ^ bits) := by
      rw [← natural_mul, ← Natural.pow_add, Nat.add_assoc, e1]
    rw [field, scaled_power (Nat.lt_of_le_of_lt (Nat.sub_le 126 bits) (by decide)), split, mul_assoc] at one
    have one := eq_of_natural_mul_eq (Natural.two_pow_pos _) one
    have more := scaling_shrinks hb (first := first + 1) h.2
    have place : first + 1 + steps = first + (steps + 1) := by rw [Nat.add_assoc, Nat.add_comm 1]
    rw [place] at more
    have one : natural (2 ^ bits) * v (first + 1) = v first := one
    rw [← more, ← mul_assoc, ← natural_mul, ← Natural.pow_add] at one
    rw [Nat.mul_succ, Nat.add_comm]
    exact one

/-! ### The table -/

theorem constants_hold {bits digits stride count start : Nat} {n : Nat → Nat}
    (hb : bits ≤ 24)
    (scales : ∀ k, k < digits → v (1 + k * stride) = natural (2 ^ (bits * k)))
    (h : (constants bits digits stride count n).Holds .real v start)
    {row : Nat}
    (hr : row < count)
    (small : n row < 2 ^ (bits * digits)) :
    v (start + row) = natural (n row) := by
  have z : natural (2 ^ 149) * v (start + row) =
      sum digits (fun k => Binary32.scaled (whole (digit bits (n row) k)) * v (1 + k * stride)) :=
    h 0 row Nat.le.refl hr
  have e : ∀ k, k < digits → Binary32.scaled (whole (digit bits (n row) k)) * v (1 + k * stride) =
      natural (2 ^ 149) * (natural (digit bits (n row) k) * natural (2 ^ (bits * k))) := fun k hk => by
    rw [scales k hk, scaled_whole (Nat.lt_of_lt_of_le (digit_lt bits _ _) (Natural.two_pow_le hb)),
        natural_mul, mul_assoc]
  rw [Columns.sum_congr e, sum_scaled, sum_digits, ← Relaxation.pack_digits digits (n row) small] at z
  exact cancel_unit z

theorem differences_hold {inputs side scaled shift grid start : Nat}
    (h : (differences inputs side scaled shift grid).Holds .real v start)
    {i c : Nat}
    (hi : i < inputs)
    (hc : c < side) :
    v (start + (0 + 2 * (c + side * i))) = v (scaled + i) + v shift - v (grid + c) ∧
    v (start + (1 + 2 * (c + side * i))) = -(v (scaled + i) + v shift - v (grid + c)) := by
  have inside : c + side * i < side * inputs := Natural.add_mul_lt hc hi
  have q : (c + side * i) / side = i := Natural.add_mul_div i hc
  have r : (c + side * i) % side = c := Natural.add_mul_mod i hc
  constructor
  · have z := h (c + side * i) 0 inside (by decide : 0 < 2)
    have z : natural (2 ^ 149) * v (start + (0 + 2 * (c + side * i))) =
      Binary32.scaled one * v (scaled + (c + side * i) / side) + (Binary32.scaled one * v shift +
        (Binary32.scaled minusOne * v (grid + (c + side * i) % side) + 0)) := z
    rw [q, r, scaled_one, scaled_minusOne] at z
    refine cancel_unit (z.trans ?_)
    exact (ring4 K u a b c, u * a + (u * b + (-u * c + 0)), u * (a + b - c)) _ _ _ _
  · have z := h (c + side * i) 1 inside (by decide : 1 < 2)
    have z : natural (2 ^ 149) * v (start + (1 + 2 * (c + side * i))) =
      Binary32.scaled minusOne * v (scaled + (c + side * i) / side) + (Binary32.scaled minusOne * v shift +
        (Binary32.scaled one * v (grid + (c + side * i) % side) + 0)) := z
    rw [q, r, scaled_one, scaled_minusOne] at z
    refine cancel_unit (z.trans ?_)
    exact (ring4 K u a b c, -u * a + (-u * b + (u * c + 0)), u * -(a + b - c)) _ _ _ _

theorem pieces_hold {inputs bits values shift relus start : Nat}
    (h : (pieces inputs bits values shift relus).Holds .real v start)
    {point : Nat}
    (hp : point < 2 ^ (bits * inputs)) :
    v (start + point) = v (values + point) - v shift - sum inputs fun i => v
          (relus + (0 + 2 * (digit bits point i + 2 ^ bits * i))) +
        v (relus + (1 + 2 * (digit bits point i + 2 ^ bits * i))) := by
  have z := h point 0 hp Nat.le.refl
  have e : 0 + 1 * point = point := by rw [Nat.zero_add, Nat.one_mul]
  have order : 2 + 2 * inputs = 2 * inputs + 1 + 1 := Nat.add_comm 2 _
  have z : natural (2 ^ 149) * v (start + (0 + 1 * point)) =
    sum (2 + 2 * inputs)
      (fun column => Binary32.scaled (pieceWeight 0 column) *
        v (cond (Nat.beq column 0) (values + point)
            (cond (Nat.beq column 1) shift (absolutePart bits point relus (column - 2))))) := z
  rw [e, order] at z
  have z : natural (2 ^ 149) * v (start + point) =
    Binary32.scaled one * v (values + point) + (Binary32.scaled minusOne * v shift +
          sum (2 * inputs) (fun k => Binary32.scaled minusOne * v (absolutePart bits point relus k))) := z
  rw [sum_scaled, sum_pairs, scaled_one, scaled_minusOne] at z
  have part : ∀ j i, j < 2 →
      absolutePart bits point relus (j + 2 * i) = relus + (j + 2 * (digit bits point i + 2 ^ bits * i)) :=
      fun j i hj => by
    unfold absolutePart
    rw [Natural.add_mul_div i hj, Natural.add_mul_mod i hj]
  refine cancel_unit (z.trans ?_)
  rw [Columns.sum_congr fun i _ => by rw [part 0 i (by decide), part 1 i (by decide)]]
  exact (ring4 K u a b c, u * a + (-u * b + -u * c), u * (a - b - c)) _ _ _ _

/-! ### Maxima -/

/-- `relu(a - b) + b` is the maximum of `a` and `b`. -/
theorem isMaximum_relu {a b r : K} (h : IsRelu (a - b) r) : IsMaximum a b (b + r) := by
  cases h with
  | inl h =>
    obtain ⟨le, e⟩ := h
    subst e
    exact Or.inl ⟨le_cert ((ring2 K a b, a - b, a - b) a b) le, (ring2 K a b, b + (a - b), a) a b⟩
  | inr h =>
    obtain ⟨le, e⟩ := h
    subst e
    exact Or.inr ⟨le_cert ((ring2 K a b, b - a, 0 - (a - b)) a b) (sub_nonneg le), add_zer b⟩

/-- `y` is the greatest of `count` slots from `first` on. -/
def Greatest (v : Nat → K) (first count : Nat) (y : K) : Prop :=
  (∀ i, i < count → v (first + i) ≤ y) ∧ ∃ i, i < count ∧ v (first + i) = y

theorem pairs_hold {count first : Nat}
    (differ : (pairDifferences count first).Holds .real v (first + 2 * count))
    (relu : (Layer.relu (first + 2 * count) count).Holds .real v (first + 3 * count))
    (add : (pairMaxima count first).Holds .real v (first + 4 * count))
    {i : Nat}
    (hi : i < count) :
    IsMaximum (v (first + i)) (v (first + (count + i))) (v (first + 4 * count + i)) := by
  have e : 0 + 1 * i = i := by rw [Nat.zero_add, Nat.one_mul]
  have d := differ i 0 hi Nat.le.refl
  have d : natural (2 ^ 149) * v (first + 2 * count + (0 + 1 * i)) =
    Binary32.scaled one * v (first + (i + count * 0)) +
      (Binary32.scaled minusOne * v (first + (i + count * 1)) + 0) := d
  have e1 : i + count * 1 = count + i := by rw [Nat.mul_one, Nat.add_comm]
  rw [e, e1, scaled_one, scaled_minusOne] at d
  have d := cancel_unit (d.trans ((ring3 K u a b, u * a + (-u * b + 0), u * (a - b)) _ _ _))
  have r := relu i hi
  rw [d] at r
  have s := add i 0 hi Nat.le.refl
  have s : natural (2 ^ 149) * v (first + 4 * count + (0 + 1 * i)) =
    Binary32.scaled one * v (first + (count + (i + 2 * count * 0))) +
      (Binary32.scaled one * v (first + (count + (i + 2 * count * 1))) + 0) := s
  have e2 : first + (count + (i + 2 * count * 1)) = first + 3 * count + i := by
    rw [Nat.mul_one, Nat.succ_mul 2 count]
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  rw [e, e2, scaled_one] at s
  have s := cancel_unit (s.trans ((ring3 K u a b, u * a + (u * b + 0), u * (a + b)) _ _ _))
  rw [s]
  exact isMaximum_relu r

/-- A round writes the maxima of its pairs. -/
theorem round_holds {byRelu : Bool} {count first : Nat} {rest : List Layer}
    (h : LayersHold .real v (first + 2 * count) (joined (round byRelu count first) rest)) :
    (∀ i, i < count →
        IsMaximum (v (first + i)) (v (first + (count + i))) (v (first + stride byRelu * count + i))) ∧
    LayersHold .real v (first + stride byRelu * count + count) rest := by
  cases byRelu with
  | true =>
    obtain ⟨differ, relu, add, more⟩ : (pairDifferences count first).Holds .real v (first + 2 * count) ∧
      (Layer.relu (first + 2 * count) count).Holds .real v (first + 2 * count + count * 1) ∧
      (pairMaxima count first).Holds .real v (first + 2 * count + count * 1 + count) ∧
      LayersHold .real v (first + 2 * count + count * 1 + count + count * 1) rest := h
    have e3 : first + 2 * count + count = first + 3 * count := by rw [Nat.succ_mul 2, Nat.add_assoc]
    have e4 : first + 3 * count + count = first + 4 * count := by rw [Nat.succ_mul 3, Nat.add_assoc]
    rw [Nat.mul_one, e3] at relu
    rw [Nat.mul_one, e3, e4] at add more
    exact ⟨fun i hi => pairs_hold differ relu add hi, more⟩
  | false =>
    obtain ⟨maxima, more⟩ : (directMaxima count first).Holds .real v (first + 2 * count) ∧
      LayersHold .real v (first + 2 * count + count) rest := h
    refine ⟨fun i hi => ?_, more⟩
    have z :
      IsMaximum (v (first + (i + count * 0))) (v (first + (i + count * 1))) (v (first + 2 * count + i)) :=
      maxima i hi
    rw [Nat.mul_one, Nat.add_comm i count] at z
    exact z

theorem maximum_holds {byRelu : Bool} :
    {levels first : Nat} → {rest : List Layer} →
    LayersHold .real v (first + 2 ^ levels) (joined (maximum byRelu levels first) rest) →
    Greatest v first (2 ^ levels) (v (peak byRelu levels first)) ∧
      LayersHold .real v (peak byRelu levels first + 1) rest
  | 0, first, rest, h => by
    refine ⟨⟨fun i hi => ?_, 0, Nat.le.refl, rfl⟩, h⟩
    have z : i = 0 := Nat.eq_zero_of_le_zero (Nat.le_of_succ_le_succ hi)
    subst z
    exact le_refl _
  | levels + 1, first, rest, h => by
    have double : 2 ^ (levels + 1) = 2 * 2 ^ levels := Nat.mul_comm (2 ^ levels) 2
    rw [double] at h ⊢
    have h : LayersHold .real v (first + 2 * 2 ^ levels)
      (joined (joined (round byRelu (2 ^ levels) first)
            (maximum byRelu levels (first + stride byRelu * 2 ^ levels))) rest) := h
    rw [joined_assoc] at h
    obtain ⟨pair, more⟩ := round_holds h
    obtain ⟨⟨above, i, hi, attained⟩, rest⟩ := maximum_holds (levels := levels) more
    have here : peak byRelu (levels + 1) first = peak byRelu levels (first + stride byRelu * 2 ^ levels) :=
      rfl
    rw [here]
    generalize 2 ^ levels = count at *
    refine ⟨⟨fun k hk => ?_, ?_⟩, rest⟩
    · cases Nat.lt_or_ge k count with
      | inl l =>
        refine le_trans ?_ (above k l)
        cases pair k l with
        | inl p => exact le_of_eq p.2.symm
        | inr p => rw [p.2]; exact p.1
      | inr g =>
        obtain ⟨j, rfl⟩ := Nat.exists_of_le g
        rw [Nat.two_mul] at hk
        have l : j < count := by
          rw [Nat.add_comm count j] at hk
          exact Nat.le_of_add_le_add_right count (by rw [Nat.succ_add]; exact hk)
        refine le_trans ?_ (above j l)
        cases pair j l with
        | inl p => rw [p.2]; exact p.1
        | inr p => exact le_of_eq p.2.symm
    · cases pair i hi with
      | inl p =>
        refine ⟨i, Nat.lt_of_lt_of_le hi ?_, p.2.symm.trans attained⟩
        rw [Nat.two_mul]; exact Nat.le_add_right count count
      | inr p =>
        refine ⟨count + i, ?_, p.2.symm.trans attained⟩
        rw [Nat.two_mul]
        exact Nat.add_le_add (Nat.le_refl count) hi
where
  joined_assoc (a b c : List Layer) : joined (joined a b) c = joined a (joined b c) := by
    induction a with
    | nil => rfl
    | cons x a ih => exact congrArg (fun t => x :: t) ih

end Approximation
end PytestTorchLean
