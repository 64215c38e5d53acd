prelude
import PytestTorchLean.Check.Relaxation.Positions
/-!
# The columns' sums, handed back

`convolved` hands what it finds on to what comes next, as everything that the kernel evaluates does. A program
that does so holds the numbers of all columns until what comes next is done, and that is the rest of the
certificate. Here the same sums are handed back instead, and the compiler takes these.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix

/-- What comes next, if something was found. -/
@[inline] def handed {α : Type} (found : Option α) (next : α → Bool) : Bool :=
  Option.rec (motive := fun _ => Bool) false next found

/-- What is made of what was found. -/
@[inline] def followed {α β : Type} (found : Option α) (next : α → Option β) : Option β :=
  Option.rec (motive := fun _ => Option β) none next found
theorem followed_handed {α β : Type} (found : Option α) (then' : α → Option β) (next : β → Bool) :
    handed found (fun x => handed (then' x) next) = handed (followed found then') next := by
  cases found with
  | none => rfl
  | some x => rfl

/-- What was found, if a test passes. -/
@[macro_inline] def tested {α : Type} (test : Bool) (found : Option α) : Option α :=
  Bool.casesOn (motive := fun _ => Option α) test none found
theorem both_handed {α : Type} (test : Bool) (found : Option α) (next : α → Bool) :
    both test (handed found next) = handed (tested test found) next := by
  cases test with
  | true => rfl
  | false => rfl

/-- The same as `word`, without a division, which a program would carry out. -/
def maskedWord (x : Nat) : Nat → Nat
  | 0 => Nat.land x (2 ^ 32 - 1)
  | Nat.succ i => Nat.land (Nat.shiftRight x (32 * Nat.succ i)) (2 ^ 32 - 1)
@[csimp] theorem word_masked : @word = @maskedWord :=
  funext fun x => funext fun
    | 0 => (word_zero x).symm
    | Nat.succ i => by
      show word x (Nat.succ i) = Nat.land (Nat.shiftRight x (32 * Nat.succ i)) (2 ^ 32 - 1)
      rw [word_zero, word_shift]

/-- What `marks` hands on. -/
def marked (unit sourceBits placeBits : Nat) (positions : Nat) : Nat → Nat → Nat → Nat → Option Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Option Nat)
    (fun _ _ _ found => some found)
    (fun _ rest sources places one found =>
      Bool.casesOn (motive := fun _ => Option Nat) (Nat.beq (word sources 0) 0)
        (tested (Nat.beq (word sources 0) (word places 0))
          (rest (Nat.shiftRight sources sourceBits) (Nat.shiftRight places placeBits)
            (one * 2 ^ unit) (found + one)))
        (rest (Nat.shiftRight sources sourceBits) (Nat.shiftRight places placeBits)
          (one * 2 ^ unit) found)) positions

theorem counts_handed (slot place : Nat) (yes no : Option Nat) (next : Nat → Bool) :
    counts slot place (handed yes next) (handed no next) =
      handed (Bool.casesOn (motive := fun _ => Option Nat) (Nat.beq slot 0)
        (tested (Nat.beq slot place) yes) no) next := by
  unfold counts both tested
  cases Nat.beq slot 0 with
  | true => rfl
  | false =>
    cases Nat.beq slot place with
    | true => rfl
    | false => rfl

theorem marks_handed (unit sourceBits placeBits : Nat) (next : Nat → Bool) (positions : Nat) :
    ∀ sources places one found : Nat,
    marks unit sourceBits placeBits positions sources places one found next =
      handed (marked unit sourceBits placeBits positions sources places one found) next := by
  induction positions with
  | zero => exact fun _ _ _ _ => rfl
  | succ positions ih =>
    intro sources places one found
    rw [marks_succ, ih, ih, counts_handed]
    unfold marked
    rfl

/-- What `marksInBlocks` hands on. -/
def markedInBlocks (unit sourceBits placeBits size rest : Nat) (blocks : Nat) :
    Nat → Nat → Nat → Nat → Option Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Option Nat)
    (fun sources places spot found => followed (marked unit sourceBits placeBits rest sources places 1 0)
      fun own => some (found + Nat.shiftLeft own spot))
    (fun _ later sources places spot found =>
      followed (marked unit sourceBits placeBits size (Nat.land sources (2 ^ (sourceBits * size) - 1))
          (Nat.land places (2 ^ (placeBits * size) - 1)) 1 0)
        fun own => later (Nat.shiftRight sources (sourceBits * size))
          (Nat.shiftRight places (placeBits * size)) (spot + unit * size) (found + Nat.shiftLeft own spot))
    blocks

theorem marksInBlocks_handed (unit sourceBits placeBits size rest : Nat) (next : Nat → Bool) (blocks : Nat) :
    ∀ sources places spot found : Nat,
    marksInBlocks unit sourceBits placeBits size rest blocks sources places spot found next =
      handed (markedInBlocks unit sourceBits placeBits size rest blocks sources places spot found) next := by
  induction blocks with
  | zero =>
    intro sources places spot found
    have e : marksInBlocks unit sourceBits placeBits size rest 0 sources places spot found next =
        marks unit sourceBits placeBits rest sources places 1 0
          fun own => next (found + Nat.shiftLeft own spot) := rfl
    rw [e, marks_handed]
    unfold markedInBlocks
    exact followed_handed _ (fun own => some (found + Nat.shiftLeft own spot)) next
  | succ blocks ih =>
    intro sources places spot found
    have e := funext fun own : Nat => ih (Nat.shiftRight sources (sourceBits * size))
      (Nat.shiftRight places (placeBits * size)) (spot + unit * size) (found + Nat.shiftLeft own spot)
    rw [marksInBlocks_succ, e, marks_handed, followed_handed]
    unfold markedInBlocks
    rfl

