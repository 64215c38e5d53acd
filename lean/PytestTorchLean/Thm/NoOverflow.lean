prelude
import PytestTorchLean.Thm.Schedules
/-!
# Where nothing overflows, IEEE-754 arithmetic stays finite

A claim about binary32 also says that no operation overflows (`NeverOverflows`: no exact sum of some of the
terms reaches the threshold). Here that is turned into what it means for bit patterns: the evaluator's
schedule, and every grouping, gives a finite number.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing Binary32
variable {K : Type u} [OrderedRing K]
namespace Binary32

/-- A number below the threshold is rounded to a finite one. -/
theorem RoundsTo.finite {v : K} {d w : Nat} (h : RoundsTo v d w) (upper : v < natural (d * overflowThreshold))
    (lower : -v < natural (d * overflowThreshold)) : exponent w < 255 := by
  obtain ⟨s, n, p, hs, rfl, hp, rfl⟩ := h
  have small : n < d * overflowThreshold := by
    refine Nat.lt_of_not_le fun g => ?_
    have g := natural_le (K := K) g
    refine sign_cases (P := fun s => (signed s n : K) < natural (d * overflowThreshold) →
      -(signed s n : K) < natural (d * overflowThreshold) → False)
      ?_ ?_ s hs upper lower
    · intro u _; exact u g
    · intro _ l
      rw [signed_one, OrderedRing.neg_neg] at l
      exact l g
  refine (pattern_finite hs hp.bounded).2 ?_
  cases hp with
  | inl hp => exact hp.2.1
  | inr hp => exact absurd small (Nat.not_lt_of_le hp.1)

theorem lt_natural_mul {d n : Nat} (hd : 0 < d) {t : K} (h : t < natural n) :
    natural d * t < natural (d * n) := fun g => by
  rw [natural_mul] at g
  exact h (le_of_natural_mul_le hd g)

/-! ### Parts of the terms -/

theorem reordered_joined {s t : List K} (r : Reordered s t) (v : List K) :
    Reordered (joined s v) (joined t v) := by
  induction r with
  | nil => exact same v
  | cons x _ ih => exact Reordered.cons x ih
  | swap x y s => exact Reordered.swap x y (joined s v)
  | trans _ _ ih1 ih2 => exact Reordered.trans ih1 ih2
where
  same : (s : List K) → Reordered s s
    | [] => Reordered.nil
    | x :: s => Reordered.cons x (same s)

/-- One list after the other, in the other order. -/
theorem joined_swapped : (s t : List K) → Reordered (joined s t) (joined t s)
  | [], t => by rw [joined_nil]; exact reordered_joined.same t
  | x :: s, t => by
    have one : Reordered (joined (x :: s) t) (x :: joined t s) := Reordered.cons x (joined_swapped s t)
    have two : Reordered (x :: joined t s) (joined (joined t [x]) s) := reordered_joined (rotate x t) s
    rw [joined_last] at two
    exact Reordered.trans one two

end Binary32
namespace NeverOverflows

theorem left {s t : List K} (h : NeverOverflows (joined s t)) : NeverOverflows s := fun part rest a r e => by
  refine h part (joined rest t) a ?_ e
  rw [← joined_joined]
  exact reordered_joined r t

