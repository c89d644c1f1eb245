"""Every change of a workflow goes through in one apply and loses nothing, or `media-events plan` says so beforehand.

Terraform plans a wide workflow, in which each hop is of another kind, from nothing; a state is made of that, and
changes of it are planned: those are Terraform's own answers. Each pair of kinds is then put together of their parts.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from media_events_kit.infra.documents.diagnostics import WorkflowError
from media_events_kit.infra.loader.workflow_file import load_text
from media_events_kit.infra.stacks.cdk import App
from media_events_kit.infra.stacks.ingress_modules import IngressModules
from media_events_kit.infra.stacks.workflow_stack import build
from media_events_kit.ops.changes.judgement import judge
from media_events_kit.ops.changes.model import Report
from media_events_kit.ops.changes.physical_names import physical_name
from media_events_kit.ops.changes.plan_document import Plan
from media_events_kit.ops.changes.terraform_documents import in_folder
from media_events_kit.ops.shared.terraform_providers import LESS_COLLECTING
from tests.fakes.changed_deployment import Aws, change
from tests.synth import changing_workflows as kinds
from tests.synth.conftest import Stack, read_stacks
from tests.synth.fabricated_state import resources
from tests.synth.many_plans import plans
from tests.synth.offline_terraform import terraform

pytestmark = pytest.mark.terraform

SHIFT = 5
"""By so many kinds a wide workflow is shifted: functions become rules' own targets and the other way round."""

ROUTES = [*kinds.DESTINATIONS, *kinds.OWN_MACHINES, "none"]
ENTRIES = [*kinds.ENTRIES, "none"]
ONE_MODULE = {"sqs", "sqs fifo", "sqs existing", "sns", "sns fifo", "custom-bus", "aws-services"}
"""Entries that may become one another under one name: a queue's consumer is the core of all of them."""

Resources = Mapping[str, Mapping[str, Any]]
"""Values by address."""


# ----------------------------------------------------------------------------------------------------- Terraform's part


@pytest.fixture(name="stack", scope="module")
def _stack(tmp_path_factory) -> Callable[[kinds.Workflow], Stack]:
    folder = tmp_path_factory.mktemp("changes")
    (folder / "machine.asl.json").write_text(kinds.MACHINE, encoding="utf-8")
    made: list[Path] = []

    def stack(workflow: kinds.Workflow) -> Stack:
        output = folder / f"out{len(made)}"
        made.append(output)
        app = App(outdir=str(output))
        build(app, load_text(json.dumps(workflow), {}, folder / "workflow.yaml"))
        app.synth()
        (only,) = read_stacks(output).values()
        return only

    return stack


@pytest.fixture(name="planned", scope="module")
def _planned(tmp_path_factory) -> Callable[..., dict[str, dict[str, Any]]]:
    def planned(*arguments: Any) -> dict[str, dict[str, Any]]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in LESS_COLLECTING.items():
                patch.setitem(os.environ, name, value)
            return plans(tmp_path_factory.mktemp("root"), *arguments)

    return planned


@pytest.fixture(name="made", scope="module")
def _made(stack, planned) -> dict[str, list[dict[str, Any]]]:
    """Deployments made from nothing: what is of other resources is not known in them."""
    # With transforms, as the wide one: its routes take events of the same stage.
    transforms = kinds.hops(0)["transforms"]
    machines = {
        kind: kinds.small(destinations={"cms": each}, transforms=transforms)
        for kind, each in kinds.OWN_MACHINES.items()
    }
    workflows = {"wide": kinds.wide(), "small": kinds.small(), "entries": kinds.every_entry()} | machines
    # The machines are as they are where the first one was of type STANDARD.
    states = {kind: [kinds.FIRST_MACHINE] for kind in machines}
    found = planned({name: stack(workflow) for name, workflow in workflows.items()}, states)
    return {name: resources(plan["changes"], plan["values"]) for name, plan in found.items()}


