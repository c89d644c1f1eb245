"""Error pages: they say what is wrong and what to do, and never how the page is built."""

from __future__ import annotations

import secrets
import sys
import traceback
from typing import Final

from flask import Flask, Response, make_response, render_template, request
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from media_events.core.failures import ProcessingError
from media_events_kit.ops.review.queries import QueryError
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.contact import CONTACT, LOST

DENIED: Final = frozenset(
    {
        "aws-AccessDenied",
        "aws-AccessDeniedException",
        "aws-UnauthorizedOperation",
        "aws-NotAuthorizedForSourceException",
    }
    | {"aws-KMSAccessDeniedException", "aws-KmsAccessDenied", "aws-AuthorizationError"}
)
IDENTITY: Final = frozenset(
    {"aws-NoCredentialsError", "aws-ExpiredToken", "aws-ExpiredTokenException", "aws-InvalidClientTokenId"}
    | {"aws-UnrecognizedClientException", "aws-CredentialRetrievalError", "aws-TokenRetrievalError"}
)

POLICIES: Final = {
    "metadata": "see failures, their places, reasons and numbers, and the audit; no bodies",
    "read": "see whole items, with bodies and receivers' answers",
    "retry": "send items again, and leave notes",
    "edit": "send edited events in place of items, if their type allows it",
    "administer": "archive and restore items, and leave notes",
}
_NEEDED: Final = {
    "actions.retry": "retry",
    "actions.retry_group": "retry",
    "actions.resume": "retry",
    "actions.cancel": "retry",
    "actions.archive": "administer",
    "actions.restore": "administer",
    "actions.archive_group": "administer",
    "edits.edit": "edit",
    "edits.change": "edit",
    "edits.finish": "edit",
    "edits.abandon": "edit",
    "actions.note": "retry",
    "actions.reveal": "retry",
    "actions.reveal_data": "retry",
}

_STATUS_TEXTS: Final = {
    400: ("That can't be read", "The request is not one that this page makes. Go back and try again."),
    401: (
        "Open the page by its link",
        "A link lets in one browser, once. Open the latest link that this command printed:",
    ),
    403: ("Not from here", "Only forms of this page itself may change anything."),
    404: ("Not found", "It may have been removed, or the address is mistyped."),
    405: ("Not that way", "This address does not support that method."),
    413: ("Too large", "The request is larger than this page accepts."),
    421: ("Not by this name", "This page answers only to the address that the command printed."),
}


def needed_policy() -> str:
    """The operator policy that the current request needs."""
    if request.endpoint == "actions.selection":
        return "retry" if request.form.get("do") == "retry" else "administer"
    return _NEEDED.get(request.endpoint or "", "read")


def explained(error: ProcessingError) -> str:
    """One sentence about ``error`` for a message on a page."""
    if error.code in DENIED:
        return f"AWS does not allow this: you need operator_policies.{needed_policy()} ({error.message})."
    if error.code in IDENTITY:
        return f"AWS does not accept your credentials any more: renew them ({error.message})."
    if error.code in LOST:
        problem = CONTACT.problem(error)
        return f"{problem[:1].upper()}{problem[1:]}. Nothing is lost: try again when it answers."
    return f"AWS failed: {error.message}. Try again."


def install(app: Flask) -> None:
    """Add error pages to ``app``."""

    @app.errorhandler(CSRFError)
    def forged(_error: CSRFError) -> Response:
        text = "The form was not made by this run of the page. Go back, reload, and send it again."
        return _page(400, "The form is too old", text)

    @app.errorhandler(QueryError)
    def lost(error: QueryError) -> Response:
        return _page(400, "That can't be looked for", f"{str(error)[:1].upper()}{str(error)[1:]}.")

    @app.errorhandler(ProcessingError)
    def refused(error: ProcessingError) -> Response:
        if error.code in DENIED:
            text = "AWS refused the request with your credentials."
            return _page(403, "You may not see or do this", text, policy=needed_policy(), detail=error.message)
        if error.code in IDENTITY:
            text = (
                "Renew your credentials, for example with aws sso login, and reload. A page that was started with "
                "credentials in variables must be started again."
            )
            return _page(403, "AWS does not know you", text, detail=error.message)
        if error.failure_class == "permanent-config":
            text = "AWS does not have the table or queue. Is it the right environment, table and region?"
            return _page(502, "AWS has no such thing", text, detail=error.message)
        return _page(
            503, "AWS did not answer", "It is down or busy. Reload the page in a moment.", detail=CONTACT.problem(error)
        )

    @app.errorhandler(OperatorError)
    def unusable(error: OperatorError) -> Response:
        return _page(502, "AWS can't be reached", f"{error.message}. {error.hint or ''}")

    @app.errorhandler(HTTPException)
    def rejected(error: HTTPException) -> Response:
        code = error.code or 500
        heading, text = _STATUS_TEXTS.get(code, ("That did not work", "The page could not do that."))
        command = "media-events review serve" if code == 401 else ""  # noqa: PLR2004
        return _page(code, heading, text, command=command)

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        number = secrets.token_hex(4)
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
        print(f"review page: fault {number}: {type(error).__name__} at {where}: {error}", file=sys.stderr)  # noqa: T201
        text = f"It is an error of the page, not yours. Its number in the command's output is {number}."
        return _page(500, "Something went wrong here", text)


def _page(code: int, heading: str, text: str, *, policy: str = "", detail: str = "", command: str = "") -> Response:  # noqa: PLR0913
    if request.accept_mimetypes.best == "application/json":
        # It asks for a page that refreshes itself.
        return make_response({"problem": f"{heading}: {detail or text}".removesuffix(".")}, code)
    html = render_template(
        "problem.html", code=code, heading=heading, text=text, policy=policy, detail=detail, command=command
    )
    return make_response(html, code)
