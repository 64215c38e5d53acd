prelude
import PytestTorchLean.Check.Rows
/-!
# Running a graph on bounds

Each step takes the memory of the slots so far and hands the longer memory to `next`. The theorems
say: if the whole check is true, the memory handed on bounds every execution.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

/-- All of the first `count` words are below `limit`. -/
noncomputable def wordsBelow (limit count : Nat) : Nat → Bool :=
  Nat.rec (motive := fun _ => Nat → Bool) (fun _ => true)
    (fun _ rest packed => both (Nat.ble (Nat.succ (Nat.land packed (Nat.sub (Nat.pow 2 32) 1))) limit) (force rest (Nat.shiftRight packed 32))) count
theorem wordsBelow_sound (limit : Nat) : (count packed : Nat) → wordsBelow limit count packed = true →
    ∀ i, i < count → word packed i < limit
  | 0, _, _, i, hi => absurd hi (Nat.not_succ_le_zero i)
  | count + 1, packed, h, i, hi => by
    obtain ⟨h1, h2⟩ := both_true h
    rw [force_eq] at h2
    cases i with
    | zero =>
      have e : word packed 0 = Nat.land packed (2 ^ 32 - 1) := by
        rw [land_low]; show packed / 1 % 2 ^ 32 = _; rw [Natural.div_one]
      rw [e]; exact Nat.le_of_ble_eq_true h1
    | succ i =>
      have ih := wordsBelow_sound limit count _ h2 i (Nat.le_of_succ_le_succ hi)
      have e : word (Nat.shiftRight packed 32) i = word packed (i + 1) := by
        show packed / 2 ^ 32 / 2 ^ (32 * i) % 2 ^ 32 = packed / 2 ^ (32 * (i + 1)) % 2 ^ 32
        rw [Natural.shift_shift]
        have e1 : 32 + 32 * i = 32 * (i + 1) := Nat.add_comm _ _
        rw [e1]
      rw [e] at ih; exact ih

namespace Linear
variable {K : Type u} [OrderedRing K]
/-- Largest digit that `columns` columns with parts up to `bound` can reach. -/
def reach (s : Scale) (bound columns : Nat) : Nat := columns * (s.top * bound + s.top * bound)
theorem small {s : Scale} {b rows bound count : Nat} {l u : Nat → Nat} {i : Nat} (hi : i < rows)
    (hw : ∀ k, k < count → l k ≤ u k ∧ u k ≤ s.top) :
    (cs : List Column) → (ds : List Digits) → (source : Nat → Nat) → Packed b rows bound cs ds →
    (∀ k, k < cs.length → source k < count) →
    low s.top l u ds source i ≤ reach s bound cs.length ∧ high s.top l u ds source i ≤ reach s bound cs.length ∧
      s.center * mass ds i ≤ reach s bound cs.length
  | [], [], _, _, _ => ⟨Nat.zero_le _, Nat.zero_le _, by show s.center * 0 ≤ _; rw [Nat.mul_zero]; exact Nat.zero_le _⟩
  | c :: cs, d :: ds, source, h, hs => by
    obtain ⟨⟨_, _, hd⟩, ht⟩ := h
    obtain ⟨p, n⟩ := hd i hi
    obtain ⟨w1, w2⟩ := hw _ (hs 0 (Nat.succ_le_succ (Nat.zero_le _)))
    obtain ⟨a1, a2, a3⟩ := small hi hw cs ds (fun k => source (k + 1)) ht (fun k hk => hs (k + 1) (Nat.succ_le_succ hk))
    have e : reach s bound (c :: cs).length = s.top * bound + s.top * bound + reach s bound cs.length := by
      show (cs.length + 1) * _ = _
      rw [Nat.succ_mul, Nat.add_comm]; rfl
    rw [e]
    have hc : s.center ≤ s.top := Nat.le_add_right _ _
    refine ⟨?_, ?_, ?_⟩
    · exact Nat.add_le_add (Nat.add_le_add (Nat.mul_le_mul (Nat.le_trans w1 w2) p) (Nat.mul_le_mul (Memory.sub_le _ _) n)) a1
    · exact Nat.add_le_add (Nat.add_le_add (Nat.mul_le_mul w2 p) (Nat.mul_le_mul (Memory.sub_le _ _) n)) a2
    · show s.center * (d.positive i + d.negative i + mass ds i) ≤ _
      rw [Nat.mul_add, Nat.mul_add]
      exact Nat.add_le_add (Nat.add_le_add (Nat.mul_le_mul hc p) (Nat.mul_le_mul hc n)) a3
  | [], _ :: _, _, h, _ => h.elim
  | _ :: _, [], _, h, _ => h.elim

