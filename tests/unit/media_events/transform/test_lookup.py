"""Lookups: questions, answers, missing and malformed answers, and the cache."""

from __future__ import annotations

import threading

import pytest

from media_events.core.configuration import ConfigurationError
from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.outbound_http.client import Response
from media_events.transform import parse_steps, transform
from media_events.transform.lookup_cache import LookupCache
from tests.fakes.events import make_event
from tests.fakes.transform_ports import Outside, page

ACCOUNT = "eu-west-1:123456789012"
SECRET = f"arn:aws:secretsmanager:{ACCOUNT}:secret:partner-AbCdEf"
TABLE = f"arn:aws:dynamodb:{ACCOUNT}:table/titles"
URL = "https://api.example.com/files/{data.id}"
DATA = {"id": "a-1", "kind": "file"}


@pytest.fixture(name="outside")
def _outside():
    return Outside(
        pages={"api.example.com/files/a-1": {"name": "reel.mov", "size": 7}},
        items={'{"asset": "a-1"}': {"asset": "a-1", "title": "Dune"}},
        objects={"in/a-1.mov": {"size": 3, "metadata": {"reel": "7"}}},
        sidecars={"in/a-1.json": b'{"title": "Dune"}'},
    )


def lookup(source=None, **settings):
    return {"lookup": {**(source or http()), "into": "found", **settings}}


def http(url=URL, **settings):
    return {"http": {"url": url, **settings}}


def table(**settings):
    return {"dynamodb": {"table_arn": TABLE, "key": {"asset": "data.id"}, **settings}}


def s3(**settings):
    return {"s3": {"bucket": "inbox", "key": "join('', ['in/', data.id, '.mov'])", **settings}}


def data_after(outside, *steps, data=None):
    (event,) = transform(make_event(DATA if data is None else data), parse_steps(list(steps)), outside.ports)
    assert event.metadata == make_event().metadata
    return event.data


def test_a_template_reads_json_inside_a_text(outside):
    url = "https://api.example.com/files/{parse_json(data.passthrough).id}"

    assert data_after(outside, lookup(http(url)), data={"passthrough": '{"id": "a-1"}'})["found"]["name"] == "reel.mov"


def test_a_lookup_s_private_authority_goes_with_its_question_and_with_its_token_s(outside):
    outside.secrets = {SECRET: ["the authority"], f"{SECRET}2": ['{"client_id": "id", "client_secret": "s"}']}
    outside.pages["login.example.com/token"] = {"access_token": "t", "token_type": "Bearer", "expires_in": 60}
    data_after(outside, lookup(http(auth={**OAUTH, "secret_arn": f"{SECRET}2"}, tls={"ca_secret_arn": SECRET})))

    assert [asked.target.authority for asked in outside.asked] == ["login.example.com", "api.example.com"]
    assert [asked.tls.authorities for asked in outside.asked] == ["the authority"] * 2


def failure_of(outside, *steps, data=None):
    with pytest.raises((PermanentConfigError, PermanentDataError, TransientError)) as caught:
        data_after(outside, *steps, data=data)
    return caught.value


################################################################################
# All lookups
################################################################################


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        (http(), {"name": "reel.mov", "size": 7}),
        (table(), {"asset": "a-1", "title": "Dune"}),
        (s3(), {"size": 3, "metadata": {"reel": "7"}}),
        (s3(sidecar="{stem}.json"), {"title": "Dune"}),
    ],
)
def test_answer_is_put_where_it_is_wanted(outside, source, answer):
    assert data_after(outside, lookup(source, into="asset.details")) == {**DATA, "asset": {"details": answer}}


def test_part_of_an_answer_is_taken(outside):
    assert data_after(outside, lookup(take="{title: name, bytes: size}"))["found"] == {"title": "reel.mov", "bytes": 7}


def test_lookup_is_made_only_where_it_is_wanted(outside):
    step = lookup(when="data.kind == 'file'")

    assert "found" in data_after(outside, step)
    assert data_after(outside, step, data={**DATA, "kind": "folder"}) == {**DATA, "kind": "folder"}
    assert len(outside.asked) == 1


