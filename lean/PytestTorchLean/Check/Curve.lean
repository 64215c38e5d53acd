prelude
import PytestTorchLean.Check.CurveBounds
import PytestTorchLean.Check.Front
/-!
# Bounds of smooth activations

All results of a node, one value after the other (Check/CurveBounds): the logistic functions and tanh by
Check/Logistic, the others by rules of their own (Check/Root, Check/Logarithm, Check/ErrorFunction,
Check/Turn). In binary32 both are moved outward by the budget.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Curve

/-- The results of `n` slots from `first` on, the last one first and put in front of those found so far: so
    the lowest digits of what is found, by which the kernel's caches tell numbers apart, differ from step to
    step. What the scale says is a number before the first step; what is cheap is written down where it is
    used, for the kernel takes longer to substitute a value than to add. -/
def each (s : Scale) (bound : Nat → Nat → (Nat → Nat → Bool) → Bool) (direct first n : Nat) :
    Nat → Nat → (Nat → Nat → Bool) → Bool :=
  force (fun half => force (fun stride => force
        (fun top => force (fun base => Nat.rec (motive := fun _ => Nat → Nat → (Nat → Nat → Bool) → Bool)
    (fun tail tailMirrored next => next tail tailMirrored)
    (fun m rest tail tailMirrored next => force (fun digits =>
        bound (Nat.land digits (Nat.sub base 1)) (Nat.shiftRight digits half) fun low high =>
          both (Nat.ble low high) (both (Nat.ble high top)
            (force (fun tail' => force (fun tailMirrored' => rest tail' tailMirrored' next)
              (Nat.add (Nat.add (Nat.sub top high) (Nat.mul base (Nat.sub top low)))
                  (Nat.mul (Nat.pow 2 stride) tailMirrored)))
              (Nat.add (Nat.add low (Nat.mul base high)) (Nat.mul (Nat.pow 2 stride) tail)))))
      (Memory.lookup stride direct (Nat.add first m))) n) (Nat.pow 2 half)) s.top) s.stride) s.half
theorem each_succ (s : Scale) (bound : Nat → Nat → (Nat → Nat → Bool) → Bool)
    (direct first n tail tailMirrored : Nat) (next : Nat → Nat → Bool) :
    each s bound direct first (n + 1) tail tailMirrored next =
    bound (Nat.land (Memory.lookup s.stride direct (first + n)) (2 ^ s.half - 1))
      (Nat.shiftRight (Memory.lookup s.stride direct (first + n)) s.half)
      (fun low high => both (Nat.ble low high)
        (both (Nat.ble high s.top)
          (each s bound direct first n (Memory.directWord s low high + 2 ^ s.stride * tail)
            (Memory.mirroredWord s low high + 2 ^ s.stride * tailMirrored) next))) := by
  unfold each
  simp only [force_eq]
  rfl
theorem each_zero (s : Scale) (bound : Nat → Nat → (Nat → Nat → Bool) → Bool)
    (direct first tail tailMirrored : Nat) (next : Nat → Nat → Bool) :
    each s bound direct first 0 tail tailMirrored next = next tail tailMirrored := by
  unfold each
  simp only [force_eq]
  rfl

/-- What a rule for one result has to guarantee. -/
def Bounds (s : Scale) (D : K → Prop) (P : K → K → Prop) (bound : Nat → Nat → (Nat → Nat → Bool) → Bool) :
    Prop :=
  ∀ l u x (next : Nat → Nat → Bool), Within s l u x →
    bound l u next = true → D x ∧ ∃ low high, (∀ y, P x y → Within s low high y) ∧ next low high = true

theorem digits_within {s : Scale} {slots : Nat → K} {direct mirrored count slot : Nat} (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count) (h : slot < count) :
    Within s (Nat.land (Memory.lookup s.stride direct slot) (2 ^ s.half - 1))
    (Nat.shiftRight (Memory.lookup s.stride direct slot) s.half) (slots slot) := by
  obtain ⟨l, u, h1, _, hw⟩ := hm
  have h1 : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := h1
  have words : ∀ i, i < count → Memory.directWord s (l i) (u i) < 2 ^ s.stride :=
    fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2.1).1
  obtain ⟨a, b, w⟩ := hw slot h
  have small : l slot < 2 ^ s.half := Nat.le_trans (Nat.succ_le_succ (Nat.le_trans a b)) sf.half
  rw [h1, Memory.lookup_pack words h]
  unfold Memory.directWord
  have e1 : Nat.land (l slot + 2 ^ s.half * u slot) (2 ^ s.half - 1) = l slot := by
    rw [land_low, Natural.add_mul_mod _ small]
  have e2 : Nat.shiftRight (l slot + 2 ^ s.half * u slot) s.half = u slot := Natural.add_mul_div _ small
  rw [e1, e2]
  exact w

