"""A workflow waits for each version's decision, also where that comes first; only an approved version is delivered."""

from __future__ import annotations

import json

from tests.system.polling import eventually
from tests.system.recipes.deployed import DeployedRecipe


def play(recipe: DeployedRecipe) -> None:
    for version, kinds in {
        "approved-at-once": ("review.approved", "version.created"),
        "approved": ("version.created", "review.approved"),
        "rejected": ("version.created", "review.rejected"),
    }.items():
        for kind in kinds:
            recipe.send("review", kind, {"data.version_id": version})

    requests = recipe.got("delivery", 2)

    events = [json.loads(request.body) for request in requests]
    assert {event["subject"] for event in events} == {"approved-at-once", "approved"}
    assert {event["type"] for event in events} == {"version.approved"}
    assert {event["data"]["file"] for event in events} == {"s3://media-versions/version-0001.mov"}
    machine = recipe.outputs["state_machine_arns"]["approval"]

    def ended() -> bool:
        executions = recipe.clients.stepfunctions.list_executions(stateMachineArn=machine)["executions"]
        return [each["status"] for each in executions] == ["SUCCEEDED"] * 3

    assert eventually(ended)
