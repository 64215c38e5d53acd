prelude
import PytestTorchLean.Check.Relaxation.Settle
/-!
# Column after column of an affine node

Each column of a node's weights belongs to a slot that the node reads. All rows of the batch times the column
give the coefficients of that slot. Where the slot lies in the run that the batch goes to, they are written in
its place; where not (the constant 1 of a bias, say), the slot's bounds take its place at once.

`x` holds the positive coefficients of all rows and behind them the negative ones, so that one product serves
both. The weights are raised by an offset to be natural; `base` undoes it.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- The columns of a group from the one with `remaining` behind and including it. `coefficients k` are those
    of column `k`. -/
def sweep (s : Scale) (field : Field) (coefficients : Nat → Nat) (direct mirrored memory : Nat)
    (remaining : Nat) : Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Nat → Bool) → Bool)
    (fun _ sources cursor grid gain loss next => next sources cursor grid gain loss)
    (fun _ rest k sources cursor grid gain loss next =>
        force (fun slot => force (fun sources' => force (fun k' =>
          both (Nat.ble (Nat.succ slot) memory)
            (Bool.casesOn (motive := fun _ => Bool)
              (both (Nat.ble (Nat.add field.first cursor) slot)
                  (Nat.ble (Nat.succ slot) (Nat.add field.first field.count)))
              (settle s field direct mirrored slot (coefficients k) gain loss
                  fun gain' loss' => rest k' sources' cursor grid gain' loss' next)
              (force (fun place => force (fun cursor' =>
                  rest k' sources' cursor'
                    (Nat.add grid (Nat.mul (coefficients k) (Nat.pow 2 (Nat.mul field.frame.digit place))))
                    gain loss next)
                (Nat.succ place)) (Nat.sub slot field.first))))
        (Nat.succ k)) (Nat.shiftRight sources 32)) (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))) remaining

theorem sweep_succ (s : Scale) (field : Field) (coefficients : Nat → Nat)
    (direct mirrored memory remaining k sources cursor grid gain loss : Nat)
    (next : Nat → Nat → Nat → Nat → Nat → Bool) :
    sweep s field coefficients direct mirrored memory (remaining + 1) k sources cursor grid gain loss next =
    both (Nat.ble (Nat.succ (word sources 0)) memory)
      (Bool.casesOn (motive := fun _ => Bool)
        (both (Nat.ble (field.first + cursor) (word sources 0))
          (Nat.ble (Nat.succ (word sources 0)) (field.first + field.count)))
        (settle s field direct mirrored (word sources 0) (coefficients k) gain loss
          fun gain' loss' => sweep s field coefficients direct mirrored memory remaining (k + 1)
          (Nat.shiftRight sources 32) cursor grid gain' loss' next)
        (sweep s field coefficients direct mirrored memory remaining (k + 1) (Nat.shiftRight sources 32)
          (word sources 0 - field.first + 1)
          (grid + coefficients k * 2 ^ (field.frame.digit * (word sources 0 - field.first))) gain loss
          next)) := by
  rw [← word_zero]
  unfold sweep
  simp only [force_eq]
  rfl

/-- What the columns still ahead contribute to row `r`. -/
def ahead (s : Scale) (slots : Nat → K) (t : Nat → Nat → Nat) (R r : Nat) : Nat → Nat → (Nat → Nat) → K
  | 0, _, _ => 0
  | n + 1, k, source => (natural (t k r) - natural (t k (R + r))) * (natural s.unit * slots (source 0)) +
      ahead s slots t R r n (k + 1) fun i => source (i + 1)

