prelude
import PytestTorchLean.Check.CircleLaws
/-!
# Bounds of sine and cosine

At the middle of an interval both are enclosed (Check/Circle); from there to the ends of the interval each
moves by no more than the other one's size times the distance, and half the distance's square. Far from 0, and
where the interval is wide, they are between -1 and 1, as they are everywhere.
-/
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Circle
variable {sine cosine : K → K}

/-! ### Two values at a point -/

/-- Bounds of the sine at a fixed-point number. -/
def sineAt (unit center one m : Nat) (next : Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble center m)
    (force (fun n => force (fun first => point 1 unit center one n first (Nat.succ first) fun low high =>
        both (Nat.ble high (Nat.add center center)) (force (fun low' => force (fun high' => next low' high')
          (Nat.sub (Nat.add center center) low)) (Nat.sub (Nat.add center center) high)))
      (Nat.div (Nat.mul n one) unit)) (Nat.sub center m))
    (force (fun n => force (fun first => point 1 unit center one n first (Nat.succ first) next)
          (Nat.div (Nat.mul n one) unit)) (Nat.sub m center))
/-- Bounds of the cosine there. -/
def cosineAt (unit center one m : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun n => point 0 unit center one n one one next) (Nat.add (Nat.sub m center) (Nat.sub center m))

theorem first_around {unit bits n : Nat} {x : K} (hu : 0 < unit) (hx : natural unit * x = natural n) :
    Around (natural (2 ^ bits)) (n * 2 ^ bits / unit) (n * 2 ^ bits / unit + 1) x := by
  have e : natural unit * (natural (2 ^ bits) * x) = natural (n * 2 ^ bits) := by
    rw [natural_mul, ← hx]; exact (ring3 K u d x, u * (d * x), u * x * d) _ _ _
  constructor
  · apply cancel_natural hu
    rw [e, ← natural_mul]
    exact natural_le (Rows.mul_div_le _ _ hu)
  · apply cancel_natural hu
    rw [e, ← natural_mul]
    exact natural_le
      (Nat.le_trans (Rows.lt_mul_div (n * 2 ^ bits) _ hu) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _)))

/-- A fixed-point number's distance from the center. -/
theorem right_of {unit center m : Nat} {y : K} (hu : 0 < unit) (h : center ≤ m)
    (hy : natural unit * y + natural center = natural m) :
    natural unit * y = natural (m - center) ∧ 0 ≤ y := by
  have e : natural unit * y = natural (m - center) := by
    rw [Linear.natural_sub h, ← hy]; exact (ring2 K a b, a, a + b - b) _ _
  exact ⟨e, cancel_natural hu (by rw [e, mul_zero]; exact natural_nonneg _)⟩
theorem left_of {unit center m : Nat} {y : K} (hu : 0 < unit) (h : m ≤ center)
    (hy : natural unit * y + natural center = natural m) :
    natural unit * -y = natural (center - m) ∧ 0 ≤ -y := by
  have e : natural unit * -y = natural (center - m) := by
    rw [Linear.natural_sub h, ← hy]; exact (ring3 K u y c, u * -y, c - (u * y + c)) _ _ _
  exact ⟨e, cancel_natural hu (by rw [e, mul_zero]; exact natural_nonneg _)⟩

