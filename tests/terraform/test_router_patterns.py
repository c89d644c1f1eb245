"""The router's HCL and `event_patterns.rule_pattern` make the same of a user's pattern."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from event_patterns import effective_pattern, validate_hop_pattern

pytestmark = pytest.mark.terraform

DEFINITIONS = Path(__file__).parents[2] / "modules" / "internal" / "hop-definitions"

HARNESS = """
variable "hops" { type = map(object({ pattern = string, hop = string, stage = string })) }
locals { hops = var.hops }
output "patterns" { value = local.patterns }
output "reserved" { value = local.reserved_paths }
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


@pytest.mark.parametrize("name", PATTERNS)
def test_both_make_the_same_pattern_of_the_users(outputs: dict[str, Any], name: str):
    expected = effective_pattern(PATTERNS[name], hop=f"route/{name}", stage="transformed")

    assert json.loads(outputs["patterns"][name]) == expected


@pytest.mark.parametrize("name", PATTERNS)
def test_both_keep_the_kits_own_fields_to_themselves(outputs: dict[str, Any], name: str):
    problems = validate_hop_pattern(PATTERNS[name], hop=f"route/{name}", stage="transformed", match_all=True)

    assert bool(outputs["reserved"][name]) == bool(problems) == name.startswith("own-")
