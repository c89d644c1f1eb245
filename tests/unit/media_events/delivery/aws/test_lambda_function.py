"""Functions of the user's: waited for or handed over, and what their errors mean."""

from __future__ import annotations

import io
import json

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from media_events.adapters.aws_lambda.invoke import LambdaTarget
from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.delivery.aws.lambda_function import LambdaDelivery
from media_events.delivery.config import LambdaDestination
from tests.fakes.events import make_event

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:on-asset"


class Client:
    def __init__(self, answer=None):
        self.answer = answer
        self.calls = []

    def invoke(self, **arguments):
        self.calls.append(arguments)
        if isinstance(self.answer, Exception):
            raise self.answer
        payload, error = self.answer or (b"null", None)
        return {"StatusCode": 200, "Payload": io.BytesIO(payload), **({"FunctionError": error} if error else {})}


def deliver(client, seconds_left=25.0, **settings):
    destination = LambdaDestination(name="on-asset", function_arn=FUNCTION, **settings)
    return LambdaDelivery(destination, LambdaTarget(client)).deliver(make_event(), seconds_left=seconds_left)


def raised(kind, message="no"):
    return json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled"


def test_a_function_gets_the_event_and_is_waited_for():
    client = Client()
    assert deliver(client) == {"status": 200}
    assert client.calls[0]["InvocationType"] == "RequestResponse"
    assert json.loads(client.calls[0]["Payload"]) == make_event().to_detail()


def test_a_function_may_be_left_to_lambdas_own_queue():
    client = Client()
    deliver(client, seconds_left=0.5, invocation="event", form="data")
    assert client.calls[0]["InvocationType"] == "Event"
    assert json.loads(client.calls[0]["Payload"]) == make_event().data


def test_a_function_that_could_outlive_us_is_not_begun():
    client = Client()
    with pytest.raises(TransientError) as late:
        deliver(client, seconds_left=19.0)
    assert (late.value.code, client.calls) == ("no-time-left", [])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("KeyError", TransientError),
        ("PermanentDataError", PermanentDataError),
        ("handlers.errors.PermanentConfigError", PermanentConfigError),
        (None, TransientError),
    ],
)
def test_the_class_of_what_a_function_raises_says_whether_to_try_again(kind, expected):
    with pytest.raises(expected):
        deliver(Client(raised(kind)))


def test_a_functions_error_is_stored_for_review_without_secrets():
    with pytest.raises(TransientError) as failed:
        deliver(Client(raised("Broken\x1b[2J", "token=planted-secret and \x1b[31m why")))
    assert "planted-secret" not in failed.value.response
    assert "\x1b" not in failed.value.response + failed.value.code
    assert "why" in failed.value.response


@pytest.mark.parametrize("payload", [b"not json", b"[]", b"", b"[" * 100_000])
def test_an_error_of_another_shape_may_pass(payload):
    with pytest.raises(TransientError):
        deliver(Client((payload, "Unhandled")))


@pytest.mark.parametrize(
    ("error", "expected", "code"),
    [
        (ReadTimeoutError(endpoint_url="https://lambda"), TransientError, "timeout"),
        (ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"), TransientError, None),
        (ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Invoke"), PermanentConfigError, None),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke"), PermanentConfigError, None),
        (ClientError({"Error": {"Code": "InvalidRuntimeException"}}, "Invoke"), PermanentConfigError, None),
        (ClientError({"Error": {"Code": "RequestTooLargeException"}}, "Invoke"), PermanentDataError, None),
    ],
)
def test_a_refusal_of_lambda_has_its_class(error, expected, code):
    with pytest.raises(expected) as refused:
        deliver(Client(error))
    assert refused.value.code == (code or f"aws-{error.response['Error']['Code']}")
