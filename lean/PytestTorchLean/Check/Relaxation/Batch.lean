prelude
import PytestTorchLean.Check.Products
import PytestTorchLean.Check.Relaxation.Shorten
/-!
# A batch of rows on its way back

Each row is a linear form of some consecutive slots, with a constant, that lies below the row's goal: the
value that is to be bounded from below. The coefficients of all rows are two matrices, positive and negative
parts; the constants are two columns, gains and losses.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- How the rows are packed: bits of a digit, digits from one row to the next, rows. -/
structure Frame where
  digit : Nat
  width : Nat
  rows : Nat

structure Batch where
  /-- factor of the goals -/
  scale : Nat
  /-- factor of the coefficients -/
  weight : Nat
  /-- no gain and no loss exceeds this -/
  limit : Nat
  /-- the first of the slots -/
  start : Nat
  /-- how many slots -/
  count : Nat
  /-- coefficients are below `2^size` -/
  size : Nat
  positive : Nat
  negative : Nat
  gain : Nat
  loss : Nat

/-- The values of the slots from `start` on, in fixed point. -/
def values (s : Scale) (slots : Nat → K) (start j : Nat) : K := natural s.unit * slots (start + j)

namespace Batch
/-- What the numbers of a batch say, when its coefficients are those of the values `v`. -/
def HoldsOver (frame : Frame) (v goal : Nat → K) (x : Batch) : Prop :=
  ∃ f g : Nat → Nat → Nat, ∃ c d : Nat → Nat,
    x.positive = grid frame.digit frame.width x.count frame.rows f ∧
      x.negative = grid frame.digit frame.width x.count frame.rows g ∧
    x.gain = side frame.digit frame.width frame.rows c ∧ x.loss = side frame.digit frame.width frame.rows d ∧
    ∀ r, r < frame.rows →
      (∀ j, j < x.count → f r j < 2 ^ x.size ∧ g r j < 2 ^ x.size) ∧
        c r ≤ x.limit ∧
        d r ≤ x.limit ∧
        natural x.weight * form x.count (f r) (g r) v + natural (c r) ≤
          natural x.scale * goal r + natural (d r)
/-- The coefficients are those of the slots from `start` on. -/
def Holds (s : Scale) (frame : Frame) (slots goal : Nat → K) (x : Batch) : Prop :=
  x.HoldsOver frame (values s slots x.start) goal
end Batch

/-! ### Bounds of consecutive slots -/

/-- The lower halves of `n` words of the memory from slot `start` on. -/
def lows (s : Scale) (packed start n : Nat) : Nat :=
  Nat.land (Nat.shiftRight packed (Nat.mul s.stride start))
    (Nat.mul (Nat.sub (Nat.pow 2 s.half) 1) (ones s.stride n))