theorem sineAt_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {bits m : Nat} {next : Nat → Nat → Bool} {y : K}
    (hu : 0 < s.unit)
    (hy : s.image y = natural m)
    (h : sineAt s.unit s.center (2 ^ bits) m next = true) :
    ∃ low high,
      (∀ sine cosine, IsCircle sine cosine → Within s low high (sine y)) ∧ next low high = true := by
  unfold sineAt at h
  simp only [force_eq] at h
  cases c : Nat.ble s.center m with
  | true =>
    rw [c] at h
    obtain ⟨hn, y0⟩ := right_of hu (Nat.le_of_ble_eq_true c) hy
    obtain ⟨low, high, w, h⟩ := point_sound he hu hn (first_around hu hn) h
    exact ⟨low, high, fun sine cosine hc => w _ (hc.2.2.2 y y0).1, h⟩
  | false =>
    rw [c] at h
    obtain ⟨hn, y0⟩ := left_of hu (Exponential.ble_false c) hy
    obtain ⟨low, high, w, h⟩ := point_sound he hu hn (first_around hu hn) h
    obtain ⟨g, h⟩ := both_true h
    have g : high ≤ s.center + s.center := Nat.le_of_ble_eq_true g
    refine ⟨_, _, fun sine cosine hc => ?_, h⟩
    obtain ⟨w1, w2⟩ := w _ (hc.2.2.2 (-y) y0).1
    unfold Scale.image at w1 w2
    rw [(hc.1 y).1] at w1 w2
    have w1 : natural low ≤ natural s.unit * -sine y + natural s.center := w1
    have w2 : natural s.unit * -sine y + natural s.center ≤ natural high := w2
    unfold Within Scale.image
    show natural (s.center + s.center - high) ≤ _ ∧ _ ≤ natural (s.center + s.center - low)
    constructor
    · rw [Linear.natural_sub g, natural_add]
      exact le_cert ((ring4 K u v c l, u * v + c - (c + c - l), l - (u * -v + c)) _ _ _ _) (sub_nonneg w2)
    · refine Curve.le_sub (s.center + s.center) low ?_
      rw [natural_add]
      exact le_cert ((ring4 K u v c l, c + c - (u * v + c + l), u * -v + c - l) _ _ _ _) (sub_nonneg w1)
theorem cosineAt_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {bits m : Nat} {next : Nat → Nat → Bool} {y : K}
    (hu : 0 < s.unit)
    (hy : s.image y = natural m)
    (h : cosineAt s.unit s.center (2 ^ bits) m next = true) :
    ∃ low high,
      (∀ sine cosine, IsCircle sine cosine → Within s low high (cosine y)) ∧ next low high = true := by
  unfold cosineAt at h
  rw [force_eq] at h
  have one : Around (natural (2 ^ bits)) (2 ^ bits) (2 ^ bits) (1 : K) := by
    unfold Around; rw [mul_on]; exact ⟨le_refl _, le_refl _⟩
  cases Nat.le_total s.center m with
  | inl c =>
    obtain ⟨hn, y0⟩ := right_of hu c hy
    have n : Nat.add (Nat.sub m s.center) (Nat.sub s.center m) = m - s.center := by
      show m - s.center + (s.center - m) = _
      rw [Nat.sub_eq_zero_of_le c]; rfl
    rw [n] at h
    obtain ⟨low, high, w, h⟩ := point_sound he hu hn one h
    exact ⟨low, high, fun sine cosine hc => w _ (hc.2.2.2 y y0).2, h⟩
  | inr c =>
    obtain ⟨hn, y0⟩ := left_of hu c hy
    have n : Nat.add (Nat.sub m s.center) (Nat.sub s.center m) = s.center - m := by
      show m - s.center + (s.center - m) = _
      rw [Nat.sub_eq_zero_of_le c, Nat.zero_add]
    rw [n] at h
    obtain ⟨low, high, w, h⟩ := point_sound he hu hn one h
    refine ⟨low, high, fun sine cosine hc => ?_, h⟩
    have t := w _ (hc.2.2.2 (-y) y0).2
    rw [(hc.1 y).2] at t
    exact t

/-! ### Over an interval -/

def larger (a b : Nat) : Nat := Bool.casesOn (motive := fun _ => Nat) (Nat.ble a b) a b
def smaller (a b : Nat) : Nat := Bool.casesOn (motive := fun _ => Nat) (Nat.ble a b) b a
theorem within_both {s : Scale} {a b c d : Nat} {v : K} (h : Within s a b v) (g : Within s c d v) :
    Within s (larger a c) (smaller b d) v := by
  constructor
  · unfold larger
    cases Nat.ble a c with
    | true => exact g.1
    | false => exact h.1
  · unfold smaller
    cases Nat.ble b d with
    | true => exact h.2
    | false => exact g.2

/-- Bounds up to `r` beside a point where the value is between `a` and `b`, the other function's between `c`
    and `d`. -/
