"""A workflow beside resources of one's own, in one stack."""

from __future__ import annotations

import os
from pathlib import Path

# Before the prebuilt provider: it then loads only the parts in use.
from media_events_cdktf import AWS_PROVIDER, IngressSqs, Workflow  # isort: skip

from cdktf import App, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription
from cdktf_cdktf_provider_aws.sqs_queue import SqsQueue
from constructs import Construct

FOLDER = Path(__file__).resolve().parent


class Newsroom(TerraformStack):
    """The newsroom's events: what partners send, and who takes them."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        AwsProvider(self, "aws", region="eu-west-1")
        # The prebuilt provider asks for the one version that it was made from.
        self.add_override("terraform.required_providers.aws", AWS_PROVIDER)

        archive = SqsQueue(self, "archive", name="newsroom-archive", sqs_managed_sse_enabled=True)
        workflow = Workflow(
            self,
            "events",
            file=FOLDER / "workflow.yaml",
            environment="prod",
            references={
                "arn:aws:sqs:eu-west-1:111122223333:archive": archive.arn,
                "https://sqs.eu-west-1.amazonaws.com/111122223333/archive": archive.url,
            },
        )

        # A module alone, on the workflow's bus.
        wires = IngressSqs(
            self,
            "wires",
            name="newsroom-wires",
            bus_arn=workflow.bus_arn,
            partner="wires",
            specification='{"id": "body.id", "type": "body.kind"}',
            senders={"agency": {"account_ids": ["444455556666"]}},
            function={"memory_mb": 512},
        )

        # Whoever is on call hears of events that need a person.
        pager = SqsQueue(self, "pager", name="newsroom-pager", sqs_managed_sse_enabled=True)
        SnsTopicSubscription(self, "on-call", topic_arn=workflow.topic_arn, protocol="sqs", endpoint=pager.arn)
        self.add_override("output.wires_queue_url", {"value": wires.queue_url})


app = App(outdir=os.environ.get("CDKTF_OUTDIR", str(FOLDER / "cdktf.out")))
Newsroom(app, "newsroom")
app.synth()
