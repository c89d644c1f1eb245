"""Ingresses and partners that don't fit together, and the very words that their author reads."""

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
BUS = "arn:aws:events:eu-west-1:123456789012:event-bus"
THEIRS = "existing_queue: {arn: 'arn:aws:sqs:eu-west-1:210987654321:events'}"


def problems_with(old: str, new: str) -> list[str]:
    assert old in TEXT
    return problems(TEXT.replace(old, new))


def test_all_types_of_ingress_together_have_no_mistake():
    assert problems(TEXT) == []


# ------------------------------------------------------------------------------------------------------- partners


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "ingress: [webhook, queue]",
            "ingress: [webhook, queu]",
            'line 10, partners.mux.ingress[1]: there is no ingress "queu": did you mean "queue"?',
        ),
        (
            "ingress: [webhook, queue]",
            "ingress: [webhook, webhook]",
            "line 10, partners.mux.ingress: names an ingress twice: once is enough",
        ),
        (
            "ingress: topic",
            "ingress: queue",
            (
                "line 11, partners.acme.ingress: mux uses queue already, and nothing tells their messages apart: "
                "give each an ingress"
            ),
        ),
        (
            "ingress: topic",
            "ingress: topic, throttle: {rate: 1, burst: 1}",
            "line 11, partners.acme.throttle: is for a webhook, and the ingress of acme is sns-fifo: leave it out",
        ),
        (
            "ingress: topic",
            "ingress: topic, sources: [com.acme]",
            "line 11, partners.acme.sources: is for a bus, and the ingress of acme is sns-fifo: leave it out",
        ),
        (
            PLANNING,
            "planning: {ingress: apps}",
            (
                "line 13, partners.planning.sources: is missing: on a shared bus, events are told apart by their "
                "`source`, such as [com.acme.mam]"
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
                'line 13, partners.planning.sources[0]: "partner.mux" takes the events that the kit itself publishes '
                "(partner.…), in an endless loop"
            ),
        ),
        (
            "[com.example.planning]",
            "[aws.s3]",
            (
                "line 13, partners.planning.sources[0]: AWS services put their events on the account's default bus: "
                "use an ingress of type aws-services"
            ),
        ),
        (
            PLANNING,
            PLANNING + "\n  editing: {ingress: apps, sources: ['com.example.*']}",
            (
                'line 14, partners.editing.sources[0]: "com.example.*" is also planning\'s "com.example.planning": an '
                "event can have one partner only, and be taken once"
            ),
        ),
        (
            "sources: [aws.s3]",
            "sources: [aws.s3], pattern: {source: [aws.s3]}",
            "line 14, partners.s3.pattern.source: belongs in the partner's sources",
        ),
    ],
)
def test_partner_that_its_ingress_cannot_serve_is_refused(old, new, expected):
    assert problems_with(old, new) == [expected]


def test_webhook_alone_needs_verification():
    assert problems_with("ingress: topic", "ingress: [topic, webhook]") != []
    assert problems_with("ingress: saas", "ingress: webhook") != []
    assert problems(TEXT) == []


# ------------------------------------------------------------------------------------------------------ ingresses


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
            "topic: {type: sns-fifo, fifo: true, existing_topic: {arn: 'arn:aws:sns:eu-west-1:123456789012:a'}}",
            "fifo must be what existing_topic is",
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
            SAAS[:-1] + ", existing_bus: {arn: 'arn:aws:events:eu-west-1:123456789012:event-bus/other'}}",
            "must be the source's own bus",
        ),
        (
            "apps: {type: custom-bus}",
            f"apps: {{type: custom-bus, existing_bus: {{arn: '{BUS}/default'}}}}",
            "type aws-services for default",
        ),
        (
            "apps: {type: custom-bus}",
            "apps: {type: custom-bus, senders: {P: {account_ids: ['123456789012'], sources: ['com.*']}}}",
            "a sender's sources are exact",
        ),
        ("type: aws-services", "type: aws", 'there is no type "aws"'),
        ("  queue: {type: sqs}", "  queue: {type: sqs, retry: {}}", "is an unknown key"),
    ],
)
def test_ingress_that_could_not_be_made_is_refused(old, new, part):
    (problem,) = problems_with(old, new)

    assert part in problem
    assert problem.startswith("line ")


UNMODIFIED = SAAS[:-1] + ", forward_unmodified: true}"


def warnings(text: str) -> list[str]:
    others = ("there are no routes", "alarms.actions", "neutral types that it sends")
    found = [str(warning) for warning in load(text).warnings]
    return [warning for warning in found if not any(other in warning for other in others)]