@pytest.fixture(name="existing", scope="module")
def _existing(stack, planned, made) -> dict[str, list[dict[str, Any]]]:
    """The states of a wide and a small deployment, whose resources know one another."""
    stacks = {"wide": stack(kinds.wide()), "small": stack(kinds.small())}
    # References to what was unknown are known in a second plan.
    known = planned(stacks, {name: made[name] for name in stacks})
    return {name: resources(plan["changes"], plan["values"]) for name, plan in known.items()}


@pytest.fixture(name="terraforms", scope="module")
def _terraforms_plans(stack, planned, existing) -> dict[str, Plan]:
    return _terraforms(stack, planned, existing)


@pytest.fixture(name="changed", scope="module")
def _changed(terraforms) -> dict[str, Report]:
    """What `media-events plan` says of Terraform's own plans, where nothing waits anywhere."""
    return {name: judge(plan, Aws()) for name, plan in terraforms.items()}


def _terraforms(stack, planned, existing) -> dict[str, Plan]:
    before = kinds.hops(0) | {"destinations": kinds.wide()["destinations"]}
    after = kinds.wide(SHIFT)
    mux = kinds.small()["partners"]["mux"]
    small = {
        "renamed": kinds.small(
            ingress={"hooks": {"type": "webhook", "formerly": ["in"]}},
            partners={"mux": mux | {"ingress": "hooks"}},
            destinations={"mam": kinds.DESTINATIONS["http"] | {"formerly": ["cms"]}},
            routes={"done": kinds.small()["routes"]["ready"] | {"destination": "mam", "formerly": ["ready"]}},
        ),
        "settings": kinds.small(
            settings={
                "kms_key": {"arn": kinds.KEY},
                "role_path": "/media/",
                "snap_start": True,
                "logs": {"class": "INFREQUENT_ACCESS"},
            },
            partners={"mux": mux, "frameio": {"specification": "frameio-v4", "ingress": "in"}},
        ),
    }
    wide = {"kinds": after, "retiring": after | {"retired": before}}
    stacks = {name: stack(workflow) for name, workflow in (small | wide).items()}
    states = {name: existing["small" if name in small else "wide"] for name in stacks}
    found = planned(stacks, states)
    retiring = found["retiring"]
    # The second apply of the two: what is retired has run empty, and is taken out.
    last = planned({"retired": stack(after)}, {"retired": resources(retiring["changes"], retiring["values"])})
    return {name: Plan.of({"resource_changes": plan["changes"]}) for name, plan in (found | last).items()}


# Few tests, each of many changes: what Terraform plans is planned anew in each process that runs one of them.
def test_a_rename_with_formerly_and_settings_of_every_kind_and_a_partner_put_nothing_at_risk(changed):
    assert (changed["renamed"].hops, changed["renamed"].findings) == ((), ())
    assert changed["settings"].findings == ()


def test_snap_start_adds_an_alias_and_its_permissions_and_turns_callers_to_it_in_place(terraforms):
    changes = [change for change in terraforms["settings"].changes if change.type.startswith(("aws_lambda", "aws_api"))]

    assert [change.address for change in changes if change.goes or change.is_replaced] == []
    came = {change.address for change in changes if change.comes}
    aliases = {address for address in came if "alias" in address}
    assert aliases == {
        "module.ingress.aws_lambda_permission.api_of_alias[0]",
        "module.ingress.module.function.aws_lambda_alias.live[0]",
        "module.review.aws_lambda_permission.maintenance_of_alias[0]",
        "module.review.module.function.aws_lambda_alias.live[0]",
        'module.router.module.hop["ready"].module.function[0].aws_lambda_alias.live[0]',
    }
    turned = {change.type for change in changes if change.address not in came and change.type != "aws_lambda_function"}
    assert turned >= {"aws_apigatewayv2_integration", "aws_lambda_event_source_mapping"}


def test_every_hop_may_become_another_kind_and_only_queues_that_go_are_at_risk(changed):
    report = changed["kinds"]

    assert {hop.kind for hop in report.hops} == {"changes"}
    assert _unsafe(report) == []
    # Nothing waits, but events come until the apply: of hops that are no longer behind a queue.
    assert _lost(report) == {f"queue media-dev-{key} of {hop}" for key, hop in _without_queue(0, SHIFT).items()}


