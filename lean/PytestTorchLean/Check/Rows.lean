prelude
import PytestTorchLean.Check.Row
/-!
# Writing the bounds of all rows to the memory

As Check/Row does for one row after the other: bounds of `e * image y + mass`, divided by `e` and rounded
outward. A division by a power of two is done for all rows at once.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Rows
variable {K : Type u} [OrderedRing K]

/-! ### All rows at once

A division by `2^k` drops bits, so one mask and one shift divide all rows of a node. -/

/-- The memory of `n` slots from its direct part; `false` unless all bounds are at most `top`. -/
def mirror (s : Scale) (w n guards direct : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun y => both (Nat.beq (Nat.land y guards) guards)
      (force (fun mirrored => next direct mirrored) (Vector.exchange s.half n (Nat.sub y guards))))
    (Nat.sub (Nat.add guards (Nat.mul s.top (ones s.half (Nat.mul 2 n)))) direct)

theorem mirror_digits {s : Scale} {w n : Nat} {l u : Nat → Nat} {next : Nat → Nat → Bool}
    (hw : w + 1 = s.half)
    (ht : s.top < 2 ^ w)
    (hd : ∀ i, i < n → l i < 2 ^ w ∧ u i < 2 ^ w)
    (h : mirror s w n (2 ^ w * ones s.half (2 * n))
      (pack s.stride n (fun i => Memory.directWord s (l i) (u i))) next = true) :
    (∀ i, i < n → l i ≤ s.top ∧ u i ≤ s.top) ∧
    next (pack s.stride n (fun i => Memory.directWord s (l i) (u i)))
        (pack s.stride n (fun i => Memory.mirroredWord s (l i) (u i))) = true := by
  have hb : 0 < s.half := by rw [← hw]; exact Nat.succ_le_succ (Nat.zero_le w)
  have hle : w + 1 ≤ s.half := Natural.le_of_eq hw
  have hp : ∀ j, j < 2 * n → Vector.pair j l u < 2 ^ w := Vector.pair_all (P := fun x => x < 2 ^ w) n l u hd
  unfold mirror at h
  rw [force_eq, force_eq] at h
  obtain ⟨c, h⟩ := both_true h
  have c := Nat.eq_of_beq_eq_true c
  have direct_eq : pack s.stride n (fun i => Memory.directWord s (l i) (u i)) =
      pack s.half (2 * n) (fun j => Vector.pair j l u) :=
    (Vector.pack_pair s.half n l u).symm
  have diff : Nat.sub (Nat.add (2 ^ w * ones s.half (2 * n)) (Nat.mul s.top (ones s.half (Nat.mul 2 n))))
      (pack s.stride n (fun i => Memory.directWord s (l i) (u i))) =
          pack s.half (2 * n) (fun j => 2 ^ w + s.top - Vector.pair j l u) := by
    rw [direct_eq]
    show 2 ^ w * ones s.half (2 * n) + s.top * ones s.half (2 * n) - _ = _
    rw [mul_ones hb (2 * n) s.top]
    exact Vector.guarded_eq hb hp
  rw [diff] at c h
  have le := Vector.unborrowed hle (fun _ _ => ht) hp c
  have le2 := Vector.pair_both (P := fun x y => x ≤ y) n l u (fun _ => s.top) (fun _ => s.top)
    (fun j hj => by rw [Vector.pair_constant]; exact le j hj)
  have clear :
    Nat.sub (pack s.half (2 * n) (fun j => 2 ^ w + s.top - Vector.pair j l u)) (2 ^ w * ones s.half (2 * n)) =
      pack (s.half + s.half) n (fun i => (s.top - l i) + 2 ^ s.half * (s.top - u i)) := by
    show pack s.half (2 * n) (fun j => 2 ^ w + s.top - Vector.pair j l u) - 2 ^ w * ones s.half (2 * n) = _
    rw [mul_ones hb]
    have e : pack s.half (2 * n) (fun j => 2 ^ w + s.top - Vector.pair j l u) =
        pack s.half (2 * n) (fun j => 2 ^ w + (s.top - Vector.pair j l u)) := pack_congr fun j hj => by
      rw [Vector.offset_eq (le j hj), Natural.mul_one, Nat.add_comm]
    rw [e, pack_add, Natural.add_sub_cancel_left]
    have g := Vector.pack_map (fun x y => y - x) s.half n l u (fun _ => s.top) (fun _ => s.top)
    rw [← g]
    exact pack_congr fun j _ => by rw [Vector.pair_constant]
  rw [clear] at h
  have small : ∀ x, s.top - x < 2 ^ s.half := fun x =>
    Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _))
      (Nat.le_trans ht (Natural.two_pow_le (Nat.le_trans (Nat.le_add_right w 1) hle)))
  rw [Vector.exchange_eq hb (fun i _ => small (l i)) (fun i _ => small (u i))] at h
  exact ⟨le2, h⟩

