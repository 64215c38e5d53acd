prelude
import PytestTorchLean.Check.Rows
import PytestTorchLean.Spec.Curve
/-!
# Enclosures of the exponential function

`e x` is the 256^stages-th power of `e y` with `256^stages * y = x`, and near 0 it lies between `1 + y` and
`1 / (1 - y)`. So a chain of 256th powers, each rounded to `bits` bits after the point, down or up, encloses
it: one multiplication of long numbers per stage.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace IsExponential
variable {e : K → K}

/-- A factor that is at least 1 may be cancelled. -/
theorem cancel_one {c a b : K} (hc : 1 ≤ c) (h : a * c ≤ b * c) : a ≤ b := by
  cases le_total a b with
  | inl g => exact g
  | inr g =>
    have t := add_nonneg (mul_nonneg (sub_nonneg g) (sub_nonneg hc)) (sub_nonneg h)
    exact le_cert ((ring3 K a b c, b - a, (a - b) * (c - 1) + (b * c - a * c)) a b c) t

theorem add (he : IsExponential e) (x y : K) : e (x + y) = e x * e y := he.1 x y
theorem tangent (he : IsExponential e) (x : K) : 1 + x ≤ e x := he.2.1 x
theorem inverse (he : IsExponential e) {x : K} (h : 1 ≤ x) : ∃ y, x * y = 1 := he.2.2 x h
/-- Every number can be divided by a positive natural number. -/
theorem part (he : IsExponential e) {n : Nat} (hn : 0 < n) (x : K) : ∃ y, natural n * y = x := by
  have one : (1 : K) ≤ natural n := natural_le hn
  obtain ⟨i, hi⟩ := he.inverse one
  exact ⟨i * x, by rw [← mul_assoc, hi, one_mul]⟩
theorem half (he : IsExponential e) (x : K) : ∃ y, y + y = x := by
  obtain ⟨y, hy⟩ := he.part (n := 2) (Nat.succ_le_succ (Nat.zero_le 1)) x
  refine ⟨y, ?_⟩
  rw [← hy]; exact (ring1 K y, y + y, 2 * y) y
theorem nonneg (he : IsExponential e) (x : K) : 0 ≤ e x := by
  obtain ⟨y, rfl⟩ := he.half x
  rw [he.add]; exact sq_nonneg _
theorem zero (he : IsExponential e) : e 0 = 1 := by
  have h : e 0 * e 0 = e 0 := by rw [← he.add, add_zer]
  have p : (1 : K) ≤ e 0 := by have := he.tangent 0; rw [add_zer] at this; exact this
  exact le_antisymm (cancel_one p (by rw [h, one_mul]; exact le_refl _)) p
