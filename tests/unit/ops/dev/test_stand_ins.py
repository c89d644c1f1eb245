"""Other people's systems in a synthesised stack, and what stands in for them."""

from __future__ import annotations

import json

from media_events_kit.ops.dev.stand_ins import CONNECTION, auth_of, played, with_arns

RECEIVER = "http://127.0.0.1:18900"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-signing-AbCdEf"


def stack(**targets):
    routes = {f"to-{name}": {"destination": name, "target": target} for name, target in targets.items()}
    return {"module": {"router": {"routes": routes, "transforms": {}}, "bus": {"name": "media-local"}}}


def target_of(document, name):
    (settings,) = document["module"]["router"]["routes"][f"to-{name}"]["target"].values()
    return settings


def play(**targets):
    return played(stack(**targets), region="us-east-1", receiver=RECEIVER)


def test_a_system_of_somebody_s_is_called_at_the_receiver():
    auth = {"type": "oauth2-client-credentials", "secret_arn": SECRET, "token_url": "https://login.example.com/token"}
    http = {"url": "https://cms.example.com/events", "auth": auth, "tls": {"ca_secret_arn": SECRET}}
    document, found = play(cms={"http": http})

    settings = target_of(document, "cms")
    assert found.receivers == {"cms": "https://cms.example.com/events"}
    assert settings["url"] == f"{RECEIVER}/cms"
    assert (settings["allow_http"], settings["allowed_private_cidrs"]) == (True, ["127.0.0.0/8"])
    assert settings["auth"]["token_url"] == f"{RECEIVER}/cms/_token"
    assert "tls" not in settings
    assert found.secrets == [SECRET]


def test_an_api_destination_is_called_at_the_receiver_with_a_connection_of_the_local_cloud():
    auth = {"type": "api-key", "header": "X-Key", "secret_arn": SECRET}
    document, found = play(crm={"api_destination": {"url": "https://crm.example.com/", "auth": auth}})

    local = with_arns(document, {CONNECTION: "arn:made"})

    settings = {"url": f"{RECEIVER}/crm", "allow_http": True, "connection": {"arn": "arn:made"}}
    assert target_of(local, "crm") == settings
    assert (found.connections, found.secrets) == ([CONNECTION], [])


def test_one_s_own_system_on_this_machine_is_left_alone():
    for url in ("http://127.0.0.1:9000/cms", "http://localhost:9000/cms", "http://[::1]:9000/cms"):
        document, found = play(cms={"http": {"url": url}})
        assert target_of(document, "cms") == {"url": url}
        assert found.receivers == {}


def test_a_resource_of_another_account_is_one_of_the_local_account():
    queue = "arn:aws:sqs:eu-west-1:123456789012:planning.fifo"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/planning.fifo"
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:ingest"
    document, found = play(
        planning={"sqs": {"queue_arn": queue, "queue_url": url}},
        ingest={"step_functions": {"state_machine_arn": machine}},
    )

    local = "arn:aws:sqs:us-east-1:000000000000:planning.fifo"
    assert target_of(document, "planning") == {
        "queue_arn": local,
        "queue_url": "https://sqs.us-east-1.amazonaws.com/000000000000/planning.fifo",
    }
    assert found.resources == {
        local: "sqs",
        "arn:aws:states:us-east-1:000000000000:stateMachine:ingest": "step_functions",
    }


def test_what_the_stack_itself_makes_is_left_alone():
    target = {"step_functions": {"state_machine_arn": "${module.machine-ingest.state_machine_arn}"}}
    document, found = play(ingest=target)
    assert document == stack(ingest=target)
    assert not found.resources


def test_secrets_are_replaced_in_steps_too():
    document = stack(cms={"http": {"url": "http://127.0.0.1:1/", "auth": {"type": "basic", "secret_arn": SECRET}}})
    document["module"]["router"]["transforms"]["shape"] = {"steps": json.dumps([{"lookup": {"secret_arn": SECRET}}])}
    _, found = played(document, region="us-east-1", receiver=RECEIVER)
    assert found.secrets == [SECRET]
    assert dict(auth_of(document)) == {SECRET: "basic"}

    local = with_arns(document, {SECRET: "arn:local"})

    assert SECRET not in json.dumps(local)
    assert json.dumps(local).count("arn:local") == 2
    assert local["module"]["bus"] == document["module"]["bus"]
