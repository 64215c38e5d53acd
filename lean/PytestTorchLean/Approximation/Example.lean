prelude
import PytestTorchLean.Approximation.Existence
/-!
# The product of two numbers, approximated on the unit square

No ReLU network computes a product. The hypotheses of universal approximation are met by it, and the network
has an execution for every input.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Example
open Approximation
variable {K : Type u} [OrderedRing K]

def zeros (K : Type u) [OrderedRing K] (_ : Nat) : K := 0
def ones (K : Type u) [OrderedRing K] (_ : Nat) : K := 1
def product (x : Nat → K) : K := x 0 * x 1

theorem unit_box : ∀ i, i < 2 → zeros K i ≤ ones K i := fun _ _ => zero_le_one

theorem product_lipschitz : Lipschitz 2 (zeros K) (ones K) 1 product := fun x y distance hx hy hd => by
  have inside : ∀ {z : Nat → K} {i},
    InBox 2 (zeros K) (ones K) z → i < 2 → AtMost (z i) 1 := fun h hi => AtMost.of_le (h _ hi).1 (h _ hi).2
  have first := (inside (i := 1) hy Nat.le.refl).mul (hd 0 (Nat.succ_pos 1))
  have second := (inside (i := 0) hx (Nat.succ_pos 1)).mul (hd 1 Nat.le.refl)
  have z := (first.add second).1
  refine le_trans (le_of_eq ?_) (le_trans z (le_of_eq ?_))
  · exact (ring4 K a b c d, a * b - c * d, d * (a - c) + a * (b - d)) (x 0) (x 1) (y 0) (y 1)
  · exact (ring2 K a b, 1 * a + 1 * b, 1 * (a + (b + 0))) (distance 0) (distance 1)

/-- For every error there is a network that is within it of the product, and for every two numbers of the unit
    interval one of its executions has them as inputs. -/
theorem universal_approximation (archimedean : Archimedean K) (halves : Halves K) (byRelu : Bool) {ε : K}
    (positive : 0 < ε) :
    ∃ t : Table, (∀ slots : Nat → K, t.network.Executes .real slots →
          InBox 2 (zeros K) (ones K) (fun i => slots (2 + i)) →
          slots 2 * slots 3 - ε ≤ slots t.output ∧ slots t.output ≤ slots 2 * slots 3) ∧
      ∀ x : Nat → K, ∃ slots : Nat → K,
        t.network.Executes .real slots ∧ ∀ i, i < 2 → slots (2 + i) = x i := by
  obtain ⟨b, l, a, e, value, t, ht, well, h⟩ :=
    Approximation.universal_approximation archimedean halves byRelu unit_box product_lipschitz positive
  have inputs : t.network.inputs = 2 := by rw [ht]; rfl
  refine ⟨t, h, fun x => ?_⟩
  have z := Network.exists_execution halves (Table.inOrder well) x
  rw [inputs] at z
  exact z

end Example
end PytestTorchLean
