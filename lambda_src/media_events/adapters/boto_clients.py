"""AWS clients, one per service and sandbox, with timeouts that end before the invocation does.

They are botocore's own: `boto3` over it takes 30 ms of each cold start, and the functions use none of what it adds.
"""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from media_events.adapters.direct_calls import OPERATIONS, make_direct
from media_events.adapters.kept_connections import KeptConnections, authorities_of, is_proxied
from media_events.core.deferred import Deferred

if TYPE_CHECKING:
    from botocore.session import Session

SERVICES: Final = frozenset(
    {"dynamodb", "events", "firehose", "lambda", "s3", "secretsmanager", "sns", "sqs", "stepfunctions"}
)
"""The services that functions call."""

CONNECT_TIMEOUT_SECONDS: Final = 2
READ_TIMEOUT_SECONDS: Final = 5
PATIENT_READ_TIMEOUT_SECONDS: Final = 15
"""Of :func:`client_for_effects`: half the default timeout of a function that delivers."""
MAX_ATTEMPTS: Final = 3

P = TypeVar("P")


@functools.cache
def client(
    service: str,
    *,
    read_timeout: float = READ_TIMEOUT_SECONDS,
    attempts: int = MAX_ATTEMPTS,
    region: str | None = None,
) -> Any:
    """The client of ``service``, with short timeouts and botocore's standard retries, by default in our region."""
    made = _make(service, read_timeout=read_timeout, attempts=attempts, region=region)
    if attempts > 1:
        rest = functools.partial(client, service, read_timeout=read_timeout, attempts=attempts - 1, region=region)
        _make_direct(service, made, rest, read_timeout=read_timeout, repeats_unanswered=True)
    return made


def client_for_effects(
    service: str, *, region: str | None = None, read_timeout: float = PATIENT_READ_TIMEOUT_SECONDS
) -> Any:
    """A client of ``service`` that does not retry a call without an answer. Make it once.

    Such a call may have taken effect, so only the code that holds the idempotency record may repeat it. A refused call
    (throttling, a fault of the service) or one that could not be sent is retried as usual. This client waits longer
    for an answer: a late one is better than none.
    """
    patient = _make_patient(service, region, read_timeout, MAX_ATTEMPTS)
    rest = functools.partial(_make_patient_once, service, region, read_timeout, MAX_ATTEMPTS - 1)
    _make_direct(service, patient, rest, read_timeout=read_timeout, repeats_unanswered=False)
    return patient


def _make_patient(service: str, region: str | None, read_timeout: float, attempts: int) -> Any:
    patient = _make(service, read_timeout=read_timeout, attempts=attempts, region=region)
    patient.meta.events.register_first("needs-retry.*", _unless_unanswered)
    return patient


_make_patient_once: Final = functools.cache(_make_patient)


def _make_direct(
    service: str, made: Any, rest: Callable[[], Any], *, read_timeout: float, repeats_unanswered: bool
) -> None:
    """Make the calls of ``made`` direct, unless a proxy is in between, or its endpoint has a path."""
    if service not in OPERATIONS:
        return
    session, url = _session(), made.meta.endpoint_url.rstrip("/")
    credentials = session.get_credentials()
    if credentials is None or urlsplit(url).path or is_proxied(url):
        return
    connections = KeptConnections(
        url,
        authorities=authorities_of(session.get_config_variable("ca_bundle")),
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout,
    )
    _MADE.append(connections)
    make_direct(made, credentials, connections, rest=rest, repeats_unanswered=repeats_unanswered)


def _unless_unanswered(caught_exception: Exception | None = None, **_about: Any) -> None:
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415  # 100 ms: only where a client is made

    if isinstance(caught_exception, ReadTimeoutError):
        # The call raises this error at once, before botocore counts attempts.
        raise caught_exception


def lazy_client(service: str) -> Any:
    """:func:`client`, made when it is first used."""
    return Deferred(functools.partial(client, service))


def _make(service: str, *, read_timeout: float, attempts: int, region: str | None) -> Any:
    from botocore.config import Config  # noqa: PLC0415  # 100 ms: only where a client is made

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    with _MAKING:
        # "Session objects are not thread safe", clients are:
        # https://docs.aws.amazon.com/boto3/latest/guide/session.html#multithreading-or-multiprocessing-with-sessions
        made = _session().create_client(service, region_name=region, config=config)
    _MADE.append(made)
    return made


_MAKING: Final = threading.Lock()
_MADE: Final[list[Any]] = []


def disconnect() -> None:
    """Close all connections; each client opens others when it is used again."""
    for made in _MADE:
        made.close()


def set_credentials_provider(wrap: Callable[[Callable[[], Any]], P]) -> P:
    """Have all clients made from now on use ``wrap(load)``, where ``load`` returns botocore's own credentials."""
    session = _session()
    provider = wrap(session.get_component("credential_provider").load_credentials)
    session.register_component("credential_provider", provider)
    return provider


@functools.cache
def _session() -> Session:
    from botocore.session import get_session  # noqa: PLC0415

    session = get_session()
    # Botocore would look into the folder of each of its 400 services, twice, before it makes the first client. That
    # takes 40 ms of a cold start, and serves only the message about a service that does not exist.
    loader = copy.copy(session.get_component("data_loader"))
    loader.list_available_services = lambda type_name: sorted(SERVICES)  # noqa: ARG005  # whatever the kind of model
    session.register_component("data_loader", loader)
    return session
