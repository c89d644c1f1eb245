"""Write the inputs that modules share into each module that has them, from `modules/internal/interfaces`.

    scripts/module_interfaces.py            write them
    scripts/module_interfaces.py --check    exit 1, naming the files that are out of date

Terraform has no way to share a variable's type, so each module has a copy: `interface.<object>.tf`. A module whose
defaults are its own says so in `DEFAULTS`; the copy then has them in its type, and names them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import generated  # it needs the path above

MODULES: Final = Path(__file__).resolve().parent.parent / "modules"
INTERFACES: Final = Path("internal/interfaces")

_QUEUE: Final = "function queue failure"
_OPTIONS: Final = "environment layers description policy_statements"
_INGRESS: Final = f"{_QUEUE} bus_arn max_entry_bytes idempotency_table"
_SOURCES: Final = "fifo senders existing_queue existing_dlq allowed_topic_arns allowed_rule_arns"
_MESSAGES: Final = f"{_INGRESS} senders partner specification"

INPUTS: Final[Mapping[str, Sequence[str]]] = {
    module: ["settings", *names.split()]
    for module, names in {
        "bus-custom": f"{_QUEUE} max_entry_bytes idempotency_table archive rule_retry",
        "bus-partner": f"{_INGRESS} archive rule_retry existing_dlq",
        "dlq-review": "function",
        "ingress-apigw": "existing_dlq function failure bus_arn max_entry_bytes",
        "ingress-sns-fifo": f"{_MESSAGES} existing_dlq",
        "ingress-sqs": f"{_MESSAGES} existing_queue existing_dlq fifo",
        "router": _QUEUE,
        "state-machine": "policy_statements",
        "task-callbacks": "function",
        "internal/alarms": "",
        "internal/bus-dead-letters": "failure",
        "internal/bus-ingress": f"{_INGRESS} rule_retry existing_dlq",
        "internal/cloudfront": "",
        "internal/hop-function": f"{_QUEUE} {_OPTIONS} hop configuration {_SOURCES}",
        "internal/lambda-function": f"function handler {_OPTIONS}",
        "internal/lambda-package": "",
        "internal/queue-ingress": f"{_INGRESS} {_SOURCES}",
        "internal/storage-bucket": "",
    }.items()
}
"""The shared inputs of each module."""

DEFAULTS: Final[Mapping[tuple[str, str], Mapping[str, str]]] = {
    ("ingress-apigw", "function"): {"memory_mb": "512", "timeout_seconds": "20"},
    ("dlq-review", "function"): {"timeout_seconds": "60"},
}
"""Defaults that differ from the source's, by module and object: a field and its default, in HCL."""


class InterfaceError(Exception):
    """A default is given for a field that the object does not have."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the copies."""
    description = "Write the inputs that modules share into each of them."
    return generated.main("module_interfaces.py", description, lambda: with_unused(MODULES, copies(MODULES)), arguments)


def with_unused(modules: Path, wanted: Mapping[Path, str]) -> dict[Path, str | None]:
    """``wanted``, and ``None`` for files that are named like copies and belong to no module that has one."""
    return {**dict.fromkeys(modules.glob("**/interface.*.tf")), **wanted}


def copies(modules: Path) -> dict[Path, str]:
    """The text of every copy, by its file."""
    sources = {file.stem: file.read_text(encoding="utf-8") for file in (modules / INTERFACES).glob("*.tf")}
    return {
        modules / module / f"interface.{name}.tf": copy(name, sources[name], DEFAULTS.get((module, name), {}))
        for module, names in INPUTS.items()
        for name in names
    }


def copy(name: str, source: str, defaults: Mapping[str, str]) -> str:
    """One module's copy of an object's source, with the module's own defaults.

    Raises:
        InterfaceError: the source has no field, or several fields, of a default's name.
    """
    for field, default in defaults.items():
        source, count = re.subn(
            rf"^(    {field} += optional\([a-z]+)(?:, [^()]*)?\)$", rf"\g<1>, {default})", source, flags=re.MULTILINE
        )
        if count != 1:
            raise InterfaceError(f"{name} has {count} fields {field}, so it can't have the default {default}")
    if defaults:
        listed = ", ".join(f"`{field} = {default}`" for field, default in defaults.items())
        source = re.sub(
            r"(  description = <<-EOT\n[^\n]+)", rf"\g<1> Defaults of this module's own: {listed}.", source, count=1
        )
    origin = f"modules/{INTERFACES.as_posix()}/{name}.tf"
    return f"# Generated from {origin} by scripts/module_interfaces.py: edit that.\n\n{source}"


if __name__ == "__main__":
    sys.exit(main())
