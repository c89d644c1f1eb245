"""SnapStart: what a snapshot of a handler holds, and what sandboxes that are restored from it do, each in a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import media_events
from bench.subjects import ours

SOURCES = Path(media_events.__file__).parent.parent

SCRIPT = """
import json, os, random, sys, types
from botocore.awsrequest import AWSResponse
from botocore.session import Session
from botocore.utils import ContainerMetadataFetcher

asked, made, keys, before, after = [], [], [], [], []
answers = json.loads(sys.stdin.readline())

def retrieve(self, full_url, headers=None):
    asked.append(headers["Authorization"])
    key = {"AccessKeyId": f"{os.environ['SANDBOX']}-{len(asked)}", "SecretAccessKey": "s", "Token": "t"}
    return key | {"Expiration": "2999-01-01T00:00:00Z"}

ContainerMetadataFetcher.retrieve_full_uri = retrieve
create = Session.create_client

def create_client(session, service, **options):
    client = create(session, service, **options)
    made.append(client)
    def answer(request, **_):
        texts = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
        keys.append(texts["Authorization"].partition("Credential=")[2].partition("/")[0])
        operation = texts["X-Amz-Target"].partition(".")[2]
        response = AWSResponse(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, None)
        response._content = json.dumps(answers.get(operation, {})).encode()
        return response
    client.meta.events.register("before-send", answer)
    return client

Session.create_client = create_client

hooks = types.ModuleType("snapshot_restore_py")
hooks.register_before_snapshot, hooks.register_after_restore = before.append, after.append
sys.modules["snapshot_restore_py"] = hooks

class Context:
    aws_request_id = "request-1"
    def get_remaining_time_in_millis(self):
        return 30_000

class Connection:
    closed = False
    def close(self):
        self.closed = True

module = __import__(f"media_events.handlers.{sys.argv[1]}", fromlist=["handler"])
services = sorted(client.meta.service_model.service_name for client in made)
before_any_call = len(asked)

# As an init phase that reads its configuration in S3: credentials asked for, a connection kept.
made[0]._request_signer._credentials.get_frozen_credentials()
connections = made[0]._endpoint.http_session._manager
pool = connections.connection_from_url("https://aws.example.com/")
pool.pool.get()
pool.pool.put(kept := Connection())
del pool

for hook in reversed(before):
    hook()
event = json.loads(sys.stdin.readline())
snapshot = [services, before_any_call, len(asked), kept.closed, len(connections.pools)]
print("told " + json.dumps(snapshot), flush=True)
state = random.getstate()
for sandbox in ("first", "second"):
    if os.fork() == 0:
        os.environ["SANDBOX"] = sandbox
        random.setstate(state)  # Python seeds anew after a fork, not after a restore
        for hook in after:
            hook()
        answer = module.handler(event, Context())
        told = [sorted(set(keys)), answer, [random.random(), random.uniform(0, 1)]]
        print("told " + json.dumps(told), flush=True)
        os._exit(0)
    os.wait()
"""

ANSWERS = {
    "PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]},
    "GetSecretValue": {"SecretString": "the-partner-s-signing-secret", "CreatedDate": 1.7e9},
    "SendMessageBatch": {"Successful": [{"Id": "0", "MessageId": "m"}], "Failed": []},
    "BatchExecuteStatement": {"Responses": [{"TableName": "t"}]},
}


def restored(name: str) -> list[Any]:
    """What the snapshot holds, and what two sandboxes that are restored from it did."""
    subject = ours("https://cms.example.com")[name]
    variables = subject.variables("http://127.0.0.1:9", documents=None)
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    environment = {key: value for key, value in variables.items() if key not in keys} | {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9001/2021-04-23/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "the-token",
        "SANDBOX": "snapshot",
        "PYTHONPATH": str(SOURCES),
        "PATH": os.environ["PATH"],
    }
    event = subject.events(1, 1, 512)[0]
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, subject.handler.split(".")[2]],
        input=f"{json.dumps(ANSWERS)}\n{json.dumps(event)}\n",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line[5:]) for line in finished.stdout.splitlines() if line.startswith("told ")]


@pytest.mark.parametrize(
    ("name", "clients"),
    [
        ("webhook", ["dynamodb", "events", "secretsmanager"]),
        ("queue-ingress", ["dynamodb", "events"]),
        ("transform", ["events"]),
        ("deliver-sqs", ["dynamodb", "sqs"]),
    ],
)
def test_snapshot_holds_clients_and_neither_credentials_nor_connections_nor_the_generator_s_state(
    name: str, clients: list[str]
) -> None:
    (made, asked_by_init, asked, closed, pools), first, second = restored(name)

    assert (made, asked_by_init) == (clients, 0)
    # What a read of S3 would leave behind.
    assert (asked, closed, pools) == (1, True, 0)
    for sandbox, (keys, answer, _) in (("first", first), ("second", second)):
        assert keys == [f"{sandbox}-2"], "each asks for credentials of its own, once"
        assert (answer.get("statusCode", 202), answer.get("batchItemFailures", [])) == (202, [])
    assert not set(first[2]) & set(second[2])
