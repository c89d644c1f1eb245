"""Reading the records of an event: from which sources, how far back, and of which event."""

from __future__ import annotations

from media_events.adapters.sqs.depths import Depth
from media_events.core.failures import PermanentConfigError
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.trace.collector import MAX_TRACES, Tracer
from media_events_kit.ops.trace.evidence import Execution
from tests.fakes.review_items import make_item
from tests.fakes.trace_evidence import (
    CMS,
    MACHINE,
    NOW,
    OUTPUTS,
    PUBLISH,
    START,
    TOPOLOGY,
    accepted,
    idempotency_record,
    log_record,
    states,
    transformed,
)

DAY = 86_400.0


class World:
    """Everything that a tracer asks, in memory; ``asked`` keeps the periods of log searches."""

    groups = TOPOLOGY.log_groups

    def __init__(self, *lines, items=(), idempotency=(), executions=()):
        self.lines = list(lines)
        self.table = list(items)
        self.idempotency = list(idempotency)
        self.machines = {execution.arn: execution for execution in executions}
        self.asked = []
        self.described = []
        self.now = NOW
        self.refuses = set()

    def tracer(self, topology=TOPOLOGY):
        return Tracer(
            topology=topology,
            items=self.items,
            idempotency_records=self.idempotency_records,
            logs=self,
            depth=self.depth,
            execution=self.describe,
            clock=lambda: self.now,
        )

    # logs

    def about(self, event_ids, *, since, until, search):
        self._read(lambda record: any(_is(record.text("event_id"), e) for e in event_ids), since, until, search)

    def naming(self, term, *, since, until, search):
        names = ("correlation_id", "subject")
        self._read(
            lambda record: _is(record.text("event_id"), term) or any(record.text(n) == term for n in names),
            since,
            until,
            search,
        )

    def _read(self, wanted, since, until, search):
        self.asked.append((since, until))
        search.calls += 1
        if "logs" in self.refuses:
            search.problems.append("route/x: its log can't be read: AccessDenied")
            return
        hits = [record for record in self.lines if since <= record.at <= until and wanted(record)]
        search.events += len(hits)
        search.records.extend(hits)

    # the others

    def items(self, event_id):
        if "table" in self.refuses:
            raise PermanentConfigError("aws-AccessDenied", "listing review items: AccessDenied")
        return (item for item in self.table if item.event_id == event_id)

    def idempotency_records(self, event_id, sources, destinations):
        if "idempotency" in self.refuses:
            raise PermanentConfigError("aws-AccessDenied", "reading the idempotency table x: AccessDenied")
        scopes = {"ingress", *(f"destination/{name}" for name in destinations)}
        return [e for e in self.idempotency if event_id == "evt-1" and e.source in sources and e.scope in scopes]

    def depth(self, _url):
        if "queues" in self.refuses:
            raise PermanentConfigError("aws-AccessDenied", "asking for the queue x: AccessDenied")
        return Depth(0, 0)

    def describe(self, arn, destination):
        self.described.append((arn, destination))
        return self.machines.get(arn)


def _is(found, wanted):
    return found is not None and (found == wanted or found.startswith(f"{wanted}/"))


DONE = (
    idempotency_record("ingress", seconds=0),
    idempotency_record("destination/cms", seconds=2),
    idempotency_record("destination/publish", seconds=3),
)
LINES = (
    accepted(correlation_id="job-7", subject="asset-9"),
    transformed(),
    log_record("event delivered", seconds=2, **CMS),
    log_record("event delivered", seconds=3, **PUBLISH),
)


# --- how far the logs are read -----------------------------------------------------------------------------------


def test_idempotency_records_bound_the_search_of_the_logs_for_a_settled_event():
    world = World(*LINES, idempotency=DONE)
    world.now = START + 10 * DAY

    (event,) = world.tracer().search("evt-1")

    ((since, until),) = world.asked
    assert (since, until) == (START - 300, START + 3 + 600)
    assert event.verdict == "finished"
    assert len([step for step in event.steps if step.recorded_in == "log"]) == 4
    assert (event.reading.log_events, event.reading.log_calls) == (4, 1)


def test_the_logs_of_an_unfinished_event_are_read_up_to_now():
    late = log_record("event delivered", seconds=2000, **CMS)
    world = World(*LINES[:2], late, LINES[3], idempotency=[DONE[0], DONE[2]])

    (event,) = world.tracer().search("evt-1")

    assert world.asked == [(START - 300, START + 603), (START + 603, NOW)]
    assert states(event)["cms"] == "delivered"


def test_a_review_item_bounds_the_search_where_no_idempotency_record_does():
    first, last = "2026-11-23T12:00:02.000Z", "2026-11-23T12:30:00.000Z"
    item = make_item(hop="route/ready-to-cms", first_failed_at=first, last_failed_at=last)
    world = World(*LINES[:2], items=[item])

    (event,) = world.tracer().search("evt-1")

    assert world.asked[0][0] == START + 2 - 3600
    assert event.verdict == "needs a person"


