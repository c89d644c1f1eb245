"""Text for Terraform's JSON: nothing in it is taken for an expression."""

import json

from media_events_kit.infra.stacks.terraform_literals import json_text, literal


def test_beginnings_of_expressions_are_escaped_everywhere():
    value = {"${a}": ["%{if}", {"x": "$${b} %%{c}", "n": 1, "t": True, "z": None}]}

    assert literal(value) == {"$${a}": ["%%{if}", {"x": "$$${b} %%%{c}", "n": 1, "t": True, "z": None}]}


def test_ordinary_text_stays_as_it_is():
    assert literal("100 % of $5 {x}") == "100 % of $5 {x}"


def test_json_text_is_compact_and_escaped():
    text = json_text({"a": "${b}", "ü": [1]})

    assert text == '{"a":"$${b}","ü":[1]}'
    assert json.loads(text.replace("$${", "${")) == {"a": "${b}", "ü": [1]}
