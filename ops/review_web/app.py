"""The page put together."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask, Response, abort, make_response, render_template, request, session
from jinja2 import StrictUndefined

from ops.review_web import actions, bulk_operations, edit, errors, formatting, groups, items, request_guard, trace
from ops.review_web.context import PageContext, current_context, put
from ops.review_web.request_guard import ENTERED, Gate


def create(where: PageContext, gate: Gate) -> Flask:
    """The page of ``where``, which only ``gate`` leads to."""
    app = Flask("ops.review_web", static_folder="static", template_folder="templates")
    app.jinja_options = {
        "finalize": formatting.clean,
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    _close_files(app)
    app.config["SECRET_KEY"] = secrets.token_bytes(32)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # Cookies know no ports: two desks on one machine must not have the same.
    app.config["SESSION_COOKIE_NAME"] = f"media-events-desk-{min(gate.hosts).rpartition(':')[2]}"
    put(app, where)
    request_guard.install(app, gate)
    errors.install(app)
    _speak(app)
    for part in (groups, items, bulk_operations, actions, edit, trace):
        app.register_blueprint(part.blueprint)

    @app.get("/enter")
    def enter() -> Response:
        if not gate.opens(request.args.get("key", "")):
            abort(401)
        session[ENTERED] = True
        # Not a redirect: the key must not stay in the address.
        response = make_response(render_template("enter.html"))
        response.headers["Refresh"] = "0; url=/"
        return response

    return app


def _close_files(app: Flask) -> None:
    answer = app.wsgi_app

    def without_file_wrapper(environ: dict[str, Any], start_response: Any) -> Any:
        # waitress does not close a file handed over by PEP 3333's wsgi.file_wrapper where the browser has gone.
        environ.pop("wsgi.file_wrapper", None)
        return answer(environ, start_response)

    app.wsgi_app = without_file_wrapper  # type: ignore[method-assign]  # Flask's own way to wrap an application


def _speak(app: Flask) -> None:
    filters = {
        "moment": formatting.moment,
        "ago": lambda text: formatting.ago(text, current_context().clock()),
        "bytes": formatting.size,
        "number": formatting.number,
        "span": formatting.span,
        "person": person,
    }
    app.jinja_env.filters.update(filters)

    @app.context_processor
    def known() -> dict[str, Any]:
        # Who has not been let in learns nothing of the place.
        if session.get(ENTERED) is not True or request.headers.get("Host", "").lower() == "":
            return {"section": ""}
        return {"place": current_context(), "section": _SECTIONS.get(request.blueprint or "", "")}


_SECTIONS = {"groups": "Failures", "items": "Items", "edits": "Items", "operations": "Operations", "trace": "Trace"}


def person(arn: str) -> str:
    """The short name of a principal: the last part of its ARN."""
    return arn.rpartition("/")[2] or arn