theorem reordered {s t : List K} (h : NeverOverflows s) (r : Reordered t s) : NeverOverflows t :=
  fun part rest a r' e =>
  h part rest a (Reordered.trans r' r) e

theorem right {s t : List K} (h : NeverOverflows (joined s t)) : NeverOverflows t :=
  left (h.reordered (joined_swapped t s))

/-- The whole sum. -/
theorem whole {s : List K} (h : NeverOverflows s) {a : K} (e : Sums .exact s a) :
    a < natural overflowThreshold ∧ -a < natural overflowThreshold :=
  h s [] a (by rw [joined_nil]; exact reordered_joined.same s) e

end NeverOverflows
namespace Binary32

/-! ### One operation -/

theorem mul_stays_finite {w x : Nat} (hw : exponent w < 255) (hx : exponent x < 255) {t : K}
    (ht : natural (2 ^ 149) * t = scaled w * scaled x) (h : NeverOverflows [t]) :
    exponent (mul w x) < 255 := by
  obtain ⟨upper, lower⟩ := h.whole (Sums.product t)
  have r := mul_rounds K hw hx
  rw [← ht] at r
  refine r.finite (lt_natural_mul (Natural.two_pow_pos 149) upper) ?_
  rw [← OrderedRing.mul_neg]
  exact lt_natural_mul (Natural.two_pow_pos 149) lower

theorem add_stays_finite {p q : Nat} (hp : exponent p < 255) (hq : exponent q < 255) {s t : List K}
    (hs : Sums .rounded s (scaled p)) (ht : Sums .rounded t (scaled q)) (h : NeverOverflows (joined s t)) :
    exponent (add p q) < 255 := by
  obtain ⟨upper, lower⟩ := h.whole (Sums.add hs ht)
  refine (add_rounds K hp hq).finite ?_ ?_
  · rw [Nat.one_mul]; exact upper
  · rw [Nat.one_mul]; exact lower

theorem fma_stays_finite {w x p : Nat}
    (hw : exponent w < 255)
    (hx : exponent x < 255)
    (hp : exponent p < 255)
    {t : K} {s : List K}
    (ht : natural (2 ^ 149) * t = scaled w * scaled x)
    (hs : Sums .rounded s (scaled p))
    (h : NeverOverflows (t :: s)) :
    exponent (fma w x p) < 255 := by
  obtain ⟨upper, lower⟩ := h.whole (Sums.add (Sums.product t) hs)
  have r := fma_rounds K hw hx hp
  rw [← ht, ← OrderedRing.mul_add] at r
  refine r.finite (lt_natural_mul (Natural.two_pow_pos 149) upper) ?_
  rw [← OrderedRing.mul_neg]
  exact lt_natural_mul (Natural.two_pow_pos 149) lower

/-! ### Schedules -/

/-- All patterns of the pairs are of finite numbers. -/
def AllFinite : List (Nat × Nat) → Prop
  | [] => True
  | pair :: rest => (exponent pair.fst < 255 ∧ exponent pair.snd < 255) ∧ AllFinite rest

theorem allFinite_split : (p q : List (Nat × Nat)) → AllFinite (joined p q) → AllFinite p ∧ AllFinite q
  | [], _, h => ⟨trivial, h⟩
  | _ :: p, q, h => ⟨⟨h.1, (allFinite_split p q h.2).1⟩, (allFinite_split p q h.2).2⟩

/-- **Every grouping stays finite.** -/
theorem grouping_stays_finite :
    (grouping : Grouping) → (terms : List K) → AllFinite grouping.pairs →
    Products grouping.pairs terms → NeverOverflows terms →
    exponent grouping.run < 255
  | .product _, [], _, h, _ => h.elim
  | .product _, _ :: _ :: _, _, h, _ => h.2.elim
  | .product _, [_], f, h, n => mul_stays_finite f.1.1 f.1.2 h.1 n
  | .sum left right, terms, f, h, n => by
    obtain ⟨s, t, e, hs, ht⟩ := products_split left.pairs right.pairs terms h
    obtain ⟨fl, fr⟩ := allFinite_split left.pairs right.pairs f
    rw [e] at n
    have l := grouping_stays_finite left s fl hs n.left
    have r := grouping_stays_finite right t fr ht n.right
    exact add_stays_finite l r (grouping_sums left s hs l) (grouping_sums right t ht r) n
  | .multiplyAdd _ _, [], _, h, _ => h.elim
  | .multiplyAdd _ rest, t :: terms, f, h, n => by
    have r := grouping_stays_finite rest terms f.2 h.2 (NeverOverflows.right (s := [t]) n)
    exact fma_stays_finite f.1.1 f.1.2 r h.1 (grouping_sums rest terms h.2 r) n

theorem sequential_keeps_finite :
    (pairs : List (Nat × Nat)) → (acc : Nat) → (before terms : List K) →
    exponent acc < 255 → Sums .rounded before (scaled acc) →
    AllFinite pairs → Products pairs terms → NeverOverflows (joined before terms) →
    exponent (sequential acc pairs) < 255
  | [], _, _, _, ha, _, _, _, _ => ha
  | _ :: _, _, _, [], _, _, _, h, _ => h.elim
  | pair :: rest, acc, before, t :: terms, ha, hb, f, h, n => by
    have split : joined (joined before [t]) terms = joined before (t :: terms) := joined_last t before terms
    rw [← split] at n
    have m := mul_stays_finite f.1.1 f.1.2 h.1 n.left.right
    have product := mul_is_execution m h.1
    have a := add_stays_finite ha m hb product n.left
    rw [sequential_step]
    exact sequential_keeps_finite rest (add acc (mul pair.fst pair.snd)) (joined before [t]) terms a
      (add_is_execution a hb product) f.2 h.2 n

/-- **The evaluator's schedule stays finite.** -/
theorem sequential_stays_finite {pair : Nat × Nat} {pairs : List (Nat × Nat)} {terms : List K}
    (f : AllFinite (pair :: pairs)) (h : Products (pair :: pairs) terms) (n : NeverOverflows terms) :
    exponent (sequential 0 (pair :: pairs)) < 255 := by
  cases terms with
  | nil => exact h.elim
  | cons t terms =>
    have m := mul_stays_finite f.1.1 f.1.2 h.1 (NeverOverflows.left (s := [t]) n)
    have a : exponent (add 0 (mul pair.fst pair.snd)) < 255 := by
      have r := add_rounds K (x := 0) (by decide +kernel) m
      have e :
          (scaled 0 + scaled (mul pair.fst pair.snd) : K) = natural 1 * scaled (mul pair.fst pair.snd) := by
        rw [scaled_zero]
        exact (ring1 K x, 0 + x, 1 * x) _
      rw [e] at r
      exact (RoundsTo.exact (Nat.le_refl 1) m (mul_lt f.1.1 f.1.2) r).1
    have first : Sums .rounded [t] (scaled (add 0 (mul pair.fst pair.snd))) := by
      rw [zero_add_scaled K m (mul_lt f.1.1 f.1.2)]
      exact mul_is_execution m h.1
    rw [sequential_step]
    exact sequential_keeps_finite pairs (add 0 (mul pair.fst pair.snd)) [t] terms a first f.2 h.2 n

end Binary32
end PytestTorchLean
