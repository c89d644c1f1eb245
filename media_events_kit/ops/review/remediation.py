"""Advice about failures, by class and by error code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from media_events.core.failures import FailureClass
from media_events.recovery.review_item import Attempt


@dataclass(frozen=True, slots=True)
class Advice:
    """The meaning of a failure class, the steps that put it right, and both in one line (``briefly``)."""

    meaning: str
    steps: tuple[str, ...]
    briefly: str


BY_CLASS: Final[dict[FailureClass, Advice]] = {
    "transient": Advice(
        "The receiver was down, slow or told us to wait, for longer than the hop retries.",
        (
            "Make sure that the receiver is up again.",
            "Retry with a few canaries first: the others follow only when those are delivered.",
        ),
        "may pass: see whether the receiver is back, then retry",
    ),
    "permanent-config": Advice(
        "Our settings are at fault: a permission, an address, a secret, or a target that is not there.",
        (
            "Put the destination, its secret or its permission right, and deploy.",
            "Retry one item, then the others.",
        ),
        "put right the destination, its secret or its permissions, then retry",
    ),
    "permanent-data": Advice(
        "The event itself was refused. Sent as it is, it will be refused again.",
        (
            "Read the receiver's answer and the body of one item.",
            "Correct the transform or the receiver and retry; or edit an item, where its type allows it.",
            "Archive the items that nobody needs.",
        ),
        "this body won't be taken as it is: edit it, or have it sent again",
    ),
    "poison": Advice(
        "The function crashed or ran out of time or memory while it processed this event.",
        (
            "Look at the function's log at the time of the failure.",
            "Give it more time or memory, or correct it, and deploy.",
            "Retry one item as a canary before the others.",
        ),
        "crashed the function: see its log, put it right, then retry",
    ),
    "expired": Advice(
        "The event became too old while it waited for a retry.",
        ("Ask whether the receiver still wants it.", "Retry it, or archive it with the reason."),
        "was too old to be tried again by itself: retry it if it is still wanted",
    ),
}

_BY_CODE: Final = {
    "http-401": "The receiver does not accept our credential: check the destination's secret.",
    "http-403": "The receiver knows us and does not allow this: check what our account there may do.",
    "http-404": "There is nothing at this address: check the destination's URL.",
    "http-409": "The receiver says that this conflicts with what it has: it may have the event already.",
    "http-410": "The receiver has taken this address away for good.",
    "http-413": "The body is too large for the receiver.",
    "http-422": "The receiver understood the body and does not accept its content.",
    "http-429": "The receiver wants fewer requests: retry at a lower rate.",
    "unknown-partner": "The partner is not in the workflow any more: add it again and retry, or archive the item.",
    "unknown-source": "No partner has this source any more: add it again and retry, or archive the item.",
    "order-waiting": "It waited too long behind another event of its key: put that right, then retry this.",
    "order-late": "A later event of its key was delivered before it: archive it if that makes it worthless, "
    "else retry it out of order.",
    "aws-AccessDenied": "IAM refuses: the function's role may not reach the target.",
    "aws-AccessDeniedException": "IAM refuses: the function's role may not reach the target.",
}


def advice(failure_class: str, code: str) -> Advice:
    """The advice about a failure; an unknown class counts as ``permanent-data``."""
    by_class = {str(name): value for name, value in BY_CLASS.items()}.get(failure_class, BY_CLASS["permanent-data"])
    hint = _BY_CODE.get(code)
    return by_class if hint is None else replace(by_class, steps=(hint, *by_class.steps))


def made(attempt: Attempt) -> str:
    """How often the hop had tried before it gave the event up."""
    tries = "1 attempt" if attempt.receives == 1 else f"{attempt.receives or 'all its'} attempts"
    before = attempt.redrivecount
    return f"given up after {tries}" + (f", and {before} redrive{'s' if before > 1 else ''} before" if before else "")
