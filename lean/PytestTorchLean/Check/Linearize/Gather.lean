prelude
import PytestTorchLean.Check.Linearize.Entries
import PytestTorchLean.Check.Linearize.Sheet
import PytestTorchLean.Check.Rules
/-!
# The products of a row, gathered

For each product of a sum, the plane's coefficients are entered in the row and how far the product can be
from the plane is added up.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Linearize
open Bilinear
variable {K : Type u} [OrderedRing K]

/-! ### The products of a row -/

/-- Enter the factors of `terms` products into row `row`, and add the bounds of what the products are beyond
    the row. -/
def gather (s : Scale) (C m n twice plus sources row direct count : Nat) (terms : Nat) :
    Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec
    (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Nat → Nat → Nat → Bool) → Bool)
    (fun here entries low high total marks next => next here entries low high total marks)
    (fun _ rest here entries low high total marks next => force (fun first => force (fun second =>
        both (both (Nat.ble (Nat.succ first) count) (Nat.ble (Nat.succ second) count))
          (enter C m n twice sources row first entries total marks fun slope total' marks' entries' =>
            enter C m n twice sources row second entries' total' marks'
                fun slope' total'' marks'' entries'' =>
              force
                (fun x => force (fun z => force (fun l => force (fun u => force (fun l' => force (fun u' =>
                  piece plus 0 s.unit s.center s.top twice (Nat.beq first second) slope slope' l u l' u'
                      fun low' high' =>
                    force (fun here' => force (fun low'' => force
                          (fun high'' => rest here' entries'' low'' high'' total'' marks'' next)
                          (Nat.add high high')) (Nat.add low low')) (Nat.shiftRight here 64))
                (Nat.shiftRight z s.half)) (Nat.land z (Nat.sub (Nat.pow 2 s.half) 1)))
                    (Nat.shiftRight x s.half)) (Nat.land x (Nat.sub (Nat.pow 2 s.half) 1)))
                (Memory.lookup s.stride direct second)) (Memory.lookup s.stride direct first)))
      (Nat.land (Nat.shiftRight here 32) (Nat.sub (Nat.pow 2 32) 1)))
        (Nat.land here (Nat.sub (Nat.pow 2 32) 1))) terms

theorem gather_succ (s : Scale)
    (C m n twice plus sources row direct count terms here entries low high total marks : Nat)
    (next : Nat → Nat → Nat → Nat → Nat → Nat → Bool) :
    gather s C m n twice plus sources row direct count (terms + 1) here entries low high total marks next =
      (let first := Nat.land here (2 ^ 32 - 1)
       let second := Nat.land (Nat.shiftRight here 32) (2 ^ 32 - 1)
       let x := Memory.lookup s.stride direct first
       let z := Memory.lookup s.stride direct second
       both (both (Nat.ble (Nat.succ first) count) (Nat.ble (Nat.succ second) count))
          (enter C m n twice sources row first entries total marks fun slope total' marks' entries' =>
            enter C m n twice sources row second entries' total' marks'
                fun slope' total'' marks'' entries'' =>
              piece plus 0 s.unit s.center s.top twice (Nat.beq first second) slope slope'
                (Nat.land x (2 ^ s.half - 1)) (Nat.shiftRight x s.half)
                (Nat.land z (2 ^ s.half - 1)) (Nat.shiftRight z s.half) fun low' high' =>
                  gather s C m n twice plus sources row direct count terms (Nat.shiftRight here 64) entries''
                    (low + low') (high + high') total'' marks'' next)) := by
  unfold gather
  simp only [force_eq]
  rfl

/-- Numbers between two others, once raised. -/
def Between (unit low high base : Nat) (v : K) : Prop :=
  natural low ≤ natural (2 * unit * unit) * v + natural base ∧
    natural (2 * unit * unit) * v + natural base ≤ natural high
theorem Between.add {unit low high base low' high' base' : Nat} {v v' : K} (h : Between unit low high base v)
    (g : Between unit low' high' base' v') :
    Between unit (low + low') (high + high') (base + base') (v + v') := by
  have e : natural (2 * unit * unit) * (v + v') + natural (base + base') =
      (natural (2 * unit * unit) * v + natural base) +
        (natural (2 * unit * unit) * v' + natural base' : K) := by
    rw [natural_add]
    exact (ring5 K u v v' b b', u * (v + v') + (b + b'), u * v + b + (u * v' + b')) _ _ _ _ _
  unfold Between
  rw [e, natural_add, natural_add]
  exact ⟨add_le_add h.1 g.1, add_le_add h.2 g.2⟩

