"""A request as CloudFront's viewer sent it, and the secret by which CloudFront shows that it passed it on.

The function of ``modules/internal/cloudfront`` (``viewer_request.js``) sets these headers, over the viewer's own ones.
API Gateway sees its own host and CloudFront's address, and whether a query that such a function has seen stays as it
was, AWS doesn't say: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/general-helper-methods.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from media_events.ingress.http import WebhookRequest

SECRET_HEADER: Final = "x-origin-secret"  # noqa: S105 - the header's name
ADDRESS_HEADER: Final = "x-viewer-address"
HOST_HEADER: Final = "x-viewer-host"
QUERY_HEADER: Final = "x-viewer-query"
HEADERS: Final = frozenset({SECRET_HEADER, ADDRESS_HEADER, HOST_HEADER, QUERY_HEADER})

MAX_SECRET_CHARACTERS: Final = 1024
"""A value of CloudFront's key value store: "Maximum size of a value: 1 KB"
(https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html)."""


def origin_secret(request: WebhookRequest) -> str | None:
    """The secret that a request brings; ``None`` without exactly one that can be it."""
    values = [value for name, value in request.headers if name == SECRET_HEADER]
    return values[0] if len(values) == 1 and 0 < len(values[0]) <= MAX_SECRET_CHARACTERS else None


def as_viewed(request: WebhookRequest) -> WebhookRequest:
    """A request that brought the secret, with its viewer's host, query and address, and without these headers."""
    given = {name: value for name, value in request.headers if name in HEADERS}
    return replace(
        request,
        host=given.get(HOST_HEADER, request.host),
        query=given.get(QUERY_HEADER, request.query),
        headers=tuple((name, value) for name, value in request.headers if name not in HEADERS),
        caller=replace(request.caller, address=given.get(ADDRESS_HEADER, "")),
    )
