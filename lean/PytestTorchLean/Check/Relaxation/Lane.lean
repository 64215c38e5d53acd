prelude
import PytestTorchLean.Check.Block
import PytestTorchLean.Check.Relaxation.Sweep
/-!
# All columns of a lane at once

Where the first columns of a lane read consecutive slots of the run that the batch goes to, a sweep only
writes their coefficients side by side. Then one product in tiles does the same.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix

theorem total_tally (n : Nat) (f : Nat → Nat) : Matrix.total n f = tally n f := by
  induction n generalizing f with
  | zero => rfl
  | succ n ih => show f 0 + Matrix.total n _ = f 0 + tally n _; rw [ih]

/-! ### What a sweep over consecutive slots does -/

/-- Coefficients of column `k`, `k + 1`, ... in place `place`, `place + 1`, ... -/
def placed (b : Nat) (coefficients : Nat → Nat) : Nat → Nat → Nat → Nat
  | 0, _, _ => 0
  | n + 1, k, place => coefficients k * 2 ^ (b * place) + placed b coefficients n (k + 1) (place + 1)
theorem placed_grid {b w R : Nat} {coefficients : Nat → Nat} : (n k place : Nat) → (t : Nat → Nat → Nat) →
    (∀ i, i < n → coefficients (k + i) = side b w R (t i)) →
    placed b coefficients n k place = grid b w n R (fun r i => t i r) * 2 ^ (b * place)
  | 0, k, place, t, _ => by
    have z : grid b w 0 R (fun r i => t i r) = 0 := grid_zero b w 0 R
    show 0 = _
    rw [z, Nat.zero_mul]
  | n + 1, k, place, t, h => by
    have ih := placed_grid n (k + 1) (place + 1) (fun i => t (i + 1)) (fun i hi => by
      rw [Nat.add_assoc, Nat.add_comm 1]; exact h (i + 1) (Nat.succ_le_succ hi))
    show coefficients k * _ + placed b coefficients n (k + 1) (place + 1) = _
    have first : coefficients k = side b w R (t 0) := h 0 (Nat.succ_le_succ (Nat.zero_le n))
    rw [ih, grid_succ, first, Nat.add_mul, Nat.mul_succ, Natural.pow_add, Nat.mul_assoc, Nat.mul_comm (2 ^ b)]

/-- From its cursor on. -/
theorem sweep_run {s : Scale} {field : Field} {coefficients : Nat → Nat} {direct mirrored memory : Nat}
    {next : Nat → Nat → Nat → Nat → Nat → Bool} :
    (remaining k : Nat) → (sources cursor grid gain loss : Nat) →
    (∀ i, i < remaining → word sources i = field.first + cursor + i) →
    field.first + cursor + remaining ≤ memory → cursor + remaining ≤ field.count →
    sweep s field coefficients direct mirrored memory remaining k sources cursor grid gain loss next =
      next (Nat.shiftRight sources (32 * remaining)) (cursor + remaining)
        (grid + placed field.frame.digit coefficients remaining k cursor) gain loss
  | 0, k, sources, cursor, grid, gain, loss, _, _, _ => by
    have z : Nat.shiftRight sources (32 * 0) = sources := Natural.div_one _
    rw [z]; rfl
  | remaining + 1, k, sources, cursor, grid, gain, loss, hw, hm, hc => by
    have w0 : word sources 0 = field.first + cursor := hw 0 (Nat.succ_le_succ (Nat.zero_le _))
    have c1 : Nat.ble (Nat.succ (field.first + cursor)) memory = true := Nat.ble_eq_true_of_le (Nat.le_trans
      (Nat.add_le_add (Nat.le.refl (n := field.first + cursor)) (Nat.succ_le_succ (Nat.zero_le remaining)))
        hm)
    have c2 : Nat.ble (field.first + cursor) (field.first + cursor) = true :=
      Nat.ble_eq_true_of_le Nat.le.refl
    have c3 : Nat.ble (Nat.succ (field.first + cursor)) (field.first + field.count) = true :=
      Nat.ble_eq_true_of_le (Nat.add_le_add (Nat.le.refl (n := field.first))
        (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := cursor)) (Nat.succ_le_succ (Nat.zero_le remaining)))
          hc))
    have place : field.first + cursor - field.first = cursor := Natural.add_sub_cancel_left _ _
    have shift : Nat.shiftRight (Nat.shiftRight sources 32) (32 * remaining) =
        Nat.shiftRight sources (32 * (remaining + 1)) := by
      show sources / 2 ^ 32 / 2 ^ (32 * remaining) = sources / 2 ^ (32 * (remaining + 1))
      rw [Natural.shift_shift, Nat.mul_succ, Nat.add_comm]
    have ih := sweep_run (s := s) (field := field) (coefficients := coefficients) (direct := direct)
      (mirrored := mirrored) (memory := memory) (next := next)
      remaining (k + 1) (Nat.shiftRight sources 32) (cursor + 1)
        (grid + coefficients k * 2 ^ (field.frame.digit * cursor)) gain loss
      (fun i hi => by
        rw [word_succ, hw (i + 1) (Nat.succ_le_succ hi)]
        simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm])
      (by rw [← Nat.add_assoc, Nat.add_assoc (field.first + cursor), Nat.add_comm 1]; exact hm)
      (by rw [Nat.add_assoc, Nat.add_comm 1]; exact hc)
    have count : cursor + 1 + remaining = cursor + (remaining + 1) := by rw [Nat.add_assoc, Nat.add_comm 1]
    rw [sweep_succ, w0, c1, c2, c3, place]
    refine ih.trans ?_
    rw [shift, count, Nat.add_assoc]
    rfl
