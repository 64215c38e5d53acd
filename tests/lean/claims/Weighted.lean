prelude
import PytestTorchLean
/-! Clauses by weights: inputs x and y between 0 and 2 in slots 2 and 3, no node. -/
namespace PytestTorchLean.Test

def graph : Graph := ⟨2, []⟩
def box : Box := ⟨1, 0, 8, 0, 0x0202⟩
def scale : Scale := ⟨1024, 4096, 60⟩
def decoding : Decoding := ⟨125, 2, 27⟩
/-- Rows of four weights, for 1, x, y and nothing. -/
def rows (count weights : Nat) : Affine := ⟨count, 4, 1, weights, 1, 0x00000000_00000003_00000002_00000001, 1⟩
def claim (forms : Affine) (strict : Bool) (alternatives : Nat) : List Claim := [⟨⟨forms, strict, alternatives⟩, [box]⟩]
def direct : Certificate := ⟨scale, [[.conclude (.direct decoding)]]⟩
def weighted (weights : List (List Nat)) : Certificate := ⟨scale, [[.conclude (.weighted decoding 2 34 weights)]]⟩

/-- `x - 1/2` and `1 - x` -/
def either : Affine := rows 2 0x00000000_00000000_BF800000_3F800000_00000000_00000000_3F800000_BF000000
/-- Under the condition `x + y ≥ 3`: `x > 1/2`. The rows are `x - 1/2` and `3 - x - y`. -/
def under : Affine := rows 2 0x00000000_BF800000_BF800000_40400000_00000000_00000000_3F800000_BF000000
/-- Under the same condition, halved: `x > 1/4`. The rows are `x - 1/4` and `3/2 - x/2 - y/2`. -/
def halved : Affine := rows 2 0x00000000_BF000000_BF000000_3FC00000_00000000_00000000_3F800000_BE800000
/-- Both in one property of two clauses -/
def both_of_them : Affine := rows 4 (under.weights + 2 ^ 256 * halved.weights)
/-- `x - 1` and `1 - x` -/
def touching : Affine := rows 2 0x00000000_00000000_BF800000_3F800000_00000000_00000000_3F800000_BF800000

theorem disjunction : check .plain .real graph (claim either .true 2) (weighted [[1, 1]]) = .true := by decide +kernel
theorem condition : check .plain .real graph (claim under .true 2) (weighted [[1, 1]]) = .true := by decide +kernel
theorem proved.{u} (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real graph) (claim under .true 2) := sound K condition
theorem rational : check .plain .real graph (claim halved .true 2) (weighted [[1, 2]]) = .true := by decide +kernel
theorem two_clauses : check .plain .real graph (claim both_of_them .true 2) (weighted [[1, 1], [1, 2]]) = .true := by decide +kernel
theorem weak : check .plain .real graph (claim touching .false 2) (weighted [[3, 3]]) = .true := by decide +kernel
theorem rounded : check .plain .binary32 graph (claim under .true 2) (weighted [[1, 1]]) = .true := by decide +kernel

-- no row alone
theorem row_by_row : check .plain .real graph (claim under .true 2) direct = .false := by decide +kernel
theorem first_alone : check .plain .real graph (claim under .true 2) (weighted [[1, 0]]) = .false := by decide +kernel
theorem second_alone : check .plain .real graph (claim under .true 2) (weighted [[0, 1]]) = .false := by decide +kernel
-- the condition left out of the claim
theorem unconditional : check .plain .real graph (claim { under with rows := 1 } .true 1) (weighted [[1]]) = .false := by decide +kernel
-- rows of different clauses do not help each other
theorem apart : check .plain .real graph (claim under .true 1) (weighted [[1], [1]]) = .false := by decide +kernel
theorem too_long : check .plain .real graph (claim under .true 1) (weighted [[1, 1]]) = .false := by decide +kernel
-- other weights; none; too few and too many clauses
theorem other_weights : check .plain .real graph (claim under .true 2) (weighted [[1, 2]]) = .false := by decide +kernel
theorem swapped : check .plain .real graph (claim both_of_them .true 2) (weighted [[1, 2], [1, 1]]) = .false := by decide +kernel
theorem no_weight : check .plain .real graph (claim touching .false 2) (weighted [[0, 0]]) = .false := by decide +kernel
theorem empty_clause : check .plain .real graph (claim touching .false 2) (weighted [[]]) = .false := by decide +kernel
theorem no_clause : check .plain .real graph (claim under .true 2) (weighted []) = .false := by decide +kernel
theorem clause_missing : check .plain .real graph (claim both_of_them .true 2) (weighted [[1, 1]]) = .false := by decide +kernel
theorem clause_too_many : check .plain .real graph (claim under .true 2) (weighted [[1, 1], [1, 1]]) = .false := by decide +kernel
theorem no_alternative : check .plain .real graph (claim under .true 0) (weighted [[1, 1]]) = .false := by decide +kernel
-- a sum of 0 is not positive; a weight of more bits than announced
theorem strictly : check .plain .real graph (claim touching .true 2) (weighted [[1, 1]]) = .false := by decide +kernel
theorem too_large : check .plain .real graph (claim touching .false 2) (weighted [[5, 5]]) = .false := by decide +kernel
-- digits that are too short for the sums
theorem too_short : check .plain .real graph (claim under .true 2)
    ⟨scale, [[.conclude (.weighted decoding 2 30 [[1, 1]])]]⟩ = .false := by decide +kernel

end PytestTorchLean.Test
