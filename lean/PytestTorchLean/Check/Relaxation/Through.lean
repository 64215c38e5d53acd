prelude
import PytestTorchLean.Check.Relaxation.Lane
/-!
# Through an affine node
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

theorem packed_split {C m bound : Nat} : (first second : List Column) → (ds : List Digits) → Packed C m bound (Columns.append first second) ds →
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
theorem lane_length {a : Affine} {d : Decoding} {lane : Nat} : (cs : List Column) → (column : Nat) → LaneHolds a d lane column cs →
    column + cs.length = a.laneColumns
  | [], _, h => h
  | _ :: cs, column, h => by
    rw [← lane_length cs (column + 1) h.2]
    show column + (cs.length + 1) = column + 1 + cs.length
    rw [Nat.add_assoc, Nat.add_comm 1]
theorem even_lanes {a : Affine} {d : Decoding} : (lanes : List (List Column)) → (lane : Nat) → LanesHold a d lane lanes → Even a.laneColumns lanes
  | [], _, _ => trivial
  | l :: lanes, lane, h => by
    have len := lane_length l 0 h.1
    rw [Nat.zero_add] at len
    exact ⟨len, even_lanes lanes (lane + 1) h.2⟩

/-- The coefficients of a column, positive ones and behind them negative ones: `x` times the raised column, put right by `base`. -/
def coefficients (frame : Frame) (m x base turned count k : Nat) : Nat :=
  Nat.add (times frame.digit frame.width (Nat.add frame.rows frame.rows) m x (turnedColumn frame.digit m count k turned)) base

/-- How a lane's columns are multiplied at once: tiles of about 32 columns. -/
structure Tiles where
  /-- how many tiles -/
  count : Nat
  /-- columns of a tile -/
  width : Nat
  /-- the rows are at most `2^levels` -/
  levels : Nat
def Tiles.of (frame : Frame) (m : Nat) : Tiles :=
  force (fun count => ⟨count, ceiling m count, Nat.succ (Nat.log2 (Nat.add frame.rows frame.rows))⟩) (ceiling m 32)
/-- The tiles fit the frame. -/
def Tiles.fit (tiles : Tiles) (frame : Frame) (m : Nat) : Bool :=
  both (Nat.ble 1 tiles.width) (both (Nat.ble tiles.width frame.width) (both (Nat.ble (Nat.mul tiles.width tiles.count) frame.width)
    (both (Nat.ble m (Nat.mul tiles.width tiles.count)) (Nat.ble (Nat.add frame.rows frame.rows) (Nat.pow 2 tiles.levels)))))
/-- At least eight columns, `n` of them, read consecutive slots of the run that the batch goes to. -/
def together (field : Field) (memory n slot sources cursor : Nat) : Bool :=
  both (Nat.ble 8 n) (both (Nat.ble (Nat.add field.first cursor) slot) (both (Nat.ble (Nat.add slot n) (Nat.add field.first field.count))
    (both (Nat.ble (Nat.add slot n) memory) (Dense.consecutive n slot sources))))

/-- The columns of a lane: the first `n` of them at once, or none, and the others one after the other. -/
def sweptFrom (s : Scale) (field : Field) (m x base columns direct mirrored memory count n slot sources cursor grid gain loss : Nat)
    (next : Nat → Nat → Nat → Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (both (Nat.ble n count) (both (together field memory n slot sources cursor) ((Tiles.of field.frame m).fit field.frame m)))
    (sweep s field (coefficients field.frame m x base columns count) direct mirrored memory count 0 sources cursor grid gain loss next)
    (force (fun place => force (fun later => force (fun grid' => force (fun cursor' =>
          sweep s field (coefficients field.frame m x base columns count) direct mirrored memory (Nat.sub count n) n later cursor' grid' gain loss next)
        (Nat.add place n))
        (Nat.add grid (Nat.shiftLeft (Nat.add (dotsOf field.frame.digit field.frame.width (Tiles.of field.frame m).width (Nat.add field.frame.rows field.frame.rows)
          (Tiles.of field.frame m).levels m (Tiles.of field.frame m).count n x (Nat.shiftRight columns (Nat.mul (Nat.mul field.frame.digit m) (Nat.sub count n))))
          (Nat.mul base (ones field.frame.digit n))) (Nat.mul field.frame.digit place))))
      (Nat.shiftRight sources (Nat.mul 32 n))) (Nat.sub slot field.first))
