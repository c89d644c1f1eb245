"""One construct for each module.

Generated from the Terraform modules by scripts/cdktf_constructs.py: edit those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from media_events_cdktf import inputs
from media_events_cdktf.module import Module, Reference
from media_events_kit.infra.stacks.cdk import Construct


class BusCustom(Module):
    """A custom event bus (AWS: *Classic*) with an archive, a policy that holds each sender to its own
    sources, and alarms over all its rules. It also takes events of partners on this bus, and of AWS
    services, into the envelope."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str | None = None,
        existing_bus: inputs.BusCustomExistingBus | Reference | None = None,
        senders: Mapping[str, inputs.BusCustomSenders | Reference] | Reference | None = None,
        partners: Mapping[str, inputs.BusCustomPartners | Reference] | Reference | None = None,
        aws_services: Mapping[str, inputs.BusCustomAwsServices | Reference] | Reference | None = None,
        existing_dlqs: inputs.BusCustomExistingDlqs | Reference | None = None,
        archive: inputs.Archive | Reference | None = None,
        failure: inputs.Failure | Reference | None = None,
        function: inputs.Function | Reference | None = None,
        idempotency_table: inputs.IdempotencyTable | Reference | None = None,
        max_entry_bytes: float | None = None,
        queue: inputs.Queue | Reference | None = None,
        rule_retry: inputs.RuleRetry | Reference | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Name of the bus.
            description: Purpose of the bus, as the console shows it. Optional.
            existing_bus: A bus (`arn`) of this account and region in place of one that the module makes, the
                account's `default` one too. Its policy, key and dead-letter queue stay its owner's. Optional.
            senders: Further senders on the bus, each held to its own sources, by the Sid of the policy's
                statement. Roles of the module's own account need no entry: their own policies decide. Optional.
            partners: Partners whose events on this bus are taken into the envelope, by the name that they then
                have (`partner.<name>`). `senders`, or the policies of roles of the bus's own account, allow
                them to put these events. Optional.
            aws_services: AWS services whose events are taken from the account's default bus into the envelope,
                by the name that they then have. Optional.
            existing_dlqs: Dead-letter queues in place of those that the module makes, one for the ingress of
                `partners` and one for that of `aws_services`, each for nothing else: `dlq-review` reads it. Its
                settings stay its owner's: 14 days of retention, a visibility timeout of six times that of its
                reader (60 seconds in `dlq-review`), and the policy, which needs the statements of the output
                `existing_dlq_policies`. Optional.
            archive: Archive for archive replays. Null keeps no events. Optional.
            failure: How events that fail are treated, from the first retry to the dead-letter queue and back.
                Optional.
            function: Size and runtime of the module's functions. Optional.
            idempotency_table: Idempotency store to share (`name`, `arn`), one of another module's
                `idempotency_tables`, so that an event that comes by both ways is published once. Null makes
                one. Optional.
            max_entry_bytes: Larger events go to the bucket, and the bus gets a pointer. EventBridge takes
                entries of 256 KB wherever it runs; leave some headroom. Optional.
            queue: The queue, and how the function consumes it. Optional.
            rule_retry: How long (`max_age_seconds`) and how often (`max_attempts`) EventBridge tries to send an
                event on, before it goes to the dead-letter queue. Defaults: `max_age_seconds = 86400`,
                `max_attempts = 185`. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "bus-custom",
            {
                "name": name,
                "description": description,
                "existing_bus": existing_bus,
                "senders": senders,
                "partners": partners,
                "aws_services": aws_services,
                "existing_dlqs": existing_dlqs,
                "archive": archive,
                "failure": failure,
                "function": function,
                "idempotency_table": idempotency_table,
                "max_entry_bytes": max_entry_bytes,
                "queue": queue,
                "rule_retry": rule_retry,
                "settings": settings,
            },
            providers,
        )

    @property
    def bus_arn(self) -> str:
        """ARN of the bus."""
        return self.text("bus_arn")

    @property
    def archive(self) -> Reference:
        """The bus's archive, `{ name, arn }`, as `dlq-review` takes it; null without one."""
        return self.reference("archive")

    @property
    def event_patterns(self) -> Reference:
        """Patterns of the rules that take events into the envelope, by partner or service, as JSON text."""
        return self.reference("event_patterns")

    @property
    def role_arns(self) -> Reference:
        """ARNs of the functions' roles, by hop."""
        return self.reference("role_arns")

    @property
    def role_policies(self) -> Reference:
        """Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."""
        return self.reference("role_policies")

    @property
    def function_arns(self) -> Reference:
        """ARNs of the functions, by hop."""
        return self.reference("function_arns")

    @property
    def log_group_names(self) -> Reference:
        """Names of the functions' log groups, by hop."""
        return self.reference("log_group_names")

    @property
    def idempotency_tables(self) -> Reference:
        """Idempotency stores, `{ name, arn }`, by hop."""
        return self.reference("idempotency_tables")

    @property
    def existing_dlq_policies(self) -> Reference:
        """Statements that the policies of `existing_dlqs` need, as JSON text, by hop."""
        return self.reference("existing_dlq_policies")

    @property
    def dead_letter_queues(self) -> Reference:
        """Dead-letter queues, by hop, as `dlq-review` takes them: of the ingresses, and, with
        `settings.kms_key`, of the bus itself."""
        return self.reference("dead_letter_queues")

    @property
    def key_policy_statements(self) -> Reference:
        """What the policy of `settings.kms_key` must say for this module, besides the usual statement for the
        account's root. It is made of names, so a key of the same root can take it."""
        return self.reference("key_policy_statements")

    @property
    def alarm_names(self) -> Reference:
        """Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."""
        return self.reference("alarm_names")


