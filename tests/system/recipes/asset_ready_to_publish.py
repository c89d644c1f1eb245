"""Mux's webhook becomes a publication; a test asset becomes none."""

from __future__ import annotations

import json

from tests.system.recipes.deployed import DeployedRecipe


def play(recipe: DeployedRecipe) -> None:
    recipe.send("mux", "asset.ready", {"data.test": True})
    recipe.send("mux", "asset.ready", {"data.duration": 12})

    (request,) = recipe.got("cms")

    publication = json.loads(request.body)
    assert publication.pop("ready_at")
    assert publication == {
        "external_id": "house-id-0001",
        "playback_url": "https://stream.mux.com/playback0example0001.m3u8",
        "duration_seconds": 12,
    }
