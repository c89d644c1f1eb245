"""The modules that the ways in become, and what each is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from infra.loader.environment import Environment
from infra.model.consumers import Consumer, FailureHandling
from infra.model.ingress import (
    AwsServicesEntry,
    CustomBusEntry,
    Entry,
    PartnerBusEntry,
    QueueFed,
    SnsFifoEntry,
    SqsEntry,
    WebhookEntry,
)
from infra.model.workflow import Partner
from infra.stacks.cdk import TerraformHclModule
from infra.stacks.terraform_literals import json_text, literal

MODULES: Final = {
    "webhook": "ingress-apigw",
    "sqs": "ingress-sqs",
    "sns-fifo": "ingress-sns-fifo",
    "partner-bus": "bus-partner",
    "custom-bus": "ingress-bus",
    "aws-services": "ingress-bus",
}

Make = Callable[[str, str, dict[str, Any]], TerraformHclModule]
"""Adds a module to the stack: its identifier, its folder's name, its variables."""


class WaysIn:
    """The ways in of one environment that some partner takes, in the order of the file."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._workflow = environment.workflow
        taken = {entry for partner in self._workflow.partners.values() for entry in partner.entries}
        self.entries: dict[str, Entry] = {
            name: entry for name, entry in self._workflow.entries.items() if name in taken
        }
        self.modules: dict[str, TerraformHclModule] = {}

    def make(self, make: Make, common: dict[str, Any], bus: TerraformHclModule) -> None:
        """Add the modules; `common` is what all modules of the stack with functions are told."""
        hosts = self._ledger_hosts()
        # Whose ledger others share comes before them.
        for name in sorted(self.entries, key=lambda name: name in hosts):
            entry = self.entries[name]
            settings = self._settings(name, entry, bus)
            if name in hosts:
                host = self.modules[hosts[name]]
                settings["ledger_table"] = {
                    "name": host.get_string("ledger_table_name"),
                    "arn": host.get_string("ledger_table_arn"),
                }
            self.modules[name] = make(
                identifier(name, entry),
                MODULES[entry.type],
                common
                | {"name": f"{self._environment.prefix}-{name}", "bus_arn": bus.get_string("bus_arn")}
                | settings,
            )
        self.modules = {name: self.modules[name] for name in self.entries}

    def named(self, *kinds: type[Entry]) -> dict[str, TerraformHclModule]:
        """The modules of some kinds, by entry."""
        return {name: module for name, module in self.modules.items() if isinstance(self.entries[name], kinds)}

    @property
    def webhook(self) -> tuple[WebhookEntry, TerraformHclModule] | None:
        """The entry that serves partners' calls, and its module."""
        for name, entry in self.entries.items():
            if isinstance(entry, WebhookEntry):
                return entry, self.modules[name]
        return None

    @property
    def producers(self) -> dict[str, Any]:
        """Who of other accounts may put events on the workflow's own bus."""
        found: dict[str, Any] = {}
        for entry in self.entries.values():
            if isinstance(entry, CustomBusEntry):
                found |= {key: producer.model_dump(exclude_none=True) for key, producer in entry.producers.items()}
        return found

    def with_functions(self) -> dict[str, TerraformHclModule]:
        """The modules with a function and a ledger, by entry: all but those whose rule sends straight to the bus."""
        return {name: module for name, module in self.modules.items() if not _straight(self.entries[name])}

    def policies(self) -> dict[str, Any]:
        """What others must be allowed, by entry: a sender's role, or the policy of a queue or topic that exists."""
        found: dict[str, Any] = {}
        for name, entry in self.entries.items():
            if isinstance(entry, SqsEntry):
                found[name] = "sender_policy" if entry.existing_queue is None else "existing_queue_policy"
            elif isinstance(entry, SnsFifoEntry):
                found[name] = "publisher_policy" if entry.existing_topic_arn is None else "existing_topic_policy"
        return {name: self.modules[name].get_string(output) for name, output in found.items()}

    def _ledger_hosts(self) -> dict[str, str]:
        """Of entries that a partner's events come by besides another one: that whose ledger they share.

        A webhook's is the one, since its module always makes its own; else the first one's.
        """
        groups: list[set[str]] = []
        for partner in self._workflow.partners.values():
            group = {name for name in partner.entries if not _straight(self.entries.get(name))}
            if not group:
                continue
            for other in [other for other in groups if other & group]:
                group |= other
                groups.remove(other)
            groups.append(group)
        hosts: dict[str, str] = {}
        for group in groups:
            members = [name for name in self.entries if name in group]
            host = next((name for name in members if isinstance(self.entries[name], WebhookEntry)), members[0])
            hosts |= {name: host for name in members if name != host}
        return hosts

    def _settings(self, name: str, entry: Entry, bus: TerraformHclModule) -> dict[str, Any]:
        partners = {key: partner for key, partner in self._workflow.partners.items() if name in partner.entries}
        if isinstance(entry, WebhookEntry):
            return self._webhook(entry, partners)
        settings = consumer_settings(entry, self._environment.failure[name]) | {"enabled": entry.enabled}
        if isinstance(entry, CustomBusEntry | AwsServicesEntry):
            own = bus.get_string("bus_name")
            bus_name = (entry.bus_name or own) if isinstance(entry, CustomBusEntry) else "default"
            members = {key: self._by_source(key, partner) for key, partner in partners.items()}
            return settings | {"bus_name": bus_name, "partners": members}
        ((partner, options),) = partners.items()
        if isinstance(entry, PartnerBusEntry) and not entry.transform:
            return settings | {"transform": False} | _partner_bus(entry) | _by_source(options)
        settings |= {"partner": partner, "specification": json_text(self._environment.specifications[partner])}
        if isinstance(entry, PartnerBusEntry):
            return settings | _partner_bus(entry) | _by_source(options)
        # Rules alone have a retry of their own; SNS's is not ours to set.
        settings.pop("rule_retry")
        return settings | (_queue(entry) if isinstance(entry, SqsEntry) else _topic(entry))

    def _webhook(self, entry: WebhookEntry, partners: Mapping[str, Partner]) -> dict[str, Any]:
        return {
            "partners": {key: self._caller(key, partner) for key, partner in partners.items()},
            "throttle": entry.throttle.model_dump(),
            "domain": literal(entry.domain.model_dump(exclude_none=True)) if entry.domain else None,
            "max_body_bytes": entry.max_body_bytes,
            "redrive": self._workflow.failure.redrive.model_dump(),
            "secret_recovery_window_days": None if self._workflow.protection else 0,
        }

    def _caller(self, name: str, partner: Partner) -> dict[str, Any]:
        settings: dict[str, Any] = {"specification": json_text(self._environment.specifications[name])}
        if partner.secret_arns is not None:
            settings["secret_arns"] = literal(partner.secret_arns)
        if partner.throttle is not None:
            settings["throttle"] = partner.throttle.model_dump()
        if partner.authorization is not None:
            settings["authorization"] = literal(partner.authorization.model_dump())
        if partner.require_client_certificate:
            settings["require_client_certificate"] = True
        return settings

    def _by_source(self, name: str, partner: Partner) -> dict[str, Any]:
        settings = _by_source(partner)
        if name in self._environment.specifications:
            settings["specification"] = json_text(self._environment.specifications[name])
        return settings


