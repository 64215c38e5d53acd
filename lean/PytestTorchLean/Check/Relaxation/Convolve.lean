prelude
import PytestTorchLean.Check.Relaxation.Convolved
import PytestTorchLean.Check.Relaxation.Returned
import PytestTorchLean.Check.Relaxation.Substitute
/-!
# An affine node with several positions substituted into a batch

A convolution, say. The batch that comes out speaks of places; `places` has the slot in each of them.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- Where the slots that an affine node with several positions reads are put, in words. -/
structure Layout where
  /-- how many places -/
  count : Nat
  /-- the slot in each place; 0 where there is none -/
  places : Nat
  /-- for every column its shift, or `2^32 - 1` where it reads the same slot at every position -/
  shifts : Nat
  /-- no result has a larger error radius -/
  radius : Nat

/-- No digit exceeds `radius`. -/
def within (C n radius error : Nat) : Bool :=
  both (both (Nat.ble 1 C) (Nat.ble (Nat.succ radius) (Nat.pow 2 (Nat.sub C 1))))
    (both (both (Nat.ble (Nat.succ error) (Nat.pow 2 (Nat.mul C n))) (short C n 1 (Nat.sub C 1) error))
        (atMost C n (Nat.sub C 1) radius error))
theorem within_sound {C n radius error : Nat} (h : within C n radius error = true) :
    ∀ j, j < n → digit C error j ≤ radius := by
  obtain ⟨h, h2⟩ := both_true h
  obtain ⟨c1, c2⟩ := both_true h
  obtain ⟨h2, h5⟩ := both_true h2
  obtain ⟨h3, h4⟩ := both_true h2
  have c1 : 0 < C := Nat.le_of_ble_eq_true c1
  have c2 : radius < 2 ^ (C - 1) := Nat.le_of_ble_eq_true c2
  have h3 : error < 2 ^ (C * n) := Nat.le_of_ble_eq_true h3
  have e := pack_digits n error h3
  have one : grid C n n 1 (fun _ => digit C error) = error := by
    show pack C n (digit C error) + 2 ^ (C * n) * 0 = error
    rw [Nat.mul_zero, Nat.add_zero, ← e]
  have small := short_sound (b := C) (w := n) (n := n) (R := 1) (k := C - 1) (f := fun _ => digit C error)
    Nat.le.refl c1 (Natural.sub_le _ _) (fun _ _ j _ => digit_lt C error j) (by rw [one]; exact h4)
  rw [e] at h5
  exact atMost_sound (Natural.le_of_eq (Natural.succ_pred c1)) c2 (fun j hj => small 0 Nat.le.refl j hj) h5

/-- The batch over the places of what an affine node reads. The node's values times `e` are the decoded
    rows. -/
