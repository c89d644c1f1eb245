"""A signed probe per partner goes by its webhook to the bus, and is seen there; no destination gets it.

Of the ways to see it back, this one trusts nothing but EventBridge: a rule of the run's own sends probes to a queue of
the run's own. The webhook's answer or its log would tell what the function believes, not what the bus has. The probe's
stage is one that no hop's rule takes. Before anything is sent, every enabled rule on the bus, whoever made it, is
judged by its pattern: if one would take a probe, none is sent.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from media_events.adapters.secrets_manager import SecretsManager
from media_events.core.configuration import ConfigurationError
from media_events.core.failures import ProcessingError
from media_events.core.json_fields import mapping
from media_events.ingress.probe import PROBE_FIELD, PROBE_TYPE, probe_event
from media_events.ingress.webhook import WebhookPartner, parse_partners
from media_events.partners.proof_parts import Request
from media_events_kit.event_patterns import PatternError, matches
from media_events_kit.ops.archive_replay.temporary_rule import TemporaryRule, opened, remove_leftovers
from media_events_kit.ops.partner.signing import UnsignableError, sign
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.verify.asking import MissingError, NotToldError, ask_pages, skipped
from media_events_kit.ops.verify.checks.functions import built_digest
from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding

CHECK: Final = "probes"
PATTERN: Final = {"detail-type": [PROBE_TYPE], "detail": {"metadata": {"stage": ["probe"]}}}
ROUNDS: Final = 6
ROUND_SECONDS: Final = 15.0
"""A new rule does not match at once, so probes are sent again: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"""

_ALLOW: Final = (
    "allow events:PutRule, PutTargets, RemoveTargets and DeleteRule, and sqs:CreateQueue, SetQueueAttributes, "
    "GetQueueAttributes, GetQueueUrl, ReceiveMessage, DeleteMessage and DeleteQueue on {bus}-replay-*: the operators' "
    "policy archive_replay has them; and sqs:ListQueues"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """How to call the webhooks: ``post`` returns the status of the answer, and raises ``OSError`` if there is none."""

    post: Callable[[Request], int]
    clock: Callable[[], float] = time.time
    number: Callable[[], str] = field(default=lambda: secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class _Sender:
    """A partner whose requests can be signed."""

    partner: WebhookPartner
    secret: str
    url: str

    def request(self, number: str, now: float) -> Request:
        return sign(
            self.partner.specification,
            self.secret,
            url=self.url,
            content={PROBE_FIELD: number},
            identity=number,
            now=now,
        )


def check(deployed: Deployed, webhooks: Webhooks) -> Iterator[Finding]:
    """One finding per partner of the webhook."""
    hop = next((hop for hop in deployed.functions if _is_webhook(deployed, hop)), None)
    if hop is None:
        return
    try:
        partners = parse_partners(deployed.document(hop).get("partners"))
        _require_knows_probes(deployed, hop)
        _require_no_taker(deployed, [*partners], webhooks.clock())
    except NotToldError as error:
        yield skipped(CHECK, "webhooks", error)
        return
    except (MissingError, ConfigurationError) as error:
        yield Finding(
            check=CHECK,
            subject="webhooks",
            verdict="fail",
            found=str(error) or "have no configuration",
            do="apply again",
        )
        return
    senders: dict[str, _Sender] = {}
    for name, partner in partners.items():
        try:
            senders[name] = _sender(deployed, partner, webhooks)
        except NotToldError as error:
            yield skipped(CHECK, f"probe of {name}", error)
    if senders:
        try:
            yield from _sent(deployed, senders, webhooks)
        except (ProcessingError, OperatorError) as error:
            yield skipped(CHECK, "probes", NotToldError(error.message, _ALLOW.format(bus=deployed.bus_name)))
        except NotToldError as error:
            yield skipped(CHECK, "probes", error)


def _is_webhook(deployed: Deployed, hop: str) -> bool:
    try:
        return str(deployed.function(hop).get("Handler")).endswith(".webhook.handler")
    except (NotToldError, MissingError):
        return False


def _require_knows_probes(deployed: Deployed, hop: str) -> None:
    """A package that knows no probes would take one for an event that it can't process: a dead letter."""
    if deployed.function(hop).get("CodeSha256") != built_digest(deployed):
        raise NotToldError(
            "the webhook runs another package than the built one, which may know no probes", "apply again"
        )


def _require_no_taker(deployed: Deployed, partners: list[str], now: float) -> None:
    """No rule on the bus takes a probe of any partner."""
    for rule in deployed.rules():
        # A rule that AWS manages feeds the archive, no destination.
        if not str(rule.get("State")).startswith("ENABLED") or rule.get("ManagedBy") or not rule.get("EventPattern"):
            continue
        if any(_takes(rule, _as_on_bus(deployed, partner, now)) for partner in partners):
            raise NotToldError(
                f"the rule {rule['Name']} would take probes, so none was sent",
                'add {"detail": {"metadata": {"stage": [{"anything-but": "probe"}]}}} to its pattern',
            )


def _takes(rule: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    try:
        return matches(json.loads(rule["EventPattern"]), event)
    except (PatternError, ValueError, TypeError):
        # A pattern that can't be judged may take anything.
        return True


def _as_on_bus(deployed: Deployed, partner: str, now: float) -> dict[str, Any]:
    detail = probe_event(partner, "0" * 32, now).to_detail()
    metadata = detail["metadata"]
    _, _, _, region, account, _ = deployed.bus_arn.split(":", 5)
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": metadata["type"],
        "source": metadata["source"],
        "account": account,
        "time": metadata["time"],
        "region": region,
        "resources": [],
        "detail": detail,
    }