def _straight(entry: Entry | None) -> bool:
    return isinstance(entry, PartnerBusEntry) and not entry.transform


def identifier(name: str, entry: Entry) -> str:
    """What an entry's module is called in the stack."""
    return "ingress" if isinstance(entry, WebhookEntry) else f"ingress-{name}"


def consumer_settings(hop: Consumer, failure: FailureHandling) -> dict[str, Any]:
    """How a hop consumes its queue, and what becomes of failures there."""
    settings = hop.model_dump(include=set(Consumer.model_fields), exclude_none=True)
    return settings | failure.model_dump(exclude={"function_retry"})


def queue_url(arn: str) -> str:
    """The URL of a queue."""
    _, partition, _, region, account, name = arn.split(":")
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return f"https://sqs.{region}.{suffix}/{account}/{name}"


def _by_source(partner: Partner) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if partner.sources is not None:
        settings["sources"] = literal(partner.sources)
    if partner.pattern is not None:
        settings["pattern"] = json_text(partner.pattern)
    return settings


def _own(entry: QueueFed, *names: str) -> dict[str, Any]:
    return dict(literal(entry.model_dump(include=set(names), exclude_none=True)))


def _queue(entry: SqsEntry) -> dict[str, Any]:
    settings = {"fifo": entry.is_fifo} | _own(entry, "senders", "content_based_deduplication", "high_throughput")
    if entry.existing_queue is not None:
        existing = literal(entry.existing_queue.model_dump(exclude_none=True))
        settings["existing_queue"] = {"url": queue_url(entry.existing_queue.arn)} | existing
    return settings


def _topic(entry: SnsFifoEntry) -> dict[str, Any]:
    settings = {"fifo": entry.is_fifo} | _own(
        entry,
        "existing_topic_arn",
        "publishers",
        "high_throughput",
        "topic_archive_days",
        "raw_message_delivery",
        "filter_policy_scope",
    )
    settings["topic_content_based_deduplication"] = entry.content_based_deduplication
    if entry.filter_policy is not None:
        settings["filter_policy"] = json_text(entry.filter_policy)
    if entry.replay is not None:
        settings["replay"] = {"from": entry.replay.since, "until": entry.replay.until}
    return settings


def _partner_bus(entry: PartnerBusEntry) -> dict[str, Any]:
    settings = _own(entry, "event_source_name", "existing_bus_arn", "silence_alarm_minutes")
    if entry.archive is not None:
        settings["archive"] = {"retention_days": entry.archive.retention_days}
        if entry.archive.pattern is not None:
            settings["archive"]["pattern"] = json_text(entry.archive.pattern)
    return settings
