"""A destination as its configuration describes it, checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast, get_args

from media_events.delivery.authentication import ApiKey, Authentication, Basic, StandardWebhooks
from media_events.delivery.ssrf import Network, Target, TargetError, parse_networks, parse_target

Mode = Literal["structured", "binary", "data"]
MODES: Final = cast("tuple[Mode, ...]", get_args(Mode))

DEFAULT_TIMEOUT_SECONDS: Final = 10.0
MAX_TIMEOUT_SECONDS: Final = 300.0
MAX_HEADERS: Final = 50
MAX_HEADER_CHARACTERS: Final = 4096

# Headers that the connection, the envelope, a signature or a proxy's trust depends on.
FORBIDDEN_HEADERS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "idempotency-key",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
    }
)
FORBIDDEN_HEADER_PREFIXES: Final = (
    "access-control-",
    "ce-",
    "cf-",
    "proxy-",
    "sec-",
    "svix-",
    "webhook-",
    "x-amz-",
    "x-amzn-",
    "x-forwarded-",
    "x-goog-",
)
# A credential as configuration would end in Terraform state and in the configuration's bucket.
CREDENTIAL_HEADERS: Final = frozenset({"authorization", "x-api-key", "api-key", "x-auth-token"})

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]*\Z")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_SECRET_ARN: Final = re.compile(r"arn:[a-z0-9-]+:secretsmanager:[a-z0-9-]*:[0-9]*:secret:.+\Z")
_STATE_MACHINE_ARN: Final = re.compile(r"arn:[a-z0-9-]+:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[^:\s]+(:[^:\s]+)?\Z")

_HTTP_KEYS: Final = frozenset(
    {"name", "type", "url", "mode", "headers", "timeout_seconds", "auth", "allowed_private_cidrs", "allow_http"}
)
_STATES_KEYS: Final = frozenset({"name", "type", "state_machine_arn"})


class DestinationError(ValueError):
    """The destination's configuration is wrong; ``problems`` has one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("bad destination: " + "; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpDestination:
    """An HTTP endpoint. ``mode`` says how the event becomes a request (see ``http.build_request``)."""

    name: str
    target: Target
    mode: Mode = "structured"
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    authentication: Authentication | None = None
    allowed_networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatesDestination:
    """A Step Functions state machine."""

    name: str
    state_machine_arn: str


Destination = HttpDestination | StatesDestination


def parse_destination(document: Any) -> Destination:
    """Read ``{"destination": {...}}``.

    Raises:
        DestinationError: naming every mistake at once.
    """
    destination = document.get("destination") if isinstance(document, Mapping) else None
    if not isinstance(destination, Mapping):
        raise DestinationError(['the document must be {"destination": {...}}'])
    problems: list[str] = []
    name = destination.get("name")
    if not isinstance(name, str) or not _NAME.match(name):
        problems.append("name must have 1 to 64 letters, digits, dots, hyphens or underscores")
    kind = destination.get("type")
    parsed: Destination | None = None
    if kind == "http":
        parsed = _http(str(name), destination, problems)
    elif kind == "states":
        parsed = _states(str(name), destination, problems)
    else:
        problems.append(f"type must be http or states, not {kind!r}")
    if problems or parsed is None:
        raise DestinationError(problems)
    return parsed


def _unknown(document: Mapping[str, Any], known: frozenset[str], where: str, problems: list[str]) -> None:
    problems.extend(
        f"{where}{key} is unknown (known: {', '.join(sorted(known))})" for key in document if key not in known
    )


def _states(name: str, document: Mapping[str, Any], problems: list[str]) -> StatesDestination:
    _unknown(document, _STATES_KEYS, "", problems)
    arn = document.get("state_machine_arn")
    if not isinstance(arn, str) or not _STATE_MACHINE_ARN.match(arn):
        problems.append("state_machine_arn must be the ARN of a state machine, or of its version or alias")
    return StatesDestination(name=name, state_machine_arn=str(arn))


