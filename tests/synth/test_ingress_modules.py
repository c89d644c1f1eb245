"""What the ways in of a workflow come to in Terraform's JSON."""

import json
from typing import Any

import pytest

WAYS = """\
name: media
ingress:
  webhook: {type: webhook}
  queue: {type: sqs, fifo: true, senders: {Mam: {account_ids: ["210987654321"]}}, failure: {max_receive_count: 9}}
  theirs: {type: sqs, existing_queue: {arn: "arn:aws:sqs:eu-west-1:210987654321:events.fifo", age_alarm: false}}
  topic: {type: sns-fifo, topic_archive_days: 7, replay: {since: "2026-11-23T10:00:00Z"}}
  plain: {type: sns-fifo, existing_topic_arn: "arn:aws:sns:eu-west-1:210987654321:events", filter_policy: {kind: [a]}}
  saas: {type: partner-bus, event_source_name: aws.partner/acme.example/tenant/events, archive: {retention_days: 5}}
  apps: {type: custom-bus, senders: {Acme: {account_ids: ["210987654321"], sources: [com.acme]}}}
  services: {type: aws-services, enabled: false}
partners:
  mux: {specification: mux, ingress: [queue, webhook]}
  bitmovin: {specification: bitmovin, ingress: theirs}
  one: {specification: &own {id: body.id, type: body.type}, ingress: topic}
  two: {specification: *own, ingress: plain}
  three: {specification: *own, ingress: saas}
  acme: {ingress: apps, sources: [com.acme]}
  mediaconvert:
    specification: mediaconvert
    ingress: services
    sources: [aws.mediaconvert]
    pattern: {detail: {status: [COMPLETE]}}
failure:
  retry: {base_seconds: 2}
environments:
  dev: {region: eu-west-1}
"""


@pytest.fixture(name="stack")
def _stack(synthesise) -> Any:
    return synthesise(WAYS)["dev"]


def test_every_way_in_is_a_module(stack):
    modules = {name: module["source"].rsplit("/", 1)[1] for name, module in stack.document["module"].items()}

    assert {name: source for name, source in modules.items() if name.startswith("ingress")} == {
        "ingress": "ingress-apigw",
        "ingress-queue": "ingress-sqs",
        "ingress-theirs": "ingress-sqs",
        "ingress-topic": "ingress-sns-fifo",
        "ingress-plain": "ingress-sns-fifo",
        "ingress-saas": "bus-partner",
        "ingress-apps": "ingress-bus",
        "ingress-services": "ingress-bus",
    }
    assert {stack.module(f"ingress-{name}")["name"] for name in ("queue", "saas")} == {
        "media-dev-queue",
        "media-dev-saas",
    }
    assert {stack.module(name)["lambda_package"] for name in modules if name.startswith("ingress")} == {
        "${module.package.lambda_package}"
    }


def test_queue_of_ours_and_somebody_elses(stack):
    ours, theirs = stack.module("ingress-queue"), stack.module("ingress-theirs")

    assert (ours["fifo"], ours["partner"], ours["specification"]) == (True, "mux", '{"preset":"mux"}')
    assert ours["senders"] == {"Mam": {"account_ids": ["210987654321"], "role_arns": []}}
    assert "existing_queue" not in ours
    assert theirs["fifo"] is True
    assert theirs["existing_queue"] == {
        "arn": "arn:aws:sqs:eu-west-1:210987654321:events.fifo",
        "url": "https://sqs.eu-west-1.amazonaws.com/210987654321/events.fifo",
        "age_alarm": False,
    }


def test_topic_of_ours_and_the_partners(stack):
    ours, theirs = stack.module("ingress-topic"), stack.module("ingress-plain")

    assert (ours["fifo"], ours["topic_archive_days"], ours["replay"]["from"]) == (True, 7, "2026-11-23T10:00:00Z")
    assert (theirs["fifo"], theirs["existing_topic_arn"]) == (False, "arn:aws:sns:eu-west-1:210987654321:events")
    assert json.loads(theirs["filter_policy"]) == {"kind": ["a"]}


def test_buses(stack):
    saas, apps, services = (stack.module(f"ingress-{name}") for name in ("saas", "apps", "services"))

    assert (saas["event_source_name"], saas["partner"]) == ("aws.partner/acme.example/tenant/events", "three")
    assert saas["archive"] == {"retention_days": 5}
    assert (apps["bus_name"], services["bus_name"]) == ("${module.bus.bus_name}", "default")
    # Without a specification the function takes nothing but the envelope.
    assert apps["partners"] == {"acme": {"sources": ["com.acme"]}}
    assert services["partners"]["mediaconvert"] == {
        "sources": ["aws.mediaconvert"],
        "specification": '{"preset":"mediaconvert"}',
        "pattern": '{"detail":{"status":["COMPLETE"]}}',
    }
    assert services["enabled"] is False
    assert stack.module("bus")["producers"] == {
        "Acme": {"account_ids": ["210987654321"], "role_arns": [], "sources": ["com.acme"]}
    }


