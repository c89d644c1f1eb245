"""The calls made without botocore's models: the same requests, answers, errors and number of attempts."""

from __future__ import annotations

import json
import zlib
from types import SimpleNamespace

import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError, ReadTimeoutError

from media_events.adapters import boto_clients, direct_calls

CLAIM = {"TableName": "t", "Item": {"pk": {"S": "k"}}, "ConditionExpression": "attribute_not_exists(pk)"}
ENTRY = {
    "EventBusName": "media",
    "Source": "partner.mux",
    "DetailType": "asset.ready",
    "Detail": '{"é":"\ud83d\ude00"}',
}
THROTTLED = (400, {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow"})
LOST = ReadTimeoutError(endpoint_url="https://events")
UNREACHED = EndpointConnectionError(endpoint_url="https://events")


class Aws:
    """Answers each request with the next of ``answers``: a status and a document, or an error."""

    def __init__(self):
        self.answers, self.requests, self.checksum = [], [], None

    def __call__(self, request, **_about):
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else (200, {})
        if isinstance(answer, Exception):
            raise answer
        status, document = answer
        content = json.dumps(document).encode()
        checksum = zlib.crc32(content) if self.checksum is None else self.checksum
        headers = HeadersDict({"x-amz-crc32": str(checksum), "x-amzn-requestid": "r"})
        return AWSResponse(request.url, status, headers, SimpleNamespace(stream=lambda *_, **__: iter([content])))


@pytest.fixture(name="aws")
def _aws(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    aws, cached = Aws(), (boto_clients.client, boto_clients._make_patient_once, boto_clients._session)
    for made in cached:
        made.cache_clear()
    boto_clients._session().register("before-send.*.*", aws)
    yield aws
    for made in cached:
        made.cache_clear()


def sent(request):
    """What of a request AWS looks at."""
    headers = {name: text.decode() if isinstance(text, bytes) else text for name, text in request.headers.items()}
    named = ("X-Amz-Target", "Content-Type", "X-Amz-Security-Token", "X-Amzn-Trace-Id")
    scope = headers["Authorization"].split(",")[0]
    return request.url, json.loads(request.body), [headers.get(name) for name in named], scope


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_ENDPOINT_URL": "http://localhost:4566"},
        {"AWS_DEFAULT_REGION": "cn-north-1"},
        {"AWS_DEFAULT_REGION": "us-gov-west-1"},
        {"AWS_LAMBDA_FUNCTION_NAME": "f", "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793"},
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        ("dynamodb", "put_item", CLAIM),
        (
            "dynamodb",
            "batch_execute_statement",
            {"Statements": [{"Statement": "SELECT 1", "Parameters": [{"N": "1"}]}]},
        ),
        ("events", "put_events", {"Entries": [ENTRY]}),
    ],
)
def test_a_direct_call_sends_what_botocore_sends(monkeypatch, aws, environment, call):
    service, method, parameters = call
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    direct = boto_clients.client(service)
    assert isinstance(getattr(direct, method), direct_calls._DirectCall)

    getattr(direct, method)(**parameters)
    getattr(boto_clients.client(service, attempts=1), method)(**parameters)

    first, second = map(sent, aws.requests)
    assert first == second


def test_an_answer_is_its_members(aws):
    aws.answers = [(200, {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]})]

    assert boto_clients.client("events").put_events(Entries=[ENTRY])["Entries"] == [{"EventId": "e"}]


def test_a_condition_that_does_not_hold_is_told_with_the_item_and_not_repeated(aws):
    item = {"pk": {"S": "k"}, "owner": {"S": "other"}}
    refusal = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "no"}
    aws.answers = [(400, refusal | {"Item": item})]
    client = boto_clients.client("dynamodb")

    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as caught:
        client.put_item(**CLAIM)

    assert caught.value.response["Error"] == {"Code": "ConditionalCheckFailedException", "Message": "no"}
    assert caught.value.response["Item"] == item
    assert len(aws.requests) == 1


@pytest.mark.parametrize("answer", [THROTTLED, (500, {}), (503, {}), UNREACHED, LOST])
def test_a_call_is_made_three_times_at_most_and_its_error_is_botocores(aws, answer):
    aws.answers = [answer] * 9

    with pytest.raises((ClientError, type(answer) if isinstance(answer, Exception) else ClientError)) as caught:
        boto_clients.client("dynamodb").put_item(**CLAIM)

    assert len(aws.requests) == boto_clients.MAX_ATTEMPTS
    if answer is THROTTLED:
        assert caught.value.response["Error"]["Code"] == "ThrottlingException"


@pytest.mark.parametrize("answer", [THROTTLED, (500, {}), UNREACHED])
def test_a_refused_call_with_an_effect_is_repeated(aws, answer):
    aws.answers = [answer, (200, {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]})]

    assert boto_clients.client_for_effects("events").put_events(Entries=[ENTRY])["Entries"] == [{"EventId": "e"}]
    assert len(aws.requests) == 2


@pytest.mark.parametrize("before", [[], [THROTTLED], [UNREACHED, (500, {})]])
def test_a_call_with_an_effect_whose_answer_is_lost_is_never_repeated(aws, before):
    aws.answers = [*before, LOST]

    with pytest.raises(ReadTimeoutError):
        boto_clients.client_for_effects("events").put_events(Entries=[ENTRY])

    assert len(aws.requests) == len(before) + 1


def test_an_answer_that_does_not_fit_its_checksum_is_asked_for_again(aws):
    aws.checksum = 1
    call = boto_clients.client("dynamodb").put_item
    asked = []
    again = direct_calls._DirectCall(
        **{
            **vars(call),
            "rest": lambda: SimpleNamespace(put_item=lambda **request: asked.append(request) or {"from": "botocore"}),
        }
    )

    assert again(**CLAIM) == {"from": "botocore"}
    assert asked == [CLAIM]


def test_a_parameter_that_json_does_not_have_is_botocores_to_refuse(aws):
    with pytest.raises(ParamValidationError):
        boto_clients.client("dynamodb").put_item(TableName="t", Item={"pk": {"S": b"bytes"}})

    assert aws.requests == []


def test_each_call_has_the_credentials_of_its_time(aws):
    class Refreshed:
        turn = 0

        def get_frozen_credentials(self):
            self.turn += 1
            return SimpleNamespace(access_key=f"AKID{self.turn}", secret_key="s", token=f"t{self.turn}")

    client = boto_clients.client("dynamodb", attempts=1)
    unused = SimpleNamespace()
    direct_calls.make_direct(client, Refreshed(), unused, rest=lambda: client, repeats_unanswered=True)
    client.put_item(**CLAIM)
    client.put_item(**CLAIM)

    assert [request.headers["X-Amz-Security-Token"] for request in aws.requests] == ["t1", "t2"]


def test_the_protocols_are_those_of_the_models(aws):  # noqa: ARG001
    for service, methods in direct_calls.OPERATIONS.items():
        model = boto_clients.client(service).meta.service_model
        prefix, content_type = direct_calls.PROTOCOLS[service]
        assert prefix == model.metadata["targetPrefix"]
        assert content_type == f"application/x-amz-json-{model.metadata['jsonVersion']}"
        assert set(methods.values()) <= set(model.operation_names)


def test_a_client_whose_endpoint_has_a_path_makes_all_calls_itself(monkeypatch, aws):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566/account/")

    boto_clients.client("events").put_events(Entries=[ENTRY])

    assert aws.requests[0].url == "http://localhost:4566/account/"
    assert "put_events" not in vars(boto_clients.client("events"))
