"""`media-events review serve`: its address, its output and its errors."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import werkzeug.utils
from werkzeug.wsgi import wrap_file

from media_events.recovery.review_opener import announcement
from media_events_kit.ops.cli import run
from media_events_kit.ops.review import bootstrap as review_bootstrap
from media_events_kit.ops.review_web import server as command
from media_events_kit.ops.shared.console import OperatorError
from tests.fakes.review_web import SECRET, item_of

VISITS_CUT_SHORT = 400


@pytest.fixture(name="running")
def _running(world):
    """The page, serving."""
    with command.listening(0) as listeners:
        page = command.page_on(listeners, world.place)
        thread = threading.Thread(target=page.run)
        thread.start()
        yield page
        page.stop()
        thread.join(30)


def port_of(page):
    return int(page.gate.host.rpartition(":")[2])


@pytest.mark.attack("D2")
def test_d2_it_listens_on_loopback_alone_and_on_both_addresses():
    with command.listening(0) as listeners:
        names = [listener.getsockname() for listener in listeners]
        assert {name[0] for name in names} <= {"127.0.0.1", "::1"}
        assert len({name[1] for name in names}) == 1
        for name in names:
            with pytest.raises(OperatorError), command.listening(name[1]):
                pass


@pytest.mark.attack("D2")
def test_d2_a_page_that_somebody_else_could_answer_for_is_not_served():
    """Browsers may ask the page's name at ::1 first, where another user's server would get the key."""
    try:
        other = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with other, pytest.raises(OperatorError, match="of ::1"), command.listening(other.getsockname()[1]):
        pass


def test_a_taken_port_is_reported_with_a_hint(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OperatorError, match=f"port {port}") as refused, command.listening(port):
            pass
    assert "--port" in refused.value.hint
    assert capsys.readouterr().out == ""


def test_every_run_has_a_key_of_its_own(world):
    keys, names = set(), set()
    for _ in range(2):
        with command.listening(0) as listeners:
            page = command.page_on(listeners, world.place)
            keys.add(page.gate.key)
            names.add(page.gate.host.partition(".")[0])
            page.close()
    assert len(keys) == len(names) == 2
    assert min(map(len, keys | names)) >= 32


def test_the_link_is_printed_for_people_and_programs(world, monkeypatch, capsys):
    for as_json in (False, True):
        monkeypatch.setattr(command.PageServer, "run", command.PageServer.close)
        command.serve_page(world.place, port=0, browse=False, json=as_json)
        world.place.runs._ending.clear()
        message = capsys.readouterr()
        url = json.loads(message.out)["url"] if as_json else message.out.split()[-1]
        assert re.fullmatch(r"http://[0-9a-f]{32}\.localhost:\d+/enter\?key=[\w-]{32}", url)


def test_what_a_notification_says_to_type_opens_its_group(world, monkeypatch):
    item = item_of(SECRET, "evt-1", queue_url=world.queue_url)
    program, *typed = json.loads(announcement(item)[1])["open"].split()
    served = {}
    monkeypatch.setattr(review_bootstrap, "audited_review", lambda _: world.place.review)
    monkeypatch.setattr(command, "context_of", lambda *_, **_options: world.place)
    monkeypatch.setattr(command, "serve_page", lambda _, **options: served.update(options))
    assert (program, run([*typed, "--table", "review", "--region", "eu-west-1"])) == ("media-events", 0)
    assert (served["group"], served["browse"]) == (item.group_id, True)


@pytest.mark.attack("D2")
def test_d2_the_browser_s_command_line_names_a_file_that_others_can_not_read(world, monkeypatch, capsys):
    found = {}

    def opened(url):
        file = Path(url.removeprefix("file://"))
        found.update(
            url=url, text=file.read_text(), mode=file.stat().st_mode & 0o777, folder=file.parent.stat().st_mode & 0o777
        )

    monkeypatch.setattr(command.webbrowser, "open", opened)
    monkeypatch.setattr(command.PageServer, "run", command.PageServer.close)
    command.serve_page(world.place, port=0, browse=True, json=True)
    world.place.runs._ending.clear()
    link = json.loads(capsys.readouterr().out)["url"]
    assert (found["mode"], found["folder"]) == (0o600, 0o700)
    assert f'content="0; url={link}"' in found["text"]
    assert link.partition("=")[2] not in found["url"]
    assert not Path(found["url"].removeprefix("file://")).exists()


def test_the_file_goes_when_a_browser_has_entered(tmp_path, capsys):
    file = command.hand_over("http://x.localhost/enter?key=a&b", tmp_path)
    assert "key=a&amp;b" in file.read_text()
    command._tell_of_visitor(tmp_path, "http://x.localhost/enter?key=next")
    assert not file.exists()
    assert "If it was not yours, press Ctrl-C" in capsys.readouterr().err


OTHER_USER = """
import encodings.idna, http.client, os, sys
address, port, host, file = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
    try:
        open(file)
        print("read the file")
    except PermissionError:
        print("denied")
for path in ("/", "/items", "/operations", "/enter", "/enter?key=guess", "/trace?id=x"):
    for method in ("GET", "POST"):
        connection = http.client.HTTPConnection(address, port)
        connection.request(method, path, headers={"Host": host})
        print(connection.getresponse().status)
"""


@pytest.mark.attack("D1")
def test_d1_another_user_of_the_machine_gets_401_even_with_the_page_s_name(running, tmp_path):
    """As root, the test asks as another user; otherwise as the same user without the key, which is more."""
    tmp_path.chmod(0o755)
    file = command.hand_over(running.link, tmp_path)
    arguments = ["127.0.0.1", str(port_of(running)), running.gate.host, str(file)]
    done = subprocess.run([sys.executable, "-c", OTHER_USER, *arguments], capture_output=True, text=True, check=True)
    said = done.stdout.split()
    if os.getuid() == 0:
        assert said.pop(0) == "denied"
    # A method that a path does not have is refused before anybody is asked who they are.
    assert set(said[::2]) == {"401"}
    assert set(said[1::2]) <= {"400", "401", "405"}
    assert len(said) == 12


def test_a_browser_that_goes_before_the_answer_leaves_no_file_open(world, monkeypatch):
    opened, handed_over = [], []

    def opening(environ, file):
        opened.append(file)
        # Whether a visit meets waitress at a bad moment is chance; whether the file is waitress's to close is not.
        handed_over.append("wsgi.file_wrapper" in environ)
        return wrap_file(environ, file)

    monkeypatch.setattr(werkzeug.utils, "wrap_file", opening)
    with command.listening(0) as listeners:
        page = command.page_on(listeners, world.place)
        thread = threading.Thread(target=page.run)
        thread.start()
        address = listeners[0].getsockname()

        def visit(_):
            with socket.create_connection(address) as browser:
                browser.sendall(f"GET /static/review.svg HTTP/1.1\r\nHost: {page.gate.host}\r\n\r\n".encode())

        with ThreadPoolExecutor(4) as visitors:
            list(visitors.map(visit, range(VISITS_CUT_SHORT)))
        page.stop()
        thread.join(30)
    assert opened
    assert all(file.closed for file in opened)
    assert not any(handed_over)


@pytest.mark.parametrize("arguments", [["--port", "-1"], ["--port", "70000"], ["--nonsense"]])
def test_an_unusable_argument_ends_with_2(arguments):
    assert run(["review", "serve", *arguments]) == 2


def test_the_help_has_an_example(capsys):
    assert run(["review", "serve", "--help"]) == 0
    assert "media-events review serve --environment prod" in " ".join(capsys.readouterr().out.split())