theorem each_sound {s : Scale} {slots values : Nat → K} {D : K → Prop} {P : K → K → Prop}
    {bound : Nat → Nat → (Nat → Nat → Bool) → Bool} {direct mirrored count first : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hb : Bounds s D P bound) :
    (n done tail tailMirrored : Nat) → (next : Nat → Nat → Bool) →
    first + n ≤ count → (Memory.mk tail tailMirrored).Holds s (fun i => values (n + i)) done →
    (∀ i, i < n → P (slots (first + i)) (values i)) →
    each s bound direct first n tail tailMirrored next = true →
    ∃ tail' tailMirrored',
      (Memory.mk tail' tailMirrored').Holds s values (n + done) ∧ next tail' tailMirrored' = true
  | 0, done, tail, tailMirrored, _, _, ht, _, h => by
    rw [each_zero] at h
    have z : (fun i => values (0 + i)) = values := funext fun i => by rw [Nat.zero_add]
    rw [z] at ht
    exact ⟨tail, tailMirrored, by rw [Nat.zero_add]; exact ht, h⟩
  | n + 1, done, tail, tailMirrored, next, hs, ht, hp, h => by
    rw [each_succ] at h
    have inside : first + n < count := hs
    obtain ⟨d, low, high, w, h⟩ := hb _ _ _ _ (digits_within sf hm inside) h
    obtain ⟨c1, h⟩ := both_true h
    obtain ⟨c2, h⟩ := both_true h
    have e1 : ∀ a i : Nat, a + 1 + i = a + (i + 1) := fun a i => by rw [Nat.add_assoc, Nat.add_comm 1 i]
    have moved : (fun i => values (n + 1 + i)) = fun i => values (n + (i + 1)) := funext fun i => by rw [e1]
    rw [moved] at ht
    have ht' := Memory.front_holds (slots := fun i => values (n + i)) ht (Nat.le_of_ble_eq_true c1)
      (Nat.le_of_ble_eq_true c2) (w _ (hp n Nat.le.refl))
    obtain ⟨d', m', r1, r2⟩ := each_sound sf hm hb n (done + 1) _ _ next
      (Nat.le_trans (Nat.le.step Nat.le.refl) hs) ht' (fun i hi => hp i (Nat.le.step hi)) h
    rw [e1]
    exact ⟨d', m', r1, r2⟩

/-- No result leaves the memory's range, and every argument has one. -/
theorem each_bounded {s : Scale} {slots : Nat → K} {D : K → Prop} {P : K → K → Prop}
    {bound : Nat → Nat → (Nat → Nat → Bool) → Bool} {direct mirrored count first : Nat}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hb : Bounds s D P bound) :
    (n tail tailMirrored : Nat) → (next : Nat → Nat → Bool) →
    first + n ≤ count → each s bound direct first n tail tailMirrored next = true →
    ∀ i, i < n → D (slots (first + i)) ∧ ∀ y, P (slots (first + i)) y → Within s 0 s.top y
  | 0, _, _, _, _, _ => fun i hi => absurd hi (Nat.not_succ_le_zero i)
  | n + 1, tail, tailMirrored, next, hs, h => by
    rw [each_succ] at h
    have inside : first + n < count := hs
    obtain ⟨d, low, high, w, h⟩ := hb _ _ _ _ (digits_within sf hm inside) h
    obtain ⟨_, h⟩ := both_true h
    obtain ⟨c2, h⟩ := both_true h
    intro i hi
    cases Memory.le_of_lt_succ hi with
    | inl e =>
      subst e
      refine ⟨d, fun y hy => ?_⟩
      obtain ⟨w1, w2⟩ := w y hy
      exact ⟨le_trans (natural_nonneg low) w1, le_trans w2 (natural_le (Nat.le_of_ble_eq_true c2))⟩
    | inr hi => exact each_bounded sf hm hb n _ _ next (Nat.le_trans (Nat.le.step Nat.le.refl) hs) h i hi

/-- Arguments further from 0 than this need not be told apart: `e^128` is far above the largest binary32
    number. -/
def farthest : Nat := 128

/-- Bounds of the results of a curve, by `count` stages of `bits` bits. -/
def run (m : Semantics) (s : Scale) (function : Curve) (bits stages first n direct mirrored count : Nat)
    (next : Nat → Nat → Nat → Bool) : Bool :=
  both (both (both (Nat.ble (Nat.add first n) count) (Nat.ble s.unit s.center))
      (both (Nat.ble s.center (Nat.mul s.unit (Nat.pow 2 127))) (Nat.ble 1 stages)))
    (force (fun measure => force (fun one => force (fun limit => both (Nat.ble (Nat.succ limit) measure)
            (bounded m s function bits stages measure one limit fun rule =>
              each s rule direct first n 0 0 (Affine.extend s.stride n direct mirrored count next)))
          (Nat.mul farthest s.unit)) (Nat.pow 2 bits)) (Nat.mul s.unit (Nat.pow 256 stages)))

