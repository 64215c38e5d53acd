"""The binary32 evaluator against onnxruntime, in one run and interleaved, written to EVALUATOR.md.

    python benchmarks/evaluator.py --data FOLDER

FOLDER holds VNN-COMP models as `mnist_fc/mnist-net_256x6.onnx`, `oval21/*.onnx`, `vit/*.onnx` and
`collins_rul_cnn/*.onnx`; models that are absent are left out. Residual networks and the matrix product are
built here, with random weights. onnxruntime has one thread throughout.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

os.environ["TORCHLEAN_KERNELS"] = "numba"

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from pytest_torchlean.binary32 import kernels
from pytest_torchlean.evaluator import run
from pytest_torchlean.onnx_import import load_model, lower

MODELS = (
    ("mnist 256x6", "mnist_fc/mnist-net_256x6.onnx"),
    ("oval21 base", "oval21/cifar_base_kw.onnx"),
    ("oval21 wide", "oval21/cifar_wide_kw.onnx"),
    ("oval21 deep", "oval21/cifar_deep_kw.onnx"),
    ("vit pgd_2_3_16", "vit/pgd_2_3_16.onnx"),
    ("vit ibp_3_3_8", "vit/ibp_3_3_8.onnx"),
    ("collins full window", "collins_rul_cnn/NN_rul_full_window_20.onnx"),
)
TARGETS = {
    "mnist 256x6": 3,
    "oval21 wide": 3,
    "residual, 2 blocks": 5,
    "vit pgd_2_3_16": 5,
    "vit ibp_3_3_8": 5,
}
SIDE = 512


@dataclass(frozen=True)
class Row:
    """Seconds of one run: onnxruntime, the evaluator on one thread and on two."""

    name: str
    nodes: int
    runtime: float
    one: float
    two: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--rounds", type=int, default=200, help="interleaved rounds; each gives one time per side"
    )
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("EVALUATOR.md"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measured(name, path, options.rounds) for name, path in models(options.data, Path(folder))]
        rows.append(product(options.rounds))
        first, again = first_use(Path(folder))
    text = report(rows, options.rounds, first, again)
    options.output.write_text(text, encoding="utf-8")
    print(text)


def models(data: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and files, those built here last."""
    for name, path in MODELS:
        if (data / path).exists():
            yield name, data / path
    for name, widths, blocks, first in (
        ("residual, 2 blocks", (8, 16), 2, 2),
        ("residual, 9 blocks", (16, 32, 64), 9, 1),
    ):
        path = folder / f"{blocks}.onnx"
        path.write_bytes(residual(widths, blocks, first))
        yield name, path


def measured(name: str, path: Path, rounds: int) -> Row:
    """One model; bits on one and two threads must agree, and both must be near onnxruntime's answer."""
    model = load_model(path)
    graph = lower(model)
    random = np.random.default_rng(0)
    inputs = {key: random.random(graph.types[key].shape, dtype=np.float32) for key in graph.inputs}
    session = opened(model.data)
    given = {key.name: inputs[key.name] for key in session.get_inputs()}
    expected = session.run(None, given)
    found = {threads: on_threads(threads, lambda: run(graph, inputs)) for threads in ("1", "2")}
    for left, right, answer in zip(found["1"], found["2"], expected, strict=True):
        assert left.tobytes() == right.tobytes()
        assert np.allclose(left, answer, rtol=1e-3, atol=1e-4)
    seconds = interleaved(rounds, lambda: session.run(None, given), lambda: run(graph, inputs))
    return Row(name, len(graph.nodes), *seconds)


def product(rounds: int) -> Row:
    """A product of two square matrices, both given at run time."""
    shape = [SIDE, SIDE]
    values = [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key in "abc"]
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "g", values[:2], values[2:])
    session = opened(serialized(graph))
    random = np.random.default_rng(0)
    a, b = (random.standard_normal(shape).astype(np.float32) for _ in range(2))
    assert kernels.matmul(a, b).tobytes() == kernels.matmul(a, b, implementation="numpy").tobytes()
    seconds = interleaved(rounds, lambda: session.run(None, {"a": a, "b": b}), lambda: kernels.matmul(a, b))
    return Row(f"MatMul {SIDE}^3", 1, *seconds)


def first_use(folder: Path) -> tuple[float, float]:
    """Processor seconds until the first result of a new process: with no machine code on disk, and with."""
    path, kept = folder / "first.onnx", folder / "machine_code"
    path.write_bytes(residual((8, 16), 2, 2))
    kept.mkdir(mode=0o700)
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from pytest_torchlean.evaluator import run\n"
        "from pytest_torchlean.onnx_import import load_model, lower\n"
        "graph = lower(load_model(Path(sys.argv[1])))\n"
        "started = time.process_time()\n"
        "run(graph, {'x': np.ones((1, 3, 32, 32), dtype=np.float32)})\n"
        "print(time.process_time() - started)\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(kept)}
    command = [sys.executable, "-c", program, str(path)]
    times = [
        float(subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout)
        for _ in range(2)
    ]
    return times[0], times[1]