def spread (unit center r a b c d : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun size => force (fun far => both (Nat.ble far a)
        (force (fun low => force (fun high => next low high) (smaller (Nat.add b far) (Nat.add center unit)))
          (larger (Nat.sub a far) (Nat.sub center unit))))
      (Nat.succ (Nat.div (Nat.add (Nat.mul (Nat.mul 2 size) r) (Nat.mul r r)) (Nat.mul 2 unit))))
    (Nat.add (Nat.sub d center) (Nat.sub center c))

theorem within_one {s : Scale} {v : K} (hc : s.unit ≤ s.center) (h : AtMost v 1) :
    Within s (s.center - s.unit) (s.center + s.unit) v := by
  have u0 := natural_nonneg (K := K) s.unit
  unfold Within Scale.image
  rw [Linear.natural_sub hc, natural_add]
  constructor
  · exact le_cert ((ring3 K u v c, u * v + c - (c - u), u * 1 - u * -v) _ _ _)
      (sub_nonneg (mul_le_left u0 h.2))
  · exact le_cert ((ring3 K u v c, c + u - (u * v + c), u * 1 - u * v) _ _ _)
      (sub_nonneg (mul_le_left u0 h.1))

theorem spread_sound {s : Scale} {r a b c d : Nat} {next : Nat → Nat → Bool} (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center) (h : spread s.unit s.center r a b c d next = true) :
    ∃ low high, (∀ f g w cos sin far : K, Within s a b f →
          Within s c d g → AtMost f 1 → AtMost w 1 → 0 ≤ far →
          natural s.unit * far ≤ natural r → AtMost sin far →
          cos ≤ 1 → natural 2 * (1 - cos) ≤ far * far →
          (w - f = f * (cos - 1) + g * sin ∨ w - f = f * (cos - 1) + -g * sin) →
          Within s low high w) ∧ next low high = true := by
  unfold spread at h
  simp only [force_eq] at h
  obtain ⟨k, h⟩ := both_true h
  refine ⟨_, _, fun f g w cos sin far hf hg f1 w1 far0 hr hs hcos h2 eq => ?_, h⟩
  refine within_both (Curve.moved hf (Nat.le_of_ble_eq_true k) ?_) (within_one hc w1)
  obtain ⟨size, hsize, esize⟩ := Curve.absolute_value g
  have sized := Curve.size_of hg esize
  have u0 := natural_nonneg (K := K) s.unit
  have hsize' : AtMost (-g) size := ⟨hsize.2, by rw [neg_neg]; exact hsize.1⟩
  have t : AtMost (natural 2 * (w - f)) (far * far + natural 2 * (size * far)) := by
    cases eq with
    | inl q => rw [q]; exact moves f1 hsize hs hcos h2
    | inr q => rw [q]; exact moves f1 hsize' hs hcos h2
  show AtMost _ (natural ((2 * (d - s.center + (s.center - c)) * r + r * r) / (2 * s.unit) + 1))
  generalize d - s.center + (s.center - c) = n at *
  have two0 : 0 < 2 * s.unit := Nat.mul_pos (Nat.succ_le_succ (Nat.zero_le _)) hu
  refine AtMost.cancel two0 ?_
  have e1 : (natural (2 * s.unit) : K) * (natural s.unit * (w - f)) =
      natural s.unit * natural s.unit * (natural 2 * (w - f)) := by
    rw [natural_mul]; exact (ring2 K u z, 2 * u * (u * z), u * u * (2 * z)) _ _
  rw [e1]
  refine (t.mul_left (mul_nonneg u0 u0)).weaken ?_
  have up :
      (natural (2 * n * r + r * r) : K) ≤ natural (2 * s.unit * ((2 * n * r + r * r) / (2 * s.unit) + 1)) :=
    natural_le (Nat.le_trans (Rows.lt_mul_div (2 * n * r + r * r) _ two0)
        (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _)))
  refine le_trans ?_ (le_trans up (le_of_eq (natural_mul _ _)))
  have p1 := mul_le_mul (mul_nonneg u0 far0) (mul_nonneg u0 far0) hr hr
  have p2 := mul_le_mul (mul_nonneg u0 hsize.nonneg) (mul_nonneg u0 far0) sized hr
  have p3 := add_nonneg (sub_nonneg p1) (mul_nonneg (natural_nonneg (K := K) 2) (sub_nonneg p2))
  rw [natural_add, natural_mul, natural_mul, natural_mul r]
  exact le_cert ((ring5 K u z f n r, 2 * n * r + r * r - u * u * (f * f + 2 * (z * f)),
        r * r - u * f * (u * f) + 2 * (n * r - u * z * (u * f))) _ _ _ _ _) p3

