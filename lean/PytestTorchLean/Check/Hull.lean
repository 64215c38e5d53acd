prelude
import PytestTorchLean.Check.Box
import PytestTorchLean.Thm.Hull
/-!
# From the binary32 hull of a box to the bounds of the first slots

Next below and above each bound of the box there is a binary32 number, at most `2^-23` of the bound's absolute
value and one unit away. So the box, widened by that much, contains its hull. A digit of the box exceeds the
bound's absolute value at most by the offset; hence the widened bounds are again multiples of the digits.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Box

/-- Digits of `bits` bits and the offset stay far below the largest finite number. -/
def inRange (b : Box) (bits : Nat) : Bool :=
  both (Nat.ble 1 b.denominator)
    (both (Nat.ble (2 ^ bits) (b.denominator * 2 ^ 127)) (Nat.ble b.offset (b.denominator * 2 ^ 127)))

theorem in_range {b : Box} {bits y : Nat} (h : inRange b bits = true) (hy : y < 2 ^ bits) :
    0 < b.denominator ∧ 2 ^ 149 * y ≤ 2 ^ 149 * b.offset + b.denominator * Binary32.largest ∧
      2 ^ 149 * b.offset ≤ 2 ^ 149 * y + b.denominator * Binary32.largest := by
  obtain ⟨h1, h⟩ := both_true h
  obtain ⟨h2, h3⟩ := both_true h
  have h2 := Nat.le_of_ble_eq_true h2
  have h3 := Nat.le_of_ble_eq_true h3
  have whole :
      ∀ x, x ≤ b.denominator * 2 ^ 127 → 2 ^ 149 * x ≤ b.denominator * Binary32.largest := fun x hx => by
    refine Nat.le_trans (Nat.mul_le_mul (Nat.le.refl (n := 2 ^ 149)) hx) ?_
    rw [Nat.mul_left_comm]
    exact Nat.mul_le_mul Nat.le.refl (by decide +kernel)
  exact ⟨Nat.le_of_ble_eq_true h1,
      Nat.le_trans (whole y (Nat.le_trans (Natural.le_of_lt hy) h2)) (Nat.le_add_left _ _),
      Nat.le_trans (whole _ h3) (Nat.le_add_left _ _)⟩

theorem natural_distance (a b : Nat) : AtMost (natural a - natural b : K) (natural (a + b)) := by
  rw [natural_add]
  have ha := natural_nonneg (K := K) a
  have hb := natural_nonneg (K := K) b
  exact ⟨le_cert ((ring2 K a b, a + b - (a - b), b + b) (natural a) (natural b)) (add_nonneg hb hb),
    le_cert ((ring2 K a b, a + b - -(a - b), a + a) (natural a) (natural b)) (add_nonneg ha ha)⟩

