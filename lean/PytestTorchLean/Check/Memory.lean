prelude
import PytestTorchLean.Check.Ones
import PytestTorchLean.Algebra.Order
/-!
# Bounds of all slots, packed in two numbers

A slot's value `x` is bounded in fixed point: `lower ≤ unit * x + center ≤ upper` with
`0 ≤ lower ≤ upper ≤ 2 * center`. The memory holds for every slot the word
`lower + 2^half * upper` and the mirrored word, which bounds `-x` in the same way:
`(2 * center - upper) + 2^half * (2 * center - lower)`.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

/-- Fixed-point parameters, chosen by the producer. -/
structure Scale where
  /-- value of the fixed-point number 1, as its reciprocal -/
  unit : Nat
  /-- the fixed-point number that stands for 0 -/
  center : Nat
  /-- bits of half a digit -/
  half : Nat

/-- The fixed-point image of a value. -/
def Scale.image {K : Type u} [OrderedRing K] (s : Scale) (x : K) : K := natural s.unit * x + natural s.center
/-- The value lies between two fixed-point numbers. -/
def Within {K : Type u} [OrderedRing K] (s : Scale) (lower upper : Nat) (x : K) : Prop :=
  natural lower ≤ s.image x ∧ s.image x ≤ natural upper

def Scale.top (s : Scale) : Nat := s.center + s.center
/-- Bits of a word of the memory. -/
def Scale.stride (s : Scale) : Nat := s.half + s.half
/-- What every step assumes of the scale; `check` decides it once. -/
structure Scale.Fits (s : Scale) : Prop where
  half : s.top < 2 ^ s.half
  unit : 0 < s.unit

structure Memory where
  direct : Nat
  mirrored : Nat

namespace Memory
/-- The words of a slot with the given bounds. -/
def directWord (s : Scale) (l u : Nat) : Nat := l + 2 ^ s.half * u
def mirroredWord (s : Scale) (l u : Nat) : Nat := (s.top - u) + 2 ^ s.half * (s.top - l)

/-- The first `count` slots lie within the bounds the memory holds. -/
def Holds {K : Type u} [OrderedRing K] (s : Scale) (slots : Nat → K) (count : Nat) (m : Memory) : Prop :=
  ∃ l u : Nat → Nat,
    m.direct = pack (s.stride) count (fun i => directWord s (l i) (u i)) ∧
    m.mirrored = pack (s.stride) count (fun i => mirroredWord s (l i) (u i)) ∧
    ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top ∧ Within s (l i) (u i) (slots i)

/-- The memory with one more slot. -/
def push (s : Scale) (m : Memory) (count l u : Nat) : Memory :=
  ⟨m.direct + 2 ^ (s.stride * count) * directWord s l u,
      m.mirrored + 2 ^ (s.stride * count) * mirroredWord s l u⟩

/-- A function changed from `count` on. -/
def extend (f : Nat → Nat) (count value i : Nat) : Nat := cond (Nat.ble count i) value (f i)
theorem ble_false_of_lt {a b : Nat} (h : a < b) : Nat.ble b a = false := by
  cases e : Nat.ble b a with
  | false => rfl
  | true => exact absurd (Nat.le_trans h (Nat.le_of_ble_eq_true e)) (Nat.le_antisymm.not_succ_le_self a)
theorem extend_old (f : Nat → Nat) {count i : Nat} (value : Nat) (h : i < count) :
    extend f count value i = f i := by
  unfold extend; rw [ble_false_of_lt h]; rfl
theorem extend_new (f : Nat → Nat) (count value : Nat) : extend f count value count = value := by
  unfold extend; rw [Nat.ble_self_eq_true]; rfl
theorem le_of_lt_succ {i n : Nat} (h : i < n + 1) : i = n ∨ i < n := by
  cases Nat.le_total n i with
  | inl g => exact Or.inl (Nat.le_antisymm (Nat.le_of_succ_le_succ h) g)
  | inr g =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le g
    cases k with
    | zero => exact Or.inl rfl
    | succ k => right; show i + 1 ≤ i + (k + 1); exact Nat.succ_le_succ (Nat.le_add_right i k)

