prelude
import PytestTorchLean.Check.Relaxation.Lane
/-!
# The coefficients that an affine node's columns give

Several columns of a node are multiplied by all rows of a batch at once; each slot's coefficients are cut out
of the product.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

theorem packed_split {C m bound : Nat} :
    (first second : List Column) → (ds : List Digits) →
    Packed C m bound (Columns.append first second) ds →
    ∃ d e, ds = Columns.appendDigits d e ∧ Packed C m bound first d ∧ Packed C m bound second e
  | [], second, ds, h => ⟨[], ds, rfl, trivial, h⟩
  | _ :: first, second, d :: ds, h => by
    obtain ⟨d', e, h1, h2, h3⟩ := packed_split first second ds h.2
    exact ⟨d :: d', e, congrArg _ h1, ⟨h.1, h2⟩, h3⟩
  | _ :: _, _, [], h => h.elim

/-- Every lane has as many columns. -/
def Even (n : Nat) : List (List Column) → Prop
  | [] => True
  | lane :: lanes => lane.length = n ∧ Even n lanes
theorem lane_length {a : Affine} {d : Decoding} {lane : Nat} :
    (cs : List Column) → (column : Nat) → LaneHolds a d lane column cs → column + cs.length = a.laneColumns
  | [], _, h => h
  | _ :: cs, column, h => by
    rw [← lane_length cs (column + 1) h.2]
    show column + (cs.length + 1) = column + 1 + cs.length
    rw [Nat.add_assoc, Nat.add_comm 1]
theorem even_lanes {a : Affine} {d : Decoding} :
    (lanes : List (List Column)) → (lane : Nat) → LanesHold a d lane lanes → Even a.laneColumns lanes
  | [], _, _ => trivial
  | l :: lanes, lane, h => by
    have len := lane_length l 0 h.1
    rw [Nat.zero_add] at len
    exact ⟨len, even_lanes lanes (lane + 1) h.2⟩

/-- The coefficients of a column, positive ones and behind them negative ones: `x` times the raised column,
    put right by `base`. -/
def coefficients (frame : Frame) (m x base turned count k : Nat) : Nat :=
  Nat.add (times frame.digit frame.width (Nat.add frame.rows frame.rows) m x
      (turnedColumn frame.digit m count k turned)) base

/-- How a lane's columns are multiplied at once: tiles of about 32 columns. -/
structure Tiles where
  /-- how many tiles -/
  count : Nat
  /-- columns of a tile -/
  width : Nat
  /-- the rows are at most `2^levels` -/
  levels : Nat
def Tiles.of (frame : Frame) (m : Nat) : Tiles :=
  force (fun count => ⟨count, ceiling m count, Nat.succ (Nat.log2 (Nat.add frame.rows frame.rows))⟩)
    (ceiling m 32)
/-- The tiles fit the frame. -/
def Tiles.fit (tiles : Tiles) (frame : Frame) (m : Nat) : Bool :=
  both (Nat.ble 1 tiles.width)
    (both (Nat.ble tiles.width frame.width)
      (both (Nat.ble (Nat.mul tiles.width tiles.count) frame.width)
        (both (Nat.ble m (Nat.mul tiles.width tiles.count))
          (Nat.ble (Nat.add frame.rows frame.rows) (Nat.pow 2 tiles.levels)))))
/-- At least eight columns, `n` of them, read consecutive slots of the run that the batch goes to. -/
def together (field : Field) (memory n slot sources cursor : Nat) : Bool :=
  both (Nat.ble 8 n) (both (Nat.ble (Nat.add field.first cursor) slot)
      (both (Nat.ble (Nat.add slot n) (Nat.add field.first field.count))
        (both (Nat.ble (Nat.add slot n) memory) (Dense.consecutive n slot sources))))

/-- The columns of a lane: the first `n` of them at once, or none, and the others one after the other. -/
def sweptFrom (s : Scale) (field : Field)
    (m x base columns direct mirrored memory count n slot sources cursor grid gain loss : Nat)
    (next : Nat → Nat → Nat → Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool)
    (both (Nat.ble n count)
      (both (together field memory n slot sources cursor) ((Tiles.of field.frame m).fit field.frame m)))
    (sweep s field (coefficients field.frame m x base columns count) direct mirrored memory count 0 sources
        cursor grid gain loss next)
    (force (fun place => force (fun later => force (fun grid' => force (fun cursor' =>
          sweep s field (coefficients field.frame m x base columns count) direct mirrored memory
            (Nat.sub count n) n later cursor' grid' gain loss next)
        (Nat.add place n))
        (Nat.add grid (Nat.shiftLeft (Nat.add (dotsOf field.frame.digit field.frame.width
                  (Tiles.of field.frame m).width (Nat.add field.frame.rows field.frame.rows)
                  (Tiles.of field.frame m).levels m (Tiles.of field.frame m).count n x
                  (Nat.shiftRight columns (Nat.mul (Nat.mul field.frame.digit m) (Nat.sub count n))))
                (Nat.mul base (ones field.frame.digit n))) (Nat.mul field.frame.digit place))))
      (Nat.shiftRight sources (Nat.mul 32 n))) (Nat.sub slot field.first))
