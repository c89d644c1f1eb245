"""Every module can be planned in the root that makes what it is given, when no ARN, name or number is known yet.

The inputs are made from the types of a module's variables, so a new one is covered without being named here: each text,
number and truth value comes from a resource that is still to be made, each collection has one element. Some inputs
decide which resources there are, and Terraform must know those: the cases name them, with a value for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from scripts.terraform_types import Type, inputs_of, parsed, without_optional
from tests.terraform.conftest import PUBLIC_MODULES, Terraform

OFFLINE: Final = {"region": "eu-west-1"} | dict.fromkeys(
    ("skip_credentials_validation", "skip_metadata_api_check", "skip_region_validation", "skip_requesting_account_id"),
    True,
)
UNKNOWN: Final = "${terraform_data.made_later.output}"
LEFT_OUT: Final = object()


@dataclass(frozen=True)
class Elements:
    """A map's elements by key, each with what decides in it, by the path below the element."""

    deciding: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """One way to use a module."""

    module: str
    name: str
    deciding: Mapping[str, Any] = field(default_factory=dict)
    """By path: a value that decides which resources there are; `LEFT_OUT`; or the `Elements` of a map."""


# There are alarms or none, an alias or none; and the provider makes no plan for a zip whose runtime it does not know.
RUNTIME: Final = {"function.runtime": "python3.13", "function.snap_start": True}
IN_EVERY_MODULE: Final = RUNTIME | {
    "settings.role_policies": "managed",
    "settings.alarms.enabled": True,
    "settings.alarms.reviewed": False,
    "settings.alarms.severities": ["critical", "warning"],
}
# Whether roles and log groups are the module's own.
OWN_ROLE: Final = {"function.role": LEFT_OUT, "function.log_group": LEFT_OUT}
PACKAGE_IN_S3: Final = {"settings.package.filename": LEFT_OUT}

FILTER: Final = json.dumps({"kind": ["asset"]})

TARGETS: Final = (
    "http",
    "sqs",
    "sns",
    "event_bus",
    "lambda",
    "firehose",
    "step_functions",
    "task_callback",
    "api_destination",
    "logs",
)


def route(kind: str, **deciding: Any) -> dict[str, Any]:
    """What decides in a route to a target of one kind."""
    others = {f"target.{other}": LEFT_OUT for other in TARGETS if other != kind}
    return (
        others
        | RUNTIME
        | OWN_ROLE
        | {"existing_dlq": LEFT_OUT, "invocation": "queue"}
        | {name.replace("__", "."): value for name, value in deciding.items()}
    )


ROUTES: Final = {kind.replace("_", "-"): route(kind) for kind in TARGETS} | {
    "direct": route("http", invocation="direct"),
    # Whether the rule sends by itself.
    # The policy is the destination's, like an API destination.
    "sqs": route("sqs", destination="inbox", target__sqs__mode=LEFT_OUT, target__sqs__manage_queue_policy=True),
    "sqs-by-function": route("sqs", target__sqs__mode="envelope"),
    # Routes to one API destination share it, and it has a connection of its own or an existing one.
    "api-destination": route(
        "api_destination",
        destination="crm",
        target__api_destination__connection=LEFT_OUT,
        target__api_destination__role=LEFT_OUT,
    ),
    "existing-connection": route("api_destination", destination="mam", target__api_destination__auth=LEFT_OUT),
    "logs": route("logs", destination="log", target__logs__log_group=LEFT_OUT),
    "existing-log-group": route("logs", destination="audit"),
}
TRANSFORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "tidy": RUNTIME | {"invocation": "queue", "package": "steps.zip"},
    "tidy-directly": RUNTIME | OWN_ROLE | {"invocation": "direct", "package": LEFT_OUT},
}


