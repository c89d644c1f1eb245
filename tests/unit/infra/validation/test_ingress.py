"""Ways in and partners that don't fit together, and the very words that their author reads."""

import pytest

from tests.fakes.workflows import load, problems

TEXT = """\
name: media
ingress:
  webhook: {type: webhook}
  queue: {type: sqs}
  topic: {type: sns-fifo}
  saas: {type: partner-bus, event_source_name: aws.partner/acme.example/tenant/events}
  apps: {type: custom-bus}
  services: {type: aws-services}
partners:
  mux: {specification: mux, ingress: [webhook, queue]}
  acme: {specification: &own {id: body.id, type: body.type}, ingress: topic}
  bravo: {specification: *own, ingress: saas}
  planning: {ingress: apps, sources: [com.example.planning]}
  s3: {specification: s3, ingress: services, sources: [aws.s3]}
environments:
  dev: {region: eu-west-1}
"""
QUEUE = "queue: {type: sqs}"
TOPIC = "topic: {type: sns-fifo}"
SAAS = "saas: {type: partner-bus, event_source_name: aws.partner/acme.example/tenant/events}"
PLANNING = "planning: {ingress: apps, sources: [com.example.planning]}"
THEIRS = "existing_queue: {arn: 'arn:aws:sqs:eu-west-1:210987654321:events'}"


def problems_with(old: str, new: str) -> list[str]:
    assert old in TEXT
    return problems(TEXT.replace(old, new))


def test_every_way_in_together_has_no_mistake():
    assert problems(TEXT) == []


# ------------------------------------------------------------------------------------------------- what partners say


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "ingress: [webhook, queue]",
            "ingress: [webhook, queu]",
            'line 10, partners.mux.ingress[1]: there is no entry "queu": did you mean "queue"?',
        ),
        (
            "ingress: [webhook, queue]",
            "ingress: [webhook, webhook]",
            "line 10, partners.mux.ingress: names an entry twice: once is enough",
        ),
        (
            "ingress: topic",
            "ingress: queue",
            (
                "line 11, partners.acme.ingress: mux comes in by queue already, and nothing tells their messages apart: "
                "give each an entry"
            ),
        ),
        (
            "ingress: topic",
            "ingress: topic, throttle: {rate: 1, burst: 1}",
            "line 11, partners.acme.throttle: is for a webhook; acme comes in by sns-fifo: leave it out",
        ),
        (
            "ingress: topic",
            "ingress: topic, sources: [com.acme]",
            "line 11, partners.acme.sources: is for a bus; acme comes in by sns-fifo: leave it out",
        ),
        (
            PLANNING,
            "planning: {ingress: apps}",
            (
                "line 13, partners.planning.sources: is missing: on a bus that many share, events are told apart by "
                "their `source`, such as [com.acme.mam]"
            ),
        ),
        (
            "specification: s3, ",
            "",
            (
                "line 14, partners.s3.specification: is missing: the name of a preset, a specification file, or a "
                "specification itself"
            ),
        ),
        (
            "[com.example.planning]",
            "[partner.mux]",
            (
                'line 13, partners.planning.sources[0]: "partner.mux" takes what the kit itself publishes (partner.…): '
                "events would go round in a loop"
            ),
        ),
        (
            "[com.example.planning]",
            "[aws.s3]",
            (
                "line 13, partners.planning.sources[0]: AWS services put their events on the account's default bus: "
                "use an entry of type aws-services"
            ),
        ),
        (
            PLANNING,
            PLANNING + "\n  editing: {ingress: apps, sources: ['com.example.*']}",
            (
                'line 14, partners.editing.sources[0]: "com.example.*" is also planning\'s "com.example.planning": an '
                "event can be one partner's only, and once"
            ),
        ),
        (
            "sources: [aws.s3]",
            "sources: [aws.s3], pattern: {source: [aws.s3]}",
            "line 14, partners.s3.pattern.source: belongs into the partner's sources",
        ),
    ],
)
def test_partner_that_its_way_in_cannot_serve_is_told_why(old, new, expected):
    assert problems_with(old, new) == [expected]


def test_webhook_alone_needs_verification():
    assert problems_with("ingress: topic", "ingress: [topic, webhook]") != []
    assert problems_with("ingress: saas", "ingress: webhook") != []
    assert problems(TEXT) == []