/-- Everything a step needs to know of one application of columns to the memory. -/
theorem apply_columns {s : Scale} {b rows bound count : Nat} {slots : Nat → K} {direct mirrored sources : Nat}
    {cs : List Column} {ds : List Digits} (fits : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hp : Packed b rows bound cs ds) (hs : ∀ k, k < cs.length → word sources k < count)
    (hr : reach s bound cs.length < 2 ^ s.half) :
    ∃ lo hi : Nat → Nat,
      accumulate s.stride direct mirrored cs sources = pack b rows (fun i => lo i + 2 ^ s.half * hi i) ∧
      s.center * masses cs = pack b rows (fun i => s.center * mass ds i) ∧
      ∀ i, i < rows → lo i < 2 ^ s.half ∧ hi i < 2 ^ s.half ∧ s.center * mass ds i < 2 ^ s.half ∧
        (lo i ≤ reach s bound cs.length ∧ hi i ≤ reach s bound cs.length ∧ s.center * mass ds i ≤ reach s bound cs.length) ∧
        natural (lo i) ≤ natural s.unit * combination slots ds (word sources) i + natural (s.center * mass ds i) ∧
        natural s.unit * combination slots ds (word sources) i + natural (s.center * mass ds i) ≤ natural (hi i) := by
  obtain ⟨l, u, h1, h2, hw⟩ := hm
  have h1 : direct = _ := h1
  have h2 : mirrored = _ := h2
  have hw' : ∀ k, k < count → l k ≤ u k ∧ u k ≤ s.top := fun k hk => ⟨(hw k hk).1, (hw k hk).2.1⟩
  refine ⟨low s.top l u ds (word sources), high s.top l u ds (word sources), ?_, ?_, ?_⟩
  · rw [h1, h2]
    exact accumulate_eq fits hw' cs ds sources (word sources) hp (fun _ _ => rfl) hs
  · rw [masses_eq cs ds hp, ← pack_mul]
  · intro i hi
    obtain ⟨a1, a2, a3⟩ := small hi hw' cs ds (word sources) hp hs
    have hs' : ∀ k, k < ds.length → word sources k < count := by rw [← Columns.packed_length cs ds hp]; exact hs
    obtain ⟨b1, b2⟩ := bracket hw i ds (word sources) hs'
    rw [natural_mul]
    exact ⟨Nat.le_trans (Nat.succ_le_succ a1) hr, Nat.le_trans (Nat.succ_le_succ a2) hr, Nat.le_trans (Nat.succ_le_succ a3) hr, ⟨a1, a2, a3⟩, b1, b2⟩
end Linear

namespace Affine
/-- The conditions on the numbers of a node, decided once per graph. -/
noncomputable def fits (s : Scale) (a : Affine) (d : Decoding) (start : Nat) : Bool :=
  both (Nat.ble (s.half + s.half) (32 * a.lanes)) (both (Nat.ble 1 d.base) (both (Nat.ble d.base 150) (both (Nat.ble 1 a.divisor)
    (both (Nat.ble (Linear.reach s (2 ^ d.bits) a.columns + 1) (2 ^ s.half))
      (wordsBelow start (a.columns * a.positions) a.sources)))))

