"""The inputs that modules share: every module's copy is its source's."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import generated, module_interfaces
from tests.terraform.conftest import MODULES

SOURCE = """\
variable "function" {
  description = <<-EOT
    Size of the functions.
      memory_mb = memory
  EOT
  type = object({
    memory_mb = optional(number, 256)
    runtime   = optional(string, "python3.13")
    reserved  = optional(number)
  })
}
"""


def test_copies_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert module_interfaces.main(["--check"]) == 0, capsys.readouterr().out


def test_every_module_that_makes_something_takes_the_settings() -> None:
    assert {
        *module_interfaces.INPUTS,
        "dashboard",  # its resources take no tags, keys or roles
        "internal/event-bodies",
        "internal/hop-definitions",
        "internal/key-policy",
        "internal/partner-specifications",
    } == set(MODULES)


def test_copy_says_what_it_is_made_from_and_has_the_source() -> None:
    first, _, rest = module_interfaces.copy("function", SOURCE, {}).partition("\n\n")

    assert first == (
        "# Generated from modules/internal/interfaces/function.tf by scripts/module_interfaces.py: edit that."
    )
    assert rest == SOURCE


def test_copy_has_its_modules_own_defaults() -> None:
    copy = module_interfaces.copy("function", SOURCE, {"memory_mb": "512", "reserved": "2"})

    assert "memory_mb = optional(number, 512)\n" in copy
    assert "reserved  = optional(number, 2)\n" in copy
    assert '"python3.13"' in copy
    assert "    Size of the functions. Defaults of this module's own: `memory_mb = 512`, `reserved = 2`.\n" in copy


def test_default_of_a_field_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(module_interfaces.InterfaceError, match="0 fields memory"):
        module_interfaces.copy("function", SOURCE, {"memory": "512"})


def test_copy_that_differs_is_missing_or_has_no_user_is_stale(tmp_path: Path) -> None:
    files = {name: tmp_path / name / f"interface.{name}.tf" for name in ("same", "edited", "missing", "unused")}
    for name, file in files.items():
        file.parent.mkdir()
        if name != "missing":
            file.write_text(name, encoding="utf-8")
    wanted = {files["same"]: "same", files["edited"]: "source", files["missing"]: "source"}

    stale = generated.stale_files(module_interfaces.with_unused(tmp_path, wanted))

    assert stale == [files["edited"], files["missing"], files["unused"]]
