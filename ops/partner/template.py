"""The commented specification that `media-events partner new` writes."""

from __future__ import annotations

import re
from typing import Final

PARTNER_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

_FROM_PRESET: Final = """\
# {name}: what differs from the preset {preset} (`media-events partner show {preset}` prints it whole).
# Tables such as types and verification are merged with the preset's; everything else replaces it; null removes.
preset: {preset}
title: {title}

# types:
#   their.native.type: asset.ready
"""

_FROM_NOTHING: Final = """\
# {name}: how this partner's events are verified and read. docs/reference/partner-specification.md describes every field.
# Try it on one of their events, without AWS:
#   media-events partner check {name}.yaml --body event.json --header 'X-Signature: …' --secret …
title: {title}
description: What this partner sends

# Who may send. Leave it out where the events come by a queue or a bus.
verification:
  # hmac, digest, ed25519, static_token, jwt_body, basic, none (which lets anybody in, and needs allow_unverified: true)
  method: hmac
  # sha1, sha256, sha384, sha512
  algorithm: sha256
  # hex, base64
  encoding: hex
  signature_header: x-signature
  # raw, prefix:<text>, {{kind: kv, separator: ",", keys: [v1]}}, {{kind: versioned, separator: " ", keys: [v1]}}
  signature_format: raw
  # What is signed: {{timestamp}} {{id}} {{body}} {{secret}} {{url}} {{sorted_form}} and text between them.
  content: "{{body}}"
  # Where the signed time is, which keeps recordings from being played again; then content is {{timestamp}}.{{body}}
  # timestamp: header:x-timestamp
  # tolerance_seconds: 300

# Where things are: a JMESPath over {{body, document, headers, attributes, envelope}}, or a table with one of
# path, header, constant, concat, hash, first.

# The partner's own id of the event, the same on every attempt. Without one, a hash of what makes the event:
#   id: {{hash: [body.asset.id, body.status, body.updated_at]}}
id: body.id

# What the partner calls it, and what everybody calls it (docs/reference/event-types.md has the words).
type: body.type
types:
  their.asset.ready: asset.ready

# When it happened: ISO 8601, or epoch seconds or milliseconds. Left out: when it was received.
time: body.created_at

# The asset or job that it is about. Events of one subject keep their order.
subject: body.asset.id

# Texts that sort within one subject, where the partner counts: {{path: body.version, pad: left, width: 20}}
# sequence: body.version

# Your own id of the asset, where the partner carries it for you.
# correlationid: body.external_id

# Credentials in the body, which nobody is to see.
# redact: [data.upload_token, "**.auth_token"]

# What to answer. Some senders retry a 4xx for days, some disable an endpoint after a few.
# answers: {{unprocessable: 202, unauthenticated: 401}}
"""


def template(name: str, preset: str | None) -> str:
    """The text of a new specification."""
    text = _FROM_NOTHING if preset is None else _FROM_PRESET
    return text.format(name=name, preset=preset, title=name.replace("-", " ").title())
