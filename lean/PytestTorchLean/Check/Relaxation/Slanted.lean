prelude
import PytestTorchLean.Check.Relaxation.Residuals
/-!
# Rows through lines

The coefficients behind a curve are those of its results times the slopes of its lines: where a line falls,
positive ones become negative. The residuals are replaced by their bounds, as `finish` does with slots.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- Columns of `p` times the rising slopes and of `q` times the falling ones, where there are any. -/
def slanted (b w n R bits p q falls lines down : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.beq falls 0)
    (Nat.add (scaleColumns b w n R bits p lines) (scaleColumns b w n R bits q down))
    (scaleColumns b w n R bits p lines)
theorem slanted_eq {b w n R bits falls : Nat} {f g : Nat → Nat → Nat} {v : Nat → Nat}
    (hw : n ≤ w)
    (hb : 0 < b)
    (hbits : bits ≤ b)
    (hf : ∀ r, r < R → ∀ j, j < n → f r j < 2 ^ b)
    (hg : ∀ r, r < R → ∀ j, j < n → g r j < 2 ^ b)
    (hv : ∀ j, j < n → v j < 2 ^ bits) :
    slanted b w n R bits (grid b w n R f) (grid b w n R g) falls (pack b n v) (pack b n (digit bits falls)) =
    grid b w n R (fun r j => f r j * v j + g r j * digit bits falls j) := by
  have s1 := scaleColumns_eq hw hb hbits hf hv
  have s2 := scaleColumns_eq hw hb hbits hg (v := digit bits falls) (fun j _ => digit_lt _ _ _)
  unfold slanted
  cases c : Nat.beq falls 0 with
  | true =>
    have z := Nat.eq_of_beq_eq_true c
    subst z
    refine s1.trans (grid_congr fun r _ j _ => ?_)
    have d : digit bits 0 j = 0 := by
      unfold digit
      have z : 0 / 2 ^ (bits * j) = 0 := Natural.mul_div_cancel (Natural.two_pow_pos _) 0
      rw [z]; exact Natural.mod_eq_self (Natural.two_pow_pos _)
    rw [d]; rfl
  | false =>
    show scaleColumns b w n R bits (grid b w n R f) (pack b n v) +
      scaleColumns b w n R bits (grid b w n R g) (pack b n (digit bits falls)) = _
    rw [s1, s2, grid_add]
theorem mixed_lt {a b v w m n : Nat} (ha : a < 2 ^ m) (hb : b < 2 ^ m) (h : v + w ≤ 2 ^ n) :
    a * v + b * w < 2 ^ (m + n) := by
  have e : 2 ^ m = (2 ^ m - 1) + 1 := (Natural.sub_add_cancel (Natural.two_pow_pos m)).symm
  rw [Natural.pow_add, e]
  rw [e] at ha hb
  generalize 2 ^ m - 1 = k at *
  have a1 : a ≤ k := Nat.le_of_succ_le_succ ha
  have b1 : b ≤ k := Nat.le_of_succ_le_succ hb
  have sum : a * v + b * w ≤ k * 2 ^ n := by
    refine Nat.le_trans (Nat.add_le_add (Nat.mul_le_mul a1 Nat.le.refl) (Nat.mul_le_mul b1 Nat.le.refl)) ?_
    rw [← Nat.mul_add]
    exact Nat.mul_le_mul Nat.le.refl h
  refine Natural.lt_of_le_of_lt sum ?_
  show k * 2 ^ n < Nat.succ k * 2 ^ n
  rw [Nat.succ_mul]
  exact Nat.add_le_add (Nat.le.refl (n := k * 2 ^ n)) (Natural.two_pow_pos n)

/-- The batch over the arguments of `n` neurons from slot `first` on. Of the digits of `slopes` the first `n`
    are slopes, and the next ones what is taken off them. -/
