prelude
import PytestTorchLean.Check.BilinearSum
import PytestTorchLean.Check.Front
/-!
# Bounds of sums of products of two slots

What rounding in binary32 adds to a sum of products, whatever their order, is charged to the sum of their
largest absolute values; the bounds of the exact sum are those of Check/BilinearSum.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Bilinear
variable {K : Type u} [OrderedRing K]

/-! ### Rounding -/

/-- How far a computed sum may be from the exact one, `size` bounding the sum of its products' absolute
    values. -/
def radius (s : Scale) (terms size : Nat) : Nat :=
  Nat.add (Nat.succ (Nat.div (Nat.mul (growth terms) size) (Nat.pow 2 48)))
    (Nat.succ (Nat.div (Nat.mul (Nat.add terms terms) (2 * s.unit * s.unit)) (Nat.pow 2 149)))

/-- The error radius of a result; in binary32 the sum must not overflow. -/
def charge (m : Semantics) (s : Scale) (terms size : Nat) (next : Nat → Bool) : Bool :=
  Semantics.casesOn (motive := fun _ => Bool) m (next 0)
    (both (both (Nat.ble terms (2 ^ 22))
        (Nat.ble (Nat.succ
              ((2 ^ 48 + growth terms) * (2 ^ 149 * size) + 2 ^ 48 * (terms + terms) * (2 * s.unit * s.unit)))
            (2 ^ 48 * (2 * s.unit * s.unit) * overflowThreshold)))
      (force next (radius s terms size)))

theorem total_singles (n : Nat) (f : Nat → K) : total (listed n fun k => [f k]) = sum n f :=
  (Affine.total_listed n _).trans (Columns.sum_congr fun _ _ => add_zer _)
theorem sum_scaled (c : K) : (n : Nat) → (f : Nat → K) → sum n (fun k => c * f k) = c * sum n f
  | 0, _ => (mul_zero c).symm
  | n + 1, f => by
    show c * f 0 + sum n (fun k => c * f (k + 1)) = c * (f 0 + sum n fun k => f (k + 1))
    rw [sum_scaled c n, mul_add]
theorem weighs_scaled {m c : K} (hc : 0 ≤ c) :
    (n : Nat) → (f : Nat → K) → {a : K} → Weighs m (listed n fun k => [f k]) a →
    Weighs m (listed n fun k => [c * f k]) (c * a)
  | 0, _, _, h => mul_nonneg hc h
  | n + 1, f, a, ⟨x, y, h1, h2, h3⟩ => by
    refine ⟨c * x, c * y, ?_, weighs_scaled hc n (fun k => f (k + 1)) h2, ?_⟩
    · have z := h1.mul_left hc
      rw [mul_left_comm] at z; exact z
    · rw [← mul_add]; exact mul_le_left hc h3

/-- What is shown of a result: its error radius, and that no sum of its products overflows. -/
def Settled (m : Semantics) (s : Scale) (slots : Nat → K) (terms sources i error : Nat) (y : K) : Prop :=
  Near s slots terms sources i error y ∧
    match m with
    | .real => True
    | .binary32 => NeverOverflows (products slots terms sources i)