class BusPartner(Module):
    """Associates a partner's event source with its bus, and takes the events from there into the envelope
    on your bus, or forwards them unmodified."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        event_source_name: str,
        bus_arn: str,
        existing_bus: inputs.BusPartnerExistingBus | Reference | None = None,
        inactivity_alarm_minutes: float | None = None,
        forward_unmodified: bool | None = None,
        partner: str | None = None,
        specification: str | None = None,
        sources: Sequence[str] | None = None,
        pattern: str | None = None,
        existing_role: inputs.BusPartnerExistingRole | Reference | None = None,
        archive: inputs.Archive | Reference | None = None,
        existing_dlq: inputs.ExistingDlq | Reference | None = None,
        failure: inputs.Failure | Reference | None = None,
        function: inputs.Function | Reference | None = None,
        idempotency_table: inputs.IdempotencyTable | Reference | None = None,
        max_entry_bytes: float | None = None,
        queue: inputs.Queue | Reference | None = None,
        rule_retry: inputs.RuleRetry | Reference | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Short name of everything but the bus: the queue, the function, its role, the archive; the rule
                is called `<name>-<partner>`, or `<name>` with `forward_unmodified`.
            event_source_name: Name of the partner event source, which is the bus's name too:
                `aws.partner/<partner>/<namespace>/<name>`, as the partner gives it or `aws events
                list-event-sources` shows it.
            bus_arn: ARN of the bus that accepted events are put on.
            existing_bus: The source's bus (`arn`), if there is one already: a source can be associated only
                once. Null associates the source with a bus, which must be done within days of the partner's
                creating it. Optional.
            inactivity_alarm_minutes: An alarm goes off when no event has come for so long: the only sign of a
                source that the partner has deleted. Null makes none. 5 to 1440 in steps of 5, or up to 10080 (a
                week) in steps of 60. Optional.
            forward_unmodified: Whether the events go to the bus as they are and under their own source: for
                rules of your own, not for `router`. False has a function take them into the envelope. Optional.
            partner: Partner that the events are from. Their source becomes `partner.<partner>`. Null with
                `forward_unmodified`. Optional.
            specification: How the partner's events are read: the content of a specification file, as JSON text.
                Null with `forward_unmodified`. Optional.
            sources: The `source` values of the partner's events; exact, or the beginning of some followed by
                `*`. Null is the name of the event source, as partners use it. Optional.
            pattern: Which of the partner's events to take, as an EventBridge pattern in JSON text without
                `source`; null takes all. Optional.
            existing_role: With `forward_unmodified`, a role (`arn`) in place of one that the module makes. It
                must trust `events.amazonaws.com`, and have the policy of the output `role_policies` before the
                first event. Optional.
            archive: Archive for archive replays. Null keeps no events. Optional.
            existing_dlq: A dead-letter queue in place of one that the module makes, for nothing else than this
                hop: `dlq-review` reads it. Its settings stay its owner's: 14 days of retention, a visibility
                timeout of six times that of its reader (60 seconds in `dlq-review`), and the policy, which
                needs the statements of the output `existing_dlq_policies`. Optional.
            failure: How events that fail are treated, from the first retry to the dead-letter queue and back.
                Optional.
            function: Size and runtime of the module's functions. Optional.
            idempotency_table: Idempotency store to share (`name`, `arn`), one of another module's
                `idempotency_tables`, so that an event that comes by both ways is published once. Null makes
                one. Optional.
            max_entry_bytes: Larger events go to the bucket, and the bus gets a pointer. EventBridge takes
                entries of 256 KB wherever it runs; leave some headroom. Optional.
            queue: The queue, and how the function consumes it. Optional.
            rule_retry: How long (`max_age_seconds`) and how often (`max_attempts`) EventBridge tries to send an
                event on, before it goes to the dead-letter queue. Defaults: `max_age_seconds = 86400`,
                `max_attempts = 185`. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "bus-partner",
            {
                "name": name,
                "event_source_name": event_source_name,
                "existing_bus": existing_bus,
                "inactivity_alarm_minutes": inactivity_alarm_minutes,
                "forward_unmodified": forward_unmodified,
                "partner": partner,
                "specification": specification,
                "sources": sources,
                "pattern": pattern,
                "existing_role": existing_role,
                "archive": archive,
                "bus_arn": bus_arn,
                "existing_dlq": existing_dlq,
                "failure": failure,
                "function": function,
                "idempotency_table": idempotency_table,
                "max_entry_bytes": max_entry_bytes,
                "queue": queue,
                "rule_retry": rule_retry,
                "settings": settings,
            },
            providers,
        )

    @property
    def bus_arn(self) -> str:
        """ARN of the partner's bus."""
        return self.text("bus_arn")

    @property
    def archive(self) -> Reference:
        """The partner's bus's archive, `{ name, arn }`; null without one."""
        return self.reference("archive")

    @property
    def rule_name(self) -> str:
        """Name of the rule that takes the partner's events."""
        return self.text("rule_name")

    @property
    def event_pattern(self) -> Reference:
        """The rule's pattern as EventBridge has it, as JSON text."""
        return self.reference("event_pattern")

    @property
    def role_arns(self) -> Reference:
        """ARN of the function's role, or of the rule's with `forward_unmodified`, by hop."""
        return self.reference("role_arns")

    @property
    def role_policies(self) -> Reference:
        """Policies (JSON) of these roles, by hop: for a role of yours (`function.role`, or `existing_role`
        with `forward_unmodified`) to have."""
        return self.reference("role_policies")

    @property
    def function_arns(self) -> Reference:
        """ARNs of the functions, by hop."""
        return self.reference("function_arns")

    @property
    def log_group_names(self) -> Reference:
        """Names of the functions' log groups, by hop."""
        return self.reference("log_group_names")

    @property
    def idempotency_tables(self) -> Reference:
        """Idempotency stores, `{ name, arn }`, by hop."""
        return self.reference("idempotency_tables")

    @property
    def existing_dlq_policies(self) -> Reference:
        """Statements that the policy of `existing_dlq` needs, as JSON text, by hop."""
        return self.reference("existing_dlq_policies")

    @property
    def dead_letter_queues(self) -> Reference:
        """Dead-letter queues, by hop, as `dlq-review` takes them. Nobody but the partner can put an unmodified
        event on a bus again: `redrive_target` is then `none`, and a person is asked."""
        return self.reference("dead_letter_queues")

    @property
    def key_policy_statements(self) -> Reference:
        """What the policy of `settings.kms_key` must say for this module, besides the usual statement for the
        account's root. It is made of names, so a key of the same root can take it."""
        return self.reference("key_policy_statements")

    @property
    def alarm_names(self) -> Reference:
        """Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."""
        return self.reference("alarm_names")


