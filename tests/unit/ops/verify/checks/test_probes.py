"""Probes: signed, sent, seen back, never where a destination could get them, and nothing left behind."""

from __future__ import annotations

import json

import pytest

from media_events.ingress.probe import PROBE_TYPE, probe_event, probe_number
from media_events.partners.signature_verification import verify
from media_events_kit.ops.archive_replay.temporary_rule import OVER_SECONDS
from media_events_kit.ops.verify.checks import probes
from media_events_kit.ops.verify.checks.probes import ROUND_SECONDS, ROUNDS, Webhooks
from tests.fakes.deployed_account import ACCOUNT, SQS, WEBHOOK, Account, partner
from tests.fakes.hop import FakeClock


class Bus(Account):
    """The account with what a probe passes: webhook, bus, rules and queues."""

    def __init__(self, folder):
        super().__init__(folder)
        self.clock = FakeClock()
        self.made = {}
        self.deleted = []
        self.arrived = []
        self.posts = []
        self.status = 202
        self.loses = 0
        self.created_rule = None

    @property
    def webhooks(self):
        return Webhooks(post=self.post, clock=self.clock)

    def post(self, request):
        self.posts.append(request)
        if isinstance(self.status, BaseException):
            raise self.status
        number = probe_number(request.body)
        assert number is not None
        if self.status == 202 and len(self.posts) > self.loses:
            self.arrived.append(probe_event(request.url.rpartition("/")[2], number, self.clock()))
        return self.status

    # --- the rule and the queue of a run ---

    def sqs_list_queues(self, QueueNamePrefix, MaxResults):  # noqa: N803, ARG002
        return {"QueueUrls": [SQS + name for name in self.made if name.startswith(QueueNamePrefix)]}

    def sqs_create_queue(self, QueueName, Attributes):  # noqa: N803, ARG002
        self.made[QueueName] = "queue"
        return {"QueueUrl": SQS + QueueName}

    def sqs_get_queue_attributes(self, QueueUrl, AttributeNames):  # noqa: N803
        name = QueueUrl.rpartition("/")[2]
        if name in self.made:
            return {"Attributes": {"QueueArn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{name}"}}
        return super().sqs_get_queue_attributes(QueueUrl, AttributeNames)

    def sqs_set_queue_attributes(self, **_):
        return {}

    def sqs_get_queue_url(self, QueueName):  # noqa: N803
        return {"QueueUrl": SQS + QueueName} if QueueName in self.made else None

    def sqs_receive_message(self, QueueUrl, MaxNumberOfMessages, WaitTimeSeconds):  # noqa: N803, ARG002
        self.clock.sleep(WaitTimeSeconds)
        events, self.arrived = self.arrived, []
        bodies = [json.dumps({"detail-type": PROBE_TYPE, "detail": event.to_detail()}) for event in events]
        return {"Messages": [{"ReceiptHandle": str(i), "Body": body} for i, body in enumerate(bodies)]}

    def sqs_delete_message_batch(self, **_):
        return {}

    def sqs_delete_queue(self, QueueUrl):  # noqa: N803
        self.deleted.append(QueueUrl.rpartition("/")[2])
        self.made.pop(QueueUrl.rpartition("/")[2], None)
        return {}

    def events_put_rule(self, **rule):
        self.created_rule = rule
        return {}

    def events_put_targets(self, **_):
        return {}

    def events_remove_targets(self, **_):
        return {}

    def events_delete_rule(self, Name, EventBusName):  # noqa: N803, ARG002
        self.deleted.append(Name)
        return {}


@pytest.fixture(name="account")
def _account(tmp_path):
    return Bus(tmp_path)


def findings(account):
    return [(one.subject, one.verdict, one.found) for one in probes.check(account.deployed, account.webhooks)]


PASSED = [
    ("probe of mux", "pass", "came back from the bus; no hop took it"),
    ("probe of standard", "pass", "came back from the bus; no hop took it"),
]


def test_a_probe_per_partner_comes_back_and_nothing_is_left(account):
    assert findings(account) == PASSED
    assert account.made == {}
    (rule, queue) = account.deleted
    assert rule == queue
    assert rule.startswith("media-dev-replay-probe-")


def test_each_probe_is_signed_with_the_partner_s_secret(account):
    findings(account)
    specifications = {
        name: one.specification for name, one in probes.parse_partners(account.documents[WEBHOOK]["partners"]).items()
    }
    for request in account.posts:
        specification = specifications[request.url.rpartition("/")[2]]
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        assert verify(specification.verification, request, [secret], account.clock()).valid is True


def test_the_run_s_rule_takes_probes_alone(account):
    findings(account)
    assert json.loads(account.created_rule["EventPattern"]) == {
        "detail-type": [PROBE_TYPE],
        "detail": {"metadata": {"stage": ["probe"]}},
    }


