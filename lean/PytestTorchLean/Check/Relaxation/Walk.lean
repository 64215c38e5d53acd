prelude
import PytestTorchLean.Check.Relaxation.Goals
import PytestTorchLean.Check.Relaxation.Reframe
/-!
# Back through the passed nodes

A relaxation starts at goals, values that are to be bounded, and goes back through the nodes that wrote them,
the last one first, as far as its links reach. What then remains is bounded by the memory. Where a node reads
the results of several others, parts of the rows wait until the rest has come to where they stand (Branch).
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### Link after link -/

/-- What is known of differences, by its place in a list. -/
def factAt (facts : List Differences) : Nat → (Differences → Bool) → Bool :=
  List.rec (motive := fun _ => Nat → (Differences → Bool) → Bool) (fun _ _ => false)
    (fun d _ later place next =>
        Nat.rec (motive := fun _ => Bool) (next d) (fun before _ => later before next) place) facts
theorem factAt_sound {p : Differences → Prop} {next : Differences → Bool} :
    (facts : List Differences) → Every p facts → (place : Nat) →
    factAt facts place next = true → ∃ d, p d ∧ next d = true
  | [], _, _, h => Bool.noConf_tf (Eq.symm h)
  | d :: _, hp, 0, h => ⟨d, hp.1, h⟩
  | _ :: facts, hp, place + 1, h => factAt_sound facts hp.2 place h

