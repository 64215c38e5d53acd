prelude
import PytestTorchLean.Check.Relaxation.Combine
/-!
# A whole affine node substituted at once

Where a node reads one run of slots with its first columns and constants with the others, all columns of its
weights are multiplied by all rows of the batch, without regard to what they read. The coefficients of the run
then lie side by side; the other slots are replaced by their bounds.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- The batch over the run `first`, ..., which a node with one position reads with its first `n` columns. The
    frame's numbers are evaluated first: where a later relaxation does the same with the weights, the kernel
    knows the result. -/
def wholeFrom (s : Scale) (frame : Frame) (a : Affine)
    (bits e error first n direct mirrored memory C K c tiles levels : Nat) (lanes : List (List Column))
    (x : Batch) (next : Batch → Bool) : Bool :=
  both (both (framed s frame x) (both (Nat.beq x.count a.rows) (both (Dense.consecutive n first a.sources)
      (both (roomy frame a.rows C K n x.size bits c tiles levels)
              (Nat.ble (Nat.succ error) (Nat.pow 2 (Nat.mul C a.rows)))))))
    (force (fun digit => force (fun width =>
    (share (fun rows => share (fun all => share (fun base => share (fun p => share
                (fun q => errors frame C a.rows x.size error (Nat.add x.positive x.negative) fun charge =>
        force (fun gain => force (fun loss => settleColumns s frame x.weight direct mirrored memory p q
              (Nat.sub K n) n (Nat.shiftRight a.sources (Nat.mul 32 n)) gain loss fun gain' loss' =>
            share (fun positive => share (fun negative => force (fun scale => force (fun limit =>
                next ⟨scale, x.weight, limit, first, n, Nat.sub digit 1, positive, negative, gain', loss'⟩)
              (Nat.add (Nat.add (Nat.mul e x.limit)
                    (Nat.mul x.weight
                      (Nat.mul a.rows (Nat.mul (Nat.pow 2 (Nat.succ x.size)) (Nat.pow 2 (Nat.succ C))))))
                  (Nat.mul (Nat.sub K n)
                    (Nat.mul x.weight (Nat.mul (Nat.pow 2 (Nat.sub digit 1)) (Nat.add s.top s.top))))))
              (Nat.mul e x.scale))
              (piece digit width n frame.rows q 0))
              (piece digit width n frame.rows p 0))
          (Nat.add (Nat.mul e x.loss) (Nat.mul x.weight charge)))
          (Nat.mul e x.gain))
        (minus digit width K frame.rows (Nat.sub digit 1) base all))
        (minus digit width K frame.rows (Nat.sub digit 1) all base))
        (Nat.mul (Nat.mul (Nat.pow 2 (Nat.sub digit 2)) (ones digit K))
            (ones (Nat.mul digit width) frame.rows)))
        (allCombined digit width c frame.rows levels a.rows tiles x.size bits C rows K a.lanes a.laneColumns
            lanes))
        (raisedRows digit width frame.rows a.rows x.size x.positive x.negative)))
      frame.width) frame.digit)

