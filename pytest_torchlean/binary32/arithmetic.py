"""Two arithmetics for one formula: binary32 under the declared schedule, and where every execution lies.

An operation made of several roundings is written once, over `Value`. On `Rounded` operands the formula
gives binary32 numbers, each operation rounded to nearest and each sum taken in ascending order. On
`Enclosed` operands it gives a center and a radius: any execution of the same formula in binary32, sums in
any order, products and sums fused or not, a division done as a product with a reciprocal, elementary
functions within their budgets, on operands within their own radii, lies within the radius of the center.
This is running error analysis (N. Higham, Accuracy and Stability, section 3.3) in binary64 with an upward
margin. The radius is infinite where nothing can be claimed; an operand that is infinite itself is followed
exactly.
"""

from __future__ import annotations

from pytest_torchlean.binary32.enclosed import Enclosed
from pytest_torchlean.binary32.rounded import Rounded
from pytest_torchlean.binary32.values import Value

__all__ = ["Enclosed", "Rounded", "Value"]
