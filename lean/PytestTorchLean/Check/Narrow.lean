prelude
import PytestTorchLean.Check.Spread
/-!
# Moving digits together

`narrow` undoes what `Dense.spread` does: digits of `k` bits that lie `c` bits apart are moved together, all
at once, in steps that double the groups that stay together.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Matrix
open Natural

/-- Digits of `k` bits that lie `c` apart become digits of `2 * k` bits that lie `2 * c` apart. -/
def join (c k m x : Nat) : Nat :=
  share (fun low => Nat.add low (Nat.shiftRight (Nat.sub x low) (Nat.sub c k)))
    (Nat.land x (Nat.mul (Nat.sub (Nat.pow 2 k) 1) (ones (Nat.add c c) m)))
/-- For the compiler, as in Core/Recursors. -/
def compiledJoin (c k m x : Nat) : Nat :=
  let low := Nat.land x (filled k (ones (Nat.add c c) m))
  Nat.add low (Nat.shiftRight (Nat.sub x low) (Nat.sub c k))
@[csimp] theorem compiledJoin_eq : @join = @compiledJoin :=
  funext fun c => funext fun k => funext fun m => funext fun x => by
    show _ = Nat.add (Nat.land x (filled k (ones (c + c) m)))
        (Nat.shiftRight (Nat.sub x (Nat.land x (filled k (ones (c + c) m)))) (c - k))
    unfold join
    rw [share_eq, ← filled_eq]
    rfl
theorem join_eq {c k m : Nat} {f g : Nat → Nat} (hk : k ≤ c) (hc : 0 < c) (hf : ∀ i, i < m → f i < 2 ^ k)
    (hg : ∀ i, i < m → g i < 2 ^ k) :
    join c k m (pack c (2 * m) (fun j => Vector.pair j f g)) =
    pack (c + c) m (fun i => f i + 2 ^ k * g i) := by
  have split : 2 ^ c = 2 ^ k * 2 ^ (c - k) := by
    rw [← Natural.pow_add, Nat.add_comm, Natural.sub_add_cancel hk]
  have up : ∀ {x : Nat}, x < 2 ^ k → x < 2 ^ c := fun h => lt_of_lt_of_le h (two_pow_le hk)
  unfold join
  rw [share_eq, Vector.pack_pair]
  have low : Nat.land (pack (c + c) m (fun i => f i + 2 ^ c * g i))
        (Nat.mul (Nat.sub (Nat.pow 2 k) 1) (ones (Nat.add c c) m)) = pack (c + c) m f := by
    refine (Decode.low_pack (Nat.le_trans hk (Nat.le_add_left c c)) (lt_of_lt_of_le hc (Nat.le_add_left c c))
      (fun i hi => Memory.halves_lt (up (hf i hi)) (up (hg i hi)))).trans (pack_congr fun i hi => ?_)
    rw [split, Nat.mul_assoc, add_mul_mod _ (hf i hi)]
  rw [low]
  show pack (c + c) m f +
    Nat.shiftRight (pack (c + c) m (fun i => f i + 2 ^ c * g i) - pack (c + c) m f) (c - k) = _
  have e : pack (c + c) m (fun i => 2 ^ c * g i) = pack (c + c) m (fun i => 2 ^ (c - k) * (2 ^ k * g i)) :=
      pack_congr fun i _ => by
    rw [split, Nat.mul_assoc, Nat.mul_left_comm]
  rw [pack_add, Natural.add_sub_cancel_left, e, shift_pack_mul, pack_add]

/-- `2^levels` digits of `k` bits that lie `c` apart are moved together: the inverse of `Dense.spread`. -/
def narrow (c k levels : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ x => x)
    (fun l rest m x => share (join (Nat.mul c (Nat.pow 2 l)) (Nat.mul k (Nat.pow 2 l)) m)
        (force (fun m' => rest m' x) (Nat.mul 2 m))) levels
theorem narrow_succ (c k l m x : Nat) :
    narrow c k (l + 1) m x = join (c * 2 ^ l) (k * 2 ^ l) m (narrow c k l (2 * m) x) := by
  show share (join (c * 2 ^ l) (k * 2 ^ l) m) (force (fun m' => narrow c k l m' x) (2 * m)) = _
  rw [share_eq, force_eq]
