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
      f ((fast + count * slow) % count) ((fast + count * slow) / count) := digit_pack (f := fun k => f (k % count) (k / count)) small hs
  rw [add_mul_mod slow hf, add_mul_div slow hf] at e
  exact e

theorem quotient_small {k count slow : Nat} (h : k < slow * count) : k % count < count ∧ k / count < slow := by
  rw [Nat.mul_comm] at h
  have positive : 0 < count := by
    cases count with
    | zero => rw [Nat.zero_mul] at h; exact absurd h (Nat.not_succ_le_zero k)
    | succ c => exact Nat.succ_pos c
  exact ⟨mod_lt positive k, div_lt positive h⟩

namespace Wiring
variable {w : Wiring}

theorem pattern_affine (small : ∀ row column, row < w.rows → column < w.columns → w.weight row column < 2 ^ 32) {row column : Nat}
    (hr : row < w.rows) (hc : column < w.columns) : w.affine.pattern row 0 column = w.weight row column := by
  have place : 0 + 1 * (row + w.rows * column) = row + w.rows * column := by rw [Nat.zero_add, Nat.one_mul]
  show word (pack 32 (w.rows * w.columns) fun k => w.weight (k % w.rows) (k / w.rows)) (0 + 1 * (row + w.rows * column)) = _
  rw [place]
  refine word_packed hr (add_mul_lt hr hc) fun k hk => ?_
  rw [Nat.mul_comm] at hk
  exact small _ _ (quotient_small hk).1 (quotient_small hk).2

theorem source_affine (small : ∀ position column, position < w.positions → column < w.columns → w.source position column < 2 ^ 32)
    {position column : Nat} (hp : position < w.positions) (hc : column < w.columns) :
    w.affine.source position 0 column = w.source position column := by
  have place : column + w.columns * (0 + 1 * position) = column + w.columns * position := by rw [Nat.zero_add, Nat.one_mul]
  show word (pack 32 (w.positions * w.columns) fun k => w.source (k / w.columns) (k % w.columns)) (column + w.columns * (0 + 1 * position)) = _
  rw [place]
  refine word_packed (f := fun fast slow => w.source slow fast) hc ?_ fun k hk => ?_
  · rw [Nat.mul_comm w.positions]; exact add_mul_lt hc hp
  · exact small _ _ (quotient_small hk).2 (quotient_small hk).1

theorem listed_congr {K : Type u} : {n : Nat} → {f g : Nat → List K} → (∀ i, i < n → f i = g i) → listed n f = listed n g
  | 0, _, _, _ => rfl
  | n + 1, f, g, h => by
    show joined (f 0) (listed n fun i => f (i + 1)) = joined (g 0) (listed n fun i => g (i + 1))
    rw [forall_zero (p := fun i => f i = g i) h, listed_congr (forall_succ (p := fun i => f i = g i) h)]
