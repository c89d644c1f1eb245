"""The types of what modules are given.

Generated from the Terraform modules by scripts/cdktf_constructs.py: edit those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from media_events_cdktf.module import Reference


class BusCustomExistingBus(TypedDict):
    """A bus (`arn`) of this account and region in place of one that the module makes, the account's
    `default` one too. Its policy, key and dead-letter queue stay its owner's."""

    arn: str


class BusCustomSenders(TypedDict):
    """Further senders on the bus, each held to its own sources, by the Sid of the policy's statement.
        Roles of the module's own account need no entry: their own policies decide.

    sources: the `source` values that it may use; exact text
    account_ids: accounts, all of whose roles with the permission may put events
    role_arns: roles, which is narrower
    organization_id: an AWS organisation: alone, all its accounts; with account_ids or role_arns, a
        further condition
    Defaults: `account_ids = []`, `role_arns = []`.
    """

    sources: Sequence[str]
    account_ids: NotRequired[Sequence[str] | None]
    role_arns: NotRequired[Sequence[str] | None]
    organization_id: NotRequired[str | None]


class BusCustomPartners(TypedDict):
    """Partners whose events on this bus are taken into the envelope, by the name that they then have
        (`partner.<name>`). `senders`, or the policies of roles of the bus's own account, allow them to
        put these events.

    sources: the `source` values of their events; exact, or the beginning of some followed by `*`
    specification: the content of a specification file, as JSON text. Null: the partner speaks the
        envelope; its events are validated
    pattern: which of the events to take, as an EventBridge pattern in JSON text, without `source`; null
        takes all
    """

    sources: Sequence[str]
    specification: NotRequired[str | None]
    pattern: NotRequired[str | None]


class BusCustomAwsServices(TypedDict):
    """AWS services whose events are taken from the account's default bus into the envelope, by the name
        that they then have.

    sources: the services' sources, such as `aws.mediaconvert`
    specification: the content of a specification file, as JSON text; `jsonencode({ preset =
        "mediaconvert" })` alone is one
    pattern: which of the events to take, as an EventBridge pattern in JSON text, without `source`; null
        takes all
    """

    sources: Sequence[str]
    specification: str
    pattern: NotRequired[str | None]


class BusCustomExistingDlqsPartnersKmsKey(TypedDict):
    arn: str


class BusCustomExistingDlqsPartners(TypedDict):
    arn: str
    url: str
    kms_key: NotRequired[BusCustomExistingDlqsPartnersKmsKey | Reference | None]


class BusCustomExistingDlqsServicesKmsKey(TypedDict):
    arn: str


class BusCustomExistingDlqsServices(TypedDict):
    arn: str
    url: str
    kms_key: NotRequired[BusCustomExistingDlqsServicesKmsKey | Reference | None]


class BusCustomExistingDlqs(TypedDict):
    """Dead-letter queues in place of those that the module makes, one for the ingress of `partners` and
        one for that of `aws_services`, each for nothing else: `dlq-review` reads it. Its settings stay
        its owner's: 14 days of retention, a visibility timeout of six times that of its reader (60
        seconds in `dlq-review`), and the policy, which needs the statements of the output
        `existing_dlq_policies`.

    arn: of the queue, a standard queue in the provider's region
    url: of the queue
    kms_key: customer managed key (`arn`) that the queue is encrypted with, other than
        `settings.kms_key`
    """

    partners: NotRequired[BusCustomExistingDlqsPartners | Reference | None]
    services: NotRequired[BusCustomExistingDlqsServices | Reference | None]


class Archive(TypedDict):
    """Archive for archive replays. Null keeps no events.

    retention_days: days that events are kept; 0 is for ever
    pattern: EventBridge pattern of the events to keep, as JSON text; null keeps all
    Defaults: `retention_days = 14`.
    """

    retention_days: NotRequired[float | None]
    pattern: NotRequired[str | None]


class FailureRetry(TypedDict):
    base_seconds: NotRequired[float | None]
    max_seconds: NotRequired[float | None]


class FailureRedrive(TypedDict):
    max_count: NotRequired[float | None]
    base_delay_seconds: NotRequired[float | None]
    max_delay_seconds: NotRequired[float | None]
    max_age_seconds: NotRequired[float | None]
    max_per_second: NotRequired[float | None]


class Failure(TypedDict):
    """How events that fail are treated, from the first retry to the dead-letter queue and back.

    max_receive_count: how often a message may be received from a queue. On the last receive the
        function sends it to the dead-letter queue with the reason; SQS does so after a crash, where the
        queue is the module's own
    retry: how long a message that failed for the time being waits before it is received again:
        exponentially from `base_seconds` to `max_seconds`, with jitter
    redrive: how `dlq-review` redrives dead letters that may pass: how often (`max_count`), how soon
        (`base_delay_seconds`, doubling up to `max_delay_seconds`), up to which age of the event
        (`max_age_seconds`), and how many in a second (`max_per_second`)
    dlq_visibility_timeout_seconds: how long a message received from the dead-letter queue is hidden:
        six times the timeout of the function that reads it (60 seconds in `dlq-review`)
    dlq_age_alarm_seconds: age of the oldest dead letter at which an alarm goes off: above the time that
        redrives take
    Defaults: `max_receive_count = 5`, `base_seconds = 5`, `max_seconds = 900`, `max_count = 3`,
        `base_delay_seconds = 60`, `max_delay_seconds = 3600`, `max_age_seconds = 172800`,
        `max_per_second = 5`, `dlq_visibility_timeout_seconds = 360`, `dlq_age_alarm_seconds = 14400`.
    """

    max_receive_count: NotRequired[float | None]
    retry: NotRequired[FailureRetry | Reference | None]
    redrive: NotRequired[FailureRedrive | Reference | None]
    dlq_visibility_timeout_seconds: NotRequired[float | None]
    dlq_age_alarm_seconds: NotRequired[float | None]


class FunctionRole(TypedDict):
    arn: str
    unique_id: NotRequired[str | None]


class FunctionLogGroup(TypedDict):
    arn: str


