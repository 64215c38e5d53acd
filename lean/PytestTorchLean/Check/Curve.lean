prelude
import PytestTorchLean.Check.AnyOrderSigned
import PytestTorchLean.Check.Around
import PytestTorchLean.Check.ErrorFunction
import PytestTorchLean.Check.Turn
import PytestTorchLean.Spec.Graph
/-!
# Bounds of smooth activations

The logistic functions are `base + multiple * E / (1 + share * E)` with `E = e (factor * x)`, in fixed point, and
grow with `E`: so a fraction below `E` gives a lower bound, a fraction above it an upper one. The others have rules
of their own (Check/Root, Check/Logarithm, Check/ErrorFunction, Check/Turn). In binary32 both
are moved outward by the budget.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Memory
/-- The memory with one more slot in front of the others. -/
theorem front_holds {K : Type u} [OrderedRing K] {s : Scale} {slots : Nat → K} {count l u direct mirrored : Nat}
    (h : (Memory.mk direct mirrored).Holds s (fun i => slots (i + 1)) count) (hl : l ≤ u) (hu : u ≤ s.top) (w : Within s l u (slots 0)) :
    (Memory.mk (directWord s l u + 2 ^ s.stride * direct) (mirroredWord s l u + 2 ^ s.stride * mirrored)).Holds s slots (count + 1) := by
  obtain ⟨lo, up, hd, hm, hw⟩ := h
  have hd : direct = pack s.stride count fun i => directWord s (lo i) (up i) := hd
  have hm : mirrored = pack s.stride count fun i => mirroredWord s (lo i) (up i) := hm
  refine ⟨fun i => Nat.casesOn (motive := fun _ => Nat) i l lo, fun i => Nat.casesOn (motive := fun _ => Nat) i u up, ?_, ?_, fun i hi => ?_⟩
  · show directWord s l u + 2 ^ s.stride * direct = _
    rw [pack_succ, hd]; rfl
  · show mirroredWord s l u + 2 ^ s.stride * mirrored = _
    rw [pack_succ, hm]; rfl
  · cases i with
    | zero => exact ⟨hl, hu, w⟩
    | succ i => exact hw i (Nat.le_of_succ_le_succ hi)

end Memory

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
theorem shape {e : K → K} {unit center : Nat} (hc : unit ≤ center) {x v : K} : (function : Curve) → function.logistic = true → function.At e x v →
    ∃ w, natural unit * v + natural center = natural (function.base unit center) + w ∧
      w * (1 + natural function.share * e (natural function.factor * x)) = natural (function.multiple unit) * e (natural function.factor * x)
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
  | .fused _, no, _ => Bool.noConf_tf (Eq.symm no)
  | .tanh, _, h => by
    have two : (natural 2 : K) * x = x + x := (ring1 K x, 2 * x, x + x) x
    have s : (natural center : K) = natural (center - unit) + natural unit := by rw [← natural_add, Natural.sub_add_cancel hc]
    refine ⟨natural unit * (v + 1), ?_, ?_⟩
    · show natural unit * v + natural center = natural (center - unit) + _
      rw [s]; exact (ring3 K u v c, u * v + (c + u), c + u * (v + 1)) _ _ _
    · show natural unit * (v + 1) * (1 + natural 1 * e (natural 2 * x)) = natural (unit + unit) * e (natural 2 * x)
      have h : v * (e (x + x) + 1) = e (x + x) - 1 := h
      rw [two, natural_add]
      have t : natural unit * (v * (e (x + x) + 1)) = natural unit * (e (x + x) - 1) := by rw [h]
      have q : natural unit * (v + 1) * (1 + natural 1 * e (x + x)) = natural unit * (v * (e (x + x) + 1)) + natural unit * (e (x + x) + 1) :=
        (ring3 K u v E, u * (v + 1) * (1 + 1 * E), u * (v * (E + 1)) + u * (E + 1)) _ _ _
      rw [q, t]
      exact (ring2 K u E, u * (E - 1) + u * (E + 1), (u + u) * E) _ _

