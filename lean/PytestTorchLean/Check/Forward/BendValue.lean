prelude
import PytestTorchLean.Check.Forward.Relu
/-!
# The line of one ReLU

The lines that the checker computes for one value lie on the right side of the ReLU of every number between
its bounds.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-! ### One value -/

theorem isRelu_scaled {x y : K} (h : IsRelu x y) {c : K} (hc : 0 ≤ c) : IsRelu (c * x) (c * y) := by
  cases h with
  | inl h => exact Or.inl ⟨mul_nonneg hc h.1, by rw [h.2]⟩
  | inr h =>
    refine Or.inr ⟨?_, by rw [h.2, mul_zero]⟩
    have z := mul_le_left hc h.1
    rw [mul_zero] at z; exact z

/-- A coefficient after its slope: at most `2^bits` below the exact product, never above. -/
theorem tilt_bracket {c bits x a : Nat} (ha : a ≤ 2 ^ bits) :
    natural (2 ^ bits) * ((natural (tilt c bits x a) : K) - natural c) ≤ natural a * (natural x - natural c) ∧
    natural a * (natural x - natural c) ≤
      natural (2 ^ bits) * ((natural (tilt c bits x a) : K) - natural c) + natural (2 ^ bits) := by
  have pos := Natural.two_pow_pos bits
  have low := natural_le (K := K) (Rows.mul_div_le (x * a + c * (2 ^ bits - a)) (2 ^ bits) pos)
  have high := natural_le (K := K) (Rows.lt_mul_div (x * a + c * (2 ^ bits - a)) (2 ^ bits) pos)
  have last := natural_le (K := K) (Natural.sub_le (2 ^ bits) 1)
  rw [natural_mul, natural_add, natural_mul, natural_mul, Linear.natural_sub ha] at low
  rw [natural_add, natural_add, natural_mul, natural_mul, natural_mul, Linear.natural_sub ha] at high
  unfold tilt
  generalize (natural ((x * a + c * (2 ^ bits - a)) / 2 ^ bits) : K) = t at *
  generalize (natural (2 ^ bits) : K) = q at *
  generalize (natural (2 ^ bits - 1) : K) = m at *
  constructor
  · exact le_cert ((ring5 K q t c a x, a * (x - c) - q * (t - c), x * a + c * (q - a) - q * t) _ _ _ _ _)
      (sub_nonneg low)
  · refine le_cert ?_ (add_nonneg (sub_nonneg high) (sub_nonneg last))
    exact
      (ring8 K q t c a x m u v, q * (t - c) + q - a * (x - c), (q * t + m - (x * a + c * (q - a))) + (q - m))
      q t (natural c) (natural a) (natural x) m 0 0
theorem tilt_near {c bits x a : Nat} (ha : a ≤ 2 ^ bits) :
    AtMost
    (natural (2 ^ bits) * ((natural (tilt c bits x a) : K) - natural c) - natural a * (natural x - natural c))
    (natural (2 ^ bits)) := by
  obtain ⟨h1, h2⟩ := tilt_bracket (K := K) (c := c) (x := x) ha
  have q := natural_nonneg (K := K) (2 ^ bits)
  constructor
  · exact le_cert ((ring3 K a b q, q - (a - b), (b - a) + q) _ _ _) (add_nonneg (sub_nonneg h1) q)
  · exact le_cert ((ring3 K a b q, q - -(a - b), a + q - b) _ _ _) (sub_nonneg h2)

/-- How far the sums of the tilted coefficients are from the slope times the sums. -/
theorem tilted_sum {c bits a : Nat} (ha : a ≤ 2 ^ bits) (side : Band → Nat) {bands : List Band}
    {magnitudes : List Nat} {deviations : List K} (small : Small magnitudes deviations) :
    AtMost (natural (2 ^ bits) *
        combined (fun b => (natural (tilt c bits (side b) a) : K) - natural c) bands deviations -
      natural a * combined (fun b => natural (side b) - natural c) bands deviations)
    (natural (2 ^ bits) * natural (totalOf magnitudes)) := by
  rw [← combined_scale, ← combined_scale, ← natural_mul]
  exact combined_near small (every_of (fun b => tilt_near ha) bands)

