prelude
import PytestTorchLean.Check.Dense
import PytestTorchLean.Check.Zeros
/-!
# How many products of a row may be other than 0

The products of a column of zeros are 0, and so are those of a slot that is known to hold 0
(Check/LiveSlots).
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Columns
variable {K : Type u} [OrderedRing K]

/-- Columns that are not all zeros, each counted `alive` times, a number for each slot. -/
def live (alive : Nat → Nat) : List Column → (Nat → Nat) → Nat
  | [], _ => 0
  | c :: cs, source => cond (Nat.beq (c.positive + c.negative) 0) 0 (alive (source 0)) +
      live alive cs (fun k => source (k + 1))

theorem live_append (alive : Nat → Nat) : (cs es : List Column) → (source : Nat → Nat) →
    live alive (append cs es) source = live alive cs source + live alive es (fun k => source (cs.length + k))
  | [], es, source => by
    show live alive es source = 0 + live alive es (fun k => source (0 + k))
    rw [Nat.zero_add]
    have e : (fun k => source (0 + k)) = source := funext fun k => by rw [Nat.zero_add]
    rw [e]
  | c :: cs, es, source => by
    show _ + live alive (append cs es) _ = _ + live alive cs _ + _
    rw [live_append alive cs es (fun k => source (k + 1)), ← Nat.add_assoc]
    have e : (fun k => source (cs.length + k + 1)) = (fun k => source ((c :: cs).length + k)) :=
        funext fun k => by
      show source (cs.length + k + 1) = source (cs.length + 1 + k)
      rw [Nat.add_assoc, Nat.add_comm k 1, ← Nat.add_assoc]
    rw [e]

theorem pack_eq_zero {b : Nat} : {m : Nat} → {f : Nat → Nat} → pack b m f = 0 → ∀ i, i < m → f i = 0
  | 0, _, _, i, hi => absurd hi (Nat.not_succ_le_zero i)
  | m + 1, f, h, i, hi => by
    rw [pack_succ] at h
    have first : f 0 = 0 := Natural.eq_zero_of_le_zero
      (Nat.le_trans (Nat.le_add_right (f 0) _) (Natural.le_of_eq h))
    cases i with
    | zero => exact first
    | succ i =>
      refine pack_eq_zero (b := b) (f := fun i => f (i + 1)) (Natural.eq_zero_of_le_zero ?_) i
        (Nat.le_of_succ_le_succ hi)
      refine Nat.le_trans (Nat.le_trans ?_ (Nat.le_add_left _ (f 0))) (Natural.le_of_eq h)
      have z := Nat.mul_le_mul (Natural.two_pow_pos b)
        (Nat.le.refl (n := pack b m fun i => f (i + 1)))
      rw [Natural.one_mul] at z; exact z

theorem represents_zero {base w p n : Nat} (h : Represents base w p n) (hp : p = 0) (hn : n = 0) :
    (Binary32.scaled w : K) = 0 := by
  unfold Binary32.scaled
  cases h with
  | inl h => rw [h.1, h.2.1, hp, Nat.mul_zero]; rfl
  | inr h =>
    rw [h.1, h.2.1, hn, Nat.mul_zero]
    show -(natural 0 : K) = 0
    exact neg_zero