/-- `waiting` holds the batches that wait, the last one first: none may be left at the end. -/
def walk [Prepared] [Rules] (s : Scale) (frame : Frame) (facts : List Differences)
    (direct mirrored memory : Nat) (next : Nat → Nat → Nat → Nat → Bool) (links : List Link)
    (passed : List Passed) (waiting : List Batch) (x : Batch) : Bool :=
  List.rec (motive := fun _ =>
      Frame → (Nat → Nat → Nat → Nat → Bool) → List Passed → List Batch → Batch → Bool)
    (fun frame next _ waiting x => List.rec (motive := fun _ => Bool)
        (finish s frame direct mirrored memory x (next x.scale)) (fun _ _ _ => false) waiting)
    (fun link _ rest frame next passed waiting x => Link.casesOn (motive := fun _ => Bool) link
      (fun first count shift size => List.rec (motive := fun _ => Bool) false
          (fun p earlier _ => Node.casesOn (motive := fun _ => Bool) p.node
          (fun a => both (Nat.beq x.start p.start) (force (fun e =>
              substitute s frame a p.decoding e p.error first count direct mirrored memory x
                fun y => reduce s frame shift size direct mirrored memory y fun z =>
                  rest frame next earlier waiting z)
            (Nat.mul a.divisor (Nat.pow 2 (Nat.sub 150 p.decoding.base)))))
          (fun _ _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ _ => false) (fun _ _ _ => false)
              (fun _ _ => false)) passed)
      (fun bits lower upper => List.rec (motive := fun _ => Bool) false
          (fun p earlier _ => Node.casesOn (motive := fun _ => Bool) p.node (fun _ => false)
            (fun first n => both (Nat.beq x.start p.start)
              (bend s frame bits lower upper first n direct mirrored memory x
                fun y => rest frame next earlier waiting y)) (fun _ _ => false)
              (fun _ _ => false) (fun _ _ _ => false)
            (fun _ _ _ => false) (fun _ _ => false)) passed)
      (List.rec (motive := fun _ => Bool) false (fun _ earlier _ => rest frame next earlier waiting x) passed)
      (fun layout arrangement shift size => List.rec (motive := fun _ => Bool) false
          (fun p earlier _ => Node.casesOn (motive := fun _ => Bool) p.node
          (fun a => both (Nat.beq x.start p.start) (force (fun e =>
              convolve s frame a p.decoding e p.error layout direct mirrored memory x
                  fun y => arrange frame layout arrangement y fun z =>
                reduce s frame shift size direct mirrored memory z fun t => rest frame next earlier waiting t)
            (Nat.mul a.divisor (Nat.pow 2 (Nat.sub 150 p.decoding.base)))))
          (fun _ _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ _ => false) (fun _ _ _ => false)
              (fun _ _ => false)) passed)
      (fun layout shift size => List.rec (motive := fun _ => Bool) false
          (fun p earlier _ => Node.casesOn (motive := fun _ => Bool) p.node
          (fun a => both (Nat.beq x.start p.start) (List.rec (motive := fun _ => Bool) (force (fun e =>
              convolve s frame a p.decoding e p.error layout direct mirrored memory x
                fun y => settlePlaces s frame layout shift size direct mirrored memory y next)
            (Nat.mul a.divisor (Nat.pow 2 (Nat.sub 150 p.decoding.base)))) (fun _ _ _ => false) waiting))
          (fun _ _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ _ => false) (fun _ _ _ => false)
              (fun _ _ => false)) passed)
      (fun multipliers size =>
          multiply s frame multipliers size direct mirrored memory x
            fun y => rest frame next passed waiting y)
      (fun first count => widen frame first count x fun y => rest frame next passed waiting y)
      (fun keep cut => fork frame keep cut x fun y low => rest frame next passed (low :: waiting) y)
      (fun weight own other size shift short => List.rec (motive := fun _ => Bool) false
        (fun low others _ => join frame weight own other size x low
            fun y => reduce s frame shift short direct mirrored memory y
              fun z => rest frame next passed others z)
          waiting)
      (fun bits size slopes depth stages precision => List.rec (motive := fun _ => Bool) false
          (fun p earlier _ => both (Nat.beq x.start p.start)
            (Rules.slide s frame p bits size slopes depth stages precision direct mirrored memory x
              fun y => rest frame next earlier waiting y)) passed)
      (fun fact bits slopes chosen => List.rec (motive := fun _ => Bool) false
          (fun p _ _ => Node.casesOn (motive := fun _ => Bool) p.node (fun _ => false)
            (fun first n => both (Nat.beq x.start p.start)
              (factAt facts fact fun d => pair s frame bits slopes chosen first n memory d x
                fun y low => rest frame next passed (low :: waiting) y)) (fun _ _ => false) (fun _ _ => false)
            (fun _ _ _ => false) (fun _ _ _ => false) (fun _ _ => false)) passed)
      (fun bits lower upper first count shift size => List.rec (motive := fun _ => Bool) false
          (fun p earlier _ => Node.casesOn (motive := fun _ => Bool) p.node (fun _ => false)
          (fun _ _ => false)
          (fun n sources => both (Nat.beq x.start p.start)
              (choose s frame true bits lower upper first count n sources direct memory x fun y =>
            reduce s frame shift size direct mirrored memory y fun z => rest frame next earlier waiting z))
          (fun n sources => both (Nat.beq x.start p.start)
              (choose s frame false bits lower upper first count n sources direct memory x fun y =>
            reduce s frame shift size direct mirrored memory y fun z => rest frame next earlier waiting z))
          (fun _ _ _ => false) (fun _ _ _ => false) (fun _ _ => false)) passed)
      (fun width => List.rec (motive := fun _ => Bool)
        (reframe frame width x next fun next' y => rest ⟨frame.digit, width, frame.rows⟩ next' passed [] y)
        (fun _ _ _ => false) waiting)) links frame next passed waiting x

/-- A passed affine node is near its decoded rows, in fixed point. -/
theorem near_values {s : Scale} {slots : Nat → K} {a : Affine} {start : Nat} {d : Decoding} {error : Nat}
    (hp : Passed.Holds s slots ⟨.affine a, start, d, error⟩)
    {position i : Nat}
    (h1 : position < a.positions)
    (hi : i < a.rows)
    {c : K}
    (hc : natural (2 ^ (d.base - 1)) * c = a.form slots position i) :
    AtMost (natural (a.divisor * 2 ^ (150 - d.base)) * values s slots start (i + a.rows * position) -
      natural s.unit * c) (natural (digit (32 * a.lanes) error (i + a.rows * position))) := by
  have near := hp position i h1 hi c hc
  have near : AtMost (natural s.unit *
      (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + (i + a.rows * position)) - c))
    (natural (digit (32 * a.lanes) error (i + a.rows * position))) := near
  have k : natural s.unit *
    (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + (i + a.rows * position)) - c) =
      natural (a.divisor * 2 ^ (150 - d.base)) * values s slots start (i + a.rows * position) -
          natural s.unit * c := by
    unfold values
    exact (ring4 K u e y c, u * (e * y - c), e * (u * y) - u * c) _ _ _ _
  rw [k] at near
  exact near

