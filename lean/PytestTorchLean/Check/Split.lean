prelude
import PytestTorchLean.Check.Rows
/-!
# Distinguishing two cases

A slot's fixed-point number lies at or below a value, or at or above it. In each case the memory's word of
that slot is replaced by a tighter one.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

/-- One case of a slot: its fixed-point number is at most `value` (`below`), or at least. -/
structure Case where
  slot : Nat
  value : Nat
  below : Bool

/-- What a case says of an execution. -/
def Case.Holds (s : Scale) (slots : Nat → K) (c : Case) : Prop :=
  match c.below with
  | true => s.image (slots c.slot) ≤ natural c.value
  | false => natural c.value ≤ s.image (slots c.slot)

namespace Split
/-- `f` with another value at `slot`. -/
def updated (f : Nat → Nat) (slot value i : Nat) : Nat := cond (Nat.beq i slot) value (f i)
theorem updated_same (f : Nat → Nat) (slot value : Nat) : updated f slot value slot = value := by
  unfold updated; rw [Nat.beq_refl]; rfl
theorem updated_other (f : Nat → Nat) {slot value i : Nat} (h : i ≠ slot) : updated f slot value i = f i := by
  unfold updated
  cases e : Nat.beq i slot with
  | false => rfl
  | true => exact absurd (Nat.eq_of_beq_eq_true e) h

theorem pack_updated {b : Nat} (value : Nat) : (m slot : Nat) → (f : Nat → Nat) → slot < m →
    pack b m f + 2 ^ (b * slot) * value = pack b m (updated f slot value) + 2 ^ (b * slot) * f slot
  | 0, slot, _, h => absurd h (Nat.not_succ_le_zero slot)
  | m + 1, 0, f, _ => by
    have e : pack b m (fun i => updated f 0 value (i + 1)) = pack b m (fun i => f (i + 1)) :=
      pack_congr fun i _ => updated_other f (fun h => Nat.noConfusion h)
    rw [pack_succ, pack_succ, updated_same, e]
    have one : 2 ^ (b * 0) = 1 := rfl
    rw [one, Natural.one_mul, Natural.one_mul]
    simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]
  | m + 1, slot + 1, f, h => by
    have ih := pack_updated (b := b) value m slot (fun i => f (i + 1)) (Nat.le_of_succ_le_succ h)
    have e : pack b m (fun i => updated f (slot + 1) value (i + 1)) =
        pack b m (updated (fun i => f (i + 1)) slot value) :=
      pack_congr fun i _ => rfl
    have z : updated f (slot + 1) value 0 = f 0 := rfl
    rw [pack_succ, pack_succ, e, z, Nat.mul_succ, Nat.add_comm (b * slot), Natural.pow_add, Nat.mul_assoc,
        Nat.mul_assoc, Nat.add_assoc, ← Nat.mul_add, ih, Nat.mul_add, ← Nat.add_assoc]

/-- A packed vector with another digit at `slot`, where it has `old`. -/
def replace (stride slot packed old new : Nat) : Nat :=
  Nat.sub (Nat.add packed (Nat.mul (Nat.pow 2 (Nat.mul stride slot)) new))
    (Nat.mul (Nat.pow 2 (Nat.mul stride slot)) old)
theorem replace_eq {b m slot new : Nat} {f : Nat → Nat} (h : slot < m) :
    replace b slot (pack b m f) (f slot) new = pack b m (updated f slot new) :=
  (Natural.sub_eq_of_add_eq (pack_updated new m slot f h).symm)

/-- The memory with other bounds of one slot. -/
def set (s : Scale) (slot direct mirrored l u l' u' : Nat) (next : Nat → Nat → Bool) : Bool :=
  force (fun direct' => force (fun mirrored' => next direct' mirrored')
      (replace s.stride slot mirrored
          (Nat.add (Nat.sub s.top u) (Nat.mul (Nat.pow 2 s.half) (Nat.sub s.top l)))
          (Nat.add (Nat.sub s.top u') (Nat.mul (Nat.pow 2 s.half) (Nat.sub s.top l')))))
    (replace s.stride slot direct (Nat.add l (Nat.mul (Nat.pow 2 s.half) u))
        (Nat.add l' (Nat.mul (Nat.pow 2 s.half) u')))

/-- Both cases of a slot, where the value lies between its bounds. -/
def run (s : Scale) (slot value direct mirrored count : Nat) (below above : Nat → Nat → Bool) : Bool :=
  force (fun word => force (fun l => force (fun u =>
      both (Nat.ble (Nat.succ slot) count) (both (Nat.ble l value) (both (Nat.ble value u)
        (both (set s slot direct mirrored l u l value below)
                (set s slot direct mirrored l u value u above)))))
    (Nat.shiftRight word s.half)) (Nat.land word (Nat.sub (Nat.pow 2 s.half) 1)))
    (Memory.lookup s.stride direct slot)

