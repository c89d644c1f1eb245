"""The modules from another repository: by a git source, into a root with nothing but the AWS provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terraform.conftest import EXAMPLES, PUBLIC_MODULES, ROOT, Terraform, from_git, resources_in


def test_every_public_module_has_an_example() -> None:
    assert [module for module in PUBLIC_MODULES if module not in EXAMPLES] == []


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_example_shows_its_module(module: str) -> None:
    assert f'"../../modules/{module}"' in (ROOT / "examples" / module / "main.tf").read_text(encoding="utf-8")


@pytest.mark.terraform
@pytest.mark.parametrize("example", EXAMPLES)
def test_example_plans_offline_with_modules_from_git(
    example: str, terraform: Terraform, clone: Path, tmp_path: Path
) -> None:
    for file in (clone / "examples" / example).glob("*.tf"):
        (tmp_path / file.name).write_text(from_git(file.read_text(encoding="utf-8"), clone), encoding="utf-8")
    assert "git::file://" in (tmp_path / "main.tf").read_text(encoding="utf-8")

    plan = terraform.plan(tmp_path)

    providers = {change["provider_name"] for change in plan["resource_changes"]}
    assert providers - {"terraform.io/builtin/terraform"} == {"registry.terraform.io/hashicorp/aws"}
    assert {tuple(change["change"]["actions"]) for change in plan["resource_changes"]} <= {("create",), ("read",)}
    root = plan["planned_values"]["root_module"]
    functions = list(resources_in(root, "aws_lambda_function"))
    uploads = {each["key"]: each["source"] for each in resources_in(root, "aws_s3_object") if each["source"]}
    for zip_file in [function["filename"] or uploads[function["s3_key"]] for function in functions]:
        # The zip came along with the module's source.
        assert (tmp_path / zip_file).resolve().is_relative_to(tmp_path / ".terraform" / "modules")
    assert all(function["source_code_hash"] for function in functions)
