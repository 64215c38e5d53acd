prelude
import PytestTorchLean.Check.Forward.Columns
/-!
# Forms through an affine layer

Every column of the forms is multiplied by the weights that read the values before; what the row holds besides, biases
and slots that are not among these values, lies between bounds that are the same for all parts of a box and are
prepared once. A division by a power of two follows; the constant is charged for what it drops.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-- A row's weights on the values before, and bounds of what else it holds. -/
structure Substitution where
  rows : Nat
  /-- the digits are divided by `2^shift` -/
  shift : Nat
  heads : List Column
  /-- the center times the absolute weights of `heads` -/
  mass : Nat
  /-- lower and upper bounds of the rest, and what they are offset by -/
  rest : Nat
  restMass : Nat

/-- The products of a column, before they are divided. -/
def product (s : Scale) (a : Substitution) (c : Memory) : Nat := Compose.weigh s.stride a.heads c.direct c.mirrored

/-- The forms of the rows. -/
def substitute (s : Scale) (fraction : Nat) (a : Substitution) (magnitudes : List Nat) (constant : Memory) (columns : List Memory)
    (next : Memory → List Memory → Bool) : Bool :=
  force (fun step => force (fun offset => force (fun charge => both (Nat.ble step s.center)
        (Rows.divide s (Nat.sub s.half 1) a.shift offset a.rows
          (Nat.add (Nat.add (product s a constant) a.rest) (Nat.mul (Nat.pow 2 s.half) (Nat.add charge charge))) (Nat.add (Nat.add a.mass a.restMass) charge)
          fun direct mirrored => every (fun (c : Memory) next => Rows.divide s (Nat.sub s.half 1) a.shift offset a.rows (product s a c) a.mass fun direct mirrored => next ⟨direct, mirrored⟩)
            columns (next ⟨direct, mirrored⟩)))
      (Nat.mul (Nat.mul (Nat.pow 2 a.shift) step) (ones s.stride a.rows)))
      (Nat.mul (Nat.pow 2 a.shift) s.center))
    (Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction)))

/-- `y` is what the rows say of `x`; the numbers have room. -/
def Substitution.Holds (s : Scale) (x : Nat → K) (n : Nat) (a : Substitution) (y : Nat → K) : Prop :=
  ∃ (es : List Digits) (bound limit : Nat) (low high mass : Nat → Nat), Packed s.stride a.rows bound a.heads es ∧ a.heads.length = n ∧
    a.mass = s.center * Linear.masses a.heads ∧ a.rest = pack s.stride a.rows (fun i => low i + 2 ^ s.half * high i) ∧ a.restMass = pack s.stride a.rows mass ∧
    (∀ i, i < a.rows → low i ≤ limit ∧ high i ≤ limit ∧ mass i ≤ limit ∧
      natural (low i) ≤ natural s.unit * (natural (2 ^ a.shift) * y i - Compose.blend es x i) + natural (mass i) ∧
      natural s.unit * (natural (2 ^ a.shift) * y i - Compose.blend es x i) + natural (mass i) ≤ natural (high i)) ∧
    Linear.reach s bound n + limit + 2 ^ a.shift * (s.top + s.center) + 2 ^ a.shift ≤ 2 ^ (s.half - 1)

/-! ### Soundness -/

