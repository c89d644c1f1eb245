"""The deployment, the query and the errors of the commands of `media-events review`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import Status
from media_events_kit.ops.deployment.discovery import Deployment, find
from media_events_kit.ops.review.cli.options import NO_IDEMPOTENCY_TABLE, Choice
from media_events_kit.ops.review.queries import WAITING, Query, QueryError, time_bound
from media_events_kit.ops.shared.console import OperatorError, note
from media_events_kit.ops.shared.contact import CONTACT, hint
from media_events_kit.ops.shared.options import Where

if TYPE_CHECKING:
    from media_events_kit.ops.review.audited_service import AuditedReviewService

UNUSABLE: Final = 2


def service_of(where: Where, *, confirming: bool = False) -> AuditedReviewService:
    """The review service of the deployment that the options name; ``confirming``: it needs the idempotency tables.

    Raises:
        OperatorError: the deployment can't be found.
    """
    deployment = find(where)
    if confirming and not deployment.idempotency_tables:
        note(NO_IDEMPOTENCY_TABLE)
    return _review(deployment)


def _review(deployment: Deployment) -> AuditedReviewService:
    from media_events_kit.ops.review.bootstrap import audited_review  # noqa: PLC0415  # botocore takes a while; --help needs none of it

    return audited_review(deployment)


def query_of(
    review: AuditedReviewService,
    choice: Choice,
    *,
    statuses: Sequence[Status] = WAITING,
    event: str | None = None,
) -> Query:
    """The query that the options make.

    Raises:
        QueryError: a time is not valid.
    """
    return Query(
        statuses=tuple(statuses),
        group=choice.group,
        event=event,
        hop=_deployed(review, "", choice.hop),
        destination=_deployed(review, "destination/", choice.destination),
        failure_class=choice.failure_class,
        error_code=choice.code,
        type=choice.type,
        partner=choice.partner,
        since=time_bound(choice.since, now=review.clock()),
        until=time_bound(choice.until, now=review.clock(), upper=True),
    )


def _deployed(review: AuditedReviewService, kind: str, name: str | None) -> str | None:
    """The name that items have of what the workflow file may have renamed."""
    return None if name is None else review.service.topology().deployed(kind + name).removeprefix(kind)


@contextmanager
def explained() -> Iterator[None]:
    """Turns errors of AWS and invalid queries into errors for the operator."""
    try:
        yield
    except QueryError as error:
        raise OperatorError(str(error), exit_code=UNUSABLE) from error
    except ProcessingError as error:
        advice = hint(error, "check the credentials, their permissions and the table's name")
        raise OperatorError(CONTACT.problem(error), hint=advice) from error
