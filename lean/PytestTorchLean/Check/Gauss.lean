prelude
import PytestTorchLean.Check.Logarithm
/-!
# Bounds of the Gauss integral

Sums of the series of `e^(x^2)` times the integral of `e^(-t^2)`, rounded down or up, and enclosures of
`e^(x^2)` enclose the integral at a fixed-point number; two such enclosures at 5 bound its limit.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Gauss
variable {e integral : K → K} {limit : K}

/-- `count` more terms of the series in units of `1 / 2^bits`, with `twice / square` for `2 x^2`; `extra` is 1
    to round up. -/
def series (extra twice square count : Nat) : Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun _ term sum next => next term sum)
    (fun _ rest odd term sum next => force (fun term' =>
        force (fun sum' => force (fun odd' => rest odd' term' sum' next) (Nat.add odd 2)) (Nat.add sum term'))
      (Nat.add (Nat.div (Nat.mul twice term) (Nat.mul square odd)) extra)) count
theorem series_succ (extra twice square count odd term sum : Nat) (next : Nat → Nat → Bool) :
    series extra twice square (count + 1) odd term sum next =
    series extra twice square count (odd + 2) (twice * term / (square * odd) + extra)
      (sum + (twice * term / (square * odd) + extra)) next := by
  unfold series
  simp only [force_eq]
  rfl

/-- The next term of the series exists. -/
theorem next_term (he : IsExponential e) {x term : K} (n : Nat) :
    ∃ term', natural (2 * n + 3) * term' = natural 2 * (x * x) * term :=
  he.part (Nat.succ_le_succ (Nat.zero_le _)) _