theorem regroup (S x y l u a b : Nat) : x + S * y + (l + S * u) + S * (a + b) = (x + l) + S * (y + u + (a + b)) := by
  simp only [Nat.mul_add, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

/-- The two products of a column's digits. -/
theorem product_eq {s : Scale} {n bound : Nat} {a : Substitution} {es : List Digits} (sf : s.Fits) (hp : Packed s.stride a.rows bound a.heads es) (hn : a.heads.length = n)
    {c : Memory} {b : Band} (hc : Holds s n c b) :
    product s a c = pack s.stride a.rows (fun i => Compose.weighted es b.lower (fun j => s.top - b.upper j) i + 2 ^ s.half * Compose.weighted es b.upper (fun j => s.top - b.lower j) i) := by
  subst hn
  have small : ∀ {x : Nat}, x ≤ s.top → x < 2 ^ s.half := fun h => Natural.lt_of_le_of_lt h sf.half
  unfold product
  rw [hc.1, hc.2.1]
  refine (Compose.weigh_eq (b := s.stride) a.heads es (fun i => Memory.directWord s (b.lower i) (b.upper i)) (fun i => Memory.mirroredWord s (b.lower i) (b.upper i)) hp
    (fun k hk => ⟨Memory.halves_lt (small (hc.2.2 k hk).1) (small (hc.2.2 k hk).2), Memory.halves_lt (small (Natural.sub_le _ _)) (small (Natural.sub_le _ _))⟩)).trans ?_
  refine pack_congr fun i _ => ?_
  have split : (es : List Digits) → (l u m v : Nat → Nat) → Compose.weighted es (fun k => l k + 2 ^ s.half * u k) (fun k => m k + 2 ^ s.half * v k) i =
      Compose.weighted es l m i + 2 ^ s.half * Compose.weighted es u v i := fun es => by
    induction es with
    | nil => intro _ _ _ _; rfl
    | cons e es ih =>
      intro l u m v
      show (l 0 + 2 ^ s.half * u 0) * e.positive i + (m 0 + 2 ^ s.half * v 0) * e.negative i + Compose.weighted es _ _ i = _
      rw [ih (fun k => l (k + 1)) (fun k => u (k + 1)) (fun k => m (k + 1)) (fun k => v (k + 1))]
      exact Linear.regroup _ _ _ _ _ _ _ _ _
  exact split es b.lower b.upper (fun j => s.top - b.upper j) (fun j => s.top - b.lower j)

theorem weighted_reach {s : Scale} {rows bound i : Nat} (hi : i < rows) {f g : Nat → Nat} (cs : List Column) (es : List Digits) (hp : Packed s.stride rows bound cs es)
    (h : ∀ k, k < cs.length → f k ≤ s.top ∧ g k ≤ s.top) : Compose.weighted es f g i ≤ Linear.reach s bound cs.length := Compose.weighted_le hi cs es f g hp h

/-- Dividing, rounded down and up, and what it drops. -/
theorem divided {low high offset mass k c : Nat} (ho : offset = 2 ^ k * c) (h1 : mass ≤ low + offset) (h2 : mass ≤ high + (offset + (2 ^ k - 1))) :
    (natural (2 ^ k) * ((natural ((low + offset - mass) / 2 ^ k) : K) - natural c) ≤ natural low - natural mass ∧
      natural low - natural mass ≤ natural (2 ^ k) * ((natural ((low + offset - mass) / 2 ^ k) : K) - natural c) + natural (2 ^ k)) ∧
    (natural high - natural mass ≤ natural (2 ^ k) * ((natural ((high + (offset + (2 ^ k - 1)) - mass) / 2 ^ k) : K) - natural c) ∧
      natural (2 ^ k) * ((natural ((high + (offset + (2 ^ k - 1)) - mass) / 2 ^ k) : K) - natural c) ≤ natural high - natural mass + natural (2 ^ k)) := by
  have pos := Natural.two_pow_pos k
  have last := natural_le (K := K) (Natural.sub_le (2 ^ k) 1)
  have l1 := natural_le (K := K) (Rows.mul_div_le (low + offset - mass) (2 ^ k) pos)
  have l2 := natural_le (K := K) (Rows.lt_mul_div (low + offset - mass) (2 ^ k) pos)
  have u1 := natural_le (K := K) (Rows.mul_div_le (high + (offset + (2 ^ k - 1)) - mass) (2 ^ k) pos)
  have u2 := natural_le (K := K) (Rows.lt_mul_div (high + (offset + (2 ^ k - 1)) - mass) (2 ^ k) pos)
  rw [natural_mul, Linear.natural_sub h1, natural_add] at l1
  rw [natural_add _ (2 ^ k - 1), natural_mul, Linear.natural_sub h1, natural_add low] at l2
  rw [natural_mul, Linear.natural_sub h2, natural_add, natural_add offset] at u1
  rw [natural_add (2 ^ k * _) (2 ^ k - 1), natural_mul, Linear.natural_sub h2, natural_add high, natural_add offset] at u2
  have o : (natural offset : K) = natural (2 ^ k) * natural c := by rw [ho, natural_mul]
  rw [o] at l1 l2 u1 u2
  generalize (natural ((low + offset - mass) / 2 ^ k) : K) = x at *
  generalize (natural ((high + (offset + (2 ^ k - 1)) - mass) / 2 ^ k) : K) = y at *
  generalize (natural (2 ^ k - 1) : K) = d at *
  generalize (natural (2 ^ k) : K) = q at *
  refine ⟨⟨?_, ?_⟩, ?_, ?_⟩
  · exact le_cert ((ring5 K q x c l m, l - m - q * (x - c), l + q * c - m - q * x) _ _ _ _ _) (sub_nonneg l1)
  · refine le_cert ?_ (add_nonneg (sub_nonneg l2) (sub_nonneg last))
    exact (ring8 K q x c l m d v w, q * (x - c) + q - (l - m), (q * x + d - (l + q * c - m)) + (q - d)) q x (natural c) (natural low) (natural mass) d 0 0
  · refine le_cert ?_ (sub_nonneg u2)
    exact (ring8 K q x c l m d v w, q * (x - c) - (l - m), q * x + d - (l + (q * c + d) - m)) q y (natural c) (natural high) (natural mass) d 0 0
  · refine le_cert ?_ (add_nonneg (sub_nonneg u1) (sub_nonneg last))
    exact (ring8 K q x c l m d v w, l - m + q - q * (x - c), (l + (q * c + d) - m - q * x) + (q - d)) q y (natural c) (natural high) (natural mass) d 0 0

theorem carried_lower {e T S L L' c p r y : K} {k : Nat} (he : natural (2 ^ k) = e) (hT : 0 ≤ T) (constant : e * c ≤ p - e * r) (sum : AtMost (e * L' - L) (e * S))
    (enough : S ≤ T * r) (bound : p * T + L ≤ e * y) : c * T + L' ≤ y := by
  refine cancel_natural (K := K) (Natural.two_pow_pos k) ?_
  rw [he]
  have e0 : 0 ≤ e := by rw [← he]; exact natural_nonneg _
  refine le_trans ?_ bound
  have t1 := mul_nonneg hT (sub_nonneg constant)
  have t2 := sub_nonneg sum.1
  have t3 := mul_nonneg e0 (sub_nonneg enough)
  refine le_cert ?_ (add_nonneg t1 (add_nonneg t2 t3))
  exact (ring8 K e T S l m c p r, p * T + l - e * (c * T + m), T * (p - e * r - e * c) + (e * S - (e * m - l) + e * (T * r - S))) _ _ _ _ _ _ _ _
