prelude
import PytestTorchLean.Check.Curve
/-!
# How fast smooth activations rise

Between `x` and `z` each of the logistic functions rises by at least `rising vx * falling vz` and by at most
`rising vz * falling vx` times the distance, where `vx` and `vz` are its values there. For the sigmoid
`rising v` is `v` and `falling v` is `1 - v`. Both follow from `1 + d ≤ e d` and `e d * (1 - d) ≤ 1` alone.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
variable {K : Type u} [OrderedRing K]

namespace Curve
def rising (v : K) : Curve → K
  | .tanh => 1 + v
  | _ => v
def falling (v : K) : Curve → K
  | .exp => 1
  | _ => 1 - v

variable {e : K → K}

theorem one_add_pos (he : IsExponential e) (x : K) : (1 : K) ≤ 1 + e x :=
  le_cert ((ring1 K E, 1 + E - 1, E) _) (he.nonneg x)
theorem of_product {c a b : K} (hc : 1 ≤ c) (h : 0 ≤ (b - a) * c) : a ≤ b :=
  IsExponential.cancel_one hc (le_cert ((ring3 K a b c, b * c - a * c, (b - a) * c) a b c) h)

/-- Every logistic function has a value everywhere. -/
theorem exists_value (he : IsExponential e) (x : K) :
    (function : Curve) → function.logistic = true → ∃ v, function.At e x v
  | .sqrt, no => Bool.noConf_tf (Eq.symm no)
  | .log, no => Bool.noConf_tf (Eq.symm no)
  | .softplus, no => Bool.noConf_tf (Eq.symm no)
  | .erf, no => Bool.noConf_tf (Eq.symm no)
  | .sine, no => Bool.noConf_tf (Eq.symm no)
  | .cosine, no => Bool.noConf_tf (Eq.symm no)
  | .sign, no => Bool.noConf_tf (Eq.symm no)
  | .fused _, no => Bool.noConf_tf (Eq.symm no)
  | .exp, _ => ⟨e x, rfl⟩
  | .sigmoid, _ => by
    obtain ⟨i, hi⟩ := he.inverse (one_add_pos he x)
    refine ⟨e x * i, ?_⟩
    show e x * i * (1 + e x) = e x
    rw [mul_assoc, mul_comm i, hi, mul_on]
  | .tanh, _ => by
    obtain ⟨i, hi⟩ := he.inverse (one_add_pos he (x + x))
    refine ⟨(e (x + x) - 1) * i, ?_⟩
    show (e (x + x) - 1) * i * (e (x + x) + 1) = e (x + x) - 1
    rw [mul_assoc, mul_comm i, add_comm (e (x + x)) 1, hi, mul_on]

