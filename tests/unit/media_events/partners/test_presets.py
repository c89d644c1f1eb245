"""Every sample payload becomes the expected envelope by its preset."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from media_events.core.envelope import Event
from media_events.core.failures import PermanentDataError
from media_events.partners.normalization import normalise
from media_events.partners.presets import load_preset, preset_names
from media_events.partners.signature_verification import verify
from media_events.partners.specification import parse_specification, resolve_preset
from media_events.partners.unwrapping import unwrap_eventbridge, unwrap_sns
from tests.fakes.partners import DATA, NOW, PAYLOADS, RECEIVED, events_of, payload, preset, request

SIGNED_AT = {"X-Frameio-Request-Timestamp": "1741083330"}
UUID = "00000000-0000-4000-8000-000000000{:03d}".format
HASH = "sha256:"

# Each payload's preset, and the expected envelope. An id of null is derived (a hash); a time of null is the
# time of receipt, since the partner's event has none.
EXPECTED: dict[str, Any] = json.loads((DATA / "expected_events.json").read_text(encoding="utf-8"))
DERIVED = [name for name, expected in EXPECTED.items() if expected["metadata"]["id"] is None]

# Payloads without a preset; a user's specification reads them, below.
OWN = {
    "eventbridge_custom-partner-asset-approved",
    "eventbridge_partner-generic",
    "sqs_fifo-from-sns_fifo-lambda_event",
}


def only_event(name: str, body: bytes | None = None, **changes: Any) -> Event:
    """The one event of a payload, through its preset's ingress."""
    spec = preset(EXPECTED[name]["preset"])
    arguments: dict[str, Any] = {"headers": SIGNED_AT, **changes}
    (event,) = events_of(spec, payload(name) if body is None else body, **arguments)
    return event


def edited(name: str, **changes: Any) -> bytes:
    return json.dumps({**json.loads(payload(name)), **changes}).encode()


def test_every_payload_has_an_expectation():
    assert {path.stem for path in PAYLOADS.iterdir()} == set(EXPECTED) | OWN


@pytest.mark.parametrize("name", EXPECTED)
def test_payload_becomes_the_expected_envelope(name):
    expected = EXPECTED[name]["metadata"]

    metadata = only_event(name, partner="acme", ingress="webhook").metadata

    if name in DERIVED:
        assert metadata.id.startswith(HASH)
        assert len(metadata.id) == len(HASH) + 64
    else:
        assert metadata.id == expected["id"]
    assert (metadata.time, metadata.recordedtime) == (expected["time"] or RECEIVED, RECEIVED)
    for attribute in ("nativetype", "type", "subject", "partitionkey", "sequence", "correlationid"):
        assert getattr(metadata, attribute) == expected[attribute], attribute
    assert (metadata.partner, metadata.source, metadata.ingress) == ("acme", "partner.acme", "webhook")
    assert (metadata.stage, metadata.hops, metadata.redrive, metadata.dataref) == ("received", 0, None, None)


@pytest.mark.parametrize("name", EXPECTED)
def test_payload_survives_the_way_to_the_bus_and_back(name):
    event = only_event(name)

    assert Event.from_detail(json.loads(event.to_json())) == event


@pytest.mark.parametrize("name", EXPECTED)
def test_same_payload_an_instant_later_keeps_its_id(name):
    first, again = only_event(name, now=NOW), only_event(name, now=NOW + 2)

    assert first.metadata.id == again.metadata.id


