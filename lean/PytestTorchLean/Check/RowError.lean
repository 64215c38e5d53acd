prelude
import PytestTorchLean.Check.ReluNode
import PytestTorchLean.Check.Zeros
/-!
# The rounding error of a row

The sum of a row's products may be rounded in any order, then divided. Here both errors become one integer
that bounds how far the output is from what the decoded weights say.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Affine

/-- What a division adds to the relative error, in units of `2^-48`. -/
def dividing (divisor : Nat) : Nat := Bool.casesOn (motive := fun _ => Nat) (Nat.beq divisor 1) (6 * 2 ^ 24) 0
/-- What a division adds to the underflow. -/
def dividingLoss (n divisor : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.beq divisor 1) (n + divisor) 0
/-- The relative error of a row of `n` products, in units of `2^-48`. -/
def relativeError (n divisor : Nat) : Nat := growth n + dividing divisor
/-- What underflow adds, in units of `2^-149`. -/
def underflow (n divisor : Nat) : Nat := n + n + dividingLoss n divisor

/-- The error of a row of `n` products that are not 0, in units of `2^-48`: `weight` bounds the sum of their
    absolute values,
    `larger` the sum of those above 0, and of those below. -/
def signedError (n divisor weight larger : Nat) : Nat :=
  roundingShare n * (weight + (n - 1) * larger) + dividing divisor * weight

theorem growth_small {n : Nat} (h : n ≤ 2 ^ 22) : growth n ≤ 2 ^ 48 :=
  Nat.le_trans (growth_mono h) (by decide +kernel)

