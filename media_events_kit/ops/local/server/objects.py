"""S3 tells only those of a missing object who may list the bucket. MiniStack 1.5.33 tells everybody.

Without ``s3:ListBucket`` the answer is 403 AccessDenied, not 404
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html). The object's key is the condition key
``s3:prefix``; AWS does not write so, but other implementations found it (https://github.com/ceph/ceph/pull/68577).

A refused HEAD has no body, so nobody learns the error's code, not even that the bucket is absent
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from media_events_kit.ops.local.server.corrections import Answer, replace

READS: Final = ("GET", "HEAD")


def correct(s3: Any, iam_evaluator: Any, iam_actions: Any, router: Any) -> None:
    """Correct ``ministack.services.s3``, with MiniStack's own evaluation of policies."""

    def secretive(handler_of_ministack: Callable[..., Coroutine[Any, Any, Answer]]) -> Any:
        async def handle_request(method: str, path: str, headers: Mapping[str, str], *rest: Any, **more: Any) -> Answer:
            status, answered, body = await handler_of_ministack(method, path, headers, *rest, **more)
            bucket, _, key = unquote(path).lstrip("/").partition("/")
            if status != HTTPStatus.NOT_FOUND or method not in READS or not key:
                return status, answered, body
            reason = body if method == "GET" else (await handler_of_ministack("GET", path, headers, *rest, **more))[2]
            if b"NoSuchBucket" in reason:
                return status, answered, body
            denied = vars(iam_evaluator)["enforce"](
                vars(router)["extract_access_key_id"](headers),
                "s3:ListBucket",
                "s3",
                vars(router)["extract_region"](headers),
                resource_arn=f"arn:aws:s3:::{bucket}",
                service_context={"s3:prefix": key},
            )
            if not denied:
                return status, answered, body
            refusal: Answer = vars(iam_actions)["access_denied_response"](
                "s3", "s3:ListBucket", getattr(denied, "principal_arn", ""), "", headers=headers
            )
            return refusal if method == "GET" else (refusal[0], refusal[1], b"")

        return handle_request

    replace(s3, "handle_request", secretive)
