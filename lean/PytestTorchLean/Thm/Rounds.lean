prelude
import PytestTorchLean.Thm.Rounding
/-!
# Correct rounding in an ordered ring

What `RoundsTo` implies for the ring elements that patterns denote: it is monotone, exact on binary32 numbers,
and within the error that the specification's `Rounds` allows.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace OrderedRing
variable {K : Type u} [OrderedRing K]

theorem le_of_natural_le {m n : Nat} (h : (natural m : K) ≤ natural n) : m ≤ n := by
  refine (Nat.lt_or_ge n m).elim (fun l => ?_) id
  obtain ⟨k, rfl⟩ := Nat.exists_of_le l
  refine absurd ?_ (one_not_le (K := K))
  rw [natural_add, natural_succ] at h
  exact le_cert ((ring3 K x y z, 0 - 1, x - (x + 1 + y) + y) (natural n) (natural k) 0)
    (add_nonneg (sub_nonneg h) (natural_nonneg k))

theorem natural_injective {m n : Nat} (h : (natural m : K) = natural n) : m = n :=
  Nat.le_antisymm (le_of_natural_le (OrderedRing.le_of_eq h)) (le_of_natural_le (OrderedRing.le_of_eq h.symm))

/-- Both sides of an inequality may be divided by a positive natural number. -/
theorem le_of_natural_mul_le {d : Nat} (hd : 0 < d) {a b : K} (h : natural d * a ≤ natural d * b) :
    a ≤ b := by
  cases le_total a b with
  | inl g => exact g
  | inr g =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le hd
    rw [natural_add] at h
    have p := mul_nonneg (natural_nonneg (K := K) k) (sub_nonneg g)
    have q := sub_nonneg h
    refine le_cert (s := (natural k * (a - b)) + ((natural 1 + natural k) * b - (natural 1 + natural k) * a))
      ?_ (add_nonneg p q)
    exact (ring3 K k a b, b - a, k * (a - b) + ((1 + k) * b - (1 + k) * a)) (natural k) a b

theorem eq_of_natural_mul_eq {d : Nat} (hd : 0 < d) {a b : K} (h : natural d * a = natural d * b) : a = b :=
  le_antisymm (le_of_natural_mul_le hd (OrderedRing.le_of_eq h))
    (le_of_natural_mul_le hd (OrderedRing.le_of_eq h.symm))

theorem neg_le_neg {a b : K} (h : a ≤ b) : -b ≤ -a :=
  le_cert ((ring2 K a b, -a - -b, b - a) a b) (sub_nonneg h)
theorem le_of_neg_le_neg {a b : K} (h : -b ≤ -a) : a ≤ b := by
  have g := neg_le_neg h
  rw [neg_neg, neg_neg] at g; exact g
end OrderedRing

namespace Binary32
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-! ### Signs -/

theorem sign_cases {P : Nat → Prop} (zero : P 0) (one : P 1) : (s : Nat) → s ≤ 1 → P s
  | 0, _ => zero
  | 1, _ => one
  | _ + 2, h => absurd (Nat.le_of_succ_le_succ h) (Nat.not_succ_le_zero _)

theorem sign_le (w : Nat) : sign w ≤ 1 := Nat.le_of_succ_le_succ (Natural.mod_lt (by decide) _)

theorem scaled_eq_signed (w : Nat) : (scaled w : K) = signed (sign w) (magnitude w) := by
  unfold scaled signed
  cases sign w <;> rfl

theorem signed_zero (n : Nat) : (signed 0 n : K) = natural n := rfl
theorem signed_one (n : Nat) : (signed 1 n : K) = -natural n := rfl

/-- The pattern of a sign and a finite magnitude. -/
theorem scaled_pattern {s p : Nat} (hs : s ≤ 1) (hp : p < infinity) :
    (scaled (2 ^ 31 * s + p) : K) = signed s (magnitude p) := by
  refine sign_cases (P := fun s => (scaled (2 ^ 31 * s + p) : K) = signed s (magnitude p)) ?_ ?_ s hs
  · rw [Nat.mul_zero, Nat.zero_add]; exact (scaled_positive hp).1
  · rw [Nat.mul_one]; exact (scaled_negative hp).1