/-- The error of the division. -/
theorem divided {n divisor : Nat} {m w s r : K}
    (hn : n ≤ 2 ^ 22)
    (hm : 0 ≤ m)
    (hw : 0 ≤ w)
    (h : Divides divisor s r)
    (hs : AtMost (natural (2 ^ 48) * (m * s))
      (natural (2 ^ 48) * w + (natural (growth n) * w + natural (2 ^ 48) * natural (n + n) * m))) :
    AtMost (natural (2 ^ 48) * (m * (natural divisor * r - s)))
    (natural (dividing divisor) * w + natural (2 ^ 48) * natural (dividingLoss n divisor) * m) := by
  cases one : Nat.beq divisor 1 with
  | true =>
    have one := Nat.eq_of_beq_eq_true one
    subst one
    have e : natural 1 * r - s = 0 := by
      rw [h.1 rfl]
      show (1 : K) * s - s = 0
      rw [one_mul]; exact add_neg' s
    rw [e, mul_zero, mul_zero]
    exact AtMost.zero (add_nonneg (mul_nonneg (natural_nonneg _) hw)
        (mul_nonneg (mul_nonneg (natural_nonneg _) (natural_nonneg _)) hm))
  | false =>
    have e1 : dividing divisor = 6 * 2 ^ 24 := by unfold dividing; rw [one]
    have e2 : dividingLoss n divisor = n + divisor := by unfold dividingLoss; rw [one]
    rw [e1, e2]
    have d0 := natural_nonneg (K := K) (2 ^ 48)
    have q0 := natural_nonneg (K := K) (2 ^ 24)
    have key : ∀ a, AtMost s a →
      natural (2 ^ 48) * (m * a) ≤
        natural (2 ^ 48) * w + (natural (growth n) * w + natural (2 ^ 48) * natural (n + n) * m) →
        AtMost (natural (2 ^ 24) * (natural (2 ^ 48) * (m * (natural divisor * r - s))))
          (natural (2 ^ 24) * (natural (6 * 2 ^ 24) * w + natural (2 ^ 48) * natural (n + divisor) * m)) :=
              fun a ha hb => by
      have z := (h.2 a ha).mul_left (mul_nonneg d0 hm)
      have f : natural (2 ^ 48) * m * (natural (2 ^ 24) * (natural divisor * r - s)) =
          natural (2 ^ 24) * (natural (2 ^ 48) * (m * (natural divisor * r - s))) :=
        (ring4 K d m q x, d * m * (q * x), q * (d * (m * x))) _ _ _ _
      rw [f] at z
      refine z.weaken ?_
      have g : (natural (growth n) : K) ≤ natural (2 ^ 48) := natural_le (growth_small hn)
      have c6 : (natural 3 * (natural (2 ^ 48) + natural (2 ^ 48)) : K) =
          natural (2 ^ 24) * natural (6 * 2 ^ 24) := by
        rw [← natural_add, ← natural_mul, ← natural_mul]
      have small : (natural 3 * natural (n + n) : K) ≤ natural (2 ^ 24) * natural n := by
        rw [← natural_mul, ← natural_mul, ← Natural.two_mul, ← Nat.mul_assoc]
        exact natural_le (Nat.mul_le_mul (by decide +kernel) Nat.le.refl)
      have t := mul_le_left (natural_nonneg (K := K) 3) hb
      have t2 : (natural (divisor * 2 ^ 24) : K) = natural (2 ^ 24) * natural divisor := by
        rw [natural_mul, mul_comm]
      rw [mul_add, t2]
      have r1 : natural (2 ^ 48) * m * (natural 3 * a) = natural 3 * (natural (2 ^ 48) * (m * a)) :=
        (ring4 K d m c x, d * m * (c * x), c * (d * (m * x))) _ _ _ _
      rw [r1]
      refine le_trans (add_le _ t) ?_
      have p1 := mul_nonneg hw
        (sub_nonneg (mul_le_left (natural_nonneg (K := K) 3) (add_le_add (le_refl (natural (2 ^ 48))) g)))
      have p2 := mul_nonneg (mul_nonneg d0 hm) (sub_nonneg small)
      refine le_cert ?_ (add_nonneg p1 p2)
      rw [c6, mul_add (natural (2 ^ 24)), natural_add n divisor]
      generalize (natural (6 * 2 ^ 24) : K) = six at *
      generalize (natural (2 ^ 24) : K) = q at *
      generalize (natural (2 ^ 48) : K) = d at *
      generalize (natural (growth n) : K) = grown at *
      generalize (natural 3 : K) = three at *
      generalize (natural (n + n) : K) = nn at *
      generalize (natural n : K) = x at *
      generalize (natural divisor : K) = y at *
      have a1 :
          q * (six * w) + q * (d * (x + y) * m) = w * (q * six) + (d * m * (q * x) + d * m * (q * y)) := by
        rw [(ring3 K q s w, q * (s * w), w * (q * s)) q six w]
        rw [(ring5 K q d x y m, q * (d * (x + y) * m), d * m * (q * x) + d * m * (q * y)) q d x y m]
      have a2 :
          three * (d * w + (grown * w + d * nn * m)) = w * (three * (d + grown)) + d * m * (three * nn) := by
        have z := (ring5 K t d w g k, t * (d * w + (g * w + k)), w * (t * (d + g)) + t * k) three d w grown
          (d * nn * m)
        rw [z, (ring4 K t d n m, t * (d * n * m), d * m * (t * n)) three d nn m]
      rw [a1, a2]
      generalize three * (d + grown) = v
      generalize d * m = p
      have z :=
        (ring5 K w p a b c, w * a + (p * b + c), w * a + p * b + c) w p (q * six) (q * x) (p * (q * y))
      rw [z]
      have z2 := (ring5 K w a v p b, w * a + p * b - w * v, w * (a - v) + p * b) w (q * six) v p (q * x)
      have z3 : w * (q * six) + p * (q * x) + p * (q * y) - (w * v + p * (three * nn) + p * (q * y)) =
          w * (q * six) + p * (q * x) - w * v - p * (three * nn) :=
        (ring4 K a b c d, a + c - (b + d + c), a - b - d) (w * (q * six) + p * (q * x)) (w * v) (p * (q * y))
          (p * (three * nn))
      rw [z3, z2]
      exact (ring4 K a p b c, a + p * b - p * c, a + p * (b - c)) (w * (q * six - v)) p (q * x) (three * nn)
    cases le_total 0 s with
    | inl g => exact AtMost.cancel (Natural.two_pow_pos 24) (key s (AtMost.of_le g (le_refl _)) hs.1)
    | inr g =>
      have z := (AtMost.of_le (neg_nonneg g) (le_refl (-s))).neg
      rw [neg_neg] at z
      refine AtMost.cancel (Natural.two_pow_pos 24) (key (-s) z ?_)
      rw [mul_neg, mul_neg]; exact hs.2