/-- The lower bound from a fraction at or below the exponential. -/
def lower (multiple base share a b : Nat) (next : Nat → Bool) : Bool :=
  both (Nat.ble 1 (Nat.add b (Nat.mul share a))) (next (Nat.add base (Nat.div (Nat.mul multiple a) (Nat.add b (Nat.mul share a)))))
/-- The upper bound from a fraction at or above the exponential. -/
def upper (multiple base share a b : Nat) (next : Nat → Bool) : Bool :=
  both (Nat.ble 1 (Nat.add b (Nat.mul share a))) (next (Nat.succ (Nat.add base (Nat.div (Nat.mul multiple a) (Nat.add b (Nat.mul share a))))))

theorem one_le {E : K} (share : Nat) (h : 0 ≤ E) : (1 : K) ≤ 1 + natural share * E := by
  have t := mul_nonneg (natural_nonneg (K := K) share) h
  exact le_cert ((ring2 K s E, 1 + s * E - 1, s * E) _ _) t

theorem lower_sound {multiple base share a b : Nat} {next : Nat → Bool} {E w : K} (hE : 0 ≤ E) (ha : natural a ≤ E * natural b)
    (hw : w * (1 + natural share * E) = natural multiple * E) (h : lower multiple base share a b next = true) :
    ∃ l, natural l ≤ natural base + w ∧ next l = true := by
  unfold lower at h
  obtain ⟨d0, h⟩ := both_true h
  refine ⟨_, ?_, h⟩
  have d0 : 0 < b + share * a := Nat.le_of_ble_eq_true d0
  show natural (base + multiple * a / (b + share * a)) ≤ _
  rw [natural_add]
  refine add_le_add (le_refl _) ?_
  have q : (natural ((b + share * a) * (multiple * a / (b + share * a))) : K) ≤ natural (multiple * a) := natural_le (Rows.mul_div_le _ _ d0)
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
  exact le_cert ((ring5 K A B M S E, (B + S * A) * (M * E) - M * A * (1 + S * E), M * (E * B - A)) _ _ _ _ _) g

theorem upper_sound {multiple base share a b : Nat} {next : Nat → Bool} {E w : K} (hE : 0 ≤ E) (ha : E * natural b ≤ natural a)
    (hw : w * (1 + natural share * E) = natural multiple * E) (h : upper multiple base share a b next = true) :
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
  exact le_cert ((ring5 K A B M S E, M * A * (1 + S * E) - (B + S * A) * (M * E), M * (A - E * B)) _ _ _ _ _) g

/-- The lower bound from a bound of the argument. Where `b` stands once it is not forced. -/
def lowest (factor multiple base share center bits count measure one limit l : Nat) (next : Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble center l)
    (Bool.casesOn (motive := fun _ => Bool) (Nat.ble (Nat.mul factor (Nat.sub center l)) limit) (lower multiple base share 0 1 next)
      (next (Nat.add base (Nat.div (Nat.mul multiple one) (Nat.add (Exponential.up bits count measure one (Nat.mul factor (Nat.sub center l))) (Nat.mul share one))))))
    ((fun a => next (Nat.add base (Nat.div (Nat.mul multiple a) (Nat.add one (Nat.mul share a)))))
      (Exponential.down bits count measure one (Exponential.clipped (Nat.mul factor (Nat.sub l center)) limit)))
/-- The upper bound from a bound of the argument. -/
def highest (factor multiple base share center bits count measure one limit u : Nat) (next : Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble center u)
    ((fun b => upper multiple base share one b next)
      (Exponential.down bits count measure one (Exponential.clipped (Nat.mul factor (Nat.sub center u)) limit)))
    (Bool.casesOn (motive := fun _ => Bool) (Nat.ble (Nat.mul factor (Nat.sub u center)) limit) (upper multiple base share 1 0 next)
      ((fun a => next (Nat.succ (Nat.add base (Nat.div (Nat.mul multiple a) (Nat.add one (Nat.mul share a))))))
        (Exponential.up bits count measure one (Nat.mul factor (Nat.sub u center)))))