theorem factors_nonneg (he : IsExponential e) {x v : K} :
    (function : Curve) → function.logistic = true →
    function.At e x v → 0 ≤ function.rising v ∧ 0 ≤ function.falling v
  | .sqrt, no, _ => Bool.noConf_tf (Eq.symm no)
  | .log, no, _ => Bool.noConf_tf (Eq.symm no)
  | .softplus, no, _ => Bool.noConf_tf (Eq.symm no)
  | .erf, no, _ => Bool.noConf_tf (Eq.symm no)
  | .sine, no, _ => Bool.noConf_tf (Eq.symm no)
  | .cosine, no, _ => Bool.noConf_tf (Eq.symm no)
  | .sign, no, _ => Bool.noConf_tf (Eq.symm no)
  | .fused _, no, _ => Bool.noConf_tf (Eq.symm no)
  | .exp, _, h => by
    have h : v = e x := h
    exact ⟨by show 0 ≤ v; rw [h]; exact he.nonneg x, zero_le_one⟩
  | .sigmoid, _, h => by
    have h : v * (1 + e x) = e x := h
    have c := one_add_pos he x
    constructor
    · show 0 ≤ v
      refine of_product c ?_
      have t : (v - 0) * (1 + e x) = e x := ((ring2 K v E, (v - 0) * (1 + E), v * (1 + E)) v (e x)).trans h
      rw [t]; exact he.nonneg x
    · show 0 ≤ 1 - v
      refine of_product c ?_
      have t : (1 - v - 0) * (1 + e x) = 1 := by
        have r : (1 - v - 0) * (1 + e x) = 1 + e x - v * (1 + e x) :=
          (ring2 K v E, (1 - v - 0) * (1 + E), 1 + E - v * (1 + E)) _ _
        rw [r, h]; exact (ring1 K E, 1 + E - E, 1) _
      rw [t]; exact zero_le_one
  | .tanh, _, h => by
    have h : v * (e (x + x) + 1) = e (x + x) - 1 := h
    have c := one_add_pos he (x + x)
    constructor
    · show 0 ≤ 1 + v
      refine of_product c ?_
      have r : (1 + v - 0) * (1 + e (x + x)) = 1 + e (x + x) + v * (e (x + x) + 1) :=
        (ring2 K v E, (1 + v - 0) * (1 + E), 1 + E + v * (E + 1)) _ _
      rw [r, h]
      exact le_cert ((ring1 K E, 1 + E + (E - 1) - 0, E + E) _) (add_nonneg (he.nonneg _) (he.nonneg _))
    · show 0 ≤ 1 - v
      refine of_product c ?_
      have r : (1 - v - 0) * (1 + e (x + x)) = 1 + e (x + x) - v * (e (x + x) + 1) :=
        (ring2 K v E, (1 - v - 0) * (1 + E), 1 + E - v * (E + 1)) _ _
      rw [r, h]
      exact le_cert ((ring1 K E, 1 + E - (E - 1) - 0, 1 + 1) (e (x + x))) (add_nonneg zero_le_one zero_le_one)

/-- The exponential's own rise, as a product with `e` of the distance. -/
theorem rise_terms (he : IsExponential e) {x z : K} (h : x ≤ z) :
    e z - e x ≤ e z * (z - x) ∧ e x * (z - x) ≤ e z - e x := by
  have split : e z = e x * e (z - x) := by rw [← he.add]; exact congrArg e ((ring2 K x z, z, x + (z - x)) x z)
  have low := mul_nonneg (he.nonneg x) (sub_nonneg (he.tangent (z - x)))
  have high := mul_nonneg (he.nonneg x) (sub_nonneg (he.below_one (z - x)))
  rw [split]
  generalize z - x = d at *
  constructor
  · exact le_cert ((ring3 K A D d, A * D * d - (A * D - A), A * (1 - D * (1 - d))) _ _ _) high
  · exact le_cert ((ring3 K A D d, A * D - A - A * d, A * (D - (1 + d))) _ _ _) low

