prelude
import PytestTorchLean.Check.Rise
/-!
# How far a curve is from a line, over one piece

Between two points the curve is enclosed by its values and slopes there.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]
namespace Curve

/-- Where `falling` is 0, in fixed point; for the exponential it is constant. -/
def roof (unit center : Nat) : Curve → Nat
  | .exp => unit
  | _ => Nat.add center unit
def bent : Curve → Nat
  | .exp => 0
  | _ => 1

/-- The fixed-point numbers of the two factors of a rise. -/
theorem factors_fixed {unit center : Nat} (hc : unit ≤ center) (v : K) :
    (function : Curve) → function.logistic = true →
    natural unit * function.rising v + natural (function.base unit center) =
        natural unit * v + natural center ∧
      natural unit * function.falling v + natural function.bent * (natural unit * v + natural center) =
        natural (function.roof unit center)
  | .sqrt, no => Bool.noConf_tf (Eq.symm no)
  | .log, no => Bool.noConf_tf (Eq.symm no)
  | .softplus, no => Bool.noConf_tf (Eq.symm no)
  | .erf, no => Bool.noConf_tf (Eq.symm no)
  | .sine, no => Bool.noConf_tf (Eq.symm no)
  | .cosine, no => Bool.noConf_tf (Eq.symm no)
  | .sign, no => Bool.noConf_tf (Eq.symm no)
  | .fused _, no => Bool.noConf_tf (Eq.symm no)
  | .exp, _ => ⟨rfl, by
      show natural unit * 1 + natural 0 * _ = natural unit
      have z : (natural 0 : K) = 0 := rfl
      rw [z, mul_on, OrderedRing.zero_mul, add_zer]⟩
  | .sigmoid, _ => ⟨rfl, by
      show natural unit * (1 - v) + natural 1 * (natural unit * v + natural center) = natural (center + unit)
      rw [natural_add]
      exact (ring3 K u v c, u * (1 - v) + 1 * (u * v + c), c + u) _ _ _⟩
  | .tanh, _ => by
    have s : (natural center : K) = natural (center - unit) + natural unit := by
      rw [← natural_add, Natural.sub_add_cancel hc]
    refine ⟨?_, ?_⟩
    · show natural unit * (1 + v) + natural (center - unit) = _
      rw [s]; exact (ring3 K u v c, u * (1 + v) + c, u * v + (c + u)) _ _ _
    · show natural unit * (1 - v) + natural 1 * (natural unit * v + natural center) = natural (center + unit)
      rw [natural_add]
      exact (ring3 K u v c, u * (1 - v) + 1 * (u * v + c), c + u) _ _ _

/-! ### Slopes between two points -/

theorem truncated_le {a b : Nat} {x : K} (h : natural a ≤ x + natural b) (h0 : 0 ≤ x) :
    natural (a - b) ≤ x := by
  cases Nat.le_total b a with
  | inl g =>
    rw [Linear.natural_sub g]
    exact le_cert ((ring3 K a b x, x - (a - b), x + b - a) _ _ _) (sub_nonneg h)
  | inr g => rw [Nat.sub_eq_zero_of_le g]; exact h0

/-- `D * (vz - vx) ≤ slope * (z - x)` in fixed point. -/
theorem steepest {D unit P Q slope : Nat} {p q d r : K}
    (hu : 0 < unit)
    (h : r ≤ p * q * d)
    (hd : 0 ≤ d)
    (hp : 0 ≤ p)
    (hq : 0 ≤ q)
    (p1 : natural unit * p ≤ natural P)
    (q1 : natural unit * q ≤ natural Q)
    (hs : D * (P * Q) ≤ slope * (unit * unit)) :
    natural D * (natural unit * r) ≤ natural slope * (natural unit * d) := by
  have u0 := natural_nonneg (K := K) unit
  have pq := mul_le_mul (mul_nonneg u0 hp) (mul_nonneg u0 hq) p1 q1
  have s := natural_le (K := K) hs
  rw [natural_mul, natural_mul, natural_mul, natural_mul] at s
  apply cancel_natural (Nat.mul_pos hu hu)
  rw [natural_mul]
  have D0 := natural_nonneg (K := K) D
  have a := mul_le_left (mul_nonneg D0 (mul_nonneg u0 (mul_nonneg u0 u0))) h
  have b := mul_le_right (mul_nonneg u0 hd) (le_trans (mul_le_left D0 pq) s)
  generalize (natural unit : K) = U at *
  generalize (natural D : K) = E at *
  generalize (natural slope : K) = S at *
  refine le_trans (le_trans (le_of_eq ?_) a) (le_trans (le_of_eq ?_) (le_trans b (le_of_eq ?_)))
  · exact (ring3 K U E r, U * U * (E * (U * r)), E * (U * (U * U)) * r) _ _ _
  · exact (ring5 K U E p q d, E * (U * (U * U)) * (p * q * d), E * (U * p * (U * q)) * (U * d)) _ _ _ _ _
  · exact (ring3 K U S d, S * (U * U) * (U * d), U * U * (S * (U * d))) _ _ _
