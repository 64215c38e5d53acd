"""onnxruntime, behind one door: pinned sessions, the optimised graph, exposed intermediates.

The only module that imports onnxruntime, and only inside functions. Sessions run on the CPU
provider with pinned threads, sequential execution and deterministic kernels; subnormals are kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.errors import RuntimeFailure
from pytest_torchlean.ir.graph import ValueType
from pytest_torchlean.ir.names import quoted

Array = NDArray[np.generic]

CPU = "CPUExecutionProvider"
LEVELS = {
    "none": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "layout": "ORT_ENABLE_LAYOUT",
    "all": "ORT_ENABLE_ALL",
}
"""onnxruntime's optimisation levels by the names that a spec uses, each including those before it."""

_QUIET = 4
"""onnxruntime's severity for fatal messages only: ours are printed from the exceptions."""

_FIXED_OPTIONS = {
    "session.load_model_format": "ONNX",
    "session.set_denormal_as_zero": "0",
    "session.intra_op.allow_spinning": "0",
}


@dataclass(frozen=True)
class SessionSettings:
    """How a session is opened. `optimisation` is a key of LEVELS; `provider` is onnxruntime's own name.

    More than one inter-op thread runs independent nodes at once; otherwise one follows the other.
    """

    optimisation: str = "all"
    threads: int = 1
    inter_op_threads: int = 1
    provider: str = CPU

    @property
    def name(self) -> str:
        """In words, with what is not the default: "no optimisation, 2 threads"."""
        words = {"none": "no", "all": "default"}
        parts = [f"{words.get(self.optimisation, self.optimisation)} optimisation"]
        parts += [f"{self.threads} threads"] if self.threads != 1 else []
        parts += [f"{self.inter_op_threads} inter-op threads"] if self.inter_op_threads != 1 else []
        parts += [self.provider] if self.provider != CPU else []
        return ", ".join(parts)

    @property
    def options(self) -> dict[str, str]:
        """Every option that a session is opened with, for the record."""
        return {
            "optimisation": self.optimisation,
            "intra_op_threads": str(self.threads),
            "inter_op_threads": str(self.inter_op_threads),
            "execution_mode": "sequential" if self.inter_op_threads == 1 else "parallel",
            "provider": self.provider,
            "use_deterministic_compute": "1",
            **_FIXED_OPTIONS,
            **_provider_options(self.provider),
        }


@dataclass(frozen=True)
class RuntimeNode:
    """One node of a graph that onnxruntime runs, the stored one or the optimised one."""

    name: str
    domain: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[tuple[str, float | str], ...] = ()
    """Those that are numbers or text."""

    def attribute(self, name: str) -> float | str | None:
        """The attribute's value; None where the node has none of that name."""
        return dict(self.attributes).get(name)

    @property
    def label(self) -> str:
        """The operator with its domain, unless that is ONNX's own."""
        return self.op if self.domain in ("", "ai.onnx") else f"{self.domain}.{self.op}"

    @property
    def kind(self) -> tuple[str, tuple[str, ...]]:
        """Operator and inputs: equal for a node that the optimiser left alone."""
        return self.label, self.inputs


class RuntimeSession:
    """One onnxruntime session over self-contained model bytes.

    Without `settings`, `optimise` chooses between onnxruntime's default (all optimisations) and none, on
    one thread. Raises RuntimeFailure TL0701 where onnxruntime is missing, TL0702 where it refuses the
    model, TL0706 where the provider is not there or leaves nodes to another. `dump_to` is where
    onnxruntime writes the graph that it runs.
    """

    def __init__(
        self,
        model: bytes,
        optimise: bool = True,
        settings: SessionSettings | None = None,
        dump_to: Path | None = None,
    ) -> None:
        self.settings = settings or SessionSettings("all" if optimise else "none")
        options = _options(self.settings)
        if dump_to is not None:
            options.optimized_model_filepath = str(dump_to)
        self._session = _open(model, options, self.settings.provider)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names of the model's inputs, initialisers left out."""
        return tuple(item.name for item in self._session.get_inputs())

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of the model's outputs in the model's order."""
        return tuple(item.name for item in self._session.get_outputs())

    def run(self, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        """All outputs for one set of inputs. Raises RuntimeFailure TL0703 where the run fails."""
        return self.fetch(self.outputs, inputs)

    def fetch(self, names: Sequence[str], inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        """The named outputs only; the others are freed as soon as nothing reads them."""
        try:
            values = self._session.run(list(names), dict(inputs))
        except Exception as error:
            raise RuntimeFailure("TL0703", f"onnxruntime failed on an input: {_first_line(error)}") from error
        return tuple(np.asarray(value) for value in values)


def require_types(values: Mapping[str, Array], types: Mapping[str, ValueType]) -> None:
    """Every named value has its lowered type. Raises RuntimeFailure TL0705 at the first that has not."""
    for name, value in values.items():
        found = ValueType(value.dtype.name, value.shape)
        if name in types and found != types[name]:
            wanted = types[name]
            raise RuntimeFailure(
                "TL0705",
                f"onnxruntime gives value {quoted(name)} the type {found.dtype}{list(found.shape)}, "
                f"the lowered graph {wanted.dtype}{list(wanted.shape)}",
            )


def runtime_version() -> str:
    """onnxruntime's version. Raises RuntimeFailure TL0701 where it is not installed."""
    return str(_onnxruntime().__version__)