theorem lows_pack {s : Scale} (half : 0 < s.half) {count start n : Nat} {x y : Nat → Nat}
    (h : start + n ≤ count) (hx : ∀ i, i < count → x i < 2 ^ s.half ∧ y i < 2 ^ s.half) :
    lows s (pack s.stride count fun i => x i + 2 ^ s.half * y i) start n =
    pack s.stride n fun j => x (start + j) := by
  have stride : 0 < s.stride := Nat.le_trans half (Nat.le_add_left _ _)
  refine (Decode.low_digit (Nat.le_add_left s.half s.half) stride n _).trans (pack_congr fun j hj => ?_)
  have inside : start + j < count := Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := start)) hj) h
  have e : digit s.stride
    (Nat.shiftRight (pack s.stride count fun i => x i + 2 ^ s.half * y i) (Nat.mul s.stride start)) j =
      x (start + j) + 2 ^ s.half * y (start + j) := by
    rw [← digit_pack (b := s.stride) (f := fun i => x i + 2 ^ s.half * y i)
        (fun i hi => Memory.halves_lt (hx i hi).1 (hx i hi).2) inside]
    show _ / 2 ^ (s.stride * start) / 2 ^ (s.stride * j) % _ = _ / 2 ^ (s.stride * (start + j)) % _
    rw [Natural.shift_shift, Nat.mul_add]
  show digit (s.half + s.half) _ j % _ = _
  have e' : digit (s.half + s.half)
      (Nat.shiftRight (pack s.stride count fun i => x i + 2 ^ s.half * y i) (Nat.mul s.stride start)) j = _ :=
    e
  rw [e', Natural.add_mul_mod _ (hx _ inside).1]

/-- What the lower halves of the direct and of the mirrored words say of the slots. -/
theorem lows_hold {s : Scale} {slots : Nat → K} {direct mirrored count start n : Nat} (half : 0 < s.half)
    (sf : s.Fits) (h : start + n ≤ count) (hm : (Memory.mk direct mirrored).Holds s slots count) :
    ∃ l m : Nat → Nat, lows s direct start n = pack s.stride n l ∧
      lows s mirrored start n = pack s.stride n m ∧
      ∀ j, j < n →
        l j ≤ s.top ∧
          m j ≤ s.top ∧
          natural (l j) ≤ natural s.unit * slots (start + j) + (natural s.center : K) ∧
          natural s.unit * slots (start + j) + (natural (m j) : K) ≤ natural s.center := by
  obtain ⟨l, u, hd, hmm, hw⟩ := hm
  have hd : direct = pack s.stride count (fun i => l i + 2 ^ s.half * u i) := hd
  have hmm : mirrored = pack s.stride count (fun i => (s.top - u i) + 2 ^ s.half * (s.top - l i)) := hmm
  have small : ∀ {a : Nat}, a ≤ s.top → a < 2 ^ s.half := fun h => Nat.le_trans (Nat.succ_le_succ h) sf.half
  refine ⟨fun j => l (start + j), fun j => s.top - u (start + j), ?_, ?_, fun j hj => ?_⟩
  · rw [hd]
    exact lows_pack half h (fun i hi => ⟨small (Nat.le_trans (hw i hi).1 (hw i hi).2.1), small (hw i hi).2.1⟩)
  · rw [hmm]
    exact lows_pack half h (fun i hi => ⟨small (Natural.sub_le _ _), small (Natural.sub_le _ _)⟩)
  · obtain ⟨w1, w2, w3, w4⟩ := hw (start + j) (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := start)) hj) h)
    refine ⟨Nat.le_trans w1 w2, Natural.sub_le _ _, w3, ?_⟩
    have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
    rw [Linear.natural_sub w2, top]
    have w4 : natural s.unit * slots (start + j) + natural s.center ≤ (natural (u (start + j)) : K) := w4
    exact le_cert ((ring3 K x c u, c - (x + (c + c - u)), u - (x + c)) _ _ _) (sub_nonneg w4)

/-- The frame has room for the batch. -/
def framed (s : Scale) (frame : Frame) (x : Batch) : Bool :=
  both (Nat.ble 1 s.half)
    (both (Nat.ble x.count frame.width)
      (both (Nat.ble (Nat.succ x.size) frame.digit) (Nat.ble 1 frame.width)))
/-- What `framed` decides. -/
structure Framed (s : Scale) (frame : Frame) (x : Batch) : Prop where
  half : 0 < s.half
  width : x.count ≤ frame.width
  size : x.size + 1 ≤ frame.digit
  digit : 0 < frame.digit
  row : 0 < frame.digit * frame.width
theorem framed_sound {s : Scale} {frame : Frame} {x : Batch} (h : framed s frame x = true) :
    Framed s frame x := by
  obtain ⟨c1, h⟩ := both_true h
  obtain ⟨c2, h⟩ := both_true h
  obtain ⟨c3, c4⟩ := both_true h
  have c3 : x.size + 1 ≤ frame.digit := Nat.le_of_ble_eq_true c3
  have digit : 0 < frame.digit := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le _)) c3
  exact ⟨Nat.le_of_ble_eq_true c1, Nat.le_of_ble_eq_true c2, c3, digit,
      Nat.mul_pos digit (Nat.le_of_ble_eq_true c4)⟩
theorem Framed.wide {s : Scale} {frame : Frame} {x : Batch} (h : Framed s frame x) {a : Nat}
    (ha : a < 2 ^ x.size) :
    a < 2 ^ frame.digit :=
  Natural.lt_of_lt_of_le ha (Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ 1) h.size))

/-- The frame has room for the batch, and its slots are bounded by the memory. A batch over other values than
    slots, such as the rows of a property, need only be `framed`. -/
def fits (s : Scale) (frame : Frame) (count : Nat) (x : Batch) : Bool :=
  both (framed s frame x) (Nat.ble (Nat.add x.start x.count) count)
/-- What `fits` decides. -/
structure Fitting (s : Scale) (frame : Frame) (count : Nat) (x : Batch) : Prop extends Framed s frame x where
  inside : x.start + x.count ≤ count
theorem fits_sound {s : Scale} {frame : Frame} {count : Nat} {x : Batch} (h : fits s frame count x = true) :
    Fitting s frame count x := by
  obtain ⟨c1, c2⟩ := both_true h
  exact ⟨framed_sound c1, Nat.le_of_ble_eq_true c2⟩

