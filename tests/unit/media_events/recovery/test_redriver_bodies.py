"""What an open item needs stays for as long as it is open, also what its event only points at."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

from media_events.adapters.s3.bodies import S3Bodies, bodies_of
from media_events.core.failures import SETTLING_SECONDS, PermanentDataError, TransientError, UnsettledConfigError
from media_events.events.claim_check import restore
from tests.fakes.dead_letters import record
from tests.fakes.hop import FakeBodies
from tests.fakes.recovery import ACCOUNT, URL, World, queue
from tests.fakes.review_items import make_item

SENT = 1_795_435_200.0
DUE = SENT + 4000
CONTENT = b'{"asset":{"id":"asset-1"},"padding":"..."}'


def pointing(dataref):
    """A letter for a person, whose event has its body elsewhere."""
    made = record("consumer") | {"messageId": "m-1"}
    made["messageAttributes"]["redrivecount"] = {"stringValue": "3", "dataType": "Number"}
    body = json.loads(made["body"])
    body["detail"]["metadata"]["dataref"] = dataref
    return made | {"body": json.dumps(body)}


def world_with_events():
    world = World(now=DUE)
    world.event_bodies = FakeBodies()
    return world, world.event_bodies.put(CONTENT)


def test_an_item_keeps_a_copy_of_the_body_that_its_event_points_at():
    world, uri = world_with_events()
    assert world.handle_batch(pointing(uri)) == []
    (item,) = world.table.items.values()
    assert world.bodies.get(item.retained_bodies[uri]) == CONTENT


@pytest.mark.parametrize("dataref", ["s3://elsewhere/secret", "s3://bodies/kept/" + "0" * 64, "file:///etc/passwd"])
def test_a_pointer_that_is_not_ours_or_leads_nowhere_keeps_no_item_from_being_opened(dataref):
    world, _ = world_with_events()
    assert world.handle_batch(pointing(dataref)) == []
    (item,) = world.table.items.values()
    assert item.retained_bodies == {}
    assert world.report.fields("body not stored")


def test_a_bucket_that_does_not_answer_leaves_the_dead_letter():
    world, uri = world_with_events()

    def down(_uri):
        raise TransientError("aws-SlowDown", "later")

    world.event_bodies.get = down
    assert world.handle_batch(pointing(uri)) == ["m-1"]
    assert world.table.items == {}


def test_a_bucket_that_refuses_leaves_the_dead_letter_only_while_a_permission_may_spread():
    world, uri = world_with_events()

    def denied(_uri):
        raise UnsettledConfigError("aws-AccessDenied", "no")

    world.event_bodies.get = denied
    world.clock.now = SENT + SETTLING_SECONDS - 1
    assert world.handle_batch(pointing(uri)) == ["m-1"]
    assert world.table.items == {}
    world.clock.now = SENT + SETTLING_SECONDS + 1
    assert world.handle_batch(pointing(uri)) == []
    assert [item.retained_bodies for item in world.table.items.values()] == [{}]


def test_a_requests_body_elsewhere_is_kept_too():
    world, uri = world_with_events()
    made = record("webhook-request")
    made["body"] = json.dumps({"request": {"id": "request-1", "partner": "mux", "bodyref": uri}})
    assert world.handle_batch(made) == []
    (item,) = world.table.items.values()
    assert world.bodies.get(item.retained_bodies[uri]) == CONTENT


def test_a_partners_body_elsewhere_is_kept_too():
    place = queue("in-dlq", hop="ingress/in", destination="bus", queue_url=URL + "in")
    world = World(place, now=DUE)
    world.event_bodies = FakeBodies()
    uri = world.event_bodies.put(CONTENT)
    origin = json.dumps({"id": "m-0", "bodyref": uri})
    failure = record("webhook-request")["messageAttributes"]["failure"]
    made = record("junk") | {
        "body": json.dumps({"bodyref": uri}),
        "eventSourceARN": ACCOUNT + "in-dlq",
        "messageAttributes": {"origin": {"stringValue": origin, "dataType": "String"}, "failure": failure},
    }
    assert world.handle_batch(made) == []
    (item,) = world.table.items.values()
    assert world.bodies.get(item.retained_bodies[uri]) == CONTENT


def test_a_copy_is_put_back_before_the_event_goes_back():
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        s3.create_bucket(Bucket="kit")
        events = S3Bodies(s3, "s3://kit/bodies/events/")
        uri = events.put(CONTENT)
        item = make_item()
        own = S3Bodies(s3, bodies_of("s3://kit/bodies/review/", item.item_id)).put(CONTENT)
        assert own.startswith(f"s3://kit/bodies/review/{item.item_id}/")
        s3.delete_object(Bucket="kit", Key=uri.removeprefix("s3://kit/"))
        with pytest.raises(PermanentDataError):
            events.get(uri)

        restore({uri: own}, lambda address: S3Bodies(s3, address.rpartition("/")[0]))

        assert events.get(uri) == CONTENT


def test_two_items_with_one_body_have_a_copy_each():
    uris = {bodies_of("s3://kit/bodies/review/", item_id) for item_id in ("a", "b")}
    assert uris == {"s3://kit/bodies/review/a/", "s3://kit/bodies/review/b/"}
