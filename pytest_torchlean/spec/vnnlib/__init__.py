"""VNN-LIB 1.0 files: bytes -> expressions -> formulas over X and Y -> cases, each a box with inequalities.

`source.py` reads bytes, `formula.py` gives expressions a meaning, `cases.py` takes disjunctions apart.
`version2.py` writes VNN-LIB 2.0 again as 1.0, with the help of a package.
"""

from pytest_torchlean.spec.vnnlib.cases import Case, InputBox, UnsafeSet
from pytest_torchlean.spec.vnnlib.formula import Atom
from pytest_torchlean.spec.vnnlib.reader import load_unsafe_set, read_unsafe_set

__all__ = ["Atom", "Case", "InputBox", "UnsafeSet", "load_unsafe_set", "read_unsafe_set"]
