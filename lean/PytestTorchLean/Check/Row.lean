prelude
import PytestTorchLean.Check.Columns
import PytestTorchLean.Check.Vector
/-!
# Writing the bounds of a row to the memory

A row's value `y` satisfies `e * image y + mass ∈ [low + offset, high + offset]`; dividing by `e`,
rounded outward, gives the fixed-point bounds that are pushed, one row after the other.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing

namespace Rows
variable {K : Type u} [OrderedRing K]

theorem cancel {e : Nat} (he : 0 < e) {x y : K} (h : natural e * x ≤ natural e * y) : x ≤ y :=
  cancel_natural he h
theorem natural_le_reflect {m n : Nat} (h : (natural m : K) ≤ natural n) : m ≤ n :=
  OrderedRing.natural_le_reflect h

theorem mul_div_le (n e : Nat) (he : 0 < e) : e * (n / e) ≤ n := by
  have h := Natural.mod_add_div he n
  exact Nat.le_trans (Nat.le_add_left _ _) (Natural.le_of_eq h)
theorem lt_mul_div (n e : Nat) (he : 0 < e) : n ≤ e * (n / e) + (e - 1) := by
  have h := Natural.mod_add_div he n
  have g := Natural.mod_lt he n
  have g : n % e ≤ e - 1 := by
    have p := Natural.succ_pred he
    generalize n % e = r at *
    rw [← p] at g
    exact Nat.le_of_succ_le_succ g
  have k := Nat.add_le_add g (Nat.le.refl (n := e * (n / e)))
  rw [h, Nat.add_comm] at k
  exact k

theorem divide_lower {low offset mass e : Nat} {x : K} (he : 0 < e) (hm : mass ≤ low + offset)
    (h : natural low + natural offset ≤ natural e * x + natural mass) :
    natural ((low + offset - mass) / e) ≤ x := by
  refine cancel he ?_
  have a : (natural (e * ((low + offset - mass) / e)) : K) ≤ natural (low + offset - mass) :=
    natural_le (mul_div_le _ _ he)
  rw [natural_mul, Linear.natural_sub hm, natural_add] at a
  have b := add_nonneg (sub_nonneg a) (sub_nonneg h)
  refine le_cert ?_ b
  exact (ring5 K q l o m x, x - q, (l + o - m - q) + (x + m - (l + o)))
    (natural e * natural ((low + offset - mass) / e)) (natural low) (natural offset) (natural mass)
    (natural e * x)

theorem sub_ge (n m : Nat) : (natural n : K) - natural m ≤ natural (n - m) := by
  cases Nat.le_total m n with
  | inl h => rw [Linear.natural_sub h]; exact le_refl _
  | inr h =>
    refine le_trans ?_ (natural_nonneg _)
    exact le_cert ((ring2 K n m, 0 - (n - m), m - n) (natural n) (natural m)) (sub_nonneg (natural_le h))

theorem divide_upper {high offset mass e : Nat} {x : K} (he : 0 < e)
    (h : natural e * x + natural mass ≤ natural high + natural offset) :
    x ≤ natural ((high + offset + (e - 1) - mass) / e) := by
  refine cancel he ?_
  have a : (natural (high + offset + (e - 1) - mass) : K) ≤
      natural (e * ((high + offset + (e - 1) - mass) / e) + (e - 1)) :=
    natural_le (lt_mul_div _ _ he)
  have c := sub_ge (K := K) (high + offset + (e - 1)) mass
  rw [natural_add, natural_mul] at a
  rw [natural_add, natural_add] at c
  generalize (natural (high + offset + (e - 1) - mass) : K) = n at *
  generalize natural e * (natural ((high + offset + (e - 1) - mass) / e) : K) = q at *
  generalize (natural (e - 1) : K) = r at *
  have b := add_nonneg (add_nonneg (sub_nonneg a) (sub_nonneg c)) (sub_nonneg h)
  refine le_cert ?_ b
  have e1 :
      natural high + natural offset + r - natural mass = (natural high + natural offset - natural mass) + r :=
    (ring4 K g o r m, g + o + r - m, g + o - m + r) _ _ _ _
  rw [e1]
  exact (ring5 K q x n w r, q - x, (q + r - n) + (n - (w + r)) + (w - x)) q (natural e * x) n
      (natural high + natural offset - natural mass) r |> fun t => by
    rw [t, (ring4 K g o m x, g + o - m - x, g + o - (x + m)) (natural high) (natural offset) (natural mass)
        (natural e * x)]