def _sender(deployed: Deployed, partner: WebhookPartner, webhooks: Webhooks) -> _Sender:
    if not partner.enabled:
        raise NotToldError("the partner is disabled", "enable it, if it should send")
    if not partner.authentication.by_signature:
        raise NotToldError(
            f"API Gateway authorises its calls ({partner.authentication.method}), and only the partner can sign in",
            "have the partner send a test event",
        )
    if partner.authentication.require_client_certificate:
        raise NotToldError("its calls need the partner's client certificate", "have the partner send a test event")
    url = mapping(deployed.outputs.get("webhook_urls")).get(partner.name)
    if not isinstance(url, str):
        raise NotToldError("Terraform's outputs have no URL of it", "apply again")
    secret = ""
    verification = partner.specification.verification
    if partner.secret_arns and verification is not None and verification.needs_secret:
        try:
            secret = SecretsManager(deployed.client("secretsmanager")).values(partner.secret_arns)[0]
        except ProcessingError as error:
            raise NotToldError(
                f"its secret can't be read: {error.message}", "store its value, and allow secretsmanager:GetSecretValue"
            ) from error
    sender = _Sender(partner, secret, url)
    try:
        sender.request(webhooks.number(), webhooks.clock())
    except UnsignableError as error:
        raise NotToldError(str(error), "have the partner send a test event") from error
    return sender


def _sent(deployed: Deployed, senders: Mapping[str, _Sender], webhooks: Webhooks) -> Iterator[Finding]:
    events, sqs = deployed.client("events"), deployed.client("sqs")
    queues = ask_pages(
        sqs.list_queues, "sqs:ListQueues", "QueueUrls", QueueNamePrefix=f"{deployed.bus_name}-replay-", MaxResults=1000
    )
    names = [url.rpartition("/")[2] for url in queues]
    rules = [rule["Name"] for rule in deployed.rules()]
    remove_leftovers(events, sqs, deployed.bus_arn, [*rules, *names], now=webhooks.clock())
    until = webhooks.clock() + ROUNDS * (ROUND_SECONDS + len(senders))
    with opened(events, sqs, deployed.bus_arn, kind="probe", pattern=PATTERN, until=until) as rule:
        answers, arrived = _exchange(rule, senders, webhooks)
    for name in senders:
        yield _finding(name, answers[name], name in arrived)


def _exchange(
    rule: TemporaryRule, senders: Mapping[str, _Sender], webhooks: Webhooks
) -> tuple[dict[str, int | str], set[str]]:
    """The last answer to each partner's probes, and the partners whose probe came back.

    An answer is a status, or the reason why there was none.
    """
    answers: dict[str, int | str] = {}
    arrived: set[str] = set()
    sent: dict[str, str] = {}
    for _ in range(ROUNDS):
        for name in [name for name in senders if name not in arrived and _may_pass(answers.get(name))]:
            number = webhooks.number()
            sent[f"probe-{number}"] = name
            try:
                answers[name] = webhooks.post(senders[name].request(number, webhooks.clock()))
            except OSError as error:
                answers[name] = f"was not answered: {type(error).__name__}"
        until = webhooks.clock() + ROUND_SECONDS
        awaited = {name for name in senders if _accepted(answers[name])}
        while awaited - arrived and webhooks.clock() < until:
            arrived |= {sent[identity] for identity in _seen(rule) if identity in sent}
        if all(name in arrived or not _may_pass(answers[name]) for name in senders):
            break
    return answers, arrived


def _seen(rule: TemporaryRule) -> Iterator[str]:
    for event in rule.events():
        yield str(mapping(mapping(event.get("detail")).get("metadata")).get("id"))


def _accepted(answer: int | str) -> bool:
    return isinstance(answer, int) and HTTPStatus.OK <= answer < HTTPStatus.MULTIPLE_CHOICES


def _may_pass(answer: int | str | None) -> bool:
    """Whether a further probe may fare better."""
    if not isinstance(answer, int):
        return True
    return _accepted(answer) or answer == HTTPStatus.TOO_MANY_REQUESTS or answer >= HTTPStatus.INTERNAL_SERVER_ERROR


_ADVICE: Final = {
    400: "see the log of the webhook for the reason",
    401: "see the log of the webhook for the reason; a new secret takes minutes to be read",
    403: "see what stands before the API: its authorisation, a firewall",
    404: "apply again: the webhook does not know the partner",
    429: "the API throttles: raise its limits, or verify again",
}


def _finding(name: str, answer: int | str, arrived: bool) -> Finding:  # noqa: FBT001
    subject = f"probe of {name}"
    if arrived:
        return Finding(check=CHECK, subject=subject, verdict="pass", found="came back from the bus; no hop took it")
    if _accepted(answer):
        return Finding(
            check=CHECK,
            subject=subject,
            verdict="fail",
            found=f"was answered {answer}, and did not come back from the bus within {ROUNDS * ROUND_SECONDS:.0f} s",
            do="see the log of the webhook, then verify again",
        )
    said = f"was answered {answer}" if isinstance(answer, int) else answer
    advice = (
        _ADVICE.get(answer, "see the log of the webhook for the reason")
        if isinstance(answer, int)
        else "see that the URL can be reached from here"
    )
    return Finding(check=CHECK, subject=subject, verdict="fail", found=said, do=advice)
