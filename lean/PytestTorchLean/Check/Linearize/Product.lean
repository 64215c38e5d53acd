prelude
import PytestTorchLean.Check.Linearize.Gather
/-!
# Sums of products as rows of their factors

Backward rows and forward forms pass an affine node. Once a sum of products is bounded, it is stated as such a
node: for each product the producer chooses a plane through the rectangle of its factors, and how far the
product can be from the plane is charged to the row's error, next to what rounding adds. All that follows
takes the node for an affine one.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Linearize
open Bilinear
variable {K : Type u} [OrderedRing K]

/-! ### A whole row -/

/-- What is beyond a row that has the raised weight `slope` of slot 1, which lies between `l` and `u`. -/
def ends (unit top twice slope l u : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun a => force
      (fun b => force (fun low => force (next low) (Nat.mul unit (most a b))) (Nat.mul unit (least a b)))
      (slant top twice slope u)) (slant top twice slope l)
theorem ends_sound {s : Scale} {offset slope l u : Nat} {x : K} {next : Nat → Nat → Bool}
    (hx : Within s l u x)
    (h1 : l ≤ u)
    (h2 : u ≤ s.top)
    (hs : slope ≤ offset + offset)
    (h : ends s.unit s.top (offset + offset) slope l u next = true) :
    ∃ low high, Between s.unit low high (s.unit * ((offset + offset) * s.center))
        (-((natural slope - natural offset) * x) : K) ∧ next low high = true := by
  unfold ends at h
  simp only [force_eq] at h
  generalize ea : slant s.top (offset + offset) slope l = a at h
  generalize eb : slant s.top (offset + offset) slope u = b at h
  have na := slant_natural (K := K) (Nat.le_trans h1 h2) hs
  have nb := slant_natural (K := K) h2 hs
  rw [ea] at na; rw [eb] at nb
  have line := slant_straight (K := K) (natural s.top) (natural (offset + offset)) (natural slope)
  have low := line.low hx.1 hx.2 (below (least_le a b).1 na) (below (least_le a b).2 nb)
  have high := Straight.high hx.1 hx.2 (above (le_most a b).1 na) (above (le_most a b).2 nb) line
  have e : natural s.unit * Slant (natural s.top) (natural (offset + offset)) (natural slope) (s.image x) =
      natural (2 * s.unit * s.unit) * -((natural slope - natural offset) * x) +
          natural (s.unit * ((offset + offset) * s.center)) := by
    rw [slant_image, natural_mul 2 ((offset + offset) * _), natural_mul s.unit ((offset + offset) * _),
        natural_mul (2 * s.unit) s.unit, natural_mul 2 s.unit, two_eq]
    exact (ring5 K u w p x z, u * ((1 + 1) * w - (1 + 1) * u * p - w), (1 + 1) * u * u * -p + u * w) _ _ _ 0 0
  refine ⟨_, _, ⟨?_, ?_⟩, h⟩
  · rw [← e]
    show natural (s.unit * least a b) ≤ _
    rw [natural_mul]
    exact mul_le_left (natural_nonneg _) low
  · rw [← e]
    show _ ≤ natural (s.unit * most a b)
    rw [natural_mul]
    exact mul_le_left (natural_nonneg _) high

/-- The rows from `row` on: `error` holds the radii of those before, `worst` is that of the sums, `base` what
    all numbers of a row are raised by. -/