class Dashboard(Module):
    """A CloudWatch dashboard of a deployment: the path's figures from left to right, then graphs by
    partner, destination, route and every other hop. It also saves queries of the functions' logs
    for CloudWatch Logs Insights."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        function_arns: Mapping[str, str] | Reference,
        dead_letter_queues: Mapping[str, inputs.DashboardDeadLetterQueues | Reference] | Reference | None = None,
        log_group_names: Mapping[str, str] | Reference | None = None,
        bus_arn: str | None = None,
        alarm_arns: Sequence[str] | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Name of the dashboard, and folder of the saved queries. An account has one list of dashboards
                for all its regions.
            function_arns: The functions, by hop: `merge()` of the outputs `function_arns` of the other modules,
                that of `dlq-review` included.
            dead_letter_queues: The hops' queues and destinations, by hop: `merge()` of the outputs
                `dead_letter_queues` of the other modules. Optional.
            log_group_names: The functions' log groups, by hop: `merge()` of the outputs `log_group_names` of
                the other modules. Without any no queries are saved. Optional.
            bus_arn: ARN of the event bus, whose figures are shown then. Optional.
            alarm_arns: ARNs of alarms whose states are shown on top. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "dashboard",
            {
                "name": name,
                "function_arns": function_arns,
                "dead_letter_queues": dead_letter_queues,
                "log_group_names": log_group_names,
                "bus_arn": bus_arn,
                "alarm_arns": alarm_arns,
            },
            providers,
        )

    @property
    def dashboard_arn(self) -> str:
        """ARN of the dashboard."""
        return self.text("dashboard_arn")

    @property
    def query_names(self) -> Reference:
        """Names of the saved queries."""
        return self.reference("query_names")


class DlqReview(Module):
    """Reads dead-letter queues. A dead letter that another try may deliver goes back to the hop that
    failed, and only there. Any other becomes one item in the review table, with its reason, for a
    person to decide."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bus_arn: str,
        dead_letter_queues: Mapping[str, inputs.DlqReviewDeadLetterQueues | Reference] | Reference,
        name_prefix: str | None = None,
        archive: inputs.DlqReviewArchive | Reference | None = None,
        log_group_names: Mapping[str, str] | Reference | None = None,
        idempotency_tables: Mapping[str, inputs.DlqReviewIdempotencyTables | Reference] | Reference | None = None,
        state_machine_arns: Mapping[str, str] | Reference | None = None,
        maximum_concurrency: float | None = None,
        batch_size: float | None = None,
        deletion_protection: bool | None = None,
        audit_lock: inputs.DlqReviewAuditLock | Reference | None = None,
        existing_audit_bucket: inputs.DlqReviewExistingAuditBucket | Reference | None = None,
        trail: inputs.DlqReviewTrail | Reference | None = None,
        closed_retention_days: float | None = None,
        maintenance_minutes: float | None = None,
        notifications_per_hour: float | None = None,
        messages_waiting_alarm: float | None = None,
        oldest_open_alarm_hours: float | None = None,
        editable_types: Mapping[str, inputs.DlqReviewEditableTypes | Reference] | Reference | None = None,
        existing_topic: inputs.DlqReviewExistingTopic | Reference | None = None,
        function: inputs.Function | Reference | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Name of the function, the topic and the table (`<name>`, `<name>-items`).
            bus_arn: ARN of the event bus to which dead letters of a rule go back, for that rule alone.
            dead_letter_queues: The dead-letter queues to read, by hop: `merge()` of the outputs
                `dead_letter_queues` of the other modules.
            name_prefix: Beginning of the names of this deployment's resources, with its separator, such as
                `media-prod-`. Policies then name queues, functions, idempotency stores, log groups and state
                machines that begin so by a pattern, and their length doesn't grow with the number of hops. No
                other deployment of the account and region may have such names. Null: each is named by itself,
                for which a dozen hops are too many. Optional.
            archive: The bus's archive, `{ arn }`; null without one. With it `operator_policies` has
                `archive_replay` and `repeat_effects`. Optional.
            log_group_names: Log groups of the hops' functions, by hop: `merge()` of the outputs
                `log_group_names` of the other modules. The policies let operators search them for an event
                (`media-events trace`), and the log group of the redrive function. Optional.
            idempotency_tables: Idempotency stores, by hop: `merge()` of the outputs `idempotency_tables` of the
                other modules. The policies let operators look up there when an event came in, besides the
                stores in `dead_letter_queues`. Optional.
            state_machine_arns: State machines that events start, by destination. The policies let operators see
                the status of an event's execution. Optional.
            maximum_concurrency: How many instances of the function may read one dead-letter queue at a time: 2
                to 1000. Low, so that ten thousand dead letters don't take the account's concurrency from live
                traffic. Optional.
            batch_size: How many dead letters the function takes at a time. Optional.
            deletion_protection: Whether the table with the review items refuses to be deleted. False for
                environments that come and go. Optional.
            audit_lock: How S3's Object Lock keeps each entry of the audit from its writing on, for `days`:
                `COMPLIANCE` against everybody, the account's root too; `GOVERNANCE` except those who may
                `s3:BypassGovernanceRetention`. The bucket's policy refuses changes for ever, until an
                administrator changes it. Defaults: `mode = "GOVERNANCE"`, `days = 365`. Optional.
            existing_audit_bucket: A bucket for the audit in place of one that the module makes, with Object
                Lock and versioning, and best in an account of its own. Its settings stay its owner's:
                `audit_lock` has no effect. Its policy needs the statements of the output
                `existing_audit_bucket_policy`; in another account it must let in the roles that hold
                `operator_policies` as well. Optional.
            trail: Makes a CloudTrail trail of every call to the review table, the audit and the functions of
                these hops, in the existing bucket `bucket_name`, best another account's, under `key_prefix`.
                The bucket needs [the policy that CloudTrail asks
                for](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html).
                AWS charges for each call. Null: none. Optional.
            closed_retention_days: How many days an item stays after it was closed (resolved, archived or
                superseded by an edited event). Then it is deleted with its bodies. Open items are never
                deleted. Optional.
            maintenance_minutes: Interval of the review maintenance: the function confirms retries, deletes
                items that were closed long ago, and measures how many are open. Optional.
            notifications_per_hour: How many new failure groups the topic reports in an hour at most. It reports
                the others when there is room and they fail again. Optional.
            messages_waiting_alarm: How many messages may wait at one hop for an hour, visible, in flight or
                delayed, before an alarm goes off. SQS lets a standard queue have 120,000 in flight. Optional.
            oldest_open_alarm_hours: How many hours an item may be open before an alarm goes off. Optional.
            editable_types: Types of events that operators with the policy `edit` may correct and send again
                (`media-events review edit`), by type; none by default.  Optional.
            existing_topic: A topic (`arn`, and `kms_key` if it has one) to tell of new review items, in place
                of one that the module makes. Its policy must let the function's role publish, unless it is this
                account's and names nobody. Optional.
            function: Size and runtime of the module's functions. Defaults of this module's own:
                `timeout_seconds = 60`. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "dlq-review",
            {
                "name": name,
                "name_prefix": name_prefix,
                "bus_arn": bus_arn,
                "dead_letter_queues": dead_letter_queues,
                "archive": archive,
                "log_group_names": log_group_names,
                "idempotency_tables": idempotency_tables,
                "state_machine_arns": state_machine_arns,
                "maximum_concurrency": maximum_concurrency,
                "batch_size": batch_size,
                "deletion_protection": deletion_protection,
                "audit_lock": audit_lock,
                "existing_audit_bucket": existing_audit_bucket,
                "trail": trail,
                "closed_retention_days": closed_retention_days,
                "maintenance_minutes": maintenance_minutes,
                "notifications_per_hour": notifications_per_hour,
                "messages_waiting_alarm": messages_waiting_alarm,
                "oldest_open_alarm_hours": oldest_open_alarm_hours,
                "editable_types": editable_types,
                "existing_topic": existing_topic,
                "function": function,
                "settings": settings,
            },
            providers,
        )

    @property
    def review_table_name(self) -> str:
        """Name of the table with the review items."""
        return self.text("review_table_name")

    @property
    def review_table_arn(self) -> str:
        """ARN of the table with the review items."""
        return self.text("review_table_arn")

    @property
    def topic_arn(self) -> str:
        """ARN of the topic that notifies people of new review items; subscribe them to it."""
        return self.text("topic_arn")

    @property
    def bucket(self) -> Reference:
        """Bucket with the configuration and the bodies too large for the table: `{ name, arn }`."""
        return self.reference("bucket")

    @property
    def audit_bucket(self) -> Reference:
        """Bucket with the audit, to which entries are only ever added: `{ name, arn }`."""
        return self.reference("audit_bucket")

    @property
    def existing_audit_bucket_policy(self) -> str:
        """Statements that the policy of `existing_audit_bucket` needs, as JSON text; null without one."""
        return self.text("existing_audit_bucket_policy")

    @property
    def operator_policies(self) -> Reference:
        """IAM policies (JSON) for the roles of people who review: `metadata` shows items without what their
        events carry, the deployment's status and an event's trace; `read` shows items whole; `retry`
        sends items again; `edit` sends them corrected; `administer` archives and restores them, for
        which it may send to the queues of routes that keep an order. The last two may withdraw an
        event's effect in the idempotency stores. The last three include reading and notes. With
        `archive` also `archive_replay`, which delivers past events once more where that has not
        happened yet, and `repeat_effects`, which may make it happen again."""
        return self.reference("operator_policies")

    @property
    def role_arns(self) -> Reference:
        """ARNs of the functions' roles, by hop."""
        return self.reference("role_arns")

    @property
    def role_policies(self) -> Reference:
        """Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."""
        return self.reference("role_policies")

    @property
    def function_arns(self) -> Reference:
        """ARNs of the functions, by hop."""
        return self.reference("function_arns")

    @property
    def log_group_names(self) -> Reference:
        """Names of the functions' log groups, by hop."""
        return self.reference("log_group_names")

    @property
    def idempotency_tables(self) -> Reference:
        """Idempotency stores, `{ name, arn }`, by hop: none here."""
        return self.reference("idempotency_tables")

    @property
    def dead_letter_queues(self) -> Reference:
        """Dead-letter queues, by hop: none here."""
        return self.reference("dead_letter_queues")

    @property
    def alarm_names(self) -> Reference:
        """Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."""
        return self.reference("alarm_names")

    @property
    def key_policy_statements(self) -> Reference:
        """What the policy of `settings.kms_key` must say for this module, besides the usual statement for the
        account's root. It is made of names, so a key of the same root can take it."""
        return self.reference("key_policy_statements")


