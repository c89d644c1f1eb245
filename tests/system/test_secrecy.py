"""After everything that this session sent: no secret, no signature and no redacted field in what the parts wrote down.

Besides what the session has sent anyway, each thing that must not be kept is planted here once more, in every place of
a request where somebody may put it. Redacted fields (iconik's token) are planted in test_every_way_in.py; receivers
that repeat our own credentials in tests/unit/media_events/delivery/http/test_requests.py, since no system of
the demonstration does.
"""

from __future__ import annotations

import json
import re
import secrets as random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from media_events_kit.ops.demo.external_resources import ExternalResources
from media_events_kit.ops.demo.fake_systems import FILES, SIGNED, TRANSCODER
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.demo.scenario import BROKEN, fresh
from media_events_kit.ops.demo.senders import HttpResponse, Sender, mux_headers, post
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.overview import open_review_items
from media_events_kit.ops.operations.audit import AUDIT_SETTINGS
from tests.system.operators import Operator, Visitor
from tests.system.polling import eventually
from tests.system.retained import everything_kept, log_lines

MARKS = ("v1=", "mux-signature", "x-frameio-signature", "webhook-signature", "whsec_")
"""Of signatures, wherever they come from. Objects may name the headers: the functions' configuration does."""

PLACES = ("header", "cookie", "key", "query", "presigned", "body")


@dataclass(frozen=True)
class Planted:
    """What was planted, and the ids of the events with which it came."""

    plants: list[str]
    event_ids: list[str]
    item_ids: list[str]
    notices_url: str


@pytest.fixture(name="secrets", scope="module")
def _secrets(senders: dict[str, Sender], demonstration) -> list[str]:
    """Partners' secrets, and the keys of those that events are delivered to, in lower case."""
    around = ExternalResources.read(demonstration.paths)
    assert around is not None
    client = json.loads(around.keys[FILES])["client_secret"]
    found = [sender.secret for sender in senders.values()] + [around.keys[SIGNED], around.keys[TRANSCODER], client]
    return [secret.lower() for secret in found]


@pytest.fixture(name="planted", scope="module")
def _planted(clients: Clients, outputs, senders: dict[str, Sender], receiver: Receiver) -> Iterator[Planted]:
    """A forgery, a genuine request that can't be processed, and an event that fails; each with plants around it."""
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    queue = clients.sqs.create_queue(QueueName="notices-seen", Attributes={"Policy": policy})["QueueUrl"]
    topic, sns = outputs["topic_arn"], clients.sns
    account, region = topic.split(":")[4], topic.split(":")[3]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{region}:{account}:notices-seen")
    receiver.answer_with(BROKEN, 418)
    try:
        plants = {f"{what}-{place}": random.token_hex(12) for what in ("forged", "odd") for place in PLACES}
        forged = _request(
            senders["mux"], json.dumps({"id": plants["forged-body"]}).encode(), plants, "forged", "no secret"
        )
        assert forged.status == 401
        odd = _request(senders["mux"], b'{"type": 7', plants, "odd", senders["mux"].secret)
        assert odd.status == 202
        failing = senders["frameio"].send(fresh("frameio-v4-comment.created"))
        event_ids = [json.loads(answer.body)["id"] for answer in (odd, failing)]

        def items() -> list[Any]:
            found = [i for i in open_review_items(clients, outputs["review_table_name"]) if i.event_id in event_ids]
            return found if len(found) == len(event_ids) else []

        item_ids = [item.item_id for item in eventually(items)]
        yield Planted(list(plants.values()), event_ids, item_ids, queue)
    finally:
        receiver.answer_with(BROKEN, 200)


def _request(sender: Sender, body: bytes, plants: dict[str, str], what: str, secret: str) -> HttpResponse:
    def plant(place: str) -> str:
        return plants[f"{what}-{place}"]

    headers = mux_headers(body, secret, int(time.time())) | {
        "authorization": f"Bearer {plant('header')}",
        "cookie": f"session={plant('cookie')}",
        "x-api-key": plant("key"),
    }
    query = f"?token={plant('query')}&X-Amz-Signature={plant('presigned')}&sig={plant('presigned')}"
    return post(sender.url + query, body, headers, sender.ca_bundle)


@pytest.fixture(name="notices", scope="module")
def _notices(clients: Clients, planted: Planted) -> list[str]:
    """What people were told."""

    def received() -> list[str]:
        answer = clients.sqs.receive_message(
            QueueUrl=planted.notices_url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=0
        )
        return [str(message) for message in answer.get("Messages", [])]

    return list(eventually(received))


