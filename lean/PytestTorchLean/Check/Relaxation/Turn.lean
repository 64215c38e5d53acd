prelude
import PytestTorchLean.Check.Relaxation.Times
import PytestTorchLean.Check.Columns
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
  force (fun u => Nat.add (Decode.field C c x u) (Nat.shiftLeft (Decode.low c x u) c)) (ones (Nat.add C C) n)
theorem swapPairs_eq {C c n : Nat} {f g : Nat → Nat} (hc : c ≤ C) (hC : 0 < C) (hf : ∀ i, i < n → f i < 2 ^ c) (hg : ∀ i, i < n → g i < 2 ^ c) :
    swapPairs C c n (pack (C + C) n fun i => f i + 2 ^ C * g i) = pack (C + C) n fun i => g i + 2 ^ c * f i := by
  have le : ∀ {a : Nat}, a < 2 ^ c → a < 2 ^ C := fun h => lt_of_lt_of_le h (two_pow_le hc)
  have small : ∀ i, i < n → f i + 2 ^ C * g i < 2 ^ (C + C) := fun i hi => Memory.halves_lt (le (hf i hi)) (le (hg i hi))
  have pos : 0 < C + C := Nat.le_trans hC (Nat.le_add_left _ _)
  have high : Decode.field C c (pack (C + C) n fun i => f i + 2 ^ C * g i) (ones (C + C) n) = pack (C + C) n g := by
    rw [Decode.field_pack (Nat.add_le_add Nat.le.refl hc) pos small]
    exact pack_congr fun i hi => by rw [add_mul_div _ (le (hf i hi)), mod_eq_self (hg i hi)]
  have low : Decode.low c (pack (C + C) n fun i => f i + 2 ^ C * g i) (ones (C + C) n) = pack (C + C) n f := by
    rw [Decode.low_pack (Nat.le_trans hc (Nat.le_add_left _ _)) pos small]
    refine pack_congr fun i hi => ?_
    obtain ⟨k, rfl⟩ := Nat.exists_of_le hc
    rw [Natural.pow_add, Nat.mul_assoc, add_mul_mod _ (hf i hi)]
  unfold swapPairs
  rw [force_eq]
  show Decode.field C c _ (ones (C + C) n) + Decode.low c _ (ones (C + C) n) * 2 ^ c = _
  rw [high, low, Nat.mul_comm _ (2 ^ c), pack_add, pack_mul]

/-- `2^levels` digits that lie `C` apart become digits of `c` bits in reverse order. -/
def turn (levels : Nat) : Nat → Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat) (fun _ _ x => x)
    (fun l rest C c x => force (fun C' => force (fun c' => force (rest C' c') (swapPairs C c (Nat.pow 2 l) x)) (Nat.add c c)) (Nat.add C C)) levels
theorem turn_succ (l C c x : Nat) : turn (l + 1) C c x = turn l (C + C) (c + c) (swapPairs C c (2 ^ l) x) := by
  show force (fun C' => force (fun c' => force (turn l C' c') (swapPairs C c (Nat.pow 2 l) x)) (Nat.add c c)) (Nat.add C C) = _
  rw [force_eq, force_eq, force_eq]; rfl

theorem turn_eq : (l C c : Nat) → (f : Nat → Nat) → c ≤ C → 0 < C → (∀ i, i < 2 ^ l → f i < 2 ^ c) →
    turn l C c (pack C (2 ^ l) f) = pack c (2 ^ l) fun i => f (2 ^ l - 1 - i)
  | 0, C, c, f, _, _, _ => by
    show f 0 + 2 ^ C * 0 = f 0 + 2 ^ c * 0
    rw [Nat.mul_zero, Nat.mul_zero]
  | l + 1, C, c, f, hc, hC, hf => by
    have twice : 2 ^ (l + 1) = 2 * 2 ^ l := pow_succ 2 l
    have inside : ∀ i, i < 2 ^ l → 2 * i + 1 < 2 ^ (l + 1) := fun i hi => by
      rw [twice]
      have h := Nat.mul_le_mul (Nat.le.refl (n := 2)) hi
      exact h
    have even : ∀ i, i < 2 ^ l → f (2 * i) < 2 ^ c := fun i hi => hf _ (Nat.le_trans (Nat.le_add_right _ 1) (inside i hi))
    have odd : ∀ i, i < 2 ^ l → f (2 * i + 1) < 2 ^ c := fun i hi => hf _ (inside i hi)
    have pairs : pack C (2 ^ (l + 1)) f = pack (C + C) (2 ^ l) fun i => f (2 * i) + 2 ^ C * f (2 * i + 1) := by
      rw [← Vector.pack_pair, twice]
      exact pack_congr fun j _ => (Dense.pair_interleave j f).symm
    rw [turn_succ, pairs, swapPairs_eq hc hC even odd]
    rw [turn_eq l (C + C) (c + c) (fun i => f (2 * i + 1) + 2 ^ c * f (2 * i)) (Nat.add_le_add hc hc) (Nat.le_trans hC (Nat.le_add_left _ _))
      (fun i hi => Memory.halves_lt (odd i hi) (even i hi))]
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
    have g : pack (c + c) (2 ^ l) (fun i => f (2 * (2 ^ l - 1 - i) + 1) + 2 ^ c * f (2 * (2 ^ l - 1 - i))) =
        pack (c + c) (2 ^ l) (fun i => f (2 ^ (l + 1) - 1 - 2 * i) + 2 ^ c * f (2 ^ (l + 1) - 1 - (2 * i + 1))) :=
      pack_congr fun i hi => by rw [(flip i hi).1, (flip i hi).2]
    refine g.trans ?_
    rw [← Vector.pack_pair, twice]
    refine pack_congr fun j _ => ?_
    rw [← twice]
    exact Dense.pair_interleave j (fun i => f (2 ^ (l + 1) - 1 - i))

