"""Keys at URLs: fetched once, bounded whatever strangers send, and usable while their host is down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from media_events.core.failures import PermanentConfigError, TransientError
from media_events.outbound_http.client import Request, Response
from media_events.partners.key_sources import KeyRequest
from media_events.partners.remote_keys import (
    FRESH_SECONDS,
    MAX_DOCUMENT_BYTES,
    MAX_PATHS_A_MINUTE,
    RETRY_SECONDS,
    STALE_SECONDS,
    RemoteKeys,
)
from tests.unit.media_events.partners.test_public_keys import EC, RSA, ec_jwk, pem, rsa_jwk

URL = "https://keys.example.com/jwks.json"
ORIGIN = "https://static.example.com"


class Host:
    """The host of the keys."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.documents: dict[str, Any] = {"/jwks.json": {"keys": [rsa_jwk(kid="a"), ec_jwk(kid="b")]}}
        self.status = 200
        self.failure: Exception | None = None
        self.now = 1_000.0

    def get(self, request: Request) -> Response:
        self.asked.append(request.target.path)
        if self.failure is not None:
            raise self.failure
        document = self.documents.get(request.target.path)
        if document is None:
            return Response(404)
        text = document if isinstance(document, str) else json.dumps(document)
        return Response(self.status, {}, text.encode())


@pytest.fixture(name="host")
def _host() -> Host:
    return Host()


@pytest.fixture(name="keys")
def _keys(host: Host) -> RemoteKeys:
    return RemoteKeys(lambda: host, clock=lambda: host.now)


def jwks(key_id: str | None = "a") -> KeyRequest:
    return KeyRequest("jwks", URL, key_id)


def path(name: str) -> KeyRequest:
    return KeyRequest("pem", f"{ORIGIN}/{name}")


def test_a_jwk_set_is_fetched_once_an_hour(host, keys):
    assert [json.loads(key)["kid"] for key in keys.find(jwks())] == ["a"]
    assert [json.loads(key)["kid"] for key in keys.find(jwks(None))] == ["a", "b"]
    assert len(host.asked) == 1
    host.now += FRESH_SECONDS
    keys.find(jwks())
    assert len(host.asked) == 2


def test_a_rotated_key_is_found_by_asking_again(host, keys):
    keys.find(jwks())
    host.documents["/jwks.json"]["keys"].append(ec_jwk(kid="new"))
    host.now += RETRY_SECONDS

    assert len(keys.find(jwks("new"))) == 1


@pytest.mark.attack("A27")
def test_a27_made_up_key_ids_cause_one_fetch_a_minute(host, keys):
    for number in range(600):
        assert keys.find(jwks(f"made-up-{number}")) == []
        host.now += 1

    assert len(host.asked) <= 11


@pytest.mark.attack("A27")
def test_a27_made_up_paths_cause_five_fetches_a_minute_and_none_twice(host, keys):
    host.documents["/known.pem"] = pem(RSA)
    keys.find(path("known.pem"))
    host.now += RETRY_SECONDS
    refused = 0
    for number in range(100):
        try:
            assert keys.find(path(f"{number}.pem")) == []
        except TransientError:
            refused += 1
        assert keys.find(path("known.pem")) == [pem(RSA)]

    assert (len(host.asked), refused) == (1 + MAX_PATHS_A_MINUTE, 100 - MAX_PATHS_A_MINUTE)
    host.now += RETRY_SECONDS
    assert keys.find(path("1.pem")) == []
    assert len(host.asked) == 1 + MAX_PATHS_A_MINUTE


@pytest.mark.attack("A27")
def test_a27_memory_is_bounded(host, keys):
    for number in range(1_000):
        keys.find(path(f"{number}.pem"))
        host.now += RETRY_SECONDS / MAX_PATHS_A_MINUTE + 1

    assert max(len(keys._refused), len(keys._documents)) <= 64


def test_kept_keys_are_used_for_a_day_while_the_host_is_down(host, keys):
    host.documents["/known.pem"] = pem(EC)
    keys.find(jwks())
    keys.find(path("known.pem"))
    host.failure = TransientError("timeout", "no answer")
    host.now += STALE_SECONDS - 1

    assert len(keys.find(jwks())) == 1
    assert keys.find(path("known.pem")) == [pem(EC)]
    host.now += 2
    for wanted in (jwks(), path("known.pem")):
        with pytest.raises(TransientError):
            keys.find(wanted)


def test_a_host_that_is_down_is_asked_once_a_minute(host, keys):
    host.failure = TransientError("timeout", "no answer")
    for _ in range(30):
        with pytest.raises(TransientError):
            keys.find(jwks())
        host.now += 1

    assert len(host.asked) == 1
    host.failure, host.now = None, host.now + RETRY_SECONDS
    assert len(keys.find(jwks())) == 1


@pytest.mark.parametrize("document", ["[]", "{", '{"keys": 7}', '{"keys": [1, {}]}', "[" * 100_000, "\x00\ufffd"])
def test_a_document_that_is_no_jwk_set_has_no_keys(host, keys, document):
    host.documents["/jwks.json"] = document

    assert keys.find(jwks(None)) == []


def test_private_and_encryption_keys_are_left_out(host, keys):
    host.documents["/jwks.json"] = {"keys": [rsa_jwk(kid="a", d="AQAB"), rsa_jwk(kid="b", use="enc")]}

    assert keys.find(jwks(None)) == []


def test_an_answer_that_is_too_large_or_no_success_is_no_document(host, keys):
    host.documents["/jwks.json"] = "x" * (MAX_DOCUMENT_BYTES + 1)
    with pytest.raises(PermanentConfigError):
        keys.find(jwks())
    host.now, host.status = host.now + RETRY_SECONDS, 500
    with pytest.raises(TransientError):
        keys.find(jwks())


def test_a_path_without_a_key_is_none(host, keys):
    host.documents["/junk.pem"] = "no key"

    assert keys.find(path("junk.pem")) == []
