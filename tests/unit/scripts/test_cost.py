"""The cost at rest is counted from a plan."""

from __future__ import annotations

import pytest

from media_events_kit.ops.cost.at_rest import Line, lines
from scripts import cost


def plan(*resources):
    return {
        "resource_changes": [
            {"type": kind, "change": {"actions": ["create"], "after": values}} for kind, values in resources
        ]
    }


def count(item, *resources):
    return sum(line.count for line in lines(plan(*resources)) if item in line.item)


def test_an_alarm_costs_as_much_as_it_has_metrics():
    joined = [{"expression": "a + b"}, *({"metric": [{"metric_name": name}]} for name in "ab")]
    alarms = [
        ("aws_cloudwatch_metric_alarm", {"metric_name": "Errors"}),
        ("aws_cloudwatch_metric_alarm", {"metric_query": joined}),
        ("aws_cloudwatch_metric_alarm", {"metric_query": [{"expression": "SELECT SUM(a)"}]}),
    ]
    assert (count("metrics in alarms", *alarms), count("queries", *alarms)) == (3, 1)


@pytest.mark.parametrize(("scaling", "pollers"), [([{"maximum_concurrency": 2}], 5), ([], 2)])
def test_a_queue_with_a_maximum_concurrency_has_more_idle_pollers(scaling, pollers):
    requests = count("SQS", ("aws_lambda_event_source_mapping", {"scaling_config": scaling}))
    asked = 730 * 12  # by the review maintenance
    assert requests == pytest.approx((pollers * 730 * 180 + asked) / 1e6)


def test_what_every_account_has_free_is_not_to_pay():
    assert Line("alarms", 12, 0.1, free=10).due == pytest.approx(0.2)
    assert Line("alarms", 2, 0.1, free=10).due == 0


def test_snapshots_cost_by_memory_and_hour_and_only_where_there_are_any():
    functions = [
        ("aws_lambda_function", {"memory_size": 512, "snap_start": [{"apply_on": "PublishedVersions"}]}),
        ("aws_lambda_function", {"memory_size": 256, "snap_start": []}),
    ]
    assert count("GB-hours of SnapStart's snapshots", *functions) == 0.5 * 730
    assert count("GB restored", *functions) == 0.5 * 730
    assert count("GB restored", functions[1]) == 0
    (cached,) = (line for line in lines(plan(*functions)) if "snapshots, one version" in line.item)
    assert cached.listed == pytest.approx(1.98, abs=0.01)


def test_composite_alarms_are_alarms():
    kinds = ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm", "aws_sqs_queue"]
    assert cost.alarm_count(plan(*((kind, {}) for kind in kinds))) == 2
