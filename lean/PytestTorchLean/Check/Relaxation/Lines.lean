prelude
import PytestTorchLean.Check.Compose
import PytestTorchLean.Check.Passed
/-!
# Backward substitution of linear forms: the mathematics

A *form* is a linear combination of values whose coefficients are differences of naturals. To bound a
form from below, the values it speaks of are replaced by what is known of them: the value after a ReLU by
one of two lines over the value before it, the output of an affine node by its row (up to the row's
rounding error), an input by its bounds. Each theorem below is one such replacement: a new form, up to a
positive factor and a natural number, lies below the old one.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Relaxation

/-- `f 0 + ... + f (n - 1)` for naturals. -/
def tally : Nat → (Nat → Nat) → Nat
  | 0, _ => 0
  | n + 1, f => f 0 + tally n (fun i => f (i + 1))

/-- `(p 0 - q 0) * x 0 + ... + (p (n - 1) - q (n - 1)) * x (n - 1)`, from naturals `p` and `q`. -/
def form (n : Nat) (p q : Nat → Nat) (x : Nat → K) : K := sum n fun j => (natural (p j) - natural (q j)) * x j

/-! ### Sums -/

theorem sum_le {n : Nat} {f g : Nat → K} (h : ∀ i, i < n → f i ≤ g i) : sum n f ≤ sum n g := by
  induction n generalizing f g with
  | zero => exact le_refl _
  | succ n ih =>
    exact add_le_add (Natural.forall_zero (p := fun i => f i ≤ g i) h)
      (ih (Natural.forall_succ (p := fun i => f i ≤ g i) h))
theorem sum_add (n : Nat) (f g : Nat → K) : sum n (fun i => f i + g i) = sum n f + sum n g := by
  induction n generalizing f g with
  | zero => exact (add_zer _).symm
  | succ n ih =>
    show f 0 + g 0 + sum n (fun i => f (i + 1) + g (i + 1)) = f 0 + sum n _ + (g 0 + sum n _)
    rw [ih (fun i => f (i + 1)) (fun i => g (i + 1))]
    exact (ring4 K a b c d, a + b + (c + d), a + c + (b + d)) _ _ _ _
theorem sum_mul (n : Nat) (c : K) (f : Nat → K) : sum n (fun i => c * f i) = c * sum n f := by
  induction n generalizing f with
  | zero => exact (mul_zero _).symm
  | succ n ih =>
    show c * f 0 + sum n (fun i => c * f (i + 1)) = c * (f 0 + sum n _)
    rw [ih (fun i => f (i + 1)), mul_add]
theorem sum_zero (n : Nat) : sum n (fun _ => (0 : K)) = 0 := by
  induction n with
  | zero => rfl
  | succ n ih => show (0 : K) + sum n _ = 0; rw [ih, add_zer]
theorem natural_tally (n : Nat) (f : Nat → Nat) :
    (natural (tally n f) : K) = sum n fun i => natural (f i) := by
  induction n generalizing f with
  | zero => rfl
  | succ n ih => show natural (f 0 + tally n _) = _; rw [natural_add, ih (fun i => f (i + 1))]; rfl
theorem tally_congr {n : Nat} {f g : Nat → Nat} (h : ∀ i, i < n → f i = g i) : tally n f = tally n g := by
  induction n generalizing f g with
  | zero => rfl
  | succ n ih =>
    show f 0 + tally n _ = g 0 + tally n _
    rw [Natural.forall_zero (p := fun i => f i = g i) h, ih (Natural.forall_succ (p := fun i => f i = g i) h)]

/-! ### Through a ReLU -/

/-- A line through 0 with a slope between 0 and 1 lies below the ReLU. -/
theorem relu_lower {x y : K} (h : IsRelu x y) {a d : Nat} (ha : a ≤ d) : natural a * x ≤ natural d * y := by
  cases h with
  | inl h =>
    obtain ⟨h0, e⟩ := h
    rw [e]; exact mul_le_right h0 (natural_le ha)
  | inr h =>
    obtain ⟨h0, e⟩ := h
    rw [e, mul_zero]
    have z := mul_le_left (natural_nonneg (K := K) a) h0
    rw [mul_zero] at z; exact z

/-- A line that lies above the ReLU at both ends of the interval lies above it everywhere. -/
theorem relu_upper {x y l u : K} (h : IsRelu x y) (hl : l ≤ x) (hu : x ≤ u) {a d : Nat} (ha : a ≤ d) {m : K}
    (left : 0 ≤ natural a * l + m) (right : (natural d - natural a) * u ≤ m) :
    natural d * y ≤ natural a * x + m := by
  cases h with
  | inl h =>
    obtain ⟨_, e⟩ := h
    rw [e]
    have c := mul_le_left (sub_nonneg (natural_le (K := K) ha)) hu
    refine le_cert ?_ (add_nonneg (sub_nonneg c) (sub_nonneg right))
    exact (ring5 K a d x u m, a * x + m - d * x, ((d - a) * u - (d - a) * x) + (m - (d - a) * u)) _ _ _ _ _
  | inr h =>
    obtain ⟨_, e⟩ := h
    rw [e, mul_zero]
    exact le_trans left (add_le m (mul_le_left (natural_nonneg a) hl))