/-- The state of a sweep: the coefficients written so far and the constants. -/
def Swept (s : Scale) (field : Field) (slots : Nat → K) (goal extra : Nat → K)
    (base step limit cursor grid gain loss : Nat) (A : Nat → Nat → Nat) (c d : Nat → Nat) : Prop :=
  grid = Matrix.grid field.frame.digit field.frame.width field.count (field.frame.rows + field.frame.rows) A ∧
  gain = side field.frame.digit field.frame.width field.frame.rows c ∧
    loss = side field.frame.digit field.frame.width field.frame.rows d ∧
  (∀ r, r < field.frame.rows + field.frame.rows → ∀ j, A r j ≤ base + step ∧ (cursor ≤ j → A r j ≤ base)) ∧
  ∀ r, r < field.frame.rows → c r ≤ limit ∧ d r ≤ limit ∧
    natural field.weight *
          (form field.count (A r) (A (field.frame.rows + r)) (values s slots field.first) + extra r) +
        natural (c r) ≤ goal r + natural (d r)

theorem sweep_sound {s : Scale} {field : Field} {slots : Nat → K} {goal : Nat → K} {coefficients : Nat → Nat}
    {t : Nat → Nat → Nat} {total base step direct mirrored memory : Nat}
    {next : Nat → Nat → Nat → Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hb : 0 < field.frame.digit)
    (hw : 0 < field.frame.width)
    (hstep : step < 2 ^ (field.frame.digit - 1))
    (ht : ∀ k, k < total →
      coefficients k = side field.frame.digit field.frame.width (field.frame.rows + field.frame.rows) (t k) ∧
        ∀ r, r < field.frame.rows + field.frame.rows → t k r ≤ step) :
    (remaining k : Nat) → k + remaining = total → (sources cursor grid gain loss limit : Nat) →
    (A : Nat → Nat → Nat) → (c d : Nat → Nat) → (extra : Nat → K) →
    Swept s field slots goal
      (fun r => ahead s slots t field.frame.rows r remaining k (word sources) + extra r) base step limit
      cursor grid gain loss A c d →
    sweep s field coefficients direct mirrored memory remaining k sources cursor grid gain loss next = true →
    ∃ cursor' grid' gain' loss' A' c' d', Swept s field slots goal extra base step
        (limit + remaining * (field.weight * (step * (s.top + s.top)))) cursor' grid' gain' loss' A' c' d' ∧
      next (Nat.shiftRight sources (32 * remaining)) cursor' grid' gain' loss' = true := by
  intro remaining
  induction remaining with
  | zero =>
    intro k _ sources cursor grid gain loss limit A c d extra hx h
    refine ⟨cursor, grid, gain, loss, A, c, d, ?_, ?_⟩
    · obtain ⟨x1, x2, x3, x4, x5⟩ := hx
      refine ⟨x1, x2, x3, x4, fun r hr => ?_⟩
      obtain ⟨y1, y2, y3⟩ := x5 r hr
      have z : (ahead s slots t field.frame.rows r 0 k (word sources) + extra r : K) = extra r := zero_add _
      have y3 : natural field.weight * (form field.count (A r) (A (field.frame.rows + r))
                  (values s slots field.first) +
                (ahead s slots t field.frame.rows r 0 k (word sources) + extra r)) + natural (c r) ≤
        goal r + natural (d r) := y3
      rw [z] at y3
      rw [Nat.zero_mul]
      exact ⟨y1, y2, y3⟩
    · have z : Nat.shiftRight sources (32 * 0) = sources := Natural.div_one _
      rw [z]; exact h
  | succ remaining smaller =>
    intro k hk sources cursor grid gain loss limit A c d extra hx h
    have here : k < total := by
      rw [← hk]
      exact Nat.add_le_add (Nat.le.refl (n := k)) (Nat.succ_le_succ (Nat.zero_le remaining))
    have hk' : k + 1 + remaining = total := by rw [← hk, Nat.add_assoc, Nat.add_comm 1]
    obtain ⟨t1, t2⟩ := ht k here
    have later : (fun i => word sources (i + 1)) = word (Nat.shiftRight sources 32) :=
      funext fun i => (word_succ sources i).symm
    have shift : Nat.shiftRight (Nat.shiftRight sources 32) (32 * remaining) =
        Nat.shiftRight sources (32 * (remaining + 1)) := by
      show sources / 2 ^ 32 / 2 ^ (32 * remaining) = sources / 2 ^ (32 * (remaining + 1))
      rw [Natural.shift_shift, Nat.mul_succ, Nat.add_comm]
    have grow : ∀ y : Nat, limit + y + remaining * y = limit + (remaining + 1) * y := fun y => by
      rw [Nat.succ_mul, Nat.add_assoc, Nat.add_comm y]
    obtain ⟨x1, x2, x3, x4, x5⟩ := hx
    have step_eq : ∀ r, (ahead s slots t field.frame.rows r (remaining + 1) k (word sources) + extra r : K) =
        (natural (t k r) - natural (t k (field.frame.rows + r))) * (natural s.unit * slots (word sources 0)) +
          (ahead s slots t field.frame.rows r remaining (k + 1) (word (Nat.shiftRight sources 32)) + extra r)
              := fun r => by
      rw [← later, ← add_assoc]; rfl
    rw [sweep_succ] at h
    obtain ⟨h1, h⟩ := both_true h
    have h1 : word sources 0 < memory := Nat.le_of_ble_eq_true h1
    cases e : both (Nat.ble (field.first + cursor) (word sources 0))
        (Nat.ble (Nat.succ (word sources 0)) (field.first + field.count)) with
    | false =>
      rw [e, t1] at h
      obtain ⟨c', d', h, hr⟩ := settle_sound half sf hm h1 hb hw t2 hstep x2 x3 h
      have inv : Swept s field slots goal
        (fun r =>
          ahead s slots t field.frame.rows r remaining (k + 1) (word (Nat.shiftRight sources 32)) + extra r)
        base step
          (limit + field.weight * (step * (s.top + s.top))) cursor grid
            (side field.frame.digit field.frame.width field.frame.rows c')
          (side field.frame.digit field.frame.width field.frame.rows d') A c' d' := by
        refine ⟨x1, rfl, rfl, x4, fun r hr' => ?_⟩
        obtain ⟨y1, y2, y3⟩ := x5 r hr'
        obtain ⟨z1, z2, z3⟩ := hr r hr'
        refine ⟨Nat.le_trans z1 (Nat.add_le_add y1 Nat.le.refl),
            Nat.le_trans z2 (Nat.add_le_add y2 Nat.le.refl), ?_⟩
        have y3 : natural field.weight * (form field.count (A r) (A (field.frame.rows + r))
                    (values s slots field.first) +
                  (ahead s slots t field.frame.rows r (remaining + 1) k (word sources) + extra r)) +
            natural (c r) ≤ goal r + natural (d r) := y3
        rw [step_eq, mul_add, mul_add] at y3
        show natural field.weight * (_ + _) + _ ≤ _
        rw [mul_add]
        refine le_cert ?_ (add_nonneg (sub_nonneg y3) (sub_nonneg z3))
        exact
          (ring8 K f y v g c d p q, g + q - (f + v + p), g + d - (f + (y + v) + c) + (y + c + q - (p + d))) _
          _ _ _ _ _ _ _
      obtain ⟨cursor', grid', gain', loss', A', c'', d'', r1, r2⟩ :=
        smaller (k + 1) hk' _ _ _ _ _ _ _ _ _ _ inv h
      rw [grow] at r1
      rw [shift] at r2
      exact ⟨cursor', grid', gain', loss', A', c'', d'', r1, r2⟩
    | true =>
      rw [e] at h
      obtain ⟨e1, e2⟩ := both_true e
      have e1 : field.first + cursor ≤ word sources 0 := Nat.le_of_ble_eq_true e1
      have e2 : word sources 0 < field.first + field.count := Nat.le_of_ble_eq_true e2
      obtain ⟨z, hz⟩ := Nat.exists_of_le e1
      have place : word sources 0 - field.first = cursor + z := by
        rw [hz, Nat.add_assoc, Natural.add_sub_cancel_left]
      have inside : cursor + z < field.count := by
        rw [hz, Nat.add_assoc] at e2
        exact Memory.lt_of_add_lt e2
      rw [t1, place, x1] at h
      have h : sweep s field coefficients direct mirrored memory remaining (k + 1) (Nat.shiftRight sources 32)
          (cursor + z + 1) (Matrix.grid field.frame.digit field.frame.width field.count
              (field.frame.rows + field.frame.rows) A + side field.frame.digit field.frame.width
                (field.frame.rows + field.frame.rows) (t k) * 2 ^ (field.frame.digit * (cursor + z))) gain
          loss next = true := h
      rw [grid_place inside] at h
      have inv : Swept s field slots goal
        (fun r =>
          ahead s slots t field.frame.rows r remaining (k + 1) (word (Nat.shiftRight sources 32)) + extra r)
        base step
          (limit + field.weight * (step * (s.top + s.top))) (cursor + z + 1)
          (Matrix.grid field.frame.digit field.frame.width field.count (field.frame.rows + field.frame.rows)
              fun r j => A r j + t k r * indicator (cursor + z) j)
          gain loss (fun r j => A r j + t k r * indicator (cursor + z) j) c d := by
        refine ⟨rfl, x2, x3, fun r hr' j => ?_, fun r hr' => ?_⟩
        · obtain ⟨b1, b2⟩ := x4 r hr' j
          cases q : Nat.beq (cursor + z) j with
          | true =>
            have q := Nat.eq_of_beq_eq_true q
            subst q
            refine ⟨?_, fun g => absurd g (Natural.lt_irreflexive _)⟩
            have one : indicator (cursor + z) (cursor + z) = 1 := by unfold indicator; rw [Nat.beq_refl]; rfl
            show A r (cursor + z) + t k r * indicator (cursor + z) (cursor + z) ≤ base + step
            rw [one, Natural.mul_one]
            exact Nat.add_le_add (b2 (Nat.le_add_right _ _)) (t2 r hr')
          | false =>
            have none : indicator (cursor + z) j = 0 := by unfold indicator; rw [q]; rfl
            show A r j + t k r * indicator (cursor + z) j ≤ base + step ∧
              (_ → A r j + t k r * indicator (cursor + z) j ≤ base)
            rw [none, Nat.mul_zero, Nat.add_zero]
            exact ⟨b1, fun g =>
                b2 (Nat.le_trans (Nat.le_trans (Nat.le_add_right cursor z) (Nat.le_add_right _ 1)) g)⟩
        · obtain ⟨y1, y2, y3⟩ := x5 r hr'
          refine ⟨Nat.le_trans y1 (Nat.le_add_right _ _), Nat.le_trans y2 (Nat.le_add_right _ _), ?_⟩
          have y3 : natural field.weight * (form field.count (A r) (A (field.frame.rows + r))
                      (values s slots field.first) +
                    (ahead s slots t field.frame.rows r (remaining + 1) k (word sources) + extra r)) +
              natural (c r) ≤ goal r + natural (d r) := y3
          rw [step_eq] at y3
          have f := form_add (K := K) field.count (A r) (A (field.frame.rows + r))
            (fun j => t k r * indicator (cursor + z) j)
            (fun j => t k (field.frame.rows + r) * indicator (cursor + z) j) (values s slots field.first)
          rw [form_indicator _ _ field.count (cursor + z) _ inside] at f
          have slot :
              (values s slots field.first (cursor + z) : K) = natural s.unit * slots (word sources 0) := by
            unfold values
            rw [hz, Nat.add_assoc]
          rw [slot] at f
          show natural field.weight * (form field.count (fun j => A r j + t k r * indicator (cursor + z) j)
            (fun j => A (field.frame.rows + r) j + t k (field.frame.rows + r) * indicator (cursor + z) j)
                  (values s slots field.first) + _) + _ ≤ _
          rw [f, add_assoc]
          exact y3
      obtain ⟨cursor', grid', gain', loss', A', c'', d'', r1, r2⟩ :=
        smaller (k + 1) hk' _ _ _ _ _ _ _ _ _ _ inv h
      rw [grow] at r1
      rw [shift] at r2
      exact ⟨cursor', grid', gain', loss', A', c'', d'', r1, r2⟩
end Relaxation
end PytestTorchLean
