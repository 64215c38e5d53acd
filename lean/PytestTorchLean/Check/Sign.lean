prelude
import PytestTorchLean.Check.Root
/-!
# Bounds of signs

A sign is known where the argument's interval lies on one side of 0; elsewhere it is between -1 and 1.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Sign
/-- Bounds of the sign of a number between two fixed-point numbers. -/
def enclose (unit center l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble (Nat.succ center) l)
    (Bool.casesOn (motive := fun _ => Bool) (Nat.ble (Nat.succ u) center)
      (force (fun low => force (next low) (Nat.add center unit)) (Nat.sub center unit))
      (force (fun low => next low low) (Nat.sub center unit)))
    (force (fun high => next high high) (Nat.add center unit))

/-- The sign of a number between two bounds lies between those that `enclose` hands on. -/
theorem enclose_sound {s : Scale} {l u : Nat} {next : Nat → Nat → Bool} {e : K → K} {x : K}
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (hx : Within s l u x)
    (h : enclose s.unit s.center l u next = true) :
    ∃ low high, (∀ v, Curve.sign.At e x v → Within s low high v) ∧ next low high = true := by
  unfold enclose at h
  simp only [force_eq] at h
  have u0 := natural_nonneg (K := K) s.unit
  have below : (natural (s.center - s.unit) : K) = natural s.center - natural s.unit := Linear.natural_sub hc
  generalize c1 : Nat.ble (Nat.succ s.center) l = b1 at h
  cases b1 with
  | true =>
    have positive : 0 < x := fun g => by
      have t := le_trans hx.1 (add_le (natural s.center) (mul_le_left u0 g))
      have z : natural s.unit * 0 + natural s.center = (natural s.center : K) :=
        (ring2 K u c, u * 0 + c, c) _ _
      rw [z] at t
      exact Nat.not_succ_le_self _ (Nat.le_trans (Nat.le_of_ble_eq_true c1) (natural_le_reflect t))
    refine ⟨_, _, fun v hv => ?_, h⟩
    have one : natural (s.center + s.unit) = s.image v := by
      rw [hv.2.2.1 positive, natural_add]
      unfold Scale.image
      exact (ring2 K u c, c + u, u * 1 + c) _ _
    exact ⟨le_of_eq one, le_of_eq one.symm⟩
  | false =>
    generalize c2 : Nat.ble (Nat.succ u) s.center = b2 at h
    cases b2 with
    | true =>
      have negative : x < 0 := fun g => by
        have t := le_trans (add_le (natural s.center) (mul_le_left u0 g)) hx.2
        have z : natural s.unit * 0 + natural s.center = (natural s.center : K) :=
          (ring2 K u c, u * 0 + c, c) _ _
        rw [z] at t
        exact Nat.not_succ_le_self _ (Nat.le_trans (Nat.le_of_ble_eq_true c2) (natural_le_reflect t))
      refine ⟨_, _, fun v hv => ?_, h⟩
      have one : natural (s.center - s.unit) = s.image v := by
        rw [hv.2.2.2 negative, below]
        unfold Scale.image
        exact (ring2 K u c, c - u, u * -1 + c) _ _
      exact ⟨le_of_eq one, le_of_eq one.symm⟩
    | false =>
      refine ⟨_, _, fun v hv => ⟨?_, ?_⟩, h⟩
      · show natural (s.center - s.unit) ≤ s.image v
        rw [below]
        have t := mul_nonneg u0 (sub_nonneg hv.2.1)
        exact le_cert ((ring3 K u c v, u * v + c - (c - u), u * (v - -1)) _ _ _) t
      · show s.image v ≤ natural (s.center + s.unit)
        rw [natural_add]
        have t := mul_nonneg u0 (sub_nonneg hv.1)
        exact le_cert ((ring3 K u c v, c + u - (u * v + c), u * (1 - v)) _ _ _) t
end Sign
end PytestTorchLean
