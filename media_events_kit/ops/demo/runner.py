"""The demonstration, step by step. It shows what the deployed parts do; nothing here stands in for them."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from media_events_kit.kit_files import COMMAND
from media_events_kit.ops.demo import external_resources, http_receiver_process, review_page, verdict
from media_events_kit.ops.demo.downstream import FifoQueue, Lake
from media_events_kit.ops.demo.fake_systems import SIGNED, TRANSCODER, finished
from media_events_kit.ops.demo.http_receiver_process import PORT_VARIABLE, Receiver
from media_events_kit.ops.demo.scenario import (
    ANNOUNCED,
    BROKEN,
    COMMENT,
    DONE,
    EXPECTATIONS,
    FROM_INGEST,
    LAKE,
    PLANNING,
    PRESETS,
    READY,
    fresh,
)
from media_events_kit.ops.demo.senders import HttpResponse, Sender, new_secret
from media_events_kit.ops.demo.tracker import Board, Expectation
from media_events_kit.ops.demo.watcher import Watcher, map_of, watch_until
from media_events_kit.ops.deployment.discovery import ENVIRONMENT_VARIABLE
from media_events_kit.ops.local import lifecycle, process
from media_events_kit.ops.local.addresses import webhook_urls
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.overview import ReviewItem, open_review_items
from media_events_kit.ops.local.paths import DIRECTORY_VARIABLE, LocalPaths
from media_events_kit.ops.send.samples import SAMPLES
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.own_command import media_events, own_packages

_DELIVERY_SECONDS: Final = 300.0


@dataclass(slots=True)
class DemoRun:
    """One run, with the review ``page`` served for its time and after it.

    ``faults`` collects everything that did not go as expected.
    """

    paths: LocalPaths
    console: Console
    page: bool = False
    faults: list[str] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """Run it; the result is that of `--json`.

        Raises:
            OperatorError: it can't be run to the end.
        """
        began = time.monotonic()
        self._say("The local cloud", "MiniStack, with every IAM policy enforced; real Terraform, real AWS provider.")
        workflow = external_resources.demonstrated()
        receiver = self._receiver()
        up = lifecycle.up(
            self.paths,
            lifecycle.UpOptions(
                variables={PORT_VARIABLE: str(receiver.port), **workflow},
                external_resources=lambda record, _stack: external_resources.ensure(self.paths, record).variables,
            ),
        )
        if self.page:
            self._serve()
        clients = Clients(up.record)
        resources = external_resources.ensure(self.paths, up.record)
        for system, key in resources.keys.items():
            receiver.require_key(system, key)
        senders = self._senders(up, clients)
        board = Board.of(EXPECTATIONS, up.stack.route_destinations())
        watcher = Watcher(
            clients,
            up.outputs,
            receiver,
            board,
            since=int(time.time() * 1000) - 2000,
            queue=FifoQueue(clients, resources.queue_url, PLANNING),
            lake=Lake(clients, resources.bucket, LAKE),
        )
        subjects = {"mux": f"asset0{uuid.uuid4().hex[:16]}", "frameio": str(uuid.uuid4())}

        self._say("Partners announce two assets", "Signed as Mux and Frame.io sign, over HTTPS.")
        self._send(senders, ANNOUNCED, subjects)
        # On a busy machine the first steps may take longer than the planning system's route waits for earlier events.
        self._watch(watcher, lambda: _settled(board, ANNOUNCED))

        self._say(
            "The assets are ready",
            f"Frame.io's API is asked about its file; an ingest begins for each. {receiver.url}/{BROKEN} is down: it "
            "answers 503.",
        )
        self._send(senders, READY, subjects)
        self._send(senders, (COMMENT,), {})
        forged = self._send_forgery(senders["mux"])
        self._watch(watcher, lambda: _settled(board, (*ANNOUNCED, *READY, *FROM_INGEST)) and len(watcher.waiting) == 1)

        self._finish_transcode(watcher, senders[TRANSCODER])
        waiting = frozenset({BROKEN})
        self._watch(watcher, lambda: all(track.is_finished(waiting_at=waiting) for track in board.tracks))

        self._say("Events that failed for good wait for a person", f"$ {COMMAND} review list")
        self._command("review", "list")
        self._retry(up.outputs["review_table_name"], clients, receiver)
        self._watch(watcher, lambda: all(track.is_finished() for track in board.tracks))
        self._require_review_empty(up, clients)
        trace = self._traces_of(forged, watcher, up, clients)

        self.faults += verdict.faults_of(watcher, trace)
        return self._report(watcher, trace, up, round(time.monotonic() - began, 1))

    def _say(self, heading: str, text: str = "", *, fold: bool = True) -> None:
        self.console.print()
        self.console.print(Text(heading, style="bold cyan"))
        if text:
            self.console.print(text, markup=False, soft_wrap=not fold or self.console.soft_wrap)

    # -- preparation --------------------------------------------------------------------------------------------

    def _receiver(self) -> Receiver:
        running = Receiver.read(self.paths)
        if running is not None:
            running.answer_with(BROKEN, HTTPStatus.SERVICE_UNAVAILABLE)
            return running
        return http_receiver_process.start(self.paths, process.free_port(), down=[BROKEN])

    def _senders(self, up: lifecycle.Up, clients: Clients) -> dict[str, Sender]:
        urls = webhook_urls(up.outputs, up.record)
        senders = {}
        for partner, preset in PRESETS.items():
            if partner not in urls:
                raise OperatorError(
                    f"the workflow has no webhook for {partner!r}",
                    hint=f"its partners are: {', '.join(urls) or 'none'}",
                )
            secret = new_secret(preset)
            clients.secretsmanager.put_secret_value(SecretId=up.outputs["secret_names"][partner], SecretString=secret)
            senders[partner] = Sender(preset, urls[partner], secret, up.record.ca_bundle)
        return senders

    def _serve(self) -> None:
        link = review_page.start(self.paths)
        self._say(
            "The page, where you can watch",
            link or f"It does not come up: `{COMMAND} review serve` says why.",
            fold=False,
        )

    # -- sending -------------------------------------------------------------------------------------------------

    def _send(
        self, senders: Mapping[str, Sender], expectations: Sequence[Expectation], subjects: Mapping[str, str]
    ) -> None:
        for expectation in expectations:
            if expectation.payload is not None:
                body = fresh(expectation.payload, subjects.get(expectation.partner))
                self._require_accepted(expectation.label, senders[expectation.partner].send(body))

    def _require_accepted(self, label: str, answer: HttpResponse) -> None:
        self.console.print(f"  {label}: answered {answer.status}", markup=False)
        if answer.status != HTTPStatus.ACCEPTED:
            raise OperatorError(
                f"{label}: the webhook answered {answer.status}, not 202: {answer.body[:300]}",
                hint=f"see the function's log: {COMMAND} local logs webhook (run the demo with --keep)",
            )

    def _finish_transcode(self, watcher: Watcher, sender: Sender) -> None:
        orders = watcher.orders
        self._say(
            "A workflow waits for its transcode, and the transcoder finishes it",
            "\n".join(f"  waiting: {name}" for name in watcher.waiting),
        )
        if len(orders) != 1:
            self.faults.append(f"the transcoder has {len(orders)} orders, not 1")
        for order in orders:
            self._require_accepted(DONE[0].label, sender.send(finished(order)))

    def _send_forgery(self, sender: Sender) -> str:
        marker = f"forged-{uuid.uuid4()}"
        body = json.loads((SAMPLES / "mux-video.asset.ready.json").read_bytes())
        body["id"] = marker
        answer = sender.send(json.dumps(body).encode(), secret=new_secret(sender.preset))
        self.console.print(f"  A forgery in Mux's name (wrong secret): answered {answer.status}", markup=False)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            self.faults.append(f"the forgery was answered {answer.status}, not 401")
        return marker

    def _watch(self, watcher: Watcher, done: Callable[[], bool]) -> None:
        # After a fault there is no point in waiting long.
        timeout = 15.0 if self.faults else _DELIVERY_SECONDS
        if not watch_until(watcher, done, self.console, timeout_seconds=timeout):
            self.console.print(map_of(watcher))
            self.faults.append(f"after {timeout:.0f} s not every event was where it has to be")
            self.faults += sorted(
                {
                    f"{line.function} crashes: {_last(line.text)}"
                    for line in watcher.lines
                    if not line.fields and _CRASH in line.text
                }
            )

    # -- review --------------------------------------------------------------------------------------------------

    def _retry(self, table: str, clients: Clients, receiver: Receiver) -> None:
        items = open_review_items(clients, table)
        receiver.answer_with(BROKEN, HTTPStatus.OK)
        identities = [item.item_id for item in items]
        self._say(
            f"{BROKEN} is back, and the operator retries the events that it missed",
            f"$ {COMMAND} review retry {' '.join(identities)}",
        )
        if not identities:
            self.faults.append("there was no review item to retry")
            return
        self._command("review", "retry", *identities)

    def _command(self, *arguments: str) -> None:
        # The operator's own environment, as for a command that is typed.
        environment = os.environ | {
            ENVIRONMENT_VARIABLE: self.paths.environment,
            DIRECTORY_VARIABLE: str(self.paths.directory),
            "COLUMNS": str(self.console.width if self.console.is_terminal else 140),
        }
        done = subprocess.run(
            media_events(*arguments),
            env=environment | own_packages(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        self.console.print(done.stdout.rstrip() or "(nothing)", markup=False)
        if done.returncode != 0:
            self.console.print(done.stderr.rstrip(), markup=False)
            self.faults.append(f"`media-events {' '.join(arguments)}` ended with status {done.returncode}")

    def _require_review_empty(self, up: lifecycle.Up, clients: Clients) -> None:
        items: list[ReviewItem] = []
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            items = open_review_items(clients, up.outputs["review_table_name"])
            if not any(item.status == "OPEN" for item in items):
                return
            time.sleep(1)
        self.faults.append(f"{len(items)} review items are still open after the retry")

    # -- the verdict ---------------------------------------------------------------------------------------------

    def _traces_of(self, marker: str, watcher: Watcher, up: lifecycle.Up, clients: Clients) -> list[str]:
        traces = [f"log of {line.function}: {line.message}" for line in watcher.lines if marker in line.text]
        traces += [f"request to {request.system}" for request in watcher.receiver.requests() if marker in request.body]
        traces += ["queue or data lake" for body in watcher.bodies if marker in body]
        tables = [*up.outputs.get("idempotency_table_names", []), up.outputs["review_table_name"]]
        for table in tables:
            for page in clients.dynamodb.get_paginator("scan").paginate(TableName=table):
                traces += [f"item in {table}" for item in page["Items"] if marker in str(item)]
        return traces

    def _report(self, watcher: Watcher, traces: list[str], up: lifecycle.Up, seconds: float) -> dict[str, Any]:
        self._say("The map")
        self.console.print(map_of(watcher))
        self._say("The path of every event")
        self.console.print(verdict.summary(watcher.board, traces))
        for labels in watcher.board.groups.values():
            self.console.print(f"  {PLANNING}, in order: {', then '.join(labels)}", markup=False)
        if not self.faults:
            self.console.print(f"  {SIGNED}: every signature verified by the library standardwebhooks", markup=False)
        for fault in self.faults:
            self.console.print(Text(f"  fault: {fault}", style="bold red"))
        outcome = "Every event is accounted for." if not self.faults else "Not every event is accounted for."
        self.console.print(Text(f"{outcome} {seconds:g} s.", style="bold green" if not self.faults else "bold red"))
        return {
            "ok": not self.faults,
            "seconds": {"total": seconds, **up.seconds},
            **verdict.document(watcher, traces),
            "faults": self.faults,
        }


_CRASH: Final = "Error: "
"""In the last line of a Python traceback, which the runtime logs when a function raises."""


def _last(text: str) -> str:
    return text.strip().splitlines()[-1][:300]


def _settled(board: Board, expectations: Sequence[Expectation]) -> bool:
    return all(track.is_finished() for track in board.tracks if track.expectation in expectations)
