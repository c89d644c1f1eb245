"""Mutants of the delivery: the idempotency store, the batch, the circuit breaker."""

from __future__ import annotations

from typing import Final

from tests.faults.mutants.mutant import Mutant, Seen, mutant

_ONCE: Final = "delivery/idempotent_effect.py"
_DELIVERER: Final = "delivery/deliverer.py"

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "deliver without the idempotency store",
        _ONCE,
        "    acquired = idempotency.acquire(",
        "    return None\n    acquired = idempotency.acquire(",
        also=[(_ONCE, "    idempotency.complete(key, result=result)\n", "")],
        harm="a repeated message is delivered again",
        seen=Seen("small"),
    ),
    mutant(
        "record an effect before it happens",
        _ONCE,
        "    try:\n        result = effect()\n",
        "    idempotency.complete(key)\n    try:\n        result = effect()\n",
        harm="an effect that fails, or whose function dies, counts as done: lost",
        test="tests/unit/media_events/delivery/test_idempotent_effect.py::test_a_failed_attempt_gives_its_claim_back",
    ),
    mutant(
        "record a failed effect as done",
        _ONCE,
        "        release(idempotency, key)\n        raise\n",
        "        idempotency.complete(key)\n        raise\n",
        harm="the next attempt is taken for a duplicate: lost",
        seen=Seen("small"),
    ),
    mutant(
        "take an effect in progress for done",
        _ONCE,
        '    if acquired.state == "in-progress":\n',
        '    if acquired.state == "in-progress":\n        return Outcome(happened=False, result=None)\n    if acquired.state == "never":\n',
        harm="the message is deleted, and the attempt in progress dies: lost",
        seen=Seen("small"),
    ),
    mutant(
        "claim an effect without a lease",
        _ONCE,
        "lease_seconds=max(0.0, seconds_left) + LEASE_MARGIN_SECONDS",
        "lease_seconds=0.0",
        harm="a second attempt starts while the first is at work",
        test="tests/unit/media_events/delivery/test_idempotent_effect.py::test_the_lease_outlives_the_function",
    ),
    mutant(
        "do not record an effect",
        _ONCE,
        "    idempotency.complete(key, result=result)\n",
        "    idempotency.release(key)\n",
        harm="a repeated message is delivered again",
        seen=Seen("small"),
    ),
    mutant(
        "take a failed delivery for done",
        _DELIVERER,
        "        return [None if isinstance(outcome, Outcome) else outcome for outcome in outcomes]\n",
        "        return [None for _ in outcomes]\n",
        harm="the message is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "give each message of a batch the outcome of another",
        _DELIVERER,
        "        outcomes = [attempts[index].outcome for index in range(len(messages))]\n",
        "        outcomes = [attempts[index].outcome for index in reversed(range(len(messages)))]\n",
        harm="a failed event is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "record the results of a batch delivery for other events",
        _DELIVERER,
        "for index, result in zip(order, results, strict=True)",
        "for index, result in zip(reversed(order), results, strict=True)",
        harm="a refused event counts as delivered: lost; a delivered one is sent again",
        test="tests/unit/media_events/delivery/test_batch_delivery.py::test_each_event_has_its_own_result_and_only_the_refused_ones_go_out_again",
    ),
    mutant(
        "keep the claims of a batch delivery that failed in part",
        _DELIVERER,
        "            release(self.idempotency, self._key(event))\n            return _Attempt(result,",
        "            confirm(self.idempotency, self._key(event), {})\n            return _Attempt(result,",
        harm="a refused event counts as delivered: lost",
        test="tests/unit/media_events/delivery/test_batch_delivery.py::test_each_event_has_its_own_result_and_only_the_refused_ones_go_out_again",
    ),
    mutant(
        "deliver what another attempt of a batch has claimed",
        _DELIVERER,
        "        ours = [index for index, attempt in attempts.items() if attempt.outcome is None]\n",
        "        ours = list(attempts)\n",
        harm="a repeated message is delivered again",
        test="tests/unit/media_events/delivery/test_batch_delivery.py::test_what_another_attempt_has_claimed_or_delivered_does_not_go_out",
    ),
    mutant(
        "deliver what a person archived, where no order is kept",
        _DELIVERER,
        '                if override_of(message) == "skip"\n',
        '                if override_of(message) == "never"\n',
        harm="an effect happens that a person decided against",
        test="tests/unit/media_events/delivery/ordering/test_resequencer.py::test_without_an_order_what_a_person_puts_away_is_not_sent",
    ),
    mutant(
        "take what an open circuit breaker holds back for done",
        _DELIVERER,
        "            return _all(chains, passage)\n",
        "            return {index: _Attempt(Outcome(False, None)) for chain in chains for index in chain}\n",
        harm="the events of an outage are deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "take what waits behind a failed probe for done",
        _DELIVERER,
        "        return attempts | _all(rest, circuit_breaker.wait())\n",
        "        return attempts | {i: _Attempt(Outcome(False, None)) for chain in rest for i in chain}\n",
        harm="the rest of the probe's batch is deleted: lost",
        test="tests/unit/media_events/delivery/test_circuit_breaker.py::test_if_it_does_not_arrive_the_others_are_spared_and_the_pause_doubles_up_to_its_limit",
    ),
    mutant(
        "take a failed probe for delivered",
        _DELIVERER,
        "                attempt.outcome = circuit_breaker.wait(attempt.outcome)\n",
        "                attempt.outcome = Outcome(False, None)\n",
        harm="the probe's event is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "take a failed HTTP request for delivered",
        "delivery/http/delivery.py",
        "        if error is not None:\n            raise error\n",
        "",
        harm="the message is deleted: lost",
        seen=Seen("small"),
    ),
    mutant(
        "give each request a key of its own",
        "delivery/http/delivery.py",
        '        "Idempotency-Key": idempotency_key(event),\n',
        '        "Idempotency-Key": f"{idempotency_key(event)}/{now}",\n',
        harm="the receiver can't tell a repetition whose first answer was lost",
        seen=Seen("small"),
    ),
    mutant(
        "name each execution anew",
        "delivery/aws/step_functions.py",
        "    return f\"{readable or 'event'}-{digest[:_DIGEST_CHARACTERS]}\"\n",
        "    return f\"{readable or 'event'}-{__import__('uuid').uuid4().hex}\"\n",
        harm="a repetition whose first answer was lost starts a second execution",
        seen=Seen("small"),
    ),
    mutant(
        "deliver the older of two events of a key",
        "delivery/ordering/latest_only.py",
        "            return self.sequence < other.sequence\n        return self.time < other.time\n",
        "            return self.sequence > other.sequence\n        return self.time > other.time\n",
        harm="the latest state of a key is never delivered",
        test="tests/unit/media_events/delivery/ordering/test_latest_only.py::"
        "test_an_event_older_than_what_was_delivered_is_recorded_and_not_sent",
    ),
    mutant(
        "do not record a key's latest position",
        "delivery/ordering/latest_only.py",
        "            self.positions.advance(key, position)\n",
        "            self.positions.release(key)\n",
        harm="an older event is delivered after a newer one",
        test="tests/unit/media_events/delivery/ordering/test_latest_only.py::"
        "test_an_event_older_than_what_was_delivered_is_recorded_and_not_sent",
    ),
)
