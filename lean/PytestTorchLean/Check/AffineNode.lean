prelude
import PytestTorchLean.Check.Prepared
import PytestTorchLean.Check.Rows
/-!
# Running an affine node on bounds

Each step of the checker takes the memory of the slots so far and hands the longer memory to `next`. The
theorems say: if the whole check is true, the memory handed on bounds every execution.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Affine
/-- The conditions on the numbers of a node, decided once per graph. -/
def fits (s : Scale) (a : Affine) (d : Decoding) (start : Nat) : Bool :=
  both (Nat.ble (s.half + s.half) (32 * a.lanes))
    (both (Nat.ble 1 d.base)
      (both (Nat.ble d.base 150)
        (both (Nat.ble 1 a.divisor)
          (both (Nat.ble (Linear.reach s (2 ^ d.bits) a.columns + 1) (2 ^ s.half))
            (wordsBelow start (a.columns * a.positions) a.sources)))))

/-- The bounds of all rows at all positions, from the position whose sources come first on. -/
def gather (stride b rows width direct mirrored : Nat) (columns : List Column) (positions : Nat) :
    Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun _ rest sources => Nat.add (Linear.accumulate stride direct mirrored columns sources)
      (Nat.shiftLeft (rest (Nat.shiftRight sources width)) (Nat.mul b rows))) positions
theorem gather_succ (stride b rows width direct mirrored : Nat) (columns : List Column)
    (positions sources : Nat) :
    gather stride b rows width direct mirrored columns (positions + 1) sources =
    Linear.accumulate stride direct mirrored columns sources +
      2 ^ (b * rows) *
        gather stride b rows width direct mirrored columns positions (Nat.shiftRight sources width) :=
  congrArg _ (Nat.mul_comm _ (2 ^ (b * rows)))

variable {K : Type u} [OrderedRing K]

/-- What is known of the bounds of `remaining` positions from `position` on; `value` is what the columns
    combine to. -/
