"""A partner's ways into a deployment, as its functions are configured."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code
from media_events.adapters.secrets_manager import SecretsManager
from media_events.core.configuration import ConfigurationError
from media_events.core.failures import ProcessingError
from media_events.core.json_fields import mapping, text
from media_events.ingress.queue_config import BUSES, QueuePartner, parse_queue_ingress, parse_queue_partners
from media_events.ingress.webhook import WebhookPartner, parse_partners
from media_events.partners.specification import PartnerSpecification
from media_events_kit.ops.shared.console import OperatorError, fail
from media_events_kit.ops.shared.json_files import object_in
from media_events_kit.ops.verify.asking import MissingError, NotToldError
from media_events_kit.ops.verify.deployed import Deployed

Kind = Literal["webhook", "sqs", "sns-fifo", "partner-bus", "custom-bus"]

UNUSABLE: Final = 2
RESERVED: Final = "aws."
"""No source of PutEvents may begin so: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html"""

_RULE: Final = re.compile(r"arn:[^:]*:events:[^:]*:[^:]*:rule/(?P<name>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """One ingress of a partner.

    ``address`` is where the partner sends: a URL, a queue's URL, a topic's ARN, a bus's name. ``queue_url`` is the
    queue that its function reads. ``preset`` is that of the partner's specification, ``sources`` are those of its bus
    events.
    """

    ingress: str
    kind: Kind
    partner: str
    specification: PartnerSpecification | None
    address: str
    queue_url: str | None = None
    preset: str | None = None
    sources: Sequence[str] = ()
    secret_arns: Sequence[str] = ()
    refusal: str | None = None
    """Why nobody but the partner can send by it."""

    @property
    def by_queue(self) -> bool:
        """Whether an event of it begins in the queue behind the rule, since AWS alone puts such events on the bus."""
        return self.kind in BUSES and self.source.startswith(RESERVED)

    @property
    def source(self) -> str:
        """A source that is the partner's, of those of a bus."""
        own = [one for one in self.sources if not one.startswith(RESERVED)] or list(self.sources)
        exact = next((one for one in own if not one.endswith("*")), None)
        return exact or (f"{own[0][:-1]}sample" if own else "")


def ways_in(deployed: Deployed) -> list[WayIn]:
    """Every way of every partner.

    Raises:
        OperatorError: the functions' configuration can't be read.
    """
    try:
        return [way for hop in deployed.functions if hop.startswith("ingress/") for way in _of_hop(deployed, hop)]
    except NotToldError as error:
        fail(f"the ingresses' configuration can't be read: {error.reason}", hint=error.do)
    except MissingError:
        fail("an ingress's function or its configuration is not there", hint="apply again")
    except ConfigurationError as error:
        fail(f"an ingress's configuration can't be read: {error}", hint="use the version of the kit that deployed it")


def _of_hop(deployed: Deployed, hop: str) -> Iterator[WayIn]:
    document = mapping(deployed.document(hop).get("partners"))
    settings = deployed.environment(hop)
    kind = settings.get("INGRESS")
    presets = {name: text(mapping(mapping(one).get("specification")).get("preset")) for name, one in document.items()}
    if kind is None:
        yield from (_webhook(deployed, hop, one, presets) for one in parse_partners(document).values())
        return
    ingress = parse_queue_ingress(kind)
    queue_url = settings.get("QUEUE_URL")
    address = _address(deployed, hop, ingress, queue_url)
    for one in parse_queue_partners(document, ingress):
        yield WayIn(
            ingress=_name(deployed, hop),
            kind=cast("Kind", ingress),
            partner=one.name,
            specification=one.specification,
            address=address,
            queue_url=queue_url,
            preset=presets.get(one.name),
            sources=one.sources if isinstance(one, QueuePartner) else (),
        )


def _webhook(deployed: Deployed, hop: str, partner: WebhookPartner, presets: Mapping[str, str | None]) -> WayIn:
    url = text(mapping(deployed.outputs.get("webhook_urls")).get(partner.name))
    authentication = partner.authentication
    refusal = None
    if not partner.enabled:
        refusal = "the partner is disabled"
    elif not authentication.by_signature:
        refusal = f"API Gateway authorises its calls ({authentication.method}), and only the partner can sign in"
    elif authentication.require_client_certificate:
        refusal = "its calls need the partner's client certificate"
    elif url is None:
        refusal = "Terraform's outputs have no URL of it"
    return WayIn(
        ingress=_name(deployed, hop),
        kind="webhook",
        partner=partner.name,
        specification=partner.specification,
        address=url or "",
        preset=presets.get(partner.name),
        secret_arns=partner.secret_arns,
        refusal=refusal,
    )


