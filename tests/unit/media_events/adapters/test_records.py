"""Reading records of a table."""

from __future__ import annotations

from media_events.adapters.dynamodb.records import read_records


class Busy:
    """A table of which DynamoDB reads three keys at a time, and leaves the rest to another call."""

    def __init__(self):
        self.asked = []

    def batch_get_item(self, *, RequestItems):  # noqa: N803
        keys = RequestItems["table"]["Keys"]
        self.asked.append(len(keys))
        return {
            "Responses": {"table": [{"pk": key} for key in keys[:3]]},
            "UnprocessedKeys": {"table": {"Keys": keys[3:]}} if keys[3:] else {},
        }


def test_keys_that_dynamodb_left_out_of_its_answer_are_asked_for_again():
    client = Busy()

    records = list(read_records(client, "table", list(range(7)), doing="reading"))

    assert [record["pk"] for record in records] == list(range(7))
    assert client.asked == [7, 4, 1]