theorem walk_sound [Prepared] [rules : Rules] [Rules.Sound K rules] {s : Scale} {frame : Frame}
    {facts : List Differences} {slots whole : Nat → K} {direct mirrored memory : Nat}
    {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hf : Every (Differences.Holds s slots) facts) :
    (links : List Link) → (passed : List Passed) →
    (count : Nat) → Passed.AllHold s slots passed count →
    (waiting : List Batch) → (goal : Nat → K) → AllWait s frame slots whole waiting goal →
    (x : Batch) → x.Holds s frame slots goal →
    walk s frame facts direct mirrored memory next links passed waiting x = true →
    ∃ scale limit gain loss, Constants frame limit scale gain loss whole ∧ next scale limit gain loss = true
  | [], _, _, _, [], _, hw, x, hx, h => by
    subst hw
    obtain ⟨limit, gain, loss, h1, h2⟩ := finish_sound sf hm hx h
    exact ⟨x.scale, limit, gain, loss, h1, h2⟩
  | [], _, _, _, _ :: _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .multiply multipliers size :: links, passed, count, hp, waiting, goal, hw, x, hx, h => by
    obtain ⟨y, hy, h⟩ := multiply_sound sf hm hx h
    exact walk_sound sf hm hf links passed count hp waiting goal hw y hy h
  | .widen first n :: links, passed, count, hp, waiting, goal, hw, x, hx, h => by
    obtain ⟨y, hy, h⟩ := widen_sound hx h
    exact walk_sound sf hm hf links passed count hp waiting goal hw y hy h
  | .reframe width :: links, passed, count, hp, [], goal, hw, x, hx, h => by
    have h : reframe frame width x next (fun next' y => walk s ⟨frame.digit, width, frame.rows⟩ facts direct
        mirrored memory next' links passed [] y) = true := h
    obtain ⟨y, next', hy, h, back⟩ := reframe_sound hx h
    exact back (walk_sound sf hm hf links passed count hp [] goal hw y hy h)
  | .reframe _ :: _, _, _, _, _ :: _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .fork keep cut :: links, passed, count, hp, waiting, goal, hw, x, hx, h => by
    have h : fork frame keep cut x
        (fun y low => walk s frame facts direct mirrored memory next links passed (low :: waiting) y) =
      true := h
    obtain ⟨y, low, goal', hy, hl, h⟩ := fork_sound hx h
    exact walk_sound sf hm hf links passed count hp (low :: waiting) goal' ⟨goal, hl, hw⟩ y hy h
  | .join _ _ _ _ _ _ :: _, _, _, _, [], _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .join weight own other size shift short :: links, passed, count, hp, low :: waiting, goal,
      ⟨goal', hl, hw⟩, x, hx, h => by
    have h : join frame weight own other size x low (fun y =>
      reduce s frame shift short direct mirrored memory y
          fun z => walk s frame facts direct mirrored memory next links passed waiting z) = true := h
    obtain ⟨y, hy, h⟩ := join_sound hx hl h
    obtain ⟨z, hz, h⟩ := reduce_sound sf hm hy h
    exact walk_sound sf hm hf links passed count hp waiting goal' hw z hz h
  | .pair fact bits slopes chosen :: links, ⟨.relu first n, start, d, error⟩ :: earlier, count, hp, waiting,
      goal, hw, x, hx, h => by
    obtain ⟨h1, h⟩ := both_true h
    have h1 : x.start = start := Nat.eq_of_beq_eq_true h1
    have h :
      factAt facts fact (fun known => pair s frame bits slopes chosen first n memory known x fun y low =>
      walk s frame facts direct mirrored memory next links (⟨.relu first n, start, d, error⟩ :: earlier)
          (low :: waiting) y) = true := h
    obtain ⟨known, hk, h⟩ := factAt_sound facts hf fact h
    obtain ⟨y, low, goal', hy, hl, h⟩ := pair_sound sf hk hx (by rw [h1]; exact hp.2.1) h
    exact walk_sound sf hm hf links (⟨.relu first n, start, d, error⟩ :: earlier) count hp (low :: waiting)
      goal' ⟨goal, hl, hw⟩ y hy h
  | .skip :: links, p :: earlier, _, hp, waiting, goal, hw, x, hx, h =>
    walk_sound sf hm hf links earlier p.start hp.2.2 waiting goal hw x hx h
  | .through first count shift size :: links, ⟨.affine a, start, d, error⟩ :: earlier, _, hp, waiting, goal,
      hw, x, hx, h => by
    obtain ⟨h1, h⟩ := both_true h
    have h1 : x.start = start := Nat.eq_of_beq_eq_true h1
    rw [force_eq] at h
    obtain ⟨y, hy, h⟩ := substitute_sound sf hm hx (fun one i hi c hc => by
      have near := near_values hp.2.1 (position := 0) (by rw [one]; exact Nat.le.refl) hi hc
      rw [← h1] at near
      exact near) h
    obtain ⟨z, hz, h⟩ := reduce_sound sf hm hy h
    exact walk_sound sf hm hf links earlier start hp.2.2 waiting goal hw z hz h
  | .convolve layout arrangement shift size :: links, ⟨.affine a, start, d, error⟩ :: earlier, _, hp, waiting,
      goal, hw, x, hx, h => by
    obtain ⟨h1, h⟩ := both_true h
    have h1 : x.start = start := Nat.eq_of_beq_eq_true h1
    rw [force_eq] at h
    have zero : natural s.unit * slots 0 = 0 := by rw [Passed.AllHold.zero earlier start hp.2.2, mul_zero]
    obtain ⟨y, _, y2, y3, h⟩ := convolve_sound sf hm zero hx (fun position i hp' hi c hc => by
      rw [h1]; exact near_values hp.2.1 hp' hi hc) h
    obtain ⟨z, hz, h⟩ := arrange_sound zero y2 y3 h
    obtain ⟨t, ht, h⟩ := reduce_sound sf hm hz h
    exact walk_sound sf hm hf links earlier start hp.2.2 waiting goal hw t ht h
  | .settle layout _ _ :: _, ⟨.affine a, start, d, error⟩ :: _, _, hp, [], goal, hw, x, hx, h => by
    subst hw
    obtain ⟨h1, h⟩ := both_true h
    have h1 : x.start = start := Nat.eq_of_beq_eq_true h1
    have h : force _ _ = true := h
    rw [force_eq] at h
    have zero : natural s.unit * slots 0 = 0 := by rw [Passed.AllHold.zero _ start hp.2.2, mul_zero]
    obtain ⟨y, y1, _, y3, h⟩ := convolve_sound sf hm zero hx (fun position i hp' hi c hc => by
      rw [h1]; exact near_values hp.2.1 hp' hi hc) h
    exact settlePlaces_sound sf hm y1 y3 h
  | .settle _ _ _ :: _, ⟨.affine _, _, _, _⟩ :: _, _, _, _ :: _, _, _, _, _, h =>
    Bool.noConf_tf (Eq.symm (both_true h).2)
  | .bend bits lower upper :: links, ⟨.relu first n, start, d, error⟩ :: earlier, _, hp, waiting, goal, hw, x,
      hx, h => by
    obtain ⟨h1, h⟩ := both_true h
    have h1 : x.start = start := Nat.eq_of_beq_eq_true h1
    obtain ⟨y, hy, h⟩ := bend_sound sf hm hx (by rw [h1]; exact hp.2.1) h
    exact walk_sound sf hm hf links earlier start hp.2.2 waiting goal hw y hy h
  | .slide bits size slopes depth stages precision :: links, p :: earlier, _, hp, waiting, goal, hw, x, hx,
      h => by
    obtain ⟨h1, h⟩ := both_true h
    obtain ⟨y, hy, h⟩ := Rules.Sound.slide sf hm hx (Nat.eq_of_beq_eq_true h1) hp.2.1 h
    exact walk_sound sf hm hf links earlier p.start hp.2.2 waiting goal hw y hy h
  | .choose bits lower upper first m shift size :: links, ⟨.maximum n sources, start, d, error⟩ :: earlier, _,
      hp, waiting, goal, hw, x, hx, h => by
    obtain ⟨h1, h⟩ := both_true h
    have h1 : x.start = start := Nat.eq_of_beq_eq_true h1
    obtain ⟨y, hy, h⟩ := choose_sound (maximum := true) sf hm hx (by rw [h1]; exact hp.2.1) h
    obtain ⟨z, hz, h⟩ := reduce_sound sf hm hy h
    exact walk_sound sf hm hf links earlier start hp.2.2 waiting goal hw z hz h
  | .choose bits lower upper first m shift size :: links, ⟨.minimum n sources, start, d, error⟩ :: earlier, _,
      hp, waiting, goal, hw, x, hx, h => by
    obtain ⟨h1, h⟩ := both_true h
    have h1 : x.start = start := Nat.eq_of_beq_eq_true h1
    obtain ⟨y, hy, h⟩ := choose_sound (maximum := false) sf hm hx (by rw [h1]; exact hp.2.1) h
    obtain ⟨z, hz, h⟩ := reduce_sound sf hm hy h
    exact walk_sound sf hm hf links earlier start hp.2.2 waiting goal hw z hz h
  | .skip :: _, [], _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .through _ _ _ _ :: _, [], _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .through _ _ _ _ :: _, ⟨.relu _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .through _ _ _ _ :: _, ⟨.maximum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .through _ _ _ _ :: _, ⟨.minimum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .through _ _ _ _ :: _, ⟨.curve _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .through _ _ _ _ :: _, ⟨.bilinear _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h =>
    Bool.noConf_tf (Eq.symm h)
  | .through _ _ _ _ :: _, ⟨.quotient _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .convolve _ _ _ _ :: _, [], _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .convolve _ _ _ _ :: _, ⟨.relu _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .convolve _ _ _ _ :: _, ⟨.maximum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .convolve _ _ _ _ :: _, ⟨.minimum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .convolve _ _ _ _ :: _, ⟨.curve _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .convolve _ _ _ _ :: _, ⟨.bilinear _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h =>
    Bool.noConf_tf (Eq.symm h)
  | .convolve _ _ _ _ :: _, ⟨.quotient _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h =>
    Bool.noConf_tf (Eq.symm h)
  | .settle _ _ _ :: _, [], _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .settle _ _ _ :: _, ⟨.relu _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .settle _ _ _ :: _, ⟨.maximum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .settle _ _ _ :: _, ⟨.minimum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .settle _ _ _ :: _, ⟨.curve _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .settle _ _ _ :: _, ⟨.bilinear _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .settle _ _ _ :: _, ⟨.quotient _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .bend _ _ _ :: _, [], _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .bend _ _ _ :: _, ⟨.affine _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .bend _ _ _ :: _, ⟨.maximum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .bend _ _ _ :: _, ⟨.minimum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .bend _ _ _ :: _, ⟨.curve _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .bend _ _ _ :: _, ⟨.bilinear _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .bend _ _ _ :: _, ⟨.quotient _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .pair _ _ _ _ :: _, [], _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .pair _ _ _ _ :: _, ⟨.affine _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .pair _ _ _ _ :: _, ⟨.maximum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .pair _ _ _ _ :: _, ⟨.minimum _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .pair _ _ _ _ :: _, ⟨.curve _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .pair _ _ _ _ :: _, ⟨.bilinear _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .pair _ _ _ _ :: _, ⟨.quotient _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)

  | .slide _ _ _ _ _ _ :: _, [], _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .choose _ _ _ _ _ _ _ :: _, [], _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .choose _ _ _ _ _ _ _ :: _, ⟨.affine _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h =>
    Bool.noConf_tf (Eq.symm h)
  | .choose _ _ _ _ _ _ _ :: _, ⟨.relu _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h =>
    Bool.noConf_tf (Eq.symm h)
  | .choose _ _ _ _ _ _ _ :: _, ⟨.curve _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h =>
    Bool.noConf_tf (Eq.symm h)
  | .choose _ _ _ _ _ _ _ :: _, ⟨.bilinear _ _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h =>
    Bool.noConf_tf (Eq.symm h)
  | .choose _ _ _ _ _ _ _ :: _, ⟨.quotient _ _, _, _, _⟩ :: _, _, _, _, _, _, _, _, h =>
    Bool.noConf_tf (Eq.symm h)
end Relaxation
end PytestTorchLean
