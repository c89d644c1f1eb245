"""Mutants of the ingresses and of the publisher: from the sender's request to the bus."""

from __future__ import annotations

from typing import Final

from tests.faults.mutants.mutant import Mutant, Seen, mutant

_PUBLISH: Final = "ingress/idempotent_publish.py"
_BUS: Final = "events/publisher.py"
_QUEUE: Final = "ingress/queue.py"

MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "acknowledge before the write",
        _PUBLISH,
        "        ours = {key: event for key, event in first.items() if owned[key] is True}\n",
        "        ours = {key: event for key, event in first.items() if owned[key] is True}\n"
        "        self.complete_all([Completion(key=key) for key in ours], idempotency)\n",
        also=[
            (
                _QUEUE,
                "                acquired[key] = shared\n",
                "                acquired[key] = shared\n"
                "                publisher.complete_all([Completion(key=key)], idempotency)\n",
            )
        ],
        harm="an event that was never published counts as a duplicate: lost",
        seen=Seen("small"),
    ),
    mutant(
        "publish what another request has published",
        _PUBLISH,
        '                return acquired.state == "owned"\n',
        "                return True\n",
        harm="every repetition of the sender is on the bus again",
        seen=Seen("small"),
    ),
    mutant(
        "take an event in progress for a duplicate",
        _PUBLISH,
        '            if acquired.state != "in-progress":\n',
        "            if acquired.state:\n",
        harm="the sender hears that the event is safe, and its owner dies: lost",
        seen=Seen("small"),
    ),
    mutant(
        "give each event of a batch the claim of another",
        _QUEUE,
        "in zip(wanted.items(), outcomes, strict=True)",
        "in zip(wanted.items(), reversed(outcomes), strict=True)",
        harm="an event of another request is published again, and one of ours counts as published: lost",
        seen=Seen("repeated", 2),
    ),
    mutant(
        "accept what the bus refused, without a dead letter",
        _PUBLISH,
        "                failed = self._dead_letter(event, refusal)\n",
        "                failed = None\n",
        harm="the event is nowhere: lost",
        seen=Seen("harsh"),
    ),
    mutant(
        "accept what neither the bus nor the dead-letter queue took",
        _PUBLISH,
        "            return refusal\n",
        "            return None\n",
        harm="the event is nowhere: lost",
        seen=Seen("refusing"),
    ),
    mutant(
        "record an unpublished event as done",
        _PUBLISH,
        "                problem = failed\n                self.release(key, idempotency)\n",
        "                problem = failed\n                safe.append(Completion(key=key, keep_seconds=keep_seconds))\n",
        harm="the sender's next attempt is taken for a duplicate: lost",
        seen=Seen("harsh"),
    ),
    mutant(
        "record an unpublished message's event as done",
        _QUEUE,
        "                publisher.release(key, idempotency)\n",
        "                safe.append(Completion(key=key))\n",
        harm="the message's next receive is taken for a duplicate: lost",
        seen=Seen("small"),
    ),
    mutant(
        "take a message for done though one of its events was refused",
        _QUEUE,
        "            outcomes[index] = work.error\n",
        "            outcomes[index] = None\n",
        harm="the message is deleted, its event on no bus: lost",
        seen=Seen("small"),
    ),
    mutant(
        "take an unreadable message for done",
        _QUEUE,
        "                outcomes[index] = error\n                continue\n",
        "                continue\n",
        harm="a message that can't be read is nowhere: lost",
        seen=Seen("small", 2),
    ),
    mutant(
        "answer 202 to a webhook whose events are not safe",
        "ingress/webhook.py",
        "            raise _UnavailableError(outcome.error.code)\n",
        "            pass\n",
        harm="the sender does not try again: lost",
        seen=Seen("small", 3),
    ),
    mutant(
        "quarantine a webhook's request nowhere",
        "ingress/webhook.py",
        "        except PermanentDataError as error:\n            return self._quarantine(",
        '        except PermanentDataError as error:\n            return WebhookResponse(202, b"{}", {})\n'
        "            return self._quarantine(",
        harm="a request that can't be read is nowhere: lost",
        seen=Seen("harsh", 2),
    ),
    mutant(
        "put an unanswered call again at once",
        _BUS,
        "    return isinstance(outcome, TransientError) and not isinstance(outcome, UnansweredError)\n",
        "    return isinstance(outcome, TransientError)\n",
        harm="events that are on the bus already are put again",
        test="tests/unit/media_events/delivery/aws/test_timeouts.py::test_event_whose_put_was_not_answered_is_not_put_again_by_client_or_publisher",
    ),
    mutant(
        "give each entry the answer of another",
        _BUS,
        "        return dict(zip(entries, answers, strict=True))\n",
        "        return dict(zip(entries, reversed(answers), strict=True))\n",
        harm="an accepted event is published again, and a refused one is lost",
        seen=Seen("harsh", 2),
    ),
    mutant(
        "take a call that failed for accepted",
        _BUS,
        "        except ProcessingError as error:\n            return dict.fromkeys(entries, error)\n        if len(",
        "        except ProcessingError:\n            return dict.fromkeys(entries)\n        if len(",
        harm="ten events at once are lost",
        seen=Seen("small"),
    ),
    mutant(
        "put all calls but the last one",
        _BUS,
        "    if batch:\n        yield batch\n",
        "",
        harm="the events of the last call are lost",
        seen=Seen("small"),
    ),
    mutant(
        "take a refused entry for accepted",
        "adapters/eventbridge.py",
        '            refused = code is not None or not result.get("EventId")\n',
        "            refused = False\n",
        harm="the entry is on no bus: lost",
        seen=Seen("small"),
    ),
    mutant(
        "publish the summary of a large event without its body",
        "events/claim_check.py",
        "    return Event(replace(event.metadata, dataref=bodies.put(content)), summary(event.data))\n",
        "    return Event(event.metadata, summary(event.data))\n",
        harm="the event's data is lost",
        test="tests/unit/media_events/events/test_claim_check.py::test_checked_in_event_comes_back_whole",
    ),
)
