prelude
import PytestTorchLean.Check.Compose
/-!
# Clauses by weights

If a sum of the rows of a clause, each times a natural number, is positive, one of the rows is. So a clause
need not be shown by one row throughout: `x > 1 or y > 1` follows from `x + y - 2 > 0`, and a property under a
linear condition on the inputs, which is the clause `r > 0 or -g > 0`, from `r - n * g > 0`. The sum is formed
from the rows' weights, where what cancels is lost, and then bounded.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Weighted
open Compose

/-- The sum of the list. -/
def total (own : List Nat) : Nat := List.rec (motive := fun _ => Nat) 0 (fun n _ rest => Nat.add n rest) own
/-- No number of the list has more than `bits` bits. -/
def small (bits : Nat) (own : List Nat) : Bool :=
  List.rec (motive := fun _ => Bool) true (fun n _ rest => both (Nat.ble n (Nat.pow 2 bits)) rest) own

/-- The next row's number, that of the list or 0, and those behind it. Not in line: a program evaluates cases
    in what `Nat.rec` is given before it chooses, and would go on twice in every row that is skipped. -/
@[noinline] def first (rest : List Nat → List Column) (own : List Nat) : List Column :=
  List.rec (motive := fun _ => List Column) (⟨0, 0⟩ :: rest []) (fun n later _ => ⟨n, 0⟩ :: rest later) own
/-- One number for each of the `rows` rows: those of the list from row `skip` on, 0 elsewhere. -/
def window (rows : Nat) : Nat → List Nat → List Column :=
  Nat.rec (motive := fun _ => Nat → List Nat → List Column) (fun _ _ => [])
    (fun _ rest skip own => Nat.rec (motive := fun _ => List Column) (first (rest 0) own)
      (fun skip' _ => ⟨0, 0⟩ :: rest skip' own) skip) rows

/-! ### What a window weighs -/

/-- `n` as the weight of the only row of a form. -/
def digits (n : Nat) : Digits := ⟨fun _ => n, fun _ => 0⟩
/-- `sum_k own_k * h k` -/
def weigh : List Nat → (Nat → K) → K
  | [], _ => 0
  | n :: own, h => natural n * h 0 + weigh own (fun k => h (k + 1))

theorem window_packed {b bits : Nat} :
    (rows skip : Nat) → (own : List Nat) → small bits own = true →
    skip + own.length ≤ rows →
    ∃ es, Packed b 1 (2 ^ bits) (window rows skip own) es ∧
      (window rows skip own).length = rows ∧
      ∀ h : Nat → K, blend es h 0 = weigh own (fun k => h (skip + k)) := by
  intro rows
  induction rows with
  | zero =>
    exact fun
    | 0, [], _, _ => ⟨[], trivial, rfl, fun _ => rfl⟩
    | 0, _ :: _, _, hl => absurd (by rw [Nat.zero_add] at hl; exact hl) (Nat.not_succ_le_zero _)
    | skip + 1, _, _, hl => absurd (Nat.le_trans (Nat.le_add_right (skip + 1) _) hl) (Nat.not_succ_le_zero _)
  | succ rows smaller =>
    exact fun
    | 0, [], hs, _ => by
      obtain ⟨es, e1, e2, e3⟩ := smaller 0 [] hs (Nat.zero_le _)
      refine ⟨digits 0 :: es, ⟨⟨rfl, rfl, fun _ _ => ⟨Nat.zero_le _, Nat.zero_le _⟩⟩, e1⟩,
          congrArg Nat.succ e2, fun h => ?_⟩
      show (natural 0 - natural 0) * h 0 + blend es (fun k => h (k + 1)) 0 = 0
      rw [e3]
      show (0 - 0) * h 0 + 0 = (0 : K)
      exact (ring1 K x, (0 - 0) * x + 0, 0) (h 0)
    | 0, n :: own, hs, hl => by
      obtain ⟨s1, s2⟩ := both_true hs
      rw [Nat.zero_add] at hl
      obtain ⟨es, e1, e2, e3⟩ := smaller 0 own s2 (by rw [Nat.zero_add]; exact Nat.le_of_succ_le_succ hl)
      refine ⟨digits n :: es, ⟨⟨rfl, rfl, fun _ _ => ⟨Nat.le_of_ble_eq_true s1, Nat.zero_le _⟩⟩, e1⟩,
          congrArg Nat.succ e2, fun h => ?_⟩
      show (natural n - natural 0) * h 0 + blend es (fun k => h (k + 1)) 0 =
        natural n * h (0 + 0) + weigh own (fun k => h (0 + (k + 1)))
      rw [e3]
      have shift :
          (fun k => h (0 + k + 1)) = fun k => h (0 + (k + 1)) := funext fun k => by rw [Nat.add_assoc]
      rw [shift]
      exact (ring3 K n x y, (n - 0) * x + y, n * x + y) (natural n) (h 0) _
    | skip + 1, own, hs, hl => by
      have hl : skip + own.length ≤ rows := by rw [Nat.succ_add] at hl; exact Nat.le_of_succ_le_succ hl
      obtain ⟨es, e1, e2, e3⟩ := smaller skip own hs hl
      refine ⟨digits 0 :: es, ⟨⟨rfl, rfl, fun _ _ => ⟨Nat.zero_le _, Nat.zero_le _⟩⟩, e1⟩,
          congrArg Nat.succ e2, fun h => ?_⟩
      show (natural 0 - natural 0) * h 0 + blend es (fun k => h (k + 1)) 0 =
        weigh own (fun k => h (skip + 1 + k))
      rw [e3]
      have shift :
          (fun k => h (skip + k + 1)) = fun k => h (skip + 1 + k) := funext fun k => by rw [Nat.succ_add]
      rw [shift]
      show (0 - 0) * h 0 + weigh own (fun k => h (skip + 1 + k)) = _
      exact (ring2 K x y, (0 - 0) * x + y, y) (h 0) _