theorem pattern_finite {s p : Nat} (hs : s ≤ 1) (hp : p ≤ infinity) :
    exponent (2 ^ 31 * s + p) < 255 ↔ p < infinity := by
  have l : p < 2 ^ 31 := Nat.lt_of_le_of_lt hp (by decide +kernel)
  have e : exponent (2 ^ 31 * s + p) = exponent p := by
    refine sign_cases (P := fun s => exponent (2 ^ 31 * s + p) = exponent p) ?_ ?_ s hs
    · rw [Nat.mul_zero, Nat.zero_add]
    · rw [Nat.mul_one]; exact (magnitude_negative l).2.1
  rw [e]
  refine ⟨fun h => finite_cases.below l h, fun h => exponent_finite h⟩

theorem RoundsMagnitude.bounded {n d p : Nat} (h : RoundsMagnitude n d p) : p ≤ infinity :=
  h.elim (fun g => Nat.le_of_lt g.2.1) fun g => Natural.le_of_eq g.2

/-! ### `round` computes what `RoundsTo` says -/

theorem round_rounds (K : Type u) [OrderedRing K] {s n d : Nat} (hs : s ≤ 1) (hd : 0 < d) :
    RoundsTo (signed s n : K) d (round s n d) :=
  ⟨s, n, roundMagnitude n d, hs, rfl, roundMagnitude_rounds n hd, rfl⟩

theorem rounds_neg {v r : K} (h : Rounds v r) : Rounds (-v) (-r) := by
  intro a ha
  have g := h a (by have m := atMost_negated ha; rw [OrderedRing.neg_neg] at m; exact m)
  have e : natural (2 ^ 24) * (-r - -v) = -(natural (2 ^ 24) * (r - v)) :=
    (ring3 K t r v, t * (-r - -v), -(t * (r - v))) _ _ _
  rw [e]; exact atMost_negated g

theorem atMost_wider {y x b : K} (h : AtMost y x) (g : x ≤ b) : AtMost y b :=
  ⟨OrderedRing.le_trans h.1 g, OrderedRing.le_trans h.2 g⟩

/-- The error of a rounded magnitude, for the ring element `v = n / d`. -/
theorem rounds_magnitude {n d p : Nat} (hd : 0 < d) (h : RoundsMagnitude n d p) (finite : p < infinity)
    {v : K} (hv : natural d * v = natural n) :
    Rounds v (natural (magnitude p)) := by
  rw [h.eq hd] at finite ⊢
  obtain ⟨lower, upper⟩ := roundMagnitude_error hd finite
  intro a ha
  have lower := natural_le (K := K) lower
  have upper := natural_le (K := K) upper
  rw [natural_add, natural_add, natural_mul _ n, natural_mul (2 ^ 24) (d * _), natural_mul d (magnitude _),
    natural_mul (2 ^ 23) d, ← hv] at lower upper
  refine atMost_wider (x := v + natural (2 ^ 23)) ⟨?_, ?_⟩ (OrderedRing.add_le _ ha.1)
  · refine le_of_natural_mul_le hd ?_
    generalize (natural (magnitude (roundMagnitude n d)) : K) = r at *
    generalize (natural (2 ^ 24) : K) = t at *
    exact le_cert ((ring5 K d v r t u, d * (v + u) - d * (t * (r - v)),
          t * (d * v) + (d * v + u * d) - t * (d * r)) (natural d) v r t (natural (2 ^ 23)))
      (sub_nonneg upper)
  · refine le_of_natural_mul_le hd ?_
    generalize (natural (magnitude (roundMagnitude n d)) : K) = r at *
    generalize (natural (2 ^ 24) : K) = t at *
    exact le_cert ((ring5 K d v r t u, d * (v + u) - d * -(t * (r - v)),
          t * (d * r) + (d * v + u * d) - t * (d * v)) (natural d) v r t (natural (2 ^ 23)))
      (sub_nonneg lower)

/-- **The error of correct rounding** is what the specification's any-order executions allow:
    for `t = v / d` with a finite result `w`, `2^24 |w - t| ≤ |t| + 2^23` in units of `2^-149`. -/
theorem RoundsTo.rounds {v t : K} {d w : Nat} (hd : 0 < d) (h : RoundsTo v d w) (finite : exponent w < 255)
    (ht : natural d * t = v) : Rounds t (scaled w) := by
  obtain ⟨s, n, p, hs, rfl, hp, rfl⟩ := h
  have pf := (pattern_finite hs hp.bounded).1 finite
  rw [scaled_pattern hs pf]
  cases s with
  | zero => exact rounds_magnitude hd hp pf ht
  | succ s =>
    have e : natural d * -t = natural n := by
      have ht : natural d * t = -natural n := ht
      rw [OrderedRing.mul_neg, ht, OrderedRing.neg_neg]
    have g := rounds_neg (rounds_magnitude hd hp pf e)
    rw [OrderedRing.neg_neg] at g; exact g