/-- Beyond this only that the values are between -1 and 1 is known. -/
def furthest : Nat := 32

/-- What is done at the middle of an interval, with `2^bits`, the middle and half the interval's width. -/
def middle (unit center bits l u : Nat) (inside : Nat → Nat → Nat → Bool) (next : Nat → Nat → Bool) : Bool :=
  force (fun m => force (fun r =>
      Bool.casesOn (motive := fun _ => Bool)
        (both (Nat.ble r unit)
          (Nat.ble (Nat.add (Nat.sub m center) (Nat.sub center m)) (Nat.mul furthest unit)))
        (force (fun low => force (fun high => next low high) (Nat.add center unit)) (Nat.sub center unit))
        (force (fun one => inside one m r) (Nat.pow 2 bits)))
    (Nat.sub u m)) (Nat.div (Nat.add l u) 2)

theorem middle_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {bits l u : Nat} {inside : Nat → Nat → Nat → Bool} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit)
    (hx : Within s l u x)
    (h : middle s.unit s.center bits l u inside next = true) :
    next (s.center - s.unit) (s.center + s.unit) = true ∨
    ∃ m r y d far, inside (2 ^ bits) m r = true ∧
      s.image y = natural m ∧
      x = y + d ∧
      Distance d far ∧
      natural s.unit * far ≤ natural r := by
  unfold middle at h
  simp only [force_eq] at h
  generalize em : Nat.div (Nat.add l u) 2 = m at *
  cases c : both (Nat.ble (Nat.sub u m) s.unit)
      (Nat.ble (Nat.add (Nat.sub m s.center) (Nat.sub s.center m)) (Nat.mul furthest s.unit)) with
  | false => rw [c] at h; exact Or.inl h
  | true =>
    rw [c] at h
    obtain ⟨c1, _⟩ := both_true c
    have c1 : u - m ≤ s.unit := Nat.le_of_ble_eq_true c1
    refine Or.inr ⟨m, u - m, ?_⟩
    obtain ⟨y, hy⟩ := Logarithm.point (s := s) he hu m
    obtain ⟨x1, x2⟩ := hx
    have lu : l ≤ u := natural_le_reflect (le_trans x1 x2)
    have twice : 2 * m ≤ l + u := by
      rw [← em]
      exact Rows.mul_div_le (l + u) 2 (Nat.succ_le_succ (Nat.zero_le _))
    have mm : m + m ≤ l + u := by rw [← Natural.two_mul]; exact twice
    have mu : m ≤ u := by
      cases Nat.le_total m u with
      | inl g => exact g
      | inr g =>
        exact Nat.le_of_add_le_add_right m
          (Nat.le_trans mm (by rw [Nat.add_comm u]; exact Nat.add_le_add (Nat.le_trans lu g) Nat.le.refl))
    have e := Linear.natural_sub (K := K) mu
    have halves := natural_le (K := K) mm
    rw [natural_add, natural_add] at halves
    have gap : natural s.unit * (x - y) = s.image x - natural m := by
      rw [← hy]; unfold Scale.image; exact (ring4 K u x y c, u * (x - y), u * x + c - (u * y + c)) _ _ _ _
    have up : natural s.unit * (x - y) ≤ natural (u - m) := by
      rw [gap, e]; exact le_cert ((ring3 K i m u, u - m - (i - m), u - i) _ _ _) (sub_nonneg x2)
    have down : natural s.unit * -(x - y) ≤ natural (u - m) := by
      rw [mul_neg, gap, e]
      exact le_cert ((ring4 K i m u l, u - m - -(i - m), i - l + (l + u - (m + m))) _ _ _ _)
        (add_nonneg (sub_nonneg x1) (sub_nonneg halves))
    have one : ∀ z : K, natural s.unit * z ≤ natural (u - m) → z ≤ 1 := fun z hz =>
      cancel_natural hu (by rw [mul_on]; exact le_trans hz (natural_le c1))
    have split : x = y + (x - y) := (ring2 K x y, x, y + (x - y)) _ _
    cases le_total 0 (x - y) with
    | inl g => exact ⟨y, x - y, x - y, h, hy, split, ⟨g, one _ up, Or.inl rfl⟩, up⟩
    | inr g =>
      exact ⟨y, x - y, -(x - y), h, hy, split, ⟨neg_nonneg g, one _ down, Or.inr (neg_neg _).symm⟩, down⟩