def test_failures_are_the_workflows_but_for_what_an_entry_says(stack):
    assert (stack.module("ingress-queue")["max_receive_count"], stack.module("ingress-topic")["max_receive_count"]) == (
        9,
        5,
    )
    assert stack.module("ingress-queue")["retry"]["base_seconds"] == 2
    # Ways in have their queue in any case.
    assert [name for name, module in stack.document["module"].items() if "function_retry" in module] == []


def test_entries_that_a_partner_has_in_common_share_the_webhooks_ledger_and_others_have_their_own(stack):
    modules = stack.document["module"]

    assert modules["ingress-queue"]["ledger_table"] == {
        "name": "${module.ingress.ledger_table_name}",
        "arn": "${module.ingress.ledger_table_arn}",
    }
    assert [name for name, module in modules.items() if "ledger_table" in module] == ["ingress-queue"]


def test_entries_without_a_webhook_share_the_firsts_ledger(synthesise):
    text = WAYS.replace("entry: [queue, webhook]", "entry: [topic, queue]").replace(
        "  one: {specification: &own {id: body.id, type: body.type}, ingress: topic}\n", ""
    )
    text = text.replace(
        "specification: *own, ingress: plain", "specification: &own {id: body.id, type: body.type}, ingress: plain"
    )
    stack = synthesise(text)["dev"]

    assert "ingress" not in stack.document["module"]
    assert stack.module("ingress-topic")["ledger_table"]["name"] == "${module.ingress-queue.ledger_table_name}"
    assert "ledger_table" not in stack.module("ingress-queue")


def test_review_attends_to_the_dead_letters_of_every_way_in(stack):
    queues = stack.module("review")["dead_letter_queues"]

    for name in ("ingress", "ingress-queue", "ingress-theirs", "ingress-topic", "ingress-saas", "ingress-services"):
        assert f"module.{name}.dead_letter_queues" in queues


def test_where_to_send_and_what_senders_need_comes_out(stack):
    outputs = stack.document["output"]

    assert outputs["entry_queue_urls"]["value"] == {
        "queue": "${module.ingress-queue.queue_url}",
        "theirs": "${module.ingress-theirs.queue_url}",
    }
    assert outputs["entry_topic_arns"]["value"]["topic"] == "${module.ingress-topic.topic_arn}"
    assert outputs["partner_bus_names"]["value"] == {"saas": "${module.ingress-saas.bus_name}"}
    assert outputs["entry_policies"]["value"] == {
        "queue": "${module.ingress-queue.sender_policy}",
        "theirs": "${module.ingress-theirs.existing_queue_policy}",
        "topic": "${module.ingress-topic.publisher_policy}",
        "plain": "${module.ingress-plain.existing_topic_policy}",
    }
    for hop in ("ingress/media-dev-queue", "ingress/media-dev-services", "ingress/media-dev-webhook"):
        assert hop in outputs["functions"]["value"]
        assert hop in outputs["log_group_names"]["value"]


def test_entry_that_no_partner_takes_is_not_made(synthesise):
    stack = synthesise(WAYS.replace("  bitmovin: {specification: bitmovin, ingress: theirs}\n", ""))["dev"]

    assert "ingress-theirs" not in stack.document["module"]


STRAIGHT = """\
name: media
ingress:
  saas: {type: partner-bus, event_source_name: aws.partner/acme.example/tenant/events, transform: false}
  apps: {type: custom-bus}
partners:
  acme:
    specification: {id: body.id, type: body.type}
    ingress: [saas, apps]
    sources: [aws.partner/acme.example/tenant/events]
environments:
  dev: {region: eu-west-1}
"""


def test_partners_events_may_go_straight_to_the_bus_and_be_taken_into_the_envelope_there(synthesise):
    stack = synthesise(STRAIGHT)["dev"]

    saas, apps = stack.module("ingress-saas"), stack.module("ingress-apps")
    assert saas["transform"] is False
    assert (saas["bus_arn"], saas["sources"]) == ("${module.bus.bus_arn}", ["aws.partner/acme.example/tenant/events"])
    assert not {"partner", "specification", "ledger_table"} & saas.keys()
    assert apps["partners"]["acme"]["sources"] == ["aws.partner/acme.example/tenant/events"]
    assert "ledger_table" not in apps


def test_way_without_a_function_has_no_function_log_or_ledger_but_dead_letters(synthesise):
    stack = synthesise(STRAIGHT)["dev"]

    outputs = json.dumps({name: stack.document["output"][name] for name in ("functions", "log_group_names")})
    assert "ingress-saas" not in outputs
    assert "ingress-apps" in outputs
    assert stack.document["output"]["ledger_table_names"]["value"] == (
        "${distinct(compact([module.ingress-apps.ledger_table_name]))}"
    )
    assert "module.ingress-saas.dead_letter_queues" in stack.module("review")["dead_letter_queues"]
    assert stack.document["output"]["partner_bus_names"]["value"] == {"saas": "${module.ingress-saas.bus_name}"}
