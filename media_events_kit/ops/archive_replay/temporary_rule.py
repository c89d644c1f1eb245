"""A rule and a queue for the time of one run, which collect events of a bus.

They are named as those of an archive replay, ``<bus>-replay-<kind>-<until>``, so that who may replay may use them, and
no policy grows. Their names say until when they may be in use. A run that is killed leaves them: the next one removes
those whose time is over, and those that a process of this machine left, which it knows by a file.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from media_events.core.failures import ProcessingError
from media_events_kit.ops.archive_replay.plan import Bus
from media_events_kit.ops.archive_replay.staging_queue import Staging
from media_events_kit.ops.local.process import ProcessIdentity, this_process
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.json_files import object_in, read_record

Kind = Literal["probe", "tail"]

OVER_SECONDS: Final = 900
"""How long after their time they are removed: clocks differ, and earlier versions named them by when they were made."""

_PURPOSES: Final[dict[Kind, str]] = {
    "probe": "Collects the probes of `media-events verify --send`; removed when that is over",
    "tail": "Collects events for `media-events tail`; removed when that is over",
}
_MADE: Final = re.compile(r"(?:probe|tail)-(?P<until>[0-9a-f]{8})[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class TemporaryRule:
    """An open one."""

    staging: Staging
    url: str

    def events(self) -> list[dict[str, Any]]:
        """The EventBridge events since the last call; waits for two seconds at most."""
        messages = self.staging.receive(self.url)
        self.staging.delete(self.url, messages)
        return [object_in(one.body) for one in messages]


@dataclass(frozen=True, slots=True)
class Owners:
    """Which process of this machine uses which temporary rule: a file for each in ``folder``."""

    folder: Path

    def add(self, name: str) -> None:
        """This process uses ``name`` from now on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(json.dumps(asdict(this_process())) + "\n", encoding="utf-8")

    def forget(self, name: str) -> None:
        """Nobody uses ``name`` any more."""
        (self.folder / name).unlink(missing_ok=True)

    def dead(self) -> list[str]:
        """The names whose process has gone."""
        if not self.folder.is_dir():
            return []
        owners = {file.name: read_record(ProcessIdentity, file) for file in self.folder.iterdir()}
        return sorted(name for name, owner in owners.items() if owner is None or not owner.alive())


@contextmanager
def opened(  # noqa: PLR0913
    events: Any,
    sqs: Any,
    bus_arn: str,
    *,
    kind: Kind,
    pattern: Mapping[str, Any],
    until: float,
    owners: Owners | None = None,
) -> Iterator[TemporaryRule]:
    """A rule and a queue on a bus, in use until ``until`` (epoch seconds); removed at the end, however that comes.

    Raises:
        ProcessingError: AWS refuses or does not answer.
        OperatorError: EventBridge refuses the rule's target.
    """
    staging = _staging(events, sqs, bus_arn, f"{kind}-{int(until):08x}{secrets.token_hex(1)}")
    if owners is not None:
        owners.add(staging.name)
    try:
        staging.prepare(pattern)
        yield TemporaryRule(staging, staging.queue_url())
    finally:
        staging.remove()
        if owners is not None:
            owners.forget(staging.name)


def remove_leftovers(events: Any, sqs: Any, bus_arn: str, names: Sequence[str], *, now: float) -> list[str]:
    """Remove what killed runs left, by the ``names`` of rules and queues; the names of what was removed."""
    start = _start(bus_arn)
    made = {name.removeprefix(start) for name in names if name.startswith(start)}
    over = sorted(
        one for one in made if (match := _MADE.fullmatch(one)) and now - int(match["until"], 16) > OVER_SECONDS
    )
    for one in over:
        _staging(events, sqs, bus_arn, one).remove()
    return [f"{start}{one}" for one in over]


def clean_up(client: Callable[[str], Any], bus_arn: str, owners: Owners, *, now: float) -> list[str]:
    """Remove what killed runs left, as far as one may; the names of what was removed. Raises nothing of AWS's.

    What this machine's processes left is known by name. To find others', it lists rules and queues, if that is allowed.
    """
    if bus_arn.count(":") < 5:  # noqa: PLR2004
        return []
    try:
        events, sqs = client("events"), client("sqs")
    except OperatorError:
        return []
    start, removed = _start(bus_arn), []
    for name in owners.dead():
        if (
            name.startswith(start)
            and _MADE.fullmatch(name.removeprefix(start))
            and _removed(events, sqs, bus_arn, name)
        ):
            owners.forget(name)
            removed.append(name)
    try:
        names = _names(events, sqs, start)
        removed += remove_leftovers(events, sqs, bus_arn, [name for name in names if name not in removed], now=now)
    except (BotoCoreError, ClientError, ProcessingError):
        pass
    return removed


def _removed(events: Any, sqs: Any, bus_arn: str, name: str) -> bool:
    try:
        _staging(events, sqs, bus_arn, name.removeprefix(_start(bus_arn))).remove()
    except ProcessingError:
        return False
    return True


def _names(events: Any, sqs: Any, start: str) -> list[str]:
    rules = events.list_rules(EventBusName=start.removesuffix("-replay-"), NamePrefix=start).get("Rules", [])
    queues = sqs.list_queues(QueueNamePrefix=start, MaxResults=1000).get("QueueUrls", [])
    return list(dict.fromkeys([*(rule["Name"] for rule in rules), *(url.rpartition("/")[2] for url in queues)]))


def _start(bus_arn: str) -> str:
    return f"{bus_arn.rpartition('/')[2]}-replay-"


def _staging(events: Any, sqs: Any, bus_arn: str, name: str) -> Staging:
    kind: Kind = "tail" if name.startswith("tail-") else "probe"
    return Staging(
        events=events,
        sqs=sqs,
        bus=Bus(bus_arn=bus_arn, archive_arn="", hops={}),
        replay_id=name,
        purpose=_PURPOSES[kind],
    )
