"""`media-events partner`: presets and specifications, which it tries on one event without AWS."""

from __future__ import annotations

import difflib
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from media_events.core.failures import PermanentDataError
from media_events.partners.body_parsing import parse_json
from media_events.partners.neutral_types import VOCABULARY
from media_events.partners.notes import Notes
from media_events.partners.presets import load_preset, preset_names, preset_text
from media_events.partners.proof_parts import Request
from media_events.partners.remote_keys import document_keys
from media_events.partners.signature_schemes import Verification
from media_events.partners.signature_verification import Proof, Verdict
from media_events.partners.specification import (
    PartnerSpecification,
    SpecificationError,
    parse_specification,
    resolve_preset,
)
from media_events.partners.unwrapping import unwrap_eventbridge
from media_events.partners.value_expressions import HEADER_NAME
from media_events_kit.infra.documents.specification_files import SUFFIXES, SpecificationFileError, load
from media_events_kit.ops.partner.event_types import natives, types_table
from media_events_kit.ops.partner.offline_ingress import Outcome, post, take
from media_events_kit.ops.partner.specification_schema import schema
from media_events_kit.ops.partner.template import PARTNER_NAME, template
from media_events_kit.ops.shared.console import err, fail, note, out, print_json
from media_events_kit.ops.shared.input_files import read_input

app = typer.Typer(
    no_args_is_help=True, help="Partner specifications: list, show and check them.", rich_markup_mode=None
)

REFUSED: Final = 1
UNUSABLE: Final = 2
_LATEST: Final = 253_402_300_799.0


class Ingress(StrEnum):
    """The types of ingress that a specification distinguishes."""

    SQS = "sqs"
    SNS_FIFO = "sns-fifo"
    WEBHOOK = "webhook"
    PARTNER_BUS = "partner-bus"
    CUSTOM_BUS = "custom-bus"


@app.callback()
def _group() -> None:
    """Partner specifications: list, show and check them."""


