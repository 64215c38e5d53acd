prelude
import PytestTorchLean.Core.Nat
/-!
# What the accelerated functions on natural numbers compute

Lean's kernel replaces `Nat.add`, `sub`, `mul`, `pow`, `beq`, `ble`, `div`, `mod`, `gcd`, `land`, `lor`,
`xor`, `shiftLeft`, `shiftRight` and `log2` on literals by calls of GMP, going by the *name*. That is sound
only if our definitions of these names have the standard meaning. Below, each function is characterised by
equations proved for variables, where the kernel has to unfold our definition. (`Core/Clones.lean`
compares definition and GMP on numbers.)
-/
namespace PytestTorchLean.NatEquations
open Nat

/-! ### Addition, subtraction, multiplication, power, comparison: structural recursion -/
theorem add_zero (n : Nat) : Nat.add n 0 = n := rfl
theorem add_succ (n m : Nat) : Nat.add n (m + 1) = Nat.add n m + 1 := rfl
theorem sub_zero (n : Nat) : Nat.sub n 0 = n := rfl
theorem sub_zero_left (m : Nat) : Nat.sub 0 m = 0 := Nat.zero_sub m
theorem sub_succ_succ (n m : Nat) : Nat.sub (n + 1) (m + 1) = Nat.sub n m := Nat.succ_sub_succ n m
theorem mul_zero (n : Nat) : Nat.mul n 0 = 0 := rfl
theorem mul_succ (n m : Nat) : Nat.mul n (m + 1) = Nat.mul n m + n := rfl
theorem pow_zero (n : Nat) : Nat.pow n 0 = 1 := rfl
theorem pow_succ (n m : Nat) : Nat.pow n (m + 1) = Nat.pow n m * n := rfl
theorem beq_iff (n m : Nat) : Nat.beq n m = true ↔ n = m :=
  ⟨Nat.eq_of_beq_eq_true, fun h => h ▸ Nat.beq_refl n⟩
theorem ble_iff (n m : Nat) : Nat.ble n m = true ↔ n ≤ m :=
  ⟨Nat.le_of_ble_eq_true, Nat.ble_eq_true_of_le⟩
theorem beq_zero_zero : Nat.beq 0 0 = true := rfl
theorem beq_zero_succ (m : Nat) : Nat.beq 0 (m + 1) = false := rfl
theorem beq_succ_zero (n : Nat) : Nat.beq (n + 1) 0 = false := rfl
theorem beq_succ_succ (n m : Nat) : Nat.beq (n + 1) (m + 1) = Nat.beq n m := rfl
theorem ble_zero (m : Nat) : Nat.ble 0 m = true := by cases m <;> rfl
theorem ble_succ_zero (n : Nat) : Nat.ble (n + 1) 0 = false := rfl
theorem ble_succ_succ (n m : Nat) : Nat.ble (n + 1) (m + 1) = Nat.ble n m := rfl
theorem ble_eq_false {n m : Nat} (h : m < n) : Nat.ble n m = false :=
  Bool.of_not_eq_true (fun g => not_le_of_lt h (Nat.le_of_ble_eq_true g))