/-- From a slot at or behind its cursor on, at least one column. -/
theorem sweep_block {s : Scale} {field : Field} {coefficients : Nat → Nat} {direct mirrored memory : Nat}
    {next : Nat → Nat → Nat → Nat → Nat → Bool} {n k sources cursor place grid gain loss : Nat}
    (hn : 0 < n)
    (hw : ∀ i, i < n → word sources i = field.first + place + i)
    (hp : cursor ≤ place)
    (hm : field.first + place + n ≤ memory)
    (hc : place + n ≤ field.count) :
    sweep s field coefficients direct mirrored memory n k sources cursor grid gain loss next =
    next (Nat.shiftRight sources (32 * n)) (place + n)
      (grid + placed field.frame.digit coefficients n k place) gain loss := by
  have same :
    ∀ c, c ≤ place → sweep s field coefficients direct mirrored memory n k sources c grid gain loss next =
      sweep s field coefficients direct mirrored memory n k sources place grid gain loss next :=
          fun c hc' => by
    cases n with
    | zero => exact absurd hn (Nat.not_succ_le_zero 0)
    | succ n =>
      have w0 : word sources 0 = field.first + place := hw 0 (Nat.succ_le_succ (Nat.zero_le _))
      have c1 : Nat.ble (field.first + c) (field.first + place) = true :=
        Nat.ble_eq_true_of_le (Nat.add_le_add Nat.le.refl hc')
      have c2 : Nat.ble (field.first + place) (field.first + place) = true :=
        Nat.ble_eq_true_of_le Nat.le.refl
      have c3 : Nat.ble (Nat.succ (field.first + place)) (field.first + field.count) = true :=
        Nat.ble_eq_true_of_le (Nat.add_le_add (Nat.le.refl (n := field.first))
          (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := place)) (Nat.succ_le_succ (Nat.zero_le n))) hc))
      rw [sweep_succ, sweep_succ, w0, c1, c2, c3]
      rfl
  rw [same cursor hp]
  exact sweep_run n k sources place grid gain loss hw hm hc

/-- Some columns, then the others. -/
theorem sweep_append {s : Scale} {field : Field} {coefficients : Nat → Nat} {direct mirrored memory m : Nat}
    {next : Nat → Nat → Nat → Nat → Nat → Bool} :
    (n k sources cursor grid gain loss : Nat) →
    sweep s field coefficients direct mirrored memory (n + m) k sources cursor grid gain loss next =
      sweep s field coefficients direct mirrored memory n k sources cursor grid gain loss
        fun sources' cursor' grid' gain' loss' =>
        sweep s field coefficients direct mirrored memory m (k + n) sources' cursor' grid' gain' loss' next
  | 0, k, sources, cursor, grid, gain, loss => by rw [Nat.zero_add]; rfl
  | n + 1, k, sources, cursor, grid, gain, loss => by
    have count : n + 1 + m = n + m + 1 := Natural.add_right_comm n 1 m
    have index : k + (n + 1) = k + 1 + n := by rw [Nat.add_assoc, Nat.add_comm 1]
    rw [count, sweep_succ, sweep_succ, index, sweep_append n (k + 1)]
    have settled : (fun gain' loss' => sweep s field coefficients direct mirrored memory (n + m) (k + 1)
        (Nat.shiftRight sources 32) cursor grid gain' loss' next) =
        fun gain' loss' => sweep s field coefficients direct mirrored memory n (k + 1)
            (Nat.shiftRight sources 32) cursor grid gain' loss' fun sources' cursor' grid' gain' loss' =>
            sweep s field coefficients direct mirrored memory m (k + 1 + n) sources' cursor' grid' gain' loss'
            next :=
      funext fun gain' => funext fun loss' => sweep_append n (k + 1) _ _ _ _ _
    rw [settled]

