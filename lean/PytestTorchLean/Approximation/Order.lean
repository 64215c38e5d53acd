prelude
import PytestTorchLean.Approximation.Computes
import PytestTorchLean.Approximation.Lowering
/-!
# The approximating network's size, and that every layer reads what earlier ones wrote
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Approximation
open Natural

theorem written_joined :
    (first rest : List Layer) → written (joined first rest) = written first + written rest
  | [], rest => (Nat.zero_add _).symm
  | layer :: first, rest => by
    show layer.size + written (joined first rest) = layer.size + written first + written rest
    rw [written_joined first rest, Nat.add_assoc]
theorem inOrder_joined : {first rest : List Layer} → {start : Nat} → InOrder start first →
    InOrder (start + written first) rest → InOrder start (joined first rest)
  | [], _, _, _, g => g
  | layer :: first, rest, start, h, g => by
    refine ⟨h.1, inOrder_joined h.2 ?_⟩
    rw [Nat.add_assoc]; exact g

theorem written_scaling (weight count : Nat) :
    (steps first : Nat) → written (scaling weight count steps first) = steps * count
  | 0, _ => (Nat.zero_mul count).symm
  | steps + 1, first => by
    show count * 1 + written (scaling weight count steps (first + count)) = (steps + 1) * count
    rw [written_scaling weight count steps (first + count), Nat.mul_one, Nat.succ_mul, Nat.add_comm]
theorem inOrder_scaling {weight count : Nat} (h : weight < 2 ^ 32) :
    (steps first : Nat) → InOrder (first + count) (scaling weight count steps first)
  | 0, _ => trivial
  | steps + 1, first => by
    refine ⟨⟨fun _ _ _ _ => h, fun _ _ hp _ => Nat.add_le_add (Nat.le_refl first) hp⟩, ?_⟩
    have size : (scale weight count first).size = count := Nat.mul_one count
    rw [size]
    exact inOrder_scaling h steps (first + count)

theorem one_small : one < 2 ^ 32 := by decide +kernel
theorem minusOne_small : minusOne < 2 ^ 32 := by decide +kernel
theorem cond_small {b : Bool} {x y n : Nat} (hx : x < n) (hy : y < n) : cond b x y < n := by
  cases b with
  | true => exact hx
  | false => exact hy
theorem place {first count i : Nat} (h : i < count) : first + i < first + count :=
  Nat.add_le_add (Nat.le_refl first) h

theorem pairs_size {first count : Nat} :
    first + 2 * count + count * 1 = first + 3 * count ∧ first + 3 * count + count = first + 4 * count := by
  refine ⟨?_, ?_⟩
  · rw [Nat.mul_one, Nat.succ_mul 2, Nat.add_assoc]
  · rw [Nat.succ_mul 3, Nat.add_assoc]

/-- A round ends with its maxima. -/
theorem written_round (byRelu : Bool) (count first : Nat) :
    first + 2 * count + written (round byRelu count first) = first + stride byRelu * count + count := by
  cases byRelu with
  | true =>
    obtain ⟨e1, e2⟩ := pairs_size (first := first) (count := count)
    show first + 2 * count + (count * 1 + (count + (count * 1 + 0))) = first + 4 * count + count
    rw [← Nat.add_assoc, e1, ← Nat.add_assoc, e2, Nat.mul_one]; rfl
  | false => rfl
