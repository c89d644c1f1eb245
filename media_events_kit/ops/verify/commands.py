"""`media-events verify`: whether a deployment is there and may do its work."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from media_events_kit.ops.deployment.discovery import Deployment, find
from media_events_kit.ops.local.lambda_package import PACKAGE
from media_events_kit.ops.shared.console import err, fail, out, print_json
from media_events_kit.ops.shared.options import Json, Where, spread

if TYPE_CHECKING:
    from media_events_kit.ops.verify.checks.probes import Webhooks
    from media_events_kit.ops.verify.deployed import Deployed
    from media_events_kit.ops.verify.model import Report

FAILED: Final = 1
UNUSABLE: Final = 2


@spread
def verify(  # noqa: PLR0913 - one parameter per option
    *,
    send: Annotated[
        bool,
        typer.Option("--send", help="Also send a signed probe to each partner's webhook, and see it on the bus."),
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Count what is skipped as failed.")] = False,
    check: Annotated[
        list[str] | None, typer.Option("--check", metavar="NAME", help="Only this check; repeatable [default: all].")
    ] = None,
    package: Annotated[
        Path, typer.Option(metavar="FILE", help="The zip that the functions should run.", show_default=False)
    ] = PACKAGE,
    where: Where,
    json: Json = False,
) -> None:
    """Verify a deployment: that all is there, may do its work, and tells somebody of trouble. Run it after an apply.

    The checks: functions, event-sources, rules, queues, storage, endpoints, secrets (have values; none is read),
    permissions (IAM simulates each function's calls), quotas, alarms (reach somebody), dead-letters (none). They only
    read. With --send a probe per partner, signed with its secret, goes by its webhook to the bus; no rule of a hop
    takes it. A rule and a queue collect the probes and are removed afterwards. An archive of the bus keeps the probes.

    What you may not read is skipped, with the IAM action that you lack; the exit status stays 0 unless --strict.

    Exit status: 0 nothing failed · 1 a check failed, or with --strict was skipped · 2 it can't be run: no deployment,
    no credentials, another account or region, unusable arguments.

    Examples: media-events verify --environment prod · media-events verify --send ·
    media-events verify --check alarms --check secrets · media-events verify --strict --json | jq '.findings[]'
    """
    from media_events_kit.ops.verify.model import Report  # noqa: PLC0415  # botocore takes a while; --help needs none of it
    from media_events_kit.ops.verify.run import CHECKS, findings_of  # noqa: PLC0415

    deployment = find(where)
    deployed = _deployed(deployment, package)
    checks = dict(CHECKS)
    if send:
        from media_events_kit.ops.verify.checks import probes  # noqa: PLC0415

        checks[probes.CHECK] = functools.partial(probes.check, webhooks=_webhooks(deployment))
    if check:
        unknown = [name for name in check if name not in checks]
        if unknown:
            fail(f"there is no check {unknown[0]!r}", hint=f"there are: {', '.join(checks)}", exit_code=UNUSABLE)
        checks = {name: checks[name] for name in checks if name in check}
    with err.status("verifying") as status:
        findings = findings_of(
            deployed,
            checks,
            begin=lambda name: status.update(f"verifying {name} ({[*checks].index(name) + 1}/{len(checks)})"),
        )
    report = Report(now=time.time(), findings=findings, strict=strict)
    _tell(report, json=json)
    raise typer.Exit(FAILED if report.verdict == "fail" else 0)


def _tell(report: Report, *, json: bool) -> None:
    from media_events_kit.ops.verify.rendering import show  # noqa: PLC0415

    if json:
        print_json(report.to_dict())
    else:
        out.print(show(report))


def _deployed(deployment: Deployment, package: Path) -> Deployed:
    """The deployment, after the credentials have been found to be for it."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from media_events_kit.ops.verify.deployed import Deployed  # noqa: PLC0415

    deployed = Deployed(outputs=deployment.outputs(), client=deployment.cloud.client, package=package)
    if deployed.bus_arn.count(":") < 5:  # noqa: PLR2004
        fail(
            "Terraform's outputs are not at hand, or have no archive_replay: they say what should be there",
            hint="choose an --environment, or name the file of `terraform output -json` in MEDIA_EVENTS_OUTPUTS; a "
            "root of your own needs the outputs of examples/complete",
            exit_code=UNUSABLE,
        )
    client = deployment.cloud.client("sts")
    try:
        account = client.get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        fail(f"AWS does not know these credentials: {error}", hint="log in, or choose a --profile", exit_code=UNUSABLE)
    _, _, _, region, expected, _ = deployed.bus_arn.split(":", 5)
    if account != expected or client.meta.region_name != region:
        fail(
            f"the deployment is in account {expected}, region {region}; these credentials are for account {account}, "
            f"region {client.meta.region_name}",
            hint="choose another --profile or --region",
            exit_code=UNUSABLE,
        )
    return deployed


def _webhooks(deployment: Deployment) -> Webhooks:
    from media_events_kit.ops.deployment.webhook_calls import caller  # noqa: PLC0415
    from media_events_kit.ops.verify.checks.probes import Webhooks  # noqa: PLC0415

    call = caller(deployment.cloud)
    return Webhooks(post=lambda request: call(request)[0])