/-- The largest of the values is at least the weighted mean. -/
theorem weigh_best : (n : Nat) → (own : List Nat) → (h : Nat → K) →
    ∃ k, k < own.length + 1 ∧ weigh (n :: own) h ≤ natural (total (n :: own)) * h k
  | n, [], h => ⟨0, Nat.le.refl, by
    show natural n * h 0 + 0 ≤ natural (n + 0) * h 0
    rw [Nat.add_zero, add_zer]; exact le_refl _⟩
  | n, m :: own, h => by
    obtain ⟨k, k1, k2⟩ := weigh_best m own (fun k => h (k + 1))
    have t : total (n :: m :: own) = n + total (m :: own) := rfl
    have w : weigh (n :: m :: own) h = natural n * h 0 + weigh (m :: own) (fun k => h (k + 1)) := rfl
    rw [t, w, natural_add]
    generalize weigh (m :: own) (fun k => h (k + 1)) = v at *
    generalize total (m :: own) = r at *
    cases le_total (h 0) (h (k + 1)) with
    | inl g =>
      refine ⟨k + 1, Nat.succ_le_succ k1, ?_⟩
      rw [add_mul]
      exact add_le_add (mul_le_left (natural_nonneg n) g) k2
    | inr g =>
      refine ⟨0, Nat.succ_le_succ (Nat.zero_le _), ?_⟩
      rw [add_mul]
      exact add_le_add (le_refl _) (le_trans k2 (mul_le_left (natural_nonneg r) g))

theorem signed_le {strict : Bool} {x y : K} (h : Signed strict x) (g : x ≤ y) : Signed strict y := by
  cases strict with
  | true => exact fun k => h (le_trans g k)
  | false => exact le_trans h g

/-- A weighted sum with the sign has a row with it. -/
theorem signed_row {strict : Bool} {own : List Nat} {h : Nat → K} (hn : 0 < total own)
    (hs : Signed strict (weigh own h)) :
    ∃ k, k < own.length ∧ Signed strict (h k) := by
  cases own with
  | nil => exact absurd hn (Nat.not_succ_le_zero 0)
  | cons n own =>
    obtain ⟨k, k1, k2⟩ := weigh_best n own h
    exact ⟨k, k1, signed_of_mul hn (signed_le hs k2)⟩

/-! ### The decision -/

/-- The conditions on the numbers. -/
def fits (s : Scale) (p : Property) (d : Decoding) (bits size count : Nat) : Bool :=
  both (Nat.beq p.forms.positions 1)
    (both (Nat.ble (s.half + s.half) (32 * p.forms.lanes))
      (both (Nat.ble (size + 1) (32 * p.forms.lanes))
        (both (Nat.ble (d.bits + 1) (32 * p.forms.lanes))
          (both (Nat.ble (p.forms.rows * (2 ^ d.bits * 2 ^ bits + 2 ^ d.bits * 2 ^ bits) + 1) (2 ^ size))
            (both (Nat.ble (Linear.reach s (2 ^ size) p.forms.columns + 1) (2 ^ s.half))
              (wordsBelow count p.forms.columns p.forms.sources))))))

