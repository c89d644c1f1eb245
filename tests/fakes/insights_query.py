"""Which fields a query of CloudWatch Logs Insights names."""

from __future__ import annotations

import re
from typing import Final

LANGUAGE: Final = {
    "fields",
    "filter",
    "sort",
    "stats",
    "limit",
    "by",
    "as",
    "and",
    "or",
    "like",
    "asc",
    "desc",
    "count",
    "count_distinct",
    "max",
}
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html"""


def fields(query: str) -> set[str]:
    """Every word that is neither text, nor the language's, nor a name of the query's own; `@` begins AWS's fields."""
    code = re.sub(r'"[^"]*"', "", query)
    own = set(re.findall(r" as (\w+)", code))
    return set(re.findall(r"@?[A-Za-z_]\w*", code)) - own - LANGUAGE
