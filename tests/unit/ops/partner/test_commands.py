"""`media-events partner`: the contract that partner authors work with."""

from __future__ import annotations

import base64
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from media_events.partners.presets import preset_names
from media_events.partners.specification import parse_specification
from media_events_kit.ops.cli import run
from tests.fakes.partners import PAYLOADS, hex_hmac, vectors
from tests.unit.media_events.partners.test_public_keys import RSA, rsa_jwk

VECTORS = {vector["name"]: vector for vector in vectors()}
SIGNED = {
    "type": "video.asset.ready",
    "id": "evt_1",
    "created_at": "2025-03-04T10:15:09Z",
    "data": {"id": "asset-1", "passthrough": "house-1"},
}
OWN = """\
title: Acme
verification:
  method: hmac
  signature_header: x-acme-signature
  content: "{body}"
id: body.id
type: body.kind
types: {done: asset.ready}
subject: body.asset
"""


@pytest.fixture
def command(capsys):
    """Run the command; the result has its exit status, its output and its errors."""

    def call(*arguments: str) -> SimpleNamespace:
        status = run(["partner", *arguments])
        captured = capsys.readouterr()
        return SimpleNamespace(status=status, out=captured.out, err=captured.err)

    return call


@pytest.fixture
def check(command, tmp_path):
    """Run `check` on a body; the result has the parsed output as ``found``."""

    def call(spec: str, body: bytes, *arguments: str) -> SimpleNamespace:
        file = tmp_path / "body"
        file.write_bytes(body)
        done = command("check", spec, "--body", str(file), *arguments)
        done.found = json.loads(done.out) if done.out else None
        return done

    return call


def mux_headers(body: bytes, secret: str = "s3cret", now: int = 1741083310) -> list[str]:
    return ["--header", f"Mux-Signature: t={now},v1={hex_hmac(secret, f'{now}.'.encode() + body)}"]


BODY = json.dumps(SIGNED).encode()
ACCEPT = [*mux_headers(BODY), "--secret", "s3cret", "--now", "1741083310"]


# check


def test_check_prints_verification_and_the_events_as_they_go_on_the_bus(check):
    done = check("mux", BODY, *ACCEPT)

    assert done.status == 0
    assert done.found["verification"] == {"valid": True, "reason": "verified"}
    (event,) = done.found["events"]
    assert (event["source"], event["detail-type"]) == ("partner.mux", "asset.ready")
    assert event["detail"]["metadata"]["id"] == "evt_1"
    assert event["detail"]["metadata"]["recordedtime"] == "2025-03-04T10:15:10Z"
    assert event["detail"]["data"] == SIGNED


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([*mux_headers(BODY), "--secret", "wrong", "--now", "1741083310"], "signature-mismatch"),
        ([*mux_headers(BODY), "--secret", "s3cret", "--now", "1741083611"], "timestamp-too-old"),
        ([*mux_headers(BODY), "--secret", "s3cret", "--now", "1741083009"], "timestamp-in-future"),
        ([*mux_headers(BODY), "--secret", "s3cret"], "timestamp-too-old"),
        ([*mux_headers(BODY), "--now", "1741083310"], "secret-unusable"),
        ([*mux_headers(BODY), "--secret", "", "--now", "1741083310"], "secret-unusable"),
        ([*mux_headers(BODY), *mux_headers(BODY), "--secret", "s3cret", "--now", "1741083310"], "header-duplicate"),
        (["--secret", "s3cret"], "signature-missing"),
    ],
)
def test_check_refuses_with_a_reason_and_no_events(check, arguments, reason):
    done = check("mux", BODY, *arguments)

    assert done.status == 1
    assert (done.found["verification"], done.found["events"]) == ({"valid": False, "reason": reason}, [])
    status = {"header-duplicate": 400, "secret-unusable": 503}.get(reason, 401)
    assert done.found["response"]["status"] == status


