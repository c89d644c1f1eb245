"""``python -m tests.faults.local_cloud.changes``: a deployment is upgraded and changed while events run through it.

First the deployment is that of an older commit. It is upgraded to the working tree, then changed again and again, by
Terraform, with a stream of events through all five ingresses. Nothing else is at fault meanwhile. The last line is
``accepted N delivered N review N lost N doubled N stuck N``; the exit code is 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.adapters.sqs.depths import depth
from media_events.recovery.review_item import ReviewItem
from media_events_kit.kit_files import KIT
from media_events_kit.ops.demo.senders import new_secret
from media_events_kit.ops.local import process
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.function_logs import LogLine, LogReader
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.shared.console import OperatorError
from tests.faults.aws_model.scheduler import subject_of
from tests.faults.conservation import Place, Tally, judge, marks_of, repetitions
from tests.faults.local_cloud.changing_cloud import REGION, ChangingCloud, RuleWatch
from tests.faults.local_cloud.changing_workflow import (
    CHANGES,
    CONNECTION,
    DESTINATIONS,
    KEY,
    SMALL_DESTINATIONS,
    SMALL_ENTRIES,
    Change,
    workflow,
)
from tests.faults.local_cloud.commands import on_a_cloud_of_its_own
from tests.faults.local_cloud.deployment import PARTNER, addresses
from tests.faults.local_cloud.receivers import Receivers
from tests.faults.local_cloud.senders import Senders
from tests.faults.local_cloud.stream import Stream
from tests.faults.older_version import BASE, code_of, with_its_package
from tests.faults.senders import ENTRY_NAMES

PREFIX: Final = "changing-local"
ARCHIVE: Final = "changing-archive"
KEY_USERS: Final = [
    f"logs.{REGION}.amazonaws.com",
    *(f"{service}.amazonaws.com" for service in ("cloudwatch", "delivery.logs", "events", "sns", "states")),
]
"""The services that encrypt with the key: those of ``modules/internal/key-policy``."""
PLAIN: Final = ("plain", "archive")
"""Receivers that can't tell a repetition."""
IN_DOUBT: Final = ("timeout", "idempotency-in-progress")
UNANSWERED: Final = "aws-ReadTimeoutError"
"""A call of a function's to AWS got no answer in time, and may have taken effect."""
BY_RULE: Final = ("archive", "search")
"""Destinations that a rule delivers to at some time: nothing there recognises an event that is on the bus twice."""
QUIET_SECONDS: Final = 6.0
ASYNCHRONOUS_SECONDS: Final = 300.0
"""Longer than Lambda's retries of an asynchronous invocation, after one and two minutes, and a redrive after them."""
DRAIN_POLL_SECONDS: Final = 3.0
PROBLEMS_SHOWN: Final = 30

