"""The AWS provider's schema, as its prebuilt Python packages have it.

Their modules have a class for each resource, data source and block, with an argument for each argument. Neither they
nor their type information say which arguments are deprecated, or which values are valid.

    python scripts/provider_schema.py WHEEL > tests/data/aws_provider_schema.json

writes the schema of everything that the modules and examples use, from a wheel that `pip download --no-deps` has
fetched; `cdktn-provider-aws` is made from the newest provider. What the wheel has beyond the installed package goes to
standard error.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import terraform_source

INSTALLED: Final = "cdktf_cdktf_provider_aws"
META_ARGUMENTS: Final = {"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"}


@dataclass(slots=True)
class Block:
    """A resource, data source or nested block.

    ``arguments``: whether each is required. ``blocks``: nested ones. ``attributes``: what else can be referred to, of
    resources and data sources.
    """

    arguments: dict[str, bool] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    attributes: list[str] = field(default_factory=list)

    @classmethod
    def of_json(cls, data: Mapping[str, object]) -> Block:
        """What :func:`dataclasses.asdict` has made JSON of."""
        block = cls(**data)  # type: ignore[arg-type]
        block.blocks = {name: cls.of_json(nested) for name, nested in block.blocks.items()}  # type: ignore[arg-type]
        return block


@dataclass(frozen=True, slots=True)
class Package:
    """A prebuilt package, installed or in a wheel."""

    folder: Traversable

    @classmethod
    def installed(cls) -> Package:
        """The one that synthesis loads."""
        specification = importlib.util.find_spec(INSTALLED)
        assert specification is not None  # noqa: S101 - the tests need it as synthesis does
        assert specification.origin is not None  # noqa: S101
        return cls(Path(specification.origin).parent)

    @classmethod
    def in_wheel(cls, wheel: Path) -> Package:
        """The package in a wheel."""
        root = zipfile.Path(wheel)
        return cls(next(folder for folder in root.iterdir() if (folder / "_jsii").is_dir()))

    @property
    def version(self) -> str:
        """The version of the provider that it was made from."""
        text = (self.folder / "__init__.py").read_text(encoding="utf-8")
        found = re.search(r"provider version ([0-9.]+)$", text, re.MULTILINE)
        assert found is not None  # noqa: S101 - the first line of each package
        return found[1]

    def block(self, kind: str, name: str) -> Block | None:
        """A ``resource``, ``data`` source or the ``provider``; None where the provider has none of that name."""
        folder = {"resource": "", "data": "data_aws_", "provider": "provider"}[kind] + name.removeprefix("aws_")
        file = self.folder / ("provider" if kind == "provider" else folder) / "__init__.py"
        if not file.is_file():
            return None
        classes = {
            node.name: node
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ClassDef)
        }
        (config,) = (
            name
            for name, node in classes.items()
            if name == "AwsProviderConfig" or any("TerraformMetaArguments" in ast.unparse(base) for base in node.bases)
        )
        block = _block(config, classes)
        block.attributes = sorted(set(_properties(classes[config.removesuffix("Config")])) - block.arguments.keys())
        return block


def _block(name: str, classes: Mapping[str, ast.ClassDef]) -> Block:
    (init,) = (node for node in classes[name].body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    described = dict(re.findall(r":param (\w+): (.*)", ast.get_docstring(init) or ""))
    block = Block()
    for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True):
        if argument.arg in META_ARGUMENTS:
            continue
        found = re.search(r"#(\w+) \w+#\w+\}", described.get(argument.arg, ""))
        terraform_name = found[1] if found else argument.arg
        if not described.get(argument.arg, "").startswith(f"{terraform_name} block."):
            block.arguments[terraform_name] = default is None
            continue
        nested = re.findall(r"[A-Z]\w+", ast.unparse(argument.annotation) if argument.annotation else "")
        kinds = {candidate for candidate in nested if candidate in classes}
        if not kinds:
            # A statement of a web ACL has no class.
            block.arguments[terraform_name] = default is None
            continue
        (kind,) = kinds
        block.blocks[terraform_name] = _block(kind, classes) if kind != name else block
    return block


def _properties(node: ast.ClassDef) -> Iterator[str]:
    for member in node.body:
        if not isinstance(member, ast.FunctionDef) or member.name == "TF_RESOURCE_TYPE":
            continue
        if any("property" in ast.unparse(d) for d in member.decorator_list) and not member.name.endswith("_input"):
            yield member.name


def main() -> int:
    """Print the schema of a wheel for what is used here."""
    wheel, installed = Package.in_wheel(Path(sys.argv[1])), Package.installed()
    schema: dict[str, object] = {"version": wheel.version}
    for kind, name in sorted({(use.kind, use.type) for use in terraform_source.uses()}):
        block = wheel.block(kind, name)
        if block is None:
            print(f"{kind} {name}: not there", file=sys.stderr)
            continue
        schema[f"{kind} {name}"] = asdict(block)
        older = installed.block(kind, name) or Block()
        new = sorted({*block.arguments, *block.blocks} - {*older.arguments, *older.blocks})
        if new:
            print(f"{kind} {name}: new since {installed.version}: {', '.join(new)}", file=sys.stderr)
    print("{" + ",\n".join(f"{json.dumps(name)}: {json.dumps(block)}" for name, block in schema.items()) + "}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
