"""Where Terraform takes the modules from."""

from __future__ import annotations

import os
from pathlib import Path

from media_events_kit.infra.model.workflow import ModulePackage
from media_events_kit.kit_files import KIT


def relative_path(path: Path, folder: Path) -> str:
    """`path` as seen from `folder`, where Terraform runs, so that what is synthesised holds no machine's paths.

    Terraform copies a module of an absolute path away from its surroundings, where it finds the functions' code
    (https://developer.hashicorp.com/terraform/language/modules/sources#local-paths).
    """
    relative = Path(os.path.relpath(path, folder)).as_posix()
    return relative if relative.startswith(".") else f"./{relative}"


def module_source(name: str, package: ModulePackage | None, folder: Path) -> str:
    """The source of the module `name`: in `package`, or without one the kit's own copy, as seen from `folder`."""
    if package is None:
        return relative_path(KIT / "modules" / name, folder)
    source = f"{package.source}//modules/{name}"
    return source if package.ref is None else f"{source}?ref={package.ref}"
