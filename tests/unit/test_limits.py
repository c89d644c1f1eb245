"""`modules/internal/limits/limits.json` is the authority on limits, defaults and choices of hops.

The workflow file's model, its schema for editors and the functions' parsers say the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from media_events.core.configuration import ConfigurationError
from media_events.core.settings import SettingsError
from media_events.delivery.config import parse_destination
from media_events.messaging.consumer_settings import ConsumerSettings
from media_events.outbound_http.endpoint import CREDENTIAL_HEADERS, FORBIDDEN_HEADER_PREFIXES, FORBIDDEN_HEADERS
from media_events.recovery.config import parse_queues
from media_events_kit.infra.model.destinations import CircuitBreaker
from media_events_kit.infra.model.workflow import Workflow
from media_events_kit.infra.model.workflow_schema import FILE
from scripts import hop_types

ROOT: Final = Path(__file__).resolve().parents[2]
DEFINITIONS: Final[dict[str, Any]] = json.loads(hop_types.LIMITS.read_text(encoding="utf-8"))["$defs"]
REFUSALS: Final = (ConfigurationError, SettingsError)

Document = Mapping[str, Any]


def rules(definition: str) -> dict[str, dict[str, Any]]:
    """The attributes of an object in limits.json that are no objects themselves."""
    found = {
        name: hop_types.resolved(rule, DEFINITIONS) for name, rule in DEFINITIONS[definition]["properties"].items()
    }
    return {name: rule for name, rule in found.items() if "properties" not in rule}


# ------------------------------------------------------------------------------------------------- the workflow file

SECTIONS: Final = {
    "api_destination": ("ApiDestination",),
    "circuit_breaker": ("CircuitBreaker",),
    "connection": ("Connection",),
    "connection_auth": ("ConnectionAuth",),
    "event_bus": ("EventBusDestination",),
    "failure": ("FailureHandling",),
    "firehose": ("FirehoseDestination",),
    "function": ("Transform", "Route"),
    "function_retry": ("FunctionRetry",),
    "http": ("HttpDestination",),
    "http_auth": ("Auth",),
    "http_tls": ("Tls",),
    "input_transformer": ("InputTransformer",),
    "kms_key": ("KmsKey",),
    "lambda": ("LambdaDestination",),
    "log_group": ("LogGroup",),
    "logs": ("LogsDestination",),
    "queue": ("Transform", "Route"),
    "redrive": ("Redrive",),
    "retry": ("Retry",),
    "route": ("Route",),
    "rule_retry": ("RuleRetry",),
    "sns": ("SnsDestination",),
    "sqs": ("SqsDestination",),
    "step_functions": ("StepFunctionsDestination",),
    "strict": ("Strict",),
    "task_callback": ("TaskCallbackDestination",),
    "transform": ("Transform",),
    "vpc": ("Vpc",),
}
"""By object of limits.json, the sections of the workflow file that have its attributes."""

NOT_IN_THE_WORKFLOW_FILE: Final = {
    "failure.dlq_age_alarm_seconds",
    "failure.dlq_visibility_timeout_seconds",
    "function.architecture",
    "function.log_level",
    "function.reserved_concurrency",
    "function.runtime",
    "function.tracing",
    "queue.age_alarm_seconds",
    "queue.visibility_timeout_seconds",
}
"""The workflow file leaves these to the modules' defaults."""

OTHERWISE: Final = {
    # A file in the workflow's folder, or a list of steps in the file itself.
    "transform.package",
    "transform.steps",
    "transform.pattern",
    "route.pattern",
    # The URL may be left out, and is then made from the ARN.
    "sqs.queue_url",
    # One may be given in place of a definition.
    "step_functions.state_machine_arn",
    # The queue's consumer is on as long as its hop is.
    "queue.enabled",
    # Left out, it is that of the settings.
    "function.snap_start",
    # Of a destination, whatever routes lead to it.
    "route.destination",
    "route.ordering",
}
"""Attributes that the workflow file has in a form of its own."""

WORDS: Final = (
    "type",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "enum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    "default",
)


@pytest.mark.parametrize("source", ["model", "schema for editors"])
def test_workflow_file_has_the_limits_defaults_and_choices_of_the_modules(source: str) -> None:
    document = Workflow.model_json_schema() if source == "model" else json.loads(FILE.read_text(encoding="utf-8"))

    assert list(_differences(document["$defs"])) == []