/-- The columns of a lane: as many as read consecutive slots at once. -/
def swept (s : Scale) (field : Field) (m x base columns direct mirrored memory count sources cursor grid gain loss : Nat)
    (next : Nat → Nat → Nat → Nat → Nat → Bool) : Bool :=
  force (fun slot => force (fun n => sweptFrom s field m x base columns direct mirrored memory count n slot sources cursor grid gain loss next)
    (Dense.run count slot sources)) (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))

/-- All columns, lane after lane. -/
def lanesSwept (s : Scale) (field : Field) (C m offset x base direct mirrored memory count : Nat) (lanes : List (List Column)) :
    Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  List.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ _ grid gain loss next => next grid gain loss)
    (fun lane _ rest sources cursor grid gain loss next => force (fun columns =>
        swept s field m x base columns direct mirrored memory count sources cursor grid gain loss
          fun sources' cursor' grid' gain' loss' => rest sources' cursor' grid' gain' loss' next)
      (turned C field.frame.digit (Nat.mul m count) (joined C m offset lane))) lanes

/-- What a column's coefficients are. -/
def coefficient (R m : Nat) (f : Nat → Nat → Nat) (offset : Nat) (ds : List Digits) (k r : Nat) : Nat :=
  (tally m fun i => f r i * raised offset ds k i) + offset * tally m (f (cond (Nat.ble R r) (r - R) (R + r)))

theorem coefficient_sub {R m offset bound r : Nat} (hr : r < R) {f : Nat → Nat → Nat} {ds : List Digits} {k : Nat}
    (h : ∀ i, i < m → (entry ds k).negative i ≤ (entry ds k).positive i + offset) :
    (natural (coefficient R m f offset ds k r) - natural (coefficient R m f offset ds k (R + r)) : K) =
      form m (f r) (f (R + r)) fun i => natural ((entry ds k).positive i) - natural ((entry ds k).negative i) := by
  have e1 : cond (Nat.ble R r) (r - R) (R + r) = R + r := by rw [Memory.ble_false_of_lt hr]; rfl
  have e2 : cond (Nat.ble R (R + r)) (R + r - R) (R + (R + r)) = r := by
    rw [Nat.ble_eq_true_of_le (Nat.le_add_right R r)]
    exact Natural.add_sub_cancel_left _ _
  have expand : ∀ g : Nat → Nat, (natural (tally m fun i => g i * raised offset ds k i) : K) =
      sum m (fun i => natural (g i) * (natural ((entry ds k).positive i) - natural ((entry ds k).negative i))) + natural offset * natural (tally m g) := fun g => by
    rw [natural_tally, natural_tally, ← sum_mul, ← sum_add]
    refine Columns.sum_congr fun i hi => ?_
    unfold raised
    rw [natural_mul, Linear.natural_sub (h i hi), natural_add]
    exact (ring5 K g p n o x, g * (p + o - n), g * (p - n) + o * g) _ _ _ _ 0
  unfold coefficient form
  rw [e1, e2, natural_add, natural_add, expand, expand, natural_mul, natural_mul]
  have split : sum m (fun i => (natural (f r i) - natural (f (R + r) i)) * (natural ((entry ds k).positive i) - natural ((entry ds k).negative i)) : Nat → K) +
      sum m (fun i => natural (f (R + r) i) * (natural ((entry ds k).positive i) - natural ((entry ds k).negative i))) =
      sum m (fun i => natural (f r i) * (natural ((entry ds k).positive i) - natural ((entry ds k).negative i))) := by
    rw [← sum_add]
    exact Columns.sum_congr fun i _ => (ring3 K p q v, (p - q) * v + q * v, p * v) _ _ _
  rw [← split]
  exact (ring5 K a b o x y, a + b + o * x + o * y - (b + o * y + o * x), a) _ _ _ _ _