NOTHING = {
    "a page that is not there": (http(), {"id": "b"}),
    "an item that is not there": (table(), {"id": "b"}),
    "an object that is not there": (s3(), {"id": "b"}),
    "a sidecar that is not there": (s3(sidecar="{key}.json"), {"id": "b"}),
}


@pytest.mark.parametrize(("source", "data"), NOTHING.values(), ids=NOTHING)
def test_missing_answer_is_handled_as_configured(outside, source, data):
    assert data_after(outside, lookup(source, missing="pass"), data=data) == data
    assert data_after(outside, lookup(source, missing="default", default=None), data=data) == {**data, "found": None}

    failed = failure_of(outside, lookup(source), data=data)
    assert (failed.failure_class, failed.code) == ("permanent-data", "lookup-missing")
    assert failed.message.startswith("steps[0].lookup: ")

    again = failure_of(outside, lookup(source, missing="retry"), data=data)
    assert (again.failure_class, again.code) == ("transient", "lookup-missing")


@pytest.mark.parametrize("source", [http(), table(), s3(key="data.key")])
@pytest.mark.parametrize("data", [{"kind": "file"}, {"id": "", "key": ""}])
def test_event_without_the_key_has_no_answer_and_asks_nobody(outside, source, data):

    assert data_after(outside, lookup(source, missing="pass"), data=data) == data
    for missing in ("fail", "retry"):
        failed = failure_of(outside, lookup(source, missing=missing), data=data)
        assert (failed.failure_class, failed.code) == ("permanent-data", "lookup-without-key")
    assert not outside.asked


def test_nothing_is_taken_of_nothing(outside):
    assert data_after(outside, lookup(take="length(@)", missing="pass"), data={"id": "b"}) == {"id": "b"}


def test_part_that_an_answer_does_not_have_is_not_found(outside):
    assert failure_of(outside, lookup(take="title")).code == "lookup-missing"


def test_lookup_that_could_outlive_the_function_is_not_begun(outside):
    outside.left = 2.3

    failed = failure_of(outside, lookup())

    assert (failed.code, failed.retry_after) == ("no-time-left", 1.0)
    assert not outside.asked


def test_lookup_waits_no_longer_than_the_function_lives(outside):
    outside.left = 5.0

    data_after(outside, lookup())

    assert outside.asked[0].timeout_seconds == pytest.approx(3.0)


def test_result_of_one_lookup_is_the_key_of_the_next(outside):
    outside.pages["api.example.com/reels/reel.mov"] = page([1, 2])

    data = data_after(outside, lookup(), lookup(http("https://api.example.com/reels/{data.found.name}"), into="reel"))

    assert data["reel"] == [1, 2]


################################################################################
# A partner's API
################################################################################


def test_api_is_asked_by_get_for_json(outside):
    data_after(outside, lookup(http(headers={"X-Version": "4"}, timeout_seconds=2)))

    (request,) = outside.asked
    assert (request.method, request.target.path, request.body) == ("GET", "/files/a-1", b"")
    assert request.headers["Accept"] == "application/json"
    assert request.headers["X-Version"] == "4"
    assert request.timeout_seconds == 2


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a b/c?d#e", "/files/a%20b%2Fc%3Fd%23e"),
        ("é", "/files/%C3%A9"),
        ("x\r\nHost: evil", "/files/x%0D%0AHost%3A%20evil"),
        ("a@evil.example", "/files/a%40evil.example"),
        ("a..b", "/files/a..b"),
        (7, "/files/7"),
    ],
)
def test_values_are_percent_encoded(outside, value, path):
    outside.pages["api.example.com" + path] = {"ok": True}

    assert data_after(outside, lookup(), data={"id": value})["found"] == {"ok": True}


@pytest.mark.parametrize(
    "value", ["..", ".", "../admin", "..\\admin", "a/../../b", "%2e%2e", "%252e%252e/x", "..;/x", "x/%2e%2e/y"]
)
def test_value_that_would_climb_out_of_its_place_is_refused(outside, value):
    failed = failure_of(outside, lookup(missing="pass"), data={"id": value})

    assert (failed.failure_class, failed.code) == ("permanent-data", "lookup-url")
    assert not outside.asked


