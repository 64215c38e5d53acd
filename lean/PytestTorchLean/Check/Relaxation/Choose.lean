prelude
import PytestTorchLean.Check.Relaxation.Branch
import PytestTorchLean.Check.Extremum
/-!
# Through a maximum or a minimum of two slots

`max(a, b)` is at least `p * a + (1 - p) * b` for every `p` between 0 and 1, and at most `q * a + (1 - q) * b` and an
offset, which is computed here from the bounds of `a` and `b`. The certificate gives both slopes of every result, as
multiples of `2^-bits`. For a minimum the two change places. What a result reads may stand anywhere: a slot outside of
the run that the rows go on with is replaced by its bounds at once, as the constant in `max(a, 6)` is.
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
  exact le_cert ((ring5 K x z c u l, u - l - (x - z), u - (x + c) + (z + c - l)) _ _ _ _ _) (add_nonneg (sub_nonneg a) (sub_nonneg b))

/-- A mean of two numbers is at most their maximum. -/
theorem maximum_lower {a b y : K} (h : IsMaximum a b y) {p d : Nat} (hp : p ≤ d) : natural p * a + natural (d - p) * b ≤ natural d * y := by
  obtain ⟨h1, h2⟩ : a ≤ y ∧ b ≤ y := by
    cases h with
    | inl g => obtain ⟨g, e⟩ := g; rw [e]; exact ⟨le_refl _, g⟩
    | inr g => obtain ⟨g, e⟩ := g; rw [e]; exact ⟨g, le_refl _⟩
  have n1 := mul_nonneg (natural_nonneg (K := K) p) (sub_nonneg h1)
  have n2 := mul_nonneg (natural_nonneg (K := K) (d - p)) (sub_nonneg h2)
  rw [Linear.natural_sub hp] at n2 ⊢
  exact le_cert ((ring5 K p d a b y, d * y - (p * a + (d - p) * b), p * (y - a) + (d - p) * (y - b)) _ _ _ _ _) (add_nonneg n1 n2)
theorem minimum_upper {a b y : K} (h : IsMinimum a b y) {q d : Nat} (hq : q ≤ d) : natural d * y ≤ natural q * a + natural (d - q) * b := by
  obtain ⟨h1, h2⟩ : y ≤ a ∧ y ≤ b := by
    cases h with
    | inl g => obtain ⟨g, e⟩ := g; rw [e]; exact ⟨le_refl _, g⟩
    | inr g => obtain ⟨g, e⟩ := g; rw [e]; exact ⟨g, le_refl _⟩
  have n1 := mul_nonneg (natural_nonneg (K := K) q) (sub_nonneg h1)
  have n2 := mul_nonneg (natural_nonneg (K := K) (d - q)) (sub_nonneg h2)
  rw [Linear.natural_sub hq] at n2 ⊢
  exact le_cert ((ring5 K p d a b y, p * a + (d - p) * b - d * y, p * (a - y) + (d - p) * (b - y)) _ _ _ _ _) (add_nonneg n1 n2)

/-- Twice a mean and an offset: enough for both cases, whichever of the two numbers is the larger one. -/
theorem maximum_upper {a b y : K} (h : IsMaximum a b y) {q d down up offset : Nat} (hq : q ≤ d) (hd : b - a ≤ natural down) (hu : a - b ≤ natural up)
    (left : q * down ≤ offset) (right : (d - q) * up ≤ offset) : natural d * y ≤ natural q * a + natural (d - q) * b + natural offset := by
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
    exact (ring8 K q d a b u o v w, q * a + (d - q) * b + o - d * a, (d - q) * u - (d - q) * (a - b) + (o - (d - q) * u)) _ _ _ _ _ _ 0 0
  | inr g =>
    obtain ⟨_, e⟩ := g
    have t := mul_le_left (natural_nonneg (K := K) q) hd
    rw [e]
    refine le_cert ?_ (add_nonneg (sub_nonneg t) (sub_nonneg l))
    rw [Linear.natural_sub hq]
    exact (ring8 K q d a b u o v w, q * a + (d - q) * b + o - d * b, q * u - q * (b - a) + (o - q * u)) _ _ _ _ _ _ 0 0
theorem minimum_lower {a b y : K} (h : IsMinimum a b y) {p d down up offset : Nat} (hp : p ≤ d) (hd : b - a ≤ natural down) (hu : a - b ≤ natural up)
    (left : (d - p) * down ≤ offset) (right : p * up ≤ offset) : natural p * a + natural (d - p) * b ≤ natural d * y + natural offset := by
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
    exact (ring8 K q d a b u o v w, d * a + o - (q * a + (d - q) * b), (d - q) * u - (d - q) * (b - a) + (o - (d - q) * u)) _ _ _ _ _ _ 0 0
  | inr g =>
    obtain ⟨_, e⟩ := g
    have t := mul_le_left (natural_nonneg (K := K) p) hu
    rw [e]
    refine le_cert ?_ (add_nonneg (sub_nonneg t) (sub_nonneg r))
    rw [Linear.natural_sub hp]
    exact (ring8 K q d a b u o v w, d * b + o - (q * a + (d - q) * b), q * u - q * (a - b) + (o - q * u)) _ _ _ _ _ _ 0 0

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
  force (fun left => force (fun right => Nat.add left (Nat.sub right left)) (Nat.mul rest up)) (Nat.mul slope down)
