"""Expressions of a spec: text -> tree -> exact values, linear pieces or bounds. Nothing is run as Python.

`syntax.py` reads text, `evaluate.py` gives a tree a meaning in any arithmetic, `piecewise.py` writes it as a
maximum of minima of linear functions where it is one, `polynomial.py` multiplies it out.
"""

from pytest_torchlean.spec.expressions.evaluate import Arithmetic, Binary64, Exact, evaluate, names_in
from pytest_torchlean.spec.expressions.syntax import (
    Apply,
    Expression,
    ExpressionError,
    Number,
    Variable,
    read_expression,
    read_inequality,
)

__all__ = [
    "Apply",
    "Arithmetic",
    "Binary64",
    "Exact",
    "Expression",
    "ExpressionError",
    "Number",
    "Variable",
    "evaluate",
    "names_in",
    "read_expression",
    "read_inequality",
]
