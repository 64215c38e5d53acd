prelude
import PytestTorchLean.Check.Relaxation.Lines
/-!
# Forward substitution of linear forms: the mathematics

Every value of a layer lies between two linear forms of the inputs. The inputs enter by their *deviations*
from a point of the box, of which only the magnitudes are known. A *band* holds, for each value of the layer,
the coefficient of one deviation in the lower and in the upper form, as fixed-point digits. The theorems say
how forms pass through weights of either sign, what a change of the coefficients may cost, and how far a form
can reach.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Forward

/-- For each value, the digit of one deviation's coefficient in the lower and in the upper form. -/
structure Band where
  lower : Nat → Nat
  upper : Nat → Nat

/-- The sum over the bands of `f` of a band times the band's deviation. -/
def combined (f : Band → K) : List Band → List K → K
  | b :: bands, d :: deviations => f b * d + combined f bands deviations
  | [], _ => 0
  | _ :: _, [] => 0
/-- The sum over the bands of `g` of a band times the magnitude of the band's deviation. -/
def reachOf (g : Band → Nat) : List Band → List Nat → Nat
  | b :: bands, w :: magnitudes => w * g b + reachOf g bands magnitudes
  | [], _ => 0
  | _ :: _, [] => 0
/-- The magnitudes of the deviations. -/
def Small : List Nat → List K → Prop
  | [], [] => True
  | w :: magnitudes, d :: deviations => AtMost d (natural w) ∧ Small magnitudes deviations
  | [], _ :: _ => False
  | _ :: _, [] => False
def totalOf : List Nat → Nat
  | [] => 0
  | w :: magnitudes => w + totalOf magnitudes

theorem combined_same {f g : Band → K} :
    (bands : List Band) → (deviations : List K) → Every (fun b => f b = g b) bands →
    combined f bands deviations = combined g bands deviations
  | [], _, _ => rfl
  | _ :: _, [], _ => rfl
  | b :: bands, d :: deviations, h => by
    show f b * d + combined f bands deviations = g b * d + combined g bands deviations
    rw [h.1, combined_same bands deviations h.2]
theorem every_of {p : Band → Prop} (h : ∀ b, p b) : (bands : List Band) → Every p bands
  | [] => trivial
  | b :: bands => ⟨h b, every_of h bands⟩
theorem every_imp {p q : Band → Prop} (h : ∀ b, p b → q b) :
    (bands : List Band) → Every p bands → Every q bands
  | [], _ => trivial
  | b :: bands, g => ⟨h b g.1, every_imp h bands g.2⟩
theorem combined_congr {f g : Band → K} (bands : List Band) (deviations : List K) (h : ∀ b, f b = g b) :
    combined f bands deviations = combined g bands deviations :=
  combined_same bands deviations (every_of h bands)
/-- A list with a function applied to every band. -/
def mapped (step : Band → Band) : List Band → List Band
  | [] => []
  | b :: bands => step b :: mapped step bands
theorem every_mapped {p q : Band → Prop} {step : Band → Band} (h : ∀ b, p b → q (step b)) :
    (bands : List Band) → Every p bands → Every q (mapped step bands)
  | [], _ => trivial
  | b :: bands, g => ⟨h b g.1, every_mapped h bands g.2⟩
theorem combined_mapped (f : Band → K) (step : Band → Band) : (bands : List Band) → (deviations : List K) →
    combined f (mapped step bands) deviations = combined (fun b => f (step b)) bands deviations
  | [], _ => rfl
  | _ :: _, [] => rfl
  | b :: bands, d :: deviations => by
    show f (step b) * d + combined f (mapped step bands) deviations =
      f (step b) * d + combined (fun b => f (step b)) bands deviations
    rw [combined_mapped f step bands deviations]
