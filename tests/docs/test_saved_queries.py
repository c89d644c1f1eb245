"""The saved queries ask for messages that the functions write, and for fields that the page of log lines has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.fakes.insights_query import fields

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = (ROOT / "docs" / "reference" / "logs-and-metrics.md").read_text(encoding="utf-8")
MODULE: Final = (ROOT / "modules" / "dashboard" / "queries.tf").read_text(encoding="utf-8")
QUERIES: Final = dict(re.findall(r'^    "([^"\n]+)" = \{\n.*?<<-EOT\n(.*?)\n +EOT$', MODULE, re.MULTILINE | re.DOTALL))

LAMBDAS_OWN: Final = {"@timestamp", "@type", "@duration", "@requestId", "@log"}
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html"""


def test_the_page_explains_every_saved_query():
    assert len(QUERIES) == 5
    assert re.findall(r"^\| \*(.+?)\* \|", PAGE, re.MULTILINE) == list(QUERIES)


@pytest.mark.parametrize("title", QUERIES)
def test_fields_of_a_saved_query_are_on_the_page(title):
    documented = set(re.findall(r"`(\w+)`", PAGE)) | LAMBDAS_OWN

    assert fields(QUERIES[title]) != set()
    assert fields(QUERIES[title]) - documented == set()


def test_messages_of_the_saved_queries_are_written():
    wanted = {message for query in QUERIES.values() for message in re.findall(r'message = "([^"]+)"', query)}
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "lambda_src").glob("media_events/**/*.py"))

    assert len(wanted) == 4
    assert {message for message in wanted if f'"{message}"' not in source or f"`{message}`" not in PAGE} == set()


def test_metrics_of_the_dashboard_are_on_the_page():
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "modules" / "dashboard").glob("*.tf"))
    ours = set(re.findall(r'"MediaEvents", "(\w+)"', sources))
    ours |= set(re.findall(r'"((?:Events|Circuit|Waiting|Open|Retrying|Oldest|Unread|Parked)\w+)"', sources))
    ours |= set(re.findall(r"^ +(\w+) += \"(?:partner|reason)\"$", sources, re.MULTILINE))

    assert ours >= {"EventsAccepted", "RequestsRefused", "OldestOpenAge", "CircuitBreakerOpenAge"}
    assert {metric for metric in ours if f"`{metric}`" not in PAGE} == set()
