prelude
import PytestTorchLean.Check.Relaxation.Blocks
import PytestTorchLean.Check.Relaxation.Gathered
import PytestTorchLean.Check.Relaxation.ReturnedBatch
/-!
# From places back to slots

A batch over places becomes one over consecutive slots: blocks of places that hold consecutive slots are moved
to where these slots belong. Every place is moved once, or holds no slot.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- A batch over places as one over slots. -/
def arrange (frame : Frame) (layout : Layout) (arrangement : Arrangement) (x : Batch) (next : Batch → Bool) :
    Bool :=
  both (both (Nat.ble (Nat.succ x.size) frame.digit) (Nat.ble layout.count frame.width))
    (force (fun size => arranged frame.digit frame.width (Nat.add frame.rows frame.rows) layout.count
          arrangement.first (Nat.add x.positive (Nat.mul (Nat.pow 2 size) x.negative))
        layout.places arrangement.count arrangement.blocks 0 0 0 fun cursor moved covered =>
          both (both (complete layout.count layout.places covered) (Nat.ble cursor frame.width))
            (force (fun positive => force (fun negative => next ⟨x.scale, x.weight, x.limit,
                      arrangement.first, cursor, x.size, positive, negative, x.gain, x.loss⟩)
                  (Nat.shiftRight moved size)) (Nat.land moved (Nat.sub (Nat.pow 2 size) 1))))
      (Nat.mul (Nat.mul frame.digit frame.width) frame.rows))

