"""Secrets: several of them, two versions each, cached, re-read within bounds, good for a while without the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from media_events.adapters.secrets_manager import (
    REFRESH_SECONDS,
    STALE_SECONDS,
    TTL_SECONDS,
    SecretsManager,
    parse_secret,
)
from media_events.core.failures import ProcessingError
from media_events.partners.secrets import DEFAULT_PREVIOUS_SECONDS, PartnerSecrets
from tests.fakes.hop import FakeClock

HOUR = 3600


class FakeStore:
    """Secrets Manager, as far as reading goes; answers as AWS does."""

    def __init__(self, **versions):
        self.versions = versions
        self.created = {}
        self.calls = 0
        self.down = False

    def get_secret_value(self, *, SecretId, VersionStage):  # noqa: N803
        self.calls += 1
        if self.down:
            raise ClientError({"Error": {"Code": "InternalServiceError"}}, "GetSecretValue")
        versions = self.versions.get(SecretId, {})
        if VersionStage not in versions:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        value = versions[VersionStage]
        created = datetime.fromtimestamp(self.created.get((SecretId, VersionStage), 0), UTC)
        return {"CreatedDate": created, ("SecretBinary" if isinstance(value, bytes) else "SecretString"): value}


@pytest.fixture(name="clock")
def _clock():
    return FakeClock()


@pytest.fixture(name="store")
def _store(clock):
    store = FakeStore(a={"AWSCURRENT": "new", "AWSPREVIOUS": "old"}, b={"AWSCURRENT": "other"}, empty={})
    store.created["a", "AWSCURRENT"] = clock.now
    return store


@pytest.fixture(name="secrets")
def _secrets(store, clock):
    return SecretsManager(store, clock=clock, now=clock)


def reread(secrets, arns):
    """Accepted and outdated ones together, which the tests of the cache don't tell apart."""
    again = secrets.reread(arns, previous_seconds=HOUR)
    return None if again is None else sorted({*again.accepted, *again.outdated})


@pytest.mark.attack("A20")
@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, PartnerSecrets(("new", "old"))),
        (HOUR - 1, PartnerSecrets(("new", "old"))),
        (HOUR, PartnerSecrets(("new",), ("old",))),
        (365 * 24 * HOUR, PartnerSecrets(("new",), ("old",))),
    ],
)
def test_a20_previous_version_is_accepted_for_a_time_after_its_successor_was_made(secrets, store, clock, age, expected):
    store.created["a", "AWSCURRENT"] = clock.now - age

    assert secrets.verifying(["a"], previous_seconds=HOUR) == expected


@pytest.mark.attack("A20")
@pytest.mark.parametrize("down", [False, True], ids=["cached", "with the store down"])
def test_a20_previous_version_dies_in_the_cache_too(secrets, store, clock, down):
    store.created["a", "AWSCURRENT"] = clock.now - HOUR + 1
    secrets.verifying(["a"], previous_seconds=HOUR)
    clock.now += TTL_SECONDS if down else 1
    store.down = down

    assert secrets.verifying(["a"], previous_seconds=HOUR) == PartnerSecrets(("new",), ("old",))


@pytest.mark.attack("A20")
def test_a20_no_time_at_all_revokes_the_previous_version(secrets, store, clock):
    store.created["a", "AWSCURRENT"] = clock.now

    assert secrets.verifying(["a"], previous_seconds=0).accepted == ("new",)


def test_secret_that_is_current_anywhere_is_not_outdated(secrets, store, clock):
    store.created["a", "AWSCURRENT"] = clock.now - HOUR
    store.versions["b"]["AWSPREVIOUS"] = "new"

    assert secrets.verifying(["a", "b"], previous_seconds=HOUR) == PartnerSecrets(("new", "other"), ("old",))


def test_previous_version_alone_is_no_secret(secrets, store, clock):
    clock.now += HOUR
    store.versions["a"]["AWSCURRENT"] = ""

    with pytest.raises(ProcessingError, match="still accepted"):
        secrets.verifying(["a"], previous_seconds=HOUR)


@pytest.mark.attack("A20")
def test_a20_nothing_is_signed_with_a_secret_that_was_replaced_a_day_ago(secrets, store, clock):
    store.created["a", "AWSCURRENT"] = clock.now - DEFAULT_PREVIOUS_SECONDS + 1
    assert secrets.values(["a"]) == ["new", "old"]

    clock.now += 1
    assert secrets.values(["a"]) == ["new"]