/-- One clause, whose first row is `skip`, by the weights of its rows. -/
def clause (s : Scale) (p : Property) (bits size direct mirrored : Nat) (columns : List Column)
    (own : List Nat) (skip : Nat) : Bool :=
  both (both (Nat.ble 1 (total own)) (small bits own))
    (both (both (Nat.ble own.length p.alternatives) (Nat.ble (skip + own.length) p.forms.rows))
      (force (fun bounds => force (fun mass => rowPositive s p.strict bounds mass)
          (s.center * Linear.masses (Compose.columns (32 * p.forms.lanes) (32 * p.forms.lanes) 1 size
                (window p.forms.rows skip own) columns)))
        (Linear.accumulate s.stride direct mirrored
          (Compose.columns (32 * p.forms.lanes) (32 * p.forms.lanes) 1 size (window p.forms.rows skip own)
            columns) p.forms.sources)))

/-- Clause after clause, until no row is left. -/
def clauses (s : Scale) (p : Property) (bits size direct mirrored : Nat) (columns : List Column)
    (weights : List (List Nat)) : Nat → Bool :=
  List.rec (motive := fun _ => Nat → Bool) (fun skip => Nat.ble p.forms.rows skip)
    (fun own _ rest skip => both (clause s p bits size direct mirrored columns own skip)
      (force rest (Nat.add skip p.alternatives))) weights

/-- The property from the bounds of all `count` slots; `weights` has a list for each clause. -/
def run [Prepared] (s : Scale) (p : Property) (d : Decoding) (bits size : Nat) (weights : List (List Nat))
    (direct mirrored count : Nat) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => both (fits s p d bits size count)
        (clauses s p bits size direct mirrored (Columns.flatten lanes) weights 0))
    (Prepared.columns p.forms d)

theorem clause_sound {s : Scale} {slots : Nat → K} {p : Property} {d : Decoding}
    {bits size direct mirrored count skip : Nat} {columns : List Column} {ds : List Digits} {own : List Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hp : Packed (32 * p.forms.lanes) p.forms.rows (2 ^ d.bits) columns ds)
    (hlen : columns.length = p.forms.columns)
    (hf : fits s p d bits size count = true)
    (h : clause s p bits size direct mirrored columns own skip = true) :
    ∃ k, k < p.alternatives ∧
      skip + k < p.forms.rows ∧
      Signed p.strict (Linear.combination slots ds (word p.forms.sources) (skip + k)) := by
  obtain ⟨_, hf⟩ := both_true hf
  obtain ⟨g1, hf⟩ := both_true hf
  obtain ⟨g2, hf⟩ := both_true hf
  obtain ⟨g3, hf⟩ := both_true hf
  obtain ⟨g4, hf⟩ := both_true hf
  obtain ⟨g5, g6⟩ := both_true hf
  obtain ⟨h1, h⟩ := both_true h
  obtain ⟨h1, h2⟩ := both_true h1
  obtain ⟨h3, h⟩ := both_true h
  obtain ⟨h3, h4⟩ := both_true h3
  rw [force_eq, force_eq] at h
  have h3 := Nat.le_of_ble_eq_true h3
  have h4 := Nat.le_of_ble_eq_true h4
  obtain ⟨es, e1, e2, e3⟩ := window_packed (K := K) (b := 32 * p.forms.lanes) p.forms.rows skip own h2 h4
  have limit_lt : 2 ^ d.bits < 2 ^ (32 * p.forms.lanes) :=
    Nat.le_trans
      (Natural.mul_lt_mul_left (a := 1) (b := 2) (Natural.two_pow_pos d.bits) Nat.le.refl |> fun t => by
      rw [Natural.mul_one] at t; exact t) (Natural.two_pow_le (j := d.bits + 1) (Nat.le_of_ble_eq_true g3))
  have packed := columns_packed (Nat.le_of_ble_eq_true g2) e1 limit_lt
    (by rw [e2]; exact Nat.le_of_ble_eq_true g4) columns ds (by rw [e2]; exact hp)
  have len : (Compose.columns (32 * p.forms.lanes) (32 * p.forms.lanes) 1 size (window p.forms.rows skip own)
          columns).length = p.forms.columns := by
    rw [columns_length, hlen]
  obtain ⟨lo, hi, a1, a2, q⟩ := Linear.apply_columns (slots := slots) sf hm packed
    (sources := p.forms.sources) (by rw [len]; exact wordsBelow_sound count _ _ g6)
    (by rw [len]; exact Nat.le_of_ble_eq_true g5)
  have one : ∀ (b : Nat) (f : Nat → Nat), pack b 1 f = f 0 := fun _ _ => rfl
  rw [a1, a2, one, one] at h
  obtain ⟨q1, _, _, _, q5, _⟩ := q 0 Nat.le.refl
  have sg := signed_of_bracket (K := K) sf.unit q5 (rowPositive_sound q1 h)
  rw [composed_combination, e3] at sg
  obtain ⟨k, k1, k2⟩ := signed_row (Nat.le_of_ble_eq_true h1) sg
  exact ⟨k, Nat.le_trans k1 h3, Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := skip)) k1) h4, k2⟩