/-! ### Division and remainder -/
theorem div_zero (n : Nat) : Nat.div n 0 = 0 := rfl
theorem divFuel_spec (f n m : Nat) (hm : 0 < m) (hf : n ≤ f) :
    Nat.divFuel f n m * m ≤ n ∧ n < (Nat.divFuel f n m + 1) * m := by
  induction f generalizing n with
  | zero =>
    have e := eq_zero_of_le_zero hf
    subst e
    show 0 * m ≤ 0 ∧ 0 < (0 + 1) * m
    rw [Nat.zero_mul, Nat.zero_add, Nat.one_mul]
    exact ⟨Nat.le.refl, hm⟩
  | succ f ih =>
    show cond (Nat.ble m n) (succ (Nat.divFuel f (n - m) m)) 0 * m ≤ n ∧
      n < (cond (Nat.ble m n) (succ (Nat.divFuel f (n - m) m)) 0 + 1) * m
    cases hb : Nat.ble m n with
    | false =>
      show 0 * m ≤ n ∧ n < (0 + 1) * m
      rw [Nat.zero_mul, Nat.zero_add, Nat.one_mul]
      exact ⟨zero_le n, lt_of_not_le (fun h => ne_true_of_eq_false hb (Nat.ble_eq_true_of_le h))⟩
    | true =>
      have hs : n - m + m = n := Nat.sub_add_cancel (Nat.le_of_ble_eq_true hb)
      have hl : n - m ≤ f := by
        have h : n - m + 1 ≤ n - m + m := Nat.add_le_add Nat.le.refl hm
        rw [hs] at h
        exact le_of_succ_le_succ (Nat.le_trans h hf)
      have ⟨h1, h2⟩ := ih (n - m) hl
      show (Nat.divFuel f (n - m) m + 1) * m ≤ n ∧ n < (Nat.divFuel f (n - m) m + 1 + 1) * m
      generalize Nat.divFuel f (n - m) m = q at *
      constructor
      · rw [Nat.succ_mul, ← hs]; exact Nat.add_le_add h1 Nat.le.refl
      · rw [Nat.succ_mul (q + 1)]
        have h3 : succ (n - m) + m ≤ (q + 1) * m + m := Nat.add_le_add h2 Nat.le.refl
        rw [Nat.succ_add, hs] at h3
        exact h3
/-- The quotient is the number q with q*m ≤ n < (q+1)*m. -/
theorem div_spec (n m : Nat) (hm : 0 < m) : Nat.div n m * m ≤ n ∧ n < (Nat.div n m + 1) * m := by
  cases m with
  | zero => exact absurd hm (Nat.not_succ_le_zero 0)
  | succ m => exact divFuel_spec n n (m+1) hm Nat.le.refl
theorem div_unique {n m q : Nat} (h : q * m ≤ n) (g : n < (q + 1) * m) : Nat.div n m = q := by
  cases m with
  | zero => exact absurd g (Nat.not_succ_le_zero n)
  | succ m =>
    have ⟨a, b⟩ := div_spec n (m + 1) (succ_pos m)
    exact Nat.le_antisymm (le_of_succ_le_succ (lt_of_mul_lt_mul_right (lt_of_le_of_lt a g)))
      (le_of_succ_le_succ (lt_of_mul_lt_mul_right (lt_of_le_of_lt h b)))
theorem mod_eq (n m : Nat) : Nat.mod n m = n - m * Nat.div n m := rfl
theorem mod_zero (n : Nat) : Nat.mod n 0 = n := by
  rw [mod_eq, Nat.zero_mul, Nat.sub_zero]
theorem div_add_mod (n m : Nat) : m * Nat.div n m + Nat.mod n m = n := by
  cases m with
  | zero => rw [mod_zero, Nat.zero_mul, Nat.zero_add]
  | succ m =>
    rw [mod_eq, Nat.add_comm]
    have h := (div_spec n (m + 1) (succ_pos m)).1
    rw [Nat.mul_comm] at h
    exact Nat.sub_add_cancel h
theorem mod_lt (n : Nat) {m : Nat} (hm : 0 < m) : Nat.mod n m < m := by
  have h := (div_spec n m hm).2
  have e := div_add_mod n m
  generalize Nat.mod n m = r at *
  generalize Nat.div n m = q at *
  rw [Nat.succ_mul, ← e, Nat.mul_comm m q] at h
  cases lt_or_ge r m with
  | inl g => exact g
  | inr g => exact absurd (Nat.add_le_add (Nat.le_refl (q * m)) g) (not_le_of_lt h)
