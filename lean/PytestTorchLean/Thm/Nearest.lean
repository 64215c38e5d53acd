prelude
import PytestTorchLean.Thm.Hull
/-!
# `roundMagnitude` rounds correctly

The midpoints between a pattern and all others decide (`Midpoints`): this is what the computation
establishes, and from it follow nearness, monotonicity and uniqueness.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Binary32
open Natural

/-! ### Patterns are in the order of their magnitudes -/

/-- Every finite pattern and its successor on the grid. -/
theorem grid_cases {p : Nat} (h : p < infinity) :
    ∃ e m, p = 2 ^ 23 * e + m ∧ m < 2 ^ 24 ∧ (e = 0 ∨ 2 ^ 23 ≤ m) ∧ e < 254 := by
  obtain ⟨q, f, rfl, hf⟩ := euclid (two_pow_pos 23) p
  have hq : q < 255 := by
    refine lt_of_mul_lt_mul_left (c := 2 ^ 23) (lt_of_le_of_lt (Nat.le_add_left _ f) ?_)
    rw [Nat.mul_comm (2 ^ 23) 255]; exact h
  cases q with
  | zero => exact ⟨0, f, Nat.add_comm _ _, lt_of_lt_of_le hf (two_pow_le (by decide)), Or.inl rfl, by decide⟩
  | succ e =>
    refine
      ⟨e, 2 ^ 23 + f, (next_digit _ e f).symm, ?_, Or.inr (Nat.le_add_right _ _), Nat.le_of_succ_le_succ hq⟩
    rw [two_halves]
    exact Nat.add_le_add (Nat.le_refl (2 ^ 23)) hf

theorem magnitude_step {p : Nat} (h : p < infinity) : magnitude p < magnitude (p + 1) := by
  obtain ⟨e, m, rfl, hm, low, he⟩ := grid_cases h
  rw [magnitude_grid (le_of_lt hm) low he]
  rw [Nat.add_assoc, magnitude_grid hm (low.elim Or.inl fun g => Or.inr (Nat.le.step g)) he, Nat.succ_mul]
  exact Nat.add_le_add (Nat.le_refl (m * 2 ^ e)) (two_pow_pos e)

/-- A larger pattern is a larger number. -/
theorem magnitude_lt {p q : Nat} (h : p < q) (hq : q ≤ infinity) : magnitude p < magnitude q := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le h
  clear h
  induction k with
  | zero => exact magnitude_step hq
  | succ k ih =>
    exact Nat.lt_of_lt_of_le (ih (Nat.le_trans (Nat.le.step (Nat.le_refl _)) hq))
      (le_of_lt (magnitude_step hq))

theorem magnitude_le {p q : Nat} (h : p ≤ q) (hq : q ≤ infinity) : magnitude p ≤ magnitude q := by
  cases h with
  | refl => exact Nat.le_refl _
  | step h => exact le_of_lt (magnitude_lt (Nat.succ_le_succ h) hq)

/-! ### Midpoints -/

/-- `n / d` is not beyond the midpoint of `p` and any other pattern up to infinity, and on it only if `p` is
    even. -/
structure Midpoints (n d p : Nat) : Prop where
  bounded : p ≤ infinity
  below : ∀ q,
    q < p → d * (magnitude q + magnitude p) ≤ 2 * n ∧ (d * (magnitude q + magnitude p) = 2 * n → p % 2 = 0)
  above : ∀ q, p < q → q ≤ infinity →
    2 * n ≤ d * (magnitude p + magnitude q) ∧ (2 * n = d * (magnitude p + magnitude q) → p % 2 = 0)