/-- Divide each row's bounds, round outward, push. `bounds` packs low and high halves, `mass` the masses. -/
def push (s : Scale) (b e offset rows : Nat) :
    Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool :=
  Nat.rec (motive := fun _ => Nat → Nat → Nat → Nat → Nat → (Nat → Nat → Nat → Bool) → Bool)
    (fun _ _ direct mirrored count next => next direct mirrored count)
    (fun _ rest bounds mass direct mirrored count next =>
      force (fun digit => force (fun low => force (fun m =>
        force (fun lower => force (fun upper =>
          both (Nat.ble m low) (both (Nat.ble lower upper) (both (Nat.ble upper s.top)
            (force (fun place => force (fun direct' =>
                    force (fun mirrored' => force (fun bounds' => force (fun mass' => force (fun count' =>
                rest bounds' mass' direct' mirrored' count' next)
              (Nat.succ count)) (Nat.shiftRight mass b)) (Nat.shiftRight bounds b))
              (Nat.add mirrored (Nat.mul place
                    (Nat.add (Nat.sub s.top upper) (Nat.mul (Nat.pow 2 s.half) (Nat.sub s.top lower))))))
              (Nat.add direct (Nat.mul place (Nat.add lower (Nat.mul (Nat.pow 2 s.half) upper)))))
              (Nat.pow 2 (Nat.mul s.stride count))))))
          (Nat.div (Nat.sub (Nat.add (Nat.add (Nat.shiftRight digit s.half) offset) (Nat.sub e 1)) m) e))
            (Nat.div (Nat.sub low m) e))
        (Nat.land mass (Nat.sub (Nat.pow 2 b) 1)))
          (Nat.add (Nat.land digit (Nat.sub (Nat.pow 2 s.half) 1)) offset))
      (Nat.land bounds (Nat.sub (Nat.pow 2 b) 1))) rows

theorem push_succ (s : Scale) (b e offset rows bounds mass direct mirrored count : Nat)
    (next : Nat → Nat → Nat → Bool) :
    push s b e offset (rows + 1) bounds mass direct mirrored count next =
      (let digit := Nat.land bounds (2 ^ b - 1)
       let low := Nat.land digit (2 ^ s.half - 1)
       let high := Nat.shiftRight digit s.half
       let m := Nat.land mass (2 ^ b - 1)
       let lower := (low + offset - m) / e
       let upper := (high + offset + (e - 1) - m) / e
       both (Nat.ble m (low + offset)) (both (Nat.ble lower upper) (both (Nat.ble upper s.top)
         (push s b e offset rows (Nat.shiftRight bounds b) (Nat.shiftRight mass b)
            (direct + 2 ^ (s.stride * count) * Memory.directWord s lower upper)
            (mirrored + 2 ^ (s.stride * count) * Memory.mirroredWord s lower upper) (count + 1) next)))) := by
  unfold push
  simp only [force_eq]
  rfl

/-- What the producer of the bounds guarantees for `rows` slots from `count` on. -/
def Bounded (s : Scale) (slots : Nat → K) (e offset count rows : Nat) (low high mass : Nat → Nat) : Prop :=
  ∀ i, i < rows →
    natural (low i) + natural offset ≤ natural e * s.image (slots (count + i)) + natural (mass i) ∧
    natural e * s.image (slots (count + i)) + natural (mass i) ≤ natural (high i) + natural offset

