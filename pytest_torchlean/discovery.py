"""Finds extensions: in the entry-point group `torchlean.extensions`, and among the plugins of a pytest run.

Importing one runs its code, with the rights of this process. `outside` names a work tree from which nothing
is imported, for `--base`.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy

from pytest_torchlean.errors import ExtensionError, TorchleanError
from pytest_torchlean.extensions.registry import NONE, Extensions, Origin, Registry
from pytest_torchlean.files import read_regular_file
from pytest_torchlean.hookspecs import GROUP, HOOKS

_MOST_FILE_BYTES = 1 << 24

Found = tuple[object, Origin]
"""A module or object with hooks, and where it is from."""


def load_extensions(
    plugins: Iterable[Found] = (), *, blocked: frozenset[str] = frozenset(), outside: Path | None = None
) -> Extensions:
    """What `plugins` and the installed distributions give.

    blocked: names of entry points that are left out. Raises ExtensionError TL1001, TL1002, TL1004, TL1006.
    """
    found = list(plugins)
    known = {id(plugin) for plugin, _ in found}
    found += [(plugin, origin) for plugin, origin in installed(blocked, outside) if id(plugin) not in known]
    if not found:
        return NONE
    registry = _registry()
    for plugin, origin in sorted(found, key=lambda pair: (pair[1].name, pair[1].version)):
        for value in _given(plugin, origin):
            registry.add(value, origin)
    return registry.finished()


def installed(blocked: frozenset[str] = frozenset(), outside: Path | None = None) -> Iterator[Found]:
    """The modules that entry points name, by their distributions. Raises as `load_extensions`."""
    points = [point for point in entry_points(group=GROUP) if point.name not in blocked]
    for point in sorted(points, key=lambda point: (origin_of(point).name, point.name)):
        origin = origin_of(point)
        if outside is not None:
            _require_outside(point, origin, outside)
        try:
            yield point.load(), origin
        except (KeyboardInterrupt, TorchleanError):
            raise
        except BaseException as error:
            raise _unloadable(origin, f"`{point.value}` does not import", error) from error


def origin_of(point: EntryPoint) -> Origin:
    """The distribution that declares an entry point."""
    if point.dist is None:
        return Origin(point.name, "unknown")
    return Origin(str(point.dist.metadata["Name"] or point.name), str(point.dist.version))


def origin_of_plugin(plugin: object, name: str, root: Path) -> Origin:
    """The origin of a pytest plugin without a distribution: its file, by its place and digest."""
    file = getattr(plugin, "__file__", None)
    if not isinstance(file, str):
        return Origin(name, "unknown")
    path = Path(file)
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    try:
        digest = hashlib.sha256(read_regular_file(path, _MOST_FILE_BYTES)).hexdigest()
    except OSError:
        return Origin(shown, "unknown")
    return Origin(shown, f"sha256:{digest}")


def _require_outside(point: EntryPoint, origin: Origin, tree: Path) -> None:
    """Raises ExtensionError TL1006 where the distribution or its module lies in `tree`; imports nothing."""
    places = [] if point.dist is None else [Path(str(point.dist.locate_file("")))]
    try:
        spec = importlib.util.find_spec(point.module.partition(".")[0])
    except (ImportError, ValueError) as error:
        raise _unloadable(origin, f"`{point.value}` cannot be found", error) from error
    if spec is not None:
        places += [Path(place) for place in spec.submodule_search_locations or ()]
        places += [Path(spec.origin)] if spec.origin not in (None, "built-in", "frozen") else []
    for place in places:
        if place.resolve().is_relative_to(tree.resolve()):
            raise ExtensionError("TL1006", f"extension {origin} lies in the work tree, at {place}")


def _given(plugin: object, origin: Origin) -> Iterator[object]:
    """What the hooks of a plugin return, one value after the other."""
    manager = _Manager("pytest")
    from pytest_torchlean import hookspecs

    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    for name in HOOKS:
        for implementation in getattr(manager.hook, name).get_hookimpls():
            try:
                values = implementation.function()
                values = list(values) if isinstance(values, list | tuple) else [values]
            except (KeyboardInterrupt, TorchleanError):
                raise
            except BaseException as error:
                raise _unloadable(origin, f"`{name}` raised", error) from error
            yield from (value for value in values if value is not None)


class _Manager(pluggy.PluginManager):
    """Takes functions by their name, with or without pytest's marker, and nothing else of a plugin."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        if name not in HOOKS or not callable(getattr(plugin, name, None)):
            return None
        return pluggy.HookimplMarker("pytest")(lambda: None).pytest_impl  # type: ignore[attr-defined]


def _unloadable(origin: Origin, what: str, error: BaseException) -> ExtensionError:
    lines = str(error).strip().splitlines()
    cause = f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
    return ExtensionError("TL1001", f"extension {origin} cannot be loaded: {what}: {cause}")


def _registry() -> Registry:
    from pytest_torchlean.report.formats import FORMATS
    from pytest_torchlean.spec.kinds import ASSURANCE, COMMON_FIELDS, KINDS, LATER_KINDS, SEMANTICS

    keys = {entry.key for entry in (*COMMON_FIELDS, SEMANTICS, ASSURANCE)}
    return Registry(
        operators=_has_meaning,
        kinds=frozenset({*KINDS, *LATER_KINDS}),
        keys=frozenset(keys),
        reporters=frozenset(form.name for form in FORMATS),
    )


def _has_meaning(domain: str, name: str) -> bool:
    """Whether an operator is lowered without any extension, by the table or by ONNX's own function."""
    from pytest_torchlean.onnx_import.nodes import is_known

    return is_known(domain, name)