class Function(TypedDict):
    """Size and runtime of the module's functions.

    memory_mb: memory; CPU grows with it
    timeout_seconds: when Lambda ends an invocation
    reserved_concurrency: instances reserved for, and the most granted to, each function; null shares
        the account's pool, 0 stops it
    runtime: the zip carries bytecode compiled for `python3.13`; others start more slowly
    architecture: `arm64` or `x86_64`
    log_level: least severe level that is logged: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`
    tracing: X-Ray: `Active` or `PassThrough`; null takes `settings.tracing`
    snap_start: whether a start is a restore of the published version's snapshot, which costs by memory
        and hour for each version
    role: existing role (`arn`, and `unique_id` for an ingress) in place of one that the module makes.
        It must trust `lambda.amazonaws.com` and have the policies of the output `role_policies`, before
        the functions do. Best one for each module or hop
    log_group: existing log group (`arn`) in place of one that the module makes
    Defaults: `memory_mb = 256`, `timeout_seconds = 30`, `runtime = "python3.13"`, `architecture =
        "arm64"`, `log_level = "INFO"`, `snap_start = false`.
    """

    memory_mb: NotRequired[float | None]
    timeout_seconds: NotRequired[float | None]
    reserved_concurrency: NotRequired[float | None]
    runtime: NotRequired[str | None]
    architecture: NotRequired[str | None]
    log_level: NotRequired[str | None]
    tracing: NotRequired[str | None]
    snap_start: NotRequired[bool | None]
    role: NotRequired[FunctionRole | Reference | None]
    log_group: NotRequired[FunctionLogGroup | Reference | None]


class IdempotencyTable(TypedDict):
    """Idempotency store to share (`name`, `arn`), one of another module's `idempotency_tables`, so that an
    event that comes by both ways is published once. Null makes one."""

    name: str
    arn: str


class Queue(TypedDict):
    """The queue, and how the function consumes it.

    enabled: whether the function consumes the queue; messages wait while it does not
    batch_size: most messages per invocation: up to 10, or up to 10000 for a standard queue with a batch
        window
    batch_window_seconds: how long Lambda waits for a batch to fill; standard queues only
    maximum_concurrency: most invocations at a time (2 to 1000): protects what is behind the function,
        and leaves the account's concurrency to other functions, such as webhooks
    visibility_timeout_seconds: how long a received message is hidden; null is the least that AWS
        advises: six times the function's timeout plus the batch window
    content_based_deduplication: whether SQS makes the deduplication id of messages without one from
        their bodies; FIFO only
    high_throughput: whether quota and duplicates are counted per message group instead of for the whole
        queue; FIFO only
    age_alarm_seconds: age of the oldest message at which an alarm goes off
    Defaults: `enabled = true`, `batch_size = 10`, `batch_window_seconds = 0`, `maximum_concurrency =
        10`, `content_based_deduplication = false`, `high_throughput = false`, `age_alarm_seconds =
        3600`.
    """

    enabled: NotRequired[bool | None]
    batch_size: NotRequired[float | None]
    batch_window_seconds: NotRequired[float | None]
    maximum_concurrency: NotRequired[float | None]
    visibility_timeout_seconds: NotRequired[float | None]
    content_based_deduplication: NotRequired[bool | None]
    high_throughput: NotRequired[bool | None]
    age_alarm_seconds: NotRequired[float | None]


class RuleRetry(TypedDict):
    """How long (`max_age_seconds`) and how often (`max_attempts`) EventBridge tries to send an event on,
    before it goes to the dead-letter queue. Defaults: `max_age_seconds = 86400`, `max_attempts =
    185`."""

    max_age_seconds: NotRequired[float | None]
    max_attempts: NotRequired[float | None]


class SettingsKmsKey(TypedDict):
    arn: str


class SettingsVpc(TypedDict):
    subnet_ids: Sequence[str]
    security_group_ids: Sequence[str]


SettingsLogs = TypedDict(
    "SettingsLogs", {"retention_days": "NotRequired[float | None]", "class": "NotRequired[str | None]"}
)


class SettingsAlarmsActions(TypedDict):
    critical: NotRequired[Sequence[str] | None]
    warning: NotRequired[Sequence[str] | None]


class SettingsAlarms(TypedDict):
    enabled: NotRequired[bool | None]
    severities: NotRequired[Sequence[str] | None]
    notify_on: NotRequired[Sequence[str] | None]
    reviewed: NotRequired[bool | None]
    runbook_url: NotRequired[str | None]
    actions: NotRequired[SettingsAlarmsActions | Reference | None]


class SettingsPackage(TypedDict):
    filename: NotRequired[str | None]
    s3_bucket: NotRequired[str | None]
    s3_key: NotRequired[str | None]
    s3_object_version: NotRequired[str | None]
    source_code_hash: NotRequired[str | None]


class SettingsBucket(TypedDict):
    name: str
    arn: str


