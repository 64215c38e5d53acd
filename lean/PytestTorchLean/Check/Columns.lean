prelude
import PytestTorchLean.Check.ColumnSums
/-!
# From decoded lanes to one list of columns

`decode` yields the columns lane by lane. Here they become one list, and the rows of its digits are
tied to the form that the specification assigns to the node.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Columns
variable {K : Type u} [OrderedRing K]

/-- What is known of the columns of one lane, from index `column` on. -/
theorem lane_digits {a : Affine} {d : Decoding} {lane : Nat} :
    (cs : List Column) → (column : Nat) → LaneHolds a d lane column cs →
    column + cs.length = a.laneColumns ∧
      ∃ ds, Packed (32 * a.lanes) a.rows (2 ^ d.bits) cs ds ∧
        (∀ (slots : Nat → K) (source : Nat → Nat) (i : Nat), i < a.rows →
            natural (2 ^ (d.base - 1)) * Linear.combination slots ds source i =
              sum cs.length fun k => Binary32.scaled (a.pattern i lane (column + k)) * slots (source k)) ∧
        (∀ (slots : Nat → K) (source radius : Nat → Nat) (m : K) (i : Nat), i < a.rows →
            (∀ k, k < cs.length → AtMost (m * slots (source k)) (natural (radius (source k)))) →
            Weighs m
              (listed cs.length fun k => [Binary32.scaled (a.pattern i lane (column + k)) * slots (source k)])
              (natural (2 ^ (d.base - 1)) * natural (weight radius ds source i))) ∧
        (∀ (slots : Nat → K) (source up down : Nat → Nat) (m : K) (i : Nat), i < a.rows →
            (∀ k, k < cs.length →
                m * slots (source k) ≤ natural (up (source k)) ∧
                  -(m * slots (source k)) ≤ natural (down (source k))) →
            Leans m
              (listed cs.length fun k => [Binary32.scaled (a.pattern i lane (column + k)) * slots (source k)])
              (natural (2 ^ (d.base - 1)) * natural (sides up down ds source i))
              (natural (2 ^ (d.base - 1)) * natural (sides down up ds source i))) := by
  intro cs
  induction cs with
  | nil =>
    intro column h
    exact ⟨h, [], trivial, fun _ _ _ _ => mul_zero _, fun _ _ _ _ _ _ _ => le_of_eq (mul_zero _).symm,
      fun _ _ _ _ _ _ _ _ => ⟨le_of_eq (mul_zero _).symm, le_of_eq (mul_zero _).symm⟩⟩
  | cons c cs smaller =>
    intro column h
    obtain ⟨⟨p, n, hp, hn, hd⟩, ht⟩ := h
    obtain ⟨hlen, ds, hds, ih, iw, is⟩ := smaller (column + 1) ht
    have e : ∀ k, column + 1 + k = column + (k + 1) := fun k => by rw [Nat.add_assoc, Nat.add_comm 1 k]
    refine ⟨?_, ⟨p, n⟩ :: ds,
        ⟨⟨hp, hn, fun i hi => ⟨Natural.le_of_lt (hd i hi).1, Natural.le_of_lt (hd i hi).2.1⟩⟩, hds⟩, ?_, ?_,
        ?_⟩
    · show column + (cs.length + 1) = _
      rw [← hlen, Nat.succ_add]; rfl
    · intro slots source i hi
      show natural (2 ^ (d.base - 1)) * ((natural (p i) - natural (n i)) * slots (source 0) +
              Linear.combination slots ds (fun k => source (k + 1)) i) =
        Binary32.scaled (a.pattern i lane (column + 0)) * slots (source 0) + sum cs.length _
      rw [mul_add, ih slots (fun k => source (k + 1)) i hi, represents_mul (hd i hi).2.2]
      rw [sum_congr (fun k _ => by rw [e k])]; rfl
    · intro slots source radius m i hi hx
      have w :=
        iw slots (fun k => source (k + 1)) radius m i hi (fun k hk => hx (k + 1) (Nat.succ_le_succ hk))
      have t : (fun k => [Binary32.scaled (a.pattern i lane (column + 1 + k)) * slots (source (k + 1))]) =
          (fun k => [Binary32.scaled (a.pattern i lane (column + (k + 1))) * slots (source (k + 1))]) :=
              funext fun k => by rw [e k]
      rw [t] at w
      refine ⟨_, _, represents_atMost (hd i hi).2.2 (hx 0 (Nat.succ_le_succ (Nat.zero_le _))), w, ?_⟩
      rw [← mul_add, ← natural_add]; exact le_refl _
    · intro slots source up down m i hi hx
      have w :=
        is slots (fun k => source (k + 1)) up down m i hi (fun k hk => hx (k + 1) (Nat.succ_le_succ hk))
      have t : (fun k => [Binary32.scaled (a.pattern i lane (column + 1 + k)) * slots (source (k + 1))]) =
          (fun k => [Binary32.scaled (a.pattern i lane (column + (k + 1))) * slots (source (k + 1))]) :=
              funext fun k => by rw [e k]
      rw [t] at w
      obtain ⟨h1, h2⟩ := represents_sides (hd i hi).2.2 (hx 0 (Nat.succ_le_succ (Nat.zero_le _)))
      refine ⟨_, _, _, _, ⟨mul_nonneg (natural_nonneg _) (natural_nonneg _), h1⟩,
          ⟨mul_nonneg (natural_nonneg _) (natural_nonneg _), h2⟩, w, ?_, ?_⟩
      · rw [← mul_add, ← natural_add]; exact le_refl _
      · rw [← mul_add, ← natural_add]; exact le_refl _

