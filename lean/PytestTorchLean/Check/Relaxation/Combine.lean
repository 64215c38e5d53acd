prelude
import PytestTorchLean.Check.Relaxation.SettleColumns
/-!
# All columns of a node times all rows of a batch

The errors of the rows, the conditions on the numbers, and the product of a whole matrix with all rows at
once, by whichever layout is the cheapest: all ways give the same.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### The node -/

/-- All columns are the rows' combination. -/
theorem form_columns {s : Scale} {slots : Nat → K} {m : Nat} {f g : Nat → Nat} :
    (ds : List Digits) → (P N : Nat → Nat) → (source : Nat → Nat) →
    (∀ k, k < ds.length →
        (natural (P k) - natural (N k) : K) =
          form m f g fun i => natural ((entry ds k).positive i) - natural ((entry ds k).negative i)) →
    form ds.length P N (fun k => natural s.unit * slots (source k)) =
      form m f g fun i => natural s.unit * Linear.combination slots ds source i
  | [], _, _, _, _ => by
    show (0 : K) = sum m fun i => (natural (f i) - natural (g i)) * (natural s.unit * 0)
    refine (sum_zero (K := K) m).symm.trans (Columns.sum_congr fun i _ => ?_)
    exact (ring2 K x y, 0, x * (y * 0)) _ _
  | d :: ds, P, N, source, h => by
    have ih := form_columns (s := s) (slots := slots) ds (fun k => P (k + 1)) (fun k => N (k + 1))
      (fun k => source (k + 1)) (fun k hk => h (k + 1) (Nat.succ_le_succ hk))
    have first : (natural (P 0) - natural (N 0) : K) =
        form m f g fun i => natural (d.positive i) - natural (d.negative i) :=
      h 0 (Nat.succ_le_succ (Nat.zero_le _))
    show (natural (P 0) - natural (N 0)) * (natural s.unit * slots (source 0)) +
      form ds.length (fun k => P (k + 1)) (fun k => N (k + 1)) _ = _
    rw [ih, first]
    unfold form
    rw [mul_comm, ← sum_mul, ← sum_add]
    refine Columns.sum_congr fun i _ => ?_
    show _ = _ * (natural s.unit * ((natural (d.positive i) - natural (d.negative i)) * slots (source 0) +
                Linear.combination slots ds (fun k => source (k + 1)) i))
    exact (ring5 K c v u x z, u * x * (c * v) + c * (u * z), c * (u * (v * x + z))) _ _ _ _ _

/-- The errors of all rows: what the coefficients in the batch make of them. -/
def errors (frame : Frame) (C m size error x : Nat) (next : Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.beq error 0)
    (rounded frame.digit frame.width frame.rows m (Nat.succ size) C 1 error x next) (next 0)
theorem errors_sound {frame : Frame} {C m size error : Nat} {f : Nat → Nat → Nat} {next : Nat → Bool}
    (hf : ∀ r, r < frame.rows → ∀ j, j < m → f r j < 2 ^ (size + 1))
    (he : error < 2 ^ (C * m))
    (h : errors frame C m size error (grid frame.digit frame.width m frame.rows f) next = true) :
    ∃ T : Nat → Nat, next (side frame.digit frame.width frame.rows T) = true ∧
      ∀ r, r < frame.rows →
        T r ≤ m * (2 ^ (size + 1) * 2 ^ (C + 1)) ∧ tally m (fun j => f r j * digit C error j) ≤ T r := by
  unfold errors at h
  cases z : Nat.beq error 0 with
  | false =>
    rw [z] at h
    rw [pack_digits m error he] at h
    obtain ⟨t, ht, h⟩ := rounded_sound Nat.le.refl hf (fun j _ => digit_lt C error j) h
    exact ⟨_, h, fun r hr =>
        ⟨rounded_le ht (hf r hr) (fun j _ => digit_lt C error j), rounded_above m t (f r) (digit C error)⟩⟩
  | true =>
    rw [z] at h
    have z := Nat.eq_of_beq_eq_true z
    subst z
    refine ⟨fun _ => 0, by rw [side_zero]; exact h, fun r _ => ⟨Nat.zero_le _, ?_⟩⟩
    refine Nat.le_trans (tally_le (c := 0) fun j _ => ?_) (Natural.le_of_eq (Nat.mul_zero m))
    have zero : digit C 0 j = 0 := by
      show 0 / 2 ^ _ % 2 ^ _ = 0
      rw [Natural.div_eq_zero (Natural.two_pow_pos _)]
      exact Natural.mod_eq_self (Natural.two_pow_pos _)
    rw [zero, Nat.mul_zero]; exact Nat.le.refl

