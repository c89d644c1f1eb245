"""`media-events verify`: what it prints, and the exit status of each outcome."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import NoCredentialsError

from media_events_kit.ops.cli import run
from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.verify import commands
from tests.fakes.deployed_account import ACCOUNT


class Sts:
    """The caller."""

    class meta:  # noqa: N801
        region_name = "eu-west-1"

    def __init__(self, account=ACCOUNT, error=None):
        self.account, self.error = account, error

    def get_caller_identity(self):
        if self.error is not None:
            raise self.error
        return {"Account": self.account}


class Cloud:
    record = None

    def __init__(self, account, sts):
        self.account, self.sts = account, sts

    def client(self, service):
        return self.sts if service == "sts" else self.account.client(service)


@pytest.fixture(name="verify")
def _verify(account, monkeypatch, capsys):
    def ran(*arguments, sts=None):
        deployment = Deployment(
            cloud=Cloud(account, sts or Sts()),
            review_table="media-dev-review",
            idempotency_tables=[],
            outputs=lambda: account.outputs,
        )
        monkeypatch.setattr(commands, "find", lambda _where: deployment)
        status = run(["verify", "--package", str(account.package), *arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return ran


def test_all_well_is_0_and_counted(verify):
    status, out, _ = verify()
    assert status == 0
    assert "functions: 9 of 9 well" in out
    assert "0 failed, 0 skipped" in out


def test_a_failure_is_1_and_says_what_to_do(verify, account):
    account.rules[0]["State"] = "DISABLED"
    status, out, _ = verify()
    assert status == 1
    assert "rule of route/to-cms: is DISABLED, so no event reaches the hop" in out
    assert "enable it" in out


def test_what_is_skipped_leaves_0_and_is_1_if_strict(verify, account):
    account.refused["iam_simulate_principal_policy"] = "AccessDenied"
    status, out, _ = verify()
    assert status == 0
    assert "skipped: no permission for iam:SimulatePrincipalPolicy" in out
    assert verify("--strict")[0] == 1


def test_what_is_the_same_for_many_is_told_once(verify, account):
    account.refused["lambda_get_function_configuration"] = "AccessDeniedException"
    _, out, _ = verify("--check", "functions")
    assert out.count("no permission for lambda:GetFunctionConfiguration") == 1
    assert "function media-dev-webhook, function media-dev-to-cms, function media-dev-review and 3 more: skipped" in out


def test_json_has_every_finding(verify, account):
    account.queues["media-dev-to-cms-dlq"]["ApproximateNumberOfMessages"] = "2"
    status, out, _ = verify("--json", "--check", "dead-letters")
    report = json.loads(out)
    assert (status, report["verdict"], report["counts"]) == (1, "fail", {"pass": 1, "fail": 1, "skipped": 0})
    assert {tuple(finding) for finding in report["findings"]} == {("check", "subject", "verdict", "found", "do")}


def test_only_the_named_checks_run(verify, account):
    verify("--check", "secrets")
    assert {name.partition("_")[0] for name, _ in account.calls} == {"lambda", "s3", "secretsmanager"}


@pytest.mark.parametrize(
    ("arguments", "sts", "said"),
    [
        (["--check", "nothing"], Sts(), "there is no check 'nothing'"),
        ([], Sts(error=NoCredentialsError()), "AWS does not know these credentials"),
        ([], Sts(account="999999999999"), "the deployment is in account 123456789012"),
    ],
)
def test_what_can_not_be_run_is_2_and_on_standard_error(verify, arguments, sts, said):
    status, out, err = verify(*arguments, sts=sts)
    assert (status, out) == (2, "")
    assert said in " ".join(err.split())


def test_without_terraform_s_outputs_it_can_not_be_run(verify, account):
    account.outputs.clear()
    status, _, err = verify()
    assert status == 2
    assert "outputs are not at hand" in err


@pytest.mark.attack("O1")
def test_a_text_of_aws_drives_no_terminal(verify, account):
    account.functions["route/to-cms"] |= {"State": "Failed", "StateReason": "\x1b[2J"}
    _, out, _ = verify()
    assert "\x1b[2J" not in out


def test_probes_are_sent_on_request_alone(verify, account):
    account.refused["sqs_list_queues"] = "AccessDenied"
    assert "probes" not in verify()[1]
    status, out, _ = verify("--send")
    assert status == 0
    assert "probes: 0 of 1 well" in out
