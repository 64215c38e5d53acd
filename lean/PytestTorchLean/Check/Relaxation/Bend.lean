prelude
import PytestTorchLean.Check.Relaxation.Reduce
/-!
# Through a ReLU

The certificate gives two slopes for every ReLU, as multiples of `2^-bits`. A positive coefficient is
multiplied by the slope of the lower line, which goes through 0; a negative one by that of the upper line,
whose offset is computed here from the bounds of the value before the ReLU.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- A number is the list of its digits. -/
theorem pack_digits {b : Nat} : (n x : Nat) → x < 2 ^ (b * n) → x = pack b n (digit b x)
  | 0, x, h => Natural.eq_zero_of_lt_one h
  | n + 1, x, h => by
    rw [Nat.mul_succ, Nat.add_comm, Natural.pow_add] at h
    have ih := pack_digits n (x / 2 ^ b) (Natural.div_lt (Natural.two_pow_pos b) h)
    have e : (fun i => digit b x (i + 1)) = digit b (x / 2 ^ b) := funext fun i => digit_succ b x i
    rw [pack_succ, e, ← ih, digit_zero, Natural.mod_add_div (Natural.two_pow_pos b)]

/-- All `n` digits of `b` bits, each below `2^w`, are at most `d`. -/
def atMost (b n w d x : Nat) : Bool :=
  force (fun guards => Nat.beq (Nat.land (Nat.sub (Nat.add guards (Nat.mul d (ones b n))) x) guards) guards)
    (Nat.mul (Nat.pow 2 w) (ones b n))
theorem atMost_sound {b n w d : Nat} {f : Nat → Nat} (hw : w + 1 ≤ b) (hd : d < 2 ^ w)
    (hf : ∀ i, i < n → f i < 2 ^ w) (h : atMost b n w d (pack b n f) = true) :
    ∀ i, i < n → f i ≤ d := by
  unfold atMost at h
  rw [force_eq] at h
  have hb : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le w)) hw
  have h := Nat.eq_of_beq_eq_true h
  have e : Nat.sub (Nat.add (Nat.mul (Nat.pow 2 w) (ones b n)) (Nat.mul d (ones b n))) (pack b n f) =
      pack b n fun i => 2 ^ w + d - f i := by
    have c : Nat.mul d (ones b n) = pack b n fun _ => d := mul_ones hb n d
    rw [c]
    exact Vector.guarded_eq hb hf
  rw [e] at h
  exact Vector.unborrowed (f := fun _ => d) hw (fun _ _ => hd) hf h

/-- The slopes are few enough and between 0 and 1. -/
def slopesFit (bits n x : Nat) : Bool := Nat.ble (Nat.succ x) (Nat.pow 2 (Nat.mul (Nat.succ bits) n))

/-- The larger of two offsets for every upper line: one for each end of the interval. -/
def offsets (s : Scale) (n bits slopes down up : Nat) : Nat :=
  force (fun left => force
      (fun right => Nat.add right (Vector.difference s.stride n (Nat.add s.half (Nat.succ bits)) left right))
      (multiply s.stride n (Nat.succ bits) up (Nat.sub (Nat.mul (Nat.pow 2 bits) (ones s.stride n)) slopes)))
    (multiply s.stride n (Nat.succ bits) down slopes)
