prelude
import PytestTorchLean.Check.Relaxation.Times
import PytestTorchLean.Check.Columns
import PytestTorchLean.Check.Prepared
/-!
# Digits closer together, and in reverse order

Both are done in steps that double the groups that stay together: neighbouring groups change places, or move
together.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open Natural Matrix

/-- Neighbouring digits change places and become digits of `c` bits: pairs of digits that lie `C` apart, `n`
    of them. -/
def swapPairs (C c n x : Nat) : Nat :=
  share (fun low => Nat.add (Nat.shiftRight (Nat.sub x low) C) (Nat.shiftLeft low c))
    (Decode.low c x (ones (Nat.add C C) n))
theorem swapPairs_eq {C c n : Nat} {f g : Nat → Nat} (hc : c ≤ C) (hC : 0 < C) (hf : ∀ i, i < n → f i < 2 ^ c)
    (hg : ∀ i, i < n → g i < 2 ^ c) :
    swapPairs C c n (pack (C + C) n fun i => f i + 2 ^ C * g i) =
    pack (C + C) n fun i => g i + 2 ^ c * f i := by
  have le : ∀ {a : Nat}, a < 2 ^ c → a < 2 ^ C := fun h => lt_of_lt_of_le h (two_pow_le hc)
  have small :
    ∀ i, i < n → f i + 2 ^ C * g i < 2 ^ (C + C) := fun i hi => Memory.halves_lt (le (hf i hi)) (le (hg i hi))
  have pos : 0 < C + C := Nat.le_trans hC (Nat.le_add_left _ _)
  have low :
      Decode.low c (pack (C + C) n fun i => f i + 2 ^ C * g i) (ones (C + C) n) = pack (C + C) n f := by
    rw [Decode.low_pack (Nat.le_trans hc (Nat.le_add_left _ _)) pos small]
    refine pack_congr fun i hi => ?_
    obtain ⟨k, rfl⟩ := Nat.exists_of_le hc
    rw [Natural.pow_add, Nat.mul_assoc, add_mul_mod _ (hf i hi)]
  have rest : Nat.sub (pack (C + C) n fun i => f i + 2 ^ C * g i) (pack (C + C) n f) =
      pack (C + C) n fun i => 2 ^ C * g i := by
    refine (pack_sub fun i _ => Nat.le_add_right (f i) (2 ^ C * g i)).symm.trans (pack_congr fun i _ => ?_)
    exact Natural.add_sub_cancel_left _ _
  unfold swapPairs
  rw [share_eq]
  show Nat.shiftRight (Nat.sub _ (Decode.low c _ (ones (C + C) n))) C +
    Decode.low c _ (ones (C + C) n) * 2 ^ c = _
  rw [low, rest, shift_pack_mul, Nat.mul_comm _ (2 ^ c), pack_add, pack_mul]

/-- Blocks of `2^levels` digits that lie `C` apart, `count` of them: each block's digits get `c` bits and are
    reversed. -/
