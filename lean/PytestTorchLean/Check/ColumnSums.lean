prelude
import PytestTorchLean.Check.AnyOrderSigned
import PytestTorchLean.Check.DecodeTiles
import PytestTorchLean.Check.Linear
/-!
# Sums over columns

Lists of columns are appended to each other, and so are the sums over them: of the values, of the absolute
weights times a radius, and of what lies above 0 and below it.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Columns
variable {K : Type u} [OrderedRing K]

def append (first second : List Column) : List Column :=
  List.rec (motive := fun _ => List Column) second (fun c _ rest => c :: rest) first
/-- All columns, lane after lane. -/
def flatten (lanes : List (List Column)) : List Column :=
  List.rec (motive := fun _ => List Column) [] (fun lane _ rest => append lane rest) lanes
def appendDigits : List Digits → List Digits → List Digits
  | [], second => second
  | d :: ds, second => d :: appendDigits ds second

theorem sum_congr {n : Nat} {f g : Nat → K} (h : ∀ i, i < n → f i = g i) : sum n f = sum n g := by
  induction n generalizing f g with
  | zero => rfl
  | succ n ih =>
    show f 0 + sum n _ = g 0 + sum n _
    rw [h 0 (Nat.succ_le_succ (Nat.zero_le n)), ih (fun i hi => h (i + 1) (Nat.succ_le_succ hi))]

/-- A represented weight times a number. -/
theorem represents_mul {base w p n : Nat} (h : Represents base w p n) (x : K) :
    natural (2 ^ (base - 1)) * ((natural p - natural n) * x) = Binary32.scaled w * x := by
  unfold Binary32.scaled
  cases h with
  | inl h =>
    obtain ⟨hs, hm, hn⟩ := h
    rw [hs, hn]
    show _ = natural (Binary32.magnitude w) * x
    rw [hm, natural_mul]
    exact (ring3 K b p x, b * ((p - 0) * x), b * p * x) (natural (2 ^ (base - 1))) (natural p) x
  | inr h =>
    obtain ⟨hs, hm, hp⟩ := h
    rw [hs, hp]
    show _ = -natural (Binary32.magnitude w) * x
    rw [hm, natural_mul]
    exact (ring3 K b n x, b * ((0 - n) * x), -(b * n) * x) (natural (2 ^ (base - 1))) (natural n) x

theorem combination_append (slots : Nat → K) (i : Nat) : (ds es : List Digits) → (source : Nat → Nat) →
    Linear.combination slots (appendDigits ds es) source i =
      Linear.combination slots ds source i + Linear.combination slots es (fun k => source (ds.length + k)) i
  | [], es, source => by
    show Linear.combination slots es source i = 0 + Linear.combination slots es (fun k => source (0 + k)) i
    rw [zero_add]
    have e : (fun k => source (0 + k)) = source := funext fun k => by rw [Nat.zero_add]
    rw [e]
  | d :: ds, es, source => by
    show _ + Linear.combination slots (appendDigits ds es) _ i = _ + Linear.combination slots ds _ i + _
    rw [combination_append slots i ds es (fun k => source (k + 1)), ← add_assoc]
    have e : (fun k => source (ds.length + k + 1)) = (fun k => source ((d :: ds).length + k)) :=
        funext fun k => by
      show source (ds.length + k + 1) = source (ds.length + 1 + k)
      rw [Nat.add_assoc, Nat.add_comm k 1, ← Nat.add_assoc]
    rw [e]

theorem packed_length {b rows bound : Nat} :
    (cs : List Column) → (ds : List Digits) → Packed b rows bound cs ds → cs.length = ds.length
  | [], [], _ => rfl
  | _ :: cs, _ :: ds, h => congrArg Nat.succ (packed_length cs ds h.2)
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem packed_append {b rows bound : Nat} :
    (cs : List Column) → (ds : List Digits) → (cs' : List Column) →
    (ds' : List Digits) → Packed b rows bound cs ds →
    Packed b rows bound cs' ds' → Packed b rows bound (append cs cs') (appendDigits ds ds')
  | [], [], _, _, _, h' => h'
  | _ :: cs, _ :: ds, cs', ds', h, h' => ⟨h.1, packed_append cs ds cs' ds' h.2 h'⟩
  | [], _ :: _, _, _, h, _ => h.elim
  | _ :: _, [], _, _, h, _ => h.elim
theorem length_append : (cs cs' : List Column) → (append cs cs').length = cs.length + cs'.length
  | [], cs' => (Nat.zero_add _).symm
  | _ :: cs, cs' => (congrArg Nat.succ (length_append cs cs')).trans (Nat.succ_add _ _).symm

/-- Sum of a row's absolute weights, each times a bound of the slot it reads. -/
def weight (radius : Nat → Nat) : List Digits → (Nat → Nat) → Nat → Nat
  | [], _, _ => 0
  | d :: ds, source, i =>
    radius (source 0) * (d.positive i + d.negative i) + weight radius ds (fun k => source (k + 1)) i

