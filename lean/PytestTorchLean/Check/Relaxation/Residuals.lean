prelude
import PytestTorchLean.Check.Relaxation.Bend
import PytestTorchLean.Check.Residual
/-!
# Rows through a curve: lines, and residuals

One slope for each neuron, and for what the curve is off its line an interval each, by any function that
encloses it.
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
    Slopes are digits of `size` bits; `factor` is what stands for 1. -/
def residuals (s : Scale) (settled : Nat → Nat → Nat → (Nat → Nat → Bool) → Bool) (factor size direct : Nat)
    (n : Nat) : Nat → Nat → (Nat → Nat → Bool) → Bool :=
  force (fun half => force (fun stride => force (fun center => force (fun digit =>
            force (fun steep =>
              Nat.rec (motive := fun _ => Nat → Nat → (Nat → Nat → Bool) → Bool) (fun _ _ next => next 0 0)
    (fun _ rest slot slopes next => (fun word => (fun slope =>
        settled slope (Nat.land word (Nat.sub (Nat.pow 2 half) 1)) (Nat.shiftRight word half) fun lo hi =>
          (fun low => both (Nat.ble hi (Nat.mul (Nat.add (Nat.add (Nat.mul 2 factor) slope) steep) center))
              ((fun mirrored =>
              both (both (Nat.ble (Nat.succ low) digit) (Nat.ble (Nat.succ mirrored) digit))
                (force (fun slot' => force (fun slopes' => rest slot' slopes' fun lows mirroreds =>
                    force (fun lows' => force (next lows') (Nat.add mirrored (Nat.mul digit mirroreds)))
                      (Nat.add low (Nat.mul digit lows)))
                  (Nat.shiftRight slopes size)) (Nat.succ slot)))
              (Nat.sub (Nat.mul (Nat.add (Nat.add (Nat.mul 2 factor) slope) steep) center) hi)))
            (Nat.add lo (Nat.mul (Nat.sub steep slope) center)))
        (Nat.land slopes (Nat.sub steep 1))) (Memory.lookup stride direct slot)) n)
    (Nat.pow 2 size)) (Nat.pow 2 s.stride)) s.center) s.stride) s.half
