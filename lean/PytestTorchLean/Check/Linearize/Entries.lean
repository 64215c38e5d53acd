prelude
import PytestTorchLean.Check.Relaxation.Turn
import PytestTorchLean.Check.Relaxation.Multiply
/-!
# Rows that are stated entry by entry

A certificate states the rows of a matrix twice: as weights, packed like a model's, and row by row as pairs of
a column and a weight, which is the order in which they are checked. That both say the same is one comparison:
the entries are added up where they belong, next to how many there are, since each is raised so that none is
negative.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Linearize
open OrderedRing Matrix Relaxation
variable {K : Type u} [OrderedRing K]

/-- Entries of `m` rows and `n` columns: `total` holds their raised weights, column after column in digits of
    `C` bits, `marks` how many there are; `rows i` is what row `i` makes of them. None is above `2 * offset`,
    and there are at most `bound`. -/
def Entered (C m n offset : Nat) (values : Nat → K) (bound total marks : Nat) (rows : Nat → K) : Prop :=
  ∃ weights counts : Nat → Nat → Nat, total = grid C m m n weights ∧ marks = grid C m m n counts ∧
    (∀ j, j < n → ∀ i, i < m → weights j i ≤ bound * (offset + offset) ∧ counts j i ≤ bound) ∧
    ∀ i, i < m →
      sum n (fun j => (natural (weights j i) - natural offset * natural (counts j i)) * values j) = rows i

theorem entered_none (C m n offset : Nat) (values : Nat → K) :
    Entered C m n offset values 0 0 0 fun _ => 0 := by
  refine ⟨fun _ _ => 0, fun _ _ => 0, (grid_zero C m m n).symm, (grid_zero C m m n).symm,
      fun _ _ _ _ => ⟨Nat.zero_le _, Nat.zero_le _⟩, fun i _ => ?_⟩
  rw [← sum_zero (K := K) n]
  refine Columns.sum_congr fun j _ => ?_
  have zero : (natural 0 : K) = 0 := rfl
  rw [zero]
  exact (ring2 K o v, (0 - o * 0) * v, 0) _ _

/-- One digit of a grid. -/
theorem grid_entry {C m n i j : Nat} (r : Nat) (hi : i < m) (hj : j < n) :
    grid C m m n (fun j' i' => r * indicator j j' * indicator i i') = r * 2 ^ (C * (i + m * j)) := by
  have e := side_mul_pack C m m n (fun j' => r * indicator j j') (indicator i)
  rw [← e, pack_indicator C i m hi]
  show pack (C * m) n (fun j' => r * indicator j j') * _ = _
  rw [pack_mul, pack_indicator (C * m) j n hj, Nat.mul_assoc, ← Natural.pow_add, Nat.mul_add, Nat.mul_assoc,
      Nat.add_comm]