/-- All columns still ahead are the rows' combination. -/
theorem ahead_eq {s : Scale} {slots : Nat → K} {t : Nat → Nat → Nat} {R r m : Nat} {f g : Nat → Nat} : (ds : List Digits) → (k : Nat) → (source : Nat → Nat) →
    (∀ j, j < ds.length → (natural (t (k + j) r) - natural (t (k + j) (R + r)) : K) =
      form m f g fun i => natural ((entry ds j).positive i) - natural ((entry ds j).negative i)) →
    ahead s slots t R r ds.length k source = form m f g fun i => natural s.unit * Linear.combination slots ds source i
  | [], _, _, _ => by
    show (0 : K) = sum m fun i => (natural (f i) - natural (g i)) * (natural s.unit * 0)
    refine (sum_zero (K := K) m).symm.trans (Columns.sum_congr fun i _ => ?_)
    exact (ring2 K x y, 0, x * (y * 0)) _ _
  | d :: ds, k, source, h => by
    have ih := ahead_eq (s := s) (slots := slots) ds (k + 1) (fun i => source (i + 1)) (fun j hj => by
      have e := h (j + 1) (Nat.succ_le_succ hj)
      have o : k + 1 + j = k + (j + 1) := by rw [Nat.add_assoc, Nat.add_comm 1]
      rw [o]; exact e)
    have first : (natural (t k r) - natural (t k (R + r)) : K) = form m f g fun i => natural (d.positive i) - natural (d.negative i) :=
      h 0 (Nat.succ_le_succ (Nat.zero_le _))
    show (natural (t k r) - natural (t k (R + r))) * (natural s.unit * slots (source 0)) + ahead s slots t R r ds.length (k + 1) _ = _
    rw [ih, first]
    unfold form
    rw [mul_comm, ← sum_mul, ← sum_add]
    refine Columns.sum_congr fun i _ => ?_
    show _ = _ * (natural s.unit * ((natural (d.positive i) - natural (d.negative i)) * slots (source 0) + Linear.combination slots ds (fun k => source (k + 1)) i))
    exact (ring5 K c v u x z, u * x * (c * v) + c * (u * z), c * (u * (v * x + z))) _ _ _ _ _

/-- What every lane needs: the numbers of one multiplication. -/
structure Multiplies (field : Field) (C m size bits offset x base step : Nat) (f : Nat → Nat → Nat) : Prop where
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
theorem turned_columns {field : Field} {C m size bits offset x base step count : Nat} {f : Nat → Nat → Nat} (ok : Multiplies field C m size bits offset x base step f)
    {cs : List Column} {ds : List Digits} (hp : Packed C m (2 ^ bits) cs ds) (hlen : cs.length = count) {k : Nat} (hk : k < count) :
    turnedColumn field.frame.digit m count k (turned C field.frame.digit (m * count) (joined C m offset cs)) =
        pack field.frame.digit m (fun i => raised offset ds k (m - 1 - i)) ∧
      (∀ i, i < m → raised offset ds k i ≤ 2 ^ bits + offset ∧ (entry ds k).positive i ≤ 2 ^ bits ∧ (entry ds k).negative i ≤ 2 ^ bits) ∧
      m * (2 ^ size * (2 ^ bits + offset)) < 2 ^ field.frame.digit ∧ 2 ^ bits + offset < 2 ^ field.frame.digit := by
  have hC : 0 < C := Nat.le_trans ok.digit ok.narrow
  have ho : 2 ^ bits ≤ offset := Natural.le_of_eq ok.raise.symm
  have le := fun i hi => raised_le (offset := offset) cs ds hp k (by rw [hlen]; exact hk) i hi
  have fits : step < 2 ^ field.frame.digit := Natural.lt_of_lt_of_le ok.fits (Natural.two_pow_le (Natural.sub_le _ _))
  have part : m * (2 ^ size * (2 ^ bits + offset)) ≤ step := by rw [ok.total]; exact Nat.le_add_right _ _
  have one : 2 ^ bits + offset ≤ m * (2 ^ size * (2 ^ bits + offset)) := by
    have e : 1 * (1 * (2 ^ bits + offset)) ≤ m * (2 ^ size * (2 ^ bits + offset)) :=
      Nat.mul_le_mul ok.rows (Nat.mul_le_mul (Natural.two_pow_pos size) Nat.le.refl)
    rw [Nat.one_mul, Nat.one_mul] at e
    exact e
  have whole := Natural.lt_of_le_of_lt part fits
  have digits : ∀ k', k' < count → ∀ i, i < m → raised offset ds k' i < 2 ^ field.frame.digit := fun k' hk' i hi =>
    Natural.lt_of_le_of_lt (Nat.le_trans (raised_le (offset := offset) cs ds hp k' (by rw [hlen]; exact hk') i hi).1 one) whole
  have e := turnedColumn_eq (V := raised offset ds) ok.narrow hC digits hk
  rw [← hlen, ← joined_eq hC ho cs ds hp, hlen] at e
  exact ⟨e, le, whole, Natural.lt_of_le_of_lt one whole⟩