/-- Bounds of the sine between two fixed-point numbers. -/
def encloseSine (unit center bits l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  middle unit center bits l u
    (fun one m r => sineAt unit center one m fun a b => cosineAt unit center one m fun c d =>
    spread unit center r a b c d next) next
/-- Bounds of the cosine. -/
def encloseCosine (unit center bits l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  middle unit center bits l u
    (fun one m r => cosineAt unit center one m fun a b => sineAt unit center one m fun c d =>
    spread unit center r a b c d next) next

/-- **Bounds of the sine.** -/
theorem encloseSine_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {bits l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (hx : Within s l u x)
    (h : encloseSine s.unit s.center bits l u next = true) :
    ∃ low high,
      (∀ sine cosine, IsCircle sine cosine → Within s low high (sine x)) ∧ next low high = true := by
  cases middle_sound he hu hx h with
  | inl h => exact ⟨_, _, fun sine cosine circle => within_one hc (sine_atMost circle x), h⟩
  | inr h =>
    obtain ⟨m, r, y, d, far, h, hy, hd, hfar, hr⟩ := h
    obtain ⟨a, b, hf, h⟩ := sineAt_sound he hu hy h
    obtain ⟨c, d', hg, h⟩ := cosineAt_sound he hu hy h
    obtain ⟨low, high, w, h⟩ := spread_sound (K := K) hu hc h
    refine ⟨low, high, fun sine cosine circle => ?_, h⟩
    obtain ⟨n1, n2, n3⟩ := near_zero_signed he circle hfar
    refine w _ _ _ _ _ far (hf _ _ circle) (hg _ _ circle) (sine_atMost circle y) (sine_atMost circle x)
      hfar.1 hr n1 n2 n3 (Or.inl ?_)
    rw [hd, (circle.2.2.1 y d).1]
    exact (ring4 K f g c s, f * c + g * s - f, f * (c - 1) + g * s) _ _ _ _
/-- **Bounds of the cosine.** -/
theorem encloseCosine_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {bits l u : Nat} {next : Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (hx : Within s l u x)
    (h : encloseCosine s.unit s.center bits l u next = true) :
    ∃ low high,
      (∀ sine cosine, IsCircle sine cosine → Within s low high (cosine x)) ∧ next low high = true := by
  cases middle_sound he hu hx h with
  | inl h => exact ⟨_, _, fun sine cosine circle => within_one hc (cosine_atMost circle x), h⟩
  | inr h =>
    obtain ⟨m, r, y, d, far, h, hy, hd, hfar, hr⟩ := h
    obtain ⟨a, b, hf, h⟩ := cosineAt_sound he hu hy h
    obtain ⟨c, d', hg, h⟩ := sineAt_sound he hu hy h
    obtain ⟨low, high, w, h⟩ := spread_sound (K := K) hu hc h
    refine ⟨low, high, fun sine cosine circle => ?_, h⟩
    obtain ⟨n1, n2, n3⟩ := near_zero_signed he circle hfar
    refine w _ _ _ _ _ far (hf _ _ circle) (hg _ _ circle) (cosine_atMost circle y) (cosine_atMost circle x)
      hfar.1 hr n1 n2 n3 (Or.inr ?_)
    rw [hd, (circle.2.2.1 y d).2]
    exact (ring4 K f g c s, f * c - g * s - f, f * (c - 1) + -g * s) _ _ _ _
end Circle
end PytestTorchLean