# ------------------------------------------------------------------------------------------------- what entries say


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        (QUEUE, "queue: {type: sqs, senders: {Mam: {}}}", "needs account_ids, role_arns or organization_id"),
        (QUEUE, "queue: {type: sqs, senders: {Mam: {account_ids: [123456789012]}}}", "put it between quotes"),
        (QUEUE, "queue: {type: sqs, senders: {Mam: {account_ids: ['1234']}}}", "an account's 12 digits"),
        (QUEUE, "queue: {type: sqs, high_throughput: true}", "high_throughput is for FIFO alone"),
        (QUEUE, "queue: {type: sqs, fifo: true, batch_size: 100, batch_window_seconds: 1}", "10 at most"),
        (
            QUEUE,
            f"queue: {{type: sqs, fifo: true, {THEIRS}}}",
            "must be what existing_queue",
        ),
        (
            QUEUE,
            f"queue: {{type: sqs, senders: {{M: {{account_ids: ['123456789012']}}}}, {THEIRS}}}",
            "senders is its owner's to set",
        ),
        (QUEUE, "queue: {type: sqs, exsting_queue: {}}", 'did you mean "existing_queue"?'),
        (
            TOPIC,
            "topic: {type: sns-fifo, fifo: true, existing_topic_arn: 'arn:aws:sns:eu-west-1:123456789012:a'}",
            "FIFO goes with FIFO, standard with standard",
        ),
        (TOPIC, "topic: {type: sns-fifo, fifo: false, topic_archive_days: 3}", "topic_archive_days is for FIFO alone"),
        (TOPIC, "topic: {type: sns-fifo, replay: {since: yesterday}}", "a time such as"),
        (
            TOPIC,
            "topic: {type: sns-fifo, replay: {since: '2026-11-23T10:00:00Z', until: '2026-11-22T10:00:00Z'}}",
            "until must be later than since",
        ),
        (SAAS, "saas: {type: partner-bus, event_source_name: acme}", "the name that the partner gave its event source"),
        (SAAS, SAAS[:-1] + ", inactivity_alarm_minutes: 7}", "in steps of 5"),
        (
            SAAS,
            SAAS[:-1] + ", existing_bus_arn: 'arn:aws:events:eu-west-1:123456789012:event-bus/other'}",
            "must be that of the source's own bus",
        ),
        ("apps: {type: custom-bus}", "apps: {type: custom-bus, bus_name: default}", "type aws-services for default"),
        (
            "apps: {type: custom-bus}",
            "apps: {type: custom-bus, senders: {P: {account_ids: ['123456789012'], sources: ['com.*']}}}",
            "a producer's sources are exact",
        ),
        ("type: aws-services", "type: aws", 'there is no type "aws"'),
        ("  queue: {type: sqs}", "  queue: {type: sqs, retry: {}}", "is an unknown key"),
    ],
)
def test_entry_that_could_not_be_made_is_refused(old, new, part):
    (problem,) = problems_with(old, new)

    assert part in problem
    assert problem.startswith("line ")


STRAIGHT = SAAS[:-1] + ", transform: false}"


def warnings(text: str) -> list[str]:
    return [str(warning) for warning in load(text).warnings if "there are no routes" not in str(warning)]


def test_events_that_go_straight_need_no_specification_and_somebody_who_takes_them():
    text = TEXT.replace(SAAS, STRAIGHT)

    unidentified = "line 12, partners.bravo.specification: nobody reads it: its events go straight to the bus"
    untaken = "line 6, ingress.saas.transform: its events come to the bus as they are"
    assert [warning.startswith((unidentified, untaken)) for warning in warnings(text)] == [True, True]
    text = text.replace("bravo: {specification: *own, ingress: saas}", "bravo: {ingress: saas}")
    assert [warning.startswith(untaken) for warning in warnings(text)] == [True]


def test_events_that_go_straight_may_be_taken_into_the_envelope_on_the_workflows_bus():
    both = "bravo: {specification: *own, ingress: [saas, apps], sources: ['aws.partner/acme.example/*']}"

    assert warnings(TEXT.replace(SAAS, STRAIGHT).replace("bravo: {specification: *own, ingress: saas}", both)) == []


def test_function_that_there_is_not_can_not_be_set():
    (problem,) = problems_with(SAAS, STRAIGHT[:-1] + ", memory_mb: 512}")

    assert problem == (
        "line 6, ingress.saas.memory_mb: memory_mb is for the function, and with transform: false there is none"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("queue", "webhook-dlq", "media-dev-webhook-dlq is the dead-letter queue of webhook"),
        ("topic", "waits", "media-dev-waits is the function with which workflows wait"),
    ],
)
def test_entry_named_like_something_of_another_is_refused(old, new, expected):
    found = problems(TEXT.replace(old, new))

    assert any(expected in problem for problem in found)


def test_name_that_a_rule_could_not_have_is_refused():
    name = "a" * 40

    found = problems(TEXT.replace("apps", name).replace("planning:", f"{'b' * 20}:"))

    assert any("its rule, has" in problem and "shorten it" in problem for problem in found)


def test_entry_named_like_the_review_function_is_refused():
    found = problems(TEXT.replace("queue", "review"))

    assert any("media-dev-review is the review desk's function" in problem for problem in found)
