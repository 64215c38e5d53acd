prelude
import PytestTorchLean.Thm.CertifiedCurves
import PytestTorchLean.Thm.CertifiedRelaxation
/-!
# An accepted certificate with rows through a fused operation

`y = s0 + s1`, where `s` are two shares that nodes before have composed, up to the budget of a Softmax: here
`(x0 + x1, x0 - x1)`. On `-1 ≤ x ≤ 1` interval bounds give `y ≤ 4`; a row carried back through the operation,
whose slope is 1, and through the first layer gives `y ≤ 2` and what the budgets add, in binary32 too.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

def shareLayer : Affine := ⟨1, 6, 1, 0x3f8000003f800000, 1, slotPair 6, 1⟩
def shareGraph : Graph := ⟨2, [.affine firstLayer, .curve .fusedSoftmax 4 2, .affine shareLayer]⟩
/-- `3 - y ≥ 0`, as `3 * slot 1 - 1 * slot 8`, in subnormal patterns -/
def atMostThree : Property := ⟨⟨1, 6, 1, 0x0000000380000001, 1, 8 + 2 ^ 32 * 1, 1⟩, false, 1⟩
def shareClaims : List Claim := [⟨atMostThree, [unitBox]⟩]
def threes : Decoding := ⟨1, 0, 2⟩
/-- Slopes `first` and `second` in units of `2^-12`, and nothing taken off them. -/
def rowsThroughShares (first second : Nat) : Relaxation := ⟨62, 6, 1, 8, 1, 0,
  [.through 6 2 4 20, .slide 12 13 (first + 2 ^ 13 * second) 0 4 66, .through 2 2 36 20]⟩
def shareScript (how : Conclusion) : Script :=
  .node intervalStep (.node curveStep (.node intervalStep (.conclude how)))
def sharesByRows (first second : Nat) : Certificate :=
  ⟨deepScale, [[shareScript (.relaxed threes 0 1 (rowsThroughShares first second))]]⟩

theorem shares_accepted :
    check .smooth .binary32 shareGraph shareClaims (sharesByRows 4096 4096) = true := by decide +kernel
/-- Neither intervals suffice nor a row with another slope than 1. -/
theorem shares_refused :
    check .smooth .binary32 shareGraph shareClaims ⟨deepScale, [[shareScript (.direct threes)]]⟩ = false ∧
    check .smooth .binary32 shareGraph shareClaims (sharesByRows 4096 2048) = false :=
  ⟨by decide +kernel, by decide +kernel⟩
/-- What `sound` says of the sum of the shares, in binary32. -/
theorem shares_bounded (K : Type u) [OrderedRing K] :
    Every (Claim.Holds K .binary32 shareGraph) shareClaims :=
  PytestTorchLean.sound K shares_accepted

/-- 0 but for slot 1 -/
def restingSlots (i : Nat) : Nat := cond (Nat.beq i 1) 1 0
theorem later (start i : Nat) (h : Nat.ble 2 start = true) : restingSlots (start + i) = 0 := by
  have rests : (j : Nat) → 2 ≤ j → restingSlots j = 0
    | 0, h => absurd h (Nat.not_succ_le_zero 1)
    | 1, h => absurd (Nat.le_of_succ_le_succ h) (Nat.not_succ_le_zero 0)
    | _ + 2, _ => rfl
  exact rests _ (Nat.le_trans (Nat.le_of_ble_eq_true h) (Nat.le_add_right start i))
theorem sum_of_zeros {K : Type u} [OrderedRing K] :
    (n : Nat) → (f : Nat → K) → (∀ i, i < n → f i = 0) → PytestTorchLean.sum n f = 0
  | 0, _, _ => rfl
  | n + 1, f, h => by
    show f 0 + PytestTorchLean.sum n (fun i => f (i + 1)) = 0
    rw [h 0 (Nat.succ_le_succ (Nat.zero_le n)),
      sum_of_zeros n (fun i => f (i + 1)) (fun i hi => h (i + 1) (Nat.succ_le_succ hi))]
    exact add_zero 0
/-- Where a layer of one column a lane reads zeros it gives zeros. -/
theorem layer_rests {K : Type u} [OrderedRing K] (a : Affine) (one : a.laneColumns = 1)
    (h : ∀ lane, lane < a.lanes → restingSlots (a.source 0 lane 0) = 0) (row i : Nat)
    (hi : restingSlots i = 0) :
    natural (a.divisor * 2 ^ 149) * (natural (restingSlots i) : K) =
    a.form (fun i => natural (restingSlots i)) 0 row := by
  rw [hi]
  refine Eq.trans (mul_zero _)
    (Eq.symm (sum_of_zeros _ _ fun lane hl => sum_of_zeros _ _ fun column hc => ?_))
  rw [one] at hc
  have hc : column = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hc) (Nat.zero_le _)
  subst hc
  show _ * natural (restingSlots (a.source 0 lane 0)) = (0 : K)
  rw [h lane hl]
  exact mul_zero _
theorem below_six {P : Nat → Prop} (h0 : P 0) (h1 : P 1) (h2 : P 2) (h3 : P 3) (h4 : P 4) (h5 : P 5) :
    (i : Nat) → i < 6 → P i
  | 0, _ => h0
  | 1, _ => h1
  | 2, _ => h2
  | 3, _ => h3
  | 4, _ => h4
  | 5, _ => h5
  | n + 6, h => absurd h (Nat.not_lt_of_le (Nat.le_add_left 6 n))
/-- There is such an execution: all inputs 0, exactly. -/
theorem shares_execute (K : Type u) [OrderedRing K] (e : K → K) (he : IsExponential e) :
    Executes .real shareGraph (fun i => (natural (restingSlots i) : K)) := by
  refine ⟨rfl, rfl, fun position row hp _ => ?_, ⟨e, he, fun i _ => ?_⟩, fun position row hp _ => ?_, trivial⟩
  · have hp : position = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hp) (Nat.zero_le _)
    subst hp
    exact layer_rests firstLayer rfl (below_six rfl rfl rfl rfl rfl rfl) row _ (later 4 _ rfl)
  · show natural (restingSlots (6 + i)) = natural (restingSlots (4 + i))
    rw [later 6 i rfl, later 4 i rfl]
  · have hp : position = 0 := Nat.le_antisymm (Nat.le_of_succ_le_succ hp) (Nat.zero_le _)
    subst hp
    exact layer_rests shareLayer rfl (below_six rfl rfl rfl rfl rfl rfl) row _ (later 8 _ rfl)

end Example
end PytestTorchLean