class Settings(TypedDict):
    """Settings that all modules of a deployment share: pass the same object to each.

    kms_key: customer managed key (`arn`) for all that the module encrypts; null uses keys that AWS owns
    permissions_boundary_arn: permissions boundary of every role
    role_path: path of every role, such as `/media/`. A role keeps the path that it was made with
    role_name_prefix: beginning of every role's name, where a company's rules ask for one; the rest is
        the name of what the role is for
    role_policies: `inline`, or `managed`: each role's policy is then one that can be attached elsewhere
        too, of 6,144 characters at most
    vpc: subnets (`subnet_ids`) and security groups (`security_group_ids`) of every function: private
        subnets with a way to the AWS APIs and partners that the functions call. Null leaves the
        functions outside any VPC
    logs: `retention_days` (0 keeps logs for ever) and `class`. `INFREQUENT_ACCESS` is cheaper, but
        CloudWatch then takes no metrics from the logs, and `media-events trace` can't read them
    alarms: `enabled` (false makes no alarm), `severities` (which are made: `critical` needs a person,
        `warning` is slow), `actions` (what alarms of each severity notify, an SNS topic for instance),
        `notify_on` (in which states: add `OK` to hear of recoveries, but also of each new alarm's first
        one), `reviewed` (true where `dlq-review` reads all dead-letter queues and alarms for them: the
        others then don't) and `runbook_url` (of the runbook that every alarm's description names, or of
        your copy of it)
    tracing: X-Ray: `Active` records a sample of events, each as one trace from its ingress to its
        receiver, and the executions of state machines; X-Ray bills each trace. `PassThrough` leaves it
        to callers that trace
    package: where the functions' code is: `filename`, a zip on the machine that runs Terraform, or
        `s3_bucket` and `s3_key` (and `s3_object_version`); `source_code_hash`, the base64 SHA-256 of
        the zip, shows a new zip in S3. The output of `internal/lambda-package` fits. Null takes the zip
        of this repository
    bucket: bucket (`name`, `arn`) for the functions' configuration and for bodies too large for the
        bus. Null makes one for each module that needs one
    max_message_size: largest message of every queue and dead-letter queue, in bytes, 262144 to 1048576.
        An event that EventBridge accepts, up to 1 MiB, and that is larger than this, is lost. More than
        262144 needs AWS provider 6.8
    tags: tags of every resource that takes them
    Defaults: `role_path = "/"`, `role_name_prefix = ""`, `role_policies = "inline"`, `retention_days =
        30`, `class = "STANDARD"`, `enabled = true`, `severities = ["critical", "warning"]`, `notify_on
        = ["ALARM", "INSUFFICIENT_DATA"]`, `reviewed = false`, `runbook_url =
        "docs/reference/runbook.md"`, `critical = []`, `warning = []`, `tracing = "PassThrough"`,
        `max_message_size = 262144`, `tags = {}`.
    """

    kms_key: NotRequired[SettingsKmsKey | Reference | None]
    permissions_boundary_arn: NotRequired[str | None]
    role_path: NotRequired[str | None]
    role_name_prefix: NotRequired[str | None]
    role_policies: NotRequired[str | None]
    vpc: NotRequired[SettingsVpc | Reference | None]
    logs: NotRequired[SettingsLogs | Reference | None]
    alarms: NotRequired[SettingsAlarms | Reference | None]
    tracing: NotRequired[str | None]
    package: NotRequired[SettingsPackage | Reference | None]
    bucket: NotRequired[SettingsBucket | Reference | None]
    max_message_size: NotRequired[float | None]
    tags: NotRequired[Mapping[str, str] | Reference | None]


class BusPartnerExistingBus(TypedDict):
    """The source's bus (`arn`), if there is one already: a source can be associated only once. Null
    associates the source with a bus, which must be done within days of the partner's creating it."""

    arn: str


class BusPartnerExistingRole(TypedDict):
    """With `forward_unmodified`, a role (`arn`) in place of one that the module makes. It must trust
    `events.amazonaws.com`, and have the policy of the output `role_policies` before the first
    event."""

    arn: str


class ExistingDlqKmsKey(TypedDict):
    arn: str


class ExistingDlq(TypedDict):
    """A dead-letter queue in place of one that the module makes, for nothing else than this hop:
        `dlq-review` reads it. Its settings stay its owner's: 14 days of retention, a visibility timeout
        of six times that of its reader (60 seconds in `dlq-review`), and the policy, which needs the
        statements of the output `existing_dlq_policies`.

    arn: of the queue, in the provider's region, and FIFO if the hop's own queue is
    url: of the queue
    kms_key: customer managed key (`arn`) that the queue is encrypted with, other than
        `settings.kms_key`
    """

    arn: str
    url: str
    kms_key: NotRequired[ExistingDlqKmsKey | Reference | None]


class DashboardDeadLetterQueuesIdempotencyTable(TypedDict):
    name: str


class DashboardDeadLetterQueues(TypedDict):
    """The hops' queues and destinations, by hop: `merge()` of the outputs `dead_letter_queues` of the
    other modules."""

    queue_arn: str
    source_queue_url: NotRequired[str | None]
    destination: str
    idempotency_table: NotRequired[DashboardDeadLetterQueuesIdempotencyTable | Reference | None]


class DlqReviewDeadLetterQueuesIdempotencyTable(TypedDict):
    name: str
    arn: str


class DlqReviewDeadLetterQueuesRedrive(TypedDict):
    max_count: NotRequired[float | None]
    base_delay_seconds: NotRequired[float | None]
    max_delay_seconds: NotRequired[float | None]
    max_age_seconds: NotRequired[float | None]
    max_per_second: NotRequired[float | None]


class DlqReviewDeadLetterQueues(TypedDict):
    """The dead-letter queues to read, by hop: `merge()` of the outputs `dead_letter_queues` of the other
        modules.

    queue_arn, `queue_url`: of the dead-letter queue. Its visibility timeout must be at least six times
        the function's timeout.
    hop, `destination`: the hop that failed, and the destination of its events.
    source_queue_arn, `source_queue_url`: the hop's queue, where `redrive_target` is `queue`.
    function_arn: the hop's function, where requests go back to it: needed where `redrive_target` is
        `function`, allowed elsewhere.
    consumer_arn: the function that consumes the hop's queue. A message that crashed it is handed to it
        once more, alone and past the queue, so that no live message fails with it; so is every message
        of an ingress. Null: the message goes back to the queue as others do. Where the hop is an
        ingress (`ingress/…`), this function or `function_arn` must be one of these modules': it is
        asked which event is in a message that no function has read, before a person is.
    function_role_id: unique id of that function's role, needed where the hop is an ingress. What
        anybody else sent to an ingress says nothing about why it failed; `from_rules`: only
        EventBridge's rules send there, so their reasons are believed.
    rule_arn: the rule of a hop of `router`. What goes back by the bus for this hop alone goes to review
        instead if the rule does not take it any more.
    redrive_target: where a dead letter is tried again: `queue`, `bus`, `function`, or `none` where
        nothing could take it. Then a person is asked at once.
    idempotency_table: `{ name, arn }` of the table with the destination's circuit breaker: while that
        is open, dead letters wait.
    ordered: whether the hop keeps the events of a key in their order. The policy `administer` may then
        release the key's later events.
    redrive: how often (`max_count`), how soon (`base_delay_seconds`, doubling up to
        `max_delay_seconds`) and up to which age of the event (`max_age_seconds`) failures that may pass
        are tried again before a person is asked, and how many dead letters of the hop go back in a
        second at most, by any way (`max_per_second`), so that ten thousand of them don't slow live
        traffic.
    Defaults: `from_rules = false`, `ordered = false`, `max_count = 3`, `base_delay_seconds = 60`,
        `max_delay_seconds = 3600`, `max_age_seconds = 172800`, `max_per_second = 5`.
    """

    queue_arn: str
    queue_url: str
    hop: str
    destination: str
    source_queue_arn: NotRequired[str | None]
    source_queue_url: NotRequired[str | None]
    function_arn: NotRequired[str | None]
    consumer_arn: NotRequired[str | None]
    function_role_id: NotRequired[str | None]
    from_rules: NotRequired[bool | None]
    rule_arn: NotRequired[str | None]
    redrive_target: str
    idempotency_table: NotRequired[DlqReviewDeadLetterQueuesIdempotencyTable | Reference | None]
    ordered: NotRequired[bool | None]
    redrive: NotRequired[DlqReviewDeadLetterQueuesRedrive | Reference | None]