/-- The columns of a lane: as many as read consecutive slots at once. -/
def swept (s : Scale) (field : Field)
    (m x base columns direct mirrored memory count sources cursor grid gain loss : Nat)
    (next : Nat → Nat → Nat → Nat → Nat → Bool) : Bool :=
  force (fun slot => force (fun n => sweptFrom s field m x base columns direct mirrored memory count n slot
        sources cursor grid gain loss next) (Dense.run count slot sources))
    (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))

/-- All columns, lane after lane. -/
def lanesSwept (s : Scale) (field : Field) (C m offset x base direct mirrored memory count : Nat)
    (lanes : List (List Column)) : Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  List.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ _ grid gain loss next => next grid gain loss)
    (fun lane _ rest sources cursor grid gain loss next => force (fun columns =>
        swept s field m x base columns direct mirrored memory count sources cursor grid gain loss
          fun sources' cursor' grid' gain' loss' => rest sources' cursor' grid' gain' loss' next)
      (turned C field.frame.digit (Nat.mul m count) (joined C m offset lane))) lanes

/-- What a column's coefficients are. -/
def coefficient (R m : Nat) (f : Nat → Nat → Nat) (offset : Nat) (ds : List Digits) (k r : Nat) : Nat :=
  (tally m fun i => f r i * raised offset ds k i) + offset * tally m (f (cond (Nat.ble R r) (r - R) (R + r)))

theorem coefficient_sub {R m offset bound r : Nat} (hr : r < R) {f : Nat → Nat → Nat} {ds : List Digits}
    {k : Nat} (h : ∀ i, i < m → (entry ds k).negative i ≤ (entry ds k).positive i + offset) :
    (natural (coefficient R m f offset ds k r) - natural (coefficient R m f offset ds k (R + r)) : K) =
    form m (f r) (f (R + r))
      fun i => natural ((entry ds k).positive i) - natural ((entry ds k).negative i) := by
  have e1 : cond (Nat.ble R r) (r - R) (R + r) = R + r := by rw [Memory.ble_false_of_lt hr]; rfl
  have e2 : cond (Nat.ble R (R + r)) (R + r - R) (R + (R + r)) = r := by
    rw [Nat.ble_eq_true_of_le (Nat.le_add_right R r)]
    exact Natural.add_sub_cancel_left _ _
  have expand : ∀ g : Nat → Nat, (natural (tally m fun i => g i * raised offset ds k i) : K) =
      sum m (fun i =>
              natural (g i) * (natural ((entry ds k).positive i) - natural ((entry ds k).negative i))) +
          natural offset * natural (tally m g) := fun g => by
    rw [natural_tally, natural_tally, ← sum_mul, ← sum_add]
    refine Columns.sum_congr fun i hi => ?_
    unfold raised
    rw [natural_mul, Linear.natural_sub (h i hi), natural_add]
    exact (ring5 K g p n o x, g * (p + o - n), g * (p - n) + o * g) _ _ _ _ 0
  unfold coefficient form
  rw [e1, e2, natural_add, natural_add, expand, expand, natural_mul, natural_mul]
  have split : sum m (fun i => (natural (f r i) - natural (f (R + r) i)) *
      (natural ((entry ds k).positive i) - natural ((entry ds k).negative i)) : Nat → K) +
      sum m (fun i =>
          natural (f (R + r) i) * (natural ((entry ds k).positive i) - natural ((entry ds k).negative i))) =
      sum m
          (fun i => natural (f r i) * (natural ((entry ds k).positive i) - natural ((entry ds k).negative i)))
          := by
    rw [← sum_add]
    exact Columns.sum_congr fun i _ => (ring3 K p q v, (p - q) * v + q * v, p * v) _ _ _
  rw [← split]
  exact (ring5 K a b o x y, a + b + o * x + o * y - (b + o * y + o * x), a) _ _ _ _ _

