"""What a handler loads and which clients it makes, before and at its first event: counted, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import media_events
from bench.subjects import ours
from media_events.adapters.boto_clients import SERVICES

SOURCES = Path(media_events.__file__).parent.parent

SCRIPT = """
import gc, json, sys
from botocore.awsrequest import AWSResponse
from botocore.session import Session

made, answers = [], json.loads(sys.stdin.readline())
create = Session.create_client

def create_client(session, service, **options):
    made.append(service)
    client = create(session, service, **options)
    def answer(request, **_):
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).partition(".")[2]
        body = json.dumps(answers.get(operation, {})).encode()
        response = AWSResponse(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, None)
        response._content = body
        return response
    client.meta.events.register("before-send", answer)
    return client

Session.create_client = create_client

class Context:
    aws_request_id = "request-1"
    def get_remaining_time_in_millis(self):
        return 30_000

module = __import__(f"media_events.handlers.{sys.argv[1]}", fromlist=["handler"])
loaded, prepared = sorted(sys.modules), sorted(made)
answer = module.handler(json.loads(sys.stdin.readline()), Context())
told = [loaded, prepared, sorted(made), sorted(sys.modules), answer, gc.isenabled()]
print("told " + json.dumps(told))
"""

ANSWERS = {
    "PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]},
    "GetSecretValue": {"SecretString": "the-partner-s-signing-secret", "CreatedDate": 1.7e9},
    "SendMessageBatch": {"Successful": [{"Id": "0", "MessageId": "m"}], "Failed": []},
    "BatchExecuteStatement": {"Responses": [{"TableName": "t"}]},
}

RARE = {
    *("difflib", "s3transfer", "boto3", "xml.parsers.expat"),
    *("media_events.partners.json_web_tokens", "media_events.partners.http_message_signatures"),
    *("media_events.partners.xml_parsing", "media_events.partners.multipart_parsing"),
    *("media_events.partners.remote_keys", "media_events.adapters.http_client"),
}
"""Modules that few deployments need. A name is here because it once took milliseconds of every cold start."""


def cold(name: str) -> tuple[set[str], list[str], list[str], set[str], Any, bool]:
    """A sandbox: modules and clients after loading, clients and modules after one event, its answer, the collector."""
    subject = ours("https://cms.example.com")[name]
    environment = subject.variables("http://127.0.0.1:9", documents=None)
    event = subject.events(1, 1, 512)[0]
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT, subject.handler.split(".")[2]],
        input=f"{json.dumps(ANSWERS)}\n{json.dumps(event)}\n",
        env=environment | {"PYTHONPATH": str(SOURCES), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(text for text in finished.stdout.splitlines() if text.startswith("told "))
    loaded, prepared, made, after, answer, collecting = json.loads(line.removeprefix("told "))
    return set(loaded), prepared, made, set(after), answer, collecting


@pytest.mark.parametrize(
    ("name", "clients", "most"),
    [
        ("webhook", ["dynamodb", "events", "secretsmanager"], 87),
        ("queue-ingress", ["dynamodb", "events"], 77),
        ("transform", ["events"], 87),
        ("deliver-sqs", ["dynamodb", "sqs"], 87),
    ],
)
def test_cold_start_loads_and_makes_only_what_the_first_event_needs(name: str, clients: list[str], most: int) -> None:
    loaded, prepared, made, after, answer, collecting = cold(name)

    # In the init phase, which has a whole CPU, and none later: so nothing was dead-lettered either, or read from S3.
    assert (prepared, made) == (clients, clients)
    assert answer.get("statusCode", 202) == 202
    assert answer.get("batchItemFailures", []) == []
    assert (after & RARE) == set()
    ours = {module for module in loaded if module.startswith("media_events.")}
    assert len(ours) <= most, sorted(ours)
    assert collecting


def test_every_service_that_functions_call_is_known_to_the_session() -> None:
    sources = (file.read_text(encoding="utf-8") for file in (SOURCES / "media_events").rglob("*.py"))
    called = {name for text in sources for name in re.findall(r'client(?:_for_effects)?\(\s*"([a-z0-9]+)"', text)}

    assert called == SERVICES
