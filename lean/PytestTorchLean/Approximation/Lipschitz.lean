prelude
import PytestTorchLean.Approximation.Computes
/-!
# Tables of Lipschitz functions

A function that grows by at most `2^slopeBits` times the distance has a table for which the interpolation of
Approximation/Computes is below the function, and less than `2^-errorBits` below it, everywhere on the box.
The values are the function's own at the grid points, rounded down to whole units. A grid point outside the
box takes the value of the nearest point of the box, so the box may be any.
-/
set_option linter.all false
universe u v
namespace PytestTorchLean
open OrderedRing
namespace Approximation
variable {K : Type u} [OrderedRing K]

/-- Every number has a half. Fields have, and the dyadic fractions; the integers have not. -/
def Halves (K : Type u) [OrderedRing K] : Prop := ∀ x : K, ∃ y, natural 2 * y = x
/-- No number is beyond all multiples of a positive one. -/
def Archimedean (K : Type u) [OrderedRing K] : Prop := ∀ x y : K, 0 < y → ∃ n, x ≤ natural n * y

/-- The first `d` coordinates of `x` lie between those of `lower` and `upper`, ends included. -/
def InBox (d : Nat) (lower upper x : Nat → K) : Prop := ∀ i, i < d → lower i ≤ x i ∧ x i ≤ upper i
/-- On the box, `f` changes by at most `slope` times `|x 0 - y 0| + ... + |x (d-1) - y (d-1)|`. Functions that
    do so for the Euclidean distance, or for the largest difference, do so for this one. -/
def Lipschitz (d : Nat) (lower upper : Nat → K) (slope : K) (f : (Nat → K) → K) : Prop :=
  ∀ x y distance : Nat → K, InBox d lower upper x →
    InBox d lower upper y → (∀ i, i < d → AtMost (x i - y i) (distance i)) →
    f x - f y ≤ slope * sum d distance

/-! ### Finite choice, floors, division by powers of two -/

theorem choose {α : Type v} (default : α) : (n : Nat) → {p : Nat → α → Prop} → (∀ i, i < n → ∃ a, p i a) →
    ∃ f : Nat → α, ∀ i, i < n → p i (f i)
  | 0, _, _ => ⟨fun _ => default, fun i hi => absurd hi (Nat.not_succ_le_zero i)⟩
  | n + 1, p, h => by
    obtain ⟨a, ha⟩ := h 0 (Nat.succ_pos n)
    obtain ⟨f, hf⟩ :=
      choose default n (p := fun i a => p (i + 1) a) fun i hi => h (i + 1) (Nat.succ_le_succ hi)
    refine ⟨fun i => Nat.casesOn (motive := fun _ => α) i a f, fun i hi => ?_⟩
    cases i with
    | zero => exact ha
    | succ i => exact hf i (Nat.le_of_succ_le_succ hi)

/-- The whole part of a number between 0 and `n + 1`. -/
theorem floor {x : K} (h : 0 ≤ x) :
    (n : Nat) → x ≤ natural (n + 1) → ∃ c, c < n + 1 ∧ natural c ≤ x ∧ x ≤ natural c + 1
  | 0, g => ⟨0, Nat.le.refl, h, by rw [← natural_succ]; exact g⟩
  | n + 1, g => by
    cases le_total x (natural (n + 1)) with
    | inl l =>
      obtain ⟨c, hc, low, high⟩ := floor h n l
      exact ⟨c, Nat.le.step hc, low, high⟩
    | inr l => exact ⟨n + 1, Nat.le.refl, l, by rw [← natural_succ]; exact g⟩

theorem divide (halves : Halves K) (x : K) : (n : Nat) → ∃ y, natural (2 ^ n) * y = x
  | 0 => ⟨x, one_mul x⟩
  | n + 1 => by
    obtain ⟨y, hy⟩ := divide halves x n
    obtain ⟨z, hz⟩ := halves y
    refine ⟨z, ?_⟩
    show natural (2 ^ n * 2) * z = x
    rw [natural_mul, mul_assoc, hz, hy]