/-- What a node's product needs: room in the digits, tiles that fit the frame. -/
def roomy (frame : Frame) (m C K n size bits c tiles levels : Nat) : Bool :=
  both (Nat.ble 1 m) (both (Nat.ble 1 n)
      (both (Nat.ble n K)
        (both (Nat.ble K frame.width)
          (both (Nat.ble frame.digit C)
            (both (Nat.ble 2 frame.digit)
              (both (Nat.ble (Nat.succ (Nat.mul 2 (Nat.mul m (Nat.mul (Nat.pow 2 size) (Nat.pow 2 bits)))))
                  (Nat.pow 2 (Nat.sub frame.digit 2)))
                (both (Nat.ble 1 c)
                  (both (Nat.ble c frame.width)
                    (both (Nat.ble (Nat.mul c tiles) frame.width)
                      (both (Nat.ble m (Nat.mul c tiles))
                        (Nat.ble (Nat.succ frame.rows) (Nat.pow 2 levels))))))))))))

/-! ### All columns of a node -/

/-- All rows times some columns. -/
def combinedOf (b w c R levels m tiles size bits C rows count : Nat) (columns : List Column) : Nat :=
  combined b w c R levels m tiles size bits count rows
    (turned C b (Nat.mul m count) (joined C m (Nat.pow 2 bits) columns))
/-- All rows times the columns of all lanes, each of `count` columns. -/
def combinedLanes (b w c R levels m tiles size bits C rows count : Nat) (lanes : List (List Column)) : Nat :=
  List.rec (motive := fun _ => Nat) 0
    (fun lane _ rest => Nat.add (combinedOf b w c R levels m tiles size bits C rows count lane)
        (Nat.shiftLeft rest (Nat.mul b count))) lanes
/-- All `K` columns at once if the kernel takes the number they make, else lane after lane; `g` lanes of
    `count` columns. -/
def turnedCombined (b w c R levels m tiles size bits C rows K g count : Nat) (lanes : List (List Column)) :
    Nat :=
  Bool.casesOn (motive := fun _ => Nat) (Nat.ble (Nat.mul (Nat.mul m K) g) 262144)
    (combinedLanes b w c R levels m tiles size bits C rows count lanes)
    (combinedOf b w c R levels m tiles size bits C rows K (Columns.flatten lanes))

/-- How a product with reversed rows is laid out. -/
structure Sharing where
  /-- a row takes `2^row` digits -/
  row : Nat
  /-- digits of a tile -/
  tile : Nat
  tiles : Nat
  /-- columns besides the first that share its digits -/
  others : Nat
  /-- `2^height` is at least the number of rows -/
  height : Nat
  /-- `2^levels` is at least the number of digits -/
  levels : Nat
  /-- at least the number of groups of columns -/
  wide : Nat
/-- The layout for a large matrix, and whether everything fits: `R` rows, `m` by `K` weights. -/
def Sharing.fits (x : Sharing) (b w R m size bits C K : Nat) : Bool :=
  both (both (Nat.ble (Nat.mul b (Nat.succ x.others)) C) (both (Nat.ble m (Nat.pow 2 x.row))
          (both (Nat.ble (Nat.succ R) (Nat.pow 2 x.height))
            (both (Nat.ble (Nat.mul (Nat.pow 2 x.row) (Nat.succ R)) (Nat.pow 2 x.levels))
              (Nat.ble (Nat.mul x.wide (Nat.succ R)) (Nat.pow 2 x.levels))))))
    (both (Nat.ble 1 x.tile)
        (both (Nat.beq (Nat.mul x.tile x.tiles) (Nat.pow 2 x.row))
          (both (Nat.ble x.tile x.wide)
            (both (Nat.ble (Nat.succ (Nat.add K (Nat.succ x.others)))
                (Nat.mul (Nat.succ x.others) (Nat.succ x.wide)))
              (Nat.ble (Nat.succ (Nat.mul (Nat.pow 2 x.row)
                    (Nat.mul (Nat.add (Nat.pow 2 size) (Nat.pow 2 size))
                      (Nat.mul (Nat.pow 2 (Nat.mul b x.others))
                        (Nat.succ (Nat.add (Nat.pow 2 bits) (Nat.pow 2 bits))))))) (Nat.pow 2 C))))))