@pytest.mark.parametrize("name", DERIVED)
def test_derived_id_tells_another_event_of_the_same_type_apart(name):
    document = json.loads(payload(name))
    changes = {
        "resource": {"id": "another"},
        "resourceId": "another",
        "video": "another",
        "jobId": "another",
        "media_id": "another",
        "asset_ids": ["another"],
        "video_id": "another",
        "videoId": "another",
        "public_id": "another",
        "event_ts": 1,
        "uid": "another",
        "VideoGuid": "another",
        "list_folder": {"accounts": ["another"]},
        "value": [{**item, "resource": "another"} for item in document.get("value", [])],
        "field": [*document.get("field", [])[1:], {"key": "jobId", "value": "another"}],
        "data": {"id": "another"},
        "detail": {**document.get("detail", {}), "object": {"key": "another", "sequencer": "00"}},
    }
    changed = {key: value for key, value in changes.items() if key in document}
    assert changed

    assert only_event(name).metadata.id != only_event(name, edited(name, **changed)).metadata.id


@pytest.mark.parametrize("name", preset_names())
def test_preset_says_where_it_is_from_and_when_it_was_last_held_to_it(name):
    found = preset(name).provenance

    assert found is not None
    assert found.pages
    assert "2026-11-01" < found.held < "2027-12-31"


@pytest.mark.parametrize("name", preset_names())
def test_preset_says_which_of_its_fields_no_page_states(name):
    assumed = preset(name).provenance.assumed
    assert assumed is not None
    for field in assumed:
        table = resolve_preset(load_preset(name), [])
        for part in field.split("."):
            assert part in table, field
            table = table[part]


def test_mux_retry_with_more_attempts_keeps_its_id():
    attempts = json.loads(payload("mux-video.asset.ready"))["attempts"]
    first = only_event("mux-video.asset.ready", edited("mux-video.asset.ready", attempts=[]))
    retry = only_event("mux-video.asset.ready", edited("mux-video.asset.ready", attempts=attempts * 3))

    assert first.metadata.id == retry.metadata.id == UUID(109)


def test_mux_stream_key_is_redacted():
    event = only_event("mux-video.live_stream.active")

    assert event.data["data"]["stream_key"] == "[redacted]"
    assert "redacted-example" not in event.to_json()


def test_two_identical_frameio_events_an_hour_apart_are_two_events():
    body = payload("frameio-v4-file.ready")
    first = only_event("frameio-v4-file.ready", body, headers={"x-frameio-request-timestamp": "1741083330"})
    later = only_event("frameio-v4-file.ready", body, headers={"x-frameio-request-timestamp": "1741086930"})

    assert first.metadata.id != later.metadata.id
    assert (first.metadata.time, later.metadata.time) == ("2025-03-04T10:15:30Z", "2025-03-04T11:15:30Z")


def test_frameio_attempts_within_one_bucket_are_one_event():
    body = payload("frameio-v4-file.ready")
    ids = {
        only_event(
            "frameio-v4-file.ready", body, headers={"x-frameio-request-timestamp": str(1741083300 + seconds)}
        ).metadata.id
        for seconds in (0, 15, 45, 105, 225, 299)
    }

    assert len(ids) == 1


def test_frameio_event_from_a_queue_takes_its_bucket_from_when_it_was_sent():
    body = payload("frameio-v4-file.ready")
    attributes = {"SentTimestamp": "1741083330442"}
    first = only_event("frameio-v4-file.ready", body, headers={}, attributes=attributes, now=NOW)
    received_again = only_event("frameio-v4-file.ready", body, headers={}, attributes=attributes, now=NOW + 3600)

    assert first.metadata.id == received_again.metadata.id


def test_iconik_auth_token_is_nowhere_in_the_event():
    event = only_event("iconik-custom_action")

    assert event.data["auth_token"] == "[redacted]"
    assert "example-not-a-real-token" not in event.to_json()


def test_iconik_share_concerns_the_asset_and_not_the_share():
    body = edited(
        "iconik-assets-formats-create",
        realm="shares",
        object_id="the-share",
        data={"object_id": "the-asset", "id": "x"},
    )

    assert only_event("iconik-assets-formats-create", body).metadata.subject == "the-asset"


