"""The page's server, on loopback."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from pathlib import Path
from typing import Any, Final

from waitress.server import create_server  # type: ignore[import-untyped]

from ops.deployment.discovery import Deployment
from ops.review.audited_service import AuditedReviewService
from ops.review_web.app import create
from ops.review_web.background_runs import Runs
from ops.review_web.context import PageContext
from ops.review_web.request_guard import MAX_REQUEST_BYTES, Gate, hosts_of
from ops.review_web.route_preview import Matching
from ops.shared.console import OperatorError, note, out, print_json
from ops.trace.bootstrap import tracer

ADDRESS: Final = "127.0.0.1"
THREADS: Final = 6
KEY_BYTES: Final = 24


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
        environment=name,
        region=str(client.meta.region_name),
    )


def serve_page(context: PageContext, *, port: int, browse: bool, json: bool) -> None:
    """Serve the page until Ctrl-C. Then its operations stop before their next item, and can be resumed.

    Raises:
        OperatorError: the port is taken.
    """
    with listening(port) as listener:
        server, url = page_on(listener, context)
        if json:
            print_json({"url": url})
        else:
            out.print(f"The review page of {context.environment}: {url}", markup=False, soft_wrap=True)
            note(
                "The link contains the key of this run: everyone with the link and on this machine can use the page. "
                "Ctrl-C ends it."
            )
        if browse:
            webbrowser.open(url)
        try:
            server.run()
        except KeyboardInterrupt:  # before the server has begun to wait
            server.task_dispatcher.shutdown()
        if not context.runs.end():
            note("an operation did not stop in time: resume it")


def listening(port: int) -> socket.socket:
    """A socket on loopback; port 0 is any free one.

    Raises:
        OperatorError: the port is taken or not permitted.
    """
    try:
        return socket.create_server((ADDRESS, port))
    except OSError as error:
        raise OperatorError(
            f"port {port} of {ADDRESS} can't be used: {error.strerror}",
            hint="end what uses it, or choose another with --port (0 takes any free one)",
        ) from error


def page_on(listener: socket.socket, context: PageContext) -> tuple[Any, str]:
    """The server of the page on ``listener``, not yet running, and the link with its key."""
    port = listener.getsockname()[1]
    gate = Gate(hosts_of(port), secrets.token_urlsafe(KEY_BYTES))
    server = create_server(
        create(context, gate),
        sockets=[listener],
        threads=THREADS,
        ident=None,
        max_request_body_size=MAX_REQUEST_BYTES,
        expose_tracebacks=False,
    )
    return server, f"http://{ADDRESS}:{port}/enter?key={gate.key}"