/-- All columns still ahead are the rows' combination. -/
theorem ahead_eq {s : Scale} {slots : Nat → K} {t : Nat → Nat → Nat} {R r m : Nat} {f g : Nat → Nat} :
    (ds : List Digits) → (k : Nat) → (source : Nat → Nat) →
    (∀ j, j < ds.length →
        (natural (t (k + j) r) - natural (t (k + j) (R + r)) : K) =
          form m f g fun i => natural ((entry ds j).positive i) - natural ((entry ds j).negative i)) →
    ahead s slots t R r ds.length k source =
      form m f g fun i => natural s.unit * Linear.combination slots ds source i
  | [], _, _, _ => by
    show (0 : K) = sum m fun i => (natural (f i) - natural (g i)) * (natural s.unit * 0)
    refine (sum_zero (K := K) m).symm.trans (Columns.sum_congr fun i _ => ?_)
    exact (ring2 K x y, 0, x * (y * 0)) _ _
  | d :: ds, k, source, h => by
    have ih := ahead_eq (s := s) (slots := slots) ds (k + 1) (fun i => source (i + 1)) (fun j hj => by
      have e := h (j + 1) (Nat.succ_le_succ hj)
      have o : k + 1 + j = k + (j + 1) := by rw [Nat.add_assoc, Nat.add_comm 1]
      rw [o]; exact e)
    have first : (natural (t k r) - natural (t k (R + r)) : K) =
        form m f g fun i => natural (d.positive i) - natural (d.negative i) :=
      h 0 (Nat.succ_le_succ (Nat.zero_le _))
    show (natural (t k r) - natural (t k (R + r))) * (natural s.unit * slots (source 0)) +
      ahead s slots t R r ds.length (k + 1) _ = _
    rw [ih, first]
    unfold form
    rw [mul_comm, ← sum_mul, ← sum_add]
    refine Columns.sum_congr fun i _ => ?_
    show _ = _ * (natural s.unit * ((natural (d.positive i) - natural (d.negative i)) * slots (source 0) +
                Linear.combination slots ds (fun k => source (k + 1)) i))
    exact (ring5 K c v u x z, u * x * (c * v) + c * (u * z), c * (u * (v * x + z))) _ _ _ _ _

/-- What every lane needs: the numbers of one multiplication. -/
structure Multiplies (field : Field) (C m size bits offset x base step : Nat) (f : Nat → Nat → Nat) :
    Prop where
  digit : 0 < field.frame.digit
  width : 0 < field.frame.width
  rows : 0 < m
  inside : m ≤ field.frame.width
  narrow : field.frame.digit ≤ C
  matrix : x = grid field.frame.digit field.frame.width m (field.frame.rows + field.frame.rows) f
  small : ∀ r, r < field.frame.rows + field.frame.rows → ∀ j, j < m → f r j ≤ 2 ^ size
  raise : offset = 2 ^ bits
  total : step = m * (2 ^ size * (2 ^ bits + offset)) + offset * (m * 2 ^ size)
  fits : step < 2 ^ (field.frame.digit - 1)
  base : base = side field.frame.digit field.frame.width (field.frame.rows + field.frame.rows) fun r =>
    offset * tally m (f (cond (Nat.ble field.frame.rows r) (r - field.frame.rows) (field.frame.rows + r)))