theorem residuals_zero (s : Scale) (settled : Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (factor size direct slot slopes : Nat) (next : Nat → Nat → Bool) :
    residuals s settled factor size direct 0 slot slopes next = next 0 0 := by
  unfold residuals
  simp only [force_eq]
  rfl
theorem residuals_succ (s : Scale) (settled : Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (factor size direct n slot slopes : Nat) (next : Nat → Nat → Bool) :
    residuals s settled factor size direct (n + 1) slot slopes next =
    settled (Nat.land slopes (2 ^ size - 1)) (Nat.land (Memory.lookup s.stride direct slot) (2 ^ s.half - 1))
      (Nat.shiftRight (Memory.lookup s.stride direct slot) s.half)
      (fun lo hi => both (Nat.ble hi ((2 * factor + Nat.land slopes (2 ^ size - 1) + 2 ^ size) * s.center))
        (both (both
            (Nat.ble (Nat.succ (lo + (2 ^ size - Nat.land slopes (2 ^ size - 1)) * s.center)) (2 ^ s.stride))
            (Nat.ble (Nat.succ ((2 * factor + Nat.land slopes (2 ^ size - 1) + 2 ^ size) * s.center - hi))
              (2 ^ s.stride)))
          (residuals s settled factor size direct n (slot + 1) (Nat.shiftRight slopes size)
            fun lows mirroreds => next
            (lo + (2 ^ size - Nat.land slopes (2 ^ size - 1)) * s.center + 2 ^ s.stride * lows)
            ((2 * factor + Nat.land slopes (2 ^ size - 1) + 2 ^ size) * s.center - hi +
              2 ^ s.stride * mirroreds)))) := by
  unfold residuals
  simp only [force_eq]
  rfl

/-- What a rule for one residual guarantees of arguments and results that are related by `P`. -/
def Settles (s : Scale) (P : K → K → Prop) (factor : Nat)
    (settled : Nat → Nat → Nat → (Nat → Nat → Bool) → Bool) : Prop :=
  ∀ slope l u (next : Nat → Nat → Bool) x y, Within s l u x → P x y → settled slope l u next = true →
    ∃ lo hi, (natural lo ≤ natural factor * s.image y + natural slope * (natural s.top - s.image x) ∧
        natural factor * s.image y + natural slope * (natural s.top - s.image x) ≤ natural hi) ∧
      next lo hi = true

theorem residuals_sound {s : Scale} {slots : Nat → K} {P : K → K → Prop}
    {settled : Nat → Nat → Nat → (Nat → Nat → Bool) → Bool} {factor size direct mirrored count : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (rule : Settles s P factor settled) :
    (n slot start slopes : Nat) → (next : Nat → Nat → Bool) →
    slot + n ≤ count → (∀ i, i < n → P (slots (slot + i)) (slots (start + i))) →
    residuals s settled factor size direct n slot slopes next = true →
    ∃ low mir : Nat → Nat, next (pack s.stride n low) (pack s.stride n mir) = true ∧
      ∀ j, j < n →
        low j < 2 ^ s.stride ∧
          mir j < 2 ^ s.stride ∧
          natural (low j) ≤ natural factor * (natural s.unit * slots (start + j)) -
              natural (digit size slopes j) * (natural s.unit * slots (slot + j)) +
              natural ((factor + 2 ^ size) * s.center) ∧
          natural factor * (natural s.unit * slots (start + j)) -
              natural (digit size slopes j) * (natural s.unit * slots (slot + j)) + natural (mir j) ≤
            natural ((factor + 2 ^ size) * s.center) := by
  intro n
  induction n with
  | zero =>
    intro _ _ _ next _ _ h
    rw [residuals_zero] at h
    exact ⟨fun _ => 0, fun _ => 0, h, fun j hj => absurd hj (Nat.not_succ_le_zero j)⟩
  | succ n smaller =>
    intro slot start slopes next hs hp h
    rw [residuals_succ, land_low] at h
    have inside : slot < count :=
      Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := slot)) (Nat.succ_le_succ (Nat.zero_le n))) hs
    obtain ⟨lo, hi, ⟨t1, t2⟩, h⟩ := rule _ _ _ _ _ _ (Curve.digits_within sf hm inside)
      (hp 0 (Nat.succ_le_succ (Nat.zero_le n))) h
    obtain ⟨c1, h⟩ := both_true h
    obtain ⟨c2, h⟩ := both_true h
    obtain ⟨c2, c3⟩ := both_true c2
    have e1 : ∀ a i : Nat, a + 1 + i = a + (i + 1) := fun a i => by rw [Nat.add_assoc, Nat.add_comm 1 i]
    obtain ⟨low, mir, h, more⟩ := smaller (slot + 1) (start + 1) _ _ (by rw [e1]; exact hs)
      (fun i hi => by rw [e1, e1]; exact hp (i + 1) (Nat.succ_le_succ hi)) h
    refine ⟨front (lo + (2 ^ size - slopes % 2 ^ size) * s.center) low,
        front ((2 * factor + slopes % 2 ^ size + 2 ^ size) * s.center - hi) mir, ?_, fun j hj => ?_⟩
    · rw [pack_front, pack_front]; exact h
    cases j with
    | succ j =>
      obtain ⟨m1, m2, m3, m4⟩ := more j (Nat.le_of_succ_le_succ hj)
      have d : digit size (Nat.shiftRight slopes size) j = digit size slopes (j + 1) :=
        (digit_succ size slopes j).symm
      rw [e1, e1, d] at m3 m4
      exact ⟨m1, m2, m3, m4⟩
    | zero =>
      rw [Nat.add_zero] at t1 t2
      have small : slopes % 2 ^ size ≤ 2 ^ size :=
        Natural.le_of_lt (Natural.mod_lt (Natural.two_pow_pos size) slopes)
      have gap := Linear.natural_sub (K := K) small
      rw [digit_zero]
      refine ⟨Nat.le_of_ble_eq_true c2, Nat.le_of_ble_eq_true c3, ?_, ?_⟩
      · show natural (lo + (2 ^ size - slopes % 2 ^ size) * s.center) ≤
          natural factor * (natural s.unit * slots start) -
            natural (slopes % 2 ^ size) * (natural s.unit * slots slot) +
            natural ((factor + 2 ^ size) * s.center)
        rw [natural_add, natural_mul, gap, natural_mul (factor + 2 ^ size), natural_add factor]
        unfold Scale.image Scale.top at t1
        rw [natural_add s.center] at t1
        refine le_cert ?_ (sub_nonneg t1)
        exact (ring8 K f y p x z c l w, f * y - p * x + (f + z) * c - (l + (z - p) * c),
            f * (y + c) + p * (c + c - (x + c)) - l) (natural factor) (natural s.unit * slots start)
          (natural (slopes % 2 ^ size)) (natural s.unit * slots slot) (natural (2 ^ size)) (natural s.center)
          (natural lo) 0
      · have room := Linear.natural_sub (K := K) (Nat.le_of_ble_eq_true c1)
        show natural factor * (natural s.unit * slots start) -
          natural (slopes % 2 ^ size) * (natural s.unit * slots slot) +
          natural ((2 * factor + slopes % 2 ^ size + 2 ^ size) * s.center - hi) ≤ _
        rw [room, natural_mul, natural_mul (factor + 2 ^ size), natural_add (2 * factor + slopes % 2 ^ size),
            natural_add (2 * factor), natural_mul 2, natural_add factor]
        unfold Scale.image Scale.top at t2
        rw [natural_add s.center] at t2
        refine le_cert ?_ (sub_nonneg t2)
        exact (ring8 K f y p x z c h w, (f + z) * c - (f * y - p * x + ((2 * f + p + z) * c - h)),
            h - (f * (y + c) + p * (c + c - (x + c)))) (natural factor) (natural s.unit * slots start)
          (natural (slopes % 2 ^ size)) (natural s.unit * slots slot) (natural (2 ^ size)) (natural s.center)
          (natural hi) 0

