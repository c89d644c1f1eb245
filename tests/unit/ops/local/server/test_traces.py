"""EventBridge hands the trace of an entry to its targets, and the daemon keeps segments."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import traces, xray_daemon
from media_events_kit.ops.local.server.lineage import ATTRIBUTE, Chain

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


class Bus:
    """A fake of MiniStack's EventBridge with one rule, whose target is a queue, and which refuses ``bad`` entries."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.messages: list[dict[str, Any]] = []
        self.calls = 0
        self.eventbridge, self.sqs = ModuleType("eventbridge"), ModuleType("sqs")
        vars(self.eventbridge).update(_put_events=self._put, _dispatch_to_sqs=self._dispatch)
        vars(self.sqs)["_ensure_msg_fields"] = lambda message: message.setdefault("sys", {})
        traces.correct(self.chain, self.eventbridge, self.sqs)

    def _put(self, data: Any) -> Any:
        self.calls += 1
        results = []
        for entry in data["Entries"]:
            if entry["Detail"] != "bad":
                vars(self.eventbridge)["_dispatch_to_sqs"]("queue", entry["Detail"])
            results.append({"ErrorCode": "Bad"} if entry["Detail"] == "bad" else {"EventId": entry["Detail"]})
        return 200, {}, json.dumps({"FailedEntryCount": 0, "Entries": results}).encode()

    def _dispatch(self, _queue: str, detail: str) -> None:
        message = {"body": detail}
        vars(self.sqs)["_ensure_msg_fields"](message)
        self.messages.append(message)

    def put(self, *entries: tuple[str, str | None]) -> Any:
        """Put entries, each with its trace header."""
        made = [{"Detail": detail} | ({} if trace is None else {"TraceHeader": trace}) for detail, trace in entries]
        return json.loads(vars(self.eventbridge)["_put_events"]({"Entries": made})[2])


def test_queue_has_the_trace_of_each_entry_without_its_lineage_and_none_that_x_ray_drops() -> None:
    bus = Bus()

    answer = bus.put(("a", f"{TRACE};Lineage=a:1"), ("b", None), ("bad", TRACE), ("c", "Root=1-x"))

    assert [message["sys"].get(ATTRIBUTE) for message in bus.messages] == [TRACE, None, None]
    assert (answer["FailedEntryCount"], [each.get("EventId") for each in answer["Entries"]]) == (
        1,
        ["a", "b", None, "c"],
    )
    # What is received later, or from elsewhere, has no part in it.
    later: dict[str, Any] = {}
    vars(bus.sqs)["_ensure_msg_fields"](later)
    assert later == {"sys": {}}


def test_entries_without_traces_go_together() -> None:
    bus = Bus()

    bus.put(("a", None), ("b", None))

    assert (bus.calls, [message["sys"] for message in bus.messages]) == (1, [{}, {}])


@pytest.mark.parametrize("segment", ['{"name":"ingress/é"}'])
def test_daemon_keeps_each_segment_as_a_line(tmp_path: Path, segment: str) -> None:
    daemon, function = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with daemon, function:
        keeping = threading.Thread(target=xray_daemon.keep, args=(daemon, tmp_path / "xray.jsonl"))
        keeping.start()
        for text in (f'{{"format":"json","version":1}}\n{segment}', f"x\n{segment}", ""):
            function.send(text.encode())
        keeping.join(10)

    assert (tmp_path / "xray.jsonl").read_text("utf-8").splitlines() == [segment, segment]
