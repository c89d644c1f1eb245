"""An HTTP endpoint as its configuration describes it: URL, headers, authentication, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final, cast

from media_events.core.config_fields import Fields, otherwise, refuse_unknown
from media_events.core.deferred import pattern
from media_events.core.value_classes import dataclass
from media_events.outbound_http.address_guard import Network, Target, TargetError, parse_networks, parse_target
from media_events.outbound_http.authentication import (
    CLIENT_AUTHENTICATIONS,
    SECRET_ARN,
    ApiKey,
    Authentication,
    Basic,
    ClientAuthentication,
    ClientCredentials,
    StandardWebhooks,
)
from media_events.outbound_http.tls import TlsSecrets, read_tls

USER_AGENT: Final = "media-events/1"
DEFAULT_TIMEOUT_SECONDS: Final = 10.0
MAX_TIMEOUT_SECONDS: Final = 300.0
MAX_HEADERS: Final = 50
MAX_HEADER_CHARACTERS: Final = 4096

# Configuration must not set headers that the connection, CloudEvents, a signature or a proxy's trust depends on.
FORBIDDEN_HEADERS: Final = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie", "date"),
        *("expect", "forwarded", "host", "idempotency-key", "keep-alive", "origin", "referer", "set-cookie", "te"),
        *("trailer", "transfer-encoding", "upgrade", "user-agent", "via"),
    }
)
FORBIDDEN_HEADER_PREFIXES: Final = (
    *("access-control-", "ce-", "cf-", "proxy-", "sec-", "svix-", "webhook-", "x-amz-", "x-amzn-", "x-forwarded-"),
    *("x-goog-",),
)
# A credential in configuration would be stored in Terraform's state and in the configuration's bucket.
CREDENTIAL_HEADERS: Final = frozenset({"authorization", "x-api-key", "api-key", "x-auth-token"})

_TOKEN: Final = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\Z")
_HEADER_VALUE: Final = pattern(r"[\x20-\x7e]*\Z")

_AUTH_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "api-key": frozenset({"header"}),
    "basic": frozenset(),
    "standard-webhooks": frozenset(),
    "oauth2-client-credentials": frozenset({"token_url", "scope", "audience", "client_authentication"}),
}
ENDPOINT_KEYS: Final = frozenset(
    {"url", "headers", "timeout_seconds", "auth", "allowed_private_cidrs", "allow_http", "tls"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpEndpoint:
    """Where requests go and how they authenticate. ``timeout_seconds`` bounds one exchange."""

    target: Target
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    authentication: Authentication | None = None
    allowed_networks: tuple[Network, ...] = ()
    tls: TlsSecrets | None = None


def read_endpoint(
    document: Mapping[str, Any], problems: list[str], *, min_timeout_seconds: float | None = None
) -> HttpEndpoint | None:
    """Read the fields in :data:`ENDPOINT_KEYS`; ``None`` where the URL is unusable."""
    fields = Fields(document, "", problems)
    allow_http = fields.boolean("allow_http")
    allowed: tuple[Network, ...] = ()
    try:
        allowed = parse_networks(otherwise(document.get("allowed_private_cidrs"), []))
    except TargetError as error:
        problems.append(f"allowed_private_cidrs: {error}")
    target: Target | None = None
    try:
        target = parse_target(document.get("url"), allow_http=allow_http, allowed=allowed)
    except TargetError as error:
        problems.append(f"url: {error}")
    timeout = fields.number(
        "timeout_seconds", default=DEFAULT_TIMEOUT_SECONDS, low=min_timeout_seconds, high=MAX_TIMEOUT_SECONDS
    )
    headers = _headers(otherwise(document.get("headers"), {}), problems)
    authentication = _authentication(document.get("auth"), allow_http, allowed, problems)
    if isinstance(authentication, ApiKey) and authentication.header.lower() in map(str.lower, headers):
        problems.append(f"headers.{authentication.header}: is set by auth as well")
    tls = read_tls(document.get("tls"), problems)
    if target is None:
        return None
    if tls is not None and target.scheme != "https":
        problems.append("tls: is for an https:// URL")
    return HttpEndpoint(
        target=target,
        headers=headers,
        timeout_seconds=timeout,
        authentication=authentication,
        allowed_networks=allowed,
        tls=tls,
    )


def _headers(value: Any, problems: list[str]) -> dict[str, str]:
    if not isinstance(value, Mapping):
        problems.append("headers: must be a map of names to values")
        return {}
    if len(value) > MAX_HEADERS:
        problems.append(f"headers: must be {MAX_HEADERS} or fewer")
    headers: dict[str, str] = {}
    seen: set[str] = set()
    for name, text in value.items():
        reason = _header_problem(name, text)
        if reason is None and name.lower() in seen:
            reason = "is given twice"
        if reason is None and name.lower() in CREDENTIAL_HEADERS:
            reason = "would put a credential into configuration; use auth with a secret"
        if reason is not None:
            problems.append(f"headers.{name}: {reason}")
            continue
        seen.add(name.lower())
        headers[name] = text
    return headers


def _header_problem(name: Any, text: Any) -> str | None:
    if not isinstance(name, str) or not _TOKEN.match(name):
        return "is not a header name"
    lower = name.lower()
    if lower in FORBIDDEN_HEADERS or lower.startswith(FORBIDDEN_HEADER_PREFIXES):
        return "is set by the request itself or trusted by proxies, and can't be configured"
    if not isinstance(text, str) or len(text) > MAX_HEADER_CHARACTERS or not _HEADER_VALUE.match(text):
        return f"must be printable ASCII of up to {MAX_HEADER_CHARACTERS} characters"
    return None


def _authentication(
    value: Any,
    allow_http: bool,  # noqa: FBT001
    allowed: tuple[Network, ...],
    problems: list[str],
) -> Authentication | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        problems.append(
            'auth: must be an object such as {"type": "api-key", "header": "x-api-key", "secret_arn": "..."}'
        )
        return None
    kind = str(value.get("type"))
    if kind not in _AUTH_KEYS:
        problems.append(f"auth.type: must be one of {', '.join(_AUTH_KEYS)}, not {kind!r}")
        return None
    settings = {key: text for key, text in value.items() if text is not None}
    refuse_unknown(settings, _AUTH_KEYS[kind] | {"type", "secret_arn"}, "auth.", problems)
    arn = value.get("secret_arn")
    if not isinstance(arn, str) or not SECRET_ARN.match(arn):
        problems.append("auth.secret_arn: must be the ARN of a Secrets Manager secret")
        arn = ""
    if kind == "oauth2-client-credentials":
        return _client_credentials(arn, settings, allow_http, allowed, problems)
    if kind == "api-key":
        header = value.get("header")
        reason = _header_problem(header, "")
        if reason is not None:
            problems.append(f"auth.header: {reason}")
        return ApiKey(header=str(header), secret_arn=arn)
    return Basic(arn) if kind == "basic" else StandardWebhooks(arn)


def _client_credentials(
    arn: str,
    settings: Mapping[str, Any],
    allow_http: bool,  # noqa: FBT001
    allowed: tuple[Network, ...],
    problems: list[str],
) -> ClientCredentials | None:
    for key in ("scope", "audience"):
        text = settings.get(key)
        if text is not None and (not isinstance(text, str) or not 0 < len(text) <= MAX_HEADER_CHARACTERS):
            problems.append(f"auth.{key}: must be text of up to {MAX_HEADER_CHARACTERS} characters")
    method = settings.get("client_authentication", CLIENT_AUTHENTICATIONS[0])
    if method not in CLIENT_AUTHENTICATIONS:
        problems.append(
            f"auth.client_authentication: must be one of {', '.join(CLIENT_AUTHENTICATIONS)}, not {method!r}"
        )
    try:
        token_target = parse_target(settings.get("token_url"), allow_http=allow_http, allowed=allowed)
    except TargetError as error:
        problems.append(f"auth.token_url: {error}")
        return None
    return ClientCredentials(
        secret_arn=arn,
        token_target=token_target,
        scope=settings.get("scope"),
        audience=settings.get("audience"),
        client_authentication=cast("ClientAuthentication", method),
    )
