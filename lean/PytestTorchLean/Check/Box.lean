prelude
import PytestTorchLean.Check.ReluNode
import PytestTorchLean.Spec.Claim
/-!
# From the box of the inputs to the bounds of the first slots
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Box
/-- The digits of a box are small enough. -/
def fits (s : Scale) (b : Box) : Bool :=
  both (Nat.ble 1 b.denominator)
    (both (Nat.ble (s.unit * 2 ^ b.width) (2 ^ s.half)) (Nat.ble (s.unit * b.offset + 1) (2 ^ s.stride)))

/-- One input after the other: its rational bounds in fixed point, rounded outward. The bounds' digits enter
    as multiples by `down` and `up`. -/
def push (s : Scale) (b : Box) (e offset mass down up extra : Nat) (remaining : Nat) :
    Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ _ direct mirrored count next => next direct mirrored count)
    (fun _ rest lower upper direct mirrored count next =>
      force (fun bounds =>
          Rows.push s s.stride e offset 1 bounds mass direct mirrored count fun direct' mirrored' count' =>
          force (fun lower' => force (fun upper' => rest lower' upper' direct' mirrored' count' next)
              (Nat.shiftRight upper b.width)) (Nat.shiftRight lower b.width))
        (Nat.add (Nat.mul down (Nat.land lower (Nat.sub (Nat.pow 2 b.width) 1)))
          (Nat.mul (Nat.pow 2 s.half)
                (Nat.add (Nat.mul up (Nat.land upper (Nat.sub (Nat.pow 2 b.width) 1))) extra)))) remaining

theorem push_succ (s : Scale) (b : Box)
    (e offset mass down up extra remaining lower upper direct mirrored count : Nat)
    (next : Nat → Nat → Nat → Bool) :
    push s b e offset mass down up extra (remaining + 1) lower upper direct mirrored count next =
    Rows.push s s.stride e offset 1
      (down * Nat.land lower (2 ^ b.width - 1) + 2 ^ s.half * (up * Nat.land upper (2 ^ b.width - 1) + extra))
      mass direct mirrored count fun direct' mirrored' count' => push s b e offset mass down up extra
      remaining (Nat.shiftRight lower b.width) (Nat.shiftRight upper b.width) direct' mirrored' count'
      next := by
  unfold push
  simp only [force_eq]
  rfl

/-- Fixed-point numbers of one unit of the box's digits. -/
def factor (s : Scale) (b : Box) : Nat := Nat.div s.unit b.denominator
/-- Bits that a digit of a box may have so that its image fits a half. -/
def room (s : Scale) (b : Box) : Nat := Nat.sub (Nat.sub s.half 3) (Nat.log2 (factor s b))
/-- The box's digits have at most `room` bits and lie where the memory's words lie, and its bounds are whole
    fixed-point numbers: then no input needs to be looked at by itself. -/
def aligned (s : Scale) (inputs : Nat) (b : Box) (room : Nat) : Bool :=
  both (Nat.beq b.width s.stride)
    (both (both (Nat.ble 1 s.stride) (Nat.ble room s.stride))
      (both (Nat.beq (Nat.mul (factor s b) b.denominator) s.unit)
        (both (Nat.ble (Nat.mul (factor s b) b.offset) (Nat.mul (factor s b) (Nat.pow 2 room)))
          (both (Nat.ble (Nat.succ (Nat.mul (factor s b) (Nat.pow 2 room))) (Nat.pow 2 s.half))
            (force (fun mask =>
                both (Nat.beq (Nat.land b.lower mask) b.lower) (Nat.beq (Nat.land b.upper mask) b.upper))
              (Nat.mul (Nat.sub (Nat.pow 2 room) 1) (ones s.stride inputs)))))))
/-- No digit of the lower bounds exceeds that of the upper bounds. A box that fails has no points. -/
def ordered (s : Scale) (inputs : Nat) (b : Box) : Bool :=
  force (fun guards => Nat.beq (Nat.land (Nat.sub (Nat.add guards b.upper) b.lower) guards) guards)
    (Nat.mul (Nat.pow 2 (Nat.sub s.stride 1)) (ones s.stride inputs))

