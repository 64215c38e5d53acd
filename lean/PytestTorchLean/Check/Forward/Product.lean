prelude
import PytestTorchLean.Check.Forward.Columns
/-!
# The columns of forms times the weights

What is computed of an affine layer, and how a division by a power of two and the bounds of the other slots
enter one row.
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
  /-- the products of a column with `heads`, before they are divided -/
  product : Memory → Nat
  /-- the center times the absolute weights of `heads` -/
  mass : Nat
  /-- lower and upper bounds of the rest, and what they are offset by -/
  rest : Nat
  restMass : Nat

/-- The forms of the rows. -/
def substitute (s : Scale) (fraction : Nat) (a : Substitution) (magnitudes : List Nat) (constant : Memory)
    (columns : List Memory) (next : Memory → List Memory → Bool) : Bool :=
  force (fun step => force (fun offset => force (fun charge => both (Nat.ble step s.center)
        (Rows.divide s (Nat.sub s.half 1) a.shift offset a.rows
          (Nat.add (Nat.add (a.product constant) a.rest)
              (Nat.mul (Nat.pow 2 s.half) (Nat.add charge charge)))
            (Nat.add (Nat.add a.mass a.restMass) charge)
          fun direct mirrored => every (fun (c : Memory) next => Rows.divide s (Nat.sub s.half 1) a.shift
                offset a.rows (a.product c) a.mass fun direct mirrored => next ⟨direct, mirrored⟩) columns
              (next ⟨direct, mirrored⟩)))
      (Nat.mul (Nat.mul (Nat.pow 2 a.shift) step) (ones s.stride a.rows)))
      (Nat.mul (Nat.pow 2 a.shift) s.center))
    (Nat.succ (Nat.div (total magnitudes) (Nat.pow 2 fraction)))

/-- `y` is what the rows say of `x`; the numbers have room. -/
def Substitution.Holds (s : Scale) (x : Nat → K) (n : Nat) (a : Substitution) (y : Nat → K) : Prop :=
  ∃ (es : List Digits) (bound limit : Nat) (low high mass : Nat → Nat), Packed s.stride a.rows bound a.heads
      es ∧
    a.heads.length = n ∧
    (∀ c, a.product c = Compose.weigh s.stride a.heads c.direct c.mirrored) ∧
    a.mass = s.center * Linear.masses a.heads ∧
    a.rest = pack s.stride a.rows (fun i => low i + 2 ^ s.half * high i) ∧
    a.restMass = pack s.stride a.rows mass ∧
    (∀ i, i < a.rows →
        low i ≤ limit ∧
          high i ≤ limit ∧
          mass i ≤ limit ∧
          natural (low i) ≤
            natural s.unit * (natural (2 ^ a.shift) * y i - Compose.blend es x i) + natural (mass i) ∧
          natural s.unit * (natural (2 ^ a.shift) * y i - Compose.blend es x i) + natural (mass i) ≤
            natural (high i)) ∧
    Linear.reach s bound n + limit + 2 ^ a.shift * (s.top + s.center) + 2 ^ a.shift ≤ 2 ^ (s.half - 1)

/-- What a column's values look like from row `v`, which reads value `place v j` for value `j`. -/
def seen (place : Nat → Nat → Nat) (v : Nat) (b : Band) : Band :=
  ⟨fun j => b.lower (place v j), fun j => b.upper (place v j)⟩
/-- The same by what the numbers of the rows are, not how they are found: row `v` is row `row v` of `es`, over
    the values `place v j`. Rows with `p` read values with `p`. -/