theorem sum_le : {n : Nat} → {f g : Nat → K} → (∀ i, i < n → f i ≤ g i) → sum n f ≤ sum n g
  | 0, _, _, _ => le_refl _
  | n + 1, f, g, h => add_le_add (h 0 (Nat.succ_pos n)) (sum_le fun i hi => h (i + 1) (Nat.succ_le_succ hi))
theorem sum_nonneg : {n : Nat} → {f : Nat → K} → (∀ i, i < n → 0 ≤ f i) → 0 ≤ sum n f
  | 0, _, _ => le_refl _
  | n + 1, f, h => add_nonneg (h 0 (Nat.succ_pos n)) (sum_nonneg fun i hi => h (i + 1) (Nat.succ_le_succ hi))
theorem sum_ones : (n : Nat) → sum n (fun _ => (1 : K)) = natural n
  | 0 => rfl
  | n + 1 => by
    show 1 + sum n (fun _ => (1 : K)) = natural (n + 1)
    rw [sum_ones n, natural_succ, add_comm]

/-- The point of an interval that is nearest to the grid coordinate `c`, seen from the interval. -/
theorem clamp (halves : Halves K) {lower upper shift c : K} (n : Nat) (h : lower ≤ upper) :
    ∃ q, (lower ≤ q ∧ q ≤ upper) ∧ ∀ x a, lower ≤ x ∧ x ≤ upper →
      AtMost (natural (2 ^ n) * x + shift - c) a → AtMost (natural (2 ^ n) * (x - q)) a := by
  obtain ⟨p, hp⟩ := divide halves (c - shift) n
  have N := natural_nonneg (K := K) (2 ^ n)
  have e : ∀ x, natural (2 ^ n) * x + shift - c = natural (2 ^ n) * (x - p) := fun x => by
    have z : natural (2 ^ n) * (x - p) = natural (2 ^ n) * x - natural (2 ^ n) * p :=
      (ring3 K n x p, n * (x - p), n * x - n * p) _ _ _
    rw [z, hp]
    exact (ring3 K a s c, a + s - c, a - (c - s)) _ _ _
  cases le_total p lower with
  | inl l =>
    refine ⟨lower, ⟨le_refl _, h⟩, fun x a hx ha => ?_⟩
    rw [e] at ha
    have small : natural (2 ^ n) * (x - lower) ≤ a :=
      le_trans (mul_le_left N (le_cert ((ring3 K x l p, x - p - (x - l), l - p) x lower p) (sub_nonneg l)))
        ha.1
    exact AtMost.of_le (mul_nonneg N (sub_nonneg hx.1)) small
  | inr l =>
    cases le_total upper p with
    | inl g =>
      refine ⟨upper, ⟨h, le_refl _⟩, fun x a hx ha => ?_⟩
      rw [e] at ha
      have small : natural (2 ^ n) * (upper - x) ≤ a := by
        refine le_trans
          (mul_le_left N (le_cert ((ring3 K x l p, p - x - (l - x), p - l) x upper p) (sub_nonneg g))) ?_
        rw [(ring3 K n x p, n * (p - x), -(n * (x - p))) (natural (2 ^ n)) x p]
        exact ha.2
      have z := (AtMost.of_le (mul_nonneg N (sub_nonneg hx.2)) small).neg
      rw [(ring3 K n u x, -(n * (u - x)), n * (x - u)) (natural (2 ^ n)) upper x] at z
      exact z
    | inr g =>
      refine ⟨p, ⟨l, g⟩, fun x a _ ha => ?_⟩
      rw [e] at ha; exact ha

/-! ### The table -/

/-- The table for a box between `-2^boxBits` and `2^boxBits` in every input, a function between `-2^valueBits`
    and `2^valueBits` that changes by at most `2^slopeBits` times the distance, and an error of
    `2^-errorBits`. -/
