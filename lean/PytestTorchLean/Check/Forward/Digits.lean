prelude
import PytestTorchLean.Check.Forward.Compiled
import PytestTorchLean.Check.Forward.Bands
/-!
# Whole layers of forms in one number

The two coefficients of a deviation stand in the halves of a word, as two bounds do in the memory. What a ReLU
does to the forms is done here for all values of a layer at once: magnitudes, the smaller and the larger of
two digits, slopes by a division bit by bit, and multiplication by the slopes. Nothing depends on the slopes
being good.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open Natural

/-! ### Halves -/

/-- The upper halves of all words. -/
def uppers (s : Scale) (n x : Nat) : Nat := Decode.field s.half s.half x (ones s.stride n)
/-- The lower halves of all words. -/
def lowers (s : Scale) (n x : Nat) : Nat := Decode.low s.half x (ones s.stride n)

theorem uppers_eq {s : Scale} {n : Nat} {f g : Nat → Nat} (half : 0 < s.half)
    (hf : ∀ i, i < n → f i < 2 ^ s.half) (hg : ∀ i, i < n → g i < 2 ^ s.half) :
    uppers s n (pack s.stride n (fun i => f i + 2 ^ s.half * g i)) = pack s.stride n g := by
  have e := Decode.field_pack (b := s.stride) (m := n) (j := s.half) (k := s.half)
    (w := fun i => f i + 2 ^ s.half * g i) Nat.le.refl (Nat.le_trans half (Nat.le_add_right _ _))
    (fun i hi => Memory.halves_lt (hf i hi) (hg i hi))
  refine e.trans (pack_congr fun i hi => ?_)
  rw [add_mul_div _ (hf i hi), mod_eq_self (hg i hi)]
theorem lowers_eq {s : Scale} {n : Nat} {f g : Nat → Nat} (half : 0 < s.half)
    (hf : ∀ i, i < n → f i < 2 ^ s.half) (hg : ∀ i, i < n → g i < 2 ^ s.half) :
    lowers s n (pack s.stride n (fun i => f i + 2 ^ s.half * g i)) = pack s.stride n f := by
  have e := Decode.low_pack (b := s.stride) (m := n) (k := s.half) (w := fun i => f i + 2 ^ s.half * g i)
    (Nat.le_add_right _ _) (Nat.le_trans half (Nat.le_add_right _ _))
    (fun i hi => Memory.halves_lt (hf i hi) (hg i hi))
  refine e.trans (pack_congr fun i hi => ?_)
  exact add_mul_mod _ (hf i hi)

/-! ### Distances, smaller and larger digits -/

def apart (x y : Nat) : Nat := (x - y) + (y - x)
/-- The distance of the digits of two vectors, digits below `2^v`. -/
def distances (b n v x y : Nat) : Nat := Nat.add (Vector.difference b n v x y) (Vector.difference b n v y x)
theorem distances_eq {b n v : Nat} {f g : Nat → Nat} (hv : v + 1 ≤ b) (hf : ∀ i, i < n → f i < 2 ^ v)
    (hg : ∀ i, i < n → g i < 2 ^ v) :
    distances b n v (pack b n f) (pack b n g) = pack b n (fun i => apart (f i) (g i)) := by
  unfold distances
  rw [Vector.difference_eq hv hf hg, Vector.difference_eq hv hg hf]
  exact (pack_add _ _ _ _).symm
theorem apart_le {x y c : Nat} (hx : x ≤ c) (hy : y ≤ c) : apart x y ≤ c := by
  unfold apart
  cases Nat.le_total x y with
  | inl h =>
    rw [Nat.sub_eq_zero_of_le h, Nat.zero_add]
    exact Nat.le_trans (Natural.sub_le _ _) hy
  | inr h =>
    rw [Nat.sub_eq_zero_of_le h]
    exact Nat.le_trans (Natural.sub_le _ _) hx

/-- `x - (x - y)` -/
def least (x y : Nat) : Nat := x - (x - y)
theorem least_left (x y : Nat) : least x y ≤ x := Natural.sub_le _ _
theorem least_right (x y : Nat) : least x y ≤ y := by
  unfold least
  cases Nat.le_total x y with
  | inl h => rw [Nat.sub_eq_zero_of_le h]; exact h
  | inr h =>
    obtain ⟨k, rfl⟩ := Nat.exists_of_le h
    rw [Natural.add_sub_cancel_left, Natural.add_sub_cancel]; exact Nat.le.refl