/-- The batch over the arguments of `n` neurons from slot `first` on. -/
def slide (s : Scale) (frame : Frame) (settled : Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (bits size slopes first n direct mirrored count : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  both (both (fits s frame count x)
      (both (Nat.beq x.count n)
        (both (Nat.ble (Nat.add first n) count) (both (Nat.ble (Nat.succ size) frame.digit)
      (both (Nat.ble n (Nat.pow 2 (Nat.succ (Nat.log2 n))))
                (both (Nat.ble (Nat.succ slopes) (Nat.pow 2 (Nat.mul size n)))
                  (both (Nat.ble 1 n)
                    (both
                      (Nat.ble (Nat.succ (Nat.mul n (Nat.pow 2 (Nat.succ x.size)))) (Nat.pow 2 frame.digit))
                      (Nat.ble (Nat.mul (Nat.add (Nat.pow 2 bits) (Nat.pow 2 size)) s.center)
                        (Nat.pow 2 s.stride))))))))))
    (force (fun unit => force (fun lines => residuals s settled unit size direct n first slopes fun low mir =>
        rounded frame.digit frame.width frame.rows n x.size s.stride 0 low x.positive fun a =>
        rounded frame.digit frame.width frame.rows n x.size s.stride 0 mir x.negative fun b =>
        force (fun scale => force (fun limit => force (fun size' =>
                share (fun positive => share (fun negative => force (fun gain => force (fun loss =>
            next ⟨scale, x.weight, limit, first, n, size', positive, negative, gain, loss⟩)
          (Nat.add (Nat.mul unit x.loss)
              (Nat.mul (Nat.mul x.weight (Nat.mul (Nat.add unit (Nat.pow 2 size)) s.center))
                (times frame.digit frame.width frame.rows n (Nat.add x.positive x.negative)
                  (ones frame.digit n)))))
          (Nat.add (Nat.mul unit x.gain) (Nat.mul x.weight (Nat.add a b))))
          (scaleColumns frame.digit frame.width n frame.rows size x.negative lines))
            (scaleColumns frame.digit frame.width n frame.rows size x.positive lines))
          (Nat.add x.size size)) (Nat.add (Nat.mul unit x.limit)
              (Nat.mul x.weight (Nat.mul n (Nat.mul (Nat.pow 2 x.size) (Nat.mul 2 (Nat.pow 2 s.stride)))))))
          (Nat.mul unit x.scale))
      (Dense.spread frame.digit size (Nat.succ (Nat.log2 n)) 1 slopes)) (Nat.pow 2 bits))

theorem form_slide {n D C : Nat} {p q slope low mir : Nat → Nat} {x y : Nat → K}
    (h : ∀ j, j < n →
      natural (low j) ≤ natural D * y j - natural (slope j) * x j + natural C ∧
        natural D * y j - natural (slope j) * x j + natural (mir j) ≤ natural C) :
    form n (fun j => p j * slope j) (fun j => q j * slope j) x +
      natural (tally n fun j => p j * low j + q j * mir j) ≤
    natural D * form n p q y + natural (C * tally n fun j => p j + q j) := by
  have b := form_bounds (K := K) (n := n) (c := C) (p := p) (q := q) (lower := low) (mirrored := mir)
    (x := fun j => natural D * y j - natural (slope j) * x j) h
  have split : natural D * form n p q y =
      form n (fun j => p j * slope j) (fun j => q j * slope j) x +
        form n p q (fun j => natural D * y j - natural (slope j) * x j) := by
    unfold form
    rw [← sum_mul, ← sum_add]
    refine Columns.sum_congr fun j _ => ?_
    rw [natural_mul, natural_mul]
    exact (ring8 K p q t d x y z w, d * ((p - q) * y), (p * t - q * t) * x + (p - q) * (d * y - t * x)) _ _ _
      _ _ _ 0 0
  rw [split, add_assoc]
  exact add_le_add (le_refl _) b

/-- The sum of what is known of the residuals and of the rows. -/
theorem slide_sum {w D S m c d C k : Nat} {v F goal : K}
    (h : natural w * (v + natural m) + natural D * (natural w * F + natural c) ≤
      natural w * (natural D * F + natural (C * k)) + natural D * (natural S * goal + natural d)) :
    natural w * v + natural (D * c + w * m) ≤ natural (D * S) * goal + natural (D * d + w * C * k) := by
  rw [natural_add, natural_add, natural_mul D c, natural_mul w m, natural_mul D S, natural_mul D d,
      Nat.mul_assoc, natural_mul w (C * k), mul_assoc]
  generalize (natural (C * k) : K) = e at *
  generalize natural S * goal = o at *
  have t := sub_nonneg h
  refine le_cert ?_ t
  have a1 : natural w * (v + natural m) + natural D * (natural w * F + natural c) =
      (natural w * v + (natural D * natural c + natural w * natural m)) + natural D * (natural w * F) :=
    (ring8 K w v m D F c x y, w * (v + m) + D * (w * F + c), w * v + (D * c + w * m) + D * (w * F)) _ _ _ _ _
      _ 0 0
  have a2 : natural w * (natural D * F + e) + natural D * (o + natural d) =
      (natural D * o + (natural D * natural d + natural w * e)) + natural D * (natural w * F) :=
    (ring8 K w e o D F d x y, w * (D * F + e) + D * (o + d), D * o + (D * d + w * e) + D * (w * F)) _ _ _ _ _
      _ 0 0
  rw [a1, a2]
  exact (ring3 K p q r, p - q, p + r - (q + r)) _ _ _

theorem slide_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {P : K → K → Prop}
    {settled : Nat → Nat → Nat → (Nat → Nat → Bool) → Bool}
    {bits size slopes first n direct mirrored count : Nat} {x : Batch} {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hx : x.Holds s frame slots goal)
    (rule : Settles s P (2 ^ bits) settled)
    (related : ∀ i, i < n → P (slots (first + i)) (slots (x.start + i)))
    (h : slide s frame settled bits size slopes first n direct mirrored count x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hf, hc⟩ := both_true hc
  obtain ⟨c1, hc⟩ := both_true hc
  obtain ⟨c2, hc⟩ := both_true hc
  obtain ⟨c3, hc⟩ := both_true hc
  obtain ⟨c4, hc⟩ := both_true hc
  obtain ⟨c5, hc⟩ := both_true hc
  obtain ⟨c6, hc⟩ := both_true hc
  obtain ⟨c7, c8⟩ := both_true hc
  have ok := fits_sound hf
  have c1 := Nat.eq_of_beq_eq_true c1
  subst c1
  have c2 : first + x.count ≤ count := Nat.le_of_ble_eq_true c2
  have c3 : size + 1 ≤ frame.digit := Nat.le_of_ble_eq_true c3
  have c4 : x.count ≤ 2 ^ (Nat.succ (Nat.log2 x.count)) := Nat.le_of_ble_eq_true c4
  have c5 : slopes < 2 ^ (size * x.count) := Nat.le_of_ble_eq_true c5
  have c6 : 0 < x.count := Nat.le_of_ble_eq_true c6
  have c7 : x.count * 2 ^ (x.size + 1) < 2 ^ frame.digit := Nat.le_of_ble_eq_true c7
  have c8 : (2 ^ bits + 2 ^ size) * s.center ≤ 2 ^ s.stride := Nat.le_of_ble_eq_true c8
  rw [force_eq, force_eq] at h
  have slopeLe : size ≤ frame.digit := Nat.le_trans (Nat.le_add_right _ 1) c3
  have slopeDigit : ∀ j, j < x.count → digit size slopes j < 2 ^ size := fun j _ => digit_lt _ _ _
  have e1 : Dense.spread frame.digit size (Nat.succ (Nat.log2 x.count)) 1 slopes =
      pack frame.digit x.count (digit size slopes) := by
    have e := Dense.spread_pack slopeLe ok.digit c4 slopeDigit
    rw [← pack_digits x.count slopes c5] at e; exact e
  rw [e1] at h
  obtain ⟨low, mir, h, hv⟩ := residuals_sound sf hm rule x.count first x.start slopes _ c2 related h
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  have fw : ∀ r, r < frame.rows →
    ∀ j, j < x.count → f r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).1
  have gw : ∀ r, r < frame.rows →
    ∀ j, j < x.count → g r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).2
  have s1 : scaleColumns frame.digit frame.width x.count frame.rows size
      (grid frame.digit frame.width x.count frame.rows f) (pack frame.digit x.count (digit size slopes)) =
    _ := scaleColumns_eq ok.width ok.digit slopeLe fw slopeDigit
  have s2 : scaleColumns frame.digit frame.width x.count frame.rows size
      (grid frame.digit frame.width x.count frame.rows g) (pack frame.digit x.count (digit size slopes)) =
    _ := scaleColumns_eq ok.width ok.digit slopeLe gw slopeDigit
  rw [p1, p2] at h
  obtain ⟨t, _, h⟩ :=
    rounded_sound (Nat.zero_le 1) (fun r hr' j hj => ((hr r hr').1 j hj).1) (fun j hj => (hv j hj).1) h
  obtain ⟨t', _, h⟩ :=
    rounded_sound (Nat.zero_le 1) (fun r hr' j hj => ((hr r hr').1 j hj).2) (fun j hj => (hv j hj).2.1) h
  simp only [force_eq, share_eq] at h
  have sums :
      ∀ r, r < frame.rows → ∀ j, j < x.count → f r j + g r j ≤ 2 ^ (x.size + 1) := fun r hr' j hj => by
    obtain ⟨a1, a2⟩ := (hr r hr').1 j hj
    have e : 2 ^ (x.size + 1) = 2 ^ x.size + 2 ^ x.size := by rw [Natural.pow_succ, Natural.two_mul]
    rw [e]
    exact Nat.add_le_add (Natural.le_of_lt a1) (Natural.le_of_lt a2)
  have d3 := times_ones (f := fun r j => f r j + g r j) c6 ok.width ok.digit sums c7
  rw [grid_add] at d3
  have d3 : times frame.digit frame.width frame.rows x.count
      ((grid frame.digit frame.width x.count frame.rows f).add
        (grid frame.digit frame.width x.count frame.rows g)) (ones frame.digit x.count) = _ := d3
  have both_sides : (side frame.digit frame.width frame.rows
        fun r => 2 ^ t * tally x.count fun j => f r j * (low j / 2 ^ t + 0)).add
      (side frame.digit frame.width frame.rows
        fun r => 2 ^ t' * tally x.count fun j => g r j * (mir j / 2 ^ t' + 0)) =
    side frame.digit frame.width frame.rows fun r => (2 ^ t *
          tally x.count fun j => f r j * (low j / 2 ^ t + 0)) +
      2 ^ t' * tally x.count fun j => g r j * (mir j / 2 ^ t' + 0) := (side_add _ _ _ _ _).symm
  rw [both_sides, d3, p3, p4, s1, s2] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, fun r => 2 ^ bits * c r + x.weight * ((2 ^ t *
                tally x.count fun j => f r j * (low j / 2 ^ t + 0)) +
            2 ^ t' * tally x.count fun j => g r j * (mir j / 2 ^ t' + 0)),
      fun r =>
      2 ^ bits * d r + x.weight * ((2 ^ bits + 2 ^ size) * s.center) * tally x.count fun j => f r j + g r j,
      rfl, rfl, ?_, ?_, fun r hr' => ?_⟩
  · refine Eq.symm ((side_add _ _ _ (fun r => 2 ^ bits * c r) _).trans ?_)
    rw [side_mul _ _ _ (2 ^ bits), side_mul _ _ _ x.weight]; rfl
  · refine Eq.symm ((side_add _ _ _ (fun r => 2 ^ bits * d r) _).trans ?_)
    rw [side_mul _ _ _ (2 ^ bits), side_mul _ _ _ (x.weight * ((2 ^ bits + 2 ^ size) * s.center))]; rfl
  · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
    have short : ∀ {a v : Nat}, a < 2 ^ x.size → v < 2 ^ size → a * v < 2 ^ (x.size + size) := fun ha hv => by
      rw [Natural.pow_add]
      exact Natural.lt_of_le_of_lt (Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt hv))
        (by
            rw [Nat.mul_comm, Nat.mul_comm (2 ^ x.size)]
            exact Natural.mul_lt_mul_left (Natural.two_pow_pos _) ha)
    have b1 := rounded_below x.count t (f r) low
    have b2 := rounded_below x.count t' (g r) mir
    have n1 := tally_bound (v := low) (fun j hj => (q1 j hj).1) (fun j hj => Natural.le_of_lt (hv j hj).1)
    have n2 := tally_bound (v := mir) (fun j hj => (q1 j hj).2) (fun j hj => Natural.le_of_lt (hv j hj).2.1)
    have n3 : tally x.count (fun j => f r j + g r j) ≤ x.count * (2 ^ x.size * 2) := by
      refine tally_le fun j hj => ?_
      rw [Nat.mul_comm (2 ^ x.size), Natural.two_mul]
      exact Nat.add_le_add (Natural.le_of_lt (q1 j hj).1) (Natural.le_of_lt (q1 j hj).2)
    refine
      ⟨fun j hj => ⟨short (q1 j hj).1 (slopeDigit j hj), short (q1 j hj).2 (slopeDigit j hj)⟩, ?_, ?_, ?_⟩
    · refine Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q2) (Nat.mul_le_mul Nat.le.refl ?_)
      refine Nat.le_trans (Nat.add_le_add (Nat.le_trans b1 n1) (Nat.le_trans b2 n2)) (Natural.le_of_eq ?_)
      show _ = x.count * (2 ^ x.size * (2 * 2 ^ s.stride))
      rw [← Nat.mul_add, ← Nat.mul_add, Natural.two_mul]
    · refine Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q3) ?_
      rw [Nat.mul_assoc]
      refine Nat.mul_le_mul Nat.le.refl (Nat.le_trans (Nat.mul_le_mul c8 n3) (Natural.le_of_eq ?_))
      show 2 ^ s.stride * (x.count * (2 ^ x.size * 2)) = x.count * (2 ^ x.size * (2 * 2 ^ s.stride))
      simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
    · have b := form_slide (K := K) (n := x.count) (D := 2 ^ bits) (C := (2 ^ bits + 2 ^ size) * s.center)
        (p := f r) (q := g r) (slope := digit size slopes) (low := low) (mir := mir)
        (x := values s slots first) (y := values s slots x.start) (fun j hj => (hv j hj).2.2)
      have split : tally x.count (fun j => f r j * low j + g r j * mir j) =
          (tally x.count fun j => f r j * low j) + tally x.count fun j => g r j * mir j := tally_add _ _ _
      have least := natural_le (K := K) (Nat.add_le_add b1 b2)
      rw [← split] at least
      have b := mul_le_left (natural_nonneg (K := K) x.weight) (le_trans (add_le_add (le_refl _) least) b)
      have q4 := mul_le_left (natural_nonneg (K := K) (2 ^ bits)) q4
      have sum := add_le_add b q4
      exact slide_sum sum
end Relaxation
end PytestTorchLean