def test_vidicore_pairs_become_an_object_in_any_order():
    name = "vidicore-job-stop-finished"
    fields = json.loads(payload(name))["field"]
    event, reordered = only_event(name), only_event(name, json.dumps({"field": fields[::-1]}).encode())

    assert event.data["jobId"] == "VX-20"
    assert event.data["originalFilename"] == "example.mp4"
    assert event.metadata.id == reordered.metadata.id
    assert event.data == reordered.data


@pytest.mark.parametrize(
    ("status", "neutral"), [("FINISHED", "job.completed"), ("FAILED_TOTAL", "job.failed"), ("ODD", "job.STOP.ODD")]
)
def test_vidicore_status_decides_the_type_and_an_unknown_one_stays_as_it_is(status, neutral):
    body = json.dumps(
        {
            "field": [
                {"key": "action", "value": "STOP"},
                {"key": "status", "value": status},
                {"key": "jobId", "value": "1"},
            ]
        }
    )

    assert only_event("vidicore-job-stop-finished", body.encode()).metadata.type == neutral


def test_flow_production_tracking_batch_becomes_one_event_per_delivery():
    delivery = json.loads(payload("flow_production_tracking-Shotgun_Shot_Change"))["data"]
    deliveries = [{**delivery, "event_log_entry_id": number} for number in (7, 8, 9)]
    body = json.dumps({"data": {"deliveries": deliveries}, "timestamp": "2025-03-04T10:15:09Z"}).encode()

    events = events_of(preset("flow-production-tracking"), body)

    assert [event.metadata.id for event in events] == ["7", "8", "9"]
    assert [event.metadata.subject for event in events] == ["Shot:1246"] * 3
    assert events[0].data["event_log_entry_id"] == 7
    sequences = [event.metadata.sequence for event in events]
    assert sequences == sorted(sequences)


def test_zencoder_output_is_an_event_of_its_own():
    body = json.dumps({"output": {"id": 300001, "state": "finished"}, "job": {"id": 100001, "state": "processing"}})

    metadata = only_event("zencoder-job-finished", body.encode()).metadata

    assert (metadata.id, metadata.type) == ("100001:output:300001:finished", "rendition.ready")


def test_telestream_form_and_json_mean_the_same():
    spec = preset("telestream-cloud")
    as_form = events_of(
        spec,
        b"event=video-encoded&video_id=abc",
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
    )
    as_json = events_of(
        spec, b'{"event":"video-encoded","video_id":"abc"}', headers={"content-type": "application/json"}
    )

    assert as_form == as_json


def test_standard_webhooks_id_is_the_header_and_stays_over_retries():
    metadata = only_event(
        "standard_webhooks-media.ready", headers={"Webhook-Id": "msg_1", "webhook-timestamp": "1"}
    ).metadata

    assert metadata.id == "msg_1"


def test_github_takes_listed_event_names_from_its_unsigned_header():
    body = b'{"action":"published","repository":{"full_name":"a/b"}}'
    (event,) = events_of(preset("github"), body, headers={"X-GitHub-Event": "release", "X-GitHub-Delivery": "d-1"})

    assert (event.metadata.nativetype, event.metadata.type) == ("release", "code.released")


@pytest.mark.attack("A21")
def test_a21_unsigned_headers_make_no_other_event_of_a_signed_body():
    body = b'{"action":"published","repository":{"full_name":"a/b"}}'
    sent = [("release", "d-1"), ("release", "d-2"), ("push", "d-1")]

    ids = {
        event.metadata.id
        for kind, delivery in sent
        for event in events_of(preset("github"), body, headers={"X-GitHub-Event": kind, "X-GitHub-Delivery": delivery})
    }

    assert len(ids) == 1


