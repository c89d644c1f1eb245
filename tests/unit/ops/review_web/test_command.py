"""`media-events review serve`: its address, its output and its errors."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import werkzeug.utils
from waitress import wasyncore
from werkzeug.wsgi import wrap_file

from ops.cli import run
from ops.review_web import server as command
from ops.review_web.request_guard import hosts_of
from ops.shared.console import OperatorError

VISITS_CUT_SHORT = 400


def test_it_listens_on_loopback_alone():
    with command.listening(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_reported_with_a_hint(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OperatorError, match=f"port {port}") as refused:
            command.listening(port)
    assert "--port" in refused.value.hint
    assert capsys.readouterr().out == ""


def test_every_run_has_a_key_of_its_own(world):
    links = set()
    for _ in range(2):
        with command.listening(0) as listener:
            server, link = command.page_on(listener, world.place)
            links.add(link.partition("?key=")[2])
            server.close()
            server.task_dispatcher.shutdown()
    assert len(links) == 2
    assert min(map(len, links)) >= 32


def test_the_link_is_printed_for_people_and_programs(world, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(command.webbrowser, "open", opened.append)
    for as_json in (False, True):
        made = command.page_on

        def once(listener, where, made=made):
            server, link = made(listener, where)

            def interrupted():
                server.close()
                raise KeyboardInterrupt

            server.run = interrupted
            return server, link

        monkeypatch.setattr(command, "page_on", once)
        command.serve_page(world.place, port=0, browse=as_json, json=as_json)
        monkeypatch.setattr(command, "page_on", made)
        world.place.runs._ending.clear()
        message = capsys.readouterr()
        url = json.loads(message.out)["url"] if as_json else message.out.split()[-1]
        assert url.startswith("http://127.0.0.1:")
        assert "/enter?key=" in url
    assert opened == [url]


def test_a_browser_that_goes_before_the_answer_leaves_no_file_open(world, monkeypatch):
    opened, handed_over = [], []

    def opening(environ, file):
        opened.append(file)
        # Whether a visit meets waitress at a bad moment is chance; whether the file is waitress's to close is not.
        handed_over.append("wsgi.file_wrapper" in environ)
        return wrap_file(environ, file)

    monkeypatch.setattr(werkzeug.utils, "wrap_file", opening)
    with command.listening(0) as listener:
        server, _ = command.page_on(listener, world.place)
        thread = threading.Thread(target=server.run)
        thread.start()
        host, port = listener.getsockname()

        def visit(_):
            with socket.create_connection((host, port)) as browser:
                browser.sendall(f"GET /static/review.svg HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())

        with ThreadPoolExecutor(4) as visitors:
            list(visitors.map(visit, range(VISITS_CUT_SHORT)))
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
        thread.join(30)
        server.task_dispatcher.shutdown()
    assert opened
    assert all(file.closed for file in opened)
    assert not any(handed_over)


def test_hosts_are_the_page_s_own_names():
    assert hosts_of(8787) == {"127.0.0.1:8787", "localhost:8787"}
    assert "127.0.0.1" in hosts_of(80)


@pytest.mark.parametrize("arguments", [["--port", "-1"], ["--port", "70000"], ["--nonsense"]])
def test_an_unusable_argument_ends_with_2(arguments):
    assert run(["review", "serve", *arguments]) == 2


def test_the_help_has_an_example(capsys):
    assert run(["review", "serve", "--help"]) == 0
    assert "media-events review serve --environment prod" in " ".join(capsys.readouterr().out.split())