def build_info() -> str:
    """What onnxruntime says about its own build, on one line. Raises RuntimeFailure TL0701."""
    return " ".join(str(_onnxruntime().get_build_info()).split())


def require_provider(provider: str) -> None:
    """Raise RuntimeFailure TL0706 where this build of onnxruntime lacks an execution provider."""
    available = _onnxruntime().get_available_providers()
    if provider not in available:
        raise RuntimeFailure(
            "TL0706",
            f"onnxruntime has no execution provider {quoted(provider)} here; it has {', '.join(available)}",
        )


def open_session(model: bytes, settings: SessionSettings) -> RuntimeSession:
    """A session with these settings. Raises RuntimeFailure as RuntimeSession does."""
    return RuntimeSession(model, settings=settings)


def dumped(model: bytes, settings: SessionSettings) -> tuple[RuntimeSession, bytes]:
    """A session that wrote the graph it runs, and that graph as a model.

    Raises RuntimeFailure TL0702 or TL0706 where onnxruntime refuses, TL0704 where it writes no model.
    """
    with tempfile.TemporaryDirectory(prefix="torchlean-") as folder:
        target = Path(folder) / "optimised.onnx"
        session = RuntimeSession(model, settings=settings, dump_to=target)
        try:
            return session, _without_folded_inputs(target.read_bytes(), session.inputs)
        except OSError as error:
            raise RuntimeFailure(
                "TL0704", f"onnxruntime wrote no optimised model: {_first_line(error)}"
            ) from error


def _without_folded_inputs(model: bytes, needed: Sequence[str]) -> bytes:
    """A written graph without the inputs that were initialisers too and have been folded away.

    onnxruntime writes them as inputs without a value, and would ask for them when it loads the graph again.
    """
    proto = _parse(model)
    graph = proto.graph
    stored = {tensor.name for tensor in graph.initializer}
    kept = [value for value in graph.input if value.name in needed or value.name in stored]
    if len(kept) == len(graph.input):
        return model
    del graph.input[:]
    graph.input.extend(kept)
    return bytes(proto.SerializeToString())


def optimised_model(model: bytes, settings: SessionSettings = SessionSettings()) -> bytes:
    """The model as onnxruntime's optimiser leaves it, as bytes. Raises RuntimeFailure as `dumped` does."""
    return dumped(model, settings)[1]


def nodes_of(model: bytes) -> tuple[RuntimeNode, ...]:
    """The top-level nodes of a model, in order. Names are as in the file, not escaped."""
    return tuple(
        RuntimeNode(
            node.name,
            node.domain,
            node.op_type,
            tuple(node.input),
            tuple(node.output),
            tuple(_attributes(node)),
        )
        for node in _parse(model).graph.node
    )


def _attributes(node: Any) -> Iterator[tuple[str, float | str]]:
    for attribute in node.attribute:
        if attribute.HasField("s"):
            yield attribute.name, attribute.s.decode("utf-8", "replace")
        elif attribute.HasField("f"):
            yield attribute.name, float(attribute.f)
        elif attribute.HasField("i"):
            yield attribute.name, float(attribute.i)


def weights_of(model: bytes) -> tuple[tuple[str, NDArray[np.float32]], ...]:
    """The float32 tensors that a model stores, with their names: initialisers and Constant nodes."""
    import onnx

    graph = _parse(model).graph
    stored = [(tensor.name, tensor) for tensor in graph.initializer]
    stored += [
        (node.output[0], attribute.t)
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.HasField("t")
    ]
    arrays = ((name, np.asarray(onnx.numpy_helper.to_array(tensor))) for name, tensor in stored)
    return tuple((name, array) for name, array in arrays if array.dtype == np.float32)


