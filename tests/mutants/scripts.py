"""Scripts taken apart and put together."""

from __future__ import annotations

from dataclasses import replace

from pytest_torchlean.certificate.model import (
    ComposedData,
    ConcludeScript,
    ConclusionData,
    DirectData,
    Emission,
    NodeScript,
    ScriptData,
    StepData,
)


def with_script(emission: Emission, script: ScriptData) -> Emission:
    return replace(emission, certificate=replace(emission.certificate, scripts=((script,),)))


def spine(script: ScriptData) -> tuple[list[StepData], ConclusionData]:
    """The steps and the conclusion of a script without splits."""
    steps = []
    while isinstance(script, NodeScript):
        steps.append(script.step)
        script = script.rest
    assert isinstance(script, ConcludeScript)
    return steps, script.how


def script_of(steps: list[StepData], how: ConclusionData) -> ScriptData:
    script: ScriptData = ConcludeScript(how)
    for step in reversed(steps):
        script = NodeScript(step, script)
    return script


def uncomposed(own: ScriptData) -> ScriptData:
    """The forms bounded directly, with the last node left out."""
    own_steps, how = spine(own)
    assert isinstance(how, ComposedData)
    return script_of(own_steps, DirectData(how.forms))
