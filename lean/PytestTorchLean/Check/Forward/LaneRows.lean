prelude
import PytestTorchLean.Check.Forward.Finish
import PytestTorchLean.Check.Forward.LaneDigits
/-!
# Many parts side by side

Forms of the same deviations on several parts of a box, as digits side by side: of `lanes` parts, the digit of
part `l` for value `j` is digit `l + lanes * j`. A weight is then a factor of a whole number. Compiled code
alone goes this way: the kernel saves steps by long products, a program by short factors.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Forward
open OrderedRing Natural
variable {K : Type u} [OrderedRing K]

/-! ### What is computed -/

/-- `sum + p * x + n * y`; most weights have one sign. -/
@[inline] def addProducts (p n x y sum : Nat) : Nat :=
  match Nat.beq n 0 with
  | true => Nat.add sum (Nat.mul p x)
  | false =>
    match Nat.beq p 0 with
    | true => Nat.add sum (Nat.mul n y)
    | false => Nat.add sum (Nat.add (Nat.mul p x) (Nat.mul n y))
/-- `sum`, and all values times their weights of one row. -/
def dot : List Column → List Memory → Nat → Nat
  | ⟨p, n⟩ :: weights, ⟨x, y⟩ :: values, sum => dot weights values (addProducts p n x y sum)
  | [], _, sum => sum
  | _ :: _, [], sum => sum

/-- One row of the columns. -/
def rowOf (b mask i : Nat) : List Column → List Column
  | [] => []
  | ⟨p, n⟩ :: columns =>
    ⟨Nat.land (Nat.shiftRight p (Nat.mul b i)) mask, Nat.land (Nat.shiftRight n (Nat.mul b i)) mask⟩ ::
      rowOf b mask i columns
/-- `count` rows from row `i` on. -/
def rowsFrom (b mask : Nat) (columns : List Column) : Nat → Nat → List (List Column)
  | 0, _ => []
  | Nat.succ count, i => rowOf b mask i columns :: rowsFrom b mask columns count (Nat.succ i)
def dots (values : List Memory) : List (List Column) → List Nat
  | [] => []
  | row :: rows => dot row values 0 :: dots values rows
/-- The products of all rows, one after the other. -/
def rowsProduct (wide : Nat) (values : List Memory) (rows : List (List Column)) : Nat :=
  joinedPairs 32 wide (dots values rows)

/-- The digits at a larger distance. -/
def widen (b mask wide : Nat) : Nat → Nat → Nat
  | 0, _ => 0
  | Nat.succ n, x =>
    Nat.add (Nat.land x mask) (Nat.shiftLeft (widen b mask wide n (Nat.shiftRight x b)) wide)
/-- Every digit once for every part. -/
def repeated (s : Scale) (lanes n x : Nat) : Nat :=
  Nat.mul (widen s.stride (Nat.sub (Nat.pow 2 s.stride) 1) (Nat.mul s.stride lanes) n x) (ones s.stride lanes)

@[noinline] def besideWith (s : Scale) (lanes n wide mask : Nat) (weights : List (List Column))
    (a : Substitution) : Substitution :=
  ⟨Nat.mul lanes a.rows, a.shift, [],
    fun c => rowsProduct wide (pieces wide mask n c.direct c.mirrored) weights,
    repeated s lanes a.rows a.mass, repeated s lanes a.rows a.rest, repeated s lanes a.rows a.restMass⟩
/-- The rows over `n` values, for so many parts. -/
def Substitution.beside (s : Scale) (lanes n : Nat) (a : Substitution) : Substitution :=
  besideWith s lanes n (Nat.mul s.stride lanes) (Nat.sub (Nat.pow 2 (Nat.mul s.stride lanes)) 1)
    (rowsFrom s.stride (Nat.sub (Nat.pow 2 s.stride) 1) a.heads a.rows 0) a

/-- The layers behind `n` values, for so many parts. -/
def layersBeside (s : Scale) (lanes : Nat) : List Layer → Nat → List Layer
  | [], _ => []
  | .affine a :: layers, n => .affine (a.beside s lanes n) :: layersBeside s lanes layers a.rows
  | .relu negative positive :: layers, n =>
    .relu (repeated s lanes n negative) (repeated s lanes n positive) :: layersBeside s lanes layers n

