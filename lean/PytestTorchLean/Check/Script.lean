prelude
import PytestTorchLean.Check.Box
import PytestTorchLean.Check.Compose
import PytestTorchLean.Check.Extremum
import PytestTorchLean.Check.Forward.Conclude
import PytestTorchLean.Check.Relaxation.Conclude
import PytestTorchLean.Check.Relaxation.Differ
import PytestTorchLean.Check.Rounded
import PytestTorchLean.Check.Split
import PytestTorchLean.Check.Weighted
import PytestTorchLean.Spec.Claim
/-!
# A certificate is a script

It says, node after node, how bounds are computed, where cases are distinguished and how the property is
concluded in each case. It holds no bounds. Whatever it says, `Script.run` is true only if what it
computes proves the property for every execution in the box.

A split distinguishes two cases of any slot written so far: of an input (the box is cut in two) or of a value
before a ReLU (the ReLU's phase). Both cases are checked, so the cases cover the box. A relaxation tightens
bounds of slots written so far, bounds differences of them, or concludes, by backward substitution (CROWN). A
proof in several theorems has each theorem assume the cases on its path; Thm/Parts joins them.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- How the property is shown once the nodes are bounded. -/
inductive Conclusion where
  /-- bounds of the slots bound the forms -/
  | direct (forms : Decoding)
  /-- the last affine node is substituted into the forms; `bits` bounds their composed weights. In exact
      arithmetic the node may still be ahead; in binary32 it has been passed, so that its errors are known -/
  | composed (forms last : Decoding) (bits : Nat)
  /-- rows of the forms, substituted backward; see `Relaxation.conclude` -/
  | relaxed (forms : Decoding) (shift size : Nat) (rows : Relaxation)
  /-- for every clause a sum of its rows, each times a number of at most `bits` bits; see `Weighted.run` -/
  | weighted (forms : Decoding) (bits size : Nat) (weights : List (List Nat))
  /-- forms of the slots from `origin` on, carried forward, on every part of the box that `cuts`
      distinguishes; see `Forward.conclude` -/
  | forward (forms : Decoding) (size slope fraction origin : Nat) (symbols : Bool) (cuts : Forward.Cuts)

inductive Script where
  /-- bound the next node by interval arithmetic -/
  | node (step : Step) (rest : Script)
  /-- two cases: the slot's fixed-point number is at most `value`, or at least -/
  | split (slot value : Nat) (below above : Script)
  /-- tighter bounds of some slots by backward substitution -/
  | tighten (rows : Relaxation) (rest : Script)
  | conclude (how : Conclusion)
  /-- a case that the theorem assumes, by its place on the path -/
  | known (place : Nat) (rest : Script)
  /-- bounds of the differences of `count` slots from place `right` on and those from `left` on, of the run
      that was written last -/
  | differ (rows : Relaxation) (left right count : Nat) (rest : Script)
  /-- the node passed last, sums of products or quotients, is an affine node of its operands from now on -/
  | linearize (how : Linearization) (rest : Script)

/-! ### For the compiler, as in Core/Recursors -/
namespace Recursor
@[inline] def conclusion {motive : Conclusion → Sort u} (direct : (forms : Decoding) → motive (.direct forms))
    (composed : (forms last : Decoding) → (bits : Nat) → motive (.composed forms last bits))
    (relaxed :
      (forms : Decoding) → (shift size : Nat) → (rows : Relaxation) → motive (.relaxed forms shift size rows))
    (weighted : (forms : Decoding) → (bits size : Nat) →
      (weights : List (List Nat)) → motive (.weighted forms bits size weights))
    (forward : (forms : Decoding) → (size slope fraction origin : Nat) →
      (symbols : Bool) → (cuts : Forward.Cuts) →
      motive (.forward forms size slope fraction origin symbols cuts)) (c : Conclusion) : motive c :=
  match c with
  | .direct forms => direct forms
  | .composed forms last bits => composed forms last bits
  | .relaxed forms shift size rows => relaxed forms shift size rows
  | .weighted forms bits size weights => weighted forms bits size weights
  | .forward forms size slope fraction origin symbols cuts =>
    forward forms size slope fraction origin symbols cuts
@[csimp] theorem conclusion_eq : @Conclusion.rec = @conclusion :=
  funext fun _ => funext fun _ =>
      funext fun _ => funext fun _ => funext fun _ => funext fun _ => funext fun c => by cases c <;> rfl

def script {motive : Script → Sort u}
    (node : (step : Step) → (rest : Script) → motive rest → motive (.node step rest))
    (split : (slot value : Nat) → (below above : Script) →
      motive below → motive above → motive (.split slot value below above))
    (tighten : (rows : Relaxation) → (rest : Script) → motive rest → motive (.tighten rows rest))
    (conclude : (how : Conclusion) → motive (.conclude how))
    (known : (place : Nat) → (rest : Script) → motive rest → motive (.known place rest))
    (differ : (rows : Relaxation) → (left right count : Nat) →
      (rest : Script) → motive rest → motive (.differ rows left right count rest))
    (linearize : (how : Linearization) → (rest : Script) → motive rest → motive (.linearize how rest)) :
    (s : Script) → motive s
  | .node step rest => node step rest (script node split tighten conclude known differ linearize rest)
  | .split slot value below above => split slot value below above
      (script node split tighten conclude known differ linearize below)
      (script node split tighten conclude known differ linearize above)
  | .tighten rows rest => tighten rows rest (script node split tighten conclude known differ linearize rest)
  | .conclude how => conclude how
  | .known place rest => known place rest (script node split tighten conclude known differ linearize rest)
  | .linearize how rest => linearize how rest (script node split tighten conclude known differ linearize rest)
  | .differ rows left right count rest =>
    differ rows left right count rest (script node split tighten conclude known differ linearize rest)
@[csimp] theorem script_eq : @Script.rec = @script :=
  funext fun _ => funext fun node => funext fun split => funext fun tighten =>
      funext fun _ => funext fun known => funext fun differ => funext fun linearize => funext fun s => by
    induction s with
    | node step rest ih => show node step rest _ = node step rest _; rw [ih]
    | split slot value below above ih1 ih2 =>
      show split slot value below above _ _ = split slot value below above _ _
      rw [ih1, ih2]
    | tighten rows rest ih => show tighten rows rest _ = tighten rows rest _; rw [ih]
    | known place rest ih => show known place rest _ = known place rest _; rw [ih]
    | differ rows left right count rest ih =>
      show differ rows left right count rest _ = differ rows left right count rest _
      rw [ih]
    | linearize how rest ih => show linearize how rest _ = linearize how rest _; rw [ih]
    | conclude how => rfl
end Recursor

namespace Conclusion
/-- The forms with the last node substituted, if it is affine. `last` decodes its weights as they were decoded
    for its error radii. -/
def substituted [Prepared] (s : Scale) (p : Property) (forms last : Decoding)
    (bits direct mirrored count : Nat) (head : Passed) : Bool :=
  Passed.rec (motive := fun _ => Bool) (fun node start decoding error => Node.rec (motive := fun _ => Bool)
    (fun a => both (Nat.beq decoding.base last.base)
        (Compose.run s p forms bits a last error start direct mirrored count))
    (fun _ _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ _ => false) (fun _ _ _ => false)
      (fun _ _ => false) node) head

/-- The property, when the nodes still ahead are as the conclusion needs them. -/
def run [Prepared] [Rules] (m : Semantics) (s : Scale) (p : Property) (how : Conclusion) (nodes : List Node)
    (passed : List Passed) (facts : List Relaxation.Differences) (direct mirrored count : Nat) : Bool :=
  Conclusion.rec (motive := fun _ => Bool)
    (fun forms => List.rec (motive := fun _ => Bool) (Direct.run s p forms direct mirrored count)
        (fun _ _ _ => false) nodes)
    (fun forms last bits => List.rec (motive := fun _ => Bool)
      (List.rec (motive := fun _ => Bool) false
          (fun head _ _ => substituted s p forms last bits direct mirrored count head) passed)
      (fun node later _ => Semantics.casesOn (motive := fun _ => Bool) m
        (Node.rec (motive := fun _ => Bool)
          (fun a => List.rec (motive := fun _ => Bool)
              (Compose.run s p forms bits a last 0 count direct mirrored count) (fun _ _ _ => false) later)
          (fun _ _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ _ => false) (fun _ _ _ => false)
            (fun _ _ => false) node)
        false) nodes)
    (fun forms shift size rows => List.rec (motive := fun _ => Bool)
      (Relaxation.conclude s p forms shift size rows passed facts direct mirrored count) (fun _ _ _ => false)
        nodes)
    (fun forms bits size weights => List.rec (motive := fun _ => Bool)
      (Weighted.run s p forms bits size weights direct mirrored count) (fun _ _ _ => false) nodes)
    (fun forms size slope fraction origin symbols cuts => List.rec (motive := fun _ => Bool)
      (Forward.conclude s p forms size slope fraction origin symbols cuts passed direct mirrored count)
        (fun _ _ _ => false) nodes)
    how

theorem substituted_sound [Prepared] {s : Scale} {slots : Nat → K} {p : Property} {forms last : Decoding}
    {bits direct mirrored count : Nat} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots count) :
    (head : Passed) → head.Holds s slots → substituted s p forms last bits direct mirrored count head = true →
    p.Holds slots
  | ⟨.affine _, _, _, _⟩, hp, h => by
    obtain ⟨same, h⟩ := both_true h
    have same := Nat.eq_of_beq_eq_true same
    refine Compose.run_sound sf hm (fun position row h1 h2 _ _ => ?_) h
    have near := hp position row h1 h2
    intro c hc
    have z := near c (by rw [same]; exact hc)
    rw [same] at z
    exact z
  | ⟨.relu _ _, _, _, _⟩, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.maximum _ _, _, _, _⟩, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.minimum _ _, _, _, _⟩, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.curve _ _ _, _, _, _⟩, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.bilinear _ _ _, _, _, _⟩, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.quotient _ _, _, _, _⟩, _, h => Bool.noConf_tf (Eq.symm h)

