prelude
import PytestTorchLean.Check.Relaxation.RowProducts
/-!
# Through an affine node, row by row

Where a node's weights are at hand row by row, each coefficient of the batch is multiplied by a whole row of
weights. That takes many short steps, which the kernel is slow at, and far fewer multiplications of digits
than `lanesSwept`.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### All columns of a node -/

/-- All coefficients of some columns, positive ones and behind them negative ones. -/
def spreadOut (frame : Frame) (ws : List Nat) (count x base : Nat) : Nat :=
  Nat.add (rowSums frame.digit (Nat.mul frame.digit frame.width) (Nat.sub (Nat.pow 2 frame.digit) 1)
      (Nat.sub (Nat.pow 2 (Nat.mul frame.digit frame.width)) 1) ws (Nat.add frame.rows frame.rows) x)
    (Nat.mul base (ones frame.digit count))
/-- The coefficients of column `k`. -/
def columnOf (frame : Frame) (n run others k : Nat) : Nat :=
  cond (Nat.ble n k) (column frame.digit frame.width (Nat.add frame.rows frame.rows) others (Nat.sub k n))
    (column frame.digit frame.width (Nat.add frame.rows frame.rows) run k)
/-- The first `n` columns read the run that the batch goes to; then there is room for the others. -/
def runs (field : Field) (memory count n sources : Nat) : Bool :=
  both (Nat.ble 1 n) (both (Nat.ble n count)
      (both (Nat.ble n field.count)
        (both (Nat.ble n field.frame.width)
          (both (Nat.ble (Nat.sub count n) field.frame.width)
            (both (Nat.ble (Nat.add field.first n) memory) (Dense.consecutive n field.first sources))))))
/-- The `count` columns of a node whose weights are at hand row by row. -/
def rowByRow (s : Scale) (field : Field) (count n base : Nat) (ws : Prod (List Nat) (List Nat))
    (x direct mirrored memory sources gain loss : Nat) (next : Nat → Nat → Nat → Bool) : Bool :=
  force (fun run => force (fun others => sweep s field (columnOf field.frame n run others) direct mirrored
        memory (Nat.sub count n) n (Nat.shiftRight sources (Nat.mul 32 n)) n run gain loss
        fun _ _ grid gain' loss' => next grid gain' loss')
      (spreadOut field.frame ws.snd (Nat.sub count n) x base)) (spreadOut field.frame ws.fst n x base)

theorem spreadOut_eq {field : Field} {C m size bits offset x base step : Nat} {f : Nat → Nat → Nat}
    (ok : Multiplies field C m size bits offset x base step f)
    {ws : List Nat} {ds : List Digits} {n first : Nat}
    (hl : ws.length = m)
    (hw : Rows field.frame.digit n ws fun k => raised offset ds (first + k))
    (small : 2 ^ size < 2 ^ field.frame.digit) :
    spreadOut field.frame ws n x base =
    grid field.frame.digit field.frame.width n (field.frame.rows + field.frame.rows)
      fun r k => coefficient field.frame.rows m f offset ds (first + k) r := by
  have e := rowSums_eq (w := field.frame.width) hl ok.inside hw (field.frame.rows + field.frame.rows) f
    fun r hr i hi => Natural.lt_of_le_of_lt (ok.small r hr i hi) small
  unfold spreadOut
  rw [ok.matrix]
  show rowSums _ _ _ _ ws (field.frame.rows + field.frame.rows) _ + base * ones field.frame.digit n = _
  rw [e, ok.base, ones_eq ok.digit, side_mul_pack field.frame.digit field.frame.width n
      (field.frame.rows + field.frame.rows)
      (fun r => offset *
        tally m (f (cond (Nat.ble field.frame.rows r) (r - field.frame.rows) (field.frame.rows + r))))
      (fun _ => 1), ← grid_add]
  exact grid_congr fun r _ k _ => by rw [Natural.mul_one]; rfl

