"""Turns a partner's message into events in the envelope, by the partner's specification.

A message that can't be normalised raises :class:`PermanentDataError` with a code of :mod:`body_parsing` or
``body-not-object``, ``batch-missing``, ``batch-too-large``, ``batch-item-not-object``, ``key-value-list-invalid``,
``id-missing``, ``id-invalid``, ``type-missing``, ``type-invalid``, ``type-not-allowed``, ``value-invalid``,
``data-missing``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from media_events.core.envelope import Event, Ingress, Metadata
from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import FORM_TYPE, media_type, parse_form, parse_json
from media_events.partners.redaction import redact
from media_events.partners.specification import MAX_TYPE_CHARACTERS, Flatten, PartnerSpecification, SequenceRule
from media_events.partners.timestamps import parse_time, rfc3339
from media_events.partners.value_expressions import Context, ValueExpression, canonical, scalar_text

MAX_BATCH_ITEMS: Final = 1_000
MAX_ID_CHARACTERS: Final = 512
MAX_VALUE_CHARACTERS: Final = 2_048
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

Headers = Sequence[tuple[str, str]] | Mapping[str, str]


def normalise(  # noqa: PLR0913 - keywords, one per part of a message
    spec: PartnerSpecification,
    *,
    partner: str,
    ingress: Ingress,
    body: bytes,
    headers: Headers = (),
    attributes: Mapping[str, Any] | None = None,
    envelope: Mapping[str, Any] | None = None,
    now: float,
) -> list[Event]:
    """The events of one message, in its order.

    ``body`` is the raw body; from a bus, the JSON of ``detail``, with the EventBridge event as ``envelope``. If the
    specification's ``parsing.wrapping`` is ``eventbridge``, the body may also be that whole event. ``attributes`` are
    those of a queue's or topic's message, as text. ``now`` (epoch seconds) becomes ``recordedtime``, and ``time`` if
    the message has none.

    Raises:
        PermanentDataError: the message can't be normalised, now or later.
    """
    document, around = _unwrap(spec, _parse(spec, body, headers), envelope)
    names = {
        "document": document,
        "headers": header_values(headers),
        "attributes": dict(attributes or {}),
        "envelope": dict(around),
    }
    items = _items(spec, document, names)
    events = [
        _event(spec, partner, ingress, Context({**names, "body": item, "index": index}, now), batch=len(items) > 1)
        for index, item in enumerate(items)
    ]
    return _with_distinct_ids(events)


def header_values(headers: Headers) -> dict[str, str]:
    """Headers for expressions: lower-case names, the first value of each."""
    values: dict[str, str] = {}
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        values.setdefault(name.lower(), value)
    return values


def _parse(spec: PartnerSpecification, body: bytes, headers: Headers) -> Any:
    form = spec.parsing.format == "form" or (spec.parsing.format == "json-or-form" and media_type(headers) == FORM_TYPE)
    return parse_form(body) if form else parse_json(body)


def _unwrap(
    spec: PartnerSpecification, document: Any, envelope: Mapping[str, Any] | None
) -> tuple[Any, Mapping[str, Any]]:
    if envelope:
        return document, envelope
    if (
        spec.parsing.wrapping == "eventbridge"
        and isinstance(document, dict)
        and isinstance(document.get("detail"), dict)
        and isinstance(document.get("detail-type"), str)
    ):
        return document["detail"], {name: value for name, value in document.items() if name != "detail"}
    return document, {}


def _items(spec: PartnerSpecification, document: Any, names: Mapping[str, Any]) -> list[dict[str, Any]]:
    items = [document]
    if spec.split is not None:
        batch = spec.split.path.find(Context({**names, "body": document, "index": 0}, 0.0))
        if isinstance(batch, list):
            items = batch
        elif batch is not None or not spec.split.optional:
            raise PermanentDataError("batch-missing", f"there is no list of events at {spec.split.path.expression}")
    if len(items) > MAX_BATCH_ITEMS:
        raise PermanentDataError("batch-too-large", f"a batch holds {len(items)} events, over {MAX_BATCH_ITEMS}")
    for item in items:
        if not isinstance(item, dict):
            code = "body-not-object" if item is document else "batch-item-not-object"
            raise PermanentDataError(code, "an event of a partner must be a JSON object")
    return items if spec.flatten is None else [_flatten(spec.flatten, item) for item in items]


def _flatten(rule: Flatten, item: dict[str, Any]) -> dict[str, Any]:
    pairs = item.get(rule.path)
    flat = {name: value for name, value in item.items() if name != rule.path}
    if not isinstance(pairs, list):
        raise PermanentDataError("key-value-list-invalid", f"there is no list of pairs at {rule.path}")
    for pair in pairs:
        key = pair.get(rule.key) if isinstance(pair, dict) else None
        if not isinstance(key, str) or rule.value not in pair:
            raise PermanentDataError(
                "key-value-list-invalid", f"every item of {rule.path} must have a text {rule.key} and a {rule.value}"
            )
        if key in flat:
            raise PermanentDataError("json-duplicate-key", f"{rule.path} has the same {rule.key} twice")
        flat[key] = pair[rule.value]
    return flat


def _event(spec: PartnerSpecification, partner: str, ingress: Ingress, context: Context, *, batch: bool) -> Event:
    attributes = context.names["attributes"]
    received = received_time(context.now)
    identity, native, neutral = _identity(spec, context), *_types(spec, context)
    subject = _value(spec.subject, context, "subject")
    group = scalar_text(attributes.get("MessageGroupId"))
    sequence = _sequence(spec.sequence, context)
    if group is not None and scalar_text(attributes.get("SequenceNumber")) is not None:
        # Within a message group the queue's numbers are the order, whatever the partner counts.
        sequence = str(scalar_text(attributes["SequenceNumber"])).zfill(20)
    if sequence is not None and batch:
        sequence = f"{sequence}.{context.names['index']:06d}"
    trace = _value(spec.traceparent, context, "traceparent")
    metadata = Metadata(
        id=identity,
        source=f"partner.{partner}",
        type=neutral,
        time=_time(spec, context) or received,
        partner=partner,
        ingress=ingress,
        nativetype=native,
        recordedtime=received,
        partitionkey=group or _value(spec.partitionkey, context, "partitionkey") or subject or identity,
        subject=subject,
        sequence=sequence,
        correlationid=_value(spec.correlationid, context, "correlationid"),
        causationid=_value(spec.causationid, context, "causationid"),
        traceparent=trace if trace is not None and valid_traceparent(trace) else None,
    )
    body = redact(context.names["body"], spec.redact)
    if spec.data is None:
        return Event(metadata=metadata, data=body)
    data = spec.data.find(Context({**context.names, "body": body, "document": redact_document(spec, context)}, 0.0))
    if data is None:
        raise PermanentDataError("data-missing", f"{spec.data.expression} selects nothing")
    return Event(metadata=metadata, data=data)


def redact_document(spec: PartnerSpecification, context: Context) -> Any:
    """The whole message, without the redacted fields of its events."""
    names = {path.split(".")[-1] for path in spec.redact} - {"*", "**"}
    return redact(context.names["document"], [*spec.redact, *(f"**.{name}" for name in sorted(names))])


def _identity(spec: PartnerSpecification, context: Context) -> str:
    value = spec.id.find(context)
    if value is None or value == "":
        raise PermanentDataError("id-missing", "the message has no event id at the place in the specification")
    text = scalar_text(value)
    if text is None or len(text) > MAX_ID_CHARACTERS or not text.isprintable():
        raise PermanentDataError(
            "id-invalid", f"an event id must be printable text of at most {MAX_ID_CHARACTERS} characters"
        )
    return text


def _types(spec: PartnerSpecification, context: Context) -> tuple[str, str]:
    """The partner's own type and the neutral one."""
    rule = spec.type
    value = rule.source.find(context)
    if value is None or value == "":
        raise PermanentDataError("type-missing", "the message has no type at the place in the specification")
    native = rule.table.get(scalar_text(value) or "", value)
    if not isinstance(native, str) or len(native) > MAX_TYPE_CHARACTERS or not native.isprintable():
        raise PermanentDataError(
            "type-invalid", f"an event's type must be printable text of at most {MAX_TYPE_CHARACTERS} characters"
        )
    if rule.allowed and native not in rule.allowed:
        raise PermanentDataError("type-not-allowed", "the specification does not list this type")
    qualifier = None if rule.qualifier is None else scalar_text(rule.qualifier.find(context))
    if qualifier is not None and f"{native}/{qualifier}" in spec.types:
        return native, spec.types[f"{native}/{qualifier}"]
    return native, spec.types.get(native, native)