theorem term_eq {square twice odd : Nat} {x t t' : K}
    (hx : natural 2 * (natural square * (x * x)) = natural twice)
    (h : natural odd * t' = natural 2 * (x * x) * t) :
    natural (square * odd) * t' = natural twice * t := by
  rw [natural_mul, mul_assoc, h, ← hx]
  exact (ring4 K s w y t, s * (w * y * t), w * (s * y) * t) _ _ _ _

theorem series_below (he : IsExponential e) {square twice : Nat} {x D : K} (hs : 0 < square)
    (hx : natural 2 * (natural square * (x * x)) = natural twice) (hD : 0 ≤ D) :
    (count n term sum : Nat) → (t s : K) → (next : Nat → Nat → Bool) →
    GaussSeries x n t s → natural term ≤ D * t → natural sum ≤ D * s →
    series 0 twice square count (2 * n + 3) term sum next = true →
    ∃ n' t' s' term' sum', GaussSeries x n' t' s' ∧ natural sum' ≤ D * s' ∧ next term' sum' = true
  | 0, n, term, sum, t, s, next, hn, ht, hsum, h => ⟨n, t, s, term, sum, hn, hsum, h⟩
  | count + 1, n, term, sum, t, s, next, hn, ht, hsum, h => by
    rw [series_succ] at h
    obtain ⟨t', e'⟩ := next_term he (x := x) (term := t) n
    have odd : 0 < square * (2 * n + 3) := Nat.mul_pos hs (Nat.succ_le_succ (Nat.zero_le _))
    have low : natural (twice * term / (square * (2 * n + 3)) + 0) ≤ D * t' := by
      apply cancel_natural odd
      rw [← natural_mul]
      refine le_trans (natural_le (Rows.mul_div_le _ _ odd)) ?_
      rw [mul_left_comm, term_eq hx e', natural_mul, mul_left_comm]
      exact mul_le_left (natural_nonneg twice) ht
    refine series_below he hs hx hD count (n + 1) _ _ t' (s + t') next (.next hn e') low ?_ h
    rw [natural_add, mul_add]
    exact add_le_add hsum low

theorem series_above (he : IsExponential e) {square twice : Nat} {x D : K} (hs : 0 < square)
    (hx : natural 2 * (natural square * (x * x)) = natural twice) (hD : 0 ≤ D) :
    (count n term sum : Nat) → (t s : K) → (next : Nat → Nat → Bool) →
    GaussSeries x n t s → D * t ≤ natural term → D * s ≤ natural sum →
    series 1 twice square count (2 * n + 3) term sum next = true →
    ∃ n' t' s' term' sum',
      GaussSeries x n' t' s' ∧ D * t' ≤ natural term' ∧ D * s' ≤ natural sum' ∧ next term' sum' = true
  | 0, n, term, sum, t, s, next, hn, ht, hsum, h => ⟨n, t, s, term, sum, hn, ht, hsum, h⟩
  | count + 1, n, term, sum, t, s, next, hn, ht, hsum, h => by
    rw [series_succ] at h
    obtain ⟨t', e'⟩ := next_term he (x := x) (term := t) n
    have odd : 0 < square * (2 * n + 3) := Nat.mul_pos hs (Nat.succ_le_succ (Nat.zero_le _))
    have high : D * t' ≤ natural (twice * term / (square * (2 * n + 3)) + 1) := by
      apply cancel_natural odd
      rw [← natural_mul]
      refine le_trans ?_ (natural_le (Nat.le_trans (Rows.lt_mul_div (twice * term) _ odd)
            (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))))
      rw [mul_left_comm, term_eq hx e', natural_mul, mul_left_comm]
      exact mul_le_left (natural_nonneg twice) ht
    refine series_above he hs hx hD count (n + 1) _ _ t' (s + t') next (.next hn e') high ?_ h
    rw [natural_add, mul_add]
    exact add_le_add hsum high

/-- Terms that make the rest small, for `x` up to 5. -/
def terms (n unit : Nat) : Nat := Nat.add 16 (Nat.div (Nat.mul 3 (Nat.mul n n)) (Nat.mul unit unit))

/-- A fraction at or below the integral up to `n / unit`. -/
def below (unit bits count n : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun square => force (fun argument => force (fun measure => force (fun one => force (fun first =>
      both (both (Nat.ble 1 unit) (Nat.ble (Nat.succ argument) measure))
        (force (fun grown =>
              force (fun twice => force (fun many => series 0 twice square many 3 first first fun _ sum =>
            force (fun a => force (next a) (Nat.mul grown one)) (Nat.mul one sum))
          (terms n unit)) (Nat.mul 2 argument)) (Exponential.up bits count measure one argument)))
    (Nat.div (Nat.mul n one) unit)) (Nat.pow 2 bits)) (Nat.mul square (Nat.pow 256 count))) (Nat.mul n n))
    (Nat.mul unit unit)

/-- A fraction at or above the integral up to `n / unit`. -/
def above (unit bits count n : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun square => force (fun argument => force (fun measure => force (fun one => force (fun first =>
      both (Nat.ble 1 unit)
        (force (fun grown =>
              force (fun twice => force (fun many => series 1 twice square many 3 first first fun term sum =>
            force (fun rest => force (fun all => both (Nat.ble (Nat.succ rest) all)
                (force (fun a => force (next a) (Nat.mul (Nat.sub all rest) grown))
                    (Nat.mul (Nat.mul unit one) sum)))
              (Nat.mul unit one)) (Nat.mul (Nat.mul 2 n) term))
          (terms n unit)) (Nat.mul 2 argument)) (Exponential.down bits count measure one argument)))
    (Nat.succ (Nat.div (Nat.mul n one) unit))) (Nat.pow 2 bits)) (Nat.mul square (Nat.pow 256 count)))
      (Nat.mul n n)) (Nat.mul unit unit)

theorem square_eq {unit n : Nat} {x : K} (hx : natural unit * x = natural n) :
    natural (unit * unit) * (x * x) = natural (n * n) := by
  rw [natural_mul, natural_mul n, ← hx]
  exact (ring2 K u x, u * u * (x * x), u * x * (u * x)) _ _

theorem below_sound
    (he : IsExponential e)
    (hg : IsGauss e integral limit)
    {unit bits count n : Nat} {next : Nat → Nat → Bool} {x : K}
    (hx : natural unit * x = natural n)
    (h0 : 0 ≤ x)
    (h : below unit bits count n next = true) :
    ∃ a b, natural a ≤ integral x * natural b ∧ next a b = true := by
  unfold below at h
  simp only [force_eq] at h
  obtain ⟨c, h⟩ := both_true h
  obtain ⟨hu, small⟩ := both_true c
  have hu : 0 < unit := Nat.le_of_ble_eq_true hu
  have small : n * n < unit * unit * 256 ^ count := Nat.le_of_ble_eq_true small
  have hs : 0 < unit * unit := Nat.mul_pos hu hu
  have sq := square_eq hx
  have grown := Exponential.up_sound (bits := bits) he small (le_of_eq sq)
  have D0 := natural_nonneg (K := K) (2 ^ bits)
  have first : natural (n * 2 ^ bits / unit) ≤ natural (2 ^ bits) * x := by
    apply cancel_natural hu
    rw [← natural_mul]
    refine le_trans (natural_le (Rows.mul_div_le _ _ hu)) (le_of_eq ?_)
    rw [natural_mul, ← hx]; exact (ring3 K u x d, u * x * d, u * (d * x)) _ _ _
  have two : natural 2 * (natural (unit * unit) * (x * x)) = natural (2 * (n * n)) := by
    rw [sq, ← natural_mul]
  obtain ⟨k, t, s, term, sum, hk, hsum, h⟩ :=
    series_below he hs two D0 (terms n unit) 0 _ _ x x _ .first first first h
  refine ⟨_, _, ?_, h⟩
  have low := (hg.2.2.1 x k t s h0 hk).1
  show natural (2 ^ bits * sum) ≤
    integral x * natural (Exponential.up bits count (unit * unit * 256 ^ count) (2 ^ bits) (n * n) * 2 ^ bits)
  generalize Exponential.up bits count (unit * unit * 256 ^ count) (2 ^ bits) (n * n) = g at *
  have one := he.neg (x * x)
  have e0 := he.nonneg (-(x * x))
  have g0 := natural_nonneg (K := K) g
  rw [natural_mul, natural_mul]
  -- 2^bits ≤ e^(-x^2) g
  have up := mul_le_left e0 grown
  have e1 : e (-(x * x)) * (natural (2 ^ bits) * e (x * x)) = natural (2 ^ bits) := by
    rw [mul_left_comm, mul_comm (e (-(x * x))), one, mul_on]
  rw [e1] at up
  have a := mul_le_mul D0 (natural_nonneg sum) up hsum
  have b := mul_le_right (mul_nonneg g0 D0) low
  refine le_trans a (le_trans (le_of_eq ?_) b)
  exact (ring4 K E g d s, E * g * (d * s), E * s * (g * d)) _ _ _ _

theorem integral_nonneg (he : IsExponential e) (hg : IsGauss e integral limit) {x : K} (h0 : 0 ≤ x) :
    0 ≤ integral x :=
  le_trans (mul_nonneg (he.nonneg _) h0) (hg.2.2.1 x 0 x x h0 .first).1

theorem above_sound
    (he : IsExponential e)
    (hg : IsGauss e integral limit)
    {unit bits count n : Nat} {next : Nat → Nat → Bool} {x : K}
    (hx : natural unit * x = natural n)
    (h0 : 0 ≤ x)
    (h : above unit bits count n next = true) :
    ∃ a b, integral x * natural b ≤ natural a ∧ next a b = true := by
  unfold above at h
  simp only [force_eq] at h
  obtain ⟨hu, h⟩ := both_true h
  have hu : 0 < unit := Nat.le_of_ble_eq_true hu
  have hs : 0 < unit * unit := Nat.mul_pos hu hu
  have sq := square_eq hx
  have grown := Exponential.down_sound (bits := bits) (count := count) he hs (le_of_eq sq.symm)
  have D0 := natural_nonneg (K := K) (2 ^ bits)
  have first : natural (2 ^ bits) * x ≤ natural (n * 2 ^ bits / unit + 1) := by
    apply cancel_natural hu
    rw [← natural_mul]
    refine le_trans (le_of_eq ?_) (natural_le (Nat.le_trans (Rows.lt_mul_div (n * 2 ^ bits) _ hu)
        (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))))
    rw [natural_mul, ← hx]; exact (ring3 K u x d, u * (d * x), u * x * d) _ _ _
  have two : natural 2 * (natural (unit * unit) * (x * x)) = natural (2 * (n * n)) := by
    rw [sq, ← natural_mul]
  obtain ⟨k, t, s, term, sum, hk, hterm, hsum, h⟩ :=
    series_above he hs two D0 (terms n unit) 0 _ _ x x _ .first first first h
  obtain ⟨r, h⟩ := both_true h
  have r : 2 * n * term ≤ unit * 2 ^ bits :=
    Nat.le_of_succ_le_succ (Nat.le_trans (Nat.le_of_ble_eq_true r) (Nat.le_add_right _ 1))
  refine ⟨_, _, ?_, h⟩
  have high := (hg.2.2.1 x k t s h0 hk).2
  have G0 := integral_nonneg he hg h0
  show integral x * natural ((unit * 2 ^ bits - 2 * n * term) *
          Exponential.down bits count (unit * unit * 256 ^ count) (2 ^ bits) (n * n)) ≤
    natural (unit * 2 ^ bits * sum)
  generalize Exponential.down bits count (unit * unit * 256 ^ count) (2 ^ bits) (n * n) = g at *
  have one := he.neg (x * x)
  have e0 := he.nonneg (-(x * x))
  have g0 := natural_nonneg (K := K) g
  have u0 := natural_nonneg (K := K) unit
  have down := mul_le_left e0 grown
  have e1 : e (-(x * x)) * (natural (2 ^ bits) * e (x * x)) = natural (2 ^ bits) := by
    rw [mul_left_comm, mul_comm (e (-(x * x))), one, mul_on]
  rw [e1] at down
  rw [natural_mul, Linear.natural_sub r, natural_mul unit, natural_mul (2 * n), natural_mul 2,
      natural_mul (unit * 2 ^ bits), natural_mul unit, ← hx]
  -- the rest of the series, the sum, and the exponential, one after the other
  have p1 := mul_nonneg
    (mul_nonneg (mul_nonneg (mul_nonneg G0 (natural_nonneg (K := K) 2)) (mul_nonneg u0 h0)) g0)
    (sub_nonneg hterm)
  have p2 := mul_le_left (mul_nonneg (mul_nonneg u0 D0) g0) high
  have p3 := mul_le_left (mul_nonneg (mul_nonneg u0 e0) g0) hsum
  have p4 := mul_le_left (mul_nonneg u0 (natural_nonneg (K := K) sum)) down
  generalize integral x = G at *
  generalize e (-(x * x)) = E at *
  generalize (natural (2 ^ bits) : K) = D at *
  generalize (natural unit : K) = u at *
  generalize (natural g : K) = g at *
  generalize (natural sum : K) = S at *
  generalize (natural term : K) = T at *
  generalize (natural 2 : K) = w at *
  have s1 : G * ((u * D - w * (u * x) * T) * g) ≤ G * ((u * D - w * (u * x) * (D * t)) * g) :=
    le_cert ((ring8 K G w u x g T D t,
          G * ((u * D - w * (u * x) * (D * t)) * g) - G * ((u * D - w * (u * x) * T) * g),
          G * w * (u * x) * g * (T - D * t)) G w u x g T D t) p1
  have s2 : G * ((u * D - w * (u * x) * (D * t)) * g) = u * D * g * (G * (1 - w * x * t)) :=
    (ring8 K G w u x g D t z, G * ((u * D - w * (u * x) * (D * t)) * g), u * D * g * (G * (1 - w * x * t))) G
      w u x g D t 0
  have s3 : u * D * g * (E * s) = u * E * g * (D * s) :=
    (ring5 K u D g E s, u * D * g * (E * s), u * E * g * (D * s)) _ _ _ _ _
  have s4 : u * E * g * S = u * S * (E * g) := (ring4 K u E g S, u * E * g * S, u * S * (E * g)) _ _ _ _
  have s5 : u * S * D = u * D * S := (ring3 K u S D, u * S * D, u * D * S) _ _ _
  refine le_trans s1 (le_trans (le_of_eq s2) (le_trans p2 (le_trans (le_of_eq s3)
      (le_trans p3 (le_trans (le_of_eq s4) (le_trans p4 (le_of_eq s5)))))))

/-! ### The limit -/

/-- The limit is about `limitUnits * 2^-60`. -/
def limitBelow : Nat := 974416809381
def limitAbove : Nat := 974416809385
def limitUnit : Nat := 2 ^ 40

theorem limit_below_check :
    below 1 128 7 5 (fun a b => both (Nat.ble 1 b) (Nat.ble (limitBelow * b) (a * limitUnit))) = true := by
  decide +kernel
theorem limit_above_check :
    above 1 128 7 5 (fun a b => both (Nat.ble 1 b)
        (force (fun g =>
            both (Nat.ble 1 g) (Nat.ble (limitUnit * (10 * a * g + 2 ^ 128 * b)) (limitAbove * (10 * b * g))))
          (Exponential.down 128 7 (1 * 1 * 256 ^ 7) (2 ^ 128) (5 * 5)))) = true := by
  decide +kernel

theorem limit_from_below {U A a b : Nat} {I c : K} (b0 : 0 < b) (g : A * b ≤ a * U)
    (h : natural a ≤ I * natural b) (less : I ≤ c) :
    natural A ≤ natural U * c := by
  apply cancel_natural b0
  have g := natural_le (K := K) g
  rw [natural_mul, natural_mul] at g
  have t := mul_le_right (natural_nonneg (K := K) U) (le_trans h (mul_le_right (natural_nonneg b) less))
  refine le_trans (le_of_eq (mul_comm _ _)) (le_trans g (le_trans t (le_of_eq ?_)))
  exact (ring3 K c b u, c * b * u, b * (u * c)) _ _ _

theorem limit_from_above {U A M a b d w : Nat} {I E c : K}
    (w0 : 0 < w)
    (b0 : 0 < b)
    (d0 : 0 < d)
    (g : U * (w * a * d + M * b) ≤ A * (w * b * d))
    (h : I * natural b ≤ natural a)
    (more : natural w * (c - I) ≤ E)
    (down : E * natural d ≤ natural M) :
    natural U * c ≤ natural A := by
  apply cancel_natural (Nat.mul_pos (Nat.mul_pos w0 b0) d0)
  have g := natural_le (K := K) g
  rw [natural_mul, natural_mul A, natural_add, natural_mul (w * a), natural_mul w, natural_mul M,
      natural_mul (w * b), natural_mul w] at g
  rw [natural_mul (w * b), natural_mul w]
  have U0 := natural_nonneg (K := K) U
  have B0 := natural_nonneg (K := K) b
  have D0 := natural_nonneg (K := K) d
  have p1 := mul_le_left (mul_nonneg (mul_nonneg U0 B0) D0) more
  have p2 := mul_le_left (mul_nonneg U0 B0) down
  have p3 := mul_le_left (mul_nonneg (mul_nonneg U0 (natural_nonneg (K := K) w)) D0) h
  generalize (natural U : K) = U at *
  generalize (natural A : K) = A at *
  generalize (natural M : K) = M at *
  generalize (natural b : K) = b at *
  generalize (natural a : K) = a at *
  generalize (natural d : K) = d at *
  generalize (natural w : K) = w at *
  have s1 : w * b * d * (U * c) = U * b * d * (w * (c - I)) + U * w * d * (I * b) :=
    (ring8 K w b d U c I y z, w * b * d * (U * c), U * b * d * (w * (c - I)) + U * w * d * (I * b)) w b d U c
      I 0 0
  have s2 : U * b * d * E = U * b * (E * d) := (ring4 K U b d E, U * b * d * E, U * b * (E * d)) _ _ _ _
  have s3 : U * b * M + U * w * d * a = U * (w * a * d + M * b) :=
    (ring8 K w b d U a M y z, U * b * M + U * w * d * a, U * (w * a * d + M * b)) w b d U a M 0 0
  rw [s1]
  refine le_trans (add_le_add (le_trans p1 (le_trans (le_of_eq s2) p2)) p3)
    (le_trans (le_of_eq s3) (le_trans g (le_of_eq (mul_comm _ _))))

theorem reciprocal (he : IsExponential e) {M d : Nat} {y : K} (h : natural d ≤ natural M * e y) :
    e (-y) * natural d ≤ natural M := by
  have t := mul_le_left (he.nonneg (-y)) h
  have one : e (-y) * (natural M * e y) = natural M := by
    rw [mul_left_comm, mul_comm (e (-y)), he.neg, mul_on]
  rw [one] at t; exact t

/-- **Enclosure of the limit.** -/
theorem limit_bounds (he : IsExponential e) (hg : IsGauss e integral limit) :
    natural limitBelow ≤ natural limitUnit * limit ∧ natural limitUnit * limit ≤ natural limitAbove := by
  have five : natural 1 * natural 5 = (natural 5 : K) := one_mul _
  have five0 : (0 : K) ≤ natural 5 := natural_nonneg 5
  obtain ⟨less, more⟩ := hg.2.2.2 _ five0
  constructor
  · obtain ⟨a, b, h, g⟩ := below_sound he hg five five0 limit_below_check
    obtain ⟨b0, g⟩ := both_true g
    exact limit_from_below (Nat.le_of_ble_eq_true b0) (Nat.le_of_ble_eq_true g) h less
  · obtain ⟨a, b, h, g⟩ := above_sound he hg five five0 limit_above_check
    obtain ⟨b0, g⟩ := both_true g
    rw [force_eq] at g
    obtain ⟨d0, g⟩ := both_true g
    have sq : natural (1 * 1) * (natural 5 * natural 5) = (natural (5 * 5) : K) := square_eq five
    have down := reciprocal he
      (Exponential.down_sound (bits := 128) (count := 7) he (Nat.succ_le_succ (Nat.zero_le 0))
        (le_of_eq sq.symm))
    have ten : natural 10 * (limit - integral (natural 5)) ≤ e (-(natural 5 * natural 5)) := by
      have t : (natural 10 : K) = natural 2 * natural 5 := natural_mul 2 5
      rw [t]; exact more
    exact limit_from_above (Nat.succ_le_succ (Nat.zero_le 9)) (Nat.le_of_ble_eq_true b0)
      (Nat.le_of_ble_eq_true d0) (Nat.le_of_ble_eq_true g) h ten down
end Gauss
end PytestTorchLean
