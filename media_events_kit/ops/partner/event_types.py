"""The partners' own types that map to the neutral vocabulary of event types."""

from __future__ import annotations

from media_events.partners.neutral_types import VOCABULARY
from media_events.partners.presets import preset_names
from media_events.partners.specification import parse_specification


def natives() -> dict[str, list[tuple[str, str]]]:
    """The presets and their own types for each neutral type, in the presets' order."""
    by_type: dict[str, list[tuple[str, str]]] = {name: [] for name in VOCABULARY}
    for preset in preset_names():
        for native, neutral in parse_specification({"preset": preset}).types.items():
            by_type.setdefault(neutral, []).append((preset, native))
    return by_type


def types_table() -> str:
    """The vocabulary as a Markdown table."""
    lines = ["| type | means | from |", "|---|---|---|"]
    for neutral, pairs in natives().items():
        by_partner: dict[str, list[str]] = {}
        for preset, native in pairs:
            by_partner.setdefault(preset, []).append(f"`{native}`")
        origins = "; ".join(f"{preset}: {', '.join(words)}" for preset, words in by_partner.items())
        lines.append(f"| `{neutral}` | {VOCABULARY.get(neutral, '')} | {origins} |")
    return "\n".join(lines)