/-- A layout for `next`. -/
def laidOut (b R m C K : Nat) (next : Sharing → Nat) : Nat :=
  force (fun row => force (fun others => force (fun tiles =>
          force (fun tile => force (fun groups => force (fun wide => force (fun height => force (fun levels =>
      next ⟨row, tile, tiles, others, height, levels, wide⟩)
    (Nat.succ (Nat.log2 (Nat.mul (Nat.add (Nat.pow 2 row) wide) (Nat.succ R)))))
      (Nat.succ (Nat.log2 (Nat.succ R))))
    (Nat.add groups (Nat.sub tile groups))) (Nat.succ (Nat.div K (Nat.succ others))))
        (Nat.div (Nat.pow 2 row) tiles)) (Nat.pow 2 (Nat.sub row 6)))
    (Nat.div (Nat.sub C b) b)) (Nat.succ (Nat.log2 (Nat.sub m 1)))
/-- All rows times all columns: with reversed rows where the matrix is large and the rows are few. -/
def allCombined (b w c R levels m tiles size bits C rows K g count : Nat) (lanes : List (List Column)) :
    Nat :=
  Bool.casesOn (motive := fun _ => Nat) (both (Nat.ble 16384 (Nat.mul m K)) (Nat.ble R 64))
    (turnedCombined b w c R levels m tiles size bits C rows K g count lanes)
    (laidOut b R m C K fun x => Bool.casesOn (motive := fun _ => Nat) (x.fits b w R m size bits C K)
      (turnedCombined b w c R levels m tiles size bits C rows K g count lanes)
      (share (lowerAll b w R m size bits K rows)
        (reversedDots b w C (Nat.succ R) x.row x.tile x.tiles x.others x.height x.levels x.wide
            (withOnes b w R m rows)
            (raisedColumns (Nat.mul (Nat.pow 2 bits) (ones C m)) (Columns.flatten lanes)))))

theorem turned_digits {C b m bits count : Nat} {cs : List Column} {ds : List Digits}
    (hb : b ≤ C)
    (b0 : 0 < b)
    (hwide : 2 ^ bits + 2 ^ bits < 2 ^ b)
    (hp : Packed C m (2 ^ bits) cs ds)
    (hlen : cs.length = count)
    (pos : 0 < count)
    {u : Nat}
    (hu : u < count) :
    digit (b * m) (turned C b (m * count) (joined C m (2 ^ bits) cs)) u =
    pack b m fun i => raised (2 ^ bits) ds (count - 1 - u) (m - 1 - i) := by
  have hC : 0 < C := Nat.le_trans b0 hb
  have inside : count - 1 - u < count :=
    Natural.lt_of_le_of_lt (Natural.sub_le _ _) (Natural.le_of_eq (Natural.succ_pred pos))
  have wide : ∀ k, k < count → ∀ i, i < m → raised (2 ^ bits) ds k i < 2 ^ b := fun k hk i hi =>
    Natural.lt_of_le_of_lt (raised_le (offset := 2 ^ bits) cs ds hp k (by rw [hlen]; exact hk) i hi).1 hwide
  have t := turnedColumn_eq (C := C) (V := raised (2 ^ bits) ds) hb hC wide inside
  have back : count - 1 - (count - 1 - u) = u := by
    obtain ⟨q, hq⟩ := Nat.exists_of_le hu
    have e1 : count - 1 = u + q := Natural.sub_eq_of_add_eq (by rw [hq, Nat.succ_add])
    rw [e1, Natural.add_sub_cancel_left, Nat.add_comm, Natural.add_sub_cancel_left]
  have j := joined_eq (offset := 2 ^ bits) hC Nat.le.refl cs ds hp
  rw [hlen] at j
  rw [← j] at t
  refine Eq.trans ?_ t
  unfold turnedColumn
  have z : Nat.mul (Nat.mul b m) (Nat.sub (Nat.sub count 1) (count - 1 - u)) = b * m * u :=
    congrArg (fun y => b * m * y) back
  rw [z]
  exact (digit_eq (b * m) _ u).symm

