"""All that a deployment holds at one moment, as JSON: what one version wrote, for another to go on with.

``python -m tests.faults.handed_over COMMIT`` has the code of a commit write ``tests/data/handed_over/COMMIT.json``.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from tests.faults.aws_model.clients import Execution
from tests.faults.aws_model.scheduler import Mix, subject_of
from tests.faults.aws_model.sqs import Stored
from tests.faults.older_version import ROOT, code_of, kit_of
from tests.faults.run import Run, Scenario, events_of

TABLES: Final = ("ingress_idempotency", "route_idempotency", "reviews")
FOLDER: Final = ROOT / "tests" / "data" / "handed_over"
SEED: Final = 3
SECONDS: Final = 900.0
"""When the older version stops: some events are delivered by then, others wait, are dead-lettered, or in review. With
this seed none is on its way within AWS, between two queues, where the file would not have it."""
MIX: Final = replace(Mix(), tight=0.0, operators=0.0)


def scenario() -> Scenario:
    """What is sent to the older version. Few events are large, so that the file is not."""
    events = events_of(SEED, 24)
    return Scenario(seed=SEED, mix=MIX, events=tuple(replace(e, padding=min(e.padding, 3_000)) for e in events))


def taken(run: Run) -> dict[str, Any]:
    """The tables, queues, bodies and receivers of ``run``, with the events that were accepted."""
    kit = run.kit
    return {
        "now": run.world.now,
        "accepted": sorted(run.senders.accepted),
        "tables": {name: getattr(kit, name).items for name in TABLES},
        "queues": {
            queue.name: [asdict(message) for message in queue.messages.values()]
            for queue in kit.queues.values()
            if queue.messages
        },
        "bodies": {key: base64.b64encode(body).decode() for key, body in kit.s3.objects.items()},
        "receivers": {
            name: {
                "requests": receiver.requests,
                "effects": receiver.effects,
                "keys": sorted(receiver.keys),
                "order": receiver.order,
            }
            for name, receiver in kit.receivers.items()
        },
        "executions": {name: asdict(execution) for name, execution in kit.machines.executions.items()},
        "executed": kit.executions,
        "dead_lettered": sorted(kit.dead_lettered),
        "windows": [[*place, count] for place, count in sorted(run.world.windows.items()) if count],
    }


def give(run: Run, document: dict[str, Any]) -> None:
    """Put what :func:`taken` took into the deployment of ``run``, which has not begun."""
    kit = run.kit
    run.world.now = document["now"]
    run.senders.accepted.update(document["accepted"])
    for name in TABLES:
        getattr(kit, name).items.update(document["tables"][name])
    kit.s3.objects |= {key: base64.b64decode(body) for key, body in document["bodies"].items()}
    for name, holds in document["receivers"].items():
        receiver = kit.receivers[name]
        receiver.requests.update(holds["requests"])
        receiver.effects.update(holds["effects"])
        receiver.keys |= set(holds["keys"])
        receiver.order += holds["order"]
    kit.machines.executions |= {name: Execution(**values) for name, values in document["executions"].items()}
    kit.executions.update(document["executed"])
    kit.dead_lettered |= set(document["dead_lettered"])
    for name, mark, count in document["windows"]:
        run.world.windows[name, mark] += count
    queues = {queue.name: queue for queue in kit.queues.values()}
    for name, messages in document["queues"].items():
        for values in messages:
            # Whoever had it is gone: it is visible again when its timeout is over.
            queues[name]._keep(Stored(**values))
    for key, record in document["tables"]["route_idempotency"].items():
        if record.get("state") == {"S": "started"} and "|destination/" in key:
            # Whoever began the delivery is gone, perhaps after it.
            run.world.windows[key.rpartition("|destination/")[2], subject_of(key)] += 1


def main(commit: str) -> None:
    """Write the file of ``commit``."""
    with tempfile.TemporaryDirectory() as folder:
        code = code_of(commit, Path(folder) / "code")
        if code is None:
            raise SystemExit(f"there is no commit {commit}")
        run = Run(scenario(), kit=kit_of(code))
        run.stop_at(SECONDS)
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps({"commit": commit, **taken(run)}, separators=(",", ":"), sort_keys=True)
    (FOLDER / f"{commit}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