class IngressApigw(Module):
    """The webhook ingress: an HTTP API takes partners' calls, and a function verifies, normalises,
    deduplicates and publishes them. A call is acknowledged only after its event is on the bus or in
    the dead-letter queue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        partners: Mapping[str, inputs.IngressApigwPartners | Reference] | Reference,
        bus_arn: str,
        secret_key_arns: Sequence[str] | None = None,
        secret_recovery_window_days: float | None = None,
        throttle: inputs.IngressApigwThrottle | Reference | None = None,
        domain: inputs.IngressApigwDomain | Reference | None = None,
        behind_cloudfront: bool | None = None,
        max_body_bytes: float | None = None,
        alarm_thresholds: inputs.IngressApigwAlarmThresholds | Reference | None = None,
        existing_access_log_group: inputs.IngressApigwExistingAccessLogGroup | Reference | None = None,
        existing_api: inputs.IngressApigwExistingApi | Reference | None = None,
        existing_dlq: inputs.ExistingDlq | Reference | None = None,
        failure: inputs.Failure | Reference | None = None,
        function: inputs.Function | Reference | None = None,
        max_entry_bytes: float | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Name of the API, its function, queue, table and secrets.
            partners: The partners that may call, by name; a partner's address is `/webhooks/<name>`.
            bus_arn: ARN of the bus that accepted events are put on.
            secret_key_arns: Customer managed keys of secrets given by `secret_arns`, other than
                `settings.kms_key`. Optional.
            secret_recovery_window_days: Days that a secret of the module can be brought back after its
                deletion: 7 to 30, or 0 to delete it at once. Optional.
            throttle: Calls that API Gateway lets through for each partner without a `throttle` of its own:
                `rate` per second on average, `burst` at once. More get 429, which senders retry. A partner's
                calls don't count against another's; all unknown names together get 5 a second. Defaults: `rate
                = 100`, `burst = 200`. Optional.
            domain: A domain of your own for the API. Point a DNS record (an alias, or a CNAME) to
                `domain_target`; the module makes none. Optional.
            behind_cloudfront: Whether `internal/cloudfront` is in front. The API then takes only what brings
                the secret `origin_secret_name`, which waits for its value. Optional.
            max_body_bytes: Larger bodies are refused with 413. Lambda takes 6 MB at most. Optional.
            alarm_thresholds: When the alarms go off, besides the one on the age of dead letters (`failure`).
                Optional.
            existing_access_log_group: Log group (`arn`) for the API's access log in place of one that the
                module makes. Its retention, class and key stay its owner's. Optional.
            existing_api: An HTTP API of yours, for the routes below `/webhooks`, in place of one that the
                module makes. Its stage is yours: deployment (`auto_deploy`, or deploy after each new partner),
                throttling, access log and domain. Optional.
            existing_dlq: A dead-letter queue in place of one that the module makes, for nothing else than this
                hop: `dlq-review` reads it. Its settings stay its owner's: 14 days of retention, a visibility
                timeout of six times that of its reader (60 seconds in `dlq-review`), and the policy, which
                needs the statements of the output `existing_dlq_policies`. Optional.
            failure: How events that fail are treated, from the first retry to the dead-letter queue and back.
                Optional.
            function: Size and runtime of the module's functions. Defaults of this module's own: `memory_mb =
                512`, `timeout_seconds = 20`. Optional.
            max_entry_bytes: Larger events go to the bucket, and the bus gets a pointer. EventBridge takes
                entries of 256 KB wherever it runs; leave some headroom. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "ingress-apigw",
            {
                "name": name,
                "partners": partners,
                "secret_key_arns": secret_key_arns,
                "secret_recovery_window_days": secret_recovery_window_days,
                "throttle": throttle,
                "domain": domain,
                "behind_cloudfront": behind_cloudfront,
                "max_body_bytes": max_body_bytes,
                "alarm_thresholds": alarm_thresholds,
                "existing_access_log_group": existing_access_log_group,
                "existing_api": existing_api,
                "bus_arn": bus_arn,
                "existing_dlq": existing_dlq,
                "failure": failure,
                "function": function,
                "max_entry_bytes": max_entry_bytes,
                "settings": settings,
            },
            providers,
        )

    @property
    def api_endpoint(self) -> str:
        """Base URL of the webhooks: the domain's, if there is one, else the API's own."""
        return self.text("api_endpoint")

    @property
    def api_id(self) -> str:
        """Identifier of the API."""
        return self.text("api_id")

    @property
    def webhook_urls(self) -> Reference:
        """The URL to give to each partner, by its name."""
        return self.reference("webhook_urls")

    @property
    def domain_target(self) -> Reference:
        """Target of the DNS record of `domain`: `name`, and `hosted_zone_id` for an alias. Null without a
        domain."""
        return self.reference("domain_target")

    @property
    def invoke_policies(self) -> Reference:
        """The IAM policy (JSON) that a partner's principals need, by the name of each partner with an
        authorization of type iam."""
        return self.reference("invoke_policies")

    @property
    def secret_arns(self) -> Reference:
        """ARNs of the secrets that verify each partner's calls, by its name."""
        return self.reference("secret_arns")

    @property
    def secret_names(self) -> Reference:
        """Names of the secrets that the module made, by the partner's name. Each waits for its value."""
        return self.reference("secret_names")

    @property
    def origin_secret_name(self) -> str:
        """Name of the secret that CloudFront shows, where `behind_cloudfront` is set: it waits for its value.
        Else null."""
        return self.text("origin_secret_name")

    @property
    def access_log_group_name(self) -> str:
        """Name of the API's access log group; null with `existing_api`."""
        return self.text("access_log_group_name")

    @property
    def bucket(self) -> Reference:
        """Bucket with the configuration and the bodies too large for the bus: `{ name, arn }`."""
        return self.reference("bucket")

    @property
    def role_arns(self) -> Reference:
        """ARNs of the functions' roles, by hop."""
        return self.reference("role_arns")

    @property
    def role_policies(self) -> Reference:
        """Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."""
        return self.reference("role_policies")

    @property
    def function_arns(self) -> Reference:
        """ARNs of the functions, by hop."""
        return self.reference("function_arns")

    @property
    def log_group_names(self) -> Reference:
        """Names of the functions' log groups, by hop."""
        return self.reference("log_group_names")

    @property
    def idempotency_tables(self) -> Reference:
        """Idempotency stores, `{ name, arn }`, by hop."""
        return self.reference("idempotency_tables")

    @property
    def dead_letter_queues(self) -> Reference:
        """Dead-letter queues, by hop, as `dlq-review` takes them."""
        return self.reference("dead_letter_queues")

    @property
    def alarm_names(self) -> Reference:
        """Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."""
        return self.reference("alarm_names")

    @property
    def key_policy_statements(self) -> Reference:
        """What the policy of `settings.kms_key` must say for this module, besides the usual statement for the
        account's root. It is made of names, so a key of the same root can take it."""
        return self.reference("key_policy_statements")