def test_every_object_of_the_modules_is_compared_with_the_workflow_file() -> None:
    objects = {name for name, definition in DEFINITIONS.items() if "properties" in definition}

    # Of the kinds of targets, of steps, a table that the deployment makes, and what modules' users bring: no numbers or
    # words of their own.
    of_modules_alone = {"existing_role", "existing_log_group", "existing_dlq"}
    assert objects - SECTIONS.keys() == {"step", "target", "task_callbacks_table"} | of_modules_alone


def test_destinations_of_the_workflow_file_are_the_targets_of_the_router() -> None:
    destinations = Workflow.model_json_schema()["properties"]["destinations"]
    (destination,) = destinations["patternProperties"].values()
    types = destination["discriminator"]["mapping"]

    assert {name.replace("-", "_") for name in types} == DEFINITIONS["target"]["properties"].keys()


@pytest.mark.parametrize("kind", ["http", "sqs", "sns", "event_bus", "lambda", "firehose"])
def test_orderings_of_a_destination_are_those_of_the_modules(kind: str) -> None:
    (section,) = SECTIONS[kind]
    said = _said(Workflow.model_json_schema()["$defs"][section]["properties"]["ordering"])

    assert said == {word: DEFINITIONS["ordering"][word] for word in WORDS if word in DEFINITIONS["ordering"]}


def test_log_retention_is_that_of_the_modules() -> None:
    said = _said(Workflow.model_json_schema()["$defs"]["Logs"]["properties"]["retention_days"])

    assert (said["enum"], said["default"]) == (
        DEFINITIONS["log_retention_days"]["enum"],
        DEFINITIONS["log_retention_days"]["default"],
    )


def _differences(sections: Document) -> Iterator[str]:
    for definition, names in SECTIONS.items():
        for name in names:
            for attribute, rule in rules(definition).items():
                path = f"{definition}.{attribute}"
                if path in NOT_IN_THE_WORKFLOW_FILE | OTHERWISE:
                    continue
                offered = sections[name]["properties"].get(attribute)
                if offered is None:
                    yield f"{name} has no {attribute}"
                    continue
                said = _said(offered)
                wanted = {word: rule[word] for word in WORDS if word in rule}
                yield from (
                    f"{name}.{attribute}: {word} is {said.get(word)!r}, and {wanted.get(word)!r} in limits.json"
                    for word in WORDS
                    if said.get(word) != wanted.get(word)
                )


def _said(offered: Document) -> dict[str, Any]:
    """What a property says, whether or not it may also be null or a reference to an environment variable."""
    whole = dict(offered)
    while "anyOf" in whole:
        (option,) = (
            option for option in whole.pop("anyOf") if option.get("type") != "null" and option.get("pattern") != r"\$\{"
        )
        whole = option | whole
    return {word: whole[word] for word in WORDS if whole.get(word) is not None}


# ----------------------------------------------------------------------------------------------------- the functions

ADDRESSES: Final[dict[str, dict[str, Any]]] = {
    "http": {"url": "https://cms.example.com/events"},
    "sqs": {
        "queue_arn": "arn:aws:sqs:eu-west-1:123456789012:a.fifo",
        "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/a.fifo",
    },
    "sns": {"topic_arn": "arn:aws:sns:eu-west-1:123456789012:a.fifo"},
    "event_bus": {"bus_arn": "arn:aws:events:eu-west-1:123456789012:event-bus/a"},
    "lambda": {"function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:a"},
    "firehose": {"stream_arn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/a"},
    "step_functions": {"state_machine_arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:a"},
    "task_callback": {"task_callbacks_table": "callbacks", "correlation_key": "data.job"},
}
SECRET: Final = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf"
QUEUE: Final = "arn:aws:sqs:eu-west-1:123456789012:a-dlq"


def _destination(kind: str, document: Document) -> Any:
    known = {"name": "cms", "type": kind.replace("_", "-")} | ADDRESSES[kind]
    return parse_destination({"destination": known | dict(document)})


def _http_auth(document: Document) -> Any:
    # Each way to authenticate has keys of its own.
    oauth = {"type": "oauth2-client-credentials", "token_url": "https://login.example.com/token"}
    own = {"api-key": {"header": "x-key"}, "oauth2-client-credentials": oauth}
    kind = document.get("type", "api-key" if "header" in document else "oauth2-client-credentials")
    known = {"type": kind, "secret_arn": SECRET} | own.get(kind, {})
    return _destination("http", {"auth": known | dict(document)}).endpoint.authentication


