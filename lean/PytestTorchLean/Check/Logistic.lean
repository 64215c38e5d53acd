prelude
import PytestTorchLean.Check.AnyOrderSigned
import PytestTorchLean.Check.Around
import PytestTorchLean.Check.ErrorFunction
import PytestTorchLean.Check.Turn
import PytestTorchLean.Spec.Graph
/-!
# The logistic functions and tanh, by the exponential function

The logistic functions are `base + multiple * E / (1 + share * E)` with `E` an exponential, and grow with
`E`: so a fraction below `E` gives a lower bound, a fraction above it an upper one.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]
namespace Curve

/-- The functions of this file's shape. -/
def logistic : Curve → Bool
  | .exp => true
  | .sigmoid => true
  | .tanh => true
  | _ => false
/-- The exponential's argument is this many times the function's. -/
def factor : Curve → Nat
  | .tanh => 2
  | _ => 1
def share : Curve → Nat
  | .exp => 0
  | _ => 1
def multiple (unit : Nat) : Curve → Nat
  | .tanh => Nat.add unit unit
  | _ => unit
def base (unit center : Nat) : Curve → Nat
  | .tanh => Nat.sub center unit
  | _ => center

/-- All of them have one shape. -/
theorem shape {e : K → K} {unit center : Nat} (hc : unit ≤ center) {x v : K} :
    (function : Curve) → function.logistic = true →
    function.At e x v →
    ∃ w, natural unit * v + natural center = natural (function.base unit center) + w ∧
      w * (1 + natural function.share * e (natural function.factor * x)) =
        natural (function.multiple unit) * e (natural function.factor * x)
  | .exp, _, h => by
    have one : (natural 1 : K) * x = x := one_mul x
    refine ⟨natural unit * v, add_comm _ _, ?_⟩
    show natural unit * v * (1 + natural 0 * e (natural 1 * x)) = natural unit * e (natural 1 * x)
    have h : v = e x := h
    rw [one, h]
    exact (ring2 K u E, u * E * (1 + 0 * E), u * E) _ _
  | .sigmoid, _, h => by
    have one : (natural 1 : K) * x = x := one_mul x
    refine ⟨natural unit * v, add_comm _ _, ?_⟩
    show natural unit * v * (1 + natural 1 * e (natural 1 * x)) = natural unit * e (natural 1 * x)
    have h : v * (1 + e x) = e x := h
    rw [one]
    have t : natural unit * (v * (1 + e x)) = natural unit * e x := by rw [h]
    rw [← t]
    exact (ring3 K u v E, u * v * (1 + 1 * E), u * (v * (1 + E))) _ _ _
  | .sqrt, no, _ => Bool.noConf_tf (Eq.symm no)
  | .log, no, _ => Bool.noConf_tf (Eq.symm no)
  | .softplus, no, _ => Bool.noConf_tf (Eq.symm no)
  | .erf, no, _ => Bool.noConf_tf (Eq.symm no)
  | .sine, no, _ => Bool.noConf_tf (Eq.symm no)
  | .cosine, no, _ => Bool.noConf_tf (Eq.symm no)
  | .sign, no, _ => Bool.noConf_tf (Eq.symm no)
  | .fused _, no, _ => Bool.noConf_tf (Eq.symm no)
  | .tanh, _, h => by
    have two : (natural 2 : K) * x = x + x := (ring1 K x, 2 * x, x + x) x
    have s : (natural center : K) = natural (center - unit) + natural unit := by
      rw [← natural_add, Natural.sub_add_cancel hc]
    refine ⟨natural unit * (v + 1), ?_, ?_⟩
    · show natural unit * v + natural center = natural (center - unit) + _
      rw [s]; exact (ring3 K u v c, u * v + (c + u), c + u * (v + 1)) _ _ _
    · show natural unit * (v + 1) * (1 + natural 1 * e (natural 2 * x)) =
        natural (unit + unit) * e (natural 2 * x)
      have h : v * (e (x + x) + 1) = e (x + x) - 1 := h
      rw [two, natural_add]
      have t : natural unit * (v * (e (x + x) + 1)) = natural unit * (e (x + x) - 1) := by rw [h]
      have q : natural unit * (v + 1) * (1 + natural 1 * e (x + x)) =
          natural unit * (v * (e (x + x) + 1)) + natural unit * (e (x + x) + 1) :=
        (ring3 K u v E, u * (v + 1) * (1 + 1 * E), u * (v * (E + 1)) + u * (E + 1)) _ _ _
      rw [q, t]
      exact (ring2 K u E, u * (E - 1) + u * (E + 1), (u + u) * E) _ _

