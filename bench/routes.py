"""How synthesis and plan grow with routes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.results import Result
from media_events_kit.ops.shared.terraform_providers import terraform_environment

ROOT: Final = Path(__file__).resolve().parent.parent
ROUTES: Final = (10, 100, 300)


def workflow(routes: int) -> dict[str, Any]:
    """A partner, and so many routes, each with a destination of its own."""
    numbers = range(routes)
    return {
        "name": "bench",
        "partners": {"mux": {"specification": "mux", "ingress": "webhook"}},
        "destinations": {f"to-{n}": {"type": "http", "url": f"https://r{n}.example.com/events"} for n in numbers},
        "routes": {
            f"r-{n}": {"pattern": {"detail": {"data": {"kind": [f"kind-{n}"]}}}, "destination": f"to-{n}"}
            for n in numbers
        },
        "dashboard": False,  # it shows 240 hops at most
        "environments": {"dev": {"region": "eu-west-1"}},
    }


def growth() -> Iterator[Result]:
    """Seconds to synthesise, and to plan."""
    planned: dict[int, float] = {}
    for count in ROUTES:
        with tempfile.TemporaryDirectory(prefix="media-events-bench-") as folder:
            file = Path(folder) / "workflow.yaml"
            file.write_text(json.dumps(workflow(count)), encoding="utf-8")
            environment = os.environ | {"MEDIA_EVENTS_WORKFLOW": str(file), "CDKTF_OUTDIR": f"{folder}/out"}
            begun = time.monotonic()
            subprocess.run([sys.executable, "main.py"], cwd=ROOT, env=environment, check=True, capture_output=True)
            yield Result(name=f"synthesis, {count} routes", value=time.monotonic() - begun, unit="s")
            planned[count] = _plan(Path(folder) / "out" / "stacks" / "bench-dev")
            yield Result(name=f"plan, {count} routes", value=planned[count], unit="s")
    yield Result(name="plan, 300 routes / 100 routes", value=planned[300] / planned[100], unit="times", goal=4)


def _plan(stack: Path) -> float:
    """Plan a stack that was never applied, without AWS."""
    file = stack / "cdk.tf.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["terraform"].pop("backend", None)
    for provider in document["provider"]["aws"]:
        provider |= {"access_key": "test", "secret_key": "test"}
        provider |= dict.fromkeys(  # noqa: PLW2901
            ("skip_credentials_validation", "skip_metadata_api_check", "skip_region_validation"), True
        )
        provider["skip_requesting_account_id"] = True
    file.write_text(json.dumps(document), encoding="utf-8")
    environment = os.environ | terraform_environment(dict(os.environ))

    def terraform(*arguments: str) -> None:
        command = ["terraform", *arguments, "-no-color", "-input=false"]
        finished = subprocess.run(command, cwd=stack, env=environment, check=False, capture_output=True, text=True)
        if finished.returncode != 0:
            raise SystemExit(f"bench: terraform {arguments[0]} failed:\n{finished.stderr[-2000:]}")

    terraform("init")
    begun = time.monotonic()
    terraform("plan", "-refresh=false")
    return time.monotonic() - begun
