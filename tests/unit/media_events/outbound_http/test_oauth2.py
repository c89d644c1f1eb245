"""Bearer tokens: asked for as the standard says, kept while they last, asked for again when refused."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from media_events.core.configuration import ConfigurationError
from media_events.core.failures import Failure, PermanentConfigError, TransientError
from media_events.delivery.config import parse_destination
from media_events.delivery.http.config import HttpDestination
from media_events.delivery.http.delivery import HttpDelivery
from media_events.outbound_http.address_guard import parse_networks, parse_target
from media_events.outbound_http.authentication import ClientCredentials
from media_events.outbound_http.client import Response
from media_events.outbound_http.endpoint import HttpEndpoint
from media_events.outbound_http.oauth2 import DEFAULT_LIFETIME_SECONDS, Token, TokenCache, request_token
from tests.fakes.events import make_event
from tests.fakes.hop import FakeClock

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf"
SECRET = json.dumps({"client_id": "media events", "client_secret": "s3:cr+et"})
TOKEN_URL = "https://id.example.com/oauth/token"
NOW = 1_790_000_000.0


def answer(status=200, **document):
    return Response(status, body=json.dumps(document).encode())


def granted(token="t-1", **document):
    return answer(access_token=token, **{"token_type": "Bearer", "expires_in": 3600, **document})


class Client:
    """Answers requests to the token endpoint and to the destination, each from a list of its own."""

    def __init__(self, tokens=(), answers=()):
        self.tokens, self.answers = list(tokens), list(answers)
        self.asked, self.delivered = [], []

    def post(self, request):
        if request.target.host == "id.example.com":
            self.asked.append(request)
            answers = self.tokens
        else:
            self.delivered.append(request)
            answers = self.answers
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def credentials(**changes):
    return ClientCredentials(**{"secret_arn": ARN, "token_target": parse_target(TOKEN_URL), **changes})


def ask(client, secrets=(SECRET,), **changes):
    return request_token(
        credentials(**changes),
        client=client,
        read_secrets=lambda _arn: list(secrets),
        now=NOW,
        timeout_seconds=8,
        allowed_networks=parse_networks(["10.0.0.0/8"]),
    )


# --- the request -------------------------------------------------------------------------------------------------


def test_credentials_go_by_basic_form_encoded_as_the_standard_says():
    client = Client([granted()])
    ask(client, scope="assets:write", audience="https://cms")
    (request,) = client.asked
    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"media+events:s3%3Acr%2Bet"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["assets:write"],
        "audience": ["https://cms"],
    }


def test_credentials_go_in_the_body_where_the_endpoint_wants_them_there():
    client = Client([granted()])
    ask(client, client_authentication="body")
    (request,) = client.asked
    assert "Authorization" not in request.headers
    assert parse_qs(request.body.decode())["client_secret"] == ["s3:cr+et"]


@pytest.mark.attack("N1")
def test_the_token_endpoint_is_behind_the_same_guard_as_the_destination():
    client = Client([granted()])
    ask(client)
    assert client.asked[0].allowed_networks == parse_networks(["10.0.0.0/8"])


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com/token",
        "https://169.254.169.254/token",
        "https://10.0.0.1/",
        "https://a:b@id.example.com/",
        None,
    ],
)
def test_a_token_url_that_a_destination_could_not_have_is_refused_at_configuration(url):
    auth = {"type": "oauth2-client-credentials", "secret_arn": ARN, "token_url": url}
    document = {"name": "cms", "type": "http", "url": "https://cms.example.com/", "auth": auth}
    with pytest.raises(ConfigurationError, match=r"auth\.token_url"):
        parse_destination({"destination": document})


def test_configuration_is_read():
    auth = {
        "type": "oauth2-client-credentials",
        "secret_arn": ARN,
        "token_url": TOKEN_URL,
        "scope": "a b",
        "audience": None,
        "client_authentication": "body",
    }
    document = {"name": "cms", "type": "http", "url": "https://cms.example.com/", "auth": auth}
    expected = credentials(scope="a b", client_authentication="body")
    assert parse_destination({"destination": document}).endpoint.authentication == expected


@pytest.mark.parametrize(("key", "value"), [("scope", 5), ("client_authentication", "jwt"), ("header", "x-a")])
def test_a_mistake_in_the_configuration_is_named(key, value):
    auth = {"type": "oauth2-client-credentials", "secret_arn": ARN, "token_url": TOKEN_URL, key: value}
    document = {"name": "cms", "type": "http", "url": "https://cms.example.com/", "auth": auth}
    with pytest.raises(ConfigurationError, match=rf"auth\.{key}"):
        parse_destination({"destination": document})


# --- the answer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires_in", "lasts"),
    [
        (3600, 3540),
        ("3600", 3540),
        (100, 90),
        (None, DEFAULT_LIFETIME_SECONDS * 0.9),
        (-5, DEFAULT_LIFETIME_SECONDS * 0.9),
        (True, DEFAULT_LIFETIME_SECONDS * 0.9),
        ("soon", DEFAULT_LIFETIME_SECONDS * 0.9),
        (1e12, 86_340),
    ],
)
def test_a_token_is_given_up_before_it_expires(expires_in, lasts):
    assert ask(Client([granted(expires_in=expires_in)])) == Token("t-1", NOW + lasts)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_an_endpoint_that_is_down_may_come_back(status):
    response = Response(status, headers={"retry-after": "7"})
    with pytest.raises(TransientError) as failed:
        ask(Client([response]))
    assert (failed.value.code, failed.value.retry_after) == (f"token-http-{status}", 7)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404])
def test_a_refusal_is_a_matter_of_configuration_and_says_the_standards_code(status):
    with pytest.raises(PermanentConfigError) as refused:
        ask(Client([answer(status, error="invalid_client", error_description="key s3cret")]))
    assert refused.value.code == "token-refused"
    assert refused.value.message.endswith(f"{status}: invalid_client")


def test_a_refused_secret_gives_way_to_the_previous_one():
    older = json.dumps({"client_id": "media", "client_secret": "older"})
    client = Client([answer(401, error="invalid_client"), granted("t-2")])
    assert ask(client, secrets=[SECRET, older]).value == "t-2"


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b'{"access_token": ""}', b'{"access_token": "a\\nb"}', b'{"access_token": 5}', b"[" * 99_999],
)
def test_an_answer_without_a_usable_token_says_so(body):
    with pytest.raises(TransientError) as failed:
        ask(Client([Response(200, body=body)]))
    assert failed.value.code == "token-malformed"


def test_half_an_answer_holds_no_token():
    cut = TransientError("connection-lost", "in the middle")
    with pytest.raises(TransientError) as failed:
        ask(Client([replace(granted(), cut=cut)]))
    assert failed.value is cut


def test_a_token_of_another_type_can_not_be_used():
    with pytest.raises(PermanentConfigError):
        ask(Client([granted(token_type="mac")]))


@pytest.mark.parametrize(
    "secret", ["planted-secret", "{}", '{"client_id": "a"}', '{"client_id": "", "client_secret": "b"}']
)
def test_a_secret_of_another_form_is_told_without_its_value(secret):
    with pytest.raises(PermanentConfigError) as refused:
        ask(Client(), secrets=[secret])
    assert refused.value.code == "secret-unusable"
    assert "planted" not in str(refused.value)


# --- the cache ---------------------------------------------------------------------------------------------------


def test_a_token_is_kept_while_it_lasts():
    cache, fetched = TokenCache(), []

    def fetch():
        fetched.append(1)
        return Token(f"t-{len(fetched)}", 100 * len(fetched))

    assert [cache.value(fetch, now=now) for now in (0, 50, 99, 100, 150)] == ["t-1", "t-1", "t-1", "t-2", "t-2"]


def test_forgetting_an_old_token_leaves_the_new_one():
    cache = TokenCache()
    cache.value(lambda: Token("new", 100), now=0)
    cache.forget("old")
    assert cache.value(lambda: Token("newer", 100), now=0) == "new"


def concurrently(cache, fetch, started):
    """Two calls of which the second begins while the first one's request is under way."""
    results = []

    def call():
        try:
            results.append(cache.value(fetch, now=0))
        except TransientError as error:
            results.append(error.code)

    first, second = threading.Thread(target=call), threading.Thread(target=call)
    first.start()
    assert started.wait(10)
    second.start()
    return results, first, second