def test_check_accepts_the_previous_secret(check):
    assert check("mux", BODY, *ACCEPT, "--secret", "newer").status == 0
    assert check("mux", BODY, "--secret", "newer", *ACCEPT).status == 0


@pytest.mark.parametrize("name", [name for name in VECTORS if name in ("mux", "slack", "github", "standard-webhooks")])
def test_check_verifies_published_vectors_byte_for_byte(check, name):
    vector = VECTORS[name]
    headers = [part for key, value in vector["headers"].items() for part in ("--header", f"{key}: {value}")]
    arguments = [*headers, "--secret", vector["secret"], "--now", str(vector["now"])]

    assert check(name, vector["body"].encode(), *arguments).found["verification"]["valid"] is True
    assert check(name, vector["body"].encode() + b"\n", *arguments).found["verification"]["valid"] is False


def test_check_reports_why_an_authentic_message_is_no_event(check):
    body = b'{"test":"body"}'
    done = check("mux", body, *mux_headers(body), "--secret", "s3cret", "--now", "1741083310")

    assert done.status == 1
    assert done.found["verification"]["valid"] is True
    assert (done.found["events"], done.found["error"]["code"]) == ([], "id-missing")


def test_check_unwraps_an_eventbridge_event(check):
    done = check("mediaconvert", (PAYLOADS / "aws_mediaconvert-job-complete.json").read_bytes())

    metadata = done.found["events"][0]["detail"]["metadata"]
    assert done.status == 0
    assert done.found["verification"] == {"valid": None, "reason": "not-a-webhook"}
    assert (metadata["ingress"], metadata["type"]) == ("custom-bus", "encode.completed")


@pytest.mark.parametrize("ingress", ["sqs", "sns-fifo", "partner-bus", "custom-bus"])
def test_check_verifies_nothing_at_another_ingress_than_a_webhook(check, ingress):
    event = {"source": "com.mux", "detail-type": "video", "id": "x", "detail": SIGNED}
    done = check("mux", json.dumps(event).encode() if "bus" in ingress else BODY, "--ingress", ingress)

    assert done.status == 0
    assert done.found["verification"]["valid"] is None
    assert done.found["events"][0]["detail"]["metadata"]["ingress"] == ingress


def test_check_unwraps_an_sns_notification(check):
    record = json.loads((PAYLOADS / "sqs_fifo-from-sns_fifo-lambda_event.json").read_bytes())["Records"][0]
    done = check(
        "standard-webhooks",
        record["body"].encode(),
        "--ingress",
        "sns-fifo",
        "--attribute",
        "MessageGroupId=house-id-0001",
        "--attribute",
        "SequenceNumber=7",
    )

    metadata = done.found["events"][0]["detail"]["metadata"]
    assert (metadata["id"], metadata["partitionkey"]) == ("evt_0003", "house-id-0001")
    assert metadata["sequence"] == "00000000000000000007"


def test_check_answers_a_handshake(check):
    body = b'{"type":"url_verification","challenge":"abc"}'
    headers = ["--header", "x-slack-request-timestamp: 1741083310"]
    headers += ["--header", f"x-slack-signature: v0={hex_hmac('s', b'v0:1741083310:' + body)}"]

    done = check("slack", body, *headers, "--secret", "s", "--now", "1741083310")

    assert done.status == 0
    assert done.found["events"] == []
    assert (done.found["handshake"], done.found["response"]["body"]) == (True, "abc")


def test_check_refuses_a_wrong_content_type(check):
    done = check("mux", BODY, *ACCEPT, "--header", "Content-Type: text/xml")

    assert done.status == 1
    assert done.found["error"]["code"] == "content-type-unsupported"
    assert check("mux", BODY, *ACCEPT, "--header", "Content-Type: Application/JSON; charset=utf-8").status == 0