@pytest.mark.parametrize("value", [True, {"a": 1}, ["a"]])
def test_value_that_is_neither_text_nor_number_is_refused(outside, value):
    assert failure_of(outside, lookup(), data={"id": value}).code == "lookup-url"


def test_value_that_makes_the_url_too_long_is_refused(outside):
    assert failure_of(outside, lookup(), data={"id": "x" * 3000}).code == "lookup-url"


def test_dots_are_no_climbing_in_a_query(outside):
    outside.pages["api.example.com/find?path=a%2F..%2Fb"] = {"ok": True}

    step = lookup(http("https://api.example.com/find?path={data.id}"))

    assert data_after(outside, step, data={"id": "a/../b"})["found"] == {"ok": True}


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (Response(429, {"retry-after": "7"}), "transient", "lookup-http-429"),
        (Response(503, {"retry-after": "7"}), "transient", "lookup-http-503"),
        (Response(500), "transient", "lookup-http-500"),
        (Response(401), "permanent-config", "lookup-http-401"),
        (Response(403), "permanent-config", "lookup-http-403"),
        (Response(301, {"location": "https://evil.example/"}), "permanent-config", "lookup-http-301"),
        (Response(400), "permanent-data", "lookup-http-400"),
        (Response(200, {}, b"<html>"), "transient", "lookup-not-json"),
        (Response(200, {}, b"{}", TransientError("connection-lost", "cut")), "transient", "connection-lost"),
        (Response(200, {}, b'{"a": NaN}'), "transient", "lookup-not-json"),
        (Response(200, {}, b'"' + b"x" * 1024 * 1024 + b'"'), "permanent-data", "lookup-too-large"),
        (Response(200, {}, b"[" + b"[]," * 100_000 + b"0]"), "permanent-data", "lookup-too-large"),
        (TransientError("timeout", "slow"), "transient", "timeout"),
        (PermanentConfigError("address-forbidden", "no"), "permanent-config", "address-forbidden"),
    ],
)
def test_bad_answer_is_judged(outside, response, kind, code):
    outside.pages["api.example.com/files/a-1"] = response

    failed = failure_of(outside, lookup(missing="pass"))

    assert (failed.failure_class, failed.code) == (kind, code)
    assert failed.retry_after == (7.0 if "retry-after" in getattr(response, "headers", {}) else None)


@pytest.mark.parametrize("status", [204, 404, 410])
def test_answers_that_there_is_nothing(outside, status):
    outside.pages["api.example.com/files/a-1"] = Response(status)

    assert data_after(outside, lookup(missing="pass")) == DATA


def test_null_is_nothing(outside):
    outside.pages["api.example.com/files/a-1"] = page(None)

    assert data_after(outside, lookup(missing="pass")) == DATA


def test_failure_holds_what_the_api_said_and_no_secret(outside):
    outside.secrets[SECRET] = ["live-key"]
    outside.pages["api.example.com/files/a-1"] = Response(403, {}, b'{"error": "expired", "key": "live-key"}')

    failed = failure_of(outside, lookup(http(auth={"type": "api-key", "header": "X-Key", "secret_arn": SECRET})))

    assert "expired" in failed.response
    assert "live-key" not in failed.response + str(failed)
    assert "https://api.example.com answered 403" in failed.message


def test_api_key_and_basic_come_from_the_secret(outside):
    outside.secrets[SECRET] = ["user:word"]

    data_after(outside, lookup(http(auth={"type": "api-key", "header": "X-Key", "secret_arn": SECRET})))
    data_after(outside, lookup(http(auth={"type": "basic", "secret_arn": SECRET})))

    assert outside.asked[0].headers["X-Key"] == "user:word"
    assert outside.asked[1].headers["Authorization"] == "Basic dXNlcjp3b3Jk"


OAUTH = {"type": "oauth2-client-credentials", "secret_arn": SECRET, "token_url": "https://login.example.com/token"}


