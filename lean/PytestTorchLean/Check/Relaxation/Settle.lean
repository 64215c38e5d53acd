prelude
import PytestTorchLean.Check.Relaxation.Bend
/-!
# A column's coefficients written in their place, or settled by bounds

Forms that change in one place, and a slot outside of the run that the batch goes to, which is replaced by
its bounds.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### Forms that change in one place -/

theorem form_add (n : Nat) (p q p' q' : Nat → Nat) (x : Nat → K) :
    form n (fun j => p j + p' j) (fun j => q j + q' j) x = form n p q x + form n p' q' x := by
  unfold form
  rw [← sum_add]
  refine Columns.sum_congr fun j _ => ?_
  rw [natural_add, natural_add]
  exact (ring5 K a b c d x, (a + c - (b + d)) * x, (a - b) * x + (c - d) * x) _ _ _ _ _
theorem form_zero (n : Nat) (x : Nat → K) : form n (fun _ => 0) (fun _ => 0) x = 0 := by
  unfold form
  rw [← sum_zero (K := K) n]
  refine Columns.sum_congr fun j _ => ?_
  show ((0 : K) - 0) * x j = 0
  exact (ring1 K x, (0 - 0) * x, 0) _
theorem form_indicator (a c : Nat) : (n i : Nat) → (x : Nat → K) → i < n →
    form n (fun j => a * indicator i j) (fun j => c * indicator i j) x = (natural a - natural c) * x i
  | 0, _, _, h => absurd h (Nat.not_succ_le_zero _)
  | n + 1, 0, x, _ => by
    have z := form_zero (K := K) n (fun j => x (j + 1))
    show (natural (a * 1) - natural (c * 1)) * x 0 + form n (fun _ => 0) (fun _ => 0) (fun j => x (j + 1)) = _
    rw [z, add_zer, Natural.mul_one, Natural.mul_one]
  | n + 1, i + 1, x, h => by
    have ih := form_indicator a c n i (fun j => x (j + 1)) (Nat.le_of_succ_le_succ h)
    show (natural (a * 0) - natural (c * 0)) * x 0 +
      form n (fun j => a * indicator i j) (fun j => c * indicator i j) (fun j => x (j + 1)) = _
    rw [ih]
    show ((0 : K) - 0) * x 0 + _ = _
    exact (ring2 K x y, (0 - 0) * x + y, y) _ _

/-- What a matrix in one number becomes when a column is added in place `i`. -/
theorem grid_place {b w n R i : Nat} (hi : i < n) (A : Nat → Nat → Nat) (t : Nat → Nat) :
    grid b w n R A + side b w R t * 2 ^ (b * i) = grid b w n R fun r j => A r j + t r * indicator i j := by
  rw [grid_add, ← pack_indicator b i n hi, side_mul_pack]

/-! ### The sweep -/

/-- What stays the same while the columns of a group are passed. -/
structure Field where
  frame : Frame
  /-- the run of slots that the batch goes to -/
  first : Nat
  count : Nat
  /-- factor of the coefficients -/
  weight : Nat

/-- Coefficients of a slot that is replaced by its bounds; `t` has the positive ones and behind them the
    negative ones. -/
def settle (s : Scale) (field : Field) (direct mirrored slot t gain loss : Nat) (next : Nat → Nat → Bool) :
    Bool :=
  force (fun size => force (fun low => force (fun high => force
          (fun positive => force (fun negative => force (fun gain' => force (fun loss' => next gain' loss')
        (Nat.add loss (Nat.mul (Nat.mul field.weight s.center) (Nat.add positive negative))))
        (Nat.add gain (Nat.mul field.weight
              (Nat.add (Nat.mul (lows s direct slot 1) positive)
                (Nat.mul (lows s mirrored slot 1) negative)))))
      (Vector.difference (Nat.mul field.frame.digit field.frame.width) field.frame.rows
          (Nat.sub field.frame.digit 1) high low))
      (Vector.difference (Nat.mul field.frame.digit field.frame.width) field.frame.rows
          (Nat.sub field.frame.digit 1) low high))
    (Nat.shiftRight t size)) (Nat.land t (Nat.sub (Nat.pow 2 size) 1)))
    (Nat.mul (Nat.mul field.frame.digit field.frame.width) field.frame.rows)