theorem combined_zero :
    (bands : List Band) → (deviations : List K) → combined (fun _ => 0) bands deviations = 0
  | [], _ => rfl
  | _ :: _, [] => rfl
  | b :: bands, d :: deviations => by
    show 0 * d + combined (fun _ => 0) bands deviations = 0
    rw [combined_zero bands deviations]; exact (ring1 K d, 0 * d + 0, 0) _
theorem combined_linear (p n : K) (f g h : Band → K) : (bands : List Band) → (deviations : List K) →
    combined (fun b => p * f b - n * g b + h b) bands deviations =
      p * combined f bands deviations - n * combined g bands deviations + combined h bands deviations
  | [], _ => (ring2 K p n, 0, p * 0 - n * 0 + 0) _ _
  | _ :: _, [] => (ring2 K p n, 0, p * 0 - n * 0 + 0) _ _
  | b :: bands, d :: deviations => by
    show (p * f b - n * g b + h b) * d + combined _ bands deviations = _
    rw [combined_linear p n f g h bands deviations]
    show _ = p * (f b * d + combined f bands deviations) - n * (g b * d + combined g bands deviations) +
        (h b * d + combined h bands deviations)
    generalize combined f bands deviations = x
    generalize combined g bands deviations = y
    generalize combined h bands deviations = z
    have e := (ring8 K p n f g d x y z, p * (f * d + x) - n * (g * d + y),
        (p * f - n * g) * d + (p * x - n * y)) p n (f b) (g b) d x y z
    rw [e, add_mul]
    exact (ring4 K a v c z, a + v + (c + z), a + c + (v + z)) _ _ _ _
theorem combined_sub (f g : Band → K) (bands : List Band) (deviations : List K) :
    combined (fun b => f b - g b) bands deviations =
    combined f bands deviations - combined g bands deviations := by
  have z := combined_linear 1 1 f g (fun _ => 0) bands deviations
  rw [combined_congr bands deviations (fun b => (ring2 K x y, 1 * x - 1 * y + 0, x - y) (f b) (g b)),
      combined_zero] at z
  rw [z]; exact (ring2 K x y, 1 * x - 1 * y + 0, x - y) _ _
theorem combined_scale (c : K) (f : Band → K) (bands : List Band) (deviations : List K) :
    combined (fun b => c * f b) bands deviations = c * combined f bands deviations := by
  have z := combined_linear c 0 f f (fun _ => 0) bands deviations
  rw [combined_congr bands deviations (fun b => (ring2 K c x, c * x - 0 * x + 0, c * x) c (f b)),
      combined_zero] at z
  rw [z]; exact (ring2 K c x, c * x - 0 * x + 0, c * x) _ _

/-- How far a form reaches. -/
theorem combined_atMost {f : Band → K} {g : Band → Nat} :
    (bands : List Band) → (magnitudes : List Nat) →
    (deviations : List K) → Small magnitudes deviations →
    Every (fun b => AtMost (f b) (natural (g b))) bands →
    AtMost (combined f bands deviations) (natural (reachOf g bands magnitudes))
  | [], _, _, _, _ => AtMost.zero (natural_nonneg 0)
  | _ :: _, [], [], _, _ => AtMost.zero (natural_nonneg 0)
  | b :: bands, w :: magnitudes, d :: deviations, h, hf => by
    show AtMost (f b * d + _) (natural (w * g b + reachOf g bands magnitudes))
    rw [natural_add, natural_mul, mul_comm (natural w)]
    exact AtMost.add (AtMost.mul hf.1 h.1) (combined_atMost bands magnitudes deviations h.2 hf.2)
  | _ :: _, [], _ :: _, h, _ => h.elim
  | _ :: _, _ :: _, [], h, _ => h.elim
