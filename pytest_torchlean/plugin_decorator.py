"""`@pytest.mark.certify(model, property)`: from a mark on a test to a job for the gate."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_torchlean.errors import ExtensionError, SourceSpan, SpecError
from pytest_torchlean.extensions.registry import Extensions
from pytest_torchlean.jobs import Job
from pytest_torchlean.spec.document import InputShapes, ModelEntry
from pytest_torchlean.spec.model import EquivalentProperty, PropertySpec, bind, second_model
from pytest_torchlean.spec.paths import resolve_inside, shown
from pytest_torchlean.spec.preprocess import PreprocessStep
from pytest_torchlean.spec.preprocess_fields import read_steps
from pytest_torchlean.spec.shapes import shapes_of_arguments
from pytest_torchlean.spec.unread import UnreadProperty, read_unread


def decorated_job(item: pytest.Item, root: Path, extensions: Callable[[], Extensions]) -> Job:
    """The job of a test with a `certify` mark. A wrong mark gives a job that fails with a SpecError.

    extensions: what third parties give; a job fails where they cannot be loaded, whatever its kind.
    Paths in the mark are relative to pytest's root directory.
    """
    file, line, _ = item.reportinfo()
    place = SourceSpan(shown(Path(file), root), (line or 0) + 1, 1)
    try:
        return _read(item, root, place, extensions())
    except (SpecError, ExtensionError) as error:
        located = type(error)(error.code, error.message, fix=error.fix, span=error.span or place)
        return Job(
            id=item.nodeid,
            spec_file=place.file,
            line=place.line,
            column=1,
            model_name="",
            model_path=root,
            model_shown="",
            check="certify",
            prop=None,
            error=located,
        )


def _read(item: pytest.Item, root: Path, place: SourceSpan, extensions: Extensions) -> Job:
    marks = list(item.iter_markers("certify"))
    if len(marks) > 1:
        raise SpecError(
            "TL0307",
            f"{len(marks)} certify marks on one test",
            fix="give each property a test of its own",
        )
    model, prop, inputs, steps = _arguments(marks[0])
    path = resolve_inside(model, base=root, root=root)
    if isinstance(prop, UnreadProperty):
        prop = read_unread(prop, extensions, root)
    model_name = _identifier(Path(model).stem)
    bound = bind(prop, name=_identifier(item.name), model=model_name, base=root, root=root)
    return Job(
        id=item.nodeid,
        spec_file=place.file,
        line=place.line,
        column=1,
        model_name=model_name,
        model_path=path,
        model_shown=shown(path, root),
        check=prop.check,
        prop=bound,
        inputs=inputs,
        on_unknown=prop.on_unknown,
        preprocess=steps,
        other=_other(bound, inputs, steps, root),
    )


def _other(
    prop: PropertySpec, inputs: InputShapes, steps: tuple[PreprocessStep, ...], root: Path
) -> ModelEntry | None:
    """The second model. That of an equivalence gets the same shapes and the same preprocessing."""
    second = second_model(prop)
    if second is None:
        return None
    path = resolve_inside(second, base=root, root=root)
    if not isinstance(prop, EquivalentProperty):
        return ModelEntry(_identifier(path.stem), path, shown(path, root))
    return ModelEntry(_identifier(path.stem), path, shown(path, root), preprocess=steps, inputs=inputs)


def _arguments(mark: pytest.Mark) -> tuple[str, PropertySpec, InputShapes, tuple[PreprocessStep, ...]]:
    """The mark's model path and property, and the shapes and the preprocessing that it gives."""
    values = dict(zip(("model", "property"), mark.args, strict=False)) | dict(mark.kwargs)
    given: dict[str, object] = {key: values.pop(key) for key in ("shapes", "dims") if key in values}
    if len(mark.args) > 2 or set(values) - {"preprocess"} != {"model", "property"}:
        raise SpecError(
            "TL0306",
            "the certify mark takes a model path, a property and, by name, shapes, dims and preprocess",
            fix='write @pytest.mark.certify("models/name.onnx", robustness(...))',
        )
    model, prop = values["model"], values["property"]
    if not isinstance(model, str | Path):
        raise SpecError("TL0307", f"the model is a path, not {type(model).__name__}")
    if not isinstance(prop, PropertySpec):
        raise SpecError(
            "TL0307",
            f"the property is {type(prop).__name__}, not one made by pytest_torchlean",
            fix="use robustness, certified_radius, output_range, vnnlib, equivalent, monotone, lipschitz, "
            "invariant, lyapunov, gradient, residual or runtime_agreement",
        )
    steps = read_steps(values["preprocess"], "`preprocess`") if "preprocess" in values else ()
    path = model if isinstance(model, str) else model.as_posix()
    return path, prop, shapes_of_arguments(given), steps


def _identifier(text: str) -> str:
    """`text` with everything outside [a-z0-9._-] replaced, at most 100 characters."""
    cleaned = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")
    return cleaned[:100] or "unnamed"
