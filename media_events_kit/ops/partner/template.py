"""The commented specification that `media-events partner new` writes."""

from __future__ import annotations

import re
from typing import Final

PARTNER_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

_FROM_PRESET: Final = """\
# {name}: the differences from the preset {preset} (`media-events partner show {preset}` prints it).
# Tables such as types and verification are merged with the preset's. Other values replace it; null removes it.
preset: {preset}
title: {title}

# types:
#   their.native.type: asset.ready
"""

_FROM_NOTHING: Final = """\
# {name}: how this partner's events are verified and read (docs/reference/partner-specification.md).
# Try it on one of its events, without AWS:
#   media-events partner check {name}.yaml --body event.json --header 'X-Signature: …' --secret …
title: {title}
description: The events of this partner

# Authenticates the sender. Leave it out where the events come from a queue or a bus.
verification:
  # hmac, digest, ed25519, rsa, ecdsa, http_signature, jwt, jwt_body, sns, static_token, basic, networks, or none
  # (accepts anybody, and needs allow_unverified: true)
  method: hmac
  # sha1, sha256, sha384, sha512
  algorithm: sha256
  # hex, base64, base64-unpadded, base64url, base64url-unpadded
  encoding: hex
  signature_header: x-signature
  # raw, prefix:<text>, {{kind: kv, separator: ",", keys: [v1]}}, {{kind: versioned, separator: " ", keys: [v1]}}
  signature_format: raw
  # The signed content: {{timestamp}} {{id}} {{body}} {{secret}} {{url}} {{sorted_form}} and text between them.
  content: "{{body}}"
  # The signed time, which makes recorded requests useless later; content is then {{timestamp}}.{{body}}
  # timestamp: header:x-timestamp
  # tolerance_seconds: 300

# Values are a JMESPath over {{body, document, headers, query, attributes, envelope}}, or a table with one of
# path, header, constant, concat, hash, first.

# The body is JSON unless you say so: form, json-or-form, xml, multipart, jwt, query (a GET with everything in the URL).
# Functions read what is wrapped: parse_json(), parse_xml(), base64_decode(), url_decode().
# parsing: {{format: form, unwrap: parse_json(body.payload)}}

# The partner's own id of the event, the same on every attempt. Without one, a hash of the identifying fields:
#   id: {{hash: [body.asset.id, body.status, body.updated_at]}}
id: body.id

# The partner's type, and the neutral type (docs/reference/event-types.md has the words).
type: body.type
types:
  their.asset.ready: asset.ready

# Its time: ISO 8601, RFC 2822 or epoch. Without it: the time of receipt.
time: body.created_at

# The asset or job that it is about. Events of one subject keep their order.
subject: body.asset.id

# Text that sorts the events of one subject, where the partner counts: {{path: body.version, pad: left, width: 20}}
# sequence: body.version

# Your own id of the asset, where the partner has it.
# correlationid: body.external_id

# Credentials in the body, which are removed.
# redact: [body.data.upload_token, "body.**.auth_token", headers.x-token]

# Status codes of answers. Some senders retry a 4xx for days, some disable an endpoint after a few.
# answers: {{unprocessable: 202, unauthenticated: 401}}
"""


def template(name: str, preset: str | None) -> str:
    """The text of a new specification."""
    text = _FROM_NOTHING if preset is None else _FROM_PRESET
    return text.format(name=name, preset=preset, title=name.replace("-", " ").title())
