"""Whatever a sender sends in any format: no exception, no 5xx, and no more memory than the body is worth.

Memory is counted, not measured: names, values and characters of the parsed message, against the bytes of the body.
``FUZZ_EXAMPLES`` says how many inputs all these tests share. Hypothesis draws a body, of which others are made.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Sequence
from random import Random
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_events.core.failures import PermanentDataError
from media_events.handlers import webhook
from media_events.partners.decompression import FREE_BYTES, MAX_RATIO, gunzip
from media_events.partners.message_parsing import read_message
from media_events.partners.specification import PartnerSpecification
from tests.fakes.webhook_requests import SECRET, WebhookHarness

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "500"))
INPUTS = 10
"""Of one example: the body, and mutations of it."""

SHARE = settings(max_examples=max(1, EXAMPLES // 5 // INPUTS), deadline=None, suppress_health_check=list(HealthCheck))

TOKEN = {"method": "static_token", "signature_query": "token"}
FIRST = {"first": [{"path": path} for path in ("body.id", "body.a.id", "body.r.id")] + [{"hash": ["body"]}]}
PARSING: dict[str, dict[str, Any]] = {
    "xml": {"format": "xml"},
    "xml-latin": {"format": "xml", "charset": "iso-8859-1"},
    "multipart": {"format": "multipart", "fields": "nested"},
    "multipart-flat": {"format": "multipart"},
    "gzip": {"compression": "gzip"},
    "gzip-xml": {"format": "xml", "compression": "gzip"},
    "form": {"format": "form"},
    "form-nested": {"format": "form", "fields": "nested"},
    "query": {"format": "query"},
    "query-nested": {"format": "query", "fields": "nested"},
    "either": {"format": "json-or-form", "charset": "windows-1252"},
    "payload": {"format": "form", "unwrap": {"path": "parse_json(body.payload)", "optional": True}},
    "xml-field": {
        "format": "form",
        "unwrap": {"path": "parse_xml(body.xml) || parse_json(body.json)", "optional": True},
    },
    "push": {"unwrap": "parse_json(base64_decode(body.message.data))"},
    "utf-16": {"charset": "utf-16"},
    "empty": {"empty_body": True},
}
PARTNERS = {
    name: {
        "specification": {
            "id": FIRST,
            "type": {"first": ["body.type", "url_decode(body.t)", {"constant": "t"}]},
            "subject": {"first": ["parse_json(body.s).x", "base64_decode(body.b)", "query.s"]},
            "time": "body.time",
            "redact": ["body.**.secret"],
            "parsing": {**parsing, **({} if parsing.get("format") == "query" else {"content_types": ["none"]})},
            "verification": TOKEN,
        },
        "secret_arns": ["arn:other"],
    }
    for name, parsing in PARSING.items()
}


@pytest.fixture(name="service", scope="module")
def _service():
    service = WebhookHarness(PARTNERS, max_body_bytes=500_000)
    original, webhook.application = webhook.application, service.application
    yield service
    webhook.application = original


def check(service: WebhookHarness, partner: str, bodies: Sequence[bytes], *, in_query: bool = False) -> None:
    """None of the bodies is taken without its token; each is accepted or quarantined with it, within its worth."""
    specification = service.receiver.partners[partner].specification
    refused = send(service, partner, bodies[0], "wrong", in_query=in_query)
    assert (400 <= refused < 500, service.nothing_happened()) == (True, True)
    for body in bodies:
        try:
            status = send(service, partner, body, SECRET, in_query=in_query)
            assert status in (202, 401)
            # 401: the junk has a `token`, too.
            assert len(service.bus.entries) + len(service.queue.dead) == (status == 202)
        finally:
            service.bus.entries.clear()
            service.bus.calls.clear()
            service.queue.dead.clear()
            service.table.items.clear()
            service.bodies.kept.clear()
            service.report.lines.clear()
        check_worth(specification, body, in_query=in_query)


def send(service: WebhookHarness, partner: str, body: bytes, token: str, *, in_query: bool) -> int:
    query = f"{body.decode('utf-8', 'replace')}&token={token}" if in_query else f"token={token}"
    method = service.receiver.partners[partner].specification.parsing.methods[0]
    content = b"" if in_query else body
    return service.post(content, partner=partner, method=method, headers={}, query=query).status


def check_worth(specification: PartnerSpecification, body: bytes, *, in_query: bool) -> None:
    try:
        query = body.decode("utf-8", "replace") if in_query else ""
        message = read_message(specification, b"" if in_query else body, query=query)
    except PermanentDataError:
        return
    worth = max(len(body), len(query.encode()))
    if specification.parsing.compression == "gzip":
        content = len(gunzip(body))
        assert content <= max(FREE_BYTES, MAX_RATIO * len(body))
        worth += content
    values, characters = counted(message.document)
    # A field of one character has a name and a value; base64 adds a third to a file, and a file has four names.
    assert values <= 2 * worth + 1
    assert characters <= 2 * worth + 200


def counted(value: Any) -> tuple[int, int]:
    """Names and values, and the characters of all texts."""
    values = characters = 0
    level = [value]
    while level:
        inner: list[Any] = []
        for item in level:
            values += 1
            if isinstance(item, str):
                characters += len(item)
            elif isinstance(item, dict):
                inner += [*item, *item.values()]
            elif isinstance(item, list):
                inner += item
        level = inner
    return values, characters


def mutated(body: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for kind, place, octets in changes:
        at = place % (len(body) + 1)
        if kind == "insert":
            body = body[:at] + octets + body[at:]
        elif kind == "overwrite":
            body = body[:at] + octets + body[at + len(octets) :]
        elif kind == "cut":
            body = body[:at]
        else:
            body = body[:at] + body[at : at + 40] * (place % 20) + body[at + 40 :]
    return body


def hostile(bodies: st.SearchStrategy[bytes], tokens: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """A body of a grammar, and others of which parts are cut, repeated, or replaced by its own tokens and by junk."""

    def several(body: bytes, chance: Random) -> list[bytes]:
        def octets() -> bytes:
            return chance.choice(tokens) if chance.random() < TOKENS_SHARE else chance.randbytes(chance.randrange(6))

        kinds = ["insert", "insert", "overwrite", "cut", "repeat"]
        return [body] + [
            mutated(
                body, [(chance.choice(kinds), chance.randrange(5_000), octets()) for _ in range(chance.randint(1, 4))]
            )
            for _ in range(INPUTS - 1)
        ]

    return st.builds(several, bodies | st.binary(max_size=60), st.randoms(use_true_random=False))


TOKENS_SHARE = 0.7


NAMES = st.sampled_from(["a", "id", "type", "x:y", "xmlns", "xmlns:x", "é", "secret", "time", "r", "output"])
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["&lt;", "&#0;", "&#xD800;", "&x;", "<![CDATA[<a>]]>", "]]>", "<!-- -- -->"]
)
ELEMENTS = st.recursive(
    TEXTS,
    lambda inner: st.builds(
        lambda name, attributes, children: f"<{name}{attributes}>{''.join(children)}</{name}>",
        NAMES,
        st.sampled_from(["", ' a="1"', ' id="&lt;"', ' xmlns:x="u"', ' a="1" a="2"', ' x:a="1" y:a="2" xmlns:y="v"']),
        st.lists(inner, max_size=4),
    ),
    max_leaves=15,
)
PROLOGS = st.sampled_from(
    [
        *("", "", "", "\ufeff", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-16"?>', "<!-- c -->"),
        *('<?xml version="1.0" encoding="ISO-8859-1"?>', '<!DOCTYPE r [<!ENTITY x "xxxxxxxxxx">]>', "<?pi?>", " \n"),
        *('<!DOCTYPE r SYSTEM "file:///etc/passwd">', '<?xml version="1.1" encoding="UTF-7"?>', '<?xml version="9"?>'),
    ]
)
XML = st.builds(
    lambda prolog, content, coding: f"{prolog}<r>{content}</r>".encode(coding, "surrogatepass"),
    PROLOGS,
    ELEMENTS,
    st.sampled_from(["utf-8", "utf-8", "utf-16"]),
)
XML_TOKENS = [
    b"<!DOCTYPE r [",
    b'<!ENTITY l "&l;&l;">',
    b"&l;",
    b"<a>",
    b"</a>",
    b"<![CDATA[",
    b"]]>",
    b"<?xml ",
    b"--",
    b"\0",
]


@pytest.mark.slow
@SHARE
@given(bodies=hostile(XML, XML_TOKENS), partner=st.sampled_from(["xml", "xml-latin"]))
def test_fuzz_xml_is_answered_within_its_worth(service, bodies, partner):
    check(service, partner, bodies)


HEADERS = st.sampled_from(
    [
        *(
            'form-data; name="a"',
            "form-data; name=id",
            'form-data; name="a[b]"',
            'form-data; name="f"; filename="x.bin"',
        ),
        *(
            'form-data; name=""',
            "form-data",
            'attachment; name="a"',
            'form-data; name="\\"\\\\',
            'form-data; filename="y"',
        ),
        *('form-data; name="payload"\r\nContent-Type: application/json', 'form-data; name="a"; name="b"', ""),
    ]
)
PARTS = st.builds(
    lambda header, content: b"Content-Disposition: " + header.encode() + b"\r\n\r\n" + content,
    HEADERS,
    st.binary(max_size=20) | st.sampled_from([b'{"id":1}', b"\r\n--xYz", b"--xYz--", b"\r\n"]),
)
MULTIPART = st.builds(
    lambda parts, end: b"".join(b"--xYz\r\n" + part + b"\r\n" for part in parts) + end,
    st.lists(PARTS, max_size=6),
    st.sampled_from([b"--xYz--\r\n", b"--xYz--", b"", b"--xYz", b"--xYz--epilogue"]),
)
PART_TOKENS = [b"\r\n--xYz", b"\r\n\r\n", b"--xYz--", b"\r\n", b"--", b'name="', b";" * 30, b"\\" * 30, b"\0"]


@pytest.mark.slow
@SHARE
@given(bodies=hostile(MULTIPART, PART_TOKENS), partner=st.sampled_from(["multipart", "multipart-flat"]))
def test_fuzz_multipart_is_answered_within_its_worth(service, bodies, partner):
    check(service, partner, bodies)


DENSE = st.builds(
    lambda octets, times: octets * times,
    st.binary(min_size=1, max_size=8) | st.sampled_from([b"[],", b"<a/>", b" ", b'"a",']),
    st.integers(0, 60_000),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())
GZIP = st.builds(
    lambda content, times: b"".join([gzip.compress(content, 1, mtime=0)] * times),
    JSON | DENSE | XML,
    st.sampled_from([1, 1, 1, 1, 2]),
)


@pytest.mark.slow
@SHARE
@given(
    bodies=hostile(GZIP, [b"\x1f\x8b", b"\x1f\x8b\x08\x00", b"\0" * 8, b"\xff" * 8]),
    partner=st.sampled_from(["gzip", "gzip-xml"]),
)
def test_fuzz_gzip_is_answered_within_its_worth(service, bodies, partner):
    check(service, partner, bodies)


FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["a", "id", "a[b]", "a[]", "a[0]", "a[][c]", "a[b][c][d]", "[", "]", "a[", "", "é", "token"])
        | st.text(max_size=6),
        st.sampled_from(["", "1", "%ff", "%00", "%E2%82", "+", "%5B", "x=y"]) | st.text(max_size=8).map(quote_plus),
        st.sampled_from(["=", "=", "=", ""]),
    ),
    max_size=8,
).map(lambda fields: "&".join(name + equals + value for name, value, equals in fields))
FORMS = FIELDS.map(lambda text: text.encode("utf-8", "surrogatepass"))
FORM_TOKENS = [b"[]" * 20, b"[b]" * 40, b"&" * 600, b"a[]=1&" * 200, b"%", b"%zz", b";", b"=", b"[", b"\0"]


@pytest.mark.slow
@SHARE
@given(
    bodies=hostile(FORMS, FORM_TOKENS),
    partner=st.sampled_from(["form", "form-nested", "query", "query-nested", "either", "empty"]),
)
def test_fuzz_form_is_answered_within_its_worth(service, bodies, partner):
    check(service, partner, bodies, in_query=partner.startswith("query"))


PAYLOADS = st.builds(lambda inner: b"payload=" + quote(inner).encode(), JSON | st.binary(max_size=20))
PUSHES = st.builds(
    lambda inner: json.dumps({"message": {"data": base64.b64encode(inner).decode()}}).encode(),
    JSON | DENSE.map(lambda octets: octets[:5_000]) | st.binary(max_size=20),
)
XML_FIELDS = st.builds(
    lambda name, inner: name + quote(inner).encode(), st.sampled_from([b"xml=", b"a=1&xml=", b"json="]), XML | JSON
)
WIDE = JSON.map(lambda text: text.decode().encode("utf-16"))
WRAPPED = st.one_of(
    st.tuples(st.just("payload"), hostile(PAYLOADS, [b"payload=", b"%7B", b"&payload=1", b"%22"])),
    st.tuples(
        st.just("xml-field"),
        hostile(XML_FIELDS, [b"xml=", b"%3Ca%3E", b"%3C!DOCTYPE", b"%26l%3B", b"&json=1", b"%EF%BB%BF", *XML_TOKENS]),
    ),
    st.tuples(st.just("push"), hostile(PUSHES, [b'"data":', b'{"message":', b"=", b"W10=", b"\\u0000", b"\\ud800"])),
    st.tuples(st.just("utf-16"), hostile(WIDE, [b"\xff\xfe", b"\xfe\xff", b"\0", b"\xd8\x00"])),
)


@pytest.mark.slow
@SHARE
@given(case=WRAPPED)
def test_fuzz_wrapped_message_is_answered_within_its_worth(service, case):
    check(service, *case)