/-- The inputs of an aligned box, all at once. -/
def place (s : Scale) (inputs : Nat) (b : Box) (next : Nat → Nat → Bool) : Bool :=
  Rows.write s s.stride 1 s.center (Nat.mul (factor s b) (Nat.pow 2 (room s b))) inputs
    (Nat.mul (factor s b) (Nat.add b.lower (Nat.mul (Nat.pow 2 s.half) b.upper)))
    (Nat.mul (Nat.mul (factor s b) b.offset) (ones s.stride inputs)) next

/-- Slots 0 and 1. The bounds of slot 0 lie up to 250 steps around 0, a number that depends on the box: the
    kernel tells long numbers apart by their last 64 bits, and without it the memories of different boxes
    would look alike to its caches. -/
def constants (s : Scale) (b : Box) (next : Nat → Nat → Bool) : Bool :=
  both (both (Nat.ble s.unit s.center) (Nat.ble 250 s.center))
    (force (fun salt => force (fun direct => force (fun mirrored => next direct mirrored)
      (0 + 2 ^ (s.stride * 0) * Memory.mirroredWord s (s.center - salt) (s.center + salt) +
          2 ^ (s.stride * 1) * Memory.mirroredWord s (s.unit + s.center) (s.unit + s.center)))
      (0 + 2 ^ (s.stride * 0) * Memory.directWord s (s.center - salt) (s.center + salt) +
          2 ^ (s.stride * 1) * Memory.directWord s (s.unit + s.center) (s.unit + s.center)))
      (Nat.mod (Nat.add b.lower b.upper) 251))

/-- Slots 0 and 1, then the inputs. -/
def run (s : Scale) (inputs : Nat) (b : Box) (next : Nat → Nat → Nat → Bool) : Bool :=
  constants s b fun direct mirrored =>
    Bool.casesOn (motive := fun _ => Bool) (aligned s inputs b (room s b))
      (both (fits s b) (force (fun e => force (fun offset => force (fun mass =>
          push s b e offset mass s.unit s.unit 0 inputs b.lower b.upper direct mirrored 2 next)
        (s.unit * b.offset)) (e * s.center)) b.denominator))
      (both (ordered s inputs b)
          (force (fun stride => place s inputs b (Affine.extend stride inputs direct mirrored 2 next))
            s.stride))

/-- The digits of a number that equals its masked self. -/
theorem masked_digits {k w n Y : Nat} (hk : k ≤ w) (hw : 0 < w)
    (h : Nat.land Y (Nat.mul (Nat.sub (Nat.pow 2 k) 1) (ones w n)) = Y) :
    Y = pack w n (digit w Y) ∧ ∀ i, i < n → digit w Y i < 2 ^ k := by
  have e : Nat.land Y ((2 ^ k - 1) * ones w n) = pack w n (fun i => digit w Y i % 2 ^ k) :=
    Decode.low_digit hk hw n Y
  have h : Y = pack w n (fun i => digit w Y i % 2 ^ k) := h.symm.trans e
  have small : ∀ i, i < n → digit w Y i % 2 ^ k < 2 ^ w :=
    fun i _ => Nat.le_trans (Natural.mod_lt (Natural.two_pow_pos k) _) (Natural.two_pow_le hk)
  have d : ∀ i, i < n → digit w Y i = digit w Y i % 2 ^ k := fun i hi => by
    have z := digit_pack small hi
    rw [← h] at z
    exact z
  refine ⟨h.trans (pack_congr fun i hi => (d i hi).symm), fun i hi => ?_⟩
  rw [d i hi]; exact Natural.mod_lt (Natural.two_pow_pos k) _

theorem aligned_sound {s : Scale} {inputs : Nat} {b : Box} {room : Nat}
    (ha : aligned s inputs b room = true) :
    b.width = s.stride ∧
    1 ≤ s.stride ∧
    factor s b * b.denominator = s.unit ∧
    factor s b * b.offset ≤ factor s b * 2 ^ room ∧
    factor s b * 2 ^ room < 2 ^ s.half ∧
    (b.lower = pack s.stride inputs (digit s.stride b.lower) ∧
        ∀ i, i < inputs → digit s.stride b.lower i < 2 ^ room) ∧
    (b.upper = pack s.stride inputs (digit s.stride b.upper) ∧
        ∀ i, i < inputs → digit s.stride b.upper i < 2 ^ room) := by
  obtain ⟨a1, ha⟩ := both_true ha
  obtain ⟨a2, ha⟩ := both_true ha
  obtain ⟨a2, room_le⟩ := both_true a2
  obtain ⟨a3, ha⟩ := both_true ha
  obtain ⟨a4, ha⟩ := both_true ha
  obtain ⟨a5, ha⟩ := both_true ha
  rw [force_eq] at ha
  obtain ⟨a6, a7⟩ := both_true ha
  have a2 := Nat.le_of_ble_eq_true a2
  have room_le := Nat.le_of_ble_eq_true room_le
  exact ⟨Nat.eq_of_beq_eq_true a1, a2, Nat.eq_of_beq_eq_true a3, Nat.le_of_ble_eq_true a4,
      Nat.le_of_ble_eq_true a5, masked_digits room_le a2 (Nat.eq_of_beq_eq_true a6),
      masked_digits room_le a2 (Nat.eq_of_beq_eq_true a7)⟩

