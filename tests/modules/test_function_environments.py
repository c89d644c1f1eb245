"""Every function is told exactly what its handler reads: nothing is missing, and nothing is set in vain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from media_events.handlers import deliver, redrive, transform, webhook
from tests.modules.conftest import OFFLINE_PROVIDER, Terraform

if TYPE_CHECKING:
    from media_events.settings import Settings

pytestmark = pytest.mark.terraform

SETTINGS: dict[str, type[Settings]] = {
    "media_events.handlers.deliver.handler": deliver.DeliverSettings,
    "media_events.handlers.redrive.handler": redrive.RedriveSettings,
    "media_events.handlers.transform.handler": transform.TransformSettings,
    "media_events.handlers.webhook.handler": webhook.WebhookSettings,
}

ROOT = """
locals {
  bus    = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  bucket = { name = "kit", arn = "arn:aws:s3:::kit" }
  mux    = jsonencode({ source = ["partner.mux"] })
}

module "webhooks" {
  source   = "../../modules/ingress-apigw"
  name     = "webhooks"
  bus_arn  = local.bus
  bucket   = local.bucket
  partners = { mux = { specification = jsonencode({ preset = "mux" }), secret_arns = [] } }
}

module "router" {
  source     = "../../modules/router"
  name       = "media"
  bus_name   = "media"
  bus_arn    = local.bus
  bucket     = local.bucket
  transforms = { tidy = { pattern = local.mux, steps = jsonencode([{ drop = "data.test" }]) } }
  routes     = { cms = { pattern = local.mux, target = { http = { url = "https://cms.example.com/" } } } }
}

module "review" {
  source  = "../../modules/dlq-review"
  name    = "review"
  bus_arn = local.bus
  bucket  = local.bucket
  dead_letter_queues = { "route/lake" = {
    queue_arn   = "arn:aws:sqs:eu-west-1:123456789012:lake-dlq"
    queue_url   = "https://sqs.example/lake-dlq"
    hop         = "route/lake"
    destination = "lake"
    route_back  = "bus"
  } }
}
"""

# What AWS alone knows, and the environments tell: one unknown value makes a whole environment unknown.
UNKNOWN = (
    'module.router.module.transform["tidy"].aws_sqs_queue.this',
    'module.router.module.transform["tidy"].aws_sqs_queue.dlq',
    'module.router.module.route["cms"].aws_sqs_queue.this',
    'module.router.module.route["cms"].aws_sqs_queue.dlq',
    "module.webhooks.aws_sqs_queue.dlq",
    "module.review.aws_sns_topic.review",
)
OVERRIDE = """
override_resource {{
  target          = {target}
  override_during = plan
  values          = {{ arn = "arn:aws:sqs:eu-west-1:123456789012:made"{url} }}
}}
"""


@pytest.fixture(scope="module", name="functions")
def _functions(terraform: Terraform, working_copy: Path) -> list[tuple[str, set[str]]]:
    """Handler and environment variables of one function of each kind."""
    root = working_copy / "examples" / "environments"
    (root / "tests").mkdir(parents=True)
    (root / "main.tf").write_text(OFFLINE_PROVIDER + ROOT)
    overrides = "".join(
        OVERRIDE.format(target=target, url=', url = "https://sqs.example/made"' if "sqs" in target else "")
        for target in UNKNOWN
    )
    (root / "tests" / "plan.tftest.hcl").write_text(overrides + 'run "plan" {\n  command = plan\n}\n')
    terraform.init(root)
    said = [json.loads(line) for line in terraform.run(root, "test", "-json", "-verbose").splitlines()]
    (plan,) = [message["test_plan"]["resource_changes"] for message in said if message["type"] == "test_plan"]
    return [
        (change["change"]["after"]["handler"], set(change["change"]["after"]["environment"][0]["variables"]))
        for change in plan
        if change["type"] == "aws_lambda_function"
    ]


def test_one_function_of_each_kind_is_deployed(functions: list[tuple[str, set[str]]]) -> None:
    assert sorted(handler for handler, _ in functions) == sorted(SETTINGS)


@pytest.mark.parametrize("handler", SETTINGS)
def test_environment_is_what_the_handler_reads(handler: str, functions: list[tuple[str, set[str]]]) -> None:
    read = SETTINGS[handler].variables()
    told = {name for name in dict(functions)[handler] if not name.startswith("POWERTOOLS_")}
    assert {name for name, needed in read.items() if needed} <= told <= set(read)