theorem mirror_sound {s : Scale} {w n : Nat} {slots : Nat → K} {l u : Nat → Nat} {next : Nat → Nat → Bool}
    (hw : w + 1 = s.half)
    (ht : s.top < 2 ^ w)
    (hd : ∀ i, i < n → l i < 2 ^ w ∧ u i < 2 ^ w)
    (within : ∀ i, i < n → Within s (l i) (u i) (slots i))
    (h : mirror s w n (2 ^ w * ones s.half (2 * n))
      (pack s.stride n (fun i => Memory.directWord s (l i) (u i))) next = true) :
    ∃ direct mirrored, (Memory.mk direct mirrored).Holds s slots n ∧ next direct mirrored = true := by
  obtain ⟨le, h⟩ := mirror_digits hw ht hd h
  exact ⟨_, _, ⟨l, u, rfl, rfl, fun i hi =>
        ⟨natural_le_reflect (le_trans (within i hi).1 (within i hi).2), (le i hi).2, within i hi⟩⟩, h⟩

/-- Divide all bounds by `2^k`, rounded outward. -/
def divide (s : Scale) (w k offset n bounds mass : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun guards => force (fun d => both (Nat.beq (Nat.land d guards) guards)
        (force (fun direct => mirror s w n guards direct next)
            (Decode.field k (Nat.sub w k) d (ones s.half (Nat.mul 2 n)))))
      (Nat.sub (Nat.add guards (Nat.add bounds
          (Nat.mul (Nat.add offset (Nat.mul (Nat.pow 2 s.half) (Nat.add offset (Nat.sub (Nat.pow 2 k) 1))))
                (ones (Nat.add s.half s.half) n))))
        (Nat.mul mass (Nat.add (Nat.pow 2 s.half) 1))))
    (Nat.mul (Nat.pow 2 w) (ones s.half (Nat.mul 2 n)))
theorem divide_eq (s : Scale) (w k offset n bounds mass : Nat) (next : Nat → Nat → Bool) :
    divide s w k offset n bounds mass next =
    both (Nat.beq (Nat.land (2 ^ w * ones s.half (2 * n) +
            (bounds + (offset + 2 ^ s.half * (offset + (2 ^ k - 1))) * ones (s.half + s.half) n) -
            mass * (2 ^ s.half + 1)) (2 ^ w * ones s.half (2 * n))) (2 ^ w * ones s.half (2 * n)))
      (mirror s w n (2 ^ w * ones s.half (2 * n))
        (Decode.field k (w - k)
          (2 ^ w * ones s.half (2 * n) +
            (bounds + (offset + 2 ^ s.half * (offset + (2 ^ k - 1))) * ones (s.half + s.half) n) -
            mass * (2 ^ s.half + 1)) (ones s.half (2 * n))) next) := by
  unfold divide
  simp only [force_eq]
  rfl

