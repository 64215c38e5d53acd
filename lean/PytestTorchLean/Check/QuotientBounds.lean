prelude
import PytestTorchLean.Check.Bilinear
/-!
# Bounds of quotients

Bounds of `x / z` are proposed by dividing the bounds of `x` and `z`, and then checked: a number `q` is below
the quotient by a positive `z` if `q * z ≤ x`, and that holds for all `x` and `z` between their bounds if it
holds for the least `x` and for both ends of `z`. How the proposal was computed plays no part. For a negative
`z` both operands change their signs.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Quotient
open Bilinear (most)

/-- The largest absolute value between two fixed-point numbers. -/
def magnitude (c l u : Nat) : Nat := most (Nat.sub u c) (Nat.sub c l)
/-- What rounding may add, in products of two fixed-point numbers; `b` is the largest divisor. -/
def error (unit size b : Nat) : Nat :=
  Nat.add (Nat.succ (Nat.div (Nat.mul unit size) (Nat.pow 2 24)))
    (Nat.succ (Nat.div (Nat.mul unit b) (Nat.pow 2 150)))

/-- `(q - c) * (z - c) + r ≤ unit * (x - c)`, without subtractions. -/
def below (unit c r q x z : Nat) : Bool :=
  Nat.ble (Nat.add (Nat.add (Nat.mul q z) (Nat.mul c c)) (Nat.add (Nat.mul unit c) r))
    (Nat.add (Nat.mul unit x) (Nat.add (Nat.mul c q) (Nat.mul c z)))
/-- `unit * (x - c) + r ≤ (q - c) * (z - c)`, without subtractions. -/
def above (unit c r q x z : Nat) : Bool :=
  Nat.ble (Nat.add (Nat.add (Nat.mul unit x) r) (Nat.add (Nat.mul c q) (Nat.mul c z)))
    (Nat.add (Nat.mul q z) (Nat.add (Nat.mul c c) (Nat.mul unit c)))