/-! ### Digits -/

/-- The place of value `j` on the part of digit `v`. -/
def besides (lanes v j : Nat) : Nat := lanes * j + v % lanes
theorem besides_mod {lanes v j : Nat} (h : 0 < lanes) : besides lanes v j % lanes = v % lanes := by
  unfold besides
  rw [Nat.add_comm]; exact add_mul_mod _ (mod_lt h v)
theorem besides_div {lanes v j : Nat} (h : 0 < lanes) : besides lanes v j / lanes = j := by
  unfold besides
  rw [Nat.add_comm]; exact add_mul_div _ (mod_lt h v)
theorem besides_lt {lanes v j n : Nat} (h : 0 < lanes) (hj : j < n) : besides lanes v j < lanes * n := by
  unfold besides
  rw [Nat.add_comm]; exact add_mul_lt (mod_lt h v) hj

theorem grid_eq {lanes : Nat} (h : 0 < lanes) (b n : Nat) (f : Nat → Nat → Nat) :
    pack b (lanes * n) (fun v => f (v % lanes) (v / lanes)) =
    pack (b * lanes) n (fun i => pack b lanes (fun l => f l i)) := by
  rw [Decode.pack_group]
  refine pack_congr fun i _ => pack_congr fun l hl => ?_
  rw [Nat.add_comm, add_mul_mod _ hl, add_mul_div _ hl]

/-- The weights are row `i` of the digits. -/
def Weights (i : Nat) : List Column → List Digits → Prop
  | [], [] => True
  | w :: ws, e :: es => (w.positive = e.positive i ∧ w.negative = e.negative i) ∧ Weights i ws es
  | [], _ :: _ => False
  | _ :: _, [] => False
theorem rowOf_eq {b rows bound i : Nat} (hi : i < rows) (hb : bound < 2 ^ b) :
    (cs : List Column) → (es : List Digits) → Packed b rows bound cs es →
    Weights i (rowOf b (Nat.sub (Nat.pow 2 b) 1) i cs) es
  | [], [], _ => trivial
  | ⟨p, n⟩ :: cs, e :: es, ⟨⟨hp, hn, hd⟩, ht⟩ => by
    refine ⟨⟨?_, ?_⟩, rowOf_eq hi hb cs es ht⟩
    · have hp : p = _ := hp
      show Nat.land (Nat.shiftRight p (b * i)) (2 ^ b - 1) = _
      rw [digit_eq, hp]
      exact digit_pack (fun i hi => Natural.lt_of_le_of_lt (hd i hi).1 hb) hi
    · have hn : n = _ := hn
      show Nat.land (Nat.shiftRight n (b * i)) (2 ^ b - 1) = _
      rw [digit_eq, hn]
      exact digit_pack (fun i hi => Natural.lt_of_le_of_lt (hd i hi).2 hb) hi
  | [], _ :: _, h => h.elim
  | _ :: _, [], h => h.elim

theorem addProducts_eq (p n x y sum : Nat) : addProducts p n x y sum = sum + (p * x + n * y) := by
  unfold addProducts
  cases hn : Nat.beq n 0 with
  | true => rw [Nat.eq_of_beq_eq_true hn, Nat.zero_mul]; rfl
  | false =>
    cases hp : Nat.beq p 0 with
    | true => rw [Nat.eq_of_beq_eq_true hp, Nat.zero_mul, Nat.zero_add]; rfl
    | false => rfl
theorem dot_cons (p n x y : Nat) (ws : List Column) (xs : List Memory) (sum : Nat) :
    dot (⟨p, n⟩ :: ws) (⟨x, y⟩ :: xs) sum = dot ws xs (sum + (p * x + n * y)) := by
  rw [← addProducts_eq]; rfl

