"""What grows with a workflow is held against AWS's limits when the file is read: with the number, and the line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from media_events_kit.infra.documents.yaml_document import Path
from media_events_kit.infra.loader import environment_reader
from media_events_kit.infra.validation import embedded_documents
from tests.fakes.large_workflow import large_workflow
from tests.fakes.workflows import load, problems

ROLE = "arn:aws:iam::210987654321:role/"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
ROUTE = {"pattern": {"detail-type": ["a"]}, "destination": "cms"}
JWT = {"type": "jwt", "issuer": "https://id.example.com", "audiences": ["a"]}
OWN = {"id": "body.id", "type": "body.type"}


def workflow(**sections: Any) -> str:
    """A workflow's text; JSON is YAML too, and each section is a line here."""
    whole = {
        "name": "media",
        "partners": {"mux": {"specification": "mux", "ingress": "webhook"}},
        "destinations": {"cms": {"type": "http", "url": "https://cms.example.com/events"}},
        "routes": {"ready": ROUTE},
        # Without what would be said of the alarms, and of more hops than a dashboard shows.
        "environments": {
            "dev": {
                "region": "eu-west-1",
                "settings": {"alarms": {"actions": {"critical": ["a"]}}},
                "dashboard": False,
            }
        },
    } | sections
    return "{" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in whole.items()) + "}"


def by_sqs(**settings: Any) -> str:
    """A workflow with one more ingress and its partner."""
    kind = settings.pop("type", "sqs")
    partner: dict[str, Any] = {"ingress": "in", "specification": OWN}
    if kind == "custom-bus":
        partner = {"ingress": "in", "sources": ["com.a"]}
    return workflow(ingress={"in": {"type": kind} | settings}, partners={"acme": partner})


def senders(count: int, **sender: Any) -> dict[str, Any]:
    return {f"S{number}": sender or {"account_ids": ["210987654321"]} for number in range(count)}


def test_a_large_workflow_is_within_the_limits() -> None:
    assert problems(large_workflow()) == []


@pytest.mark.parametrize(
    ("within", "beyond", "said"),
    [
        (
            by_sqs(senders=senders(19)),
            by_sqs(senders=senders(20)),
            "line 6, ingress.in.senders: comes to 21 statements in the policy of the queue; AWS leaves room for 20",
        ),
        (
            by_sqs(senders={"S": {"role_arns": [f"{ROLE}{number}" for number in range(49)]}}),
            by_sqs(senders={"S": {"role_arns": [f"{ROLE}{number}" for number in range(50)]}}),
            "line 6, ingress.in.senders: comes to 51 principals in the policy of the queue; AWS leaves room for 50",
        ),
        (
            by_sqs(senders=senders(9, organization_id="o-a1b2c3d4e5")),
            by_sqs(senders=senders(10, organization_id="o-a1b2c3d4e5")),
            "line 6, ingress.in.senders: comes to 11 conditions in the policy of the queue; AWS leaves room for 10",
        ),
        (
            by_sqs(type="sns-fifo", senders=senders(99)),
            by_sqs(type="sns-fifo", senders=senders(100)),
            "line 6, ingress.in.senders: comes to 101 statements in the policy of the topic; AWS leaves room for 100",
        ),
        (
            by_sqs(senders={"S": {"role_arns": [ROLE + "x" * 120 + str(number) for number in range(40)]}}),
            by_sqs(senders={"S": {"role_arns": [ROLE + "x" * 170 + str(number) for number in range(40)]}}),
            "line 6, ingress.in.senders: comes to 8,524 bytes in the policy of the queue; AWS leaves room for 8,192",
        ),
        (
            by_sqs(type="sns-fifo", senders={"S": {"role_arns": [f"{ROLE}{number}" for number in range(199)]}}),
            by_sqs(type="sns-fifo", senders={"S": {"role_arns": [f"{ROLE}{number:0140}" for number in range(180)]}}),
            "line 6, ingress.in.senders: comes to 31,614 bytes in the policy of the topic; AWS leaves room for 30,720",
        ),
        (
            by_sqs(type="custom-bus", senders=senders(20, account_ids=["210987654321"], sources=["com.a"])),
            by_sqs(type="custom-bus", senders=senders(40, account_ids=["210987654321"], sources=["com.a"])),
            "line 6, ingress.in.senders: comes to 13,321 characters in the bus's policy; AWS leaves room for 10,000",
        ),
        (
            by_sqs(type="sns-fifo", filter_policy={key: ["x"] for key in "abcde"}),
            by_sqs(type="sns-fifo", filter_policy={key: ["x"] for key in "abcdef"}),
            "line 6, ingress.in.filter_policy: comes to 6 keys; AWS leaves room for 5",
        ),
        (
            by_sqs(type="sns-fifo", filter_policy={"a": ["x"] * 10, "b": ["y"] * 15}),
            by_sqs(type="sns-fifo", filter_policy={"a": ["x"] * 10, "b": ["y"] * 16}),
            "line 6, ingress.in.filter_policy: comes to 160 combinations of values; AWS leaves room for 150",
        ),
        (
            workflow(review={"editable_types": {"a": {"description": "x" * 400_000}}}),
            workflow(review={"editable_types": {"a": {"description": "x" * 410_000}}}),
            "line 6, review.editable_types: comes to 410,026 bytes with their schemas; AWS leaves room for 409,600",
        ),
        (
            workflow(tags={f"t{number}": "x" for number in range(47)}),
            workflow(tags={f"t{number}": "x" for number in range(48)}),
            "line 6, tags: must have at most 47 entries",
        ),
        (
            workflow(tags={"x" * 128: "y" * 256}),
            workflow(tags={"a": "y" * 257}),
            "line 6, tags.a: string should have at most 256 characters",
        ),
        (workflow(tags={"Köln": "a b"}), workflow(tags={"aws:a": "x"}), "line 6, tags: aws:a begins with aws:"),
        (workflow(), workflow(tags={"a": "b;c"}), "line 6, tags.a: a: a tag has letters, digits, spaces"),
        (
            workflow(settings={"alarms": {"actions": {"warning": ["x"] * 5}}}),
            workflow(settings={"alarms": {"actions": {"warning": ["x"] * 6}}}),
            "line 6, settings.alarms.actions.warning: must have at most 5 entries",
        ),
    ],
)
def test_more_than_aws_takes_is_a_mistake(within: str, beyond: str, said: str) -> None:
    assert problems(within) == []
    assert [problem[: len(said)] for problem in problems(beyond)] == [said]