/-- One position after the other: bounds of its rows, then these rows behind the memory. -/
noncomputable def positionsFrom (s : Scale) (a : Affine) (columns : List Column) (e offset mass : Nat) (remaining : Nat) :
    Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ direct mirrored count next => next direct mirrored count)
    (fun _ rest position direct mirrored count next =>
      force (fun sources => force (fun bounds =>
        Rows.push s (32 * a.lanes) e offset a.rows bounds mass 0 0 0
          (fun tail tailMirrored n => force (fun direct' => force (fun mirrored' => force (fun count' => force (fun position' =>
                rest position' direct' mirrored' count' next) (Nat.succ position)) (Nat.add count n))
              (Nat.add mirrored (Nat.mul (Nat.pow 2 (Nat.mul s.stride count)) tailMirrored)))
            (Nat.add direct (Nat.mul (Nat.pow 2 (Nat.mul s.stride count)) tail))))
        (Linear.accumulate s.stride direct mirrored columns sources))
        (Nat.shiftRight a.sources (Nat.mul 32 (Nat.mul (Nat.mul a.lanes a.laneColumns) position)))) remaining

theorem positionsFrom_succ (s : Scale) (a : Affine) (columns : List Column) (e offset mass remaining position direct mirrored count : Nat)
    (next : Nat → Nat → Nat → Bool) :
    positionsFrom s a columns e offset mass (remaining + 1) position direct mirrored count next =
      Rows.push s (32 * a.lanes) e offset a.rows
        (Linear.accumulate s.stride direct mirrored columns (Nat.shiftRight a.sources (32 * (a.columns * position)))) mass 0 0 0
        (fun tail tailMirrored n => positionsFrom s a columns e offset mass remaining (position + 1)
          (direct + 2 ^ (s.stride * count) * tail) (mirrored + 2 ^ (s.stride * count) * tailMirrored) (count + n) next) := by
  unfold positionsFrom
  simp only [force_eq]
  rfl

variable {K : Type u} [OrderedRing K]

