"""SQS's ``SenderId``: who sent a message. MiniStack 1.5.33 gives every message the account's number.

It is the id of a user, and of a role ``<unique id of the role>:<name of the session>``. A message keeps it in its
dead-letter queue. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
A function's session has its role's name in MiniStack, and the unique id in AWS, as every other.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any

from media_events_kit.ops.local.server.corrections import Answer, replace

_sender: ContextVar[str | None] = ContextVar("sender", default=None)
"""The user id of who sent the request that the code runs in."""


def correct(sqs: Any, sts: Any) -> None:
    """Correct ``ministack.services.sqs``, by who ``ministack.services.sts`` says the caller is."""
    caller_identity, role_id = vars(sts)["_caller_identity"], vars(sts)["_role_id"]

    def of_sessions(register_of_ministack: Callable[[str, dict[str, Any]], None]) -> Any:
        def register_session(access_key: str, session: dict[str, Any]) -> None:
            _, _, _, _, account, resource = str(session.get("Arn")).split(":", 5)
            kind, _, role = resource.rpartition("/")[0].partition("/")
            if kind == "assumed-role" and session.get("UserId", "").startswith(f"{role}:"):
                unique = role_id(f"arn:aws:iam::{account}:role/{role}")
                session = {**session, "UserId": unique + session["UserId"].removeprefix(role)}
            register_of_ministack(access_key, session)

        return register_session

    def of_requests(handler_of_ministack: Callable[..., Coroutine[Any, Any, Answer]]) -> Any:
        async def handle_request(
            method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Mapping[str, Any]
        ) -> Answer:
            caller = caller_identity(headers, query_params)
            _sender.set(caller.get("userId") if isinstance(caller, Mapping) else None)
            return await handler_of_ministack(method, path, headers, body, query_params)

        return handle_request

    def of_messages(attributes_of_ministack: Callable[..., dict[str, Any]]) -> Any:
        def build_send_sys_attrs(now: float, given: Mapping[str, Any]) -> dict[str, Any]:
            attributes, sender = attributes_of_ministack(now, given), _sender.get()
            return attributes if sender is None else {**attributes, "SenderId": sender}

        return build_send_sys_attrs

    replace(sts, "register_session", of_sessions)
    replace(sqs, "handle_request", of_requests)
    replace(sqs, "_build_send_sys_attrs", of_messages)