/-! ### To the bounds -/

/-- What remains of a batch when its slots are replaced by their bounds: constants alone. -/
def Constants (frame : Frame) (limit scale gain loss : Nat) (goal : Nat → K) : Prop :=
  ∃ c d : Nat → Nat, gain = side frame.digit frame.width frame.rows c ∧
    loss = side frame.digit frame.width frame.rows d ∧
    ∀ r, r < frame.rows → c r ≤ limit ∧ d r ≤ limit ∧ natural (c r) ≤ natural scale * goal r + natural (d r)

/-- Every slot replaced by its lower bound where its coefficient is positive, by its upper one where it is
    negative. -/
def finish (s : Scale) (frame : Frame) (direct mirrored count : Nat) (x : Batch)
    (next : Nat → Nat → Nat → Bool) : Bool :=
  both (both (fits s frame count x)
      (both (Nat.ble 1 x.count)
        (Nat.ble (Nat.succ (Nat.mul x.count (Nat.pow 2 (Nat.succ x.size)))) (Nat.pow 2 frame.digit))))
    (force (fun l => force (fun m =>
        rounded frame.digit frame.width frame.rows x.count x.size s.stride 0 l x.positive fun low =>
        rounded frame.digit frame.width frame.rows x.count x.size s.stride 0 m x.negative fun high =>
        force (fun gain => force (fun loss => force (fun limit => next limit gain loss)
            (Nat.add x.limit
                (Nat.mul x.weight (Nat.mul x.count (Nat.mul (Nat.pow 2 x.size) (Nat.mul 2 s.top))))))
          (Nat.add x.loss (Nat.mul (Nat.mul x.weight s.center)
                (times frame.digit frame.width frame.rows x.count (Nat.add x.positive x.negative)
                  (ones frame.digit x.count)))))
          (Nat.add x.gain (Nat.mul x.weight (Nat.add low high))))
        (lows s mirrored x.start x.count)) (lows s direct x.start x.count))

theorem tally_bound {n a c : Nat} {f v : Nat → Nat} (hf : ∀ j, j < n → f j < 2 ^ a)
    (hv : ∀ j, j < n → v j ≤ c) :
    tally n (fun j => f j * v j) ≤ n * (2 ^ a * c) :=
  tally_le fun j hj => Nat.mul_le_mul (Natural.le_of_lt (hf j hj)) (hv j hj)

