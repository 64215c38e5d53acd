prelude
import PytestTorchLean.Spec.Schedule
import PytestTorchLean.Thm.Arithmetic
/-!
# Schedules are rounded sums

What the evaluator computes with its sequential schedule, and what a runtime computes with fused multiply-adds
or in any grouping, is a rounded sum of all products, in every ordered ring. The only
hypothesis is that the result is finite: an operation that overflows gives an infinity or NaN, which no later
addition makes finite again.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Binary32
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-! ### Results are patterns of 32 bits -/

theorem round_lt {s n d : Nat} (hs : s ≤ 1) (hd : 0 < d) : round s n d < 2 ^ 32 := by
  have h := roundMagnitude_le_infinity n hd
  unfold round
  generalize roundMagnitude n d = p at *
  have l := Nat.add_le_add (Nat.mul_le_mul (Nat.le_refl (2 ^ 31)) hs) h
  exact Nat.lt_of_le_of_lt l top
where
  top : 2 ^ 31 * 1 + infinity < 2 ^ 32 := by decide +kernel

theorem mul_lt {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255) : mul x y < 2 ^ 32 := by
  unfold mul
  rw [finite_not_nan hx, finite_not_nan hy, finite_not_infinite hx, finite_not_infinite hy]
  exact round_lt (productSign_le x y) (Natural.two_pow_pos 149)

theorem scaled_zero : (scaled 0 : K) = 0 := by
  have s : sign 0 = 0 := by decide +kernel
  have m : magnitude 0 = 0 := by decide +kernel
  unfold scaled
  rw [s, m]; rfl

/-- Adding a number to 0 does nothing. -/
theorem zero_add_scaled (K : Type u) [OrderedRing K] {x : Nat} (h : exponent x < 255) (g : x < 2 ^ 32) :
    (scaled (add 0 x) : K) = scaled x := by
  have r := add_rounds K (x := 0) (by decide +kernel) h
  have e : (scaled 0 + scaled x : K) = natural 1 * scaled x := by
    rw [scaled_zero]
    exact (ring1 K x, 0 + x, 1 * x) (scaled x)
  rw [e] at r
  exact (RoundsTo.exact (Nat.le_refl 1) h g r).2

/-! ### One operation -/

/-- A rounded product. -/
theorem mul_is_execution {w x : Nat} (finite : exponent (mul w x) < 255) {t : K}
    (ht : natural (2 ^ 149) * t = scaled w * scaled x) :
    Sums .rounded [t] (scaled (mul w x)) := by
  obtain ⟨hw, hx⟩ := mul_finite finite
  exact Sums.round (Sums.product t) ((mul_rounds K hw hx).rounds (Natural.two_pow_pos 149) finite ht)

/-- A rounded sum of two rounded sums. -/
theorem add_is_execution {p q : Nat} {s t : List K} (finite : exponent (add p q) < 255)
    (hs : Sums .rounded s (scaled p)) (ht : Sums .rounded t (scaled q)) :
    Sums .rounded (joined s t) (scaled (add p q)) := by
  obtain ⟨hp, hq⟩ := add_finite finite
  refine Sums.round (Sums.add hs ht) ((add_rounds K hp hq).rounds (Nat.le_refl 1) finite ?_)
  exact (ring1 K x, 1 * x, x) _

/-- A fused multiply-add onto a rounded sum. -/
theorem fma_is_execution {w x p : Nat} {s : List K} (finite : exponent (fma w x p) < 255) {t : K}
    (ht : natural (2 ^ 149) * t = scaled w * scaled x) (hs : Sums .rounded s (scaled p)) :
    Sums .rounded (t :: s) (scaled (fma w x p)) := by
  obtain ⟨hw, hx, hp⟩ := fma_finite finite
  refine Sums.round (Sums.add (Sums.product t) hs)
    ((fma_rounds K hw hx hp).rounds (Natural.two_pow_pos 149) finite ?_)
  rw [OrderedRing.mul_add, ht]

/-- A fused multiply-add onto 0. -/
theorem fma_zero_is_execution {w x : Nat} (finite : exponent (fma w x 0) < 255) {t : K}
    (ht : natural (2 ^ 149) * t = scaled w * scaled x) :
    Sums .rounded [t] (scaled (fma w x 0)) := by
  obtain ⟨hw, hx, hp⟩ := fma_finite finite
  refine Sums.round (Sums.product t) ((fma_rounds K hw hx hp).rounds (Natural.two_pow_pos 149) finite ?_)
  rw [ht, scaled_zero, OrderedRing.mul_zero, add_zer]

/-! ### Lists -/

theorem joined_nil {α : Type u} : (s : List α) → joined s [] = s
  | [] => rfl
  | x :: s => congrArg (List.cons x) (joined_nil s)