theorem chosenOffset_le (slope rest down up : Nat) : slope * down ≤ chosenOffset slope rest down up ∧ rest * up ≤ chosenOffset slope rest down up := by
  have e : chosenOffset slope rest down up = slope * down + (rest * up - slope * down) := by unfold chosenOffset; rw [force_eq, force_eq]; rfl
  rw [e]
  refine ⟨Nat.le_add_right _ _, ?_⟩
  cases Nat.le_total (slope * down) (rest * up) with
  | inl g => rw [Nat.add_comm, Natural.sub_add_cancel g]; exact Nat.le.refl
  | inr g => exact Nat.le_trans g (Nat.le_add_right _ _)
theorem chosenOffset_bound {slope rest down up d t : Nat} (h : slope + rest ≤ d) (hd : down ≤ t) (hu : up ≤ t) : chosenOffset slope rest down up ≤ d * t := by
  have e : chosenOffset slope rest down up = slope * down + (rest * up - slope * down) := by unfold chosenOffset; rw [force_eq, force_eq]; rfl
  rw [e]
  refine Nat.le_trans (Nat.add_le_add (Nat.mul_le_mul Nat.le.refl hd) (Nat.le_trans (Natural.sub_le _ _) (Nat.mul_le_mul Nat.le.refl hu))) ?_
  rw [← Nat.add_mul]
  exact Nat.mul_le_mul h Nat.le.refl

/-! ### One coefficient after the other -/

/-- What the rows have been replaced by so far: coefficients of `m` slots from `first` on, gains and losses, after `k` additions of at most `e`
    to each coefficient, `t` to each constant. -/
def Replaced (s : Scale) (frame : Frame) (slots : Nat → K) (first m e t k positive negative gain loss : Nat) (total : Nat → K) : Prop :=
  ∃ (p q : Nat → Nat → Nat) (c d : Nat → Nat), positive = grid frame.digit frame.width m frame.rows p ∧ negative = grid frame.digit frame.width m frame.rows q ∧
    gain = side frame.digit frame.width frame.rows c ∧ loss = side frame.digit frame.width frame.rows d ∧
    ∀ r, r < frame.rows → (∀ j, j < m → p r j ≤ k * e ∧ q r j ≤ k * e) ∧ c r ≤ k * t ∧ d r ≤ k * t ∧
      form m (p r) (q r) (values s slots first) + natural (c r) ≤ total r + natural (d r)

/-- The value of a slot with coefficients `more` in the positive part, `fewer` in the negative one, row by row: in its place if that is among the
    `m` slots from `first` on, otherwise replaced by its bounds. -/
def place (s : Scale) (frame : Frame) (first m direct slot more fewer positive negative gain loss : Nat) (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  Bool.casesOn (motive := fun _ => Bool) (both (Nat.ble first slot) (Nat.ble (Nat.succ slot) (Nat.add first m)))
    (force (fun word => force (fun gain' => force (fun loss' => next positive negative gain' loss')
          (Nat.add loss (Nat.mul s.center (Nat.add more fewer))))
        (Nat.add gain (Nat.add (Nat.mul (Nat.land word (Nat.sub (Nat.pow 2 s.half) 1)) more)
          (Nat.mul (Nat.sub s.top (Nat.shiftRight word s.half)) fewer))))
      (Memory.lookup s.stride direct slot))
    (force (fun unit => force (fun positive' => force (fun negative' => next positive' negative' gain loss)
        (Nat.add negative (Nat.mul unit fewer))) (Nat.add positive (Nat.mul unit more)))
      (Nat.pow 2 (Nat.mul frame.digit (Nat.sub slot first))))

/-- The words of a slot. -/
theorem lookup_within {s : Scale} {slots : Nat → K} {direct mirrored count slot : Nat} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots count)
    (h : slot < count) : ∃ l u, Nat.land (Memory.lookup s.stride direct slot) (Nat.sub (Nat.pow 2 s.half) 1) = l ∧
      Nat.shiftRight (Memory.lookup s.stride direct slot) s.half = u ∧ l ≤ u ∧ u ≤ s.top ∧ Within s l u (slots slot) := by
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

