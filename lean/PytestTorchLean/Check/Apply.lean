prelude
import PytestTorchLean.Check.Columns
import PytestTorchLean.Check.Vector
/-!
# Columns applied to the memory

What the sums of a matrix's columns say about its rows, and how large they can get.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

/-- All of the first `count` words are below `limit`, one word after the other. -/
def eachBelow (limit count : Nat) : Nat → Bool :=
  Nat.rec (motive := fun _ => Nat → Bool) (fun _ => true)
    (fun _ rest packed => both (Nat.ble (Nat.succ (Nat.land packed (Nat.sub (Nat.pow 2 32) 1))) limit)
        (force rest (Nat.shiftRight packed 32))) count
/-- The same for all words at once. No word may use its highest bit, which then tells whether a subtraction
    borrowed. -/
def allBelow (limit count packed : Nat) : Bool :=
  force (fun u => force (fun guards => force (fun low =>
      both (Nat.beq low (Decode.low 32 packed u))
        (Nat.beq (Nat.land (Nat.sub (Nat.add guards (Nat.mul (Nat.sub limit 1) u)) low) guards) guards))
    (Decode.low 31 packed u)) (Nat.mul (Nat.pow 2 31) u)) (ones 32 count)
/-- All of the first `count` words are below `limit`: at once if they are neither few nor too many for a power
    of two. -/
def wordsBelow (limit count packed : Nat) : Bool :=
  cond
    (both (Nat.ble 8 count) (both (Nat.ble count 262144) (both (Nat.ble 1 limit) (Nat.ble limit (2 ^ 31)))))
    (allBelow limit count packed) (eachBelow limit count packed)

theorem eachBelow_sound (limit : Nat) : (count packed : Nat) → eachBelow limit count packed = true →
    ∀ i, i < count → word packed i < limit
  | 0, _, _, i, hi => absurd hi (Nat.not_succ_le_zero i)
  | count + 1, packed, h, i, hi => by
    obtain ⟨h1, h2⟩ := both_true h
    rw [force_eq] at h2
    cases i with
    | zero =>
      rw [← word_zero]; exact Nat.le_of_ble_eq_true h1
    | succ i =>
      rw [← word_succ]; exact eachBelow_sound limit count _ h2 i (Nat.le_of_succ_le_succ hi)
theorem allBelow_sound {limit count packed : Nat} (h1 : 1 ≤ limit) (h2 : limit ≤ 2 ^ 31)
    (h : allBelow limit count packed = true) :
    ∀ i, i < count → word packed i < limit := by
  have pos : 0 < 32 := Nat.le_of_ble_eq_true rfl
  have fits : 31 ≤ 32 := Nat.le_of_ble_eq_true rfl
  unfold allBelow at h
  rw [force_eq, force_eq, force_eq, Decode.low_digit fits pos, Decode.low_digit Nat.le.refl pos] at h
  obtain ⟨e1, e2⟩ := both_true h
  have e1 := Nat.eq_of_beq_eq_true e1
  have e2 := Nat.eq_of_beq_eq_true e2
  have short : ∀ i,
    i < count → digit 32 packed i % 2 ^ 31 < 2 ^ 31 := fun i _ => Natural.mod_lt (Natural.two_pow_pos 31) _
  have same := pack_injective (fun i hi => Natural.lt_of_lt_of_le (short i hi) (Natural.two_pow_le fits))
    (fun i _ => Natural.mod_lt (Natural.two_pow_pos 32) _) e1
  have most : ∀ i, i < count → limit - 1 < 2 ^ 31 := fun i _ => by
    show limit - 1 + 1 ≤ 2 ^ 31
    rw [Natural.succ_pred h1]; exact h2
  have guards : Nat.mul (Nat.pow 2 31) (ones 32 count) = 2 ^ 31 * ones 32 count := rfl
  have tops : Nat.mul (Nat.sub limit 1) (ones 32 count) = pack 32 count (fun _ => limit - 1) :=
    mul_ones pos count (limit - 1)
  rw [tops, guards] at e2
  have shown := Vector.guarded_eq (f := fun _ => limit - 1) pos short
  have e3 : Nat.sub (Nat.add (2 ^ 31 * ones 32 count) (pack 32 count (fun _ => limit - 1)))
      (pack 32 count (fun i => digit 32 packed i % 2 ^ 31)) =
    pack 32 count (fun i => 2 ^ 31 + (limit - 1) - digit 32 packed i % 2 ^ 31) := shown
  rw [e3] at e2
  have le := Vector.unborrowed Nat.le.refl most short e2
  intro i hi
  have z : digit 32 packed i % 2 ^ 31 = word packed i :=
    (same i hi).trans (Natural.mod_eq_self (digit_lt 32 packed i))
  have w := Nat.succ_le_succ (le i hi)
  rw [z] at w
  have w : word packed i + 1 ≤ limit - 1 + 1 := w
  rw [Natural.succ_pred h1] at w
  exact w
