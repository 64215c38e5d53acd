prelude
import PytestTorchLean.Check.Relaxation.Lane
/-!
# Products of rows and columns of both signs

Coefficients and weights have signs, digits have none. Both are raised by an offset, multiplied, and what the
offsets add is subtracted again: it is made of the sums of the rows and of the columns. The sums of the
columns come from the same product, from a further row of ones.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### One row and one column -/

/-- A product of raised numbers, and what the offsets add. -/
theorem raised_product {F O : Nat} :
    (m : Nat) → (f g p n : Nat → Nat) → (∀ i, i < m → g i ≤ f i + F) →
    (∀ i, i < m → n i ≤ p i + O) →
    (natural (tally m fun i => (f i + F - g i) * (p i + O - n i)) + natural (m * (F * O)) : K) =
      form m f g (fun i => natural (p i) - natural (n i)) +
        (natural (O * tally m fun i => f i + F - g i) + natural (F * tally m fun i => p i + O - n i))
  | 0, f, g, p, n, _, _ => by
    show (natural 0 : K) + natural (0 * (F * O)) = (0 : K) + (natural (O * 0) + natural (F * 0))
    rw [Nat.zero_mul, Nat.mul_zero, Nat.mul_zero]
    show (0 : K) + 0 = (0 : K) + (0 + 0)
    exact (ring1 K x, 0 + 0, 0 + (0 + 0)) (0 : K)
  | m + 1, f, g, p, n, hg, hn => by
    have ih := raised_product m (fun i => f (i + 1)) (fun i => g (i + 1)) (fun i => p (i + 1))
      (fun i => n (i + 1)) (Natural.forall_succ (p := fun i => g i ≤ f i + F) hg)
      (Natural.forall_succ (p := fun i => n i ≤ p i + O) hn)
    have a := Linear.natural_sub (K := K) (Natural.forall_zero (p := fun i => g i ≤ f i + F) hg)
    have c := Linear.natural_sub (K := K) (Natural.forall_zero (p := fun i => n i ≤ p i + O) hn)
    rw [natural_add] at a c
    show (natural ((f 0 + F - g 0) * (p 0 + O - n 0) +
              tally m fun i => (f (i + 1) + F - g (i + 1)) * (p (i + 1) + O - n (i + 1))) +
          natural ((m + 1) * (F * O)) : K) =
      (natural (f 0) - natural (g 0)) * (natural (p 0) - natural (n 0)) +
        form m _ _ (fun i => natural (p (i + 1)) - natural (n (i + 1))) +
        (natural (O * (f 0 + F - g 0 + tally m fun i => f (i + 1) + F - g (i + 1))) +
            natural (F * (p 0 + O - n 0 + tally m fun i => p (i + 1) + O - n (i + 1))))
    rw [Nat.succ_mul, Nat.mul_add, Nat.mul_add, natural_add, natural_add, natural_add, natural_add,
        natural_mul F O, natural_mul O (f 0 + F - g 0), natural_mul F (p 0 + O - n 0),
        natural_mul (f 0 + F - g 0), a, c]
    generalize (natural (tally m fun i => (f (i + 1) + F - g (i + 1)) * (p (i + 1) + O - n (i + 1))) : K) =
      t at *
    generalize (natural (m * (F * O)) : K) = u at *
    generalize (natural (O * tally m fun i => f (i + 1) + F - g (i + 1)) : K) = v at *
    generalize (natural (F * tally m fun i => p (i + 1) + O - n (i + 1)) : K) = w at *
    generalize (form m (fun i => f (i + 1)) (fun i => g (i + 1))
          (fun i => natural (p (i + 1)) - natural (n (i + 1))) : K) = y at *
    have e : t = y + (v + w) - u := by rw [← ih]; exact (ring2 K t u, t, t + u - u) _ _
    rw [e]
    generalize (natural (f 0) : K) = f0
    generalize (natural (g 0) : K) = g0
    generalize (natural (p 0) : K) = p0
    generalize (natural (n 0) : K) = n0
    have mid : (f0 + natural F - g0) * (p0 + natural O - n0) + natural F * natural O =
        (f0 - g0) * (p0 - n0) + (natural O * (f0 + natural F - g0) + natural F * (p0 + natural O - n0)) :=
      (ring8 K f g p n F O x z, (f + F - g) * (p + O - n) + F * O,
          (f - g) * (p - n) + (O * (f + F - g) + F * (p + O - n))) f0 g0 p0 n0 (natural F) (natural O) 0 0
    have all :
      (f0 + natural F - g0) * (p0 + natural O - n0) + (y + (v + w) - u) + (u + natural F * natural O) =
        ((f0 + natural F - g0) * (p0 + natural O - n0) + natural F * natural O) + (y + (v + w)) :=
      (ring5 K x y z u q, x + (y + z - u) + (u + q), x + q + (y + z)) _ _ _ _ _
    rw [all, mid]
    exact (ring8 K a b c y v w x z, a + (b + c) + (y + (v + w)), a + y + (b + v + (c + w))) _ _ _ _ _ _ 0 0

