"""An HTTP destination as its configuration describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, cast, get_args

from media_events.core.config_fields import Fields
from media_events.core.value_classes import dataclass
from media_events.delivery.policies import DeliveryPolicies
from media_events.outbound_http.endpoint import ENDPOINT_KEYS, HttpEndpoint, read_endpoint

Mode = Literal["structured", "binary", "data"]
MODES: Final = cast("tuple[Mode, ...]", get_args(Mode))

MIN_TIMEOUT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDestination(DeliveryPolicies):
    """``mode`` says how the event becomes a request: see :func:`~media_events.delivery.http.delivery.build_request`."""

    endpoint: HttpEndpoint
    mode: Mode = "structured"


def read_http(fields: Fields, policies: Mapping[str, Any]) -> HttpDestination | None:
    """Read a destination of type ``http``; ``policies`` are the fields of its base."""
    mode = cast("Mode", fields.choice("mode", MODES, default=MODES[0]))
    document = {key: fields.take(key) for key in ENDPOINT_KEYS}
    endpoint = read_endpoint(document, fields.problems, min_timeout_seconds=MIN_TIMEOUT_SECONDS)
    return None if endpoint is None else HttpDestination(**policies, endpoint=endpoint, mode=mode)