/-- The same from fixed-point bounds `l` and `c + c - m`: an offset that is large enough at both ends of the
    interval. -/
theorem relu_offset {x y : K} (h : IsRelu x y) {l m c a d offset : Nat}
    (hl : natural l ≤ x + natural c)
    (hu : x + natural m ≤ natural c)
    (ha : a ≤ d)
    (left : a * (c - l) ≤ offset)
    (right : (d - a) * (c - m) ≤ offset) :
    natural d * y ≤ natural a * x + natural offset := by
  have low : natural l - natural c ≤ x :=
    le_cert ((ring3 K l c x, x - (l - c), x + c - l) _ _ _) (sub_nonneg hl)
  have high : x ≤ natural c - natural m :=
    le_cert ((ring3 K m c x, c - m - x, c - (x + m)) _ _ _) (sub_nonneg hu)
  refine relu_upper h low high ha ?_ ?_
  · have e := natural_le (K := K) left
    rw [natural_mul] at e
    have t := mul_le_left (natural_nonneg (K := K) a) (Rows.sub_ge (K := K) c l)
    refine le_cert ?_ (add_nonneg (sub_nonneg t) (sub_nonneg e))
    exact (ring5 K a l c m w, a * (l - c) + m - 0, (a * w - a * (c - l)) + (m - a * w)) _ _ _ _
      (natural (c - l))
  · have e := natural_le (K := K) right
    rw [natural_mul, Linear.natural_sub ha] at e
    exact le_trans (mul_le_left (sub_nonneg (natural_le ha)) (Rows.sub_ge c m)) e

/-- The value after the ReLU replaced by lines: the lower line where its coefficient is positive, the upper
    line where it is negative. -/
theorem form_relu {n d : Nat} {p q lower upper offset : Nat → Nat} {x y : Nat → K}
    (h1 : ∀ j, j < n → natural (lower j) * x j ≤ natural d * y j)
    (h2 : ∀ j, j < n → natural d * y j ≤ natural (upper j) * x j + natural (offset j)) :
    form n (fun j => p j * lower j) (fun j => q j * upper j) x ≤
    natural d * form n p q y + natural (tally n fun j => q j * offset j) := by
  unfold form
  rw [natural_tally, ← sum_mul, ← sum_add]
  refine sum_le fun j hj => ?_
  rw [natural_mul, natural_mul, natural_mul]
  have a := mul_nonneg (natural_nonneg (K := K) (p j)) (sub_nonneg (h1 j hj))
  have b := mul_nonneg (natural_nonneg (K := K) (q j)) (sub_nonneg (h2 j hj))
  exact le_cert ((ring8 K p q s t d x y m, d * ((p - q) * y) + q * m - (p * s - q * t) * x,
        p * (d * y - s * x) + q * (t * x + m - d * y)) (natural (p j)) (natural (q j)) (natural (lower j))
      (natural (upper j)) (natural d) (x j) (y j) (natural (offset j))) (add_nonneg a b)

/-! ### Through an affine node -/

/-- The output of an affine node replaced by its row: `e * y i = c i`, up to the row's error. -/
theorem form_near {m e : Nat} {p q error : Nat → Nat} {y c : Nat → K}
    (h : ∀ i, i < m → AtMost (natural e * y i - c i) (natural (error i))) :
    form m p q c ≤ natural e * form m p q y + natural (tally m fun i => (p i + q i) * error i) := by
  unfold form
  rw [natural_tally, ← sum_mul, ← sum_add]
  refine sum_le fun i hi => ?_
  obtain ⟨h1, h2⟩ := h i hi
  rw [natural_mul, natural_add]
  have a := mul_nonneg (natural_nonneg (K := K) (q i)) (sub_nonneg h1)
  have b := mul_nonneg (natural_nonneg (K := K) (p i)) (sub_nonneg h2)
  exact le_cert ((ring8 K p q s t d x y m, d * ((p - q) * y) + (p + q) * m - (p - q) * x,
        q * (m - (d * y - x)) + p * (m - -(d * y - x))) (natural (p i)) (natural (q i)) 0 0 (natural e) (c i)
      (y i) (natural (error i))) (add_nonneg a b)

/-! ### Other coefficients -/

