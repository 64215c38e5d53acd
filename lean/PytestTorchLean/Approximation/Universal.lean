prelude
import PytestTorchLean.Approximation.Lipschitz
import PytestTorchLean.Approximation.Order
/-!
# Universal approximation

Every Lipschitz function on a box is approximated by a ReLU network, as closely as one likes, everywhere on
the box. The network is `gridTable`'s (Approximation/Construction, Approximation/Lipschitz): it is written
down, not only shown to exist, all its weights are binary32 patterns, and its size is `Table.slots_eq`.

`K` is any ordered ring without infinitesimals in which numbers can be halved: the real numbers, the
rationals, every Archimedean ordered field.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
open OrderedRing
namespace Approximation
variable {K : Type u} [OrderedRing K]

theorem le_two_pow : (n : Nat) → n ≤ 2 ^ n
  | 0 => Nat.zero_le _
  | n + 1 => by
    show n + 1 ≤ 2 ^ n * 2
    rw [Nat.mul_comm, Nat.two_mul]
    exact Nat.add_le_add (le_two_pow n) (Natural.two_pow_pos n)

/-- Some power of two times a positive number is beyond `x`. -/
theorem exists_two_pow (archimedean : Archimedean K) (x : K) {y : K} (hy : 0 < y) :
    ∃ n, x ≤ natural (2 ^ n) * y := by
  obtain ⟨n, hn⟩ := archimedean x y hy
  have positive : 0 ≤ y := (le_total 0 y).elim id fun h => absurd h hy
  exact ⟨n, le_trans hn (mul_le_right positive (natural_le (le_two_pow n)))⟩
theorem exists_two_pow_le (archimedean : Archimedean K) (x : K) : ∃ n, x ≤ natural (2 ^ n) := by
  obtain ⟨n, hn⟩ := exists_two_pow archimedean x (y := 1) one_not_le
  rw [mul_on] at hn
  exact ⟨n, hn⟩

/-- One power of two is beyond finitely many numbers. -/
theorem exists_two_pow_all (archimedean : Archimedean K) :
    (d : Nat) → (x : Nat → K) → ∃ n, ∀ i, i < d → x i ≤ natural (2 ^ n)
  | 0, _ => ⟨0, fun i hi => absurd hi (Nat.not_succ_le_zero i)⟩
  | d + 1, x => by
    obtain ⟨m, hm⟩ := exists_two_pow_le archimedean (x 0)
    obtain ⟨n, hn⟩ := exists_two_pow_all archimedean d fun i => x (i + 1)
    refine ⟨m + n, fun i hi => ?_⟩
    cases i with
    | zero => exact le_trans hm (natural_le (Natural.two_pow_le (Nat.le_add_right m n)))
    | succ i =>
      exact le_trans (hn i (Nat.le_of_succ_le_succ hi))
        (natural_le (Natural.two_pow_le (Nat.le_add_left n m)))

/-- A larger slope will do as well. -/
theorem Lipschitz.mono {d : Nat} {lower upper : Nat → K} {s t : K} {f : (Nat → K) → K}
    (h : Lipschitz d lower upper s f) (le : s ≤ t) :
    Lipschitz d lower upper t f := fun x y distance hx hy hd =>
  le_trans (h x y distance hx hy hd) (mul_le_right (sum_nonneg fun i hi => (hd i hi).nonneg) le)

/-- A Lipschitz function on a box is bounded. -/
theorem Lipschitz.bounded {d : Nat} {lower upper : Nat → K} {s : K} {f : (Nat → K) → K}
    (h : Lipschitz d lower upper s f)
    (nonempty : ∀ i, i < d → lower i ≤ upper i)
    {x : Nat → K}
    (hx : InBox d lower upper x) :
    f x ≤ f lower + s * sum d (fun i => upper i - lower i) ∧
    -f x ≤ -f lower + s * sum d (fun i => upper i - lower i) := by
  have corner : InBox d lower upper lower := fun i hi => ⟨le_refl _, nonempty i hi⟩
  have near : ∀ i, i < d → AtMost (x i - lower i) (upper i - lower i) := fun i hi =>
    AtMost.of_le (sub_nonneg (hx i hi).1) (add_le _ (hx i hi).2)
  have up := h x lower _ hx corner near
  have down := h lower x _ corner hx fun i hi => by
    have z := (near i hi).neg
    rw [(ring2 K x l, -(x - l), l - x) (x i) (lower i)] at z
    exact z
  generalize s * sum d (fun i => upper i - lower i) = w at *
  exact ⟨le_cert ((ring3 K y z w, z + w - y, w - (y - z)) _ _ _) (sub_nonneg up),
    le_cert ((ring3 K y z w, -z + w - -y, w - (z - y)) _ _ _) (sub_nonneg down)⟩