/-- The hull lies in the box widened by `2^-23` and one unit. -/
theorem hull_bounds {b : Box} {inputs i bits : Nat} {slots : Nat → K}
    (h : b.HullHolds inputs slots)
    (hi : i < inputs)
    (hr : inRange b bits = true)
    (hl : digit b.width b.lower i < 2 ^ bits)
    (hu : digit b.width b.upper i < 2 ^ bits) :
    natural (2 ^ 23) * (natural (2 ^ 149) *
            (natural (digit b.width b.lower i) - natural b.offset - natural b.denominator * slots (2 + i))) ≤
      natural (2 ^ 149) * natural (digit b.width b.lower i + b.offset) + natural (2 ^ 23 * b.denominator) ∧
    natural (2 ^ 23) * (natural (2 ^ 149) * (natural b.denominator * slots (2 + i) -
                (natural (digit b.width b.upper i) - natural b.offset))) ≤
      natural (2 ^ 149) * natural (digit b.width b.upper i + b.offset) +
        natural (2 ^ 23 * b.denominator) := by
  have hull := h i hi
  generalize digit b.width b.lower i = l at *
  generalize digit b.width b.upper i = u at *
  have q0 := natural_nonneg (K := K) (2 ^ 23)
  constructor
  · obtain ⟨d0, r1, r2⟩ := in_range hr hl
    obtain ⟨w, ⟨wf, _⟩, below, near⟩ := Binary32.exists_scaled_below K d0 r1 r2
    have n := near _ (natural_distance _ _)
    have x := mul_le_left (natural_nonneg (K := K) b.denominator) ((hull w wf).1 below)
    rw [← Nat.mul_add, natural_mul (2 ^ 149) (_ + _), natural_mul (2 ^ 149), natural_mul (2 ^ 149) b.offset]
      at n
    refine le_trans (mul_le_left q0 ?_) n
    refine le_cert ?_ (sub_nonneg x)
    generalize (Binary32.scaled w : K) = v
    generalize (natural (2 ^ 149) : K) = t
    have e := (ring5 K a d v t x, a - d * v - (a - d * (t * x)), d * (t * x) - d * v)
      (t * natural l - t * natural b.offset) (natural b.denominator) v t (slots (2 + i))
    rw [← e]
    have e2 := (ring5 K t l o d x, t * l - t * o - d * (t * x), t * (l - o - d * x)) t (natural l)
      (natural b.offset) (natural b.denominator) (slots (2 + i))
    rw [e2]
  · obtain ⟨d0, r1, r2⟩ := in_range hr hu
    obtain ⟨w, ⟨wf, _⟩, above, near⟩ := Binary32.exists_scaled_above K d0 r1 r2
    have n := near _ (natural_distance _ _)
    have x := mul_le_left (natural_nonneg (K := K) b.denominator) ((hull w wf).2 above)
    rw [← Nat.mul_add, natural_mul (2 ^ 149) (_ + _), natural_mul (2 ^ 149), natural_mul (2 ^ 149) b.offset]
      at n
    refine le_trans (mul_le_left q0 ?_) n
    refine le_cert ?_ (sub_nonneg x)
    generalize (Binary32.scaled w : K) = v
    generalize (natural (2 ^ 149) : K) = t
    have e := (ring5 K a d v t x, d * v - a - (d * (t * x) - a), d * v - d * (t * x))
      (t * natural u - t * natural b.offset) (natural b.denominator) v t (slots (2 + i))
    rw [← e]
    have e2 := (ring5 K t u o d x, d * (t * x) - (t * u - t * o), t * (d * x - (u - o))) t (natural u)
      (natural b.offset) (natural b.denominator) (slots (2 + i))
    rw [e2]

/-! ### In fixed point

`factor * denominator = unit * share`: either the factor is the unit and the share the denominator, or the
unit is a multiple of the denominator and the share is 1. -/

/-- A lower digit enters as this multiple. -/
def down (factor : Nat) : Nat := factor * (2 ^ 23 - 1)
/-- An upper digit enters as this multiple. -/
def up (factor : Nat) : Nat := factor * (2 ^ 23 + 1)
/-- What is added to every value. -/
def hullMass (factor share offset : Nat) : Nat := up factor * offset + share
/-- What is added to every upper bound besides. -/
def hullExtra (factor share offset : Nat) : Nat := factor * offset + share + (factor * offset + share)

theorem down_eq (factor : Nat) : (natural (down factor) : K) = (natural (2 ^ 23) - 1) * natural factor := by
  have e : (natural (2 ^ 23) : K) = natural (2 ^ 23 - 1) + 1 := by
    rw [← natural_succ]
  unfold down
  rw [natural_mul, e]
  exact (ring2 K f m, f * m, (m + 1 - 1) * f) _ _
theorem up_eq (factor : Nat) : (natural (up factor) : K) = (natural (2 ^ 23) + 1) * natural factor := by
  unfold up
  rw [natural_mul, natural_succ]
  exact mul_comm _ _