@pytest.fixture(name="printed", scope="module")
def _printed(demonstration, planted: Planted) -> dict[str, str]:
    """What the commands print of the events that failed."""
    operator = Operator(demonstration.paths, {})
    commands = [["status", "--json"], ["review", "list", "--json"], ["review", "groups", "--json"]]
    commands += [["review", "export", "--format", form] for form in ("csv", "jsonl")]
    for item_id in planted.item_ids:
        operator.run("review", "note", item_id, "looked at it")
        commands += [["review", "show", item_id], ["review", "show", item_id, "--json"], ["review", "audit", item_id]]
    commands += [["trace", event_id, *form] for event_id in planted.event_ids for form in ([], ["--json"])]
    return {" ".join(command): (said := operator.run(*command)).out + said.err for command in commands}


@pytest.fixture(name="pages", scope="module")
def _pages(demonstration, planted: Planted) -> dict[str, str]:
    """What the review page shows of the events that failed, also when hidden values are asked for."""
    with Operator(demonstration.paths, {}).page() as link:
        visitor = Visitor.enter(link)
        paths = ["/", "/items", "/operations"]
        paths += [f"/{kind}={event_id}" for event_id in planted.event_ids for kind in ("items?event", "trace?id")]
        answers = {path: visitor.get(path) for path in paths}
        for path in (f"/items/{item_id}" for item_id in planted.item_ids):
            answers[path] = visitor.get(path)
            group = re.search(r'href="(/groups/[^"]+)"', answers[path][1])
            assert group is not None
            answers[group[1]] = visitor.get(group[1])
            answers[f"{path}/body"] = visitor.post(path, f"{path}/body")
    assert {status for status, _ in answers.values()} == {200}
    return {path: page for path, (_, page) in answers.items()}


def found(texts: dict[str, str] | list[tuple[str, str]], marks: list[str]) -> list[tuple[str, str]]:
    """Where one of ``marks`` stands, and which."""
    pairs = list(texts.items()) if isinstance(texts, dict) else texts
    return [(place, mark) for place, text in pairs for mark in marks if mark in text.lower()]


@pytest.mark.attack("C9")
def test_no_log_line_and_no_metric_holds_a_secret_or_a_signature(clients: Clients, secrets, planted: Planted):
    lines = list(log_lines(clients))
    assert any('"_aws"' in text for _, text in lines), "metrics are lines as well"
    assert {name for name, _ in lines if name.startswith("/aws/lambda/")}
    assert found(lines, [*secrets, *planted.plants, *MARKS]) == []


def test_nothing_that_is_kept_holds_a_secret(clients: Clients, secrets, planted: Planted):
    kept = list(everything_kept(clients))
    places = {place for place, _ in kept}
    assert any(place.endswith("-items") for place in places)
    assert any("/bodies/" in place or "/configuration/" in place for place in places)
    assert found(kept, [*secrets, *planted.plants]) == []


def test_no_table_holds_a_signature(clients: Clients, planted: Planted):  # noqa: ARG001  # it has to be there
    tables = set(clients.dynamodb.list_tables()["TableNames"])
    assert found([(place, text) for place, text in everything_kept(clients) if place in tables], list(MARKS)) == []


def test_nobody_is_told_a_secret(notices: list[str], secrets, planted: Planted):
    assert any("http-418" in notice for notice in notices), "a new group was announced"
    assert found([("notice", notice) for notice in notices], [*secrets, *planted.plants, *MARKS]) == []


def test_no_command_prints_a_secret(printed: dict[str, str], secrets, planted: Planted):
    assert all(printed.values())
    shown = "\n".join(printed.values())
    assert all(event_id in shown for event_id in planted.event_ids)
    assert found(printed, [*secrets, *planted.plants, *MARKS]) == []


def test_no_page_shows_a_secret(pages: dict[str, str], secrets, planted: Planted):
    shown = "\n".join(pages.values())
    assert all(event_id in shown for event_id in planted.event_ids)
    assert any("Hidden values are shown" in page for page in pages.values())
    assert found(pages, [*secrets, *planted.plants, *MARKS]) == []


def test_the_audit_holds_no_secret(clients: Clients, outputs, secrets, planted: Planted, printed):  # noqa: ARG001
    settings = clients.dynamodb.get_item(TableName=outputs["review_table_name"], Key={"item_id": {"S": AUDIT_SETTINGS}})
    bucket = f"{settings['Item']['audit']['S']}/"
    audit = [(place, text) for place, text in everything_kept(clients) if place.startswith(bucket)]
    assert audit
    assert found(audit, [*secrets, *planted.plants, *MARKS]) == []


def test_terraforms_state_holds_no_secret(demonstration, secrets: list[str]):
    state = demonstration.paths.terraform_state.read_text(encoding="utf-8")
    assert [secret for secret in secrets if secret in state.lower()] == []
