prelude
import PytestTorchLean.Check.Relaxation.Slanted
import PytestTorchLean.Check.Stepwise
/-!
# Through a smooth activation

Every neuron has one slope, and its value is the slope times the argument plus a residual (Check/Residual, for
curves whose rise is not known Check/Stepwise). Rows go on with the slopes (Check/Relaxation/Slanted). Only
lines of curves whose rise is not known may fall.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- `slide` by enclosures of `stages` stages of `precision` bits, every interval halved `depth` times. -/
def slideLogistic (s : Scale) (frame : Frame) (function : Curve)
    (bits size slopes depth stages precision first n direct mirrored count : Nat) (x : Batch)
    (next : Batch → Bool) : Bool :=
  both (both function.logistic (Nat.ble s.unit s.center))
    (force (fun measure => force (fun one => force (fun limit => both (Nat.ble (Nat.succ limit) measure)
      (force (fun multiple => force (fun base => force
              (fun relative => force (fun constant => force (fun unit => force (fun top => force (fun roof =>
          force (fun factor => force (fun share => force (fun center => force (fun small => force (fun bent =>
            slide s frame (fun slope fall l u next => both (Nat.beq fall 0)
                (Curve.settledOf unit slope small top base roof bent
              (fun m =>
                  Curve.enclose factor multiple base share center precision stages measure one limit m m)
                center relative constant depth l u next))
              bits size slopes first n direct mirrored count x next)
          function.bent) s.unit) s.center) function.share) function.factor)
        (function.roof s.unit s.center)) s.top) (Nat.pow 2 bits))
          (Nat.mul (Nat.add function.eighths (Nat.mul 8 function.absolute)) s.unit))
        (Nat.mul function.eighths (Nat.pow 2 126))) (function.base s.unit s.center))
            (function.multiple s.unit)))
    (Nat.mul Curve.farthest s.unit)) (Nat.pow 2 precision)) (Nat.mul s.unit (Nat.pow 256 stages)))

