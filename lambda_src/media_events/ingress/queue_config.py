"""The configuration document of a queue ingress: its partners and their sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from media_events.core.configuration import PARTNER_NAME, ConfigurationError
from media_events.messaging.idempotency import RETENTION_SECONDS
from media_events.partners.specification import PartnerSpecification, SpecificationError, parse_specification

QueueEntry = Literal["sqs", "sns-fifo", "partner-bus", "custom-bus"]

QUEUE_ENTRIES: Final[tuple[QueueEntry, ...]] = ("sqs", "sns-fifo", "partner-bus", "custom-bus")

OWN_SOURCES: Final = "partner."
"""What the kit publishes has a source that begins so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
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


def parse_entry(text: str) -> QueueEntry:
    """Read the setting ``ENTRY``.

    Raises:
        ConfigurationError: it is none of :data:`QUEUE_ENTRIES`.
    """
    if text not in QUEUE_ENTRIES:
        raise ConfigurationError([f"ENTRY must be one of {', '.join(QUEUE_ENTRIES)}, not {text!r}"])
    return text


def parse_entrants(document: Any, entry: QueueEntry) -> tuple[Entrant, ...]:
    """Read ``partners`` of the configuration document.

    Raises:
        ConfigurationError: naming every partner, field and source that is wrong.
    """
    if not isinstance(document, Mapping) or not document:
        raise ConfigurationError(["partners must be an object with at least one partner"])
    problems: list[str] = []
    entrants = [_parse_entrant(name, value, entry, problems) for name, value in document.items()]
    if entry not in _BUSES and len(document) > 1:
        problems.append(f"partners has {len(document)} partners; a queue's records don't say whose they are: name one")
    found = tuple(entrant for entrant in entrants if entrant is not None)
    problems.extend(_overlaps(found))
    if problems:
        raise ConfigurationError(problems)
    return found


def _parse_entrant(name: str, value: Any, entry: QueueEntry, problems: list[str]) -> Entrant | None:
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
    sources = _parse_sources(where, value.get("sources"), entry, problems)
    given = value.get("specification")
    if given is None and entry == "custom-bus":
        return Entrant(name=name, sources=sources)
    if not isinstance(given, Mapping):
        problems.append(f'{where}.specification must be an object, such as {{"preset": "mux"}}')
        return None
    try:
        return Entrant(name=name, specification=parse_specification(given), sources=sources)
    except SpecificationError as error:
        problems.extend(f"{where}.specification.{problem}" for problem in error.problems)
        return None


def _parse_sources(where: str, value: Any, entry: QueueEntry, problems: list[str]) -> tuple[str, ...]:
    if entry not in _BUSES:
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
        elif entry == "custom-bus" and _overlap(source, OWN_SOURCES + "*"):
            problems.append(
                f"{where}.sources: {source!r} takes what the kit itself publishes ({OWN_SOURCES}*): events would go "
                "round in a loop"
            )
        else:
            sources.append(source)
    return tuple(sources)


def _overlaps(entrants: Sequence[Entrant]) -> Iterator[str]:
    named = [(entrant.name, source) for entrant in entrants for source in entrant.sources]
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