class IngressSnsFifo(Module):
    """Subscribes a queue to an SNS topic, the module's own or the partner's, and publishes the messages on
    the bus in the envelope, each event once. FIFO by default; with `fifo = false`, a standard topic
    delivers to a standard queue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bus_arn: str,
        partner: str,
        specification: str,
        fifo: bool | None = None,
        existing_topic: inputs.IngressSnsFifoExistingTopic | Reference | None = None,
        topic_content_based_deduplication: bool | None = None,
        topic_archive_days: float | None = None,
        raw_message_delivery: bool | None = None,
        filter_policy: str | None = None,
        filter_policy_scope: str | None = None,
        replay: inputs.IngressSnsFifoReplay | Reference | None = None,
        existing_dlq: inputs.ExistingDlq | Reference | None = None,
        failure: inputs.Failure | Reference | None = None,
        function: inputs.Function | Reference | None = None,
        idempotency_table: inputs.IdempotencyTable | Reference | None = None,
        max_entry_bytes: float | None = None,
        queue: inputs.Queue | Reference | None = None,
        senders: Mapping[str, inputs.Senders | Reference] | Reference | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Name of the topic, the queue, the function, its role and, with `-idempotency`, the table. The
                dead-letter queue is `<name>-dlq`; `.fifo` comes last.
            bus_arn: ARN of the bus that accepted events are put on.
            partner: Partner that the messages are from. Its events' source is `partner.<partner>`.
            specification: How the partner's messages are read: the content of a specification file, as JSON
                text; `jsonencode({ preset = "mux" })` alone is one.
            fifo: Whether topic and queues are FIFO: a FIFO topic delivers to a FIFO queue, a standard topic to
                a standard queue. Optional.
            existing_topic: A topic (`arn`) that exists already, the partner's own as a rule, in place of one
                that the module makes. In the provider's region; it may be another account's. Optional.
            topic_content_based_deduplication: Whether SNS makes the deduplication id of messages that come
                without one from their bodies. FIFO topics of the module's own only. Optional.
            topic_archive_days: Days that the topic keeps messages for replays, 1 to 365; null keeps none. 0
                ends the archive and deletes its messages: SNS does not delete a topic that still keeps
                messages. FIFO topics of the module's own only. Optional.
            raw_message_delivery: Whether the queue gets the message as it is, with its attributes, or wrapped
                by SNS as JSON. Wrapped messages may have more than ten attributes; the function unwraps them.
                Optional.
            filter_policy: Which of the topic's messages to take, as JSON text: an SNS filter policy. Null takes
                all. Optional.
            filter_policy_scope: Part of a message that the filter policy matches: `MessageAttributes` or
                `MessageBody`. Optional.
            replay: Delivers the messages of a FIFO topic's archive again; the idempotency store drops events
                that are on the bus already. Setting it starts the replay, null ends it. Optional.
            existing_dlq: A dead-letter queue in place of one that the module makes, for nothing else than this
                hop: `dlq-review` reads it. Its settings stay its owner's: 14 days of retention, a visibility
                timeout of six times that of its reader (60 seconds in `dlq-review`), and the policy, which
                needs the statements of the output `existing_dlq_policies`. Optional.
            failure: How events that fail are treated, from the first retry to the dead-letter queue and back.
                Optional.
            function: Size and runtime of the module's functions. Optional.
            idempotency_table: Idempotency store to share (`name`, `arn`), one of another module's
                `idempotency_tables`, so that an event that comes by both ways is published once. Null makes
                one. Optional.
            max_entry_bytes: Larger events go to the bucket, and the bus gets a pointer. EventBridge takes
                entries of 256 KB wherever it runs; leave some headroom. Optional.
            queue: The queue, and how the function consumes it. Optional.
            senders: Further senders, by the Sid of the policy's statement. Roles of the module's own account
                need no entry: their own policies decide. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "ingress-sns-fifo",
            {
                "name": name,
                "fifo": fifo,
                "existing_topic": existing_topic,
                "topic_content_based_deduplication": topic_content_based_deduplication,
                "topic_archive_days": topic_archive_days,
                "raw_message_delivery": raw_message_delivery,
                "filter_policy": filter_policy,
                "filter_policy_scope": filter_policy_scope,
                "replay": replay,
                "bus_arn": bus_arn,
                "existing_dlq": existing_dlq,
                "failure": failure,
                "function": function,
                "idempotency_table": idempotency_table,
                "max_entry_bytes": max_entry_bytes,
                "partner": partner,
                "queue": queue,
                "senders": senders,
                "settings": settings,
                "specification": specification,
            },
            providers,
        )

    @property
    def topic_arn(self) -> str:
        """ARN of the topic that senders publish to."""
        return self.text("topic_arn")

    @property
    def queue_arn(self) -> str:
        """ARN of the queue that the topic delivers to."""
        return self.text("queue_arn")

    @property
    def sender_policy(self) -> str:
        """Policy that a sender's role needs, as JSON text: in another account, besides its entry in `senders`.
        Null for an existing topic."""
        return self.text("sender_policy")

    @property
    def existing_topic_policy(self) -> str:
        """Statements that the existing topic's own policy needs, as JSON text, if it is another account's;
        null for a topic of the module's own."""
        return self.text("existing_topic_policy")

    @property
    def bucket(self) -> Reference:
        """Bucket with the configuration and the bodies too large for the bus: `{ name, arn }`."""
        return self.reference("bucket")

    @property
    def role_arns(self) -> Reference:
        """ARNs of the functions' roles, by hop."""
        return self.reference("role_arns")

    @property
    def role_policies(self) -> Reference:
        """Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."""
        return self.reference("role_policies")

    @property
    def function_arns(self) -> Reference:
        """ARNs of the functions, by hop."""
        return self.reference("function_arns")

    @property
    def log_group_names(self) -> Reference:
        """Names of the functions' log groups, by hop."""
        return self.reference("log_group_names")

    @property
    def idempotency_tables(self) -> Reference:
        """Idempotency stores, `{ name, arn }`, by hop."""
        return self.reference("idempotency_tables")

    @property
    def dead_letter_queues(self) -> Reference:
        """Dead-letter queues, by hop, as `dlq-review` takes them."""
        return self.reference("dead_letter_queues")

    @property
    def alarm_names(self) -> Reference:
        """Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."""
        return self.reference("alarm_names")

    @property
    def key_policy_statements(self) -> Reference:
        """What the policy of `settings.kms_key` must say for this module, besides the usual statement for the
        account's root. It is made of names, so a key of the same root can take it."""
        return self.reference("key_policy_statements")

    @property
    def existing_dlq_policies(self) -> Reference:
        """Statements that the policy of `existing_dlq` needs, as JSON text, by hop."""
        return self.reference("existing_dlq_policies")


