"""What the deployment needs of the account and of people: secrets, permissions, quotas, alarms, empty dead letters."""

from __future__ import annotations

import pytest

from media_events_kit.ops.verify.checks import alarms, dead_letters, permissions, quotas, secrets
from media_events_kit.ops.verify.expected_calls import calls_of
from media_events_kit.ops.verify.run import CHECKS
from tests.fakes.deployed_account import BUS_ARN, REDRIVE, ROUTE, SECRETS, SQS, TOPIC, WEBHOOK, queue_arn

# --- secrets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("versions", [None, {}, {"v1": ["AWSPENDING"]}])
def test_a_secret_without_a_value_fails(account, amiss, versions):
    account.secrets[f"{SECRETS}cms"] = {} if versions is None else {"VersionIdsToStages": versions}
    assert amiss(secrets.check) == [("secret cms", "fail", "has no value")]


def test_a_secret_that_is_about_to_be_deleted_or_gone_fails(account, amiss):
    account.secrets[f"{SECRETS}cms"]["DeletedDate"] = "2026-11-29"
    del account.secrets[f"{SECRETS}media-dev-webhook/mux"]
    assert amiss(secrets.check) == [
        ("secret cms", "fail", "is about to be deleted"),
        ("secret media-dev-webhook/mux", "fail", "is not there"),
    ]


def test_secrets_are_found_wherever_a_configuration_names_them():
    document = {
        "steps": [{"lookup": {"http": {"auth": {"secret_arn": "step"}}}}],
        "destination": {"auth": {"secret_arn": "destination"}, "tls": {"ca_secret_arn": "authority"}},
        "partners": {"mux": {"secret_arns": ["one", "two"]}},
    }
    assert sorted(secrets.secrets_in(document)) == ["authority", "destination", "one", "step", "two"]


# --- permissions: a fake of IAM's simulator --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "action", "resource"),
    [
        ("media-dev-webhook", "events:PutEvents", BUS_ARN),
        ("media-dev-webhook", "secretsmanager:GetSecretValue", f"{SECRETS}media-dev-webhook/mux"),
        ("media-dev-webhook", "sqs:SendMessage", queue_arn("media-dev-webhook-dlq")),
        ("media-dev-webhook", "s3:PutObject", "arn:aws:s3:::media-dev/bodies/events/verify"),
        ("media-dev-to-cms", "sqs:ReceiveMessage", queue_arn("media-dev-to-cms")),
        ("media-dev-to-cms", "sqs:SendMessage", queue_arn("media-dev-to-cms")),
        ("media-dev-review", "sns:Publish", TOPIC),
        ("media-dev-review", "sqs:SendMessage", queue_arn("media-dev-to-cms")),
        (
            "media-dev-review",
            "lambda:InvokeFunction",
            "arn:aws:lambda:eu-west-1:123456789012:function:media-dev-to-cms",
        ),
    ],
)
def test_a_call_that_a_role_does_not_allow_fails(account, amiss, function, action, resource):
    account.denied.add((action, resource))
    failures = [(subject, found) for subject, verdict, found in amiss(permissions.check) if verdict == "fail"]
    assert (f"role of {function}", f"{action} on {resource}: implicitDeny") in failures


def test_the_keys_that_our_conditions_need_are_given_to_the_simulation(account):
    list(permissions.check(account.deployed))
    contexts = {
        action: request["ContextEntries"]
        for name, request in account.calls
        if name == "iam_simulate_principal_policy"
        for action in request["ActionNames"]
        if request["PolicySourceArn"].endswith("/media-dev-review")
    }
    contexts |= {
        action: request["ContextEntries"]
        for name, request in account.calls
        if name == "iam_simulate_principal_policy" and request["PolicySourceArn"].endswith("/media-dev-webhook")
        for action in request["ActionNames"]
        if action == "s3:ListBucket"
    }
    assert contexts["s3:ListBucket"] == [
        {"ContextKeyName": "s3:prefix", "ContextKeyValues": ["bodies/events/verify"], "ContextKeyType": "string"}
    ]
    assert contexts["dynamodb:DeleteItem"] == [
        {"ContextKeyName": "dynamodb:LeadingKeys", "ContextKeyValues": ["item/verify"], "ContextKeyType": "stringList"}
    ]


@pytest.mark.parametrize(
    ("destination", "action", "resource"),
    [
        ({"type": "step-functions", "state_machine_arn": "arn:m"}, "states:StartExecution", "arn:m"),
        ({"type": "sqs", "queue_arn": "arn:q"}, "sqs:SendMessage", "arn:q"),
        ({"type": "sns", "topic_arn": "arn:t"}, "sns:Publish", "arn:t"),
        ({"type": "event-bus", "bus_arn": "arn:b"}, "events:PutEvents", "arn:b"),
        ({"type": "lambda", "function_arn": "arn:f"}, "lambda:InvokeFunction", "arn:f"),
        ({"type": "firehose", "stream_arn": "arn:s"}, "firehose:PutRecordBatch", "arn:s"),
        ({"type": "task-callback", "task_callbacks_table": "t"}, "states:SendTaskSuccess", "*"),
    ],
)
def test_each_kind_of_destination_has_its_call(account, destination, action, resource):
    account.documents[ROUTE] = {"destination": destination}
    account.functions[ROUTE] = account._function(ROUTE, "media-dev-to-cms")
    assert (action, resource) in {(a, c.resource) for c in calls_of(account.deployed, ROUTE) for a in c.actions}


