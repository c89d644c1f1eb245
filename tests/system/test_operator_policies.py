"""What each of the operators' ready policies lets its holder do, by command and by page, with IAM enforced.

The policies tell apart what is in the review table (items, groups, operations, edited events) by the key
``dynamodb:LeadingKeys``. The audit is in test_audit.py. `archive_replay` and `repeat_effects` at work are in
test_archive_replay.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from media_events.adapters.dynamodb.review_items import DynamoReviewTable
from media_events.recovery.review_item import ReviewItem
from media_events_kit.ops.demo.http_receiver_process import Receiver
from media_events_kit.ops.demo.scenario import BROKEN, fresh
from media_events_kit.ops.demo.senders import Sender
from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.local.overview import open_review_items
from media_events_kit.ops.review.store import SETTINGS
from tests.system.conftest import Demonstration
from tests.system.operators import Operator, Said, Visitor, with_policy
from tests.system.polling import eventually

TYPE = "comment.created"
SECRET_WORD = "workspace"
"""In the comment's event, and nowhere else in what is known of it."""
NAMES = ("to-retry", "to-edit", "to-archive")


@pytest.fixture(name="items", scope="module")
def _items(
    clients: Clients, outputs: dict[str, Any], senders: dict[str, Sender], receiver: Receiver
) -> Iterator[Mapping[str, str]]:
    """Open items, by what becomes of them; the receiver is mended by then. Their type may be edited for a while."""
    table = outputs["review_table_name"]
    allowed = {"item_id": {"S": SETTINGS}, "editable_types": {"S": json.dumps({TYPE: {"required": ["mended"]}})}}
    clients.dynamodb.put_item(TableName=table, Item=allowed)
    receiver.answer_with(BROKEN, 410)
    try:
        answers = [senders["frameio"].send(fresh("frameio-v4-comment.created")) for _ in NAMES]
        event_ids = [json.loads(answer.body)["id"] for answer in answers]

        def opened() -> dict[str, str] | None:
            found = {item.event_id: item.item_id for item in open_review_items(clients, table)}
            return found if set(event_ids) <= set(found) else None

        found = eventually(opened)
        assert found, "the events did not come into review"
        receiver.answer_with(BROKEN, 200)
        yield {name: found[event_id] for name, event_id in zip(NAMES, event_ids, strict=True)}
    finally:
        receiver.answer_with(BROKEN, 200)
        clients.dynamodb.delete_item(TableName=table, Key={"item_id": {"S": SETTINGS}})


@pytest.fixture(name="holder", scope="module")
def _holder(demonstration: Demonstration, clients: Clients, outputs: dict[str, Any]) -> Callable[[str], Operator]:
    """Somebody with one of the policies, and nothing else."""
    made: dict[str, Operator] = {}

    def holder(policy: str) -> Operator:
        if policy not in made:
            made[policy] = with_policy(
                demonstration.paths, clients, f"may-{policy}", outputs["operator_policies"][policy]
            )
        return made[policy]

    return holder