class IngressSqs(Module):
    """Takes a partner's messages out of an SQS queue and publishes them on the bus in the envelope, each
    event once. The queue is the module's own, standard or FIFO, or one that exists already, also in
    another account."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bus_arn: str,
        partner: str,
        specification: str,
        existing_dlq: inputs.ExistingDlq | Reference | None = None,
        existing_queue: inputs.ExistingQueue | Reference | None = None,
        failure: inputs.Failure | Reference | None = None,
        fifo: bool | None = None,
        function: inputs.Function | Reference | None = None,
        idempotency_table: inputs.IdempotencyTable | Reference | None = None,
        max_entry_bytes: float | None = None,
        queue: inputs.Queue | Reference | None = None,
        senders: Mapping[str, inputs.Senders | Reference] | Reference | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Name of the queue, the function, its role and, with `-idempotency`, the table. The dead-letter
                queue is `<name>-dlq`; `.fifo` comes last.
            bus_arn: ARN of the bus that accepted events are put on.
            partner: Partner that the messages are from. Its events' source is `partner.<partner>`.
            specification: How the partner's messages are read: the content of a specification file, as JSON
                text; `jsonencode({ preset = "mux" })` alone is one.
            existing_dlq: A dead-letter queue in place of one that the module makes, for nothing else than this
                hop: `dlq-review` reads it. Its settings stay its owner's: 14 days of retention, a visibility
                timeout of six times that of its reader (60 seconds in `dlq-review`), and the policy, which
                needs the statements of the output `existing_dlq_policies`. Optional.
            existing_queue: A queue to consume in place of one of the module's own. It may be another account's.
                Its policy, redrive policy and visibility timeout stay its owner's. Optional.
            failure: How events that fail are treated, from the first retry to the dead-letter queue and back.
                Optional.
            fifo: Whether the queue, the module's own or the existing one, is FIFO. Its dead-letter queue is of
                the same kind. Optional.
            function: Size and runtime of the module's functions. Optional.
            idempotency_table: Idempotency store to share (`name`, `arn`), one of another module's
                `idempotency_tables`, so that an event that comes by both ways is published once. Null makes
                one. Optional.
            max_entry_bytes: Larger events go to the bucket, and the bus gets a pointer. EventBridge takes
                entries of 256 KB wherever it runs; leave some headroom. Optional.
            queue: The queue, and how the function consumes it. Optional.
            senders: Further senders, by the Sid of the policy's statement. Roles of the module's own account
                need no entry: their own policies decide. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "ingress-sqs",
            {
                "name": name,
                "bus_arn": bus_arn,
                "existing_dlq": existing_dlq,
                "existing_queue": existing_queue,
                "failure": failure,
                "fifo": fifo,
                "function": function,
                "idempotency_table": idempotency_table,
                "max_entry_bytes": max_entry_bytes,
                "partner": partner,
                "queue": queue,
                "senders": senders,
                "settings": settings,
                "specification": specification,
            },
            providers,
        )

    @property
    def queue_arn(self) -> str:
        """ARN of the queue that senders send to."""
        return self.text("queue_arn")

    @property
    def queue_url(self) -> str:
        """URL of the queue that senders send to."""
        return self.text("queue_url")

    @property
    def sender_policy(self) -> str:
        """Policy that a sender's role needs, as JSON text: in another account, besides its entry in `senders`.
        Null for an existing queue."""
        return self.text("sender_policy")

    @property
    def existing_queue_policy(self) -> str:
        """Statements that the existing queue's own policy needs, as JSON text, if it is another account's;
        null for a queue of the module's own."""
        return self.text("existing_queue_policy")

    @property
    def bucket(self) -> Reference:
        """Bucket with the configuration and the bodies too large for the bus: `{ name, arn }`."""
        return self.reference("bucket")

    @property
    def role_arns(self) -> Reference:
        """ARNs of the functions' roles, by hop."""
        return self.reference("role_arns")

    @property
    def role_policies(self) -> Reference:
        """Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."""
        return self.reference("role_policies")

    @property
    def function_arns(self) -> Reference:
        """ARNs of the functions, by hop."""
        return self.reference("function_arns")

    @property
    def log_group_names(self) -> Reference:
        """Names of the functions' log groups, by hop."""
        return self.reference("log_group_names")

    @property
    def idempotency_tables(self) -> Reference:
        """Idempotency stores, `{ name, arn }`, by hop."""
        return self.reference("idempotency_tables")

    @property
    def dead_letter_queues(self) -> Reference:
        """Dead-letter queues, by hop, as `dlq-review` takes them. Messages go back to the function."""
        return self.reference("dead_letter_queues")

    @property
    def alarm_names(self) -> Reference:
        """Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."""
        return self.reference("alarm_names")

    @property
    def key_policy_statements(self) -> Reference:
        """What the policy of `settings.kms_key` must say for this module, besides the usual statement for the
        account's root. It is made of names, so a key of the same root can take it."""
        return self.reference("key_policy_statements")

    @property
    def existing_dlq_policies(self) -> Reference:
        """Statements that the policy of `existing_dlq` needs, as JSON text, by hop."""
        return self.reference("existing_dlq_policies")