theorem sigmoid_rises {E F vx vz d : K} (hE : 0 ≤ E) (hF : 0 ≤ F) (hx : vx * (1 + E) = E)
    (hz : vz * (1 + F) = F) (up : F - E ≤ F * d) (down : E * d ≤ F - E) :
    vz - vx ≤ vz * (1 - vx) * d ∧ vx * (1 - vz) * d ≤ vz - vx := by
  have c : (1 : K) ≤ (1 + F) * (1 + E) := by
    have t := add_nonneg (add_nonneg hF hE) (mul_nonneg hF hE)
    exact le_cert ((ring2 K F E, (1 + F) * (1 + E) - 1, F + E + F * E) F E) t
  have nx : (1 - vx) * (1 + E) = 1 := by
    have r : (1 - vx) * (1 + E) = 1 + E - vx * (1 + E) :=
      (ring2 K v E, (1 - v) * (1 + E), 1 + E - v * (1 + E)) _ _
    rw [r, hx]; exact (ring1 K E, 1 + E - E, 1) _
  have nz : (1 - vz) * (1 + F) = 1 := by
    have r : (1 - vz) * (1 + F) = 1 + F - vz * (1 + F) :=
      (ring2 K v E, (1 - v) * (1 + E), 1 + E - v * (1 + E)) _ _
    rw [r, hz]; exact (ring1 K E, 1 + E - E, 1) _
  have rise : (vz - vx) * ((1 + F) * (1 + E)) = F - E := by
    have r : (vz - vx) * ((1 + F) * (1 + E)) = vz * (1 + F) * (1 + E) - vx * (1 + E) * (1 + F) :=
      (ring4 K z x F E, (z - x) * ((1 + F) * (1 + E)), z * (1 + F) * (1 + E) - x * (1 + E) * (1 + F)) _ _ _ _
    rw [r, hz, hx]; exact (ring2 K F E, F * (1 + E) - E * (1 + F), F - E) _ _
  have top : vz * (1 - vx) * d * ((1 + F) * (1 + E)) = F * d := by
    have r : vz * (1 - vx) * d * ((1 + F) * (1 + E)) = vz * (1 + F) * ((1 - vx) * (1 + E)) * d :=
      (ring5 K z n d F E, z * n * d * (F * E), z * F * (n * E) * d) vz (1 - vx) d (1 + F) (1 + E)
    rw [r, hz, nx, mul_on]
  have low : vx * (1 - vz) * d * ((1 + F) * (1 + E)) = E * d := by
    have r : vx * (1 - vz) * d * ((1 + F) * (1 + E)) = vx * (1 + E) * ((1 - vz) * (1 + F)) * d :=
      (ring5 K z n d F E, z * n * d * (F * E), z * E * (n * F) * d) vx (1 - vz) d (1 + F) (1 + E)
    rw [r, hx, nz, mul_on]
  constructor
  · refine IsExponential.cancel_one c ?_
    rw [rise, top]; exact up
  · refine IsExponential.cancel_one c ?_
    rw [rise, low]; exact down

