prelude
import PytestTorchLean.Approximation.Layers
/-!
# What the approximating network computes

`Table.interpolates`: in exact arithmetic its output, in units, is the greatest of the pieces. A piece is the
value at a grid point less the distance from there, coordinate by coordinate.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Approximation
variable {K : Type u} [OrderedRing K]

/-- `a` is the absolute value of `x`. -/
def IsAbsolute (x a : K) : Prop := AtMost x a ∧ (a = x ∨ a = -x)

theorem isAbsolute_relu {x p q : K} (h : IsRelu x p) (g : IsRelu (-x) q) : IsAbsolute x (p + q) := by
  cases h with
  | inl h =>
    have e : q = 0 := by
      cases g with
      | inr g => exact g.2
      | inl g =>
        have z : x ≤ 0 := le_cert ((ring1 K x, 0 - x, -x) x) g.1
        rw [g.2, le_antisymm z h.1]; exact neg_zero
    rw [h.2, e, add_zer]
    exact ⟨⟨le_refl _, le_trans (le_cert ((ring1 K x, 0 - -x, x) x) h.1) h.1⟩, Or.inl rfl⟩
  | inr h =>
    have hn := neg_nonneg h.1
    have e : q = -x := by
      cases g with
      | inl g => exact g.2
      | inr g => rw [g.2]; exact le_antisymm hn g.1
    rw [h.2, e, zero_add]
    exact ⟨⟨le_trans h.1 hn, le_refl _⟩, Or.inr rfl⟩

namespace Table
variable {t : Table}

/-- Units in 1, for the inputs and for the output. -/
def inputUnit (t : Table) : Nat := 2 ^ (t.inputBits * t.inputSteps)
def outputUnit (t : Table) : Nat := 2 ^ (t.outputBits * t.outputSteps)
/-- `y` is the piece of a grid point at the inputs `x`: the value there less the distances. -/
def Piece (t : Table) (x : Nat → K) (point : Nat) (y : K) : Prop :=
  ∃ distance : Nat → K,
    (∀ i, i < t.inputs →
        IsAbsolute
          (natural t.inputUnit * x i + natural t.shift - natural (t.coordinate (digit t.gridBits point i)))
          (distance i)) ∧
    y = natural (t.value point) - natural t.valueShift - sum t.inputs distance
/-- `y`, in units, is the greatest of the pieces. -/
def Interpolates (t : Table) (x : Nat → K) (y : K) : Prop :=
  (∀ point, point < t.points → ∃ z, t.Piece x point z ∧ z ≤ natural t.outputUnit * y) ∧
    ∃ point, point < t.points ∧ t.Piece x point (natural t.outputUnit * y)

/-- Digits have at most 24 bits, so that binary32 holds them; the constants have no more digits than are
    provided for. -/
structure WellFormed (t : Table) : Prop where
  inputBits : t.inputBits ≤ 24
  outputBits : t.outputBits ≤ 126
  inputSteps : t.inputSteps ≤ t.steps
  digits : t.digits ≤ t.steps + 1
  constants : ∀ k, k < t.constantCount → t.constant k < 2 ^ (t.inputBits * t.digits)

theorem constant_grid {k : Nat} (h : k < t.side) : t.constant k = t.coordinate k := by
  unfold constant
  rw [Nat.ble_eq_true_of_le h]; rfl
theorem beq_false {m n : Nat} (h : m ≠ n) : Nat.beq m n = false := by
  cases e : Nat.beq m n with
  | false => rfl
  | true => exact absurd (Nat.eq_of_beq_eq_true e) h
theorem ble_false {m n : Nat} (h : n < m) : Nat.ble m n = false := by
  cases e : Nat.ble m n with
  | false => rfl
  | true => exact absurd (Nat.le_of_ble_eq_true e) (Nat.not_le_of_lt h)
theorem constant_shift : t.constant t.side = t.shift := by
  unfold constant
  rw [ble_false Nat.le.refl, Nat.beq_refl]; rfl
theorem constant_valueShift : t.constant (t.side + 1) = t.valueShift := by
  unfold constant
  rw [ble_false (Nat.le.step Nat.le.refl),
      beq_false (fun e => Nat.not_succ_le_self t.side (Natural.le_of_eq e)), Nat.beq_refl]
  rfl