def test_current_and_previous_of_each_are_given_in_order_and_once(secrets, store):
    store.versions["b"]["AWSPREVIOUS"] = "new"

    assert secrets.values(["a", "b"]) == ["new", "old", "other"]


def test_values_are_cached_for_a_while(secrets, store, clock):
    secrets.values(["a"])
    clock.now += TTL_SECONDS - 1
    secrets.values(["a"])
    assert store.calls == 2

    clock.now += 1
    store.versions["a"] = {"AWSCURRENT": "newest", "AWSPREVIOUS": "new"}

    assert secrets.values(["a"]) == ["newest", "new"]


def test_reread_finds_a_rotated_secret_but_not_more_often_than_bounded(secrets, store, clock):
    secrets.values(["a"])
    store.versions["a"] = {"AWSCURRENT": "newest", "AWSPREVIOUS": "new"}

    assert reread(secrets, ["a"]) == ["new", "newest"]
    assert [reread(secrets, ["a"]) for _ in range(1000)] == [None] * 1000
    assert store.calls == 4

    store.versions["a"] = {"AWSCURRENT": "latest", "AWSPREVIOUS": "newest"}
    clock.now += REFRESH_SECONDS

    assert reread(secrets, ["a"]) == ["latest", "newest"]


def test_store_that_is_down_is_not_asked_more_often_either(secrets, store, clock):
    secrets.values(["a"])
    clock.now += REFRESH_SECONDS
    store.down = True

    assert reread(secrets, ["a"]) == ["new", "old"]
    assert reread(secrets, ["a"]) is None


def test_cached_values_serve_while_the_store_is_down_but_not_for_ever(secrets, store, clock):
    secrets.values(["a"])
    store.down = True
    clock.now += STALE_SECONDS - 1
    assert secrets.values(["a"]) == ["new", "old"]

    clock.now += 1

    with pytest.raises(ProcessingError):
        secrets.values(["a"])


def test_value_that_is_put_at_last_is_found_soon(secrets, store, clock):
    with pytest.raises(ProcessingError):
        secrets.values(["empty"])
    store.versions["empty"] = {"AWSCURRENT": "first"}
    with pytest.raises(ProcessingError):
        secrets.values(["empty"])
    assert store.calls == 2

    clock.now += REFRESH_SECONDS

    assert secrets.values(["empty"]) == ["first"]


def test_secret_re_read_alone_does_not_have_the_others_re_read(secrets, store):
    secrets.values(["a", "b"])
    reread(secrets, ["a"])

    assert reread(secrets, ["a", "b"]) == ["new", "old", "other"]
    assert store.calls == 8


def test_one_secret_that_fails_does_not_take_the_others_along(secrets):
    assert secrets.values(["empty", "absent", "b"]) == ["other"]


@pytest.mark.parametrize("arns", [["empty"], ["absent"], []])
def test_no_value_at_all_is_an_error(secrets, arns):
    with pytest.raises(ProcessingError) as caught:
        secrets.values(arns)

    assert caught.value.code == "no-secret"


@pytest.mark.parametrize(
    ("stored", "values"),
    [
        ("plain", ["plain"]),
        ("pasted\r\n", ["pasted"]),
        (' {"secret": "a"}', ["a"]),
        (json.dumps({"secrets": ["a", "b"]}), ["a", "b"]),
        (json.dumps({"secret": "a", "secrets": ["b", "", 7, None]}), ["a", "b"]),
        (json.dumps({"secrets": "a"}), ["a"]),
        (json.dumps({"secret": ""}), []),
        (json.dumps({"username": "u"}), [json.dumps({"username": "u"})]),
        ("12345", ["12345"]),
        ('"quoted"', ['"quoted"']),
        ("[" * 10_000, ["[" * 10_000]),
        ("", []),
    ],
)
def test_stored_value_is_text_or_a_json_object(stored, values):
    assert parse_secret(stored) == values


@pytest.mark.parametrize(("binary", "values"), [(b"bytes", ["bytes"]), (b"\xff", [])])
def test_binary_secret_is_its_text(store, secrets, binary, values):
    store.versions["binary"] = {"AWSCURRENT": binary}

    assert secrets.values(["binary", "b"]) == [*values, "other"]