def test_token_is_fetched_once_and_anew_where_it_is_refused(outside):
    outside.secrets[SECRET] = ['{"client_id": "kit", "client_secret": "s"}']
    outside.pages["login.example.com/token"] = [
        page({"access_token": "t1", "token_type": "bearer", "expires_in": 3600}),
        page({"access_token": "t2", "token_type": "bearer", "expires_in": 3600}),
    ]
    answers = [page(1), page(2), Response(401), page(3)]
    outside.pages["api.example.com/files/a-1"] = answers
    steps = parse_steps([lookup(http(auth=OAUTH))])

    found = [transform(make_event(DATA), steps, outside.ports)[0].data["found"] for _ in range(3)]

    sent = [request.headers.get("Authorization") for request in outside.asked if request.method == "GET"]
    assert found == [1, 2, 3]
    assert sent == ["Bearer t1", "Bearer t1", "Bearer t1", "Bearer t2"]


def test_token_that_is_refused_twice_is_our_configuration(outside):
    outside.secrets[SECRET] = ['{"client_id": "kit", "client_secret": "s"}']
    outside.pages["login.example.com/token"] = {"access_token": "t", "token_type": "bearer"}
    outside.pages["api.example.com/files/a-1"] = Response(401)

    assert failure_of(outside, lookup(http(auth=OAUTH))).code == "lookup-http-401"


################################################################################
# Tables and objects
################################################################################


def test_table_is_asked_by_its_key(outside):
    key = {"asset": "data.id", "version": "`2`"}
    outside.items['{"asset": "a-1", "version": 2}'] = {"title": "Dune"}

    data = data_after(outside, lookup(table(key=key, consistent=True, timeout_seconds=3)))

    assert data["found"] == {"title": "Dune"}
    assert outside.asked == [(TABLE, {"asset": "a-1", "version": 2}, True, 3.0)]


@pytest.mark.parametrize("value", [True, {"a": 1}, []])
def test_key_that_no_table_has_is_the_event_s_fault(outside, value):
    assert failure_of(outside, lookup(table()), data={"id": value}).code == "lookup-key"


@pytest.mark.parametrize(
    ("sidecar", "key", "asked"),
    [
        ("{key}.json", "in/a.mov", "in/a.mov.json"),
        ("{stem}.json", "in/a.b.mov", "in/a.b.json"),
        ("{stem}.json", "in.d/a", "in.d/a.json"),
        ("{stem}.json", "in/.hidden", "in/.hidden.json"),
        ("side/{stem}.json", "{key}.mov", "side/{key}.json"),
    ],
)
def test_sidecar_s_key_is_made_of_the_object_s(outside, sidecar, key, asked):
    outside.sidecars[asked] = b"[]"

    assert data_after(outside, lookup(s3(key="data.id", sidecar=sidecar)), data={"id": key})["found"] == []


def test_object_outside_the_prefix_is_not_asked_for(outside):
    step = lookup(s3(key="data.id", prefix="in/"))

    assert failure_of(outside, step, data={"id": "other/a.mov"}).code == "lookup-key"
    assert not outside.asked


@pytest.mark.parametrize("key", [7, ["in"], "x" * 1025, "\ud800"])
def test_key_that_no_object_has_is_the_event_s_fault(outside, key):
    assert failure_of(outside, lookup(s3(key="data.id")), data={"id": key}).code == "lookup-key"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<xml/>", "lookup-not-json"),
        (b"[" * 40_000, "lookup-not-json"),
        (b"[" * 100_000, "lookup-too-large"),
        (b" " * 1_048_577, "lookup-too-large"),
    ],
)
def test_unusable_sidecar_is_the_data_s_fault(outside, content, code):
    outside.sidecars["in/a-1.json"] = content

    failed = failure_of(outside, lookup(s3(sidecar="{stem}.json")))

    assert (failed.failure_class, failed.code) == ("permanent-data", code)


################################################################################
# The cache
################################################################################


def asked_for(steps, outside, *identities):
    for identity in identities:
        outside.pages.setdefault(f"api.example.com/files/{identity}", {"id": identity})
        transform(make_event({"id": identity}), steps, outside.ports)
    paths = [request.target.path.rpartition("/")[2] for request in outside.asked]
    outside.asked.clear()
    return paths


def test_question_is_asked_every_time_without_a_cache(outside):
    assert asked_for(parse_steps([lookup()]), outside, "a", "a") == ["a", "a"]


def test_answer_is_cached_for_its_seconds(outside):
    steps = parse_steps([lookup(cache={"seconds": 60})])

    assert asked_for(steps, outside, "a", "a", "b") == ["a", "b"]
    outside.now += 59
    assert asked_for(steps, outside, "a") == []
    outside.now += 1
    assert asked_for(steps, outside, "a", "a") == ["a"]