theorem total_listed : (n : Nat) → (f : Nat → List K) → total (listed n f) = sum n (fun i => total (f i))
  | 0, _ => rfl
  | n + 1, f => by
    show total (joined (f 0) (listed n fun i => f (i + 1))) = total (f 0) + sum n (fun i => total (f (i + 1)))
    rw [total_joined, total_listed n]
theorem length_listed {c : Nat} :
    (n : Nat) → (f : Nat → List K) → (∀ i, (f i).length = c) → (listed n f).length = n * c
  | 0, _, _ => (Nat.zero_mul _).symm
  | n + 1, f, h => by
    show (joined (f 0) (listed n fun i => f (i + 1))).length = (n + 1) * c
    rw [length_joined, length_listed n _ (fun i => h (i + 1)), h 0, Nat.succ_mul, Nat.add_comm]
/-- The terms of a row add up to its form. -/
theorem total_terms (a : Affine) (slots : Nat → K) (position row : Nat) :
    total (a.terms slots position row) = a.form slots position row := by
  unfold terms form
  rw [total_listed]
  refine Columns.sum_congr fun lane _ => ?_
  rw [total_listed]
  exact Columns.sum_congr fun column _ => add_zer _
theorem length_terms (a : Affine) (slots : Nat → K) (position row : Nat) :
    (a.terms slots position row).length = a.columns := by
  unfold terms
  exact length_listed (c := a.laneColumns) a.lanes _
    (fun lane => (length_listed (c := 1) a.laneColumns _ (fun _ => rfl)).trans (Natural.mul_one _))