theorem flattest {D unit P Q slope : Nat} {p q d r : K}
    (hu : 0 < unit)
    (h : p * q * d ≤ r)
    (hd : 0 ≤ d)
    (p1 : natural P ≤ natural unit * p)
    (q1 : natural Q ≤ natural unit * q)
    (hs : slope * (unit * unit) ≤ D * (P * Q)) :
    natural slope * (natural unit * d) ≤ natural D * (natural unit * r) := by
  have u0 := natural_nonneg (K := K) unit
  have pq := mul_le_mul (natural_nonneg P) (natural_nonneg Q) p1 q1
  have s := natural_le (K := K) hs
  rw [natural_mul, natural_mul, natural_mul, natural_mul] at s
  apply cancel_natural (Nat.mul_pos hu hu)
  rw [natural_mul]
  have D0 := natural_nonneg (K := K) D
  have a := mul_le_left (mul_nonneg D0 (mul_nonneg u0 (mul_nonneg u0 u0))) h
  have b := mul_le_right (mul_nonneg u0 hd) (le_trans s (mul_le_left D0 pq))
  generalize (natural unit : K) = U at *
  generalize (natural D : K) = E at *
  generalize (natural slope : K) = S at *
  refine le_trans (le_trans (le_of_eq ?_) b) (le_trans (le_of_eq ?_) (le_trans a (le_of_eq ?_)))
  · exact (ring3 K U S d, U * U * (S * (U * d)), S * (U * U) * (U * d)) _ _ _
  · exact (ring5 K U E p q d, E * (U * p * (U * q)) * (U * d), E * (U * (U * U)) * (p * q * d)) _ _ _ _ _
  · exact (ring3 K U E r, E * (U * (U * U)) * r, U * U * (E * (U * r))) _ _ _

/-! ### One piece -/

/-- What does not change from piece to piece. -/
structure Line where
  /-- factor of the value -/
  factor : Nat
  slope : Nat
  unit : Nat
  top : Nat
  base : Nat
  roof : Nat
  bent : Nat

/-- The residual of a value `η` at the argument `ξ`, both in fixed point. -/
def Line.residual (line : Line) (ξ η : K) : K :=
  natural line.factor * η + natural line.slope * (natural line.top - ξ)

/-- Bounds over the piece from `a` to `b`, where the function's values are within `al`, `ah` and `bl`, `bh`:
    the residual rises at most `up` and falls at most `down` times as much as the argument does, so it is
    above the point where the steepest ways down from both ends meet, and below that where the steepest ways
    up meet. The line comes field by field, so that the kernel finds numbers in their places. -/
def pieceOf (factor slope unit top base roof bent a al ah b bl bh : Nat) (next : Nat → Nat → Bool) : Bool :=
  (fun up => (fun down => next
      (Nat.div (Nat.sub (Nat.add (Nat.mul up (Nat.add (Nat.mul factor al) (Nat.mul slope (Nat.sub top a))))
              (Nat.mul down (Nat.add (Nat.mul factor bl) (Nat.mul slope (Nat.sub top b)))))
            (Nat.mul (Nat.mul up down) (Nat.sub b a))) (Nat.add up down))
      (Nat.succ (Nat.div (Nat.add (Nat.add
                (Nat.mul down (Nat.add (Nat.mul factor ah) (Nat.mul slope (Nat.sub top a))))
                (Nat.mul up (Nat.add (Nat.mul factor bh) (Nat.mul slope (Nat.sub top b)))))
              (Nat.mul (Nat.mul up down) (Nat.sub b a))) (Nat.add up down))))
    (Nat.sub slope (Nat.div (Nat.mul factor (Nat.mul (Nat.sub al base) (Nat.sub roof (Nat.mul bent bh))))
          (Nat.mul unit unit))))
    (Nat.succ (Nat.sub (Nat.div (Nat.mul factor (Nat.mul (Nat.sub bh base) (Nat.sub roof (Nat.mul bent al))))
            (Nat.mul unit unit)) slope))
