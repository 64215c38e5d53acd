prelude
import PytestTorchLean.Check.Relaxation.Times
import PytestTorchLean.Check.Columns
import PytestTorchLean.Check.Prepared
/-!
# Closer digits in reverse order

The decoded columns of a node have digits that are wider than back-substitution needs, and a product of
matrices wants them in reverse order. Both are done for many columns at once, in steps that double the groups
that stay together.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open Natural Matrix

/-- Neighbouring digits change places and become digits of `c` bits: pairs of digits that lie `C` apart, `n` of them. -/
def swapPairs (C c n x : Nat) : Nat :=
  share (fun low => Nat.add (Nat.shiftRight (Nat.sub x low) C) (Nat.shiftLeft low c)) (Decode.low c x (ones (Nat.add C C) n))
theorem swapPairs_eq {C c n : Nat} {f g : Nat → Nat} (hc : c ≤ C) (hC : 0 < C) (hf : ∀ i, i < n → f i < 2 ^ c) (hg : ∀ i, i < n → g i < 2 ^ c) :
    swapPairs C c n (pack (C + C) n fun i => f i + 2 ^ C * g i) = pack (C + C) n fun i => g i + 2 ^ c * f i := by
  have le : ∀ {a : Nat}, a < 2 ^ c → a < 2 ^ C := fun h => lt_of_lt_of_le h (two_pow_le hc)
  have small : ∀ i, i < n → f i + 2 ^ C * g i < 2 ^ (C + C) := fun i hi => Memory.halves_lt (le (hf i hi)) (le (hg i hi))
  have pos : 0 < C + C := Nat.le_trans hC (Nat.le_add_left _ _)
  have low : Decode.low c (pack (C + C) n fun i => f i + 2 ^ C * g i) (ones (C + C) n) = pack (C + C) n f := by
    rw [Decode.low_pack (Nat.le_trans hc (Nat.le_add_left _ _)) pos small]
    refine pack_congr fun i hi => ?_
    obtain ⟨k, rfl⟩ := Nat.exists_of_le hc
    rw [Natural.pow_add, Nat.mul_assoc, add_mul_mod _ (hf i hi)]
  have rest : Nat.sub (pack (C + C) n fun i => f i + 2 ^ C * g i) (pack (C + C) n f) = pack (C + C) n fun i => 2 ^ C * g i := by
    refine (pack_sub fun i _ => Nat.le_add_right (f i) (2 ^ C * g i)).symm.trans (pack_congr fun i _ => ?_)
    exact Natural.add_sub_cancel_left _ _
  unfold swapPairs
  rw [share_eq]
  show Nat.shiftRight (Nat.sub _ (Decode.low c _ (ones (C + C) n))) C + Decode.low c _ (ones (C + C) n) * 2 ^ c = _
  rw [low, rest, shift_pack_mul, Nat.mul_comm _ (2 ^ c), pack_add, pack_mul]

/-- Blocks of `2^levels` digits that lie `C` apart, `count` of them: each block's digits get `c` bits and are reversed. -/
def turn (count levels : Nat) : Nat → Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat) (fun _ _ x => x)
    (fun l rest C c x => force (fun C' => force (fun c' => share (rest C' c') (swapPairs C c (Nat.mul count (Nat.pow 2 l)) x)) (Nat.add c c)) (Nat.add C C)) levels
theorem turn_succ (count l C c x : Nat) : turn count (l + 1) C c x = turn count l (C + C) (c + c) (swapPairs C c (count * 2 ^ l) x) := by
  show force (fun C' => force (fun c' => share (turn count l C' c') (swapPairs C c (Nat.mul count (Nat.pow 2 l)) x)) (Nat.add c c)) (Nat.add C C) = _
  rw [force_eq, force_eq, share_eq]; rfl

