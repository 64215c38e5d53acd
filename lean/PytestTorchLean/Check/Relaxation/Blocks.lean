prelude
import PytestTorchLean.Check.Relaxation.Convolve
/-!
# Blocks of places, moved one after the other

A block of places that hold consecutive slots is cut out of all rows and put where these slots belong. Every
place is moved once, or holds no slot.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-- Blocks of places in the order of their slots: for each three words, how many slots before it have no
    place, its first place, its length. -/
structure Arrangement where
  /-- the first slot -/
  first : Nat
  /-- how many blocks -/
  count : Nat
  blocks : Nat

/-- All ones in the words of a block of places. -/
def blockMask (start length : Nat) : Nat :=
  Nat.mul (Nat.mul (Nat.sub (Nat.pow 2 32) 1) (ones 32 length)) (Nat.pow 2 (Nat.mul 32 start))
/-- Two masks have no bit in common. -/
def apart (x y : Nat) : Bool := Nat.beq (Nat.land x y) 0
/-- A block of every row's digits. -/
def cutOut (b w q x start length : Nat) : Nat :=
  Nat.land (Nat.shiftRight x (Nat.mul b start))
    (repeated (Nat.mul b w) (Nat.sub (Nat.pow 2 (Nat.mul b length)) 1) q)

/-- Block after block. `cursor` counts the slots that have been reached, `moved` has the coefficients of
    these, `covered` the words of the places they came from. -/
def arranged (b w q n first x places count : Nat) : Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ cursor moved covered next => next cursor moved covered)
    (fun _ rest blocks cursor moved covered next =>
        force (fun place => force (fun start => force (fun length => force (fun mask =>
          both (Nat.ble (Nat.add start length) n) (both (apart covered mask)
            (both (Dense.consecutive length (Nat.add first place) (Nat.shiftRight places (Nat.mul 32 start)))
              (force (fun blocks' => force (fun cursor' => force (fun moved' => force
                            (fun covered' => rest blocks' cursor' moved' covered' next)
                            (Nat.add covered mask))
                          (Nat.add moved (Nat.shiftLeft (cutOut b w q x start length) (Nat.mul b place))))
                        (Nat.add place length)) (Nat.shiftRight blocks 96)))))
        (blockMask start length)) (Nat.land (Nat.shiftRight blocks 64) (Nat.sub (Nat.pow 2 32) 1)))
          (Nat.land (Nat.shiftRight blocks 32) (Nat.sub (Nat.pow 2 32) 1)))
      (Nat.add cursor (Nat.land blocks (Nat.sub (Nat.pow 2 32) 1)))) count

theorem arranged_succ (b w q n first x places count blocks cursor moved covered : Nat)
    (next : Nat → Nat → Nat → Bool) :
    ∃ gap start length, arranged b w q n first x places (count + 1) blocks cursor moved covered next =
      both (Nat.ble (start + length) n)
        (both (apart covered (blockMask start length))
          (both (Dense.consecutive length (first + (cursor + gap)) (Nat.shiftRight places (32 * start)))
            (arranged b w q n first x places count (Nat.shiftRight blocks 96) (cursor + gap + length)
              (moved + Nat.shiftLeft (cutOut b w q x start length) (b * (cursor + gap)))
              (covered + blockMask start length) next))) := by
  refine ⟨Nat.land blocks (Nat.sub (Nat.pow 2 32) 1),
      Nat.land (Nat.shiftRight blocks 32) (Nat.sub (Nat.pow 2 32) 1),
      Nat.land (Nat.shiftRight blocks 64) (Nat.sub (Nat.pow 2 32) 1), ?_⟩
  generalize hm : Nat.sub (Nat.pow 2 32) 1 = m
  unfold arranged
  rw [hm]
  simp only [force_eq]
  rfl

/-- 1 in the places of a block. -/
def window (start length : Nat) : Nat → Nat :=
  Memory.splice start (fun _ => 0) (Memory.splice length (fun _ => 1) fun _ => 0)
