prelude
import PytestTorchLean.Check.Relaxation.Layout
/-!
# A frame of another width

The rows of a batch are as far apart as the widest link of a relaxation demands, and every link goes over all
of that. Where rows are short at first and become long only later, at the pixels of an image say, they are
kept close together at first and are moved apart where that is wanted.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- Rows that are `old` bits apart, put `new` bits apart. -/
def spaced (old new R : Nat) : Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun _ rest x => Nat.add (Nat.land x (Nat.sub (Nat.pow 2 old) 1))
      (Nat.shiftLeft (rest (Nat.shiftRight x old)) new)) R
theorem spaced_eq {old new : Nat} :
    (R : Nat) → (f : Nat → Nat) → (∀ r, r < R → f r < 2 ^ old) →
    spaced old new R (pack old R f) = pack new R f
  | 0, _, _ => rfl
  | R + 1, f, h => by
    have first : f 0 < 2 ^ old := Natural.forall_zero (p := fun i => f i < 2 ^ old) h
    have low : Nat.land (pack old (R + 1) f) (2 ^ old - 1) = f 0 := by
      rw [land_low, pack_succ, Natural.add_mul_mod _ first]
    have high : Nat.shiftRight (pack old (R + 1) f) old = pack old R fun i => f (i + 1) := by
      show pack old (R + 1) f / 2 ^ old = _
      rw [pack_succ, Natural.add_mul_div _ first]
    show Nat.land (pack old (R + 1) f) (2 ^ old - 1) +
      Nat.shiftLeft (spaced old new R (Nat.shiftRight (pack old (R + 1) f) old)) new = _
    rw [low, high, spaced_eq R _ (Natural.forall_succ (p := fun i => f i < 2 ^ old) h), shiftLeft_eq,
        pack_succ]

/-- Goes on with rows of `width` digits; what comes of it is put back into the frame before it is handed
    on. -/
def reframe (frame : Frame) (width : Nat) (x : Batch) (next : Nat → Nat → Nat → Nat → Bool)
    (later : (Nat → Nat → Nat → Nat → Bool) → Batch → Bool) : Bool :=
  force (fun old => force (fun new =>
      both (both (Nat.ble x.count frame.width) (both (Nat.ble x.count width)
          (both (Nat.ble x.size frame.digit) (Nat.ble (Nat.succ x.limit) (Nat.pow 2 old)))))
        (force (fun positive => force (fun negative => force (fun gain => force (fun loss =>
            later (fun scale limit gain' loss' => both (Nat.ble (Nat.succ limit) (Nat.pow 2 new))
                (force (fun g => force (fun l => next scale limit g l) (spaced new old frame.rows loss'))
                  (spaced new old frame.rows gain')))
              ⟨x.scale, x.weight, x.limit, x.start, x.count, x.size, positive, negative, gain, loss⟩)
          (spaced old new frame.rows x.loss)) (spaced old new frame.rows x.gain))
            (spaced old new frame.rows x.negative)) (spaced old new frame.rows x.positive)))
    (Nat.mul frame.digit width)) (Nat.mul frame.digit frame.width)

/-- The rows that go on stand for the same goals, and what is found of them in the new frame holds in the old
    one. -/
theorem reframe_sound {s : Scale} {frame : Frame} {slots goal whole : Nat → K} {width : Nat} {x : Batch}
    {next : Nat → Nat → Nat → Nat → Bool} {later : (Nat → Nat → Nat → Nat → Bool) → Batch → Bool}
    (hx : x.Holds s frame slots goal)
    (h : reframe frame width x next later = true) :
    ∃ (y : Batch) (next' : Nat → Nat → Nat → Nat → Bool),
      y.Holds s ⟨frame.digit, width, frame.rows⟩ slots goal ∧ later next' y = true ∧
      ((∃ scale limit gain loss,
          Constants ⟨frame.digit, width, frame.rows⟩ limit scale gain loss whole ∧
          next' scale limit gain loss = true) →
        ∃ scale limit gain loss, Constants frame limit scale gain loss whole ∧
          next scale limit gain loss = true) := by
  unfold reframe at h
  simp only [force_eq] at h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c1, hc⟩ := both_true hc
  obtain ⟨c2, hc⟩ := both_true hc
  obtain ⟨c3, c4⟩ := both_true hc
  have c1 : x.count ≤ frame.width := Nat.le_of_ble_eq_true c1
  have c2 : x.count ≤ width := Nat.le_of_ble_eq_true c2
  have c3 : x.size ≤ frame.digit := Nat.le_of_ble_eq_true c3
  have c4 : x.limit < 2 ^ (frame.digit * frame.width) := Nat.le_of_ble_eq_true c4
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  have moved : ∀ q : Nat → Nat → Nat, (∀ r, r < frame.rows → ∀ j, j < x.count → q r j < 2 ^ x.size) →
      spaced (frame.digit * frame.width) (frame.digit * width) frame.rows
          (grid frame.digit frame.width x.count frame.rows q) =
        grid frame.digit width x.count frame.rows q := fun q hq =>
    spaced_eq frame.rows _ fun r hr' => row_lt c1 fun j hj =>
      Natural.lt_of_lt_of_le (hq r hr' j hj) (Natural.two_pow_le c3)
  refine ⟨_, _, ?_, h, ?_⟩
  · refine ⟨f, g, c, d, ?_, ?_, ?_, ?_, hr⟩
    · show spaced _ _ _ x.positive = _
      rw [p1]; exact moved f fun r hr' j hj => ((hr r hr').1 j hj).1
    · show spaced _ _ _ x.negative = _
      rw [p2]; exact moved g fun r hr' j hj => ((hr r hr').1 j hj).2
    · show spaced _ _ _ x.gain = _
      rw [p3]; exact spaced_eq frame.rows _ fun r hr' => Natural.lt_of_le_of_lt (hr r hr').2.1 c4
    · show spaced _ _ _ x.loss = _
      rw [p4]; exact spaced_eq frame.rows _ fun r hr' => Natural.lt_of_le_of_lt (hr r hr').2.2.1 c4
  · intro found
    obtain ⟨scale, limit, gain, loss, ⟨c', d', q1, q2, q3⟩, n⟩ := found
    obtain ⟨n1, n2⟩ := both_true n
    have n1 : limit < 2 ^ (frame.digit * width) := Nat.le_of_ble_eq_true n1
    refine ⟨scale, limit, _, _, ⟨c', d', ?_, ?_, q3⟩, n2⟩
    · rw [q1]; exact spaced_eq frame.rows _ fun r hr' => Natural.lt_of_le_of_lt (q3 r hr').1 n1
    · rw [q2]; exact spaced_eq frame.rows _ fun r hr' => Natural.lt_of_le_of_lt (q3 r hr').2.1 n1

end Relaxation
end PytestTorchLean
