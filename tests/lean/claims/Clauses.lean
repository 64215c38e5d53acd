prelude
import PytestTorchLean
/-! Clauses of several rows: one of each must have the sign. No node, one input x between -1 and 1 in slot 2. -/
namespace PytestTorchLean.Test

def graph : Graph := ⟨1, []⟩
/-- -1 ≤ x ≤ 1 -/
def box : Box := ⟨1, 1, 8, 0, 2⟩
def scale : Scale := ⟨1024, 4096, 46⟩
def decoding : Decoding := ⟨127, 1, 25⟩
/-- Rows of three weights for 1, x and nothing. -/
def rows (count weights : Nat) : Affine := ⟨count, 3, 1, weights, 1, 0x00000000_00000002_00000001, 1⟩

/-- `x` and `-x` -/
def either : Affine := rows 2 0x00000000_BF800000_00000000_00000000_3F800000_00000000
/-- `x - 2`, `x + 2`, `-x - 2`, `-x + 2` -/
def four : Affine := rows 4 0x00000000_BF800000_40000000_00000000_BF800000_C0000000_00000000_3F800000_40000000_00000000_3F800000_C0000000

def claim (forms : Affine) (strict : Bool) (alternatives : Nat) : List Claim := [⟨⟨forms, strict, alternatives⟩, [box]⟩]
def once : Certificate := ⟨scale, [[.conclude (.direct decoding)]]⟩
/-- Two cases: x at most or at least the value. -/
def split (value : Nat) : Certificate := ⟨scale, [[.split 2 value (.conclude (.direct decoding)) (.conclude (.direct decoding))]]⟩

-- one of x + 2 and x - 2 is positive, one of 2 - x and -2 - x is
theorem pairs : check .plain .real graph (claim four .true 2) once = .true := by decide +kernel
theorem proved.{u} (K : Type u) [OrderedRing K] : Every (Claim.Holds K .real graph) (claim four .true 2) := sound K pairs
theorem all_four : check .plain .real graph (claim four .true 4) once = .true := by decide +kernel
-- the last clause may be short: its only row, 2 - x, is positive; in fours, all of them must not fail
theorem short_clause : check .plain .real graph (claim four .true 3) once = .true := by decide +kernel
-- not every row is positive, and a clause of no rows holds never
theorem each_row : check .plain .real graph (claim four .true 1) once = .false := by decide +kernel
theorem no_row : check .plain .real graph (claim four .true 0) once = .false := by decide +kernel
-- a short clause whose row fails: the first two rows x - 2, x + 2 and then -x - 2 alone
theorem short_clause_fails : check .plain .real graph (claim { four with rows := 3 } .true 2) once = .false := by decide +kernel

-- x ≥ 0 or -x ≥ 0: neither holds throughout, each holds in one case
theorem signs : check .plain .real graph (claim either .false 2) (split 4096) = .true := by decide +kernel
theorem without_cases : check .plain .real graph (claim either .false 2) once = .false := by decide +kernel
theorem cases_elsewhere : check .plain .real graph (claim either .false 2) (split 4097) = .false := by decide +kernel
theorem strictly : check .plain .real graph (claim either .true 2) (split 4096) = .false := by decide +kernel
-- one alternative removed
theorem only_first : check .plain .real graph (claim { either with rows := 1 } .false 2) (split 4096) = .false := by decide +kernel
-- a split outside the bounds of its slot
theorem uncovered : check .plain .real graph (claim either .false 2) (split 5121) = .false := by decide +kernel
theorem unwritten : check .plain .real graph (claim either .false 2)
    ⟨scale, [[.split 3 4096 (.conclude (.direct decoding)) (.conclude (.direct decoding))]]⟩ = .false := by decide +kernel

end PytestTorchLean.Test
