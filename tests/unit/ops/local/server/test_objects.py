"""Who may not list a bucket is not told that an object is missing, by fakes of MiniStack's S3 and IAM."""

from __future__ import annotations

import asyncio
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from media_events_kit.ops.local.server import objects


class Bucket:
    """A bucket ``bodies`` with the one object ``events/there``; ``may_list`` are the keys that may be found."""

    def __init__(self) -> None:
        self.may_list: set[str] = set()
        s3, evaluator, actions, router = (ModuleType(name) for name in ("s3", "evaluator", "actions", "router"))

        async def handle_request(method: str, path: str, *_rest: Any) -> tuple[int, dict[str, str], bytes]:
            status, body = 404, b"<Code>NoSuchKey</Code>"
            if path.startswith("/nobody"):
                body = b"<Code>NoSuchBucket</Code>"
            elif path in ("/bodies/events/there", "/bodies"):
                status, body = 200, b"body"
            return status, {}, b"" if method == "HEAD" else body

        def enforce(key_id: str, action: str, service: str, region: str, **about: Any) -> Any:
            assert (key_id, action, service, region) == ("AKIA", "s3:ListBucket", "s3", "eu-west-1")
            assert about["resource_arn"] == "arn:aws:s3:::bodies"
            return (
                None if about["service_context"]["s3:prefix"] in self.may_list else SimpleNamespace(principal_arn="me")
            )

        vars(s3)["handle_request"] = handle_request
        vars(evaluator)["enforce"] = enforce
        vars(actions)["access_denied_response"] = lambda _service, action, who, _id, **_: (403, {}, f"{who} {action}")
        vars(router).update(extract_access_key_id=lambda _: "AKIA", extract_region=lambda _: "eu-west-1")
        objects.correct(s3, evaluator, actions, router)
        self._s3 = s3

    def ask(self, method: str, path: str) -> tuple[int, Any]:
        status, _, body = asyncio.run(vars(self._s3)["handle_request"](method, path, {}, b"", {}))
        return status, body


@pytest.fixture(name="bucket")
def _bucket() -> Bucket:
    return Bucket()


def test_a_missing_object_is_forbidden_to_whom_may_not_list(bucket: Bucket) -> None:
    assert bucket.ask("GET", "/bodies/events/gone") == (403, "me s3:ListBucket")
    assert bucket.ask("HEAD", "/bodies/events/gone") == (403, b"")


def test_a_missing_object_is_missing_to_whom_may_list_its_key(bucket: Bucket) -> None:
    bucket.may_list.add("events/gone away")

    assert bucket.ask("GET", "/bodies/events/gone%20away")[0] == 404
    assert bucket.ask("GET", "/bodies/other/gone")[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/bodies/events/there", 200),
        ("GET", "/bodies", 200),
        ("GET", "/nobody/events/gone", 404),
        ("HEAD", "/nobody/events/gone", 404),
        ("DELETE", "/bodies/events/gone", 404),
    ],
)
def test_other_answers_are_ministacks_own(bucket: Bucket, method: str, path: str, status: int) -> None:
    assert bucket.ask(method, path)[0] == status
