"""The ingresses of a workflow."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from media_events_kit.infra.model.consumers import Archive, Consumer, FailureHandling
from media_events_kit.infra.model.renames import Renamable
from media_events_kit.infra.model.settings import KmsKey
from media_events_kit.infra.model.types import (
    AccountId,
    BusArn,
    CertificateArn,
    DomainName,
    EventSource,
    EventSourceName,
    GlobalCertificateArn,
    GlobalWebAclArn,
    ObjectUri,
    OrganizationId,
    QueueArn,
    QueueUrl,
    RoleArn,
    Section,
    Sid,
    Time,
    TopicArn,
)

FIFO_BATCH = 10
"""Most messages of a FIFO queue per call: Lambda's own limit."""


class ExistingTopic(Section):
    """A topic in place of one that is made; it may be another account's."""

    arn: TopicArn = Field(description="In the environment's region.")


class ExistingBus(Section):
    """A bus in place of one that is made."""

    arn: BusArn = Field(description="In the environment's region and account.")


class Throttle(Section):
    """A limit of the HTTP API; requests above it get 429."""

    rate: int = Field(default=100, ge=1, le=10000, description="Requests per second, sustained.")
    burst: int = Field(default=200, ge=1, le=5000, description="Concurrent requests.")


class MutualTls(Section):
    """Callers need a certificate that the truststore vouches for."""

    truststore_uri: ObjectUri = Field(description="PEM bundle of the certificate authorities.")
    truststore_version: str | None = Field(
        default=None, description="The object's version; without one a new bundle goes unnoticed."
    )
    ownership_verification_certificate_arn: CertificateArn | None = Field(
        default=None, description="A public certificate for the name, if `certificate_arn` is imported or private."
    )


class Domain(Section):
    """A domain of your own for the HTTP API. Point its DNS record at the output `domain_target`."""

    name: DomainName = Field(description="Such as hooks.example.com.")
    certificate_arn: CertificateArn = Field(description="The name's certificate, in the environment's region.")
    mutual_tls: MutualTls | None = Field(
        default=None, description="Admits only callers with a certificate, and switches the API's own address off."
    )


class CloudFrontDomain(Section):
    """A domain of your own at CloudFront. Point its DNS record at the output `domain_target`."""

    name: DomainName = Field(description="Such as hooks.example.com.")
    certificate_arn: GlobalCertificateArn = Field(description="The name's certificate, in us-east-1.")


class CloudFront(Section):
    """CloudFront with AWS WAF in front of the HTTP API, which then takes nothing past it."""

    requests_per_5_minutes: int | None = Field(
        default=None, ge=10, le=2_000_000_000, description="Limit of each address; more get 429 (30000)."
    )
    web_acl_arn: GlobalWebAclArn | None = Field(default=None, description="A web ACL of your own, in place of that.")
    domain: CloudFrontDomain | None = Field(default=None, description="A domain of your own.")

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if self.web_acl_arn is not None and self.requests_per_5_minutes is not None:
            raise ValueError("takes web_acl_arn or requests_per_5_minutes: your own web ACL has its own rules")
        return self


class WebhookIngress(Renamable):
    """An HTTP API that takes `POST /webhooks/<partner>` for all partners that call."""

    type: Literal["webhook"] = "webhook"
    throttle: Throttle = Field(default=Throttle(), description="For each partner without one of its own.")
    domain: Domain | None = Field(default=None, description="A domain of your own.")
    cloudfront: CloudFront | None = Field(
        default=None, description="CloudFront with AWS WAF in front; `{}` for the defaults."
    )
    max_body_bytes: int = Field(default=6291456, ge=1024, le=6291456, description="Larger requests get 413.")
    reserved_concurrency: int | None = Field(
        default=None,
        ge=1,
        description="Instances that are kept for webhooks, and the most of them; AWS wants 100 left unreserved.",
    )
    snap_start: bool | None = Field(default=None, description="SnapStart of this function. Default: the settings'.")

    @model_validator(mode="after")
    def _one_domain(self) -> Self:
        if self.cloudfront is not None and self.domain is not None:
            raise ValueError("has a domain behind cloudfront, which nobody calls: give cloudfront the domain")
        return self


class CrossAccountPrincipals(Section):
    """Accounts, roles or an organisation that may send. With `organization_id` beside others, both must hold."""

    account_ids: list[AccountId] = Field(default=[], description="Accounts: all their roles with the permission.")
    role_arns: list[RoleArn] = Field(default=[], description="Roles.")
    organization_id: OrganizationId | None = Field(default=None, description="An AWS organisation.")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.account_ids or self.role_arns or self.organization_id):
            raise ValueError("needs account_ids, role_arns or organization_id: anybody could send otherwise")
        return self


