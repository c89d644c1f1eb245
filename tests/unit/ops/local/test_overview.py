"""A local cloud's record, outputs and logs, as the commands use them."""

from __future__ import annotations

import json

import pytest

from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.addresses import reachable, webhook_urls
from media_events_kit.ops.local.endpoint import CloudRecord, client_environment
from media_events_kit.ops.local.function_logs import LogLine, LogReader
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.local.synthesis import Stack, stacks_of
from media_events_kit.ops.shared.console import OperatorError


@pytest.fixture
def paths(tmp_path) -> LocalPaths:
    return LocalPaths(tmp_path)


@pytest.fixture
def record() -> CloudRecord:
    return CloudRecord(
        endpoint="https://127.0.0.1:4599",
        port=4599,
        pid=2**22 + 1,
        process_started="never",
        started_at="2026-01-01T00:00:00+00:00",
        region="eu-west-1",
        ca_bundle="/nowhere/authority.pem",
        environment="local",
    )


# The record


def test_a_record_is_read_as_it_was_written(paths, record):
    record.write(paths)
    assert CloudRecord.read(paths) == record


def test_other_programs_find_the_variables_in_it(paths, record):
    record.write(paths)
    variables = json.loads(paths.cloud_record.read_text())["variables"]
    assert variables["AWS_ENDPOINT_URL"] == "https://127.0.0.1:4599"
    assert variables["AWS_REGION"] == "eu-west-1"


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"endpoint": 1}', "\x00"])
def test_a_record_that_cannot_be_read_is_none(paths, content):
    paths.root.mkdir()
    paths.cloud_record.write_text(content)
    assert CloudRecord.read(paths) is None


def test_commands_that_need_a_cloud_say_that_none_runs(paths):
    with pytest.raises(OperatorError) as caught:
        lifecycle.require_record(paths)
    assert caught.value.exit_code == 3


def test_commands_that_need_a_cloud_say_that_it_has_gone(paths, record):
    record.write(paths)
    with pytest.raises(OperatorError, match="has gone") as caught:
        lifecycle.require_record(paths)
    assert caught.value.exit_code == 3


def test_taking_down_a_cloud_that_has_gone_deletes_its_state(paths, record):
    record.write(paths)
    paths.terraform_state.write_text("{}")
    paths.outputs.write_text("{}")
    assert lifecycle.down(paths) is False
    assert not paths.terraform_state.exists()
    assert lifecycle.read_outputs(paths) == {}


# The environment of other programs


def test_the_operators_own_aws_settings_stay_out(record):
    inherited = {"AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "t", "HOME": "/home/me", "NO_PROXY": "example.com"}
    environment = client_environment(record, inherited)
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert environment["HOME"] == "/home/me"
    assert environment["NO_PROXY"] == "example.com,127.0.0.1"


# Addresses


def test_an_apis_address_needs_no_name_resolution(record):
    url = "https://abc123.execute-api.localhost:4599/webhooks/mux?x=1"
    assert reachable(url, record) == "https://127.0.0.1:4599/_aws/execute-api/abc123/webhooks/mux?x=1"


@pytest.mark.parametrize("url", ["https://example.com/webhooks/mux", "https://api.example.com/x", ""])
def test_other_addresses_stay_as_they_are(record, url):
    assert reachable(url, record) == url


def test_without_the_output_there_are_no_webhooks(record):
    assert webhook_urls({}, record) == {}


# The stack


def test_the_last_synthesis_tells_the_stacks_of_an_environment_and_where_their_routes_lead(tmp_path):
    stacks = {
        "media-dev": {"environment": "dev", "region": "eu-west-3", "routes": {"a": "cms", "b": "mam"}},
        "news-dev": {"environment": "dev", "region": "us-east-1", "routes": {}},
        "media-prod": {"environment": "prod", "region": "eu-west-1", "routes": {}},
    }
    for name, stack in stacks.items():
        tags = {"workflow": name.partition("-")[0], "environment": stack["environment"]}
        document = {
            "provider": {"aws": [{"region": stack["region"], "default_tags": [{"tags": tags}]}]},
            "module": {"router": {"routes": {route: {"destination": d} for route, d in stack["routes"].items()}}},
        }
        folder = tmp_path / "stacks" / name
        folder.mkdir(parents=True)
        (folder / "cdk.tf.json").write_text(json.dumps(document))
    last = {name: {"workingDirectory": f"stacks/{name}"} for name in ("media-dev", "media-prod")}
    (tmp_path / "manifest.json").write_text(json.dumps({"stacks": last}))

    (stack,) = stacks_of(tmp_path, "dev")

    assert stack == Stack("media-dev", tmp_path / "stacks" / "media-dev", "eu-west-3")
    assert stack.route_destinations() == {"route/a": "cms", "route/b": "mam"}
    assert stacks_of(tmp_path, "test") == []


def test_without_a_synthesis_there_is_no_stack(tmp_path):
    assert stacks_of(tmp_path, "dev") == []


# Logs


class Logs:
    """CloudWatch Logs with two events to a page."""

    class exceptions:  # noqa: N801 - as boto3 calls it
        ResourceNotFoundException = KeyError

    def __init__(self, groups: dict[str, list[tuple[int, str]]]) -> None:
        self.groups = groups

    def filter_log_events(self, *, logGroupName: str, startTime: int, nextToken: str = "0") -> dict[str, object]:  # noqa: N803
        events = [
            {"eventId": str(number), "timestamp": moment, "message": text}
            for number, (moment, text) in enumerate(self.groups[logGroupName])
            if moment >= startTime
        ]
        begin = int(nextToken)
        page: dict[str, object] = {"events": events[begin : begin + 2]}
        return page | ({"nextToken": str(begin + 2)} if begin + 2 < len(events) else {})


def test_every_line_is_read_once_in_order_over_pages_and_groups():
    logs = Logs({"/aws/lambda/a": [(1, "a1"), (4, "a4"), (5, "a5")], "/aws/lambda/b": [(2, "b2")]})
    reader = LogReader(logs, ["a", "b"])
    assert [line.text for line in reader.new_lines()] == ["a1", "b2", "a4", "a5"]
    logs.groups["/aws/lambda/b"] += [(2, "late"), (6, "b6")]
    assert [line.text for line in reader.new_lines()] == ["late", "b6"]
    assert reader.new_lines() == []


def test_a_function_that_has_not_spoken_yet_is_no_error():
    assert LogReader(Logs({}), ["a"]).new_lines() == []


def test_lines_before_the_beginning_are_left_out():
    assert [
        line.text for line in LogReader(Logs({"/aws/lambda/a": [(1, "x"), (9, "y")]}), ["a"], since=5).new_lines()
    ] == ["y"]


@pytest.mark.parametrize(
    ("text", "fields", "noise"),
    [
        ("START RequestId: 1 Version: $LATEST", {}, True),
        ("REPORT RequestId: 1", {}, True),
        ("{}", {"_aws": {}}, True),
        ("{}", {"message": "event accepted"}, False),
        ("Traceback (most recent call last):", {}, False),
    ],
)
def test_the_runtimes_own_lines_and_metrics_are_noise(text, fields, noise):
    assert LogLine("f", 0, text, fields).is_noise is noise
