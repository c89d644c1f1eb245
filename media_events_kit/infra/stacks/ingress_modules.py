"""The modules of the ingresses, and the variables of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from media_events_kit.infra.loader.environment import Environment
from media_events_kit.infra.model.consumers import Consumer, FailureHandling
from media_events_kit.infra.model.ingress import (
    AwsServicesIngress,
    CustomBusIngress,
    Ingress,
    PartnerBusIngress,
    QueueIngress,
    SnsFifoIngress,
    SqsIngress,
    WebhookIngress,
)
from media_events_kit.infra.model.settings import Settings
from media_events_kit.infra.model.workflow import Partner
from media_events_kit.infra.stacks.cdk import TerraformHclModule
from media_events_kit.infra.stacks.terraform_literals import json_text, literal

MODULES: Final = {
    "webhook": "ingress-apigw",
    "sqs": "ingress-sqs",
    "sns-fifo": "ingress-sns-fifo",
    "partner-bus": "bus-partner",
    "custom-bus": "internal/bus-ingress",
    "aws-services": "internal/bus-ingress",
}

FIFO_OPTIONS: Final = {"sqs": {"content_based_deduplication", "high_throughput"}, "sns-fifo": {"high_throughput"}}
"""Options of the queue that only some ingresses have."""

_ONE_QUEUE: Final = "queue"
_KINDS: Final = {"sqs": _ONE_QUEUE, "sns-fifo": _ONE_QUEUE, "custom-bus": _ONE_QUEUE, "aws-services": _ONE_QUEUE}
"""Types that may become one another under one name: the same queue and function are behind each."""

Make = Callable[[str, str, dict[str, Any]], TerraformHclModule]
"""Adds a module to the stack: its identifier, its folder's name, its variables."""


