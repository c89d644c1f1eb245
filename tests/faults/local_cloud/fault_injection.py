"""The local cloud's application, in which calls of functions fail. It needs the standard library and MiniStack only.

Nothing of this is in the functions: they run the package that gets deployed. Each worker process says in its calls
which one it is (``AWS_SDK_UA_APP_ID``, which the SDK puts into its user agent), so that a call can be refused, its
answer be lost, or the very process that made it be killed, before the call is done or after. Others are left alone.

`POST /_chaos` sets how likely each fault is, a JSON object with members of :data:`LIKELIHOODS`; all are 0 at first. Its
answer tells which faults have struck, and which invocations and writes they disturbed.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import itertools
import json
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

APPLICATION: Final = Path(__file__).resolve().parents[3] / "media_events_kit/ops/local/server/application.py"
CONTROL: Final = "/_chaos"
LIKELIHOODS: Final = ("kill", "refuse", "lose_answer", "refuse_entry")
MARK: Final = re.compile(r"evt-[0-9]{6}")
WORKER: Final = re.compile(r"app/(worker-[0-9]+)")
DESTINATION: Final = re.compile(r"destination/([A-Za-z0-9_-]+)")
SERVICE: Final = re.compile(r"Credential=[^/]+/[0-9]+/[^/]+/([^/]+)/")
WRITES: Final = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "SendMessage", "PutEvents", "StartExecution", "PUT"}
)
REFUSALS: Final = {
    "dynamodb": (HTTPStatus.BAD_REQUEST, "ProvisionedThroughputExceededException"),
    "events": (HTTPStatus.BAD_REQUEST, "ThrottlingException"),
    "sqs": (HTTPStatus.FORBIDDEN, "RequestThrottled"),
    "s3": (HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown"),
    "secretsmanager": (HTTPStatus.BAD_REQUEST, "ThrottlingException"),
    "states": (HTTPStatus.BAD_REQUEST, "ThrottlingException"),
}
STUBBORN: Final = 3
"""A lasting refusal outlives all immediate retries of a client."""

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Faults:
    """Draws the faults from the seed, the place and a count there, and records them."""

    def __init__(self) -> None:
        self.seed = 0
        self.likelihoods = dict.fromkeys(LIKELIHOODS, 0.0)
        self.fired: Counter[str] = Counter()
        self.disturbed: list[tuple[str, str, float, float]] = []
        """Function, mark, beginning and end of failed invocations that handled the event."""
        self.unconfirmed: list[tuple[str, str, float]] = []
        """Destination (or ``bus``), mark and time of writes that were refused or whose answer was lost."""
        self._counts: Counter[str] = Counter()
        self._refusing: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def set(self, wanted: dict[str, Any]) -> None:
        """Set the probabilities and the seed."""
        with self._lock:
            self.seed = int(wanted.get("seed", self.seed))
            for name in LIKELIHOODS:
                self.likelihoods[name] = float(wanted.get(name, self.likelihoods[name]))
            self._refusing.clear()

    def strikes(self, kind: str, site: str, *, share: float = 1.0) -> bool:
        """Whether a fault strikes now."""
        with self._lock:
            self._counts[f"{kind}/{site}"] += 1
            text = f"{self.seed}/{kind}/{site}/{self._counts[f'{kind}/{site}']}"
            drawn = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
            if drawn >= self.likelihoods[kind] * share:
                return False
            self.fired[f"{site}/{kind}"] += 1
            return True

    def refuses(self, worker: str, site: str) -> bool:
        """Whether a call is refused; half of the time, so are its retries."""
        with self._lock:
            if self._refusing[worker, site] > 0:
                self._refusing[worker, site] -= 1
                return True
        if not self.strikes("refuse", site):
            return False
        if self.fired[f"{site}/refuse"] % 2:
            self._refusing[worker, site] = STUBBORN - 1
        return True

    def to_json(self) -> bytes:
        """The faults so far, as JSON."""
        with self._lock:
            document = {
                "fired": dict(self.fired),
                "disturbed": list(self.disturbed),
                "unconfirmed": list(self.unconfirmed),
            }
        return json.dumps(document).encode()


faults: Final = Faults()
processes: Final[dict[str, subprocess.Popen[str]]] = {}
_numbers: Final = itertools.count(1)


class _Subprocess:
    """Takes the place of ``subprocess`` where MiniStack starts its workers, and names each."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, *given: Any, env: dict[str, str], **options: Any) -> subprocess.Popen[str]:  # noqa: N802
        name = f"worker-{next(_numbers)}"
        process = subprocess.Popen(*given, env={**env, "AWS_SDK_UA_APP_ID": name}, **options)
        processes[name] = process
        return process


def _marks(text: str) -> list[str]:
    return sorted(set(MARK.findall(text)))


