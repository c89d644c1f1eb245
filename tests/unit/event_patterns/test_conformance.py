"""The rules that AWS publishes for event patterns, as data: `conformance.json` says where each row is from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.event_patterns import explain, matches, validate_pattern
from media_events_kit.event_patterns.json_documents import compact, parse

ROWS: list[dict[str, Any]] = parse((Path(__file__).parent / "conformance.json").read_bytes())


def outcome(pattern: Any, event: Any) -> str:
    problems = validate_pattern(pattern)
    if problems:
        return "refused" if any(problem.refused_by == "aws" for problem in problems) else "refused by the kit"
    return "match" if matches(pattern, event) else "no-match"


@pytest.mark.parametrize("row", ROWS, ids=[compact(row["pattern"])[:60] for row in ROWS])
def test_a_pattern_is_judged_as_aws_says(row: dict[str, Any]):
    assert outcome(row["pattern"], row["event"]) == row["expect"], row["source"]


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "match" in row["expect"]], ids=lambda row: compact(row["pattern"])[:60]
)
def test_the_explanation_agrees_with_the_outcome(row: dict[str, Any]):
    verdict = explain(row["pattern"], row["event"])

    assert verdict.matched == (row["expect"] == "match")
    assert (verdict.mismatch is None) == verdict.matched
    assert verdict.matched or str(verdict.mismatch)


def test_the_table_has_rows_of_every_kind_and_none_twice():
    counted = Counter(row["expect"] for row in ROWS)

    assert set(counted) == {"match", "no-match", "refused", "refused by the kit"}
    assert min(counted[outcome] for outcome in ("match", "no-match", "refused")) >= 80
    assert all(row["source"] for row in ROWS)
    assert len({(compact(row["pattern"]), compact(row["event"])) for row in ROWS}) == len(ROWS)
