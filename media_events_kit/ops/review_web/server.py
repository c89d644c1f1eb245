"""The page's server, on loopback."""

from __future__ import annotations

import errno
import html
import os
import shutil
import socket
import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from waitress import wasyncore  # type: ignore[import-untyped]
from waitress.server import BaseWSGIServer, create_server  # type: ignore[import-untyped]

from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.review.audited_service import AuditedReviewService
from media_events_kit.ops.review_web.app import create
from media_events_kit.ops.review_web.background_runs import Runs
from media_events_kit.ops.review_web.context import PageContext
from media_events_kit.ops.review_web.deployments import deployed_at
from media_events_kit.ops.review_web.live_hops import live_hops
from media_events_kit.ops.review_web.request_guard import MAX_REQUEST_BYTES, Gate, gate_on
from media_events_kit.ops.review_web.route_preview import Matching
from media_events_kit.ops.shared.console import OperatorError, note, out, print_json
from media_events_kit.ops.trace.bootstrap import tracer

ADDRESS: Final = "127.0.0.1"
ADDRESS_6: Final = "::1"
THREADS: Final = 6
ATTEMPTS: Final = 20
"""To find a port that is free on both addresses."""

HANDED_OVER: Final = """\
<!doctype html>
<meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url={url}">
<title>Review</title>
"""


def context_of(
    deployment: Deployment, review: AuditedReviewService, *, name: str, environment: str, workflow: Path
) -> PageContext:
    """The context of ``deployment``; ``name`` is its name on the page."""
    client = deployment.cloud.client("dynamodb")
    return PageContext(
        review=review,
        runs=Runs(review=review),
        matching=Matching(workflow, environment),
        trace=lambda event_id: tracer(deployment).search(event_id),
        live=live_hops(deployment),
        deployed=deployed_at(deployment),
        environment=name,
        region=str(client.meta.region_name),
    )


def serve_page(context: PageContext, *, port: int, browse: bool, json: bool, group: str | None = None) -> None:
    """Serve the page until Ctrl-C. Then its operations stop before their next item, and can be resumed.

    Who enters comes to ``group``, or else to the map.

    Raises:
        OperatorError: the port is taken.
    """
    with listening(port) as listeners, _private_folder() as folder:
        page = page_on(listeners, context)
        if group is not None:
            page.gate.start = f"/groups/{quote(group, safe=':/')}"
        page.gate.entered = lambda link: _tell_of_visitor(folder, link)
        if json:
            print_json({"url": page.link})
        else:
            out.print(f"The review page of {context.environment}: {page.link}", markup=False, soft_wrap=True)
            note("The link lets in one browser, once. Ctrl-C ends the page.")
        if browse:
            webbrowser.open(hand_over(page.link, folder).as_uri())
        page.run()
        if not context.runs.end():
            note("an operation did not stop in time: resume it")


def _tell_of_visitor(folder: Path, link: str) -> None:
    for file in folder.glob("*.html"):
        file.unlink(missing_ok=True)
    note(f"A browser has entered. If it was not yours, press Ctrl-C. For another browser: {link}")


def hand_over(link: str, folder: Path) -> Path:
    """A file that leads to ``link``. Every user sees a browser's command line, and only its owner reads the file."""
    file = folder / "review.html"
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(opened, "w", encoding="utf-8") as written:  # noqa: PTH123  # a descriptor
        written.write(HANDED_OVER.format(url=html.escape(link)))
    return file


@contextmanager
def _private_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="media-events-review-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def listening(port: int) -> Iterator[list[socket.socket]]:
    """Sockets on loopback; port 0 is any free one.

    Both addresses are taken: browsers may try either for the page's name, and nobody else may answer.

    Raises:
        OperatorError: the port is taken or not permitted.
    """
    for attempt in range(ATTEMPTS):
        sockets: list[socket.socket] = []
        try:
            sockets.append(socket.create_server((ADDRESS, port)))
            if socket.has_ipv6:
                sockets += _on_ipv6(sockets[0].getsockname()[1])
        except OSError as error:
            for opened in sockets:
                opened.close()
            if port == 0 and sockets and attempt < ATTEMPTS - 1:
                continue
            raise OperatorError(
                f"port {port} of {ADDRESS_6 if sockets else ADDRESS} can't be used: {error.strerror}",
                hint="end what uses it, or choose another with --port (0 takes any free one)",
            ) from error
        break
    try:
        yield sockets
    finally:
        for opened in sockets:
            opened.close()


def _on_ipv6(port: int) -> list[socket.socket]:
    try:
        return [socket.create_server((ADDRESS_6, port), family=socket.AF_INET6)]
    except OSError as error:
        if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
            return []  # this machine has no IPv6
        raise


@dataclass(slots=True)
class PageServer:
    """The page on its sockets, not yet running."""

    gate: Gate
    _server: Any
    _map: dict[int, Any] = field(repr=False)

    @property
    def link(self) -> str:
        """The link that lets in the next browser."""
        return self.gate.link

    def run(self) -> None:
        """Serve until Ctrl-C or ``stop``."""
        try:
            self._server.run()
        except KeyboardInterrupt:  # before the server has begun to wait
            pass
        finally:
            self.close()

    def close(self) -> None:
        """End what does not run."""
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._map, ignore_all=True)

    def stop(self) -> None:
        """End ``run``, from any thread."""
        server = next(server for server in self._map.values() if isinstance(server, BaseWSGIServer))
        server.trigger.pull_trigger(lambda: wasyncore.close_all(self._map, ignore_all=True))


def page_on(listeners: Sequence[socket.socket], context: PageContext) -> PageServer:
    """The page of ``context`` on ``listeners``."""
    gate = gate_on(listeners[0].getsockname()[1])
    channels: dict[int, Any] = {}
    server = create_server(
        create(context, gate),
        map=channels,
        sockets=list(listeners),
        threads=THREADS,
        ident=None,
        max_request_body_size=MAX_REQUEST_BYTES,
        expose_tracebacks=False,
    )
    return PageServer(gate, server, channels)
