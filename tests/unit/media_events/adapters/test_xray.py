"""Segments on their way to the daemon, and the header of AWS calls."""

from __future__ import annotations

import json
import socket

import boto3
import pytest

from media_events.adapters.xray import XRayDaemon, carry

INVOCATION = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
EVENT = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"


def test_segment_arrives_behind_the_daemons_header():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(5)

        XRayDaemon(lambda: f"127.0.0.1:{daemon.getsockname()[1]}").send({"name": "ingress/é"})

        header, _, segment = daemon.recv(65_536).partition(b"\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    assert json.loads(segment) == {"name": "ingress/é"}


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:x", "127.0.0.1:9", "256.0.0.1:2000", "127.0.0.1:99999"])
def test_daemon_that_is_not_there_takes_nothing_away(address):
    daemon = XRayDaemon(lambda: address)
    daemon.send({"name": "a"})
    daemon.send({"name": "b" * 70_000})


@pytest.mark.parametrize(
    ("header", "sent"), [(EVENT, EVENT), (EVENT + ";Lineage=a:1|b:2", EVENT + ";Lineage=a:1%7Cb:2"), (None, INVOCATION)]
)
def test_call_carries_the_events_trace_and_without_one_the_invocations(monkeypatch, header, sent):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", INVOCATION)
    client = boto3.client("sqs", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    carry(client, lambda: header)
    params = {"headers": {}}

    model = client.meta.service_model.operation_model("SendMessage")
    client.meta.events.emit("before-call.sqs.SendMessage", params=params, model=model, request_signer=None)

    assert params["headers"]["X-Amzn-Trace-Id"] == sent
