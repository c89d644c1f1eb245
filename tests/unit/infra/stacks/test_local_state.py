"""A state that is a file: its place, and the move from where earlier versions of the kit had it."""

from __future__ import annotations

import json

import pytest

from media_events_kit.infra.stacks.local_state import StateInUseError, move_earlier_state, state_file
from tests.fakes.workflows import load_small

MEDIA = {"workflow": "media", "environment": "dev"}


@pytest.fixture(name="environment")
def _environment():
    return load_small().environments[0]


def state(tags, **more):
    """Terraform's state with one resource of a module, and data that has no tags."""
    queue = {"type": "aws_sqs_queue", "instances": [{"attributes": {"name": "q", "tags_all": tags}}]}
    data = {"mode": "data", "type": "aws_region", "instances": [{"attributes": {"name": "eu-west-1"}}]}
    return json.dumps({"version": 4, "serial": 7, "resources": [data, queue], **more})


def earlier(kit, text):
    file = kit / "state" / "media-events-dev.tfstate"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def test_two_workflows_have_two_states(environment, tmp_path):
    other = load_small({"name: media": "name: news"}).environments[0]

    assert state_file(environment, tmp_path) == tmp_path / "state" / "media-dev.tfstate"
    assert state_file(other, tmp_path) == tmp_path / "state" / "news-dev.tfstate"


def test_earlier_state_of_the_workflow_moves_with_its_backup(environment, tmp_path):
    kit, own = tmp_path / "kit", tmp_path / "own"
    old = earlier(kit, state(MEDIA))
    old.with_name("media-events-dev.tfstate.backup").write_text(state(MEDIA, serial=6))

    new = move_earlier_state(environment, own, kit)

    assert new == own / "state" / "media-dev.tfstate"
    assert json.loads(new.read_text())["serial"] == 7
    assert json.loads(new.with_name("media-dev.tfstate.backup").read_text())["serial"] == 6
    assert not list(old.parent.iterdir())
    assert move_earlier_state(environment, own, kit) is None


@pytest.mark.parametrize(
    "text",
    [
        state({"workflow": "news", "environment": "dev"}),
        json.dumps({"version": 4, "resources": []}),
        json.dumps({"resources": [{"instances": [{"attributes": {"tags_all": None}}, 1]}, "x"]}),
        "[]",
        "no JSON",
    ],
    ids=["another workflow's", "empty", "malformed", "no state", "no JSON"],
)
def test_state_that_is_not_known_to_be_the_workflows_stays(environment, tmp_path, text):
    old = earlier(tmp_path / "kit", text)

    assert move_earlier_state(environment, tmp_path, tmp_path / "kit") is None
    assert old.read_text() == text
    assert not (tmp_path / "state").exists()


def test_state_that_is_there_already_is_not_replaced(environment, tmp_path):
    earlier(tmp_path / "kit", state(MEDIA))
    file = state_file(environment, tmp_path)
    file.parent.mkdir(parents=True)
    file.write_text("newer")

    assert move_earlier_state(environment, tmp_path, tmp_path / "kit") is None
    assert file.read_text() == "newer"


def test_locked_state_is_not_moved_and_the_error_tells_what_to_do(environment, tmp_path):
    old = earlier(tmp_path / "kit", state(MEDIA))
    old.with_name(".media-events-dev.tfstate.lock.info").write_text("{}")

    with pytest.raises(StateInUseError, match="try again when it has ended"):
        move_earlier_state(environment, tmp_path, tmp_path / "kit")

    assert old.exists()


def test_earlier_file_stays_if_the_state_is_in_s3(tmp_path):
    old = earlier(tmp_path / "kit", state(MEDIA))
    in_s3 = load_small({"name: media": "name: media\nstate: {type: s3, bucket: states}"}).environments[0]

    assert move_earlier_state(in_s3, tmp_path, tmp_path / "kit") is None
    assert old.exists()