theorem joined_joined {α : Type u} : (s t v : List α) → joined (joined s t) v = joined s (joined t v)
  | [], _, _ => rfl
  | x :: s, t, v => congrArg (List.cons x) (joined_joined s t v)

theorem joined_last {α : Type u} (x : α) :
    (s : List α) → (t : List α) → joined (joined s [x]) t = joined s (x :: t) :=
  fun s t => joined_joined s [x] t

/-- The first element may as well be the last. -/
theorem rotate (x : K) : (s : List K) → Reordered (x :: s) (joined s [x])
  | [] => Reordered.cons x Reordered.nil
  | y :: s => Reordered.trans (Reordered.swap x y s) (Reordered.cons y (rotate x s))

theorem products_split : (p q : List (Nat × Nat)) → (terms : List K) → Products (joined p q) terms →
    ∃ s t, terms = joined s t ∧ Products p s ∧ Products q t
  | [], _, terms, h => ⟨[], terms, rfl, trivial, h⟩
  | _ :: _, _, [], h => h.elim
  | _ :: p, q, term :: terms, h => by
    obtain ⟨s, t, e, hs, ht⟩ := products_split p q terms h.2
    exact ⟨term :: s, t, congrArg (List.cons term) e, ⟨h.1, hs⟩, ht⟩

theorem products_join :
    (p q : List (Nat × Nat)) → (s t : List K) → Products p s →
    Products q t → Products (joined p q) (joined s t)
  | [], _, [], _, _, g => g
  | [], _, _ :: _, _, h, _ => h.elim
  | _ :: _, _, [], _, h, _ => h.elim
  | _ :: p, q, _ :: s, t, h, g => ⟨h.1, products_join p q s t h.2 g⟩

/-! ### Sequential and fused -/

theorem sequential_step (acc : Nat) (pair : Nat × Nat) (pairs : List (Nat × Nat)) :
    sequential acc (pair :: pairs) = sequential (add acc (mul pair.fst pair.snd)) pairs := rfl
theorem fused_step (acc : Nat) (pair : Nat × Nat) (pairs : List (Nat × Nat)) :
    fused acc (pair :: pairs) = fused (fma pair.fst pair.snd acc) pairs := rfl

/-- Once overflowed, never finite again. -/
theorem sequential_finite :
    (pairs : List (Nat × Nat)) → (acc : Nat) → exponent (sequential acc pairs) < 255 → exponent acc < 255
  | [], _, h => h
  | _ :: rest, _, h => (add_finite (sequential_finite rest _ h)).1
theorem fused_finite :
    (pairs : List (Nat × Nat)) → (acc : Nat) → exponent (fused acc pairs) < 255 → exponent acc < 255
  | [], _, h => h
  | _ :: rest, _, h => (fma_finite (fused_finite rest _ h)).2.2

theorem sequential_continues :
    (pairs : List (Nat × Nat)) → (acc : Nat) → (before terms : List K) →
    Sums .rounded before (scaled acc) → Products pairs terms →
    exponent (sequential acc pairs) < 255 →
    Sums .rounded (joined before terms) (scaled (sequential acc pairs))
  | [], acc, before, [], hb, _, _ => by rw [joined_nil]; exact hb
  | [], _, _, _ :: _, _, h, _ => h.elim
  | _ :: _, _, _, [], _, h, _ => h.elim
  | pair :: rest, acc, before, t :: terms, hb, hp, finite => by
    rw [sequential_step] at finite ⊢
    have f := sequential_finite rest (add acc (mul pair.fst pair.snd)) finite
    have step := add_is_execution f hb (mul_is_execution (add_finite f).2 hp.1)
    have g :=
      sequential_continues rest (add acc (mul pair.fst pair.snd)) (joined before [t]) terms step hp.2 finite
    rw [joined_last] at g
    exact g

theorem fused_continues :
    (pairs : List (Nat × Nat)) → (acc : Nat) → (before terms : List K) →
    Sums .rounded before (scaled acc) → Products pairs terms →
    exponent (fused acc pairs) < 255 → Sums .rounded (joined before terms) (scaled (fused acc pairs))
  | [], acc, before, [], hb, _, _ => by rw [joined_nil]; exact hb
  | [], _, _, _ :: _, _, h, _ => h.elim
  | _ :: _, _, _, [], _, h, _ => h.elim
  | pair :: rest, acc, before, t :: terms, hb, hp, finite => by
    rw [fused_step] at finite ⊢
    have f := fused_finite rest (fma pair.fst pair.snd acc) finite
    have step := Sums.reorder (rotate t before) (fma_is_execution f hp.1 hb)
    have g := fused_continues rest (fma pair.fst pair.snd acc) (joined before [t]) terms step hp.2 finite
    rw [joined_last] at g
    exact g