/-- The lower bound from a fraction at or below the exponential. -/
def lower (multiple base share a b : Nat) (next : Nat → Bool) : Bool :=
  both (Nat.ble 1 (Nat.add b (Nat.mul share a)))
    (next (Nat.add base (Nat.div (Nat.mul multiple a) (Nat.add b (Nat.mul share a)))))
/-- The upper bound from a fraction at or above the exponential. -/
def upper (multiple base share a b : Nat) (next : Nat → Bool) : Bool :=
  both (Nat.ble 1 (Nat.add b (Nat.mul share a)))
    (next (Nat.succ (Nat.add base (Nat.div (Nat.mul multiple a) (Nat.add b (Nat.mul share a))))))

theorem one_le {E : K} (share : Nat) (h : 0 ≤ E) : (1 : K) ≤ 1 + natural share * E := by
  have t := mul_nonneg (natural_nonneg (K := K) share) h
  exact le_cert ((ring2 K s E, 1 + s * E - 1, s * E) _ _) t

theorem lower_sound {multiple base share a b : Nat} {next : Nat → Bool} {E w : K}
    (hE : 0 ≤ E)
    (ha : natural a ≤ E * natural b)
    (hw : w * (1 + natural share * E) = natural multiple * E)
    (h : lower multiple base share a b next = true) :
    ∃ l, natural l ≤ natural base + w ∧ next l = true := by
  unfold lower at h
  obtain ⟨d0, h⟩ := both_true h
  refine ⟨_, ?_, h⟩
  have d0 : 0 < b + share * a := Nat.le_of_ble_eq_true d0
  show natural (base + multiple * a / (b + share * a)) ≤ _
  rw [natural_add]
  refine add_le_add (le_refl _) ?_
  have q : (natural ((b + share * a) * (multiple * a / (b + share * a))) : K) ≤ natural (multiple * a) :=
    natural_le (Rows.mul_div_le _ _ d0)
  apply IsExponential.cancel_one (one_le share hE)
  rw [hw]
  apply cancel_natural d0
  generalize multiple * a / (b + share * a) = r at *
  rw [natural_mul, natural_mul] at q
  rw [natural_add, natural_mul] at *
  have t := mul_le_right (le_trans zero_le_one (one_le share hE)) q
  have g := mul_nonneg (natural_nonneg (K := K) multiple) (sub_nonneg ha)
  generalize (natural a : K) = A at *
  generalize (natural b : K) = B at *
  generalize (natural multiple : K) = M at *
  generalize (natural share : K) = S at *
  rw [mul_assoc] at t
  refine le_trans t ?_
  exact le_cert ((ring5 K A B M S E, (B + S * A) * (M * E) - M * A * (1 + S * E), M * (E * B - A)) _ _ _ _ _)
    g