theorem mod_unique {n m q r : Nat} (e : n = m * q + r) (h : r < m) : Nat.div n m = q ∧ Nat.mod n m = r := by
  have d : Nat.div n m = q := by
    apply div_unique
    · rw [e, Nat.mul_comm]; exact Nat.le_add_right _ _
    · rw [e, Nat.succ_mul, Nat.mul_comm m q]; exact Nat.add_le_add (Nat.le_refl (q * m)) h
  refine ⟨d, ?_⟩
  rw [mod_eq, d, e, Nat.add_sub_cancel_left]

/-! ### Greatest common divisor: Euclid's recursion -/
theorem gcd_zero (n : Nat) : Nat.gcd 0 n = n := rfl
theorem gcdFuel_eq (f g m n : Nat) (hf : m < f) (hg : m < g) : Nat.gcdFuel f m n = Nat.gcdFuel g m n := by
  induction f generalizing g m n with
  | zero => exact absurd hf (Nat.not_succ_le_zero m)
  | succ f ih =>
    cases g with
    | zero => exact absurd hg (Nat.not_succ_le_zero m)
    | succ g =>
      cases m with
      | zero => rfl
      | succ m =>
        show Nat.gcdFuel f (Nat.mod n (succ m)) (succ m) = Nat.gcdFuel g (Nat.mod n (succ m)) (succ m)
        have l := mod_lt n (succ_pos m)
        exact ih g _ _ (lt_of_lt_of_le l (le_of_succ_le_succ hf)) (lt_of_lt_of_le l (le_of_succ_le_succ hg))
theorem gcd_succ (m n : Nat) : Nat.gcd (m + 1) n = Nat.gcd (Nat.mod n (m + 1)) (m + 1) :=
  gcdFuel_eq (m + 1) _ _ _ (mod_lt n (succ_pos m)) (Nat.le_refl _)

/-! ### Bitwise operations: the lowest bit, and the rest -/
/-- A bit as a number. -/
noncomputable def bit (a : Bool) : Nat := cond a 1 0
theorem bit_lt (a : Bool) : bit a < 2 := by
  cases a
  · exact succ_le_succ (zero_le 1)
  · exact Nat.le_refl 2
theorem exists_bit (n : Nat) : ∃ a x, n = 2 * x + bit a := by
  have e := div_add_mod n 2
  have l := mod_lt n (succ_pos 1)
  generalize Nat.div n 2 = x at *
  generalize Nat.mod n 2 = r at *
  match r, l with
  | 0, _ => exact ⟨false, x, e.symm⟩
  | 1, _ => exact ⟨true, x, e.symm⟩
  | succ (succ r), l => exact absurd (le_of_succ_le_succ (le_of_succ_le_succ l)) (Nat.not_succ_le_zero r)
theorem bit_div (a : Bool) (x : Nat) : Nat.div (2 * x + bit a) 2 = x := (mod_unique rfl (bit_lt a)).1
theorem bit_mod (a : Bool) (x : Nat) : Nat.beq (Nat.mod (2 * x + bit a) 2) 1 = a := by
  rw [(mod_unique rfl (bit_lt a)).2]
  cases a <;> rfl
theorem bit_eq_zero {a : Bool} {x : Nat} (h : 2 * x + bit a = 0) : a = false ∧ x = 0 := by
  have hx := eq_zero_of_add_eq_zero_left h
  have ha := eq_zero_of_add_eq_zero_right h
  rw [Nat.two_mul] at hx
  refine ⟨?_, eq_zero_of_add_eq_zero_left hx⟩
  cases a with
  | false => rfl
  | true => cases ha
theorem bitFuel_zero (f : Bool → Bool → Bool) : (k : Nat) → Nat.bitFuel f k 0 0 = 0
  | 0 => rfl
  | _+1 => rfl
