"""The workflow that changes while events run through it, and its hardest changes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Workflow = dict[str, Any]

DESTINATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "ready": ("cms", "plain", "archive"),
    "raw": ("search",),
}
"""Whom the events of each kind must reach, once, whatever changes meanwhile."""

_HOUSE: Final = {"id": "body.id", "type": "body.type", "time": "body.occurredAt", "subject": "body.assetId"}
_FAILING: Final = {
    "max_receive_count": 3,
    "retry": {"base_seconds": 1, "max_seconds": 4},
    "redrive": {"max_count": 3, "base_delay_seconds": 2, "max_delay_seconds": 10},
}


SMALL_ENTRIES: Final = ("webhook", "sqs")
"""The ingresses of the small workflow."""
SMALL_DESTINATIONS: Final[Mapping[str, tuple[str, ...]]] = {"ready": ("plain", "archive"), "raw": ("search",)}
"""Whom its events must reach: a function from a queue and a rule by itself, with and without a transform."""

CONNECTION: Final = "changing-search"
"""The connection of the API destination; whoever runs the changes makes it, and puts its ARN under this name."""
KEY: Final = "changing-key"
"""The customer managed key, likewise."""


def workflow(port: int, *, small: bool = False) -> Workflow:
    """The workflow before any change; receivers listen on ``port``."""

    def receiver(name: str) -> dict[str, Any]:
        return {
            "type": "http",
            "url": f"http://127.0.0.1:{port}/{name}",
            "allow_http": True,
            "allowed_private_cidrs": ["127.0.0.0/8"],
        }

    def route(kind: str, **more: Any) -> dict[str, Any]:
        taken = {
            "pattern": {"detail-type": [f"chaos.{kind}"]},
            "stage": "received",
            "maximum_concurrency": 2,
        }
        return taken | more

    whole: Workflow = {
        "name": "changing",
        "ingress": {
            "webhook": {"type": "webhook", "throttle": {"rate": 1000, "burst": 1000}},
            "queue": {"type": "sqs", "maximum_concurrency": 2},
            "topic": {"type": "sns-fifo", "maximum_concurrency": 2},
            "saas": {
                "type": "partner-bus",
                "event_source_name": "aws.partner/media-partner.example.com/tenant-0001/assets",
                "maximum_concurrency": 2,
            },
            "studio": {"type": "custom-bus", "maximum_concurrency": 2},
        },
        "partners": {
            "mux": {"specification": "mux", "ingress": ["webhook", "queue"]},
            "assets": {"specification": _HOUSE, "ingress": "topic"},
            "media-partner": {
                "specification": _HOUSE,
                "ingress": "saas",
                "sources": ["aws.partner/media-partner.example.com/tenant-0001/assets", "played.media-partner"],
            },
            "approvals": {"specification": _HOUSE, "ingress": "studio", "sources": ["media.partner.example"]},
        },
        "transforms": {
            "enrich": {
                "pattern": {"detail-type": ["chaos.raw"]},
                "steps": [{"set": {"enriched": True}}],
                "maximum_concurrency": 2,
            }
        },
        "destinations": {
            "cms": receiver("cms"),
            "plain": receiver("plain"),
            "search": receiver("search"),
            "archive": {"type": "sqs", "queue_arn": "arn:aws:sqs:us-east-1:000000000000:changing-archive"},
        },
        "routes": {
            "cms": route("ready", destination="cms"),
            "plain": route("ready", destination="plain"),
            "search": route("raw", destination="search", stage="transformed"),
            "archive": {
                "pattern": {"detail-type": ["chaos.ready"]},
                "stage": "received",
                "destination": "archive",
            },
        },
        "failure": _FAILING,
        "bus": {"archive": None},
        "dashboard": False,
        "environments": {"local": {"region": "us-east-1", "deletion_protection": False}},
    }
    if small:
        whole["ingress"] = {name: whole["ingress"][name] for name in ("webhook", "queue")}
        whole["partners"] = {"mux": whole["partners"]["mux"]}
        del whole["routes"]["cms"], whole["destinations"]["cms"]
        # A third of all resources, and none that an event meets.
        whole["settings"] = {"alarms": {"enabled": False}}
    return whole


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the workflow; senders of the ingresses ``before`` pause during it: a topic goes, say."""

    name: str
    make: Callable[[Workflow], None]
    before: tuple[str, ...] = ()

    def __call__(self, before: Workflow) -> Workflow:
        """The workflow after it."""
        after = copy.deepcopy(before)
        self.make(after)
        return after


def _renamed(section: Workflow, old: str, new: str) -> None:
    member = section.pop(old)
    section[new] = member | {"formerly": [*member.get("formerly", ()), old]}


def _rename(whole: Workflow) -> None:
    _renamed(whole["routes"], "plain", "to-desk")
    _renamed(whole["destinations"], "plain", "desk")
    whole["routes"]["to-desk"]["destination"] = "desk"
    _renamed(whole["transforms"], "enrich", "complete")


