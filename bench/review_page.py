"""Measures the review page with many open items, on the local cloud's DynamoDB.

    PYTHONPATH=lambda_src:. .venv/bin/python -m bench.review_page --items 100000

It starts a local cloud of its own, fills a review table, serves the page, and requests each page several times. It
prints the server's time, the part of it spent waiting for DynamoDB, and DynamoDB's requests and items read. The exit
status is 1 if half of the first pages took longer than 300 ms, or if a page read too many items.

bench/README.md has results, and the local cloud's share in them.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from media_events.adapters.dynamodb.review_items import _stored, _to_dynamo
from media_events.core.clock import timestamp
from media_events.recovery.review_item import item_id
from media_events_kit.ops.deployment.discovery import Cloud, Deployment
from media_events_kit.ops.local import endpoint, process
from media_events_kit.ops.local.paths import LocalPaths
from media_events_kit.ops.review.bootstrap import audited_review
from media_events_kit.ops.review_web import server as command
from tests.fakes.audit_log import create_audit
from tests.fakes.dynamodb import create_review_table
from tests.fakes.review_web import SECRET, WORKFLOW, item_of

MOST_SECONDS = 0.3
MOST_ITEMS_READ = 100
"""By one page: its 50 items, the one that shows that there are more, and the group's counts."""
TABLE = "bench-review"


@dataclass
class Usage:
    """The use of DynamoDB: requests, items that it reads for them, and the seconds until its answers."""

    requests: int = 0
    items: int = 0
    seconds: float = 0.0
    _began: float = field(default=0.0, repr=False)

    def watch(self, client: Any) -> None:
        """Count the requests of ``client``; pages are requested one by one, so nothing else runs meanwhile."""
        client.meta.events.register("before-call.dynamodb", self._before)
        client.meta.events.register("after-call.dynamodb", self._after)

    def _before(self, **_: Any) -> None:
        self.requests += 1
        self._began = time.perf_counter()

    def _after(self, parsed: dict[str, Any], **_: Any) -> None:
        self.seconds += time.perf_counter() - self._began
        batches = parsed.get("Responses", {}).values()
        self.items += parsed.get("ScannedCount", 0) + ("Item" in parsed) + sum(map(len, batches))

    def take(self) -> Usage:
        """The use since the last call."""
        taken = Usage(self.requests, self.items, self.seconds)
        self.requests, self.items, self.seconds = 0, 0, 0.0
        return taken


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="review-page-") as folder:
        paths = LocalPaths(Path(folder))
        record = endpoint.start(paths, region="eu-west-1", port=None)
        try:
            deployment = Deployment(Cloud(record=record), TABLE, [])
            client = deployment.cloud.client("dynamodb")
            create_review_table(client, TABLE)
            create_audit(deployment.cloud.client("s3"), client, TABLE)
            began = time.monotonic()
            fill(deployment, options.items)
            print(f"{options.items:,} items written in {time.monotonic() - began:.0f} s", flush=True)
            return measure(deployment, options.times)
        finally:
            process.stop(record.identity)


def fill(deployment: Deployment, count: int) -> None:
    """Write ``count`` open items of one group, and the group's counts."""
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
    table: Any = audited_review(deployment).service.table
    counts = {"items_open": count, "waiting": count, "opened": count}
    latest = replace(example, last_failed_at=timestamp(time.time()))
    # Creating the items one by one would have counted them so.
    client.update_item(**table._counted(example.group_id, counts, latest, opened=True))  # noqa: SLF001


class ByName(urllib.request.BaseHandler):
    """Asks for the page by its name, which only browsers resolve without help."""

    handler_order = 1  # before urllib's own, which fills in the address

    def __init__(self, host: str) -> None:
        self.host = host

    def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
        """Name the page in ``request``."""
        request.add_header("Host", self.host)
        return request


def measure(deployment: Deployment, times: int) -> int:
    """Request the pages, and print how long each took."""
    service = audited_review(deployment)
    where = command.context_of(deployment, service, name="bench", environment="prod", workflow=WORKFLOW)
    (group,), _ = service.service.table.groups(limit=1)
    with command.listening(0) as listeners:
        page = command.page_on(listeners, where)
        thread = threading.Thread(target=page.run, daemon=True)
        thread.start()
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        browser = urllib.request.build_opener(cookies, ByName(page.gate.host))
        home = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
        browser.open(page.link.replace(page.gate.origin, home)).read()
        usage = Usage()
        usage.watch(deployment.cloud.client("dynamodb"))
        first, most = 0.0, 0
        for name, path in {
            "failures (first page)": "/",
            "one group": f"/groups/{group.group_id}",
            "items": "/items",
        }.items():
            taken = sorted(timed(browser, home + path, times, usage), key=lambda pair: pair[0])
            median, usage_of_median = taken[len(taken) // 2]
            first, most = first or median, max(most, *(each.items for _, each in taken))
            print(
                f"{name:22} {len(taken)} times: median {median * 1000:.0f} ms, of which "
                f"{usage_of_median.seconds * 1000:.0f} ms waiting for DynamoDB, slowest {taken[-1][0] * 1000:.0f} ms; "
                f"{usage_of_median.requests} requests, {usage_of_median.items} items read",
                flush=True,
            )
        page.stop()
        thread.join()
    return 1 if first > MOST_SECONDS or most > MOST_ITEMS_READ else 0


def timed(browser: urllib.request.OpenerDirector, url: str, times: int, usage: Usage) -> Iterator[tuple[float, Usage]]:
    """The seconds of each answer over loopback, and its use of DynamoDB, without the first one."""
    for attempt in range(times + 1):
        usage.take()
        began = time.perf_counter()
        with browser.open(url) as answer:
            answer.read()
        took = time.perf_counter() - began
        if attempt:
            yield took, usage.take()


if __name__ == "__main__":
    sys.exit(main())