def piece (line : Line) : Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  pieceOf line.factor line.slope line.unit line.top line.base line.roof line.bent

theorem min_le (a b : Nat) : a - (a - b) ≤ a ∧ a - (a - b) ≤ b ∧ (a - (a - b) = a ∨ a - (a - b) = b) := by
  cases Nat.le_total a b with
  | inl h => rw [Nat.sub_eq_zero_of_le h]; exact ⟨Nat.le.refl, h, Or.inl rfl⟩
  | inr h =>
    have e : a - (a - b) = b :=
      Natural.sub_eq_of_add_eq (by rw [Nat.add_comm]; exact Natural.sub_add_cancel h)
    rw [e]; exact ⟨h, Nat.le.refl, Or.inr rfl⟩
theorem natural_gap (a b : Nat) : (natural a - natural b : K) ≤ natural (a - b) :=
  le_sub a b (le_of_eq ((ring2 K a b, a - b + b, a) _ _))

theorem succ_gap (a b : Nat) : (natural (Nat.succ a) - natural b : K) ≤ natural (Nat.succ (a - b)) := by
  rw [natural_succ, natural_succ]
  exact le_cert ((ring3 K a b c, c + 1 - (a + 1 - b), c - (a - b)) _ _ _)
    (sub_nonneg (natural_gap (K := K) a b))

theorem below_div {up down A B C : Nat} {r x y : K} (h : 0 < up) (r0 : 0 ≤ r) (e : x + y = natural C)
    (a : natural A ≤ r + natural down * x) (b : natural B ≤ r + natural up * y) :
    natural ((up * A + down * B - up * down * C) / (up + down)) ≤ r := by
  have positive : 0 < up + down := Nat.le_trans h (Nat.le_add_right _ _)
  apply cancel_natural positive
  rw [← natural_mul]
  refine le_trans (natural_le (Rows.mul_div_le _ _ positive))
    (truncated_le ?_ (mul_nonneg (natural_nonneg _) r0))
  rw [natural_add, natural_add, natural_mul, natural_mul, natural_mul, natural_mul, ← e]
  have t := add_nonneg (mul_nonneg (natural_nonneg (K := K) up) (sub_nonneg a))
    (mul_nonneg (natural_nonneg (K := K) down) (sub_nonneg b))
  exact le_cert ((ring8 K u d A B r x y z, (u + d) * r + u * d * (x + y) - (u * A + d * B),
        u * (r + d * x - A) + d * (r + u * y - B)) _ _ _ _ _ _ _ 0) t
theorem above_div {up down A B C : Nat} {r x y : K} (h : 0 < up) (e : x + y = natural C)
    (a : r ≤ natural A + natural up * x) (b : r ≤ natural B + natural down * y) :
    r ≤ natural ((down * A + up * B + up * down * C) / (up + down) + 1) := by
  have positive : 0 < up + down := Nat.le_trans h (Nat.le_add_right _ _)
  apply cancel_natural positive
  rw [← natural_mul]
  refine le_trans ?_ (natural_le
      (Nat.le_trans (Rows.lt_mul_div _ _ positive) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))))
  rw [natural_add, natural_add, natural_add, natural_mul, natural_mul, natural_mul, natural_mul, ← e]
  have t := add_nonneg (mul_nonneg (natural_nonneg (K := K) down) (sub_nonneg a))
    (mul_nonneg (natural_nonneg (K := K) up) (sub_nonneg b))
  exact le_cert ((ring8 K u d A B r x y z, d * A + u * B + u * d * (x + y) - (u + d) * r,
        d * (A + u * x - r) + u * (B + d * y - r)) _ _ _ _ _ _ _ 0) t

