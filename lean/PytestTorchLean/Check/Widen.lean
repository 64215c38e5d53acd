prelude
import PytestTorchLean.Check.Passed
import PytestTorchLean.Check.SignedError
import PytestTorchLean.Check.Sources
/-!
# Rows that lie within their errors of what the weights say

The bounds of an affine node's rows, in exact arithmetic, are widened by an error for each row, and written to
the memory. How large the errors are is found in Check/Rounded.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Affine

/-! ### The errors of all rows -/

/-- The error of a row for each unit of its absolute weights, when all sources lie within the radius. -/
def errorFactor (a : Affine) (radius : Nat) : Nat :=
  Nat.succ (Nat.div (Nat.mul (relativeError a.columns a.divisor) radius) (2 ^ 48))
/-- No error is larger, if no unit of weight is charged more than `factor`. -/
def errorLimit (s : Scale) (a : Affine) (d : Decoding) (factor : Nat) : Nat :=
  factor * (a.columns * (2 ^ d.bits + 2 ^ d.bits)) + errorLoss s a d

/-- The conditions on a node whose errors are bounded. -/
def roundable (s : Scale) (a : Affine) (d : Decoding) : Bool :=
  both (both (Nat.ble 1 s.half) (Nat.ble (Nat.succ s.top) (Nat.pow 2 (Nat.sub s.half 1))))
    (both (Nat.ble a.columns (2 ^ 22))
        (Nat.ble (Nat.succ ((2 ^ 48 + growth a.columns) *
                (2 ^ (d.base - 1) * Linear.reach s (2 ^ d.bits) a.columns) +
              2 ^ 48 * (a.columns + a.columns) * s.unit)) (2 ^ 48 * s.unit * overflowThreshold)))

/-- Widen the rows by their errors, `most` at most, and write them. -/
def widen [Prepared] (s : Scale) (a : Affine) (d : Decoding) (direct mirrored start : Nat)
    (columns : List Column) (masses most : Nat) (next : Nat → Nat → Nat → Nat → Bool) (error : Nat) : Bool :=
  both (Nat.ble (Nat.succ (Linear.reach s (2 ^ d.bits) a.columns + (most + most))) (2 ^ s.half))
    (force (fun stride =>
          force (fun b => force (fun e => force (fun offset => force (fun mass => force (fun bounds =>
        Rows.write s b e offset (Linear.reach s (2 ^ d.bits) a.columns + (most + most)) (a.rows * a.positions)
          bounds mass (extend stride (a.rows * a.positions) direct mirrored start (next error)))
      (Nat.add (boundsOf stride b direct mirrored start a columns)
          (Nat.mul (Nat.pow 2 s.half) (Nat.add error error))))
      (Nat.add (Nat.mul s.center (Nat.mul masses (ones (32 * a.lanes * a.rows) a.positions))) error))
        (e * s.center))
      (a.divisor * 2 ^ (150 - d.base))) (32 * a.lanes)) s.stride)

/-! ### Soundness -/

theorem mass_le {b rows bound i : Nat} (hi : i < rows) :
    (cs : List Column) → (ds : List Digits) → Packed b rows bound cs ds →
    Linear.mass ds i ≤ cs.length * (bound + bound)
  | [], [], _ => Nat.zero_le _
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨_, _, hd⟩, ht⟩ := h
    show d.positive i + d.negative i + Linear.mass ds i ≤ (cs.length + 1) * (bound + bound)
    rw [Nat.succ_mul, Nat.add_comm (cs.length * _)]
    exact Nat.add_le_add (Nat.add_le_add (hd i hi).1 (hd i hi).2) (mass_le hi cs ds ht)
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem weight_constant (radius i : Nat) :
    (ds : List Digits) → (source : Nat → Nat) →
    Columns.weight (fun _ => radius) ds source i = radius * Linear.mass ds i
  | [], _ => rfl
  | d :: ds, source => by
    show radius * (d.positive i + d.negative i) + Columns.weight (fun _ => radius) ds _ i =
      radius * (d.positive i + d.negative i + Linear.mass ds i)
    rw [weight_constant radius i ds, ← Nat.mul_add]

