"""What a run found of extensions: each with its origin, by names that are taken once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pytest_torchlean.errors import ExtensionError, TorchleanError
from pytest_torchlean.extensions.model import Falsifier, Operator, PropertyKind, Reporter

T = TypeVar("T")
R = TypeVar("R")

NAME_PATTERN = r"[a-z][a-z0-9]*(-[a-z0-9]+)+"
"""Names of extensions have a hyphen; the package's own words have none, and never will."""
OPERATOR_PATTERN = r"[A-Za-z_][A-Za-z0-9_]*"
DOMAIN_PATTERN = r"[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*"


@dataclass(frozen=True)
class Origin:
    """Who gave an extension: a distribution, or a plugin of this pytest run.

    version: the distribution's, or `sha256:...` of the file where there is none.
    """

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Provided(Generic[T]):
    """One thing that an extension gives, and who gave it."""

    it: T
    origin: Origin
    role: str
    """What it is, in words with its name: "operator acme.Clamp"."""

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.role} of extension {self.origin}"

    def call(self, function: Callable[..., R], *arguments: Any) -> R:
        """The function's result. Raises ExtensionError TL1003 for whatever it raises.

        Also for exceptions that would end or skip a test; KeyboardInterrupt passes, and errors of this
        package keep their own code.
        """
        try:
            return function(*arguments)
        except (KeyboardInterrupt, TorchleanError):
            raise
        except BaseException as error:
            raise self.broken(error) from error

    def broken(self, error: BaseException) -> ExtensionError:
        """The error that says what this raised."""
        lines = str(error).strip().splitlines()
        what = f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
        return ExtensionError("TL1003", f"the {self.label} raised {what}")

    def wrong(self, what: str) -> ExtensionError:
        """The error that says what is wrong with what this gave."""
        return ExtensionError("TL1004", f"the {self.label} {what}")


@dataclass(frozen=True)
class Use:
    """An extension that a result depends on, for the record."""

    role: str
    origin: str
    version: str


@dataclass(frozen=True)
class Extensions:
    """Everything that extensions gave. Empty where none are installed, or where they are switched off."""

    operators: Mapping[tuple[str, str], Provided[Operator]] = field(default_factory=dict)
    """By domain and name; ONNX's own domain is the empty string."""
    kinds: Mapping[str, Provided[PropertyKind]] = field(default_factory=dict)
    falsifiers: tuple[Provided[Falsifier], ...] = ()
    reporters: Mapping[str, Provided[Reporter]] = field(default_factory=dict)
    executor: Provided[Executor] | None = None
    """No result depends on it, so that no record names it."""

    @property
    def all(self) -> tuple[Provided[Any], ...]:
        """Everything that is given."""
        given: list[Provided[Any]] = [*self.operators.values(), *self.kinds.values()]
        return (*given, *self.falsifiers, *self.reporters.values())

    @property
    def origins(self) -> Mapping[str, str]:
        """Names and versions of all that gave something, by name."""
        given: list[Provided[Any]] = [*self.operators.values(), *self.kinds.values()]
        given += [*self.falsifiers, *self.reporters.values()]
        return {one.origin.name: one.origin.version for one in sorted(given, key=lambda one: str(one.origin))}


NONE = Extensions()


def use_of(provided: Provided[Any]) -> Use:
    """The record's entry for an extension that was used."""
    return Use(provided.role, provided.origin.name, provided.origin.version)