theorem push_sound {s : Scale} {slots : Nat → K} {b e offset : Nat} (hb : s.half + s.half ≤ b) (he : 0 < e) :
    (rows : Nat) → (low high mass : Nat → Nat) → (direct mirrored count : Nat) →
    (next : Nat → Nat → Nat → Bool) →
    (∀ i, i < rows → low i < 2 ^ s.half ∧ high i < 2 ^ s.half ∧ mass i < 2 ^ b) →
    Bounded s slots e offset count rows low high mass →
    (Memory.mk direct mirrored).Holds s slots count →
    push s b e offset rows (pack b rows (fun i => low i + 2 ^ s.half * high i)) (pack b rows mass) direct
        mirrored count next = true →
    ∃ direct' mirrored', (Memory.mk direct' mirrored').Holds s slots (count + rows) ∧
      next direct' mirrored' (count + rows) = true := by
  intro rows
  induction rows with
  | zero =>
    intro _ _ _ direct mirrored _ _ _ _ hm h
    exact ⟨direct, mirrored, hm, h⟩
  | succ rows smaller =>
    intro low high mass direct mirrored count next hd hy hm h
    obtain ⟨d1, d2, d3⟩ := hd 0 (Nat.succ_le_succ (Nat.zero_le _))
    have dw : low 0 + 2 ^ s.half * high 0 < 2 ^ b :=
      Nat.le_trans (Memory.halves_lt d1 d2) (Natural.two_pow_le hb)
    have w1 : Nat.land (pack b (rows + 1) (fun i => low i + 2 ^ s.half * high i)) (2 ^ b - 1) =
        low 0 + 2 ^ s.half * high 0 :=
      land_pack_succ (f := fun i => low i + 2 ^ s.half * high i) dw
    have w2 : Nat.land (pack b (rows + 1) mass) (2 ^ b - 1) = mass 0 := land_pack_succ d3
    have w3 : Nat.land (low 0 + 2 ^ s.half * high 0) (2 ^ s.half - 1) = low 0 := by
      rw [land_low, Natural.add_mul_mod _ d1]
    have w4 : Nat.shiftRight (low 0 + 2 ^ s.half * high 0) s.half = high 0 := Natural.add_mul_div _ d1
    have w5 : Nat.shiftRight (pack b (rows + 1) (fun i => low i + 2 ^ s.half * high i)) b =
        pack b rows (fun i => low (i + 1) + 2 ^ s.half * high (i + 1)) :=
      shift_pack_succ (f := fun i => low i + 2 ^ s.half * high i) dw
    have w6 : Nat.shiftRight (pack b (rows + 1) mass) b = pack b rows (fun i => mass (i + 1)) :=
      shift_pack_succ d3
    rw [push_succ] at h
    simp only [w1, w2, w3, w4, w5, w6] at h
    obtain ⟨c1, h⟩ := both_true h
    obtain ⟨c3, h⟩ := both_true h
    obtain ⟨c4, h⟩ := both_true h
    obtain ⟨y1, y2⟩ := hy 0 (Nat.succ_le_succ (Nat.zero_le _))
    have within :
        Within s ((low 0 + offset - mass 0) / e) ((high 0 + offset + (e - 1) - mass 0) / e) (slots count) :=
      ⟨divide_lower he (Nat.le_of_ble_eq_true c1) y1, divide_upper he y2⟩
    have hm' := Memory.push_holds hm (Nat.le_of_ble_eq_true c3) (Nat.le_of_ble_eq_true c4) within
    obtain ⟨d', m', r1, r2⟩ :=
      smaller (fun i => low (i + 1)) (fun i => high (i + 1)) (fun i => mass (i + 1)) _ _ (count + 1) next
      (fun i hi => hd (i + 1) (Nat.succ_le_succ hi))
      (fun i hi => by
        have y := hy (i + 1) (Nat.succ_le_succ hi)
        have e1 : count + 1 + i = count + (i + 1) := by rw [Nat.add_assoc, Nat.add_comm 1 i]
        rw [e1]; exact y) hm' h
    have e2 : count + 1 + rows = count + (rows + 1) := by rw [Nat.add_assoc, Nat.add_comm 1 rows]
    rw [e2] at r1 r2
    exact ⟨d', m', r1, r2⟩
end Rows
end PytestTorchLean
