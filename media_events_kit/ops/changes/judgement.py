"""Judges a plan by the rules of a safe change. Pure: what only AWS knows comes by ``Deployed``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from media_events.core.json_fields import mapping, text
from media_events_kit.ops.changes.hops import Hop, hop_of_queue, hops, same, stage_of_rule
from media_events_kit.ops.changes.model import Finding, HopChange, Report
from media_events_kit.ops.changes.physical_names import Name, collisions, replaced_under_one_name
from media_events_kit.ops.changes.plan_document import Change, Plan
from media_events_kit.ops.changes.questions import Questions
from media_events_kit.ops.shared.json_files import object_in

RETIRE: Final = (
    "if it has another name now, give it `formerly:` with this one; else keep the hop under `retired:` in the workflow "
    "file (`retired` of the router module), apply, wait until `media-events status` shows nothing at it, then take it "
    "out and apply again"
)
BESIDE: Final = (
    "in two applies: add the new entry under another name and let the senders use it; take the old one out when its "
    "queues are empty"
)
TWO_APPLIES: Final = "in two applies: add the new one under another name, then take the old one out"
WAIT: Final = "wait until it is empty, then apply"


class Deployed(Protocol):
    """What only AWS knows. Each may raise a ``ProcessingError``."""

    def messages(self, url: str) -> int:
        """How many messages are in a queue, in flight and delayed ones included."""

    def open_items(self, table: str, hop: str) -> int:
        """How many review items of a hop wait, up to a bound."""

    def deleted_secret(self, name: str) -> str | None:
        """The ARN of the secret of a name, if it is scheduled for deletion."""

    def archived_events(self, name: str) -> int:
        """How many events an archive of EventBridge holds."""

    def running_executions(self, arn: str) -> int:
        """How many executions of a state machine of type `STANDARD` run, up to a bound."""


def judge(plan: Plan, deployed: Deployed | None = None) -> Report:
    """What a plan does to events; without ``deployed`` what waits is not known, and counts as something."""
    judgement = _Judgement(plan=plan, deployed=deployed)
    changed = tuple(judgement.hop_changes())
    return Report(hops=changed, findings=tuple(judgement.findings()), unknown=tuple(judgement.unknown))


@dataclass
class _Judgement(Questions[Deployed]):
    plan: Plan

    def __post_init__(self) -> None:
        self.before, self.after = hops(self.plan, "before"), hops(self.plan, "after")

    def hop_changes(self) -> Iterator[HopChange]:
        for name in sorted({*self.before, *self.after}):
            old, new = self.before.get(name), self.after.get(name)
            if old is None and new is not None:
                yield HopChange(hop=name, kind="appears", what=_description(new))
            elif old is not None and new is None:
                yield HopChange(hop=name, kind="goes", what=_description(old))
            elif old is not None and new is not None:
                yield from _changed(old, new)

    def findings(self) -> Iterator[Finding]:
        for change in self.plan.of_type("aws_sqs_queue"):
            if change.goes:
                yield from self._queue(change)
            elif change.before is not None:
                yield from self._taken_over(change)
        yield from self._topics()
        yield from self._executions()
        yield from self._reviews()
        yield from self._parked()
        yield from self._interrupted_rules()
        yield from self._interrupted_subscriptions()
        yield from self._other_patterns()
        yield from self._stages()
        yield from self._destinations()
        yield from self._idempotency()
        yield from self._archives()
        yield from self._refusals()
        yield from self._collisions()
        yield from self._protected()
        yield from self._secrets()

    # What waits

    def _queue(self, change: Change) -> Iterator[Finding]:
        values = change.before or {}
        name = str(values.get("name"))
        owner = hop_of_queue(name, self.before)
        hop = self.before[owner[0]] if owner is not None else None
        is_fed = hop is not None and _is_fed(hop, name)
        waiting = self.ask(f"messages in {name}", lambda aws: aws.messages(str(values.get("url"))))
        kind = "dead-letter queue" if owner is not None and owner[1] else "queue"
        subject = f"{kind} {name}" + (f" of {hop.name}" if hop is not None else "")
        is_entry = hop is not None and hop.name.startswith("ingress/")
        if waiting == 0 and not is_fed:
            so = "see that its senders have stopped" if is_entry else "nothing new reaches it"
            yield Finding(consequence="note", subject=subject, what=f"goes; it is empty, and {so}")
            return
        until = "events that come before the apply may be in it"
        if waiting == 0:
            what = f"goes; it is empty now, but {until}"
        else:
            what = f"goes with {'whatever waits in it' if waiting is None else messages_in_words(waiting)}"
            what += f"; {until}, too" if is_fed else ""
        remedy = WAIT if hop is None else BESIDE if is_entry else RETIRE
        yield Finding(consequence="lost", subject=subject, what=what, do=remedy)

    def _taken_over(self, change: Change) -> Iterator[Finding]:
        """A queue that stays, and is another hop's afterwards."""
        name = str((change.before or {}).get("name"))
        old, new = hop_of_queue(name, self.before), hop_of_queue(name, self.after)
        if old is None or new is None or old == new:
            return
        url = str((change.before or {}).get("url"))
        waiting = self.ask(f"messages in {name}", lambda aws: aws.messages(url))
        if waiting == 0 and not _is_fed(self.before[old[0]], name):
            return
        yield Finding(
            consequence="lost",
            subject=f"queue {name} of {old[0]}",
            what=f"becomes that of {new[0]}, which would take what waits in it",
            do=TWO_APPLIES,
        )

    def _topics(self) -> Iterator[Finding]:
        """What is published to a topic that goes: https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html."""
        for change in self.plan.of_type("aws_sns_topic"):
            name = str((change.before or {}).get("name"))
            if change.goes and any(name in hop.queue_names for hop in self.before.values()):
                yield Finding(
                    consequence="note",
                    subject=f"topic {name}",
                    what="goes; see that its senders have stopped: what they publish until then may reach nobody",
                )

    def _executions(self) -> Iterator[Finding]:
        """What runs in a state machine that goes, and ends with it.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
        """
        for change in self.plan.of_type("aws_sfn_state_machine"):
            if not change.goes or change.before is None or change.before.get("type") == "EXPRESS":
                continue
            name, arn = str(change.before.get("name")), str(change.before.get("arn"))
            running = self.ask(f"executions of {name}", lambda aws, arn=arn: aws.running_executions(arn))
            if running != 0:
                what = "whatever runs in it" if running is None else f"{running} executions that run"
                yield Finding(
                    consequence="lost",
                    subject=f"state machine {name}",
                    what=f"goes with {what}: Step Functions ends each at its next step",
                    do="in two applies: lead the route to a new destination of another name; take the old one out when "
                    "nothing runs in it",
                )

    def _reviews(self) -> Iterator[Finding]:
        table = next((c for c in self.plan.of_type("aws_dynamodb_table") if is_review_table(c.before)), None)
        gone = sorted(self.before.keys() - self.after.keys())
        if table is None or table.before is None or not gone:
            return
        name = str(table.before["name"])
        for hop in gone:
            waiting = self.ask(f"review items of {hop}", lambda aws, hop=hop: aws.open_items(name, hop))
            if waiting:
                yield Finding(
                    consequence="lost",
                    subject=f"review of {hop}",
                    what=f"{waiting} items wait, and there will be no hop to retry them at",
                    do=f"retry or archive them first: media-events review list --hop {hop}",
                )

    def _parked(self) -> Iterator[Finding]:
        """Events that wait in the idempotency store behind a failed one of their key."""
        gone = {str((c.before or {}).get("name")) for c in self.plan.of_type("aws_dynamodb_table") if c.goes}
        for name, old in self.before.items():
            new, table, destination = self.after.get(name), old.idempotency_table, old.destination
            if not name.startswith("route/") or table is None or destination is None:
                continue
            if new is not None and new.destination == destination and table not in gone:
                continue
            parked = self.ask(
                f"what is parked at {name}",
                lambda aws, table=table, destination=destination: aws.parked(table, destination),
            )
            if parked:
                yield Finding(
                    consequence="lost",
                    subject=f"parked events of {name}",
                    what=f"{parked} wait behind a failed one of their key, and nothing will look for them",
                    do=f"retry or archive what they wait for first: media-events review list --hop {name}",
                )

    # What events would find

    def _interrupted_rules(self) -> Iterator[Finding]:
        rules = {
            str((c.before or {}).get("name")): c for c in self.plan.of_type("aws_cloudwatch_event_rule") if c.before
        }
        targets: dict[str, list[Change]] = defaultdict(list)
        for change in self.plan.of_type("aws_cloudwatch_event_target"):
            targets[str((change.before or change.after or {}).get("rule"))].append(change)
        for name, rule in rules.items():
            if rule.after is None or mapping(rule.after).get("state") == "DISABLED":
                continue
            existing = [target for target in targets[name] if target.before is not None]
            if rule.is_replaced or (existing and all(target.goes for target in existing)):
                yield Finding(
                    consequence="lost",
                    subject=f"rule {name}",
                    what="has no target for a part of the apply: what it matches then is in the archive alone",
                    do="in two applies: add the new route under another name, then take this one out",
                )

    def _interrupted_subscriptions(self) -> Iterator[Finding]:
        for change in self.plan.of_type("aws_sns_topic_subscription"):
            topics = {(each or {}).get("topic_arn") for each in (change.before, change.after)}
            if change.is_replaced and change.deletes_first and len(topics) == 1:
                yield Finding(
                    consequence="lost",
                    subject=f"subscription of {topics.pop()}",
                    what="is not there for a part of the apply: SNS keeps no message for it",
                    do=BESIDE,
                )

    def _other_patterns(self) -> Iterator[Finding]:
        """Dead letters that can only go back by their rule, whose pattern will be another one."""
        queues = {str((c.before or {}).get("name")): c for c in self.plan.of_type("aws_sqs_queue") if c.before}
        for rule in self.plan.of_type("aws_cloudwatch_event_rule"):
            if rule.before is None or rule.after is None or _takes_as_much(rule.before, rule.after):
                continue
            owner = self._owner(str(rule.before.get("name")))
            if owner is None or owner.made_of == "queue and function":
                continue
            for name in owner.dead_letter_queue_names:
                url = str((queues[name].before or {}).get("url")) if name in queues else None
                waiting = url and self.ask(f"messages in {name}", lambda aws, url=url: aws.messages(str(url)))
                if waiting:
                    yield Finding(
                        consequence="note",
                        subject=f"dead-letter queue {name} of {owner.name}",
                        what=f"has {messages_in_words(waiting)}, which can go back by the hop's rule alone: what its "
                        "new pattern does not take goes to review",
                        do="wait until it is empty, or retry it from review on another hop (review retry --to)",
                    )

    def _stages(self) -> Iterator[Finding]:
        """Routes that take events of the other stage: by their own `stage`, or since the first transform comes."""
        for rule in self.plan.of_type("aws_cloudwatch_event_rule"):
            old, new = stage_of_rule(rule.before), stage_of_rule(rule.after)
            owner = self._owner(str((rule.before or {}).get("name")))
            if owner is None or None in (old, new) or old == new:
                continue
            never = ", and one that no transform takes never comes to it" if new == "transformed" else ""
            yield Finding(
                consequence="lost",
                subject=owner.name,
                what=f"takes events as {new}, formerly as {old}: one that comes meanwhile may match neither{never}",
                do="first add a second route to the same destination, with the new `stage`, and write the old one's "
                "where it was by default; take that out afterwards: each event is delivered once",
            )

    def _owner(self, rule: str) -> Hop | None:
        return next((hop for hop in self.before.values() if hop.resource_name == rule), None)

    # What events are told by

    def _destinations(self) -> Iterator[Finding]:
        for name, old in self.before.items():
            new = self.after.get(name)
            if new is None or None in (old.destination, new.destination) or old.destination == new.destination:
                continue
            yield Finding(
                consequence="repeated",
                subject=name,
                what=f"delivers to {new.destination}, formerly {old.destination}: an event that {old.destination} has "
                "had takes effect once more if it is redriven, retried or replayed",
                do="give the destination `formerly:` with its former name if it is the same system; if not, let the "
                "hop's queues and review run empty first, and replay nothing from before the change to it",
            )

    def _idempotency(self) -> Iterator[Finding]:
        for change in self.plan.of_type("aws_dynamodb_table"):
            if change.goes and change.name == "idempotency" and change.before is not None:
                name = change.before.get("name")
                left = [hop for hop, old in self.before.items() if old.idempotency_table == name and hop in self.after]
                yield Finding(
                    consequence="repeated" if left else "note",
                    subject=f"idempotency table {name}",
                    what="goes: nothing remembers which events have taken effect"
                    + (f" at {', '.join(left)}" if left else ""),
                    do="wait until the hop's queues, dead letters and review are empty, then apply" if left else "",
                )
        for name, old in self.before.items():
            new = self.after.get(name)
            if new is None:
                continue
            if None not in (old.idempotency_table, new.idempotency_table) and (
                old.idempotency_table != new.idempotency_table
            ):
                yield Finding(
                    consequence="repeated",
                    subject=name,
                    what=f"remembers events in {new.idempotency_table}, formerly {old.idempotency_table}: one that "
                    "comes before and after the apply takes effect twice",
                    do="let the hop's queues and dead letters run empty first",
                )
            yield from _identities(name, old, new)

    def _archives(self) -> Iterator[Finding]:
        for change in self.plan.of_type("aws_cloudwatch_event_archive"):
            if change.goes and change.before is not None:
                name = str(change.before.get("name"))
                count = self.ask(f"events in the archive {name}", lambda aws, name=name: aws.archived_events(name))
                held = "its events" if count is None else f"its {count} events"
                yield Finding(
                    consequence="note" if count == 0 else "lost",
                    subject=f"archive {name}",
                    what=f"goes with {held}: no archive replay can send them again",
                    do="keep it as long as you may want to replay them",
                )

    # What Terraform would fail on

    def _refusals(self) -> Iterator[Finding]:
        for address, reason in self.plan.refusals:
            what, _, remedy = reason.partition(" In two applies: ")
            yield Finding(
                consequence="fails",
                subject=address,
                what=f"Terraform refuses the plan: {what}",
                do=f"in two applies: {remedy}" if remedy else "",
            )

    def _collisions(self) -> Iterator[Finding]:
        where: dict[tuple[str, str], list[Name]] = defaultdict(list)
        for name, addresses in collisions(self.plan).items():
            where[tuple(_module(address) for address in addresses)].append(name)  # type: ignore[index]
        for (old, new), found in where.items():
            yield Finding(
                consequence="fails",
                subject=_named(found),
                what=f"go from {old} and come at {new} under the same names, of which AWS knows one each",
                do=TWO_APPLIES,
            )
        for name, address in replaced_under_one_name(self.plan).items():
            yield Finding(
                consequence="fails",
                subject=_named([name]),
                what=f"is to be replaced ({address}) by another of the same name, made first: AWS refuses that",
                do=TWO_APPLIES,
            )

    def _protected(self) -> Iterator[Finding]:
        for change in self.plan.changes:
            if change.goes and change.before is not None:
                reason = protection(change.type, change.before)
                if reason is not None:
                    yield Finding(
                        consequence="fails", subject=f"{change.type} {change.address}", what=reason[0], do=reason[1]
                    )

    def _secrets(self) -> Iterator[Finding]:
        for change in self.plan.of_type("aws_secretsmanager_secret"):
            if change.comes and change.after is not None:
                name = text(change.after.get("name"))
                deleted = name and self.ask(f"secret {name}", lambda aws, name=name: aws.deleted_secret(str(name)))
                if deleted:
                    yield Finding(
                        consequence="fails",
                        subject=f"secret {name}",
                        what="is scheduled for deletion, and keeps its name until Secrets Manager has deleted it",
                        do=f"restore it, with its value: aws secretsmanager restore-secret --secret-id '{name}' && "
                        f"terraform import '{change.address}' '{deleted}'",
                    )
            elif change.goes and change.before is not None:
                days = recovery_days(change.before)
                yield Finding(
                    consequence="note",
                    subject=f"secret {change.before.get('name')}",
                    what="goes at once, with its value" if days == 0 else f"can be restored for {days} days",
                )