def Substitution.HoldsOn (p : Nat → Prop) (s : Scale) (x : Nat → K) (n : Nat) (a : Substitution)
    (y : Nat → K) : Prop :=
  ∃ (es : List Digits) (reach limit : Nat) (low high mass : Nat → Nat) (place : Nat → Nat → Nat)
    (row : Nat → Nat),
    (∀ c b, Forward.Holds s n c b → a.product c = pack s.stride a.rows (fun v =>
        Compose.weighted es (seen place v b).lower (fun j => s.top - (seen place v b).upper j) (row v) +
          2 ^ s.half *
            Compose.weighted es (seen place v b).upper (fun j => s.top - (seen place v b).lower j) (row v))) ∧
    (∀ v, v < a.rows → ∀ j, j < es.length → place v j < n ∧ (p v → p (place v j))) ∧
    (∀ v, v < a.rows → ∀ f g : Nat → Nat, (∀ j, j < es.length → f j ≤ s.top ∧ g j ≤ s.top) →
        Compose.weighted es f g (row v) ≤ reach) ∧
    a.mass = pack s.stride a.rows (fun v => s.center * Linear.mass es (row v)) ∧
    a.rest = pack s.stride a.rows (fun v => low v + 2 ^ s.half * high v) ∧
    a.restMass = pack s.stride a.rows mass ∧
    (∀ v, v < a.rows →
        low v ≤ limit ∧
          high v ≤ limit ∧
          mass v ≤ limit ∧
          natural (low v) ≤
            natural s.unit * (natural (2 ^ a.shift) * y v -
              Compose.blend es (fun j => x (place v j)) (row v)) + natural (mass v) ∧
          natural s.unit * (natural (2 ^ a.shift) * y v -
              Compose.blend es (fun j => x (place v j)) (row v)) + natural (mass v) ≤
            natural (high v)) ∧
    reach + limit + 2 ^ a.shift * (s.top + s.center) + 2 ^ a.shift ≤ 2 ^ (s.half - 1)

/-! ### Soundness -/

theorem regroup (S x y l u a b : Nat) :
    x + S * y + (l + S * u) + S * (a + b) = (x + l) + S * (y + u + (a + b)) := by
  simp only [Nat.mul_add, Nat.add_assoc, Nat.add_left_comm, Nat.add_comm]

/-- The two products of a column's digits. -/
theorem product_eq {s : Scale} {n bound : Nat} {a : Substitution} {es : List Digits}
    (sf : s.Fits)
    (hp : Packed s.stride a.rows bound a.heads es)
    (hn : a.heads.length = n)
    (hprod : ∀ c, a.product c = Compose.weigh s.stride a.heads c.direct c.mirrored)
    {c : Memory} {b : Band} (hc : Holds s n c b) :
    a.product c = pack s.stride a.rows
      (fun i => Compose.weighted es b.lower (fun j => s.top - b.upper j) i +
        2 ^ s.half * Compose.weighted es b.upper (fun j => s.top - b.lower j) i) := by
  subst hn
  have small : ∀ {x : Nat}, x ≤ s.top → x < 2 ^ s.half := fun h => Natural.lt_of_le_of_lt h sf.half
  rw [hprod, hc.1, hc.2.1]
  refine (Compose.weigh_eq (b := s.stride) a.heads es (fun i => Memory.directWord s (b.lower i) (b.upper i))
      (fun i => Memory.mirroredWord s (b.lower i) (b.upper i)) hp
      (fun k hk => ⟨Memory.halves_lt (small (hc.2.2 k hk).1) (small (hc.2.2 k hk).2),
          Memory.halves_lt (small (Natural.sub_le _ _)) (small (Natural.sub_le _ _))⟩)).trans ?_
  refine pack_congr fun i _ => ?_
  have split : (es : List Digits) → (l u m v : Nat → Nat) →
    Compose.weighted es (fun k => l k + 2 ^ s.half * u k) (fun k => m k + 2 ^ s.half * v k) i =
      Compose.weighted es l m i + 2 ^ s.half * Compose.weighted es u v i := fun es => by
    induction es with
    | nil => intro _ _ _ _; rfl
    | cons e es ih =>
      intro l u m v
      show (l 0 + 2 ^ s.half * u 0) * e.positive i + (m 0 + 2 ^ s.half * v 0) * e.negative i +
        Compose.weighted es _ _ i = _
      rw [ih (fun k => l (k + 1)) (fun k => u (k + 1)) (fun k => m (k + 1)) (fun k => v (k + 1))]
      exact Linear.regroup _ _ _ _ _ _ _ _ _
  exact split es b.lower b.upper (fun j => s.top - b.upper j) (fun j => s.top - b.lower j)

