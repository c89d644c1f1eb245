"""Compile a tree without docstrings, which nothing reads at run time, and take an eighth of all bytecode.

    python -I bytecode.py TREE ROOT    TREE's sources, as those of a package that is installed in ROOT

Assertions stay: ``-OO`` would drop them too. Each file has its source's hash, which Python checks (PEP 552).
"""

import ast
import importlib.util
import marshal
import sys
from pathlib import Path
from typing import Final

_CHECKED_HASH: Final = 0b11


def compiled(source: bytes, path: str) -> bytes:
    """The bytecode file of ``source``.

    Raises:
        SyntaxError: it does not compile.
    """
    tree = ast.parse(source, path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass(lineno=1, col_offset=0)]
    code = compile(tree, path, "exec", dont_inherit=True)
    flags = _CHECKED_HASH.to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(source) + marshal.dumps(code)


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def main(tree: Path, root: str) -> None:
    """Compile every source of ``tree``, in their order."""
    for source in sorted(tree.rglob("*.py")):
        target = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(compiled(source.read_bytes(), f"{root}/{source.relative_to(tree).as_posix()}"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
