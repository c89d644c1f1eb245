"""Private networks that a function must be able to reach: it has a way there from a VPC alone.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html. Like ``references``, it reads plain values, and
leaves malformed ones to the model.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from media_events_kit.infra.documents.yaml_document import Path, Report, members_of, text_of

_MESSAGE = (
    "no function outside a VPC reaches a private network: set settings.vpc, or vpc of {hop} "
    "(127.0.0.0/8 and ::1/128 alone are for the local cloud)"
)


def check_private_networks(report: Report) -> None:
    """Note ``allowed_private_cidrs`` of hops whose functions are in no VPC."""
    root = report.document.value
    if members_of(members_of(root, "settings"), "vpc"):
        return
    destinations = members_of(root, "destinations")
    for name, route in members_of(root, "routes").items():
        destination = text_of(route, "destination")
        if _is_private(destinations.get(destination)) and not members_of(route, "vpc"):
            path: Path = ("destinations", destination, "allowed_private_cidrs")
            report.wrong(path, _MESSAGE.format(hop=f'route "{name}"'))
    for name, transform in members_of(root, "transforms").items():
        if not members_of(transform, "vpc"):
            for lookup in _private_lookups(name, transform):
                report.wrong(lookup, _MESSAGE.format(hop=f'transform "{name}"'))


def _private_lookups(name: str, transform: Any) -> Iterator[Path]:
    steps = transform.get("steps") if isinstance(transform, dict) else None
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        if _is_private(members_of(step, "lookup").get("http")):
            yield ("transforms", name, "steps", index, "lookup", "http", "allowed_private_cidrs")


def _is_private(http: Any) -> bool:
    """Whether there is a network other than this machine's own, which the local cloud's functions reach."""
    networks = http.get("allowed_private_cidrs") if isinstance(http, Mapping) else None
    return isinstance(networks, list) and any(_is_elsewhere(each) for each in networks if isinstance(each, str))


def _is_elsewhere(network: str) -> bool:
    try:
        return not ipaddress.ip_network(network, strict=False).is_loopback
    except ValueError:
        return False
