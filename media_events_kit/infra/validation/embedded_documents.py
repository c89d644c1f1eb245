"""Checks specifications, steps, destinations and definitions with the functions' own parsers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from media_events_kit.infra.documents.diagnostics import did_you_mean
from media_events_kit.infra.documents.python_layers import function_problem
from media_events_kit.infra.documents.specification_files import SUFFIXES, SpecificationFileError, load
from media_events_kit.infra.model.renames import Renamable
from media_events_kit.infra.validation.states_language import validate_definition

MAX_DEFINITION_BYTES: Final = 1024 * 1024
"""Of a state machine: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


class ContentError(ValueError):
    """The content of a file or value is wrong; `problems` has one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def load_specification(
    named: str | Mapping[str, Any], folder: Path, *, webhook: bool, authorised: bool = False, secrets: bool = True
) -> tuple[Mapping[str, Any], list[str]]:
    """A partner's specification as the functions take it, from a preset's name, a file, or an inline mapping.

    Beside it is what is weak about it.

    A webhook may be `authorised` by API Gateway in place of a signature; `secrets` says whether it then has secrets.

    Raises:
        ContentError: there is no such preset or file, or its specification is wrong, or not fit for a `webhook`.
    """
    from media_events.partners.presets import preset_names  # noqa: PLC0415 - only where there is a workflow to read
    from media_events.partners.specification import SpecificationError, parse_specification  # noqa: PLC0415

    origin = ""
    if isinstance(named, Mapping):
        document: Any = dict(named)
    elif named.endswith(SUFFIXES) or named.startswith(("./", "../", "/")):
        document, origin = _specification_file(folder / named), f"{named}: "
    elif named in preset_names():
        document = {"preset": named}
    else:
        hint = f"{did_you_mean(named, preset_names())} (a file has a suffix: ./partners/acme.yaml)"
        raise ContentError([f'there is no preset "{named}": {hint}'])
    try:
        specification = parse_specification(document)
        problems = specification.webhook_problems(authorised=authorised, secrets=secrets) if webhook else []
        advice = specification.advice()
        advice += specification.webhook_advice(authorised=authorised) if webhook else []
    except SpecificationError as error:
        problems, advice = error.problems, []
    if problems:
        raise ContentError([f"{origin}{problem}" for problem in problems])
    return dict(document), advice


def _specification_file(path: Path) -> Any:
    try:
        return load(path)
    except SpecificationFileError as error:
        raise ContentError([str(error)]) from None


def check_steps(
    steps: list[dict[str, Any]], *, package: Path | None, layers: bool, timeout_seconds: int | None = None
) -> None:
    """Check a transform's steps. Its own modules are in `package`, or in `layers`, which can't be read.

    Raises:
        ContentError: naming every step that the transform function could not read or run.
    """
    from media_events.core.configuration import ConfigurationError  # noqa: PLC0415
    from media_events.transform import longest_waits, parse_steps  # noqa: PLC0415

    def find(function: str) -> None:
        problem = None
        if package is not None:
            problem = function_problem(package, function)
        elif not layers:
            problem = "it has no place: give the transform a package, the folder of its modules, or layers"
        if problem is not None and not layers:
            raise ConfigurationError([problem])

    try:
        parsed = parse_steps(steps, load=find)
    except ConfigurationError as error:
        raise ContentError(error.problems) from None
    if timeout_seconds is not None:
        problems = [
            f"{where}: may take {seconds:g} seconds, and publishing the event 2 more: the transform's timeout_seconds, "
            f"{timeout_seconds}, must not be less"
            for where, seconds in longest_waits(parsed).items()
            if seconds + 2 > timeout_seconds
        ]
        if problems:
            raise ContentError(problems)


PERMISSIONS: Final = frozenset({"kms_key"})
"""Settings of the function's permissions, which the function itself does not read."""
ORDER: Final = frozenset({"ordering", "strict"})
"""Settings that the model checks completely, for destinations of every type."""


def check_destination(name: str, settings: Mapping[str, Any]) -> None:
    """Check the settings of a destination that a function delivers to; the model checks those of state machines.

    Raises:
        ContentError: naming every setting that the deliver function could not use.
    """
    from media_events.core.configuration import ConfigurationError  # noqa: PLC0415
    from media_events.delivery.config import parse_destination  # noqa: PLC0415

    document = {
        "name": name,
        **{
            key: value
            for key, value in settings.items()
            if key not in PERMISSIONS | ORDER | Renamable.model_fields.keys()
        },
    }
    for secrets in ("auth", "tls"):
        if isinstance(document.get(secrets), Mapping):
            document[secrets] = {key: value for key, value in document[secrets].items() if key != "kms_key"}
    if document.get("type") == "task-callback":
        document["task_callbacks_table"] = "named-by-the-stack"
    try:
        parse_destination({"destination": document})
    except ConfigurationError as error:
        raise ContentError(error.problems) from None


def check_api_destination(settings: Mapping[str, Any]) -> None:
    """Check the addresses of an API destination with the functions' address guard: EventBridge has none.

    Raises:
        ContentError: naming every one that is malformed or not public.
    """
    from media_events.outbound_http.address_guard import TargetError, parse_networks, parse_target  # noqa: PLC0415

    local = settings.get("allow_http") is True
    allowed = parse_networks(["127.0.0.0/8", "::1/128"]) if local else ()
    auth = settings.get("auth")
    urls = {"url": settings.get("url"), "auth.token_url": auth.get("token_url") if isinstance(auth, Mapping) else None}
    problems = []
    for name, url in urls.items():
        if isinstance(url, str):
            try:
                parse_target(url, allow_http=local, allowed=allowed)
            except TargetError as error:
                problems.append(f"{name}: {error}")
    if problems:
        raise ContentError(problems)


def load_definition(folder: Path, name: str) -> str:
    """The text of a state machine's definition, compact.

    Raises:
        ContentError: the file can't be read, or has no valid state machine.
    """
    try:
        machine = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContentError([f"there is no file {name} next to the workflow file"]) from None
    except OSError as error:
        raise ContentError([f"{name} can't be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ContentError([f"{name} is not UTF-8 text"]) from None
    except json.JSONDecodeError as error:
        raise ContentError([f"{name} is not JSON: {error.msg} at line {error.lineno}"]) from None
    except RecursionError:
        raise ContentError([f"{name} is nested too deeply"]) from None
    except ValueError as error:
        raise ContentError([f"{name!r} is no file's name: {error}"]) from None
    problems = validate_definition(machine)
    if problems:
        raise ContentError([f"{name}: {problem}" for problem in problems])
    text = json.dumps(machine, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MAX_DEFINITION_BYTES:
        raise ContentError([f"{name} comes to {len(text.encode()):,} bytes; AWS takes {MAX_DEFINITION_BYTES:,}"])
    return text
