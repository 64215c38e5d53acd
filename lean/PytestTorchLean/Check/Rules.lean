prelude
import PytestTorchLean.Check.Passed
import PytestTorchLean.Check.Prepared
import PytestTorchLean.Check.Relaxation.Batch
/-!
# Which rules a check may use

The checker itself knows affine nodes, ReLU, maximum and minimum. What it does about the other nodes - curves,
sums of products, quotients - are the rules of a set that `check` is given by name. `Rules.plain` refuses all
of them: a certificate of a network of the former nodes names it, and rests on nothing else. `Rules.smooth` is
all rules that there are; it stands with its proofs in `PytestTorchLean.Smooth`, which is built where a
certificate names it. What any set has to guarantee is `Rules.Sound`.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

/-- Rows that are to stand for a passed node. -/
structure Linearization where
  /-- one position; constants are weights of slot 1 -/
  rows : Affine
  decoding : Decoding
  /-- the same row by row: three words for each entry, one for its column and two for its weight raised by
      `2^bits`, first for the two factors of each product, then for slot 1 -/
  entries : Nat

/-- A set of rules. Each is a test that goes on with `next` where it succeeds. -/
class Rules where
  /-- bound the results of a curve, of sums of products or of quotients, as `Node.run` bounds those of other
      nodes -/
  node : (m : Semantics) → (s : Scale) → Node → (step : Step) →
    (direct mirrored count : Nat) → (next : Nat → Nat → Nat → Nat → Bool) →
    Bool
  /-- take the node passed last for an affine one from now on; see Check/Linearize -/
  linearize : [Prepared] → (s : Scale) → (how : Linearization) →
    (passed : List Passed) → (direct count : Nat) →
    (next : List Passed → Bool) → Bool
  /-- go on from rows over the results of a node to rows over what it reads; see Check/Relaxation/Slide for
      the parameters -/
  slide : (s : Scale) → (frame : Relaxation.Frame) →
    (p : Passed) → (bits size slopes depth stages precision direct mirrored count : Nat) →
    (x : Relaxation.Batch) → (next : Relaxation.Batch → Bool) →
    Bool

/-- What a set of rules has to guarantee over an ordered ring. -/
class Rules.Sound (K : Type u) [OrderedRing K] (rules : Rules) : Prop where
  /-- in every execution the node is finite, and what is handed on holds: its error radii, and bounds of its
      results -/
  node : ∀ {m : Semantics} {s : Scale} {slots : Nat → K} {node : Node} {step : Step}
    {direct mirrored count : Nat} {next : Nat → Nat → Nat → Nat → Bool}, s.Fits →
    (Memory.mk direct mirrored).Holds s slots count →
    node.Holds m slots count → rules.node m s node step direct mirrored count next = true →
    node.Finite m slots ∧
      ∃ error direct' mirrored', (Passed.mk node count step.decoding error).Holds s slots ∧
        (Memory.mk direct' mirrored').Holds s slots (count + node.size) ∧
        next error direct' mirrored' (count + node.size) = true
  /-- the passed nodes that are handed on mean what they should -/
  linearize : ∀ [Prepared] {s : Scale} {slots : Nat → K} {how : Linearization} {direct mirrored count : Nat}
    {next : List Passed → Bool} {passed : List Passed}, s.Fits →
    (Memory.mk direct mirrored).Holds s slots count →
    Passed.AllHold s slots passed count → rules.linearize s how passed direct count next = true →
    ∃ passed', Passed.AllHold s slots passed' count ∧ next passed' = true
  /-- the rows that are handed on lie below the same goals -/
  slide : ∀ {s : Scale} {frame : Relaxation.Frame} {slots goal : Nat → K} {p : Passed}
    {bits size slopes depth stages precision direct mirrored count : Nat} {x : Relaxation.Batch}
    {next : Relaxation.Batch → Bool}, s.Fits → (Memory.mk direct mirrored).Holds s slots count →
    x.Holds s frame slots goal → x.start = p.start →
    p.Holds s slots →
    rules.slide s frame p bits size slopes depth stages precision direct mirrored count x next = true →
    ∃ y : Relaxation.Batch, y.Holds s frame slots goal ∧ next y = true

/-- No rules: every node that is not affine, a ReLU, a maximum or a minimum is refused. -/
@[reducible] def Rules.plain : Rules where
  node := fun _ _ _ _ _ _ _ _ => false
  linearize := fun _ _ _ _ _ _ => false
  slide := fun _ _ _ _ _ _ _ _ _ _ _ _ _ _ => false

/-- The set without rules is sound: it refuses. -/
instance Rules.plain_sound (K : Type u) [OrderedRing K] : Rules.Sound K Rules.plain where
  node := fun _ _ _ h => Bool.noConf_tf (Eq.symm h)
  linearize := fun _ _ _ h => Bool.noConf_tf (Eq.symm h)
  slide := fun _ _ _ _ _ h => Bool.noConf_tf (Eq.symm h)

end PytestTorchLean
