"""The move of Terraform's state to another key, by real Terraform in a bucket of moto's."""

from __future__ import annotations

import json

import pytest

from media_events_kit.ops.cli import run
from media_events_kit.ops.local.clients import Clients

BUCKET = "states"
KEY = "media-events/media/dev.tfstate"
EARLIER = "media-events/dev.tfstate"


@pytest.fixture(name="s3")
def _s3(moto, monkeypatch):
    environment = {
        "AWS_ENDPOINT_URL": moto.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": moto.region,
        # Where moto differs from AWS.
        "TF_CLI_ARGS_init": " ".join(
            f"-backend-config={name}=true"
            for name in ("use_path_style", "skip_credentials_validation", "skip_requesting_account_id")
        ),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = Clients(moto).s3
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": moto.region})
    yield client
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture(name="output")
def _output(tmp_path, moto):
    """A stack as `main.py` writes it."""
    backend = {"bucket": BUCKET, "key": KEY, "region": moto.region, "encrypt": True, "use_lockfile": True}
    provider = {"region": moto.region, "default_tags": [{"tags": {"workflow": "media", "environment": "dev"}}]}
    folder = tmp_path / "stacks" / "media-dev"
    folder.mkdir(parents=True)
    (folder / "cdk.tf.json").write_text(
        json.dumps({"terraform": {"backend": {"s3": backend}}, "provider": {"aws": [provider]}})
    )
    manifest = {"stacks": {"media-dev": {"workingDirectory": "stacks/media-dev"}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def state(workflow):
    queue = {
        "mode": "managed",
        "type": "aws_sqs_queue",
        "name": "q",
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [{"schema_version": 0, "attributes": {"tags_all": {"workflow": workflow, "environment": "dev"}}}],
    }
    return {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 7,
        "lineage": "0b4b8a3e-0f9e-4d2f-9a53-6f0f2d1f7a10",
        "outputs": {},
        "resources": [queue],
        "check_results": None,
    }


def put(s3, key, document):
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document).encode())


def read(s3, key):
    return json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def move(output, capsys):
    status = run(["state", "move", "-e", "dev", "--output", str(output), "--json"])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    return json.loads(printed.out)["result"]


def test_state_at_the_earlier_key_is_moved_once(s3, output, capsys):
    put(s3, EARLIER, state("media"))

    assert move(output, capsys) == "moved"
    (queue,) = read(s3, KEY)["resources"]
    assert queue["instances"][0]["attributes"] == state("media")["resources"][0]["instances"][0]["attributes"]
    assert move(output, capsys) == "moved before"


def test_state_of_another_workflow_is_left_alone(s3, output, capsys):
    put(s3, EARLIER, state("news"))

    assert move(output, capsys) == "nothing to move"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [EARLIER]
