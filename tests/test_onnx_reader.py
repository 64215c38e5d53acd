"""Model files that are missing, broken or hostile end in a coded message, never in a traceback."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model, runtime_outputs

from pytest_torchlean.errors import ModelError, TorchleanError
from pytest_torchlean.evaluator import run
from pytest_torchlean.onnx_import import load_model, lower, reader
from pytest_torchlean.runtime import RuntimeSession

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 132\n"


def dense_model(weight: float = 1.0) -> onnx.ModelProto:
    weights = {"w": np.full((3, 2), weight, dtype=np.float32), "b": np.array([0.5, -0.5], dtype=np.float32)}
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["h"]), helper.make_node("Relu", ["h"], ["z"])]
    return model(nodes, {"x": ["batch", 3]}, {"z": ["batch", 2]}, weights)


def write(folder: Path, proto: onnx.ModelProto, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(proto.SerializeToString())
    return path


def refused(path: Path, root: Path | None = None) -> TorchleanError:
    with pytest.raises(TorchleanError) as caught:
        lower(load_model(path, root=root))
    assert str(caught.value).isprintable() or "\n" in str(caught.value)
    return caught.value


def external(folder: Path, location: str, **keys: object) -> onnx.ModelProto:
    """The dense model with its weight stored elsewhere; nothing is written but the model."""
    proto = dense_model()
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **keys}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    write(folder, proto)
    return proto


WEIGHT = np.full((3, 2), 1.0, dtype=np.float32).tobytes()


def test_bytes_are_kept_and_hashed(tmp_path: Path) -> None:
    path = write(tmp_path, dense_model())
    found = load_model(path)
    assert found.data == path.read_bytes()
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    graph = lower(found)
    assert graph.free_batch
    assert run(graph, {"x": np.ones((1, 3), dtype=np.float32)})[0].tolist() == [[3.5, 2.5]]


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    problem = refused(tmp_path / "absent\x1b[31m.onnx")
    assert problem.code == "TL0101"
    assert "\x1b" not in str(problem)
    assert refused(tmp_path).code == "TL0101"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.onnx")
    assert refused(tmp_path / "model.onnx").code == "TL0101"


def test_a_git_lfs_pointer_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(LFS_POINTER)
    problem = refused(tmp_path / "model.onnx")
    assert problem.code == "TL0102"
    assert "lfs" in problem.fix


@pytest.mark.parametrize("data", [b"", b"hello", b"\x00" * 50, b"\xff" * 50, b"PK\x03\x04" + b"x" * 99])
def test_what_is_not_onnx_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(data)
    assert refused(tmp_path / "model.onnx").code == "TL0103"


@pytest.mark.parametrize("tenth", range(10))
def test_a_truncated_model_is_refused(tmp_path: Path, tenth: int) -> None:
    whole = dense_model().SerializeToString()
    (tmp_path / "model.onnx").write_bytes(whole[: len(whole) * tenth // 10])
    assert refused(tmp_path / "model.onnx").code in ("TL0103", "TL0105")


def test_no_cut_or_flipped_byte_gives_a_traceback(tmp_path: Path) -> None:
    whole = dense_model().SerializeToString()
    path = tmp_path / "model.onnx"
    rng = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(whole)
        if rng.random() < 0.5:
            data = data[: rng.integers(len(data))]
        for _ in range(rng.integers(0, 3)):
            if data:
                data[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(bytes(data))
        try:
            lower(load_model(path))
        except TorchleanError as problem:
            assert problem.code.startswith(("TL01", "TL02"))  # noqa: PT017


@pytest.mark.parametrize("place", ["onnx.ModelProto.FromString", "onnx.checker.check_model"])
def test_memory_that_ran_out_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    path = write(tmp_path, dense_model())

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(f"pytest_torchlean.onnx_import.reader.{place}", full)
    with pytest.raises(MemoryError):
        load_model(path)


def test_a_name_that_is_not_text_is_refused(tmp_path: Path) -> None:
    data = dense_model().SerializeToString()
    assert data.count(b"\x01h") >= 2
    (tmp_path / "model.onnx").write_bytes(data.replace(b"\x01h", b"\x01\xff"))
    problem = refused(tmp_path / "model.onnx")
    assert problem.code == "TL0103"
    assert "UTF-8" in problem.message


def test_a_model_that_onnxruntime_takes_for_another_one_is_refused(tmp_path: Path) -> None:
    """Valid ONNX behind an unknown field that puts onnxruntime's flatbuffer mark at byte 4."""
    data = b"\x7a\x0e\0\0ORTM" + b"\0" * 8 + dense_model().SerializeToString()
    onnx.checker.check_model(data)
    (tmp_path / "model.onnx").write_bytes(data)
    problem = refused(tmp_path / "model.onnx")
    assert problem.code == "TL0103"
    assert "ORT format" in problem.message
    outputs = RuntimeSession(data, optimise=True).run({"x": np.ones((1, 3), dtype=np.float32)})
    assert outputs[0].tolist() == [[3.5, 2.5]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_named(tmp_path: Path, bad: float) -> None:
    proto = dense_model()
    weights = np.ones((3, 2), dtype=np.float32)
    weights[1, 1] = bad
    proto.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weights, "w\n\x1b[2J"))
    proto.graph.node[0].input[1] = "w\n\x1b[2J"
    problem = refused(write(tmp_path, proto))
    assert problem.code == "TL0104"
    assert "[1, 1]" in str(problem)
    assert "\\x1b" in str(problem)
    assert "\x1b" not in str(problem)
    assert "\n" not in str(problem)


