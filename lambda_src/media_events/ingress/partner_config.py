"""``partners`` in an ingress's configuration document: an object for each partner, by the partner's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from media_events.core.config_fields import Fields
from media_events.core.configuration import PARTNER_NAME, ConfigurationError
from media_events.partners.specification import PartnerSpecification, SpecificationError, parse_specification

T = TypeVar("T")


def parse_partner_objects(document: Any, parse: Callable[[str, Fields], T | None], problems: list[str]) -> list[T]:
    """Each partner as ``parse`` reads it; a partner that can't be read only adds to ``problems``.

    Raises:
        ConfigurationError: there are no partners at all.
    """
    if not isinstance(document, Mapping) or not document:
        raise ConfigurationError(["partners: must be an object with at least one partner"])
    partners = []
    for name, value in document.items():
        fields = Fields(value, f"partners.{name}", problems)
        if not PARTNER_NAME.fullmatch(name):
            fields.problem("", "a partner's name has lower-case letters, digits, - and _, 63 characters at most")
        if isinstance(value, Mapping):
            partners.append(parse(name, fields))
    return [partner for partner in partners if partner is not None]


def read_specification(fields: Fields) -> PartnerSpecification | None:
    """A partner's ``specification``; ``None`` after a problem."""
    value = fields.take("specification")
    if not isinstance(value, Mapping):
        fields.problem("specification", 'must be an object, such as {"preset": "mux"}')
        return None
    try:
        return parse_specification(value)
    except SpecificationError as error:
        fields.problems.extend(f"{fields.at('specification')}.{problem}" for problem in error.problems)
        return None
