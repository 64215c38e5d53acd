prelude
import PytestTorchLean.Thm.Parts
import PytestTorchLean.Thm.Executions
/-!
# An accepted certificate, and every step of the checker on it

A small graph, a box with an execution in it, and a certificate that the checker accepts, in both semantics:
the hypotheses of `sound` and of the theorems about the checker's steps are met by something. Each theorem
here is an instance of the one of the same name without `Example`.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing
local instance rules : Rules := Rules.plain

/-- `y = 1.0 * x0 + -2.0 * x1` again, in four lanes of one column, as a certificate lays it out. -/
def wide : Affine := ⟨1, 4, 1, 0xC00000003F800000, 1, 0x0000000300000002, 1⟩
def wideGraph : Graph := ⟨2, [.affine wide, .relu 4 1]⟩
/-- The graph without its ReLU. -/
def wideLayer : Graph := ⟨2, [.affine wide]⟩
/-- `slot > 0`; the coefficient is the smallest subnormal number, whose `scaled` value is 1. -/
def positive (slot : Nat) : Property := ⟨⟨1, 4, 1, 1, 1, slot, 1⟩, true, 1⟩
def scale : Scale := ⟨2 ^ 16, 2 ^ 20, 64⟩
def weightDecoding : Decoding := ⟨127, 1, 25⟩
def formDecoding : Decoding := ⟨1, 0, 1⟩
/-- How the two nodes are bounded; no source is further from 0 than 5. -/
def affineStep : Step := ⟨weightDecoding, 2, 5 * 2 ^ 16⟩
def reluStep : Step := ⟨⟨1, 0, 0⟩, 0, 0⟩
def afterRelu : Script := .conclude (.direct formDecoding)
def script : Script := .node affineStep (.node reluStep afterRelu)
def certificate : Certificate := ⟨scale, [[script]]⟩
def claims : List Claim := [⟨positive 5, [box]⟩]
/-- The box in two: x0 at most 3, and at least. -/
def halvedScript : Script := .split 2 (2 ^ 20 + 3 * 2 ^ 16) script script
def halved : Certificate := ⟨scale, [[halvedScript]]⟩
/-- x0 at most 9: its bounds end at 4, and the checker says no. -/
def outside : Certificate := ⟨scale, [[.split 2 (2 ^ 20 + 9 * 2 ^ 16) script script]]⟩
def composed : Certificate := ⟨scale, [[.conclude (.composed formDecoding weightDecoding 28)]]⟩

/-- The kernel runs the checker: it accepts this certificate. -/
theorem accepted : check .plain .real wideGraph claims certificate = true := by decide +kernel
/-- The kernel accepts it for binary32, too. -/
theorem accepted_binary32 : check .plain .binary32 wideGraph claims certificate = true := by decide +kernel
theorem accepted_composed : check .plain .real wideLayer [⟨positive 4, [box]⟩] composed = true := by
  decide +kernel
theorem accepted_halved : check .plain .real wideGraph claims halved = true := by decide +kernel
theorem refused_outside : check .plain .real wideGraph claims outside = false := by decide +kernel
/-- With the box a little larger, 2 ≤ x0 instead of 2.5 ≤ x0, the property fails at x0 = 2 and the checker
    says no. -/
theorem refused :
    check .plain .real wideGraph [⟨positive 5, [⟨2, 0, 8, 0x0204, 0x0208⟩]⟩] certificate = false := by
  decide +kernel

/-- What `sound` says of the accepted certificate. -/
theorem sound (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real wideGraph) claims :=
  PytestTorchLean.sound K accepted
theorem sound_binary32 (K : Type u) [OrderedRing K] : Every (Claim.Holds K .binary32 wideGraph) claims :=
  PytestTorchLean.sound K accepted_binary32

/-! ### The steps -/

theorem scale_fits : scale.Fits := ⟨by decide +kernel, by decide +kernel⟩

variable {K : Type u} [OrderedRing K]

theorem zero_scaled : (Binary32.scaled 0 : K) = 0 := by
  have s : Binary32.sign 0 = 0 := by decide +kernel
  have m : Binary32.magnitude 0 = 0 := by decide +kernel
  unfold Binary32.scaled
  rw [s, m]; rfl

