prelude
import PytestTorchLean.Thm.Comparison
import PytestTorchLean.Thm.ZeroProducts
/-!
# The evaluator's run of a graph is an execution

If every result of the evaluator is finite, then the numbers that its bit patterns denote are an execution in
the sense of the specification. So a claim about all executions is one about the evaluator's.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing Binary32
variable {K : Type u} [OrderedRing K]

/-! ### Division -/
namespace Binary32

/-- The error of correct rounding, without dividing: `2^24 |d * r - v| ≤ |v| + 2^23 d` for the rounding `r` of
    `v / d`. -/
theorem RoundsTo.error {v : K} {d w : Nat} (hd : 0 < d) (h : RoundsTo v d w) (finite : exponent w < 255)
    {a : K} (ha : AtMost v a) :
    AtMost (natural (2 ^ 24) * (natural d * scaled w - v)) (a + natural (2 ^ 23 * d)) := by
  obtain ⟨s, n, p, hs, rfl, hp, rfl⟩ := h
  have pf := (pattern_finite hs hp.bounded).1 finite
  rw [scaled_pattern hs pf]
  rw [hp.eq hd] at pf ⊢
  obtain ⟨lower, upper⟩ := roundMagnitude_error hd pf
  have lower := natural_le (K := K) lower
  have upper := natural_le (K := K) upper
  generalize magnitude (roundMagnitude n d) = r at *
  rw [natural_add, natural_add, natural_mul _ n, natural_mul (2 ^ 24) (d * _), natural_mul d r] at lower upper
  have small : AtMost (natural (2 ^ 24) * (natural d * natural r - natural n) : K)
      (natural n + natural (2 ^ 23 * d)) := by
    generalize (natural (2 ^ 23 * d) : K) = u at *
    generalize (natural (2 ^ 24) : K) = t at *
    exact ⟨le_cert ((ring5 K d n r t u, n + u - t * (d * r - n), t * n + (n + u) - t * (d * r))
        (natural d) (natural n) (natural r) t u) (sub_nonneg upper),
      le_cert ((ring5 K d n r t u, n + u - -(t * (d * r - n)), t * (d * r) + (n + u) - t * n)
        (natural d) (natural n) (natural r) t u) (sub_nonneg lower)⟩
  refine sign_cases (P := fun s => AtMost (signed s n : K) a →
    AtMost (natural (2 ^ 24) * (natural d * signed s r - signed s n)) (a + natural (2 ^ 23 * d))) ?_ ?_ s hs
    ha
  · intro ha
    exact atMost_wider small (OrderedRing.add_le _ ha.1)
  · intro ha
    have le : natural n ≤ a := by have g := ha.2; rw [signed_one, OrderedRing.neg_neg] at g; exact g
    have e : (natural (2 ^ 24) * (natural d * signed 1 r - signed 1 n) : K) =
        -(natural (2 ^ 24) * (natural d * natural r - natural n)) := by
      rw [signed_one, signed_one]
      exact (ring4 K t d r n, t * (d * -r - -n), -(t * (d * r - n))) _ _ _ _
    rw [e]
    exact atMost_negated (atMost_wider small (OrderedRing.add_le _ le))

theorem div_finite {x y : Nat} (h : exponent (div x y) < 255) : exponent x < 255 := by
  unfold div at h
  obtain ⟨nan, h⟩ := finite_of_cond quietNaN_exponent h
  obtain ⟨ix, _⟩ :=
    finite_of_cond (cond_exponent quietNaN_exponent (signedInfinity_exponent (productSign_le x y))) h
  refine finite_of_kind ?_ ix
  cases e : isNaN x with
  | false => rfl
  | true => rw [e] at nan; exact nan