def _value(source: ValueExpression | None, context: Context, name: str) -> str | None:
    value = None if source is None else source.find(context)
    if value is None or value == "":
        return None
    text = scalar_text(value)
    if text is None or len(text) > MAX_VALUE_CHARACTERS or not printable(text):
        raise PermanentDataError(
            "value-invalid", f"{name} must be printable text of at most {MAX_VALUE_CHARACTERS} characters"
        )
    return text


def _sequence(rule: SequenceRule | None, context: Context) -> str | None:
    text = None if rule is None else _value(rule.source, context, "sequence")
    if rule is None or text is None or rule.pad == "none":
        return text
    return text.ljust(rule.width, "0") if rule.pad == "right" else text.rjust(rule.width, "0")


def _time(spec: PartnerSpecification, context: Context) -> str | None:
    if spec.time is None:
        return None
    moment = parse_time(spec.time.source.find(context), unit=spec.time.unit, zone=spec.time.zone)
    return None if moment is None else rfc3339(moment)


def received_time(now: float) -> str:
    """``now`` (epoch seconds) in the envelope's form."""
    return rfc3339(datetime.fromtimestamp(now, tz=UTC))


def printable(text: str) -> bool:
    """Whether a text has no control characters, half surrogates or line separators."""
    return text.isprintable() or not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text
    )


def valid_traceparent(text: str) -> bool:
    """Whether a text is a W3C trace parent, https://www.w3.org/TR/trace-context/ ."""
    return _TRACEPARENT.fullmatch(text) is not None


def _with_distinct_ids(events: list[Event]) -> list[Event]:
    """Make ids in a batch distinct: equal events become one, different ones with the same id get their position."""
    if len({event.metadata.id for event in events}) == len(events):
        return events
    variants: dict[str, dict[bytes, int]] = {}
    for index, event in enumerate(events):
        variants.setdefault(event.metadata.id, {}).setdefault(canonical(event.data), index)
    distinct = {
        index: events[index] if len(places) == 1 else _at(events[index], index)
        for places in variants.values()
        for index in places.values()
    }
    return [distinct[index] for index in sorted(distinct)]


def _at(event: Event, index: int) -> Event:
    return replace(event, metadata=replace(event.metadata, id=f"{event.metadata.id}/{index}"))
