"""Finding an event's traces: what is asked of whom, how far back, and of which event."""

from __future__ import annotations

from media_events.core.failures import PermanentConfigError
from ops.deployment.topology import Topology
from ops.shared.queue_depths import Depth
from ops.trace.collector import MAX_STORIES, Tracer
from ops.trace.evidence import Execution
from tests.fakes.review_items import make_item
from tests.fakes.trace_evidence import (
    CMS,
    MACHINE,
    NOW,
    OUTPUTS,
    PARTS,
    PUBLISH,
    START,
    accepted,
    record,
    said,
    states,
    transformed,
)

DAY = 86_400.0


class World:
    """Everything that a tracer asks, in memory; ``asked`` keeps the periods of log searches."""

    groups = PARTS.log_groups

    def __init__(self, *lines, items=(), entries=(), executions=()):
        self.lines = list(lines)
        self.table = list(items)
        self.idempotency = list(entries)
        self.machines = {execution.arn: execution for execution in executions}
        self.asked = []
        self.described = []
        self.now = NOW
        self.refuses = set()

    def tracer(self, topology=PARTS):
        return Tracer(
            topology=topology,
            items=self.items,
            idempotency_stores=self,
            logs=self,
            depth=self.depth,
            executions=self,
            clock=lambda: self.now,
        )

    # logs

    def about(self, event_ids, *, since, until, found):
        self._read(lambda said: any(_is(said.text("event_id"), e) for e in event_ids), since, until, found)

    def naming(self, term, *, since, until, found):
        names = ("correlation_id", "subject")
        self._read(
            lambda said: _is(said.text("event_id"), term) or any(said.text(n) == term for n in names),
            since,
            until,
            found,
        )

    def _read(self, wanted, since, until, found):
        self.asked.append((since, until))
        found.calls += 1
        if "logs" in self.refuses:
            found.problems.append("route/x: its log can't be read: AccessDenied")
            return
        hits = [said for said in self.lines if since <= said.at <= until and wanted(said)]
        found.events += len(hits)
        found.lines.extend(hits)

    # the others

    def items(self, event_id):
        if "table" in self.refuses:
            raise PermanentConfigError("aws-AccessDenied", "listing review items: AccessDenied")
        return (item for item in self.table if item.event_id == event_id)

    def entries(self, event_id, sources, destinations):
        if "ledgers" in self.refuses:
            raise PermanentConfigError("aws-AccessDenied", "reading the ledger x: AccessDenied")
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


DONE = (record("ingress", seconds=0), record("destination/cms", seconds=2), record("destination/publish", seconds=3))
LINES = (
    accepted(correlation_id="job-7", subject="asset-9"),
    transformed(),
    said("event delivered", seconds=2, **CMS),
    said("event delivered", seconds=3, **PUBLISH),
)


# --- how far the logs are read -----------------------------------------------------------------------------------


def test_ledgers_tell_when_to_look_into_the_logs_and_a_settled_event_is_read_no_further():
    world = World(*LINES, entries=DONE)
    world.now = START + 10 * DAY

    (story,) = world.tracer().search("evt-1")

    ((since, until),) = world.asked
    assert (since, until) == (START - 300, START + 3 + 600)
    assert story.verdict == "settled"
    assert len([step for step in story.steps if step.told_by == "log"]) == 4
    assert (story.reading.log_events, story.reading.log_calls) == (4, 1)


def test_what_is_not_over_is_read_up_to_now():
    late = said("event delivered", seconds=2000, **CMS)
    world = World(*LINES[:2], late, LINES[3], entries=[DONE[0], DONE[2]])

    (story,) = world.tracer().search("evt-1")

    assert world.asked == [(START - 300, START + 603), (START + 603, NOW)]
    assert states(story)["cms"] == "delivered"


def test_an_item_tells_where_to_look_when_no_ledger_does():
    first, last = "2026-11-23T12:00:02.000Z", "2026-11-23T12:30:00.000Z"
    item = make_item(hop="route/ready-to-cms", first_failed_at=first, last_failed_at=last)
    world = World(*LINES[:2], items=[item])

    (story,) = world.tracer().search("evt-1")

    assert world.asked[0][0] == START + 2 - 3600
    assert story.verdict == "needs a person"


def test_an_event_that_only_the_logs_know_is_looked_for_in_a_day_of_them():
    world = World(*LINES)

    (story,) = world.tracer().search("evt-1")

    assert world.asked == [(NOW - DAY, NOW)]
    assert story.verdict == "settled"


def test_since_decides_where_it_is_said():
    world = World(*LINES)
    world.now = START + 3 * DAY

    assert not world.tracer().search("evt-1")[0].found
    assert world.tracer().search("evt-1", since=START - 1)[0].found