/-- **A script that runs through proves the property.** Bounds node by node, distinctions of two cases,
    tightened bounds and the conclusion: every execution on the box has the property, and none of its
    operations overflows. -/
theorem run_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {s : Scale} {slots : Nat → K}
    {p : Property} {passed : List Passed} {facts : List Relaxation.Differences} {direct mirrored count : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hp : Passed.AllHold s slots passed count)
    (hf : Every (Relaxation.Differences.Holds s slots) facts) :
    (m : Semantics) → (how : Conclusion) → (nodes : List Node) →
    NodesHold m slots count nodes → run m s p how nodes passed facts direct mirrored count = true →
    p.Holds slots ∧ NodesFinite m slots nodes
  | _, .direct _, [], _, h => ⟨Direct.run_sound sf hm h, trivial⟩
  | _, .direct _, _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | _, .relaxed _ _ _ _, [], _, h => ⟨Relaxation.conclude_sound sf hm hp hf h, trivial⟩
  | _, .relaxed _ _ _ _, _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | _, .weighted _ _ _ _, [], _, h => ⟨Weighted.run_sound sf hm h, trivial⟩
  | _, .weighted _ _ _ _, _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | _, .forward _ _ _ _ _ _ _, [], _, h => ⟨Forward.conclude_sound sf hm hp h, trivial⟩
  | _, .forward _ _ _ _ _ _ _, _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | _, .composed _ _ _, [], _, h => by
    cases passed with
    | nil => exact Bool.noConf_tf (Eq.symm h)
    | cons head earlier => exact ⟨substituted_sound sf hm head hp.2.1 h, trivial⟩
  | .real, .composed _ _ _, [.affine _], hn, h =>
    ⟨Compose.run_sound sf hm
        (fun position row h1 h2 b1 b2 => near_of_computes b1 b2 (hn.1 position row h1 h2)) h, trivial,
        trivial⟩
  | .real, .composed _ _ _, .affine _ :: _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | .real, .composed _ _ _, .relu _ _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | .real, .composed _ _ _, .maximum _ _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | .real, .composed _ _ _, .minimum _ _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | .real, .composed _ _ _, .curve _ _ _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | .real, .composed _ _ _, .bilinear _ _ _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | .real, .composed _ _ _, .quotient _ _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | .binary32, .composed _ _ _, _ :: _, _, h => Bool.noConf_tf (Eq.symm h)