def test_a_non_finite_constant_node_is_named(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], ["c"], value=helper.make_tensor("deep", 1, [1], [float("nan")])),
        helper.make_node("Add", ["x", "c"], ["z"]),
    ]
    problem = refused(write(tmp_path, model(nodes, {"x": [1, 2]}, {"z": [1, 2]})))
    assert problem.code == "TL0104"
    assert "deep" in str(problem)


def test_the_onnx_checker_is_heard(tmp_path: Path) -> None:
    proto = dense_model()
    proto.graph.node[0].input[0] = "nowhere"
    problem = refused(write(tmp_path, proto))
    assert problem.code == "TL0105"
    assert "nowhere" in str(problem)


def test_data_that_do_not_fit_their_shape_are_refused(tmp_path: Path) -> None:
    proto = dense_model()
    proto.graph.initializer[0].dims[0] = 2**40
    assert refused(write(tmp_path, proto)).code == "TL0105"


def test_a_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, dense_model())
    monkeypatch.setattr(reader, "MOST_MODEL_BYTES", 10)
    assert refused(path).code == "TL0107"


def test_external_data_are_embedded_and_hashed(tmp_path: Path) -> None:
    external(tmp_path, "weights/w.bin", offset=4, length=24)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.bin").write_bytes(b"\0" * 4 + WEIGHT)
    found = load_model(tmp_path / "model.onnx")
    x = np.array([[1.0, 2.0, 3.0]], dtype=np.float32)
    assert run(lower(found), {"x": x})[0].tolist() == [[6.5, 5.5]]
    assert runtime_outputs(onnx.ModelProto.FromString(found.data), {"x": x})[0].tolist() == [[6.5, 5.5]]
    (tmp_path / "weights" / "w.bin").write_bytes(b"\0" * 4 + WEIGHT[:-4] + b"\0\0\0\0")
    changed = load_model(tmp_path / "model.onnx")
    assert changed.sha256 != found.sha256


@pytest.mark.parametrize(
    "location",
    ["../w.bin", "a/../../w.bin", "/etc/hostname", "C:\\w.bin", "..\\w.bin", "", "a\0b", "absent.bin", "."],
)
def test_external_data_stay_inside_the_repository(tmp_path: Path, location: str) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT)
    repository = tmp_path / "repository"
    repository.mkdir()
    external(repository, location)
    problem = refused(repository / "model.onnx")
    assert problem.code in ("TL0106", "TL0105")


def test_a_symbolic_link_out_of_the_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT)
    repository = tmp_path / "repository"
    repository.mkdir()
    external(repository, "w.bin")
    (repository / "w.bin").symlink_to(tmp_path / "w.bin")
    problem = refused(repository / "model.onnx")
    assert problem.code == "TL0106"
    assert "outside" in str(problem)
    assert load_model(repository / "model.onnx", root=tmp_path).data


@pytest.mark.parametrize(
    "keys",
    [{"offset": 8}, {"length": 400}, {"offset": -1}, {"offset": "x"}, {"length": "9" * 40}, {"length": 4}],
)
def test_external_ranges_are_checked(tmp_path: Path, keys: dict[str, object]) -> None:
    external(tmp_path, "w.bin", **keys)
    (tmp_path / "w.bin").write_bytes(WEIGHT)
    assert refused(tmp_path / "model.onnx").code in ("TL0105", "TL0106")


def test_an_external_git_lfs_pointer_is_recognised(tmp_path: Path) -> None:
    external(tmp_path, "w.bin")
    (tmp_path / "w.bin").write_bytes(LFS_POINTER)
    assert refused(tmp_path / "model.onnx").code == "TL0102"


def test_errors_are_of_the_model_kind(tmp_path: Path) -> None:
    assert isinstance(refused(tmp_path / "absent.onnx"), ModelError)
