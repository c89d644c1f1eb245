"""Uploads to a bucket of the local cloud, by S3's own event. MediaConvert is a fake there, which makes no media."""

from __future__ import annotations

import json

from tests.system.polling import eventually
from tests.system.recipes.deployed import DeployedRecipe

BUCKET = "media-uploads"


def play(recipe: DeployedRecipe) -> None:
    s3 = recipe.clients.s3
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}})
    for key in ("house-id-0001.mxf", "unreadable.mxf"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"media")

    (purge,) = recipe.got("cdn")

    assert json.loads(purge.body) == {"prefixes": ["media.example.com/house-id-0001"]}
    machine = recipe.outputs["state_machine_arns"]["transcode"]

    def ended() -> bool:
        executions = recipe.clients.stepfunctions.list_executions(stateMachineArn=machine)["executions"]
        return [each["status"] for each in executions] == ["SUCCEEDED"] * 2

    assert eventually(ended)
    recipe.send("mediaconvert", "encode.completed", {"userMetadata.assetId": "house-id-0002"})
    assert json.loads(recipe.got("cdn", 2)[1].body) == {"prefixes": ["media.example.com/house-id-0002"]}
