"""Measures the review page's map of a deployment with 60 partners and 100 routes.

    PYTHONPATH=lambda_src:. .venv/bin/python -m bench.map_page

Its hops are read already, as they are while somebody looks, and every tenth needs a person. DynamoDB is moto's, in the
same process. It prints the server's time for the page and for its figures, and the exit status is 1 if half of the
requests took longer than 300 ms.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import replace
from http import HTTPStatus

from moto import mock_aws

from media_events.adapters.sqs.depths import Depth
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.review_web.app import create
from media_events_kit.ops.review_web.live_hops import LiveHops
from media_events_kit.ops.review_web.request_guard import Gate
from media_events_kit.ops.status.model import CircuitBreaker, HopReading, HopState, Queue
from tests.fakes.live_hops import outputs_of
from tests.fakes.review_web import NOW, failures_of_a_night, make_world

MOST_SECONDS = 0.3
TIMES = 20
HOST = "bench.localhost:8787"


def main() -> int:
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with mock_aws():
        world = make_world()
        failures_of_a_night(world, few=True)
        world.place.live = _large()
        client = create(world.place, Gate(host=HOST, key="key")).test_client()
        headers = {"Host": HOST}
        client.get("/enter?key=key", base_url=f"http://{HOST}", headers=headers)
        slow = False
        for path in ("/", "/map/state"):
            took = []
            for _ in range(TIMES):
                began = time.perf_counter()
                answer = client.get(path, base_url=f"http://{HOST}", headers=headers)
                took.append(time.perf_counter() - began)
                if answer.status_code != HTTPStatus.OK:
                    sys.exit(f"{path}: {answer.status}")
            median = statistics.median(took)
            slow = slow or median > MOST_SECONDS
            print(f"{path}: {median * 1000:.0f} ms, at most {max(took) * 1000:.0f} ms, {len(answer.data):,} bytes")
    return 1 if slow else 0


def _large() -> LiveHops:
    hops: dict[str, tuple[str, str | None]] = {f"ingress/media-prod-i{n}": ("bus", None) for n in range(6)}
    hops |= {f"route/r{n}": (f"d{n % 40}", '{"detail-type": ["asset.ready"]}') for n in range(100)}
    topology = Topology.of(outputs_of(hops, [f"p{n}" for n in range(60)]))
    calm = HopState(
        hop="",
        destination=None,
        queue=Queue(name="q", depth=Depth(0, 0)),
        dead_letters=Queue(name="d", depth=Depth(0, 0)),
        circuit_breaker=CircuitBreaker(),
        patience_seconds=4500,
    )
    stuck = Queue(name="d", depth=Depth(7, 0), oldest_seconds=9000)
    states = [replace(calm, hop=hop.name, destination=hop.destination) for hop in topology.hops.values()]
    states = [replace(one, dead_letters=stuck) if n % 10 == 0 else one for n, one in enumerate(states)]
    reading = HopReading(now=NOW, hops=states, unknown=[], notes=[])
    return LiveHops(topology=lambda: topology, hops=lambda: reading, rates=lambda _: {"route/r0": 1.0})


if __name__ == "__main__":
    sys.exit(main())