@pytest.mark.parametrize(("handler", "completes"), [("deliver", True), ("transform", False)])
def test_a_transform_completes_no_record_of_the_idempotency_store(account, handler, completes):
    account.functions[ROUTE]["Handler"] = f"media_events.handlers.{handler}.handler"
    actions = {a for c in calls_of(account.deployed, ROUTE) if c.resource.endswith("-idempotency") for a in c.actions}
    assert actions >= {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"}
    writes = {"dynamodb:UpdateItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"}
    assert writes & actions == (writes if completes else set())


def test_each_lookup_and_call_of_a_transform_is_expected(account):
    account.documents[ROUTE] = {
        "steps": [
            {"lookup": {"dynamodb": {"table_arn": "arn:table"}}},
            {"lookup": {"s3": {"bucket": "sidecars", "prefix": "in/"}}},
            {"call": {"function_arn": "arn:function"}},
            {"map": {"a": "data.b"}},
        ]
    }
    account.functions[ROUTE] = account._function(ROUTE, "media-dev-to-cms")
    expected = {(a, c.resource) for c in calls_of(account.deployed, ROUTE) for a in c.actions}
    assert expected >= {
        ("dynamodb:GetItem", "arn:table"),
        ("s3:GetObject", "arn:aws:s3:::sidecars/in/verify"),
        ("s3:ListBucket", "arn:aws:s3:::sidecars"),
        ("lambda:InvokeFunction", "arn:function"),
    }


def test_who_denies_is_told(account, amiss):
    def denied(**request):
        return {
            "EvaluationResults": [
                {
                    "EvalActionName": action,
                    "EvalDecision": "implicitDeny",
                    "OrganizationsDecisionDetail": {"AllowedByOrganizations": False},
                }
                for action in request["ActionNames"]
            ]
        }

    account.iam_simulate_principal_policy = denied
    assert all("denied by the organisation" in found for _, _, found in amiss(permissions.check))


# --- quotas ----------------------------------------------------------------------------------------------------


def test_more_concurrency_than_the_account_has_fails(account, amiss):
    account.reserved["media-dev-webhook"] = 900
    ((subject, verdict, found),) = amiss(quotas.check)
    assert (subject, verdict) == ("lambda: Concurrent executions", "fail")
    # 900 reserved, 10 of the route, 2 + 2 of redrive, and 100 that Lambda keeps back.
    assert found == "1014 executions at a time exceed the quota of 1000"


def test_a_function_with_snap_start_has_its_queue_at_the_alias(account, amiss):
    account.reserved["media-dev-webhook"] = 900
    for function in account.functions.values():
        function["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    account.sources = {f"{name}:live": sources for name, sources in account.sources.items()}
    ((_, _, found),) = amiss(quotas.check)
    assert found.startswith("1014 executions")


def test_a_quota_that_is_nearly_used_up_fails(account, amiss):
    account.account_summary["Roles"] = 801
    assert amiss(quotas.check) == [("iam: Roles", "fail", "801 roles in the account come near the quota of 1000")]


def test_a_quota_that_was_never_changed_has_aws_s_default(account, amiss):
    account.quotas["events by default"] = account.quotas.pop("events")
    assert amiss(quotas.check) == []
    account.quotas["events by default"]["Number of rules"] = 2.0
    assert amiss(quotas.check) == [("events: Number of rules", "fail", "2 rules on media-dev come near the quota of 2")]


def test_a_quota_that_service_quotas_does_not_list_is_skipped(account, amiss):
    account.quotas.clear()
    assert {(subject, verdict) for subject, verdict, _ in amiss(quotas.check)} == {
        ("lambda: Concurrent executions", "skipped"),
        ("events: Number of rules", "skipped"),
    }


# --- alarms ----------------------------------------------------------------------------------------------------


def test_an_alarm_that_tells_nobody_fails(account, amiss):
    account.composites.clear()
    assert amiss(alarms.check) == [("alarms", "fail", "1 of 2 tell nobody: media-dev-to-cms-errors")]


def test_an_alarm_whose_actions_are_switched_off_tells_nobody(account, amiss):
    account.alarms[1]["ActionsEnabled"] = False
    assert amiss(alarms.check) == [("alarms", "fail", "1 of 3 tell nobody: media-dev-review-open")]


def test_an_alarm_is_heard_through_composites_in_composites():
    nested = [
        {"AlarmName": "a", "AlarmActions": []},
        {"AlarmName": "b", "AlarmActions": []},
        {"AlarmName": "inner", "AlarmRule": "ALARM(a) OR NOT OK('b')", "AlarmActions": []},
        {
            "AlarmName": "outer",
            "AlarmRule": 'ALARM("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:inner")',
            "AlarmActions": [TOPIC],
        },
    ]
    assert alarms.unheard(nested) == []
    nested[3]["AlarmActions"] = []
    assert alarms.unheard(nested) == ["a", "b", "inner", "outer"]


@pytest.mark.parametrize(
    ("subscriptions", "state"),
    [([], "none"), ([{"SubscriptionArn": "PendingConfirmation"}], "one that is not confirmed")],
)
def test_a_topic_that_nobody_reads_fails(account, amiss, subscriptions, state):
    account.subscriptions[TOPIC] = subscriptions
    assert amiss(alarms.check) == [
        ("topic media-dev-review", "fail", f"has no subscriber ({state}), so nobody reads what it says")
    ]


def test_a_topic_of_one_s_own_that_is_not_there_is_to_be_made(account):
    account.alarms[1]["AlarmActions"] = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
    account.sns_list_subscriptions_by_topic = lambda TopicArn: (  # noqa: N803
        None if TopicArn.endswith("on-call") else {"Subscriptions": account.subscriptions[TopicArn]}
    )
    (finding,) = [one for one in alarms.check(account.deployed) if one.verdict == "fail"]
    assert (finding.subject, finding.found) == ("topic on-call", "is not there")
    assert "make it" in finding.do


def test_a_deployment_without_alarms_fails(account, amiss):
    account.alarms.clear()
    account.composites.clear()
    assert amiss(alarms.check)[0][:2] == ("alarms", "fail")


# --- dead letters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ],
)
def test_a_dead_letter_fails_wherever_it_is_in_the_queue(account, amiss, field):
    account.queues["media-dev-to-cms-dlq"][field] = "1"
    ((subject, verdict, found),) = amiss(dead_letters.check)
    assert (subject, verdict) == ("queue media-dev-to-cms-dlq", "fail")
    assert "1" in found


# --- what may not be asked -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "code", "action"),
    [
        ("lambda_get_function_configuration", "AccessDeniedException", "lambda:GetFunctionConfiguration"),
        ("lambda_list_event_source_mappings", "AccessDeniedException", "lambda:ListEventSourceMappings"),
        ("lambda_get_function_concurrency", "AccessDeniedException", "lambda:GetFunctionConcurrency"),
        ("s3_get_object", "AccessDenied", "s3:GetObject"),
        ("s3_head_bucket", "403", "s3:ListBucket"),
        ("logs_describe_log_groups", "AccessDeniedException", "logs:DescribeLogGroups"),
        ("events_list_rules", "AccessDeniedException", "events:ListRules"),
        ("events_describe_event_bus", "AccessDeniedException", "events:DescribeEventBus"),
        ("events_describe_archive", "AccessDeniedException", "events:DescribeArchive"),
        ("events_list_targets_by_rule", "AccessDeniedException", "events:ListTargetsByRule"),
        ("sqs_get_queue_attributes", "AccessDenied", "sqs:GetQueueAttributes"),
        ("dynamodb_describe_table", "AccessDeniedException", "dynamodb:DescribeTable"),
        ("apigatewayv2_get_stages", "AccessDeniedException", "apigateway:GET"),
        ("sns_get_topic_attributes", "AuthorizationError", "sns:GetTopicAttributes"),
        ("sns_list_subscriptions_by_topic", "AuthorizationError", "sns:ListSubscriptionsByTopic"),
        ("stepfunctions_describe_state_machine", "AccessDeniedException", "states:DescribeStateMachine"),
        ("secretsmanager_describe_secret", "AccessDeniedException", "secretsmanager:DescribeSecret"),
        ("iam_simulate_principal_policy", "AccessDenied", "iam:SimulatePrincipalPolicy"),
        ("iam_get_account_summary", "AccessDenied", "iam:GetAccountSummary"),
        ("service_quotas_list_service_quotas", "AccessDeniedException", "servicequotas:ListServiceQuotas"),
        ("cloudwatch_describe_alarms", "AccessDenied", "cloudwatch:DescribeAlarms"),
    ],
)
def test_what_the_operator_may_not_ask_is_skipped_with_the_action_and_nothing_fails(account, operation, code, action):
    account.refused[operation] = code
    findings = [finding for check in CHECKS.values() for finding in check(account.deployed)]
    skipped = [finding for finding in findings if finding.verdict == "skipped"]
    assert skipped
    assert {finding.found for finding in skipped} == {f"no permission for {action}"}
    assert all(action in finding.do for finding in skipped)
    assert [finding for finding in findings if finding.verdict == "fail"] == []


def test_an_answer_that_nobody_expected_is_skipped_with_its_code(account, amiss):
    account.refused["secretsmanager_describe_secret"] = "InternalServiceError"
    assert {found for _, _, found in amiss(secrets.check)} == {
        "secretsmanager:DescribeSecret was answered InternalServiceError"
    }


def test_calls_are_those_of_every_function(account):
    for hop in (WEBHOOK, ROUTE, REDRIVE):
        actions = {action for calls in calls_of(account.deployed, hop) for action in calls.actions}
        assert {"logs:PutLogEvents", "s3:GetObject", "events:PutEvents"} <= actions
    assert account.deployed.queue_arn(f"{SQS}media-dev-to-cms") == queue_arn("media-dev-to-cms")
