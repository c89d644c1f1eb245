"""The lineage travels with a chain of requests through SQS, SNS, S3 and Invoke, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import lineage
from media_events_kit.ops.local.server.lineage import (
    ATTRIBUTE,
    Chain,
    hash_of,
    header_with,
    invoked,
    lineage_of,
    merged,
)

SENT_BY = {"X-Amzn-Trace-Id": "Root=1-6b0bb296-99c2156c1218ffc0c3ba1364;Parent=53995c3f42cd8ad8;Sampled=0"}
FUNCTION = "arn:aws:lambda:eu-west-1:000000000000:function:cms"


def test_a_header_carries_the_count_of_each_function() -> None:
    counts = {"a87bd80c": 1, "68fd508a": 5}

    header = header_with(counts, SENT_BY["X-Amzn-Trace-Id"])

    assert header == f"{SENT_BY['X-Amzn-Trace-Id']};Lineage=68fd508a:5|a87bd80c:1"
    assert lineage_of(header) == counts


def test_the_sdks_encoding_of_the_header_is_undone() -> None:
    assert lineage_of("Root=1-a-b;Lineage=a87bd80c:1%7C68fd508a:5") == {"a87bd80c": 1, "68fd508a": 5}


@pytest.mark.parametrize("header", ["", "Root=1-a-b;Parent=c;Sampled=1", "Root=1-a-b;Lineage=", "Lineage=2:a87bd80c:x"])
def test_a_header_without_counts_begins_a_chain(header: str) -> None:
    assert lineage_of(header) == {}


def test_a_new_header_has_all_that_x_ray_wants() -> None:
    fields = dict(part.split("=", 1) for part in header_with({"a87bd80c": 1}).split(";"))

    assert list(fields) == ["Root", "Parent", "Sampled", "Lineage"]


def test_a_header_names_the_sixteen_functions_with_the_highest_counts() -> None:
    counts = {f"{number:08x}": number for number in range(20)}

    assert lineage_of(header_with(counts)) == {name: count for name, count in counts.items() if count > 3}


def test_an_invocation_counts_its_own_function_alone() -> None:
    assert invoked({"a": 4, "b": 2}, "a") == {"a": 5, "b": 2}
    assert invoked({}, "a") == {"a": 1}


def test_several_messages_have_the_highest_count_of_each_function() -> None:
    assert merged([{"a": 4, "b": 2}, {"a": 1, "b": 7}, {}]) == {"a": 4, "b": 7}


def test_versions_and_aliases_of_a_function_count_as_one() -> None:
    assert hash_of(FUNCTION) == hash_of(f"{FUNCTION}:live") != hash_of(FUNCTION + "2")


class Services:
    """Fakes of MiniStack's SQS, SNS and S3 as the local cloud leaves them, in one chain of requests."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.delivered: list[dict[str, Any]] = []
        self.sqs, self.sns, self.s3 = (ModuleType(name) for name in ("sqs", "sns", "s3"))
        for service in (self.sqs, self.sns, self.s3):
            vars(service)["handle_request"] = self._handle
        vars(self.sqs)["_build_send_sys_attrs"] = lambda now, given: {"SentTimestamp": now} | given
        vars(self.sqs)["_ensure_msg_fields"] = lambda message: message.setdefault("sys", {})
        vars(self.sns)["_deliver_to_sqs"] = vars(self.s3)["_deliver_event_to_sqs"] = self._deliver
        self.during: Callable[[], Any] = lambda: None
        lineage.correct(self.chain, self.sqs, self.sns, self.s3)

    async def _handle(self, *_request: Any, **_internal: Any) -> Any:
        return self.during()

    def _deliver(self, body: str) -> None:
        message = {"body": body}
        vars(self.sqs)["_ensure_msg_fields"](message)
        self.delivered.append(message)

    def request(self, service: ModuleType, headers: dict[str, str], during: Callable[[], Any]) -> Any:
        """``during`` as part of the request that one of the functions or an outsider sends."""
        self.during = during
        # Firehose calls S3 so, within MiniStack.
        return asyncio.run(vars(service)["handle_request"]("POST", "/", headers, b"", {}, internal=True))


FROM_A_FUNCTION = {"x-amzn-trace-id": "Root=1-a-b;Lineage=a87bd80c:3"}


@pytest.fixture(name="services")
def _services() -> Services:
    return Services()


def test_a_message_that_a_function_sends_has_the_functions_lineage(services: Services) -> None:
    sent = services.request(services.sqs, FROM_A_FUNCTION, lambda: vars(services.sqs)["_build_send_sys_attrs"](7.0, {}))

    assert sent["SentTimestamp"] == 7.0
    assert lineage_of(sent[ATTRIBUTE]) == {"a87bd80c": 3}


def test_a_sender_may_give_a_message_a_header_of_its_own(services: Services) -> None:
    own = {ATTRIBUTE: "Root=1-c-d"}

    sent = services.request(
        services.sqs, FROM_A_FUNCTION, lambda: vars(services.sqs)["_build_send_sys_attrs"](7.0, own)
    )

    assert sent[ATTRIBUTE] == own[ATTRIBUTE]


def test_a_message_from_outside_begins_a_chain(services: Services) -> None:
    sent = services.request(services.sqs, {}, lambda: vars(services.sqs)["_build_send_sys_attrs"](7.0, {}))

    assert sent == {"SentTimestamp": 7.0}


@pytest.mark.parametrize(("service", "delivery"), [("sns", "_deliver_to_sqs"), ("s3", "_deliver_event_to_sqs")])
def test_a_topics_and_a_buckets_messages_continue_the_chain(services: Services, service: str, delivery: str) -> None:
    module = getattr(services, service)

    services.request(module, FROM_A_FUNCTION, lambda: vars(module)[delivery]("published"))

    (message,) = services.delivered
    assert lineage_of(message["sys"][ATTRIBUTE]) == {"a87bd80c": 3}


def test_a_message_is_not_marked_when_a_function_receives_it(services: Services) -> None:
    message: dict[str, Any] = {"body": "from EventBridge"}

    services.request(services.sqs, FROM_A_FUNCTION, lambda: vars(services.sqs)["_ensure_msg_fields"](message))

    assert message == {"body": "from EventBridge", "sys": {}}
