prelude
import PytestTorchLean.Check.Box
import PytestTorchLean.Check.Relaxation.Batch
/-!
# Shorter coefficients

Every replacement makes the coefficients longer. Here they are rounded down to multiples of a power of two,
and the difference is charged against the bounds of the slots.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- The sum of the first `n` digits of `d` bits. -/
def digitSum (d : Nat) (n : Nat) : Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun _ rest v => Nat.add (Nat.land v (Nat.sub (Nat.pow 2 d) 1)) (force rest (Nat.shiftRight v d))) n
theorem digitSum_pack {d : Nat} :
    (n : Nat) → (f : Nat → Nat) → (∀ j, j < n → f j < 2 ^ d) → digitSum d n (pack d n f) = tally n f
  | 0, _, _ => rfl
  | n + 1, f, h => by
    have f0 := h 0 (Nat.succ_le_succ (Nat.zero_le n))
    show Nat.land (pack d (n + 1) f) (2 ^ d - 1) +
        force (digitSum d n) (Nat.shiftRight (pack d (n + 1) f) d) = f 0 + tally n _
    rw [force_eq, land_pack_succ f0, shift_pack_succ f0,
        digitSum_pack n _ (fun j hj => h (j + 1) (Nat.succ_le_succ hj))]

/-- The digits' sum is what is left on division by `2^d - 1`, if it is smaller than that. -/
theorem mod_pack {d : Nat} (n : Nat) (f : Nat → Nat) : ∃ q, pack d n f = tally n f + (2 ^ d - 1) * q := by
  induction n generalizing f with
  | zero => exact ⟨0, rfl⟩
  | succ n ih =>
    obtain ⟨q, e⟩ := ih fun j => f (j + 1)
    refine ⟨q + pack d n (fun j => f (j + 1)), ?_⟩
    show _ = f 0 + tally n (fun j => f (j + 1)) + _
    obtain ⟨m, whole⟩ : ∃ m, 2 ^ d = m + 1 := ⟨2 ^ d - 1, (Natural.succ_pred (Natural.two_pow_pos d)).symm⟩
    rw [pack_succ]
    generalize pack d n (fun j => f (j + 1)) = p at *
    generalize tally n (fun j => f (j + 1)) = t at *
    rw [whole] at e ⊢
    have e : p = t + m * q := e
    show f 0 + (m + 1) * p = f 0 + t + m * (q + p)
    rw [Nat.succ_mul, Nat.mul_add]
    generalize m * p = z
    rw [e]
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
/-- The sum of the first `n` digits of `d` bits, each below `2^k`: in one division where it fits. -/
def sumOf (d k n v : Nat) : Nat :=
  cond (Nat.ble (Nat.succ (Nat.mul n (Nat.pow 2 k))) (Nat.sub (Nat.pow 2 d) 1))
    (Nat.mod v (Nat.sub (Nat.pow 2 d) 1)) (digitSum d n v)
theorem sumOf_pack {d k : Nat} (n : Nat) (f : Nat → Nat) (hk : k ≤ d) (h : ∀ j, j < n → f j < 2 ^ k) :
    sumOf d k n (pack d n f) = tally n f := by
  unfold sumOf
  cases e : Nat.ble (Nat.succ (Nat.mul n (Nat.pow 2 k))) (Nat.sub (Nat.pow 2 d) 1) with
  | false => exact digitSum_pack n f fun j hj => Natural.lt_of_lt_of_le (h j hj) (Natural.two_pow_le hk)
  | true =>
    have small : tally n f < 2 ^ d - 1 :=
      Natural.lt_of_le_of_lt (tally_le fun j hj => Natural.le_of_lt (h j hj)) (Nat.le_of_ble_eq_true e)
    obtain ⟨q, p⟩ := mod_pack (d := d) n f
    show pack d n f % (2 ^ d - 1) = _
    rw [p]; exact Natural.add_mul_mod q small

/-- How far each slot of a run may lie below 0 and above 0: `center - lower` and `upper - center`, 0 where
    negative, handed on as packed vectors. -/
def reaches (s : Scale) (direct mirrored start n : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun centers => force (fun down => force (fun up => next down up)
      (Vector.difference s.stride n s.half centers (lows s mirrored start n)))
      (Vector.difference s.stride n s.half centers (lows s direct start n)))
    (Nat.mul s.center (ones s.stride n))