theorem carried_upper {e T S U U' c p r y : K} {k : Nat} (he : natural (2 ^ k) = e) (hT : 0 ≤ T) (constant : p + e * r ≤ e * c) (sum : AtMost (e * U' - U) (e * S))
    (enough : S ≤ T * r) (bound : e * y ≤ p * T + U) : y ≤ c * T + U' := by
  refine cancel_natural (K := K) (Natural.two_pow_pos k) ?_
  rw [he]
  have e0 : 0 ≤ e := by rw [← he]; exact natural_nonneg _
  refine le_trans bound ?_
  have t1 := mul_nonneg hT (sub_nonneg constant)
  have t2 := sub_nonneg sum.2
  have t3 := mul_nonneg e0 (sub_nonneg enough)
  refine le_cert ?_ (add_nonneg t1 (add_nonneg t2 t3))
  exact (ring8 K e T S l m c p r, e * (c * T + m) - (p * T + l), T * (e * c - (p + e * r)) + (e * S - -(e * m - l) + e * (T * r - S))) _ _ _ _ _ _ _ _

/-- What the products of all columns say of a row. -/
theorem products_bound {s : Scale} {n point i : Nat} {x : Nat → K} {es : List Digits} {band : Band} {bands : List Band} {deviations : List K} (hes : es.length = n)
    (top : ∀ j, j < n → band.lower j ≤ s.top ∧ band.upper j ≤ s.top) (tops : Every (fun b => ∀ j, j < n → b.lower j ≤ s.top ∧ b.upper j ≤ s.top) bands)
    (forms : ∀ j, j < n → below s point band bands deviations j ≤ natural point * (natural s.unit * x j) ∧ natural point * (natural s.unit * x j) ≤ above s point band bands deviations j) :
    (natural (Compose.weighted es band.lower (fun j => s.top - band.upper j) i) - natural (s.center * Linear.mass es i)) * natural point +
        combined (fun b => natural (Compose.weighted es b.lower (fun j => s.top - b.upper j) i) - natural (s.center * Linear.mass es i)) bands deviations ≤
      natural point * (natural s.unit * Compose.blend es x i) ∧
    natural point * (natural s.unit * Compose.blend es x i) ≤
      (natural (Compose.weighted es band.upper (fun j => s.top - band.lower j) i) - natural (s.center * Linear.mass es i)) * natural point +
        combined (fun b => natural (Compose.weighted es b.upper (fun j => s.top - b.lower j) i) - natural (s.center * Linear.mass es i)) bands deviations := by
  have lows : combined (fun b => (natural (Compose.weighted es b.lower (fun j => s.top - b.upper j) i) : K) - natural (s.center * Linear.mass es i)) (band :: bands) (natural point :: deviations) =
      combined (fun b => spread es (fun j => natural (b.lower j) - natural s.center) (fun j => natural (b.upper j) - natural s.center) i) (band :: bands) (natural point :: deviations) :=
    combined_same _ _ ⟨spread_digits es band.lower band.upper (fun j hj => (top j (by rw [← hes]; exact hj)).2),
      every_imp (fun b hb => spread_digits es b.lower b.upper (fun j hj => (hb j (by rw [← hes]; exact hj)).2)) bands tops⟩
  have highs : combined (fun b => (natural (Compose.weighted es b.upper (fun j => s.top - b.lower j) i) : K) - natural (s.center * Linear.mass es i)) (band :: bands) (natural point :: deviations) =
      combined (fun b => spread es (fun j => natural (b.upper j) - natural s.center) (fun j => natural (b.lower j) - natural s.center) i) (band :: bands) (natural point :: deviations) :=
    combined_same _ _ ⟨spread_digits es band.upper band.lower (fun j hj => (top j (by rw [← hes]; exact hj)).1),
      every_imp (fun b hb => spread_digits es b.upper b.lower (fun j hj => (hb j (by rw [← hes]; exact hj)).1)) bands tops⟩
  rw [spread_all (fun b j => natural (b.lower j) - natural s.center) (fun b j => natural (b.upper j) - natural s.center)] at lows
  rw [spread_all (fun b j => natural (b.upper j) - natural s.center) (fun b j => natural (b.lower j) - natural s.center)] at highs
  have z := spread_le (i := i) es (below s point band bands deviations) (fun j => natural point * (natural s.unit * x j)) (above s point band bands deviations)
    (fun j hj => forms j (by rw [← hes]; exact hj))
  rw [← Compose.mul_blend, ← Compose.mul_blend] at z
  exact ⟨le_trans (le_of_eq lows) z.1, le_trans z.2 (le_of_eq highs.symm)⟩

