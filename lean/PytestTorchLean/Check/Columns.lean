prelude
import PytestTorchLean.Check.Linear
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

def append (first second : List Column) : List Column :=
  List.rec (motive := fun _ => List Column) second (fun c _ rest => c :: rest) first
/-- All columns, lane after lane. -/
def flatten (lanes : List (List Column)) : List Column :=
  List.rec (motive := fun _ => List Column) [] (fun lane _ rest => append lane rest) lanes
def appendDigits : List Digits → List Digits → List Digits
  | [], second => second
  | d :: ds, second => d :: appendDigits ds second

theorem sum_congr {n : Nat} {f g : Nat → K} (h : ∀ i, i < n → f i = g i) : sum n f = sum n g := by
  induction n generalizing f g with
  | zero => rfl
  | succ n ih =>
    show f 0 + sum n _ = g 0 + sum n _
    rw [h 0 (Nat.succ_le_succ (Nat.zero_le n)), ih (fun i hi => h (i + 1) (Nat.succ_le_succ hi))]

/-- A represented weight times a number. -/
theorem represents_mul {base w p n : Nat} (h : Represents base w p n) (x : K) :
    natural (2 ^ (base - 1)) * ((natural p - natural n) * x) = Binary32.scaled w * x := by
  unfold Binary32.scaled
  cases h with
  | inl h =>
    obtain ⟨hs, hm, hn⟩ := h
    rw [hs, hn]
    show _ = natural (Binary32.magnitude w) * x
    rw [hm, natural_mul]
    exact (ring3 K b p x, b * ((p - 0) * x), b * p * x) (natural (2 ^ (base - 1))) (natural p) x
  | inr h =>
    obtain ⟨hs, hm, hp⟩ := h
    rw [hs, hp]
    show _ = -natural (Binary32.magnitude w) * x
    rw [hm, natural_mul]
    exact (ring3 K b n x, b * ((0 - n) * x), -(b * n) * x) (natural (2 ^ (base - 1))) (natural n) x

theorem combination_append (slots : Nat → K) (i : Nat) : (ds es : List Digits) → (source : Nat → Nat) →
    Linear.combination slots (appendDigits ds es) source i =
      Linear.combination slots ds source i + Linear.combination slots es (fun k => source (ds.length + k)) i
  | [], es, source => by
    show Linear.combination slots es source i = 0 + Linear.combination slots es (fun k => source (0 + k)) i
    rw [zero_add]
    have e : (fun k => source (0 + k)) = source := funext fun k => by rw [Nat.zero_add]
    rw [e]
  | d :: ds, es, source => by
    show _ + Linear.combination slots (appendDigits ds es) _ i = _ + Linear.combination slots ds _ i + _
    rw [combination_append slots i ds es (fun k => source (k + 1)), ← add_assoc]
    have e : (fun k => source (ds.length + k + 1)) = (fun k => source ((d :: ds).length + k)) := funext fun k => by
      show source (ds.length + k + 1) = source (ds.length + 1 + k)
      rw [Nat.add_assoc, Nat.add_comm k 1, ← Nat.add_assoc]
    rw [e]

theorem packed_length {b rows bound : Nat} : (cs : List Column) → (ds : List Digits) → Packed b rows bound cs ds → cs.length = ds.length
  | [], [], _ => rfl
  | _ :: cs, _ :: ds, h => congrArg Nat.succ (packed_length cs ds h.2)
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem packed_append {b rows bound : Nat} : (cs : List Column) → (ds : List Digits) → (cs' : List Column) → (ds' : List Digits) →
    Packed b rows bound cs ds → Packed b rows bound cs' ds' → Packed b rows bound (append cs cs') (appendDigits ds ds')
  | [], [], _, _, _, h' => h'
  | _ :: cs, _ :: ds, cs', ds', h, h' => ⟨h.1, packed_append cs ds cs' ds' h.2 h'⟩
  | [], _ :: _, _, _, h, _ => h.elim
  | _ :: _, [], _, _, h, _ => h.elim
theorem length_append : (cs cs' : List Column) → (append cs cs').length = cs.length + cs'.length
  | [], cs' => (Nat.zero_add _).symm
  | _ :: cs, cs' => (congrArg Nat.succ (length_append cs cs')).trans (Nat.succ_add _ _).symm