@pytest.fixture(name="edited", scope="module")
def _edited(items: Mapping[str, str], demonstration: Demonstration, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An item's event, corrected, in a file."""
    draft = Operator(demonstration.paths, {}).run("review", "edit", items["to-edit"], "--draft")
    document = json.loads(draft.out)
    document["data"]["mended"] = "well"
    file = tmp_path_factory.mktemp("edit") / "event.json"
    file.write_text(json.dumps(document))
    return file


@pytest.fixture(name="look", scope="module")
def _look(clients: Clients, outputs: dict[str, Any]) -> Callable[[str], ReviewItem]:
    """An item as the table has it."""
    table = DynamoReviewTable(clients.dynamodb, outputs["review_table_name"])

    def look(item_id: str) -> ReviewItem:
        found = table.get_summary(item_id)
        assert found is not None
        return found

    return look


@pytest.fixture(name="versions")
def _versions(look: Callable[[str], ReviewItem], items: Mapping[str, str]) -> Callable[[], list[int]]:
    """The versions of the items: what changes one, counts it on."""
    return lambda: [look(item_id).version for item_id in items.values()]


def is_refused(said: Said) -> bool:
    """Whether IAM refused, and a person is told so in a few words."""
    output = said.out + said.err
    return said.status == 1 and "AccessDenied" in output and "Traceback" not in output


def refused_all(operator: Operator, *commands: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Those of the commands that IAM did not refuse."""
    return [command for command in commands if not is_refused(operator.run(*command))]


# --- who may only look -------------------------------------------------------------------------------------------


@pytest.mark.attack("I1")
def test_metadata_shows_what_failed_and_not_what_is_in_it(holder, items, versions):
    operator, item, before = holder("metadata"), items["to-retry"], versions()
    listed = operator.run("review", "list", "--json")
    assert set(items.values()) <= {one["item_id"] for one in listed.document["items"]}
    partner = listed.document["items"][0]["partner"]
    of_partner = operator.run("review", "list", "--partner", partner, "--json").document["items"]
    assert {one["partner"] for one in of_partner} == {partner}
    shown = operator.run("review", "show", item, "--json")
    assert (shown.status, shown.document["error_code"]) == (0, "http-410")
    for said in (listed, shown, operator.run("review", "export", "--format", "jsonl")):
        assert said.status == 0
        assert SECRET_WORD not in said.out
    assert SECRET_WORD in holder("read").run("review", "show", item, "--json").out
    assert refused_all(operator, ("review", "retry", item), ("review", "note", item, "x")) == []
    assert versions() == before


@pytest.mark.attack("I2")
def test_read_shows_everything_and_changes_nothing(holder, items, edited, versions):
    operator, item, before = holder("read"), items["to-retry"], versions()
    shown = operator.run("review", "show", item, "--json").document
    assert SECRET_WORD in shown["body"]
    group = shown["group_id"]
    by_partner = [["groups", "--by", "partner"], ["list", "--partner", "mux"]]
    for command in (["groups"], ["audit", item], ["retry", "--group", group, "--dry-run"], *by_partner):
        said = operator.run("review", *command, "--json")
        assert said.status == 0, said.err
    doing: list[tuple[str, ...]] = [
        ("review", "retry", item, "--reason", "x"),
        ("review", "retry", "--group", group, "--limit", "1", "--reason", "x"),
        ("review", "archive", item, "--reason", "x"),
        ("review", "note", item, "x"),
        ("review", "edit", items["to-edit"], "--body", str(edited), "--yes", "--reason", "x"),
    ]
    assert refused_all(operator, *doing) == []
    assert versions() == before


# --- who may do something ----------------------------------------------------------------------------------------


@pytest.mark.attack("I3")
def test_replay_sends_one_and_many_and_no_past_events(holder, items, look):
    operator, item = holder("retry"), items["to-retry"]
    assert operator.run("review", "note", item, "the tool is back").status == 0
    replayed = operator.run("review", "retry", item, "--reason", "the tool is back")
    assert (replayed.status, f"delivered to {BROKEN}" in replayed.out) == (0, True), replayed.err
    entries = operator.run("review", "audit", item, "--json").document
    assert [(entry["action"], entry["by"].rpartition("/")[2]) for entry in entries] == [
        ("retry", "may-retry"),
        ("retry asked for", "may-retry"),
        ("note", "may-retry"),
    ]
    group = look(item).group_id
    # Nothing of it failed in the last second: it is the operation's row that must be allowed.
    many = operator.run("review", "retry", "--group", group, "--since", "1s", "--reason", "a trial", "--json")
    assert (many.status, many.document["state"], many.document["taken"]) == (0, "completed", 0)
    past = operator.run("archive-replay", "start", "--since", "1h", "--partner", "mux", "--settle", "0")
    assert past.status == 1
    assert "access" in past.err.lower()


@pytest.mark.attack("I4")
def test_edit_sends_a_corrected_event_within_the_type_s_schema(holder, items, edited, look):
    operator, item = holder("edit"), items["to-edit"]
    unfit = edited.with_name("unfit.json")
    unfit.write_text(edited.read_text().replace('"mended"', '"mangled"'))
    tried = operator.run("review", "edit", item, "--body", str(unfit), "--yes", "--reason", "x")
    assert (tried.status, "mended" in tried.err) == (1, True)
    sent = operator.run("review", "edit", item, "--body", str(edited), "--yes", "--reason", "it was mended", "--json")
    assert (sent.status, sent.document["result"]) == (0, "delivered"), sent.err
    assert (look(item).status, look(item).superseded_by) == ("SUPERSEDED", sent.document["event_id"])


@pytest.mark.attack("I5")
def test_administer_archives_and_restores_and_sends_nothing(holder, items, receiver, look):
    operator, item, before = holder("administer"), items["to-archive"], len(receiver.requests())
    for does, status in (("archive", "ARCHIVED"), ("restore", "OPEN")):
        assert operator.run("review", does, item, "--reason", "a trial").status == 0
        assert look(item).status == status
    # It asked, and could not send: the item waits as before.
    assert is_refused(operator.run("review", "retry", item, "--reason", "x"))
    assert look(item).status == "OPEN"
    assert len(receiver.requests()) == before


@pytest.mark.attack("I6")
def test_who_may_replay_the_archive_and_repeat_effects_changes_no_item(holder, items, versions):
    # It includes `replay_archive`.
    operator, item, before = holder("repeat_effects"), items["to-archive"], versions()
    assert operator.run("review", "show", item).status == 0
    assert refused_all(operator, ("review", "retry", item), ("review", "archive", item, "--reason", "x")) == []
    assert versions() == before


# --- by page -----------------------------------------------------------------------------------------------------


def test_the_page_shows_metadata_s_holder_the_rest_and_names_the_policy_that_is_missing(holder, items, versions):
    item, before = items["to-archive"], versions()
    with holder("metadata").page() as link:
        visitor = Visitor.enter(link)
        status, page = visitor.get(f"/items/{item}")
        assert (status, "you may see everything but bodies" in page) == (200, True)
        assert "http-410" in page
        assert SECRET_WORD not in page
        for action, policy in (("retry", "retry"), ("archive", "administer")):
            status, page = visitor.post(f"/items/{item}", f"/items/{item}/{action}", version="1", reason="x")
            assert (status, "You may not see or do this" in page) == (403, True)
            assert f"operator_policies.{policy}" in page
    assert versions() == before


def test_the_page_tells_who_may_see_nothing_which_policy_to_ask_for(demonstration, clients: Clients, items):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    nobody = with_policy(demonstration.paths, clients, "may-nothing", json.dumps(policy))
    with nobody.page() as link:
        visitor = Visitor.enter(link)
        for path in ("/", "/items", f"/items/{items['to-archive']}", "/operations"):
            status, page = visitor.get(path)
            assert (status, "operator_policies.read" in page) == (403, True), path
            assert SECRET_WORD not in page


# --- item by item ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["metadata", "read", "retry", "edit", "administer"])
def test_every_page_is_there_for_who_may_look(holder, items, look, policy):
    ids = look(items["to-archive"]).group_ids
    of_groups = [
        path for name, group in ids.items() for path in (f"/failures?by={name}", f"/groups/{group}", f"/items?{name}=x")
    ]
    with holder(policy).page() as link:
        visitor = Visitor.enter(link)
        for path in ("/", *of_groups, "/items", f"/items/{items['to-archive']}", "/operations"):
            assert visitor.get(path)[0] == 200, path


@pytest.mark.attack("I1")
@pytest.mark.attack("I2")
@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ("metadata", set()),
        ("read", set()),
        ("retry", {"operation"}),
        ("edit", {"edit"}),
        ("administer", {"operation"}),
        ("archive_replay", {"operation"}),
        ("repeat_effects", {"operation"}),
    ],
)
def test_each_policy_keeps_what_its_work_needs_and_changes_none_of_it(holder, clients, outputs, policy, kept):
    """No request changes anything: each has a condition that holds for no item."""
    keys = holder(policy).variables
    session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=keys["AWS_REGION"])
    dynamodb = session.client("dynamodb", endpoint_url=clients.record.endpoint, verify=clients.record.ca_bundle)
    kinds = ("audit", "operation", "edit", "settings", "hour", "group")

    def may(operation: str, kind: str) -> bool:
        what: dict[str, Any] = {"Item" if operation == "put_item" else "Key": {"item_id": {"S": f"{kind}/x"}}}
        if operation == "update_item":
            what |= {"UpdateExpression": "SET hop = :hop", "ExpressionAttributeValues": {":hop": {"S": "x"}}}
        never = {"ConditionExpression": "attribute_exists(item_id) AND attribute_not_exists(item_id)"}
        with pytest.raises(ClientError) as refused:
            getattr(dynamodb, operation)(TableName=outputs["review_table_name"], **what, **never)
        code = refused.value.response["Error"]["Code"]
        assert code in {"AccessDeniedException", "ConditionalCheckFailedException"}
        return bool(code == "ConditionalCheckFailedException")

    assert {kind for kind in kinds if may("put_item", kind)} == kept
    changes = {"group"} if policy in {"retry", "edit", "administer"} else set()
    assert {kind for kind in kinds if may("update_item", kind)} == changes
    assert {kind for kind in kinds if may("delete_item", kind)} == set()


@pytest.mark.attack("I1")
def test_metadata_may_not_read_an_item_whole(holder, clients, outputs, items):
    keys = holder("metadata").variables
    session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=keys["AWS_REGION"])
    dynamodb = session.client("dynamodb", endpoint_url=clients.record.endpoint, verify=clients.record.ca_bundle)
    item = {"TableName": outputs["review_table_name"], "Key": {"item_id": {"S": items["to-archive"]}}}

    assert dynamodb.get_item(**item, ProjectionExpression="hop")["Item"]
    for asked in ({}, {"ProjectionExpression": "hop, body"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            dynamodb.get_item(**item, **asked)


def test_who_may_retry_keeps_no_edited_event_and_retries_many(demonstration, holder, items, look, tmp_path):
    operator, item = holder("retry"), items["to-archive"]
    document = json.loads(Operator(demonstration.paths, {}).run("review", "edit", item, "--draft").out)
    document["data"]["mended"] = "well"
    file = tmp_path / "event.json"
    file.write_text(json.dumps(document))
    assert is_refused(operator.run("review", "edit", item, "--body", str(file), "--yes", "--reason", "x"))
    assert look(item).status == "OPEN"

    # The operation's row is kept and written anew, the items and their groups are changed.
    many = operator.run("review", "retry", "--group", look(item).group_id, "--limit", "1", "--reason", "x", "--json")
    assert (many.status, many.document["state"], many.document["taken"]) == (0, "completed", 1), many.err