/-- `n` digits that lie `C` apart, closer together and in reverse order. -/
def turned (C c n x : Nat) : Nat :=
  force (fun levels => Nat.shiftRight (turn levels C c x) (Nat.mul c (Nat.sub (Nat.pow 2 levels) n))) (Nat.succ (Nat.log2 n))
theorem turned_eq {C c n : Nat} {f : Nat → Nat} (hc : c ≤ C) (hC : 0 < C) (hn : n ≤ 2 ^ (Nat.succ (Nat.log2 n))) (hf : ∀ i, i < n → f i < 2 ^ c) :
    turned C c n (pack C n f) = pack c n fun i => f (n - 1 - i) := by
  unfold turned
  rw [force_eq]
  generalize Nat.succ (Nat.log2 n) = l at *
  obtain ⟨k, hk⟩ := Nat.exists_of_le hn
  have pad : pack C n f = pack C (2 ^ l) (Memory.splice n f fun _ => 0) := by
    rw [hk, Dense.pack_tail_zero (fun i => Memory.splice_new n f _ i)]
    exact pack_congr fun i hi => (Memory.splice_old _ _ hi).symm
  have small : ∀ i, i < 2 ^ l → Memory.splice n f (fun _ => 0) i < 2 ^ c := fun i _ => by
    cases le_or_lt n i with
    | inl h => obtain ⟨j, rfl⟩ := Nat.exists_of_le h; rw [Memory.splice_new]; exact two_pow_pos c
    | inr h => rw [Memory.splice_old _ _ h]; exact hf i h
  rw [pad, turn_eq l C c _ hc hC small]
  have drop : Nat.sub (Nat.pow 2 l) n = k := by
    show 2 ^ l - n = k
    rw [hk, Natural.add_sub_cancel_left]
  have drop' : Nat.mul c (Nat.sub (Nat.pow 2 l) n) = c * k := congrArg (fun y => c * y) drop
  rw [drop']
  have order : 2 ^ l = k + n := by rw [hk, Nat.add_comm]
  have last : ∀ i, i < k + n → k + n - 1 - i < k + n := fun i hi =>
    lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq (succ_pred (lt_of_le_of_lt (Nat.zero_le i) hi)))
  rw [order, shift_pack_append (h := fun i => Memory.splice n f (fun _ => 0) (k + n - 1 - i))
    (fun i hi => small _ (by rw [order]; exact last i (Nat.le_trans hi (Nat.le_add_right _ _))))]
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
/-- The weights of column after column, raised by `offset` so that none is negative; `m` digits of `C` bits each. -/
def joined (C m offset : Nat) (columns : List Column) : Nat :=
  List.rec (motive := fun _ => Nat) 0
    (fun c _ rest => Nat.add (Nat.sub (Nat.add c.positive (Nat.mul offset (ones C m))) c.negative) (Nat.shiftLeft rest (Nat.mul C m))) columns

/-- The raised weight in place `i` of column `k`. -/
def raised (offset : Nat) (ds : List Digits) (k i : Nat) : Nat := (entry ds k).positive i + offset - (entry ds k).negative i

theorem joined_eq {C m bound offset : Nat} (hC : 0 < C) (ho : bound ≤ offset) : (cs : List Column) → (ds : List Digits) → Packed C m bound cs ds →
    joined C m offset cs = pack (C * m) cs.length fun k => pack C m (raised offset ds k)
  | [], [], _ => rfl
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    have ih := joined_eq hC ho cs ds ht
    show c.positive + offset * ones C m - c.negative + joined C m offset cs * 2 ^ (C * m) = pack C m (raised offset (d :: ds) 0) + 2 ^ (C * m) * _
    rw [ih, Nat.mul_comm _ (2 ^ (C * m))]
    refine congrArg (fun y => y + _) ?_
    rw [hp, hn, mul_ones hC, ← pack_add]
    exact (pack_sub fun i hi => Nat.le_trans (hd i hi).2 (Nat.le_trans ho (Nat.le_add_left _ _))).symm
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
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
theorem turnedColumn_eq {C c m count : Nat} {V : Nat → Nat → Nat} (hc : c ≤ C) (hC : 0 < C) (hn : m * count ≤ 2 ^ (Nat.succ (Nat.log2 (m * count))))
    (hV : ∀ k, k < count → ∀ i, i < m → V k i < 2 ^ c) {k : Nat} (hk : k < count) :
    turnedColumn c m count k (turned C c (m * count) (pack (C * m) count fun k => pack C m (V k))) = pack c m fun i => V k (m - 1 - i) := by
  have flatten : (pack (C * m) count fun k => pack C m (V k)) = pack C (m * count) fun i => V (i / m) (i % m) := by
    rw [Decode.pack_group]
    refine pack_congr fun k _ => pack_congr fun j hj => ?_
    rw [Nat.add_comm (m * k), add_mul_div k hj, add_mul_mod k hj]
  have small : ∀ i, i < m * count → V (i / m) (i % m) < 2 ^ c := fun i hi => by
    have hm := pos_of_lt_mul hi
    exact hV _ (div_lt hm hi) _ (mod_lt hm i)
  rw [flatten, turned_eq hc hC hn small, Decode.pack_group]
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