theorem lanes_digits {a : Affine} {d : Decoding} :
    (lanes : List (List Column)) → (lane : Nat) → LanesHold a d lane lanes →
    lane + lanes.length = a.lanes ∧
      (flatten lanes).length = lanes.length * a.laneColumns ∧
      ∃ ds, Packed (32 * a.lanes) a.rows (2 ^ d.bits) (flatten lanes) ds ∧
        (∀ (slots : Nat → K) (source : Nat → Nat) (i : Nat), i < a.rows →
            natural (2 ^ (d.base - 1)) * Linear.combination slots ds source i =
              sum lanes.length fun k => sum a.laneColumns fun column => Binary32.scaled
                  (a.pattern i (lane + k) column) * slots (source (column + a.laneColumns * k))) ∧
        (∀ (slots : Nat → K) (source radius : Nat → Nat) (m : K) (i : Nat), i < a.rows →
            (∀ k, k < lanes.length * a.laneColumns →
                AtMost (m * slots (source k)) (natural (radius (source k)))) →
            Weighs m (listed lanes.length fun k => listed a.laneColumns fun column =>
                [Binary32.scaled (a.pattern i (lane + k) column) *
                  slots (source (column + a.laneColumns * k))])
              (natural (2 ^ (d.base - 1)) * natural (weight radius ds source i))) ∧
        (∀ (slots : Nat → K) (source up down : Nat → Nat) (m : K) (i : Nat), i < a.rows →
            (∀ k, k < lanes.length * a.laneColumns →
                m * slots (source k) ≤ natural (up (source k)) ∧
                  -(m * slots (source k)) ≤ natural (down (source k))) →
            Leans m (listed lanes.length fun k => listed a.laneColumns fun column =>
                [Binary32.scaled (a.pattern i (lane + k) column) *
                  slots (source (column + a.laneColumns * k))])
              (natural (2 ^ (d.base - 1)) * natural (sides up down ds source i))
              (natural (2 ^ (d.base - 1)) * natural (sides down up ds source i))) := by
  intro lanes
  induction lanes with
  | nil =>
    intro lane h
    exact ⟨h, (Nat.zero_mul _).symm, [], trivial, fun _ _ _ _ => mul_zero _,
        fun _ _ _ _ _ _ _ => le_of_eq (mul_zero _).symm,
        fun _ _ _ _ _ _ _ _ => ⟨le_of_eq (mul_zero _).symm, le_of_eq (mul_zero _).symm⟩⟩
  | cons l lanes smaller =>
    intro lane h
    obtain ⟨hl, ht⟩ := h
    obtain ⟨hlen, ds, hds, hsum, hweigh, hsides⟩ := lane_digits (K := K) l 0 hl
    obtain ⟨hlanes, hflat, es, hes, ih, iw, is⟩ := smaller (lane + 1) ht
    rw [Nat.zero_add] at hlen
    have hdl : ds.length = a.laneColumns := by rw [← packed_length l ds hds, hlen]
    have e1 : ∀ k, lane + 1 + k = lane + (k + 1) := fun k => by rw [Nat.add_assoc, Nat.add_comm 1 k]
    have e2 : ∀ column k,
        a.laneColumns + (column + a.laneColumns * k) = column + a.laneColumns * (k + 1) := fun column k => by
      rw [Nat.mul_succ]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    refine ⟨?_, ?_, appendDigits ds es, packed_append l ds _ es hds hes, ?_, ?_, ?_⟩
    · show lane + (lanes.length + 1) = _
      rw [← hlanes, Nat.succ_add]; rfl
    · show (append l (flatten lanes)).length = (lanes.length + 1) * a.laneColumns
      rw [length_append, hlen, hflat, Nat.succ_mul, Nat.add_comm]
    · intro slots source i hi
      show _ =
        sum a.laneColumns (fun column => _ * slots (source (column + a.laneColumns * 0))) + sum lanes.length _
      rw [combination_append, mul_add, hsum slots source i hi,
          ih slots (fun k => source (ds.length + k)) i hi, hlen, hdl]
      rw [sum_congr (n := lanes.length) (fun k _ => sum_congr (fun column _ => by rw [e1 k, e2 column k]))]
      rw [sum_congr (n := a.laneColumns) (fun column _ => by rw [Nat.zero_add])]
      rfl
    · intro slots source radius m i hi hx
      have whole : (lanes.length + 1) * a.laneColumns = a.laneColumns + lanes.length * a.laneColumns := by
        rw [Nat.succ_mul, Nat.add_comm]
      have hx : ∀ k, k < a.laneColumns + lanes.length * a.laneColumns →
          AtMost (m * slots (source k)) (natural (radius (source k))) := fun k hk =>
        hx k (by show k < (lanes.length + 1) * a.laneColumns; rw [whole]; exact hk)
      have w1 := hweigh slots source radius m i hi
        (fun k hk => hx k (Nat.le_trans (by rw [hlen] at hk; exact hk) (Nat.le_add_right _ _)))
      have w2 := iw slots (fun k => source (ds.length + k)) radius m i hi
        (fun k hk => hx _ (by rw [hdl]; exact Nat.add_le_add (Nat.le.refl (n := a.laneColumns)) hk))
      rw [hlen] at w1
      have t1 : (fun column => [Binary32.scaled (a.pattern i lane (0 + column)) * slots (source column)]) =
          (fun column => [Binary32.scaled (a.pattern i (lane + 0) column) *
                  slots (source (column + a.laneColumns * 0))]) := funext fun column => by
        rw [Nat.zero_add]; rfl
      have t2 : (fun k => listed a.laneColumns fun column => [Binary32.scaled
              (a.pattern i (lane + 1 + k) column) *
            slots (source (ds.length + (column + a.laneColumns * k)))]) =
          (fun k => listed a.laneColumns fun column => [Binary32.scaled
                    (a.pattern i (lane + (k + 1)) column) *
                  slots (source (column + a.laneColumns * (k + 1)))]) := funext fun k => by
        refine congrArg (listed a.laneColumns) (funext fun column => ?_)
        rw [e1 k, hdl, e2 column k]
      rw [t1] at w1
      rw [t2] at w2
      have w := w1.join w2
      rw [← mul_add, ← natural_add, ← weight_append] at w
      exact w
    · intro slots source up down m i hi hx
      have whole : (lanes.length + 1) * a.laneColumns = a.laneColumns + lanes.length * a.laneColumns := by
        rw [Nat.succ_mul, Nat.add_comm]
      have hx : ∀ k, k < a.laneColumns + lanes.length * a.laneColumns →
          m * slots (source k) ≤ natural (up (source k)) ∧
            -(m * slots (source k)) ≤ natural (down (source k)) := fun k hk =>
        hx k (by show k < (lanes.length + 1) * a.laneColumns; rw [whole]; exact hk)
      have w1 := hsides slots source up down m i hi
        (fun k hk => hx k (Nat.le_trans (by rw [hlen] at hk; exact hk) (Nat.le_add_right _ _)))
      have w2 := is slots (fun k => source (ds.length + k)) up down m i hi
        (fun k hk => hx _ (by rw [hdl]; exact Nat.add_le_add (Nat.le.refl (n := a.laneColumns)) hk))
      rw [hlen] at w1
      have t1 : (fun column => [Binary32.scaled (a.pattern i lane (0 + column)) * slots (source column)]) =
          (fun column => [Binary32.scaled (a.pattern i (lane + 0) column) *
                  slots (source (column + a.laneColumns * 0))]) := funext fun column => by
        rw [Nat.zero_add]; rfl
      have t2 : (fun k => listed a.laneColumns fun column => [Binary32.scaled
              (a.pattern i (lane + 1 + k) column) *
            slots (source (ds.length + (column + a.laneColumns * k)))]) =
          (fun k => listed a.laneColumns fun column => [Binary32.scaled
                    (a.pattern i (lane + (k + 1)) column) *
                  slots (source (column + a.laneColumns * (k + 1)))]) := funext fun k => by
        refine congrArg (listed a.laneColumns) (funext fun column => ?_)
        rw [e1 k, hdl, e2 column k]
      rw [t1] at w1
      rw [t2] at w2
      have w := w1.join w2
      rw [← mul_add, ← natural_add, ← sides_append, ← mul_add, ← natural_add, ← sides_append] at w
      exact w

