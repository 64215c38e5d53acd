"""Runs composite actions and workflow jobs as GitHub's runner does; functions play the `uses:` of others.

A small part of the runner, and strict: an unknown function, context or key of a step is an error. Steps run
in bash with the options that GitHub documents, get their inputs through `env`, and speak through
GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH, GITHUB_STEP_SUMMARY and workflow commands.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Value = Any
Player = Callable[["Runner", dict[str, str]], "dict[str, str] | None"]
"""Plays a `uses:` step: gets the runner and the step's `with`, gives outputs; an exception fails the step."""

SHELLS = {
    "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
    None: ["bash", "-e"],
}
_STEP_KEYS = {
    "name", "id", "if", "shell", "env", "run", "uses", "with", "continue-on-error", "working-directory",
    "timeout-minutes",
}  # fmt: skip
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<operator>&&|\|\||==|!=|!|\(|\)|,)"
    r"|(?P<name>[A-Za-z_][\w.*-]*))"
)


def load(path: Path) -> dict[str, Any]:
    """YAML as GitHub reads it: `on` is a word."""
    text = path.read_text(encoding="utf-8")
    loaded = yaml.load(re.sub(r"^on:", "'on':", text, flags=re.MULTILINE), yaml.SafeLoader)
    assert isinstance(loaded, dict)
    return loaded


@dataclass
class Step:
    """What one step did."""

    name: str
    outcome: str
    code: int = 0
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Annotation:
    level: str
    properties: dict[str, str]
    message: str