theorem reachOf_le {g : Band → Nat} {c : Nat} :
    (bands : List Band) → (magnitudes : List Nat) →
    Every (fun b => g b ≤ c) bands → reachOf g bands magnitudes ≤ c * totalOf magnitudes
  | [], _, _ => Nat.zero_le _
  | _ :: _, [], _ => Nat.zero_le _
  | b :: bands, w :: magnitudes, h => by
    show w * g b + _ ≤ c * (w + totalOf magnitudes)
    rw [Nat.mul_add, Nat.mul_comm w]
    exact Nat.add_le_add (Nat.mul_le_mul h.1 Nat.le.refl) (reachOf_le bands magnitudes h.2)
/-- Coefficients that are `c` off at most. -/
theorem combined_near {f g : Band → K} {c : Nat} {bands : List Band} {magnitudes : List Nat}
    {deviations : List K}
    (small : Small magnitudes deviations)
    (h : Every (fun b => AtMost (f b - g b) (natural c)) bands) :
    AtMost (combined f bands deviations - combined g bands deviations)
    (natural (c * totalOf magnitudes)) := by
  rw [← combined_sub]
  exact AtMost.weaken (combined_atMost bands magnitudes deviations small h)
    (natural_le (reachOf_le bands magnitudes (every_of (fun _ => Nat.le.refl) bands)))

/-! ### Through weights of either sign -/

/-- `sum_j positive_j * x_j - negative_j * y_j` -/
def spread : List Digits → (Nat → K) → (Nat → K) → Nat → K
  | [], _, _, _ => 0
  | e :: es, x, y, i => natural (e.positive i) * x 0 - natural (e.negative i) * y 0 +
      spread es (fun j => x (j + 1)) (fun j => y (j + 1)) i

theorem spread_combined {i : Nat} (f g : Band → Nat → K) (bands : List Band) (deviations : List K) :
    (es : List Digits) → (k : Nat) →
    combined (fun b => spread es (fun j => f b (k + j)) (fun j => g b (k + j)) i) bands deviations =
      spread es (fun j => combined (fun b => f b (k + j)) bands deviations)
        (fun j => combined (fun b => g b (k + j)) bands deviations) i
  | [], _ => combined_zero bands deviations
  | e :: es, k => by
    have ih := spread_combined (i := i) f g bands deviations es (k + 1)
    have shift : ∀ (h : Nat → K), (fun j => h (k + (j + 1))) =
        fun j => h (k + 1 + j) := fun h => funext fun j => by rw [Nat.add_assoc, Nat.add_comm 1 j]
    show combined (fun b => natural (e.positive i) * f b (k + 0) - natural (e.negative i) * g b (k + 0) +
      spread es (fun j => f b (k + (j + 1))) (fun j => g b (k + (j + 1))) i) bands deviations = _
    rw [combined_linear]
    show _ = natural (e.positive i) * combined (fun b => f b (k + 0)) bands deviations -
        natural (e.negative i) * combined (fun b => g b (k + 0)) bands deviations +
        spread es (fun j => combined (fun b => f b (k + (j + 1))) bands deviations)
          (fun j => combined (fun b => g b (k + (j + 1))) bands deviations) i
    rw [shift (fun j => combined (fun b => f b j) bands deviations),
        shift (fun j => combined (fun b => g b j) bands deviations), ← ih]
    refine congrArg (fun z => _ + z) (combined_congr bands deviations fun b => ?_)
    rw [shift (f b), shift (g b)]

theorem spread_all {i : Nat} (f g : Band → Nat → K) (bands : List Band) (deviations : List K)
    (es : List Digits) :
    combined (fun b => spread es (f b) (g b) i) bands deviations =
    spread es (fun j => combined (fun b => f b j) bands deviations)
      (fun j => combined (fun b => g b j) bands deviations) i := by
  have z := spread_combined (i := i) f g bands deviations es 0
  have zero : ∀ h : Nat → K, (fun j => h (0 + j)) = h := fun h => funext fun j => by rw [Nat.zero_add]
  rw [zero (fun j => combined (fun b => f b j) bands deviations),
      zero (fun j => combined (fun b => g b j) bands deviations)] at z
  rw [← z]
  exact combined_congr bands deviations fun b => by rw [zero (f b), zero (g b)]