theorem wide_holds : (Node.affine wide).Holds .real (fun i => (natural (value i) : K)) 4 := by
  intro position row hp hr
  have hp : position = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hp) (Nat.zero_le _)
  have hr : row = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hr) (Nat.zero_le _)
  subst hp
  subst hr
  have p0 : wide.pattern 0 0 0 = 0x3F800000 := by decide +kernel
  have p1 : wide.pattern 0 (0 + 1) 0 = 0xC0000000 := by decide +kernel
  have p2 : wide.pattern 0 (0 + 1 + 1) 0 = 0 := by decide +kernel
  have p3 : wide.pattern 0 (0 + 1 + 1 + 1) 0 = 0 := by decide +kernel
  have s0 : wide.source 0 0 0 = 2 := by decide +kernel
  have s1 : wide.source 0 (0 + 1) 0 = 3 := by decide +kernel
  have d : wide.divisor * 2 ^ 149 = 2 ^ 149 := by decide +kernel
  show natural (wide.divisor * 2 ^ 149) * natural 1 =
    (Binary32.scaled (wide.pattern 0 0 0) * natural (value (wide.source 0 0 0)) + 0) +
      ((Binary32.scaled (wide.pattern 0 (0 + 1) 0) * natural (value (wide.source 0 (0 + 1) 0)) + 0) +
        ((Binary32.scaled (wide.pattern 0 (0 + 1 + 1) 0) * natural (value (wide.source 0 (0 + 1 + 1) 0)) +
                0) + ((Binary32.scaled (wide.pattern 0 (0 + 1 + 1 + 1) 0) *
                      natural (value (wide.source 0 (0 + 1 + 1 + 1) 0)) + 0) + (0 : K))))
  rw [p0, p1, p2, p3, s0, s1, d, one_scaled, minus_two_scaled, zero_scaled, natural_mul (2 ^ 149) 2]
  generalize (natural (value (wide.source 0 (0 + 1 + 1) 0)) : K) = a
  generalize (natural (value (wide.source 0 (0 + 1 + 1 + 1) 0)) : K) = b
  generalize (natural (2 ^ 149) : K) = w
  show w * natural 1 =
    (w * natural 3 + 0) + ((-(w * natural 2) * natural 1 + 0) + ((0 * a + 0) + ((0 * b + 0) + 0)))
  exact (ring3 K w a b, w * 1, (w * 3 + 0) + ((-(w * 2) * 1 + 0) + ((0 * a + 0) + ((0 * b + 0) + 0)))) w a b

/-- 0, 1, 3, 1, 1, 1 is an execution of the laid out graph, on an input of the box. -/
theorem wide_executes (K : Type u) [OrderedRing K] :
    Executes .real wideGraph (fun i => (natural (value i) : K)) ∧
    box.Holds wideGraph.inputs (fun i => (natural (value i) : K)) := by
  obtain ⟨⟨h0, h1, _, h2⟩, inside⟩ := value_executes K
  exact ⟨⟨h0, h1, wide_holds, h2⟩, inside⟩

theorem wide_executes_binary32 (K : Type u) [OrderedRing K] :
    Executes .binary32 wideGraph (fun i => (natural (value i) : K)) ∧
    box.HullHolds wideGraph.inputs (fun i => (natural (value i) : K)) :=
  ⟨executes_exact (wide_executes K).1, Box.holds_hull (by decide +kernel) (wide_executes K).2⟩

/-- What the claim says of this execution. -/
theorem conclusion (K : Type u) [OrderedRing K] : (positive 5).Holds (fun i => (natural (value i) : K)) :=
  ((sound K).1.1 _ (wide_executes K).1 (wide_executes K).2).1
/-- What the claim says of this execution in binary32. -/
theorem conclusion_binary32 (K : Type u) [OrderedRing K] :
    (positive 5).Holds (fun i => (natural (value i) : K)) ∧
    NodesFinite .binary32 (fun i => (natural (value i) : K)) wideGraph.nodes :=
  (sound_binary32 K).1.1 _ (wide_executes_binary32 K).1 (wide_executes_binary32 K).2