theorem joined_nil' {K : Type u} : (s : List K) → joined s [] = s
  | [] => rfl
  | x :: s => congrArg (fun t => x :: t) (joined_nil' s)

theorem computes_affine {m : Semantics} {slots : Nat → K} {position row : Nat} {y : K}
    (words : ∀ row column, row < w.rows → column < w.columns → w.weight row column < 2 ^ 32)
    (small : ∀ position column, position < w.positions → column < w.columns → w.source position column < 2 ^ 32)
    (hp : position < w.positions) (hr : row < w.rows) : w.affine.Computes m slots position row y ↔ w.Computes m slots position row y := by
  have e : ∀ column, column < w.columns → Binary32.scaled (w.affine.pattern row 0 column) * slots (w.affine.source position 0 column) =
      Binary32.scaled (w.weight row column) * slots (w.source position column) := fun column hc => by
    rw [pattern_affine words hr hc, source_affine small hp hc]
  cases m with
  | real =>
    have f : w.affine.form slots position row = w.form slots position row := by
      show sum w.columns (fun column => Binary32.scaled (w.affine.pattern row 0 column) * slots (w.affine.source position 0 column)) + 0 = _
      rw [add_zer]
      exact Columns.sum_congr e
    have d : w.affine.divisor * 2 ^ 149 = 2 ^ 149 := Nat.one_mul _
    show natural (w.affine.divisor * 2 ^ 149) * y = w.affine.form slots position row ↔ natural (2 ^ 149) * y = w.form slots position row
    rw [f, d]
  | binary32 =>
    have t : w.affine.terms slots position row = w.terms slots position row := by
      show joined (listed w.columns fun column => [Binary32.scaled (w.affine.pattern row 0 column) * slots (w.affine.source position 0 column)]) [] = _
      rw [joined_nil']
      exact listed_congr fun column hc => by rw [e column hc]
    show (∃ s, Sums .rounded (w.affine.terms slots position row) s ∧ Divides 1 s (natural (2 ^ 149) * y)) ↔
      Sums .rounded (w.terms slots position row) (natural (2 ^ 149) * y)
    rw [t]
    constructor
    · intro ⟨s, hs, hd⟩
      rw [hd.1 rfl]
      exact hs
    · intro h
      exact ⟨_, h, divides_one _⟩
where
  divides_one (r : K) : Divides 1 r r := by
    refine ⟨fun _ => rfl, fun a ha => ?_⟩
    have zero : natural 1 * r - r = 0 := by
      show (1 : K) * r - r = 0
      rw [OrderedRing.one_mul]; exact add_neg' r
    rw [zero, OrderedRing.mul_zero]
    exact AtMost.zero (add_nonneg (mul_nonneg (natural_nonneg 3) ha.nonneg) (natural_nonneg _))
end Wiring

theorem layer_node {m : Semantics} {slots : Nat → K} {start : Nat} (hs : start ≤ 2 ^ 32) : (layer : Layer) → layer.ReadsBelow start →
    (layer.node.Holds m slots start ↔ layer.Holds m slots start)
  | .affine w, ⟨words, below⟩ => by
    have small : ∀ position column, position < w.positions → column < w.columns → w.source position column < 2 ^ 32 :=
      fun p c hp hc => Nat.lt_of_lt_of_le (below p c hp hc) hs
    exact ⟨fun h p r hp hr => (Wiring.computes_affine words small hp hr).1 (h p r hp hr),
      fun h p r hp hr => (Wiring.computes_affine words small hp hr).2 (h p r hp hr)⟩
  | .relu _ _, _ => Iff.rfl
  | .maximum count source, below => by
    have small : ∀ k, k < 2 * count → source (k / 2) (k % 2) < 2 ^ 32 := fun k hk =>
      Nat.lt_of_lt_of_le (below _ _ (div_lt (Nat.succ_pos 1) hk) (mod_lt (Nat.succ_pos 1) k)) hs
    have read : ∀ i side, i < count → side < 2 → word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (side + 2 * i) = source i side :=
      fun i side hi hside => word_packed (f := fun fast slow => source slow fast) hside (add_mul_lt hside hi) small
    have left : ∀ i, i < count → word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i) = source i 0 := fun i hi => by
      have z := read i 0 hi (Nat.succ_pos 1)
      rw [Nat.zero_add] at z; exact z
    have right : ∀ i, i < count → word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i + 1) = source i 1 := fun i hi => by
      have z := read i 1 hi Nat.le.refl
      rw [Nat.add_comm 1] at z; exact z
    constructor
    · intro h i hi
      have z : IsMaximum (slots (word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i)))
        (slots (word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i + 1))) (slots (start + i)) := h i hi
      rw [left i hi, right i hi] at z
      exact z
    · intro h i hi
      show IsMaximum (slots (word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i)))
        (slots (word (pack 32 (2 * count) fun k => source (k / 2) (k % 2)) (2 * i + 1))) (slots (start + i))
      rw [left i hi, right i hi]
      exact h i hi

theorem layers_nodes {m : Semantics} {slots : Nat → K} : (layers : List Layer) → (start : Nat) → start + written layers ≤ 2 ^ 32 → InOrder start layers →
    (NodesHold m slots start (nodes layers) ↔ LayersHold m slots start layers)
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
theorem Network.executes_graph {m : Semantics} {n : Network} {values : Nat → K} (fits : n.Fits) (order : InOrder (2 + n.inputs) n.layers) :
    PytestTorchLean.Executes m n.graph values ↔ n.Executes m values := by
  have e := layers_nodes (m := m) (slots := values) n.layers (2 + n.inputs) fits order
  exact ⟨fun h => ⟨h.1, h.2.1, e.1 h.2.2⟩, fun h => ⟨h.1, h.2.1, e.2 h.2.2⟩⟩

end Approximation
end PytestTorchLean