theorem piece_core {D S G g T a al ah b bl bh up down : Nat} {ξ η ηa ηb : K}
    (hab : a ≤ b)
    (hb : b ≤ T)
    (ξa : natural a ≤ ξ)
    (ξb : ξ ≤ natural b)
    (wa1 : natural al ≤ ηa)
    (wa2 : ηa ≤ natural ah)
    (wb1 : natural bl ≤ ηb)
    (wb2 : ηb ≤ natural bh)
    (η0 : 0 ≤ η)
    (s1 : natural D * (η - ηa) ≤ natural G * (ξ - natural a))
    (s2 : natural g * (ξ - natural a) ≤ natural D * (η - ηa))
    (s3 : natural D * (ηb - η) ≤ natural G * (natural b - ξ))
    (s4 : natural g * (natural b - ξ) ≤ natural D * (ηb - η))
    (positive : 0 < up)
    (rise : (natural G - natural S : K) ≤ natural up)
    (fall : (natural S - natural g : K) ≤ natural down) :
    natural
        ((up * (D * al + S * (T - a)) + down * (D * bl + S * (T - b)) - up * down * (b - a)) / (up + down)) ≤
      natural D * η + natural S * (natural T - ξ) ∧
    natural D * η + natural S * (natural T - ξ) ≤
      natural ((down * (D * ah + S * (T - a)) + up * (D * bh + S * (T - b)) + up * down * (b - a)) /
            (up + down) + 1) := by
  have D0 := natural_nonneg (K := K) D
  have hx := sub_nonneg ξa
  have hy := sub_nonneg ξb
  have ta : (natural (T - a) : K) = natural T - natural a := Linear.natural_sub (Nat.le_trans hab hb)
  have tb : (natural (T - b) : K) = natural T - natural b := Linear.natural_sub hb
  have gap : (ξ - natural a) + (natural b - ξ) = (natural (b - a) : K) := by
    rw [Linear.natural_sub hab]; exact (ring3 K a b x, (x - a) + (b - x), b - a) _ _ _
  have r0 : 0 ≤ natural D * η + natural S * (natural T - ξ) :=
    add_nonneg (mul_nonneg D0 η0) (mul_nonneg (natural_nonneg S) (sub_nonneg (le_trans ξb (natural_le hb))))
  have upX := mul_nonneg (sub_nonneg rise) hx
  have upY := mul_nonneg (sub_nonneg rise) hy
  have downX := mul_nonneg (sub_nonneg fall) hx
  have downY := mul_nonneg (sub_nonneg fall) hy
  have restA : natural T - natural a = (natural T - ξ) + (ξ - natural a) :=
    (ring3 K t a x, t - a, (t - x) + (x - a)) _ _ _
  have restB : natural T - ξ = (natural T - natural b) + (natural b - ξ) :=
    (ring3 K t b x, t - x, (t - b) + (b - x)) _ _ _
  have high1 : natural D * η ≤ natural D * natural ah + natural G * (ξ - natural a) := by
    have t := add_nonneg (sub_nonneg s1) (mul_nonneg D0 (sub_nonneg wa2))
    exact le_cert ((ring5 K d h f n x, d * n + x - d * h, x - d * (h - f) + d * (n - f)) _ _ ηa _ _) t
  have high2 : natural D * η + natural g * (natural b - ξ) ≤ natural D * natural bh := by
    have t := add_nonneg (sub_nonneg s4) (mul_nonneg D0 (sub_nonneg wb2))
    exact le_cert ((ring5 K d h f n x, d * n - (d * h + x), d * (f - h) - x + d * (n - f)) _ _ ηb _ _) t
  have low1 : natural D * natural al + natural g * (ξ - natural a) ≤ natural D * η := by
    have t := add_nonneg (sub_nonneg s2) (mul_nonneg D0 (sub_nonneg wa1))
    exact le_cert ((ring5 K d h f n x, d * h - (d * n + x), d * (h - f) - x + d * (f - n)) _ _ ηa _ _) t
  have low2 : natural D * natural bl ≤ natural D * η + natural G * (natural b - ξ) := by
    have t := add_nonneg (sub_nonneg s3) (mul_nonneg D0 (sub_nonneg wb1))
    exact le_cert ((ring5 K d h f n x, d * h + x - d * n, x - d * (f - h) + d * (f - n)) _ _ ηb _ _) t
  refine ⟨below_div positive r0 gap ?_ ?_, above_div positive gap ?_ ?_⟩
  · rw [natural_add, natural_mul, natural_mul, ta, restA]
    refine le_cert ?_ (add_nonneg (sub_nonneg low1) downX)
    exact
      (ring8 K A L s g w x r z, A + s * r + w * x - (L + s * (r + x)), A - (L + g * x) + (w - (s - g)) * x) _
      _ _ _ _ _ _ 0
  · rw [natural_add, natural_mul, natural_mul, tb, restB]
    refine le_cert ?_ (add_nonneg (sub_nonneg low2) upY)
    exact (ring8 K A B s g w y r z, A + s * (r + y) + w * y - (B + s * r), A + g * y - B + (w - (g - s)) * y)
      _ _ _ _ _ _ _ 0
  · rw [natural_add, natural_mul, natural_mul, ta, restA]
    refine le_cert ?_ (add_nonneg (sub_nonneg high1) upX)
    exact (ring8 K A H s g w x r z, H + s * (r + x) + w * x - (A + s * r), H + g * x - A + (w - (g - s)) * x)
      _ _ _ _ _ _ _ 0
  · rw [natural_add, natural_mul, natural_mul, tb, restB]
    refine le_cert ?_ (add_nonneg (sub_nonneg high2) downY)
    exact
      (ring8 K A B s g w y r z, B + s * r + w * y - (A + s * (r + y)), B - (A + g * y) + (w - (s - g)) * y) _
      _ _ _ _ _ _ 0