/-- Other bounds of one slot, which are known to hold. -/
theorem set_sound {s : Scale} {slots : Nat → K} {slot direct mirrored count l' u' : Nat}
    {next : Nat → Nat → Bool} {l u : Nat → Nat}
    (hd : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)))
    (hm : mirrored = pack s.stride count (fun i => Memory.mirroredWord s (l i) (u i)))
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top ∧ Within s (l i) (u i) (slots i))
    (hs : slot < count)
    (h1 : l' ≤ u')
    (h2 : u' ≤ s.top)
    (h3 : Within s l' u' (slots slot))
    (h : set s slot direct mirrored (l slot) (u slot) l' u' next = true) :
    ∃ direct' mirrored',
      (Memory.mk direct' mirrored').Holds s slots count ∧ next direct' mirrored' = true := by
  unfold set at h
  simp only [force_eq] at h
  refine ⟨_, _, ⟨updated l slot l', updated u slot u', ?_, ?_, ?_⟩, h⟩
  · show replace s.stride slot direct (Memory.directWord s (l slot) (u slot)) (Memory.directWord s l' u') = _
    rw [hd, replace_eq (f := fun i => Memory.directWord s (l i) (u i)) hs]
    refine pack_congr fun i _ => ?_
    unfold updated
    cases Nat.beq i slot <;> rfl
  · show replace s.stride slot mirrored (Memory.mirroredWord s (l slot) (u slot))
      (Memory.mirroredWord s l' u') = _
    rw [hm, replace_eq (f := fun i => Memory.mirroredWord s (l i) (u i)) hs]
    refine pack_congr fun i _ => ?_
    unfold updated
    cases Nat.beq i slot <;> rfl
  · intro i hi
    cases e : Nat.beq i slot with
    | true =>
      have e := Nat.eq_of_beq_eq_true e
      subst e
      rw [updated_same, updated_same]
      exact ⟨h1, h2, h3⟩
    | false =>
      have ne : i ≠ slot := fun g => by rw [g, Nat.beq_refl] at e; exact Bool.noConf_tf e
      rw [updated_other l ne, updated_other u ne]
      exact hw i hi

/-- The bounds of a slot, as the kernel finds them. -/
theorem lookup_bounds {s : Scale} {direct count slot : Nat} {l u : Nat → Nat} (sf : s.Fits)
    (hd : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)))
    (hw : ∀ i, i < count → l i ≤ u i ∧ u i ≤ s.top) (hs : slot < count) :
    Memory.lookup s.stride direct slot = Memory.directWord s (l slot) (u slot) ∧
      Nat.land (Memory.directWord s (l slot) (u slot)) (Nat.sub (Nat.pow 2 s.half) 1) = l slot ∧
      Nat.shiftRight (Memory.directWord s (l slot) (u slot)) s.half = u slot := by
  obtain ⟨w1, w2⟩ := hw slot hs
  have small : ∀ {a : Nat}, a ≤ s.top → a < 2 ^ s.half := fun h => Nat.le_trans (Nat.succ_le_succ h) sf.half
  refine ⟨?_, ?_, ?_⟩
  · rw [hd]; exact Memory.lookup_pack (fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2).1) hs
  · show Nat.land (Memory.directWord s (l slot) (u slot)) (2 ^ s.half - 1) = l slot
    rw [land_low]; exact Natural.add_mul_mod _ (small (Nat.le_trans w1 w2))
  · exact Natural.add_mul_div _ (small (Nat.le_trans w1 w2))