theorem inOrder_round (byRelu : Bool) (count first : Nat) :
    InOrder (first + 2 * count) (round byRelu count first) := by
  have two : ∀ column, column < 2 →
      ∀ position, position < count → position + count * column < 2 * count := fun column hk position hp => by
    rw [Nat.mul_comm 2]; exact add_mul_lt hp hk
  cases byRelu with
  | false => exact ⟨fun i side hi hside => place (two side hside i hi), trivial⟩
  | true =>
    obtain ⟨e1, e2⟩ := pairs_size (first := first) (count := count)
    show (pairDifferences count first).ReadsBelow (first + 2 * count) ∧
      (Layer.relu (first + 2 * count) count).ReadsBelow (first + 2 * count + count * 1) ∧
      (pairMaxima count first).ReadsBelow (first + 2 * count + count * 1 + count) ∧
      True
    rw [e1, e2]
    refine ⟨⟨fun _ _ _ _ => cond_small one_small minusOne_small, fun p k hp hk => place (two k hk p hp)⟩,
        fun i hi => ?_, ⟨fun _ _ _ _ => one_small, fun p k hp hk => ?_⟩, trivial⟩
    · rw [← e1, Nat.mul_one]
      exact place hi
    · refine place ?_
      have e4 : 4 * count = count + (2 * count + count) := by
        rw [Nat.add_left_comm, ← Nat.two_mul, ← Nat.add_mul]
      have z : p + 2 * count * k < 2 * count + count := by
        cases k with
        | zero => exact Nat.lt_of_lt_of_le hp (Nat.le_add_left _ _)
        | succ k =>
          have k0 : k = 0 := Nat.eq_zero_of_le_zero (Nat.le_of_succ_le_succ (Nat.le_of_succ_le_succ hk))
          rw [k0, Nat.mul_one, Nat.add_comm]
          exact place hp
      rw [e4]
      exact place z

/-- The maximum's layers end with their peak. -/
theorem written_maximum (byRelu : Bool) :
    (levels first : Nat) →
    first + 2 ^ levels + written (maximum byRelu levels first) = peak byRelu levels first + 1
  | 0, _ => rfl
  | levels + 1, first => by
    have double : 2 ^ (levels + 1) = 2 * 2 ^ levels := Nat.mul_comm (2 ^ levels) 2
    rw [double]
    show first + 2 * 2 ^ levels + written (joined (round byRelu (2 ^ levels) first)
          (maximum byRelu levels (first + stride byRelu * 2 ^ levels))) = _
    rw [written_joined, ← Nat.add_assoc, written_round]
    exact written_maximum byRelu levels (first + stride byRelu * 2 ^ levels)
theorem peak_eq (byRelu : Bool) :
    (levels first : Nat) → peak byRelu levels first + stride byRelu = first + stride byRelu * 2 ^ levels
  | 0, first => congrArg (fun n => first + n) (Nat.mul_one _).symm
  | levels + 1, first => by
    have double : 2 ^ (levels + 1) = 2 ^ levels + 2 ^ levels := by
      show 2 ^ levels * 2 = _
      rw [Nat.mul_comm, Nat.two_mul]
    show peak byRelu levels (first + stride byRelu * 2 ^ levels) + stride byRelu = _
    rw [peak_eq byRelu levels (first + stride byRelu * 2 ^ levels), double, Nat.mul_add, Nat.add_assoc]
theorem inOrder_maximum (byRelu : Bool) :
    (levels first : Nat) → InOrder (first + 2 ^ levels) (maximum byRelu levels first)
  | 0, _ => trivial
  | levels + 1, first => by
    have double : 2 ^ (levels + 1) = 2 * 2 ^ levels := Nat.mul_comm (2 ^ levels) 2
    rw [double]
    refine inOrder_joined (inOrder_round byRelu (2 ^ levels) first) ?_
    rw [written_round]
    exact inOrder_maximum byRelu levels (first + stride byRelu * 2 ^ levels)

namespace Table
variable {t : Table}

/-- The output is the last slot. -/
theorem slots_output (t : Table) : t.network.slots = t.output + 1 := by
  have e := written_maximum t.byRelu (t.gridBits * t.inputs) t.firstPiece
  show 2 + t.inputs + written t.network.layers = t.lastPiece + t.outputSteps + 1
  unfold network
  rw [written_joined, written_scaling]
  show 2 + t.inputs + (t.steps * (1 + t.inputs) + (1 * t.constantCount +
            (t.side * t.inputs * 2 + (t.side * t.inputs * 2 +
                    (t.points * 1 + written (joined (maximum t.byRelu (t.gridBits * t.inputs) t.firstPiece)
                            (scaling _ 1 t.outputSteps t.lastPiece))))))) = _
  rw [written_joined, written_scaling, Nat.one_mul, Nat.mul_one, Nat.mul_one, ← Nat.add_assoc (2 + t.inputs),
      ← Nat.add_assoc, ← Nat.add_assoc, ← Nat.add_assoc, ← Nat.add_assoc, ← Nat.add_assoc]
  have first : 2 + t.inputs + t.steps * (1 + t.inputs) + t.constantCount + t.side * t.inputs * 2 +
        t.side * t.inputs * 2 = t.firstPiece := by
    show _ = 1 + (1 + t.inputs) + t.steps * (1 + t.inputs) + t.constantCount + t.side * t.inputs * 2 +
        t.side * t.inputs * 2
    rw [← Nat.add_assoc 1 1 t.inputs]
  have e : t.firstPiece + t.points + written (maximum t.byRelu (t.gridBits * t.inputs) t.firstPiece) =
    t.lastPiece + 1 := e
  rw [first, e, Natural.add_right_comm]

