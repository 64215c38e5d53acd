prelude
import PytestTorchLean.Check.Rules
import PytestTorchLean.Check.Relaxation.Multiply
import PytestTorchLean.Check.Relaxation.Pair
import PytestTorchLean.Check.Relaxation.Choose
/-!
# The goals of a relaxation, and its links

A relaxation starts at goals, values that are to be bounded from above or from below, each a row with one
coefficient. A link names a node that the rows go back through, and how.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- What to do about a passed node. -/
inductive Link where
  /-- substitute an affine node that reads a run of `count` slots from `first` on; then divide the
      coefficients by `2^shift`, after which they have at most `size` bits -/
  | through (first count shift size : Nat)
  /-- replace a ReLU by lines; slopes are digits of `bits + 1` bits, multiples of `2^-bits` -/
  | bend (bits lower upper : Nat)
  /-- the batch does not read the node -/
  | skip
  /-- substitute an affine node with several positions, move the coefficients back to consecutive slots, then
      divide them as in `through` -/
  | convolve (layout : Layout) (arrangement : Arrangement) (shift size : Nat)
  /-- substitute an affine node with several positions, divide the coefficients, then replace what it reads by
      its bounds; the last link -/
  | settle (layout : Layout) (shift size : Nat)
  /-- add multipliers of the bounds of the batch's slots to its rows, which passes no node; then coefficients
      have at most `size` bits -/
  | multiply (multipliers : List Multiplier) (size : Nat)
  /-- speak of `count` slots from `first` on, the further ones with coefficient 0, which passes no node -/
  | widen (first count : Nat)
  /-- let the coefficients of the first `keep` slots wait, and go on with those from place `cut` on, which
      passes no node -/
  | fork (keep cut : Nat)
  /-- add what waited last: `own` and `other` times the coefficients, which then have at most `size` bits,
      then divide them as in `through`; passes no node -/
  | join (weight own other size shift short : Nat)
  /-- replace a smooth activation by lines and residuals: one slope for each neuron, digits of `size` bits,
      multiples of `2^-bits`, and behind these for each what is taken off it, so that lines may fall;
      intervals are halved `depth` times, the function enclosed by `stages` stages of `precision` bits -/
  | slide (bits size slopes depth stages precision : Nat)
  /-- replace what the rows hold of the differences of `fact`, where the bit of `chosen` is 1, by lines over
      the differences of what the ReLU reads, with slopes as in `bend`, which wait there; passes no node -/
  | pair (fact bits slopes chosen : Nat)
  /-- replace a maximum or a minimum by lines over the two slots that each result reads; slopes of the first
      one as in `bend`; slots outside of the run of `count` from `first` on are replaced by their bounds; then
      divide the coefficients as in `through` -/
  | choose (bits lower upper first count shift size : Nat)
  /-- keep rows `width` digits apart from here on, which passes no node; nothing may wait -/
  | reframe (width : Nat)

/-! ### Goals -/

/-- 1 where the goal's word is even (`sign` 0) or odd (`sign` 1). -/
def flag (sign goal : Nat) : Nat := Bool.casesOn (motive := fun _ => Nat) (Nat.beq (Nat.land goal 1) sign) 0 1
/-- Row after row: the coefficient 1 in the goal's place, for goals of the given sign. A goal is a word: twice
    the place, plus 1 where the value is to be bounded from above. -/
def goalRows (b w sign : Nat) (R : Nat) : Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat) (fun _ => 0)
    (fun _ rest goals => Nat.add
      (Nat.mul (flag sign (Nat.land goals (Nat.sub (Nat.pow 2 32) 1)))
          (Nat.pow 2 (Nat.mul b (Nat.shiftRight (Nat.land goals (Nat.sub (Nat.pow 2 32) 1)) 1))))
      (Nat.shiftLeft (rest (Nat.shiftRight goals 32)) (Nat.mul b w))) R
theorem goalRows_eq {b w sign n : Nat} :
    (R goals : Nat) → (∀ r, r < R → word goals r < 2 * n) →
    goalRows b w sign R goals =
      grid b w n R fun r j => flag sign (word goals r) * indicator (word goals r / 2) j
  | 0, _, _ => rfl
  | R + 1, goals, h => by
    have ih := goalRows_eq (b := b) (w := w) (sign := sign) R (Nat.shiftRight goals 32) (fun r hr => by
      rw [word_succ]; exact h (r + 1) (Nat.succ_le_succ hr))
    have inside : word goals 0 / 2 < n :=
      Natural.div_lt (Nat.succ_le_succ (Nat.zero_le 1)) (h 0 (Nat.succ_le_succ (Nat.zero_le R)))
    show flag sign (Nat.land goals (2 ^ 32 - 1)) * 2 ^ (b * Nat.shiftRight (Nat.land goals (2 ^ 32 - 1)) 1) +
      goalRows b w sign R (Nat.shiftRight goals 32) * 2 ^ (b * w) = pack (b * w) (R + 1) _
    rw [Nat.mul_comm _ (2 ^ (b * w)), word_zero, ih, pack_succ, pack_mul, pack_indicator b _ n inside]
    have e :
      (fun i => pack b n fun j => flag sign (word goals (i + 1)) * indicator (word goals (i + 1) / 2) j) =
        fun r => pack b n fun j => flag sign (word (Nat.shiftRight goals 32) r) *
            indicator (word (Nat.shiftRight goals 32) r / 2) j := funext fun r => by
      rw [word_succ]
    rw [e]
    rfl