/-- Only the differences of the coefficients matter. -/
theorem form_cancel (n : Nat) (p q : Nat → Nat) (x : Nat → K) :
    form n (fun j => p j - q j) (fun j => q j - p j) x = form n p q x :=
  Columns.sum_congr fun j _ => by rw [Compose.truncated_sub]

/-- Coefficients rounded down to multiples of `c`: the rest is charged against bounds of the values. -/
theorem form_quotient {n c : Nat} (hc : 0 < c) {p q radius : Nat → Nat} {x : Nat → K}
    (h : ∀ j, j < n → AtMost (x j) (natural (radius j))) :
    natural c * form n (fun j => p j / c) (fun j => q j / c) x ≤
    form n p q x + natural ((c - 1) * tally n radius) := by
  unfold form
  rw [natural_mul, natural_tally, ← sum_mul, ← sum_mul, ← sum_add]
  refine sum_le fun j hj => ?_
  have rest :
      ∀ a : Nat, ∃ r, r ≤ c - 1 ∧ (natural a : K) = natural r + natural c * natural (a / c) := fun a =>
    ⟨a % c,
        Nat.le_of_succ_le_succ (by show _ ≤ c - 1 + 1; rw [Natural.succ_pred hc]; exact Natural.mod_lt hc a),
        by rw [← natural_mul, ← natural_add, Natural.mod_add_div hc]⟩
  obtain ⟨r, hr, e1⟩ := rest (p j)
  obtain ⟨t, ht, e2⟩ := rest (q j)
  rw [e1, e2]
  obtain ⟨h1, h2⟩ := h j hj
  -- (r - t) * x + (c - 1) * radius is a combination of products of naturals
  have r0 := natural_nonneg (K := K) r
  have t0 := natural_nonneg (K := K) t
  have r1 := sub_nonneg (natural_le (K := K) hr)
  have t1 := sub_nonneg (natural_le (K := K) ht)
  have m0 : (0 : K) ≤ natural (radius j) := natural_nonneg _
  have low := sub_nonneg h2
  have high := sub_nonneg h1
  have goal : 0 ≤ (natural r - natural t) * x j + natural (c - 1) * (natural (radius j) : K) := by
    cases Nat.le_total r t with
    | inl g =>
      have d := sub_nonneg (natural_le (K := K) g)
      refine le_trans (add_nonneg (mul_nonneg d high) (add_nonneg (mul_nonneg t1 m0) (mul_nonneg r0 m0)))
        (le_of_eq ?_)
      exact (ring5 K r t c x m, (t - r) * (m - x) + ((c - t) * m + r * m), (r - t) * x + c * m) _ _ _ _ _
    | inr g =>
      have d := sub_nonneg (natural_le (K := K) g)
      refine le_trans (add_nonneg (mul_nonneg d low) (add_nonneg (mul_nonneg r1 m0) (mul_nonneg t0 m0)))
        (le_of_eq ?_)
      exact (ring5 K r t c x m, (r - t) * (m - -x) + ((c - r) * m + t * m), (r - t) * x + c * m) _ _ _ _ _
  refine le_cert ?_ goal
  exact
    (ring8 K r t c a b x m o, (r + c * a - (t + c * b)) * x + o * m - c * ((a - b) * x), (r - t) * x + o * m)
    (natural r) (natural t) (natural c) _ _ (x j) (natural (radius j)) (natural (c - 1))

/-! ### To the bounds of the values -/

/-- Every value replaced by its lower bound where its coefficient is positive, by its upper bound where it is
    negative. `mirrored j` is twice the center less the upper bound, as in the memory. -/
theorem form_bounds {n c : Nat} {p q lower mirrored : Nat → Nat} {x : Nat → K}
    (h : ∀ j, j < n → natural (lower j) ≤ x j + natural c ∧ x j + natural (mirrored j) ≤ natural c) :
    natural (tally n fun j => p j * lower j + q j * mirrored j) ≤
    form n p q x + natural (c * tally n fun j => p j + q j) := by
  unfold form
  rw [natural_mul, natural_tally, natural_tally, ← sum_mul, ← sum_add]
  refine sum_le fun j hj => ?_
  obtain ⟨h1, h2⟩ := h j hj
  rw [natural_add, natural_add, natural_mul, natural_mul]
  have a := mul_nonneg (natural_nonneg (K := K) (p j)) (sub_nonneg h1)
  have b := mul_nonneg (natural_nonneg (K := K) (q j)) (sub_nonneg h2)
  exact le_cert ((ring8 K p q l m c x y z, (p - q) * x + c * (p + q) - (p * l + q * m),
        p * (x + c - l) + q * (c - (x + m))) (natural (p j)) (natural (q j)) (natural (lower j))
      (natural (mirrored j)) (natural c) (x j) 0 0) (add_nonneg a b)

end Relaxation
end PytestTorchLean