def gridTable (byRelu : Bool) (inputs boxBits slopeBits valueBits errorBits : Nat) (value : Nat → Nat) :
    Table where
  inputs := inputs
  inputBits := 1
  inputSteps := errorBits + (inputs + 1) + slopeBits
  steps := errorBits + (inputs + 1) + slopeBits + (boxBits + valueBits)
  digits := errorBits + (inputs + 1) + slopeBits + (boxBits + valueBits) + 1
  gridBits := errorBits + (inputs + 1) + slopeBits + boxBits + 1
  coordinate := fun c => c
  shift := 2 ^ (errorBits + (inputs + 1) + slopeBits + boxBits)
  valueShift := 2 ^ (errorBits + (inputs + 1) + valueBits)
  value := value
  byRelu := byRelu
  outputBits := 1
  outputSteps := errorBits + (inputs + 1)

/-- Distances in units of the grid, turned into distances. -/
theorem lipschitz_units (halves : Halves K) {d n M : Nat} {lower upper x y : Nat → K} {slope : K}
    {f : (Nat → K) → K}
    (hf : Lipschitz d lower upper slope f)
    (steep : natural M * slope ≤ natural (2 ^ n))
    (hx : InBox d lower upper x)
    (hy : InBox d lower upper y)
    {a : Nat → K}
    (ha : ∀ i, i < d → AtMost (natural (2 ^ n) * (x i - y i)) (a i)) :
    natural M * (f x - f y) ≤ sum d a := by
  obtain ⟨r, hr⟩ :=
    choose (0 : K) d (p := fun i r => natural (2 ^ n) * r = a i) fun i _ => divide halves (a i) n
  have close : ∀ i, i < d → AtMost (x i - y i) (r i) := fun i hi => by
    have z := ha i hi
    rw [← hr i hi] at z
    exact AtMost.cancel (Natural.two_pow_pos _) z
  have near := mul_le_left (natural_nonneg (K := K) M) (hf x y r hx hy close)
  rw [← mul_assoc] at near
  have z := le_trans near (mul_le_right (sum_nonneg fun i hi => (close i hi).nonneg) steep)
  rw [← sum_scaled, Columns.sum_congr hr] at z
  exact z

theorem double_two_pow {m : Nat} : 2 ^ (m + 1) = 2 ^ m + 2 ^ m := by
  show 2 ^ m * 2 = _
  rw [Nat.mul_comm, Nat.two_mul]
theorem double_succ_le (d : Nat) : 2 * d + 1 ≤ 2 ^ (d + 1) := by
  induction d with
  | zero => exact Nat.le.step Nat.le.refl
  | succ d ih =>
    rw [double_two_pow]
    have two : 2 ≤ 2 ^ (d + 1) := Natural.two_pow_le (j := 1) (Nat.succ_le_succ (Nat.zero_le d))
    have z := Nat.add_le_add ih two
    exact z

/-- `n` is what a table holds for a grid point: the function's value in units, rounded down, at a point of the
    box that is at least as near to every point of the box as the grid point is. -/
def Sampled (t : Table) (lower upper : Nat → K) (f : (Nat → K) → K) (point n : Nat) : Prop :=
  ∃ q : Nat → K, InBox t.inputs lower upper q ∧
    (∀ x distance : Nat → K, InBox t.inputs lower upper x →
      (∀ i, i < t.inputs →
          AtMost
            (natural t.inputUnit * x i + natural t.shift - natural (t.coordinate (digit t.gridBits point i)))
            (distance i)) →
      ∀ i, i < t.inputs → AtMost (natural t.inputUnit * (x i - q i)) (distance i)) ∧
    natural n ≤ natural t.outputUnit * f q + natural t.valueShift ∧
      natural t.outputUnit * f q + natural t.valueShift ≤ natural n + 1

