"""What the operator sees where something can't be done: what is wrong and what to do, never how the page is built."""

from __future__ import annotations

import secrets
import sys
import traceback
from typing import Final

from flask import Flask, Response, make_response, render_template, request
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from media_events.core.failures import ProcessingError
from ops.review.queries import QueryError
from ops.shared.console import OperatorError

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
    "metadata": "what failed, where, why and how often, and the audit; not what events carry",
    "read": "items whole, with bodies and receivers' answers",
    "retry": "send items again, and leave notes",
    "edit": "send edited events in the place of items, where their type allows it",
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
}

_TOLD: Final = {
    400: ("That can't be read", "The request is not one that this page makes. Go back and try again."),
    401: (
        "Open the page by its link",
        "This browser has not been let in. Open the link that the command printed, with its key:",
    ),
    403: ("Not from here", "What changes something must be sent from this page itself."),
    404: ("There is no such thing", "It may have been removed, or the address is mistyped."),
    405: ("Not that way", "This address does not answer to that method."),
    413: ("Too large", "What was sent is larger than anything that this page takes."),
    421: ("Not by this name", "This page answers only to the address that the command printed."),
}


def needed_policy() -> str:
    """The operator policy that the request in hand needs."""
    if request.endpoint == "actions.selection":
        return "retry" if request.form.get("do") == "retry" else "administer"
    return _NEEDED.get(request.endpoint or "", "read")


def explained(error: ProcessingError) -> str:
    """One sentence about ``error`` for a message on a page."""
    if error.code in DENIED:
        return f"AWS does not allow you this: it needs operator_policies.{needed_policy()} ({error.message})."
    if error.code in IDENTITY:
        return f"AWS does not know you any more: renew your credentials ({error.message})."
    return f"AWS did not do it: {error.message}. Try again."


def install(app: Flask) -> None:
    """Have ``app`` say what is wrong, whatever it is."""

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
            text = "AWS refused what this page asked with your credentials."
            return _page(403, "You may not see or do this", text, policy=needed_policy(), said=error.message)
        if error.code in IDENTITY:
            text = (
                "Renew your credentials (aws sso login, or whatever you use) and reload. A page that was started with \
credentials in variables has to be started again."
            )
            return _page(403, "AWS does not know you", text, said=error.message)
        if error.failure_class == "permanent-config":
            text = "What the page asks for is not there. Is it the right environment, table and region?"
            return _page(502, "AWS has no such thing", text, said=error.message)
        return _page(503, "AWS did not answer", "It is down or busy. Reload the page in a moment.", said=error.message)

    @app.errorhandler(OperatorError)
    def unusable(error: OperatorError) -> Response:
        return _page(502, "AWS can't be asked", f"{error.message}. {error.hint or ''}")

    @app.errorhandler(HTTPException)
    def told(error: HTTPException) -> Response:
        code = error.code or 500
        heading, text = _TOLD.get(code, ("That did not work", "The page could not do that."))
        command = "media-events review serve" if code == 401 else ""  # noqa: PLR2004
        return _page(code, heading, text, command=command)

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        number = secrets.token_hex(4)
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
        print(f"review page: fault {number}: {type(error).__name__} at {where}: {error}", file=sys.stderr)  # noqa: T201
        text = f"It is a fault of the page, and nothing that you did. Its number in the command's output is {number}."
        return _page(500, "Something went wrong here", text)


def _page(code: int, heading: str, text: str, *, policy: str = "", said: str = "", command: str = "") -> Response:  # noqa: PLR0913
    html = render_template(
        "problem.html", code=code, heading=heading, text=text, policy=policy, said=said, command=command
    )
    return make_response(html, code)
