"""Every module's own `terraform test` cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terraform.conftest import MODULES, ROOT, Terraform

# One by one: the router's together would take as long as many others, on one CPU.
CASES = [
    pytest.param(module, f"tests/{file.name}", id=f"{module}-{file.name.partition('.')[0]}")
    for module in MODULES
    for file in sorted((ROOT / "modules" / module).glob("tests/*.tftest.hcl"))
]


@pytest.mark.terraform
@pytest.mark.parametrize(("module", "file"), CASES)
def test_module_passes_its_own_terraform_tests(
    module: str, file: str, terraform: Terraform, working_copy: Path
) -> None:
    folder = working_copy / "modules" / module
    terraform.init(folder)

    said = terraform.run(folder, "test", "-no-color", f"-filter={file}")

    # Terraform is content with a module that has no test at all.
    assert "Success!" in said
    assert " 0 passed" not in said


@pytest.mark.parametrize("module", MODULES)
def test_module_has_the_files_that_every_module_has(module: str) -> None:
    folder = ROOT / "modules" / module
    missing = [
        name
        for name in ("main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md")
        if not (folder / name).exists()
    ]
    assert missing == []
    assert list(folder.glob("tests/*.tftest.hcl")) != []