def stated (s : Scale) (C m n twice plus worst base sources terms direct count : Nat) (remaining : Nat) :
    Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ _ _ error total marks next => next error total marks)
    (fun _ rest row here entries error total marks next =>
      gather s C m n twice plus sources row direct count terms here entries 0 0 total marks
          fun here' entries' low high total' marks' =>
        enter C m n twice sources row 1 entries' total' marks'
          fun slope total'' marks'' entries'' => force (fun one =>
          ends s.unit s.top twice slope (Nat.land one (Nat.sub (Nat.pow 2 s.half) 1))
              (Nat.shiftRight one s.half) fun low' high' =>
            force (fun radius => both (Nat.ble (Nat.succ radius) (Nat.pow 2 C))
                (force (fun error' => force
                      (fun row' => rest row' here' entries'' error' total'' marks'' next) (Nat.succ row))
                    (Nat.add error (Nat.mul (Nat.pow 2 (Nat.mul C row)) radius))))
              (Nat.succ (Nat.div (Nat.add (Nat.mul plus worst)
                      (most (Nat.sub (Nat.add high high') base) (Nat.sub base (Nat.add low low'))))
                    (Nat.mul 2 s.unit))))
          (Memory.lookup s.stride direct 1)) remaining

theorem stated_succ (s : Scale)
    (C m n twice plus worst base sources terms direct count remaining row here entries error total marks :
      Nat) (next : Nat → Nat → Nat → Bool) :
    stated s C m n twice plus worst base sources terms direct count (remaining + 1) row here entries error
      total marks next =
      gather s C m n twice plus sources row direct count terms here entries 0 0 total marks
          fun here' entries' low high total' marks' =>
        enter C m n twice sources row 1 entries' total' marks' fun slope total'' marks'' entries'' =>
          ends s.unit s.top twice slope (Nat.land (Memory.lookup s.stride direct 1) (2 ^ s.half - 1))
              (Nat.shiftRight (Memory.lookup s.stride direct 1) s.half) fun low' high' =>
            (let radius :=
                (plus * worst + most (high + high' - base) (base - (low + low'))) / (2 * s.unit) + 1
             both (Nat.ble (Nat.succ radius) (2 ^ C))
              (stated s C m n twice plus worst base sources terms direct count remaining (row + 1) here'
                entries'' (error + 2 ^ (C * row) * radius) total'' marks'' next)) := by
  unfold stated
  simp only [force_eq]
  rfl

/-- The radius of a row: `worst` for what is rounded, and what is beyond the row. -/
theorem radius_beyond {unit worst low high base : Nat} {p q : K}
    (hu : 0 < unit)
    (near : AtMost (natural (2 * unit * unit) * p) (natural worst))
    (between : Between unit low high base q) :
    AtMost (natural unit * (p + q))
    (natural ((worst + most (high - base) (base - low)) / (2 * unit) + 1)) := by
  obtain ⟨b1, b2⟩ := between
  have m := le_most (high - base) (base - low)
  have m1 := le_trans (Rows.sub_ge (K := K) high base) (natural_le m.1)
  have m2 := le_trans (Rows.sub_ge (K := K) base low) (natural_le m.2)
  have positive : 0 < 2 * unit := Nat.mul_pos (by decide) hu
  have size : AtMost (natural (2 * unit * unit) * q) (natural (most (high - base) (base - low))) := by
    generalize natural (2 * unit * unit) * q = v at *
    refine ⟨le_trans ?_ m1, le_trans ?_ m2⟩
    · exact le_cert ((ring3 K h v z, h - z - v, h - (v + z)) _ _ _) (sub_nonneg b2)
    · exact le_cert ((ring3 K l v z, z - l - -v, v + z - l) _ _ _) (sub_nonneg b1)
  have scaled := near.add size
  rw [← natural_add] at scaled
  have scaled := scaled.weaken (natural_le (Affine.ceiling positive))
  rw [natural_mul (2 * unit) (_ / _ + 1)] at scaled
  refine AtMost.cancel positive ?_
  have e : natural (2 * unit * unit) * p + natural (2 * unit * unit) * q =
      natural (2 * unit) * (natural unit * (p + q)) := by
    rw [natural_mul (2 * unit) unit]
    exact (ring4 K u v p q, u * v * p + u * v * q, u * (v * (p + q))) _ _ _ _
  rw [← e]; exact scaled
