prelude
import PytestTorchLean.Check.ReluNode
import PytestTorchLean.Spec.Claim
/-!
# What is known of the nodes that have been bounded

Backward substitution needs more than bounds of the slots: the equation of each node. In exact arithmetic
it holds exactly; in binary32 it holds up to the rounding error of the row, which the checker bounds. The
list of passed nodes, the last one first, carries both.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- How a node is bounded. Only affine nodes need a decoding; the rest serves them under binary32, and
    curves. -/
structure Step where
  decoding : Decoding
  /-- the first slot that an affine node reads, apart from slots 0 and 1; where the radius is 0, how many of
      the first columns read consecutive slots, of which those known to hold 0 are not counted, or 0; for a
      curve the number of stages of its exponential -/
  first : Nat
  /-- none of the slots it reads is further from 0 than this, in fixed point; if it is 0, each slot's own
      bounds are used, which takes longer and is tighter. For a curve the bits after the point of its
      stages -/
  radius : Nat

/-- A node that has been bounded, the first slot it wrote, and, for an affine node, how its weights are
    decoded and the packed error radii of its rows (digits of `32 * lanes` bits, position after position);
    for a bilinear node, one error radius for all its results. -/
structure Passed where
  node : Node
  start : Nat
  decoding : Decoding
  error : Nat

/-- For the compiler, as in Core/Recursors. -/
@[inline] def Recursor.passed {motive : Passed → Sort v}
    (mk : (node : Node) → (start : Nat) → (decoding : Decoding) →
      (error : Nat) → motive ⟨node, start, decoding, error⟩) (p : Passed) : motive p :=
  match p with
  | ⟨node, start, decoding, error⟩ => mk node start decoding error
@[csimp] theorem Recursor.passed_eq : @Passed.rec = @Recursor.passed :=
  funext fun _ => funext fun _ => funext fun p => by cases p; rfl

/-- `y` is what the row's decoded combination `c` says, up to the radius: `e * y = c ± error / unit` with
    `e = divisor * 2^(150 - base)`. -/
def Near (s : Scale) (a : Affine) (d : Decoding) (error : Nat) (slots : Nat → K) (position row : Nat)
    (y : K) : Prop :=
  ∀ c : K, natural (2 ^ (d.base - 1)) * c = a.form slots position row →
    AtMost (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * y - c))
      (natural (digit (32 * a.lanes) error (row + a.rows * position)))

/-- In exact arithmetic the radii are 0. -/
theorem near_of_computes {s : Scale} {a : Affine} {d : Decoding} {slots : Nat → K} {position row : Nat}
    {y : K} (h1 : 1 ≤ d.base) (h2 : d.base ≤ 150) (h : a.Computes .real slots position row y) :
    Near s a d 0 slots position row y := by
  intro c hc
  have e := Affine.equation h1 h2 h hc
  rw [e]
  have zero : c - c = 0 := add_neg' c
  have d : digit (32 * a.lanes) 0 (row + a.rows * position) = 0 := by
    show 0 / 2 ^ _ % 2 ^ _ = 0
    rw [Natural.div_eq_zero (Natural.two_pow_pos _)]; exact Natural.mod_eq_self (Natural.two_pow_pos _)
  rw [zero, mul_zero, d]
  refine ⟨le_refl _, ?_⟩
  rw [neg_zero]; exact le_refl _

/-- `y` is the sum of the products up to the radius `error`, in units of the product of two fixed-point
    numbers, halved. -/
def Bilinear.Near (s : Scale) (slots : Nat → K) (terms sources i error : Nat) (y : K) : Prop :=
  AtMost (natural (2 * s.unit * s.unit) * (y - sum terms (Bilinear.product slots terms sources i)))
    (natural error)

namespace Passed
/-- The node's meaning, in exact arithmetic up to the radii; of a curve's results only that they are within
    the budget. -/
def Holds (s : Scale) (slots : Nat → K) (p : Passed) : Prop :=
  match p.node with
  | .affine a => ∀ position row, position < a.positions → row < a.rows →
      Near s a p.decoding p.error slots position row (slots (p.start + (row + a.rows * position)))
  | .curve function first count => (Node.curve function first count).Holds .binary32 slots p.start
  | .bilinear count terms sources =>
    ∀ i, i < count → Bilinear.Near s slots terms sources i p.error (slots (p.start + i))
  | .quotient count sources => (Node.quotient count sources).Holds .binary32 slots p.start
  | node => node.Holds .real slots p.start

/-- Slot 0 holds 0, and all passed nodes, the last one first, mean what they should; the slots they wrote end
    before `count`. -/
def AllHold (s : Scale) (slots : Nat → K) : List Passed → Nat → Prop
  | [], _ => slots 0 = 0
  | p :: earlier, count => p.start + p.node.size = count ∧ p.Holds s slots ∧ AllHold s slots earlier p.start
theorem AllHold.zero {s : Scale} {slots : Nat → K} :
    (passed : List Passed) → (count : Nat) → AllHold s slots passed count → slots 0 = 0
  | [], _, h => h
  | p :: earlier, _, h => AllHold.zero earlier p.start h.2.2
end Passed
end PytestTorchLean
