"""What a change is said to do to events."""

from __future__ import annotations

import json

import pytest

from media_events_kit.ops.changes.judgement import judge
from media_events_kit.ops.changes.plan_document import NoPlanError, Plan
from tests.fakes.changed_deployment import REVIEW, Aws, document, ingress, pattern, plan, queue, route, table

RULE = 'module.router.aws_cloudwatch_event_rule.this["ready"]'
TARGET = 'module.router.aws_cloudwatch_event_target.this["ready"]'
QUEUE = 'module.router.module.hop["ready"].aws_sqs_queue.this[0]'


def found(report):
    return [(finding.consequence, finding.subject) for finding in report.findings]


def test_no_change_is_no_risk():
    deployment = route() | ingress() | REVIEW

    report = judge(plan(deployment, deployment))

    assert (report.hops, report.findings, report.unknown, report.at_risk) == ((), (), (), False)


def staged(stage):
    taken = json.loads(pattern("route/ready"))
    taken["detail"]["metadata"]["stage"] = [stage]
    return route(event_pattern=json.dumps(taken)) | REVIEW


@pytest.mark.parametrize(
    ("old", "new", "never"), [("received", "transformed", True), ("transformed", "received", False)]
)
def test_a_route_that_takes_the_other_stage_may_miss_events_which_the_first_transform_brings_about(old, new, never):
    (finding,) = judge(plan(staged(old), staged(new)), Aws()).findings
    assert (finding.consequence, finding.subject) == ("lost", "route/ready")
    assert finding.what.startswith(f"takes events as {new}, formerly as {old}")
    assert ("no transform takes" in finding.what) == never
    assert judge(plan(staged(old), staged(old)), Aws()).findings == ()


def test_a_new_hop_is_no_risk():
    report = judge(plan({}, route() | ingress()), Aws())

    assert [(hop.hop, hop.kind) for hop in report.hops] == [
        ("ingress/media-dev-in", "appears"),
        ("route/ready", "appears"),
    ]
    assert not report.at_risk


def test_a_route_that_goes_takes_what_waits_with_it_and_the_remedy_is_to_retire_it():
    aws = Aws(queues={"media-dev-ready": 3, "media-dev-ready-dlq": 1}, items={"route/ready": 2})

    report = judge(plan(route() | REVIEW, REVIEW), aws)

    assert [(hop.hop, hop.kind, hop.what) for hop in report.hops] == [
        ("route/ready", "goes", "queue and function to http (cms)")
    ]
    dead, waiting, review = report.findings
    assert (dead.subject, waiting.subject) == (
        "dead-letter queue media-dev-ready-dlq of route/ready",
        "queue media-dev-ready of route/ready",
    )
    assert "1 message;" in dead.what
    assert "3 messages;" in waiting.what
    assert "`retired:`" in waiting.do
    assert review.what.startswith("2 items wait")
    assert report.at_risk


def test_an_empty_queue_of_a_hop_that_takes_new_events_may_be_full_when_it_goes():
    assert judge(plan(route(), {}), Aws()).at_risk


def test_a_retired_hop_that_has_run_empty_may_go():
    report = judge(plan(route(retired=True), {}), Aws())

    assert {finding.consequence for finding in report.findings} == {"note"}
    assert not report.at_risk


def test_a_disabled_hop_that_has_run_empty_may_go_and_one_with_messages_may_not():
    disabled = plan(route(state="DISABLED"), {})

    assert not judge(disabled, Aws()).at_risk
    assert judge(disabled, Aws(queues={"media-dev-ready": 1})).at_risk


@pytest.mark.parametrize("aws", [None, Aws(fails=True)])
def test_what_aws_does_not_tell_counts_as_something_and_is_named(aws):
    report = judge(plan(route(retired=True), {}), aws)

    assert report.at_risk
    assert [line.partition(":")[0] for line in report.unknown] == [
        "messages in media-dev-ready-dlq",
        "messages in media-dev-ready",
        "what is parked at route/ready",
    ]


def test_retiring_a_hop_is_shown_and_no_risk():
    report = judge(plan(route(), route(retired=True)), Aws())

    assert [(hop.hop, hop.kind) for hop in report.hops] == [("route/ready", "retires")]
    assert not report.at_risk


def test_an_entry_that_goes_has_the_two_applies_as_its_remedy():
    report = judge(plan(ingress(), {}), Aws(queues={"media-dev-in": 1, "media-dev-in-dlq": 1}))

    assert {finding.do.partition(":")[0] for finding in report.findings} == {"in two applies"}
    assert not judge(plan(ingress(), {}), Aws()).at_risk