theorem weight_append (radius : Nat → Nat) (i : Nat) :
    (ds es : List Digits) → (source : Nat → Nat) →
    weight radius (appendDigits ds es) source i =
      weight radius ds source i + weight radius es (fun k => source (ds.length + k)) i
  | [], es, source => by
    show weight radius es source i = 0 + weight radius es (fun k => source (0 + k)) i
    rw [Nat.zero_add]
    have e : (fun k => source (0 + k)) = source := funext fun k => by rw [Nat.zero_add]
    rw [e]
  | d :: ds, es, source => by
    show _ + weight radius (appendDigits ds es) _ i = _ + weight radius ds _ i + _
    rw [weight_append radius i ds es (fun k => source (k + 1)), Nat.add_assoc]
    have e : (fun k => source (ds.length + k + 1)) = (fun k => source ((d :: ds).length + k)) :=
        funext fun k => by
      show source (ds.length + k + 1) = source (ds.length + 1 + k)
      rw [Nat.add_assoc, Nat.add_comm k 1, ← Nat.add_assoc]
    rw [e]

/-- Sum of a row's products, each at most: weights above 0 times `up` of the slot they read, those below 0
    times `down` of it. -/
def sides (up down : Nat → Nat) : List Digits → (Nat → Nat) → Nat → Nat
  | [], _, _ => 0
  | d :: ds, source, i => up (source 0) * d.positive i + down (source 0) * d.negative i +
      sides up down ds (fun k => source (k + 1)) i

theorem sides_append (up down : Nat → Nat) (i : Nat) :
    (ds es : List Digits) → (source : Nat → Nat) →
    sides up down (appendDigits ds es) source i =
      sides up down ds source i + sides up down es (fun k => source (ds.length + k)) i
  | [], es, source => by
    show sides up down es source i = 0 + sides up down es (fun k => source (0 + k)) i
    rw [Nat.zero_add]
    have e : (fun k => source (0 + k)) = source := funext fun k => by rw [Nat.zero_add]
    rw [e]
  | d :: ds, es, source => by
    show _ + sides up down (appendDigits ds es) _ i = _ + sides up down ds _ i + _
    rw [sides_append up down i ds es (fun k => source (k + 1)), ← Nat.add_assoc]
    have e : (fun k => source (ds.length + k + 1)) = (fun k => source ((d :: ds).length + k)) :=
        funext fun k => by
      show source (ds.length + k + 1) = source (ds.length + 1 + k)
      rw [Nat.add_assoc, Nat.add_comm k 1, ← Nat.add_assoc]
    rw [e]

/-- How far a product lies above and below 0. -/
theorem represents_sides {base w p n up down : Nat} {m x : K} (h : Represents base w p n)
    (hx : m * x ≤ natural up ∧ -(m * x) ≤ natural down) :
    m * (Binary32.scaled w * x) ≤ natural (2 ^ (base - 1)) * natural (up * p + down * n) ∧
    -(m * (Binary32.scaled w * x)) ≤ natural (2 ^ (base - 1)) * natural (down * p + up * n) := by
  have key : ∀ (q r : Nat) (y : K), y ≤ natural r →
      natural (2 ^ (base - 1) * q) * y ≤ natural (2 ^ (base - 1)) * natural (r * q) := fun q r y hy => by
    refine le_trans (mul_le_left (natural_nonneg _) hy) (le_of_eq ?_)
    rw [natural_mul, natural_mul]
    exact (ring3 K b q r, b * q * r, b * (r * q)) _ _ _
  unfold Binary32.scaled
  cases h with
  | inl h =>
    obtain ⟨hs, hm, hn⟩ := h
    rw [hs, hn, Nat.mul_zero, Nat.mul_zero, Nat.add_zero, Nat.add_zero]
    show m * (natural (Binary32.magnitude w) * x) ≤ _ ∧ -(m * (natural (Binary32.magnitude w) * x)) ≤ _
    rw [hm, mul_left_comm, ← mul_neg]
    exact ⟨key p up _ hx.1, key p down _ hx.2⟩
  | inr h =>
    obtain ⟨hs, hm, hp⟩ := h
    rw [hs, hp, Nat.mul_zero, Nat.mul_zero, Nat.zero_add, Nat.zero_add]
    show m * (-natural (Binary32.magnitude w) * x) ≤ _ ∧ -(m * (-natural (Binary32.magnitude w) * x)) ≤ _
    rw [hm, neg_mul, mul_neg, neg_neg, mul_left_comm, ← mul_neg]
    exact ⟨key n down _ hx.2, key n up _ hx.1⟩

/-- The absolute value of a product. -/
theorem represents_atMost {base w p n r : Nat} {m x : K} (h : Represents base w p n)
    (hx : AtMost (m * x) (natural r)) :
    AtMost (m * (Binary32.scaled w * x)) (natural (2 ^ (base - 1)) * natural (r * (p + n))) := by
  have key : ∀ q : Nat, AtMost (m * (natural (2 ^ (base - 1) * q) * x))
      (natural (2 ^ (base - 1)) * natural (r * q)) := fun q => by
    have z := hx.mul_left (natural_nonneg (2 ^ (base - 1) * q))
    rw [mul_left_comm] at z
    refine z.weaken (le_of_eq ?_)
    rw [natural_mul, natural_mul]
    exact (ring3 K b q r, b * q * r, b * (r * q)) _ _ _
  unfold Binary32.scaled
  cases h with
  | inl h =>
    obtain ⟨hs, hm, hn⟩ := h
    rw [hs, hn, Nat.add_zero]
    show AtMost (m * (natural (Binary32.magnitude w) * x)) _
    rw [hm]; exact key p
  | inr h =>
    obtain ⟨hs, hm, hp⟩ := h
    rw [hs, hp, Nat.zero_add]
    show AtMost (m * (-natural (Binary32.magnitude w) * x)) _
    rw [hm, neg_mul, mul_neg]; exact (key n).neg
end Columns
end PytestTorchLean
