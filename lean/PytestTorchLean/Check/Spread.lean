prelude
import PytestTorchLean.Check.Vector
/-!
# Spreading digits

The words of the memory lie closer together than the digits of a matrix's columns. Here they are moved apart,
all at once, in steps that halve the groups that stay together.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Dense

/-- Digits of `2 * k` bits that lie `2 * c` apart become digits of `k` bits that lie `c` apart. -/
def widen (c k m x : Nat) : Nat :=
  share (fun low => Nat.add low (Nat.shiftLeft (Nat.sub x low) (Nat.sub c k)))
    (Nat.land x (Nat.mul (Nat.sub (Nat.pow 2 k) 1) (ones (Nat.add c c) m)))
/-- For the compiler, as in Core/Recursors. -/
def compiledWiden (c k m x : Nat) : Nat :=
  let low := Nat.land x (filled k (ones (Nat.add c c) m))
  Nat.add low (Nat.shiftLeft (Nat.sub x low) (Nat.sub c k))
@[csimp] theorem compiledWiden_eq : @widen = @compiledWiden :=
  funext fun c => funext fun k => funext fun m => funext fun x => by
    show _ = Nat.add (Nat.land x (filled k (ones (c + c) m)))
        (Nat.shiftLeft (Nat.sub x (Nat.land x (filled k (ones (c + c) m)))) (c - k))
    unfold widen
    rw [share_eq, ← filled_eq]
    rfl
theorem widen_eq {c k m : Nat} {f g : Nat → Nat} (hk : k ≤ c) (hc : 0 < c) (hf : ∀ i, i < m → f i < 2 ^ k)
    (hg : ∀ i, i < m → g i < 2 ^ k) :
    widen c k m (pack (c + c) m (fun i => f i + 2 ^ k * g i)) =
    pack c (2 * m) (fun j => Vector.pair j f g) := by
  unfold widen
  rw [share_eq]
  have room : k + k ≤ c + c := Nat.add_le_add hk hk
  have low : Nat.land (pack (c + c) m (fun i => f i + 2 ^ k * g i))
        (Nat.mul (Nat.sub (Nat.pow 2 k) 1) (ones (Nat.add c c) m)) = pack (c + c) m f := by
    have e := Decode.low_pack (Nat.le_trans (Nat.le_add_left k k) room)
      (Nat.le_trans hc (Nat.le_add_left c c)) (w := fun i => f i + 2 ^ k * g i) (m := m)
      (fun i hi => Nat.le_trans (Memory.halves_lt (hf i hi) (hg i hi)) (Natural.two_pow_le room))
    refine Eq.trans e (pack_congr fun i hi => ?_)
    exact Natural.add_mul_mod _ (hf i hi)
  rw [low, Vector.pack_pair]
  show pack (c + c) m f + (pack (c + c) m (fun i => f i + 2 ^ k * g i) - pack (c + c) m f) * 2 ^ (c - k) = _
  rw [pack_add, Natural.add_sub_cancel_left, pack_add, pack_mul, pack_mul, Nat.mul_comm, ← Nat.mul_assoc,
      ← Natural.pow_add]
  rw [Natural.sub_add_cancel hk]

/-- `2^levels` digits of `k` bits become digits that lie `c` apart. -/
def spread (c k levels : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ x => x)
    (fun l rest m x => share (fun x' => force (fun m' => rest m' x') (Nat.mul 2 m))
      (widen (Nat.mul c (Nat.pow 2 l)) (Nat.mul k (Nat.pow 2 l)) m x)) levels
theorem spread_succ (c k l m x : Nat) :
    spread c k (l + 1) m x = spread c k l (2 * m) (widen (c * 2 ^ l) (k * 2 ^ l) m x) := by
  unfold spread
  simp only [force_eq, share_eq]
  rfl

theorem pair_interleave :
    (j : Nat) → (h : Nat → Nat) → Vector.pair j (fun i => h (2 * i)) (fun i => h (2 * i + 1)) = h j
  | 0, _ => rfl
  | 1, _ => rfl
  | j + 2, h => pair_interleave j (fun i => h (i + 2))