theorem slideLogistic_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {function : Curve}
    {bits size slopes depth stages precision first n direct mirrored count : Nat} {x : Batch}
    {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hx : x.Holds s frame slots goal)
    (curve : (Node.curve function first n).Holds .binary32 slots x.start)
    (h : slideLogistic s frame function bits size slopes depth stages precision first n direct mirrored count
      x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  unfold slideLogistic at h
  obtain ⟨c1, h⟩ := both_true h
  simp only [force_eq] at h
  obtain ⟨c2, h⟩ := both_true h
  obtain ⟨hf, c1⟩ := both_true c1
  have c1 := Nat.le_of_ble_eq_true c1
  have c2 : Curve.farthest * s.unit < s.unit * 256 ^ stages := Nat.le_of_ble_eq_true c2
  obtain ⟨e, he, hc⟩ := curve
  -- an enclosure at a point: the point and the value exist
  have encloses : Curve.Encloses function e s
    (fun m => Curve.enclose function.factor (function.multiple s.unit) (function.base s.unit s.center)
      function.share s.center precision stages
      (s.unit * 256 ^ stages) (2 ^ precision) (Curve.farthest * s.unit) m m) := fun m next hm' => by
    obtain ⟨y, hy⟩ := he.part sf.unit (natural m - natural s.center)
    have im : s.image y = natural m := by
      unfold Scale.image
      rw [hy]; exact (ring2 K a b, a - b + b, a) _ _
    have within : Within s m m y := ⟨le_of_eq im.symm, le_of_eq im⟩
    obtain ⟨low, high, w, hn⟩ := Curve.enclose_sound he hf sf.unit c1 c2 within hm'
    obtain ⟨v, hv⟩ := Curve.exists_value he y function hf
    exact ⟨low, high, ⟨y, v, im, hv, w v hv⟩, hn⟩
  have rule : Settles s (function.Computes .binary32 e) (2 ^ bits)
    (fun slope fall l u next => both (Nat.beq fall 0)
      (Curve.settled (Curve.line s function (2 ^ bits) slope)
      (fun m => Curve.enclose function.factor (function.multiple s.unit) (function.base s.unit s.center)
          function.share s.center precision stages (s.unit * 256 ^ stages) (2 ^ precision)
          (Curve.farthest * s.unit) m m) s.center (function.eighths * 2 ^ 126)
        ((function.eighths + 8 * function.absolute) * s.unit) depth l u next)) :=
    fun slope fall l u next x y hx hy hs => by
      obtain ⟨flat, hs⟩ := both_true hs
      obtain ⟨lo, hi, r, hn⟩ := Curve.settled_sound he hf sf.unit c1 encloses hs
      have t := r x y hx hy
      unfold Curve.Line.residual at t
      rw [Nat.eq_of_beq_eq_true flat]
      refine ⟨lo, hi, ?_, hn⟩
      rw [Curve.offLine_zero]
      exact t
  exact slide_sound sf hm hx rule hc h

/-- `slide` by the curve's own rule over pieces, every interval halved `depth` times, or by a logarithm's
    tangents. -/
def slideStepwise (s : Scale) (frame : Frame) (function : Curve)
    (bits size slopes depth stages precision first n direct mirrored count : Nat) (x : Batch)
    (next : Batch → Bool) : Bool :=
  both (Nat.ble s.unit s.center)
    (force (fun measure => force (fun one => force (fun limit => both (Nat.ble (Nat.succ limit) measure)
      (force (fun relative => force (fun constant => force (fun unit => force (fun top => force (fun center =>
          slide s frame (Curve.stepped unit top center relative constant
              (Curve.pieces s function unit depth precision stages measure one limit top))
            bits size slopes first n direct mirrored count x next)
        s.center) s.top) (Nat.pow 2 bits))
          (Nat.mul (Nat.add function.eighths (Nat.mul 8 function.absolute)) s.unit))
        (Nat.mul function.eighths (Nat.pow 2 126))))
    (Nat.mul Curve.farthest s.unit)) (Nat.pow 2 precision)) (Nat.mul s.unit (Nat.pow 256 stages)))

theorem slideStepwise_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {function : Curve}
    {bits size slopes depth stages precision first n direct mirrored count : Nat} {x : Batch}
    {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hx : x.Holds s frame slots goal)
    (curve : (Node.curve function first n).Holds .binary32 slots x.start)
    (h : slideStepwise s frame function bits size slopes depth stages precision first n direct mirrored count
      x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  unfold slideStepwise at h
  obtain ⟨c1, h⟩ := both_true h
  simp only [force_eq] at h
  obtain ⟨c2, h⟩ := both_true h
  have c1 := Nat.le_of_ble_eq_true c1
  have c2 : Curve.farthest * s.unit < s.unit * 256 ^ stages := Nat.le_of_ble_eq_true c2
  obtain ⟨e, he, hc⟩ := curve
  have rule : Settles s (function.Computes .binary32 e) (2 ^ bits)
    (Curve.stepped (2 ^ bits) s.top s.center (function.eighths * 2 ^ 126)
        ((function.eighths + 8 * function.absolute) * s.unit)
        (Curve.pieces s function (2 ^ bits) depth precision stages (s.unit * 256 ^ stages) (2 ^ precision)
          (Curve.farthest * s.unit) s.top)) :=
    fun slope fall l u next x y hx hy hs => Curve.stepped_sound he sf.unit c1 c2 hx hy hs
  exact slide_sound sf hm hx rule hc h

/-- `slide` by enclosures of `stages` stages of `precision` bits, every interval halved `depth` times; a fused
    operation's result is its argument, moved by the budget. -/
def slideCurve (s : Scale) (frame : Frame) (function : Curve)
    (bits size slopes depth stages precision first n direct mirrored count : Nat) (x : Batch)
    (next : Batch → Bool) : Bool :=
  match function with
  | .fused operation => force (fun relative => force (fun constant => force (fun unit => force (fun top =>
        slide s frame (fun slope fall l u next => both (Nat.beq fall 0)
            (Curve.carried unit top s.center relative constant slope l u next)) bits size slopes
          first n direct mirrored count x next)
      s.top) (Nat.pow 2 bits)) (Nat.mul
          (Nat.add (Curve.fused operation).eighths (Nat.mul 8 (Curve.fused operation).absolute)) s.unit))
      (Nat.mul (Curve.fused operation).eighths (Nat.pow 2 126))
  | function => Bool.casesOn (motive := fun _ => Bool) function.logistic
      (slideStepwise s frame function bits size slopes depth stages precision first n direct mirrored count x
        next)
      (slideLogistic s frame function bits size slopes depth stages precision first n direct mirrored count x
        next)

theorem slideCurve_sound {s : Scale} {frame : Frame} {slots goal : Nat → K}
    {bits size slopes depth stages precision first n direct mirrored count : Nat} {x : Batch}
    {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hx : x.Holds s frame slots goal) :
    (function : Curve) → (Node.curve function first n).Holds .binary32 slots x.start →
    slideCurve s frame function bits size slopes depth stages precision first n direct mirrored count x next =
      true → ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true
  | .fused operation, curve, h => by
    unfold slideCurve at h
    dsimp only at h
    simp only [force_eq] at h
    obtain ⟨e, he, hc⟩ := curve
    have rule : Settles s ((Curve.fused operation).Computes .binary32 e) (2 ^ bits)
      (fun slope fall l u next => both (Nat.beq fall 0) (Curve.carried (2 ^ bits) s.top s.center
        ((Curve.fused operation).eighths * 2 ^ 126)
          (((Curve.fused operation).eighths + 8 * (Curve.fused operation).absolute) * s.unit)
          slope l u next)) :=
      fun slope fall l u next x y hx hy hs => by
        obtain ⟨flat, hs⟩ := both_true hs
        obtain ⟨lo, hi, r, hn⟩ := Curve.carried_sound (K := K) (e := e) hs
        rw [Nat.eq_of_beq_eq_true flat]
        refine ⟨lo, hi, ?_, hn⟩
        rw [Curve.offLine_zero]
        exact r x y hx hy
    exact slide_sound sf hm hx rule hc h
  | .exp, curve, h => slideLogistic_sound sf hm hx curve h
  | .sigmoid, curve, h => slideLogistic_sound sf hm hx curve h
  | .tanh, curve, h => slideLogistic_sound sf hm hx curve h
  | .sqrt, curve, h => slideStepwise_sound sf hm hx curve h
  | .log, curve, h => slideStepwise_sound sf hm hx curve h
  | .softplus, curve, h => slideStepwise_sound sf hm hx curve h
  | .erf, curve, h => slideStepwise_sound sf hm hx curve h
  | .sine, curve, h => slideStepwise_sound sf hm hx curve h
  | .cosine, curve, h => slideStepwise_sound sf hm hx curve h
  | .sign, curve, h => slideStepwise_sound sf hm hx curve h
end Relaxation
end PytestTorchLean