theorem substitute_sound {s : Scale} {fraction n : Nat} {a : Substitution} {magnitudes : List Nat} {deviations : List K} {x y : Nat → K} {constant : Memory} {columns : List Memory}
    {next : Memory → List Memory → Bool} (sf : s.Fits) (half : 1 ≤ s.half) (top : s.top < 2 ^ (s.half - 1)) (ha : a.Holds s x n y)
    (hx : Enclosed s (2 ^ fraction) n magnitudes deviations x constant columns)
    (h : substitute s fraction a magnitudes constant columns next = true) :
    ∃ constant' columns', Enclosed s (2 ^ fraction) a.rows magnitudes deviations y constant' columns' ∧ next constant' columns' = true := by
  obtain ⟨es, bound, limit, tl, th, tm, hp, hn, e_mass, e_rest, e_restMass, rest, room⟩ := ha
  obtain ⟨⟨band, bands, hc, hb, forms⟩, small⟩ := hx
  unfold substitute at h
  simp only [force_eq] at h
  obtain ⟨hstep, h⟩ := both_true h
  have hstep := Nat.le_of_ble_eq_true hstep
  have enough : (natural (totalOf magnitudes) : K) ≤ natural (2 ^ fraction) * natural (Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction))) := by
    rw [← natural_mul, total_eq]
    refine natural_le ?_
    refine Nat.le_trans (Rows.lt_mul_div _ (2 ^ fraction) (Natural.two_pow_pos fraction)) ?_
    show _ ≤ 2 ^ fraction * (_ + 1)
    rw [Nat.mul_succ]
    exact Nat.add_le_add Nat.le.refl (Natural.sub_le _ 1)
  generalize Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction)) = step at *
  have stride : 0 < s.stride := Nat.le_trans half (Nat.le_add_right _ _)
  have es_len : es.length = n := by rw [← Columns.packed_length _ _ hp, hn]
  have guard : s.half - 1 + 1 = s.half := Natural.succ_pred half
  -- room for all digits
  have charge_le : 2 ^ a.shift * step ≤ 2 ^ a.shift * s.center := Nat.mul_le_mul Nat.le.refl hstep
  generalize hq : 2 ^ a.shift = q at *
  have qk : Nat.pow 2 a.shift = q := hq
  rw [qk] at h
  have room' : Linear.reach s bound n + limit + (q * s.center + q * s.center) + q * s.center + q ≤ 2 ^ (s.half - 1) := by
    refine Nat.le_trans (Natural.le_of_eq ?_) room
    show _ = _ + limit + q * (s.center + s.center + s.center) + q
    simp only [Nat.mul_add, Nat.add_assoc]
  have shift_le : a.shift ≤ s.half - 1 := by
    cases Natural.le_or_lt a.shift (s.half - 1) with
    | inl g => exact g
    | inr g =>
      have z : 2 ^ (s.half - 1) < q := by
        rw [← hq]
        refine Natural.lt_of_lt_of_le ?_ (Natural.two_pow_le g)
        rw [Natural.pow_succ, Natural.two_mul]
        exact Nat.add_le_add (Nat.le.refl (n := 2 ^ (s.half - 1))) (Natural.two_pow_pos _)
      exact absurd (Nat.le_trans (Nat.le_add_left _ _) room') (Nat.not_le_of_lt z)
  have fit : ∀ t : Nat, t ≤ limit + (q * s.center + q * s.center) → Linear.reach s bound n + t + q * s.center + 2 ^ a.shift ≤ 2 ^ (s.half - 1) := fun t ht => by
    rw [hq]
    refine Nat.le_trans (Nat.add_le_add (Nat.add_le_add (Nat.add_le_add Nat.le.refl ht) Nat.le.refl) Nat.le.refl) (Nat.le_trans (Natural.le_of_eq ?_) room')
    simp only [Nat.add_assoc]
  have weighs : ∀ b : Band, (∀ j, j < n → b.lower j ≤ s.top ∧ b.upper j ≤ s.top) → ∀ i, i < a.rows →
      Compose.weighted es b.lower (fun j => s.top - b.upper j) i ≤ Linear.reach s bound n ∧ Compose.weighted es b.upper (fun j => s.top - b.lower j) i ≤ Linear.reach s bound n := fun b hb i hi => by
    have z1 := weighted_reach hi a.heads es hp (f := b.lower) (g := fun j => s.top - b.upper j) (fun k hk => ⟨(hb k (by rw [← hn]; exact hk)).1, Natural.sub_le _ _⟩)
    have z2 := weighted_reach hi a.heads es hp (f := b.upper) (g := fun j => s.top - b.lower j) (fun k hk => ⟨(hb k (by rw [← hn]; exact hk)).2, Natural.sub_le _ _⟩)
    rw [hn] at z1 z2
    exact ⟨z1, z2⟩
  have masses : ∀ i, i < a.rows → s.center * Linear.mass es i ≤ Linear.reach s bound n := fun i hi => by
    have m := weighted_reach (s := s) hi a.heads es hp (f := fun _ => s.center) (g := fun _ => s.center) (fun _ _ => ⟨Nat.le_add_right _ _, Nat.le_add_right _ _⟩)
    rw [hn] at m
    refine Nat.le_trans (Natural.le_of_eq ?_) m
    have w : (es : List Digits) → s.center * Linear.mass es i = Compose.weighted es (fun _ => s.center) (fun _ => s.center) i := fun es => by
      induction es with
      | nil => exact Nat.mul_zero _
      | cons e es ih =>
        show s.center * (e.positive i + e.negative i + Linear.mass es i) = s.center * e.positive i + s.center * e.negative i + Compose.weighted es _ _ i
        rw [Nat.mul_add, Nat.mul_add, ih]
    exact w es
  have e_mass : a.mass = pack s.stride a.rows (fun i => s.center * Linear.mass es i) := by
    rw [e_mass, Linear.masses_eq _ _ hp, ← pack_mul]
  have offset_eq : Nat.mul q s.center = q * s.center := rfl
  -- the constant
  have charge_eq : Nat.mul (Nat.mul q step) (ones s.stride a.rows) = pack s.stride a.rows (fun _ => q * step) := mul_ones stride a.rows (q * step)
  have bounds_eq : Nat.add (Nat.add (product s a constant) a.rest) (Nat.mul (Nat.pow 2 s.half) (Nat.add (pack s.stride a.rows (fun _ => q * step)) (pack s.stride a.rows (fun _ => q * step)))) =
      pack s.stride a.rows (fun i => (Compose.weighted es band.lower (fun j => s.top - band.upper j) i + tl i) + 2 ^ s.half *
        (Compose.weighted es band.upper (fun j => s.top - band.lower j) i + th i + (q * step + q * step))) := by
    rw [product_eq sf hp hn hc, e_rest]
    show pack s.stride a.rows _ + pack s.stride a.rows _ + 2 ^ s.half * (pack s.stride a.rows _ + pack s.stride a.rows _) = _
    rw [← pack_add, ← pack_add, ← pack_mul, ← pack_add]
    exact pack_congr fun i _ => regroup _ _ _ _ _ _ _
  have mass_eq : Nat.add (Nat.add a.mass a.restMass) (pack s.stride a.rows (fun _ => q * step)) = pack s.stride a.rows (fun i => s.center * Linear.mass es i + tm i + q * step) := by
    rw [e_mass, e_restMass]
    show pack s.stride a.rows _ + pack s.stride a.rows _ + pack s.stride a.rows _ = _
    rw [← pack_add, ← pack_add]
  rw [charge_eq, bounds_eq, mass_eq] at h
  have both_charges : q * step + q * step ≤ q * s.center + q * s.center := Nat.add_le_add charge_le charge_le
  have wide : ∀ i, i < a.rows → Compose.weighted es band.lower (fun j => s.top - band.upper j) i + tl i ≤ Linear.reach s bound n + (limit + (q * s.center + q * s.center)) ∧
      Compose.weighted es band.upper (fun j => s.top - band.lower j) i + th i + (q * step + q * step) ≤ Linear.reach s bound n + (limit + (q * s.center + q * s.center)) ∧
      s.center * Linear.mass es i + tm i + q * step ≤ Linear.reach s bound n + (limit + (q * s.center + q * s.center)) := fun i hi => by
    obtain ⟨w1, w2⟩ := weighs band hc.2.2 i hi
    obtain ⟨r1, r2, r3, _, _⟩ := rest i hi
    refine ⟨Nat.add_le_add w1 (Nat.le_trans r1 (Nat.le_add_right _ _)), ?_, ?_⟩
    · rw [Nat.add_assoc]; exact Nat.add_le_add w2 (Nat.add_le_add r2 both_charges)
    · rw [Nat.add_assoc]; exact Nat.add_le_add (masses i hi) (Nat.add_le_add r3 (Nat.le_trans (Nat.le_add_right _ _) both_charges))
  have room1 := fit _ Nat.le.refl
  obtain ⟨c1, h⟩ := Rows.divide_digits (s := s) (w := s.half - 1) (k := a.shift) (offset := q * s.center) (n := a.rows) guard shift_le top room1 wide h
  -- the deviations
  have room2 := fit 0 (Nat.zero_le _)
  obtain ⟨columns', k2, k3, h⟩ := every_sound (r := Holds s n) (r' := Holds s a.rows)
    (p := fun b => ∀ i, i < a.rows → s.center * Linear.mass es i ≤ Compose.weighted es b.lower (fun j => s.top - b.upper j) i + q * s.center ∧
      s.center * Linear.mass es i ≤ Compose.weighted es b.upper (fun j => s.top - b.lower j) i + (q * s.center + (2 ^ a.shift - 1)))
    (step := fun b => ⟨fun i => (Compose.weighted es b.lower (fun j => s.top - b.upper j) i + q * s.center - s.center * Linear.mass es i) / 2 ^ a.shift,
      fun i => (Compose.weighted es b.upper (fun j => s.top - b.lower j) i + (q * s.center + (2 ^ a.shift - 1)) - s.center * Linear.mass es i) / 2 ^ a.shift⟩) (fun c b next hx h => by
      rw [product_eq sf hp hn hx, e_mass] at h
      obtain ⟨c2, h⟩ := Rows.divide_digits (s := s) (w := s.half - 1) (k := a.shift) (offset := q * s.center) (n := a.rows) (limit := Linear.reach s bound n + 0) guard shift_le top room2
        (fun i hi => ⟨(weighs b hx.2.2 i hi).1, (weighs b hx.2.2 i hi).2, masses i hi⟩) h
      exact ⟨_, ⟨rfl, rfl, fun i hi => ⟨(c2 i hi).2.2.1, (c2 i hi).2.2.2⟩⟩, fun i hi => ⟨(c2 i hi).1, (c2 i hi).2.1⟩, h⟩)
    columns bands _ hb h
  refine ⟨_, columns', ⟨⟨⟨_, _⟩, _, ⟨rfl, rfl, fun i hi => ⟨(c1 i hi).2.2.1, (c1 i hi).2.2.2⟩⟩, k2, fun i hi => ?_⟩, small⟩, h⟩
  have T0 := natural_nonneg (K := K) (2 ^ fraction)
  obtain ⟨b1, b2⟩ := products_bound (i := i) es_len hc.2.2 (Paired.every (fun _ _ hb => hb.2.2) columns bands hb) forms
  obtain ⟨_, _, _, s1, s2⟩ := rest i hi
  obtain ⟨d1, d2⟩ := divided (K := K) (c := s.center) (k := a.shift) (by rw [hq]) (c1 i hi).1 (c1 i hi).2.1
  rw [natural_add _ (tl i), natural_add _ (q * step), natural_add _ (tm i), natural_mul q step] at d1
  rw [natural_add _ (q * step + q * step), natural_add (q * step), natural_add _ (th i), natural_add _ (q * step), natural_add _ (tm i), natural_mul q step] at d2
  have hq' : (natural (2 ^ a.shift) : K) = natural q := by rw [hq]
  have near : ∀ b : Band, (∀ i, i < a.rows → s.center * Linear.mass es i ≤ Compose.weighted es b.lower (fun j => s.top - b.upper j) i + q * s.center ∧
      s.center * Linear.mass es i ≤ Compose.weighted es b.upper (fun j => s.top - b.lower j) i + (q * s.center + (2 ^ a.shift - 1))) →
      AtMost (natural q * ((natural ((Compose.weighted es b.lower (fun j => s.top - b.upper j) i + q * s.center - s.center * Linear.mass es i) / 2 ^ a.shift) : K) - natural s.center) -
        (natural (Compose.weighted es b.lower (fun j => s.top - b.upper j) i) - natural (s.center * Linear.mass es i))) (natural q) ∧
      AtMost (natural q * ((natural ((Compose.weighted es b.upper (fun j => s.top - b.lower j) i + (q * s.center + (2 ^ a.shift - 1)) - s.center * Linear.mass es i) / 2 ^ a.shift) : K) - natural s.center) -
        (natural (Compose.weighted es b.upper (fun j => s.top - b.lower j) i) - natural (s.center * Linear.mass es i))) (natural q) := fun b hb => by
    obtain ⟨⟨l1, l2⟩, u1, u2⟩ := divided (K := K) (c := s.center) (k := a.shift) (by rw [hq]) (hb i hi).1 (hb i hi).2
    have q0 := natural_nonneg (K := K) q
    rw [hq'] at l1 l2 u1 u2
    exact ⟨⟨le_cert ((ring3 K x y q, q - (x - y), (y - x) + q) _ _ _) (add_nonneg (sub_nonneg l1) q0), le_cert ((ring3 K x y q, q - -(x - y), x + q - y) _ _ _) (sub_nonneg l2)⟩,
      le_cert ((ring3 K x y q, q - (x - y), y + q - x) _ _ _) (sub_nonneg u2), le_cert ((ring3 K x y q, q - -(x - y), (x - y) + q) _ _ _) (add_nonneg (sub_nonneg u1) q0)⟩
  have sumL := combined_near small (every_imp (fun b hb => (near b hb).1) bands k3)
  have sumU := combined_near small (every_imp (fun b hb => (near b hb).2) bands k3)
  rw [combined_scale, natural_mul q (totalOf magnitudes)] at sumL sumU
  rw [hq'] at d1 d2
  constructor
  · unfold below
    rw [combined_mapped]
    refine carried_lower (k := a.shift) (p := natural (Compose.weighted es band.lower (fun j => s.top - band.upper j) i) + natural (tl i) - (natural (s.center * Linear.mass es i) + natural (tm i)))
      hq' T0 (le_trans d1.1 (le_of_eq ?_)) sumL enough ?_
    · exact (ring5 K w t m u v, w + t - (m + u + v), w + t - (m + u) - v) _ _ _ _ _
    · have z := add_nonneg (sub_nonneg b1) (mul_nonneg T0 (sub_nonneg s1))
      refine le_cert ?_ z
      generalize combined _ bands deviations = l
      exact (ring8 K w t m u T l v e, e - ((w + t - (m + u)) * T + l), (v - ((w - m) * T + l)) + (T * (0 + u - t) + e - v)) _ _ _ _ _ l (natural (2 ^ fraction) * (natural s.unit * Compose.blend es x i)) _ |> fun t => by
        rw [t]
        refine congrArg (HAdd.hAdd _) ?_
        exact (ring8 K T u t q y v b w, T * (0 + t - b) + q * (T * (u * y)) - T * (u * v), T * (u * (q * y - v) + t - b)) (natural (2 ^ fraction)) (natural s.unit) (natural (tm i)) (natural q) (y i) (Compose.blend es x i) (natural (tl i)) 0
  · unfold above
    rw [combined_mapped]
    refine carried_upper (k := a.shift) (p := natural (Compose.weighted es band.upper (fun j => s.top - band.lower j) i) + natural (th i) - (natural (s.center * Linear.mass es i) + natural (tm i)))
      hq' T0 (le_trans (le_of_eq ?_) d2.1) sumU enough ?_
    · exact (ring5 K w t m u v, w + t - (m + u) + v, w + t + (v + v) - (m + u + v)) _ _ _ _ _
    · have z := add_nonneg (sub_nonneg b2) (mul_nonneg T0 (sub_nonneg s2))
      refine le_cert ?_ z
      generalize combined _ bands deviations = l
      exact (ring8 K w t m u T l v e, (w + t - (m + u)) * T + l - e, ((w - m) * T + l - v) + (T * (t - (0 + u)) + v - e)) _ _ _ _ _ l (natural (2 ^ fraction) * (natural s.unit * Compose.blend es x i)) _ |> fun t => by
        rw [t]
        refine congrArg (HAdd.hAdd _) ?_
        exact (ring8 K T u t q y v b w, T * (b - (0 + t)) + T * (u * v) - q * (T * (u * y)), T * (b - (u * (q * y - v) + t))) (natural (2 ^ fraction)) (natural s.unit) (natural (tm i)) (natural q) (y i) (Compose.blend es x i) (natural (th i)) 0

end Forward
end PytestTorchLean
