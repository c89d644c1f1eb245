"""Both transcoders get their share of the orders; of results in one shape, the MAM is told those of the old one."""

from __future__ import annotations

import json

from tests.system.polling import eventually
from tests.system.recipes.deployed import DeployedRecipe

SHAPE = {"order_id", "duration_seconds", "hls_url"}


def play(recipe: DeployedRecipe) -> None:
    for order in ("20250304-1041", "20250304-1040"):
        recipe.send("mam", changes={"order_id": order}, fresh=False)
    recipe.send("mux", "encode.completed", {"data.passthrough": "20250304-1040"})
    recipe.send("cloudflare", "encode.completed")

    old = [json.loads(request.body) for request in recipe.got("mux", 2)]
    (new,) = (json.loads(request.body) for request in recipe.got("cloudflare"))
    (result,) = (json.loads(request.body) for request in recipe.got("mam"))

    source = "https://masters.example.com/house-id-0001.mxf"
    assert {order["passthrough"] for order in old} == {"20250304-1041", "20250304-1040"}
    assert old[0]["inputs"] == [{"url": source}]
    assert new == {"url": source, "meta": {"order_id": "20250304-1040"}}
    assert (result["source"], result["subject"], set(result["data"])) == ("partner.mux", "20250304-1040", SHAPE)
    assert compared(recipe) == {("partner.mux", "20250304-1040"), ("partner.cloudflare", "20250304-1040")}


def compared(recipe: DeployedRecipe) -> set[tuple[str, str]]:
    """Source and order of the results in the queue of the comparison, once there are two."""
    url = recipe.clients.sqs.get_queue_url(QueueName="migration-comparison")["QueueUrl"]
    found: dict[str, tuple[str, str]] = {}

    def received() -> bool:
        for message in recipe.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            assert set(event["data"]) == SHAPE
            found[event["metadata"]["id"]] = (event["metadata"]["source"], event["data"]["order_id"])
        return len(found) >= 2

    eventually(received)
    return set(found.values())