theorem lane_few {a : Affine} {d : Decoding} {lane i : Nat} {slots : Nat → K} {alive : Nat → Nat}
    (hi : i < a.rows) : (cs : List Column) → (column : Nat) → (source : Nat → Nat) →
    LaneHolds a d lane column cs → (∀ k, k < cs.length → 1 ≤ alive (source k) ∨ slots (source k) = 0) →
    Few (listed cs.length fun k => [Binary32.scaled (a.pattern i lane (column + k)) * slots (source k)])
      (live alive cs source)
  | [], _, _, _, _ => Few.nil
  | c :: cs, column, source, h, hs => by
    obtain ⟨⟨p, n, hp, hn, hd⟩, ht⟩ := h
    have rest := lane_few hi cs (column + 1) (fun k => source (k + 1)) ht
      (fun k hk => hs (k + 1) (Nat.succ_le_succ hk))
    have e : (fun k => [Binary32.scaled (a.pattern i lane (column + 1 + k)) * slots (source (k + 1))]) =
        fun k => [Binary32.scaled (a.pattern i lane (column + (k + 1))) * slots (source (k + 1))] :=
      funext fun k => by rw [Nat.add_assoc, Nat.add_comm 1 k]
    rw [e] at rest
    show Few (_ :: listed cs.length _) (cond _ _ _ + _)
    cases z : Nat.beq (c.positive + c.negative) 0 with
    | true =>
      have z := Nat.eq_of_beq_eq_true z
      have zp : pack (32 * a.lanes) a.rows p = 0 := by
        rw [← hp]; exact Natural.eq_zero_of_le_zero (Nat.le_trans (Nat.le_add_right _ _) (Natural.le_of_eq z))
      have zn : pack (32 * a.lanes) a.rows n = 0 := by
        rw [← hn]; exact Natural.eq_zero_of_le_zero (Nat.le_trans (Nat.le_add_left _ _) (Natural.le_of_eq z))
      show Few _ (0 + _)
      rw [Nat.zero_add]
      refine Few.zero ?_ rest
      show Binary32.scaled (a.pattern i lane column) * slots (source 0) = 0
      rw [represents_zero (hd i hi).2.2 (pack_eq_zero zp i hi) (pack_eq_zero zn i hi), zero_mul]
    | false =>
      show Few _ (alive (source 0) + _)
      cases hs 0 (Nat.succ_le_succ (Nat.zero_le _)) with
      | inl one =>
        refine (rest.succ _).mono ?_
        rw [Nat.add_comm]
        exact Nat.add_le_add one Nat.le.refl
      | inr zero =>
        refine (Few.zero ?_ rest).mono (Nat.le_add_left _ _)
        show Binary32.scaled (a.pattern i lane (column + 0)) * slots (source 0) = 0
        rw [zero, mul_zero]

theorem lanes_few {a : Affine} {d : Decoding} {i : Nat} {slots : Nat → K} {alive : Nat → Nat}
    (hi : i < a.rows) : (lanes : List (List Column)) → (lane : Nat) → (source : Nat → Nat) →
    LanesHold a d lane lanes →
    (∀ k, k < lanes.length * a.laneColumns → 1 ≤ alive (source k) ∨ slots (source k) = 0) →
    Few (listed lanes.length fun k => listed a.laneColumns fun column =>
        [Binary32.scaled (a.pattern i (lane + k) column) * slots (source (column + a.laneColumns * k))])
      (live alive (flatten lanes) source)
  | [], _, _, _, _ => Few.nil
  | l :: lanes, lane, source, ⟨hl, ht⟩, hs => by
    have hlen : l.length = a.laneColumns := by
      have z := (lane_digits (K := K) l 0 hl).1
      rw [Nat.zero_add] at z; exact z
    have whole : (lanes.length + 1) * a.laneColumns = a.laneColumns + lanes.length * a.laneColumns := by
      rw [Nat.succ_mul, Nat.add_comm]
    have hs : ∀ k, k < a.laneColumns + lanes.length * a.laneColumns →
        1 ≤ alive (source k) ∨ slots (source k) = 0 := fun k hk =>
      hs k (by show k < (lanes.length + 1) * a.laneColumns; rw [whole]; exact hk)
    have first := lane_few (alive := alive) (slots := slots) hi l 0 source hl
      (fun k hk => hs k (Nat.le_trans (by rw [hlen] at hk; exact hk) (Nat.le_add_right _ _)))
    have later := lanes_few hi lanes (lane + 1) (fun k => source (l.length + k)) ht
      (fun k hk => hs _ (by rw [hlen]; exact Nat.add_le_add (Nat.le.refl (n := a.laneColumns)) hk))
    rw [hlen] at first
    have t1 : (fun column => [Binary32.scaled (a.pattern i lane (0 + column)) * slots (source column)]) =
        (fun column => [Binary32.scaled (a.pattern i (lane + 0) column) *
                slots (source (column + a.laneColumns * 0))]) := funext fun column => by
      rw [Nat.zero_add]; rfl
    have t2 : (fun k => listed a.laneColumns fun column => [Binary32.scaled
            (a.pattern i (lane + 1 + k) column) *
          slots (source (l.length + (column + a.laneColumns * k)))]) =
        (fun k => listed a.laneColumns fun column => [Binary32.scaled
                  (a.pattern i (lane + (k + 1)) column) *
                slots (source (column + a.laneColumns * (k + 1)))]) := funext fun k => by
      refine congrArg (listed a.laneColumns) (funext fun column => ?_)
      have e : a.laneColumns + (column + a.laneColumns * k) = column + a.laneColumns * (k + 1) := by
        rw [Nat.mul_succ]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
      rw [hlen, e, Nat.add_assoc lane 1 k, Nat.add_comm 1 k]
    rw [t1] at first
    rw [t2] at later
    show Few (joined _ (listed lanes.length _)) (live alive (append l (flatten lanes)) source)
    rw [live_append]
    exact first.join later