theorem weighted_reach {s : Scale} {rows bound i : Nat}
    (hi : i < rows)
    {f g : Nat → Nat} (cs : List Column) (es : List Digits)
    (hp : Packed s.stride rows bound cs es)
    (h : ∀ k, k < cs.length → f k ≤ s.top ∧ g k ≤ s.top) :
    Compose.weighted es f g i ≤ Linear.reach s bound cs.length := Compose.weighted_le hi cs es f g hp h

theorem mass_weighted (c i : Nat) : (es : List Digits) →
    Compose.weighted es (fun _ => c) (fun _ => c) i = c * Linear.mass es i
  | [] => (Nat.mul_zero c).symm
  | e :: es => by
    show c * e.positive i + c * e.negative i + Compose.weighted es _ _ i =
      c * (e.positive i + e.negative i + Linear.mass es i)
    rw [Nat.mul_add, Nat.mul_add, mass_weighted c i es]
/-- What holds of the columns holds of the numbers of the rows. -/
theorem Substitution.Holds.on {s : Scale} {n : Nat} {a : Substitution} {x y : Nat → K} (sf : s.Fits)
    (h : a.Holds s x n y) : a.HoldsOn (fun _ => True) s x n y := by
  obtain ⟨es, bound, limit, tl, th, tm, hp, hn, hprod, e_mass, e_rest, e_restMass, rest, room⟩ := h
  have es_len : es.length = n := by rw [← Columns.packed_length _ _ hp, hn]
  refine ⟨es, Linear.reach s bound n, limit, tl, th, tm, fun _ j => j, fun v => v,
    fun c b hc => product_eq sf hp hn hprod hc, fun v _ j hj => ⟨by rw [← es_len]; exact hj, id⟩,
    fun v hv f g hfg => ?_, ?_, e_rest, e_restMass, rest, room⟩
  · have z := weighted_reach hv a.heads es hp (f := f) (g := g)
      (fun k hk => hfg k (by rw [es_len, ← hn]; exact hk))
    rw [hn] at z; exact z
  · rw [e_mass, Linear.masses_eq _ _ hp, ← pack_mul]

