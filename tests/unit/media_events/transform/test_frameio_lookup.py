"""A thin event completed: Frame.io's webhook has an id, its API the rest. The API is a server on this machine."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from media_events.adapters.http_client import PinnedHttpClient
from media_events.events.publisher import Publisher
from media_events.messaging.queue_consumer import Consumer, consume_batch
from media_events.transform import Transformer, parse_steps
from tests.fakes.events import make_event
from tests.fakes.frameio_api import CREDENTIALS, FrameIo
from tests.fakes.hop import FakeBus, FakeClock, FakeQueue, FakeReport, bus_event, sqs_record
from tests.fakes.transform_ports import Outside

ROOT = Path(__file__).resolve().parents[4]
THIN = json.loads((ROOT / "media_events_kit/ops/send/samples/frameio-v4-file.ready.json").read_text(encoding="utf-8"))
FILE = THIN["resource"]["id"]


@pytest.fixture(name="frameio")
def _frameio():
    server = FrameIo(THIN["account"]["id"])
    server.files[FILE] = {"id": FILE, "name": "reel-7.mov", "file_size": 7_000, "type": "file"}
    yield server
    server.go_away()


@pytest.fixture(name="hop")
def _hop(frameio):
    hop = Hop(frameio)
    yield hop
    for connections in hop.client._idle.values():
        for connection in connections:
            connection.close()


def documented_steps(port):
    """The steps of the reference, pointed to this machine."""
    text = (ROOT / "docs" / "reference" / "transforms.md").read_text(encoding="utf-8")
    example = text.partition("**Frame.io** sends")[2].partition("```yaml\n")[2].partition("```")[0]
    here = f"http://127.0.0.1:{port}"
    for there in ("https://api.frame.io", "https://ims-na1.adobelogin.com"):
        assert there in example
        example = example.replace(there, here)
    steps = yaml.safe_load(example)
    steps[0]["lookup"]["http"] |= {"allow_http": True, "allowed_private_cidrs": ["127.0.0.0/8"], "timeout_seconds": 5}
    return steps


class Hop:
    """The transform of the reference, with the real HTTP client."""

    def __init__(self, server):
        steps = documented_steps(server.server_port)
        self.queue, self.bus, self.report = FakeQueue(), FakeBus(), FakeReport()
        self.client = PinnedHttpClient()
        outside = Outside(secrets={steps[0]["lookup"]["http"]["auth"]["secret_arn"]: [json.dumps(CREDENTIALS)]})
        self.transformer = Transformer(
            steps=parse_steps(steps),
            ports=outside.ports_with(partners=self.client, clock=time.time),
            publisher=Publisher(bus=self.bus, sleep=FakeClock().sleep),
            hop="transform/complete",
            report=self.report,
        )

    def run(self, *events):
        records = [sqs_record(bus_event(event), event.metadata.id) for event in events]
        consumer = Consumer(queue=self.queue, hop="transform/complete", report=self.report, clock=FakeClock())
        answer = consume_batch({"Records": records}, self.transformer.handle, consumer)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def thin(identity="e1", file=FILE):
    return make_event({**THIN, "resource": {**THIN["resource"], "id": file}}, id=identity, source="partner.frameio")


def test_thin_event_is_completed_from_the_api(hop):
    assert hop.run(thin()) == []

    (event,) = hop.bus.events
    assert event.metadata.stage == "transformed"
    assert event.data == {
        "asset_id": FILE,
        "title": "reel-7.mov",
        "bytes": 7_000,
        "project_id": THIN["project"]["id"],
    }


def test_events_of_a_batch_share_token_and_connections(frameio, hop):
    frameio.files |= {f"f{i}": {"name": f"n{i}", "file_size": i} for i in range(10)}
    for batch in range(3):
        assert hop.run(*(thin(f"e{batch}-{i}", f"f{i}") for i in range(10))) == []

    assert len(hop.bus.events) == 30
    assert frameio.served["token"] == 1
    assert frameio.served["file"] == 30
    assert frameio.connections <= 11


def test_long_answer_is_read_whole(frameio, hop):
    frameio.files[FILE]["name"] = "n" * 200_000

    hop.run(thin())

    assert len(hop.bus.events[0].data["title"]) == 200_000


def test_token_that_was_revoked_is_fetched_anew(frameio, hop):
    hop.run(thin("e1"))
    frameio.tokens.clear()

    assert hop.run(thin("e2")) == []

    assert len(hop.bus.events) == 2
    assert frameio.served == {"token": 2, "file": 3}


def test_file_that_the_api_does_not_know_yet_is_asked_for_again(frameio, hop):
    assert hop.run(thin(file="later")) == ["e1"]
    frameio.files["later"] = {"name": "late.mov"}
    assert hop.run(thin(file="later")) == []

    assert hop.bus.events[0].data["title"] == "late.mov"


def test_busy_api_is_left_alone_for_as_long_as_it_wants(frameio, hop):
    frameio.failing = [(429, {"Retry-After": "17"})]
    assert hop.run(thin()) == ["e1"]
    assert hop.queue.visibility == {"handle-e1": 17}
    assert hop.run(thin()) == []


def test_redirect_is_not_followed(frameio, hop):
    frameio.failing = [(302, {"Location": "http://169.254.169.254/latest/meta-data/"})]
    assert hop.run(thin()) == []

    (dead,) = hop.queue.dead
    assert (dead.failure.failure_class, dead.failure.code) == ("permanent-config", "lookup-http-302")


def test_event_that_would_lead_elsewhere_reaches_no_api(frameio, hop):
    assert hop.run(thin(file="../../../admin")) == []

    assert hop.queue.dead[0].failure.code == "lookup-url"
    assert not frameio.served


def test_api_that_is_down_is_retried_and_logged(frameio, hop):
    frameio.go_away()

    assert hop.run(thin()) == ["e1"]

    assert hop.report.fields("hop failed")[0]["reason"] == "connect-failed"


def test_neither_token_nor_secret_nor_answer_is_logged(hop):
    hop.run(thin("e1"), thin("e2", "none"))

    for private in ("token-1", CREDENTIALS["client_secret"], "reel-7.mov"):
        assert private not in hop.report.text()
