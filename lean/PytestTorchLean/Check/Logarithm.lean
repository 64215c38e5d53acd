prelude
import PytestTorchLean.Check.Root
/-!
# Bounds of logarithms

A logarithm is guessed by Halley's iteration and then checked: the exponential of a lower bound must not be
above the number, that of an upper bound not below it. How good the guess is matters for how tight the bounds
are, not for whether they hold.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- What a number's exponential says of it. -/
theorem IsExponential.reflect {e : K → K} (he : IsExponential e) {x y : K} (h : e x ≤ e y) : x ≤ y := by
  have t := mul_le_left (he.nonneg (-y)) (le_trans (he.tangent_at y x) h)
  have inv : e (-y) * e y = 1 := by rw [mul_comm]; exact he.neg y
  rw [← mul_assoc, inv, one_mul] at t
  exact le_cert ((ring2 K x y, y - x, 1 - (1 + (x - y))) x y) (sub_nonneg t)

namespace Logarithm
/-- Iterations; each cubes the error, which is below 0.7 at first. -/
def iterations : Nat := 3
/-- How far bounds are from the guess. -/
def margin : Nat := 3

/-- A better guess of the logarithm of `c / d`, over and over: `r + 2 (c/d - e r) / (c/d + e r)`. -/
def refine (unit : Nat) (above : Nat → (Nat → Nat → Bool) → Bool) (c d n : Nat) : Nat → (Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → (Nat → Bool) → Bool) (fun r next => next r)
    (fun _ rest r next => above r fun a b => force (fun p => force (fun q => force
            (fun better => rest better next)
            (Nat.sub (Nat.add r (Nat.div (Nat.mul (Nat.mul 4 unit) p) (Nat.add p q))) (Nat.mul 2 unit)))
          (Nat.mul a d)) (Nat.mul c b)) n
/-- About the logarithm of `c / d`, in fixed point; the first guess is that of the lengths in bits. -/
def guess (unit center : Nat) (above : Nat → (Nat → Nat → Bool) → Bool) (c d : Nat) (next : Nat → Bool) :
    Bool :=
  force (fun r => refine unit above c d iterations r next)
    (Nat.sub (Nat.add center (Nat.shiftRight (Nat.mul (Nat.mul unit 45426) (Root.log2 c)) 16))
        (Nat.shiftRight (Nat.mul (Nat.mul unit 45426) (Root.log2 d)) 16))

/-- A fixed-point number whose exponential is at most `c / d`. -/
def lower (unit center : Nat) (above : Nat → (Nat → Nat → Bool) → Bool) (c d : Nat) (next : Nat → Bool) :
    Bool :=
  both (Nat.ble 1 d) (guess unit center above c d fun r => force (fun low => above low fun a b =>
      both (both (Nat.ble 1 b) (Nat.ble (Nat.mul a d) (Nat.mul c b))) (next low))
    (Nat.sub r margin))
/-- A fixed-point number whose exponential is at least `c / d`. -/
def upper (unit center : Nat) (below above : Nat → (Nat → Nat → Bool) → Bool) (c d : Nat)
    (next : Nat → Bool) : Bool :=
  both (Nat.ble 1 d) (guess unit center above c d fun r => force (fun high => below high fun a b =>
      both (both (Nat.ble 1 b) (Nat.ble (Nat.mul c b) (Nat.mul a d))) (next high))
    (Nat.add r margin))

/-- What a rule for the exponential at a fixed-point number guarantees: a fraction at or above it. -/
def Above (s : Scale) (e : K → K) (above : Nat → (Nat → Nat → Bool) → Bool) : Prop :=
  ∀ m (next : Nat → Nat → Bool),
    above m next = true → ∃ x a b, s.image x = natural m ∧ e x * natural b ≤ natural a ∧ next a b = true
/-- A fraction at or below it. -/
def Below (s : Scale) (e : K → K) (below : Nat → (Nat → Nat → Bool) → Bool) : Prop :=
  ∀ m (next : Nat → Nat → Bool),
    below m next = true → ∃ x a b, s.image x = natural m ∧ natural a ≤ e x * natural b ∧ next a b = true

