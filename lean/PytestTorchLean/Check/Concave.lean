prelude
import PytestTorchLean.Check.Residual
/-!
# A logarithm as a line and a residual

The logarithm is concave, so what it is off a line is least at an end of the interval, and is nowhere above
what a tangent is off that line. Both follow from the tangents of the exponential, which lie below it. Three
arguments are enclosed: the ends, and the one where the logarithm is about as steep as the line.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]
namespace Curve

/-- The larger and the smaller of two bounds. -/
theorem low_of {a b : Nat} {r : K} (t : natural a ≤ r ∨ natural b ≤ r) : natural (a - (a - b)) ≤ r := by
  cases t with
  | inl t => exact le_trans (natural_le (min_le a b).1) t
  | inr t => exact le_trans (natural_le (min_le a b).2.1) t
theorem high_of {a b : Nat} {r : K} (t : r ≤ natural a ∨ r ≤ natural b) : r ≤ natural (a + (b - a)) := by
  cases t with
  | inl t => exact le_trans t (natural_le (Nat.le_add_right _ _))
  | inr t =>
    refine le_trans t (natural_le ?_)
    cases Nat.le_total a b with
    | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact Nat.le.refl
    | inr g => exact Nat.le_trans g (Nat.le_add_right _ _)

/-- Where the logarithm is about as steep as a line, but between `l` and `u`: the line rises by `steep` in
    units of `1 / factor`. The logarithm is steeper than a line that does not rise. -/
def touching (factor steep unit center l u : Nat) : Nat :=
  cond (Nat.beq steep 0) u ((fun m => Nat.add l (Nat.sub (Nat.sub m l) (Nat.sub m u)))
    (Nat.add center (Nat.div (Nat.mul factor unit) steep)))

/-- Bounds of the logarithm and of its residual over an interval. `p` is the argument, without the center,
    whose tangent is taken. -/
