"""Partners that send the envelope themselves: their events are validated, and lose the control attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from media_events.core.envelope import CONTROL_ATTRIBUTES, SPECVERSION, EnvelopeError, Event, Ingress, Metadata
from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import mapping
from media_events.partners.attributes import OPTIONAL_ATTRIBUTES, identity_text, optional_attribute, printable
from media_events.partners.neutral_types import untranslated
from media_events.partners.normalization import received_time
from media_events.partners.notes import Notes
from media_events.partners.specification import MAX_TYPE_CHARACTERS, PartnerSpecification
from media_events.partners.timestamps import parse_time, rfc3339

_MAX_CHARACTERS: Final = 2_048
_LIMITS: Final = {"type": MAX_TYPE_CHARACTERS, "nativetype": MAX_TYPE_CHARACTERS}


def is_envelope(detail: Any) -> bool:
    """Whether a ``Detail`` claims to be an envelope: CloudEvents ``metadata``, and ``data``."""
    return (
        isinstance(detail, Mapping)
        and isinstance(detail.get("metadata"), Mapping)
        and detail["metadata"].get("specversion") == SPECVERSION
        and "data" in detail
    )


def validate_envelope(  # noqa: PLR0913 - keywords
    detail: Any,
    *,
    partner: str,
    ingress: Ingress,
    now: float,
    specification: PartnerSpecification | None = None,
    notes: Notes | None = None,
) -> Event:
    """The event of a partner that sends the envelope. An optional attribute that is unusable is cleaned or left out.

    If there is a ``specification``, its ``type.allowed`` and its rule for neutral types hold for the envelope's, too.

    Its control attributes (``CONTROL_ATTRIBUTES``: ``dataref``, ``redrive``, ``hops``, …) are replaced by ours, and
    ``source`` is the configured partner, whatever the event says. ``now`` is epoch seconds.

    Raises:
        PermanentDataError: ``envelope-invalid``, naming every attribute that is missing or wrong; ``type-not-allowed``.
    """
    metadata = mapping(detail).get("metadata")
    if not isinstance(metadata, Mapping):
        raise PermanentDataError("envelope-invalid", "detail.metadata must be an object")
    sent = {name: value for name, value in metadata.items() if name not in CONTROL_ATTRIBUTES and value is not None}
    for name in OPTIONAL_ATTRIBUTES:
        sent[name] = optional_attribute(name, sent.get(name), Notes() if notes is None else notes)
    if isinstance(sent.get("id"), str) and sent["id"]:
        sent["id"] = _identity(sent["id"])
    sent = {name: value for name, value in sent.items() if value is not None}
    received = received_time(now)
    attributes: dict[str, Any] = {
        "nativetype": sent.get("type"),
        "time": received,
        "partitionkey": sent.get("subject") or sent.get("id"),
        **sent,
        "source": f"partner.{partner}",
        "partner": partner,
        "ingress": ingress,
        "recordedtime": received,
    }
    try:
        event = Event.from_detail({"metadata": attributes, "data": detail.get("data")})
    except EnvelopeError as error:
        raise PermanentDataError("envelope-invalid", "; ".join(error.problems)) from None
    problems = [
        f"metadata.{name} must be printable text of at most {_LIMITS.get(name, _MAX_CHARACTERS)} characters"
        for name, value in event.metadata.to_dict().items()
        if isinstance(value, str) and (len(value) > _LIMITS.get(name, _MAX_CHARACTERS) or not _printable(name, value))
    ]
    moment = parse_time(event.metadata.time, unit="iso")
    if moment is None:
        problems.append("metadata.time must be an RFC 3339 time with an offset")
    if "data" not in detail:
        problems.append("detail.data is missing")
    if problems or moment is None:
        raise PermanentDataError("envelope-invalid", "; ".join(problems))
    kind = _type(event.metadata, specification)
    return Event.from_detail(
        {"metadata": {**attributes, "type": kind, "time": rfc3339(moment)}, "data": detail["data"]}
    )


def _printable(name: str, value: str) -> bool:
    # Types are compared and routed by, so nothing in them may be invisible.
    return value.isprintable() if name in _LIMITS else printable(value)


def _type(metadata: Metadata, specification: PartnerSpecification | None) -> str:
    """The event's type, as far as a message in the partner's own form could have it.

    Raises:
        PermanentDataError: ``type-not-allowed``.
    """
    if specification is None:
        return metadata.type
    allowed, types = specification.type.allowed, specification.types
    if allowed:
        neutral = {types.get(native, native) for native in allowed}
        neutral |= {name for key, name in types.items() if key.rpartition("/")[0] in allowed}
        if metadata.type not in neutral or metadata.nativetype not in allowed | neutral:
            raise PermanentDataError("type-not-allowed", "the specification does not list this type")
        return metadata.type
    is_translated = metadata.type in types.values()
    return metadata.type if is_translated else untranslated(specification, metadata.partner, metadata.type)


def _identity(value: str) -> str:
    try:
        return identity_text(value)
    except PermanentDataError as error:
        raise PermanentDataError("envelope-invalid", f"metadata.id: {error.message}") from None
