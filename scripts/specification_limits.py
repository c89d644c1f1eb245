"""Write what Terraform checks of a specification while it plans: the names of presets, and the keys that there are.

scripts/specification_limits.py            write modules/internal/limits/specification.json
scripts/specification_limits.py --check    exit 1 if it is out of date
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]

from media_events.partners.presets import preset_names  # noqa: E402  # these need the path above
from media_events_kit.ops.partner.specification_schema import schema  # noqa: E402
from scripts import generated  # noqa: E402

LIMITS: Final = ROOT / "modules" / "internal" / "limits" / "specification.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file."""
    description = "Write the presets and keys of a specification, for the modules."
    return generated.main("specification_limits.py", description, lambda: {LIMITS: rendered()}, arguments)


def rendered() -> str:
    """The file's text."""
    limits = {"presets": sorted(preset_names()), "keys": sorted(schema()["properties"])}
    return json.dumps(limits, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
