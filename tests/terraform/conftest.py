"""Terraform with the real AWS provider, offline, on copies: no test leaves a `.terraform` folder in the repository."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.aws_provider import served_environment

ROOT = Path(__file__).resolve().parents[2]
PUBLIC_MODULES = sorted(folder.name for folder in (ROOT / "modules").iterdir() if (folder / "main.tf").exists())
# Those that events pass, with functions, queues and alarms. A dashboard only looks.
MODULES_OF_THE_PATH = [module for module in PUBLIC_MODULES if module != "dashboard"]
INTERNAL_MODULES = sorted(f"internal/{file.parent.name}" for file in (ROOT / "modules" / "internal").glob("*/main.tf"))
MODULES = [*PUBLIC_MODULES, *INTERNAL_MODULES]
EXAMPLES = sorted(folder.name for folder in (ROOT / "examples").iterdir() if (folder / "main.tf").exists())
GENERATED = shutil.ignore_patterns(".terraform", "*.tfstate*", "__pycache__")

# Merged into a root's own `provider "aws"` block: nothing asks AWS for anything.
OFFLINE_PROVIDER = """\
provider "aws" {
  region                      = "eu-west-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}
"""


_REGIONAL = "eu-west-1:123456789012"
# A mocked provider makes up what AWS would answer, but no ARNs: resources and the modules' own checks want real ones.
MOCKED = {
    "aws_cloudformation_stack": {"outputs": {"Arn": f"arn:aws:events:{_REGIONAL}:connection/mock/1"}},
    "aws_cloudwatch_event_api_destination": {"arn": f"arn:aws:events:{_REGIONAL}:api-destination/mock/1"},
    "aws_apigatewayv2_api": {"execution_arn": f"arn:aws:execute-api:{_REGIONAL}:mock"},
    "aws_cloudwatch_event_bus": {"arn": f"arn:aws:events:{_REGIONAL}:event-bus/media-example"},
    "aws_cloudwatch_event_rule": {"arn": f"arn:aws:events:{_REGIONAL}:rule/mock/mock"},
    "aws_cloudwatch_log_group": {"arn": f"arn:aws:logs:{_REGIONAL}:log-group:mock"},
    "aws_dynamodb_table": {"arn": f"arn:aws:dynamodb:{_REGIONAL}:table/mock"},
    "aws_iam_role": {"arn": "arn:aws:iam::123456789012:role/mock"},
    "aws_lambda_layer_version": {"arn": f"arn:aws:lambda:{_REGIONAL}:layer:mock:1"},
    "aws_lambda_function": {"arn": f"arn:aws:lambda:{_REGIONAL}:function:mock"},
    "aws_s3_bucket": {"arn": "arn:aws:s3:::mock"},
    "aws_secretsmanager_secret": {"arn": f"arn:aws:secretsmanager:{_REGIONAL}:secret:mock-AbCdEf"},
    "aws_sfn_state_machine": {"arn": f"arn:aws:states:{_REGIONAL}:stateMachine:mock"},
    "aws_sns_topic": {"arn": f"arn:aws:sns:{_REGIONAL}:mock"},
    "aws_sqs_queue": {
        "arn": f"arn:aws:sqs:{_REGIONAL}:mock",
        "url": "https://sqs.eu-west-1.amazonaws.com/123456789012/mock",
    },
}
# A topic's ARN says whether it is FIFO, and modules look.
MOCKED_FOR = {"ingress-sns-fifo": {"aws_sns_topic": {"arn": f"arn:aws:sns:{_REGIONAL}:mock.fifo"}}}


def mock_test(folder: Path) -> str:
    """A test file that applies the root in ``folder`` to a mocked provider."""
    mocked = MOCKED | MOCKED_FOR.get(folder.name, {})
    resources = "".join(
        f'  mock_resource "{kind}" {{\n    defaults = {json.dumps(values)}\n  }}\n' for kind, values in mocked.items()
    )
    read = (
        '  mock_data "aws_iam_policy_document" {\n    defaults = { json = "{}" }\n  }\n'
        '  mock_data "aws_region" {\n    defaults = { id = "eu-west-1" }\n  }\n'
    )
    return f'mock_provider "aws" {{\n{resources}{read}}}\n\nrun "apply" {{}}\n'


@dataclass(frozen=True)
class Terraform:
    """Runs Terraform with made-up credentials and without the user's AWS settings."""

    environment: Mapping[str, str]

    def run(self, folder: Path, *arguments: str) -> str:
        """Standard output of `terraform <arguments>` in ``folder``; a failure shows everything that was said."""
        finished = subprocess.run(
            ["terraform", *arguments],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        said = finished.stdout + finished.stderr
        assert finished.returncode == 0, f"terraform {' '.join(arguments)} in {folder}:\n{said}"
        return finished.stdout

    def init(self, folder: Path) -> None:
        locked = ["-lockfile=readonly"] if (folder / ".terraform.lock.hcl").exists() else []
        self.run(folder, "init", "-input=false", "-no-color", "-backend=false", *locked)

    def plan(self, folder: Path) -> dict[str, Any]:
        """The plan of the root in ``folder`` against no state, as `terraform show -json` tells it."""
        (folder / "offline_override.tf").write_text(OFFLINE_PROVIDER, encoding="utf-8")
        self.init(folder)
        self.run(folder, "plan", "-input=false", "-no-color", "-lock=false", "-out=plan.tfplan")
        plan: dict[str, Any] = json.loads(self.run(folder, "show", "-json", "-no-color", "plan.tfplan"))
        return plan

    def mock_apply(self, folder: Path) -> dict[str, Any]:
        """The state of the root in ``folder`` once applied to a provider that makes up what AWS would answer."""
        (folder / "mock_apply.tftest.hcl").write_text(mock_test(folder), encoding="utf-8")
        self.init(folder)
        lines = self.run(folder, "test", "-json", "-verbose", "-filter=mock_apply.tftest.hcl").splitlines()
        state: dict[str, Any] = next(line for line in map(json.loads, lines) if line["type"] == "test_state")[
            "test_state"
        ]
        return state


@pytest.fixture(scope="session", name="terraform")
def _terraform() -> Terraform:
    return Terraform(served_environment())


@pytest.fixture(scope="session", name="working_copy")
def _working_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Modules, examples and the functions' zip, laid out as in the repository."""
    copy = tmp_path_factory.mktemp("working-copy")
    for part in ("modules", "examples", "lambda_src/dist"):
        shutil.copytree(ROOT / part, copy / part, ignore=GENERATED)
    yield copy
    shutil.rmtree(copy, ignore_errors=True)


@pytest.fixture(scope="session", name="clone")
def _clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as another one gets it: what is committed, and nothing else."""
    clone = tmp_path_factory.mktemp("clone") / "repository"
    command = ["git", "clone", "--quiet", "--local", str(ROOT), str(clone)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr
    return clone


def from_git(text: str, clone: Path) -> str:
    """An example's text with every local module source turned into one by git."""
    return re.sub(r'source\s*=\s*"\.\./\.\./modules/([a-z/-]+)"', rf'source = "git::file://{clone}//modules/\1"', text)


def resources_in(module: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    """The attributes of every resource of one type in a module, as plans and states tell it, and in those below it."""
    for resource in module.get("resources", []):
        if resource["type"] == kind:
            yield resource["values"]
    for child in module.get("child_modules", []):
        yield from resources_in(child, kind)
