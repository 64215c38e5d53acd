prelude
import PytestTorchLean.Check.Concave
/-!
# Any curve as a line and a residual, piece by piece

For curves whose rise is not known: over every piece of an interval the curve's own rule encloses its values,
and the line is enclosed by its ends. What is lost is the line's rise over one piece. A line has two slopes,
of which the difference counts: it may rise or fall.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]
namespace Curve

/-- Bounds of the values and of the residual over an interval, halved `depth` times. -/
def stepwise (factor slope fall top : Nat) (rule : Nat → Nat → (Nat → Nat → Bool) → Bool) (depth : Nat) :
    Nat → Nat → (Nat → Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → (Nat → Nat → Nat → Nat → Bool) → Bool)
    (fun l u next => rule l u fun low high => force
        (fun lo => force (next low high lo) (Nat.add (Nat.mul factor high)
            (Nat.add (Nat.mul slope (Nat.sub top l)) (Nat.mul fall u))))
      (Nat.add (Nat.mul factor low) (Nat.add (Nat.mul slope (Nat.sub top u)) (Nat.mul fall l))))
    (fun _ rest l u next => force (fun m =>
        rest l m fun low high lo hi => rest m u fun low' high' lo' hi' =>
          force (fun a => force (fun b => force (fun c => force (next a b c) (Nat.add hi (Nat.sub hi' hi)))
            (Nat.sub lo (Nat.sub lo lo'))) (Nat.add high (Nat.sub high' high)))
          (Nat.sub low (Nat.sub low low')))
      (Nat.shiftRight (Nat.add l u) 1)) depth
theorem stepwise_zero (factor slope fall top : Nat) (rule : Nat → Nat → (Nat → Nat → Bool) → Bool)
    (l u : Nat) (next : Nat → Nat → Nat → Nat → Bool) :
    stepwise factor slope fall top rule 0 l u next =
    rule l u fun low high => next low high (factor * low + (slope * (top - u) + fall * l))
      (factor * high + (slope * (top - l) + fall * u)) := by
  unfold stepwise
  simp only [force_eq]
  rfl
theorem stepwise_succ (factor slope fall top depth : Nat) (rule : Nat → Nat → (Nat → Nat → Bool) → Bool)
    (l u : Nat) (next : Nat → Nat → Nat → Nat → Bool) :
    stepwise factor slope fall top rule (depth + 1) l u next =
    stepwise factor slope fall top rule depth l ((l + u) / 2) fun low high lo hi =>
      stepwise factor slope fall top rule depth ((l + u) / 2) u fun low' high' lo' hi' =>
        next (low - (low - low')) (high + (high' - high)) (lo - (lo - lo')) (hi + (hi' - hi)) := by
  unfold stepwise
  simp only [force_eq]
  rfl

/-- The residual of a result, whose argument is between `l` and `u`: over all pieces, moved outward by the
    budget. -/
def stepped (factor top center relative constant : Nat)
    (pieces : Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Bool) → Bool) (slope fall l u : Nat)
    (next : Nat → Nat → Bool) : Bool :=
  both (Nat.ble u top) (pieces slope fall l u fun low high lo hi =>
    force (fun r => both (Nat.ble r lo) (force (fun a => force (next a) (Nat.add hi r)) (Nat.sub lo r)))
      (Nat.mul factor (Nat.succ (Nat.shiftRight
              (Nat.add (Nat.mul relative (Nat.add (Nat.sub high center) (Nat.sub center low))) constant)
              152))))

theorem middle_between {l u : Nat} (h : l ≤ u) : l ≤ (l + u) / 2 ∧ (l + u) / 2 ≤ u := by
  have two : 0 < 2 := Nat.succ_le_succ (Nat.zero_le 1)
  constructor
  · have t := Rows.lt_mul_div (l + u) 2 two
    cases Nat.lt_or_ge ((l + u) / 2) l with
    | inr g => exact g
    | inl g =>
      have a : 2 * Nat.succ ((l + u) / 2) ≤ l + u := by
        refine Nat.le_trans (Nat.mul_le_mul (Nat.le.refl (n := 2)) g) ?_
        rw [Natural.two_mul]; exact Nat.add_le_add Nat.le.refl h
      exact absurd (Nat.le_trans (Nat.succ_le_succ t) (by
          have e : 2 * Nat.succ ((l + u) / 2) = Nat.succ (2 * ((l + u) / 2) + (2 - 1)) := rfl
          rw [← e]; exact a)) (Nat.not_succ_le_self _)
  · refine Nat.le_of_succ_le_succ (Natural.div_lt two ?_)
    rw [Natural.two_mul]
    refine Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add h (Nat.le.refl (n := u)))) ?_
    show Nat.succ (u + u) ≤ u + 1 + (u + 1)
    exact Nat.add_le_add (Nat.le_add_right u 1) (Nat.le.refl (n := u + 1))

theorem stepwise_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {function : Curve} {factor slope fall bits count limit : Nat}
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (hl : limit < s.unit * 256 ^ count) :
    (depth l u : Nat) → (next : Nat → Nat → Nat → Nat → Bool) → (x : K) → u ≤ s.top → Within s l u x →
    stepwise factor slope fall s.top (exactly s function bits count (s.unit * 256 ^ count) (2 ^ bits) limit)
      depth l u next = true →
    ∃ low high lo hi, (∀ v, function.At e x v → Within s low high v ∧
          natural lo ≤ offLine s factor slope fall (s.image x) (s.image v) ∧
            offLine s factor slope fall (s.image x) (s.image v) ≤ natural hi) ∧
      next low high lo hi = true
  | 0, l, u, next, x, ht, hx, h => by
    rw [stepwise_zero] at h
    obtain ⟨_, low, high, w, h⟩ := exactly_sound he hu hc hl hx function h
    refine ⟨low, high, _, _, fun v hv => ⟨w v hv, ?_, ?_⟩, h⟩
    · rw [natural_add, natural_mul, natural_add, natural_mul, natural_mul, Linear.natural_sub ht]
      refine add_le_add (mul_le_left (natural_nonneg _) (w v hv).1) (add_le_add
          (mul_le_left (natural_nonneg _) ?_) (mul_le_left (natural_nonneg _) hx.1))
      exact le_cert ((ring3 K t a b, t - a - (t - b), b - a) _ _ _) (sub_nonneg hx.2)
    · have hl' : l ≤ s.top := Nat.le_trans (natural_le_reflect (le_trans hx.1 hx.2)) ht
      rw [natural_add, natural_mul, natural_add, natural_mul, natural_mul, Linear.natural_sub hl']
      refine add_le_add (mul_le_left (natural_nonneg _) (w v hv).2) (add_le_add
          (mul_le_left (natural_nonneg _) ?_) (mul_le_left (natural_nonneg _) hx.2))
      exact le_cert ((ring3 K t a b, t - a - (t - b), b - a) _ _ _) (sub_nonneg hx.1)
  | depth + 1, l, u, next, x, ht, hx, h => by
    rw [stepwise_succ] at h
    obtain ⟨m1, m2⟩ := middle_between (natural_le_reflect (le_trans hx.1 hx.2))
    generalize (l + u) / 2 = m at h m1 m2
    have point : ∀ n : Nat, ∃ y : K, s.image y = natural n := fun n => by
      obtain ⟨y, hy⟩ := he.part hu (natural n - natural s.center)
      refine ⟨y, ?_⟩
      unfold Scale.image
      rw [hy]; exact (ring2 K a b, a - b + b, a) _ _
    cases le_total (s.image x) (natural m) with
    | inl g =>
      obtain ⟨y, hy⟩ := point u
      have inside : Within s m u y := by
        unfold Within; rw [hy]; exact ⟨natural_le m2, le_refl _⟩
      obtain ⟨low, high, lo, hi, r, h⟩ :=
        stepwise_sound he hu hc hl depth l m _ x (Nat.le_trans m2 ht) ⟨hx.1, g⟩ h
      obtain ⟨low', high', lo', hi', _, h⟩ := stepwise_sound he hu hc hl depth m u _ y ht inside h
      refine ⟨_, _, _, _, fun v hv => ?_, h⟩
      obtain ⟨⟨a, b⟩, c, d⟩ := r v hv
      exact ⟨⟨low_of (Or.inl a), high_of (Or.inl b)⟩, low_of (Or.inl c), high_of (Or.inl d)⟩
    | inr g =>
      obtain ⟨y, hy⟩ := point l
      have inside : Within s l m y := by
        unfold Within; rw [hy]; exact ⟨le_refl _, natural_le m1⟩
      obtain ⟨low, high, lo, hi, _, h⟩ :=
        stepwise_sound he hu hc hl depth l m _ y (Nat.le_trans m2 ht) inside h
      obtain ⟨low', high', lo', hi', r, h⟩ := stepwise_sound he hu hc hl depth m u _ x ht ⟨g, hx.2⟩ h
      refine ⟨_, _, _, _, fun v hv => ?_, h⟩
      obtain ⟨⟨a, b⟩, c, d⟩ := r v hv
      exact ⟨⟨low_of (Or.inr a), high_of (Or.inr b)⟩, low_of (Or.inr c), high_of (Or.inr d)⟩

/-- Bounds of the values and of the residual over an interval: of the logarithm by its tangents, of the other
    curves piece by piece. -/
def pieces (s : Scale) (function : Curve) (factor depth bits count measure one limit top slope fall : Nat) :
    Nat → Nat → (Nat → Nat → Nat → Nat → Bool) → Bool :=
  match function with
  | .log => concave factor slope fall top s.unit s.center
      (Exponential.below 1 s.center bits count measure one limit)
      (Exponential.above 1 s.center bits count measure one limit)
  | function => stepwise factor slope fall top (exactly s function bits count measure one limit) depth

theorem pieces_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {factor slope fall depth bits count limit l u : Nat} {next : Nat → Nat → Nat → Nat → Bool}
    {x : K}
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (hl : limit < s.unit * 256 ^ count)
    (top : u ≤ s.top)
    (hx : Within s l u x)
    (function : Curve)
    (h : pieces s function factor depth bits count (s.unit * 256 ^ count) (2 ^ bits) limit s.top slope fall l
      u next = true) :
    ∃ low high lo hi, (∀ v, function.At e x v → Within s low high v ∧
          natural lo ≤ offLine s factor slope fall (s.image x) (s.image v) ∧
            offLine s factor slope fall (s.image x) (s.image v) ≤ natural hi) ∧
      next low high lo hi = true := by
  cases function
  case log => exact concave_sound he hu hl top hx h
  all_goals exact stepwise_sound he hu hc hl depth l u next x top hx h

theorem stepped_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {function : Curve} {factor slope fall bits count limit depth l u : Nat}
    {next : Nat → Nat → Bool} {x y : K}
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (hl : limit < s.unit * 256 ^ count)
    (hx : Within s l u x)
    (hy : function.Computes .binary32 e x y)
    (h : stepped factor s.top s.center (function.eighths * 2 ^ 126)
      ((function.eighths + 8 * function.absolute) * s.unit)
      (pieces s function factor depth bits count (s.unit * 256 ^ count) (2 ^ bits) limit s.top) slope fall l u
      next = true) :
    ∃ lo hi, (natural lo ≤ offLine s factor slope fall (s.image x) (s.image y) ∧
        offLine s factor slope fall (s.image x) (s.image y) ≤ natural hi) ∧
      next lo hi = true := by
  unfold stepped at h
  obtain ⟨c1, h⟩ := both_true h
  obtain ⟨low, high, lo, hi, r, h⟩ :=
    pieces_sound he hu hc hl (Nat.le_of_ble_eq_true c1) hx function h
  simp only [force_eq] at h
  obtain ⟨c2, h⟩ := both_true h
  refine ⟨_, _, ?_, h⟩
  obtain ⟨v, hv, hb⟩ := hy
  obtain ⟨between, t1, t2⟩ := r v hv
  obtain ⟨a, ha, eq⟩ := absolute_value v
  have b := budget_radius (Natural.two_pow_pos 152) (hb a ha) (size_of between eq) (rounded_up 152 _)
  have b := b.mul_left (natural_nonneg factor)
  rw [← natural_mul] at b
  obtain ⟨b1, b2⟩ := b
  have apart : offLine s factor slope fall (s.image x) (s.image y) =
      offLine s factor slope fall (s.image x) (s.image v) + natural factor * (natural s.unit * (y - v)) := by
    unfold offLine Scale.image
    exact (ring8 K f u y v c r z w, f * (u * y + c) + r, f * (u * v + c) + r + f * (u * (y - v)))
      (natural factor) (natural s.unit) y v (natural s.center) _ 0 0
  rw [apart]
  generalize natural factor * (natural s.unit * (y - v)) = z at *
  constructor
  · have low := Linear.natural_sub (K := K) (Nat.le_of_ble_eq_true c2)
    refine le_trans (le_of_eq low) ?_
    refine le_cert ?_ (add_nonneg (sub_nonneg t1) (sub_nonneg b2))
    exact (ring4 K q l r z, q + z - (l - r), q - l + (r - -z)) _ _ _ _
  · refine le_trans (add_le_add t2 b1) (le_of_eq ?_)
    exact (natural_add _ _).symm
end Curve
end PytestTorchLean