def turn (count levels : Nat) : Nat → Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat) (fun _ _ x => x)
    (fun l rest C c x => force (fun C' =>
          force (fun c' => share (rest C' c') (swapPairs C c (Nat.mul count (Nat.pow 2 l)) x)) (Nat.add c c))
        (Nat.add C C)) levels
theorem turn_succ (count l C c x : Nat) :
    turn count (l + 1) C c x = turn count l (C + C) (c + c) (swapPairs C c (count * 2 ^ l) x) := by
  show force (fun C' => force
      (fun c' => share (turn count l C' c') (swapPairs C c (Nat.mul count (Nat.pow 2 l)) x)) (Nat.add c c))
    (Nat.add C C) = _
  rw [force_eq, force_eq, share_eq]; rfl

/-- Reversed pairs of digits, in reverse order, are the reversed digits. -/
theorem pairs_reversed (c l : Nat) (f : Nat → Nat) :
    (pack (c + c) (2 ^ l) fun i => f (2 * (2 ^ l - 1 - i) + 1) + 2 ^ c * f (2 * (2 ^ l - 1 - i))) =
    pack c (2 ^ (l + 1)) fun i => f (2 ^ (l + 1) - 1 - i) := by
  have twice : 2 ^ (l + 1) = 2 * 2 ^ l := pow_succ 2 l
  have flip : ∀ i, i < 2 ^ l →
      2 * (2 ^ l - 1 - i) + 1 = 2 ^ (l + 1) - 1 - 2 * i ∧
        2 * (2 ^ l - 1 - i) = 2 ^ (l + 1) - 1 - (2 * i + 1) := fun i hi => by
    obtain ⟨k, hk⟩ := Nat.exists_of_le hi
    have e1 : 2 ^ l - 1 - i = k := by
      have e : 2 ^ l - 1 = i + k := Natural.sub_eq_of_add_eq (by rw [hk, Nat.succ_add])
      rw [e, Natural.add_sub_cancel_left]
    have e2 : 2 ^ (l + 1) - 1 = 2 * i + (2 * k + 1) := by
      apply Natural.sub_eq_of_add_eq
      rw [twice, hk, Nat.succ_add, Nat.mul_succ, Nat.mul_add]
      rfl
    rw [e1, e2, Natural.add_sub_cancel_left]
    refine ⟨rfl, ?_⟩
    have e3 : 2 * i + (2 * k + 1) = 2 * i + 1 + 2 * k := by rw [Nat.add_assoc, Nat.add_comm 1]
    rw [e3, Natural.add_sub_cancel_left]
  refine (pack_congr fun i hi => by rw [(flip i hi).1, (flip i hi).2]).trans ?_
  rw [← Vector.pack_pair, twice]
  refine pack_congr fun j _ => ?_
  rw [← twice]
  exact Dense.pair_interleave j (fun i => f (2 ^ (l + 1) - 1 - i))

theorem turn_eq (count : Nat) :
    (l C c : Nat) → (f : Nat → Nat) → c ≤ C → 0 < C →
    (∀ i, i < count * 2 ^ l → f i < 2 ^ c) →
    turn count l C c (pack C (count * 2 ^ l) f) =
      pack (C * 2 ^ l) count fun k => pack c (2 ^ l) fun i => f (2 ^ l * k + (2 ^ l - 1 - i)) := by
  intro l
  induction l with
  | zero =>
    intro C c f _ _ _
    have one : 2 ^ 0 = 1 := rfl
    rw [one, Natural.mul_one, Natural.mul_one]
    show pack C count f = pack C count fun k => f (1 * k + 0) + 2 ^ c * 0
    exact pack_congr fun k _ => by rw [Nat.mul_zero, Nat.one_mul]; rfl
  | succ l smaller =>
    intro C c f hc hC hf
    have twice : 2 ^ (l + 1) = 2 * 2 ^ l := pow_succ 2 l
    have all : count * 2 ^ (l + 1) = 2 * (count * 2 ^ l) := by rw [twice, Nat.mul_left_comm]
    have inside : ∀ i, i < count * 2 ^ l → 2 * i + 1 < count * 2 ^ (l + 1) := fun i hi => by
      rw [all]
      have h := Nat.mul_le_mul (Nat.le.refl (n := 2)) hi
      exact h
    have even : ∀ i, i < count * 2 ^ l → f (2 * i) < 2 ^ c :=
      fun i hi => hf _ (Nat.le_trans (Nat.le_add_right _ 1) (inside i hi))
    have odd : ∀ i, i < count * 2 ^ l → f (2 * i + 1) < 2 ^ c := fun i hi => hf _ (inside i hi)
    have pairs : pack C (count * 2 ^ (l + 1)) f =
        pack (C + C) (count * 2 ^ l) fun i => f (2 * i) + 2 ^ C * f (2 * i + 1) := by
      rw [← Vector.pack_pair, all]
      exact pack_congr fun j _ => (Dense.pair_interleave j f).symm
    rw [turn_succ, pairs, swapPairs_eq hc hC even odd]
    rw [smaller (C + C) (c + c) (fun i => f (2 * i + 1) + 2 ^ c * f (2 * i)) (Nat.add_le_add hc hc)
        (Nat.le_trans hC (Nat.le_add_left _ _)) (fun i hi => Memory.halves_lt (odd i hi) (even i hi))]
    have size : (C + C) * 2 ^ l = C * 2 ^ (l + 1) := by
      rw [twice, ← Natural.two_mul, Nat.mul_assoc, Nat.mul_left_comm]
    rw [size]
    refine pack_congr fun k _ => ?_
    refine Eq.trans (pack_congr fun i _ => ?_) (pairs_reversed c l fun j => f (2 ^ (l + 1) * k + j))
    have e : 2 * (2 ^ l * k + (2 ^ l - 1 - i)) = 2 ^ (l + 1) * k + 2 * (2 ^ l - 1 - i) := by
      rw [Nat.mul_add, ← Nat.mul_assoc, ← twice]
    show f (2 * _ + 1) + 2 ^ c * f (2 * _) =
      f (_ + (2 * (2 ^ l - 1 - i) + 1)) + 2 ^ c * f (_ + 2 * (2 ^ l - 1 - i))
    rw [e]; rfl

/-- `count` blocks that lie `C` apart, put before `below` in reverse order, `c` bits each. -/
def stack (C c count : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ above => above)
    (fun _ rest x above => share
        (fun x' => share (rest x') (Nat.add (Nat.shiftLeft above c) (Nat.land x (Nat.sub (Nat.pow 2 C) 1))))
        (Nat.shiftRight x C)) count
theorem stack_eq {C c : Nat} (hc : c ≤ C) :
    (count : Nat) → (f : Nat → Nat) → (above : Nat) →
    (∀ k, k < count → f k < 2 ^ c) →
    stack C c count (pack C count f) above =
      above * 2 ^ (c * count) + pack c count fun k => f (count - 1 - k) := by
  intro count
  induction count with
  | zero =>
    intro _ above _
    show above = above * 2 ^ (c * 0) + 0
    rw [Nat.mul_zero]; exact (Natural.mul_one above).symm
  | succ count smaller =>
    intro f above hf
    have f0 : f 0 < 2 ^ C := lt_of_lt_of_le (hf 0 (Nat.succ_le_succ (Nat.zero_le _))) (two_pow_le hc)
    show share
      (fun x' => share (stack C c count x') (above * 2 ^ c + Nat.land (pack C (count + 1) f) (2 ^ C - 1)))
      (Nat.shiftRight (pack C (count + 1) f) C) = _
    rw [share_eq, share_eq, land_pack_succ f0, shift_pack_succ f0,
        smaller _ _ fun k hk => hf (k + 1) (Nat.succ_le_succ hk), pack_append c count 1, Nat.add_mul,
        Nat.mul_succ, Natural.pow_add, Nat.mul_assoc, Nat.mul_comm (2 ^ (c * count)) (2 ^ c)]
    have top : pack c 1 (fun i => f (count + 1 - 1 - (count + i))) = f 0 := by
      show f (count - (count + 0)) + 2 ^ c * 0 = f 0
      rw [Nat.mul_zero, Nat.add_zero]
      exact congrArg f (Nat.sub_self count)
    have below : (pack c count fun k => f (count - 1 - k + 1)) =
        pack c count fun k => f (count + 1 - 1 - k) := pack_congr fun k hk => by
      obtain ⟨j, rfl⟩ := Nat.exists_of_le hk
      have e1 : k + 1 + j - 1 - k = j := by
        have e : k + 1 + j - 1 = k + j :=
          sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
        rw [e, Natural.add_sub_cancel_left]
      have e2 : k + 1 + j + 1 - 1 - k = j + 1 := by
        have e : k + 1 + j + 1 - 1 = k + (j + 1) :=
          sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
        rw [e, Natural.add_sub_cancel_left]
      rw [e1, e2]
    rw [top, below, Nat.add_assoc, Nat.add_comm (f 0 * _), Nat.mul_comm (f 0)]

/-- Blocks of `s` digits, each reversed, in reverse order. -/
theorem blocks_reversed (c s count : Nat) (f : Nat → Nat) :
    (pack (c * s) count fun k => pack c s fun i => f (s * (count - 1 - k) + (s - 1 - i))) =
    pack c (s * count) fun i => f (s * count - 1 - i) := by
  rw [Decode.pack_group]
  refine pack_congr fun b hb => ?_
  obtain ⟨t, rfl⟩ := Nat.exists_of_le hb
  refine pack_congr fun j hj => ?_
  obtain ⟨u, rfl⟩ := Nat.exists_of_le hj
  have e1 : b + 1 + t - 1 - b = t := by
    have e : b + 1 + t - 1 = b + t :=
      sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  have e2 : j + 1 + u - 1 - j = u := by
    have e : j + 1 + u - 1 = j + u :=
      sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  have e3 : (j + 1 + u) * (b + 1 + t) - 1 - ((j + 1 + u) * b + j) = (j + 1 + u) * t + u := by
    have e : (j + 1 + u) * (b + 1 + t) - 1 = (j + 1 + u) * b + j + ((j + 1 + u) * t + u) :=
      sub_eq_of_add_eq (by
      rw [Nat.mul_add (j + 1 + u) (b + 1), Nat.mul_succ]
      generalize (j + 1 + u) * b = p
      generalize (j + 1 + u) * t = q
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  rw [e1, e2, e3]

/-- `n` digits that lie `C` apart, closer together and in reverse order: in blocks of `side` digits, at most
    eight of them. `c` is evaluated first, so that the kernel knows a matrix again that it has turned
    before. -/
def turned (C c n x : Nat) : Nat :=
  force (fun c => force (fun levels => force (fun side => force (fun count =>
        Nat.shiftRight (stack (Nat.mul C side) (Nat.mul c side) count (turn count levels C c x) 0)
          (Nat.mul c (Nat.sub (Nat.mul side count) n)))
      (Nat.succ (Nat.div n side))) (Nat.pow 2 levels)) (Nat.sub (Nat.log2 n) 2)) c
theorem turned_eq {C c n : Nat} {f : Nat → Nat} (hc : c ≤ C) (hC : 0 < C) (hf : ∀ i, i < n → f i < 2 ^ c) :
    turned C c n (pack C n f) = pack c n fun i => f (n - 1 - i) := by
  unfold turned
  rw [force_eq, force_eq, force_eq, force_eq]
  generalize Nat.sub (Nat.log2 n) 2 = l
  have side : 0 < 2 ^ l := two_pow_pos l
  have enough : n ≤ 2 ^ l * Nat.succ (n / 2 ^ l) := by
    have e := Natural.mod_add_div (B := 2 ^ l) side n
    rw [Nat.mul_succ, Nat.add_comm]
    refine Nat.le_trans (le_of_eq e.symm)
      (Nat.add_le_add (Natural.le_of_lt (Natural.mod_lt side n)) Nat.le.refl)
  have same : Nat.succ (Nat.div n (Nat.pow 2 l)) = Nat.succ (n / 2 ^ l) := rfl
  rw [same]
  generalize Nat.succ (n / 2 ^ l) = count at *
  obtain ⟨k, hk⟩ := Nat.exists_of_le enough
  have hk' : count * 2 ^ l = n + k := by rw [Nat.mul_comm]; exact hk
  have pad : pack C n f = pack C (count * 2 ^ l) (Memory.splice n f fun _ => 0) := by
    rw [hk', Dense.pack_tail_zero (fun i => Memory.splice_new n f _ i)]
    exact pack_congr fun i hi => (Memory.splice_old _ _ hi).symm
  have small : ∀ i, Memory.splice n f (fun _ => 0) i < 2 ^ c := fun i => by
    cases le_or_lt n i with
    | inl h => obtain ⟨j, rfl⟩ := Nat.exists_of_le h; rw [Memory.splice_new]; exact two_pow_pos c
    | inr h => rw [Memory.splice_old _ _ h]; exact hf i h
  have blocks := stack_eq (C := C * 2 ^ l) (c := c * 2 ^ l) (Nat.mul_le_mul hc Nat.le.refl) count
    (fun k => pack c (2 ^ l) fun i => Memory.splice n f (fun _ => 0) (2 ^ l * k + (2 ^ l - 1 - i))) 0
      (fun _ _ => pack_lt fun _ _ => small _)
  rw [Nat.zero_mul, Nat.zero_add, blocks_reversed c (2 ^ l) count (Memory.splice n f fun _ => 0)] at blocks
  have drop : Nat.mul c (Nat.sub (Nat.mul (Nat.pow 2 l) count) n) = c * k := congrArg (fun y => c * y) (by
    show 2 ^ l * count - n = k
    rw [hk, Natural.add_sub_cancel_left])
  rw [drop, pad, turn_eq count l C c _ hc hC fun i _ => small i]
  show Nat.shiftRight (stack (C * 2 ^ l) (c * 2 ^ l) count _ 0) (c * k) = _
  have order : 2 ^ l * count = k + n := by rw [hk, Nat.add_comm]
  rw [blocks, order,
      shift_pack_append (h := fun i => Memory.splice n f (fun _ => 0) (k + n - 1 - i)) (fun i _ => small _)]
  refine pack_congr fun i hi => ?_
  obtain ⟨j, rfl⟩ := Nat.exists_of_le hi
  have e1 : k + (i + 1 + j) - 1 - (k + i) = j := by
    have e : k + (i + 1 + j) - 1 = k + i + j :=
      sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  have e2 : i + 1 + j - 1 - i = j := by
    have e : i + 1 + j - 1 = i + j :=
      sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  show Memory.splice (i + 1 + j) f (fun _ => 0) (k + (i + 1 + j) - 1 - (k + i)) = f (i + 1 + j - 1 - i)
  rw [e1, e2]
  exact Memory.splice_old _ _ (by rw [Natural.add_right_comm]; exact Nat.succ_le_succ (Nat.le_add_left j i))
end Relaxation
end PytestTorchLean
