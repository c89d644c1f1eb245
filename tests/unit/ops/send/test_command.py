"""`media-events send`: what it prints, what it asks, and its exit statuses."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from media_events_kit.ops.cli import run
from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.send import commands, player
from tests.fakes.deployed_account import Account


class Cloud:
    """AWS, or with a ``record`` the local cloud."""

    def __init__(self, account, record):
        self.client, self.record = account.client, record


@pytest.fixture(name="send")
def _send(tmp_path, monkeypatch, capsys):
    account = Account(tmp_path)

    def ran(*arguments, local=True, status=202):
        posts = []

        def post(request):
            posts.append(request)
            return status, "answer"

        monkeypatch.setattr(player, "caller", lambda _cloud: post)
        deployment = Deployment(
            cloud=Cloud(account, object() if local else None),
            review_table="media-dev-review",
            idempotency_tables=[],
            outputs=lambda: account.outputs,
        )
        monkeypatch.setattr(commands, "find", lambda _where: deployment)
        code = run(["send", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err, posts

    return ran


def test_without_a_partner_it_lists_them_with_their_samples(send):
    code, out, _, posts = send()
    assert (code, posts) == (0, [])
    assert "mux  by webhook (webhook)  mux-video.asset.created, mux-video.asset.ready" in out


def test_a_sample_is_found_by_its_neutral_and_by_its_own_type(send):
    for kind in ("asset.ready", "video.asset.ready"):
        code, out, _, posts = send("mux", kind, "--wait", "0", "--json")
        message = json.loads(out)["messages"][0]
        assert (code, message["accepted"], message["events"][0]["type"]) == (0, True, "asset.ready")
        assert json.loads(posts[0].body)["type"] == "video.asset.ready"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mux", "asset.gone"], "there are: asset.created, asset.ready, live.started"),
        (["nobody"], "its partners are: mux, standard"),
        (["mux", "--set", "data.duration"], "write --set data.duration=3"),
        (["mux", "--set", "a..b=1"], "is no path"),
        (["mux", "asset.ready", "--file", "x.json"], "leave TYPE or --file out"),
    ],
)
def test_what_can_t_be_sent_is_2_with_what_can_be(send, arguments, told):
    code, _, err, posts = send(*arguments)
    assert (code, posts) == (2, [])
    assert told in " ".join(err.split())


def test_a_refusal_of_the_ingress_is_1(send):
    code, out, _, _ = send("mux", "--wait", "0", status=401)
    assert code == 1
    assert out.startswith("401 answer")


def test_nothing_goes_to_aws_unasked(send):
    code, _, err, posts = send("mux", local=False)
    assert (code, posts) == (2, [])
    assert "add --yes" in err

    code, _, _, posts = send("mux", "--yes", "--wait", "0", local=False)
    assert (code, len(posts)) == (0, 1)


def test_a_value_of_the_sample_is_changed(send):
    _, _, _, posts = send("mux", "asset.ready", "--set", "data.duration=3", "--wait", "0")
    assert json.loads(posts[0].body)["data"]["duration"] == 3


def test_many_go_out_at_the_rate_however_long_each_takes(send, monkeypatch):
    now, sent_at = [100.0], []
    clock = SimpleNamespace(monotonic=lambda: now[0], time=lambda: now[0])
    clock.sleep = lambda seconds: now.__setitem__(0, now[0] + seconds)
    monkeypatch.setattr(commands, "time", clock)
    one = player.Player.send

    def slow(*arguments, **options):
        sent_at.append(now[0] - 100)
        now[0] += 0.3
        return one(*arguments, **options)

    monkeypatch.setattr(player.Player, "send", slow)
    send("mux", "--count", "5", "--rate", "2", "--wait", "0", "--json")
    assert sent_at == pytest.approx([0, 0.5, 1, 1.5, 2])


def test_many_are_as_many_events(send):
    code, out, _, posts = send("mux", "--count", "25", "--rate", "100", "--wait", "0", "--json")
    ids = [event["id"] for message in json.loads(out)["messages"] for event in message["events"]]
    assert (code, len(posts), len(set(ids))) == (0, 25, 25)


def test_a_file_goes_byte_for_byte_with_same(send, tmp_path):
    file = tmp_path / "event.json"
    file.write_bytes(b'{"id": "1", "type": "video.asset.ready", "data": {"id":  "a"}}')
    _, _, _, posts = send("mux", "--file", str(file), "--same", "--wait", "0")
    assert posts[0].body == file.read_bytes()
