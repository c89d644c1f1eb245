"""Write the typed constructs of the package `media_events_cdktf` from the modules' variables and outputs.

scripts/cdktf_constructs.py            write media_events_cdktf/inputs.py and media_events_cdktf/modules.py
scripts/cdktf_constructs.py --check    exit 1, naming the files that are out of date
"""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import generated, module_docs  # they need the path above
from scripts.terraform_types import Input, Type, inputs_of, without_optional

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = ROOT / "media_events_cdktf"
RUFF: Final = Path(sys.executable).with_name("ruff")
INTERNAL: Final = ("internal/lambda-package", "internal/storage-bucket")
"""Building blocks that a root may use by itself: the code, and the bucket, that all modules share."""

_HEADER: Final = (
    '"""{summary}\n\nGenerated from the Terraform modules by scripts/cdktf_constructs.py: edit those.\n"""\n'
)
_INPUTS_IMPORTS: Final = """from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from media_events_cdktf.module import Reference
"""
_MODULES_IMPORTS: Final = """from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from media_events_cdktf import inputs
from media_events_cdktf.module import Module, Reference
from media_events_kit.infra.stacks.cdk import Construct
"""
_PRIMITIVES: Final = {"any": "Any", "bool": "bool", "number": "float", "string": "str"}
_TEXT_OUTPUT: Final = re.compile(r"(^|_)(arn|url|name|id|endpoint|policy)$")
"""Outputs that are one text, by their names; the others are maps and objects."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the package's generated files."""
    description = "Write the typed constructs of media_events_cdktf."
    return generated.main("cdktf_constructs.py", description, _texts, arguments)


def modules() -> list[str]:
    """The modules that have a construct."""
    public = sorted(file.parent.name for file in module_docs.MODULES.glob("*/main.tf"))
    return [*public, *INTERNAL]


def class_name(module: str) -> str:
    """The name of a module's construct."""
    return _camel(module.removeprefix("internal/"))


def _texts() -> dict[Path, str | None]:
    inputs = {module: inputs_of(module) for module in modules()}
    return {
        PACKAGE / "inputs.py": _formatted(_inputs(inputs)),
        PACKAGE / "modules.py": _formatted(_constructs(inputs)),
    }


def _inputs(modules: Mapping[str, Mapping[str, Input]]) -> str:
    """The types of the inputs that are objects; a type that modules share stands there once."""
    classes: dict[str, str] = {}
    for module, inputs in modules.items():
        for name, each in inputs.items():
            _type(each.type, _named(module, name, each), classes, _description(each.block))
    header = _HEADER.format(summary="The types of what modules are given.")
    return "\n\n".join([header, _INPUTS_IMPORTS, *classes.values()])


def _constructs(modules: Mapping[str, Mapping[str, Input]]) -> str:
    header = _HEADER.format(summary="One construct for each module.")
    bodies = [_construct(module, inputs) for module, inputs in modules.items()]
    return "\n\n".join([header, _MODULES_IMPORTS, *bodies])


def _construct(module: str, inputs: Mapping[str, Input]) -> str:
    classes: dict[str, str] = {}
    types = {name: _type(each.type, _named(module, name, each), classes, "") for name, each in inputs.items()}
    ordered = sorted(inputs.items(), key=lambda pair: not pair[1].is_required)
    parameters = [
        f"{name}: {_qualified(types[name], classes)}" + ("" if each.is_required else " | None = None")
        for name, each in ordered
    ]
    arguments = "\n".join(textwrap.indent(_wrapped(f"{name}: {_summary(each)}"), "    ") for name, each in ordered)
    outputs = "\n\n".join(_output(block) for block in module_docs.blocks(module_docs.MODULES / module / "outputs.tf"))
    given = ", ".join(f"{json.dumps(name)}: {name}" for name in inputs)
    init = textwrap.dedent('''
        def __init__(self, scope: Construct, construct_id: str, *, {parameters}, providers: Sequence[Any] = ()) -> None:
            """Call the module.

            Args:
                scope: the stack, or a construct in it.
                construct_id: its name there.
        {arguments}
                providers: AWS providers in place of the stack's default one, for another region or account.
            """
            super().__init__(scope, construct_id, {module}, {{{given}}}, providers)
    ''').format(
        parameters=", ".join(parameters),
        arguments=textwrap.indent(arguments, "    "),
        module=json.dumps(module),
        given=given,
    )
    body = f'"""{_purpose(module)}"""\n' + init + "\n" + outputs
    return f"class {class_name(module)}(Module):\n" + textwrap.indent(body, "    ")


