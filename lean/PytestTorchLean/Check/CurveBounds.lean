prelude
import PytestTorchLean.Check.Logistic
import PytestTorchLean.Check.Sign
/-!
# Bounds of one value of a smooth activation

Whichever function it is: by its enclosure, and in binary32 moved outward by the budget that is assumed of a
runtime's result.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]
namespace Curve

/-- Bounds moved outward by the budget: `relative = eighths * 2^126`,
    `constant = (eighths + 8 * absolute) * unit`. -/
def widen (center relative constant low high : Nat) (next : Nat → Nat → Bool) : Bool :=
  (fun r => both (Nat.ble r low) (next (Nat.sub low r) (Nat.add high r)))
    (Nat.succ (Nat.shiftRight
          (Nat.add (Nat.mul relative (Nat.add (Nat.sub high center) (Nat.sub center low))) constant) 152))

theorem rounded_up (k n : Nat) : n ≤ 2 ^ k * Nat.succ (Nat.shiftRight n k) :=
  Nat.le_trans (Rows.lt_mul_div n _ (Natural.two_pow_pos k)) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))

/-- A budget in units of `1 / p`, in fixed point. -/
theorem budget_radius {unit eighths extra p q A r : Nat} {v y a : K} (hp : 0 < p)
    (b : AtMost (natural p * (y - v)) (natural eighths * (natural q * a + 1) + natural extra))
    (size : natural unit * a ≤ natural A) (fraction : eighths * q * A + (eighths + extra) * unit ≤ p * r) :
    AtMost (natural unit * (y - v)) (natural r) := by
  refine AtMost.cancel hp ?_
  have e : natural p * (natural unit * (y - v)) = natural unit * (natural p * (y - v)) := mul_left_comm _ _ _
  rw [e]
  refine (b.mul_left (natural_nonneg unit)).weaken ?_
  have f := natural_le (K := K) fraction
  rw [natural_mul p] at f
  refine le_trans ?_ f
  have t := mul_nonneg (mul_nonneg (natural_nonneg (K := K) eighths) (natural_nonneg q)) (sub_nonneg size)
  rw [natural_add, natural_mul, natural_mul, natural_mul, natural_add]
  generalize (natural eighths : K) = g at *
  generalize (natural q : K) = Q at *
  generalize (natural extra : K) = x at *
  generalize (natural unit : K) = U at *
  generalize (natural A : K) = B at *
  refine le_cert ?_ t
  have e1 : U * (g * (Q * a + 1) + x) = g * Q * (U * a) + (g + x) * U :=
    (ring5 K U g Q a x, U * (g * (Q * a + 1) + x), g * Q * (U * a) + (g + x) * U) _ _ _ _ _
  rw [e1]
  exact (ring4 K c B w d, c * B + d - (c * w + d), c * (B - w)) (g * Q) B (U * a) ((g + x) * U)

theorem widen_sound {s : Scale} {function : Curve} {low high : Nat} {next : Nat → Nat → Bool}
    (h : widen s.center (function.eighths * 2 ^ 126) ((function.eighths + 8 * function.absolute) * s.unit) low
      high next = true) :
    ∃ low' high', (∀ v y : K, Within s low high v → function.Budget v y → Within s low' high' y) ∧
      next low' high' = true := by
  unfold widen at h
  obtain ⟨h1, h⟩ := both_true h
  refine ⟨_, _, fun v y hv hb => ?_, h⟩
  obtain ⟨a, ha, ea⟩ := absolute_value v
  refine moved hv (Nat.le_of_ble_eq_true h1)
    (budget_radius (Natural.two_pow_pos 152) (hb a ha) (size_of hv ea) ?_)
  exact rounded_up 152 _

/-- Bounds of the exact value from bounds of the argument, by the function's own rule. -/
def exactly (s : Scale) (function : Curve) (bits count measure one limit : Nat) :
    Nat → Nat → (Nat → Nat → Bool) → Bool :=
  match function with
  | .sqrt => Root.enclose s.unit s.center
  | .log => Logarithm.enclose s.unit s.center bits count measure one limit
  | .softplus => Logarithm.encloseSoftplus s.unit s.center bits count measure one limit
  | .erf => Gauss.enclose s.unit s.center bits count
  | .sine => Circle.encloseSine s.unit s.center bits
  | .cosine => Circle.encloseCosine s.unit s.center bits
  | .sign => Sign.enclose s.unit s.center
  | .fused _ => fun l u next => next l u
  | function => force (fun multiple => force (fun base =>
          enclose function.factor multiple base function.share s.center bits count measure one limit)
        (function.base s.unit s.center)) (function.multiple s.unit)

