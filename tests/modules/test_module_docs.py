"""The tables in the modules' READMEs."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import module_docs
from tests.modules.conftest import MODULES, ROOT

VARIABLES = """\
variable "throttle" {
  description = <<-EOT
    Calls let through. Either of:
      rate  = per second,
              on average
      burst = at once | together
  EOT
  type = object({
    rate  = optional(number, 100)
    names = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = var.throttle.rate > 0
    error_message = "rate must be above 0."
  }
}

variable "name" {
  description = "What it is \\"called\\"."
  type        = string
}
"""


@pytest.mark.parametrize("module", MODULES)
def test_readme_lists_the_inputs_and_outputs_as_they_are(module: str) -> None:
    readme = (ROOT / "modules" / module / "README.md").read_text(encoding="utf-8")

    assert module_docs.with_table(readme, module_docs.table(ROOT / "modules" / module)) == readme


def test_variable_becomes_a_row(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text(VARIABLES, encoding="utf-8")
    (tmp_path / "outputs.tf").write_text("", encoding="utf-8")

    rows = [line for line in module_docs.table(tmp_path).splitlines() if line.startswith("| `")]

    assert rows == [
        "| `throttle` | Calls let through. Either of:<br>• `rate`: per second, on average<br>• `burst`: at once \\| together"
        "<br>Defaults: `rate = 100`, `names = []`. | `object` | `{}` |",
        '| `name` | What it is "called". | `string` | required |',
    ]


def test_readme_without_a_place_for_the_tables_is_an_error() -> None:
    with pytest.raises(module_docs.UnreadableError, match="no lines"):
        module_docs.with_table("# A module\n", "")
