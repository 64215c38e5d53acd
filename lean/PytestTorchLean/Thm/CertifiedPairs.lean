prelude
import PytestTorchLean.Thm.Certified
/-!
# An accepted certificate about two copies

`y = max(x, 0)` and `y' = max(x + t, 0)` on `-1 ≤ x ≤ 1` and `0 ≤ t ≤ 1/8`: `8 y' - 8 y + 1` is positive.
Lines for each ReLU by itself do not show that; a line for the difference of the two does.
-/
set_option linter.all false
universe u
namespace PytestTorchLean
namespace Example
open OrderedRing

/-- `1 0` over `1 1`: the inputs `x` and `t` in slots 2 and 3. Slots 4 and 5 hold `x` and `x + t`, slots 6 and
    7 their ReLUs. -/
def pairWeights : Nat := 0x3f8000003f80000000000000000000000000000000000000000000003f800000
def pairGraph : Graph := ⟨2, [.affine ⟨2, 6, 1, pairWeights, 1, 2 + 2 ^ 32 * 3, 1⟩, .relu 4 2]⟩
/-- `-8 * slot 6 + 8 * slot 7 + slot 1`, in subnormal patterns -/
def pairForms : Affine := ⟨1, 6, 1, 0x10000000880000008, 1, 0x10000000700000006, 1⟩
/-- `-8/8 ≤ x ≤ 8/8`, `0 ≤ t ≤ 1/8` -/
def pairBox : Box := ⟨8, 8, 192, 2 ^ 192 * 8, 16 + 2 ^ 192 * 9⟩
def pairClaims : List Claim := [⟨⟨pairForms, true, 1⟩, [pairBox]⟩]
def pairScale : Scale := ⟨2 ^ 32, 2 ^ 35, 96⟩
/-- The difference of slots 5 and 4 from below and from above, carried back to the inputs. -/
def pairDifferences : Relaxation := ⟨60, 6, 2, 4, 2, 2 ^ 32, [.through 2 2 0 24]⟩
/-- The row of the property, as `links` carry it back to slots 4 and 5, and on to the inputs. -/
def pairScript (links : List Relaxation.Link) : Script :=
  .node ⟨⟨127, 1, 24⟩, 0, 0⟩
    (.differ pairDifferences 0 1 1
      (.node reluStep (.conclude (.relaxed ⟨1, 0, 4⟩ 0 4 ⟨68, 6, 1, 6, 2, 0, links⟩))))

theorem pair_accepted :
    check .plain .real pairGraph pairClaims
      ⟨pairScale,
        [[pairScript [.pair 0 8 256 1, .bend 8 0x20000 0x11080, .join 256 1 1 15 0 1, .through 2 2 0 1]]]⟩ =
    true := by
  decide +kernel
/-- Without the line for the difference the row does not suffice, nor with differences that nobody has
    bounded. -/
theorem pair_refused :
    check .plain .real pairGraph pairClaims
        ⟨pairScale, [[pairScript [.bend 8 0x20000 0x11080, .through 2 2 0 36]]]⟩ = false ∧
    check .plain .real pairGraph pairClaims
        ⟨pairScale,
          [[pairScript [.pair 1 8 256 1, .bend 8 0x20000 0x11080, .join 256 1 1 15 0 1, .through 2 2 0 1]]]⟩ =
      false :=
  ⟨by decide +kernel, by decide +kernel⟩
/-- What the row proves. -/
theorem pair_sound (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real pairGraph) pairClaims :=
  PytestTorchLean.sound K pair_accepted

end Example
end PytestTorchLean