theorem input_within_hull {s : Scale} {b : Box} {inputs i bits factor share : Nat} {slots : Nat → K}
    (h : b.HullHolds inputs slots)
    (hi : i < inputs)
    (hr : inRange b bits = true)
    (hl : digit b.width b.lower i < 2 ^ bits)
    (hu : digit b.width b.upper i < 2 ^ bits)
    (hf : factor * b.denominator = s.unit * share)
    (small : s.unit ≤ 2 ^ 126) :
    natural (down factor * digit b.width b.lower i) + natural (2 ^ 23 * share * s.center) ≤
      natural (2 ^ 23 * share) * s.image (slots (2 + i)) + natural (hullMass factor share b.offset) ∧
    natural (2 ^ 23 * share) * s.image (slots (2 + i)) + natural (hullMass factor share b.offset) ≤
      natural (up factor * digit b.width b.upper i + hullExtra factor share b.offset) +
        natural (2 ^ 23 * share * s.center) := by
  obtain ⟨h1, h2⟩ := hull_bounds h hi hr hl hu
  generalize digit b.width b.lower i = l at *
  generalize digit b.width b.upper i = u at *
  generalize slots (2 + i) = x at *
  have t0 := Natural.two_pow_pos 149
  -- one unit is at most the share
  have unit :
      (natural factor * natural (2 ^ 23 * b.denominator) : K) ≤ natural (2 ^ 149) * natural share := by
    rw [← natural_mul, ← natural_mul, Nat.mul_left_comm, hf, ← Nat.mul_assoc]
    refine natural_le (Nat.mul_le_mul ?_ Nat.le.refl)
    refine Nat.le_trans (Nat.mul_le_mul (Nat.le.refl (n := 2 ^ 23)) small) ?_
    decide +kernel
  have equation :
      (natural factor * (natural b.denominator * x) : K) = natural share * (natural s.unit * x) := by
    rw [← mul_assoc, ← natural_mul, hf, natural_mul]
    exact (ring3 K u g x, u * g * x, g * (u * x)) _ _ _
  have f0 := natural_nonneg (K := K) factor
  have value : (natural (2 ^ 23 * share) * s.image x + natural (hullMass factor share b.offset) : K) =
      natural (2 ^ 23) * (natural share * (natural s.unit * x)) +
          ((natural (2 ^ 23) + 1) * (natural factor * natural b.offset) + natural share) +
          natural (2 ^ 23 * share * s.center) := by
    unfold Scale.image hullMass
    rw [natural_add, natural_mul (up factor), up_eq, natural_mul (2 ^ 23 * share), natural_mul (2 ^ 23) share,
        mul_add]
    generalize (natural (2 ^ 23) : K) = q
    rw [mul_assoc q, mul_assoc (q + 1)]
    simp only [add_assoc, add_left_comm, add_comm]
  rw [value]
  have q0 := natural_nonneg (K := K) (2 ^ 23)
  constructor
  · have m := mul_le_left f0 h1
    have n : natural (2 ^ 149) * (natural (2 ^ 23) * (natural factor * natural l -
              natural factor * natural b.offset - natural share * (natural s.unit * x))) ≤
        natural (2 ^ 149) *
            (natural factor * natural l + natural factor * natural b.offset + natural share) := by
      rw [← equation]
      rw [mul_add (natural factor)] at m
      have m := le_trans m (add_le_add (le_refl _) unit)
      rw [natural_add l] at m
      generalize (natural (2 ^ 149) : K) = t at *
      generalize (natural (2 ^ 23) : K) = q at *
      generalize natural b.denominator * x = y at *
      generalize (natural b.offset : K) = o at *
      generalize (natural l : K) = l at *
      rw [(ring5 K f q t a y, f * (q * (t * (a - y))), t * (q * (f * a - f * y))) (natural factor) q t (l - o)
          y, (ring3 K f l o, f * (l - o), f * l - f * o) (natural factor) l o] at m
      refine le_trans m (le_of_eq ?_)
      exact (ring5 K f t l o g, f * (t * (l + o)) + t * g, t * (f * l + f * o + g)) _ _ _ _ _
    have n := sub_nonneg (cancel_natural t0 n)
    rw [natural_mul (down factor), down_eq, mul_assoc]
    refine add_le_add ?_ (le_refl _)
    refine le_cert ?_ n
    exact (ring5 K q p r y g, q * y + ((q + 1) * r + g) - (q - 1) * p, p + r + g - q * (p - r - y)) _ _ _ _ _
  · have m := mul_le_left f0 h2
    have n : natural (2 ^ 149) * (natural (2 ^ 23) * (natural share * (natural s.unit * x) -
              (natural factor * natural u - natural factor * natural b.offset))) ≤
        natural (2 ^ 149) *
            (natural factor * natural u + natural factor * natural b.offset + natural share) := by
      rw [← equation]
      rw [mul_add (natural factor)] at m
      have m := le_trans m (add_le_add (le_refl _) unit)
      rw [natural_add u] at m
      generalize (natural (2 ^ 149) : K) = t at *
      generalize (natural (2 ^ 23) : K) = q at *
      generalize natural b.denominator * x = y at *
      generalize (natural b.offset : K) = o at *
      generalize (natural u : K) = l at *
      rw [(ring5 K f q t a y, f * (q * (t * (y - a))), t * (q * (f * y - f * a))) (natural factor) q t (l - o)
          y, (ring3 K f l o, f * (l - o), f * l - f * o) (natural factor) l o] at m
      refine le_trans m (le_of_eq ?_)
      exact (ring5 K f t l o g, f * (t * (l + o)) + t * g, t * (f * l + f * o + g)) _ _ _ _ _
    have n := sub_nonneg (cancel_natural t0 n)
    rw [natural_add (up factor * u), natural_mul (up factor), up_eq, mul_assoc (natural (2 ^ 23) + 1)]
    refine add_le_add ?_ (le_refl _)
    unfold hullExtra
    rw [natural_add, natural_add, natural_mul factor]
    refine le_cert ?_ n
    exact (ring5 K q p r y g, (q + 1) * p + (r + g + (r + g)) - (q * y + ((q + 1) * r + g)),
        p + r + g - q * (y - (p - r))) _ _ _ _ _

