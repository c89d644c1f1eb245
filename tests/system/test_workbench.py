"""`send` and `tail` on the demonstration's deployment: what one sends, the other sees, and both know its end."""

from __future__ import annotations

import json
import os
import subprocess
from functools import partial

from media_events_kit.kit_files import KIT
from media_events_kit.ops.demo import local_hook
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.dev.commands import amend
from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.hooks import HOOKS, collected
from media_events_kit.ops.local.lifecycle import UpOptions
from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE
from tests.system.conftest import Demonstration

COMMAND = str(KIT / "bin" / "media-events")


def test_what_is_sent_is_seen_on_the_bus_and_followed_to_its_end(
    demonstration: Demonstration, clients: Clients
) -> None:
    environment = os.environ | {DIRECTORY_VARIABLE: str(demonstration.paths.directory)}
    with subprocess.Popen(
        [COMMAND, "tail", "--partner", "mux", "--count", "1", "--for", "120s", "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as tail:
        assert tail.stderr is not None
        assert any(line.startswith("listening") for line in tail.stderr)
        sent = subprocess.run(
            [COMMAND, "send", "mux", "asset.created", "--set", "data.passthrough=workbench", "--json"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        seen, _ = tail.communicate(timeout=180)

    assert sent.returncode == 0, sent.stderr
    result = json.loads(sent.stdout)
    (trace,) = result["events"]
    identity = result["messages"][0]["events"][0]["id"]
    assert (trace["event_id"], trace["correlation_id"], trace["verdict"]) == (identity, "workbench", "finished")
    assert {hop["destination"]: hop["state"] for hop in trace["hops"]} == {"lake": "delivered", "planning": "delivered"}

    came, ended = map(json.loads, seen.splitlines())
    assert came["event"]["id"] == identity
    assert came["event"]["takers"] == ["lake", "planning", "transform/normalise-asset"]
    assert ended["end"]["traces"][0]["verdict"] == "finished"
    assert tail.returncode == 0
    rules = clients.events.list_rules(EventBusName="media-local", NamePrefix="media-local-replay-tail-")["Rules"]
    assert rules == []
    assert not clients.sqs.list_queues(QueueNamePrefix="media-local-replay-tail-").get("QueueUrls")


def test_an_update_changes_nothing_where_nothing_changed(demonstration: Demonstration) -> None:
    """What `dev` does at each save: without a refresh, without `terraform init`, with stand-ins where they are due."""
    paths = demonstration.paths
    receiver = Receiver.read(paths)
    assert receiver is not None
    assert local_hook.HOOKS is HOOKS, "it registers the demonstration's systems"
    variables, external_resources = collected(paths)
    options = UpOptions(
        variables=variables, external_resources=external_resources, amend=partial(amend, receiver=receiver)
    )
    before = lifecycle.read_outputs(paths)

    updated = lifecycle.update(paths, options)

    assert updated.outputs == before
    changes = [json.loads(line) for line in paths.terraform_log.read_text(encoding="utf-8").splitlines()]
    (summary,) = [
        one["changes"] for one in changes if one["type"] == "change_summary" and one["changes"]["operation"] == "apply"
    ]
    assert (summary["add"], summary["change"], summary["remove"]) == (0, 0, 0)