theorem push_word (s : Scale) (count : Nat) (f : Nat → Nat) (g : Nat → Nat) (value : Nat)
    (old : ∀ i, i < count → g i = f i) (new : g count = value) :
    pack (s.stride) count f + 2 ^ (s.stride * count) * value = pack (s.stride) (count + 1) g := by
  rw [pack_append, pack_congr old]
  have e : pack (s.stride) 1 (fun i => g (count + i)) = value := by
    show g (count + 0) + 2 ^ (s.stride) * 0 = value
    rw [Nat.mul_zero, Nat.add_zero, Nat.add_zero]; exact new
  rw [e]

theorem push_holds {K : Type u} [OrderedRing K] {s : Scale} {slots : Nat → K} {count l u : Nat} {m : Memory}
    (h : m.Holds s slots count) (hl : l ≤ u) (hu : u ≤ s.top) (w : Within s l u (slots count)) :
    (m.push s count l u).Holds s slots (count + 1) := by
  obtain ⟨lo, up, hd, hm, hw⟩ := h
  refine ⟨extend lo count l, extend up count u, ?_, ?_, ?_⟩
  · show m.direct + _ = _
    rw [hd]
    refine push_word s count _ _ _ ?_ ?_
    · intro i hi; show directWord s _ _ = _; rw [extend_old _ _ hi, extend_old _ _ hi]
    · show directWord s _ _ = _; rw [extend_new, extend_new]
  · show m.mirrored + _ = _
    rw [hm]
    refine push_word s count _ _ _ ?_ ?_
    · intro i hi; show mirroredWord s _ _ = _; rw [extend_old _ _ hi, extend_old _ _ hi]
    · show mirroredWord s _ _ = _; rw [extend_new, extend_new]
  · intro i hi
    cases le_of_lt_succ hi with
    | inl e => subst e; rw [extend_new, extend_new]; exact ⟨hl, hu, w⟩
    | inr g => rw [extend_old _ _ g, extend_old _ _ g]; exact hw i g

theorem lt_of_add_lt {a b : Nat} : {c : Nat} → c + a < c + b → a < b
  | 0, h => by rw [Nat.zero_add, Nat.zero_add] at h; exact h
  | c + 1, h => by
    rw [Nat.succ_add, Nat.succ_add] at h
    exact lt_of_add_lt (Nat.le_of_succ_le_succ h)
/-- `f` up to `count`, then `g`. -/
def splice (count : Nat) (f g : Nat → Nat) (i : Nat) : Nat := cond (Nat.ble count i) (g (i - count)) (f i)
theorem splice_old {count : Nat} (f g : Nat → Nat) {i : Nat} (h : i < count) : splice count f g i = f i := by
  unfold splice; rw [ble_false_of_lt h]; rfl
theorem splice_new (count : Nat) (f g : Nat → Nat) (i : Nat) : splice count f g (count + i) = g i := by
  unfold splice; rw [Nat.ble_eq_true_of_le (Nat.le_add_right count i), Natural.add_sub_cancel_left]; rfl
theorem pack_splice {b count n : Nat} {f g h : Nat → Nat} (old : ∀ i, i < count → h i = f i)
    (new : ∀ i, i < n → h (count + i) = g i) :
    pack b count f + 2 ^ (b * count) * pack b n g = pack b (count + n) h := by
  rw [pack_append, pack_congr old, pack_congr (f := fun i => h (count + i)) new]