/-! ### All inputs -/

/-- Bits of a digit of a box whose hull is bounded all at once. -/
def hullRoom (s : Scale) (b : Box) : Nat := Nat.sub (room s b) 25
/-- The largest numbers that arise. -/
def hullLimit (s : Scale) (b : Box) : Nat :=
  up (factor s b) * 2 ^ hullRoom s b + hullExtra (factor s b) 1 b.offset

/-- The hull's inputs, all at once. -/
def placeHull (s : Scale) (inputs : Nat) (b : Box) (next : Nat → Nat → Bool) : Bool :=
  Rows.write s s.stride (2 ^ 23) (2 ^ 23 * s.center) (hullLimit s b) inputs
    (Nat.add (Nat.add (Nat.mul (down (factor s b)) b.lower)
          (Nat.mul (Nat.pow 2 s.half) (Nat.mul (up (factor s b)) b.upper)))
        (Nat.mul (Nat.mul (Nat.pow 2 s.half) (hullExtra (factor s b) 1 b.offset)) (ones s.stride inputs)))
    (Nat.mul (hullMass (factor s b) 1 b.offset) (ones s.stride inputs)) next

/-- The conditions on the numbers of a box whose inputs are bounded one after the other. -/
def hullFits (s : Scale) (b : Box) : Bool :=
  both (Nat.ble (Nat.succ (up s.unit * 2 ^ b.width + hullExtra s.unit b.denominator b.offset)) (2 ^ s.half))
    (Nat.ble (Nat.succ (hullMass s.unit b.denominator b.offset)) (2 ^ s.stride))

