"""The router's HCL and `media_events_kit.event_patterns.rule_pattern` make the same of a user's pattern."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.event_patterns import effective_pattern, validate_hop_pattern

pytestmark = pytest.mark.terraform

DEFINITIONS = Path(__file__).parents[2] / "modules" / "internal" / "hop-definitions"

HARNESS = """
variable "hops" { type = map(object({ pattern = string, hop = string, stage = string })) }
variable "retired" { default = false }
locals { hops = var.hops }
output "patterns" { value = local.patterns }
output "reserved" { value = local.reserved_paths }
output "unknown" { value = local.unknown_fields }
output "lengths" { value = local.pattern_lengths }
output "bare" { value = local.bare_values }
output "values" { value = local.values_of_objects }
output "deep" { value = local.deep_sources }
"""

PATTERNS: dict[str, Any] = {
    "empty": {},
    "source-only": {"source": ["partner.mux"]},
    "detail-data": {"detail": {"data": {"size": [{"numeric": [">", 0, "<=", 5.5]}]}}},
    "metadata": {"detail-type": ["asset.ready"], "detail": {"metadata": {"partner": ["mux", None], "hops": [0]}}},
    "or-at-the-top": {"$or": [{"source": ["a"]}, {"detail": {"data": {"x": [True]}}}]},
    "or-with-a-source-in-one": {"$or": [{"source": ["partner.a"]}, {"detail": {"data": {"x": [True]}}}]},
    "or-without-a-source": {"$or": [{"detail-type": ["a"]}, {"detail": {"data": {"x": [True]}}}]},
    "or-in-detail": {"detail": {"$or": [{"data": {"x": ["<&>"]}}, {"metadata": {"type": ["é"]}}]}},
    "nested-or-with-a-source": {
        "$or": [
            {"detail-type": ["x"]},
            {"$or": [{"source": ["partner.a"]}, {"account": ["1"]}]},
            {"source": ["partner.b"]},
        ]
    },
    "nested-or-without-a-source": {"$or": [{"id": ["x"]}, {"$or": [{"id": ["y"]}, {"account": ["1"]}]}]},
    "source-beside-or": {"source": ["partner.a"], "$or": [{"id": ["x"]}, {"id": ["y"]}]},
    "replay": {"replay-name": ["again"]},
    "dotted": {"detail.data.size": [5], "detail.metadata": {"type": ["asset.ready"]}},
    "data-is-a-list": {"detail": {"data": ["x", 5]}},
    "extra-stage": {"detail": {"metadata": {"extra": {"stage": ["x"]}}}},
    "marks": {"detail": {"data": {"title": ["<&>" * 600]}}},
    "too-long-marks": {"detail": {"data": {"title": ["<&>" * 700]}}},
    "own-dotted": {"detail.metadata.stage": ["received"]},
    "own-dotted-object": {"detail.metadata": {"redrive": {"count": [1]}}},
    "own-dotted-in-detail": {"detail": {"metadata.redrive.count": [1]}},
    "own-stage-in-nested-or": {
        "$or": [{"$or": [{"detail": {"metadata": {"stage": ["x"]}}}, {"id": ["1"]}]}, {"id": ["2"]}]
    },
    "own-stage-in-metadata-or": {"detail": {"metadata": {"$or": [{"stage": ["x"]}, {"type": ["y"]}]}}},
    "deep-source": {"$or": [{"$or": [{"$or": [{"source": ["a"]}, {"id": ["1"]}]}, {"id": ["2"]}]}, {"id": ["3"]}]},
    "list-detail": {"detail": ["x"]},
    "list-metadata": {"detail": {"metadata": ["x"]}},
    "own-stage": {"detail": {"metadata": {"stage": ["received"]}}},
    "own-redrive": {"detail": {"metadata": {"redrive": {"count": [1]}}}},
    "own-stage-in-or": {"$or": [{"detail": {"metadata": {"stage": ["received"]}}}, {"source": ["a"]}]},
    "own-redrive-in-or": {"detail": {"$or": [{"metadata": {"redrive": {"count": [1]}}}, {"data": {"x": [1]}}]}},
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the module's own patterns.tf makes of all patterns, at once and without any provider."""
    folder = tmp_path_factory.mktemp("router-patterns")
    shutil.copy(DEFINITIONS / "patterns.tf", folder)
    (folder / "main.tf").write_text(HARNESS)
    hops = {
        name: {"pattern": json.dumps(pattern), "hop": f"route/{name}", "stage": "transformed"}
        for name, pattern in PATTERNS.items()
    }
    (folder / "terraform.tfvars.json").write_text(json.dumps({"hops": hops}))
    environ = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    for command in (["init", "-backend=false", "-input=false"], ["apply", "-auto-approve", "-input=false"]):
        subprocess.run(["terraform", *command], cwd=folder, env=environ, check=True, capture_output=True, timeout=120)
    shown = subprocess.run(
        ["terraform", "output", "-json"], cwd=folder, env=environ, check=True, capture_output=True, timeout=60
    )
    return {name: output["value"] for name, output in json.loads(shown.stdout).items()}


REFUSED = ("deep-source", "list-detail", "list-metadata")


@pytest.mark.parametrize("name", [name for name in PATTERNS if name not in REFUSED])
def test_both_make_the_same_pattern_of_the_users(outputs: dict[str, Any], name: str):
    expected = effective_pattern(PATTERNS[name], hop=f"route/{name}", stage="transformed")

    assert json.loads(outputs["patterns"][name]) == expected


@pytest.mark.parametrize("name", PATTERNS)
def test_both_keep_the_kits_own_fields_to_themselves(outputs: dict[str, Any], name: str):
    problems = validate_hop_pattern(PATTERNS[name], hop=f"route/{name}", stage="transformed", match_all=True)

    assert bool(outputs["reserved"][name]) == name.startswith("own-")
    assert bool(problems) == (name.startswith("own-") or name in (*REFUSED, "too-long-marks"))


@pytest.mark.parametrize("name", PATTERNS)
def test_both_count_characters_as_aws_does_and_take_the_same_fields(outputs: dict[str, Any], name: str):
    whole = effective_pattern(PATTERNS[name], hop=f"route/{name}", stage="transformed")
    length = len(json.dumps(whole, separators=(",", ":"), ensure_ascii=False))

    if name not in REFUSED:
        assert outputs["lengths"][name] == length
    assert (outputs["lengths"][name] > 2048) == (name == "too-long-marks")
    assert outputs["unknown"][name] == []
    assert outputs["bare"][name] == []
    assert bool(outputs["values"][name]) == name.startswith("list-")
    assert outputs["deep"][name] == (name == "deep-source")
