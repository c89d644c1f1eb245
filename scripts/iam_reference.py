"""Write docs/reference/iam.md from a plan of the modules' roles and policies.

    scripts/iam_reference.py            write it
    scripts/iam_reference.py --check    exit 1 if it is out of date

A statement's reason stands in ``scripts/reference/iam_why.json``, by its Sid.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "lambda_src")]

from scripts import generated, reference_docs  # noqa: E402  # these need the path above
from scripts.reference import iam  # noqa: E402
from tests import aws_provider  # noqa: E402
from tests.terraform.conftest import GENERATED, Terraform  # noqa: E402
from tests.terraform.resolved_plan import resolve  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page."""
    return generated.main("iam_reference.py", "Write docs/reference/iam.md.", _pages, arguments)


def _pages() -> dict[Path, str | None]:
    with tempfile.TemporaryDirectory(prefix="media-events-iam-") as folder:
        copy = Path(folder)
        for part in ("modules", "lambda_src/dist"):
            shutil.copytree(ROOT / part, copy / part, ignore=GENERATED)
        root = copy / "roots" / "iam"
        root.mkdir(parents=True)
        (root / "main.tf.json").write_text(json.dumps(iam.root(), indent=2), encoding="utf-8")
        plan = resolve(Terraform(aws_provider.served_environment()), root)
    aws_provider.end()
    return {
        reference_docs.PLANNED: reference_docs.with_parts(
            reference_docs.PLANNED.read_text(encoding="utf-8"), {"roles and policies": lambda: iam.page(plan)}
        )
    }


if __name__ == "__main__":
    sys.exit(main())
