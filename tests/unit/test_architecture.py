"""Dependencies point one way: between the folders of each package, and from handlers to the domain to its ports."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest

import media_events

PACKAGE = Path(media_events.__file__).parent
OUTER = {"handlers", "adapters"}
"""What may know AWS, Lambda and the environment; everything else is the domain."""

SHIPPED = {"jmespath", "ecdsa"}
"""Third-party packages in the zip; boto3 and botocore come with the runtime."""


ORDER = {
    "media_events": [
        *("core", "messaging", "outbound_http", "events", "partners", "transform"),
        *("delivery", "ingress", "recovery", "adapters", "handlers"),
    ],
    "media_events_kit.infra": ["documents", "model", "validation", "loader", "stacks"],
    "media_events_kit.ops": [
        *("shared", "local", "deployment", "operations", "review", "archive_replay", "trace", "partner"),
        *(
            "verify",
            "send",
            "tail",
            "status",
            "changes",
            "check",
            "route",
            "diagram",
            "cost",
            "review_web",
            "demo",
            "dev",
        ),
        *("demo", "dev", "state", "project"),
    ],
}
"""Each package's folders, from the ground up: a folder imports only those before it."""

AT_THE_ROOT = {
    "media_events": set(),
    "media_events_kit.infra": set(),
    "media_events_kit.ops": {"cli.py", "__main__.py"},
}
"""Modules that belong to no folder: the command itself."""


def modules():
    return sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def layer(path):
    return path.parts[0].removesuffix(".py")


def is_domain(path):
    return layer(path) not in OUTER


def imports(path):
    return imports_of(PACKAGE / path)


def imports_of(file):
    """Every module that ``file`` imports when it runs, at any depth of nesting."""
    tree = ast.parse(file.read_text())
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found = set()
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", [p for p in modules() if is_domain(p)], ids=str)
def test_domain_knows_neither_aws_nor_lambda_nor_adapters(path):
    forbidden = ("boto3", "botocore", "media_events.handlers", "media_events.adapters")

    outward = {name for name in imports(path) if name.startswith(forbidden)}

    assert not outward


@pytest.mark.parametrize("path", [p for p in modules() if is_domain(p)], ids=str)
def test_domain_reads_no_environment(path):
    tree = ast.parse((PACKAGE / path).read_text())
    reads = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"))
        or (isinstance(node, ast.ImportFrom) and node.module == "os")
    ]

    assert not reads


READS_THE_ENVIRONMENT = {"cloudwatch.py", "kept_connections.py"}
"""What Lambda says of the function, and what botocore reads itself: authorities and proxies."""


@pytest.mark.parametrize(
    "path", [p for p in modules() if layer(p) == "adapters" and p.name not in READS_THE_ENVIRONMENT], ids=str
)
def test_adapters_know_neither_handlers_nor_the_environment(path):
    assert not {name for name in imports(path) if name.startswith("media_events.handlers")}
    assert "environ" not in (PACKAGE / path).read_text()


@pytest.mark.parametrize("path", [p for p in modules() if layer(p) == "handlers"], ids=str)
def test_handlers_do_not_use_one_another(path):
    shared = {
        "media_events.handlers.api_gateway",
        "media_events.handlers.cold_start",
        "media_events.handlers.invocation",
    }
    others = {name for name in imports(path) if name.startswith("media_events.handlers.")}

    assert not {name for name in others if not any(name.startswith(s) for s in shared)}


@pytest.mark.parametrize("path", modules(), ids=str)
def test_nothing_is_imported_that_the_zip_does_not_hold(path):
    roots = {name.partition(".")[0] for name in imports(path)}
    of_the_runtime = {"boto3", "botocore", "snapshot_restore_py"}
    allowed = SHIPPED | of_the_runtime | {"media_events"} | set(sys.stdlib_module_names)

    assert roots <= allowed


def sources(package):
    root = Path(importlib.import_module(package).__file__).parent
    return root, sorted(path.relative_to(root) for path in root.rglob("*.py"))


@pytest.mark.parametrize("package", ORDER)
def test_every_module_has_a_folder(package):
    _, paths = sources(package)

    assert {path.name for path in paths if len(path.parts) == 1} - {"__init__.py"} == AT_THE_ROOT[package]


@pytest.mark.parametrize("package", ORDER)
def test_folders_import_only_those_before_them(package):
    root, paths = sources(package)
    order = ORDER[package]
    upward = {
        f"{path} imports {name}"
        for path in paths
        if len(path.parts) > 1
        for name in imports_of(root / path)
        if name.startswith(f"{package}.")
        and (folder := name.removeprefix(f"{package}.").split(".")[0]) != path.parts[0]
        and (folder not in order or order.index(folder) > order.index(path.parts[0]))
    }

    assert not upward


def test_event_patterns_are_a_library_of_their_own():
    root, paths = sources("media_events_kit.event_patterns")

    foreign = ("media_events.", "media_events_kit.infra", "media_events_kit.ops")

    assert not {name for path in paths for name in imports_of(root / path) if name.startswith(foreign)}