def test_a_hop_that_loses_its_queue_is_told_to_change():
    old = route()
    new = {address: values for address, values in old.items() if address != QUEUE}
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-dev-ready"
    new[TARGET] = {**old[TARGET], "arn": arn}

    report = judge(plan(old, new), Aws())

    assert [hop.what for hop in report.hops] == [
        "queue and function to http (cms) → function, invoked by the rule to http (cms)"
    ]
    assert found(report) == [("lost", "queue media-dev-ready of route/ready")]


def test_what_is_parked_at_a_route_that_goes_or_delivers_elsewhere_is_told():
    parked = ("lost", "parked events of route/ready")
    held = Aws(held={"cms": 3})

    gone, moved = judge(plan(route(), {}), held), judge(plan(route(), route(destination="mam")), held)

    assert parked in found(gone)
    assert parked in found(moved)
    assert "3 wait behind a failed one" in next(one.what for one in gone.findings if "parked" in one.subject)
    assert parked not in found(judge(plan(route(), {}), Aws()))
    # Maintenance looks for it as long as the route, its destination and the table are there.
    without_queue = {address: values for address, values in route().items() if address != QUEUE}
    assert parked not in found(judge(plan(route(), without_queue), held))
    store = {"module.router.aws_dynamodb_table.idempotency[0]": table("media-dev-idempotency")}
    assert parked in found(judge(plan({**route(), **store}, route()), held))


def test_a_rule_whose_target_is_put_in_its_place_has_one_at_all_times():
    old = route()
    new = {**old, TARGET: {**old[TARGET], "arn": "arn:aws:lambda:eu-west-1:123456789012:function:x"}}

    assert not judge(plan(old, new), Aws()).at_risk


@pytest.mark.parametrize(
    "change",
    [
        {"replaced": {TARGET: ["delete", "create"]}},
        {"replaced": {RULE: ["delete", "create"]}},
    ],
)
def test_a_rule_or_target_that_is_replaced_leaves_a_time_without_target(change):
    report = judge(plan(route(), route(), **change), Aws())

    assert found(report) == [("lost", "rule media-dev-ready")]


def test_a_target_at_another_address_leaves_a_time_without_target_and_can_be_deleted_for_good():
    old = route()
    new = {address: values for address, values in old.items() if address != TARGET}
    new['module.router.aws_cloudwatch_event_target.own["ready"]'] = old[TARGET]

    report = judge(plan(old, new), Aws())

    assert found(report) == [
        ("lost", "rule media-dev-ready"),
        ("fails", "cloudwatch_event_target media-dev-ready ready"),
    ]


def test_a_disabled_rule_may_lose_its_target():
    old, new = route(), route(state="DISABLED")

    assert not judge(plan(old, new, replaced={TARGET: ["delete", "create"]}), Aws()).at_risk


def test_one_name_at_two_addresses_is_told_once_for_each_pair_of_modules():
    old = {
        'module.router.module.route["a"].aws_sqs_queue.dlq': queue("media-dev-a-dlq"),
        'module.router.module.route["a"].module.function.aws_iam_role.this': {"name": "media-dev-a"},
    }
    new = {address.replace("route[", "direct["): values for address, values in old.items()}

    report = judge(plan(old, new), Aws(queues={}))

    (collision,) = [finding for finding in report.findings if finding.consequence == "fails"]
    assert collision.subject == "iam_role media-dev-a, sqs_queue media-dev-a-dlq"
    assert 'module.router.module.route["a"]' in collision.what


def test_what_is_made_first_can_not_have_the_name_of_what_it_replaces():
    role = {"aws_iam_role.this": {"name": "media-dev-a", "path": "/"}}
    moved = {"aws_iam_role.this": {"name": "media-dev-a", "path": "/other/"}}

    first, last = (
        judge(plan(role, moved, replaced={"aws_iam_role.this": actions}), Aws())
        for actions in (["create", "delete"], ["delete", "create"])
    )

    assert found(first) == [("fails", "iam_role media-dev-a")]
    assert found(last) == []


def test_a_subscription_that_is_replaced_misses_messages_in_between():
    address = "module.ingress-in.aws_sns_topic_subscription.this"
    old, new = ({address: {"topic_arn": "arn:t", "endpoint": endpoint}} for endpoint in ("a", "b"))

    assert found(judge(plan(old, new, replaced={address: ["delete", "create"]}))) == [("lost", "subscription of arn:t")]
    assert found(judge(plan(old, new, replaced={address: ["create", "delete"]}))) == []


def test_another_name_of_a_destination_may_repeat_its_effects():
    report = judge(plan(route(), route(destination="archive")), Aws())

    assert found(report) == [("repeated", "route/ready")]
    assert "formerly cms" in report.findings[0].what


