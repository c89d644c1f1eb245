"""The configuration of a destination: every mistake named at once, nothing dangerous let in."""

from __future__ import annotations

import pytest

from media_events.core.configuration import ConfigurationError
from media_events.delivery.config import HttpDestination, StepFunctionsDestination, parse_destination
from media_events.outbound_http.authentication import ApiKey, Basic, StandardWebhooks

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:ingest"


def http(**changes):
    return {"destination": {"name": "cms", "type": "http", "url": "https://cms.example.com/events", **changes}}


def test_a_url_is_all_that_an_http_destination_needs():
    destination = parse_destination(http())
    assert isinstance(destination, HttpDestination)
    endpoint = destination.endpoint
    assert (destination.mode, endpoint.timeout_seconds, endpoint.authentication) == ("structured", 10.0, None)


def test_nulls_mean_defaults():
    nulls = dict.fromkeys(("mode", "headers", "timeout_seconds", "auth", "allowed_private_cidrs"))
    assert parse_destination(http(**nulls)) == parse_destination(http())


def test_a_state_machine_is_read():
    document = {"destination": {"name": "ingest", "type": "step-functions", "state_machine_arn": MACHINE}}
    assert parse_destination(document) == StepFunctionsDestination(name="ingest", state_machine_arn=MACHINE)


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"type": "api-key", "header": "X-Key", "secret_arn": SECRET}, ApiKey("X-Key", SECRET)),
        ({"type": "basic", "secret_arn": SECRET}, Basic(SECRET)),
        ({"type": "standard-webhooks", "secret_arn": SECRET, "header": None}, StandardWebhooks(SECRET)),
    ],
)
def test_authentication_is_read(auth, expected):
    assert parse_destination(http(auth=auth)).endpoint.authentication == expected


def test_every_mistake_is_named_at_once():
    document = http(
        name="no spaces",
        url="http://169.254.169.254/",
        mode="xml",
        timeout_seconds=0,
        headers={"Host": "evil", "X-Fine": "yes"},
        auth={"type": "magic"},
        allowed_private_cidrs=["0.0.0.0/0"],
        surprise=1,
    )
    with pytest.raises(ConfigurationError) as refused:
        parse_destination(document)
    named = " ".join(refused.value.problems)
    for part in ("name", "url", "mode", "timeout_seconds", "headers.Host", "auth.type", "allowed_private", "surprise"):
        assert part in named
    assert "X-Fine" not in named


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Cookie",
        "User-Agent",
        "Content-Type",
        "Idempotency-Key",
        "webhook-signature",
        "ce-id",
        "X-Amz-Date",
        "x-goog-anything",
        "svix-id",
        "X-Forwarded-For",
        "Proxy-Authorization",
        "Sec-Fetch-Mode",
        "Bad Header",
        "Bad\r\nHeader",
        "",
        "é",
    ],
)
def test_a_header_that_others_rely_on_can_not_be_configured(name):
    with pytest.raises(ConfigurationError):
        parse_destination(http(headers={name: "value"}))


@pytest.mark.parametrize("value", ["a\r\nb: c", "é", "\x00", "a" * 5000, 5, None])
def test_a_header_value_that_would_split_the_request_is_refused(value):
    with pytest.raises(ConfigurationError):
        parse_destination(http(headers={"X-Custom": value}))


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key"])
def test_a_credential_does_not_belong_into_configuration(name):
    with pytest.raises(ConfigurationError, match="use auth"):
        parse_destination(http(headers={name: "s3cret"}))


def test_a_header_given_twice_in_two_spellings_is_refused():
    with pytest.raises(ConfigurationError, match="twice"):
        parse_destination(http(headers={"X-A": "1", "x-a": "2"}))


def test_an_api_key_may_use_a_credential_header():
    auth = {"type": "api-key", "header": "X-Api-Key", "secret_arn": SECRET}
    assert parse_destination(http(auth=auth)).endpoint.authentication == ApiKey("X-Api-Key", SECRET)


@pytest.mark.parametrize("header", ["Host", "bad header", None, "webhook-id"])
def test_an_api_key_can_not_take_a_header_that_others_rely_on(header):
    with pytest.raises(ConfigurationError, match=r"auth\.header"):
        parse_destination(http(auth={"type": "api-key", "header": header, "secret_arn": SECRET}))


def test_an_api_key_must_not_fight_with_a_configured_header():
    auth = {"type": "api-key", "header": "x-partner", "secret_arn": SECRET}
    with pytest.raises(ConfigurationError, match="set by auth"):
        parse_destination(http(auth=auth, headers={"X-Partner": "abc"}))


@pytest.mark.parametrize("arn", [None, "whsec_abc", "arn:aws:s3:::bucket", ""])
def test_a_secret_is_named_by_arn_and_never_given(arn):
    with pytest.raises(ConfigurationError, match="secret_arn"):
        parse_destination(http(auth={"type": "basic", "secret_arn": arn}))


@pytest.mark.parametrize("document", [None, [], {}, {"destination": None}, {"destination": []}, {"destination": {}}])
def test_a_document_of_another_shape_is_refused(document):
    with pytest.raises(ConfigurationError):
        parse_destination(document)


@pytest.mark.parametrize("arn", [None, "ingest", MACHINE.replace("stateMachine", "execution")])
def test_a_state_machine_is_named_by_its_arn(arn):
    with pytest.raises(ConfigurationError, match="state_machine_arn"):
        parse_destination({"destination": {"name": "ingest", "type": "step-functions", "state_machine_arn": arn}})