theorem finite_of_within {s : Scale} {y : K} (hu : 0 < s.unit) (hc : s.center ≤ s.unit * 2 ^ 127)
    (h : Within s 0 s.top y) :
    natural (2 ^ 149) * y < natural overflowThreshold ∧
    -(natural (2 ^ 149) * y) < natural overflowThreshold := by
  obtain ⟨h1, h2⟩ := h
  unfold Scale.image Scale.top at *
  have hc := natural_le (K := K) hc
  rw [natural_mul] at hc
  rw [natural_add] at h2
  have a : y ≤ natural (2 ^ 127) := cancel_natural hu
    (le_trans (le_cert ((ring3 K u y c, c - u * y, c + c - (u * y + c)) _ _ _) (sub_nonneg h2)) hc)
  have b : -y ≤ natural (2 ^ 127) := by
    refine cancel_natural hu (le_trans ?_ hc)
    have z : (natural 0 : K) = 0 := rfl
    rw [z] at h1
    exact le_cert ((ring3 K u y c, c - u * -y, u * y + c - 0) _ _ _) (sub_nonneg h1)
  have big : 2 ^ 149 * 2 ^ 127 < overflowThreshold := by decide +kernel
  have below :
      ∀ z : K, z ≤ natural (2 ^ 127) → natural (2 ^ 149) * z < natural overflowThreshold := fun z hz g => by
    have t := mul_le_left (natural_nonneg (2 ^ 149)) hz
    rw [← natural_mul] at t
    exact Nat.not_le_of_lt big (natural_le_reflect (le_trans g t))
  refine ⟨below y a, ?_⟩
  rw [← mul_neg]
  exact below (-y) b

/-- Whatever the semantics, a result is within the budget: exact values are. -/
theorem allowed {slots : Nat → K} {function : Curve} {start first n : Nat} :
    (m : Semantics) → (Node.curve function first n).Holds m slots start →
    (Node.curve function first n).Holds .binary32 slots start
  | .binary32, h => h
  | .real, h => by
    obtain ⟨e, he, h⟩ := h
    refine ⟨e, he, fun i hi => ⟨_, h i hi, fun a ha => ?_⟩⟩
    have zero : ∀ v : K, v - v = 0 := fun v => add_neg' v
    rw [zero, OrderedRing.mul_zero]
    refine AtMost.zero (add_nonneg
        (mul_nonneg (natural_nonneg _) (add_nonneg (mul_nonneg (natural_nonneg _) ha.nonneg) zero_le_one))
        (natural_nonneg _))

/-- Bounds of what a smooth activation reads give bounds of its outputs, in binary32 moved outward by the
    budget; none of them overflows, and no root or logarithm is taken of a number that has none. -/
theorem run_sound {m : Semantics} {s : Scale} {slots : Nat → K} {function : Curve}
    {bits stages first n direct mirrored count : Nat} {next : Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hn : (Node.curve function first n).Holds m slots count)
    (h : run m s function bits stages first n direct mirrored count next = true) :
    (Node.curve function first n).Finite m slots ∧
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (count + n) ∧
      next direct' mirrored' (count + n) = true := by
  unfold run at h
  obtain ⟨c, h⟩ := both_true h
  obtain ⟨c1, c3⟩ := both_true c
  obtain ⟨c1, c2⟩ := both_true c1
  obtain ⟨c3, _⟩ := both_true c3
  rw [force_eq, force_eq, force_eq] at h
  obtain ⟨c4, h⟩ := both_true h
  rw [bounded_eq] at h
  have c1 := Nat.le_of_ble_eq_true c1
  have c2 := Nat.le_of_ble_eq_true c2
  have c3 := Nat.le_of_ble_eq_true c3
  have c4 : farthest * s.unit < s.unit * 256 ^ stages := Nat.le_of_ble_eq_true c4
  have rule : ∀ e : K → K, IsExponential e →
      Bounds s function.Defined (function.Computes m e)
        (bound m s function bits stages (s.unit * 256 ^ stages) (2 ^ bits) (farthest * s.unit)) :=
    fun e he l u x next hx h => bound_sound he sf.unit c2 c4 hx m h
  obtain ⟨e, he, hn⟩ := hn
  have inside := fun e he => each_bounded sf hm (rule e he) n 0 0 _ c1 h
  constructor
  · refine ⟨fun i hi => (inside e he i hi).1, ?_⟩
    cases m with
    | real => trivial
    | binary32 => exact fun e he i hi y hy => finite_of_within sf.unit c3 ((inside e he i hi).2 y hy)
  · obtain ⟨tail, tailMirrored, r1, r2⟩ := each_sound (values := fun i => slots (count + i)) sf hm (rule e he)
      n 0 0 0 _ c1 (Memory.empty_holds s _) (fun i hi => hn i hi) h
    rw [Affine.extend_eq] at r2
    exact ⟨_, _, Memory.append_holds hm r1, r2⟩
end Curve
end PytestTorchLean
