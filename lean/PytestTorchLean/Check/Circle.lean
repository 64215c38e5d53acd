prelude
import PytestTorchLean.Check.Around
import PytestTorchLean.Check.Gauss
/-!
# Series of sine and cosine

At a fixed-point number both are enclosed by their series, in fixed point, rounded down and up at once.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Circle

/-- `count` pairs of terms more: `t`, `p`, `m` are at or below the term and the sums, `t'`, `p'`, `m'` at or
    above them, in units of `1 / 2^bits`, with `area / square` for `x^2`. -/
def series (square area count : Nat) :
    Nat → Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive :=
      fun _ => Nat → Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Nat → Nat → Bool) → Bool)
    (fun k t p m t' p' m' next => next k p m t' p' m')
    (fun _ rest k t p m t' p' m' next =>
        force (fun d => force (fun a => force (fun a' => force (fun d' => force (fun b => force (fun b' =>
        force (fun p => force (fun m => force (fun p' =>
                force (fun m' => force (fun k => rest k b p m b' p' m' next) (Nat.add k 4)) (Nat.add m' a'))
              (Nat.add p' b')) (Nat.add m a)) (Nat.add p b))
      (Nat.succ (Nat.div (Nat.mul area a') d'))) (Nat.div (Nat.mul area a) d'))
        (Nat.mul square (Nat.mul (Nat.add k 3) (Nat.add k 4))))
      (Nat.succ (Nat.div (Nat.mul area t') d))) (Nat.div (Nat.mul area t) d))
        (Nat.mul square (Nat.mul (Nat.add k 1) (Nat.add k 2)))) count
theorem series_succ (square area count k t p m t' p' m' : Nat)
    (next : Nat → Nat → Nat → Nat → Nat → Nat → Bool) :
    series square area (count + 1) k t p m t' p' m' next =
    series square area count (k + 4)
      (area * (area * t / (square * ((k + 1) * (k + 2)))) / (square * ((k + 3) * (k + 4))))
      (p + area * (area * t / (square * ((k + 1) * (k + 2)))) / (square * ((k + 3) * (k + 4))))
      (m + area * t / (square * ((k + 1) * (k + 2))))
      (area * (area * t' / (square * ((k + 1) * (k + 2))) + 1) / (square * ((k + 3) * (k + 4))) + 1)
      (p' + (area * (area * t' / (square * ((k + 1) * (k + 2))) + 1) / (square * ((k + 3) * (k + 4))) + 1))
      (m' + (area * t' / (square * ((k + 1) * (k + 2))) + 1)) next := by
  unfold series
  simp only [force_eq]
  rfl

/-- `a` is a number of units at or below `v`, `a'` one at or above it. -/
def Around (D : K) (a a' : Nat) (v : K) : Prop := natural a ≤ D * v ∧ D * v ≤ natural a'

theorem Around.sum {D : K} {a a' b b' : Nat} {v w : K} (h : Around D a a' v) (g : Around D b b' w) :
    Around D (a + b) (a' + b') (v + w) := by
  unfold Around
  rw [natural_add, natural_add, mul_add]
  exact ⟨add_le_add h.1 g.1, add_le_add h.2 g.2⟩

theorem Around.next {D x v w : K} {square area j a a' : Nat} (hs : 0 < square) (hj : 0 < j)
    (hx : natural square * (x * x) = natural area) (h : Around D a a' v) (e : natural j * w = x * x * v) :
    Around D (area * a / (square * j)) (area * a' / (square * j) + 1) w := by
  have d0 : 0 < square * j := Nat.mul_pos hs hj
  have eq : natural (square * j) * (D * w) = natural area * (D * v) := by
    rw [natural_mul, ← hx]
    have t : D * natural square * (natural j * w) = D * natural square * (x * x * v) := by rw [e]
    refine Eq.trans ?_ (Eq.trans t ?_)
    · exact (ring4 K s j D w, s * j * (D * w), D * s * (j * w)) _ _ _ _
    · exact (ring4 K s D x v, D * s * (x * x * v), s * (x * x) * (D * v)) _ _ _ _
  constructor
  · apply cancel_natural d0
    rw [eq, ← natural_mul]
    refine le_trans (natural_le (Rows.mul_div_le _ _ d0)) ?_
    rw [natural_mul]
    exact mul_le_left (natural_nonneg area) h.1
  · apply cancel_natural d0
    rw [eq, ← natural_mul]
    refine le_trans ?_ (natural_le
        (Nat.le_trans (Rows.lt_mul_div (area * a') _ d0) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))))
    rw [natural_mul]
    exact mul_le_left (natural_nonneg area) h.2

/-- What the numbers of the series say of a term and the sums up to it. -/
def Reached (D x : K) (start : Nat) (first : K) (k t p m t' p' m' : Nat) : Prop :=
  ∃ term plus minus, CircleSeries x start first k term plus minus ∧
    Around D t t' term ∧
    Around D p p' plus ∧
    Around D m m' minus

theorem series_sound {e : K → K} (he : IsExponential e) {square area start : Nat} {x D first : K}
    (hs : 0 < square) (hx : natural square * (x * x) = natural area) :
    (count k t p m t' p' m' : Nat) → (next : Nat → Nat → Nat → Nat → Nat → Nat → Bool) →
    Reached D x start first k t p m t' p' m' → series square area count k t p m t' p' m' next = true →
    ∃ k t p m t' p' m', Reached D x start first k t p m t' p' m' ∧ next k p m t' p' m' = true
  | 0, k, t, p, m, t', p', m', next, r, h => ⟨k, t, p, m, t', p', m', r, h⟩
  | count + 1, k, t, p, m, t', p', m', next, r, h => by
    rw [series_succ] at h
    obtain ⟨term, plus, minus, c, ht, hp, hm⟩ := r
    have j0 : 0 < (k + 1) * (k + 2) :=
      Nat.mul_pos (Nat.succ_le_succ (Nat.zero_le _)) (Nat.succ_le_succ (Nat.zero_le _))
    have j1 : 0 < (k + 3) * (k + 4) :=
      Nat.mul_pos (Nat.succ_le_succ (Nat.zero_le _)) (Nat.succ_le_succ (Nat.zero_le _))
    obtain ⟨a, ea⟩ := he.part j0 (x * x * term)
    obtain ⟨b, eb⟩ := he.part j1 (x * x * a)
    have ha := ht.next hs j0 hx ea
    have hb := ha.next hs j1 hx eb
    exact series_sound he hs hx count _ _ _ _ _ _ _ next
      ⟨b, plus + b, minus + a, c.next ea eb, hb, hp.sum hb, hm.sum ha⟩ h

/-- Pairs of terms that make the rest small. -/
def pairs (n unit : Nat) : Nat := Nat.add 4 (Nat.div (Nat.mul 3 n) (Nat.mul 4 unit))

/-- Bounds at `n / unit`, from the first term's. -/
def point (start unit center one n first first' : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun square => force (fun area =>
        force (fun many => series square area many start first first 0 first' first' 0 fun k p m t' p' m' =>
      force (fun least => force (fun most => force (fun less => force (fun more =>
          both (both (Nat.ble less least) (Nat.ble more most))
            (force (fun low => force (fun high => next low high) (Nat.succ (Nat.div (Nat.sub most more) one)))
              (Nat.div (Nat.sub least less) one)))
        (Nat.mul unit m)) (Nat.mul unit
            (Nat.add m'
              (Nat.succ (Nat.div (Nat.mul area t') (Nat.mul square (Nat.mul (Nat.add k 1) (Nat.add k 2))))))))
        (Nat.add (Nat.mul center one) (Nat.mul unit p'))) (Nat.add (Nat.mul center one) (Nat.mul unit p)))
    (pairs n unit)) (Nat.mul n n)) (Nat.mul unit unit)

theorem point_sound {e : K → K}
    (he : IsExponential e)
    {start unit center bits n first first' : Nat} {next : Nat → Nat → Bool} {x one : K}
    (hu : 0 < unit)
    (hx : natural unit * x = natural n)
    (hf : Around (natural (2 ^ bits)) first first' one)
    (h : point start unit center (2 ^ bits) n first first' next = true) :
    ∃ low high,
      (∀ v, Alternates x start one v → Within ⟨unit, center, 0⟩ low high v) ∧ next low high = true := by
  unfold point at h
  simp only [force_eq] at h
  have hs : 0 < unit * unit := Nat.mul_pos hu hu
  have sq : natural (unit * unit) * (x * x) = natural (n * n) := Gauss.square_eq hx
  have zero : Around (natural (2 ^ bits)) 0 0 (0 : K) := by
    unfold Around
    rw [mul_zero]
    exact ⟨le_refl _, le_refl _⟩
  obtain ⟨k, t, p, m, t', p', m', r, h⟩ := series_sound he hs sq (D := natural (2 ^ bits)) (start := start)
    (first := one) (pairs n unit) start first first 0 first' first' 0 _ ⟨one, one, 0, .first, hf, hf, zero⟩ h
  obtain ⟨term, plus, minus, c, ht, hp, hm⟩ := r
  have j0 : 0 < (k + 1) * (k + 2) :=
    Nat.mul_pos (Nat.succ_le_succ (Nat.zero_le _)) (Nat.succ_le_succ (Nat.zero_le _))
  obtain ⟨rest, er⟩ := he.part j0 (x * x * term)
  have hr := (ht.next hs j0 sq er).2
  obtain ⟨g, h⟩ := both_true h
  obtain ⟨g1, g2⟩ := both_true g
  have g1 := Nat.le_of_ble_eq_true g1
  have g2 := Nat.le_of_ble_eq_true g2
  refine ⟨_, _, fun v hv => ?_, h⟩
  obtain ⟨above, below⟩ := hv k term plus minus rest c er
  have D0 : 0 < 2 ^ bits := Natural.two_pow_pos bits
  have u0 := natural_nonneg (K := K) unit
  have d0 := natural_nonneg (K := K) (2 ^ bits)
  have s1 := Linear.natural_sub (K := K) g1
  have s2 := Linear.natural_sub (K := K) g2
  have low := natural_le (K := K) (Rows.mul_div_le (center * 2 ^ bits + unit * p - unit *
      (m' + (n * n * t' / (unit * unit * ((k + 1) * (k + 2))) + 1))) _ D0)
  have high : (natural (center * 2 ^ bits + unit * p' - unit * m) : K) ≤ natural
      (2 ^ bits * ((center * 2 ^ bits + unit * p' - unit * m) / 2 ^ bits + 1)) :=
    natural_le (Nat.le_trans (Rows.lt_mul_div _ _ D0) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _)))
  have s1 : (natural
        (center * 2 ^ bits + unit * p - unit * (m' + (n * n * t' / (unit * unit * ((k + 1) * (k + 2))) + 1)))
        : K) = natural (center * 2 ^ bits + unit * p) -
      natural (unit * (m' + (n * n * t' / (unit * unit * ((k + 1) * (k + 2))) + 1))) := s1
  have s2 : (natural (center * 2 ^ bits + unit * p' - unit * m) : K) =
    natural (center * 2 ^ bits + unit * p') - natural (unit * m) := s2
  rw [natural_mul, s1, natural_add, natural_mul, natural_mul, natural_mul unit, natural_add m'] at low
  rw [s2, natural_mul (2 ^ bits), natural_add, natural_mul center, natural_mul unit p', natural_mul unit m]
    at high
  unfold Within
  unfold Scale.image
  constructor
  · apply cancel_natural D0
    refine le_trans low ?_
    have a1 := mul_le_left u0 hp.1
    have a2 := mul_le_left u0 (add_le_add hm.2 hr)
    have a3 := mul_le_left (mul_nonneg u0 d0) below
    generalize (natural (n * n * t' / (unit * unit * ((k + 1) * (k + 2))) + 1) : K) = R at *
    generalize (natural (2 ^ bits) : K) = D at *
    generalize (natural unit : K) = U at *
    generalize (natural center : K) = C at *
    have b1 :
        C * D + U * natural p - U * (natural m' + R) ≤ C * D + U * (D * plus) - U * (D * minus + D * rest) :=
      le_cert ((ring5 K a b c d f, a + c - d - (a + b - f), c - b + (f - d)) _ _ _ _ _)
        (add_nonneg (sub_nonneg a1) (sub_nonneg a2))
    refine le_trans b1 (le_cert ?_ (sub_nonneg a3))
    exact (ring8 K C D U p m r v z, D * (U * v + C) - (C * D + U * (D * p) - U * (D * m + D * r)),
        U * D * v - U * D * (p - m - r)) C D U plus minus rest v 0
  · apply cancel_natural D0
    refine le_trans ?_ high
    have a1 := mul_le_left u0 hp.2
    have a2 := mul_le_left u0 hm.1
    have a3 := mul_le_left (mul_nonneg u0 d0) above
    generalize (natural (2 ^ bits) : K) = D at *
    generalize (natural unit : K) = U at *
    generalize (natural center : K) = C at *
    have b1 : C * D + U * (D * plus) - U * (D * minus) ≤ C * D + U * natural p' - U * natural m :=
      le_cert ((ring5 K a b c d f, a + c - d - (a + b - f), c - b + (f - d)) _ _ _ _ _)
        (add_nonneg (sub_nonneg a1) (sub_nonneg a2))
    refine le_trans (le_cert ?_ (sub_nonneg a3)) b1
    exact (ring8 K C D U p m v y z, C * D + U * (D * p) - U * (D * m) - D * (U * v + C),
        U * D * (p - m) - U * D * v) C D U plus minus v 0 0
end Circle
end PytestTorchLean