def test_another_idempotency_table_may_repeat_effects():
    report = judge(plan(ingress(), ingress(table="other")), Aws())

    assert found(report) == [("repeated", "ingress/media-dev-in")]


def test_an_idempotency_table_that_goes_is_a_risk_as_long_as_a_hop_of_it_stays():
    store = {"module.router.aws_dynamodb_table.idempotency[0]": table("media-dev-idempotency")}

    assert ("repeated", "idempotency table media-dev-idempotency") in found(
        judge(plan(route() | store, route()), Aws())
    )
    assert not judge(plan(route(retired=True) | store, {}), Aws()).at_risk


def test_ids_that_are_made_in_another_way_may_repeat_events():
    changed = ingress(specification={"preset": "mux", "id": "body.other"})

    assert found(judge(plan(ingress(), changed), Aws())) == [("repeated", "partner mux at ingress/media-dev-in")]
    redacted = ingress(specification={"preset": "mux", "redact": ["body.token"]})
    assert not judge(plan(ingress(), redacted), Aws()).at_risk


def test_an_archive_that_goes_takes_its_events_with_it():
    archive = {"module.bus.aws_cloudwatch_event_archive.this[0]": {"name": "media-dev"}}

    report = judge(plan(archive, {}), Aws(archives={"media-dev": 7}))

    assert found(report) == [("lost", "archive media-dev")]
    assert "its 7 events" in report.findings[0].what
    assert not judge(plan(archive, {}), Aws()).at_risk


def test_a_protected_table_stops_the_apply():
    report = judge(plan(REVIEW, {}), Aws())

    assert found(report) == [("fails", "aws_dynamodb_table module.review.aws_dynamodb_table.items")]
    assert "`deletion_protection: false`" in report.findings[0].do


def test_a_secret_that_is_scheduled_for_deletion_is_to_be_restored_and_imported():
    address = 'module.ingress.aws_secretsmanager_secret.partner["mux"]'
    secret = {address: {"name": "media-dev-webhook/mux", "recovery_window_in_days": 30}}
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:media-dev-webhook/mux-AbCdEf"

    report = judge(plan({}, secret), Aws(secrets={"media-dev-webhook/mux": arn}))

    assert found(report) == [("fails", "secret media-dev-webhook/mux")]
    assert report.findings[0].do.endswith(
        f"aws secretsmanager restore-secret --secret-id 'media-dev-webhook/mux' && terraform import '{address}' '{arn}'"
    )
    assert not judge(plan({}, secret), Aws()).at_risk


def test_a_secret_that_goes_can_be_restored_for_its_recovery_window():
    secret = {"a.aws_secretsmanager_secret.partner": {"name": "s", "recovery_window_in_days": 7}}

    report = judge(plan(secret, {}), Aws())

    assert [(finding.consequence, finding.what) for finding in report.findings] == [
        ("note", "can be restored for 7 days")
    ]


@pytest.mark.parametrize("other", [{}, {"resource_changes": 1}, {"format_version": "1.2", "values": {}}])
def test_what_is_no_plan_is_refused(other):
    with pytest.raises(NoPlanError):
        Plan.of(other)


def test_a_queue_that_becomes_another_hops_would_have_its_messages_taken_by_that_hop():
    old = route("shape")
    rule = 'module.router.aws_cloudwatch_event_rule.this["shape"]'
    transform = {**old[rule], "event_pattern": old[rule]["event_pattern"].replace("route/shape", "transform/shape")}

    report = judge(plan({**old, rule: transform}, old), Aws())

    assert found(report) == [
        ("lost", "queue media-dev-shape-dlq of transform/shape"),
        ("lost", "queue media-dev-shape of transform/shape"),
    ]


def test_rules_of_two_buses_may_have_one_name():
    old = {"module.a.aws_cloudwatch_event_rule.this": {"name": "r", "event_bus_name": "partner"}}
    new = {"module.b.aws_cloudwatch_event_rule.this": {"name": "r", "event_bus_name": "media-dev"}}
    unknown = {"module.b.aws_cloudwatch_event_rule.this": {"name": "r"}}

    assert found(judge(plan(old, new))) == []
    assert found(judge(plan(old, unknown))) == [("fails", "cloudwatch_event_rule r")]


