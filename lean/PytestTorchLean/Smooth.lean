prelude
import PytestTorchLean.Check.Rules
import PytestTorchLean.Check.Bilinear
import PytestTorchLean.Check.Curve
import PytestTorchLean.Check.Linearize.Ratio
import PytestTorchLean.Check.Quotient
import PytestTorchLean.Check.Relaxation.Slide
/-!
# Rules for curves, sums of products and quotients

All rules that there are, and that they are sound. A certificate that has such nodes names this set and
imports this module; other certificates do not need it.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Rules
/-- Bounds of a curve's results, of sums of products, of quotients; of no other node. -/
def smoothNode (m : Semantics) (s : Scale) (node : Node) (step : Step) (direct mirrored count : Nat)
    (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  Node.rec (motive := fun _ => Bool) (fun _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ => false)
    (fun function first n =>
        Curve.run m s function step.radius step.first first n direct mirrored count (next 0))
    (fun n terms sources => Bilinear.run m s n terms sources direct mirrored count next)
    (fun n sources => Quotient.run m s n sources direct mirrored count (next 0)) node

/-- Rows through a curve; through no other node. -/
def smoothSlide (s : Scale) (frame : Relaxation.Frame) (p : Passed)
    (bits size slopes depth stages precision direct mirrored count : Nat) (x : Relaxation.Batch)
    (next : Relaxation.Batch → Bool) : Bool :=
  Node.rec (motive := fun _ => Bool) (fun _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ => false)
    (fun function first n => Relaxation.slideCurve s frame function bits size slopes depth stages precision
        first n direct mirrored count x next)
    (fun _ _ _ => false) (fun _ _ => false) p.node

/-- The rules for curves, sums of products and quotients. -/
@[reducible] def smooth : Rules where
  node := smoothNode
  linearize := Linearize.run
  slide := smoothSlide

theorem smoothNode_sound {m : Semantics} {s : Scale} {slots : Nat → K} {step : Step}
    {direct mirrored count : Nat} {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count) :
    (node : Node) → node.Holds m slots count → smoothNode m s node step direct mirrored count next = true →
    node.Finite m slots ∧
      ∃ error direct' mirrored', (Passed.mk node count step.decoding error).Holds s slots ∧
        (Memory.mk direct' mirrored').Holds s slots (count + node.size) ∧
        next error direct' mirrored' (count + node.size) = true
  | .curve _ _ _, hn, h => by
    obtain ⟨finite, d, m', r1, r2⟩ := Curve.run_sound (next := next 0) sf hm hn h
    exact ⟨finite, 0, d, m', Curve.allowed m hn, r1, r2⟩
  | .bilinear _ _ _, hn, h => Bilinear.run_sound step.decoding sf m hm hn h
  | .quotient _ _, hn, h => by
    obtain ⟨finite, d, m', r1, r2⟩ := Quotient.run_sound (next := next 0) sf m hm hn h
    exact ⟨finite, 0, d, m', Quotient.allowed m hn, r1, r2⟩
  | .affine _, _, h => Bool.noConf_tf (Eq.symm h)
  | .relu _ _, _, h => Bool.noConf_tf (Eq.symm h)
  | .maximum _ _, _, h => Bool.noConf_tf (Eq.symm h)
  | .minimum _ _, _, h => Bool.noConf_tf (Eq.symm h)

theorem smoothSlide_sound {s : Scale} {frame : Relaxation.Frame} {slots goal : Nat → K}
    {bits size slopes depth stages precision direct mirrored count : Nat} {x : Relaxation.Batch}
    {next : Relaxation.Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hx : x.Holds s frame slots goal) :
    (p : Passed) → x.start = p.start → p.Holds s slots →
    smoothSlide s frame p bits size slopes depth stages precision direct mirrored count x next = true →
    ∃ y : Relaxation.Batch, y.Holds s frame slots goal ∧ next y = true
  | ⟨.curve function first n, _, _, _⟩, same, hp, h =>
    Relaxation.slideCurve_sound sf hm hx function (by rw [same]; exact hp) h
  | ⟨.affine _, _, _, _⟩, _, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.relu _ _, _, _, _⟩, _, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.maximum _ _, _, _, _⟩, _, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.minimum _ _, _, _, _⟩, _, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.bilinear _ _ _, _, _, _⟩, _, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.quotient _ _, _, _, _⟩, _, _, h => Bool.noConf_tf (Eq.symm h)

/-- **The rules are sound**, over every ordered ring. -/
instance smooth_sound (K : Type u) [OrderedRing K] : Sound K smooth where
  node := fun sf hm hn h => smoothNode_sound sf hm _ hn h
  linearize := fun sf hm hp h => Linearize.run_sound sf hm _ hp h
  slide := fun sf hm hx same hp h => smoothSlide_sound sf hm hx _ same hp h
end Rules
end PytestTorchLean
