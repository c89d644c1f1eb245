"""Operations in the review table, by key; the index ``by-event`` finds them under ``operation/``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from media_events.adapters.aws_errors import translated
from media_events.adapters.dynamodb.records import CONDITION_FAILED, put_if
from media_events.core.failures import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OPERATION: Final = "operation/"


class OperationTable:
    """Rows by key. Every method raises ``ProcessingError`` where DynamoDB refuses or does not answer."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def _indexed(self, prefix: str, subject: str, doing: str) -> Iterator[Mapping[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            with translated(doing):
                page = self._client.query(
                    TableName=self._table,
                    IndexName="by-event",
                    KeyConditionExpression="event_id = :subject",
                    ExpressionAttributeValues={":subject": {"S": prefix + subject}},
                    ScanIndexForward=False,
                    **start,
                )
            # A partner's event may have such an id; the key of its item is another.
            yield from (row for row in page["Items"] if row["item_id"]["S"].startswith(prefix))
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _read(self, key: str, doing: str) -> Mapping[str, Any] | None:
        """Read a row, consistently."""
        with translated(doing):
            answer = self._client.get_item(TableName=self._table, Key={"item_id": {"S": key}}, ConsistentRead=True)
        return answer.get("Item")

    def _write(self, key: str, columns: Mapping[str, Any], doing: str) -> None:
        """Create a row."""
        if put_if(
            self._client,
            doing=doing,
            TableName=self._table,
            Item={"item_id": {"S": key}, **columns},
            ConditionExpression="attribute_not_exists(item_id)",
        ):
            raise TransientError(f"aws-{CONDITION_FAILED}", f"{doing}: another row has its id")

    def _write_version(
        self, key: str, columns: Mapping[str, Any], version: int, *, expected_version: int | None, doing: str
    ) -> bool:
        """Write a row over ``expected_version`` (``None``: create it); whether that was still the version."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(item_id)"}
        if expected_version is not None:
            condition = {
                "ConditionExpression": "version = :expected",
                "ExpressionAttributeValues": {":expected": {"N": str(expected_version)}},
            }
        item = {"item_id": {"S": key}, "version": {"N": str(version)}, **columns}
        return put_if(self._client, doing=doing, TableName=self._table, Item=item, **condition) is None