def test_check_prints_the_answer_that_the_deployed_function_gives(check):
    done = check("mux", BODY, *ACCEPT)

    assert done.found["response"] == {
        "status": 202,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": '{"id":"evt_1","status":"accepted"}',
    }


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        (["--method", "put"], "method-not-allowed", 405),
        (["--method", "GET"], "method-not-allowed", 405),
        (["--header", "Content-Encoding: gzip"], "content-encoding-unsupported", 415),
        (["--header", "Content-Type:"], "content-type-unsupported", 415),
    ],
)
def test_check_refuses_what_the_deployed_function_refuses(check, arguments, code, status):
    done = check("mux", BODY, *ACCEPT, *arguments)

    assert done.status == 1
    assert (done.found["error"]["code"], done.found["response"]["status"]) == (code, status)


def test_check_refuses_a_body_above_the_deployed_limit(check):
    body = json.dumps({**SIGNED, "note": "n" * 6_300_000}).encode()
    done = check("mux", body, *mux_headers(body), "--secret", "s3cret", "--now", "1741083310")

    assert (done.status, done.found["response"]["status"]) == (1, 413)
    assert done.found["error"]["code"] == "body-too-large"


def test_check_keeps_a_large_body_apart_as_the_deployed_function_does(check):
    body = json.dumps({**SIGNED, "note": "n" * 300_000}).encode()
    done = check("mux", body, *mux_headers(body), "--secret", "s3cret", "--now", "1741083310")

    assert done.status == 0
    assert done.found["events"][0]["detail"]["metadata"]["dataref"].startswith("s3://")


def test_check_answers_with_the_status_that_the_specification_asks_for(check, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN + "answers: {unprocessable: 422, unauthenticated: 403}\n")
    body = b'{"kind": "done"}'
    signed = ["--header", f"X-Acme-Signature: {hex_hmac('k', body)}"]

    assert check(str(file), body, *signed, "--secret", "k").found["response"]["status"] == 422
    assert check(str(file), body, *signed, "--secret", "wrong").found["response"]["status"] == 403


def test_check_needs_the_whole_event_of_a_bus(check):
    done = check("mediaconvert", b'{"jobId": "j"}', "--ingress", "custom-bus")

    assert (done.status, done.found["error"]["code"]) == (1, "not-an-event")
    assert "whole EventBridge event" in done.err


MISTAKEN = """\
id: body.event_id
type: {path: body.kind, table: {"7": delivered}}
types: {Delivery.Finished: asset.ready}
time: body.hapened
subject: body.delivery.aset
redact: [body.delivery.upload_tokn, body.secret]
"""


def test_check_notes_every_silent_mistake_and_strict_makes_them_failures(check, tmp_path):
    file = tmp_path / "acme.yaml"
    file.write_text(MISTAKEN)
    body = b'{"event_id": 1, "kind": "delivery.finished", "secret": "s", "delivery": {"upload_token": "t"}}'

    done = check(str(file), body)

    notes = {(note["field"], note["note"]) for note in done.found["notes"]}
    assert notes == {
        ("time", "selects nothing; the time of receipt takes its place"),
        ("subject", "body.delivery.aset selects nothing"),
        ("types", "has no row 'delivery.finished'; the type stays as it is"),
        ("types", "matched nothing here: Delivery.Finished"),
        ("type.table", "has no entry 'delivery.finished', which stays as it is"),
        ("type.table", "matched nothing here: 7"),
        ("redact", "matched nothing here: body.delivery.upload_tokn"),
    }
    assert done.status == 0
    assert check(str(file), body, "--strict").status == 1


def test_check_of_several_bodies_asks_for_every_row_once(command, tmp_path):
    specification = tmp_path / "acme.yaml"
    specification.write_text("id: body.id\ntype: body.kind\ntypes: {a: asset.ready, b: asset.failed, c: asset.gone}\n")
    files = [tmp_path / name for name in "ab"]
    for file in files:
        file.write_text(json.dumps({"id": 1, "kind": file.name}))
    arguments = [part for file in files for part in ("--body", str(file))]

    found = json.loads(command("check", str(specification), *arguments).out)

    assert [message["events"][0]["detail-type"] for message in found["messages"]] == ["asset.ready", "asset.failed"]
    assert found["notes"] == [{"field": "types", "note": "matched nothing here: c"}]
    specification.write_text(specification.read_text().replace(", c: asset.gone", ""))
    assert command("check", str(specification), *arguments, "--strict").status == 0