theorem lower_of {multiple base share a b : Nat} {next : Nat → Bool} (hb : 0 < b) (h : next (base + multiple * a / (b + share * a)) = true) :
    lower multiple base share a b next = true := by
  unfold lower
  have d : Nat.ble 1 (Nat.add b (Nat.mul share a)) = true := Nat.ble_eq_true_of_le (Nat.le_trans hb (Nat.le_add_right _ _))
  rw [d]
  exact h
theorem upper_of {multiple base share a b : Nat} {next : Nat → Bool} (hb : 0 < b) (h : next (base + multiple * a / (b + share * a) + 1) = true) :
    upper multiple base share a b next = true := by
  unfold upper
  have d : Nat.ble 1 (Nat.add b (Nat.mul share a)) = true := Nat.ble_eq_true_of_le (Nat.le_trans hb (Nat.le_add_right _ _))
  rw [d]
  exact h
theorem lowest_below {factor multiple base share center bits count measure limit l : Nat} {next : Nat → Bool}
    (h : lowest factor multiple base share center bits count measure (2 ^ bits) limit l next = true) :
    Exponential.below factor center bits count measure (2 ^ bits) limit l (fun a b => lower multiple base share a b next) = true := by
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
    Exponential.above factor center bits count measure (2 ^ bits) limit u (fun a b => upper multiple base share a b next) = true := by
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
def enclose (factor multiple base share center bits count measure one limit l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  lowest factor multiple base share center bits count measure one limit l fun low =>
    highest factor multiple base share center bits count measure one limit u fun high => next low high

theorem enclose_sound {e : K → K} (he : IsExponential e) {s : Scale} {function : Curve} {bits count limit l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hf : function.logistic = true)
    (hu : 0 < s.unit) (hc : s.unit ≤ s.center) (hl : limit < s.unit * 256 ^ count) (hx : Within s l u x)
    (h : enclose function.factor (function.multiple s.unit) (function.base s.unit s.center) function.share s.center bits count (s.unit * 256 ^ count) (2 ^ bits) limit l u next = true) :
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
        (fun low => Nat.beq low (function.base s.unit s.center + function.multiple s.unit * a / (b + function.share * a))) = true := by
      unfold lower
      have d0 : Nat.ble 1 (b + function.share * a) = true := d0
      show both (Nat.ble 1 (b + function.share * a)) _ = true
      rw [d0]
      exact Nat.beq_refl _
    obtain ⟨low, r1, r2⟩ := lower_sound E0 ab w2 r
    rw [Nat.eq_of_beq_eq_true r2] at r1
    exact r1
  · have r : upper (function.multiple s.unit) (function.base s.unit s.center) function.share a' b'
        (fun high => Nat.beq high (function.base s.unit s.center + function.multiple s.unit * a' / (b' + function.share * a') + 1)) = true := by
      unfold upper
      have d0 : Nat.ble 1 (b' + function.share * a') = true := d0'
      show both (Nat.ble 1 (b' + function.share * a')) _ = true
      rw [d0]
      exact Nat.beq_refl _
    obtain ⟨high, r1, r2⟩ := upper_sound E0 ab' w2 r
    rw [Nat.eq_of_beq_eq_true r2] at r1
    exact r1

/-- Bounds moved outward by the budget: `relative = eighths * 2^126`, `constant = (eighths + 8 * absolute) * unit`. -/
def widen (center relative constant low high : Nat) (next : Nat → Nat → Bool) : Bool :=
  (fun r => both (Nat.ble r low) (next (Nat.sub low r) (Nat.add high r)))
    (Nat.succ (Nat.shiftRight (Nat.add (Nat.mul relative (Nat.add (Nat.sub high center) (Nat.sub center low))) constant) 152))

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
  have e1 : U * (g * (Q * a + 1) + x) = g * Q * (U * a) + (g + x) * U := (ring5 K U g Q a x, U * (g * (Q * a + 1) + x), g * Q * (U * a) + (g + x) * U) _ _ _ _ _
  rw [e1]
  exact (ring4 K c B w d, c * B + d - (c * w + d), c * (B - w)) (g * Q) B (U * a) ((g + x) * U)

theorem widen_sound {s : Scale} {function : Curve} {low high : Nat} {next : Nat → Nat → Bool}
    (h : widen s.center (function.eighths * 2 ^ 126) ((function.eighths + 8 * function.absolute) * s.unit) low high next = true) :
    ∃ low' high', (∀ v y : K, Within s low high v → function.Budget v y → Within s low' high' y) ∧ next low' high' = true := by
  unfold widen at h
  obtain ⟨h1, h⟩ := both_true h
  refine ⟨_, _, fun v y hv hb => ?_, h⟩
  obtain ⟨a, ha, ea⟩ := absolute_value v
  refine moved hv (Nat.le_of_ble_eq_true h1) (budget_radius (Natural.two_pow_pos 152) (hb a ha) (size_of hv ea) ?_)
  exact rounded_up 152 _

/-- Bounds of the exact value from bounds of the argument, by the function's own rule. -/
def exactly (s : Scale) (function : Curve) (bits count measure one limit : Nat) : Nat → Nat → (Nat → Nat → Bool) → Bool :=
  match function with
  | .sqrt => Root.enclose s.unit s.center
  | .log => Logarithm.enclose s.unit s.center bits count measure one limit
  | .softplus => Logarithm.encloseSoftplus s.unit s.center bits count measure one limit
  | .erf => Gauss.enclose s.unit s.center bits count
  | .sine => Circle.encloseSine s.unit s.center bits
  | .cosine => Circle.encloseCosine s.unit s.center bits
  | .fused _ => fun l u next => next l u
  | function => force (fun multiple => force (fun base => enclose function.factor multiple base function.share s.center bits count measure one limit)
      (function.base s.unit s.center)) (function.multiple s.unit)

theorem exactly_sound {e : K → K} (he : IsExponential e) {s : Scale} {bits count limit l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit) (hc : s.unit ≤ s.center) (hl : limit < s.unit * 256 ^ count) (hx : Within s l u x) : (function : Curve) →
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
  | .fused _, h => ⟨trivial, l, u, fun v hv => by
      have hv : v = x := hv
      rw [hv]; exact hx, h⟩

/-- Bounds of a result from bounds of its argument. -/
def bound (m : Semantics) (s : Scale) (function : Curve) (bits count measure one limit : Nat) : Nat → Nat → (Nat → Nat → Bool) → Bool :=
  (fun rule => Semantics.casesOn (motive := fun _ => Nat → Nat → (Nat → Nat → Bool) → Bool) m rule
      (force (fun relative => force (fun constant => fun l u next => rule l u fun low high => widen s.center relative constant low high next)
        (Nat.mul (Nat.add function.eighths (Nat.mul 8 function.absolute)) s.unit)) (Nat.mul function.eighths (Nat.pow 2 126))))
    (exactly s function bits count measure one limit)

theorem bound_sound {e : K → K} (he : IsExponential e) {s : Scale} {function : Curve} {bits count limit l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit) (hc : s.unit ≤ s.center) (hl : limit < s.unit * 256 ^ count) (hx : Within s l u x) : (m : Semantics) →
    bound m s function bits count (s.unit * 256 ^ count) (2 ^ bits) limit l u next = true →
    function.Defined x ∧ ∃ low high, (∀ y, function.Computes m e x y → Within s low high y) ∧ next low high = true
  | .real, h => exactly_sound he hu hc hl hx function h
  | .binary32, h => by
    unfold bound at h
    have h : force (fun relative => force (fun constant => fun l u next => exactly s function bits count (s.unit * 256 ^ count) (2 ^ bits) limit l u fun low high =>
          widen s.center relative constant low high next) (Nat.mul (Nat.add function.eighths (Nat.mul 8 function.absolute)) s.unit))
        (Nat.mul function.eighths (Nat.pow 2 126)) l u next = true := h
    rw [force_eq, force_eq] at h
    obtain ⟨d, low, high, w, h⟩ := exactly_sound he hu hc hl hx function h
    obtain ⟨low', high', w', h⟩ := widen_sound (K := K) h
    refine ⟨d, low', high', fun y hy => ?_, h⟩
    obtain ⟨v, hv, hb⟩ := hy
    exact w' v y (w v hv) hb

/-- `use` of the function's own rule, with all that does not depend on the argument as numbers. -/
def ruled (s : Scale) (function : Curve) (bits count measure one limit : Nat) (use : (Nat → Nat → (Nat → Nat → Bool) → Bool) → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) function.logistic (use (exactly s function bits count measure one limit))
    (force (fun multiple => force (fun base => force (fun factor => force (fun share => force (fun center =>
        use fun l u next => enclose factor multiple base share center bits count measure one limit l u next)
      s.center) function.share) function.factor) (function.base s.unit s.center)) (function.multiple s.unit))
theorem ruled_eq (s : Scale) (function : Curve) (bits count measure one limit : Nat) (use : (Nat → Nat → (Nat → Nat → Bool) → Bool) → Bool) :
    ruled s function bits count measure one limit use = use (exactly s function bits count measure one limit) := by
  unfold ruled exactly
  simp only [force_eq]
  cases function <;> rfl
/-- `use` of `bound`, likewise: the kernel takes what it repeats apart once. -/
def bounded (m : Semantics) (s : Scale) (function : Curve) (bits count measure one limit : Nat) (use : (Nat → Nat → (Nat → Nat → Bool) → Bool) → Bool) : Bool :=
  ruled s function bits count measure one limit fun rule => Semantics.casesOn (motive := fun _ => Bool) m (use rule)
    (force (fun relative => force (fun constant => force (fun center =>
        use fun l u next => rule l u fun low high => widen center relative constant low high next)
      s.center) (Nat.mul (Nat.add function.eighths (Nat.mul 8 function.absolute)) s.unit)) (Nat.mul function.eighths (Nat.pow 2 126)))
theorem bounded_eq (m : Semantics) (s : Scale) (function : Curve) (bits count measure one limit : Nat) (use : (Nat → Nat → (Nat → Nat → Bool) → Bool) → Bool) :
    bounded m s function bits count measure one limit use = use (bound m s function bits count measure one limit) := by
  unfold bounded bound
  rw [ruled_eq]
  simp only [force_eq]
  cases m <;> rfl

/-- The results of `n` slots from `first` on, the last one first and put in front of those found so far: so the lowest digits
    of what is found, by which the kernel's caches tell numbers apart, differ from step to step. What the scale says is
    a number before the first step; what is cheap is written down where it is used, for the kernel takes longer to
    substitute a value than to add. -/
def each (s : Scale) (bound : Nat → Nat → (Nat → Nat → Bool) → Bool) (direct first n : Nat) : Nat → Nat → (Nat → Nat → Bool) → Bool :=
  force (fun half => force (fun stride => force (fun top => force (fun base => Nat.rec (motive := fun _ => Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun tail tailMirrored next => next tail tailMirrored)
    (fun m rest tail tailMirrored next => force (fun digits =>
        bound (Nat.land digits (Nat.sub base 1)) (Nat.shiftRight digits half) fun low high =>
          both (Nat.ble low high) (both (Nat.ble high top)
            (force (fun tail' => force (fun tailMirrored' => rest tail' tailMirrored' next)
              (Nat.add (Nat.add (Nat.sub top high) (Nat.mul base (Nat.sub top low))) (Nat.mul (Nat.pow 2 stride) tailMirrored)))
              (Nat.add (Nat.add low (Nat.mul base high)) (Nat.mul (Nat.pow 2 stride) tail)))))
      (Memory.lookup stride direct (Nat.add first m))) n) (Nat.pow 2 half)) s.top) s.stride) s.half
theorem each_succ (s : Scale) (bound : Nat → Nat → (Nat → Nat → Bool) → Bool) (direct first n tail tailMirrored : Nat) (next : Nat → Nat → Bool) :
    each s bound direct first (n + 1) tail tailMirrored next =
      bound (Nat.land (Memory.lookup s.stride direct (first + n)) (2 ^ s.half - 1)) (Nat.shiftRight (Memory.lookup s.stride direct (first + n)) s.half) (fun low high =>
        both (Nat.ble low high) (both (Nat.ble high s.top)
          (each s bound direct first n (Memory.directWord s low high + 2 ^ s.stride * tail) (Memory.mirroredWord s low high + 2 ^ s.stride * tailMirrored) next))) := by
  unfold each
  simp only [force_eq]
  rfl
theorem each_zero (s : Scale) (bound : Nat → Nat → (Nat → Nat → Bool) → Bool) (direct first tail tailMirrored : Nat) (next : Nat → Nat → Bool) :
    each s bound direct first 0 tail tailMirrored next = next tail tailMirrored := by
  unfold each
  simp only [force_eq]
  rfl

/-- What a rule for one result has to guarantee. -/
def Bounds (s : Scale) (D : K → Prop) (P : K → K → Prop) (bound : Nat → Nat → (Nat → Nat → Bool) → Bool) : Prop :=
  ∀ l u x (next : Nat → Nat → Bool), Within s l u x → bound l u next = true → D x ∧ ∃ low high, (∀ y, P x y → Within s low high y) ∧ next low high = true

theorem digits_within {s : Scale} {slots : Nat → K} {direct mirrored count slot : Nat} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots count) (h : slot < count) :
    Within s (Nat.land (Memory.lookup s.stride direct slot) (2 ^ s.half - 1)) (Nat.shiftRight (Memory.lookup s.stride direct slot) s.half) (slots slot) := by
  obtain ⟨l, u, h1, _, hw⟩ := hm
  have h1 : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := h1
  have words : ∀ i, i < count → Memory.directWord s (l i) (u i) < 2 ^ s.stride := fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2.1).1
  obtain ⟨a, b, w⟩ := hw slot h
  have small : l slot < 2 ^ s.half := Nat.le_trans (Nat.succ_le_succ (Nat.le_trans a b)) sf.half
  rw [h1, Memory.lookup_pack words h]
  unfold Memory.directWord
  have e1 : Nat.land (l slot + 2 ^ s.half * u slot) (2 ^ s.half - 1) = l slot := by rw [land_low, Natural.add_mul_mod _ small]
  have e2 : Nat.shiftRight (l slot + 2 ^ s.half * u slot) s.half = u slot := Natural.add_mul_div _ small
  rw [e1, e2]
  exact w