def test_unmodified_events_need_no_specification_and_a_partner_that_takes_them():
    text = TEXT.replace(SAAS, UNMODIFIED)

    unidentified = "line 12, partners.bravo.specification: has no effect: its events reach the bus unmodified"
    untaken = "line 6, ingress.saas.forward_unmodified: its events reach the bus unmodified"
    assert [warning.startswith((unidentified, untaken)) for warning in warnings(text)] == [True, True]
    text = text.replace("bravo: {specification: *own, ingress: saas}", "bravo: {ingress: saas}")
    assert [warning.startswith(untaken) for warning in warnings(text)] == [True]


def test_unmodified_events_may_be_taken_into_the_envelope_on_the_workflows_bus():
    both = "bravo: {specification: *own, ingress: [saas, apps], sources: ['aws.partner/acme.example/*']}"

    assert warnings(TEXT.replace(SAAS, UNMODIFIED).replace("bravo: {specification: *own, ingress: saas}", both)) == []


def test_settings_of_a_function_are_refused_where_there_is_none():
    (problem,) = problems_with(SAAS, UNMODIFIED[:-1] + ", memory_mb: 512}")

    assert problem == (
        "line 6, ingress.saas.memory_mb: memory_mb is for the function, and with forward_unmodified there is none"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("queue", "webhook-dlq", "media-dev-webhook-dlq is the dead-letter queue of webhook"),
        ("topic", "task-callbacks", "media-dev-task-callbacks is the function that registers task tokens"),
    ],
)
def test_ingress_with_the_name_of_another_resource_is_refused(old, new, expected):
    found = problems(TEXT.replace(old, new))

    assert any(expected in problem for problem in found)


def test_name_that_a_rule_could_not_have_is_refused():
    name = "a" * 40

    found = problems(TEXT.replace("apps", name).replace("planning:", f"{'b' * 20}:"))

    assert any("its rule, has" in problem and "shorten it" in problem for problem in found)


def test_ingress_with_the_name_of_the_review_function_is_refused():
    found = problems(TEXT.replace("queue", "review"))

    assert any("media-dev-review is the review function" in problem for problem in found)


@pytest.mark.parametrize(
    ("partner", "told"),
    [
        ("mux: {specification: github, ingress: webhook}", True),
        ("mux: {specification: github, ingress: queue}", False),
        (
            (
                "mux: {specification: github, ingress: webhook, authorization: "
                "{type: iam, principals: ['arn:aws:iam::123456789012:role/a']}}"
            ),
            False,
        ),
    ],
)
def test_webhook_of_a_partner_that_signs_no_time_is_told(partner, told):
    text = TEXT.replace("mux: {specification: mux, ingress: [webhook, queue]}", partner)

    assert ["signs no time" in str(warning) for warning in load(text).warnings if "mux" in str(warning)] == [
        True
    ] * told


def test_webhook_that_forgets_events_too_early_is_refused():
    short = "{preset: mux, dedup: {window_seconds: 599}}"

    (problem,) = problems_with(
        "specification: mux, ingress: [webhook, queue]", f"specification: {short}, ingress: webhook"
    )

    assert "dedup.window_seconds: must be at least 600" in problem


def planning(pattern: str) -> str:
    return f"planning: {{ingress: apps, sources: [com.example.planning, com.other.*], pattern: {pattern}}}"


def test_partners_pattern_gets_the_advice_of_a_routes():
    text = TEXT.replace(PLANNING, planning("{detail: {size: {numeric: ['>', 5]}}}"))

    assert any(
        "partners.planning.pattern.detail.size.numeric: 'numeric' is a field's name here" in each
        for each in warnings(text)
    )


def test_partners_pattern_may_name_its_own_sources_in_alternatives():
    own = "{$or: [{source: [com.example.planning]}, {$or: [{source: [com.other.x]}, {id: [a]}]}]}"

    assert problems_with(PLANNING, planning(own)) == []


@pytest.mark.parametrize("source", ["com.else", "{prefix: com.example}"])
def test_partners_pattern_with_anothers_source_in_an_alternative_is_refused(source):
    (problem,) = problems_with(PLANNING, planning(f"{{$or: [{{source: [{source}]}}, {{id: [a]}}]}}"))

    assert problem.startswith("line 13, partners.planning.pattern.$or[0].source: ")
    assert "is none of the partner's sources (com.example.planning, com.other.*)" in problem
