prelude
import PytestTorchLean.Check.Relaxation.Convolve
/-!
# The words of the slots in places

One word after the other is looked up, for the compiler in pages of the memory and not in all of it; and parts
of the words are joined, not one word with all that follow.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix

/-- The words of the slots in the places. -/
def gathered (stride packed count : Nat) : Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun _ rest places => Nat.add
        (force (Memory.lookup stride packed) (Nat.land places (Nat.sub (Nat.pow 2 32) 1)))
        (Nat.mul (Nat.pow 2 stride) (force rest (Nat.shiftRight places 32)))) count
theorem gathered_eq {stride memory : Nat} {f : Nat → Nat} (hf : ∀ i, i < memory → f i < 2 ^ stride) :
    (count places : Nat) → (∀ j, j < count → word places j < memory) →
    gathered stride (pack stride memory f) count places = pack stride count fun j => f (word places j)
  | 0, _, _ => rfl
  | count + 1, places, h => by
    have ih := gathered_eq hf count (Nat.shiftRight places 32)
      (fun j hj => by rw [word_succ]; exact h (j + 1) (Nat.succ_le_succ hj))
    show force (Memory.lookup stride (pack stride memory f)) (Nat.land places (2 ^ 32 - 1)) +
      2 ^ stride * force (gathered stride (pack stride memory f) count) (Nat.shiftRight places 32) = _
    rw [force_eq, force_eq, word_zero, Memory.lookup_pack hf (h 0 (Nat.succ_le_succ (Nat.zero_le _))), ih,
        pack_succ]
    exact congrArg (fun y => f (word places 0) + 2 ^ stride * y) (pack_congr fun j _ => by rw [word_succ])

theorem gathered_succ (stride packed count places : Nat) :
    gathered stride packed (count + 1) places = Memory.lookup stride packed (word places 0) +
      2 ^ stride * gathered stride packed count (Nat.shiftRight places 32) := by
  show force (Memory.lookup stride packed) (Nat.land places (2 ^ 32 - 1)) +
      2 ^ stride * force (gathered stride packed count) (Nat.shiftRight places 32) = _
  rw [force_eq, force_eq, word_zero]

/-! ### Pages of the memory -/

theorem lookup_low {stride m i : Nat} (hi : i < m) (x : Nat) :
    Memory.lookup stride (Nat.land x (2 ^ (stride * m) - 1)) i = Memory.lookup stride x i := by
  rw [Memory.lookup_eq, Memory.lookup_eq, land_low, land_low, land_low]
  obtain ⟨k, rfl⟩ := Nat.exists_of_le hi
  have size : stride * (i + 1 + k) = stride * i + (stride + stride * k) := by
    rw [Nat.mul_add, Nat.mul_succ, Nat.add_assoc]
  show x % 2 ^ (stride * (i + 1 + k)) / 2 ^ (stride * i) % 2 ^ stride = x / 2 ^ (stride * i) % 2 ^ stride
  rw [size]
  obtain ⟨q, r, e, g⟩ := Natural.euclid (Natural.two_pow_pos (stride * i)) x
  obtain ⟨q2, r2, e2, g2⟩ := Natural.euclid (Natural.two_pow_pos (stride + stride * k)) q
  have bound : r + 2 ^ (stride * i) * r2 < 2 ^ (stride * i + (stride + stride * k)) := by
    rw [Natural.pow_add]
    exact Natural.add_mul_lt g g2
  rw [e, e2, Nat.mul_add, ← Nat.add_assoc, ← Nat.mul_assoc, ← Natural.pow_add, Natural.add_mul_mod _ bound,
      Natural.add_mul_div _ g, Nat.add_assoc, Natural.pow_add, Nat.mul_assoc, ← Nat.mul_add,
      Natural.add_mul_div _ g]
  have z := Natural.mod_mod (Nat.le_add_right stride (stride * k)) (r2 + 2 ^ (stride + stride * k) * q2)
  rw [Natural.add_mul_mod _ g2] at z; exact z

theorem lookup_high (stride m i x : Nat) :
    Memory.lookup stride (Nat.shiftRight x (stride * m)) i = Memory.lookup stride x (m + i) := by
  rw [Memory.lookup_eq, Memory.lookup_eq]
  have e : Nat.shiftRight (Nat.shiftRight x (stride * m)) (stride * i) =
      Nat.shiftRight x (stride * (m + i)) := by
    show x / 2 ^ (stride * m) / 2 ^ (stride * i) = x / 2 ^ (stride * (m + i))
    rw [Natural.shift_shift, Nat.mul_add]
  rw [e]