@dataclass
class Runner:
    """A runner's state for one job."""

    workspace: Path
    temp: Path
    github: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    players: Mapping[str, Player] = field(default_factory=dict)
    actions: Mapping[str, Path] = field(default_factory=dict)
    """Folders of composite actions that are run for real, by the name before the @."""
    steps: list[Step] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    summary: str = ""
    log: str = ""
    path: list[str] = field(default_factory=list)
    matrix: dict[str, Any] = field(default_factory=dict)

    def run_job(self, workflow: Path, job: str) -> str:
        """`success` or `failure` of a job of a workflow."""
        whole = load(workflow)
        chosen = whole["jobs"][job]
        variables = {**whole.get("env", {}), **chosen.get("env", {})}
        defaults = {**whole.get("defaults", {}), **chosen.get("defaults", {})}
        shell = defaults.get("run", {}).get("shell")
        steps = [{"shell": shell, **step} if "run" in step else step for step in chosen["steps"]]
        result, _ = self._run_steps(steps, {}, variables, None)
        return result

    def run_steps(self, steps: list[dict[str, Any]]) -> str:
        """`success` or `failure` of steps as a job has them."""
        return self._run_steps(steps, {}, {}, None)[0]

    def run_action(self, folder: Path, given: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Outcome and outputs of a composite action."""
        return self._run_action(folder, dict(given), {})

    def _run_action(
        self, folder: Path, given: Mapping[str, str], variables: Mapping[str, str]
    ) -> tuple[str, dict[str, str]]:
        action = load(folder / "action.yml")
        assert action["runs"]["using"] == "composite"
        declared = action.get("inputs", {})
        assert set(given) <= set(declared), f"unknown inputs {set(given) - set(declared)}"
        inputs = {name: str(given.get(name, about.get("default", ""))) for name, about in declared.items()}
        for step in action["runs"]["steps"]:
            assert "run" not in step or "shell" in step, "a composite action names its shell"
        result, scope = self._run_steps(action["runs"]["steps"], inputs, variables, folder)
        outputs = {
            name: text(self._expand(about["value"], scope))
            for name, about in action.get("outputs", {}).items()
        }
        return result, outputs

    def _run_steps(
        self,
        steps: list[dict[str, Any]],
        inputs: Mapping[str, str],
        variables: Mapping[str, Any],
        folder: Path | None,
    ) -> tuple[str, dict[str, Any]]:
        done: dict[str, dict[str, Any]] = {}
        status = "success"
        scope: dict[str, Any] = {
            "inputs": dict(inputs),
            "steps": done,
            "github": {**self.github, "action_path": str(folder) if folder else ""},
            "runner": {"os": "Linux", "arch": "X64", "temp": str(self.temp)},
            "matrix": self.matrix,
            "env": {},
        }
        for step in steps:
            assert set(step) <= _STEP_KEYS, f"unknown keys {set(step) - _STEP_KEYS}"
            scope["status"] = status
            scope["env"] = {name: text(self._expand(value, scope)) for name, value in variables.items()}
            condition = str(step.get("if", "success()"))
            if not re.search(r"\b(always|success|failure|cancelled)\(\)", condition):
                condition = f"success() && ({condition.removeprefix('${{').removesuffix('}}')})"
            name = str(step.get("name", step.get("uses", step.get("run"))))
            if not truth(evaluate(condition.removeprefix("${{").removesuffix("}}"), scope)):
                record = Step(name, "skipped")
            else:
                record = self._run_step(name, step, scope, folder)
            self.steps.append(record)
            allowed = truth(step.get("continue-on-error", False))
            conclusion = "success" if record.outcome == "failure" and allowed else record.outcome
            if conclusion == "failure":
                status = "failure"
            if "id" in step:
                done[step["id"]] = {
                    "outputs": record.outputs,
                    "outcome": record.outcome,
                    "conclusion": conclusion,
                }
        scope["status"] = status
        return status, scope

    def _run_step(self, name: str, step: dict[str, Any], scope: dict[str, Any], folder: Path | None) -> Step:
        own = {key: text(self._expand(value, scope)) for key, value in step.get("env", {}).items()}
        variables = {**scope["env"], **own}
        scope = {**scope, "env": variables}
        if "uses" in step:
            given = {key: text(self._expand(value, scope)) for key, value in step.get("with", {}).items()}
            return self._use(name, str(step["uses"]), given, variables)
        command = text(self._expand(step["run"], scope))
        where = self.workspace / text(self._expand(step.get("working-directory", "."), scope))
        return self._shell(name, command, step.get("shell"), variables, where, folder)

    def _use(self, name: str, uses: str, given: dict[str, str], variables: dict[str, str]) -> Step:
        target = uses.partition("@")[0]
        self.used.append((target, given))
        if target in self.actions:
            outcome, outputs = self._run_action(self.actions[target], given, variables)
            return Step(name, outcome, outputs=outputs)
        try:
            outputs = self.players[target](self, given) or {}
        except RuntimeError as error:
            return Step(name, "failure", code=1, log=str(error))
        return Step(name, "success", outputs=outputs)

    def _shell(
        self,
        name: str,
        command: str,
        shell: str | None,
        variables: Mapping[str, str],
        where: Path,
        folder: Path | None,
    ) -> Step:
        number = len(self.steps)
        files = {key: self.temp / f"_{key}_{number}" for key in ("output", "env", "path", "step_summary")}
        for file in files.values():
            file.write_text("")
        script = self.temp / f"_script_{number}.sh"
        script.write_text(command, encoding="utf-8")
        environment = {
            **self.environment,
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_EVENT_NAME": str(self.github.get("event_name", "push")),
            "GITHUB_REF": str(self.github.get("ref", "refs/heads/main")),
            "GITHUB_SHA": str(self.github.get("sha", "")),
            "GITHUB_REPOSITORY": str(self.github.get("repository", "octo/models")),
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            **{f"GITHUB_{key.upper()}": str(file) for key, file in files.items()},
            **variables,
        }
        if folder is not None:
            environment["GITHUB_ACTION_PATH"] = str(folder)
        environment["PATH"] = os.pathsep.join([*reversed(self.path), environment["PATH"]])
        done = subprocess.run(
            [*SHELLS[shell], str(script)],
            cwd=where,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        log = done.stdout.decode("utf-8", "replace")
        self.log += log
        self.annotations += workflow_commands(log)
        self.summary += files["step_summary"].read_text(encoding="utf-8")
        self.environment.update(assignments(files["env"].read_text(encoding="utf-8")))
        self.path += files["path"].read_text(encoding="utf-8").splitlines()
        outputs = assignments(files["output"].read_text(encoding="utf-8"))
        outcome = "failure" if done.returncode else "success"
        return Step(name, outcome, done.returncode, log, outputs)

    def _expand(self, value: Value, scope: Mapping[str, Any]) -> Value:
        if not isinstance(value, str):
            return value
        whole = re.fullmatch(r"\$\{\{(.*?)\}\}", value.strip(), re.DOTALL)
        if whole and "${{" not in whole[1]:
            return evaluate(whole[1], scope)
        return re.sub(
            r"\$\{\{(.*?)\}\}", lambda found: text(evaluate(found[1], scope)), value, flags=re.DOTALL
        )

    def step(self, name: str) -> Step:
        """The one step of this name that ran or was skipped."""
        (found,) = [step for step in self.steps if step.name == name]
        return found


def assignments(content: str) -> dict[str, str]:
    """`name=value` lines and heredocs of an environment file."""
    found: dict[str, str] = {}
    lines = iter(content.splitlines())
    for line in lines:
        name, mark, value = line.partition("=")
        start, heredoc, delimiter = line.partition("<<")
        if heredoc and (not mark or len(start) < len(name)):
            body: list[str] = []
            for inner in lines:
                if inner == delimiter:
                    break
                body.append(inner)
            found[start] = "\n".join(body)
        else:
            assert mark, f"neither name=value nor a heredoc: {line!r}"
            found[name] = value
    return found


def workflow_commands(log: str) -> list[Annotation]:
    """Errors, warnings and notices; nothing between stop-commands and its token."""
    found: list[Annotation] = []
    stopped: str | None = None
    for line in log.splitlines():
        match = re.match(r"::([a-z-]+)(?: ([^:]*(?:%3A[^:]*)*))?::(.*)$", line.lstrip())
        if stopped is not None:
            if line.strip() == f"::{stopped}::":
                stopped = None
            continue
        if not match:
            continue
        if match[1] == "stop-commands":
            stopped = match[3]
        elif match[1] in ("error", "warning", "notice"):
            pairs = (item.partition("=") for item in (match[2] or "").split(",") if item)
            properties = {key: unescape(value) for key, _, value in pairs}
            found.append(Annotation(match[1], properties, unescape(match[3])))
    assert stopped is None, "workflow commands were stopped and never resumed"
    return found


def unescape(value: str) -> str:
    for coded, plain in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        value = value.replace(coded, plain)
    return value


def text(value: Value) -> str:
    """A value of an expression where text is wanted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)


