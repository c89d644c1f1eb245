"""`media-events verify` on the whole deployment: all is well, probes reach nobody, each broken thing is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.function_logs import LogLine
from tests.system.conftest import Demonstration
from tests.system.operators import Operator, Said, with_policy
from tests.system.polling import eventually

ROUTE = "route/ready-to-cms"
MISSING_HERE = "servicequotas:ListServiceQuotas was answered 400"


@pytest.fixture(name="operator", scope="module")
def _operator(demonstration: Demonstration) -> Operator:
    return Operator(demonstration.paths, {})


NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}]}


@pytest.fixture(name="reader", scope="module")
def _reader(demonstration: Demonstration, clients: Clients) -> Operator:
    """Somebody with AWS's own policy for who only reads, as the README says."""
    reader = with_policy(demonstration.paths, clients, "verifier", json.dumps(NOTHING))
    clients.iam.attach_user_policy(UserName="verifier", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    return reader


def skipped(said: Said) -> set[str]:
    """Why something was skipped."""
    return {one["found"] for one in said.document["findings"] if one["verdict"] == "skipped"}


def failures(said: Said) -> dict[str, str]:
    """What failed, by its subject."""
    return {one["subject"]: one["found"] for one in said.document["findings"] if one["verdict"] == "fail"}


def test_all_is_well_and_the_probes_reach_the_bus_and_no_destination(
    operator: Operator, clients: Clients, log_lines: Callable[[], list[LogLine]]
):
    # Other tests' events may be between two redrives.
    assert eventually(lambda: operator.run("verify", "--check", "dead-letters").status == 0)
    said = operator.run("verify", "--send", "--json")
    findings = said.document["findings"]
    assert (said.status, failures(said)) == (0, {})
    assert skipped(said) == {MISSING_HERE}
    assert {one["subject"] for one in findings if one["check"] == "probes"} == {
        f"probe of {partner}" for partner in ("frameio", "mux", "transcoder")
    }
    of_probes = [line for line in log_lines() if str(line.fields.get("event_id", "")).startswith("probe-")]
    assert {(line.function, line.message) for line in of_probes} == {("media-local-webhook", "event accepted")}
    rules = clients.events.list_rules(EventBusName="media-local")["Rules"]
    queues = clients.sqs.list_queues(QueueNamePrefix="media-local-replay-probe-").get("QueueUrls", [])
    assert [rule["Name"] for rule in rules if "-replay-probe-" in rule["Name"]] == []
    assert queues == []


@pytest.fixture(name="broken")
def _broken(clients: Clients, outputs: dict[str, Any]) -> Iterator[str]:
    """One thing of each kind is broken for a while; the name of the dead-letter queue with a message."""
    events, lambda_, sqs, iam = clients.events, clients.lambda_, clients.sqs, clients.iam
    bus, function, hop = outputs["bus_name"], outputs["functions"][ROUTE], outputs["hops"][ROUTE]
    rule, secret = f"{bus}-ready-to-cms", outputs["secret_names"]["mux"]
    redrive = next(name for hop_name, name in outputs["functions"].items() if hop_name.startswith("review/"))
    dead_letters = outputs["dead_letter_queues"][ROUTE]
    (source,) = [
        one["UUID"]
        for one in lambda_.list_event_source_mappings(FunctionName=redrive)["EventSourceMappings"]
        if one["EventSourceArn"].endswith(f":{dead_letters}")
    ]
    policy = iam.get_role_policy(RoleName=function, PolicyName="function")["PolicyDocument"]
    redrive_policy = sqs.get_queue_attributes(QueueUrl=hop["queue_url"], AttributeNames=["RedrivePolicy"])["Attributes"]
    with ExitStack() as mended:
        mended.callback(events.enable_rule, Name=rule, EventBusName=bus)
        events.disable_rule(Name=rule, EventBusName=bus)
        mended.callback(lambda_.update_event_source_mapping, UUID=source, Enabled=True)
        lambda_.update_event_source_mapping(UUID=source, Enabled=False)
        mended.callback(sqs.purge_queue, QueueUrl=hop["dead_letter_queue_url"])
        sqs.send_message(QueueUrl=hop["dead_letter_queue_url"], MessageBody="{}")
        mended.callback(sqs.set_queue_attributes, QueueUrl=hop["queue_url"], Attributes=redrive_policy)
        sqs.set_queue_attributes(QueueUrl=hop["queue_url"], Attributes={"RedrivePolicy": ""})
        mended.callback(clients.secretsmanager.restore_secret, SecretId=secret)
        clients.secretsmanager.delete_secret(SecretId=secret, RecoveryWindowInDays=7)
        change = {"RoleName": function, "PolicyName": "function"}
        mended.callback(iam.put_role_policy, **change, PolicyDocument=json.dumps(policy))
        kept = [one for one in policy["Statement"] if one["Sid"] != "GiveUp"]
        iam.put_role_policy(**change, PolicyDocument=json.dumps({**policy, "Statement": kept}))
        yield dead_letters


def test_each_broken_thing_is_named_to_who_may_only_read(reader: Operator, outputs: dict[str, Any], broken: str):
    said = reader.run("verify", "--json")
    assert (said.status, skipped(said)) == (1, {MISSING_HERE})
    found = failures(said)
    function, redrive = (
        outputs["functions"][ROUTE],
        next(n for h, n in outputs["functions"].items() if h.startswith("review/")),
    )
    assert found[f"rule of {ROUTE}"] == "is DISABLED, so no event reaches the hop"
    assert found[f"{broken} → {redrive}"] == "is Disabled, so nothing is taken from the queue"
    assert found[f"queue {broken}"] == "holds 1 visible, 0 in flight and 0 delayed"
    assert "no redrive policy" in found[f"queue {function}"]
    assert found[f"role of {function}"].startswith("sqs:SendMessage on arn:aws:sqs:")
    assert [what for subject, what in found.items() if "/mux" in subject] == ["is about to be deleted"]


def test_who_may_read_nothing_is_told_what_is_lacking(demonstration: Demonstration, clients: Clients):
    nobody = with_policy(demonstration.paths, clients, "verifies-nothing", json.dumps(NOTHING))
    said = nobody.run("verify", "--json")
    assert (said.status, said.document["verdict"], failures(said)) == (0, "skipped", {})
    assert "no permission for lambda:GetFunctionConfiguration" in skipped(said)
    assert nobody.run("verify", "--strict", "--check", "queues").status == 1