/-- **The size.** `stride` is 4 with ReLUs and 2 with maximum nodes, so these are 5 or 3 numbers for each grid
    point, `4 d + 1` for each coordinate of the grid and `d + 1` for each scaling of the inputs. -/
theorem slots_eq (t : Table) :
    t.network.slots + stride t.byRelu =
    5 + t.inputs + t.steps * (1 + t.inputs) + (t.side + 4 * (t.side * t.inputs)) +
      (1 + stride t.byRelu) * t.points + t.outputSteps := by
  have p : t.lastPiece + stride t.byRelu = t.firstPiece + stride t.byRelu * t.points := peak_eq _ _ _
  rw [slots_output]
  show t.lastPiece + t.outputSteps + 1 + stride t.byRelu = _
  rw [Natural.add_right_comm, Natural.add_right_comm _ t.outputSteps, p, Nat.add_mul, Nat.one_mul]
  show 1 + (1 + t.inputs) + t.steps * (1 + t.inputs) + (t.side + 2 + t.points) + t.side * t.inputs * 2 +
    t.side * t.inputs * 2 + stride t.byRelu * t.points + t.outputSteps + 1 = _
  generalize t.steps * (1 + t.inputs) = a
  generalize t.side * t.inputs = b
  generalize t.side = c
  generalize stride t.byRelu * t.points = s
  have four : 4 * b = b * 2 + b * 2 := by rw [Nat.mul_comm 4 b, ← Nat.mul_add]
  have five : (5 : Nat) = 1 + (1 + (1 + 2)) := rfl
  rw [four]
  conv => rhs; rw [five]
  simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