theorem dot_eq {b lanes i : Nat} :
    (ws : List Column) → (es : List Digits) → (xs : List Memory) → (f g : Nat → Nat → Nat) →
    (sum : Nat) → Weights i ws es → xs.length = es.length →
    Each xs (fun j => pack b lanes (f j)) (fun j => pack b lanes (g j)) →
    dot ws xs sum =
      sum + pack b lanes (fun l => Compose.weighted es (fun j => f j l) (fun j => g j l) i)
  | [], [], _, _, _, sum, _, _, _ => by
    show sum = sum + pack b lanes (fun _ => 0)
    rw [pack_zero]; rfl
  | ⟨p, n⟩ :: ws, e :: es, ⟨x, y⟩ :: xs, f, g, sum, ⟨⟨hp, hn⟩, hw⟩, hl, ⟨hx, hy, he⟩ => by
    have hp : p = _ := hp
    have hn : n = _ := hn
    have hx : x = _ := hx
    have hy : y = _ := hy
    rw [dot_cons, dot_eq ws es xs (fun j => f (j + 1)) (fun j => g (j + 1)) _ hw
      (Nat.succ.inj hl) he, Nat.add_assoc, hp, hn, hx, hy, ← pack_mul, ← pack_mul, ← pack_add, ← pack_add]
    refine congrArg (fun t => sum + t) (pack_congr fun l _ => ?_)
    show _ = f 0 l * e.positive i + g 0 l * e.negative i + _
    rw [Nat.mul_comm (e.positive i), Nat.mul_comm (e.negative i)]
  | _ :: _, _ :: _, [], _, _, _, _, hl, _ => by cases hl
  | [], _ :: _, _, _, _, _, h, _, _ => h.elim
  | _ :: _, [], _, _, _, _, h, _, _ => h.elim

theorem dots_eq {b wide lanes rows bound : Nat} {cs : List Column} {es : List Digits}
    {xs : List Memory} {f g : Nat → Nat → Nat} (hb : bound < 2 ^ b) (hp : Packed b rows bound cs es)
    (hl : xs.length = es.length)
    (hx : Each xs (fun j => pack b lanes (f j)) (fun j => pack b lanes (g j))) :
    (count i : Nat) → i + count ≤ rows →
    joined wide (dots xs (rowsFrom b (Nat.sub (Nat.pow 2 b) 1) cs count i)) =
      pack wide count (fun k =>
        pack b lanes (fun l => Compose.weighted es (fun j => f j l) (fun j => g j l) (i + k)))
  | 0, _, _ => rfl
  | count + 1, i, h => by
    have hi : i < rows := Nat.le_trans (Nat.add_le_add (Nat.le.refl (n := i))
      (Nat.succ_le_succ (Nat.zero_le count))) h
    show dot _ xs 0 + Nat.shiftLeft (joined wide (dots xs (rowsFrom b _ cs count (i + 1)))) wide = _
    rw [dot_eq _ es xs f g 0 (rowOf_eq hi hb cs es hp) hl hx, Nat.zero_add,
      dots_eq hb hp hl hx count (i + 1) (by
        rw [Nat.add_assoc, Nat.add_comm 1]; exact h), NatEquations.shiftLeft_eq, Nat.mul_comm, pack_succ]
    refine congrArg (fun t => _ + 2 ^ wide * t) (pack_congr fun k _ => ?_)
    rw [Nat.add_assoc, Nat.add_comm 1]
theorem rowsProduct_eq {b wide lanes rows bound : Nat} {cs : List Column} {es : List Digits}
    {xs : List Memory} {f g : Nat → Nat → Nat} (hb : bound < 2 ^ b) (hp : Packed b rows bound cs es)
    (hl : xs.length = es.length)
    (hx : Each xs (fun j => pack b lanes (f j)) (fun j => pack b lanes (g j)))
    (count i : Nat) (h : i + count ≤ rows) :
    rowsProduct wide xs (rowsFrom b (Nat.sub (Nat.pow 2 b) 1) cs count i) =
      pack wide count (fun k =>
        pack b lanes (fun l => Compose.weighted es (fun j => f j l) (fun j => g j l) (i + k))) :=
  (joinedPairs_eq 32 wide _).trans (dots_eq hb hp hl hx count i h)

theorem weighted_words (S i : Nat) : (es : List Digits) → (l u m v : Nat → Nat) →
    Compose.weighted es (fun k => l k + S * u k) (fun k => m k + S * v k) i =
      Compose.weighted es l m i + S * Compose.weighted es u v i
  | [], _, _, _, _ => rfl
  | e :: es, l, u, m, v => by
    show (l 0 + S * u 0) * e.positive i + (m 0 + S * v 0) * e.negative i + Compose.weighted es _ _ i = _
    rw [weighted_words S i es (fun k => l (k + 1)) (fun k => u (k + 1)) (fun k => m (k + 1))
      (fun k => v (k + 1))]
    exact Linear.regroup _ _ _ _ _ _ _ _ _

