"""Mistakes in the function calls of a JMESPath, which the library finds only when it meets a message.

There each is an exception, which for an expression is the same as selecting nothing. So it is found here, as far as the
expression alone shows it: the function's name, the number of arguments, and the kind of those that are written out.
https://jmespath.org/specification.html#built-in-functions
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from media_events.partners.expression_functions import DecodingFunctions

_TABLE: Final[Mapping[str, Any]] = DecodingFunctions.FUNCTION_TABLE
_GIVES: Final = {
    **dict.fromkeys(("abs", "avg", "ceil", "floor", "length", "sum", "to_number"), "number"),
    **dict.fromkeys(("contains", "ends_with", "starts_with"), "boolean"),
    **dict.fromkeys(("base64_decode", "join", "to_string", "type", "url_decode"), "string"),
    **dict.fromkeys(("keys", "map", "sort", "sort_by", "to_array", "values"), "array"),
    **dict.fromkeys(("merge", "parse_xml"), "object"),
}
_NODES: Final = {
    **dict.fromkeys(("comparator", "not_expression"), "boolean"),
    "multi_select_list": "array",
    "multi_select_dict": "object",
    "expref": "expref",
}


def mistaken_calls(node: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each mistake in the tree of an expression."""
    if node["type"] == "function_expression":
        yield from _call(node["value"], node["children"])
    for child in node.get("children", ()):
        if isinstance(child, Mapping):
            yield from mistaken_calls(child)


def _call(name: str, arguments: list[Mapping[str, Any]]) -> Iterator[str]:
    function = _TABLE.get(name)
    if function is None:
        from difflib import get_close_matches  # noqa: PLC0415 - for a mistake alone

        near = get_close_matches(name, _TABLE, n=1)
        yield f"{name}() is no function; " + (
            f"did you mean {near[0]}()?" if near else f"there are {', '.join(_TABLE)}"
        )
        return
    signature = function["signature"]
    variadic = bool(signature[-1].get("variadic"))
    if len(arguments) < len(signature) or (len(arguments) > len(signature) and not variadic):
        yield f"{name}() has {len(arguments)} arguments; write {_form(name)}"
        return
    for number, argument in enumerate(arguments):
        types, kind = signature[min(number, len(signature) - 1)]["types"], _kind(argument)
        accepted = {each.partition("-")[0] for each in types}
        if (accepted and kind is not None and kind not in accepted) or ("expref" in accepted and kind != "expref"):
            shown = "an expression without &" if kind is None else _SHOWN.get(kind, kind)
            yield f"{name}() takes no {shown} as argument {number + 1}; write {_form(name)}"


_SHOWN: Final = {"expref": "expression with &"}


def _kind(node: Mapping[str, Any]) -> str | None:
    """The JMESPath type of an argument that no message decides; ``None`` for any other."""
    if node["type"] == "function_expression":
        return _GIVES.get(node["value"])
    if node["type"] != "literal":
        return _NODES.get(node["type"])
    value = node["value"]
    if isinstance(value, bool):
        return "boolean"
    kinds = {str: "string", int: "number", float: "number", list: "array", dict: "object", type(None): "null"}
    return kinds.get(type(value))


def _form(name: str) -> str:
    parts = []
    for part in _TABLE[name]["signature"]:
        types = ["&expression" if each == "expref" else each.replace("array-", "array of ") for each in part["types"]]
        parts.append((" or ".join(types) or "anything") + (", …" if part.get("variadic") else ""))
    return f"{name}({', '.join(parts)})"
