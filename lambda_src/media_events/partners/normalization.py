"""Turns a partner's message into events in the envelope, by the partner's specification.

A message that can't be normalised raises :class:`PermanentDataError` with a code of :mod:`message_parsing` or
``body-not-object``, ``batch-missing``, ``batch-too-large``, ``batch-item-not-object``, ``key-value-list-invalid``,
``id-missing``, ``id-invalid``, ``type-missing``, ``type-invalid``, ``type-not-allowed``, ``data-missing``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from media_events.core.deferred import pattern
from media_events.core.envelope import Event, Ingress, Metadata
from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import mapping
from media_events.partners.attributes import identity_text, optional_attribute
from media_events.partners.expression_functions import decoding_options
from media_events.partners.form_parsing import MAX_FORM_FIELDS
from media_events.partners.message_parsing import Headers, clean_headers, read_message
from media_events.partners.neutral_types import untranslated
from media_events.partners.notes import Notes
from media_events.partners.redaction import redact, redact_document
from media_events.partners.specification import (
    MAX_TYPE_CHARACTERS,
    Flatten,
    PartnerSpecification,
    SequenceRule,
)
from media_events.partners.timestamps import parse_time, rfc3339
from media_events.partners.value_expressions import (
    Context,
    ValueExpression,
    canonical,
    is_true,
    missing_parts,
    scalar_text,
)

MAX_BATCH_ITEMS: Final = 1_000


class PartialBatchError(PermanentDataError):
    """Some events of a batch can't be normalised; ``code`` and ``message`` are the first one's.

    ``events`` can be published. ``withheld`` are the places of the others: the bad ones, and where the specification
    or the queue orders events, the later ones of the same ordering key.
    """

    def __init__(self, first: PermanentDataError, events: Sequence[Event], withheld: Sequence[int], size: int) -> None:
        others = f", and {len(withheld) - 1} more are withheld" if len(withheld) > 1 else ""
        super().__init__(first.code, f"event {withheld[0]} of {size} (from 0){others}: {first.message}")
        self.events = events
        self.withheld = tuple(withheld)


def normalise(  # noqa: PLR0913 - keywords, one per part of a message
    spec: PartnerSpecification,
    *,
    partner: str,
    ingress: Ingress,
    body: bytes,
    headers: Headers = (),
    query: str = "",
    attributes: Mapping[str, Any] | None = None,
    envelope: Mapping[str, Any] | None = None,
    now: float,
    only: Collection[int] | None = None,
    redacted: bool = False,
    notes: Notes | None = None,
) -> list[Event]:
    """The events of one message, in its order; none of one that the specification ignores.

    ``body`` is the raw body; from a bus, the JSON of ``detail``, with the EventBridge event as ``envelope``. If the
    specification's ``parsing.wrapping`` is ``eventbridge``, the body may also be that whole event. ``attributes`` are
    those of a queue's or topic's message, as text; ``query`` is the URL's. ``now`` (epoch seconds) becomes
    ``recordedtime``, and ``time`` if the message has none. ``only`` are the places in a batch to take, if not all.
    ``redacted``: the body is what ``message_parsing.without_credentials`` left of it.

    Raises:
        PermanentDataError: the message can't be normalised, now or later; :class:`PartialBatchError` if only some of
            its events can't.
    """
    message = read_message(spec, body, headers=headers, query=query, envelope=envelope, redacted=redacted)
    document = message.document
    names = message_names(
        document,
        headers=headers,
        query=query,
        attributes=attributes,
        envelope=message.envelope,
        query_secrets=spec.query_secrets,
    )
    if spec.verification is not None and spec.verification.signs("sorted_form"):
        names["signed_form"] = _signed_form(query, document)
    options, notes = decoding_options(), Notes() if notes is None else notes
    whole = Context({**names, "body": document, "index": 0}, now, options)
    if spec.ignore is not None and is_true(spec.ignore.find(whole)):
        notes.ignored += 1
        return []
    items = _items(spec, whole)
    # Once: a copy of the whole message for each event of a batch would not fit into the function's memory.
    clean = {} if spec.data is None else _without_credentials(spec, names)
    events: dict[int, Event] = {}
    failures: dict[int, PermanentDataError] = {}
    for index, item in enumerate(items):
        try:
            context = Context({**names, "body": _object(spec, item, document), "index": index}, now, options)
            metadata = _metadata(spec, partner, ingress, context, notes, batch=len(items) > 1)
            events[index] = Event(metadata=metadata, data=_data(spec, context, clean, notes))
        except PermanentDataError as error:
            if len(items) == 1:
                raise
            failures[index] = error
    distinct = _with_distinct_ids(events)
    if only is not None:
        distinct = {index: event for index, event in distinct.items() if index in only}
        failures = {index: error for index, error in failures.items() if index in only}
    if failures:
        withheld = sorted({*failures, *_behind(spec, names, items, failures, distinct)})
        good = [event for index, event in distinct.items() if index not in withheld]
        raise PartialBatchError(failures[withheld[0]], good, withheld, len(items))
    return list(distinct.values())


def _behind(
    spec: PartnerSpecification,
    names: Mapping[str, Any],
    items: Sequence[Any],
    failures: Mapping[int, PermanentDataError],
    events: Mapping[int, Event],
) -> set[int]:
    """The events that must not overtake a failed one: later ones of its ordering key, if there is an order."""
    group = _message_group(names["attributes"])
    if group is None and (spec.sequence is None or (spec.partitionkey is None and spec.subject is None)):
        return set()
    keys: dict[str | None, int] = {}
    for index in failures:
        context = Context({**names, "body": mapping(items[index]), "index": index}, 0.0)
        subject = _attribute(spec.subject, context, "subject", Notes())
        keys.setdefault(_partition_key(spec, context, Notes()) or subject, index)
    unknown = keys.get(None, len(items))
    return {
        index
        for index, event in events.items()
        if index > min(unknown, keys.get(event.metadata.partitionkey, len(items)))
    }


def message_names(  # noqa: PLR0913 - keywords, one per part of a message
    document: Any,
    *,
    headers: Headers = (),
    query: str = "",
    attributes: Mapping[str, Any] | None = None,
    envelope: Mapping[str, Any] | None = None,
    query_secrets: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The names that every expression sees of a message; ``body`` and ``index`` are those of one of its events."""
    return {
        "document": document,
        "headers": header_values(headers),
        "query": {name: value for name, value in query_values(query).items() if name not in query_secrets},
        "attributes": dict(attributes or {}),
        "envelope": dict(envelope or {}),
    }


