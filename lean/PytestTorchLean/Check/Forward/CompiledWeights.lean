prelude
import PytestTorchLean.Check.Forward.Affine
import PytestTorchLean.Check.Forward.BendColumns
/-!
# Weights applied to all columns, for the compiler

As in Check/Forward/BendColumns.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Forward
open Natural

/-- `Rows.divide`, its vectors at hand. -/
def divideBy (half shift window guards tops low raise drop bounds : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun d => both (Nat.beq (Nat.land d guards) guards)
      (mirrorBy half guards tops low (Nat.shiftRight (Nat.land d window) shift) next))
    (Nat.sub (Nat.add guards (Nat.add bounds raise)) drop)
theorem divideBy_eq (s : Scale) (w k offset n bounds mass : Nat) (next : Nat → Nat → Bool) :
    Rows.divide s w k offset n bounds mass next =
    divideBy s.half k
      (Nat.mul (Nat.mul (Nat.sub (Nat.pow 2 (Nat.sub w k)) 1) (Nat.pow 2 k)) (ones s.half (Nat.mul 2 n)))
      (Nat.mul (Nat.pow 2 w) (ones s.half (Nat.mul 2 n)))
      (Nat.add (Nat.mul (Nat.pow 2 w) (ones s.half (Nat.mul 2 n)))
        (Nat.mul s.top (ones s.half (Nat.mul 2 n))))
      (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones (Nat.add s.half s.half) n))
      (Nat.mul (Nat.add offset (Nat.mul (Nat.pow 2 s.half) (Nat.add offset (Nat.sub (Nat.pow 2 k) 1))))
        (ones (Nat.add s.half s.half) n))
      (Nat.mul mass (Nat.add (Nat.pow 2 s.half) 1)) bounds next := by
  unfold Rows.divide divideBy
  simp only [force_eq, mirrorBy_eq]
  rfl

def substituteColumns (s : Scale) (a : Substitution) (charge window guards tops low raise drop : Nat)
    (constant : Memory) (columns : List Memory) (next : Memory → List Memory → Bool) : Bool :=
  divideBy s.half a.shift window guards tops low raise
    (Nat.mul (Nat.add (Nat.add a.mass a.restMass) charge) (Nat.add (Nat.pow 2 s.half) 1))
    (Nat.add (Nat.add (a.product constant) a.rest) (Nat.mul (Nat.pow 2 s.half) (Nat.add charge charge)))
    fun direct mirrored => every (fun (c : Memory) next =>
      divideBy s.half a.shift window guards tops low raise drop (a.product c)
        fun direct mirrored => next ⟨direct, mirrored⟩) columns (next ⟨direct, mirrored⟩)
def compiledSubstitute (s : Scale) (fraction : Nat) (a : Substitution) (magnitudes : List Nat)
    (constant : Memory) (columns : List Memory) (next : Memory → List Memory → Bool) : Bool :=
  force (fun step => force (fun offset => force (fun unit => force (fun wide => force (fun guards =>
      both (Nat.ble step s.center) (substituteColumns s a
        (Nat.mul (Nat.mul (Nat.pow 2 a.shift) step) (ones s.stride a.rows))
        (Nat.mul (Nat.mul (Nat.sub (Nat.pow 2 (Nat.sub (Nat.sub s.half 1) a.shift)) 1) (Nat.pow 2 a.shift))
          unit) guards (Nat.add guards (Nat.mul s.top unit))
        (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) wide)
        (Nat.mul (Nat.add offset
            (Nat.mul (Nat.pow 2 s.half) (Nat.add offset (Nat.sub (Nat.pow 2 a.shift) 1)))) wide)
        (Nat.mul a.mass (Nat.add (Nat.pow 2 s.half) 1)) constant columns next))
      (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) unit))
      (ones (Nat.add s.half s.half) a.rows))
      (ones s.half (Nat.mul 2 a.rows)))
      (Nat.mul (Nat.pow 2 a.shift) s.center))
    (Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction)))
@[csimp] theorem compiledSubstitute_eq : @substitute = @compiledSubstitute :=
  funext fun s => funext fun fraction => funext fun a => funext fun magnitudes => funext fun constant =>
    funext fun columns => funext fun next => by
  unfold substitute compiledSubstitute substituteColumns
  simp only [force_eq, divideBy_eq]

end Forward
end PytestTorchLean
