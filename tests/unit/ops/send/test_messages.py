"""What `send` writes: a partner's sample as another event, which the ingress's own code takes."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
import uuid

import pytest

from media_events.partners.signature_verification import verify
from media_events.partners.specification import parse_specification
from media_events_kit.ops.send.freshness import Identity, freshened, place_of, with_value
from media_events_kit.ops.send.message import Writer
from media_events_kit.ops.send.samples import SAMPLES, Sample, preset_of, samples
from media_events_kit.ops.send.ways_in import WayIn, new_secret
from tests.fakes.partners import DATA

NOW = time.time()
EXPECTED = json.loads((DATA / "expected_events.json").read_text(encoding="utf-8"))
OWN = {"id": "body.id", "type": "body.type", "title": "Acme"}


def writer(specification, kind="webhook", *, sources=(), changes=None):
    way = WayIn(
        ingress="in",
        kind=kind,
        partner="acme",
        specification=None if specification is None else parse_specification(specification),
        address="https://hooks.example.com/webhooks/acme",
        sources=sources,
    )
    counter = itertools.count()
    return Writer(
        way=way,
        secret=new_secret(way.specification),
        bus_arn="arn:aws:events:eu-west-1:123456789012:event-bus/media-dev",
        random=lambda: hashlib.md5(str(next(counter)).encode(), usedforsecurity=False).hexdigest(),
        changes=changes or {},
    )


def sample(name):
    return Sample(name, (SAMPLES / f"{name}.json").read_bytes())


@pytest.mark.parametrize("name", EXPECTED)
def test_each_preset_s_sample_is_another_event_each_time(name):
    preset = EXPECTED[name]["preset"]
    assert preset_of(name) == preset
    on_bus = parse_specification({"preset": preset}).verification is None
    way = writer({"preset": preset}, "custom-bus" if on_bus else "webhook", sources=["aws.any"])

    sent = [way.write(sample(name), now=NOW) for _ in range(2)]

    assert [one.refusal for one in sent] == [None, None]
    assert sent[0].arrivals[0].id != sent[1].arrivals[0].id
    assert {one.arrivals[0].type for one in sent} == {EXPECTED[name]["metadata"]["type"]}


def test_a_sample_keeps_its_subject_where_the_id_does_not_need_it():
    sent = writer({"preset": "mux"}).write(sample("mux-video.asset.ready"), now=NOW)
    before, after = json.loads(sample("mux-video.asset.ready").body), json.loads(sent.body)

    assert after["data"] == before["data"]
    assert after["id"] != before["id"]
    assert after["created_at"] != before["created_at"]


def test_a_forged_message_is_refused_by_the_verifier():
    way = writer({"preset": "mux"})
    true, forged = (
        way.write(sample("mux-video.asset.ready"), now=NOW, forged=secret) for secret in (None, "another secret")
    )
    rule = way.way.specification.verification
    assert verify(rule, true.request, [way.secret], NOW).valid is True
    assert verify(rule, forged.request, [way.secret], NOW).valid is False
    assert forged.refusal.startswith("signature-mismatch")


def test_a_change_is_made_within_the_body_that_the_specification_sees():
    changes = {place_of("data.duration"): 3}
    by_webhook = writer({"preset": "mux"}, changes=changes).write(sample("mux-video.asset.ready"), now=NOW)
    on_bus = writer(OWN, "custom-bus", sources=["acme"], changes=changes).write(
        Sample("own", b'{"id": "1", "type": "asset.ready"}'), now=NOW
    )

    assert json.loads(by_webhook.body)["data"]["duration"] == 3
    assert json.loads(on_bus.body)["detail"]["data"] == {"duration": 3}


@pytest.mark.parametrize(
    ("sources", "source", "by_queue"),
    [
        (["acme.assets"], "acme.assets", False),
        (["acme.*"], "acme.sample", False),
        (["aws.s3"], "aws.s3", True),
        (["aws.s3", "played.s3"], "played.s3", False),
    ],
)
def test_an_event_for_a_bus_has_a_source_of_the_partner_s(sources, source, by_queue):
    way = writer(OWN, "custom-bus", sources=sources)
    sent = way.write(Sample("own", b'{"id": "1", "type": "asset.ready"}'), now=NOW)

    event = json.loads(sent.body)
    assert (event["source"], event["detail-type"]) == (source, "asset.ready")
    assert way.way.by_queue is by_queue
    assert sent.refusal is None


def test_an_id_that_eventbridge_gives_is_known_when_it_has_been_given():
    way = writer({**OWN, "id": "envelope.id", "parsing": {"wrapping": "eventbridge"}}, "custom-bus", sources=["acme"])
    sent = way.write(Sample("own", b'{"type": "asset.ready"}'), now=NOW)

    assert way.as_put(sent, "given-by-eventbridge", now=NOW).arrivals[0].id == "given-by-eventbridge"


def test_a_faulty_body_goes_as_it_is_and_says_why_it_will_be_refused():
    sent = writer({"preset": "mux"}).write(Sample("broken", b'{"id": '), now=NOW)

    assert sent.body == b'{"id": '
    assert sent.refusal.startswith("json-invalid")


def test_without_freshness_the_bytes_are_the_sample_s():
    original = sample("mux-video.asset.ready")
    assert writer({"preset": "mux"}).write(original, now=NOW, fresh=False).body == original.body


def test_an_id_that_lacks_a_part_is_no_fresh_one():
    def identify(document):
        found = {one["key"]: one["value"] for one in document["field"]}
        return Identity(str(hash(found.get("jobId"))), "t", None, "2025-03-04T10:15:30Z")

    document = {"field": [{"key": "jobId", "value": "VX-20"}]}
    fresh = freshened(document, identify, now=NOW, random=lambda: uuid.uuid4().hex)
    assert fresh["field"][0]["key"] == "jobId"
    assert fresh["field"][0]["value"] != "VX-20"


def test_one_s_own_samples_come_before_those_of_the_preset(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "studio-ready.json").write_bytes(b"{}")
    (tmp_path / "samples" / "other-ready.json").write_bytes(b"{}")

    names = [one.name for one in samples("studio", "mux", tmp_path)]

    assert names[0] == "studio-ready"
    assert set(names[1:]) == {path.stem for path in SAMPLES.glob("mux-*.json")}


@pytest.mark.parametrize(
    ("path", "place"), [("data.duration", ("data", "duration")), ("data.tracks[0].type", ("data", "tracks", 0, "type"))]
)
def test_a_path_names_a_place(path, place):
    assert place_of(path) == place


@pytest.mark.parametrize("path", ["", "data.", "data[x]", "data[0", ".data"])
def test_a_path_that_names_no_place_is_refused(path):
    with pytest.raises(ValueError, match="is no path"):
        place_of(path)


def test_a_value_goes_into_no_text():
    with pytest.raises(ValueError, match=r"there is no 'b' in a\.b"):
        with_value({"a": "text"}, ("a", "b"), 1)
