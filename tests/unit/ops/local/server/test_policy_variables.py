"""Policy variables in resources, and the condition keys of conditional writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType

import pytest

from media_events_kit.ops.local.server import policy_variables

OWN = "arn:aws:s3:::audit/*/${aws:userid}"


@dataclass
class Statement:
    resources: list[str] = field(default_factory=list)
    not_resources: list[str] = field(default_factory=list)


@pytest.fixture(name="modules")
def _modules():
    evaluator, actions = ModuleType("iam_evaluator"), ModuleType("iam_actions")
    vars(evaluator).update(
        _resolve_condition_key=lambda key, context: context.get(key),
        _first_match=lambda _context, statements, _effect: statements,
    )
    vars(actions)["s3_service_context"] = lambda action, *_: {"was": action}
    policy_variables.correct(evaluator, actions)
    return vars(evaluator)["_first_match"], vars(actions)["s3_service_context"]


def test_a_variable_stands_for_the_caller_s_value_in_resources_and_not_resources(modules):
    (statement,) = modules[0]({"aws:userid": "AROAX:ada"}, [Statement([OWN, "*"], [OWN])], "Deny")
    assert statement == Statement(["arn:aws:s3:::audit/*/AROAX:ada", "*"], ["arn:aws:s3:::audit/*/AROAX:ada"])


def test_a_variable_without_a_value_stays_and_matches_nothing(modules):
    (statement,) = modules[0]({}, [Statement([OWN])], "Allow")
    assert statement.resources == [OWN]


def test_a_statement_without_variables_is_left_alone(modules):
    statement = Statement(["arn:aws:s3:::b/*"])
    (same,) = modules[0]({"aws:userid": "x"}, [statement], "Allow")
    assert same is statement


def test_headers_of_a_conditional_write_are_condition_keys(modules):
    context = modules[1]
    headers = {"if-none-match": "*", "x-other": "y"}
    assert context("s3:PutObject", {}, "/b/k", headers) == {"was": "s3:PutObject", "s3:if-none-match": "*"}
    assert context("s3:PutObject", {}, "/b/k", {}) == {"was": "s3:PutObject"}
    assert context("s3:GetObject", {}, "/b/k", headers) == {"was": "s3:GetObject"}