theorem positions_sound {s : Scale} {slots : Nat → K} {a : Affine} {start bound e : Nat} {columns : List Column} {ds : List Digits}
    (sf : s.Fits) (hb : s.half + s.half ≤ 32 * a.lanes) (he : 0 < e) (hlen : columns.length = a.columns)
    (hp : Packed (32 * a.lanes) a.rows bound columns ds) (hr : Linear.reach s bound a.columns < 2 ^ s.half)
    (hs : ∀ i, i < a.columns * a.positions → word a.sources i < start)
    (hy : ∀ position row, position < a.positions → row < a.rows →
      natural e * slots (start + (row + a.rows * position)) =
        Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) row) :
    (remaining position direct mirrored : Nat) → (next : Nat → Nat → Nat → Bool) → position + remaining = a.positions →
    (Memory.mk direct mirrored).Holds s slots (start + a.rows * position) →
    positionsFrom s a columns e (e * s.center) (s.center * Linear.masses columns) remaining position direct mirrored (start + a.rows * position) next = true →
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + a.rows * a.positions) ∧ next direct' mirrored' (start + a.rows * a.positions) = true
  | 0, position, direct, mirrored, next, hpos, hm, h => by
    rw [Nat.add_zero] at hpos
    rw [← hpos]; exact ⟨direct, mirrored, hm, h⟩
  | remaining + 1, position, direct, mirrored, next, hpos, hm, h => by
    rw [positionsFrom_succ] at h
    have hlt : position < a.positions := by
      rw [← hpos]; show position + 1 ≤ position + (remaining + 1); exact Nat.succ_le_succ (Nat.le_add_right _ _)
    have hword : ∀ k, word (Nat.shiftRight a.sources (32 * (a.columns * position))) k = word a.sources (a.columns * position + k) := fun k => by
      show a.sources / 2 ^ (32 * (a.columns * position)) / 2 ^ (32 * k) % 2 ^ 32 = a.sources / 2 ^ (32 * (a.columns * position + k)) % 2 ^ 32
      rw [Natural.shift_shift, Nat.mul_add]
    have hfun : word (Nat.shiftRight a.sources (32 * (a.columns * position))) = fun k => word a.sources (a.columns * position + k) := funext hword
    have hbelow : ∀ k, k < columns.length → word (Nat.shiftRight a.sources (32 * (a.columns * position))) k < start + a.rows * position := fun k hk => by
      rw [hword]
      rw [hlen] at hk
      refine Nat.le_trans (hs _ ?_) (Nat.le_add_right _ _)
      refine Nat.le_trans ?_ (Nat.mul_le_mul Nat.le.refl hlt)
      show a.columns * position + (k + 1) ≤ a.columns * position + a.columns
      exact Nat.add_le_add Nat.le.refl hk
    obtain ⟨lo, hi, e1, e2, hq⟩ := Linear.apply_columns sf hm hp hbelow (by rw [hlen]; exact hr)
    rw [e1, e2] at h
    have half_le : 2 ^ s.half ≤ 2 ^ (32 * a.lanes) := Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ _) hb)
    obtain ⟨tail, tailMirrored, r1, r2⟩ := Rows.push_sound (slots := fun i => slots (start + a.rows * position + i)) hb he a.rows lo hi
      (fun i => s.center * Linear.mass ds i) 0 0 0 _
      (fun i hi' => ⟨(hq i hi').1, (hq i hi').2.1, Nat.le_trans (hq i hi').2.2.1 half_le⟩)
      (fun i hi' => by
        have q := hq i hi'
        rw [hfun] at q
        have y := hy position i hlt hi'
        have slot : start + a.rows * position + (0 + i) = start + (i + a.rows * position) := by rw [Nat.zero_add, Nat.add_assoc, Nat.add_comm i]
        show _ ≤ natural e * s.image (slots (start + a.rows * position + (0 + i))) + _ ∧ natural e * s.image (slots (start + a.rows * position + (0 + i))) + _ ≤ _
        rw [slot]
        unfold Scale.image
        have z : natural e * (natural s.unit * slots (start + (i + a.rows * position)) + natural s.center) + natural (s.center * Linear.mass ds i)
            = natural s.unit * Linear.combination slots ds (fun k => word a.sources (a.columns * position + k)) i + natural (s.center * Linear.mass ds i) + natural (e * s.center) := by
          rw [← y, natural_mul e]
          exact (ring5 K e u x c m, e * (u * x + c) + m, u * (e * x) + m + e * c) _ _ _ _ _
        rw [z]
        exact ⟨add_le _ q.2.2.2.2.1, add_le _ q.2.2.2.2.2⟩) (Memory.empty_holds s _) h
    rw [Nat.zero_add] at r1 r2
    have r1 := Memory.append_holds hm r1
    have e3 : start + a.rows * position + a.rows = start + a.rows * (position + 1) := by rw [Nat.mul_succ, Nat.add_assoc]
    rw [e3] at r1 r2
    rw [← e2] at r2
    exact positions_sound sf hb he hlen hp hr hs hy remaining (position + 1) _ _ next (by rw [← hpos, Nat.add_assoc, Nat.add_comm 1]) r1 r2

/-- Bounds of the outputs of an affine node. -/
noncomputable def run (s : Scale) (a : Affine) (d : Decoding) (direct mirrored start : Nat) (next : Nat → Nat → Nat → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => both (fits s a d start)
      (force (fun e => force (fun offset => force (fun mass =>
          positionsFrom s a (Columns.flatten lanes) e offset mass a.positions 0 direct mirrored start next)
        (s.center * Linear.masses (Columns.flatten lanes))) (e * s.center)) (a.divisor * 2 ^ (150 - d.base))))
    (decode a d)