/-- Forms below and above the values give forms below and above what the weights make of them. -/
theorem spread_le {i : Nat} :
    (es : List Digits) → (x z y : Nat → K) → (∀ j, j < es.length → x j ≤ z j ∧ z j ≤ y j) →
    spread es x y i ≤ Compose.blend es z i ∧ Compose.blend es z i ≤ spread es y x i
  | [], _, _, _, _ => ⟨le_refl _, le_refl _⟩
  | e :: es, x, z, y, h => by
    obtain ⟨a, b⟩ := h 0 (Nat.succ_le_succ (Nat.zero_le _))
    obtain ⟨r1, r2⟩ := spread_le (i := i) es (fun j => x (j + 1)) (fun j => z (j + 1)) (fun j => y (j + 1))
      (fun j hj => h (j + 1) (Nat.succ_le_succ hj))
    have p : (0 : K) ≤ natural (e.positive i) := natural_nonneg _
    have n : (0 : K) ≤ natural (e.negative i) := natural_nonneg _
    show _ - _ + spread es _ _ i ≤
        (natural (e.positive i) - natural (e.negative i)) * z 0 + Compose.blend es _ i ∧
      (natural (e.positive i) - natural (e.negative i)) * z 0 + Compose.blend es _ i ≤ _ - _ + spread es _ _ i
    have one := add_nonneg (mul_nonneg p (sub_nonneg a)) (mul_nonneg n (sub_nonneg b))
    have two := add_nonneg (mul_nonneg p (sub_nonneg b)) (mul_nonneg n (sub_nonneg a))
    exact ⟨add_le_add (le_cert
          ((ring5 K p n x z y, (p - n) * z - (p * x - n * y), p * (z - x) + n * (y - z)) _ _ _ _ _) one) r1,
        add_le_add
        (le_cert ((ring5 K p n x z y, p * y - n * x - (p - n) * z, p * (y - z) + n * (z - x)) _ _ _ _ _) two)
        r2⟩

/-- What the digits of a product say. -/
theorem spread_digits {i c : Nat} :
    (es : List Digits) → (x y : Nat → Nat) → (∀ j, j < es.length → y j ≤ c + c) →
    (natural (Compose.weighted es x (fun j => c + c - y j) i) - natural (c * Linear.mass es i) : K) =
      spread es (fun j => natural (x j) - natural c) (fun j => natural (y j) - natural c) i
  | [], _, _, _ => by
    show (natural 0 : K) - natural (c * 0) = 0
    rw [Nat.mul_zero]; exact add_neg' _
  | e :: es, x, y, h => by
    have ih := spread_digits (i := i) es (fun j => x (j + 1)) (fun j => y (j + 1))
      (fun j hj => h (j + 1) (Nat.succ_le_succ hj))
    show (natural (x 0 * e.positive i + (c + c - y 0) * e.negative i + Compose.weighted es _ _ i) -
          natural (c * (e.positive i + e.negative i + Linear.mass es i)) : K) = _ + spread es _ _ i
    rw [← ih, natural_add, natural_add, natural_mul, natural_mul,
        Linear.natural_sub (h 0 (Nat.succ_le_succ (Nat.zero_le _))), Nat.mul_add, natural_add (c * _),
        natural_mul c (_ + _), natural_add c, natural_add (e.positive i)]
    have t := (ring8 K x c p y n w m o, x * p + (c + c - y) * n + w - (c * (p + n) + m),
        p * (x - c) - n * (y - c) + (w - m)) (natural (x 0)) (natural c) (natural (e.positive i))
      (natural (y 0)) (natural (e.negative i))
      (natural (Compose.weighted es (fun k => x (k + 1)) (fun k => c + c - y (k + 1)) i))
      (natural (c * Linear.mass es i)) (0 : K)
    exact t

end Forward
end PytestTorchLean
