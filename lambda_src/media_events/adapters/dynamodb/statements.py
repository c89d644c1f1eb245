"""Writes of many items in one call, each under its own condition: PartiQL statements.

AWS's pages are below https://docs.aws.amazon.com/amazondynamodb/latest/: ``BatchExecuteStatement`` takes 25 statements,
and answers each by itself, in their order; a 200 promises nothing (``APIReference/API_BatchExecuteStatement.html``,
``APIReference/API_BatchStatementError.html``). An ``INSERT`` replaces nothing: ``DuplicateItem``
(``developerguide/ql-reference.insert.html``). An ``UPDATE`` whose ``WHERE`` holds for no item makes none:
``ConditionalCheckFailed`` (``developerguide/ql-reference.update.html``).

The pages leave open, and nothing here relies on:

- whether ``DuplicateItem`` tells the item as ``ConditionalCheckFailed`` does;
- whether a statement with ``InternalServerError`` took effect, and whether DynamoDB repeats a throttled one;
- whether one statement can have the whole call refused: for its size, its key, a permission;
- the order in which two statements on one item would take effect: no call has two.

So a statement that did not certainly take effect is only told of. Its caller makes the write alone, under a condition
that knows the statement's own write by its token (``records.put_if``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, judge
from media_events.core.deferred import pattern
from media_events.core.failures import ProcessingError, TransientError
from media_events.core.value_classes import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STATEMENTS_A_CALL: Final = 25

_NUMBER: Final = pattern(r"[0-9]{1,16}(\.[0-9]{1,16})?\Z")
_PLAIN: Final = pattern(r"[A-Za-z0-9]{1,36}(-[A-Za-z0-9]{1,36}){0,8}\Z")


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that took effect or not: DynamoDB's ``code``, and the ``item`` that is there, if it told."""

    code: str
    item: Mapping[str, Any] = field(default_factory=dict)


Answer = Refused | ProcessingError | None
"""``None``: the statement took effect. An error: the whole call failed, or was not answered."""


def insert(table: str, item: Mapping[str, Any]) -> Any:
    """Put ``item`` where there is none with its key."""
    parameters: list[Any] = []
    values = ", ".join(f"'{name}': {_written(value, parameters)}" for name, value in item.items())
    return _statement(f'INSERT INTO "{table}" VALUE {{{values}}}', parameters)


def update(table: str, values: Mapping[str, Any], *, where: Mapping[str, Any]) -> Any:
    """Set ``values`` in the item that has all of ``where``, its key among them."""
    parameters: list[Any] = []
    assignments = ", ".join(f'"{name}" = {_written(value, parameters)}' for name, value in values.items())
    condition = " AND ".join(f'"{name}" = {_written(value, parameters)}' for name, value in where.items())
    text = f'UPDATE "{table}" SET {assignments} WHERE {condition}'  # noqa: S608 - see _written
    return _statement(text, parameters)


def _statement(text: str, parameters: Sequence[Any]) -> Any:
    given = {"Parameters": parameters} if parameters else {}  # the API takes no empty list
    return {"Statement": text, **given, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def _written(value: Mapping[str, Any], parameters: list[Any]) -> str:
    """``value`` in a statement: by itself if it is plain, else as one of ``parameters``, each of which botocore checks.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.data-types.html
    """
    ((kind, content),) = value.items()
    if kind == "N" and _NUMBER.match(content):
        return str(content)
    if kind == "S" and _PLAIN.match(content):
        return f"'{content}'"
    parameters.append(value)
    return "?"


def execute_all(client: DynamoDBClient, statements: Sequence[Any], *, doing: str) -> list[Answer]:
    """Execute ``statements`` in as few calls as possible; no two may be about one item. One answer for each."""
    starts = range(0, len(statements), STATEMENTS_A_CALL)
    calls = [statements[start : start + STATEMENTS_A_CALL] for start in starts]
    return [answer for call in calls for answer in _execute(client, call, doing)]


def _execute(client: DynamoDBClient, statements: Sequence[Any], doing: str) -> list[Answer]:
    try:
        answers = client.batch_execute_statement(Statements=statements)["Responses"]
    except (BotoCoreError, ClientError) as error:
        problem = judge(error, doing)
        # A refusal that no repetition helps may be about one of them, or about the batch: each alone shows it.
        answer = problem if isinstance(problem, TransientError) else Refused(error_code(error))
        return [answer] * len(statements)
    if len(answers) != len(statements):
        return [TransientError("aws-answers", f"{doing}: answers for another number of statements")] * len(statements)
    return [_refused(answer.get("Error")) for answer in answers]


def _refused(error: Mapping[str, Any] | None) -> Refused | None:
    return None if error is None else Refused(str(error.get("Code")), error.get("Item") or {})