/-- Dividing, rounded down and up, and what it drops. -/
theorem divided {low high offset mass k c : Nat} (ho : offset = 2 ^ k * c) (h1 : mass ≤ low + offset)
    (h2 : mass ≤ high + (offset + (2 ^ k - 1))) :
    (natural (2 ^ k) * ((natural ((low + offset - mass) / 2 ^ k) : K) - natural c) ≤
          natural low - natural mass ∧
        natural low - natural mass ≤
          natural (2 ^ k) * ((natural ((low + offset - mass) / 2 ^ k) : K) - natural c) + natural (2 ^ k)) ∧
    (natural high - natural mass ≤
          natural (2 ^ k) * ((natural ((high + (offset + (2 ^ k - 1)) - mass) / 2 ^ k) : K) - natural c) ∧
        natural (2 ^ k) * ((natural ((high + (offset + (2 ^ k - 1)) - mass) / 2 ^ k) : K) - natural c) ≤
          natural high - natural mass + natural (2 ^ k)) := by
  have pos := Natural.two_pow_pos k
  have last := natural_le (K := K) (Natural.sub_le (2 ^ k) 1)
  have l1 := natural_le (K := K) (Rows.mul_div_le (low + offset - mass) (2 ^ k) pos)
  have l2 := natural_le (K := K) (Rows.lt_mul_div (low + offset - mass) (2 ^ k) pos)
  have u1 := natural_le (K := K) (Rows.mul_div_le (high + (offset + (2 ^ k - 1)) - mass) (2 ^ k) pos)
  have u2 := natural_le (K := K) (Rows.lt_mul_div (high + (offset + (2 ^ k - 1)) - mass) (2 ^ k) pos)
  rw [natural_mul, Linear.natural_sub h1, natural_add] at l1
  rw [natural_add _ (2 ^ k - 1), natural_mul, Linear.natural_sub h1, natural_add low] at l2
  rw [natural_mul, Linear.natural_sub h2, natural_add, natural_add offset] at u1
  rw [natural_add (2 ^ k * _) (2 ^ k - 1), natural_mul, Linear.natural_sub h2, natural_add high,
      natural_add offset] at u2
  have o : (natural offset : K) = natural (2 ^ k) * natural c := by rw [ho, natural_mul]
  rw [o] at l1 l2 u1 u2
  generalize (natural ((low + offset - mass) / 2 ^ k) : K) = x at *
  generalize (natural ((high + (offset + (2 ^ k - 1)) - mass) / 2 ^ k) : K) = y at *
  generalize (natural (2 ^ k - 1) : K) = d at *
  generalize (natural (2 ^ k) : K) = q at *
  refine ⟨⟨?_, ?_⟩, ?_, ?_⟩
  · exact le_cert ((ring5 K q x c l m, l - m - q * (x - c), l + q * c - m - q * x) _ _ _ _ _) (sub_nonneg l1)
  · refine le_cert ?_ (add_nonneg (sub_nonneg l2) (sub_nonneg last))
    exact (ring8 K q x c l m d v w, q * (x - c) + q - (l - m), (q * x + d - (l + q * c - m)) + (q - d)) q x
      (natural c) (natural low) (natural mass) d 0 0
  · refine le_cert ?_ (sub_nonneg u2)
    exact (ring8 K q x c l m d v w, q * (x - c) - (l - m), q * x + d - (l + (q * c + d) - m)) q y (natural c)
      (natural high) (natural mass) d 0 0
  · refine le_cert ?_ (add_nonneg (sub_nonneg u1) (sub_nonneg last))
    exact (ring8 K q x c l m d v w, l - m + q - q * (x - c), (l + (q * c + d) - m - q * x) + (q - d)) q y
      (natural c) (natural high) (natural mass) d 0 0