/-- A piece is nowhere above the function. -/
theorem piece_le (halves : Halves K) {t : Table} {lower upper x distance : Nat → K} {slope : K}
    {f : (Nat → K) → K}
    (lipschitz : Lipschitz t.inputs lower upper slope f)
    (steep : natural t.outputUnit * slope ≤ natural t.inputUnit)
    {point n : Nat}
    (h : Sampled t lower upper f point n)
    (hx : InBox t.inputs lower upper x)
    (hd : ∀ i, i < t.inputs →
      AtMost (natural t.inputUnit * x i + natural t.shift - natural (t.coordinate (digit t.gridBits point i)))
        (distance i)) :
    natural n - natural t.valueShift - sum t.inputs distance ≤ natural t.outputUnit * f x := by
  obtain ⟨q, hq, nearer, below, _⟩ := h
  have near := lipschitz_units halves lipschitz steep hq hx (a := distance) fun i hi => by
    have z := (nearer x distance hx hd i hi).neg
    rw [(ring3 K n x q, -(n * (x - q)), n * (q - x)) (natural t.inputUnit) (x i) (q i)] at z
    exact z
  rw [(ring3 K n a b, n * (a - b), n * a - n * b) (natural t.outputUnit) (f q) (f x)] at near
  refine le_cert ?_ (add_nonneg (sub_nonneg near) (sub_nonneg below))
  exact (ring5 K n s fq fx t, fx - (n - s - t), (t - (fq - fx)) + (fq + s - n)) _ _ _ _ _

theorem sum_const (c : K) (n : Nat) : sum n (fun _ => c) = natural n * c := by
  have z := sum_scaled c n fun _ => 1
  exact (Columns.sum_congr fun _ _ => (mul_on c).symm).trans (z.trans (by rw [sum_ones, mul_comm]))

/-- The piece of a grid point that is no further than `radius` units from `x` in any coordinate is nearly the
    function's value at `x`. -/
theorem le_piece (halves : Halves K) {t : Table} {lower upper x distance : Nat → K} {slope radius : K}
    {f : (Nat → K) → K}
    (lipschitz : Lipschitz t.inputs lower upper slope f)
    (steep : natural t.outputUnit * slope ≤ natural t.inputUnit)
    {point n : Nat}
    (h : Sampled t lower upper f point n)
    (hx : InBox t.inputs lower upper x)
    (hd : ∀ i, i < t.inputs →
      AtMost (natural t.inputUnit * x i + natural t.shift - natural (t.coordinate (digit t.gridBits point i)))
        (distance i))
    (small : ∀ i, i < t.inputs → distance i ≤ radius) :
    natural t.outputUnit * f x ≤
    natural n - natural t.valueShift - sum t.inputs distance +
      (natural 2 * (natural t.inputs * radius) + 1) := by
  obtain ⟨q, hq, nearer, _, above⟩ := h
  have near :=
    lipschitz_units halves lipschitz steep hx hq (a := distance) fun i hi => nearer x distance hx hd i hi
  rw [(ring3 K n a b, n * (a - b), n * a - n * b) (natural t.outputUnit) (f x) (f q)] at near
  have total := sum_le small
  rw [sum_const] at total
  refine le_cert ?_ (add_nonneg (add_nonneg (sub_nonneg near) (sub_nonneg above))
      (add_nonneg (sub_nonneg total) (sub_nonneg total)))
  generalize (natural n : K) = n'
  generalize (natural t.valueShift : K) = v'
  generalize sum t.inputs distance = s
  generalize natural t.outputUnit * f x = y
  generalize natural t.outputUnit * f q = z
  generalize (natural t.inputs : K) * radius = d'
  have e := (ring5 K n v t y z, n - v - t - y, t - (y - z) + (n + 1 - (z + v)) - 1 - t - t) n' v' s y z
  have r := (ring4 K p t d y, p - t + (2 * d + 1) - y, p - t - y + (2 * d + 1)) (n' - v') s d' y
  have r : n' - v' - s + (natural 2 * d' + 1) - y = n' - v' - s - y + (natural 2 * d' + 1) := r
  rw [r, e]
  exact (ring4 K p q t d, p + q - 1 - t - t + (2 * d + 1), p + q + (d - t + (d - t))) (s - (y - z))
    (n' + 1 - (z + v')) s d'