theorem exactly_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {bits count limit l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (hl : limit < s.unit * 256 ^ count)
    (hx : Within s l u x) :
    (function : Curve) →
    exactly s function bits count (s.unit * 256 ^ count) (2 ^ bits) limit l u next = true →
    function.Defined x ∧ ∃ low high, (∀ v, function.At e x v → Within s low high v) ∧ next low high = true
  | .exp, h => by
    unfold exactly at h; dsimp only at h; rw [force_eq, force_eq] at h
    exact ⟨trivial, enclose_sound he rfl hu hc hl hx h⟩
  | .sigmoid, h => by
    unfold exactly at h; dsimp only at h; rw [force_eq, force_eq] at h
    exact ⟨trivial, enclose_sound he rfl hu hc hl hx h⟩
  | .tanh, h => by
    unfold exactly at h; dsimp only at h; rw [force_eq, force_eq] at h
    exact ⟨trivial, enclose_sound he rfl hu hc hl hx h⟩
  | .sqrt, h => by
    obtain ⟨c, low, high, w, h⟩ := Root.enclose_sound hx h
    refine ⟨?_, low, high, fun v hv => w v hv.1 hv.2, h⟩
    apply cancel_natural hu
    unfold Scale.image at c
    exact le_cert ((ring3 K u x c, u * x - u * 0, u * x + c - c) _ _ _) (sub_nonneg c)
  | .log, h => Logarithm.enclose_sound he hu hl hx h
  | .softplus, h => ⟨trivial, Logarithm.encloseSoftplus_sound he hu hl hx h⟩
  | .erf, h => ⟨trivial, Gauss.enclose_sound he hu hx h⟩
  | .sine, h => by
    obtain ⟨low, high, w, h⟩ := Circle.encloseSine_sound he hu hc hx h
    refine ⟨trivial, low, high, fun v hv => ?_, h⟩
    obtain ⟨sine, cosine, circle, hv⟩ := hv
    rw [hv]; exact w sine cosine circle
  | .cosine, h => by
    obtain ⟨low, high, w, h⟩ := Circle.encloseCosine_sound he hu hc hx h
    refine ⟨trivial, low, high, fun v hv => ?_, h⟩
    obtain ⟨sine, cosine, circle, hv⟩ := hv
    rw [hv]; exact w sine cosine circle
  | .sign, h => ⟨trivial, Sign.enclose_sound hu hc hx h⟩
  | .fused _, h => ⟨trivial, l, u, fun v hv => by
      have hv : v = x := hv
      rw [hv]; exact hx, h⟩

/-- Bounds of a result from bounds of its argument. -/
def bound (m : Semantics) (s : Scale) (function : Curve) (bits count measure one limit : Nat) :
    Nat → Nat → (Nat → Nat → Bool) → Bool :=
  (fun rule => Semantics.casesOn (motive := fun _ => Nat → Nat → (Nat → Nat → Bool) → Bool) m rule
      (force (fun relative => force (fun constant =>
              fun l u next => rule l u fun low high => widen s.center relative constant low high next)
            (Nat.mul (Nat.add function.eighths (Nat.mul 8 function.absolute)) s.unit))
          (Nat.mul function.eighths (Nat.pow 2 126))))
    (exactly s function bits count measure one limit)

theorem bound_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {function : Curve} {bits count limit l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (hl : limit < s.unit * 256 ^ count)
    (hx : Within s l u x) :
    (m : Semantics) → bound m s function bits count (s.unit * 256 ^ count) (2 ^ bits) limit l u next = true →
    function.Defined x ∧
      ∃ low high, (∀ y, function.Computes m e x y → Within s low high y) ∧ next low high = true
  | .real, h => exactly_sound he hu hc hl hx function h
  | .binary32, h => by
    unfold bound at h
    have h : force (fun relative => force (fun constant => fun l u next =>
          exactly s function bits count (s.unit * 256 ^ count) (2 ^ bits) limit l u fun low high =>
          widen s.center relative constant low high next)
            (Nat.mul (Nat.add function.eighths (Nat.mul 8 function.absolute)) s.unit))
        (Nat.mul function.eighths (Nat.pow 2 126)) l u next = true := h
    rw [force_eq, force_eq] at h
    obtain ⟨d, low, high, w, h⟩ := exactly_sound he hu hc hl hx function h
    obtain ⟨low', high', w', h⟩ := widen_sound (K := K) h
    refine ⟨d, low', high', fun y hy => ?_, h⟩
    obtain ⟨v, hv, hb⟩ := hy
    exact w' v y (w v hv) hb

/-- `use` of the function's own rule, with all that does not depend on the argument as numbers. -/
def ruled (s : Scale) (function : Curve) (bits count measure one limit : Nat)
    (use : (Nat → Nat → (Nat → Nat → Bool) → Bool) → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) function.logistic
    (use (exactly s function bits count measure one limit))
    (force (fun multiple => force (fun base => force (fun factor => force (fun share => force (fun center =>
        use fun l u next => enclose factor multiple base share center bits count measure one limit l u next)
      s.center) function.share) function.factor) (function.base s.unit s.center)) (function.multiple s.unit))
theorem ruled_eq (s : Scale) (function : Curve) (bits count measure one limit : Nat)
    (use : (Nat → Nat → (Nat → Nat → Bool) → Bool) → Bool) :
    ruled s function bits count measure one limit use =
    use (exactly s function bits count measure one limit) := by
  unfold ruled exactly
  simp only [force_eq]
  cases function <;> rfl
/-- `use` of `bound`, likewise: the kernel takes what it repeats apart once. -/
def bounded (m : Semantics) (s : Scale) (function : Curve) (bits count measure one limit : Nat)
    (use : (Nat → Nat → (Nat → Nat → Bool) → Bool) → Bool) : Bool :=
  ruled s function bits count measure one limit
    fun rule => Semantics.casesOn (motive := fun _ => Bool) m (use rule)
    (force (fun relative => force (fun constant => force (fun center =>
        use fun l u next => rule l u fun low high => widen center relative constant low high next)
      s.center) (Nat.mul (Nat.add function.eighths (Nat.mul 8 function.absolute)) s.unit))
        (Nat.mul function.eighths (Nat.pow 2 126)))
theorem bounded_eq (m : Semantics) (s : Scale) (function : Curve) (bits count measure one limit : Nat)
    (use : (Nat → Nat → (Nat → Nat → Bool) → Bool) → Bool) :
    bounded m s function bits count measure one limit use =
    use (bound m s function bits count measure one limit) := by
  unfold bounded bound
  rw [ruled_eq]
  simp only [force_eq]
  cases m <;> rfl
end Curve
end PytestTorchLean