@pytest.mark.attack("A21")
@pytest.mark.parametrize("name", preset_names())
def test_a21_no_presets_id_is_made_of_what_the_signature_does_not_cover(name):
    found = preset(name)
    if found.verification is not None and found.verification.method == "static_token":
        return  # nothing is covered, and who has the token may write anything
    signed = found.verification.signed_headers() if found.verification is not None else frozenset()

    assert found.id.headers() <= signed


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [("0067C6", "0067C60"), ("0067C6D3", "0067C6D3A1"), ("00", "01"), ("0067C6D3A1B2C3D4E5", "0067C6D3A1B2C3D4E6")],
)
def test_s3_sequencers_sort_as_text_after_padding(shorter, longer):
    def sequence(text: str) -> str:
        detail = {"bucket": {"name": "b"}, "object": {"key": "k", "sequencer": text}}
        body = edited("aws_s3-object-created", detail=detail)
        found = only_event("aws_s3-object-created", body).metadata.sequence
        assert found is not None
        return found

    assert sequence(shorter) <= sequence(longer)
    assert len(sequence(shorter)) == len(sequence(longer))


def test_s3_change_that_is_reported_twice_is_one_event():
    again = edited("aws_s3-object-created", id="another-eventbridge-id")
    deleted = edited("aws_s3-object-created", **{"detail-type": "Object Deleted"})

    first = only_event("aws_s3-object-created").metadata.id
    assert only_event("aws_s3-object-created", again).metadata.id == first
    assert only_event("aws_s3-object-created", deleted).metadata.id != first


def test_s3_event_without_a_sequencer_keeps_the_bus_id():
    body = edited("aws_s3-object-created", detail={"bucket": {"name": "b"}, "object": {"key": "k"}})

    metadata = only_event("aws_s3-object-created", body).metadata

    assert (metadata.id, metadata.sequence) == (UUID(708), None)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("aws_")])
def test_aws_event_is_the_same_from_a_bus_and_from_a_queue(name):
    spec = preset(EXPECTED[name]["preset"])
    unwrapped = unwrap_eventbridge(json.loads(payload(name)))
    assert unwrapped is not None

    off_the_bus = events_of(spec, unwrapped.body, envelope=unwrapped.envelope)
    out_of_a_queue = events_of(spec, payload(name))

    assert off_the_bus == out_of_a_queue
    assert off_the_bus[0].data == json.loads(payload(name))["detail"]


@pytest.mark.parametrize(
    ("detail", "qualified"),
    [("Stream Start", "live.started"), ("Stream End", "live.stopped"), ("Something New", "IVS Stream State Change")],
)
def test_ivs_stream_state_decides_the_type(detail, qualified):
    event = {
        "id": "1",
        "detail-type": "IVS Stream State Change",
        "source": "aws.ivs",
        "time": "2025-03-04T10:15:30Z",
        "resources": ["arn:aws:ivs:eu-west-1:111122223333:channel/abc"],
        "detail": {"event_name": detail, "stream_id": "st-1"},
    }

    (found,) = events_of(preset("ivs"), json.dumps(event).encode())

    assert (found.metadata.type, found.metadata.partitionkey) == (qualified, "st-1")
    assert found.metadata.subject == "arn:aws:ivs:eu-west-1:111122223333:channel/abc"


# Partners that are unknown to the project: a user's specification reads them, through any ingress.

OWN_SPECIFICATION = {
    "id": "body.id",
    "type": {"first": ["body.type", 'envelope."detail-type"']},
    "time": "body.occurredAt",
    "subject": "body.assetId",
    "sequence": "body.version",
    "types": {"asset.ready": "asset.ready"},
}


@pytest.mark.parametrize(
    ("name", "entry", "identity", "kind", "sequence"),
    [
        ("eventbridge_partner-generic", "partner-bus", "evt_0001", "asset.ready", None),
        (
            "eventbridge_custom-partner-asset-approved",
            "custom-bus",
            "evt_0002",
            "asset.approved",
            "00000000000000000003",
        ),
    ],
)
def test_unknown_partner_on_a_bus_needs_only_a_specification(name, entry, identity, kind, sequence):
    unwrapped = unwrap_eventbridge(json.loads(payload(name)))
    assert unwrapped is not None

    (event,) = normalise(
        parse_specification(OWN_SPECIFICATION),
        partner="acme",
        ingress=entry,
        body=unwrapped.body,
        envelope=unwrapped.envelope,
        now=NOW,
    )

    assert (event.metadata.id, event.metadata.type, event.metadata.sequence) == (identity, kind, sequence)
    assert (event.metadata.time, event.metadata.subject) == ("2025-03-04T10:15:29Z", "house-id-0001")