/-- **Tables of Lipschitz functions.** If a table holds the samples of a function that changes by at most one
    unit of output for each unit of input, and every point of the box is within `radius` units of a coordinate
    of the grid in every input, then the interpolation is at most the function, and at least the function less
    `2 * inputs * radius + 1` units. -/
theorem Table.approximates (halves : Halves K) {t : Table} {lower upper : Nat → K} {slope radius : K}
    {f : (Nat → K) → K}
    (lipschitz : Lipschitz t.inputs lower upper slope f)
    (steep : natural t.outputUnit * slope ≤ natural t.inputUnit)
    (samples : ∀ point, point < t.points → Sampled t lower upper f point (t.value point))
    (cover : ∀ x, InBox t.inputs lower upper x →
      ∀ i, i < t.inputs →
        ∃ c, c < 2 ^ t.gridBits ∧
          AtMost (natural t.inputUnit * x i + natural t.shift - natural (t.coordinate c)) radius)
    {x : Nat → K} {y : K}
    (hx : InBox t.inputs lower upper x)
    (h : t.Interpolates x y) :
    y ≤ f x ∧ natural t.outputUnit * (f x - y) ≤ natural 2 * (natural t.inputs * radius) + 1 := by
  obtain ⟨above, point, inside, distance, absolute, attained⟩ := h
  have positive : 0 < t.outputUnit := Natural.two_pow_pos _
  constructor
  · refine le_of_natural_mul_le positive ?_
    rw [attained]
    exact piece_le halves lipschitz steep (samples point inside) hx fun i hi => (absolute i hi).1
  · obtain ⟨cell, hcell⟩ := choose 0 t.inputs (p := fun i c => c < 2 ^ t.gridBits ∧
      AtMost (natural t.inputUnit * x i + natural t.shift - natural (t.coordinate c)) radius) (cover x hx)
    have small : ∀ i, i < t.inputs → cell i < 2 ^ t.gridBits := fun i hi => (hcell i hi).1
    have here : pack t.gridBits t.inputs cell < t.points := pack_lt small
    obtain ⟨z, ⟨distance, absolute, hz⟩, most⟩ := above (pack t.gridBits t.inputs cell) here
    have near : ∀ i, i < t.inputs → distance i ≤ radius := fun i hi => by
      have a := (absolute i hi).2
      rw [digit_pack small hi] at a
      cases a with
      | inl a => rw [a]; exact (hcell i hi).2.1
      | inr a => rw [a]; exact (hcell i hi).2.2
    have close := le_piece halves lipschitz steep (samples _ here) hx (fun i hi => (absolute i hi).1) near
    rw [← hz] at close
    have room := le_trans close (add_le_add most (le_refl _))
    exact le_cert ((ring4 K m f y r, r - m * (f - y), m * y + r - m * f) _ _ _ _) (sub_nonneg room)

/-! ### A table for every function -/