/-- What `settle` hands on. -/
def settled (s : Scale) (field : Field) (direct mirrored slot t gain loss : Nat) {α : Type}
    (next : Nat → Nat → α) : α :=
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

theorem settle_handed {α : Type} (s : Scale) (field : Field) (direct mirrored slot t gain loss : Nat)
    (found : Nat → Nat → Option α) (next : α → Bool) :
    settle s field direct mirrored slot t gain loss (fun gain' loss' => handed (found gain' loss') next) =
      handed (settled s field direct mirrored slot t gain loss found) next := by
  unfold settle settled
  simp only [force_eq]

/-- What `convolved` hands on: coefficients, gains and losses. -/
def collected (s : Scale) (x : Convolution) (direct mirrored memory remaining : Nat) :
    Nat → Nat → Nat → Nat → Nat → Nat → Option (Nat × (Nat × Nat)) :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → Nat → Option (Nat × (Nat × Nat)))
    (fun _ _ _ grid gain loss => some ⟨grid, ⟨gain, loss⟩⟩)
    (fun _ rest k sources shifts grid gain loss =>
      Bool.casesOn (motive := fun _ => Option (Nat × (Nat × Nat))) (Nat.beq (word shifts 0) 4294967295)
        (tested (Nat.ble (word shifts 0 + x.rows * x.positions) x.count)
          (followed (markedInBlocks (x.field.frame.digit * x.rows) (32 * x.columns) (32 * x.rows) blockSize
              (Nat.mod x.positions blockSize) (Nat.div x.positions blockSize) sources
              (Nat.shiftRight x.places (32 * word shifts 0)) 0 0) fun own =>
            rest (k + 1) (Nat.shiftRight sources 32) (Nat.shiftRight shifts 32)
              (grid + Nat.shiftLeft (x.column k own) (x.field.frame.digit * word shifts 0)) gain loss))
        (tested (alike (32 * x.columns) x.positions (word sources 0) sources)
          (tested (Nat.ble (word sources 0 + 1) memory)
            (settled s x.field direct mirrored (word sources 0) (x.together k) gain loss fun gain' loss' =>
              rest (k + 1) (Nat.shiftRight sources 32) (Nat.shiftRight shifts 32) grid gain' loss'))))
    remaining

theorem steady_handed {α : Type} (shift : Nat) (steady moved : Option α) (next : α → Bool) :
    steadyOr shift (handed steady next) (handed moved next) =
      handed (Bool.casesOn (motive := fun _ => Option α) (Nat.beq shift 4294967295) moved steady) next := by
  unfold steadyOr
  cases Nat.beq shift 4294967295 with
  | true => rfl
  | false => rfl

/-- What comes next, with coefficients, gains and losses. -/
@[inline] def spread (next : Nat → Nat → Nat → Bool) (found : Nat × (Nat × Nat)) : Bool :=
  next found.fst found.snd.fst found.snd.snd

theorem convolved_handed (s : Scale) (x : Convolution) (direct mirrored memory : Nat)
    (next : Nat → Nat → Nat → Bool) (remaining : Nat) :
    ∀ k sources shifts grid gain loss : Nat,
    convolved s x direct mirrored memory remaining k sources shifts grid gain loss next =
      handed (collected s x direct mirrored memory remaining k sources shifts grid gain loss)
        (spread next) := by
  induction remaining with
  | zero => exact fun _ _ _ _ _ _ => rfl
  | succ remaining ih =>
    intro k sources shifts grid gain loss
    have steady : (fun gain' loss' => convolved s x direct mirrored memory remaining (k + 1)
        (Nat.shiftRight sources 32) (Nat.shiftRight shifts 32) grid gain' loss' next) =
        fun gain' loss' => handed (collected s x direct mirrored memory remaining (k + 1)
          (Nat.shiftRight sources 32) (Nat.shiftRight shifts 32) grid gain' loss') (spread next) :=
      funext fun gain' => funext fun loss' => ih _ _ _ _ _ _
    have moved : (fun own : Nat => convolved s x direct mirrored memory remaining (k + 1)
        (Nat.shiftRight sources 32) (Nat.shiftRight shifts 32)
        (grid + Nat.shiftLeft (x.column k own) (x.field.frame.digit * word shifts 0)) gain loss next) =
        fun own => handed (collected s x direct mirrored memory remaining (k + 1)
          (Nat.shiftRight sources 32) (Nat.shiftRight shifts 32)
          (grid + Nat.shiftLeft (x.column k own) (x.field.frame.digit * word shifts 0)) gain loss)
          (spread next) :=
      funext fun own => ih _ _ _ _ _ _
    rw [convolved_succ, steady, moved, settle_handed, both_handed, both_handed]
    unfold marksOf
    rw [marksInBlocks_handed, followed_handed, both_handed, steady_handed]
    unfold collected
    rfl

/-- `convolved` for the compiler. -/
def handing (s : Scale) (x : Convolution) (direct mirrored memory remaining k sources shifts grid gain
    loss : Nat) (next : Nat → Nat → Nat → Bool) : Bool :=
  handed (collected s x direct mirrored memory remaining k sources shifts grid gain loss) (spread next)
@[csimp] theorem convolved_eq : @convolved = @handing :=
  funext fun s => funext fun x => funext fun direct => funext fun mirrored => funext fun memory =>
    funext fun remaining => funext fun k => funext fun sources => funext fun shifts => funext fun grid =>
      funext fun gain => funext fun loss => funext fun next =>
        convolved_handed s x direct mirrored memory next remaining k sources shifts grid gain loss

end Relaxation
end PytestTorchLean