/-- The memory followed by another one, which starts at slot `count`. -/
theorem append_holds {K : Type u} [OrderedRing K] {s : Scale} {slots : Nat → K} {count n : Nat}
    {m tail : Memory} (h : m.Holds s slots count) (ht : tail.Holds s (fun i => slots (count + i)) n) :
    (Memory.mk (m.direct + 2 ^ (s.stride * count) * tail.direct)
      (m.mirrored + 2 ^ (s.stride * count) * tail.mirrored)).Holds s slots (count + n) := by
  obtain ⟨l, u, h1, h2, hw⟩ := h
  obtain ⟨l', u', h1', h2', hw'⟩ := ht
  refine ⟨splice count l l', splice count u u', ?_, ?_, ?_⟩
  · show m.direct + _ * tail.direct = _
    rw [h1, h1']
    refine pack_splice (fun i hi => ?_) (fun i _ => ?_)
    · rw [splice_old _ _ hi, splice_old _ _ hi]
    · rw [splice_new, splice_new]
  · show m.mirrored + _ * tail.mirrored = _
    rw [h2, h2']
    refine pack_splice (fun i hi => ?_) (fun i _ => ?_)
    · rw [splice_old _ _ hi, splice_old _ _ hi]
    · rw [splice_new, splice_new]
  · intro i hi
    cases Natural.le_or_lt count i with
    | inl g =>
      obtain ⟨k, rfl⟩ := Nat.exists_of_le g
      rw [splice_new, splice_new]
      exact hw' k (lt_of_add_lt hi)
    | inr g =>
      rw [splice_old _ _ g, splice_old _ _ g]
      exact hw i g

/-- No slots yet. -/
theorem empty_holds {K : Type u} [OrderedRing K] (s : Scale) (slots : Nat → K) :
    (Memory.mk 0 0).Holds s slots 0 :=
  ⟨fun _ => 0, fun _ => 0, rfl, rfl, fun i hi => absurd hi (Nat.not_succ_le_zero i)⟩

/-- Two half digits make a digit. -/
theorem halves_lt {h x y : Nat} (hx : x < 2 ^ h) (hy : y < 2 ^ h) : x + 2 ^ h * y < 2 ^ (h + h) := by
  rw [Natural.pow_add]
  have a : x + 2 ^ h * y + 1 ≤ 2 ^ h + 2 ^ h * y := by
    rw [Nat.add_comm, ← Nat.add_assoc, Nat.add_comm 1]
    exact Nat.add_le_add hx Nat.le.refl
  refine Nat.le_trans a ?_
  have b : 2 ^ h + 2 ^ h * y = 2 ^ h * (y + 1) := Nat.add_comm _ _
  rw [b]
  exact Nat.mul_le_mul Nat.le.refl hy

/-- The word of a slot, as the kernel finds it. -/
def lookup (stride packed slot : Nat) : Nat :=
  Nat.land (Nat.shiftRight packed (Nat.mul stride slot)) (Nat.sub (Nat.pow 2 stride) 1)
theorem lookup_eq (stride packed slot : Nat) :
    lookup stride packed slot = Nat.land (Nat.shiftRight packed (stride * slot)) (2 ^ stride - 1) := rfl

theorem word_lt {s : Scale} (fits : s.Fits) {l u : Nat} (hl : l ≤ u) (hu : u ≤ s.top) :
    directWord s l u < 2 ^ s.stride ∧ mirroredWord s l u < 2 ^ s.stride :=
  have small : ∀ {a : Nat}, a ≤ s.top → a < 2 ^ s.half := fun h => Nat.le_trans (Nat.succ_le_succ h) fits.half
  ⟨halves_lt (small (Nat.le_trans hl hu)) (small hu),
      halves_lt (small (Natural.sub_le _ _)) (small (Natural.sub_le _ _))⟩

theorem lookup_pack {stride count : Nat} {f : Nat → Nat} (h : ∀ i, i < count → f i < 2 ^ stride) {i : Nat}
    (hi : i < count) :
    lookup stride (pack stride count f) i = f i := by
  rw [lookup_eq, digit_eq, digit_pack h hi]

end Memory
end PytestTorchLean
