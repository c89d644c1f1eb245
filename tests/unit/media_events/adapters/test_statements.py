"""Claims and completions of a batch: few calls, and what a call leaves open is decided for each record alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from media_events.adapters.dynamodb.idempotency import DynamoIdempotencyStore
from media_events.adapters.dynamodb.statements import insert, update
from media_events.core.failures import ProcessingError, UnansweredError
from media_events.messaging.idempotency import Acquisition, Completion
from tests.fakes import dynamodb
from tests.fakes.hop import FakeClock
from tests.fakes.partiql import parsed

KEYS = ("a", "b", "c")


class Client:
    """moto's client, with answers of our own to batches; ``made`` counts the calls."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.made = inner, Counter[str]()
        self.errors: dict[int, dict[str, str]] = {}
        """What statements are answered with, by their place; they take no effect."""
        self.refusal: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.made[name] += 1
            return getattr(self.inner, name)(**request)

        return call

    def batch_execute_statement(self, *, Statements: list[Any]) -> Any:  # noqa: N803 - boto3's spelling
        self.made["batch_execute_statement"] += 1
        assert len(Statements) <= 25
        if self.refusal is not None:
            raise self.refusal
        executed = [one for place, one in enumerate(Statements) if place not in self.errors]
        answers = iter(self.inner.batch_execute_statement(Statements=executed)["Responses"] if executed else ())
        responses = [
            {"Error": self.errors[place]} if place in self.errors else next(answers) for place in range(len(Statements))
        ]
        return {"Responses": responses}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client() -> Iterator[Client]:
    with dynamodb.table("pk") as inner:
        yield Client(inner)


def store(client: Client, clock: FakeClock, owner: str = "ours") -> DynamoIdempotencyStore:
    return DynamoIdempotencyStore(client, "table", owner=owner, clock=clock)  # type: ignore[arg-type]


def states(outcomes: Any) -> list[str]:
    return [one.code if isinstance(one, ProcessingError) else one.state for one in outcomes]


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "BatchExecuteStatement")


def test_a_batch_takes_one_call_to_claim_and_one_to_complete(client, clock):
    ours = store(client, clock)

    assert states(ours.acquire_all(KEYS, lease_seconds=30)) == ["owned"] * 3
    assert ours.complete_all([Completion(key=key, result={"of": key}) for key in KEYS]) == [None] * 3

    assert client.made == {"batch_execute_statement": 2}
    found = store(client, clock, "other").acquire_all(KEYS, lease_seconds=30)
    assert found == [Acquisition("done", result={"of": key}) for key in KEYS]


def test_a_single_one_needs_no_batch_and_none_no_call(client, clock):
    ours = store(client, clock)

    assert (ours.acquire_all([], lease_seconds=30), ours.complete_all([])) == ([], [])
    assert states(ours.acquire_all(["a"], lease_seconds=30)) == ["owned"]
    assert ours.complete_all([Completion(key="a")]) == [None]

    assert client.made == {"put_item": 1, "update_item": 1}


def test_more_than_a_call_takes_goes_in_several(client, clock):
    keys = [str(number) for number in range(60)]
    ours = store(client, clock)

    assert states(ours.acquire_all(keys, lease_seconds=30)) == ["owned"] * 60
    assert ours.complete_all([Completion(key=key) for key in keys]) == [None] * 60

    assert client.made == {"batch_execute_statement": 6}


def test_each_key_has_the_outcome_that_it_has_alone(client, clock):
    other = store(client, clock, "other")
    other.acquire("a", lease_seconds=30)
    other.acquire("c", lease_seconds=30)
    other.complete("c", result={"n": 1})
    lease = client.inner.get_item(TableName="table", Key={"pk": {"S": "a"}})["Item"]["lease_expires"]["N"]

    assert store(client, clock).acquire_all(KEYS, lease_seconds=30) == [
        Acquisition("in-progress", lease_expires=float(lease)),
        Acquisition("owned"),
        Acquisition("done", result={"n": 1}),
    ]


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_what_a_batch_finds_expired_is_claimed_anew(client, clock, told):
    other = store(client, clock, "other")
    for key in KEYS:
        other.acquire(key, lease_seconds=30)
    other.complete("a", keep_seconds=60)
    clock.sleep(3600)
    if told:
        items = [client.inner.get_item(TableName="table", Key={"pk": {"S": key}})["Item"] for key in KEYS]
        client.errors = {place: {"Code": "DuplicateItem", "Item": item} for place, item in enumerate(items)}

    assert states(store(client, clock).acquire_all(KEYS, lease_seconds=30)) == ["owned"] * 3