/-- What one multiplication of rows by columns needs. -/
structure Combines (b w c R levels m tiles size bits C : Nat) (f g : Nat → Nat → Nat) : Prop where
  digit : 2 ≤ b
  narrow : b ≤ C
  height : 0 < m
  width : m ≤ w
  tile : 0 < c
  inside : c ≤ w
  halvings : R + 1 ≤ 2 ^ levels
  reach : m ≤ c * tiles
  tiled : c * tiles ≤ w
  fits : 2 * (m * (2 ^ size * 2 ^ bits)) < 2 ^ (b - 2)
  small : ∀ r, r < R → ∀ i, i < m → f r i < 2 ^ size ∧ g r i < 2 ^ size

theorem Combines.wide {b w c R levels m tiles size bits C : Nat} {f g : Nat → Nat → Nat}
    (ok : Combines b w c R levels m tiles size bits C f g) :
    2 ^ bits + 2 ^ bits < 2 ^ b := by
  refine Natural.lt_of_le_of_lt ?_ (Natural.lt_of_lt_of_le ok.fits (Natural.two_pow_le (Natural.sub_le _ _)))
  rw [← Natural.two_mul]
  refine Nat.mul_le_mul Nat.le.refl ?_
  have t := Nat.mul_le_mul ok.height (Nat.mul_le_mul (Natural.two_pow_pos size) (Nat.le.refl (n := 2 ^ bits)))
  rw [Nat.one_mul, Nat.one_mul] at t; exact t

theorem combinedOf_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits C count : Nat}
    {f g : Nat → Nat → Nat}
    (ok : Combines b w c R levels m tiles size bits C f g)
    (hcount : count ≤ w)
    (pos : 0 < count)
    {cs : List Column} {ds : List Digits}
    (hp : Packed C m (2 ^ bits) cs ds)
    (hlen : cs.length = count) :
    combinedOf b w c R levels m tiles size bits C (grid b w m R fun r i => f r i + 2 ^ size - g r i) count
      cs = grid b w count R fun r k =>
      combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry ds k).positive (entry ds k).negative :=
  combined_eq K (p := fun k => (entry ds k).positive) (n := fun k => (entry ds k).negative) ok.digit ok.height
    ok.width ok.tile ok.inside ok.halvings ok.reach ok.tiled hcount pos ok.fits ok.small
    (fun k hk i hi => (raised_le (offset := 2 ^ bits) cs ds hp k (by rw [hlen]; exact hk) i hi).2)
    fun _ hu =>
    turned_digits ok.narrow (Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) ok.digit) ok.wide hp hlen pos hu

theorem entry_first :
    (ds es : List Digits) → (k : Nat) → k < ds.length → entry (Columns.appendDigits ds es) k = entry ds k
  | [], _, k, h => absurd h (Nat.not_succ_le_zero k)
  | _ :: _, _, 0, _ => rfl
  | _ :: ds, es, k + 1, h => entry_first ds es k (Nat.le_of_succ_le_succ h)
theorem entry_second :
    (ds es : List Digits) → (k : Nat) → entry (Columns.appendDigits ds es) (ds.length + k) = entry es k
  | [], es, k => by
    show entry es (0 + k) = _
    rw [Nat.zero_add]
  | d :: ds, es, k => by
    have e : (d :: ds).length + k = ds.length + k + 1 := Nat.succ_add _ _
    rw [e]; exact entry_second ds es k
/-- Columns beside columns. -/
theorem grid_append (b w n m R : Nat) (h : Nat → Nat → Nat) :
    grid b w (n + m) R h = grid b w n R h + grid b w m R (fun r i => h r (n + i)) * 2 ^ (b * n) := by
  refine (pack_congr fun r _ => pack_append b n m (h r)).trans ?_
  rw [pack_add, pack_mul, Nat.mul_comm (2 ^ (b * n))]; rfl