def test_a_probe_that_a_new_rule_misses_is_sent_again(account):
    account.loses = 2
    assert findings(account) == PASSED
    assert len({request.body for request in account.posts}) == len(account.posts) == 4


def test_a_probe_that_does_not_come_back_fails_in_the_end(account):
    account.loses = 1000
    began = account.clock()
    assert [(subject, verdict) for subject, verdict, _ in findings(account)] == [
        ("probe of mux", "fail"),
        ("probe of standard", "fail"),
    ]
    assert account.clock() - began == pytest.approx(ROUNDS * ROUND_SECONDS, abs=2 * ROUNDS)
    assert account.made == {}


@pytest.mark.parametrize(("status", "times"), [(401, 1), (404, 1), (503, ROUNDS), (429, ROUNDS)])
def test_a_refused_probe_fails_and_is_sent_again_only_where_that_may_help(account, status, times):
    account.status = status
    assert [found for _, _, found in findings(account)] == [f"was answered {status}"] * 2
    assert len(account.posts) == 2 * times


def test_a_webhook_that_can_not_be_reached_fails(account):
    account.status = ConnectionRefusedError()
    assert [found for _, _, found in findings(account)] == ["was not answered: ConnectionRefusedError"] * 2


@pytest.mark.parametrize("pattern", ['{"source": [{"prefix": "partner."}]}', "{}", "no JSON", '{"a": [{"new": 1}]}'])
def test_nothing_is_sent_where_a_rule_would_take_it_or_can_not_be_judged(account, pattern):
    account.rules.append({"Name": "somebody-s", "State": "ENABLED", "EventPattern": pattern})
    ((subject, verdict, found),) = findings(account)
    assert (subject, verdict, found) == (
        "webhooks",
        "skipped",
        "the rule somebody-s would take probes, so none was sent",
    )
    assert (account.posts, account.created_rule) == ([], None)
    account.rules[-1]["State"] = "DISABLED"
    assert findings(account) == PASSED


def test_nothing_is_sent_to_a_package_that_may_know_no_probes(account):
    account.functions[WEBHOOK]["CodeSha256"] = "older"
    ((_, verdict, found),) = findings(account)
    assert verdict == "skipped"
    assert "another package" in found
    assert account.posts == []


def test_the_rule_and_the_queue_of_a_killed_run_are_removed_by_the_next_one(account):
    now = int(account.clock())
    over, running = f"media-dev-replay-probe-{now - OVER_SECONDS - 1:08x}aa", f"media-dev-replay-probe-{now - 5:08x}bb"
    replay = "media-dev-replay-20261129-0a1b2c"
    account.made |= dict.fromkeys((over, running, replay), "queue")
    account.rules += [{"Name": name, "State": "DISABLED"} for name in (over, running, replay)]
    assert findings(account) == PASSED
    assert set(account.made) == {running, replay}
    assert over in account.deleted


def test_the_rule_and_the_queue_are_removed_when_the_run_is_interrupted(account):
    account.status = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        findings(account)
    assert account.made == {}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"enabled": False}, "disabled"),
        ({"authentication": "iam", "principals": [f"arn:aws:iam::{ACCOUNT}:role/acme"]}, "API Gateway authorises"),
        ({"require_client_certificate": True}, "client certificate"),
    ],
)
def test_who_alone_can_send_is_skipped(account, settings, why):
    account.documents[WEBHOOK] = {
        "partners": {"mux": partner("mux", **settings), "standard": partner("standard-webhooks")}
    }
    account.functions[WEBHOOK] = account._function(WEBHOOK, "media-dev-webhook")
    (skipped, passed) = findings(account)
    assert skipped[:2] == ("probe of mux", "skipped")
    assert why in skipped[2]
    assert passed == PASSED[1]


def test_a_secret_without_a_value_skips_its_partner(account):
    account.secret_values.clear()
    assert {verdict for _, verdict, _ in findings(account)} == {"skipped"}
    assert (account.posts, account.created_rule) == ([], None)


@pytest.mark.parametrize("operation", ["sqs_create_queue", "events_put_rule", "events_put_targets", "sqs_list_queues"])
def test_what_the_operator_may_not_make_is_skipped_with_the_actions(account, operation):
    account.refused[operation] = "AccessDeniedException"
    (finding,) = probes.check(account.deployed, account.webhooks)
    assert finding.verdict == "skipped"
    assert "sqs:" in finding.do
    assert account.made == {}
    assert account.posts == []


def test_a_deployment_without_a_webhook_has_no_probes(account):
    account.functions[WEBHOOK]["Handler"] = "media_events.handlers.queue_ingress.handler"
    assert findings(account) == []