theorem neg (he : IsExponential e) (x : K) : e x * e (-x) = 1 := by rw [← he.add, add_neg', he.zero]
/-- `e x (1 - x)` is at most 1. -/
theorem below_one (he : IsExponential e) (x : K) : e x * (1 - x) ≤ 1 := by
  have h := mul_le_left (he.nonneg x) (he.tangent (-x))
  rw [he.neg, ← sub_def] at h; exact h
/-- Every tangent lies below the curve. -/
theorem tangent_at (he : IsExponential e) (a x : K) : e a * (1 + (x - a)) ≤ e x := by
  have h := mul_le_left (he.nonneg a) (he.tangent (x - a))
  rw [← he.add, (ring2 K x y, x + (y - x), y) a x] at h; exact h
theorem mono (he : IsExponential e) {x y : K} (h : x ≤ y) : e x ≤ e y := by
  have t := mul_nonneg (he.nonneg x) (sub_nonneg h)
  refine le_trans ?_ (he.tangent_at x y)
  exact le_cert ((ring3 K E x y, E * (1 + (y - x)) - E, E * (y - x)) (e x) x y) t

/-- Every number is `2^k` times another one. -/
theorem divides (he : IsExponential e) : (k : Nat) → (x : K) → ∃ y, natural (2 ^ k) * y = x
  | 0, x => ⟨x, one_mul x⟩
  | k + 1, x => by
    obtain ⟨z, rfl⟩ := he.half x
    obtain ⟨y, hy⟩ := he.divides k z
    refine ⟨y, ?_⟩
    have d : 2 ^ (k + 1) = 2 ^ k + 2 ^ k := by show 2 ^ k * 2 = _; rw [Nat.mul_comm, Natural.two_mul]
    rw [d, natural_add, OrderedRing.add_mul, hy]
end IsExponential

namespace Exponential
variable {e : K → K}

/-- `x^n` -/
def power (x : K) : Nat → K
  | 0 => 1
  | n + 1 => power x n * x
theorem power_nonneg {x : K} (h : 0 ≤ x) : (n : Nat) → 0 ≤ power x n
  | 0 => zero_le_one
  | n + 1 => mul_nonneg (power_nonneg h n) h
theorem power_le {x y : K} (h : 0 ≤ x) (g : x ≤ y) : (n : Nat) → power x n ≤ power y n
  | 0 => le_refl _
  | n + 1 => mul_le_mul (power_nonneg h n) h (power_le h g n) g
theorem power_mul (x y : K) : (n : Nat) → power (x * y) n = power x n * power y n
  | 0 => (mul_on (1 : K)).symm
  | n + 1 => by
    show power (x * y) n * (x * y) = power x n * x * (power y n * y)
    rw [power_mul x y n]; exact (ring4 K p q x y, p * q * (x * y), p * x * (q * y)) _ _ _ _
theorem natural_power (b : Nat) : (n : Nat) → (natural (b ^ n) : K) = power (natural b) n
  | 0 => rfl
  | n + 1 => by show natural (b ^ n * b) = _; rw [natural_mul, natural_power b n]; rfl
theorem power_of (he : IsExponential e) (y : K) : (n : Nat) → e (natural n * y) = power (e y) n
  | 0 => by
    have z : (natural 0 : K) * y = 0 := OrderedRing.zero_mul y
    rw [z, he.zero]; rfl
  | n + 1 => by
    rw [natural_succ, (ring2 K n y, (n + 1) * y, n * y + y) (natural n) y, he.add, power_of he y n]; rfl
theorem pow_mul (P : Nat) : (v : Nat) → 2 ^ (P * v) = (2 ^ P) ^ v
  | 0 => rfl
  | v + 1 => by
    show 2 ^ (P * v + P) = (2 ^ P) ^ v * 2 ^ P
    rw [Natural.pow_add, pow_mul P v]

/-- One stage after another: the 256th power with `bits` bits after the point; `extra` is 1 to round up. What
    a stage is given stands there once, so the kernel evaluates it once and nothing has to be forced. -/
def stages (bits extra : Nat) (n : Nat) : Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun b => b)
    (fun _ rest b => rest (Nat.add (Nat.shiftRight (Nat.pow b 256) (Nat.mul bits 255)) extra)) n
theorem stages_succ (bits extra n b : Nat) :
    stages bits extra (n + 1) b = stages bits extra n (b ^ 256 / 2 ^ (bits * 255) + extra) := rfl

theorem stage_down (he : IsExponential e) (P v b : Nat) {y : K} (h : natural b ≤ natural (2 ^ P) * e y) :
    natural (b ^ (v + 1) / 2 ^ (P * v)) ≤ natural (2 ^ P) * e (natural (v + 1) * y) := by
  apply cancel_natural (Natural.two_pow_pos (P * v))
  rw [← natural_mul]
  refine le_trans (natural_le (Rows.mul_div_le (b ^ (v + 1)) _ (Natural.two_pow_pos (P * v)))) ?_
  rw [natural_power b, pow_mul, natural_power, power_of he]
  refine le_trans (power_le (natural_nonneg b) h (v + 1)) (le_of_eq ?_)
  rw [power_mul]
  exact mul_assoc _ _ _