theorem finish_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {direct mirrored count : Nat}
    {x : Batch} {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hx : x.Holds s frame slots goal)
    (h : finish s frame direct mirrored count x next = true) :
    ∃ limit gain loss, Constants frame limit x.scale gain loss goal ∧ next limit gain loss = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hc, hn⟩ := both_true hc
  obtain ⟨hn, room⟩ := both_true hn
  have hn : 0 < x.count := Nat.le_of_ble_eq_true hn
  have room : x.count * 2 ^ (x.size + 1) < 2 ^ frame.digit := Nat.le_of_ble_eq_true room
  have ok := fits_sound hc
  rw [force_eq, force_eq] at h
  obtain ⟨l, m, e1, e2, hv⟩ := lows_hold ok.half sf ok.inside hm
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  have small : ∀ {a : Nat}, a ≤ s.top → a < 2 ^ s.stride := fun h =>
    Nat.le_trans (Nat.succ_le_succ h) (Nat.le_trans sf.half (Natural.two_pow_le (Nat.le_add_right _ _)))
  rw [e1, e2, p1, p2] at h
  obtain ⟨t, _, h⟩ :=
    rounded_sound (Nat.zero_le 1) (fun r hr' j hj => ((hr r hr').1 j hj).1) (fun j hj => small (hv j hj).1) h
  obtain ⟨t', _, h⟩ := rounded_sound (Nat.zero_le 1) (fun r hr' j hj => ((hr r hr').1 j hj).2)
    (fun j hj => small (hv j hj).2.1) h
  simp only [force_eq] at h
  have sums :
      ∀ r, r < frame.rows → ∀ j, j < x.count → f r j + g r j ≤ 2 ^ (x.size + 1) := fun r hr' j hj => by
    obtain ⟨a1, a2⟩ := (hr r hr').1 j hj
    have e : 2 ^ (x.size + 1) = 2 ^ x.size + 2 ^ x.size := by rw [Natural.pow_succ, Natural.two_mul]
    rw [e]
    exact Nat.add_le_add (Natural.le_of_lt a1) (Natural.le_of_lt a2)
  have d3 := times_ones (f := fun r j => f r j + g r j) hn ok.width ok.digit sums room
  rw [grid_add] at d3
  have d3 : times frame.digit frame.width frame.rows x.count
      ((grid frame.digit frame.width x.count frame.rows f).add
        (grid frame.digit frame.width x.count frame.rows g)) (ones frame.digit x.count) = _ := d3
  have both_sides : (side frame.digit frame.width frame.rows
        fun r => 2 ^ t * tally x.count fun j => f r j * (l j / 2 ^ t + 0)).add
      (side frame.digit frame.width frame.rows
        fun r => 2 ^ t' * tally x.count fun j => g r j * (m j / 2 ^ t' + 0)) =
    side frame.digit frame.width frame.rows fun r => (2 ^ t *
          tally x.count fun j => f r j * (l j / 2 ^ t + 0)) +
      2 ^ t' * tally x.count fun j => g r j * (m j / 2 ^ t' + 0) := (side_add _ _ _ _ _).symm
  rw [both_sides, d3, p3, p4] at h
  have gain_eq := fun (t : Nat) (a b : Nat → Nat) => (side_add frame.digit frame.width frame.rows a
      (fun r => t * b r)).trans (congrArg (fun y => side frame.digit frame.width frame.rows a + y)
      (side_mul frame.digit frame.width frame.rows t b))
  refine ⟨_, _, _, ⟨_, _, (gain_eq _ _ _).symm, (gain_eq _ _ _).symm, fun r hr' => ?_⟩, h⟩
  obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
  have n1 := tally_bound (v := l) (fun j hj => (q1 j hj).1) (fun j hj => (hv j hj).1)
  have n2 := tally_bound (v := m) (fun j hj => (q1 j hj).2) (fun j hj => (hv j hj).2.1)
  have b1 := rounded_below x.count t (f r) l
  have b2 := rounded_below x.count t' (g r) m
  have n3 : tally x.count (fun j => f r j + g r j) ≤ x.count * (2 ^ x.size * 2) := by
    refine tally_le fun j hj => ?_
    rw [Nat.mul_comm (2 ^ x.size), Natural.two_mul]
    exact Nat.add_le_add (Natural.le_of_lt (q1 j hj).1) (Natural.le_of_lt (q1 j hj).2)
  refine ⟨Nat.add_le_add q2 (Nat.mul_le_mul Nat.le.refl ?_), Nat.add_le_add q3 ?_, ?_⟩
  · refine Nat.le_trans (Nat.add_le_add (Nat.le_trans b1 n1) (Nat.le_trans b2 n2)) (Natural.le_of_eq ?_)
    show _ = x.count * (2 ^ x.size * (2 * s.top))
    rw [← Nat.mul_add, ← Nat.mul_add, Natural.two_mul]
  · show x.weight * s.center * _ ≤ x.weight * _
    rw [Nat.mul_assoc]
    refine Nat.mul_le_mul Nat.le.refl
      (Nat.le_trans (Nat.mul_le_mul (Nat.le_add_right s.center s.center) n3) (Natural.le_of_eq ?_))
    show s.top * (x.count * (2 ^ x.size * 2)) = x.count * (2 ^ x.size * (2 * s.top))
    simp only [Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
  · have b := form_bounds (K := K) (n := x.count) (c := s.center) (p := f r) (q := g r)
      (lower := fun j => l j) (mirrored := fun j => m j) (x := values s slots x.start)
      (fun j hj => (hv j hj).2.2)
    have split : tally x.count (fun j => f r j * l j + g r j * m j) =
        (tally x.count fun j => f r j * l j) + tally x.count fun j => g r j * m j := tally_add _ _ _
    have least := natural_le (K := K) (Nat.add_le_add b1 b2)
    rw [← split] at least
    have b := mul_le_left (natural_nonneg x.weight) (le_trans least b)
    rw [natural_add, natural_add, natural_mul, natural_mul (x.weight.mul s.center)]
    show _ ≤ _ + (_ + natural (x.weight * s.center) * _)
    rw [natural_mul x.weight]
    rw [natural_mul s.center] at b
    refine le_cert ?_ (add_nonneg (sub_nonneg b) (sub_nonneg q4))
    generalize (natural (tally x.count fun j => f r j + g r j) : K) = mass'
    exact (ring8 K t a e w c d o v, o + (d + t * e * w) - (c + t * a),
        t * (v + e * w) - t * a + (o + d - (t * v + c))) _ _ _ _ _ _ _ _

end Relaxation
end PytestTorchLean
