"""The page answers this machine's browser alone: by the page's own name, with its key, from its own forms."""

from __future__ import annotations

import re

import pytest
from flask import url_for

from media_events_kit.ops.review_web.app import create
from media_events_kit.ops.review_web.request_guard import HEADERS, MAX_REQUEST_BYTES, Gate, gate_on
from tests.unit.ops.review_web.conftest import HOST, KEY, PORT, Browser

PATHS = ["/", "/items", "/operations", "/help", "/find?id=x", "/groups/x", "/items/x", "/items/x/state", "/nothing"]


@pytest.mark.attack("D1")
@pytest.mark.parametrize("path", PATHS)
def test_d1_a_browser_without_the_key_is_refused(stranger, path):
    answer = stranger.get(path)
    assert answer.status_code == 401
    assert "media-events review serve" in answer.text


def test_a_browser_without_the_key_learns_nothing_of_the_deployment(stranger):
    text = stranger.get("/").text
    assert "prod" not in text
    assert "media-operator" not in text


@pytest.mark.attack("D1")
@pytest.mark.parametrize("key", ["", "wrong", "the-key-of-this-ru", "thé"])
def test_d1_a_wrong_key_does_not_let_in(stranger, key):
    assert stranger.enter(key).status_code == 401
    assert stranger.get("/").status_code == 401


def test_the_key_lets_in_and_does_not_stay_in_the_address(stranger):
    answer = stranger.enter()
    assert answer.status_code == 200
    assert KEY not in answer.text
    assert answer.headers["Refresh"] == "0; url=/"
    assert stranger.get("/").status_code == 200


@pytest.mark.attack("D3")
def test_d3_the_key_lets_in_one_browser_once(stranger, app, item):
    assert stranger.enter().status_code == 200
    second = Browser(app, item)
    assert second.enter().status_code == 401
    assert second.get("/").status_code == 401
    assert stranger.get("/").status_code == 200


@pytest.mark.attack("D3")
def test_d3_the_operator_is_told_of_each_browser_and_gets_a_new_link(world, item):
    told = []
    gate = Gate(host=HOST, key=KEY, entered=told.append)
    app = create(world.place, gate)
    assert Browser(app, item).enter("wrong").status_code == 401
    assert told == []
    assert Browser(app, item).enter().status_code == 200
    assert told == [gate.link]
    assert KEY not in gate.link
    assert Browser(app, item).enter(gate.link.partition("?key=")[2]).status_code == 200


@pytest.mark.attack("D4")
def test_d4_the_cookie_is_for_the_name_of_this_run_alone(stranger):
    """A cookie without ``Domain`` is for its host alone, and for every port of it: hence the name of each run."""
    cookie = stranger.enter().headers["Set-Cookie"]
    assert "Domain" not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    names = {gate_on(PORT).host for _ in range(20)}
    assert len(names) == 20
    assert all(re.fullmatch(rf"[0-9a-f]{{32}}\.localhost:{PORT}", name) for name in names)


@pytest.mark.attack("D4")
def test_d4_a_cookie_of_another_run_does_not_let_in(stranger, world):
    cookie = stranger.enter().headers["Set-Cookie"].partition(";")[0]
    other = create(world.place, Gate(host=HOST, key="another")).test_client()
    assert other.get("/", base_url=f"http://{HOST}", headers={"Cookie": cookie}).status_code == 401


@pytest.mark.attack("D5")
@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT}", f"localhost:{PORT}", ""),
        *(f"{HOST}.evil.example:{PORT}", f"x.{HOST}", HOST.partition(":")[0]),
    ],
)
def test_d5_another_name_for_the_machine_is_refused_even_with_the_cookie(browser, host):
    for path in ("/", "/enter?key=the-key-of-this-run", "/static/review.css"):
        assert browser.get(path, host=host).status_code == 421


@pytest.mark.parametrize("host", [HOST, HOST.upper()])
def test_the_page_answers_to_its_own_name(stranger, host):
    assert stranger.get("/static/review.css", host=host).status_code == 200


def post_paths(item):
    base = f"/items/{item.item_id}"
    return [
        *(f"{base}/{what}" for what in ("retry", "archive", "restore", "note", "body", "data", "edit")),
        *(f"{base}/edit/{what}" for what in ("finish", "abandon")),
        *("/selection", f"/groups/{item.group_id}/retry", f"/groups/{item.group_id}/archive"),
        *("/operations/x/cancel", "/operations/x/resume"),
    ]


def test_every_form_of_the_page_is_tried_here(app, item):
    rules = {rule.rule for rule in app.url_map.iter_rules() if "POST" in rule.methods}
    tried = {re.sub(r"^/(items|groups|operations)/[^/]+", r"/\1/<id>", path) for path in post_paths(item)}
    assert {re.sub(r"<(?:path:)?\w+>", "<id>", rule) for rule in rules} == tried


@pytest.mark.attack("D6")
def test_d6_nothing_changes_without_the_token_of_a_form(browser, item, world):
    for path in post_paths(item):
        answer = browser.post(path, {"reason": "x", "do": "retry", "item": item.item_id}, token=False)
        assert answer.status_code == 400, path
        assert "too old" in answer.text
        assert browser.post(path, {"reason": "x"}, token="forged").status_code == 400
    assert world.get(item) == item
    assert list(world.place.review.audit.entries(item.item_id)) == []


