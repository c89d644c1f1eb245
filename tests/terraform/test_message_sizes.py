"""One setting says how large a message may be: a dead-letter queue that takes less than its queue would lose events.

It is read from the text, because AWS provider 5.100 plans no value but the default.
"""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.terraform.conftest import ROOT

QUEUES: Final = {
    f"{file.relative_to(ROOT / 'modules')}: {name}": body
    for file in sorted((ROOT / "modules").rglob("*.tf"))
    for name, body in re.findall(
        r'^resource "aws_sqs_queue" "(\w+)" \{\n(.*?)^\}', file.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
}


def test_queues_are_found() -> None:
    assert {"internal/hop-function/queues.tf: this", "internal/hop-function/queues.tf: dlq"} <= set(QUEUES)


@pytest.mark.parametrize("queue", QUEUES)
def test_every_queue_takes_messages_of_the_size_that_the_settings_say(queue: str) -> None:
    assert re.findall(r"^  max_message_size += (.*)$", QUEUES[queue], re.MULTILINE) == ["var.settings.max_message_size"]
