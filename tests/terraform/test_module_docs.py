"""The tables in the modules' READMEs."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import module_docs
from tests.terraform.conftest import MODULES, ROOT

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
def test_readme_names_every_input_and_output(module: str) -> None:
    folder = ROOT / "modules" / module
    readme = (folder / "README.md").read_text(encoding="utf-8")
    files = [folder / "variables.tf", folder / "outputs.tf", *folder.glob("interface.*.tf")]
    declared = [block.name for file in files for block in module_docs.blocks(file)]

    assert declared != []
    assert [name for name in declared if f"`{name}`" not in readme] == []


def test_tables_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert module_docs.main(["--check"]) == 0, capsys.readouterr().out


def test_variable_becomes_a_row(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text(VARIABLES, encoding="utf-8")
    (tmp_path / "outputs.tf").write_text("", encoding="utf-8")

    rows = [line for line in module_docs.table(tmp_path).splitlines() if line.startswith("| `")]

    assert rows[1:] == ['| `name` | What it is "called". | `string` | required |']
    _, description, kind, default = rows[0].split(" | ")
    assert description == (
        "Calls let through. Either of:<br>• `rate`: per second, on average<br>• `burst`: at once \\| together<br>"
        "Defaults: `rate = 100`, `names = []`."
    )
    assert (kind, default) == ("`object`", "`{}` |")


def test_shared_input_is_named_and_explained_in_its_own_file(tmp_path: Path) -> None:
    for file in ("variables.tf", "outputs.tf"):
        (tmp_path / file).write_text("", encoding="utf-8")
    (tmp_path / "interface.throttle.tf").write_text(VARIABLES.partition("\n\nvariable")[0] + "\n", encoding="utf-8")

    rows = [line for line in module_docs.table(tmp_path).splitlines() if line.startswith("| `")]

    link = "[interface.throttle.tf](interface.throttle.tf)"
    assert rows == [f"| `throttle` | Calls let through. Either of: See {link}. | `object` | `{{}}` |"]


def test_readme_without_a_place_for_the_tables_is_an_error() -> None:
    with pytest.raises(module_docs.UnreadableError, match="no lines"):
        module_docs.with_table("# A module\n", "")