class Registry:
    """Takes what plugins give, one by one; a name that is taken is an error.

    taken: by the package itself, for operators pairs of domain and name. Every problem raises ExtensionError:
    TL1002 for a name that is taken, TL1004 for what has not the form it must have.
    """

    def __init__(
        self,
        *,
        operators: Callable[[str, str], bool],
        kinds: frozenset[str],
        keys: frozenset[str],
        reporters: frozenset[str],
    ) -> None:
        self._own_operators = operators
        self._own_kinds = kinds
        self._own_keys = keys
        self._own_reporters = reporters
        self._operators: dict[tuple[str, str], Provided[Operator]] = {}
        self._kinds: dict[str, Provided[PropertyKind]] = {}
        self._falsifiers: dict[str, Provided[Falsifier]] = {}
        self._reporters: dict[str, Provided[Reporter]] = {}
        self._executor: Provided[Executor] | None = None

    def add(self, value: object, origin: Origin) -> None:
        """Take one operator, property kind, falsifier, reporter or executor."""
        match value:
            case Operator():
                self._add_operator(value, origin)
            case PropertyKind():
                self._add_kind(value, origin)
            case Falsifier():
                self._add_named(self._falsifiers, frozenset(), value, origin, "falsifier")
                _require_callable(self._falsifiers[value.name], "candidates")
            case Reporter():
                self._add_named(self._reporters, self._own_reporters, value, origin, "report form")
                _require_callable(self._reporters[value.name], "render")
            case Executor():
                given = Provided(value, origin, f"executor {type(value).__name__}")
                if self._executor is not None:
                    raise _taken(given, f"extension {self._executor.origin} has one too")
                self._executor = given
            case _:
                raise ExtensionError(
                    "TL1004",
                    f"extension {origin} gives a {type(value).__name__}, not an operator, property kind, "
                    "falsifier, reporter or executor",
                )

    def finished(self) -> Extensions:
        """All that was taken."""
        return Extensions(
            dict(sorted(self._operators.items())),
            dict(sorted(self._kinds.items())),
            tuple(given for _, given in sorted(self._falsifiers.items())),
            dict(sorted(self._reporters.items())),
            self._executor,
        )

    def _add_operator(self, operator: Operator, origin: Origin) -> None:
        given = Provided(operator, origin, f"operator {operator.label}")
        domain = "" if operator.domain == "ai.onnx" else operator.domain
        if not _matches(OPERATOR_PATTERN, operator.name) or not (
            domain == "" or _matches(DOMAIN_PATTERN, domain)
        ):
            raise given.wrong("has a domain or a name that no ONNX operator can have")
        versions = operator.since
        if not versions or not all(type(number) is int and number > 0 for number in versions):
            raise given.wrong("lists no versions, or one that is not a positive integer")
        _require_callable(given, "body")
        if self._own_operators(domain, operator.name):
            raise _taken(given, "pytest-torchlean gives this operator its meaning itself")
        key = (domain, operator.name)
        if key in self._operators:
            raise _taken(given, f"extension {self._operators[key].origin} has it too")
        self._operators[key] = given

    def _add_kind(self, kind: PropertyKind, origin: Origin) -> None:
        self._add_named(self._kinds, self._own_kinds, kind, origin, "property kind")
        given = self._kinds[kind.name]
        _require_callable(given, "claims", "words")
        keys = [entry.key for entry in kind.fields]
        if len(set(keys)) != len(keys):
            raise given.wrong("lists a key twice")
        common = sorted(self._own_keys & set(keys))
        if common:
            raise _taken(given, f"its key `{common[0]}` is one that every property has")

    def _add_named(
        self,
        table: dict[str, Provided[Any]],
        own: frozenset[str],
        value: Any,
        origin: Origin,
        role: str,
    ) -> None:
        given = Provided(value, origin, f"{role} {str(value.name)[:60]}")
        if value.name in own:
            raise _taken(given, "the name is one of pytest-torchlean's own")
        if not _matches(NAME_PATTERN, value.name):
            raise given.wrong("needs a name of lower-case words joined by hyphens, e.g. `acme-monotone`")
        if value.name in table:
            raise _taken(given, f"extension {table[value.name].origin} has it too")
        table[value.name] = given


def _matches(pattern: str, text: object) -> bool:
    return isinstance(text, str) and len(text) <= 100 and re.fullmatch(pattern, text) is not None


def _taken(given: Provided[Any], why: str) -> ExtensionError:
    return ExtensionError("TL1002", f"the {given.label} cannot be added: {why}")


def _require_callable(given: Provided[Any], *names: str) -> None:
    for name in names:
        if not callable(getattr(given.it, name)):
            raise given.wrong(f"has a `{name}` that is not a function")