/-- The value a goal speaks of: the value itself, or its opposite. -/
def goalOf (v : Nat → K) (goals r : Nat) : K :=
  match Nat.land (word goals r) 1 with
  | 0 => v (word goals r / 2)
  | _ + 1 => -v (word goals r / 2)

theorem parity (x : Nat) : Nat.land x 1 = 0 ∨ Nat.land x 1 = 1 := by
  have e : Nat.land x 1 = x % 2 ^ 1 := land_low x 1
  have l : x % 2 ^ 1 < 2 ^ 1 := Natural.mod_lt (Natural.two_pow_pos 1) x
  rw [e]
  generalize x % 2 ^ 1 = y at l
  cases y with
  | zero => exact Or.inl rfl
  | succ y =>
    cases y with
    | zero => exact Or.inr rfl
    | succ y => exact absurd (Nat.le_of_succ_le_succ (Nat.le_of_succ_le_succ l)) (Nat.not_succ_le_zero _)

/-- The batch of the goals themselves: the values of `n` slots from `start` on, or others in their stead. -/
def begin (frame : Frame) (start n goals : Nat) (next : Batch → Bool) : Bool :=
  both (wordsBelow (Nat.mul 2 n) frame.rows goals)
    (force (fun positive => force (fun negative => next ⟨1, 1, 0, start, n, 1, positive, negative, 0, 0⟩)
      (goalRows frame.digit frame.width 1 frame.rows goals))
        (goalRows frame.digit frame.width 0 frame.rows goals))

theorem begin_sound {frame : Frame} {v : Nat → K} {start n goals : Nat} {next : Batch → Bool}
    (h : begin frame start n goals next = true) :
    ∃ x : Batch, x.start = start ∧
      x.count = n ∧
      x.HoldsOver frame v (goalOf v goals) ∧
      next x = true ∧
      ∀ r, r < frame.rows → word goals r / 2 < n := by
  obtain ⟨hw, h⟩ := both_true h
  have below := wordsBelow_sound (2 * n) frame.rows goals hw
  have inside : ∀ r, r < frame.rows → word goals r / 2 < n :=
    fun r hr => Natural.div_lt (Nat.succ_le_succ (Nat.zero_le 1)) (below r hr)
  simp only [force_eq] at h
  refine ⟨_, ?_, ?_, ?_, h, inside⟩
  · rfl
  · rfl
  · refine ⟨_, _, fun _ => 0, fun _ => 0, goalRows_eq frame.rows goals below,
        goalRows_eq frame.rows goals below, (side_zero _ _ _).symm, (side_zero _ _ _).symm, fun r hr => ?_⟩
    have le : ∀ sign j, flag sign (word goals r) * indicator (word goals r / 2) j < 2 ^ 1 := fun sign j => by
      have a : flag sign (word goals r) ≤ 1 := by
        unfold flag
        cases Nat.beq (Nat.land (word goals r) 1) sign with
        | true => exact Nat.le.refl
        | false => exact Nat.zero_le 1
      have b : indicator (word goals r / 2) j ≤ 1 := by
        unfold indicator
        cases Nat.beq (word goals r / 2) j with
        | true => exact Nat.le.refl
        | false => exact Nat.zero_le 1
      exact Nat.succ_le_succ (Nat.mul_le_mul a b)
    refine ⟨fun j _ => ⟨le 0 j, le 1 j⟩, Nat.le.refl, Nat.le.refl, ?_⟩
    show natural 1 * form n (fun j => flag 0 (word goals r) * indicator (word goals r / 2) j)
            (fun j => flag 1 (word goals r) * indicator (word goals r / 2) j) v + natural 0 ≤
      natural 1 * goalOf v goals r + natural 0
    rw [form_indicator _ _ n _ v (inside r hr)]
    unfold goalOf flag
    cases parity (word goals r) with
    | inl e =>
      rw [e]
      exact le_of_eq ((ring1 K x, 1 * ((1 - 0) * x) + 0, 1 * x + 0) _)
    | inr e =>
      rw [e]
      exact le_of_eq ((ring1 K x, 1 * ((0 - 1) * x) + 0, 1 * -x + 0) _)
end Relaxation
end PytestTorchLean
