"""While the CMS is down, CDN and catalogue are told, once; then the CMS alone is told again, with the same key."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from tests.system.polling import eventually
from tests.system.recipes.deployed import DeployedRecipe


def play(recipe: DeployedRecipe) -> None:
    recipe.answer_with("cms", HTTPStatus.SERVICE_UNAVAILABLE)
    (event,) = recipe.send("rights", "rights.expired")

    (purge,) = recipe.got("cdn")
    assert json.loads(purge.body) == {"prefixes": ["media.example.com/house-id-0001"]}
    queue = recipe.clients.sqs.get_queue_url(QueueName="catalogue.fifo")["QueueUrl"]
    messages: list[Any] = []

    def arrived() -> list[Any]:
        messages.extend(recipe.clients.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []))
        return messages

    assert eventually(arrived)
    assert eventually(lambda: recipe.requests("cms", accepted=False))
    recipe.answer_with("cms", HTTPStatus.OK)

    (told,) = recipe.got("cms")
    refused = recipe.requests("cms", accepted=False)
    assert {one.headers["idempotency-key"] for one in [told, *refused]} == {f"partner.rights/{event}"}
    assert [json.loads(message["Body"])["id"] for message in messages] == [event]
    assert not recipe.clients.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages")