theorem stage_up (he : IsExponential e) (P v b : Nat) {y : K} (h : natural (2 ^ P) * e y ≤ natural b) :
    natural (2 ^ P) * e (natural (v + 1) * y) ≤ natural (b ^ (v + 1) / 2 ^ (P * v) + 1) := by
  have up : b ^ (v + 1) ≤ 2 ^ (P * v) * (b ^ (v + 1) / 2 ^ (P * v) + 1) :=
    Nat.le_trans (Rows.lt_mul_div (b ^ (v + 1)) _ (Natural.two_pow_pos (P * v)))
      (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))
  apply cancel_natural (Natural.two_pow_pos (P * v))
  rw [← natural_mul]
  refine le_trans ?_ (natural_le up)
  rw [natural_power b, pow_mul, natural_power, power_of he]
  refine le_trans (le_of_eq ?_) (power_le (mul_nonneg (natural_nonneg _) (he.nonneg y)) h (v + 1))
  rw [power_mul]
  exact (mul_assoc _ _ _).symm

theorem stages_down (he : IsExponential e) (P : Nat) :
    (n b : Nat) → (y : K) → natural b ≤ natural (2 ^ P) * e y →
    natural (stages P 0 n b) ≤ natural (2 ^ P) * e (natural (256 ^ n) * y)
  | 0, b, y, h => by
    have z : (natural (256 ^ 0) : K) * y = y := one_mul y
    rw [z]; exact h
  | n + 1, b, y, h => by
    have r := stages_down he P n _ _ (stage_down he P 255 b h)
    rw [stages_succ]
    have z : (natural (256 ^ (n + 1)) : K) = natural (256 ^ n) * natural (255 + 1) := natural_mul _ _
    rw [z, mul_assoc]; exact r
theorem stages_up (he : IsExponential e) (P : Nat) :
    (n b : Nat) → (y : K) → natural (2 ^ P) * e y ≤ natural b →
    natural (2 ^ P) * e (natural (256 ^ n) * y) ≤ natural (stages P 1 n b)
  | 0, b, y, h => by
    have z : (natural (256 ^ 0) : K) * y = y := one_mul y
    rw [z]; exact h
  | n + 1, b, y, h => by
    have r := stages_up he P n _ _ (stage_up he P 255 b h)
    rw [stages_succ]
    have z : (natural (256 ^ (n + 1)) : K) = natural (256 ^ n) * natural (255 + 1) := natural_mul _ _
    rw [z, mul_assoc]; exact r

theorem pow_256 (n : Nat) : 256 ^ n = 2 ^ (8 * n) := (pow_mul 8 n).symm

/-- `2^bits * e x` is at least this where `unit * x ≥ n`; `measure = unit * 256^stages`, `one = 2^bits`. -/
def down (bits count measure one n : Nat) : Nat :=
  stages bits 0 count (Nat.add one (Nat.div (Nat.mul n one) measure))
/-- `2^bits * e x` is at most this where `unit * x ≤ n`, when `n < measure`. -/
def up (bits count measure one n : Nat) : Nat :=
  stages bits 1 count (Nat.succ (Nat.div (Nat.mul one measure) (Nat.sub measure n)))

theorem stages_pos (bits : Nat) : (n b : Nat) → 0 < b → 0 < stages bits 1 n b
  | 0, _, h => h
  | n + 1, b, _ => by rw [stages_succ]; exact stages_pos bits n _ (Nat.succ_le_succ (Nat.zero_le _))
theorem up_pos (bits count measure one n : Nat) : 0 < up bits count measure one n :=
  stages_pos bits count _ (Nat.succ_le_succ (Nat.zero_le _))