theorem each_sound {s : Scale} {slots values : Nat → K} {D : K → Prop} {P : K → K → Prop} {bound : Nat → Nat → (Nat → Nat → Bool) → Bool} {direct mirrored count first : Nat}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots count) (hb : Bounds s D P bound) : (n done tail tailMirrored : Nat) →
    (next : Nat → Nat → Bool) → first + n ≤ count → (Memory.mk tail tailMirrored).Holds s (fun i => values (n + i)) done →
    (∀ i, i < n → P (slots (first + i)) (values i)) → each s bound direct first n tail tailMirrored next = true →
    ∃ tail' tailMirrored', (Memory.mk tail' tailMirrored').Holds s values (n + done) ∧ next tail' tailMirrored' = true
  | 0, done, tail, tailMirrored, _, _, ht, _, h => by
    rw [each_zero] at h
    have z : (fun i => values (0 + i)) = values := funext fun i => by rw [Nat.zero_add]
    rw [z] at ht
    exact ⟨tail, tailMirrored, by rw [Nat.zero_add]; exact ht, h⟩
  | n + 1, done, tail, tailMirrored, next, hs, ht, hp, h => by
    rw [each_succ] at h
    have inside : first + n < count := hs
    obtain ⟨d, low, high, w, h⟩ := hb _ _ _ _ (digits_within sf hm inside) h
    obtain ⟨c1, h⟩ := both_true h
    obtain ⟨c2, h⟩ := both_true h
    have e1 : ∀ a i : Nat, a + 1 + i = a + (i + 1) := fun a i => by rw [Nat.add_assoc, Nat.add_comm 1 i]
    have moved : (fun i => values (n + 1 + i)) = fun i => values (n + (i + 1)) := funext fun i => by rw [e1]
    rw [moved] at ht
    have ht' := Memory.front_holds (slots := fun i => values (n + i)) ht (Nat.le_of_ble_eq_true c1) (Nat.le_of_ble_eq_true c2) (w _ (hp n Nat.le.refl))
    obtain ⟨d', m', r1, r2⟩ := each_sound sf hm hb n (done + 1) _ _ next (Nat.le_trans (Nat.le.step Nat.le.refl) hs) ht'
      (fun i hi => hp i (Nat.le.step hi)) h
    rw [e1]
    exact ⟨d', m', r1, r2⟩