theorem coefficients_eq {field : Field} {C m size bits offset x base step count : Nat} {f : Nat → Nat → Nat} (ok : Multiplies field C m size bits offset x base step f)
    {cs : List Column} {ds : List Digits} (hp : Packed C m (2 ^ bits) cs ds) (hlen : cs.length = count) {k : Nat} (hk : k < count) :
    coefficients field.frame m x base (turned C field.frame.digit (m * count) (joined C m offset cs)) count k =
        side field.frame.digit field.frame.width (field.frame.rows + field.frame.rows) (coefficient field.frame.rows m f offset ds k) ∧
      (∀ r, r < field.frame.rows + field.frame.rows → coefficient field.frame.rows m f offset ds k r ≤ step) ∧
      ∀ i, i < m → (entry ds k).negative i ≤ (entry ds k).positive i + offset := by
  have ho : 2 ^ bits ≤ offset := Natural.le_of_eq ok.raise.symm
  obtain ⟨e, le, fits, _⟩ := turned_columns ok hp hlen hk
  have other : ∀ r, r < field.frame.rows + field.frame.rows → cond (Nat.ble field.frame.rows r) (r - field.frame.rows) (field.frame.rows + r) < field.frame.rows + field.frame.rows := fun r hr => by
    cases Natural.le_or_lt field.frame.rows r with
    | inl h => rw [Nat.ble_eq_true_of_le h]; exact Natural.lt_of_le_of_lt (Natural.sub_le _ _) hr
    | inr h => rw [Memory.ble_false_of_lt h]; exact Nat.add_le_add (Nat.le.refl (n := field.frame.rows)) h
  refine ⟨?_, fun r hr => ?_, fun i hi => Nat.le_trans (Nat.le_trans (le i hi).2.2 ho) (Nat.le_add_left _ _)⟩
  · unfold coefficients
    rw [e, ok.matrix]
    have t := times_turned (R := field.frame.rows + field.frame.rows) (v := raised offset ds k) ok.rows ok.inside ok.digit ok.small (fun j hj => (le j hj).1)
      fits
    have t' : times field.frame.digit field.frame.width (Nat.add field.frame.rows field.frame.rows) m
      (grid field.frame.digit field.frame.width m (field.frame.rows + field.frame.rows) f) (pack field.frame.digit m fun i => raised offset ds k (m - 1 - i)) = _ := t
    rw [t', ok.base]
    exact (side_add _ _ _ _ _).symm
  · rw [ok.total]
    refine Nat.add_le_add (tally_le fun i hi => Nat.mul_le_mul (ok.small r hr i hi) (le i hi).1) (Nat.mul_le_mul Nat.le.refl ?_)
    exact tally_le fun i hi => ok.small _ (other r hr) i hi

/-- At once or one after the other: the same. -/
theorem swept_eq {s : Scale} {field : Field} {C m size bits offset x base step count direct mirrored memory sources cursor grid gain loss : Nat} {f : Nat → Nat → Nat}
    {next : Nat → Nat → Nat → Nat → Nat → Bool} (ok : Multiplies field C m size bits offset x base step f) {cs : List Column} {ds : List Digits}
    (hp : Packed C m (2 ^ bits) cs ds) (hlen : cs.length = count) :
    swept s field m x base (turned C field.frame.digit (m * count) (joined C m offset cs)) direct mirrored memory count sources cursor grid gain loss next =
      sweep s field (coefficients field.frame m x base (turned C field.frame.digit (m * count) (joined C m offset cs)) count) direct mirrored memory count 0
        sources cursor grid gain loss next := by
  unfold swept
  rw [force_eq, force_eq]
  generalize Nat.land sources (Nat.sub (Nat.pow 2 32) 1) = slot
  generalize Dense.run count slot sources = n
  unfold sweptFrom
  generalize Tiles.of field.frame m = tiles
  cases e : both (Nat.ble n count) (both (together field memory n slot sources cursor) (tiles.fit field.frame m)) with
  | false => rfl
  | true =>
    obtain ⟨e0, e⟩ := both_true e
    obtain ⟨e1, e2⟩ := both_true e
    obtain ⟨g1, e1⟩ := both_true e1
    obtain ⟨g2, e1⟩ := both_true e1
    obtain ⟨g3, e1⟩ := both_true e1
    obtain ⟨g4, g5⟩ := both_true e1
    obtain ⟨t1, e2⟩ := both_true e2
    obtain ⟨t2, e2⟩ := both_true e2
    obtain ⟨t3, e2⟩ := both_true e2
    obtain ⟨t4, t5⟩ := both_true e2
    have g1 : 0 < n := Natural.lt_of_lt_of_le (Nat.succ_le_succ (Nat.zero_le 7)) (Nat.le_of_ble_eq_true g1)
    obtain ⟨rest, hrest⟩ := Nat.exists_of_le (Nat.le_of_ble_eq_true e0)
    have drop : Nat.sub count n = rest := by show count - n = rest; rw [hrest, Natural.add_sub_cancel_left]
    have lt : ∀ k, k < n → k < count := fun k hk => Natural.lt_of_lt_of_le hk (Nat.le_of_ble_eq_true e0)
    have words := Dense.consecutive_sound n slot sources g5
    have g2 : field.first + cursor ≤ slot := Nat.le_of_ble_eq_true g2
    have g3 : slot + n ≤ field.first + field.count := Nat.le_of_ble_eq_true g3
    have g4 : slot + n ≤ memory := Nat.le_of_ble_eq_true g4
    obtain ⟨z, hz⟩ := Nat.exists_of_le g2
    have place : Nat.sub slot field.first = cursor + z := by
      show slot - field.first = cursor + z
      rw [hz, Nat.add_assoc, Natural.add_sub_cancel_left]
    have at_place : slot = field.first + (cursor + z) := by rw [hz, Nat.add_assoc]
    have inside : cursor + z + n ≤ field.count := by
      rw [at_place, Nat.add_assoc] at g3
      exact Nat.le_of_add_le_add_right field.first (by rw [Nat.add_comm, Nat.add_comm field.count]; exact g3)
    have known := fun k hk => coefficients_eq (k := k) ok hp hlen hk
    have columns := fun k hk => turned_columns (k := k) ok hp hlen hk
    obtain ⟨_, _, fits, small⟩ := columns 0 (lt 0 g1)
    have dots := dotsOf_eq (R := field.frame.rows + field.frame.rows) (V := raised offset ds) (count := n)
      (turned := Nat.shiftRight (turned C field.frame.digit (m * count) (joined C m offset cs)) (field.frame.digit * m * rest)) ok.digit
      (Nat.le_of_ble_eq_true t1) (Nat.le_of_ble_eq_true t2) (Nat.le_of_ble_eq_true t5) (Nat.le_of_ble_eq_true t4) (Nat.le_of_ble_eq_true t3) g1 ok.small
      (fun k hk j hj => ((columns k (lt k hk)).2.1 j hj).1)
      (by
        have one : 2 ^ size * 1 ≤ m * (2 ^ size * (2 ^ bits + offset)) := by
          have a := Nat.mul_le_mul ok.rows (Nat.mul_le_mul (Nat.le.refl (n := 2 ^ size))
            (Nat.le_trans (Natural.two_pow_pos bits) (Nat.le_add_right (2 ^ bits) offset)))
          rw [Nat.one_mul] at a
          exact a
        rw [Nat.mul_one] at one
        exact Natural.lt_of_le_of_lt one fits) small fits
      (fun u hu => by
        have inside := Natural.lt_of_le_of_lt (Natural.sub_le (n - 1) u) (Natural.le_of_eq (Natural.succ_pred g1))
        have c := (columns (n - 1 - u) (lt _ inside)).1
        have back : count - 1 - (n - 1 - u) = rest + u := by
          obtain ⟨q, hq⟩ := Nat.exists_of_le hu
          have e : n - 1 = u + q := Natural.sub_eq_of_add_eq (by rw [hq, Nat.succ_add])
          have e' : count - 1 = q + (rest + u) := Natural.sub_eq_of_add_eq (by
            rw [hrest, hq]
            show q + (rest + u) + 1 = u + 1 + q + rest
            simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
          rw [e, Natural.add_sub_cancel_left, e', Natural.add_sub_cancel_left]
        rw [← c]
        refine Eq.trans ?_ (digit_eq (field.frame.digit * m) _ (count - 1 - (n - 1 - u))).symm
        rw [back]
        show _ / 2 ^ (field.frame.digit * m * rest) / 2 ^ (field.frame.digit * m * u) % _ = _ / 2 ^ (field.frame.digit * m * (rest + u)) % _
        rw [Natural.shift_shift, Nat.mul_add])
    have block : Nat.add (dotsOf field.frame.digit field.frame.width tiles.width (Nat.add field.frame.rows field.frame.rows) tiles.levels m tiles.count n x
        (Nat.shiftRight (turned C field.frame.digit (m * count) (joined C m offset cs)) (Nat.mul (Nat.mul field.frame.digit m) rest))) (Nat.mul base (ones field.frame.digit n)) =
        Matrix.grid field.frame.digit field.frame.width n (field.frame.rows + field.frame.rows) fun r k => coefficient field.frame.rows m f offset ds k r := by
      rw [← ok.matrix] at dots
      show dotsOf field.frame.digit field.frame.width tiles.width (field.frame.rows + field.frame.rows) tiles.levels m tiles.count n x
        (Nat.shiftRight (turned C field.frame.digit (m * count) (joined C m offset cs)) (field.frame.digit * m * rest)) + base * ones field.frame.digit n = _
      rw [dots, ok.base, ones_eq ok.digit]
      have b := side_mul_pack field.frame.digit field.frame.width n (field.frame.rows + field.frame.rows)
        (fun r => offset * tally m (f (cond (Nat.ble field.frame.rows r) (r - field.frame.rows) (field.frame.rows + r)))) (fun _ => 1)
      rw [b, ← grid_add]
      exact grid_congr fun r _ k _ => by rw [Natural.mul_one]; rfl
    have run := sweep_block (s := s) (direct := direct) (mirrored := mirrored) (grid := grid) (gain := gain) (loss := loss)
      (next := fun sources' cursor' grid' gain' loss' => sweep s field
        (coefficients field.frame m x base (turned C field.frame.digit (m * count) (joined C m offset cs)) count) direct mirrored memory rest (0 + n) sources' cursor' grid' gain' loss' next)
      (coefficients := coefficients field.frame m x base (turned C field.frame.digit (m * count) (joined C m offset cs)) count) (k := 0) g1
      (fun i hi => by rw [words i hi, at_place]) (Nat.le_add_right cursor z) (by rw [← at_place]; exact g4) inside
    have sum := placed_grid (b := field.frame.digit) (w := field.frame.width) (R := field.frame.rows + field.frame.rows)
      (coefficients := coefficients field.frame m x base (turned C field.frame.digit (m * count) (joined C m offset cs)) count) n 0 (cursor + z)
      (fun k => coefficient field.frame.rows m f offset ds k) (fun k hk => by rw [Nat.zero_add]; exact (known k (lt k hk)).1)
    have all := sweep_append (s := s) (field := field) (direct := direct) (mirrored := mirrored) (memory := memory) (m := rest) (next := next)
      (coefficients := coefficients field.frame m x base (turned C field.frame.digit (m * count) (joined C m offset cs)) count) n 0 sources cursor grid gain loss
    rw [← hrest] at all
    rw [all, run, sum]
    simp only [force_eq]
    show sweep s field _ direct mirrored memory (Nat.sub count n) n _ _ _ gain loss next = _
    rw [place, drop, block, Nat.zero_add]
    rfl

theorem lanesSwept_sound {s : Scale} {field : Field} {slots goal : Nat → K} {C m size bits offset x base step count direct mirrored memory : Nat} {f : Nat → Nat → Nat}
    {next : Nat → Nat → Nat → Bool} (half : 0 < s.half) (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (ok : Multiplies field C m size bits offset x base step f) (low : Nat) :
    (lanes : List (List Column)) → (ds : List Digits) → Packed C m (2 ^ bits) (Columns.flatten lanes) ds → Even count lanes →
    (sources cursor grid gain loss limit : Nat) → (A : Nat → Nat → Nat) → (c d : Nat → Nat) → (extra : Nat → K) →
    Swept s field slots goal (fun r => form m (f r) (f (field.frame.rows + r)) (fun i => natural s.unit * Linear.combination slots ds (word sources) i) + extra r)
      low step limit cursor grid gain loss A c d →
    lanesSwept s field C m offset x base direct mirrored memory count lanes sources cursor grid gain loss next = true →
    ∃ cursor' grid' gain' loss' A' c' d', Swept s field slots goal extra low step (limit + lanes.length * (count * (field.weight * (step * (s.top + s.top))))) cursor' grid' gain' loss' A' c' d' ∧
      next grid' gain' loss' = true := by
  intro lanes
  induction lanes with
  | nil =>
    exact fun
    | [], _, _, sources, cursor, grid, gain, loss, limit, A, c, d, extra, hx, h => by
      obtain ⟨x1, x2, x3, x4, x5⟩ := hx
      refine ⟨cursor, grid, gain, loss, A, c, d, ⟨x1, x2, x3, x4, fun r hr => ?_⟩, h⟩
      obtain ⟨y1, y2, y3⟩ := x5 r hr
      refine ⟨Nat.le_trans y1 (Nat.le_add_right _ _), Nat.le_trans y2 (Nat.le_add_right _ _), ?_⟩
      have z : (form m (f r) (f (field.frame.rows + r)) (fun i => natural s.unit * Linear.combination slots [] (word sources) i) + extra r : K) = extra r := by
        have e := ahead_eq (s := s) (slots := slots) (t := fun _ _ => 0) (R := 0) (r := 0) (m := m) (f := f r) (g := f (field.frame.rows + r)) [] 0 (word sources) (fun j hj => absurd hj (Nat.not_succ_le_zero j))
        rw [← e]; exact zero_add _
      rw [← z]; exact y3
    | _ :: _, h, _, _, _, _, _, _, _, _, _, _, _, _, _ => h.elim
  | cons lane lanes smaller =>
    intro ds hp he sources cursor grid gain loss limit A c d extra hx h
    obtain ⟨d1, d2, e, p1, p2⟩ := packed_split lane (Columns.flatten lanes) ds hp
    obtain ⟨len, he⟩ := he
    have len1 : d1.length = count := by rw [← Columns.packed_length lane d1 p1]; exact len
    have h : force (fun columns => swept s field m x base columns direct mirrored memory count sources cursor grid gain loss
          fun sources' cursor' grid' gain' loss' => lanesSwept s field C m offset x base direct mirrored memory count lanes sources' cursor' grid' gain' loss' next)
      (turned C field.frame.digit (Nat.mul m count) (joined C m offset lane)) = true := h
    rw [force_eq] at h
    have h := (swept_eq ok p1 len).symm.trans h
    have known := fun k hk => coefficients_eq (k := k) ok p1 len hk
    have tail : (fun k => word sources (d1.length + k)) = word (Nat.shiftRight sources (32 * count)) := funext fun k => by
      show sources / 2 ^ (32 * (d1.length + k)) % 2 ^ 32 = sources / 2 ^ (32 * count) / 2 ^ (32 * k) % 2 ^ 32
      rw [Natural.shift_shift, ← Nat.mul_add, len1]
    have split : ∀ r, r < field.frame.rows →
        (ahead s slots (coefficient field.frame.rows m f offset d1) field.frame.rows r count 0 (word sources) +
          (form m (f r) (f (field.frame.rows + r)) (fun i => natural s.unit * Linear.combination slots d2 (word (Nat.shiftRight sources (32 * count))) i) + extra r) : K) =
        form m (f r) (f (field.frame.rows + r)) (fun i => natural s.unit * Linear.combination slots ds (word sources) i) + extra r := fun r hr => by
      have a := ahead_eq (s := s) (slots := slots) (t := coefficient field.frame.rows m f offset d1) (R := field.frame.rows) (r := r) (m := m) (f := f r)
        (g := f (field.frame.rows + r)) d1 0 (word sources) (fun j hj => by
          rw [Nat.zero_add]
          exact coefficient_sub (bound := 0) hr (known j (by rw [← len1]; exact hj)).2.2)
      rw [len1] at a
      rw [a, e, ← tail, ← add_assoc]
      refine congrArg (fun y => y + extra r) ?_
      unfold form
      rw [← sum_add]
      refine Columns.sum_congr fun i _ => ?_
      show (natural (f r i) - natural (f (field.frame.rows + r) i)) * (natural s.unit * _) + (natural (f r i) - natural (f (field.frame.rows + r) i)) * (natural s.unit * _) =
        (natural (f r i) - natural (f (field.frame.rows + r) i)) * (natural s.unit * _)
      rw [Columns.combination_append]
      exact (ring4 K c u x y, c * (u * x) + c * (u * y), c * (u * (x + y))) _ _ _ _
    have inv : Swept s field slots goal (fun r => ahead s slots (coefficient field.frame.rows m f offset d1) field.frame.rows r count 0 (word sources) +
          (fun r => form m (f r) (f (field.frame.rows + r)) (fun i => natural s.unit * Linear.combination slots d2 (word (Nat.shiftRight sources (32 * count))) i) + extra r) r)
        low step limit cursor grid gain loss A c d := by
      obtain ⟨x1, x2, x3, x4, x5⟩ := hx
      refine ⟨x1, x2, x3, x4, fun r hr => ?_⟩
      obtain ⟨y1, y2, y3⟩ := x5 r hr
      have s1 := split r hr
      refine ⟨y1, y2, ?_⟩
      show natural field.weight * (_ + (ahead s slots (coefficient field.frame.rows m f offset d1) field.frame.rows r count 0 (word sources) + (_ + extra r))) + _ ≤ _
      rw [s1]; exact y3
    obtain ⟨cursor', grid', gain', loss', A', c', d', r1, r2⟩ := sweep_sound half sf hm ok.digit ok.width ok.fits
      (fun k hk => ⟨(known k hk).1, (known k hk).2.1⟩) count 0 (Nat.zero_add count) _ _ _ _ _ _ _ _ _ _ inv h
    obtain ⟨cursor'', grid'', gain'', loss'', A'', c'', d'', q1, q2⟩ := smaller d2 p2 he _ _ _ _ _ _ _ _ _ _ r1 r2
    refine ⟨cursor'', grid'', gain'', loss'', A'', c'', d'', ?_, q2⟩
    have grow : ∀ y : Nat, limit + y + lanes.length * y = limit + (lane :: lanes).length * y := fun y => by
      show _ = limit + (lanes.length + 1) * y
      rw [Nat.succ_mul, Nat.add_assoc, Nat.add_comm y]
    rw [grow] at q1
    exact q1

end Relaxation
end PytestTorchLean
