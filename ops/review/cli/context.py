"""What the commands of `media-events review` share: where the desk is, what is asked for, and how problems are told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from media_events.core.failures import ProcessingError
from media_events.recovery.review_item import Status
from ops.deployment.discovery import Deployment, find
from ops.review.cli.options import NO_LEDGER, Choice, Where
from ops.review.queries import WAITING, Query, QueryError, time_bound
from ops.shared.console import OperatorError, note

if TYPE_CHECKING:
    from ops.review.audited_service import AuditedReviewService

UNUSABLE: Final = 2


def service_of(where: Where, *, confirming: bool = False) -> AuditedReviewService:
    """The desk of the deployment that the options name; ``confirming`` says that ledgers are needed.

    Raises:
        OperatorError: the deployment is nowhere to be found.
    """
    deployment = find(
        environment=where.environment,
        region=where.region,
        profile=where.profile,
        table=where.table,
        idempotency_tables=where.idempotency_table or [],
    )
    if confirming and not deployment.idempotency_tables:
        note(NO_LEDGER)
    return _review(deployment)


def _review(deployment: Deployment) -> AuditedReviewService:
    from ops.review.bootstrap import audited_review  # noqa: PLC0415  # botocore takes a while; --help needs none of it

    return audited_review(deployment)


def query_of(
    audited_review: AuditedReviewService,
    choice: Choice,
    *,
    statuses: Sequence[Status] = WAITING,
    event: str | None = None,
) -> Query:
    """The query that the options say.

    Raises:
        QueryError: a time is none.
    """
    return Query(
        statuses=tuple(statuses),
        group=choice.group,
        event=event,
        hop=choice.hop,
        destination=choice.destination,
        failure_class=choice.failure_class,
        error_code=choice.code,
        type=choice.type,
        partner=choice.partner,
        since=time_bound(choice.since, now=audited_review.clock()),
        until=time_bound(choice.until, now=audited_review.clock(), upper=True),
    )


def said(query: Query) -> str:
    """What is asked for beside the status, in words; empty if nothing is."""
    return query.told().partition(" of ")[2]


@contextmanager
def told() -> Iterator[None]:
    """Turns what AWS refuses, and what can't be asked for, into what a person can act on."""
    try:
        yield
    except QueryError as error:
        raise OperatorError(str(error), exit_code=UNUSABLE) from error
    except ProcessingError as error:
        hint = "check the credentials, their permissions and the table's name"
        raise OperatorError(error.message, hint=hint) from error
