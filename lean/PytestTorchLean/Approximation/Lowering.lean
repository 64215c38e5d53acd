prelude
import PytestTorchLean.Approximation.Network
import PytestTorchLean.Check.RowError
/-!
# Packing a network keeps its meaning
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Approximation
open Natural
variable {K : Type u} [OrderedRing K]

/-- The word at `fast + count * slow` of numbers packed by their remainder and quotient. -/
theorem word_packed {count total fast slow : Nat} {f : Nat → Nat → Nat} (hf : fast < count)
    (hs : fast + count * slow < total) (small : ∀ k, k < total → f (k % count) (k / count) < 2 ^ 32) :
    word (pack 32 total fun k => f (k % count) (k / count)) (fast + count * slow) = f fast slow := by
  have e : digit 32 (pack 32 total fun k => f (k % count) (k / count)) (fast + count * slow) =
      f ((fast + count * slow) % count) ((fast + count * slow) / count) :=
        digit_pack (f := fun k => f (k % count) (k / count)) small hs
  rw [add_mul_mod slow hf, add_mul_div slow hf] at e
  exact e

theorem quotient_small {k count slow : Nat} (h : k < slow * count) :
    k % count < count ∧ k / count < slow := by
  rw [Nat.mul_comm] at h
  have positive : 0 < count := by
    cases count with
    | zero => rw [Nat.zero_mul] at h; exact absurd h (Nat.not_succ_le_zero k)
    | succ c => exact Nat.succ_pos c
  exact ⟨mod_lt positive k, div_lt positive h⟩

/-! ### Sums in lanes -/

theorem sum_add : (m n : Nat) → (f : Nat → K) → sum (m + n) f = sum m f + sum n fun i => f (m + i)
  | 0, n, f => by
    have e : (fun i => f (0 + i)) = f := funext fun i => by rw [Nat.zero_add]
    rw [Nat.zero_add, e]
    exact (OrderedRing.zero_add _).symm
  | m + 1, n, f => by
    have e : (fun i => f (m + 1 + i)) = fun i => f (m + i + 1) := funext fun i => by rw [Nat.succ_add]
    rw [Nat.succ_add, e]
    show f 0 + sum (m + n) (fun i => f (i + 1)) =
      f 0 + sum m (fun i => f (i + 1)) + sum n fun i => f (m + i + 1)
    rw [sum_add m n fun i => f (i + 1), add_assoc]
theorem sum_lanes (c : Nat) :
    (l : Nat) → (f : Nat → K) → sum l (fun lane => sum c fun column => f (c * lane + column)) = sum (c * l) f
  | 0, _ => rfl
  | l + 1, f => by
    have order : c * (l + 1) = c + c * l := Nat.add_comm _ _
    have e : ∀ lane column, c * (lane + 1) + column = c + (c * lane + column) := fun lane column => by
      rw [Nat.mul_succ, Nat.add_comm (c * lane) c, Nat.add_assoc]
    have first : ∀ column, c * 0 + column = column := fun column => Nat.zero_add column
    rw [order, sum_add c (c * l), ← sum_lanes c l fun i => f (c + i)]
    show (sum c fun column => f (c * 0 + column)) +
      sum l (fun lane => sum c fun column => f (c * (lane + 1) + column)) = _
    rw [Columns.sum_congr fun column _ => congrArg f (first column)]
    exact congrArg (fun z => sum c f + z)
      (Columns.sum_congr fun lane _ => Columns.sum_congr fun column _ => congrArg f (e lane column))
theorem sum_zeros : (n : Nat) → {f : Nat → K} → (∀ i, i < n → f i = 0) → sum n f = 0
  | 0, _, _ => rfl
  | n + 1, f, h => by
    show f 0 + sum n (fun i => f (i + 1)) = 0
    rw [forall_zero (p := fun i => f i = 0) h, sum_zeros n (forall_succ (p := fun i => f i = 0) h)]
    exact add_zer 0

namespace Wiring
variable {w : Wiring}

theorem scaled_zero : (Binary32.scaled 0 : K) = 0 := by
  have s : Binary32.sign 0 = 0 := by decide +kernel
  have m : Binary32.magnitude 0 = 0 := by decide +kernel
  unfold Binary32.scaled
  rw [s, m]; rfl
theorem columns_le (w : Wiring) : w.columns ≤ w.laneColumns * lanes := by
  have z := mod_add_div (Nat.succ_pos 3) (w.columns + 3)
  have m : (w.columns + 3) % 4 ≤ 3 := Nat.le_of_succ_le_succ (mod_lt (Nat.succ_pos 3) _)
  refine Nat.le_of_add_le_add_right 3 ?_
  show w.columns + 3 ≤ (w.columns + 3) / 4 * 4 + 3
  rw [Nat.mul_comm ((w.columns + 3) / 4) 4, Nat.add_comm (4 * ((w.columns + 3) / 4)) 3]
  exact Nat.le_trans (Natural.le_of_eq z.symm) (Nat.add_le_add m (Nat.le_refl _))