/-- Reversed pairs of digits, in reverse order, are the reversed digits. -/
theorem pairs_reversed (c l : Nat) (f : Nat → Nat) :
    (pack (c + c) (2 ^ l) fun i => f (2 * (2 ^ l - 1 - i) + 1) + 2 ^ c * f (2 * (2 ^ l - 1 - i))) = pack c (2 ^ (l + 1)) fun i => f (2 ^ (l + 1) - 1 - i) := by
  have twice : 2 ^ (l + 1) = 2 * 2 ^ l := pow_succ 2 l
  have flip : ∀ i, i < 2 ^ l → 2 * (2 ^ l - 1 - i) + 1 = 2 ^ (l + 1) - 1 - 2 * i ∧ 2 * (2 ^ l - 1 - i) = 2 ^ (l + 1) - 1 - (2 * i + 1) := fun i hi => by
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

theorem turn_eq (count : Nat) : (l C c : Nat) → (f : Nat → Nat) → c ≤ C → 0 < C → (∀ i, i < count * 2 ^ l → f i < 2 ^ c) →
    turn count l C c (pack C (count * 2 ^ l) f) = pack (C * 2 ^ l) count fun k => pack c (2 ^ l) fun i => f (2 ^ l * k + (2 ^ l - 1 - i)) := by
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
    have even : ∀ i, i < count * 2 ^ l → f (2 * i) < 2 ^ c := fun i hi => hf _ (Nat.le_trans (Nat.le_add_right _ 1) (inside i hi))
    have odd : ∀ i, i < count * 2 ^ l → f (2 * i + 1) < 2 ^ c := fun i hi => hf _ (inside i hi)
    have pairs : pack C (count * 2 ^ (l + 1)) f = pack (C + C) (count * 2 ^ l) fun i => f (2 * i) + 2 ^ C * f (2 * i + 1) := by
      rw [← Vector.pack_pair, all]
      exact pack_congr fun j _ => (Dense.pair_interleave j f).symm
    rw [turn_succ, pairs, swapPairs_eq hc hC even odd]
    rw [smaller (C + C) (c + c) (fun i => f (2 * i + 1) + 2 ^ c * f (2 * i)) (Nat.add_le_add hc hc) (Nat.le_trans hC (Nat.le_add_left _ _))
      (fun i hi => Memory.halves_lt (odd i hi) (even i hi))]
    have size : (C + C) * 2 ^ l = C * 2 ^ (l + 1) := by rw [twice, ← Natural.two_mul, Nat.mul_assoc, Nat.mul_left_comm]
    rw [size]
    refine pack_congr fun k _ => ?_
    refine Eq.trans (pack_congr fun i _ => ?_) (pairs_reversed c l fun j => f (2 ^ (l + 1) * k + j))
    have e : 2 * (2 ^ l * k + (2 ^ l - 1 - i)) = 2 ^ (l + 1) * k + 2 * (2 ^ l - 1 - i) := by rw [Nat.mul_add, ← Nat.mul_assoc, ← twice]
    show f (2 * _ + 1) + 2 ^ c * f (2 * _) = f (_ + (2 * (2 ^ l - 1 - i) + 1)) + 2 ^ c * f (_ + 2 * (2 ^ l - 1 - i))
    rw [e]; rfl

/-- `count` blocks that lie `C` apart, put before `below` in reverse order, `c` bits each. -/
def stack (C c count : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ above => above)
    (fun _ rest x above => share (fun x' => share (rest x') (Nat.add (Nat.shiftLeft above c) (Nat.land x (Nat.sub (Nat.pow 2 C) 1)))) (Nat.shiftRight x C)) count
