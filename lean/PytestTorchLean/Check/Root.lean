prelude
import PytestTorchLean.Check.Exponential
import PytestTorchLean.Check.ReluNode
/-!
# Bounds of square roots

The root of a fixed-point number is guessed by Newton's iteration and then checked by squaring: how good the
guess is matters for how tight the bounds are, not for whether they hold.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

theorem Curve.le_sub (a b : Nat) {x : K} (h : x + natural b ≤ natural a) : x ≤ natural (a - b) := by
  cases Nat.le_total b a with
  | inl g =>
    have s : (natural a : K) = natural (a - b) + natural b := by rw [← natural_add, Natural.sub_add_cancel g]
    rw [s] at h
    exact le_cert ((ring3 K d x b, d - x, d + b - (x + b)) _ _ _) (sub_nonneg h)
  | inr g =>
    refine le_trans ?_ (natural_nonneg _)
    have t := add_nonneg (sub_nonneg (natural_le (K := K) g)) (sub_nonneg h)
    exact le_cert ((ring3 K a b x, 0 - x, b - a + (a - (x + b))) _ _ _) t

namespace Root
/-- The binary logarithm of a number below `2^1024`, rounded down: whether it is at least 512, what is left at
    least 256, and so on. (The kernel takes a step of `Nat.log2` for each bit.) -/
def log2 (n : Nat) : Nat :=
  force (fun n => Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ found => found)
    (fun k rest n found => force (fun width => Bool.casesOn (motive := fun _ => Nat)
          (Nat.ble (Nat.pow 2 width) n) (rest n found)
          (force (fun high => force (rest high) (Nat.add found width)) (Nat.shiftRight n width)))
        (Nat.pow 2 k)) 10 n 0) n
/-- Iterations, from a start that is at most twice too large: the error's bits double, 1/4 after the first. -/
def iterations : Nat := 7
/-- About the square root of `n`. -/
def guess (n : Nat) : Nat :=
  force (Nat.rec (motive := fun _ => Nat → Nat) (fun r => r)
      (fun _ rest r => force rest (Nat.shiftRight (Nat.add r (Nat.div n r)) 1)) iterations)
    (Nat.pow 2 (Nat.succ (Nat.shiftRight (log2 n) 1)))

/-- Bounds of the root of a number between two fixed-point numbers, the lower one not negative. -/
def enclose (unit center l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  both (Nat.ble center l) (force (fun n => force (fun m => force (fun r => force (fun t =>
      both (both (Nat.ble (Nat.mul r r) n) (Nat.ble m (Nat.mul t t)))
        (force (fun low => force (next low) (Nat.add center t)) (Nat.add center r)))
    (Nat.succ (guess m))) (Nat.sub (guess n) 1)) (Nat.mul unit (Nat.sub u center)))
      (Nat.mul unit (Nat.sub l center)))

/-- Squares compare as their roots do, unless both are nearly 0. -/
theorem of_squares {a b : K} (hc : 1 ≤ a + b) (h : a * a ≤ b * b) : a ≤ b := by
  refine IsExponential.cancel_one hc ?_
  exact le_cert ((ring2 K a b, b * (a + b) - a * (a + b), b * b - a * a) a b) (sub_nonneg h)

theorem one_le_add {n : Nat} {w : K} (hn : 1 ≤ n) (hw : 0 ≤ w) :
    (1 : K) ≤ natural n + w ∧ (1 : K) ≤ w + natural n := by
  have t := add_le_add (natural_le (K := K) hn) hw
  have e : (natural 1 : K) + 0 = 1 := add_zer _
  rw [e] at t
  exact ⟨t, by rw [add_comm]; exact t⟩

theorem enclose_sound {s : Scale} {l u : Nat} {next : Nat → Nat → Bool} {x : K} (hx : Within s l u x)
    (h : enclose s.unit s.center l u next = true) :
    natural s.center ≤ s.image x ∧
    ∃ low high, (∀ v, 0 ≤ v → v * v = x → Within s low high v) ∧ next low high = true := by
  unfold enclose at h
  obtain ⟨c, h⟩ := both_true h
  have c := Nat.le_of_ble_eq_true c
  refine ⟨le_trans (natural_le c) hx.1, ?_⟩
  simp only [force_eq] at h
  obtain ⟨g, h⟩ := both_true h
  obtain ⟨g1, g2⟩ := both_true g
  refine ⟨_, _, fun v v0 hv => ?_, h⟩
  show Within s (s.center + (guess (s.unit * (l - s.center)) - 1))
    (s.center + (guess (s.unit * (u - s.center)) + 1)) v
  have g1 : Nat.ble ((guess (s.unit * (l - s.center)) - 1) * (guess (s.unit * (l - s.center)) - 1))
      (s.unit * (l - s.center)) = true := g1
  have g2 : Nat.ble (s.unit * (u - s.center))
      ((guess (s.unit * (u - s.center)) + 1) * (guess (s.unit * (u - s.center)) + 1)) = true := g2
  generalize guess (s.unit * (l - s.center)) - 1 = r at *
  generalize guess (s.unit * (u - s.center)) = t at *
  have u0 := natural_nonneg (K := K) s.unit
  have w0 := mul_nonneg u0 v0
  obtain ⟨x1, x2⟩ := hx
  unfold Scale.image at x1 x2
  have square : natural s.unit * v * (natural s.unit * v) = natural s.unit * (natural s.unit * x) := by
    rw [← hv]; exact (ring2 K u v, u * v * (u * v), u * (u * (v * v))) _ _
  have g1 := natural_le (K := K) (Nat.le_of_ble_eq_true g1)
  have g2 := natural_le (K := K) (Nat.le_of_ble_eq_true g2)
  rw [natural_mul, natural_mul] at g1 g2
  have above : natural s.unit * v ≤ natural (t + 1) := by
    refine of_squares (one_le_add (Nat.succ_le_succ (Nat.zero_le t)) w0).2
      (le_trans (le_of_eq square) (le_trans (mul_le_left u0 (Curve.le_sub u s.center x2)) g2))
  have below : natural r ≤ natural s.unit * v := by
    cases r with
    | zero => exact w0
    | succ r =>
      refine of_squares (one_le_add (Nat.succ_le_succ (Nat.zero_le r)) w0).1
        (le_trans g1 (le_trans (mul_le_left u0 ?_) (le_of_eq square.symm)))
      have s := Linear.natural_sub (K := K) c
      refine le_trans (le_of_eq s) ?_
      exact le_cert ((ring3 K x c l, x - (l - c), x + c - l) _ _ _) (sub_nonneg x1)
  refine ⟨?_, ?_⟩
  · show (natural (s.center + r) : K) ≤ natural s.unit * v + natural s.center
    rw [natural_add, add_comm]; exact add_le_add below (le_refl _)
  · show natural s.unit * v + natural s.center ≤ natural (s.center + (t + 1))
    rw [natural_add, add_comm]; exact add_le_add (le_refl _) above
end Root
end PytestTorchLean
