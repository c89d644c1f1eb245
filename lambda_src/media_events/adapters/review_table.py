"""The review table in DynamoDB (contracts, section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from media_events.adapters.errors import translate
from media_events.review import ReviewItem, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEXES: Final[dict[str, tuple[str, str]]] = {
    "by-status": ("status", "last_failed_at"),
    "by-group": ("group_id", "last_failed_at"),
    "by-event": ("event_id", "first_failed_at"),
}
IndexName = Literal["by-status", "by-group", "by-event"]

GROUP_PREFIX: Final = "group/"
"""Keys of the entries that remember announced groups. They have none of the indexes' attributes, so no list shows
them. Keys with a slash are never items: the review desk keeps its audit (``audit/``) and operations (``operation/``)
here too."""

_FIELDS: Final = tuple(name for name in ReviewItem.__dataclass_fields__ if name != "item_id")


class DynamoReviewTable:
    """Fulfils ``redriver.ReviewTable``, and reads for the review desk."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def create(self, item: ReviewItem) -> bool:
        """Write ``item`` unless its id exists; whether it was written.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        return self._conditionally(
            "writing a review item",
            lambda: self._client.put_item(
                TableName=self._table,
                Item={name: _to_dynamo(value) for name, value in item.to_dict().items()},
                ConditionExpression="attribute_not_exists(item_id)",
            ),
        )

    def get(self, item_id: str) -> ReviewItem | None:
        """Read an item, consistently.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        try:
            answer = self._client.get_item(TableName=self._table, Key={"item_id": {"S": item_id}}, ConsistentRead=True)
        except (BotoCoreError, ClientError) as error:
            translate(error, "reading a review item")
        item = answer.get("Item")
        return None if item is None or "event_id" not in item or "/" in item_id else _read(item)

    def update(self, item: ReviewItem, *, expected_version: int) -> bool:
        """Write ``item`` over version ``expected_version``; whether that was still the version.

        Attributes that are none of the item's (notes, say) stay as they are.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        values = item.to_dict()
        present = [name for name in _FIELDS if name in values]
        absent = [name for name in _FIELDS if name not in values]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in present)
        if absent:
            update += " REMOVE " + ", ".join(f"#{name}" for name in absent)
        return self._conditionally(
            "updating a review item",
            lambda: self._client.update_item(
                TableName=self._table,
                Key={"item_id": {"S": item.item_id}},
                UpdateExpression=update,
                ConditionExpression="#version = :expected",
                ExpressionAttributeNames={f"#{name}": name for name in _FIELDS},
                ExpressionAttributeValues={
                    **{f":{name}": _to_dynamo(values[name]) for name in present},
                    ":expected": {"N": str(expected_version)},
                },
            ),
        )

    def announce(self, group_id: str, *, now: float, quiet_seconds: float) -> bool:
        """Whether a group is new, or has not been announced for ``quiet_seconds``; remembers it as announced.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        return self._conditionally(
            "remembering a group",
            lambda: self._client.put_item(
                TableName=self._table,
                Item={"item_id": {"S": GROUP_PREFIX + group_id}, "announced_at": {"N": str(int(now))}},
                ConditionExpression="attribute_not_exists(item_id) OR announced_at <= :before",
                ExpressionAttributeValues={":before": {"N": str(int(now - quiet_seconds))}},
            ),
        )

    def unannounce(self, group_id: str) -> None:
        """Forget that a group was announced.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        try:
            self._client.put_item(
                TableName=self._table,
                Item={"item_id": {"S": GROUP_PREFIX + group_id}, "announced_at": {"N": "0"}},
            )
        except (BotoCoreError, ClientError) as error:
            translate(error, "forgetting a group")

    def query(self, index: IndexName, value: Status | str, *, page_size: int = 100) -> Iterator[ReviewItem]:
        """The items of one status, group or event, newest failure first, read page by page as they are asked for.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        return self._pages(index, value, page_size, newest_first=True, between=None)

    def oldest(self, *, group: str | None, since: str, until: str) -> Iterator[ReviewItem]:
        """The items of a group, or all open ones, that failed last between two times, oldest failure first.

        Raises:
            HopError: DynamoDB did not answer or refused.
        """
        index: IndexName = "by-status" if group is None else "by-group"
        return self._pages(index, group or "OPEN", 100, newest_first=False, between=(since, until))

    def _pages(
        self, index: IndexName, value: str, page_size: int, *, newest_first: bool, between: tuple[str, str] | None
    ) -> Iterator[ReviewItem]:
        attribute, sort = INDEXES[index]
        condition, names, values = "#key = :key", {"#key": attribute}, {":key": {"S": value}}
        if between is not None:
            condition += " AND #sort BETWEEN :since AND :until"
            names["#sort"] = sort
            values |= {":since": {"S": between[0]}, ":until": {"S": between[1]}}
        start: dict[str, Any] | None = None
        while True:
            options: Any = {} if start is None else {"ExclusiveStartKey": start}
            try:
                page = self._client.query(
                    TableName=self._table,
                    IndexName=index,
                    KeyConditionExpression=condition,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                    ScanIndexForward=not newest_first,
                    Limit=page_size,
                    **options,
                )
            except (BotoCoreError, ClientError) as error:
                translate(error, "listing review items")
            for item in page["Items"]:
                if "/" not in item["item_id"]["S"]:
                    yield _read(item)
            start = page.get("LastEvaluatedKey")
            if not start:
                return

    def _conditionally(self, doing: str, call: Any) -> bool:
        try:
            call()
        except ClientError as error:
            if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
                return False
            translate(error, doing)
        except BotoCoreError as error:
            translate(error, doing)
        return True


def _read(item: Mapping[str, Any]) -> ReviewItem:
    return ReviewItem.from_dict({name: _from_dynamo(value) for name, value in item.items()})


def _to_dynamo(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {"M": {_text(str(name)): _to_dynamo(inner) for name, inner in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [_to_dynamo(inner) for inner in value]}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": _text(str(value))}


def _text(text: str) -> str:
    # A lone surrogate, which JSON may hold, can't be sent and would keep the letter for ever.
    return text.encode(errors="replace").decode()


def _from_dynamo(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            number = Decimal(content)
            return int(number) if number == number.to_integral_value() else float(number)
        case "M":
            return {name: _from_dynamo(inner) for name, inner in content.items()}
        case "L":
            return [_from_dynamo(inner) for inner in content]
        case "NULL":
            return None
    return content