/-- A point of the argument at a fixed-point number, and bounds of the value there. -/
def At.Point (function : Curve) (e : K → K) (s : Scale) (a al ah : Nat) : Prop :=
  ∃ x v, s.image x = natural a ∧ function.At e x v ∧ Within s al ah v

/-- The line of a function with a slope. -/
def line (s : Scale) (function : Curve) (factor slope : Nat) : Line :=
  ⟨factor, slope, s.unit, s.top, function.base s.unit s.center, function.roof s.unit s.center, function.bent⟩

theorem piece_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {function : Curve} {factor slope a al ah b bl bh : Nat} {next : Nat → Nat → Bool}
    (hf : function.logistic = true)
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (ht : b ≤ s.top)
    (pa : At.Point function e s a al ah)
    (pb : At.Point function e s b bl bh)
    (h : piece (line s function factor slope) a al ah b bl bh next = true) :
    ∃ lo hi, (∀ x v, natural a ≤ s.image x → s.image x ≤ natural b →
          function.At e x v →
          natural lo ≤ (line s function factor slope).residual (s.image x) (s.image v) ∧
            (line s function factor slope).residual (s.image x) (s.image v) ≤ natural hi) ∧
      next lo hi = true := by
  unfold piece pieceOf at h
  refine ⟨_, _, fun x v xa xb hv => ?_, h⟩
  obtain ⟨xl, vl, ea, hva, wa1, wa2⟩ := pa
  obtain ⟨xr, vr, eb, hvb, wb1, wb2⟩ := pb
  have hab : a ≤ b := natural_le_reflect (le_trans xa xb)
  have hat := Nat.le_trans hab ht
  have u0 := natural_nonneg (K := K) s.unit
  have xl_x : xl ≤ x := cancel_natural hu (by
    rw [← ea] at xa; unfold Scale.image at xa
    exact le_cert ((ring3 K p q c, q - p, q + c - (p + c)) _ _ _) (sub_nonneg xa))
  have x_xr : x ≤ xr := cancel_natural hu (by
    rw [← eb] at xb; unfold Scale.image at xb
    exact le_cert ((ring3 K p q c, q - p, q + c - (p + c)) _ _ _) (sub_nonneg xb))
  have vl_v := increases he xl_x function hf hva hv
  have v_vr := increases he x_xr function hf hv hvb
  obtain ⟨pl, ql⟩ := factors_nonneg he function hf hva
  obtain ⟨pv, qv⟩ := factors_nonneg he function hf hv
  obtain ⟨pr, qr⟩ := factors_nonneg he function hf hvb
  have iml := mul_le_left u0 vl_v
  have imr := mul_le_left u0 v_vr
  have im_al : natural al ≤ natural s.unit * v + natural s.center := le_trans wa1 (add_le _ iml)
  have im_bh : natural s.unit * v + natural s.center ≤ natural bh := le_trans (add_le _ imr) wb2
  -- bounds of the factors, for any value between the two ends
  have upP : ∀ y : K, natural s.unit * y + natural s.center ≤ natural bh →
      natural s.unit * function.rising y ≤ natural (bh - function.base s.unit s.center) := fun y hy =>
    le_sub _ _ (by rw [(factors_fixed hc y function hf).1]; exact hy)
  have downP : ∀ y : K, natural al ≤ natural s.unit * y + natural s.center →
      0 ≤ function.rising y →
      natural (al - function.base s.unit s.center) ≤ natural s.unit * function.rising y := fun y hy h0 =>
    truncated_le (by rw [(factors_fixed hc y function hf).1]; exact hy) (mul_nonneg u0 h0)
  have upQ : ∀ y : K, natural al ≤ natural s.unit * y + natural s.center →
      natural s.unit * function.falling y ≤ natural (function.roof s.unit s.center - function.bent * al) :=
      fun y hy =>
    le_sub _ _ (by
      have f := (factors_fixed hc y function hf).2
      rw [← f, natural_mul]
      exact add_le_add (le_refl _) (mul_le_left (natural_nonneg _) hy))
  have downQ : ∀ y : K, natural s.unit * y + natural s.center ≤ natural bh →
      0 ≤ function.falling y →
      natural (function.roof s.unit s.center - function.bent * bh) ≤ natural s.unit * function.falling y :=
      fun y hy h0 =>
    truncated_le (by
      have f := (factors_fixed hc y function hf).2
      rw [← f, natural_mul]
      exact add_le_add (le_refl _) (mul_le_left (natural_nonneg _) hy)) (mul_nonneg u0 h0)
  have al_l : natural al ≤ natural s.unit * vl + natural s.center := wa1
  have bh_r : natural s.unit * vr + natural s.center ≤ natural bh := wb2
  have bh_l := le_trans (add_le (natural s.center) iml) im_bh
  have al_r := le_trans im_al (add_le (natural s.center) imr)
  -- slopes
  have square := Nat.mul_pos hu hu
  have steepDiv : ∀ n : Nat, n ≤ Nat.succ (n / (s.unit * s.unit)) * (s.unit * s.unit) := fun n => by
    rw [Nat.mul_comm]
    exact Nat.le_trans (Rows.lt_mul_div n _ square) (Nat.add_le_add Nat.le.refl (Natural.sub_le _ _))
  have flatDiv : ∀ n : Nat, n / (s.unit * s.unit) * (s.unit * s.unit) ≤ n := fun n => by
    rw [Nat.mul_comm]; exact Rows.mul_div_le n _ square
  have dl := sub_nonneg xl_x
  have dr := sub_nonneg x_xr
  have s1 := steepest (D := factor) hu (rises he xl_x function hf hva hv).1 dl pv ql (upP v im_bh)
    (upQ vl al_l) (steepDiv _)
  have s2 := flattest (D := factor) hu (rises he xl_x function hf hva hv).2 dl (downP vl al_l pl)
    (downQ v im_bh qv) (flatDiv _)
  have s3 := steepest (D := factor) hu (rises he x_xr function hf hv hvb).1 dr pr qv (upP vr bh_r)
    (upQ v im_al) (steepDiv _)
  have s4 := flattest (D := factor) hu (rises he x_xr function hf hv hvb).2 dr (downP v im_al pv)
    (downQ vr bh_r qr) (flatDiv _)
  have image : ∀ y z : K, s.image y - s.image z = natural s.unit * (y - z) :=
    fun y z => (ring4 K u y z c, u * y + c - (u * z + c), u * (y - z)) _ _ _ _
  rw [← image, ← image, ea] at s1 s2
  rw [← image, ← image, eb] at s3 s4
  exact piece_core hab ht xa xb wa1 wa2 wb1 wb2 (le_trans (natural_nonneg al) im_al) s1 s2 s3 s4
    (Nat.succ_le_succ (Nat.zero_le _)) (succ_gap _ _) (natural_gap _ _)
end Curve
end PytestTorchLean