theorem padded_inside {f : Nat → Nat} {column count : Nat} (h : column < count) :
    cond (Nat.ble (column + 1) count) (f column) 0 = f column := by
  rw [Nat.ble_eq_true_of_le h]; rfl
theorem padded_outside {x column count : Nat} (h : count ≤ column) :
    cond (Nat.ble (column + 1) count) x 0 = 0 := by
  cases e : Nat.ble (column + 1) count with
  | false => rfl
  | true => exact absurd h (Nat.not_le_of_lt (Nat.le_of_ble_eq_true e))
theorem padded_small {x : Nat} {column count : Nat} (h : column < count → x < 2 ^ 32) :
    cond (Nat.ble (column + 1) count) x 0 < 2 ^ 32 := by
  cases Nat.lt_or_ge column count with
  | inl l =>
    have z := h l
    rw [Nat.ble_eq_true_of_le l]; exact z
  | inr g => rw [padded_outside g]; exact two_pow_pos 32

theorem pattern_affine
    (small : ∀ row column, row < w.rows → column < w.columns → w.weight row column < 2 ^ 32)
    {row lane column : Nat}
    (hr : row < w.rows)
    (hl : lane < lanes)
    (hc : column < w.laneColumns) :
    w.affine.pattern row lane column = w.paddedWeight row (w.laneColumns * lane + column) := by
  have z := word_packed (count := lanes) (total := lanes * (w.rows * w.laneColumns)) (fast := lane)
    (slow := row + w.rows * column)
    (f := fun fast slow => w.paddedWeight (slow % w.rows) (w.laneColumns * fast + slow / w.rows)) hl
        (add_mul_lt hl (add_mul_lt hr hc)) fun k hk => by
      have q : k / lanes < w.rows * w.laneColumns := div_lt (Nat.succ_pos 3) hk
      have r : k / lanes < w.laneColumns * w.rows := by rw [Nat.mul_comm]; exact q
      exact padded_small fun inside => small _ _ (quotient_small r).1 inside
  rw [add_mul_mod column hr, add_mul_div column hr] at z
  exact z

theorem source_affine
    (small :
      ∀ position column, position < w.positions → column < w.columns → w.source position column < 2 ^ 32)
    {position lane column : Nat}
    (hp : position < w.positions)
    (hl : lane < lanes)
    (hc : column < w.laneColumns) :
    w.affine.source position lane column = w.paddedSource position (w.laneColumns * lane + column) := by
  have inside : w.laneColumns * lane + column < w.laneColumns * lanes := by
    rw [Nat.add_comm]; exact add_mul_lt hc hl
  have place : column + w.laneColumns * (lane + lanes * position) =
      w.laneColumns * lane + column + w.laneColumns * lanes * position := by
    rw [Nat.mul_add, ← Nat.add_assoc, Nat.add_comm column, Nat.mul_assoc]
  have z := word_packed (count := w.laneColumns * lanes) (total := w.laneColumns * lanes * w.positions)
    (fast := w.laneColumns * lane + column)
    (slow := position) (f := fun fast slow => w.paddedSource slow fast) inside (add_mul_lt inside hp)
        fun k hk => by
      rw [Nat.mul_comm] at hk
      exact padded_small fun h => small _ _ (quotient_small hk).2 h
  rw [← place] at z
  exact z

theorem form_affine {slots : Nat → K} {position row : Nat}
    (words : ∀ row column, row < w.rows → column < w.columns → w.weight row column < 2 ^ 32)
    (small :
      ∀ position column, position < w.positions → column < w.columns → w.source position column < 2 ^ 32)
    (hp : position < w.positions)
    (hr : row < w.rows) :
    w.affine.form slots position row = w.form slots position row := by
  have e : ∀ lane, lane < lanes → (sum w.laneColumns fun column =>
      Binary32.scaled (w.affine.pattern row lane column) * slots (w.affine.source position lane column)) =
      sum w.laneColumns fun column => Binary32.scaled (w.paddedWeight row (w.laneColumns * lane + column)) *
        slots (w.paddedSource position (w.laneColumns * lane + column)) := fun lane hl =>
    Columns.sum_congr fun column hc => by rw [pattern_affine words hr hl hc, source_affine small hp hl hc]
  show (sum lanes fun lane => sum w.laneColumns fun column =>
    Binary32.scaled (w.affine.pattern row lane column) * slots (w.affine.source position lane column)) = _
  rw [Columns.sum_congr e, sum_lanes w.laneColumns lanes
      fun c => Binary32.scaled (w.paddedWeight row c) * slots (w.paddedSource position c)]
  obtain ⟨extra, he⟩ := Nat.exists_of_le (columns_le w)
  rw [he, sum_add, sum_zeros extra fun i _ => by
    have z : w.paddedWeight row (w.columns + i) = 0 := padded_outside (Nat.le_add_right _ _)
    rw [z, scaled_zero, OrderedRing.zero_mul], add_zer]
  exact Columns.sum_congr fun c hc => by
    have z1 : w.paddedWeight row c = w.weight row c := padded_inside (f := fun c => w.weight row c) hc
    have z2 : w.paddedSource position c = w.source position c :=
      padded_inside (f := fun c => w.source position c) hc
    rw [z1, z2]

