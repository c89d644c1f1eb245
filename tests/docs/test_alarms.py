"""Every kind of alarm can go off, and leads to a section of the runbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from media_events_kit.infra.model.settings import Alarms

ROOT: Final = Path(__file__).resolve().parents[2]
RUNBOOK: Final = ROOT / "docs" / "reference" / "runbook.md"

REDRIVER: Final = "tests/unit/media_events/recovery/test_redriver.py"
MAINTENANCE: Final = "tests/unit/media_events/recovery/test_review_maintenance.py"
LAMBDA: Final = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
SQS: Final = (
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"
)
API: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html"
EVENTS: Final = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html"
STATES: Final = "https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html"

CAUSES: Final[dict[str, str]] = {
    # Any alarm in their rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    "person-needed": "tests/synth/test_monitoring.py::test_more_alarms_than_a_rule_may_name_are_told_by_parts",
    "slow": "tests/synth/test_monitoring.py::test_more_alarms_than_a_rule_may_name_are_told_by_parts",
    "items-opened": f"{REDRIVER}::test_an_item_counts_as_opened_only_if_it_was_not_open_and_nobody_had_decided",
    "oldest-open": f"{MAINTENANCE}::test_what_waits_is_measured_from_counts_and_the_oldest_item_alone",
    "parked-too-long": "tests/unit/media_events/recovery/test_key_maintenance.py"
    "::test_what_is_parked_is_counted_and_the_oldest_is_told_only_while_something_is",
    "circuit-breaker-open": "tests/unit/media_events/delivery/test_circuit_breaker.py"
    "::test_who_waits_reports_since_when_nothing_is_delivered_over_all_openings_in_a_row",
    "events-waiting": "tests/unit/media_events/messaging/test_waiting.py"
    "::test_an_event_that_is_deferred_reports_its_age_at_each_deferral",
    "redrive-failed": f"{REDRIVER}::test_a_dead_letter_that_goes_nowhere_is_counted_since_lambda_sees_a_success",
    "dead-letters-unread": f"{MAINTENANCE}::test_dead_letters_that_nobody_reads_are_measured",
    "messages-waiting": f"{MAINTENANCE}::test_the_longest_queue_of_a_hop_is_measured_with_what_is_in_flight_or_delayed",
    # Messages that nobody reads are received less than three times, which is what the metric counts.
    "queue-age": f"{SQS} ApproximateAgeOfOldestMessage",
    "dlq-age": f"{SQS} ApproximateAgeOfOldestMessage",
    "event-age": f"{LAMBDA} AsyncEventAge",
    # Exceptions of the code and of the runtime, timeouts among them.
    "errors": f"{LAMBDA} Errors",
    "destination-failed": f"{LAMBDA} DestinationDeliveryFailures",
    "5xx": f"{API} 5xx",
    "4xx": f"{API} 4xx",
    "latency": f"{API} Latency",
    "outdated-secret": "tests/unit/media_events/ingress/test_webhook_signatures.py"
    "::test_a20_outdated_secret_proves_nothing_and_its_use_is_counted",
    # Permanent failures, and those that the dead-letter queue refused.
    "failed-invocations": f"{EVENTS} FailedInvocations",
    "rule-failed": f"{EVENTS} FailedInvocations",
    "dead-letters-lost": f"{EVENTS} InvocationsFailedToBeSentToDlq",
    # Sent only when it is not zero: no data is no event.
    "inactivity": f"{EVENTS} MatchedEvents",
    "notifications-failed": "https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html "
    "NumberOfNotificationsFailed",
    "failed": f"{STATES} ExecutionsFailed",
    "throttled": f"{STATES} ExecutionThrottled",
}
"""By the end of the alarm's name: a test, or AWS's page and the metric on it."""


def runbook() -> dict[str, str]:
    """The text of each section of the runbook, by its anchor."""
    _, *sections = RUNBOOK.read_text(encoding="utf-8").split("\n## ")
    return {
        title.lower().replace(" ", "-"): text for title, _, text in (section.partition("\n") for section in sections)
    }


def explained() -> dict[str, str]:
    """The section by the end of the alarm's name."""
    return {
        kind: anchor
        for anchor, text in runbook().items()
        for line in re.findall(r"^Alarms? .*", text, re.MULTILINE)
        for kind in re.findall(r"`-([a-z0-9-]+)`", line)
    }


def named_sections() -> dict[str, set[str]]:
    """The section that each alarm of a module names, by the fact that it is about."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "modules").glob("**/alarms.tf"):
        fact = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if opened := re.match(r'^.*?"?([a-z0-9${}\[\]._-]+)"? (?:=|=>) \{$', line):
                fact = opened[1].rpartition("}-")[2]
            if section := re.match(r'^ +runbook += "(.+)"$', line):
                found.setdefault(fact, set()).add(section[1])
    return found


def test_every_alarm_of_a_module_names_the_section_that_is_about_it():
    sections = {fact: {section} for fact, section in explained().items()}
    composite = {"person-needed", "slow"}  # tests/synth/test_monitoring.py

    assert named_sections() == {fact: section for fact, section in sections.items() if fact not in composite}


def test_no_section_of_the_runbook_is_without_alarm_or_says_less_than_the_operator_needs():
    assert set(runbook()) == set(explained().values())
    needed = ["- **Means**: ", "- **Look**: ", "- **Do**: "]
    assert {anchor: re.findall(r"^- \*\*\w+\*\*: ", text, re.MULTILINE) for anchor, text in runbook().items()} == (
        dict.fromkeys(runbook(), needed)
    )


def test_default_address_of_the_runbook_is_where_it_is():
    address = RUNBOOK.relative_to(ROOT).as_posix()
    settings = (ROOT / "modules" / "internal" / "interfaces" / "settings.tf").read_text(encoding="utf-8")

    assert re.findall(r'runbook_url += optional\(string, "(.*)"\)', settings) == [address]
    assert Alarms().runbook_url == address


def test_every_kind_of_alarm_has_a_cause_and_no_other():
    assert sorted(CAUSES) == sorted(explained())


@pytest.mark.parametrize("kind", sorted(kind for kind, cause in CAUSES.items() if "::" in cause))
def test_the_test_that_produces_the_cause_exists(kind):
    file, _, name = CAUSES[kind].partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", sorted(kind for kind, cause in CAUSES.items() if "::" not in cause))
def test_the_metric_that_aws_describes_is_the_alarms(kind):
    metric = CAUSES[kind].rpartition(" ")[2]
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "modules").glob("**/alarms.tf"))
    assert f'"{metric}"' in sources