theorem offsets_eq {s : Scale} {n bits : Nat} {slope down up : Nat → Nat}
    (sf : s.Fits)
    (hs : s.half + bits + 2 ≤ s.stride)
    (h : ∀ j, j < n → slope j ≤ 2 ^ bits)
    (hd : ∀ j, j < n → down j < 2 ^ s.half)
    (hu : ∀ j, j < n → up j < 2 ^ s.half) :
    ∃ offset : Nat → Nat, offsets s n bits (pack s.stride n slope) (pack s.stride n down)
          (pack s.stride n up) = pack s.stride n offset ∧
      ∀ j, j < n →
        offset j < 2 ^ (s.half + bits + 2) ∧
          slope j * down j ≤ offset j ∧
          (2 ^ bits - slope j) * up j ≤ offset j := by
  have stride : 0 < s.stride := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le _)) hs
  have halfLe : s.half ≤ s.stride := Nat.le_add_right _ _
  have bitsLe : bits + 1 ≤ s.stride :=
    Nat.le_trans (Nat.le_trans (Nat.le_add_left _ s.half) (Nat.le_add_right _ 1)) hs
  have top : 2 ^ bits < 2 ^ (bits + 1) := Vector.guard_lt Nat.le.refl
  have slopeLt : ∀ j, j < n → slope j < 2 ^ (bits + 1) := fun j hj => Natural.lt_of_le_of_lt (h j hj) top
  have restLt : ∀ j,
    j < n → 2 ^ bits - slope j < 2 ^ (bits + 1) := fun j _ => Natural.lt_of_le_of_lt (Natural.sub_le _ _) top
  have wide : ∀ {a : Nat},
    a < 2 ^ s.half → a < 2 ^ s.stride := fun h => Natural.lt_of_lt_of_le h (Natural.two_pow_le halfLe)
  have prod : ∀ {a c : Nat},
      a < 2 ^ s.half → c < 2 ^ (bits + 1) → a * c < 2 ^ (s.half + (bits + 1)) := fun ha hc => by
    rw [Natural.pow_add]
    exact Natural.lt_of_le_of_lt (Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt hc))
      (by
          rw [Nat.mul_comm, Nat.mul_comm (2 ^ s.half)]
          exact Natural.mul_lt_mul_left (Natural.two_pow_pos _) ha)
  have rest : Nat.sub (Nat.mul (Nat.pow 2 bits) (ones s.stride n)) (pack s.stride n slope) =
      pack s.stride n fun j => 2 ^ bits - slope j := by
    have c :
      Nat.mul (Nat.pow 2 bits) (ones s.stride n) = pack s.stride n fun _ => 2 ^ bits := mul_ones stride n _
    rw [c]; exact (pack_sub h).symm
  unfold offsets
  simp only [force_eq]
  have m1 : multiply s.stride n (Nat.succ bits) (pack s.stride n down) (pack s.stride n slope) = _ :=
    multiply_eq stride bitsLe (fun j hj => wide (hd j hj)) slopeLt
  have m2 : multiply s.stride n (Nat.succ bits) (pack s.stride n up)
        (pack s.stride n fun j => 2 ^ bits - slope j) = _ :=
    multiply_eq stride bitsLe (fun j hj => wide (hu j hj)) restLt
  rw [rest, m1, m2]
  have diff :
    Vector.difference s.stride n (Nat.add s.half (Nat.succ bits)) (pack s.stride n fun j => down j * slope j)
      (pack s.stride n fun j => up j * (2 ^ bits - slope j)) = _ :=
    Vector.difference_eq (w := s.half + (bits + 1)) hs (fun j hj => prod (hd j hj) (slopeLt j hj))
      (fun j hj => prod (hu j hj) (restLt j hj))
  rw [diff]
  refine ⟨_, (pack_add _ _ _ _).symm, fun j hj => ⟨?_, ?_, by rw [Nat.mul_comm]; exact Nat.le_add_right _ _⟩⟩
  rotate_left
  · rw [Nat.mul_comm]
    cases Nat.le_total (up j * (2 ^ bits - slope j)) (down j * slope j) with
    | inl t => rw [Nat.add_comm, Natural.sub_add_cancel t]; exact Nat.le.refl
    | inr t => exact Nat.le_trans t (Nat.le_add_right _ _)
  have a := prod (hd j hj) (slopeLt j hj)
  have b := prod (hu j hj) (restLt j hj)
  have e : 2 ^ (s.half + bits + 2) = 2 ^ (s.half + (bits + 1)) + 2 ^ (s.half + (bits + 1)) := by
    show 2 ^ (s.half + (bits + 1) + 1) = _
    rw [Natural.pow_succ, Natural.two_mul]
  rw [e]
  have sum := Nat.add_le_add b
    (Nat.le_trans (Natural.sub_le _ _) (Natural.le_of_lt a) :
      down j * slope j - up j * (2 ^ bits - slope j) ≤ _)
  rw [Nat.succ_add] at sum
  exact sum

