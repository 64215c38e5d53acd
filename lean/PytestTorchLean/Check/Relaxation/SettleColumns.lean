prelude
import PytestTorchLean.Check.Relaxation.RaisedRows
/-!
# Slots that are replaced by their bounds, column after column

Of the columns that do not belong to the run that the rows go on with, each is a slot; its coefficients meet
the bounds of the slot in the memory, and go to the gain and the loss of their rows.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### Slots that are replaced by their bounds -/

theorem form_split (n k : Nat) (p q : Nat → Nat) (x : Nat → K) :
    form (n + k) p q x =
    form n p q x + form k (fun j => p (n + j)) (fun j => q (n + j)) fun j => x (n + j) := by
  induction n generalizing p q x with
  | zero =>
    have e : ∀ {α : Type u} (g : Nat → α),
      (fun j => g (0 + j)) = g := fun g => funext fun j => congrArg g (Nat.zero_add j)
    have e' :
      ∀ g : Nat → Nat, (fun j => g (0 + j)) = g := fun g => funext fun j => congrArg g (Nat.zero_add j)
    rw [Nat.zero_add, e' p, e' q, e x]
    exact (zero_add _).symm
  | succ n ih =>
    have e : ∀ j, n + 1 + j = n + j + 1 := fun j => Natural.add_right_comm n 1 j
    have count : n + 1 + k = n + k + 1 := Natural.add_right_comm n 1 k
    have z : form k (fun j => p (n + 1 + j)) (fun j => q (n + 1 + j)) (fun j => x (n + 1 + j)) =
        form k (fun j => p (n + j + 1)) (fun j => q (n + j + 1)) (fun j => x (n + j + 1)) :=
            Columns.sum_congr fun j _ => by
      show (natural (p (n + 1 + j)) - natural (q (n + 1 + j))) * x (n + 1 + j) = _
      rw [e j]
    rw [count, z]
    have h := ih (fun j => p (j + 1)) (fun j => q (j + 1)) (fun j => x (j + 1))
    show (natural (p 0) - natural (q 0)) * x 0 +
        form (n + k) (fun j => p (j + 1)) (fun j => q (j + 1)) (fun j => x (j + 1)) =
      (natural (p 0) - natural (q 0)) * x 0 +
        form n (fun j => p (j + 1)) (fun j => q (j + 1)) (fun j => x (j + 1)) + _
    rw [h, add_assoc]

/-- The columns from `j` on, `remaining` of them: the slots they belong to are replaced by their bounds. -/
def settleColumns (s : Scale) (frame : Frame)
    (weight direct mirrored memory positive negative remaining : Nat) :
    Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun _ _ gain loss next => next gain loss)
    (fun _ rest j sources gain loss next => force (fun slot => both (Nat.ble (Nat.succ slot) memory)
        (force (fun p => force (fun q => force (fun gain' => force (fun loss' => force
                    (fun sources' => force (fun j' => rest j' sources' gain' loss' next) (Nat.succ j))
                    (Nat.shiftRight sources 32))
                  (Nat.add loss (Nat.mul (Nat.mul weight s.center) (Nat.add p q))))
                (Nat.add gain (Nat.mul weight
                    (Nat.add (Nat.mul (lows s direct slot 1) p) (Nat.mul (lows s mirrored slot 1) q)))))
              (column frame.digit frame.width frame.rows negative j))
            (column frame.digit frame.width frame.rows positive j)))
      (Nat.land sources (Nat.sub (Nat.pow 2 32) 1))) remaining
theorem settleColumns_succ (s : Scale) (frame : Frame)
    (weight direct mirrored memory positive negative remaining j sources gain loss : Nat)
    (next : Nat → Nat → Bool) :
    settleColumns s frame weight direct mirrored memory positive negative (remaining + 1) j sources gain loss
      next = both (Nat.ble (Nat.succ (word sources 0)) memory)
      (settleColumns s frame weight direct mirrored memory positive negative remaining (j + 1)
        (Nat.shiftRight sources 32)
        (gain + weight * (lows s direct (word sources 0) 1 *
                  column frame.digit frame.width frame.rows positive j +
                lows s mirrored (word sources 0) 1 * column frame.digit frame.width frame.rows negative j))
        (loss + weight * s.center * (column frame.digit frame.width frame.rows positive j +
                column frame.digit frame.width frame.rows negative j)) next) := by
  rw [← word_zero]
  unfold settleColumns
  simp only [force_eq]
  rfl

