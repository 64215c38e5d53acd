prelude
import PytestTorchLean.Check.ResidualPiece
/-!
# A smooth activation as a line and a residual

With a slope `s` for each neuron, `D * y - s * x` varies much less than `y` does. Over an interval it is
bounded piece by piece: at the ends of a piece the function is enclosed, and between them it rises by at least
and at most as much as Check/Rise says, from the left end or to the right end, whichever is better. All
numbers are fixed-point; the residual is `D * image y + s * (top - image x)`, which is a natural number's
size.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]
namespace Curve

/-- What a value `η` is off a line at the argument `ξ`, both in fixed point, as a number that is not negative:
    the line has the slope `slope - fall`, in units of `1 / factor`. -/
def offLine (s : Scale) (factor slope fall : Nat) (ξ η : K) : K :=
  natural factor * η + (natural slope * (natural s.top - ξ) + natural fall * ξ)
theorem offLine_zero (s : Scale) (factor slope : Nat) (ξ η : K) :
    offLine s factor slope 0 ξ η = natural factor * η + natural slope * (natural s.top - ξ) := by
  unfold offLine
  have z : (natural 0 : K) * ξ = 0 := zero_mul ξ
  rw [z]
  exact (ring2 K a b, a + (b + 0), a + b) _ _

/-! ### All pieces, and the budget -/

