"""Executions: one per event, named after it."""

from __future__ import annotations

import json
import re

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from media_events.adapters.step_functions.executions import StepFunctions
from media_events.core.envelope import Redrive
from media_events.core.failures import PermanentConfigError, PermanentDataError, TransientError
from media_events.delivery.aws.step_functions import (
    MAX_INPUT_BYTES,
    StepFunctionsDelivery,
    execution_input,
    execution_name,
)
from media_events.delivery.config import StepFunctionsDestination
from tests.fakes.events import make_event

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:ingest"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:ingest:"


@given(st.text(min_size=1, max_size=300))
def test_a_name_is_always_valid(event_id):
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", execution_name("partner.mux", event_id, "ingest"))


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_two_ids_never_share_a_name(one, other):
    assert (execution_name("s", one, "d") == execution_name("s", other, "d")) == (one == other)


def test_two_destinations_never_share_a_name():
    assert execution_name("partner.mux", "evt-1", "a") != execution_name("partner.mux", "evt-1", "b")


def test_two_partners_events_of_one_id_start_an_execution_each():
    assert execution_name("partner.mux", "17", "a") != execution_name("partner.zencoder", "17", "a")


def test_the_id_can_be_read_in_the_name():
    assert execution_name("partner.mux", "msg_abc.1", "ingest").startswith("msg_abc-1-")


def test_the_input_is_the_detail_without_our_own_marks():
    event = make_event(redrive=Redrive("route/ingest", 1))
    assert json.loads(execution_input(event)) == make_event().to_detail()


def test_a_large_body_gives_way_to_its_reference():
    event = make_event(data={"x": "y" * MAX_INPUT_BYTES}, dataref="s3://bucket/bodies/abc")
    document = json.loads(execution_input(event))
    assert (document["data"], document["metadata"]["dataref"]) == (None, "s3://bucket/bodies/abc")


def test_a_large_body_without_a_reference_is_the_events_fault():
    with pytest.raises(PermanentDataError) as refused:
        execution_input(make_event(data={"x": "é" * (MAX_INPUT_BYTES // 2)}))
    assert refused.value.code == "input-too-large"


def test_data_that_json_can_not_say_is_the_events_fault():
    with pytest.raises(PermanentDataError) as refused:
        execution_input(make_event(data={"x": float("inf")}))
    assert refused.value.code == "not-json"


class Client:
    def __init__(self, error=None):
        self.error = error
        self.started = []

    def start_execution(self, **arguments):
        self.started.append(arguments)
        if self.error is not None:
            raise self.error
        return {"executionArn": EXECUTION + arguments["name"]}


def deliver(client):
    destination = StepFunctionsDestination(name="ingest", state_machine_arn=MACHINE)
    return StepFunctionsDelivery(destination, StepFunctions(client)).deliver(make_event(), seconds_left=10)


def refusal(code):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "StartExecution")


def test_an_execution_is_started():
    client = Client()
    name = execution_name("partner.mux", "evt-1", "ingest")
    assert deliver(client) == {"execution_arn": EXECUTION + name}
    assert client.started[0]["stateMachineArn"] == MACHINE


def test_an_execution_that_exists_is_success():
    assert deliver(Client(refusal("ExecutionAlreadyExists"))) == {
        "execution_arn": EXECUTION + execution_name("partner.mux", "evt-1", "ingest")
    }


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal("StateMachineDoesNotExist"), PermanentConfigError),
        (refusal("AccessDeniedException"), PermanentConfigError),
        (refusal("InvalidExecutionInput"), PermanentDataError),
        (refusal("ThrottlingException"), TransientError),
        (refusal("ExecutionLimitExceeded"), TransientError),
        (ConnectTimeoutError(endpoint_url="https://states"), TransientError),
    ],
)
def test_a_refusal_has_its_class(error, kind):
    with pytest.raises(kind):
        deliver(Client(error))
