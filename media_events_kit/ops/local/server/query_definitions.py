"""CloudWatch Logs: the saved queries of Logs Insights, which MiniStack 1.5.33 has not.

``PutQueryDefinition`` makes one or, with its id, replaces it wholly; ``DescribeQueryDefinitions`` finds them by the
beginning of their names; ``DeleteQueryDefinition`` answers whether it did. An id that is not known is
``ResourceNotFoundException``, what is too long or missing ``InvalidParameterException``.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html,
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeQueryDefinitions.html,
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteQueryDefinition.html
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from operator import itemgetter
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import Answer, replace

LONGEST: Final = {"name": 255, "queryString": 10_000}
PAGE: Final = 1000
"""Most definitions of an answer, and as many without ``maxResults``: the page names no other default."""

_Handle = Callable[..., Awaitable[Answer]]


class RefusedError(Exception):
    """The code and message of AWS's answer."""


def correct(logs: Any, responses: Any) -> None:
    """Correct ``ministack.services.cloudwatch_logs``, given ``ministack.core.responses``."""
    # Of the caller's account and region, like the queries that run.
    definitions = Definitions(type(vars(logs)["_queries"])())
    answers: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
        "PutQueryDefinition": definitions.put,
        "DescribeQueryDefinitions": definitions.describe,
        "DeleteQueryDefinition": definitions.delete,
    }
    names = vars(responses)

    def handling(handle_of_ministack: _Handle) -> _Handle:
        async def handle_request(
            method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Any
        ) -> Answer:
            answer = answers.get(headers.get("x-amz-target", "").rpartition(".")[2])
            if answer is None:
                return await handle_of_ministack(method, path, headers, body, query_params)
            try:
                done: Answer = names["json_response"](answer(json.loads(body or b"{}")))
            except RefusedError as refused:
                done = names["error_response_json"](*refused.args)
            return done

        return handle_request

    replace(logs, "handle_request", handling)


class Definitions:
    """The saved queries, kept in ``made`` by their ids."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def put(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """``PutQueryDefinition``."""
        for member, longest in LONGEST.items():
            if not 1 <= len(asked.get(member) or "") <= longest:
                raise RefusedError("InvalidParameterException", f"{member} must have 1 to {longest} characters.")
        identity = asked.get("queryDefinitionId")
        if identity is None:
            identity = str(uuid.uuid4())
        elif identity not in self._made:
            raise RefusedError("ResourceNotFoundException", f"There is no query definition {identity}.")
        kept = {key: asked[key] for key in ("name", "queryString", "logGroupNames", "parameters") if key in asked}
        self._made[identity] = {"queryDefinitionId": identity, "lastModified": int(time.time() * 1000), **kept}
        return {"queryDefinitionId": identity}

    def describe(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """``DescribeQueryDefinitions``."""
        start = str(asked.get("queryDefinitionNamePrefix") or "")
        named = [one for one in self._made.values() if one["name"].startswith(start)]
        found = sorted(named, key=itemgetter("name"))
        first, most = int(asked.get("nextToken") or 0), int(asked.get("maxResults") or PAGE)
        following = {"nextToken": str(first + most)} if first + most < len(found) else {}
        return {"queryDefinitions": found[first : first + most], **following}

    def delete(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """``DeleteQueryDefinition``."""
        identity = asked.get("queryDefinitionId")
        if self._made.pop(identity, None) is None:
            raise RefusedError("ResourceNotFoundException", f"There is no query definition {identity}.")
        return {"success": True}
