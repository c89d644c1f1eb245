"""Has the systems of others played on this machine: their addresses in a synthesised stack, and what must be there.

The stack for the local cloud is changed after synthesis, so a workflow file needs no word about it. Pure.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from media_events.core.json_fields import mapping, text
from media_events_kit.ops.demo.fake_systems import TOKENS

ACCOUNT: Final = "000000000000"
LOOPBACK: Final = "127.0.0.0/8"
CONNECTION: Final = f"arn:aws:events:us-east-1:{ACCOUNT}:connection/media-events-stand-in"
"""Of all API destinations; the one that is made has another end."""

_ARN: Final = re.compile(r"arn:[a-z-]+:(?P<service>[a-z]+):[a-z0-9-]+:\d{12}:(?P<name>\S+)")
_SECRET: Final = re.compile(r"arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+")
_ARNS: Final = {
    "sqs": "queue_arn",
    "sns": "topic_arn",
    "event_bus": "bus_arn",
    "lambda": "function_arn",
    "firehose": "stream_arn",
    "step_functions": "state_machine_arn",
}
"""The setting of each kind of target that names somebody's resource."""


@dataclass(slots=True)
class StandIns:
    """What is played. ``receivers`` are systems by HTTP, by destination, with the addresses that they have in truth.

    ``resources`` are the local ARNs of others' queues, topics and so on, with their kinds; ``secrets`` are the ARNs of
    the secrets that the workflow names, ``connections`` those of the connections of its API destinations.
    """

    receivers: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)


def played(document: Mapping[str, Any], *, region: str, receiver: str) -> tuple[dict[str, Any], StandIns]:
    """A stack's document in which ``receiver`` (a URL) and the local account stand in for others, and their list."""
    changed = copy.deepcopy(dict(document))
    found = StandIns()
    router = mapping(mapping(changed.get("module")).get("router"))
    for route in mapping(router.get("routes")).values():
        destination = str(route.get("destination"))
        for kind, settings in mapping(route.get("target")).items():
            if kind in ("http", "api_destination"):
                _play_http(destination, kind, settings, receiver, found)
            elif kind in _ARNS:
                _play_arn(kind, settings, region, found)
    found.secrets = sorted({*_SECRET.findall(json.dumps(router).replace('\\"', '"'))})
    return changed, found


def _play_http(destination: str, kind: str, settings: dict[str, Any], receiver: str, found: StandIns) -> None:
    url = text(settings.get("url"))
    if url is None or "${" in url or _is_here(url):
        return
    found.receivers[destination] = url
    settings["url"] = f"{receiver}/{destination}"
    settings["allow_http"] = True
    if kind == "api_destination":
        settings.pop("path_values", None)
        # The module makes a connection by CloudFormation, which the local cloud has not.
        settings.pop("auth", None)
        settings["connection"] = {"arn": CONNECTION}
        found.connections = [CONNECTION]
        return
    settings["allowed_private_cidrs"] = [*dict.fromkeys([*settings.get("allowed_private_cidrs", []), LOOPBACK])]
    # No authority has signed a certificate of the receiver, and it asks nobody for one.
    settings.pop("tls", None)
    if "token_url" in settings.get("auth", {}):
        settings["auth"]["token_url"] = f"{receiver}/{destination}/{TOKENS}"


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _play_arn(kind: str, settings: dict[str, Any], region: str, found: StandIns) -> None:
    name = _ARNS[kind]
    arn = text(settings.get(name))
    match = None if arn is None or "${" in arn else _ARN.fullmatch(arn)
    if arn is None or match is None:
        return
    local = f"arn:aws:{match['service']}:{region}:{ACCOUNT}:{match['name']}"
    settings[name] = local
    if kind == "sqs" and "queue_url" in settings:
        settings["queue_url"] = f"https://sqs.{region}.amazonaws.com/{ACCOUNT}/{match['name']}"
    found.resources[local] = kind


def with_arns(document: Mapping[str, Any], arns: Mapping[str, str]) -> dict[str, Any]:
    """``document`` with the ARNs of secrets and connections replaced, old to new, in every text of the router's."""
    changed = dict(document)
    modules = dict(mapping(changed.get("module")))
    if arns and "router" in modules:
        modules["router"] = _replaced(modules["router"], arns)
        changed["module"] = modules
    return changed


def _replaced(value: Any, arns: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for old, new in arns.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, dict):
        return {name: _replaced(inner, arns) for name, inner in value.items()}
    return [_replaced(inner, arns) for inner in value] if isinstance(value, list) else value


def auth_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each secret that the router's targets authenticate with, and how (``standard-webhooks``, ``basic`` …)."""
    for route in mapping(mapping(mapping(document.get("module")).get("router")).get("routes")).values():
        for settings in mapping(route.get("target")).values():
            auth = mapping(mapping(settings).get("auth"))
            if text(auth.get("secret_arn")) is not None:
                yield str(auth["secret_arn"]), str(auth.get("type"))
