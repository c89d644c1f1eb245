"""`media-events check`: what Terraform can't see in specifications and steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from media_events_kit.ops import cli

MODULE = "module.webhooks.module.function"


def run(capsys: pytest.CaptureFixture[str], *files: Path) -> tuple[int, str, str]:
    status = cli.run(["check", *map(str, files)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def plan(*contents: str | None) -> str:
    """A plan that makes functions with these configurations, and a package besides."""

    def change(index: int, content: str | None) -> dict[str, Any]:
        return {
            "address": f"{MODULE}.aws_s3_object.configuration[{index}]",
            "mode": "managed",
            "type": "aws_s3_object",
            "name": "configuration",
            "change": {"actions": ["create"], "before": None, "after": {} if content is None else {"content": content}},
        }

    package = change(0, None) | {"name": "package", "address": "module.package.aws_s3_object.package"}
    return json.dumps({"resource_changes": [package, *(change(*each) for each in enumerate(contents))]})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("acme.yaml", "preset: mux\ntime: body.created_at"),
        ("acme.toml", 'preset = "mux"'),
        ("acme.json", '{"preset": "mux"}'),
        ("steps.json", '[{"drop": "data.test"}]'),
        ("steps.yaml", "steps:\n  - set: {title: data.name}"),
        (
            "plan.json",
            plan('{"partners": {"mux": {"specification": {"preset": "mux"}, "authentication": "signature"}}}'),
        ),
        ("plan.json", plan('{"steps": [{"drop": "data.test"}]}', '{"destination": {"type": "sqs"}}')),
        ("plan.json", plan('{"partners": {"own": {"sources": ["example.own"]}}}')),
    ],
)
def test_what_the_functions_can_read_is_right(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    status, out, _ = run(capsys, tmp_path / name)

    assert (status, out.startswith("nothing is wrong")) == (0, True)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("acme.yaml", "preset: muxx", "muxx"),
        ("acme.yaml", "preset: mux\nsubjekt: body.id", "subjekt"),
        ("acme.yaml", "preset: mux\nid: 'body.[id'", "id: "),
        ("acme.yaml", "preset: [", "can't be read"),
        ("steps.json", '[{"drop": "data.[test"}]', "drop"),
        ("steps.json", '[{"drop": "a"}, {"dropp": "b"}]', "dropp"),
        ("steps.yaml", "steps: drop", "must be a list"),
        ("plan.json", plan('{"steps": [{"map": {"a": "data.[b"}}]}'), f"{MODULE}: "),
        (
            "plan.json",
            plan('{"partners": {"acme": {"specification": {"id": "body.[id", "type": "body.type"}}}}'),
            f"{MODULE}: partner acme: ",
        ),
    ],
)
def test_mistake_is_named_with_its_place(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")

    status, out, _ = run(capsys, tmp_path / name)

    assert status == 1
    assert said in out


def test_configuration_that_is_not_known_yet_is_named_and_no_mistake(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    file.write_text(plan(None), encoding="utf-8")

    status, out, err = run(capsys, file)

    assert (status, out) == (0, "nothing is wrong in 0 documents\n")
    assert err == f"{MODULE}: not known before the apply: check the file itself\n"
