"""The configuration document of a queue ingress: its partners and their sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from media_events.core.configuration import PARTNER_NAME, ConfigurationError
from media_events.messaging.idempotency import RETENTION_SECONDS
from media_events.partners.specification import PartnerSpecification, SpecificationError, parse_specification

QueueIngress = Literal["sqs", "sns-fifo", "partner-bus", "custom-bus"]

QUEUE_INGRESSES: Final[tuple[QueueIngress, ...]] = ("sqs", "sns-fifo", "partner-bus", "custom-bus")

OWN_SOURCES: Final = "partner."
"""What the kit publishes has a source that begins so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePartner:
    """A partner that comes this way. Without a specification it must speak the envelope.

    ``sources`` are those of its EventBridge events: exact, or a beginning followed by ``*``.
    """

    name: str
    specification: PartnerSpecification | None = None
    sources: tuple[str, ...] = ()

    @property
    def keep_seconds(self) -> int:
        """How long a duplicate of one of its events is recognised."""
        return RETENTION_SECONDS if self.specification is None else self.specification.dedup_window_seconds

    @property
    def redactions(self) -> tuple[str, ...]:
        """Paths of credentials in its messages."""
        return () if self.specification is None else self.specification.redact


def parse_queue_ingress(text: str) -> QueueIngress:
    """Read the setting ``INGRESS``.

    Raises:
        ConfigurationError: it is none of :data:`QUEUE_INGRESSES`.
    """
    if text not in QUEUE_INGRESSES:
        raise ConfigurationError([f"INGRESS must be one of {', '.join(QUEUE_INGRESSES)}, not {text!r}"])
    return text


def parse_queue_partners(document: Any, ingress: QueueIngress) -> tuple[QueuePartner, ...]:
    """Read ``partners`` of the configuration document.

    Raises:
        ConfigurationError: naming every partner, field and source that is wrong.
    """
    if not isinstance(document, Mapping) or not document:
        raise ConfigurationError(["partners must be an object with at least one partner"])
    problems: list[str] = []
    partners = [_parse_queue_partner(name, value, ingress, problems) for name, value in document.items()]
    if ingress not in _BUSES and len(document) > 1:
        problems.append(f"partners has {len(document)} partners; a queue's records don't say whose they are: name one")
    found = tuple(partner for partner in partners if partner is not None)
    problems.extend(_overlaps(found))
    if problems:
        raise ConfigurationError(problems)
    return found


def _parse_queue_partner(name: str, value: Any, ingress: QueueIngress, problems: list[str]) -> QueuePartner | None:
    where = f"partners.{name}"
    if not PARTNER_NAME.fullmatch(name):
        problems.append(f"{where}: a partner's name has lower-case letters, digits, - and _, 63 characters at most")
    if not isinstance(value, Mapping):
        problems.append(f'{where} must be an object with a specification, such as {{"preset": "mux"}}')
        return None
    problems.extend(
        f"{where}.{key} is unknown here; a partner has specification and sources"
        for key in value
        if key not in ("specification", "sources")
    )
    sources = _parse_sources(where, value.get("sources"), ingress, problems)
    given = value.get("specification")
    if given is None and ingress == "custom-bus":
        return QueuePartner(name=name, sources=sources)
    if not isinstance(given, Mapping):
        problems.append(f'{where}.specification must be an object, such as {{"preset": "mux"}}')
        return None
    try:
        return QueuePartner(name=name, specification=parse_specification(given), sources=sources)
    except SpecificationError as error:
        problems.extend(f"{where}.specification.{problem}" for problem in error.problems)
        return None


def _parse_sources(where: str, value: Any, ingress: QueueIngress, problems: list[str]) -> tuple[str, ...]:
    if ingress not in _BUSES:
        if value is not None:
            problems.append(f"{where}.sources is for buses; a queue's records have no source")
        return ()
    if not isinstance(value, list) or not value:
        problems.append(f"{where}.sources must be a list of EventBridge sources, such as aws.mediaconvert")
        return ()
    sources: list[str] = []
    for source in value:
        if not isinstance(source, str) or not source or "*" in source[:-1]:
            problems.append(f"{where}.sources: {source!r} must be a source, or the beginning of some followed by *")
        elif ingress == "custom-bus" and _overlap(source, OWN_SOURCES + "*"):
            problems.append(
                f"{where}.sources: {source!r} takes what the kit itself publishes ({OWN_SOURCES}*): events would go "
                "round in a loop"
            )
        else:
            sources.append(source)
    return tuple(sources)


def _overlaps(partners: Sequence[QueuePartner]) -> Iterator[str]:
    named = [(partner.name, source) for partner in partners for source in partner.sources]
    for index, (name, source) in enumerate(named):
        for other, another in named[:index]:
            if name != other and _overlap(source, another):
                yield (
                    f"partners.{name}.sources: {source!r} and {another!r} of {other} overlap; an event must belong to "
                    "one partner"
                )


def _overlap(one: str, other: str) -> bool:
    return _covers(one, other.removesuffix("*")) or _covers(other, one.removesuffix("*"))


_BUSES: Final = ("partner-bus", "custom-bus")


def _covers(pattern: str, source: str) -> bool:
    return source.startswith(pattern[:-1]) if pattern.endswith("*") else source == pattern
