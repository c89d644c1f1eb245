"""Where probes come back from the bus: a rule and a queue for the time of one run.

They are named as those of an archive replay, ``<bus>-replay-probe-<time>``, so that who may replay may verify, and no
policy grows. Their names say when they were made: each run removes those that are older than a run lasts, which killed
ones left.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from media_events.core.json_fields import mapping, text
from media_events.ingress.probe import PROBE_TYPE
from media_events_kit.ops.archive_replay.plan import Bus
from media_events_kit.ops.archive_replay.staging_queue import Staging
from media_events_kit.ops.shared.json_files import object_in

PREFIX: Final = "probe-"
OVER_SECONDS: Final = 900
"""No run takes this long: what is older was left behind."""

PATTERN: Final = {"detail-type": [PROBE_TYPE], "detail": {"metadata": {"stage": ["probe"]}}}
_MADE: Final = re.compile(r"probe-(?P<at>[0-9a-f]{8})[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Channel:
    """An open channel."""

    staging: Staging
    url: str

    def seen(self) -> list[str]:
        """The ids of the probes that came back since the last call; waits for two seconds at most."""
        messages = self.staging.receive(self.url)
        self.staging.delete(self.url, messages)
        found = (mapping(mapping(object_in(one.body).get("detail")).get("metadata")).get("id") for one in messages)
        return [identity for identity in map(text, found) if identity is not None]


@contextmanager
def opened(events: Any, sqs: Any, bus_arn: str, *, now: float) -> Iterator[Channel]:
    """A channel on a bus at ``now`` (epoch seconds); it is removed at the end, however that comes.

    Raises:
        ProcessingError: AWS refuses or does not answer.
        OperatorError: EventBridge refuses the rule's target.
    """
    staging = _staging(events, sqs, bus_arn, f"{PREFIX}{int(now):08x}{secrets.token_hex(1)}")
    try:
        staging.prepare(PATTERN)
        yield Channel(staging, staging.queue_url())
    finally:
        staging.remove()


def remove_leftovers(events: Any, sqs: Any, bus_arn: str, names: Sequence[str], *, now: float) -> list[str]:
    """Remove what killed runs left, by the ``names`` of rules and queues; the names of what was removed."""
    start = f"{bus_arn.rpartition('/')[2]}-replay-"
    made = {name.removeprefix(start) for name in names if name.startswith(start)}
    over = sorted(one for one in made if (match := _MADE.fullmatch(one)) and now - int(match["at"], 16) > OVER_SECONDS)
    for one in over:
        _staging(events, sqs, bus_arn, one).remove()
    return [f"{start}{one}" for one in over]


def _staging(events: Any, sqs: Any, bus_arn: str, name: str) -> Staging:
    return Staging(
        events=events,
        sqs=sqs,
        bus=Bus(bus_arn=bus_arn, archive_arn="", hops={}),
        replay_id=name,
        purpose="Collects the probes of `media-events verify --send`; removed when that is over",
    )
