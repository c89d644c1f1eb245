"""The presets that ship: one TOML file each, named after the partner."""

from __future__ import annotations

from importlib import resources
from typing import Any, Final

_SUFFIX: Final = ".toml"


def preset_names() -> tuple[str, ...]:
    """The name of every preset, sorted."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def load_preset(name: str) -> dict[str, Any]:
    """A preset as its file holds it.

    Raises:
        KeyError: there is no such preset.
    """
    import tomllib  # noqa: PLC0415 - a specification without a preset needs no TOML

    if name not in preset_names():
        raise KeyError(name)
    return tomllib.loads(preset_text(name))


def preset_text(name: str) -> str:
    """A preset's file, comments included."""
    return resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")