theorem divide_digits {s : Scale} {w k offset n limit : Nat} {low high mass : Nat → Nat}
    {next : Nat → Nat → Bool}
    (hw : w + 1 = s.half)
    (hk : k ≤ w)
    (ht : s.top < 2 ^ w)
    (hl : limit + offset + 2 ^ k ≤ 2 ^ w)
    (hd : ∀ i, i < n → low i ≤ limit ∧ high i ≤ limit ∧ mass i ≤ limit)
    (h : divide s w k offset n (pack s.stride n (fun i => low i + 2 ^ s.half * high i)) (pack s.stride n mass)
      next = true) :
    (∀ i, i < n →
        mass i ≤ low i + offset ∧
          mass i ≤ high i + (offset + (2 ^ k - 1)) ∧
          (low i + offset - mass i) / 2 ^ k ≤ s.top ∧
          (high i + (offset + (2 ^ k - 1)) - mass i) / 2 ^ k ≤ s.top) ∧
    next (pack s.stride n (fun i => Memory.directWord s ((low i + offset - mass i) / 2 ^ k)
            ((high i + (offset + (2 ^ k - 1)) - mass i) / 2 ^ k)))
        (pack s.stride n (fun i => Memory.mirroredWord s ((low i + offset - mass i) / 2 ^ k)
            ((high i + (offset + (2 ^ k - 1)) - mass i) / 2 ^ k))) = true := by
  have hb : 0 < s.half := by rw [← hw]; exact Nat.succ_le_succ (Nat.zero_le w)
  have hle : w + 1 ≤ s.half := Natural.le_of_eq hw
  have hbb : 0 < s.half + s.half := Nat.le_trans hb (Nat.le_add_left _ _)
  have kp := Natural.two_pow_pos k
  have last : 2 ^ k - 1 + 1 = 2 ^ k := Natural.mask_succ k
  -- the halves after the offsets and the masses
  have lowered : ∀ x, x ≤ limit → x + offset < 2 ^ w := fun x hx =>
    Nat.le_trans (Nat.add_le_add (Nat.add_le_add hx Nat.le.refl) kp) hl
  have raised : ∀ x, x ≤ limit → x + (offset + (2 ^ k - 1)) < 2 ^ w := fun x hx => by
    have e : x + (offset + (2 ^ k - 1)) + 1 = x + offset + 2 ^ k := by
      rw [← last, ← Nat.add_assoc, Nat.add_assoc (x + offset)]
      rfl
    show x + (offset + (2 ^ k - 1)) + 1 ≤ 2 ^ w
    rw [e]
    exact Nat.le_trans (Nat.add_le_add (Nat.add_le_add hx Nat.le.refl) Nat.le.refl) hl
  have heavy : ∀ x, x ≤ limit → x < 2 ^ w :=
      fun x hx => Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right x offset)) (lowered x hx) |> fun t =>
    Nat.le_trans (Nat.succ_le_succ hx)
      (Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right limit offset)) (lowered limit Nat.le.refl))
  have e1 : pack s.stride n (fun i => low i + 2 ^ s.half * high i) +
    (offset + 2 ^ s.half * (offset + (2 ^ k - 1))) * ones (s.half + s.half) n =
      pack s.half (2 * n)
          (fun j => Vector.pair j (fun i => low i + offset) (fun i => high i + (offset + (2 ^ k - 1)))) := by
    rw [Vector.pack_pair, mul_ones hbb]
    show pack (s.half + s.half) n _ + pack (s.half + s.half) n _ = _
    rw [← pack_add]
    refine pack_congr fun i _ => ?_
    rw [Nat.mul_add (2 ^ s.half) (high i)]
    exact Nat.add_add_add_comm _ _ _ _
  have e2 :
      pack s.stride n mass * (2 ^ s.half + 1) = pack s.half (2 * n) (fun j => Vector.pair j mass mass) := by
    rw [Vector.pack_pair]
    show pack (s.half + s.half) n mass * _ = _
    rw [pack_add, pack_mul, Nat.mul_add, Natural.mul_one, Nat.mul_comm, Nat.add_comm]
  have p1 : ∀ j, j < 2 * n →
      Vector.pair j (fun i => low i + offset) (fun i => high i + (offset + (2 ^ k - 1))) < 2 ^ w :=
    Vector.pair_all (P := fun x => x < 2 ^ w) n _ _
      (fun i hi => ⟨lowered _ (hd i hi).1, raised _ (hd i hi).2.1⟩)
  have p2 : ∀ j, j < 2 * n → Vector.pair j mass mass < 2 ^ w :=
    Vector.pair_all (P := fun x => x < 2 ^ w) n _ _
      (fun i hi => ⟨heavy _ (hd i hi).2.2, heavy _ (hd i hi).2.2⟩)
  rw [divide_eq, e1, e2, Vector.guarded_eq hb p2] at h
  obtain ⟨c, h⟩ := both_true h
  have le := Vector.unborrowed hle p1 p2 (Nat.eq_of_beq_eq_true c)
  have le2 := Vector.pair_both (P := fun x y => x ≤ y) n mass mass _ _ le
  -- the division
  have e3 : Decode.field k (w - k)
    (pack s.half (2 * n)
      (fun j => 2 ^ w + Vector.pair j (fun i => low i + offset) (fun i => high i + (offset + (2 ^ k - 1))) -
        Vector.pair j mass mass))
      (ones s.half (2 * n)) = pack s.stride n
            (fun i => Memory.directWord s ((low i + offset - mass i) / 2 ^ k)
              ((high i + (offset + (2 ^ k - 1)) - mass i) / 2 ^ k)) := by
    have split : k + (w - k) = w := by rw [Nat.add_comm]; exact Natural.sub_add_cancel hk
    rw [Decode.field_pack (by rw [split]; exact Nat.le_trans (Nat.le_add_right w 1) hle) hb
        (fun j hj => Vector.guarded_lt _ hle (p1 j hj))]
    have g := Vector.pack_map (fun x y => (x - y) / 2 ^ k) s.half n (fun i => low i + offset)
      (fun i => high i + (offset + (2 ^ k - 1))) mass mass
    refine Eq.trans (pack_congr fun j hj => ?_) g
    have q := le j hj
    have z := p1 j hj
    generalize Vector.pair j (fun i => low i + offset) (fun i => high i + (offset + (2 ^ k - 1))) = x at *
    generalize Vector.pair j mass mass = y at *
    rw [Vector.offset_eq q, Natural.mul_one]
    have lt : x - y < 2 ^ k * 2 ^ (w - k) := by
      rw [← Natural.pow_add, split]; exact Nat.le_trans (Nat.succ_le_succ (Natural.sub_le _ _)) z
    have whole : x - y + 2 ^ w = x - y + 2 ^ k * 2 ^ (w - k) := by rw [← Natural.pow_add, split]
    obtain ⟨a, r, hr, hlt⟩ := Natural.euclid kp (x - y)
    rw [whole]
    have ha : a < 2 ^ (w - k) := by
      have d := Natural.div_lt kp lt
      rw [hr, Natural.add_mul_div _ hlt] at d; exact d
    show (x - y + 2 ^ k * 2 ^ (w - k)) / 2 ^ k % 2 ^ (w - k) = (x - y) / 2 ^ k
    rw [hr, Nat.add_assoc, ← Nat.mul_add, Natural.add_mul_div _ hlt, Natural.add_mul_div _ hlt]
    have one : a + 2 ^ (w - k) = a + 2 ^ (w - k) * 1 := by rw [Natural.mul_one]
    rw [one, Natural.add_mul_mod _ ha]
  rw [e3] at h
  have smaller : ∀ x y : Nat, x < 2 ^ w → (x - y) / 2 ^ k < 2 ^ w := fun x y hx => by
    refine Nat.le_trans (Nat.succ_le_succ ?_) hx
    refine Nat.le_trans ?_ (Natural.sub_le x y)
    refine Nat.le_trans ?_ (mul_div_le (x - y) (2 ^ k) kp)
    have m := Nat.mul_le_mul kp (Nat.le.refl (n := (x - y) / 2 ^ k))
    rw [Nat.one_mul] at m; exact m
  obtain ⟨top, h⟩ := mirror_digits hw ht
    (fun i hi => ⟨smaller _ _ (lowered _ (hd i hi).1), smaller _ _ (raised _ (hd i hi).2.1)⟩) h
  exact ⟨fun i hi => ⟨(le2 i hi).1, (le2 i hi).2, top i hi⟩, h⟩

