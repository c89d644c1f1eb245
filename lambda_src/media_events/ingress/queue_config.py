"""The configuration document of a queue ingress: its partners and their sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, cast, get_args

from media_events.core.config_fields import Fields
from media_events.core.configuration import ConfigurationError
from media_events.core.value_classes import dataclass
from media_events.ingress.partner_config import parse_partner_objects, read_specification
from media_events.partners.redaction import RedactedPath
from media_events.partners.specification import FOURTEEN_DAYS, PartnerSpecification

QueueIngress = Literal["sqs", "sns-fifo", "partner-bus", "custom-bus"]

QUEUE_INGRESSES: Final = cast("tuple[QueueIngress, ...]", get_args(QueueIngress))
BUSES: Final = ("partner-bus", "custom-bus")

OWN_SOURCES: Final = "partner."
"""The source of every event that the system itself publishes begins so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePartner:
    """A partner of this ingress. Without a specification it must send the envelope.

    ``sources`` are those of its EventBridge events: exact, or a prefix followed by ``*``.
    """

    name: str
    specification: PartnerSpecification | None = None
    sources: tuple[str, ...] = ()

    @property
    def keep_seconds(self) -> int:
        """How long a duplicate of one of its events is recognised."""
        return FOURTEEN_DAYS if self.specification is None else self.specification.dedup_window_seconds

    @property
    def redactions(self) -> tuple[RedactedPath, ...]:
        """Paths of credentials in its messages."""
        return () if self.specification is None else self.specification.redact


def parse_queue_ingress(text: str) -> QueueIngress:
    """Read the setting ``INGRESS``.

    Raises:
        ConfigurationError: it is none of :data:`QUEUE_INGRESSES`.
    """
    if text not in QUEUE_INGRESSES:
        raise ConfigurationError([f"INGRESS: must be one of {', '.join(QUEUE_INGRESSES)}, not {text!r}"])
    return text


def parse_queue_partners(document: Any, ingress: QueueIngress) -> tuple[QueuePartner, ...]:
    """Read ``partners`` of the configuration document.

    Raises:
        ConfigurationError: naming every partner, field and source that is wrong.
    """
    problems: list[str] = []
    partners = parse_partner_objects(document, lambda name, fields: _partner(name, fields, ingress), problems)
    if ingress not in BUSES and len(document) > 1:
        problems.append(f"partners: has {len(document)} partners; a queue's records don't name their partner: name one")
    problems.extend(_overlaps(partners))
    if problems:
        raise ConfigurationError(problems)
    return tuple(partners)


def _partner(name: str, fields: Fields, ingress: QueueIngress) -> QueuePartner | None:
    sources = _sources(fields, ingress)
    if ingress == "custom-bus" and not fields.has("specification"):
        fields.take("specification")
        specification = None
    else:
        specification = read_specification(fields)
        if specification is None:
            return None
    fields.done()
    return QueuePartner(name=name, specification=specification, sources=sources)


def _sources(fields: Fields, ingress: QueueIngress) -> tuple[str, ...]:
    value = fields.take("sources")
    if ingress not in BUSES:
        if value is not None:
            fields.problem("sources", "is for buses; a queue's records have no source")
        return ()
    if not isinstance(value, list) or not value:
        fields.problem("sources", "must be a list of EventBridge sources, such as aws.mediaconvert")
        return ()
    for source in value:
        if not isinstance(source, str) or not source or "*" in source[:-1]:
            fields.problem("sources", f"{source!r} must be a source, or the prefix of several followed by *")
        elif ingress == "custom-bus" and _overlap(source, OWN_SOURCES + "*"):
            fields.problem(
                "sources",
                f"{source!r} takes what the system itself publishes ({OWN_SOURCES}*): events would go round in a loop",
            )
    return tuple(source for source in value if isinstance(source, str))


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
    return covers(one, other.removesuffix("*")) or covers(other, one.removesuffix("*"))


def covers(pattern: str, source: str) -> bool:
    """Whether an event's ``source`` is the one named, or begins with the prefix before ``*``."""
    return source.startswith(pattern[:-1]) if pattern.endswith("*") else source == pattern