def test_the_two_applies_of_retired_lose_nothing(changed):
    first, last = changed["retiring"], changed["retired"]

    assert (_unsafe(first), _lost(first)) == ([], set())
    assert (_unsafe(last), _lost(last)) == ([], set())


def _without_queue(before: int, after: int) -> dict[str, str]:
    """The hops that have a queue before and none after, by key."""
    own = {"sqs", "api-destination", "logs"}

    def queued(kind: str) -> bool:
        return kind not in own and not kind.endswith("direct")

    found = {
        kinds.route_key(number): f"route/{kinds.route_key(number)}"
        for number in range(len(kinds.DESTINATIONS))
        if queued(kinds.kind_of_route(number, before)) and not queued(kinds.kind_of_route(number, after))
    }
    return found | {f"t{number}": f"transform/t{number}" for number in range(2) if not (number + before) % 2}


def _unsafe(report: Report) -> list[str]:
    """What no change may do, whatever waits: fail, or leave a rule or a subscription without its target."""
    return [
        f"{finding.subject}: {finding.what}"
        for finding in report.findings
        if finding.consequence == "fails" or finding.subject.startswith(("rule ", "subscription "))
    ]


def _lost(report: Report) -> set[str]:
    return {finding.subject for finding in report.findings if finding.consequence == "lost"}


# --------------------------------------------------------------------------------------------------------- pair by pair


@pytest.fixture(name="parts", scope="module")
def _parts(made, existing) -> dict[str, Resources]:
    """What hops and entries of each kind are made of, under the names `ready` and `in`."""
    wide, entries = _values(existing["wide"]), _values(made["entries"])
    found: dict[str, Resources] = {"route none": {}, "entry none": {}}
    for number in range(len(kinds.DESTINATIONS)):
        names = {kinds.route_key(number): "ready", f"d{number:02}": "cms"}
        found[f"route {kinds.kind_of_route(number)}"] = _part(wide, names, "module.router.")
    for number in range(2):
        found[f"transform {number}"] = _part(wide, {f"t{number}": "ready"}, "module.router.")
    for number, kind in enumerate(kinds.ENTRIES):
        module = "module.ingress." if kind == "webhook" else f"module.ingress-e{number}."
        found[f"entry {kind}"] = _part(entries, {f"e{number}": "in", f"p{number}": "mux"}, module)
    for kind in kinds.OWN_MACHINES:
        machine = _values(made[kind])
        found[f"route {kind}"] = _part(machine, {"ready": "ready", "cms": "cms"}, ("module.router.", "module.machine"))
    return found


def _values(state: Iterable[Mapping[str, Any]]) -> Resources:
    """The resources of a state by address, those in AWS."""
    found: dict[str, Mapping[str, Any]] = {}
    for resource in state:
        if not resource["type"].startswith("aws_"):
            continue
        for instance in resource["instances"]:
            key = instance.get("index_key")
            index = "" if key is None else f"[{json.dumps(key)}]"
            module = f"{resource['module']}." if "module" in resource else ""
            found[f"{module}{resource['type']}.{resource['name']}{index}"] = instance["attributes"]
    return found


def _part(values: Resources, names: Mapping[str, str], modules: str | tuple[str, ...]) -> Resources:
    """The resources of a hop or entry, under other names."""
    keys = tuple(f'["{name}"]' for name in names)
    mine = {
        address: attributes
        for address, attributes in values.items()
        if address.startswith(modules)
        and (not address.startswith("module.router.") or any(key in address for key in keys))
    }
    text = json.dumps(mine)
    for old, new in names.items():
        text = re.sub(rf"(?<![A-Za-z0-9]){old}(?![A-Za-z0-9])", new, text)
    made: Resources = json.loads(text)
    return made


