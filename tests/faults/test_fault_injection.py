"""The faults that `make chaos` puts in front of the local cloud, with stand-ins for MiniStack."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from media_events_kit.ops.local.server import wiring

APPLICATION = Path(__file__).parent / "local_cloud" / "fault_injection.py"
RECORD_BODY = json.dumps({"Key": {"pk": {"S": "9:partner.a|10:evt-000007|destination/plain"}}})


class Process:
    """A worker's."""

    def __init__(self, *_: Any, env: dict[str, str], **__: Any) -> None:
        self.name = env["AWS_SDK_UA_APP_ID"]
        self.killed = 0

    def kill(self) -> None:
        self.killed += 1


@pytest.fixture(name="chaos")
def _chaos(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The application; ``done`` are the calls that reached MiniStack."""
    done: list[str] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        done.append(message["body"].decode())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    def put_events(data: Any, **_: Any) -> tuple[int, dict[str, str], bytes]:
        entries = [{"EventId": entry["Detail"]} for entry in data["Entries"]]
        return 200, {}, json.dumps({"FailedEntryCount": 0, "Entries": entries}).encode()

    class Worker:
        func_name = "ways-local-plain"

        def invoke(self, event: Any) -> dict[str, str]:
            return {"status": event["ends"]}

    modules: dict[str, dict[str, Any]] = {
        "ministack.services.eventbridge": {"_put_events": put_events},
        "ministack.core.lambda_runtime": {"Worker": Worker, "subprocess": None},
        "ministack.app": {"app": app},
    }
    for name, members in modules.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(wiring, "correct_ministack", lambda: None)
    specification = importlib.util.spec_from_file_location("fault_injection", APPLICATION)
    assert specification is not None
    assert specification.loader is not None
    faulty = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(faulty)
    monkeypatch.setattr(faulty, "subprocess", SimpleNamespace(Popen=Process))
    process = vars(sys.modules["ministack.core.lambda_runtime"])["subprocess"].Popen([], env={})
    return SimpleNamespace(module=faulty, done=done, process=process, worker=Worker)


def call(chaos: Any, target: str, body: str, *, service: str = "dynamodb", agent: str | None = None) -> Any:
    """The caller's answer: status and body; ``None`` without one."""
    agent = f"Boto3/1 app/{chaos.process.name}" if agent is None else agent
    headers = {
        "user-agent": agent,
        "x-amz-target": target,
        "authorization": f"AWS4-HMAC-SHA256 Credential=ASIA/20261126/us-east-1/{service}/aws4_request, …",
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body.encode(), "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(chaos.module.app(scope, receive, send))
    return (sent[0]["status"], sent[1]["body"]) if sent else None


def test_without_faults_every_call_goes_through(chaos):
    assert call(chaos, "DynamoDB_20120810.UpdateItem", RECORD_BODY) == (200, b"done")


def test_refused_call_is_not_done_and_its_delivery_counts_as_unconfirmed(chaos):
    chaos.module.faults.set({"refuse": 1})
    status, body = call(chaos, "DynamoDB_20120810.UpdateItem", RECORD_BODY)
    assert (status, json.loads(body)["__type"]) == (400, "ProvisionedThroughputExceededException")
    assert chaos.done == []
    assert [found[:2] for found in chaos.module.faults.unconfirmed] == [("plain", "evt-000007")]


def test_every_other_refusal_meets_the_attempts_of_the_sdk_as_well(chaos):
    chaos.module.faults.set({"refuse": 1})
    call(chaos, "DynamoDB_20120810.GetItem", "{}")
    chaos.module.faults.likelihoods["refuse"] = 0.0
    statuses = [call(chaos, "DynamoDB_20120810.GetItem", "{}")[0] for _ in range(3)]
    assert statuses == [400, 400, 200]


def test_lost_answer_is_of_a_call_that_was_done(chaos):
    chaos.module.faults.set({"lose_answer": 1})
    assert call(chaos, "AmazonSQS.SendMessage", "{}", service="sqs") == (500, b"")
    assert chaos.done == ["{}"]


@pytest.mark.parametrize(("site", "done"), [("before", []), ("after", ["{}"])])
def test_process_is_killed_before_its_write_or_after(chaos, monkeypatch, site, done):
    monkeypatch.setattr(
        chaos.module.faults, "strikes", lambda kind, where, **_: kind == "kill" and where.endswith(site)
    )
    assert call(chaos, "DynamoDB_20120810.PutItem", "{}") is None
    assert (chaos.process.killed, chaos.done) == (1, done)


def test_calls_of_anybody_else_are_left_alone(chaos):
    chaos.module.faults.set({"kill": 1, "refuse": 1, "lose_answer": 1})
    assert call(chaos, "DynamoDB_20120810.PutItem", "{}", agent="Boto3/1 an operator") == (200, b"done")


def test_single_entries_of_the_kits_are_refused_and_no_others(chaos):
    chaos.module.faults.set({"refuse_entry": 1})
    entries = [{"Source": "partner.mux", "Detail": "a"}, {"Source": "acme", "Detail": "b"}]
    put = vars(sys.modules["ministack.services.eventbridge"])["_put_events"]
    document = json.loads(put({"Entries": entries})[2])
    assert document["FailedEntryCount"] == 1
    assert document["Entries"] == [
        {"ErrorCode": "ThrottlingException", "ErrorMessage": "chaos"},
        {"EventId": "b"},
    ]


def test_invocations_that_end_badly_are_written_down_with_what_they_had_in_hand(chaos):
    worker = chaos.worker()
    assert worker.invoke({"ends": "ok", "records": ["evt-000001"]}) == {"status": "ok"}
    worker.invoke({"ends": "error", "records": ["evt-000002", "evt-000003", "evt-000002"]})
    assert [found[:2] for found in chaos.module.faults.disturbed] == [
        ("ways-local-plain", "evt-000002"),
        ("ways-local-plain", "evt-000003"),
    ]


def test_chance_is_the_same_for_the_same_seed(chaos):
    def drawn(seed: int) -> list[bool]:
        faults = chaos.module.Faults()
        faults.set({"seed": seed, "kill": 0.5})
        return [faults.strikes("kill", "sqs/SendMessage") for _ in range(40)]

    assert drawn(1) == drawn(1) != drawn(2)