theorem down_sound (he : IsExponential e) {unit bits count n : Nat} {x : K} (hu : 0 < unit)
    (h : natural n ≤ natural unit * x) :
    natural (down bits count (unit * 256 ^ count) (2 ^ bits) n) ≤ natural (2 ^ bits) * e x := by
  unfold down
  obtain ⟨y, rfl⟩ := he.divides (8 * count) x
  rw [← pow_256] at *
  refine stages_down he bits count _ y ?_
  have hm : 0 < unit * 256 ^ count := Nat.mul_pos hu (by rw [pow_256]; exact Natural.two_pow_pos _)
  have q : natural (n * 2 ^ bits / (unit * 256 ^ count)) ≤ natural (2 ^ bits) * y := by
    apply cancel_natural hm
    rw [← natural_mul]
    refine le_trans (natural_le (Rows.mul_div_le _ _ hm)) ?_
    rw [natural_mul, natural_mul]
    rw [← mul_assoc] at h
    refine le_trans (mul_le_right (natural_nonneg _) h) (le_of_eq ?_)
    exact (ring4 K u m y d, u * m * y * d, u * m * (d * y)) _ _ _ _
  show natural (2 ^ bits + _) ≤ _
  rw [natural_add]
  have t := mul_le_left (natural_nonneg (2 ^ bits)) (he.tangent y)
  rw [mul_add, mul_on] at t
  exact le_trans (add_le_add (le_refl _) q) t
theorem up_sound (he : IsExponential e) {unit bits count n : Nat} {x : K} (hn : n < unit * 256 ^ count)
    (h : natural unit * x ≤ natural n) :
    natural (2 ^ bits) * e x ≤ natural (up bits count (unit * 256 ^ count) (2 ^ bits) n) := by
  unfold up
  obtain ⟨y, rfl⟩ := he.divides (8 * count) x
  rw [← pow_256] at *
  refine stages_up he bits count _ y ?_
  rw [← mul_assoc, ← natural_mul] at h
  generalize unit * 256 ^ count = m at *
  have hd : 0 < m - n := by
    refine Nat.lt_of_not_le fun g => Nat.not_le_of_lt hn ?_
    have z := Nat.eq_zero_of_le_zero g
    have s := Natural.sub_add_cancel (Nat.le_of_lt hn)
    rw [z, Nat.zero_add] at s
    rw [s]; exact Nat.le.refl
  have up : 2 ^ bits * m ≤ (m - n) * (2 ^ bits * m / (m - n) + 1) :=
    Nat.le_trans (Rows.lt_mul_div _ _ hd) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))
  apply cancel_natural hd
  rw [← natural_mul]
  refine le_trans ?_ (natural_le (K := K) up)
  have split : (natural m : K) = natural (m - n) + natural n := by
    rw [← natural_add, Natural.sub_add_cancel (Nat.le_of_lt hn)]
  have t := mul_nonneg (mul_nonneg (natural_nonneg (K := K) (2 ^ bits)) (natural_nonneg m))
    (sub_nonneg (he.below_one y))
  have r := mul_nonneg (mul_nonneg (natural_nonneg (K := K) (2 ^ bits)) (he.nonneg y)) (sub_nonneg h)
  rw [natural_mul]
  generalize (natural m : K) = M at *
  generalize (natural (2 ^ bits) : K) = D at *
  generalize (natural n : K) = N at *
  have d : (natural (m - n) : K) = M - N := by rw [split]; exact (ring2 K a b, a, a + b - b) _ _
  rw [d]
  generalize e y = E at *
  refine le_cert ?_ (add_nonneg t r)
  exact (ring5 K D M N E y, D * M - (M - N) * (D * E), D * M * (1 - E * (1 - y)) + D * E * (N - M * y)) _ _ _
    _ _

/-- The lesser of a number and the limit. -/
def clipped (n limit : Nat) : Nat := Nat.sub n (Nat.sub n limit)
theorem clipped_le (n limit : Nat) : clipped n limit ≤ n := Natural.sub_le _ _

/-- A fraction at or below `e (factor * x)`, where `x`'s fixed-point number is at least `l`. Beyond `limit`
    nothing is computed. -/