def _plan(before: Resources, after: Resources) -> Plan:
    """A plan between two deployments; what has another name at one address is replaced, the new one made first."""
    changes = []
    for address in sorted({*before, *after}):
        old, new = before.get(address), after.get(address)
        actions = ["create"] if old is None else ["delete"] if new is None else ["update"]
        kind = re.findall(r"(aws_\w+)\.", address)[0]
        if old is not None and new is not None and physical_name(kind, old) != physical_name(kind, new):
            actions = ["create", "delete"]
        changes.append(change(address, actions, old, new))
    return Plan.of({"resource_changes": changes})


PAIRS = [(before, after) for before in ROUTES for after in ROUTES if before != after]
ENTRY_PAIRS = [(before, after) for before in ENTRIES for after in ENTRIES if before != after]


def test_the_matrix_has_at_least_150_pairs():
    assert len(PAIRS) + len(ENTRY_PAIRS) >= 150


def test_a_route_becomes_any_other_kind_and_only_its_queues_are_at_risk(parts):
    for pair in PAIRS:
        report = judge(_plan(*(parts[f"route {kind}"] for kind in pair)))

        assert _unsafe(report) == [], pair
        lost = [finding for finding in report.findings if finding.consequence == "lost"]
        queues = [finding for finding in lost if not finding.subject.startswith("state machine ")]
        # What runs in a machine ends with it, be it that another type takes its place.
        assert len(lost) - len(queues) == (pair[0] == "own-machine"), pair
        assert all("`retired:`" in finding.do for finding in queues), pair
        assert {finding.subject.rpartition(" of ")[2] for finding in queues} <= {"route/ready"}, pair


def test_a_transform_is_behind_a_queue_or_not_and_only_its_queues_are_at_risk(parts):
    for pair in (("0", "1"), ("1", "0")):
        assert _unsafe(judge(_plan(*(parts[f"transform {kind}"] for kind in pair)))) == [], pair


def test_an_entry_becomes_any_other_kind_or_the_plan_says_how_in_two_applies(parts):
    for before, after in ENTRY_PAIRS:
        old, new = parts[f"entry {before}"], parts[f"entry {after}"]
        report = judge(_plan(old, new), Aws())
        if "none" in (before, after) or {before, after} <= ONE_MODULE:
            assert _unsafe(report) == [], (before, after)
            continue
        assert report.at_risk, (before, after)
        assert all(finding.do for finding in report.findings if finding.consequence != "note"), (before, after)

        beside = _part(new, {"in": "next"}, "module.ingress")
        beside = {
            address.replace("module.ingress.", "module.ingress-next.", 1): each for address, each in beside.items()
        }
        both = {**old, **beside}
        for step in (judge(_plan(old, both), Aws()), judge(_plan(both, beside), Aws())):
            assert not step.at_risk, (before, after, step.findings)


