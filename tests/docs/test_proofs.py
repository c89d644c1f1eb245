"""How the tests that prove a promise are found."""

from __future__ import annotations

import ast

from tests.docs import proofs


def test_marks_of_a_test_and_of_its_module_are_found():
    module = ast.parse(
        "import pytest\n"
        "pytestmark = [pytest.mark.local, pytest.mark.proves('all')]\n"
        "@pytest.mark.proves('one', 'two')\n"
        "def test_a(): ...\n"
        "def test_b(): ...\n"
        "@pytest.mark.proves('nothing')\n"
        "def helper(): ...\n"
    )

    assert list(proofs._marked(module)) == [("all", "test_a"), ("one", "test_a"), ("two", "test_a"), ("all", "test_b")]


def test_comment_before_a_run_of_terraform_is_found():
    text = '# proves: one\nrun "works" {\n}\n\n# proves: nothing\n\nrun "other" {\n}\n'

    assert proofs._COMMENT.findall(text) == [("one", "works")]
