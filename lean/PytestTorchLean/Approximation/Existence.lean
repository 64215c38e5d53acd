prelude
import PytestTorchLean.Approximation.Universal
/-!
# Every network has an execution for every input

A theorem about all executions would say nothing if there were none. Over a ring in which numbers can be
halved, the numbers of a network follow one after the other from its inputs.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Approximation
variable {K : Type u} [OrderedRing K]

/-- `v` below slot `start`, `y` from there on. -/
def extended (v y : Nat → K) (start slot : Nat) : K :=
  cond (Nat.ble (slot + 1) start) (v slot) (y (slot - start))
theorem extended_below {v y : Nat → K} {start slot : Nat} (h : slot < start) :
    extended v y start slot = v slot := by
  unfold extended
  rw [Nat.ble_eq_true_of_le h]; rfl
theorem extended_above (v y : Nat → K) (start i : Nat) : extended v y start (start + i) = y i := by
  unfold extended
  rw [Table.ble_false (Nat.succ_le_succ (Nat.le_add_right start i)), Natural.add_sub_cancel_left]; rfl

theorem form_congr {w : Wiring} {v v' : Nat → K} {start position row : Nat}
    (reads : (Layer.affine w).ReadsBelow start)
    (hp : position < w.positions)
    (h : ∀ slot, slot < start → v slot = v' slot) :
    w.form v position row = w.form v' position row :=
  Columns.sum_congr fun column hc =>
    congrArg (fun z => Binary32.scaled (w.weight row column) * z) (h _ (reads.2 position column hp hc))

theorem holds_congr {v v' : Nat → K} {start : Nat} :
    (layer : Layer) → layer.ReadsBelow start → (∀ slot, slot < start + layer.size → v slot = v' slot) →
    layer.Holds .real v start → layer.Holds .real v' start
  | .affine w, reads, same, h => fun position row hp hr => by
    have place : row + w.rows * position < w.positions * w.rows := by
      rw [Nat.mul_comm w.positions]; exact Natural.add_mul_lt hr hp
    show natural (2 ^ 149) * v' (start + (row + w.rows * position)) = w.form v' position row
    rw [← same _ (Approximation.place place),
        ← form_congr reads hp fun slot hs => same slot (Nat.lt_of_lt_of_le hs (Nat.le_add_right _ _))]
    exact h position row hp hr
  | .relu first count, reads, same, h => fun i hi => by
    rw [← same _ (Approximation.place hi),
        ← same (first + i) (Nat.lt_of_lt_of_le (reads i hi) (Nat.le_add_right _ _))]
    exact h i hi
  | .maximum count source, reads, same, h => fun i hi => by
    rw [← same _ (Approximation.place hi),
        ← same (source i 0) (Nat.lt_of_lt_of_le (reads i 0 hi (Nat.succ_pos 1)) (Nat.le_add_right _ _)),
        ← same (source i 1) (Nat.lt_of_lt_of_le (reads i 1 hi Nat.le.refl) (Nat.le_add_right _ _))]
    exact h i hi

theorem exists_layer (halves : Halves K) {start : Nat} (v : Nat → K) :
    (layer : Layer) → layer.ReadsBelow start →
    ∃ v', (∀ slot, slot < start → v' slot = v slot) ∧ layer.Holds .real v' start
  | .affine w, reads => by
    obtain ⟨y, hy⟩ := choose (0 : K) (w.positions * w.rows)
      (p := fun k y => natural (2 ^ 149) * y = w.form v (k / w.rows) (k % w.rows))
      fun k _ => divide halves _ 149
    refine ⟨extended v y start, fun slot hs => extended_below hs, fun position row hp hr => ?_⟩
    have place : row + w.rows * position < w.positions * w.rows := by
      rw [Nat.mul_comm w.positions]; exact Natural.add_mul_lt hr hp
    have z := hy _ place
    rw [Natural.add_mul_div position hr, Natural.add_mul_mod position hr] at z
    show natural (2 ^ 149) * extended v y start (start + (row + w.rows * position)) =
      w.form (extended v y start) position row
    rw [extended_above, z]
    exact form_congr reads hp fun slot hs => (extended_below hs).symm
  | .relu first count, reads => by
    obtain ⟨y, hy⟩ := choose (0 : K) count (p := fun i y => IsRelu (v (first + i)) y) fun i _ =>
      (le_total 0 (v (first + i))).elim (fun h => ⟨v (first + i), Or.inl ⟨h, rfl⟩⟩)
        (fun h => ⟨0, Or.inr ⟨h, rfl⟩⟩)
    refine ⟨extended v y start, fun slot hs => extended_below hs, fun i hi => ?_⟩
    rw [extended_below (reads i hi), extended_above]
    exact hy i hi
  | .maximum count source, reads => by
    obtain ⟨y, hy⟩ :=
        choose (0 : K) count (p := fun i y => IsMaximum (v (source i 0)) (v (source i 1)) y) fun i _ =>
      (le_total (v (source i 1)) (v (source i 0))).elim (fun h => ⟨v (source i 0), Or.inl ⟨h, rfl⟩⟩)
        (fun h => ⟨v (source i 1), Or.inr ⟨h, rfl⟩⟩)
    refine ⟨extended v y start, fun slot hs => extended_below hs, fun i hi => ?_⟩
    rw [extended_below (reads i 0 hi (Nat.succ_pos 1)), extended_below (reads i 1 hi Nat.le.refl),
        extended_above]
    exact hy i hi

theorem exists_layers (halves : Halves K) :
    (layers : List Layer) → (start : Nat) → (v : Nat → K) →
    InOrder start layers → ∃ v', (∀ slot, slot < start → v' slot = v slot) ∧ LayersHold .real v' start layers
  | [], _, v, _ => ⟨v, fun _ _ => rfl, trivial⟩
  | layer :: rest, start, v, ⟨reads, order⟩ => by
    obtain ⟨v1, same1, h1⟩ := exists_layer halves v layer reads
    obtain ⟨v2, same2, h2⟩ := exists_layers halves rest (start + layer.size) v1 order
    exact ⟨v2,
        fun slot hs => (same2 slot (Nat.lt_of_lt_of_le hs (Nat.le_add_right _ _))).trans (same1 slot hs),
        holds_congr layer reads (fun slot hs => (same2 slot hs).symm) h1, h2⟩

/-- **Every network runs**: there is an exact execution for every input. -/
theorem Network.exists_execution (halves : Halves K) {n : Network} (order : InOrder (2 + n.inputs) n.layers)
    (x : Nat → K) :
    ∃ slots : Nat → K, n.Executes .real slots ∧ ∀ i, i < n.inputs → slots (2 + i) = x i := by
  obtain ⟨v, same, h⟩ :=
    exists_layers halves n.layers (2 + n.inputs) (extended (fun slot => cond (Nat.beq slot 0) 0 1) x 2) order
  refine ⟨v, ⟨?_, ?_, h⟩, fun i hi => ?_⟩
  · rw [same 0 (Nat.le_trans (Nat.succ_pos 1) (Nat.le_add_right 2 _))]
    exact extended_below (Nat.succ_pos 1)
  · rw [same 1 (Nat.le_add_right 2 _)]
    exact extended_below Nat.le.refl
  · rw [same (2 + i) (Nat.add_le_add (Nat.le_refl 2) hi)]
    exact extended_above _ x 2 i

end Approximation
end PytestTorchLean