theorem gather_sound {s : Scale} {slots value : Nat → K} {a : Affine} {start bound direct mirrored : Nat}
    {columns : List Column} {ds : List Digits}
    (sf : s.Fits)
    (hlen : columns.length = a.columns)
    (hp : Packed (32 * a.lanes) a.rows bound columns ds)
    (hr : Linear.reach s bound a.columns < 2 ^ s.half)
    (hs : ∀ i, i < a.columns * a.positions → word a.sources i < start)
    (hy : ∀ position row, position < a.positions → row < a.rows →
      value (row + a.rows * position) =
        Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) row)
    (hm : (Memory.mk direct mirrored).Holds s slots start) :
    (remaining position : Nat) → position + remaining = a.positions →
    ∃ low high mass : Nat → Nat, gather s.stride (32 * a.lanes) a.rows (32 * a.columns) direct mirrored
          columns remaining (Nat.shiftRight a.sources (32 * (a.columns * position))) =
        pack (32 * a.lanes) (a.rows * remaining) (fun i => low i + 2 ^ s.half * high i) ∧
      s.center * Linear.masses columns * pack (32 * a.lanes * a.rows) remaining (fun _ => 1) =
        pack (32 * a.lanes) (a.rows * remaining) mass ∧
      (∀ i, i < a.rows * remaining →
          low i ≤ Linear.reach s bound a.columns ∧
            high i ≤ Linear.reach s bound a.columns ∧
            mass i ≤ Linear.reach s bound a.columns) ∧
      (∀ i, i < a.rows * remaining →
          natural (low i) ≤ natural s.unit * value (a.rows * position + i) + natural (mass i) ∧
            natural s.unit * value (a.rows * position + i) + natural (mass i) ≤ natural (high i)) := by
  intro remaining
  induction remaining with
  | zero =>
    intro _ _
    exact ⟨fun _ => 0, fun _ => 0, fun _ => 0, rfl, Nat.mul_zero _,
        fun i hi => absurd hi (Nat.not_succ_le_zero i), fun i hi => absurd hi (Nat.not_succ_le_zero i)⟩
  | succ remaining smaller =>
    intro position hpos
    have hlt : position < a.positions := by
      rw [← hpos]
      show position + 1 ≤ position + (remaining + 1)
      exact Nat.succ_le_succ (Nat.le_add_right _ _)
    have hword : ∀ k, word (Nat.shiftRight a.sources (32 * (a.columns * position))) k =
        word a.sources (a.columns * position + k) := fun k => by
      show a.sources / 2 ^ (32 * (a.columns * position)) / 2 ^ (32 * k) % 2 ^ 32 =
        a.sources / 2 ^ (32 * (a.columns * position + k)) % 2 ^ 32
      rw [Natural.shift_shift, Nat.mul_add]
    have hfun : word (Nat.shiftRight a.sources (32 * (a.columns * position))) =
      fun k => word a.sources (a.columns * position + k) := funext hword
    have hbelow : ∀ k, k < columns.length →
        word (Nat.shiftRight a.sources (32 * (a.columns * position))) k < start := fun k hk => by
      rw [hword]
      rw [hlen] at hk
      refine hs _ ?_
      refine Nat.le_trans ?_ (Nat.mul_le_mul Nat.le.refl hlt)
      show a.columns * position + (k + 1) ≤ a.columns * position + a.columns
      exact Nat.add_le_add Nat.le.refl hk
    obtain ⟨lo, hi, e1, e2, hq⟩ := Linear.apply_columns sf hm hp hbelow (by rw [hlen]; exact hr)
    rw [hlen] at hq
    obtain ⟨low, high, mass, r1, r2, r3, r4⟩ :=
      smaller (position + 1) (by rw [← hpos, Nat.add_assoc, Nat.add_comm 1])
    have hshift : Nat.shiftRight (Nat.shiftRight a.sources (32 * (a.columns * position))) (32 * a.columns) =
        Nat.shiftRight a.sources (32 * (a.columns * (position + 1))) := by
      show a.sources / 2 ^ (32 * (a.columns * position)) / 2 ^ (32 * a.columns) =
        a.sources / 2 ^ (32 * (a.columns * (position + 1)))
      rw [Natural.shift_shift, ← Nat.mul_add]; rfl
    have hcount : a.rows * (remaining + 1) = a.rows + a.rows * remaining := by rw [Nat.mul_succ, Nat.add_comm]
    refine ⟨Memory.splice a.rows lo low, Memory.splice a.rows hi high,
        Memory.splice a.rows (fun i => s.center * Linear.mass ds i) mass, ?_, ?_, ?_, ?_⟩
    · rw [gather_succ, hshift, r1, e1, hcount]
      refine Memory.pack_splice (fun i h => ?_) (fun i _ => ?_)
      · rw [Memory.splice_old _ _ h, Memory.splice_old _ _ h]
      · rw [Memory.splice_new, Memory.splice_new]
    · rw [pack_succ, Nat.mul_add, Natural.mul_one, Nat.mul_left_comm, r2, e2, hcount]
      exact Memory.pack_splice (fun i h => Memory.splice_old _ _ h) (fun i _ => Memory.splice_new _ _ _ _)
    · intro i h
      rw [hcount] at h
      cases Natural.le_or_lt a.rows i with
      | inl g =>
        obtain ⟨k, rfl⟩ := Nat.exists_of_le g
        rw [Memory.splice_new, Memory.splice_new, Memory.splice_new]
        exact r3 k (Memory.lt_of_add_lt h)
      | inr g =>
        rw [Memory.splice_old _ _ g, Memory.splice_old _ _ g, Memory.splice_old _ _ g]
        exact (hq i g).2.2.2.1
    · intro i h
      rw [hcount] at h
      cases Natural.le_or_lt a.rows i with
      | inl g =>
        obtain ⟨k, rfl⟩ := Nat.exists_of_le g
        rw [Memory.splice_new, Memory.splice_new, Memory.splice_new]
        have z := r4 k (Memory.lt_of_add_lt h)
        have slot : a.rows * (position + 1) + k = a.rows * position + (a.rows + k) := by
          rw [Nat.mul_succ]; simp only [Nat.add_assoc]
        rw [slot] at z
        exact z
      | inr g =>
        rw [Memory.splice_old _ _ g, Memory.splice_old _ _ g, Memory.splice_old _ _ g]
        have q := hq i g
        rw [hfun, ← hy position i hlt g, Nat.add_comm i] at q
        exact ⟨q.2.2.2.2.1, q.2.2.2.2.2⟩

/-- From a row's combination to the value in the slot. -/
theorem bounded_values {s : Scale} {slots : Nat → K} {e n : Nat} {low high mass : Nat → Nat}
    (h : ∀ i, i < n → natural (low i) ≤ natural s.unit * (natural e * slots i) + natural (mass i) ∧
      natural s.unit * (natural e * slots i) + natural (mass i) ≤ natural (high i)) :
    Rows.Bounded s slots e (e * s.center) 0 n low high mass := by
  intro i hi
  rw [Nat.zero_add]
  unfold Scale.image
  have z : natural e * (natural s.unit * slots i + natural s.center) + natural (mass i)
      = natural s.unit * (natural e * slots i) + natural (mass i) + natural (e * s.center) := by
    rw [natural_mul e]
    exact (ring5 K e u x c m, e * (u * x + c) + m, u * (e * x) + m + e * c) _ _ _ _ _
  rw [z]
  exact ⟨add_le _ (h i hi).1, add_le _ (h i hi).2⟩