class DlqReviewArchive(TypedDict):
    """The bus's archive, `{ arn }`; null without one. With it `operator_policies` has `archive_replay` and
    `repeat_effects`."""

    arn: str


class DlqReviewIdempotencyTables(TypedDict):
    """Idempotency stores, by hop: `merge()` of the outputs `idempotency_tables` of the other modules. The
    policies let operators look up there when an event came in, besides the stores in
    `dead_letter_queues`."""

    name: str
    arn: str


class DlqReviewAuditLock(TypedDict):
    """How S3's Object Lock keeps each entry of the audit from its writing on, for `days`: `COMPLIANCE`
    against everybody, the account's root too; `GOVERNANCE` except those who may
    `s3:BypassGovernanceRetention`. The bucket's policy refuses changes for ever, until an
    administrator changes it. Defaults: `mode = "GOVERNANCE"`, `days = 365`."""

    mode: NotRequired[str | None]
    days: NotRequired[float | None]


class DlqReviewExistingAuditBucketKmsKey(TypedDict):
    arn: str


class DlqReviewExistingAuditBucket(TypedDict):
    """A bucket for the audit in place of one that the module makes, with Object Lock and versioning, and
        best in an account of its own. Its settings stay its owner's: `audit_lock` has no effect. Its
        policy needs the statements of the output `existing_audit_bucket_policy`; in another account it
        must let in the roles that hold `operator_policies` as well.

    name: of the bucket
    arn: of the bucket
    kms_key: customer managed key (`arn`) that the bucket is encrypted with, other than
        `settings.kms_key`
    """

    name: str
    arn: str
    kms_key: NotRequired[DlqReviewExistingAuditBucketKmsKey | Reference | None]


class DlqReviewTrail(TypedDict):
    """Makes a CloudTrail trail of every call to the review table, the audit and the functions of these
    hops, in the existing bucket `bucket_name`, best another account's, under `key_prefix`. The
    bucket needs [the policy that CloudTrail asks
    for](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html).
    AWS charges for each call. Null: none."""

    bucket_name: str
    key_prefix: NotRequired[str | None]


class DlqReviewEditableTypes(TypedDict):
    """Types of events that operators with the policy `edit` may correct and send again (`media-events
        review edit`), by type; none by default.

    schema: a JSON Schema (text, `jsonencode(…)`) that the edited event's `data` must fit. Null: any.
    """

    schema: NotRequired[str | None]


class DlqReviewExistingTopicKmsKey(TypedDict):
    arn: str


class DlqReviewExistingTopic(TypedDict):
    """A topic (`arn`, and `kms_key` if it has one) to tell of new review items, in place of one that the
    module makes. Its policy must let the function's role publish, unless it is this account's and
    names nobody."""

    arn: str
    kms_key: NotRequired[DlqReviewExistingTopicKmsKey | Reference | None]


class IngressApigwPartnersThrottle(TypedDict):
    rate: float
    burst: float


class IngressApigwPartnersAuthorization(TypedDict):
    type: str
    principals: NotRequired[Sequence[str] | None]
    issuer: NotRequired[str | None]
    audiences: NotRequired[Sequence[str] | None]
    scopes: NotRequired[Sequence[str] | None]


class IngressApigwPartners(TypedDict):
    """The partners that may call, by name; a partner's address is `/webhooks/<name>`.

    specification: content of a specification file, as JSON text; `jsonencode({ preset = "mux" })` alone
        is one
    secret_arns: Secrets Manager secrets that verify the calls, current first, previous after it. Null:
        the module makes one secret, `<name>/<partner>`, without a value, for you to fill. `[]`: none is
        needed. With an `authorization` null is `[]`
    previous_secret_seconds: how long a secret's previous version (`AWSPREVIOUS`) is accepted after the
        current one was made; `0` revokes it. After that its use is refused, and an alarm tells of it
    throttle: limits of its own, `{ rate, burst }`. Null: those of `throttle`
    authorization: `{ type = "iam", principals }`: API Gateway lets in signed calls of the roles and
        users with these ARNs, which `invoke_policies` allows to call; or `{ type = "jwt", issuer,
        audiences, scopes }`: it lets in tokens of this issuer, for any of the audiences, with any of
        the scopes if there are some. Either takes the place of the specification's verification. Null:
        calls are verified by signature
    require_client_certificate: only by mutual TLS, which `domain` must have, besides the signature or
        the authorization
    Defaults: `previous_secret_seconds = 86400`, `principals = []`, `audiences = []`, `scopes = []`,
        `require_client_certificate = false`.
    """

    specification: str
    secret_arns: NotRequired[Sequence[str] | None]
    previous_secret_seconds: NotRequired[float | None]
    throttle: NotRequired[IngressApigwPartnersThrottle | Reference | None]
    authorization: NotRequired[IngressApigwPartnersAuthorization | Reference | None]
    require_client_certificate: NotRequired[bool | None]


class IngressApigwThrottle(TypedDict):
    """Calls that API Gateway lets through for each partner without a `throttle` of its own: `rate` per
    second on average, `burst` at once. More get 429, which senders retry. A partner's calls don't
    count against another's; all unknown names together get 5 a second. Defaults: `rate = 100`,
    `burst = 200`."""

    rate: NotRequired[float | None]
    burst: NotRequired[float | None]


class IngressApigwDomainMutualTls(TypedDict):
    truststore_uri: str
    truststore_version: NotRequired[str | None]
    ownership_verification_certificate_arn: NotRequired[str | None]