theorem place_sound {s : Scale} {slots : Nat → K} {b : Box} {inputs : Nat} {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (hb : b.Holds inputs slots)
    (ha : aligned s inputs b (room s b) = true)
    (h : place s inputs b next = true) :
    ∃ direct mirrored,
      (Memory.mk direct mirrored).Holds s (fun i => slots (2 + i)) inputs ∧ next direct mirrored = true := by
  obtain ⟨a1, a2, a3, a4, a5, ⟨l1, l2⟩, ⟨u1, u2⟩⟩ := aligned_sound ha
  unfold Holds at hb
  rw [a1] at hb
  unfold place at h
  have e1 : Nat.mul (factor s b) (Nat.add b.lower (Nat.mul (Nat.pow 2 s.half) b.upper)) =
      pack s.stride inputs (fun i =>
            factor s b * digit s.stride b.lower i + 2 ^ s.half * (factor s b * digit s.stride b.upper i))
          := by
    show factor s b * (b.lower + 2 ^ s.half * b.upper) = _
    have e : pack s.stride inputs
      (fun i => factor s b * digit s.stride b.lower i + 2 ^ s.half * (factor s b * digit s.stride b.upper i))
      =
        factor s b * pack s.stride inputs
              (fun i => digit s.stride b.lower i + 2 ^ s.half * digit s.stride b.upper i) := by
      rw [← pack_mul]
      exact pack_congr fun i _ => by rw [Nat.mul_add, Nat.mul_left_comm]
    rw [e, pack_add, pack_mul, ← l1, ← u1]
  have e2 : Nat.mul (Nat.mul (factor s b) b.offset) (ones s.stride inputs) =
    pack s.stride inputs (fun _ => factor s b * b.offset) := mul_ones a2 _ _
  rw [e1, e2] at h
  refine Rows.write_sound sf Nat.le.refl Nat.le.refl a5
    (fun i hi => ⟨Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt (l2 i hi)),
          Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt (u2 i hi)), a4⟩) (fun i hi => ?_) h
  obtain ⟨h1, h2⟩ := hb i hi
  have h1 := mul_le_left (natural_nonneg (K := K) (factor s b)) h1
  have h2 := mul_le_left (natural_nonneg (K := K) (factor s b)) h2
  have e : (natural 1 : K) * s.image (slots (2 + i)) + natural (factor s b * b.offset) =
      natural (factor s b) * (natural b.denominator * slots (2 + i) + natural b.offset) +
          natural s.center := by
    unfold Scale.image
    have one : (natural 1 : K) = 1 := rfl
    rw [one, one_mul, ← a3, natural_mul, natural_mul]
    exact (ring5 K f d x c o, f * d * x + c + f * o, f * (d * x + o) + c) _ _ _ _ _
  show natural (factor s b * digit s.stride b.lower i) + natural s.center ≤
      natural 1 * s.image (slots (2 + (0 + i))) + natural (factor s b * b.offset) ∧
    natural 1 * s.image (slots (2 + (0 + i))) + natural (factor s b * b.offset) ≤
      natural (factor s b * digit s.stride b.upper i) + natural s.center
  rw [Nat.zero_add, e, natural_mul (factor s b), natural_mul (factor s b)]
  exact ⟨add_le _ h1, add_le _ h2⟩

