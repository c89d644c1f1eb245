"""A partner that comes again within its secret's recovery window, by what `media-events plan` says to do."""

from __future__ import annotations

import json
import shlex

import pytest

from media_events_kit.ops.changes.terraform_documents import Workspace, in_folder
from media_events_kit.ops.cli import run
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.shared.console import OperatorError

NAME = "media-dev-webhook/mux"
SECRET = {"name": "media-dev-webhook/${each.key}", "recovery_window_in_days": 30}


@pytest.fixture(name="root")
def _root(moto, monkeypatch, tmp_path):
    environment = {
        "AWS_ENDPOINT_URL": moto.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": moto.region,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def write(root, *partners):
    document = {
        "provider": {"aws": {"skip_requesting_account_id": True}},
        "resource": {"aws_secretsmanager_secret": {"partner": SECRET | {"for_each": dict.fromkeys(partners, "")}}},
    }
    (root / "main.tf.json").write_text(json.dumps(document))


def apply(terraform: Workspace) -> None:
    """Apply; once more where an answer was lost and the SDK repeated a deletion, as a person would.

    moto refuses to delete a secret twice. AWS documents a refusal of whatever is asked of a deleted secret:
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html#API_DeleteSecret_Errors
    """
    try:
        terraform.run("apply", "-auto-approve", "-input=false")
    except OperatorError as error:
        if "currently marked deleted" not in str(error):
            raise
        terraform.run("apply", "-auto-approve", "-input=false")


def test_a_partner_that_comes_again_has_its_secret_again_by_the_command_of_the_plan(root, moto, capsys):
    terraform, secrets = in_folder(root), Clients(moto).secretsmanager
    write(root, "mux")
    terraform.init()
    apply(terraform)
    secrets.put_secret_value(SecretId=NAME, SecretString="the signing secret")
    write(root)
    apply(terraform)
    write(root, "mux")
    capsys.readouterr()

    assert run(["plan", "--terraform-dir", str(root), "--region", moto.region, "--json"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["consequence"] == "fails"
    restore, _, imported = finding["do"].removeprefix("restore it, with its value: ").partition(" && ")
    *command, name = shlex.split(restore)
    assert command == ["aws", "secretsmanager", "restore-secret", "--secret-id"]
    secrets.restore_secret(SecretId=name)
    program, *arguments = shlex.split(imported)
    assert program == "terraform"
    terraform.run(*arguments)
    apply(terraform)

    assert secrets.get_secret_value(SecretId=NAME)["SecretString"] == "the signing secret"