CASES: Final = [
    Case("bus-custom", "everything", PACKAGE_IN_S3 | {"existing_bus": LEFT_OUT}),
    Case(
        "bus-custom",
        "an-existing-bus-and-keys-of-aws",
        OWN_ROLE | {"settings": LEFT_OUT, "idempotency_table": LEFT_OUT, "archive": LEFT_OUT, "senders": LEFT_OUT},
    ),
    # Whether a function takes the events into the envelope, and whether there is an alarm.
    Case(
        "bus-partner",
        "into-the-envelope",
        PACKAGE_IN_S3
        | {"forward_unmodified": False, "inactivity_alarm_minutes": 60, "existing_bus": LEFT_OUT}
        | {"existing_role": LEFT_OUT},
    ),
    Case(
        "bus-partner",
        "unmodified-from-an-existing-bus",
        {
            "forward_unmodified": True,
            "inactivity_alarm_minutes": LEFT_OUT,
            "partner": LEFT_OUT,
            "specification": LEFT_OUT,
            "settings": LEFT_OUT,
            "idempotency_table": LEFT_OUT,
        },
    ),
    # Whether a hop keeps an order decides whether there is an alarm.
    Case(
        "dlq-review",
        "everything",
        PACKAGE_IN_S3 | {"dead_letter_queues.*.redrive_target": "queue", "dead_letter_queues.*.ordered": True},
    ),
    Case(
        "dlq-review",
        "its-own-bucket-and-keys-of-aws",
        OWN_ROLE
        | {
            "settings": LEFT_OUT,
            "archive": LEFT_OUT,
            "dead_letter_queues.*.ordered": False,
            "existing_topic": LEFT_OUT,
        },
    ),
    Case(
        "ingress-apigw",
        "iam-and-a-domain",
        PACKAGE_IN_S3
        | {
            "existing_api": LEFT_OUT,
            "partners.*.authorization.type": "iam",
            "partners.*.authorization.issuer": LEFT_OUT,
            "partners.*.authorization.audiences": LEFT_OUT,
            "partners.*.authorization.scopes": LEFT_OUT,
            "behind_cloudfront": False,
        },
    ),
    Case(
        "ingress-apigw",
        "jwt",
        PACKAGE_IN_S3
        | {
            "existing_api": LEFT_OUT,
            "partners.*.authorization.type": "jwt",
            "partners.*.authorization.principals": LEFT_OUT,
            "behind_cloudfront": True,
            "domain": LEFT_OUT,
        },
    ),
    Case(
        "ingress-apigw",
        "a-secret-of-its-own",
        OWN_ROLE
        | {"settings": LEFT_OUT, "partners.*.secret_arns": LEFT_OUT, "partners.*.authorization": LEFT_OUT}
        | {"domain": LEFT_OUT, "partners.*.throttle": LEFT_OUT, "existing_dlq": LEFT_OUT}
        | {"behind_cloudfront": False},
    ),
    # The provider makes no plan for a filter's scope without knowing the filter.
    Case("ingress-sns-fifo", "its-own-topic", PACKAGE_IN_S3 | {"existing_topic": LEFT_OUT, "filter_policy": FILTER}),
    Case(
        "ingress-sns-fifo",
        "an-existing-topic",
        OWN_ROLE
        | {"settings": LEFT_OUT, "idempotency_table": LEFT_OUT, "senders": LEFT_OUT, "filter_policy": FILTER}
        | {"existing_dlq": LEFT_OUT},
    ),
    Case("ingress-sqs", "its-own-queue", PACKAGE_IN_S3 | {"existing_queue": LEFT_OUT}),
    Case(
        "ingress-sqs",
        "an-existing-queue",
        OWN_ROLE
        | {
            "settings": LEFT_OUT,
            "idempotency_table": LEFT_OUT,
            "senders": LEFT_OUT,
            "existing_dlq": LEFT_OUT,
            "existing_queue.age_alarm": True,  # another account's queue has no metrics here
        },
    ),
    Case(
        "router",
        "everything",
        PACKAGE_IN_S3
        | OWN_ROLE
        | {
            "manage_log_policy": True,
            "watch_rules": True,
            "transforms": Elements(TRANSFORMS),
            "routes": Elements(ROUTES),
            "retired": LEFT_OUT,
        },
    ),
    # An express workflow has no metric of throttled executions.
    Case("state-machine", "everything", {"type": "STANDARD"}),
    Case(
        "state-machine",
        "keys-of-aws",
        {"type": "EXPRESS", "settings": LEFT_OUT, "existing_role": LEFT_OUT, "existing_log_group": LEFT_OUT},
    ),
    # Whether the bus is shown.
    Case("dashboard", "everything", {}),
    Case("dashboard", "without-a-bus", {"bus_arn": LEFT_OUT, "log_group_names": LEFT_OUT}),
    Case("task-callbacks", "everything", PACKAGE_IN_S3 | {"function.snap_start": False}),
    Case("task-callbacks", "keys-of-aws", OWN_ROLE | {"settings": LEFT_OUT, "function.snap_start": False}),
]


