"""One Terraform root that holds the `dev` stack and every example as its modules, so that one apply makes them all."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from media_events_kit.kit_files import KIT
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.synthesis import synthesise
from media_events_kit.ops.local.terraform import Report, Terraform, TerraformError, program

_PROVIDER_BLOCK = re.compile(r'^provider "aws" \{\n(?: .*\n)*\}\n', re.MULTILINE)
_SHARED_NAME = re.compile(r'"media-(?:events-dev|example)\b')
"""Names that several examples have for themselves, each in an account of its own."""
_LEFT_OUT = shutil.ignore_patterns(".terraform*", "*.tfstate*")

STATE = {"bucket": "terraform-state", "key": "whole.tfstate", "region": "eu-west-1", "use_path_style": True}
"""Terraform writes a state in a file after each change: of a thousand resources that takes a minute."""


def write_root(folder: Path, paths: LocalPaths) -> list[str]:
    """Write the root into ``folder``; the names of its modules. The stack is that of the environment of ``paths``."""
    for part in ("modules", "examples", "lambda_src/dist"):
        shutil.copytree(KIT / part, folder / part, ignore=_LEFT_OUT)
    names = sorted(file.parent.name for file in (folder / "examples").glob("*/main.tf"))
    for file in folder.glob("examples/*/*.tf"):
        # A module has no provider of its own, and no two buses of an account the same name.
        text = _PROVIDER_BLOCK.sub("", file.read_text(encoding="utf-8"))
        file.write_text(_SHARED_NAME.sub(f'"{file.parent.name}', text), encoding="utf-8")
    written = synthesise(paths, {}).directory
    shutil.copy(written / ".terraform.lock.hcl", folder)
    stack = _stack(written / "cdk.tf.json", folder / "examples" / paths.environment)
    names.append(paths.environment)
    root = {
        "terraform": {"required_providers": stack["terraform"]["required_providers"], "backend": {"s3": STATE}},
        "provider": stack["provider"],
        "module": {name: {"source": f"./examples/{name}"} for name in names},
    }
    (folder / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")
    return names


def _stack(written: Path, folder: Path) -> dict[str, Any]:
    """Write the synthesised stack as a module into ``folder``, and return it as it was."""
    stack: dict[str, Any] = json.loads(
        re.sub(r'"(?:\.\.?/|/)[^"]*?/modules/', '"../../modules/', written.read_text(encoding="utf-8"))
    )
    folder.mkdir()
    module = {name: part for name, part in stack.items() if name not in {"provider", "terraform"}}
    (folder / "main.tf.json").write_text(json.dumps(module), encoding="utf-8")
    return stack


class Whole(Terraform):
    """Terraform in the root."""

    def destroy(self, report: Report) -> None:
        """Delete everything, as the last plan found it.

        Raises:
            TerraformError: with Terraform's own diagnostics.
        """
        options = ["-auto-approve", "-input=false", "-refresh=false"]
        outcome = self._run(["destroy", *options, f"-parallelism={self.parallelism}", f"-state={self.state}"], report)
        if outcome.status != 0:
            raise TerraformError("destroy", outcome.diagnostics, log=self.log, changed=True)

    def second_plan(self, report: Report) -> dict[str, Any]:
        """What a plan would change now, and what there is, as `terraform show -json` tells it."""
        plan = self.state.with_name("second.tfplan")
        options = ["-input=false", f"-parallelism={self.parallelism}", f"-state={self.state}", f"-out={plan}"]
        outcome = self._run(["plan", *options], report)
        if outcome.status != 0:
            raise TerraformError("plan", outcome.diagnostics, log=self.log, changed=False)
        done = subprocess.run(
            [program(), "show", "-json", str(plan)],
            cwd=self.directory,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        document: dict[str, Any] = json.loads(done.stdout)
        return document


def changed_attributes(change: Mapping[str, Any]) -> set[str]:
    """The attributes that one change sets, ``action`` in front where it is not an update."""
    actions, before, after = change["actions"], change["before"], change["after"]
    if actions in (["no-op"], ["read"]):
        return set()
    if actions != ["update"]:
        return {"/".join(actions)}
    unknown = change.get("after_unknown") or {}
    return {name for name in after if before.get(name) != after[name] and unknown.get(name) is not True}


def resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every resource in a module of a state's JSON and in those below it."""
    yield from (resource for resource in module.get("resources", []) if resource["mode"] == "managed")
    for child in module.get("child_modules", []):
        yield from resources(child)