/-- A form is a difference of naturals. -/
theorem form_difference (m : Nat) (f g p n : Nat → Nat) :
    (form m f g (fun i => natural (p i) - natural (n i)) : K) =
    natural (tally m fun i => f i * p i + g i * n i) - natural (tally m fun i => f i * n i + g i * p i) := by
  unfold form
  rw [natural_tally, natural_tally]
  have e : ∀ (k : Nat) (a c : Nat → K), sum k a - sum k c = sum k fun i => a i - c i := by
    intro k
    induction k with
    | zero => intro a c; exact (ring1 K x, 0 - 0, 0) (0 : K)
    | succ k ih =>
      intro a c
      show a 0 + sum k _ - (c 0 + sum k _) = a 0 - c 0 + sum k _
      rw [← ih (fun i => a (i + 1)) (fun i => c (i + 1))]
      exact (ring4 K a b c d, a + b - (c + d), a - c + (b - d)) _ _ _ _
  rw [e]
  refine Columns.sum_congr fun i _ => ?_
  rw [natural_add, natural_add, natural_mul, natural_mul, natural_mul, natural_mul]
  exact (ring4 K f g p n, (f - g) * (p - n), f * p + g * n - (f * n + g * p)) _ _ _ _

/-- What remains when the offsets' part is subtracted, raised by `2^(b - 2)`. -/
theorem lowered {b m F O : Nat} {f g p n : Nat → Nat}
    (hb : 2 ≤ b)
    (fits : 2 * (m * (F * O)) < 2 ^ (b - 2))
    (hf : ∀ i, i < m → f i ≤ F ∧ g i ≤ F)
    (hp : ∀ i, i < m → p i ≤ O ∧ n i ≤ O)
    {A : Nat}
    (hA : A = (tally m fun i => (f i + F - g i) * (p i + O - n i)) + (2 ^ (b - 2) + m * (F * O)) -
        (O * (tally m fun i => f i + F - g i) + F * tally m fun i => p i + O - n i)) :
    (O * (tally m fun i => f i + F - g i) + F * tally m fun i => p i + O - n i) ≤
      (tally m fun i => (f i + F - g i) * (p i + O - n i)) + (2 ^ (b - 2) + m * (F * O)) ∧
    A < 2 ^ (b - 1) ∧
    (natural A : K) = form m f g (fun i => natural (p i) - natural (n i)) + natural (2 ^ (b - 2)) := by
  have id := fun {K : Type u} [OrderedRing K] => raised_product (K := K) (F := F) (O := O) m f g p n
    (fun i hi => Nat.le_trans (hf i hi).2 (Nat.le_add_left _ _))
    (fun i hi => Nat.le_trans (hp i hi).2 (Nat.le_add_left _ _))
  have parts := fun {K : Type u} [OrderedRing K] => form_difference (K := K) m f g p n
  have small : ∀ (a c : Nat → Nat), (∀ i, i < m → a i ≤ O ∧ c i ≤ O) →
      (tally m fun i => f i * a i + g i * c i) ≤ 2 * (m * (F * O)) := fun a c h => by
    have e : 2 * (m * (F * O)) = m * (F * O + F * O) := by rw [← Natural.two_mul, Nat.mul_left_comm]
    rw [e]
    exact tally_le fun i hi =>
      Nat.add_le_add (Nat.mul_le_mul (hf i hi).1 (h i hi).1) (Nat.mul_le_mul (hf i hi).2 (h i hi).2)
  have up := small p n hp
  have down := small n p (fun i hi => ⟨(hp i hi).2, (hp i hi).1⟩)
  generalize (tally m fun i => (f i + F - g i) * (p i + O - n i)) = raw at *
  generalize (O * tally m fun i => f i + F - g i) = s1 at *
  generalize (F * tally m fun i => p i + O - n i) = s2 at *
  generalize (tally m fun i => f i * p i + g i * n i) = plus at *
  generalize (tally m fun i => f i * n i + g i * p i) = less at *
  have le : s1 + s2 ≤ raw + (2 ^ (b - 2) + m * (F * O)) := Rows.natural_le_reflect (K := K) (by
    have k := id (K := K)
    rw [parts] at k
    have d := natural_le (K := K) (Nat.le_trans down (Natural.le_of_lt fits))
    have q := natural_nonneg (K := K) plus
    rw [natural_add, natural_add, natural_add]
    refine le_cert ?_ (add_nonneg (sub_nonneg d) q)
    have k2 : (natural raw : K) =
        natural plus - natural less + (natural s1 + natural s2) - natural (m * (F * O)) := by
      rw [← k]; exact (ring2 K t u, t, t + u - u) _ _
    rw [k2]
    exact (ring8 K p l a c u v x z, p - l + (a + c) - u + (v + u) - (a + c), v - l + p) _ _ _ _ _ _ 0 0)
  have value :
      (natural A : K) = form m f g (fun i => natural (p i) - natural (n i)) + natural (2 ^ (b - 2)) := by
    have k := id (K := K)
    rw [hA, Linear.natural_sub le, natural_add, natural_add, natural_add]
    generalize (form m f g (fun i => natural (p i) - natural (n i)) : K) = y at *
    have k2 : (natural raw : K) = y + (natural s1 + natural s2) - natural (m * (F * O)) := by
      rw [← k]; exact (ring2 K t u, t, t + u - u) _ _
    rw [k2]
    exact (ring5 K y a c u v, y + (a + c) - u + (v + u) - (a + c), y + v) _ _ _ _ _
  refine ⟨le, ?_, value⟩
  have most : A ≤ plus + 2 ^ (b - 2) := Rows.natural_le_reflect (K := K) (by
    rw [value, parts, natural_add]
    have q := natural_nonneg (K := K) less
    exact le_cert ((ring3 K p l v, p + v - (p - l + v), l) _ _ _) q)
  refine Natural.lt_of_le_of_lt most ?_
  obtain ⟨k, rfl⟩ := Nat.exists_of_le hb
  have e1 : 2 + k - 2 = k := Natural.add_sub_cancel_left 2 k
  have e2 : 2 + k - 1 = k + 1 := Natural.sub_eq_of_add_eq (by rw [Nat.add_comm 2])
  rw [e1] at fits ⊢
  rw [e2, Natural.pow_succ, Natural.two_mul]
  have s := Nat.add_le_add (Natural.lt_of_le_of_lt up fits) (Nat.le.refl (n := 2 ^ k))
  rw [Nat.succ_add] at s
  exact s

end Relaxation
end PytestTorchLean
