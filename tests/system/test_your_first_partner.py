"""From the README to a partner, route and destination of one's own: the tutorials, typed exactly as they stand."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from media_events_kit.kit_files import KIT
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.local import process
from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE
from tests.system.conftest import Demonstration
from tests.system.walking import Typed, Walk, added, blocks, commands, copied, shell_environment

FIRST, OWN = "docs/tutorials/first-events.md", "docs/tutorials/add-a-partner.md"
STANDS_FOR_THE_FIXTURE = {"make demo KEEP=1"}
ENDS_THE_SHARED_CLOUD = {"bin/media-events local down"}
BREAK, MEND, PLAY = "3. Break something", "4. Put it right", "5. Play on, then stop"
PORT = "8080"


@pytest.fixture(name="walk", scope="module")
def _walk(demonstration: Demonstration, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = copied(tmp_path_factory.mktemp("checkout"))
    environment = shell_environment({DIRECTORY_VARIABLE: str(demonstration.paths.directory)})
    walk = Walk(folder, environment, {"<receiver>": str(receiver.port)})
    if not process.port_is_free(int(PORT)):
        walk.known[f"{PORT}"] = str(process.free_port())
    yield walk
    walk.end()


def test_the_readme_leads_by_the_tutorials_to_ones_own_partner() -> None:
    readme = (KIT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in [typed.command for typed in commands("README.md", below="See it work")]
    assert f"({FIRST})" in readme
    assert "(add-a-partner.md)" in (KIT / FIRST).read_text(encoding="utf-8")


def test_a_newcomer_finds_understands_and_delivers_an_event_by_the_first_tutorial_as_it_is_written(walk: Walk) -> None:
    down, send, groups, listing, show = commands(FIRST, below=BREAK)
    walk.type(down)
    sent = walk.type(send)
    said = re.search(r"within a minute: (?P<group>\S+) \(transient\) at (?P<hop>\S+)", groups.remark)
    assert said, groups.remark
    printed = walk.type(groups, until=said["group"])
    assert said["hop"] in printed
    event = re.search(r"[\w-]{20,}", sent)
    assert event, sent
    row = next(line for line in walk.type(listing, until=event[0]).splitlines() if event[0] in line)
    item = re.search(r"\b[0-9a-f]{20}\b", row)
    assert item, row
    walk.known["ITEM"] = item[0]
    shown = walk.type(show)
    assert said["group"] in shown
    assert said["hop"] in shown

    up, retry = commands(FIRST, below=MEND)
    walk.type(up)
    promised = re.search(r"The last command prints `([^`]+)`", (KIT / FIRST).read_text(encoding="utf-8"))
    assert promised
    assert " ".join(promised[1].split()) in " ".join(walk.type(retry).split())


def test_a_newcomer_plays_on_by_the_first_tutorial_as_it_is_written(walk: Walk) -> None:
    for typed in commands(FIRST, below=PLAY):
        if typed.command.startswith("aws ") and not _has_aws():
            walk.walked.append(typed.command)
        elif typed.command.endswith(" -f"):
            followed = Typed(f"timeout --signal=INT 5 {typed.command}", typed.remark)
            walk.type(followed, status=(0, 124, 130))
            walk.walked[-1] = typed.command
        else:
            # Refused is what a forgery is for; an ingest may still run when nobody looks any longer.
            walk.type(typed, status={"--forged": (1,), "asset.ready": (0, 3)}.get(typed.command.split()[-1], (0,)))
    assert {typed.command for typed in commands(FIRST)} - set(walk.walked) == STANDS_FOR_THE_FIXTURE


def test_a_newcomer_has_a_partner_a_route_and_a_destination_by_the_tutorial_as_it_is_written(walk: Walk) -> None:
    (copy,) = commands(OWN, below="1. Write one file")
    walk.type(copy)
    shown = blocks(OWN, "yaml", below="1. Write one file")[0]
    assert (walk.folder / "partners/acme.yaml").read_text(encoding="utf-8").endswith(shown)
    (console,) = blocks(OWN, "", below="2. Try it without AWS")
    checked = walk.type(Typed(console.splitlines()[0].removeprefix("$ "), ""))
    assert json.loads(checked)["events"][0]["detail-type"] in console

    workflow = walk.folder / "workflow.yaml"
    text = workflow.read_text(encoding="utf-8")
    for block in blocks(OWN, "yaml", below="3. Add it, a destination and a route"):
        text = added(text, walk.known.get(PORT, PORT).join(block.split(PORT)))
    workflow.write_text(text, encoding="utf-8")

    archive, up, send, requests, down = commands(OWN, below="4. See it arrive")
    for typed in (archive, up):
        walk.type(typed)
    way = walk.type(send)
    assert re.search(r"route/acme-to-archive → archive +delivered", way)
    event = re.search(r"asset\.ready (\S+)", way)
    assert event
    (request,) = json.loads(walk.type(requests))
    assert [told for told in ("asset.ready", event[1]) if told not in json.dumps(request)] == []
    assert down.command in ENDS_THE_SHARED_CLOUD
    assert {typed.command for typed in commands(OWN)} - set(walk.walked) == ENDS_THE_SHARED_CLOUD


def _has_aws() -> bool:
    program = shutil.which("aws")
    return (
        program is not None and subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    )


def test_a_block_goes_below_its_headings_and_leaves_the_rest_as_it_was() -> None:
    document = "a:\n  b: 1 # why\n\n# of c\nc:\n  d:\n    e: 1\n  f: 2\n"
    assert added(document, "a:\n  x: 1\nc:\n  d: # here\n    y: {z: 1}\n") == (
        "a:\n  x: 1\n  b: 1 # why\n\n# of c\nc:\n  d:\n    y: {z: 1}\n    e: 1\n  f: 2\n"
    )