theorem reaches_sound {s : Scale} {slots : Nat → K} {direct mirrored count start n : Nat}
    {next : Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (h : start + n ≤ count)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hr : reaches s direct mirrored start n next = true) :
    ∃ l m : Nat → Nat, next (pack s.stride n fun j => s.center - l j)
          (pack s.stride n fun j => s.center - m j) = true ∧
      ∀ j, j < n →
        natural (l j) ≤ natural s.unit * slots (start + j) + (natural s.center : K) ∧
          natural s.unit * slots (start + j) + (natural (m j) : K) ≤ natural s.center := by
  obtain ⟨l, m, e1, e2, hv⟩ := lows_hold half sf h hm
  unfold reaches at hr
  simp only [force_eq] at hr
  have stride : 0 < s.stride := Nat.le_trans half (Nat.le_add_left _ _)
  have room : s.half + 1 ≤ s.stride := Nat.add_le_add Nat.le.refl half
  have small : ∀ {a : Nat}, a ≤ s.top → a < 2 ^ s.half := fun h => Nat.le_trans (Nat.succ_le_succ h) sf.half
  have center : s.center < 2 ^ s.half := small (Nat.le_add_right _ _)
  have c :
    Nat.mul s.center (ones s.stride n) = pack s.stride n fun _ => s.center := mul_ones stride n s.center
  have f1 : Vector.difference s.stride n s.half (pack s.stride n fun _ => s.center) (pack s.stride n l) = _ :=
    Vector.difference_eq room (fun _ _ => center) (fun j hj => small (hv j hj).1)
  have f2 : Vector.difference s.stride n s.half (pack s.stride n fun _ => s.center) (pack s.stride n m) = _ :=
    Vector.difference_eq room (fun _ _ => center) (fun j hj => small (hv j hj).2.1)
  rw [c, e1, e2, f1, f2] at hr
  exact ⟨l, m, hr, fun j hj => (hv j hj).2.2⟩

/-- No digit of a matrix exceeds `k` bits. -/
def short (b w R k x : Nat) : Bool :=
  Nat.beq (Nat.land x (Nat.mul (Nat.sub (Nat.pow 2 k) 1) (ones b (Nat.mul w R)))) x
theorem short_sound {b w n R k : Nat} {f : Nat → Nat → Nat} (hw : n ≤ w) (hb : 0 < b) (hk : k ≤ b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b) (h : short b w R k (grid b w n R f) = true) :
    ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ k := by
  intro r hr j hj
  have m := (Box.masked_digits (n := w * R) hk hb (Nat.eq_of_beq_eq_true h)).2 (w * r + j)
    (by rw [Nat.add_comm]; exact Natural.add_mul_lt (Natural.lt_of_lt_of_le hj hw) hr)
  rw [digit_grid hw hf hr hj] at m
  exact m

/-- The batch with all coefficients divided by `2^t`, which must leave at most `k` bits. -/
def reduce (s : Scale) (frame : Frame) (t k direct mirrored count : Nat) (x : Batch) (next : Batch → Bool) :
    Bool :=
  both (both (fits s frame count x) (both (Nat.ble t frame.digit) (Nat.ble k frame.digit)))
    (force (fun digit => force (fun width =>
    (reaches s direct mirrored x.start x.count fun down up =>
      share (fun positive => share (fun negative =>
          both (both (short digit width frame.rows k positive) (short digit width frame.rows k negative))
            (force (fun weight => force (fun charge => force (fun limit => force (fun loss =>
                  next ⟨x.scale, weight, limit, x.start, x.count, k, positive, negative, x.gain, loss⟩)
                (Nat.add x.loss (Nat.mul charge (ones (Nat.mul digit width) frame.rows))))
                  (Nat.add x.limit charge))
              (Nat.mul (Nat.mul x.weight (Nat.sub (Nat.pow 2 t) 1))
                      (sumOf s.stride (Nat.succ s.half) x.count (Nat.add down up))))
                  (Nat.mul x.weight (Nat.pow 2 t))))
        (quotient digit width x.count frame.rows t x.negative))
                (quotient digit width x.count frame.rows t x.positive))) frame.width) frame.digit)

