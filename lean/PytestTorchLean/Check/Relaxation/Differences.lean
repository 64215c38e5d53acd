prelude
import PytestTorchLean.Check.Relaxation.Bend
import PytestTorchLean.Check.Relaxation.Branch
import PytestTorchLean.Check.Relaxation.Whole
/-!
# Differences of ReLUs: the line, and coefficients of two places

If `x' - x` lies between `l` and `u`, then `max(x', 0) - max(x, 0)` lies between `min(x' - x, 0)` and `max(x'
- x, 0)`, and so between two lines over `x' - x`, as a ReLU of the difference would. A row holds a multiple
of `y' - y` as two opposite coefficients, one in each copy's place.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Relaxation
open OrderedRing Matrix
variable {K : Type u} [OrderedRing K]

/-! ### What is known of differences -/

/-- Bounds of the differences of two runs of slots, packed: a lower bound, and one of the opposite. -/
structure Differences where
  /-- the first slot of what is subtracted -/
  left : Nat
  /-- the first slot of what it is subtracted from -/
  right : Nat
  count : Nat
  low : Nat
  high : Nat

/-- The difference at each place. -/
def gap (slots : Nat → K) (left right j : Nat) : K := slots (right + j) - slots (left + j)
/-- Differences may be twice as large as values: their fixed-point numbers have another center. -/
def wider (s : Scale) : Scale := ⟨s.unit, s.top, s.half⟩
def widerFits (s : Scale) : Bool := Nat.ble (Nat.succ (Nat.add s.top s.top)) (Nat.pow 2 s.half)
theorem wider_fits {s : Scale} (sf : s.Fits) (h : widerFits s = true) : (wider s).Fits :=
  ⟨Nat.le_of_ble_eq_true h, sf.unit⟩

/-- The differences lie within their bounds. -/
def Differences.Holds (s : Scale) (slots : Nat → K) (d : Differences) : Prop :=
  ∃ l m : Nat → Nat, d.low = pack s.stride d.count l ∧ d.high = pack s.stride d.count m ∧ ∀ j, j < d.count →
    l j < 2 ^ s.half ∧
      m j < 2 ^ s.half ∧
      natural (l j) ≤ natural s.unit * gap slots d.left d.right j + (natural s.top : K) ∧
      natural s.unit * gap slots d.left d.right j + (natural (m j) : K) ≤ natural s.top

/-! ### The line -/