class IngressModules:
    """The ingresses of one environment that some partner uses, in the order of the file."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._workflow = environment.workflow
        taken = {ingress for partner in self._workflow.partners.values() for ingress in partner.ingresses}
        self.ingresses: dict[str, Ingress] = {
            name: ingress for name, ingress in self._workflow.ingress.items() if name in taken
        }
        self.modules: dict[str, TerraformHclModule] = {}

    def make(self, make: Make, common: dict[str, Any], bus: TerraformHclModule) -> None:
        """Add the modules; `common` are the variables that all modules of the stack with functions share."""
        hosts = self._idempotency_owners()
        # A module whose idempotency store others share comes before them.
        for name in sorted(self.ingresses, key=lambda name: name in hosts):
            ingress = self.ingresses[name]
            settings = self._settings(name, ingress, bus)
            if name in hosts:
                host = self.modules[hosts[name]].friendly_unique_id
                settings["idempotency_table"] = f"${{one(values(module.{host}.idempotency_tables))}}"
            self.modules[name] = make(
                identifier(name, ingress),
                MODULES[ingress.type],
                common
                | {"name": f"{self._environment.prefix}-{name}", "bus_arn": bus.get_string("bus_arn")}
                | settings,
            )
        self.modules = {name: self.modules[name] for name in self.ingresses}

    def kinds(self) -> dict[str, Any]:
        """Resources that keep the kind that each ingress was deployed as, by name.

        Terraform's state alone knows it. Another kind could not take over: it would have the names of the former one,
        but neither its idempotency store nor what waits in its queues. So the plan is refused, before anything happens.
        """
        return {f"kind-{name}": _kept(name, ingress) for name, ingress in self.ingresses.items()}

    def named(self, *kinds: type[Ingress]) -> dict[str, TerraformHclModule]:
        """The modules of some kinds, by ingress."""
        return {name: module for name, module in self.modules.items() if isinstance(self.ingresses[name], kinds)}

    @property
    def webhook(self) -> tuple[WebhookIngress, TerraformHclModule] | None:
        """The ingress that serves partners' calls, and its module."""
        for name, ingress in self.ingresses.items():
            if isinstance(ingress, WebhookIngress):
                return ingress, self.modules[name]
        return None

    @property
    def senders(self) -> dict[str, Any]:
        """The senders of other accounts that may put events on the workflow's own bus."""
        found: dict[str, Any] = {}
        for ingress in self.ingresses.values():
            if isinstance(ingress, CustomBusIngress):
                found |= {key: sender.model_dump(exclude_none=True) for key, sender in ingress.senders.items()}
        return found

    def with_functions(self) -> dict[str, TerraformHclModule]:
        """The modules with a function, by ingress: all but those that forward events unmodified."""
        return {name: module for name, module in self.modules.items() if not _forwards_unmodified(self.ingresses[name])}

    def policies(self) -> dict[str, Any]:
        """Policies that others need, by ingress: of a sender's role, or of an existing queue or topic."""
        found: dict[str, Any] = {}
        for name, ingress in self.ingresses.items():
            if isinstance(ingress, SqsIngress):
                found[name] = "sender_policy" if ingress.existing_queue is None else "existing_queue_policy"
            elif isinstance(ingress, SnsFifoIngress):
                found[name] = "sender_policy" if ingress.existing_topic is None else "existing_topic_policy"
        return {name: self.modules[name].get_string(output) for name, output in found.items()}

    def _idempotency_owners(self) -> dict[str, str]:
        """The ingress whose idempotency store an ingress shares, where a partner's events come by both.

        It is the webhook, whose module always makes its own store, otherwise the first one.
        """
        groups: list[set[str]] = []
        for partner in self._workflow.partners.values():
            group = {name for name in partner.ingresses if not _forwards_unmodified(self.ingresses.get(name))}
            if not group:
                continue
            for other in [other for other in groups if other & group]:
                group |= other
                groups.remove(other)
            groups.append(group)
        hosts: dict[str, str] = {}
        for group in groups:
            members = [name for name in self.ingresses if name in group]
            host = next((name for name in members if isinstance(self.ingresses[name], WebhookIngress)), members[0])
            hosts |= {name: host for name in members if name != host}
        return hosts

    def _settings(self, name: str, ingress: Ingress, bus: TerraformHclModule) -> dict[str, Any]:
        partners = {key: partner for key, partner in self._workflow.partners.items() if name in partner.ingresses}
        if isinstance(ingress, WebhookIngress):
            return self._webhook(ingress, partners)
        settings = consumer_settings(ingress, self._environment.failure[name], self._workflow.settings)
        settings["queue"]["enabled"] = ingress.enabled
        if isinstance(ingress, CustomBusIngress | AwsServicesIngress):
            members = {key: self._by_source(key, partner) for key, partner in partners.items()}
            return settings | {
                "ingress": "custom-bus",
                "source_bus_arn": _source_bus(ingress, bus),
                "watch_rules": _watches_rules(ingress),
                "partners": members,
            }
        ((partner, options),) = partners.items()
        if isinstance(ingress, PartnerBusIngress) and ingress.forward_unmodified:
            for unused in ("function", "queue"):
                settings.pop(unused)
            return settings | {"forward_unmodified": True} | _partner_bus(ingress) | _by_source(options)
        settings |= {"partner": partner, "specification": json_text(self._environment.specifications[partner])}
        if isinstance(ingress, PartnerBusIngress):
            return settings | _partner_bus(ingress) | _by_source(options)
        # Rules alone have a retry of their own; SNS's is not ours to set.
        settings.pop("rule_retry")
        settings["queue"] |= ingress.model_dump(include=FIFO_OPTIONS[ingress.type])
        return settings | (_queue(ingress) if isinstance(ingress, SqsIngress) else _topic(ingress))

    def _webhook(self, ingress: WebhookIngress, partners: Mapping[str, Partner]) -> dict[str, Any]:
        return {
            "partners": {key: self._caller(key, partner) for key, partner in partners.items()},
            "throttle": ingress.throttle.model_dump(),
            "domain": literal(ingress.domain.model_dump(exclude_none=True)) if ingress.domain else None,
            "behind_cloudfront": None if ingress.cloudfront is None else True,
            "max_body_bytes": ingress.max_body_bytes,
            "function": literal(ingress.model_dump(include={"reserved_concurrency"}, exclude_none=True))
            | snap_start(self._workflow.settings, ingress),
            "failure": {"redrive": self._workflow.failure.redrive.model_dump()},
            "secret_recovery_window_days": None if self._workflow.deletion_protection else 0,
        }

    def _caller(self, name: str, partner: Partner) -> dict[str, Any]:
        settings: dict[str, Any] = {"specification": json_text(self._environment.specifications[name])}
        if partner.secret_arns is not None:
            settings["secret_arns"] = literal(partner.secret_arns)
        if partner.previous_secret_seconds is not None:
            settings["previous_secret_seconds"] = partner.previous_secret_seconds
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