def truth(value: Value) -> bool:
    return value not in (None, False, "", 0)


def evaluate(expression: str, scope: Mapping[str, Any]) -> Value:
    """The value of an expression of GitHub's language: literals, contexts, operators, and a few functions."""
    tokens: list[tuple[str, str]] = []
    position = 0
    expression = expression.strip()
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        assert match, f"cannot read {expression[position:]!r}"
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind]))
        position = match.end()
    value, rest = _either(tokens, scope)
    assert not rest, f"left over in {expression!r}: {rest}"
    return value


Tokens = list[tuple[str, str]]


def _either(tokens: Tokens, scope: Mapping[str, Any]) -> tuple[Value, Tokens]:
    value, tokens = _both(tokens, scope)
    while tokens and tokens[0][1] == "||":
        right, tokens = _both(tokens[1:], scope)
        value = value if truth(value) else right
    return value, tokens


def _both(tokens: Tokens, scope: Mapping[str, Any]) -> tuple[Value, Tokens]:
    value, tokens = _compared(tokens, scope)
    while tokens and tokens[0][1] == "&&":
        right, tokens = _compared(tokens[1:], scope)
        value = right if truth(value) else value
    return value, tokens


def _compared(tokens: Tokens, scope: Mapping[str, Any]) -> tuple[Value, Tokens]:
    value, tokens = _single(tokens, scope)
    while tokens and tokens[0] in (("operator", "=="), ("operator", "!=")):
        operator = tokens[0][1]
        right, tokens = _single(tokens[1:], scope)
        value = (text(value).lower() == text(right).lower()) == (operator == "==")
    return value, tokens


def _single(tokens: Tokens, scope: Mapping[str, Any]) -> tuple[Value, Tokens]:
    (kind, word), tokens = tokens[0], tokens[1:]
    if kind == "string":
        return word[1:-1].replace("''", "'"), tokens
    if kind == "number":
        return float(word) if "." in word else int(word), tokens
    if word == "!":
        value, tokens = _single(tokens, scope)
        return not truth(value), tokens
    if word == "(":
        value, tokens = _either(tokens, scope)
        assert tokens[0][1] == ")"
        return value, tokens[1:]
    assert kind == "name", f"unexpected {word!r}"
    if tokens and tokens[0][1] == "(":
        given: list[Value] = []
        tokens = tokens[1:]
        while tokens[0][1] != ")":
            value, tokens = _either(tokens, scope)
            given.append(value)
            if tokens[0][1] == ",":
                tokens = tokens[1:]
        return _call(word, given, scope), tokens[1:]
    if word in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[word], tokens
    return _look_up(word.split("."), scope), tokens


def _call(name: str, given: list[Value], scope: Mapping[str, Any]) -> Value:
    functions: dict[str, Callable[..., Value]] = {
        "always": lambda: True,
        "success": lambda: scope["status"] == "success",
        "failure": lambda: scope["status"] == "failure",
        "cancelled": lambda: False,
        "contains": lambda whole, part: text(part).lower() in text(whole).lower(),
        "startsWith": lambda whole, part: text(whole).lower().startswith(text(part).lower()),
        "format": lambda pattern, *values: re.sub(r"\{(\d+)\}", lambda m: text(values[int(m[1])]), pattern),
        "toJSON": json.dumps,
    }
    assert name in functions, f"no function {name}"
    return functions[name](*given)


def _look_up(names: list[str], scope: Mapping[str, Any]) -> Value:
    contexts = {"inputs", "steps", "github", "runner", "env", "matrix"}
    assert names[0] in contexts, f"no context {names[0]}"
    value: Value = scope[names[0]]
    if names[0] == "inputs":
        assert names[1] in value, f"no input {names[1]}"
    for name in names[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