theorem widen_eq {b wide : Nat} : (n : Nat) → (f : Nat → Nat) → (∀ i, i < n → f i < 2 ^ b) →
    widen b (Nat.sub (Nat.pow 2 b) 1) wide n (pack b n f) = pack wide n f
  | 0, _, _ => rfl
  | n + 1, f, h => by
    have h0 := h 0 (Nat.succ_le_succ (Nat.zero_le _))
    unfold widen
    rw [shift_pack_succ h0, widen_eq n (fun i => f (i + 1)) (fun i hi => h (i + 1) (Nat.succ_le_succ hi))]
    show Nat.land _ _ + Nat.shiftLeft _ _ = _
    rw [NatEquations.shiftLeft_eq, Nat.mul_comm, pack_succ]
    exact congrArg (fun t => t + _) (land_pack_succ h0)
theorem repeated_eq {s : Scale} {lanes n : Nat} {f : Nat → Nat} (hs : 0 < s.stride) (hl : 0 < lanes)
    (h : ∀ i, i < n → f i < 2 ^ s.stride) :
    repeated s lanes n (pack s.stride n f) = pack s.stride (lanes * n) (fun v => f (v / lanes)) := by
  unfold repeated
  rw [widen_eq n f h]
  show pack (s.stride * lanes) n f * ones s.stride lanes = _
  rw [grid_eq hl s.stride n (fun _ i => f i), Nat.mul_comm, ← pack_mul]
  refine pack_congr fun i _ => ?_
  rw [Nat.mul_comm, mul_ones hs]

/-! ### Rows and layers -/