def expose(model: bytes) -> bytes:
    """The model with every intermediate value added to its outputs.

    onnxruntime infers the types of the added outputs. Values inside subgraphs are not exposed.
    """
    import onnx

    proto = _parse(model)
    known = {output.name for output in proto.graph.output}
    for node in proto.graph.node:
        for name in node.output:
            if name and name not in known:
                known.add(name)
                proto.graph.output.append(onnx.ValueInfoProto(name=name))
    return bytes(proto.SerializeToString())


def cut(model: bytes, values: Mapping[str, ValueType]) -> tuple[bytes, dict[str, str]]:
    """The model cut at the named values: nodes read them from new inputs, and they are the only outputs.

    Returns the cut model and the name of the new input of every value that a node reads; a value that is
    an input of the model keeps its own.
    """
    import onnx

    proto = _parse(model)
    taken = {name for node in proto.graph.node for name in (*node.input, *node.output)}
    own = {value.name for value in proto.graph.input}
    fresh: dict[str, str] = {name: name for name in values if name in own}
    for node in proto.graph.node:
        for place, name in enumerate(node.input):
            if name not in values:
                continue
            if name not in fresh:
                fresh[name] = _unused(f"{name}.cut", taken)
                proto.graph.input.append(
                    onnx.helper.make_tensor_value_info(
                        fresh[name], onnx.TensorProto.FLOAT, values[name].shape
                    )
                )
            node.input[place] = fresh[name]
    computed = [name for node in proto.graph.node for name in node.output if name in values]
    del proto.graph.output[:]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in computed)
    return bytes(proto.SerializeToString()), fresh


@cache
def products_and_sums() -> bytes:
    """A model that gives the products and the sums of two vectors, in binary32 and in binary64."""
    from onnx import TensorProto, helper

    nodes, inputs, outputs = [], [], []
    for name, kind in (("float32", TensorProto.FLOAT), ("float64", TensorProto.DOUBLE)):
        inputs += [helper.make_tensor_value_info(f"{side}{name}", kind, ["n" + name]) for side in "ab"]
        for op, result in (("Mul", "product"), ("Add", "sum")):
            nodes.append(helper.make_node(op, [f"a{name}", f"b{name}"], [f"{result}{name}"]))
            outputs.append(helper.make_tensor_value_info(f"{result}{name}", kind, ["n" + name]))
    graph = helper.make_graph(nodes, "arithmetic", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _parse(model: bytes) -> Any:
    import onnx

    return onnx.load_from_string(model)


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise RuntimeFailure("TL0701", f"onnxruntime cannot be imported: {_first_line(error)}") from error
    return onnxruntime


def _options(settings: SessionSettings) -> Any:
    runtime = _onnxruntime()
    options = runtime.SessionOptions()
    options.graph_optimization_level = getattr(runtime.GraphOptimizationLevel, LEVELS[settings.optimisation])
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = settings.inter_op_threads
    modes = runtime.ExecutionMode
    options.execution_mode = modes.ORT_SEQUENTIAL if settings.inter_op_threads == 1 else modes.ORT_PARALLEL
    options.use_deterministic_compute = True
    options.log_severity_level = _QUIET
    for key, value in (_FIXED_OPTIONS | _provider_options(settings.provider)).items():
        options.add_session_config_entry(key, value)
    return options


def _provider_options(provider: str) -> dict[str, str]:
    """onnxruntime gives nodes that a provider does not take to the CPU silently; here it must refuse."""
    return {} if provider == CPU else {"session.disable_cpu_ep_fallback": "1"}


def _open(model: bytes, options: Any, provider: str) -> Any:
    runtime = _onnxruntime()
    require_provider(provider)
    try:
        session = runtime.InferenceSession(model, options, providers=[provider])
    except Exception as error:
        if provider != CPU:
            raise RuntimeFailure(
                "TL0706", f"{quoted(provider)} does not run the whole model: {_first_line(error)}"
            ) from error
        raise RuntimeFailure("TL0702", f"onnxruntime refused the model: {_first_line(error)}") from error
    ran = session.get_providers()
    if not ran or ran[0] != provider:
        raise RuntimeFailure(
            "TL0706", f"{quoted(provider)} was asked for, but onnxruntime runs {', '.join(ran) or 'nothing'}"
        )
    return session


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:400] if lines else type(error).__name__
