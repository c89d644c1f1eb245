"""API Gateway's proxy events, payload formats 2.0 (HTTP API) and 1.0 (REST), as requests; responses to them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from media_events.core.json_fields import mapping
from media_events.ingress.http import AuthorizedCaller, WebhookRequest, WebhookResponse


def incoming(event: Mapping[str, Any]) -> WebhookRequest:
    """Read a proxy event. Never raises: a missing part is empty, and a body that can't be decoded is ``None``."""
    context = mapping(event.get("requestContext"))
    http = mapping(context.get("http"))
    # Only the context of format 1.0 has the called path, with its stage.
    path = _text(event.get("rawPath")) or _text(context.get("path")) or _text(event.get("path")) or "/"
    return WebhookRequest(
        partner=_partner(event, path),
        method=(_text(http.get("method")) or _text(event.get("httpMethod"))).upper(),
        host=_text(context.get("domainName")),
        path=path,
        query=_query(event),
        headers=_headers(event),
        body=_body(event),
        caller=_caller(event, context),
    )


def response(answer: WebhookResponse) -> dict[str, Any]:
    """A response in the form of both payload formats."""
    return {
        "statusCode": answer.status,
        "headers": dict(answer.headers),
        "body": answer.body,
        "isBase64Encoded": False,
    }


def _partner(event: Mapping[str, Any], path: str) -> str:
    named = mapping(event.get("pathParameters")).get("partner")
    if isinstance(named, str):
        return named
    return _own_route(event) or path.rstrip("/").rpartition("/")[2]


def _own_route(event: Mapping[str, Any]) -> str:
    """The partner of its own route (``ANY /webhooks/acme``); empty on the one for unknown names."""
    last = _text(event.get("routeKey")).rpartition("/")[2]
    return "" if "{" in last or "$" in last else last


def _caller(event: Mapping[str, Any], context: Mapping[str, Any]) -> AuthorizedCaller:
    """The proofs of API Gateway. Only format 2.0 has them here, so a request in format 1.0 counts as unproved.

    ``sourceIp`` is "the source IP address of the immediate TCP connection making the request to API Gateway endpoint",
    in both formats:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """
    authorizer = mapping(context.get("authorizer"))
    return AuthorizedCaller(
        partner=_own_route(event),
        principal=_text(mapping(authorizer.get("iam")).get("userArn")),
        jwt=bool(mapping(mapping(authorizer.get("jwt")).get("claims"))),
        certificate=bool(mapping(mapping(context.get("authentication")).get("clientCert"))),
        address=_text(mapping(context.get("http")).get("sourceIp"))
        or _text(mapping(context.get("identity")).get("sourceIp")),
    )


def _headers(event: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Headers with lower-case names. Format 2.0 joins repeated ones with commas, format 1.0 lists them."""
    several = event.get("multiValueHeaders")
    if isinstance(several, Mapping) and several:
        return tuple(
            (str(name).lower(), _text(value))
            for name, values in several.items()
            for value in (values if isinstance(values, list) else [values])
        )
    return tuple((str(name).lower(), _text(value)) for name, value in mapping(event.get("headers")).items())


def _query(event: Mapping[str, Any]) -> str:
    raw = event.get("rawQueryString")
    if isinstance(raw, str):
        return raw
    several = event.get("multiValueQueryStringParameters")
    if isinstance(several, Mapping):
        return urlencode(
            [(str(k), _text(v)) for k, values in several.items() for v in (values if isinstance(values, list) else [])],
            errors="replace",
        )
    return ""


def _body(event: Mapping[str, Any]) -> bytes | None:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return None
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