theorem rises (he : IsExponential e) {x z vx vz : K} (h : x ≤ z) :
    (function : Curve) → function.logistic = true →
    function.At e x vx → function.At e z vz →
    vz - vx ≤ function.rising vz * function.falling vx * (z - x) ∧
      function.rising vx * function.falling vz * (z - x) ≤ vz - vx
  | .sqrt, no, _, _ => Bool.noConf_tf (Eq.symm no)
  | .log, no, _, _ => Bool.noConf_tf (Eq.symm no)
  | .softplus, no, _, _ => Bool.noConf_tf (Eq.symm no)
  | .erf, no, _, _ => Bool.noConf_tf (Eq.symm no)
  | .sine, no, _, _ => Bool.noConf_tf (Eq.symm no)
  | .cosine, no, _, _ => Bool.noConf_tf (Eq.symm no)
  | .sign, no, _, _ => Bool.noConf_tf (Eq.symm no)
  | .fused _, no, _, _ => Bool.noConf_tf (Eq.symm no)
  | .exp, _, hx, hz => by
    have hx : vx = e x := hx
    have hz : vz = e z := hz
    show vz - vx ≤ vz * 1 * (z - x) ∧ vx * 1 * (z - x) ≤ vz - vx
    rw [mul_on, mul_on, hx, hz]
    exact rise_terms he h
  | .sigmoid, _, hx, hz => by
    obtain ⟨up, down⟩ := rise_terms he h
    exact sigmoid_rises (he.nonneg x) (he.nonneg z) hx hz up down
  | .tanh, _, hx, hz => by
    have hx : vx * (e (x + x) + 1) = e (x + x) - 1 := hx
    have hz : vz * (e (z + z) + 1) = e (z + z) - 1 := hz
    obtain ⟨up, down⟩ := rise_terms he (add_le_add h h)
    obtain ⟨i, hi⟩ := he.half 1
    have two : (1 + 1) * i = (1 : K) := ((ring1 K i, (1 + 1) * i, i + i) i).trans hi
    -- the sigmoid at twice the argument is (1 + tanh) / 2
    have sx : (1 + vx) * i * (1 + e (x + x)) = e (x + x) := by
      have r : (1 + vx) * i * (1 + e (x + x)) = i * (1 + e (x + x) + vx * (e (x + x) + 1)) :=
        (ring3 K v i E, (1 + v) * i * (1 + E), i * (1 + E + v * (E + 1))) _ _ _
      rw [r, hx]
      have q : i * (1 + e (x + x) + (e (x + x) - 1)) = (1 + 1) * i * e (x + x) :=
        (ring2 K i E, i * (1 + E + (E - 1)), (1 + 1) * i * E) _ _
      rw [q, two, one_mul]
    have sz : (1 + vz) * i * (1 + e (z + z)) = e (z + z) := by
      have r : (1 + vz) * i * (1 + e (z + z)) = i * (1 + e (z + z) + vz * (e (z + z) + 1)) :=
        (ring3 K v i E, (1 + v) * i * (1 + E), i * (1 + E + v * (E + 1))) _ _ _
      rw [r, hz]
      have q : i * (1 + e (z + z) + (e (z + z) - 1)) = (1 + 1) * i * e (z + z) :=
        (ring2 K i E, i * (1 + E + (E - 1)), (1 + 1) * i * E) _ _
      rw [q, two, one_mul]
    obtain ⟨r1, r2⟩ := sigmoid_rises (he.nonneg _) (he.nonneg _) sx sz up down
    have other : ∀ v : K, 1 - (1 + v) * i = (1 - v) * i := fun v => by
      have r : (1 - v) * i = (1 + 1) * i - (1 + v) * i :=
        (ring2 K v i, (1 - v) * i, (1 + 1) * i - (1 + v) * i) v i
      rw [r, two]
    rw [other] at r1 r2
    have four : ∀ a b : K, (1 + 1) * ((1 + a) * i * ((1 - b) * i) * (z + z - (x + x))) =
        (1 + a) * (1 - b) * (z - x) := fun a b => by
      have r : (1 + 1) * ((1 + a) * i * ((1 - b) * i) * (z + z - (x + x))) =
          (1 + a) * (1 - b) * (z - x) * (((1 + 1) * i) * ((1 + 1) * i)) :=
        (ring5 K a b i z x, (1 + 1) * ((1 + a) * i * ((1 - b) * i) * (z + z - (x + x))),
            (1 + a) * (1 - b) * (z - x) * (((1 + 1) * i) * ((1 + 1) * i))) a b i z x
      rw [r, two, mul_on, mul_on]
    have rise : (1 + 1) * ((1 + vz) * i - (1 + vx) * i) = vz - vx := by
      have r : (1 + 1) * ((1 + vz) * i - (1 + vx) * i) = (vz - vx) * ((1 + 1) * i) :=
        (ring3 K a b i, (1 + 1) * ((1 + a) * i - (1 + b) * i), (a - b) * ((1 + 1) * i)) vz vx i
      rw [r, two, mul_on]
    have twice := add_nonneg (zero_le_one (K := K)) zero_le_one
    have r1 := mul_le_left twice r1
    have r2 := mul_le_left twice r2
    rw [rise, four] at r1
    rw [rise, four] at r2
    exact ⟨r1, r2⟩

theorem increases (he : IsExponential e) {x z vx vz : K} (h : x ≤ z) (function : Curve)
    (hf : function.logistic = true) (hx : function.At e x vx) (hz : function.At e z vz) :
    vx ≤ vz := by
  have r := (rises he h function hf hx hz).2
  have p := mul_nonneg (mul_nonneg (factors_nonneg he function hf hx).1 (factors_nonneg he function hf hz).2)
    (sub_nonneg h)
  exact le_cert rfl (le_trans p r)
end Curve
end PytestTorchLean