/-- **The error of a row.** `error` bounds it if it is large enough for the weight of the products. -/
theorem near {s : Scale} {a : Affine} {d : Decoding} {slots : Nat → K} {position row weight error : Nat}
    {y c : K}
    (h1 : 1 ≤ d.base)
    (h2 : d.base ≤ 150)
    (hn : a.columns ≤ 2 ^ 22)
    (hw : Weighs (natural s.unit) (a.terms slots position row) (natural (2 ^ (d.base - 1)) * natural weight))
    (h : a.Computes .binary32 slots position row y)
    (hc : natural (2 ^ (d.base - 1)) * c = a.form slots position row)
    (large : relativeError a.columns a.divisor * (2 ^ (d.base - 1) * weight) +
        2 ^ 48 * underflow a.columns a.divisor * s.unit ≤ 2 ^ 48 * (2 ^ (d.base - 1) * error)) :
    AtMost (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * y - c)) (natural error) := by
  obtain ⟨r, hr, hd⟩ := h
  rw [← natural_mul] at hw
  generalize hW : 2 ^ (d.base - 1) * weight = W at *
  have near := hr.near (Natural.le_of_eq (length_terms a slots position row)) hn (natural_nonneg s.unit) hw
  rw [total_terms] at near
  have size := (hw.total.mul_left (natural_nonneg (2 ^ 48))).add near
  rw [total_terms, ← mul_add, ← mul_add, (ring2 K s a, s + (a - s), a) (a.form slots position row) r] at size
  have div := divided hn (natural_nonneg s.unit) (natural_nonneg W) hd size
  have z := near.add div
  rw [← mul_add, ← mul_add] at z
  have e : r - a.form slots position row + (natural a.divisor * (natural (2 ^ 149) * y) - r) =
      natural (2 ^ (d.base - 1)) * (natural (a.divisor * 2 ^ (150 - d.base)) * y - c) := by
    rw [← hc, ← base_split h1 h2, natural_mul a.divisor, natural_mul (2 ^ (d.base - 1))]
    generalize (natural (2 ^ (d.base - 1)) : K) = p
    generalize (natural (2 ^ (150 - d.base)) : K) = q
    have x := (ring3 K r f x, r - f + (x - r), x - f) r (p * c) (natural a.divisor * (p * q * y))
    rw [x]
    exact (ring5 K n p q y c, n * (p * q * y) - p * c, p * (n * q * y - c)) _ _ _ _ _
  rw [e] at z
  have pos := Natural.two_pow_pos (d.base - 1)
  refine AtMost.cancel (Natural.two_pow_pos 48) (AtMost.cancel pos ?_)
  have e2 : natural (2 ^ 48) *
    (natural s.unit * (natural (2 ^ (d.base - 1)) * (natural (a.divisor * 2 ^ (150 - d.base)) * y - c))) =
      natural (2 ^ (d.base - 1)) *
          (natural (2 ^ 48) * (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * y - c))) :=
    (ring4 K d u p x, d * (u * (p * x)), p * (d * (u * x))) _ _ _ _
  rw [e2] at z
  refine z.weaken ?_
  have l := natural_le (K := K) large
  have e3 : natural (2 ^ (d.base - 1)) * (natural (2 ^ 48) * natural error) =
      (natural (2 ^ 48 * (2 ^ (d.base - 1) * error)) : K) := by
    rw [← natural_mul, ← natural_mul, Nat.mul_left_comm]
  rw [e3]
  refine le_trans (le_of_eq ?_) l
  unfold relativeError underflow
  generalize a.columns + a.columns = n
  rw [Nat.add_mul, Nat.mul_add, Nat.add_mul, natural_add, natural_add, natural_add, ← natural_mul,
      ← natural_mul, ← natural_mul, ← natural_mul, ← natural_mul, ← natural_mul]
  exact (ring4 K a b c d, a + b + (c + d), a + c + (b + d)) _ _ _ _

/-- The same, where the sum of the products above 0 is bounded, and that of those below, and at most `count`
    products are not 0. -/