def below (factor center bits count measure one limit l : Nat) (next : Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble center l)
    (Bool.casesOn (motive := fun _ => Bool) (Nat.ble (Nat.mul factor (Nat.sub center l)) limit) (next 0 1)
      ((next one) (up bits count measure one (Nat.mul factor (Nat.sub center l)))))
    ((fun a => next a one) (down bits count measure one (clipped (Nat.mul factor (Nat.sub l center)) limit)))
/-- A fraction at or above `e (factor * x)`, where `x`'s fixed-point number is at most `u`; its denominator
    may be 0. -/
def above (factor center bits count measure one limit u : Nat) (next : Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble center u)
    ((next one) (down bits count measure one (clipped (Nat.mul factor (Nat.sub center u)) limit)))
    (Bool.casesOn (motive := fun _ => Bool) (Nat.ble (Nat.mul factor (Nat.sub u center)) limit) (next 1 0)
      ((fun a => next a one) (up bits count measure one (Nat.mul factor (Nat.sub u center)))))

theorem clip_le (n limit : Nat) : Bool.casesOn (motive := fun _ => Nat) (Nat.ble n limit) limit n ≤ n := by
  cases c : Nat.ble n limit with
  | true => exact Nat.le.refl
  | false =>
    cases Nat.le_total n limit with
    | inl g => rw [Nat.ble_eq_true_of_le g] at c; exact Bool.noConf_tf c
    | inr g => exact g
theorem ble_false {a b : Nat} (h : Nat.ble a b = false) : b ≤ a := by
  cases Nat.le_total b a with
  | inl g => exact g
  | inr g => rw [Nat.ble_eq_true_of_le g] at h; exact Bool.noConf_tf h
/-- A distance from the center, times the factor. -/
theorem scaled_ge {unit center l factor : Nat} {x : K} (hc : center ≤ l)
    (h : natural l ≤ natural unit * x + natural center) :
    natural (factor * (l - center)) ≤ natural unit * (natural factor * x) := by
  have s : (natural l : K) = natural (l - center) + natural center := by
    rw [← natural_add, Natural.sub_add_cancel hc]
  rw [s] at h
  have t := mul_nonneg (natural_nonneg (K := K) factor) (sub_nonneg h)
  rw [natural_mul]
  exact le_cert ((ring5 K u f x d c, u * (f * x) - f * d, f * (u * x + c - (d + c))) _ _ _ _ _) t
theorem scaled_le {unit center u factor : Nat} {x : K} (hc : center ≤ u)
    (h : natural unit * x + natural center ≤ natural u) :
    natural unit * (natural factor * x) ≤ natural (factor * (u - center)) := by
  have s : (natural u : K) = natural (u - center) + natural center := by
    rw [← natural_add, Natural.sub_add_cancel hc]
  rw [s] at h
  have t := mul_nonneg (natural_nonneg (K := K) factor) (sub_nonneg h)
  rw [natural_mul]
  exact le_cert ((ring5 K u f x d c, f * d - u * (f * x), f * (d + c - (u * x + c))) _ _ _ _ _) t
theorem mirrored_le {unit center l factor : Nat} {x : K} (hc : l ≤ center)
    (h : natural l ≤ natural unit * x + natural center) :
    natural unit * -(natural factor * x) ≤ natural (factor * (center - l)) := by
  have s : (natural center : K) = natural (center - l) + natural l := by
    rw [← natural_add, Natural.sub_add_cancel hc]
  rw [s] at h
  have t := mul_nonneg (natural_nonneg (K := K) factor) (sub_nonneg h)
  rw [natural_mul]
  exact le_cert ((ring5 K u f x d l, f * d - u * -(f * x), f * (u * x + (d + l) - l)) _ _ _ _ _) t
