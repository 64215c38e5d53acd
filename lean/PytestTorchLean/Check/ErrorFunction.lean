prelude
import PytestTorchLean.Check.Gauss
/-!
# Bounds of the error function

It is the Gauss integral's share of its limit. It grows, so its values at the ends of an interval bound it
there; beyond `furthest` it is not told from 1.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Gauss
variable {e integral : K → K} {limit : K}

/-- Beyond this the integral is not told from its limit. -/
def furthest : Nat := 4
def clipped (n limit : Nat) : Nat := Bool.casesOn (motive := fun _ => Nat) (Nat.ble n limit) limit n

/-- A fixed-point number at most `unit * erf (n / unit)`. -/
def least (unit bits count n : Nat) (next : Nat → Bool) : Bool :=
  force (fun m => below unit bits count m fun a b => force (fun d => both (Nat.ble 1 d)
      (force next (Nat.div (Nat.mul (Nat.mul unit limitUnit) a) d)))
    (Nat.mul b limitAbove)) (clipped n (Nat.mul furthest unit))
/-- A fixed-point number at least `unit * erf (n / unit)`. -/
def most (unit bits count n : Nat) (next : Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble n (Nat.mul furthest unit)) (next unit)
    (above unit bits count n fun a b => force
        (fun d => both (Nat.ble 1 d) (force next (Nat.succ (Nat.div (Nat.mul (Nat.mul unit limitUnit) a) d))))
        (Nat.mul b limitBelow))

/-- A fixed-point number at or below `erf` of what is at least `l`. -/
def low (unit center bits count l : Nat) (next : Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble center l)
    (most unit bits count (Nat.sub center l) fun r => both (Nat.ble r center) (force next (Nat.sub center r)))
    (least unit bits count (Nat.sub l center) fun r => force next (Nat.add center r))
/-- A fixed-point number at or above `erf` of what is at most `u`. -/
def high (unit center bits count u : Nat) (next : Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble center u)
    (least unit bits count (Nat.sub center u)
        fun r => both (Nat.ble r center) (force next (Nat.sub center r)))
    (most unit bits count (Nat.sub u center) fun r => force next (Nat.add center r))