theorem place_sound {s : Scale} {frame : Frame} {slots : Nat → K} {first m direct mirrored memory slot e t k more fewer positive negative gain loss : Nat}
    {total : Nat → K} {f g : Nat → Nat} {next : Nat → Nat → Nat → Nat → Bool} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (hs : slot < memory) (h1 : more = side frame.digit frame.width frame.rows f) (h2 : fewer = side frame.digit frame.width frame.rows g)
    (h3 : ∀ r, r < frame.rows → f r ≤ e ∧ g r ≤ e) (ht : s.top * e + s.top * e ≤ t)
    (hx : Replaced s frame slots first m e t k positive negative gain loss total)
    (h : place s frame first m direct slot more fewer positive negative gain loss next = true) :
    ∃ positive' negative' gain' loss', Replaced s frame slots first m e t (k + 1) positive' negative' gain' loss'
      (fun r => total r + (natural (f r) - natural (g r)) * (natural s.unit * slots slot)) ∧ next positive' negative' gain' loss' = true := by
  obtain ⟨p, q, c, d, p1, p2, p3, p4, hr⟩ := hx
  unfold place at h
  cases inside : both (Nat.ble first slot) (Nat.ble (Nat.succ slot) (Nat.add first m)) with
  | true =>
    rw [inside] at h
    simp only [force_eq] at h
    obtain ⟨i1, i2⟩ := both_true inside
    obtain ⟨i, rfl⟩ := Nat.exists_of_le (Nat.le_of_ble_eq_true i1)
    have hi : i < m := Nat.le_of_succ_le_succ (Memory.lt_of_add_lt (c := first) (Nat.succ_le_succ (Nat.le_of_ble_eq_true i2)))
    have shift : Nat.sub (first + i) first = i := Natural.add_sub_cancel_left _ _
    rw [shift] at h
    refine ⟨_, _, _, _, ?_, h⟩
    refine ⟨fun r j => p r j + f r * indicator i j, fun r j => q r j + g r * indicator i j, c, d, ?_, ?_, p3, p4, fun r hr' => ?_⟩
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
      have step : ∀ {a : Nat}, a ≤ k * t → a ≤ (k + 1) * t := fun h => Nat.le_trans h (by rw [Nat.succ_mul]; exact Nat.le_add_right _ _)
      refine ⟨fun j hj => ⟨?_, ?_⟩, step q2, step q3, ?_⟩
      · rw [Nat.succ_mul]; exact Nat.add_le_add (q1 j hj).1 (Nat.le_trans (one _ j) b1)
      · rw [Nat.succ_mul]; exact Nat.add_le_add (q1 j hj).2 (Nat.le_trans (one _ j) b2)
      · rw [form_add, form_indicator _ _ m i _ hi]
        show form m (p r) (q r) (values s slots first) + (natural (f r) - natural (g r)) * (natural s.unit * slots (first + i)) + natural (c r) ≤ _
        refine le_cert ?_ (sub_nonneg q4)
        exact (ring5 K a x c o d, o + x + d - (a + x + c), o + d - (a + c)) _ _ _ _ _
  | false =>
    rw [inside] at h
    simp only [force_eq] at h
    obtain ⟨l, u, e1, e2, lu, ut, w⟩ := lookup_within sf hm hs
    rw [e1, e2] at h
    have lt : l ≤ s.top := Nat.le_trans lu ut
    refine ⟨_, _, _, _, ?_, h⟩
    refine ⟨p, q, fun r => c r + (l * f r + (s.top - u) * g r), fun r => d r + s.center * (f r + g r), p1, p2, ?_, ?_, fun r hr' => ?_⟩
    · show gain + (l * more + (s.top - u) * fewer) = _
      rw [p3, h1, h2, side_add, side_add, side_mul, side_mul]
    · show loss + s.center * (more + fewer) = _
      rw [p4, h1, h2, side_add, side_mul, side_add]
    · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
      obtain ⟨b1, b2⟩ := h3 r hr'
      have step : ∀ {a : Nat}, a ≤ k * e → a ≤ (k + 1) * e := fun h => Nat.le_trans h (by rw [Nat.succ_mul]; exact Nat.le_add_right _ _)
      refine ⟨fun j hj => ⟨step (q1 j hj).1, step (q1 j hj).2⟩, ?_, ?_, ?_⟩
      · rw [Nat.succ_mul]
        refine Nat.add_le_add q2 (Nat.le_trans (Nat.add_le_add (Nat.mul_le_mul lt b1) (Nat.mul_le_mul (Natural.sub_le _ _) b2)) ht)
      · rw [Nat.succ_mul]
        refine Nat.add_le_add q3 (Nat.le_trans (Nat.mul_le_mul (Nat.le_add_right s.center s.center) (Nat.add_le_add b1 b2)) ?_)
        show s.top * (e + e) ≤ t
        rw [Nat.mul_add]
        exact ht
      · have w1 : (natural l : K) ≤ natural s.unit * slots slot + natural s.center := w.1
        have w2 : natural s.unit * slots slot + natural s.center ≤ (natural u : K) := w.2
        have n1 := mul_nonneg (natural_nonneg (K := K) (f r)) (sub_nonneg w1)
        have n2 := mul_nonneg (natural_nonneg (K := K) (g r)) (sub_nonneg w2)
        have top : (natural s.top : K) = natural s.center + natural s.center := natural_add _ _
        show _ ≤ total r + (natural (f r) - natural (g r)) * (natural s.unit * slots slot) + _
        rw [natural_add, natural_add, natural_add, natural_mul, natural_mul, natural_mul, natural_add, Linear.natural_sub ut, top]
        generalize form m (p r) (q r) (values s slots first) = a at q4 ⊢
        generalize (natural s.unit : K) * slots slot = v at *
        have whole := add_nonneg (sub_nonneg q4) (add_nonneg n1 n2)
        generalize total r = o at *
        refine le_cert ?_ whole
        generalize (natural (c r) : K) = x at *
        generalize (natural (d r) : K) = y at *
        have rest := (ring8 K f g v n l u p q, (f - g) * v + n * (f + g) - (l * f + (n + n - u) * g), f * (v + n - l) + g * (u - (v + n))) (natural (f r)) (natural (g r)) v (natural s.center) (natural l) (natural u) 0 0
        rw [← rest]
        exact (ring8 K o y a x p q w v, o + p + (y + q) - (a + (x + w)), o + y - (a + x) + (p + q - w)) _ _ _ _ _ _ _ 0