/-- The memory in pages: the words below `size` are in `low`, the others in `high`. -/
inductive Pages where
  | page (words : Nat)
  | cut (size : Nat) (low high : Pages)

namespace Pages
/-- Lower halves of `256 * 2^l` words, so long as there are levels. -/
def of (stride : Nat) : (levels : Nat) → Nat → Pages
  | 0, x => .page x
  | Nat.succ l, x => .cut (Nat.mul 256 (Nat.pow 2 l))
      (of stride l (Nat.land x (Nat.sub (Nat.pow 2 (Nat.mul stride (Nat.mul 256 (Nat.pow 2 l)))) 1)))
      (of stride l (Nat.shiftRight x (Nat.mul stride (Nat.mul 256 (Nat.pow 2 l)))))

def lookup (stride : Nat) : Pages → Nat → Nat
  | .page x, i => Memory.lookup stride x i
  | .cut size low high, i =>
    match Nat.ble (Nat.succ i) size with
    | true => lookup stride low i
    | false => lookup stride high (Nat.sub i size)

theorem lookup_of (stride : Nat) :
    (levels x i : Nat) → lookup stride (of stride levels x) i = Memory.lookup stride x i
  | 0, _, _ => rfl
  | l + 1, x, i => by
    show (match Nat.ble (Nat.succ i) (Nat.mul 256 (Nat.pow 2 l)) with
      | true => lookup stride (of stride l (Nat.land x (2 ^ (stride * Nat.mul 256 (Nat.pow 2 l)) - 1))) i
      | false => lookup stride (of stride l (Nat.shiftRight x (stride * Nat.mul 256 (Nat.pow 2 l))))
          (Nat.sub i (Nat.mul 256 (Nat.pow 2 l)))) = _
    generalize Nat.mul 256 (Nat.pow 2 l) = size
    cases Natural.le_or_lt size i with
    | inl h =>
      rw [Memory.ble_false_of_lt (Nat.succ_le_succ h)]
      obtain ⟨k, rfl⟩ := Nat.exists_of_le h
      show lookup stride _ (size + k - size) = _
      rw [lookup_of, Natural.add_sub_cancel_left, lookup_high]
    | inr h =>
      rw [Nat.ble_eq_true_of_le h]
      show lookup stride _ i = _
      rw [lookup_of, lookup_low h]
end Pages

/-! ### Parts of the words -/

theorem gathered_congr (stride packed : Nat) : (count places others : Nat) →
    (∀ j, j < count → word places j = word others j) →
    gathered stride packed count places = gathered stride packed count others
  | 0, _, _, _ => rfl
  | count + 1, places, others, h => by
    rw [gathered_succ, gathered_succ, h 0 (Nat.succ_le_succ (Nat.zero_le count)),
      gathered_congr stride packed count (Nat.shiftRight places 32) (Nat.shiftRight others 32)
        (fun j hj => by rw [word_succ, word_succ]; exact h (j + 1) (Nat.succ_le_succ hj))]

theorem gathered_append (stride packed n : Nat) : (m places : Nat) →
    gathered stride packed (m + n) places = gathered stride packed m places +
      2 ^ (stride * m) * gathered stride packed n (Nat.shiftRight places (32 * m))
  | 0, places => by
    have e : Nat.shiftRight places (32 * 0) = places := Natural.div_one _
    rw [Nat.zero_add, e]
    show _ = 0 + 1 * _
    rw [Nat.zero_add, Nat.one_mul]
  | m + 1, places => by
    have e : m + 1 + n = m + n + 1 := Nat.succ_add m n
    have shifted : Nat.shiftRight (Nat.shiftRight places 32) (32 * m) =
        Nat.shiftRight places (32 * (m + 1)) := by
      show places / 2 ^ 32 / 2 ^ (32 * m) = places / 2 ^ (32 * (m + 1))
      rw [Natural.shift_shift, Nat.mul_succ, Nat.add_comm 32]
    rw [e, gathered_succ, gathered_succ, gathered_append stride packed n m, Nat.mul_add, ← Nat.mul_assoc,
      ← Natural.pow_add, shifted, Nat.add_assoc]
    have size : stride + stride * m = stride * (m + 1) := by rw [Nat.mul_succ, Nat.add_comm]
    rw [size]

