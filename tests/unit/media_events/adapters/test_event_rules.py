"""Whether a rule takes an event, by what EventBridge says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from media_events.adapters.event_rules import EventRules
from media_events.core.failures import PermanentConfigError, TransientError, UnsettledConfigError
from media_events.recovery.redrive_messages import for_route
from media_events_kit.event_patterns.matcher import matches
from tests.fakes.events import make_event

RULE = "arn:aws:events:eu-west-1:123456789012:rule/media-dev/media-dev-cms"
ASKED = {"Name": "media-dev-cms", "EventBusName": "media-dev"}
PATTERN = json.dumps(
    {
        "detail-type": ["asset.ready"],
        "region": ["eu-west-1"],
        "detail": {"metadata": {"redrive": {"route": ["route/cms"]}}},
    }
)
EVENT = for_route(make_event(id="a-1", type="asset.ready"), "route/cms", 1)


@pytest.fixture(name="aws")
def _aws() -> Iterator[Stubber]:
    client = boto3.client("events", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


class Told:
    """Equals an event that the pattern matches as ``taken`` says; the kit's own matcher stands for EventBridge's."""

    def __init__(self, *, taken: bool) -> None:
        self.taken = taken

    def __eq__(self, event: object) -> bool:
        document = json.loads(str(event))
        # What TestEventPattern demands of an event:
        # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
        required = {"id", "account", "source", "time", "region", "resources", "detail-type"}
        return required <= document.keys() and matches(json.loads(PATTERN), document) == self.taken

    __hash__ = None  # type: ignore[assignment]  # it stands for many events


def test_event_that_the_pattern_matches_is_taken(aws):
    aws.add_response("describe_rule", {"State": "ENABLED", "EventPattern": PATTERN}, ASKED)
    aws.add_response("test_event_pattern", {"Result": True}, {"EventPattern": PATTERN, "Event": Told(taken=True)})

    EventRules(aws.client).require_taken(RULE, EVENT)


def test_rule_of_the_default_bus_has_no_bus_in_its_arn(aws):
    aws.add_response(
        "describe_rule", {"State": "ENABLED", "EventPattern": PATTERN}, ASKED | {"EventBusName": "default"}
    )
    aws.add_response("test_event_pattern", {"Result": True})

    EventRules(aws.client).require_taken("arn:aws:events:eu-west-1:123456789012:rule/media-dev-cms", EVENT)


def test_event_that_the_pattern_does_not_match_any_more_is_not_taken(aws):
    other = for_route(make_event(id="a-2", type="asset.gone"), "route/cms", 1)
    aws.add_response("describe_rule", {"State": "ENABLED", "EventPattern": PATTERN}, ASKED)
    aws.add_response("test_event_pattern", {"Result": False}, {"EventPattern": PATTERN, "Event": Told(taken=False)})

    with pytest.raises(PermanentConfigError) as refused:
        EventRules(aws.client).require_taken(RULE, other)

    assert refused.value.code == "not-taken"


def test_rule_that_is_disabled_takes_nothing(aws):
    aws.add_response("describe_rule", {"State": "DISABLED", "EventPattern": PATTERN}, ASKED)

    with pytest.raises(PermanentConfigError) as refused:
        EventRules(aws.client).require_taken(RULE, EVENT)

    assert refused.value.code == "rule-disabled"


def test_rule_that_is_gone_takes_nothing(aws):
    aws.add_client_error("describe_rule", "ResourceNotFoundException", expected_params=ASKED)

    with pytest.raises(PermanentConfigError) as refused:
        EventRules(aws.client).require_taken(RULE, EVENT)

    assert (refused.value.code, type(refused.value)) == ("rule-gone", PermanentConfigError)


@pytest.mark.parametrize(
    ("code", "failure"), [("AccessDeniedException", UnsettledConfigError), ("InternalException", TransientError)]
)
@pytest.mark.parametrize("call", ["describe_rule", "test_event_pattern"])
def test_rule_that_can_not_be_asked_about_is_a_failure_that_may_pass(aws, call, code, failure):
    if call == "test_event_pattern":
        aws.add_response("describe_rule", {"State": "ENABLED", "EventPattern": PATTERN}, ASKED)
    aws.add_client_error(call, code)

    with pytest.raises(failure):
        EventRules(aws.client).require_taken(RULE, EVENT)