/-- The rows of a vector, position after position. -/
theorem repeated {b rows : Nat} (f : Nat → Nat) :
    (m : Nat) → pack b rows f * pack (b * rows) m (fun _ => 1) = pack b (rows * m) (fun i => f (i % rows))
  | 0 => rfl
  | m + 1 => by
    have hcount : rows * (m + 1) = rows + rows * m := by rw [Nat.mul_succ, Nat.add_comm]
    rw [pack_succ, Nat.mul_add, Natural.mul_one, Nat.mul_left_comm, repeated f m, hcount]
    refine Memory.pack_splice (fun i h => by rw [Natural.mod_eq_self h]) (fun i h => ?_)
    have pos : 0 < rows := by
      cases rows with
      | zero => rw [Nat.zero_mul] at h; exact absurd h (Nat.not_succ_le_zero i)
      | succ r => exact Nat.succ_le_succ (Nat.zero_le r)
    obtain ⟨q, r, e, lt⟩ := Natural.euclid pos i
    have e2 : rows + (r + rows * q) = r + rows * (q + 1) := by
      rw [Nat.mul_succ]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    rw [e, e2, Natural.add_mul_mod _ lt, Natural.add_mul_mod _ lt]

/-- Rounded values within their radii lie in the widened bounds. -/
theorem widened_values {s : Scale} {slots value : Nat → K} {e n : Nat} {low high mass error : Nat → Nat}
    (h : ∀ i, i < n →
      natural (low i) ≤ natural s.unit * value i + natural (mass i) ∧
        natural s.unit * value i + natural (mass i) ≤ natural (high i))
    (near : ∀ i, i < n → AtMost (natural s.unit * (natural e * slots i - value i)) (natural (error i))) :
    ∀ i, i < n →
      natural (low i) ≤ natural s.unit * (natural e * slots i) + natural (mass i + error i) ∧
        natural s.unit * (natural e * slots i) + natural (mass i + error i) ≤
          natural (high i + (error i + error i)) := by
  intro i hi
  obtain ⟨h1, h2⟩ := h i hi
  obtain ⟨n1, n2⟩ := near i hi
  rw [natural_add (mass i), natural_add (high i), natural_add (error i)]
  generalize (natural s.unit : K) = u at *
  generalize natural e * slots i = y at *
  generalize value i = c at *
  generalize (natural (mass i) : K) = m at *
  generalize (natural (error i) : K) = r at *
  constructor
  · refine le_cert ?_ (add_nonneg (sub_nonneg h1) (sub_nonneg n2))
    rw [(ring4 K u y c r, r - -(u * (y - c)), r + u * y - u * c) u y c r]
    exact (ring5 K a l m r b, a + (m + r) - l, b + m - l + (r + a - b)) (u * y) (natural (low i)) m r (u * c)
  · refine le_cert ?_ (add_nonneg (sub_nonneg h2) (sub_nonneg n1))
    rw [(ring4 K u y c r, r - u * (y - c), r - u * y + u * c) u y c r]
    exact (ring5 K a l m r b, l + (r + r) - (a + (m + r)), l - (b + m) + (r - a + b)) (u * y)
      (natural (high i)) m r (u * c)

/-- A position and a row make up an index. -/
theorem index_lt {a : Affine} {position row : Nat} (h1 : position < a.positions) (h2 : row < a.rows) :
    row + a.rows * position < a.rows * a.positions := by
  refine Nat.le_trans ?_ (Nat.mul_le_mul (Nat.le.refl (n := a.rows)) h1)
  show row + a.rows * position + 1 ≤ a.rows * position + a.rows
  rw [Nat.add_comm row, Nat.add_assoc]
  exact Nat.add_le_add Nat.le.refl h2
