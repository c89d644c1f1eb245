"""What `dev` sends after each apply, and what it tells of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from media_events_kit.ops.demo.http_receiver import ReceivedRequest
from media_events_kit.ops.dev import playing
from media_events_kit.ops.dev.playing import Playing
from media_events_kit.ops.send.message import Arrival, Outgoing
from media_events_kit.ops.send.player import Sent
from media_events_kit.ops.send.transport import Answer
from media_events_kit.ops.trace import bootstrap


class Receiver:
    """A receiver with the requests that it got so far."""

    def __init__(self):
        self.got = []

    def requests(self, after=0):
        return self.got[after:]


def request(body, status=200):
    return ReceivedRequest("2026-11-29T12:00:00Z", "cms", "POST", "/cms", status, {}, body)


class Player:
    """A partner whose samples are named after their types; ``refused`` ones are answered 401."""

    def __init__(self, partner, log, refused=()):
        self.way = SimpleNamespace(partner=partner, ingress="webhook", preset=None, refusal=None)
        self.log, self.refused = log, refused

    def kinds(self, samples):
        return [(one, [one.name.partition("-")[2].rstrip("0123456789")]) for one in samples]

    def send(self, sample):
        self.log.append(sample.name)
        accepted = sample.name not in self.refused
        outgoing = Outgoing(
            body=b"{}",
            arrivals=[Arrival(id=f"id of {sample.name}", type="t", nativetype=None)],
            refusal=None if accepted else "type-missing: it has none",
        )
        return Sent(outgoing=outgoing, answer=Answer(accepted, "202" if accepted else "401 no"))


@pytest.fixture(name="play")
def _play(tmp_path, monkeypatch):
    (tmp_path / "samples").mkdir()
    told, traced, sent = [], [], []
    receiver = Receiver()

    def run(files, *, refused=(), wanted=(), stop=lambda: False, partner="acme"):
        for name in files:
            (tmp_path / "samples" / f"{name}.json").write_bytes(b"{}")
        player = Player(partner, sent, refused)
        trace = SimpleNamespace(found=True, verdict="finished")
        monkeypatch.setattr(playing, "players", lambda _deployment, partners: [player for _ in partners])
        monkeypatch.setattr(playing, "partners_of", lambda _deployment: [player.way])
        monkeypatch.setattr(bootstrap, "tracer", lambda _: SimpleNamespace(search=lambda *_, **__: [trace]))
        monkeypatch.setattr(playing.time, "sleep", lambda _: None)
        monkeypatch.setattr("media_events_kit.ops.trace.following.FIRST_LOOK_SECONDS", 0.0)
        Playing(
            deployment=lambda: None,
            receiver=receiver,
            wanted=wanted,
            folder=tmp_path,
            trace=traced.append,
            tell=told.append,
            stop=stop,
        )()
        return sent, told, traced

    return SimpleNamespace(run=run, receiver=receiver)


def test_one_sample_of_each_type_is_sent_and_followed(play):
    sent, told, traced = play.run(["acme-ready", "acme-ready2", "acme-failed", "other-ready"])
    assert sent == ["acme-failed", "acme-ready"]
    assert len(traced) == 2
    assert told == []


def test_no_more_are_sent_than_a_person_can_follow(play):
    sent, _, _ = play.run([f"acme-{letter * 3}" for letter in "abcdefghijkl"])
    assert len(sent) == playing.MOST_SAMPLES


def test_what_is_wanted_is_sent_alone(play):
    sent, _, _ = play.run(["acme-ready", "acme-failed"], wanted=[("acme", "ready")])
    assert sent == ["acme-ready"]


def test_a_refused_sample_is_told_with_the_reason_and_not_followed(play):
    _, told, traced = play.run(["acme-ready"], refused=["acme-ready"])
    assert told == ["acme: acme-ready was refused: 401 no", "  type-missing: it has none"]
    assert traced == []


def test_what_receivers_got_is_told_on_one_line(play):
    play.receiver.got = [request('{"a":\n 1}', 503), request("x" * 500)]
    _, (first, second), _ = play.run(["acme-ready"])
    assert first == '  cms got POST /cms, answered 503: {"a": 1}'
    assert second.endswith("x…")


def test_a_save_ends_the_following(play):
    _, told, traced = play.run(["acme-ready"], stop=lambda: True)
    assert (told, traced) == ([], [])
