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
/-- The digits of a box are small enough; decided by three operations on the whole box. -/
noncomputable def fits (s : Scale) (bits inputs : Nat) (b : Box) : Bool :=
  both (Nat.ble (s.half + s.half) b.width) (both (Nat.ble bits b.width) (both (Nat.ble 1 b.denominator)
    (both (Nat.ble (s.unit * 2 ^ bits) (2 ^ s.half)) (both (Nat.ble (s.unit * b.offset + 1) (2 ^ b.width))
      (force (fun mask => both (Nat.beq (Nat.land b.lower mask) b.lower) (Nat.beq (Nat.land b.upper mask) b.upper))
        ((2 ^ bits - 1) * ones b.width inputs))))))

/-- Slots 0 and 1, then the inputs. -/
noncomputable def run (s : Scale) (bits inputs : Nat) (b : Box) (next : Nat → Nat → Nat → Bool) : Bool :=
  both (fits s bits inputs b) (both (Nat.ble s.unit s.center)
    (force (fun direct => force (fun mirrored => force (fun bounds => force (fun mass =>
        Rows.push s b.width b.denominator (b.denominator * s.center) inputs bounds mass direct mirrored 2 next)
      (s.unit * b.offset * ones b.width inputs)) (s.unit * (b.lower + 2 ^ s.half * b.upper)))
      (0 + 2 ^ (s.stride * 0) * Memory.mirroredWord s s.center s.center + 2 ^ (s.stride * 1) * Memory.mirroredWord s (s.unit + s.center) (s.unit + s.center)))
      (0 + 2 ^ (s.stride * 0) * Memory.directWord s s.center s.center + 2 ^ (s.stride * 1) * Memory.directWord s (s.unit + s.center) (s.unit + s.center))))

theorem constants_hold {s : Scale} {slots : Nat → K} (h0 : slots 0 = 0) (h1 : slots 1 = 1) (hu : s.unit ≤ s.center) :
    (((Memory.mk 0 0).push s 0 s.center s.center).push s 1 (s.unit + s.center) (s.unit + s.center)).Holds s slots 2 := by
  refine Memory.push_holds (Memory.push_holds (Memory.empty_holds s slots) Nat.le.refl (Nat.le_add_right _ _) ?_)
    Nat.le.refl (Nat.add_le_add hu Nat.le.refl) ?_
  · rw [h0]; unfold Within; rw [Relu.image_zero]; exact ⟨le_refl _, le_refl _⟩
  · rw [h1]; unfold Within Scale.image; rw [mul_on, natural_add]; exact ⟨le_refl _, le_refl _⟩

theorem masked {b bits n Y : Nat} (hb : 0 < b) (hbits : bits ≤ b) (h : Nat.beq (Nat.land Y ((2 ^ bits - 1) * ones b n)) Y = true) :
    Y = pack b n (digit b Y) ∧ ∀ i, i < n → digit b Y i < 2 ^ bits := by
  have small : ∀ i, i < n → (fun _ : Nat => 2 ^ bits - 1) i < 2 ^ b := fun i _ => Natural.mask_lt hbits
  have e := Nat.eq_of_beq_eq_true h
  rw [mul_ones hb, land_mask Y small] at e
  have lt : ∀ i, i < n → Nat.land (digit b Y i) (2 ^ bits - 1) < 2 ^ b := fun i _ =>
    Nat.le_trans (land_lt _ _) (Natural.two_pow_le hbits)
  have d : ∀ i, i < n → digit b Y i = Nat.land (digit b Y i) (2 ^ bits - 1) := fun i hi => by
    have g : digit b (pack b n (fun i => Nat.land (digit b Y i) (2 ^ bits - 1))) i = _ := digit_pack lt hi
    rw [e] at g; exact g
  constructor
  · have c := pack_congr (b := b) d
    rw [e] at c; exact c.symm
  · intro i hi; rw [d i hi]; exact land_lt _ _

