prelude
import PytestTorchLean.Check.Relaxation.Bend
import PytestTorchLean.Check.Residual
/-!
# Lines through curves, and residuals

One slope for each neuron, which may be negative, and for what the curve is off its line an interval each, by
any function that encloses it.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- One number in front of others. -/
def front (a : Nat) (f : Nat → Nat) : Nat → Nat
  | 0 => a
  | j + 1 => f j
theorem pack_front (b n a : Nat) (f : Nat → Nat) : pack b (n + 1) (front a f) = a + 2 ^ b * pack b n f :=
  pack_succ b n _

/-- Bounds of the residuals of `n` neurons, raised by an offset, and their mirrored bounds: packed vectors.
    Slopes and what is taken off them are digits of `size` bits; `factor` is what stands for 1. -/
def residuals (s : Scale) (settled : Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (factor size direct : Nat) (n : Nat) : Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  force (fun half => force (fun stride => force (fun center => force (fun digit =>
            force (fun steep =>
              Nat.rec (motive := fun _ => Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun _ _ _ next => next 0 0)
    (fun _ rest slot slopes falls next => (fun word => (fun slope => (fun fall => force (fun total => both
        (Nat.ble total steep)
        (settled slope fall (Nat.land word (Nat.sub (Nat.pow 2 half) 1)) (Nat.shiftRight word half)
          fun lo hi =>
          (fun low => both (Nat.ble hi (Nat.mul (Nat.add (Nat.add (Nat.mul 2 factor) total) steep) center))
              ((fun mirrored =>
              both (both (Nat.ble (Nat.succ low) digit) (Nat.ble (Nat.succ mirrored) digit))
                (force (fun slot' => force (fun slopes' => force (fun falls' =>
                    rest slot' slopes' falls' fun lows mirroreds =>
                    force (fun lows' => force (next lows') (Nat.add mirrored (Nat.mul digit mirroreds)))
                      (Nat.add low (Nat.mul digit lows)))
                  (Nat.shiftRight falls size)) (Nat.shiftRight slopes size)) (Nat.succ slot)))
              (Nat.sub (Nat.mul (Nat.add (Nat.add (Nat.mul 2 factor) total) steep) center) hi)))
            (Nat.add lo (Nat.mul (Nat.sub steep total) center))))
        (Nat.add slope fall)) (Nat.land falls (Nat.sub steep 1)))
        (Nat.land slopes (Nat.sub steep 1))) (Memory.lookup stride direct slot)) n)
    (Nat.pow 2 size)) (Nat.pow 2 s.stride)) s.center) s.stride) s.half
