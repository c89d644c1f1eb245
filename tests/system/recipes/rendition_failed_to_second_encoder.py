"""An order that fails at MediaConvert is placed once at Mux. The MAM hears of a hopeless one, and of Mux's failure."""

from __future__ import annotations

import json

from tests.system.recipes.deployed import DeployedRecipe


def play(recipe: DeployedRecipe) -> None:
    first, again = (
        recipe.send("mediaconvert", "encode.failed", {"userMetadata.orderId": "order-7", "jobId": job}, fresh=False)
        for job in ("1741083300000-first", "1741083300000-again")
    )
    recipe.send("mediaconvert", "encode.failed", {"errorCode": 1404})
    recipe.send("mux", "rendition.failed", {"data.passthrough": "order-7"})

    (order,) = recipe.got("second-encoder")
    told = [json.loads(request.body) for request in recipe.got("mam", 2)]

    assert first == again == ["failed/order-7"]
    assert json.loads(order.body) == {
        "inputs": [{"url": "https://masters.example.com/house-id-0001.mxf"}],
        "playback_policies": ["signed"],
        "static_renditions": [{"resolution": "1080p", "passthrough": "order-7"}],
    }
    assert {(event["source"], event["type"]) for event in told} == {
        ("partner.mediaconvert", "encode.failed"),
        ("partner.mux", "rendition.failed"),
    }
    assert {event["correlationid"] for event in told if event["source"] == "partner.mux"} == {"order-7"}