/-- The same of a sum of products: `worst` is the radius of the sum. -/
theorem radius_sound {unit plus worst low high base : Nat} {y t x : K}
    (hu : 0 < unit)
    (near : AtMost (natural (2 * unit * unit) * (y - t)) (natural worst))
    (between : Between unit low high base (natural plus * t - x)) :
    AtMost (natural unit * (natural plus * y - x))
    (natural ((plus * worst + most (high - base) (base - low)) / (2 * unit) + 1)) := by
  have scaled := near.mul_left (natural_nonneg (K := K) plus)
  rw [← natural_mul, mul_left_comm] at scaled
  have e : natural plus * y - x = natural plus * (y - t) + (natural plus * t - x) :=
    (ring4 K p y t x, p * y - x, p * (y - t) + (p * t - x)) _ _ _ _
  rw [e]
  exact radius_beyond hu scaled between

/-- What is known of the rows before `row`, and of the others. -/
def Stated (s : Scale) (slots : Nat → K) (C m n offset plus sources start bound row error total marks : Nat)
    (rows : Nat → K) : Prop :=
  Entered C m n offset (fun k => slots (word sources k)) bound total marks rows ∧
  (∃ radii : Nat → Nat, error = pack C row radii ∧
    ∀ i, i < row →
      radii i < 2 ^ C ∧
        AtMost (natural s.unit * (natural plus * slots (start + i) - rows i)) (natural (radii i))) ∧
  ∀ i, row ≤ i → rows i = 0

