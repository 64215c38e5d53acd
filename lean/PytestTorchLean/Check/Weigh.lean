prelude
import PytestTorchLean.Check.Columns
import PytestTorchLean.Check.Vector
/-!
# Weights of composed forms

A row `sum_k c_k * y_k` with `E * y_k = sum_j w_kj * x_j` has the weights `sum_k c_k * w_kj`. They are
formed digit-wise for all rows at once, and positive and negative parts are cancelled.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Compose
open Vector

/-! ### Weighing the columns of the forms by the digits of a column of the node -/

/-- `sum_k first_k * positive_k + second_k * negative_k`, the k-th digits of two numbers. -/
def weigh (b : Nat) (columns : List Column) : Nat → Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat → Nat) (fun _ _ => 0)
    (fun c _ rest first second => Column.rec (motive := fun _ => Nat) (fun positive negative =>
      Nat.add (Nat.add (Nat.mul (Nat.land first (Nat.sub (Nat.pow 2 b) 1)) positive)
            (Nat.mul (Nat.land second (Nat.sub (Nat.pow 2 b) 1)) negative))
          (rest (Nat.shiftRight first b) (Nat.shiftRight second b))) c) columns
theorem weigh_cons (b : Nat) (c : Column) (cs : List Column) (first second : Nat) :
    weigh b (c :: cs) first second =
    Nat.land first (2 ^ b - 1) * c.positive + Nat.land second (2 ^ b - 1) * c.negative +
      weigh b cs (Nat.shiftRight first b) (Nat.shiftRight second b) := by
  unfold weigh
  simp only [force_eq]
  rfl
/-- One row of it. -/
def weighted : List Digits → (Nat → Nat) → (Nat → Nat) → Nat → Nat
  | [], _, _, _ => 0
  | e :: es, f, g, i =>
    f 0 * e.positive i + g 0 * e.negative i + weighted es (fun k => f (k + 1)) (fun k => g (k + 1)) i