/-- A lower bound of `(a - c) / (z - c)` for `a` from `x` on, the error taken off: proposed, not proved. -/
def proposeLower (unit c r x z z' : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.ble (Nat.add (Nat.mul unit c) r) (Nat.mul unit x))
    (Nat.sub c (Nat.div
          (Nat.sub (Nat.add (Nat.sub (Nat.add (Nat.mul unit c) r) (Nat.mul unit x)) (Nat.sub z c)) 1)
          (Nat.sub z c)))
    (Nat.add c (Nat.div (Nat.sub (Nat.mul unit x) (Nat.add (Nat.mul unit c) r)) (Nat.sub z' c)))
/-- The same from above. -/
def proposeUpper (unit c r x z z' : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.ble (Nat.mul unit c) (Nat.add (Nat.mul unit x) r))
    (Nat.sub c (Nat.div (Nat.sub (Nat.mul unit c) (Nat.add (Nat.mul unit x) r)) (Nat.sub z' c)))
    (Nat.add c (Nat.div
          (Nat.sub (Nat.add (Nat.sub (Nat.add (Nat.mul unit x) r) (Nat.mul unit c)) (Nat.sub z c)) 1)
          (Nat.sub z c)))

/-- Both bounds, checked, with the error radius `r`. -/
def checked (s : Scale) (r l u l' u' : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun lower => force (fun upper =>
      both (both (below s.unit s.center r lower l l') (below s.unit s.center r lower l u'))
        (both (both (above s.unit s.center r upper u l') (above s.unit s.center r upper u u'))
          (both (Nat.ble lower upper) (both (Nat.ble upper s.top) (next lower upper)))))
    (proposeUpper s.unit s.center r u l' u')) (proposeLower s.unit s.center r l l' u')

/-- Bounds of the quotient by a positive divisor. -/
def positive (m : Semantics) (s : Scale) (l u l' u' : Nat) (next : Nat → Nat → Bool) : Bool :=
  both (Nat.ble (Nat.succ s.center) l')
    (Semantics.casesOn (motive := fun _ => Bool) m (checked s 0 l u l' u' next)
      (force (fun size => both (Nat.ble (Nat.succ (Nat.mul (Nat.pow 2 149) size))
            (Nat.mul overflowThreshold (Nat.sub l' s.center)))
          (force (fun r => checked s r l u l' u' next) (error s.unit size (Nat.sub u' s.center))))
        (magnitude s.center l u)))
/-- Bounds of the quotient. -/
def transfer (m : Semantics) (s : Scale) (l u l' u' : Nat) (next : Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble (Nat.succ s.center) l')
    (force (fun a => force (fun b => force (fun a' => force (fun b' => positive m s a b a' b' next)
      (Nat.sub s.top l')) (Nat.sub s.top u')) (Nat.sub s.top l)) (Nat.sub s.top u))
    (positive m s l u l' u' next)

variable {K : Type u} [OrderedRing K]

theorem nonneg_of_mul {b p : K} (hb : 1 ≤ b) (h : 0 ≤ b * p) : 0 ≤ p := by
  cases le_total 0 p with
  | inl g => exact g
  | inr g =>
    exact le_cert ((ring2 K b p, p - 0, b * p + (b - 1) * -p) b p)
      (add_nonneg h (mul_nonneg (sub_nonneg hb) (neg_nonneg g)))

/-- What holds at both ends of `z` holds between them. -/
theorem between_ends {q z z1 z2 t : K} (h1 : z1 ≤ z) (h2 : z ≤ z2) (g1 : q * z1 ≤ t) (g2 : q * z2 ≤ t) :
    q * z ≤ t := by
  cases le_total 0 q with
  | inl g => exact le_trans (mul_le_left g h2) g2
  | inr g =>
    refine le_trans ?_ g1
    exact le_cert ((ring3 K q z w, q * w - q * z, -q * (z - w)) q z z1)
      (mul_nonneg (neg_nonneg g) (sub_nonneg h1))

theorem below_sound {unit c r q x z : Nat} (h : below unit c r q x z = true) :
    (natural q - natural c) * (natural z - natural c) ≤
    (natural unit * (natural x - natural c) - natural r : K) := by
  have h : (natural (q * z + c * c + (unit * c + r)) : K) ≤ natural (unit * x + (c * q + c * z)) :=
    natural_le (Nat.le_of_ble_eq_true h)
  rw [natural_add, natural_add, natural_add, natural_add, natural_add, natural_mul, natural_mul, natural_mul,
      natural_mul, natural_mul, natural_mul] at h
  refine le_cert ?_ (sub_nonneg h)
  exact (ring8 K q z c u r x a b, u * (x - c) - r - (q - c) * (z - c),
      u * x + (c * q + c * z) - (q * z + c * c + (u * c + r))) (natural q) (natural z) (natural c)
    (natural unit) (natural r) (natural x) 0 0
theorem above_sound {unit c r q x z : Nat} (h : above unit c r q x z = true) :
    (natural unit * (natural x - natural c) + natural r : K) ≤
    (natural q - natural c) * (natural z - natural c) := by
  have h : (natural (unit * x + r + (c * q + c * z)) : K) ≤ natural (q * z + (c * c + unit * c)) :=
    natural_le (Nat.le_of_ble_eq_true h)
  rw [natural_add, natural_add, natural_add, natural_add, natural_add, natural_mul, natural_mul, natural_mul,
      natural_mul, natural_mul, natural_mul] at h
  refine le_cert ?_ (sub_nonneg h)
  exact (ring8 K q z c u r x a b, (q - c) * (z - c) - (u * (x - c) + r),
      q * z + (c * c + u * c) - (u * x + r + (c * q + c * z))) (natural q) (natural z) (natural c)
    (natural unit) (natural r) (natural x) 0 0

/-- **Checked bounds.** -/
theorem checked_sound {s : Scale} {r l u l' u' : Nat} {x z y : K} {next : Nat → Nat → Bool}
    (hx : Within s l u x) (hz : Within s l' u' z)
    (pos : s.center + 1 ≤ l')
    (near : AtMost (natural s.unit * natural s.unit * (z * y - x)) (natural r))
    (h : checked s r l u l' u' next = true) :
    ∃ lower upper, lower ≤ upper ∧ upper ≤ s.top ∧ Within s lower upper y ∧ next lower upper = true := by
  unfold checked at h
  simp only [force_eq] at h
  obtain ⟨h1, h⟩ := both_true h
  obtain ⟨h2, h⟩ := both_true h
  obtain ⟨h3, h⟩ := both_true h
  obtain ⟨h4, h⟩ := both_true h
  obtain ⟨a1, a2⟩ := both_true h1
  obtain ⟨b1, b2⟩ := both_true h2
  have a1 := below_sound (K := K) a1
  have a2 := below_sound (K := K) a2
  have b1 := above_sound (K := K) b1
  have b2 := above_sound (K := K) b2
  refine ⟨_, _, Nat.le_of_ble_eq_true h3, Nat.le_of_ble_eq_true h4, ?_, h⟩
  generalize proposeLower s.unit s.center r l l' u' = q at *
  generalize proposeUpper s.unit s.center r u l' u' = w at *
  obtain ⟨x1, x2⟩ := hx
  obtain ⟨z1, z2⟩ := hz
  obtain ⟨n1, n2⟩ := near
  have one : (1 : K) ≤ natural s.unit * z := by
    have p : (natural (s.center + 1) : K) ≤ natural s.unit * z + natural s.center :=
      le_trans (natural_le pos) z1
    rw [natural_succ] at p
    exact le_cert ((ring2 K a c, a - 1, a + c - (c + 1)) _ _) (sub_nonneg p)
  have unit := natural_nonneg (K := K) s.unit
  unfold Scale.image at x1 x2 z1 z2
  show natural q ≤ natural s.unit * y + natural s.center ∧ natural s.unit * y + natural s.center ≤ natural w
  generalize (natural s.unit : K) = e at *
  generalize (natural s.center : K) = c at *
  have lowEnd : (natural l' - c : K) ≤ e * z :=
    le_cert ((ring3 K a c l, a - (l - c), a + c - l) (e * z) c (natural l')) (sub_nonneg z1)
  have highEnd : (e * z : K) ≤ natural u' - c :=
    le_cert ((ring3 K a c l, l - c - a, l - (a + c)) (e * z) c (natural u')) (sub_nonneg z2)
  constructor
  · have t := between_ends lowEnd highEnd a1 a2
    have p := mul_nonneg unit (sub_nonneg x1)
    have g : 0 ≤ e * z * (e * y - (natural q - c)) := by
      refine le_cert ?_ (add_nonneg (add_nonneg (sub_nonneg t) p) (sub_nonneg n2))
      exact (ring8 K e z y q c x l r, e * z * (e * y - (q - c)) - 0,
        e * (l - c) - r - (q - c) * (e * z) + e * (e * x + c - l) + (r - -(e * e * (z * y - x)))) e z y
        (natural q) c x (natural l) (natural r)
    have g := nonneg_of_mul one g
    exact le_cert ((ring3 K a q c, a + c - q, a - (q - c) - 0) (e * y) (natural q) c)
      (by rw [(ring1 K a, a - 0, a) _]; exact g)
  · have f : ∀ v : K, e * (natural u - c) + natural r ≤ (natural w - c) * v →
        -(natural w - c) * v ≤ -(e * (natural u - c) + natural r) := fun v k =>
      le_cert ((ring3 K w v t, -t - -w * v, w * v - t) (natural w - c) v (e * (natural u - c) + natural r))
        (sub_nonneg k)
    have t := between_ends lowEnd highEnd (f _ b1) (f _ b2)
    have p := mul_nonneg unit (sub_nonneg x2)
    have g : 0 ≤ e * z * (natural w - c - e * y) := by
      refine le_cert ?_ (add_nonneg (add_nonneg (sub_nonneg t) p) (sub_nonneg n1))
      exact (ring8 K e z y q c x l r, e * z * (q - c - e * y) - 0,
        -(e * (l - c) + r) - -(q - c) * (e * z) + e * (l - (e * x + c)) + (r - e * e * (z * y - x))) e z y
        (natural w) c x (natural u) (natural r)
    have g := nonneg_of_mul one g
    exact le_cert ((ring3 K a q c, q - (a + c), q - c - a) (e * y) (natural w) c) g

theorem magnitude_within {s : Scale} {l u : Nat} {x : K} (hx : Within s l u x) :
    AtMost (natural s.unit * x) (natural (magnitude s.center l u)) := by
  obtain ⟨x1, x2⟩ := hx
  unfold Scale.image at x1 x2
  have m := Bilinear.le_most (Nat.sub u s.center) (Nat.sub s.center l)
  have m1 := le_trans (Rows.sub_ge (K := K) u s.center) (natural_le m.1)
  have m2 := le_trans (Rows.sub_ge (K := K) s.center l) (natural_le m.2)
  refine ⟨le_trans ?_ m1, le_trans ?_ m2⟩
  · exact le_cert
      ((ring3 K h v z, h - z - v, h - (v + z)) (natural u) (natural s.unit * x) (natural s.center))
      (sub_nonneg x2)
  · exact le_cert ((ring3 K l v z, z - l - -v, v + z - l) (natural l) (natural s.unit * x) (natural s.center))
      (sub_nonneg x1)

theorem error_large (unit size b : Nat) :
    2 ^ 149 * (unit * size) + 2 ^ 23 * (unit * b) ≤ 2 ^ 149 * 2 ^ 24 * error unit size b := by
  have a := Affine.ceiling (n := unit * size) (Natural.two_pow_pos 24)
  have d := Affine.ceiling (n := unit * b) (Natural.two_pow_pos 150)
  have split : 2 ^ 149 * 2 ^ 24 = 2 ^ 23 * 2 ^ 150 := by decide +kernel
  show _ ≤ 2 ^ 149 * 2 ^ 24 * ((unit * size / 2 ^ 24 + 1) + (unit * b / 2 ^ 150 + 1))
  rw [Nat.mul_add (2 ^ 149 * 2 ^ 24)]
  refine Nat.add_le_add ?_ ?_
  · rw [Nat.mul_assoc]; exact Nat.mul_le_mul Nat.le.refl a
  · rw [split, Nat.mul_assoc]; exact Nat.mul_le_mul Nat.le.refl d

/-- In binary32 the quotient times the divisor is within the error of the dividend. -/
theorem near_positive {s : Scale} {l u l' u' : Nat} {x z y : K} (hx : Within s l u x) (hz : Within s l' u' z)
    (pos : s.center + 1 ≤ l')
    (z0 : 0 ≤ z)
    (hy : ∀ a b, AtMost x a → AtMost z b →
      AtMost (natural (2 ^ 149) * (natural (2 ^ 24) * (z * y - x)))
        (natural (2 ^ 149) * a + natural (2 ^ 23) * b)) :
    AtMost (natural s.unit * natural s.unit * (z * y - x))
    (natural (error s.unit (magnitude s.center l u) (u' - s.center))) := by
  have size := magnitude_within hx
  obtain ⟨a, ha, hua⟩ : ∃ a : K, AtMost x a ∧ natural s.unit * a ≤ natural (magnitude s.center l u) := by
    cases le_total 0 x with
    | inl g => exact ⟨x, AtMost.of_le g (le_refl _), size.1⟩
    | inr g =>
      have k := (AtMost.of_le (neg_nonneg g) (le_refl (-x))).neg
      rw [neg_neg] at k
      refine ⟨-x, k, ?_⟩
      rw [mul_neg]; exact size.2
  have hub : natural s.unit * z ≤ (natural (u' - s.center) : K) :=
    le_trans (le_cert
        ((ring3 K a c l, l - c - a, l - (a + c)) (natural s.unit * z) (natural s.center) (natural u'))
        (sub_nonneg hz.2)) (Rows.sub_ge u' s.center)
  have unit := natural_nonneg (K := K) s.unit
  have bound := (hy a z ha (AtMost.of_le z0 (le_refl _))).mul_left (mul_nonneg unit unit)
  have e1 : natural s.unit * natural s.unit * (natural (2 ^ 149) * (natural (2 ^ 24) * (z * y - x))) =
      natural (2 ^ 149 * 2 ^ 24) * (natural s.unit * natural s.unit * (z * y - x)) := by
    rw [natural_mul (2 ^ 149)]
    exact (ring4 K u p q t, u * u * (p * (q * t)), p * q * (u * u * t)) _ _ _ _
  rw [e1] at bound
  have large : natural s.unit * natural s.unit * (natural (2 ^ 149) * a + natural (2 ^ 23) * z) ≤
      (natural (2 ^ 149 * 2 ^ 24) * natural (error s.unit (magnitude s.center l u) (u' - s.center)) : K) := by
    have l := natural_le (K := K) (error_large s.unit (magnitude s.center l u) (u' - s.center))
    rw [natural_add, natural_mul (2 ^ 149) (s.unit * _), natural_mul (2 ^ 23), natural_mul s.unit,
        natural_mul s.unit, natural_mul (2 ^ 149 * 2 ^ 24)] at l
    refine le_trans ?_ l
    have p := mul_le_left (mul_nonneg (natural_nonneg (K := K) (2 ^ 149)) unit) hua
    have q := mul_le_left (mul_nonneg (natural_nonneg (K := K) (2 ^ 23)) unit) hub
    refine le_trans (le_of_eq ?_) (le_trans (add_le_add p q) (le_of_eq ?_))
    · exact (ring5 K u p a q z, u * u * (p * a + q * z), p * u * (u * a) + q * u * (u * z)) _ _ _ _ _
    · exact (ring5 K u p a q z, p * u * a + q * u * z, p * (u * a) + q * (u * z)) _ _ _ _ _
  exact AtMost.cancel (Nat.mul_pos (Natural.two_pow_pos 149) (Natural.two_pow_pos 24)) (bound.weaken large)

/-- **Positive divisors.** -/
theorem positive_sound {m : Semantics} {s : Scale} {l u l' u' : Nat} {x z y : K} {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (hx : Within s l u x) (hz : Within s l' u' z) (hy : Computes m x z y)
    (h : positive m s l u l' u' next = true) :
    Defined m x z ∧
    ∃ lower upper, lower ≤ upper ∧ upper ≤ s.top ∧ Within s lower upper y ∧ next lower upper = true := by
  obtain ⟨pos, h⟩ := both_true h
  have pos : s.center + 1 ≤ l' := Nat.le_of_ble_eq_true pos
  have lowEnd : (natural (l' - s.center) : K) ≤ natural s.unit * z := by
    rw [Linear.natural_sub (Nat.le_trans (Nat.le_add_right _ 1) pos)]
    exact le_cert
      ((ring3 K a c l, a - (l - c), a + c - l) (natural s.unit * z) (natural s.center) (natural l'))
      (sub_nonneg hz.1)
  have one : 1 ≤ l' - s.center := by
    obtain ⟨k, rfl⟩ := Nat.exists_of_le pos
    rw [Nat.add_assoc, Natural.add_sub_cancel_left]
    exact Nat.le_add_right 1 k
  have onez : (natural 1 : K) ≤ natural s.unit * z := le_trans (natural_le one) lowEnd
  have nonzero : ¬ z = 0 := fun e => by
    rw [e, mul_zero] at onez
    exact absurd (natural_le_reflect (K := K) (m := 1) (n := 0) onez) (Nat.not_succ_le_zero 0)
  have z0 : 0 ≤ z := by
    refine cancel_natural sf.unit ?_
    rw [mul_zero]; exact le_trans (natural_nonneg 1) onez
  have hy := hy nonzero
  cases m with
  | real =>
    have hy : z * y = x := hy
    refine ⟨⟨nonzero, trivial⟩, checked_sound hx hz pos ?_ h⟩
    rw [hy, add_neg' x |> fun t => (show x - x = 0 from t), mul_zero]
    exact AtMost.zero (le_refl _)
  | binary32 =>
    rw [force_eq] at h
    obtain ⟨room, h⟩ := both_true h
    rw [force_eq] at h
    have room : 2 ^ 149 * magnitude s.center l u < overflowThreshold * (l' - s.center) :=
      Nat.le_of_ble_eq_true room
    have size := magnitude_within hx
    have near := near_positive hx hz pos z0 hy
    have unit := natural_nonneg (K := K) s.unit
    refine ⟨⟨nonzero, ?_⟩, checked_sound hx hz pos near h⟩
    -- the squares of `2^149 x` and of the threshold times `z`, in fixed point
    intro over
    have p := (size.mul_left (natural_nonneg (K := K) (2 ^ 149)))
    have sq := (AtMost.mul p p).1
    have t := mul_le_left (natural_nonneg (K := K) overflowThreshold) lowEnd
    have tt := mul_le_mul (mul_nonneg (natural_nonneg _) (natural_nonneg _))
      (mul_nonneg (natural_nonneg _) (natural_nonneg _)) t t
    have o := mul_le_left (mul_nonneg unit unit) over
    have k : (natural overflowThreshold * natural (l' - s.center) *
        (natural overflowThreshold * natural (l' - s.center)) : K) ≤
        natural (2 ^ 149) * natural (magnitude s.center l u) *
            (natural (2 ^ 149) * natural (magnitude s.center l u)) := by
      refine le_trans tt (le_trans (le_of_eq ?_) (le_trans o (le_trans (le_of_eq ?_) sq)))
      · exact (ring3 K t u z, t * (u * z) * (t * (u * z)), u * u * (t * z * (t * z))) _ _ _
      · exact (ring3 K t u z, u * u * (t * z * (t * z)), t * (u * z) * (t * (u * z))) _ _ _
    rw [← natural_mul, ← natural_mul, ← natural_mul, ← natural_mul] at k
    have k := natural_le_reflect k
    have strict : 2 ^ 149 * magnitude s.center l u * (2 ^ 149 * magnitude s.center l u) <
        overflowThreshold * (l' - s.center) * (overflowThreshold * (l' - s.center)) :=
      Natural.lt_of_le_of_lt (Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt room)) (by
        rw [Nat.mul_comm]
        exact Natural.mul_lt_mul_left (Nat.lt_of_lt_of_le (Nat.succ_le_succ (Nat.zero_le _)) room) room)
    exact absurd (Nat.le_trans strict k) (Natural.lt_irreflexive _)

/-- The opposite of a number lies between the opposites of its bounds. -/
theorem negated {s : Scale} {l u : Nat} {x : K} (h : Within s l u x) (hl : l ≤ u) (hu : u ≤ s.top) :
    Within s (s.top - u) (s.top - l) (-x) := by
  obtain ⟨x1, x2⟩ := h
  unfold Scale.image at x1 x2
  unfold Within Scale.image
  have t : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
  rw [Linear.natural_sub hu, Linear.natural_sub (Nat.le_trans hl hu), t]
  exact ⟨le_cert ((ring4 K e x c u, e * -x + c - (c + c - u), u - (e * x + c)) (natural s.unit) x
        (natural s.center) (natural u)) (sub_nonneg x2), le_cert ((ring4 K e x c l, c + c - l - (e * -x + c),
          e * x + c - l) (natural s.unit) x (natural s.center) (natural l)) (sub_nonneg x1)⟩

theorem eq_zero_of_neg {z : K} (h : -z = 0) : z = 0 := by
  rw [← neg_neg z, h, neg_zero]
theorem Computes.negated {m : Semantics} {x z y : K} (h : Computes m x z y) : Computes m (-x) (-z) y := by
  intro nonzero
  have h := h fun e => nonzero (by rw [e, neg_zero])
  have e : -z * y - -x = -(z * y - x) := (ring3 K x z y, -z * y - -x, -(z * y - x)) _ _ _
  cases m with
  | real =>
    have h : z * y = x := h
    show -z * y = -x
    rw [neg_mul, h]
  | binary32 =>
    intro a b ha hb
    have ha := ha.neg
    have hb := hb.neg
    rw [neg_neg] at ha hb
    have k := (h a b ha hb).neg
    rw [e, mul_neg, mul_neg]; exact k
theorem Defined.negated {m : Semantics} {x z : K} (h : Defined m (-x) (-z)) : Defined m x z := by
  refine ⟨fun e => h.1 (by rw [e, neg_zero]), ?_⟩
  cases m with
  | real => trivial
  | binary32 =>
    have k : natural (2 ^ 149) * -x * (natural (2 ^ 149) * -x) <
      natural overflowThreshold * -z * (natural overflowThreshold * -z) := h.2
    have e :
      ∀ n v : K, n * -v * (n * -v) = n * v * (n * v) := (ring2 K n v, n * -v * (n * -v), n * v * (n * v))
    rw [e, e] at k; exact k

/-- **One quotient.** -/
theorem transfer_sound {m : Semantics} {s : Scale} {l u l' u' : Nat} {x z y : K} {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (hx : Within s l u x) (hz : Within s l' u' z)
    (x1 : l ≤ u)
    (x2 : u ≤ s.top)
    (z1 : l' ≤ u')
    (z2 : u' ≤ s.top)
    (hy : Computes m x z y)
    (h : transfer m s l u l' u' next = true) :
    Defined m x z ∧
    ∃ lower upper, lower ≤ upper ∧ upper ≤ s.top ∧ Within s lower upper y ∧ next lower upper = true := by
  unfold transfer at h
  cases c : Nat.ble (Nat.succ s.center) l' with
  | true => rw [c] at h; exact positive_sound sf hx hz hy h
  | false =>
    rw [c] at h
    simp only [force_eq] at h
    obtain ⟨defined, found⟩ := positive_sound sf (negated hx x1 x2) (negated hz z1 z2) hy.negated h
    exact ⟨defined.negated, found⟩

/-- What exact arithmetic gives is among the results in binary32. -/
theorem allowed (m : Semantics) {slots : Nat → K} {start count sources : Nat}
    (h : (Node.quotient count sources).Holds m slots start) :
    (Node.quotient count sources).Holds .binary32 slots start := by
  cases m with
  | binary32 => exact h
  | real =>
    intro i hi nonzero a b ha hb
    have e : slots (word sources (2 * i + 1)) * slots (start + i) = slots (word sources (2 * i)) :=
      h i hi nonzero
    rw [e, show slots (word sources (2 * i)) - slots (word sources (2 * i)) = 0 from add_neg' _, mul_zero,
        mul_zero]
    exact AtMost.zero
      (add_nonneg (mul_nonneg (natural_nonneg _) ha.nonneg) (mul_nonneg (natural_nonneg _) hb.nonneg))
end Quotient
end PytestTorchLean