def _rename_ingress(whole: Workflow) -> None:
    _renamed(whole["ingress"], "studio", "applications")
    whole["partners"]["approvals"]["ingress"] = "applications"


def _configure(whole: Workflow) -> None:
    whole["destinations"]["cms"] |= {"headers": {"X-Version": "2"}, "mode": "binary"}
    whole["transforms"] = {name: one | {"memory_mb": 320} for name, one in whole["transforms"].items()}
    whole["failure"] = {**_FAILING, "max_receive_count": 4}


def _to_strict(whole: Workflow) -> None:
    whole["destinations"]["cms"] |= {"ordering": "strict", "strict": {"reorder_seconds": 2, "on_failure": "park"}}


def _from_strict(whole: Workflow) -> None:
    del whole["destinations"]["cms"]["strict"]
    whole["destinations"]["cms"]["ordering"] = "none"


def _retire(whole: Workflow, name: str) -> None:
    """Keep a route as it is, until what waits in it is gone."""
    route = whole["routes"][name]
    destination = {route["destination"]: copy.deepcopy(whole["destinations"][route["destination"]])}
    retired = whole.setdefault("retired", {"routes": {}, "destinations": {}})
    retired["routes"][name] = copy.deepcopy(route)
    retired["destinations"] |= destination


def _to_direct(whole: Workflow) -> None:
    _retire(whole, "cms")
    whole["routes"]["cms"]["invocation"] = "direct"
    del whole["routes"]["cms"]["maximum_concurrency"]


def _to_queue(whole: Workflow) -> None:
    _retire(whole, "cms")
    del whole["routes"]["cms"]["invocation"]


def _to_function(whole: Workflow) -> None:
    _retire(whole, "archive")
    whole["destinations"]["archive"]["mode"] = "envelope"


def _to_rule(whole: Workflow) -> None:
    _retire(whole, "archive")
    del whole["destinations"]["archive"]["mode"]


def _widen(whole: Workflow) -> None:
    whole["routes"]["cms"]["pattern"] = {"detail-type": ["chaos.ready", "chaos.other"]}
    whole["routes"]["archive"]["pattern"] = {"detail-type": [{"prefix": "chaos.ready"}]}


def _to_api_destination(whole: Workflow) -> None:
    """EventBridge itself calls the same receiver."""
    _retire(whole, "search")
    called = {name: whole["destinations"]["search"][name] for name in ("url", "allow_http")}
    whole["destinations"]["search"] = called | {"type": "api-destination", "connection": {"arn": f"<{CONNECTION}>"}}
    del whole["routes"]["search"]["maximum_concurrency"]


def _to_http(whole: Workflow) -> None:
    _retire(whole, "search")
    called = {name: whole["destinations"]["search"][name] for name in ("url", "allow_http")}
    whole["destinations"]["search"] = called | {"type": "http", "allowed_private_cidrs": ["127.0.0.0/8"]}
    whole["routes"]["search"]["maximum_concurrency"] = 2


def _to_topic(whole: Workflow) -> None:
    whole["ingress"]["queue"] |= {"type": "sns-fifo", "fifo": False}


def _to_entry_queue(whole: Workflow) -> None:
    del whole["ingress"]["queue"]["fifo"]
    whole["ingress"]["queue"]["type"] = "sqs"


def _with_key(whole: Workflow) -> None:
    whole["settings"] = {"kms_key": {"arn": f"<{KEY}>"}}


def _without_key(whole: Workflow) -> None:
    del whole["settings"]


def _with_snap_start(whole: Workflow) -> None:
    whole["settings"] = {**whole.get("settings", {}), "snap_start": True}


def _without_snap_start(whole: Workflow) -> None:
    del whole["settings"]["snap_start"]


def _all(*makes: Callable[[Workflow], None]) -> Callable[[Workflow], None]:
    """Several changes of different hops in one apply: each apply takes a minute or more."""

    def make(whole: Workflow) -> None:
        for each in makes:
            each(whole)

    return make


CHANGES: Final = (
    Change("route, destination and transform are renamed", _rename),
    Change(
        "functions get new configuration, an ingress another name, patterns more events",
        _all(_configure, _rename_ingress, _widen),
    ),
    Change("ordering: none -> strict, sqs destination: rule -> function", _all(_to_strict, _to_function)),
    Change("ordering: strict -> none, sqs destination: function -> rule", _all(_from_strict, _to_rule)),
    Change("invocation: queue -> direct", _to_direct),
    Change("invocation: direct -> queue", _to_queue),
    Change("http -> api-destination", _to_api_destination),
    Change("api-destination -> http", _to_http),
    Change("entry: sqs -> sns", _to_topic),
    Change("entry: sns -> sqs", _to_entry_queue, before=("sqs",)),
    Change("SnapStart: on", _with_snap_start),
    Change("SnapStart: off", _without_snap_start),
    Change("a key of one's own: on", _with_key),
    Change("a key of one's own: off", _without_key),
)