theorem base_split {base : Nat} (h1 : 1 ≤ base) (h2 : base ≤ 150) : 2 ^ (base - 1) * 2 ^ (150 - base) = 2 ^ 149 := by
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
  have e : natural (2 ^ (base - 1)) * (natural a.divisor * natural (2 ^ (150 - base)) * y) = natural (2 ^ (base - 1)) * c := by
    rw [← hy]; exact (ring4 K p d q y, p * (d * q * y), d * (p * q) * y) _ _ _ _
  exact le_antisymm (Rows.cancel (Natural.two_pow_pos _) (le_of_eq e)) (Rows.cancel (Natural.two_pow_pos _) (le_of_eq e.symm))

theorem run_sound {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding} {direct mirrored start : Nat} {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots start) (hn : (Node.affine a).Holds slots start)
    (h : run s a d direct mirrored start next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (start + (Node.affine a).size) ∧
      next direct' mirrored' (start + (Node.affine a).size) = true := by
  unfold run at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
    rw [hd] at h
    obtain ⟨hf, h⟩ := both_true h
    rw [force_eq, force_eq, force_eq] at h
    obtain ⟨f1, hf⟩ := both_true hf
    obtain ⟨f2, hf⟩ := both_true hf
    obtain ⟨f3, hf⟩ := both_true hf
    obtain ⟨f4, hf⟩ := both_true hf
    obtain ⟨f5, f6⟩ := both_true hf
    have f2 := Nat.le_of_ble_eq_true f2
    have f3 := Nat.le_of_ble_eq_true f3
    obtain ⟨hlen, ds, hp, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
    have he : 0 < a.divisor * 2 ^ (150 - d.base) :=
      Nat.mul_le_mul (a := 1) (c := 1) (Nat.le_of_ble_eq_true f4) (Natural.two_pow_pos (150 - d.base))
    have e0 : start + a.rows * 0 = start := rfl
    have size : start + (Node.affine a).size = start + a.rows * a.positions := by
      show start + a.positions * a.rows = _; rw [Nat.mul_comm]
    rw [size]
    refine positions_sound sf (Nat.le_of_ble_eq_true f1) he hlen hp (Nat.le_of_ble_eq_true f5)
      (wordsBelow_sound start _ _ f6) ?_ a.positions 0 direct mirrored next (Nat.zero_add _) hm h
    intro position row h1 h2
    exact equation f2 f3 (hn position row h1 h2) (hform slots position row h2)

end Affine

namespace Relu
variable {K : Type u} [OrderedRing K]
noncomputable def larger (a b : Nat) : Nat := Bool.rec (motive := fun _ => Nat) a b (Nat.ble a b)
theorem larger_cases (a b : Nat) : (larger a b = b ∧ a ≤ b) ∨ (larger a b = a ∧ b ≤ a) := by
  unfold larger
  cases h : Nat.ble a b with
  | true => exact Or.inl ⟨rfl, Nat.le_of_ble_eq_true h⟩
  | false =>
    refine Or.inr ⟨rfl, ?_⟩
    cases Nat.le_total a b with
    | inl g => rw [Nat.ble_eq_true_of_le g] at h; exact Bool.noConf_tf h
    | inr g => exact g
theorem le_larger_left (a b : Nat) : a ≤ larger a b := by
  cases larger_cases a b with
  | inl h => rw [h.1]; exact h.2
  | inr h => rw [h.1]; exact Nat.le.refl
theorem le_larger_right (a b : Nat) : b ≤ larger a b := by
  cases larger_cases a b with
  | inl h => rw [h.1]; exact Nat.le.refl
  | inr h => rw [h.1]; exact h.2
theorem larger_le {a b c : Nat} (h : a ≤ c) (g : b ≤ c) : larger a b ≤ c := by
  cases larger_cases a b with
  | inl e => rw [e.1]; exact g
  | inr e => rw [e.1]; exact h

/-- One slot of the memory `source` after the other: both bounds are raised to the fixed-point zero. -/
noncomputable def push (s : Scale) (source remaining : Nat) : Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ direct mirrored count next => next direct mirrored count)
    (fun _ rest slot direct mirrored count next =>
      force (fun w => force (fun lower => force (fun upper =>
          force (fun place => force (fun direct' => force (fun mirrored' => force (fun count' => force (fun slot' =>
              rest slot' direct' mirrored' count' next) (Nat.succ slot)) (Nat.succ count))
            (Nat.add mirrored (Nat.mul place (Nat.add (Nat.sub s.top upper) (Nat.mul (Nat.pow 2 s.half) (Nat.sub s.top lower))))))
            (Nat.add direct (Nat.mul place (Nat.add lower (Nat.mul (Nat.pow 2 s.half) upper)))))
            (Nat.pow 2 (Nat.mul s.stride count)))
          (larger (Nat.shiftRight w s.half) s.center)) (larger (Nat.land w (Nat.sub (Nat.pow 2 s.half) 1)) s.center))
        (Memory.lookup s.stride source slot)) remaining