theorem stack_eq {C c : Nat} (hc : c ≤ C) : (count : Nat) → (f : Nat → Nat) → (above : Nat) → (∀ k, k < count → f k < 2 ^ c) →
    stack C c count (pack C count f) above = above * 2 ^ (c * count) + pack c count fun k => f (count - 1 - k) := by
  intro count
  induction count with
  | zero =>
    intro _ above _
    show above = above * 2 ^ (c * 0) + 0
    rw [Nat.mul_zero]; exact (Natural.mul_one above).symm
  | succ count smaller =>
    intro f above hf
    have f0 : f 0 < 2 ^ C := lt_of_lt_of_le (hf 0 (Nat.succ_le_succ (Nat.zero_le _))) (two_pow_le hc)
    show share (fun x' => share (stack C c count x') (above * 2 ^ c + Nat.land (pack C (count + 1) f) (2 ^ C - 1))) (Nat.shiftRight (pack C (count + 1) f) C) = _
    rw [share_eq, share_eq, land_pack_succ f0, shift_pack_succ f0, smaller _ _ fun k hk => hf (k + 1) (Nat.succ_le_succ hk),
      pack_append c count 1, Nat.add_mul, Nat.mul_succ, Natural.pow_add, Nat.mul_assoc, Nat.mul_comm (2 ^ (c * count)) (2 ^ c)]
    have top : pack c 1 (fun i => f (count + 1 - 1 - (count + i))) = f 0 := by
      show f (count - (count + 0)) + 2 ^ c * 0 = f 0
      rw [Nat.mul_zero, Nat.add_zero]
      exact congrArg f (Nat.sub_self count)
    have below : (pack c count fun k => f (count - 1 - k + 1)) = pack c count fun k => f (count + 1 - 1 - k) := pack_congr fun k hk => by
      obtain ⟨j, rfl⟩ := Nat.exists_of_le hk
      have e1 : k + 1 + j - 1 - k = j := by
        have e : k + 1 + j - 1 = k + j := sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
        rw [e, Natural.add_sub_cancel_left]
      have e2 : k + 1 + j + 1 - 1 - k = j + 1 := by
        have e : k + 1 + j + 1 - 1 = k + (j + 1) := sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
        rw [e, Natural.add_sub_cancel_left]
      rw [e1, e2]
    rw [top, below, Nat.add_assoc, Nat.add_comm (f 0 * _), Nat.mul_comm (f 0)]

