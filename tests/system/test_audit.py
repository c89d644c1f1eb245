"""What IAM refuses whoever goes past the commands: to change the audit, and to replay elsewhere than they do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from media_events_kit.ops.local.clients import Clients
from media_events_kit.ops.operations.audit import AUDIT_SETTINGS
from tests.system.conftest import Demonstration
from tests.system.operators import Operator, with_policy

EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": "*"}]}
)
"""Of somebody who may do anything with the data, and has not changed the bucket's policy."""
LATER = datetime.now(UTC) + timedelta(days=9000)

Attack = Callable[[Any, str, str, str], object]

ATTACKS: Mapping[str, Attack] = {
    "overwrites": lambda s3, b, k, _: s3.put_object(Bucket=b, Key=k, Body=b"{}"),
    "overwrites if it is absent": lambda s3, b, k, _: s3.put_object(Bucket=b, Key=k, Body=b"{}", IfNoneMatch="*"),
    "overwrites if it is the same": lambda s3, b, k, _: s3.put_object(
        Bucket=b, Key=k, Body=b"{}", IfMatch=s3.head_object(Bucket=b, Key=k)["ETag"]
    ),
    "copies over it": lambda s3, b, k, _: s3.copy_object(
        Bucket=b, Key=k, CopySource={"Bucket": b, "Key": k}, MetadataDirective="REPLACE"
    ),
    "uploads over it in parts": lambda s3, b, k, _: s3.create_multipart_upload(Bucket=b, Key=k),
    "hides it": lambda s3, b, k, _: s3.delete_object(Bucket=b, Key=k),
    "deletes it": lambda s3, b, k, version: s3.delete_object(
        Bucket=b, Key=k, VersionId=version, BypassGovernanceRetention=True
    ),
    "shortens its retention": lambda s3, b, k, version: s3.put_object_retention(
        Bucket=b,
        Key=k,
        VersionId=version,
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": LATER},
        BypassGovernanceRetention=True,
    ),
    "holds it": lambda s3, b, k, _: s3.put_object_legal_hold(Bucket=b, Key=k, LegalHold={"Status": "ON"}),
    "tags it": lambda s3, b, k, _: s3.put_object_tagging(
        Bucket=b, Key=k, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    ),
}


@dataclass(frozen=True)
class Holder:
    """Somebody with a policy, and S3 as they have it."""

    operator: Operator
    s3: Any
    principal_id: str


def client(clients: Clients, operator: Operator, service: Any) -> Any:
    """A service as ``operator`` has it."""
    return boto3.client(
        service,
        region_name=clients.record.region,
        endpoint_url=clients.record.endpoint,
        verify=clients.record.ca_bundle,
        aws_access_key_id=operator.variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=operator.variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, proxies={"no": "proxy"}, retries={"max_attempts": 0}),
    )


@pytest.fixture(name="bucket", scope="module")
def _bucket(clients: Clients, outputs: dict[str, Any]) -> str:
    row = clients.dynamodb.get_item(TableName=outputs["review_table_name"], Key={"item_id": {"S": AUDIT_SETTINGS}})
    return row["Item"]["audit"]["S"]


@pytest.fixture(name="holder", scope="module")
def _holder(demonstration: Demonstration, clients: Clients) -> Callable[[str, str], Holder]:
    def holder(name: str, policy: str) -> Holder:
        operator = with_policy(demonstration.paths, clients, name, policy)
        return Holder(operator, client(clients, operator, "s3"), clients.iam.get_user(UserName=name)["User"]["UserId"])

    return holder


@pytest.fixture(name="policies", scope="module")
def _policies(clients: Clients, outputs: dict[str, Any]) -> dict[str, str]:
    """Every operator policy, all of them together, that of every role, and one that allows everything."""
    operators: dict[str, str] = outputs["operator_policies"]
    together = [statement for policy in operators.values() for statement in json.loads(policy)["Statement"]]
    return {
        **operators,
        "all-together": json.dumps({"Version": "2012-10-17", "Statement": together}),
        **dict(of_roles(clients)),
        "administrator": EVERYTHING,
    }


def of_roles(clients: Clients) -> Iterator[tuple[str, str]]:
    """The policy of each role of the deployment, which functions, rules and workflows have."""
    for role in sorted(one["RoleName"] for one in clients.iam.list_roles()["Roles"]):
        for inline in clients.iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = clients.iam.get_role_policy(RoleName=role, PolicyName=inline)["PolicyDocument"]
            yield f"role-{hashlib.sha256(role.encode()).hexdigest()[:8]}", json.dumps(document)


def put(holder: Holder, bucket: str, writer: str) -> str:
    key = f"i-1/{datetime.now(UTC).isoformat()}/{writer}"
    holder.s3.put_object(Bucket=bucket, Key=key, Body=b'{"kept": true}', IfNoneMatch="*")
    return key


@pytest.fixture(name="kept", scope="module")
def _kept(holder: Callable[[str, str], Holder], bucket: str, policies: dict[str, str]) -> str:
    """The key of another's entry."""
    other = holder("audited", policies["retry"])
    return put(other, bucket, other.principal_id)


