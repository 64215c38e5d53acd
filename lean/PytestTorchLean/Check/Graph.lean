prelude
import PytestTorchLean.Check.Nodes
import PytestTorchLean.Spec.Claim
/-!
# From the box of the inputs to the bounds before the property
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Box
/-- The digits of a box are small enough. -/
noncomputable def fits (s : Scale) (b : Box) : Bool :=
  both (Nat.ble 1 b.denominator) (both (Nat.ble (s.unit * 2 ^ b.width) (2 ^ s.half)) (Nat.ble (s.unit * b.offset + 1) (2 ^ s.stride)))

/-- One input after the other: its rational bounds in fixed point, rounded outward. -/
noncomputable def push (s : Scale) (b : Box) (e offset mass : Nat) (remaining : Nat) :
    Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ _ direct mirrored count next => next direct mirrored count)
    (fun _ rest lower upper direct mirrored count next =>
      force (fun bounds => Rows.push s s.stride e offset 1 bounds mass direct mirrored count fun direct' mirrored' count' =>
          force (fun lower' => force (fun upper' => rest lower' upper' direct' mirrored' count' next) (Nat.shiftRight upper b.width)) (Nat.shiftRight lower b.width))
        (Nat.add (Nat.mul s.unit (Nat.land lower (Nat.sub (Nat.pow 2 b.width) 1)))
          (Nat.mul (Nat.pow 2 s.half) (Nat.mul s.unit (Nat.land upper (Nat.sub (Nat.pow 2 b.width) 1)))))) remaining

theorem push_succ (s : Scale) (b : Box) (e offset mass remaining lower upper direct mirrored count : Nat) (next : Nat → Nat → Nat → Bool) :
    push s b e offset mass (remaining + 1) lower upper direct mirrored count next =
      Rows.push s s.stride e offset 1 (s.unit * Nat.land lower (2 ^ b.width - 1) + 2 ^ s.half * (s.unit * Nat.land upper (2 ^ b.width - 1))) mass direct mirrored count
        fun direct' mirrored' count' => push s b e offset mass remaining (Nat.shiftRight lower b.width) (Nat.shiftRight upper b.width) direct' mirrored' count' next := by
  unfold push
  simp only [force_eq]
  rfl

/-- Slots 0 and 1, then the inputs. -/
noncomputable def run (s : Scale) (inputs : Nat) (b : Box) (next : Nat → Nat → Nat → Bool) : Bool :=
  both (fits s b) (both (Nat.ble s.unit s.center)
    (force (fun direct => force (fun mirrored => force (fun e => force (fun offset => force (fun mass =>
        push s b e offset mass inputs b.lower b.upper direct mirrored 2 next)
      (s.unit * b.offset)) (e * s.center)) b.denominator)
      (0 + 2 ^ (s.stride * 0) * Memory.mirroredWord s s.center s.center + 2 ^ (s.stride * 1) * Memory.mirroredWord s (s.unit + s.center) (s.unit + s.center)))
      (0 + 2 ^ (s.stride * 0) * Memory.directWord s s.center s.center + 2 ^ (s.stride * 1) * Memory.directWord s (s.unit + s.center) (s.unit + s.center))))

theorem constants_hold {s : Scale} {slots : Nat → K} (h0 : slots 0 = 0) (h1 : slots 1 = 1) (hu : s.unit ≤ s.center) :
    (((Memory.mk 0 0).push s 0 s.center s.center).push s 1 (s.unit + s.center) (s.unit + s.center)).Holds s slots 2 := by
  refine Memory.push_holds (Memory.push_holds (Memory.empty_holds s slots) Nat.le.refl (Nat.le_add_right _ _) ?_)
    Nat.le.refl (Nat.add_le_add hu Nat.le.refl) ?_
  · rw [h0]; unfold Within; rw [Relu.image_zero]; exact ⟨le_refl _, le_refl _⟩
  · rw [h1]; unfold Within Scale.image; rw [mul_on, natural_add]; exact ⟨le_refl _, le_refl _⟩

theorem shifted (packed width k : Nat) : Nat.land (packed / 2 ^ (width * k)) (2 ^ width - 1) = digit width packed k := land_low _ _
theorem shifted_succ (packed width k : Nat) : Nat.shiftRight (packed / 2 ^ (width * k)) width = packed / 2 ^ (width * (k + 1)) := by
  show packed / 2 ^ (width * k) / 2 ^ width = _
  rw [Natural.shift_shift]; rfl
theorem pack_one (b x : Nat) : pack b 1 (fun _ => x) = x := by
  show x + 2 ^ b * 0 = x; rw [Nat.mul_zero, Nat.add_zero]

theorem push_sound {s : Scale} {slots : Nat → K} {b : Box} {inputs : Nat} (fit : fits s b = true) (unit : 0 < s.unit) (hb : b.Holds inputs slots) :
    (remaining k direct mirrored : Nat) → (next : Nat → Nat → Nat → Bool) → k + remaining = inputs →
    (Memory.mk direct mirrored).Holds s slots (2 + k) →
    push s b b.denominator (b.denominator * s.center) (s.unit * b.offset) remaining (b.lower / 2 ^ (b.width * k)) (b.upper / 2 ^ (b.width * k))
      direct mirrored (2 + k) next = true →
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (2 + inputs) ∧ next direct' mirrored' (2 + inputs) = true
  | 0, k, direct, mirrored, next, hk, hm, h => by
    rw [Nat.add_zero] at hk
    rw [← hk]; exact ⟨direct, mirrored, hm, h⟩
  | remaining + 1, k, direct, mirrored, next, hk, hm, h => by
    obtain ⟨f1, f⟩ := both_true fit
    obtain ⟨f2, f3⟩ := both_true f
    have hlt : k < inputs := by
      rw [← hk]; show k + 1 ≤ k + (remaining + 1); exact Nat.succ_le_succ (Nat.le_add_right _ _)
    rw [push_succ, shifted, shifted, shifted_succ, shifted_succ] at h
    have small : ∀ Y, s.unit * digit b.width Y k < 2 ^ s.half := fun Y =>
      Nat.le_trans (Natural.mul_lt_mul_left unit (digit_lt b.width Y k)) (Nat.le_of_ble_eq_true f2)
    rw [← pack_one s.stride (s.unit * digit b.width b.lower k + 2 ^ s.half * (s.unit * digit b.width b.upper k)), ← pack_one s.stride (s.unit * b.offset)] at h
    obtain ⟨d', m', r1, r2⟩ := Rows.push_sound (slots := slots) (b := s.stride) (low := fun _ => s.unit * digit b.width b.lower k)
      (high := fun _ => s.unit * digit b.width b.upper k) (mass := fun _ => s.unit * b.offset)
      (next := fun direct' mirrored' count' => push s b b.denominator (b.denominator * s.center) (pack s.stride 1 fun _ => s.unit * b.offset) remaining
        (b.lower / 2 ^ (b.width * (k + 1))) (b.upper / 2 ^ (b.width * (k + 1))) direct' mirrored' count' next)
      Nat.le.refl (Nat.le_of_ble_eq_true f1) 1 direct mirrored (2 + k)
      (fun i hi => ⟨small _, small _, Nat.le_of_ble_eq_true f3⟩)
      (fun i hi => by
        have z : i = 0 := Natural.eq_zero_of_lt_one hi
        subst z
        rw [Nat.add_zero]
        obtain ⟨a1, a2⟩ := hb k hlt
        have a1 := mul_le_left (natural_nonneg (K := K) s.unit) a1
        have a2 := mul_le_left (natural_nonneg (K := K) s.unit) a2
        have e : natural b.denominator * s.image (slots (2 + k)) + natural (s.unit * b.offset) =
            natural s.unit * (natural b.denominator * slots (2 + k) + natural b.offset) + natural (b.denominator * s.center) := by
          unfold Scale.image
          rw [natural_mul, natural_mul]
          exact (ring5 K q u x c o, q * (u * x + c) + u * o, u * (q * x + o) + q * c) _ _ _ _ _
        rw [e, natural_mul s.unit, natural_mul s.unit]
        exact ⟨add_le _ a1, add_le _ a2⟩) hm h
    rw [pack_one] at r2
    have e1 : 2 + k + 1 = 2 + (k + 1) := rfl
    exact push_sound fit unit hb remaining (k + 1) d' m' next (by rw [← hk, Nat.add_assoc, Nat.add_comm 1]) r1 r2

theorem run_sound {s : Scale} {slots : Nat → K} {inputs : Nat} {b : Box} {next : Nat → Nat → Nat → Bool} (sf : s.Fits)
    (h0 : slots 0 = 0) (h1 : slots 1 = 1) (hb : b.Holds inputs slots) (h : run s inputs b next = true) :
    ∃ direct mirrored, (Memory.mk direct mirrored).Holds s slots (2 + inputs) ∧ next direct mirrored (2 + inputs) = true := by
  obtain ⟨f, h⟩ := both_true h
  obtain ⟨hu, h⟩ := both_true h
  simp only [force_eq] at h
  have zero : ∀ Y : Nat, Y / 2 ^ (b.width * 0) = Y := fun Y => Natural.div_one Y
  rw [← zero b.lower, ← zero b.upper] at h
  exact push_sound f sf.unit hb inputs 0 _ _ next (Nat.zero_add _) (constants_hold h0 h1 (Nat.le_of_ble_eq_true hu)) h
end Box

namespace Graph
/-- All nodes, each affine one with its decoding. -/
noncomputable def runNodes (s : Scale) (nodes : List Node) :
    List Decoding → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  List.rec (motive := fun _ => List Decoding → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ direct mirrored count next => next direct mirrored count)
    (fun node _ rest decodings direct mirrored count next =>
      Node.rec (motive := fun _ => Bool)
        (fun a => List.rec (motive := fun _ => Bool) false
          (fun d later _ => Affine.run s a d direct mirrored count (fun direct' mirrored' count' => rest later direct' mirrored' count' next)) decodings)
        (fun first n => both (Nat.ble (first + n) count)
          (Relu.run s n first direct mirrored count (fun direct' mirrored' count' => rest decodings direct' mirrored' count' next)))
        node) nodes

theorem runNodes_sound {s : Scale} {slots : Nat → K} (sf : s.Fits) : (nodes : List Node) → (decodings : List Decoding) →
    (direct mirrored count : Nat) → (next : Nat → Nat → Nat → Bool) → (Memory.mk direct mirrored).Holds s slots count →
    NodesHold slots count nodes → runNodes s nodes decodings direct mirrored count next = true →
    ∃ direct' mirrored' count', (Memory.mk direct' mirrored').Holds s slots count' ∧ next direct' mirrored' count' = true
  | [], _, direct, mirrored, count, _, hm, _, h => ⟨direct, mirrored, count, hm, h⟩
  | .affine _ :: _, [], _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .affine a :: nodes, d :: decodings, _, _, _, next, hm, hn, h => by
    obtain ⟨d', m', r1, r2⟩ := Affine.run_sound (d := d) (next := fun d m c => runNodes s nodes decodings d m c next) sf hm hn.1 h
    exact runNodes_sound sf nodes decodings d' m' _ next r1 hn.2 r2
  | .relu first n :: nodes, decodings, _, _, _, next, hm, hn, h => by
    obtain ⟨h1, h2⟩ := both_true h
    obtain ⟨d', m', r1, r2⟩ := Relu.run_sound (next := fun d m c => runNodes s nodes decodings d m c next) sf (Nat.le_of_ble_eq_true h1) hm hn.1 h2
    exact runNodes_sound sf nodes decodings d' m' _ next r1 hn.2 r2

/-- All nodes but the last, which must be affine and is handed on with its decoding. -/
noncomputable def runInit (s : Scale) (nodes : List Node) :
    List Decoding → Nat → Nat → Nat → (Affine → Decoding → Nat → Nat → Nat → Bool) → Bool :=
  List.rec (motive := fun _ => List Decoding → Nat → Nat → Nat → (Affine → Decoding → Nat → Nat → Nat → Bool) → Bool)
    (fun _ _ _ _ _ => false)
    (fun node later rest decodings direct mirrored count next =>
      Node.rec (motive := fun _ => Bool)
        (fun a => List.rec (motive := fun _ => Bool) false
          (fun d decodings' _ => List.rec (motive := fun _ => Bool) (next a d direct mirrored count)
            (fun _ _ _ => Affine.run s a d direct mirrored count (fun direct' mirrored' count' => rest decodings' direct' mirrored' count' next)) later) decodings)
        (fun first n => both (Nat.ble (first + n) count)
          (Relu.run s n first direct mirrored count (fun direct' mirrored' count' => rest decodings direct' mirrored' count' next)))
        node) nodes

theorem runInit_sound {s : Scale} {slots : Nat → K} (sf : s.Fits) : (nodes : List Node) → (decodings : List Decoding) →
    (direct mirrored count : Nat) → (next : Affine → Decoding → Nat → Nat → Nat → Bool) → (Memory.mk direct mirrored).Holds s slots count →
    NodesHold slots count nodes → runInit s nodes decodings direct mirrored count next = true →
    ∃ a d direct' mirrored' count', (Memory.mk direct' mirrored').Holds s slots count' ∧ (Node.affine a).Holds slots count' ∧
      next a d direct' mirrored' count' = true
  | [], _, _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | .affine _ :: _, [], _, _, _, _, _, _, h => Bool.noConf_tf (Eq.symm h)
  | [.affine a], d :: _, direct, mirrored, count, _, hm, hn, h => ⟨a, d, direct, mirrored, count, hm, hn.1, h⟩
  | .affine a :: node :: nodes, d :: decodings, _, _, _, next, hm, hn, h => by
    obtain ⟨d', m', r1, r2⟩ := Affine.run_sound (d := d) (next := fun d m c => runInit s (node :: nodes) decodings d m c next) sf hm hn.1 h
    exact runInit_sound sf (node :: nodes) decodings d' m' _ next r1 hn.2 r2
  | .relu first n :: nodes, decodings, _, _, _, next, hm, hn, h => by
    obtain ⟨h1, h2⟩ := both_true h
    obtain ⟨d', m', r1, r2⟩ := Relu.run_sound (next := fun d m c => runInit s nodes decodings d m c next) sf (Nat.le_of_ble_eq_true h1) hm hn.1 h2
    exact runInit_sound sf nodes decodings d' m' _ next r1 hn.2 r2
end Graph
end PytestTorchLean