/-- Slots 0 and 1, then the inputs in the hull of the box. -/
def runHull (s : Scale) (inputs : Nat) (b : Box) (next : Nat → Nat → Nat → Bool) : Bool :=
  both (Nat.ble s.unit (2 ^ 126)) (constants s b fun direct mirrored =>
    Bool.casesOn (motive := fun _ => Bool) (aligned s inputs b (hullRoom s b))
      (both (both (inRange b b.width) (hullFits s b))
          (force (fun e =>
              force (fun offset => force (fun mass => force (fun down => force (fun up => force (fun extra =>
          push s b e offset mass down up extra inputs b.lower b.upper direct mirrored 2 next)
        (hullExtra s.unit b.denominator b.offset)) (up s.unit)) (down s.unit))
                (hullMass s.unit b.denominator b.offset)) (e * s.center)) (2 ^ 23 * b.denominator)))
      (both (both (inRange b (hullRoom s b)) (Nat.ble (Nat.succ (hullLimit s b)) (2 ^ s.half)))
        (both (ordered s inputs b)
              (force (fun stride => placeHull s inputs b (Affine.extend stride inputs direct mirrored 2 next))
                s.stride))))

theorem placeHull_sound {s : Scale} {slots : Nat → K} {b : Box} {inputs : Nat} {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (unit : s.unit ≤ 2 ^ 126)
    (hb : b.HullHolds inputs slots)
    (hr : inRange b (hullRoom s b) = true)
    (hl : hullLimit s b < 2 ^ s.half)
    (ha : aligned s inputs b (hullRoom s b) = true)
    (h : placeHull s inputs b next = true) :
    ∃ direct mirrored,
      (Memory.mk direct mirrored).Holds s (fun i => slots (2 + i)) inputs ∧ next direct mirrored = true := by
  obtain ⟨a1, a2, a3, a4, a5, ⟨l1, l2⟩, ⟨u1, u2⟩⟩ := aligned_sound ha
  have share : factor s b * b.denominator = s.unit * 1 := by rw [Natural.mul_one]; exact a3
  have within := fun i (hi : i < inputs) => input_within_hull (s := s) (share := 1) hb hi hr
    (by rw [a1]; exact l2 i hi) (by rw [a1]; exact u2 i hi) share unit
  rw [a1] at within
  unfold placeHull at h
  have offset : hullMass (factor s b) 1 b.offset ≤ hullLimit s b := by
    unfold hullMass hullLimit
    refine Nat.add_le_add ?_ ?_
    · unfold up
      rw [Nat.mul_assoc, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_left_comm (factor s b)]
      exact Nat.mul_le_mul Nat.le.refl a4
    · unfold hullExtra
      exact Nat.le_trans (Nat.le_add_left 1 _) (Nat.le_add_left _ _)
  generalize hlimit : hullLimit s b = limit at *
  generalize hfactor : factor s b = f at *
  generalize hextra : hullExtra f 1 b.offset = extra at *
  generalize hullMass f 1 b.offset = mass at *
  have e1 : Nat.add (Nat.add (Nat.mul (down f) b.lower) (Nat.mul (Nat.pow 2 s.half) (Nat.mul (up f) b.upper)))
      (Nat.mul (Nat.mul (Nat.pow 2 s.half) extra) (ones s.stride inputs)) =
      pack s.stride inputs (fun i =>
            down f * digit s.stride b.lower i + 2 ^ s.half * (up f * digit s.stride b.upper i + extra)) := by
    show down f * b.lower + 2 ^ s.half * (up f * b.upper) + 2 ^ s.half * extra * ones s.stride inputs = _
    have e : pack s.stride inputs
      (fun i => down f * digit s.stride b.lower i + 2 ^ s.half * (up f * digit s.stride b.upper i + extra)) =
        pack s.stride inputs (fun i => down f * digit s.stride b.lower i +
              2 ^ s.half * (up f * digit s.stride b.upper i) + 2 ^ s.half * extra) :=
      pack_congr fun i _ => by rw [Nat.mul_add (2 ^ s.half), Nat.add_assoc]
    rw [e, pack_add, pack_add, pack_mul, pack_mul, pack_mul, ← l1, ← u1, mul_ones a2]
  have e2 : Nat.mul mass (ones s.stride inputs) = pack s.stride inputs (fun _ => mass) := mul_ones a2 _ _
  rw [e1, e2] at h
  have most : up f * 2 ^ hullRoom s b + extra = limit := by
    rw [← hlimit]
    unfold hullLimit
    rw [hfactor, hextra]
  have down_le : down f ≤ up f := Nat.mul_le_mul Nat.le.refl (by decide +kernel)
  refine Rows.write_sound sf Nat.le.refl (Natural.two_pow_pos 23) hl
    (fun i hi => ⟨?_, ?_, offset⟩) (fun i hi => ?_) h
  · rw [← most]
    exact Nat.le_trans (Nat.mul_le_mul down_le (Natural.le_of_lt (l2 i hi))) (Nat.le_add_right _ _)
  · rw [← most]
    exact Nat.add_le_add (Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt (u2 i hi))) Nat.le.refl
  · have w := within i hi
    rw [Natural.mul_one] at w
    rw [Nat.zero_add]
    exact w