def _signed_form(query: str, form: Any) -> str:
    """The end of the text that ``{url}{sorted_form}`` signs: the same for every request that one signature fits."""
    pairs = {
        (name, item)
        for name, value in mapping(form).items()
        for item in (value if isinstance(value, list) else [value])
        if isinstance(item, str)
    }
    return query + "".join(name + value for name, value in sorted(pairs))


def header_values(headers: Headers) -> dict[str, str]:
    """Headers for expressions: lower-case names, the first value of each."""
    values: dict[str, str] = {}
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        values.setdefault(name.lower(), value)
    return values


def query_values(query: str) -> dict[str, str]:
    """A URL's query for expressions: the first value of each name; nothing of a query that can't be read."""
    values: dict[str, str] = {}
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        return values
    for name, value in fields:
        values.setdefault(name, value)
    return values


def _items(spec: PartnerSpecification, whole: Context) -> list[Any]:
    document = whole.names["document"]
    if spec.split is None:
        return [document]
    batch = spec.split.path.find(whole)
    if not isinstance(batch, list):
        if batch is not None or not spec.split.optional:
            raise PermanentDataError("batch-missing", f"there is no list of events at {spec.split.path.expression}")
        return [document]
    if len(batch) > MAX_BATCH_ITEMS:
        raise PermanentDataError("batch-too-large", f"a batch holds {len(batch)} events, over {MAX_BATCH_ITEMS}")
    return batch


