"""A plain chain of fields is followed without the library, to the same value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_events.partners.value_expressions import Context, Path, parse_path

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "a b"]), inner, max_size=3),
    max_leaves=12,
)


def path(expression: str) -> Path:
    problems: list[str] = []
    found = parse_path(expression, "id", problems)
    assert found is not None, problems
    return found


@pytest.mark.parametrize("expression", ["body", "body.a", "body.a.b", 'body."a b".a', '(body.a)."a b"'])
@given(body=DOCUMENTS)
def test_a_chain_selects_what_the_library_does(expression: str, body: object) -> None:
    chain, names = path(expression), {"body": body, "headers": {}}

    assert chain.fields
    assert chain.find(Context(names, now=0.0)) == chain.compiled.search(names)


@pytest.mark.parametrize("expression", ["body[0]", "body.a[]", "body.*", "body.a || body.b", "length(body)", "@.body"])
def test_anything_else_is_the_librarys(expression: str) -> None:
    assert path(expression).fields == ()
