"""What the audit of dependencies says: known vulnerabilities, none, or that it could not look."""

from __future__ import annotations

import json

import pytest

from scripts.lint import CheckError, SkippedError, judge_audit

PIN = {"name": "ecdsa", "version": "0.19.2"}


def answer(*dependencies: dict[str, object]) -> str:
    return json.dumps({"dependencies": list(dependencies), "fixes": []})


@pytest.mark.attack("P4")
def test_p4_a_known_vulnerability_is_named() -> None:
    with pytest.raises(CheckError, match=r"ecdsa 0\.19\.2: PYSEC-1"):
        judge_audit(answer({**PIN, "vulns": [{"id": "PYSEC-1"}]}), "Found 1 known vulnerability")


def test_dependencies_without_one_pass() -> None:
    judge_audit(answer({**PIN, "vulns": []}), "No known vulnerabilities found")


@pytest.mark.attack("P4")
@pytest.mark.parametrize(
    ("said_as_json", "said"),
    [
        (answer({"name": "ecdsa", "skip_reason": "Dependency not found on PyPI"}), "No known vulnerabilities found"),
        (answer(), ""),
        ("", "ERROR: Failed to resolve 'packages.example'"),
        ("", "Could not connect to PyPI's vulnerability feed"),
    ],
)
def test_p4_a_look_that_was_impossible_is_not_green(said_as_json: str, said: str) -> None:
    """pip-audit ends with 0 and "No known vulnerabilities found" where an index knows no advisories."""
    with pytest.raises(SkippedError):
        judge_audit(said_as_json, said)


@pytest.mark.parametrize("said", ["Traceback (most recent call last)", "usage: pip-audit", ""])
def test_a_tool_that_fails_is_an_error(said: str) -> None:
    with pytest.raises(CheckError):
        judge_audit("", said)