/-- So many products of a row are other than 0. -/
theorem decoded_few {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : LanesHold a d 0 lanes)
    {alive : Nat → Nat} {slots : Nat → K} {position i : Nat} (hi : i < a.rows)
    (hs : ∀ k, k < a.columns → 1 ≤ alive (word a.sources (a.columns * position + k)) ∨
      slots (word a.sources (a.columns * position + k)) = 0) :
    Few (a.terms slots position i)
      (live alive (flatten lanes) (fun k => word a.sources (a.columns * position + k))) := by
  have hlanes := (lanes_digits (K := K) lanes 0 h).1
  rw [Nat.zero_add] at hlanes
  have few := lanes_few (alive := alive) (slots := slots) hi lanes 0
    (fun k => word a.sources (a.columns * position + k)) h
    (fun k hk => hs k (by rw [hlanes] at hk; exact hk))
  rw [hlanes] at few
  have t : (fun lane => listed a.laneColumns fun column =>
        [Binary32.scaled (a.pattern i (0 + lane) column) *
            slots (word a.sources (a.columns * position + (column + a.laneColumns * lane)))]) =
      (fun lane => listed a.laneColumns fun column =>
            [Binary32.scaled (a.pattern i lane column) * slots (a.source position lane column)]) :=
          funext fun lane => by
    refine congrArg (listed a.laneColumns) (funext fun column => ?_)
    rw [Nat.zero_add, word_index]; rfl
  rw [t] at few
  exact few

/-! ### Counting -/

/-- Columns that are not all zeros. -/
def filled (cs : List Column) : Nat :=
  List.rec (motive := fun _ => Nat) 0 (fun c _ rest =>
    Nat.add (Bool.casesOn (motive := fun _ => Nat) (Nat.beq (Nat.add c.positive c.negative) 0) 1 0) rest) cs

theorem live_le_filled {alive : Nat → Nat} (h : ∀ j, alive j ≤ 1) : (cs : List Column) →
    (source : Nat → Nat) → live alive cs source ≤ filled cs
  | [], _ => Nat.le.refl
  | c :: cs, source => by
    refine Nat.add_le_add ?_ (live_le_filled h cs _)
    show cond (Nat.beq (c.positive + c.negative) 0) _ _ ≤
      Bool.casesOn (motive := fun _ => Nat) (Nat.beq (c.positive + c.negative) 0) 1 0
    cases Nat.beq (c.positive + c.negative) 0 with
    | true => exact Nat.le.refl
    | false => exact h _

/-- `f 0 + ... + f (n - 1)` -/
def added : (n : Nat) → (Nat → Nat) → Nat
  | 0, _ => 0
  | n + 1, f => f 0 + added n (fun i => f (i + 1))