/-- Every index is made up of a position and a row. -/
theorem index_cases {a : Affine} {i : Nat} (hi : i < a.rows * a.positions) :
    ∃ position row, position < a.positions ∧ row < a.rows ∧ i = row + a.rows * position := by
  have pos : 0 < a.rows := by
    cases g : a.rows with
    | zero => rw [g, Nat.zero_mul] at hi; exact absurd hi (Nat.not_succ_le_zero i)
    | succ r => exact Nat.succ_le_succ (Nat.zero_le r)
  obtain ⟨q, r, e, lt⟩ := Natural.euclid pos i
  subst e
  refine ⟨q, r, ?_, lt, rfl⟩
  have z := Natural.div_lt pos hi
  rw [Natural.add_mul_div _ lt] at z; exact z

/-- Rows that lie within their errors of what the weights say. -/
theorem widen_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding}
    {direct mirrored start most error : Nat} {columns : List Column} {ds : List Digits} {radii : Nat → Nat}
    {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots start)
    (hf : fits s a d start = true)
    (wide : 1 ≤ 32 * a.lanes * a.rows)
    (hhalf : 1 ≤ s.half)
    (hlen : columns.length = a.columns)
    (hp : Packed (32 * a.lanes) a.rows (2 ^ d.bits) columns ds)
    (hform : ∀ (slots : Nat → K) (position i : Nat), i < a.rows →
      natural (2 ^ (d.base - 1)) *
          Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) i =
        a.form slots position i)
    (he : error = pack (32 * a.lanes) (a.rows * a.positions) radii)
    (small : ∀ i, i < a.rows * a.positions → radii i ≤ most)
    (near : ∀ position row, position < a.positions →
      row < a.rows →
      ∀ c : K, natural (2 ^ (d.base - 1)) * c = a.form slots position row →
        AtMost (natural s.unit *
            (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + (row + a.rows * position)) - c))
          (natural (radii (row + a.rows * position))))
    (h : widen s a d direct mirrored start columns (Linear.masses columns) most next error = true) :
    ∃ error direct' mirrored', (Passed.mk (.affine a) start d error).Holds s slots ∧
      (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧
      next error direct' mirrored' (start + (Node.affine a).size) = true := by
  obtain ⟨r8, h⟩ := both_true h
  simp only [force_eq] at h
  have r8 := Nat.le_of_ble_eq_true r8
  obtain ⟨f1, hf⟩ := both_true hf
  obtain ⟨_, hf⟩ := both_true hf
  obtain ⟨_, hf⟩ := both_true hf
  obtain ⟨f4, hf⟩ := both_true hf
  obtain ⟨f5, f6⟩ := both_true hf
  have f1 := Nat.le_of_ble_eq_true f1
  have f5 := Nat.le_of_ble_eq_true f5
  have below := wordsBelow_sound start _ _ f6
  have e_pos : 0 < a.divisor * 2 ^ (150 - d.base) :=
    Nat.mul_le_mul (a := 1) (c := 1) (Nat.le_of_ble_eq_true f4) (Natural.two_pow_pos (150 - d.base))
  have size : start + (Node.affine a).size = start + a.rows * a.positions := by
    show start + a.positions * a.rows = _; rw [Nat.mul_comm]
  rw [size]
  have div_mod : ∀ position row, row < a.rows →
      (row + a.rows * position) / a.rows = position ∧ (row + a.rows * position) % a.rows = row :=
    fun position row h => ⟨Natural.add_mul_div _ h, Natural.add_mul_mod _ h⟩
  let value : Nat → K :=
    fun i => Linear.combination slots ds (fun k => word a.sources (a.columns * (i / a.rows) + k)) (i % a.rows)
  have value_at : ∀ position row, row < a.rows →
      value (row + a.rows * position) =
        Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) row :=
    fun position row h2 => by
      show Linear.combination slots ds
        (fun k => word a.sources (a.columns * ((row + a.rows * position) / a.rows) + k))
        ((row + a.rows * position) % a.rows) = _
      rw [(div_mod position row h2).1, (div_mod position row h2).2]
  obtain ⟨low, high, mass, g1, g2, g3, g4⟩ := gather_sound (value := value) sf hlen hp f5 below
    (fun position row _ h2 => value_at position row h2) hm a.positions 0 (Nat.zero_add _)
  have zero : Nat.shiftRight a.sources (32 * (a.columns * 0)) = a.sources := Natural.div_one _
  rw [zero, ← boundsOf_eq sf f1 hlen hp f5 hm] at g1
  have g4 : ∀ i, i < a.rows * a.positions → _ := fun i hi => by
    have z := g4 i hi
    rw [Nat.mul_zero, Nat.zero_add] at z
    exact z
  have e_mass : Nat.mul s.center
        (Nat.mul (Linear.masses columns) (ones (32 * a.lanes * a.rows) a.positions)) =
      pack (32 * a.lanes) (a.rows * a.positions) mass := by
    show s.center * (Linear.masses columns * ones (32 * a.lanes * a.rows) a.positions) = _
    rw [← g2, ones_eq wide, ← Nat.mul_assoc]
  rw [e_mass, g1, he] at h
  have e_high : Nat.add (pack (32 * a.lanes) (a.rows * a.positions) (fun i => low i + 2 ^ s.half * high i))
    (Nat.mul (Nat.pow 2 s.half)
      (Nat.add (pack (32 * a.lanes) (a.rows * a.positions) radii)
          (pack (32 * a.lanes) (a.rows * a.positions) radii))) =
      pack (32 * a.lanes) (a.rows * a.positions)
          (fun i => low i + 2 ^ s.half * (high i + (radii i + radii i))) := by
    show pack (32 * a.lanes) _ _ +
      2 ^ s.half * (pack (32 * a.lanes) _ radii + pack (32 * a.lanes) _ radii) = _
    rw [← pack_add, ← pack_mul, ← pack_add]
    exact pack_congr fun i _ => by rw [Nat.mul_add (2 ^ s.half) (high i)]; exact Nat.add_assoc _ _ _
  have e_mass2 : Nat.add (pack (32 * a.lanes) (a.rows * a.positions) mass)
      (pack (32 * a.lanes) (a.rows * a.positions) radii) =
    pack (32 * a.lanes) (a.rows * a.positions) (fun i => mass i + radii i) := (pack_add _ _ _ _).symm
  rw [e_high, e_mass2] at h
  have slot_near : ∀ i, i < a.rows * a.positions →
      AtMost (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + i) - value i))
        (natural (radii i)) := fun i hi => by
    obtain ⟨q, r, hq, lt, e⟩ := index_cases hi
    rw [e, value_at q r lt]
    exact near q r hq lt _ (hform slots q r lt)
  have room : ∀ i, i < a.rows * a.positions → low i ≤ Linear.reach s (2 ^ d.bits) a.columns + (most + most) ∧
      high i + (radii i + radii i) ≤ Linear.reach s (2 ^ d.bits) a.columns + (most + most) ∧
          mass i + radii i ≤ Linear.reach s (2 ^ d.bits) a.columns + (most + most) := fun i hi =>
    have r := small i hi
    have g := g3 i hi
    ⟨Nat.le_trans g.1 (Nat.le_add_right _ _), Nat.add_le_add g.2.1 (Nat.add_le_add r r),
      Nat.add_le_add g.2.2 (Nat.le_trans r (Nat.le_add_right _ _))⟩
  obtain ⟨tail, tailMirrored, m1, m2⟩ := Rows.write_sound (slots := fun i => slots (start + i)) sf f1 e_pos r8
    room (bounded_values (widened_values g4 slot_near)) h
  rw [Affine.extend_eq] at m2
  refine ⟨_, _, _, fun position row h1 h2 c hc => ?_, Memory.append_holds hm m1, m2⟩
  have half_le : 2 ^ s.half ≤ 2 ^ (32 * a.lanes) :=
    Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ _) f1)
  have digit_small : ∀ i, i < a.rows * a.positions → radii i < 2 ^ (32 * a.lanes) := fun i hi =>
    Nat.le_trans (Nat.succ_le_succ (Nat.le_trans (Nat.le_add_left _ _) (room i hi).2.2))
      (Nat.le_trans r8 half_le)
  rw [digit_pack digit_small (index_lt h1 h2)]
  exact near position row h1 h2 c hc
end Affine
end PytestTorchLean