/-- Two cases of a slot cover all its values: of what is checked for both, one applies. -/
theorem run_sound {s : Scale} {slots : Nat → K} {slot value direct mirrored count : Nat}
    {below above : Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (h : run s slot value direct mirrored count below above = true) :
    (∃ direct' mirrored',
        (Memory.mk direct' mirrored').Holds s slots count ∧ below direct' mirrored' = true) ∨
    (∃ direct' mirrored',
        (Memory.mk direct' mirrored').Holds s slots count ∧ above direct' mirrored' = true) := by
  obtain ⟨l, u, hd, hmm, hw⟩ := hm
  have hd : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := hd
  have hmm : mirrored = pack s.stride count (fun i => Memory.mirroredWord s (l i) (u i)) := hmm
  unfold run at h
  simp only [force_eq] at h
  obtain ⟨hs, h⟩ := both_true h
  have hs : slot < count := Nat.le_of_ble_eq_true hs
  obtain ⟨w1, w2, w3⟩ := hw slot hs
  obtain ⟨word, low, high⟩ := lookup_bounds sf hd (fun i hi => ⟨(hw i hi).1, (hw i hi).2.1⟩) hs
  rw [word, low, high] at h
  obtain ⟨h1, h⟩ := both_true h
  obtain ⟨h2, h⟩ := both_true h
  obtain ⟨h3, h4⟩ := both_true h
  have h1 := Nat.le_of_ble_eq_true h1
  have h2 := Nat.le_of_ble_eq_true h2
  cases le_total (s.image (slots slot)) (natural value) with
  | inl g => exact Or.inl (set_sound hd hmm hw hs h1 (Nat.le_trans h2 w2) ⟨w3.1, g⟩ h3)
  | inr g => exact Or.inr (set_sound hd hmm hw hs h2 w2 ⟨g, w3.2⟩ h4)

/-- The memory in a case that is known to hold. Where the bounds exclude the case, nothing is left to show. -/
def assumeAt (s : Scale) (slot value : Nat) (below : Bool) (direct mirrored count : Nat)
    (next : Nat → Nat → Bool) : Bool :=
  force (fun word => force (fun l => force (fun u =>
      both (Nat.ble (Nat.succ slot) count) (Bool.casesOn (motive := fun _ => Bool) below
        (Bool.casesOn (motive := fun _ => Bool) (Nat.ble value u) true
          (Bool.casesOn (motive := fun _ => Bool) (Nat.ble value l)
              (set s slot direct mirrored l u value u next) (next direct mirrored)))
        (Bool.casesOn (motive := fun _ => Bool) (Nat.ble l value) true
          (Bool.casesOn (motive := fun _ => Bool) (Nat.ble u value)
                  (set s slot direct mirrored l u l value next) (next direct mirrored)))))
    (Nat.shiftRight word s.half)) (Nat.land word (Nat.sub (Nat.pow 2 s.half) 1)))
    (Memory.lookup s.stride direct slot)
def assume (s : Scale) (c : Case) (direct mirrored count : Nat) (next : Nat → Nat → Bool) : Bool :=
  assumeAt s c.slot c.value c.below direct mirrored count next

theorem excluded {s : Scale} {low high : Nat} {x : K} (h : Nat.ble low high = false)
    (h1 : natural low ≤ s.image x) (h2 : s.image x ≤ natural high) :
    False := by
  rw [Nat.ble_eq_true_of_le (Rows.natural_le_reflect (le_trans h1 h2))] at h
  exact Bool.noConf_tf h

theorem assume_sound {s : Scale} {slots : Nat → K} {direct mirrored count : Nat} {next : Nat → Nat → Bool}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots count) :
    (c : Case) → c.Holds s slots → assume s c direct mirrored count next = true →
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots count ∧ next direct' mirrored' = true
  | ⟨slot, value, below⟩, hc, h => by
    have whole := hm
    obtain ⟨l, u, hd, hmm, hw⟩ := hm
    have hd : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := hd
    have hmm : mirrored = pack s.stride count (fun i => Memory.mirroredWord s (l i) (u i)) := hmm
    have h : assumeAt s slot value below direct mirrored count next = true := h
    unfold assumeAt at h
    simp only [force_eq] at h
    obtain ⟨hs, h⟩ := both_true h
    have hs : slot < count := Nat.le_of_ble_eq_true hs
    obtain ⟨w1, w2, w3⟩ := hw slot hs
    obtain ⟨word, low, high⟩ := lookup_bounds sf hd (fun i hi => ⟨(hw i hi).1, (hw i hi).2.1⟩) hs
    rw [word, low, high] at h
    cases below with
    | true =>
      have hc : s.image (slots slot) ≤ natural value := hc
      cases c1 : Nat.ble (l slot) value with
      | false => exact (excluded c1 w3.1 hc).elim
      | true =>
        rw [c1] at h
        cases c2 : Nat.ble (u slot) value with
        | true => rw [c2] at h; exact ⟨direct, mirrored, whole, h⟩
        | false =>
          rw [c2] at h
          have le : value ≤ u slot := by
            cases Nat.le_total value (u slot) with
            | inl g => exact g
            | inr g => rw [Nat.ble_eq_true_of_le g] at c2; exact Bool.noConf_tf c2
          exact set_sound hd hmm hw hs (Nat.le_of_ble_eq_true c1) (Nat.le_trans le w2) ⟨w3.1, hc⟩ h
    | false =>
      have hc : natural value ≤ s.image (slots slot) := hc
      cases c1 : Nat.ble value (u slot) with
      | false => exact (excluded c1 hc w3.2).elim
      | true =>
        rw [c1] at h
        cases c2 : Nat.ble value (l slot) with
        | true => rw [c2] at h; exact ⟨direct, mirrored, whole, h⟩
        | false =>
          rw [c2] at h
          exact set_sound hd hmm hw hs (Nat.le_of_ble_eq_true c1) w2 ⟨hc, w3.2⟩ h
end Split
end PytestTorchLean