class IngressApigwDomain(TypedDict):
    """A domain of your own for the API. Point a DNS record (an alias, or a CNAME) to `domain_target`; the
        module makes none.

    name: such as `hooks.example.com`
    certificate_arn: certificate of Certificate Manager for that name, in the API's region
    mutual_tls: callers must show a certificate that the truststore vouches for. The API's own address
        is switched off then, since it asks for none
    truststore_uri: PEM bundle of the certificate authorities, `s3://<bucket>/<key>`
    truststore_version: version of that object; without one a new bundle goes unnoticed
    ownership_verification_certificate_arn: public certificate that proves the name is yours, where
        `certificate_arn` is imported or of a private authority
    """

    name: str
    certificate_arn: str
    mutual_tls: NotRequired[IngressApigwDomainMutualTls | Reference | None]


class IngressApigwAlarmThresholds(TypedDict):
    """When the alarms go off, besides the one on the age of dead letters (`failure`).

    server_errors: 5xx answers in five minutes
    client_error_percent: 4xx answers in percent of all, for a quarter of an hour
    latency_ms: slowest hundredth (p99) of the calls
    Defaults: `server_errors = 1`, `client_error_percent = 50`, `latency_ms = 3000`.
    """

    server_errors: NotRequired[float | None]
    client_error_percent: NotRequired[float | None]
    latency_ms: NotRequired[float | None]


class IngressApigwExistingAccessLogGroup(TypedDict):
    """Log group (`arn`) for the API's access log in place of one that the module makes. Its retention,
    class and key stay its owner's."""

    arn: str


class IngressApigwExistingApi(TypedDict):
    """An HTTP API of yours, for the routes below `/webhooks`, in place of one that the module makes. Its
        stage is yours: deployment (`auto_deploy`, or deploy after each new partner), throttling, access
        log and domain.

    id: of the API
    execution_arn: of the API
    endpoint: where partners call it: `https://` and a host, without a path
    stage: name of its stage, for the alarms
    Defaults: `stage = "$default"`.
    """

    id: str
    execution_arn: str
    endpoint: str
    stage: NotRequired[str | None]


class IngressSnsFifoExistingTopic(TypedDict):
    """A topic (`arn`) that exists already, the partner's own as a rule, in place of one that the module
    makes. In the provider's region; it may be another account's."""

    arn: str


IngressSnsFifoReplay = TypedDict("IngressSnsFifoReplay", {"from": "str", "until": "NotRequired[str | None]"})


class Senders(TypedDict):
    """Further senders, by the Sid of the policy's statement. Roles of the module's own account need no
        entry: their own policies decide.

    account_ids: accounts, all of whose roles with the permission may send
    role_arns: roles, which is narrower
    organization_id: an AWS organisation: alone, all its accounts; with account_ids or role_arns, a
        further condition
    Defaults: `account_ids = []`, `role_arns = []`.
    """

    account_ids: NotRequired[Sequence[str] | None]
    role_arns: NotRequired[Sequence[str] | None]
    organization_id: NotRequired[str | None]


class ExistingQueueKmsKey(TypedDict):
    arn: str


class ExistingQueue(TypedDict):
    """A queue to consume in place of one of the module's own. It may be another account's. Its policy,
        redrive policy and visibility timeout stay its owner's.

    arn: of the queue, in the provider's region
    url: of the queue
    kms_key: customer managed key (`arn`) that the queue is encrypted with, which the function may then
        use to decrypt
    age_alarm: whether to watch the age of its messages; false for another account's queue, whose
        metrics are not in this account
    Defaults: `age_alarm = true`.
    """

    arn: str
    url: str
    kms_key: NotRequired[ExistingQueueKmsKey | Reference | None]
    age_alarm: NotRequired[bool | None]


class RouterTransformsFunctionRole(TypedDict):
    arn: NotRequired[str | None]
    unique_id: NotRequired[str | None]


class RouterTransformsFunctionLogGroup(TypedDict):
    arn: NotRequired[str | None]


class RouterTransformsFunction(TypedDict):
    memory_mb: NotRequired[float | None]
    timeout_seconds: NotRequired[float | None]
    reserved_concurrency: NotRequired[float | None]
    runtime: NotRequired[str | None]
    architecture: NotRequired[str | None]
    log_level: NotRequired[str | None]
    tracing: NotRequired[str | None]
    snap_start: NotRequired[bool | None]
    role: NotRequired[RouterTransformsFunctionRole | Reference | None]
    log_group: NotRequired[RouterTransformsFunctionLogGroup | Reference | None]


class RouterTransformsQueue(TypedDict):
    enabled: NotRequired[bool | None]
    batch_size: NotRequired[float | None]
    batch_window_seconds: NotRequired[float | None]
    maximum_concurrency: NotRequired[float | None]
    visibility_timeout_seconds: NotRequired[float | None]
    age_alarm_seconds: NotRequired[float | None]


class RouterTransformsFailureRetry(TypedDict):
    base_seconds: NotRequired[float | None]
    max_seconds: NotRequired[float | None]


class RouterTransformsFailureRedrive(TypedDict):
    max_count: NotRequired[float | None]
    base_delay_seconds: NotRequired[float | None]
    max_delay_seconds: NotRequired[float | None]
    max_age_seconds: NotRequired[float | None]
    max_per_second: NotRequired[float | None]


class RouterTransformsFailure(TypedDict):
    max_receive_count: NotRequired[float | None]
    retry: NotRequired[RouterTransformsFailureRetry | Reference | None]
    redrive: NotRequired[RouterTransformsFailureRedrive | Reference | None]
    dlq_visibility_timeout_seconds: NotRequired[float | None]
    dlq_age_alarm_seconds: NotRequired[float | None]


class RouterTransformsFunctionRetry(TypedDict):
    max_attempts: NotRequired[float | None]
    max_age_seconds: NotRequired[float | None]


class RouterTransformsRuleRetry(TypedDict):
    max_age_seconds: NotRequired[float | None]
    max_attempts: NotRequired[float | None]


class RouterTransformsVpc(TypedDict):
    subnet_ids: NotRequired[Sequence[str] | None]
    security_group_ids: NotRequired[Sequence[str] | None]


class RouterTransformsExistingDlqKmsKey(TypedDict):
    arn: NotRequired[str | None]


class RouterTransformsExistingDlq(TypedDict):
    arn: NotRequired[str | None]
    url: NotRequired[str | None]
    kms_key: NotRequired[RouterTransformsExistingDlqKmsKey | Reference | None]


