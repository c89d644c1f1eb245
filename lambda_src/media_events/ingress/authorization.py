"""Authenticates a partner's request: by its signature, or by API Gateway.

API Gateway's proof is in ``requestContext``, which no sender can write. Only the configuration decides between the two:
if one proof is missing, the other never takes its place.
"""

from __future__ import annotations

import re
from typing import Final

from media_events.core.config_fields import Fields
from media_events.core.deferred import pattern
from media_events.core.value_classes import dataclass
from media_events.ingress.http import AuthorizedCaller

METHODS: Final = ("signature", "iam", "jwt")

PRINCIPAL: Final = pattern(r"arn:[a-z-]+:iam::[0-9]{12}:(?:role|user)/[\w+=,.@/-]+", re.ASCII)
"""A role or user. Sessions' ARNs lack the role's path, but a role's name is unique in its account."""

_ROLE: Final = pattern(r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):role/(?:.+/)?(?P<name>[^/]+)", re.ASCII)
_SESSION: Final = pattern(
    r"arn:(?P<partition>[a-z-]+):sts::(?P<account>[0-9]{12}):assumed-role/(?P<name>[^/]+)/[\w+=,.@-]+", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAuthorization:
    """How a partner's requests are authenticated.

    ``iam`` and ``jwt`` replace the signature. ``principals`` are the only roles and users that ``iam`` admits, even if
    others may invoke the API. ``require_client_certificate`` applies in addition to any ``method``.
    """

    method: str = "signature"
    principals: tuple[str, ...] = ()
    require_client_certificate: bool = False

    @property
    def by_signature(self) -> bool:
        """Whether the specification's verification decides."""
        return self.method == "signature"

    def refusal(self, caller: AuthorizedCaller, partner: str) -> str | None:
        """The reason to refuse ``caller`` as ``partner``; ``None`` if there is none.

        With ``signature``, the signature must still be verified.
        """
        if self.require_client_certificate and not caller.certificate:
            return "client-certificate-missing"
        if self.by_signature:
            return None
        # Another partner's route has another authorizer, which proves nothing for this partner.
        if caller.partner != partner:
            return "authorizer-missing"
        if self.method == "jwt":
            return None if caller.jwt else "authorizer-missing"
        if self.method == "iam" and caller.principal:
            return None if self._admits(caller.principal) else "principal-not-allowed"
        return "authorizer-missing"

    def _admits(self, principal: str) -> bool:
        session = _SESSION.fullmatch(principal)
        if session is None:
            return principal in self.principals
        roles = (_ROLE.fullmatch(allowed) for allowed in self.principals)
        return any(role is not None and role.groups() == session.groups() for role in roles)


def parse_authorization(fields: Fields) -> WebhookAuthorization:
    """Read ``authentication``, ``principals`` and ``require_client_certificate`` of a partner's configuration."""
    method = fields.choice("authentication", METHODS, default="signature")
    principals = fields.texts("principals", hint="a list of ARNs of IAM roles and users", form=PRINCIPAL)
    if method == "iam" and not principals:
        fields.problem("principals", "is empty: name the roles and users that may call")
    elif method != "iam" and principals:
        fields.problem("principals", "belongs to the authentication iam alone")
    certificate = fields.boolean("require_client_certificate")
    return WebhookAuthorization(method=method, principals=principals, require_client_certificate=certificate)