/-- No result leaves the memory's range, and every argument has one. -/
theorem each_bounded {s : Scale} {slots : Nat → K} {D : K → Prop} {P : K → K → Prop} {bound : Nat → Nat → (Nat → Nat → Bool) → Bool} {direct mirrored count first : Nat}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots count) (hb : Bounds s D P bound) : (n tail tailMirrored : Nat) →
    (next : Nat → Nat → Bool) → first + n ≤ count → each s bound direct first n tail tailMirrored next = true →
    ∀ i, i < n → D (slots (first + i)) ∧ ∀ y, P (slots (first + i)) y → Within s 0 s.top y
  | 0, _, _, _, _, _ => fun i hi => absurd hi (Nat.not_succ_le_zero i)
  | n + 1, tail, tailMirrored, next, hs, h => by
    rw [each_succ] at h
    have inside : first + n < count := hs
    obtain ⟨d, low, high, w, h⟩ := hb _ _ _ _ (digits_within sf hm inside) h
    obtain ⟨_, h⟩ := both_true h
    obtain ⟨c2, h⟩ := both_true h
    intro i hi
    cases Memory.le_of_lt_succ hi with
    | inl e =>
      subst e
      refine ⟨d, fun y hy => ?_⟩
      obtain ⟨w1, w2⟩ := w y hy
      exact ⟨le_trans (natural_nonneg low) w1, le_trans w2 (natural_le (Nat.le_of_ble_eq_true c2))⟩
    | inr hi => exact each_bounded sf hm hb n _ _ next (Nat.le_trans (Nat.le.step Nat.le.refl) hs) h i hi

