"""Changes that come in another order than they were made are written in theirs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from tests.system.recipes.deployed import DeployedRecipe

ASSET = "00000000-0000-4000-8000-000000000032"


def play(recipe: DeployedRecipe) -> None:
    made = datetime.now(UTC) - timedelta(minutes=1)
    for number in (2, 1, 3):
        changes = {
            "request_id": f"request-{number}",
            "data.date_modified": (made + timedelta(milliseconds=number)).isoformat(),
            "data.metadata_values.title.field_values[0].value": f"Title {number}",
        }
        recipe.send("iconik", "metadata.updated", changes, fresh=False)

    written = [json.loads(request.body) for request in recipe.got("search", 3)]

    assert [document["title"] for document in written] == ["Title 1", "Title 2", "Title 3"]
    assert {document["id"] for document in written} == {ASSET}
    assert written[0]["genres"] == ["documentary", "nature"]
