"""Who proves that a request is its partner's: the partner's signature, or API Gateway.

API Gateway's proof is what it writes into ``requestContext``, where no sender can write. A check by signature is never
left out because that proof is missing, nor the other way round: which of them counts is the configuration's alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from media_events.ingress.http import AuthorizedCaller

METHODS: Final = ("signature", "iam", "jwt")

PRINCIPAL: Final = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:(?:role|user)/[\w+=,.@/-]+", re.ASCII)
"""A role or user. A role's path is no part of its sessions' ARNs; a role's name is unique in its account."""

_ROLE: Final = re.compile(
    r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):role/(?:.+/)?(?P<name>[^/]+)", re.ASCII
)
_SESSION: Final = re.compile(
    r"arn:(?P<partition>[a-z-]+):sts::(?P<account>[0-9]{12}):assumed-role/(?P<name>[^/]+)/[\w+=,.@-]+", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAuthorization:
    """How a partner's requests are authenticated.

    ``iam`` and ``jwt`` take the place of the signature. ``principals`` are the roles and users that ``iam`` lets in,
    whoever else may invoke the API. ``require_client_certificate`` comes on top of whatever ``method``.
    """

    method: str = "signature"
    principals: tuple[str, ...] = ()
    require_client_certificate: bool = False

    @property
    def by_signature(self) -> bool:
        """Whether the specification's verification decides."""
        return self.method == "signature"

    def refusal(self, caller: AuthorizedCaller, partner: str) -> str | None:
        """Why what API Gateway knows of ``caller`` is not enough for ``partner``; ``None`` where it is.

        With ``signature`` the signature is still to be verified.
        """
        if self.require_client_certificate and not caller.certificate:
            return "client-certificate-missing"
        if self.by_signature:
            return None
        # Another partner's route has another authorizer: what that one proved says nothing here.
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


def parse_authorization(entry: Mapping[str, Any], where: str, problems: list[str]) -> WebhookAuthorization:
    """Read ``authentication``, ``principals`` and ``require_client_certificate`` of a partner's configuration.

    What is wrong goes to ``problems``, each with ``where``.
    """
    method, required = entry.get("authentication", "signature"), entry.get("require_client_certificate", False)
    principals = entry.get("principals", [])
    if method not in METHODS:
        problems.append(f"{where}.authentication must be one of {', '.join(METHODS)}")
    if not isinstance(required, bool):
        problems.append(f"{where}.require_client_certificate must be true or false")
    if not isinstance(principals, list) or not all(isinstance(p, str) and PRINCIPAL.fullmatch(p) for p in principals):
        problems.append(f"{where}.principals must be a list of ARNs of IAM roles and users")
        principals = []
    elif method == "iam" and not principals:
        problems.append(f"{where}.principals is empty: name the roles and users that may call")
    elif method != "iam" and principals:
        problems.append(f"{where}.principals belongs to the authentication iam alone")
    return WebhookAuthorization(
        method=str(method), principals=tuple(principals), require_client_certificate=required is not False
    )
