"""The ``handshake`` of a specification: how an endpoint proves to a sender that it wants its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from media_events.core.config_fields import Fields, kind_of
from media_events.core.value_classes import dataclass
from media_events.partners.signature_schemes import ALGORITHMS, HANDSHAKE_ENCODINGS, refuse_unused
from media_events.partners.value_expressions import (
    ValueExpression,
    parse_optional_path,
    parse_source,
    read_header_name,
)

HANDSHAKES: Final = ("echo_field", "hmac_token", "query_echo", "header_echo", "fixed")
HANDSHAKE_METHODS: Final = ("POST", "GET", "HEAD")
STATUSES: Final = (200, 204)

_USES: Final[Mapping[str, frozenset[str]]] = {
    "echo_field": frozenset({"when", "token", "response_field", "unsigned"}),
    "hmac_token": frozenset(
        {"when", "token", "query", "require_query", "method", "response_field", "digest_field", "digest_prefix"}
        | {"algorithm", "encoding"}
    ),
    "query_echo": frozenset({"query", "require_query", "secret_query", "method"}),
    "header_echo": frozenset({"header"}),
    "fixed": frozenset({"when", "method", "unsigned", "status", "response"}),
}
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "echo_field": ("when", "token"),
    "hmac_token": ("digest_field",),
    "query_echo": ("query",),
    "header_echo": ("header",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One kind of answer.

    ``echo_field``: if ``when`` is true, the value at ``token`` (in ``response_field``, or as plain text).
    ``hmac_token``: the HMAC of a token, which may come in the parameter ``query``. ``query_echo``: a parameter of the
    query. ``header_echo``: a header. ``fixed``: ``response``, the same every time.

    Only ``signed`` ones are answered after verification. The others must give a stranger nothing that it has not.
    """

    kind: str
    method: str = "POST"
    unsigned: bool = False
    when: ValueExpression | None = None
    token: ValueExpression | None = None
    response_field: str | None = None
    digest_field: str | None = None
    digest_prefix: str = ""
    algorithm: str = "sha256"
    encoding: str = "hex"
    query: str | None = None
    require_query: Mapping[str, str] = field(default_factory=dict)
    secret_query: str | None = None
    header: str | None = None
    status: int = 200
    response: Mapping[str, Any] | None = None

    @property
    def signed(self) -> bool:
        """Whether the request is verified first; one without a body can't be."""
        return not (self.unsigned or self.query or self.header or self.method != "POST")


def parse_handshake(fields: Fields) -> Handshake | None:
    """Read the ``handshake`` table; problems go to ``fields.problems``."""
    before = len(fields.problems)
    kind = fields.choice("kind", HANDSHAKES, required=True)
    by_get = kind in ("query_echo", "hmac_token") and fields.has("query")
    handshake = Handshake(
        kind=kind,
        method=fields.choice("method", HANDSHAKE_METHODS, default="GET" if by_get else "POST"),
        unsigned=fields.boolean("unsigned"),
        when=parse_optional_path(fields, "when"),
        token=parse_source(fields, "token"),
        response_field=fields.text("response_field"),
        digest_field=fields.text("digest_field"),
        digest_prefix=fields.text("digest_prefix") or "",
        algorithm=fields.choice("algorithm", ALGORITHMS, default="sha256"),
        encoding=fields.choice("encoding", HANDSHAKE_ENCODINGS, default="hex"),
        query=fields.text("query", hint="the name of a query parameter"),
        require_query=fields.pairs("require_query"),
        secret_query=fields.text("secret_query", hint="the name of a query parameter"),
        header=read_header_name(fields, "header"),
        status=fields.integer("status", default=200, low=200, high=204),
        response=_response(fields),
    )
    fields.done()
    for name in _NEEDS.get(kind, ()):
        if not fields.has(name):
            fields.problem(name, f"is missing; a handshake of kind {kind} needs it")
    if kind == "hmac_token" and handshake.query is None:
        for name in ("when", "token", "response_field"):
            if not fields.has(name):
                fields.problem(name, "is missing; a handshake of kind hmac_token needs it, or else query")
    if kind == "fixed" and handshake.when is None and handshake.method != "HEAD":
        fields.problem("when", "is missing: without it every request would be a handshake, and none an event")
    if len(fields.problems) == before:
        _check(handshake, fields)
    return handshake if len(fields.problems) == before else None


def _check(handshake: Handshake, fields: Fields) -> None:
    refuse_unused(fields, _USES[handshake.kind] | {"kind"}, f"kind {handshake.kind}")
    if handshake.kind == "hmac_token" and handshake.query is not None:
        for name in ("when", "token"):
            if fields.has(name):
                fields.problem(name, "means nothing beside query, which is the token")
    if handshake.method == "HEAD" and handshake.kind != "fixed":
        fields.problem("method", f"HEAD has no body to answer with; kind {handshake.kind} takes POST or GET")
    if handshake.status not in STATUSES or (handshake.status == STATUSES[1] and handshake.response is not None):
        fields.problem("status", "must be 200, or 204 without a response")


def _response(fields: Fields) -> Mapping[str, Any] | None:
    value = fields.take("response")
    if value is None or isinstance(value, Mapping):
        return value
    fields.problem("response", f"must be an object, which is answered as JSON, not {kind_of(value)}")
    return None
