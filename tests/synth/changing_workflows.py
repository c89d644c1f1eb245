"""Workflows for the matrix of changes: wide ones, in which each hop is of another kind, and small ones.

In a wide workflow everything is shifted by a number of kinds: between two of them, every hop and every entry becomes
another kind under the same name, so that one plan shows many pairs.
"""

from __future__ import annotations

from typing import Any, Final

ACCOUNT: Final = "eu-west-1:123456789012"
SECRET: Final = f"arn:aws:secretsmanager:{ACCOUNT}:secret:cms-AbCdEf"
KEY: Final = f"arn:aws:kms:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
MACHINE: Final = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'

Workflow = dict[str, Any]

DESTINATIONS: Final[dict[str, dict[str, Any]]] = {
    "http": {"type": "http", "url": "https://cms.example.com/events"},
    "http direct": {"type": "http", "url": "https://cms.example.com/events"},
    "http strict": {"type": "http", "url": "https://cms.example.com/events", "ordering": "strict"},
    "sqs": {"type": "sqs", "queue_arn": f"arn:aws:sqs:{ACCOUNT}:cms"},
    "sqs mode": {"type": "sqs", "queue_arn": f"arn:aws:sqs:{ACCOUNT}:cms", "mode": "envelope"},
    "sqs fifo strict": {
        "type": "sqs",
        "queue_arn": f"arn:aws:sqs:{ACCOUNT}:cms.fifo",
        "mode": "structured",
        "ordering": "strict",
    },
    "sns": {"type": "sns", "topic_arn": f"arn:aws:sns:{ACCOUNT}:cms"},
    "event-bus": {"type": "event-bus", "bus_arn": f"arn:aws:events:{ACCOUNT}:event-bus/cms"},
    "lambda": {"type": "lambda", "function_arn": f"arn:aws:lambda:{ACCOUNT}:function:cms"},
    "lambda direct": {"type": "lambda", "function_arn": f"arn:aws:lambda:{ACCOUNT}:function:cms"},
    "firehose": {"type": "firehose", "stream_arn": f"arn:aws:firehose:{ACCOUNT}:deliverystream/cms"},
    "step-functions": {"type": "step-functions", "state_machine_arn": f"arn:aws:states:{ACCOUNT}:stateMachine:cms"},
    "task-callback": {"type": "task-callback", "correlation_key": "data.job"},
    "api-destination": {
        "type": "api-destination",
        "url": "https://cms.example.com/events",
        "auth": {"type": "api-key", "header": "x-key", "secret_arn": SECRET},
    },
    "logs": {"type": "logs"},
}

OWN_MACHINES: Final = {
    "own-machine": {"type": "step-functions", "definition": "machine.asl.json"},
    "own-express-machine": {"type": "step-functions", "definition": "machine.asl.json", "kind": "EXPRESS"},
}
"""Not in a wide workflow: where a machine exists, the provider asks AWS about its definition when it plans."""

FIRST_MACHINE: Final = {
    "module": "module.machine-cms",
    "mode": "managed",
    "type": "terraform_data",
    "name": "first_type",
    "provider": 'provider["terraform.io/builtin/terraform"]',
    "instances": [{"schema_version": 0, "attributes": {"id": "1", "input": {"type": "string", "value": "STANDARD"}}}],
}
"""A state's resource that keeps the first type of the machine."""

ENTRIES: Final[dict[str, dict[str, Any]]] = {
    "webhook": {"type": "webhook"},
    "sqs": {"type": "sqs"},
    "sqs fifo": {"type": "sqs", "fifo": True},
    "sqs existing": {"type": "sqs", "existing_queue": {"arn": f"arn:aws:sqs:{ACCOUNT}:theirs"}},
    "sns": {"type": "sns-fifo", "fifo": False},
    "sns fifo": {"type": "sns-fifo"},
    "partner-bus": {"type": "partner-bus", "event_source_name": "aws.partner/mux.com/acme/events"},
    "partner-bus unmodified": {
        "type": "partner-bus",
        "event_source_name": "aws.partner/mux.com/acme/others",
        "forward_unmodified": True,
    },
    "custom-bus": {"type": "custom-bus"},
    "aws-services": {"type": "aws-services"},
}

PATTERN: Final = {"detail-type": ["video.asset.ready"]}
STEPS: Final = [{"set": {"data.seen": True}}]


def route_key(number: int) -> str:
    """The key of a wide workflow's route; its destination has the same with a `d`."""
    return f"r{number:02}"


def kind_of_route(number: int, shift: int = 0) -> str:
    """The kind of a wide workflow's route."""
    kinds = [*DESTINATIONS]
    return kinds[(number + shift) % len(kinds)]


def hops(shift: int) -> dict[str, Any]:
    """The transforms and routes of a wide workflow."""
    routes = {
        route_key(number): {"pattern": PATTERN, "destination": f"d{number:02}"}
        | ({"invocation": "direct"} if kind_of_route(number, shift).endswith("direct") else {})
        for number in range(len(DESTINATIONS))
    }
    transforms = {
        f"t{number}": {"pattern": PATTERN, "steps": STEPS} | ({"invocation": "direct"} if (number + shift) % 2 else {})
        for number in range(2)
    }
    return {"transforms": transforms, "routes": routes}


def wide(shift: int = 0, **changes: Any) -> Workflow:
    """A workflow with one route to each kind of destination, and two transforms."""
    destinations = {f"d{number:02}": DESTINATIONS[kind_of_route(number, shift)] for number in range(len(DESTINATIONS))}
    return small(destinations=destinations) | hops(shift) | changes


def every_entry() -> Workflow:
    """A workflow with one entry of each kind, whose name is `e` and the number."""
    partners: dict[str, Any] = {}
    for number, kind in enumerate(ENTRIES):
        partners[f"p{number}"] = _partner(kind, f"e{number}")
    return small(ingress={f"e{number}": entry for number, entry in enumerate(ENTRIES.values())}, partners=partners)


def one_entry(kind: str) -> Workflow:
    """The small workflow with an entry of another kind."""
    return small(ingress={"in": ENTRIES[kind]}, partners={"mux": _partner(kind, "in")})


def _partner(kind: str, entry: str) -> dict[str, Any]:
    partner: dict[str, Any] = {"specification": "mux", "ingress": entry}
    if kind in ("custom-bus", "aws-services"):
        partner["sources"] = [f"com.mux.{entry}"]
    if kind == "partner-bus unmodified":
        partner.pop("specification")
    return partner


def small(**changes: Any) -> Workflow:
    """A workflow with one webhook and one route."""
    made: Workflow = {
        "name": "media",
        "dashboard": False,
        "ingress": {"in": {"type": "webhook"}},
        "partners": {"mux": {"specification": "mux", "ingress": "in"}},
        "destinations": {"cms": DESTINATIONS["http"]},
        "routes": {"ready": {"pattern": PATTERN, "destination": "cms"}},
        "environments": {"dev": {"region": "eu-west-1"}},
    }
    return made | changes