/-- The difference of two ReLUs lies between 0 and the difference of what they read. -/
theorem relu_between {x y x' y' : K} (h : IsRelu x y) (h' : IsRelu x' y') {z : K} (hz : IsRelu (x' - x) z) :
    y' - y ≤ z ∧ x' - x - z ≤ y' - y := by
  obtain ⟨z0, z1⟩ : 0 ≤ z ∧ 0 ≤ z - (x' - x) := by
    cases hz with
    | inl g => obtain ⟨g0, e⟩ := g; rw [e]; exact ⟨g0, le_of_eq (add_neg' _).symm⟩
    | inr g =>
      obtain ⟨g0, e⟩ := g; rw [e]
      exact ⟨le_refl _, sub_nonneg g0⟩
  cases h with
  | inl g =>
    obtain ⟨g0, e⟩ := g
    cases h' with
    | inl k =>
      obtain ⟨k0, e'⟩ := k
      rw [e, e']
      exact ⟨le_cert ((ring3 K x v z, z - (v - x), z - (v - x)) _ _ _) z1,
          le_cert ((ring3 K x v z, v - x - (v - x - z), z) _ _ _) z0⟩
    | inr k =>
      obtain ⟨k0, e'⟩ := k
      rw [e, e']
      exact ⟨le_cert ((ring3 K x v z, z - (0 - x), z + x) x x' z) (add_nonneg z0 g0),
          le_cert ((ring3 K x v z, 0 - x - (v - x - z), z + (0 - v)) _ _ _) (add_nonneg z0 (sub_nonneg k0))⟩
  | inr g =>
    obtain ⟨g0, e⟩ := g
    cases h' with
    | inl k =>
      obtain ⟨k0, e'⟩ := k
      rw [e, e']
      exact ⟨le_cert ((ring3 K x v z, z - (v - 0), z - (v - x) + (0 - x)) _ _ _)
          (add_nonneg z1 (sub_nonneg g0)),
          le_cert ((ring3 K x v z, v - 0 - (v - x - z), z - (v - x) + v) _ _ _) (add_nonneg z1 k0)⟩
    | inr k =>
      obtain ⟨k0, e'⟩ := k
      rw [e, e']
      exact ⟨le_cert ((ring3 K x v z, z - (0 - 0), z) x x' z) z0,
          le_cert ((ring3 K x v z, 0 - 0 - (v - x - z), z - (v - x)) _ _ _) z1⟩

theorem isRelu (x : K) : ∃ z, IsRelu x z := by
  cases le_total 0 x with
  | inl h => exact ⟨x, Or.inl ⟨h, rfl⟩⟩
  | inr h => exact ⟨0, Or.inr ⟨h, rfl⟩⟩

/-- The difference of two ReLUs below and above a line over the difference of what they read, from fixed-point
    bounds of that. -/
theorem relu_difference {x y x' y' : K} (h : IsRelu x y) (h' : IsRelu x' y') {l m c a d offset : Nat}
    (hl : natural l ≤ x' - x + natural c)
    (hu : x' - x + natural m ≤ natural c)
    (ha : a ≤ d)
    (left : a * (c - l) ≤ offset)
    (right : (d - a) * (c - m) ≤ offset) :
    natural d * (y' - y) ≤ natural a * (x' - x) + natural offset ∧
    natural (d - a) * (x' - x) ≤ natural d * (y' - y) + natural offset := by
  obtain ⟨z, hz⟩ := isRelu (x' - x)
  obtain ⟨r1, r2⟩ := relu_between h h' hz
  have line := relu_offset hz hl hu ha left right
  have n := natural_nonneg (K := K) d
  refine ⟨le_trans (mul_le_left n r1) line, ?_⟩
  have low := mul_le_left n r2
  rw [Linear.natural_sub ha]
  refine le_cert ?_ (add_nonneg (sub_nonneg line) (sub_nonneg low))
  exact (ring8 K a d g z p o q w, d * p + o - (d - a) * g, a * g + o - d * z + (d * p - d * (g - z)))
    (natural a) (natural d) (x' - x) z (y' - y) (natural offset) 0 0

/-! ### Coefficients of two places -/

theorem padded_front {before length : Nat} (f : Nat → Nat → Nat) (r : Nat) {j : Nat} (h : j < before) :
    padded before length f r j = 0 := by
  unfold padded; rw [window_before h, Nat.zero_mul]
theorem padded_inside {before length : Nat} (f : Nat → Nat → Nat) (r : Nat) {j : Nat} (h : j < length) :
    padded before length f r (before + j) = f r j := by
  unfold padded; rw [window_inside h, Nat.one_mul, Natural.add_sub_cancel_left]
theorem padded_behind {before length : Nat} (f : Nat → Nat → Nat) (r j : Nat) :
    padded before length f r (before + (length + j)) = 0 := by
  unfold padded; rw [window_behind, Nat.zero_mul]

/-- What is put in two places that do not overlap is no more than what is there. -/
theorem padded_both_le {i k c r : Nat} {A B f : Nat → Nat → Nat} (h : i + c ≤ k)
    (hA : ∀ j, j < c → A r j ≤ f r (k + j)) (hB : ∀ j, j < c → B r j ≤ f r (i + j)) (j : Nat) :
    padded k c A r j + padded i c B r j ≤ f r j := by
  cases Natural.le_or_lt k j with
  | inr g =>
    rw [padded_front A r g, Nat.zero_add]
    cases Natural.le_or_lt i j with
    | inr e => rw [padded_front B r e]; exact Nat.zero_le _
    | inl e =>
      obtain ⟨q, rfl⟩ := Nat.exists_of_le e
      cases Natural.le_or_lt c q with
      | inl t => obtain ⟨p, rfl⟩ := Nat.exists_of_le t; rw [padded_behind]; exact Nat.zero_le _
      | inr t => rw [padded_inside B r t]; exact hB q t
  | inl g =>
    have none : padded i c B r j = 0 := by
      obtain ⟨p, hp⟩ := Nat.exists_of_le (Nat.le_trans h g)
      rw [hp, Nat.add_assoc]; exact padded_behind B r p
    rw [none, Nat.add_zero]
    obtain ⟨q, rfl⟩ := Nat.exists_of_le g
    cases Natural.le_or_lt c q with
    | inl t => obtain ⟨p, rfl⟩ := Nat.exists_of_le t; rw [padded_behind]; exact Nat.zero_le _
    | inr t => rw [padded_inside A r t]; exact hA q t

/-- One coefficient in two places, with opposite signs, is one of the difference. -/
theorem form_pair {n i k c : Nat} (h1 : k + c ≤ n) (h2 : i + c ≤ n) (A : Nat → Nat → Nat) (r : Nat)
    (v : Nat → K) :
    form n (padded k c A r) (padded i c A r) v =
    sum c fun j => natural (A r j) * (v (k + j) - v (i + j)) := by
  have one : ∀ {p : Nat}, p + c ≤ n →
      form n (padded p c A r) (fun _ => 0) v = sum c fun j => natural (A r j) * v (p + j) := fun {p} hp => by
    have e := form_window (K := K) hp (fun j => A r (j - p)) (fun _ => 0) v
    have z : (fun j => window p c j * 0) = fun _ => 0 := funext fun j => Nat.mul_zero _
    rw [z] at e
    refine Eq.trans e ?_
    unfold form
    refine Columns.sum_congr fun j _ => ?_
    show (natural (A r (p + j - p)) - 0) * v (p + j) = _
    rw [Natural.add_sub_cancel_left]
    exact (ring2 K a v, (a - 0) * v, a * v) _ _
  have split : form n (padded k c A r) (padded i c A r) v =
      form n (padded k c A r) (fun _ => 0) v - form n (padded i c A r) (fun _ => 0) v := by
    have m : ∀ f g : Nat → K, sum n (fun j => f j - g j) = sum n f - sum n g := fun f g => by
      have e := sum_add n f (fun j => -g j)
      have e2 : sum n (fun j => -g j) = -sum n g := by
        have t := sum_mul n (-1 : K) g
        have u : (fun j => -1 * g j) = fun j => -g j := funext fun j => (ring1 K x, -1 * x, -x) _
        rw [u] at t
        exact t.trans ((ring1 K x, -1 * x, -x) _)
      rw [e2] at e
      exact e
    unfold form
    rw [← m]
    refine Columns.sum_congr fun j _ => ?_
    exact (ring3 K a b v, (a - b) * v, (a - 0) * v - (b - 0) * v) _ _ _
  rw [split, one h1, one h2]
  have m : sum c (fun j => natural (A r j) * v (k + j)) =
      sum c (fun j => natural (A r j) * (v (k + j) - v (i + j))) +
        sum c fun j => natural (A r j) * v (i + j) := by
    rw [← sum_add]
    exact Columns.sum_congr fun j _ => (ring3 K a x y, a * x, a * (x - y) + a * y) _ _ _
  rw [m]
  exact (ring2 K a b, a + b - b, a) _ _

theorem form_swap (n : Nat) (p q : Nat → Nat) (v : Nat → K) : form n q p v = -form n p q v := by
  unfold form
  have e := sum_mul n (-1 : K) fun j => (natural (p j) - natural (q j)) * v j
  rw [(ring1 K x, -1 * x, -x) (sum n fun j => (natural (p j) - natural (q j)) * v j)] at e
  rw [← e]
  exact Columns.sum_congr fun j _ => (ring3 K a b v, (b - a) * v, -1 * ((a - b) * v)) _ _ _
/-- Coefficients of differences, of either sign. -/
theorem form_pairs {n i k c : Nat} (h1 : k + c ≤ n) (h2 : i + c ≤ n) (A B : Nat → Nat → Nat) (r : Nat)
    (v : Nat → K) :
    form n (fun j => padded k c A r j + padded i c B r j) (fun j => padded i c A r j + padded k c B r j) v =
    (sum c fun j => natural (A r j) * (v (k + j) - v (i + j))) -
      sum c fun j => natural (B r j) * (v (k + j) - v (i + j)) := by
  rw [form_add, form_pair h1 h2, form_swap, form_pair h1 h2]
  exact (ring2 K a b, a + -b, a - b) _ _
/-- Lines for all differences of a row. -/
theorem pairs_le {c d : Nat} {A B rest slope offset : Nat → Nat} {e w : Nat → K}
    (h : ∀ j, j < c →
      natural d * e j ≤ natural (slope j) * w j + natural (offset j) ∧
        natural (rest j) * w j ≤ natural d * e j + natural (offset j)) :
    (sum c fun j => natural (A j * rest j) * w j) - (sum c fun j => natural (B j * slope j) * w j) ≤
    natural d * ((sum c fun j => natural (A j) * e j) - sum c fun j => natural (B j) * e j) +
      natural (tally c fun j => (A j + B j) * offset j) := by
  have one : (sum c fun j => natural (A j * rest j) * w j) ≤
      natural d * (sum c fun j => natural (A j) * e j) + natural (tally c fun j => A j * offset j) := by
    rw [natural_tally, ← sum_mul, ← sum_add]
    refine sum_le fun j hj => ?_
    have z := mul_nonneg (natural_nonneg (K := K) (A j)) (sub_nonneg (h j hj).2)
    rw [natural_mul, natural_mul]
    exact le_cert ((ring8 K a r w d e o p q, d * (a * e) + a * o - a * r * w, a * (d * e + o - r * w))
        (natural (A j)) (natural (rest j)) (w j) (natural d) (e j) (natural (offset j)) 0 0) z
  have other : natural d * (sum c fun j => natural (B j) * e j) ≤
      (sum c fun j => natural (B j * slope j) * w j) + natural (tally c fun j => B j * offset j) := by
    rw [natural_tally, ← sum_mul, ← sum_add]
    refine sum_le fun j hj => ?_
    have z := mul_nonneg (natural_nonneg (K := K) (B j)) (sub_nonneg (h j hj).1)
    rw [natural_mul, natural_mul]
    exact le_cert ((ring8 K a r w d e o p q, a * r * w + a * o - d * (a * e), a * (r * w + o - d * e))
        (natural (B j)) (natural (slope j)) (w j) (natural d) (e j) (natural (offset j)) 0 0) z
  have total : tally c (fun j => (A j + B j) * offset j) =
      tally c (fun j => A j * offset j) + tally c fun j => B j * offset j := by
    rw [← tally_add]
    exact tally_congr fun j _ => Nat.add_mul _ _ _
  rw [total, natural_add]
  refine le_cert ?_ (add_nonneg (sub_nonneg one) (sub_nonneg other))
  exact (ring8 K a b d x y p q o, d * (x - y) + (p + q) - (a - b), d * x + p - a + (b + q - d * y)) _ _ _ _ _
    _ _ 0
end Relaxation
end PytestTorchLean