/-- The raised columns of a lane, in reverse order, and how large their weights are. -/
theorem turned_columns {field : Field} {C m size bits offset x base step count : Nat} {f : Nat → Nat → Nat}
    (ok : Multiplies field C m size bits offset x base step f)
    {cs : List Column} {ds : List Digits}
    (hp : Packed C m (2 ^ bits) cs ds)
    (hlen : cs.length = count)
    {k : Nat}
    (hk : k < count) :
    turnedColumn field.frame.digit m count k (turned C field.frame.digit (m * count) (joined C m offset cs)) =
      pack field.frame.digit m (fun i => raised offset ds k (m - 1 - i)) ∧
    (∀ i, i < m →
        raised offset ds k i ≤ 2 ^ bits + offset ∧
          (entry ds k).positive i ≤ 2 ^ bits ∧
          (entry ds k).negative i ≤ 2 ^ bits) ∧
    m * (2 ^ size * (2 ^ bits + offset)) < 2 ^ field.frame.digit ∧
    2 ^ bits + offset < 2 ^ field.frame.digit := by
  have hC : 0 < C := Nat.le_trans ok.digit ok.narrow
  have ho : 2 ^ bits ≤ offset := Natural.le_of_eq ok.raise.symm
  have le := fun i hi => raised_le (offset := offset) cs ds hp k (by rw [hlen]; exact hk) i hi
  have fits : step < 2 ^ field.frame.digit :=
    Natural.lt_of_lt_of_le ok.fits (Natural.two_pow_le (Natural.sub_le _ _))
  have part : m * (2 ^ size * (2 ^ bits + offset)) ≤ step := by rw [ok.total]; exact Nat.le_add_right _ _
  have one : 2 ^ bits + offset ≤ m * (2 ^ size * (2 ^ bits + offset)) := by
    have e : 1 * (1 * (2 ^ bits + offset)) ≤ m * (2 ^ size * (2 ^ bits + offset)) :=
      Nat.mul_le_mul ok.rows (Nat.mul_le_mul (Natural.two_pow_pos size) Nat.le.refl)
    rw [Nat.one_mul, Nat.one_mul] at e
    exact e
  have whole := Natural.lt_of_le_of_lt part fits
  have digits :
      ∀ k', k' < count → ∀ i, i < m → raised offset ds k' i < 2 ^ field.frame.digit := fun k' hk' i hi =>
    Natural.lt_of_le_of_lt
      (Nat.le_trans (raised_le (offset := offset) cs ds hp k' (by rw [hlen]; exact hk') i hi).1 one) whole
  have e := turnedColumn_eq (V := raised offset ds) ok.narrow hC digits hk
  rw [← hlen, ← joined_eq hC ho cs ds hp, hlen] at e
  exact ⟨e, le, whole, Natural.lt_of_le_of_lt one whole⟩

theorem coefficients_eq {field : Field} {C m size bits offset x base step count : Nat} {f : Nat → Nat → Nat}
    (ok : Multiplies field C m size bits offset x base step f)
    {cs : List Column} {ds : List Digits}
    (hp : Packed C m (2 ^ bits) cs ds)
    (hlen : cs.length = count)
    {k : Nat}
    (hk : k < count) :
    coefficients field.frame m x base (turned C field.frame.digit (m * count) (joined C m offset cs)) count
        k = side field.frame.digit field.frame.width (field.frame.rows + field.frame.rows)
        (coefficient field.frame.rows m f offset ds k) ∧
    (∀ r, r < field.frame.rows + field.frame.rows → coefficient field.frame.rows m f offset ds k r ≤ step) ∧
    ∀ i, i < m → (entry ds k).negative i ≤ (entry ds k).positive i + offset := by
  have ho : 2 ^ bits ≤ offset := Natural.le_of_eq ok.raise.symm
  obtain ⟨e, le, fits, _⟩ := turned_columns ok hp hlen hk
  have other : ∀ r, r < field.frame.rows + field.frame.rows →
      cond (Nat.ble field.frame.rows r) (r - field.frame.rows) (field.frame.rows + r) <
        field.frame.rows + field.frame.rows := fun r hr => by
    cases Natural.le_or_lt field.frame.rows r with
    | inl h => rw [Nat.ble_eq_true_of_le h]; exact Natural.lt_of_le_of_lt (Natural.sub_le _ _) hr
    | inr h => rw [Memory.ble_false_of_lt h]; exact Nat.add_le_add (Nat.le.refl (n := field.frame.rows)) h
  refine ⟨?_, fun r hr => ?_, fun i hi => Nat.le_trans (Nat.le_trans (le i hi).2.2 ho) (Nat.le_add_left _ _)⟩
  · unfold coefficients
    rw [e, ok.matrix]
    have t := times_turned (R := field.frame.rows + field.frame.rows) (v := raised offset ds k) ok.rows
      ok.inside ok.digit ok.small (fun j hj => (le j hj).1) fits
    have t' : times field.frame.digit field.frame.width (Nat.add field.frame.rows field.frame.rows) m
      (grid field.frame.digit field.frame.width m (field.frame.rows + field.frame.rows) f)
          (pack field.frame.digit m fun i => raised offset ds k (m - 1 - i)) = _ := t
    rw [t', ok.base]
    exact (side_add _ _ _ _ _).symm
  · rw [ok.total]
    refine Nat.add_le_add (tally_le fun i hi => Nat.mul_le_mul (ok.small r hr i hi) (le i hi).1)
      (Nat.mul_le_mul Nat.le.refl ?_)
    exact tally_le fun i hi => ok.small _ (other r hr) i hi
end Relaxation
end PytestTorchLean