/-- The batch over the values before a ReLU of `n` slots from `first` on. -/
def bend (s : Scale) (frame : Frame) (bits lower upper first n direct mirrored count : Nat) (x : Batch)
    (next : Batch → Bool) : Bool :=
  both (both (fits s frame count x) (both (Nat.beq x.count n) (both (Nat.ble (Nat.add first n) count)
      (both (Nat.ble (Nat.add (Nat.add s.half bits) 2) s.stride) (both (Nat.ble (Nat.add bits 2) frame.digit)
        (both (Nat.ble n (Nat.pow 2 (Nat.succ (Nat.log2 n))))
                    (both (slopesFit bits n lower) (slopesFit bits n upper))))))))
    (force (fun digit => force (fun width =>
    (force (fun levels => force (fun low => force (fun high => force (fun slopes =>
        both (both (atMost digit n (Nat.succ bits) (Nat.pow 2 bits) low)
            (atMost digit n (Nat.succ bits) (Nat.pow 2 bits) high))
          (reaches s direct mirrored first n fun down up => force (fun offset =>
              rounded digit width frame.rows n x.size s.stride 1 offset x.negative fun charge =>
              force (fun unit => force (fun scale => force (fun limit => force
                      (fun size =>
                        share (fun positive => share (fun negative => force (fun gain => force (fun loss =>
                  next ⟨scale, x.weight, limit, first, n, size, positive, negative, gain, loss⟩)
                (Nat.add (Nat.mul unit x.loss) (Nat.mul x.weight charge))) (Nat.mul unit x.gain))
                (scaleColumns digit width n frame.rows (Nat.succ bits) x.negative high))
                (scaleColumns digit width n frame.rows (Nat.succ bits) x.positive low))
                (Nat.add x.size (Nat.succ bits)))
                (Nat.add (Nat.mul unit x.limit)
                    (Nat.mul x.weight
                      (Nat.mul n (Nat.mul (Nat.pow 2 x.size) (Nat.pow 2 (Nat.succ s.stride)))))))
                (Nat.mul unit x.scale)) (Nat.pow 2 bits))
            (offsets s n bits slopes down up)))
        (Dense.spread s.stride (Nat.succ bits) levels 1 upper))
          (Dense.spread digit (Nat.succ bits) levels 1 upper))
        (Dense.spread digit (Nat.succ bits) levels 1 lower)) (Nat.succ (Nat.log2 n)))) frame.width)
          frame.digit)