@app.command(
    "list",
    epilog="""Examples:

\b
  media-events partner list
  media-events partner list --json | jq -r '.[].name'""",
)
def list_presets(*, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the presets: partners that need no specification of yours."""
    rows: list[dict[str, Any]] = []
    for name in preset_names():
        specification = parse_specification({"preset": name})
        rows.append(
            {
                "name": name,
                "title": specification.title,
                "description": specification.description,
                "verification": _scheme(specification),
                "held": specification.provenance.held if specification.provenance else "",
                "assumed": None if specification.provenance is None else specification.provenance.assumed,
            }
        )
    if json:
        print_json(rows)
        return
    columns = ("name", "title", "held", "verification")
    heading = {"name": "name", "title": "partner", "held": "held to docs", "verification": "proof of a webhook"}
    widths = {column: max(len(row[column]) for row in (heading, *rows)) for column in columns}
    for row in (heading, *rows):
        out.print(
            "  ".join(row[column].ljust(widths[column]) for column in columns).rstrip(), markup=False, soft_wrap=True
        )


def _scheme(specification: PartnerSpecification) -> str:
    verification = specification.verification
    if verification is None:
        return "none: from EventBridge or a queue"
    return " or ".join(_scheme_name(scheme) for scheme in verification.schemes)


def _scheme_name(verification: Verification) -> str:
    place = verification.signature_header or verification.signature_field or f"?{verification.signature_query}="
    return {
        "hmac": f"HMAC-{verification.algorithm.upper()} in {place}",
        "digest": f"{verification.algorithm.upper()} digest in {place}",
        "ed25519": f"ed25519 signature in {place}",
        "rsa": f"RSA signature in {place}",
        "ecdsa": f"ECDSA signature in {place}",
        "http_signature": f"HTTP message signature ({verification.algorithm})",
        "jwt": f"JWT ({', '.join(verification.token_algorithms)}) in {place}",
        "sns": "signature of SNS",
        "networks": "the caller's address",
        "static_token": f"secret in {place}",
        "jwt_body": f"JWT (HS256) in {place}, claims equal the body",
        "basic": "user and password in the URL",
        "none": "nothing",
    }[verification.method]


@app.command(
    epilog="""Examples:

\b
  media-events partner show mux
  media-events partner show mux --source
  media-events partner show partners/acme.yaml --json"""
)
def show(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A preset's name, or a file (YAML, TOML, JSON).")],
    *,
    source: Annotated[bool, typer.Option("--source", help="The preset's own file, with its comments.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of YAML.")] = False,
) -> None:
    """Print a specification, merged with its preset."""
    if source:
        if spec not in preset_names():
            fail(
                f"--source is for presets, and {spec} is not one",
                hint="see `media-events partner list`",
                exit_code=UNUSABLE,
            )
        sys.stdout.write(preset_text(spec))
        return
    mapping = _read(spec).resolved
    if json:
        print_json(mapping)
    else:
        sys.stdout.write(yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True, width=100))


@app.command(
    epilog="""Examples:

\b
  media-events partner check mux --body event.json --secret S --header 'mux-signature: t=1741083310,v1=…'
  media-events partner check mediaconvert --body event.json
  media-events partner check partners/acme.yaml --body ready.json --body failed.json --ingress sqs --strict

Exit status: 0 accepted, 1 refused (or, with --strict, noted), 2 unusable arguments."""
)
def check(  # noqa: PLR0913, PLR0917 - one parameter per option
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="A preset's name, or a file (YAML, TOML, JSON).")],
    body: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="The body, byte for byte; - for standard input; repeatable. Not needed where requests have none.",
        ),
    ] = None,
    header: Annotated[list[str] | None, typer.Option(metavar="'NAME: VALUE'", help="A header; repeatable.")] = None,
    url: Annotated[str | None, typer.Option(help="The full URL that the partner calls, with its query.")] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(help="A secret, current or previous, or the public key or JWK Set of a URL; repeatable."),
    ] = None,
    source_ip: Annotated[str | None, typer.Option(help="The caller's address, for networks.")] = None,
    now: Annotated[float | None, typer.Option(metavar="EPOCH", help="The time, in epoch seconds.")] = None,
    ingress: Annotated[
        Ingress | None,
        typer.Option(help="The type of ingress. Default: webhook if the specification verifies, else by the body."),
    ] = None,
    partner: Annotated[
        str | None, typer.Option(metavar="NAME", help="The partner's name. Default: the preset's or the file's.")
    ] = None,
    method: Annotated[str, typer.Option(help="The HTTP method.")] = "POST",
    attribute: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A queue's or topic's attribute; repeatable.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Notes are failures: exit 1.")] = False,
) -> None:
    """Run events through the code of the deployed functions, without AWS.

    Prints {"verification": {"valid": true|false|null, "reason": …}, "events": [{"source", "detail-type", "detail"}],
    "notes": [{"field", "note"}]}; null means that there is nothing to verify. "response" is the HTTP answer; "error"
    has the reason of a refusal, "ignored" is true if the specification ignores the message. A note is a field that
    fell back, an expression that selected nothing, or an entry of your types, table or redact that matched nothing.
    Several bodies give {"messages": […], "notes": […]}.
    """
    source = _read(spec)
    name = partner or source.name
    _check_name(name)
    moment = time.time() if now is None else now
    if not 0 <= moment <= _LATEST:
        fail("--now must be epoch seconds, 1741083310 say", exit_code=UNUSABLE)
    specification = _parsed(source)
    messages = [
        Message(
            partner=name,
            method=method.upper(),
            url=url or f"https://webhooks.example.com/webhooks/{name}",
            headers=[_header(text) for text in header or []],
            attributes=dict(_attribute(text) for text in attribute or []),
            body=content,
            now=moment,
            address=source_ip or "",
        )
        for content in _bodies(specification, method.upper(), body or [])
    ]
    used: set[tuple[str, str]] = set()
    outcomes = [_run(specification, message, secret or [], ingress, used) for message in messages]
    unused = _unused(source.mapping, used) if any(outcome["events"] for outcome in outcomes) else []
    if len(outcomes) == 1:
        outcomes[0]["notes"] += unused
    print_json(outcomes[0] if len(outcomes) == 1 else {"messages": outcomes, "notes": unused})
    for hint in dict.fromkeys(hint for outcome in outcomes for hint in _hints(specification, outcome, secret or [])):
        note(hint)
    refused = any("error" in outcome or outcome["verification"]["valid"] is False for outcome in outcomes)
    noted = bool(unused) or any(outcome["notes"] for outcome in outcomes)
    raise typer.Exit(REFUSED if refused or (strict and noted) else 0)


@app.command(
    epilog="""Examples:

\b
  media-events partner new acme
  media-events partner new acme --output partners/acme.yaml
  media-events partner new mux-staging --preset mux"""
)
def new(
    name: Annotated[str, typer.Argument(help="The partner's name: lower-case letters, digits and dashes.")],
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write. Default: partners/NAME.yaml")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Start from a preset.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a commented specification to start from."""
    _check_name(name)
    if preset is not None and preset not in preset_names():
        _no_preset(preset)
    path = output or Path("partners") / f"{name}.yaml"
    if path.suffix not in (".yaml", ".yml"):
        fail(f"{path} must end in .yaml, since the specification is YAML", exit_code=UNUSABLE)
    if path.exists() and not force:
        fail(f"{path} exists already", hint="choose another --output, or overwrite it with --force", exit_code=UNUSABLE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template(name, preset), encoding="utf-8")
    except OSError as error:
        fail(f"{path} can't be written: {error.strerror}", exit_code=UNUSABLE)
    out.print(str(path), markup=False)
    note(f"next: edit it, then try one of their events: media-events partner check {path} --body event.json --secret …")


@app.command(
    "schema",
    epilog="""Examples:

\b
  media-events partner schema > partner-specification.schema.json""",
)
def print_schema() -> None:
    """Print the JSON Schema of a specification, for editors."""
    print_json(schema())


@app.command(
    "types",
    epilog="""Examples:

\b
  media-events partner types
  media-events partner types --json | jq -r 'keys[]'""",
)
def print_types(*, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print the neutral event types with the partners' own types, as a Markdown table."""
    if not json:
        sys.stdout.write(types_table() + "\n")
        return
    print_json(
        {
            neutral: {"means": VOCABULARY.get(neutral, ""), "natives": [{"preset": p, "type": t} for p, t in pairs]}
            for neutral, pairs in natives().items()
        }
    )


@dataclass(frozen=True, slots=True)
class Source:
    """A specification as written, and ``resolved``: merged with its preset. ``origin`` is its name or file."""

    name: str
    origin: str
    mapping: Mapping[str, Any]
    resolved: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The message to check."""

    partner: str
    method: str
    url: str
    headers: list[tuple[str, str]]
    attributes: dict[str, str]
    body: bytes
    now: float
    address: str = ""


def _read(spec: str) -> Source:
    if spec in preset_names():
        mapping: Mapping[str, Any] = {"preset": spec}
        problems: list[str] = []
        return Source(spec, spec, mapping, resolve_preset(load_preset(spec), problems))
    if Path(spec).suffix.lower() not in SUFFIXES and not Path(spec).exists():
        _no_preset(spec)
    try:
        mapping = load(Path(spec))
    except SpecificationFileError as error:
        fail(str(error), exit_code=UNUSABLE)
    problems = []
    resolved = resolve_preset(mapping, problems)
    if problems:
        _refuse(spec, problems)
    return Source(_name_of(Path(spec)), spec, mapping, resolved)


def _name_of(path: Path) -> str:
    """A partner's name from its file's."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40].strip("-") or "partner"


def _check_name(name: str) -> None:
    if not PARTNER_NAME.fullmatch(name):
        fail(f"{name!r} is no partner's name: lower-case letters, digits and dashes, at most 40", exit_code=UNUSABLE)


def _no_preset(name: str) -> None:
    near = difflib.get_close_matches(name, preset_names(), n=1)
    fail(
        f"{name} is neither a preset nor a file",
        hint=f"did you mean {near[0]}?" if near else "see `media-events partner list`",
        exit_code=UNUSABLE,
    )


def _refuse(origin: str, problems: list[str]) -> None:
    for problem in problems:
        err.print(f"  {problem}", markup=False)
    fail(
        f"{origin} is no usable specification: {len(problems)} problem{'s' if len(problems) > 1 else ''}, listed above",
        hint="docs/reference/partner-specification.md describes every field",
        exit_code=UNUSABLE,
    )


def _parsed(source: Source) -> PartnerSpecification:
    try:
        return parse_specification(source.mapping)
    except SpecificationError as error:
        _refuse(source.origin, error.problems)
        raise


def _bodies(specification: PartnerSpecification, method: str, files: list[str]) -> list[bytes]:
    if files:
        return [read_input(file, "the body") for file in files]
    if method not in ("GET", "HEAD") and not specification.parsing.empty_body:
        fail("--body is missing", hint="name the file with the body, or a --method without one", exit_code=UNUSABLE)
    return [b""]


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not HEADER_NAME.fullmatch(name.strip()):
        fail(f"--header {name!r} must be 'Name: value'", exit_code=UNUSABLE)
    return name.strip().lower(), value.strip(" \t")


def _attribute(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        fail(f"--attribute {name!r} must be NAME=VALUE", exit_code=UNUSABLE)
    return name, value


def _run(
    specification: PartnerSpecification,
    message: Message,
    secrets: list[str],
    ingress: Ingress | None,
    used: set[tuple[str, str]],
) -> dict[str, Any]:
    """The result of the functions for the message, as the command prints it."""
    ingress = ingress or _ingress_of(specification, message.body)
    notes = Notes(thorough=True)
    if ingress is Ingress.WEBHOOK:
        verdict, result, headers = _posted(specification, message, secrets, notes)
    else:
        verdict, headers = Verdict(valid=None, reason="not-a-webhook"), message.headers
        result = take(
            specification,
            partner=message.partner,
            ingress=ingress.value,
            # A sender that forwards a webhook has no other place for its headers.
            attributes={**dict(message.headers), **message.attributes},
            body=message.body,
            now=message.now,
            notes=notes,
        )
    used |= notes.used
    outcome: dict[str, Any] = {
        "verification": {"valid": verdict.valid, "reason": verdict.reason},
        "events": list(result.events),
    }
    if result.response is not None:
        headers_sent = dict(result.response.headers)
        outcome["response"] = {"status": result.response.status, "headers": headers_sent, "body": result.response.body}
    if result.handshake:
        outcome["handshake"] = True
    if notes.ignored:
        outcome["ignored"] = True
    if result.error is not None and verdict.valid is not False:
        outcome["error"] = {"code": result.error[0], "message": result.error[1]}
    outcome["notes"] = [
        {"field": each.field, "note": each.text, **({"event": each.index} if each.index else {})}
        for each in dict.fromkeys(notes.notes)
    ]
    if headers is not message.headers:
        kind = dict(headers)["content-type"]
        outcome["notes"].append({"field": "content-type", "note": f"was not given; {kind} was sent"})
    return outcome


def _posted(
    specification: PartnerSpecification, message: Message, secrets: list[str], notes: Notes
) -> tuple[Verdict, Outcome, list[tuple[str, str]]]:
    """The verdict on a request, its effect, and its headers, which get a content type if they have none."""
    headers = message.headers
    kind = next((kind for kind in specification.parsing.content_types if "*" not in kind and kind != "none"), None)
    named = any(name == "content-type" for name, _ in headers)
    without = "none" in specification.parsing.content_types or (specification.parsing.empty_body and not message.body)
    if kind and not named and message.method == "POST" and not without:
        headers = [*headers, ("content-type", kind)]
    request = Request(message.method, message.url, headers, message.body, message.address)
    result = post(
        specification,
        partner=message.partner,
        method=message.method,
        url=message.url,
        headers=headers,
        body=message.body,
        secrets=secrets,
        now=message.now,
        notes=notes,
        address=message.address,
    )
    if result.handshake and specification.handshake is not None and not specification.handshake.signed:
        return Verdict(valid=None, reason="handshake"), result, headers
    proof = Proof(specification.verification, request, message.now)
    found = {wanted: document_keys(wanted, secrets) for wanted in proof.key_requests()}
    return proof.verdict(secrets, found=found), result, headers


def _unused(mapping: Mapping[str, Any], used: set[tuple[str, str]]) -> list[dict[str, str]]:
    """A note for the rows, entries and paths of the author's own file that matched nothing."""
    kind = mapping.get("type")
    written = {
        "types": mapping.get("types"),
        "type.table": kind.get("table") if isinstance(kind, Mapping) else None,
        "redact": mapping.get("redact"),
    }
    notes = []
    for name, entries in written.items():
        idle = [entry for entry in entries or () if (name, entry) not in used]
        if idle:
            notes.append({"field": name, "note": f"matched nothing here: {', '.join(idle)}"})
    return notes


def _ingress_of(specification: PartnerSpecification, body: bytes) -> Ingress:
    if specification.verification is not None:
        return Ingress.WEBHOOK
    document = _document(body)
    if unwrap_eventbridge(document) is None:
        return Ingress.SQS
    source = document.get("source")
    return Ingress.PARTNER_BUS if isinstance(source, str) and source.startswith("aws.partner/") else Ingress.CUSTOM_BUS


def _document(body: bytes) -> Any:
    try:
        return parse_json(body)
    except PermanentDataError:
        return None


def _hints(specification: PartnerSpecification, outcome: dict[str, Any], secrets: list[str]) -> list[str]:
    reason = outcome["verification"]["reason"]
    if outcome.get("error", {}).get("code") == "not-an-event":
        return ["do: give the whole EventBridge event, as the bus has it"]
    if reason == "key-unknown":
        return ["do: give the public key with --secret, in PEM, or the JWK Set that the URL serves"]
    if reason in ("address-unknown", "address-not-allowed"):
        return ["do: give the caller's address with --source-ip"]
    if reason == "secret-unusable":
        if not secrets:
            return ["do: give the partner's secret with --secret, or skip verification with --ingress sqs"]
        return [f"do: give a secret that is not empty, in the format {_key_format(specification)}"]
    return {
        "verification-not-configured": [
            (
                "do: give the specification a verification; for a webhook that accepts anybody, method none and "
                "allow_unverified true"
            )
        ],
        "timestamp-too-old": ["do: give the time at which the event was signed with --now"],
        "timestamp-in-future": ["do: give the time at which the event was signed with --now"],
        "signature-mismatch": ["do: check the secret, and that --body has exactly the signed bytes"],
        "unverified": ["warning: the sender is not verified; anybody who knows the URL can send events"],
    }.get(reason, [])


def _key_format(specification: PartnerSpecification) -> str:
    verification = specification.verification
    return "utf8" if verification is None else verification.key_format