class BusSender(CrossAccountPrincipals):
    """Accounts, roles or an organisation that may put events on the bus."""

    sources: list[EventSource] = Field(min_length=1, description="The exact `source` values that they may use.")


class QueueIngress(Consumer, Renamable):
    """Base of every ingress with a queue."""

    enabled: bool = Field(default=True, description="False lets messages wait in the queue.")
    failure: FailureHandling = Field(default=FailureHandling(), description="Overrides the top level's `failure`.")


class FifoIngress(QueueIngress):
    """Base of the ingresses that may be FIFO."""

    senders: dict[Sid, CrossAccountPrincipals] = Field(
        default={},
        description="Senders of other accounts, by a name of yours. Roles of this account need only their own policy.",
    )
    fifo: bool | None = Field(
        default=None,
        description="Keeps order within a message group up to the bus; `batch_size` is then at most 10. Default: as "
        "the existing queue or topic, otherwise false for `sqs`, true for `sns-fifo`.",
    )
    content_based_deduplication: bool = Field(
        default=False, description="For FIFO: deduplicates by the body if no id is given."
    )
    high_throughput: bool = Field(default=False, description="For FIFO: quotas and deduplication per message group.")

    def _check_options(
        self, existing: str, arn: str | None, *, is_fifo: bool, owned: set[str], fifo_only: set[str]
    ) -> None:
        """Refuse options of ``owned`` that belong to the owner of ``existing``, and those that only FIFO has.

        Raises:
            ValueError: naming the option.
        """
        values = {name: getattr(self, name) for name in owned | fifo_only}
        given = {name for name, value in values.items() if value is not None and value is not False and value != {}}
        if arn is not None and self.fifo not in (None, arn.endswith(".fifo")):
            raise ValueError(f"fifo must be what {existing} is: leave it out")
        if arn is not None and given & owned:
            raise ValueError(f"{min(given & owned)} is its owner's to set for an {existing}")
        if is_fifo and (self.batch_size > FIFO_BATCH or self.batch_window_seconds):
            raise ValueError("batch_size may be 10 at most, and batch_window_seconds 0, for a FIFO queue")
        if not is_fifo and given & fifo_only:
            raise ValueError(f"{min(given & fifo_only)} is for FIFO alone: set fifo to true, or leave it out")


class ExistingQueue(Section):
    """An existing queue, perhaps of another account. Its policies and visibility timeout stay its owner's."""

    arn: QueueArn = Field(description="In the environment's region.")
    url: QueueUrl | None = Field(default=None, description="Default: derived from the ARN.")
    kms_key: KmsKey | None = Field(default=None, description="The queue's own key.")
    age_alarm: bool = Field(default=True, description="False for a queue of another account, whose metrics are there.")


class SqsIngress(FifoIngress):
    """A queue that one partner sends to: one that is made, or an existing one."""

    type: Literal["sqs"]
    existing_queue: ExistingQueue | None = Field(default=None, description="A queue in place of one that is made.")

    @property
    def is_fifo(self) -> bool:
        """Whether the queue is FIFO."""
        arn = "" if self.existing_queue is None else self.existing_queue.arn
        return arn.endswith(".fifo") if self.fifo is None else self.fifo

    @model_validator(mode="after")
    def _one_queue(self) -> Self:
        self._check_options(
            "existing_queue",
            None if self.existing_queue is None else self.existing_queue.arn,
            is_fifo=self.is_fifo,
            owned={"senders", "content_based_deduplication", "high_throughput"},
            fifo_only={"content_based_deduplication", "high_throughput"},
        )
        return self


class Replay(Section):
    """Delivers again what the topic's archive has kept."""

    since: Time = Field(description="Time of the first message.")
    until: Time | None = Field(default=None, description="Time of the last one. Default: continues with new messages.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than since")
        return self


