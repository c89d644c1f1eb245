"""Write the tables of inputs and outputs into the modules' READMEs, from their `.tf` files.

    scripts/module_docs.py            write them
    scripts/module_docs.py --check    exit 1, naming the READMEs that are out of date

The tables stand between the lines ``<!-- inputs and outputs: scripts/module_docs.py -->`` and ``<!-- end -->``; READMEs
without them are left alone. The files are read as `terraform fmt` leaves them: a block's attributes are indented by two
spaces, its closing brace not.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import generated  # it needs the path above

MODULES: Final = Path(__file__).resolve().parent.parent / "modules"
BEGIN: Final = "<!-- inputs and outputs: scripts/module_docs.py -->"
END: Final = "<!-- end -->"

_BLOCK: Final = re.compile(r'^(variable|output) "([A-Za-z0-9_-]+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"^  ([a-z_]+) +?= ?(.*)$")
_FIELD: Final = re.compile(r"^ *([a-z_0-9, ]+?) += (.*)$")
_BULLET: Final = re.compile(r"^ *[*-] (.*)$")
_FIELD_DEFAULT: Final = re.compile(r"^ *([a-z_0-9]+) += optional\([a-z]+(?:\([a-z]+\))?, (.+)\)$", re.MULTILINE)
_LONGEST_DEFAULT: Final = 60


class UnreadableError(Exception):
    """A file is not as `terraform fmt` leaves it, or a README has no place for the table."""


@dataclass(frozen=True, slots=True)
class Block:
    """One variable or output: its attributes' expressions as they are written."""

    name: str
    attributes: dict[str, str]

    @property
    def description(self) -> str:
        """The description, as Markdown for a table's cell."""
        expression = self.attributes.get("description", "")
        heredoc = re.fullmatch(r"<<-EOT\n(.*)\n *EOT", expression, re.DOTALL)
        if heredoc is None:
            text = expression.strip('"').replace('\\"', '"')
        else:
            text = _with_fields(textwrap.dedent(heredoc[1]))
        if defaults := _FIELD_DEFAULT.findall(self.attributes.get("type", "")):
            separator = "<br>" if "<br>" in text else " "
            text += f"{separator}Defaults: " + ", ".join(f"`{name} = {default}`" for name, default in defaults) + "."
        return _cell(text)

    @property
    def summary(self) -> str:
        """The description up to the list of an object's fields."""
        return self.description.partition("<br>")[0]

    @property
    def type(self) -> str:
        """The type, without the fields of objects, which the description explains."""
        return re.sub(r"object\(\{.*\}\)", "object", " ".join(self.attributes.get("type", "any").split()))

    @property
    def default(self) -> str:
        """The default as code, or that there is none."""
        if "default" not in self.attributes:
            return "required"
        expression = re.sub(r"\s+", " ", self.attributes["default"])
        return f"`{_cell(expression)}`" if len(expression) <= _LONGEST_DEFAULT else "see `variables.tf`"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the tables."""
    description = "Write the tables of inputs and outputs into the modules' READMEs."
    try:
        return generated.main("module_docs.py", description, _readmes, arguments)
    except UnreadableError as error:
        print(error, file=sys.stderr)
        return 2


def _readmes() -> dict[Path, str | None]:
    texts: dict[Path, str | None] = {}
    for readme in MODULES.glob("**/README.md"):
        text = readme.read_text(encoding="utf-8")
        if BEGIN in text:
            try:
                texts[readme] = with_table(text, table(readme.parent))
            except UnreadableError as error:
                raise UnreadableError(f"{readme}: {error}") from None
    return texts


def with_table(text: str, rendered: str) -> str:
    """A README's text with the table between its markers replaced.

    Raises:
        UnreadableError: the markers are missing.
    """
    before, begin, rest = text.partition(BEGIN + "\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UnreadableError(f"has no lines {BEGIN!r} and {END!r} to put the table between")
    return f"{before}{begin}\n{rendered}\n{end}{after}"


def table(module: Path) -> str:
    """The tables of a module's inputs and outputs, in Markdown."""
    inputs = [f"| `{i.name}` | {i.description} | `{i.type}` | {i.default} |" for i in blocks(module / "variables.tf")]
    # Shared inputs are explained once, not in every README.
    inputs += [
        f"| `{i.name}` | {i.summary} See [{file.name}]({file.name}). | `{i.type}` | {i.default} |"
        for file in sorted(module.glob("interface.*.tf"))
        for i in blocks(file)
    ]
    outputs = [f"| `{output.name}` | {output.description} |" for output in blocks(module / "outputs.tf")]
    return "\n".join(
        [
            "| input | | type | default |",
            "|---|---|---|---|",
            *inputs,
            "",
            "| output | |",
            "|---|---|",
            *outputs,
            "",
        ]
    )


def blocks(file: Path) -> Iterator[Block]:
    """The variables and outputs of a file, in its order.

    Raises:
        UnreadableError: an attribute has no end.
    """
    for _, name, body in _BLOCK.findall(file.read_text(encoding="utf-8")):
        yield Block(name, dict(_attributes(body.splitlines())))


def _attributes(lines: list[str]) -> Iterator[tuple[str, str]]:
    rest = iter(lines)
    for line in rest:
        if attribute := _ATTRIBUTE.match(line):
            expression = [attribute[2]]
            while not _complete(expression):
                try:
                    expression.append(next(rest))
                except StopIteration:
                    raise UnreadableError(f"{attribute[1]} has no end") from None
            yield attribute[1], "\n".join(expression)


def _complete(expression: list[str]) -> bool:
    if expression[0] == "<<-EOT":
        return expression[-1].strip() == "EOT"
    code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', "\n".join(expression))
    return all(code.count(opening) == code.count(closing) for opening, closing in ("()", "[]", "{}"))


def _with_fields(text: str) -> str:
    """Lines such as ``  rate = calls per second`` as a list; continued lines are joined."""
    joined: list[str] = []
    for line in text.splitlines():
        if field := _FIELD.match(line):
            names = ", ".join(f"`{name.strip()}`" for name in field[1].split(","))
            joined.append(f"<br>• {names}: {field[2].strip()}")
        elif bullet := _BULLET.match(line):
            joined.append(f"<br>• {bullet[1].strip()}")
        elif joined:
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.strip())
    return "".join(joined)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
