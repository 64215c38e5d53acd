prelude
import PytestTorchLean.Check.Forward.Together
import PytestTorchLean.Check.Passed
import PytestTorchLean.Check.Split
/-!
# The layers, prepared once for all parts of a box

Backward from the last node, the passed nodes that lead from the inputs to it become layers: their weights are
decoded, and what does not depend on the part of the box, biases and slots that are not among a layer's
values, is bounded by the memory.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-- Hand on a list of columns whose numbers are evaluated. -/
def settled (columns : List Column) : (List Column → Bool) → Bool :=
  List.rec (motive := fun _ => (List Column → Bool) → Bool) (fun next => next [])
    (fun c _ rest next => Column.rec (motive := fun _ => Bool) (fun positive negative =>
      force (fun p => force (fun n => rest fun columns => next (⟨p, n⟩ :: columns)) negative) positive) c)
      columns
theorem settled_eq :
    (columns : List Column) → (next : List Column → Bool) → settled columns next = next columns
  | [], _ => rfl
  | ⟨p, n⟩ :: columns, next => by
    show force (fun p => force (fun n => settled columns fun columns => next (⟨p, n⟩ :: columns)) n) p = _
    rw [force_eq, force_eq, settled_eq columns]

/-! ### Inputs -/

/-- What the memory says of `count` slots from `k` on. -/
def rangesOf (s : Scale) (direct : Nat) (count : Nat) : Nat → (List Range → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → (List Range → Bool) → Bool) (fun _ next => next [])
    (fun _ rest k next => force (fun word => force (fun l => force
            (fun u => rest (Nat.succ k) fun ranges => next (⟨l, u⟩ :: ranges)) (Nat.shiftRight word s.half))
          (Nat.land word (Nat.sub (Nat.pow 2 s.half) 1))) (Memory.lookup s.stride direct k)) count
theorem rangesOf_sound {s : Scale} {slots : Nat → K} {direct memory : Nat} {l u : Nat → Nat}
    (sf : s.Fits)
    (hd : direct = pack s.stride memory (fun i => Memory.directWord s (l i) (u i)))
    (hw : ∀ i, i < memory → l i ≤ u i ∧ u i ≤ s.top ∧ Within s (l i) (u i) (slots i)) :
    (count k : Nat) → (next : List Range → Bool) →
    k + count ≤ memory → rangesOf s direct count k next = true →
    ∃ ranges, ranges.length = count ∧ RangesHold s slots k ranges ∧ next ranges = true
  | 0, _, _, _, h => ⟨[], rfl, trivial, h⟩
  | count + 1, k, next, hk, h => by
    have h : force (fun word => force (fun l => force
            (fun u => rangesOf s direct count (Nat.succ k) fun ranges => next (⟨l, u⟩ :: ranges))
            (Nat.shiftRight word s.half)) (Nat.land word (Nat.sub (Nat.pow 2 s.half) 1)))
        (Memory.lookup s.stride direct k) = true := h
    rw [force_eq, force_eq, force_eq] at h
    have inside : k < memory := Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right k count)) hk
    obtain ⟨e1, e2, e3⟩ := Split.lookup_bounds sf hd (fun i hi => ⟨(hw i hi).1, (hw i hi).2.1⟩) inside
    rw [e1, e2, e3] at h
    obtain ⟨ranges, r1, r2, h⟩ :=
      rangesOf_sound sf hd hw count (k + 1) _ (by rw [Nat.add_assoc, Nat.add_comm 1]; exact hk) h
    exact ⟨⟨l k, u k⟩ :: ranges, congrArg Nat.succ r1, ⟨(hw k inside).2.2, r2⟩, h⟩

/-! ### ReLU -/

/-- A ReLU of `n` slots from `first` on. -/
def reluLayer (s : Scale) (first n direct memory : Nat) (next : Layer → Bool) : Bool :=
  both (both (Nat.ble 1 s.half) (Nat.ble (Nat.add first n) memory))
    (force (fun words => force (fun center => force (fun negative => force
            (fun positive => next (.relu negative positive))
            (Vector.difference s.stride n s.half (uppers s n words) center))
          (Vector.difference s.stride n s.half center (lowers s n words)))
        (Nat.mul s.center (ones s.stride n)))
      (Nat.land (Nat.shiftRight direct (Nat.mul s.stride first))
        (Nat.sub (Nat.pow 2 (Nat.mul s.stride n)) 1)))
