"""The Flask application of the review page."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask, Response, abort, make_response, render_template, request, session
from jinja2 import StrictUndefined

from media_events_kit.ops.review_web import (
    actions,
    bulk_operations,
    edit,
    errors,
    formatting,
    groups,
    items,
    map_page,
    request_guard,
    trace,
)
from media_events_kit.ops.review_web.context import PageContext, current_context
from media_events_kit.ops.review_web.context import install as install_context
from media_events_kit.ops.review_web.request_guard import ENTERED, Gate
from media_events_kit.ops.shared.times import moment, span


def create(context: PageContext, gate: Gate) -> Flask:
    """The page of ``context``, behind ``gate``."""
    app = Flask("media_events_kit.ops.review_web", static_folder="static", template_folder="templates")
    app.jinja_options = {
        "finalize": formatting.clean,
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    _serve_files_without_wrapper(app)
    app.config["SECRET_KEY"] = secrets.token_bytes(32)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    install_context(app, context)
    request_guard.install(app, gate)
    errors.install(app)
    _add_filters(app)
    for part in (map_page, groups, items, bulk_operations, actions, edit, trace):
        app.register_blueprint(part.blueprint)

    @app.get("/enter")
    def enter() -> Response:
        if not gate.opens(request.args.get("key", "")):
            abort(401)
        session[ENTERED] = True
        # A redirect would leave the key in the browser's address.
        response = make_response(render_template("enter.html"))
        response.headers["Refresh"] = f"0; url={gate.start}"
        return response

    return app


def _serve_files_without_wrapper(app: Flask) -> None:
    wsgi_app = app.wsgi_app

    def without_file_wrapper(environ: dict[str, Any], start_response: Any) -> Any:
        # waitress does not close a file of PEP 3333's wsgi.file_wrapper when the browser disconnects.
        environ.pop("wsgi.file_wrapper", None)
        return wsgi_app(environ, start_response)

    app.wsgi_app = without_file_wrapper  # type: ignore[method-assign]  # Flask's own way to wrap an application


def _add_filters(app: Flask) -> None:
    filters = {
        "moment": moment,
        "ago": lambda text: formatting.ago(text, current_context().clock()),
        "bytes": formatting.size,
        "number": formatting.number,
        "highlighted": formatting.highlighted,
        "span": span,
        "person": person,
    }
    app.jinja_env.filters.update(filters)

    @app.context_processor
    def variables() -> dict[str, Any]:
        # A visitor without the key learns nothing about the deployment.
        if session.get(ENTERED) is not True or request.headers.get("Host", "").lower() == "":
            return {"section": ""}
        return {"context": current_context(), "section": _SECTIONS.get(request.blueprint or "", "")}


_SECTIONS = {
    "map": "Map",
    "groups": "Failures",
    "items": "Items",
    "edits": "Items",
    "operations": "Operations",
    "trace": "Trace",
}


def person(arn: str) -> str:
    """The short name of a principal: the last part of its ARN."""
    return arn.rpartition("/")[2] or arn
