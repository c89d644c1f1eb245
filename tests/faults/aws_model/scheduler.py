"""Time, chance and faults.

Chance is a function of the seed and of what it is about (``site``, ``subject``, how often this was asked), never of
what happened elsewhere: where an event or a fault is left out, everything else stays as it was. That is what lets a
failing sequence be shrunk.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from botocore.exceptions import ClientError, ReadTimeoutError

from ops.local.server.lineage import Lineage, invoked
from ops.local.server.loops import LIMIT

MARK: Final = re.compile(r"evt-[0-9]{6}")
"""The pattern of an event's mark, which is part of its id."""

MAX_DEPTH: Final = 3
"""The most invocations inside one another's pauses; more would only deepen the stack."""

APPLY_SECONDS: Final = 300.0
"""The changes of permissions begin to spread within this time."""

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
    spreading: float = 0.0
    """Seconds for which each kind of call is refused, once, as while a change of permissions spreads."""


CALM: Final = Mix(kill=0, refuse=0, lose_answer=0, repeat=0, duplicate=0, resurrect=0, undeliverable=0, flap=0, fated=0)


@dataclass(slots=True)
class Invocation:
    """A function that runs until ``deadline``. ``effects`` have happened and are not confirmed yet."""

    name: str
    request_id: str
    deadline: float
    effects: set[tuple[str, str]] = field(default_factory=set)
    disturbed: bool = False
    about: str | None = None
    """The hop whose dead letters it handles."""
    lineage: Lineage = field(default_factory=dict)
    """How often the chain of requests has invoked each function, this invocation included."""


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
        self._stack: list[Invocation | None] = []
        self.windows: Counter[tuple[str, str]] = Counter()
        self.may_loop: set[str] = set()
        """Functions whose recursion config is ``Allow``; Lambda's default is ``Terminate``."""
        self.dropped: Counter[str] = Counter()
        """Invocations that Lambda has stopped, by function: its metric ``RecursiveInvocationsDropped``."""
        self._allowed = None if allowed is None else frozenset(allowed)
        self._weather: set[FaultId] = set()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._fixed: dict[tuple[str, str], float] = {}
        self._agenda: list[tuple[float, float, int, Callable[[], None]]] = []
        self._numbers = itertools.count(1)

    # --- time --------------------------------------------------------------------------------------------------------

    def clock(self) -> float:
        return self.now

    def at(self, when: float, action: Callable[[], None], *, subject: str = "") -> None:
        """Schedule ``action`` at ``when``; chance decides the order of actions at one moment."""
        heapq.heappush(self._agenda, (when, self.chance("agenda", subject), next(self._numbers), action))

    def run(self, *, until: float = float("inf")) -> bool:
        """Run the schedule up to ``until``; whether it is empty then."""
        while self._agenda and self._agenda[0][0] <= until:
            when, _, _, action = heapq.heappop(self._agenda)
            self.now = max(self.now, when)
            # An action of AWS or of a sender is not part of the invocation in whose pause it runs.
            self._stack.append(None)
            try:
                action()
            finally:
                self._stack.pop()
        return not self._agenda

    def pause(self, seconds: float) -> None:
        """Let ``seconds`` pass inside an invocation: others run meanwhile, and it may time out."""
        until, invocation = self.now + seconds, self.current
        if invocation is not None and len(self._stack) <= 2 * MAX_DEPTH:
            self.run(until=until)
        self.now = max(self.now, until)
        if invocation is not None and self.now > invocation.deadline:
            self.tell("timed out", invocation.name)
            raise Killed

    @property
    def current(self) -> Invocation | None:
        """The invocation whose code runs now."""
        return self._stack[-1] if self._stack else None

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

    def strikes(self, site: str, subject: str, likelihood: float) -> bool:
        """Whether a fault happens here and now."""
        if likelihood <= 0:
            return False
        hit = self.chance(site, subject) < likelihood
        fault = (site, subject, self._asked[(site, subject)])
        if not hit or self.now >= self.faults_end or (self._allowed is not None and fault not in self._allowed):
            return False
        self.fired.append(fault)
        self.tell(f"fault: {site}", subject)
        if self.current is not None:
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

    def before_write(self, site: str, subject: str, *, code: str) -> None:
        """The moment before a durable write: the process may die, the service may refuse with ``code``.

        Raises:
            Killed: the process is gone, and nothing was written.
            ClientError: the service refused.
        """
        if self.current is not None and self.strikes(f"{site}/kill-before", subject, self.mix.kill):
            raise Killed
        if self.current is not None and self.denies(site, subject):
            raise refusal("AccessDeniedException", site)
        if self.strikes(f"{site}/refuse", subject, self.mix.refuse):
            raise refusal(code, site)

    def denies(self, site: str, subject: str) -> bool:
        """Whether a permission that was granted has not reached ``site`` yet: for a while, each call is refused."""
        begins = self._began + APPLY_SECONDS * self.fixed("apply", site)
        spreading = begins <= self.now < begins + self.mix.spreading
        return self.strikes(f"{site}/denied", subject, 1.0 if spreading else 0.0)

    def repeats(self, site: str, subject: str) -> bool:
        """Whether the answer to a write is lost once, and botocore sends the request again.

        It does so by itself (https://docs.aws.amazon.com/boto3/latest/guide/retries.html).
        """
        return self.strikes(f"{site}/repeat", subject, self.mix.repeat)

    def after_write(self, site: str, subject: str) -> None:
        """The moment after it: the process may die, or never hear that the write succeeded.

        Raises:
            Killed: the process is gone, and its write is there.
            ReadTimeoutError: the answer was lost.
        """
        if self.current is not None and self.strikes(f"{site}/kill-after", subject, self.mix.kill):
            raise Killed
        if self.strikes(f"{site}/lose-answer", subject, self.mix.lose_answer):
            raise ReadTimeoutError(endpoint_url=site)

    def tell(self, what: str, subject: str) -> None:
        """Record a step, for the report of a failure."""
        self.story.append((self.now, what, subject))

    # --- invocations -------------------------------------------------------------------------------------------------

    def invoke(
        self, name: str, seconds: float, work: Callable[[Invocation], object], *, lineage: Lineage | None = None
    ) -> object:
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
        invocation = Invocation(
            name, f"{name}#{next(self._numbers)}", self.now + seconds, lineage=invoked(counts, name)
        )
        self._stack.append(invocation)
        try:
            return work(invocation)
        finally:
            self._stack.pop()
            if invocation.disturbed or self.now > invocation.deadline:
                # A fault kept these effects from being confirmed: only they may be repeated.
                self.windows.update(invocation.effects)


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
