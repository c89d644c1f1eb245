"""A function that one chain of requests has invoked 16 times is stopped, unless it may loop."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import loops
from media_events_kit.ops.local.server.lineage import ATTRIBUTE, Chain, hash_of, header_with, lineage_of
from media_events_kit.ops.local.server.loops import LIMIT

ARN = "arn:aws:lambda:eu-west-1:000000000000:function:cms"
OTHER = "arn:aws:lambda:eu-west-1:000000000000:function:other"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
CONFIG = {"FunctionName": "cms", "FunctionArn": ARN}


class Lambda:
    """A fake of MiniStack's Lambda as the local cloud leaves it; ``ran`` are the events that reached the function."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.function: dict[str, Any] = {"config": CONFIG}
        self.ran: list[Any] = []
        self.retries: list[Any] = []
        self.dropped: list[tuple[str, int]] = []
        self.module = ModuleType("lambda_svc")

        async def handle_request(*_request: Any) -> None:
            """Not called here: the chain reads the header, as the tests of lineage show."""

        vars(self.module).update(
            MAX_INVOKE_DEPTH=16,
            _functions={"cms": self.function},
            handle_request=handle_request,
            _inbound_invoke_depth=lambda headers: int(headers["x-ministack-invoke-depth"]),
            _recursive_loop_drop=self._drop,
            _execute_function=self._execute,
            _run_sqs_batch=lambda _mapping, function, event, _batch: self.call("_execute_function", function, event),
            invoke_async_with_retry=self._later,
            _xray_trace_id_for_invocation=lambda config, _: config.get("trace"),
        )
        loops.correct(self.chain, self.module)

    def _drop(self, name: str, _function: Any, depth: int) -> Any:
        self.dropped.append((name, depth))
        return 400, {}, json.dumps({"message": "a loop"}).encode()

    def _execute(self, _function: Any, event: Any) -> dict[str, Any]:
        self.ran.append(event)
        return {"body": "done"}

    def _later(self, function: Any, _event: Any) -> None:
        self.retries.append(function.get("event_invoke_config"))

    def call(self, name: str, *arguments: Any) -> Any:
        """One of the module's functions, by its present definition."""
        return vars(self.module)[name](*arguments)

    def after(self, count: int, arn: str = ARN) -> None:
        """Go on in a chain that has invoked the function so often."""
        self.chain.continue_from({hash_of(arn): count})

    def invoke(self, **headers: str) -> Any:
        """The refusal of an Invoke with these headers, as MiniStack asks for it; ``None`` where it goes on."""
        depth = self.call("_inbound_invoke_depth", headers) + 1
        return self.call("_recursive_loop_drop", "cms", self.function, depth)


@pytest.fixture(name="functions")
def _functions() -> Lambda:
    return Lambda()


def test_a_function_runs_sixteen_times_in_one_chain(functions: Lambda) -> None:
    functions.after(LIMIT - 1)
    assert functions.call("_execute_function", functions.function, "16th") == {"body": "done"}

    functions.after(LIMIT)
    stopped = functions.call("_execute_function", functions.function, "17th")

    assert stopped["error"]
    assert stopped["body"] == {"errorType": "RecursiveInvocationException", "errorMessage": "a loop"}
    assert functions.ran == ["16th"]
    assert functions.dropped == [("cms", 17)]


def test_a_function_that_may_loop_runs_on(functions: Lambda) -> None:
    functions.function["recursive_loop"] = "Allow"
    functions.after(10 * LIMIT)

    assert functions.call("_execute_function", functions.function, "161st") == {"body": "done"}
    assert functions.invoke() is None
    assert functions.dropped == []


def test_other_functions_invocations_do_not_count(functions: Lambda) -> None:
    functions.after(10 * LIMIT, OTHER)

    assert functions.call("_execute_function", functions.function, "first") == {"body": "done"}


def test_a_caller_is_told_that_the_function_loops(functions: Lambda) -> None:
    functions.after(LIMIT)
    assert functions.invoke()[0] == 400

    functions.after(LIMIT - 1)
    assert functions.invoke(**{"x-amz-invocation-type": "RequestResponse"}) is None


def test_the_depth_of_an_invoke_does_not_count(functions: Lambda) -> None:
    assert functions.invoke(**{"x-ministack-invoke-depth": "99"}) is None


def test_an_asynchronous_event_is_accepted_and_goes_to_its_destination_at_once(functions: Lambda) -> None:
    functions.after(LIMIT)
    assert functions.invoke(**{"x-amz-invocation-type": "Event"}) is None
    assert functions.dropped == []

    configured = {"MaximumRetryAttempts": 2, "DestinationConfig": {}}
    functions.call("invoke_async_with_retry", functions.function | {"event_invoke_config": configured}, "event")
    functions.after(LIMIT - 1)
    functions.call("invoke_async_with_retry", functions.function | {"event_invoke_config": configured}, "event")

    assert functions.retries == [{"MaximumRetryAttempts": 0, "DestinationConfig": {}}, configured]


@pytest.mark.parametrize(("counts", "runs"), [([LIMIT - 1, 3], True), ([3, LIMIT], False), ([], True)])
def test_a_batch_has_the_highest_count_of_its_messages(
    functions: Lambda,
    counts: list[int],
    runs: bool,  # noqa: FBT001
) -> None:
    batch: list[dict[str, Any]] = [{"sys": {ATTRIBUTE: header_with({hash_of(ARN): count})}} for count in counts]

    functions.call("_run_sqs_batch", {}, functions.function, "batch", [*batch, {"body": "from EventBridge"}])

    assert functions.ran == (["batch"] if runs else [])


def test_a_function_sends_on_the_lineage_that_led_to_it(functions: Lambda) -> None:
    functions.after(4)

    traced = functions.call("_xray_trace_id_for_invocation", CONFIG | {"trace": "Root=1-a-b;Sampled=1"})
    untraced = functions.call("_xray_trace_id_for_invocation", CONFIG)

    functions.chain.trace.set(TRACE)
    continued = functions.call("_xray_trace_id_for_invocation", CONFIG)
    functions.call("_run_sqs_batch", {}, functions.function, "batch", [])

    assert traced == f"Root=1-a-b;Sampled=1;Lineage={hash_of(ARN)}:5"
    assert continued == f"{TRACE};Lineage={hash_of(ARN)}:5"
    # A batch begins a trace of its own.
    assert functions.chain.trace.get() is None
    assert lineage_of(untraced) == {hash_of(ARN): 5}