theorem near_signed {s : Scale} {a : Affine} {d : Decoding} {slots : Nat → K}
    {position row up down larger count error : Nat} {y c : K}
    (h1 : 1 ≤ d.base)
    (h2 : d.base ≤ 150)
    (hn : a.columns ≤ 2 ^ 22)
    (hw : Leans (natural s.unit) (a.terms slots position row) (natural (2 ^ (d.base - 1)) * natural up)
      (natural (2 ^ (d.base - 1)) * natural down))
    (few : Few (a.terms slots position row) count)
    (hup : up ≤ larger)
    (hdown : down ≤ larger)
    (h : a.Computes .binary32 slots position row y)
    (hc : natural (2 ^ (d.base - 1)) * c = a.form slots position row)
    (large : 2 ^ (d.base - 1) * signedError count a.divisor (up + down) larger +
        2 ^ 48 * underflow a.columns a.divisor * s.unit ≤ 2 ^ 48 * (2 ^ (d.base - 1) * error)) :
    AtMost (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * y - c)) (natural error) := by
  obtain ⟨r, hr, hd⟩ := h
  have len := Natural.le_of_eq (length_terms a slots position row)
  have hweigh := hw.weighs
  rw [← natural_mul, ← natural_mul, ← natural_add, ← Nat.mul_add] at hweigh
  rw [← natural_mul, ← natural_mul] at hw
  generalize hW : 2 ^ (d.base - 1) * (up + down) = W at *
  have near := hr.near len hn (natural_nonneg s.unit) hweigh
  have close := hr.close len hn few (larger := natural (2 ^ (d.base - 1) * larger)) (natural_nonneg s.unit)
    hweigh hw (natural_le (Nat.mul_le_mul Nat.le.refl hup)) (natural_le (Nat.mul_le_mul Nat.le.refl hdown))
  rw [total_terms] at near close
  have size := (hweigh.total.mul_left (natural_nonneg (2 ^ 48))).add near
  rw [total_terms, ← mul_add, ← mul_add, (ring2 K s a, s + (a - s), a) (a.form slots position row) r] at size
  have div := divided hn (natural_nonneg s.unit) (natural_nonneg W) hd size
  have z := close.add div
  rw [← mul_add, ← mul_add] at z
  have e : r - a.form slots position row + (natural a.divisor * (natural (2 ^ 149) * y) - r) =
      natural (2 ^ (d.base - 1)) * (natural (a.divisor * 2 ^ (150 - d.base)) * y - c) := by
    rw [← hc, ← base_split h1 h2, natural_mul a.divisor, natural_mul (2 ^ (d.base - 1))]
    generalize (natural (2 ^ (d.base - 1)) : K) = p
    generalize (natural (2 ^ (150 - d.base)) : K) = q
    have x := (ring3 K r f x, r - f + (x - r), x - f) r (p * c) (natural a.divisor * (p * q * y))
    rw [x]
    exact (ring5 K n p q y c, n * (p * q * y) - p * c, p * (n * q * y - c)) _ _ _ _ _
  rw [e] at z
  refine AtMost.cancel (Natural.two_pow_pos 48) (AtMost.cancel (Natural.two_pow_pos (d.base - 1)) ?_)
  have e2 : natural (2 ^ 48) *
    (natural s.unit * (natural (2 ^ (d.base - 1)) * (natural (a.divisor * 2 ^ (150 - d.base)) * y - c))) =
      natural (2 ^ (d.base - 1)) *
          (natural (2 ^ 48) * (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * y - c))) :=
    (ring4 K d u p x, d * (u * (p * x)), p * (d * (u * x))) _ _ _ _
  rw [e2] at z
  refine z.weaken ?_
  have l := natural_le (K := K) large
  have e3 : natural (2 ^ (d.base - 1)) * (natural (2 ^ 48) * natural error) =
      (natural (2 ^ 48 * (2 ^ (d.base - 1) * error)) : K) := by
    rw [← natural_mul, ← natural_mul, Nat.mul_left_comm]
  rw [e3]
  refine le_trans (le_of_eq ?_) l
  unfold signedError underflow
  generalize a.columns + a.columns = n
  rw [← natural_mul (count - 1), ← natural_add W, ← natural_mul, ← natural_mul, ← natural_mul, ← natural_mul,
      ← natural_mul, ← natural_mul, ← natural_add, ← natural_add, ← natural_add, ← hW]
  refine congrArg natural ?_
  generalize 2 ^ 48 = q
  generalize 2 ^ (d.base - 1) = p
  generalize roundingShare count = f
  generalize dividing a.divisor = g
  generalize dividingLoss a.columns a.divisor = t
  generalize up + down = w
  simp only [Nat.mul_add, Nat.add_mul, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm, Nat.add_assoc,
      Nat.add_left_comm, Nat.add_comm]

/-- No sum of the row overflows. -/
theorem finite_row {s : Scale} {a : Affine} {d : Decoding} {slots : Nat → K} {position row weight limit : Nat}
    (hu : 0 < s.unit)
    (hn : a.columns ≤ 2 ^ 22)
    (hw : Weighs (natural s.unit) (a.terms slots position row) (natural (2 ^ (d.base - 1)) * natural weight))
    (hl : weight ≤ limit)
    (room : (2 ^ 48 + growth a.columns) * (2 ^ (d.base - 1) * limit) +
        2 ^ 48 * (a.columns + a.columns) * s.unit < 2 ^ 48 * s.unit * overflowThreshold) :
    NeverOverflows (a.terms slots position row) := by
  rw [← natural_mul] at hw
  exact neverOverflows hu hn (Natural.le_of_eq (length_terms a slots position row))
    (hw.mono (natural_le (Nat.mul_le_mul Nat.le.refl hl))) room

end Affine
end PytestTorchLean