end Conclusion

namespace Node
/-- The next node by interval arithmetic; `next` is handed the packed error radii first. -/
def run [Prepared] [Rules] (m : Semantics) (s : Scale) (node : Node) (step : Step)
    (direct mirrored count : Nat) (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  Node.rec (motive := fun _ => Bool)
    (fun a => Semantics.casesOn (motive := fun _ => Bool) m
        (Affine.run s a step.decoding direct mirrored count (next 0))
        (Affine.runRounded s a step direct mirrored count next))
    (fun first n => both (Nat.ble (first + n) count) (Relu.run s n first direct mirrored count (next 0)))
    (fun n sources => Extremum.run s true n sources direct mirrored count (next 0))
    (fun n sources => Extremum.run s false n sources direct mirrored count (next 0))
    (fun function first n => Rules.node m s (.curve function first n) step direct mirrored count next)
    (fun n terms sources => Rules.node m s (.bilinear n terms sources) step direct mirrored count next)
    (fun n sources => Rules.node m s (.quotient n sources) step direct mirrored count next) node

theorem run_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {s : Scale} {slots : Nat → K}
    (sf : s.Fits) :
    (m : Semantics) → (node : Node) → (step : Step) →
    (direct mirrored count : Nat) → (next : Nat → Nat → Nat → Nat → Bool) →
    (Memory.mk direct mirrored).Holds s slots count →
    node.Holds m slots count → run m s node step direct mirrored count next = true →
    node.Finite m slots ∧
      ∃ error direct' mirrored', (Passed.mk node count step.decoding error).Holds s slots ∧
        (Memory.mk direct' mirrored').Holds s slots (count + node.size) ∧
        next error direct' mirrored' (count + node.size) = true
  | .real, .affine _, _, _, _, _, next, hm, hn, h => by
    obtain ⟨b1, b2⟩ := Affine.run_base h
    obtain ⟨d, m, r1, r2⟩ := Affine.run_sound (next := next 0) sf hm hn h
    exact ⟨trivial, 0, d, m, fun position row h1 h2 => near_of_computes b1 b2 (hn position row h1 h2), r1, r2⟩
  | .binary32, .affine _, _, _, _, _, _, hm, hn, h => Affine.runRounded_sound sf hm hn h
  | m, .relu _ _, _, _, _, _, next, hm, hn, h => by
    obtain ⟨h1, h2⟩ := both_true h
    obtain ⟨d, m', r1, r2⟩ := Relu.run_sound (next := next 0) sf (Nat.le_of_ble_eq_true h1) hm hn h2
    exact ⟨trivial, 0, d, m', hn, r1, r2⟩
  | _, .maximum n sources, _, _, _, _, next, hm, hn, h => by
    obtain ⟨d, m', r1, r2⟩ :=
      Extremum.run_sound (maximum := true) (n := n) (sources := sources) (next := next 0) sf hm hn h
    exact ⟨trivial, 0, d, m', hn, r1, r2⟩
  | _, .minimum n sources, _, _, _, _, next, hm, hn, h => by
    obtain ⟨d, m', r1, r2⟩ :=
      Extremum.run_sound (maximum := false) (n := n) (sources := sources) (next := next 0) sf hm hn h
    exact ⟨trivial, 0, d, m', hn, r1, r2⟩
  | _, .curve _ _ _, _, _, _, _, _, hm, hn, h => Rules.Sound.node sf hm hn h
  | _, .bilinear _ _ _, _, _, _, _, _, hm, hn, h => Rules.Sound.node sf hm hn h
  | _, .quotient _ _, _, _, _, _, _, hm, hn, h => Rules.Sound.node sf hm hn h
end Node

namespace Script
/-- The case at a place of the path. -/
def caseAt (path : List Case) : Nat → (Case → Bool) → Bool :=
  List.rec (motive := fun _ => Nat → (Case → Bool) → Bool) (fun _ _ => false)
    (fun c _ later place next =>
        Nat.rec (motive := fun _ => Bool) (next c) (fun before _ => later before next) place) path
theorem caseAt_sound {p : Case → Prop} {next : Case → Bool} :
    (path : List Case) → Every p path → (place : Nat) →
    caseAt path place next = true → ∃ c, p c ∧ next c = true
  | [], _, _, h => Bool.noConf_tf (Eq.symm h)
  | c :: _, hp, 0, h => ⟨c, hp.1, h⟩
  | _ :: path, hp, place + 1, h => caseAt_sound path hp.2 place h

/-- The script on what is known so far: the nodes still ahead, those passed, bounds of differences (the last
    found first), and the bounds of all `count` slots. -/
def run [Prepared] [Rules] (m : Semantics) (s : Scale) (p : Property) (path : List Case) (script : Script) :
    List Node → List Passed → List Relaxation.Differences → Nat → Nat → Nat → Bool :=
  Script.rec
    (motive := fun _ => List Node → List Passed → List Relaxation.Differences → Nat → Nat → Nat → Bool)
    (fun step _ rest nodes passed facts direct mirrored count => List.rec (motive := fun _ => Bool) false
      (fun head later _ => Node.run m s head step direct mirrored count
        (fun error => rest later (⟨head, count, step.decoding, error⟩ :: passed) facts)) nodes)
    (fun slot value _ _ below above nodes passed facts direct mirrored count =>
      Split.run s slot value direct mirrored count
        (fun direct' mirrored' => below nodes passed facts direct' mirrored' count)
        (fun direct' mirrored' => above nodes passed facts direct' mirrored' count))
    (fun rows _ rest nodes passed facts direct mirrored count =>
      Relaxation.tighten s rows passed facts direct mirrored count
        (fun direct' mirrored' => rest nodes passed facts direct' mirrored' count))
    (fun how nodes passed facts direct mirrored count =>
        how.run m s p nodes passed facts direct mirrored count)
    (fun place _ rest nodes passed facts direct mirrored count => caseAt path place fun c =>
      Split.assume s c direct mirrored count
        fun direct' mirrored' => rest nodes passed facts direct' mirrored' count)
    (fun rows left right n _ rest nodes passed facts direct mirrored count =>
      Relaxation.differ s rows left right n passed facts direct mirrored count
        (fun d => rest nodes passed (d :: facts) direct mirrored count))
    (fun how _ rest nodes passed facts direct mirrored count =>
      Rules.linearize s how passed direct count fun passed' => rest nodes passed' facts direct mirrored count)
      script

theorem run_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {m : Semantics} {s : Scale}
    {slots : Nat → K} {p : Property} {path : List Case}
    (sf : s.Fits)
    (hc : Every (Case.Holds s slots) path) :
    (script : Script) → (nodes : List Node) → (passed : List Passed) →
    (facts : List Relaxation.Differences) → (direct mirrored count : Nat) →
    (Memory.mk direct mirrored).Holds s slots count →
    Passed.AllHold s slots passed count → Every (Relaxation.Differences.Holds s slots) facts →
    NodesHold m slots count nodes → run m s p path script nodes passed facts direct mirrored count = true →
    p.Holds slots ∧ NodesFinite m slots nodes
  | .node _ _, [], _, _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .node step rest, head :: later, passed, facts, direct, mirrored, count, hm, hp, hf, hn, h => by
    obtain ⟨finite, error, direct', mirrored', hp', hm', h'⟩ := Node.run_sound
      (next := fun error => run m s p path rest later (⟨head, count, step.decoding, error⟩ :: passed) facts)
        sf m head step direct mirrored count hm hn.1 h
    obtain ⟨r1, r2⟩ := run_sound sf hc rest later (⟨head, count, step.decoding, error⟩ :: passed) facts
      direct' mirrored' _ hm' ⟨rfl, hp', hp⟩ hf hn.2 h'
    exact ⟨r1, finite, r2⟩
  | .split slot value below above, nodes, passed, facts, direct, mirrored, count, hm, hp, hf, hn, h => by
    cases Split.run_sound (below := fun d m' => run m s p path below nodes passed facts d m' count)
        (above := fun d m' => run m s p path above nodes passed facts d m' count) sf hm h with
    | inl g =>
      obtain ⟨direct', mirrored', hm', h'⟩ := g
      exact run_sound sf hc below nodes passed facts direct' mirrored' count hm' hp hf hn h'
    | inr g =>
      obtain ⟨direct', mirrored', hm', h'⟩ := g
      exact run_sound sf hc above nodes passed facts direct' mirrored' count hm' hp hf hn h'
  | .tighten rows rest, nodes, passed, facts, direct, mirrored, count, hm, hp, hf, hn, h => by
    obtain ⟨direct', mirrored', hm', h'⟩ := Relaxation.tighten_sound
      (next := fun d m' => run m s p path rest nodes passed facts d m' count) sf hm hp hf h
    exact run_sound sf hc rest nodes passed facts direct' mirrored' count hm' hp hf hn h'
  | .known place rest, nodes, passed, facts, direct, mirrored, count, hm, hp, hf, hn, h => by
    obtain ⟨c, hold, h⟩ := caseAt_sound path hc place h
    obtain ⟨direct', mirrored', hm', h'⟩ := Split.assume_sound
      (next := fun d m' => run m s p path rest nodes passed facts d m' count) sf hm c hold h
    exact run_sound sf hc rest nodes passed facts direct' mirrored' count hm' hp hf hn h'
  | .differ rows left right n rest, nodes, passed, facts, direct, mirrored, count, hm, hp, hf, hn, h => by
    obtain ⟨d, hd, h'⟩ := Relaxation.differ_sound
      (next := fun d => run m s p path rest nodes passed (d :: facts) direct mirrored count) sf hm hp hf h
    exact run_sound sf hc rest nodes passed (d :: facts) direct mirrored count hm hp ⟨hd, hf⟩ hn h'
  | .linearize how rest, nodes, passed, facts, direct, mirrored, count, hm, hp, hf, hn, h => by
    obtain ⟨passed', hp', h'⟩ := Rules.Sound.linearize
      (next := fun passed' => run m s p path rest nodes passed' facts direct mirrored count) sf hm hp h
    exact run_sound sf hc rest nodes passed' facts direct mirrored count hm hp' hf hn h'
  | .conclude how, nodes, passed, _, _, _, _, hm, hp, hf, hn, h =>
    Conclusion.run_sound sf hm hp hf m how nodes hn h
end Script
end PytestTorchLean
