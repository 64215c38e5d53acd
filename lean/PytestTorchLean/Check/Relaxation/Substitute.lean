prelude
import PytestTorchLean.Check.Relaxation.ByRows
/-!
# An affine node substituted into a batch
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- Rows of `f`, then rows of `g`. -/
def stacked (R : Nat) (f g : Nat → Nat → Nat) (r : Nat) : Nat → Nat := cond (Nat.ble R r) (g (r - R)) (f r)
theorem stacked_first {R : Nat} (f g : Nat → Nat → Nat) {r : Nat} (h : r < R) : stacked R f g r = f r := by
  unfold stacked; rw [Memory.ble_false_of_lt h]; rfl
theorem stacked_second (R : Nat) (f g : Nat → Nat → Nat) (r : Nat) : stacked R f g (R + r) = g r := by
  unfold stacked; rw [Nat.ble_eq_true_of_le (Nat.le_add_right R r), Natural.add_sub_cancel_left]; rfl
theorem stacked_all {R : Nat} {f g : Nat → Nat → Nat} {P : (Nat → Nat) → Prop} (hf : ∀ r, r < R → P (f r))
    (hg : ∀ r, r < R → P (g r)) :
    ∀ r, r < R + R → P (stacked R f g r) := by
  intro r hr
  cases Natural.le_or_lt R r with
  | inl h =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le h
    rw [stacked_second]; exact hg k (Memory.lt_of_add_lt hr)
  | inr h => rw [stacked_first f g h]; exact hf r h
theorem grid_stacked (b w n R : Nat) (f g : Nat → Nat → Nat) :
    grid b w n R f + 2 ^ (b * w * R) * grid b w n R g = grid b w n (R + R) (stacked R f g) :=
  Memory.pack_splice (h := fun r => pack b n (stacked R f g r)) (fun r hr => by rw [stacked_first f g hr])
    (fun r _ => by rw [stacked_second])

/-- The errors of all rows: what the coefficients in the batch make of them. -/
def charged (frame : Frame) (C m x error : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.beq error 0)
    (dots frame.digit frame.width frame.rows C x m 0 error) 0

/-- Largest coefficient that a column can get. -/
def stepOf (m size bits : Nat) : Nat :=
  Nat.add (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.add (Nat.pow 2 bits) (Nat.pow 2 bits))))
    (Nat.mul (Nat.pow 2 bits) (Nat.mul m (Nat.pow 2 size)))

/-- The batch over the slots `first`, ..., that an affine node with one position reads. The node's values
    times `e` are the decoded rows. -/