theorem least_cases (x y : Nat) : least x y = x ∨ least x y = y := by
  unfold least
  cases Nat.le_total x y with
  | inl h => left; rw [Nat.sub_eq_zero_of_le h]; rfl
  | inr h =>
    right
    obtain ⟨k, rfl⟩ := Nat.exists_of_le h
    rw [Natural.add_sub_cancel_left, Natural.add_sub_cancel]
def smaller (b n v x y : Nat) : Nat := Nat.sub x (Vector.difference b n v x y)
theorem smaller_eq {b n v : Nat} {f g : Nat → Nat} (hv : v + 1 ≤ b) (hf : ∀ i, i < n → f i < 2 ^ v)
    (hg : ∀ i, i < n → g i < 2 ^ v) :
    smaller b n v (pack b n f) (pack b n g) = pack b n (fun i => least (f i) (g i)) := by
  unfold smaller
  rw [Vector.difference_eq hv hf hg]
  exact (pack_sub fun i _ => Natural.sub_le _ _).symm
/-- `y + (x - y)` -/
def most (x y : Nat) : Nat := y + (x - y)
theorem most_right (x y : Nat) : y ≤ most x y := Nat.le_add_right _ _
theorem most_left (x y : Nat) : x ≤ most x y := by
  unfold most
  cases Nat.le_total x y with
  | inl h => exact Nat.le_trans h (Nat.le_add_right _ _)
  | inr h => rw [Nat.add_comm, Natural.sub_add_cancel h]; exact Nat.le.refl
theorem most_le {x y c : Nat} (hx : x ≤ c) (hy : y ≤ c) : most x y ≤ c := by
  unfold most
  cases Nat.le_total x y with
  | inl h => rw [Nat.sub_eq_zero_of_le h]; exact hy
  | inr h => rw [Nat.add_comm, Natural.sub_add_cancel h]; exact hx
def larger (b n v x y : Nat) : Nat := Nat.add y (Vector.difference b n v x y)
theorem larger_eq {b n v : Nat} {f g : Nat → Nat} (hv : v + 1 ≤ b) (hf : ∀ i, i < n → f i < 2 ^ v)
    (hg : ∀ i, i < n → g i < 2 ^ v) :
    larger b n v (pack b n f) (pack b n g) = pack b n (fun i => most (f i) (g i)) := by
  unfold larger
  rw [Vector.difference_eq hv hf hg]
  exact (pack_add _ _ _ _).symm

/-! ### Bits and slopes -/

/-- A bit of every digit of any number. -/
def bitsAt (b n v x : Nat) : Nat := Nat.land (Nat.shiftRight x v) (ones b n)
theorem bitsAt_eq {b : Nat} (hb : 0 < b) (n v x : Nat) :
    ∃ f : Nat → Nat, bitsAt b n v x = pack b n f ∧ ∀ i, f i ≤ 1 := by
  have e := Decode.low_digit (b := b) (k := 1) hb hb n (Nat.shiftRight x v)
  have one : (2 ^ 1 - 1) * ones b n = ones b n := Natural.one_mul _
  refine ⟨fun i => digit b (Nat.shiftRight x v) i % 2 ^ 1, ?_, fun i => Decode.bit_le _⟩
  rw [← e]
  show _ = Nat.land _ ((2 ^ 1 - 1) * ones b n)
  rw [one]; rfl

/-- Digit by digit the bits of `2^stages * remainder / divisor`, one after the other. -/
def quotients (b n v divisor : Nat) (stages : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ found => found)
    (fun _ rest remainder found => force (fun twice => force (fun bits => force
            (fun remainder' => force (rest remainder') (Nat.add (Nat.add found found) bits))
            (Nat.sub twice (Nat.land divisor (Nat.mul (Nat.sub (Nat.pow 2 v) 1) bits))))
          (bitsAt b n v (Nat.sub (Nat.add (Nat.mul (Nat.pow 2 v) (ones b n)) twice) divisor)))
        (Nat.add remainder remainder)) stages