class RouterTransforms(TypedDict):
    """Transforms, by key. A transform takes received events that match its pattern, and publishes them
        with `stage: transformed`. Limits and defaults are in `internal/limits/limits.json`. The plan
        reports all mistakes at once, also misspelt attributes.

    pattern: EventBridge event pattern as JSON text. The module adds the stage and the redrive condition
    match_all: must be true for the empty pattern `{}`
    steps: JSON text, a list of objects with one key each: `map`, `enrich`, `set`, `drop`, `split`,
        `lookup`, `call` or `python`. The function may use the tables, buckets, secrets, functions and
        keys that they name
    package: path of a zip with the modules of `python` steps in a folder `python/`; the module makes a
        layer of it
    layers: ARNs of further layers, versions included
    enabled: false switches the rule off: its events are then not taken, and not kept for later
    invocation: `queue` (default), or `direct`: the rule invokes the function itself, and `queue` and
        `failure.retry` have no meaning
    function: as the variable of that name, for this function alone; so are `queue` and `failure`
    function_retry: with `direct`, how often Lambda itself tries again (`max_attempts`, up to 2) and how
        long an event may wait for the function (`max_age_seconds`)
    rule_retry: how long (`max_age_seconds`) and how often (`max_attempts`) EventBridge tries to reach
        the queue, or the function
    vpc: as `settings.vpc`, for this function alone
    existing_dlq: a dead-letter queue of yours (`arn`, `url`, `kms_key`), for this hop alone. It keeps
        messages for 14 days, has a visibility timeout of six times that of its reader, and a policy
        with the statements of the output `existing_dlq_policies`
    """

    pattern: NotRequired[str | None]
    match_all: NotRequired[bool | None]
    steps: NotRequired[str | None]
    package: NotRequired[str | None]
    layers: NotRequired[Sequence[str] | None]
    enabled: NotRequired[bool | None]
    invocation: NotRequired[str | None]
    function: NotRequired[RouterTransformsFunction | Reference | None]
    queue: NotRequired[RouterTransformsQueue | Reference | None]
    failure: NotRequired[RouterTransformsFailure | Reference | None]
    function_retry: NotRequired[RouterTransformsFunctionRetry | Reference | None]
    rule_retry: NotRequired[RouterTransformsRuleRetry | Reference | None]
    vpc: NotRequired[RouterTransformsVpc | Reference | None]
    existing_dlq: NotRequired[RouterTransformsExistingDlq | Reference | None]


class RouterRoutesTargetHttpAuthKmsKey(TypedDict):
    arn: NotRequired[str | None]


class RouterRoutesTargetHttpAuth(TypedDict):
    type: NotRequired[str | None]
    header: NotRequired[str | None]
    secret_arn: NotRequired[str | None]
    kms_key: NotRequired[RouterRoutesTargetHttpAuthKmsKey | Reference | None]
    token_url: NotRequired[str | None]
    scope: NotRequired[str | None]
    audience: NotRequired[str | None]
    client_authentication: NotRequired[str | None]


class RouterRoutesTargetHttpTlsKmsKey(TypedDict):
    arn: NotRequired[str | None]


class RouterRoutesTargetHttpTls(TypedDict):
    ca_secret_arn: NotRequired[str | None]
    client_certificate_secret_arn: NotRequired[str | None]
    kms_key: NotRequired[RouterRoutesTargetHttpTlsKmsKey | Reference | None]


class RouterRoutesTargetHttp(TypedDict):
    url: NotRequired[str | None]
    mode: NotRequired[str | None]
    headers: NotRequired[Mapping[str, str] | Reference | None]
    timeout_seconds: NotRequired[float | None]
    auth: NotRequired[RouterRoutesTargetHttpAuth | Reference | None]
    tls: NotRequired[RouterRoutesTargetHttpTls | Reference | None]
    allowed_private_cidrs: NotRequired[Sequence[str] | None]
    allow_http: NotRequired[bool | None]


class RouterRoutesTargetSqsInputTransformer(TypedDict):
    paths: NotRequired[Mapping[str, str] | Reference | None]
    template: NotRequired[str | None]


class RouterRoutesTargetSqsKmsKey(TypedDict):
    arn: NotRequired[str | None]


class RouterRoutesTargetSqs(TypedDict):
    queue_arn: NotRequired[str | None]
    queue_url: NotRequired[str | None]
    mode: NotRequired[str | None]
    message_group_id: NotRequired[str | None]
    manage_queue_policy: NotRequired[bool | None]
    input_transformer: NotRequired[RouterRoutesTargetSqsInputTransformer | Reference | None]
    kms_key: NotRequired[RouterRoutesTargetSqsKmsKey | Reference | None]


class RouterRoutesTargetSnsKmsKey(TypedDict):
    arn: NotRequired[str | None]


class RouterRoutesTargetSns(TypedDict):
    topic_arn: NotRequired[str | None]
    mode: NotRequired[str | None]
    kms_key: NotRequired[RouterRoutesTargetSnsKmsKey | Reference | None]


class RouterRoutesTargetEventBus(TypedDict):
    bus_arn: NotRequired[str | None]


class RouterRoutesTargetLambda(TypedDict):
    function_arn: NotRequired[str | None]
    invocation: NotRequired[str | None]
    mode: NotRequired[str | None]
    timeout_seconds: NotRequired[float | None]


class RouterRoutesTargetFirehose(TypedDict):
    stream_arn: NotRequired[str | None]


class RouterRoutesTargetStepFunctions(TypedDict):
    state_machine_arn: NotRequired[str | None]


class RouterRoutesTargetTaskCallbackTaskCallbacksTable(TypedDict):
    name: NotRequired[str | None]
    arn: NotRequired[str | None]


class RouterRoutesTargetTaskCallbackKmsKey(TypedDict):
    arn: NotRequired[str | None]


class RouterRoutesTargetTaskCallback(TypedDict):
    task_callbacks_table: NotRequired[RouterRoutesTargetTaskCallbackTaskCallbacksTable | Reference | None]
    correlation_key: NotRequired[str | None]
    success_when: NotRequired[str | None]
    failure_when: NotRequired[str | None]
    error: NotRequired[str | None]
    early_seconds: NotRequired[float | None]
    kms_key: NotRequired[RouterRoutesTargetTaskCallbackKmsKey | Reference | None]


class RouterRoutesTargetApiDestinationConnection(TypedDict):
    arn: NotRequired[str | None]


class RouterRoutesTargetApiDestinationRole(TypedDict):
    arn: NotRequired[str | None]
    unique_id: NotRequired[str | None]