theorem carried_lower {e T S L L' c p r y : K} {k : Nat}
    (he : natural (2 ^ k) = e)
    (hT : 0 ≤ T)
    (constant : e * c ≤ p - e * r)
    (sum : AtMost (e * L' - L) (e * S))
    (enough : S ≤ T * r)
    (bound : p * T + L ≤ e * y) :
    c * T + L' ≤ y := by
  refine cancel_natural (K := K) (Natural.two_pow_pos k) ?_
  rw [he]
  have e0 : 0 ≤ e := by rw [← he]; exact natural_nonneg _
  refine le_trans ?_ bound
  have t1 := mul_nonneg hT (sub_nonneg constant)
  have t2 := sub_nonneg sum.1
  have t3 := mul_nonneg e0 (sub_nonneg enough)
  refine le_cert ?_ (add_nonneg t1 (add_nonneg t2 t3))
  exact (ring8 K e T S l m c p r, p * T + l - e * (c * T + m),
      T * (p - e * r - e * c) + (e * S - (e * m - l) + e * (T * r - S))) _ _ _ _ _ _ _ _
theorem carried_upper {e T S U U' c p r y : K} {k : Nat}
    (he : natural (2 ^ k) = e)
    (hT : 0 ≤ T)
    (constant : p + e * r ≤ e * c)
    (sum : AtMost (e * U' - U) (e * S))
    (enough : S ≤ T * r)
    (bound : e * y ≤ p * T + U) :
    y ≤ c * T + U' := by
  refine cancel_natural (K := K) (Natural.two_pow_pos k) ?_
  rw [he]
  have e0 : 0 ≤ e := by rw [← he]; exact natural_nonneg _
  refine le_trans bound ?_
  have t1 := mul_nonneg hT (sub_nonneg constant)
  have t2 := sub_nonneg sum.2
  have t3 := mul_nonneg e0 (sub_nonneg enough)
  refine le_cert ?_ (add_nonneg t1 (add_nonneg t2 t3))
  exact (ring8 K e T S l m c p r, e * (c * T + m) - (p * T + l),
      T * (e * c - (p + e * r)) + (e * S - -(e * m - l) + e * (T * r - S))) _ _ _ _ _ _ _ _

/-- What the products of all columns say of a row. -/
theorem products_bound {s : Scale} {n point i : Nat} {x : Nat → K} {es : List Digits} {band : Band}
    {bands : List Band} {deviations : List K}
    (hes : es.length = n)
    (top : ∀ j, j < n → band.lower j ≤ s.top ∧ band.upper j ≤ s.top)
    (tops : Every (fun b => ∀ j, j < n → b.lower j ≤ s.top ∧ b.upper j ≤ s.top) bands)
    (forms : ∀ j, j < n →
      below s point band bands deviations j ≤ natural point * (natural s.unit * x j) ∧
        natural point * (natural s.unit * x j) ≤ above s point band bands deviations j) :
    (natural (Compose.weighted es band.lower (fun j => s.top - band.upper j) i) -
              natural (s.center * Linear.mass es i)) * natural point +
        combined (fun b => natural (Compose.weighted es b.lower (fun j => s.top - b.upper j) i) -
            natural (s.center * Linear.mass es i)) bands deviations ≤
      natural point * (natural s.unit * Compose.blend es x i) ∧
    natural point * (natural s.unit * Compose.blend es x i) ≤
      (natural (Compose.weighted es band.upper (fun j => s.top - band.lower j) i) -
              natural (s.center * Linear.mass es i)) * natural point +
        combined (fun b => natural (Compose.weighted es b.upper (fun j => s.top - b.lower j) i) -
            natural (s.center * Linear.mass es i)) bands deviations := by
  have lows : combined (fun b => (natural (Compose.weighted es b.lower (fun j => s.top - b.upper j) i) : K) -
      natural (s.center * Linear.mass es i)) (band :: bands) (natural point :: deviations) =
      combined (fun b => spread es (fun j => natural (b.lower j) - natural s.center)
            (fun j => natural (b.upper j) - natural s.center) i) (band :: bands) (natural point :: deviations)
          :=
    combined_same _ _ ⟨spread_digits es band.lower band.upper
        (fun j hj => (top j (by rw [← hes]; exact hj)).2), every_imp
        (fun b hb => spread_digits es b.lower b.upper (fun j hj => (hb j (by rw [← hes]; exact hj)).2)) bands
        tops⟩
  have highs : combined (fun b => (natural (Compose.weighted es b.upper (fun j => s.top - b.lower j) i) : K) -
      natural (s.center * Linear.mass es i)) (band :: bands) (natural point :: deviations) =
      combined (fun b => spread es (fun j => natural (b.upper j) - natural s.center)
            (fun j => natural (b.lower j) - natural s.center) i) (band :: bands) (natural point :: deviations)
          :=
    combined_same _ _ ⟨spread_digits es band.upper band.lower
        (fun j hj => (top j (by rw [← hes]; exact hj)).1), every_imp
        (fun b hb => spread_digits es b.upper b.lower (fun j hj => (hb j (by rw [← hes]; exact hj)).1)) bands
        tops⟩
  rw [spread_all (fun b j => natural (b.lower j) - natural s.center)
      (fun b j => natural (b.upper j) - natural s.center)] at lows
  rw [spread_all (fun b j => natural (b.upper j) - natural s.center)
      (fun b j => natural (b.lower j) - natural s.center)] at highs
  have z := spread_le (i := i) es (below s point band bands deviations)
    (fun j => natural point * (natural s.unit * x j)) (above s point band bands deviations)
    (fun j hj => forms j (by rw [← hes]; exact hj))
  rw [← Compose.mul_blend, ← Compose.mul_blend] at z
  exact ⟨le_trans (le_of_eq lows) z.1, le_trans z.2 (le_of_eq highs.symm)⟩
end Forward
end PytestTorchLean