/-- The bounds that a memory holds for the first slots of the execution. -/
def Bounded (K : Type u) [OrderedRing K] (count : Nat) (direct mirrored : Nat) : Prop :=
  (Memory.mk direct mirrored).Holds scale (fun i => (natural (value i) : K)) count

theorem checked : checkBox .real wideGraph scale (positive 5) box script = true := by decide +kernel
theorem checked_binary32 : checkBox .binary32 wideGraph scale (positive 5) box script = true := by
  decide +kernel
theorem Box.run_sound (K : Type u) [OrderedRing K] : ∃ direct mirrored, Bounded K 4 direct mirrored ∧
    Script.run .real scale (positive 5) [] script wideGraph.nodes [] [] direct mirrored 4 = true :=
  PytestTorchLean.Box.run_sound scale_fits rfl rfl (wide_executes K).2 checked
theorem Box.runHull_sound (K : Type u) [OrderedRing K] : ∃ direct mirrored, Bounded K 4 direct mirrored ∧
    Script.run .binary32 scale (positive 5) [] script wideGraph.nodes [] [] direct mirrored 4 = true :=
  PytestTorchLean.Box.runHull_sound scale_fits rfl rfl (wide_executes_binary32 K).2 checked_binary32

theorem Script.run_sound (K : Type u) [OrderedRing K] :
    (positive 5).Holds (fun i => (natural (value i) : K)) ∧
    NodesFinite .real (fun i => (natural (value i) : K)) wideGraph.nodes := by
  obtain ⟨direct, mirrored, hm, h⟩ := Box.run_sound K
  exact PytestTorchLean.Script.run_sound (rules := .plain) scale_fits (path := []) trivial script
    wideGraph.nodes [] [] direct mirrored 4 hm (wide_executes K).1.1 trivial (wide_executes K).1.2.2 h

/-- The rest of the script once the affine node is bounded. -/
def afterAffine (m : Semantics) (error direct mirrored count : Nat) : Bool :=
  Script.run m scale (positive 5) [] (.node reluStep afterRelu) [.relu 4 1]
    [⟨.affine wide, 4, weightDecoding, error⟩] [] direct mirrored count
theorem Affine.run_sound (K : Type u) [OrderedRing K] :
    ∃ direct mirrored, Bounded K 5 direct mirrored ∧ afterAffine .real 0 direct mirrored 5 = true := by
  obtain ⟨direct, mirrored, hm, h⟩ := Box.run_sound K
  have h : Affine.run scale wide weightDecoding direct mirrored 4 (afterAffine .real 0) = true := h
  exact PytestTorchLean.Affine.run_sound scale_fits hm wide_holds h
theorem Affine.runRounded_sound (K : Type u) [OrderedRing K] :
    (Node.affine wide).Finite .binary32 (fun i => (natural (value i) : K)) ∧
    ∃ error direct mirrored,
      Bounded K 5 direct mirrored ∧ afterAffine .binary32 error direct mirrored 5 = true := by
  obtain ⟨direct, mirrored, hm, h⟩ := Box.runHull_sound K
  have h : Affine.runRounded scale wide affineStep direct mirrored 4 (afterAffine .binary32) = true := h
  obtain ⟨finite, error, direct', mirrored', _, hm', h'⟩ :=
    PytestTorchLean.Affine.runRounded_sound (step := affineStep) (next := afterAffine .binary32) scale_fits hm
      (wide_executes_binary32 K).1.2.2.1 h
  exact ⟨finite, error, direct', mirrored', hm', h'⟩
/-- The rest of the script once the ReLU is bounded: nothing but the conclusion. -/
def atTheEnd (direct mirrored count : Nat) : Bool :=
  Direct.run scale (positive 5) formDecoding direct mirrored count
theorem Relu.run_sound (K : Type u) [OrderedRing K] :
    ∃ direct mirrored, Bounded K 6 direct mirrored ∧ atTheEnd direct mirrored 6 = true := by
  obtain ⟨direct, mirrored, hm, h⟩ := Affine.run_sound K
  have h : both (Nat.ble 5 5) (Relu.run scale 1 4 direct mirrored 5 atTheEnd) = true := h
  exact PytestTorchLean.Relu.run_sound (n := 1) (first := 4) (count := 5) scale_fits Nat.le.refl hm
    (wide_executes K).1.2.2.2.1 (both_true h).2
