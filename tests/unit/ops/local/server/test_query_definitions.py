"""The saved queries of Logs Insights, with fakes of MiniStack's own modules."""

from __future__ import annotations

import asyncio
import json
from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import query_definitions


class Logs:
    """The service."""

    def __init__(self) -> None:
        service, responses = ModuleType("logs"), ModuleType("responses")
        vars(service).update(_queries={}, handle_request=self._other)
        vars(responses).update(
            json_response=lambda document: (200, {}, json.dumps(document).encode()),
            error_response_json=lambda code, message: (400, {}, json.dumps([code, message]).encode()),
        )
        query_definitions.correct(service, responses)
        self._service = vars(service)

    @staticmethod
    async def _other(*_request: Any) -> Any:
        return 200, {}, b'"MiniStack answers"'

    def ask(self, action: str, **asked: Any) -> Any:
        """The answer: its document, or the error's code."""
        target = {"x-amz-target": f"Logs_20140328.{action}"}
        request = self._service["handle_request"]("POST", "/", target, json.dumps(asked).encode(), {})
        status, _, body = asyncio.run(request)
        return json.loads(body) if status == 200 else json.loads(body)[0]


@pytest.fixture(name="logs")
def _logs() -> Logs:
    return Logs()


def test_saved_query_is_found_by_the_beginning_of_its_name_until_it_is_deleted(logs):
    identity = logs.ask("PutQueryDefinition", name="media/way", queryString="fields a", logGroupNames=["g"])
    logs.ask("PutQueryDefinition", name="other/way", queryString="fields b")

    (found,) = logs.ask("DescribeQueryDefinitions", queryDefinitionNamePrefix="media/")["queryDefinitions"]
    assert found.pop("lastModified") > 0
    assert found == identity | {"name": "media/way", "queryString": "fields a", "logGroupNames": ["g"]}

    assert logs.ask("DeleteQueryDefinition", **identity) == {"success": True}
    assert logs.ask("DescribeQueryDefinitions", queryDefinitionNamePrefix="media/") == {"queryDefinitions": []}
    assert logs.ask("DeleteQueryDefinition", **identity) == "ResourceNotFoundException"


def test_replacing_a_saved_query_keeps_nothing_of_the_former(logs):
    identity = logs.ask("PutQueryDefinition", name="a", queryString="fields a", logGroupNames=["g"])

    assert logs.ask("PutQueryDefinition", name="b", queryString="fields b", **identity) == identity
    (found,) = logs.ask("DescribeQueryDefinitions")["queryDefinitions"]
    assert (found["name"], found["queryString"], "logGroupNames" in found) == ("b", "fields b", False)
    unknown = logs.ask("PutQueryDefinition", name="b", queryString="fields b", queryDefinitionId="other")
    assert unknown == "ResourceNotFoundException"


def test_many_saved_queries_come_in_pages(logs):
    for name in "cab":
        logs.ask("PutQueryDefinition", name=name, queryString="fields a")

    first = logs.ask("DescribeQueryDefinitions", maxResults=2)
    second = logs.ask("DescribeQueryDefinitions", maxResults=2, nextToken=first["nextToken"])

    assert [one["name"] for page in (first, second) for one in page["queryDefinitions"]] == ["a", "b", "c"]
    assert "nextToken" not in second


@pytest.mark.parametrize("asked", [{"name": ""}, {"name": "n" * 256}, {"queryString": "q" * 10_001}])
def test_what_is_missing_or_too_long_is_refused(logs, asked):
    whole = {"name": "a", "queryString": "fields a"}

    assert logs.ask("PutQueryDefinition", **(whole | asked)) == "InvalidParameterException"


def test_other_requests_are_ministacks(logs):
    assert logs.ask("DescribeLogGroups") == "MiniStack answers"