/-- Bounds of `erf` between two fixed-point numbers. -/
def enclose (unit center bits count l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  low unit center bits count l fun a => high unit center bits count u fun b => next a b

/-! What is handed on depends on the numbers only, whatever the integral is. -/

theorem series_same (extra twice square : Nat) : (count odd term sum : Nat) → ∃ term' sum', ∀ next,
    series extra twice square count odd term sum next = next term' sum'
  | 0, _, term, sum => ⟨term, sum, fun _ => rfl⟩
  | count + 1, odd, term, sum => by
    obtain ⟨t, s, r⟩ := series_same extra twice square count (odd + 2) (twice * term / (square * odd) + extra)
        (sum + (twice * term / (square * odd) + extra))
    exact ⟨t, s, fun next => by rw [series_succ]; exact r next⟩

theorem both_intro {a b : Bool} (ha : a = true) (hb : b = true) : both a b = true := by rw [ha]; exact hb

theorem below_same {unit bits count n : Nat} {next : Nat → Nat → Bool}
    (h : below unit bits count n next = true) :
    ∃ a b, next a b = true ∧ ∀ next', next' a b = true → below unit bits count n next' = true := by
  unfold below at h
  simp only [force_eq] at h
  obtain ⟨c, h⟩ := both_true h
  obtain ⟨t, s, r⟩ := series_same 0 (Nat.mul 2 (Nat.mul n n)) (Nat.mul unit unit) (terms n unit) 3
    (Nat.div (Nat.mul n (Nat.pow 2 bits)) unit) (Nat.div (Nat.mul n (Nat.pow 2 bits)) unit)
  rw [r] at h
  refine ⟨_, _, h, fun next' h' => ?_⟩
  unfold below
  simp only [force_eq]
  exact both_intro c (by rw [r]; exact h')
theorem above_same {unit bits count n : Nat} {next : Nat → Nat → Bool}
    (h : above unit bits count n next = true) :
    ∃ a b, next a b = true ∧ ∀ next', next' a b = true → above unit bits count n next' = true := by
  unfold above at h
  simp only [force_eq] at h
  obtain ⟨c, h⟩ := both_true h
  obtain ⟨t, s, r⟩ := series_same 1 (Nat.mul 2 (Nat.mul n n)) (Nat.mul unit unit) (terms n unit) 3
      (Nat.succ (Nat.div (Nat.mul n (Nat.pow 2 bits)) unit))
        (Nat.succ (Nat.div (Nat.mul n (Nat.pow 2 bits)) unit))
  rw [r] at h
  obtain ⟨d, h⟩ := both_true h
  refine ⟨_, _, h, fun next' h' => ?_⟩
  unfold above
  simp only [force_eq]
  exact both_intro c (by rw [r]; exact both_intro d h')
theorem least_same {unit bits count n : Nat} {next : Nat → Bool} (h : least unit bits count n next = true) :
    ∃ r, next r = true ∧ least unit bits count n (fun q => Nat.beq q r) = true := by
  unfold least at h
  rw [force_eq] at h
  obtain ⟨a, b, h, again⟩ := below_same h
  rw [force_eq] at h
  obtain ⟨d, h⟩ := both_true h
  rw [force_eq] at h
  refine ⟨_, h, ?_⟩
  unfold least
  rw [force_eq]
  refine again _ ?_
  rw [force_eq]
  exact both_intro d (by rw [force_eq]; exact Nat.beq_refl _)
theorem most_same {unit bits count n : Nat} {next : Nat → Bool} (h : most unit bits count n next = true) :
    ∃ r, next r = true ∧ most unit bits count n (fun q => Nat.beq q r) = true := by
  unfold most at h ⊢
  cases c : Nat.ble n (Nat.mul furthest unit) with
  | false =>
    rw [c] at h
    exact ⟨unit, h, Nat.beq_refl _⟩
  | true =>
    rw [c] at h
    obtain ⟨a, b, h, again⟩ := above_same h
    rw [force_eq] at h
    obtain ⟨d, h⟩ := both_true h
    rw [force_eq] at h
    refine ⟨_, h, ?_⟩
    refine again _ ?_
    rw [force_eq]
    exact both_intro d (by rw [force_eq]; exact Nat.beq_refl _)

/-- The number of a natural number of units. -/
theorem point (he : IsExponential e) {unit : Nat} (hu : 0 < unit) (n : Nat) :
    ∃ x : K, natural unit * x = natural n ∧ 0 ≤ x := by
  obtain ⟨x, hx⟩ := he.part hu (natural n)
  refine ⟨x, hx, cancel_natural hu ?_⟩
  rw [mul_zero, hx]; exact natural_nonneg n

theorem limit_pos (he : IsExponential e) (hg : IsGauss e integral limit) {v : K} (h : 0 ≤ v * limit) :
    0 ≤ v := by
  obtain ⟨b, _⟩ := limit_bounds he hg
  have one : (1 : K) ≤ natural limitUnit * limit :=
    le_trans (natural_le (show 1 ≤ limitBelow by decide +kernel)) b
  refine IsExponential.cancel_one one ?_
  have t := mul_nonneg (natural_nonneg (K := K) limitUnit) h
  exact le_cert ((ring3 K v u c, v * (u * c) - 0 * (u * c), u * (v * c)) _ _ _) t

theorem le_of_limit (he : IsExponential e) (hg : IsGauss e integral limit) {v w : K}
    (h : v * limit ≤ w * limit) :
    v ≤ w := by
  have t := limit_pos he hg (v := w - v) (by
    have s := sub_nonneg h
    refine le_trans s (le_of_eq ?_)
    exact (ring3 K v w c, w * c - v * c, (w - v) * c) _ _ _)
  exact le_cert rfl t

/-- From a fraction of the limit to one of the error function. -/
theorem ratio_below {U A unit a b : Nat} {v c : K} (d0 : 0 < b * A) (bound : natural U * c ≤ natural A)
    (h : natural a ≤ v * c * natural b) (v0 : 0 ≤ v) :
    natural (unit * U * a / (b * A)) ≤ natural unit * v := by
  apply cancel_natural d0
  rw [← natural_mul]
  refine le_trans (natural_le (Rows.mul_div_le _ _ d0)) ?_
  rw [natural_mul, natural_mul unit, natural_mul b]
  have u0 := natural_nonneg (K := K) unit
  have t1 := mul_le_left (mul_nonneg u0 (natural_nonneg (K := K) U)) h
  have t2 := mul_le_left (mul_nonneg (mul_nonneg u0 v0) (natural_nonneg (K := K) b)) bound
  refine le_trans t1 (le_trans (le_of_eq ?_) (le_trans t2 (le_of_eq ?_)))
  · exact (ring5 K u U v c b, u * U * (v * c * b), u * v * b * (U * c)) _ _ _ _ _
  · exact (ring4 K u v b A, u * v * b * A, b * A * (u * v)) _ _ _ _
theorem ratio_above {U B unit a b : Nat} {v c : K} (d0 : 0 < b * B) (bound : natural B ≤ natural U * c)
    (h : v * c * natural b ≤ natural a) (v0 : 0 ≤ v) :
    natural unit * v ≤ natural (unit * U * a / (b * B) + 1) := by
  apply cancel_natural d0
  rw [← natural_mul]
  refine le_trans ?_ (natural_le
      (Nat.le_trans (Rows.lt_mul_div (unit * U * a) _ d0) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))))
  rw [natural_mul b, natural_mul (unit * U), natural_mul unit]
  have u0 := natural_nonneg (K := K) unit
  have t1 := mul_le_left (mul_nonneg u0 (natural_nonneg (K := K) U)) h
  have t2 := mul_le_left (mul_nonneg (mul_nonneg u0 v0) (natural_nonneg (K := K) b)) bound
  refine le_trans (le_of_eq ?_) (le_trans t2 (le_trans (le_of_eq ?_) t1))
  · exact (ring4 K u v b A, b * A * (u * v), u * v * b * A) _ _ _ _
  · exact (ring5 K u U v c b, u * v * b * (U * c), u * U * (v * c * b)) _ _ _ _ _

theorem clipped_le (n limit : Nat) : clipped n limit ≤ n := Exponential.clip_le n limit

/-- A number at least `n / unit` has at least this error function. -/
theorem least_sound (he : IsExponential e) (hg : IsGauss e integral limit) {unit bits count n : Nat}
    {next : Nat → Bool} (hu : 0 < unit) (h : least unit bits count n next = true) :
    ∃ r, (∀ x v : K, natural n ≤ natural unit * x → v * limit = integral x → natural r ≤ natural unit * v) ∧
      next r = true := by
  unfold least at h
  rw [force_eq] at h
  obtain ⟨y, hy, y0⟩ := point he hu (clipped n (furthest * unit))
  obtain ⟨a, b, ab, h⟩ := below_sound he hg hy y0 h
  rw [force_eq] at h
  obtain ⟨d0, h⟩ := both_true h
  rw [force_eq] at h
  have d0 : 0 < b * limitAbove := Nat.le_of_ble_eq_true d0
  refine ⟨_, fun x v hx hv => ?_, h⟩
  have xy : y ≤ x := cancel_natural hu (by rw [hy]; exact le_trans (natural_le (clipped_le n _)) hx)
  have G := hg.2.1 y x xy
  rw [← hv] at G
  have v0 : 0 ≤ v := limit_pos he hg (le_trans (integral_nonneg he hg y0) G)
  exact ratio_below (U := limitUnit) (A := limitAbove) d0 (limit_bounds he hg).2
    (le_trans ab (mul_le_right (natural_nonneg b) G)) v0

/-- A number at most `n / unit` has at most this error function. -/
theorem most_sound (he : IsExponential e) (hg : IsGauss e integral limit) {unit bits count n : Nat}
    {next : Nat → Bool} (hu : 0 < unit) (h : most unit bits count n next = true) :
    ∃ r, (∀ x v : K, natural unit * x ≤ natural n → v * limit = integral x → natural unit * v ≤ natural r) ∧
      next r = true := by
  unfold most at h
  cases c : Nat.ble n (Nat.mul furthest unit) with
  | false =>
    rw [c] at h
    refine ⟨unit, fun x v _ hv => ?_, h⟩
    have G : integral x ≤ limit := by
      cases le_total 0 x with
      | inl g => exact (hg.2.2.2 x g).1
      | inr g => exact le_trans (hg.2.1 x 0 g) (hg.2.2.2 0 (le_refl _)).1
    rw [← hv] at G
    have t := le_of_limit he hg (v := v) (w := 1) (by rw [one_mul]; exact G)
    have s := mul_le_left (natural_nonneg (K := K) unit) t
    rw [mul_on] at s; exact s
  | true =>
    rw [c] at h
    obtain ⟨y, hy, y0⟩ := point he hu n
    obtain ⟨a, b, ab, h⟩ := above_sound he hg hy y0 h
    rw [force_eq] at h
    obtain ⟨d0, h⟩ := both_true h
    rw [force_eq] at h
    have d0 : 0 < b * limitBelow := Nat.le_of_ble_eq_true d0
    refine ⟨_, fun x v hx hv => ?_, h⟩
    have xy : x ≤ y := cancel_natural hu (by rw [hy]; exact hx)
    have G := hg.2.1 x y xy
    rw [← hv] at G
    have below := le_trans (mul_le_right (natural_nonneg b) G) ab
    cases le_total v 0 with
    | inl neg =>
      exact le_trans (le_trans (mul_le_left (natural_nonneg unit) neg) (le_of_eq (mul_zero _)))
        (natural_nonneg _)
    | inr v0 => exact ratio_above (U := limitUnit) (B := limitBelow) d0 (limit_bounds he hg).1 below v0

theorem mirrored {x v : K} (h : ErrorFunction e x v) : ErrorFunction e (-x) (-v) := by
  obtain ⟨integral, limit, hg, hv⟩ := h
  exact ⟨integral, limit, hg, by rw [hg.1, ← hv, neg_mul]⟩

theorem least_value (he : IsExponential e) {unit bits count n : Nat} {next : Nat → Bool} (hu : 0 < unit)
    (h : least unit bits count n next = true) :
    ∃ r, (∀ x v : K, natural n ≤ natural unit * x → ErrorFunction e x v → natural r ≤ natural unit * v) ∧
      next r = true := by
  obtain ⟨r, h, again⟩ := least_same h
  refine ⟨r, fun x v hx hv => ?_, h⟩
  obtain ⟨integral, limit, hg, hv⟩ := hv
  obtain ⟨q, bound, same⟩ := least_sound he hg hu again
  rw [Nat.eq_of_beq_eq_true same] at bound
  exact bound x v hx hv
theorem most_value (he : IsExponential e) {unit bits count n : Nat} {next : Nat → Bool} (hu : 0 < unit)
    (h : most unit bits count n next = true) :
    ∃ r, (∀ x v : K, natural unit * x ≤ natural n → ErrorFunction e x v → natural unit * v ≤ natural r) ∧
      next r = true := by
  obtain ⟨r, h, again⟩ := most_same h
  refine ⟨r, fun x v hx hv => ?_, h⟩
  obtain ⟨integral, limit, hg, hv⟩ := hv
  obtain ⟨q, bound, same⟩ := most_sound he hg hu again
  rw [Nat.eq_of_beq_eq_true same] at bound
  exact bound x v hx hv

theorem low_sound (he : IsExponential e) {s : Scale} {bits count l : Nat} {next : Nat → Bool}
    (hu : 0 < s.unit) (h : low s.unit s.center bits count l next = true) :
    ∃ r,
      (∀ x v : K, natural l ≤ s.image x → ErrorFunction e x v → natural r ≤ s.image v) ∧ next r = true := by
  unfold low at h
  unfold Scale.image
  cases c : Nat.ble s.center l with
  | true =>
    rw [c] at h
    obtain ⟨r, bound, h⟩ := least_value he hu h
    rw [force_eq] at h
    refine ⟨_, fun x v hx hv => ?_, h⟩
    have gap := Linear.natural_sub (K := K) (Nat.le_of_ble_eq_true c)
    have t := bound x v
      (le_trans (le_of_eq gap) (le_cert ((ring3 K w c l, w - (l - c), w + c - l) _ _ _) (sub_nonneg hx))) hv
    show (natural (s.center + r) : K) ≤ _
    rw [natural_add, add_comm]; exact add_le_add t (le_refl _)
  | false =>
    rw [c] at h
    obtain ⟨r, bound, h⟩ := most_value he hu h
    obtain ⟨d, h⟩ := both_true h
    rw [force_eq] at h
    refine ⟨_, fun x v hx hv => ?_, h⟩
    have gap := Linear.natural_sub (K := K) (Exponential.ble_false c)
    have t := bound (-x) (-v)
      (le_trans (le_cert ((ring4 K u x c l, c - l - u * -x, u * x + c - l) _ _ _ _) (sub_nonneg hx))
        (le_of_eq gap.symm)) (mirrored hv)
    refine le_trans (le_of_eq (Linear.natural_sub (Nat.le_of_ble_eq_true d))) ?_
    exact le_cert ((ring4 K u v c r, u * v + c - (c - r), r - u * -v) _ _ _ _) (sub_nonneg t)
theorem high_sound (he : IsExponential e) {s : Scale} {bits count u : Nat} {next : Nat → Bool}
    (hu : 0 < s.unit) (h : high s.unit s.center bits count u next = true) :
    ∃ r,
      (∀ x v : K, s.image x ≤ natural u → ErrorFunction e x v → s.image v ≤ natural r) ∧ next r = true := by
  unfold high at h
  unfold Scale.image
  cases c : Nat.ble s.center u with
  | true =>
    rw [c] at h
    obtain ⟨r, bound, h⟩ := most_value he hu h
    rw [force_eq] at h
    refine ⟨_, fun x v hx hv => ?_, h⟩
    have t := bound x v (Curve.le_sub u s.center hx) hv
    show _ ≤ (natural (s.center + r) : K)
    rw [natural_add, add_comm (natural s.center)]; exact add_le_add t (le_refl _)
  | false =>
    rw [c] at h
    obtain ⟨r, bound, h⟩ := least_value he hu h
    obtain ⟨d, h⟩ := both_true h
    rw [force_eq] at h
    refine ⟨_, fun x v hx hv => ?_, h⟩
    have gap := Linear.natural_sub (K := K) (Exponential.ble_false c)
    have t := bound (-x) (-v)
      (le_trans (le_of_eq gap)
        (le_cert ((ring4 K u x c l, u * -x - (c - l), l - (u * x + c)) _ _ _ _) (sub_nonneg hx)))
      (mirrored hv)
    refine le_trans ?_ (le_of_eq (Linear.natural_sub (Nat.le_of_ble_eq_true d)).symm)
    exact le_cert ((ring4 K u v c r, c - r - (u * v + c), u * -v - r) _ _ _ _) (sub_nonneg t)

/-- **Bounds of the error function.** -/
theorem enclose_sound
    (he : IsExponential e)
    {s : Scale} {bits count l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit)
    (hx : Within s l u x)
    (h : enclose s.unit s.center bits count l u next = true) :
    ∃ low high, (∀ v, ErrorFunction e x v → Within s low high v) ∧ next low high = true := by
  obtain ⟨a, r1, h⟩ := low_sound he hu h
  obtain ⟨b, r2, h⟩ := high_sound he hu h
  exact ⟨a, b, fun v hv => ⟨r1 x v hx.1 hv, r2 x v hx.2 hv⟩, h⟩
end Gauss
end PytestTorchLean
