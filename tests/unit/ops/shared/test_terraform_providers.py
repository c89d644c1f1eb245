"""Where Terraform takes its providers from."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_events_kit.ops.shared import terraform_providers


@pytest.fixture(name="environ")
def _environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A home of its own, and a machine with nothing installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terraform_providers, "_INSTALL_ROOTS", ())
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "XDG_DATA_DIRS": str(tmp_path / "system")}


@pytest.fixture(name="unreachable", autouse=True)
def _unreachable(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A registry that does not answer; the list grows with every probe."""
    probes: list[int] = []

    def probe() -> bool:
        probes.append(1)
        return False

    monkeypatch.setattr(terraform_providers, "_probe", probe)
    return probes


def mirror(directory: Path) -> Path:
    provider = directory / "registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64"
    provider.mkdir(parents=True)
    (provider / "terraform-provider-aws_v5.100.0_x5").touch()
    return directory


def test_configuration_of_the_users_own_is_left_alone(
    environ: dict[str, str], tmp_path: Path, unreachable: list[int]
) -> None:
    own = tmp_path / "own.tfrc"
    own.touch()

    assert terraform_providers.cli_configuration(environ | {"TF_CLI_CONFIG_FILE": str(own)}) == own
    assert unreachable == []


def test_reachable_registry_is_used(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    mirror(Path(environ["HOME"]) / ".terraform.d/plugins")
    monkeypatch.setattr(terraform_providers, "_probe", lambda: True)

    assert terraform_providers.terraform_environment(environ) == {}


@pytest.mark.parametrize(
    "place",
    ["home/.terraform.d/plugins", "home/.local/share/terraform/plugins", "system/terraform/plugins", "home/tools"],
)
def test_mirror_is_found_where_the_registry_is_out_of_reach(
    environ: dict[str, str], tmp_path: Path, place: str
) -> None:
    found = mirror(tmp_path / place)

    variables = terraform_providers.terraform_environment(environ | {"TF_CLI_CONFIG_FILE": "/there/is/none.tfrc"})

    assert f'path = "{found}"' in Path(variables["TF_CLI_CONFIG_FILE"]).read_text(encoding="utf-8")


def test_packed_mirror_is_found(environ: dict[str, str]) -> None:
    provider = Path(environ["HOME"]) / "mirror/registry.terraform.io/hashicorp/aws"
    provider.mkdir(parents=True)
    (provider / "terraform-provider-aws_5.100.0_linux_amd64.zip").touch()

    assert terraform_providers.find_mirror(environ) == Path(environ["HOME"]) / "mirror"


def test_named_mirror_is_used_without_asking_the_registry(
    environ: dict[str, str], tmp_path: Path, unreachable: list[int]
) -> None:
    named = mirror(tmp_path / "named")

    configuration = terraform_providers.cli_configuration(environ | {"TF_PLUGIN_MIRROR": str(named)})

    assert configuration is not None
    assert str(named) in configuration.read_text(encoding="utf-8")
    assert unreachable == []


def test_nothing_is_decided_where_there_is_no_mirror(environ: dict[str, str]) -> None:
    assert terraform_providers.terraform_environment(environ) == {}


def test_registry_is_asked_once_in_a_while(environ: dict[str, str], unreachable: list[int]) -> None:
    assert not terraform_providers.registry_is_reachable(environ)
    assert not terraform_providers.registry_is_reachable(environ)

    assert unreachable == [1]


def test_damaged_record_of_the_registry_is_ignored(environ: dict[str, str], unreachable: list[int]) -> None:
    terraform_providers.registry_is_reachable(environ)
    (Path(environ["HOME"]) / ".cache/media-events/terraform/registry.json").write_text("{", encoding="utf-8")

    terraform_providers.registry_is_reachable(environ)

    assert unreachable == [1, 1]


def test_path_with_template_markers_is_quoted(environ: dict[str, str]) -> None:
    mirror(Path(environ["HOME"]) / "${odd}")

    configuration = terraform_providers.cli_configuration(environ)

    assert configuration is not None
    assert '/$${odd}"' in configuration.read_text(encoding="utf-8")