theorem combinedLanes_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits C count : Nat}
    {f g : Nat → Nat → Nat}
    (ok : Combines b w c R levels m tiles size bits C f g)
    (hcount : count ≤ w)
    (pos : 0 < count) :
    (lanes : List (List Column)) → (ds : List Digits) →
    Packed C m (2 ^ bits) (Columns.flatten lanes) ds →
    Even count lanes →
    combinedLanes b w c R levels m tiles size bits C (grid b w m R fun r i => f r i + 2 ^ size - g r i) count
        lanes = grid b w (count * lanes.length) R fun r k =>
        combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry ds k).positive (entry ds k).negative
  | [], _, _, _ => (pack_zero (b * w) R).symm
  | lane :: lanes, ds, hp, he => by
    obtain ⟨d1, d2, e, p1, p2⟩ := packed_split lane (Columns.flatten lanes) ds hp
    obtain ⟨len, he⟩ := he
    have len1 : d1.length = count := by rw [← Columns.packed_length lane d1 p1]; exact len
    subst e
    have whole : count * (lane :: lanes).length = count + count * lanes.length :=
      (Nat.mul_succ _ _).trans (Nat.add_comm _ _)
    show combinedOf b w c R levels m tiles size bits C _ count lane +
      combinedLanes b w c R levels m tiles size bits C _ count lanes * 2 ^ (b * count) = _
    rw [combinedOf_eq K ok hcount pos p1 len, combinedLanes_eq K ok hcount pos lanes d2 p2 he, whole,
        grid_append]
    have left : (grid b w count R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r)
            (entry (Columns.appendDigits d1 d2) k).positive (entry (Columns.appendDigits d1 d2) k).negative) =
        _ := grid_congr fun r _ k hk => by rw [entry_first d1 d2 k (by rw [len1]; exact hk)]
    have right : (grid b w (count * lanes.length) R fun r k => combinedAt b m (2 ^ size) (2 ^ bits) (f r)
            (g r) (entry (Columns.appendDigits d1 d2) (count + k)).positive
            (entry (Columns.appendDigits d1 d2) (count + k)).negative) = _ :=
        grid_congr fun r _ k _ => by rw [← len1, entry_second d1 d2 k]
    rw [left, right]

