"""The page answers this machine's browser alone: by the page's own name, with its key, from its own forms."""

from __future__ import annotations

import re

import pytest

from ops.review_web.app import create
from ops.review_web.request_guard import HEADERS, MAX_REQUEST_BYTES, Gate, hosts_of
from tests.unit.ops.review_web.conftest import HOST, PORT

PATHS = ["/", "/items", "/operations", "/help", "/find?id=x", "/groups/x", "/items/x", "/items/x/state", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_without_the_key_is_refused(stranger, path):
    answer = stranger.get(path)
    assert answer.status_code == 401
    assert "media-events review serve" in answer.text


def test_a_browser_without_the_key_learns_nothing_of_the_deployment(stranger):
    text = stranger.get("/").text
    assert "prod" not in text
    assert "media-operator" not in text


@pytest.mark.parametrize("key", ["", "wrong", "the-key-of-this-ru", "thé"])
def test_a_wrong_key_does_not_let_in(stranger, key):
    assert stranger.enter(key).status_code == 401
    assert stranger.get("/").status_code == 401


def test_the_key_lets_in_and_does_not_stay_in_the_address(stranger):
    answer = stranger.enter()
    assert answer.status_code == 200
    assert answer.headers["Refresh"] == "0; url=/"
    assert stranger.get("/").status_code == 200


def test_the_cookie_is_for_this_page_alone(stranger):
    cookie = stranger.enter().headers["Set-Cookie"]
    assert cookie.startswith(f"media-events-review-{PORT}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_cookie_of_another_run_does_not_let_in(stranger, world):
    cookie = stranger.enter().headers["Set-Cookie"].partition(";")[0]
    other = create(world.place, Gate(hosts_of(PORT), "another")).test_client()
    assert other.get("/", base_url=f"http://{HOST}", headers={"Cookie": cookie}).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1.evil.example:{PORT}", ""]
)
def test_another_name_for_the_machine_is_refused_even_with_the_cookie(browser, host):
    for path in ("/", "/enter?key=the-key-of-this-run", "/static/review.css"):
        assert browser.get(path, host=host).status_code == 421


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}", f"LOCALHOST:{PORT}"])
def test_the_page_answers_to_its_own_names(stranger, host):
    assert stranger.get("/static/review.css", host=host).status_code == 200


def post_paths(item):
    base = f"/items/{item.item_id}"
    return [
        *(f"{base}/{what}" for what in ("retry", "archive", "restore", "note", "body", "edit")),
        *(f"{base}/edit/{what}" for what in ("finish", "abandon")),
        *("/selection", f"/groups/{item.group_id}/retry", f"/groups/{item.group_id}/archive"),
        *("/operations/x/cancel", "/operations/x/resume"),
    ]


def test_every_form_of_the_page_is_tried_here(app, item):
    rules = {rule.rule for rule in app.url_map.iter_rules() if "POST" in rule.methods}
    tried = {re.sub(r"^/(items|groups|operations)/[^/]+", r"/\1/<id>", path) for path in post_paths(item)}
    assert {re.sub(r"<(?:path:)?\w+>", "<id>", rule) for rule in rules} == tried


def test_nothing_changes_without_the_token_of_a_form(browser, item, world):
    for path in post_paths(item):
        answer = browser.post(path, {"reason": "x", "do": "retry", "item": item.item_id}, token=False)
        assert answer.status_code == 400, path
        assert "too old" in answer.text
        assert browser.post(path, {"reason": "x"}, token="forged").status_code == 400
    assert world.get(item) == item
    assert list(world.place.review.records.entries(item.item_id)) == []


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
def test_a_form_of_another_page_is_refused_even_with_the_token(browser, item, world, headers):
    answer = browser.post(f"/items/{item.item_id}/retry", {"version": "1"}, **headers)
    assert answer.status_code == 403
    assert world.get(item) == item


def test_a_get_request_changes_nothing(browser, item, world):
    for path in post_paths(item):
        if not path.endswith("/edit"):
            assert browser.get(path).status_code in {404, 405}, path
    assert world.get(item) == item


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


def test_the_policy_lets_nothing_run_but_the_page_s_own(browser):
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
    for group in (where, "../..", "/evil"):
        answer = browser.post("/selection", {"do": "retry", "group": group})
        assert answer.headers.get("Location", "/groups/").startswith(("/groups/",)), group
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
