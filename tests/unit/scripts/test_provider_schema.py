"""The modules and examples against the AWS provider's schema: of the installed package, and the newest."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from scripts.provider_schema import Block, Package
from scripts.terraform_source import Use, uses, uses_in

ROOT: Final = Path(__file__).resolve().parents[3]
NEWEST: Final = json.loads((ROOT / "tests" / "data" / "aws_provider_schema.json").read_text(encoding="utf-8"))
# WAF's statements nest within each other: no package has a class for them.
USES: Final = [
    use for use in sorted(uses()) if (use.type, use.path[:2]) != ("aws_wafv2_web_acl", ("rule", "statement"))
]
Lookup = Callable[[str, str], Block | None]

pytestmark = pytest.mark.slow

NO_LONGER_REQUIRED: Final = {
    "aws_dynamodb_table: global_secondary_index.hash_key": "deprecated for blocks `key_schema`, which 5.100 lacks, and "
    "a configuration can't ask for the provider's version",
    "aws_cloudwatch_metric_alarm: comparison_operator": "for alarms on queries, which have `evaluation_criteria`",
    "aws_cloudwatch_metric_alarm: evaluation_periods": "for alarms on queries, which have `evaluation_criteria`",
    "aws_cloudwatch_log_resource_policy: policy_name": "for policies of one resource, which have `resource_arn`",
}
"""Arguments that old versions require and the newest doesn't, which is how one starts to disappear; and why."""

DEPRECATED: Final = {
    ("data", "aws_region", "name"): "`id` is the same in 5.100 and 6.x, where `region` is 6.x's alone",
    ("resource", "aws_iam_role", "inline_policy"): "aws_iam_role_policy",
    ("resource", "aws_iam_role", "managed_policy_arns"): "aws_iam_role_policy_attachment",
    ("resource", "aws_s3_bucket_lifecycle_configuration", "rule.prefix"): "rule.filter",
    ("resource", "aws_dynamodb_table", "stream_label"): "stream_arn",
}
"""What the provider's documentation deprecates, of what is used here, and what to use. No package says so."""


@cache
def _installed(kind: str, name: str) -> Block | None:
    return Package.installed().block(kind, name)


@cache
def _newest(kind: str, name: str) -> Block | None:
    data = NEWEST.get(f"{kind} {name}")
    assert data is not None, (
        f"{kind} {name} is not in tests/data/aws_provider_schema.json: see scripts/provider_schema.py"
    )
    return Block.of_json(data)


@pytest.mark.parametrize("lookup", [_installed, _newest], ids=[Package.installed().version, NEWEST["version"]])
def test_every_resource_argument_block_and_attribute_is_in_6(lookup: Lookup) -> None:
    schema = {key: lookup(*key) for key in {(use.kind, use.type) for use in USES}}

    assert [key for key, block in schema.items() if block is None] == []
    unknown = {use for use in USES if (block := schema[use.kind, use.type]) and not _has(block, use)}
    assert {f"{use.kind} {use.type}: {'.'.join(use.path)} ({use.block})" for use in unknown} == set()


@pytest.mark.parametrize("lookup", [_installed, _newest], ids=[Package.installed().version, NEWEST["version"]])
def test_every_argument_that_6_requires_is_set(lookup: Lookup) -> None:
    given: dict[tuple[str, str, str, tuple[str, ...]], set[str]] = defaultdict(set)
    for use in USES:
        if not use.reads:
            blocks = _nested(lookup(use.kind, use.type), use.path)
            is_block = blocks is not None
            key = (use.block, use.kind, use.type, use.path if is_block else use.path[:-1])
            given[key] |= set() if is_block else {use.path[-1]}

    missing = {
        f"{kind} {name}: {'.'.join((*path, argument))} ({where})"
        for (where, kind, name, path), arguments in given.items()
        if (block := _nested(lookup(kind, name), path)) is not None
        for argument, required in block.arguments.items()
        if required and argument not in arguments
    }
    assert missing == set()


def test_arguments_that_the_newest_version_no_longer_requires_are_known() -> None:
    used = {(use.kind, use.type, use.path) for use in USES if not use.reads and use.path}

    loosened = {
        f"{name}: {'.'.join(path)}"
        for kind, name, path in used
        if (old := _nested(_installed(kind, name), path[:-1])) and (new := _nested(_newest(kind, name), path[:-1]))
        if old.arguments.get(path[-1]) and not new.arguments[path[-1]]
    }
    assert loosened == NO_LONGER_REQUIRED.keys()


def test_nothing_that_the_provider_deprecates_is_used() -> None:
    used = {(use.kind, use.type, ".".join(use.path)) for use in USES}

    assert {key: DEPRECATED[key] for key in used & DEPRECATED.keys()} == {}


def test_source_is_read_whole() -> None:
    text = (
        'resource "aws_sqs_queue" "a" {\n'
        "  count = 1\n"
        "  name  = jsonencode({\n"
        "    inner = 1\n"
        "  })\n"
        "  policy = <<-EOT\n"
        "    text = 1\n"
        "  EOT\n"
        "  redrive {\n"
        "    arn = data.aws_region.current.id # aws_sqs_queue.none.comment\n"
        "  }\n"
        '  dynamic "rule" {\n'
        "    for_each = [1]\n"
        "    content {\n"
        "      days = one(aws_sqs_queue.b[*].arn)\n"
        "      filter { prefix = rule.value }\n"
        "    }\n"
        "  }\n"
        "  lifecycle {\n"
        "    ignore_changes = [name]\n"
        "  }\n"
        "}\n"
        'output "b" {\n'
        "  value = 1\n"
        "}\n"
    )

    found = {(use.kind, use.reads, ".".join(use.path)) for use in uses_in(text, "main.tf")}

    assert found == {
        ("resource", False, ""),
        ("resource", False, "name"),
        ("resource", False, "policy"),
        ("resource", False, "redrive"),
        ("resource", False, "redrive.arn"),
        ("resource", False, "rule"),
        ("resource", False, "rule.days"),
        ("resource", False, "rule.filter"),
        ("resource", False, "rule.filter.prefix"),
        ("data", True, "id"),
        ("resource", True, "arn"),
    }


def _nested(block: Block | None, path: tuple[str, ...]) -> Block | None:
    """The block at the end of a path; None where that is none."""
    for name in path:
        block = block.blocks.get(name) if block else None
    return block


def _has(block: Block, use: Use) -> bool:
    if use.reads:
        return use.path[0] in {*block.arguments, *block.blocks, *block.attributes}
    outer = _nested(block, use.path[:-1])
    return not use.path or (outer is not None and use.path[-1] in {*outer.arguments, *outer.blocks})