theorem window_cases (start length j : Nat) : window start length j = 0 ∨ window start length j = 1 := by
  cases Natural.le_or_lt start j with
  | inr h => exact Or.inl (Memory.splice_old _ _ h)
  | inl h =>
    obtain ⟨i, rfl⟩ := Nat.exists_of_le h
    have e : window start length (start + i) = Memory.splice length (fun _ => 1) (fun _ => 0) i :=
      Memory.splice_new _ _ _ i
    rw [e]
    cases Natural.le_or_lt length i with
    | inr g => exact Or.inr (Memory.splice_old _ _ g)
    | inl g => obtain ⟨k, rfl⟩ := Nat.exists_of_le g; exact Or.inl (Memory.splice_new _ _ _ k)
theorem window_inside {start length i : Nat} (h : i < length) : window start length (start + i) = 1 :=
  (Memory.splice_new _ _ _ i).trans (Memory.splice_old _ _ h)
theorem window_behind (start length i : Nat) : window start length (start + (length + i)) = 0 :=
  (Memory.splice_new _ _ _ _).trans (Memory.splice_new _ _ _ i)
theorem window_before {start length i : Nat} (h : i < start) : window start length i = 0 :=
  Memory.splice_old _ _ h

theorem blockMask_eq {start length n : Nat} (h : start + length ≤ n) :
    blockMask start length = pack 32 n fun j => (2 ^ 32 - 1) * window start length j := by
  obtain ⟨rest, rfl⟩ := Nat.exists_of_le h
  have a : pack 32 start (fun j => (2 ^ 32 - 1) * window start length j) = 0 :=
    (pack_congr fun j hj => by rw [window_before hj, Nat.mul_zero]).trans (pack_zero 32 start)
  have c : pack 32 rest (fun j => (2 ^ 32 - 1) * window start length (start + (length + j))) = 0 :=
    (pack_congr fun j _ => by rw [window_behind, Nat.mul_zero]).trans (pack_zero 32 rest)
  have d : pack 32 length (fun j => (2 ^ 32 - 1) * window start length (start + j)) =
      pack 32 length fun _ => 2 ^ 32 - 1 :=
    pack_congr fun j hj => by rw [window_inside hj, Nat.mul_one]
  rw [Nat.add_assoc, pack_append, pack_append, a, c, d, Nat.mul_zero, Nat.add_zero, Nat.zero_add,
      ← mul_ones (by decide), Nat.mul_comm]
  rfl

/-- The part of a form in a block. -/
theorem form_window {n start length : Nat} (h : start + length ≤ n) (p q : Nat → Nat) (v : Nat → K) :
    form n (fun j => window start length j * p j) (fun j => window start length j * q j) v =
      form length (fun j => p (start + j)) (fun j => q (start + j)) fun j => v (start + j) := by
  obtain ⟨rest, rfl⟩ := Nat.exists_of_le h
  unfold form
  rw [Nat.add_assoc, sum_append, sum_append]
  have none : ∀ i, (natural (0 * p i) - natural (0 * q i)) * v i = 0 := fun i => by
    rw [Nat.zero_mul, Nat.zero_mul]
    show ((0 : K) - 0) * v i = 0
    exact (ring1 K v, (0 - 0) * v, 0) _
  have a : (sum start
          fun j => (natural (window start length j * p j) - natural (window start length j * q j)) * v j) =
      0 :=
    (Columns.sum_congr fun j hj => by rw [window_before hj]; exact none j).trans (sum_zero (K := K) start)
  have c : (sum rest fun j => (natural
          (window start length (start + (length + j)) * p (start + (length + j))) -
        natural (window start length (start + (length + j)) * q (start + (length + j)))) *
      v (start + (length + j))) = 0 :=
    (Columns.sum_congr fun j _ => by rw [window_behind]; exact none _).trans (sum_zero (K := K) rest)
  rw [a, c, zero_add, add_zer]
  refine Columns.sum_congr fun j hj => ?_
  show (natural (window start length (start + j) * p (start + j)) -
        natural (window start length (start + j) * q (start + j))) * v (start + j) = _
  rw [window_inside hj, Nat.one_mul, Nat.one_mul]