def interleaved(
    rounds: int, runtime: Callable[[], object], evaluator: Callable[[], object]
) -> tuple[float, float, float]:
    """The least over rounds; each round times all three in turn, repeated to half a millisecond each."""
    sides = (runtime, lambda: on_threads("1", evaluator), lambda: on_threads("2", evaluator))
    repeats, times = [], ([], [], [])
    for side in sides:
        side()
        repeats.append(max(1, round(5e-4 / max(once(side, 3), 1e-7))))
    for _ in range(rounds):
        for side, count, taken in zip(sides, repeats, times, strict=True):
            taken.append(once(side, count))
    first, second, third = (min(taken) for taken in times)
    return first, second, third


def once(side: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        side()
    return (time.perf_counter() - started) / count


def on_threads(threads: str, function: Callable[[], tuple]) -> tuple:
    os.environ["TORCHLEAN_THREADS"] = threads
    return function()


def opened(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def serialized(graph: onnx.GraphProto) -> bytes:
    opset = [helper.make_opsetid("", 13)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())


# --- residual networks --------------------------------------------------------------------------------


class Network:
    """Nodes and random weights of a network on 3 x 32 x 32 pictures."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(1)

    def node(self, op: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def weight(self, *shape: int) -> str:
        scale = float(np.prod(shape[1:])) ** -0.5
        value = (self.random.standard_normal(shape) * scale).astype(np.float32)
        self.weights.append(numpy_helper.from_array(value, f"w{len(self.weights)}"))
        return self.weights[-1].name

    def convolved(self, x: str, before: int, after: int, kernel: int, stride: int) -> str:
        pads = [kernel // 2] * 4
        w, b = self.weight(after, before, kernel, kernel), self.weight(after)
        return self.node("Conv", x, w, b, strides=[stride] * 2, pads=pads)


def residual(widths: tuple[int, ...], blocks: int, first: int) -> bytes:
    """A convolution of stride `first`, blocks of two 3 x 3 convolutions with a shortcut, two full layers."""
    net, x, channels, side = Network(), "x", 3, 32 // first
    x = net.node("Relu", net.convolved(x, channels, widths[0], 3, first))
    channels = widths[0]
    for index in range(blocks):
        after = widths[min(index * len(widths) // blocks, len(widths) - 1)] if blocks > 2 else widths[-1]
        stride = 1 if after == channels else 2
        inner = net.node("Relu", net.convolved(x, channels, after, 3, stride))
        inner = net.convolved(inner, after, after, 3, 1)
        shortcut = x if after == channels else net.convolved(x, channels, after, 1, stride)
        x = net.node("Relu", net.node("Add", inner, shortcut))
        channels, side = after, side // stride
    x = net.node("Flatten", x)
    for size, after in ((channels * side * side, 100), (100, 10)):
        x = net.node("Gemm", x, net.weight(after, size), net.weight(after), transB=1)
        x = net.node("Relu", x) if after == 100 else x
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32])]
    result = [helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, 10])]
    return serialized(helper.make_graph(net.nodes, "residual", given, result, net.weights))


# --- report -------------------------------------------------------------------------------------------


def report(rows: list[Row], rounds: int, first: float, again: float) -> str:
    lines = [
        "# The evaluator against onnxruntime",
        "",
        "Written by `python benchmarks/evaluator.py --data FOLDER`. The evaluator gives the exact bits of",
        "the declared schedule, sequential in k and without fused operations; onnxruntime chooses its own",
        "order, fuses multiplication and addition, and merges nodes. Batch 1; one onnxruntime thread.",
        "",
        f"onnxruntime {onnxruntime.__version__}, numba {version('numba')}, numpy {np.__version__}, "
        f"Python {platform.python_version()}, {platform.machine()}, {processor()}.",
        f"The least time of {rounds} rounds, each of which times all sides in turn: what else the machine",
        "does makes other times longer.",
        "",
        "| model | nodes | onnxruntime, ms | evaluator, ms | ratio | on two threads, ms | ratio | target |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows[:-1]:
        target = f"<= {TARGETS[row.name]}" if row.name in TARGETS else ""
        lines.append(
            f"| {row.name} | {row.nodes} | {row.runtime * 1e3:.3f} | {row.one * 1e3:.3f} | "
            f"{row.one / row.runtime:.1f} | {row.two * 1e3:.3f} | {row.two / row.runtime:.1f} | {target} |"
        )
    last = rows[-1]
    rates = [SIDE**3 / seconds / 1e9 for seconds in (last.runtime, last.one, last.two)]
    lines += [
        "",
        f"{last.name}, both operands given at run time: onnxruntime {rates[0]:.1f} GMAC/s; evaluator "
        f"{rates[1]:.1f} on one thread ({100 * rates[1] / rates[0]:.0f} %) and {rates[2]:.1f} on two "
        f"({100 * rates[2] / rates[0]:.0f} %); target 30 % of onnxruntime's.",
        "",
        f"Until the first result of the residual network with 2 blocks, a new process takes {first:.1f} s of",
        f"the processor where everything is compiled, {again:.1f} s where numba finds machine code on disk,",
        "most of that for the import of numba. Before it has spent a second on numpy, a process does not use",
        "numba at all, unless `TORCHLEAN_KERNELS=numba` says so, as here.",
        "",
        "The run also asserts that one and two threads give equal bits, and that the product has the bits of",
        "the plain numpy loop.",
        "",
    ]
    return "\n".join(lines)


def processor() -> str:
    try:
        found = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in found.splitlines() if line.startswith("model name")]
    return f"{names[0]} ({len(names)} processors)" if names else platform.processor()


if __name__ == "__main__":
    main()