/-- Arguments further from 0 than this need not be told apart: `e^128` is far above the largest binary32 number. -/
def farthest : Nat := 128

/-- Bounds of the results of a curve, by `count` stages of `bits` bits. -/
def run (m : Semantics) (s : Scale) (function : Curve) (bits stages first n direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) : Bool :=
  both (both (both (Nat.ble (Nat.add first n) count) (Nat.ble s.unit s.center)) (both (Nat.ble s.center (Nat.mul s.unit (Nat.pow 2 127))) (Nat.ble 1 stages)))
    (force (fun measure => force (fun one => force (fun limit => both (Nat.ble (Nat.succ limit) measure)
        (bounded m s function bits stages measure one limit fun rule => each s rule direct first n 0 0 (Affine.extend s.stride n direct mirrored count next)))
      (Nat.mul farthest s.unit)) (Nat.pow 2 bits)) (Nat.mul s.unit (Nat.pow 256 stages)))

theorem finite_of_within {s : Scale} {y : K} (hu : 0 < s.unit) (hc : s.center ≤ s.unit * 2 ^ 127) (h : Within s 0 s.top y) :
    natural (2 ^ 149) * y < natural overflowThreshold ∧ -(natural (2 ^ 149) * y) < natural overflowThreshold := by
  obtain ⟨h1, h2⟩ := h
  unfold Scale.image Scale.top at *
  have hc := natural_le (K := K) hc
  rw [natural_mul] at hc
  rw [natural_add] at h2
  have a : y ≤ natural (2 ^ 127) := cancel_natural hu (le_trans (le_cert ((ring3 K u y c, c - u * y, c + c - (u * y + c)) _ _ _) (sub_nonneg h2)) hc)
  have b : -y ≤ natural (2 ^ 127) := by
    refine cancel_natural hu (le_trans ?_ hc)
    have z : (natural 0 : K) = 0 := rfl
    rw [z] at h1
    exact le_cert ((ring3 K u y c, c - u * -y, u * y + c - 0) _ _ _) (sub_nonneg h1)
  have big : 2 ^ 149 * 2 ^ 127 < overflowThreshold := by decide +kernel
  have below : ∀ z : K, z ≤ natural (2 ^ 127) → natural (2 ^ 149) * z < natural overflowThreshold := fun z hz g => by
    have t := mul_le_left (natural_nonneg (2 ^ 149)) hz
    rw [← natural_mul] at t
    exact Nat.not_le_of_lt big (natural_le_reflect (le_trans g t))
  refine ⟨below y a, ?_⟩
  rw [← mul_neg]
  exact below (-y) b