theorem upper_sound {multiple base share a b : Nat} {next : Nat → Bool} {E w : K}
    (hE : 0 ≤ E)
    (ha : E * natural b ≤ natural a)
    (hw : w * (1 + natural share * E) = natural multiple * E)
    (h : upper multiple base share a b next = true) :
    ∃ u, natural base + w ≤ natural u ∧ next u = true := by
  unfold upper at h
  obtain ⟨d0, h⟩ := both_true h
  refine ⟨_, ?_, h⟩
  have d0 : 0 < b + share * a := Nat.le_of_ble_eq_true d0
  show _ ≤ natural (base + (multiple * a / (b + share * a) + 1))
  rw [natural_add base]
  refine add_le_add (le_refl _) ?_
  have q : (natural (multiple * a) : K) ≤ natural ((b + share * a) * (multiple * a / (b + share * a) + 1)) :=
    natural_le (Nat.le_trans (Rows.lt_mul_div _ _ d0) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _)))
  apply IsExponential.cancel_one (one_le share hE)
  rw [hw]
  apply cancel_natural d0
  generalize multiple * a / (b + share * a) + 1 = r at *
  rw [natural_mul, natural_mul] at q
  rw [natural_add, natural_mul] at *
  have t := mul_le_right (le_trans zero_le_one (one_le share hE)) q
  have g := mul_nonneg (natural_nonneg (K := K) multiple) (sub_nonneg ha)
  generalize (natural a : K) = A at *
  generalize (natural b : K) = B at *
  generalize (natural multiple : K) = M at *
  generalize (natural share : K) = S at *
  rw [mul_assoc (B + S * A)] at t
  refine le_trans ?_ t
  exact le_cert ((ring5 K A B M S E, M * A * (1 + S * E) - (B + S * A) * (M * E), M * (A - E * B)) _ _ _ _ _)
    g

/-- The lower bound from a bound of the argument. Where `b` stands once it is not forced. -/
def lowest (factor multiple base share center bits count measure one limit l : Nat) (next : Nat → Bool) :
    Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble center l)
    (Bool.casesOn (motive := fun _ => Bool) (Nat.ble (Nat.mul factor (Nat.sub center l)) limit)
        (lower multiple base share 0 1 next)
        (next (Nat.add base (Nat.div (Nat.mul multiple one)
              (Nat.add (Exponential.up bits count measure one (Nat.mul factor (Nat.sub center l)))
                (Nat.mul share one))))))
    ((fun a => next (Nat.add base (Nat.div (Nat.mul multiple a) (Nat.add one (Nat.mul share a)))))
      (Exponential.down bits count measure one
          (Exponential.clipped (Nat.mul factor (Nat.sub l center)) limit)))
/-- The upper bound from a bound of the argument. -/
def highest (factor multiple base share center bits count measure one limit u : Nat) (next : Nat → Bool) :
    Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble center u)
    ((fun b => upper multiple base share one b next)
      (Exponential.down bits count measure one
          (Exponential.clipped (Nat.mul factor (Nat.sub center u)) limit)))
    (Bool.casesOn (motive := fun _ => Bool) (Nat.ble (Nat.mul factor (Nat.sub u center)) limit)
        (upper multiple base share 1 0 next)
        ((fun a =>
            next (Nat.succ (Nat.add base (Nat.div (Nat.mul multiple a) (Nat.add one (Nat.mul share a))))))
          (Exponential.up bits count measure one (Nat.mul factor (Nat.sub u center)))))

theorem lower_of {multiple base share a b : Nat} {next : Nat → Bool} (hb : 0 < b)
    (h : next (base + multiple * a / (b + share * a)) = true) :
    lower multiple base share a b next = true := by
  unfold lower
  have d : Nat.ble 1 (Nat.add b (Nat.mul share a)) = true :=
    Nat.ble_eq_true_of_le (Nat.le_trans hb (Nat.le_add_right _ _))
  rw [d]
  exact h
theorem upper_of {multiple base share a b : Nat} {next : Nat → Bool} (hb : 0 < b)
    (h : next (base + multiple * a / (b + share * a) + 1) = true) :
    upper multiple base share a b next = true := by
  unfold upper
  have d : Nat.ble 1 (Nat.add b (Nat.mul share a)) = true :=
    Nat.ble_eq_true_of_le (Nat.le_trans hb (Nat.le_add_right _ _))
  rw [d]
  exact h