theorem bitFuel_step (f : Bool → Bool → Bool) (hf : f false false = false) (k x y : Nat) (a c : Bool) :
    Nat.bitFuel f (k + 1) (2 * x + bit a) (2 * y + bit c) = 2 * Nat.bitFuel f k x y + bit (f a c) := by
  have main : Nat.add (Nat.mul 2 (Nat.bitFuel f k (Nat.div (2 * x + bit a) 2) (Nat.div (2 * y + bit c) 2)))
        (cond (f (Nat.beq (Nat.mod (2 * x + bit a) 2) 1) (Nat.beq (Nat.mod (2 * y + bit c) 2) 1)) 1 0)
      = 2 * Nat.bitFuel f k x y + bit (f a c) := by
    rw [bit_div, bit_div, bit_mod, bit_mod]; rfl
  show cond (cond (Nat.beq (2 * x + bit a) 0) (Nat.beq (2 * y + bit c) 0) false) 0 _ = _
  cases e1 : Nat.beq (2 * x + bit a) 0 with
  | false => exact main
  | true =>
    cases e2 : Nat.beq (2 * y + bit c) 0 with
    | false => exact main
    | true =>
      obtain ⟨rfl, rfl⟩ := bit_eq_zero (Nat.eq_of_beq_eq_true e1)
      obtain ⟨rfl, rfl⟩ := bit_eq_zero (Nat.eq_of_beq_eq_true e2)
      rw [hf, bitFuel_zero]; rfl
theorem half_le {x y k : Nat} {a c : Bool} (h : 2 * x + bit a + (2 * y + bit c) ≤ k + 1) : x + y ≤ k := by
  have e : (2 * x + bit a) + (2 * y + bit c) = (x + y) + ((x + y) + (bit a + bit c)) := by
    rw [Nat.two_mul, Nat.two_mul, Nat.add_add_add_comm (x + x), Nat.add_add_add_comm x, Nat.add_assoc]
  rw [e] at h
  cases s : x + y with
  | zero => exact zero_le k
  | succ z =>
    rw [s] at h
    rw [Nat.succ_add] at h
    have l : succ z ≤ z + (succ z + (bit a + bit c)) :=
      Nat.le_trans (Nat.le_add_right _ _) (Nat.le_add_left _ z)
    exact Nat.le_trans l (le_of_succ_le_succ h)
theorem bitFuel_eq (f : Bool → Bool → Bool) (hf : f false false = false) (k k' x y : Nat) (h : x + y ≤ k)
    (h' : x + y ≤ k') : Nat.bitFuel f k x y = Nat.bitFuel f k' x y := by
  induction k generalizing k' x y with
  | zero =>
    have z := eq_zero_of_le_zero h
    rw [eq_zero_of_add_eq_zero_left z, eq_zero_of_add_eq_zero_right z, bitFuel_zero, bitFuel_zero]
  | succ k ih =>
    cases k' with
    | zero =>
      have z := eq_zero_of_le_zero h'
      rw [eq_zero_of_add_eq_zero_left z, eq_zero_of_add_eq_zero_right z, bitFuel_zero, bitFuel_zero]
    | succ k' =>
      obtain ⟨a, x', rfl⟩ := exists_bit x
      obtain ⟨c, y', rfl⟩ := exists_bit y
      rw [bitFuel_step f hf, bitFuel_step f hf, ih k' x' y' (half_le h) (half_le h')]
/-- The recursion for any of the three operations, given its fuelled definition. -/
theorem bitwise (f : Bool → Bool → Bool) (hf : f false false = false) (op : Nat → Nat → Nat)
    (hop : ∀ n m, op n m = Nat.bitFuel f (n + m) n m) (a c : Bool) (x y : Nat) :
    op (2 * x + bit a) (2 * y + bit c) = 2 * op x y + bit (f a c) := by
  rw [hop, hop,
      bitFuel_eq f hf _ (2 * x + bit a + (2 * y + bit c) + 1) _ _ (Nat.le_refl _) (Nat.le_add_right _ 1),
      bitFuel_step f hf, bitFuel_eq f hf _ (x + y) x y (half_le (Nat.le_add_right _ 1)) (Nat.le_refl _)]