def test_a_retired_queue_beside_the_target_of_now_may_go_when_it_is_empty():
    """The hop takes new events, but by its function: its rule does not send to this queue."""
    old = route()
    function = "arn:aws:lambda:eu-west-1:123456789012:function:media-dev-ready"
    retiring = {**old, TARGET: {**old[TARGET], "arn": function}}
    retired = {address: values for address, values in retiring.items() if address != QUEUE}

    assert [hop.what for hop in judge(plan(old, retiring), Aws()).hops] == [
        "queue and function to http (cms) → function, invoked by the rule to http (cms)"
    ]
    assert not judge(plan(retiring, retired), Aws()).at_risk
    assert judge(plan(retiring, retired), Aws(queues={"media-dev-ready": 1})).at_risk


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"arn": "arn:aws:sqs:eu-west-1:123456789012:theirs"}, "rule alone to sqs"),
        ({"arn": "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/events/x"}, "rule alone to logs"),
        ({"arn": "arn:aws:events:eu-west-1:123456789012:api-destination/x/1"}, "rule alone to api-destination"),
        ({"http_target": [{}]}, "rule alone to api-destination"),
    ],
)
def test_a_rule_that_delivers_itself_is_told_by_its_target_also_beside_a_retired_function(target, said):
    old = route()
    new = {**old, TARGET: {"rule": "media-dev-ready", "target_id": "ready", **target}}

    (hop,) = judge(plan(old, new), Aws()).hops

    assert hop.what == f"queue and function to http (cms) → {said}"


MACHINE = {"name": "media-dev-ingest-workflow", "type": "STANDARD", "arn": "arn:aws:states:eu-west-1:1:stateMachine:m"}


@pytest.mark.parametrize(("running", "consequences"), [(2, ["lost"]), (0, [])])
def test_a_state_machine_that_goes_ends_the_executions_that_run(running, consequences):
    address = "module.machine-ingest.aws_sfn_state_machine.this"
    express = {address: MACHINE | {"name": "media-dev-ingest-workflow-express", "type": "EXPRESS"}}

    report = judge(
        plan({address: MACHINE}, express, replaced={address: ["create", "delete"]}), Aws(executions={"m": running})
    )

    assert [finding.consequence for finding in report.findings] == consequences
    assert all("2 executions that run" in finding.what for finding in report.findings)


def test_a_condition_that_refuses_the_plan_is_told_with_its_way_out():
    problem = {"message": "in was deployed as another kind (webhook). In two applies: add the new one."}
    check = {"status": "fail", "instances": [{"address": {"to_display": "terraform_data.k"}, "problems": [problem]}]}
    refused = document({}, {}) | {"checks": [check]}

    (finding,) = judge(Plan.of(refused | {"errored": True}), Aws()).findings

    assert (finding.consequence, finding.subject) == ("fails", "terraform_data.k")
    assert finding.what.endswith("in was deployed as another kind (webhook).")
    assert finding.do == "in two applies: add the new one."
    assert not judge(Plan.of(refused), Aws()).at_risk


def test_of_a_topic_in_front_of_a_queue_that_stays_the_senders_must_stop_first():
    topic = {"module.ingress-in.aws_sns_topic.this[0]": {"name": "media-dev-in"}}
    kept = ingress("in")

    report = judge(plan({**kept, **topic}, kept), Aws())

    assert found(report) == [("note", "topic media-dev-in")]
    assert "senders have stopped" in report.findings[0].what


def _by_rule_alone(pattern):
    rule = {"name": "media-dev-ready", "state": "ENABLED", "event_pattern": pattern}
    arn = "arn:aws:sqs:eu-west-1:123456789012:theirs"
    return {
        RULE: rule,
        TARGET: {"rule": "media-dev-ready", "target_id": "ready", "arn": arn},
        'module.router.module.hop["ready"].aws_sqs_queue.dlq': queue("media-dev-ready-dlq"),
    }


@pytest.mark.parametrize(("waiting", "consequences"), [(3, ["note"]), (0, [])])
def test_dead_letters_that_need_the_rule_to_go_back_are_told_of_before_its_pattern_changes(waiting, consequences):
    old = pattern("route/ready")
    new = json.dumps({"source": ["partner.mux"], **json.loads(old)})
    aws = Aws(queues={"media-dev-ready-dlq": waiting})

    assert judge(plan(_by_rule_alone(old), _by_rule_alone(json.dumps(json.loads(old), indent=1))), aws).findings == ()
    report = judge(plan(_by_rule_alone(old), _by_rule_alone(new)), aws)

    assert [finding.consequence for finding in report.findings] == consequences
    assert all(each.subject == "dead-letter queue media-dev-ready-dlq of route/ready" for each in report.findings)


def test_a_hop_with_a_queue_takes_its_dead_letters_back_whatever_its_pattern():
    waiting = Aws(queues={"media-dev-ready-dlq": 3})
    narrowed = json.dumps({"source": ["partner.mux"], **json.loads(pattern("route/ready"))})

    assert judge(plan(route(), route(event_pattern=narrowed)), waiting).findings == ()