class SnsFifoIngress(FifoIngress):
    """A topic that one partner publishes to, with a queue behind it: FIFO to FIFO, or standard to standard."""

    type: Literal["sns-fifo"]
    existing_topic: ExistingTopic | None = Field(
        default=None, description="The partner's topic, in place of one that is made."
    )
    topic_archive_days: int | None = Field(
        default=None, ge=0, le=365, description="How long a FIFO topic keeps messages for `replay`; 0 ends it."
    )
    raw_message_delivery: bool = Field(
        default=True, description="False wraps messages, which may then have more than ten attributes."
    )
    filter_policy: dict[str, Any] | None = Field(default=None, min_length=1, description="An SNS filter policy.")
    filter_policy_scope: Literal["MessageAttributes", "MessageBody"] = Field(
        default="MessageAttributes", description="The part that the filter policy matches."
    )
    replay: Replay | None = Field(
        default=None, description="For a FIFO topic with an archive; removing it ends the replay."
    )

    @property
    def is_fifo(self) -> bool:
        """Whether topic and queue are FIFO."""
        arn = ".fifo" if self.existing_topic is None else self.existing_topic.arn
        return arn.endswith(".fifo") if self.fifo is None else self.fifo

    @model_validator(mode="after")
    def _one_topic(self) -> Self:
        self._check_options(
            "existing_topic",
            None if self.existing_topic is None else self.existing_topic.arn,
            is_fifo=self.is_fifo,
            owned={"senders", "content_based_deduplication", "topic_archive_days"},
            fifo_only={"content_based_deduplication", "high_throughput", "topic_archive_days", "replay"},
        )
        return self


class PartnerBusIngress(QueueIngress):
    """A partner event source, associated with its bus."""

    type: Literal["partner-bus"]
    forward_unmodified: bool = Field(
        default=False,
        description="Puts the events on the workflow's bus as they are, under their own source, without a function.",
    )
    event_source_name: EventSourceName = Field(description="`aws.partner/<partner>/<namespace>/<name>`.")
    existing_bus: ExistingBus | None = Field(default=None, description="The source's bus, if it is associated already.")
    archive: Archive | None = Field(default=None, description="Keeps the events as the partner sent them.")
    inactivity_alarm_minutes: int | None = Field(
        default=None,
        ge=5,
        le=10080,
        description="An alarm when no event came for this long, the only sign of a deleted source. In steps of 5 up "
        "to 1440, of 60 above.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        minutes, day = self.inactivity_alarm_minutes or 5, 1440
        if minutes % (5 if minutes <= day else 60):
            raise ValueError("inactivity_alarm_minutes must be in steps of 5 up to 1440, of 60 above")
        existing = None if self.existing_bus is None else self.existing_bus.arn
        if existing is not None and not existing.endswith(f":event-bus/{self.event_source_name}"):
            raise ValueError("existing_bus must be the source's own bus, which has its name")
        of_functions = sorted(self.model_fields_set & {"enabled", *Consumer.model_fields})
        if self.forward_unmodified and of_functions:
            raise ValueError(f"{of_functions[0]} is for the function, and with forward_unmodified there is none")
        return self


class CustomBusIngress(QueueIngress):
    """The workflow's bus, or another bus of the account, on which senders put events of their own sources."""

    type: Literal["custom-bus"]
    existing_bus: ExistingBus | None = Field(
        default=None, description="A bus of the account, in place of the workflow's."
    )
    senders: dict[Sid, BusSender] = Field(default={}, description="Senders of other accounts, by a name of yours.")

    @model_validator(mode="after")
    def _own_bus(self) -> Self:
        if self.existing_bus is not None and self.senders:
            raise ValueError("senders are for the workflow's own bus: an existing_bus has a policy of its own")
        name = "" if self.existing_bus is None else self.existing_bus.arn.partition(":event-bus/")[2]
        if name == "default" or name.startswith("aws."):
            raise ValueError(
                "existing_bus is for custom buses: use type aws-services for default, partner-bus for aws.partner/…"
            )
        return self


class AwsServicesIngress(QueueIngress):
    """The account's default bus, where AWS services such as MediaConvert and S3 put their events."""

    type: Literal["aws-services"]


def _type(ingress: Any) -> str:
    """The ingress's type, by default a webhook."""
    if isinstance(ingress, Section):
        return str(getattr(ingress, "type", ""))
    return str(ingress.get("type", "webhook")) if isinstance(ingress, dict) else "webhook"


Ingress = Annotated[
    Annotated[WebhookIngress, Tag("webhook")]
    | Annotated[SqsIngress, Tag("sqs")]
    | Annotated[SnsFifoIngress, Tag("sns-fifo")]
    | Annotated[PartnerBusIngress, Tag("partner-bus")]
    | Annotated[CustomBusIngress, Tag("custom-bus")]
    | Annotated[AwsServicesIngress, Tag("aws-services")],
    Discriminator(_type),
]