theorem reluLayer_sound {s : Scale} {slots y : Nat → K} {first n direct mirrored memory : Nat}
    {next : Layer → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (relu : ∀ i, i < n → IsRelu (slots (first + i)) (y i))
    (h : reluLayer s first n direct memory next = true) :
    ∃ l : Layer, l.Holds s (fun i => slots (first + i)) n y n ∧ next l = true := by
  obtain ⟨l, u, hd, _, hw⟩ := hm
  have hd : direct = pack s.stride memory (fun i => Memory.directWord s (l i) (u i)) := hd
  obtain ⟨hs, h⟩ := both_true h
  obtain ⟨half, hs⟩ := both_true hs
  have half := Nat.le_of_ble_eq_true half
  have hs : first + n ≤ memory := Nat.le_of_ble_eq_true hs
  simp only [force_eq] at h
  have stride : 0 < s.stride := Nat.le_trans half (Nat.le_add_right _ _)
  have inside : ∀ i,
    i < n → first + i < memory := fun i hi => Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := first)) hi) hs
  have small : ∀ {x : Nat}, x ≤ s.top → x < 2 ^ s.half := fun h => Nat.le_trans (Nat.succ_le_succ h) sf.half
  have words :
    Nat.land (Nat.shiftRight direct (Nat.mul s.stride first)) (Nat.sub (Nat.pow 2 (Nat.mul s.stride n)) 1) =
      pack s.stride n (fun i => l (first + i) + 2 ^ s.half * u (first + i)) := by
    rw [hd]
    exact Dense.segment (f := fun i => Memory.directWord s (l i) (u i)) hs
      (fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2.1).1)
  have tops : ∀ i, i < n → l (first + i) ≤ s.top ∧ u (first + i) ≤ s.top := fun i hi =>
    ⟨Nat.le_trans (hw _ (inside i hi)).1 (hw _ (inside i hi)).2.1, (hw _ (inside i hi)).2.1⟩
  have low := lowers_eq (s := s) (n := n) (f := fun i => l (first + i)) (g := fun i => u (first + i)) half
    (fun i hi => small (tops i hi).1) (fun i hi => small (tops i hi).2)
  have high := uppers_eq (s := s) (n := n) (f := fun i => l (first + i)) (g := fun i => u (first + i)) half
    (fun i hi => small (tops i hi).1) (fun i hi => small (tops i hi).2)
  have center : Nat.mul s.center (ones s.stride n) = pack s.stride n (fun _ => s.center) :=
    mul_ones stride n s.center
  have guard : s.half + 1 ≤ s.stride := Nat.add_le_add Nat.le.refl half
  have center_lt : s.center < 2 ^ s.half := small (Nat.le_add_right _ _)
  rw [words, low, high, center,
      Vector.difference_eq guard (fun _ _ => center_lt) (fun i hi => small (tops i hi).1),
      Vector.difference_eq guard (fun i hi => small (tops i hi).2) (fun _ _ => center_lt)] at h
  refine ⟨.relu _ _, ⟨⟨_, _, rfl, rfl, fun i hi => ⟨Natural.sub_le _ _, ?_, ?_, ?_⟩⟩, relu, rfl⟩, h⟩
  · have z := Nat.le_trans (tops i hi).2 (Nat.le.refl (n := s.center + s.center))
    refine Nat.le_of_add_le_add_right s.center ?_
    cases Nat.le_total s.center (u (first + i)) with
    | inl g => rw [Natural.sub_add_cancel g]; exact z
    | inr g => rw [Nat.sub_eq_zero_of_le g, Nat.zero_add]; exact Nat.le_add_right _ _
  · have z := add_nonneg (sub_nonneg (hw _ (inside i hi)).2.2.1)
      (sub_nonneg (Rows.sub_ge (K := K) s.center (l (first + i))))
    unfold Scale.image at z
    exact le_cert ((ring4 K x c l d, x - -d, (x + c - l) + (d - (c - l))) _ _ _ _) z
  · have z := add_nonneg (sub_nonneg (hw _ (inside i hi)).2.2.2)
      (sub_nonneg (Rows.sub_ge (K := K) (u (first + i)) s.center))
    unfold Scale.image at z
    exact le_cert ((ring4 K x c u d, d - x, (u - (x + c)) + (d - (u - c))) _ _ _ _) z