def test_check_notes_the_content_type_that_it_assumed(check):
    done = check("mux", BODY, *ACCEPT)

    assert {"field": "content-type", "note": "was not given; application/json was sent"} in done.found["notes"]
    named = check("mux", BODY, *ACCEPT, "--header", "content-type: application/json", "--strict")
    assert (named.status, named.found["notes"]) == (0, [])


def test_check_reads_a_token_from_the_url(check):
    body = (PAYLOADS / "brightcove-cms-video-change.json").read_bytes()

    done = check("brightcove-cms", body, "--secret", "s3cret", "--url", "https://h.example/webhooks/b?token=s3cret")
    assert (done.status, done.found["events"][0]["source"]) == (0, "partner.brightcove-cms")
    assert check("brightcove-cms", body, "--secret", "s3cret").found["verification"]["reason"] == "token-missing"


def test_check_warns_where_a_specification_accepts_anybody(check, tmp_path):
    file = tmp_path / "open.yaml"
    file.write_text("id: body.id\ntype: body.type\nverification: {method: none, allow_unverified: true}\n")

    done = check(str(file), BODY)

    assert (done.status, done.found["verification"]) == (0, {"valid": None, "reason": "unverified"})
    assert "anybody" in done.err


def test_check_takes_a_specification_of_an_unknown_partner(check, tmp_path):
    specification = yaml.safe_load(OWN)
    toml = (
        'id = "body.id"\ntype = "body.kind"\nsubject = "body.asset"\n[types]\ndone = "asset.ready"\n'
        '[verification]\nmethod = "hmac"\nsignature_header = "x-acme-signature"\n'
    )
    body = b'{"id":"a1","kind":"done","asset":"house-1"}'
    found = []
    for suffix, text in {"yaml": OWN, "yml": OWN, "json": json.dumps(specification), "toml": toml}.items():
        file = tmp_path / f"acme.{suffix}"
        file.write_text(text, encoding="utf-8")
        done = check(
            str(file),
            body,
            "--header",
            f"X-Acme-Signature: {hex_hmac('k', body)}",
            "--secret",
            "k",
            "--now",
            "1741083310",
        )
        assert done.status == 0
        found.append(done.found)
    assert found.count(found[0]) == 4
    assert found[0]["events"][0]["source"] == "partner.acme"
    assert found[0]["events"][0]["detail-type"] == "asset.ready"


def test_check_reads_the_body_from_standard_input(command, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(BODY)))

    assert command("check", "mux", "--body", "-", *ACCEPT).status == 0


UNUSABLE: list[tuple[list[str], str]] = [
    (["muxx", "--body", "{body}"], "did you mean mux"),
    (["nothing-like-it", "--body", "{body}"], "partner list"),
    (["{folder}/absent.yaml", "--body", "{body}"], "can't be read"),
    (["{folder}/wrong.yaml", "--body", "{body}"], "verification.method"),
    (["{folder}/broken.yaml", "--body", "{body}"], "not YAML"),
    (["{folder}/broken.json", "--body", "{body}"], "not JSON"),
    (["{folder}/broken.toml", "--body", "{body}"], "not TOML"),
    (["{folder}/twice.yaml", "--body", "{body}"], "twice"),
    (["{folder}/twice.json", "--body", "{body}"], "twice"),
    (["{folder}/alias.yaml", "--body", "{body}"], "alias"),
    (["{folder}/list.yaml", "--body", "{body}"], "table"),
    (["{folder}/latin.yaml", "--body", "{body}"], "UTF-8"),
    (["{folder}", "--body", "{body}"], "must end in"),
    (["mux", "--body", "{folder}/absent"], "can't be read"),
    (["mux", "--body", "{folder}"], "folder"),
    (["mux", "--body", "{body}", "--header", "no colon"], "Name: value"),
    (["mux", "--body", "{body}", "--header", ": x"], "Name: value"),
    (["mux", "--body", "{body}", "--now", "nan"], "epoch"),
    (["mux", "--body", "{body}", "--now", "1e300"], "epoch"),
    (["mux", "--body", "{body}", "--now", "soon"], "--now"),
    (["mux", "--body", "{body}", "--ingress", "pigeon"], "--ingress"),
    (["mux", "--body", "{body}", "--partner", "No Name"], "partner's name"),
    (["mux", "--body", "{body}", "--attribute", "x"], "NAME=VALUE"),
    (["mux"], "--body"),
    ([], "SPEC"),
]


