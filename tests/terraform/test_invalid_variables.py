"""What would fail late or silently on AWS is refused by the modules' variables, with a message that says what to do.

Variables are checked without a provider: a copy of the files that declare them takes a tenth of a second.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.terraform.conftest import Terraform

pytestmark = pytest.mark.terraform

MODULES = Path(__file__).resolve().parents[2] / "modules"
ACCOUNT = "eu-west-1:123456789012"


def refusals(terraform: Terraform, folder: Path, module: str, variables: dict[str, Any]) -> str:
    """Every message with which the module's variables refuse the values; empty where they take them."""
    for file in (MODULES / module / "variables.tf", *(MODULES / module).glob("interface.*.tf")):
        shutil.copy(file, folder)
    (folder / "terraform.tfvars.json").write_text(json.dumps(variables))
    finished = subprocess.run(
        ["terraform", "plan", "-json", "-input=false", "-refresh=false"],
        cwd=folder,
        env=terraform.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    diagnostics = [json.loads(line).get("diagnostic") for line in finished.stdout.splitlines() if line.startswith("{")]
    said = "\n".join(
        f"{diagnostic['summary']}: {diagnostic.get('detail', '')}"
        for diagnostic in diagnostics
        if diagnostic and diagnostic["severity"] == "error"
    )
    assert (finished.returncode != 0) == bool(said), finished.stdout + finished.stderr
    return said


################################################################################
# dlq-review
################################################################################

QUEUE = {
    "queue_arn": f"arn:aws:sqs:{ACCOUNT}:media-cms-dlq",
    "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms-dlq",
    "hop": "route/cms",
    "destination": "cms",
    "source_queue_arn": f"arn:aws:sqs:{ACCOUNT}:media-cms",
    "source_queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/media-cms",
    "redrive_target": "queue",
}


def review(**variables: Any) -> dict[str, Any]:
    """A review's variables, with the given ones in place of the valid ones."""
    return {
        "name": "media-test-review",
        "bus_arn": f"arn:aws:events:{ACCOUNT}:event-bus/media",
        "dead_letter_queues": {"route/cms": QUEUE},
    } | variables


def queue(**attributes: Any) -> dict[str, Any]:
    """A review of one queue, valid but for the given attributes."""
    return review(dead_letter_queues={"route/cms": QUEUE | attributes})


def test_dlq_review_takes_queues_that_go_back_each_in_its_way(terraform: Terraform, tmp_path: Path) -> None:
    by_bus = QUEUE | {"queue_arn": f"arn:aws:sqs:{ACCOUNT}:lake-dlq", "redrive_target": "bus", "source_queue_arn": None}
    by_function = QUEUE | {
        "queue_arn": f"arn:aws:sqs:{ACCOUNT}:webhook-dlq",
        "redrive_target": "function",
        "function_arn": f"arn:aws:lambda:{ACCOUNT}:function:webhook",
        "function_role_id": "AROAEXAMPLE",
    }
    queues = {"route/cms": QUEUE, "route/lake": by_bus, "ingress/webhook": by_function}
    assert refusals(terraform, tmp_path, "dlq-review", review(dead_letter_queues=queues)) == ""


REVIEWS_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no queue": (review(dead_letter_queues={}), "there is nothing to review"),
    "a queue that is a url": (queue(queue_arn=QUEUE["queue_url"]), "queue_arn must be the ARN of a queue"),
    "one queue for two hops": (
        review(dead_letter_queues={"route/cms": QUEUE, "route/dam": QUEUE | {"hop": "route/dam"}}),
        "can't share a dead-letter queue",
    ),
    "a hop without a step": (queue(hop="cms"), "hop must be <step>/<name>"),
    "a target of redrives that does not exist": (queue(redrive_target="topic"), "redrive_target must be"),
    "a redrive to a queue that is not named": (queue(source_queue_url=None), "needs source_queue_arn"),
    "a redrive to a function that is not named": (queue(redrive_target="function"), "needs function_arn"),
    "an ingress whose function's role is not known": (
        queue(hop="ingress/queue", function_arn=f"arn:aws:lambda:{ACCOUNT}:function:queue"),
        "needs function_role_id",
    ),
    "a fifo queue behind a standard one": (queue(queue_arn=f"arn:aws:sqs:{ACCOUNT}:cms-dlq.fifo"), "both FIFO or both"),
    "a delay longer than a message can hide": (queue(redrive={"max_delay_seconds": 43200}), "invisible for 12 hours"),
    "more redrives than the function takes": (queue(redrive={"max_count": 101}), "whole number from 0 to 100"),
    "half a redrive": (queue(redrive={"max_count": 0.5}), "whole number from 0 to 100"),
    "less concurrency than lambda allows": (review(maximum_concurrency=1), "maximum_concurrency must be 2 to 1000"),
    "batches larger than fifo allows": (review(batch_size=11), "batch_size must be 1 to 10"),
    "any type to be edited": (review(editable_types={"comment.*": {}}), "name each type in full"),
    "a schema that is none": (
        review(editable_types={"comment.created": {"schema": "string"}}),
        "must be a JSON Schema",
    ),
    "a bus that is none": (review(bus_arn="media"), "must look like arn:aws:events"),
    "an idempotency store that is no table": (
        review(idempotency_tables={"ingress/webhook": {"name": "media", "arn": "media"}}),
        "must be the ARN of a table",
    ),
    "an archive that is none": (review(archive={"arn": "media"}), "ARN of an EventBridge archive"),
    "an alias of a key": (
        review(settings={"kms_key": {"arn": f"arn:aws:kms:{ACCOUNT}:alias/media"}}),
        "An alias won't do",
    ),
    "an alias of a state machine": (
        review(state_machine_arns={"publish": f"arn:aws:states:{ACCOUNT}:stateMachine:publish:live"}),
        "without a version or an alias",
    ),
}