class RouterRoutesTargetApiDestinationAuth(TypedDict):
    type: NotRequired[str | None]
    header: NotRequired[str | None]
    secret_arn: NotRequired[str | None]
    secret_version_id: NotRequired[str | None]
    token_url: NotRequired[str | None]
    scope: NotRequired[str | None]
    audience: NotRequired[str | None]


class RouterRoutesTargetApiDestinationInputTransformer(TypedDict):
    paths: NotRequired[Mapping[str, str] | Reference | None]
    template: NotRequired[str | None]


class RouterRoutesTargetApiDestination(TypedDict):
    url: NotRequired[str | None]
    method: NotRequired[str | None]
    rate_limit_per_second: NotRequired[float | None]
    connection: NotRequired[RouterRoutesTargetApiDestinationConnection | Reference | None]
    role: NotRequired[RouterRoutesTargetApiDestinationRole | Reference | None]
    auth: NotRequired[RouterRoutesTargetApiDestinationAuth | Reference | None]
    headers: NotRequired[Mapping[str, str] | Reference | None]
    query: NotRequired[Mapping[str, str] | Reference | None]
    path_values: NotRequired[Sequence[str] | None]
    input_transformer: NotRequired[RouterRoutesTargetApiDestinationInputTransformer | Reference | None]
    allow_http: NotRequired[bool | None]


class RouterRoutesTargetLogsLogGroup(TypedDict):
    arn: NotRequired[str | None]


class RouterRoutesTargetLogsInputTransformer(TypedDict):
    paths: NotRequired[Mapping[str, str] | Reference | None]
    template: NotRequired[str | None]


class RouterRoutesTargetLogs(TypedDict):
    log_group: NotRequired[RouterRoutesTargetLogsLogGroup | Reference | None]
    input_transformer: NotRequired[RouterRoutesTargetLogsInputTransformer | Reference | None]


RouterRoutesTarget = TypedDict(
    "RouterRoutesTarget",
    {
        "http": "NotRequired[RouterRoutesTargetHttp | Reference | None]",
        "sqs": "NotRequired[RouterRoutesTargetSqs | Reference | None]",
        "sns": "NotRequired[RouterRoutesTargetSns | Reference | None]",
        "event_bus": "NotRequired[RouterRoutesTargetEventBus | Reference | None]",
        "lambda": "NotRequired[RouterRoutesTargetLambda | Reference | None]",
        "firehose": "NotRequired[RouterRoutesTargetFirehose | Reference | None]",
        "step_functions": "NotRequired[RouterRoutesTargetStepFunctions | Reference | None]",
        "task_callback": "NotRequired[RouterRoutesTargetTaskCallback | Reference | None]",
        "api_destination": "NotRequired[RouterRoutesTargetApiDestination | Reference | None]",
        "logs": "NotRequired[RouterRoutesTargetLogs | Reference | None]",
    },
)


class RouterRoutesStrict(TypedDict):
    reorder_seconds: NotRequired[float | None]
    on_failure: NotRequired[str | None]
    hold_seconds: NotRequired[float | None]


class RouterRoutesCircuitBreaker(TypedDict):
    enabled: NotRequired[bool | None]
    failures: NotRequired[float | None]
    delay_seconds: NotRequired[float | None]
    max_delay_seconds: NotRequired[float | None]
    hold_seconds: NotRequired[float | None]


class RouterRoutesFunctionRole(TypedDict):
    arn: NotRequired[str | None]
    unique_id: NotRequired[str | None]


class RouterRoutesFunctionLogGroup(TypedDict):
    arn: NotRequired[str | None]


class RouterRoutesFunction(TypedDict):
    memory_mb: NotRequired[float | None]
    timeout_seconds: NotRequired[float | None]
    reserved_concurrency: NotRequired[float | None]
    runtime: NotRequired[str | None]
    architecture: NotRequired[str | None]
    log_level: NotRequired[str | None]
    tracing: NotRequired[str | None]
    snap_start: NotRequired[bool | None]
    role: NotRequired[RouterRoutesFunctionRole | Reference | None]
    log_group: NotRequired[RouterRoutesFunctionLogGroup | Reference | None]


class RouterRoutesQueue(TypedDict):
    enabled: NotRequired[bool | None]
    batch_size: NotRequired[float | None]
    batch_window_seconds: NotRequired[float | None]
    maximum_concurrency: NotRequired[float | None]
    visibility_timeout_seconds: NotRequired[float | None]
    age_alarm_seconds: NotRequired[float | None]


class RouterRoutesFailureRetry(TypedDict):
    base_seconds: NotRequired[float | None]
    max_seconds: NotRequired[float | None]


class RouterRoutesFailureRedrive(TypedDict):
    max_count: NotRequired[float | None]
    base_delay_seconds: NotRequired[float | None]
    max_delay_seconds: NotRequired[float | None]
    max_age_seconds: NotRequired[float | None]
    max_per_second: NotRequired[float | None]


class RouterRoutesFailure(TypedDict):
    max_receive_count: NotRequired[float | None]
    retry: NotRequired[RouterRoutesFailureRetry | Reference | None]
    redrive: NotRequired[RouterRoutesFailureRedrive | Reference | None]
    dlq_visibility_timeout_seconds: NotRequired[float | None]
    dlq_age_alarm_seconds: NotRequired[float | None]


class RouterRoutesFunctionRetry(TypedDict):
    max_attempts: NotRequired[float | None]
    max_age_seconds: NotRequired[float | None]


class RouterRoutesRuleRetry(TypedDict):
    max_age_seconds: NotRequired[float | None]
    max_attempts: NotRequired[float | None]


class RouterRoutesVpc(TypedDict):
    subnet_ids: NotRequired[Sequence[str] | None]
    security_group_ids: NotRequired[Sequence[str] | None]


class RouterRoutesExistingDlqKmsKey(TypedDict):
    arn: NotRequired[str | None]


class RouterRoutesExistingDlq(TypedDict):
    arn: NotRequired[str | None]
    url: NotRequired[str | None]
    kms_key: NotRequired[RouterRoutesExistingDlqKmsKey | Reference | None]


