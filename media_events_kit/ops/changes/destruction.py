"""Judges the end of a deployment, from Terraform's state: what stops it, and what goes with it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from media_events.core.json_fields import mapping, text
from media_events_kit.ops.changes.judgement import is_review_table, messages_in_words, protection, recovery_days
from media_events_kit.ops.changes.model import Finding, Report
from media_events_kit.ops.changes.questions import Questions


class NoStateError(ValueError):
    """The document is no state of Terraform."""


class Deployed(Protocol):
    """What only AWS knows. Each may raise a ``ProcessingError``."""

    def messages(self, url: str) -> int:
        """How many messages are in a queue."""

    def open_items(self, table: str, hop: str | None = None) -> int:
        """How many review items wait."""

    def archived_events(self, name: str) -> int:
        """How many events an archive holds."""

    def holds_objects(self, bucket: str) -> bool:
        """Whether a bucket holds an object or a version of one."""


Resource = tuple[str, str, Mapping[str, Any]]
"""Type, address, values."""


def resources(document: Mapping[str, Any]) -> list[Resource]:
    """The resources that Terraform manages, of the output of `terraform show -json` for a state.

    Raises:
        NoStateError: it is none.
    """
    if "format_version" not in document or "resource_changes" in document:
        raise NoStateError("it has no values of a state")
    return list(_within(mapping(mapping(document.get("values")).get("root_module"))))


def _within(module: Mapping[str, Any]) -> Iterator[Resource]:
    for resource in module.get("resources", ()):
        if resource.get("mode") == "managed":
            yield str(resource.get("type")), str(resource.get("address")), mapping(resource.get("values"))
    for child in module.get("child_modules", ()):
        yield from _within(child)


def judge_destruction(
    existing: Iterable[Resource], deployed: Deployed | None, prevented: Iterable[str] | None = None
) -> Report:
    """What stops a destruction, and what it takes with it.

    ``prevented`` are the addresses with `prevent_destroy`; ``None`` if they are not known.
    """
    judgement = _Judgement(deployed=deployed)
    findings = [finding for resource in existing for finding in judgement.of(*resource)]
    if prevented is None:
        judgement.unknown.append("prevent_destroy: a state does not tell")
    findings += [
        Finding(
            consequence="fails",
            subject=address,
            what="has prevent_destroy in its configuration",
            do="take `prevent_destroy` out of its lifecycle block",
        )
        for address in prevented or ()
    ]
    return Report(findings=findings, unknown=judgement.unknown)


@dataclass
class _Judgement(Questions[Deployed]):
    def of(self, kind: str, address: str, values: Mapping[str, Any]) -> Iterator[Finding]:
        yield from self._protected(kind, address, values)
        name = text(values.get("name")) or address
        if kind == "aws_sqs_queue":
            waiting = self.ask(f"messages in {name}", lambda aws: aws.messages(str(values.get("url"))))
            if waiting != 0:
                count = "whatever waits in it" if waiting is None else messages_in_words(waiting)
                yield Finding(
                    consequence="lost",
                    subject=f"queue {name}",
                    what=f"goes with {count}",
                    do="stop the senders, and wait until media-events status shows nothing in it",
                )
        elif kind == "aws_dynamodb_table" and is_review_table(values):
            items = self.ask("review items", lambda aws: aws.open_items(name))
            if items != 0:
                count = "whatever waits" if items is None else f"{items} items that wait"
                yield Finding(
                    consequence="lost",
                    subject=f"review table {name}",
                    what=f"goes with {count}",
                    do="retry or archive them first: media-events review list",
                )
        elif kind == "aws_cloudwatch_event_archive":
            events = self.ask(f"events in the archive {name}", lambda aws: aws.archived_events(name))
            if events != 0:
                count = "its events" if events is None else f"its {events} events"
                yield Finding(
                    consequence="lost",
                    subject=f"archive {name}",
                    what=f"goes with {count}: no archive replay can send them again",
                    do="replay what is still needed first",
                )
        elif kind == "aws_secretsmanager_secret":
            days = recovery_days(values)
            yield Finding(
                consequence="note",
                subject=f"secret {name}",
                what="goes at once, with its value"
                if days == 0
                else f"keeps its name for {days} days: another deployment of this name needs it restored",
                do="" if days == 0 else f"then: aws secretsmanager restore-secret --secret-id '{name}'",
            )

    def _protected(self, kind: str, address: str, values: Mapping[str, Any]) -> Iterator[Finding]:
        reason = protection(kind, values)
        if reason is None:
            return
        if kind == "aws_s3_bucket":
            bucket = str(values.get("bucket"))
            holds = self.ask(f"objects in {bucket}", lambda aws: aws.holds_objects(bucket))
            if holds is False:
                yield Finding(consequence="note", subject=address, what=f"the bucket {bucket} is empty")
                return
        yield Finding(consequence="fails", subject=address, what=reason[0], do=reason[1])