/-- A value for a grid point. -/
theorem sampled (halves : Halves K) {t : Table} {k a n : Nat} {lower upper : Nat → K} {f : (Nat → K) → K}
    (input : t.inputUnit = 2 ^ n)
    (output : t.outputUnit = 2 ^ k)
    (shift : t.valueShift = 2 ^ (k + a))
    (nonempty : ∀ i, i < t.inputs → lower i ≤ upper i)
    (bounded : ∀ x, InBox t.inputs lower upper x → AtMost (f x) (natural (2 ^ a)))
    (point : Nat) :
    ∃ value, value < 2 ^ (k + a + 1) ∧ Sampled t lower upper f point value := by
  unfold Sampled
  rw [input, output, shift]
  obtain ⟨q, hq⟩ := choose (0 : K) t.inputs
    (p := fun i q => (lower i ≤ q ∧ q ≤ upper i) ∧
      ∀ x a, lower i ≤ x ∧ x ≤ upper i →
        AtMost (natural (2 ^ n) * x + natural t.shift - natural (t.coordinate (digit t.gridBits point i))) a →
        AtMost (natural (2 ^ n) * (x - q)) a) fun i hi => clamp halves n (nonempty i hi)
  have inside : InBox t.inputs lower upper q := fun i hi => (hq i hi).1
  have size := (bounded q inside).mul_left (natural_nonneg (2 ^ k))
  rw [← natural_mul, ← Natural.pow_add] at size
  have low : 0 ≤ natural (2 ^ k) * f q + natural (2 ^ (k + a)) :=
    le_cert ((ring2 K x y, x + y - 0, y - -x) (natural (2 ^ k) * f q) (natural (2 ^ (k + a))))
      (sub_nonneg size.2)
  have high : natural (2 ^ k) * f q + natural (2 ^ (k + a)) ≤ natural (2 ^ (k + a + 1) - 1 + 1) := by
    rw [Natural.mask_succ, double_two_pow, natural_add]
    exact add_le _ size.1
  obtain ⟨c, hc, below, above⟩ := floor low _ high
  rw [Natural.mask_succ] at hc
  exact ⟨c, hc, q, inside, fun x distance hx hd i hi => (hq i hi).2 (x i) (distance i) (hx i hi) (hd i hi),
      below, above⟩

/-- **Every Lipschitz function has a table.** The interpolation lies below the function, by at most
    `2^-errorBits`. -/
