"""How long the review desk's page takes with many open items, on the local cloud's DynamoDB.

    PYTHONPATH=lambda_src:. .venv/bin/python -m bench.review_page --items 100000

Starts a local cloud of its own, fills a review table, serves the page, asks for each page some times, and prints how
long the server took. Ends with 1 if half of the first pages took longer than 300 ms.

The first page reads the groups' counts alone (19 ms, on two busy cores). A list of items is one query, but the local
cloud goes through its whole table for each one, which takes it seconds; DynamoDB reads what it returns.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from media_events.adapters.review_table import _stored, _to_dynamo
from media_events.consuming import timestamp
from media_events.review import item_id
from ops.aws import Cloud, Deployment
from ops.desk.wiring import office
from ops.local import endpoint, process
from ops.local.paths import LocalPaths
from ops.page import command
from tests.unit.page.places import SECRET, WORKFLOW, item_of
from tests.unit.review.tables import create_review_table

MOST_SECONDS = 0.3
TABLE = "bench-review"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="review-page-") as folder:
        paths = LocalPaths(Path(folder))
        record = endpoint.start(paths, region="eu-west-1", port=None, waiting=lambda: None)
        try:
            deployment = Deployment(Cloud(record=record), TABLE, [])
            client = deployment.cloud.client("dynamodb")
            create_review_table(client, TABLE)
            began = time.monotonic()
            fill(deployment, options.items)
            print(f"{options.items:,} items written in {time.monotonic() - began:.0f} s", flush=True)
            return measure(deployment, options.times)
        finally:
            process.stop(record.identity)


def fill(deployment: Deployment, count: int) -> None:
    """Write ``count`` open items of one group, and what counts them."""
    client = deployment.cloud.client("dynamodb")
    example = item_of(SECRET, "evt-0", queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/media-prod-cms")
    template = {name: _to_dynamo(value) for name, value in _stored(example).items()}

    def batch(numbers: range) -> None:
        requests = [{"PutRequest": {"Item": numbered(number)}} for number in numbers]
        while requests:
            answer = client.batch_write_item(RequestItems={TABLE: requests})
            requests = answer.get("UnprocessedItems", {}).get(TABLE, [])

    def numbered(number: int) -> dict[str, object]:
        event_id = f"evt-{number:06d}"
        changed = {
            "event_id": event_id,
            "item_id": item_id(example.source, event_id, example.destination),
            "last_failed_at": timestamp(time.time() - count + number),
        }
        return template | {name: {"S": value} for name, value in changed.items()}

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(batch, (range(start, min(start + 25, count)) for start in range(0, count, 25))))
    table: Any = office(deployment).desk.table
    counts = {"items_open": count, "waiting": count, "opened": count}
    latest = replace(example, last_failed_at=timestamp(time.time()))
    # As creating each item would have counted it.
    client.update_item(**table._counted(example.group_id, counts, latest, opened=True))  # noqa: SLF001


def measure(deployment: Deployment, times: int) -> int:
    """Ask for the pages, and say how long each took."""
    desk = office(deployment)
    where = command.place_of(deployment, desk, name="bench", environment="prod", workflow=WORKFLOW)
    (group,), _ = desk.desk.table.groups(limit=1)
    with command.listening(0) as listener:
        server, link = command.page_on(listener, where)
        threading.Thread(target=server.run, daemon=True).start()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        browser.open(link).read()
        home = link.partition("/enter")[0]
        first = 0.0
        for name, path in {
            "failures (first page)": "/",
            "one group": f"/groups/{group.group_id}",
            "items": "/items",
        }.items():
            took = sorted(timed(browser, home + path, times))
            first = first or statistics.median(took)
            print(
                f"{name:22} {len(took)} times: median {statistics.median(took) * 1000:.0f} ms, "
                f"slowest {took[-1] * 1000:.0f} ms",
                flush=True,
            )
    return 1 if first > MOST_SECONDS else 0


def timed(browser: urllib.request.OpenerDirector, url: str, times: int) -> Iterator[float]:
    """How many seconds each answer took, over loopback, the first one apart."""
    for attempt in range(times + 1):
        began = time.perf_counter()
        with browser.open(url) as answer:
            answer.read()
        if attempt:
            yield time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
