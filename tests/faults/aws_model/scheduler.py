"""Time, chance and faults.

Chance is a function of the seed and of what it is about (``site``, ``subject``, how often this was asked), never of
what happened elsewhere: where an event or a fault is left out, everything else stays as it was. That is what lets a
failing sequence be shrunk.

Whatever runs is a task. A task gives way to the others while it waits: at each request to AWS, on its way there and on
the answer's way back, and where the code sleeps. So any two requests of an invocation may have another one's between
them, and one seed has one order.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import heapq
import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError, ReadTimeoutError
from greenlet import greenlet

from media_events_kit.ops.local.server.lineage import Lineage, invoked
from media_events_kit.ops.local.server.loops import LIMIT

MARK: Final = re.compile(r"evt-[0-9]{6}")
"""The pattern of an event's mark, which is part of its id."""

_EVENT_ID: Final = re.compile(r"(?:edit-)?evt-[0-9]{6}(?:-operator-[0-9]+(?:-too)?)?")
"""An event's id; an operator's edited event has one of its own."""

APPLY_SECONDS: Final = 300.0
"""The changes of permissions begin to spread within this time."""

READ_TIMEOUT_SECONDS: Final = 5.0
"""Botocore's wait for an answer, as ``adapters.boto_clients`` sets it."""

SANDBOXES: Final = 4
"""Of a function, each with a clock and a memory of its own."""

IN_FLIGHT_SECONDS: Final = 2.0
"""How long a request may still be under way after its sender has died."""

MAX_STALL_SECONDS: Final = 40.0
"""Longer than any function but one of redrive may run."""

T = TypeVar("T")

FaultId = tuple[str, str, int]
"""A fault: its site and kind, its subject, and its number there."""


class Killed(BaseException):  # it stands for SIGKILL, not for an error that anybody handles
    """The process is killed. It is no ``Exception``, so none of our code runs afterwards."""


