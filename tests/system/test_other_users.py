"""Another user of the machine reaches the local cloud's port, and gets nothing and runs nothing through it."""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from media_events_kit.ops.local import lifecycle
from media_events_kit.ops.local.clients import Clients
from tests.system.conftest import Demonstration

CODE = {"ZipFile": b"PK\x05\x06" + b"\0" * 18}


def client_of(clients: Clients, service: str, key: str, secret: str, token: str | None = None) -> Any:
    return boto3.client(
        service,
        region_name=clients.record.region,
        endpoint_url=clients.record.endpoint,
        verify=clients.record.ca_bundle,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 1}, proxies={"no": "proxy"}, s3={"addressing_style": "path"}),
    )


def refused(call: Any) -> bool:
    try:
        call()
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 401, 403}
    return False


def function_of(clients: Clients) -> dict[str, Any]:
    return dict(clients.lambda_.list_functions()["Functions"][0])


@pytest.mark.attack("L1")
@pytest.mark.parametrize("key", ["test", "000000000000", "AKIA0123456789ABCDEF", "admin"])
def test_l1_no_key_that_can_be_guessed_runs_code(clients: Clients, key: str):
    name = function_of(clients)["FunctionName"]
    attacker = client_of(clients, "lambda", key, "test")
    role = "arn:aws:iam::000000000000:role/x"
    create = {"FunctionName": "evil", "Runtime": "python3.13", "Handler": "x.x", "Role": role, "Code": CODE}

    assert refused(lambda: attacker.create_function(**create))
    assert refused(lambda: attacker.update_function_code(FunctionName=name, **CODE))
    assert refused(lambda: attacker.invoke(FunctionName=name, Payload=b"{}"))
    assert refused(attacker.list_functions)
    assert refused(lambda: client_of(clients, "iam", key, "test").create_user(UserName="evil"))
    assert refused(lambda: client_of(clients, "secretsmanager", key, "test").list_secrets())


@pytest.mark.attack("L2")
def test_l2_an_unsigned_request_reads_and_writes_nothing(clients: Clients):
    bucket = clients.s3.list_buckets()["Buckets"][0]["Name"]
    (found, *_) = clients.s3.list_objects_v2(Bucket=bucket)["Contents"]
    attacker = boto3.client(
        "s3",
        region_name=clients.record.region,
        endpoint_url=clients.record.endpoint,
        verify=clients.record.ca_bundle,
        config=Config(signature_version=UNSIGNED, proxies={"no": "proxy"}, s3={"addressing_style": "path"}),
    )

    assert refused(lambda: attacker.get_object(Bucket=bucket, Key=found["Key"]))
    assert refused(lambda: attacker.put_object(Bucket=bucket, Key=found["Key"], Body=b"evil"))
    assert refused(lambda: attacker.list_objects_v2(Bucket=bucket))


@pytest.mark.attack("L3")
def test_l3_the_credentials_of_a_function_do_not_follow_from_its_arn(clients: Clients):
    """As MiniStack derives them (``execution_credentials`` of its ``lambda_runtime``)."""
    function = function_of(clients)
    digest = hashlib.sha256(f"{function['FunctionArn']}:{function['Role']}".encode()).hexdigest()
    secret, token = (hashlib.sha256(f"{what}:{digest}".encode()).hexdigest() for what in ("secret", "token"))
    attacker = client_of(clients, "sts", f"ASIA{digest[:16].upper()}", secret, token)

    assert refused(attacker.get_caller_identity)


@pytest.mark.attack("L4")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_ministack/reset"),
        ("POST", "//_ministack/reset"),
        ("POST", "/%5Fministack/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/lambda-code/{function}"),
        ("GET", "/_localstack/init"),
    ],
)
def test_l4_ministack_s_own_paths_are_closed(clients: Clients, method: str, path: str):
    url = clients.record.endpoint + path.format(function=function_of(clients)["FunctionName"])
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=clients.record.ca_bundle)),
    )

    with pytest.raises(HTTPError) as error:
        opener.open(urllib.request.Request(url, method=method, data=b"{}" if method == "POST" else None))
    error.value.close()

    assert error.value.code == 403
    assert clients.lambda_.list_functions()["Functions"]


OTHER_USER = """
import os, sys
os.setgroups([]), os.setgid(65534), os.setuid(65534)
for file in sys.argv[1:]:
    try:
        open(file)
        print("read", file)
    except PermissionError:
        pass
"""


@pytest.mark.attack("L5")
def test_l5_another_user_reads_neither_the_key_nor_what_the_cloud_keeps(demonstration: Demonstration):
    paths = demonstration.paths
    files = [
        paths.cloud_record,
        paths.terraform_state,
        paths.outputs,
        paths.cloud_log,
        paths.certificates / "endpoint.key",
    ]
    for folder in (paths.directory, *paths.directory.parents):
        # pytest's own folders are private; here the cloud's must do it alone.
        if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)

    assert all(file.exists() for file in files)
    assert (paths.root.stat().st_mode & 0o777, paths.cloud_record.stat().st_mode & 0o777) == (0o700, 0o600)
    record = lifecycle.require_record(paths)
    process = Path("/proc") / str(record.pid)
    assert record.access_key_id.encode() not in (process / "cmdline").read_bytes()
    if os.getuid() == 0:
        tried = [sys.executable, "-c", OTHER_USER, *map(str, [*files, process / "environ"])]
        assert subprocess.run(tried, capture_output=True, text=True, check=True).stdout == ""