/-- **Monotone**: if `v / d ≤ v' / d'` then so for what they are rounded to. -/
theorem RoundsTo.monotone {v v' : K} {d d' w w' : Nat}
    (hd : 0 < d)
    (hd' : 0 < d')
    (h : RoundsTo v d w) (h' : RoundsTo v' d' w')
    (finite : exponent w < 255)
    (finite' : exponent w' < 255)
    (le : natural d' * v ≤ natural d * v') :
    (scaled w : K) ≤ scaled w' := by
  obtain ⟨s, n, p, hs, rfl, hp, rfl⟩ := h
  obtain ⟨s', n', p', hs', rfl, hp', rfl⟩ := h'
  have pf := (pattern_finite hs hp.bounded).1 finite
  have pf' := (pattern_finite hs' hp'.bounded).1 finite'
  rw [scaled_pattern hs pf, scaled_pattern hs' pf']
  have up : n * d' ≤ n' * d → magnitude p ≤ magnitude p' := fun g => by
    rw [hp.eq hd]; rw [hp'.eq hd'] at pf' ⊢
    exact magnitude_le (roundMagnitude_monotone hd hd' g) (Nat.le_of_lt pf')
  have down : n' * d ≤ n * d' → magnitude p' ≤ magnitude p := fun g => by
    rw [hp'.eq hd']; rw [hp.eq hd] at pf ⊢
    exact magnitude_le (roundMagnitude_monotone hd' hd g) (Nat.le_of_lt pf)
  have zero : n = 0 → magnitude p = 0 := fun z => by rw [hp.eq hd, z]; exact round_zero hd
  have zero' : n' = 0 → magnitude p' = 0 := fun z => by rw [hp'.eq hd', z]; exact round_zero hd'
  clear hp hp' pf pf' finite finite'
  generalize magnitude p = a at *
  generalize magnitude p' = a' at *
  rw [Nat.mul_comm n, Nat.mul_comm n'] at up down
  refine sign_cases
    (P := fun s => natural d' * signed s n ≤ natural d * (signed s' n' : K) → (signed s a : K) ≤ signed s' a')
    ?_ ?_ s hs le
  · refine sign_cases (P :=
        fun s' => natural d' * signed 0 n ≤ natural d * (signed s' n' : K) → (signed 0 a : K) ≤ signed s' a')
      ?_ ?_ s' hs'
    · intro le
      rw [signed_zero, signed_zero, ← natural_mul, ← natural_mul] at le
      exact natural_le (up (le_of_natural_le le))
    · intro le
      rw [signed_zero, signed_one, OrderedRing.mul_neg, ← natural_mul, ← natural_mul] at le
      have n1 := nothing hd' (OrderedRing.le_trans le (neg_nonpos (natural_nonneg _)))
      have n2 := nothing hd
        (le_of_neg_le_neg
          (OrderedRing.le_trans (OrderedRing.le_of_eq neg_zero) (OrderedRing.le_trans (natural_nonneg _) le)))
      rw [zero n1, zero' n2, signed_one]
      exact OrderedRing.le_of_eq neg_zero.symm
  · refine sign_cases (P :=
        fun s' => natural d' * signed 1 n ≤ natural d * (signed s' n' : K) → (signed 1 a : K) ≤ signed s' a')
      ?_ ?_ s' hs'
    · intro _
      rw [signed_zero, signed_one]
      exact OrderedRing.le_trans (neg_nonpos (natural_nonneg _)) (natural_nonneg _)
    · intro le
      rw [signed_one, signed_one, OrderedRing.mul_neg, OrderedRing.mul_neg, ← natural_mul, ← natural_mul]
        at le
      exact neg_le_neg (natural_le (down (le_of_natural_le (le_of_neg_le_neg le))))
where
  neg_nonpos {a : K} (h : 0 ≤ a) : -a ≤ 0 := by
    have g := neg_le_neg h
    rw [neg_zero] at g; exact g
  nothing {c m : Nat} (hc : 0 < c) (h : (natural (c * m) : K) ≤ 0) : m = 0 := by
    have g : c * m ≤ 0 := le_of_natural_le (K := K) h
    refine Midpoints.le.cancel hc ?_
    rw [Nat.mul_zero]; exact Nat.eq_zero_of_le_zero g
  round_zero {c : Nat} (hc : 0 < c) : magnitude (roundMagnitude 0 c) = 0 := by
    have z : magnitude 0 = 0 := by decide +kernel
    have e := roundMagnitude_exact (p := 0) hc (by decide +kernel)
    rw [z, Nat.mul_zero] at e
    rw [e, z]

/-- **Exact on binary32 numbers**: a number that is one of them is rounded to itself. -/
theorem RoundsTo.exact {x d w : Nat} (hd : 0 < d) (hx : exponent x < 255) (hx' : x < 2 ^ 32)
    (h : RoundsTo (natural d * scaled x : K) d w) :
    exponent w < 255 ∧ (scaled w : K) = scaled x := by
  obtain ⟨p, hp, e⟩ := finite_cases hx hx'
  obtain ⟨s, n, q, hs, hv, hq, rfl⟩ := h
  have shape : ∃ t, t ≤ 1 ∧ (scaled x : K) = signed t (magnitude p) := by
    cases e with
    | inl e => exact ⟨0, Nat.zero_le 1, by rw [e]; exact (scaled_positive hp).1⟩
    | inr e => exact ⟨1, Nat.le_refl 1, by rw [e]; exact (scaled_negative hp).1⟩
  obtain ⟨t, ht, e⟩ := shape
  rw [e] at hv ⊢
  have value : n = d * magnitude p ∧ (s = t ∨ magnitude p = 0) := by
    refine sign_cases (P := fun s => natural d * signed t (magnitude p) = (signed s n : K) →
        n = d * magnitude p ∧ (s = t ∨ magnitude p = 0)) ?_ ?_ s hs hv
    · refine sign_cases (P := fun t => natural d * signed t (magnitude p) = (signed 0 n : K) →
          n = d * magnitude p ∧ (0 = t ∨ magnitude p = 0)) ?_ ?_ t ht
      · intro h; rw [signed_zero, signed_zero, ← natural_mul] at h
        exact ⟨(natural_injective h).symm, Or.inl rfl⟩
      · intro h; rw [signed_zero, signed_one, OrderedRing.mul_neg, ← natural_mul] at h
        obtain ⟨a, b⟩ := opposite h
        have z := Midpoints.le.cancel (b := 0) hd a
        exact ⟨by rw [b, z]; rfl, Or.inr z⟩
    · refine sign_cases (P := fun t => natural d * signed t (magnitude p) = (signed 1 n : K) →
          n = d * magnitude p ∧ (1 = t ∨ magnitude p = 0)) ?_ ?_ t ht
      · intro h; rw [signed_zero, signed_one, ← natural_mul] at h
        obtain ⟨b, a⟩ := opposite h.symm
        have z := Midpoints.le.cancel (b := 0) hd a
        exact ⟨by rw [b, z]; rfl, Or.inr z⟩
      · intro h; rw [signed_one, signed_one, OrderedRing.mul_neg, ← natural_mul] at h
        have g : (natural (d * magnitude p) : K) = natural n := by
          rw [← OrderedRing.neg_neg (natural n), ← h, OrderedRing.neg_neg]
        exact ⟨(natural_injective g).symm, Or.inl rfl⟩
  obtain ⟨rfl, sign⟩ := value
  have same : q = p := (hq.eq hd).trans (roundMagnitude_exact hd hp)
  subst same
  refine ⟨(pattern_finite hs hq.bounded).2 hp, ?_⟩
  rw [scaled_pattern hs hp]
  cases sign with
  | inl sign => rw [sign]
  | inr z =>
    rw [z]
    refine sign_cases (P := fun s => (signed s 0 : K) = signed t 0) ?_ ?_ s hs
    · exact sign_cases (P := fun t => (signed 0 0 : K) = signed t 0) rfl neg_zero.symm t ht
    · exact sign_cases (P := fun t => (signed 1 0 : K) = signed t 0) neg_zero rfl t ht
where
  opposite {a b : Nat} (h : -(natural a : K) = natural b) : a = 0 ∧ b = 0 := by
    have sum : (natural (b + a) : K) = natural 0 := by
      rw [natural_add, ← h]; exact (ring1 K x, -x + x, 0) (natural a)
    have z := natural_injective sum
    exact ⟨Nat.eq_zero_of_add_eq_zero_right z, Nat.eq_zero_of_add_eq_zero_left z⟩

end Binary32
end PytestTorchLean