/-- Whatever the semantics, a result is within the budget: exact values are. -/
theorem allowed {slots : Nat → K} {function : Curve} {start first n : Nat} : (m : Semantics) →
    (Node.curve function first n).Holds m slots start → (Node.curve function first n).Holds .binary32 slots start
  | .binary32, h => h
  | .real, h => by
    obtain ⟨e, he, h⟩ := h
    refine ⟨e, he, fun i hi => ⟨_, h i hi, fun a ha => ?_⟩⟩
    have zero : ∀ v : K, v - v = 0 := fun v => add_neg' v
    rw [zero, OrderedRing.mul_zero]
    refine AtMost.zero (add_nonneg (mul_nonneg (natural_nonneg _) (add_nonneg (mul_nonneg (natural_nonneg _) ha.nonneg) zero_le_one)) (natural_nonneg _))

theorem run_sound {m : Semantics} {s : Scale} {slots : Nat → K} {function : Curve} {bits stages first n direct mirrored count : Nat} {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots count) (hn : (Node.curve function first n).Holds m slots count)
    (h : run m s function bits stages first n direct mirrored count next = true) :
    (Node.curve function first n).Finite m slots ∧
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (count + n) ∧ next direct' mirrored' (count + n) = true := by
  unfold run at h
  obtain ⟨c, h⟩ := both_true h
  obtain ⟨c1, c3⟩ := both_true c
  obtain ⟨c1, c2⟩ := both_true c1
  obtain ⟨c3, _⟩ := both_true c3
  rw [force_eq, force_eq, force_eq] at h
  obtain ⟨c4, h⟩ := both_true h
  rw [bounded_eq] at h
  have c1 := Nat.le_of_ble_eq_true c1
  have c2 := Nat.le_of_ble_eq_true c2
  have c3 := Nat.le_of_ble_eq_true c3
  have c4 : farthest * s.unit < s.unit * 256 ^ stages := Nat.le_of_ble_eq_true c4
  have rule : ∀ e : K → K, IsExponential e → Bounds s function.Defined (function.Computes m e) (bound m s function bits stages (s.unit * 256 ^ stages) (2 ^ bits) (farthest * s.unit)) :=
    fun e he l u x next hx h => bound_sound he sf.unit c2 c4 hx m h
  obtain ⟨e, he, hn⟩ := hn
  have inside := fun e he => each_bounded sf hm (rule e he) n 0 0 _ c1 h
  constructor
  · refine ⟨fun i hi => (inside e he i hi).1, ?_⟩
    cases m with
    | real => trivial
    | binary32 => exact fun e he i hi y hy => finite_of_within sf.unit c3 ((inside e he i hi).2 y hy)
  · obtain ⟨tail, tailMirrored, r1, r2⟩ := each_sound (values := fun i => slots (count + i)) sf hm (rule e he) n 0 0 0 _ c1
      (Memory.empty_holds s _) (fun i hi => hn i hi) h
    rw [Affine.extend_eq] at r2
    exact ⟨_, _, Memory.append_holds hm r1, r2⟩

end Curve
end PytestTorchLean
