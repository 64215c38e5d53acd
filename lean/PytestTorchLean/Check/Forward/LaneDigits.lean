prelude
import PytestTorchLean.Check.Memory
import PytestTorchLean.Check.Rows
/-!
# Long numbers in pieces

A number of many long digits becomes the list of its digits, and back. A program copies what it cuts off or
appends to: halves and pairs take it fewer copies than one digit after the other.
-/
set_option linter.all false
namespace PytestTorchLean
namespace Forward
open Natural

/-! ### What is computed -/

/-- The first `n` digits of two numbers, `b` bits each. -/
def digitsOf (b mask : Nat) : Nat → Nat → Nat → List Memory
  | 0, _, _ => []
  | Nat.succ n, x, y =>
    ⟨Nat.land x mask, Nat.land y mask⟩ :: digitsOf b mask n (Nat.shiftRight x b) (Nat.shiftRight y b)
def appended : List Memory → List Memory → List Memory
  | [], later => later
  | c :: cs, later => c :: appended cs later
/-- The same by halves, which copies less of long numbers. -/
def halvedDigits (b mask : Nat) : Nat → Nat → Nat → Nat → List Memory
  | 0, n, x, y => digitsOf b mask n x y
  | Nat.succ depth, n, x, y =>
    match Nat.ble n 3 with
    | true => digitsOf b mask n x y
    | false =>
      let half := Nat.shiftRight n 1
      let wide := Nat.mul b half
      let low := Nat.sub (Nat.pow 2 wide) 1
      appended (halvedDigits b mask depth half (Nat.land x low) (Nat.land y low))
        (halvedDigits b mask depth (Nat.sub n half) (Nat.shiftRight x wide) (Nat.shiftRight y wide))
def pieces (b mask n x y : Nat) : List Memory := halvedDigits b mask 32 n x y

/-- Numbers side by side. -/
def joined (wide : Nat) : List Nat → Nat
  | [] => 0
  | x :: xs => Nat.add x (Nat.shiftLeft (joined wide xs) wide)
def pairsOf (wide : Nat) : List Nat → List Nat
  | [] => []
  | [x] => [x]
  | x :: y :: xs => Nat.add x (Nat.shiftLeft y wide) :: pairsOf wide xs
/-- The same by pairs, which copies less of long numbers. -/
def joinedPairs : Nat → Nat → List Nat → Nat
  | 0, wide, xs => joined wide xs
  | Nat.succ depth, wide, xs =>
    match xs with
    | [] => 0
    | [x] => x
    | x :: y :: xs => joinedPairs depth (Nat.mul 2 wide) (pairsOf wide (x :: y :: xs))
/-! ### The digits -/

/-- The pieces are these numbers. -/
def Each : List Memory → (Nat → Nat) → (Nat → Nat) → Prop
  | [], _, _ => True
  | c :: cs, f, g => c.direct = f 0 ∧ c.mirrored = g 0 ∧ Each cs (fun j => f (j + 1)) (fun j => g (j + 1))
theorem digitsOf_eq {b : Nat} : (n : Nat) → (f g : Nat → Nat) → (∀ j, j < n → f j < 2 ^ b ∧ g j < 2 ^ b) →
    Each (digitsOf b (Nat.sub (Nat.pow 2 b) 1) n (pack b n f) (pack b n g)) f g ∧
      (digitsOf b (Nat.sub (Nat.pow 2 b) 1) n (pack b n f) (pack b n g)).length = n
  | 0, _, _, _ => ⟨trivial, rfl⟩
  | n + 1, f, g, h => by
    obtain ⟨h1, h2⟩ := h 0 (Nat.succ_le_succ (Nat.zero_le _))
    obtain ⟨r1, r2⟩ := digitsOf_eq n (fun j => f (j + 1)) (fun j => g (j + 1))
      (fun j hj => h (j + 1) (Nat.succ_le_succ hj))
    unfold digitsOf
    rw [shift_pack_succ h1, shift_pack_succ h2]
    exact ⟨⟨land_pack_succ h1, land_pack_succ h2, r1⟩, congrArg Nat.succ r2⟩