/-- Monotonicity: a number that is not larger is not rounded to a larger pattern. -/
theorem Midpoints.le {n d p n' d' p' : Nat} (hd : 0 < d) (hd' : 0 < d') (h : Midpoints n d p)
    (h' : Midpoints n' d' p') (le : n * d' ≤ n' * d) :
    p ≤ p' := by
  refine (Nat.lt_or_ge p' p).elim (fun l => ?_) id
  obtain ⟨a1, a2⟩ := h.below p' l
  obtain ⟨b1, b2⟩ := h'.above p l h.bounded
  have chain : d * d' * (magnitude p' + magnitude p) = 2 * n * d' := by
    refine Nat.le_antisymm ?_ ?_
    · rw [Nat.mul_comm d, Nat.mul_assoc, Nat.mul_comm (2 * n)]
      exact Nat.mul_le_mul (Nat.le_refl d') a1
    · refine Nat.le_trans (m := d * (2 * n')) ?_ ?_
      · rw [Nat.mul_assoc, Nat.mul_left_comm d, Nat.mul_comm d]
        exact Nat.mul_le_mul (Nat.le_refl 2) le
      · rw [Nat.mul_assoc]
        exact Nat.mul_le_mul (Nat.le_refl d) b1
  have e : d * (magnitude p' + magnitude p) = 2 * n := by
    refine cancel hd' ?_
    rw [← Nat.mul_assoc, Nat.mul_comm d', chain, Nat.mul_comm]
  have e' : 2 * n' = d' * (magnitude p' + magnitude p) := by
    refine Nat.le_antisymm b1 ?_
    refine Nat.le_of_succ_le_succ (lt_of_mul_lt_mul_left (c := d) ?_)
    refine lt_of_le_of_lt (b := d * (2 * n')) ?_ (mul_lt_mul_left hd (Nat.le_refl _))
    rw [← Nat.mul_assoc, chain, Nat.mul_assoc, Nat.mul_left_comm d, Nat.mul_comm d]
    exact Nat.mul_le_mul (Nat.le_refl 2) le
  have between : p' + 1 < p := Nat.lt_of_not_le fun g => by
    have same : p = p' + 1 := Nat.le_antisymm g l
    have even := a2 e
    rw [same] at even
    exact odd_even (b2 e') even
  have strict : d * (magnitude p' + magnitude p) < d * (magnitude (p' + 1) + magnitude p) :=
    mul_lt_mul_left hd (add_lt (magnitude_step (lt_of_lt_of_le l h.bounded)))
  rw [e] at strict
  exact absurd (h.below (p' + 1) between).1 (Nat.not_le_of_lt strict)
where
  cancel {c a b : Nat} (hc : 0 < c) (h : c * a = c * b) : a = b :=
    Nat.le_antisymm (cancel_le hc (Natural.le_of_eq h)) (cancel_le hc (Natural.le_of_eq h.symm))
  cancel_le {c a b : Nat} (hc : 0 < c) (h : c * a ≤ c * b) : a ≤ b :=
    Nat.le_of_succ_le_succ
      (lt_of_mul_lt_mul_left (c := c) (lt_of_le_of_lt h (mul_lt_mul_left hc (Nat.le_refl _))))
  add_lt {a b c : Nat} (h : a < b) : a + c < b + c := by
    show a + c + 1 ≤ b + c
    rw [Nat.add_assoc, Nat.add_comm c, ← Nat.add_assoc]
    exact Nat.add_le_add h (Nat.le_refl c)
  odd_even {k : Nat} (h : k % 2 = 0) (g : (k + 1) % 2 = 0) : False := by
    obtain ⟨q, r, rfl, hr⟩ := euclid (B := 2) (by decide) k
    rw [add_mul_mod q hr] at h
    subst h
    rw [Natural.add_right_comm, add_mul_mod q (by decide)] at g
    cases g

theorem Midpoints.unique {n d p p' : Nat} (hd : 0 < d) (h : Midpoints n d p) (h' : Midpoints n d p') :
    p = p' :=
  Nat.le_antisymm (h.le hd hd h' (Nat.le_refl _)) (h'.le hd hd h (Nat.le_refl _))

/-- The number just below is right when the remainder is at most half a place. -/
theorem midpoints_down {n d e m r : Nat}
    (hd : 0 < d)
    (he : e < 254)
    (hm : m < 2 ^ 24)
    (low : e = 0 ∨ 2 ^ 23 ≤ m)
    (hn : n = d * (m * 2 ^ e) + r)
    (half : 2 * r ≤ d * 2 ^ e)
    (tie : 2 * r = d * 2 ^ e → m % 2 = 0) :
    Midpoints n d (2 ^ 23 * e + m) := by
  have here := magnitude_grid (le_of_lt hm) low he
  have next := magnitude_grid (m := m + 1) hm (low.elim Or.inl fun g => Or.inr (Nat.le.step g)) he
  have bounded : 2 ^ 23 * e + m < infinity := pattern_lt (Nat.le_of_succ_le_succ he) hm
  have even : m % 2 = 0 → (2 ^ 23 * e + m) % 2 = 0 := fun h => by rw [pattern_parity]; exact h
  have twice : 2 * n = d * (m * 2 ^ e) + d * (m * 2 ^ e) + 2 * r := by rw [hn, Nat.mul_add, two_mul (d * _)]
  have middle : d * (m * 2 ^ e + (m + 1) * 2 ^ e) = d * (m * 2 ^ e) + d * (m * 2 ^ e) + d * 2 ^ e := by
    rw [Nat.succ_mul, Nat.mul_add, Nat.mul_add, Nat.add_assoc]
  refine ⟨le_of_lt bounded, fun q hq => ?_, fun q hq hi => ?_⟩
  · have l := magnitude_lt hq (le_of_lt bounded)
    rw [here] at l ⊢
    have strict : d * (magnitude q + m * 2 ^ e) < 2 * n := by
      rw [twice, Nat.mul_add]
      refine lt_of_lt_of_le ?_ (Nat.le_add_right _ _)
      exact Midpoints.le.add_lt (mul_lt_mul_left hd l)
    exact ⟨le_of_lt strict, fun g => absurd (Natural.le_of_eq g.symm) (Nat.not_le_of_lt strict)⟩
  · have l : magnitude (2 ^ 23 * e + (m + 1)) ≤ magnitude q := magnitude_le hq hi
    rw [next] at l
    rw [here]
    have up : d * (m * 2 ^ e + (m + 1) * 2 ^ e) ≤ d * (m * 2 ^ e + magnitude q) :=
      Nat.mul_le_mul (Nat.le_refl d) (Nat.add_le_add (Nat.le_refl _) l)
    have low : 2 * n ≤ d * (m * 2 ^ e + (m + 1) * 2 ^ e) := by
      rw [middle, twice]; exact Nat.add_le_add (Nat.le_refl _) half
    refine ⟨Nat.le_trans low up, fun g => even (tie ?_)⟩
    rw [← g] at up
    have exactly := Nat.le_antisymm low up
    rw [middle, twice] at exactly
    exact Nat.add_left_cancel _ exactly
where
  pattern_parity {e m : Nat} : (2 ^ 23 * e + m) % 2 = m % 2 := by
    obtain ⟨q, r, rfl, hr⟩ := euclid (B := 2) (by decide) m
    have e1 : 2 ^ 23 * e + (r + 2 * q) = r + 2 * (2 ^ 22 * e + q) := by
      rw [Nat.mul_add, ← Nat.mul_assoc, ← Natural.pow_succ, Nat.add_left_comm]
    rw [e1, add_mul_mod _ hr, add_mul_mod _ hr]

/-- The number just above is right when the remainder is at least half a place. -/
theorem midpoints_up {n d e m r : Nat}
    (hd : 0 < d)
    (he : e < 254)
    (hm : m < 2 ^ 24)
    (low : e = 0 ∨ 2 ^ 23 ≤ m)
    (hn : n = d * (m * 2 ^ e) + r)
    (lt : r < d * 2 ^ e)
    (half : d * 2 ^ e ≤ 2 * r)
    (tie : d * 2 ^ e = 2 * r → m % 2 = 1) :
    Midpoints n d (2 ^ 23 * e + m + 1) := by
  have here := magnitude_grid (le_of_lt hm) low he
  have next := magnitude_grid (m := m + 1) hm (low.elim Or.inl fun g => Or.inr (Nat.le.step g)) he
  have bounded : 2 ^ 23 * e + m < infinity := pattern_lt (Nat.le_of_succ_le_succ he) hm
  have twice : 2 * n = d * (m * 2 ^ e) + d * (m * 2 ^ e) + 2 * r := by rw [hn, Nat.mul_add, two_mul (d * _)]
  have middle : d * (m * 2 ^ e + (m + 1) * 2 ^ e) = d * (m * 2 ^ e) + d * (m * 2 ^ e) + d * 2 ^ e := by
    rw [Nat.succ_mul, Nat.mul_add, Nat.mul_add, Nat.add_assoc]
  refine ⟨bounded, fun q hq => ?_, fun q hq hi => ?_⟩
  · have l := magnitude_le (Nat.le_of_succ_le_succ hq) (le_of_lt bounded)
    rw [here] at l
    rw [Nat.add_assoc, next]
    have down : d * (magnitude q + (m + 1) * 2 ^ e) ≤ d * (m * 2 ^ e + (m + 1) * 2 ^ e) :=
      Nat.mul_le_mul (Nat.le_refl d) (Nat.add_le_add l (Nat.le_refl _))
    have up : d * (m * 2 ^ e + (m + 1) * 2 ^ e) ≤ 2 * n := by
      rw [middle, twice]; exact Nat.add_le_add (Nat.le_refl _) half
    refine ⟨Nat.le_trans down up, fun g => ?_⟩
    rw [g] at down
    have exactly := Nat.le_antisymm up down
    rw [middle, twice] at exactly
    exact odd_succ (midpoints_down.pattern_parity.trans (tie (Nat.add_left_cancel _ exactly)))
  · have l := magnitude_lt hq hi
    rw [Nat.add_assoc, next] at l ⊢
    have strict : 2 * n < d * ((m + 1) * 2 ^ e + magnitude q) := by
      have inside : n < d * ((m + 1) * 2 ^ e) := by
        rw [hn, Nat.succ_mul, Nat.mul_add]; exact Nat.add_le_add (Nat.le_refl (d * (m * 2 ^ e))) lt
      rw [two_mul, Nat.mul_add]
      refine lt_of_lt_of_le (Midpoints.le.add_lt inside) (Nat.add_le_add (Nat.le_refl _) ?_)
      exact Nat.le_trans (le_of_lt inside) (Nat.mul_le_mul (Nat.le_refl d) (le_of_lt l))
    exact ⟨le_of_lt strict, fun g => absurd (Natural.le_of_eq g.symm) (Nat.not_le_of_lt strict)⟩
where
  odd_succ {k : Nat} (h : k % 2 = 1) : (k + 1) % 2 = 0 := by
    obtain ⟨q, r, rfl, hr⟩ := euclid (B := 2) (by decide) k
    rw [add_mul_mod q hr] at h
    subst h
    have e1 : 1 + 2 * q + 1 = 0 + 2 * (q + 1) := by
      rw [Nat.mul_succ, Nat.add_comm 1, Nat.add_assoc, Nat.zero_add]
    rw [e1, add_mul_mod _ (by decide)]

theorem huge_place {e m : Nat} (he : 254 ≤ e) (hm : 2 ^ 23 ≤ m) : infinity ≤ 2 ^ 23 * e + m := by
  have g := Nat.add_le_add (Nat.mul_le_mul (Nat.le_refl (2 ^ 23)) he) hm
  exact Nat.le_trans (Natural.le_of_eq infinity_last) g
where
  infinity_last : infinity = 2 ^ 23 * 254 + 2 ^ 23 := by decide +kernel

theorem min_right {a b : Nat} (h : b ≤ a) : Min.min a b = b := by
  show cond (Nat.ble a b) a b = b
  cases g : Nat.ble a b with
  | false => rfl
  | true => exact Nat.le_antisymm (Nat.le_of_ble_eq_true g) h
theorem min_left {a b : Nat} (h : a ≤ b) : Min.min a b = a := by
  show cond (Nat.ble a b) a b = a
  rw [Nat.ble_eq_true_of_le h]; rfl

theorem infinity_midpoints {n d : Nat} (hd : 0 < d) (h : d * overflowThreshold ≤ n) :
    Midpoints n d infinity := by
  refine ⟨Nat.le_refl _, fun q hq => ?_, fun q hq hi => absurd hq (Nat.not_lt_of_le hi)⟩
  have g : magnitude q ≤ largest := by
    have l := magnitude_le (p := q) (q := 255 * 2 ^ 23 - 1)
      (Nat.le_of_succ_le_succ (Nat.le_trans hq (Natural.le_of_eq last))) (Nat.sub_le _ _)
    rw [largest_pattern] at l; exact l
  refine ⟨?_, fun _ => infinity_even⟩
  refine Nat.le_trans (Nat.mul_le_mul (Nat.le_refl d) (Nat.add_le_add g (Nat.le_refl _))) ?_
  rw [infinity_magnitude, Nat.mul_left_comm]
  exact Nat.mul_le_mul (Nat.le_refl 2) h
where
  last : infinity = 255 * 2 ^ 23 - 1 + 1 := by decide +kernel
  largest_pattern : magnitude (255 * 2 ^ 23 - 1) = largest := by decide +kernel
  infinity_magnitude : largest + magnitude infinity = 2 * overflowThreshold := by decide +kernel
  infinity_even : infinity % 2 = 0 := by decide +kernel

/-- What the computation establishes. -/
theorem roundMagnitude_midpoints (n : Nat) {d : Nat} (hd : 0 < d) : Midpoints n d (roundMagnitude n d) := by
  obtain ⟨hm, low, lower, upper⟩ := floor_spec n hd rfl rfl
  show Midpoints n d (Min.min infinity (cond
    (Nat.ble (2 * (n % (d * 2 ^ placeOf (n / d))) + n / (d * 2 ^ placeOf (n / d)) % 2)
        (d * 2 ^ placeOf (n / d)))
    (2 ^ 23 * placeOf (n / d) + n / (d * 2 ^ placeOf (n / d)))
        (2 ^ 23 * placeOf (n / d) + n / (d * 2 ^ placeOf (n / d)) + 1)))
  have split := mod_add_div (Nat.mul_pos hd (two_pow_pos (placeOf (n / d)))) n
  have small := mod_lt (Nat.mul_pos hd (two_pow_pos (placeOf (n / d)))) n
  generalize placeOf (n / d) = e at *
  generalize n / (d * 2 ^ e) = m at *
  generalize n % (d * 2 ^ e) = r at *
  have hn : n = d * (m * 2 ^ e) + r := by rw [← split, Nat.add_comm r, Nat.mul_assoc, Nat.mul_comm (2 ^ e)]
  cases Nat.lt_or_ge e 254 with
  | inr large =>
    have big : 2 ^ 23 ≤ m := low.elim (fun z => absurd (z ▸ large) (by decide)) id
    have reach : ∀ b : Bool, infinity ≤ cond b (2 ^ 23 * e + m) (2 ^ 23 * e + m + 1) := fun b =>
      match b with
      | true => huge_place large big
      | false => Nat.le.step (huge_place large big)
    rw [min_left (reach _)]
    refine infinity_midpoints hd (Nat.le_trans (Nat.mul_le_mul (Nat.le_refl d) ?_) lower)
    exact Nat.le_trans threshold_le (Nat.mul_le_mul big (two_pow_le large))
  | inl he =>
    have bounded : 2 ^ 23 * e + m < infinity := pattern_lt (Nat.le_of_succ_le_succ he) hm
    cases h : Nat.ble (2 * r + m % 2) (d * 2 ^ e) with
    | true =>
      show Midpoints n d (Min.min infinity (2 ^ 23 * e + m))
      rw [min_right (le_of_lt bounded)]
      have h := Nat.le_of_ble_eq_true h
      refine midpoints_down hd he hm low hn (Nat.le_trans (Nat.le_add_right _ _) h) fun g => ?_
      rw [← g] at h
      exact eq_zero_of_le_zero
        (Nat.le_of_add_le_add_right (2 * r) (by rw [Nat.zero_add, Nat.add_comm]; exact h))
    | false =>
      show Midpoints n d (Min.min infinity (2 ^ 23 * e + m + 1))
      rw [min_right bounded]
      have h : d * 2 ^ e < 2 * r + m % 2 :=
        Nat.lt_of_not_le fun g => ne_true_of_eq_false h (Nat.ble_eq_true_of_le g)
      have parity := mod_lt (B := 2) (by decide) m
      refine midpoints_up hd he hm low hn small ?_ fun g => ?_
      · refine Nat.le_of_succ_le_succ (lt_of_lt_of_le h ?_)
        exact Nat.add_le_add (Nat.le_refl (2 * r)) (Nat.le_of_succ_le_succ parity)
      · rw [g] at h
        refine Nat.le_antisymm (Nat.le_of_succ_le_succ parity) ?_
        refine Nat.le_of_add_le_add_right (2 * r) ?_
        rw [Nat.add_comm 1, Nat.add_comm (m % 2)]; exact h
where
  threshold_le : overflowThreshold ≤ 2 ^ 23 * 2 ^ 254 := by decide +kernel

end Binary32
end PytestTorchLean
