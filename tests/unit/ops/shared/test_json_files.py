"""JSON objects that may be missing or malformed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from media_events_kit.ops.shared.json_files import object_in, read_object, read_record


@dataclass(frozen=True)
class Record:
    name: str
    number: int


@pytest.mark.parametrize("text", ["", "[]", "null", "{", b"\xff", "[" * 100_000])
def test_text_without_an_object_is_an_empty_one(text):
    assert object_in(text) == {}


def test_an_object_is_read_from_text_and_from_a_file(tmp_path):
    file = tmp_path / "object.json"
    file.write_text('{"a": 1}')

    assert object_in(b'{"a": 1}') == read_object(file) == {"a": 1}
    assert read_object(tmp_path / "none.json") == {}


def test_a_record_needs_all_its_fields_and_ignores_others(tmp_path):
    file = tmp_path / "record.json"
    file.write_text('{"name": "a", "number": 1, "other": 2}')
    assert read_record(Record, file) == Record("a", 1)

    file.write_text('{"name": "a"}')
    assert read_record(Record, file) is None