def _invoke(worker: Any, event: Any, *given: Any, **options: Any) -> Any:
    """MiniStack's invocation of a worker; a failed one is recorded with its events."""
    began = time.time()
    answer = _invoke_of_ministack(worker, event, *given, **options)
    if answer.get("status") == "error":
        ended = time.time()
        faults.disturbed += [(worker.func_name, mark, began, ended) for mark in _marks(json.dumps(event))]
    return answer


def _put_events(data: dict[str, Any], *given: Any, **options: Any) -> Any:
    """MiniStack's call, but sometimes one of our entries is refused while the others are accepted."""
    entries = data.get("Entries", [])
    refused = {
        index
        for index, entry in enumerate(entries)
        if str(entry.get("Source", "")).startswith("partner.") and faults.strikes("refuse_entry", "events/PutEvents")
    }
    if not refused:
        return _put_of_ministack(data, *given, **options)
    taken = [entry for index, entry in enumerate(entries) if index not in refused]
    answers = iter([])
    if taken:
        status, headers, body = _put_of_ministack({**data, "Entries": taken}, *given, **options)
        if status != HTTPStatus.OK:
            return status, headers, body
        answers = iter(json.loads(body)["Entries"])
    results = [
        {"ErrorCode": "ThrottlingException", "ErrorMessage": "chaos"} if index in refused else next(answers)
        for index in range(len(entries))
    ]
    failed = sum("ErrorCode" in result for result in results)
    body = json.dumps({"FailedEntryCount": failed, "Entries": results}).encode()
    return int(HTTPStatus.OK), {"Content-Type": "application/x-amz-json-1.1"}, body


def _call(scope: dict[str, Any], headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """Service and operation of a call."""
    found = SERVICE.search(headers.get("authorization", ""))
    service = found[1] if found else ""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if not operation:
        action = re.search(rb"(?:^|&)Action=(\w+)", body[:2000])
        operation = action[1].decode() if action else str(scope["method"])
    return service, operation


async def _with_faults(scope: dict[str, Any], worker: str, headers: dict[str, str], body: bytes, send: Send) -> None:
    service, operation = _call(scope, headers, body)
    site, process = f"{service}/{operation}", processes.get(worker)
    text = body.decode("utf-8", "replace")

    async def give() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    if operation in WRITES and process is not None and faults.strikes("kill", f"{site}/before"):
        process.kill()
        return
    if service in REFUSALS and faults.refuses(worker, site):
        _unconfirmed(service, operation, text)
        await _refuse(service, send)
        return
    if operation in WRITES and process is not None and faults.strikes("kill", f"{site}/after"):
        await app_of_ministack(scope, give, _nowhere)
        process.kill()
        return
    if operation in WRITES and faults.strikes("lose_answer", site):
        _unconfirmed(service, operation, text)
        await app_of_ministack(scope, give, _nowhere)
        await _answer(send, HTTPStatus.INTERNAL_SERVER_ERROR, b"")
        return
    await app_of_ministack(scope, give, send)


def _unconfirmed(service: str, operation: str, text: str) -> None:
    """Record a write whose answer is lost: a completed idempotency record, or an event on the bus."""
    if (service, operation) == ("dynamodb", "UpdateItem"):
        places = DESTINATION.findall(text) or ["bus"]
    elif (service, operation) == ("events", "PutEvents"):
        places = ["bus"]
    else:
        return
    now = time.time()
    faults.unconfirmed += [(place, mark, now) for place in sorted(set(places)) for mark in _marks(text)]


async def _refuse(service: str, send: Send) -> None:
    status, code = REFUSALS[service]
    if service == "s3":
        await _answer(send, status, f"<Error><Code>{code}</Code><Message>chaos</Message></Error>".encode())
        return
    await _answer(send, status, json.dumps({"__type": code, "message": "chaos"}).encode())


async def _answer(send: Send, status: int, body: bytes) -> None:
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": int(status), "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _nowhere(_message: dict[str, Any]) -> None:
    """The answer of a call whose caller does not get one."""


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return b"".join(parts)


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """MiniStack's application behind the faults."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
    if scope["type"] == "http" and scope["path"] == CONTROL:
        if scope["method"] == "POST":
            faults.set(json.loads(await _body(receive)))
        await _answer(send, HTTPStatus.OK, faults.to_json())
        return
    worker = WORKER.search(headers.get("user-agent", ""))
    if scope["type"] != "http" or worker is None:
        await app_of_ministack(scope, receive, send)
        return
    await _with_faults(scope, worker[1], headers, await _body(receive), send)


def _load() -> Any:
    """The local cloud's application, which has no name by which it could be imported here."""
    specification = importlib.util.spec_from_file_location("application", APPLICATION)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.app


app_of_ministack: Final[Any] = _load()
_runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
_invoke_of_ministack: Any = _runtime.Worker.invoke
_runtime.Worker.invoke = _invoke
vars(_runtime)["subprocess"] = _Subprocess()
_eventbridge: Any = importlib.import_module("ministack.services.eventbridge")
_put_of_ministack: Any = vars(_eventbridge)["_put_events"]
vars(_eventbridge)["_put_events"] = _put_events