theorem residuals_zero (s : Scale) (settled : Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (factor size direct slot slopes falls : Nat) (next : Nat → Nat → Bool) :
    residuals s settled factor size direct 0 slot slopes falls next = next 0 0 := by
  unfold residuals
  simp only [force_eq]
  rfl
/-- The sum of two digits, of which one is 0. -/
def total (size slopes falls : Nat) : Nat := Nat.land slopes (2 ^ size - 1) + Nat.land falls (2 ^ size - 1)
theorem residuals_succ (s : Scale) (settled : Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (factor size direct n slot slopes falls : Nat) (next : Nat → Nat → Bool) :
    residuals s settled factor size direct (n + 1) slot slopes falls next =
    both (Nat.ble (total size slopes falls) (2 ^ size))
    (settled (Nat.land slopes (2 ^ size - 1)) (Nat.land falls (2 ^ size - 1))
      (Nat.land (Memory.lookup s.stride direct slot) (2 ^ s.half - 1))
      (Nat.shiftRight (Memory.lookup s.stride direct slot) s.half)
      (fun lo hi => both (Nat.ble hi ((2 * factor + total size slopes falls + 2 ^ size) * s.center))
        (both (both
            (Nat.ble (Nat.succ (lo + (2 ^ size - total size slopes falls) * s.center)) (2 ^ s.stride))
            (Nat.ble (Nat.succ ((2 * factor + total size slopes falls + 2 ^ size) * s.center - hi))
              (2 ^ s.stride)))
          (residuals s settled factor size direct n (slot + 1) (Nat.shiftRight slopes size)
            (Nat.shiftRight falls size)
            fun lows mirroreds => next
            (lo + (2 ^ size - total size slopes falls) * s.center + 2 ^ s.stride * lows)
            ((2 * factor + total size slopes falls + 2 ^ size) * s.center - hi +
              2 ^ s.stride * mirroreds))))) := by
  unfold residuals
  simp only [force_eq]
  rfl

/-- What a rule for one residual guarantees of arguments and results that are related by `P`. -/
def Settles (s : Scale) (P : K → K → Prop) (factor : Nat)
    (settled : Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool) : Prop :=
  ∀ slope fall l u (next : Nat → Nat → Bool) x y, Within s l u x → P x y →
    settled slope fall l u next = true →
    ∃ lo hi, (natural lo ≤ Curve.offLine s factor slope fall (s.image x) (s.image y) ∧
        Curve.offLine s factor slope fall (s.image x) (s.image y) ≤ natural hi) ∧ next lo hi = true

theorem residuals_sound {s : Scale} {slots : Nat → K} {P : K → K → Prop}
    {settled : Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool}
    {factor size direct mirrored count : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (rule : Settles s P factor settled) :
    (n slot start slopes falls : Nat) → (next : Nat → Nat → Bool) →
    slot + n ≤ count → (∀ i, i < n → P (slots (slot + i)) (slots (start + i))) →
    residuals s settled factor size direct n slot slopes falls next = true →
    ∃ low mir : Nat → Nat, next (pack s.stride n low) (pack s.stride n mir) = true ∧
      ∀ j, j < n →
        digit size slopes j + digit size falls j ≤ 2 ^ size ∧
          low j < 2 ^ s.stride ∧
          mir j < 2 ^ s.stride ∧
          natural (low j) ≤ natural factor * (natural s.unit * slots (start + j)) -
              (natural (digit size slopes j) - natural (digit size falls j)) *
                (natural s.unit * slots (slot + j)) +
              natural ((factor + 2 ^ size) * s.center) ∧
          natural factor * (natural s.unit * slots (start + j)) -
              (natural (digit size slopes j) - natural (digit size falls j)) *
                (natural s.unit * slots (slot + j)) + natural (mir j) ≤
            natural ((factor + 2 ^ size) * s.center) := by
  intro n
  induction n with
  | zero =>
    intro _ _ _ _ next _ _ h
    rw [residuals_zero] at h
    exact ⟨fun _ => 0, fun _ => 0, h, fun j hj => absurd hj (Nat.not_succ_le_zero j)⟩
  | succ n smaller =>
    intro slot start slopes falls next hs hp h
    rw [residuals_succ] at h
    have et : total size slopes falls = slopes % 2 ^ size + falls % 2 ^ size := by
      unfold total
      rw [land_low, land_low]
    rw [et, land_low, land_low] at h
    have inside : slot < count :=
      Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := slot)) (Nat.succ_le_succ (Nat.zero_le n))) hs
    obtain ⟨c0, h⟩ := both_true h
    have c0 : slopes % 2 ^ size + falls % 2 ^ size ≤ 2 ^ size := Nat.le_of_ble_eq_true c0
    obtain ⟨lo, hi, ⟨t1, t2⟩, h⟩ := rule _ _ _ _ _ _ _ (Curve.digits_within sf hm inside)
      (hp 0 (Nat.succ_le_succ (Nat.zero_le n))) h
    obtain ⟨c1, h⟩ := both_true h
    obtain ⟨c2, h⟩ := both_true h
    obtain ⟨c2, c3⟩ := both_true c2
    have e1 : ∀ a i : Nat, a + 1 + i = a + (i + 1) := fun a i => by rw [Nat.add_assoc, Nat.add_comm 1 i]
    obtain ⟨low, mir, h, more⟩ := smaller (slot + 1) (start + 1) _ _ _ (by rw [e1]; exact hs)
      (fun i hi => by rw [e1, e1]; exact hp (i + 1) (Nat.succ_le_succ hi)) h
    refine ⟨front (lo + (2 ^ size - (slopes % 2 ^ size + falls % 2 ^ size)) * s.center) low,
        front ((2 * factor + (slopes % 2 ^ size + falls % 2 ^ size) + 2 ^ size) * s.center - hi) mir,
        ?_, fun j hj => ?_⟩
    · rw [pack_front, pack_front]; exact h
    cases j with
    | succ j =>
      obtain ⟨m0, m1, m2, m3, m4⟩ := more j (Nat.le_of_succ_le_succ hj)
      have d : digit size (Nat.shiftRight slopes size) j = digit size slopes (j + 1) :=
        (digit_succ size slopes j).symm
      have d' : digit size (Nat.shiftRight falls size) j = digit size falls (j + 1) :=
        (digit_succ size falls j).symm
      rw [d, d'] at m0
      rw [e1, e1, d, d'] at m3 m4
      exact ⟨m0, m1, m2, m3, m4⟩
    | zero =>
      rw [Nat.add_zero] at t1 t2
      have gap := Linear.natural_sub (K := K) c0
      rw [digit_zero, digit_zero]
      refine ⟨c0, Nat.le_of_ble_eq_true c2, Nat.le_of_ble_eq_true c3, ?_, ?_⟩
      · show natural (lo + (2 ^ size - (slopes % 2 ^ size + falls % 2 ^ size)) * s.center) ≤
          natural factor * (natural s.unit * slots start) -
            (natural (slopes % 2 ^ size) - natural (falls % 2 ^ size)) * (natural s.unit * slots slot) +
            natural ((factor + 2 ^ size) * s.center)
        rw [natural_add, natural_mul, gap, natural_mul (factor + 2 ^ size), natural_add factor,
            natural_add (slopes % 2 ^ size)]
        unfold Curve.offLine Scale.image Scale.top at t1
        rw [natural_add s.center] at t1
        refine le_cert ?_ (sub_nonneg t1)
        exact (ring8 K f y p x z c l q, f * y - (p - q) * x + (f + z) * c - (l + (z - (p + q)) * c),
            f * (y + c) + (p * (c + c - (x + c)) + q * (x + c)) - l) (natural factor)
          (natural s.unit * slots start) (natural (slopes % 2 ^ size)) (natural s.unit * slots slot)
          (natural (2 ^ size)) (natural s.center) (natural lo) (natural (falls % 2 ^ size))
      · have room := Linear.natural_sub (K := K) (Nat.le_of_ble_eq_true c1)
        show natural factor * (natural s.unit * slots start) -
          (natural (slopes % 2 ^ size) - natural (falls % 2 ^ size)) * (natural s.unit * slots slot) +
          natural ((2 * factor + (slopes % 2 ^ size + falls % 2 ^ size) + 2 ^ size) * s.center - hi) ≤ _
        rw [room, natural_mul, natural_mul (factor + 2 ^ size),
            natural_add (2 * factor + (slopes % 2 ^ size + falls % 2 ^ size)), natural_add (2 * factor),
            natural_add (slopes % 2 ^ size), natural_mul 2, natural_add factor]
        unfold Curve.offLine Scale.image Scale.top at t2
        rw [natural_add s.center] at t2
        refine le_cert ?_ (sub_nonneg t2)
        exact (ring8 K f y p x z c h q,
            (f + z) * c - (f * y - (p - q) * x + ((2 * f + (p + q) + z) * c - h)),
            h - (f * (y + c) + (p * (c + c - (x + c)) + q * (x + c)))) (natural factor)
          (natural s.unit * slots start) (natural (slopes % 2 ^ size)) (natural s.unit * slots slot)
          (natural (2 ^ size)) (natural s.center) (natural hi) (natural (falls % 2 ^ size))
end Relaxation
end PytestTorchLean