theorem land_zero_zero : Nat.land 0 0 = 0 := rfl
theorem land_bit (a c : Bool) (x y : Nat) :
    Nat.land (2 * x + bit a) (2 * y + bit c) = 2 * Nat.land x y + bit (a && c) := by
  have h := bitwise (fun a b => cond a b false) rfl Nat.land (fun _ _ => rfl) a c x y
  rw [h]; cases a <;> rfl
theorem lor_zero_zero : Nat.lor 0 0 = 0 := rfl
theorem lor_bit (a c : Bool) (x y : Nat) :
    Nat.lor (2 * x + bit a) (2 * y + bit c) = 2 * Nat.lor x y + bit (a || c) := by
  have h := bitwise (fun a b => cond a true b) rfl Nat.lor (fun _ _ => rfl) a c x y
  rw [h]; cases a <;> rfl
theorem xor_zero_zero : Nat.xor 0 0 = 0 := rfl
theorem xor_bit (a c : Bool) (x y : Nat) :
    Nat.xor (2 * x + bit a) (2 * y + bit c) = 2 * Nat.xor x y + bit (cond a (!c) c) := by
  have h := bitwise (fun a b => cond a (cond b false true) b) rfl Nat.xor (fun _ _ => rfl) a c x y
  rw [h]; cases a <;> cases c <;> rfl

/-! ### Shifts and logarithm -/
theorem shiftLeft_eq (n m : Nat) : Nat.shiftLeft n m = n * 2 ^ m := rfl
theorem shiftRight_eq (n m : Nat) : Nat.shiftRight n m = n / 2 ^ m := rfl
theorem div_two_lt {n : Nat} (h : 0 < n) : Nat.div n 2 < n := by
  have g := (div_spec n 2 (succ_pos 1)).1
  rw [Nat.mul_comm, Nat.two_mul] at g
  cases lt_or_ge (Nat.div n 2) n with
  | inl l => exact l
  | inr l =>
    have s : Nat.div n 2 + Nat.div n 2 ≤ 0 + Nat.div n 2 := by rw [Nat.zero_add]; exact Nat.le_trans g l
    have z := eq_zero_of_le_zero (Nat.le_of_add_le_add_right _ s)
    rw [z] at l
    exact absurd h (not_lt_of_le l)
theorem log2Fuel_eq (f g n : Nat) (hf : n ≤ f) (hg : n ≤ g) : Nat.log2Fuel f n = Nat.log2Fuel g n := by
  induction f generalizing g n with
  | zero =>
    rw [eq_zero_of_le_zero hf]
    cases g <;> rfl
  | succ f ih =>
    cases g with
    | zero => rw [eq_zero_of_le_zero hg]; rfl
    | succ g =>
      show cond (Nat.ble 2 n) (succ (Nat.log2Fuel f (Nat.div n 2))) 0 =
        cond (Nat.ble 2 n) (succ (Nat.log2Fuel g (Nat.div n 2))) 0
      cases hb : Nat.ble 2 n with
      | false => rfl
      | true =>
        have l := div_two_lt (lt_of_lt_of_le (succ_pos 1) (Nat.le_of_ble_eq_true hb))
        exact congrArg succ
          (ih g _ (le_of_succ_le_succ (lt_of_lt_of_le l hf)) (le_of_succ_le_succ (lt_of_lt_of_le l hg)))
theorem log2_zero : Nat.log2 0 = 0 := rfl
theorem log2_one : Nat.log2 1 = 0 := rfl
theorem log2_step {n : Nat} (h : 2 ≤ n) : Nat.log2 n = Nat.log2 (Nat.div n 2) + 1 := by
  cases n with
  | zero => exact absurd h (Nat.not_succ_le_zero 1)
  | succ n =>
    show cond (Nat.ble 2 (succ n)) (succ (Nat.log2Fuel n (Nat.div (succ n) 2))) 0 = _
    rw [Nat.ble_eq_true_of_le h]
    exact congrArg succ (log2Fuel_eq _ _ _ (le_of_succ_le_succ (div_two_lt (succ_pos n))) (Nat.le_refl _))
end PytestTorchLean.NatEquations
