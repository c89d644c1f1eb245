"""A partner's secrets while they are rotated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from media_events.core.value_classes import dataclass

DAY_SECONDS: Final = 86_400
DEFAULT_PREVIOUS_SECONDS: Final = DAY_SECONDS
MAX_PREVIOUS_SECONDS: Final = 30 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class PartnerSecrets:
    """``accepted`` secrets, current ones first; ``outdated`` ones are only recognised, to tell of their use."""

    accepted: Sequence[str] = ()
    outdated: Sequence[str] = ()