/-- The same as `gathered`, from pages. -/
def lookedUp (stride : Nat) (pages : Pages) : (count : Nat) → Nat → Nat
  | 0, _ => 0
  | Nat.succ count, places => Nat.add
      (Pages.lookup stride pages (Nat.land places (Nat.sub (Nat.pow 2 32) 1)))
      (Nat.shiftLeft (lookedUp stride pages count (Nat.shiftRight places 32)) stride)
theorem lookedUp_eq (stride levels packed : Nat) : (count places : Nat) →
    lookedUp stride (Pages.of stride levels packed) count places = gathered stride packed count places
  | 0, _ => rfl
  | count + 1, places => by
    show Pages.lookup stride (Pages.of stride levels packed) (Nat.land places (2 ^ 32 - 1)) +
      Nat.shiftLeft (lookedUp stride (Pages.of stride levels packed) count (Nat.shiftRight places 32))
        stride = _
    rw [gathered_succ, Pages.lookup_of, word_zero, lookedUp_eq, shiftLeft_eq]

/-- The first `16 * 2^l` words apart from the others, so long as there are levels. -/
def inParts (stride : Nat) (pages : Pages) : (levels : Nat) → (count places : Nat) → Nat
  | 0, count, places => lookedUp stride pages count places
  | Nat.succ l, count, places =>
    match Nat.ble count (Nat.mul 16 (Nat.pow 2 l)) with
    | true => inParts stride pages l count places
    | false => Nat.add
        (inParts stride pages l (Nat.mul 16 (Nat.pow 2 l))
          (Nat.land places (Nat.sub (Nat.pow 2 (Nat.mul 32 (Nat.mul 16 (Nat.pow 2 l)))) 1)))
        (Nat.shiftLeft (inParts stride pages l (Nat.sub count (Nat.mul 16 (Nat.pow 2 l)))
            (Nat.shiftRight places (Nat.mul 32 (Nat.mul 16 (Nat.pow 2 l)))))
          (Nat.mul stride (Nat.mul 16 (Nat.pow 2 l))))
theorem inParts_eq (stride levels packed : Nat) : (l count places : Nat) →
    inParts stride (Pages.of stride levels packed) l count places = gathered stride packed count places
  | 0, count, places => lookedUp_eq stride levels packed count places
  | l + 1, count, places => by
    show (match Nat.ble count (Nat.mul 16 (Nat.pow 2 l)) with
      | true => inParts stride (Pages.of stride levels packed) l count places
      | false => inParts stride (Pages.of stride levels packed) l (Nat.mul 16 (Nat.pow 2 l))
            (Nat.land places (2 ^ (32 * Nat.mul 16 (Nat.pow 2 l)) - 1)) +
          Nat.shiftLeft (inParts stride (Pages.of stride levels packed) l
              (Nat.sub count (Nat.mul 16 (Nat.pow 2 l)))
              (Nat.shiftRight places (32 * Nat.mul 16 (Nat.pow 2 l))))
            (stride * Nat.mul 16 (Nat.pow 2 l))) = _
    generalize Nat.mul 16 (Nat.pow 2 l) = m
    cases Natural.le_or_lt count m with
    | inl h =>
      rw [Nat.ble_eq_true_of_le h]
      exact inParts_eq stride levels packed l count places
    | inr h =>
      rw [Memory.ble_false_of_lt h]
      obtain ⟨n, rfl⟩ := Nat.exists_of_le (Nat.le_trans (Nat.le_add_right m 1) h)
      show inParts _ _ l m _ + Nat.shiftLeft (inParts _ _ l (m + n - m) _) _ = _
      rw [inParts_eq, inParts_eq, shiftLeft_eq, Natural.add_sub_cancel_left, gathered_append,
        gathered_congr stride packed m _ places (fun j hj => word_land hj places)]

/-- Pages of at most 256 words. -/
def pagesOf (stride packed : Nat) : Pages :=
  Pages.of stride (Nat.sub (Nat.log2 (Nat.succ (Nat.div (Nat.log2 packed) stride))) 7) packed
/-- The same as `gathered`, which the compiler takes in its stead. -/
def gatheredInParts (stride packed count places : Nat) : Nat :=
  inParts stride (pagesOf stride packed) (Nat.sub (Nat.log2 count) 3) count places
@[csimp] theorem gathered_inParts : @gathered = @gatheredInParts :=
  funext fun stride => funext fun packed => funext fun count => funext fun places =>
    (inParts_eq stride _ packed _ count places).symm

end Relaxation
end PytestTorchLean