def concave (factor slope fall top unit center : Nat) (below above : Nat → (Nat → Nat → Bool) → Bool)
    (l u : Nat) (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  both (Nat.ble (Nat.succ center) l) (force (fun c => force (fun d => force (fun t => force (fun p =>
      both (both (Nat.ble l t) (Nat.ble t u))
        (Logarithm.lower unit center above c unit fun low =>
          Logarithm.lower unit center above d unit fun low' =>
          Logarithm.upper unit center below above d unit fun high =>
          Logarithm.upper unit center below above p unit fun touch =>
            force (fun a => force (fun b => force (fun hi => force (fun lo => next low high lo hi)
                (Nat.sub a (Nat.sub a b)))
              (Nat.add (Nat.add (Nat.mul factor touch)
                  (Nat.add (Nat.mul slope (Nat.sub top t)) (Nat.mul fall t)))
                (Nat.succ (Nat.div (Nat.add
                    (Nat.mul (Nat.sub (Nat.add (Nat.mul factor unit) (Nat.mul fall p)) (Nat.mul slope p))
                      (Nat.sub u t))
                    (Nat.mul (Nat.sub (Nat.mul slope p) (Nat.add (Nat.mul factor unit) (Nat.mul fall p)))
                      (Nat.sub t l))) p))))
              (Nat.add (Nat.mul factor low') (Nat.add (Nat.mul slope (Nat.sub top u)) (Nat.mul fall u))))
              (Nat.add (Nat.mul factor low) (Nat.add (Nat.mul slope (Nat.sub top l)) (Nat.mul fall l)))))
      (Nat.sub t center)) (touching factor (Nat.sub slope fall) unit center l u)) (Nat.sub u center))
    (Nat.sub l center))

/-- The tangent at `ξ` of the logarithm is above its value `ω` at the end `l`, and so are lower bounds of
    that value: all numbers in fixed point, `X` the argument itself. -/
theorem tangent_above_end {S x v w E l ξ c : K} (hS : 0 ≤ S) (t : x * (1 + (w - v)) ≤ E) (h : S * E ≤ l - c)
    (hξ : ξ = S * x + c) :
    S * x * (S * w + c - (S * v + c)) ≤ S * (l - ξ) := by
  have a := mul_nonneg hS (add_nonneg (sub_nonneg h) (mul_nonneg hS (sub_nonneg t)))
  rw [hξ]
  exact le_cert ((ring8 K S x v w E l c z, S * (l - (S * x + c)) - S * x * (S * w + c - (S * v + c)),
      S * (l - c - S * E + S * (E - x * (1 + (w - v))))) S x v w E l c 0) a

/-- The tangent at `p` is above the logarithm. -/
theorem tangent_above {S x v w E p t ξ c : K} (hS : 0 ≤ S) (hp : 0 ≤ p) (hx : 0 ≤ S * x)
    (g : E * (1 + (v - w)) ≤ x) (h : p ≤ S * E) (ht : t = p + c) (hξ : ξ = S * x + c) :
    p * (S * v + c - (S * w + c)) ≤ S * (ξ - t) := by
  have k : p * (1 + (v - w)) ≤ S * x := by
    cases le_total 0 (1 + (v - w)) with
    | inl pos =>
      have a := add_nonneg (mul_nonneg (sub_nonneg h) pos) (mul_nonneg hS (sub_nonneg g))
      exact le_cert ((ring5 K S x y E p, S * x - p * y, (S * E - p) * y + S * (x - E * y)) S x
        (1 + (v - w)) E p) a
    | inr neg =>
      have a := add_nonneg hx (mul_nonneg hp (neg_nonneg neg))
      exact le_cert ((ring3 K X y p, X - p * y, X + p * -y) (S * x) (1 + (v - w)) p) a
  have a := mul_nonneg hS (sub_nonneg k)
  rw [hξ, ht]
  exact le_cert ((ring8 K S x v w p c y z, S * (S * x + c - (p + c)) - p * (S * v + c - (S * w + c)),
      S * (S * x - p * (1 + (v - w)))) S x v w p c 0 0) a

/-- A concave function less a line is at least its value at an end, where the tangent's slope says so. -/
theorem above_end {D R F S X T ξ l η ω : K} (hD : 0 ≤ D) (hX : 1 ≤ X) (t : X * (ω - η) ≤ S * (l - ξ))
    (side : 0 ≤ (ξ - l) * (D * S + F * X - R * X)) :
    D * ω + (R * (T - l) + F * l) ≤ D * η + (R * (T - ξ) + F * ξ) := by
  have y : D * η + (R * (T - ξ) + F * ξ) - (D * ω + (R * (T - l) + F * l)) =
      (F - R) * (ξ - l) - D * (ω - η) :=
    (ring8 K D n w R F T x l, D * n + (R * (T - x) + F * x) - (D * w + (R * (T - l) + F * l)),
      (F - R) * (x - l) - D * (w - n)) D η ω R F T ξ l
  refine le_cert y (of_product hX ?_)
  have a := add_nonneg (mul_nonneg hD (sub_nonneg t)) side
  have e : ((F - R) * (ξ - l) - D * (ω - η) - 0) * X =
      D * (S * (l - ξ) - X * (ω - η)) + (ξ - l) * (D * S + F * X - R * X) :=
    (ring8 K D F R S X m x l, ((F - R) * (x - l) - D * m - 0) * X,
      D * (S * (l - x) - X * m) + (x - l) * (D * S + F * X - R * X)) D F R S X (ω - η) ξ l
  rw [e]; exact a

/-- And it is at most what the tangent is off the line. -/
theorem below_tangent {D R F S p T ξ t η ω N : K} (hD : 0 ≤ D) (g : p * (η - ω) ≤ S * (ξ - t))
    (side : (D * S + F * p - R * p) * (ξ - t) ≤ N) :
    p * (D * η + (R * (T - ξ) + F * ξ)) ≤ p * (D * ω + (R * (T - t) + F * t)) + N := by
  have y : D * η + (R * (T - ξ) + F * ξ) =
      D * ω + (R * (T - t) + F * t) + (D * (η - ω) + (F - R) * (ξ - t)) :=
    (ring8 K D n w R F T x t, D * n + (R * (T - x) + F * x),
      D * w + (R * (T - t) + F * t) + (D * (n - w) + (F - R) * (x - t))) D η ω R F T ξ t
  rw [y]
  have a := add_nonneg (mul_nonneg hD (sub_nonneg g)) (sub_nonneg side)
  refine le_cert ?_ a
  generalize D * ω + (R * (T - t) + F * t) = base
  generalize η - ω = m
  generalize ξ - t = k
  have e : p * base + N - p * (base + (D * m + (F - R) * k)) = N - (D * (p * m) + (F - R) * p * k) :=
    (ring8 K p b N D m F R k, p * b + N - p * (b + (D * m + (F - R) * k)),
      N - (D * (p * m) + (F - R) * p * k))
      p base N D m F R k
  rw [e]
  exact (ring8 K p N D m F R k S, N - (D * (p * m) + (F - R) * p * k),
    D * (S * k - p * m) + (N - (D * S + F * p - R * p) * k)) p N D m F R k S

/-- How far a line that leaves the tangent goes off it between `l` and `u`. -/
theorem off_tangent {P Q l u t : Nat} {ξ : K} (h1 : l ≤ t) (h2 : t ≤ u) (a : natural l ≤ ξ)
    (b : ξ ≤ natural u) :
    (natural P - natural Q) * (ξ - natural t) ≤ natural ((P - Q) * (u - t) + (Q - P) * (t - l)) := by
  cases Nat.le_total Q P with
  | inl g =>
    refine le_trans ?_ (natural_le (Nat.le_add_right _ _))
    rw [natural_mul, Linear.natural_sub g, Linear.natural_sub h2]
    exact mul_le_left (sub_nonneg (natural_le g))
      (le_cert ((ring3 K x t u, u - t - (x - t), u - x) _ _ _) (sub_nonneg b))
  | inr g =>
    refine le_trans ?_ (natural_le (Nat.le_add_left _ _))
    rw [natural_mul, Linear.natural_sub g, Linear.natural_sub h1]
    have t := mul_nonneg (sub_nonneg (natural_le (K := K) g)) (sub_nonneg a)
    exact le_cert ((ring5 K P Q x t l, (Q - P) * (t - l) - (P - Q) * (x - t), (Q - P) * (x - l)) _ _ _ _ _) t

theorem concave_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {factor slope fall bits count limit l u : Nat} {next : Nat → Nat → Nat → Nat → Bool} {x : K}
    (hu : 0 < s.unit)
    (hl : limit < s.unit * 256 ^ count)
    (top : u ≤ s.top)
    (hx : Within s l u x)
    (h : concave factor slope fall s.top s.unit s.center
      (Exponential.below 1 s.center bits count (s.unit * 256 ^ count) (2 ^ bits) limit)
      (Exponential.above 1 s.center bits count (s.unit * 256 ^ count) (2 ^ bits) limit) l u next = true) :
    ∃ low high lo hi, (∀ v, Curve.log.At e x v → Within s low high v ∧
          natural lo ≤ offLine s factor slope fall (s.image x) (s.image v) ∧
            offLine s factor slope fall (s.image x) (s.image v) ≤ natural hi) ∧
      next low high lo hi = true := by
  unfold concave at h
  obtain ⟨c0, h⟩ := both_true h
  have c0 : s.center + 1 ≤ l := Nat.le_of_ble_eq_true c0
  simp only [force_eq] at h
  generalize touching factor (Nat.sub slope fall) s.unit s.center l u = t at h
  obtain ⟨r, h⟩ := both_true h
  obtain ⟨r1, r2⟩ := both_true r
  have r1 : l ≤ t := Nat.le_of_ble_eq_true r1
  have r2 : t ≤ u := Nat.le_of_ble_eq_true r2
  have A := Logarithm.above_rule he (bits := bits) hu hl
  have B := Logarithm.below_rule he (bits := bits) hu hl
  obtain ⟨low, w1, i1, e1, h⟩ := Logarithm.lower_point A h
  obtain ⟨low', w2, i2, e2, h⟩ := Logarithm.lower_point A h
  obtain ⟨high, w3, i3, e3, h⟩ := Logarithm.upper_point A B h
  obtain ⟨touch, w4, i4, e4, h⟩ := Logarithm.upper_point A B h
  refine ⟨_, _, _, _, fun v hv => ?_, h⟩
  have hv : e v = x := hv
  obtain ⟨x1, x2⟩ := hx
  -- the arguments without the center
  have ls := Linear.natural_sub (K := K) (Nat.le_of_lt c0)
  have us := Linear.natural_sub (K := K) (Nat.le_trans (Nat.le_of_lt c0) (Nat.le_trans r1 r2))
  have ts := Linear.natural_sub (K := K) (Nat.le_trans (Nat.le_of_lt c0) r1)
  have lt : l ≤ s.top := Nat.le_trans (Nat.le_trans r1 r2) top
  have tt : t ≤ s.top := Nat.le_trans r2 top
  have p0 : 0 < t - s.center := by
    refine Nat.le_of_add_le_add_right s.center ?_
    rw [Natural.sub_add_cancel (Nat.le_trans (Nat.le_of_lt c0) r1), Nat.add_comm]
    exact Nat.le_trans c0 r1
  have S0 := natural_nonneg (K := K) s.unit
  have D0 := natural_nonneg (K := K) factor
  have first : natural (l - s.center) ≤ natural s.unit * x := by
    unfold Scale.image at x1
    rw [ls]
    exact le_cert ((ring3 K X c l, X - (l - c), X + c - l) _ _ _) (sub_nonneg x1)
  have last : natural s.unit * x ≤ natural (u - s.center) := by
    unfold Scale.image at x2
    rw [us]
    exact le_cert ((ring3 K X c u, u - c - X, u - (X + c)) _ _ _) (sub_nonneg x2)
  have X1 : (1 : K) ≤ natural s.unit * x := by
    have one : (natural 1 : K) ≤ natural (l - s.center) := natural_le (Nat.le_of_add_le_add_right s.center (by
      rw [Natural.sub_add_cancel (Nat.le_of_lt c0), Nat.add_comm]; exact c0))
    exact le_trans one first
  have im : s.image x = natural s.unit * x + natural s.center := rfl
  have iv : s.image v = natural s.unit * v + natural s.center := rfl
  have iw : ∀ w : K, s.image w = natural s.unit * w + natural s.center := fun _ => rfl
  constructor
  · constructor
    · rw [← i1, iw w1, iv]
      refine add_le _ (mul_le_left S0 (he.reflect (cancel_natural hu ?_)))
      rw [hv]; exact le_trans e1 first
    · rw [← i3, iw w3, iv]
      refine add_le _ (mul_le_left S0 (he.reflect (cancel_natural hu ?_)))
      rw [hv]; exact le_trans last e3
  unfold offLine
  have ends : ∀ (m : Nat) (b : Nat) (w : K), s.image w = natural b → m ≤ s.top →
      natural s.unit * e w ≤ natural m - natural s.center →
      0 ≤ (s.image x - natural m) * (natural factor * natural s.unit + natural fall * (natural s.unit * x) -
        natural slope * (natural s.unit * x)) →
      natural (factor * b + (slope * (s.top - m) + fall * m)) ≤
        natural factor * s.image v +
          (natural slope * (natural s.top - s.image x) + natural fall * s.image x) :=
    fun m b w ib mt em side => by
      have tan := he.tangent_at v w
      rw [hv] at tan
      have k := tangent_above_end S0 tan em im
      rw [← iw w, ← iv, ib] at k
      have q := above_end (T := natural s.top) D0 X1 k side
      rw [natural_add, natural_add, natural_mul, natural_mul, natural_mul, Linear.natural_sub mt]
      exact q
  constructor
  · cases le_total 0 (natural factor * natural s.unit + natural fall * (natural s.unit * x) -
        natural slope * (natural s.unit * x)) with
    | inl pos =>
      exact low_of (Or.inl (ends l low w1 i1 lt (by rw [← ls]; exact e1)
        (mul_nonneg (sub_nonneg x1) pos)))
    | inr neg =>
      refine low_of (Or.inr (ends u low' w2 i2 top (by rw [← us]; exact e2) ?_))
      have q := mul_nonneg (sub_nonneg x2) (neg_nonneg neg)
      exact le_trans q (le_of_eq ((ring3 K x u g, (u - x) * -g, (x - u) * g) _ _ _))
  · have tan := he.tangent_at w4 v
    rw [hv] at tan
    have k := tangent_above (c := natural s.center) (t := natural t) S0 (natural_nonneg (t - s.center))
      (le_trans zero_le_one X1) tan e4 (by rw [ts]; exact (ring2 K t c, t, t - c + c) _ _) im
    rw [← iw w4, ← iv, i4] at k
    have off := off_tangent (P := factor * s.unit + fall * (t - s.center)) (Q := slope * (t - s.center)) r1 r2
      x1 x2
    rw [natural_add (factor * s.unit), natural_mul factor, natural_mul fall, natural_mul slope] at off
    have q := below_tangent (T := natural s.top) D0 k off
    refine cancel_natural p0 (le_trans q ?_)
    have rounded : ∀ N : Nat, natural (t - s.center) * (natural factor * natural touch +
          (natural slope * (natural s.top - natural t) + natural fall * natural t)) + natural N ≤
        (natural (t - s.center) * natural (factor * touch + (slope * (s.top - t) + fall * t) +
          Nat.succ (N / (t - s.center))) : K) := fun N => by
      have n : N ≤ (t - s.center) * Nat.succ (N / (t - s.center)) :=
        Nat.le_trans (Rows.lt_mul_div N _ p0) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))
      have n := natural_le (K := K) n
      rw [natural_mul] at n
      rw [natural_add, natural_add, natural_add, natural_mul factor, natural_mul slope, natural_mul fall,
        Linear.natural_sub tt, mul_add _ _ (natural (Nat.succ (N / (t - s.center))))]
      exact add_le_add (le_refl _) n
    exact rounded _
end Curve
end PytestTorchLean