@pytest.mark.parametrize("fails", [False, True])
def test_those_who_need_a_token_at_once_share_one_request_and_its_failure(fails):
    started, go, requests = threading.Event(), threading.Event(), []

    def fetch():
        requests.append(1)
        started.set()
        assert go.wait(10)
        if fails:
            raise TransientError("token-http-503", "down")
        return Token("t-1", 100)

    cache = TokenCache()
    lock = cache._lock
    waiting = threading.Event()

    class Watched:
        """The cache's lock, which tells when somebody waits for it."""

        def __enter__(self):
            if lock.locked():
                waiting.set()
            return lock.__enter__()

        def __exit__(self, *arguments):
            return lock.__exit__(*arguments)

    cache._lock = Watched()
    results, first, second = concurrently(cache, fetch, started)
    assert waiting.wait(10)
    go.set()
    first.join(10)
    second.join(10)
    assert results == ["token-http-503" if fails else "t-1"] * 2
    assert len(requests) == 1


def test_a_failure_is_not_remembered_for_those_who_come_later():
    cache = TokenCache()

    def down():
        raise TransientError("token-http-503", "down")

    with pytest.raises(TransientError):
        cache.value(down, now=0)
    assert cache.value(lambda: Token("t-1", 100), now=0) == "t-1"