theorem refine_true {s : Scale} {e : K → K} {above : Nat → (Nat → Nat → Bool) → Bool} (rule : Above s e above)
    {unit c d : Nat} :
    (n r : Nat) → (next : Nat → Bool) → refine unit above c d n r next = true → ∃ r, next r = true
  | 0, r, next, h => ⟨r, h⟩
  | n + 1, r, next, h => by
    obtain ⟨_, a, b, _, _, h⟩ := rule r _ h
    rw [force_eq, force_eq, force_eq] at h
    exact refine_true rule n _ next h
theorem guess_true {s : Scale} {e : K → K} {above : Nat → (Nat → Nat → Bool) → Bool}
    (rule : Above s e above)
    {unit center c d : Nat} {next : Nat → Bool}
    (h : guess unit center above c d next = true) :
    ∃ r, next r = true := by
  unfold guess at h
  rw [force_eq] at h
  exact refine_true rule _ _ next h

/-- What `lower` hands on is a number's, whose exponential is at most `c / d`. -/
theorem lower_point {s : Scale} {e : K → K}
    {above : Nat → (Nat → Nat → Bool) → Bool}
    (rule : Above s e above)
    {c d : Nat} {next : Nat → Bool}
    (h : lower s.unit s.center above c d next = true) :
    ∃ low w, s.image w = natural low ∧ natural d * e w ≤ natural c ∧ next low = true := by
  obtain ⟨_, h⟩ := both_true h
  obtain ⟨r, h⟩ := guess_true rule h
  rw [force_eq] at h
  obtain ⟨x, a, b, im, ab, h⟩ := rule _ _ h
  obtain ⟨g, h⟩ := both_true h
  obtain ⟨b0, g⟩ := both_true g
  have g : (natural (a * d) : K) ≤ natural (c * b) := natural_le (Nat.le_of_ble_eq_true g)
  refine ⟨_, x, im, ?_, h⟩
  apply cancel_natural (Nat.le_of_ble_eq_true b0 : 0 < b)
  rw [natural_mul, natural_mul] at g
  have t := add_nonneg (mul_nonneg (natural_nonneg (K := K) d) (sub_nonneg ab)) (sub_nonneg g)
  exact le_cert ((ring5 K E a b c d, b * c - b * (d * E), d * (a - E * b) + (c * b - a * d)) (e x) (natural a)
    (natural b) (natural c) (natural d)) t
