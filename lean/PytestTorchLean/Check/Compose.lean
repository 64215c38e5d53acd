prelude
import PytestTorchLean.Check.Property
/-!
# Forms over the outputs of the last affine node, rewritten over its inputs

A row `sum_k c_k * y_k` with `E * y_k = sum_j w_kj * x_j` is `E` times smaller than
`sum_j (sum_k c_k * w_kj) * x_j`. The new weights are formed digit-wise for all rows at once, and
positive and negative parts are cancelled against each other before they are bounded.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Compose
open Vector Dense

/-! ### Weighing the columns of the forms by the digits of a column of the node -/

/-- `sum_k first_k * positive_k + second_k * negative_k`, the k-th digits of two numbers. -/
noncomputable def weigh (b : Nat) (columns : List Column) : Nat → Nat → Nat :=
  List.rec (motive := fun _ => Nat → Nat → Nat) (fun _ _ => 0)
    (fun c _ rest first second => Column.rec (motive := fun _ => Nat) (fun positive negative =>
      Nat.add (Nat.add (Nat.mul (Nat.land first (Nat.sub (Nat.pow 2 b) 1)) positive) (Nat.mul (Nat.land second (Nat.sub (Nat.pow 2 b) 1)) negative))
        (rest (Nat.shiftRight first b) (Nat.shiftRight second b))) c) columns
theorem weigh_cons (b : Nat) (c : Column) (cs : List Column) (first second : Nat) :
    weigh b (c :: cs) first second = Nat.land first (2 ^ b - 1) * c.positive + Nat.land second (2 ^ b - 1) * c.negative +
      weigh b cs (Nat.shiftRight first b) (Nat.shiftRight second b) := by
  unfold weigh
  simp only [force_eq]
  rfl
/-- One row of it. -/
def weighted : List Digits → (Nat → Nat) → (Nat → Nat) → Nat → Nat
  | [], _, _, _ => 0
  | e :: es, f, g, i => f 0 * e.positive i + g 0 * e.negative i + weighted es (fun k => f (k + 1)) (fun k => g (k + 1)) i