theorem mirrored_ge {unit center u factor : Nat} {x : K} (hc : u ≤ center)
    (h : natural unit * x + natural center ≤ natural u) :
    natural (factor * (center - u)) ≤ natural unit * -(natural factor * x) := by
  have s : (natural center : K) = natural (center - u) + natural u := by
    rw [← natural_add, Natural.sub_add_cancel hc]
  rw [s] at h
  have t := mul_nonneg (natural_nonneg (K := K) factor) (sub_nonneg h)
  rw [natural_mul]
  exact le_cert ((ring5 K u f x d l, u * -(f * x) - f * d, f * (l - (u * x + (d + l)))) _ _ _ _ _) t

/-- From the reciprocal. -/
theorem reciprocal_below (he : IsExponential e) {x d u : K} (h : d * e (-x) ≤ u) : d ≤ e x * u := by
  have t := mul_le_left (he.nonneg x) h
  have z : e x * (d * e (-x)) = d := by rw [mul_left_comm, he.neg, mul_on]
  rw [z] at t; exact t
theorem reciprocal_above (he : IsExponential e) {x d b : K} (h : b ≤ d * e (-x)) : e x * b ≤ d := by
  have t := mul_le_left (he.nonneg x) h
  have z : e x * (d * e (-x)) = d := by rw [mul_left_comm, he.neg, mul_on]
  rw [z] at t; exact t

theorem below_sound
    (he : IsExponential e)
    {factor unit center bits count limit l : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < unit)
    (hl : limit < unit * 256 ^ count)
    (hx : natural l ≤ natural unit * x + natural center)
    (h : below factor center bits count (unit * 256 ^ count) (2 ^ bits) limit l next = true) :
    ∃ a b, natural a ≤ e (natural factor * x) * natural b ∧ next a b = true := by
  unfold below at h
  cases c : Nat.ble center l with
  | true =>
    rw [c] at h
    refine ⟨_, _, ?_, h⟩
    rw [mul_comm]
    exact down_sound he hu
      (le_trans (natural_le (clipped_le _ limit)) (scaled_ge (Nat.le_of_ble_eq_true c) hx))
  | false =>
    rw [c] at h
    cases g : Nat.ble (Nat.mul factor (Nat.sub center l)) limit with
    | false =>
      rw [g] at h
      refine ⟨0, 1, ?_, h⟩
      exact mul_nonneg (he.nonneg _) (natural_nonneg 1)
    | true =>
      rw [g] at h
      refine ⟨_, _, ?_, h⟩
      exact reciprocal_below he
        (up_sound he (Nat.lt_of_le_of_lt (Nat.le_of_ble_eq_true g) hl) (mirrored_le (ble_false c) hx))
theorem above_sound
    (he : IsExponential e)
    {factor unit center bits count limit u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < unit)
    (hl : limit < unit * 256 ^ count)
    (hx : natural unit * x + natural center ≤ natural u)
    (h : above factor center bits count (unit * 256 ^ count) (2 ^ bits) limit u next = true) :
    ∃ a b, e (natural factor * x) * natural b ≤ natural a ∧ next a b = true := by
  unfold above at h
  cases c : Nat.ble center u with
  | true =>
    rw [c] at h
    cases g : Nat.ble (Nat.mul factor (Nat.sub u center)) limit with
    | false =>
      rw [g] at h
      refine ⟨1, 0, ?_, h⟩
      have z : e (natural factor * x) * (natural 0 : K) = 0 := OrderedRing.mul_zero _
      rw [z]; exact natural_nonneg 1
    | true =>
      rw [g] at h
      refine ⟨_, _, ?_, h⟩
      rw [mul_comm]
      exact up_sound he (Nat.lt_of_le_of_lt (Nat.le_of_ble_eq_true g) hl)
        (scaled_le (Nat.le_of_ble_eq_true c) hx)
  | false =>
    rw [c] at h
    refine ⟨_, _, ?_, h⟩
    exact reciprocal_above he
      (down_sound he hu (le_trans (natural_le (clipped_le _ limit)) (mirrored_ge (ble_false c) hx)))
end Exponential
end PytestTorchLean