theorem each_appended : (xs ys : List Memory) → (n m : Nat) → (f g : Nat → Nat) → Each xs f g →
    xs.length = n → Each ys (fun j => f (n + j)) (fun j => g (n + j)) → ys.length = m →
    Each (appended xs ys) f g ∧ (appended xs ys).length = n + m
  | [], ys, n, m, f, g, _, hn, h, hm => by
    have hn : 0 = n := hn
    subst hn
    have e : ∀ f : Nat → Nat, (fun j => f (0 + j)) = f := fun f => funext fun j => by rw [Nat.zero_add]
    rw [e, e] at h
    rw [Nat.zero_add]
    exact ⟨h, hm⟩
  | x :: xs, ys, n, m, f, g, ⟨h1, h2, h3⟩, hn, h, hm => by
    cases n with
    | zero => cases hn
    | succ n =>
      have e : ∀ f : Nat → Nat, (fun j => f (n + 1 + j)) = fun j => f (n + j + 1) := fun f =>
        funext fun j => by rw [Nat.add_assoc, Nat.add_comm 1, ← Nat.add_assoc]
      rw [e, e] at h
      obtain ⟨r1, r2⟩ := each_appended xs ys n m (fun j => f (j + 1)) (fun j => g (j + 1)) h3
        (Nat.succ.inj hn) h hm
      refine ⟨⟨h1, h2, r1⟩, ?_⟩
      rw [Nat.succ_add]
      exact congrArg Nat.succ r2
theorem halvedDigits_eq {b : Nat} : (depth n : Nat) → (f g : Nat → Nat) →
    (∀ j, j < n → f j < 2 ^ b ∧ g j < 2 ^ b) →
    Each (halvedDigits b (Nat.sub (Nat.pow 2 b) 1) depth n (pack b n f) (pack b n g)) f g ∧
      (halvedDigits b (Nat.sub (Nat.pow 2 b) 1) depth n (pack b n f) (pack b n g)).length = n
  | 0, n, f, g, h => digitsOf_eq n f g h
  | depth + 1, n, f, g, h => by
    unfold halvedDigits
    cases Nat.ble n 3 with
    | true => exact digitsOf_eq n f g h
    | false =>
      have le : Nat.shiftRight n 1 ≤ n := by
        have z := Rows.mul_div_le n (2 ^ 1) (Natural.two_pow_pos 1)
        have y : 1 * (n / 2 ^ 1) ≤ 2 ^ 1 * (n / 2 ^ 1) :=
          Nat.mul_le_mul (Natural.two_pow_pos 1) (Nat.le.refl (n := n / 2 ^ 1))
        rw [Natural.one_mul] at y
        exact Nat.le_trans y z
      show Each (appended (halvedDigits b _ depth (Nat.shiftRight n 1)
            (Nat.land (pack b n f) (Nat.sub (Nat.pow 2 (Nat.mul b (Nat.shiftRight n 1))) 1))
            (Nat.land (pack b n g) (Nat.sub (Nat.pow 2 (Nat.mul b (Nat.shiftRight n 1))) 1)))
          (halvedDigits b _ depth (Nat.sub n (Nat.shiftRight n 1))
            (Nat.shiftRight (pack b n f) (Nat.mul b (Nat.shiftRight n 1)))
            (Nat.shiftRight (pack b n g) (Nat.mul b (Nat.shiftRight n 1))))) f g ∧
        (appended (halvedDigits b _ depth (Nat.shiftRight n 1)
            (Nat.land (pack b n f) (Nat.sub (Nat.pow 2 (Nat.mul b (Nat.shiftRight n 1))) 1))
            (Nat.land (pack b n g) (Nat.sub (Nat.pow 2 (Nat.mul b (Nat.shiftRight n 1))) 1)))
          (halvedDigits b _ depth (Nat.sub n (Nat.shiftRight n 1))
            (Nat.shiftRight (pack b n f) (Nat.mul b (Nat.shiftRight n 1)))
            (Nat.shiftRight (pack b n g) (Nat.mul b (Nat.shiftRight n 1))))).length = n
      generalize Nat.shiftRight n 1 = half at *
      obtain ⟨rest, e⟩ := Nat.exists_of_le le
      subst e
      have left : Nat.sub (half + rest) half = rest := Natural.add_sub_cancel_left half rest
      have low : ∀ f : Nat → Nat, (∀ j, j < half + rest → f j < 2 ^ b) →
          Nat.land (pack b (half + rest) f) (Nat.sub (Nat.pow 2 (Nat.mul b half)) 1) = pack b half f :=
        fun f hf => land_pack_append fun i hi => hf i (Nat.le_trans hi (Nat.le_add_right _ _))
      have high : ∀ f : Nat → Nat, (∀ j, j < half + rest → f j < 2 ^ b) →
          Nat.shiftRight (pack b (half + rest) f) (Nat.mul b half) = pack b rest (fun j => f (half + j)) :=
        fun f hf => shift_pack_append fun i hi => hf i (Nat.le_trans hi (Nat.le_add_right _ _))
      rw [left, low f (fun j hj => (h j hj).1), low g (fun j hj => (h j hj).2),
        high f (fun j hj => (h j hj).1), high g (fun j hj => (h j hj).2)]
      obtain ⟨a1, a2⟩ := halvedDigits_eq depth half f g
        (fun j hj => h j (Nat.le_trans hj (Nat.le_add_right _ _)))
      obtain ⟨b1, b2⟩ := halvedDigits_eq depth rest (fun j => f (half + j)) (fun j => g (half + j))
        (fun j hj => h (half + j) (Nat.add_le_add (Nat.le.refl (n := half)) hj))
      exact each_appended _ _ half rest f g a1 a2 b1 b2
