"""What a specification did not find in a message is noted, and never costs the event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from media_events.partners.normalization import PartialBatchError
from media_events.partners.notes import Notes, report_notes
from media_events.partners.specification import parse_specification
from tests.fakes.hop import FakeReport
from tests.fakes.partners import RECEIVED, as_bytes, events_of

BASE = {"id": "body.id", "type": "body.type"}
GOOD = {"id": "e1", "type": "asset.ready"}


def spec(**fields: Any):
    return parse_specification({**BASE, **fields})


def noted(specification, body: Any, *, thorough: bool = True, **changes: Any):
    notes = Notes(thorough=thorough)
    events = events_of(specification, as_bytes(body), notes=notes, **changes)
    return events, {(note.field, note.text) for note in notes.notes}, notes


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("soon", "can't be read"),
        ("2025-03-04T10:15:09", "has no offset"),
        (None, "selects nothing"),
        ([], "can't be read"),
    ],
)
def test_time_that_fell_back_says_why(value, reason):
    (event,), _, notes = noted(spec(time="body.at"), {**GOOD, "at": value}, thorough=False)

    assert event.metadata.time == RECEIVED
    (note,) = notes.notes
    assert (note.field, note.fell_back, reason in note.text) == ("time", True, True)


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"subject": "body.aset.id"}, "subject", "body.aset.id selects nothing"),
        ({"correlationid": {"header": "x-job"}}, "correlationid", "the header x-job is missing"),
        ({"partitionkey": {"concat": ["body.id", "body.region"]}}, "partitionkey", "body.region selects nothing"),
        ({"causationid": {"first": ["body.a", "body.b"]}}, "causationid", "no alternative has a value"),
        ({"id": {"hash": ["body.id", "body.stauts"]}}, "id", "body.stauts selects nothing"),
        ({"type": {"path": "body.type", "qualifier": "body.state"}}, "type.qualifier", "body.state selects nothing"),
        ({"types": {"Asset.Ready": "asset.ready"}}, "types", "has no row 'asset.ready'; the type is another's"),
        ({"type": {"path": "body.type", "table": {"3": "x"}}}, "type.table", "has no entry 'asset.ready'"),
    ],
)
def test_expression_row_and_entry_that_found_nothing_are_noted(fields, field, text):
    _, found, _ = noted(spec(**fields), GOOD)

    assert any(name == field and text in sentence for name, sentence in found), found


def test_expression_that_does_not_fit_the_message_is_noted_with_the_reason():
    _, found, _ = noted(spec(subject="join('/', body.type)"), GOOD)

    ((field, text),) = found
    assert field == "subject"
    assert "join('/', body.type) does not fit: In function join()" in text


def test_rows_and_paths_that_a_message_needed_are_known():
    found = spec(types={"asset.ready": "a.b", "other": "c.d"}, redact=["body.secret", "body.key"])
    _, _, notes = noted(found, {**GOOD, "secret": None})

    assert notes.used >= {("types", "asset.ready"), ("redact", "body.secret")}
    assert not notes.used & {("types", "other"), ("redact", "body.key")}


def test_nothing_is_noted_of_a_message_that_has_everything():
    found = spec(time="body.at", subject="body.id", types={"asset.ready": "asset.ready"})

    assert noted(found, {**GOOD, "at": 1741083309})[1] == set()


def test_batch_has_one_line_and_a_count_by_field():
    found = spec(split="body.events", time="body.at", subject="body.s")
    body = {"events": [{**GOOD, "id": n, "at": "soon", "s": "a\nb" if n else "a"} for n in range(3)]}
    _, _, notes = noted(found, body, thorough=False)
    report = FakeReport()

    report_notes(notes, report, hop="ingress/webhook", partner="acme")

    assert report.fields("fields fell back") == [
        {"hop": "ingress/webhook", "partner": "acme", "fields": {"time": 3, "subject": 2}}
    ]
    assert report.counts == {
        ("FieldsFellBack", (("field", "time"), ("partner", "acme"))): 3,
        ("FieldsFellBack", (("field", "subject"), ("partner", "acme"))): 2,
    }


# Batches.


def batch(specification, items: list[Any], **changes: Any) -> PartialBatchError:
    with pytest.raises(PartialBatchError) as caught:
        events_of(specification, json.dumps({"events": items}).encode(), **changes)
    return caught.value


def ids(events) -> list[str]:
    return [event.metadata.id for event in events]


def test_bad_event_of_a_batch_names_itself_and_withholds_only_itself():
    error = batch(spec(split="body.events"), [GOOD, {"id": "e2"}, {**GOOD, "id": "e3"}, 7])

    assert (error.code, error.withheld, ids(error.events)) == ("type-missing", (1, 3), ["e1", "e3"])
    assert error.message.startswith("event 1 of 4 (from 0), and 1 more are withheld: the message has no type")


def test_later_events_of_the_same_key_do_not_overtake_a_bad_one_where_the_partner_counts():
    found = spec(split="body.events", subject="body.s", sequence="body.n")
    items = [{**GOOD, "id": str(n), "s": "ab"[n % 2], "n": n} for n in range(6)]
    items[2] = {"id": "2", "s": "a", "n": 2}

    error = batch(found, items)

    assert (error.withheld, ids(error.events)) == ((2, 4), ["0", "1", "3", "5"])
    del items[2]["s"]
    assert batch(found, items).withheld == (2, 3, 4, 5)


def test_later_events_of_a_message_group_do_not_overtake_a_bad_one():
    queue = {"MessageGroupId": "g", "SequenceNumber": "5"}
    error = batch(spec(split="body.events"), [GOOD, {}, {**GOOD, "id": "e3"}], attributes=queue)

    assert (error.withheld, ids(error.events)) == ((1, 2), ["e1"])


def test_withheld_events_alone_can_be_taken_later():
    found = spec(split="body.events")
    body = as_bytes({"events": [GOOD, {**GOOD, "id": "e2"}, {**GOOD, "id": "e3"}]})

    assert ids(events_of(found, body, only=[1])) == ["e2"]