class RouterRoutes(TypedDict):
    """Routes, by key. A route sends the events that match its pattern to one target, each with its own
        rule, dead-letter queue and alarms. Limits, defaults and the attributes of each target are in
        `internal/limits/limits.json`.

    pattern, `match_all`, `enabled`, `invocation`, `function`, `queue`, `failure`, `function_retry`,
        `rule_retry`, `vpc`, `existing_dlq`: as for transforms
    stage: `received` or `transformed`. Default: `transformed` where the router has transforms, else
        `received`
    destination: whom the event is for; each destination gets an event once, by whatever routes.
        Default: the key
    target: exactly one of the following
    http: a function posts the event to `url`. `mode`: CloudEvents `structured` or `binary`, or `data`
        alone. `headers`: constant ones. `auth`: `{type, secret_arn}` with type `basic` or
        `standard-webhooks`, `api-key` (with `header`) or `oauth2-client-credentials` (with `token_url`,
        `scope`, `audience`, `client_authentication`), and `kms_key` if the secret has a key of its own.
        `tls`: `{ca_secret_arn, client_certificate_secret_arn, kms_key}`. `allowed_private_cidrs`:
        private networks that the URLs may resolve to. `allow_http`, `timeout_seconds`
    sqs: `queue_arn` and `queue_url` of a queue. Without `mode` the rule sends straight to it:
        `message_group_id` for a FIFO queue, `input_transformer` (`{paths, template}`). The queue's
        policy must let the rule in: attach the output `sqs_target_policies`, or set
        `manage_queue_policy = true` if it has no other. With `mode` (`structured`, `envelope` or
        `data`) a function sends, each event in the group of its `partitionkey`; `kms_key` if the queue
        has one
    sns: a function publishes to `topic_arn`; `mode` and `kms_key` as for queues
    event_bus: a function puts the event on another bus, `bus_arn`, whose policy must let its role in
    lambda: a function invokes `function_arn` with the event (`mode`) and waits up to `timeout_seconds`
        (`invocation = "request-response"`), or leaves it to Lambda's own queue (`event`)
    firehose: a function writes one line of JSON for each event to `stream_arn`
    step_functions: a function starts `state_machine_arn`
    task_callback: a function lets the executions go on, or fail, that wait for the event:
        `task_callbacks_table` (the output of `task-callbacks`), `correlation_key`, `success_when`,
        `failure_when` (JMESPath), `error`, `early_seconds`, `kms_key`
    api_destination: the rule itself calls `url` with `method`, at most `rate_limit_per_second` times a
        second, with `auth` (as for `http`, and `secret_version_id`) or a `connection` of yours
        (`{arn}`), and a `role` of yours (`{arn}`). `headers`, `query` and `path_values` take texts or
        paths such as `$.detail.metadata.id`; `input_transformer`. Routes with the same `destination`
        share one
    logs: the rule itself writes to a log group, `log_group` (`{arn}`) or
        `/aws/events/<name>-<destination>`; `input_transformer`
    ordering: `latest` doesn't send an event that is older than what was delivered for its
        `partitionkey`; `strict` delivers the events of a `partitionkey` one after the other, in their
        order; `none` is the default
    strict: with `ordering = "strict"`: `reorder_seconds`, `on_failure` (`block` or `park`),
        `hold_seconds`
    circuit_breaker: after `failures` in a row deliveries pause for `delay_seconds`, doubling up to
        `max_delay_seconds`; an event waits up to `hold_seconds`. `enabled = false` switches it off
    """

    pattern: NotRequired[str | None]
    match_all: NotRequired[bool | None]
    stage: NotRequired[str | None]
    enabled: NotRequired[bool | None]
    destination: NotRequired[str | None]
    target: NotRequired[RouterRoutesTarget | Reference | None]
    ordering: NotRequired[str | None]
    strict: NotRequired[RouterRoutesStrict | Reference | None]
    circuit_breaker: NotRequired[RouterRoutesCircuitBreaker | Reference | None]
    invocation: NotRequired[str | None]
    function: NotRequired[RouterRoutesFunction | Reference | None]
    queue: NotRequired[RouterRoutesQueue | Reference | None]
    failure: NotRequired[RouterRoutesFailure | Reference | None]
    function_retry: NotRequired[RouterRoutesFunctionRetry | Reference | None]
    rule_retry: NotRequired[RouterRoutesRuleRetry | Reference | None]
    vpc: NotRequired[RouterRoutesVpc | Reference | None]
    existing_dlq: NotRequired[RouterRoutesExistingDlq | Reference | None]


class RouterRetired(TypedDict):
    """Transforms and routes as they were, by key. They get no new events; their queues, functions,
        redrives and review go on until you take them out here: do that when their queues are empty.
        Before you remove a transform or route, or make it another kind under the same key, put it here
        as well.

    transforms, `routes`: as the variables of these names. Where the same key is used above, the rule
        serves that one, and what only the retired one needs is kept besides: its queue, or the function
        of a route whose rule now sends by itself
    Defaults: `transforms = {}`, `routes = {}`.
    """

    transforms: NotRequired[Any | None]
    routes: NotRequired[Any | None]


class StateMachineExistingRole(TypedDict):
    """A role (`arn`) in place of one that the module makes. It must trust `states.amazonaws.com`, and have
    the policy of the output `role_policies` before the workflow starts."""

    arn: str


class StateMachineExistingLogGroup(TypedDict):
    """A log group (`arn`) in place of one that the module makes. Step Functions needs to be let in by the
    account's resource policy unless its name begins with `/aws/vendedlogs/`."""

    arn: str


class PolicyStatementsConditions(TypedDict):
    test: str
    variable: str
    values: Sequence[str]


class PolicyStatements(TypedDict):
    """Permissions besides those that the module gives itself. The key becomes the statement's Sid.

    actions: full names, e.g. `["lambda:InvokeFunction"]`; wildcards are refused
    resources: ARNs; `["*"]` only for actions that know no resource-level permission
    conditions: (optional) list of `{ test, variable, values }`
    """

    actions: Sequence[str]
    resources: Sequence[str]
    conditions: NotRequired[Sequence[PolicyStatementsConditions | Reference] | None]


class StorageBucketAppendOnly(TypedDict):
    """For objects that nobody may change or delete: `mode` and `days` of S3's Object Lock. A writer must
    send `If-None-Match: *` and a key that ends with a slash and its `aws:userid`; the bucket's
    policy refuses everything else, to everybody. Null: an ordinary bucket."""

    mode: str
    days: float
