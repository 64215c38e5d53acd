prelude
import PytestTorchLean.Check.Relaxation.Branch
import PytestTorchLean.Check.Extremum
/-!
# Through a maximum or a minimum: the lines, and one coefficient after the other

`max(a, b)` is at least `p * a + (1 - p) * b` for every `p` between 0 and 1, and at most `q * a + (1 - q) *
b` and an offset, which is computed here from the bounds of `a` and `b`. For a minimum the two change places.
A coefficient is written in its slot's place, or its slot is replaced by its bounds at once.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### The lines -/

/-- How far one value may lie above another: at most from its upper bound down to the other's lower one. -/
theorem apart_le {s : Scale} {l u l' u' : Nat} {x z : K} (h : Within s l u x) (h' : Within s l' u' z) :
    natural s.unit * x - natural s.unit * z ≤ (natural (u - l') : K) := by
  have a : natural s.unit * x + natural s.center ≤ (natural u : K) := h.2
  have b : (natural l' : K) ≤ natural s.unit * z + natural s.center := h'.1
  refine le_trans ?_ (Rows.sub_ge u l')
  exact le_cert ((ring5 K x z c u l, u - l - (x - z), u - (x + c) + (z + c - l)) _ _ _ _ _)
    (add_nonneg (sub_nonneg a) (sub_nonneg b))

/-- A mean of two numbers is at most their maximum. -/
theorem maximum_lower {a b y : K} (h : IsMaximum a b y) {p d : Nat} (hp : p ≤ d) :
    natural p * a + natural (d - p) * b ≤ natural d * y := by
  obtain ⟨h1, h2⟩ : a ≤ y ∧ b ≤ y := by
    cases h with
    | inl g => obtain ⟨g, e⟩ := g; rw [e]; exact ⟨le_refl _, g⟩
    | inr g => obtain ⟨g, e⟩ := g; rw [e]; exact ⟨g, le_refl _⟩
  have n1 := mul_nonneg (natural_nonneg (K := K) p) (sub_nonneg h1)
  have n2 := mul_nonneg (natural_nonneg (K := K) (d - p)) (sub_nonneg h2)
  rw [Linear.natural_sub hp] at n2 ⊢
  exact le_cert
    ((ring5 K p d a b y, d * y - (p * a + (d - p) * b), p * (y - a) + (d - p) * (y - b)) _ _ _ _ _)
    (add_nonneg n1 n2)
theorem minimum_upper {a b y : K} (h : IsMinimum a b y) {q d : Nat} (hq : q ≤ d) :
    natural d * y ≤ natural q * a + natural (d - q) * b := by
  obtain ⟨h1, h2⟩ : y ≤ a ∧ y ≤ b := by
    cases h with
    | inl g => obtain ⟨g, e⟩ := g; rw [e]; exact ⟨le_refl _, g⟩
    | inr g => obtain ⟨g, e⟩ := g; rw [e]; exact ⟨g, le_refl _⟩
  have n1 := mul_nonneg (natural_nonneg (K := K) q) (sub_nonneg h1)
  have n2 := mul_nonneg (natural_nonneg (K := K) (d - q)) (sub_nonneg h2)
  rw [Linear.natural_sub hq] at n2 ⊢
  exact le_cert ((ring5 K p d a b y, p * a + (d - p) * b - d * y, p * (a - y) + (d - p) * (b - y)) _ _ _ _ _)
    (add_nonneg n1 n2)

/-- Twice a mean and an offset: enough for both cases, whichever of the two numbers is the larger one. -/
theorem maximum_upper {a b y : K} (h : IsMaximum a b y) {q d down up offset : Nat}
    (hq : q ≤ d)
    (hd : b - a ≤ natural down)
    (hu : a - b ≤ natural up)
    (left : q * down ≤ offset)
    (right : (d - q) * up ≤ offset) :
    natural d * y ≤ natural q * a + natural (d - q) * b + natural offset := by
  have l := natural_le (K := K) left
  have r := natural_le (K := K) right
  rw [natural_mul] at l r
  cases h with
  | inl g =>
    obtain ⟨_, e⟩ := g
    have t := mul_le_left (natural_nonneg (K := K) (d - q)) hu
    rw [e]
    refine le_cert ?_ (add_nonneg (sub_nonneg t) (sub_nonneg r))
    rw [Linear.natural_sub hq]
    exact (ring8 K q d a b u o v w, q * a + (d - q) * b + o - d * a,
        (d - q) * u - (d - q) * (a - b) + (o - (d - q) * u)) _ _ _ _ _ _ 0 0
  | inr g =>
    obtain ⟨_, e⟩ := g
    have t := mul_le_left (natural_nonneg (K := K) q) hd
    rw [e]
    refine le_cert ?_ (add_nonneg (sub_nonneg t) (sub_nonneg l))
    rw [Linear.natural_sub hq]
    exact (ring8 K q d a b u o v w, q * a + (d - q) * b + o - d * b, q * u - q * (b - a) + (o - q * u)) _ _ _
      _ _ _ 0 0
theorem minimum_lower {a b y : K} (h : IsMinimum a b y) {p d down up offset : Nat}
    (hp : p ≤ d)
    (hd : b - a ≤ natural down)
    (hu : a - b ≤ natural up)
    (left : (d - p) * down ≤ offset)
    (right : p * up ≤ offset) :
    natural p * a + natural (d - p) * b ≤ natural d * y + natural offset := by
  have l := natural_le (K := K) left
  have r := natural_le (K := K) right
  rw [natural_mul] at l r
  cases h with
  | inl g =>
    obtain ⟨_, e⟩ := g
    have t := mul_le_left (natural_nonneg (K := K) (d - p)) hd
    rw [e]
    refine le_cert ?_ (add_nonneg (sub_nonneg t) (sub_nonneg l))
    rw [Linear.natural_sub hp]
    exact (ring8 K q d a b u o v w, d * a + o - (q * a + (d - q) * b),
        (d - q) * u - (d - q) * (b - a) + (o - (d - q) * u)) _ _ _ _ _ _ 0 0
  | inr g =>
    obtain ⟨_, e⟩ := g
    have t := mul_le_left (natural_nonneg (K := K) p) hu
    rw [e]
    refine le_cert ?_ (add_nonneg (sub_nonneg t) (sub_nonneg r))
    rw [Linear.natural_sub hp]
    exact (ring8 K q d a b u o v w, d * b + o - (q * a + (d - q) * b), q * u - q * (a - b) + (o - q * u)) _ _
      _ _ _ _ 0 0

/-- A choice between two numbers is one between their multiples. -/
theorem choice_values {s : Scale} {maximum : Bool} {x z y : K} (h : Extremum.IsChoice maximum x z y) :
    Extremum.IsChoice maximum (natural s.unit * x) (natural s.unit * z) (natural s.unit * y) := by
  have unit := natural_nonneg (K := K) s.unit
  cases maximum with
  | true =>
    cases h with
    | inl g => obtain ⟨g, e⟩ := g; exact Or.inl ⟨mul_le_left unit g, by rw [e]⟩
    | inr g => obtain ⟨g, e⟩ := g; exact Or.inr ⟨mul_le_left unit g, by rw [e]⟩
  | false =>
    cases h with
    | inl g => obtain ⟨g, e⟩ := g; exact Or.inl ⟨mul_le_left unit g, by rw [e]⟩
    | inr g => obtain ⟨g, e⟩ := g; exact Or.inr ⟨mul_le_left unit g, by rw [e]⟩

/-- The larger of two products: the offset of the line that needs one. -/
def chosenOffset (slope rest down up : Nat) : Nat :=
  force (fun left => force (fun right => Nat.add left (Nat.sub right left)) (Nat.mul rest up))
    (Nat.mul slope down)
theorem chosenOffset_le (slope rest down up : Nat) :
    slope * down ≤ chosenOffset slope rest down up ∧ rest * up ≤ chosenOffset slope rest down up := by
  have e : chosenOffset slope rest down up = slope * down + (rest * up - slope * down) := by
    unfold chosenOffset
    rw [force_eq, force_eq]
    rfl
  rw [e]
  refine ⟨Nat.le_add_right _ _, ?_⟩
  cases Nat.le_total (slope * down) (rest * up) with
  | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact Nat.le.refl
  | inr g => exact Nat.le_trans g (Nat.le_add_right _ _)
theorem chosenOffset_bound {slope rest down up d t : Nat} (h : slope + rest ≤ d) (hd : down ≤ t)
    (hu : up ≤ t) :
    chosenOffset slope rest down up ≤ d * t := by
  have e : chosenOffset slope rest down up = slope * down + (rest * up - slope * down) := by
    unfold chosenOffset
    rw [force_eq, force_eq]
    rfl
  rw [e]
  refine Nat.le_trans
    (Nat.add_le_add (Nat.mul_le_mul Nat.le.refl hd)
      (Nat.le_trans (Natural.sub_le _ _) (Nat.mul_le_mul Nat.le.refl hu))) ?_
  rw [← Nat.add_mul]
  exact Nat.mul_le_mul h Nat.le.refl

/-! ### One coefficient after the other -/

/-- What the rows have been replaced by so far: coefficients of `m` slots from `first` on, gains and losses,
    after `k` additions of at most `e` to each coefficient, `t` to each constant. -/
def Replaced (s : Scale) (frame : Frame) (slots : Nat → K) (first m e t k positive negative gain loss : Nat)
    (total : Nat → K) : Prop :=
  ∃ (p q : Nat → Nat → Nat) (c d : Nat → Nat), positive = grid frame.digit frame.width m frame.rows p ∧
    negative = grid frame.digit frame.width m frame.rows q ∧
    gain = side frame.digit frame.width frame.rows c ∧
    loss = side frame.digit frame.width frame.rows d ∧
    ∀ r, r < frame.rows →
      (∀ j, j < m → p r j ≤ k * e ∧ q r j ≤ k * e) ∧
        c r ≤ k * t ∧
        d r ≤ k * t ∧
        form m (p r) (q r) (values s slots first) + natural (c r) ≤ total r + natural (d r)

/-- The value of a slot with coefficients `more` in the positive part, `fewer` in the negative one, row by
    row: in its place if that is among the `m` slots from `first` on, otherwise replaced by its bounds. -/
def place (s : Scale) (frame : Frame) (first m direct slot more fewer positive negative gain loss : Nat)
    (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool)
    (both (Nat.ble first slot) (Nat.ble (Nat.succ slot) (Nat.add first m)))
    (force (fun word => force (fun gain' => force (fun loss' => next positive negative gain' loss')
          (Nat.add loss (Nat.mul s.center (Nat.add more fewer))))
        (Nat.add gain (Nat.add (Nat.mul (Nat.land word (Nat.sub (Nat.pow 2 s.half) 1)) more)
          (Nat.mul (Nat.sub s.top (Nat.shiftRight word s.half)) fewer))))
      (Memory.lookup s.stride direct slot))
    (force (fun unit => force (fun positive' => force (fun negative' => next positive' negative' gain loss)
        (Nat.add negative (Nat.mul unit fewer))) (Nat.add positive (Nat.mul unit more)))
      (Nat.pow 2 (Nat.mul frame.digit (Nat.sub slot first))))

/-- The words of a slot. -/
theorem lookup_within {s : Scale} {slots : Nat → K} {direct mirrored count slot : Nat} (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots count) (h : slot < count) :
    ∃ l u, Nat.land (Memory.lookup s.stride direct slot) (Nat.sub (Nat.pow 2 s.half) 1) = l ∧
      Nat.shiftRight (Memory.lookup s.stride direct slot) s.half = u ∧
      l ≤ u ∧
      u ≤ s.top ∧
      Within s l u (slots slot) := by
  obtain ⟨l, u, h1, _, hw⟩ := hm
  have h1 : direct = pack s.stride count (fun i => Memory.directWord s (l i) (u i)) := h1
  obtain ⟨w1, w2, w3⟩ := hw slot h
  have small : l slot < 2 ^ s.half := Nat.le_trans (Nat.succ_le_succ (Nat.le_trans w1 w2)) sf.half
  have e : Memory.lookup s.stride direct slot = l slot + 2 ^ s.half * u slot := by
    rw [h1, Memory.lookup_pack (fun i hi => (Memory.word_lt sf (hw i hi).1 (hw i hi).2.1).1) h]; rfl
  refine ⟨l slot, u slot, ?_, ?_, w1, w2, w3⟩
  · rw [e]
    exact (land_low _ _).trans (Natural.add_mul_mod _ small)
  · rw [e]
    exact Natural.add_mul_div _ small

/-- One coefficient in one place. -/
theorem column_place {b w m R i : Nat} (hi : i < m) (g : Nat → Nat) :
    2 ^ (b * i) * side b w R g = grid b w m R fun r j => g r * indicator i j := by
  rw [← side_mul_pack, pack_indicator b i m hi, Nat.mul_comm]

theorem place_sound {s : Scale} {frame : Frame} {slots : Nat → K}
    {first m direct mirrored memory slot e t k more fewer positive negative gain loss : Nat} {total : Nat → K}
    {f g : Nat → Nat} {next : Nat → Nat → Nat → Nat → Bool}
    (sf : s.Fits)
    (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hs : slot < memory)
    (h1 : more = side frame.digit frame.width frame.rows f)
    (h2 : fewer = side frame.digit frame.width frame.rows g)
    (h3 : ∀ r, r < frame.rows → f r ≤ e ∧ g r ≤ e)
    (ht : s.top * e + s.top * e ≤ t)
    (hx : Replaced s frame slots first m e t k positive negative gain loss total)
    (h : place s frame first m direct slot more fewer positive negative gain loss next = true) :
    ∃ positive' negative' gain' loss', Replaced s frame slots first m e t (k + 1) positive' negative' gain'
        loss' (fun r => total r + (natural (f r) - natural (g r)) * (natural s.unit * slots slot)) ∧
      next positive' negative' gain' loss' = true := by
  obtain ⟨p, q, c, d, p1, p2, p3, p4, hr⟩ := hx
  unfold place at h
  cases inside : both (Nat.ble first slot) (Nat.ble (Nat.succ slot) (Nat.add first m)) with
  | true =>
    rw [inside] at h
    simp only [force_eq] at h
    obtain ⟨i1, i2⟩ := both_true inside
    obtain ⟨i, rfl⟩ := Nat.exists_of_le (Nat.le_of_ble_eq_true i1)
    have hi : i < m :=
      Nat.le_of_succ_le_succ (Memory.lt_of_add_lt (c := first) (Nat.succ_le_succ (Nat.le_of_ble_eq_true i2)))
    have shift : Nat.sub (first + i) first = i := Natural.add_sub_cancel_left _ _
    rw [shift] at h
    refine ⟨_, _, _, _, ?_, h⟩
    refine ⟨fun r j => p r j + f r * indicator i j, fun r j => q r j + g r * indicator i j, c, d, ?_, ?_, p3,
        p4, fun r hr' => ?_⟩
    · show positive + 2 ^ (frame.digit * i) * more = _
      rw [p1, h1, column_place hi, grid_add]
    · show negative + 2 ^ (frame.digit * i) * fewer = _
      rw [p2, h2, column_place hi, grid_add]
    · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
      obtain ⟨b1, b2⟩ := h3 r hr'
      have one : ∀ a j, a * indicator i j ≤ a := fun a j => by
        unfold indicator
        cases Nat.beq i j with
        | true => exact Natural.le_of_eq (Nat.mul_one a)
        | false => exact Nat.zero_le _
      have step : ∀ {a : Nat}, a ≤ k * t → a ≤ (k + 1) * t :=
        fun h => Nat.le_trans h (by rw [Nat.succ_mul]; exact Nat.le_add_right _ _)
      refine ⟨fun j hj => ⟨?_, ?_⟩, step q2, step q3, ?_⟩
      · rw [Nat.succ_mul]; exact Nat.add_le_add (q1 j hj).1 (Nat.le_trans (one _ j) b1)
      · rw [Nat.succ_mul]; exact Nat.add_le_add (q1 j hj).2 (Nat.le_trans (one _ j) b2)
      · rw [form_add, form_indicator _ _ m i _ hi]
        show form m (p r) (q r) (values s slots first) +
          (natural (f r) - natural (g r)) * (natural s.unit * slots (first + i)) + natural (c r) ≤ _
        refine le_cert ?_ (sub_nonneg q4)
        exact (ring5 K a x c o d, o + x + d - (a + x + c), o + d - (a + c)) _ _ _ _ _
  | false =>
    rw [inside] at h
    simp only [force_eq] at h
    obtain ⟨l, u, e1, e2, lu, ut, w⟩ := lookup_within sf hm hs
    rw [e1, e2] at h
    have lt : l ≤ s.top := Nat.le_trans lu ut
    refine ⟨_, _, _, _, ?_, h⟩
    refine ⟨p, q, fun r => c r + (l * f r + (s.top - u) * g r), fun r => d r + s.center * (f r + g r), p1, p2,
        ?_, ?_, fun r hr' => ?_⟩
    · show gain + (l * more + (s.top - u) * fewer) = _
      rw [p3, h1, h2, side_add, side_add, side_mul, side_mul]
    · show loss + s.center * (more + fewer) = _
      rw [p4, h1, h2, side_add, side_mul, side_add]
    · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
      obtain ⟨b1, b2⟩ := h3 r hr'
      have step : ∀ {a : Nat}, a ≤ k * e → a ≤ (k + 1) * e :=
        fun h => Nat.le_trans h (by rw [Nat.succ_mul]; exact Nat.le_add_right _ _)
      refine ⟨fun j hj => ⟨step (q1 j hj).1, step (q1 j hj).2⟩, ?_, ?_, ?_⟩
      · rw [Nat.succ_mul]
        refine Nat.add_le_add q2
          (Nat.le_trans (Nat.add_le_add (Nat.mul_le_mul lt b1) (Nat.mul_le_mul (Natural.sub_le _ _) b2)) ht)
      · rw [Nat.succ_mul]
        refine Nat.add_le_add q3
          (Nat.le_trans (Nat.mul_le_mul (Nat.le_add_right s.center s.center) (Nat.add_le_add b1 b2)) ?_)
        show s.top * (e + e) ≤ t
        rw [Nat.mul_add]
        exact ht
      · have w1 : (natural l : K) ≤ natural s.unit * slots slot + natural s.center := w.1
        have w2 : natural s.unit * slots slot + natural s.center ≤ (natural u : K) := w.2
        have n1 := mul_nonneg (natural_nonneg (K := K) (f r)) (sub_nonneg w1)
        have n2 := mul_nonneg (natural_nonneg (K := K) (g r)) (sub_nonneg w2)
        have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
        show _ ≤ total r + (natural (f r) - natural (g r)) * (natural s.unit * slots slot) + _
        rw [natural_add, natural_add, natural_add, natural_mul, natural_mul, natural_mul, natural_add,
            Linear.natural_sub ut, top]
        generalize form m (p r) (q r) (values s slots first) = a at q4 ⊢
        generalize (natural s.unit : K) * slots slot = v at *
        have whole := add_nonneg (sub_nonneg q4) (add_nonneg n1 n2)
        generalize total r = o at *
        refine le_cert ?_ whole
        generalize (natural (c r) : K) = x at *
        generalize (natural (d r) : K) = y at *
        have rest := (ring8 K f g v n l u p q, (f - g) * v + n * (f + g) - (l * f + (n + n - u) * g),
            f * (v + n - l) + g * (u - (v + n))) (natural (f r)) (natural (g r)) v (natural s.center)
          (natural l) (natural u) 0 0
        rw [← rest]
        exact (ring8 K o y a x p q w v, o + p + (y + q) - (a + (x + w)), o + y - (a + x) + (p + q - w)) _ _ _
          _ _ _ _ 0

/-- An offset charged against rows. -/
theorem charge_sound {s : Scale} {frame : Frame} {slots : Nat → K}
    {first m e t k offset column positive negative gain loss : Nat} {total : Nat → K} {z : Nat → Nat}
    (hz : column = side frame.digit frame.width frame.rows z)
    (ht : ∀ r, r < frame.rows → offset * z r ≤ t)
    (hx : Replaced s frame slots first m e t k positive negative gain loss total) :
    Replaced s frame slots first m e t (k + 1) positive negative gain (loss + offset * column)
    fun r => total r - natural (offset * z r) := by
  obtain ⟨p, q, c, d, p1, p2, p3, p4, hr⟩ := hx
  refine ⟨p, q, c, fun r => d r + offset * z r, p1, p2, p3, ?_, fun r hr' => ?_⟩
  · rw [p4, hz, side_add, side_mul]
  · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
    have step : ∀ {a b : Nat}, a ≤ k * b → a ≤ (k + 1) * b :=
      fun h => Nat.le_trans h (by rw [Nat.succ_mul]; exact Nat.le_add_right _ _)
    refine ⟨fun j hj => ⟨step (q1 j hj).1, step (q1 j hj).2⟩, step q2, ?_, ?_⟩
    · rw [Nat.succ_mul]; exact Nat.add_le_add q3 (ht r hr')
    · rw [natural_add]
      refine le_cert ?_ (sub_nonneg q4)
      exact (ring5 K a c o d x, o - x + (d + x) - (a + c), o + d - (a + c)) _ _ _ _ _
theorem Replaced.mono {s : Scale} {frame : Frame} {slots : Nat → K}
    {first m e t k positive negative gain loss : Nat} {total total' : Nat → K}
    (h : ∀ r, r < frame.rows → total r ≤ total' r)
    (hx : Replaced s frame slots first m e t k positive negative gain loss total) :
    Replaced s frame slots first m e t k positive negative gain loss total' := by
  obtain ⟨p, q, c, d, p1, p2, p3, p4, hr⟩ := hx
  refine ⟨p, q, c, d, p1, p2, p3, p4, fun r hr' => ?_⟩
  obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
  exact ⟨q1, q2, q3, le_trans q4 (add_le_add (h r hr') (le_refl _))⟩
end Relaxation
end PytestTorchLean
