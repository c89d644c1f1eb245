"""A transform's steps, done without asking anybody: what needs a network is passed over, and told."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from media_events.adapters.aws_lambda.user_code import load
from media_events.core.configuration import ConfigurationError
from media_events.core.envelope import Event
from media_events.transform import Step, TransformPorts, advance

_NOBODYS: Final = '{"client_id": "-", "client_secret": "-", "username": "-", "password": "-"}'
"""Stands for any: whoever would get it is not asked."""


class NetworkNeededError(Exception):
    """A step asked somebody outside; the message says whom."""


class _Nobody:
    """Fulfils the protocols of `media_events.transform.ports`, and answers nobody."""

    def get(self, request: Any) -> NoReturn:
        raise NetworkNeededError(f"asks {request.target.url}")

    def post(self, request: Any) -> NoReturn:
        raise NetworkNeededError(f"asks {request.target.url}")

    def item(self, table_arn: str, key: Any, **_options: Any) -> NoReturn:
        raise NetworkNeededError(f"asks the table {table_arn.rpartition('/')[2]} for {dict(key)}")

    def properties(self, bucket: str, key: str, **_options: Any) -> NoReturn:
        raise NetworkNeededError(f"asks S3 for s3://{bucket}/{key}")

    def content(self, bucket: str, key: str, **_options: Any) -> NoReturn:
        raise NetworkNeededError(f"reads s3://{bucket}/{key}")

    def answer(self, function_arn: str, payload: str, **_options: Any) -> NoReturn:  # noqa: ARG002 - the protocol's
        raise NetworkNeededError(f"invokes the function {function_arn}")


@dataclass(slots=True)
class Done:
    """What became of an event, and what of its steps was not done here, one sentence each."""

    events: list[Event]
    passed_over: list[str] = field(default_factory=list)


def do_steps(event: Event, steps: Sequence[Step]) -> Done:
    """Do `steps`; one that can't be done here leaves the event as it is.

    Raises:
        HopError: a step can't be done on this event.
    """
    nobody = _Nobody()
    ports = TransformPorts(
        partners=nobody,
        read_secrets=lambda _arn: [_NOBODYS],
        tables=nobody,
        objects=nobody,
        functions=nobody,
        load=load,
        clock=time.time,
        seconds_left=lambda: math.inf,
    )
    done = Done([event])
    for step in steps:
        try:
            done.events = advance(done.events, step, ports)
        except NetworkNeededError as needed:
            done.passed_over.append(f"{step.where} {needed}")
        except ConfigurationError as error:
            done.passed_over.append(f"{step.where} needs {error.problems[0]}; here, name its folder: --python-path")
    return done


@contextmanager
def modules_in(folders: Iterable[Path]) -> Iterator[None]:
    """Let Python steps find their modules in `folders`, as they would in layers."""
    before = list(sys.path)
    sys.path[:0] = [str(folder.resolve()) for folder in folders]
    try:
        yield
    finally:
        sys.path[:] = before
