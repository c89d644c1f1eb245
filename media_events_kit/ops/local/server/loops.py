"""Recursive loop detection: Lambda stops a function that one chain of requests has invoked 16 times.

The rule is AWS's: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html. A function runs about 16
times in one chain; the next invocation is stopped, unless the function's recursion config is ``Allow``. The metric is
``RecursiveInvocationsDropped``. The caller gets a ``RecursiveInvocationException``; an asynchronous event goes to the
function's dead-letter queue or on-failure destination; a queue's messages stay until its redrive policy moves them.

It is not published which lineage an invocation with several messages has. Here it is the highest count of each
function, so that no loop is missed. MiniStack 1.5.33 counts the depth of an Invoke, over all functions, and loses it in
queues.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import Answer, replace
from media_events_kit.ops.local.server.lineage import (
    ATTRIBUTE,
    Chain,
    hash_of,
    header_with,
    invoked,
    lineage_of,
    merged,
)

LIMIT: Final = 16
"""So many invocations of a function run in one chain; AWS says "approximately"."""

ASYNCHRONOUS: Final = -1
"""MiniStack's depth before an asynchronous Invoke, which accepts the event and stops it later."""


def correct(chain: Chain, lambdas: Any) -> None:
    """Make ``ministack.services.lambda_svc`` count by the lineage."""
    loops = _Loops(chain, lambdas)
    replace(lambdas, "handle_request", chain.read_requests)
    replace(lambdas, "_inbound_invoke_depth", lambda _: _depth)
    replace(lambdas, "_recursive_loop_drop", lambda _: loops.refuse)
    replace(lambdas, "_execute_function", loops.run)
    replace(lambdas, "_run_sqs_batch", loops.run_batch)
    replace(lambdas, "invoke_async_with_retry", loops.run_later)
    replace(lambdas, "_xray_trace_id_for_invocation", loops.trace)


def _depth(headers: Mapping[str, str]) -> int:
    return ASYNCHRONOUS if headers.get("x-amz-invocation-type") == "Event" else 0


class _Loops:
    def __init__(self, chain: Chain, lambdas: Any) -> None:
        self._chain = chain
        self._functions: Mapping[str, Mapping[str, Any]] = vars(lambdas)["_functions"]
        self._dropped_by_ministack: Callable[..., Answer | None] = vars(lambdas)["_recursive_loop_drop"]
        self._depth_of_loops: int = vars(lambdas)["MAX_INVOKE_DEPTH"] + 1

    def refuse(self, name: str, _function: Any, depth: int) -> Answer | None:
        """The answer to an Invoke that is stopped, which also counts in the metric."""
        if depth == ASYNCHRONOUS + 1 or not self._is_stopped(name):
            return None
        return self._dropped_by_ministack(name, self._functions[name], self._depth_of_loops)

    def run(self, run_of_ministack: Callable[..., dict[str, Any]]) -> Any:
        """An invocation that is stopped fails before the function starts."""

        def execute_function(function: Mapping[str, Any], event: Any) -> dict[str, Any]:
            refusal = self.refuse(_config(function)["FunctionName"], function, 1)
            if refusal is None:
                return run_of_ministack(function, event)
            reason = json.loads(refusal[2])
            body = {"errorType": "RecursiveInvocationException", "errorMessage": reason.get("message", "")}
            return {"body": body, "error": True}

        return execute_function

    def run_batch(self, run_of_ministack: Callable[..., None]) -> Any:
        """A queue's batch continues the chains of its messages."""

        def run_sqs_batch(mapping: Any, function: Any, event: Any, batch: Sequence[Any], *rest: Any) -> None:
            headers = ((message.get("sys") or {}).get(ATTRIBUTE, "") for message in batch)
            self._chain.continue_from(merged(map(lineage_of, headers)))
            self._chain.trace.set(None)  # a batch begins a trace of its own
            run_of_ministack(mapping, function, event, batch, *rest)

        return run_sqs_batch

    def run_later(self, run_of_ministack: Callable[..., None]) -> Any:
        """An asynchronous event that is stopped is not retried."""

        def invoke_async_with_retry(function: Mapping[str, Any], event: Any) -> None:
            stopped = self._is_stopped(_config(function)["FunctionName"])
            run_of_ministack(_without_retries(function) if stopped else function, event)

        return invoke_async_with_retry

    def trace(self, trace_of_ministack: Callable[..., str | None]) -> Any:
        """``_X_AMZN_TRACE_ID``, which a function has with and without active tracing."""

        def xray_trace_id_for_invocation(config: Mapping[str, Any], inbound: str | None = None) -> str:
            lineage = invoked(self._chain.lineage, hash_of(config["FunctionArn"]))
            return header_with(lineage, self._chain.trace.get() or trace_of_ministack(config, inbound))

        return xray_trace_id_for_invocation

    def _is_stopped(self, name: str) -> bool:
        function = self._functions.get(name)
        if function is None or function.get("recursive_loop") == "Allow":
            return False
        return self._chain.lineage.get(hash_of(_config(function)["FunctionArn"]), 0) >= LIMIT


def _config(function: Mapping[str, Any]) -> Mapping[str, Any]:
    """A function's configuration; MiniStack has records of functions, of their versions, and bare configurations."""
    config: Mapping[str, Any] = function.get("config") or function
    return config


def _without_retries(function: Mapping[str, Any]) -> dict[str, Any]:
    configured = function.get("event_invoke_config") or (function.get("event_invoke_configs") or {}).get("$LATEST")
    return {**function, "event_invoke_config": {**(configured or {}), "MaximumRetryAttempts": 0}}
