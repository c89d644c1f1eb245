"""CloudWatch Logs: the key of a log group. MiniStack 1.5.33 takes any with a new group, and none for an older one.

- ``AssociateKmsKey`` and ``DisassociateKmsKey`` take either a log group's name or a ``resourceIdentifier``: the ARN of
  a log group, or of the account's query results (``query-result:*``). A key that does not exist, is disabled or is
  not symmetric is refused with ``InvalidParameterException``
  (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html,
  https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DisassociateKmsKey.html).
- ``CreateLogGroup`` refuses such a key too
  (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html).
- The key's policy must let ``logs.<region>.amazonaws.com`` use it for this resource, which is the encryption context
  ``aws:logs:arn`` (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html). The page names
  no error; AWS answers ``AccessDeniedException``
  (https://github.com/hashicorp/terraform-provider-aws/issues/29282). That page does not say either which actions are
  tried: here it is those that encryption and decryption with a data key need.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from media_events_kit.ops.local.server.corrections import Answer, replace

NEEDED: Final = ("kms:GenerateDataKey", "kms:Decrypt")
CONTEXT: Final = "kms:encryptioncontext:aws:logs:arn"
"""MiniStack looks a condition key up in lower case."""

_Names = Mapping[str, Any]
_Handle = Callable[..., Awaitable[Answer]]


class _RefusedError(Exception):
    """The code and message of AWS's answer."""


def correct(logs: Any, kms: Any, evaluator: Any, responses: Any) -> None:
    """Correct ``ministack.services.cloudwatch_logs``, given ``ministack``'s modules of these names."""
    keys = _Keys(vars(logs), vars(kms), vars(evaluator), vars(responses))

    def handling(handle_of_ministack: _Handle) -> _Handle:
        async def handle_request(
            method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Any
        ) -> Answer:
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            if action not in {"AssociateKmsKey", "DisassociateKmsKey"}:
                return await handle_of_ministack(method, path, headers, body, query_params)
            return keys.answer(action, json.loads(body or b"{}"))

        return handle_request

    def creating(create_of_ministack: Callable[[Mapping[str, Any]], Answer]) -> Callable[[Mapping[str, Any]], Answer]:
        def create_log_group(asked: Mapping[str, Any]) -> Answer:
            return keys.refusal(asked) or create_of_ministack(asked)

        return create_log_group

    replace(logs, "handle_request", handling)
    replace(logs, "_create_log_group", creating)


class _Keys:
    def __init__(self, logs: _Names, kms: _Names, evaluator: _Names, responses: _Names) -> None:
        self._logs, self._kms, self._evaluator, self._responses = logs, kms, evaluator, responses

    def answer(self, action: str, asked: Mapping[str, Any]) -> Answer:
        """The answer to a request."""
        try:
            group, arn = self._resource(asked)
            key = None if action == "DisassociateKmsKey" else self._usable(str(asked.get("kmsKeyId") or ""), arn)
        except _RefusedError as refused:
            return self._refused(refused)
        if group is not None:
            group["kmsKeyId"] = key
        done: Answer = self._responses["json_response"]({})
        return done

    def refusal(self, asked: Mapping[str, Any]) -> Answer | None:
        """The answer to who wants a new log group with a key that can't be used for it."""
        if asked.get("kmsKeyId") and asked.get("logGroupName"):
            try:
                self._usable(str(asked["kmsKeyId"]), f"{self._head()}:log-group:{asked['logGroupName']}")
            except _RefusedError as refused:
                return self._refused(refused)
        return None

    def _refused(self, refused: _RefusedError) -> Answer:
        answer: Answer = self._responses["error_response_json"](*refused.args)
        return answer

    def _head(self) -> str:
        return f"arn:aws:logs:{self._responses['get_region']()}:{self._responses['get_account_id']()}"

    def _resource(self, asked: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
        """The log group, or ``None`` for query results, and the ARN that is the key's encryption context."""
        name, identifier = asked.get("logGroupName"), asked.get("resourceIdentifier")
        if bool(name) == bool(identifier):
            raise _RefusedError(
                "InvalidParameterException", "Specify either logGroupName or resourceIdentifier, and not both."
            )
        head = self._head()
        if identifier == f"{head}:query-result:*":
            return None, str(identifier)
        if identifier:
            start, found, name = str(identifier).partition(":log-group:")
            if start != head or not found or not name or ":" in name:
                raise _RefusedError("InvalidParameterException", f"Invalid resourceIdentifier: {identifier}")
        group = self._logs["_log_groups"].get(name)
        if group is None:
            raise _RefusedError("ResourceNotFoundException", "The specified log group does not exist.")
        return group, f"{head}:log-group:{name}"

    def _usable(self, key_arn: str, arn: str) -> str:
        """The ARN of the key."""
        key = self._kms["_resolve_key"](key_arn) if key_arn.startswith("arn:") else None
        if key is None or key["KeyState"] != "Enabled" or key["KeySpec"] != "SYMMETRIC_DEFAULT":
            raise _RefusedError(
                "InvalidParameterException", f"The specified KMS key is not an enabled symmetric one: {key_arn}"
            )
        if not all(self._allows(key, action, arn) for action in NEEDED):
            raise _RefusedError(
                "AccessDeniedException",
                f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'",
            )
        return key_arn

    def _allows(self, key: Mapping[str, Any], action: str, arn: str) -> bool:
        region = self._responses["get_region"]()
        caller = self._evaluator["EvalContext"](
            # As MiniStack's own services call: no account of IAM's, so that a grant to an account is none to them.
            principal_arn="*",
            principal_type="Service",
            principal_account="",
            action=action,
            resource_arn=key["Arn"],
            region=region,
            service_context={CONTEXT: arn},
        )
        service = f"logs.{region}.amazonaws.com"
        allowed = self._evaluator["evaluate_resource_policy"](key.get("Policy") or "", caller, service=service)
        return bool(allowed.decision == "Allow")
