"""`torchlean init`: what it finds out about a model, and that the spec it writes is valid and runs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from golden_support import assert_golden
from onnx import TensorProto, helper
from onnx_models import model, random_layers, two_layers

from pytest_torchlean.cli import main
from pytest_torchlean.spec import Spec, load_spec
from pytest_torchlean.spec.kinds import KINDS
from pytest_torchlean.spec.model import RangeProperty, RobustnessProperty, RuntimeProperty
from pytest_torchlean.starter.first_spec import model_name, samples_for


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder that is the current one."""
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(proto: onnx.ModelProto, path: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    onnx.save(onnx.shape_inference.infer_shapes(proto), path)
    return path


def written(*arguments: str) -> Spec:
    """What `torchlean init` writes, read again."""
    assert main(["init", *arguments]) == 0
    return load_spec(Path("torchlean.yaml").resolve(), Path.cwd())


def convolution(height: int | str = 8, channels: int = 3) -> onnx.ModelProto:
    """A small classifier of pictures: a convolution, a mean over the picture, three classes."""
    rng = np.random.default_rng(3)
    weights = {
        "k": rng.normal(size=(4, channels, 3, 3)).astype(np.float32),
        "w": rng.normal(size=(4, 3)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["c"], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w"], ["y"]),
    ]
    return model(nodes, {"x": [1, channels, height, height]}, ["y"], weights)


@pytest.mark.usefixtures("here")
def test_the_first_spec_of_a_small_classifier_is_as_pinned() -> None:
    save(random_layers(1), "net.onnx")
    written("net.onnx")
    assert_golden("init/classifier.yaml", Path("torchlean.yaml").read_text())


@pytest.mark.usefixtures("here")
def test_bounds_hold_for_all_inputs_and_are_rounded_outward() -> None:
    save(two_layers(), "net.onnx")
    spec = written("net.onnx")
    (bounded,) = [prop for prop in spec.properties if isinstance(prop, RangeProperty)]
    assert (bounded.input.lower, bounded.input.upper) == (-1, 1)
    lower, upper = bounded.output.lower, bounded.output.upper
    assert isinstance(lower, Fraction)
    assert isinstance(upper, Fraction)
    # each relu(x0 - x1) is in [0, 2], and intervals do not see that one of the two is 0
    assert Fraction(-1, 10) < lower < 0
    assert 4 < upper < 5


def test_what_it_writes_runs_and_passes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(two_layers(), "models/net.onnx")
    written("models/net.onnx")
    capsys.readouterr()
    assert main(["check"]) == 0
    output = capsys.readouterr().out
    assert "AGREED   torchlean.yaml::net::runtime-agrees" in output
    assert "PROVED   torchlean.yaml::net::outputs-bounded" in output


def test_data_beside_the_model_gives_a_robustness_claim_that_is_proved(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(random_layers(1), "models/net.onnx")
    import onnxruntime

    rng = np.random.default_rng(0)
    inputs = rng.uniform(-0.9, 0.9, (12, 4)).astype(np.float32)
    session = onnxruntime.InferenceSession("models/net.onnx", providers=["CPUExecutionProvider"])
    labels = np.array([session.run(None, {"x": row[None]})[0].argmax() for row in inputs])
    labels[3] = (labels[3] + 1) % 3
    (here / "data").mkdir()
    np.savez(here / "data/unfit.npz", inputs=np.zeros((2, 7), np.float32), labels=np.zeros(2, np.int64))
    np.savez(here / "data/zeta.npz", inputs=inputs, labels=labels)
    spec = written("models/net.onnx")
    assert "found data: data/zeta.npz, 12 inputs" in capsys.readouterr().out
    (robust,) = [prop for prop in spec.properties if isinstance(prop, RobustnessProperty)]
    assert robust.data == here / "data/zeta.npz"
    assert robust.limit == 10
    assert robust.required_share == Fraction(9, 10)
    (runtime,) = [prop for prop in spec.properties if isinstance(prop, RuntimeProperty)]
    assert runtime.data == here / "data/zeta.npz"
    assert main(["check", "torchlean.yaml::net::robust"]) == 0
    assert "9 proved, 0 refuted, 0 unknown, 1 misclassified, 10 total" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("symbols", [("height", "height"), (None, None)])
def test_open_dimensions_get_extents_that_run(
    symbols: tuple[str | None, str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    proto = convolution()
    for dimension, symbol in zip(proto.graph.input[0].type.tensor_type.shape.dim[2:], symbols, strict=True):
        dimension.Clear()
        if symbol:
            dimension.dim_param = symbol
    save(proto, "net.onnx")
    spec = written("net.onnx")
    assert spec.models["net"].inputs.shapes == {"x": (1, 3, 64, 64)}
    assert "# The file leaves dimensions open." in Path("torchlean.yaml").read_text()
    assert "open dimensions of x: the spec has a guess that runs" in capsys.readouterr().out
    assert main(["init", "net.onnx", "--force", "--shape", "x=1,3,9,9"]) == 0
    assert "leaves dimensions open" not in Path("torchlean.yaml").read_text()


@pytest.mark.usefixtures("here")
def test_a_guess_that_does_not_fit_is_followed_by_others() -> None:
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"])]
    save(
        model(nodes, {"x": ["batch", "features"]}, ["y"], {"w": np.eye(32, 2, dtype=np.float32)}), "net.onnx"
    )
    assert written("net.onnx").models["net"].inputs.shapes == {"x": (1, 32)}


@pytest.mark.usefixtures("here")
def test_pictures_have_pixels_from_0_to_1_or_to_255() -> None:
    save(convolution(), "net.onnx")
    spec = written("net.onnx")
    (bounded,) = [prop for prop in spec.properties if isinstance(prop, RangeProperty)]
    assert (bounded.input.lower, bounded.input.upper) == (0, 1)
    assert "# preprocess:" in Path("torchlean.yaml").read_text()
    proto = convolution()
    proto.graph.node.insert(0, helper.make_node("Div", ["raw", "scale"], ["x"]))
    proto.graph.input[0].name = "raw"
    proto.graph.initializer.append(helper.make_tensor("scale", TensorProto.FLOAT, [1], [255.0]))
    save(proto, "raw.onnx")
    spec = written("raw.onnx", "--force")
    (bounded,) = [prop for prop in spec.properties if isinstance(prop, RangeProperty)]
    assert (bounded.input.lower, bounded.input.upper) == (0, 255)


@pytest.mark.usefixtures("here")
def test_a_model_without_certificate_gets_a_runtime_check_and_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nodes = [helper.make_node("Tan", ["x"], ["s"]), helper.make_node("LogSoftmax", ["s"], ["y"])]
    save(model(nodes, {"x": [1, 4]}, ["y"]), "net.onnx")
    spec = written("net.onnx")
    assert [prop.check for prop in spec.properties] == ["runtime"]
    text = Path("torchlean.yaml").read_text()
    assert "  #   Tan: no bounds of it are proved in Lean\n" in text
    assert "Template" not in text
    assert text.endswith("\n")
    assert "can be run, but not proved, because of LogSoftmax, Tan" in capsys.readouterr().out
    assert main(["check"]) == 0


@pytest.mark.usefixtures("here")
def test_several_models_share_one_spec() -> None:
    save(two_layers(), "a/Net.onnx")
    save(random_layers(2), "b/net.onnx")
    spec = written("a/Net.onnx", "b/net.onnx")
    assert list(spec.models) == ["net", "net-2"]
    names = [spec.item_id(prop).partition("::")[2] for prop in spec.properties]
    assert names == [
        "net::runtime-agrees",
        "net::outputs-bounded",
        "net-2::runtime-agrees",
        "net-2::outputs-bounded",
    ]


@pytest.mark.usefixtures("here")
def test_every_kind_has_a_template_that_is_valid_once_uncommented() -> None:
    save(random_layers(1), "a.onnx")
    save(random_layers(2), "b.onnx")
    written("a.onnx", "b.onnx")
    path = Path("torchlean.yaml")
    lines = path.read_text().splitlines()
    templates = [
        line.replace("# ", "", 1) if line.startswith(("  # - ", "  #   ")) else line for line in lines
    ]
    path.write_text("\n".join(templates) + "\n")
    spec = load_spec(path.resolve(), Path.cwd())
    assert {prop.check for prop in spec.properties} == set(KINDS)


@pytest.mark.usefixtures("here")
def test_without_lean_nothing_is_claimed_that_would_need_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_torchlean import checker
    from pytest_torchlean.errors import CheckerError

    def absent(configured: Path | None = None) -> None:
        raise CheckerError("TL0501", "no Lean")

    monkeypatch.setattr(checker, "find_lean", absent)
    save(two_layers(), "net.onnx")
    spec = written("net.onnx")
    assert [prop.check for prop in spec.properties] == ["runtime"]
    assert "no Lean was found" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_nothing_is_replaced_and_nothing_is_left_of_a_bad_model(capsys: pytest.CaptureFixture[str]) -> None:
    Path("torchlean.yaml").write_text("mine")
    save(two_layers(), "net.onnx")
    assert main(["init", "net.onnx"]) == 2
    assert Path("torchlean.yaml").read_text() == "mine"
    assert not Path("torchlean.schema.json").exists()
    Path("torchlean.yaml").unlink()
    Path("bad.onnx").write_bytes(b"no model")
    assert main(["init", "net.onnx", "bad.onnx"]) == 2
    assert "TL0103" in capsys.readouterr().err
    assert not Path("torchlean.yaml").exists()


def test_names_of_models_are_made_of_what_the_spec_allows() -> None:
    assert model_name("My Net (1)", []) == "my-net-1"
    assert model_name("net", ["net", "net-2"]) == "net-3"
    assert model_name("日本", []) == "model"


def test_samples_fall_with_the_work_of_one_run() -> None:
    assert [samples_for(work) for work in (0, 10**7, 5 * 10**7, 10**10)] == [64, 16, 8, 4]
