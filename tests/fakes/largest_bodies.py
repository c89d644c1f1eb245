"""A process that takes a body of the greatest size, and prints the most memory that it took, in MiB.

python -m tests.fakes.largest_bodies webhook values
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import boto3

from media_events.core.failures import ProcessingError
from media_events.events.claim_check import digest
from media_events.events.publisher import Entry, Publisher
from media_events.handlers import webhook
from media_events.messaging.message import Message
from media_events.partners.body_parsing import MAX_BODY_BYTES, MAX_VALUES
from media_events.partners.form_parsing import FORM_TYPE
from media_events.partners.xml_parsing import MAX_XML_VALUES
from media_events.transform import Transformer, parse_steps
from media_events.transform.aws_lookups import MAX_VALUES as ANSWER_VALUES
from media_events.transform.transformer import MAX_PARALLEL as PARALLEL
from tests.fakes.hop import FakeReport
from tests.fakes.transform_ports import Outside
from tests.fakes.webhook_requests import WebhookHarness

HEAD: Final = '{"id":"evt","type":"video.asset.ready","values":['
BATCH: Final = 4


def repeated(unit: str) -> str:
    """As many of ``unit`` as fit."""
    return HEAD + ",".join([unit] * ((MAX_BODY_BYTES - len(HEAD) - 2) // (len(unit) + 1))) + "]}"


def costliest(size: int = MAX_BODY_BYTES, values: int = MAX_VALUES) -> str:
    """A body within all bounds that takes most memory: no two names are equal, and every letter takes four bytes."""
    units = ",".join(f'{{"{number}":{{}}}}' for number in range((values - 20) // 4))[: size - 200]
    units = units[: units.rindex(",")]
    head = f'{HEAD}{units}],"text":"\U0001f600'
    return head + "a" * (size - len(head.encode()) - 2) + '"}'


BODIES: Final[dict[str, Callable[[], str]]] = {
    "lists": lambda: repeated("[]"),
    "objects": lambda: repeated('{"a":1}'),
    "nested": lambda: repeated("[" * 60 + "]" * 60),
    "brackets": lambda: "[" * MAX_BODY_BYTES,
    "quotes": lambda: '"' * MAX_BODY_BYTES,
    "texts": lambda: repeated('"\\"[,["'),
    "costliest": costliest,
}


def xml(unit: str, values: int) -> bytes:
    """Elements by ``unit``, each of so many values, and one long text of letters that take four bytes."""
    head = '<r id="evt">' + "".join(unit.format(n) for n in range((MAX_XML_VALUES - 2_000) // values)) + "<t>\U0001f600"
    return f"{head}{'a' * (MAX_BODY_BYTES - len(head.encode()) - 8)}</t></r>".encode()


def wrapped() -> bytes:
    """JSON of the costliest structure in a field of a form, with as few letters to decode as there can be."""
    return b"payload=" + costliest(MAX_BODY_BYTES - 8_000).replace("+", "%2B").encode()[: MAX_BODY_BYTES - 8]


FORMATS: Final[dict[str, tuple[dict[str, Any], str, Callable[[], bytes]]]] = {
    "xml": ({"format": "xml"}, "text/xml", lambda: xml("<a{0}><b{0}/></a{0}>", 2)),
    "gzip": ({"compression": "gzip"}, "application/json", lambda: gzip.compress(costliest().encode())),
    "form": ({"format": "form"}, FORM_TYPE, lambda: b"id=e&a=" + b"%41" * (MAX_BODY_BYTES // 3 - 3)),
    "wrapped": ({"format": "form", "unwrap": "parse_json(body.payload)"}, FORM_TYPE, wrapped),
    "multipart": (
        {"format": "multipart"},
        "multipart/form-data",
        lambda: (
            b'--b\r\nContent-Disposition: form-data; name="id"\r\n\r\ne\r\n--b\r\nContent-Disposition: form-data; '
            b'name="f"; filename="f"\r\n\r\n' + bytes(MAX_BODY_BYTES - 300) + b"\r\n--b--\r\n"
        ),
    ),
}
"""Each with its ``parsing``, its content type and its body."""

SIDECARS: Final = {"s3": {"bucket": "sidecars", "key": "metadata.id", "sidecar": "{key}"}}

STEPS: Final[dict[str, list[dict[str, Any]]]] = {
    "map": [{"map": {"asset": "data"}}],
    "python": [{"python": {"function": "acme:same"}}],
    "failing": [{"split": {"items": "data.id"}}],
    "sidecars": [{"lookup": {**SIDECARS, "into": "found"}}],
    "repeated": [{"split": {"items": "data.values[:300]", "into": "value"}}],
}


class _Bodies:
    """Makes the body anew at each read, as S3 does."""

    def get(self, uri: str) -> bytes:  # noqa: ARG002
        return TEXT.encode()

    def put(self, content: bytes, *, content_type: str = "application/json") -> str:  # noqa: ARG002
        return f"s3://bodies/{digest(content)}"


class _Bus:
    def put(self, entries: Sequence[Entry]) -> Sequence[ProcessingError | None]:
        return [None] * len(entries)


class _Objects:
    def content(self, _bucket: str, _key: str, *, max_bytes: int, timeout_seconds: float) -> bytes:  # noqa: ARG002
        return costliest(max_bytes - 1, ANSWER_VALUES).encode()


TEXT = ""


def take_webhook(kind: str) -> None:
    """A genuine partner's request."""
    specification: dict[str, Any] = {"preset": "mux", "redact": ["body.**.stream_key", "body.data.tokens.*.value"]}
    content_type, body = "application/json", b""
    if kind in FORMATS:
        parsing, content_type, make = FORMATS[kind]
        specification |= {"parsing": parsing, "id": {"first": ["body.id", 'body.r."@id"']}, "type": {"constant": "t"}}
        body = make()
    partners = {"mux": {"specification": specification, "secret_arns": ["arn:mux"]}}
    service = WebhookHarness(partners=partners, max_body_bytes=MAX_BODY_BYTES)
    webhook.application = service.application  # type: ignore[assignment]
    body = body or BODIES[kind]().encode()
    assert len(body) <= MAX_BODY_BYTES
    assert service.post(body, headers={**service.mux_headers(body), "content-type": content_type}).status == 202
    if kind in FORMATS:
        assert service.bus.entries, service.queue.dead[0].failure