theorem arrange_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {layout : Layout}
    {arrangement : Arrangement} {x : Batch} {next : Batch → Bool}
    (zero : natural s.unit * slots 0 = 0)
    (hn : x.count = layout.count)
    (hx : x.HoldsOver frame (inPlace s slots layout.places) goal)
    (h : arrange frame layout arrangement x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c1, c2⟩ := both_true hc
  have c1 : x.size + 1 ≤ frame.digit := Nat.le_of_ble_eq_true c1
  have c2 : layout.count ≤ frame.width := Nat.le_of_ble_eq_true c2
  have digit : 0 < frame.digit := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le _)) c1
  have sizeLe : x.size ≤ frame.digit := Nat.le_trans (Nat.le_add_right _ 1) c1
  simp only [force_eq] at h
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  rw [hn] at p1 p2 hr
  have whole : x.positive.add ((Nat.pow 2 ((frame.digit.mul frame.width).mul frame.rows)).mul x.negative) =
      grid frame.digit frame.width layout.count (frame.rows + frame.rows) (stacked frame.rows f g) := by
    rw [p1, p2]; exact grid_stacked _ _ _ _ _ _
  rw [whole] at h
  have sized :
      ∀ r, r < frame.rows + frame.rows → ∀ j, j < layout.count → stacked frame.rows f g r j < 2 ^ x.size :=
    stacked_all (P := fun v => ∀ j, j < layout.count → v j < 2 ^ x.size)
      (fun r hr' j hj => ((hr r hr').1 j hj).1) (fun r hr' j hj => ((hr r hr').1 j hj).2)
  obtain ⟨cursor, moved, covered, C, B, ⟨m1, m2, m3, m4, m5⟩, h⟩ := arranged_sound (s := s) (slots := slots)
    digit c2 sizeLe sized arrangement.count arrangement.blocks 0 0 0 (fun _ => 0) (fun _ _ => 0)
    ⟨(grid_zero _ _ _ _).symm, (pack_zero 32 layout.count).symm, fun _ _ => Or.inl rfl,
        fun _ _ j hj => absurd hj (Nat.not_succ_le_zero j), fun r r' _ _ => by
      have z := form_zero (K := K) layout.count (inPlace s slots layout.places)
      refine Eq.trans ?_ (Eq.trans z.symm ?_)
      · rfl
      · unfold form
        refine Columns.sum_congr fun j _ => ?_
        show _ = (natural (0 * stacked frame.rows f g r j) - natural (0 * stacked frame.rows f g r' j)) *
            inPlace s slots layout.places j
        rw [Nat.zero_mul, Nat.zero_mul]⟩ h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨d1, d2⟩ := both_true hc
  have d2 : cursor ≤ frame.width := Nat.le_of_ble_eq_true d2
  rw [m2] at d1
  have every := complete_sound m3 d1
  have first_lt :
    ∀ r, r < frame.rows → r < frame.rows + frame.rows := fun r hr' => Nat.le_trans hr' (Nat.le_add_right _ _)
  have second_lt : ∀ r, r < frame.rows → frame.rows + r < frame.rows + frame.rows :=
    fun r hr' => Nat.add_le_add (Nat.le.refl (n := frame.rows)) hr'
  have rowLt :
      ∀ r, r < frame.rows → pack frame.digit cursor (B r) < 2 ^ (frame.digit * frame.width) := fun r hr' =>
    row_lt d2 fun j hj => Natural.lt_of_lt_of_le (m4 r (first_lt r hr') j hj) (Natural.two_pow_le sizeLe)
  have part1 : Nat.land moved ((Nat.pow 2 ((frame.digit.mul frame.width).mul frame.rows)).sub 1) =
      grid frame.digit frame.width cursor frame.rows B := by
    rw [m1]; exact land_pack_append rowLt
  have part2 : Nat.shiftRight moved ((frame.digit.mul frame.width).mul frame.rows) =
      grid frame.digit frame.width cursor frame.rows fun r => B (frame.rows + r) := by
    rw [m1]; exact shift_pack_append rowLt
  rw [part1, part2] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, c, d, rfl, rfl, p3, p4, fun r hr' => ?_⟩
  obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
  refine ⟨fun j hj => ⟨m4 r (first_lt r hr') j hj, m4 _ (second_lt r hr') j hj⟩, q2, q3, ?_⟩
  have same : form cursor (B r) (B (frame.rows + r)) (values s slots arrangement.first) =
      form layout.count (f r) (g r) (inPlace s slots layout.places) := by
    rw [m5 r _ (first_lt r hr') (second_lt r hr'), stacked_first f g hr', stacked_second]
    unfold form
    refine Columns.sum_congr fun j hj => ?_
    show (natural (C j * f r j) - natural (C j * g r j)) * inPlace s slots layout.places j = _
    cases every j hj with
    | inl e => rw [e, Nat.one_mul, Nat.one_mul]
    | inr e =>
      have none : inPlace s slots layout.places j = 0 := by unfold inPlace; rw [e]; exact zero
      rw [none, mul_zero, mul_zero]
  show natural x.weight * form cursor (B r) (B (frame.rows + r)) (values s slots arrangement.first) +
      natural (c r) ≤ natural x.scale * goal r + natural (d r)
  rw [same]; exact q4

/-! ### The memory of the places -/

theorem gathered_holds {s : Scale} {slots : Nat → K} {direct mirrored memory count places : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (h : ∀ j, j < count → word places j < memory) :
    (Memory.mk (gathered s.stride direct count places) (gathered s.stride mirrored count places)).Holds s
    (fun j => slots (word places j)) count := by
  obtain ⟨l, u, h1, h2, hw⟩ := hm
  have h1 : direct = pack s.stride memory (fun i => Memory.directWord s (l i) (u i)) := h1
  have h2 : mirrored = pack s.stride memory (fun i => Memory.mirroredWord s (l i) (u i)) := h2
  refine ⟨fun j => l (word places j), fun j => u (word places j), ?_, ?_, fun j hj => hw _ (h j hj)⟩
  · rw [h1]; exact gathered_eq (fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2.1).1) count places h
  · rw [h2]; exact gathered_eq (fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2.1).2) count places h

/-- The batch ends here: its coefficients are divided as in `reduce`, then every place is replaced by the
    bounds of its slot. -/
def settlePlaces (s : Scale) (frame : Frame) (layout : Layout) (shift size direct mirrored memory : Nat)
    (x : Batch) (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  both (wordsBelow memory layout.count layout.places)
    (force (fun direct' => force (fun mirrored' => reduce s frame shift size direct' mirrored' layout.count x
            fun y => finish s frame direct' mirrored' layout.count y (next y.scale))
          (gathered s.stride mirrored layout.count layout.places))
        (gathered s.stride direct layout.count layout.places))
theorem settlePlaces_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {layout : Layout}
    {shift size direct mirrored memory : Nat} {x : Batch} {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hs : x.start = 0)
    (hx : x.HoldsOver frame (inPlace s slots layout.places) goal)
    (h : settlePlaces s frame layout shift size direct mirrored memory x next = true) :
    ∃ scale limit gain loss,
      Constants frame limit scale gain loss goal ∧ next scale limit gain loss = true := by
  obtain ⟨hw, h⟩ := both_true h
  rw [force_eq, force_eq] at h
  have hm' := gathered_holds sf hm (wordsBelow_sound memory _ _ hw)
  have same : values s (fun j => slots (word layout.places j)) x.start = inPlace s slots layout.places :=
      funext fun j => by
    unfold values inPlace
    rw [hs, Nat.zero_add]
  have own : x.Holds s frame (fun j => slots (word layout.places j)) goal := by
    show x.HoldsOver frame (values s (fun j => slots (word layout.places j)) x.start) goal
    rw [same]; exact hx
  obtain ⟨y, hy, h⟩ := reduce_sound sf hm' own h
  obtain ⟨limit, gain, loss, r1, r2⟩ :=
    finish_sound (slots := fun j => slots (word layout.places j)) sf hm' hy h
  exact ⟨y.scale, limit, gain, loss, r1, r2⟩
end Relaxation
end PytestTorchLean