theorem spread_groups {c k : Nat} (hk : k ≤ c) (hc : 0 < c) (g : Nat → Nat) (hg : ∀ i, g i < 2 ^ k) :
    (l m : Nat) →
    spread c k l m (pack (c * 2 ^ l) m (fun i => pack k (2 ^ l) (fun j => g (2 ^ l * i + j)))) =
      pack c (2 ^ l * m) g := by
  intro l
  induction l with
  | zero =>
    intro m
    show pack (c * 1) m (fun i => g (1 * i + 0) + 2 ^ k * 0) = pack c (1 * m) g
    rw [Natural.mul_one, Natural.one_mul]
    exact pack_congr fun i _ => by rw [Natural.one_mul, Nat.mul_zero, Nat.add_zero, Nat.add_zero]
  | succ l smaller =>
    intro m
    have twice : 2 ^ (l + 1) = 2 ^ l + 2 ^ l := by show 2 ^ l * 2 = _; rw [Nat.mul_comm, Natural.two_mul]
    have small :
      ∀ i, pack k (2 ^ l) (fun j => g (2 ^ l * i + j)) < 2 ^ (k * 2 ^ l) := fun i => pack_lt fun j _ => hg _
    have e : (fun i => pack k (2 ^ (l + 1)) (fun j => g (2 ^ (l + 1) * i + j))) =
        fun i => pack k (2 ^ l) (fun j => g (2 ^ l * (2 * i) + j)) +
            2 ^ (k * 2 ^ l) * pack k (2 ^ l) (fun j => g (2 ^ l * (2 * i + 1) + j)) := funext fun i => by
      have start : 2 ^ (l + 1) * i = 2 ^ l * (2 * i) := Nat.mul_assoc _ _ _
      rw [start, twice, pack_append]
      have next : ∀ j, 2 ^ l * (2 * i) + (2 ^ l + j) = 2 ^ l * (2 * i + 1) + j :=
          fun j => by rw [Nat.mul_succ, Nat.add_assoc]
      have e2 : (fun j => g (2 ^ l * (2 * i) + (2 ^ l + j))) =
          fun j => g (2 ^ l * (2 * i + 1) + j) := funext fun j => by rw [next]
      rw [e2]
    have wide : c * 2 ^ (l + 1) = c * 2 ^ l + c * 2 ^ l := by rw [twice, Nat.mul_add]
    have pos := Natural.two_pow_pos l
    have cp : 0 < c * 2 ^ l := Nat.mul_le_mul (a := 1) (c := 1) hc pos
    rw [spread_succ, e, wide,
        widen_eq (Nat.mul_le_mul hk Nat.le.refl) cp (fun i _ => small _) (fun i _ => small _)]
    have p : (fun j => Vector.pair j (fun i => pack k (2 ^ l) (fun j => g (2 ^ l * (2 * i) + j)))
        (fun i => pack k (2 ^ l) (fun j => g (2 ^ l * (2 * i + 1) + j)))) =
        fun j => pack k (2 ^ l) (fun j' => g (2 ^ l * j + j')) := funext fun j =>
      pair_interleave j (fun i => pack k (2 ^ l) (fun j' => g (2 ^ l * i + j')))
    rw [p, smaller (2 * m), ← Nat.mul_assoc]
    rfl

theorem pack_tail_zero {b m n : Nat} {f : Nat → Nat} (h : ∀ i, f (m + i) = 0) :
    pack b (m + n) f = pack b m f := by
  rw [pack_append, pack_congr (g := fun _ => 0) (fun i _ => h i), pack_zero]; rfl

theorem spread_pack {c k n l : Nat} {f : Nat → Nat} (hk : k ≤ c) (hc : 0 < c) (hn : n ≤ 2 ^ l)
    (hf : ∀ i, i < n → f i < 2 ^ k) :
    spread c k l 1 (pack k n f) = pack c n f := by
  obtain ⟨r, hr⟩ := Nat.exists_of_le hn
  have small : ∀ i, Memory.splice n f (fun _ => 0) i < 2 ^ k := fun i => by
    cases Natural.le_or_lt n i with
    | inl h =>
      obtain ⟨j, rfl⟩ := Nat.exists_of_le h
      rw [Memory.splice_new]; exact Natural.two_pow_pos k
    | inr h => rw [Memory.splice_old _ _ h]; exact hf i h
  have e := spread_groups hk hc _ small l 1
  have one : ∀ (b : Nat) (x : Nat → Nat),
      pack b 1 x = x 0 := fun b x => by show x 0 + 2 ^ b * 0 = x 0; rw [Nat.mul_zero, Nat.add_zero]
  have zero : ∀ j, 2 ^ l * 0 + j = j := fun j => Nat.zero_add j
  rw [one, Natural.mul_one] at e
  have z : (fun j => Memory.splice n f (fun _ => 0) (2 ^ l * 0 + j)) = Memory.splice n f (fun _ => 0) :=
      funext fun j => by rw [zero]
  rw [z] at e
  have trim : ∀ b, pack b (2 ^ l) (Memory.splice n f (fun _ => 0)) = pack b n f := fun b => by
    rw [hr, pack_tail_zero (fun i => Memory.splice_new _ _ _ _)]
    exact pack_congr fun i hi => Memory.splice_old _ _ hi
  rw [trim, trim] at e
  exact e

end Dense
end PytestTorchLean