/-- The step is large enough for all roundings. -/
theorem step_large (total fraction : Nat) : total ≤ 2 ^ fraction * (total / 2 ^ fraction + 1) := by
  have pos := Natural.two_pow_pos fraction
  refine Nat.le_trans (Rows.lt_mul_div total _ pos) ?_
  rw [Nat.mul_succ]
  exact Nat.add_le_add Nat.le.refl (Natural.sub_le _ 1)

/-- A coefficient's line from below, where `q * y` is at least `a * x`. -/
theorem lower_tilt {q a T S L L' c0 c1 r x y : K} {bits : Nat}
    (hq : natural (2 ^ bits) = q)
    (ha0 : 0 ≤ a)
    (hT : 0 ≤ T)
    (constant : q * c1 ≤ a * c0)
    (sum : AtMost (q * L' - a * L) (q * S))
    (enough : S ≤ T * r)
    (one : a * x ≤ q * y)
    (bound : c0 * T + L ≤ x) :
    (c1 - r) * T + L' ≤ y := by
  have pos := Natural.two_pow_pos bits
  refine cancel_natural (K := K) pos ?_
  rw [hq]
  have q0 : 0 ≤ q := by rw [← hq]; exact natural_nonneg _
  have t1 := mul_nonneg hT (sub_nonneg constant)
  have t2 := sub_nonneg sum.1
  have t3 := mul_nonneg q0 (sub_nonneg enough)
  have t4 := mul_nonneg ha0 (sub_nonneg bound)
  have t5 := sub_nonneg one
  refine le_trans ?_ one
  refine le_trans ?_ (mul_le_left ha0 bound)
  refine le_cert ?_ (add_nonneg t1 (add_nonneg t2 t3))
  exact (ring8 K q a T S l m c z, a * (c * T) + a * l - (q * z + q * m),
        T * (a * c - 0) + (q * S - (q * m - a * l)) + (0 - q * z) - q * S) q a T S L L' c0 ((c1 - r) * T) |>
      fun t => by
    rw [mul_add, mul_add, t]
    exact (ring8 K q a T S r c0 c1 w, T * (a * c0 - 0) + w + (0 - q * ((c1 - r) * T)) - q * S,
        T * (a * c0 - q * c1) + (w + q * (T * r - S))) q a T S r c0 c1 (q * S - (q * L' - a * L))

theorem lower_line {q a T S L L' c0 c1 r x y : K} {bits : Nat}
    (hq : natural (2 ^ bits) = q)
    (ha0 : 0 ≤ a)
    (haq : a ≤ q)
    (hT : 0 ≤ T)
    (constant : q * c1 ≤ a * c0)
    (sum : AtMost (q * L' - a * L) (q * S))
    (enough : S ≤ T * r)
    (h : IsRelu x y)
    (bound : c0 * T + L ≤ x) :
    (c1 - r) * T + L' ≤ y := by
  refine lower_tilt hq ha0 hT constant sum enough ?_ bound
  cases h with
  | inl h => rw [h.2]; exact mul_le_right h.1 haq
  | inr h =>
    rw [h.2, mul_zero]
    have z := mul_le_left ha0 h.1
    rw [mul_zero] at z; exact z

/-- A coefficient's line from above, where `q * y` is at most the tilted form and its offset. -/
theorem upper_tilt {q a T S U U' c0 c1 r m y : K} {bits : Nat}
    (hq : natural (2 ^ bits) = q)
    (hT : 0 ≤ T)
    (constant : a * c0 ≤ q * c1 + q)
    (sum : AtMost (q * U' - a * U) (q * S))
    (enough : S ≤ T * r)
    (line : q * y ≤ a * (c0 * T + U) + T * (q * m)) :
    y ≤ (c1 + (m + (r + 1))) * T + U' := by
  have pos := Natural.two_pow_pos bits
  refine cancel_natural (K := K) pos ?_
  rw [hq]
  have q0 : 0 ≤ q := by rw [← hq]; exact natural_nonneg _
  refine le_trans line ?_
  have t1 := mul_nonneg hT (sub_nonneg constant)
  have t2 := sub_nonneg sum.2
  have t3 := mul_nonneg q0 (sub_nonneg enough)
  refine le_cert ?_ (add_nonneg t1 (add_nonneg t2 t3))
  rw [mul_add, mul_add]
  exact (ring8 K q a T S l n c z, q * z + q * n - (a * (c * T) + a * l + 0),
        (0 - a * (c * T)) + (q * S - -(q * n - a * l)) + q * z - q * S) q a T S U U' c0
      ((c1 + (m + (r + 1))) * T) |> fun t => by
    have e : q * ((c1 + (m + (r + 1))) * T) + q * U' - (a * (c0 * T) + a * U + T * (q * m)) =
        q * ((c1 + (m + (r + 1))) * T) + q * U' - (a * (c0 * T) + a * U + 0) - T * (q * m) :=
          (ring3 K x y z, x - (y + z), x - (y + 0) - z) _ _ _
    rw [e, t]
    have f := (ring8 K q a T S r c0 c1 m,
        (0 - a * (c0 * T)) + q * ((c1 + (m + (r + 1))) * T) - q * S - T * (q * m),
        T * (q * c1 + q - a * c0) + q * (T * r - S)) q a T S r c0 c1 m
    generalize q * S - -(q * U' - a * U) = w
    rw [(ring5 K u w v z m, u + w + v - z - m, (u + v - z - m) + w) (0 - a * (c0 * T)) w
        (q * ((c1 + (m + (r + 1))) * T)) (q * S) (T * (q * m)), f]
    exact (ring3 K a b c, a + b + c, a + (c + b)) _ _ _

theorem upper_line {q a T S U U' c0 c1 r m x y d p : K} {bits : Nat}
    (hq : natural (2 ^ bits) = q)
    (ha0 : 0 ≤ a)
    (haq : a ≤ q)
    (hT : 0 ≤ T)
    (constant : a * c0 ≤ q * c1 + q)
    (sum : AtMost (q * U' - a * U) (q * S))
    (enough : S ≤ T * r)
    (h : IsRelu x y)
    (bound : x ≤ c0 * T + U)
    (low : -(T * d) ≤ c0 * T + U)
    (high : x ≤ T * p)
    (left : a * d ≤ q * m)
    (right : (q - a) * p ≤ q * m) :
    y ≤ (c1 + (m + (r + 1))) * T + U' := by
  refine upper_tilt hq hT constant sum enough ?_
  cases h with
  | inl h =>
    rw [h.2]
    have b1 := mul_nonneg ha0 (sub_nonneg bound)
    have b2 := mul_nonneg (sub_nonneg haq) (sub_nonneg high)
    have b3 := mul_nonneg hT (sub_nonneg right)
    refine le_cert ?_ (add_nonneg b1 (add_nonneg b2 b3))
    exact (ring8 K q a T m p x v w, a * v + T * (q * m) - q * x,
        a * (v - x) + ((q - a) * (T * p - x) + T * (q * m - (q - a) * p))) q a T m p x (c0 * T + U) 0
  | inr h =>
    rw [h.2, mul_zero]
    have b1 := mul_nonneg ha0 (sub_nonneg low)
    have b3 := mul_nonneg hT (sub_nonneg left)
    refine le_cert ?_ (add_nonneg b1 b3)
    exact (ring8 K q a T m d v w z, a * v + T * (q * m) - 0, a * (v - -(T * d)) + T * (q * m - a * d)) q a T m
      d (c0 * T + U) 0 0

/-- How far a form reaches, in fixed point. -/
theorem reach_within {c0 U : K} {T radius reach : Nat} (hr : reach ≤ T * radius)
    (h : AtMost U (natural reach)) :
    c0 * natural T + U ≤ natural T * (c0 + natural radius) ∧
    natural T * (c0 - natural radius) ≤ c0 * natural T + U := by
  have g := natural_le (K := K) hr
  rw [natural_mul] at g
  exact ⟨le_cert
      ((ring5 K c T r u m, T * (c + r) - (c * T + u), (m - u) + (T * r - m)) _ _ _ _ (natural reach))
      (add_nonneg (sub_nonneg h.1) (sub_nonneg g)), le_cert
      ((ring5 K c T r u m, c * T + u - T * (c - r), (m - -u) + (T * r - m)) _ _ _ _ (natural reach))
      (add_nonneg (sub_nonneg h.2) (sub_nonneg g))⟩
end Forward
end PytestTorchLean