def test_terraform_itself_refuses_an_entry_of_another_kind_under_its_name_before_anything_happens(tmp_path):
    """Only `terraform_data` is needed, which no provider from outside makes: so it is applied in truth."""

    def kept(kind: str) -> dict[str, Any]:
        workflow = kinds.one_entry(kind)
        (environment,) = load_text(json.dumps(workflow), {}, tmp_path / "workflow.yaml").environments
        return IngressModules(environment).kinds()["kind-in"]

    def write(side: int) -> None:
        resources = {f"pair{number}": kept(pair[side]) for number, pair in enumerate(pairs)}
        (tmp_path / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": resources}}))

    pairs = [(before, after) for before in kinds.ENTRIES for after in kinds.ENTRIES]
    write(0)
    terraform(tmp_path, "init", "-input=false")
    terraform(tmp_path, "apply", "-auto-approve", "-input=false")
    write(1)
    report = judge(Plan.of(in_folder(tmp_path).plan()))

    told = {finding.subject: finding for finding in report.findings}
    for number, pair in enumerate(pairs):
        finding = told.get(f"terraform_data.pair{number}")
        if pair[0] == pair[1] or {*pair} <= ONE_MODULE:
            assert finding is None, pair
        else:
            assert finding is not None, pair
            assert (finding.consequence, "under its name" in finding.what) == ("fails", True), pair
            assert finding.do.startswith("in two applies: add the new one under another name"), pair


def test_another_environment_or_workflow_shares_no_name_with_what_there_is(existing):
    def names(text: str) -> set[str]:
        values = json.loads(text)
        found = (physical_name(re.findall(r"(aws_\w+)\.", address)[0], each) for address, each in values.items())
        return {name for name in found if name is not None}

    deployed = json.dumps(_values(existing["small"]))
    for prefix in ("media-stage", "news-dev"):
        assert not names(deployed) & names(deployed.replace("media-dev", prefix))


# ------------------------------------------------------------------------------------------------------------ generated

HOP_NAMES = st.sampled_from(["r", "s", "t"])
ENTRY_NAMES = st.sampled_from(["a", "b", "c"])
TRANSFORM_NAMES = st.sampled_from(["x", "y"])


@st.composite
def generated(draw) -> tuple[kinds.Workflow, dict[str, tuple[str, str]]]:
    """A workflow, and its parts by name: `route`, `transform` or `entry`, and the kind."""
    entries = draw(st.dictionaries(ENTRY_NAMES, st.sampled_from([*kinds.ENTRIES]), min_size=1, max_size=3))
    routes = draw(st.dictionaries(HOP_NAMES, st.sampled_from([*kinds.DESTINATIONS]), max_size=3))
    transforms = draw(st.dictionaries(TRANSFORM_NAMES, st.booleans(), max_size=2))
    partners: dict[str, Any] = {}
    for name, kind in entries.items():
        partners[f"p{name}"] = {"specification": "mux", "ingress": name}
        if kind in ("custom-bus", "aws-services"):
            partners[f"p{name}"]["sources"] = [f"com.mux.{name}"]
        if kind == "partner-bus unmodified":
            del partners[f"p{name}"]["specification"]
    workflow = kinds.small(
        ingress={name: kinds.ENTRIES[kind] for name, kind in entries.items()},
        partners=partners,
        destinations={f"d{name}": kinds.DESTINATIONS[kind] for name, kind in routes.items()},
        routes={
            name: {"pattern": kinds.PATTERN, "destination": f"d{name}"}
            | ({"invocation": "direct"} if kind.endswith("direct") else {})
            for name, kind in routes.items()
        },
        transforms={
            name: {"pattern": kinds.PATTERN, "steps": kinds.STEPS} | ({"invocation": "direct"} if direct else {})
            for name, direct in transforms.items()
        },
    )
    return workflow, (
        {name: ("entry", kind) for name, kind in entries.items()}
        | {name: ("route", kind) for name, kind in routes.items()}
        | {name: ("transform", str(int(direct))) for name, direct in transforms.items()}
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=generated(), second=generated())
def test_any_valid_workflow_becomes_any_other(parts, tmp_path, first, second):
    assume(all(_is_valid(workflow, tmp_path) for workflow, _ in (first, second)))
    (_, old), (_, new) = first, second

    report = judge(_plan(_put_together(parts, old), _put_together(parts, new)), Aws())

    moved = [
        name for name in old.keys() & new.keys() if old[name][0] == "entry" and not _one_module(old[name], new[name])
    ]
    if not moved:
        assert _unsafe(report) == []
    else:
        # The plan says so, and nothing else fails.
        assert all(any(f"-{name}" in line for name in moved) for line in _unsafe(report))


def _is_valid(workflow: kinds.Workflow, folder: Path) -> bool:
    try:
        load_text(json.dumps(workflow), {}, folder / "workflow.yaml")
    except WorkflowError:
        return False
    return True


def _one_module(old: tuple[str, str], new: tuple[str, str]) -> bool:
    return old == new or {old[1], new[1]} <= ONE_MODULE


def _put_together(parts: Mapping[str, Resources], named: Mapping[str, tuple[str, str]]) -> Resources:
    found: dict[str, Mapping[str, Any]] = {}
    for name, (what, kind) in named.items():
        names = {"in": name, "mux": f"p{name}"} if what == "entry" else {"ready": name, "cms": f"d{name}"}
        found |= _part(parts[f"{what} {kind}"], names, "module.")
    return found