class Router(Module):
    """Routes events by their content. Every transform and route is one map entry and becomes a whole hop:
    a rule, its function or target, a dead-letter queue, retries, permissions and alarms."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bus_arn: str,
        manage_log_policy: bool | None = None,
        transforms: Mapping[str, inputs.RouterTransforms | Reference] | Reference | None = None,
        routes: Mapping[str, inputs.RouterRoutes | Reference] | Reference | None = None,
        retired: inputs.RouterRetired | Reference | None = None,
        watch_rules: bool | None = None,
        circuit_breaker_alarm_seconds: float | None = None,
        failure: inputs.Failure | Reference | None = None,
        function: inputs.Function | Reference | None = None,
        queue: inputs.Queue | Reference | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Prefix of every resource's name: rules, functions and queues are called `<name>-<key of the
                transform or route>`.
            bus_arn: ARN of the event bus that the rules belong to; region, account and partition of the rules
                are taken from it.
            manage_log_policy: Whether the module sets the resource policy with which CloudWatch Logs lets the
                rules of routes with `target.logs` in. An account has ten such policies in a region at most:
                with false, add the output `log_target_policy` to one of yours. Optional.
            transforms: Transforms, by key. A transform takes received events that match its pattern, and
                publishes them with `stage: transformed`. Limits and defaults are in
                `internal/limits/limits.json`. The plan reports all mistakes at once, also misspelt attributes.
                Optional.
            routes: Routes, by key. A route sends the events that match its pattern to one target, each with its
                own rule, dead-letter queue and alarms. Limits, defaults and the attributes of each target are
                in `internal/limits/limits.json`. Optional.
            retired: Transforms and routes as they were, by key. They get no new events; their queues,
                functions, redrives and review go on until you take them out here: do that when their queues are
                empty. Before you remove a transform or route, or make it another kind under the same key, put
                it here as well. Optional.
            watch_rules: Whether each rule has an alarm: false where `bus-custom` made the bus, which watches
                all rules of it. Optional.
            circuit_breaker_alarm_seconds: How long a circuit breaker may be open, and events wait for it,
                before an alarm goes off. Optional.
            failure: How events that fail are treated, from the first retry to the dead-letter queue and back.
                Optional.
            function: Size and runtime of the module's functions. Optional.
            queue: The queue, and how the function consumes it. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "router",
            {
                "name": name,
                "bus_arn": bus_arn,
                "manage_log_policy": manage_log_policy,
                "transforms": transforms,
                "routes": routes,
                "retired": retired,
                "watch_rules": watch_rules,
                "circuit_breaker_alarm_seconds": circuit_breaker_alarm_seconds,
                "failure": failure,
                "function": function,
                "queue": queue,
                "settings": settings,
            },
            providers,
        )

    @property
    def role_arns(self) -> Reference:
        """ARNs of the functions' roles, by hop."""
        return self.reference("role_arns")

    @property
    def role_policies(self) -> Reference:
        """Policies (JSON) of these roles, by hop: for a role of yours (`function.role`,
        `target.api_destination.role`) to have."""
        return self.reference("role_policies")

    @property
    def existing_dlq_policies(self) -> Reference:
        """Statements that the policy of each `existing_dlq` needs, as JSON text, by hop."""
        return self.reference("existing_dlq_policies")

    @property
    def function_arns(self) -> Reference:
        """ARNs of the functions, by hop."""
        return self.reference("function_arns")

    @property
    def log_group_names(self) -> Reference:
        """Names of the functions' log groups, by hop."""
        return self.reference("log_group_names")

    @property
    def idempotency_tables(self) -> Reference:
        """Idempotency stores, `{ name, arn }`, by hop: one for all functions."""
        return self.reference("idempotency_tables")

    @property
    def alarm_names(self) -> Reference:
        """Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."""
        return self.reference("alarm_names")

    @property
    def dead_letter_queues(self) -> Reference:
        """Dead-letter queues, by hop, as `dlq-review` takes them. `redrive_target` says where a consumer's
        dead letter goes to be tried again; one that EventBridge sent (it has a `RULE_ARN`) always goes
        back by the bus, for this hop alone."""
        return self.reference("dead_letter_queues")

    @property
    def sqs_target_policies(self) -> Reference:
        """For each route whose rule sends to a queue of yours, by key: the policy that its queue needs, as
        JSON text, for `aws_sqs_queue_policy` or `source_policy_documents`. Routes to the same queue
        have the same policy."""
        return self.reference("sqs_target_policies")

    @property
    def log_target_policy(self) -> str:
        """Resource policy by which CloudWatch Logs lets the rules of routes with `target.logs` write, as JSON
        text; null without such routes. The module sets it unless `manage_log_policy = false`."""
        return self.text("log_target_policy")

    @property
    def log_target_names(self) -> Reference:
        """For each route with `target.logs`, by key: the name of its log group."""
        return self.reference("log_target_names")

    @property
    def api_destination_arns(self) -> Reference:
        """ARNs of the API destinations that the module made, by destination."""
        return self.reference("api_destination_arns")

    @property
    def queue_urls(self) -> Reference:
        """URLs of the hops' queues, by hop; where the rule sends to a queue of yours, that one. Hops without a
        queue are not there."""
        return self.reference("queue_urls")

    @property
    def rule_arns(self) -> Reference:
        """ARNs of the rules, by hop."""
        return self.reference("rule_arns")

    @property
    def event_patterns(self) -> Reference:
        """The rules' patterns as EventBridge has them, by hop, as JSON text."""
        return self.reference("event_patterns")

    @property
    def archive_replay_hops(self) -> Reference:
        """Transforms and routes for `media-events archive-replay`, by hop: the rule's pattern (JSON text), its
        stage, whether it is enabled, the destination, and the idempotency store of its deliveries; null
        for transforms, and where no function of the module delivers."""
        return self.reference("archive_replay_hops")

    @property
    def key_policy_statements(self) -> Reference:
        """What the policy of `settings.kms_key` must say for this module, besides the usual statement for the
        account's root. It is made of names, so a key of the same root can take it."""
        return self.reference("key_policy_statements")


class StateMachine(Module):
    """A Step Functions workflow for routes that need several steps: its role, which only this state
    machine can take, a log group, and alarms on failed and timed-out (critical) and throttled
    (warning) executions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        definition: str,
        type: str | None = None,
        log_level: str | None = None,
        log_execution_data: bool | None = None,
        existing_role: inputs.StateMachineExistingRole | Reference | None = None,
        existing_log_group: inputs.StateMachineExistingLogGroup | Reference | None = None,
        policy_statements: Mapping[str, inputs.PolicyStatements | Reference] | Reference | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Name of the state machine, its role and its log group.
            definition: The workflow in Amazon States Language, as JSON text.
            type: `STANDARD` (up to a year, every step kept, exactly once) or `EXPRESS` (up to five minutes, at
                least once). Optional.
            log_level: Steps that are logged: `ERROR`, `FATAL`, `ALL` or `OFF`. Optional.
            log_execution_data: Whether the log holds the steps' input and output. They are partners' payloads:
                off by default. Optional.
            existing_role: A role (`arn`) in place of one that the module makes. It must trust
                `states.amazonaws.com`, and have the policy of the output `role_policies` before the workflow
                starts. Optional.
            existing_log_group: A log group (`arn`) in place of one that the module makes. Step Functions needs
                to be let in by the account's resource policy unless its name begins with `/aws/vendedlogs/`.
                Optional.
            policy_statements: Permissions besides those that the module gives itself. The key becomes the
                statement's Sid. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "state-machine",
            {
                "name": name,
                "definition": definition,
                "type": type,
                "log_level": log_level,
                "log_execution_data": log_execution_data,
                "existing_role": existing_role,
                "existing_log_group": existing_log_group,
                "policy_statements": policy_statements,
                "settings": settings,
            },
            providers,
        )

    @property
    def state_machine_name(self) -> str:
        """Name of the state machine."""
        return self.text("state_machine_name")

    @property
    def state_machine_arn(self) -> str:
        """ARN of the state machine."""
        return self.text("state_machine_arn")

    @property
    def role_name(self) -> str:
        """Name of the workflow's role."""
        return self.text("role_name")

    @property
    def log_group_name(self) -> str:
        """Name of the workflow's log group. It may hold payloads (`log_execution_data`), so that `dlq-review`
        is not given it."""
        return self.text("log_group_name")

    @property
    def role_arns(self) -> Reference:
        """ARNs of the workflows' roles, by hop."""
        return self.reference("role_arns")

    @property
    def role_policies(self) -> Reference:
        """Policies (JSON) of these roles, by hop: for a role of yours (`existing_role`) to have."""
        return self.reference("role_policies")

    @property
    def function_arns(self) -> Reference:
        """ARNs of the functions, by hop: none here."""
        return self.reference("function_arns")

    @property
    def log_group_names(self) -> Reference:
        """Names of the functions' log groups, by hop: none here."""
        return self.reference("log_group_names")

    @property
    def idempotency_tables(self) -> Reference:
        """Idempotency stores, `{ name, arn }`, by hop: none here."""
        return self.reference("idempotency_tables")

    @property
    def dead_letter_queues(self) -> Reference:
        """Dead-letter queues, by hop: none here."""
        return self.reference("dead_letter_queues")

    @property
    def alarm_names(self) -> Reference:
        """Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."""
        return self.reference("alarm_names")

    @property
    def key_policy_statements(self) -> Reference:
        """What the policy of `settings.kms_key` must say for this module, besides the usual statement for the
        account's root. It is made of names, so a key of the same root can take it."""
        return self.reference("key_policy_statements")