def test_answer_that_was_used_least_lately_gives_way(outside):
    steps = parse_steps([lookup(cache={"seconds": 60, "entries": 2})])

    assert asked_for(steps, outside, "a", "b", "a", "c", "a", "b") == ["a", "b", "c", "b"]


def test_missing_answer_is_not_cached(outside):
    steps = parse_steps([lookup(cache={"seconds": 60}, missing="pass")])
    outside.pages["api.example.com/files/a"] = [Response(404), page({"there": "now"})]

    assert asked_for(steps, outside, "a", "a", "a") == ["a", "a"]


def test_failure_is_not_cached(outside):
    steps = parse_steps([lookup(cache={"seconds": 60})])
    outside.pages["api.example.com/files/a-1"] = [Response(503), page(1)]

    with pytest.raises(TransientError):
        transform(make_event(DATA), steps, outside.ports)
    assert transform(make_event(DATA), steps, outside.ports)[0].data["found"] == 1


def test_cached_answer_can_not_be_changed():
    cache = LookupCache(seconds=60)
    for _ in range(2):
        answer = cache.get("a", lambda: {"tags": []}, now=0)
        assert answer == {"tags": []}
        answer["tags"].append("changed")


def test_cached_answers_are_bounded_by_their_size():
    cache = LookupCache(seconds=60, max_bytes=100)
    for key in "abc":
        cache.get(key, lambda: "x" * 40, now=0)
    cache.get("large", lambda: "x" * 200, now=0)
    asked = []

    for key in ("large", "a", "c"):
        cache.get(key, lambda key=key: asked.append(key) or 1, now=1)

    assert asked == ["large", "a"]


def test_answer_in_the_clock_s_future_is_not_trusted():
    cache = LookupCache(seconds=60)
    cache.get("a", lambda: 1, now=1000)

    assert cache.get("a", lambda: 2, now=10) == 2


def test_events_that_ask_the_same_at_once_ask_once():
    cache, begun, go = LookupCache(seconds=60), threading.Semaphore(0), threading.Event()
    asked, found = [], []

    def ask():
        asked.append(1)
        begun.release()
        assert go.wait(10)
        return {"n": len(asked)}

    def get():
        if asked:
            begun.release()
        found.append(cache.get("a", ask, now=0))

    threads = [threading.Thread(target=get) for _ in range(4)]
    for thread in threads:
        thread.start()
        assert begun.acquire(timeout=10)
    go.set()
    for thread in threads:
        thread.join(10)

    assert (len(asked), found) == (1, [{"n": 1}] * 4)


def test_events_that_wait_for_an_answer_get_its_failure_and_ask_again_later():
    cache, begun, go = LookupCache(), threading.Event(), threading.Event()
    failures = []

    def ask():
        begun.set()
        assert go.wait(10)
        raise TransientError("timeout", "slow")

    def get():
        with pytest.raises(TransientError) as caught:
            cache.get("a", ask, now=0)
        failures.append(caught.value.code)

    threads = [threading.Thread(target=get) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert begun.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)

    assert failures == ["timeout", "timeout"]
    assert cache.get("a", lambda: 1, now=0) == 1