def test_a_told_record_that_stands_needs_no_second_call(client, clock):
    other = store(client, clock, "other")
    other.acquire("a", lease_seconds=30)
    other.complete("a", result={"n": 1})
    item = client.inner.get_item(TableName="table", Key={"pk": {"S": "a"}})["Item"]
    client.errors = {0: {"Code": "DuplicateItem", "Item": item}}
    client.made.clear()

    assert store(client, clock).acquire_all(KEYS, lease_seconds=30)[0] == Acquisition("done", result={"n": 1})
    assert client.made == {"batch_execute_statement": 1}


@pytest.mark.parametrize("code", ["ThrottlingError", "InternalServerError", "AccessDenied", "ValidationError"])
def test_a_statement_that_was_refused_is_written_alone(client, clock, code):
    client.errors = {1: {"Code": code}}
    ours = store(client, clock)

    assert states(ours.acquire_all(KEYS, lease_seconds=30)) == ["owned"] * 3
    assert client.made == {"batch_execute_statement": 1, "put_item": 1}
    assert ours.complete_all([Completion(key=key) for key in KEYS]) == [None] * 3
    assert client.made == {"batch_execute_statement": 2, "put_item": 1, "update_item": 1}
    assert states(store(client, clock, "other").acquire_all(KEYS, lease_seconds=30)) == ["done"] * 3


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_a_batch_that_was_refused_for_good_is_written_one_by_one(client, clock, code):
    client.refusal = refused(code)
    ours = store(client, clock)

    assert states(ours.acquire_all(KEYS, lease_seconds=30)) == ["owned"] * 3
    assert ours.complete_all([Completion(key=key) for key in KEYS]) == [None] * 3
    assert client.made == {"batch_execute_statement": 2, "put_item": 3, "update_item": 3}


def test_a_batch_that_is_throttled_or_not_answered_fails_as_a_whole(client, clock):
    ours = store(client, clock)
    client.refusal = refused("ThrottlingException")
    assert states(ours.acquire_all(KEYS, lease_seconds=30)) == ["aws-ThrottlingException"] * 3

    client.refusal = ReadTimeoutError(endpoint_url="dynamodb")
    outcomes = ours.complete_all([Completion(key=key) for key in KEYS])
    assert all(isinstance(outcome, UnansweredError) for outcome in outcomes)
    assert client.made == {"batch_execute_statement": 2}


def test_who_has_lost_its_lease_completes_nothing(client, clock):
    ours, other = store(client, clock), store(client, clock, "other")
    ours.acquire_all(KEYS, lease_seconds=30)
    clock.sleep(3600)
    other.acquire("b", lease_seconds=30)

    outcomes = ours.complete_all([Completion(key=key) for key in KEYS])

    assert [outcome and outcome.code for outcome in outcomes] == [None, "aws-ConditionalCheckFailedException", None]
    assert store(client, clock, "third").acquire("b", lease_seconds=30).state == "in-progress"


def test_answers_for_another_number_of_statements_are_none(clock):
    class Short:
        def batch_execute_statement(self, **_: Any) -> Any:
            return {"Responses": [{}, {}]}

    outcomes = DynamoIdempotencyStore(Short(), "table", owner="o", clock=clock).acquire_all(KEYS, lease_seconds=30)  # type: ignore[arg-type]

    assert states(outcomes) == ["aws-answers"] * 3


@pytest.mark.parametrize(
    "text", ["it's", "a' , 'state': 'done", "?", "", "a b", 'a"b', "a\nb", "é", "--", "1:a|2:b|ingress"]
)
def test_no_text_of_a_sender_is_part_of_a_statement(text):
    statements = [insert("t", {"pk": {"S": text}, "state": {"S": "started"}})]
    statements.append(update("t", {"state": {"S": "done"}}, where={"pk": {"S": text}}))
    for statement in statements:
        assert statement["Parameters"] == [{"S": text}]
        values = parsed(statement).where or parsed(statement).values
        assert values["pk"] == {"S": text}


def test_plain_values_are_part_of_the_statement():
    item = {"pk": {"S": "a|b"}, "state": {"S": "started"}, "at": {"N": "1790000000.25"}, "n": {"N": "1e+30"}}
    assert insert("t", item) == {
        "Statement": "INSERT INTO \"t\" VALUE {'pk': ?, 'state': 'started', 'at': 1790000000.25, 'n': ?}",
        "Parameters": [{"S": "a|b"}, {"N": "1e+30"}],
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