theorem rowByRow_sound {s : Scale} {field : Field} {slots goal : Nat → K} {a : Affine} {d : Decoding}
    {C m size bits offset x base step count n direct mirrored memory sources gain loss : Nat}
    {f : Nat → Nat → Nat} {lanes : List (List Column)} {ds : List Digits} {ws : Prod (List Nat) (List Nat)}
    {next : Nat → Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (ok : Multiplies field C m size bits offset x base step f)
    (hC : C = 32 * a.lanes)
    (hr : m = a.rows)
    (hb : bits = d.bits)
    (low : Nat)
    (hp : Packed C m (2 ^ bits) (Columns.flatten lanes) ds)
    (hlen : (Columns.flatten lanes).length = count)
    (hws : ws = weightRows a d field.frame.digit n lanes)
    (hn : runs field memory count n sources = true)
    (limit : Nat) (c e : Nat → Nat) (extra : Nat → K)
    (start : Swept s field slots goal
      (fun r => form m (f r) (f (field.frame.rows + r))
          (fun i => natural s.unit * Linear.combination slots ds (word sources) i) + extra r) low step limit 0
      0 gain loss (fun _ _ => 0) c e)
    (h : rowByRow s field count n base ws x direct mirrored memory sources gain loss next = true) :
    ∃ cursor' grid' gain' loss' A' c' d', Swept s field slots goal extra low step
        (limit + count * (field.weight * (step * (s.top + s.top)))) cursor' grid' gain' loss' A' c' d' ∧
      next grid' gain' loss' = true := by
  obtain ⟨n1, hn⟩ := both_true hn
  obtain ⟨n2, hn⟩ := both_true hn
  obtain ⟨n3, hn⟩ := both_true hn
  obtain ⟨n4, hn⟩ := both_true hn
  obtain ⟨n5, hn⟩ := both_true hn
  obtain ⟨n6, n7⟩ := both_true hn
  have n1 : 0 < n := Nat.le_of_ble_eq_true n1
  have n2 : n ≤ count := Nat.le_of_ble_eq_true n2
  have n3 : n ≤ field.count := Nat.le_of_ble_eq_true n3
  have n4 : n ≤ field.frame.width := Nat.le_of_ble_eq_true n4
  have n5 : count - n ≤ field.frame.width := Nat.le_of_ble_eq_true n5
  have n6 : field.first + n ≤ memory := Nat.le_of_ble_eq_true n6
  have words := Dense.consecutive_sound n field.first sources n7
  obtain ⟨rest, hrest⟩ := Nat.exists_of_le n2
  have drop : count - n = rest := by rw [hrest, Natural.add_sub_cancel_left]
  have hC0 : 0 < C := Nat.le_trans ok.digit ok.narrow
  have known := fun k hk => coefficients_eq (k := k) ok hp hlen hk
  have columns := fun k hk => turned_columns (k := k) ok hp hlen hk
  obtain ⟨_, _, fits, _⟩ := columns 0 (Natural.lt_of_lt_of_le n1 n2)
  have small : 2 ^ size < 2 ^ field.frame.digit := by
    refine Natural.lt_of_le_of_lt ?_ fits
    have t := Nat.mul_le_mul ok.rows
      (Nat.mul_le_mul (Nat.le.refl (n := 2 ^ size))
        (Nat.le_trans (Natural.two_pow_pos bits) (Nat.le_add_right (2 ^ bits) offset)))
    rw [Nat.one_mul, Nat.mul_one] at t
    exact t
  have stepLt : ∀ {v : Nat}, v ≤ step → v < 2 ^ field.frame.digit := fun hv =>
    Natural.lt_of_le_of_lt hv (Natural.lt_of_lt_of_le ok.fits (Natural.two_pow_le (Natural.sub_le _ _)))
  have wide : ∀ k, k < count → ∀ i, i < m → raised offset ds k i < 2 ^ C := fun k hk i hi =>
    Natural.lt_of_lt_of_le (Natural.lt_of_le_of_lt ((columns k hk).2.1 i hi).1 (columns k hk).2.2.2)
      (Natural.two_pow_le ok.narrow)
  obtain ⟨v1, v2⟩ :=
    raisedColumns_eq (offset := offset) hC0 (Natural.le_of_eq ok.raise.symm) (Columns.flatten lanes) ds hp
  have v1 := v1.trans hlen
  obtain ⟨f1, f2⟩ := firstOf_eq n _ _ (by rw [v1]; exact n2) v2
  obtain ⟨o1, o2⟩ := othersOf_eq n rest _ _ (v1.trans hrest) v2
  obtain ⟨r1, r2⟩ := transposed_eq (b := field.frame.digit) m _ _ f2
    fun k hk => wide k (by rw [f1] at hk; exact Natural.lt_of_lt_of_le hk n2)
  obtain ⟨q1, q2⟩ := transposed_eq (b := field.frame.digit) m _ _ o2 fun k hk => wide (n + k) (by
    rw [o1] at hk; rw [hrest]; exact Nat.add_le_add (Nat.le.refl (n := n)) hk)
  rw [f1] at r2
  rw [o1] at q2
  have same : (raisedColumns (offset * ones C m) (Columns.flatten lanes)) =
      raisedColumns (Nat.mul (Nat.pow 2 d.bits) (ones (Nat.mul 32 a.lanes) a.rows)) (Columns.flatten lanes)
          := by
    rw [ok.raise, hb, hC, hr]; rfl
  have fst : ws.fst = transposed C field.frame.digit m
        (firstOf n (raisedColumns (offset * ones C m) (Columns.flatten lanes))) := by
    rw [hws, same, hC, hr]; rfl
  have snd : ws.snd = transposed C field.frame.digit m
        (othersOf n (raisedColumns (offset * ones C m) (Columns.flatten lanes))) := by
    rw [hws, same, hC, hr]; rfl
  have run_eq := spreadOut_eq (first := 0) ok r1 (by
    have e : (fun k => raised offset ds (0 + k)) = raised offset ds := funext fun k => by rw [Nat.zero_add]
    rw [e]; exact r2) small
  have others_eq := spreadOut_eq (first := n) ok q1 q2 small
  unfold rowByRow at h
  simp only [force_eq] at h
  have drop' : Nat.sub count n = rest := drop
  rw [fst, snd, drop', run_eq, others_eq] at h
  have bound : ∀ k, k < count →
    ∀ r, r < field.frame.rows + field.frame.rows → coefficient field.frame.rows m f offset ds k r ≤ step :=
      fun k hk => (known k hk).2.1
  have coefs : ∀ k, k < count → columnOf field.frame n
      (grid field.frame.digit field.frame.width n (field.frame.rows + field.frame.rows)
          fun r k => coefficient field.frame.rows m f offset ds (0 + k) r)
      (grid field.frame.digit field.frame.width rest (field.frame.rows + field.frame.rows)
          fun r k => coefficient field.frame.rows m f offset ds (n + k) r) k =
      side field.frame.digit field.frame.width (field.frame.rows + field.frame.rows)
          (coefficient field.frame.rows m f offset ds k) := fun k hk => by
    unfold columnOf
    cases Natural.le_or_lt n k with
    | inl g =>
      rw [Nat.ble_eq_true_of_le g]
      obtain ⟨j, rfl⟩ := Nat.exists_of_le g
      have hj : j < rest := by
        rw [hrest] at hk; exact Memory.lt_of_add_lt hk
      have e : Nat.sub (n + j) n = j := Natural.add_sub_cancel_left n j
      rw [e]
      exact column_eq (by rw [← drop]; exact n5) ok.digit (fun r hr' i hi => stepLt (bound _ (by
        rw [hrest]; exact Nat.add_le_add (Nat.le.refl (n := n)) hi) r hr')) hj
    | inr g =>
      rw [Memory.ble_false_of_lt g]
      refine (column_eq n4 ok.digit (fun r hr' i hi => stepLt (bound _ (by
        rw [Nat.zero_add]; exact Natural.lt_of_lt_of_le hi n2) r hr')) g).trans ?_
      rw [Nat.zero_add]
  generalize hcf : columnOf field.frame n
      (grid field.frame.digit field.frame.width n (field.frame.rows + field.frame.rows)
          fun r k => coefficient field.frame.rows m f offset ds (0 + k) r)
      (grid field.frame.digit field.frame.width rest (field.frame.rows + field.frame.rows)
            fun r k => coefficient field.frame.rows m f offset ds (n + k) r) = cf at *
  have whole : sweep s field cf direct mirrored memory count 0 sources 0 0 gain loss
        (fun _ _ grid gain' loss' => next grid gain' loss') = true := by
    rw [hrest, sweep_append n 0 sources 0 0 gain loss, sweep_block (place := 0) n1 (fun i hi => words i hi)
        Nat.le.refl (by rw [Nat.add_zero]; exact n6) (by rw [Nat.zero_add]; exact n3),
      placed_grid n 0 0 (fun k => coefficient field.frame.rows m f offset ds (0 + k)) (fun k hk => by
        rw [Nat.zero_add]; exact coefs k (Natural.lt_of_lt_of_le hk n2)), Nat.zero_add, Nat.zero_add]
    have one : 2 ^ (field.frame.digit * 0) = 1 := rfl
    rw [one, Natural.mul_one]
    exact h
  have split : ∀ r, r < field.frame.rows →
      (ahead s slots (coefficient field.frame.rows m f offset ds) field.frame.rows r count 0 (word sources) +
          extra r : K) =
      form m (f r) (f (field.frame.rows + r))
            (fun i => natural s.unit * Linear.combination slots ds (word sources) i) + extra r :=
          fun r hr => by
    have len : ds.length = count := by rw [← Columns.packed_length _ ds hp]; exact hlen
    have a := ahead_eq (s := s) (slots := slots) (t := coefficient field.frame.rows m f offset ds)
      (R := field.frame.rows) (r := r) (m := m) (f := f r)
      (g := f (field.frame.rows + r)) ds 0 (word sources) (fun j hj => by
        rw [Nat.zero_add]
        exact coefficient_sub (bound := 0) hr (known j (by rw [← len]; exact hj)).2.2)
    rw [len] at a
    rw [a]
  have inv : Swept s field slots goal
    (fun r => ahead s slots (coefficient field.frame.rows m f offset ds) field.frame.rows r count 0
        (word sources) + extra r)
      low step limit 0 0 gain loss (fun _ _ => 0) c e := by
    obtain ⟨x1, x2, x3, x4, x5⟩ := start
    refine ⟨x1, x2, x3, x4, fun r hr => ?_⟩
    obtain ⟨y1, y2, y3⟩ := x5 r hr
    have s1 := split r hr
    refine ⟨y1, y2, ?_⟩
    show natural field.weight * (_ + (ahead s slots (coefficient field.frame.rows m f offset ds)
                  field.frame.rows r count 0 (word sources) + extra r)) + _ ≤ _
    rw [s1]; exact y3
  obtain ⟨cursor', grid', gain', loss', A', c', d', p1, p2⟩ := sweep_sound half sf hm ok.digit ok.width
    ok.fits (fun k hk => ⟨coefs k hk, bound k hk⟩) count 0 (Nat.zero_add count) _ _ _ _ _ _ _ _ _ _ inv whole
  exact ⟨cursor', grid', gain', loss', A', c', d', p1, p2⟩

/-! ### Whichever way -/

/-- The weights row by row, where they are at hand and the node can be passed so. -/
def rowsFor [Prepared] (field : Field) (a : Affine) (d : Decoding) (memory : Nat) :
    Option (Prod (List Nat) (List Nat)) :=
  Option.rec (motive := fun _ => Option (Prod (List Nat) (List Nat))) none
    (fun ws => Bool.casesOn (motive := fun _ => Option (Prod (List Nat) (List Nat)))
        (runs field memory a.columns field.count a.sources) none (some ws))
    (Prepared.rows a d field.frame.digit field.count)
/-- All columns of a node: row by row where the weights are at hand so, else lane after lane. Either way is a
    function, so that compiled code takes only one of them. -/
def allSwept [Prepared] (s : Scale) (field : Field) (a : Affine) (d : Decoding)
    (C offset x base direct mirrored memory : Nat) (lanes : List (List Column)) (gain loss : Nat)
    (next : Nat → Nat → Nat → Bool) : Bool :=
  Option.rec (motive := fun _ => Nat → Nat → Bool)
    (lanesSwept s field C a.rows offset x base direct mirrored memory a.laneColumns lanes a.sources 0 0 · ·
        next)
    (fun ws gain loss =>
        rowByRow s field a.columns field.count base ws x direct mirrored memory a.sources gain loss next)
    (rowsFor field a d memory) gain loss

theorem allSwept_sound [Prepared] {s : Scale} {field : Field} {slots goal : Nat → K} {a : Affine}
    {d : Decoding} {size offset x base step direct mirrored memory gain loss : Nat} {f : Nat → Nat → Nat}
    {lanes : List (List Column)} {ds : List Digits} {next : Nat → Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (ok : Multiplies field (32 * a.lanes) a.rows size d.bits offset x base step f)
    (low : Nat)
    (hd : decode a d = some lanes)
    (hp : Packed (32 * a.lanes) a.rows (2 ^ d.bits) (Columns.flatten lanes) ds)
    (he : Even a.laneColumns lanes)
    (hlen : (Columns.flatten lanes).length = a.columns)
    (count : lanes.length = a.lanes)
    (limit : Nat) (c e : Nat → Nat) (extra : Nat → K)
    (start : Swept s field slots goal
      (fun r => form a.rows (f r) (f (field.frame.rows + r))
          (fun i => natural s.unit * Linear.combination slots ds (word a.sources) i) + extra r) low step limit
      0 0 gain loss (fun _ _ => 0) c e)
    (h :
      allSwept s field a d (32 * a.lanes) offset x base direct mirrored memory lanes gain loss next = true) :
    ∃ cursor' grid' gain' loss' A' c' d', Swept s field slots goal extra low step
        (limit + lanes.length * (a.laneColumns * (field.weight * (step * (s.top + s.top))))) cursor' grid'
        gain' loss' A' c' d' ∧ next grid' gain' loss' = true := by
  have slow := fun h => lanesSwept_sound (next := next) half sf hm ok low lanes ds hp he a.sources 0 0 gain
    loss limit (fun _ _ => 0) c e extra start h
  unfold allSwept rowsFor at h
  cases hr : Prepared.rows a d field.frame.digit field.count with
  | none => rw [hr] at h; exact slow h
  | some ws =>
    rw [hr] at h
    cases hn : runs field memory a.columns field.count a.sources with
    | false => rw [hn] at h; exact slow h
    | true =>
      rw [hn] at h
      have fast := rowByRow_sound half sf hm ok rfl rfl rfl low hp hlen
        (Prepared.rows_eq a d _ _ lanes ws hd hr) hn limit c e extra start h
      have total : a.columns * (field.weight * (step * (s.top + s.top))) =
          lanes.length * (a.laneColumns * (field.weight * (step * (s.top + s.top)))) := by
        rw [count]; exact Nat.mul_assoc a.lanes a.laneColumns _
      rw [total] at fast
      exact fast
end Relaxation
end PytestTorchLean