/-- A block of `n` slots behind the memory. -/
def extend (stride n direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) (tail tailMirrored : Nat) :
    Bool :=
  force (fun place => force (fun direct' => force
        (fun mirrored' => force (fun count' => next direct' mirrored' count') (Nat.add count n))
        (Nat.add mirrored (Nat.mul place tailMirrored))) (Nat.add direct (Nat.mul place tail)))
    (Nat.pow 2 (Nat.mul stride count))
/-- For the compiler, as in Core/Recursors: shifts take less time than products. -/
@[inline] def compiledExtend (stride n direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool)
    (tail tailMirrored : Nat) : Bool :=
  next (Nat.add direct (Nat.shiftLeft tail (Nat.mul stride count)))
    (Nat.add mirrored (Nat.shiftLeft tailMirrored (Nat.mul stride count))) (Nat.add count n)
theorem extend_eq (stride n direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool)
    (tail tailMirrored : Nat) :
    extend stride n direct mirrored count next tail tailMirrored =
    next (direct + 2 ^ (stride * count) * tail) (mirrored + 2 ^ (stride * count) * tailMirrored)
      (count + n) := by
  unfold extend
  simp only [force_eq]
  rfl
@[csimp] theorem compiledExtend_eq : @extend = @compiledExtend :=
  funext fun stride => funext fun n => funext fun direct => funext fun mirrored =>
      funext fun count => funext fun next => funext fun tail => funext fun tailMirrored => by
    have e : ∀ x : Nat, Nat.shiftLeft x (stride * count) = 2 ^ (stride * count) * x :=
        fun x => by rw [NatEquations.shiftLeft_eq, Nat.mul_comm]
    rw [extend_eq, ← e, ← e]
    rfl

/-- `gather`, with one product for all columns where there is only one position. -/
def boundsOf [Prepared] (stride b direct mirrored start : Nat) (a : Affine) (columns : List Column) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.beq a.positions 1)
    (gather stride b a.rows (32 * a.columns) direct mirrored columns a.positions a.sources)
    (Dense.apply Prepared.longest stride (b * a.rows) direct mirrored start a.columns columns a.sources)
