"""When a hop's function was last deployed: a failure often begins with a change.

The kit's policies for operators do not allow the question; AWS's `ReadOnlyAccess` does. Without it nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from media_events.core.clock import epoch, timestamp
from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.shared.console import OperatorError
from media_events_kit.ops.shared.times import moment, span

RECENT_SECONDS = 7 * 86_400


def deployed_at(deployment: Deployment) -> Callable[[str], float | None]:
    """When the function of a hop was last changed, in epoch seconds; ``None`` where that is not known.

    ``LastModified`` has the time (https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html).
    """

    def ask(hop: str) -> float | None:
        known = deployment.topology.hops.get(hop)
        if known is None or known.log_group is None:
            return None
        try:
            client = deployment.cloud.client("lambda")
            answer = client.get_function_configuration(FunctionName=known.log_group.rpartition("/")[2])
            return datetime.fromisoformat(str(answer["LastModified"])).timestamp()
        except (BotoCoreError, ClientError, OperatorError, KeyError, ValueError):
            return None

    return ask


def change_of(began: str, deployed: float | None) -> str:
    """What a deployment has to do with a group that began at ``began``, in a sentence; empty if nothing."""
    start = epoch(began)
    if start is None or deployed is None:
        return ""
    at = moment(timestamp(deployed))
    if deployed > start:
        return f"The function of its hop was deployed since then, at {at}."
    if start - deployed > RECENT_SECONDS:
        return ""
    return f"The function of its hop was deployed {span(start - deployed)} before it began, at {at}."
