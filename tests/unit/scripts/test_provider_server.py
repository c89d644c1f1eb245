"""The AWS provider as a server, with programs in the places of Terraform and the provider."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.provider_server import ProviderServerError, provider_server

PLACE = ".terraform/providers/registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64"
STARTS = """echo $$ >"$HOME/pid"; echo "TF_REATTACH_PROVIDERS='{}'"; exec sleep 600"""
FAILS = "echo no room left >&2; exit 1"


def program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture(name="environment")
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    program(tmp_path / "bin" / "terraform", f'mkdir -p {PLACE}; cp "$HOME/provider" {PLACE}/terraform-provider-aws_v5')
    (tmp_path / "root").mkdir()
    return {"PATH": path, "HOME": str(tmp_path)}


def test_terraform_gets_the_servers_address_and_the_server_ends_with_its_use(
    environment: dict[str, str], tmp_path: Path
) -> None:
    program(tmp_path / "provider", STARTS)

    with provider_server(environment, tmp_path / "root") as variables:
        server = int((tmp_path / "pid").read_text(encoding="utf-8"))
        os.kill(server, 0)

    assert variables == {"TF_REATTACH_PROVIDERS": "{}"}
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)


def test_provider_that_does_not_start_is_told_of_in_its_words(environment: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "provider", FAILS)

    with pytest.raises(ProviderServerError, match="no room left"), provider_server(environment, tmp_path / "root"):
        pass


def test_terraform_that_fails_is_told_of_in_its_words(environment: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin" / "terraform", FAILS)

    with pytest.raises(ProviderServerError, match="no room left"), provider_server(environment, tmp_path / "root"):
        pass