Log = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Run:
    """Changes of one deployment under traffic. ``quiet`` are the seconds between two changes."""

    paths: LocalPaths
    receivers: Receivers
    rate: float
    changes: Sequence[Change] = CHANGES
    base: Path | None = None
    """The older kit that deploys first; the working tree without one."""
    small: bool = False
    """Whether the workflow is only as large as its renames need it."""
    quiet: float = 5.0
    drain_seconds: float = 900.0
    log: Log = lambda _line: None
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each apply took."""
    sent_during: dict[str, int] = field(default_factory=dict)
    """How many events were accepted during each apply."""
    _archived: list[str] = field(default_factory=list)
    _cloud: ChangingCloud = field(init=False)
    _clients: Clients = field(init=False)

    def live(self) -> Tally:
        """Deploy, send, change, drain and count."""
        tally = Tally()
        self._cloud = ChangingCloud(self.paths)
        self._clients = Clients(self._cloud.start())
        self._make_archive()
        self._cloud.arns = self._made_by_others()
        whole = workflow(self.receivers.server_address[1], small=self.small)
        self.seconds["deployed"] = self._cloud.apply(whole, repository=self.base or KIT)
        self.log(f"deployed in {self.seconds['deployed']:.0f} s")
        secret = new_secret(PARTNER)
        name = self._cloud.outputs["secret_names"][PARTNER]
        self._clients.secretsmanager.put_secret_value(SecretId=name, SecretString=secret)
        senders = Senders(self._clients, addresses(self._clients, self._cloud.outputs, secret), seed=1)
        entries = SMALL_ENTRIES if self.small else ENTRY_NAMES
        stream, watch = Stream(senders, self.rate, entries), RuleWatch(self._clients)
        watch.start()
        stream.start()
        try:
            time.sleep(self.quiet)
            for change, repository in self._steps():
                whole = change(whole)
                stream.silence(change.before)
                self._change(change.name, whole, stream, watch, tally, repository=repository)
                senders.addresses = addresses(self._clients, self._cloud.outputs, secret)
                stream.silence(())
                time.sleep(self.quiet)
        finally:
            stream.stop()
            watch.stop()
        if not self._drained():
            tally.stick(f"after {self.drain_seconds:.0f} s there is still something in the queues")
        self._await_asynchronous(stream)
        self._count(stream, tally)
        return tally

    def _steps(self) -> Iterator[tuple[Change, Path]]:
        """The changes, and the kit that applies each. An upgrade is the first change of the working tree's kit."""
        if self.base is not None and not self.small:
            yield Change("upgrade to the working tree", lambda _whole: None), KIT
        changes = [(change, KIT) for change in self.changes]
        if self.base is not None:
            older = with_its_package(self.base, self.paths.directory / "older")
            changes.insert(1 if self.small else 0, (Change("roll the functions back", lambda _whole: None), older))
        yield from changes

    def _change(
        self,
        name: str,
        whole: Mapping[str, Any],
        stream: Stream,
        watch: RuleWatch,
        tally: Tally,
        *,
        repository: Path,
    ) -> None:
        accepted = len(stream.accepted)
        try:
            self.seconds[name] = self._cloud.apply(whole, repository=repository)
        except OperatorError as error:
            tally.problems.append(f"{name}: the apply failed: {error}")
            self.log(tally.problems[-1])
        self.sent_during[name] = len(stream.accepted) - accepted
        self.log(f"{name}: {self.seconds.get(name, -1):.0f} s, {self.sent_during[name]} events accepted meanwhile")
        for rule, seconds in watch.bare().items():
            tally.problems.append(f"{name}: the rule {rule} was on for {seconds:.1f} s without a target")

    @property
    def _destinations(self) -> Mapping[str, tuple[str, ...]]:
        return SMALL_DESTINATIONS if self.small else DESTINATIONS

    def _make_archive(self) -> None:
        sqs = self._clients.sqs
        url = sqs.create_queue(QueueName=ARCHIVE)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})

    def _made_by_others(self) -> dict[str, str]:
        """The ARNs of what a workflow names and does not make: the key lets in whoever IAM lets."""
        account = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "kms:*"}
        service = {"Effect": "Allow", "Principal": {"Service": KEY_USERS}, "Action": "kms:*"}
        statements = [statement | {"Resource": "*"} for statement in (account, service)]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        key = {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "search"}}
        connection = self._clients.events.create_connection(
            Name=CONNECTION,
            AuthorizationType="API_KEY",
            AuthParameters=key,  # type: ignore[arg-type]
        )
        return {
            CONNECTION: connection["ConnectionArn"],
            KEY: self._clients.kms.create_key(Policy=policy)["KeyMetadata"]["Arn"],
        }

    # --- the end --------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        sqs = self._clients.sqs
        url = sqs.get_queue_url(QueueName=ARCHIVE)["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            self._archived += [message["Body"] for message in messages]
            entries: Any = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)

    def _drained(self) -> bool:
        until, quiet_since = time.monotonic() + self.drain_seconds, None
        while time.monotonic() < until:
            left = self._left()
            now = time.monotonic()
            quiet_since = None if left else quiet_since or now
            if quiet_since is not None and now - quiet_since >= QUIET_SECONDS:
                return True
            self.log(f"{left} messages in the queues")
            time.sleep(DRAIN_POLL_SECONDS)
        return False

    def _await_asynchronous(self, stream: Stream) -> None:
        """Wait for what a rule handed to a function itself: Lambda's own queue, and its retries, can't be seen."""
        until = time.monotonic() + ASYNCHRONOUS_SECONDS
        while True:
            self._collect()
            effects, _ = self._effects()
            missing = [e for e in stream.accepted for name in self._destinations[e.kind] if not effects[name, e.mark]]
            if not missing or time.monotonic() > until:
                return
            self.log(f"{len(missing)} deliveries are not seen yet")
            time.sleep(DRAIN_POLL_SECONDS)

    def _left(self) -> int:
        urls = self._clients.sqs.list_queues(QueueNamePrefix=PREFIX).get("QueueUrls", [])
        return sum(depth(self._clients.sqs, url).total for url in urls)

    def _count(self, stream: Stream, tally: Tally) -> None:
        items: dict[str, list[ReviewItem]] = defaultdict(list)
        for item in self._items():
            if item.status != "RESOLVED":
                for mark in marks_of(item, lambda _uri: ""):
                    items[mark].append(item)
        effects, requests = self._effects()
        for event in stream.accepted:
            judge(event, self._destinations[event.kind], items[event.mark], effects, tally)
        windows = Counter(self.receivers.unanswered) + self._in_doubt()
        repetitions(effects, requests, windows, tally, plain=PLAIN)

    def _in_doubt(self) -> Counter[Place]:
        names = sorted(self._cloud.outputs["functions"].values())
        return in_doubt(LogReader(self._clients.logs, names).new_lines())

    def _effects(self) -> tuple[Counter[Place], Counter[Place]]:
        requests: Counter[Place] = Counter({place: len(times) for place, times in self.receivers.taken.items()})
        effects = Counter(
            {place: n if place[0] in PLAIN else len(self.receivers.keys[place]) for place, n in requests.items()}
        )
        archived = Counter(("archive", subject_of(body)) for body in self._archived)
        return effects + archived, requests + archived

    def _items(self) -> Iterator[ReviewItem]:
        name = self._cloud.outputs["review_table_name"]
        table = DynamoReviewTable(self._clients.dynamodb, name)
        for page in self._clients.dynamodb.get_paginator("scan").paginate(TableName=name):
            for key in [found["item_id"]["S"] for found in page["Items"]]:
                # A key with a slash belongs to the review service.
                item = None if "/" in key else table.get(key)
                if item is not None:
                    yield item