class TaskCallbacks(Module):
    """Lets a Step Functions workflow wait for a partner's event. The task registers its token and a
    correlation key with this module's function. A route with a `task_callback` target finds the key
    of the later event, and resumes or fails the execution."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        function: inputs.Function | Reference | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Name of the table, the function and its role.
            function: Size and runtime of the module's functions. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope, construct_id, "task-callbacks", {"name": name, "function": function, "settings": settings}, providers
        )

    @property
    def function_arn(self) -> str:
        """ARN of the function that a task invokes, by `arn:aws:states:::lambda:invoke.waitForTaskToken`."""
        return self.text("function_arn")

    @property
    def task_callbacks_table(self) -> Reference:
        """The table, `{ name, arn }`, for a route's `task_callback` target."""
        return self.reference("task_callbacks_table")

    @property
    def role_arns(self) -> Reference:
        """ARNs of the functions' roles, by hop."""
        return self.reference("role_arns")

    @property
    def role_policies(self) -> Reference:
        """Policies (JSON) of these roles, by hop: for a role of yours (`function.role`) to have."""
        return self.reference("role_policies")

    @property
    def function_arns(self) -> Reference:
        """ARNs of the functions, by hop."""
        return self.reference("function_arns")

    @property
    def log_group_names(self) -> Reference:
        """Names of the functions' log groups, by hop."""
        return self.reference("log_group_names")

    @property
    def idempotency_tables(self) -> Reference:
        """Idempotency stores, `{ name, arn }`, by hop: none here."""
        return self.reference("idempotency_tables")

    @property
    def dead_letter_queues(self) -> Reference:
        """Dead-letter queues, by hop: none here."""
        return self.reference("dead_letter_queues")

    @property
    def alarm_names(self) -> Reference:
        """Names of the alarms, by severity (`critical`, `warning`) and `<hop>/<fact>`."""
        return self.reference("alarm_names")

    @property
    def key_policy_statements(self) -> Reference:
        """What the policy of `settings.kms_key` must say for this module, besides the usual statement for the
        account's root. It is made of names, so a key of the same root can take it."""
        return self.reference("key_policy_statements")


class LambdaPackage(Module):
    """Uploads the functions' code once, under its SHA-256; its output `package` is `settings.package` of
    the other modules. Otherwise each function uploads the zip, one after the other, five seconds
    each. examples/complete shows it. Terraform needs `s3:GetObject*`, `s3:PutObject*` and
    `s3:DeleteObject*` there."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        filename: str | None = None,
        prefix: str | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            filename: A zip on the machine that runs Terraform. Null takes `lambda_src/dist/media_events.zip` of
                this repository, which a git source brings along. Optional.
            prefix: Where the zip is in `settings.bucket`, which must be in the functions' region:
                `<prefix>/<SHA-256>.zip`. Each deployment that shares a bucket needs its own prefix: it removes
                the zip that it no longer uses. No lifecycle rule of the bucket may expire what is there.
                Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "internal/lambda-package",
            {"filename": filename, "prefix": prefix, "settings": settings},
            providers,
        )

    @property
    def package(self) -> Reference:
        """Where the functions' code is, as `settings.package` takes it."""
        return self.reference("package")


class StorageBucket(Module):
    """The bucket for functions' code, configurations and large bodies: private, versioned, encrypted, TLS
    only. Its output `bucket` is `settings.bucket` of the other modules, as examples/complete shows.
    Modules that share events must share a bucket: pointers into other buckets are not followed."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        bucket_name: str | None = None,
        body_expiration_days: float | None = None,
        noncurrent_version_expiration_days: float | None = None,
        force_destroy: bool | None = None,
        append_only: inputs.StorageBucketAppendOnly | Reference | None = None,
        settings: inputs.Settings | Reference | None = None,
        providers: Sequence[Any] = (),
    ) -> None:
        """Call the module.

        Args:
            scope: the stack, or a construct in it.
            construct_id: its name there.
            name: Name of the deployment or module that the bucket belongs to. AWS appends a unique suffix,
                since bucket names are global.
            bucket_name: The bucket's exact name, where you must know it beforehand. Null derives one from
                `name`. Optional.
            body_expiration_days: Days after which objects under `bodies/events/` go. An event may be on its way
                to a hop for 52.5 days, with the longest settings (`messaging/idempotency.py`). Bodies of review
                items, under `bodies/review/`, don't expire: `dlq-review` deletes them with their items.
                Optional.
            noncurrent_version_expiration_days: Days after which replaced and deleted versions go. Optional.
            force_destroy: Whether `terraform destroy` may delete the bucket with everything in it. Optional.
            append_only: For objects that nobody may change or delete: `mode` and `days` of S3's Object Lock. A
                writer must send `If-None-Match: *` and a key that ends with a slash and its `aws:userid`; the
                bucket's policy refuses everything else, to everybody. Null: an ordinary bucket. Optional.
            settings: Settings that all modules of a deployment share: pass the same object to each. Optional.
            providers: AWS providers in place of the stack's default one, for another region or account.
        """
        super().__init__(
            scope,
            construct_id,
            "internal/storage-bucket",
            {
                "name": name,
                "bucket_name": bucket_name,
                "body_expiration_days": body_expiration_days,
                "noncurrent_version_expiration_days": noncurrent_version_expiration_days,
                "force_destroy": force_destroy,
                "append_only": append_only,
                "settings": settings,
            },
            providers,
        )

    @property
    def bucket(self) -> Reference:
        """The bucket, `{ name, arn }`, as `settings.bucket` takes it."""
        return self.reference("bucket")
