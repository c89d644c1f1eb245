"""SQS's corrected handlers, with fakes of MiniStack's own."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from media_events_kit.ops.local.server import queues


@pytest.fixture(name="modules")
def _modules() -> dict[str, dict[str, Any]]:
    """SQS and SNS as the local cloud leaves them."""
    sqs, sns = ModuleType("sqs"), ModuleType("sns")
    known = {name: {"is_fifo": name.endswith(".fifo"), "messages": []} for name in ("steps.fifo", "standard")}

    def deliver(endpoint: str, body: str, *, message_group_id: str = "") -> None:
        # As MiniStack does it: the message is made, completed, and put into the queue.
        message: dict[str, Any] = {"body": body, "group_id": message_group_id}
        vars(sqs)["_ensure_msg_fields"](message)
        known[endpoint.rpartition(":")[2]]["messages"].append(message)

    vars(sqs).update(
        _collect_msgs=lambda queue, most, _timeout: [*queue["messages"][:most], f"of {len(queue['messages'])} shown"],
        _ensure_msg_fields=lambda message: message.setdefault("seq", None),
        _queue_by_arn=lambda arn: known.get(arn.rpartition(":")[2]),
        queues=known,
    )
    vars(sns)["_deliver_to_sqs"] = deliver
    queues.correct(sqs, sns)
    return {"sqs": vars(sqs), "sns": vars(sns)}


def test_a_topics_messages_in_a_fifo_queue_are_numbered(
    modules: dict[str, dict[str, Any]],
) -> None:
    sqs, deliver = modules["sqs"], modules["sns"]["_deliver_to_sqs"]
    sqs["queues"]["steps.fifo"]["fifo_seq"] = 9

    for body in ("a", "b"):
        deliver("arn:aws:sqs:eu-west-1:0:steps.fifo", body, message_group_id="film")
        deliver("arn:aws:sqs:eu-west-1:0:standard", body)
    with pytest.raises(KeyError):
        deliver("arn:aws:sqs:eu-west-1:0:nobody's", "c")
    own: dict[str, Any] = {}
    sqs["_ensure_msg_fields"](own)

    numbers = {name: [message["seq"] for message in queue["messages"]] for name, queue in sqs["queues"].items()}
    assert numbers == {"steps.fifo": ["0" * 18 + "10", "0" * 18 + "11"], "standard": [None, None]}
    assert own == {"seq": None}


@pytest.mark.parametrize(("is_fifo", "shown"), [(False, 2), (True, 5)])
def test_who_receives_from_a_standard_queue_looks_at_no_more_messages_than_it_may_take(
    modules: dict[str, dict[str, Any]],
    is_fifo: bool,  # noqa: FBT001
    shown: int,
) -> None:
    times = [0.0, 4e9, 0.0, 0.0]
    messages: list[dict[str, Any]] = [{"visible_at": at, "body": str(number)} for number, at in enumerate(times)]
    messages.insert(2, {"body": "from a topic"})
    queue = {"is_fifo": is_fifo, "messages": messages}

    *taken, note = modules["sqs"]["_collect_msgs"](queue, 2, 30)

    assert note == f"of {shown} shown"
    assert [message["body"] for message in taken] == (["0", "1"] if is_fifo else ["0", "from a topic"])
    assert len(messages) == len(times) + 1