theorem boundsOf_eq [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {start bound direct mirrored : Nat}
    {columns : List Column} {ds : List Digits}
    (sf : s.Fits)
    (hb : s.half + s.half ≤ 32 * a.lanes)
    (hlen : columns.length = a.columns)
    (hp : Packed (32 * a.lanes) a.rows bound columns ds)
    (hr : Linear.reach s bound a.columns < 2 ^ s.half)
    (hm : (Memory.mk direct mirrored).Holds s slots start) :
    boundsOf s.stride (32 * a.lanes) direct mirrored start a columns =
    gather s.stride (32 * a.lanes) a.rows (32 * a.columns) direct mirrored columns a.positions a.sources := by
  unfold boundsOf
  cases c : Nat.beq a.positions 1 with
  | false => rfl
  | true =>
    have one := Nat.eq_of_beq_eq_true c
    rw [one, gather_succ, ← hlen]
    rw [← hlen] at hr
    refine (Dense.apply_eq sf hm hp hr hb).trans ?_
    show _ = Linear.accumulate s.stride direct mirrored columns a.sources + 2 ^ (32 * a.lanes * a.rows) * 0
    rw [Nat.mul_zero]; rfl

/-- Bounds of the outputs of an affine node. -/
def run [Prepared] (s : Scale) (a : Affine) (d : Decoding) (direct mirrored start : Nat)
    (next : Nat → Nat → Nat → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => both (both (fits s a d start) (Nat.ble 1 (32 * a.lanes * a.rows)))
      (force (fun stride =>
            force (fun b => force (fun e => force (fun offset => force (fun mass => force (fun bounds =>
          Rows.write s b e offset (Linear.reach s (2 ^ d.bits) a.columns) (a.rows * a.positions) bounds mass
            (extend stride (a.rows * a.positions) direct mirrored start next))
        (boundsOf stride b direct mirrored start a (Prepared.summed a d lanes).columns))
        (s.center * (Prepared.summed a d lanes).masses * ones (32 * a.lanes * a.rows) a.positions))
            (e * s.center)) (a.divisor * 2 ^ (150 - d.base)))
        (32 * a.lanes)) s.stride))
    (Prepared.columns a d)

theorem base_split {base : Nat} (h1 : 1 ≤ base) (h2 : base ≤ 150) :
    2 ^ (base - 1) * 2 ^ (150 - base) = 2 ^ 149 := by
  rw [← Natural.pow_add]
  have e : base - 1 + (150 - base) = 149 := by
    have a : base - 1 + 1 = base := Natural.succ_pred h1
    have b : 150 - base + base = 150 := Natural.sub_add_cancel h2
    apply Natural.add_right_cancel 1
    show base - 1 + (150 - base) + 1 = 150
    rw [Nat.add_assoc, Nat.add_comm (150 - base), ← Nat.add_assoc, a, Nat.add_comm]; exact b
  rw [e]

/-- The equation of a row over the decoded integers. -/
theorem equation {a : Affine} {base : Nat} (h1 : 1 ≤ base) (h2 : base ≤ 150) {y c f : K}
    (hy : natural (a.divisor * 2 ^ 149) * y = f) (hc : natural (2 ^ (base - 1)) * c = f) :
    natural (a.divisor * 2 ^ (150 - base)) * y = c := by
  rw [← base_split h1 h2, natural_mul, natural_mul, ← hc] at hy
  rw [natural_mul]
  have e : natural (2 ^ (base - 1)) * (natural a.divisor * natural (2 ^ (150 - base)) * y) =
      natural (2 ^ (base - 1)) * c := by
    rw [← hy]; exact (ring4 K p d q y, p * (d * q * y), d * (p * q) * y) _ _ _ _
  exact le_antisymm (Rows.cancel (Natural.two_pow_pos _) (le_of_eq e))
    (Rows.cancel (Natural.two_pow_pos _) (le_of_eq e.symm))

/-- What a run that succeeds says of the decoding. -/
theorem run_base [Prepared] {s : Scale} {a : Affine} {d : Decoding} {direct mirrored start : Nat}
    {next : Nat → Nat → Nat → Bool} (h : run s a d direct mirrored start next = true) :
    1 ≤ d.base ∧ d.base ≤ 150 := by
  unfold run at h
  rw [Prepared.columns_eq] at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
    rw [hd] at h
    have hf := (both_true (both_true (both_true h).1).1).2
    exact ⟨Nat.le_of_ble_eq_true (both_true hf).1, Nat.le_of_ble_eq_true (both_true (both_true hf).2).1⟩

/-- Bounds of an affine node's inputs give bounds of its outputs, division and outward rounding included. -/
theorem run_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding}
    {direct mirrored start : Nat} {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots start)
    (hn : (Node.affine a).Holds .real slots start)
    (h : run s a d direct mirrored start next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧
      next direct' mirrored' (start + (Node.affine a).size) = true := by
  unfold run at h
  rw [Prepared.columns_eq] at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
    rw [hd] at h
    obtain ⟨hf, h⟩ := both_true h
    simp only [force_eq, Prepared.summed_eq _ _ _ hd, summed] at h
    obtain ⟨hf, wide⟩ := both_true hf
    have wide := Nat.le_of_ble_eq_true wide
    obtain ⟨f1, hf⟩ := both_true hf
    obtain ⟨f2, hf⟩ := both_true hf
    obtain ⟨f3, hf⟩ := both_true hf
    obtain ⟨f4, hf⟩ := both_true hf
    obtain ⟨f5, f6⟩ := both_true hf
    have f1 := Nat.le_of_ble_eq_true f1
    have f2 := Nat.le_of_ble_eq_true f2
    have f3 := Nat.le_of_ble_eq_true f3
    have f5 := Nat.le_of_ble_eq_true f5
    obtain ⟨hlen, ds, hp, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
    have he : 0 < a.divisor * 2 ^ (150 - d.base) :=
      Nat.mul_le_mul (a := 1) (c := 1) (Nat.le_of_ble_eq_true f4) (Natural.two_pow_pos (150 - d.base))
    have size : start + (Node.affine a).size = start + a.rows * a.positions := by
      show start + a.positions * a.rows = _; rw [Nat.mul_comm]
    rw [size]
    obtain ⟨low, high, mass, r1, r2, r3, r4⟩ := gather_sound
      (value := fun i => natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + i)) sf hlen hp f5
      (wordsBelow_sound start _ _ f6)
      (fun position row h1 h2 => equation f2 f3 (hn position row h1 h2) (hform slots position row h2)) hm
      a.positions 0 (Nat.zero_add _)
    have zero : Nat.shiftRight a.sources (32 * (a.columns * 0)) = a.sources := Natural.div_one _
    rw [zero, ← boundsOf_eq sf f1 hlen hp f5 hm] at r1
    rw [← ones_eq wide] at r2
    rw [r1, r2] at h
    have r4 : ∀ i, i < a.rows * a.positions → _ := fun i hi => by
      have z := r4 i hi
      rw [Nat.mul_zero, Nat.zero_add] at z
      exact z
    obtain ⟨tail, tailMirrored, m1, m2⟩ :=
      Rows.write_sound (slots := fun i => slots (start + i)) sf f1 he f5 r3 (bounded_values r4) h
    rw [Affine.extend_eq] at m2
    exact ⟨_, _, Memory.append_holds hm m1, m2⟩

end Affine

end PytestTorchLean
