"""The events of the demonstration, in the order of sending, and where each must arrive."""

from __future__ import annotations

import json
import uuid
from typing import Final

from media_events_kit.ops.demo.fake_systems import SIGNED, TRANSCODER
from media_events_kit.ops.demo.tracker import Expectation
from media_events_kit.ops.demo.watcher import RESUMED
from media_events_kit.ops.send.samples import SAMPLES

BROKEN: Final = "review-tool"
"""The system that is down at first."""
INGEST: Final = "ingest"
PLANNING: Final = "planning"
LAKE: Final = "lake"

PRESETS: Final = {"mux": "mux", "frameio": "frameio-v4", "transcoder": "standard-webhooks"}
"""The partners that call, and the preset of each."""


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
FROM_INGEST: Final = (
    _expect("Ingest: Mux's asset published", "ingest", None, "asset.published", SIGNED),
    _expect("Ingest: transcode ordered", "ingest", None, "transcode.ordered", TRANSCODER),
)
"""The ingest workflow sends these as soon as assets are ready."""
DONE: Final = (
    _expect("Transcoder: job completed", "transcoder", None, "encode.completed", RESUMED),
    _expect("Ingest: Frame.io's file published", "ingest", None, "asset.published", SIGNED),
)
"""These follow when the transcode is done."""

EXPECTATIONS: Final = (*ANNOUNCED, *READY, COMMENT, *FROM_INGEST, *DONE)


def fresh(payload: str, subject: str | None = None) -> bytes:
    """A payload that is no duplicate of the last run's.

    ``subject`` is the id of the asset or file, the same for later events about it. Mux also gives every event an id of
    its own. Frame.io does not: there, another file or comment makes another event.
    """
    document = json.loads((SAMPLES / f"{payload}.json").read_bytes())
    if "resource" in document:
        document["resource"]["id"] = subject or str(uuid.uuid4())
    else:
        document["id"] = str(uuid.uuid4())
        if subject is not None:
            document["object"]["id"] = document["data"]["id"] = subject
    return json.dumps(document, separators=(",", ":")).encode()