theorem weigh_eq {b b' rows bound : Nat} :
    (cs : List Column) → (es : List Digits) → (f g : Nat → Nat) →
    Packed b' rows bound cs es → (∀ k, k < cs.length → f k < 2 ^ b ∧ g k < 2 ^ b) →
    weigh b cs (pack b cs.length f) (pack b cs.length g) = pack b' rows (weighted es f g)
  | [], [], _, _, _, _ => (pack_zero b' rows).symm
  | c :: cs, e :: es, f, g, h, hd => by
    obtain ⟨⟨hp, hn, _⟩, ht⟩ := h
    obtain ⟨d1, d2⟩ := hd 0 (Nat.succ_le_succ (Nat.zero_le _))
    have ih := weigh_eq cs es (fun k => f (k + 1)) (fun k => g (k + 1)) ht
      (fun k hk => hd (k + 1) (Nat.succ_le_succ hk))
    rw [weigh_cons]
    show Nat.land (pack b (cs.length + 1) f) (2 ^ b - 1) * c.positive +
      Nat.land (pack b (cs.length + 1) g) (2 ^ b - 1) * c.negative +
      weigh b cs (Nat.shiftRight (pack b (cs.length + 1) f) b)
        (Nat.shiftRight (pack b (cs.length + 1) g) b) = _
    rw [land_pack_succ d1, land_pack_succ d2, shift_pack_succ d1, shift_pack_succ d2, hp, hn]
    rw [ih, ← pack_mul, ← pack_mul, ← pack_add, ← pack_add]
    rfl
  | [], _ :: _, _, _, h, _ => h.elim
  | _ :: _, [], _, _, h, _ => h.elim

theorem weighted_le {b rows bound limit i : Nat} (hi : i < rows) :
    (cs : List Column) → (es : List Digits) → (f g : Nat → Nat) →
    Packed b rows bound cs es → (∀ k, k < cs.length → f k ≤ limit ∧ g k ≤ limit) →
    weighted es f g i ≤ cs.length * (limit * bound + limit * bound)
  | [], [], _, _, _, _ => Nat.zero_le _
  | _ :: cs, e :: es, f, g, h, hl => by
    obtain ⟨⟨_, _, hd⟩, ht⟩ := h
    obtain ⟨l1, l2⟩ := hl 0 (Nat.succ_le_succ (Nat.zero_le _))
    have ih := weighted_le hi cs es (fun k => f (k + 1)) (fun k => g (k + 1)) ht
      (fun k hk => hl (k + 1) (Nat.succ_le_succ hk))
    show f 0 * e.positive i + g 0 * e.negative i + weighted es _ _ i ≤ (cs.length + 1) * _
    rw [Nat.succ_mul, Nat.add_comm (cs.length * _)]
    exact Nat.add_le_add (Nat.add_le_add (Nat.mul_le_mul l1 (hd i hi).1) (Nat.mul_le_mul l2 (hd i hi).2)) ih
  | [], _ :: _, _, _, h, _ => h.elim
  | _ :: _, [], _, _, h, _ => h.elim

/-- `sum_k (positive_k - negative_k) * h k` for row i. -/
def blend : List Digits → (Nat → K) → Nat → K
  | [], _, _ => 0
  | e :: es, h, i => (natural (e.positive i) - natural (e.negative i)) * h 0 + blend es (fun k => h (k + 1)) i

theorem blend_congr {i : Nat} :
    (es : List Digits) → (h h' : Nat → K) → (∀ k, k < es.length → h k = h' k) → blend es h i = blend es h' i
  | [], _, _, _ => rfl
  | e :: es, h, h', g => by
    show _ * h 0 + blend es _ i = _ * h' 0 + blend es _ i
    rw [g 0 (Nat.succ_le_succ (Nat.zero_le _)),
        blend_congr es _ _ (fun k hk => g (k + 1) (Nat.succ_le_succ hk))]
theorem blend_linear {i : Nat} : (es : List Digits) → (h h' : Nat → K) → (x : K) →
    blend es (fun k => h k * x + h' k) i = blend es h i * x + blend es h' i
  | [], _, _, x => by show (0 : K) = 0 * x + 0; rw [zero_mul, add_zer]
  | e :: es, h, h', x => by
    show _ * (h 0 * x + h' 0) + blend es (fun k => h (k + 1) * x + h' (k + 1)) i =
      (_ * h 0 + blend es _ i) * x + (_ * h' 0 + blend es _ i)
    rw [blend_linear es (fun k => h (k + 1)) (fun k => h' (k + 1)) x]
    generalize blend es (fun k => h (k + 1)) i = p
    generalize blend es (fun k => h' (k + 1)) i = q
    generalize (natural (e.positive i) - natural (e.negative i) : K) = c
    have a := (ring5 K c y x p z, c * (y * x + z) + (p * x), (c * y + p) * x + c * z) c (h 0) x p (h' 0)
    rw [← add_assoc, a, add_assoc]
theorem blend_zero {i : Nat} : (es : List Digits) → blend es (fun _ => (0 : K)) i = 0
  | [] => rfl
  | e :: es => by show _ * 0 + blend es (fun _ => (0 : K)) i = 0; rw [blend_zero es, mul_zero, add_zer]
theorem combination_blend {slots : Nat → K} {i : Nat} : (es : List Digits) → (source : Nat → Nat) →
    Linear.combination slots es source i = blend es (fun k => slots (source k)) i
  | [], _ => rfl
  | e :: es, source =>
    by show _ + Linear.combination slots es _ i = _ + blend es _ i; rw [combination_blend es]
theorem mul_blend {i : Nat} (n : K) :
    (es : List Digits) → (h : Nat → K) → n * blend es h i = blend es (fun k => n * h k) i
  | [], _ => mul_zero n
  | e :: es, h => by
    show n * (_ * h 0 + blend es _ i) = _ * (n * h 0) + blend es (fun k => n * h (k + 1)) i
    rw [← mul_blend n es, mul_add, mul_left_comm]

/-- Positive and negative sums of a row differ by the blend. -/
theorem weighted_sub {i : Nat} :
    (es : List Digits) → (f g : Nat → Nat) →
    (natural (weighted es f g i) - natural (weighted es g f i) : K) =
      blend es (fun k => natural (f k) - natural (g k)) i
  | [], _, _ => by show (natural 0 : K) - natural 0 = 0; exact add_neg' _
  | e :: es, f, g => by
    show (natural (_ + _ + _) : K) - natural (_ + _ + _) = _ * (natural (f 0) - natural (g 0)) + blend es _ i
    rw [← weighted_sub es, natural_add, natural_add, natural_add, natural_add, natural_mul, natural_mul,
        natural_mul, natural_mul]
    generalize (natural (weighted es (fun k => f (k + 1)) (fun k => g (k + 1)) i) : K) = a
    generalize (natural (weighted es (fun k => g (k + 1)) (fun k => f (k + 1)) i) : K) = c
    have r := (ring4 K x y p n, x * p + y * n - (y * p + x * n), (p - n) * (x - y)) (natural (f 0))
      (natural (g 0)) (natural (e.positive i)) (natural (e.negative i))
    rw [← r]
    exact (ring4 K u a v c, u + a - (v + c), u - v + (a - c)) _ _ _ _

/-- The column of the composed forms that belongs to a column of the node. -/
def composed (es : List Digits) (d : Digits) : Digits :=
  ⟨fun i => weighted es d.positive d.negative i - weighted es d.negative d.positive i,
   fun i => weighted es d.negative d.positive i - weighted es d.positive d.negative i⟩
def composedAll (es : List Digits) : List Digits → List Digits
  | [] => []
  | d :: ds => composed es d :: composedAll es ds

theorem truncated_sub (a b : Nat) : (natural (a - b) - natural (b - a) : K) = natural a - natural b := by
  cases Nat.le_total b a with
  | inl h =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le h
    have z : b - a = 0 := by rw [hk]; exact sub_zero_of b k
    rw [z, Linear.natural_sub h]
    exact (ring2 K x y, x - y - 0, x - y) _ _
  | inr h =>
    obtain ⟨k, hk⟩ := Nat.exists_of_le h
    have z : a - b = 0 := by rw [hk]; exact sub_zero_of a k
    rw [z, Linear.natural_sub h]
    exact (ring2 K x y, 0 - (y - x), x - y) _ _

theorem composed_combination {slots : Nat → K} {i : Nat} (es : List Digits) :
    (ds : List Digits) → (source : Nat → Nat) →
    Linear.combination slots (composedAll es ds) source i =
      blend es (fun k => Linear.combination slots ds source k) i
  | [], _ => (blend_zero es).symm
  | d :: ds, source => by
    show (natural (weighted es d.positive d.negative i - weighted es d.negative d.positive i) -
      natural (weighted es d.negative d.positive i - weighted es d.positive d.negative i)) *
      slots (source 0) +
      Linear.combination slots (composedAll es ds) (fun k => source (k + 1)) i =
      blend es (fun k => (natural (d.positive k) - natural (d.negative k)) * slots (source 0) +
          Linear.combination slots ds (fun k => source (k + 1)) k) i
    rw [truncated_sub, weighted_sub, composed_combination es ds, blend_linear]

/-- The composed columns; `heads` are the form's columns over the node's outputs. -/
def columns (b b' rows w : Nat) (heads : List Column) (node : List Column) : List Column :=
  List.rec (motive := fun _ => List Column) []
    (fun c _ rest => force (fun first => force (fun second =>
        force (fun positive =>
            force (fun negative => ⟨positive, negative⟩ :: rest) (difference b' rows w second first))
          (difference b' rows w first second))
      (weigh b heads c.negative c.positive)) (weigh b heads c.positive c.negative)) node

theorem columns_cons (b b' rows w : Nat) (heads : List Column) (c : Column) (node : List Column) :
    columns b b' rows w heads (c :: node) =
    ⟨difference b' rows w (weigh b heads c.positive c.negative) (weigh b heads c.negative c.positive),
          difference b' rows w (weigh b heads c.negative c.positive) (weigh b heads c.positive c.negative)⟩ ::
      columns b b' rows w heads node := by
  unfold columns
  simp only [force_eq]

theorem columns_packed {b b' rows w bound limit : Nat}
    (hw : w + 1 ≤ b')
    {heads : List Column} {es : List Digits}
    (hh : Packed b' rows bound heads es)
    (hlim : limit < 2 ^ b)
    (hsize : heads.length * (limit * bound + limit * bound) < 2 ^ w) :
    (node : List Column) → (ds : List Digits) → Packed b heads.length limit node ds →
    Packed b' rows (2 ^ w) (columns b b' rows w heads node) (composedAll es ds)
  | [], [], _ => trivial
  | c :: node, d :: ds, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    have ih := columns_packed hw hh hlim hsize node ds ht
    have e1 := weigh_eq (b := b) heads es d.positive d.negative hh
      (fun k hk => ⟨Nat.le_trans (Nat.succ_le_succ (hd k hk).1) hlim,
            Nat.le_trans (Nat.succ_le_succ (hd k hk).2) hlim⟩)
    have e2 := weigh_eq (b := b) heads es d.negative d.positive hh
      (fun k hk => ⟨Nat.le_trans (Nat.succ_le_succ (hd k hk).2) hlim,
            Nat.le_trans (Nat.succ_le_succ (hd k hk).1) hlim⟩)
    rw [← hp, ← hn] at e1
    rw [← hp, ← hn] at e2
    have l1 : ∀ i, i < rows → weighted es d.positive d.negative i < 2 ^ w := fun i hi =>
      Nat.le_trans (Nat.succ_le_succ (weighted_le hi heads es _ _ hh (fun k hk => hd k hk))) hsize
    have l2 : ∀ i, i < rows → weighted es d.negative d.positive i < 2 ^ w := fun i hi =>
      Nat.le_trans
        (Nat.succ_le_succ (weighted_le hi heads es _ _ hh (fun k hk => ⟨(hd k hk).2, (hd k hk).1⟩))) hsize
    rw [columns_cons, e1, e2, difference_eq hw l1 l2, difference_eq hw l2 l1]
    exact ⟨⟨rfl, rfl, fun i hi => ⟨Nat.le_trans (Natural.sub_le _ _) (Natural.le_of_lt (l1 i hi)),
      Nat.le_trans (Natural.sub_le _ _) (Natural.le_of_lt (l2 i hi))⟩⟩, ih⟩
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim

/-! ### The columns of the forms that do not read the node's outputs -/

def scale (factor : Nat) (cs : List Column) : List Column :=
  List.rec (motive := fun _ => List Column) []
    (fun c _ rest => force (fun p => force (fun n => ⟨p, n⟩ :: rest) (Nat.mul factor c.negative))
        (Nat.mul factor c.positive)) cs
theorem scale_cons (factor : Nat) (c : Column) (cs : List Column) :
    scale factor (c :: cs) = ⟨factor * c.positive, factor * c.negative⟩ :: scale factor cs := by
  unfold scale
  simp only [force_eq]
  rfl
def scaled (factor : Nat) : List Digits → List Digits
  | [] => []
  | e :: es => ⟨fun i => factor * e.positive i, fun i => factor * e.negative i⟩ :: scaled factor es
theorem scale_packed {b rows bound : Nat} (factor : Nat) :
    (cs : List Column) → (es : List Digits) → Packed b rows bound cs es →
    Packed b rows (factor * bound) (scale factor cs) (scaled factor es) ∧ (scale factor cs).length = cs.length
  | [], [], _ => ⟨trivial, rfl⟩
  | c :: cs, e :: es, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    obtain ⟨i1, i2⟩ := scale_packed factor cs es ht
    rw [scale_cons]
    refine ⟨⟨⟨?_, ?_,
            fun i hi => ⟨Nat.mul_le_mul Nat.le.refl (hd i hi).1, Nat.mul_le_mul Nat.le.refl (hd i hi).2⟩⟩,
          i1⟩, congrArg Nat.succ i2⟩
    · show factor * c.positive = _; rw [hp, ← pack_mul]
    · show factor * c.negative = _; rw [hn, ← pack_mul]
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem scaled_combination {slots : Nat → K} {i : Nat} (factor : Nat) :
    (es : List Digits) → (source : Nat → Nat) →
    Linear.combination slots (scaled factor es) source i =
      natural factor * Linear.combination slots es source i
  | [], _ => (mul_zero _).symm
  | e :: es, source => by
    show (natural (factor * e.positive i) - natural (factor * e.negative i)) * slots (source 0) +
        Linear.combination slots (scaled factor es) _ i = _ * (_ + _)
    rw [scaled_combination factor es, natural_mul, natural_mul, mul_add]
    have r := (ring4 K f p n x, (f * p - f * n) * x, f * ((p - n) * x)) (natural factor)
      (natural (e.positive i)) (natural (e.negative i)) (slots (source 0))
    rw [r]

end Compose
end PytestTorchLean