@pytest.mark.parametrize(("variables", "message"), REVIEWS_REFUSED.values(), ids=REVIEWS_REFUSED)
def test_dlq_review_refuses(variables: dict[str, Any], message: str, terraform: Terraform, tmp_path: Path) -> None:
    assert message in refusals(terraform, tmp_path, "dlq-review", variables)


################################################################################
# ingress-apigw
################################################################################

CERTIFICATE = f"arn:aws:acm:{ACCOUNT}:certificate/a1"
TRUST = {"truststore_uri": "s3://trust/partners.pem"}
IAM = {"type": "iam", "principals": ["arn:aws:iam::123456789012:role/partners/acme"]}
JWT = {"type": "jwt", "issuer": "https://login.example.com/", "audiences": ["hooks"]}


def webhooks(domain: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    """Webhooks of one partner, valid but for its given attributes."""
    return {
        "name": "media-test-webhooks",
        "bus_arn": f"arn:aws:events:{ACCOUNT}:event-bus/media",
        "partners": {"acme": {"specification": json.dumps({"preset": "mux"})} | attributes},
        "domain": domain,
    }


def domain(**attributes: Any) -> dict[str, Any]:
    """Webhooks at a domain, valid but for its given attributes."""
    return webhooks({"name": "hooks.example.com", "certificate_arn": CERTIFICATE} | attributes)


WEBHOOKS_TAKEN = {
    "limits of a partner's own": webhooks(throttle={"rate": 1, "burst": 1}),
    "a previous secret that is revoked": webhooks(previous_secret_seconds=0),
    "roles and users": webhooks(authorization=IAM),
    "tokens": webhooks(authorization=JWT | {"scopes": ["events:send"]}),
    "a domain": domain(),
    "mutual tls with everything": domain(
        mutual_tls=TRUST | {"truststore_version": "7", "ownership_verification_certificate_arn": CERTIFICATE}
    ),
    "a certificate that is required": webhooks(
        {"name": "hooks.example.com", "certificate_arn": CERTIFICATE, "mutual_tls": TRUST},
        require_client_certificate=True,
        authorization=JWT,
    ),
}


@pytest.mark.parametrize("variables", WEBHOOKS_TAKEN.values(), ids=WEBHOOKS_TAKEN)
def test_ingress_apigw_takes(variables: dict[str, Any], terraform: Terraform, tmp_path: Path) -> None:
    assert refusals(terraform, tmp_path, "ingress-apigw", variables) == ""


WEBHOOKS_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "limits that refuse everybody": (webhooks(throttle={"rate": 0, "burst": 1}), "0 refuses every call"),
    "a previous secret for ever": (webhooks(previous_secret_seconds=10**9), "from 0 to 2592000"),
    "limits that are half said": (webhooks(throttle={"rate": 5}), 'attribute "burst" is required'),
    "an authorization that does not exist": (webhooks(authorization={"type": "none"}), '"iam" or "jwt"'),
    "iam for whoever": (webhooks(authorization={"type": "iam"}), "takes principals, at least one"),
    "iam with a token's issuer": (webhooks(authorization=IAM | {"issuer": JWT["issuer"]}), "and nothing else"),
    "a wildcard as principal": (webhooks(authorization=IAM | {"principals": ["*"]}), "each named in full"),
    "wildcards in a principal": (
        webhooks(authorization=IAM | {"principals": ["arn:aws:iam::123456789012:role/*"]}),
        "each named in full",
    ),
    "an account as principal": (
        webhooks(authorization=IAM | {"principals": ["arn:aws:iam::123456789012:root"]}),
        "each named in full",
    ),
    "tokens of whatever issuer": (webhooks(authorization={"type": "jwt", "audiences": ["hooks"]}), "takes an issuer"),
    "tokens for whatever audience": (webhooks(authorization=JWT | {"audiences": []}), "1 to 50 audiences"),
    "an unencrypted issuer": (webhooks(authorization=JWT | {"issuer": "http://login.example.com"}), "takes an issuer"),
    "more scopes than a route takes": (
        webhooks(authorization=JWT | {"scopes": [str(n) for n in range(11)]}),
        "up to 10 scopes",
    ),
    "tokens with principals": (webhooks(authorization=JWT | {"principals": IAM["principals"]}), "and no principals"),
    "a certificate that nobody asks for": (webhooks(require_client_certificate=True), "needs a domain with mutual_tls"),
    "a certificate at a domain without mutual tls": (
        webhooks({"name": "hooks.example.com", "certificate_arn": CERTIFICATE}, require_client_certificate=True),
        "needs a domain with mutual_tls",
    ),
    "a domain with its scheme": (domain(name="https://hooks.example.com"), "without https://"),
    "a domain in capitals": (domain(name="Hooks.example.com"), "lower case"),
    "a wildcard domain": (domain(name="*.example.com"), "wildcard"),
    "a certificate's name": (domain(certificate_arn="hooks.example.com"), "ARNs of certificates"),
    "a certificate of iam": (
        domain(certificate_arn="arn:aws:iam::123456789012:server-certificate/hooks"),
        "ARNs of certificates",
    ),
    "a certificate of ownership that is none": (
        domain(mutual_tls=TRUST | {"ownership_verification_certificate_arn": "x"}),
        "ARNs of certificates",
    ),
    "a truststore that is a file": (domain(mutual_tls={"truststore_uri": "partners.pem"}), "an object in S3"),
    "a truststore that is a bucket": (domain(mutual_tls={"truststore_uri": "s3://trust"}), "an object in S3"),
}


@pytest.mark.parametrize(("variables", "message"), WEBHOOKS_REFUSED.values(), ids=WEBHOOKS_REFUSED)
def test_ingress_apigw_refuses(variables: dict[str, Any], message: str, terraform: Terraform, tmp_path: Path) -> None:
    assert message in refusals(terraform, tmp_path, "ingress-apigw", variables)
