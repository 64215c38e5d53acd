prelude
import PytestTorchLean.Check.Forward.CompiledWeights
import PytestTorchLean.Check.Forward.Symbols
/-!
# The property from the forms of the last layer, and all layers together

The rows of the property over the values before the last affine layer are products as in any affine layer.
Their lower forms are bounded by the magnitudes of the deviations.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-- What the rows are at least on the whole part, offset: `next` gets the numbers of their bounds and of their
    offsets. -/
def finishWith (s : Scale) (fraction : Nat) (a : Substitution) (magnitudes : List Nat) (constant : Memory)
    (columns : List Memory) (next : Nat → Nat → Bool) : Bool :=
  force (fun reach => both (Nat.ble (total magnitudes) (Nat.pow 2 (Nat.sub s.half 1)))
      (next (Nat.add (a.product constant) a.rest) (Nat.add (Nat.add a.mass a.restMass) reach)))
    (Nat.add (Decode.field fraction (Nat.sub s.stride fraction)
        (radiusOf
            (fun c : Memory => distances s.stride a.rows s.half (lowers s a.rows (a.product c)) a.mass)
            columns magnitudes) (ones s.stride a.rows))
      (ones s.stride a.rows))
/-- Of every clause a row whose lower form is positive (`strict`), or not negative, on the whole part. -/
def finish (s : Scale) (fraction : Nat) (strict : Bool) (alternatives : Nat) (a : Substitution)
    (magnitudes : List Nat) (constant : Memory) (columns : List Memory) : Bool :=
  finishWith s fraction a magnitudes constant columns (clausesPositive s s.stride strict alternatives a.rows)

theorem apart_atMost (x y : Nat) : AtMost ((natural x : K) - natural y) (natural (apart x y)) := by
  unfold apart
  rw [natural_add]
  have u1 := Rows.sub_ge (K := K) x y
  have u2 := Rows.sub_ge (K := K) y x
  have n1 := natural_nonneg (K := K) (x - y)
  have n2 := natural_nonneg (K := K) (y - x)
  exact ⟨le_cert ((ring4 K u c a b, a + b - (u - c), (a - (u - c)) + b) _ _ _ _)
      (add_nonneg (sub_nonneg u1) n2), le_cert
      ((ring4 K u c a b, a + b - -(u - c), (b - (c - u)) + a) _ _ _ _) (add_nonneg (sub_nonneg u2) n1)⟩

