"""The axioms of every headline theorem, pinned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_torchlean.checker import BuiltLibrary, LeanInstall, axioms_of
from pytest_torchlean.checker.lean_process import run_lean
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.messages import parse_messages
from pytest_torchlean.checker.sources import source_directory
from pytest_torchlean.errors import CheckerError

# Full name of each theorem that a reader of a verdict relies on, and the axioms it may rest on.
WITHOUT_CHOICE = ("propext", "Quot.sound")
PROPEXT = ("propext",)
HEADLINE: dict[str, tuple[str, ...]] = {
    "PytestTorchLean.sound": WITHOUT_CHOICE,
    "PytestTorchLean.PartHolds.checked": WITHOUT_CHOICE,
    "PytestTorchLean.PartHolds.join": (),
    "PytestTorchLean.sound_parts": (),
    "PytestTorchLean.Rules.plain_sound": (),
    "PytestTorchLean.Rules.smooth_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Script.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Box.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Box.runHull_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Affine.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Affine.runRounded_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Sums.near": PROPEXT,
    "PytestTorchLean.Sums.close": PROPEXT,
    "PytestTorchLean.IsSum.close": PROPEXT,
    "PytestTorchLean.Affine.products_few": WITHOUT_CHOICE,
    "PytestTorchLean.Relu.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Extremum.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Curve.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Bilinear.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Quotient.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Split.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relaxation.tighten_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relaxation.conclude_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relaxation.multiply_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relaxation.fork_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relaxation.join_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relaxation.differ_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relaxation.pair_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relaxation.choose_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Relaxation.reframe_sound": ("Quot.sound",),
    "PytestTorchLean.Forward.conclude_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Forward.bendWithSymbols_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Linearize.products_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Linearize.quotients_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Forward.Cuts.run_sound": (),
    "PytestTorchLean.Forward.partsTogether_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Sign.enclose_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Compose.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Direct.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Clauses.run_sound": ("Quot.sound",),
    "PytestTorchLean.Weighted.run_sound": WITHOUT_CHOICE,
    "PytestTorchLean.decode_sound": WITHOUT_CHOICE,
    "PytestTorchLean.decode_finite": WITHOUT_CHOICE,
    # what runtimes compute is among the executions
    "PytestTorchLean.Binary32.RoundsTo.rounds": PROPEXT,
    "PytestTorchLean.Binary32.sequential_is_execution": PROPEXT,
    "PytestTorchLean.Binary32.fused_is_execution": PROPEXT,
    "PytestTorchLean.Binary32.grouping_is_execution": PROPEXT,
    "PytestTorchLean.Graph.Evaluates.executes": WITHOUT_CHOICE,
    "PytestTorchLean.executes_exact": PROPEXT,
    "PytestTorchLean.Box.holds_hull": PROPEXT,
    # universal approximation
    "PytestTorchLean.Approximation.universal_approximation": WITHOUT_CHOICE,
    "PytestTorchLean.Approximation.universal_approximation_graph": WITHOUT_CHOICE,
    "PytestTorchLean.Approximation.gridTable_approximates": PROPEXT,
    "PytestTorchLean.Approximation.Table.approximates": PROPEXT,
    "PytestTorchLean.Approximation.Table.interpolates": WITHOUT_CHOICE,
    "PytestTorchLean.Approximation.Table.slots_eq": PROPEXT,
    "PytestTorchLean.Approximation.Network.executes_graph": ("Quot.sound",),
    "PytestTorchLean.Approximation.Network.exists_execution": (),
    # the theorems are not vacuous
    "PytestTorchLean.Integers.orderedRing": PROPEXT,
    "PytestTorchLean.Example.executes": PROPEXT,
    "PytestTorchLean.Example.executes_in_case": PROPEXT,
    "PytestTorchLean.Example.executes_integers": PROPEXT,
    "PytestTorchLean.Example.executes_binary32": PROPEXT,
    "PytestTorchLean.Example.overflows": (),
    "PytestTorchLean.Example.accepted": (),
    "PytestTorchLean.Example.accepted_binary32": (),
    "PytestTorchLean.Example.refused": (),
    "PytestTorchLean.Example.sound": WITHOUT_CHOICE,
    "PytestTorchLean.Example.conclusion_binary32": WITHOUT_CHOICE,
    "PytestTorchLean.Example.sign_bounded": WITHOUT_CHOICE,
    "PytestTorchLean.Example.softmax_bounded": WITHOUT_CHOICE,
    "PytestTorchLean.Example.shares_bounded": WITHOUT_CHOICE,
    "PytestTorchLean.Example.universal_approximation": WITHOUT_CHOICE,
    "PytestTorchLean.Example.square_accepted_binary32": (),
    "PytestTorchLean.Example.square_refused": (),
    "PytestTorchLean.Example.square_sound": WITHOUT_CHOICE,
    "PytestTorchLean.Example.square_interpolates": WITHOUT_CHOICE,
    "PytestTorchLean.Example.square_approximates": WITHOUT_CHOICE,
}

# Theorems with hypotheses whose instance has another name than theirs in `Example`.
INSTANCE = {
    "PartHolds.checked": "joined_parts",
    "PartHolds.join": "joined_parts",
    "sound_parts": "joined_parts",
    "Rules.plain_sound": "sound",
    "Rules.smooth_sound": "curve_bounded",
    "Clauses.run_sound": "sound",
    "Sums.near": "executes_binary32",
    "Sums.close": "sound_binary32",
    "Linearize.products_sound": "planes_product",
    "Linearize.quotients_sound": "planes_quotient",
    "Forward.bendWithSymbols_sound": "symbols_sound",
    "Extremum.run_sound": "maximum_bounded",
    "Curve.run_sound": "curve_bounded",
    "Sign.enclose_sound": "sign_bounded",
    "Bilinear.run_sound": "product_bounded",
    "Quotient.run_sound": "quotient_bounded",
    "Relaxation.tighten_sound": "relaxed_sound",
    "Relaxation.conclude_sound": "relaxed_sound",
    "Relaxation.multiply_sound": "multiplied_sound",
    "Relaxation.fork_sound": "branch_sound",
    "Relaxation.join_sound": "branch_sound",
    "Relaxation.differ_sound": "pair_sound",
    "Relaxation.pair_sound": "pair_sound",
    "Relaxation.choose_sound": "choice_sound",
    "Relaxation.reframe_sound": "framed_sound",
    "Forward.conclude_sound": "carried_sound",
    "Forward.Cuts.run_sound": "carried_sound",
    "decode_sound": "decodes",
    "decode_finite": "decodes",
    "Binary32.RoundsTo.rounds": "order_matters",
    "Binary32.sequential_is_execution": "evaluator_computes_row",
    "Binary32.fused_is_execution": "order_matters",
    "Binary32.grouping_is_execution": "order_matters",
    "Graph.Evaluates.executes": "evaluator_run",
    "executes_exact": "wide_executes_binary32",
    "Box.holds_hull": "wide_executes_binary32",
    "Approximation.universal_approximation": "universal_approximation",
    "Approximation.universal_approximation_graph": "universal_approximation",
    "Approximation.gridTable_approximates": "universal_approximation",
    "Approximation.Table.approximates": "square_approximates",
    "Approximation.Table.interpolates": "square_interpolates",
    "Approximation.Table.slots_eq": "universal_approximation",
    "Approximation.Network.executes_graph": "square_interpolates",
    "Approximation.Network.exists_execution": "square_interpolates",
}

# Rounding and binary32 arithmetic: the theorems by the axioms they rest on.
ARITHMETIC: dict[tuple[str, ...], tuple[str, ...]] = {
    (): (
        "Binary32.roundMagnitude_rounds",
        "Binary32.RoundsMagnitude.unique",
        "Binary32.roundMagnitude_monotone",
        "Binary32.roundMagnitude_exact",
        "Binary32.roundMagnitude_error",
        "Binary32.mul_rounds",
        "Binary32.negate_scaled",
        "Binary32.absolute_scaled",
        "Binary32.mul_one_pattern",
        "Binary32.ofInt32_rounds",
        "Example.evaluates",
    ),
    ("propext",): (
        "Binary32.exists_scaled_below",
        "Binary32.exists_scaled_above",
        "Binary32.RoundsTo.rounds",
        "Binary32.RoundsTo.error",
        "Binary32.RoundsTo.monotone",
        "Binary32.RoundsTo.exact",
        "Binary32.add_rounds",
        "Binary32.sub_rounds",
        "Binary32.div_rounds",
        "Binary32.fma_rounds",
        "Binary32.sqrt_nearest",
        "Binary32.lt_iff",
        "Binary32.eq_iff",
        "Binary32.relu_selects",
        "Binary32.maximum_selects",
        "Binary32.minimum_selects",
        "Binary32.int32_value",
        "Binary32.toInt32_truncates",
        "Binary32.div_divides",
        "Binary32.sequential_is_execution",
        "Binary32.sequential_stays_finite",
        "Binary32.grouping_stays_finite",
        "Binary32.fused_is_execution",
        "Binary32.grouping_is_execution",
        "Affine.evaluator_computes",
        "Box.rounded_in_hull",
        "Example.order_matters",
        "Example.evaluator_computes_row",
        "Example.rounded_inputs",
    ),
    WITHOUT_CHOICE: (
        "Graph.Evaluates.executes",
        "Example.evaluator_run",
    ),
}

# The functions that Lean's kernel computes on literals by their name, and the equations that determine each.
EQUATIONS = {
    "add": ("add_zero", "add_succ"),
    "sub": ("sub_zero", "sub_zero_left", "sub_succ_succ"),
    "mul": ("mul_zero", "mul_succ"),
    "div": ("div_zero", "div_spec", "div_unique"),
    "mod": ("mod_zero", "div_add_mod", "mod_lt", "mod_unique"),
    "gcd": ("gcd_zero", "gcd_succ"),
    "beq": ("beq_zero_zero", "beq_zero_succ", "beq_succ_zero", "beq_succ_succ"),
    "ble": ("ble_zero", "ble_succ_zero", "ble_succ_succ"),
    "land": ("land_zero_zero", "land_bit"),
    "lor": ("lor_zero_zero", "lor_bit"),
    "xor": ("xor_zero_zero", "xor_bit"),
    "shiftLeft": ("shiftLeft_eq",),
    "shiftRight": ("shiftRight_eq",),
    "pow": ("pow_zero", "pow_succ"),
    "log2": ("log2_zero", "log2_one", "log2_step"),
}
NAT_EQUATIONS = "PytestTorchLean.NatEquations"


def read(*parts: str) -> str:
    return source_directory().joinpath("PytestTorchLean", *parts).read_text(encoding="utf-8")


def test_headline_theorems_rest_on_the_pinned_axioms(lean: LeanInstall, theorems: BuiltLibrary) -> None:
    assert axioms_of(tuple(HEADLINE), built=theorems, lean=lean) == HEADLINE


def test_the_theorems_of_arithmetic_rest_on_the_pinned_axioms(
    lean: LeanInstall, theorems: BuiltLibrary
) -> None:
    pinned = {f"PytestTorchLean.{name}": axioms for axioms, names in ARITHMETIC.items() for name in names}
    assert axioms_of(tuple(pinned), built=theorems, lean=lean) == pinned


def test_every_theorem_of_the_table_in_the_readme_is_pinned() -> None:
    text = (source_directory() / "README.md").read_text(encoding="utf-8")
    table = text.partition("## Proved theorems")[2].partition("\n## ")[0]
    named = {f"PytestTorchLean.{name}" for name in re.findall(r"^\| \[`([\w.]+)`\]", table, re.MULTILINE)}
    assert named - {NAT_EQUATIONS} == set(HEADLINE)


def described(text: str, name: str) -> bool:
    """Do plain words stand above the theorem?"""
    short = re.escape(name.rpartition(".")[2])
    declared = re.compile(
        rf"(-/\n)?^(?:@\[[^\]]*\] ?)?(?:theorem|instance|def) (?:[\w.]*\.)?{short}\b", re.MULTILINE
    )
    found = declared.search(text)
    assert found is not None, name
    return found.group(1) is not None


def test_plain_words_stand_above_every_headline_theorem() -> None:
    text = (source_directory() / "README.md").read_text(encoding="utf-8")
    table = text.partition("## Proved theorems")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| \[`([\w.]+)`\]\(([\w./]+)\)", table, re.MULTILINE)
    places = [(name, source_directory() / path) for name, path in rows if name != "NatEquations"]
    assert len(places) == len(HEADLINE)
    assert [name for name, path in places if not described(path.read_text(encoding="utf-8"), name)] == []
    assert not described("def a := 1\ntheorem t : p := q\n", "t")
    assert described("/-- So. -/\ntheorem A.t : p := q\n", "A.t")


def test_the_axioms_module_prints_every_headline_theorem() -> None:
    printed = re.findall(r"^#print axioms (\S+)$", read("Thm", "Axioms.lean"), re.MULTILINE)
    assert len(printed) == len(set(printed))
    assert {name for name in printed if not name.startswith(f"{NAT_EQUATIONS}.")} == set(HEADLINE)
    equations = {name.removeprefix(f"{NAT_EQUATIONS}.") for name in printed} & {
        equation for named in EQUATIONS.values() for equation in named
    }
    assert all(equations & set(named) for named in EQUATIONS.values())


def test_what_the_axioms_module_prints(lean: LeanInstall, theorems: BuiltLibrary, tmp_path: Path) -> None:
    """An auditor who compiles the file by hand reads the same answers."""
    result = run_lean(
        lean,
        ["--json", *OPTIONS, str(source_directory() / "PytestTorchLean" / "Thm" / "Axioms.lean")],
        directory=tmp_path,
        lean_path=[theorems.olean_directory],
        wall_seconds=60,
        memory_mb=2048,
    )
    found: dict[str, tuple[str, ...]] = {}
    for message in parse_messages(result.stdout):
        name, axioms = re.fullmatch(
            r"'(\S+)' (?:depends on axioms: \[(.*)\]|does not depend .*)", message.text
        ).groups()  # type: ignore[union-attr]
        found[name] = tuple(axioms.split(", ")) if axioms else ()
    assert {name: axioms for name, axioms in found.items() if name in HEADLINE} == HEADLINE
    assert {axioms for name, axioms in found.items() if name not in HEADLINE} == {()}


def test_the_accelerated_functions_have_their_equations(lean: LeanInstall, theorems: BuiltLibrary) -> None:
    named = tuple(f"{NAT_EQUATIONS}.{name}" for names in EQUATIONS.values() for name in names)
    assert axioms_of(named, built=theorems, lean=lean) == dict.fromkeys(named, ())
    text = read("Core", "NatEquations.lean")
    for function, equations in EQUATIONS.items():
        for name in equations:
            statement = re.search(rf"^theorem {name} (.*?):=", text, re.MULTILINE | re.DOTALL)
            assert statement is not None, name
            assert f"Nat.{function} " in statement[1], name


def test_every_accelerated_function_has_a_clone() -> None:
    text = read("Core", "Clones.lean")
    for function in EQUATIONS:
        assert re.search(rf"^def {function} ", text, re.MULTILINE)
        assert re.search(rf"^theorem {function}_agrees : .*\bNat\.{function}\b", text, re.MULTILINE)


def test_every_headline_theorem_has_an_instance(lean: LeanInstall, theorems: BuiltLibrary) -> None:
    """Each theorem with hypotheses is applied to something that meets them, under its name in `Example`."""
    about = [name.removeprefix("PytestTorchLean.") for name in HEADLINE]
    conditional = [name for name in about if not name.startswith(("Example.", "Integers."))]
    instances = {f"PytestTorchLean.Example.{INSTANCE.get(name, name)}" for name in conditional}
    found = axioms_of(tuple(sorted(instances)), built=theorems, lean=lean)
    assert {axiom for axioms in found.values() for axiom in axioms} <= set(WITHOUT_CHOICE)
    assert set(INSTANCE) <= set(conditional)


def test_axioms_are_seen(lean: LeanInstall, theorems: BuiltLibrary) -> None:
    found = axioms_of(["Classical.em", "Nat.add_comm", "funext"], built=theorems, lean=lean)
    assert set(found["Classical.em"]) == {"propext", "Classical.choice", "Quot.sound"}
    assert found["Nat.add_comm"] == ()
    assert found["funext"] == ("Quot.sound",)


def test_a_theorem_that_does_not_exist_is_an_error(lean: LeanInstall, theorems: BuiltLibrary) -> None:
    with pytest.raises(CheckerError) as caught:
        axioms_of(["PytestTorchLean.no_such_theorem"], built=theorems, lean=lean)
    assert caught.value.code == "TL0514"