theorem divide_sound {s : Scale} {w k offset n limit : Nat} {slots : Nat → K} {low high mass : Nat → Nat}
    {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (hw : w + 1 = s.half)
    (hk : k ≤ w)
    (ht : s.top < 2 ^ w)
    (hl : limit + offset + 2 ^ k ≤ 2 ^ w)
    (hd : ∀ i, i < n → low i ≤ limit ∧ high i ≤ limit ∧ mass i ≤ limit)
    (hy : Bounded s slots (2 ^ k) offset 0 n low high mass)
    (h : divide s w k offset n (pack s.stride n (fun i => low i + 2 ^ s.half * high i)) (pack s.stride n mass)
      next = true) :
    ∃ direct mirrored, (Memory.mk direct mirrored).Holds s slots n ∧ next direct mirrored = true := by
  obtain ⟨le, h⟩ := divide_digits hw hk ht hl hd h
  refine ⟨_, _, ⟨_, _, rfl, rfl, fun i hi => ?_⟩, h⟩
  obtain ⟨le1, le2, top1, top2⟩ := le i hi
  have kp := Natural.two_pow_pos k
  have y := hy i hi
  rw [Nat.zero_add] at y
  have e : high i + (offset + (2 ^ k - 1)) = high i + offset + (2 ^ k - 1) := (Nat.add_assoc _ _ _).symm
  have within : Within s ((low i + offset - mass i) / 2 ^ k)
      ((high i + (offset + (2 ^ k - 1)) - mass i) / 2 ^ k) (slots i) :=
    ⟨divide_lower kp le1 y.1, by rw [e]; exact divide_upper kp y.2⟩
  exact ⟨natural_le_reflect (le_trans within.1 within.2), top2, within⟩

/-- Whether `divide` may be used for the divisor `e` and digits of `b` bits whose halves are at most
    `limit`. -/
def packable (s : Scale) (b e offset limit : Nat) : Bool :=
  both (Nat.beq b s.stride)
    (both (Nat.beq (Nat.pow 2 (Nat.log2 e)) e)
      (both (Nat.ble (Nat.succ s.top) (Nat.pow 2 (Nat.sub s.half 1)))
        (both (Nat.ble 1 s.half)
          (both (Nat.ble (Nat.log2 e) (Nat.sub s.half 1))
            (Nat.ble (Nat.add (Nat.add limit offset) e) (Nat.pow 2 (Nat.sub s.half 1)))))))

/-- Divide, all rows at once where possible, and hand on the memory of these rows. -/
def write (s : Scale) (b e offset limit n bounds mass : Nat) (next : Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (packable s b e offset limit)
    (push s b e offset n bounds mass 0 0 0 (fun direct mirrored _ => next direct mirrored))
    (divide s (Nat.sub s.half 1) (Nat.log2 e) offset n bounds mass next)

theorem write_sound {s : Scale} {b e offset limit n : Nat} {slots : Nat → K} {low high mass : Nat → Nat}
    {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (hb : s.half + s.half ≤ b)
    (he : 0 < e)
    (hlim : limit < 2 ^ s.half)
    (hd : ∀ i, i < n → low i ≤ limit ∧ high i ≤ limit ∧ mass i ≤ limit)
    (hy : Bounded s slots e offset 0 n low high mass)
    (h : write s b e offset limit n (pack b n (fun i => low i + 2 ^ s.half * high i)) (pack b n mass)
      next = true) :
    ∃ direct mirrored, (Memory.mk direct mirrored).Holds s slots n ∧ next direct mirrored = true := by
  unfold write at h
  cases c : packable s b e offset limit with
  | true =>
    rw [c] at h
    obtain ⟨c1, c⟩ := both_true c
    obtain ⟨c2, c⟩ := both_true c
    obtain ⟨c3, c⟩ := both_true c
    obtain ⟨c4, c⟩ := both_true c
    obtain ⟨c5, c6⟩ := both_true c
    have c1 := Nat.eq_of_beq_eq_true c1
    have c2 : 2 ^ Nat.log2 e = e := Nat.eq_of_beq_eq_true c2
    have c6 := Nat.le_of_ble_eq_true c6
    subst c1
    refine divide_sound (low := low) (high := high) (mass := mass) (limit := limit) sf
      (Natural.succ_pred (Nat.le_of_ble_eq_true c4)) (Nat.le_of_ble_eq_true c5) (Nat.le_of_ble_eq_true c3) ?_
      hd ?_ h
    · rw [c2]; exact c6
    · rw [c2]; exact hy
  | false =>
    rw [c] at h
    have lt : ∀ {x : Nat}, x ≤ limit → x < 2 ^ s.half := fun hx => Nat.le_trans (Nat.succ_le_succ hx) hlim
    have half_le : 2 ^ s.half ≤ 2 ^ b := Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ _) hb)
    obtain ⟨d, m, r1, r2⟩ := push_sound hb he n low high mass 0 0 0 _
      (fun i hi => ⟨lt (hd i hi).1, lt (hd i hi).2.1, Nat.le_trans (lt (hd i hi).2.2) half_le⟩) hy
        (Memory.empty_holds s slots) h
    rw [Nat.zero_add] at r1
    exact ⟨d, m, r1, r2⟩
end Rows
end PytestTorchLean