/-- What is known of the columns of one lane, from index `column` on. -/
theorem lane_digits {a : Affine} {d : Decoding} {lane : Nat} : (cs : List Column) → (column : Nat) → LaneHolds a d lane column cs →
    column + cs.length = a.laneColumns ∧ ∃ ds, Packed (32 * a.lanes) a.rows (2 ^ d.bits) cs ds ∧
      ∀ (slots : Nat → K) (source : Nat → Nat) (i : Nat), i < a.rows →
        natural (2 ^ (d.base - 1)) * Linear.combination slots ds source i =
          sum cs.length fun k => Binary32.scaled (a.pattern i lane (column + k)) * slots (source k)
  | [], column, h => ⟨h, [], trivial, fun _ _ _ _ => mul_zero _⟩
  | c :: cs, column, h => by
    obtain ⟨⟨p, n, hp, hn, hd⟩, ht⟩ := h
    obtain ⟨hlen, ds, hds, ih⟩ := lane_digits cs (column + 1) ht
    refine ⟨?_, ⟨p, n⟩ :: ds, ⟨⟨hp, hn, fun i hi => ⟨Natural.le_of_lt (hd i hi).1, Natural.le_of_lt (hd i hi).2.1⟩⟩, hds⟩, ?_⟩
    · show column + (cs.length + 1) = _
      rw [← hlen, Nat.succ_add]; rfl
    · intro slots source i hi
      show natural (2 ^ (d.base - 1)) * ((natural (p i) - natural (n i)) * slots (source 0) + Linear.combination slots ds (fun k => source (k + 1)) i) =
        Binary32.scaled (a.pattern i lane (column + 0)) * slots (source 0) + sum cs.length _
      rw [mul_add, ih slots (fun k => source (k + 1)) i hi, represents_mul (hd i hi).2.2]
      have e : ∀ k, column + 1 + k = column + (k + 1) := fun k => by rw [Nat.add_assoc, Nat.add_comm 1 k]
      rw [sum_congr (fun k _ => by rw [e k])]; rfl

theorem lanes_digits {a : Affine} {d : Decoding} : (lanes : List (List Column)) → (lane : Nat) → LanesHold a d lane lanes →
    lane + lanes.length = a.lanes ∧ (flatten lanes).length = lanes.length * a.laneColumns ∧
    ∃ ds, Packed (32 * a.lanes) a.rows (2 ^ d.bits) (flatten lanes) ds ∧
      ∀ (slots : Nat → K) (source : Nat → Nat) (i : Nat), i < a.rows →
        natural (2 ^ (d.base - 1)) * Linear.combination slots ds source i =
          sum lanes.length fun k => sum a.laneColumns fun column =>
            Binary32.scaled (a.pattern i (lane + k) column) * slots (source (column + a.laneColumns * k))
  | [], lane, h => ⟨h, (Nat.zero_mul _).symm, [], trivial, fun _ _ _ _ => mul_zero _⟩
  | l :: lanes, lane, h => by
    obtain ⟨hl, ht⟩ := h
    obtain ⟨hlen, ds, hds, hsum⟩ := lane_digits (K := K) l 0 hl
    obtain ⟨hlanes, hflat, es, hes, ih⟩ := lanes_digits lanes (lane + 1) ht
    rw [Nat.zero_add] at hlen
    have hdl : ds.length = a.laneColumns := by rw [← packed_length l ds hds, hlen]
    refine ⟨?_, ?_, appendDigits ds es, packed_append l ds _ es hds hes, ?_⟩
    · show lane + (lanes.length + 1) = _
      rw [← hlanes, Nat.succ_add]; rfl
    · show (append l (flatten lanes)).length = (lanes.length + 1) * a.laneColumns
      rw [length_append, hlen, hflat, Nat.succ_mul, Nat.add_comm]
    · intro slots source i hi
      show _ = sum a.laneColumns (fun column => _ * slots (source (column + a.laneColumns * 0))) + sum lanes.length _
      rw [combination_append, mul_add, hsum slots source i hi, ih slots (fun k => source (ds.length + k)) i hi, hlen, hdl]
      have e1 : ∀ k, lane + 1 + k = lane + (k + 1) := fun k => by rw [Nat.add_assoc, Nat.add_comm 1 k]
      have e2 : ∀ column k, a.laneColumns + (column + a.laneColumns * k) = column + a.laneColumns * (k + 1) := fun column k => by
        rw [Nat.mul_succ]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
      rw [sum_congr (n := lanes.length) (fun k _ => sum_congr (fun column _ => by rw [e1 k, e2 column k]))]
      rw [sum_congr (n := a.laneColumns) (fun column _ => by rw [Nat.zero_add])]
      rfl

/-- The decoded columns of a node compute the node's form. -/
theorem decoded {a : Affine} {d : Decoding} {lanes : List (List Column)} (h : LanesHold a d 0 lanes) :
    (flatten lanes).length = a.columns ∧ ∃ ds, Packed (32 * a.lanes) a.rows (2 ^ d.bits) (flatten lanes) ds ∧
      ∀ (slots : Nat → K) (position i : Nat), i < a.rows →
        natural (2 ^ (d.base - 1)) * Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) i = a.form slots position i := by
  obtain ⟨hlanes, hflat, ds, hds, hsum⟩ := lanes_digits (K := K) lanes 0 h
  rw [Nat.zero_add] at hlanes
  refine ⟨by rw [hflat, hlanes]; rfl, ds, hds, ?_⟩
  intro slots position i hi
  rw [hsum slots _ i hi, hlanes]
  unfold Affine.form
  refine sum_congr fun lane _ => sum_congr fun column _ => ?_
  rw [Nat.zero_add]
  have e : a.columns * position + (column + a.laneColumns * lane) = column + a.laneColumns * (lane + a.lanes * position) := by
    show a.lanes * a.laneColumns * position + _ = _
    rw [Nat.mul_add, Nat.mul_comm a.lanes, Nat.mul_assoc]
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  rw [e]; rfl

end Columns
end PytestTorchLean