theorem gather_sound {s : Scale} {slots : Nat → K} {C m n offset plus sources row direct mirrored count : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hp : 0 < plus)
    (hi : row < m) :
    (terms : Nat) → (slot : Nat → Nat) → (here entries low high total marks bound : Nat) →
    (rows : Nat → K) → (next : Nat → Nat → Nat → Nat → Nat → Nat → Bool) →
    (∀ j, word here j = slot j) →
    Entered C m n offset (fun k => slots (word sources k)) bound total marks rows →
    gather s C m n (offset + offset) plus sources row direct count terms here entries low high total marks
        next = true →
    ∃ here' entries' low' high' total' marks' rows' x, (∀ j, word here' j = slot (2 * terms + j)) ∧
      Entered C m n offset (fun k => slots (word sources k)) (bound + 2 * terms) total' marks' rows' ∧
      Grown rows row x rows' ∧
      Between s.unit low' high' (terms * raise plus 0 s.unit s.center (offset + offset))
        (natural plus * sum terms (multiplied slots slot) - x) ∧
      next here' entries' (low + low') (high + high') total' marks' = true := by
  intro terms
  induction terms with
  | zero =>
    intro slot here entries low high total marks bound rows next hw he h
    refine ⟨here, entries, 0, 0, total, marks, rows, 0, fun j => ?_, he, grown_none _ _, ?_, h⟩
    · rw [hw, Nat.mul_zero, Nat.zero_add]
    · have z : natural (2 * s.unit * s.unit) * (natural plus * sum 0 (multiplied slots slot) - 0) +
            natural (0 * raise plus 0 s.unit s.center (offset + offset)) = (0 : K) := by
        rw [Nat.zero_mul]
        exact (ring2 K u p, u * (p * 0 - 0) + 0, 0) _ _
      unfold Between
      rw [z]
      exact ⟨le_refl _, le_refl _⟩
  | succ terms smaller =>
    intro slot here entries low high total marks bound rows next hw he h
    rw [gather_succ] at h
    obtain ⟨b, h⟩ := both_true h
    obtain ⟨b1, b2⟩ := both_true b
    have first : Nat.land here (2 ^ 32 - 1) = slot 0 := by rw [← hw]; exact word_zero here
    have second : Nat.land (Nat.shiftRight here 32) (2 ^ 32 - 1) = slot 1 := by
      rw [← hw]; exact (word_zero _).trans (word_succ here 0)
    rw [first] at b1 h
    rw [second] at b2 h
    obtain ⟨slope, total1, marks1, entries1, rows1, s1, he1, g1, h⟩ := enter_sound hi he h
    obtain ⟨slope', total2, marks2, entries2, rows2, s2, he2, g2, h⟩ := enter_sound hi he1 h
    obtain ⟨l, u, e1, e2, x1, x2, x3⟩ := bounds_at sf hm (Nat.le_of_ble_eq_true b1)
    obtain ⟨l', u', e3, e4, z1, z2, z3⟩ := bounds_at sf hm (Nat.le_of_ble_eq_true b2)
    rw [e1, e2, e3, e4] at h
    obtain ⟨low1, high1, h, r1, r2⟩ :=
      piece_sound x3 z3 x1 x2 z1 z2 s1 s2 (fun e => ⟨by rw [Nat.eq_of_beq_eq_true e], hp, rfl⟩) h
    obtain ⟨here', entries', low', high', total', marks', rows', x, w', he', g', q, h'⟩ :=
      smaller (fun j => slot (2 + j)) (Nat.shiftRight here 64) _ _ _ _ _ _ _ next
      (fun j => by rw [shift_word, hw]) he2 h
    have tail : sum (terms + 1) (multiplied slots slot) =
        slots (slot 0) * slots (slot 1) + sum terms (multiplied slots fun j => slot (2 + j)) := by
      show slots (slot 0) * slots (slot 1) + sum terms (fun k => multiplied slots slot (k + 1)) = _
      refine congrArg _ (Columns.sum_congr fun k _ => ?_)
      show slots (slot (2 * k + 2)) * slots (slot (2 * k + 2 + 1)) =
        slots (slot (2 + 2 * k)) * slots (slot (2 + (2 * k + 1)))
      rw [Nat.add_comm 2 (2 * k), Nat.add_comm 2 (2 * k + 1)]
    refine ⟨here', entries', low1 + low', high1 + high', total', marks', rows', _, fun j => ?_, ?_,
        (g1.more g2).more g', ?_, ?_⟩
    · rw [w']
      show slot (2 + (2 * terms + j)) = slot (2 * terms + 2 + j)
      refine congrArg slot ?_
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    · have e : bound + 2 * (terms + 1) = bound + 1 + 1 + 2 * terms := by
        show bound + (2 * terms + 2) = bound + 2 + 2 * terms
        rw [Nat.add_comm (2 * terms), Nat.add_assoc]
      rw [e]; exact he'
    · have one : Between s.unit low1 high1 (raise plus 0 s.unit s.center (offset + offset))
        (difference plus 0 offset (natural slope) (natural slope') (slots (slot 0)) (slots (slot 1)) : K) :=
        ⟨r1, r2⟩
      have all := one.add q
      have mass : raise plus 0 s.unit s.center (offset + offset) +
            terms * raise plus 0 s.unit s.center (offset + offset) =
          (terms + 1) * raise plus 0 s.unit s.center (offset + offset) := by
        rw [Nat.succ_mul, Nat.add_comm]
      have value : natural plus * sum (terms + 1) (multiplied slots slot) -
        ((natural slope - natural offset) * slots (slot 0) +
            (natural slope' - natural offset) * slots (slot 1) + x) =
          difference plus 0 offset (natural slope) (natural slope') (slots (slot 0)) (slots (slot 1)) +
              (natural plus * sum terms (multiplied slots fun j => slot (2 + j)) - x) := by
        rw [tail]
        unfold difference
        have zero : (natural 0 : K) = 0 := rfl
        rw [zero]
        exact (ring8 K p a b t y c d w, p * (a + t) - (b + c + d), (p - 0) * a - b - c + (p * t - d))
          (natural plus) (slots (slot 0) * slots (slot 1)) ((natural slope - natural offset) * slots (slot 0))
          (sum terms (multiplied slots fun j => slot (2 + j))) 0
          ((natural slope' - natural offset) * slots (slot 1)) x 0
      rw [value, ← mass]; exact all
    · rw [← Nat.add_assoc, ← Nat.add_assoc]; exact h'
end Linearize
end PytestTorchLean