theorem settleColumns_sound {s : Scale} {frame : Frame} {slots goal extra : Nat → K}
    {weight direct mirrored memory n cap : Nat} {p q : Nat → Nat → Nat} {next : Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hb : 0 < frame.digit)
    (hw : n ≤ frame.width)
    (hcap : cap < 2 ^ frame.digit)
    (hp : ∀ r, r < frame.rows → ∀ k, k < n → p r k ≤ cap ∧ q r k ≤ cap) :
    (remaining j : Nat) → j + remaining = n → (sources limit : Nat) →
    (c d : Nat → Nat) →
    (∀ r, r < frame.rows →
        c r ≤ limit ∧
          d r ≤ limit ∧
          natural weight * (form remaining (fun k => p r (j + k)) (fun k => q r (j + k))
                      (fun k => natural s.unit * slots (word sources k)) + extra r) + natural (c r) ≤
            goal r + natural (d r)) →
    settleColumns s frame weight direct mirrored memory (grid frame.digit frame.width n frame.rows p)
        (grid frame.digit frame.width n frame.rows q) remaining j sources
        (side frame.digit frame.width frame.rows c) (side frame.digit frame.width frame.rows d) next = true →
    ∃ c' d' : Nat → Nat, next (side frame.digit frame.width frame.rows c')
          (side frame.digit frame.width frame.rows d') = true ∧
      ∀ r, r < frame.rows →
        c' r ≤ limit + remaining * (weight * (cap * (s.top + s.top))) ∧
          d' r ≤ limit + remaining * (weight * (cap * (s.top + s.top))) ∧
          natural weight * extra r + natural (c' r) ≤ goal r + natural (d' r)
  | 0, j, _, sources, limit, c, d, hr, h => by
    refine ⟨c, d, h, fun r hr' => ?_⟩
    obtain ⟨y1, y2, y3⟩ := hr r hr'
    have z : (form 0 (fun k => p r (j + k)) (fun k => q r (j + k))
            (fun k => natural s.unit * slots (word sources k)) + extra r : K) = extra r := zero_add _
    rw [z] at y3
    rw [Nat.zero_mul]
    exact ⟨y1, y2, y3⟩
  | remaining + 1, j, hj, sources, limit, c, d, hr, h => by
    have here : j < n := by
      rw [← hj]
      exact Nat.add_le_add (Nat.le.refl (n := j)) (Nat.succ_le_succ (Nat.zero_le remaining))
    have hj' : j + 1 + remaining = n := by rw [← hj, Nat.add_assoc, Nat.add_comm 1]
    rw [settleColumns_succ] at h
    obtain ⟨h1, h⟩ := both_true h
    have h1 : word sources 0 < memory := Nat.le_of_ble_eq_true h1
    obtain ⟨l, m, e1, e2, hv⟩ := lows_hold (start := word sources 0) (n := 1) half sf h1 hm
    obtain ⟨v1, v2, v3, v4⟩ := hv 0 Nat.le.refl
    have one : ∀ g : Nat → Nat,
        pack s.stride 1 g = g 0 := fun g => by show g 0 + 2 ^ s.stride * 0 = g 0; rw [Nat.mul_zero]; rfl
    rw [one] at e1 e2
    have c1 : column frame.digit frame.width frame.rows (grid frame.digit frame.width n frame.rows p) j = _ :=
      column_eq hw hb (fun r hr' k hk => Natural.lt_of_le_of_lt (hp r hr' k hk).1 hcap) here
    have c2 : column frame.digit frame.width frame.rows (grid frame.digit frame.width n frame.rows q) j = _ :=
      column_eq hw hb (fun r hr' k hk => Natural.lt_of_le_of_lt (hp r hr' k hk).2 hcap) here
    have g1 : side frame.digit frame.width frame.rows c +
      weight * (l 0 * side frame.digit frame.width frame.rows (fun r => p r j) +
        m 0 * side frame.digit frame.width frame.rows fun r => q r j) =
        side frame.digit frame.width frame.rows fun r => c r + weight * (l 0 * p r j + m 0 * q r j) := by
      rw [side_add, side_mul, side_add, side_mul, side_mul]
    have g2 : side frame.digit frame.width frame.rows d +
      weight * s.center * (side frame.digit frame.width frame.rows (fun r => p r j) +
        side frame.digit frame.width frame.rows fun r => q r j) =
        side frame.digit frame.width frame.rows fun r => d r + weight * s.center * (p r j + q r j) := by
      rw [side_add, side_mul, side_add]
    rw [e1, e2, c1, c2, g1, g2] at h
    have grow : ∀ y : Nat, limit + y + remaining * y = limit + (remaining + 1) * y := fun y => by
      rw [Nat.succ_mul, Nat.add_assoc, Nat.add_comm y]
    obtain ⟨c', d', r1, r2⟩ := settleColumns_sound (goal := goal) (extra := extra) half sf hm hb hw hcap hp
      remaining (j + 1) hj' (Nat.shiftRight sources 32)
      (limit + weight * (cap * (s.top + s.top))) _ _ (fun r hr' => by
        obtain ⟨y1, y2, y3⟩ := hr r hr'
        obtain ⟨a1, a2⟩ := hp r hr' j here
        refine ⟨Nat.add_le_add y1 (Nat.mul_le_mul Nat.le.refl ?_), Nat.add_le_add y2 ?_, ?_⟩
        · rw [Nat.mul_add, Nat.mul_comm cap]
          exact Nat.add_le_add (Nat.mul_le_mul v1 a1) (Nat.mul_le_mul v2 a2)
        · rw [Nat.mul_assoc]
          refine Nat.mul_le_mul Nat.le.refl ?_
          rw [Nat.mul_add, Nat.mul_add, Nat.mul_comm cap]
          have ct : s.center ≤ s.top := Nat.le_add_right _ _
          exact Nat.add_le_add (Nat.mul_le_mul ct a1) (Nat.mul_le_mul ct a2)
        · have k := form_bounds (K := K) (n := 1) (c := s.center) (p := fun _ => p r j) (q := fun _ => q r j)
            (lower := fun _ => l 0) (mirrored := fun _ => m 0)
              (x := fun _ => natural s.unit * slots (word sources 0)) (fun _ _ => ⟨v3, v4⟩)
          have k : natural (p r j * l 0 + q r j * m 0 + 0) ≤
              (natural (p r j) - natural (q r j)) * (natural s.unit * slots (word sources 0)) + 0 +
                (natural (s.center * (p r j + q r j + 0)) : K) := k
          have k := mul_le_left (natural_nonneg (K := K) weight) k
          have e3 : p r j * l 0 + q r j * m 0 + 0 = l 0 * p r j + m 0 * q r j := by
            rw [Nat.mul_comm (l 0), Nat.mul_comm (m 0)]; rfl
          rw [e3, Nat.add_zero, natural_mul s.center, add_zer] at k
          have first : (form (remaining + 1) (fun k => p r (j + k)) (fun k => q r (j + k))
              (fun k => natural s.unit * slots (word sources k)) : K) =
              (natural (p r j) - natural (q r j)) * (natural s.unit * slots (word sources 0)) +
                form remaining (fun k => p r (j + 1 + k)) (fun k => q r (j + 1 + k))
                    (fun k => natural s.unit * slots (word (Nat.shiftRight sources 32) k)) := by
            show (natural (p r (j + 0)) - natural (q r (j + 0))) * _ +
              form remaining (fun k => p r (j + (k + 1))) (fun k => q r (j + (k + 1)))
                (fun k => natural s.unit * slots (word sources (k + 1))) = _
            refine congrArg
              (fun y => (natural (p r j) - natural (q r j)) * (natural s.unit * slots (word sources 0)) + y)
              (Columns.sum_congr fun i _ => ?_)
            have o : j + (i + 1) = j + 1 + i := by rw [Nat.add_assoc, Nat.add_comm 1]
            show (natural (p r (j + (i + 1))) - natural (q r (j + (i + 1)))) *
              (natural s.unit * slots (word sources (i + 1))) = _
            rw [o, ← word_succ]
          rw [first] at y3
          rw [natural_add (c r), natural_add (d r), natural_mul weight, natural_mul (weight * s.center),
              natural_mul weight s.center]
          refine le_cert ?_ (add_nonneg (sub_nonneg k) (sub_nonneg y3))
          generalize (natural (p r j) - natural (q r j)) * (natural s.unit * slots (word sources 0)) = y
          generalize (form remaining (fun k => p r (j + 1 + k)) (fun k => q r (j + 1 + k))
                (fun k => natural s.unit * slots (word (Nat.shiftRight sources 32) k)) : K) = z
          generalize (natural (l 0 * p r j + m 0 * q r j) : K) = a
          generalize (natural (p r j + q r j) : K) = o
          generalize extra r = x
          generalize goal r = v
          have s1 : natural weight * (y + natural s.center * o) - natural weight * a +
            (v + natural (d r) - (natural weight * (y + z + x) + natural (c r))) =
              v + (natural (d r) + natural weight * natural s.center * o) -
                  (natural weight * (z + x) + (natural (c r) + natural weight * a)) := by
            have k1 : natural weight * (y + natural s.center * o) =
                natural weight * y + natural weight * natural s.center * o := by rw [mul_add, mul_assoc]
            have k2 : natural weight * (y + z + x) = natural weight * y + natural weight * (z + x) := by
              rw [add_assoc, mul_add]
            rw [k1, k2]
            exact (ring8 K y o a v d w c z, y + o - a + (v + d - (y + w + c)), v + (d + o) - (w + (c + a))) _
              _ _ _ _ _ _ 0
          exact s1.symm) h
    rw [grow] at r2
    exact ⟨c', d', r1, r2⟩
end Relaxation
end PytestTorchLean