def callers(count: int, **options: Any) -> dict[str, Any]:
    return {f"p{number:03}": {"specification": "mux", "ingress": "webhook"} | options for number in range(count)}


def test_secrets_arns_beyond_a_roles_policy_are_a_mistake_at_the_partner_that_is_too_many() -> None:
    arns = {"secret_arns": [f"{SECRET}{'x' * 60}-AbCdEf", f"{SECRET}{'y' * 60}-AbCdEf"]}

    assert problems(workflow(partners=callers(28, **arns))) == []
    (problem,) = problems(workflow(partners=callers(40, **arns)))
    assert problem == (
        "line 2, partners.p028.secret_arns: comes to 7,163 characters of secrets' ARNs with those before; AWS leaves "
        "room for 7,040"
    )


def test_a_state_machines_statements_beyond_its_roles_policy_are_a_mistake(tmp_path: Path) -> None:
    statements = {f"S{number}": {"actions": ["s3:GetObject"], "resources": ["x" * 1000]} for number in range(7)}
    text = workflow(
        destinations={"cms": {"type": "step-functions", "definition": "a.json", "policy_statements": statements}}
    )
    (tmp_path / "a.json").write_text('{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}')

    assert problems(text, folder=tmp_path) == [
        "line 3, destinations.cms.policy_statements: comes to 7,323 characters; AWS leaves room for 7,040"
    ]


def test_a_definition_and_a_package_that_are_too_large_are_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_documents, "MAX_DEFINITION_BYTES", 10)
    monkeypatch.setattr(environment_reader, "MAX_LAYER_BYTES", 10)
    (tmp_path / "a.json").write_text('{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}')
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "tidy.py").write_text("def tidy(event):\n    return event\n")
    text = workflow(
        destinations={"cms": {"type": "step-functions", "definition": "a.json"}},
        transforms={
            "tidy": {"pattern": {"source": ["a"]}, "steps": [{"python": {"function": "tidy:tidy"}}], "package": "steps"}
        },
    )

    found = problems(text, folder=tmp_path)

    assert [problem.partition(": ")[0] for problem in found] == [
        "line 3, destinations.cms.definition",
        "line 6, transforms.tidy.package",
    ]
    assert ["AWS takes 10" in found[0], "Lambda takes 10" in found[1]] == [True, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            workflow(routes={f"r{number:03}": ROUTE for number in range(301)}),
            "line 4, routes: the workflow's bus gets 301 rules",
        ),
        (
            workflow(partners=callers(300)),
            "line 2, partners.p299: the HTTP API gets 301 routes",
        ),
        (
            workflow(partners=callers(11, authorization=JWT)),
            "line 2, partners.p010.authorization: the HTTP API gets 11 authorizers",
        ),
    ],
)
def test_more_than_a_quota_that_aws_raises_is_a_warning(text: str, said: str) -> None:
    assert [str(warning)[: len(said)] for warning in load(text).warnings] == [said]


def test_as_much_as_the_quotas_is_no_warning() -> None:
    text = workflow(
        routes={f"r{number:03}": ROUTE for number in range(300)},
        partners=callers(289) | {f"j{n}": p for n, p in callers(10, authorization=JWT).items()},
    )

    assert load(text).warnings == ()
