prelude
import PytestTorchLean.Check.ReluNode
/-!
# Maxima and minima of two slots each

The bounds of `max(x, x')` are the larger lower bound and the larger upper bound; of `min(x, x')` the smaller
ones. The memory's words of all first operands are gathered into one number, those of all second operands into
another, and then compared all at once. Operands in consecutive slots are gathered in one step.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Gather

/-! ### Slot numbers, one in every 64 bits -/

/-- Words 0, 2, 4, ... of a packed number. -/
def evens (n sources : Nat) : Nat := Nat.land sources (Nat.mul (Nat.sub (Nat.pow 2 32) 1) (ones 64 n))
theorem evens_eq (n sources : Nat) : evens n sources = pack 64 n (fun i => word sources (2 * i)) := by
  show Nat.land sources ((2 ^ 32 - 1) * ones 64 n) = _
  rw [mul_ones (by decide),
      land_mask _ (fun _ _ => Natural.mask_lt (j := 32) (k := 64) (Nat.le_add_right 32 32))]
  refine pack_congr fun i _ => ?_
  rw [land_low]
  show sources / 2 ^ (64 * i) % 2 ^ 64 % 2 ^ 32 = sources / 2 ^ (32 * (2 * i)) % 2 ^ 32
  rw [Natural.mod_mod (Nat.le_add_right 32 32), ← Nat.mul_assoc]
theorem odds_eq (n sources : Nat) :
    evens n (Nat.shiftRight sources 32) = pack 64 n (fun i => word sources (2 * i + 1)) := by
  rw [evens_eq]
  exact pack_congr fun i _ => word_succ _ _

/-- All of them are below `limit`. -/
def below (limit n slots : Nat) : Bool :=
  both (Nat.ble limit (Nat.pow 2 32)) (both (Nat.ble 1 limit) (force (fun guards =>
      Nat.beq (Nat.land (Nat.sub (Nat.add guards (Nat.mul (Nat.sub limit 1) (ones 64 n))) slots) guards)
        guards)
    (Nat.mul (Nat.pow 2 32) (ones 64 n))))
theorem below_sound {limit n : Nat} {e : Nat → Nat} (he : ∀ i, i < n → e i < 2 ^ 32)
    (h : below limit n (pack 64 n e) = true) :
    ∀ i, i < n → e i < limit := by
  obtain ⟨h1, h⟩ := both_true h
  obtain ⟨h2, h⟩ := both_true h
  rw [force_eq] at h
  have h1 := Nat.le_of_ble_eq_true h1
  have h2 := Natural.succ_pred (Nat.le_of_ble_eq_true h2)
  have small : limit - 1 < 2 ^ 32 := by
    show limit - 1 + 1 ≤ 2 ^ 32
    rw [h2]; exact h1
  have h : Nat.land (2 ^ 32 * ones 64 n + (limit - 1) * ones 64 n - pack 64 n e) (2 ^ 32 * ones 64 n) =
    2 ^ 32 * ones 64 n := Nat.eq_of_beq_eq_true h
  rw [mul_ones (by decide) n (limit - 1), Vector.guarded_eq (by decide) he] at h
  intro i hi
  have le := Vector.unborrowed (f := fun _ => limit - 1) (Nat.le_add_right 33 31) (fun _ _ => small) he h i hi
  have le := Nat.succ_le_succ le
  have e2 : Nat.succ (limit - 1) = limit := h2
  rw [e2] at le
  exact le

/-- Each is one more than the one before. -/
def consecutive (n slots : Nat) : Bool :=
  Nat.beq (Nat.shiftRight slots 64)
    (Nat.add (Nat.land slots (Nat.sub (Nat.pow 2 (Nat.mul 64 (Nat.pred n))) 1)) (ones 64 (Nat.pred n)))
theorem consecutive_sound {n : Nat} {e : Nat → Nat} (he : ∀ i, i < n + 1 → e i < 2 ^ 32)
    (h : consecutive (n + 1) (pack 64 (n + 1) e) = true) :
    ∀ i, i < n + 1 → e i = e 0 + i := by
  have wide :
    ∀ {x}, x < 2 ^ 32 → x < 2 ^ 64 := fun h => Nat.le_trans h (Natural.two_pow_le (Nat.le_add_right 32 32))
  have h :
    Nat.shiftRight (pack 64 (n + 1) e) 64 = Nat.land (pack 64 (n + 1) e) (2 ^ (64 * n) - 1) + ones 64 n :=
    Nat.eq_of_beq_eq_true h
  rw [shift_pack_succ (wide (he 0 (Nat.succ_le_succ (Nat.zero_le _)))),
    land_pack_append (fun i hi => wide (he i (Nat.le.step hi))), ones_eq (by decide), ← pack_add] at h
  have step := pack_injective (fun i hi => wide (he (i + 1) (Nat.succ_le_succ hi)))
    (fun i hi => Nat.le_trans (Nat.succ_le_succ (he i (Nat.le.step hi))) (show 2 ^ 32 + 1 ≤ 2 ^ 64 by decide))
      h
  intro i
  induction i with
  | zero => exact fun _ => rfl
  | succ i ih =>
    intro hi
    rw [step i (Nat.le_of_succ_le_succ hi), ih (Natural.le_of_lt hi)]
    rfl

