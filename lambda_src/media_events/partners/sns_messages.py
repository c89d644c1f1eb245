"""Messages of an SNS topic over HTTPS: their signature, and the confirmation of a subscription.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html and, for the signed text,
…/sns-verify-signature-of-message-verify-message-signature.html . Anybody with an AWS account can make SNS sign, so only
configured topics count, and the certificate comes from their own region's host, over TLS, which proves its origin.
SNS leaves message attributes unsigned, so they are dropped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from media_events.core.deferred import pattern
from media_events.core.failures import PermanentDataError
from media_events.core.json_fields import mapping
from media_events.core.value_classes import dataclass
from media_events.partners.body_parsing import MAX_UNPROVED_VALUES, parse_json
from media_events.partners.key_sources import KeyRequest
from media_events.partners.proof_parts import Claim, Key, RefusedError, Request, check_time, decode_base64
from media_events.partners.public_key_signatures import rsa_valid
from media_events.partners.public_keys import parse_certificate
from media_events.partners.signature_schemes import TOPIC_ARN, Timestamp, Verification

MAX_SNS_BYTES: Final = 655_360
"""A message has 256 KiB at most, twice as much if every character is escaped in the JSON, and its frame."""

NOTIFICATION: Final = "Notification"
CONFIRMATION: Final = "SubscriptionConfirmation"
_SIGNED: Final = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        (CONFIRMATION, "UnsubscribeConfirmation"),
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
_HASHES: Final = {"1": "sha1", "2": "sha256"}
_CERTIFICATE_PATH: Final = pattern(r"/SimpleNotificationService-[0-9A-Za-z]{1,128}\.pem")
_SIGNED_AT: Final = Timestamp(place="body", name="body.Timestamp", unit="iso")
_ATTRIBUTES: Final = ("MessageId", "TopicArn", "Subject", "Timestamp")


@dataclass(frozen=True, slots=True)
class SnsMessage:
    """A verified message: its body and the signed attributes, or the URL that confirms the subscription."""

    kind: str
    body: bytes
    attributes: Mapping[str, str]
    confirmation_url: str | None = None


def sns_claim(verification: Verification, request: Request, now: float) -> Claim:
    """The claim of an SNS message's signature, version 1 or 2."""
    message = _parsed(request.body)
    topic, kind = message.get("TopicArn"), message.get("Type")
    if not isinstance(topic, str) or topic not in verification.topics:
        raise RefusedError("topic-not-allowed")
    if not isinstance(kind, str) or kind not in _SIGNED:
        raise RefusedError("sns-message-malformed")
    algorithm, text = _HASHES.get(str(message.get("SignatureVersion"))), message.get("Signature")
    signature = decode_base64(text) if isinstance(text, str) else None
    if algorithm is None or signature is None:
        raise RefusedError("signature-malformed")
    check_time(verification, _SIGNED_AT, message.get("Timestamp"), now)
    wanted = KeyRequest("pem", _certificate_url(message.get("SigningCertURL"), topic))
    digest = hashlib.new(algorithm, _signed_text(message, kind)).digest()
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d%H%M%SZ")

    def proves(key: Key) -> bool:
        in_time = key.valid is not None and key.valid[0] <= moment <= key.valid[1]
        return key.public is not None and in_time and rsa_valid(key.public, signature, digest, algorithm)

    return Claim(proves, "signature-mismatch", key_request=wanted)


def sns_key(text: str) -> Key | None:
    """The key of a certificate, with its times."""
    certificate = parse_certificate(text)
    if certificate is None or certificate.key is None:
        return None
    return Key(public=certificate.key, valid=(certificate.not_before, certificate.not_after))


def read_sns(body: bytes) -> SnsMessage:
    """A verified message. The URL is made of its topic and token; the one in the message is not followed.

    Raises:
        PermanentDataError: ``sns-message-malformed``.
    """
    try:
        message = _parsed(body)
    except RefusedError as refused:
        raise PermanentDataError(refused.reason, "the body is no message of SNS") from None
    texts = {name: value for name, value in message.items() if isinstance(value, str)}
    attributes: dict[str, str] = {name: texts[name] for name in _ATTRIBUTES if name in texts}
    topic, kind = texts.get("TopicArn", ""), texts.get("Type", "")
    url = None
    if kind == CONFIRMATION:
        query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": texts.get("Token", "")})
        url = f"https://{_host(topic)}/?{query}"
    return SnsMessage(kind, texts.get("Message", "").encode("utf-8", "surrogatepass"), attributes, url)


def rewrap_sns(body: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A message with another body, and of its frame only what an event is made of."""
    message = read_sns(body)
    document = {"Type": message.kind, **message.attributes, "Message": change(message.body).decode("utf-8", "replace")}
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _parsed(body: bytes) -> Mapping[str, Any]:
    if len(body) > MAX_SNS_BYTES:
        raise RefusedError("signed-document-too-large")
    try:
        return mapping(parse_json(body, most=MAX_UNPROVED_VALUES))
    except PermanentDataError:
        raise RefusedError("sns-message-malformed") from None


def _signed_text(message: Mapping[str, Any], kind: str) -> bytes:
    lines = []
    for name in _SIGNED[kind]:
        value = message.get(name)
        if isinstance(value, str):
            lines.append(f"{name}\n{value}\n")
        elif value is not None or name != "Subject":
            raise RefusedError("sns-message-malformed")
    return "".join(lines).encode("utf-8", "surrogatepass")


def _certificate_url(url: Any, topic: str) -> str:
    origin = f"https://{_host(topic)}"
    if (
        not isinstance(url, str)
        or not url.startswith(origin + "/")
        or not _CERTIFICATE_PATH.fullmatch(url.removeprefix(origin))
    ):
        raise RefusedError("certificate-url-not-allowed")
    return url


def _host(topic: str) -> str:
    """The endpoint of SNS in a topic's region.

    https://docs.aws.amazon.com/general/latest/gr/sns.html ; in China amazonaws.com.cn.
    """
    match = TOPIC_ARN.fullmatch(topic)
    if match is None:
        raise PermanentDataError("sns-message-malformed", "the topic is no ARN")
    return f"sns.{match['region']}.amazonaws.com" + (".cn" if match["partition"] == "aws-cn" else "")
