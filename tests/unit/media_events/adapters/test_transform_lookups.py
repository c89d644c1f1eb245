"""What lookups and calls make of AWS's answers: items, objects, functions, and Python functions in layers."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from media_events.adapters.aws_lambda.user_code import LambdaFunctions, load
from media_events.adapters.dynamodb.lookup import DynamoTables
from media_events.adapters.s3.lookup import S3Objects
from media_events.core.configuration import ConfigurationError
from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.handlers import transform as handler

TABLE = "arn:aws:dynamodb:eu-north-1:123456789012:table/titles"
FUNCTION = "arn:aws:lambda:eu-north-1:123456789012:function:classify"


class Client:
    """Answers every operation with ``answer``; an exception is raised."""

    def __init__(self, answer):
        self.answer = answer
        self.called = []
        self.made_for = []

    def __call__(self, *made_for):
        self.made_for.append(made_for)
        return self

    def __getattr__(self, operation):
        def call(**arguments):
            self.called.append((operation, arguments))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


def refused(code, status=400):
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")


# Tables


def item(client, **key):
    return DynamoTables(client).item(TABLE, key or {"id": "a"}, consistent=True, timeout_seconds=3)


def test_item_is_read_by_its_key_in_the_table_s_region():
    client = Client({"Item": {"id": {"S": "a"}}})

    assert item(client, id="a", version=2, weight=0.5) == {"id": "a"}

    assert client.made_for == [("eu-north-1", 3)]
    key = {"id": {"S": "a"}, "version": {"N": "2"}, "weight": {"N": "0.5"}}
    assert client.called == [("get_item", {"TableName": TABLE, "Key": key, "ConsistentRead": True})]


def test_every_type_of_attribute_becomes_json():
    attributes = {
        "s": {"S": "é"},
        "n": {"N": "7"},
        "f": {"N": "0.5"},
        "e": {"N": "1E+2"},
        "t": {"BOOL": True},
        "z": {"NULL": True},
        "b": {"B": b"\x00"},
        "ss": {"SS": ["b", "a"]},
        "ns": {"NS": ["10", "9"]},
        "bs": {"BS": [b"b", b"a"]},
        "l": {"L": [{"S": "x"}, {"M": {"y": {"N": "1"}}}]},
    }

    assert item(Client({"Item": attributes})) == {
        "s": "é",
        "n": 7,
        "f": 0.5,
        "e": 100,
        "t": True,
        "z": None,
        "b": "AA==",
        "ss": ["a", "b"],
        "ns": [9, 10],
        "bs": ["YQ==", "Yg=="],
        "l": ["x", {"y": 1}],
    }
    assert not isinstance(item(Client({"Item": {"n": {"N": "7"}}}))["n"], Decimal)


def test_item_that_is_not_there_is_nothing():
    assert item(Client({})) is None


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourceNotFoundException", PermanentConfigError),
        ("AccessDeniedException", PermanentConfigError),
        ("ValidationException", PermanentDataError),
        ("ProvisionedThroughputExceededException", TransientError),
    ],
)
def test_refusal_of_a_table_is_judged(code, error):
    with pytest.raises(error):
        item(Client(refused(code)))


# Objects


def properties(client):
    return S3Objects(client).properties("inbox", "a.mov", timeout_seconds=3)


def test_object_s_properties_are_json():
    modified = datetime(2026, 11, 23, 12, tzinfo=UTC)
    answer = {"ContentLength": 0, "ETag": '"e"', "LastModified": modified, "Metadata": {"Reel": "7"}, "Restore": "x"}
    client = Client(answer)

    assert properties(client) == {
        "size": 0,
        "etag": "e",
        "last_modified": "2026-11-23T12:00:00Z",
        "metadata": {"reel": "7"},
    }
    assert client.called == [("head_object", {"Bucket": "inbox", "Key": "a.mov"})]


def test_no_more_of_an_object_is_read_than_is_wanted():
    client = Client({"Body": io.BytesIO(b"0123456789")})

    assert S3Objects(client).content("inbox", "a", max_bytes=4, timeout_seconds=3) == b"0123"


@pytest.mark.parametrize("code", ["404", "NoSuchKey", "NotFound"])
def test_object_that_is_not_there_is_nothing(code):
    client = Client(refused(code, 404))

    assert properties(client) is None
    assert S3Objects(client).content("inbox", "a", max_bytes=4, timeout_seconds=3) is None


class AbsentBucket(Client):
    """Moto names the code in its answer to HEAD; S3 has only the status to give."""

    def head_object(self, **_arguments):
        raise refused("404", 404)


def test_properties_in_an_absent_bucket_are_our_configuration_not_an_absent_object():
    client = AbsentBucket(refused("NoSuchBucket", 404))

    with pytest.raises(PermanentConfigError, match="NoSuchBucket"):
        properties(client)
    assert client.called == [("get_object", {"Bucket": "inbox", "Key": "a.mov"})]
    assert all(0 < seconds <= 3 for (seconds,) in client.made_for)


def test_object_that_came_between_the_two_questions_was_not_there():
    assert properties(AbsentBucket({"Body": io.BytesIO(b"mov")})) is None


@pytest.mark.parametrize("code", ["403", "AccessDenied", "Forbidden"])
def test_object_that_is_forbidden_is_our_configuration(code):
    with pytest.raises(PermanentConfigError, match="may not list the bucket"):
        properties(Client(refused(code, 403)))


@pytest.mark.parametrize(("code", "error"), [("SlowDown", TransientError), ("NoSuchBucket", PermanentConfigError)])
def test_refusal_of_a_bucket_is_judged(code, error):
    with pytest.raises(error):
        S3Objects(Client(refused(code))).content("inbox", "a", max_bytes=4, timeout_seconds=3)


# Functions


def answer(client):
    return LambdaFunctions(client).answer(FUNCTION, "{}", timeout_seconds=7)


def test_function_is_waited_for_in_its_own_region():
    client = Client({"StatusCode": 200, "Payload": io.BytesIO(b'{"a": 1}')})

    assert answer(client) == b'{"a": 1}'

    assert client.made_for == [("eu-north-1", 7)]
    ((_, arguments),) = client.called
    assert (arguments["FunctionName"], arguments["InvocationType"]) == (FUNCTION, "RequestResponse")


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (b'{"errorType": "PermanentDataError", "errorMessage": "x"}', PermanentDataError),
        (b'{"errorType": "PermanentConfigError"}', PermanentConfigError),
        (b'{"errorType": "KeyError"}', TransientError),
        (b"<html>", TransientError),
    ],
)
def test_what_a_function_raises_is_judged_by_its_name(raised, error):
    with pytest.raises(error):
        answer(Client({"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(raised)}))


def test_function_that_takes_too_long_is_tried_again():
    with pytest.raises(TransientError, match="did not answer in time"):
        answer(Client(ReadTimeoutError(endpoint_url="https://lambda")))


# Python


@pytest.fixture(name="layer")
def _layer(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    load.cache_clear()
    yield tmp_path
    load.cache_clear()
    for module in set(sys.modules) - before:
        del sys.modules[module]


def test_python_function_is_found_in_a_layer(layer):
    (layer / "acme_layer.py").write_text("def tidy(event): return {**event, 'tidy': True}\n")

    assert load("acme_layer:tidy")({"a": 1}) == {"a": 1, "tidy": True}


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("acme_none:tidy", "there is no module acme_none: add a layer that has it under python/"),
        ("acme_needs:tidy", "there is no module numberland, which acme_needs needs: add a layer"),
        ("acme_bad:tidy", "importing acme_bad raised ZeroDivisionError"),
        ("acme_exits:tidy", "importing acme_exits raised SystemExit"),
        ("acme_good:tidies", "the module acme_good has no function tidies"),
        ("acme_good:number", "the module acme_good has no function number"),
    ],
)
def test_python_function_that_can_not_be_had_is_told(layer, name, reported):
    (layer / "acme_needs.py").write_text("import numberland\n")
    (layer / "acme_bad.py").write_text("1 / 0\n")
    (layer / "acme_exits.py").write_text("raise SystemExit(1)\n")
    (layer / "acme_good.py").write_text("number = 1\ndef tidy(event): ...\n")

    with pytest.raises(ConfigurationError) as caught:
        load(name)

    assert reported in caught.value.problems[0]


# Clients


@pytest.mark.parametrize(("seconds", "timeout"), [(60, 30), (59, 15), (5, 2.5), (4.9, 1.0), (0.6, 0.5)])
def test_lookups_in_aws_have_few_clients_and_end_in_time(monkeypatch, seconds, timeout):
    made = []
    monkeypatch.setattr(handler, "client", lambda service, **options: made.append((service, options)))

    handler._lookup_client("s3", seconds)

    assert made == [("s3", {"read_timeout": timeout, "attempts": 2, "region": None})]