def _output(block: module_docs.Block) -> str:
    kind, getter = ("str", "text") if _TEXT_OUTPUT.search(block.name) else ("Reference", "reference")
    documentation = _wrapped(_plain(block.description))
    return f"@property\ndef {block.name}(self) -> {kind}:\n" + textwrap.indent(
        f'"""{documentation}"""\nreturn self.{getter}({json.dumps(block.name)})', "    "
    )


def _named(module: str, variable: str, each: Input) -> str:
    """The name of an input's type: a shared input has one for all modules."""
    shared = each.file.name.startswith("interface.")
    return _camel(variable) if shared else class_name(module) + _camel(variable)


def _type(kind: Type, name: str, classes: dict[str, str], description: str) -> str:
    """The annotation of a type; what objects it has is added to ``classes``."""
    kind = without_optional(kind)
    if isinstance(kind, str):
        return _PRIMITIVES[kind]
    if isinstance(kind, tuple):
        collection, inner = kind
        item = _type(inner, name, classes, description)
        return f"Mapping[str, {item}] | Reference" if collection == "map" else f"Sequence[{item}]"
    fields = {}
    for field, inner in kind.items():
        annotation = _type(inner, f"{name}{_camel(field)}", classes, "")
        optional = isinstance(inner, tuple) and inner[0] == "optional"
        fields[field] = f"NotRequired[{annotation} | None]" if optional else annotation
    # A later one of the same name is the same, or the description of the same.
    classes.setdefault(name, _typed_dict(name, fields, description))
    return f"{name} | Reference"


def _typed_dict(name: str, fields: Mapping[str, str], description: str) -> str:
    if any(keyword.iskeyword(field) for field in fields):
        inside = ", ".join(f"{json.dumps(field)}: {json.dumps(annotation)}" for field, annotation in fields.items())
        return f"{name} = TypedDict({json.dumps(name)}, {{{inside}}})"
    lines = [f"class {name}(TypedDict):"]
    if description:
        lines.append(textwrap.indent(f'"""{description}"""', "    ", lambda line: bool(line.strip())) + "\n")
    lines += [f"    {field}: {annotation}" for field, annotation in fields.items()]
    return "\n".join(lines)


def _qualified(annotation: str, classes: Mapping[str, str]) -> str:
    return re.sub(r"\w+", lambda word: f"inputs.{word[0]}" if word[0] in classes else word[0], annotation)


def _description(block: module_docs.Block) -> str:
    """The whole description as a docstring: what it is, then its fields."""
    first, *fields = (_plain(part) for part in block.description.split("<br>"))
    lines = [_wrapped(re.sub(r"^• `(\w+)`", r"\1", field).removeprefix("• ")) for field in fields]
    return "\n".join([_wrapped(first), *([""] if lines else []), *lines]) + ("\n" if lines else "")


def _summary(each: Input) -> str:
    return _plain(each.block.summary) + ("" if each.is_required else " Optional.")


def _plain(markdown: str) -> str:
    """A table cell's Markdown as text for a docstring."""
    return markdown.replace("<br>", " ").replace("\\|", "|").replace("\\", "\\\\")


def _purpose(module: str) -> str:
    """The first paragraph of the module's README."""
    readme = (module_docs.MODULES / module / "README.md").read_text(encoding="utf-8")
    paragraph = " ".join(readme.split("\n\n")[1].split())
    return _wrapped(re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", paragraph).replace("\\", "\\\\"))


def _wrapped(text: str) -> str:
    """Text in lines, those after the first further in."""
    lines = textwrap.wrap(text, 100, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[-_]", name))


def _formatted(text: str) -> str:
    finished = subprocess.run(
        [str(RUFF), "format", "-", "--stdin-filename", "generated.py"],
        input=text,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout


if __name__ == "__main__":
    sys.exit(main())