def unknown(kind: Type, path: str, deciding: Mapping[str, Any]) -> Any:
    """A value of a type, in which nothing is known but collections' sizes, and what decides."""
    kind = without_optional(kind)
    given = deciding.get(path)
    if given is not None and not isinstance(given, Elements):
        return given
    if isinstance(kind, str):
        if kind == "any":
            raise ValueError(f"{path} is of any type: give it a value")
        return UNKNOWN
    if isinstance(kind, dict):
        fields = {name: unknown(inner, f"{path}.{name}", deciding) for name, inner in kind.items()}
        return {name: value for name, value in fields.items() if value is not LEFT_OUT}
    collection, inner = kind
    if collection != "map":
        return [unknown(inner, f"{path}[]", deciding)]
    elements: Mapping[str, Mapping[str, Any]] = {key_of(path): {}} if given is None else given.deciding
    return {
        key: unknown(inner, f"{path}.*", {**deciding, **{f"{path}.*.{below}": value for below, value in own.items()}})
        for key, own in elements.items()
    }


def key_of(path: str) -> str:
    """A key for the one element of a map: letters alone, since some become names."""
    return re.sub("[^a-z]", "", path.rpartition(".")[2])


def paths(kind: Type, path: str) -> Iterator[str]:
    """The paths of everything in a type."""
    kind = without_optional(kind)
    yield path
    if isinstance(kind, dict):
        for name, inner in kind.items():
            yield from paths(inner, f"{path}.{name}")
    elif not isinstance(kind, str):
        yield from paths(kind[1], f"{path}.*" if kind[0] == "map" else f"{path}[]")


def call(case: Case) -> str:
    """The name by which the root calls the case's module."""
    return f"{case.module}--{case.name}"


def root(clone: Path) -> dict[str, Any]:
    """A root of another repository that calls every case's module by a git source, in Terraform's JSON syntax."""
    calls: dict[str, dict[str, Any]] = {}
    for case in CASES:
        deciding = {**IN_EVERY_MODULE, **case.deciding}
        inputs = {name: unknown(each.type, name, deciding) for name, each in inputs_of(case.module).items()}
        given = {name: value for name, value in inputs.items() if value is not LEFT_OUT}
        calls[call(case)] = {"source": f"git::file://{clone}//modules/{case.module}"} | given
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {"aws": OFFLINE},
        "resource": {"terraform_data": {"made_later": {"input": "known after apply"}}},
        "module": calls,
    }


@pytest.mark.terraform
def test_every_module_is_planned_from_git_with_inputs_that_are_not_known_yet(
    terraform: Terraform, clone: Path, tmp_path: Path
) -> None:
    """With the oldest provider that the modules take; ``tests/unit/scripts/test_provider_schema.py`` has the newest."""
    (tmp_path / "main.tf.json").write_text(json.dumps(root(clone), indent=2), encoding="utf-8")

    terraform.init(tmp_path)
    said = terraform.run(tmp_path, "plan", "-input=false", "-no-color", "-lock=false")

    assert [case for case in CASES if f"# module.{call(case)}." not in said] == []


def test_every_public_module_has_a_case() -> None:
    assert {case.module for case in CASES} == set(PUBLIC_MODULES)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.module}-{case.name}" for case in CASES])
def test_deciding_inputs_exist(case: Case) -> None:
    existing = {path for name, each in inputs_of(case.module).items() for path in paths(each.type, name)}
    below = {
        f"{path}.*.{name}"
        for path, given in case.deciding.items()
        if isinstance(given, Elements)
        for deciding in given.deciding.values()
        for name in deciding
    }

    assert sorted((set(case.deciding) | below) - existing) == []


def test_type_is_read_with_its_defaults_left_out() -> None:
    expression = """object({
      name  = string # the queue's
      retry = optional(object({ codes = optional(list(number), [429, 503]), text = optional(string, "a } b") }), {})
      tags  = optional(map(string), {})
    })"""

    assert parsed(expression) == {
        "name": "string",
        "retry": ("optional", {"codes": ("optional", ("list", "number")), "text": ("optional", "string")}),
        "tags": ("optional", ("map", "string")),
    }


def test_nothing_is_known_but_what_decides() -> None:
    kind = parsed("map(object({ arn = string, kind = string, sizes = list(number), extra = string }))")

    assert unknown(kind, "queues", {"queues.*.kind": "fifo", "queues.*.extra": LEFT_OUT}) == {
        "queues": {"arn": UNKNOWN, "kind": "fifo", "sizes": [UNKNOWN]}
    }


def test_elements_of_a_map_decide_each_for_itself() -> None:
    kind = parsed("map(object({ arn = string, kind = string }))")
    elements = Elements({"a": {"kind": "fifo"}, "b": {"kind": LEFT_OUT}})

    assert unknown(kind, "queues", {"queues": elements}) == {
        "a": {"arn": UNKNOWN, "kind": "fifo"},
        "b": {"arn": UNKNOWN},
    }