theorem quotients_digits {b : Nat} (hb : 0 < b) (n v divisor : Nat) :
    (stages remainder found : Nat) → (a : Nat → Nat) →
    found = pack b n a →
    ∃ a' : Nat → Nat,
      quotients b n v divisor stages remainder found = pack b n a' ∧ ∀ i, a' i < 2 ^ stages * (a i + 1)
  | 0, _, _, a, h => ⟨a, h, fun i => by show a i < 1 * (a i + 1); rw [Natural.one_mul]; exact Nat.le.refl⟩
  | stages + 1, remainder, found, a, h => by
    have e : quotients b n v divisor (stages + 1) remainder found =
      force (fun twice => force (fun bits => force (fun remainder' =>
              force (quotients b n v divisor stages remainder') (Nat.add (Nat.add found found) bits))
            (Nat.sub twice (Nat.land divisor (Nat.mul (Nat.sub (Nat.pow 2 v) 1) bits))))
          (bitsAt b n v (Nat.sub (Nat.add (Nat.mul (Nat.pow 2 v) (ones b n)) twice) divisor)))
        (Nat.add remainder remainder) := rfl
    rw [e, force_eq, force_eq, force_eq, force_eq]
    obtain ⟨f, ef, hf⟩ := bitsAt_eq hb n v
      (Nat.sub (Nat.add (Nat.mul (Nat.pow 2 v) (ones b n)) (Nat.add remainder remainder)) divisor)
    have next : Nat.add (Nat.add found found)
      (bitsAt b n v
        (Nat.sub (Nat.add (Nat.mul (Nat.pow 2 v) (ones b n)) (Nat.add remainder remainder)) divisor)) =
        pack b n (fun i => a i + a i + f i) := by
      rw [ef, h]
      show pack b n a + pack b n a + pack b n f = _
      rw [← pack_add, ← pack_add]
    obtain ⟨a', e', h'⟩ := quotients_digits hb n v divisor stages _ _ (fun i => a i + a i + f i) next
    refine ⟨a', e', fun i => Natural.lt_of_lt_of_le (h' i) ?_⟩
    have z : a i + a i + f i + 1 ≤ 2 * (a i + 1) := by
      rw [Nat.mul_add, Natural.two_mul, Natural.mul_one]
      show a i + a i + f i + 1 ≤ a i + a i + 1 + 1
      exact Nat.succ_le_succ (Nat.add_le_add Nat.le.refl (hf i))
    rw [Natural.pow_succ, Nat.mul_comm 2, Nat.mul_assoc]
    exact Nat.mul_le_mul Nat.le.refl z

/-! ### Multiplying by slopes -/

/-- A coefficient's digit times a slope of `bits` bits after the point, the center kept. -/
def tilt (c bits x a : Nat) : Nat := (x * a + c * (2 ^ bits - a)) / 2 ^ bits
theorem tilt_le {c bits x a top : Nat} (ha : a ≤ 2 ^ bits) (hc : c ≤ top) (hx : x ≤ top) :
    tilt c bits x a ≤ top := by
  have h : x * a + c * (2 ^ bits - a) ≤ 2 ^ bits * top := by
    refine Nat.le_trans (Nat.add_le_add (Nat.mul_le_mul hx Nat.le.refl) (Nat.mul_le_mul hc Nat.le.refl)) ?_
    rw [← Nat.mul_add, Nat.add_comm a, Natural.sub_add_cancel ha, Nat.mul_comm]; exact Nat.le.refl
  refine Nat.le_of_succ_le_succ (Natural.div_lt (Natural.two_pow_pos bits) (C := top + 1) ?_)
  rw [Nat.mul_succ]
  exact Nat.le_trans (Nat.succ_le_succ h)
    (Nat.add_le_add (Nat.le.refl (n := 2 ^ bits * top)) (Natural.two_pow_pos bits))

/-- All coefficients of a deviation times the slopes; `rest` is the center times what the slopes lack to 1. -/
def tilted (s : Scale) (bits n slopes rest x : Nat) : Nat :=
  Decode.field bits (Nat.sub s.half bits)
    (Nat.add (Matrix.multiply s.half (Nat.mul 2 n) (Nat.succ bits) x slopes) rest) (ones s.half (Nat.mul 2 n))
def untilted (s : Scale) (bits n slopes : Nat) : Nat :=
  Nat.mul s.center (Nat.sub (Nat.mul (Nat.pow 2 bits) (ones s.half (Nat.mul 2 n))) slopes)

theorem tilted_eq {s : Scale} {bits n : Nat} {l u a c : Nat → Nat}
    (half : 0 < s.half)
    (hbits : bits + 1 ≤ s.half)
    (room : s.top * 2 ^ bits < 2 ^ s.half)
    (hx : ∀ i, i < n → l i ≤ s.top ∧ u i ≤ s.top)
    (ha : ∀ i, i < n → a i ≤ 2 ^ bits ∧ c i ≤ 2 ^ bits) :
    tilted s bits n (pack s.stride n (fun i => a i + 2 ^ s.half * c i))
      (untilted s bits n (pack s.stride n (fun i => a i + 2 ^ s.half * c i)))
      (pack s.stride n (fun i => l i + 2 ^ s.half * u i)) =
    pack s.stride n
      (fun i => tilt s.center bits (l i) (a i) + 2 ^ s.half * tilt s.center bits (u i) (c i)) := by
  have top_lt : s.top < 2 ^ s.half := by
    refine Nat.le_trans (Nat.succ_le_succ ?_) room
    have z := Nat.mul_le_mul (Nat.le.refl (n := s.top)) (Natural.two_pow_pos bits)
    exact Nat.le_trans (Natural.le_of_eq (Natural.mul_one _).symm) z
  have hp : ∀ j, j < 2 * n → Vector.pair j l u ≤ s.top := Vector.pair_all (P := fun x => x ≤ s.top) n l u hx
  have hq :
    ∀ j, j < 2 * n → Vector.pair j a c ≤ 2 ^ bits := Vector.pair_all (P := fun x => x ≤ 2 ^ bits) n a c ha
  have xs :
    pack s.stride n (fun i => l i + 2 ^ s.half * u i) = pack s.half (2 * n) (fun j => Vector.pair j l u) :=
    (Vector.pack_pair s.half n l u).symm
  have ss :
    pack s.stride n (fun i => a i + 2 ^ s.half * c i) = pack s.half (2 * n) (fun j => Vector.pair j a c) :=
    (Vector.pack_pair s.half n a c).symm
  have small : ∀ {y : Nat}, y ≤ 2 ^ bits → y < 2 ^ (bits + 1) := fun h => Natural.lt_of_le_of_lt h (by
    rw [Natural.pow_succ, Natural.two_mul];
      exact Nat.add_le_add (Nat.le.refl (n := 2 ^ bits)) (Natural.two_pow_pos bits))
  have product := Matrix.multiply_eq (b := s.half) (m := 2 * n) (bits := bits + 1)
    (x := fun j => Vector.pair j l u) (v := fun j => Vector.pair j a c) half hbits
    (fun j hj => Natural.lt_of_le_of_lt (hp j hj) top_lt) (fun j hj => small (hq j hj))
  have rest : untilted s bits n (pack s.half (2 * n) (fun j => Vector.pair j a c)) =
      pack s.half (2 * n) (fun j => s.center * (2 ^ bits - Vector.pair j a c)) := by
    show s.center * (2 ^ bits * ones s.half (2 * n) - _) = _
    rw [mul_ones half, ← pack_sub hq, ← pack_mul]
  rw [xs, ss, rest]
  unfold tilted
  have product : Matrix.multiply s.half (Nat.mul 2 n) (Nat.succ bits)
      (pack s.half (2 * n) fun j => Vector.pair j l u) (pack s.half (2 * n) fun j => Vector.pair j a c) = _ :=
    product
  rw [product]
  have sum : Nat.add (pack s.half (2 * n) (fun i => Vector.pair i l u * Vector.pair i a c))
      (pack s.half (2 * n) (fun j => s.center * (2 ^ bits - Vector.pair j a c))) =
    pack s.half (2 * n)
      (fun j => Vector.pair j l u * Vector.pair j a c + s.center * (2 ^ bits - Vector.pair j a c)) :=
    (pack_add _ _ _ _).symm
  rw [sum]
  have bound : ∀ j, j < 2 * n →
      Vector.pair j l u * Vector.pair j a c + s.center * (2 ^ bits - Vector.pair j a c) ≤ s.top * 2 ^ bits :=
      fun j hj => by
    refine Nat.le_trans
      (Nat.add_le_add (Nat.mul_le_mul (hp j hj) Nat.le.refl)
        (Nat.mul_le_mul (Nat.le_add_right s.center s.center) Nat.le.refl)) ?_
    show s.top * _ + s.top * _ ≤ _
    rw [← Nat.mul_add, Nat.add_comm (Vector.pair j a c), Natural.sub_add_cancel (hq j hj)]; exact Nat.le.refl
  have le_half : bits ≤ s.half := Nat.le_trans (Nat.le_add_right _ _) hbits
  have whole : bits + (s.half - bits) = s.half := by rw [Nat.add_comm]; exact Natural.sub_add_cancel le_half
  have cut := Decode.field_pack (b := s.half) (m := 2 * n) (j := bits) (k := s.half - bits)
    (w := fun j => Vector.pair j l u * Vector.pair j a c + s.center * (2 ^ bits - Vector.pair j a c))
      (Natural.le_of_eq whole) half
    (fun j hj => Natural.lt_of_le_of_lt (bound j hj) room)
  refine Eq.trans cut ?_
  have g := Vector.pack_map (fun x y => tilt s.center bits x y) s.half n l u a c
  refine Eq.trans (pack_congr fun j hj => ?_) g
  refine Natural.mod_eq_self (Natural.div_lt (Natural.two_pow_pos bits) ?_)
  rw [← Natural.pow_add, whole]
  exact Natural.lt_of_le_of_lt (bound j hj) room

/-! ### Lowering digits -/

/-- Subtract digits; `false` where one would borrow. -/
def lowered (b n w x y : Nat) (next : Nat → Bool) : Bool :=
  force (fun guards => force
      (fun d => both (Nat.beq (Nat.land d guards) guards) (force next (Nat.sub d guards)))
      (Nat.sub (Nat.add guards x) y)) (Nat.mul (Nat.pow 2 w) (ones b n))
theorem lowered_sound {b n w : Nat} {f g : Nat → Nat} {next : Nat → Bool}
    (hw : w + 1 ≤ b)
    (hf : ∀ i, i < n → f i < 2 ^ w)
    (hg : ∀ i, i < n → g i < 2 ^ w)
    (h : lowered b n w (pack b n f) (pack b n g) next = true) :
    (∀ i, i < n → g i ≤ f i) ∧ next (pack b n (fun i => f i - g i)) = true := by
  have hb : 0 < b := Nat.le_trans (Nat.succ_le_succ (Nat.zero_le w)) hw
  unfold lowered at h
  simp only [force_eq] at h
  obtain ⟨c, h⟩ := both_true h
  have c := Nat.eq_of_beq_eq_true c
  have diff : Nat.sub (Nat.add (Nat.mul (Nat.pow 2 w) (ones b n)) (pack b n f)) (pack b n g) =
    pack b n (fun i => 2 ^ w + f i - g i) := Vector.guarded_eq hb hg
  rw [diff] at c h
  have le := Vector.unborrowed hw hf hg c
  refine ⟨le, ?_⟩
  have clear : Nat.sub (pack b n (fun i => 2 ^ w + f i - g i)) (Nat.mul (Nat.pow 2 w) (ones b n)) =
      pack b n (fun i => f i - g i) := by
    show pack b n _ - 2 ^ w * ones b n = _
    rw [mul_ones hb]
    have e : pack b n (fun i => 2 ^ w + f i - g i) = pack b n (fun i => 2 ^ w + (f i - g i)) :=
        pack_congr fun i hi => by
      rw [Vector.offset_eq (le i hi), Natural.mul_one, Nat.add_comm]
    rw [e, pack_add, Natural.add_sub_cancel_left]
  rw [clear] at h
  exact h

end Forward
end PytestTorchLean