theorem bend_sound {s : Scale} {frame : Frame} {slots goal : Nat → K}
    {bits lower upper first n direct mirrored count : Nat} {x : Batch} {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hx : x.Holds s frame slots goal)
    (relu : ∀ i, i < n → IsRelu (slots (first + i)) (slots (x.start + i)))
    (h : bend s frame bits lower upper first n direct mirrored count x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hf, hc⟩ := both_true hc
  obtain ⟨c1, hc⟩ := both_true hc
  obtain ⟨c2, hc⟩ := both_true hc
  obtain ⟨c3, hc⟩ := both_true hc
  obtain ⟨c4, hc⟩ := both_true hc
  obtain ⟨c5, hc⟩ := both_true hc
  obtain ⟨c6, c7⟩ := both_true hc
  have ok := fits_sound hf
  have c1 := Nat.eq_of_beq_eq_true c1
  subst c1
  have c2 : first + x.count ≤ count := Nat.le_of_ble_eq_true c2
  have c3 : s.half + bits + 2 ≤ s.stride := Nat.le_of_ble_eq_true c3
  have c4 : bits + 1 + 1 ≤ frame.digit := Nat.le_of_ble_eq_true c4
  have c5 : x.count ≤ 2 ^ (Nat.succ (Nat.log2 x.count)) := Nat.le_of_ble_eq_true c5
  have c6 : lower < 2 ^ ((bits + 1) * x.count) := Nat.le_of_ble_eq_true c6
  have c7 : upper < 2 ^ ((bits + 1) * x.count) := Nat.le_of_ble_eq_true c7
  simp only [force_eq, share_eq] at h
  have lowDigit : ∀ j, j < x.count → digit (bits + 1) lower j < 2 ^ (bits + 1) := fun j _ => digit_lt _ _ _
  have highDigit : ∀ j, j < x.count → digit (bits + 1) upper j < 2 ^ (bits + 1) := fun j _ => digit_lt _ _ _
  have slopeLe : bits + 1 ≤ frame.digit := Nat.le_trans (Nat.le_add_right _ 1) c4
  have strideLe : bits + 1 ≤ s.stride :=
    Nat.le_trans (Nat.le_trans (Nat.le_add_left _ s.half) (Nat.le_add_right _ 1)) c3
  have stride : 0 < s.stride := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le _)) strideLe
  have e1 : Dense.spread frame.digit (Nat.succ bits) (Nat.succ (Nat.log2 x.count)) 1 lower =
      pack frame.digit x.count (digit (bits + 1) lower) := by
    have e := Dense.spread_pack slopeLe ok.digit c5 lowDigit
    rw [← pack_digits x.count lower c6] at e; exact e
  have e2 : Dense.spread frame.digit (Nat.succ bits) (Nat.succ (Nat.log2 x.count)) 1 upper =
      pack frame.digit x.count (digit (bits + 1) upper) := by
    have e := Dense.spread_pack slopeLe ok.digit c5 highDigit
    rw [← pack_digits x.count upper c7] at e; exact e
  have e3 : Dense.spread s.stride (Nat.succ bits) (Nat.succ (Nat.log2 x.count)) 1 upper =
      pack s.stride x.count (digit (bits + 1) upper) := by
    have e := Dense.spread_pack strideLe stride c5 highDigit
    rw [← pack_digits x.count upper c7] at e; exact e
  rw [e1, e2, e3] at h
  obtain ⟨hs, h⟩ := both_true h
  have top : 2 ^ bits < 2 ^ (bits + 1) := Vector.guard_lt Nat.le.refl
  have l1 := atMost_sound c4 top lowDigit (both_true hs).1
  have l2 := atMost_sound c4 top highDigit (both_true hs).2
  obtain ⟨l, m, h, hv⟩ := reaches_sound ok.half sf c2 hm h
  have center : ∀ a : Nat, s.center - a < 2 ^ s.half := fun a =>
    Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (Natural.sub_le _ _) (Nat.le_add_right s.center s.center)))
      sf.half
  obtain ⟨offset, o1, o2⟩ := offsets_eq (down := fun j => s.center - l j) (up := fun j => s.center - m j) sf
    c3 l2 (fun _ _ => center _) (fun _ _ => center _)
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  have fw : ∀ r, r < frame.rows →
    ∀ j, j < x.count → f r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).1
  have gw : ∀ r, r < frame.rows →
    ∀ j, j < x.count → g r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).2
  have s1 : scaleColumns frame.digit frame.width x.count frame.rows (Nat.succ bits)
      (grid frame.digit frame.width x.count frame.rows f)
      (pack frame.digit x.count (digit (bits + 1) lower)) = _ :=
    scaleColumns_eq ok.width ok.digit slopeLe fw lowDigit
  have s2 : scaleColumns frame.digit frame.width x.count frame.rows (Nat.succ bits)
      (grid frame.digit frame.width x.count frame.rows g)
      (pack frame.digit x.count (digit (bits + 1) upper)) = _ :=
    scaleColumns_eq ok.width ok.digit slopeLe gw highDigit
  have ow := fun j hj => Natural.lt_of_lt_of_le (o2 j hj).1 (Natural.two_pow_le c3)
  rw [o1, p2] at h
  obtain ⟨t, below, h⟩ := rounded_sound Nat.le.refl (fun r hr' j hj => ((hr r hr').1 j hj).2) ow h
  rw [p1, s1, s2] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, fun r => 2 ^ bits * c r,
      fun r => 2 ^ bits * d r + x.weight * (2 ^ t * tally x.count fun j => g r j * (offset j / 2 ^ t + 1)),
      rfl, rfl, ?_, ?_, fun r hr' => ?_⟩
  · show 2 ^ bits * x.gain = _
    rw [p3, side_mul]
  · show 2 ^ bits * x.loss + x.weight * side _ _ _ _ = _
    rw [p4, side_add, side_mul _ _ _ (2 ^ bits), side_mul _ _ _ x.weight]
  · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
    have short : ∀ {a v : Nat},
        a < 2 ^ x.size → v < 2 ^ (bits + 1) → a * v < 2 ^ (x.size + (bits + 1)) := fun ha hv => by
      rw [Natural.pow_add]
      exact Natural.lt_of_le_of_lt (Nat.mul_le_mul Nat.le.refl (Natural.le_of_lt hv))
        (by
            rw [Nat.mul_comm, Nat.mul_comm (2 ^ x.size)]
            exact Natural.mul_lt_mul_left (Natural.two_pow_pos _) ha)
    refine ⟨fun j hj => ⟨short (q1 j hj).1 (lowDigit j hj), short (q1 j hj).2 (highDigit j hj)⟩, ?_, ?_, ?_⟩
    · exact Nat.le_trans (Nat.mul_le_mul Nat.le.refl q2) (Nat.le_add_right _ _)
    · refine Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q3) (Nat.mul_le_mul Nat.le.refl ?_)
      exact rounded_le below (fun j hj => (q1 j hj).2) ow
    · have unit := natural_nonneg (K := K) s.unit
      have scaled :
          ∀ j, j < x.count → IsRelu (values s slots first j) (values s slots x.start j) := fun j hj => by
        unfold values
        cases relu j hj with
        | inl t =>
          obtain ⟨t0, t1⟩ := t
          rw [t1]
          exact Or.inl ⟨mul_nonneg unit t0, rfl⟩
        | inr t =>
          obtain ⟨t0, t1⟩ := t
          have z := mul_le_left unit t0
          rw [mul_zero] at z
          rw [t1, mul_zero]
          exact Or.inr ⟨z, rfl⟩
      have b := form_relu (K := K) (n := x.count) (d := 2 ^ bits) (p := f r) (q := g r)
        (lower := digit (bits + 1) lower) (upper := digit (bits + 1) upper) (offset := offset)
        (x := values s slots first) (y := values s slots x.start)
        (fun j hj => relu_lower (scaled j hj) (l1 j hj))
        (fun j hj => relu_offset (scaled j hj) (hv j hj).1 (hv j hj).2 (l2 j hj) (o2 j hj).2.1 (o2 j hj).2.2)
      have more := add_le_add
        (le_refl (natural (2 ^ bits) * form x.count (f r) (g r) (values s slots x.start) : K))
        (natural_le (K := K) (rounded_above x.count t (g r) offset))
      have b := mul_le_left (natural_nonneg (K := K) x.weight) (le_trans b more)
      have q4 := mul_le_left (natural_nonneg (K := K) (2 ^ bits)) q4
      show natural x.weight * _ + natural (2 ^ bits * c r) ≤
        natural (2 ^ bits * x.scale) * goal r + natural (2 ^ bits * d r + x.weight * _)
      rw [natural_add, natural_mul (2 ^ bits) (c r), natural_mul (2 ^ bits) x.scale,
          natural_mul (2 ^ bits) (d r), natural_mul x.weight]
      refine le_cert ?_ (add_nonneg (sub_nonneg b) (sub_nonneg q4))
      exact (ring8 K t v u w m c d o, u * o + (u * d + t * m) - (t * v + u * c),
            t * (u * w + m) - t * v + (u * (o + d) - u * (t * w + c))) (natural x.weight) _
          (natural (2 ^ bits)) (form x.count (f r) (g r) (values s slots x.start)) _ (natural (c r))
          (natural (d r)) (natural x.scale * goal r) |>
          fun e => by rw [mul_assoc (natural (2 ^ bits)) (natural x.scale)]; exact e

end Relaxation
end PytestTorchLean
