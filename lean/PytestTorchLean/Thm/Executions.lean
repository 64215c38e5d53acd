prelude
import PytestTorchLean.Smooth
import PytestTorchLean.Check.RowError
import PytestTorchLean.Thm.Instances
/-!
# What the executions in binary32 contain

Every exact execution is among them (with all rounding errors 0), and the hull of a box contains the box. So
the claims about binary32 speak of more than those about exact arithmetic, and their hypotheses can be met.
That no operation overflows can be met as well, and can fail.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

theorem divides_exact {d : Nat} {s r : K} (h : natural d * r = s) : Divides d s r := by
  refine ⟨fun one => ?_, fun a ha => ?_⟩
  · subst one
    have e : (natural 1 : K) * r = r := one_mul r
    rw [e] at h; exact h
  · have zero : natural d * r - s = 0 := by rw [h]; exact add_neg' s
    rw [zero, mul_zero]
    exact AtMost.zero (add_nonneg (mul_nonneg (natural_nonneg 3) ha.nonneg) (natural_nonneg _))

theorem node_holds_exact {slots : Nat → K} {start : Nat} :
    (node : Node) → node.Holds .real slots start → node.Holds .binary32 slots start
  | .affine a, h => by
    intro position row h1 h2
    have e :
      natural (a.divisor * 2 ^ 149) * slots (start + (row + a.rows * position)) = a.form slots position row :=
      h position row h1 h2
    rw [natural_mul, mul_assoc, ← Affine.total_terms] at e
    exact ⟨total (a.terms slots position row), Or.inl rfl, divides_exact e⟩
  | .relu _ _, h => h
  | .maximum _ _, h => h
  | .minimum _ _, h => h
  | .curve _ _ _, h => Curve.allowed .real h
  | .bilinear count terms sources, h => by
    intro i hi
    have e : slots (start + i) = sum terms (Bilinear.product slots terms sources i) := h i hi
    have exact : total (Bilinear.products slots terms sources i) = natural (2 ^ 149) * slots (start + i) := by
      rw [e]; exact (Bilinear.total_singles terms _).trans (Bilinear.sum_scaled _ terms _)
    show IsSum (Bilinear.products slots terms sources i) (natural (2 ^ 149) * slots (start + i))
    exact Or.inl exact.symm
  | .quotient _ _, h => Quotient.allowed .real h

theorem nodes_hold_exact {slots : Nat → K} :
    (nodes : List Node) → (start : Nat) →
    NodesHold .real slots start nodes → NodesHold .binary32 slots start nodes
  | [], _, _ => trivial
  | node :: rest, start, h => ⟨node_holds_exact node h.1, nodes_hold_exact rest _ h.2⟩

/-- An exact execution is an execution in binary32. -/
theorem executes_exact {g : Graph} {slots : Nat → K} (h : Executes .real g slots) :
    Executes .binary32 g slots :=
  ⟨h.1, h.2.1, nodes_hold_exact g.nodes _ h.2.2⟩

/-- The hull of a box contains the box. -/
theorem Box.holds_hull {b : Box} {inputs : Nat} {slots : Nat → K} (hd : 0 < b.denominator)
    (h : b.Holds inputs slots) :
    b.HullHolds inputs slots := by
  intro i hi w _
  obtain ⟨low, high⟩ := h i hi
  have low := mul_le_left (natural_nonneg (K := K) (2 ^ 149)) low
  have high := mul_le_left (natural_nonneg (K := K) (2 ^ 149)) high
  rw [← natural_mul, mul_add, ← natural_mul] at low
  rw [← natural_mul, mul_add, ← natural_mul] at high
  have e : (natural (2 ^ 149) * (natural b.denominator * slots (2 + i)) : K) =
    natural b.denominator * (natural (2 ^ 149) * slots (2 + i)) := mul_left_comm _ _ _
  rw [e] at low high
  constructor
  · intro below
    have z := add_le (-natural (2 ^ 149 * b.offset)) (le_trans below low)
    rw [add_assoc, add_assoc, add_neg', add_zer, add_zer] at z
    exact cancel_natural hd z
  · intro above
    have z := add_le (-natural (2 ^ 149 * b.offset)) (le_trans high above)
    rw [add_assoc, add_assoc, add_neg', add_zer, add_zer] at z
    exact cancel_natural hd z

namespace Example

theorem layer_finite : (Node.affine layer).Finite .binary32 (fun i => (natural (value i) : K)) := by
  intro position row hp hr
  have hp : position = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hp) (Nat.zero_le _)
  have hr : row = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hr) (Nat.zero_le _)
  subst hp
  subst hr
  have p0 : layer.pattern 0 0 0 = 0x3F800000 := by decide +kernel
  have p1 : layer.pattern 0 0 (0 + 1) = 0xC0000000 := by decide +kernel
  have s0 : layer.source 0 0 0 = 2 := by decide +kernel
  have s1 : layer.source 0 0 (0 + 1) = 3 := by decide +kernel
  show NeverOverflows [Binary32.scaled (layer.pattern 0 0 0) * natural (value (layer.source 0 0 0)),
    Binary32.scaled (layer.pattern 0 0 (0 + 1)) * natural (value (layer.source 0 0 (0 + 1)))]
  rw [p0, p1, s0, s1, one_scaled, minus_two_scaled]
  show NeverOverflows [natural (2 ^ 149) * natural 3, -natural (2 ^ 149 * 2) * (natural 1 : K)]
  have first : AtMost (natural 1 * (natural (2 ^ 149) * natural 3) : K) (natural (2 ^ 149 * 3)) := by
    rw [← natural_mul, ← natural_mul, Natural.one_mul]
    exact AtMost.of_le (natural_nonneg _) (le_refl _)
  have second : AtMost (natural 1 * (-natural (2 ^ 149 * 2) * natural 1) : K) (natural (2 ^ 149 * 2)) := by
    rw [neg_mul, mul_neg, ← natural_mul, ← natural_mul, Natural.one_mul, Natural.mul_one]
    exact (AtMost.of_le (natural_nonneg _) (le_refl _)).neg
  refine neverOverflows (unit := 1) (n := 2) (weight := 2 ^ 149 * 5) Nat.le.refl (by decide +kernel)
    Nat.le.refl ⟨_, _, first, ⟨_, 0, second, le_refl _, le_of_eq (add_zer _)⟩, ?_⟩ (by decide +kernel)
  rw [← natural_add]
  exact natural_le (by decide +kernel)

/-- The graph has an execution in binary32 whose input lies in the hull of the box, and no operation overflows
    in it. -/
theorem executes_binary32 (K : Type u) [OrderedRing K] :
    ∃ slots : Nat → K, Executes .binary32 graph slots ∧
      box.HullHolds graph.inputs slots ∧
      NodesFinite .binary32 slots graph.nodes :=
  have h := value_executes K
  ⟨_, executes_exact h.1,
      Box.holds_hull (by decide +kernel) h.2, layer_finite, trivial, trivial⟩

/-- A sum at the threshold overflows. -/
theorem overflows (K : Type u) [OrderedRing K] : ¬ NeverOverflows [(natural overflowThreshold : K)] := by
  intro h
  have z := (h [natural overflowThreshold] [] _ (.cons _ .nil) (.product _)).1
  exact lt_irrefl z

end Example
end PytestTorchLean