/-! ### All coefficients of a lane -/

theorem known_enumerated {b c R n count : Nat} {ys : List Nat} :
    (N : Nat) → (v : Nat → Nat) → (D : Nat → Nat → Nat) →
    (∀ u, u < N → dot b c R n count (v u) ys = side b c R (D u) ∧ ∀ r, r < R → D u r < 2 ^ b) →
    Known b c R n count ys (enumerated [] N v) D
  | 0, _, _, _ => trivial
  | N + 1, v, D, h => by
    obtain ⟨h1, h2⟩ := h 0 (Nat.succ_le_succ (Nat.zero_le N))
    exact ⟨h1, h2, known_enumerated N (fun u => v (u + 1)) (fun u => D (u + 1))
        fun u hu => h (u + 1) (Nat.succ_le_succ hu)⟩
theorem enumerated_length : (N : Nat) → (v : Nat → Nat) → (enumerated [] N v).length = N
  | 0, _ => rfl
  | N + 1, v => congrArg Nat.succ (enumerated_length N fun u => v (u + 1))

/-- The rows of the grid `x` times all of the `count` reversed vectors in `turned`; `tiles` of `c` columns
    have room for the `m` columns of `x`. -/
def dotsIn (b w c R levels m tiles count x turned : Nat) : Nat :=
  evaluated (pieces b w c R levels x tiles)
    fun ys => results b w c R levels m tiles ys (cut (Nat.mul b m) count count turned []) 0 0 0
/-- The same with one tile. -/
def dotsBeside (b w c R levels m count x turned : Nat) : Nat :=
  force (fun b => force (fun y => force (fun down => force (fun mask =>
      wider b w c levels
        (Nat.shiftRight (besideUp b mask y (cut (Nat.mul b m) count count turned []) 0) down))
    (Nat.shiftLeft (Nat.mul (Nat.sub (Nat.pow 2 b) 1) (ones (Nat.mul b c) R)) down))
    (Nat.mul b (Nat.sub m 1)))
    (closer b w c levels (piece b w c R x 0))) b
/-- The same, with the fewest steps of the kernel. -/
def dotsOf (b w c R levels m tiles count x turned : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat)
    (both (both (Nat.beq tiles 1) (Nat.ble count c)) (both (Nat.ble 1 m) (Nat.ble m c)))
    (dotsIn b w c R levels m tiles count x turned)
    (dotsBeside b w c R levels m count x turned)
theorem dotsOf_in {b w c R levels m tiles count x turned : Nat} (hb : 0 < b) (hc : 0 < c) (hcw : c ≤ w)
    (hl : R ≤ 2 ^ levels) (hcount : 0 < count) :
    dotsOf b w c R levels m tiles count x turned = dotsIn b w c R levels m tiles count x turned := by
  unfold dotsOf
  cases e : both (both (Nat.beq tiles 1) (Nat.ble count c)) (both (Nat.ble 1 m) (Nat.ble m c)) with
  | false => rfl
  | true =>
    obtain ⟨e1, e2⟩ := both_true e
    obtain ⟨t, few⟩ := both_true e1
    obtain ⟨h1, hm⟩ := both_true e2
    obtain rfl := Nat.eq_of_beq_eq_true t
    show dotsBeside b w c R levels m count x turned = _
    unfold dotsBeside dotsIn
    simp only [force_eq]
    have one : pieces b w c R levels x 1 = [closer b w c levels (piece b w c R x 0)] :=
      pieces_succ b w c R levels x 0
    rw [evaluated_eq, cut_eq (Nat.mul b m) count count turned [] hcount Nat.le.refl, one]
    refine (congrArg (wider b w c levels)
      (besideUp_down b (b * (m - 1)) ((2 ^ b - 1) * ones (b * c) R) _ _)).trans ?_
    exact (beside_eq hb hc hcw hl (Nat.le_of_ble_eq_true h1) (Nat.le_of_ble_eq_true hm) count
      (digit (Nat.mul b m) turned) (fun u _ => digit_lt _ _ _) 0 0 hc
      (by rw [Nat.zero_add]; exact Nat.le_of_ble_eq_true few)).symm