/-! ### Affine nodes -/

/-- Bits that the errors of a node's rows may have. -/
def errorBits (s : Scale) : Nat := Nat.sub s.half 8

/-- The conditions on an affine node that reads `n` values of a layer from slot `first` on. -/
def linkable (s : Scale) (a : Affine) (d : Decoding) (error start memory first n : Nat) : Bool :=
  both (Affine.fits s a d start)
    (both (Nat.ble start memory)
      (both (Nat.beq (32 * a.lanes) s.stride)
        (both (Nat.beq a.positions 1)
          (both (Nat.ble n a.columns)
            (both (Dense.consecutive n first a.sources)
              (both (Nat.ble 1 s.half)
                (both (Nat.beq (Nat.pow 2 (Nat.log2 (a.divisor * 2 ^ (150 - d.base))))
                    (a.divisor * 2 ^ (150 - d.base)))
                  (both (Nat.beq
                      (Nat.land error (Nat.mul (Nat.sub (Nat.pow 2 (errorBits s)) 1) (ones s.stride a.rows)))
                      error) (Nat.ble (Linear.reach s (2 ^ d.bits) n +
                        (Linear.reach s (2 ^ d.bits) (a.columns - n) + (2 ^ errorBits s + 2 ^ errorBits s)) +
                        a.divisor * 2 ^ (150 - d.base) * (s.top + s.center) + a.divisor * 2 ^ (150 - d.base))
                      (2 ^ (s.half - 1)))))))))))

/-- The layer of an affine node, with the slots that it reads. -/
def affineLayer [Prepared] (s : Scale) (a : Affine) (d : Decoding) (error start direct mirrored memory : Nat)
    (next : Substitution → Nat → Nat → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => force (fun first => force (fun n => both (linkable s a d error start memory first n)
        (force (fun shift => settled (Dense.take n (Columns.flatten lanes))
              fun heads => force (fun mass => force (fun rest => force (fun restMass =>
              next ⟨a.rows, shift, heads,
                  fun c => Compose.weigh s.stride heads c.direct c.mirrored, mass, rest, restMass⟩ first n)
            (Nat.add (s.center * Linear.masses (Dense.drop n (Columns.flatten lanes))) error))
            (Nat.add (Linear.accumulate s.stride direct mirrored (Dense.drop n (Columns.flatten lanes))
                  (Nat.shiftRight a.sources (32 * n))) (Nat.mul (Nat.pow 2 s.half) (Nat.add error error))))
            (s.center * Linear.masses heads))
          (Nat.log2 (a.divisor * 2 ^ (150 - d.base)))))
      (Dense.run a.columns first a.sources)) (Nat.land a.sources (Nat.sub (Nat.pow 2 32) 1)))
    (Prepared.columns a d)

/-- The words after the first `n`. -/
theorem later_words (sources n : Nat) :
    word (Nat.shiftRight sources (32 * n)) = fun k => word sources (n + k) := funext fun k => by
  show sources / 2 ^ (32 * n) / 2 ^ (32 * k) % 2 ^ 32 = sources / 2 ^ (32 * (n + k)) % 2 ^ 32
  rw [Natural.shift_shift, Nat.mul_add]