/-- What `upper` hands on is a number's, whose exponential is at least `c / d`. -/
theorem upper_point {s : Scale} {e : K → K}
    {below above : Nat → (Nat → Nat → Bool) → Bool}
    (rule : Above s e above)
    (rule' : Below s e below)
    {c d : Nat} {next : Nat → Bool}
    (h : upper s.unit s.center below above c d next = true) :
    ∃ high w, s.image w = natural high ∧ natural c ≤ natural d * e w ∧ next high = true := by
  obtain ⟨_, h⟩ := both_true h
  obtain ⟨r, h⟩ := guess_true rule h
  rw [force_eq] at h
  obtain ⟨x, a, b, im, ab, h⟩ := rule' _ _ h
  obtain ⟨g, h⟩ := both_true h
  obtain ⟨b0, g⟩ := both_true g
  have g : (natural (c * b) : K) ≤ natural (a * d) := natural_le (Nat.le_of_ble_eq_true g)
  refine ⟨_, x, im, ?_, h⟩
  apply cancel_natural (Nat.le_of_ble_eq_true b0 : 0 < b)
  rw [natural_mul, natural_mul] at g
  have t := add_nonneg (mul_nonneg (natural_nonneg (K := K) d) (sub_nonneg ab)) (sub_nonneg g)
  exact le_cert ((ring5 K E a b c d, b * (d * E) - b * c, d * (E * b - a) + (a * d - c * b)) (e x) (natural a)
    (natural b) (natural c) (natural d)) t

theorem lower_sound {s : Scale} {e : K → K}
    (he : IsExponential e)
    {above : Nat → (Nat → Nat → Bool) → Bool}
    (rule : Above s e above)
    {c d : Nat} {W : K} {next : Nat → Bool}
    (hW : natural c ≤ W * natural d)
    (h : lower s.unit s.center above c d next = true) :
    ∃ low, (∀ v, e v = W → natural low ≤ s.image v) ∧ next low = true := by
  have d0 : 0 < d := Nat.le_of_ble_eq_true (both_true h).1
  obtain ⟨low, x, im, t, h⟩ := lower_point rule h
  refine ⟨low, fun v hv => ?_, h⟩
  rw [← im]
  refine add_le_add (mul_le_left (natural_nonneg _) (he.reflect (cancel_natural d0 ?_))) (le_refl _)
  rw [hv, mul_comm _ W]
  exact le_trans t hW

theorem upper_sound {s : Scale} {e : K → K}
    (he : IsExponential e)
    {below above : Nat → (Nat → Nat → Bool) → Bool}
    (rule : Above s e above)
    (rule' : Below s e below)
    {c d : Nat} {W : K} {next : Nat → Bool}
    (hW : W * natural d ≤ natural c)
    (h : upper s.unit s.center below above c d next = true) :
    ∃ high, (∀ v, e v = W → s.image v ≤ natural high) ∧ next high = true := by
  have d0 : 0 < d := Nat.le_of_ble_eq_true (both_true h).1
  obtain ⟨high, x, im, t, h⟩ := upper_point rule rule' h
  refine ⟨high, fun v hv => ?_, h⟩
  rw [← im]
  refine add_le_add (mul_le_left (natural_nonneg _) (he.reflect (cancel_natural d0 ?_))) (le_refl _)
  rw [hv, mul_comm _ W]
  exact le_trans hW t

/-- Every fixed-point number is that of a number. -/
theorem point {s : Scale} {e : K → K} (he : IsExponential e) (hu : 0 < s.unit) (m : Nat) :
    ∃ x : K, s.image x = natural m := by
  obtain ⟨y, hy⟩ := he.part hu (natural m - natural s.center)
  refine ⟨y, ?_⟩
  unfold Scale.image
  rw [hy]; exact (ring2 K a b, a - b + b, a) _ _
theorem above_rule {s : Scale} {e : K → K} (he : IsExponential e) {bits count limit : Nat} (hu : 0 < s.unit)
    (hl : limit < s.unit * 256 ^ count) :
    Above s e (Exponential.above 1 s.center bits count (s.unit * 256 ^ count) (2 ^ bits) limit) :=
  fun m next h => by
  obtain ⟨x, im⟩ := point he hu m
  obtain ⟨a, b, ab, h⟩ := Exponential.above_sound he hu hl (le_of_eq im) h
  have one : (natural 1 : K) * x = x := one_mul x
  rw [one] at ab
  exact ⟨x, a, b, im, ab, h⟩
theorem below_rule {s : Scale} {e : K → K} (he : IsExponential e) {bits count limit : Nat} (hu : 0 < s.unit)
    (hl : limit < s.unit * 256 ^ count) :
    Below s e (Exponential.below 1 s.center bits count (s.unit * 256 ^ count) (2 ^ bits) limit) :=
  fun m next h => by
  obtain ⟨x, im⟩ := point he hu m
  obtain ⟨a, b, ab, h⟩ := Exponential.below_sound he hu hl (le_of_eq im.symm) h
  have one : (natural 1 : K) * x = x := one_mul x
  rw [one] at ab
  exact ⟨x, a, b, im, ab, h⟩

/-- Bounds of the logarithm of a number between two fixed-point numbers, the lower one positive. -/
def enclose (unit center bits count measure one limit l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  both (Nat.ble (Nat.succ center) l) (force (fun c => force (fun c' =>
      lower unit center (Exponential.above 1 center bits count measure one limit) c unit fun low =>
        upper unit center (Exponential.below 1 center bits count measure one limit)
            (Exponential.above 1 center bits count measure one limit) c' unit fun high =>
          next low high)
    (Nat.sub u center)) (Nat.sub l center))
/-- Bounds of `log (1 + e^x)`. -/
def encloseSoftplus (unit center bits count measure one limit l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  Exponential.below 1 center bits count measure one limit l fun a b => force (fun c =>
    lower unit center (Exponential.above 1 center bits count measure one limit) c b fun low =>
      Exponential.above 1 center bits count measure one limit u fun a' b' => force (fun c' =>
        upper unit center (Exponential.below 1 center bits count measure one limit)
            (Exponential.above 1 center bits count measure one limit) c' b' fun high =>
          next low high)
      (Nat.add a' b'))
    (Nat.add a b)

theorem enclose_sound {s : Scale} {e : K → K}
    (he : IsExponential e)
    {bits count limit l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit)
    (hl : limit < s.unit * 256 ^ count)
    (hx : Within s l u x)
    (h : enclose s.unit s.center bits count (s.unit * 256 ^ count) (2 ^ bits) limit l u next = true) :
    0 < x ∧ ∃ low high, (∀ v, e v = x → Within s low high v) ∧ next low high = true := by
  obtain ⟨c0, h⟩ := both_true h
  have c0 : s.center + 1 ≤ l := Nat.le_of_ble_eq_true c0
  rw [force_eq, force_eq] at h
  obtain ⟨x1, x2⟩ := hx
  unfold Scale.image at x1 x2
  have left := Linear.natural_sub (K := K) (Nat.le_of_lt c0)
  have below : natural (l - s.center) ≤ x * natural s.unit := by
    refine le_trans (le_of_eq left) ?_
    exact le_cert ((ring4 K x u c l, x * u - (l - c), u * x + c - l) _ _ _ _) (sub_nonneg x1)
  have above : x * natural s.unit ≤ natural (u - s.center) := by
    rw [mul_comm]; exact Curve.le_sub u s.center x2
  refine ⟨fun no => ?_, ?_⟩
  · have one : (natural 1 : K) ≤ natural (l - s.center) := natural_le (Nat.le_of_add_le_add_right s.center (by
      rw [Natural.sub_add_cancel (Nat.le_of_lt c0), Nat.add_comm]; exact c0))
    have t := mul_nonneg (natural_nonneg (K := K) s.unit) (neg_nonneg no)
    have bad : (1 : K) ≤ 0 := le_trans (le_trans one below) (le_cert ((ring2 K x u, 0 - x * u, u * -x) _ _) t)
    exact one_not_le bad
  · obtain ⟨low, r1, h⟩ := lower_sound he (above_rule he hu hl) below h
    obtain ⟨high, r2, h⟩ := upper_sound he (above_rule he hu hl) (below_rule he hu hl) above h
    exact ⟨low, high, fun v hv => ⟨r1 v hv, r2 v hv⟩, h⟩

theorem encloseSoftplus_sound {s : Scale} {e : K → K}
    (he : IsExponential e)
    {bits count limit l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit)
    (hl : limit < s.unit * 256 ^ count)
    (hx : Within s l u x)
    (h : encloseSoftplus s.unit s.center bits count (s.unit * 256 ^ count) (2 ^ bits) limit l u next = true) :
    ∃ low high, (∀ v, e v = 1 + e x → Within s low high v) ∧ next low high = true := by
  have one : (natural 1 : K) * x = x := one_mul x
  obtain ⟨a, b, ab, h⟩ := Exponential.below_sound he hu hl hx.1 h
  rw [one] at ab
  rw [force_eq] at h
  have low : (natural (a + b) : K) ≤ (1 + e x) * natural b := by
    rw [natural_add]
    exact le_cert ((ring3 K a b E, (1 + E) * b - (a + b), E * b - a) _ _ _) (sub_nonneg ab)
  obtain ⟨low, r1, h⟩ := lower_sound he (above_rule he hu hl) low h
  obtain ⟨a', b', ab', h⟩ := Exponential.above_sound he hu hl hx.2 h
  rw [one] at ab'
  rw [force_eq] at h
  have high : (1 + e x) * natural b' ≤ (natural (a' + b') : K) := by
    rw [natural_add]
    exact le_cert ((ring3 K a b E, a + b - (1 + E) * b, a - E * b) _ _ _) (sub_nonneg ab')
  obtain ⟨high, r2, h⟩ := upper_sound he (above_rule he hu hl) (below_rule he hu hl) high h
  exact ⟨low, high, fun v hv => ⟨r1 v hv, r2 v hv⟩, h⟩
end Logarithm
end PytestTorchLean