theorem Direct.run_sound (K : Type u) [OrderedRing K] :
    (positive 5).Holds (fun i => (natural (value i) : K)) := by
  obtain ⟨direct, mirrored, hm, h⟩ := Relu.run_sound K
  exact PytestTorchLean.Direct.run_sound scale_fits hm h
/-- The value 3 of x0 belongs to both halves; whichever it is, the rest of the script is accepted on its
    bounds. -/
theorem Split.run_sound (K : Type u) [OrderedRing K] : ∃ direct mirrored, Bounded K 4 direct mirrored ∧
    Script.run .real scale (positive 5) [] script wideGraph.nodes [] [] direct mirrored 4 = true := by
  have both : checkBox .real wideGraph scale (positive 5) box halvedScript = true := by decide +kernel
  have start : ∃ direct mirrored, Bounded K 4 direct mirrored ∧
      Script.run .real scale (positive 5) [] halvedScript wideGraph.nodes [] [] direct mirrored 4 = true :=
    PytestTorchLean.Box.run_sound scale_fits rfl rfl (wide_executes K).2 both
  obtain ⟨direct, mirrored, hm, h⟩ := start
  cases PytestTorchLean.Split.run_sound
      (below := fun d m => Script.run .real scale (positive 5) [] script wideGraph.nodes [] [] d m 4)
      (above := fun d m => Script.run .real scale (positive 5) [] script wideGraph.nodes [] [] d m 4)
          scale_fits hm h with
  | inl g => exact g
  | inr g => exact g
/-- By the composed certificate: `y > 0` already before the ReLU. -/
theorem Compose.run_sound (K : Type u) [OrderedRing K] :
    (positive 4).Holds (fun i => (natural (value i) : K)) := by
  have whole : Every (Claim.Holds K .real wideLayer) [⟨positive 4, [box]⟩] :=
    PytestTorchLean.sound K accepted_composed
  exact (whole.1.1 _ ⟨rfl, rfl, wide_holds, trivial⟩ (wide_executes K).2).1

/-- A clause of two rows, `z > 0` twice, by their sum with the weights 1 and 2. -/
theorem Weighted.run_sound (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .real wideGraph) [⟨⟨⟨2, 4, 1, 2 ^ 128 + 1, 1, 5, 1⟩, true, 2⟩, [box]⟩] :=
  PytestTorchLean.sound K (rules := .plain)
    (c := ⟨scale, [[.node affineStep (.node reluStep (.conclude (.weighted formDecoding 2 8 [[1, 2]])))]]⟩)
    (by decide +kernel)
/-- `max(y, x0)` behind the layer, bounded and positive. -/
theorem maximum_bounded (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .real ⟨2, [.affine wide, .maximum 1 0x0000000200000004]⟩) claims :=
  PytestTorchLean.sound K (rules := .plain) (c := certificate) (by decide +kernel)
/-- The two halves of the box as parts of their own, joined. -/
theorem joined_parts (K : Type u) [OrderedRing K] : PartHolds K .real wideGraph scale (positive 5) box [] :=
  PartHolds.join (slot := 2) (value := 2 ^ 20 + 3 * 2 ^ 16)
    (PartHolds.checked K (rules := .plain) (script := .known 0 script) (by decide +kernel))
      (PartHolds.checked K (rules := .plain) (script := .known 0 script) (by decide +kernel))

/-- The weights of the layer decode. -/
theorem decodes : ∃ lanes, decode wide weightDecoding = some lanes := by
  have some :
      Option.rec (motive := fun _ => Bool) false (fun _ => true) (decode wide weightDecoding) = true := by
    decide +kernel
  cases h : decode wide weightDecoding with
  | none => rw [h] at some; exact Bool.noConf_tf (Eq.symm some)
  | some lanes => exact ⟨lanes, rfl⟩

end Example
end PytestTorchLean
