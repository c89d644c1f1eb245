"""Events of a queue: duplicates, batches, order, hostile bodies, failures of the bus."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.core.clock import CLOCK_SKEW_SECONDS
from media_events.core.configuration import ConfigurationError
from media_events.core.failures import PermanentDataError, TransientError
from media_events.ingress.idempotent_publish import TIME_TO_FINISH_SECONDS
from media_events.ingress.queue_config import parse_queue_ingress, parse_queue_partners
from tests.fakes.queue_ingress import SENT_TIME, SPECIFICATION, IngressHarness, mam_event, sqs_record, text_attributes
from tests.fakes.webhook_requests import Context

THROTTLED = TransientError("bus-ThrottlingException", "slow down")
BATCH = {"id": "body.id", "type": "body.type", "split": "body.events", "partitionkey": "body.key"}


@pytest.fixture(name="harness")
def _harness(monkeypatch):
    return IngressHarness().install(monkeypatch)


@pytest.fixture(name="harness_of")
def _harness_of(monkeypatch):
    return lambda *arguments, **changes: IngressHarness(*arguments, **changes).install(monkeypatch)


def refusing(harness, *ids, error=THROTTLED):
    """The bus refuses only the events with ``ids``."""
    harness.bus.refuse = lambda entry: error if json.loads(entry.detail)["metadata"]["id"] in ids else None


def batch(*ids, key="k"):
    return json.dumps({"events": [{"id": identity, "type": "t", "key": key} for identity in ids]})


# --- one event, once ---------------------------------------------------------------------------------------------


def test_records_event_is_published_in_the_envelope(harness):
    assert harness.take(sqs_record(mam_event())) == []

    (event,) = harness.bus.events
    metadata = event.metadata
    assert (metadata.id, metadata.source, metadata.partner, metadata.ingress) == ("e-1", "partner.mam", "mam", "sqs")
    assert (metadata.time, metadata.subject, metadata.partitionkey) == ("2026-11-23T12:00:00Z", "a-1", "a-1")
    assert event.data["type"] == "asset.ready"
    assert harness.report.fields("event accepted")[0]["event_id"] == "e-1"


def test_duplicate_is_done_and_published_once(harness):
    first = harness.take(sqs_record(mam_event(), "m-1"))
    again = harness.take(sqs_record(mam_event(attempt=2), "m-2"))

    assert (first, again) == ([], [])
    assert harness.ids == ["e-1"]
    assert harness.report.messages().count("event duplicate") == 1


def test_duplicate_in_one_batch_is_published_once(harness):
    assert harness.take(sqs_record(mam_event(), "m-1"), sqs_record(mam_event(), "m-2")) == []

    assert harness.ids == ["e-1"]


def test_copies_in_one_batch_stay_together_when_the_bus_refuses(harness):
    refusing(harness, "e-1")

    assert harness.take(sqs_record(mam_event(), "m-1"), sqs_record(mam_event(), "m-2")) == ["m-1", "m-2"]

    harness.bus.refuse = lambda _entry: None
    assert harness.take(sqs_record(mam_event(), "m-1"), sqs_record(mam_event(), "m-2")) == []
    assert harness.ids == ["e-1"]


def test_event_that_came_by_webhook_is_a_duplicate_in_the_queue(harness):
    # The idempotency key has only the source and the id, so it is the same for every ingress.
    webhook = harness.table.owned_by("the webhook's request")
    key = "11:partner.mam|3:e-1|ingress"
    webhook.acquire(key, lease_seconds=30)
    webhook.complete(key)

    assert harness.take(sqs_record(mam_event())) == []
    assert harness.ids == []


def test_same_event_at_work_elsewhere_comes_back_without_waiting_for_it(harness):
    harness.table.owned_by("another").acquire("11:partner.mam|3:e-1|ingress", lease_seconds=30)
    before = harness.clock.now

    assert harness.take(sqs_record(mam_event(), "m-1"), sqs_record(mam_event("e-2"), "m-2")) == ["m-1"]

    assert harness.clock.now == before
    assert harness.queue.visibility["handle-m-1"] == 90
    assert harness.ids == ["e-2"]


def test_dedup_window_is_the_specifications(harness_of):
    harness = harness_of(partners={"mam": {"specification": {**SPECIFICATION, "dedup": {"window_seconds": 600}}}})
    harness.take(sqs_record(mam_event()))
    harness.clock.sleep(601 + CLOCK_SKEW_SECONDS)

    harness.take(sqs_record(mam_event(), "m-2"))

    assert harness.ids == ["e-1", "e-1"]


def test_event_without_a_time_has_the_same_one_at_every_receive(harness):
    refusing(harness, "e-1")
    body = json.dumps({"id": "e-1", "type": "t"})
    harness.take(sqs_record(body))
    harness.clock.sleep(1000)
    harness.bus.refuse = lambda _entry: None

    harness.take(sqs_record(body, receive_count=2))

    assert harness.bus.events[0].metadata.time == SENT_TIME


@pytest.mark.parametrize("sent", ["", "soon", "-1", "0", "9" * 30])
def test_record_that_does_not_say_when_it_was_sent_counts_from_now(harness, sent):
    record = sqs_record(json.dumps({"id": "e-1", "type": "t"}))
    record["attributes"]["SentTimestamp"] = sent

    harness.take(record)

    assert harness.bus.events[0].metadata.time == "2026-09-21T14:13:20Z"


def test_large_event_is_checked_in(harness_of):
    harness = harness_of(max_entry_bytes=2_000)

    harness.take(sqs_record(mam_event(notes="x" * 5_000)))

    (event,) = harness.bus.events
    assert event.metadata.dataref in harness.bodies.kept
    assert "notes" not in event.data


def test_credentials_never_reach_the_bus_or_the_log(harness_of):
    harness = harness_of(partners={"mam": {"specification": {**SPECIFICATION, "redact": ["body.**.auth_token"]}}})

    harness.take(sqs_record(mam_event(context={"auth_token": "live-token"})))

    assert harness.bus.events[0].data["context"]["auth_token"] == "[redacted]"
    assert "live-token" not in harness.report.text() + harness.bus.entries[0].detail


# --- what a specification sees -----------------------------------------------------------------------------------


def test_message_attributes_are_headers_and_attributes(harness_of):
    harness = harness_of(
        partners={
            "mam": {
                "specification": {"id": {"header": "X-Request-Id"}, "type": 'attributes."X-Event"', "subject": "body.a"}
            }
        }
    )
    record = sqs_record("{}", attributes=text_attributes({"X-Request-Id": "r-1", "X-Event": "clip.ready"}))

    harness.take(record)

    assert [(e.metadata.id, e.metadata.type) for e in harness.bus.events] == [("r-1", "clip.ready")]


def test_deduplication_id_can_be_the_events_id(harness_of):
    harness = harness_of(
        partners={"mam": {"specification": {"id": "attributes.MessageDeduplicationId", "type": "body.type"}}}
    )

    harness.take(sqs_record(mam_event(), "m-1", group_id="g"))

    assert harness.ids == ["m-1"]


@pytest.mark.parametrize(
    "name", ["SentTimestamp", "SequenceNumber", "MessageGroupId", "ApproximateReceiveCount", "SenderId"]
)
def test_senders_attribute_can_not_pose_as_the_queues(harness_of, name):
    harness = harness_of(
        partners={"mam": {"specification": {"id": "body.id", "type": {"first": [f"attributes.{name}", "body.type"]}}}}
    )
    record = sqs_record(mam_event(), attributes=text_attributes({name: "forged"}))

    harness.take(record)

    assert harness.bus.events[0].metadata.type != "forged"
    assert harness.bus.events[0].metadata.partitionkey != "forged"


def test_specification_does_not_see_attributes_that_differ_between_receives(harness_of):
    harness = harness_of(
        partners={"mam": {"specification": {"id": {"hash": ["body.id", "attributes"]}, "type": "body.type"}}}
    )

    harness.take(sqs_record(mam_event(), receive_count=1))
    harness.take(sqs_record(mam_event(), receive_count=2))

    assert len(harness.ids) == 1


def test_tenant_of_a_fair_queue_is_no_ordering_key(harness):
    harness.take(sqs_record(mam_event(), group_id="tenant-1", fifo=False))

    metadata = harness.bus.events[0].metadata
    assert (metadata.partitionkey, metadata.sequence) == ("a-1", None)


def test_signature_is_not_verified_if_iam_decides_who_may_send(harness_of):
    harness = harness_of(partners={"mux": {"specification": {"preset": "mux"}}})
    body = json.dumps({"type": "video.asset.ready", "id": "evt-1", "object": {"id": "asset-1"}, "data": {}})

    assert harness.take(sqs_record(body)) == []
    assert harness.ids == ["evt-1"]


# --- the bus refuses ---------------------------------------------------------------------------------------------


def test_refused_entry_fails_its_own_record_alone(harness):
    refusing(harness, "e-2")
    records = [sqs_record(mam_event(f"e-{n}"), f"m-{n}") for n in range(1, 5)]

    assert harness.take(*records) == ["m-2"]

    assert harness.ids == ["e-1", "e-3", "e-4"]
    assert not harness.queue.dead


def test_batch_of_records_is_put_in_one_call(harness):
    harness.take(*(sqs_record(mam_event(f"e-{n}"), f"m-{n}") for n in range(8)))

    assert [len(call) for call in harness.bus.calls] == [8]


def test_refused_record_is_free_for_its_next_receive(harness):
    harness.bus.failing = TransientError("bus-unreachable", "no answer")
    assert harness.take(sqs_record(mam_event())) == ["m-1"]
    harness.bus.failing = None

    assert harness.take(sqs_record(mam_event(), receive_count=2)) == []
    assert harness.ids == ["e-1"]


def test_event_that_the_bus_never_takes_is_dead_lettered_at_once(harness):
    refusing(harness, "e-1", error=PermanentDataError("bus-MalformedDetail", "no"))

    assert harness.take(sqs_record(mam_event())) == []
    assert [dead.failure.code for dead in harness.queue.dead] == ["bus-MalformedDetail"]


def test_idempotency_store_that_fails_lets_nothing_through(harness):
    harness.table.failing["begin"] = TransientError("aws-unavailable", "no")

    assert harness.take(sqs_record(mam_event())) == ["m-1"]
    assert harness.ids == []


def test_idempotency_store_that_fails_after_the_bus_does_not_repeat_the_event(harness):
    harness.table.failing["complete"] = TransientError("aws-unavailable", "no")

    assert harness.take(sqs_record(mam_event())) == []
    assert harness.ids == ["e-1"]


def test_batch_out_of_time_comes_back_at_once_and_untouched(harness):
    context = Context(milliseconds=int(TIME_TO_FINISH_SECONDS * 1000) - 1)

    assert harness.take(sqs_record(mam_event()), context=context) == ["m-1"]

    assert harness.ids == []
    assert harness.queue.visibility == {"handle-m-1": 0}


# --- one record, many events -------------------------------------------------------------------------------------


def test_record_whose_events_are_partly_refused_comes_back_and_repeats_none(harness_of):
    harness = harness_of(partners={"mam": {"specification": BATCH}})
    refusing(harness, "b")
    assert harness.take(sqs_record(batch("a", "b", "c"))) == ["m-1"]
    harness.bus.refuse = lambda _entry: None

    assert harness.take(sqs_record(batch("a", "b", "c"), receive_count=2)) == []

    assert harness.ids == ["a", "c", "b"]


def test_transient_error_of_one_event_is_retried_before_a_permanent_one_dead_letters_the_record(harness_of):
    harness = harness_of(partners={"mam": {"specification": BATCH}})
    errors = {"a": PermanentDataError("bus-MalformedDetail", "no"), "b": THROTTLED}
    harness.bus.refuse = lambda entry: errors.get(json.loads(entry.detail)["metadata"]["id"])

    assert harness.take(sqs_record(batch("a", "b"))) == ["m-1"]
    assert not harness.queue.dead
    del errors["b"]
    assert harness.take(sqs_record(batch("a", "b"), receive_count=2)) == []

    assert harness.ids == ["b"]
    assert harness.queue.dead[0].failure.code == "bus-MalformedDetail"


def test_empty_batch_is_done(harness_of):
    harness = harness_of(partners={"mam": {"specification": BATCH}})

    assert harness.take(sqs_record('{"events": []}'), sqs_record('{"events": []}', "m-2", group_id="g")) == []
    assert harness.bus.calls == []


def test_events_of_a_fifo_record_keep_their_order_and_none_overtakes_a_refused_one(harness_of):
    harness = harness_of(partners={"mam": {"specification": BATCH}})
    refusing(harness, "b")

    assert harness.take(sqs_record(batch("a", "b", "c"), group_id="g")) == ["m-1"]
    assert harness.ids == ["a"]
    harness.bus.refuse = lambda _entry: None
    assert harness.take(sqs_record(batch("a", "b", "c"), group_id="g", receive_count=2)) == []

    assert harness.ids == ["a", "b", "c"]
    sequences = [event.metadata.sequence for event in harness.bus.events]
    assert sequences == sorted(sequences)


# --- order -------------------------------------------------------------------------------------------------------


class FifoModel:
    """A FIFO queue: batches in order, a group locked while one of its messages is invisible."""

    def __init__(self, harness, records):
        self.harness = harness
        self.waiting = list(records)
        self.received = dict.fromkeys((r["messageId"] for r in records), 0)
        self.invisible_until = {}

    def drain(self, size=10, patience=50):
        for _ in range(patience):
            if not self.waiting:
                return
            self.poll(size)
            self.harness.clock.sleep(1)
        raise AssertionError(f"{len(self.waiting)} records are still waiting")

    def poll(self, size):
        now = self.harness.clock.now
        locked = {self.group(r) for r in self.waiting if self.invisible_until.get(r["messageId"], 0) > now}
        batch_of_records = [r for r in self.waiting if self.group(r) not in locked][:size]
        if not batch_of_records:
            return
        for record in batch_of_records:
            self.received[record["messageId"]] += 1
            record["attributes"]["ApproximateReceiveCount"] = str(self.received[record["messageId"]])
        failed = set(self.harness.take(*batch_of_records))
        done = {r["messageId"] for r in batch_of_records} - failed
        self.waiting = [r for r in self.waiting if r["messageId"] not in done]
        for identifier in failed:
            self.invisible_until[identifier] = now + self.harness.queue.visibility[f"handle-{identifier}"]

    @staticmethod
    def group(record):
        return record["attributes"]["MessageGroupId"]


def interleaved(**bodies):
    """20 records over 5 groups, one of each group in turn; ``bodies`` replaces some."""
    return [
        sqs_record(bodies.get(f"e{n}", mam_event(f"e{n}", asset=f"g{n % 5}")), f"m{n}", group_id=f"g{n % 5}")
        for n in range(20)
    ]


def by_group(harness):
    groups = {}
    for event in harness.bus.events:
        groups.setdefault(event.metadata.partitionkey, []).append(event.metadata.id)
    return groups


IN_ORDER = {f"g{group}": [f"e{n}" for n in range(20) if n % 5 == group] for group in range(5)}


@pytest.mark.parametrize("size", [1, 3, 10, 20])
def test_groups_keep_their_order_while_one_in_the_middle_fails(harness, size):
    refusals = {"e7": 5}

    def refuse(entry):
        identity = json.loads(entry.detail)["metadata"]["id"]
        refusals[identity] = refusals.get(identity, 0) - 1
        return THROTTLED if refusals[identity] >= 0 else None

    harness.bus.refuse = refuse
    queue = FifoModel(harness, interleaved())

    queue.drain(size)

    assert by_group(harness) == IN_ORDER
    assert not harness.queue.dead
    others = [r for r in interleaved() if FifoModel.group(r) != "g2"]
    assert {queue.received[r["messageId"]] for r in others} == {1}


def test_groups_do_not_wait_for_the_one_that_fails(harness):
    refusing(harness, "e7")

    stayed = harness.take(*interleaved())

    assert stayed == ["m7", "m12", "m17"]
    assert by_group(harness) == {**IN_ORDER, "g2": ["e2"]}


def test_group_goes_on_once_its_unusable_record_is_in_the_dead_letter_queue(harness):
    assert harness.take(*interleaved(e7="{not json")) == []

    assert by_group(harness) == {**IN_ORDER, "g2": ["e2", "e12", "e17"]}
    assert [(dead.body, dead.group_id) for dead in harness.queue.dead] == [("{not json", "g2")]


# --- hostile bodies ----------------------------------------------------------------------------------------------

HOSTILE = {
    "": "body-empty",
    "{": "json-invalid",
    "null": "body-not-object",
    "[]": "body-not-object",
    '"text"': "body-not-object",
    "{}": "id-missing",
    '{"id": "e", "id": "f", "type": "t"}': "json-duplicate-key",
    '{"id": {"$ne": 1}, "type": "t"}': "id-invalid",
    '{"id": "e", "type": ["t"]}': "type-invalid",
    '{"id": "e", "type": "t", "x": NaN}': "json-not-a-number",
    '{"id": "\\ud800", "type": "t"}': "text-lone-surrogate",
    '{"id": "e\\u0000", "type": "t"}': "text-nul",
    "[" * 100_000: "json-too-deep",
    "\ufeff{}": "body-bom",
    "\ud800": "body-not-utf8",
}


@pytest.mark.parametrize(("body", "code"), HOSTILE.items(), ids=HOSTILE.values())
def test_unusable_body_goes_to_review_with_its_reason_and_blocks_no_other(harness, body, code):
    assert harness.take(sqs_record(body, "bad"), sqs_record(mam_event(), "good")) == []

    assert [(dead.body, dead.failure.code) for dead in harness.queue.dead] == [(body, code)]
    assert harness.queue.dead[0].failure.failure_class == "permanent-data"
    assert harness.ids == ["e-1"]


def test_bad_event_of_a_batch_goes_to_review_and_the_others_are_published(harness_of):
    harness = harness_of(partners={"mam": {"specification": {**BATCH, "time": "body.at"}}})
    events = json.loads(batch("e-1", "e-2", "e-3"))
    del events["events"][1]["type"]

    assert harness.take(sqs_record(json.dumps(events))) == []

    assert harness.ids == ["e-1", "e-3"]
    assert [dead.failure.code for dead in harness.queue.dead] == ["type-missing"]
    assert harness.report.fields("fields fell back")[0]["fields"] == {"time": 2}


def test_later_events_wait_behind_a_bad_one_of_their_message_group(harness_of):
    harness = harness_of(partners={"mam": {"specification": BATCH}})
    events = json.loads(batch("e-1", "e-2", "e-3"))
    del events["events"][1]["type"]
    record = sqs_record(json.dumps(events), group_id="g")

    harness.take(record)

    assert harness.ids == ["e-1"]


def test_redacted_headers_are_in_no_dead_letter(harness_of):
    specification = {**SPECIFICATION, "redact": ["headers.x-token"]}
    harness = harness_of(partners={"mam": {"specification": specification}})

    harness.take(sqs_record("{", attributes=text_attributes({"X-Token": "live", "kept": "k"})))

    (dead,) = harness.queue.dead
    assert "live" not in json.dumps(dead.attributes)
    assert "kept" in json.dumps(dead.attributes)


def test_control_attributes_in_a_partners_body_are_only_data(harness):
    forged = {"metadata": {"hops": 0, "dataref": "s3://elsewhere/x", "redrive": {"route": "route/cms", "count": 1}}}

    harness.take(sqs_record(mam_event(**forged, partner="another", source="partner.another")))

    metadata = harness.bus.events[0].metadata
    assert (metadata.partner, metadata.source, metadata.dataref, metadata.redrive) == ("mam", "partner.mam", None, None)


@given(
    body=st.text() | st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists).map(json.dumps),
    attributes=st.dictionaries(
        st.sampled_from(["origin", "redrivecount", "failure", "x"]), st.fixed_dictionaries({"stringValue": st.text()})
    ),
)
def test_fuzz_no_record_raises_or_blocks_the_queue(body, attributes):
    harness = IngressHarness()
    record = sqs_record(body, attributes=attributes)
    with pytest.MonkeyPatch.context() as patch:
        harness.install(patch)

        assert harness.take(record) == []

    assert len(harness.bus.entries) + len(harness.queue.dead) == 1


# --- configuration -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "partners: must be an object"),
        ({}, "at least one partner"),
        ({"a": {"specification": SPECIFICATION}, "b": {"specification": SPECIFICATION}}, "name one"),
        ({"Bad Name": {"specification": SPECIFICATION}}, "partner's name"),
        ({"a": 7}, "partners.a: must be an object"),
        ({"a": {}}, "partners.a.specification: must be an object"),
        ({"a": {"specification": {"preset": "mox"}}}, "partners.a.specification.preset"),
        ({"a": {"specification": {"id": "body.id"}}}, "partners.a.specification.type"),
        ({"a": {"specification": SPECIFICATION, "sources": ["aws.s3"]}}, "sources: is for buses"),
        ({"a": {"specification": SPECIFICATION, "secret_arns": []}}, "secret_arns: is unknown"),
    ],
)
def test_unusable_configuration_names_every_mistake(document, problem):
    with pytest.raises(ConfigurationError, match=problem):
        parse_queue_partners(document, "sqs")


def test_unknown_ingress_is_refused_with_the_known_ones():
    with pytest.raises(ConfigurationError, match="sqs, sns-fifo, partner-bus, custom-bus"):
        parse_queue_ingress("webhook")


def test_reason_of_an_unusable_configuration_reaches_the_dead_letter_queue(harness, monkeypatch):
    def unusable():
        raise ConfigurationError(["partners.mam.specification.id: is missing"])

    monkeypatch.setattr("media_events.handlers.queue_ingress.receiver", unusable)

    assert harness.take(sqs_record(mam_event())) == []

    (dead,) = harness.queue.dead
    assert (dead.failure.failure_class, dead.failure.code) == ("permanent-config", "configuration-unusable")
    assert "specification.id" in dead.failure.message
    assert dead.body == mam_event()
    assert json.loads(dead.attributes["origin"]["stringValue"])["unread"] is True


def test_configuration_that_can_not_be_read_now_is_read_later(harness, monkeypatch):
    def unreadable():
        raise TransientError("aws-unavailable", "no answer")

    monkeypatch.setattr("media_events.handlers.queue_ingress.receiver", unreadable)

    assert harness.take(sqs_record(mam_event())) == ["m-1"]
    assert not harness.queue.dead