def _object(spec: PartnerSpecification, item: Any, document: Any) -> dict[str, Any]:
    """One event of the partner."""
    if not isinstance(item, dict):
        code = "body-not-object" if item is document else "batch-item-not-object"
        raise PermanentDataError(code, "an event of a partner must be a JSON object")
    return item if spec.flatten is None else _flatten(spec.flatten, item)


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


def _metadata(  # noqa: PLR0913 - the parts of a message
    spec: PartnerSpecification, partner: str, ingress: Ingress, context: Context, notes: Notes, *, batch: bool
) -> Metadata:
    received = received_time(context.now)
    identity, native, neutral = _identity(spec, context, notes), *_types(spec, partner, context, notes)
    subject = _attribute(spec.subject, context, "subject", notes)
    group = _message_group(context.names["attributes"])
    sequence = _sequence(spec.sequence, context, notes)
    if group is not None:
        # Within a message group the queue's numbers are the order, whatever the partner counts.
        sequence = str(context.names["attributes"]["SequenceNumber"]).zfill(20)
    if sequence is not None and batch:
        sequence = f"{sequence}.{context.names['index']:06d}"
    return Metadata(
        id=identity,
        source=f"partner.{partner}",
        type=neutral,
        time=_time(spec, context, notes) or received,
        partner=partner,
        ingress=ingress,
        nativetype=native,
        recordedtime=received,
        partitionkey=_partition_key(spec, context, notes) or subject or identity,
        subject=subject,
        sequence=sequence,
        correlationid=_attribute(spec.correlationid, context, "correlationid", notes),
        causationid=_attribute(spec.causationid, context, "causationid", notes),
        traceparent=_attribute(spec.traceparent, context, "traceparent", notes),
    )


def _without_credentials(spec: PartnerSpecification, names: Mapping[str, Any]) -> dict[str, Any]:
    """What all events of a message share."""
    return {
        "document": redact_document(names["document"], spec.redact),
        "headers": clean_headers(spec, names["headers"]),
    }


def _data(spec: PartnerSpecification, context: Context, clean: Mapping[str, Any], notes: Notes) -> Any:
    body = redact(context.names["body"], spec.redact)
    if notes.thorough:
        notes.used |= {("redact", path.text) for path in spec.redact if path.is_in(context.names)}
    if spec.data is None:
        return body
    data = spec.data.find(Context({**context.names, **clean, "body": body}, 0.0, context.options))
    if data is None:
        raise PermanentDataError("data-missing", f"{spec.data.expression} selects nothing")
    return data


def _identity(spec: PartnerSpecification, context: Context, notes: Notes) -> str:
    value = spec.id.find(context)
    if value is None or value == "":
        raise PermanentDataError("id-missing", "the message has no event id at the place in the specification")
    if notes.thorough:
        notes.nothing("id", missing_parts(spec.id, context), context.names["index"])
    identity = identity_text(value)
    if identity != scalar_text(value):
        notes.fell_back("id", "is too long for a key; its SHA-256 takes its place", context.names["index"])
    return identity


def _types(spec: PartnerSpecification, partner: str, context: Context, notes: Notes) -> tuple[str, str]:
    """The partner's own type, and the one that rules match."""
    rule = spec.type
    value = rule.source.find(context)
    if value is None or value == "":
        raise PermanentDataError("type-missing", "the message has no type at the place in the specification")
    text = scalar_text(value)
    native = None if text is None else rule.table.get(text, text)
    if native is None or len(native) > MAX_TYPE_CHARACTERS or not native.isprintable():
        raise PermanentDataError(
            "type-invalid", f"an event's type must be printable text of at most {MAX_TYPE_CHARACTERS} characters"
        )
    if rule.allowed and native not in rule.allowed:
        raise PermanentDataError("type-not-allowed", "the specification does not list this type")
    qualifier = None if rule.qualifier is None else scalar_text(rule.qualifier.find(context))
    rows = [native] if qualifier is None else [f"{native}/{qualifier}", native]
    row = next((row for row in rows if row in spec.types), None)
    neutral = untranslated(spec, partner, native) if row is None else spec.types[row]
    if notes.thorough:
        _note_types(spec, context, notes, rows=rows, row=row, entry=text or "", becomes=neutral)
    return native, neutral