theorem cutOut_eq {b w n q start length : Nat} {A : Nat → Nat → Nat} (hb : 0 < b) (hw : n ≤ w)
    (hA : ∀ r, r < q → ∀ j, j < n → A r j < 2 ^ b) (h : start + length ≤ n) :
    cutOut b w q (grid b w n q A) start length = grid b w length q fun r j => A r (start + j) := by
  cases length with
  | zero =>
    show Nat.land _ (repeated (b * w) (2 ^ (b * 0) - 1) q) = _
    have z : 2 ^ (b * 0) - 1 = 0 := rfl
    rw [z, repeated_eq, pack_zero, Natural.land_zero]
    exact (grid_zero b w 0 q).symm
  | succ length =>
  have lw : start + (length + 1) ≤ w := Nat.le_trans h hw
  have row : 0 < b * w := Nat.mul_pos hb
    (Nat.le_trans (Nat.succ_le_succ (Nat.zero_le _)) (Nat.le_trans (Nat.le_add_left (length + 1) start) lw))
  have le : b * (length + 1) ≤ b * w := Nat.mul_le_mul Nat.le.refl (Nat.le_trans (Nat.le_add_left _ start) lw)
  show Nat.land (Nat.shiftRight _ (b * start)) (repeated (b * w) (2 ^ (b * (length + 1)) - 1) q) = _
  rw [repeated_eq, land_mask _ (fun _ _ => Natural.mask_lt le)]
  refine pack_congr fun r hr => ?_
  rw [land_low]
  have small := flat_lt (w := w) hA
  obtain ⟨t, ht⟩ := Nat.exists_of_le hr
  obtain ⟨z, hz⟩ := Nat.exists_of_le lw
  -- the digits from place `start` of row `r` on
  have split : w * q = w * r + start + ((length + 1) + (z + w * t)) := by
    rw [ht, Nat.mul_add, Nat.mul_succ]
    have e : w * r + w + w * t = w * r + (start + (length + 1) + z) + w * t := by rw [← hz]
    rw [e]
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  have here : ∀ j, j < length + 1 → flat w n A (w * r + start + j) = A r (start + j) := fun j hj => by
    have inside : start + j < n := Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := start)) hj) h
    rw [Nat.add_assoc, flat_at A r (Natural.lt_of_lt_of_le inside hw), Memory.splice_old _ _ inside]
  have value : grid b w n q A / 2 ^ (b * start) / 2 ^ (b * w * r) % 2 ^ (b * w) % 2 ^ (b * (length + 1)) =
      pack b (length + 1) fun j => A r (start + j) := by
    rw [Natural.mod_mod le, Natural.shift_shift, grid_flat hw, split]
    have distance : b * start + b * w * r = b * (w * r + start) := by
      rw [Nat.mul_add, Nat.mul_assoc, Nat.add_comm]
    rw [distance]
    have below : ∀ i, i < w * r + start + ((length + 1) + (z + w * t)) → flat w n A i < 2 ^ b :=
      fun i hi => small i (by rw [split]; exact hi)
    have s1 := shift_pack_append (b := b) (m := w * r + start) (n := (length + 1) + (z + w * t))
      (h := flat w n A) (fun i hi => below i (Nat.le_trans hi (Nat.le_add_right _ _)))
    have s1 :
      pack b (w * r + start + ((length + 1) + (z + w * t))) (flat w n A) / 2 ^ (b * (w * r + start)) = _ := s1
    rw [s1, ← land_low]
    refine (land_pack_append (h := fun i => flat w n A (w * r + start + i)) (fun i hi => ?_)).trans
      (pack_congr here)
    exact below _ (Nat.add_le_add (Nat.le.refl (n := w * r + start)) (Nat.le_trans hi (Nat.le_add_right _ _)))
  exact value