/-- Every layer reads what earlier ones wrote. -/
theorem inOrder (well : t.WellFormed) : InOrder (2 + t.network.inputs) t.network.layers := by
  have first : (2 + t.inputs : Nat) = 1 + (1 + t.inputs) := Nat.add_assoc 1 1 t.inputs
  have word : ∀ {n}, n < 2 ^ 31 → n < 2 ^ 32 := fun h => Nat.lt_of_lt_of_le h (two_pow_le (by decide))
  show InOrder (2 + t.inputs) _
  rw [first]
  refine inOrder_joined (inOrder_scaling (word (power_small ?_)) t.steps 1) ?_
  · exact Nat.lt_of_le_of_lt (Nat.add_le_add (Nat.le_refl 127) well.inputBits) (by decide)
  rw [written_scaling]
  have start : 1 + (1 + t.inputs) + t.steps * (1 + t.inputs) = t.firstConstant := rfl
  rw [start]
  have side_lt : t.side + 1 < t.constantCount := Nat.le_add_right (t.side + 2) t.points
  have known :
      ∀ {k}, k < t.constantCount → t.firstConstant + k < t.firstConstant + 1 * t.constantCount := fun h => by
    rw [Nat.one_mul]; exact place h
  refine ⟨⟨fun row column _ _ =>
        word (whole_small (Nat.lt_of_lt_of_le (digit_lt t.inputBits _ _) (two_pow_le well.inputBits))),
        fun _ column _ hc => ?_⟩,
      ⟨fun _ column _ _ => cond_small one_small minusOne_small, fun p column hp _ => ?_⟩, fun i hi => ?_,
      ⟨fun _ _ _ _ => cond_small one_small minusOne_small, fun p column hp hc => ?_⟩, ?_⟩
  · have le :=
      Nat.mul_le_mul (Nat.le_of_succ_le_succ (Nat.lt_of_lt_of_le hc well.digits)) (Nat.le_refl (1 + t.inputs))
    show 1 + column * (1 + t.inputs) < 1 + (1 + t.inputs) + t.steps * (1 + t.inputs)
    refine Nat.lt_of_le_of_lt (Nat.add_le_add (Nat.le_refl 1) le) ?_
    rw [Nat.add_assoc, Nat.add_comm (1 + t.inputs), ← Nat.add_assoc]
    refine Nat.lt_of_lt_of_le (Nat.le_refl _)
      (Nat.add_le_add (Nat.le_refl (1 + t.steps * (1 + t.inputs))) (Nat.le_add_right 1 t.inputs))
  · refine cond_small ?_ (cond_small (known (Natural.le_of_lt side_lt)) (known ?_))
    · have q : p / t.side < t.inputs := div_lt (two_pow_pos _) hp
      have le := Nat.mul_le_mul well.inputSteps (Nat.le_refl (1 + t.inputs))
      refine Nat.lt_of_lt_of_le (b := t.firstConstant) ?_ (Nat.le_add_right _ _)
      show 1 + t.inputSteps * (1 + t.inputs) + 1 + p / t.side < 1 + (1 + t.inputs) + t.steps * (1 + t.inputs)
      rw [Nat.add_assoc 1 (1 + t.inputs), Nat.add_comm (1 + t.inputs), ← Nat.add_assoc,
          Nat.add_assoc _ 1 (p / t.side)]
      exact Nat.add_le_add (Nat.add_le_add (Nat.le_refl 1) le) (Nat.add_le_add (Nat.le_refl 1) q)
    · exact Nat.lt_of_lt_of_le (mod_lt (two_pow_pos _) p)
        (Nat.le_trans (Nat.le_add_right _ 1) (Natural.le_of_lt side_lt))
  · show t.firstDifference + i < t.firstConstant + 1 * t.constantCount + t.side * t.inputs * 2
    rw [Nat.one_mul]
    exact place hi
  · have later : ∀ {n}, n < t.firstConstant + 1 * t.constantCount →
        n < t.firstConstant + 1 * t.constantCount + t.side * t.inputs * 2 + t.side * t.inputs * 2 :=
      fun h => Nat.lt_of_lt_of_le h (Nat.le_trans (Nat.le_add_right _ _) (Nat.le_add_right _ _))
    cases column with
    | zero =>
      refine later ?_
      show t.firstConstant + (t.side + 2) + p < _
      rw [Nat.add_assoc]
      exact known (place hp)
    | succ column =>
      cases column with
      | zero => exact later (known side_lt)
      | succ k =>
        have hk : k < 2 * t.inputs := by
          rw [Nat.add_comm 2] at hc
          exact Nat.le_of_succ_le_succ (Nat.le_of_succ_le_succ hc)
        have inside : k % 2 + 2 * (digit t.gridBits p (k / 2) + 2 ^ t.gridBits * (k / 2)) <
            2 * (2 ^ t.gridBits * t.inputs) :=
          add_mul_lt (mod_lt (Nat.succ_pos 1) k)
            (add_mul_lt (digit_lt t.gridBits p (k / 2)) (div_lt (Nat.succ_pos 1) hk))
        rw [Nat.mul_comm 2 (2 ^ t.gridBits * t.inputs)] at inside
        show t.firstRelu + (k % 2 + 2 * (digit t.gridBits p (k / 2) + 2 ^ t.gridBits * (k / 2))) <
          t.firstConstant + 1 * t.constantCount + t.side * t.inputs * 2 + t.side * t.inputs * 2
        rw [Nat.one_mul]
        exact place inside
  · have here : t.firstConstant + 1 * t.constantCount + t.side * t.inputs * 2 + t.side * t.inputs * 2 +
          t.points * 1 = t.firstPiece + t.points := by
      rw [Nat.one_mul, Nat.mul_one t.points]; rfl
    show InOrder
      (t.firstConstant + 1 * t.constantCount + t.side * t.inputs * 2 + t.side * t.inputs * 2 + t.points * 1) _
    rw [here]
    refine inOrder_joined (inOrder_maximum _ _ _) ?_
    have e : t.firstPiece + t.points + written (maximum t.byRelu (t.gridBits * t.inputs) t.firstPiece) =
      t.lastPiece + 1 := written_maximum _ _ _
    rw [e]
    exact inOrder_scaling (word (power_small (Nat.lt_of_le_of_lt (Nat.sub_le 127 _) (by decide)))) _ _
end Table

end Approximation
end PytestTorchLean
