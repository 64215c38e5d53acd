prelude
import PytestTorchLean.Check.Relaxation.Swap
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

/-! ### The columns of a node -/

/-- The `i`-th of a list of columns' digits. -/
def entry : List Digits → Nat → Digits
  | [], _ => ⟨fun _ => 0, fun _ => 0⟩
  | d :: _, 0 => d
  | _ :: ds, i + 1 => entry ds i
/-- The raised columns one behind the other. -/
def chained (C m offset : Nat) (columns : List Column) : Nat :=
  List.rec (motive := fun _ => Nat) 0
    (fun c _ rest => Nat.add (raisedColumn C m offset c) (Nat.shiftLeft rest (Nat.mul C m))) columns
/-- The first `2^levels` raised columns, put together in halves: no column is moved more than `levels` times.
    `next` is handed them and the columns that follow. -/
def halved (C m offset levels : Nat) : List Column → (Nat → List Column → Nat) → Nat :=
  Nat.rec (motive := fun _ => List Column → (Nat → List Column → Nat) → Nat)
    (fun columns next => List.rec (motive := fun _ => Nat) (next 0 List.nil)
        (fun c rest _ => share (fun x => next x rest) (raisedColumn C m offset c)) columns)
    (fun l half columns next => List.rec (motive := fun _ => Nat) (next 0 List.nil)
      (fun _ _ _ => half columns fun a rest => half rest fun b rest' =>
        share (fun x => next x rest') (Nat.add a (Nat.shiftLeft b (Nat.mul (Nat.mul C m) (Nat.pow 2 l)))))
          columns) levels
/-- The weights of column after column, raised by `offset` so that none is negative; `m` digits of `C` bits
    each. -/
def joined (C m offset : Nat) (columns : List Column) : Nat :=
  halved C m offset 12 columns
    fun x rest => Nat.add x (Nat.shiftLeft (chained C m offset rest) (Nat.mul (Nat.mul C m) (Nat.pow 2 12)))

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
          share (fun x => next x rest')
            (Nat.add a (Nat.shiftLeft b (Nat.mul (Nat.mul C m) (Nat.pow 2 l))))) = _
        rw [a1, b1, share_eq]; rfl
      · have twice : C * m * 2 ^ (l + 1) = C * m * 2 ^ l + C * m * 2 ^ l := by
          rw [Natural.pow_succ, Natural.two_mul, Nat.mul_add]
        rw [a2, b2, twice, Natural.pow_add]
        generalize 2 ^ (C * m * 2 ^ l) = p
        rw [Nat.add_mul, Nat.mul_assoc, Nat.add_assoc]
  theorem joined_chained (C m offset : Nat) (columns : List Column) :
      joined C m offset columns = chained C m offset columns := by
    obtain ⟨x, rest, h1, h2⟩ := halved_eq (C := C) (m := m) (offset := offset) 12 columns
    unfold joined
    rw [h1, h2]; rfl

/-- The raised weight in place `i` of column `k`. -/
def raised (offset : Nat) (ds : List Digits) (k i : Nat) : Nat :=
  (entry ds k).positive i + offset - (entry ds k).negative i

theorem chained_eq {C m bound offset : Nat} (hC : 0 < C) (ho : bound ≤ offset) :
    (cs : List Column) → (ds : List Digits) → Packed C m bound cs ds →
    chained C m offset cs = pack (C * m) cs.length fun k => pack C m (raised offset ds k)
  | [], [], _ => rfl
  | c :: cs, d :: ds, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    have ih := chained_eq hC ho cs ds ht
    show c.positive + offset * ones C m - c.negative + chained C m offset cs * 2 ^ (C * m) =
      pack C m (raised offset (d :: ds) 0) + 2 ^ (C * m) * _
    rw [ih, Nat.mul_comm _ (2 ^ (C * m))]
    refine congrArg (fun y => y + _) ?_
    rw [hp, hn, mul_ones hC, ← pack_add]
    exact (pack_sub fun i hi => Nat.le_trans (hd i hi).2 (Nat.le_trans ho (Nat.le_add_left _ _))).symm
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem joined_eq {C m bound offset : Nat} (hC : 0 < C) (ho : bound ≤ offset) (cs : List Column)
    (ds : List Digits) (h : Packed C m bound cs ds) :
    joined C m offset cs = pack (C * m) cs.length fun k => pack C m (raised offset ds k) :=
  (joined_chained C m offset cs).trans (chained_eq hC ho cs ds h)
theorem raised_le {C m bound offset : Nat} :
    (cs : List Column) → (ds : List Digits) → Packed C m bound cs ds →
    ∀ k, k < cs.length →
      ∀ i, i < m →
        raised offset ds k i ≤ bound + offset ∧
          (entry ds k).positive i ≤ bound ∧
          (entry ds k).negative i ≤ bound
  | [], [], _, k, hk, _, _ => absurd hk (Nat.not_succ_le_zero k)
  | _ :: _, d :: _, h, 0, _, i, hi => by
    obtain ⟨d1, d2⟩ := h.1.2.2 i hi
    exact ⟨Nat.le_trans (Natural.sub_le _ _) (Nat.add_le_add d1 Nat.le.refl), d1, d2⟩
  | _ :: cs, _ :: ds, h, k + 1, hk, i, hi => raised_le cs ds h.2 k (Nat.le_of_succ_le_succ hk) i hi
  | [], _ :: _, h, _, _, _, _ => h.elim
  | _ :: _, [], h, _, _, _, _ => h.elim

/-- Column `k` of `count` turned columns. -/
def turnedColumn (c m count k x : Nat) : Nat :=
  Nat.land (Nat.shiftRight x (Nat.mul (Nat.mul c m) (Nat.sub (Nat.sub count 1) k)))
    (Nat.sub (Nat.pow 2 (Nat.mul c m)) 1)
theorem turnedColumn_eq {C c m count : Nat} {V : Nat → Nat → Nat} (hc : c ≤ C) (hC : 0 < C)
    (hV : ∀ k, k < count → ∀ i, i < m → V k i < 2 ^ c) {k : Nat} (hk : k < count) :
    turnedColumn c m count k (turned C c (m * count) (pack (C * m) count fun k => pack C m (V k))) =
    pack c m fun i => V k (m - 1 - i) := by
  have flatten :
      (pack (C * m) count fun k => pack C m (V k)) = pack C (m * count) fun i => V (i / m) (i % m) := by
    rw [Decode.pack_group]
    refine pack_congr fun k _ => pack_congr fun j hj => ?_
    rw [Nat.add_comm (m * k), add_mul_div k hj, add_mul_mod k hj]
  have small : ∀ i, i < m * count → V (i / m) (i % m) < 2 ^ c := fun i hi => by
    have hm := pos_of_lt_mul hi
    exact hV _ (div_lt hm hi) _ (mod_lt hm i)
  rw [flatten, turned_eq hc hC small, Decode.pack_group]
  have rows : ∀ b, b < count →
    pack c m (fun j => V ((m * count - 1 - (m * b + j)) / m) ((m * count - 1 - (m * b + j)) % m)) =
      pack c m fun j => V (count - 1 - b) (m - 1 - j) := fun b hb => by
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
    have e3 : (j + 1 + u) * (b + 1 + t) - 1 - ((j + 1 + u) * b + j) = u + (j + 1 + u) * t := by
      have e : (j + 1 + u) * (b + 1 + t) - 1 = (j + 1 + u) * b + j + (u + (j + 1 + u) * t) :=
        sub_eq_of_add_eq (by
        rw [Nat.mul_add (j + 1 + u) (b + 1), Nat.mul_succ]
        generalize (j + 1 + u) * b = p
        generalize (j + 1 + u) * t = q
        simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
      rw [e, Natural.add_sub_cancel_left]
    have lt : u < j + 1 + u := by rw [Natural.add_right_comm]; exact Nat.succ_le_succ (Nat.le_add_left u j)
    show V (((j + 1 + u) * (b + 1 + t) - 1 - ((j + 1 + u) * b + j)) / (j + 1 + u)) _ = _
    rw [e1, e2, e3, add_mul_div t lt, add_mul_mod t lt]
  rw [pack_congr rows]
  have inside : count - 1 - k < count :=
    lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq (succ_pred (lt_of_le_of_lt (Nat.zero_le k) hk)))
  have top : count - 1 - (count - 1 - k) = k := by
    obtain ⟨t, rfl⟩ := Nat.exists_of_le hk
    have e : k + 1 + t - 1 = k + t :=
      sub_eq_of_add_eq (by simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
    rw [e, Natural.add_sub_cancel_left, Nat.add_comm, Natural.add_sub_cancel_left]
  have d := digit_pack (b := c * m) (m := count)
    (f := fun b => pack c m fun j => V (count - 1 - b) (m - 1 - j)) (fun b hb => pack_lt fun j hj =>
    hV _ (lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq (succ_pred (lt_of_le_of_lt (Nat.zero_le b) hb)))) _
      (lt_of_le_of_lt (Natural.sub_le _ _) (le_of_eq (succ_pred (lt_of_le_of_lt (Nat.zero_le j) hj))))) inside
  rw [top] at d
  exact (digit_eq _ _ _).trans d
end Relaxation
end PytestTorchLean