def test_unknown_partner_in_a_fifo_queue_keeps_its_group_and_the_queues_sequence():
    record = json.loads(payload("sqs_fifo-from-sns_fifo-lambda_event"))["Records"][0]
    unwrapped = unwrap_sns(record["body"].encode())
    assert unwrapped is not None

    (event,) = normalise(
        parse_specification(OWN_SPECIFICATION),
        partner="acme",
        ingress="sns-fifo",
        body=unwrapped.body,
        attributes={**record["attributes"], **unwrapped.attributes},
        now=NOW,
    )

    assert (event.metadata.id, event.metadata.type) == ("evt_0003", "asset.ready")
    assert (event.metadata.partitionkey, event.metadata.sequence) == ("house-id-0001", "18873177232222703872")
    assert event.metadata.ingress == "sns-fifo"


SIGNED_BY = {
    "api-video": lambda mac, body: {"x-api-video-signature": mac(body).hex()},
    "bunny-stream": lambda mac, body: {
        "x-bunnystream-signature": mac(body).hex(),
        "x-bunnystream-signature-version": "v1",
        "x-bunnystream-signature-algorithm": "hmac-sha256",
    },
    "cloudflare-stream": lambda mac, body: {
        "webhook-signature": f"time=1741083331,sig1={mac(b'1741083331.' + body).hex()}"
    },
    "box": lambda mac, body: {
        "box-delivery-timestamp": "2025-03-04T02:15:31-08:00",
        "box-signature-primary": "isCeDp7mLR41/MjcSEFLag9bWmpJkgmN80Je4VIESdo=",
        "box-signature-secondary": base64.b64encode(mac(body + b"2025-03-04T02:15:31-08:00")).decode(),
    },
    "wistia": lambda mac, body: {"x-wistia-signature": mac(body).hex()},
    "dropbox": lambda mac, body: {"x-dropbox-signature": mac(body).hex()},
    "zoom": lambda mac, body: {
        "x-zm-request-timestamp": "1741083331",
        "x-zm-signature": f"v0={mac(b'v0:1741083331:' + body).hex()}",
    },
}


@pytest.mark.parametrize("name", SIGNED_BY)
def test_request_is_verified_as_the_vendors_page_signs_it(name):
    body = payload(next(each for each, expected in EXPECTED.items() if expected["preset"] == name))
    headers = SIGNED_BY[name](lambda content: hmac.digest(b"the secret", content, "sha256"), body)

    assert verify(preset(name).verification, request(body, headers), ["the secret"], NOW).reason == "verified"
    assert verify(preset(name).verification, request(body + b" ", headers), ["the secret"], NOW).valid is False


@pytest.mark.parametrize(
    ("name", "url", "headers"),
    [
        ("kaltura", "https://hooks.example.com/webhooks/kaltura?token={}", {"x-kaltura-signature": "d6b864"}),
        ("encoding-com", "https://hooks.example.com/webhooks/encoding?token={}", {}),
        ("google-drive", "https://hooks.example.com/webhooks/drive", {"x-goog-channel-token": "{}"}),
    ],
)
def test_request_of_a_vendor_that_signs_nothing_brings_the_token(name, url, headers):
    def sent(token):
        given = {key: value.format(token) for key, value in headers.items()}
        return request(b"", given, url=url.format(token))

    assert verify(preset(name).verification, sent("the secret"), ["the secret"], NOW).reason == "verified"
    assert verify(preset(name).verification, sent("guess"), ["the secret"], NOW).valid is False


