"""Runs a transform's steps without a network; steps that need one are skipped and named."""

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

_ANY_CREDENTIALS: Final = '{"client_id": "-", "client_secret": "-", "username": "-", "password": "-"}'
"""Stands for any secret, since no request is sent."""


class NetworkNeededError(Exception):
    """A step needs a network; the message says for which request."""


class _NoNetwork:
    """Fulfils the protocols of `media_events.transform.ports`, and refuses every request."""

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
class Result:
    """The events of a transform, and a sentence for each step that was skipped."""

    events: list[Event]
    passed_over: list[str] = field(default_factory=list)


def run_steps(event: Event, steps: Sequence[Step]) -> Result:
    """Run `steps`; a step that needs a network leaves the event unchanged.

    Raises:
        ProcessingError: a step fails on this event.
    """
    refusing = _NoNetwork()
    ports = TransformPorts(
        partners=refusing,
        read_secrets=lambda _arn: [_ANY_CREDENTIALS],
        tables=refusing,
        objects=refusing,
        functions=refusing,
        load=load,
        clock=time.time,
        seconds_left=lambda: math.inf,
    )
    result = Result([event])
    for step in steps:
        try:
            result.events = advance(result.events, step, ports)
        except NetworkNeededError as needed:
            result.passed_over.append(f"{step.where} {needed}")
        except ConfigurationError as error:
            result.passed_over.append(f"{step.where} needs {error.problems[0]}; here, name its folder: --python-path")
    return result


@contextmanager
def modules_in(folders: Iterable[Path]) -> Iterator[None]:
    """Let Python steps find their modules in `folders`, as they would in layers."""
    before = list(sys.path)
    sys.path[:0] = [str(folder.resolve()) for folder in folders]
    try:
        yield
    finally:
        sys.path[:] = before