theorem dotsOf_eq {b w c R levels m tiles count a d turned : Nat} {f V : Nat → Nat → Nat}
    (hb : 0 < b)
    (hc : 0 < c)
    (hcw : c ≤ w)
    (hl : R ≤ 2 ^ levels)
    (hm : m ≤ c * tiles)
    (hw : c * tiles ≤ w)
    (hcount : 0 < count)
    (hf : ∀ r, r < R → ∀ j, j < m → f r j ≤ a)
    (hV : ∀ k, k < count → ∀ j, j < m → V k j ≤ d)
    (ha : a < 2 ^ b)
    (hd : d < 2 ^ b)
    (fits : m * (a * d) < 2 ^ b)
    (ht : ∀ u, u < count → digit (b * m) turned u = pack b m fun i => V (count - 1 - u) (m - 1 - i)) :
    dotsOf b w c R levels m tiles count (grid b w m R f) turned =
    grid b w count R fun r k => tally m fun i => f r i * V k i := by
  have inside : ∀ n u, u < n → n - 1 - u < n := fun n u hu =>
    Natural.lt_of_le_of_lt (Natural.sub_le _ _)
      (Natural.le_of_eq (Natural.succ_pred (Natural.lt_of_le_of_lt (Nat.zero_le u) hu)))
  have sums : ∀ r k,
      tally m (fun j => f r (m - 1 - j) * V k (m - 1 - j)) = tally m fun i => f r i * V k i := fun r k =>
    tally_backward m fun i => f r i * V k i
  have bound : ∀ k, k < count → ∀ r, r < R → tally m (fun i => f r i * V k i) < 2 ^ b := fun k hk r hr =>
    Natural.lt_of_le_of_lt (tally_le fun i hi => Nat.mul_le_mul (hf r hr i hi) (hV k hk i hi)) fits
  have known := known_enumerated (b := b) (c := c) (R := R) (n := m) (count := tiles)
    (ys := pieces b w c R levels (grid b w m R f) tiles) count
    (digit (b * m) turned) (fun u r => tally m fun i => f r i * V (count - 1 - u) i) (fun u hu => by
      refine ⟨?_, fun r hr => bound _ (inside count u hu) r hr⟩
      rw [ht u hu, dot_eq (levels := levels) hb hc hl hm hw hf
          (fun j hj => hV _ (inside count u hu) _ (inside m j hj)) ha hd fits]
      refine side_congr fun r _ => ?_
      rw [total_tally]
      exact sums r (count - 1 - u))
  have all := results_eq (levels := levels) (w := w) hb hc hcw hl _ _ known 0 0 (fun _ _ => 0) hc
    (fun _ _ i hi => absurd hi (Nat.not_succ_le_zero i))
  have empty : grid b c 0 R (fun _ _ => 0) = 0 := grid_zero b c 0 R
  have empty' : grid b w 0 R (fun _ _ => 0) = 0 := grid_zero b w 0 R
  rw [empty, empty', enumerated_length, Nat.zero_mul, Nat.zero_add, Nat.zero_mul, Nat.zero_add] at all
  rw [dotsOf_in hb hc hcw hl hcount]
  unfold dotsIn
  rw [evaluated_eq, cut_eq (Nat.mul b m) count count turned [] hcount Nat.le.refl]
  refine all.trans (grid_congr fun r _ k hk => ?_)
  obtain ⟨q, hq⟩ := Nat.exists_of_le hk
  have e1 : count - 1 - k = q := by
    have e : count - 1 = k + q := Natural.sub_eq_of_add_eq (by rw [hq, Nat.succ_add])
    rw [e, Natural.add_sub_cancel_left]
  have e2 : count - 1 - q = k := by
    have e : count - 1 = q + k := Natural.sub_eq_of_add_eq (by rw [hq, Nat.succ_add, Nat.add_comm q])
    rw [e, Natural.add_sub_cancel_left]
  show tally m (fun i => f r i * V (count - 1 - (count - 1 - k)) i) = _
  rw [e1, e2]

end Relaxation
end PytestTorchLean