theorem sum_indicator (c : K) (values : Nat → K) :
    (n j : Nat) → j < n → sum n (fun j' => c * natural (indicator j j') * values j') = c * values j
  | 0, _, h => absurd h (Nat.not_succ_le_zero _)
  | n + 1, 0, _ => by
    have rest : sum n (fun j' => c * natural (indicator 0 (j' + 1)) * values (j' + 1)) = 0 := by
      rw [← sum_zero (K := K) n]
      refine Columns.sum_congr fun j' _ => ?_
      show c * (0 : K) * _ = 0
      exact (ring2 K c v, c * 0 * v, 0) _ _
    show c * natural 1 * values 0 + sum n _ = _
    have one : (natural 1 : K) = 1 := rfl
    rw [rest, one, mul_on, add_zer]
  | n + 1, j + 1, h => by
    have ih := sum_indicator c (fun j' => values (j' + 1)) n j (Nat.le_of_succ_le_succ h)
    show c * (0 : K) * values 0 + sum n (fun j' => c * natural (indicator j j') * values (j' + 1)) = _
    rw [ih]
    exact (ring3 K c v w, c * 0 * v + c * w, c * w) _ _ _

/-- A row with one more entry. -/
def entered (rows : Nat → K) (i : Nat) (x : K) (i' : Nat) : K := rows i' + x * natural (indicator i i')
theorem entered_here (rows : Nat → K) (i : Nat) (x : K) : entered rows i x i = rows i + x := by
  unfold entered
  rw [Multiplier.indicator_self]
  have one : (natural 1 : K) = 1 := rfl
  rw [one, mul_on]
theorem entered_other (rows : Nat → K) {i i' : Nat} (x : K) (h : Nat.beq i i' = false) :
    entered rows i x i' = rows i' := by
  unfold entered
  have zero : (natural 0 : K) = 0 := rfl
  rw [Multiplier.indicator_other h, zero, mul_zero, add_zer]

theorem entered_more {C m n offset bound total marks i j r : Nat} {values rows : Nat → K} (hi : i < m)
    (hj : j < n) (hr : r ≤ offset + offset) (h : Entered C m n offset values bound total marks rows) :
    Entered C m n offset values (bound + 1) (total + r * 2 ^ (C * (i + m * j)))
    (marks + 2 ^ (C * (i + m * j))) (entered rows i ((natural r - natural offset) * values j)) := by
  obtain ⟨weights, counts, rfl, rfl, small, hv⟩ := h
  have one : 2 ^ (C * (i + m * j)) =
      grid C m m n fun j' i' => 1 * indicator j j' * indicator i i' := by rw [grid_entry 1 hi hj, Nat.one_mul]
  have many : r * 2 ^ (C * (i + m * j)) =
    grid C m m n fun j' i' => r * indicator j j' * indicator i i' := (grid_entry r hi hj).symm
  refine ⟨fun j' i' => weights j' i' + r * indicator j j' * indicator i i',
      fun j' i' => counts j' i' + 1 * indicator j j' * indicator i i', ?_, ?_, ?_, fun i' hi' => ?_⟩
  · rw [many, grid_add]
  · rw [grid_add, ← one]
  · intro j' hj' i' hi'
    obtain ⟨s1, s2⟩ := small j' hj' i' hi'
    have at_most : ∀ c : Nat, c * indicator j j' * indicator i i' ≤ c := fun c => by
      have a := Nat.mul_le_mul (Nat.mul_le_mul (Nat.le.refl (n := c)) (Multiplier.indicator_le j j'))
        (Multiplier.indicator_le i i')
      rw [Natural.mul_one, Natural.mul_one] at a
      exact a
    refine ⟨?_, Nat.add_le_add s2 (at_most 1)⟩
    rw [Nat.succ_mul]
    exact Nat.add_le_add s1 (Nat.le_trans (at_most r) hr)
  · show sum n (fun j' => (natural (weights j' i' + r * indicator j j' * indicator i i') -
              natural offset * natural (counts j' i' + 1 * indicator j j' * indicator i i')) * values j') =
      rows i' + (natural r - natural offset) * values j * natural (indicator i i')
    rw [← hv i' hi']
    have more := sum_indicator ((natural r - natural offset) * natural (indicator i i') : K) values n j hj
    have e : (natural r - natural offset) * values j * natural (indicator i i') =
        (natural r - natural offset) * natural (indicator i i') * values j :=
      (ring3 K a v b, a * v * b, a * b * v) _ _ _
    rw [e, ← more, ← sum_add]
    refine Columns.sum_congr fun j' _ => ?_
    rw [natural_add, natural_add, Nat.one_mul, natural_mul (r * _), natural_mul r,
        natural_mul (indicator j j')]
    exact
      (ring8 K w r a b o c v z, (w + r * a * b - o * (c + a * b)) * v, (w - o * c) * v + (r - o) * b * a * v)
      _ _ _ _ _ _ _ 0

theorem combination_sum (slots : Nat → K) (i : Nat) :
    (ds : List Digits) → (source : Nat → Nat) →
    Linear.combination slots ds source i =
      sum ds.length
        fun k => (natural ((entry ds k).positive i) - natural ((entry ds k).negative i)) * slots (source k)
  | [], _ => rfl
  | d :: ds, source => by
    show _ + Linear.combination slots ds (fun k => source (k + 1)) i = _ + sum ds.length _
    rw [combination_sum slots i ds fun k => source (k + 1)]
    rfl

/-- **The entries are the matrix.** Where the raised weights and the entries agree, the rows are what the
    entries say. -/
theorem entered_all {C m n offset bound total marks : Nat} {slots rows : Nat → K} {source : Nat → Nat}
    {cs : List Column} {ds : List Digits}
    (hC : 0 < C)
    (hp : Packed C m offset cs ds)
    (hn : cs.length = n)
    (room : (bound + 2) * (offset + offset) < 2 ^ C)
    (h : Entered C m n offset (fun k => slots (source k)) bound total marks rows)
    (same : Relaxation.joined C m offset cs + offset * marks = total + offset * ones C (m * n)) :
    ∀ i, i < m → Linear.combination slots ds source i = rows i := by
  obtain ⟨weights, counts, rfl, rfl, small, hv⟩ := h
  have length : ds.length = n := by rw [← Columns.packed_length cs ds hp, hn]
  have raisedSmall := raised_le (offset := offset) cs ds hp
  rw [hn] at raisedSmall
  have everywhere : offset * ones C (m * n) = grid C m m n fun _ _ => offset := by
    rw [ones_eq hC, ← pack_mul]
    have e : grid C m m n (fun _ _ => offset) =
      pack C (m * n) fun _ => offset := (Decode.pack_group C m n fun _ => offset).symm
    rw [e]
    exact pack_congr fun _ _ => Natural.mul_one _
  rw [joined_eq hC Nat.le.refl cs ds hp, hn, everywhere] at same
  have same : grid C m m n (raised offset ds) + offset * grid C m m n counts =
    grid C m m n weights + grid C m m n (fun _ _ => offset) := same
  rw [← grid_mul, ← grid_add, ← grid_add] at same
  have two : offset ≤ offset + offset := Nat.le_add_right _ _
  have fit1 :
      ∀ j, j < n → ∀ i, i < m → raised offset ds j i + offset * counts j i < 2 ^ C := fun j hj i hi => by
    refine Natural.lt_of_le_of_lt ?_ room
    rw [Nat.add_mul, Nat.add_comm]
    refine Nat.add_le_add ?_ ?_
    · rw [Nat.mul_comm]; exact Nat.mul_le_mul (small j hj i hi).2 two
    · refine Nat.le_trans (raisedSmall j hj i hi).1 ?_
      rw [Natural.two_mul]; exact Nat.le_add_right _ _
  have fit2 : ∀ j, j < n → ∀ i, i < m → weights j i + offset < 2 ^ C := fun j hj i hi => by
    refine Natural.lt_of_le_of_lt ?_ room
    rw [Nat.add_mul]
    refine Nat.add_le_add (small j hj i hi).1 ?_
    rw [Natural.two_mul]
    exact Nat.le_trans two (Nat.le_add_right _ _)
  intro i hi
  rw [combination_sum, length, ← hv i hi]
  refine Columns.sum_congr fun j hj => ?_
  have column := pack_injective (b := C * m) (fun j hj => row_lt Nat.le.refl (fit1 j hj))
    (fun j hj => row_lt Nat.le.refl (fit2 j hj)) same j hj
  have digit := pack_injective (b := C) (fit1 j hj) (fit2 j hj) column i hi
  have digit : raised offset ds j i + offset * counts j i = weights j i + offset := digit
  have le : (entry ds j).negative i ≤ (entry ds j).positive i + offset :=
    Nat.le_trans (raisedSmall j hj i hi).2.2 (Nat.le_add_left _ _)
  have e : (natural (raised offset ds j i + offset * counts j i) : K) = natural (weights j i + offset) :=
    congrArg _ digit
  unfold raised at e
  rw [natural_add, natural_add, natural_mul, Linear.natural_sub le, natural_add] at e
  have e : natural ((entry ds j).positive i) - natural ((entry ds j).negative i) =
      natural (weights j i) - natural offset * (natural (counts j i) : K) := by
    have a : natural ((entry ds j).positive i) - natural ((entry ds j).negative i) =
        natural ((entry ds j).positive i) + natural offset - natural ((entry ds j).negative i) +
            natural offset * natural (counts j i) - natural offset -
            natural offset * (natural (counts j i) : K) :=
      (ring4 K p q o c, p - q, p + o - q + o * c - o - o * c) _ _ _ _
    rw [a, e]
    exact (ring3 K w o c, w + o - o - o * c, w - o * c) _ _ _
  rw [e]

/-! ### Reading the entries -/

/-- The next entry, which must be of the given slot: its column, a word, and its raised weight, two words. -/
def enter (C m n twice sources row slot entries total marks : Nat) (next : Nat → Nat → Nat → Nat → Bool) :
    Bool :=
  force (fun column => force (fun weight =>
      both (both (Nat.ble (Nat.succ column) n) (both (Nat.ble weight twice)
          (Nat.beq (Nat.land (Nat.shiftRight sources (Nat.mul 32 column)) (Nat.sub (Nat.pow 2 32) 1)) slot)))
        (force (fun place => force (fun total' => force
                (fun marks' => force (next weight total' marks') (Nat.shiftRight entries 96))
                (Nat.add marks place)) (Nat.add total (Nat.mul weight place)))
            (Nat.pow 2 (Nat.mul C (Nat.add row (Nat.mul m column))))))
    (Nat.land (Nat.shiftRight entries 32) (Nat.sub (Nat.pow 2 64) 1)))
    (Nat.land entries (Nat.sub (Nat.pow 2 32) 1))

/-- Row `row` has become larger by `x`, and no other. -/
def Grown (before : Nat → K) (row : Nat) (x : K) (after : Nat → K) : Prop :=
  after row = before row + x ∧ ∀ i, Nat.beq row i = false → after i = before i
theorem Grown.more {before after last : Nat → K} {row : Nat} {x y : K} (h : Grown before row x after)
    (g : Grown after row y last) :
    Grown before row (x + y) last :=
  ⟨by rw [g.1, h.1, add_assoc], fun i hi => (g.2 i hi).trans (h.2 i hi)⟩
theorem grown_none (before : Nat → K) (row : Nat) : Grown before row 0 before :=
  ⟨(add_zer _).symm, fun _ _ => rfl⟩

theorem enter_sound {C m n offset bound sources row slot entries total marks : Nat} {slots rows : Nat → K}
    {next : Nat → Nat → Nat → Nat → Bool}
    (hi : row < m)
    (h : Entered C m n offset (fun k => slots (word sources k)) bound total marks rows)
    (g : enter C m n (offset + offset) sources row slot entries total marks next = true) :
    ∃ weight total' marks' entries' rows', weight ≤ offset + offset ∧
      Entered C m n offset (fun k => slots (word sources k)) (bound + 1) total' marks' rows' ∧
      Grown rows row ((natural weight - natural offset) * slots slot) rows' ∧
      next weight total' marks' entries' = true := by
  unfold enter at g
  simp only [force_eq] at g
  obtain ⟨c, g⟩ := both_true g
  obtain ⟨c1, c⟩ := both_true c
  obtain ⟨c2, c3⟩ := both_true c
  have c2 := Nat.le_of_ble_eq_true c2
  have c3 := Nat.eq_of_beq_eq_true c3
  generalize Nat.land entries (Nat.sub (Nat.pow 2 32) 1) = column at *
  have e : word sources column = slot := (land_low (Nat.shiftRight sources (32 * column)) 32).symm.trans c3
  have more := entered_more hi (Nat.le_of_ble_eq_true c1) c2 h
  rw [e] at more
  exact ⟨_, _, _, _, _, c2, more, ⟨entered_here _ _ _, fun i hi => entered_other _ _ hi⟩, g⟩

end Linearize
end PytestTorchLean