theorem affineLayer_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding}
    {error start direct mirrored memory : Nat} {next : Substitution → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hn : ∀ position row, position < a.positions → row < a.rows →
      Near s a d error slots position row (slots (start + (row + a.rows * position))))
    (h : affineLayer s a d error start direct mirrored memory next = true) :
    ∃ (l : Substitution) (first n : Nat), l.Holds s (fun i => slots (first + i)) n
        (fun i => slots (start + i)) ∧
      l.rows = a.rows ∧
      next l first n = true := by
  unfold affineLayer at h
  rw [Prepared.columns_eq] at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
  rw [hd] at h
  simp only [force_eq] at h
  generalize Nat.land a.sources (Nat.sub (Nat.pow 2 32) 1) = first at *
  generalize Dense.run a.columns first a.sources = n at *
  obtain ⟨hf, h⟩ := both_true h
  rw [settled_eq] at h
  obtain ⟨fa, hf⟩ := both_true hf
  obtain ⟨g1, hf⟩ := both_true hf
  obtain ⟨g2, hf⟩ := both_true hf
  obtain ⟨g3, hf⟩ := both_true hf
  obtain ⟨g4, hf⟩ := both_true hf
  obtain ⟨g5, hf⟩ := both_true hf
  obtain ⟨g6, hf⟩ := both_true hf
  obtain ⟨g7, hf⟩ := both_true hf
  obtain ⟨g8, g9⟩ := both_true hf
  obtain ⟨_, fa⟩ := both_true fa
  obtain ⟨f2, fa⟩ := both_true fa
  obtain ⟨f3, fa⟩ := both_true fa
  obtain ⟨_, fa⟩ := both_true fa
  obtain ⟨f5, f6⟩ := both_true fa
  have g1 := Nat.le_of_ble_eq_true g1
  have g2 : 32 * a.lanes = s.stride := Nat.eq_of_beq_eq_true g2
  have g3 := Nat.eq_of_beq_eq_true g3
  have g4 := Nat.le_of_ble_eq_true g4
  have g6 := Nat.le_of_ble_eq_true g6
  have g7 : 2 ^ Nat.log2 (a.divisor * 2 ^ (150 - d.base)) = a.divisor * 2 ^ (150 - d.base) :=
    Nat.eq_of_beq_eq_true g7
  have g9 := Nat.le_of_ble_eq_true g9
  have stride : 1 ≤ s.stride := Nat.le_trans g6 (Nat.le_add_right _ _)
  have bits_le : errorBits s ≤ s.stride := Nat.le_trans (Natural.sub_le s.half 8) (Nat.le_add_right _ _)
  obtain ⟨error_eq, error_lt⟩ := Box.masked_digits bits_le stride (Nat.eq_of_beq_eq_true g8)
  obtain ⟨alen, ds, hp, aform⟩ := Columns.decoded (K := K) (decode_sound hd)
  rw [g2] at hp
  obtain ⟨heads, tails, ds_eq, hheads, htails, hlen, hlen2⟩ :=
    Dense.split_columns n (Columns.flatten lanes) ds hp (by rw [alen]; exact g4)
  have tail_len : (Dense.drop n (Columns.flatten lanes)).length = a.columns - n := by
    rw [alen] at hlen2
    rw [← hlen2, Natural.add_sub_cancel_left]
  have heads_len : heads.length = n := by rw [← Columns.packed_length _ _ hheads, hlen]
  have below := wordsBelow_sound start _ _ f6
  rw [g3, Natural.mul_one] at below
  have tail_below : ∀ k, k < (Dense.drop n (Columns.flatten lanes)).length →
      word (Nat.shiftRight a.sources (32 * n)) k < memory := fun k hk => by
    rw [later_words]
    refine Nat.le_trans (below (n + k) ?_) g1
    rw [alen] at hlen2
    rw [← hlen2]
    exact Nat.add_le_add (Nat.le.refl (n := n)) hk
  have reach_le : Linear.reach s (2 ^ d.bits) (Dense.drop n (Columns.flatten lanes)).length < 2 ^ s.half := by
    rw [tail_len]
    refine Natural.lt_of_le_of_lt ?_ (Nat.le_of_ble_eq_true f5)
    exact Nat.mul_le_mul (Natural.sub_le _ _) Nat.le.refl
  obtain ⟨lo, hi, a1, a2, q⟩ := Linear.apply_columns (slots := slots) sf hm htails tail_below reach_le
  rw [a1, a2] at h
  generalize he : a.divisor * 2 ^ (150 - d.base) = e at *
  have near : ∀ i, i < a.rows →
      AtMost
        (natural s.unit * (natural e * slots (start + i) - Linear.combination slots ds (word a.sources) i))
        (natural (digit s.stride error i)) := fun i hi => by
    have y := hn 0 i (by rw [g3]; exact Nat.le.refl) hi
    have f := aform slots 0 i hi
    have src : (fun k => word a.sources (a.columns * 0 + k)) = word a.sources := funext fun k => by
      show word a.sources (0 + k) = _; rw [Nat.zero_add]
    rw [src] at f
    have z := y _ f
    unfold Near at y
    rw [he, g2] at z
    exact z
  have rest_eq : Nat.add (pack s.stride a.rows fun i => lo i + 2 ^ s.half * hi i)
    (Nat.mul (Nat.pow 2 s.half) (Nat.add error error)) =
      pack s.stride a.rows
          (fun i => lo i + 2 ^ s.half * (hi i + (digit s.stride error i + digit s.stride error i))) := by
    have two : Nat.add error error =
        pack s.stride a.rows (fun i => digit s.stride error i + digit s.stride error i) := by
      rw [pack_add, ← error_eq]; rfl
    rw [two]
    show pack s.stride a.rows _ + 2 ^ s.half * pack s.stride a.rows _ = _
    rw [← pack_mul, ← pack_add]
    refine pack_congr fun i _ => ?_
    rw [Nat.mul_add (2 ^ s.half) (hi i)]; exact Nat.add_assoc _ _ _
  have mass_eq : Nat.add (pack s.stride a.rows fun i => s.center * Linear.mass tails i) error =
      pack s.stride a.rows (fun i => s.center * Linear.mass tails i + digit s.stride error i) := by
    rw [pack_add, ← error_eq]; rfl
  refine ⟨_, first, n, ⟨heads, 2 ^ d.bits,
        Linear.reach s (2 ^ d.bits) (a.columns - n) + (2 ^ errorBits s + 2 ^ errorBits s), lo, _, _, hheads,
        hlen, fun _ => rfl, rfl, rest_eq, mass_eq, fun i hi' => ?_, ?_⟩, rfl, h⟩
  · obtain ⟨_, _, _, ⟨q1, q2, q3⟩, q4, q5⟩ := q i hi'
    rw [tail_len] at q1 q2 q3
    have er := Natural.le_of_lt (error_lt i hi')
    obtain ⟨n1, n2⟩ := near i hi'
    have split : Linear.combination slots ds (word a.sources) i =
        Compose.blend heads (fun k => slots (first + k)) i +
          Linear.combination slots tails (word (Nat.shiftRight a.sources (32 * n))) i := by
      rw [ds_eq, Columns.combination_append, Compose.combination_blend, later_words, heads_len]
      refine congrArg (fun x => x + _) (Compose.blend_congr heads _ _ fun k hk => ?_)
      rw [heads_len] at hk
      rw [Dense.consecutive_sound n first a.sources g5 k hk]
    refine ⟨Nat.le_trans q1 (Nat.le_add_right _ _), Nat.add_le_add q2 (Nat.add_le_add er er),
        Nat.add_le_add q3 (Nat.le_trans er (Nat.le_add_right _ _)), ?_, ?_⟩
    · rw [g7, natural_add]
      rw [split] at n2
      refine le_cert ?_ (add_nonneg (sub_nonneg q4) (sub_nonneg n2))
      exact (ring8 K u y b t c m l r, u * (y - b) + (m + r) - l, (u * t + m - l) + (r - -(u * (y - (b + t)))))
        _ _ _ _ 0 _ _ _
    · rw [g7, natural_add, natural_add _ (digit s.stride error i + _), natural_add (digit s.stride error i)]
      rw [split] at n1
      refine le_cert ?_ (add_nonneg (sub_nonneg q5) (sub_nonneg n1))
      exact (ring8 K u y b t c m l r, l + (r + r) - (u * (y - b) + (m + r)),
          (l - (u * t + m)) + (r - u * (y - (b + t)))) _ _ _ _ 0 _ _ _
  · rw [g7]; exact g9

/-! ### All layers -/

/-- Backward from the values that start at slot `first` to those that start at `origin`; `next` gets their
    number and the layers. -/
def build [Prepared] (s : Scale) (origin direct mirrored memory : Nat) (next : Nat → List Layer → Bool)
    (passed : List Passed) : Nat → Nat → List Layer → Bool :=
  List.rec (motive := fun _ => Nat → Nat → List Layer → Bool)
    (fun first n layers => both (Nat.beq first origin) (next n layers))
    (fun p _ rest first n layers => Bool.casesOn (motive := fun _ => Bool) (Nat.beq first origin)
        (Passed.rec (motive := fun _ => Bool) (fun node start decoding error =>
      Bool.casesOn (motive := fun _ => Bool) (Nat.beq start first) (rest first n layers)
        (Node.rec (motive := fun _ => Bool)
          (fun a => both (Nat.beq a.rows n)
              (affineLayer s a decoding error start direct mirrored memory
                fun l first' n' => rest first' n' (.affine l :: layers)))
          (fun first' count => both (Nat.beq count n)
              (reluLayer s first' n direct memory fun l => rest first' n (l :: layers)))
          (fun _ _ => false) (fun _ _ => false) (fun _ _ _ => false) (fun _ _ _ => false) (fun _ _ => false)
                  node)) p) (next n layers)) passed

theorem build_sound [Prepared] {s : Scale} {slots z : Nat → K} {origin direct mirrored memory m : Nat}
    {next : Nat → List Layer → Bool} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory) :
    (passed : List Passed) → (count : Nat) → Passed.AllHold s slots passed count →
    (first n : Nat) → (layers : List Layer) → Chain s z m layers (fun i => slots (first + i)) n →
    build s origin direct mirrored memory next passed first n layers = true →
    ∃ inputs layers',
      Chain s z m layers' (fun i => slots (origin + i)) inputs ∧ next inputs layers' = true := by
  intro passed
  induction passed with
  | nil =>
    intro _ _ first n layers hc h
    obtain ⟨e, g⟩ := both_true h
    have e := Nat.eq_of_beq_eq_true e
    rw [← e]
    exact ⟨n, layers, hc, g⟩
  | cons first earlier smaller =>
    revert first
    exact fun
    | ⟨node, start, decoding, error⟩, count, hp, first, n, layers, hc, h => by
      obtain ⟨_, hp1, hp2⟩ := hp
      have h : Bool.casesOn (motive := fun _ => Bool) (Nat.beq first origin)
          (Bool.casesOn (motive := fun _ => Bool) (Nat.beq start first)
            (build s origin direct mirrored memory next earlier first n layers)
            (Node.rec (motive := fun _ => Bool)
              (fun a => both (Nat.beq a.rows n)
                (affineLayer s a decoding error start direct mirrored memory fun l first' n' =>
                  build s origin direct mirrored memory next earlier first' n' (.affine l :: layers)))
              (fun first' count => both (Nat.beq count n)
                (reluLayer s first' n direct memory
                  fun l => build s origin direct mirrored memory next earlier first' n (l :: layers)))
              (fun _ _ => false) (fun _ _ => false) (fun _ _ _ => false) (fun _ _ _ => false)
              (fun _ _ => false) node)) (next n layers) = true := h
      cases o : Nat.beq first origin with
      | true =>
        rw [o] at h
        rw [← Nat.eq_of_beq_eq_true o]
        exact ⟨n, layers, hc, h⟩
      | false =>
      rw [o] at h
      cases e : Nat.beq start first with
      | false => rw [e] at h; exact smaller start hp2 first n layers hc h
      | true =>
        rw [e] at h
        have e := Nat.eq_of_beq_eq_true e
        subst e
        cases node with
        | affine a =>
          obtain ⟨same, h⟩ := both_true h
          have same := Nat.eq_of_beq_eq_true same
          obtain ⟨l, first', n', hl, rows, h⟩ := affineLayer_sound sf hm hp1 h
          exact smaller start hp2 first' n' (.affine l :: layers) ⟨_, _, ⟨hl, by rw [rows, same]⟩, hc⟩ h
        | relu first' count' =>
          obtain ⟨same, h⟩ := both_true h
          have same := Nat.eq_of_beq_eq_true same
          subst same
          have relu : ∀ i, i < count' → IsRelu (slots (first' + i)) (slots (start + i)) := hp1
          obtain ⟨l, hl, h⟩ := reluLayer_sound (y := fun i => slots (start + i)) sf hm relu h
          exact smaller start hp2 first' count' (l :: layers) ⟨_, _, hl, hc⟩ h
        | maximum _ _ => exact Bool.noConf_tf (Eq.symm h)
        | minimum _ _ => exact Bool.noConf_tf (Eq.symm h)
        | curve _ _ _ => exact Bool.noConf_tf (Eq.symm h)
        | bilinear _ _ _ => exact Bool.noConf_tf (Eq.symm h)
        | quotient _ _ => exact Bool.noConf_tf (Eq.symm h)

end Forward
end PytestTorchLean
