"""What an expression means in an arithmetic: exact numbers, linear pieces, bounds or nodes of a graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Protocol, TypeVar

from pytest_torchlean.spec.expressions.syntax import Apply, Expression, ExpressionError, Number, Variable

Value = TypeVar("Value")


class Arithmetic(Protocol[Value]):
    """Numbers of some kind. Every method may raise ExpressionError where its kind has no such operation."""

    def number(self, value: Fraction) -> Value:
        """A constant."""

    def add(self, left: Value, right: Value) -> Value:
        """left + right"""

    def scale(self, factor: Fraction, value: Value) -> Value:
        """factor * value"""

    def multiply(self, left: Value, right: Value, at: int) -> Value:
        """left * right"""

    def divide(self, left: Value, right: Value, at: int) -> Value:
        """left / right"""

    def maximum(self, left: Value, right: Value) -> Value:
        """The larger one."""

    def call(self, function: str, value: Value, at: int) -> Value:
        """A smooth function of one argument: sin, cos, exp, tanh, sigmoid, sqrt."""


def evaluate(expression: Expression, values: Mapping[str, Value], arithmetic: Arithmetic[Value]) -> Value:
    """The value of an expression. Raises ExpressionError, also for a name that has no value."""
    if isinstance(expression, Number):
        return arithmetic.number(expression.value)
    if isinstance(expression, Variable):
        if expression.name not in values:
            known = ", ".join(values)
            raise ExpressionError(
                f"`{expression.name}` is not known here", expression.at, f"the names are {known}"
            )
        return values[expression.name]
    return _apply(expression, values, arithmetic)


def _apply(node: Apply, values: Mapping[str, Value], arithmetic: Arithmetic[Value]) -> Value:
    if node.function == "^":
        return _power(node, values, arithmetic)
    own = [evaluate(argument, values, arithmetic) for argument in node.arguments]
    constants = [constant(argument) for argument in node.arguments]
    minus = Fraction(-1)
    match node.function:
        case "+":
            return arithmetic.add(own[0], own[1])
        case "-":
            return arithmetic.add(own[0], arithmetic.scale(minus, own[1]))
        case "neg":
            return arithmetic.scale(minus, own[0])
        case "*":
            if constants[0] is not None:
                return arithmetic.scale(constants[0], own[1])
            if constants[1] is not None:
                return arithmetic.scale(constants[1], own[0])
            return arithmetic.multiply(own[0], own[1], node.at)
        case "/":
            if constants[1] is None:
                return arithmetic.divide(own[0], own[1], node.at)
            if constants[1] == 0:
                raise ExpressionError("division by zero", node.at)
            return arithmetic.scale(1 / constants[1], own[0])
        case "max":
            return _largest(own, arithmetic)
        case "min":
            negated = [arithmetic.scale(minus, value) for value in own]
            return arithmetic.scale(minus, _largest(negated, arithmetic))
        case "abs":
            return arithmetic.maximum(own[0], arithmetic.scale(minus, own[0]))
        case "relu":
            return arithmetic.maximum(own[0], arithmetic.number(Fraction(0)))
    return arithmetic.call(node.function, own[0], node.at)


def _largest(values: list[Value], arithmetic: Arithmetic[Value]) -> Value:
    found = values[0]
    for value in values[1:]:
        found = arithmetic.maximum(found, value)
    return found


def _power(node: Apply, values: Mapping[str, Value], arithmetic: Arithmetic[Value]) -> Value:
    base, exponent = node.arguments
    assert isinstance(exponent, Number)
    known, count = constant(base), int(exponent.value)
    if known is not None:
        if known == 0 and count < 0:
            raise ExpressionError("division by zero", node.at)
        return arithmetic.number(known**count)
    own = evaluate(base, values, arithmetic)
    if count == 0:
        return arithmetic.number(Fraction(1))
    found = own
    for _ in range(abs(count) - 1):
        found = arithmetic.multiply(found, own, node.at)
    return found if count > 0 else arithmetic.divide(arithmetic.number(Fraction(1)), found, node.at)


def constant(expression: Expression) -> Fraction | None:
    """The exact value of an expression without names and smooth functions; None for any other."""
    if names_in(expression):
        return None
    try:
        return evaluate(expression, {}, Exact())
    except ExpressionError:
        return None


def names_in(expression: Expression) -> dict[str, int]:
    """The names that an expression reads, and the offset where each stands first."""
    if isinstance(expression, Variable):
        return {expression.name: expression.at}
    found: dict[str, int] = {}
    if isinstance(expression, Apply):
        for argument in expression.arguments:
            for name, at in names_in(argument).items():
                found.setdefault(name, at)
    return found


class Exact:
    """Fractions. Smooth functions have no exact value."""

    def number(self, value: Fraction) -> Fraction:
        """The constant itself."""
        return value

    def add(self, left: Fraction, right: Fraction) -> Fraction:
        """left + right"""
        return left + right

    def scale(self, factor: Fraction, value: Fraction) -> Fraction:
        """factor * value"""
        return factor * value

    def multiply(self, left: Fraction, right: Fraction, at: int) -> Fraction:
        """left * right"""
        return left * right

    def divide(self, left: Fraction, right: Fraction, at: int) -> Fraction:
        """left / right. Raises ExpressionError where right is 0."""
        if right == 0:
            raise ExpressionError("division by zero", at)
        return left / right

    def maximum(self, left: Fraction, right: Fraction) -> Fraction:
        """The larger one."""
        return max(left, right)

    def call(self, function: str, value: Fraction, at: int) -> Fraction:
        """Always raises ExpressionError."""
        raise ExpressionError(f"`{function}` has no exact value", at)


class Binary64:
    """Binary64 numbers, NaN where a value does not exist: to look for points, never evidence."""

    def number(self, value: Fraction) -> float:
        """The nearest number."""
        return _tried(float, value)

    def add(self, left: float, right: float) -> float:
        """left + right"""
        return left + right

    def scale(self, factor: Fraction, value: float) -> float:
        """factor * value"""
        return self.number(factor) * value

    def multiply(self, left: float, right: float, at: int) -> float:
        """left * right"""
        return left * right

    def divide(self, left: float, right: float, at: int) -> float:
        """left / right"""
        return left / right if right else math.nan

    def maximum(self, left: float, right: float) -> float:
        """The larger one."""
        return math.nan if math.isnan(left) or math.isnan(right) else max(left, right)

    def call(self, function: str, value: float, at: int) -> float:
        """A smooth function."""
        return _tried(_FUNCTIONS[function], value)


_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "cos": math.cos,
    "exp": math.exp,
    "sigmoid": lambda x: (1 + math.tanh(x / 2)) / 2,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
}


def _tried(function: Callable[[Value], float], value: Value) -> float:
    try:
        return function(value)
    except (OverflowError, ValueError):
        return math.nan