def slide (s : Scale) (frame : Frame) (settled : Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (bits size slopes first n direct mirrored count : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  both (both (fits s frame count x)
      (both (Nat.beq x.count n)
        (both (Nat.ble (Nat.add first n) count) (both (Nat.ble (Nat.succ size) frame.digit)
      (both (Nat.ble n (Nat.pow 2 (Nat.succ (Nat.log2 n))))
                (both
                  (Nat.ble (Nat.succ (Nat.shiftRight slopes (Nat.mul size n))) (Nat.pow 2 (Nat.mul size n)))
                  (both (Nat.ble 1 n)
                    (both
                      (Nat.ble (Nat.succ (Nat.mul n (Nat.pow 2 (Nat.succ x.size)))) (Nat.pow 2 frame.digit))
                      (Nat.ble (Nat.mul (Nat.add (Nat.pow 2 bits) (Nat.pow 2 size)) s.center)
                        (Nat.pow 2 s.stride))))))))))
    (force (fun unit => force (fun falls => force (fun rises => force (fun lines => force (fun down =>
      residuals s settled unit size direct n first rises falls fun low mir =>
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
          (slanted frame.digit frame.width n frame.rows size x.negative x.positive falls lines down))
            (slanted frame.digit frame.width n frame.rows size x.positive x.negative falls lines down))
          (Nat.add x.size size)) (Nat.add (Nat.mul unit x.limit)
              (Nat.mul x.weight (Nat.mul n (Nat.mul (Nat.pow 2 x.size) (Nat.mul 2 (Nat.pow 2 s.stride)))))))
          (Nat.mul unit x.scale))
      (Dense.spread frame.digit size (Nat.succ (Nat.log2 n)) 1 falls))
      (Dense.spread frame.digit size (Nat.succ (Nat.log2 n)) 1 rises))
      (Nat.land slopes (Nat.sub (Nat.pow 2 (Nat.mul size n)) 1)))
      (Nat.shiftRight slopes (Nat.mul size n))) (Nat.pow 2 bits))