def in_doubt(lines: Iterable[LogLine]) -> Counter[Place]:
    """Where a function once did not learn whether its effect had happened: on a busy machine it may time out.

    The attempt after one that died finds the effect leased to it (``idempotency-in-progress``). An ingress that gets no
    answer from the bus publishes the event again, and a rule delivers it again.
    """
    delivering = {name for names in DESTINATIONS.values() for name in names}
    places: set[Place] = set()
    for line in lines:
        hop, reason = line.function.removeprefix(f"{PREFIX}-"), line.fields.get("reason")
        mark = subject_of(str(line.fields.get("event_id")))
        if reason in IN_DOUBT or (reason == UNANSWERED and hop in delivering):
            places.add((hop, mark))
        elif reason == UNANSWERED:
            places.update((name, mark) for name in BY_RULE)
    return Counter(places)


def main(arguments: list[str] | None = None) -> int:
    """Deploy, change and report; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.local_cloud.changes", description=__doc__)
    parser.add_argument("--rate", type=float, default=20.0, help="how many events are sent a second (20)")
    parser.add_argument("--only", default="", help="only changes whose name matches this")
    parser.add_argument("--base", default=BASE, help="the commit to upgrade from; empty for none")
    parser.add_argument("--quiet", type=float, default=5.0, help="seconds between two changes (5)")
    given = parser.parse_args(arguments)
    return on_a_cloud_of_its_own("changes", functools.partial(_run, given))


def _run(given: argparse.Namespace, paths: LocalPaths) -> int:
    base = code_of(given.base, paths.directory / "base") if given.base else None
    if given.base and base is None:
        print(f"the history does not reach back to {given.base}: nothing is upgraded", file=sys.stderr)
    receivers = Receivers(process.free_port(), seed=1, flap=0, fated=0, lose_answer=0)
    began = time.monotonic()
    run = Run(
        paths=paths,
        receivers=receivers,
        rate=given.rate,
        base=base,
        quiet=given.quiet,
        changes=[change for change in CHANGES if re.search(given.only, change.name)],
        log=lambda line: print(f"{time.monotonic() - began:5.0f} s  {line}", flush=True),
    )
    try:
        tally = run.live()
    finally:
        receivers.go_away()
    for problem in tally.problems[:PROBLEMS_SHOWN]:
        print(f"  {problem}")
    if len(tally.problems) > PROBLEMS_SHOWN:
        print(f"  … {len(tally.problems)} in all")
    print(f"{len(run.seconds) - 1} changes in {sum(run.seconds.values()):.0f} s of applies")
    print(tally)
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
