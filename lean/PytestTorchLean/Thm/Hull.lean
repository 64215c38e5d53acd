prelude
import PytestTorchLean.Thm.Grid
import PytestTorchLean.Spec.Summation
/-!
# Binary32 numbers just below and just above a rational number

For every rational number up to the largest finite one there is a binary32 number at or below it, and one at
or above it, at a distance of at most `2^-23` of its absolute value plus one unit. These are the ends of the
outward hull of a box (`Box.HullHolds`).
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Binary32
open Natural OrderedRing

/-- The largest finite binary32 number, in units of `2^-149`. -/
def largest : Nat := (2 ^ 24 - 1) * 2 ^ 253

theorem infinity_split : 255 * 2 ^ 23 = 2 ^ 23 * 253 + 2 ^ 24 := by decide +kernel
theorem infinity_split' : 255 * 2 ^ 23 = 2 ^ 23 * 252 + 2 ^ 24 + 2 ^ 23 := by decide +kernel
theorem largest_lt : largest < 2 ^ 23 * 2 ^ 254 := by decide +kernel
theorem mask_24 : 2 ^ 24 - 1 + 1 = 2 ^ 24 := succ_pred (two_pow_pos 24)

/-- Below the largest finite number the last place is at most that of the largest. -/
theorem place_le {n d e m : Nat} (hd : 0 < d) (low : e = 0 ∨ 2 ^ 23 ≤ m) (lower : d * (m * 2 ^ e) ≤ n)
    (h : n ≤ d * largest) :
    e ≤ 253 := by
  cases Nat.lt_or_ge 253 e with
  | inr g => exact g
  | inl g =>
    cases low with
    | inl z => rw [z]; exact Nat.zero_le _
    | inr big =>
      have l : d * (2 ^ 23 * 2 ^ 254) ≤ d * largest :=
        Nat.le_trans (Nat.mul_le_mul (Nat.le_refl d) (Nat.mul_le_mul big (two_pow_le g)))
          (Nat.le_trans lower h)
      exact absurd (mul_lt_mul_left hd largest_lt) (Nat.not_lt_of_le l)

theorem pattern_lt {e m : Nat} (he : e ≤ 253) (hm : m < 2 ^ 24) : 2 ^ 23 * e + m < 255 * 2 ^ 23 := by
  rw [infinity_split]
  exact Nat.add_le_add (Nat.mul_le_mul (Nat.le_refl (2 ^ 23)) he) hm

