"""Deploys recipes side by side to one local cloud, and plays partners and receivers of each."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from threading import BoundedSemaphore, Thread
from typing import Any, Final

from media_events.adapters.sqs.depths import depth
from media_events_kit.infra.loader.workflow_file import load
from media_events_kit.infra.stacks.cdk import App
from media_events_kit.infra.stacks.workflow_stack import build
from media_events_kit.kit_files import KIT, WORKFLOW
from media_events_kit.ops.demo.http_receiver import ReceivedRequest, ReceiverServer
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.deployment.discovery import Cloud, Deployment
from media_events_kit.ops.dev.commands import amend
from media_events_kit.ops.local import endpoint, lambda_package, lifecycle
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.endpoint import CloudRecord
from media_events_kit.ops.local.overview import open_review_items
from media_events_kit.ops.local.paths import DEFAULT_ENVIRONMENT, LocalPaths
from media_events_kit.ops.local.synthesis import SELECTION_VARIABLE, Stack, stacks_of
from media_events_kit.ops.local.terraform import Terraform
from media_events_kit.ops.send.freshness import place_of
from media_events_kit.ops.send.player import players, sample_of
from media_events_kit.ops.trace.bootstrap import follower
from media_events_kit.ops.trace.following import Followed, Follower
from tests.system.polling import SECONDS, eventually

RECIPES: Final = KIT / "docs" / "how-to" / "recipes"
SIDE_BY_SIDE: Final = 5
"""An apply mostly waits for the provider, over a minute; each has up to 800 MB."""
PLANNING: Final = BoundedSemaphore(os.cpu_count() or 1)
"""A plan mostly computes."""


def names() -> list[str]:
    """The recipes' folders."""
    return sorted(file.parent.name for file in RECIPES.glob(f"*/{WORKFLOW}"))


@dataclass(slots=True)
class DeployedRecipe:
    """A recipe on the local cloud. ``outputs`` are Terraform's."""

    name: str
    clients: Clients
    outputs: dict[str, Any]
    deployment: Deployment
    receiver: ReceiverServer
    _follower: Follower = field(init=False)
    _sent: list[Followed] = field(default_factory=list)
    _expected: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._follower = follower(self.deployment)

    def send(
        self, partner: str, kind: str | None = None, changes: Mapping[str, Any] | None = None, *, fresh: bool = True
    ) -> list[str]:
        """Send a sample with ``changes`` by path, as another event of now if ``fresh``: the ids of its events."""
        places = {place_of(path): value for path, value in (changes or {}).items()}
        (player,) = players(self.deployment, [(partner, None)], changes=places)
        sent = player.send(sample_of(player, kind, RECIPES / self.name), fresh=fresh)
        assert sent.answer.accepted, (sent.answer.text, sent.outgoing.refusal)
        self._sent += [self._follower.add(event.id) for event in sent.outgoing.arrivals]
        return [event.id for event in sent.outgoing.arrivals]

    def answer_with(self, destination: str, status: int) -> None:
        """Let the receiver of ``destination`` answer so from now on (200: as usual)."""
        self.receiver.systems.set_answer(destination, status)

    def got(self, destination: str, count: int = 1) -> list[ReceivedRequest]:
        """The ``count`` requests that the receiver of ``destination`` accepts in all, as soon as it has got them."""
        self._expected[destination] = count
        eventually(lambda: len(self.requests(destination)) >= count)
        found = self.requests(destination)
        assert len(found) == count, found
        return found

    def requests(self, destination: str | None = None, *, accepted: bool = True) -> list[ReceivedRequest]:
        """The requests until now that a receiver accepted, or refused since it was told to: ``answer_with``."""
        requests = [ReceivedRequest(**one) for one in self.receiver.systems.after(0)]
        return [
            one
            for one in requests
            if destination in (None, one.system) and accepted == (one.status < HTTPStatus.BAD_REQUEST)
        ]

    def come_to_its_end(self) -> None:
        """Nothing is under way any more, nothing failed, and nobody else was called."""
        assert self._sent, "the recipe was not played"
        for _ in self._follower.until(time.time() + SECONDS, time.sleep):
            pass
        verdicts = {one.event_id: [trace.verdict for trace in one.traces] for one in self._sent}
        assert set(map(tuple, verdicts.values())) == {("finished",)}, verdicts
        assert Counter(one.system for one in self.requests()) == self._expected
        assert open_review_items(self.clients, self.outputs["review_table_name"]) == []
        dead = {hop: depth(self.clients.sqs, url) for hop, url in self.outputs["dead_letter_queues"].items()}
        assert {one.total for one in dead.values()} == {0}, dead


@dataclass(frozen=True, slots=True)
class Kitchen:
    """Recipes that are being deployed."""

    deploying: Mapping[str, Future[DeployedRecipe]]

    def recipe(self, name: str) -> DeployedRecipe:
        """A recipe, once it is deployed."""
        return self.deploying[name].result()


@contextmanager
def kitchen(wanted: Iterable[str], directory: Path) -> Iterator[Kitchen]:
    """A local cloud to which the ``wanted`` recipes are applied side by side."""
    lambda_package.ensure()
    own = LocalPaths(directory / "cloud")
    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
        try:
            record = endpoint.start(own, region="us-east-1", port=None)
            stacks = _synthesised(wanted, directory / "cdktf.out")
            yield Kitchen(
                {name: pool.submit(_deploy, name, stack, record, directory) for name, stack in stacks.items()}
            )
        finally:
            pool.shutdown(cancel_futures=True)
            lifecycle.down(own)


def _synthesised(wanted: Iterable[str], output: Path) -> dict[str, Stack]:
    """The stacks of the recipes' local environments, by one process of CDKTF."""
    app, found = App(outdir=str(output)), {}
    for name in wanted:
        workflow = load(RECIPES / name / WORKFLOW, {SELECTION_VARIABLE: DEFAULT_ENVIRONMENT})
        build(app, workflow)
        (environment,) = workflow.environments
        found[name] = environment.stack_name
    app.synth()
    stacks = {stack.name: stack for stack in stacks_of(output, DEFAULT_ENVIRONMENT)}
    return {name: stacks[stack] for name, stack in found.items()}


def _deploy(name: str, stack: Stack, record: CloudRecord, directory: Path) -> DeployedRecipe:
    paths = LocalPaths(directory / name)
    paths.make_private()
    server = ReceiverServer(0)
    Thread(target=server.serve_forever, daemon=True).start()
    amend(record, stack, receiver=Receiver(server.server_port, os.getpid(), ""))
    terraform = Terraform(
        directory=stack.directory,
        state=paths.terraform_state,
        log=paths.terraform_log,
        environment=lifecycle.terraform_variables(paths, record),
    )
    with ExitStack() as planning:
        planning.enter_context(PLANNING)
        terraform.init()
        terraform.apply(
            lambda message: planning.close() if message.get("type") == "change_summary" else None, refresh=False
        )
    outputs = terraform.outputs()
    deployment = Deployment(
        cloud=Cloud(record=record),
        review_table=outputs["review_table_name"],
        idempotency_tables=[table for table in outputs["idempotency_table_names"] if table],
        outputs=lambda: outputs,
        folder=paths.root,
    )
    return DeployedRecipe(name, Clients(record), outputs, deployment, server)