theorem gridTable_approximates (halves : Halves K) {byRelu : Bool} {d b l a e : Nat} {lower upper : Nat → K}
    {f : (Nat → K) → K}
    (nonempty : ∀ i, i < d → lower i ≤ upper i)
    (box : ∀ i, i < d → -natural (2 ^ b) ≤ lower i ∧ upper i ≤ natural (2 ^ b))
    (lipschitz : Lipschitz d lower upper (natural (2 ^ l)) f)
    (bounded : ∀ x, InBox d lower upper x → AtMost (f x) (natural (2 ^ a))) :
    ∃ value : Nat → Nat, (gridTable byRelu d b l a e value).WellFormed ∧
      ∀ x y, InBox d lower upper x → (gridTable byRelu d b l a e value).Interpolates x y →
        y ≤ f x ∧ natural (2 ^ e) * (f x - y) ≤ 1 := by
  have input : ∀ value, (gridTable byRelu d b l a e value).inputUnit = 2 ^ (e + (d + 1) + l) := fun value =>
    congrArg (fun n => 2 ^ n) (Nat.one_mul (e + (d + 1) + l))
  have output : ∀ value, (gridTable byRelu d b l a e value).outputUnit = 2 ^ (e + (d + 1)) := fun value =>
    congrArg (fun n => 2 ^ n) (Nat.one_mul (e + (d + 1)))
  obtain ⟨value, hvalue⟩ := choose 0 (2 ^ ((e + (d + 1) + l + b + 1) * d)) fun point _ =>
    sampled (t := gridTable byRelu d b l a e fun _ => 0) halves (input _) (output _) rfl nonempty bounded
      point
  refine ⟨value, ?_, ?_⟩
  · unfold gridTable
    generalize e + (d + 1) = k at *
    refine ⟨(by decide : 1 ≤ 24), (by decide : 1 ≤ 126), Nat.le_add_right _ _, Nat.le.refl, fun c hc => ?_⟩
    show Table.constant _ c < 2 ^ (1 * (k + l + (b + a) + 1))
    rw [Nat.one_mul]
    have pow : ∀ {m}, m ≤ k + l + (b + a) → 2 ^ m < 2 ^ (k + l + (b + a) + 1) := fun h => by
      refine Nat.lt_of_le_of_lt (Natural.two_pow_le h) ?_
      rw [double_two_pow]
      exact Nat.add_le_add (Nat.le_refl _) (Natural.two_pow_pos _)
    have b_le : k + l + b ≤ k + l + (b + a) := Nat.add_le_add (Nat.le_refl _) (Nat.le_add_right b a)
    have a_le : k + a ≤ k + l + (b + a) := Nat.add_le_add (Nat.le_add_right k l) (Nat.le_add_left a b)
    refine Table.constant_small
      (fun c hc => Nat.lt_of_lt_of_le hc (Natural.two_pow_le (Nat.succ_le_succ b_le))) (pow b_le) (pow a_le)
      (fun p hp => ?_) hc
    have hp : p < 2 ^ ((k + l + b + 1) * d) := hp
    exact Nat.lt_of_lt_of_le (hvalue p hp).1 (Natural.two_pow_le (Nat.succ_le_succ a_le))
  · intro x y hx h
    have steep : (natural (gridTable byRelu d b l a e value).outputUnit * natural (2 ^ l) : K) ≤
        natural (gridTable byRelu d b l a e value).inputUnit := by
      rw [input, output, ← natural_mul, ← Natural.pow_add]
      exact le_refl _
    have cover :
      ∀ x, InBox d lower upper x → ∀ i, i < d → ∃ c, c < 2 ^ (gridTable byRelu d b l a e value).gridBits ∧
      AtMost (natural (gridTable byRelu d b l a e value).inputUnit * x i +
            natural (gridTable byRelu d b l a e value).shift -
            natural ((gridTable byRelu d b l a e value).coordinate c)) (1 : K) := fun x hx i hi => by
      rw [input]
      show ∃ c, c < 2 ^ (e + (d + 1) + l + b + 1) ∧
        AtMost (natural (2 ^ (e + (d + 1) + l)) * x i + natural (2 ^ (e + (d + 1) + l + b)) - natural c)
          (1 : K)
      have N := natural_nonneg (K := K) (2 ^ (e + (d + 1) + l))
      have low := mul_le_left N (le_trans (box i hi).1 (hx i hi).1)
      have high := mul_le_left N (le_trans (hx i hi).2 (box i hi).2)
      rw [mul_neg, ← natural_mul, ← Natural.pow_add] at low
      rw [← natural_mul, ← Natural.pow_add] at high
      generalize e + (d + 1) + l + b = m at *
      have high :
          natural (2 ^ (e + (d + 1) + l)) * x i + natural (2 ^ m) ≤ natural (2 ^ (m + 1) - 1 + 1) := by
        rw [Natural.mask_succ, double_two_pow, natural_add]
        exact add_le _ high
      obtain ⟨c, hc, above, below⟩ :=
        floor (le_cert ((ring2 K x y, x + y - 0, x - -y) _ _) (sub_nonneg low)) _ high
      rw [Natural.mask_succ] at hc
      exact ⟨c, hc, AtMost.of_le (sub_nonneg above)
          (le_cert ((ring2 K x c, 1 - (x - c), c + 1 - x) _ _) (sub_nonneg below))⟩
    obtain ⟨below, close⟩ :=
      Table.approximates (radius := 1) halves lipschitz steep (fun p hp => (hvalue p hp).2) cover hx h
    refine ⟨below, ?_⟩
    have two : (natural 2 * (natural (gridTable byRelu d b l a e value).inputs * 1) + 1 : K) =
        natural (2 * d + 1) := by
      rw [natural_succ (2 * d), natural_mul 2 d, mul_on]; rfl
    rw [two, output] at close
    have room := le_trans close (natural_le (K := K) (double_succ_le d))
    refine le_of_natural_mul_le (Natural.two_pow_pos (d + 1)) ?_
    rw [← mul_assoc, ← natural_mul, ← Natural.pow_add, Nat.add_comm (d + 1) e, mul_on]
    exact room

end Approximation
end PytestTorchLean