def _note_types(  # noqa: PLR0913 - keywords
    spec: PartnerSpecification,
    context: Context,
    notes: Notes,
    *,
    rows: list[str],
    row: str | None,
    entry: str,
    becomes: str,
) -> None:
    rule, index = spec.type, context.names["index"]
    notes.used |= {("types", row or ""), ("type.table", entry)}
    if rule.qualifier is not None:
        notes.nothing("type.qualifier", missing_parts(rule.qualifier, context), index)
    if rule.table and entry not in rule.table:
        notes.nothing("type.table", [f"has no entry {entry!r}, which stays as it is"], index)
    if spec.types and row is None:
        fate = "stays as it is" if becomes in rows else f"is another's, and becomes {becomes}"
        notes.nothing("types", [f"has no row {' or '.join(map(repr, rows))}; the type {fate}"], index)


def _attribute(source: ValueExpression | None, context: Context, name: str, notes: Notes) -> str | None:
    if source is None:
        return None
    value, index = source.find(context), context.names["index"]
    if notes.thorough:
        notes.nothing(name, missing_parts(source, context), index)
    return optional_attribute(name, value, notes, index)


def _message_group(attributes: Mapping[str, Any]) -> str | None:
    """The group of a FIFO queue's message."""
    group, number = (scalar_text(attributes.get(name)) for name in ("MessageGroupId", "SequenceNumber"))
    return None if number is None else group


def _partition_key(spec: PartnerSpecification, context: Context, notes: Notes) -> str | None:
    """The ordering key that the message has; the event's subject or id takes its place."""
    group = scalar_text(context.names["attributes"].get("MessageGroupId"))
    return group or _attribute(spec.partitionkey, context, "partitionkey", notes)


_NUMBERS: Final = pattern(r"\d+(?:[.:/_-]\d+)+", re.ASCII)


def _sequence(rule: SequenceRule | None, context: Context, notes: Notes) -> str | None:
    text = None if rule is None else _attribute(rule.source, context, "sequence", notes)
    if rule is None or text is None or rule.pad == "none":
        return text
    if rule.pad == "right":
        return text.ljust(rule.width, "0")
    if isinstance(rule.source.find(context), float):
        whole, point, fraction = text.partition(".")
        return whole.rjust(rule.width, "0") + point + fraction
    if _NUMBERS.fullmatch(text):
        return re.sub(r"\d+", lambda digits: digits.group().rjust(rule.width, "0"), text)
    return text.rjust(rule.width, "0")


def _time(spec: PartnerSpecification, context: Context, notes: Notes) -> str | None:
    if spec.time is None:
        return None
    value, index = spec.time.source.find(context), context.names["index"]
    moment = parse_time(value, unit=spec.time.unit, zone=spec.time.zone)
    if moment is not None:
        return rfc3339(moment)
    if value is None or value == "":
        reason = "selects nothing"
    elif parse_time(value, unit=spec.time.unit, zone="UTC") is not None:
        reason = "has no offset, and the specification no zone"
    else:
        reason = "can't be read"
    notes.fell_back("time", f"{reason}; the time of receipt takes its place", index)
    return None


def received_time(now: float) -> str:
    """``now`` (epoch seconds) in the envelope's form."""
    return rfc3339(datetime.fromtimestamp(now, tz=UTC))


def _with_distinct_ids(events: Mapping[int, Event]) -> dict[int, Event]:
    """Make ids in a batch distinct: equal events become one, different ones with the same id get their position."""
    if len({event.metadata.id for event in events.values()}) == len(events):
        return dict(events)
    variants: dict[str, dict[bytes, int]] = {}
    for index, event in events.items():
        variants.setdefault(event.metadata.id, {}).setdefault(canonical(event.data), index)
    distinct = {
        index: events[index] if len(places) == 1 else _at(events[index], index)
        for places in variants.values()
        for index in places.values()
    }
    return {index: distinct[index] for index in sorted(distinct)}


def _at(event: Event, index: int) -> Event:
    return replace(event, metadata=replace(event.metadata, id=f"{event.metadata.id}/{index}"))