theorem added_le : (n : Nat) → (f : Nat → Nat) → (∀ i, i < n → f i ≤ 1) → added n f ≤ n
  | 0, _, _ => Nat.le.refl
  | n + 1, f, h => by
    show f 0 + added n _ ≤ n + 1
    rw [Nat.add_comm]
    exact Nat.add_le_add (added_le n _ fun i hi => h (i + 1) (Nat.succ_le_succ hi))
      (h 0 (Nat.succ_le_succ (Nat.zero_le n)))
theorem added_congr : {n : Nat} → {f g : Nat → Nat} → (∀ i, i < n → f i = g i) → added n f = added n g
  | 0, _, _, _ => rfl
  | n + 1, f, g, h => by
    show f 0 + added n _ = g 0 + added n _
    rw [h 0 (Nat.succ_le_succ (Nat.zero_le n)),
      added_congr (f := fun i => f (i + 1)) fun i hi => h (i + 1) (Nat.succ_le_succ hi)]

theorem live_take {alive : Nat → Nat} : (n : Nat) → (cs : List Column) → (source : Nat → Nat) →
    n ≤ cs.length →
    live alive cs source ≤ added n (fun k => alive (source k)) +
      live alive (Dense.drop n cs) (fun k => source (n + k))
  | 0, cs, source, _ => by
    show live alive cs source ≤ 0 + live alive cs (fun k => source (0 + k))
    rw [Nat.zero_add]
    have e : (fun k => source (0 + k)) = source := funext fun k => by rw [Nat.zero_add]
    rw [e]; exact Nat.le.refl
  | n + 1, [], _, h => absurd h (Nat.not_succ_le_zero n)
  | n + 1, c :: cs, source, h => by
    have ih := live_take (alive := alive) n cs (fun k => source (k + 1)) (Nat.le_of_succ_le_succ h)
    have e : (fun k => source (n + k + 1)) = fun k => source (n + 1 + k) := funext fun k => by
      rw [Nat.add_assoc, Nat.add_comm k 1, ← Nat.add_assoc]
    rw [e] at ih
    show cond _ _ _ + live alive cs _ ≤
      alive (source 0) + added n (fun k => alive (source (k + 1))) + live alive (Dense.drop n cs) _
    rw [Nat.add_assoc]
    refine Nat.add_le_add ?_ ih
    cases Nat.beq (c.positive + c.negative) 0 with
    | true => exact Nat.zero_le _
    | false => exact Nat.le.refl

/-- The sum of a number's digits, but for a multiple of the base less 1. -/
theorem pack_added (b : Nat) : (m : Nat) → (f : Nat → Nat) →
    ∃ q, pack b m f = added m f + (2 ^ b - 1) * q
  | 0, _ => ⟨0, rfl⟩
  | m + 1, f => by
    obtain ⟨q, e⟩ := pack_added b m (fun i => f (i + 1))
    refine ⟨added m (fun i => f (i + 1)) + 2 ^ b * q, ?_⟩
    rw [pack_succ, e]
    show _ = f 0 + added m (fun i => f (i + 1)) + _
    have base : 2 ^ b = 2 ^ b - 1 + 1 := (Natural.mask_succ b).symm
    generalize 2 ^ b - 1 = r at *
    rw [base]
    generalize added m (fun i => f (i + 1)) = t
    simp only [Nat.mul_add, Nat.add_mul, Natural.one_mul, Natural.mul_one, Nat.add_assoc, Nat.add_left_comm,
      Nat.add_comm, Nat.mul_assoc, Nat.mul_left_comm, Nat.mul_comm]
theorem added_eq {b m : Nat} {f : Nat → Nat} (h : added m f < 2 ^ b - 1) :
    Nat.mod (pack b m f) (2 ^ b - 1) = added m f := by
  obtain ⟨q, e⟩ := pack_added b m f
  rw [e]
  exact Natural.add_mul_mod q h
end Columns
end PytestTorchLean
