"""Several stacks in one Terraform root, so that one run of Terraform plans them all.

Terraform and its provider take seconds to start, whatever they plan. Each stack becomes a module of the root; what its
backend and provider say is left out, and its addresses are given without the module.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.synth.conftest import Stack
from tests.synth.offline_terraform import PROVIDER, terraform

ROOT: Final = Path(__file__).resolve().parents[2]
REGION: Final = "eu-west-1"

Change = Mapping[str, Any]
"""A resource of a plan: `address`, `type`, `change` with `actions`, `after`, ...
(https://developer.hashicorp.com/terraform/internals/json-format#change-representation)."""


def plans(
    folder: Path, stacks: Mapping[str, Stack], states: Mapping[str, list[dict[str, Any]]] | None = None
) -> dict[str, dict[str, Any]]:
    """What Terraform would do for each of `stacks`, by its name: `changes` and `values`.

    `states` are the resources that exist already, as `fabricated_state.resources` makes them; without one a stack is
    planned from nothing.
    """
    for name, stack in stacks.items():
        _write_module(folder / name, stack)
    root = {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.100, < 7"}}},
        "provider": {"aws": PROVIDER | {"region": REGION}},
        "module": {name: {"source": f"./{name}"} for name in stacks},
    }
    (folder / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")
    shutil.copy(ROOT / ".terraform.lock.hcl", folder)
    if states is not None:
        resources = [_within(name, resource) for name, state in states.items() for resource in state]
        document = {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "made", "resources": resources}
        (folder / "terraform.tfstate").write_text(json.dumps(document), encoding="utf-8")
    terraform(folder, "init", "-input=false")
    terraform(folder, "plan", "-refresh=false", "-input=false", "-no-color", "-out=plan.tfplan")
    document = json.loads(terraform(folder, "show", "-json", "plan.tfplan"))
    found: dict[str, dict[str, Any]] = {name: {"changes": [], "values": {}} for name in stacks}
    for change in document["resource_changes"]:
        name, address = _split(change["address"])
        moved = {} if "previous_address" not in change else {"previous_address": _split(change["previous_address"])[1]}
        found[name]["changes"].append(change | {"address": address} | moved)
    for resource in _resources(document["planned_values"]["root_module"]):
        name, address = _split(resource["address"])
        found[name]["values"][address] = resource
    return found


def _write_module(folder: Path, stack: Stack) -> None:
    folder.mkdir(parents=True)
    document = {key: value for key, value in stack.document.items() if key not in ("//", "provider", "terraform")}
    modules = {
        name: module | {"source": "./" + os.path.relpath((stack.folder / module["source"]).resolve(), folder.resolve())}
        for name, module in document["module"].items()
    }
    (folder / "main.tf.json").write_text(json.dumps(document | {"module": modules}), encoding="utf-8")


def _within(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    inner = resource.get("module")
    return resource | {"module": f"module.{name}" + (f".{inner}" if inner else "")}


def _split(address: str) -> tuple[str, str]:
    _, name, rest = address.split(".", 2)
    return name, rest


def _resources(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in module.get("resources", ()):
        if resource["mode"] == "managed":
            yield resource
    for child in module.get("child_modules", ()):
        yield from _resources(child)