theorem lowest_below {factor multiple base share center bits count measure limit l : Nat} {next : Nat → Bool}
    (h : lowest factor multiple base share center bits count measure (2 ^ bits) limit l next = true) :
    Exponential.below factor center bits count measure (2 ^ bits) limit l
      (fun a b => lower multiple base share a b next) = true := by
  unfold lowest at h
  unfold Exponential.below
  cases c : Nat.ble center l with
  | true =>
    rw [c] at h
    exact lower_of (Natural.two_pow_pos bits) h
  | false =>
    rw [c] at h
    cases g : Nat.ble (Nat.mul factor (Nat.sub center l)) limit with
    | false => rw [g] at h; exact h
    | true => rw [g] at h; exact lower_of (Exponential.up_pos _ _ _ _ _) h
theorem highest_above {factor multiple base share center bits count measure limit u : Nat} {next : Nat → Bool}
    (h : highest factor multiple base share center bits count measure (2 ^ bits) limit u next = true) :
    Exponential.above factor center bits count measure (2 ^ bits) limit u
      (fun a b => upper multiple base share a b next) = true := by
  unfold highest at h
  unfold Exponential.above
  cases c : Nat.ble center u with
  | true =>
    rw [c] at h
    cases g : Nat.ble (Nat.mul factor (Nat.sub u center)) limit with
    | false => rw [g] at h; exact h
    | true => rw [g] at h; exact upper_of (Natural.two_pow_pos bits) h
  | false => rw [c] at h; exact h

/-- Bounds of the exact value from bounds of the argument. `measure = unit * 256^count`, `one = 2^bits`. -/
def enclose (factor multiple base share center bits count measure one limit l u : Nat)
    (next : Nat → Nat → Bool) : Bool :=
  lowest factor multiple base share center bits count measure one limit l fun low =>
    highest factor multiple base share center bits count measure one limit u fun high => next low high

theorem enclose_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {function : Curve} {bits count limit l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hf : function.logistic = true)
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (hl : limit < s.unit * 256 ^ count)
    (hx : Within s l u x)
    (h : enclose function.factor (function.multiple s.unit) (function.base s.unit s.center) function.share
      s.center bits count (s.unit * 256 ^ count) (2 ^ bits) limit l u next = true) :
    ∃ low high, (∀ v, function.At e x v → Within s low high v) ∧ next low high = true := by
  have E0 := he.nonneg (natural function.factor * x)
  obtain ⟨a, b, ab, h⟩ := Exponential.below_sound he hu hl hx.1 (lowest_below h)
  unfold lower at h
  obtain ⟨d0, h⟩ := both_true h
  obtain ⟨a', b', ab', h⟩ := Exponential.above_sound he hu hl hx.2 (highest_above h)
  unfold upper at h
  obtain ⟨d0', h⟩ := both_true h
  refine ⟨_, _, fun v hv => ?_, h⟩
  obtain ⟨w, w1, w2⟩ := shape hc function hf hv
  unfold Within Scale.image
  rw [w1]
  constructor
  · have r : lower (function.multiple s.unit) (function.base s.unit s.center) function.share a b
        (fun low => Nat.beq low
                (function.base s.unit s.center + function.multiple s.unit * a / (b + function.share * a))) =
            true := by
      unfold lower
      have d0 : Nat.ble 1 (b + function.share * a) = true := d0
      show both (Nat.ble 1 (b + function.share * a)) _ = true
      rw [d0]
      exact Nat.beq_refl _
    obtain ⟨low, r1, r2⟩ := lower_sound E0 ab w2 r
    rw [Nat.eq_of_beq_eq_true r2] at r1
    exact r1
  · have r : upper (function.multiple s.unit) (function.base s.unit s.center) function.share a' b'
        (fun high => Nat.beq high
                (function.base s.unit s.center + function.multiple s.unit * a' / (b' + function.share * a') +
                  1)) = true := by
      unfold upper
      have d0 : Nat.ble 1 (b' + function.share * a') = true := d0'
      show both (Nat.ble 1 (b' + function.share * a')) _ = true
      rw [d0]
      exact Nat.beq_refl _
    obtain ⟨high, r1, r2⟩ := upper_sound E0 ab' w2 r
    rw [Nat.eq_of_beq_eq_true r2] at r1
    exact r1
end Curve
end PytestTorchLean