theorem Settled.mono {m : Semantics} {s : Scale} {slots : Nat → K} {terms sources i error error' : Nat}
    {y : K} (h : Settled m s slots terms sources i error y) (le : error ≤ error') :
    Settled m s slots terms sources i error' y :=
  ⟨h.1.weaken (natural_le le), h.2⟩

theorem radius_large (s : Scale) (terms size : Nat) :
    growth terms * (2 ^ 149 * size) + 2 ^ 48 * (terms + terms) * (2 * s.unit * s.unit) ≤
    2 ^ 48 * (2 ^ 149 * radius s terms size) := by
  have a := Affine.ceiling (n := growth terms * size) (Natural.two_pow_pos 48)
  have b := Affine.ceiling (n := (terms + terms) * (2 * s.unit * s.unit)) (Natural.two_pow_pos 149)
  have e :
    2 ^ 48 * (2 ^ 149 * radius s terms size) = 2 ^ 149 * (2 ^ 48 * (growth terms * size / 2 ^ 48 + 1)) +
      2 ^ 48 * (2 ^ 149 * ((terms + terms) * (2 * s.unit * s.unit) / 2 ^ 149 + 1)) := by
    show 2 ^ 48 * (2 ^ 149 *
          ((growth terms * size / 2 ^ 48 + 1) + ((terms + terms) * (2 * s.unit * s.unit) / 2 ^ 149 + 1))) = _
    rw [Nat.mul_add, Nat.mul_add, Nat.mul_left_comm (2 ^ 48)]
  rw [e, Nat.mul_left_comm (growth terms), Nat.mul_assoc (2 ^ 48)]
  exact Nat.add_le_add (Nat.mul_le_mul Nat.le.refl a) (Nat.mul_le_mul Nat.le.refl b)

theorem charge_sound {m : Semantics} {s : Scale} {slots : Nat → K} {terms sources i size : Nat} {y : K}
    {next : Nat → Bool}
    (sf : s.Fits)
    (hy : Computes m slots terms sources i y)
    (hw : Weighs (natural (2 * s.unit * s.unit)) (listed terms fun k => [product slots terms sources i k])
      (natural size))
    (h : charge m s terms size next = true) :
    ∃ r, next r = true ∧ Settled m s slots terms sources i r y := by
  cases m with
  | real =>
    refine ⟨0, h, ?_, trivial⟩
    have hy : y = sum terms (product slots terms sources i) := hy
    have z : y - sum terms (product slots terms sources i) = 0 := by rw [hy]; exact add_neg' _
    unfold Near
    rw [z, mul_zero]
    exact AtMost.zero (le_refl _)
  | binary32 =>
    obtain ⟨hc, h⟩ := both_true h
    obtain ⟨few, room⟩ := both_true hc
    have few := Nat.le_of_ble_eq_true few
    have room := Nat.le_of_ble_eq_true room
    rw [force_eq] at h
    have positive : 0 < 2 * s.unit * s.unit := Nat.mul_pos (Nat.mul_pos (by decide) sf.unit) sf.unit
    have hw := weighs_scaled (natural_nonneg (K := K) (2 ^ 149)) terms _ hw
    rw [← natural_mul] at hw
    refine ⟨_, h, ?_, ?_⟩
    · have hy : IsSum (products slots terms sources i) (natural (2 ^ 149) * y) := hy
      have length : (products slots terms sources i).length = terms :=
        (Affine.length_listed (c := 1) terms _ (fun _ => rfl)).trans (Natural.mul_one _)
      have near := hy.near (Natural.le_of_eq length) few (natural_nonneg (2 * s.unit * s.unit)) hw
      have exact : total (products slots terms sources i) =
          natural (2 ^ 149) * sum terms (product slots terms sources i) :=
        (total_singles terms _).trans (sum_scaled _ terms _)
      rw [exact] at near
      rw [← natural_mul, ← natural_mul, ← natural_mul, ← natural_add] at near
      have near := near.weaken (natural_le (radius_large s terms size))
      rw [natural_mul (2 ^ 48), natural_mul (2 ^ 149)] at near
      have near := AtMost.cancel (Natural.two_pow_pos 48) near
      have e : natural (2 * s.unit * s.unit) *
        (natural (2 ^ 149) * y - natural (2 ^ 149) * sum terms (product slots terms sources i)) =
          natural (2 ^ 149) *
              (natural (2 * s.unit * s.unit) * (y - sum terms (product slots terms sources i))) :=
        (ring4 K u n y t, u * (n * y - n * t), n * (u * (y - t))) _ _ _ _
      rw [e] at near
      exact AtMost.cancel (Natural.two_pow_pos 149) near
    · refine neverOverflows positive few ?_ hw room
      exact Natural.le_of_eq
        ((Affine.length_listed (c := 1) terms _ (fun _ => rfl)).trans (Natural.mul_one _))

/-! ### All results -/

/-- The bounds of `n` results, the last one first and each put in front of those found so far, and the largest
    of their error radii. `e` is twice the unit, `offset` that times the center, `mass` what the offsets of
    all products of a result add up to. -/
def results (m : Semantics) (s : Scale) (terms zero e offset mass direct count sources n : Nat) :
    Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun tail tailMirrored worst next => next worst tail tailMirrored)
    (fun index rest tail tailMirrored worst next => force (fun here =>
      accumulate s zero direct count terms here 0 0 0 fun _ low high size =>
          charge m s terms size fun r =>
        force (fun lowered => force (fun heavy => force (fun lower => force (fun upper =>
            both (Nat.ble heavy lowered) (both (Nat.ble lower upper) (both (Nat.ble upper s.top)
              (force (fun tail' => force (fun tailMirrored' => force (fun worst' =>
                  rest tail' tailMirrored' worst' next)
                (most worst r))
                (Nat.add (Nat.add (Nat.sub s.top upper) (Nat.mul (Nat.pow 2 s.half) (Nat.sub s.top lower)))
                  (Nat.mul (Nat.pow 2 s.stride) tailMirrored)))
                (Nat.add (Nat.add lower (Nat.mul (Nat.pow 2 s.half) upper))
                  (Nat.mul (Nat.pow 2 s.stride) tail))))))
          (Nat.div (Nat.sub (Nat.add (Nat.add (Nat.add high r) offset) (Nat.sub e 1)) mass) e))
          (Nat.div (Nat.sub lowered heavy) e)) (Nat.add mass r)) (Nat.add low offset))
      (Nat.shiftRight sources (Nat.mul 64 (Nat.mul terms index)))) n

theorem results_succ (m : Semantics) (s : Scale)
    (terms zero e offset mass direct count sources n tail tailMirrored worst : Nat)
    (next : Nat → Nat → Nat → Bool) :
    results m s terms zero e offset mass direct count sources (n + 1) tail tailMirrored worst next =
      accumulate s zero direct count terms (Nat.shiftRight sources (64 * (terms * n))) 0 0 0
          fun _ low high size =>
          charge m s terms size fun r =>
        (let lower := (low + offset - (mass + r)) / e
         let upper := (high + r + offset + (e - 1) - mass) / e
         both (Nat.ble (mass + r) (low + offset)) (both (Nat.ble lower upper) (both (Nat.ble upper s.top)
           (results m s terms zero e offset mass direct count sources n
             (Memory.directWord s lower upper + 2 ^ s.stride * tail)
             (Memory.mirroredWord s lower upper + 2 ^ s.stride * tailMirrored)
             (most worst r) next)))) := by
  unfold results
  simp only [force_eq]
  rfl

/-- From the sum of the products to the bounds of the result. -/
theorem result_within {s : Scale} {e offset mass low high r : Nat} {y t : K}
    (he : e = s.unit + s.unit)
    (ho : offset = e * s.center)
    (pos : 0 < e)
    (hl : natural low ≤ natural (2 * s.unit * s.unit) * t + natural mass)
    (hh : natural (2 * s.unit * s.unit) * t + natural mass ≤ natural high)
    (hr : AtMost (natural (2 * s.unit * s.unit) * (y - t)) (natural r))
    (fit : mass + r ≤ low + offset) :
    Within s ((low + offset - (mass + r)) / e) ((high + r + offset + (e - 1) - mass) / e) y := by
  have image : natural e * s.image y = natural (2 * s.unit * s.unit) * y + natural offset := by
    rw [ho, he, natural_mul, natural_mul, natural_mul, natural_add]
    have two : (natural 2 : K) = 1 + 1 := by rw [natural_succ]; rfl
    rw [two]
    exact (ring3 K u c y, (u + u) * (u * y + c), (1 + 1) * u * u * y + (u + u) * c) (natural s.unit)
      (natural s.center) y
  obtain ⟨r1, r2⟩ := hr
  refine ⟨Rows.divide_lower pos fit ?_, Rows.divide_upper pos ?_⟩
  · rw [image, natural_add mass]
    generalize (natural (2 * s.unit * s.unit) : K) = u at *
    refine le_cert ?_ (add_nonneg (sub_nonneg hl) (sub_nonneg r2))
    have z : natural r - -(u * (y - t)) = natural r + u * y - u * t :=
      (ring4 K r u y t, r - -(u * (y - t)), r + u * y - u * t) _ _ _ _
    rw [z]
    exact (ring8 K a o m r l b x w, a + o + (m + r) - (l + o), b + m - l + (r + a - b)) (u * y)
      (natural offset) (natural mass) (natural r) (natural low) (u * t) 0 0
  · rw [image, natural_add high]
    generalize (natural (2 * s.unit * s.unit) : K) = u at *
    refine le_cert ?_ (add_nonneg (sub_nonneg hh) (sub_nonneg r1))
    have z : natural r - u * (y - t) = natural r - u * y + u * t :=
      (ring4 K r u y t, r - u * (y - t), r - u * y + u * t) _ _ _ _
    rw [z]
    exact (ring8 K a o m r l b x w, l + r + o - (a + o + m), l - (b + m) + (r - a + b)) (u * y)
      (natural offset) (natural mass) (natural r) (natural high) (u * t) 0 0

theorem results_sound {m : Semantics} {s : Scale} {slots : Nat → K}
    {terms e offset mass direct mirrored count all sources : Nat}
    (sf : s.Fits)
    (he : e = s.unit + s.unit)
    (ho : offset = e * s.center)
    (hmass : mass = terms * corner s.top s.center s.center)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hy : ∀ i, i < all → Computes m slots terms sources i (slots (count + i))) :
    (n done tail tailMirrored worst : Nat) →
    (next : Nat → Nat → Nat → Bool) → n + done = all →
    (Memory.mk tail tailMirrored).Holds s (fun i => slots (count + (n + i))) done →
    (∀ i, n ≤ i → i < all → Settled m s slots terms sources i worst (slots (count + i))) →
    results m s terms (corner s.top s.center s.center) e offset mass direct count sources n tail
        tailMirrored worst next = true →
    ∃ worst' tail' tailMirrored', next worst' tail' tailMirrored' = true ∧
      (Memory.mk tail' tailMirrored').Holds s (fun i => slots (count + i)) all ∧
      ∀ i, i < all → Settled m s slots terms sources i worst' (slots (count + i)) := by
  intro n
  induction n with
  | zero =>
    intro done tail tailMirrored worst next hi ht hs h
    rw [Nat.zero_add] at hi
    subst hi
    have z : (fun i => slots (count + (0 + i))) = fun i => slots (count + i) :=
      funext fun i => by rw [Nat.zero_add]
    rw [z] at ht
    exact ⟨worst, tail, tailMirrored, h, ht, fun i hi => hs i (Nat.zero_le i) hi⟩
  | succ n smaller =>
    intro done tail tailMirrored worst next hi ht hs h
    rw [results_succ] at h
    obtain ⟨sources', low, high, size, _, h, q1, q2, q3⟩ :=
      accumulate_sound sf hm terms (fun j => word sources (2 * (terms * n) + j)) _ 0 0 0 _
        (fun j => word_behind sources (terms * n) j) h
    rw [Nat.zero_add, Nat.zero_add, Nat.zero_add] at h
    have e1 : ∀ a i : Nat, a + 1 + i = a + (i + 1) := fun a i => by rw [Nat.add_assoc, Nat.add_comm 1 i]
    have lt : n < all := by
      rw [← hi, e1]
      exact Nat.add_le_add Nat.le.refl (Nat.succ_le_succ (Nat.zero_le done))
    have same : multiplied slots (fun j => word sources (2 * (terms * n) + j)) =
        product slots terms sources n := funext fun k => by
      show slots (word sources (2 * (terms * n) + 2 * k)) *
        slots (word sources (2 * (terms * n) + (2 * k + 1))) = _
      have a : 2 * (terms * n) + 2 * k = 2 * (k + terms * n) := by rw [Nat.mul_add, Nat.add_comm]
      have b : 2 * (terms * n) + (2 * k + 1) = 2 * (k + terms * n) + 1 := by rw [← Nat.add_assoc, a]
      rw [a, b]; rfl
    rw [same] at q1 q2 q3
    obtain ⟨r, h, settled⟩ := charge_sound sf (hy n lt) q3 h
    obtain ⟨c1, h⟩ := both_true h
    obtain ⟨c2, h⟩ := both_true h
    obtain ⟨c3, h⟩ := both_true h
    have pos : 0 < e := by rw [he]; exact Nat.le_trans sf.unit (Nat.le_add_right _ _)
    rw [← hmass] at q1 q2
    have within := result_within he ho pos q1 q2 settled.1 (Nat.le_of_ble_eq_true c1)
    have moved : (fun i => slots (count + (n + 1 + i))) = fun i => slots (count + (n + (i + 1))) :=
      funext fun i => by rw [e1]
    rw [moved] at ht
    have ht' := Memory.front_holds (slots := fun i => slots (count + (n + i))) ht
      (Nat.le_of_ble_eq_true c2) (Nat.le_of_ble_eq_true c3) within
    refine smaller (done + 1) _ _ (most worst r) next (by rw [← e1]; exact hi) ht' (fun i h1 h2 => ?_) h
    cases Natural.le_or_lt (n + 1) i with
    | inl g => exact (hs i g h2).mono (le_most worst r).1
    | inr g =>
      cases Memory.le_of_lt_succ g with
      | inl e => rw [e]; exact settled.mono (le_most worst r).2
      | inr g => exact absurd (Nat.le_trans g h1) (Natural.lt_irreflexive _)

