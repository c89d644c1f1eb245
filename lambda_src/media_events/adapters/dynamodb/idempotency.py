"""The idempotency store in DynamoDB: one conditional put decides which attempt goes ahead."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.aws_errors import error_code, translate, translated
from media_events.adapters.dynamodb.records import (
    CONDITION_FAILED,
    expired,
    expiry,
    is_expired,
    is_of_same_write,
    put_if,
    read_record,
    signed,
)
from media_events.adapters.dynamodb.statements import Answer, Refused, execute_all, insert, update
from media_events.core.clock import lease_end
from media_events.core.failures import ProcessingError
from media_events.core.parallel import MAX_PARALLEL, in_parallel
from media_events.messaging.idempotency import (
    RETENTION_SECONDS,
    WITHDRAWN_SECONDS,
    Acquisition,
    Completion,
    Decision,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_FREE: Final = "attribute_not_exists(pk) OR expires <= :now OR (#state = :started AND lease_expires <= :now)"
"""No attempt has the effect: there is no record, it has expired, or its lease has run out.

DynamoDB deletes expired items up to two days late, so expiry is part of the condition.
"""

_OURS: Final = "(#state = :withdrawn AND item_version <= :version)"
"""No decision about a later version of the review item has withdrawn the effect."""


def _free_values(now: float) -> Any:
    return {":now": {"N": repr(now)}, ":started": {"S": "started"}}


class DynamoIdempotencyStore:
    """Implements ``messaging.idempotency.IdempotencyStore``.

    ``owner`` is the request id: only a record's owner may complete or release it. All methods raise a
    ``ProcessingError`` where DynamoDB does not answer or refuses. The calls that no batch can make go side by side,
    ``parallel`` at a time.
    """

    parallel = MAX_PARALLEL

    def __init__(
        self, client: DynamoDBClient, table: str, *, owner: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._table = table
        self._owner = owner
        self._clock = clock

    def acquire(self, key: str, *, lease_seconds: float) -> Acquisition:
        """Claim ``key``: it is ours if it is new, its lease has run out, or it has expired."""
        now = self._clock()
        return self._put(self._claim(key, now, lease_seconds), now)

    def acquire_all(self, keys: Sequence[str], *, lease_seconds: float) -> list[Acquisition | ProcessingError]:
        """Claim the new ones of ``keys`` in one call, and each of the others as :meth:`acquire` does."""
        now = self._clock()
        claims = [self._claim(key, now, lease_seconds) for key in keys]
        if len(keys) == 1:
            return [self._put_alone(claims[0], now)]
        statements = [insert(self._table, claim) for claim in claims]
        answers = execute_all(self._client, statements, doing="acquiring idempotency records")
        outcomes = [_settled(answer, claim, now) for answer, claim in zip(answers, claims, strict=True)]
        undecided = [claim for claim, outcome in zip(claims, outcomes, strict=True) if outcome is None]
        alone = iter(in_parallel(lambda claim: self._put_alone(claim, now), undecided, workers=self.parallel))
        return [outcome or next(alone) for outcome in outcomes]

    def _claim(self, key: str, now: float, lease_seconds: float) -> dict[str, Any]:
        return signed(
            {
                "pk": {"S": key},
                "state": {"S": "started"},
                "lease_expires": {"N": repr(lease_end(now, lease_seconds))},
                "expires": expiry(now),
                "at": {"N": repr(now)},
                "owner": {"S": self._owner},
            }
        )

    def _put(self, claim: dict[str, Any], now: float) -> Acquisition:
        winner = put_if(
            self._client,
            doing="acquiring an idempotency record",
            TableName=self._table,
            Item=claim,
            ConditionExpression=_FREE,
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=_free_values(now),
        )
        return Acquisition("owned") if winner is None else _acquisition(winner or self._read(claim["pk"]["S"]))

    def _put_alone(self, claim: dict[str, Any], now: float) -> Acquisition | ProcessingError:
        try:
            return self._put(claim, now)
        except ProcessingError as error:
            return error

    def complete(
        self, key: str, *, result: Mapping[str, Any] | None = None, keep_seconds: int = RETENTION_SECONDS
    ) -> None:
        """Mark our record as done; also raises where another attempt owns the record by now."""
        values = self._done(Completion(key=key, result=result, keep_seconds=keep_seconds))
        with translated("completing an idempotency record"):
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"} | {f"#{name}": name for name in values},
                ExpressionAttributeValues={":owner": {"S": self._owner}}
                | {f":{name}": value for name, value in values.items()},
            )

    def complete_all(self, completions: Sequence[Completion]) -> list[ProcessingError | None]:
        """Mark our records as done in one call, and each that this did not reach as :meth:`complete` does."""
        if len(completions) == 1:
            return [self._complete_alone(completions[0])]
        owner = {"S": self._owner}
        statements = [
            update(self._table, self._done(one), where={"pk": {"S": one.key}, "owner": owner}) for one in completions
        ]
        answers = execute_all(self._client, statements, doing="completing idempotency records")
        refused = [one for one, answer in zip(completions, answers, strict=True) if isinstance(answer, Refused)]
        alone = iter(in_parallel(self._complete_alone, refused, workers=self.parallel))
        return [next(alone) if isinstance(answer, Refused) else answer for answer in answers]

    def _complete_alone(self, one: Completion) -> ProcessingError | None:
        try:
            self.complete(one.key, result=one.result, keep_seconds=one.keep_seconds)
        except ProcessingError as error:
            return error
        return None

    def _done(self, completion: Completion) -> dict[str, Any]:
        """The attributes that change. The lease stays: only that of a started effect is read."""
        now = self._clock()
        values = {"state": {"S": "done"}, "at": {"N": repr(now)}, "expires": expiry(now, completion.keep_seconds)}
        if completion.result is not None:
            values["result"] = {"S": json.dumps(completion.result, separators=(",", ":"))}
        return values

    def release(self, key: str) -> None:
        """Delete our record, unless it is done or another attempt owns it by now."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key={"pk": {"S": key}},
                ConditionExpression="#owner = :owner AND #state = :started",
                ExpressionAttributeNames={"#owner": "owner", "#state": "state"},
                ExpressionAttributeValues={":owner": {"S": self._owner}, ":started": {"S": "started"}},
            )
        except (BotoCoreError, ClientError) as error:
            if error_code(error) != CONDITION_FAILED:
                translate(error, "releasing an idempotency record")

    def done(self, key: str) -> bool:
        """Whether the effect is recorded as done."""
        return _is_done(self._read(key), self._clock())

    def _read(self, key: str) -> Mapping[str, Any]:
        return read_record(self._client, self._table, key, doing="reading an idempotency record")