theorem push_succ (s : Scale) (source remaining slot direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) :
    push s source (remaining + 1) slot direct mirrored count next =
      (let w := Memory.lookup s.stride source slot
       let lower := larger (Nat.land w (2 ^ s.half - 1)) s.center
       let upper := larger (Nat.shiftRight w s.half) s.center
       push s source remaining (slot + 1) (direct + 2 ^ (s.stride * count) * Memory.directWord s lower upper)
         (mirrored + 2 ^ (s.stride * count) * Memory.mirroredWord s lower upper) (count + 1) next) := by
  unfold push
  simp only [force_eq]
  rfl

/-- The raised slots behind the memory. -/
noncomputable def run (s : Scale) (n first direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) : Bool :=
  push s direct n first 0 0 0 fun tail tailMirrored n => force (fun direct' => force (fun mirrored' => force (fun count' => next direct' mirrored' count')
      (Nat.add count n)) (Nat.add mirrored (Nat.mul (Nat.pow 2 (Nat.mul s.stride count)) tailMirrored)))
    (Nat.add direct (Nat.mul (Nat.pow 2 (Nat.mul s.stride count)) tail))
theorem run_eq (s : Scale) (n first direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) :
    run s n first direct mirrored count next = push s direct n first 0 0 0 fun tail tailMirrored n =>
      next (direct + 2 ^ (s.stride * count) * tail) (mirrored + 2 ^ (s.stride * count) * tailMirrored) (count + n) := by
  unfold run
  simp only [force_eq]
  rfl

theorem image_zero (s : Scale) : s.image (0 : K) = natural s.center := by
  unfold Scale.image; rw [mul_zero, zero_add]
theorem image_le {s : Scale} {x y : K} (h : x ≤ y) : s.image x ≤ s.image y :=
  add_le _ (mul_le_left (natural_nonneg _) h)

theorem within {s : Scale} {l u : Nat} {x y : K} (hw : Within s l u x) (hr : IsRelu x y) :
    Within s (larger l s.center) (larger u s.center) y := by
  have high : (natural s.center : K) ≤ natural (larger u s.center) := natural_le (le_larger_right _ _)
  have up : s.image x ≤ natural (larger u s.center) := le_trans hw.2 (natural_le (le_larger_left _ _))
  cases hr with
  | inl h =>
    obtain ⟨h0, e⟩ := h
    subst e
    have h1 := image_le (s := s) h0
    rw [image_zero] at h1
    refine ⟨?_, up⟩
    cases larger_cases l s.center with
    | inl g => rw [g.1]; exact h1
    | inr g => rw [g.1]; exact hw.1
  | inr h =>
    obtain ⟨h0, e⟩ := h
    subst e
    have h1 := image_le (s := s) h0
    unfold Within
    rw [image_zero] at h1 ⊢
    refine ⟨?_, high⟩
    cases larger_cases l s.center with
    | inl g => rw [g.1]; exact le_refl _
    | inr g => rw [g.1]; exact le_trans hw.1 h1

