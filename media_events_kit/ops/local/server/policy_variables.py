"""What a bucket's policy needs to keep objects from change. MiniStack 1.5.33 has neither.

- Policy variables in a statement's resources: ``${aws:userid}`` stands for the caller's. A variable without a value
  matches nothing (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
- The condition keys ``s3:if-none-match`` and ``s3:if-match``, the headers of a conditional write
  (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import replace

VARIABLE: Final = re.compile(r"\$\{([^}*?$]+)\}")
CONDITIONAL: Final = ("if-none-match", "if-match")


def correct(evaluator: Any, iam_actions: Any) -> None:
    """Correct ``ministack.core.iam_evaluator`` and ``ministack.core.iam_actions``."""
    resolve = vars(evaluator)["_resolve_condition_key"]

    def first_match(match_of_ministack: Callable[..., Any]) -> Callable[..., Any]:
        def match(context: Any, statements: Sequence[Any], effect: str) -> Any:
            return match_of_ministack(context, [_resolved(one, context, resolve) for one in statements], effect)

        return match

    replace(evaluator, "_first_match", first_match)
    replace(iam_actions, "s3_service_context", _with_conditions)


def _resolved(statement: Any, context: Any, resolve: Callable[[str, Any], Any]) -> Any:
    """``statement`` with the values of its resources' variables."""
    if not any("${" in pattern for pattern in (*statement.resources, *statement.not_resources)):
        return statement

    def value(variable: re.Match[str]) -> str:
        found = resolve(variable[1], context)
        return found if isinstance(found, str) and found else variable[0]

    return dataclasses.replace(
        statement,
        resources=[VARIABLE.sub(value, pattern) for pattern in statement.resources],
        not_resources=[VARIABLE.sub(value, pattern) for pattern in statement.not_resources],
    )


def _with_conditions(context_of_ministack: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def s3_service_context(
        action: str, query: Any, path: str = "", headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        context = context_of_ministack(action, query, path, headers)
        if action != "s3:PutObject":
            return context
        return context | {f"s3:{name}": headers[name] for name in CONDITIONAL if headers and headers.get(name)}

    return s3_service_context