theorem reduce_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {t k direct mirrored count : Nat}
    {x : Batch} {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hx : x.Holds s frame slots goal)
    (h : reduce s frame t k direct mirrored count x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hf, hc⟩ := both_true hc
  obtain ⟨c6, c7⟩ := both_true hc
  have ok := fits_sound hf
  have c6 := Nat.le_of_ble_eq_true c6
  have c7 := Nat.le_of_ble_eq_true c7
  simp only [force_eq] at h
  obtain ⟨l, m, h, hv⟩ := reaches_sound ok.half sf ok.inside hm h
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  have fw : ∀ r, r < frame.rows →
    ∀ j, j < x.count → f r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).1
  have gw : ∀ r, r < frame.rows →
    ∀ j, j < x.count → g r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).2
  simp only [force_eq, share_eq] at h
  have sum : sumOf s.stride (Nat.succ s.half) x.count
    ((pack s.stride x.count fun j => s.center - l j).add (pack s.stride x.count fun j => s.center - m j)) =
      tally x.count fun j => (s.center - l j) + (s.center - m j) := by
    have e : (pack s.stride x.count fun j => s.center - l j).add
        (pack s.stride x.count fun j => s.center - m j) =
      pack s.stride x.count fun j => (s.center - l j) + (s.center - m j) := (pack_add _ _ _ _).symm
    rw [e]
    refine sumOf_pack x.count _ (Nat.add_le_add (Nat.le.refl (n := s.half)) ok.half) fun j _ => ?_
    exact Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add (Natural.sub_le _ _) (Natural.sub_le _ _)))
      (Nat.le_trans sf.half (Natural.two_pow_le (Nat.le.step Nat.le.refl)))
  rw [sum, p1, p2, quotient_eq ok.width ok.digit c6 fw, quotient_eq ok.width ok.digit c6 gw] at h
  obtain ⟨hs, h⟩ := both_true h
  have less : ∀ a : Nat, a / 2 ^ t ≤ a := fun a => by
    have z := Nat.mul_le_mul (Natural.two_pow_pos t) (Nat.le.refl (n := a / 2 ^ t))
    rw [Nat.one_mul] at z
    exact Nat.le_trans z (Rows.mul_div_le a _ (Natural.two_pow_pos t))
  have s1 := short_sound ok.width ok.digit c7
    (fun r hr' j hj => Natural.lt_of_le_of_lt (less _) (fw r hr' j hj)) (both_true hs).1
  have s2 := short_sound ok.width ok.digit c7
    (fun r hr' j hj => Natural.lt_of_le_of_lt (less _) (gw r hr' j hj)) (both_true hs).2
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, c,
      fun r => d r + x.weight * (2 ^ t - 1) * tally x.count fun j => (s.center - l j) + (s.center - m j), rfl,
      rfl, p3, ?_, fun r hr' => ?_⟩
  · show x.loss + _ * ones (frame.digit * frame.width) frame.rows = _
    rw [p4, side_add, mul_ones ok.row]
    rfl
  · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
    refine ⟨fun j hj => ⟨s1 r hr' j hj, s2 r hr' j hj⟩, Nat.le_trans q2 (Nat.le_add_right _ _),
        Nat.add_le_add q3 Nat.le.refl, ?_⟩
    have b := form_quotient (K := K) (n := x.count) (c := 2 ^ t) (Natural.two_pow_pos t) (p := f r) (q := g r)
      (radius := fun j => (s.center - l j) + (s.center - m j)) (x := values s slots x.start) (fun j hj => by
        obtain ⟨v1, v2⟩ := hv j hj
        have b1 := Rows.sub_ge (K := K) s.center (l j)
        have b2 := Rows.sub_ge (K := K) s.center (m j)
        have n1 := natural_nonneg (K := K) (s.center - l j)
        have n2 := natural_nonneg (K := K) (s.center - m j)
        rw [natural_add]
        unfold values
        constructor
        · refine le_cert ?_ (add_nonneg n1 (add_nonneg (sub_nonneg b2) (sub_nonneg v2)))
          exact (ring5 K a b x c m, a + b - x, a + (b - (c - m) + (c - (x + m)))) _ _ _ _ _
        · refine le_cert ?_ (add_nonneg n2 (add_nonneg (sub_nonneg b1) (sub_nonneg v1)))
          exact (ring5 K a b x c l, a + b - -x, b + (a - (c - l) + (x + c - l))) _ _ _ _ _)
    have b := mul_le_left (natural_nonneg (K := K) x.weight) b
    show natural (x.weight * 2 ^ t) * _ + _ ≤ _ + natural (d r + x.weight * (2 ^ t - 1) * _)
    rw [natural_add, natural_mul (x.weight * (2 ^ t - 1)), natural_mul x.weight, natural_mul x.weight,
        mul_assoc (natural x.weight) (natural (2 ^ t))]
    rw [natural_mul (2 ^ t - 1)] at b
    refine le_cert ?_ (add_nonneg (sub_nonneg b) (sub_nonneg q4))
    generalize (natural (2 ^ t) : K) *
        form x.count (fun j => f r j / 2 ^ t) (fun j => g r j / 2 ^ t) (values s slots x.start) = y at *
    exact (ring8 K t e v w m c d o, o + (d + t * e * m) - (t * v + c),
        t * (w + e * m) - t * v + (o + d - (t * w + c))) _ _ _ _ _ _ _ _

end Relaxation
end PytestTorchLean