theorem push_sound {s : Scale} {slots : Nat → K} {source count : Nat} {l u : Nat → Nat} (sf : s.Fits)
    (hsource : source = pack s.stride count (fun i => Memory.directWord s (l i) (u i)))
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top ∧ Within s (l i) (u i) (slots i)) :
    (remaining slot direct mirrored done : Nat) → (next : Nat → Nat → Nat → Bool) →
    slot + remaining ≤ count → (Memory.mk direct mirrored).Holds s (fun i => slots (count + i)) done →
    (∀ i, i < remaining → IsRelu (slots (slot + i)) (slots (count + (done + i)))) →
    push s source remaining slot direct mirrored done next = true →
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s (fun i => slots (count + i)) (done + remaining) ∧ next direct' mirrored' (done + remaining) = true
  | 0, _, direct, mirrored, _, _, _, hm, _, h => ⟨direct, mirrored, hm, h⟩
  | remaining + 1, slot, direct, mirrored, done, next, hs, hm, hr, h => by
    have hslot : slot < count := Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right slot remaining)) hs
    obtain ⟨w1, w2, w3⟩ := hw slot hslot
    have hlook : Memory.lookup s.stride source slot = Memory.directWord s (l slot) (u slot) := by
      rw [hsource, Memory.lookup_pack (fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2.1).1) hslot]
    have hl : l slot < 2 ^ s.half := Nat.le_trans (Nat.succ_le_succ (Nat.le_trans w1 w2)) sf.half
    rw [push_succ] at h
    have p1 : Nat.land (Memory.directWord s (l slot) (u slot)) (2 ^ s.half - 1) = l slot := by
      rw [land_low]; exact Natural.add_mul_mod _ hl
    have p2 : Nat.shiftRight (Memory.directWord s (l slot) (u slot)) s.half = u slot := Natural.add_mul_div _ hl
    simp only [hlook, p1, p2] at h
    have hc : s.center ≤ s.top := Nat.le_add_right _ _
    have hm' := Memory.push_holds hm
      (larger_le (Nat.le_trans w1 (le_larger_left _ s.center)) (le_larger_right (u slot) s.center)) (larger_le w2 hc)
      (within w3 (hr 0 (Nat.succ_le_succ (Nat.zero_le _))))
    have e1 : ∀ a b : Nat, a + 1 + b = a + (b + 1) := fun a b => by rw [Nat.add_assoc, Nat.add_comm 1 b]
    obtain ⟨d', m', r1, r2⟩ := push_sound sf hsource hw remaining (slot + 1) _ _ (done + 1) next
      (by rw [e1]; exact hs) hm'
      (fun i hi => by rw [e1, e1]; exact hr (i + 1) (Nat.succ_le_succ hi)) h
    rw [e1] at r1 r2
    exact ⟨d', m', r1, r2⟩

theorem run_sound {s : Scale} {slots : Nat → K} {n first direct mirrored count : Nat} {next : Nat → Nat → Nat → Bool} (sf : s.Fits)
    (hs : first + n ≤ count) (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hr : ∀ i, i < n → IsRelu (slots (first + i)) (slots (count + i)))
    (h : run s n first direct mirrored count next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (count + n) ∧ next direct' mirrored' (count + n) = true := by
  rw [run_eq] at h
  obtain ⟨l, u, h1, h2, hw⟩ := hm
  obtain ⟨tail, tailMirrored, r1, r2⟩ := push_sound sf h1 hw n first 0 0 0 _ hs (Memory.empty_holds s _)
    (fun i hi => by rw [Nat.zero_add]; exact hr i hi) h
  rw [Nat.zero_add] at r1 r2
  exact ⟨_, _, Memory.append_holds ⟨l, u, h1, h2, hw⟩ r1, r2⟩
end Relu
end PytestTorchLean
