"""The bus, its archive and rules; the rules' targets, their dead-letter queues, API destinations and connections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from media_events.adapters.sqs.depths import queue_name
from media_events.core.json_fields import mapping, text
from media_events_kit.ops.verify.asking import MissingError, NotToldError, Problem, ask, ask_pages, judged, skipped
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "rules"
Rule = Mapping[str, Any]


def check(deployed: Deployed) -> Iterator[Finding]:
    """The bus is there; each hop's rule is as the outputs say, and its targets have the hop's dead-letter queue."""
    yield judged(CHECK, f"bus {deployed.bus_name}", "is there", _bus, deployed)
    archive = text(mapping(deployed.outputs.get("archive_replay")).get("archive_arn"))
    if archive is not None:
        yield judged(CHECK, f"archive {archive.rpartition('/')[2]}", "is enabled", _archive, deployed, archive)
    try:
        rules = deployed.rules()
    except (NotToldError, MissingError) as error:
        told = error if isinstance(error, NotToldError) else NotToldError("the bus is not there", "apply again")
        yield skipped(CHECK, "rules", told)
        return
    by_hop = {hop: rule for rule in rules for hop in hops_of(rule)}
    hops = mapping(mapping(deployed.outputs.get("archive_replay")).get("hops"))
    for hop, expected in hops.items():
        found = (
            "is enabled, and its targets have the dead-letter queue"
            if mapping(expected).get("enabled")
            else "is disabled, as the workflow says"
        )
        yield judged(CHECK, f"rule of {hop}", found, lambda hop=hop: _of_hop(deployed, by_hop.get(hop), hop))
    for rule in rules:
        # Those of an ingress: they take events of applications or AWS services into the envelope.
        if rule["Name"].startswith(f"{deployed.bus_name}-") and not hops_of(rule) and "-replay-" not in rule["Name"]:
            yield judged(
                CHECK,
                f"rule {rule['Name']}",
                "is enabled, and its targets have a dead-letter queue",
                _enabled,
                deployed,
                rule,
                None,
            )


def hops_of(rule: Rule) -> list[str]:
    """The hop of a rule, by its pattern: each hop's rule alone takes what is redriven to that hop."""
    try:
        pattern = json.loads(rule.get("EventPattern") or "{}")
    except ValueError:
        return []
    metadata = mapping(mapping(mapping(pattern).get("detail")).get("metadata"))
    routes = mapping(metadata.get("redrive")).get("route")
    return [route for route in routes or () if isinstance(route, str)] if isinstance(routes, list) else []


def _bus(deployed: Deployed) -> Iterator[Problem]:
    client = deployed.client("events")
    bus = ask(client.describe_event_bus, "events:DescribeEventBus", Name=deployed.bus_name)
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html
    if bus.get("KmsKeyIdentifier") and not mapping(bus.get("DeadLetterConfig")).get("Arn"):
        yield Problem(
            "has a key of yours and no dead-letter queue: events are lost while the key can't be used",
            "give the bus a dead-letter queue",
        )


def _archive(deployed: Deployed, arn: str) -> Iterator[Problem]:
    client = deployed.client("events")
    archive = ask(client.describe_archive, "events:DescribeArchive", ArchiveName=arn.rpartition("/")[2])
    if archive.get("State", "ENABLED") != "ENABLED":
        yield Problem(f"is {archive['State']}: {archive.get('StateReason') or 'AWS gives no reason'}", "apply again")


def _of_hop(deployed: Deployed, rule: Rule | None, hop: str) -> Iterator[Problem]:
    if rule is None:
        raise MissingError
    expected = mapping(mapping(mapping(deployed.outputs.get("archive_replay")).get("hops")).get(hop))
    pattern = text(expected.get("pattern"))
    if pattern is not None and json.loads(rule["EventPattern"]) != json.loads(pattern):
        yield Problem("has another pattern than Terraform's outputs", "apply again")
    if not expected.get("enabled"):
        if rule.get("State") == "ENABLED":
            yield Problem("is enabled, though the workflow disables it", "apply again")
        return
    url = deployed.topology.hops[hop].dead_letter_queue_url if hop in deployed.topology.hops else None
    yield from _enabled(deployed, rule, None if url is None else queue_name(url))


def _enabled(deployed: Deployed, rule: Rule, dead_letter_queue: str | None) -> Iterator[Problem]:
    """The faults of a rule that should be enabled, with this dead-letter queue for its targets; ``None``: with any."""
    if rule.get("State") != "ENABLED":
        yield Problem(
            f"is {rule.get('State')}, so no event reaches the hop", "enable it, and see why somebody disabled it"
        )
    targets = list(
        ask_pages(
            deployed.client("events").list_targets_by_rule,
            "events:ListTargetsByRule",
            "Targets",
            Rule=rule["Name"],
            EventBusName=deployed.bus_name,
        )
    )
    if not targets:
        yield Problem("has no target, so its events are lost", "apply again")
    for target in targets:
        queue = mapping(target.get("DeadLetterConfig")).get("Arn", "").rpartition(":")[2]
        if not queue or (dead_letter_queue is not None and queue != dead_letter_queue):
            named = f"the dead-letter queue {queue}" if queue else "no dead-letter queue"
            yield Problem(f"its target {target['Id']} has {named}", "apply again")
        if ":api-destination/" in target["Arn"]:
            yield from _api_destination(deployed, target["Arn"])


def _api_destination(deployed: Deployed, arn: str) -> Iterator[Problem]:
    client, name = deployed.client("events"), arn.partition(":api-destination/")[2].partition("/")[0]
    destination = ask(client.describe_api_destination, "events:DescribeApiDestination", Name=name)
    if destination.get("ApiDestinationState") != "ACTIVE":
        yield Problem(f"the API destination {name} is {destination.get('ApiDestinationState')}", "see its connection")
    connection = str(destination.get("ConnectionArn")).partition(":connection/")[2].partition("/")[0]
    state = ask(client.describe_connection, "events:DescribeConnection", Name=connection)
    if state.get("ConnectionState") != "AUTHORIZED":
        reason = state.get("StateReason") or "AWS gives no reason"
        yield Problem(
            f"the connection {connection} is {state.get('ConnectionState')}: {reason}",
            "correct its credentials: EventBridge sends nothing before it is AUTHORIZED",
        )