def through [Prepared] (s : Scale) (frame : Frame) (a : Affine) (d : Decoding)
    (e error first n direct mirrored memory : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false (fun lanes =>
      force (fun C => force (fun step => force (fun size => force (fun offset =>
        both (both (framed s frame x)
            (both (Nat.beq x.count a.rows)
              (both (Nat.beq a.positions 1) (both (Nat.ble 1 a.rows) (both (Nat.ble frame.digit C)
            (both (Nat.ble n frame.width) 
              (both (Nat.ble (Nat.succ step) (Nat.pow 2 (Nat.sub frame.digit 1)))
                            (Nat.ble (Nat.succ error) (Nat.pow 2 (Nat.mul C a.rows))))))))))
          (force (fun whole => force (fun sums => force (fun base => force (fun gain => force (fun loss =>
              allSwept s ⟨frame, first, n, x.weight⟩ a d C offset whole base direct mirrored memory lanes gain
                  loss fun grid gain' loss' =>
                force (fun p => force (fun q =>
                      force (fun positive => force (fun negative => force (fun scale => force (fun limit =>
                    next ⟨scale, x.weight, limit, first, n, Nat.sub frame.digit 1, positive, negative, gain',
                        loss'⟩)
                  (Nat.add (Nat.add (Nat.mul e x.limit)
                        (Nat.mul x.weight
                          (Nat.mul a.rows (Nat.mul (Nat.mul 2 (Nat.pow 2 x.size)) (Nat.pow 2 C)))))
                      (Nat.mul a.lanes
                        (Nat.mul a.laneColumns (Nat.mul x.weight (Nat.mul step (Nat.add s.top s.top)))))))
                  (Nat.mul e x.scale))
                  (minus frame.digit frame.width n frame.rows (Nat.sub frame.digit 1) q p))
                  (minus frame.digit frame.width n frame.rows (Nat.sub frame.digit 1) p q))
                  (Nat.shiftRight grid size)) (Nat.land grid (Nat.sub (Nat.pow 2 size) 1)))
            (Nat.add (Nat.mul e x.loss)
                (Nat.mul x.weight (charged frame C a.rows (Nat.add x.positive x.negative) error))))
            (Nat.mul e x.gain))
            (Nat.mul offset (Nat.add (Nat.shiftRight sums size)
                  (Nat.mul (Nat.pow 2 size) (Nat.land sums (Nat.sub (Nat.pow 2 size) 1))))))
            (times frame.digit frame.width (Nat.add frame.rows frame.rows) a.rows whole
                (ones frame.digit a.rows)))
            (Nat.add x.positive (Nat.mul (Nat.pow 2 size) x.negative))))
      (Nat.pow 2 d.bits)) (Nat.mul (Nat.mul frame.digit frame.width) frame.rows))
          (stepOf a.rows x.size d.bits)) (Nat.mul 32 a.lanes))
    (Prepared.columns a d)

theorem charged_eq {frame : Frame} {C m error : Nat} {f : Nat → Nat → Nat}
    (hw : m ≤ frame.width)
    (hb : 0 < frame.digit)
    (hf : ∀ r, r < frame.rows → ∀ j, j < m → f r j < 2 ^ frame.digit)
    (he : error < 2 ^ (C * m)) :
    charged frame C m (grid frame.digit frame.width m frame.rows f) error =
    side frame.digit frame.width frame.rows fun r => tally m fun j => f r j * digit C error j := by
  unfold charged
  cases z : Nat.beq error 0 with
  | false =>
    have e := dots_eq (d := C) (v := digit C error) hw hb hf (fun k _ => digit_lt C error k)
    rw [← pack_digits m error he] at e
    exact e
  | true =>
    have z := Nat.eq_of_beq_eq_true z
    subst z
    have zero : ∀ j, digit C 0 j = 0 := fun j => by
      show 0 / 2 ^ _ % 2 ^ _ = 0
      rw [Natural.div_eq_zero (Natural.two_pow_pos _)]
      exact Natural.mod_eq_self (Natural.two_pow_pos _)
    refine (side_zero frame.digit frame.width frame.rows).symm.trans (side_congr fun r _ => ?_)
    refine (Nat.eq_zero_of_le_zero ?_).symm
    refine Nat.le_trans (tally_le (c := 0) fun j _ => ?_) (Natural.le_of_eq (Nat.mul_zero m))
    rw [zero, Nat.mul_zero]; exact Nat.le.refl

theorem through_sound [Prepared] {s : Scale} {frame : Frame} {slots goal v : Nat → K} {a : Affine}
    {d : Decoding} {e error first n direct mirrored memory : Nat} {x : Batch} {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hx : x.HoldsOver frame v goal)
    (near : a.positions = 1 →
      ∀ i, i < a.rows →
        ∀ c : K, natural (2 ^ (d.base - 1)) * c = a.form slots 0 i →
          AtMost (natural e * v i - natural s.unit * c) (natural (digit (32 * a.lanes) error i)))
    (h : through s frame a d e error first n direct mirrored memory x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  unfold through at h
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
  obtain ⟨c7, c8⟩ := both_true hc
  have ok := framed_sound hf
  have c1 := Nat.eq_of_beq_eq_true c1
  have c2 := Nat.eq_of_beq_eq_true c2
  have c3 : 0 < a.rows := Nat.le_of_ble_eq_true c3
  have c4 : frame.digit ≤ 32 * a.lanes := Nat.le_of_ble_eq_true c4
  have c5 : n ≤ frame.width := Nat.le_of_ble_eq_true c5
  have c7 : stepOf a.rows x.size d.bits < 2 ^ (frame.digit - 1) := Nat.le_of_ble_eq_true c7
  have c8 : error < 2 ^ (32 * a.lanes * a.rows) := Nat.le_of_ble_eq_true c8
  obtain ⟨hlen, ds, hp, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
  have holds := decode_sound hd
  have even := even_lanes lanes 0 holds
  have count : lanes.length = a.lanes := by
    have e := (Columns.lanes_digits (K := K) lanes 0 holds).1
    rw [Nat.zero_add] at e; exact e
  obtain ⟨f, g, c, l, p1, p2, p3, p4, hr⟩ := hx
  rw [c1] at p1 p2 hr
  have width : a.rows ≤ frame.width := by rw [← c1]; exact ok.width
  have rowPos : 0 < frame.width := by
    exact Natural.lt_of_lt_of_le c3 width
  have fw : ∀ r, r < frame.rows →
    ∀ j, j < a.rows → f r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).1
  have gw : ∀ r, r < frame.rows →
    ∀ j, j < a.rows → g r j < 2 ^ frame.digit := fun r hr' j hj => ok.wide ((hr r hr').1 j hj).2
  have sized : ∀ r, r < frame.rows + frame.rows → ∀ j, j < a.rows → stacked frame.rows f g r j < 2 ^ x.size :=
    stacked_all (P := fun v => ∀ j, j < a.rows → v j < 2 ^ x.size) (fun r hr' j hj => ((hr r hr').1 j hj).1)
      (fun r hr' j hj => ((hr r hr').1 j hj).2)
  have whole : x.positive.add ((Nat.pow 2 ((frame.digit.mul frame.width).mul frame.rows)).mul x.negative) =
      grid frame.digit frame.width a.rows (frame.rows + frame.rows) (stacked frame.rows f g) := by
    rw [p1, p2]; exact grid_stacked _ _ _ _ _ _
  rw [whole] at h
  have unitLt : a.rows * (2 ^ x.size * 1) < 2 ^ frame.digit := by
    refine Natural.lt_of_le_of_lt ?_ (Natural.lt_of_lt_of_le c7 (Natural.two_pow_le (Natural.sub_le _ _)))
    refine Nat.le_trans ?_ (Nat.le_add_right _ _)
    refine Nat.mul_le_mul Nat.le.refl (Nat.mul_le_mul Nat.le.refl ?_)
    exact Nat.le_trans (Natural.two_pow_pos d.bits) (Nat.le_add_right _ _)
  have sums : times frame.digit frame.width (frame.rows.add frame.rows) a.rows
    (grid frame.digit frame.width a.rows (frame.rows + frame.rows) (stacked frame.rows f g))
      (ones frame.digit a.rows) =
          side frame.digit frame.width (frame.rows + frame.rows) fun r =>
            tally a.rows (stacked frame.rows f g r) := by
    have t := times_turned (R := frame.rows + frame.rows) (v := fun _ => 1) c3 width ok.digit
      (fun r hr' j hj => Natural.le_of_lt (sized r hr' j hj)) (fun _ _ => Nat.le.refl) unitLt
    rw [← ones_eq ok.digit] at t
    refine t.trans (side_congr fun r _ => tally_congr fun j _ => Natural.mul_one _)
  have sumLt : ∀ r, r < frame.rows + frame.rows →
      tally a.rows (stacked frame.rows f g r) < 2 ^ (frame.digit * frame.width) := fun r hr' => by
    have t : tally a.rows (stacked frame.rows f g r) ≤ a.rows * (2 ^ x.size * 1) :=
      tally_le fun j hj => by rw [Nat.mul_one]; exact Natural.le_of_lt (sized r hr' j hj)
    refine Natural.lt_of_lt_of_le (Natural.lt_of_le_of_lt t unitLt) (Natural.two_pow_le ?_)
    have e := Nat.mul_le_mul (Nat.le.refl (n := frame.digit)) rowPos
    rw [Nat.mul_one] at e; exact e
  have first_lt :
    ∀ r, r < frame.rows → r < frame.rows + frame.rows := fun r hr' => Nat.le_trans hr' (Nat.le_add_right _ _)
  have low : Nat.land
    (side frame.digit frame.width (frame.rows + frame.rows) fun r => tally a.rows (stacked frame.rows f g r))
      ((Nat.pow 2 ((frame.digit.mul frame.width).mul frame.rows)).sub 1) =
          side frame.digit frame.width frame.rows fun r => tally a.rows (stacked frame.rows f g r) :=
    land_pack_append (fun r hr' => sumLt r (first_lt r hr'))
  have high : Nat.shiftRight
    (side frame.digit frame.width (frame.rows + frame.rows) fun r => tally a.rows (stacked frame.rows f g r))
      ((frame.digit.mul frame.width).mul frame.rows) =
          side frame.digit frame.width frame.rows
            fun r => tally a.rows (stacked frame.rows f g (frame.rows + r)) :=
    shift_pack_append (fun r hr' => sumLt r (first_lt r hr'))
  rw [sums, low, high] at h
  have base : (Nat.pow 2 d.bits).mul ((side frame.digit frame.width frame.rows
        fun r => tally a.rows (stacked frame.rows f g (frame.rows + r))).add
        ((Nat.pow 2 ((frame.digit.mul frame.width).mul frame.rows)).mul
            (side frame.digit frame.width frame.rows fun r => tally a.rows (stacked frame.rows f g r)))) =
      side frame.digit frame.width (frame.rows + frame.rows) fun r =>
        2 ^ d.bits * tally a.rows
              (stacked frame.rows f g (cond (Nat.ble frame.rows r) (r - frame.rows) (frame.rows + r))) := by
    rw [side_mul]
    refine congrArg (fun y => 2 ^ d.bits * y) ?_
    refine Memory.pack_splice
      (h := fun r =>
        tally a.rows (stacked frame.rows f g (cond (Nat.ble frame.rows r) (r - frame.rows) (frame.rows + r))))
      (fun r hr' => ?_) (fun r _ => ?_)
    · rw [Memory.ble_false_of_lt hr']; rfl
    · rw [Nat.ble_eq_true_of_le (Nat.le_add_right frame.rows r), Natural.add_sub_cancel_left]; rfl
  rw [base] at h
  have sumsTo : x.positive.add x.negative =
      grid frame.digit frame.width a.rows frame.rows fun r j => f r j + g r j := by
    rw [p1, p2]; exact (grid_add _ _ _ _ _ _).symm
  have twice : ∀ r, r < frame.rows → ∀ j, j < a.rows → f r j + g r j < 2 ^ frame.digit := fun r hr' j hj => by
    obtain ⟨a1, a2⟩ := (hr r hr').1 j hj
    refine Natural.lt_of_lt_of_le ?_ (Natural.two_pow_le ok.size)
    have e : 2 ^ (x.size + 1) = 2 ^ x.size + 2 ^ x.size := by rw [Natural.pow_succ, Natural.two_mul]
    rw [e]
    have sum := Nat.add_le_add a1 (Natural.le_of_lt a2)
    rw [Nat.succ_add] at sum
    exact sum
  have charge : charged frame (Nat.mul 32 a.lanes) a.rows
        (grid frame.digit frame.width a.rows frame.rows fun r j => f r j + g r j) error = _ :=
    charged_eq width ok.digit twice c8
  rw [sumsTo, charge, p3, p4] at h
  have mult : Multiplies ⟨frame, first, n, x.weight⟩ (32 * a.lanes) a.rows x.size d.bits (2 ^ d.bits)
      (grid frame.digit frame.width a.rows (frame.rows + frame.rows) (stacked frame.rows f g))
      (side frame.digit frame.width (frame.rows + frame.rows) fun r =>
        2 ^ d.bits * tally a.rows
            (stacked frame.rows f g (cond (Nat.ble frame.rows r) (r - frame.rows) (frame.rows + r))))
      (stepOf a.rows x.size d.bits) (stacked frame.rows f g) :=
    ⟨ok.digit, rowPos, c3, width, c4, rfl, fun r hr' j hj => Natural.le_of_lt (sized r hr' j hj), rfl, rfl,
        c7, rfl⟩
  have gains : e.mul (side frame.digit frame.width frame.rows c) =
    side frame.digit frame.width frame.rows fun r => e * c r := (side_mul _ _ _ _ _).symm
  have losses : (e.mul (side frame.digit frame.width frame.rows l)).add
    (x.weight.mul (side frame.digit frame.width frame.rows fun r =>
        tally a.rows fun j => (f r j + g r j) * digit (Nat.mul 32 a.lanes) error j)) =
      side frame.digit frame.width frame.rows fun r =>
          e * l r + x.weight * tally a.rows fun j => (f r j + g r j) * digit (32 * a.lanes) error j := by
    rw [side_add, side_mul, side_mul]; rfl
  rw [gains, losses] at h
  have start : Swept s ⟨frame, first, n, x.weight⟩ slots (fun r => natural e * (natural x.scale * goal r))
      (fun r => form a.rows (stacked frame.rows f g r) (stacked frame.rows f g (frame.rows + r))
            (fun i => natural s.unit * Linear.combination slots ds (word a.sources) i) + 0)
      0 (stepOf a.rows x.size d.bits)
        (e * x.limit + x.weight * (a.rows * ((2 * 2 ^ x.size) * 2 ^ (32 * a.lanes)))) 0 0
      (side frame.digit frame.width frame.rows fun r => e * c r)
      (side frame.digit frame.width frame.rows
          fun r => e * l r + x.weight * tally a.rows fun j => (f r j + g r j) * digit (32 * a.lanes) error j)
      (fun _ _ => 0) (fun r => e * c r)
          (fun r => e * l r + x.weight * tally a.rows fun j => (f r j + g r j) * digit (32 * a.lanes) error j)
          := by
    refine ⟨(grid_zero _ _ _ _).symm, rfl, rfl, fun r _ j => ⟨Nat.zero_le _, fun _ => Nat.le.refl⟩,
        fun r hr' => ?_⟩
    have hr' : r < frame.rows := hr'
    obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
    refine ⟨Nat.le_trans (Nat.mul_le_mul Nat.le.refl q2) (Nat.le_add_right _ _),
        Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q3) (Nat.mul_le_mul Nat.le.refl ?_), ?_⟩
    · refine tally_le fun j hj => Nat.mul_le_mul ?_ (Natural.le_of_lt (digit_lt _ _ _))
      rw [Natural.two_mul]
      exact Nat.add_le_add (Natural.le_of_lt (q1 j hj).1) (Natural.le_of_lt (q1 j hj).2)
    · have b := form_near (K := K) (m := a.rows) (e := e) (p := f r) (q := g r)
        (error := fun j => digit (32 * a.lanes) error j)
        (y := v) (c := fun i => natural s.unit * Linear.combination slots ds (word a.sources) i)
          (fun i hi => by
          have k := near c2 i hi (Linear.combination slots ds (fun k => word a.sources (a.columns * 0 + k)) i)
            (hform slots 0 i hi)
          have e1 : (fun k => word a.sources (a.columns * 0 + k)) = word a.sources := funext fun k => by
            show word a.sources (0 + k) = _
            rw [Nat.zero_add]
          rw [e1] at k
          exact k)
      have b := mul_le_left (natural_nonneg (K := K) x.weight) b
      have q4 := mul_le_left (natural_nonneg (K := K) e) q4
      have f1 : stacked frame.rows f g r = f r := stacked_first f g hr'
      have f2 : stacked frame.rows f g (frame.rows + r) = g r := stacked_second frame.rows f g r
      show natural x.weight * (form n (fun _ => 0) (fun _ => 0) _ +
                (form a.rows (stacked frame.rows f g r) (stacked frame.rows f g (frame.rows + r)) _ + 0)) +
          natural (e * c r) ≤ natural e * (natural x.scale * goal r) + natural (e * l r + x.weight * _)
      rw [f1, f2, form_zero, add_zer, zero_add, natural_add, natural_mul e, natural_mul e,
          natural_mul x.weight]
      refine le_cert ?_ (add_nonneg (sub_nonneg b) (sub_nonneg q4))
      exact (ring8 K o e l t m v c w, e * o + (e * l + t * m) - (t * v + e * c),
          t * (e * w + m) - t * v + (e * (o + l) - e * (t * w + c))) _ _ _ _ _ _ _ _
  obtain ⟨cursor', grid', gain', loss', A, c', l', fin, h⟩ :=
    allSwept_sound ok.half sf hm mult 0 hd hp even hlen count _ _ _ _ start h
  obtain ⟨z1, z2, z3, z4, z5⟩ := fin
  have z1 : grid' = grid frame.digit frame.width n (frame.rows + frame.rows) A := z1
  have z2 : gain' = side frame.digit frame.width frame.rows c' := z2
  have z3 : loss' = side frame.digit frame.width frame.rows l' := z3
  have z4 : ∀ r, r < frame.rows + frame.rows → ∀ j, A r j < 2 ^ (frame.digit - 1) := fun r hr' j => by
    have q := (z4 r hr' j).1
    rw [Nat.zero_add] at q
    exact Natural.lt_of_le_of_lt q c7
  have digitLt : ∀ {v : Nat}, v < 2 ^ (frame.digit - 1) → v < 2 ^ frame.digit :=
    fun h => Natural.lt_of_lt_of_le h (Natural.two_pow_le (Natural.sub_le _ _))
  have rowLt :
      ∀ r, r < frame.rows → pack frame.digit n (A r) < 2 ^ (frame.digit * frame.width) := fun r hr' =>
    row_lt c5 fun j _ => digitLt (z4 r (first_lt r hr') j)
  have part1 : Nat.land grid' ((Nat.pow 2 ((frame.digit.mul frame.width).mul frame.rows)).sub 1) =
      grid frame.digit frame.width n frame.rows A := by
    rw [z1]; exact land_pack_append rowLt
  have part2 : Nat.shiftRight grid' ((frame.digit.mul frame.width).mul frame.rows) =
      grid frame.digit frame.width n frame.rows fun r => A (frame.rows + r) := by
    rw [z1]; exact shift_pack_append rowLt
  have second_lt : ∀ r, r < frame.rows → frame.rows + r < frame.rows + frame.rows :=
    fun r hr' => Nat.add_le_add (Nat.le.refl (n := frame.rows)) hr'
  have m1 : minus frame.digit frame.width n frame.rows (Nat.sub frame.digit 1)
    (grid frame.digit frame.width n frame.rows A)
      (grid frame.digit frame.width n frame.rows fun r => A (frame.rows + r)) = _ :=
    minus_eq c5 (Natural.le_of_eq (Natural.succ_pred ok.digit)) (fun r hr' j _ => z4 r (first_lt r hr') j)
      (fun r hr' j _ => z4 _ (second_lt r hr') j)
  have m2 : minus frame.digit frame.width n frame.rows (Nat.sub frame.digit 1)
    (grid frame.digit frame.width n frame.rows fun r => A (frame.rows + r))
      (grid frame.digit frame.width n frame.rows A) = _ :=
    minus_eq c5 (Natural.le_of_eq (Natural.succ_pred ok.digit)) (fun r hr' j _ => z4 _ (second_lt r hr') j)
      (fun r hr' j _ => z4 r (first_lt r hr') j)
  rw [part1, part2, m1, m2, z2, z3] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, c', l', rfl, rfl, rfl, rfl, fun r hr' => ?_⟩
  obtain ⟨y1, y2, y3⟩ := z5 r hr'
  rw [count] at y1 y2
  refine ⟨fun j _ => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _) (z4 r (first_lt r hr') j),
        Natural.lt_of_le_of_lt (Natural.sub_le _ _) (z4 _ (second_lt r hr') j)⟩, y1, y2, ?_⟩
  have y3 : natural x.weight * (form n (A r) (A (frame.rows + r)) (values s slots first) + 0) +
      natural (c' r) ≤ natural e * (natural x.scale * goal r) + natural (l' r) := y3
  rw [add_zer] at y3
  show natural x.weight * form n (fun j => A r j - A (frame.rows + r) j)
          (fun j => A (frame.rows + r) j - A r j) (values s slots first) + natural (c' r) ≤
    natural (e * x.scale) * goal r + natural (l' r)
  rw [form_cancel, natural_mul e, mul_assoc]
  exact y3

end Relaxation
end PytestTorchLean