/-- An offset charged against rows. -/
theorem charge_sound {s : Scale} {frame : Frame} {slots : Nat → K} {first m e t k offset column positive negative gain loss : Nat} {total : Nat → K} {z : Nat → Nat}
    (hz : column = side frame.digit frame.width frame.rows z) (ht : ∀ r, r < frame.rows → offset * z r ≤ t)
    (hx : Replaced s frame slots first m e t k positive negative gain loss total) :
    Replaced s frame slots first m e t (k + 1) positive negative gain (loss + offset * column) fun r => total r - natural (offset * z r) := by
  obtain ⟨p, q, c, d, p1, p2, p3, p4, hr⟩ := hx
  refine ⟨p, q, c, fun r => d r + offset * z r, p1, p2, p3, ?_, fun r hr' => ?_⟩
  · rw [p4, hz, side_add, side_mul]
  · obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
    have step : ∀ {a b : Nat}, a ≤ k * b → a ≤ (k + 1) * b := fun h => Nat.le_trans h (by rw [Nat.succ_mul]; exact Nat.le_add_right _ _)
    refine ⟨fun j hj => ⟨step (q1 j hj).1, step (q1 j hj).2⟩, step q2, ?_, ?_⟩
    · rw [Nat.succ_mul]; exact Nat.add_le_add q3 (ht r hr')
    · rw [natural_add]
      refine le_cert ?_ (sub_nonneg q4)
      exact (ring5 K a c o d x, o - x + (d + x) - (a + c), o + d - (a + c)) _ _ _ _ _
theorem Replaced.mono {s : Scale} {frame : Frame} {slots : Nat → K} {first m e t k positive negative gain loss : Nat} {total total' : Nat → K}
    (h : ∀ r, r < frame.rows → total r ≤ total' r) (hx : Replaced s frame slots first m e t k positive negative gain loss total) :
    Replaced s frame slots first m e t k positive negative gain loss total' := by
  obtain ⟨p, q, c, d, p1, p2, p3, p4, hr⟩ := hx
  refine ⟨p, q, c, d, p1, p2, p3, p4, fun r hr' => ?_⟩
  obtain ⟨q1, q2, q3, q4⟩ := hr r hr'
  exact ⟨q1, q2, q3, le_trans q4 (add_le_add (h r hr') (le_refl _))⟩

/-! ### One result after the other -/

/-- The coefficients of result `k`, spread over the two slots that it reads. -/
def chooseOne (s : Scale) (frame : Frame) (maximum : Bool) (bits lower upper sources first m direct memory positive negative k : Nat) (p n gain loss : Nat)
    (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  force (fun unit => force (fun slot => force (fun slot' => force (fun low => force (fun high =>
      both (both (both (Nat.ble (Nat.succ slot) memory) (Nat.ble (Nat.succ slot') memory)) (both (Nat.ble low unit) (Nat.ble high unit)))
        (force (fun more => force (fun fewer => force (fun word => force (fun word' =>
            place s frame first m direct slot (Nat.mul low more) (Nat.mul high fewer) p n gain loss fun p n gain loss =>
            place s frame first m direct slot' (Nat.mul (Nat.sub unit low) more) (Nat.mul (Nat.sub unit high) fewer) p n gain loss fun p n gain loss =>
            force (fun down => force (fun up => force (fun loss' => next p n gain loss')
              (Nat.add loss (Bool.casesOn (motive := fun _ => Nat) maximum (Nat.mul (chosenOffset (Nat.sub unit low) low down up) more) (Nat.mul (chosenOffset high (Nat.sub unit high) down up) fewer))))
              (Nat.sub (Nat.shiftRight word s.half) (Nat.land word' (Nat.sub (Nat.pow 2 s.half) 1))))
              (Nat.sub (Nat.shiftRight word' s.half) (Nat.land word (Nat.sub (Nat.pow 2 s.half) 1))))
          (Memory.lookup s.stride direct slot')) (Memory.lookup s.stride direct slot))
          (cutOut frame.digit frame.width frame.rows negative k 1)) (cutOut frame.digit frame.width frame.rows positive k 1)))
      (Memory.lookup (Nat.succ bits) upper k)) (Memory.lookup (Nat.succ bits) lower k))
      (Memory.lookup 32 sources (Nat.succ (Nat.mul 2 k)))) (Memory.lookup 32 sources (Nat.mul 2 k))) (Nat.pow 2 bits)
def chooseEach (s : Scale) (frame : Frame) (maximum : Bool) (bits lower upper sources first m direct memory positive negative n : Nat)
    (next : Nat → Nat → Nat → Nat → Bool) : Bool :=
  Nat.rec (motive := fun _ => (Nat → Nat → Nat → Nat → Bool) → Bool) (fun next => next 0 0 0 0)
    (fun k before next => before fun p q gain loss => chooseOne s frame maximum bits lower upper sources first m direct memory positive negative k p q gain loss next) n next

theorem lookup_word (sources i : Nat) : Memory.lookup 32 sources i = word sources i := digit_eq 32 sources i

/-- What a result is replaced by, row by row: `natural d * (f r - g r) * y` is not exceeded. -/
theorem chosen_le {maximum : Bool} {a b y : K} (h : Extremum.IsChoice maximum a b y) {low high d down up more fewer : Nat} (hl : low ≤ d) (hh : high ≤ d)
    (hd : b - a ≤ natural down) (hu : a - b ≤ natural up) :
    (natural (low * more) - natural (high * fewer)) * a + (natural ((d - low) * more) - natural ((d - high) * fewer)) * b -
        natural (cond maximum (chosenOffset high (d - high) down up * fewer) (chosenOffset (d - low) low down up * more)) ≤
      natural d * ((natural more - natural fewer) * y) := by
  have nm := natural_nonneg (K := K) more
  have nf := natural_nonneg (K := K) fewer
  cases maximum with
  | true =>
    have b1 := mul_nonneg nm (sub_nonneg (maximum_lower h hl))
    obtain ⟨o1, o2⟩ := chosenOffset_le high (d - high) down up
    have b2 := mul_nonneg nf (sub_nonneg (maximum_upper h hh hd hu o1 o2))
    show _ - natural (chosenOffset high (d - high) down up * fewer) ≤ _
    rw [natural_mul, natural_mul, natural_mul, natural_mul, natural_mul]
    refine le_cert ?_ (add_nonneg b1 b2)
    generalize (natural (d - low) : K) = l'
    generalize (natural (d - high) : K) = h'
    generalize (natural (chosenOffset high _ down up) : K) = o
    generalize (natural low : K) = l
    generalize (natural high : K) = h
    generalize (natural more : K) = m
    generalize (natural fewer : K) = f
    generalize (natural d : K) = d
    have e1 := (ring8 K m f d y l a k b, m * (d * y - (l * a + k * b)), m * d * y - m * l * a - m * k * b) m f d y l a l' b
    have e2 := (ring8 K o f d y l a k b, f * (l * a + k * b + o - d * y), f * l * a + f * k * b + f * o - f * d * y) o f d y h a h' b
    rw [e1, e2]
    have e3 := (ring8 K l m h f a k j b, (l * m - h * f) * a + (k * m - j * f) * b, m * l * a - f * h * a + (m * k * b - f * j * b)) l m h f a l' h' b
    rw [e3, (ring4 K d m f y, d * ((m - f) * y), m * d * y - f * d * y) d m f y, (ring2 K o f, o * f, f * o) o f]
    exact (ring8 K p q r t u v w z, p - q - (r - t + (u - v) - w), p - r - u + (t + v + w - q)) _ _ _ _ _ _ _ 0
  | false =>
    have b1 := mul_nonneg nf (sub_nonneg (minimum_upper h hh))
    obtain ⟨o1, o2⟩ := chosenOffset_le (d - low) low down up
    have b2 := mul_nonneg nm (sub_nonneg (minimum_lower h hl hd hu o1 o2))
    show _ - natural (chosenOffset (d - low) low down up * more) ≤ _
    rw [natural_mul, natural_mul, natural_mul, natural_mul, natural_mul]
    refine le_cert ?_ (add_nonneg b1 b2)
    generalize (natural (d - low) : K) = l'
    generalize (natural (d - high) : K) = h'
    generalize (natural (chosenOffset _ low down up) : K) = o
    generalize (natural low : K) = l
    generalize (natural high : K) = h
    generalize (natural more : K) = m
    generalize (natural fewer : K) = f
    generalize (natural d : K) = d
    have e1 := (ring8 K m f d y l a k b, f * (l * a + k * b - d * y), f * l * a + f * k * b - f * d * y) m f d y h a h' b
    have e2 := (ring8 K o m d y l a k b, m * (d * y + o - (l * a + k * b)), m * d * y + m * o - m * l * a - m * k * b) o m d y l a l' b
    rw [e1, e2]
    have e3 := (ring8 K l m h f a k j b, (l * m - h * f) * a + (k * m - j * f) * b, m * l * a - f * h * a + (m * k * b - f * j * b)) l m h f a l' h' b
    rw [e3, (ring4 K d m f y, d * ((m - f) * y), m * d * y - f * d * y) d m f y, (ring2 K o f, o * f, f * o) o m]
    exact (ring8 K p q r t u v w z, p - q - (r - t + (u - v) - w), t + v - q + (p + w - r - u)) _ _ _ _ _ _ _ 0

theorem chooseOne_sound {s : Scale} {frame : Frame} {slots : Nat → K} {maximum : Bool} {bits lower upper sources first m direct mirrored memory size n start k p q gain loss : Nat}
    {f g : Nat → Nat → Nat} {total : Nat → K} {next : Nat → Nat → Nat → Nat → Bool} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (digit : 0 < frame.digit) (hw : n ≤ frame.width) (hs : size ≤ frame.digit)
    (hf : ∀ r, r < frame.rows → ∀ j, j < n → f r j < 2 ^ size ∧ g r j < 2 ^ size) (hk : k < n)
    (choice : Extremum.IsChoice maximum (slots (word sources (2 * k))) (slots (word sources (2 * k + 1))) (slots (start + k)))
    (hx : Replaced s frame slots first m (2 ^ bits * 2 ^ size) (s.top * (2 ^ bits * 2 ^ size) + s.top * (2 ^ bits * 2 ^ size)) (3 * k) p q gain loss total)
    (h : chooseOne s frame maximum bits lower upper sources first m direct memory (grid frame.digit frame.width n frame.rows f) (grid frame.digit frame.width n frame.rows g) k p q gain loss next = true) :
    ∃ p' q' gain' loss', Replaced s frame slots first m (2 ^ bits * 2 ^ size) (s.top * (2 ^ bits * 2 ^ size) + s.top * (2 ^ bits * 2 ^ size)) (3 * (k + 1)) p' q' gain' loss'
      (fun r => total r + natural (2 ^ bits) * ((natural (f r k) - natural (g r k)) * values s slots start k)) ∧ next p' q' gain' loss' = true := by
  unfold chooseOne at h
  simp only [force_eq] at h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hc, hd⟩ := both_true hc
  obtain ⟨c1, c2⟩ := both_true hc
  obtain ⟨c3, c4⟩ := both_true hd
  have w1 : Memory.lookup 32 sources (Nat.mul 2 k) = word sources (2 * k) := lookup_word _ _
  have w2 : Memory.lookup 32 sources (Nat.succ (Nat.mul 2 k)) = word sources (2 * k + 1) := lookup_word _ _
  rw [w1] at c1 h
  rw [w2] at c2 h
  have c1 : word sources (2 * k) < memory := Nat.le_of_ble_eq_true c1
  have c2 : word sources (2 * k + 1) < memory := Nat.le_of_ble_eq_true c2
  generalize word sources (2 * k) = i at *
  generalize word sources (2 * k + 1) = i' at *
  generalize Memory.lookup (Nat.succ bits) lower k = low at *
  generalize Memory.lookup (Nat.succ bits) upper k = high at *
  have c3 : low ≤ 2 ^ bits := Nat.le_of_ble_eq_true c3
  have c4 : high ≤ 2 ^ bits := Nat.le_of_ble_eq_true c4
  have wide : ∀ {a : Nat}, a < 2 ^ size → a < 2 ^ frame.digit := fun h => Natural.lt_of_lt_of_le h (Natural.two_pow_le hs)
  have column : ∀ (A : Nat → Nat → Nat), (∀ r, r < frame.rows → ∀ j, j < n → A r j < 2 ^ size) →
      cutOut frame.digit frame.width frame.rows (grid frame.digit frame.width n frame.rows A) k 1 = side frame.digit frame.width frame.rows fun r => A r k := fun A hA => by
    rw [cutOut_eq digit hw (fun r hr j hj => wide (hA r hr j hj)) hk]
    rfl
  rw [column f fun r hr j hj => (hf r hr j hj).1, column g fun r hr j hj => (hf r hr j hj).2] at h
  obtain ⟨l, u, e1, e2, lu, ut, wi⟩ := lookup_within sf hm c1
  obtain ⟨l', u', e1', e2', lu', ut', wi'⟩ := lookup_within sf hm c2
  rw [e1, e2, e1', e2'] at h
  have bound : ∀ {a v : Nat}, a ≤ 2 ^ bits → v < 2 ^ size → a * v ≤ 2 ^ bits * 2 ^ size := fun ha hv => Nat.mul_le_mul ha (Natural.le_of_lt hv)
  have less : ∀ a, 2 ^ bits - a ≤ 2 ^ bits := fun a => Natural.sub_le _ _
  obtain ⟨p, q, gain, loss, hx, h⟩ := place_sound (f := fun r => low * f r k) (g := fun r => high * g r k) sf hm c1
    (side_mul _ _ _ _ _).symm (side_mul _ _ _ _ _).symm (fun r hr => ⟨bound c3 (hf r hr k hk).1, bound c4 (hf r hr k hk).2⟩) Nat.le.refl hx h
  obtain ⟨p, q, gain, loss, hx, h⟩ := place_sound (f := fun r => (2 ^ bits - low) * f r k) (g := fun r => (2 ^ bits - high) * g r k) sf hm c2
    (side_mul _ _ _ _ _).symm (side_mul _ _ _ _ _).symm (fun r hr => ⟨bound (less _) (hf r hr k hk).1, bound (less _) (hf r hr k hk).2⟩) Nat.le.refl hx h
  have small : ∀ {a v : Nat}, a ≤ 2 ^ bits * s.top → v < 2 ^ size → a * v ≤ s.top * (2 ^ bits * 2 ^ size) + s.top * (2 ^ bits * 2 ^ size) := fun {a v} ha hv => by
    refine Nat.le_trans (Nat.mul_le_mul ha (Natural.le_of_lt hv)) (Nat.le_trans (Natural.le_of_eq ?_) (Nat.le_add_right _ _))
    rw [Nat.mul_comm (2 ^ bits), Nat.mul_assoc]
  have exact_ : ∀ {a : Nat}, a ≤ 2 ^ bits → a + (2 ^ bits - a) = 2 ^ bits := fun h => by rw [Nat.add_comm]; exact Natural.sub_add_cancel h
  have down : u' - l ≤ s.top := Nat.le_trans (Natural.sub_le _ _) ut'
  have up : u - l' ≤ s.top := Nat.le_trans (Natural.sub_le _ _) ut
  have charged := charge_sound (offset := cond maximum (chosenOffset high (2 ^ bits - high) (u' - l) (u - l')) (chosenOffset (2 ^ bits - low) low (u' - l) (u - l')))
    (z := fun r => cond maximum (g r k) (f r k)) (column := cond maximum (side frame.digit frame.width frame.rows fun r => g r k) (side frame.digit frame.width frame.rows fun r => f r k))
    (by cases maximum <;> rfl)
    (fun r hr => by
      cases maximum with
      | true => exact small (chosenOffset_bound (Natural.le_of_eq (exact_ c4)) down up) (hf r hr k hk).2
      | false => exact small (chosenOffset_bound (Natural.le_of_eq (by rw [Nat.add_comm]; exact exact_ c3)) down up) (hf r hr k hk).1) hx
  refine ⟨p, q, gain, _, charged.mono fun r hr => ?_, ?_⟩
  rotate_left
  · cases maximum with
    | true => exact h
    | false => exact h
  · have b := chosen_le (more := f r k) (fewer := g r k) (choice_values (s := s) choice) c3 c4 (apart_le wi' wi) (apart_le wi wi')
    have same : (cond maximum (chosenOffset high (2 ^ bits - high) (u' - l) (u - l')) (chosenOffset (2 ^ bits - low) low (u' - l) (u - l'))) * cond maximum (g r k) (f r k) =
        cond maximum (chosenOffset high (2 ^ bits - high) (u' - l) (u - l') * g r k) (chosenOffset (2 ^ bits - low) low (u' - l) (u - l') * f r k) := by
      cases maximum <;> rfl
    rw [same]
    show _ ≤ total r + natural (2 ^ bits) * ((natural (f r k) - natural (g r k)) * (natural s.unit * slots (start + k)))
    refine le_cert ?_ (sub_nonneg b)
    exact (ring5 K o x y c z, o + z - (o + x + y - c), z - (x + y - c)) _ _ _ _ _

theorem chooseEach_sound {s : Scale} {frame : Frame} {slots : Nat → K} {maximum : Bool} {bits lower upper sources first m direct mirrored memory size n start : Nat}
    {f g : Nat → Nat → Nat} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory)
    (digit : 0 < frame.digit) (hw : n ≤ frame.width) (hs : size ≤ frame.digit)
    (hf : ∀ r, r < frame.rows → ∀ j, j < n → f r j < 2 ^ size ∧ g r j < 2 ^ size)
    (choice : ∀ i, i < n → Extremum.IsChoice maximum (slots (word sources (2 * i))) (slots (word sources (2 * i + 1))) (slots (start + i))) :
    (k : Nat) → k ≤ n → (next : Nat → Nat → Nat → Nat → Bool) →
    chooseEach s frame maximum bits lower upper sources first m direct memory (grid frame.digit frame.width n frame.rows f) (grid frame.digit frame.width n frame.rows g) k next = true →
    ∃ p q gain loss, Replaced s frame slots first m (2 ^ bits * 2 ^ size) (s.top * (2 ^ bits * 2 ^ size) + s.top * (2 ^ bits * 2 ^ size)) (3 * k) p q gain loss
      (fun r => natural (2 ^ bits) * form k (f r) (g r) (values s slots start)) ∧ next p q gain loss = true := by
  intro k
  induction k with
  | zero =>
    intro _ next h
    refine ⟨0, 0, 0, 0, ⟨fun _ _ => 0, fun _ _ => 0, fun _ => 0, fun _ => 0, (grid_zero _ _ _ _).symm, (grid_zero _ _ _ _).symm, (side_zero _ _ _).symm, (side_zero _ _ _).symm,
      fun r _ => ⟨fun _ _ => ⟨Nat.zero_le _, Nat.zero_le _⟩, Nat.zero_le _, Nat.zero_le _, ?_⟩⟩, h⟩
    have z : form m (fun _ => 0) (fun _ => 0) (values s slots first) = (0 : K) := form_zero m _
    rw [z]
    exact le_of_eq ((ring1 K x, 0 + 0, x * 0 + 0) _)
  | succ k smaller =>
    intro hk next h
    obtain ⟨p, q, gain, loss, hx, h⟩ := smaller (Natural.le_of_lt hk) _ h
    obtain ⟨p, q, gain, loss, hx, h⟩ := chooseOne_sound sf hm digit hw hs hf hk (choice k hk) hx h
    refine ⟨p, q, gain, loss, hx.mono fun r _ => ?_, h⟩
    unfold form
    rw [sum_append k 1]
    show _ ≤ natural (2 ^ bits) * (_ + ((natural (f r k) - natural (g r k)) * values s slots start k + 0))
    exact le_of_eq ((ring3 K d a b, d * a + d * b, d * (a + (b + 0))) _ _ _)

/-! ### All results -/

/-- The batch over the `m` slots from `first` on, of which the results of a maximum or a minimum are chosen. -/
def choose (s : Scale) (frame : Frame) (maximum : Bool) (bits lower upper first m n sources direct memory : Nat) (x : Batch) (next : Batch → Bool) : Bool :=
  both (both (fits s frame memory x) (both (both (Nat.beq x.count n) (Nat.ble m frame.width)) (both (slopesFit bits n lower) (slopesFit bits n upper))))
    (force (fun unit => force (fun longer => force (fun size =>
        both (both (Nat.ble (Nat.succ (Nat.mul 3 n)) (Nat.pow 2 longer)) (Nat.ble (Nat.succ size) frame.digit))
          (chooseEach s frame maximum bits lower upper sources first m direct memory x.positive x.negative n fun p q gain loss =>
            force (fun positive => force (fun negative => force (fun gain' => force (fun loss' => force (fun limit =>
                next ⟨Nat.mul unit x.scale, x.weight, limit, first, m, size, positive, negative, gain', loss'⟩)
              (Nat.add (Nat.mul unit x.limit) (Nat.mul x.weight (Nat.mul (Nat.mul 3 n) (Nat.mul 2 (Nat.mul s.top (Nat.mul unit (Nat.pow 2 x.size))))))))
              (Nat.add (Nat.mul unit x.loss) (Nat.mul x.weight loss))) (Nat.add (Nat.mul unit x.gain) (Nat.mul x.weight gain)))
              (minus frame.digit frame.width m frame.rows size q p)) (minus frame.digit frame.width m frame.rows size p q)))
      (Nat.add (Nat.add x.size bits) longer)) (Nat.succ (Nat.log2 (Nat.mul 3 n)))) (Nat.pow 2 bits))

theorem choose_sound {s : Scale} {frame : Frame} {slots goal : Nat → K} {maximum : Bool} {bits lower upper first m n sources direct mirrored memory : Nat} {x : Batch}
    {next : Batch → Bool} (sf : s.Fits) (hm : (Memory.mk direct mirrored).Holds s slots memory) (hx : x.Holds s frame slots goal)
    (choice : ∀ i, i < n → Extremum.IsChoice maximum (slots (word sources (2 * i))) (slots (word sources (2 * i + 1))) (slots (x.start + i)))
    (h : choose s frame maximum bits lower upper first m n sources direct memory x next = true) : ∃ y : Batch, y.Holds s frame slots goal ∧ next y = true := by
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨hf, hc⟩ := both_true hc
  obtain ⟨c1, c2⟩ := both_true (both_true hc).1
  have ok := fits_sound hf
  have c1 := Nat.eq_of_beq_eq_true c1
  subst c1
  have c2 : m ≤ frame.width := Nat.le_of_ble_eq_true c2
  simp only [force_eq] at h
  obtain ⟨hc, h⟩ := both_true h
  obtain ⟨c3, c4⟩ := both_true hc
  generalize Nat.succ (Nat.log2 (Nat.mul 3 x.count)) = longer at *
  have c3 : 3 * x.count < 2 ^ longer := Nat.le_of_ble_eq_true c3
  have c4 : x.size + bits + longer + 1 ≤ frame.digit := Nat.le_of_ble_eq_true c4
  obtain ⟨f, g, c, d, p1, p2, p3, p4, hr⟩ := hx
  rw [p1, p2] at h
  obtain ⟨p, q, gain, loss, ⟨fp, fq, cp, cq, e1, e2, e3, e4, hs⟩, h⟩ := chooseEach_sound (start := x.start) sf hm ok.digit ok.width
    (Nat.le_trans (Nat.le_add_right _ 1) ok.size) (fun r hr' => (hr r hr').1) choice x.count Nat.le.refl _ h
  have room : 3 * x.count * (2 ^ bits * 2 ^ x.size) < 2 ^ (x.size + bits + longer) := by
    rw [Natural.pow_add, Natural.pow_add, Nat.mul_comm (3 * x.count), Nat.mul_comm (2 ^ bits)]
    exact Natural.mul_lt_mul_left (Nat.mul_pos (Natural.two_pow_pos _) (Natural.two_pow_pos _)) c3
  have pw : ∀ r, r < frame.rows → ∀ j, j < m → fp r j < 2 ^ (x.size + bits + longer) := fun r hr' j hj => Natural.lt_of_le_of_lt ((hs r hr').1 j hj).1 room
  have qw : ∀ r, r < frame.rows → ∀ j, j < m → fq r j < 2 ^ (x.size + bits + longer) := fun r hr' j hj => Natural.lt_of_le_of_lt ((hs r hr').1 j hj).2 room
  have m1 : minus frame.digit frame.width m frame.rows (Nat.add (Nat.add x.size bits) longer) p q = grid frame.digit frame.width m frame.rows fun r j => fp r j - fq r j := by
    rw [e1, e2]; exact minus_eq c2 c4 pw qw
  have m2 : minus frame.digit frame.width m frame.rows (Nat.add (Nat.add x.size bits) longer) q p = grid frame.digit frame.width m frame.rows fun r j => fq r j - fp r j := by
    rw [e1, e2]; exact minus_eq c2 c4 qw pw
  rw [m1, m2] at h
  refine ⟨_, ?_, h⟩
  refine ⟨_, _, fun r => 2 ^ bits * c r + x.weight * cp r, fun r => 2 ^ bits * d r + x.weight * cq r, rfl, rfl, ?_, ?_, fun r hr' => ?_⟩
  · show 2 ^ bits * x.gain + x.weight * gain = _
    rw [p3, e3, side_add, side_mul, side_mul]
  · show 2 ^ bits * x.loss + x.weight * loss = _
    rw [p4, e4, side_add, side_mul, side_mul]
  · obtain ⟨_, q2, q3, q4⟩ := hr r hr'
    obtain ⟨_, s2, s3, s4⟩ := hs r hr'
    have twice : s.top * (2 ^ bits * 2 ^ x.size) + s.top * (2 ^ bits * 2 ^ x.size) = 2 * (s.top * (2 ^ bits * 2 ^ x.size)) := (Natural.two_mul _).symm
    rw [twice] at s2 s3
    refine ⟨fun j hj => ⟨Natural.lt_of_le_of_lt (Natural.sub_le _ _) (pw r hr' j hj), Natural.lt_of_le_of_lt (Natural.sub_le _ _) (qw r hr' j hj)⟩,
      Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q2) (Nat.mul_le_mul Nat.le.refl s2), Nat.add_le_add (Nat.mul_le_mul Nat.le.refl q3) (Nat.mul_le_mul Nat.le.refl s3), ?_⟩
    rw [form_cancel]
    have s4 : form m (fp r) (fq r) (values s slots first) + natural (cp r) ≤ natural (2 ^ bits) * form x.count (f r) (g r) (values s slots x.start) + natural (cq r) := s4
    have b := mul_le_left (natural_nonneg (K := K) x.weight) s4
    have q4 := mul_le_left (natural_nonneg (K := K) (2 ^ bits)) q4
    show natural x.weight * form m (fp r) (fq r) (values s slots first) + natural (2 ^ bits * c r + x.weight * cp r) ≤
      natural (2 ^ bits * x.scale) * goal r + natural (2 ^ bits * d r + x.weight * cq r)
    rw [natural_add, natural_add, natural_mul (2 ^ bits) (c r), natural_mul (2 ^ bits) x.scale, natural_mul (2 ^ bits) (d r), natural_mul x.weight, natural_mul x.weight]
    rw [mul_assoc (natural (2 ^ bits)) (natural x.scale)]
    generalize form m (fp r) (fq r) (values s slots first) = y at *
    generalize form x.count (f r) (g r) (values s slots x.start) = w at *
    generalize (natural x.scale : K) * goal r = o at *
    generalize (natural x.weight : K) = t at *
    generalize (natural (2 ^ bits) : K) = u at *
    have b := sub_nonneg b
    have q4 := sub_nonneg q4
    rw [(ring8 K t u w k y c o d, t * (u * w + k) - t * (y + c), t * u * w + t * k - t * y - t * c) t u w (natural (cq r)) y (natural (cp r)) 0 0] at b
    rw [(ring8 K t u w k y c o d, u * (o + d) - u * (t * w + c), u * o + u * d - t * u * w - u * c) t u w 0 0 (natural (c r)) o (natural (d r))] at q4
    refine le_cert ?_ (add_nonneg b q4)
    generalize t * u * w = z
    generalize t * (natural (cq r) : K) = z1
    generalize t * (natural (cp r) : K) = z2
    generalize u * (natural (d r) : K) = z3
    generalize u * (natural (c r) : K) = z4
    generalize u * o = z5
    generalize t * y = z6
    exact (ring8 K z a b c d e f g, e + (c + a) - (f + (d + b)), z + a - f - b + (e + c - z - d)) z z1 z2 z3 z4 z5 z6 0

end Relaxation
end PytestTorchLean