def _kept(name: str, ingress: Ingress) -> dict[str, Any]:
    kind = _KINDS.get(ingress.type, ingress.type) + (", unmodified" if _forwards_unmodified(ingress) else "")
    message = (
        f"The ingress {name} was deployed as another kind (${{self.input}}) and can't become a {kind} under its name. "
        f"In two applies: add the new one under another name, `ingress: [<new>, {name}]` at its partner; take the old "
        "one out when its sender has moved and its queues are empty."
    )
    refusal = {"condition": f'${{self.input == "{kind}"}}', "error_message": message}
    return {"input": kind, "lifecycle": {"ignore_changes": ["input"], "postcondition": [refusal]}}


def _forwards_unmodified(ingress: Ingress | None) -> bool:
    return isinstance(ingress, PartnerBusIngress) and ingress.forward_unmodified


def identifier(name: str, ingress: Ingress) -> str:
    """The name of an ingress's module in the stack."""
    return "ingress" if isinstance(ingress, WebhookIngress) else f"ingress-{name}"


def snap_start(settings: Settings, of: Consumer | WebhookIngress | None = None) -> dict[str, Any]:
    """What `function` says of SnapStart: nothing where it is off."""
    own = None if of is None else of.snap_start
    return {"snap_start": True} if (settings.snap_start if own is None else own) else {}


def consumer_settings(hop: Consumer, failure: FailureHandling, settings: Settings) -> dict[str, Any]:
    """The variables `function`, `queue`, `failure` and `rule_retry` of a hop that consumes a queue."""
    values = hop.model_dump(include=set(Consumer.model_fields) - {"snap_start"}, exclude_none=True)
    size = {name: values.pop(name) for name in ("memory_mb", "timeout_seconds")}
    return {
        "function": size | snap_start(settings, hop),
        "queue": values,
        "failure": failure.model_dump(include={"max_receive_count", "retry", "redrive"}),
        "rule_retry": failure.rule_retry.model_dump(),
    }


def _source_bus(ingress: CustomBusIngress | AwsServicesIngress, bus: TerraformHclModule) -> str:
    if isinstance(ingress, CustomBusIngress):
        own = bus.get_string("bus_arn")
        return own if ingress.existing_bus is None else str(literal(ingress.existing_bus.arn))
    # AWS services put their events on the default bus of the same account and region.
    arn = f"module.{bus.friendly_unique_id}.bus_arn"
    return f'${{join(":", concat(slice(split(":", {arn}), 0, 5), ["event-bus/default"]))}}'


def _watches_rules(ingress: CustomBusIngress | AwsServicesIngress) -> bool:
    """Whether the ingress's rules need alarms of their own: the stack's bus watches all of its own."""
    return isinstance(ingress, AwsServicesIngress) or ingress.existing_bus is not None


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


def _own(ingress: QueueIngress, *names: str) -> dict[str, Any]:
    return dict(literal(ingress.model_dump(include=set(names), exclude_none=True)))


def _queue(ingress: SqsIngress) -> dict[str, Any]:
    settings = {"fifo": ingress.is_fifo} | _own(ingress, "senders")
    if ingress.existing_queue is not None:
        existing = literal(ingress.existing_queue.model_dump(exclude_none=True))
        settings["existing_queue"] = {"url": queue_url(ingress.existing_queue.arn)} | existing
    return settings


def _topic(ingress: SnsFifoIngress) -> dict[str, Any]:
    settings = {"fifo": ingress.is_fifo} | _own(
        ingress,
        "existing_topic",
        "senders",
        "topic_archive_days",
        "raw_message_delivery",
        "filter_policy_scope",
    )
    settings["topic_content_based_deduplication"] = ingress.content_based_deduplication
    if ingress.filter_policy is not None:
        settings["filter_policy"] = json_text(ingress.filter_policy)
    if ingress.replay is not None:
        settings["replay"] = {"from": ingress.replay.since, "until": ingress.replay.until}
    return settings


def _partner_bus(ingress: PartnerBusIngress) -> dict[str, Any]:
    settings = _own(ingress, "event_source_name", "existing_bus", "inactivity_alarm_minutes")
    if ingress.archive is not None:
        settings["archive"] = {"retention_days": ingress.archive.retention_days}
        if ingress.archive.pattern is not None:
            settings["archive"]["pattern"] = json_text(ingress.archive.pattern)
    return settings
