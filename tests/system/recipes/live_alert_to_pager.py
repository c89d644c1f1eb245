"""An alert that viewers see opens one page, and its end closes it; others open none."""

from __future__ import annotations

import json

from tests.system.recipes.deployed import DeployedRecipe

ALARM = "f4d3c12657a5229762740ef2f2113afa1cd04cb1"
CHANNEL = "arn:aws:medialive:eu-west-1:111122223333:channel:123456"


def play(recipe: DeployedRecipe) -> None:
    recipe.send("medialive", changes={"pipeline": "1"})
    recipe.send("medialive", changes={"alert_type": "Unsupported Input Settings"})
    recipe.send("medialive")
    recipe.got("pager")
    recipe.send("medialive", changes={"alarm_state": "CLEARED"})

    opened, closed = (json.loads(request.body) for request in recipe.got("pager", 2))

    assert opened["metadata"].pop("since")
    assert opened == {
        "status": "firing",
        "deduplication_key": ALARM,
        "title": f"Video Not Detected · {CHANNEL}",
        "description": "Video not detected: Check input signal",
        "metadata": {"channel": CHANNEL},
    }
    assert (closed["status"], closed["deduplication_key"]) == ("resolved", ALARM)