theorem atMost_nonneg {x a : K} (h : AtMost x a) : 0 ≤ a := by
  have sum := OrderedRing.add_le_add h.1 h.2
  rw [add_neg'] at sum
  refine le_of_natural_mul_le (d := 2) (by decide) ?_
  exact le_cert ((ring1 K a, 2 * a - 2 * 0, a + a - 0) a) (sub_nonneg sum)

/-- **Division by an integer** that is a binary32 number is one that the specification allows. -/
theorem div_divides {x y d : Nat} (several : 1 < d) (hy : y < infinity) (value : magnitude y = 2 ^ 149 * d)
    (finite : exponent (div x y) < 255) :
    Divides d (scaled x : K) (scaled (div x y)) := by
  have hd : 0 < d := Nat.le_of_lt several
  refine ⟨fun e => absurd several (by rw [e]; exact Nat.lt_irrefl 1), fun a ha => ?_⟩
  have hx := div_finite finite
  obtain ⟨sy, fy⟩ := scaled_positive (K := K) hy
  have positive : 0 < magnitude y := by rw [value]; exact Nat.mul_pos (Natural.two_pow_pos 149) hd
  have nonzero : magnitude y ≠ 0 := fun z => Nat.lt_irrefl 0 (by rw [z] at positive; exact positive)
  obtain ⟨v, hv, r⟩ := div_rounds K hx fy (Nat.lt_of_lt_of_le hy (by decide +kernel)) nonzero
  have e : v = natural (2 ^ 149) * scaled x := by
    refine eq_of_natural_mul_eq positive ?_
    rw [← hv, sy, OrderedRing.mul_comm]
  have scaledBound : AtMost v (natural (2 ^ 149) * a) := by
    rw [e]
    refine ⟨mul_le_left (natural_nonneg _) ha.1, ?_⟩
    rw [← OrderedRing.mul_neg]
    exact mul_le_left (natural_nonneg _) ha.2
  have bound := RoundsTo.error positive r finite scaledBound
  rw [e, value, natural_mul (2 ^ 149) d, natural_mul (2 ^ 23) (2 ^ 149 * d), natural_mul (2 ^ 149) d] at bound
  have wide : a + natural (2 ^ 23) * natural d ≤ natural 3 * a + natural (d * 2 ^ 24) := by
    have two : 2 ^ 24 = 2 ^ 23 * 2 := by decide +kernel
    rw [two, natural_mul d, natural_mul (2 ^ 23) 2]
    have p := add_nonneg (add_nonneg (atMost_nonneg ha) (atMost_nonneg ha))
      (mul_nonneg (natural_nonneg (K := K) (2 ^ 23)) (natural_nonneg d))
    exact le_cert
      ((ring3 K a t d, 3 * a + d * (t * 2) - (a + t * d), a + a + t * d) a (natural (2 ^ 23)) (natural d)) p
  generalize (scaled (div x y) : K) = w at *
  generalize (scaled x : K) = z at *
  refine atMost_wider (x := a + natural (2 ^ 23) * natural d) ⟨?_, ?_⟩ wide
  · refine le_of_natural_mul_le (Natural.two_pow_pos 149) ?_
    refine OrderedRing.le_trans (OrderedRing.le_of_eq ?_)
      (OrderedRing.le_trans bound.1 (OrderedRing.le_of_eq ?_))
    · exact (ring5 K m t d w z, m * (t * (d * w - z)), t * (m * d * w - m * z)) _ _ _ _ _
    · exact (ring4 K m a t d, m * a + t * (m * d), m * (a + t * d)) _ _ _ _
  · refine le_of_natural_mul_le (Natural.two_pow_pos 149) ?_
    refine OrderedRing.le_trans (OrderedRing.le_of_eq ?_)
      (OrderedRing.le_trans bound.2 (OrderedRing.le_of_eq ?_))
    · exact (ring5 K m t d w z, m * -(t * (d * w - z)), -(t * (m * d * w - m * z))) _ _ _ _ _
    · exact (ring4 K m a t d, m * a + t * (m * d), m * (a + t * d)) _ _ _ _

/-! ### Orders -/

theorem products_reorder {p q : List (Nat × Nat)} (r : Reordered p q) : (terms : List K) → Products p terms →
    ∃ other, Reordered terms other ∧ Products q other := by
  induction r with
  | nil => intro terms h; cases terms with
    | nil => exact ⟨[], Reordered.nil, trivial⟩
    | cons t terms => exact h.elim
  | cons x _ ih => intro terms h; cases terms with
    | nil => exact h.elim
    | cons t terms =>
      obtain ⟨other, r', h'⟩ := ih terms h.2
      exact ⟨t :: other, Reordered.cons t r', h.1, h'⟩
  | swap x y s => intro terms h; cases terms with
    | nil => exact h.elim
    | cons t terms => cases terms with
      | nil => exact h.2.elim
      | cons t' terms => exact ⟨t' :: t :: terms, Reordered.swap t t' terms, h.2.1, h.1, h.2.2⟩
  | trans _ _ ih1 ih2 => intro terms h
                         obtain ⟨one, r1, h1⟩ := ih1 terms h
                         obtain ⟨two, r2, h2⟩ := ih2 one h1
                         exact ⟨two, Reordered.trans r1 r2, h2⟩

theorem reordered_symm {s t : List K} (r : Reordered s t) : Reordered t s := by
  induction r with
  | nil => exact Reordered.nil
  | cons x _ ih => exact Reordered.cons x ih
  | swap x y s => exact Reordered.swap y x s
  | trans _ _ ih1 ih2 => exact Reordered.trans ih2 ih1

end Binary32

/-! ### Nodes -/

theorem Bilinear.products_are_products {bits : Nat → Nat} {slots : Nat → K}
    (h : ∀ i, natural (2 ^ 149) * slots i = scaled (bits i)) (terms sources i : Nat) :
    Products (Bilinear.pairs bits terms sources i) (Bilinear.products slots terms sources i) := by
  have all : (n : Nat) → (slot : Nat → Nat) →
    Products (listed n fun k => [Prod.mk (bits (slot (2 * k))) (bits (slot (2 * k + 1)))])
      (listed n fun k => [natural (2 ^ 149) * (slots (slot (2 * k)) * slots (slot (2 * k + 1)))]) :=
          fun n => by
    induction n with
    | zero => exact fun _ => trivial
    | succ n ih =>
      intro slot
      refine ⟨?_, ih fun j => slot (j + 2)⟩
      show natural (2 ^ 149) * (natural (2 ^ 149) * (slots (slot 0) * slots (slot 1))) =
        scaled (bits (slot 0)) * scaled (bits (slot 1))
      rw [← h, ← h]
      exact (ring3 K n x z, n * (n * (x * z)), n * x * (n * z)) _ _ _
  have z := all terms fun j => word sources (2 * (terms * i) + j)
  have same : ∀ k, 2 * (terms * i) + 2 * k = 2 * (k + terms * i) := fun k => by rw [Nat.mul_add, Nat.add_comm]
  have f : (fun k => [Prod.mk (bits (word sources (2 * (terms * i) + 2 * k)))
        (bits (word sources (2 * (terms * i) + (2 * k + 1))))]) =
      fun k => [Prod.mk (bits (word sources (2 * (k + terms * i))))
            (bits (word sources (2 * (k + terms * i) + 1)))] :=
    funext fun k => by rw [← Nat.add_assoc, same]
  have g : (fun k => [natural (2 ^ 149) * (slots (word sources (2 * (terms * i) + 2 * k)) *
            slots (word sources (2 * (terms * i) + (2 * k + 1))))]) =
      fun k => [natural (2 ^ 149) * Bilinear.product slots terms sources i k] :=
    funext fun k => by rw [← Nat.add_assoc, same]; rfl
  rw [f, g] at z
  exact z

theorem Node.evaluates_holds {bits : Nat → Nat} {slots : Nat → K}
    (finite : ∀ i, exponent (bits i) < 255 ∧ bits i < 2 ^ 32)
    (h : ∀ i, natural (2 ^ 149) * slots i = scaled (bits i)) :
    (node : Node) → (start : Nat) → node.Evaluates bits start → node.Holds .binary32 slots start
  | .affine a, start, e => fun position row hp hr => by
    obtain ⟨pair, pairs, order, result⟩ := e position row hp hr
    obtain ⟨other, order', products⟩ := products_reorder order _ (a.terms_are_products h position row)
    have last := (finite (start + (row + a.rows * position))).1
    cases result with
    | inl result =>
      rw [result.2] at last
      refine ⟨scaled (sequential 0 (pair :: pairs)),
          IsSum.reorder (reordered_symm order') (sequential_is_execution products last), ?_⟩
      rw [h, result.1, result.2]
      exact Affine.divides_one _
    | inr result =>
      obtain ⟨y, hy, value, hd, result⟩ := result
      rw [result] at last
      refine ⟨scaled (sequential 0 (pair :: pairs)),
        IsSum.reorder (reordered_symm order') (sequential_is_execution products (div_finite last)), ?_⟩
      rw [h, result]
      exact div_divides hd hy value last
  | .relu first count, start, e => fun i hi => by
    obtain ⟨f, g⟩ := finite (first + i)
    exact evaluator_relu f g (h _) (by rw [h, e i hi])
  | .maximum count sources, start, e => fun i hi => by
    obtain ⟨f1, g1⟩ := finite (word sources (2 * i))
    obtain ⟨f2, g2⟩ := finite (word sources (2 * i + 1))
    refine IsMaximum.of_scaled (Natural.two_pow_pos 149) ?_
    rw [h, h, h, e i hi]
    exact maximum_selects K f1 f2 g1 g2
  | .minimum count sources, start, e => fun i hi => by
    obtain ⟨f1, g1⟩ := finite (word sources (2 * i))
    obtain ⟨f2, g2⟩ := finite (word sources (2 * i + 1))
    refine IsMinimum.of_scaled (Natural.two_pow_pos 149) ?_
    rw [h, h, h, e i hi]
    exact minimum_selects K f1 f2 g1 g2
  | .curve _ _ _, _, e => False.elim e
  | .bilinear count terms sources, start, e => fun i hi => by
    obtain ⟨pair, pairs, order, result⟩ := e i hi
    obtain ⟨other, order', products⟩ :=
      products_reorder order _ (Bilinear.products_are_products h terms sources i)
    have last := (finite (start + i)).1
    show IsSum (Bilinear.products slots terms sources i) (natural (2 ^ 149) * slots (start + i))
    rw [h, result]
    rw [result] at last
    exact IsSum.reorder (reordered_symm order') (sequential_is_execution products last)
  | .quotient _ _, _, e => False.elim e

theorem NodesEvaluate.hold {bits : Nat → Nat} {slots : Nat → K}
    (finite : ∀ i, exponent (bits i) < 255 ∧ bits i < 2 ^ 32)
    (h : ∀ i, natural (2 ^ 149) * slots i = scaled (bits i)) :
    (nodes : List Node) → (start : Nat) → NodesEvaluate bits start nodes →
    NodesHold .binary32 slots start nodes
  | [], _, _ => trivial
  | node :: rest, start, e =>
    ⟨node.evaluates_holds finite h start e.1, NodesEvaluate.hold finite h rest _ e.2⟩

/-- **The evaluator's run is an execution**: the slots hold the numbers of the evaluator's patterns. -/
theorem Graph.Evaluates.executes {g : Graph} {bits : Nat → Nat} {slots : Nat → K} (e : g.Evaluates bits)
    (h : ∀ i, natural (2 ^ 149) * slots i = scaled (bits i)) : Executes .binary32 g slots := by
  refine ⟨eq_of_natural_mul_eq (Natural.two_pow_pos 149) ?_,
      eq_of_natural_mul_eq (Natural.two_pow_pos 149) ?_, NodesEvaluate.hold e.finite h _ _ e.nodes⟩
  · rw [h, e.zero, scaled_zero, OrderedRing.mul_zero]
  · have s : sign 0x3F800000 = 0 := by decide +kernel
    have m : magnitude 0x3F800000 = 2 ^ 149 := by decide +kernel
    have one : (scaled 0x3F800000 : K) = natural (2 ^ 149) := by unfold scaled; rw [s, m]
    rw [h, e.one, one, OrderedRing.mul_on]

end PytestTorchLean