def test_an_event_that_only_the_logs_know_is_looked_for_in_a_day_of_them():
    world = World(*LINES)

    (event,) = world.tracer().search("evt-1")

    assert world.asked == [(NOW - DAY, NOW)]
    assert event.verdict == "finished"


def test_since_decides_where_it_is_given():
    world = World(*LINES)
    world.now = START + 3 * DAY

    assert not world.tracer().search("evt-1")[0].found
    assert world.tracer().search("evt-1", since=START - 1)[0].found


# --- which events ------------------------------------------------------------------------------------------------


def test_events_are_found_by_correlation_id_or_subject_oldest_first():
    second = [
        log_record("event accepted", seconds=60, event_id="evt-2", type="qc.failed", correlation_id="job-7"),
    ]
    world = World(*second, *LINES)

    events = world.tracer().search("job-7")

    assert [event.event_id for event in events] == ["evt-1", "evt-2"]
    assert [event.verdict for event in events] == ["finished", "finished"]
    assert states(events[0]) == {"cms": "delivered", "publish": "delivered"}
    assert [event.event_id for event in world.tracer().search("asset-9")] == ["evt-1"]


def test_no_more_events_are_shown_than_can_be_read():
    world = World(*(accepted(event_id=f"evt-{number}", subject="asset") for number in range(MAX_TRACES + 5)))

    events = world.tracer().search("asset")

    assert len(events) == MAX_TRACES
    assert any("25 events have this id" in line for line in events[0].unknown)


def test_parts_of_a_split_event_follow_it():
    parts = [log_record("event transformed", seconds=1, hop="transform/normalise", event_id=f"evt-1/{n}") for n in "ab"]
    world = World(accepted(), *parts, log_record("event delivered", event_id="evt-1/a", seconds=2, **CMS))

    events = world.tracer().search("evt-1")

    assert [event.event_id for event in events] == ["evt-1", "evt-1/a", "evt-1/b"]
    assert events[0].verdict == "finished"
    assert states(events[1])["cms"] == "delivered"
    assert states(events[2])["cms"] == "missing"


def test_two_partners_events_of_the_same_id_have_two_traces():
    other = log_record("event accepted", partner="frameio", type="encode.started")
    world = World(*LINES, other)

    events = world.tracer().search("evt-1")

    assert sorted(event.source or "" for event in events) == ["partner.frameio", "partner.mux"]
    assert all(event.verdict == "finished" for event in events)
    (theirs,) = [event for event in events if event.source == "partner.frameio"]
    assert (theirs.type, len(theirs.steps)) == ("encode.started", 1)
    (ours,) = [event for event in events if event.source == "partner.mux"]
    assert ours.type == "asset.ready"


def test_an_event_that_left_no_trace_is_not_found():
    (event,) = World(*LINES).tracer().search("evt-9")
    assert not event.found
    assert event.unknown == ()


# --- executions --------------------------------------------------------------------------------------------------


def test_an_execution_is_asked_for_where_the_event_came_to_a_state_machine():
    world = World(*LINES)
    world.tracer().search("evt-1")
    ((arn, destination),) = world.described
    assert destination == "publish"
    assert arn.startswith(MACHINE.replace("stateMachine", "execution") + ":evt-1-")


def test_an_idempotency_record_names_the_execution_of_an_unknown_state_machine():
    execution = Execution(destination="publish", arn="arn:theirs", status="RUNNING", started=START + 3)
    world = World(
        *LINES,
        idempotency=[*DONE[:2], idempotency_record("destination/publish", execution_arn="arn:theirs")],
        executions=[execution],
    )
    topology = Topology.of({name: value for name, value in OUTPUTS.items() if name != "state_machine_arns"})

    (event,) = world.tracer(topology).search("evt-1")

    assert any(step.recorded_in == "execution" for step in event.steps)


# --- what can't be read ------------------------------------------------------------------------------------------


def test_an_unreadable_source_is_named_and_the_rest_is_shown():
    world = World(*LINES[:2], idempotency=DONE)
    world.refuses = {"table", "queues"}

    (event,) = world.tracer().search("evt-1")

    assert states(event) == {"cms": "delivered", "publish": "delivered"}
    assert event.verdict == "unknown", "an open item may be in the table"
    assert "the review table: listing review items: AccessDenied" in event.unknown


def test_idempotency_records_are_enough_where_the_logs_can_not_be_read():
    world = World(idempotency=DONE)
    world.refuses = {"logs"}

    (event,) = world.tracer().search("evt-1")

    assert states(event) == {"cms": "delivered", "publish": "delivered"}
    assert event.verdict == "finished"
    assert any("log can't be read" in line for line in event.unknown)


def test_without_outputs_the_trace_says_that_it_knows_no_logs():
    world = World()
    world.groups = {}
    (event,) = world.tracer(Topology()).search("evt-1")
    assert not event.found
    assert any("no log group is known" in line for line in event.unknown)