theorem stated_sound {s : Scale} {slots : Nat → K}
    {C m n offset plus worst sources terms words start direct mirrored count : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hp : 0 < plus)
    (one : 1 < count)
    (near : ∀ i, i < m → Bilinear.Near s slots terms words i worst (slots (start + i))) :
    (remaining row here entries error total marks bound : Nat) →
    (rows : Nat → K) → (next : Nat → Nat → Nat → Bool) →
    row + remaining = m → (∀ j, word here j = word words (2 * (terms * row) + j)) →
    Stated s slots C m n offset plus sources start bound row error total marks rows →
    stated s C m n (offset + offset) plus worst
        (terms * raise plus 0 s.unit s.center (offset + offset) + s.unit * ((offset + offset) * s.center))
        sources terms direct count remaining row here entries error total marks next = true →
    ∃ error' total' marks' rows', Stated s slots C m n offset plus sources start
        (bound + remaining * (2 * terms + 1)) m error' total' marks' rows' ∧
      next error' total' marks' = true := by
  intro remaining
  induction remaining with
  | zero =>
    intro row here entries error total marks bound rows next hr _ hs h
    have e : row = m := hr
    subst e
    rw [Nat.zero_mul]
    exact ⟨error, total, marks, rows, hs, h⟩
  | succ remaining smaller =>
    rintro row here entries error total marks bound rows next hr hw ⟨he, ⟨radii, written, hv⟩, hz⟩ h
    subst written
    rw [stated_succ] at h
    have hi : row < m := by
      rw [← hr]
      show row + 1 ≤ row + (remaining + 1)
      exact Nat.add_le_add Nat.le.refl (Nat.succ_le_succ (Nat.zero_le _))
    obtain ⟨here', entries', low, high, total', marks', rows', x, w', he', g', between, h⟩ :=
      gather_sound sf hm hp hi terms (fun j => word words (2 * (terms * row) + j)) here entries 0 0 total
      marks bound rows _ hw he h
    rw [Nat.zero_add, Nat.zero_add] at h
    obtain ⟨slope, total'', marks'', entries'', rows'', s1, he'', g'', h⟩ := enter_sound hi he' h
    obtain ⟨l, u, e1, e2, x1, x2, x3⟩ := bounds_at sf hm one
    rw [e1, e2] at h
    obtain ⟨low', high', constant, h⟩ := ends_sound x3 x1 x2 s1 h
    obtain ⟨fit, h⟩ := both_true h
    have fit := Nat.le_of_ble_eq_true fit
    have grown := g'.more g''
    have same :
        multiplied slots (fun j => word words (2 * (terms * row) + j)) = product slots terms words row :=
        funext fun k => by
      show slots (word words (2 * (terms * row) + 2 * k)) *
        slots (word words (2 * (terms * row) + (2 * k + 1))) = _
      have a : 2 * (terms * row) + 2 * k = 2 * (k + terms * row) := by rw [Nat.mul_add, Nat.add_comm]
      have b : 2 * (terms * row) + (2 * k + 1) = 2 * (k + terms * row) + 1 := by rw [← Nat.add_assoc, a]
      rw [a, b]; rfl
    rw [same] at between
    have own : rows'' row = x + (natural slope - natural offset) * slots 1 := by
      rw [grown.1, hz row Nat.le.refl, zero_add]
    have between := between.add constant
    have value : natural plus * sum terms (product slots terms words row) - x +
      -((natural slope - natural offset) * slots 1) =
        natural plus * sum terms (product slots terms words row) - rows'' row := by
      rw [own]
      exact (ring3 K a x y, a - x + -y, a - (x + y)) _ _ _
    rw [value] at between
    have done := radius_sound sf.unit (near row hi) between
    have count' :
        bound + (remaining + 1) * (2 * terms + 1) = bound + 2 * terms + 1 + remaining * (2 * terms + 1) := by
      rw [Nat.succ_mul, Nat.add_comm (remaining * _), ← Nat.add_assoc, ← Nat.add_assoc]
    rw [count']
    have apart : ∀ i, i < row → Nat.beq row i = false := fun i hi' => by
      cases e : Nat.beq row i with
      | false => rfl
      | true => exact absurd hi' (by rw [Nat.eq_of_beq_eq_true e]; exact Natural.lt_irreflexive _)
    refine smaller (row + 1) here' entries'' _ total'' marks'' _ rows'' next
      (by rw [← hr, Nat.add_assoc, Nat.add_comm 1]) (fun j => ?_)
      ⟨he'', ⟨Memory.extend radii row
          ((plus * worst + most (high + high' - (terms * raise plus 0 s.unit s.center (offset + offset) +
                          s.unit * ((offset + offset) * s.center)))
                    ((terms * raise plus 0 s.unit s.center (offset + offset) +
                          s.unit * ((offset + offset) * s.center)) - (low + low'))) / (2 * s.unit) + 1), ?_,
          fun i hi' => ?_⟩, fun i hi' => ?_⟩ h
    · rw [w']
      show word words (2 * (terms * row) + (2 * terms + j)) = _
      rw [Nat.mul_succ, Nat.mul_add, Nat.add_assoc]
    · rw [pack_append, pack_congr (fun i hi' => Memory.extend_old radii _ hi')]
      refine congrArg _ (congrArg _ ?_)
      show _ = Memory.extend radii row _ (row + 0) + 2 ^ C * 0
      rw [Nat.mul_zero, Nat.add_zero]
      exact (Memory.extend_new radii row _).symm
    · cases Memory.le_of_lt_succ hi' with
      | inl e => subst e; rw [Memory.extend_new]; exact ⟨fit, done⟩
      | inr l =>
        rw [Memory.extend_old _ _ l, grown.2 i (apart i l)]
        exact hv i l
    · rw [grown.2 i (by
        cases e : Nat.beq row i with
        | false => rfl
        | true => exact absurd hi' (by rw [Nat.eq_of_beq_eq_true e]; exact Nat.lt_irrefl i))]
      exact hz i (Nat.le_trans (Nat.le_add_right row 1) hi')

/-! ### The node -/

/-- What rows must be: one position, no divisor, `m` rows, a unit. -/
def shaped (a : Affine) (d : Decoding) (m count : Nat) : Bool :=
  both (both (Nat.beq a.positions 1) (both (Nat.beq a.divisor 1) (Nat.beq a.rows m)))
    (both (Nat.ble 2 count) (both (Nat.ble 1 d.base) (both (Nat.ble d.base 150) (Nat.ble 1 a.lanes))))
/-- The entries say what the weights say. -/
def same [Prepared] (a : Affine) (d : Decoding) (C m offset total marks : Nat) : Bool :=
  Option.rec (motive := fun _ => Bool) false (fun lanes =>
      Nat.beq (Nat.add (Relaxation.joined C m offset (Columns.flatten lanes)) (Nat.mul offset marks))
        (Nat.add total (Nat.mul offset (ones C (Nat.mul m a.columns)))))
    (Prepared.columns a d)

/-- Rows whose entries are their weights stand for the node. -/
theorem stands [Prepared] {s : Scale} {slots rows : Nat → K} {a : Affine} {d : Decoding}
    {bound start count error total marks : Nat}
    (shape : shaped a d a.rows count = true)
    (room : (bound + 2) * (2 ^ d.bits + 2 ^ d.bits) < 2 ^ (32 * a.lanes))
    (h : Stated s slots (32 * a.lanes) a.rows a.columns (2 ^ d.bits) (2 ^ (150 - d.base)) a.sources start
      bound a.rows error total marks rows)
    (agree : same a d (32 * a.lanes) a.rows (2 ^ d.bits) total marks = true) :
    (Passed.mk (.affine a) start d error).Holds s slots ∧ (Node.affine a).size = a.rows := by
  obtain ⟨he, ⟨radii, rfl, hv⟩, _⟩ := h
  obtain ⟨k, c⟩ := both_true shape
  obtain ⟨k1, k⟩ := both_true k
  obtain ⟨k2, _⟩ := both_true k
  obtain ⟨_, c⟩ := both_true c
  obtain ⟨_, c⟩ := both_true c
  obtain ⟨_, k7⟩ := both_true c
  have c1 : a.positions = 1 := Nat.eq_of_beq_eq_true k1
  have c2 : a.divisor = 1 := Nat.eq_of_beq_eq_true k2
  have c7 : 0 < a.lanes := Nat.le_of_ble_eq_true k7
  have hC : 0 < 32 * a.lanes := Nat.mul_pos (by decide) c7
  refine ⟨?_, by show a.positions * a.rows = a.rows; rw [c1, Nat.one_mul]⟩
  unfold same at agree
  rw [Prepared.columns_eq] at agree
  cases hd : decode a d with
  | none => rw [hd] at agree; exact Bool.noConf_tf (Eq.symm agree)
  | some lanes =>
    rw [hd] at agree
    have agree := Nat.eq_of_beq_eq_true agree
    obtain ⟨length, ds, packed, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
    have all := entered_all hC packed length room he agree
    intro position row hpos hrow c hc
    have p0 : position = 0 := by rw [c1] at hpos; exact Natural.eq_zero_of_lt_one hpos
    subst p0
    have f := hform slots 0 row hrow
    have e := hc.trans f.symm
    have value : c = Linear.combination slots ds (fun k => word a.sources (a.columns * 0 + k)) row :=
      le_antisymm (Rows.cancel (Natural.two_pow_pos _) (le_of_eq e))
        (Rows.cancel (Natural.two_pow_pos _) (le_of_eq e.symm))
    have source : (fun k => word a.sources (a.columns * 0 + k)) = word a.sources :=
        funext fun k => by rw [Nat.mul_zero, Nat.zero_add]
    rw [source, all row hrow] at value
    obtain ⟨small, fine⟩ := hv row hrow
    show AtMost
      (natural s.unit * (natural (a.divisor * 2 ^ (150 - d.base)) * slots (start + (row + a.rows * 0)) - c))
      (natural (digit (32 * a.lanes) (pack (32 * a.lanes) a.rows radii) (row + a.rows * 0)))
    have own : digit (32 * a.lanes) (pack (32 * a.lanes) a.rows radii) row = radii row :=
      digit_pack (fun i hi => (hv i hi).1) hrow
    rw [Nat.mul_zero, Nat.add_zero, c2, Nat.one_mul, value, own]
    exact fine

/-- The rows that are to stand for `m` sums of `terms` products, whose radius is `worst`; `next` is handed the
    radii of the rows. -/
def products [Prepared] (s : Scale) (a : Affine) (d : Decoding)
    (entries m terms words worst direct count : Nat) (next : Nat → Bool) : Bool :=
  both (shaped a d m count)
    (force (fun C => force (fun offset => force (fun twice => force (fun plus => force (fun base =>
        both (Nat.ble (Nat.succ (Nat.mul (Nat.add (Nat.mul m (Nat.add (Nat.mul 2 terms) 1)) 2) twice))
            (Nat.pow 2 C))
          (stated s C m a.columns twice plus worst base a.sources terms direct count m 0 words entries 0 0 0
              fun error total marks =>
            both (same a d C m offset total marks) (next error)))
      (Nat.add (Nat.mul terms (raise plus 0 s.unit s.center twice))
          (Nat.mul s.unit (Nat.mul twice s.center))))
      (Nat.pow 2 (Nat.sub 150 d.base))) (Nat.add offset offset)) (Nat.pow 2 d.bits)) (Nat.mul 32 a.lanes))

/-- What `shaped` says of the sizes. -/
theorem shaped_sizes {a : Affine} {d : Decoding} {m count : Nat} (h : shaped a d m count = true) :
    a.rows = m ∧ 1 < count := by
  obtain ⟨k, c⟩ := both_true h
  obtain ⟨_, k⟩ := both_true k
  obtain ⟨_, k3⟩ := both_true k
  obtain ⟨c4, _⟩ := both_true c
  exact ⟨Nat.eq_of_beq_eq_true k3, Nat.le_of_ble_eq_true c4⟩
theorem stated_none (s : Scale) (slots : Nat → K) (C m n offset plus sources start : Nat) :
    Stated s slots C m n offset plus sources start 0 0 0 0 0 fun _ => 0 :=
  ⟨entered_none _ _ _ _ _, ⟨fun _ => 0, rfl, fun i hi => absurd hi (Nat.not_succ_le_zero i)⟩, fun _ _ => rfl⟩

/-- **Sums of products as rows.** With the radii that `products` hands on, the rows stand for the sums. -/
theorem products_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding}
    {entries m terms words worst start direct mirrored count : Nat} {next : Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (near : ∀ i, i < m → Bilinear.Near s slots terms words i worst (slots (start + i)))
    (h : products s a d entries m terms words worst direct count next = true) :
    ∃ error,
      (Passed.mk (.affine a) start d error).Holds s slots ∧ (Node.affine a).size = m ∧ next error = true := by
  obtain ⟨shape, h⟩ := both_true h
  obtain ⟨rows, one⟩ := shaped_sizes shape
  subst rows
  simp only [force_eq] at h
  obtain ⟨room, h⟩ := both_true h
  have room := Nat.le_of_ble_eq_true room
  obtain ⟨error, total, marks, rows, hs, h⟩ := stated_sound (plus := 2 ^ (150 - d.base))
    (offset := 2 ^ d.bits) sf hm (Natural.two_pow_pos _) one near a.rows 0 words entries 0 0 0 0 (fun _ => 0)
    _ (Nat.zero_add _) (fun j => by rw [Nat.mul_zero, Nat.mul_zero, Nat.zero_add])
    (stated_none _ _ _ _ _ _ _ _ _) h
  rw [Nat.zero_add] at hs
  obtain ⟨agree, h⟩ := both_true h
  obtain ⟨holds, size⟩ := stands shape room hs agree
  exact ⟨error, holds, size, h⟩
end Linearize
end PytestTorchLean
