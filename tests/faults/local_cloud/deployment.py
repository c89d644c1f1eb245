"""The deployment of a run: every ingress, with the receivers of this machine behind it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from media_events_kit.kit_files import KIT
from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.addresses import webhook_urls
from media_events_kit.ops.local.clients import Clients
from tests.faults.local_cloud.senders import Addresses

WORKFLOW: Final = KIT / "tests" / "system" / "workflows" / "every-ingress.yaml"
APPLICATION: Final = Path(__file__).with_name("fault_injection.py")
PARTNER: Final = "mux"


def options(port: int) -> lifecycle.UpOptions:
    """The commands that start the local cloud; receivers will listen on ``port``."""
    variables = {"MEDIA_EVENTS_WORKFLOW": str(WORKFLOW), "MEDIA_EVENTS_CHAOS_PORT": str(port)}
    return lifecycle.UpOptions(variables=variables, application=APPLICATION)


def addresses(clients: Clients, outputs: Mapping[str, Any], secret: str) -> Addresses:
    """The addresses of the ingresses, as far as there are any; ``secret`` is the webhook partner's."""
    return Addresses(
        webhook=webhook_urls(dict(outputs), clients.record)[PARTNER],
        secret=secret,
        queue_url=outputs.get("ingress_queue_urls", {}).get("queue", ""),
        queue_topic_arn=outputs.get("ingress_topic_arns", {}).get("queue", ""),
        topic_arn=outputs.get("ingress_topic_arns", {}).get("topic", ""),
        partner_bus=outputs.get("partner_bus_names", {}).get("saas", ""),
        bus=outputs["bus_name"],
    )