theorem wordsBelow_sound (limit count packed : Nat) (h : wordsBelow limit count packed = true) :
    ∀ i, i < count → word packed i < limit := by
  unfold wordsBelow at h
  cases c : both (Nat.ble 8 count)
      (both (Nat.ble count 262144) (both (Nat.ble 1 limit) (Nat.ble limit (2 ^ 31)))) with
  | false => rw [c] at h; exact eachBelow_sound limit count packed h
  | true =>
    rw [c] at h
    obtain ⟨c1, c2⟩ := both_true (both_true (both_true c).2).2
    exact allBelow_sound (Nat.le_of_ble_eq_true c1) (Nat.le_of_ble_eq_true c2) h

namespace Linear
variable {K : Type u} [OrderedRing K]
/-- Largest digit that `columns` columns with parts up to `bound` can reach. -/
def reach (s : Scale) (bound columns : Nat) : Nat := columns * (s.top * bound + s.top * bound)
theorem small {s : Scale} {b rows bound count : Nat} {l u : Nat → Nat} {i : Nat} (hi : i < rows)
    (hw : ∀ k, k < count → l k ≤ u k ∧ u k ≤ s.top) :
    (cs : List Column) → (ds : List Digits) → (source : Nat → Nat) →
    Packed b rows bound cs ds → (∀ k, k < cs.length → source k < count) →
    low s.top l u ds source i ≤ reach s bound cs.length ∧
      high s.top l u ds source i ≤ reach s bound cs.length ∧
      s.center * mass ds i ≤ reach s bound cs.length
  | [], [], _, _, _ =>
    ⟨Nat.zero_le _, Nat.zero_le _, by show s.center * 0 ≤ _; rw [Nat.mul_zero]; exact Nat.zero_le _⟩
  | c :: cs, d :: ds, source, h, hs => by
    obtain ⟨⟨_, _, hd⟩, ht⟩ := h
    obtain ⟨p, n⟩ := hd i hi
    obtain ⟨w1, w2⟩ := hw _ (hs 0 (Nat.succ_le_succ (Nat.zero_le _)))
    obtain ⟨a1, a2, a3⟩ :=
      small hi hw cs ds (fun k => source (k + 1)) ht (fun k hk => hs (k + 1) (Nat.succ_le_succ hk))
    have e : reach s bound (c :: cs).length = s.top * bound + s.top * bound + reach s bound cs.length := by
      show (cs.length + 1) * _ = _
      rw [Nat.succ_mul, Nat.add_comm]; rfl
    rw [e]
    have hc : s.center ≤ s.top := Nat.le_add_right _ _
    refine ⟨?_, ?_, ?_⟩
    · exact Nat.add_le_add
        (Nat.add_le_add (Nat.mul_le_mul (Nat.le_trans w1 w2) p) (Nat.mul_le_mul (Natural.sub_le _ _) n)) a1
    · exact Nat.add_le_add (Nat.add_le_add (Nat.mul_le_mul w2 p) (Nat.mul_le_mul (Natural.sub_le _ _) n)) a2
    · show s.center * (d.positive i + d.negative i + mass ds i) ≤ _
      rw [Nat.mul_add, Nat.mul_add]
      exact Nat.add_le_add (Nat.add_le_add (Nat.mul_le_mul hc p) (Nat.mul_le_mul hc n)) a3
  | [], _ :: _, _, h, _ => h.elim
  | _ :: _, [], _, h, _ => h.elim

/-- Everything a step needs to know of one application of columns to the memory. -/
theorem apply_columns {s : Scale} {b rows bound count : Nat} {slots : Nat → K} {direct mirrored sources : Nat}
    {cs : List Column} {ds : List Digits}
    (fits : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hp : Packed b rows bound cs ds)
    (hs : ∀ k, k < cs.length → word sources k < count)
    (hr : reach s bound cs.length < 2 ^ s.half) :
    ∃ lo hi : Nat → Nat, accumulate s.stride direct mirrored cs sources =
        pack b rows (fun i => lo i + 2 ^ s.half * hi i) ∧
      s.center * masses cs = pack b rows (fun i => s.center * mass ds i) ∧
      ∀ i, i < rows →
        lo i < 2 ^ s.half ∧
          hi i < 2 ^ s.half ∧
          s.center * mass ds i < 2 ^ s.half ∧
          (lo i ≤ reach s bound cs.length ∧
              hi i ≤ reach s bound cs.length ∧
              s.center * mass ds i ≤ reach s bound cs.length) ∧
          natural (lo i) ≤
            natural s.unit * combination slots ds (word sources) i + natural (s.center * mass ds i) ∧
          natural s.unit * combination slots ds (word sources) i + natural (s.center * mass ds i) ≤
            natural (hi i) := by
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
    have hs' :
        ∀ k, k < ds.length → word sources k < count := by rw [← Columns.packed_length cs ds hp]; exact hs
    obtain ⟨b1, b2⟩ := bracket hw i ds (word sources) hs'
    rw [natural_mul]
    exact ⟨Nat.le_trans (Nat.succ_le_succ a1) hr, Nat.le_trans (Nat.succ_le_succ a2) hr,
        Nat.le_trans (Nat.succ_le_succ a3) hr, ⟨a1, a2, a3⟩, b1, b2⟩
end Linear
end PytestTorchLean
