"""The CloudWatch dashboard of a stack: what comes in, how long it takes, what waits, what fails.

Its form is that of AWS's page "Dashboard Body Structure and Syntax". Most graphs have a line for each hop. CloudWatch
shows 500 metrics in a graph and 2,500 in a dashboard ("CloudWatch service quotas"): enough for 240 hops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from media_events_kit.infra.stacks.terraform_literals import Expression, expression

PERIOD_SECONDS: Final = 300
WIDTH: Final = 12
HEIGHT: Final = 6
_HOP: Final = Expression("hop")
_NAME: Final = Expression("name")


@dataclass(frozen=True, slots=True)
class Hops:
    """Expressions of maps from hops to names: of their functions, of their queues, of their dead-letter queues.

    And of the list of the idempotency tables that have circuit breakers.
    """

    functions: str
    queues: str
    dead_letter_queues: str
    idempotency_tables: str

    def metric(self, metric: str, *kinds: str) -> Expression:
        """Rows of our own metric of each hop's function, for hops of some ``kinds`` (``ingress``, …), or all."""
        return _rows(self.functions, ["MediaEvents", metric, "service", _NAME, {"label": _HOP}], *kinds)

    def total(self, metric: str, dimension: str, kind: str) -> Expression:
        """Rows of our own metric of each hop's function, added up over the values of a further ``dimension``."""
        search = f"{{MediaEvents,{dimension},service}} MetricName=%q service=%q"
        total = f"format(\"SUM(SEARCH('{search}', 'Sum', {PERIOD_SECONDS}))\", \"{metric}\", name)"
        return _rows(self.functions, [{"expression": Expression(total), "label": _HOP}], kind)

    def function(self, metric: str) -> Expression:
        """Rows of Lambda's metric of each hop's function."""
        return _rows(self.functions, ["AWS/Lambda", metric, "FunctionName", _NAME, {"label": _HOP}])

    def queue(self, metric: str) -> Expression:
        """Rows of SQS's metric of each hop's queue."""
        return _rows(self.queues, ["AWS/SQS", metric, "QueueName", _NAME, {"label": _HOP}])

    def dead_letter_queue(self, metric: str) -> Expression:
        """Rows of SQS's metric of each hop's dead-letter queue."""
        return _rows(self.dead_letter_queues, ["AWS/SQS", metric, "QueueName", _NAME, {"label": _HOP}])

    def circuit_breakers(self, metric: str) -> Expression:
        """Rows of our own metric of all circuit breakers in a table."""
        row = ["MediaEvents", metric, "idempotency_table", _NAME]
        return Expression(f"[for name in {self.idempotency_tables} : {expression(row)}]")


def dashboard_body(*, hops: Hops, review: str, region: str, alarms: str) -> str:
    """The body of the dashboard, as Terraform's text.

    Args:
        hops: what there is of each hop.
        review: the name of the function that redrives and reviews.
        region: where the metrics are.
        alarms: an expression of the ARNs of the alarms to show.
    """
    graphs = (
        _graph(region, "Events accepted, by ingress", hops.total("EventsAccepted", "partner", "ingress")),
        _graph(region, "Requests refused, by ingress", hops.total("RequestsRefused", "reason", "ingress")),
        _graph(
            region,
            "Events transformed or delivered, by hop",
            hops.metric("EventsTransformed", "transform"),
            hops.metric("EventsDelivered", "route"),
        ),
        _graph(region, "Duration, by hop (ms, 95th percentile)", hops.function("Duration"), stat="p95"),
        _graph(region, "Longest wait, by hop (s)", hops.metric("WaitingEventAge"), stat="Maximum"),
        # Here SQS leaves out what was received three times ("Available CloudWatch metrics for Amazon SQS").
        _graph(region, "Oldest message, by hop (s)", hops.queue("ApproximateAgeOfOldestMessage"), stat="Maximum"),
        _graph(region, "Messages that wait, by hop", hops.queue("ApproximateNumberOfMessagesVisible"), stat="Maximum"),
        _graph(region, "Circuit breakers opened, by route", hops.metric("CircuitBreakersOpened", "route")),
        _graph(
            region,
            "Longest open circuit breaker (s)",
            hops.circuit_breakers("CircuitBreakerOpenAge"),
            stat="Maximum",
        ),
        _graph(region, "Events dead-lettered, by hop", hops.metric("EventsDeadLettered")),
        _graph(
            region,
            "Dead letters that wait, by hop",
            hops.dead_letter_queue("ApproximateNumberOfMessagesVisible"),
            stat="Maximum",
        ),
        _graph(region, "Errors of functions, by hop", hops.function("Errors")),
        _graph(region, "Throttled invocations, by hop", hops.function("Throttles")),
        _graph(
            region,
            "Review items",
            _review(review, {"OpenItems": "open", "RetryingItems": "retrying", "UnreadDeadLetters": "unread"}),
            stat="Maximum",
        ),
        _graph(region, "Oldest open review item (s)", _review(review, {"OldestOpenAge": "age"}), stat="Maximum"),
    )
    status = {
        "type": "alarm",
        "width": 2 * WIDTH,
        "height": 2,
        "properties": {"title": "Alarms", "alarms": Expression(alarms)},
    }
    # AWS refuses a graph without metrics, and a status without alarms.
    widgets = (
        f"concat([for widget in {expression([status])} : widget if length(widget.properties.alarms) > 0], "
        f"[for widget in {expression(list(graphs))} : widget if length(widget.properties.metrics) > 0])"
    )
    return f"${{jsonencode({expression({'widgets': Expression(widgets)})})}}"


def _graph(region: str, title: str, *rows: Expression, stat: str = "Sum") -> dict[str, Any]:
    return {
        "type": "metric",
        "width": WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": title,
            "region": region,
            "stat": stat,
            "period": PERIOD_SECONDS,
            "metrics": Expression(f"concat({', '.join(rows)})"),
        },
    }


def _rows(names: str, row: list[Any], *kinds: str) -> Expression:
    condition = f' if contains({expression(list(kinds))}, split("/", hop)[0])' if kinds else ""
    return Expression(f"[for hop, name in {names} : {expression(row)}{condition}]")


def _review(function: str, labels: Mapping[str, str]) -> Expression:
    rows = [["MediaEvents", metric, "service", function, {"label": label}] for metric, label in labels.items()]
    return Expression(expression(rows))