theorem turnedCombined_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits C g' count : Nat}
    {f g : Nat → Nat → Nat}
    (ok : Combines b w c R levels m tiles size bits C f g)
    {lanes : List (List Column)} {ds : List Digits}
    (hp : Packed C m (2 ^ bits) (Columns.flatten lanes) ds)
    (he : Even count lanes)
    (hlen : (Columns.flatten lanes).length = count * lanes.length)
    (hw : count * lanes.length ≤ w)
    (pos : 0 < count * lanes.length) :
    turnedCombined b w c R levels m tiles size bits C (grid b w m R fun r i => f r i + 2 ^ size - g r i)
      (count * lanes.length) g' count lanes =
    grid b w (count * lanes.length) R fun r k =>
      combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry ds k).positive (entry ds k).negative := by
  unfold turnedCombined
  cases Nat.ble (Nat.mul (Nat.mul m (count * lanes.length)) g') 262144 with
  | true => exact combinedOf_eq K ok hw pos hp hlen
  | false =>
    cases lanes with
    | nil => exact absurd pos (Nat.not_succ_le_zero 0)
    | cons lane lanes =>
      have some : 0 < count := by
        cases count with
        | zero => rw [Nat.zero_mul] at pos; exact absurd pos (Nat.not_succ_le_zero 0)
        | succ count => exact Nat.succ_le_succ (Nat.zero_le count)
      have one : count ≤ count * (lane :: lanes).length := by
        have z := Nat.mul_le_mul (Nat.le.refl (n := count)) (Nat.succ_le_succ (Nat.zero_le lanes.length))
        rw [Nat.mul_one] at z; exact z
      exact combinedLanes_eq K ok (Nat.le_trans one hw) some (lane :: lanes) ds hp he

theorem allCombined_eq (K : Type u) [OrderedRing K] {b w c R levels m tiles size bits C g' count : Nat}
    {f g : Nat → Nat → Nat}
    (ok : Combines b w c R levels m tiles size bits C f g)
    {lanes : List (List Column)} {ds : List Digits}
    (hp : Packed C m (2 ^ bits) (Columns.flatten lanes) ds)
    (he : Even count lanes)
    (hlen : (Columns.flatten lanes).length = count * lanes.length)
    (hw : count * lanes.length ≤ w)
    (pos : 0 < count * lanes.length) :
    allCombined b w c R levels m tiles size bits C (grid b w m R fun r i => f r i + 2 ^ size - g r i)
      (count * lanes.length) g' count lanes =
    grid b w (count * lanes.length) R fun r k =>
      combinedAt b m (2 ^ size) (2 ^ bits) (f r) (g r) (entry ds k).positive (entry ds k).negative := by
  have other := turnedCombined_eq (g' := g') K ok hp he hlen hw pos
  unfold allCombined laidOut
  cases both (Nat.ble 16384 (Nat.mul m (count * lanes.length))) (Nat.ble R 64) with
  | false => exact other
  | true =>
  simp only [force_eq]
  generalize Nat.succ (Nat.log2 (Nat.sub m 1)) = row
  generalize Nat.div (Nat.sub C b) b = others
  generalize Nat.pow 2 (Nat.sub row 6) = tiles'
  generalize Nat.div (Nat.pow 2 row) tiles' = tile
  generalize Nat.succ (Nat.div (count * lanes.length) (Nat.succ others)) = groups
  generalize Nat.add groups (Nat.sub tile groups) = wide
  generalize Nat.succ (Nat.log2 (Nat.succ R)) = height
  generalize Nat.succ (Nat.log2 (Nat.mul (Nat.add (Nat.pow 2 row) wide) (Nat.succ R))) = digits
  cases e : Sharing.fits ⟨row, tile, tiles', others, height, digits, wide⟩ b w R m size bits C
      (count * lanes.length) with
  | false => exact other
  | true =>
    obtain ⟨h1, h2⟩ := both_true e
    obtain ⟨a1, h1⟩ := both_true h1
    obtain ⟨a2, h1⟩ := both_true h1
    obtain ⟨a3, h1⟩ := both_true h1
    obtain ⟨a4, a5⟩ := both_true h1
    obtain ⟨b1, h2⟩ := both_true h2
    obtain ⟨b2, h2⟩ := both_true h2
    obtain ⟨b3, h2⟩ := both_true h2
    obtain ⟨b4, b5⟩ := both_true h2
    have b0 : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le 1)) ok.digit
    have C0 : 0 < C := Nat.le_trans b0 ok.narrow
    have bounded : ∀ k, k < count * lanes.length →
        ∀ i, i < m → (entry ds k).positive i ≤ 2 ^ bits ∧ (entry ds k).negative i ≤ 2 ^ bits :=
      fun k hk i hi =>
        (raised_le (offset := 2 ^ bits) (Columns.flatten lanes) ds hp k (by rw [hlen]; exact hk) i hi).2
    obtain ⟨room, a_lt, d_lt, vle, _, stackedLe, both_rows⟩ := raised_fits (w := w) (R := R)
      (p := fun k => (entry ds k).positive) (n := fun k => (entry ds k).negative) ok.digit ok.height ok.fits
      ok.small bounded
    obtain ⟨len, vectors⟩ :=
      raisedColumns_eq (offset := 2 ^ bits) C0 Nat.le.refl (Columns.flatten lanes) ds hp
    have fit : 2 ^ row * ((2 ^ size + 2 ^ size) * (2 ^ (b * others) * (2 ^ bits + 2 ^ bits + 1))) < 2 ^ C :=
      Nat.le_of_ble_eq_true b5
    have single : 2 ^ (b * others) * (2 ^ bits + 2 ^ bits + 1) < 2 ^ C := by
      refine Natural.lt_of_le_of_lt ?_ fit
      generalize 2 ^ (b * others) * (2 ^ bits + 2 ^ bits + 1) = z
      have t := Nat.mul_le_mul (Natural.two_pow_pos row)
        (Nat.mul_le_mul (Nat.le_trans (Natural.two_pow_pos size) (Nat.le_add_right _ (2 ^ size)))
          (Nat.le.refl (n := z)))
      have o : (0 + 1) * ((0 + 1) * z) = z := (Nat.one_mul _).trans (Nat.one_mul _)
      exact Nat.le_trans (Natural.le_of_eq o.symm) t
    have raw := reversedDots_eq (b := b) (w := w) (C := C) (R := R + 1) (V := raised (2 ^ bits) ds) b0
      (Nat.le_of_ble_eq_true a1) ok.height ok.width (Nat.le_of_ble_eq_true a2) (Nat.le_of_ble_eq_true a3)
      (Nat.le_of_ble_eq_true a4) (Nat.le_of_ble_eq_true a5) (Nat.le_of_ble_eq_true b1)
      (Nat.eq_of_beq_eq_true b2) (Nat.le_of_ble_eq_true b3) hw pos (Nat.le_of_ble_eq_true b4) stackedLe a_lt
      vle d_lt room fit single vectors (len.trans hlen)
    show share _ (reversedDots b w C (R + 1) row tile tiles' others height digits wide (withOnes b w R m _)
        (raisedColumns (2 ^ bits * ones C m) (Columns.flatten lanes))) = _
    rw [share_eq, both_rows]
    exact (congrArg (lowerAll b w R m size bits (count * lanes.length) _) raw).trans
      (lowerAll_eq K ok.digit ok.height ok.width hw ok.fits ok.small bounded)
end Relaxation
end PytestTorchLean