theorem form_slide {n D C : Nat} {p q slope fall low mir : Nat → Nat} {x y : Nat → K}
    (h : ∀ j, j < n →
      natural (low j) ≤ natural D * y j - (natural (slope j) - natural (fall j)) * x j + natural C ∧
        natural D * y j - (natural (slope j) - natural (fall j)) * x j + natural (mir j) ≤ natural C) :
    form n (fun j => p j * slope j + q j * fall j) (fun j => q j * slope j + p j * fall j) x +
      natural (tally n fun j => p j * low j + q j * mir j) ≤
    natural D * form n p q y + natural (C * tally n fun j => p j + q j) := by
  have b := form_bounds (K := K) (n := n) (c := C) (p := p) (q := q) (lower := low) (mirrored := mir)
    (x := fun j => natural D * y j - (natural (slope j) - natural (fall j)) * x j) h
  have split : natural D * form n p q y =
      form n (fun j => p j * slope j + q j * fall j) (fun j => q j * slope j + p j * fall j) x +
        form n p q (fun j => natural D * y j - (natural (slope j) - natural (fall j)) * x j) := by
    unfold form
    rw [← sum_mul, ← sum_add]
    refine Columns.sum_congr fun j _ => ?_
    rw [natural_add, natural_add, natural_mul, natural_mul, natural_mul, natural_mul]
    exact (ring8 K p q t f d x y w, d * ((p - q) * y),
        (p * t + q * f - (q * t + p * f)) * x + (p - q) * (d * y - (t - f) * x)) _ _ _ _ _ _ _ 0
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
    {settled : Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool}
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
  have c5 : Nat.shiftRight slopes (size * x.count) < 2 ^ (size * x.count) := Nat.le_of_ble_eq_true c5
  have c6 : 0 < x.count := Nat.le_of_ble_eq_true c6
  have c7 : x.count * 2 ^ (x.size + 1) < 2 ^ frame.digit := Nat.le_of_ble_eq_true c7
  have c8 : (2 ^ bits + 2 ^ size) * s.center ≤ 2 ^ s.stride := Nat.le_of_ble_eq_true c8
  rw [force_eq, force_eq, force_eq, force_eq, force_eq] at h
  have c9 : Nat.land slopes (Nat.sub (Nat.pow 2 (Nat.mul size x.count)) 1) < 2 ^ (size * x.count) := by
    have e := land_low slopes (size * x.count)
    show Nat.land slopes (2 ^ (size * x.count) - 1) < _
    rw [e]; exact Natural.mod_lt (Natural.two_pow_pos _) _
  have ef : Nat.shiftRight slopes (Nat.mul size x.count) = Nat.shiftRight slopes (size * x.count) := rfl
  rw [ef] at h
  generalize Nat.shiftRight slopes (size * x.count) = falls at h c5
  generalize Nat.land slopes (Nat.sub (Nat.pow 2 (Nat.mul size x.count)) 1) = rises at h c9
  have slopeLe : size ≤ frame.digit := Nat.le_trans (Nat.le_add_right _ 1) c3
  have digits : ∀ word : Nat, word < 2 ^ (size * x.count) →
      Dense.spread frame.digit size (Nat.succ (Nat.log2 x.count)) 1 word =
        pack frame.digit x.count (digit size word) := fun word hw => by
    have e := Dense.spread_pack slopeLe ok.digit c4 (fun j _ => digit_lt size word j)
    rw [← pack_digits x.count word hw] at e; exact e
  rw [digits rises c9, digits falls c5] at h
  obtain ⟨low, mir, h, hv⟩ := residuals_sound sf hm rule x.count first x.start rises falls _ c2 related h
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  have fw : ∀ r, r < frame.rows →
    ∀ j, j < x.count → f r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).1
  have gw : ∀ r, r < frame.rows →
    ∀ j, j < x.count → g r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).2
  have s1 := slanted_eq (falls := falls) ok.width ok.digit slopeLe fw gw (v := digit size rises)
    (fun j _ => digit_lt _ _ _)
  have s2 := slanted_eq (falls := falls) ok.width ok.digit slopeLe gw fw (v := digit size rises)
    (fun j _ => digit_lt _ _ _)
  rw [p1, p2] at h
  obtain ⟨t, _, h⟩ :=
    rounded_sound (Nat.zero_le 1) (fun r hr' j hj => ((hr r hr').1 j hj).1) (fun j hj => (hv j hj).2.1) h
  obtain ⟨t', _, h⟩ :=
    rounded_sound (Nat.zero_le 1) (fun r hr' j hj => ((hr r hr').1 j hj).2) (fun j hj => (hv j hj).2.2.1) h
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
    have b1 := rounded_below x.count t (f r) low
    have b2 := rounded_below x.count t' (g r) mir
    have n1 := tally_bound (v := low) (fun j hj => (q1 j hj).1) (fun j hj => Natural.le_of_lt (hv j hj).2.1)
    have n2 := tally_bound (v := mir) (fun j hj => (q1 j hj).2) (fun j hj => Natural.le_of_lt (hv j hj).2.2.1)
    have n3 : tally x.count (fun j => f r j + g r j) ≤ x.count * (2 ^ x.size * 2) := by
      refine tally_le fun j hj => ?_
      rw [Nat.mul_comm (2 ^ x.size), Natural.two_mul]
      exact Nat.add_le_add (Natural.le_of_lt (q1 j hj).1) (Natural.le_of_lt (q1 j hj).2)
    refine
      ⟨fun j hj => ⟨mixed_lt (q1 j hj).1 (q1 j hj).2 (hv j hj).1,
            mixed_lt (q1 j hj).2 (q1 j hj).1 (hv j hj).1⟩, ?_, ?_, ?_⟩
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
        (p := f r) (q := g r) (slope := digit size rises) (fall := digit size falls) (low := low) (mir := mir)
        (x := values s slots first) (y := values s slots x.start) (fun j hj => (hv j hj).2.2.2)
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