def test_brightcove_renditions_of_two_languages_are_two_events():
    name = "brightcove-ingest-rendition-create-success"

    def id_of(**changes):
        return only_event(name, edited(name, **changes)).metadata.id

    ids = [id_of(), id_of(language="en", variant="main"), id_of(language="es", variant="main"), id_of(language="es")]
    assert len({*ids}) == len(ids)
    assert id_of(language="en", variant="main") == ids[1]


ENCODED = """<?xml version="1.0"?>
<result>
  <mediaid>1234</mediaid>
  <source>ftp://user:pass-1@example.com/in.mov</source>
  <status>{status}</status>
  <description>Download error:  The requested URL returned error: 400</description>
  <format><output>mp4</output><destination>http://KEY:pass-2@bucket.s3.amazonaws.com/a.mp4</destination><status>{status}</status></format>
  <format><output>webm</output><destination>sftp://user:pass-3@b/a.webm</destination><status>{status}</status></format>
</result>"""


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("xml", ENCODED),
        ("json", '{{"result": {{"mediaid": "1234", "status": "{status}", "format": [{{"output": "mp4"}}, {{}}]}}}}'),
    ],
)
@pytest.mark.parametrize(("status", "kind"), [("Finished", "encode.completed"), ("Error", "encode.failed")])
def test_encoding_com_result_is_an_event_whether_its_field_is_xml_or_json(field, content, status, kind):
    body = urlencode({field: content.format(status=status)}).encode()

    (event,) = events_of(preset("encoding-com"), body)

    assert (event.metadata.type, event.metadata.nativetype, event.metadata.subject) == (kind, status, "1234")
    assert (event.data["format"][0]["output"], len(event.data["format"])) == ("mp4", 2)
    assert "pass-" not in event.to_json()


def test_encoding_com_repeats_an_event_within_minutes_and_encodes_again_later():
    def id_at(seconds, **changes):
        body = urlencode({"xml": ENCODED.format(status="Finished"), **changes}).encode()
        return events_of(preset("encoding-com"), body, now=NOW + seconds)[0].metadata.id

    assert id_at(0) == id_at(60)
    assert id_at(0) != id_at(600)


@pytest.mark.parametrize("body", [b"xml=%3Cresult%3E", b"xml=%3C!DOCTYPE+r%3E%3Cresult/%3E", b"json=7", b"a=1", b""])
def test_encoding_com_form_without_a_readable_result_is_quarantined(body):
    with pytest.raises(PermanentDataError):
        events_of(preset("encoding-com"), body)


def test_two_changes_of_a_drive_a_minute_apart_are_two_events_though_they_look_alike():
    name = "onedrive_sharepoint-updated"

    assert only_event(name, now=NOW).metadata.id != only_event(name, now=NOW + 60).metadata.id
    assert "secretClientValue" not in only_event(name).to_json()


@pytest.mark.parametrize(
    ("stamp", "signature", "reason"),
    [
        ("1549533514", "dfe82de1d9083fe0b7ea68070649f9a15b8874da", "verified"),
        ("1549533514", "dfe82de1d9083fe0b7ea68070649f9a15b8874db", "signature-mismatch"),
        ("1549533515", "dfe82de1d9083fe0b7ea68070649f9a15b8874da", "signature-mismatch"),
    ],
)
def test_cloudinarys_own_signature_is_verified(stamp, signature, reason):
    headers = {"x-cld-timestamp": stamp, "x-cld-signature": signature}
    sent = request(payload("cloudinary-eager"), headers)

    assert verify(preset("cloudinary").verification, sent, ["X7qLTrsES31MzxxkxPPA-pAGGfU"], 1549533574).reason == reason


def test_cloudinary_signs_with_sha_256_where_an_account_asks_for_it():
    body = payload("cloudinary-eager")
    signature = hashlib.sha256(body + b"1741083331" + b"secret").hexdigest()
    sent = request(body, {"x-cld-timestamp": "1741083331", "x-cld-signature": signature})

    assert verify(preset("cloudinary").verification, sent, ["secret"], NOW).valid is True