theorem narrow_groups {c k : Nat} (hk : k ≤ c) (hc : 0 < c) (g : Nat → Nat) (hg : ∀ i, g i < 2 ^ k) :
    (l m : Nat) →
    narrow c k l m (pack c (2 ^ l * m) g) =
      pack (c * 2 ^ l) m (fun i => pack k (2 ^ l) (fun j => g (2 ^ l * i + j)))
  | 0, m => by
    show pack c (1 * m) g = pack (c * 1) m (fun i => g (1 * i + 0) + 2 ^ k * 0)
    rw [Natural.mul_one, Natural.one_mul]
    exact pack_congr fun i _ => by rw [Natural.one_mul, Nat.mul_zero, Nat.add_zero, Nat.add_zero]
  | l + 1, m => by
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
    have cp : 0 < c * 2 ^ l := Nat.mul_le_mul (a := 1) (c := 1) hc (two_pow_pos l)
    have p : (fun j => Vector.pair j (fun i => pack k (2 ^ l) (fun j => g (2 ^ l * (2 * i) + j)))
        (fun i => pack k (2 ^ l) (fun j => g (2 ^ l * (2 * i + 1) + j)))) =
        fun j => pack k (2 ^ l) (fun j' => g (2 ^ l * j + j')) := funext fun j =>
      Dense.pair_interleave j (fun i => pack k (2 ^ l) (fun j' => g (2 ^ l * i + j')))
    have count : 2 ^ (l + 1) * m = 2 ^ l * (2 * m) := Nat.mul_assoc _ _ _
    rw [narrow_succ, e, wide,
        ← join_eq (Nat.mul_le_mul hk Nat.le.refl) cp (fun i _ => small _) (fun i _ => small _), p, count,
        narrow_groups hk hc g hg l (2 * m)]
/-- `f`, and 0 from `n` on. -/
def upTo (n : Nat) (f : Nat → Nat) : Nat → Nat := Memory.splice n f (fun _ => 0)
theorem upTo_old {n : Nat} (f : Nat → Nat) {i : Nat} (h : i < n) : upTo n f i = f i := Memory.splice_old _ _ h
theorem upTo_new {n : Nat} (f : Nat → Nat) {i : Nat} (h : n ≤ i) : upTo n f i = 0 := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le h
  exact Memory.splice_new _ _ _ _
theorem upTo_lt {n k : Nat} {f : Nat → Nat} (h : ∀ i, i < n → f i < 2 ^ k) (i : Nat) :
    upTo n f i < 2 ^ k := by
  cases le_or_lt n i with
  | inl g => rw [upTo_new f g]; exact two_pow_pos k
  | inr g => rw [upTo_old f g]; exact h i g
theorem pack_upTo {b n m : Nat} (h : n ≤ m) (f : Nat → Nat) : pack b m (upTo n f) = pack b n f := by
  obtain ⟨k, rfl⟩ := Nat.exists_of_le h
  rw [Dense.pack_tail_zero (f := upTo n f) (fun i => Memory.splice_new _ _ _ _)]
  exact pack_congr fun i hi => upTo_old f hi
theorem narrow_pack {c k n l : Nat} {f : Nat → Nat} (hk : k ≤ c) (hc : 0 < c) (hn : n ≤ 2 ^ l)
    (hf : ∀ i, i < n → f i < 2 ^ k) :
    narrow c k l 1 (pack c n f) = pack k n f := by
  have e := narrow_groups hk hc (upTo n f) (upTo_lt hf) l 1
  have one : ∀ (b : Nat) (x : Nat → Nat),
      pack b 1 x = x 0 := fun b x => by show x 0 + 2 ^ b * 0 = x 0; rw [Nat.mul_zero, Nat.add_zero]
  have z : (fun j => upTo n f (2 ^ l * 0 + j)) = upTo n f :=
    funext fun j => congrArg (upTo n f) (Nat.zero_add j)
  rw [one, Natural.mul_one, z, pack_upTo hn, pack_upTo hn] at e
  exact e

end Matrix
end PytestTorchLean