def _redrive(document: Document) -> Any:
    queue = {
        "url": "https://sqs.eu-west-1.amazonaws.com/123456789012/a-dlq",
        "hop": "route/a",
        "destination": "a",
        "redrive_target": "queue",
        "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/a",
        "redrive": document,
    }
    return parse_queues({"dead_letter_queues": {QUEUE: queue}})[QUEUE].policy


def _consumer(variables: Mapping[str, str]) -> Callable[[Document], Any]:
    known = {
        "CONFIGURATION_URI": "s3://bucket/key",
        "CONFIGURATION_SHA256": "0" * 64,
        "HOP": "route/a",
        "DEAD_LETTER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/a-dlq",
        "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/a",
        "MAX_RECEIVE_COUNT": "5",
    }

    def parse(document: Document) -> Any:
        return ConsumerSettings.from_env(
            known | {variables[attribute]: str(value) for attribute, value in document.items()}
        )

    return parse


PARSERS: Final[dict[str, Callable[[Document], Any]]] = {
    "circuit_breaker": lambda document: _destination("http", {"circuit_breaker": document}).circuit_breaker,
    "strict": lambda document: _destination("http", {"ordering": "strict", "strict": document}).strict,
    "http_auth": _http_auth,
    "redrive": _redrive,
    "retry": _consumer({"base_seconds": "RETRY_BASE_SECONDS", "max_seconds": "RETRY_MAX_SECONDS"}),
    "failure": _consumer({"max_receive_count": "MAX_RECEIVE_COUNT"}),
    **{kind: partial(_destination, kind) for kind in ADDRESSES},
}
"""By object of limits.json, the parser of a function that reads it."""

NOT_OF_FUNCTIONS: Final = {
    # Of the rule, or of the deployment alone.
    "sqs.manage_queue_policy",
    "sqs.message_group_id",
    "failure.dlq_age_alarm_seconds",
    "failure.dlq_visibility_timeout_seconds",
}

RESULTS: Final[dict[str, Callable[[Any], Any]]] = {
    "circuit_breaker.enabled": lambda breaker: breaker is not None,
    "failure.max_receive_count": lambda settings: settings.max_receive_count,
    "http.allow_http": lambda destination: destination.endpoint.target.scheme == "http",
    "http.allowed_private_cidrs": lambda destination: list(destination.endpoint.allowed_networks),
    "http.headers": lambda destination: destination.endpoint.headers,
    "http.timeout_seconds": lambda destination: destination.endpoint.timeout_seconds,
    "lambda.mode": lambda destination: destination.form,
    "retry.base_seconds": lambda settings: settings.retry_base_seconds,
    "retry.max_seconds": lambda settings: settings.retry_max_seconds,
    "sns.mode": lambda destination: destination.form,
}
"""Where a parser's result has an attribute, if not under its own name."""

READ: Final = sorted(
    f"{definition}.{attribute}"
    for definition in PARSERS
    for attribute in rules(definition)
    if f"{definition}.{attribute}" not in NOT_OF_FUNCTIONS
)


@pytest.mark.parametrize("path", READ)
def test_function_takes_what_the_modules_allow_and_nothing_else(path: str) -> None:
    definition, _, attribute = path.partition(".")
    rule = rules(definition)[attribute]
    parse = PARSERS[definition]
    # The first pause of a circuit breaker is never above the longest.
    beside = {"max_delay_seconds": 43200} if path == "circuit_breaker.delay_seconds" else {}

    wrong = [value for value in _allowed(attribute, rule) if not _takes(parse, beside | {attribute: value})]
    missed = [value for value in _refused(attribute, rule) if _takes(parse, beside | {attribute: value})]

    assert {"refused": [_short(value) for value in wrong], "taken": [_short(value) for value in missed]} == {
        "refused": [],
        "taken": [],
    }


@pytest.mark.parametrize("path", [path for path in READ if "default" in rules(path.split(".")[0])[path.split(".")[1]]])
def test_function_has_the_defaults_of_the_modules(path: str) -> None:
    definition, _, attribute = path.partition(".")
    result = PARSERS[definition]({})

    assert (
        RESULTS.get(path, lambda parsed: getattr(parsed, attribute))(result) == rules(definition)[attribute]["default"]
    )


