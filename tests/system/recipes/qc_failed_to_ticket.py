"""A rejected file gets one ticket, however often the report comes; an accepted one gets none."""

from __future__ import annotations

import json

from tests.system.recipes.deployed import DeployedRecipe


def play(recipe: DeployedRecipe) -> None:
    recipe.send("qc", "qc.passed")
    (event,) = recipe.send("qc", "qc.failed")

    (request,) = recipe.got("jira")

    assert json.loads(request.body) == {
        "fields": {
            "project": {"key": "QC"},
            "issuetype": {"name": "Bug"},
            "summary": "QC rejected Evening news",
            "description": "00:00:58:10 black picture for 3 s\n00:12:00:00 -19.2 LUFS, wanted -23.0",
            "labels": ["qc", f"event-{event}"],
        }
    }