def take_transform(kind: str) -> None:
    """A batch of messages, each with a claim check or, to be repeated, with its event."""
    global TEXT  # noqa: PLW0603 - one process, one body
    TEXT = costliest()
    metadata: dict[str, Any] = dict.fromkeys(("source", "type", "nativetype", "partner", "partitionkey"), "x")
    metadata |= dict.fromkeys(("time", "recordedtime"), "2026-09-21T14:13:20Z") | {"ingress": "webhook"}
    details = [
        {"metadata": metadata | {"id": str(number), "dataref": f"s3://bodies/{number}"}, "data": {}}
        for number in range(BATCH)
    ]
    if kind == "sidecars":
        details = [
            {"metadata": metadata | {"id": str(number)}, "data": {"asset": str(number)}} for number in range(PARALLEL)
        ]
    if kind == "repeated":
        details = [{"metadata": metadata | {"id": "e"}, "data": json.loads(costliest(200_000))}]
    outside = Outside(python={"acme:same": lambda event: event["data"]})
    transformer = Transformer(
        steps=parse_steps(STEPS[kind], load=outside.python.__getitem__),
        ports=outside.ports_with(objects=_Objects()),
        publisher=Publisher(bus=_Bus(), bodies=_Bodies()),
        hop="transform/all",
        report=FakeReport(),
        bodies=_Bodies(),
    )
    messages = [
        Message(body=json.dumps({"detail": detail}), message_id=str(number), receipt_handle="r")
        for number, detail in enumerate(details)
    ]
    failed = [outcome for outcome in transformer.handle(messages) if outcome is not None]
    assert len(failed) == (BATCH if kind == "failing" else 0)


if __name__ == "__main__":
    for service in ("s3", "events", "sqs", "dynamodb", "secretsmanager"):
        boto3.client(service, region_name="eu-west-1")  # type: ignore[call-overload]
    {"webhook": take_webhook, "transform": take_transform}[sys.argv[1]](sys.argv[2])
    # Not ru_maxrss: it knows the memory of the process that started this one, too.
    (peak,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    print(int(peak) / 1024)