theorem run_sound {s : Scale} {slots : Nat → K} {bits inputs : Nat} {b : Box} {next : Nat → Nat → Nat → Bool} (sf : s.Fits)
    (h0 : slots 0 = 0) (h1 : slots 1 = 1) (hb : b.Holds inputs slots) (h : run s bits inputs b next = true) :
    ∃ direct mirrored, (Memory.mk direct mirrored).Holds s slots (2 + inputs) ∧ next direct mirrored (2 + inputs) = true := by
  obtain ⟨f, h⟩ := both_true h
  obtain ⟨hu, h⟩ := both_true h
  obtain ⟨f1, f⟩ := both_true f
  obtain ⟨f2, f⟩ := both_true f
  obtain ⟨f3, f⟩ := both_true f
  obtain ⟨f4, f⟩ := both_true f
  obtain ⟨f5, f⟩ := both_true f
  rw [force_eq] at f
  obtain ⟨f6, f7⟩ := both_true f
  have f1 := Nat.le_of_ble_eq_true f1
  have f2 := Nat.le_of_ble_eq_true f2
  have f4 := Nat.le_of_ble_eq_true f4
  simp only [force_eq] at h
  have half_pos : 0 < s.half + s.half := by
    cases e : s.half with
    | zero => exact absurd (Nat.le_trans sf.half (by rw [e]; exact Nat.le.refl)) (fun g => by
        have g := Nat.le_of_succ_le_succ g
        have t0 := Nat.le_antisymm g (Nat.zero_le _)
        have c := Nat.le_trans (Nat.le_trans sf.unit (Nat.le_of_ble_eq_true hu)) (Nat.le_add_right s.center s.center)
        have c : 1 ≤ s.top := c
        rw [t0] at c
        exact Nat.not_succ_le_zero 0 c)
    | succ n => exact Nat.succ_le_succ (Nat.zero_le _)
  have width_pos : 0 < b.width := Nat.le_trans half_pos f1
  obtain ⟨l1, l2⟩ := masked width_pos f2 f6
  obtain ⟨u1, u2⟩ := masked width_pos f2 f7
  have hpack : s.unit * (b.lower + 2 ^ s.half * b.upper) =
      pack b.width inputs (fun i => s.unit * digit b.width b.lower i + 2 ^ s.half * (s.unit * digit b.width b.upper i)) := by
    rw [pack_add, pack_mul, pack_mul, pack_mul, ← l1, ← u1, Nat.mul_add, Nat.mul_left_comm]
  have hmass : s.unit * b.offset * ones b.width inputs = pack b.width inputs (fun _ => s.unit * b.offset) := mul_ones width_pos _ _
  rw [hpack, hmass] at h
  have small : ∀ {x : Nat}, x < 2 ^ bits → s.unit * x < 2 ^ s.half := fun hx => Nat.le_trans (Natural.mul_lt_mul_left sf.unit hx) f4
  refine Rows.push_sound f1 (Nat.le_of_ble_eq_true f3) inputs _ _ _ _ _ 2 next
    (fun i hi => ⟨small (l2 i hi), small (u2 i hi), Nat.le_of_ble_eq_true f5⟩) ?_ (constants_hold h0 h1 (Nat.le_of_ble_eq_true hu)) h
  intro i hi
  obtain ⟨a1, a2⟩ := hb i hi
  have a1 := mul_le_left (natural_nonneg (K := K) s.unit) a1
  have a2 := mul_le_left (natural_nonneg (K := K) s.unit) a2
  have e : natural b.denominator * s.image (slots (2 + i)) + natural (s.unit * b.offset) =
      natural s.unit * (natural b.denominator * slots (2 + i) + natural b.offset) + natural (b.denominator * s.center) := by
    unfold Scale.image
    rw [natural_mul, natural_mul]
    exact (ring5 K q u x c o, q * (u * x + c) + u * o, u * (q * x + o) + q * c) _ _ _ _ _
  rw [e, natural_mul s.unit, natural_mul s.unit]
  exact ⟨add_le _ a1, add_le _ a2⟩
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
    obtain ⟨d', m', r1, r2⟩ := Relu.run_sound sf n first _ _ _ _ (Nat.le_of_ble_eq_true h1) hm hn.1 h2
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
    obtain ⟨d', m', r1, r2⟩ := Relu.run_sound sf n first _ _ _ _ (Nat.le_of_ble_eq_true h1) hm hn.1 h2
    exact runInit_sound sf nodes decodings d' m' _ next r1 hn.2 r2
end Graph
end PytestTorchLean