def versions(clients: Clients, bucket: str, key: str) -> list[Any]:
    listed = clients.s3.list_object_versions(Bucket=bucket, Prefix=key)
    return [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]


def refusal(attack: Callable[[], object]) -> str:
    try:
        attack()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "AccessDenied" if code == "403" else str(code)
    return "it was done"


@pytest.mark.attack("E1")
def test_nobody_changes_or_deletes_an_entry(clients, holder, bucket, policies, kept):
    before = versions(clients, bucket, kept)
    (version,) = before
    retention = clients.s3.get_object_retention(Bucket=bucket, Key=kept)["Retention"]
    said = {
        (name, what): refusal(lambda one=one, attack=attack: attack(one.s3, bucket, kept, version["VersionId"]))
        for name, policy in policies.items()
        for one in [holder(f"attacker-{name}", policy)]
        for what, attack in ATTACKS.items()
    }
    assert {pair: code for pair, code in said.items() if code != "AccessDenied"} == {}
    assert versions(clients, bucket, kept) == before
    assert clients.s3.get_object(Bucket=bucket, Key=kept)["Body"].read() == b'{"kept": true}'
    assert clients.s3.get_object_retention(Bucket=bucket, Key=kept)["Retention"] == retention


@pytest.mark.attack("E1")
def test_nobody_changes_or_deletes_their_own_entry(clients, holder, bucket, policies):
    for name in ("all-together", "administrator"):
        one = holder(f"writer-{name}", policies[name])
        key = put(one, bucket, one.principal_id)
        (version,) = versions(clients, bucket, key)
        target = (one.s3, bucket, key, version["VersionId"])
        said = {what: refusal(lambda target=target, attack=attack: attack(*target)) for what, attack in ATTACKS.items()}
        assert said.pop("overwrites if it is absent") == "PreconditionFailed"
        assert set(said.values()) == {"AccessDenied"}, said
        assert versions(clients, bucket, key) == [version]


@pytest.mark.attack("E2")
def test_nobody_writes_in_another_s_name(holder, bucket, policies, kept):
    another = kept.rpartition("/")[2]
    for name in ("all-together", "administrator"):
        one = holder(f"forger-{name}", policies[name])
        for writer in (another, f"{one.principal_id}/{another}", f"{one.principal_id}x", ""):
            assert refusal(lambda one=one, writer=writer: put(one, bucket, writer)) == "AccessDenied", (name, writer)
        assert put(one, bucket, f"{another}/{one.principal_id}").endswith(one.principal_id)


@pytest.mark.attack("E1")
def test_who_may_only_look_and_every_function_add_nothing(holder, bucket, policies):
    roles = [name for name in policies if name.startswith("role-")]
    assert len(roles) >= 4
    for name in ("metadata", "read", *roles):
        one = holder(f"reader-{name}", policies[name])
        assert refusal(lambda one=one: put(one, bucket, one.principal_id)) == "AccessDenied", name


# --- who may replay the archive ------------------------------------------------------------------------------------


@pytest.mark.attack("E4")
def test_a_replay_hands_events_to_its_own_queue_alone_and_puts_no_others_than_partners_on_the_bus(
    demonstration, clients, outputs
):
    operator = with_policy(
        demonstration.paths, clients, "archive-replayer", outputs["operator_policies"]["archive_replay"]
    )
    events = client(clients, operator, "events")
    bus = outputs["archive_replay"]["bus_arn"].rpartition("/")[2]
    rule = {"Rule": f"{bus}-replay-attack", "EventBusName": bus}
    (redrive,) = (name for hop, name in outputs["functions"].items() if hop.startswith("review/"))
    place = clients.lambda_.get_function_configuration(FunctionName=redrive)["FunctionArn"]
    queue = place.partition(":function:")[0].replace(":lambda:", ":sqs:") + f":{bus}-replay-attack"
    pattern = json.dumps({"source": ["partner.nobody"]})
    events.put_rule(Name=rule["Rule"], EventBusName=bus, EventPattern=pattern)
    try:
        for target in (place, queue.replace("-replay-", "-other-")):
            targets = [{"Id": "own", "Arn": queue}, {"Id": "other", "Arn": target}]
            said = refusal(lambda targets=targets: events.put_targets(**rule, Targets=targets))
            assert said == "AccessDeniedException", target
        events.put_targets(**rule, Targets=[{"Id": "own", "Arn": queue}])
    finally:
        clients.events.remove_targets(**rule, Ids=["own"])
        clients.events.delete_rule(Name=rule["Rule"], EventBusName=bus)

    entry = {"EventBusName": bus, "DetailType": "attack.tried", "Detail": "{}"}
    for source in ("example.other", "partner", "xpartner.mux"):
        entries = [{**entry, "Source": "partner.nobody"}, {**entry, "Source": source}]
        said = refusal(lambda entries=entries: events.put_events(Entries=entries))
        assert said == "AccessDeniedException", source
    assert events.put_events(Entries=[{**entry, "Source": "partner.nobody"}])["FailedEntryCount"] == 0