theorem constants_hold {s : Scale} {slots : Nat → K} (h0 : slots 0 = 0) (h1 : slots 1 = 1)
    (hu : s.unit ≤ s.center) {salt : Nat} (hs : salt ≤ s.center) :
    (((Memory.mk 0 0).push s 0 (s.center - salt) (s.center + salt)).push s 1 (s.unit + s.center)
      (s.unit + s.center)).Holds s slots 2 := by
  refine Memory.push_holds
    (Memory.push_holds (Memory.empty_holds s slots) (Nat.le_trans (Natural.sub_le _ _) (Nat.le_add_right _ _))
      (Nat.add_le_add Nat.le.refl hs) ?_) Nat.le.refl (Nat.add_le_add hu Nat.le.refl) ?_
  · rw [h0]; unfold Within; rw [Relu.image_zero]
    exact ⟨natural_le (Natural.sub_le _ _), natural_le (Nat.le_add_right _ _)⟩
  · rw [h1]; unfold Within Scale.image; rw [mul_on, natural_add]; exact ⟨le_refl _, le_refl _⟩

theorem shifted (packed width k : Nat) :
    Nat.land (packed / 2 ^ (width * k)) (2 ^ width - 1) = digit width packed k := land_low _ _
theorem shifted_succ (packed width k : Nat) :
    Nat.shiftRight (packed / 2 ^ (width * k)) width = packed / 2 ^ (width * (k + 1)) := by
  show packed / 2 ^ (width * k) / 2 ^ width = _
  rw [Natural.shift_shift]; rfl
theorem pack_one (b x : Nat) : pack b 1 (fun _ => x) = x := by
  show x + 2 ^ b * 0 = x; rw [Nat.mul_zero, Nat.add_zero]