/-- **Universal approximation.** For every Lipschitz function `f` on a box with `d` inputs and every `ε > 0`
    there is a ReLU network, `gridTable`'s for some table of values, such that in every exact execution whose
    input lies in the box the output is within `ε` of `f`: at most `f`, and at least `f - ε`. The parameters
    of the table are the bits of the box, the slope, the values and the error; `byRelu` says whether maxima
    are ReLUs too, or nodes of their own. -/
theorem universal_approximation (archimedean : Archimedean K) (halves : Halves K) (byRelu : Bool) {d : Nat}
    {lower upper : Nat → K} {slope ε : K} {f : (Nat → K) → K}
    (nonempty : ∀ i, i < d → lower i ≤ upper i)
    (lipschitz : Lipschitz d lower upper slope f)
    (positive : 0 < ε) :
    ∃ boxBits slopeBits valueBits errorBits value, ∃ t, t =
        gridTable byRelu d boxBits slopeBits valueBits errorBits value ∧
      t.WellFormed ∧
      ∀ slots : Nat → K, t.network.Executes .real slots →
        InBox d lower upper (fun i => slots (2 + i)) →
        f (fun i => slots (2 + i)) - ε ≤ slots t.output ∧ slots t.output ≤ f (fun i => slots (2 + i)) := by
  obtain ⟨b1, h1⟩ := exists_two_pow_all archimedean d fun i => -lower i
  obtain ⟨b2, h2⟩ := exists_two_pow_all archimedean d upper
  obtain ⟨l, hl⟩ := exists_two_pow_le archimedean slope
  obtain ⟨a1, g1⟩ := exists_two_pow_le archimedean (f lower + slope * sum d (fun i => upper i - lower i))
  obtain ⟨a2, g2⟩ := exists_two_pow_le archimedean (-f lower + slope * sum d (fun i => upper i - lower i))
  obtain ⟨e, he⟩ := exists_two_pow archimedean 1 positive
  have left : ∀ m n, (natural (2 ^ m) : K) ≤ natural (2 ^ (m + n)) :=
    fun m n => natural_le (Natural.two_pow_le (Nat.le_add_right m n))
  have right : ∀ m n, (natural (2 ^ n) : K) ≤ natural (2 ^ (m + n)) :=
    fun m n => natural_le (Natural.two_pow_le (Nat.le_add_left n m))
  have box :
      ∀ i, i < d → -natural (2 ^ (b1 + b2)) ≤ lower i ∧ upper i ≤ natural (2 ^ (b1 + b2)) := fun i hi => by
    refine ⟨le_of_neg_le_neg ?_, le_trans (h2 i hi) (right b1 b2)⟩
    rw [neg_neg]
    exact le_trans (h1 i hi) (left b1 b2)
  have bounded : ∀ x, InBox d lower upper x → AtMost (f x) (natural (2 ^ (a1 + a2))) := fun x hx =>
    have z := lipschitz.bounded nonempty hx
    ⟨le_trans (le_trans z.1 g1) (left a1 a2), le_trans (le_trans z.2 g2) (right a1 a2)⟩
  obtain ⟨value, well, near⟩ :=
    gridTable_approximates (byRelu := byRelu) (e := e) halves nonempty box (lipschitz.mono hl) bounded
  refine ⟨b1 + b2, l, a1 + a2, e, value, _, rfl, well, fun slots h hx => ?_⟩
  obtain ⟨below, close⟩ := near _ _ hx (Table.interpolates well h)
  refine ⟨?_, below⟩
  have z := le_of_natural_mul_le (Natural.two_pow_pos e) (le_trans close he)
  exact le_cert ((ring3 K f y e, y - (f - e), e - (f - y)) _ _ _) (sub_nonneg z)

/-- The same of the graph that the checker takes, if its slots can be numbered with 32 bits. -/
theorem universal_approximation_graph (archimedean : Archimedean K) (halves : Halves K) (byRelu : Bool)
    {d : Nat} {lower upper : Nat → K} {slope ε : K} {f : (Nat → K) → K}
    (nonempty : ∀ i, i < d → lower i ≤ upper i)
    (lipschitz : Lipschitz d lower upper slope f)
    (positive : 0 < ε) :
    ∃ boxBits slopeBits valueBits errorBits value, ∃ t, t =
        gridTable byRelu d boxBits slopeBits valueBits errorBits value ∧
      (t.network.slots ≤ 2 ^ 32 →
          ∀ slots : Nat → K, Executes .real t.network.graph slots →
            InBox d lower upper (fun i => slots (2 + i)) →
            f (fun i => slots (2 + i)) - ε ≤ slots t.output ∧
              slots t.output ≤ f (fun i => slots (2 + i))) := by
  obtain ⟨b, l, a, e, value, t, ht, well, h⟩ :=
    universal_approximation archimedean halves byRelu nonempty lipschitz positive
  exact ⟨b, l, a, e, value, t, ht,
      fun fits slots hs => h slots ((Network.executes_graph fits (Table.inOrder well)).1 hs)⟩

end Approximation
end PytestTorchLean