@pytest.mark.attack("D6")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"https://{HOST}"},
        {"origin": "http://127.0.0.1:1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
    ],
)
def test_d6_a_form_of_another_page_is_refused_even_with_the_token(browser, item, world, headers):
    answer = browser.post(f"/items/{item.item_id}/retry", {"version": "1"}, **headers)
    assert answer.status_code == 403
    assert world.get(item) == item


@pytest.mark.attack("D7")
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/", "/items", "/static/review.css", "/nothing"])
def test_d7_a_page_that_another_site_asks_for_is_refused_even_with_the_cookie(browser, path, site):
    assert browser.get(path, sec_fetch_site=site).status_code == 403


@pytest.mark.parametrize("site", [None, "none", "same-origin"])
def test_the_page_itself_and_a_typed_address_are_answered(browser, site):
    assert browser.get("/", sec_fetch_site=site).status_code == 200


@pytest.mark.attack("D7")
def test_d7_the_link_may_be_opened_from_a_file_and_not_be_loaded_into_a_page(stranger):
    for place in ("iframe", "image", "empty", "script"):
        answer = stranger.get(f"/enter?key={KEY}", sec_fetch_site="cross-site", sec_fetch_dest=place)
        assert answer.status_code == 403
    answer = stranger.get(f"/enter?key={KEY}", sec_fetch_site="cross-site", sec_fetch_dest="document")
    assert answer.status_code == 200


@pytest.mark.attack("D8")
def test_d8_a_get_request_changes_nothing(browser, item, world):
    for path in post_paths(item):
        if not path.endswith("/edit"):
            assert browser.get(path).status_code in {404, 405}, path
    assert world.get(item) == item


@pytest.mark.attack("D8")
def test_d8_no_get_request_writes_the_audit(browser, app, item, world):
    world.allow_edits("asset.ready")
    writes = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:TransactWriteItems", "s3:PutObject")
    written = [world.requests[name] for name in writes]
    names = {"item_id": item.item_id, "group_id": item.group_id, "operation_id": "x", "filename": "review.css"}
    asked = set()
    with app.test_request_context(base_url=f"http://{HOST}"):
        rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and rule.endpoint != "enter"]
        paths = [url_for(rule.endpoint, **{name: names[name] for name in rule.arguments}) for rule in rules]
    for path in paths:
        asked.add(browser.get(path).status_code)
    assert asked <= {200, 303, 404}
    assert [world.requests[name] for name in writes] == written
    assert list(world.place.review.audit.entries(item.item_id)) == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_refused(browser, method):
    answer = browser.client.open("/", method=method, base_url=f"http://{HOST}", headers={"Host": HOST})
    assert answer.status_code in {400, 405}


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/static/review.css", "/static/review.js", "/enter?key=x", "/items/x/state"]
)
def test_every_answer_has_the_headers_that_protect_it(browser, path):
    answer = browser.get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "Server" not in answer.headers


@pytest.mark.attack("D9")
def test_d9_the_policy_lets_nothing_run_but_the_page_s_own(browser):
    policy = dict(part.split(" ", 1) for part in browser.get("/").headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy)


@pytest.mark.slow
def test_no_page_has_content_that_the_policy_would_stop(browser, item):
    for path in ("/", "/items", f"/items/{item.item_id}", f"/groups/{item.group_id}", "/operations", "/help"):
        html = browser.get(path).text
        assert re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=|<style|javascript:", html) is None, path


@pytest.mark.slow
@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example", "/\\evil.example", "\r\nLocation: x"])
def test_nobody_can_be_sent_elsewhere(browser, item, where):
    for path in (f"/enter?key=the-key-of-this-run&next={where}", f"/find?id={where}", f"/find?id=x&next={where}"):
        answer = browser.get(path)
        location = answer.headers.get("Location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
    for back in (where, f"/groups/{where}", "../..", "/evil"):
        answer = browser.post("/selection", {"do": "retry", "back": back})
        assert answer.headers.get("Location", "/groups/").startswith(("/groups/",)), back
    answer = browser.post(f"/items/{item.item_id}/note", {"text": "x", "next": where})
    assert answer.headers["Location"] == f"/items/{item.item_id}"


def test_too_much_is_refused(browser, item):
    answer = browser.post(f"/items/{item.item_id}/note", {"text": "x" * MAX_REQUEST_BYTES})
    assert answer.status_code == 413


def test_a_fault_of_the_page_tells_nothing_of_how_it_is_built(browser, world, monkeypatch, capsys):
    def broken(*_args, **_options):
        raise RuntimeError("secret-detail")

    monkeypatch.setattr(type(world.table), "groups", broken)
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "secret-detail" not in answer.text
    reported = capsys.readouterr().err
    number = re.search(r"Its number in the command's output is (\w{8})", answer.text.replace("&#39;", "'"))[1]
    assert f"fault {number}: RuntimeError at test_request_guard.py" in reported
    assert "Traceback" not in reported
