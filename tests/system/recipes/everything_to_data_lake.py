"""Events of two partners become lines in S3, and the recipe's query answers from them.

The local cloud has no Athena, so SQLite runs the text of `query.sql`, with the columns of `table.sql`. The partition's
value is taken from the line, where AWS takes it from the key that the stream's prefix makes of the same field.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

from media_events_kit.ops.dev.resources import BUCKET
from tests.system.polling import eventually
from tests.system.recipes.deployed import RECIPES, DeployedRecipe

FOLDER = RECIPES / "everything-to-data-lake"
COLUMN = re.compile(r"^(?:PARTITIONED BY \()?\s*`?(\w+)`? string", re.MULTILINE)


def play(recipe: DeployedRecipe) -> None:
    sent = [
        *recipe.send("mux", "asset.created"),
        *recipe.send("mux", "asset.ready"),
        *recipe.send("mediaconvert", "encode.completed"),
        *recipe.send("mediaconvert", "encode.failed"),
        *recipe.send("mediaconvert", "encode.failed"),
    ]

    eventually(lambda: {line["id"] for line in lines(recipe)} >= set(sent))

    assert answer([*lines(recipe), *lines(recipe)], since="2026-01-01") == [("mediaconvert", 3, 2), ("mux", 1, 0)]
    assert answer([*lines(recipe)], since="9999-01-01") == []


def answer(rows: list[dict[str, Any]], *, since: str) -> list[tuple[str, int, int]]:
    """What `query.sql` finds in ``rows``."""
    columns = COLUMN.findall((FOLDER / "table.sql").read_text(encoding="utf-8"))
    assert columns == ["id", "partner", "type", "metadata", "data", "day"]
    with sqlite3.connect(":memory:") as database:
        database.execute(f"CREATE TABLE events ({', '.join(columns)})")
        values = [
            [row[name] if isinstance(row[name], str) else json.dumps(row[name]) for name in columns] for row in rows
        ]
        database.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(columns))})", values)
        return database.execute((FOLDER / "query.sql").read_text(encoding="utf-8"), [since]).fetchall()


def lines(recipe: DeployedRecipe) -> Iterator[dict[str, Any]]:
    """The lines that the stream has written."""
    for found in recipe.clients.s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        if "media-lake-" in found["Key"]:
            body = recipe.clients.s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read()
            yield from map(json.loads, body.splitlines())
