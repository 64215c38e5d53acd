prelude
import PytestTorchLean.Check.Linearize.Product
import PytestTorchLean.Check.Quotient
/-!
# Quotients as rows of their operands

A quotient `y = x / z` times its divisor is the dividend, up to rounding. So a row of `x` and `z` differs from
`y` by a product of `y` and `z` less a plane, and both are bounded.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Linearize
open Bilinear
variable {K : Type u} [OrderedRing K]

/-- What the rounding of a quotient adds to a row with the raised weight `slope` of its dividend. -/
def carried (offset slope radius : Nat) : Nat :=
  Nat.mul 2 (Nat.mul (Nat.add (Nat.sub slope offset) (Nat.sub offset slope)) radius)

/-- The rows from `row` on, of the results from slot `place` on; `base` is what all numbers of a row with
    weight `slope` of its dividend are raised by. -/
def ratios (s : Scale) (C m n offset twice plus sources direct count : Nat) (remaining : Nat) :
    Nat → Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ _ _ _ error total marks next => next error total marks)
    (fun _ rest row place here entries error total marks next => force (fun first => force (fun second =>
        both (both (Nat.ble (Nat.succ first) count)
            (both (Nat.ble (Nat.succ second) count) (Nat.ble (Nat.succ place) count)))
          (enter C m n twice sources row first entries total marks fun slope total' marks' entries' =>
            enter C m n twice sources row second entries' total' marks'
                fun slope' total'' marks'' entries'' =>
              enter C m n twice sources row 1 entries'' total'' marks'' fun constant total3 marks3 entries3 =>
                force (fun x => force (fun z => force (fun y =>
                        force (fun one => force (fun l => force (fun u => force (fun l' => force (fun u' =>
                    both (Nat.ble (Nat.succ s.center) l')
                      (piece offset slope s.unit s.center s.top
                          (Nat.add (Nat.add offset plus) (Nat.add offset plus)) false offset
                          (Nat.add slope' plus)
                          (Nat.land y (Nat.sub (Nat.pow 2 s.half) 1)) (Nat.shiftRight y s.half) l' u'
                              fun low high =>
                        ends s.unit s.top twice constant (Nat.land one (Nat.sub (Nat.pow 2 s.half) 1))
                            (Nat.shiftRight one s.half) fun low' high' =>
                          force
                            (fun base => force (fun radius => both (Nat.ble (Nat.succ radius) (Nat.pow 2 C))
                              (force (fun error' => force (fun row' => force
                                      (fun place' => force (fun here' =>
                                          rest row' place' here' entries3 error' total3 marks3 next)
                                        (Nat.shiftRight here 64)) (Nat.succ place)) (Nat.succ row))
                                  (Nat.add error (Nat.mul (Nat.pow 2 (Nat.mul C row)) radius))))
                            (Nat.succ (Nat.div (Nat.add (carried offset slope
                                      (Quotient.error s.unit (Quotient.magnitude s.center l u)
                                        (Nat.sub u' s.center)))
                                    (most (Nat.sub (Nat.add high high') base)
                                      (Nat.sub base (Nat.add low low')))) (Nat.mul 2 s.unit))))
                            (Nat.add (raise offset slope s.unit s.center
                                    (Nat.add (Nat.add offset plus) (Nat.add offset plus)))
                                  (Nat.mul s.unit (Nat.mul twice s.center)))))
                  (Nat.shiftRight z s.half)) (Nat.land z (Nat.sub (Nat.pow 2 s.half) 1)))
                      (Nat.shiftRight x s.half)) (Nat.land x (Nat.sub (Nat.pow 2 s.half) 1)))
                  (Memory.lookup s.stride direct 1)) (Memory.lookup s.stride direct place))
                        (Memory.lookup s.stride direct second)) (Memory.lookup s.stride direct first)))
      (Nat.land (Nat.shiftRight here 32) (Nat.sub (Nat.pow 2 32) 1)))
        (Nat.land here (Nat.sub (Nat.pow 2 32) 1))) remaining

theorem ratios_succ (s : Scale)
    (C m n offset twice plus sources direct count remaining row place here entries error total marks : Nat)
    (next : Nat → Nat → Nat → Bool) :
    ratios s C m n offset twice plus sources direct count (remaining + 1) row place here entries error total
      marks next =
      (let first := Nat.land here (2 ^ 32 - 1)
       let second := Nat.land (Nat.shiftRight here 32) (2 ^ 32 - 1)
       both (both (Nat.ble (Nat.succ first) count)
           (both (Nat.ble (Nat.succ second) count) (Nat.ble (Nat.succ place) count)))
        (enter C m n twice sources row first entries total marks fun slope total' marks' entries' =>
          enter C m n twice sources row second entries' total' marks' fun slope' total'' marks'' entries'' =>
            enter C m n twice sources row 1 entries'' total'' marks'' fun constant total3 marks3 entries3 =>
              (both (Nat.ble (Nat.succ s.center)
                    (Nat.land (Memory.lookup s.stride direct second) (2 ^ s.half - 1)))
                (piece offset slope s.unit s.center s.top (offset + plus + (offset + plus)) false offset
                    (slope' + plus)
                    (Nat.land (Memory.lookup s.stride direct place) (2 ^ s.half - 1))
                        (Nat.shiftRight (Memory.lookup s.stride direct place) s.half)
                        (Nat.land (Memory.lookup s.stride direct second) (2 ^ s.half - 1))
                        (Nat.shiftRight (Memory.lookup s.stride direct second) s.half) fun low high =>
                  ends s.unit s.top twice constant
                      (Nat.land (Memory.lookup s.stride direct 1) (2 ^ s.half - 1))
                      (Nat.shiftRight (Memory.lookup s.stride direct 1) s.half) fun low' high' =>
                    (let base := raise offset slope s.unit s.center (offset + plus + (offset + plus)) +
                        s.unit * (twice * s.center)
                     let radius := (carried offset slope
                         (Quotient.error s.unit
                           (Quotient.magnitude s.center
                             (Nat.land (Memory.lookup s.stride direct first) (2 ^ s.half - 1))
                             (Nat.shiftRight (Memory.lookup s.stride direct first) s.half))
                           (Nat.shiftRight (Memory.lookup s.stride direct second) s.half - s.center)) +
                       most (high + high' - base) (base - (low + low'))) / (2 * s.unit) + 1
                     both (Nat.ble (Nat.succ radius) (2 ^ C))
                      (ratios s C m n offset twice plus sources direct count remaining (row + 1) (place + 1)
                        (Nat.shiftRight here 64) entries3 (error + 2 ^ (C * row) * radius)
                        total3 marks3 next)))))) := by
  unfold ratios
  simp only [force_eq]
  rfl

/-- A rounded quotient next to its row. -/
theorem carried_sound {unit offset slope radius : Nat} {e : K}
    (h : AtMost (natural unit * natural unit * e) (natural radius)) :
    AtMost (natural (2 * unit * unit) * ((natural slope - natural offset) * e))
    (natural (carried offset slope radius)) := by
  show AtMost _ (natural (2 * ((slope - offset + (offset - slope)) * radius)))
  have two := h.mul_left (natural_nonneg (K := K) 2)
  have both : AtMost (natural slope - natural offset : K) (natural (slope - offset + (offset - slope))) := by
    rw [natural_add]
    have p := natural_nonneg (K := K) (slope - offset)
    have q := natural_nonneg (K := K) (offset - slope)
    refine ⟨?_, ?_⟩
    · have t := add_le_add (Rows.sub_ge (K := K) slope offset) q
      rw [add_zer] at t; exact t
    · have t := add_le_add p (Rows.sub_ge (K := K) offset slope)
      rw [zero_add] at t
      exact le_trans (le_of_eq ((ring2 K a b, -(a - b), b - a) _ _)) t
  have all := AtMost.mul both two
  rw [← natural_mul 2 radius, ← natural_mul (slope - offset + (offset - slope)), Nat.mul_left_comm] at all
  have e2 : (natural slope - natural offset) * (natural 2 * (natural unit * natural unit * e)) =
      natural (2 * unit * unit) * ((natural slope - natural offset) * e) := by
    rw [natural_mul (2 * unit), natural_mul 2]
    exact (ring5 K a t u e z, a * (t * (u * u * e)), t * u * u * (a * e)) _ _ _ _ 0
  rw [← e2]; exact all

theorem ratios_sound {s : Scale} {slots : Nat → K}
    {C m n offset plus sources words start direct mirrored count : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (one : 1 < count)
    (computes : ∀ i, i < m →
      Quotient.Computes .binary32 (slots (word words (2 * i))) (slots (word words (2 * i + 1)))
        (slots (start + i))) :
    (remaining row here entries error total marks bound : Nat) →
    (rows : Nat → K) → (next : Nat → Nat → Nat → Bool) →
    row + remaining = m → (∀ j, word here j = word words (2 * row + j)) →
    Stated s slots C m n offset plus sources start bound row error total marks rows →
    ratios s C m n offset (offset + offset) plus sources direct count remaining row (start + row) here entries
        error total marks next = true →
    ∃ error' total' marks' rows', Stated s slots C m n offset plus sources start (bound + remaining * 3) m
        error' total' marks' rows' ∧ next error' total' marks' = true := by
  intro remaining
  induction remaining with
  | zero =>
    intro row here entries error total marks bound rows next hr _ hs h
    have e : row = m := hr
    subst e
    rw [Nat.zero_mul]
    exact ⟨error, total, marks, rows, hs, h⟩
  | succ remaining smaller =>
    rintro row here entries error total marks bound rows next hr hw ⟨he, ⟨radii, written, hv⟩, hz⟩ h
    subst written
    rw [ratios_succ] at h
    have hi : row < m := by
      rw [← hr]
      show row + 1 ≤ row + (remaining + 1)
      exact Nat.add_le_add Nat.le.refl (Nat.succ_le_succ (Nat.zero_le _))
    obtain ⟨b, h⟩ := both_true h
    obtain ⟨b1, b⟩ := both_true b
    obtain ⟨b2, b3⟩ := both_true b
    have first : Nat.land here (2 ^ 32 - 1) = word words (2 * row) := (word_zero here).trans (hw 0)
    have second : Nat.land (Nat.shiftRight here 32) (2 ^ 32 - 1) = word words (2 * row + 1) :=
      ((word_zero _).trans (word_succ here 0)).trans (hw 1)
    rw [first] at b1 h
    rw [second] at b2 h
    obtain ⟨slope, total1, marks1, entries1, rows1, s1, he1, g1, h⟩ := enter_sound hi he h
    obtain ⟨slope', total2, marks2, entries2, rows2, s2, he2, g2, h⟩ := enter_sound hi he1 h
    obtain ⟨constant, total3, marks3, entries3, rows3, s3, he3, g3, h⟩ := enter_sound hi he2 h
    obtain ⟨l, u, e1, e2, x1, x2, x3⟩ := bounds_at sf hm (Nat.le_of_ble_eq_true b1)
    obtain ⟨l', u', e3, e4, z1, z2, z3⟩ := bounds_at sf hm (Nat.le_of_ble_eq_true b2)
    obtain ⟨ly, uy, e5, e6, y1, y2, y3⟩ := bounds_at sf hm (Nat.le_of_ble_eq_true b3)
    obtain ⟨lo, uo, e7, e8, o1, o2, o3⟩ := bounds_at sf hm one
    rw [e1, e2, e3, e4, e5, e6, e7, e8] at h
    obtain ⟨pos, h⟩ := both_true h
    have pos : s.center + 1 ≤ l' := Nat.le_of_ble_eq_true pos
    have large : offset ≤ offset + plus + (offset + plus) :=
      Nat.le_trans (Nat.le_add_right offset plus) (Nat.le_add_right _ _)
    have larger : slope' + plus ≤ offset + plus + (offset + plus) := by
      have a := Nat.add_le_add s2 (Nat.le_add_right plus plus)
      refine Nat.le_trans a (Natural.le_of_eq ?_)
      simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
    obtain ⟨low, high, h, r1, r2⟩ := piece_sound (offset := offset + plus) (square := false) y3 z3 y1 y2 z1 z2
      large larger (fun e => Bool.noConf_tf (Eq.symm e)) h
    obtain ⟨low', high', constants, h⟩ := ends_sound o3 o1 o2 s3 h
    obtain ⟨fit, h⟩ := both_true h
    have fit := Nat.le_of_ble_eq_true fit
    have product : Between s.unit low high
      (raise offset slope s.unit s.center (offset + plus + (offset + plus)))
      (difference offset slope (offset + plus) (natural offset) (natural (slope' + plus))
        (slots (start + row)) (slots (word words (2 * row + 1))) : K) := ⟨r1, r2⟩
    have between := product.add constants
    have lowEnd : (natural (l' - s.center) : K) ≤ natural s.unit * slots (word words (2 * row + 1)) := by
      rw [Linear.natural_sub (Nat.le_trans (Nat.le_add_right _ 1) pos)]
      exact le_cert ((ring3 K a c l, a - (l - c), a + c - l) _ (natural s.center) (natural l'))
        (sub_nonneg z3.1)
    have onez : (natural 1 : K) ≤ natural s.unit * slots (word words (2 * row + 1)) :=
      le_trans (natural_le (by
      obtain ⟨k, rfl⟩ := Nat.exists_of_le pos
      rw [Nat.add_assoc, Natural.add_sub_cancel_left]
      exact Nat.le_add_right 1 k)) lowEnd
    have nonzero : ¬ slots (word words (2 * row + 1)) = 0 := fun e => by
      rw [e, mul_zero] at onez
      exact absurd (natural_le_reflect (K := K) (m := 1) (n := 0) onez) (Nat.not_succ_le_zero 0)
    have z0 : 0 ≤ slots (word words (2 * row + 1)) := by
      refine cancel_natural sf.unit ?_
      rw [mul_zero]; exact le_trans (natural_nonneg 1) onez
    have near := carried_sound (offset := offset) (slope := slope)
      (Quotient.near_positive x3 z3 pos z0 (computes row hi nonzero))
    have grown := (g1.more g2).more g3
    have own : rows3 row = (natural slope - natural offset) * slots (word words (2 * row)) +
          (natural slope' - natural offset) * slots (word words (2 * row + 1)) +
          (natural constant - natural offset) * slots 1 := by rw [grown.1, hz row Nat.le.refl, zero_add]
    have done := radius_beyond sf.unit near between
    have value : (natural slope - natural offset) *
      (slots (word words (2 * row + 1)) * slots (start + row) - slots (word words (2 * row))) +
        (difference offset slope (offset + plus) (natural offset) (natural (slope' + plus))
                  (slots (start + row)) (slots (word words (2 * row + 1))) +
                -((natural constant - natural offset) * slots 1)) =
            natural plus * slots (start + row) - rows3 row := by
      rw [own]
      unfold difference
      rw [natural_add offset plus, natural_add slope' plus]
      generalize (natural constant - natural offset) * slots 1 = c
      exact (ring8 K a b o p x y z c,
          (a - o) * (z * y - x) + ((o - a) * (y * z) - (o - (o + p)) * y - (b + p - (o + p)) * z + -c),
          p * y - ((a - o) * x + (b - o) * z + c)) _ _ _ _ _ _ _ _
    rw [value] at done
    have count' : bound + (remaining + 1) * 3 = bound + 1 + 1 + 1 + remaining * 3 := by
      rw [Nat.succ_mul]
      show bound + (remaining * 3 + 3) = bound + 3 + remaining * 3
      rw [Nat.add_comm (remaining * 3), Nat.add_assoc]
    rw [count']
    have apart : ∀ i, i < row → Nat.beq row i = false := fun i hi' => by
      cases e : Nat.beq row i with
      | false => rfl
      | true => exact absurd hi' (by rw [Nat.eq_of_beq_eq_true e]; exact Natural.lt_irreflexive _)
    refine smaller (row + 1) (Nat.shiftRight here 64) entries3 _ total3 marks3 _ rows3 next
      (by rw [← hr, Nat.add_assoc, Nat.add_comm 1]) (fun j => ?_)
      ⟨he3, ⟨Memory.extend radii row
          ((carried offset slope (Quotient.error s.unit (Quotient.magnitude s.center l u) (u' - s.center)) +
                  most (high + high' - (raise offset slope s.unit s.center (offset + plus + (offset + plus)) +
                          s.unit * ((offset + offset) * s.center)))
                    (raise offset slope s.unit s.center (offset + plus + (offset + plus)) +
                      s.unit * ((offset + offset) * s.center) - (low + low'))) / (2 * s.unit) + 1), ?_,
          fun i hi' => ?_⟩, fun i hi' => ?_⟩ h
    · rw [shift_word, hw]
      show word words (2 * row + (2 + j)) = word words (2 * row + 2 + j)
      rw [Nat.add_assoc]
    · rw [pack_append, pack_congr (fun i hi' => Memory.extend_old radii _ hi')]
      refine congrArg _ (congrArg _ ?_)
      show _ = Memory.extend radii row _ (row + 0) + 2 ^ C * 0
      rw [Nat.mul_zero, Nat.add_zero]
      exact (Memory.extend_new radii row _).symm
    · cases Memory.le_of_lt_succ hi' with
      | inl e => subst e; rw [Memory.extend_new]; exact ⟨fit, done⟩
      | inr l =>
        rw [Memory.extend_old _ _ l, grown.2 i (apart i l)]
        exact hv i l
    · rw [grown.2 i (by
        cases e : Nat.beq row i with
        | false => rfl
        | true => exact absurd hi' (by rw [Nat.eq_of_beq_eq_true e]; exact Nat.lt_irrefl i))]
      exact hz i (Nat.le_trans (Nat.le_add_right row 1) hi')

/-- The rows that are to stand for `m` quotients of positive divisors, whose first slot is `start`; `next` is
    handed their radii. -/
def quotients [Prepared] (s : Scale) (a : Affine) (d : Decoding) (entries m words start direct count : Nat)
    (next : Nat → Bool) : Bool :=
  both (shaped a d m count)
    (force (fun C => force (fun offset => force (fun twice => force (fun plus =>
        both (Nat.ble (Nat.succ (Nat.mul (Nat.add (Nat.mul m 3) 2) twice)) (Nat.pow 2 C))
          (ratios s C m a.columns offset twice plus a.sources direct count m 0 start words entries 0 0 0
              fun error total marks =>
            both (same a d C m offset total marks) (next error)))
      (Nat.pow 2 (Nat.sub 150 d.base))) (Nat.add offset offset)) (Nat.pow 2 d.bits)) (Nat.mul 32 a.lanes))

/-- **Quotients as rows.** With the radii that `quotients` hands on, the rows stand for the quotients. -/
theorem quotients_sound [Prepared] {s : Scale} {slots : Nat → K} {a : Affine} {d : Decoding}
    {entries m words start direct mirrored count : Nat} {next : Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (computes : ∀ i, i < m →
      Quotient.Computes .binary32 (slots (word words (2 * i))) (slots (word words (2 * i + 1)))
        (slots (start + i)))
    (h : quotients s a d entries m words start direct count next = true) :
    ∃ error,
      (Passed.mk (.affine a) start d error).Holds s slots ∧ (Node.affine a).size = m ∧ next error = true := by
  obtain ⟨shape, h⟩ := both_true h
  obtain ⟨rows, one⟩ := shaped_sizes shape
  subst rows
  simp only [force_eq] at h
  obtain ⟨room, h⟩ := both_true h
  have room := Nat.le_of_ble_eq_true room
  obtain ⟨error, total, marks, rows, hs, h⟩ := ratios_sound (plus := 2 ^ (150 - d.base))
    (offset := 2 ^ d.bits) sf hm one computes a.rows 0 words entries 0 0 0 0 (fun _ => 0) _ (Nat.zero_add _)
    (fun j => by rw [Nat.mul_zero, Nat.zero_add]) (stated_none _ _ _ _ _ _ _ _ _) h
  rw [Nat.zero_add] at hs
  obtain ⟨agree, h⟩ := both_true h
  obtain ⟨holds, size⟩ := stands shape room hs agree
  exact ⟨error, holds, size, h⟩

/-- The node passed last, stated as rows. -/
def run [Prepared] (s : Scale) (how : Linearization) (passed : List Passed) (direct count : Nat)
    (next : List Passed → Bool) : Bool :=
  List.rec (motive := fun _ => Bool) false
    (fun head earlier _ =>
        Passed.rec (motive := fun _ => Bool) (fun node start _ worst => Node.rec (motive := fun _ => Bool)
      (fun _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ => false) (fun _ _ _ => false)
      (fun m terms words =>
          products s how.rows how.decoding how.entries m terms words worst direct count fun error =>
        next (⟨.affine how.rows, start, how.decoding, error⟩ :: earlier))
      (fun m words => quotients s how.rows how.decoding how.entries m words start direct count fun error =>
        next (⟨.affine how.rows, start, how.decoding, error⟩ :: earlier)) node) head) passed

theorem run_sound [Prepared] {s : Scale} {slots : Nat → K} {how : Linearization} {direct mirrored count : Nat}
    {next : List Passed → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count) :
    (passed : List Passed) → Passed.AllHold s slots passed count →
    run s how passed direct count next = true →
    ∃ passed', Passed.AllHold s slots passed' count ∧ next passed' = true
  | [], _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.bilinear m terms words, start, d, worst⟩ :: earlier, ⟨size, near, rest⟩, h => by
    have near : ∀ i, i < m → Bilinear.Near s slots terms words i worst (slots (start + i)) := near
    obtain ⟨error, holds, same, h⟩ := products_sound (start := start) sf hm near h
    have size : start + (Node.affine how.rows).size = count := by rw [same]; exact size
    exact ⟨⟨.affine how.rows, start, how.decoding, error⟩ :: earlier, ⟨size, holds, rest⟩, h⟩
  | ⟨.quotient m words, start, d, worst⟩ :: earlier, ⟨size, computes, rest⟩, h => by
    have computes : ∀ i, i < m →
      Quotient.Computes .binary32 (slots (word words (2 * i))) (slots (word words (2 * i + 1)))
        (slots (start + i)) := computes
    obtain ⟨error, holds, same, h⟩ := quotients_sound (start := start) sf hm computes h
    have size : start + (Node.affine how.rows).size = count := by rw [same]; exact size
    exact ⟨⟨.affine how.rows, start, how.decoding, error⟩ :: earlier, ⟨size, holds, rest⟩, h⟩
  | ⟨.affine _, _, _, _⟩ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.relu _ _, _, _, _⟩ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.maximum _ _, _, _, _⟩ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.minimum _ _, _, _, _⟩ :: _, _, h => Bool.noConf_tf (Eq.symm h)
  | ⟨.curve _ _ _, _, _, _⟩ :: _, _, h => Bool.noConf_tf (Eq.symm h)

end Linearize
end PytestTorchLean