/-- Bounds over an interval, halved `depth` times. -/
def coverBy (piece : Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (enclose : Nat → (Nat → Nat → Bool) → Bool) (depth : Nat) :
    Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool) piece
    (fun _ rest a al ah b bl bh next =>
        (fun m => enclose m fun ml mh => rest a al ah m ml mh fun lo hi => rest m ml mh b bl bh fun lo' hi' =>
        (fun low => (next low) (Nat.add hi (Nat.sub hi' hi))) (Nat.sub lo (Nat.sub lo lo')))
      (Nat.shiftRight (Nat.add a b) 1)) depth
def cover (line : Line) :
    (Nat → (Nat → Nat → Bool) → Bool) → Nat → Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  coverBy (pieceOf line.factor line.slope line.unit line.top line.base line.roof line.bent)
theorem cover_succ (line : Line) (enclose : Nat → (Nat → Nat → Bool) → Bool) (depth a al ah b bl bh : Nat)
    (next : Nat → Nat → Bool) :
    cover line enclose (depth + 1) a al ah b bl bh next =
    enclose (Nat.shiftRight (a + b) 1)
      (fun ml mh => cover line enclose depth a al ah (Nat.shiftRight (a + b) 1) ml mh
        fun lo hi => cover line enclose depth (Nat.shiftRight (a + b) 1) ml mh b bl bh
        fun lo' hi' => next (lo - (lo - lo')) (hi + (hi' - hi))) := by
  rfl

/-- What a rule for the values at a point guarantees. -/
def Encloses (function : Curve) (e : K → K) (s : Scale) (enclose : Nat → (Nat → Nat → Bool) → Bool) : Prop :=
  ∀ m (next : Nat → Nat → Bool),
    enclose m next = true → ∃ low high, At.Point function e s m low high ∧ next low high = true

theorem cover_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {function : Curve} {factor slope : Nat} {enclose : Nat → (Nat → Nat → Bool) → Bool}
    (hf : function.logistic = true)
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (rule : Encloses function e s enclose) :
    (depth a al ah b bl bh : Nat) → (next : Nat → Nat → Bool) →
    a ≤ s.top → b ≤ s.top → At.Point function e s a al ah →
    At.Point function e s b bl bh →
    cover (line s function factor slope) enclose depth a al ah b bl bh next = true →
    ∃ lo hi, (∀ x v, natural a ≤ s.image x → s.image x ≤ natural b →
          function.At e x v →
          natural lo ≤ (line s function factor slope).residual (s.image x) (s.image v) ∧
            (line s function factor slope).residual (s.image x) (s.image v) ≤ natural hi) ∧ next lo hi = true
  | 0, a, al, ah, b, bl, bh, next, _, hb, pa, pb, h => piece_sound he hf hu hc hb pa pb h
  | depth + 1, a, al, ah, b, bl, bh, next, ha, hb, pa, pb, h => by
    rw [cover_succ] at h
    obtain ⟨ml, mh, pm, h⟩ := rule _ _ h
    have hm : Nat.shiftRight (a + b) 1 ≤ s.top := by
      show (a + b) / 2 ^ 1 ≤ s.top
      have two : a + b < 2 ^ 1 * (s.top + 1) := by
        have t := Nat.add_le_add ha hb
        have e2 : 2 ^ 1 * (s.top + 1) = s.top + s.top + 2 := by
          show 2 * (s.top + 1) = _
          rw [Natural.two_mul]
          show Nat.succ (s.top + 1 + s.top) = Nat.succ (Nat.succ (s.top + s.top))
          rw [Nat.succ_add]
        rw [e2]
        exact Nat.le_trans (Nat.succ_le_succ t) (Nat.le_add_right _ 1)
      exact Nat.le_of_succ_le_succ (Natural.div_lt (Natural.two_pow_pos 1) two)
    obtain ⟨lo, hi, r1, h⟩ := cover_sound he hf hu hc rule depth a al ah _ ml mh _ ha hm pa pm h
    obtain ⟨lo', hi', r2, h⟩ := cover_sound he hf hu hc rule depth _ ml mh b bl bh _ hm hb pm pb h
    refine ⟨_, _, fun x v xa xb hv => ?_, h⟩
    have low : ∀ {r : K}, natural lo ≤ r ∨ natural lo' ≤ r → natural (lo - (lo - lo')) ≤ r := fun t => by
      cases t with
      | inl t => exact le_trans (natural_le (min_le lo lo').1) t
      | inr t => exact le_trans (natural_le (min_le lo lo').2.1) t
    have high : ∀ {r : K}, r ≤ natural hi ∨ r ≤ natural hi' → r ≤ natural (hi + (hi' - hi)) := fun t => by
      cases t with
      | inl t => exact le_trans t (natural_le (Nat.le_add_right _ _))
      | inr t =>
        refine le_trans t (natural_le ?_)
        cases Nat.le_total hi hi' with
        | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact Nat.le.refl
        | inr g => exact Nat.le_trans g (Nat.le_add_right _ _)
    cases le_total (s.image x) (natural (Nat.shiftRight (a + b) 1)) with
    | inl g =>
      obtain ⟨t1, t2⟩ := r1 x v xa g hv
      exact ⟨low (Or.inl t1), high (Or.inl t2)⟩
    | inr g =>
      obtain ⟨t1, t2⟩ := r2 x v g xb hv
      exact ⟨low (Or.inr t1), high (Or.inr t2)⟩

/-- The residual of a result, whose argument is between `l` and `u`: over all pieces, moved outward by the
    budget. -/
def settledOf (factor slope unit top base roof bent : Nat) (enclose : Nat → (Nat → Nat → Bool) → Bool)
    (center relative constant depth l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  both (both (Nat.ble l top) (Nat.ble u top)) (enclose l fun al ah => enclose u fun bl bh =>
    coverBy (pieceOf factor slope unit top base roof bent) enclose depth l al ah u bl bh fun lo hi =>
      (fun r => both (Nat.ble r lo) (next (Nat.sub lo r) (Nat.add hi r)))
        (Nat.mul factor (Nat.succ (Nat.shiftRight
                (Nat.add (Nat.mul relative (Nat.add (Nat.sub bh center) (Nat.sub center al))) constant)
                152))))
def settled (line : Line) :
    (Nat → (Nat → Nat → Bool) → Bool) → Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  settledOf line.factor line.slope line.unit line.top line.base line.roof line.bent

theorem settled_sound {e : K → K}
    (he : IsExponential e)
    {s : Scale} {function : Curve} {factor slope depth l u : Nat} {enclose : Nat → (Nat → Nat → Bool) → Bool}
    {next : Nat → Nat → Bool}
    (hf : function.logistic = true)
    (hu : 0 < s.unit)
    (hc : s.unit ≤ s.center)
    (rule : Encloses function e s enclose)
    (h : settled (line s function factor slope) enclose s.center (function.eighths * 2 ^ 126)
      ((function.eighths + 8 * function.absolute) * s.unit) depth l u next = true) :
    ∃ lo hi, (∀ x y, Within s l u x → function.Computes .binary32 e x y →
          natural lo ≤ (line s function factor slope).residual (s.image x) (s.image y) ∧
            (line s function factor slope).residual (s.image x) (s.image y) ≤ natural hi) ∧
      next lo hi = true := by
  obtain ⟨c, h⟩ := both_true h
  obtain ⟨c1, c2⟩ := both_true c
  obtain ⟨al, ah, pa, h⟩ := rule _ _ h
  obtain ⟨bl, bh, pb, h⟩ := rule _ _ h
  obtain ⟨lo, hi, r, h⟩ := cover_sound he hf hu hc rule depth l al ah u bl bh _ (Nat.le_of_ble_eq_true c1)
    (Nat.le_of_ble_eq_true c2) pa pb h
  obtain ⟨c3, h⟩ := both_true h
  refine ⟨_, _, fun x y hx hy => ?_, h⟩
  obtain ⟨v, hv, hb⟩ := hy
  obtain ⟨t1, t2⟩ := r x v hx.1 hx.2 hv
  -- the value lies between those at the two ends
  have between : Within s al bh v := by
    obtain ⟨xl, vl, ea, hva, wa, _⟩ := pa
    obtain ⟨xr, vr, eb, hvb, _, wb⟩ := pb
    have left : xl ≤ x := cancel_natural hu (by
      have t := hx.1; rw [← ea] at t; unfold Scale.image at t
      exact le_cert ((ring3 K p q c, q - p, q + c - (p + c)) _ _ _) (sub_nonneg t))
    have right : x ≤ xr := cancel_natural hu (by
      have t := hx.2; rw [← eb] at t; unfold Scale.image at t
      exact le_cert ((ring3 K p q c, q - p, q + c - (p + c)) _ _ _) (sub_nonneg t))
    have u0 := natural_nonneg (K := K) s.unit
    exact ⟨le_trans wa (add_le _ (mul_le_left u0 (increases he left function hf hva hv))),
        le_trans (add_le _ (mul_le_left u0 (increases he right function hf hv hvb))) wb⟩
  obtain ⟨a, ha, eq⟩ := absolute_value v
  have b := budget_radius (Natural.two_pow_pos 152) (hb a ha) (size_of between eq) (rounded_up 152 _)
  have b := b.mul_left (natural_nonneg factor)
  rw [← natural_mul] at b
  obtain ⟨b1, b2⟩ := b
  have apart : (line s function factor slope).residual (s.image x) (s.image y) =
      (line s function factor slope).residual (s.image x) (s.image v) +
          natural factor * (natural s.unit * (y - v)) := by
    unfold Line.residual Scale.image
    exact (ring8 K f u y v c r z w, f * (u * y + c) + r, f * (u * v + c) + r + f * (u * (y - v)))
      (natural factor) (natural s.unit) y v (natural s.center) _ 0 0
  rw [apart]
  generalize natural factor * (natural s.unit * (y - v)) = z at *
  constructor
  · have low := Linear.natural_sub (K := K) (Nat.le_of_ble_eq_true c3)
    refine le_trans (le_of_eq low) ?_
    refine le_cert ?_ (add_nonneg (sub_nonneg t1) (sub_nonneg b2))
    exact (ring4 K q l r z, q + z - (l - r), q - l + (r - -z)) _ _ _ _
  · refine le_trans (add_le_add t2 b1) (le_of_eq ?_)
    exact (natural_add _ _).symm

/-! ### Operations that keep their argument -/

/-- The residual of a fused operation's result, whose argument is between `l` and `u`: only the budget moves
    it. -/
def carried (factor top center relative constant slope l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  both (both (Nat.ble slope factor) (Nat.ble u top)) (force (fun r => force (fun lo => force (fun hi =>
      both (Nat.ble r lo) (force (fun low => force (next low) (Nat.add hi r)) (Nat.sub lo r)))
    (Nat.add (Nat.mul factor u) (Nat.mul slope (Nat.sub top u))))
      (Nat.add (Nat.mul factor l) (Nat.mul slope (Nat.sub top l))))
    (Nat.mul factor (Nat.succ (Nat.shiftRight
            (Nat.add (Nat.mul relative (Nat.add (Nat.sub u center) (Nat.sub center l))) constant) 152))))

theorem carried_core {D S T l u R : Nat} {ξ η z : K}
    (hS : S ≤ D)
    (hl : l ≤ T)
    (hu : u ≤ T)
    (x1 : natural l ≤ ξ)
    (x2 : ξ ≤ natural u)
    (e : η = ξ + z)
    (b : AtMost (natural D * z) (natural R))
    (hR : R ≤ D * l + S * (T - l)) :
    natural (D * l + S * (T - l) - R) ≤ natural D * η + natural S * (natural T - ξ) ∧
    natural D * η + natural S * (natural T - ξ) ≤ natural (D * u + S * (T - u) + R) := by
  have gap := sub_nonneg (natural_le (K := K) hS)
  obtain ⟨b1, b2⟩ := b
  rw [Linear.natural_sub hR, natural_add, natural_add, natural_add, natural_mul, natural_mul, natural_mul,
      natural_mul, Linear.natural_sub hl, Linear.natural_sub hu, e]
  constructor
  · have t := add_nonneg (mul_nonneg gap (sub_nonneg x1)) (sub_nonneg b2)
    exact le_cert ((ring8 K D S T l x z R w, D * (x + z) + S * (T - x) - (D * l + S * (T - l) - R),
          (D - S) * (x - l) + (R - -(D * z))) (natural D) (natural S) (natural T) (natural l) ξ z (natural R)
        0) t
  · have t := add_nonneg (mul_nonneg gap (sub_nonneg x2)) (sub_nonneg b1)
    exact le_cert ((ring8 K D S T l x z R w, D * l + S * (T - l) + R - (D * (x + z) + S * (T - x)),
          (D - S) * (l - x) + (R - D * z)) (natural D) (natural S) (natural T) (natural u) ξ z (natural R) 0)
      t

theorem carried_sound {e : K → K} {s : Scale} {operation : Fused} {factor slope l u : Nat}
    {next : Nat → Nat → Bool}
    (h : carried factor s.top s.center ((Curve.fused operation).eighths * 2 ^ 126)
      (((Curve.fused operation).eighths + 8 * (Curve.fused operation).absolute) * s.unit) slope l u
      next = true) :
    ∃ lo hi, (∀ x y, Within s l u x → (Curve.fused operation).Computes .binary32 e x y →
          natural lo ≤ natural factor * s.image y + natural slope * (natural s.top - s.image x) ∧
            natural factor * s.image y + natural slope * (natural s.top - s.image x) ≤ natural hi) ∧
      next lo hi = true := by
  unfold carried at h
  obtain ⟨c, h⟩ := both_true h
  obtain ⟨c1, c2⟩ := both_true c
  simp only [force_eq] at h
  obtain ⟨c3, h⟩ := both_true h
  refine ⟨_, _, fun x y hx hy => ?_, h⟩
  obtain ⟨v, hv, hb⟩ := hy
  have hv : v = x := hv
  subst hv
  obtain ⟨a, ha, eq⟩ := absolute_value v
  have b := budget_radius (Natural.two_pow_pos 152) (hb a ha) (size_of hx eq) (rounded_up 152 _)
  have b := b.mul_left (natural_nonneg factor)
  rw [← natural_mul] at b
  have hu := Nat.le_of_ble_eq_true c2
  have hl : l ≤ s.top := Nat.le_trans (natural_le_reflect (le_trans hx.1 hx.2)) hu
  refine carried_core (Nat.le_of_ble_eq_true c1) hl hu hx.1 hx.2 ?_ b (Nat.le_of_ble_eq_true c3)
  unfold Scale.image
  exact (ring4 K u y v c, u * y + c, u * v + c + u * (y - v)) _ _ _ _
end Curve
end PytestTorchLean