################################################################################
# Bad configuration
################################################################################


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ({"lookup": "x"}, r"steps[0].lookup: must be an object, not a text"),
        ({"lookup": {"into": "a"}}, "steps[0].lookup: must have exactly one of dynamodb, http, s3"),
        (lookup({**http(), **table()}), "steps[0].lookup: must have exactly one of dynamodb, http, s3"),
        ({"lookup": http()}, "steps[0].lookup.into: must be the path in data"),
        (lookup(into="a..b"), "steps[0].lookup.into: 'a..b' must be names with single dots"),
        (lookup(into=5), "steps[0].lookup.into: 5 must be names"),
        (lookup(when="["), "steps[0].lookup.when: '[' is not JMESPath"),
        (lookup(take=5), "steps[0].lookup.take: must be a JMESPath expression in text"),
        (lookup(missing="skip"), "steps[0].lookup.missing: must be one of fail, retry, default, pass, not 'skip'"),
        (lookup(missing="default"), "steps[0].lookup.default: belongs to missing: default"),
        (lookup(default=1), "steps[0].lookup.default: belongs to missing: default"),
        (lookup(onto=1), "steps[0].lookup.onto: is unknown"),
        (lookup(cache={}), "steps[0].lookup.cache.seconds: must say how old"),
        (lookup(cache=5), "steps[0].lookup.cache: must be an object"),
        (lookup(cache={"seconds": 0}), "steps[0].lookup.cache.seconds: must be a number above 0"),
        (lookup(cache={"seconds": 1, "entries": 1001}), "steps[0].lookup.cache.entries: must be a whole number from 1"),
        (lookup(http(5)), "steps[0].lookup.http.url: must be text such as"),
        (lookup({"http": []}), "steps[0].lookup.http: must be an object"),
        (lookup(http("https://{data.host}/a")), "steps[0].lookup.http.url: has an expression in its host"),
        (lookup(http("{data.url}")), "has an expression in its host"),
        (lookup(http("https://api.example.com{data.port}/")), "has an expression in its host"),
        (lookup(http("https://a.example/{data.id")), "has braces that don't pair up"),
        (lookup(http("https://a.example/{[}")), "steps[0].lookup.http.url: '[' is not JMESPath"),
        (lookup(http("http://a.example/{data.id}")), "steps[0].lookup.http.url: its scheme must be https"),
        (lookup(http("https://10.0.0.1/{data.id}")), "steps[0].lookup.http.url: its address is forbidden"),
        (lookup(http(headers={"Authorization": "x"})), "would put a credential into configuration"),
        (
            lookup(http(timeout_seconds=61)),
            "steps[0].lookup.http.timeout_seconds: must be a number above 0 and up to 60",
        ),
        (lookup(http(method="POST")), "steps[0].lookup.http.method: is unknown"),
        (lookup(http(auth={"type": "basic"})), "steps[0].lookup.http.auth.secret_arn: must be the ARN"),
        (
            lookup(http(auth={"type": "standard-webhooks", "secret_arn": SECRET})),
            "steps[0].lookup.http.auth.type: must be api-key, basic or oauth2-client-credentials",
        ),
        (
            lookup(http(auth={"type": "basic", "secret_arn": SECRET, "kms_key": {"arn": "alias/a"}})),
            "steps[0].lookup.http.auth.kms_key.arn: must be the ARN of a key",
        ),
        (lookup(table(table_arn="titles")), "steps[0].lookup.dynamodb.table_arn: must be the ARN of a table"),
        (lookup(table(key="data.id")), "steps[0].lookup.dynamodb.key: must be an object"),
        (lookup(table(key={})), "steps[0].lookup.dynamodb.key: must be an object"),
        (lookup(table(key={"a": "["})), "steps[0].lookup.dynamodb.key.a: '[' is not JMESPath"),
        (lookup(table(consistent="yes")), "steps[0].lookup.dynamodb.consistent: must be true or false"),
        (lookup({"dynamodb": []}), "steps[0].lookup.dynamodb: must be an object"),
        (lookup(s3(bucket="data.bucket!")), "steps[0].lookup.s3.bucket: must be the name of a bucket"),
        (lookup(s3(key=None)), "steps[0].lookup.s3.key: must be a JMESPath expression"),
        (lookup(s3(prefix="in/*")), "steps[0].lookup.s3.prefix: must be text without *"),
        (lookup(s3(sidecar="meta.json")), "steps[0].lookup.s3.sidecar: must be the sidecar's key with {key} or {stem}"),
        (lookup({"s3": []}), "steps[0].lookup.s3: must be an object"),
    ],
)
def test_unusable_lookup_is_named(step, problem):
    with pytest.raises(ConfigurationError) as caught:
        parse_steps([step])

    assert any(problem in reported for reported in caught.value.problems), caught.value.problems


def test_key_of_a_secret_is_for_the_permissions_alone():
    auth = {"type": "basic", "secret_arn": SECRET, "kms_key": {"arn": f"arn:aws:kms:{ACCOUNT}:key/k"}}

    assert len(parse_steps([lookup(http(auth=auth))])) == 1
