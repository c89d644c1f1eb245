"""`media-events archive-replay`: its output for people and programs, and its exit status."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from moto import mock_aws

from media_events_kit.ops.archive_replay import commands, staging_queue
from media_events_kit.ops.cli import run
from media_events_kit.ops.deployment import discovery
from media_events_kit.ops.operations.audit import AUDIT_SETTINGS
from media_events_kit.ops.shared.console import OperatorError
from tests.fakes.eventbridge_archive import ArchiveCloud

READY = {"detail-type": ["asset.ready"]}


@pytest.fixture(name="cloud")
def _cloud(monkeypatch, tmp_path):
    monkeypatch.setattr(staging_queue, "LONG_POLL_SECONDS", 0)
    for name in (
        "AWS_ENDPOINT_URL",
        discovery.ENVIRONMENT_VARIABLE,
        discovery.REVIEW_TABLE_VARIABLE,
        discovery.IDEMPOTENCY_TABLES_VARIABLE,
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEDIA_EVENTS_LOCAL_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        cloud = ArchiveCloud()
        cloud.hop("route/cms", READY)
        (tmp_path / "deployment.json").write_text(json.dumps(cloud.document), encoding="utf-8")
        cloud.where = ["--deployment", str(tmp_path / "deployment.json"), "--table", "review", "--region", "eu-west-1"]
        yield cloud


def command(cloud, *arguments):
    return run(["archive-replay", *arguments, *cloud.where])


def test_dry_run_counts_suppressed_deliveries_as_json(cloud, capsys):
    cloud.put("a", "b")
    cloud.now = datetime.now(UTC).timestamp()
    cloud.delivered("a")
    assert command(cloud, "start", "--since", "1h", "--dry-run", "--settle", "0", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"route/cms": {"suppressed": 1, "new": 1}}
    assert (document["state"], document["dry_run"], document["events"]) == ("completed", True, 2)


def test_replay_shows_sent_and_suppressed_deliveries(cloud, capsys):
    cloud.put("a", "b")
    cloud.now = datetime.now(UTC).timestamp()
    cloud.delivered("a")
    assert command(cloud, "start", "--since", "1h", "--route", "cms", "--settle", "0", "--reason", "CMS is back") == 0
    reported = capsys.readouterr()
    assert "delivered already" in reported.out
    assert "1 deliveries are recorded as done: they are not sent" in reported.err
    assert cloud.reached("route/cms") == ["b"]

    assert command(cloud, "list") == 0
    assert "because: CMS is back" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", "yesterday"], "is no time"),
        (["--since", "1h", "--until", "2h"], "--since must be before"),
        (["--since", "1h", "--until", "2999-01-01T00:00:00Z"], "in the future"),
        (["--since", "1h", "--repeat-effects"], "needs a reason"),
        (["--since", "1h", "--repeat-effects", "--reason", " "], "needs a reason"),
        (["--since", "1h", "--route", "nothing"], "there is no route/nothing"),
        (["--since", "999999999999d"], "too far"),
    ],
)
def test_contradictory_options_are_refused_before_anything_is_created(cloud, capsys, arguments, message):
    assert command(cloud, "start", *arguments) == 2
    assert message in capsys.readouterr().err
    assert cloud.left_behind() == []
    assert [row["item_id"]["S"] for row in cloud.dynamodb.scan(TableName="review")["Items"]] == [AUDIT_SETTINGS]
    assert "Contents" not in cloud.s3.list_objects_v2(Bucket="audit")


@pytest.mark.parametrize("name", ["show", "resume", "cancel"])
def test_an_unknown_replay_is_reported(cloud, capsys, name):
    assert command(cloud, name, "0a1b2c3d") == 1
    assert "there is no replay '0a1b2c3d'" in capsys.readouterr().err


def test_replay_is_shown_and_cancelled_by_its_id(cloud, capsys):
    cloud.put("a")
    assert command(cloud, "start", "--since", "1h", "--settle", "0", "--json") == 0
    replay_id = json.loads(capsys.readouterr().out)["replay_id"]
    assert command(cloud, "show", replay_id, "--json") == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"route/cms": {"new": 1}}
    assert command(cloud, "cancel", replay_id) == 1
    assert "it is completed" in capsys.readouterr().err


def test_a_file_that_is_not_json_is_reported(cloud, capsys, tmp_path):
    (tmp_path / "deployment.json").write_text("{", encoding="utf-8")
    assert command(cloud, "list") == 2
    assert "can't be read as JSON" in capsys.readouterr().err


def test_deployment_without_the_output_says_what_to_do():
    deployment = discovery.Deployment(cloud=discovery.Cloud(), review_table="review", idempotency_tables=[])
    with pytest.raises(OperatorError, match="does not say which hops"):
        commands._bus(None, deployment)


def test_help_tells_the_two_replays_apart(capsys):
    run(["archive-replay", "--help"])
    assert "review retry" in " ".join(capsys.readouterr().out.split())
    run(["review", "retry", "--help"])
    assert "media-events archive-replay" in " ".join(capsys.readouterr().out.split())


def test_route_goes_by_the_name_that_the_workflow_file_gives_it_now(cloud, capsys, tmp_path):
    document = {**cloud.document, "renamed": {"route/portal": "route/cms"}}
    (tmp_path / "deployment.json").write_text(json.dumps(document), encoding="utf-8")
    cloud.put("a")
    cloud.now = datetime.now(UTC).timestamp()
    assert command(cloud, "start", "--since", "1h", "--route", "portal", "--settle", "0") == 0
    assert cloud.reached("route/cms") == ["a"]
    capsys.readouterr()