class DynamoWithdrawals:
    """Implements ``messaging.idempotency.Withdrawals``; the operators' commands use it."""

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def withdraw(self, key: str, decision: Decision, *, version: int) -> Acquisition:
        """Withdraw the effect, where no attempt has it; a lease of a function that died may have run out."""
        winner = self._put(
            key, decision, version, f"{_FREE} OR {_OURS}", expires=expiry(self._clock(), WITHDRAWN_SECONDS)
        )
        if winner is None:
            return Acquisition("withdrawn")
        record = winner or read_record(self._client, self._table, key, doing="reading an idempotency record")
        return _acquisition(record)

    def reinstate(self, key: str, *, version: int) -> None:
        """Let the record of a withdrawal expire; a repeated call, or one for another record, does nothing.

        The operators' policies allow deleting no record of a delivery.
        """
        self._put(key, "reinstated", version, _OURS, expires=expired(self._clock()))

    def _put(self, key: str, decision: str, version: int, condition: str, *, expires: Any) -> Mapping[str, Any] | None:
        now = self._clock()
        values = {":withdrawn": {"S": "withdrawn"}, ":version": {"N": str(version)}}
        return put_if(
            self._client,
            doing="withdrawing or reinstating an effect",
            TableName=self._table,
            Item={
                "pk": {"S": key},
                "state": {"S": "withdrawn"},
                "item_version": {"N": str(version)},
                "result": {"S": json.dumps({"withdrawn": decision}, separators=(",", ":"))},
                "expires": expires,
                "at": {"N": repr(now)},
            },
            ConditionExpression=condition,
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=values | (_free_values(now) if _FREE in condition else {}),
        )


class IdempotencyReader:
    """Implements ``recovery.ports.DeliveryRecords``: reads any idempotency table and claims nothing.

    All methods raise a ``ProcessingError`` where DynamoDB does not answer or refuses.
    """

    def __init__(self, client: DynamoDBClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    def done(self, table: str, key: str) -> bool:
        """Whether the effect of ``key`` is recorded as done in ``table``."""
        return self.done_at(table, key) is not None

    def withdrawn(self, table: str, key: str) -> bool:
        """Whether a person has withdrawn the effect of ``key`` in ``table``."""
        record = read_record(self._client, table, key, doing="reading an idempotency record")
        return _state(record) == "withdrawn" and not is_expired(record, self._clock())

    def done_at(self, table: str, key: str) -> float | None:
        """When the effect of ``key`` was done, in epoch seconds; ``None`` where ``table`` does not have it as done."""
        record = read_record(self._client, table, key, doing="reading an idempotency record")
        if not _is_done(record, self._clock()):
            return None
        # A record written by hand may have no time: it was done before anything that asks.
        return float(record.get("at", {}).get("N", "0"))


def _is_done(record: Mapping[str, Any], now: float) -> bool:
    return _state(record) == "done" and not is_expired(record, now)


def _state(record: Mapping[str, Any]) -> Any:
    return record.get("state", {}).get("S")


def _settled(answer: Answer, claim: Mapping[str, Any], now: float) -> Acquisition | ProcessingError | None:
    """The outcome of the statement that puts ``claim``; ``None`` where a conditional put has to decide."""
    if not isinstance(answer, Refused):
        return answer or Acquisition("owned")
    found = answer.item
    if not found:
        return None
    if is_of_same_write(found, claim):
        return Acquisition("owned")
    lease = found.get("lease_expires", {}).get("N")
    if is_expired(found, now) or (_state(found) == "started" and (lease is None or float(lease) <= now)):
        return None
    return _acquisition(found)


def _acquisition(record: Mapping[str, Any]) -> Acquisition:
    """The outcome for an attempt that found ``record``; empty: it was released between our put and our read."""
    state = _state(record)
    if state in ("done", "withdrawn"):
        text = record.get("result", {}).get("S")
        return Acquisition(state, result=json.loads(text) if text else None)
    lease = record.get("lease_expires", {}).get("N")
    return Acquisition("in-progress", lease_expires=float(lease) if lease else None)