class LoopError(Exception):
    """Lambda does not start a function, which is part of a recursive loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """The probability of each fault, at every place where it can strike."""

    kill: float = 0.01
    refuse: float = 0.02
    lose_answer: float = 0.006
    repeat: float = 0.01
    duplicate: float = 0.03
    resurrect: float = 0.01
    undeliverable: float = 0.01
    flap: float = 0.15
    fated: float = 0.04
    stall: float = 0.004
    """A request, its answer or the process hangs, for up to 40 seconds. It excuses nothing."""
    conflict: float = 0.01
    """Another transaction is writing the item (DynamoDB's ``TransactionConflict``)."""
    in_flight: float = 0.2
    """Of the requests whose sender dies: they take effect nevertheless, a little later."""
    skew: float = 60.0
    """Seconds by which the clocks of two machines differ at most."""
    late: float = 0.001
    """A message of a standard queue is seen for the first time only days later, or once more days after its end."""
    operators: float = 0.2
    """Operators' commands at any moment, for each event."""
    replays: float = 0.004
    """Replays from the archive at any moment, for each event."""
    long_after: float = 0.5
    """Runs in which events are replayed half a year later, when the idempotency stores have forgotten them."""
    tight: float = 0.3
    """Runs in which a few events fill a page of a key queue, a few pages a key queue, and a body may be unparkable."""
    spreading: float = 0.0
    """Seconds for which each kind of call is refused, once, as while a change of permissions spreads."""


CALM: Final = Mix(
    kill=0,
    refuse=0,
    lose_answer=0,
    repeat=0,
    duplicate=0,
    resurrect=0,
    undeliverable=0,
    flap=0,
    fated=0,
    stall=0,
    conflict=0,
    skew=0,
    late=0,
    operators=0,
    replays=0,
    long_after=0,
    tight=0,
)


@dataclass(slots=True)
class Invocation:
    """A function that runs until ``deadline``. ``effects`` have happened and are not confirmed yet."""

    name: str
    request_id: str
    deadline: float
    effects: set[tuple[str, str]] = field(default_factory=set)
    disturbed: bool = False
    dead: bool = False
    """Whether its process has died: whatever ``finally`` it still passes, no request leaves it any more."""
    only: Collection[str] = ()
    """The hops to which alone it may send events; any where this is empty."""
    lineage: Lineage = field(default_factory=dict)
    """How often the chain of requests has invoked each function, this invocation included."""
    skew: float = 0.0
    """How far its clock is ahead, in seconds."""
    sandbox: int = 0
    """The one of its function in which it runs."""


class _Task(greenlet):
    """What runs, and the invocations that it is in. ``waits`` tells a wake-up of the present wait from an older one."""

    def __init__(self, action: Callable[[], object] | None = None) -> None:
        super().__init__(action)
        self.stack: list[Invocation] = []
        self.waits = 0


@dataclass(slots=True)
class _Root:
    """The test itself, which is no task: time passes for it at once."""

    stack: list[Invocation] = field(default_factory=list)


class World:
    """One run. ``allowed`` restricts the faults; ``None`` allows all that chance draws."""

    def __init__(self, seed: int, mix: Mix, *, allowed: Collection[FaultId] | None = None) -> None:
        self.seed = seed
        self.mix = mix
        self.now = 1_790_000_000.0
        self._began = self.now
        self.faults_end = float("inf")
        self.fired: list[FaultId] = []
        self.story: list[tuple[float, str, str]] = []
        self._root = _Root()
        self._task: _Task | _Root = self._root
        self._hub = greenlet.getcurrent()
        self.windows: Counter[tuple[str, str]] = Counter()
        self.may_loop: set[str] = set()
        """Functions whose recursion config is ``Allow``; Lambda's default is ``Terminate``."""
        self.dropped: Counter[str] = Counter()
        """Invocations that Lambda has stopped, by function: its metric ``RecursiveInvocationsDropped``."""
        self._allowed = None if allowed is None else frozenset(allowed)
        self._weather: set[FaultId] = set()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._fixed: dict[tuple[str, str], float] = {}
        self._agenda: list[tuple[float, float, int, _Task | Callable[[], object], int]] = []
        self._numbers = itertools.count(1)

    # --- time --------------------------------------------------------------------------------------------------------

    def clock(self) -> float:
        """The time by the clock of the sandbox whose code runs."""
        stack = self._task.stack
        return self.now + stack[-1].skew if stack else self.now

    def at(self, when: float, action: Callable[[], object], *, subject: str = "") -> None:
        """Schedule ``action`` at ``when``; chance decides the order of actions at one moment."""
        heapq.heappush(self._agenda, (when, self.chance("agenda", subject), next(self._numbers), action, 0))

    def run(self, *, until: float = float("inf")) -> bool:
        """Run the schedule up to ``until``; whether it is empty then."""
        before, self._hub = self._task, greenlet.getcurrent()
        try:
            while self._agenda and self._agenda[0][0] <= until:
                when, _, _, action, wait = heapq.heappop(self._agenda)
                task = action if isinstance(action, _Task) else _Task(action)
                if task.waits != wait:
                    continue
                self.now = max(self.now, when)
                self._task = task
                task.switch()
        finally:
            self._task = before
        return not self._agenda

    def pause(self, seconds: float) -> None:
        """Let ``seconds`` pass for the task, while others run; an invocation whose time is over is killed.

        Raises:
            Killed: it timed out.
        """
        self._wait(self.now + seconds)

    def _wait(self, until: float) -> None:
        task = self._task
        deadline = min((invocation.deadline for invocation in task.stack), default=float("inf"))
        wake = min(until, deadline)
        if isinstance(task, _Root):
            self.run(until=wake)
            self.now = max(self.now, wake)
        else:
            task.waits += 1
            heapq.heappush(self._agenda, (wake, 0.5, next(self._numbers), task, task.waits))
            self._hub.switch()
            task.waits += 1
        if self.now >= deadline and until > deadline:
            self.tell("timed out", task.stack[-1].name)
            raise Killed

    def await_other(self, work: Callable[[], T], seconds: float) -> T | None:
        """Do ``work`` in a task of its own and wait for it for ``seconds``; ``None`` where it takes longer.

        Raises:
            BaseException: what ``work`` raised, in time.
        """
        task = self._task
        if isinstance(task, _Root):
            return work()
        done: list[tuple[T | None, BaseException | None]] = []
        wait = task.waits + 1

        def body() -> None:
            try:
                done.append((work(), None))
            except (Exception, Killed) as error:  # noqa: BLE001  # the caller raises it
                done.append((None, error))
            heapq.heappush(self._agenda, (self.now, 0.5, next(self._numbers), task, wait))

        self.at(self.now, body)
        self._wait(self.now + seconds)
        if not done:
            return None
        result, error = done[0]
        if error is not None:
            raise error
        return result

    @property
    def current(self) -> Invocation | None:
        """The invocation whose code runs now."""
        stack = self._task.stack
        return stack[-1] if stack else None

    # --- chance and faults -------------------------------------------------------------------------------------------

    def chance(self, site: str, subject: str) -> float:
        """A number from 0 up to 1."""
        key = (site, subject)
        self._asked[key] += 1
        text = f"{self.seed}|{site}|{subject}|{self._asked[key]}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56

    def fixed(self, site: str, subject: str) -> float:
        """A number that is the same at every call."""
        key = (site, subject)
        if key not in self._fixed:
            text = f"{self.seed}|{site}|{subject}"
            self._fixed[key] = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56
        return self._fixed[key]

    def strikes(self, site: str, subject: str, likelihood: float, *, excuses: bool = True) -> bool:
        """Whether a fault happens here and now; one that ``excuses`` may hide from the invocation what it has done."""
        if likelihood <= 0:
            return False
        hit = self.chance(site, subject) < likelihood
        return hit and self._happens((site, subject, self._asked[(site, subject)]), excuses=excuses)

    def _happens(self, fault: FaultId, *, excuses: bool = True) -> bool:
        """Whether a fault that chance wants may happen now; it is recorded."""
        if self.now >= self.faults_end or (self._allowed is not None and fault not in self._allowed):
            return False
        self.fired.append(fault)
        self.tell(f"fault: {fault[0]}", fault[1])
        if excuses and self.current is not None:
            self.current.disturbed = True
        return True

    def weather(self, site: str, subject: str, likelihood: float, *, lasting: bool = False) -> bool:
        """A random choice that stays the same; with ``lasting`` also after the time of faults."""
        fault = (site, subject, 0)
        if self.fixed(site, subject) >= likelihood or (self.now >= self.faults_end and not lasting):
            return False
        if self._allowed is not None and fault not in self._allowed:
            return False
        if fault not in self._weather:
            self._weather.add(fault)
            self.fired.append(fault)
        return True

    def request(
        self, site: str, subject: str, act: Callable[[], T], *, code: str, repeats: bool = True, writes: bool = True
    ) -> T:
        """One request to AWS: it travels, ``act`` takes effect, and the answer travels back.

        The process may die before or after, the service may refuse with ``code``, and the answer may get lost. Then
        botocore asks again by itself (https://docs.aws.amazon.com/boto3/latest/guide/retries.html), unless the client
        ``repeats`` nothing. What a dead process has sent may still arrive.

        Raises:
            Killed: the process is gone.
            ClientError: the service refused.
            ReadTimeoutError: no answer came. ``act`` took effect.
        """
        if self.current is not None and self.current.dead:
            raise Killed
        try:
            return self._request(site, subject, act, code=code, repeats=repeats, writes=writes)
        except Killed:
            if self.current is not None:
                self.current.dead = True
            raise

    def _request(self, site: str, subject: str, act: Callable[[], T], *, code: str, repeats: bool, writes: bool) -> T:
        number = self.chance(site, subject)
        fault = self._fault(site, subject, number, writes=writes, repeats=repeats)
        self._travel(number * 2**20 % 1, stalls=fault == "stall-before")
        if fault == "kill-before":
            if writes and self.strikes(f"{site}/in-flight", subject, self.mix.in_flight) and self.current is not None:
                when = self.now + IN_FLIGHT_SECONDS * self.chance(f"{site}/in-flight-when", subject)
                self.at(when, functools.partial(self._arrive, act, self.current), subject=subject)
            raise Killed
        if self.current is not None and self.denies(site, subject):
            raise refusal("AccessDeniedException", site)
        if fault == "refuse":
            raise refusal(code, site)
        answer = act()
        if fault == "repeat":
            self.pause(READ_TIMEOUT_SECONDS)
            answer = act()
        if fault == "kill-after":
            raise Killed
        if fault == "lose-answer":
            self.pause(READ_TIMEOUT_SECONDS)
            raise ReadTimeoutError(endpoint_url=site)
        self._travel(number * 2**40 % 1, stalls=fault == "stall-after")
        return answer

    def _fault(self, site: str, subject: str, number: float, *, writes: bool, repeats: bool) -> str | None:
        """The fault of a request, at most one; ``number`` is its chance."""
        mix, dies, count = self.mix, self.current is not None, self._asked[(site, subject)]
        for kind, likelihood in (
            ("refuse", mix.refuse),
            ("kill-before", mix.kill if dies else 0.0),
            ("kill-after", mix.kill if dies and writes else 0.0),
            ("lose-answer", mix.lose_answer if writes else 0.0),
            ("repeat", mix.repeat if writes and repeats else 0.0),
            ("stall-before", mix.stall),
            ("stall-after", mix.stall),
        ):
            if number < likelihood:
                excuses = not kind.startswith("stall")
                return kind if self._happens((f"{site}/{kind}", subject, count), excuses=excuses) else None
            number -= likelihood
        return None

    def _arrive(self, act: Callable[[], object], sender: Invocation) -> None:
        """The request of a dead process takes effect, and nobody hears of it."""
        confirmed = set(sender.effects)
        self._task.stack.append(sender)
        with contextlib.suppress(ClientError, ReadTimeoutError):
            act()
        self._task.stack.pop()
        self.windows.update(sender.effects - confirmed)

    def _travel(self, number: float, *, stalls: bool) -> None:
        """Milliseconds, in which others may be faster; sometimes far more."""
        if not isinstance(self._task, _Root):
            self._wait(self.now + (MAX_STALL_SECONDS * number**2 if stalls else 0.001 + 0.03 * number**3))

    def denies(self, site: str, subject: str) -> bool:
        """Whether a permission that was granted has not reached ``site`` yet: for a while, each call is refused."""
        begins = self._began + APPLY_SECONDS * self.fixed("apply", site)
        spreading = begins <= self.now < begins + self.mix.spreading
        return self.strikes(f"{site}/denied", subject, 1.0 if spreading else 0.0)

    def tell(self, what: str, subject: str) -> None:
        """Record a step, for the report of a failure."""
        self.story.append((self.now, what, subject))

    # --- invocations -------------------------------------------------------------------------------------------------

    def invoke(
        self,
        name: str,
        seconds: float,
        work: Callable[[Invocation], Any],
        *,
        lineage: Lineage | None = None,
        subject: str = "",
    ) -> Any:
        """Run a function that a chain of requests with ``lineage`` has led to.

        Raises:
            LoopError: the chain has invoked the function too often
                (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
            Killed: it died, or ran longer than ``seconds``.
        """
        counts: Mapping[str, int] = lineage or {}
        if counts.get(name, 0) >= LIMIT and name not in self.may_loop:
            self.dropped[name] += 1
            raise LoopError
        sandbox = int(SANDBOXES * self.chance(f"{name}/sandbox", subject))
        invocation = Invocation(
            name,
            f"{name}#{next(self._numbers)}",
            self.now + seconds,
            lineage=invoked(counts, name),
            skew=self._skew(name, str(sandbox)),
            sandbox=sandbox,
        )
        stack = self._task.stack
        stack.append(invocation)
        try:
            return work(invocation)
        except Killed:
            invocation.disturbed = True
            raise
        finally:
            stack.pop()
            if invocation.disturbed:
                # A fault kept these effects from being confirmed: only they may be repeated.
                self.windows.update(invocation.effects)

    def _skew(self, name: str, sandbox: str) -> float:
        """How far the clock of a sandbox is ahead.

        AWS keeps clocks within a millisecond where it can
        (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/set-time.html) and promises nothing of it for Lambda.
        """
        if self.mix.skew <= 0:
            return 0.0
        wrong = self.weather(f"{name}/clock", sandbox, 0.5, lasting=True)
        return self.mix.skew * (self.fixed(f"{name}/skew", sandbox) - 0.5) if wrong else 0.0


def refusal(code: str, operation: str) -> ClientError:
    """A service's refusal, as botocore raises it."""
    return ClientError({"Error": {"Code": code, "Message": "the model refuses"}}, operation)


def marks(text: str) -> list[str]:
    """The events that a text mentions."""
    return sorted(set(MARK.findall(text)))


def subject_of(text: str) -> str:
    """The subject of a text, for chance and for the report."""
    found = MARK.search(text)
    return found.group() if found else ""


def event_id_of(text: str) -> str:
    """The first event's id in a text."""
    found = _EVENT_ID.search(text)
    return found.group() if found else ""