/-- What has been moved so far: the coefficients of the covered places are those of the slots reached. -/
def Moved (s : Scale) (slots : Nat → K) (b w q n first places : Nat) (A : Nat → Nat → Nat)
    (size cursor moved covered : Nat) (C : Nat → Nat) (B : Nat → Nat → Nat) : Prop :=
  moved = grid b w cursor q B ∧
    covered = pack 32 n (fun j => (2 ^ 32 - 1) * C j) ∧
    (∀ j, j < n → C j = 0 ∨ C j = 1) ∧
  (∀ r, r < q → ∀ j, j < cursor → B r j < 2 ^ size) ∧
  ∀ r r', r < q → r' < q →
    form cursor (B r) (B r') (values s slots first) =
      form n (fun j => C j * A r j) (fun j => C j * A r' j) (inPlace s slots places)

theorem arranged_sound {s : Scale} {slots : Nat → K} {b w q n first places size : Nat} {A : Nat → Nat → Nat}
    {next : Nat → Nat → Nat → Bool}
    (hb : 0 < b)
    (hw : n ≤ w)
    (hs : size ≤ b)
    (hA : ∀ r, r < q → ∀ j, j < n → A r j < 2 ^ size) :
    (count blocks cursor moved covered : Nat) → (C : Nat → Nat) →
    (B : Nat → Nat → Nat) → Moved s slots b w q n first places A size cursor moved covered C B →
    arranged b w q n first (grid b w n q A) places count blocks cursor moved covered next = true →
    ∃ cursor' moved' covered' C' B', Moved s slots b w q n first places A size cursor' moved' covered' C' B' ∧
      next cursor' moved' covered' = true := by
  intro count
  induction count with
  | zero =>
    intro _ cursor moved covered C B hx h
    exact ⟨cursor, moved, covered, C, B, hx, h⟩
  | succ count smaller =>
    intro blocks cursor moved covered C B hx h
    obtain ⟨gap, start, length, e⟩ :=
      arranged_succ b w q n first (grid b w n q A) places count blocks cursor moved covered next
    rw [e] at h
    obtain ⟨h1, h⟩ := both_true h
    obtain ⟨h2, h⟩ := both_true h
    obtain ⟨h3, h⟩ := both_true h
    have h1 : start + length ≤ n := Nat.le_of_ble_eq_true h1
    have h2 : Nat.land covered (blockMask start length) = 0 := Nat.eq_of_beq_eq_true h2
    have words := Dense.consecutive_sound length _ _ h3
    obtain ⟨x1, x2, x3, x4, x5⟩ := hx
    have mask : ∀ {y : Nat}, y = 0 ∨ y = 1 → (2 ^ 32 - 1) * y < 2 ^ 32 := fun hy => by
      cases hy with
      | inl g => rw [g]; exact Natural.two_pow_pos 32
      | inr g => rw [g, Nat.mul_one]; exact Natural.mask_lt Nat.le.refl
    -- a place is moved only once
    have once :
        ∀ j, j < n → C j + window start length j = 0 ∨ C j + window start length j = 1 := fun j hj => by
      rw [x2, blockMask_eq h1,
          land_pack (fun i hi => mask (x3 i hi)) (fun i _ => mask (window_cases start length i))] at h2
      have z : Nat.land ((2 ^ 32 - 1) * C j) ((2 ^ 32 - 1) * window start length j) = 0 := by
        refine pack_injective (b := 32) (m := n) (g := fun _ => 0) (fun i hi => ?_)
          (fun _ _ => Natural.two_pow_pos 32) (h2.trans (pack_zero 32 n).symm) j hj
        cases window_cases start length i with
        | inl g => rw [g, Nat.mul_zero, Natural.land_zero]; exact Natural.two_pow_pos 32
        | inr g => rw [g, Nat.mul_one, land_low]; exact Natural.mod_lt (Natural.two_pow_pos 32) _
      cases x3 j hj with
      | inl g =>
        rw [g]
        cases window_cases start length j with
        | inl k => exact Or.inl (by rw [k])
        | inr k => exact Or.inr (by rw [k])
      | inr g =>
        cases window_cases start length j with
        | inl k => exact Or.inr (by rw [g, k])
        | inr k =>
          rw [g, k, Nat.mul_one, Natural.land_mask_self 32 _ (Natural.mask_lt Nat.le.refl)] at z
          exact absurd z (by decide)
    have hA' : ∀ r, r < q →
      ∀ j, j < n → A r j < 2 ^ b :=
        fun r hr j hj => Natural.lt_of_lt_of_le (hA r hr j hj) (Natural.two_pow_le hs)
    rw [cutOut_eq hb hw hA' h1, shiftLeft_eq] at h
    let B' : Nat → Nat → Nat :=
      fun r => Memory.splice (cursor + gap) (Memory.splice cursor (B r) fun _ => 0) fun j => A r (start + j)
    have total : moved + 2 ^ (b * (cursor + gap)) * grid b w length q (fun r j => A r (start + j)) =
        grid b w (cursor + gap + length) q B' := by
      rw [x1]
      show pack (b * w) q _ + _ * pack (b * w) q _ = pack (b * w) q _
      rw [← pack_mul, ← pack_add]
      refine pack_congr fun r _ => ?_
      have wide : pack b cursor (B r) = pack b (cursor + gap) (Memory.splice cursor (B r) fun _ => 0) := by
        rw [Dense.pack_tail_zero (fun i => Memory.splice_new cursor _ _ i)]
        exact pack_congr fun i hi => (Memory.splice_old _ _ hi).symm
      rw [wide]
      exact Memory.pack_splice (fun i hi => Memory.splice_old _ _ hi) (fun i _ => Memory.splice_new _ _ _ i)
    rw [total] at h
    refine smaller _ _ _ _ (fun j => C j + window start length j) B'
      ⟨rfl, ?_, once, fun r hr j hj => ?_, fun r r' hr hr' => ?_⟩ h
    · rw [x2, blockMask_eq h1, ← pack_add]
      exact pack_congr fun j _ => (Nat.mul_add _ _ _).symm
    · cases Natural.le_or_lt (cursor + gap) j with
      | inl g =>
        obtain ⟨i, rfl⟩ := Nat.exists_of_le g
        have new : B' r (cursor + gap + i) = A r (start + i) := Memory.splice_new _ _ _ i
        rw [new]
        exact hA r hr _ (Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := start)) (Memory.lt_of_add_lt hj)) h1)
      | inr g =>
        have old : B' r j = Memory.splice cursor (B r) (fun _ => 0) j := Memory.splice_old _ _ g
        rw [old]
        cases Natural.le_or_lt cursor j with
        | inl k =>
          obtain ⟨i, rfl⟩ := Nat.exists_of_le k
          rw [Memory.splice_new]
          exact Natural.two_pow_pos size
        | inr k => rw [Memory.splice_old _ _ k]; exact x4 r hr j k
    · have before := x5 r r' hr hr'
      have left : form (cursor + gap + length) (B' r) (B' r') (values s slots first) =
          form cursor (B r) (B r') (values s slots first) + form length (fun j => A r (start + j))
                (fun j => A r' (start + j)) fun j => inPlace s slots places (start + j) := by
        unfold form
        rw [sum_append, sum_append]
        have a : (sum cursor fun i => (natural (B' r i) - natural (B' r' i)) * values s slots first i) =
            sum cursor fun i => (natural (B r i) - natural (B r' i)) * values s slots first i :=
          Columns.sum_congr fun i hi => by
            have i' : i < cursor + gap := Nat.le_trans hi (Nat.le_add_right _ _)
            have e1 : B' r i = B r i := (Memory.splice_old _ _ i').trans (Memory.splice_old _ _ hi)
            have e2 : B' r' i = B r' i := (Memory.splice_old _ _ i').trans (Memory.splice_old _ _ hi)
            rw [e1, e2]
        have c : (sum gap fun i => (natural (B' r (cursor + i)) - natural (B' r' (cursor + i))) *
                values s slots first (cursor + i)) = 0 := by
          refine (Columns.sum_congr fun i hi => ?_).trans (sum_zero (K := K) gap)
          have i' : cursor + i < cursor + gap := Nat.add_le_add (Nat.le.refl (n := cursor)) hi
          have e1 : B' r (cursor + i) = 0 := (Memory.splice_old _ _ i').trans (Memory.splice_new _ _ _ i)
          have e2 : B' r' (cursor + i) = 0 := (Memory.splice_old _ _ i').trans (Memory.splice_new _ _ _ i)
          rw [e1, e2]
          show ((0 : K) - 0) * _ = 0
          exact (ring1 K v, (0 - 0) * v, 0) _
        have d : (sum length fun i => (natural (B' r (cursor + gap + i)) -
                natural (B' r' (cursor + gap + i))) * values s slots first (cursor + gap + i)) =
            sum length fun i => (natural (A r (start + i)) - natural (A r' (start + i))) *
                inPlace s slots places (start + i) :=
          Columns.sum_congr fun i hi => by
            have e1 : B' r (cursor + gap + i) = A r (start + i) := Memory.splice_new _ _ _ i
            have e2 : B' r' (cursor + gap + i) = A r' (start + i) := Memory.splice_new _ _ _ i
            have word := words i hi
            rw [word_shift] at word
            have place : first + (cursor + gap) + i = first + (cursor + gap + i) := Nat.add_assoc _ _ _
            unfold inPlace values
            rw [e1, e2, word, place]
        rw [a, c, d, add_zer]
      have right : form n (fun j => (C j + window start length j) * A r j)
        (fun j => (C j + window start length j) * A r' j) (inPlace s slots places) =
          form n (fun j => C j * A r j) (fun j => C j * A r' j) (inPlace s slots places) +
            form n (fun j => window start length j * A r j) (fun j => window start length j * A r' j)
                (inPlace s slots places) := by
        rw [← form_add]
        unfold form
        refine Columns.sum_congr fun j _ => ?_
        show (natural ((C j + window start length j) * A r j) -
              natural ((C j + window start length j) * A r' j)) * inPlace s slots places j = _
        rw [Nat.add_mul, Nat.add_mul]
      rw [left, right, before, form_window h1]

/-- Every place has been moved, or holds no slot. -/
def complete (n places covered : Nat) : Bool :=
  apart places (Nat.sub (Nat.mul (Nat.sub (Nat.pow 2 32) 1) (ones 32 n)) covered)
theorem complete_sound {n places : Nat} {C : Nat → Nat} (hC : ∀ j, j < n → C j = 0 ∨ C j = 1)
    (h : complete n places (pack 32 n fun j => (2 ^ 32 - 1) * C j) = true) :
    ∀ j, j < n → C j = 1 ∨ word places j = 0 := fun j hj => by
  have h := Nat.eq_of_beq_eq_true h
  have le : ∀ i, i < n → (2 ^ 32 - 1) * C i ≤ 2 ^ 32 - 1 := fun i hi => by
    cases hC i hi with
    | inl g => rw [g]; exact Nat.zero_le _
    | inr g => rw [g, Nat.mul_one]; exact Nat.le.refl
  have rest : Nat.sub (Nat.mul (Nat.sub (Nat.pow 2 32) 1) (ones 32 n))
        (pack 32 n fun j => (2 ^ 32 - 1) * C j) = pack 32 n fun j => 2 ^ 32 - 1 - (2 ^ 32 - 1) * C j := by
    have all : Nat.mul (Nat.sub (Nat.pow 2 32) 1) (ones 32 n) =
      pack 32 n fun _ => 2 ^ 32 - 1 := mul_ones (by decide) n _
    rw [all]; exact (pack_sub le).symm
  have restLt : ∀ i, i < n → 2 ^ 32 - 1 - (2 ^ 32 - 1) * C i < 2 ^ 32 :=
    fun i _ => Natural.lt_of_le_of_lt (Natural.sub_le _ _) (Natural.mask_lt Nat.le.refl)
  rw [rest, land_mask _ restLt] at h
  have z := pack_injective (b := 32) (m := n) (g := fun _ => 0) (fun i hi => ?_)
    (fun _ _ => Natural.two_pow_pos 32) (h.trans (pack_zero 32 n).symm) j hj
  · cases hC j hj with
    | inr g => exact Or.inl g
    | inl g =>
      refine Or.inr ?_
      rw [g, Nat.mul_zero, Nat.sub_zero, land_low] at z
      exact (Natural.mod_mod (j := 32) (k := 32) Nat.le.refl _).symm.trans z
  · cases hC i hi with
    | inl g => rw [g, Nat.mul_zero, Nat.sub_zero, land_low]; exact Natural.mod_lt (Natural.two_pow_pos 32) _
    | inr g =>
      have none : 2 ^ 32 - 1 - (2 ^ 32 - 1) * 1 = 0 := by rw [Nat.mul_one, Nat.sub_self]
      rw [g, none, Natural.land_zero]; exact Natural.two_pow_pos 32
end Relaxation
end PytestTorchLean