theorem pieces_eq {b : Nat} (n : Nat) (f g : Nat → Nat) (h : ∀ j, j < n → f j < 2 ^ b ∧ g j < 2 ^ b) :
    Each (pieces b (Nat.sub (Nat.pow 2 b) 1) n (pack b n f) (pack b n g)) f g ∧
      (pieces b (Nat.sub (Nat.pow 2 b) 1) n (pack b n f) (pack b n g)).length = n :=
  halvedDigits_eq 32 n f g h

theorem joined_pairsOf (wide : Nat) : (xs : List Nat) →
    joined (Nat.mul 2 wide) (pairsOf wide xs) = joined wide xs
  | [] => rfl
  | [x] => by
    show x + Nat.shiftLeft 0 (2 * wide) = x + Nat.shiftLeft 0 wide
    rw [NatEquations.shiftLeft_eq, NatEquations.shiftLeft_eq, Nat.zero_mul, Nat.zero_mul]
  | x :: y :: xs => by
    show x + Nat.shiftLeft y wide + Nat.shiftLeft (joined (2 * wide) (pairsOf wide xs)) (2 * wide) =
      x + Nat.shiftLeft (y + Nat.shiftLeft (joined wide xs) wide) wide
    have ih : joined (2 * wide) (pairsOf wide xs) = joined wide xs := joined_pairsOf wide xs
    rw [ih, NatEquations.shiftLeft_eq, NatEquations.shiftLeft_eq, NatEquations.shiftLeft_eq,
      NatEquations.shiftLeft_eq, Nat.add_mul, Natural.two_mul, Natural.pow_add, Nat.mul_assoc, Nat.add_assoc]
theorem joinedPairs_eq : (depth wide : Nat) → (xs : List Nat) → joinedPairs depth wide xs = joined wide xs
  | 0, _, _ => rfl
  | _ + 1, _, [] => rfl
  | _ + 1, wide, [x] => by
    show x = x + Nat.shiftLeft 0 wide
    rw [NatEquations.shiftLeft_eq, Nat.zero_mul]; rfl
  | depth + 1, wide, x :: y :: xs =>
    (joinedPairs_eq depth (Nat.mul 2 wide) (pairsOf wide (x :: y :: xs))).trans (joined_pairsOf wide _)

end Forward
end PytestTorchLean
