"""All that the parts of a deployment have written down, wherever it is."""

from __future__ import annotations

from collections.abc import Iterator

from media_events_kit.ops.local.clients import Clients


def everything_kept(clients: Clients) -> Iterator[tuple[str, str]]:
    """Every place, and a text that is there; nothing is changed by looking.

    Log lines with the metrics in them, items of tables (idempotency records, review items, audit), objects, messages.
    """
    yield from log_lines(clients)
    for table in clients.dynamodb.list_tables()["TableNames"]:
        for page in clients.dynamodb.get_paginator("scan").paginate(TableName=table):
            yield from ((table, str(item)) for item in page["Items"])
    for bucket in clients.s3.list_buckets()["Buckets"]:
        for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for entry in page.get("Contents", []):
                body = clients.s3.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
                yield f"{bucket['Name']}/{entry['Key']}", body.decode("utf-8", "replace")
    for url in clients.sqs.list_queues().get("QueueUrls", []):
        messages = clients.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        yield from ((url.rpartition("/")[2], str(message)) for message in messages.get("Messages", []))


def log_lines(clients: Clients) -> Iterator[tuple[str, str]]:
    """Every line of every log: the functions', the HTTP API's, the state machines'."""
    for page in clients.logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for lines in clients.logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield from ((name, event["message"]) for event in lines["events"])