/-- The bounds of the inputs, given that of each. -/
theorem push_sound {s : Scale} {slots : Nat → K} {b : Box} {inputs e offset mass down up extra : Nat}
    (he : 0 < e)
    (hm : mass < 2 ^ s.stride)
    (small : ∀ k, k < inputs →
      down * digit b.width b.lower k < 2 ^ s.half ∧ up * digit b.width b.upper k + extra < 2 ^ s.half)
    (hb : ∀ k, k < inputs →
      natural (down * digit b.width b.lower k) + natural offset ≤
          natural e * s.image (slots (2 + k)) + natural mass ∧
        natural e * s.image (slots (2 + k)) + natural mass ≤
          natural (up * digit b.width b.upper k + extra) + natural offset) :
    (remaining k direct mirrored : Nat) → (next : Nat → Nat → Nat → Bool) →
    k + remaining = inputs → (Memory.mk direct mirrored).Holds s slots (2 + k) →
    push s b e offset mass down up extra remaining (b.lower / 2 ^ (b.width * k)) (b.upper / 2 ^ (b.width * k))
        direct mirrored (2 + k) next = true →
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (2 + inputs) ∧
      next direct' mirrored' (2 + inputs) = true := by
  intro remaining
  induction remaining with
  | zero =>
    intro k direct mirrored next hk hm h
    rw [Nat.add_zero] at hk
    rw [← hk]; exact ⟨direct, mirrored, hm, h⟩
  | succ remaining smaller =>
    intro k direct mirrored next hk hold h
    have hlt : k < inputs := by
      rw [← hk]; show k + 1 ≤ k + (remaining + 1); exact Nat.succ_le_succ (Nat.le_add_right _ _)
    rw [push_succ, shifted, shifted, shifted_succ, shifted_succ] at h
    rw [← pack_one s.stride
        (down * digit b.width b.lower k + 2 ^ s.half * (up * digit b.width b.upper k + extra)),
        ← pack_one s.stride mass] at h
    obtain ⟨d', m', r1, r2⟩ :=
      Rows.push_sound (slots := slots) (b := s.stride) (low := fun _ => down * digit b.width b.lower k)
      (high := fun _ => up * digit b.width b.upper k + extra) (mass := fun _ => mass)
      (next := fun direct' mirrored' count' => push s b e offset (pack s.stride 1 fun _ => mass) down up extra
          remaining (b.lower / 2 ^ (b.width * (k + 1))) (b.upper / 2 ^ (b.width * (k + 1))) direct' mirrored'
          count' next)
      Nat.le.refl he 1 direct mirrored (2 + k)
      (fun i hi => ⟨(small k hlt).1, (small k hlt).2, hm⟩)
      (fun i hi => by
        have z : i = 0 := Natural.eq_zero_of_lt_one hi
        subst z
        rw [Nat.add_zero]
        exact hb k hlt) hold h
    rw [pack_one] at r2
    exact smaller (k + 1) d' m' next (by rw [← hk, Nat.add_assoc, Nat.add_comm 1]) r1 r2

/-- The inputs of a box that fits, one after the other. -/
theorem input_within {s : Scale} {slots : Nat → K} {b : Box} {inputs k : Nat} (hb : b.Holds inputs slots)
    (hk : k < inputs) :
    natural (s.unit * digit b.width b.lower k) + natural (b.denominator * s.center) ≤
      natural b.denominator * s.image (slots (2 + k)) + natural (s.unit * b.offset) ∧
    natural b.denominator * s.image (slots (2 + k)) + natural (s.unit * b.offset) ≤
      natural (s.unit * digit b.width b.upper k + 0) + natural (b.denominator * s.center) := by
  obtain ⟨a1, a2⟩ := hb k hk
  have a1 := mul_le_left (natural_nonneg (K := K) s.unit) a1
  have a2 := mul_le_left (natural_nonneg (K := K) s.unit) a2
  have e : natural b.denominator * s.image (slots (2 + k)) + natural (s.unit * b.offset) =
      natural s.unit * (natural b.denominator * slots (2 + k) + natural b.offset) +
          natural (b.denominator * s.center) := by
    unfold Scale.image
    rw [natural_mul, natural_mul]
    exact (ring5 K q u x c o, q * (u * x + c) + u * o, u * (q * x + o) + q * c) _ _ _ _ _
  rw [e, Nat.add_zero, natural_mul s.unit, natural_mul s.unit]
  exact ⟨add_le _ a1, add_le _ a2⟩

/-- Slots 0 and 1. -/
theorem constants_sound {s : Scale} {slots : Nat → K} {b : Box} {next : Nat → Nat → Bool} (h0 : slots 0 = 0)
    (h1 : slots 1 = 1) (h : constants s b next = true) :
    ∃ direct mirrored, (Memory.mk direct mirrored).Holds s slots 2 ∧ next direct mirrored = true := by
  obtain ⟨hu, h⟩ := both_true h
  obtain ⟨hu, hc⟩ := both_true hu
  simp only [force_eq] at h
  have small : Nat.mod (Nat.add b.lower b.upper) 251 ≤ s.center :=
    Nat.le_trans (Nat.le_of_succ_le_succ
        (Natural.mod_lt (B := 251) (Nat.succ_le_succ (Nat.zero_le _)) (b.lower + b.upper)))
      (Nat.le_of_ble_eq_true hc)
  exact ⟨_, _, constants_hold (s := s) h0 h1 (Nat.le_of_ble_eq_true hu) small, h⟩

/-- The fixed-point numbers that the checker starts from enclose the rational box. -/
theorem run_sound {s : Scale} {slots : Nat → K} {inputs : Nat} {b : Box} {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (h0 : slots 0 = 0)
    (h1 : slots 1 = 1)
    (hb : b.Holds inputs slots)
    (h : run s inputs b next = true) :
    ∃ direct mirrored,
      (Memory.mk direct mirrored).Holds s slots (2 + inputs) ∧ next direct mirrored (2 + inputs) = true := by
  obtain ⟨direct, mirrored, hold, h⟩ := constants_sound h0 h1 h
  cases ha : aligned s inputs b (room s b) with
  | true =>
    rw [ha] at h
    obtain ⟨_, h⟩ := both_true h
    rw [force_eq] at h
    obtain ⟨tail, tailMirrored, r1, r2⟩ := place_sound sf hb ha h
    rw [Affine.extend_eq] at r2
    exact ⟨_, _, Memory.append_holds hold r1, r2⟩
  | false =>
    rw [ha] at h
    obtain ⟨f, h⟩ := both_true h
    obtain ⟨f1, f⟩ := both_true f
    obtain ⟨f2, f3⟩ := both_true f
    simp only [force_eq] at h
    have small : ∀ Y k, s.unit * digit b.width Y k < 2 ^ s.half := fun Y k =>
      Nat.le_trans (Natural.mul_lt_mul_left sf.unit (digit_lt b.width Y k)) (Nat.le_of_ble_eq_true f2)
    have zero : ∀ Y : Nat, Y / 2 ^ (b.width * 0) = Y := fun Y => Natural.div_one Y
    rw [← zero b.lower, ← zero b.upper] at h
    exact push_sound (Nat.le_of_ble_eq_true f1) (Nat.le_of_ble_eq_true f3) (fun k _ => ⟨small _ k, small _ k⟩)
      (fun k hk => input_within hb hk) inputs 0 _ _ next (Nat.zero_add _) hold h
end Box
end PytestTorchLean
