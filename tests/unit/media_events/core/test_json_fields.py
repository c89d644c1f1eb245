"""Values of JSON by their types: a truth value is no number."""

from __future__ import annotations

import pytest

from media_events.core import json_fields


@pytest.mark.parametrize(
    ("value", "number", "whole", "scalar"),
    [(1, True, True, True), (0.5, True, False, True), (True, False, False, False), ("1", False, False, True)],
)
def test_type_is_recognised(value, number, whole, scalar):
    assert json_fields.is_number(value) is number
    assert json_fields.is_whole(value) is whole
    assert json_fields.is_scalar(value) is scalar


def test_value_of_another_type_is_replaced():
    assert (json_fields.mapping({"a": 1}), json_fields.mapping([1])) == ({"a": 1}, {})
    assert (json_fields.text("x"), json_fields.text(""), json_fields.text(7)) == ("x", None, None)