def _http(name: str, document: Mapping[str, Any], problems: list[str]) -> HttpDestination | None:
    _unknown(document, _HTTP_KEYS, "", problems)
    allow_http = document.get("allow_http", False)
    if not isinstance(allow_http, bool):
        problems.append("allow_http must be true or false")
    allowed: tuple[Network, ...] = ()
    try:
        allowed = parse_networks(_or(document.get("allowed_private_cidrs"), []))
    except TargetError as error:
        problems.append(f"allowed_private_cidrs: {error}")
    target: Target | None = None
    try:
        target = parse_target(document.get("url"), allow_http=allow_http is True, allowed=allowed)
    except TargetError as error:
        problems.append(f"url: {error}")
    mode = _or(document.get("mode"), "structured")
    if mode not in MODES:
        problems.append(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    timeout = _or(document.get("timeout_seconds"), DEFAULT_TIMEOUT_SECONDS)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= MAX_TIMEOUT_SECONDS:
        problems.append(f"timeout_seconds must be a number above 0 and up to {MAX_TIMEOUT_SECONDS:.0f}")
        timeout = DEFAULT_TIMEOUT_SECONDS
    headers = _headers(_or(document.get("headers"), {}), problems)
    authentication = _authentication(document.get("auth"), problems)
    if isinstance(authentication, ApiKey) and authentication.header.lower() in map(str.lower, headers):
        problems.append(f"headers.{authentication.header} is set by auth as well")
    if target is None:
        return None
    return HttpDestination(
        name=name,
        target=target,
        mode=cast("Mode", mode),
        headers=headers,
        timeout_seconds=float(timeout),
        authentication=authentication,
        allowed_networks=allowed,
    )


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _headers(value: Any, problems: list[str]) -> dict[str, str]:
    if not isinstance(value, Mapping):
        problems.append("headers must be a map of names to values")
        return {}
    if len(value) > MAX_HEADERS:
        problems.append(f"headers must be {MAX_HEADERS} or fewer")
    headers: dict[str, str] = {}
    seen: set[str] = set()
    for name, text in value.items():
        reason = _header_problem(name, text)
        if reason is None and name.lower() in seen:
            reason = "is given twice"
        if reason is None and name.lower() in CREDENTIAL_HEADERS:
            reason = "would put a credential into configuration; use auth with a secret"
        if reason is not None:
            problems.append(f"headers.{name} {reason}")
            continue
        seen.add(name.lower())
        headers[name] = text
    return headers


def _header_problem(name: Any, text: Any) -> str | None:
    if not isinstance(name, str) or not _TOKEN.match(name):
        return "is not a header name"
    lower = name.lower()
    if lower in FORBIDDEN_HEADERS or lower.startswith(FORBIDDEN_HEADER_PREFIXES):
        return "is set by the delivery itself or trusted by proxies, and can't be configured"
    if not isinstance(text, str) or len(text) > MAX_HEADER_CHARACTERS or not _HEADER_VALUE.match(text):
        return f"must be printable ASCII of up to {MAX_HEADER_CHARACTERS} characters"
    return None


def _authentication(value: Any, problems: list[str]) -> Authentication | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        problems.append(
            'auth must be an object such as {"type": "api-key", "header": "x-api-key", "secret_arn": "..."}'
        )
        return None
    kind = value.get("type")
    if kind not in ("api-key", "basic", "standard-webhooks"):
        problems.append(f"auth.type must be api-key, basic or standard-webhooks, not {kind!r}")
        return None
    keys = {"type", "secret_arn"} | ({"header"} if kind == "api-key" else set())
    _unknown({k: v for k, v in value.items() if v is not None}, frozenset(keys), "auth.", problems)
    arn = value.get("secret_arn")
    if not isinstance(arn, str) or not _SECRET_ARN.match(arn):
        problems.append("auth.secret_arn must be the ARN of a Secrets Manager secret")
        arn = ""
    match kind:
        case "basic":
            return Basic(arn)
        case "standard-webhooks":
            return StandardWebhooks(arn)
    header = value.get("header")
    reason = _header_problem(header, "")
    if reason is not None:
        problems.append(f"auth.header {reason}")
    return ApiKey(header=str(header), secret_arn=arn)