@pytest.mark.parametrize(("longest", "first"), [(10, 10), (29.5, 29.5), (30, 30), (900, 30), (0.5, 0.5)])
def test_first_pause_that_is_left_out_is_never_above_the_longest(longest: float, first: float) -> None:
    document = {"max_delay_seconds": longest}

    assert CircuitBreaker.model_validate(document).delay_seconds == first
    assert PARSERS["circuit_breaker"](document).delay_seconds == first


@pytest.mark.parametrize("document", [{"delay_seconds": 20, "max_delay_seconds": 10}, {"delay_seconds": 901}])
def test_first_pause_above_the_longest_is_refused(document: Document) -> None:
    with pytest.raises(ValidationError):
        CircuitBreaker.model_validate(document)
    assert not _takes(PARSERS["circuit_breaker"], document)


def test_functions_know_every_target_and_ordering_that_is_theirs() -> None:
    own = {"api_destination", "logs"}

    assert ADDRESSES.keys() | own == DEFINITIONS["target"]["properties"].keys()
    orderings = DEFINITIONS["ordering"]["enum"]
    assert [_takes(PARSERS["http"], {"ordering": ordering}) for ordering in orderings] == [True] * len(orderings)
    assert not _takes(PARSERS["http"], {"ordering": "other"})
    assert _destination("http", {}) == _destination("http", {"ordering": DEFINITIONS["ordering"]["default"]})


def test_function_refuses_the_headers_that_the_modules_refuse() -> None:
    headers = DEFINITIONS["headers"]

    assert set(headers["x-reserved"]) == FORBIDDEN_HEADERS
    assert set(headers["x-reserved-prefixes"]) == set(FORBIDDEN_HEADER_PREFIXES)
    assert set(headers["x-credentials"]) == CREDENTIAL_HEADERS


@pytest.mark.parametrize("name", ["a", "a" * 64, "", "a" * 65, "-a", "a.b_c-d", "a b"])
def test_function_takes_the_names_of_destinations_that_the_modules_take(name: str) -> None:
    allowed = re.fullmatch(DEFINITIONS["destination_name"]["pattern"], name) is not None

    assert _takes(PARSERS["http"], {"name": name}) == allowed


def _takes(parse: Callable[[Document], Any], document: Document) -> bool:
    try:
        parse(document)
    except REFUSALS:
        return False
    return True


def _allowed(attribute: str, rule: Document) -> Iterator[Any]:
    """Values on the inner side of every limit, and every choice."""
    yield from rule.get("enum", [])
    yield from (rule[word] for word in ("minimum", "maximum") if word in rule)
    if rule["type"] == "number":
        yield rule.get("minimum", rule.get("exclusiveMinimum")) + 0.5
    if rule["type"] == "boolean":
        yield from (True, False)
    if "maxLength" in rule:
        yield _text(attribute, rule["maxLength"])
    if "maxProperties" in rule:
        yield {f"x-a{number}": "a" for number in range(rule["maxProperties"])}


def _refused(attribute: str, rule: Document) -> Iterator[Any]:
    """Values on the outer side of every limit, and a choice that there is not."""
    if "enum" in rule:
        yield "other"
    if "minimum" in rule:
        yield rule["minimum"] - (1 if rule["type"] == "integer" else 0.5)
    if "maximum" in rule:
        yield rule["maximum"] + 1
    if "exclusiveMinimum" in rule:
        yield rule["exclusiveMinimum"]
    if rule["type"] == "integer":
        yield rule["minimum"] + 0.5
    if rule["type"] in ("integer", "number", "boolean"):
        yield "other"
    if "minLength" in rule:
        yield "a" * (rule["minLength"] - 1)
    if "maxLength" in rule:
        yield _text(attribute, rule["maxLength"] + 1)
    if "maxProperties" in rule:
        yield {f"x-a{number}": "a" for number in range(rule["maxProperties"] + 1)}


def _text(attribute: str, length: int) -> str:
    return ("https://example.com/" if attribute.endswith("url") else "").ljust(length, "a")


def _short(value: Any) -> Any:
    return f"{value[:30]}… ({len(value)})" if isinstance(value, str) and len(value) > 40 else value