@pytest.mark.parametrize(("arguments", "message"), UNUSABLE, ids=[message for _, message in UNUSABLE])
def test_unusable_arguments_exit_with_2_and_a_sentence_on_standard_error(command, tmp_path, arguments, message):
    files = {
        "body": BODY,
        "wrong.yaml": b"id: body.id\ntype: body.type\nverification: {method: dsa}\n",
        "broken.yaml": b"id: [",
        "broken.json": b'{"id": ',
        "broken.toml": b"id = ",
        "twice.yaml": b"id: body.id\nid: body.id\n",
        "twice.json": b'{"id": "body.id", "id": "body.id"}',
        "alias.yaml": b"id: &a body.id\ntype: *a\n",
        "list.yaml": b"- id\n",
        "latin.yaml": b"id: \xff\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    done = command("check", *(text.format(body=tmp_path / "body", folder=tmp_path) for text in arguments))

    assert done.status == 2
    assert message in " ".join(done.err.split())
    assert done.out == ""
    assert "Traceback" not in done.err


@pytest.mark.attack("O4")
def test_no_secret_is_ever_printed(check):
    done = check("mux", BODY, *mux_headers(BODY, "another"), "--secret", "very-s3cret", "--now", "1741083310")

    assert "very-s3cret" not in done.out + done.err


# list, show, new, schema


def test_list_names_every_preset(command):
    assert [row["name"] for row in json.loads(command("list", "--json").out)] == list(preset_names())
    table = command("list").out
    assert all(name in table for name in preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_show_prints_a_usable_specification(command, name):
    shown = command("show", name)

    assert shown.status == 0
    assert parse_specification(yaml.safe_load(shown.out)).title == parse_specification({"preset": name}).title
    assert json.loads(command("show", name, "--json").out) == yaml.safe_load(shown.out)
    assert command("show", name, "--source").out.startswith("#")


def test_show_prints_a_file_with_its_preset_merged_in(command, tmp_path):
    file = tmp_path / "ours.yaml"
    file.write_text("preset: mux\ntitle: Ours\n")

    shown = json.loads(command("show", str(file), "--json").out)

    assert (shown["title"], shown["id"]) == ("Ours", "body.id")
    assert command("show", str(file), "--source").status == 2


@pytest.mark.parametrize("arguments", [[], ["--preset", "mux"]])
def test_new_writes_a_usable_specification(command, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)

    done = command("new", "acme-tv", *arguments)

    path = Path(done.out.strip())
    assert (done.status, path) == (0, Path("partners/acme-tv.yaml"))
    text = path.read_text(encoding="utf-8")
    assert "#" in text
    assert command("show", str(path)).status == 0


def test_new_overwrites_only_with_force(command, tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_text("mine")

    refused = command("new", "acme", "--output", str(path))
    assert (refused.status, path.read_text()) == (2, "mine")
    assert "--force" in refused.err
    assert command("new", "acme", "--output", str(path), "--force").status == 0


@pytest.mark.parametrize(
    "arguments", [["No Name"], ["acme", "--preset", "muxx"], ["acme", "--output", "acme.txt"], ["-"]]
)
def test_new_refuses_unusable_arguments(command, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)

    assert command("new", *arguments).status == 2
    assert list(tmp_path.iterdir()) == []


def test_schema_is_that_of_the_documentation(command):
    docs = Path(__file__).resolve().parents[4] / "docs" / "partner-specification.schema.json"

    assert command("schema").out == docs.read_text(encoding="utf-8")


def test_help_has_examples(command):
    for name in ("list", "show", "check", "new"):
        assert "Examples" in command(name, "--help").out


def test_check_needs_no_body_where_the_event_is_in_the_query(check_file):
    done = check_file(
        "{id: body.id, type: body.type, parsing: {format: query}, "
        "verification: {method: static_token, signature_query: token}}",
        *("--method", "GET", "--url", "https://h.example/webhooks/x?id=1&type=t&token=S", "--secret", "S"),
    )

    assert (done.status, done.found["response"]["status"]) == (0, 202)
    assert done.found["events"][0]["detail"]["data"] == {"id": "1", "type": "t"}


def test_check_says_that_a_body_is_missing(check_file):
    done = check_file("{id: body.id, type: body.type}")

    assert (done.status, "--body is missing" in done.err) == (2, True)


def test_check_tells_of_an_ignored_message_and_of_an_unsigned_handshake(check_file, tmp_path):
    (tmp_path / "body").write_text('{"id": "1", "type": "ping"}', encoding="utf-8")
    specification = (
        "{id: body.id, type: body.type, ignore: body.type == 'ping', verification: {method: none, "
        "allow_unverified: true}, handshake: {kind: header_echo, header: x-hook-secret}}"
    )

    ignored = check_file(specification, "--body", str(tmp_path / "body"))
    shaken = check_file(specification, "--body", str(tmp_path / "body"), "--header", "X-Hook-Secret: abc")

    assert (ignored.status, ignored.found["ignored"], ignored.found["events"]) == (0, True, [])
    assert (shaken.found["handshake"], shaken.found["verification"]["reason"]) == (True, "handshake")
    assert shaken.found["response"]["headers"]["x-hook-secret"] == "abc"


@pytest.fixture
def check_file(command, tmp_path):
    """Run `check` on a specification's text; the result has the parsed output as ``found``."""

    def call(text: str, *arguments: str) -> SimpleNamespace:
        file = tmp_path / "x.yaml"
        file.write_text(text, encoding="utf-8")
        done = command("check", str(file), *arguments)
        done.found = json.loads(done.out) if done.out else None
        return done

    return call


def test_a_public_key_is_given_as_a_secret_in_the_place_of_a_url(check_file, tmp_path):
    (tmp_path / "body").write_bytes(BODY)
    text = (
        "id: body.id\ntype: body.type\nverification: {method: rsa, signature_header: x-sig, encoding: base64, "
        "jwks_url: 'https://keys.example.com/jwks.json'}\n"
    )
    signature = base64.b64encode(RSA.sign(BODY, padding.PKCS1v15(), hashes.SHA256())).decode()
    arguments = ["--body", str(tmp_path / "body"), "--header", f"x-sig: {signature}"]

    given = check_file(text, *arguments, "--secret", json.dumps({"keys": [rsa_jwk()]}))
    assert (given.status, given.found["verification"]["valid"]) == (0, True)
    without = check_file(text, *arguments)
    assert (without.status, without.found["verification"]["reason"]) == (1, "key-unknown")
    assert "JWK Set" in without.err


def test_a_caller_s_address_is_given_for_networks(check_file, tmp_path):
    (tmp_path / "body").write_bytes(BODY)
    text = "id: body.id\ntype: body.type\nverification: {method: networks, networks: [198.51.100.0/24]}\n"
    arguments = ["--body", str(tmp_path / "body")]

    assert check_file(text, *arguments, "--source-ip", "198.51.100.7").status == 0
    refused = check_file(text, *arguments, "--source-ip", "203.0.113.1")
    assert (refused.status, refused.found["verification"]["reason"]) == (1, "address-not-allowed")
    assert "--source-ip" in refused.err
