prelude
import PytestTorchLean.Check.Zeros
import PytestTorchLean.Thm.Schedules
/-!
# Schedules are executions

To add 0 changes no number, and a product of 0 is 0: what a schedule computes for all products is a rounded
sum of those that are not 0. So it is an execution in the sense of the specification. The only hypothesis is
that the result is finite.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-! ### Lists -/
namespace Nonzero

theorem join : {s t k j : List K} → Nonzero s k → Nonzero t j → Nonzero (PytestTorchLean.joined s t)
    (PytestTorchLean.joined k j)
  | [], _, _, _, h, g => by rw [show _ = [] from h]; exact g
  | x :: s, t, k, j, h, g => by
    cases h with
    | inl h => exact Or.inl ⟨h.1, join h.2 g⟩
    | inr h =>
      obtain ⟨nonzero, rest, e, h⟩ := h
      rw [e]
      exact Or.inr ⟨nonzero, _, rfl, join h g⟩
theorem reorder {s t : List K} (r : Reordered s t) :
    (k : List K) → Nonzero s k → ∃ j, Nonzero t j ∧ Reordered k j := by
  induction r with
  | nil => intro k h; exact ⟨[], rfl, by rw [show k = [] from h]; exact .nil⟩
  | cons x _ ih =>
    intro k h
    cases h with
    | inl h =>
      obtain ⟨j, hj, e⟩ := ih k h.2
      exact ⟨j, Or.inl ⟨h.1, hj⟩, e⟩
    | inr h =>
      obtain ⟨nonzero, rest, e, h⟩ := h
      obtain ⟨j, hj, e'⟩ := ih rest h
      exact ⟨x :: j, Or.inr ⟨nonzero, j, rfl, hj⟩, by rw [e]; exact .cons x e'⟩
  | swap x y s =>
    intro k h
    cases h with
    | inl h =>
      cases h.2 with
      | inl g => exact ⟨k, Or.inl ⟨g.1, Or.inl ⟨h.1, g.2⟩⟩, same k⟩
      | inr g =>
        obtain ⟨nonzero, rest, e, g⟩ := g
        exact ⟨k, Or.inr ⟨nonzero, rest, e, Or.inl ⟨h.1, g⟩⟩, same k⟩
    | inr h =>
      obtain ⟨first, rest, e, h⟩ := h
      cases h with
      | inl g => exact ⟨k, Or.inl ⟨g.1, Or.inr ⟨first, rest, e, g.2⟩⟩, same k⟩
      | inr g =>
        obtain ⟨second, last, e', g⟩ := g
        refine ⟨y :: x :: last, Or.inr ⟨second, _, rfl, Or.inr ⟨first, _, rfl, g⟩⟩, ?_⟩
        rw [e, e']
        exact .swap x y last
  | trans _ _ ih1 ih2 =>
    intro k h
    obtain ⟨j, hj, e⟩ := ih1 k h
    obtain ⟨i, hi, e'⟩ := ih2 j hj
    exact ⟨i, hi, .trans e e'⟩
where
  same : (s : List K) → Reordered s s
    | [] => .nil
    | x :: s => .cons x (same s)
end Nonzero

theorem IsSum.reorder {s t : List K} {r : K} (e : Reordered s t) (h : IsSum s r) : IsSum t r := by
  cases h with
  | inl h => exact Or.inl (by rw [← e.total]; exact h)
  | inr h =>
    obtain ⟨k, hk, h⟩ := h
    obtain ⟨j, hj, e'⟩ := Nonzero.reorder e k hk
    exact Or.inr ⟨j, hj, Sums.reorder e' h⟩

namespace Binary32

/-! ### One operation -/

/-- The pattern `p` denotes 0, if no term is other than 0, or a rounded sum of those that are. -/
def Part (terms : List K) (p : Nat) : Prop :=
  p < 2 ^ 32 ∧ ∃ kept, Nonzero terms kept ∧ ((kept = [] ∧ (scaled p : K) = 0) ∨ Sums .rounded kept (scaled p))

theorem Part.isSum {terms : List K} {p : Nat} (h : Part terms p) : IsSum terms (scaled p) := by
  obtain ⟨_, kept, hk, h⟩ := h
  cases h with
  | inl h =>
    refine Or.inl ?_
    rw [← hk.total, h.1]
    exact h.2
  | inr h => exact Or.inr ⟨kept, hk, h⟩

/-- Whether a product is 0 can be told from the patterns. -/
theorem product_zero {w x : Nat} {t : K} (ht : natural (2 ^ 149) * t = scaled w * scaled x) :
    t = 0 ∨ ¬ t = 0 := by
  have zero : ∀ {v : Nat}, magnitude v = 0 → (scaled v : K) = 0 := fun {v} h => by
    rw [scaled_eq_signed, h]
    exact sign_cases (P := fun s => (signed s 0 : K) = 0) (by rw [signed_zero]; rfl)
      (by rw [signed_one]; exact neg_zero) _ (sign_le v)
  have cancel : natural (2 ^ 149) * t = 0 → t = 0 := fun h =>
    eq_of_natural_mul_eq (Natural.two_pow_pos 149) (by rw [h, OrderedRing.mul_zero])
  cases hw : magnitude w with
  | zero => exact Or.inl (cancel (by rw [ht, zero hw, OrderedRing.zero_mul]))
  | succ m =>
    cases hx : magnitude x with
    | zero => exact Or.inl (cancel (by rw [ht, zero hx, OrderedRing.mul_zero]))
    | succ n =>
      refine Or.inr fun h => ?_
      rw [h, OrderedRing.mul_zero, ← scaled_product, hw, hx] at ht
      have nonzero : ∀ s, s ≤ 1 → (0 : K) = signed s ((m + 1) * (n + 1)) → False := fun s hs e => by
        have positive : ((m + 1) * (n + 1) : Nat) ≤ 0 → False := fun g => Nat.not_succ_le_zero _ g
        refine sign_cases (P := fun s => (0 : K) = signed s ((m + 1) * (n + 1)) → False) ?_ ?_ s hs e
        · intro e
          rw [signed_zero] at e
          exact positive (natural_le_reflect (K := K) (le_of_eq e.symm))
        · intro e
          rw [signed_one] at e
          refine positive (natural_le_reflect (K := K) (le_of_eq ?_))
          have z := congrArg (fun y : K => -y) e
          rw [OrderedRing.neg_neg] at z
          exact z.symm.trans neg_zero
      exact nonzero _ (productSign_le w x) ht

theorem add_lt (K : Type u) [OrderedRing K] {x y : Nat} (hx : exponent x < 255) (hy : exponent y < 255) :
    add x y < 2 ^ 32 := by
  unfold add
  rw [finite_not_nan hx, finite_not_nan hy, finite_not_infinite hx, finite_not_infinite hy]
  exact round_lt (signed_sum (K := K) (sign_le x) (sign_le y) (magnitude x) (magnitude y)).2 (Nat.le_refl 1)

theorem fma_lt (K : Type u) [OrderedRing K] {x y z : Nat} (hx : exponent x < 255) (hy : exponent y < 255)
    (hz : exponent z < 255) : fma x y z < 2 ^ 32 := by
  unfold fma
  rw [finite_not_nan hx, finite_not_nan hy, finite_not_nan hz, finite_not_infinite hx,
    finite_not_infinite hy, finite_not_infinite hz]
  exact round_lt (signed_sum (K := K) (productSign_le x y) (sign_le z) (magnitude x * magnitude y)
    (2 ^ 149 * magnitude z)).2 (Natural.two_pow_pos 149)

/-- 0 and a number. -/
theorem add_zero_left {p q : Nat} (hp : exponent p < 255) (hq : exponent q < 255) (lt : q < 2 ^ 32)
    (h : (scaled p : K) = 0) : (scaled (add p q) : K) = scaled q := by
  have r := add_rounds K hp hq
  have e : (scaled p + scaled q : K) = natural 1 * scaled q := by
    rw [h]
    exact (ring1 K x, 0 + x, 1 * x) _
  rw [e] at r
  exact (RoundsTo.exact (Nat.le_refl 1) hq lt r).2
theorem add_zero_right {p q : Nat} (hp : exponent p < 255) (hq : exponent q < 255) (lt : p < 2 ^ 32)
    (h : (scaled q : K) = 0) : (scaled (add p q) : K) = scaled p := by
  have r := add_rounds K hp hq
  have e : (scaled p + scaled q : K) = natural 1 * scaled p := by
    rw [h]
    exact (ring1 K x, x + 0, 1 * x) _
  rw [e] at r
  exact (RoundsTo.exact (Nat.le_refl 1) hp lt r).2

theorem mul_part {w x : Nat} (finite : exponent (mul w x) < 255) {t : K}
    (ht : natural (2 ^ 149) * t = scaled w * scaled x) : Part [t] (mul w x) := by
  obtain ⟨hw, hx⟩ := mul_finite finite
  refine ⟨mul_lt hw hx, ?_⟩
  cases product_zero ht with
  | inr h => exact ⟨[t], Or.inr ⟨h, [], rfl, rfl⟩, Or.inr (mul_is_execution finite ht)⟩
  | inl h =>
    refine ⟨[], Or.inl ⟨h, rfl⟩, Or.inl ⟨rfl, ?_⟩⟩
    have r := mul_rounds K hw hx
    rw [← ht, h, ← scaled_zero] at r
    rw [(RoundsTo.exact (Natural.two_pow_pos 149) (by decide +kernel) (by decide +kernel) r).2, scaled_zero]

theorem add_part {p q : Nat} {s t : List K} (finite : exponent (add p q) < 255) (hs : Part s p)
    (ht : Part t q) : Part (joined s t) (add p q) := by
  obtain ⟨hp, hq⟩ := add_finite finite
  obtain ⟨pl, k, hk, h⟩ := hs
  obtain ⟨ql, j, hj, g⟩ := ht
  refine ⟨add_lt K hp hq, joined k j, hk.join hj, ?_⟩
  cases h with
  | inl h =>
    rw [add_zero_left hp hq ql h.2, h.1]
    exact g
  | inr h =>
    cases g with
    | inl g =>
      rw [add_zero_right hp hq pl g.2, g.1, joined_nil]
      exact Or.inr h
    | inr g => exact Or.inr (add_is_execution finite h g)

theorem fma_part {w x p : Nat} {s : List K} (finite : exponent (fma w x p) < 255) {t : K}
    (ht : natural (2 ^ 149) * t = scaled w * scaled x) (hs : Part s p) : Part (t :: s) (fma w x p) := by
  obtain ⟨hw, hx, hp⟩ := fma_finite finite
  obtain ⟨pl, k, hk, h⟩ := hs
  refine ⟨fma_lt K hw hx hp, ?_⟩
  have r := fma_rounds K hw hx hp
  cases product_zero ht with
  | inl z =>
    refine ⟨k, Or.inl ⟨z, hk⟩, ?_⟩
    rw [← ht, z, OrderedRing.mul_zero, OrderedRing.zero_add] at r
    rw [(RoundsTo.exact (Natural.two_pow_pos 149) hp pl r).2]
    exact h
  | inr z =>
    refine ⟨t :: k, Or.inr ⟨z, k, rfl, hk⟩, Or.inr ?_⟩
    cases h with
    | inr h => exact fma_is_execution finite ht h
    | inl h =>
      rw [h.1]
      refine Sums.round (Sums.product t) (r.rounds (Natural.two_pow_pos 149) finite ?_)
      rw [ht, h.2, OrderedRing.mul_zero, add_zer]

theorem Part.reorder {s t : List K} {p : Nat} (e : Reordered s t) (h : Part s p) : Part t p := by
  obtain ⟨lt, k, hk, h⟩ := h
  obtain ⟨j, hj, e'⟩ := Nonzero.reorder e k hk
  refine ⟨lt, j, hj, ?_⟩
  cases h with
  | inl h =>
    refine Or.inl ⟨?_, h.2⟩
    have len := e'.length
    rw [h.1] at len
    cases j with
    | nil => rfl
    | cons _ _ => exact absurd len (fun g => by cases g)
  | inr h => exact Or.inr (Sums.reorder e' h)

/-! ### Schedules -/

theorem zero_part : Part ([] : List K) 0 := ⟨by decide +kernel, [], rfl, Or.inl ⟨rfl, scaled_zero⟩⟩

theorem sequential_part :
    (pairs : List (Nat × Nat)) → (acc : Nat) → (before terms : List K) → Part before acc →
    Products pairs terms → exponent (sequential acc pairs) < 255 →
    Part (joined before terms) (sequential acc pairs)
  | [], acc, before, [], hb, _, _ => by rw [joined_nil]; exact hb
  | [], _, _, _ :: _, _, h, _ => h.elim
  | _ :: _, _, _, [], _, h, _ => h.elim
  | pair :: rest, acc, before, t :: terms, hb, hp, finite => by
    rw [sequential_step] at finite ⊢
    have f := sequential_finite rest (add acc (mul pair.fst pair.snd)) finite
    have step := add_part f hb (mul_part (add_finite f).2 hp.1)
    have g :=
      sequential_part rest (add acc (mul pair.fst pair.snd)) (joined before [t]) terms step hp.2 finite
    rw [joined_last] at g
    exact g
theorem fused_part :
    (pairs : List (Nat × Nat)) → (acc : Nat) → (before terms : List K) → Part before acc →
    Products pairs terms → exponent (fused acc pairs) < 255 → Part (joined before terms) (fused acc pairs)
  | [], acc, before, [], hb, _, _ => by rw [joined_nil]; exact hb
  | [], _, _, _ :: _, _, h, _ => h.elim
  | _ :: _, _, _, [], _, h, _ => h.elim
  | pair :: rest, acc, before, t :: terms, hb, hp, finite => by
    rw [fused_step] at finite ⊢
    have f := fused_finite rest (fma pair.fst pair.snd acc) finite
    have step := Part.reorder (rotate t before) (fma_part f hp.1 hb)
    have g := fused_part rest (fma pair.fst pair.snd acc) (joined before [t]) terms step hp.2 finite
    rw [joined_last] at g
    exact g
theorem grouping_part : (grouping : Grouping) → (terms : List K) → Products grouping.pairs terms →
    exponent grouping.run < 255 → Part terms grouping.run
  | .product _, [], h, _ => h.elim
  | .product _, _ :: _ :: _, h, _ => h.2.elim
  | .product _, [_], h, finite => mul_part finite h.1
  | .sum left right, terms, h, finite => by
    obtain ⟨s, t, e, hs, ht⟩ := products_split left.pairs right.pairs terms h
    obtain ⟨fl, fr⟩ := add_finite finite
    rw [e]
    exact add_part finite (grouping_part left s hs fl) (grouping_part right t ht fr)
  | .multiplyAdd _ _, [], h, _ => h.elim
  | .multiplyAdd _ rest, t :: terms, h, finite =>
    fma_part finite h.1 (grouping_part rest terms h.2 (fma_finite finite).2.2)

/-- **The evaluator's schedule is an execution.** -/
theorem sequential_is_execution {pairs : List (Nat × Nat)} {terms : List K} (h : Products pairs terms)
    (finite : exponent (sequential 0 pairs) < 255) : IsSum terms (scaled (sequential 0 pairs)) :=
  (sequential_part pairs 0 [] terms zero_part h finite).isSum

/-- **The fused schedule is an execution.** -/
theorem fused_is_execution {pairs : List (Nat × Nat)} {terms : List K} (h : Products pairs terms)
    (finite : exponent (fused 0 pairs) < 255) : IsSum terms (scaled (fused 0 pairs)) :=
  (fused_part pairs 0 [] terms zero_part h finite).isSum

/-- **Every grouping is an execution.** -/
theorem grouping_is_execution (grouping : Grouping) (terms : List K) (h : Products grouping.pairs terms)
    (finite : exponent grouping.run < 255) : IsSum terms (scaled grouping.run) :=
  (grouping_part grouping terms h finite).isSum

end Binary32

namespace Affine
open Binary32

/-- **The evaluator's value of a row** is one that the specification allows: `slots` hold the binary32 numbers
    of the patterns `bits`, and `y` is what the sequential schedule computes, a finite number. -/
theorem evaluator_computes (a : Affine) {bits : Nat → Nat} {slots : Nat → K} {position row : Nat} {y : K}
    (undivided : a.divisor = 1)
    (h : ∀ i, natural (2 ^ 149) * slots i = scaled (bits i))
    (hy : natural (2 ^ 149) * y = scaled (sequential 0 (a.pairs bits position row)))
    (finite : exponent (sequential 0 (a.pairs bits position row)) < 255) :
    a.Computes .binary32 slots position row y := by
  refine ⟨natural (2 ^ 149) * y, ?_, by rw [undivided]; exact divides_one _⟩
  have products := terms_are_products a h position row
  rw [hy]
  exact sequential_is_execution products finite
end Affine
end PytestTorchLean