theorem wholeFrom_sound {s : Scale} {frame : Frame} {slots goal v : Nat → K} {a : Affine} {d : Decoding}
    {e error first n direct mirrored memory c tiles levels : Nat} {lanes : List (List Column)} {x : Batch}
    {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hx : x.HoldsOver frame v goal)
    (one : a.positions = 1)
    (hd : decode a d = some lanes)
    (near : ∀ i, i < a.rows →
      ∀ c : K, natural (2 ^ (d.base - 1)) * c = a.form slots 0 i →
        AtMost (natural e * v i - natural s.unit * c) (natural (digit (32 * a.lanes) error i)))
    (h : wholeFrom s frame a d.bits e error first n direct mirrored memory (32 * a.lanes) a.columns c tiles
      levels lanes x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  unfold wholeFrom at h
  simp only [force_eq, share_eq] at h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hf, hc⟩ := both_true hc
  obtain ⟨c1, hc⟩ := both_true hc
  obtain ⟨c2, hc⟩ := both_true hc
  obtain ⟨hr, c8⟩ := both_true hc
  obtain ⟨r1, hr⟩ := both_true hr
  obtain ⟨r2, hr⟩ := both_true hr
  obtain ⟨r3, hr⟩ := both_true hr
  obtain ⟨r4, hr⟩ := both_true hr
  obtain ⟨r5, hr⟩ := both_true hr
  obtain ⟨r6, hr⟩ := both_true hr
  obtain ⟨r7, hr⟩ := both_true hr
  obtain ⟨r9, hr⟩ := both_true hr
  obtain ⟨r10, hr⟩ := both_true hr
  obtain ⟨r11, hr⟩ := both_true hr
  obtain ⟨r12, r13⟩ := both_true hr
  have ok := framed_sound hf
  have c1 := Nat.eq_of_beq_eq_true c1
  have words := Dense.consecutive_sound n first a.sources c2
  have c8 : error < 2 ^ (32 * a.lanes * a.rows) := Nat.le_of_ble_eq_true c8
  have r1 : 0 < a.rows := Nat.le_of_ble_eq_true r1
  have r2 : 0 < n := Nat.le_of_ble_eq_true r2
  have r3 : n ≤ a.columns := Nat.le_of_ble_eq_true r3
  have r4 : a.columns ≤ frame.width := Nat.le_of_ble_eq_true r4
  have r5 : frame.digit ≤ 32 * a.lanes := Nat.le_of_ble_eq_true r5
  have r6 : 2 ≤ frame.digit := Nat.le_of_ble_eq_true r6
  have r7 : 2 * (a.rows * (2 ^ x.size * 2 ^ d.bits)) < 2 ^ (frame.digit - 2) := Nat.le_of_ble_eq_true r7
  have r9 : 0 < c := Nat.le_of_ble_eq_true r9
  have r10 : c ≤ frame.width := Nat.le_of_ble_eq_true r10
  have r11 : c * tiles ≤ frame.width := Nat.le_of_ble_eq_true r11
  have r12 : a.rows ≤ c * tiles := Nat.le_of_ble_eq_true r12
  have r13 : frame.rows + 1 ≤ 2 ^ levels := Nat.le_of_ble_eq_true r13
  obtain ⟨hlen, ds, hp, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
  have dlen : ds.length = a.columns := by rw [← Columns.packed_length _ ds hp]; exact hlen
  have K0 : 0 < a.columns := Natural.lt_of_lt_of_le r2 r3
  obtain ⟨f, g, cs, l, p1, p2, p3, p4, hr⟩ := hx
  rw [c1] at p1 p2 hr
  have width : a.rows ≤ frame.width := by rw [← c1]; exact ok.width
  have hC : 0 < 32 * a.lanes := Natural.lt_of_lt_of_le ok.digit r5
  have le :=
    fun k hk => raised_le (offset := 2 ^ d.bits) (Columns.flatten lanes) ds hp k (by rw [hlen]; exact hk)
  have sized : ∀ r,
    r < frame.rows → ∀ i, i < a.rows → f r i < 2 ^ x.size ∧ g r i < 2 ^ x.size := fun r hr' => (hr r hr').1
  have rows : raisedRows frame.digit frame.width frame.rows a.rows x.size x.positive x.negative =
      grid frame.digit frame.width a.rows frame.rows fun r i => f r i + 2 ^ x.size - g r i := by
    rw [p1, p2]
    exact raisedRows_eq ok.digit ok.row (fun r hr' i hi => Natural.le_of_lt (sized r hr' i hi).2)
  have bounded : ∀ k, k < a.columns →
      ∀ i, i < a.rows → (entry ds k).positive i ≤ 2 ^ d.bits ∧ (entry ds k).negative i ≤ 2 ^ d.bits :=
    fun k hk i hi => (le k hk i hi).2
  have combines :
      Combines frame.digit frame.width c frame.rows levels a.rows tiles x.size d.bits (32 * a.lanes) f g :=
    ⟨r6, r5, r1, width, r9, r10, r13, r12, r11, r7, sized⟩
  have holds := decode_sound hd
  have number : lanes.length = a.lanes := by
    have z := (Columns.lanes_digits (K := K) lanes 0 holds).1
    rw [Nat.zero_add] at z; exact z
  have columns : a.laneColumns * lanes.length = a.columns := by rw [number]; exact Nat.mul_comm _ _
  have all := allCombined_eq (g' := a.lanes) K combines hp (even_lanes lanes 0 holds)
    (by rw [columns]; exact hlen) (by rw [columns]; exact r4) (by rw [columns]; exact K0)
  rw [columns] at all
  have low := fun r (hr' : r < frame.rows) k (hk : k < a.columns) => lowered (K := K)
    (A := combinedAt frame.digit a.rows (2 ^ x.size) (2 ^ d.bits) (f r) (g r) (entry ds k).positive
      (entry ds k).negative) r6 r7
    (fun i hi => ⟨Natural.le_of_lt (sized r hr' i hi).1, Natural.le_of_lt (sized r hr' i hi).2⟩)
    (bounded k hk) rfl
  have base : Nat.mul (Nat.mul (Nat.pow 2 (Nat.sub frame.digit 2)) (ones frame.digit a.columns))
    (ones (Nat.mul frame.digit frame.width) frame.rows) =
      grid frame.digit frame.width a.columns frame.rows fun _ _ => 2 ^ (frame.digit - 2) := by
    have z : Nat.mul (Nat.pow 2 (Nat.sub frame.digit 2)) (ones frame.digit a.columns) =
      pack frame.digit a.columns fun _ => 2 ^ (frame.digit - 2) := mul_ones ok.digit _ _
    rw [z]; exact repeat_pack ok.row _ _ _
  have sumsTo : x.positive.add x.negative =
      grid frame.digit frame.width a.rows frame.rows fun r j => f r j + g r j := by
    rw [p1, p2]; exact (grid_add _ _ _ _ _ _).symm
  have twice :
      ∀ r, r < frame.rows → ∀ j, j < a.rows → f r j + g r j < 2 ^ (x.size + 1) := fun r hr' j hj => by
    obtain ⟨a1, a2⟩ := sized r hr' j hj
    have z : 2 ^ (x.size + 1) = 2 ^ x.size + 2 ^ x.size := by rw [Natural.pow_succ, Natural.two_mul]
    rw [z]
    have sum := Nat.add_le_add a1 (Natural.le_of_lt a2)
    rw [Nat.succ_add] at sum
    exact sum
  have half : 2 ^ (frame.digit - 2) < 2 ^ (frame.digit - 1) := by
    obtain ⟨k, hk⟩ := Nat.exists_of_le r6
    have z1 : frame.digit - 2 = k := by rw [hk, Natural.add_sub_cancel_left]
    have z2 : frame.digit - 1 = k + 1 := Natural.sub_eq_of_add_eq (by rw [hk, Nat.add_comm 2])
    rw [z1, z2]; exact Vector.guard_lt Nat.le.refl
  have guard : frame.digit - 1 + 1 ≤ frame.digit := Natural.le_of_eq (Natural.succ_pred ok.digit)
  have found : ∃ A : Nat → Nat → Nat,
    allCombined frame.digit frame.width c frame.rows levels a.rows tiles x.size d.bits (32 * a.lanes)
      (grid frame.digit frame.width a.rows frame.rows fun r i => f r i + 2 ^ x.size - g r i) a.columns a.lanes
          a.laneColumns lanes = grid frame.digit frame.width a.columns frame.rows A ∧
      (∀ r, r < frame.rows → ∀ k, k < a.columns → (natural (A r k) : K) =
        form a.rows (f r) (g r)
            (fun i => natural ((entry ds k).positive i) - natural ((entry ds k).negative i)) +
          natural (2 ^ (frame.digit - 2))) ∧
      ∀ r, r < frame.rows → ∀ k, k < a.columns → A r k < 2 ^ (frame.digit - 1) :=
    ⟨_, all, fun r hr' k hk => (low r hr' k hk).2.2, fun r hr' k hk => (low r hr' k hk).2.1⟩
  obtain ⟨A, all, value, less⟩ := found
  have P : minus frame.digit frame.width a.columns frame.rows (Nat.sub frame.digit 1)
      (grid frame.digit frame.width a.columns frame.rows A)
      (grid frame.digit frame.width a.columns frame.rows fun _ _ => 2 ^ (frame.digit - 2)) = _ :=
    minus_eq r4 guard less (fun _ _ _ _ => half)
  have N : minus frame.digit frame.width a.columns frame.rows (Nat.sub frame.digit 1)
      (grid frame.digit frame.width a.columns frame.rows fun _ _ => 2 ^ (frame.digit - 2))
      (grid frame.digit frame.width a.columns frame.rows A) = _ :=
    minus_eq r4 guard (fun _ _ _ _ => half) less
  rw [rows, all, base, P, N, sumsTo] at h
  obtain ⟨T, h, hT⟩ := errors_sound twice c8 h
  have gains : e.mul x.gain =
      side frame.digit frame.width frame.rows fun r => e * cs r := by rw [p3]; exact (side_mul _ _ _ _ _).symm
  have losses : (e.mul x.loss).add (x.weight.mul (side frame.digit frame.width frame.rows T)) =
      side frame.digit frame.width frame.rows fun r => e * l r + x.weight * T r := by
    rw [p4, side_add, side_mul, side_mul]; rfl
  rw [gains, losses] at h
  have caps : ∀ r, r < frame.rows →
      ∀ k, k < a.columns →
        A r k - 2 ^ (frame.digit - 2) ≤ 2 ^ (frame.digit - 1) ∧
          2 ^ (frame.digit - 2) - A r k ≤ 2 ^ (frame.digit - 1) :=
    fun r hr' k hk => ⟨Nat.le_trans (Natural.sub_le _ _) (Natural.le_of_lt (less r hr' k hk)),
        Nat.le_trans (Natural.sub_le _ _) (Natural.le_of_lt half)⟩
  have capLt : 2 ^ (frame.digit - 1) < 2 ^ frame.digit := Vector.guard_lt guard
  obtain ⟨rest, hrest⟩ := Nat.exists_of_le r3
  have drop : Nat.sub a.columns n = rest := by
    show a.columns - n = rest
    rw [hrest, Natural.add_sub_cancel_left]
  rw [drop] at h
  have split : ∀ r, r < frame.rows →
      (form rest (fun k => A r (n + k) - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r (n + k))
        (fun k => natural s.unit * slots (word (Nat.shiftRight a.sources (32 * n)) k)) +
        form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k)
          (values s slots first) : K) =
      form a.rows (f r) (g r) fun i =>
          natural s.unit * Linear.combination slots ds (word a.sources) i := fun r hr' => by
    rw [← form_columns (s := s) (slots := slots) (m := a.rows) (f := f r) (g := g r) ds
        (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k) (word a.sources)
      (fun k hk => by
        rw [dlen] at hk
        rw [Compose.truncated_sub, value r hr' k hk]
        exact (ring2 K x y, x + y - y, x) _ _), dlen, hrest, form_split, add_comm]
    have e1 : (form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k)
        (values s slots first) : K) =
        form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k)
            fun k => natural s.unit * slots (word a.sources k) :=
      Columns.sum_congr fun k hk => by
        show _ * (natural s.unit * slots (first + k)) = _ * (natural s.unit * slots (word a.sources k))
        rw [words k hk]
    have e2 :
      (form rest (fun k => A r (n + k) - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r (n + k))
        (fun k => natural s.unit * slots (word (Nat.shiftRight a.sources (32 * n)) k)) : K) =
        form rest (fun k => A r (n + k) - 2 ^ (frame.digit - 2))
            (fun k => 2 ^ (frame.digit - 2) - A r (n + k))
            fun k => natural s.unit * slots (word a.sources (n + k)) :=
      Columns.sum_congr fun k _ => by
        have z : word (Nat.shiftRight a.sources (32 * n)) k = word a.sources (n + k) := by
          show a.sources / 2 ^ (32 * n) / 2 ^ (32 * k) % 2 ^ 32 = a.sources / 2 ^ (32 * (n + k)) % 2 ^ 32
          rw [Natural.shift_shift, Nat.mul_add]
        show _ * (natural s.unit * slots (word (Nat.shiftRight a.sources (32 * n)) k)) =
          _ * (natural s.unit * slots (word a.sources (n + k)))
        rw [z]
    rw [e1, e2]
  obtain ⟨c', d', h, hr'⟩ := settleColumns_sound (goal := fun r => natural e * (natural x.scale * goal r))
    (extra := fun r => form n (fun k => A r k - 2 ^ (frame.digit - 2))
        (fun k => 2 ^ (frame.digit - 2) - A r k) (values s slots first))
    ok.half sf hm ok.digit r4 capLt caps rest n hrest.symm (Nat.shiftRight a.sources (32 * n))
    (e * x.limit + x.weight * (a.rows * (2 ^ (x.size + 1) * 2 ^ (32 * a.lanes + 1)))) _ _ (fun r hr' => by
      obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
      obtain ⟨t1, t2⟩ := hT r hr'
      refine ⟨Nat.le_trans (Nat.mul_le_mul Nat.le.refl q2) (Nat.le_add_right _ _),
          Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q3) (Nat.mul_le_mul Nat.le.refl t1), ?_⟩
      have b := form_near (K := K) (m := a.rows) (e := e) (p := f r) (q := g r)
        (error := fun j => digit (32 * a.lanes) error j)
        (y := v) (c := fun i => natural s.unit * Linear.combination slots ds (word a.sources) i)
          (fun i hi => by
          have k := near i hi (Linear.combination slots ds (fun k => word a.sources (a.columns * 0 + k)) i)
            (hform slots 0 i hi)
          have e1 : (fun k => word a.sources (a.columns * 0 + k)) = word a.sources := funext fun k => by
            show word a.sources (0 + k) = _
            rw [Nat.zero_add]
          rw [e1] at k
          exact k)
      have more := add_le_add (le_refl (natural e * form a.rows (f r) (g r) v : K)) (natural_le (K := K) t2)
      have b := mul_le_left (natural_nonneg (K := K) x.weight) (le_trans b more)
      have q4 := mul_le_left (natural_nonneg (K := K) e) q4
      have z := split r hr'
      show natural x.weight * (form rest (fun k => A r (n + k) - 2 ^ (frame.digit - 2))
                  (fun k => 2 ^ (frame.digit - 2) - A r (n + k))
                  (fun k => natural s.unit * slots (word (Nat.shiftRight a.sources (32 * n)) k)) +
                form n (fun k => A r k - 2 ^ (frame.digit - 2)) (fun k => 2 ^ (frame.digit - 2) - A r k)
                  (values s slots first)) + natural (e * cs r) ≤
        natural e * (natural x.scale * goal r) + natural (e * l r + x.weight * T r)
      rw [z, natural_add, natural_mul e, natural_mul e, natural_mul x.weight]
      refine le_cert ?_ (add_nonneg (sub_nonneg b) (sub_nonneg q4))
      exact (ring8 K o e l t m v c w, e * o + (e * l + t * m) - (t * v + e * c),
          t * (e * w + m) - t * v + (e * (o + l) - e * (t * w + c))) _ _ _ _ _ _ _ _) h
  have cut :
    ∀ p : Nat → Nat → Nat, (∀ r, r < frame.rows → ∀ k, k < a.columns → p r k ≤ 2 ^ (frame.digit - 1)) →
      piece frame.digit frame.width n frame.rows (grid frame.digit frame.width a.columns frame.rows p) 0 =
          grid frame.digit frame.width n frame.rows p := fun p hp' => by
    have whole : grid frame.digit frame.width a.columns frame.rows p =
        grid frame.digit frame.width frame.width frame.rows fun r => upTo a.columns (p r) :=
      pack_congr fun r _ => (pack_upTo r4 (p r)).symm
    rw [whole, piece_eq ok.digit r2 (by rw [Nat.mul_zero, Nat.zero_add]; exact Nat.le_trans r3 r4)
        (fun r hr' => fun j _ => upTo_lt (fun k hk =>
      Natural.lt_of_le_of_lt (hp' r hr' k hk) capLt) j)]
    refine grid_congr fun r _ j hj => ?_
    rw [Nat.mul_zero, Nat.zero_add]
    exact upTo_old _ (Natural.lt_of_lt_of_le hj r3)
  rw [cut _ (fun r hr' k hk => (caps r hr' k hk).1), cut _ (fun r hr' k hk => (caps r hr' k hk).2)] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, c', d', rfl, rfl, rfl, rfl, fun r hr'' => ?_⟩
  obtain ⟨y1, y2, y3⟩ := hr' r hr''
  refine ⟨fun j hj => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _)
        (less r hr'' j (Natural.lt_of_lt_of_le hj r3)), Natural.lt_of_le_of_lt (Natural.sub_le _ _) half⟩, y1,
      y2, ?_⟩
  show natural x.weight * form n (fun k => A r k - 2 ^ (frame.digit - 2))
          (fun k => 2 ^ (frame.digit - 2) - A r k) (values s slots first) + natural (c' r) ≤
    natural (e * x.scale) * goal r + natural (d' r)
  rw [natural_mul e, mul_assoc]
  exact y3

/-- Whether a large node's weights are at hand row by row: then compiled code is many times faster with rows
    than with products of long numbers, which save steps of the kernel. -/
def byRows [Prepared] (a : Affine) (d : Decoding) (digit n : Nat) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (Nat.ble 16384 (Nat.mul a.rows a.columns)) false
    (Option.rec (motive := fun _ => Bool) false (fun _ => true) (Prepared.rows a d digit n))
/-- Whether a node is substituted at once: its first columns read the run, and the weights of a lane fit a
    number that the kernel takes. -/
def atOnce [Prepared] (a : Affine) (d : Decoding) (digit first n : Nat) : Bool :=
  both (Nat.beq a.positions 1)
    (both (Nat.ble n a.columns)
      (both (Nat.ble (Nat.mul (Nat.mul a.rows a.laneColumns) a.lanes) 262144)
        (both (Dense.consecutive n first a.sources)
          (Bool.casesOn (motive := fun _ => Bool) (byRows a d digit n) true false))))
/-- Tiles for `m` columns: one as long as multiplications are cheaper than the kernel's steps. -/
def tilesFor (m : Nat) : Nat := cond (Nat.ble m 64) 1 (ceiling m 32)
/-- Digits of a tile in rows of `w`: the only one is as wide as the rows are, where these are hardly wider, so
    that nothing has to be moved together and apart again. -/
def tileWidth (w m tiles : Nat) : Nat :=
  cond (both (Nat.beq tiles 1) (Nat.ble w (Nat.add m 16))) w (ceiling m tiles)
/-- An affine node substituted into a batch: at once, or column after column, or row after row. -/
def substitute [Prepared] (s : Scale) (frame : Frame) (a : Affine) (d : Decoding)
    (e error first n direct mirrored memory : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool)
    (atOnce a d frame.digit first n)
    (through s frame a d e error first n direct mirrored memory x next)
    (Option.rec (motive := fun _ => Bool) false
        (fun lanes => force (fun C => force (fun K => force (fun tiles => force (fun c => force (fun levels =>
          wholeFrom s frame a d.bits e error first n direct mirrored memory C K c tiles levels lanes x next)
        (Nat.succ (Nat.log2 (Nat.succ frame.rows)))) (tileWidth frame.width a.rows tiles))
          (tilesFor a.rows)) a.columns)
          (Nat.mul 32 a.lanes))
      (Prepared.columns a d))

theorem substitute_none [Prepared] {s : Scale} {frame : Frame} {a : Affine} {d : Decoding}
    {e error first n direct mirrored memory : Nat} {x : Batch} {next : Batch → Bool}
    (h : decode a d = none) :
    substitute s frame a d e error first n direct mirrored memory x next = false := by
  unfold substitute through
  rw [Prepared.columns_eq, h]
  cases atOnce a d frame.digit first n <;> rfl

theorem substitute_sound [Prepared] {s : Scale} {frame : Frame} {slots goal v : Nat → K} {a : Affine}
    {d : Decoding} {e error first n direct mirrored memory : Nat} {x : Batch} {next : Batch → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hx : x.HoldsOver frame v goal)
    (near : a.positions = 1 →
      ∀ i, i < a.rows →
        ∀ c : K, natural (2 ^ (d.base - 1)) * c = a.form slots 0 i →
          AtMost (natural e * v i - natural s.unit * c) (natural (digit (32 * a.lanes) error i)))
    (h : substitute s frame a d e error first n direct mirrored memory x next = true) :
    ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  unfold substitute at h
  cases e1 : atOnce a d frame.digit first n with
  | false => rw [e1] at h; exact through_sound sf hm hx near h
  | true =>
    rw [e1, Prepared.columns_eq] at h
    have one := Nat.eq_of_beq_eq_true (both_true e1).1
    cases hd : decode a d with
    | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
    | some lanes =>
      rw [hd] at h
      simp only [force_eq] at h
      exact wholeFrom_sound sf hm hx one hd (near one) h
end Relaxation
end PytestTorchLean