/-- The index of a column of a lane among all words of a position. -/
theorem word_index (a : Affine) (position lane column : Nat) :
    a.columns * position + (column + a.laneColumns * lane) =
    column + a.laneColumns * (lane + a.lanes * position) := by
  show a.lanes * a.laneColumns * position + _ = _
  rw [Nat.mul_add, Nat.mul_comm a.lanes, Nat.mul_assoc]
  simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

/-- The decoded columns of a node compute the node's form, and the sum of its products' absolute values. -/
theorem decoded_weighing {a : Affine} {d : Decoding} {lanes : List (List Column)}
    (h : LanesHold a d 0 lanes) :
    (flatten lanes).length = a.columns ∧
    ∃ ds, Packed (32 * a.lanes) a.rows (2 ^ d.bits) (flatten lanes) ds ∧
      (∀ (slots : Nat → K) (position i : Nat), i < a.rows →
          natural (2 ^ (d.base - 1)) *
              Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) i =
            a.form slots position i) ∧
      (∀ (slots : Nat → K) (radius : Nat → Nat) (m : K) (position i : Nat), i < a.rows →
          (∀ k, k < a.columns →
              AtMost (m * slots (word a.sources (a.columns * position + k)))
                (natural (radius (word a.sources (a.columns * position + k))))) →
          Weighs m (a.terms slots position i)
            (natural (2 ^ (d.base - 1)) *
              natural (weight radius ds (fun k => word a.sources (a.columns * position + k)) i))) ∧
      (∀ (slots : Nat → K) (up down : Nat → Nat) (m : K) (position i : Nat), i < a.rows →
          (∀ k, k < a.columns →
              m * slots (word a.sources (a.columns * position + k)) ≤
                  natural (up (word a.sources (a.columns * position + k))) ∧
                -(m * slots (word a.sources (a.columns * position + k))) ≤
                  natural (down (word a.sources (a.columns * position + k)))) →
          Leans m (a.terms slots position i)
            (natural (2 ^ (d.base - 1)) *
              natural (sides up down ds (fun k => word a.sources (a.columns * position + k)) i))
            (natural (2 ^ (d.base - 1)) *
              natural (sides down up ds (fun k => word a.sources (a.columns * position + k)) i))) := by
  obtain ⟨hlanes, hflat, ds, hds, hsum, hweigh, hsides⟩ := lanes_digits (K := K) lanes 0 h
  rw [Nat.zero_add] at hlanes
  refine ⟨by rw [hflat, hlanes]; rfl, ds, hds, ?_, ?_, ?_⟩
  · intro slots position i hi
    rw [hsum slots _ i hi, hlanes]
    unfold Affine.form
    refine sum_congr fun lane _ => sum_congr fun column _ => ?_
    rw [Nat.zero_add, word_index]; rfl
  · intro slots radius m position i hi hx
    have w := hweigh slots _ radius m i hi (fun k hk => hx k (by rw [hlanes] at hk; exact hk))
    rw [hlanes] at w
    have t : (fun lane => listed a.laneColumns fun column =>
          [Binary32.scaled (a.pattern i (0 + lane) column) *
              slots (word a.sources (a.columns * position + (column + a.laneColumns * lane)))]) =
        (fun lane => listed a.laneColumns fun column =>
              [Binary32.scaled (a.pattern i lane column) * slots (a.source position lane column)]) :=
            funext fun lane => by
      refine congrArg (listed a.laneColumns) (funext fun column => ?_)
      rw [Nat.zero_add, word_index]; rfl
    rw [t] at w
    exact w
  · intro slots up down m position i hi hx
    have w := hsides slots _ up down m i hi (fun k hk => hx k (by rw [hlanes] at hk; exact hk))
    rw [hlanes] at w
    have t : (fun lane => listed a.laneColumns fun column =>
          [Binary32.scaled (a.pattern i (0 + lane) column) *
              slots (word a.sources (a.columns * position + (column + a.laneColumns * lane)))]) =
        (fun lane => listed a.laneColumns fun column =>
              [Binary32.scaled (a.pattern i lane column) * slots (a.source position lane column)]) :=
            funext fun lane => by
      refine congrArg (listed a.laneColumns) (funext fun column => ?_)
      rw [Nat.zero_add, word_index]; rfl
    rw [t] at w
    exact w

/-- The decoded columns of a node compute the node's form. -/
theorem decoded {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : LanesHold a d 0 lanes) :
    (flatten lanes).length = a.columns ∧
    ∃ ds, Packed (32 * a.lanes) a.rows (2 ^ d.bits) (flatten lanes) ds ∧
      ∀ (slots : Nat → K) (position i : Nat), i < a.rows →
        natural (2 ^ (d.base - 1)) *
            Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) i =
          a.form slots position i := by
  obtain ⟨h1, ds, h2, h3, _, _⟩ := decoded_weighing (K := K) h
  exact ⟨h1, ds, h2, h3⟩
end Columns
end PytestTorchLean