def convolve [Prepared] (s : Scale) (frame : Frame) (a : Affine) (d : Decoding) (e error : Nat)
    (layout : Layout) (direct mirrored memory : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false (fun lanes =>
      force (fun C => force (fun n => force (fun step => force (fun size => force (fun offset =>
        both (both (fits s frame memory x)
            (both (Nat.beq x.count n)
              (both (Nat.ble 1 a.rows) (both (Nat.ble 1 a.positions) (both (Nat.ble frame.digit C)
            (both (Nat.ble layout.count frame.width) 
              (both (Nat.ble (Nat.succ step) (Nat.pow 2 (Nat.sub frame.digit 1)))
                            (both (Nat.ble (Nat.succ (Nat.mul a.columns (stepOf a.rows x.size d.bits)))
                                (Nat.pow 2 (Nat.sub frame.digit 1))) (within C n layout.radius error)))))))))
          (force (fun whole => force (fun swapped => force
                  (fun sums => force (fun base => force (fun turned => force (fun gain => force (fun loss =>
              convolved s ⟨⟨frame, 0, 0, x.weight⟩, a.rows, a.positions, a.columns, layout.count,
                  layout.places, whole, sums, base, turned⟩ direct mirrored memory a.columns 0
                a.sources layout.shifts 0 gain loss fun grid gain' loss' =>
                force (fun p => force (fun q =>
                      force (fun positive => force (fun negative => force (fun scale => force (fun limit =>
                    next ⟨scale, x.weight, limit, 0, layout.count, Nat.sub frame.digit 1, positive, negative,
                        gain', loss'⟩)
                  (Nat.add (Nat.add (Nat.mul e x.limit)
                        (Nat.mul x.weight (Nat.mul layout.radius (Nat.mul n (Nat.mul 2 (Nat.pow 2 x.size))))))
                      (Nat.mul a.columns (Nat.mul x.weight (Nat.mul step (Nat.add s.top s.top))))))
                  (Nat.mul e x.scale))
                  (minus frame.digit frame.width layout.count frame.rows (Nat.sub frame.digit 1) q p))
                  (minus frame.digit frame.width layout.count frame.rows (Nat.sub frame.digit 1) p q))
                  (Nat.shiftRight grid size)) (Nat.land grid (Nat.sub (Nat.pow 2 size) 1)))
            (Nat.add (Nat.mul e x.loss)
                (Nat.mul x.weight (Nat.mul layout.radius
                    (times frame.digit frame.width frame.rows n (Nat.add x.positive x.negative)
                      (ones frame.digit n))))))
            (Nat.mul e x.gain))
            (turned C frame.digit (Nat.mul a.rows a.columns)
                (joined C a.rows offset (Columns.flatten lanes))))
            (Nat.mul offset (times frame.digit frame.width (Nat.add frame.rows frame.rows) n swapped
                  (ones frame.digit n))))
            (Nat.mul offset (Nat.mul swapped (ones frame.digit a.rows))))
            (Nat.add x.negative (Nat.mul (Nat.pow 2 size) x.positive)))
            (Nat.add x.positive (Nat.mul (Nat.pow 2 size) x.negative))))
      (Nat.pow 2 d.bits)) (Nat.mul (Nat.mul frame.digit frame.width) frame.rows))
            (stepOf (Nat.mul a.rows a.positions) x.size d.bits)) (Nat.mul a.rows a.positions))
        (Nat.mul 32 a.lanes))
    (Prepared.columns a d)

theorem tally_mul (n c : Nat) (f : Nat → Nat) : (tally n fun j => f j * c) = c * tally n f := by
  induction n generalizing f with
  | zero => exact (Nat.mul_zero c).symm
  | succ n ih =>
    show f 0 * c + tally n (fun j => f (j + 1) * c) = c * (f 0 + tally n _)
    rw [ih (fun j => f (j + 1)), Nat.mul_add, Nat.mul_comm (f 0)]

theorem grid_swapped (b w n R : Nat) (f g : Nat → Nat → Nat) :
    grid b w n R g + 2 ^ (b * w * R) * grid b w n R f =
    grid b w n (R + R) fun r => stacked R f g (cond (Nat.ble R r) (r - R) (R + r)) := by
  refine Memory.pack_splice (h := fun r => pack b n (stacked R f g (cond (Nat.ble R r) (r - R) (R + r))))
    (fun r hr => ?_) (fun r hr => ?_)
  · rw [Memory.ble_false_of_lt hr]
    show pack b n (stacked R f g (R + r)) = _
    rw [stacked_second]
  · rw [Nat.ble_eq_true_of_le (Nat.le_add_right R r), Natural.add_sub_cancel_left]
    show pack b n (stacked R f g r) = _
    rw [stacked_first f g hr]

theorem convolve_sound [Prepared] {s : Scale} {frame : Frame} {slots goal : Nat → K} {a : Affine}
    {d : Decoding} {e error direct mirrored memory : Nat} {layout : Layout} {x : Batch} {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (zero : natural s.unit * slots 0 = 0)
    (hx : x.Holds s frame slots goal)
    (near : ∀ position i, position < a.positions → i < a.rows →
      ∀ c : K, natural (2 ^ (d.base - 1)) * c = a.form slots position i →
        AtMost (natural e * values s slots x.start (i + a.rows * position) - natural s.unit * c)
          (natural (digit (32 * a.lanes) error (i + a.rows * position))))
    (h : convolve s frame a d e error layout direct mirrored memory x next = true) :
    ∃ y : Batch, y.start = 0 ∧
      y.count = layout.count ∧
      y.HoldsOver frame (inPlace s slots layout.places) goal ∧
      next y = true := by
  unfold convolve at h
  rw [Prepared.columns_eq] at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
  rw [hd] at h
  simp only [force_eq] at h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hf, hc⟩ := both_true hc
  obtain ⟨c1, hc⟩ := both_true hc
  obtain ⟨c2, hc⟩ := both_true hc
  obtain ⟨c3, hc⟩ := both_true hc
  obtain ⟨c4, hc⟩ := both_true hc
  obtain ⟨c5, hc⟩ := both_true hc
  obtain ⟨c7, hc⟩ := both_true hc
  obtain ⟨c8, c9⟩ := both_true hc
  have ok := fits_sound hf
  have c1 : x.count = a.rows * a.positions := Nat.eq_of_beq_eq_true c1
  have c2 : 0 < a.rows := Nat.le_of_ble_eq_true c2
  have c3 : 0 < a.positions := Nat.le_of_ble_eq_true c3
  have c4 : frame.digit ≤ 32 * a.lanes := Nat.le_of_ble_eq_true c4
  have c5 : layout.count ≤ frame.width := Nat.le_of_ble_eq_true c5
  have c7 : stepOf (a.rows * a.positions) x.size d.bits < 2 ^ (frame.digit - 1) := Nat.le_of_ble_eq_true c7
  have c8 : a.columns * stepOf a.rows x.size d.bits < 2 ^ (frame.digit - 1) := Nat.le_of_ble_eq_true c8
  have radii := within_sound c9
  obtain ⟨hlen, ds, hp, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
  obtain ⟨f, g, c, l, p1, p2, p3, p4, hr⟩ := hx
  rw [c1] at p1 p2 hr
  have width : a.rows * a.positions ≤ frame.width := by rw [← c1]; exact ok.width
  have total : 0 < a.rows * a.positions := Nat.mul_pos c2 c3
  have rowPos : 0 < frame.width := Natural.lt_of_lt_of_le total width
  have one : a.rows ≤ a.rows * a.positions := by
    have e := Nat.mul_le_mul (Nat.le.refl (n := a.rows)) c3
    rw [Nat.mul_one] at e; exact e
  have sized : ∀ r,
      r < frame.rows + frame.rows → ∀ j, j < a.rows * a.positions → stacked frame.rows f g r j ≤ 2 ^ x.size :=
    stacked_all (P := fun v => ∀ j, j < a.rows * a.positions → v j ≤ 2 ^ x.size)
      (fun r hr' j hj => Natural.le_of_lt ((hr r hr').1 j hj).1)
      (fun r hr' j hj => Natural.le_of_lt ((hr r hr').1 j hj).2)
  have whole : x.positive.add ((Nat.pow 2 ((frame.digit.mul frame.width).mul frame.rows)).mul x.negative) =
      grid frame.digit frame.width (a.rows * a.positions) (frame.rows + frame.rows) (stacked frame.rows f g)
          := by
    rw [p1, p2]; exact grid_stacked _ _ _ _ _ _
  have swapped : x.negative.add ((Nat.pow 2 ((frame.digit.mul frame.width).mul frame.rows)).mul x.positive) =
      grid frame.digit frame.width (a.rows * a.positions) (frame.rows + frame.rows)
          fun r =>
          stacked frame.rows f g (cond (Nat.ble frame.rows r) (r - frame.rows) (frame.rows + r)) := by
    rw [p1, p2]; exact grid_swapped _ _ _ _ _ _
  have inDigit : stepOf (a.rows * a.positions) x.size d.bits < 2 ^ frame.digit :=
    Natural.lt_of_lt_of_le c7 (Natural.two_pow_le (Natural.sub_le _ _))
  have two : (2 : Nat) ≤ 2 ^ d.bits + 2 ^ d.bits :=
    Nat.add_le_add (Natural.two_pow_pos d.bits) (Natural.two_pow_pos d.bits)
  have part : ∀ y, y ≤ 2 → a.rows * a.positions * (2 ^ x.size * y) < 2 ^ frame.digit := fun y hy => by
    refine Natural.lt_of_le_of_lt (Nat.le_trans ?_ (Nat.le_add_right _ _)) inDigit
    exact Nat.mul_le_mul Nat.le.refl (Nat.mul_le_mul Nat.le.refl (Nat.le_trans hy two))
  have base : times frame.digit frame.width (frame.rows.add frame.rows) (a.rows * a.positions)
        (grid frame.digit frame.width (a.rows * a.positions) (frame.rows + frame.rows)
            fun r => stacked frame.rows f g (cond (Nat.ble frame.rows r) (r - frame.rows) (frame.rows + r)))
        (ones frame.digit (a.rows * a.positions)) =
      side frame.digit frame.width (frame.rows + frame.rows) fun r => tally (a.rows * a.positions)
          (stacked frame.rows f g (cond (Nat.ble frame.rows r) (r - frame.rows) (frame.rows + r))) := by
    have t := times_turned (R := frame.rows + frame.rows) (v := fun _ => 1) total width ok.digit
      (fun r hr' j hj => sized _ (swap_lt hr') j hj) (fun _ _ => Nat.le.refl)
      (part 1 (Nat.le.step Nat.le.refl))
    rw [← ones_eq ok.digit] at t
    exact t.trans (side_congr fun r _ => tally_congr fun j _ => Natural.mul_one _)
  have charge : times frame.digit frame.width frame.rows (a.rows * a.positions) (x.positive.add x.negative)
    (ones frame.digit (a.rows * a.positions)) =
      side frame.digit frame.width frame.rows fun r =>
          tally (a.rows * a.positions) fun j => f r j + g r j := by
    have sumsTo : x.positive.add x.negative =
        grid frame.digit frame.width (a.rows * a.positions) frame.rows fun r j => f r j + g r j := by
      rw [p1, p2]; exact (grid_add _ _ _ _ _ _).symm
    have t := times_turned (R := frame.rows) (f := fun r j => f r j + g r j) (a := 2 ^ x.size * 2)
      (v := fun _ => 1) total width ok.digit (fun r hr' j hj => by
        rw [Nat.mul_comm, Natural.two_mul]
        exact Nat.add_le_add (Natural.le_of_lt ((hr r hr').1 j hj).1)
          (Natural.le_of_lt ((hr r hr').1 j hj).2)) (fun _ _ => Nat.le.refl)
      (by rw [Natural.mul_one]; exact part 2 Nat.le.refl)
    rw [← ones_eq ok.digit, ← sumsTo] at t
    exact t.trans (side_congr fun r _ => tally_congr fun j _ => Natural.mul_one _)
  have size1 : a.rows.mul a.positions = a.rows * a.positions := rfl
  rw [size1, whole, swapped, base, charge, p3, p4] at h
  have mult : Multiplies ⟨frame, 0, 0, x.weight⟩ (32 * a.lanes) a.rows x.size d.bits (2 ^ d.bits)
      (grid frame.digit frame.width a.rows (frame.rows + frame.rows) (stacked frame.rows f g))
      (side frame.digit frame.width (frame.rows + frame.rows) fun r =>
        2 ^ d.bits * tally a.rows
            (stacked frame.rows f g (cond (Nat.ble frame.rows r) (r - frame.rows) (frame.rows + r))))
      (stepOf a.rows x.size d.bits) (stacked frame.rows f g) :=
    ⟨ok.digit, rowPos, c2, Nat.le_trans one width, c4, rfl,
        fun r hr' j hj => sized r hr' j (Nat.le_trans hj one), rfl, rfl,
        Natural.lt_of_le_of_lt (Nat.add_le_add (Nat.mul_le_mul one Nat.le.refl)
          (Nat.mul_le_mul Nat.le.refl (Nat.mul_le_mul one Nat.le.refl))) c7, rfl⟩
  have conv : Convolves ⟨⟨frame, 0, 0, x.weight⟩, a.rows, a.positions, a.columns, layout.count, layout.places,
        grid frame.digit frame.width (a.rows * a.positions) (frame.rows + frame.rows)
          (stacked frame.rows f g),
        2 ^ d.bits * (grid frame.digit frame.width (a.rows * a.positions) (frame.rows + frame.rows)
                (fun r =>
                  stacked frame.rows f g (cond (Nat.ble frame.rows r) (r - frame.rows) (frame.rows + r))) *
              ones frame.digit a.rows),
        2 ^ d.bits * (side frame.digit frame.width (frame.rows + frame.rows) fun r =>
              tally (a.rows * a.positions)
              (stacked frame.rows f g (cond (Nat.ble frame.rows r) (r - frame.rows) (frame.rows + r)))),
        Relaxation.turned (32 * a.lanes) frame.digit (a.rows * a.columns)
          (joined (32 * a.lanes) a.rows (2 ^ d.bits) (Columns.flatten lanes))⟩
      (32 * a.lanes) x.size d.bits (2 ^ d.bits) (stepOf (a.rows * a.positions) x.size d.bits) ds
          (stacked frame.rows f g) := by
    refine
      ⟨ok.digit, rowPos, c2, c3, width, rfl, sized, rfl, c7, rfl, (side_mul _ _ _ _ _).symm, fun k hk => ?_⟩
    obtain ⟨t1, t2, _, _⟩ := turned_columns mult hp hlen hk
    exact ⟨t1, fun i hi => ⟨(t2 i hi).1, Nat.le_trans (t2 i hi).2.2 (Nat.le_add_left _ _)⟩⟩
  have gains : e.mul (side frame.digit frame.width frame.rows c) =
    side frame.digit frame.width frame.rows fun r => e * c r := (side_mul _ _ _ _ _).symm
  have losses : (e.mul (side frame.digit frame.width frame.rows l)).add
    (x.weight.mul (layout.radius.mul (side frame.digit frame.width frame.rows fun r =>
        tally (a.rows * a.positions) fun j => f r j + g r j))) =
      side frame.digit frame.width frame.rows fun r =>
          e * l r + x.weight * (layout.radius * tally (a.rows * a.positions) fun j => f r j + g r j) := by
    rw [side_add, side_mul, side_mul, side_mul]; rfl
  rw [gains, losses] at h
  obtain ⟨grid', gain', loss', A, c', l', ⟨z1, z2, z3, z4, z5⟩, h⟩ :=
    convolved_sound (goal := fun r => natural e * (natural x.scale * goal r)) (low := 0)
    (limit := e * x.limit + x.weight * (layout.radius * (a.rows * a.positions * (2 * 2 ^ x.size))))
      (A := fun _ _ => 0) (c := fun r => e * c r)
    (d := fun r => e * l r + x.weight * (layout.radius * tally (a.rows * a.positions) fun j => f r j + g r j))
      ok.half sf hm conv c5 zero rfl a.columns 0 (Nat.zero_add _) a.sources
    layout.shifts 0 _ _ (by
      refine ⟨(grid_zero _ _ _ _).symm, rfl, rfl, fun r _ j => Nat.zero_le _, fun r hr' => ?_⟩
      have hr' : r < frame.rows := hr'
      obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
      refine ⟨Nat.le_trans (Nat.mul_le_mul Nat.le.refl q2) (Nat.le_add_right _ _),
          Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q3)
          (Nat.mul_le_mul Nat.le.refl (Nat.mul_le_mul Nat.le.refl ?_)), ?_⟩
      · refine tally_le fun j hj => ?_
        rw [Natural.two_mul]
        exact Nat.add_le_add (Natural.le_of_lt (q1 j hj).1) (Natural.le_of_lt (q1 j hj).2)
      · have b := form_near (K := K) (m := a.rows * a.positions) (e := e) (p := f r) (q := g r)
          (error := fun _ => layout.radius)
          (y := values s slots x.start) (c := fun j => natural s.unit *
              Linear.combination slots ds (fun k => word a.sources (a.columns * (j / a.rows) + k))
                (j % a.rows)) (fun j hj => by
            have hj' : j / a.rows < a.positions := Natural.div_lt c2 hj
            have k := near (j / a.rows) (j % a.rows) hj' (Natural.mod_lt c2 j) _
              (hform slots (j / a.rows) (j % a.rows) (Natural.mod_lt c2 j))
            rw [Natural.mod_add_div c2 j] at k
            exact ⟨le_trans k.1 (natural_le (radii j hj)), le_trans k.2 (natural_le (radii j hj))⟩)
        have all := toCome_all (s := s) (slots := slots) (sources := a.sources) conv
          (by rw [← hlen]; exact (Columns.packed_length _ _ hp).symm) hr'
        have f1 : stacked frame.rows f g r = f r := stacked_first f g hr'
        have f2 : stacked frame.rows f g (frame.rows + r) = g r := stacked_second frame.rows f g r
        have mass : (tally (a.rows * a.positions) fun j => (f r j + g r j) * layout.radius) =
            layout.radius * tally (a.rows * a.positions) fun j => f r j + g r j :=
          tally_mul _ _ _
        rw [mass] at b
        have b := mul_le_left (natural_nonneg (K := K) x.weight) b
        have q4 := mul_le_left (natural_nonneg (K := K) e) q4
        refine le_trans (le_of_eq (congrArg (fun y => natural x.weight *
                  (form layout.count (fun _ => 0) (fun _ => 0) (inPlace s slots layout.places) + y) +
                natural (e * c r)) all)) ?_
        show natural x.weight * (form layout.count (fun _ => 0) (fun _ => 0) _ +
                  form (a.rows * a.positions) (stacked frame.rows f g r)
                    (stacked frame.rows f g (frame.rows + r)) _) + natural (e * c r) ≤
          natural e * (natural x.scale * goal r) + natural (e * l r + x.weight * _)
        rw [f1, f2, form_zero, zero_add, natural_add, natural_mul e, natural_mul e, natural_mul x.weight]
        refine le_cert ?_ (add_nonneg (sub_nonneg b) (sub_nonneg q4))
        exact (ring8 K o e l t m v c w, e * o + (e * l + t * m) - (t * v + e * c),
            t * (e * w + m) - t * v + (e * (o + l) - e * (t * w + c))) _ _ _ _ _ _ _ _) h
  have z1 : grid' = grid frame.digit frame.width layout.count (frame.rows + frame.rows) A := z1
  have z2 : gain' = side frame.digit frame.width frame.rows c' := z2
  have z3 : loss' = side frame.digit frame.width frame.rows l' := z3
  have z4 : ∀ r, r < frame.rows + frame.rows → ∀ j, A r j < 2 ^ (frame.digit - 1) := fun r hr' j => by
    have q := z4 r hr' j
    rw [Nat.zero_add] at q
    exact Natural.lt_of_le_of_lt q c8
  have first_lt :
    ∀ r, r < frame.rows → r < frame.rows + frame.rows := fun r hr' => Nat.le_trans hr' (Nat.le_add_right _ _)
  have second_lt : ∀ r, r < frame.rows → frame.rows + r < frame.rows + frame.rows :=
    fun r hr' => Nat.add_le_add (Nat.le.refl (n := frame.rows)) hr'
  have digitLt : ∀ {v : Nat}, v < 2 ^ (frame.digit - 1) → v < 2 ^ frame.digit :=
    fun h => Natural.lt_of_lt_of_le h (Natural.two_pow_le (Natural.sub_le _ _))
  have rowLt : ∀ r,
      r < frame.rows → pack frame.digit layout.count (A r) < 2 ^ (frame.digit * frame.width) := fun r hr' =>
    row_lt c5 fun j _ => digitLt (z4 r (first_lt r hr') j)
  have part1 : Nat.land grid' ((Nat.pow 2 ((frame.digit.mul frame.width).mul frame.rows)).sub 1) =
      grid frame.digit frame.width layout.count frame.rows A := by
    rw [z1]; exact land_pack_append rowLt
  have part2 : Nat.shiftRight grid' ((frame.digit.mul frame.width).mul frame.rows) =
      grid frame.digit frame.width layout.count frame.rows fun r => A (frame.rows + r) := by
    rw [z1]; exact shift_pack_append rowLt
  have m1 : minus frame.digit frame.width layout.count frame.rows (Nat.sub frame.digit 1)
    (grid frame.digit frame.width layout.count frame.rows A)
      (grid frame.digit frame.width layout.count frame.rows fun r => A (frame.rows + r)) = _ :=
    minus_eq c5 (Natural.le_of_eq (Natural.succ_pred ok.digit)) (fun r hr' j _ => z4 r (first_lt r hr') j)
      (fun r hr' j _ => z4 _ (second_lt r hr') j)
  have m2 : minus frame.digit frame.width layout.count frame.rows (Nat.sub frame.digit 1)
    (grid frame.digit frame.width layout.count frame.rows fun r => A (frame.rows + r))
      (grid frame.digit frame.width layout.count frame.rows A) = _ :=
    minus_eq c5 (Natural.le_of_eq (Natural.succ_pred ok.digit)) (fun r hr' j _ => z4 _ (second_lt r hr') j)
      (fun r hr' j _ => z4 r (first_lt r hr') j)
  rw [part1, part2, m1, m2, z2, z3] at h
  refine ⟨_, rfl, rfl, ?_, h⟩
  refine ⟨_, _, c', l', rfl, rfl, rfl, rfl, fun r hr' => ?_⟩
  obtain ⟨y1, y2, y3⟩ := z5 r hr'
  refine ⟨fun j _ => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _) (z4 r (first_lt r hr') j),
        Natural.lt_of_le_of_lt (Natural.sub_le _ _) (z4 _ (second_lt r hr') j)⟩, y1, y2, ?_⟩
  have y3 : natural x.weight *
        (form layout.count (A r) (A (frame.rows + r)) (inPlace s slots layout.places) + 0) + natural (c' r) ≤
    natural e * (natural x.scale * goal r) + natural (l' r) := y3
  rw [add_zer] at y3
  show natural x.weight * form layout.count (fun j => A r j - A (frame.rows + r) j)
          (fun j => A (frame.rows + r) j - A r j) (inPlace s slots layout.places) + natural (c' r) ≤
    natural (e * x.scale) * goal r + natural (l' r)
  rw [form_cancel, natural_mul e, mul_assoc]
  exact y3

end Relaxation
end PytestTorchLean
