"""The addresses of a local cloud's HTTP APIs on this machine."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from media_events_kit.ops.local.endpoint import CloudRecord


def reachable(url: str, record: CloudRecord) -> str:
    """``https://<api>.execute-api.localhost:…/path`` in a form that needs no name resolution.

    Not every resolver knows names below ``localhost``; MiniStack also serves each API by path.
    """
    parts = urlsplit(url)
    api, _, rest = (parts.hostname or "").partition(".")
    if not rest.startswith("execute-api."):
        return url
    query = f"?{parts.query}" if parts.query else ""
    return f"{record.endpoint}/_aws/execute-api/{api}{parts.path}{query}"


def webhook_urls(outputs: dict[str, Any], record: CloudRecord) -> dict[str, str]:
    """Each partner's webhook, from Terraform's outputs."""
    urls = outputs.get("webhook_urls")
    if not isinstance(urls, dict):
        return {}
    return {partner: reachable(url, record) for partner, url in sorted(urls.items())}
