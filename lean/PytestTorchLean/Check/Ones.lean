prelude
import PytestTorchLean.Check.Packed
/-!
# Long vectors of ones, for the compiler

As in Core/Recursors: compiled code forms vectors of ones by doubling where a division would take longer, and
masks by a shift and a subtraction. The kernel forms each only once.
-/
set_option linter.all false
namespace PytestTorchLean
open Natural

/-- `m` digits 1 by doubling; `fuel` bounds the number of times. -/
def onesDoubled (b : Nat) : (fuel m : Nat) → Nat
  | 0, m => (2 ^ (b * m) - 1) / (2 ^ b - 1)
  | Nat.succ fuel, m =>
    let half := Nat.div m 2
    let few := onesDoubled b fuel half
    Nat.add (Nat.add few (Nat.shiftLeft few (Nat.mul b half)))
      (Nat.shiftLeft (Nat.mod m 2) (Nat.mul b (Nat.add half half)))
theorem onesDoubled_eq {b : Nat} (hb : 0 < b) : (fuel m : Nat) → onesDoubled b fuel m = ones b m
  | 0, _ => rfl
  | fuel + 1, m => by
    have two : 0 < 2 := Nat.succ_le_succ (Nat.zero_le 1)
    show onesDoubled b fuel (m / 2) + onesDoubled b fuel (m / 2) * 2 ^ (b * (m / 2)) +
        (m % 2) * 2 ^ (b * (m / 2 + m / 2)) = ones b m
    rw [onesDoubled_eq hb fuel]
    have small := mod_lt two m
    have whole : m / 2 + m / 2 + m % 2 = m := by
      have e := mod_add_div two m
      rw [Natural.two_mul, Nat.add_comm] at e
      exact e
    generalize m / 2 = h at *
    generalize m % 2 = r at *
    subst whole
    rw [ones_eq hb, ones_eq hb, pack_append, pack_append]
    have last : pack b r (fun _ => 1) = r := by
      cases r with
      | zero => rfl
      | succ r =>
        cases r with
        | zero => rfl
        | succ r =>
          exact absurd (Nat.le_of_succ_le_succ (Nat.le_of_succ_le_succ small)) (Nat.not_succ_le_zero r)
    have e : pack b r (fun i => (fun _ => 1) (h + h + i)) = r := last
    rw [last, Nat.mul_comm (2 ^ (b * h)), Nat.mul_comm (2 ^ (b * (h + h)))]
/-- A vector of ones, computed. -/
def formedOnes (b m : Nat) : Nat :=
  match Nat.ble 1 b, Nat.ble 65536 (Nat.mul b m) with
  | true, true => onesDoubled b 64 m
  | _, _ => (2 ^ (b * m) - 1) / (2 ^ b - 1)
theorem formedOnes_eq (b m : Nat) : ones b m = formedOnes b m := by
  unfold formedOnes
  cases h : Nat.ble 1 b with
  | true =>
    cases Nat.ble 65536 (Nat.mul b m) with
    | true => exact (onesDoubled_eq (Nat.le_of_ble_eq_true h) 64 m).symm
    | false => rfl
  | false => cases Nat.ble 65536 (Nat.mul b m) <;> rfl

/-- Ones at distances that most graphs need, formed once by a program. -/
structure StoredOnes where
  distance : Nat
  digits : Nat
  value : Nat
  right : value = ones distance digits
  positive : 0 < distance
def storeOnes (distance digits : Nat) (h : Nat.ble 1 distance = true) : StoredOnes :=
  ⟨distance, digits, ones distance digits, rfl, Nat.le_of_ble_eq_true h⟩
/-- The first entries are the most common: words of the memory and their halves. -/
def storedOnes : List StoredOnes :=
  [storeOnes 256 512 rfl, storeOnes 128 1024 rfl, storeOnes 192 512 rfl, storeOnes 96 1024 rfl,
      storeOnes 320 512 rfl, storeOnes 160 1024 rfl, storeOnes 64 1024 rfl, storeOnes 32 1024 rfl]
/-- The last digits of a longer vector. -/
def findOnes (b m : Nat) : List StoredOnes → Nat
  | [] => formedOnes b m
  | s :: rest =>
    match Nat.beq s.distance b with
    | true =>
      match Nat.ble m s.digits with
      | true => Nat.shiftRight s.value (Nat.mul b (Nat.sub s.digits m))
      | false => formedOnes b m
    | false => findOnes b m rest
theorem findOnes_eq (b m : Nat) : (stored : List StoredOnes) → ones b m = findOnes b m stored
  | [] => formedOnes_eq b m
  | s :: rest => by
    unfold findOnes
    cases h : Nat.beq s.distance b with
    | true =>
      have h := Nat.eq_of_beq_eq_true h
      cases g : Nat.ble m s.digits with
      | true =>
        have positive := s.positive
        rw [h] at positive
        obtain ⟨k, hk⟩ := Nat.exists_of_le (Nat.le_of_ble_eq_true g)
        show ones b m = s.value / 2 ^ (b * (s.digits - m))
        rw [s.right, h, hk, Natural.add_sub_cancel_left, ones_eq positive, ones_eq positive, Nat.add_comm m,
            pack_append, add_mul_div]
        exact pack_lt fun _ _ => one_lt_two_pow positive
      | false => exact formedOnes_eq b m
    | false => exact findOnes_eq b m rest
/-- Short vectors are taken from longer ones that are at hand. -/
def compiledOnes (b m : Nat) : Nat := findOnes b m storedOnes
@[csimp] theorem compiledOnes_eq : @ones = @compiledOnes :=
  funext fun b => funext fun m => findOnes_eq b m storedOnes

/-- `k` bits 1 wherever `u` has a digit 1. -/
@[inline] def filled (k u : Nat) : Nat := Nat.sub (Nat.shiftLeft u k) u
theorem filled_eq (k u : Nat) : (2 ^ k - 1) * u = filled k u := by
  show (2 ^ k - 1) * u = u * 2 ^ k - u
  have e : u * 2 ^ k = (2 ^ k - 1) * u + u := by
    rw [← Nat.succ_mul, Nat.mul_comm u]
    exact congrArg (fun x => x * u) (mask_succ k).symm
  rw [e, add_sub_cancel]

end PytestTorchLean