theorem clauses_sound {s : Scale} {slots : Nat → K} {p : Property} {d : Decoding}
    {bits size direct mirrored count : Nat} {columns : List Column} {ds : List Digits}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hp : Packed (32 * p.forms.lanes) p.forms.rows (2 ^ d.bits) columns ds)
    (hlen : columns.length = p.forms.columns)
    (hf : fits s p d bits size count = true) :
    (weights : List (List Nat)) → (skip : Nat) →
    clauses s p bits size direct mirrored columns weights skip = true →
    ∀ c, skip + c * p.alternatives < p.forms.rows →
      ∃ k, k < p.alternatives ∧
        skip + c * p.alternatives + k < p.forms.rows ∧
        Signed p.strict (Linear.combination slots ds (word p.forms.sources) (skip + c * p.alternatives + k))
  | [], skip, h, c, hc =>
    absurd (Nat.le_trans (Nat.le_of_ble_eq_true h) (Nat.le_add_right skip _)) (Nat.not_le_of_lt hc)
  | own :: weights, skip, h, c, hc => by
    obtain ⟨h1, h2⟩ := both_true h
    have h2 : clauses s p bits size direct mirrored columns weights (skip + p.alternatives) = true := by
      rw [force_eq] at h2
      exact h2
    cases c with
    | zero =>
      rw [Nat.zero_mul, Nat.add_zero]
      exact clause_sound sf hm hp hlen hf h1
    | succ c =>
      have e : skip + (c + 1) * p.alternatives = skip + p.alternatives + c * p.alternatives := by
        rw [Nat.succ_mul, Nat.add_comm (c * p.alternatives), Nat.add_assoc]
      rw [e] at hc ⊢
      exact clauses_sound sf hm hp hlen hf weights (skip + p.alternatives) h2 c hc

/-- If of each clause a sum of its rows, each times a natural number, is positive, one of the rows is, so the
    property holds. -/
theorem run_sound [Prepared] {s : Scale} {slots : Nat → K} {p : Property} {d : Decoding} {bits size : Nat}
    {weights : List (List Nat)} {direct mirrored count : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (h : run s p d bits size weights direct mirrored count = true) :
    p.Holds slots := by
  unfold run at h
  rw [Prepared.columns_eq] at h
  cases hd : decode p.forms d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
    rw [hd] at h
    obtain ⟨hf, h⟩ := both_true h
    obtain ⟨hlen, ds, hp, hform⟩ := Columns.decoded (K := K) (decode_sound hd)
    have found := clauses_sound sf hm hp hlen hf weights 0 h
    intro c hc
    obtain ⟨k, k1, k2, k3⟩ := found c (by rw [Nat.zero_add]; exact hc)
    rw [Nat.zero_add] at k2 k3
    refine ⟨k, k1, k2, ?_⟩
    have m := signed_mul (Natural.two_pow_pos (d.base - 1)) k3
    have f := hform slots 0 _ k2
    have e : (fun k => word p.forms.sources (p.forms.columns * 0 + k)) = word p.forms.sources :=
        funext fun k => by
      show word p.forms.sources (0 + k) = _; rw [Nat.zero_add]
    rw [e] at f
    rw [f] at m
    exact m
end Weighted
end PytestTorchLean