theorem weigh_eq {b b' rows bound : Nat} : (cs : List Column) → (es : List Digits) → (f g : Nat → Nat) → Packed b' rows bound cs es →
    (∀ k, k < cs.length → f k < 2 ^ b ∧ g k < 2 ^ b) →
    weigh b cs (pack b cs.length f) (pack b cs.length g) = pack b' rows (weighted es f g)
  | [], [], _, _, _, _ => (pack_zero b' rows).symm
  | c :: cs, e :: es, f, g, h, hd => by
    obtain ⟨⟨hp, hn, _⟩, ht⟩ := h
    obtain ⟨d1, d2⟩ := hd 0 (Nat.succ_le_succ (Nat.zero_le _))
    have ih := weigh_eq cs es (fun k => f (k + 1)) (fun k => g (k + 1)) ht (fun k hk => hd (k + 1) (Nat.succ_le_succ hk))
    rw [weigh_cons]
    show Nat.land (pack b (cs.length + 1) f) (2 ^ b - 1) * c.positive + Nat.land (pack b (cs.length + 1) g) (2 ^ b - 1) * c.negative +
      weigh b cs (Nat.shiftRight (pack b (cs.length + 1) f) b) (Nat.shiftRight (pack b (cs.length + 1) g) b) = _
    rw [land_pack_succ d1, land_pack_succ d2, shift_pack_succ d1, shift_pack_succ d2, hp, hn]
    rw [ih, ← pack_mul, ← pack_mul, ← pack_add, ← pack_add]
    rfl
  | [], _ :: _, _, _, h, _ => h.elim
  | _ :: _, [], _, _, h, _ => h.elim

theorem weighted_le {b rows bound limit i : Nat} (hi : i < rows) : (cs : List Column) → (es : List Digits) → (f g : Nat → Nat) →
    Packed b rows bound cs es → (∀ k, k < cs.length → f k ≤ limit ∧ g k ≤ limit) →
    weighted es f g i ≤ cs.length * (limit * bound + limit * bound)
  | [], [], _, _, _, _ => Nat.zero_le _
  | _ :: cs, e :: es, f, g, h, hl => by
    obtain ⟨⟨_, _, hd⟩, ht⟩ := h
    obtain ⟨l1, l2⟩ := hl 0 (Nat.succ_le_succ (Nat.zero_le _))
    have ih := weighted_le hi cs es (fun k => f (k + 1)) (fun k => g (k + 1)) ht (fun k hk => hl (k + 1) (Nat.succ_le_succ hk))
    show f 0 * e.positive i + g 0 * e.negative i + weighted es _ _ i ≤ (cs.length + 1) * _
    rw [Nat.succ_mul, Nat.add_comm (cs.length * _)]
    exact Nat.add_le_add (Nat.add_le_add (Nat.mul_le_mul l1 (hd i hi).1) (Nat.mul_le_mul l2 (hd i hi).2)) ih
  | [], _ :: _, _, _, h, _ => h.elim
  | _ :: _, [], _, _, h, _ => h.elim

/-- `sum_k (positive_k - negative_k) * h k` for row i. -/
def blend : List Digits → (Nat → K) → Nat → K
  | [], _, _ => 0
  | e :: es, h, i => (natural (e.positive i) - natural (e.negative i)) * h 0 + blend es (fun k => h (k + 1)) i

theorem blend_congr {i : Nat} : (es : List Digits) → (h h' : Nat → K) → (∀ k, k < es.length → h k = h' k) → blend es h i = blend es h' i
  | [], _, _, _ => rfl
  | e :: es, h, h', g => by
    show _ * h 0 + blend es _ i = _ * h' 0 + blend es _ i
    rw [g 0 (Nat.succ_le_succ (Nat.zero_le _)), blend_congr es _ _ (fun k hk => g (k + 1) (Nat.succ_le_succ hk))]
theorem blend_linear {i : Nat} : (es : List Digits) → (h h' : Nat → K) → (x : K) →
    blend es (fun k => h k * x + h' k) i = blend es h i * x + blend es h' i
  | [], _, _, x => by show (0 : K) = 0 * x + 0; rw [zero_mul, add_zer]
  | e :: es, h, h', x => by
    show _ * (h 0 * x + h' 0) + blend es (fun k => h (k + 1) * x + h' (k + 1)) i = (_ * h 0 + blend es _ i) * x + (_ * h' 0 + blend es _ i)
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
  | e :: es, source => by show _ + Linear.combination slots es _ i = _ + blend es _ i; rw [combination_blend es]
theorem mul_blend {i : Nat} (n : K) : (es : List Digits) → (h : Nat → K) → n * blend es h i = blend es (fun k => n * h k) i
  | [], _ => mul_zero n
  | e :: es, h => by
    show n * (_ * h 0 + blend es _ i) = _ * (n * h 0) + blend es (fun k => n * h (k + 1)) i
    rw [← mul_blend n es, mul_add, mul_left_comm]

/-- Positive and negative sums of a row differ by the blend. -/
theorem weighted_sub {i : Nat} : (es : List Digits) → (f g : Nat → Nat) →
    (natural (weighted es f g i) - natural (weighted es g f i) : K) = blend es (fun k => natural (f k) - natural (g k)) i
  | [], _, _ => by show (natural 0 : K) - natural 0 = 0; exact add_neg' _
  | e :: es, f, g => by
    show (natural (_ + _ + _) : K) - natural (_ + _ + _) = _ * (natural (f 0) - natural (g 0)) + blend es _ i
    rw [← weighted_sub es, natural_add, natural_add, natural_add, natural_add, natural_mul, natural_mul, natural_mul, natural_mul]
    generalize (natural (weighted es (fun k => f (k + 1)) (fun k => g (k + 1)) i) : K) = a
    generalize (natural (weighted es (fun k => g (k + 1)) (fun k => f (k + 1)) i) : K) = c
    have r := (ring4 K x y p n, x * p + y * n - (y * p + x * n), (p - n) * (x - y)) (natural (f 0)) (natural (g 0)) (natural (e.positive i)) (natural (e.negative i))
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

theorem composed_combination {slots : Nat → K} {i : Nat} (es : List Digits) : (ds : List Digits) → (source : Nat → Nat) →
    Linear.combination slots (composedAll es ds) source i = blend es (fun k => Linear.combination slots ds source k) i
  | [], _ => (blend_zero es).symm
  | d :: ds, source => by
    show (natural (weighted es d.positive d.negative i - weighted es d.negative d.positive i) -
      natural (weighted es d.negative d.positive i - weighted es d.positive d.negative i)) * slots (source 0) +
      Linear.combination slots (composedAll es ds) (fun k => source (k + 1)) i =
      blend es (fun k => (natural (d.positive k) - natural (d.negative k)) * slots (source 0) + Linear.combination slots ds (fun k => source (k + 1)) k) i
    rw [truncated_sub, weighted_sub, composed_combination es ds, blend_linear]

/-- The composed columns; `heads` are the form's columns over the node's outputs. -/
noncomputable def columns (b b' rows w : Nat) (heads : List Column) (node : List Column) : List Column :=
  List.rec (motive := fun _ => List Column) []
    (fun c _ rest => force (fun first => force (fun second =>
        force (fun positive => force (fun negative => ⟨positive, negative⟩ :: rest) (difference b' rows w second first)) (difference b' rows w first second))
      (weigh b heads c.negative c.positive)) (weigh b heads c.positive c.negative)) node

theorem columns_cons (b b' rows w : Nat) (heads : List Column) (c : Column) (node : List Column) :
    columns b b' rows w heads (c :: node) =
      ⟨difference b' rows w (weigh b heads c.positive c.negative) (weigh b heads c.negative c.positive),
       difference b' rows w (weigh b heads c.negative c.positive) (weigh b heads c.positive c.negative)⟩ :: columns b b' rows w heads node := by
  unfold columns
  simp only [force_eq]

theorem columns_packed {b b' rows w bound limit : Nat} (hw : w + 1 ≤ b') {heads : List Column} {es : List Digits}
    (hh : Packed b' rows bound heads es) (hlim : limit < 2 ^ b) (hsize : heads.length * (limit * bound + limit * bound) < 2 ^ w) :
    (node : List Column) → (ds : List Digits) → Packed b heads.length limit node ds →
    Packed b' rows (2 ^ w) (columns b b' rows w heads node) (composedAll es ds)
  | [], [], _ => trivial
  | c :: node, d :: ds, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    have ih := columns_packed hw hh hlim hsize node ds ht
    have e1 := weigh_eq (b := b) heads es d.positive d.negative hh
      (fun k hk => ⟨Nat.le_trans (Nat.succ_le_succ (hd k hk).1) hlim, Nat.le_trans (Nat.succ_le_succ (hd k hk).2) hlim⟩)
    have e2 := weigh_eq (b := b) heads es d.negative d.positive hh
      (fun k hk => ⟨Nat.le_trans (Nat.succ_le_succ (hd k hk).2) hlim, Nat.le_trans (Nat.succ_le_succ (hd k hk).1) hlim⟩)
    rw [← hp, ← hn] at e1
    rw [← hp, ← hn] at e2
    have l1 : ∀ i, i < rows → weighted es d.positive d.negative i < 2 ^ w := fun i hi =>
      Nat.le_trans (Nat.succ_le_succ (weighted_le hi heads es _ _ hh (fun k hk => hd k hk))) hsize
    have l2 : ∀ i, i < rows → weighted es d.negative d.positive i < 2 ^ w := fun i hi =>
      Nat.le_trans (Nat.succ_le_succ (weighted_le hi heads es _ _ hh (fun k hk => ⟨(hd k hk).2, (hd k hk).1⟩))) hsize
    rw [columns_cons, e1, e2, difference_eq hw l1 l2, difference_eq hw l2 l1]
    exact ⟨⟨rfl, rfl, fun i hi => ⟨Nat.le_trans (Natural.sub_le _ _) (Natural.le_of_lt (l1 i hi)),
      Nat.le_trans (Natural.sub_le _ _) (Natural.le_of_lt (l2 i hi))⟩⟩, ih⟩
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim

/-! ### The columns of the forms that do not read the node's outputs -/

noncomputable def scale (factor : Nat) (cs : List Column) : List Column :=
  List.rec (motive := fun _ => List Column) []
    (fun c _ rest => force (fun p => force (fun n => ⟨p, n⟩ :: rest) (Nat.mul factor c.negative)) (Nat.mul factor c.positive)) cs
theorem scale_cons (factor : Nat) (c : Column) (cs : List Column) :
    scale factor (c :: cs) = ⟨factor * c.positive, factor * c.negative⟩ :: scale factor cs := by
  unfold scale
  simp only [force_eq]
  rfl
def scaled (factor : Nat) : List Digits → List Digits
  | [] => []
  | e :: es => ⟨fun i => factor * e.positive i, fun i => factor * e.negative i⟩ :: scaled factor es
theorem scale_packed {b rows bound : Nat} (factor : Nat) : (cs : List Column) → (es : List Digits) → Packed b rows bound cs es →
    Packed b rows (factor * bound) (scale factor cs) (scaled factor es) ∧ (scale factor cs).length = cs.length
  | [], [], _ => ⟨trivial, rfl⟩
  | c :: cs, e :: es, h => by
    obtain ⟨⟨hp, hn, hd⟩, ht⟩ := h
    obtain ⟨i1, i2⟩ := scale_packed factor cs es ht
    rw [scale_cons]
    refine ⟨⟨⟨?_, ?_, fun i hi => ⟨Nat.mul_le_mul Nat.le.refl (hd i hi).1, Nat.mul_le_mul Nat.le.refl (hd i hi).2⟩⟩, i1⟩, congrArg Nat.succ i2⟩
    · show factor * c.positive = _; rw [hp, ← pack_mul]
    · show factor * c.negative = _; rw [hn, ← pack_mul]
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim
theorem scaled_combination {slots : Nat → K} {i : Nat} (factor : Nat) : (es : List Digits) → (source : Nat → Nat) →
    Linear.combination slots (scaled factor es) source i = natural factor * Linear.combination slots es source i
  | [], _ => (mul_zero _).symm
  | e :: es, source => by
    show (natural (factor * e.positive i) - natural (factor * e.negative i)) * slots (source 0) + Linear.combination slots (scaled factor es) _ i = _ * (_ + _)
    rw [scaled_combination factor es, natural_mul, natural_mul, mul_add]
    have r := (ring4 K f p n x, (f * p - f * n) * x, f * ((p - n) * x)) (natural factor) (natural (e.positive i)) (natural (e.negative i)) (slots (source 0))
    rw [r]

/-! ### The decision -/

/-- The conditions on the numbers; `size` is a bound on the bits of the composed weights. -/
noncomputable def fits (s : Scale) (a : Affine) (d : Decoding) (p : Property) (d' : Decoding) (size start : Nat) (tails : List Column) : Bool :=
  both (Affine.fits s a d start) (both (Nat.beq a.positions 1) (both (Nat.beq p.forms.positions 1)
    (both (Nat.ble (s.half + s.half) (32 * p.forms.lanes)) (both (Nat.ble (size + 1) (32 * p.forms.lanes)) (both (Nat.ble a.rows p.forms.columns)
      (both (consecutive a.rows start p.forms.sources) (both (wordsBelow start tails.length (Nat.shiftRight p.forms.sources (32 * a.rows)))
        (both (Nat.ble (d.bits + 1) (32 * a.lanes)) (both (Nat.ble (a.rows * (2 ^ d.bits * 2 ^ d'.bits + 2 ^ d.bits * 2 ^ d'.bits) + 1) (2 ^ size))
          (Nat.ble (Linear.reach s (2 ^ size) a.columns + Linear.reach s (a.divisor * 2 ^ (150 - d.base) * 2 ^ d'.bits) tails.length + 1) (2 ^ s.half)))))))))))

/-- The forms with the node substituted, from the bounds of the slots before the node. -/
noncomputable def run (s : Scale) (p : Property) (d' : Decoding) (size : Nat) (a : Affine) (d : Decoding) (direct mirrored start : Nat) : Bool :=
  Option.rec (motive := fun _ => Bool) false
    (fun lanes => Option.rec (motive := fun _ => Bool) false
      (fun lanes' => both (fits s a d p d' size start (drop a.rows (Columns.flatten lanes')))
        (force (fun bounds => force (fun bounds' => force (fun mass => force (fun mass' =>
            rowsPositive s (32 * p.forms.lanes) p.strict p.forms.rows (bounds + bounds') (mass + mass'))
          (s.center * Linear.masses (scale (a.divisor * 2 ^ (150 - d.base)) (drop a.rows (Columns.flatten lanes')))))
          (s.center * Linear.masses (columns (32 * a.lanes) (32 * p.forms.lanes) p.forms.rows size (take a.rows (Columns.flatten lanes')) (Columns.flatten lanes))))
          (Linear.accumulate s.stride direct mirrored (scale (a.divisor * 2 ^ (150 - d.base)) (drop a.rows (Columns.flatten lanes'))) (Nat.shiftRight p.forms.sources (32 * a.rows))))
          (Dense.apply s.stride (32 * p.forms.lanes * p.forms.rows) direct mirrored start a.columns (columns (32 * a.lanes) (32 * p.forms.lanes) p.forms.rows size (take a.rows (Columns.flatten lanes')) (Columns.flatten lanes)) a.sources)))
      (decode p.forms d'))
    (decode a d)

theorem regroup2 (S a b c d : Nat) : a + S * b + (c + S * d) = (a + c) + S * (b + d) := by
  rw [Nat.mul_add]; simp only [Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

theorem columns_length {b b' rows w : Nat} {heads : List Column} : (node : List Column) → (columns b b' rows w heads node).length = node.length
  | [] => rfl
  | c :: node => by rw [columns_cons]; exact congrArg Nat.succ (columns_length node)

theorem run_sound {s : Scale} {slots : Nat → K} {p : Property} {d' : Decoding} {size : Nat} {a : Affine} {d : Decoding} {direct mirrored start : Nat}
    (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots start) (hn : (Node.affine a).Holds slots start)
    (h : run s p d' size a d direct mirrored start = true) : p.Holds slots := by
  unfold run at h
  cases hd : decode a d with
  | none => rw [hd] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes =>
  rw [hd] at h
  cases hd' : decode p.forms d' with
  | none => rw [hd'] at h; exact Bool.noConf_tf (Eq.symm h)
  | some lanes' =>
  rw [hd'] at h
  obtain ⟨hf, h⟩ := both_true h
  simp only [force_eq] at h
  obtain ⟨fa, hf⟩ := both_true hf
  obtain ⟨g1, hf⟩ := both_true hf
  obtain ⟨g2, hf⟩ := both_true hf
  obtain ⟨g3, hf⟩ := both_true hf
  obtain ⟨g4, hf⟩ := both_true hf
  obtain ⟨g5, hf⟩ := both_true hf
  obtain ⟨g6, hf⟩ := both_true hf
  obtain ⟨g7, hf⟩ := both_true hf
  obtain ⟨g8, hf⟩ := both_true hf
  obtain ⟨g9, g10⟩ := both_true hf
  obtain ⟨_, fa⟩ := both_true fa
  obtain ⟨f2, fa⟩ := both_true fa
  obtain ⟨f3, fa⟩ := both_true fa
  obtain ⟨f4, fa⟩ := both_true fa
  obtain ⟨_, f6⟩ := both_true fa
  have g1 := Nat.eq_of_beq_eq_true g1
  have g3 := Nat.le_of_ble_eq_true g3
  have g4 := Nat.le_of_ble_eq_true g4
  have g10 := Nat.le_of_ble_eq_true g10
  obtain ⟨alen, ds, hp, aform⟩ := Columns.decoded (K := K) (decode_sound hd)
  obtain ⟨plen, es, hp', pform⟩ := Columns.decoded (K := K) (decode_sound hd')
  obtain ⟨heads, tails, es_eq, hheads, htails, hlen, _⟩ := split_columns a.rows (Columns.flatten lanes') es hp' (by rw [plen]; exact Nat.le_of_ble_eq_true g5)
  have e_pos : 0 < a.divisor * 2 ^ (150 - d.base) :=
    Nat.mul_le_mul (a := 1) (c := 1) (Nat.le_of_ble_eq_true f4) (Natural.two_pow_pos (150 - d.base))
  generalize he : a.divisor * 2 ^ (150 - d.base) = e at *
  -- the node's rows over its sources
  have equation : ∀ k, k < a.rows → natural e * slots (start + k) = Linear.combination slots ds (word a.sources) k := fun k hk => by
    have y := hn 0 k (by rw [g1]; exact Nat.le.refl) hk
    have f := aform slots 0 k hk
    have src : (fun k => word a.sources (a.columns * 0 + k)) = word a.sources := funext fun k => by
      show word a.sources (0 + k) = _; rw [Nat.zero_add]
    rw [src] at f
    have q := Affine.equation (Nat.le_of_ble_eq_true f2) (Nat.le_of_ble_eq_true f3) y f
    rw [he] at q
    have slot : start + (k + a.rows * 0) = start + k := rfl
    rw [slot] at q; exact q
  -- the two groups of columns
  have limit_lt : 2 ^ d.bits < 2 ^ (32 * a.lanes) :=
    Nat.le_trans (Natural.mul_lt_mul_left (a := 1) (b := 2) (Natural.two_pow_pos d.bits) Nat.le.refl |> fun t => by
      rw [Natural.mul_one] at t; exact t) (Natural.two_pow_le (j := d.bits + 1) (Nat.le_of_ble_eq_true g8))
  rw [← hlen] at hp
  have packed1 := columns_packed g4 hheads limit_lt (by rw [hlen]; exact Nat.le_of_ble_eq_true g9) (Columns.flatten lanes) ds (by rw [hlen] at hp ⊢; exact hp)
  obtain ⟨packed2, len2⟩ := scale_packed e _ _ htails
  have len1 : (columns (32 * a.lanes) (32 * p.forms.lanes) p.forms.rows size (take a.rows (Columns.flatten lanes')) (Columns.flatten lanes)).length = a.columns := by
    rw [columns_length, alen]
  have below1 := wordsBelow_sound start _ _ f6
  rw [g1, Natural.mul_one] at below1
  have below2 := wordsBelow_sound start _ _ g7
  obtain ⟨lo1, hi1, a1, a2, q1⟩ := Linear.apply_columns (slots := slots) sf hm packed1 (sources := a.sources) (by rw [len1]; exact below1)
    (by rw [len1]; exact Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right _ _)) g10)
  obtain ⟨lo2, hi2, b1, b2, q2⟩ := Linear.apply_columns (slots := slots) sf hm packed2 (sources := Nat.shiftRight p.forms.sources (32 * a.rows))
    (by rw [len2]; exact below2) (by rw [len2]; exact Nat.le_trans (Nat.succ_le_succ (Nat.le_add_left _ _)) g10)
  have d1 := Dense.apply_eq (sources := a.sources) sf hm packed1 (by rw [len1]; exact Nat.le_trans (Nat.succ_le_succ (Nat.le_add_right _ _)) g10) g3
  rw [len1] at d1
  rw [d1, a1, a2, b1, b2, ← pack_add, ← pack_add] at h
  rw [pack_congr (fun i _ => regroup2 (2 ^ s.half) (lo1 i) (hi1 i) (lo2 i) (hi2 i))] at h
  have total : ∀ {x y : Nat}, x ≤ Linear.reach s (2 ^ size) a.columns → y ≤ Linear.reach s (e * 2 ^ d'.bits) (drop a.rows (Columns.flatten lanes')).length →
      x + y < 2 ^ s.half := fun hx hy => Nat.le_trans (Nat.succ_le_succ (Nat.add_le_add hx hy)) g10
  rw [len1] at q1
  rw [len2] at q2
  have half_le : 2 ^ s.half ≤ 2 ^ (32 * p.forms.lanes) := Natural.two_pow_le (Nat.le_trans (Nat.le_add_right _ _) g3)
  have signs := rowsPositive_sound g3 p.strict p.forms.rows (fun i => lo1 i + lo2 i) (fun i => hi1 i + hi2 i) _
    (fun i hi => ⟨total (q1 i hi).2.2.2.1.1 (q2 i hi).2.2.2.1.1, total (q1 i hi).2.2.2.1.2.1 (q2 i hi).2.2.2.1.2.1,
      Nat.le_trans (total (q1 i hi).2.2.2.1.2.2 (q2 i hi).2.2.2.1.2.2) half_le⟩) h
  intro row hrow
  have low1 := (q1 row hrow).2.2.2.2.1
  have low2 := (q2 row hrow).2.2.2.2.1
  rw [composed_combination] at low1
  rw [scaled_combination] at low2
  rw [blend_congr heads _ (fun k => natural e * slots (word p.forms.sources k)) (fun k hk => by
    rw [← Columns.packed_length _ _ hheads, hlen] at hk
    rw [consecutive_sound a.rows start _ g6 k hk, equation k hk]), ← mul_blend, ← combination_blend] at low1
  have hword : (word (Nat.shiftRight p.forms.sources (32 * a.rows))) = fun k => word p.forms.sources (heads.length + k) := funext fun k => by
    rw [← Columns.packed_length _ _ hheads, hlen]
    show p.forms.sources / 2 ^ (32 * a.rows) / 2 ^ (32 * k) % 2 ^ 32 = p.forms.sources / 2 ^ (32 * (a.rows + k)) % 2 ^ 32
    rw [Natural.shift_shift, Nat.mul_add]
  rw [hword] at low2
  have sum := add_le_add low1 low2
  have low : (natural (lo1 row + lo2 row) : K) ≤ natural s.unit * (natural e * Linear.combination slots es (word p.forms.sources) row) +
      natural (s.center * Linear.mass (composedAll heads ds) row + s.center * Linear.mass (scaled e tails) row) := by
    rw [natural_add, natural_add, es_eq, Columns.combination_append]
    refine le_trans sum (le_of_eq ?_)
    rw [mul_add (natural e), mul_add]
    exact (ring4 K x m y n, x + m + (y + n), x + y + (m + n)) _ _ _ _
  have sg := signed_of_bracket (K := K) sf.unit low (signs row hrow)
  have sg := signed_of_mul e_pos sg
  have m := signed_mul (Natural.two_pow_pos (d'.base - 1)) sg
  have f := pform slots 0 row hrow
  have src : (fun k => word p.forms.sources (p.forms.columns * 0 + k)) = word p.forms.sources := funext fun k => by
    show word p.forms.sources (0 + k) = _; rw [Nat.zero_add]
  rw [src] at f
  rw [f] at m
  exact m

end Compose
end PytestTorchLean