/-! ### The memory's words of these slots -/

/-- The digits of `stride` bits at `n` slots, at most `2^depth` of them and at least one. -/
def run (stride packed depth : Nat) : Nat → Nat → Nat :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat) (fun _ slots => Memory.lookup stride packed slots)
    (fun d rest n slots => Bool.casesOn (motive := fun _ => Nat) (consecutive n slots)
      (Bool.casesOn (motive := fun _ => Nat) (Nat.ble n (Nat.pow 2 d))
        (force (fun low => force (fun high => force (fun n' => force (fun half =>
              Nat.add (rest half low) (Nat.shiftLeft (rest n' high) (Nat.mul stride half)))
            (Nat.pow 2 d)) (Nat.sub n (Nat.pow 2 d))) (Nat.shiftRight slots (Nat.mul 64 (Nat.pow 2 d))))
          (Nat.land slots (Nat.sub (Nat.pow 2 (Nat.mul 64 (Nat.pow 2 d))) 1)))
        (rest n slots))
      (Nat.land (Nat.shiftRight packed (Nat.mul stride (Nat.land slots (Nat.sub (Nat.pow 2 64) 1))))
        (Nat.sub (Nat.pow 2 (Nat.mul stride n)) 1))) depth

theorem run_succ (stride packed d n slots : Nat) :
    run stride packed (d + 1) n slots = Bool.casesOn (motive := fun _ => Nat) (consecutive n slots)
      (Bool.casesOn (motive := fun _ => Nat) (Nat.ble n (2 ^ d))
        (run stride packed d (2 ^ d) (Nat.land slots (2 ^ (64 * 2 ^ d) - 1)) +
          2 ^ (stride * 2 ^ d) * run stride packed d (n - 2 ^ d) (Nat.shiftRight slots (64 * 2 ^ d)))
        (run stride packed d n slots))
      (Nat.land (Nat.shiftRight packed (stride * Nat.land slots (2 ^ 64 - 1))) (2 ^ (stride * n) - 1)) := by
  rw [Nat.mul_comm (2 ^ (stride * 2 ^ d))]
  unfold run
  simp only [force_eq]
  rfl

theorem run_eq {stride count : Nat} {f : Nat → Nat} (hf : ∀ i, i < count → f i < 2 ^ stride) :
    (depth n : Nat) → (e : Nat → Nat) → 0 < n → n ≤ 2 ^ depth →
    (∀ i, i < n → e i < 2 ^ 32) → (∀ i, i < n → e i < count) →
    run stride (pack stride count f) depth n (pack 64 n e) = pack stride n (fun i => f (e i))
  | 0, n, e, h0, h1, he, hc => by
    have one : n = 1 := Nat.le_antisymm h1 h0
    subst one
    have single : ∀ (b : Nat) (g : Nat → Nat), pack b 1 g = g 0 := fun b g => rfl
    show Memory.lookup stride (pack stride count f) (pack 64 1 e) = _
    rw [single, single, Memory.lookup_pack hf (hc 0 Nat.le.refl)]
  | d + 1, n, e, h0, h1, he, hc => by
    have wide : ∀ i,
      i < n → e i < 2 ^ 64 := fun i hi => Nat.le_trans (he i hi) (Natural.two_pow_le (Nat.le_add_right 32 32))
    rw [run_succ]
    cases c : consecutive n (pack 64 n e) with
    | true =>
      obtain ⟨m, rfl⟩ := Nat.exists_of_le h0
      rw [Nat.add_comm 1 m] at *
      have follows := consecutive_sound he c
      show Nat.land
        (Nat.shiftRight (pack stride count f) (stride * Nat.land (pack 64 (m + 1) e) (2 ^ 64 - 1)))
        (2 ^ (stride * (m + 1)) - 1) = _
      rw [land_pack_succ (wide 0 h0)]
      have last := hc m Nat.le.refl
      rw [follows m Nat.le.refl] at last
      rw [Dense.segment (first := e 0) (n := m + 1) last hf]
      exact pack_congr fun i hi => by rw [follows i hi]
    | false =>
      cases g : Nat.ble n (2 ^ d) with
      | true => exact run_eq hf d n e h0 (Nat.le_of_ble_eq_true g) he hc
      | false =>
        have g : 2 ^ d < n := by
          cases Natural.le_or_lt n (2 ^ d) with
          | inl k => rw [Nat.ble_eq_true_of_le k] at g; exact Bool.noConf_tf g
          | inr k => exact k
        obtain ⟨m, rfl⟩ := Nat.exists_of_le (Natural.le_of_lt g)
        have twice : 2 ^ (d + 1) = 2 ^ d + 2 ^ d := by show 2 ^ d * 2 = _; rw [Nat.mul_comm, Natural.two_mul]
        have m0 : 0 < m := Memory.lt_of_add_lt (c := 2 ^ d) g
        have m1 : m ≤ 2 ^ d := by
          rw [twice, Nat.add_comm, Nat.add_comm (2 ^ d)] at h1
          exact Nat.le_of_add_le_add_right _ h1
        have first : ∀ i, i < 2 ^ d → i < 2 ^ d + m := fun i hi => Nat.le_trans hi (Nat.le_add_right _ _)
        have second :
          ∀ i, i < m → 2 ^ d + i < 2 ^ d + m := fun i hi => Nat.add_le_add (Nat.le.refl (n := 2 ^ d)) hi
        show run stride (pack stride count f) d (2 ^ d)
            (Nat.land (pack 64 (2 ^ d + m) e) (2 ^ (64 * 2 ^ d) - 1)) +
          2 ^ (stride * 2 ^ d) * run stride (pack stride count f) d (2 ^ d + m - 2 ^ d)
              (Nat.shiftRight (pack 64 (2 ^ d + m) e) (64 * 2 ^ d)) = _
        rw [land_pack_append (fun i hi => wide i (first i hi)),
            shift_pack_append (fun i hi => wide i (first i hi)), Natural.add_sub_cancel_left,
            run_eq hf d (2 ^ d) e (Natural.two_pow_pos d) Nat.le.refl (fun i hi => he i (first i hi))
            (fun i hi => hc i (first i hi)), run_eq hf d m (fun i => e (2 ^ d + i)) m0 m1
            (fun i hi => he _ (second i hi)) (fun i hi => hc _ (second i hi)), pack_append]
end Gather

namespace Extremum
variable {K : Type u} [OrderedRing K]

/-- The larger (`maximum`) or the smaller of two numbers. -/
def choice (maximum : Bool) (a b : Nat) : Nat := cond maximum (b + (a - b)) (a - (a - b))
theorem choice_cases (maximum : Bool) (a b : Nat) :
    (choice maximum a b = a ∧ cond maximum (b ≤ a) (a ≤ b)) ∨
    (choice maximum a b = b ∧ cond maximum (a ≤ b) (b ≤ a)) := by
  cases maximum with
  | true =>
    cases Nat.le_total b a with
    | inl h => exact Or.inl ⟨by show b + (a - b) = a; rw [Nat.add_comm]; exact Natural.sub_add_cancel h, h⟩
    | inr h => exact Or.inr ⟨by show b + (a - b) = b; rw [Nat.sub_eq_zero_of_le h]; rfl, h⟩
  | false =>
    cases Nat.le_total a b with
    | inl h => exact Or.inl ⟨by show a - (a - b) = a; rw [Nat.sub_eq_zero_of_le h]; rfl, h⟩
    | inr h =>
      exact Or.inr ⟨Natural.sub_eq_of_add_eq (by rw [Nat.add_comm]; exact Natural.sub_add_cancel h), h⟩

/-- What the node demands of one result. -/
def IsChoice (maximum : Bool) (x z y : K) : Prop :=
  match maximum with
  | true => IsMaximum x z y
  | false => IsMinimum x z y

theorem within {s : Scale} {maximum : Bool} {l u l' u' : Nat} {x z y : K} (h : Within s l u x)
    (h' : Within s l' u' z) (hy : IsChoice maximum x z y) :
    Within s (choice maximum l l') (choice maximum u u') y := by
  cases maximum with
  | true =>
    have low : ∀ {v : K}, s.image x ≤ v → s.image z ≤ v → natural (choice true l l') ≤ v := fun a b => by
      cases choice_cases true l l' with
      | inl g => rw [g.1]; exact le_trans h.1 a
      | inr g => rw [g.1]; exact le_trans h'.1 b
    have high :
        (natural u : K) ≤ natural (choice true u u') ∧ (natural u' : K) ≤ natural (choice true u u') := by
      cases choice_cases true u u' with
      | inl g => rw [g.1]; exact ⟨le_refl _, natural_le g.2⟩
      | inr g => rw [g.1]; exact ⟨natural_le g.2, le_refl _⟩
    cases hy with
    | inl g => obtain ⟨g, e⟩ := g; subst e; exact ⟨low (le_refl _) (Relu.image_le g), le_trans h.2 high.1⟩
    | inr g => obtain ⟨g, e⟩ := g; subst e; exact ⟨low (Relu.image_le g) (le_refl _), le_trans h'.2 high.2⟩
  | false =>
    have high : ∀ {v : K}, v ≤ s.image x → v ≤ s.image z → v ≤ natural (choice false u u') := fun a b => by
      cases choice_cases false u u' with
      | inl g => rw [g.1]; exact le_trans a h.2
      | inr g => rw [g.1]; exact le_trans b h'.2
    have low :
        (natural (choice false l l') : K) ≤ natural l ∧ (natural (choice false l l') : K) ≤ natural l' := by
      cases choice_cases false l l' with
      | inl g => rw [g.1]; exact ⟨le_refl _, natural_le g.2⟩
      | inr g => rw [g.1]; exact ⟨natural_le g.2, le_refl _⟩
    cases hy with
    | inl g => obtain ⟨g, e⟩ := g; subst e; exact ⟨le_trans low.1 h.1, high (le_refl _) (Relu.image_le g)⟩
    | inr g => obtain ⟨g, e⟩ := g; subst e; exact ⟨le_trans low.2 h'.1, high (Relu.image_le g) (le_refl _)⟩

/-- All digits of the larger or smaller of two vectors. -/
def select (maximum : Bool) (x y d : Nat) : Nat :=
  Bool.casesOn (motive := fun _ => Nat) maximum (Nat.sub x d) (Nat.add y d)
theorem select_eq {b n : Nat} (maximum : Bool) (f g : Nat → Nat) :
    select maximum (pack b n f) (pack b n g) (pack b n fun i => f i - g i) =
    pack b n (fun i => choice maximum (f i) (g i)) := by
  cases maximum with
  | true => exact (pack_add _ _ _ _).symm
  | false => exact (pack_sub fun _ _ => Natural.sub_le _ _).symm

/-- The results behind the memory. -/
def run (s : Scale) (maximum : Bool) (n sources direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) :
    Bool :=
  both (both (both (Nat.ble 1 n) (Nat.ble n (Nat.pow 2 (Nat.succ (Nat.log2 n)))))
      (both (Nat.ble 1 s.half) (Nat.ble (Nat.succ s.top) (Nat.pow 2 (Nat.sub s.half 1)))))
    (force (fun first =>
          force (fun second => both (both (Gather.below count n first) (Gather.below count n second))
        (force (fun stride => force (fun depth => force (fun x => force (fun y => force (fun chosen =>
              Rows.mirror s (Nat.sub s.half 1) n
                (Nat.mul (Nat.pow 2 (Nat.sub s.half 1)) (ones s.half (Nat.mul 2 n))) chosen
                (Affine.extend stride n direct mirrored count next))
            (select maximum x y (Vector.difference s.half (Nat.mul 2 n) (Nat.sub s.half 1) x y)))
          (Gather.run stride direct depth n second)) (Gather.run stride direct depth n first))
                (Nat.succ (Nat.log2 n))) s.stride))
      (Gather.evens n (Nat.shiftRight sources 32))) (Gather.evens n sources))

/-- Bounds of the slots that are read give bounds of the maxima, or minima, of two slots each. -/
theorem run_sound {s : Scale} {slots : Nat → K} {maximum : Bool} {n sources direct mirrored count : Nat}
    {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hr : ∀ i, i < n →
      IsChoice maximum (slots (word sources (2 * i))) (slots (word sources (2 * i + 1))) (slots (count + i)))
    (h : run s maximum n sources direct mirrored count next = true) :
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (count + n) ∧
      next direct' mirrored' (count + n) = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hn, hc⟩ := both_true hc
  obtain ⟨n0, n1⟩ := both_true hn
  obtain ⟨c1, c2⟩ := both_true hc
  have c1 := Nat.le_of_ble_eq_true c1
  have c2 : s.top < 2 ^ (s.half - 1) := Nat.le_of_ble_eq_true c2
  have n0 : 0 < n := Nat.le_of_ble_eq_true n0
  have n1 : n ≤ 2 ^ (Nat.succ (Nat.log2 n)) := Nat.le_of_ble_eq_true n1
  have hw : s.half - 1 + 1 = s.half := Natural.succ_pred c1
  rw [force_eq, force_eq] at h
  obtain ⟨hb, h⟩ := both_true h
  obtain ⟨b1, b2⟩ := both_true hb
  simp only [force_eq] at h
  have word_lt : ∀ i, word sources i < 2 ^ 32 := fun i => Natural.mod_lt (Natural.two_pow_pos 32) _
  rw [Gather.evens_eq] at b1 h
  rw [Gather.odds_eq] at b2 h
  have in1 := Gather.below_sound (fun i _ => word_lt (2 * i)) b1
  have in2 := Gather.below_sound (fun i _ => word_lt (2 * i + 1)) b2
  obtain ⟨l, u, h1, h2, hw'⟩ := hm
  have h1 : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := h1
  have words : ∀ i, i < count → Memory.directWord s (l i) (u i) < 2 ^ s.stride :=
    fun i hi => (Memory.word_lt sf (hw' i hi).1 (hw' i hi).2.1).1
  have gather : ∀ e : Nat → Nat, (∀ i, i < n → e i < 2 ^ 32) → (∀ i, i < n → e i < count) →
      Gather.run s.stride direct (Nat.succ (Nat.log2 n)) n (pack 64 n e) =
          pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (e i)) (fun i => u (e i))) :=
    fun e e1 e2 => by
      rw [h1, Gather.run_eq words _ n e n0 n1 e1 e2]
      exact (Vector.pack_pair s.half n _ _).symm
  rw [gather _ (fun i _ => word_lt (2 * i)) in1, gather _ (fun i _ => word_lt (2 * i + 1)) in2] at h
  have low : ∀ i, i < count → l i < 2 ^ (s.half - 1) ∧ u i < 2 ^ (s.half - 1) := fun i hi =>
    have w := hw' i hi
    ⟨Nat.le_trans (Nat.succ_le_succ (Nat.le_trans w.1 w.2.1)) c2, Nat.le_trans (Nat.succ_le_succ w.2.1) c2⟩
  have d := Vector.difference_eq (b := s.half) (w := s.half - 1) (Natural.le_of_eq hw)
    (Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) n _ _ (fun i hi => low _ (in1 i hi)))
    (Vector.pair_all (P := fun x => x < 2 ^ (s.half - 1)) n _ _ (fun i hi => low _ (in2 i hi)))
  have d' : Vector.difference s.half (Nat.mul 2 n) (Nat.sub s.half 1)
      (pack s.half (2 * n)
          (fun j => Vector.pair j (fun i => l (word sources (2 * i))) (fun i => u (word sources (2 * i)))))
      (pack s.half (2 * n) (fun j => Vector.pair j (fun i => l (word sources (2 * i + 1)))
              (fun i => u (word sources (2 * i + 1))))) = _ := d
  rw [d', select_eq, Vector.pack_map (fun x y => choice maximum x y)] at h
  have chosen : ∀ {x y}, x < 2 ^ (s.half - 1) → y < 2 ^ (s.half - 1) →
      choice maximum x y < 2 ^ (s.half - 1) := fun {x y} hx hy => by
    cases choice_cases maximum x y with
    | inl g => rw [g.1]; exact hx
    | inr g => rw [g.1]; exact hy
  obtain ⟨tail, tailMirrored, r1, r2⟩ := Rows.mirror_sound (slots := fun i => slots (count + i)) hw c2
    (l := fun i => choice maximum (l (word sources (2 * i))) (l (word sources (2 * i + 1))))
    (u := fun i => choice maximum (u (word sources (2 * i))) (u (word sources (2 * i + 1))))
    (fun i hi =>
        ⟨chosen (low _ (in1 i hi)).1 (low _ (in2 i hi)).1, chosen (low _ (in1 i hi)).2 (low _ (in2 i hi)).2⟩)
    (fun i hi => within (hw' _ (in1 i hi)).2.2 (hw' _ (in2 i hi)).2.2 (hr i hi)) h
  rw [Affine.extend_eq] at r2
  exact ⟨_, _, Memory.append_holds ⟨l, u, h1, h2, hw'⟩ r1, r2⟩
end Extremum
end PytestTorchLean
