"""docs/tutorials/add-a-partner.md, done as it says: one file, one line, and the partner's signed event is accepted."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
from pathlib import Path

import pytest

from media_events_kit.ops.cli import run
from tests.fakes.webhook_requests import WebhookHarness

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tutorials" / "add-a-partner.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "examples" / "partners"
EVENT = (EXAMPLES / "acme-event.json").read_bytes()
FILE, LINE, *_ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
WAYS = re.findall(r"^\| (?:[^|]*) \| `(\w+: \{type.*?)` \| `(acme: .*?)` \|$", PAGE, re.MULTILINE)
KEY = "the-key-that-acme-gave-us"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Where the workflow stands, with Acme's file beside it."""
    (tmp_path / "partners").mkdir()
    shutil.copy(EXAMPLES / "acme.yaml", tmp_path / "partners" / "acme.yaml")
    return tmp_path


def test_page_shows_the_example_as_it_is():
    example = (EXAMPLES / "acme.yaml").read_text(encoding="utf-8")

    assert example == "# yaml-language-server: $schema=../../docs/partner-specification.schema.json\n" + FILE


def test_check_makes_of_acmes_event_what_the_page_says(capsys):
    body = ["--body", str(EXAMPLES / "acme-event.json")]

    status = run(["partner", "check", str(EXAMPLES / "acme.yaml"), *body, "--ingress", "sqs"])

    answer = json.loads(capsys.readouterr().out)
    assert (status, answer["verification"]["valid"]) == (0, None)
    (event,) = answer["events"]
    assert (event["source"], event["detail-type"]) == ("partner.acme", "asset.ready")
    assert "not-for-you" not in json.dumps(event)


@pytest.mark.usefixtures("folder")
def test_one_line_deploys_the_partner_and_its_function_accepts_its_signed_event(synthesise, monkeypatch):
    stack = synthesise(f"name: media\n{LINE}\nenvironments:\n  dev: {{region: eu-west-1}}\n")["dev"]

    specification = json.loads(stack.module("ingress")["partners"]["acme"]["specification"])
    service = WebhookHarness(partners={"acme": {"specification": specification, "secret_arns": ["arn:acme"]}})
    service.secrets.stored["arn:acme"] = [KEY]
    monkeypatch.setattr("media_events.handlers.webhook.application", service.application)
    now = int(service.clock())
    signature = hmac.new(KEY.encode(), f"{now}.".encode() + EVENT, hashlib.sha256).hexdigest()

    def post(value: str) -> int:
        headers = {"content-type": "application/json", "x-acme-signature": f"t={now},v1={value}"}
        return service.post(EVENT, partner="acme", headers=headers).status

    assert post("0" * 64) == 401
    assert post(signature) == 202
    (event,) = service.bus.events
    assert (event.metadata.source, event.metadata.type) == ("partner.acme", "asset.ready")
    assert (event.metadata.id, event.metadata.subject) == ("acme-evt-0001", "house-id-0001")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("entry", "line"), WAYS, ids=[entry.split(":")[0] for entry, _ in WAYS])
def test_the_same_file_serves_every_other_way_in(synthesise, entry, line):
    stack = synthesise(
        f"name: media\ningress:\n  {entry}\npartners:\n  {line}\nenvironments:\n  dev: {{region: eu-west-1}}\n"
    )["dev"]

    name = entry.split(":")[0]
    assert "delivery.finished" in json.dumps(stack.module(f"ingress-{name}"))


def test_page_has_all_ways_in():
    kinds = {re.search(r"type: ([a-z-]+)", entry)[1] for entry, _ in WAYS}

    assert kinds == {"sqs", "sns-fifo", "partner-bus", "custom-bus"}