def _name(deployed: Deployed, hop: str) -> str:
    """The ingress's name in the workflow file."""
    return hop.removeprefix("ingress/").removeprefix(f"{deployed.bus_name}-")


def _address(deployed: Deployed, hop: str, kind: str, queue_url: str | None) -> str:
    name = _name(deployed, hop)
    if kind == "sns-fifo":
        return text(mapping(deployed.outputs.get("ingress_topic_arns")).get(name)) or ""
    if kind in BUSES:
        return _bus(deployed, queue_url) or deployed.bus_name
    return queue_url or ""


def _bus(deployed: Deployed, queue_url: str | None) -> str | None:
    """The bus whose rules may send to an ingress's queue, by the queue's policy: no output names an existing bus."""
    if queue_url is None:
        return None
    try:
        answer = deployed.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["Policy"])
    except (BotoCoreError, ClientError):
        return None
    for statement in object_in(answer.get("Attributes", {}).get("Policy", "")).get("Statement", []):
        arns = mapping(mapping(mapping(statement).get("Condition")).get("ArnEquals")).get("aws:SourceArn", [])
        for arn in [arns] if isinstance(arns, str) else arns:
            if match := _RULE.fullmatch(str(arn)):
                bus, slash, _ = match["name"].rpartition("/")
                return bus if slash else "default"
    return None


def chosen(ways: Sequence[WayIn], partner: str, ingress: str | None) -> WayIn:
    """The way of ``partner`` by ``ingress`` (default: its first).

    Raises:
        OperatorError: there is none, or nobody but the partner can send by it.
    """
    own = [way for way in ways if way.partner == partner]
    if not own:
        names = ", ".join(sorted({way.partner for way in ways})) or "none"
        fail(
            f"there is no partner {partner!r} in this deployment",
            hint=f"its partners are: {names} (what is new in the workflow file has to be applied first)",
            exit_code=UNUSABLE,
        )
    found = [way for way in own if ingress is None or way.ingress == ingress]
    if not found:
        names = ", ".join(way.ingress for way in own)
        fail(f"{partner} does not send by {ingress!r}", hint=f"its ingresses are: {names}", exit_code=UNUSABLE)
    usable = [way for way in found if way.refusal is None]
    if not usable:
        fail(f"{partner} can't be played: {found[0].refusal}", hint="have the partner send a test event")
    return usable[0]


def secret_of(way: WayIn, client: Any, *, make: bool) -> tuple[str, bool]:
    """The secret of a webhook, and whether it was made here: with ``make``, one that has no value yet gets one.

    Raises:
        OperatorError: it can't be read, or has no value.
    """
    verification = None if way.specification is None else way.specification.verification
    if verification is None or not verification.needs_secret or not way.secret_arns:
        return "", False
    arn = way.secret_arns[0]
    try:
        return SecretsManager(client).values([arn])[0], False
    except ProcessingError as error:
        if make and _has_no_value(client, arn):
            value = new_secret(way.specification)
            client.put_secret_value(SecretId=arn, SecretString=value)
            return value, True
        raise OperatorError(
            f"the secret of {way.partner} can't be read: {error.message}",
            hint=f"store its value (aws secretsmanager put-secret-value --secret-id {arn} --secret-string …), and "
            "allow yourself secretsmanager:GetSecretValue",
        ) from error


def _has_no_value(client: Any, arn: str) -> bool:
    """AWS has no version then, MiniStack one without a text."""
    try:
        answer = client.get_secret_value(SecretId=arn)
    except ClientError as error:
        return error_code(error) == "ResourceNotFoundException"
    except BotoCoreError:
        return False
    return not {"SecretString", "SecretBinary"} & answer.keys()


def new_secret(specification: PartnerSpecification | None) -> str:
    """A secret in the format that ``specification`` reads."""
    rule = None if specification is None else specification.verification
    if rule is None:
        return secrets.token_hex(20)
    scheme = next((one for one in rule.schemes if one.keys.secret), rule)
    if scheme.method == "basic":
        return f"media-events:{secrets.token_hex(20)}"
    if scheme.key_format == "base64":
        return scheme.key_prefix + base64.b64encode(secrets.token_bytes(24)).decode()
    return scheme.key_prefix + secrets.token_hex(20)