# --- which events ------------------------------------------------------------------------------------------------


def test_events_are_found_by_correlation_id_or_subject_oldest_first():
    second = [
        said("event accepted", seconds=60, event_id="evt-2", type="qc.failed", correlation_id="job-7"),
    ]
    world = World(*second, *LINES)

    stories = world.tracer().search("job-7")

    assert [story.event_id for story in stories] == ["evt-1", "evt-2"]
    assert [story.verdict for story in stories] == ["settled", "settled"]
    assert states(stories[0]) == {"cms": "delivered", "publish": "delivered"}
    assert [story.event_id for story in world.tracer().search("asset-9")] == ["evt-1"]


def test_no_more_events_are_told_than_can_be_read():
    world = World(*(accepted(event_id=f"evt-{number}", subject="asset") for number in range(MAX_STORIES + 5)))

    stories = world.tracer().search("asset")

    assert len(stories) == MAX_STORIES
    assert any("25 events are named so" in line for line in stories[0].unknown)


def test_parts_of_a_split_event_follow_it():
    parts = [said("event transformed", seconds=1, hop="transform/normalise", event_id=f"evt-1/{n}") for n in "ab"]
    world = World(accepted(), *parts, said("event delivered", event_id="evt-1/a", seconds=2, **CMS))

    stories = world.tracer().search("evt-1")

    assert [story.event_id for story in stories] == ["evt-1", "evt-1/a", "evt-1/b"]
    assert stories[0].verdict == "settled"
    assert states(stories[1])["cms"] == "delivered"
    assert states(stories[2])["cms"] == "missing"


def test_two_partners_events_of_the_same_id_are_two_stories():
    other = said("event accepted", partner="frameio", type="encode.started")
    world = World(*LINES, other)

    stories = world.tracer().search("evt-1")

    assert sorted(story.source or "" for story in stories) == ["partner.frameio", "partner.mux"]
    assert all(story.verdict == "settled" for story in stories)
    (theirs,) = [story for story in stories if story.source == "partner.frameio"]
    assert (theirs.type, len(theirs.steps)) == ("encode.started", 1)
    assert world.tracer().story_of("evt-1", source="partner.mux").type == "asset.ready"


def test_an_event_that_left_no_trace_is_not_found():
    (story,) = World(*LINES).tracer().search("evt-9")
    assert not story.found
    assert story.unknown == ()


# --- executions --------------------------------------------------------------------------------------------------


def test_an_execution_is_asked_for_where_the_event_came_to_a_state_machine():
    world = World(*LINES)
    world.tracer().search("evt-1")
    ((arn, destination),) = world.described
    assert destination == "publish"
    assert arn.startswith(MACHINE.replace("stateMachine", "execution") + ":evt-1-")


def test_the_ledger_knows_the_execution_of_somebody_elses_state_machine():
    execution = Execution(destination="publish", arn="arn:theirs", status="RUNNING", started=START + 3)
    world = World(
        *LINES, entries=[*DONE[:2], record("destination/publish", execution_arn="arn:theirs")], executions=[execution]
    )
    topology = Topology.of({name: value for name, value in OUTPUTS.items() if name != "state_machine_arns"})

    (story,) = world.tracer(topology).search("evt-1")

    assert any(step.told_by == "execution" for step in story.steps)


# --- what can't be read ------------------------------------------------------------------------------------------


def test_what_refuses_is_named_and_the_rest_is_told():
    world = World(*LINES[:2], entries=DONE)
    world.refuses = {"table", "queues"}

    (story,) = world.tracer().search("evt-1")

    assert states(story) == {"cms": "delivered", "publish": "delivered"}
    assert story.verdict == "unknown", "an open item may be in the table"
    assert "the review table: listing review items: AccessDenied" in story.unknown


def test_ledgers_alone_tell_when_the_logs_refuse():
    world = World(entries=DONE)
    world.refuses = {"logs"}

    (story,) = world.tracer().search("evt-1")

    assert states(story) == {"cms": "delivered", "publish": "delivered"}
    assert story.verdict == "settled"
    assert any("log can't be read" in line for line in story.unknown)


def test_without_outputs_the_trace_says_that_it_knows_no_logs():
    world = World()
    world.groups = {}
    (story,) = world.tracer(Topology()).search("evt-1")
    assert not story.found
    assert any("no log group is known" in line for line in story.unknown)


def test_the_story_of_one_event_reads_no_other():
    world = World(*LINES, entries=DONE)
    assert world.tracer().story_of("evt-1").verdict == "settled"
    assert len(world.asked) == 1