theorem computes_affine {m : Semantics} {slots : Nat → K} {position row : Nat} {y : K}
    (words : ∀ row column, row < w.rows → column < w.columns → w.weight row column < 2 ^ 32)
    (small :
      ∀ position column, position < w.positions → column < w.columns → w.source position column < 2 ^ 32)
    (hp : position < w.positions)
    (hr : row < w.rows) :
    w.affine.Computes m slots position row y ↔ w.Computes m slots position row y := by
  cases m with
  | real =>
    have d : w.affine.divisor * 2 ^ 149 = 2 ^ 149 := Nat.one_mul _
    show natural (w.affine.divisor * 2 ^ 149) * y = w.affine.form slots position row ↔
      natural (2 ^ 149) * y = w.form slots position row
    rw [form_affine words small hp hr, d]
  | binary32 => exact Iff.rfl
end Wiring

theorem layer_node {m : Semantics} {slots : Nat → K} {start : Nat} (hs : start ≤ 2 ^ 32) :
    (layer : Layer) → layer.ReadsBelow start → (layer.node.Holds m slots start ↔ layer.Holds m slots start)
  | .affine w, ⟨words, below⟩ => by
    have small :
        ∀ position column, position < w.positions → column < w.columns → w.source position column < 2 ^ 32 :=
      fun p c hp hc => Nat.lt_of_lt_of_le (below p c hp hc) hs
    exact ⟨fun h p r hp hr => (Wiring.computes_affine words small hp hr).1 (h p r hp hr),
      fun h p r hp hr => (Wiring.computes_affine words small hp hr).2 (h p r hp hr)⟩
  | .relu _ _, _ => Iff.rfl
  | .maximum count source, below => by
    have small : ∀ k, k < 2 * count → source (k / 2) (k % 2) < 2 ^ 32 := fun k hk =>
      Nat.lt_of_lt_of_le (below _ _ (div_lt (Nat.succ_pos 1) hk) (mod_lt (Nat.succ_pos 1) k)) hs
    have read : ∀ i side, i < count → side < 2 →
        word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (side + 2 * i) = source i side :=
      fun i side hi hside =>
        word_packed (f := fun fast slow => source slow fast) hside (add_mul_lt hside hi) small
    have left : ∀ i, i < count →
        word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i) = source i 0 := fun i hi => by
      have z := read i 0 hi (Nat.succ_pos 1)
      rw [Nat.zero_add] at z; exact z
    have right : ∀ i, i < count →
        word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i + 1) = source i 1 := fun i hi => by
      have z := read i 1 hi Nat.le.refl
      rw [Nat.add_comm 1] at z; exact z
    constructor
    · intro h i hi
      have z : IsMaximum (slots (word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i)))
        (slots (word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i + 1))) (slots (start + i))
          := h i hi
      rw [left i hi, right i hi] at z
      exact z
    · intro h i hi
      show IsMaximum (slots (word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i)))
        (slots (word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i + 1))) (slots (start + i))
      rw [left i hi, right i hi]
      exact h i hi

theorem layers_nodes {m : Semantics} {slots : Nat → K} :
    (layers : List Layer) → (start : Nat) → start + written layers ≤ 2 ^ 32 →
    InOrder start layers → (NodesHold m slots start (nodes layers) ↔ LayersHold m slots start layers)
  | [], _, _, _ => Iff.rfl
  | layer :: rest, start, hs, ⟨reads, order⟩ => by
    have size : layer.node.size = layer.size := by cases layer <;> rfl
    have here := layer_node (m := m) (slots := slots) (Nat.le_trans (Nat.le_add_right start _) hs) layer reads
    have hs : start + layer.size + written rest ≤ 2 ^ 32 := by rw [Nat.add_assoc]; exact hs
    have there := layers_nodes (m := m) (slots := slots) rest (start + layer.size) hs order
    show layer.node.Holds m slots start ∧ NodesHold m slots (start + layer.node.size) (nodes rest) ↔ _
    rw [size]
    exact ⟨fun h => ⟨here.1 h.1, there.1 h.2⟩, fun h => ⟨here.2 h.1, there.2 h.2⟩⟩

/-- **Lowering.** The executions of the packed graph are those of the network, exact or in binary32. -/
theorem Network.executes_graph {m : Semantics} {n : Network} {values : Nat → K} (fits : n.Fits)
    (order : InOrder (2 + n.inputs) n.layers) :
    PytestTorchLean.Executes m n.graph values ↔ n.Executes m values := by
  have e := layers_nodes (m := m) (slots := values) n.layers (2 + n.inputs) fits order
  exact ⟨fun h => ⟨h.1, h.2.1, e.1 h.2.2⟩, fun h => ⟨h.1, h.2.1, e.2 h.2.2⟩⟩

end Approximation
end PytestTorchLean
