"""A request signed as a partner's specification says, with the partner's secret: what its verification accepts.

It shares no code with the verifier, which judges each request here before it is sent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from media_events.partners.body_parsing import type_accepted
from media_events.partners.form_parsing import FORM_TYPE
from media_events.partners.proof_parts import Request
from media_events.partners.signature_schemes import Verification
from media_events.partners.signature_verification import verify
from media_events.partners.specification import PartnerSpecification
from media_events.partners.timestamps import PER_SECOND

JSON_TYPE: Final = "application/json"


class UnsignableError(Exception):
    """Nobody but the partner can sign such a request; the text says why."""


@dataclass(frozen=True, slots=True)
class _Signer:
    """Signs one body. ``now`` is in epoch seconds, ``identity`` makes the message id."""

    verification: Verification
    secret: str
    identity: str
    now: float

    def headers(self, url: str, body: bytes) -> tuple[str, dict[str, str]]:
        """The URL to call, and the headers of the proof."""
        method = self.verification.method
        headers = dict(self.verification.require_headers)
        if method == "none":
            return url, headers
        if method == "http_signature":
            return url, headers | self._message_signature(url, body)
        tokens = {"static_token": self._token, "basic": self._basic, "jwt_body": self._jwt_body, "jwt": self._jwt}
        return (
            self._placed(url, headers, tokens[method](body)) if method in tokens else self._signed(url, headers, body)
        )

    def _token(self, body: bytes) -> str:  # noqa: ARG002
        return self._formatted(self._key().decode("utf-8", "surrogateescape"), "")

    def _basic(self, body: bytes) -> str:  # noqa: ARG002
        return f"Basic {base64.b64encode(self._key()).decode()}"

    def _jwt_body(self, body: bytes) -> str:
        """https://www.rfc-editor.org/rfc/rfc7515: the payload is the body."""
        return f"Bearer {self._compact('HS256', body)}"

    def _jwt(self, body: bytes) -> str:
        """The body's digest among the claims that the specification demands."""
        rule = self.verification
        claims: dict[str, object] = {**rule.claims, "nbf": int(self.now), "exp": int(self.now) + 300}
        if rule.timestamp is not None:
            claims[rule.timestamp.name] = self.stamp() if rule.timestamp.unit == "iso" else int(self.stamp())
        if rule.body_claim is not None:
            digest = hashlib.new(rule.body_claim.algorithm, body).digest()
            claims[rule.body_claim.name] = _encoded(digest, rule.body_claim.encoding)
        return f"Bearer {self._compact(rule.token_algorithms[0], json.dumps(claims).encode())}"

    def _compact(self, algorithm: str, payload: bytes) -> str:
        head = _base64url(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
        content = f"{head}.{_base64url(payload)}"
        mac = hmac.digest(self._key(), content.encode(), f"sha{algorithm[2:]}")
        return f"{content}.{_base64url(mac)}"

    def _message_signature(self, url: str, body: bytes) -> dict[str, str]:
        """https://www.rfc-editor.org/rfc/rfc9421, section 3.1, with the components that the specification demands."""
        rule, parts = self.verification, urlsplit(url)
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        values = {
            "@method": "POST",
            "@target-uri": url,
            "@authority": parts.netloc.lower(),
            "@scheme": parts.scheme,
            "@request-target": parts.path + (f"?{parts.query}" if parts.query else ""),
            "@path": parts.path,
            "@query": f"?{parts.query}",
            "content-digest": digest,
            **rule.require_headers,
        }
        unknown = [name for name in rule.components if name not in values]
        if unknown:
            raise UnsignableError(f"its signature covers {', '.join(unknown)}, which are not known here")
        listed = " ".join(f'"{name}"' for name in rule.components)
        parameters = f"({listed});created={int(self.now)}" + (f';tag="{rule.tag}"' if rule.tag else "")
        lines = [f'"{name}": {values[name]}' for name in rule.components]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        mac = base64.b64encode(hmac.digest(self._key(), base.encode(), "sha256")).decode()
        label = rule.label or "sig1"
        return {
            "content-digest": digest,
            "signature-input": f"{label}={parameters}",
            "signature": f"{label}=:{mac}:",
        }

    def _signed(self, url: str, headers: dict[str, str], body: bytes) -> tuple[str, dict[str, str]]:
        rule, stamp = self.verification, self.stamp()
        if rule.body_digest is not None:
            digest = _encoded(hashlib.new(rule.body_digest.algorithm, body).digest(), rule.body_digest.encoding)
            url = _with_query(url, rule.body_digest.query, digest)
        if rule.timestamp is not None and rule.timestamp.place == "header":
            headers[rule.timestamp.name] = stamp
        if rule.message_id_header is not None:
            headers[rule.message_id_header] = self.identity
        key = self._key()
        parts = {
            "timestamp": stamp.encode(),
            "id": self.identity.encode(),
            "body": body,
            "secret": key,
            "url": url.encode(),
            "sorted_form": "".join(name + value for name, value in sorted(parse_qsl(body.decode()))).encode(),
        }
        content = b"".join(literal.encode() + (parts[name] if name else b"") for literal, name in rule.content)
        if rule.method == "digest":
            signature = hashlib.new(rule.algorithm, content).digest()
        else:
            signature = hmac.digest(key, content, rule.algorithm)
        return self._placed(url, headers, self._formatted(_encoded(signature, rule.encoding), stamp))

    def stamp(self) -> str:
        """The time of signing as the partner writes it."""
        unit = "s" if self.verification.timestamp is None else self.verification.timestamp.unit
        if unit == "iso":
            return datetime.fromtimestamp(self.now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return str(int(self.now * PER_SECOND[unit]))

    def _formatted(self, signature: str, stamp: str) -> str:
        rule = self.verification.signature_format
        if rule.kind == "kv":
            at = self.verification.timestamp
            times = [f"{at.name}={stamp}"] if at is not None and at.place == "kv" else []
            return rule.separator.join([*times, f"{rule.keys[0]}={signature}"])
        if rule.kind == "versioned":
            return f"{rule.keys[0]},{signature}"
        return f"{rule.prefix}{signature}"

    def _placed(self, url: str, headers: dict[str, str], proof: str) -> tuple[str, dict[str, str]]:
        if self.verification.signature_header is not None:
            return url, headers | {self.verification.signature_header: proof}
        return _with_query(url, str(self.verification.signature_query), proof), headers

    def _key(self) -> bytes:
        rule = self.verification
        text = self.secret.removeprefix(rule.key_prefix)
        try:
            if rule.key_format == "hex":
                return bytes.fromhex(text)
            if rule.key_format == "base64":
                return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
        except ValueError:
            raise UnsignableError(f"its secret is not in the format {rule.key_format}") from None
        return text.encode()


def sign(  # noqa: PLR0913
    specification: PartnerSpecification,
    secret: str,
    *,
    url: str,
    content: Mapping[str, object] | bytes,
    identity: str,
    now: float,
) -> Request:
    """A POST that ``specification`` accepts. ``content`` is its body, or the fields of one in the partner's format.

    Raises:
        UnsignableError: nobody but the partner can sign it.
    """
    rule = specification.verification
    if rule is None:
        raise UnsignableError("its specification has no verification")
    if "POST" not in specification.parsing.methods:
        raise UnsignableError("its events come by GET, and this is a POST")
    scheme = next((each for each in rule.schemes if _unsignable(each, secret) is None), None)
    if scheme is None:
        raise UnsignableError(_unsignable(rule, secret) or "")
    signer = _Signer(scheme, secret, identity, now)
    body, content_type = _body(specification, content, signer)
    called, headers = signer.headers(url, body)
    request = Request("POST", called, [("content-type", content_type), *headers.items()], body)
    verdict = verify(rule, request, [secret], now)
    if verdict.valid is False:
        raise UnsignableError(f"its own verification refuses what it describes ({verdict.reason})")
    return request


def _unsignable(rule: Verification, secret: str) -> str | None:
    """Why nobody but the partner can sign by a scheme."""
    if rule.method == "sns":
        return "only SNS signs its messages"
    if rule.method == "networks" or rule.networks:
        return "its proof is the caller's address"
    if rule.asymmetric or (rule.public_key_prefix and secret.startswith(rule.public_key_prefix)):
        return "it signs with a private key, of which there is the public half only"
    return (
        "its signature is in the body, which nobody writes but the partner"
        if rule.signature_field is not None
        else None
    )


def _body(
    specification: PartnerSpecification, content: Mapping[str, object] | bytes, signer: _Signer
) -> tuple[bytes, str]:
    accepted = specification.parsing.content_types
    if specification.parsing.format == "form":
        return content if isinstance(content, bytes) else urlencode(dict(content)).encode(), FORM_TYPE
    # What a probe or an XML body is, it says itself: the type has only to be one that is accepted.
    named = [one for one in accepted if "*" not in one and one != "none"]
    preferred = [JSON_TYPE] if type_accepted(JSON_TYPE, accepted) else [one for one in named if "json" in one]
    json_type = next(iter([*preferred, *named]), JSON_TYPE)
    if isinstance(content, bytes):
        return content, json_type
    claims: dict[str, object] = dict(content)
    time = signer.verification.timestamp
    if time is not None and time.place == "claim":
        claims[time.name] = signer.stamp() if time.unit == "iso" else int(signer.stamp())
    return json.dumps(claims, separators=(",", ":")).encode(), json_type


def _with_query(url: str, name: str, value: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode({name: value})}"


def _encoded(content: bytes, encoding: str) -> str:
    if encoding == "hex":
        return content.hex()
    url = encoding.startswith("base64url")
    text = (base64.urlsafe_b64encode(content) if url else base64.b64encode(content)).decode()
    return text.rstrip("=") if encoding.endswith("-unpadded") else text


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