/-- The fixed-point numbers that the checker starts from enclose the binary32 hull of the box. -/
theorem runHull_sound {s : Scale} {slots : Nat → K} {inputs : Nat} {b : Box} {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (h0 : slots 0 = 0)
    (h1 : slots 1 = 1)
    (hb : b.HullHolds inputs slots)
    (h : runHull s inputs b next = true) :
    ∃ direct mirrored,
      (Memory.mk direct mirrored).Holds s slots (2 + inputs) ∧ next direct mirrored (2 + inputs) = true := by
  obtain ⟨unit, h⟩ := both_true h
  have unit := Nat.le_of_ble_eq_true unit
  obtain ⟨direct, mirrored, hold, h⟩ := constants_sound h0 h1 h
  cases ha : aligned s inputs b (hullRoom s b) with
  | true =>
    rw [ha] at h
    obtain ⟨hc, h⟩ := both_true h
    obtain ⟨hr, hl⟩ := both_true hc
    obtain ⟨_, h⟩ := both_true h
    rw [force_eq] at h
    obtain ⟨tail, tailMirrored, r1, r2⟩ := placeHull_sound sf unit hb hr (Nat.le_of_ble_eq_true hl) ha h
    rw [Affine.extend_eq] at r2
    exact ⟨_, _, Memory.append_holds hold r1, r2⟩
  | false =>
    rw [ha] at h
    obtain ⟨hc, h⟩ := both_true h
    obtain ⟨hr, f⟩ := both_true hc
    obtain ⟨f1, f2⟩ := both_true f
    have f1 := Nat.le_of_ble_eq_true f1
    simp only [force_eq] at h
    have digits : ∀ Y k, digit b.width Y k < 2 ^ b.width := fun Y k => digit_lt b.width Y k
    have zero : ∀ Y : Nat, Y / 2 ^ (b.width * 0) = Y := fun Y => Natural.div_one Y
    rw [← zero b.lower, ← zero b.upper] at h
    have d0 := Nat.le_of_ble_eq_true (both_true hr).1
    have pos : 0 < 2 ^ 23 * b.denominator := Nat.mul_le_mul (a := 1) (c := 1) (Natural.two_pow_pos 23) d0
    have down_le : down s.unit ≤ up s.unit := Nat.mul_le_mul Nat.le.refl (by decide +kernel)
    refine push_sound pos (Nat.le_of_ble_eq_true f2) (fun k _ => ⟨?_, ?_⟩)
      (fun k hk => input_within_hull hb hk hr (digits _ k) (digits _ k) rfl unit) inputs 0 _ _ next
        (Nat.zero_add _) hold h
    · exact Nat.le_trans (Nat.succ_le_succ
          (Nat.le_trans (Nat.mul_le_mul down_le (Natural.le_of_lt (digits _ k))) (Nat.le_add_right _ _))) f1
    · exact Nat.le_trans (Nat.succ_le_succ
          (Nat.add_le_add (Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt (digits _ k))) Nat.le.refl)) f1
end Box
end PytestTorchLean