/-- Bounds of the results behind the memory. -/
def run (m : Semantics) (s : Scale) (n terms sources direct mirrored count : Nat)
    (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  force (fun zero => force (fun e => force (fun offset => force (fun mass =>
      results m s terms zero e offset mass direct count sources n 0 0 0 fun worst tail tailMirrored =>
        Affine.extend s.stride n direct mirrored count (next worst) tail tailMirrored)
    (Nat.mul terms zero)) (Nat.mul e s.center)) (Nat.add s.unit s.unit)) (corner s.top s.center s.center)

/-- **Sums of products.** The memory with the bounds of the results still holds, no result is further than the
    error radius from the exact sum, and no sum of its products overflows. -/
theorem run_sound {s : Scale} {slots : Nat → K} {n terms sources direct mirrored count : Nat}
    {next : Nat → Nat → Nat → Nat → Bool} (decoding : Decoding)
    (sf : s.Fits)
    (m : Semantics)
    (hm : (Memory.mk direct mirrored).Holds s slots count)
    (hn : (Node.bilinear n terms sources).Holds m slots count)
    (h : run m s n terms sources direct mirrored count next = true) :
    (Node.bilinear n terms sources).Finite m slots ∧
    ∃ error direct' mirrored', (Passed.mk (.bilinear n terms sources) count decoding error).Holds s slots ∧
      (Memory.mk direct' mirrored').Holds s slots (count + (Node.bilinear n terms sources).size) ∧
      next error direct' mirrored' (count + (Node.bilinear n terms sources).size) = true := by
  unfold run at h
  simp only [force_eq] at h
  obtain ⟨worst, tail, tailMirrored, h, ht, hs⟩ := results_sound (e := Nat.add s.unit s.unit)
    (offset := Nat.mul (Nat.add s.unit s.unit) s.center)
    (mass := Nat.mul terms (corner s.top s.center s.center)) sf rfl rfl rfl hm hn n 0 0 0 0 _
    (Nat.add_zero n) (Memory.empty_holds s _)
    (fun i h1 h2 => absurd (Nat.le_trans h2 h1) (Natural.lt_irreflexive _)) h
  rw [Affine.extend_eq] at h
  refine ⟨?_, worst, _, _, fun i hi => (hs i hi).1, Memory.append_holds hm ht, h⟩
  cases m with
  | real => exact trivial
  | binary32 => exact fun i hi => (hs i hi).2
end Bilinear
end PytestTorchLean