theorem pattern_succ_lt {e m : Nat} (he : e ≤ 253) (hm : m < 2 ^ 24) (h : e = 253 → m + 1 < 2 ^ 24) :
    2 ^ 23 * e + (m + 1) < 255 * 2 ^ 23 := by
  cases Nat.lt_or_ge e 253 with
  | inr g => exact pattern_lt he (h (Nat.le_antisymm he g))
  | inl g =>
    rw [infinity_split']
    refine lt_of_le_of_lt
      (Nat.add_le_add (Nat.mul_le_mul (Nat.le_refl (2 ^ 23)) (Nat.le_of_succ_le_succ g)) hm) ?_
    have l := Nat.add_le_add (Nat.le_refl (2 ^ 23 * 252 + 2 ^ 24)) (two_pow_pos 23)
    exact l

/-- One place is at most `2^-23` of the number, or one unit. -/
theorem place_small {n d e m : Nat} (low : e = 0 ∨ 2 ^ 23 ≤ m) (lower : d * (m * 2 ^ e) ≤ n) :
    2 ^ 23 * (d * 2 ^ e) ≤ n + 2 ^ 23 * d := by
  cases low with
  | inl z =>
    subst z
    have e1 : d * 2 ^ 0 = d := mul_one d
    rw [e1]; exact Nat.le_add_left _ n
  | inr big =>
    refine Nat.le_trans ?_ (Nat.le_add_right n _)
    rw [Nat.mul_left_comm]
    exact Nat.le_trans (Nat.mul_le_mul (Nat.le_refl d) (Nat.mul_le_mul big (Nat.le_refl _))) lower

/-- Rounding `n / d` units down. -/
theorem exists_below {n d : Nat} (hd : 0 < d) (h : n ≤ d * largest) :
    ∃ p, p < 255 * 2 ^ 23 ∧
      d * magnitude p ≤ n ∧
      2 ^ 23 * n ≤ 2 ^ 23 * (d * magnitude p) + (n + 2 ^ 23 * d) := by
  obtain ⟨hm, low, lower, upper⟩ := floor_spec n hd rfl rfl
  have he := place_le hd low lower h
  generalize placeOf (n / d) = e at *
  generalize n / (d * 2 ^ e) = m at *
  refine ⟨2 ^ 23 * e + m, pattern_lt he hm, ?_⟩
  rw [magnitude_grid (le_of_lt hm) low (Nat.succ_le_succ he)]
  refine ⟨lower, ?_⟩
  rw [Nat.succ_mul, Nat.mul_add] at upper
  refine Nat.le_trans (Nat.mul_le_mul (Nat.le_refl _) (le_of_lt upper)) ?_
  rw [Nat.mul_add]
  exact Nat.add_le_add (Nat.le_refl _) (place_small low lower)

/-- Rounding `n / d` units up. -/
theorem exists_above {n d : Nat} (hd : 0 < d) (h : n ≤ d * largest) :
    ∃ p, p < 255 * 2 ^ 23 ∧
      n ≤ d * magnitude p ∧
      2 ^ 23 * (d * magnitude p) ≤ 2 ^ 23 * n + (n + 2 ^ 23 * d) := by
  obtain ⟨hm, low, lower, upper⟩ := floor_spec n hd rfl rfl
  have he := place_le hd low lower h
  generalize placeOf (n / d) = e at *
  generalize n / (d * 2 ^ e) = m at *
  cases Nat.lt_or_ge (d * (m * 2 ^ e)) n with
  | inr exactly =>
    have exactly := Nat.le_antisymm lower exactly
    refine ⟨2 ^ 23 * e + m, pattern_lt he hm, ?_⟩
    rw [magnitude_grid (le_of_lt hm) low (Nat.succ_le_succ he), exactly]
    exact ⟨Nat.le_refl n, Nat.le_add_right _ _⟩
  | inl strictly =>
    refine ⟨2 ^ 23 * e + (m + 1), pattern_succ_lt he hm ?_, ?_⟩
    · intro z
      cases Nat.lt_or_ge (m + 1) (2 ^ 24) with
      | inl l => exact l
      | inr g =>
        have top : d * largest ≤ d * (m * 2 ^ e) := by
          rw [z]
          refine Nat.mul_le_mul (Nat.le_refl d) (Nat.mul_le_mul ?_ (Nat.le_refl _))
          rw [← mask_24] at g
          exact Nat.le_of_succ_le_succ g
        exact absurd (lt_of_lt_of_le strictly h) (Nat.not_lt_of_le top)
    · rw [magnitude_grid hm (low.elim Or.inl fun g => Or.inr (Nat.le_trans g (Nat.le_add_right m 1)))
          (Nat.succ_le_succ he)]
      refine ⟨le_of_lt upper, ?_⟩
      have e1 : d * ((m + 1) * 2 ^ e) = d * (m * 2 ^ e) + d * 2 ^ e := by rw [Nat.succ_mul, Nat.mul_add]
      rw [e1, Nat.mul_add]
      exact Nat.add_le_add (Nat.mul_le_mul (Nat.le_refl _) lower) (place_small low lower)

/-! ### In an ordered ring -/
variable {K : Type u} [OrderedRing K]

theorem scaled_positive {p : Nat} (h : p < 255 * 2 ^ 23) :
    (scaled p : K) = natural (magnitude p) ∧ exponent p < 255 := by
  have l : p < 2 ^ 31 := lt_of_lt_of_le h (by decide)
  refine ⟨?_, exponent_finite h⟩
  unfold scaled
  rw [(magnitude_negative l).2.2.2]

theorem scaled_negative {p : Nat} (h : p < 255 * 2 ^ 23) :
    (scaled (2 ^ 31 + p) : K) = -natural (magnitude p) ∧ exponent (2 ^ 31 + p) < 255 := by
  have l : p < 2 ^ 31 := lt_of_lt_of_le h (by decide)
  obtain ⟨hm, he, hs, _⟩ := magnitude_negative l
  refine ⟨?_, by rw [he]; exact exponent_finite h⟩
  unfold scaled
  rw [hs, hm]

theorem negative_lt {p : Nat} (h : p < 255 * 2 ^ 23) : 2 ^ 31 + p < 2 ^ 32 := by
  rw [show 2 ^ 32 = 2 ^ 31 + 2 ^ 31 from by decide +kernel]
  exact Nat.add_le_add (Nat.le_refl _) (Nat.le_trans h (by decide))

theorem natural_difference {a b n : Nat} (h : a = b + n) : (natural a - natural b : K) = natural n := by
  rw [h, natural_add]
  exact (ring2 K x y, x + y - x, y) _ _

/-- For the number `(a - b) / d` of units there is a finite binary32 number `w` with
    `w ≤ (a - b) / d` and `(a - b) / d - w ≤ 2^-23 |(a - b) / d| + 1`. (`s` stands for `|a - b|`.) -/
theorem exists_scaled_below (K : Type u) [OrderedRing K] {d a b : Nat} (hd : 0 < d) (ha : a ≤ b + d * largest)
    (hb : b ≤ a + d * largest) :
    ∃ w, (exponent w < 255 ∧ w < 2 ^ 32) ∧
      natural d * (scaled w : K) + natural b ≤ natural a ∧
      ∀ s : K, AtMost (natural a - natural b) s →
        natural (2 ^ 23) * (natural a - natural b - natural d * scaled w) ≤ s + natural (2 ^ 23 * d) := by
  cases Nat.le_total b a with
  | inl h =>
    obtain ⟨n, rfl⟩ := Nat.exists_of_le h
    have hn : n ≤ d * largest := by
      rw [Nat.add_comm b, Nat.add_comm b] at ha
      exact Nat.le_of_add_le_add_right b ha
    obtain ⟨p, hp, lower, near⟩ := exists_below hd hn
    obtain ⟨hs, he⟩ := scaled_positive (K := K) hp
    refine ⟨p, ⟨he, lt_of_lt_of_le hp (by decide)⟩, ?_, fun s hs' => ?_⟩
    · rw [hs, ← natural_mul, ← natural_add, Nat.add_comm]
      exact natural_le (Nat.add_le_add (Nat.le_refl b) lower)
    · rw [natural_difference rfl] at hs' ⊢
      rw [hs, ← natural_mul]
      have near := natural_le (K := K) near
      rw [natural_add, natural_add, natural_mul _ n, natural_mul _ (d * magnitude p)] at near
      generalize (natural (2 ^ 23 * d) : K) = u at *
      generalize (natural (d * magnitude p) : K) = v at *
      generalize (natural (2 ^ 23) : K) = t at *
      refine OrderedRing.le_trans ?_ (OrderedRing.add_le u hs'.1)
      exact le_cert ((ring4 K t n v u, n + u - t * (n - v), t * v + (n + u) - t * n) t (natural n) v u)
        (sub_nonneg near)
  | inr h =>
    obtain ⟨n, rfl⟩ := Nat.exists_of_le h
    have hn : n ≤ d * largest := by
      rw [Nat.add_comm a, Nat.add_comm a] at hb
      exact Nat.le_of_add_le_add_right a hb
    obtain ⟨p, hp, upper, near⟩ := exists_above hd hn
    obtain ⟨hs, he⟩ := scaled_negative (K := K) hp
    have e : (natural a - natural (a + n) : K) = -natural n := by
      rw [natural_add]; exact (ring2 K x y, x - (x + y), -y) _ _
    refine ⟨2 ^ 31 + p, ⟨he, negative_lt hp⟩, ?_, fun s hs' => ?_⟩
    · have upper := natural_le (K := K) upper
      rw [natural_mul] at upper
      rw [hs, natural_add]
      generalize (natural (magnitude p) : K) = v at *
      exact le_cert
        ((ring4 K d v a n, a - (d * -v + (a + n)), d * v - n) (natural d) v (natural a) (natural n))
        (sub_nonneg upper)
    · rw [e] at hs' ⊢
      rw [hs]
      have near := natural_le (K := K) near
      rw [natural_add, natural_add, natural_mul _ n, natural_mul _ (d * magnitude p),
          natural_mul d (magnitude p)] at near
      have bound := hs'.2
      rw [OrderedRing.neg_neg] at bound
      generalize (natural (2 ^ 23 * d) : K) = u at *
      generalize (natural (magnitude p) : K) = v at *
      generalize (natural (2 ^ 23) : K) = t at *
      refine OrderedRing.le_trans ?_ (OrderedRing.add_le u bound)
      exact le_cert ((ring5 K t n v u d, n + u - t * (-n - d * -v), t * n + (n + u) - t * (d * v)) t
          (natural n) v u (natural d)) (sub_nonneg near)

theorem atMost_negated {x s : K} (h : AtMost x s) : AtMost (-x) s :=
  ⟨h.2, by rw [OrderedRing.neg_neg]; exact h.1⟩

/-- Every finite pattern of 32 bits is that of a magnitude, or `2^31` more. -/
theorem finite_cases {w : Nat} (h : exponent w < 255) (hw : w < 2 ^ 32) :
    ∃ p, p < 255 * 2 ^ 23 ∧ (w = p ∨ w = 2 ^ 31 + p) := by
  cases Nat.lt_or_ge w (2 ^ 31) with
  | inl l => exact ⟨w, below l h, Or.inl rfl⟩
  | inr g =>
    obtain ⟨p, rfl⟩ := Nat.exists_of_le g
    have l : p < 2 ^ 31 := by
      refine Nat.lt_of_not_le fun g => Nat.not_le_of_lt hw ?_
      rw [show 2 ^ 32 = 2 ^ 31 + 2 ^ 31 from by decide +kernel]
      exact Nat.add_le_add (Nat.le_refl _) g
    rw [(magnitude_negative l).2.1] at h
    exact ⟨p, below l h, Or.inr rfl⟩
where
  below {p : Nat} (l : p < 2 ^ 31) (h : exponent p < 255) : p < 255 * 2 ^ 23 := by
    obtain ⟨q, f, rfl, hf⟩ := euclid (two_pow_pos 23) p
    have hq : q < 2 ^ 8 := by
      refine lt_of_mul_lt_mul_left (c := 2 ^ 23) (lt_of_le_of_lt (Nat.le_add_left _ f) ?_)
      rw [← Natural.pow_add]; exact l
    rw [(fields hf hq).1] at h
    rw [Nat.mul_comm 255]
    exact add_mul_lt hf h

/-- Flipping the sign of a finite number. -/
theorem exists_negated (K : Type u) [OrderedRing K] {w : Nat} (h : exponent w < 255) (hw : w < 2 ^ 32) :
    ∃ w', (exponent w' < 255 ∧ w' < 2 ^ 32) ∧ (scaled w' : K) = -scaled w := by
  obtain ⟨p, hp, e⟩ := finite_cases h hw
  obtain ⟨h1, f1⟩ := scaled_positive (K := K) hp
  obtain ⟨h2, f2⟩ := scaled_negative (K := K) hp
  cases e with
  | inl e => subst e; exact ⟨2 ^ 31 + w, ⟨f2, negative_lt hp⟩, by rw [h1, h2]⟩
  | inr e => subst e; exact ⟨p, ⟨f1, lt_of_lt_of_le hp (by decide)⟩, by rw [h1, h2, OrderedRing.neg_neg]⟩

/-- For the number `(a - b) / d` of units there is a finite binary32 number `w` with
    `(a - b) / d ≤ w` and `w - (a - b) / d ≤ 2^-23 |(a - b) / d| + 1`. (`s` stands for `|a - b|`.) -/
theorem exists_scaled_above (K : Type u) [OrderedRing K] {d a b : Nat} (hd : 0 < d) (ha : a ≤ b + d * largest)
    (hb : b ≤ a + d * largest) :
    ∃ w, (exponent w < 255 ∧ w < 2 ^ 32) ∧
      natural a ≤ natural d * (scaled w : K) + natural b ∧
      ∀ s : K, AtMost (natural a - natural b) s →
        natural (2 ^ 23) * (natural d * scaled w - (natural a - natural b)) ≤ s + natural (2 ^ 23 * d) := by
  obtain ⟨v, ⟨hv, hv'⟩, lower, near⟩ := exists_scaled_below K hd hb ha
  obtain ⟨w, hw, e⟩ := exists_negated K hv hv'
  refine ⟨w, hw, ?_, fun s hs => ?_⟩
  · rw [e]
    generalize (scaled v : K) = y at *
    exact le_cert ((ring4 K d y a b, d * -y + b - a, b - (d * y + a)) (natural d) y (natural a) (natural b))
      (sub_nonneg lower)
  · have swapped : (natural b - natural a : K) = -(natural a - natural b) :=
      (ring2 K x y, y - x, -(x - y)) _ _
    have g := near s (by rw [swapped]; exact atMost_negated hs)
    rw [e]
    generalize (natural (2 ^ 23 * d) : K) = u at *
    generalize (scaled v : K) = y at *
    generalize (natural (2 ^ 23) : K) = t at *
    refine OrderedRing.le_trans (OrderedRing.le_of_eq ?_) g
    exact (ring5 K t d y a b, t * (d * -y - (a - b)), t * (b - a - d * y)) _ _ _ _ _

end Binary32
end PytestTorchLean