/-- Blocks of `s` digits, each reversed, in reverse order. -/
theorem blocks_reversed (c s count : Nat) (f : Nat → Nat) :
    (pack (c * s) count fun k => pack c s fun i => f (s * (count - 1 - k) + (s - 1 - i))) = pack c (s * count) fun i => f (s * count - 1 - i) := by
  rw [Decode.pack_group]
  refine pack_congr fun b hb => ?_
  obtain ⟨t, rfl⟩ := Nat.exists_of_le hb
  refine pack_congr fun j hj => ?_
  obtain ⟨u, rfl⟩ := Nat.exists_of_le hj
  have e1 : b + 1 + t - 1 - b = t := by
    have e : b + 1 + t - 1 = b + t := sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  have e2 : j + 1 + u - 1 - j = u := by
    have e : j + 1 + u - 1 = j + u := sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  have e3 : (j + 1 + u) * (b + 1 + t) - 1 - ((j + 1 + u) * b + j) = (j + 1 + u) * t + u := by
    have e : (j + 1 + u) * (b + 1 + t) - 1 = (j + 1 + u) * b + j + ((j + 1 + u) * t + u) := sub_eq_of_add_eq (by
      rw [Nat.mul_add (j + 1 + u) (b + 1), Nat.mul_succ]
      generalize (j + 1 + u) * b = p
      generalize (j + 1 + u) * t = q
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  rw [e1, e2, e3]

/-- `n` digits that lie `C` apart, closer together and in reverse order: in blocks of `side` digits, at most eight of
    them. `c` is evaluated first, so that the kernel knows a matrix again that it has turned before. -/
def turned (C c n x : Nat) : Nat :=
  force (fun c => force (fun levels => force (fun side => force (fun count =>
        Nat.shiftRight (stack (Nat.mul C side) (Nat.mul c side) count (turn count levels C c x) 0) (Nat.mul c (Nat.sub (Nat.mul side count) n)))
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
    refine Nat.le_trans (le_of_eq e.symm) (Nat.add_le_add (Natural.le_of_lt (Natural.mod_lt side n)) Nat.le.refl)
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
    (fun k => pack c (2 ^ l) fun i => Memory.splice n f (fun _ => 0) (2 ^ l * k + (2 ^ l - 1 - i))) 0 (fun _ _ => pack_lt fun _ _ => small _)
  rw [Nat.zero_mul, Nat.zero_add, blocks_reversed c (2 ^ l) count (Memory.splice n f fun _ => 0)] at blocks
  have drop : Nat.mul c (Nat.sub (Nat.mul (Nat.pow 2 l) count) n) = c * k := congrArg (fun y => c * y) (by
    show 2 ^ l * count - n = k
    rw [hk, Natural.add_sub_cancel_left])
  rw [drop, pad, turn_eq count l C c _ hc hC fun i _ => small i]
  show Nat.shiftRight (stack (C * 2 ^ l) (c * 2 ^ l) count _ 0) (c * k) = _
  have order : 2 ^ l * count = k + n := by rw [hk, Nat.add_comm]
  rw [blocks, order, shift_pack_append (h := fun i => Memory.splice n f (fun _ => 0) (k + n - 1 - i)) (fun i _ => small _)]
  refine pack_congr fun i hi => ?_
  obtain ⟨j, rfl⟩ := Nat.exists_of_le hi
  have e1 : k + (i + 1 + j) - 1 - (k + i) = j := by
    have e : k + (i + 1 + j) - 1 = k + i + j := sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  have e2 : i + 1 + j - 1 - i = j := by
    have e : i + 1 + j - 1 = i + j := sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left]
  show Memory.splice (i + 1 + j) f (fun _ => 0) (k + (i + 1 + j) - 1 - (k + i)) = f (i + 1 + j - 1 - i)
  rw [e1, e2]
  exact Memory.splice_old _ _ (by rw [Natural.add_right_comm]; exact Nat.succ_le_succ (Nat.le_add_left j i))

/-! ### The columns of a node -/

/-- The `i`-th of a list of columns' digits. -/
def entry : List Digits → Nat → Digits
  | [], _ => ⟨fun _ => 0, fun _ => 0⟩
  | d :: _, 0 => d
  | _ :: ds, i + 1 => entry ds i
/-- The raised columns one behind the other. -/
def chained (C m offset : Nat) (columns : List Column) : Nat :=
  List.rec (motive := fun _ => Nat) 0 (fun c _ rest => Nat.add (raisedColumn C m offset c) (Nat.shiftLeft rest (Nat.mul C m))) columns
/-- The first `2^levels` raised columns, put together in halves: no column is moved more than `levels` times. `next` is handed
    them and the columns that follow. -/
def halved (C m offset levels : Nat) : List Column → (Nat → List Column → Nat) → Nat :=
  Nat.rec (motive := fun _ => List Column → (Nat → List Column → Nat) → Nat)
    (fun columns next => List.rec (motive := fun _ => Nat) (next 0 List.nil) (fun c rest _ => share (fun x => next x rest) (raisedColumn C m offset c)) columns)
    (fun l half columns next => List.rec (motive := fun _ => Nat) (next 0 List.nil)
      (fun _ _ _ => half columns fun a rest => half rest fun b rest' =>
        share (fun x => next x rest') (Nat.add a (Nat.shiftLeft b (Nat.mul (Nat.mul C m) (Nat.pow 2 l))))) columns) levels
/-- The weights of column after column, raised by `offset` so that none is negative; `m` digits of `C` bits each. -/
def joined (C m offset : Nat) (columns : List Column) : Nat :=
  halved C m offset 12 columns fun x rest => Nat.add x (Nat.shiftLeft (chained C m offset rest) (Nat.mul (Nat.mul C m) (Nat.pow 2 12)))

theorem halved_eq {C m offset : Nat} : (levels : Nat) → (columns : List Column) → ∃ x rest,
    (∀ next, halved C m offset levels columns next = next x rest) ∧
      chained C m offset columns = x + chained C m offset rest * 2 ^ (C * m * 2 ^ levels) := by
  intro levels
  induction levels with
  | zero =>
    exact fun
    | [] => ⟨0, [], fun _ => rfl, by show 0 = 0 + 0 * _; rw [Nat.zero_mul]⟩
    | c :: rest => ⟨raisedColumn C m offset c, rest, fun next => by
        show share (fun x => next x rest) (raisedColumn C m offset c) = _
        rw [share_eq], by
        have e : C * m * 2 ^ 0 = C * m := Natural.mul_one _
        rw [e]; rfl⟩
  | succ l smaller =>
    exact fun
    | [] => ⟨0, [], fun _ => rfl, by show 0 = 0 + 0 * _; rw [Nat.zero_mul]⟩
    | c :: rest => by
      obtain ⟨a, later, a1, a2⟩ := smaller (c :: rest)
      obtain ⟨b, last, b1, b2⟩ := smaller later
      refine ⟨a + b * 2 ^ (C * m * 2 ^ l), last, fun next => ?_, ?_⟩
      · show halved C m offset l (c :: rest) (fun a rest => halved C m offset l rest fun b rest' =>
          share (fun x => next x rest') (Nat.add a (Nat.shiftLeft b (Nat.mul (Nat.mul C m) (Nat.pow 2 l))))) = _
        rw [a1, b1, share_eq]; rfl
      · have twice : C * m * 2 ^ (l + 1) = C * m * 2 ^ l + C * m * 2 ^ l := by rw [Natural.pow_succ, Natural.two_mul, Nat.mul_add]
        rw [a2, b2, twice, Natural.pow_add]
        generalize 2 ^ (C * m * 2 ^ l) = p
        rw [Nat.add_mul, Nat.mul_assoc, Nat.add_assoc]
  theorem joined_chained (C m offset : Nat) (columns : List Column) : joined C m offset columns = chained C m offset columns := by
    obtain ⟨x, rest, h1, h2⟩ := halved_eq (C := C) (m := m) (offset := offset) 12 columns
    unfold joined
    rw [h1, h2]; rfl

/-- The raised weight in place `i` of column `k`. -/
def raised (offset : Nat) (ds : List Digits) (k i : Nat) : Nat := (entry ds k).positive i + offset - (entry ds k).negative i

theorem chained_eq {C m bound offset : Nat} (hC : 0 < C) (ho : bound ≤ offset) : (cs : List Column) → (ds : List Digits) → Packed C m bound cs ds →
    chained C m offset cs = pack (C * m) cs.length fun k => pack C m (raised offset ds k)
  | [], [], _ => rfl
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    have ih := chained_eq hC ho cs ds ht
    show c.positive + offset * ones C m - c.negative + chained C m offset cs * 2 ^ (C * m) = pack C m (raised offset (d :: ds) 0) + 2 ^ (C * m) * _
    rw [ih, Nat.mul_comm _ (2 ^ (C * m))]
    refine congrArg (fun y => y + _) ?_
    rw [hp, hn, mul_ones hC, ← pack_add]
    exact (pack_sub fun i hi => Nat.le_trans (hd i hi).2 (Nat.le_trans ho (Nat.le_add_left _ _))).symm
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem joined_eq {C m bound offset : Nat} (hC : 0 < C) (ho : bound ≤ offset) (cs : List Column) (ds : List Digits) (h : Packed C m bound cs ds) :
    joined C m offset cs = pack (C * m) cs.length fun k => pack C m (raised offset ds k) :=
  (joined_chained C m offset cs).trans (chained_eq hC ho cs ds h)
theorem raised_le {C m bound offset : Nat} : (cs : List Column) → (ds : List Digits) → Packed C m bound cs ds →
    ∀ k, k < cs.length → ∀ i, i < m → raised offset ds k i ≤ bound + offset ∧ (entry ds k).positive i ≤ bound ∧ (entry ds k).negative i ≤ bound
  | [], [], _, k, hk, _, _ => absurd hk (Nat.not_succ_le_zero k)
  | _ :: _, d :: _, h, 0, _, i, hi => by
    obtain ⟨d1, d2⟩ := h.1.2.2 i hi
    exact ⟨Nat.le_trans (Natural.sub_le _ _) (Nat.add_le_add d1 Nat.le.refl), d1, d2⟩
  | _ :: cs, _ :: ds, h, k + 1, hk, i, hi => raised_le cs ds h.2 k (Nat.le_of_succ_le_succ hk) i hi
  | [], _ :: _, h, _, _, _, _ => h.elim
  | _ :: _, [], h, _, _, _, _ => h.elim

/-- Column `k` of `count` turned columns. -/
def turnedColumn (c m count k x : Nat) : Nat :=
  Nat.land (Nat.shiftRight x (Nat.mul (Nat.mul c m) (Nat.sub (Nat.sub count 1) k))) (Nat.sub (Nat.pow 2 (Nat.mul c m)) 1)
theorem turnedColumn_eq {C c m count : Nat} {V : Nat → Nat → Nat} (hc : c ≤ C) (hC : 0 < C)
    (hV : ∀ k, k < count → ∀ i, i < m → V k i < 2 ^ c) {k : Nat} (hk : k < count) :
    turnedColumn c m count k (turned C c (m * count) (pack (C * m) count fun k => pack C m (V k))) = pack c m fun i => V k (m - 1 - i) := by
  have flatten : (pack (C * m) count fun k => pack C m (V k)) = pack C (m * count) fun i => V (i / m) (i % m) := by
    rw [Decode.pack_group]
    refine pack_congr fun k _ => pack_congr fun j hj => ?_
    rw [Nat.add_comm (m * k), add_mul_div k hj, add_mul_mod k hj]
  have small : ∀ i, i < m * count → V (i / m) (i % m) < 2 ^ c := fun i hi => by
    have hm := pos_of_lt_mul hi
    exact hV _ (div_lt hm hi) _ (mod_lt hm i)
  rw [flatten, turned_eq hc hC small, Decode.pack_group]
  have rows : ∀ b, b < count → pack c m (fun j => V ((m * count - 1 - (m * b + j)) / m) ((m * count - 1 - (m * b + j)) % m)) =
      pack c m fun j => V (count - 1 - b) (m - 1 - j) := fun b hb => by
    obtain ⟨t, rfl⟩ := Nat.exists_of_le hb
    refine pack_congr fun j hj => ?_
    obtain ⟨u, rfl⟩ := Nat.exists_of_le hj
    have e1 : b + 1 + t - 1 - b = t := by
      have e : b + 1 + t - 1 = b + t := sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
      rw [e, Natural.add_sub_cancel_left]
    have e2 : j + 1 + u - 1 - j = u := by
      have e : j + 1 + u - 1 = j + u := sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
      rw [e, Natural.add_sub_cancel_left]
    have e3 : (j + 1 + u) * (b + 1 + t) - 1 - ((j + 1 + u) * b + j) = u + (j + 1 + u) * t := by
      have e : (j + 1 + u) * (b + 1 + t) - 1 = (j + 1 + u) * b + j + (u + (j + 1 + u) * t) := sub_eq_of_add_eq (by
        rw [Nat.mul_add (j + 1 + u) (b + 1), Nat.mul_succ]
        generalize (j + 1 + u) * b = p
        generalize (j + 1 + u) * t = q
        simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
      rw [e, Natural.add_sub_cancel_left]
    have lt : u < j + 1 + u := by rw [Natural.add_right_comm]; exact Nat.succ_le_succ (Nat.le_add_left u j)
    show V (((j + 1 + u) * (b + 1 + t) - 1 - ((j + 1 + u) * b + j)) / (j + 1 + u)) _ = _
    rw [e1, e2, e3, add_mul_div t lt, add_mul_mod t lt]
  rw [pack_congr rows]
  have inside : count - 1 - k < count := lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq (succ_pred (lt_of_le_of_lt (Nat.zero_le k) hk)))
  have top : count - 1 - (count - 1 - k) = k := by
    obtain ⟨t, rfl⟩ := Nat.exists_of_le hk
    have e : k + 1 + t - 1 = k + t := sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left, Nat.add_comm, Natural.add_sub_cancel_left]
  have d := digit_pack (b := c * m) (m := count) (f := fun b => pack c m fun j => V (count - 1 - b) (m - 1 - j)) (fun b hb => pack_lt fun j hj =>
    hV _ (lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq (succ_pred (lt_of_le_of_lt (Nat.zero_le b) hb)))) _
      (lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq (succ_pred (lt_of_le_of_lt (Nat.zero_le j) hj))))) inside
  rw [top] at d
  exact (digit_eq _ _ _).trans d

end Relaxation
end PytestTorchLean