theorem constant_value (p : Nat) : t.constant (t.side + 2 + p) = t.value p := by
  have e : t.side + 2 + p - (t.side + 2) = p := Natural.add_sub_cancel_left _ _
  have l : t.side + 2 ≤ t.side + 2 + p := Nat.le_add_right _ _
  unfold constant
  have b : Nat.ble (t.side + 2 + p + 1) t.side = false :=
    ble_false (Nat.succ_le_succ (Nat.le_trans (Nat.le_add_right t.side 2) l))
  have c : Nat.beq (t.side + 2 + p) t.side = false :=
    beq_false fun e =>
      Nat.lt_irrefl t.side (Nat.le_trans (Nat.le.step Nat.le.refl) (Nat.le_trans l (Natural.le_of_eq e)))
  have d : Nat.beq (t.side + 2 + p) (t.side + 1) = false :=
    beq_false fun e => Nat.lt_irrefl (t.side + 1) (Nat.le_trans l (Natural.le_of_eq e))
  rw [b, c, d, e]; rfl

theorem constant_small {bound : Nat}
    (coordinates : ∀ c, c < t.side → t.coordinate c < bound)
    (shift : t.shift < bound)
    (valueShift : t.valueShift < bound)
    (values : ∀ p, p < t.points → t.value p < bound)
    {k : Nat}
    (hk : k < t.constantCount) :
    t.constant k < bound := by
  cases Nat.lt_or_ge k t.side with
  | inl h => rw [constant_grid h]; exact coordinates k h
  | inr h =>
    obtain ⟨j, rfl⟩ := Nat.exists_of_le h
    cases j with
    | zero => exact constant_shift.symm ▸ shift
    | succ j =>
      cases j with
      | zero => exact constant_valueShift.symm ▸ valueShift
      | succ p =>
        have e : t.side + (p + 1 + 1) = t.side + 2 + p := by rw [Nat.add_assoc t.side 2 p, Nat.add_comm 2 p]
        rw [e] at hk ⊢
        rw [constant_value]
        refine values p (Nat.lt_of_not_le fun g => Nat.not_le_of_lt hk ?_)
        exact Nat.add_le_add (Nat.le_refl _) g