theorem finishWith_sound {inside : Nat → Prop} {s : Scale} {fraction n : Nat} {a : Substitution}
    {magnitudes : List Nat} {deviations : List K} {x z : Nat → K} {constant : Memory} {columns : List Memory}
    {next : Nat → Nat → Bool}
    (sf : s.Fits)
    (half : 1 ≤ s.half)
    (places : fraction ≤ s.stride)
    (ha : a.HoldsOn inside s x n z)
    (whole : a.shift = 0)
    (hx : EnclosedOn inside s (2 ^ fraction) n magnitudes deviations x constant columns)
    (h : finishWith s fraction a magnitudes constant columns next = true) :
    ∃ low high mass : Nat → Nat, (∀ i,
          i < a.rows → low i < 2 ^ s.half ∧ high i < 2 ^ s.half ∧ mass i < 2 ^ s.stride) ∧
      (∀ strict i, i < a.rows → inside i → Exceeds strict (mass i) (low i) → Signed strict (z i)) ∧
      next (pack s.stride a.rows (fun i => low i + 2 ^ s.half * high i)) (pack s.stride a.rows mass) =
        true := by
  obtain
    ⟨es, reach, limit, tl, th, tm, place, line, hprod, seat, reaches, e_mass, e_rest, e_restMass, rest, room⟩
    := ha
  obtain ⟨⟨band, bands, hc, hb, forms⟩, small⟩ := hx
  unfold finishWith at h
  rw [force_eq] at h
  obtain ⟨ht, h⟩ := both_true h
  have ht := Nat.le_of_ble_eq_true ht
  rw [total_eq] at ht
  have ht : totalOf magnitudes ≤ 2 ^ (s.half - 1) := ht
  have stride : 0 < s.stride := Nat.le_trans half (Nat.le_add_right _ _)
  have room : reach + limit ≤ 2 ^ (s.half - 1) :=
    Nat.le_trans (Nat.le_add_right _ _) (Nat.le_trans (Nat.le_add_right _ _) room)
  have guard : s.half - 1 + 1 = s.half := Natural.succ_pred half
  have under : 2 ^ (s.half - 1) < 2 ^ s.half := by
    have e : 2 ^ s.half = 2 ^ (s.half - 1 + 1) := by rw [guard]
    rw [e, Natural.pow_succ, Natural.two_mul]
    exact Nat.add_le_add (Nat.le.refl (n := 2 ^ (s.half - 1))) (Natural.two_pow_pos _)
  have lt : ∀ {y : Nat}, y ≤ reach + limit → y < 2 ^ s.half :=
    fun hy => Natural.lt_of_le_of_lt (Nat.le_trans hy room) under
  have weighs : ∀ b : Band, (∀ j, j < n → b.lower j ≤ s.top ∧ b.upper j ≤ s.top) → ∀ i, i < a.rows →
      Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j) (line i) ≤
        reach ∧
          Compose.weighted es (seen place i b).upper (fun j => s.top - (seen place i b).lower j) (line i) ≤
              reach :=
          fun b hb i hi =>
    ⟨reaches i hi _ _ (fun j hj => ⟨(hb _ (seat i hi j hj).1).1, Natural.sub_le _ _⟩),
      reaches i hi _ _ (fun j hj => ⟨(hb _ (seat i hi j hj).1).2, Natural.sub_le _ _⟩)⟩
  have masses : ∀ i, i < a.rows → s.center * Linear.mass es (line i) ≤ reach := fun i hi => by
    have m := reaches i hi (fun _ => s.center) (fun _ => s.center)
      (fun _ _ => ⟨Nat.le_add_right _ _, Nat.le_add_right _ _⟩)
    rw [mass_weighted] at m; exact m
  -- the radii
  have each :
    ∀ c b, Holds s n c b → distances s.stride a.rows s.half (lowers s a.rows (a.product c)) a.mass =
      pack s.stride a.rows (fun i =>
            apart (Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j)
                (line i)) (s.center * Linear.mass es (line i)))
          := fun c b hc => by
    rw [hprod _ _ hc, e_mass, lowers_eq half
        (fun i hi => lt (Nat.le_trans (weighs b hc.2.2 i hi).1 (Nat.le_add_right _ _)))
        (fun i hi => lt (Nat.le_trans (weighs b hc.2.2 i hi).2 (Nat.le_add_right _ _)))]
    exact distances_eq (Nat.add_le_add Nat.le.refl half)
      (fun i hi => lt (Nat.le_trans (weighs b hc.2.2 i hi).1 (Nat.le_add_right _ _)))
      (fun i hi => lt (Nat.le_trans (masses i hi) (Nat.le_add_right _ _)))
  rw [radiusOf_eq (g := fun b i =>
        apart
          (Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j) (line i))
          (s.center * Linear.mass es (line i))) each
      columns bands magnitudes hb] at h
  have squares : 2 ^ (s.half - 1) * 2 ^ (s.half - 1) + (2 ^ (s.half - 1) + 1) < 2 ^ s.stride := by
    have e : 2 ^ s.stride = 2 ^ (s.half - 1 + 1) * 2 ^ (s.half - 1 + 1) := by
      rw [guard, ← Natural.pow_add]
      rfl
    rw [e, Natural.pow_succ]
    generalize hy : 2 ^ (s.half - 1) = y
    have pos : 1 ≤ y := by rw [← hy]; exact Natural.two_pow_pos _
    have sq : y ≤ y * y :=
      Nat.le_trans (Natural.le_of_eq (Natural.mul_one y).symm) (Nat.mul_le_mul (Nat.le.refl (n := y)) pos)
    have four : 2 * y * (2 * y) = y * y + (y * y + (y * y + y * y)) := by
      rw [Natural.two_mul, Nat.mul_add, Nat.add_mul]
      simp only [Nat.add_assoc]
    rw [four]
    show y * y + (y + (1 + 1)) ≤ _
    exact Nat.add_le_add (Nat.le.refl (n := y * y))
      (Nat.add_le_add sq (Nat.add_le_add (Nat.le_trans pos sq) (Nat.le_trans pos sq)))
  have bounded : ∀ i, i < a.rows →
    reachOf (fun b =>
        apart
          (Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j) (line i))
          (s.center * Linear.mass es (line i)))
      bands magnitudes ≤
      2 ^ (s.half - 1) * 2 ^ (s.half - 1) := fun i hi => by
    have le := reachOf_le (g := fun b =>
        apart
          (Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j) (line i))
          (s.center * Linear.mass es (line i)))
      (c := 2 ^ (s.half - 1)) bands magnitudes
      (Paired.every (fun _ b hb => apart_le
          (Nat.le_trans (weighs b hb.2.2 i hi).1 (Nat.le_trans (Nat.le_add_right _ _) room))
          (Nat.le_trans (masses i hi) (Nat.le_trans (Nat.le_add_right _ _) room))) columns bands hb)
    exact Nat.le_trans le (Nat.mul_le_mul Nat.le.refl ht)
  have whole_places : fraction + (s.stride - fraction) = s.stride := by
    rw [Nat.add_comm]
    exact Natural.sub_add_cancel places
  have cut := Decode.field_pack (b := s.stride) (m := a.rows) (j := fraction) (k := s.stride - fraction)
    (Natural.le_of_eq whole_places) stride
    (fun i hi =>
      Natural.lt_of_le_of_lt (bounded i hi) (Natural.lt_of_le_of_lt (Nat.le_add_right _ _) squares))
  have cut : Decode.field fraction (Nat.sub s.stride fraction)
      (pack s.stride a.rows fun i => reachOf (fun b =>
          apart
            (Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j) (line i))
            (s.center * Linear.mass es (line i)))
        bands magnitudes) (ones s.stride a.rows) = _ := cut
  have e_reach : Nat.add (Decode.field fraction (Nat.sub s.stride fraction)
      (pack s.stride a.rows fun i => reachOf (fun b =>
          apart
            (Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j) (line i))
            (s.center * Linear.mass es (line i)))
        bands magnitudes)
      (ones s.stride a.rows)) (ones s.stride a.rows) =
      pack s.stride a.rows (fun i => reachOf (fun b => apart
                  (Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j)
                      (line i)) (s.center * Linear.mass es (line i)))
                bands magnitudes / 2 ^ fraction + 1) := by
    rw [cut, ones_eq stride]
    show pack s.stride a.rows _ + pack s.stride a.rows _ = _
    rw [← pack_add]
    refine pack_congr fun i hi => ?_
    rw [Natural.mod_eq_self]
    refine Natural.div_lt (Natural.two_pow_pos fraction) ?_
    rw [← Natural.pow_add, whole_places]
    exact Natural.lt_of_le_of_lt (bounded i hi) (Natural.lt_of_le_of_lt (Nat.le_add_right _ _) squares)
  rw [e_reach, hprod _ _ hc, e_rest, e_mass, e_restMass] at h
  have e_bounds : Nat.add (pack s.stride a.rows fun i =>
      Compose.weighted es (seen place i band).lower (fun j => s.top - (seen place i band).upper j) (line i) +
      2 ^ s.half *
        Compose.weighted es (seen place i band).upper (fun j => s.top - (seen place i band).lower j) (line i))
      (pack s.stride a.rows fun i => tl i + 2 ^ s.half * th i) =
          pack s.stride a.rows
            (fun i => (Compose.weighted es (seen place i band).lower
                        (fun j => s.top - (seen place i band).upper j) (line i) + tl i) +
                  2 ^ s.half * (Compose.weighted es (seen place i band).upper
                          (fun j => s.top - (seen place i band).lower j) (line i) + th i)) := by
    show pack s.stride a.rows _ + pack s.stride a.rows _ = _
    rw [← pack_add]
    exact pack_congr fun i _ => Compose.regroup2 _ _ _ _ _
  generalize hR : (fun i => reachOf (fun b => apart
              (Compose.weighted es (seen place i b).lower (fun j => s.top - (seen place i b).upper j)
                  (line i)) (s.center * Linear.mass es (line i)))
            bands magnitudes / 2 ^ fraction + 1) = R at *
  have hR' : ∀ i, R i = reachOf (fun b => apart (Compose.weighted es (seen place i b).lower
                (fun j => s.top - (seen place i b).upper j) (line i)) (s.center * Linear.mass es (line i)))
            bands magnitudes / 2 ^ fraction + 1 := fun i => by rw [← hR]
  have e_masses : Nat.add
    (Nat.add (pack s.stride a.rows fun i => s.center * Linear.mass es (line i)) (pack s.stride a.rows tm))
    (pack s.stride a.rows R) =
      pack s.stride a.rows (fun i => s.center * Linear.mass es (line i) + tm i + R i) := by
    show pack s.stride a.rows _ + pack s.stride a.rows _ + pack s.stride a.rows _ = _
    rw [← pack_add, ← pack_add]
  rw [e_bounds, e_masses] at h
  have R_le : ∀ i, i < a.rows → R i ≤ 2 ^ (s.half - 1) * 2 ^ (s.half - 1) + 1 := fun i hi => by
    rw [hR' i]
    refine Nat.succ_le_succ (Nat.le_trans ?_ (bounded i hi))
    refine Nat.le_trans (Natural.le_of_eq (Natural.one_mul _).symm)
      (Nat.le_trans (Nat.mul_le_mul (Natural.two_pow_pos fraction) Nat.le.refl)
        (Rows.mul_div_le _ _ (Natural.two_pow_pos fraction)))
  refine ⟨_, _, _, fun i hi => ?_, fun strict v hv hin positive => ?_, h⟩
  · obtain ⟨w1, w2⟩ := weighs band hc.2.2 i hi
    obtain ⟨r1, r2, r3, _, _⟩ := rest i hi
    refine ⟨lt (Nat.add_le_add w1 r1), lt (Nat.add_le_add w2 r2), ?_⟩
    refine Natural.lt_of_le_of_lt
      (Nat.add_le_add (Nat.le_trans (Nat.add_le_add (masses i hi) r3) room) (R_le i hi)) ?_
    refine Natural.lt_of_le_of_lt (Natural.le_of_eq ?_) squares
    rw [Nat.add_left_comm]
  · obtain ⟨_, _, _, s1, _⟩ := rest v hv
    obtain ⟨b1, _⟩ := products_bound (i := line v) (n := es.length) (x := fun j => x (place v j))
      (band := seen place v band) (bands := mapped (seen place v) bands) (deviations := deviations) rfl
      (fun j hj => hc.2.2 _ (seat v hv j hj).1)
      (every_mapped (fun b hb j hj => hb _ (seat v hv j hj).1) bands
        (Paired.every (fun _ _ hb => hb.2.2) columns bands hb))
      (fun j hj => by
        have z := forms _ (seat v hv j hj).1 ((seat v hv j hj).2 hin)
        unfold below above
        rw [combined_mapped, combined_mapped]; exact z)
    rw [combined_mapped] at b1
    refine signed_of_bracket (K := K) sf.unit ?_ positive
    have far := combined_atMost bands magnitudes deviations small
      (every_of (fun b => apart_atMost (K := K)
            (Compose.weighted es (seen place v b).lower (fun j => s.top - (seen place v b).upper j) (line v))
            (s.center * Linear.mass es (line v))) bands)
    have large : reachOf (fun b => apart
        (Compose.weighted es (seen place v b).lower (fun j => s.top - (seen place v b).upper j) (line v))
            (s.center * Linear.mass es (line v))) bands magnitudes ≤ 2 ^ fraction * R v := by
      rw [hR' v]
      exact step_large _ _
    obtain ⟨_, w2⟩ := reach_within (c0 := natural
          (Compose.weighted es (seen place v band).lower (fun j => s.top - (seen place v band).upper j)
              (line v)) -
        natural (s.center * Linear.mass es (line v))) large far
    have both := Rows.cancel (K := K) (Natural.two_pow_pos fraction) (le_trans w2 b1)
    rw [whole] at s1
    have one : (natural (2 ^ 0) : K) = 1 := by
      show natural 1 = _
      rw [natural_succ]; exact zero_add 1
    rw [one, OrderedRing.one_mul] at s1
    rw [natural_add _ (tl v), natural_add _ (R v), natural_add _ (tm v)]
    refine le_cert ?_ (add_nonneg (sub_nonneg s1) (sub_nonneg both))
    exact
      (ring8 K u z b t m w c R, u * z + (c + m + R) - (w + t), (u * (z - b) + m - t) + (u * b - (w - c - R)))
      _ _ _ _ _ _ _ _

theorem finish_sound {s : Scale} {fraction n : Nat} {p : Property} {a : Substitution} {magnitudes : List Nat}
    {deviations : List K} {slots x z : Nat → K} {constant : Memory} {columns : List Memory}
    (sf : s.Fits)
    (half : 1 ≤ s.half)
    (places : fraction ≤ s.stride)
    (ha : a.Holds s x n z)
    (whole : a.shift = 0)
    (rows : a.rows = p.forms.rows)
    (signs : ∀ row, row < p.forms.rows → Signed p.strict (z row) → Signed p.strict (p.forms.form slots 0 row))
    (hx : Enclosed s (2 ^ fraction) n magnitudes deviations x constant columns)
    (h : finish s fraction p.strict p.alternatives a magnitudes constant columns = true) :
    p.Holds slots := by
  obtain ⟨low, high, mass, hd, positive, h⟩ := finishWith_sound sf half places (ha.on sf) whole hx h
  rw [rows] at *
  exact clausesPositive_sound Nat.le.refl hd
    (fun i hi g => signs i hi (positive p.strict i hi trivial g)) h

/-! ### Layer after layer -/

inductive Layer where
  | affine (a : Substitution)
  | relu (negative positive : Nat)

/-- For the compiler, as in Core/Recursors. -/
@[inline] def Recursor.layer {motive : Layer → Sort v} (affine : (a : Substitution) → motive (.affine a))
    (relu : (negative positive : Nat) → motive (.relu negative positive)) (l : Layer) : motive l :=
  match l with
  | .affine a => affine a
  | .relu negative positive => relu negative positive
@[csimp] theorem Recursor.layer_eq : @Layer.rec = @Recursor.layer :=
  funext fun _ => funext fun _ => funext fun _ => funext fun l => by cases l <;> rfl

/-- The layer's `n'` values `y` follow from the `n` values `x`. -/
def Layer.Holds (s : Scale) (x : Nat → K) (n : Nat) (y : Nat → K) (n' : Nat) : Layer → Prop
  | .affine a => a.Holds s x n y ∧ n' = a.rows
  | .relu negative positive => Reaches s n negative positive x ∧ (∀ i, i < n → IsRelu (x i) (y i)) ∧ n' = n
/-- The same for the values with `p`, by the numbers of the rows. -/
def Layer.HoldsOn (p : Nat → Prop) (s : Scale) (x : Nat → K) (n : Nat) (y : Nat → K) (n' : Nat) : Layer → Prop
  | .affine a => a.HoldsOn p s x n y ∧ n' = a.rows
  | .relu negative positive => Reaches s n negative positive x ∧ (∀ i, i < n → IsRelu (x i) (y i)) ∧ n' = n
/-- The layers lead from `x` to `z`. -/
def Chain (s : Scale) (z : Nat → K) (m : Nat) : List Layer → (Nat → K) → Nat → Prop
  | [], x, n => x = z ∧ n = m
  | l :: layers, x, n => ∃ y n', l.Holds s x n y n' ∧ Chain s z m layers y n'

def ChainOn (p : Nat → Prop) (s : Scale) (z : Nat → K) (m : Nat) : List Layer → (Nat → K) → Nat → Prop
  | [], x, n => x = z ∧ n = m
  | l :: layers, x, n => ∃ y n', l.HoldsOn p s x n y n' ∧ ChainOn p s z m layers y n'
theorem Chain.on {s : Scale} {z : Nat → K} {m : Nat} (sf : s.Fits) :
    (layers : List Layer) → (x : Nat → K) → (n : Nat) → Chain s z m layers x n →
    ChainOn (fun _ => True) s z m layers x n
  | [], _, _, h => h
  | .affine _ :: layers, _, _, ⟨y, n', h, t⟩ => ⟨y, n', ⟨h.1.on sf, h.2⟩, Chain.on sf layers y n' t⟩
  | .relu _ _ :: layers, _, _, ⟨y, n', h, t⟩ => ⟨y, n', h, Chain.on sf layers y n' t⟩

/-- The forms through all layers. -/
def through (s : Scale) (slope fraction : Nat) (magnitudes : List Nat) (next : Memory → List Memory → Bool) :
    List Layer → Nat → Memory → List Memory → Bool :=
  List.rec (motive := fun _ => Nat → Memory → List Memory → Bool)
    (fun _ constant columns => next constant columns)
    (fun l _ rest n constant columns => Layer.rec (motive := fun _ => Bool)
      (fun a => substitute s fraction a magnitudes constant columns
        fun constant' columns' => rest a.rows constant' columns')
      (fun negative positive => bend s slope fraction n negative positive magnitudes constant columns
        fun constant' columns' => rest n constant' columns') l)

theorem through_sound {inside : Nat → Prop} {s : Scale} {slope fraction m : Nat} {magnitudes : List Nat}
    {deviations : List K} {z : Nat → K} {next : Memory → List Memory → Bool}
    (sf : s.Fits)
    (r : Roomy s slope fraction magnitudes) :
    (layers : List Layer) → (x : Nat → K) → (n : Nat) →
    (constant : Memory) → (columns : List Memory) →
    ChainOn inside s z m layers x n →
    EnclosedOn inside s (2 ^ fraction) n magnitudes deviations x constant columns →
    through s slope fraction magnitudes next layers n constant columns = true →
    ∃ constant' columns', EnclosedOn inside s (2 ^ fraction) m magnitudes deviations z constant' columns' ∧
      next constant' columns' = true
  | [], x, n, constant, columns, hc, hx, h => by
    obtain ⟨e1, e2⟩ := hc
    subst e1; subst e2
    exact ⟨constant, columns, hx, h⟩
  | .affine a :: layers, x, n, constant, columns, hc, hx, h => by
    obtain ⟨y, n', ⟨ha, e⟩, hc⟩ := hc
    subst e
    obtain ⟨constant', columns', hx', h⟩ := substitute_sound
      (next := fun c cs => through s slope fraction magnitudes next layers a.rows c cs) sf r.half r.top_lt ha
      hx h
    exact through_sound sf r layers y a.rows constant' columns' hc hx' h
  | .relu negative positive :: layers, x, n, constant, columns, hc, hx, h => by
    obtain ⟨y, n', ⟨h1, h2, e⟩, hc⟩ := hc
    subst e
    obtain ⟨constant', columns', hx', h⟩ :=
      bend_sound (next := fun c cs => through s slope fraction magnitudes next layers n' c cs) r hx h1 h2 h
    exact through_sound sf r layers y n' constant' columns' hc hx' h

/-- The forms through all layers, with a symbol for every value that a ReLU leaves undecided. -/
def throughSymbols (s : Scale) (slope fraction : Nat) (next : List Nat → Memory → List Memory → Bool) :
    List Layer → Nat → List Nat → Memory → List Memory → Bool :=
  List.rec (motive := fun _ => Nat → List Nat → Memory → List Memory → Bool)
    (fun _ magnitudes constant columns => next magnitudes constant columns)
    (fun l _ rest n magnitudes constant columns => Layer.rec (motive := fun _ => Bool)
      (fun a => substitute s fraction a magnitudes constant columns
          fun constant' columns' => rest a.rows magnitudes constant' columns')
      (fun negative positive => bendWithSymbols s slope fraction n negative positive magnitudes constant
          columns fun magnitudes' constant' columns' =>
        rest n magnitudes' constant' columns') l)

theorem throughSymbols_sound {s : Scale} {slope fraction m : Nat} {z : Nat → K}
    {next : List Nat → Memory → List Memory → Bool}
    (sf : s.Fits)
    (half : 1 ≤ s.half)
    (top : s.top < 2 ^ (s.half - 1)) :
    (layers : List Layer) → (x : Nat → K) → (n : Nat) →
    (magnitudes : List Nat) → (deviations : List K) →
    (constant : Memory) → (columns : List Memory) →
    Chain s z m layers x n → Enclosed s (2 ^ fraction) n magnitudes deviations x constant columns →
    throughSymbols s slope fraction next layers n magnitudes constant columns = true →
    ∃ magnitudes' deviations' constant' columns', Enclosed s (2 ^ fraction) m magnitudes'
        (deviations' : List K) z constant' columns' ∧ next magnitudes' constant' columns' = true
  | [], x, n, magnitudes, deviations, constant, columns, hc, hx, h => by
    obtain ⟨e1, e2⟩ := hc
    subst e1; subst e2
    exact ⟨magnitudes, deviations, constant, columns, hx, h⟩
  | .affine a :: layers, x, n, magnitudes, deviations, constant, columns, hc, hx, h => by
    obtain ⟨y, n', ⟨ha, e⟩, hc⟩ := hc
    subst e
    obtain ⟨constant', columns', hx', h⟩ := substitute_sound
      (next := fun c cs => throughSymbols s slope fraction next layers a.rows magnitudes c cs) sf half top
      (ha.on sf) hx h
    exact throughSymbols_sound sf half top layers y a.rows magnitudes deviations constant' columns' hc hx' h
  | .relu negative positive :: layers, x, n, magnitudes, deviations, constant, columns, hc, hx, h => by
    obtain ⟨y, n', ⟨h1, h2, e⟩, hc⟩ := hc
    subst e
    obtain ⟨magnitudes', deviations', constant', columns', hx', h⟩ :=
      bendWithSymbols_sound (next := fun ms c cs => throughSymbols s slope fraction next layers n' ms c cs) hx
        h1 h2 h
    exact throughSymbols_sound sf half top layers y n' magnitudes' deviations' constant' columns' hc hx' h

end Forward
end PytestTorchLean