theorem Substitution.beside_on {s : Scale} {lanes n l : Nat} {a : Substitution} {x y : Nat → K}
    (sf : s.Fits) (half : 0 < s.half) (center : 1 ≤ s.center) (hl : 0 < lanes) (h : a.Holds s x n y) :
    (a.beside s lanes n).HoldsOn (fun v => v % lanes = l) s (fun v => x (v / lanes)) (lanes * n)
    (fun v => y (v / lanes)) := by
  obtain ⟨es, bound, limit, tl, th, tm, hp, hn, _, e_mass, e_rest, e_restMass, rest, room⟩ := h
  have es_len : es.length = n := by rw [← Columns.packed_length _ _ hp, hn]
  have stride : 0 < s.stride := Nat.le_trans half (Nat.le_add_right _ _)
  have row_lt : ∀ {v}, v < lanes * a.rows → v / lanes < a.rows := fun h => Natural.div_lt hl h
  have under : ∀ {z}, z ≤ Linear.reach s bound n + limit → z < 2 ^ s.half := fun {z} hz => by
    refine Natural.lt_of_le_of_lt (Nat.le_trans hz (Nat.le_trans (Nat.le_add_right _ _)
      (Nat.le_trans (Nat.le_add_right _ _) room))) ?_
    have e : 2 ^ s.half = 2 ^ (s.half - 1 + 1) := by rw [Natural.succ_pred half]
    rw [e, Natural.pow_succ, Natural.two_mul]
    exact Nat.add_le_add (Nat.le.refl (n := 2 ^ (s.half - 1))) (Natural.two_pow_pos _)
  have wide : ∀ {z : Nat}, z < 2 ^ s.half → z < 2 ^ s.stride := fun hz =>
    Natural.lt_of_lt_of_le hz (Natural.two_pow_le (Nat.le_add_right _ _))
  have reaches : ∀ v, v < lanes * a.rows → ∀ f g : Nat → Nat,
      (∀ j, j < es.length → f j ≤ s.top ∧ g j ≤ s.top) →
      Compose.weighted es f g (v / lanes) ≤ Linear.reach s bound n := fun v hv f g hfg => by
    have z := weighted_reach (row_lt hv) a.heads es hp (f := f) (g := g)
      (fun k hk => hfg k (by rw [es_len, ← hn]; exact hk))
    rw [hn] at z; exact z
  have e_mass : a.mass = pack s.stride a.rows (fun i => s.center * Linear.mass es i) := by
    rw [e_mass, Linear.masses_eq _ _ hp, ← pack_mul]
  have masses : ∀ i, i < a.rows → s.center * Linear.mass es i ≤ Linear.reach s bound n := fun i hi => by
    have z := weighted_reach (s := s) hi a.heads es hp (f := fun _ => s.center) (g := fun _ => s.center)
      (fun _ _ => ⟨Nat.le_add_right _ _, Nat.le_add_right _ _⟩)
    rw [hn, mass_weighted] at z; exact z
  have small : ∀ {z : Nat}, z ≤ s.top → z < 2 ^ s.half := fun h => Natural.lt_of_le_of_lt h sf.half
  refine ⟨es, Linear.reach s bound n, limit, fun v => tl (v / lanes), fun v => th (v / lanes),
    fun v => tm (v / lanes), besides lanes, fun v => v / lanes, fun c b hc => ?_,
    fun v hv j hj => ⟨besides_lt hl (by rw [← es_len]; exact hj), fun e =>
      (besides_mod hl).trans e⟩, reaches, ?_, ?_, ?_, fun v hv => ?_, room⟩
  · -- the products
    obtain ⟨h1, h2, h3⟩ := hc
    show rowsProduct (s.stride * lanes) (pieces (s.stride * lanes) _ n c.direct c.mirrored)
      (rowsFrom s.stride _ a.heads a.rows 0) = pack s.stride (lanes * a.rows) _
    rw [h1, h2, Decode.pack_group, Decode.pack_group]
    have words : ∀ j, j < n → ∀ l, l < lanes → besides lanes l j < lanes * n := fun j hj l _ =>
      besides_lt hl hj
    have at_lane : ∀ {l j : Nat}, l < lanes → lanes * j + l = besides lanes l j := fun {l j} h => by
      unfold besides; rw [Natural.mod_eq_self h]
    obtain ⟨q1, q2⟩ := pieces_eq (b := s.stride * lanes) n
      (fun j => pack s.stride lanes (fun l =>
        Memory.directWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l))))
      (fun j => pack s.stride lanes (fun l =>
        Memory.mirroredWord s (b.lower (lanes * j + l)) (b.upper (lanes * j + l))))
      (fun j hj => ⟨pack_lt fun l hl' => by
          rw [at_lane hl']
          exact Memory.halves_lt (small (h3 _ (words j hj l hl')).1) (small (h3 _ (words j hj l hl')).2),
        pack_lt fun l hl' => Memory.halves_lt (small (Natural.sub_le _ _)) (small (Natural.sub_le _ _))⟩)
    obtain ⟨bound', bound_lt, hp'⟩ :
        ∃ bound', bound' < 2 ^ s.stride ∧ Packed s.stride a.rows bound' a.heads es := by
      cases hh : a.heads with
      | nil =>
        cases es with
        | nil => exact ⟨0, Natural.two_pow_pos _, trivial⟩
        | cons _ _ => rw [hh] at hp; exact hp.elim
      | cons _ cs =>
        rw [← hh]
        refine ⟨bound, wide (under (Nat.le_trans ?_ (Nat.le_add_right _ _))), hp⟩
        show bound ≤ n * (s.top * bound + s.top * bound)
        have t1 : 1 ≤ s.top := Nat.le_trans center (Nat.le_add_right _ _)
        have t2 : bound ≤ s.top * bound := by
          have z := Nat.mul_le_mul t1 (Nat.le.refl (n := bound))
          rw [Natural.one_mul] at z; exact z
        have t3 : 1 ≤ n := by rw [← hn, hh]; exact Nat.succ_le_succ (Nat.zero_le _)
        have z := Nat.mul_le_mul t3 (Nat.le_trans t2 (Nat.le_add_right _ (s.top * bound)))
        rw [Natural.one_mul] at z; exact z
    refine (rowsProduct_eq (b := s.stride) (lanes := lanes) bound_lt hp' (q2.trans es_len.symm) q1 a.rows 0
      (Natural.le_of_eq (Nat.zero_add _))).trans ?_
    refine Eq.trans ?_ (grid_eq hl s.stride a.rows (fun l i =>
      Compose.weighted es (fun j => b.lower (lanes * j + l))
          (fun j => s.top - b.upper (lanes * j + l)) i +
        2 ^ s.half * Compose.weighted es (fun j => b.upper (lanes * j + l))
          (fun j => s.top - b.lower (lanes * j + l)) i)).symm
    refine pack_congr fun i _ => pack_congr fun l _ => ?_
    rw [Nat.zero_add]
    exact weighted_words _ i es _ _ _ _
  · show repeated s lanes a.rows a.mass = _
    rw [e_mass]
    exact repeated_eq stride hl (fun i hi => wide (under (Nat.le_trans (masses i hi) (Nat.le_add_right _ _))))
  · show repeated s lanes a.rows a.rest = _
    rw [e_rest]
    exact repeated_eq stride hl (fun i hi => Memory.halves_lt
      (under (Nat.le_trans (rest i hi).1 (Nat.le_add_left _ _)))
      (under (Nat.le_trans (rest i hi).2.1 (Nat.le_add_left _ _))))
  · show repeated s lanes a.rows a.restMass = _
    rw [e_restMass]
    exact repeated_eq stride hl
      (fun i hi => wide (under (Nat.le_trans (rest i hi).2.2.1 (Nat.le_add_left _ _))))
  · have z := rest (v / lanes) (row_lt hv)
    have e : (fun j => x (besides lanes v j / lanes)) = x := funext fun j => by rw [besides_div hl]
    show tl (v / lanes) ≤ limit ∧ th (v / lanes) ≤ limit ∧ tm (v / lanes) ≤ limit ∧
      natural (tl (v / lanes)) ≤ natural s.unit * (natural (2 ^ a.shift) * y (v / lanes) -
        Compose.blend es (fun j => x (besides lanes v j / lanes)) (v / lanes)) + natural (tm (v / lanes)) ∧
      natural s.unit * (natural (2 ^ a.shift) * y (v / lanes) -
        Compose.blend es (fun j => x (besides lanes v j / lanes)) (v / lanes)) + natural (tm (v / lanes)) ≤
        natural (th (v / lanes))
    rw [e]; exact z

theorem chain_beside {s : Scale} {z : Nat → K} {m lanes l : Nat} (sf : s.Fits) (half : 0 < s.half)
    (center : 1 ≤ s.center) (hl : 0 < lanes) :
    (layers : List Layer) → (x : Nat → K) → (n : Nat) → Chain s z m layers x n →
    ChainOn (fun v => v % lanes = l) s (fun v => z (v / lanes)) (lanes * m) (layersBeside s lanes layers n)
      (fun v => x (v / lanes)) (lanes * n)
  | [], _, _, ⟨e1, e2⟩ => by subst e1; subst e2; exact ⟨rfl, rfl⟩
  | .affine a :: layers, x, n, ⟨y, n', ⟨h, e⟩, t⟩ => by
    subst e
    exact ⟨fun v => y (v / lanes), lanes * a.rows, ⟨Substitution.beside_on sf half center hl h, rfl⟩,
      chain_beside sf half center hl layers y _ t⟩
  | .relu negative positive :: layers, x, n, ⟨y, n', ⟨⟨d, p, e1, e2, hr⟩, relu, e⟩, t⟩ => by
    subst e
    have stride : 0 < s.stride := Nat.le_trans half (Nat.le_add_right _ _)
    have small : ∀ {w : Nat}, w ≤ s.center → w < 2 ^ s.stride := fun h => Natural.lt_of_lt_of_le
      (Natural.lt_of_le_of_lt (Nat.le_trans h (Nat.le_add_right _ _)) sf.half)
      (Natural.two_pow_le (Nat.le_add_right _ _))
    refine ⟨fun v => y (v / lanes), lanes * n', ⟨⟨fun v => d (v / lanes), fun v => p (v / lanes), ?_, ?_,
      fun v hv => hr _ (Natural.div_lt hl hv)⟩, fun v hv => relu _ (Natural.div_lt hl hv), rfl⟩,
      chain_beside sf half center hl layers y _ t⟩
    · rw [e1]; exact repeated_eq stride hl fun i hi => small (hr i hi).1
    · rw [e2]; exact repeated_eq stride hl fun i hi => small (hr i hi).2.1
end Forward
end PytestTorchLean
