"""The events of the demonstration, in the order in which they are sent, and where each of them must arrive."""

from __future__ import annotations

import json
import uuid
from typing import Final

from ops.demo.fake_systems import SIGNED, TRANSCODER
from ops.demo.senders import PAYLOADS
from ops.demo.tracker import Expectation
from ops.demo.watcher import RESUMED

BROKEN: Final = "review-tool"
"""The system that is down at first."""
INGEST: Final = "ingest"
PLANNING: Final = "planning"
LAKE: Final = "lake"

PRESETS: Final = {"mux": "mux", "frameio": "frameio-v4", "transcoder": "standard-webhooks"}
"""The partners that call, and how each signs."""


def _expect(label: str, partner: str, payload: str | None, kind: str, *destinations: str) -> Expectation:
    return Expectation(label, partner, payload, kind, frozenset({*destinations, LAKE}))


ANNOUNCED: Final = (
    _expect("Mux: asset created", "mux", "mux-video.asset.created", "asset.created", PLANNING),
    _expect("Frame.io: upload completed", "frameio", "frameio-v4-file.upload.completed", "upload.completed", PLANNING),
)
READY: Final = (
    _expect("Mux: asset ready", "mux", "mux-video.asset.ready", "asset.ready", SIGNED, INGEST, PLANNING),
    _expect("Frame.io: file ready", "frameio", "frameio-v4-file.ready", "asset.ready", SIGNED, INGEST, PLANNING),
)
COMMENT: Final = _expect("Frame.io: comment", "frameio", "frameio-v4-comment.created", "comment.created", BROKEN)
TOLD: Final = (
    _expect("Ingest: Mux's asset published", "ingest", None, "asset.published", SIGNED),
    _expect("Ingest: transcode ordered", "ingest", None, "transcode.ordered", TRANSCODER),
)
"""What the workflow tells by itself, as soon as assets are ready."""
DONE: Final = (
    _expect("Transcoder: job completed", "transcoder", None, "encode.completed", RESUMED),
    _expect("Ingest: Frame.io's file published", "ingest", None, "asset.published", SIGNED),
)
"""What comes of the transcode, once the transcoder has done it."""

EXPECTATIONS: Final = (*ANNOUNCED, *READY, COMMENT, *TOLD, *DONE)


def fresh(payload: str, subject: str | None = None) -> bytes:
    """A payload as of now, about something that has not been heard of: the ledger rightly knows the last run's.

    ``subject`` is the asset's or file's id; the next event about it is given the same one. Mux gives every event an id
    of its own besides. Frame.io doesn't; there, another file or comment makes another event.
    """
    document = json.loads((PAYLOADS / f"{payload}.json").read_bytes())
    if "resource" in document:
        document["resource"]["id"] = subject or str(uuid.uuid4())
    else:
        document["id"] = str(uuid.uuid4())
        if subject is not None:
            document["object"]["id"] = document["data"]["id"] = subject
    return json.dumps(document, separators=(",", ":")).encode()