theorem settle_sound {s : Scale} {field : Field} {slots : Nat → K}
    {direct mirrored memory slot limit gain loss : Nat} {t c d : Nat → Nat} {next : Nat → Nat → Bool}
    (half : 0 < s.half)
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hs : slot < memory)
    (hb : 0 < field.frame.digit)
    (hw : 0 < field.frame.width)
    (ht : ∀ r, r < field.frame.rows + field.frame.rows → t r ≤ limit)
    (hl : limit < 2 ^ (field.frame.digit - 1))
    (h1 : gain = side field.frame.digit field.frame.width field.frame.rows c)
    (h2 : loss = side field.frame.digit field.frame.width field.frame.rows d)
    (h : settle s field direct mirrored slot
      (side field.frame.digit field.frame.width (field.frame.rows + field.frame.rows) t) gain loss
      next = true) :
    ∃ c' d' : Nat → Nat, next (side field.frame.digit field.frame.width field.frame.rows c')
          (side field.frame.digit field.frame.width field.frame.rows d') = true ∧
      ∀ r, r < field.frame.rows →
        c' r ≤ c r + field.weight * (limit * (s.top + s.top)) ∧
          d' r ≤ d r + field.weight * (limit * (s.top + s.top)) ∧
          natural (c' r) + natural (d r) ≤
            natural field.weight *
                ((natural (t r) - natural (t (field.frame.rows + r))) * (natural s.unit * slots slot)) +
              natural (c r) + (natural (d' r) : K) := by
  obtain ⟨⟨b, w, R⟩, first, count, T⟩ := field
  have hb : 0 < b := hb
  have hw : 0 < w := hw
  have ht : ∀ r, r < R + R → t r ≤ limit := ht
  have hl : limit < 2 ^ (b - 1) := hl
  have h :
    settle s ⟨⟨b, w, R⟩, first, count, T⟩ direct mirrored slot (side b w (R + R) t) gain loss next = true := h
  have h1 : gain = side b w R c := h1
  have h2 : loss = side b w R d := h2
  obtain ⟨l, m, e1, e2, hv⟩ := lows_hold (start := slot) (n := 1) half sf hs hm
  obtain ⟨v1, v2, v3, v4⟩ := hv 0 Nat.le.refl
  have one : ∀ g : Nat → Nat,
      pack s.stride 1 g = g 0 := fun g => by show g 0 + 2 ^ s.stride * 0 = g 0; rw [Nat.mul_zero]; rfl
  rw [one] at e1 e2
  have bw : b ≤ b * w := by
    have e := Nat.mul_le_mul (Nat.le.refl (n := b)) hw
    rw [Nat.mul_one] at e; exact e
  have small : ∀ r, r < R + R → t r < 2 ^ (b - 1) := fun r hr => Natural.lt_of_le_of_lt (ht r hr) hl
  have wide : ∀ r, r < R + R → t r < 2 ^ (b * w) := fun r hr =>
    Natural.lt_of_lt_of_le (small r hr) (Natural.two_pow_le (Nat.le_trans (Natural.sub_le _ _) bw))
  have lt1 : ∀ r, r < R → r < R + R := fun r hr => Nat.le_trans hr (Nat.le_add_right _ _)
  have lt2 : ∀ r, r < R → R + r < R + R := fun r hr => Nat.add_le_add (Nat.le.refl (n := R)) hr
  unfold settle at h
  simp only [force_eq] at h
  have low : Nat.land (side b w (R + R) t) (Nat.sub (Nat.pow 2 (Nat.mul (Nat.mul b w) R)) 1) = side b w R t :=
    land_pack_append (fun r hr => wide r (lt1 r hr))
  have high : Nat.shiftRight (side b w (R + R) t) (Nat.mul (Nat.mul b w) R) = side b w R fun r => t (R + r) :=
    shift_pack_append (fun r hr => wide r (lt1 r hr))
  have room : b - 1 + 1 ≤ b * w := by rw [Natural.succ_pred hb]; exact bw
  have f1 : Vector.difference (Nat.mul b w) R (Nat.sub b 1) (side b w R t) (side b w R fun r => t (R + r)) =
      side b w R fun r => t r - t (R + r) :=
    Vector.difference_eq room (fun r hr => small r (lt1 r hr)) (fun r hr => small _ (lt2 r hr))
  have f2 : Vector.difference (Nat.mul b w) R (Nat.sub b 1) (side b w R fun r => t (R + r)) (side b w R t) =
      side b w R fun r => t (R + r) - t r :=
    Vector.difference_eq room (fun r hr => small _ (lt2 r hr)) (fun r hr => small r (lt1 r hr))
  rw [low, high, f1, f2, e1, e2, h1, h2] at h
  have g1 : (side b w R c).add (T.mul (((l 0).mul (side b w R fun r => t r - t (R + r))).add
        ((m 0).mul (side b w R fun r => t (R + r) - t r)))) =
      side b w R fun r => c r + T * (l 0 * (t r - t (R + r)) + m 0 * (t (R + r) - t r)) := by
    rw [side_add, side_mul, side_add, side_mul, side_mul]; rfl
  have g2 : (side b w R d).add
    ((T.mul s.center).mul ((side b w R fun r => t r - t (R + r)).add (side b w R fun r => t (R + r) - t r))) =
      side b w R fun r => d r + T * s.center * ((t r - t (R + r)) + (t (R + r) - t r)) := by
    rw [side_add, side_mul, side_add]; rfl
  rw [g1, g2] at h
  refine ⟨_, _, h, fun r hr => ?_⟩
  have a1 : t r - t (R + r) ≤ limit := Nat.le_trans (Natural.sub_le _ _) (ht r (lt1 r hr))
  have a2 : t (R + r) - t r ≤ limit := Nat.le_trans (Natural.sub_le _ _) (ht _ (lt2 r hr))
  refine ⟨Nat.add_le_add Nat.le.refl (Nat.mul_le_mul Nat.le.refl ?_), Nat.add_le_add Nat.le.refl ?_, ?_⟩
  · rw [Nat.mul_add, Nat.mul_comm limit]
    exact Nat.add_le_add (Nat.mul_le_mul v1 a1) (Nat.mul_le_mul v2 a2)
  · show T * s.center * _ ≤ T * _
    rw [Nat.mul_assoc]
    refine Nat.mul_le_mul Nat.le.refl ?_
    rw [Nat.mul_add, Nat.mul_add, Nat.mul_comm limit]
    have ct : s.center ≤ s.top := Nat.le_add_right _ _
    exact Nat.add_le_add (Nat.mul_le_mul ct a1) (Nat.mul_le_mul ct a2)
  · have k := form_bounds (K := K) (n := 1) (c := s.center) (p := fun _ => t r - t (R + r))
      (q := fun _ => t (R + r) - t r) (lower := fun _ => l 0) (mirrored := fun _ => m 0)
      (x := fun _ => natural s.unit * slots slot) (fun _ _ => ⟨v3, v4⟩)
    have cancel := Compose.truncated_sub (K := K) (t r) (t (R + r))
    have k : natural ((t r - t (R + r)) * l 0 + (t (R + r) - t r) * m 0 + 0) ≤
        (natural (t r - t (R + r)) - natural (t (R + r) - t r)) * (natural s.unit * slots slot) + 0 +
          (natural (s.center * ((t r - t (R + r)) + (t (R + r) - t r) + 0)) : K) := k
    rw [cancel] at k
    have k := mul_le_left (natural_nonneg (K := K) T) k
    show natural (c r + T * _) + natural (d r) ≤
      natural T * _ + natural (c r) + natural (d r + T * s.center * _)
    have e3 : (t r - t (R + r)) * l 0 + (t (R + r) - t r) * m 0 + 0 =
        l 0 * (t r - t (R + r)) + m 0 * (t (R + r) - t r) := by
      rw [Nat.mul_comm (l 0), Nat.mul_comm (m 0)]; rfl
    rw [e3, Nat.add_zero, natural_mul s.center, add_zer] at k
    rw [natural_add (c r), natural_add (d r), natural_mul T, natural_mul (T * s.center),
        natural_mul T s.center]
    refine le_cert ?_ (sub_nonneg k)
    generalize (natural (t r) - natural (t (R + r))) * (natural s.unit * slots slot) = y
    exact (ring8 K t y a e w c d o, t * y + c + (d + t * e * w) - (c + t * a + d), t * (y + e * w) - t * a) _
      _ _ _ _ _ _ 0
end Relaxation
end PytestTorchLean
