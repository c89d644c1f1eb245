"""Retired transforms and routes: checked as all others, and kept apart from them."""

from __future__ import annotations

import pytest

from tests.fakes.workflows import load_small, problems_with

RETIRED = """
retired:
  destinations:
    cms: {type: http, url: "https://old.example.com/events"}
  routes:
    ready:
      pattern: {detail-type: [asset.ready]}
      destination: cms
      stage: transformed
environments:
"""


def test_a_route_that_changed_its_kind_has_a_former_definition_under_its_name() -> None:
    (environment,) = load_small(
        {'{type: http, url: "https://cms.example.com/events"}': "{type: logs}", "environments:\n": RETIRED}
    ).environments

    retired = environment.retired
    assert retired is not None
    assert environment.workflow.destinations["cms"].type == "logs"
    assert retired.workflow.destinations["cms"].type == "http"
    assert list(retired.workflow.routes) == list(retired.failure) == ["ready"]


def test_a_retired_route_leads_to_the_present_destination_where_there_is_no_former_one() -> None:
    text = "retired: {routes: {old: {pattern: {detail-type: [asset.ready]}, destination: cms}}}\nenvironments:\n"
    (environment,) = load_small({"environments:\n": text}).environments

    assert environment.retired is not None
    assert environment.retired.workflow.destinations == environment.workflow.destinations


def test_a_workflow_without_retired_hops_has_none() -> None:
    (environment,) = load_small().environments

    assert environment.retired is None


@pytest.mark.parametrize(
    ("retired", "problem"),
    [
        (
            "{routes: {old: {pattern: {detail-type: [asset.ready]}, destination: crm}}}",
            'line 10, retired.routes.old.destination: there is no destination "crm"',
        ),
        (
            "{routes: {old: {pattern: {detail-type: asset.ready}, destination: cms}}}",
            "line 10, retired.routes.old.pattern.detail-type:",
        ),
        (
            "{transforms: {ready: {pattern: {detail-type: [asset.ready]}, steps: [{set: {data.a: 1}}]}}}",
            "line 10, retired.transforms.ready: the route ready would have the same queue",
        ),
        (
            "{transforms: {old: {pattern: {detail-type: [asset.ready]}, steps: [{sett: {data.a: 1}}]}}}",
            "line 10, retired.transforms.old.steps",
        ),
        (
            '{destinations: {cms: {type: http, url: "https://cms.example.com/"}}}',
            "line 10, retired.destinations.cms: no retired route leads to this destination",
        ),
        ("{route: {}}", "line 10, retired.route:"),
    ],
)
def test_mistakes_in_retired_hops_are_told_once_with_their_line(retired: str, problem: str) -> None:
    found = problems_with({"environments:\n": f"retired: {retired}\nenvironments:\n"})

    assert [text for text in found if text.startswith(problem)] == found
    assert len(found) == 1