def protection(kind: str, values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why AWS refuses to delete a resource, and how to lift that; ``None`` where it does not."""
    unprotect = (
        "`deletion_protection: false` in the workflow file (a module: the variable of that name), apply, then destroy"
    )
    if kind == "aws_dynamodb_table" and values.get("deletion_protection_enabled"):
        return f"the table {values.get('name')} has deletion protection", unprotect
    if kind == "aws_s3_bucket" and not values.get("force_destroy"):
        locked = bool(values.get("object_lock_enabled"))
        return (
            f"the bucket {values.get('bucket')} can't be deleted while it holds objects"
            + (" or versions that Object Lock retains" if locked else ""),
            "wait until the retention of its objects has ended" if locked else f"{unprotect}: its objects go with it",
        )
    return None


def recovery_days(secret: Mapping[str, Any]) -> int:
    """For how many days a deleted secret can be restored, and keeps its name.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
    """
    days = secret.get("recovery_window_in_days")
    return days if isinstance(days, int) else 30


def _is_fed(hop: Hop, queue: str) -> bool:
    """Whether the deployment itself brings new events to a hop's queue, or dead letters, until the apply."""
    if hop.name.startswith("ingress/") or not hop.takes_new_events:
        return False
    if queue in hop.dead_letter_queue_names or hop.target is None:
        return True
    return ":sqs:" in hop.target and hop.target.endswith(f":{queue}")


def _takes_as_much(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a rule stays on and keeps its pattern, or more of it is not known when planned."""
    patterns = [object_in(text(rule.get("event_pattern")) or "") for rule in (before, after)]
    return after.get("state") != "DISABLED" and (after.get("event_pattern") is None or same(*patterns))


def _module(address: str) -> str:
    """The outermost two modules that a resource is in, by which an operator knows it; its address in the root."""
    inside, _, _ = address.partition(".aws_")
    return ".module.".join(inside.split(".module.")[:2]) if inside != address else address


def _named(names: Iterable[Name]) -> str:
    return ", ".join(f"{kind.removeprefix('aws_')} {' '.join(name)}" for kind, *name in sorted(names))


def _identities(name: str, old: Hop, new: Hop) -> Iterator[Finding]:
    """A partner's events whose ids are made in another way."""
    for partner in sorted({*(old.specifications or {})} & {*(new.specifications or {})}):
        specifications = [(hop.specifications or {})[partner] for hop in (old, new)]
        if not same(*(_identity(specification) for specification in specifications)):
            yield Finding(
                consequence="repeated",
                subject=f"partner {partner} at {name}",
                what="makes the ids of its events in another way: one that comes again after the apply is a new event",
                do="change it when the partner repeats nothing",
            )


def _identity(specification: Any) -> Any:
    return {key: mapping(specification).get(key) for key in ("preset", "id")}


def is_review_table(values: Mapping[str, Any] | None) -> bool:
    """Whether a table has the review items: no other has their index by hop."""
    indexes = (values or {}).get("global_secondary_index")
    return any(mapping(index).get("name") == "by-hop" for index in indexes) if isinstance(indexes, list) else False


def _changed(old: Hop, new: Hop) -> Iterator[HopChange]:
    if old.takes_new_events and not new.takes_new_events:
        yield HopChange(hop=old.name, kind="retires", what="takes no new events any more")
    if (old.made_of, old.destination_type) != (new.made_of, new.destination_type):
        yield HopChange(hop=old.name, kind="changes", what=f"{_description(old)} → {_description(new)}")


def _description(hop: Hop) -> str:
    to = "" if hop.destination_type is None else f" to {hop.destination_type}"
    return f"{hop.made_of}{to}" + ("" if hop.destination is None else f" ({hop.destination})")


def messages_in_words(count: int) -> str:
    """A number of messages."""
    return "1 message" if count == 1 else f"{count} messages"