/-- **The network computes the interpolation.** -/
theorem interpolates (well : t.WellFormed) {v : Nat → K} (h : t.network.Executes .real v) :
    t.Interpolates (fun i => v (2 + i)) (v t.output) := by
  obtain ⟨_, h1, h⟩ := h
  obtain ⟨scaled, h⟩ := layersHold_joined h
  have first : (2 + t.inputs : Nat) = 1 + (1 + t.inputs) := Nat.add_assoc 1 1 t.inputs
  have written_scaling :
      written (scaling (power (127 + t.inputBits)) (1 + t.inputs) t.steps 1) = t.steps * (1 + t.inputs) :=
    sized _ _ _ _
  have here : 2 + t.network.inputs + written (scaling (power (127 + t.inputBits)) (1 + t.inputs) t.steps 1) =
      t.firstConstant := by
    rw [written_scaling]
    show 2 + t.inputs + t.steps * (1 + t.inputs) = 1 + (1 + t.inputs) + t.steps * (1 + t.inputs)
    rw [first]
  have scaled : LayersHold .real v (1 + (1 + t.inputs))
      (scaling (power (127 + t.inputBits)) (1 + t.inputs) t.steps 1) := by
    rw [← first]; exact scaled
  rw [here] at h
  have grows := scaling_grows well.inputBits scaled
  obtain ⟨constants, differences, relu, pieces, h⟩ :
    (constants t.inputBits t.digits (1 + t.inputs) t.constantCount t.constant).Holds .real v t.firstConstant ∧
    (differences t.inputs t.side t.firstScaled (t.firstConstant + t.side) t.firstConstant).Holds .real v
      (t.firstConstant + 1 * t.constantCount) ∧
    (Layer.relu t.firstDifference (t.side * t.inputs * 2)).Holds .real v
      (t.firstConstant + 1 * t.constantCount + t.side * t.inputs * 2) ∧
    (pieces t.inputs t.gridBits (t.firstConstant + (t.side + 2)) (t.firstConstant + (t.side + 1))
        t.firstRelu).Holds .real v
      (t.firstConstant + 1 * t.constantCount + t.side * t.inputs * 2 + t.side * t.inputs * 2) ∧
    LayersHold .real v
      (t.firstConstant + 1 * t.constantCount + t.side * t.inputs * 2 + t.side * t.inputs * 2 + t.points * 1)
      (joined (maximum t.byRelu (t.gridBits * t.inputs) t.firstPiece)
        (scaling (power (127 - t.outputBits)) 1 t.outputSteps t.lastPiece)) := h
  rw [Nat.one_mul] at differences relu pieces h
  rw [Nat.mul_one t.points] at h
  have scales :
      ∀ k, k < t.digits → v (1 + k * (1 + t.inputs)) = natural (2 ^ (t.inputBits * k)) := fun k hk => by
    have z := grows k (Nat.le_of_succ_le_succ (Nat.lt_of_lt_of_le hk well.digits)) 0
      (by rw [Nat.add_comm]; exact Nat.succ_pos _)
    have z : v (1 + k * (1 + t.inputs)) = natural (2 ^ (t.inputBits * k)) * v 1 := z
    rw [z, h1]; exact mul_on _
  have inputs : ∀ i, i < t.inputs → v (t.firstScaled + i) = natural t.inputUnit * v (2 + i) := fun i hi => by
    have z := grows t.inputSteps well.inputSteps (1 + i) (Nat.add_le_add (Nat.le_refl 1) hi)
    rw [← Nat.add_assoc, ← Nat.add_assoc] at z
    exact z
  have constant : ∀ k, k < t.constantCount → v (t.firstConstant + k) = natural (t.constant k) := fun k hk =>
    constants_hold well.inputBits scales constants hk (well.constants k hk)
  have side_lt : t.side + 1 < t.constantCount := Nat.le_add_right (t.side + 2) t.points
  have shift : v (t.firstConstant + t.side) = natural t.shift := by
    rw [constant t.side (Natural.le_of_lt side_lt), constant_shift]
  have valueShift : v (t.firstConstant + (t.side + 1)) = natural t.valueShift := by
    rw [constant _ side_lt, constant_valueShift]
  obtain ⟨⟨above, point, inside, attained⟩, ending⟩ := maximum_holds h
  have out := scaling_shrinks well.outputBits ending
  have piece : ∀ p, p < t.points → t.Piece (fun i => v (2 + i)) p (v (t.firstPiece + p)) := fun p hp => by
    refine ⟨fun i => v (t.firstRelu + (0 + 2 * (digit t.gridBits p i + 2 ^ t.gridBits * i))) +
      v (t.firstRelu + (1 + 2 * (digit t.gridBits p i + 2 ^ t.gridBits * i))), fun i hi => ?_, ?_⟩
    · have c := digit_lt t.gridBits p i
      have place : ∀ j, j < 2 → j + 2 * (digit t.gridBits p i + 2 ^ t.gridBits * i) < t.side * t.inputs * 2 :=
          fun j hj => by
        rw [Nat.mul_comm _ 2]
        exact Natural.add_mul_lt hj (Natural.add_mul_lt c hi)
      obtain ⟨plus, minus⟩ := differences_hold differences hi c
      rw [inputs i hi, shift,
          constant _ (Nat.lt_of_lt_of_le c (Nat.le_trans (Nat.le_add_right _ 1) (Natural.le_of_lt side_lt))),
          constant_grid c] at plus minus
      have up := relu _ (place 0 (by decide))
      have down := relu _ (place 1 (by decide))
      have up : IsRelu (v (t.firstDifference + (0 + 2 * (digit t.gridBits p i + 2 ^ t.gridBits * i))))
        (v (t.firstRelu + (0 + 2 * (digit t.gridBits p i + 2 ^ t.gridBits * i)))) := up
      have down : IsRelu (v (t.firstDifference + (1 + 2 * (digit t.gridBits p i + 2 ^ t.gridBits * i))))
        (v (t.firstRelu + (1 + 2 * (digit t.gridBits p i + 2 ^ t.gridBits * i)))) := down
      have plus : v (t.firstDifference + (0 + 2 * (digit t.gridBits p i + 2 ^ t.gridBits * i))) = _ := plus
      have minus : v (t.firstDifference + (1 + 2 * (digit t.gridBits p i + 2 ^ t.gridBits * i))) = _ := minus
      rw [plus] at up
      rw [minus] at down
      exact isAbsolute_relu up down
    · have z := pieces_hold pieces hp
      have value : v (t.firstConstant + (t.side + 2) + p) = natural (t.value p) := by
        rw [Nat.add_assoc t.firstConstant,
            constant (t.side + 2 + p) (Nat.add_le_add (Nat.le_refl (t.side + 2)) hp), constant_value]
      rw [value, valueShift] at z
      exact z
  refine ⟨fun p hp => ⟨_, piece p hp, ?_⟩, point, inside, ?_⟩
  · have z := above p hp
    refine le_trans z (le_of_eq ?_)
    exact out.symm
  · have z := piece point inside
    have attained : v (t.firstPiece + point) = v (peak t.byRelu (t.gridBits * t.inputs) t.firstPiece) :=
      attained
    rw [attained] at z
    have e : natural t.outputUnit * v t.output = v (peak t.byRelu (t.gridBits * t.inputs) t.firstPiece) := out
    rw [e]; exact z
where
  sized (weight count : Nat) :
    (steps first : Nat) → written (scaling weight count steps first) = steps * count
    | 0, _ => (Nat.zero_mul count).symm
    | steps + 1, first => by
      show count * 1 + written (scaling weight count steps (first + count)) = (steps + 1) * count
      rw [sized weight count steps (first + count), Nat.mul_one, Nat.succ_mul, Nat.add_comm]
end Table

end Approximation
end PytestTorchLean