# --- deliveries --------------------------------------------------------------------------------------------------


def delivery(client, clock=None):
    destination = HttpDestination(
        name="cms",
        endpoint=HttpEndpoint(target=parse_target("https://cms.example.com/events"), authentication=credentials()),
    )
    return HttpDelivery(
        destination=destination, client=client, read_secrets=lambda _arn: [SECRET], clock=clock or FakeClock(NOW)
    )


OK, UNAUTHENTICATED = Response(204), Response(401)


def bearers(client):
    return [request.headers["Authorization"] for request in client.delivered]


def test_one_token_serves_many_deliveries():
    client = Client([granted()], [OK, OK])
    sender = delivery(client)
    for _ in range(2):
        assert sender.deliver(make_event(), seconds_left=30) == {"status": 204}
    assert bearers(client) == ["Bearer t-1", "Bearer t-1"]
    assert len(client.asked) == 1


def test_a_refused_token_is_replaced_once():
    client = Client([granted("t-1"), granted("t-2")], [OK, UNAUTHENTICATED, OK])
    sender = delivery(client)
    for _ in range(2):
        sender.deliver(make_event(), seconds_left=30)
    assert bearers(client) == ["Bearer t-1", "Bearer t-1", "Bearer t-2"]


def test_a_fresh_token_that_is_refused_as_well_is_a_matter_of_configuration():
    client = Client([granted("t-1"), granted("t-2")], [UNAUTHENTICATED, UNAUTHENTICATED])
    with pytest.raises(PermanentConfigError) as refused:
        delivery(client).deliver(make_event(), seconds_left=30)
    assert refused.value.code == "http-401"
    assert len(client.delivered) == 2


def test_without_a_token_nothing_is_sent():
    client = Client([TransientError("timeout", "no answer")])
    with pytest.raises(TransientError):
        delivery(client).deliver(make_event(), seconds_left=30)
    assert client.delivered == []


def test_a_token_that_took_the_functions_time_leaves_none_to_send():
    clock = FakeClock(NOW)

    class Slow(Client):
        def post(self, request):
            clock.sleep(9.5)
            return super().post(request)

    client = Slow([granted()], [OK])
    with pytest.raises(TransientError) as late:
        delivery(client, clock).deliver(make_event(), seconds_left=10)
    assert (late.value.code, client.delivered) == ("no-time-left", [])


@pytest.mark.attack("N11")
def test_neither_the_secret_nor_the_token_is_in_a_failure():
    client = Client([granted("planted-token")], [Response(422, body=b'{"access_token": "planted-token"}')])
    with pytest.raises(Exception) as refused:  # noqa: PT011 - whatever it is
        delivery(client).deliver(make_event(), seconds_left=30)
    failure = Failure.of(refused.value, hop="route/cms", receivecount=1, firsttime="", lasttime="")
    assert "planted-token" not in failure.to_json()
    assert "s3:cr" not in failure.to_json()