/-- The evaluator's schedule. -/
theorem sequential_sums {pair : Nat × Nat} {pairs : List (Nat × Nat)} {terms : List K}
    (h : Products (pair :: pairs) terms) (finite : exponent (sequential 0 (pair :: pairs)) < 255) :
    Sums .rounded terms (scaled (sequential 0 (pair :: pairs))) := by
  cases terms with
  | nil => exact h.elim
  | cons t terms =>
    rw [sequential_step] at finite ⊢
    have f := sequential_finite pairs (add 0 (mul pair.fst pair.snd)) finite
    have m := (add_finite f).2
    obtain ⟨hw, hx⟩ := mul_finite m
    have first : Sums .rounded [t] (scaled (add 0 (mul pair.fst pair.snd))) := by
      rw [zero_add_scaled K m (mul_lt hw hx)]
      exact mul_is_execution m h.1
    exact sequential_continues pairs (add 0 (mul pair.fst pair.snd)) [t] terms first h.2 finite

/-- The fused schedule. -/
theorem fused_sums {pair : Nat × Nat} {pairs : List (Nat × Nat)} {terms : List K}
    (h : Products (pair :: pairs) terms) (finite : exponent (fused 0 (pair :: pairs)) < 255) :
    Sums .rounded terms (scaled (fused 0 (pair :: pairs))) := by
  cases terms with
  | nil => exact h.elim
  | cons t terms =>
    rw [fused_step] at finite ⊢
    have f := fused_finite pairs (fma pair.fst pair.snd 0) finite
    exact fused_continues pairs (fma pair.fst pair.snd 0) [t] terms (fma_zero_is_execution f h.1) h.2 finite

/-- Every grouping. -/
theorem grouping_sums : (grouping : Grouping) → (terms : List K) → Products grouping.pairs terms →
    exponent grouping.run < 255 → Sums .rounded terms (scaled grouping.run)
  | .product _, [], h, _ => h.elim
  | .product _, _ :: _ :: _, h, _ => h.2.elim
  | .product _, [_], h, finite => mul_is_execution finite h.1
  | .sum left right, terms, h, finite => by
    obtain ⟨s, t, e, hs, ht⟩ := products_split left.pairs right.pairs terms h
    obtain ⟨fl, fr⟩ := add_finite finite
    rw [e]
    exact add_is_execution finite (grouping_sums left s hs fl) (grouping_sums right t ht fr)
  | .multiplyAdd _ _, [], h, _ => h.elim
  | .multiplyAdd _ rest, t :: terms, h, finite =>
    fma_is_execution finite h.1 (grouping_sums rest terms h.2 (fma_finite finite).2.2)

end Binary32

/-! ### A row of an affine node -/
namespace Affine
open OrderedRing Binary32
variable {K : Type u} [OrderedRing K]

theorem products_listed :
    (n : Nat) → (f : Nat → List (Nat × Nat)) → (g : Nat → List K) →
    (∀ i, i < n → Products (f i) (g i)) → Products (listed n f) (listed n g)
  | 0, _, _, _ => trivial
  | n + 1, f, g, h => products_join (f 0) (listed n fun i => f (i + 1)) (g 0) (listed n fun i => g (i + 1))
      (h 0 (Nat.succ_pos n)) (products_listed n _ _ fun i hi => h (i + 1) (Nat.succ_le_succ hi))

/-- The terms of a row are the exact products of its pairs. -/
theorem terms_are_products (a : Affine) {bits : Nat → Nat} {slots : Nat → K}
    (h : ∀ i, natural (2 ^ 149) * slots i = scaled (bits i)) (position row : Nat) :
    Products (a.pairs bits position row) (a.terms slots position row) :=
  products_listed a.lanes _ _ fun lane _ => products_listed a.laneColumns _ _ fun column _ =>
    ⟨by rw [OrderedRing.mul_left_comm, h], trivial⟩

theorem divides_one (s : K) : Divides 1 s s := by
  refine ⟨fun _ => rfl, fun a ha => ?_⟩
  have z : natural (2 ^ 24) * (natural 1 * s - s) = (0 : K) := (ring2 K t s, t * (1 * s - s), 0) _ _
  have sum := OrderedRing.add_le_add ha.1 ha.2
  rw [add_neg'] at sum
  have nonneg : (0 : K) ≤ natural 3 * a + natural (1 * 2 ^ 24) := by
    refine OrderedRing.le_trans sum ?_
    have h : (0 : K) ≤ a + natural (1 * 2 ^ 24) := by
      refine add_nonneg (le_of_natural_mul_le (d := 2) (by decide) ?_) (natural_nonneg _)
      exact le_cert ((ring1 K a, 2 * a - 2 * 0, a + a - 0) a) (sub_nonneg sum)
    exact le_cert ((ring2 K a u, 3 * a + u - (a + a), a + u) a (natural (1 * 2 ^ 24))) h
  rw [z]
  exact ⟨nonneg, by rw [OrderedRing.neg_zero]; exact nonneg⟩
end Affine
end PytestTorchLean
