"""The files of a team's repository, from the names that it begins with."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Self

from media_events.partners.presets import preset_names
from media_events_kit.infra.model.types import PATTERN_DESCRIPTIONS
from media_events_kit.kit_files import KIT, version
from media_events_kit.ops.partner.template import PARTNER_NAME, template
from media_events_kit.ops.project import recipes
from media_events_kit.ops.project.recipes import files_of, recipe_names

TEMPLATES: Final = Path(__file__).parent / "templates"
ENVIRONMENT: Final = "dev"
OWN_PARTNER: Final = "example"
SCHEMA: Final = "workflow.schema.json"
DISTRIBUTION: Final = "media-events"

_NAME: Final = r"^[a-z][a-z0-9-]{0,19}$"
_REGION: Final = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"

DESTINATIONS: Final[Mapping[str, str]] = {
    "http": "url: ${HTTP_URL:-https://example.com/events}",
    "sqs": "queue_arn: ${QUEUE_ARN:-arn:aws:sqs:@region@:123456789012:media-events}",
    "sns": "topic_arn: ${TOPIC_ARN:-arn:aws:sns:@region@:123456789012:media-events}",
    "event-bus": "bus_arn: ${BUS_ARN:-arn:aws:events:@region@:123456789012:event-bus/media-events}",
    "lambda": "function_arn: ${FUNCTION_ARN:-arn:aws:lambda:@region@:123456789012:function:media-events}",
    "firehose": "stream_arn: ${STREAM_ARN:-arn:aws:firehose:@region@:123456789012:deliverystream/media-events}",
    "step-functions": "definition: workflows/process.asl.json",
    "logs": "# log_group: {name: /media/events} # an existing one; without it one is made",
}
"""What each type of destination must have: an example, or a variable with one."""

_MACHINE: Final = """\
{
  "Comment": "Takes an event as {metadata, data}. Put your own states here.",
  "StartAt": "Received",
  "States": {
    "Received": { "Type": "Succeed" }
  }
}
"""


class UnusableError(Exception):
    """A name or a type can't be used; ``hint`` says which can."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository in ``folder``. ``partners`` are presets or names of the team's own, ``destinations`` are types.

    A ``recipe`` has its own workflow, in the place of one of ``partners`` and ``destinations``.
    """

    folder: Path
    name: str
    region: str
    partners: Sequence[str]
    destinations: Sequence[str]
    recipe: str | None = None

    @classmethod
    def of(  # noqa: PLR0913 - one parameter per option
        cls,
        folder: Path,
        *,
        name: str | None,
        region: str,
        partners: Sequence[str],
        destinations: Sequence[str],
        recipe: str | None = None,
    ) -> Self:
        """Judge the names.

        Raises:
            UnusableError: one can't be used.
        """
        derived = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:20].rstrip("-")
        chosen = name or (derived if re.match(_NAME, derived) else "media")
        if not re.match(_NAME, chosen):
            raise UnusableError(f"{chosen!r} is no workflow's name", PATTERN_DESCRIPTIONS[_NAME])
        if not re.match(_REGION, region):
            raise UnusableError(f"{region!r} is no region", PATTERN_DESCRIPTIONS[_REGION])
        if recipe is not None and recipe not in recipe_names():
            raise UnusableError(f"there is no recipe {recipe!r}", f"one of {', '.join(recipe_names())}")
        if recipe is not None and (partners or destinations):
            raise UnusableError("a recipe has partners and destinations of its own", "leave the others out")
        for partner in partners:
            if not PARTNER_NAME.fullmatch(partner):
                raise UnusableError(
                    f"{partner!r} is no partner's name", "a preset (media-events partner list), or a-z, 0-9 and hyphens"
                )
        for kind in destinations:
            if kind not in DESTINATIONS:
                raise UnusableError(f"no destination is of the type {kind!r}", f"one of {', '.join(DESTINATIONS)}")
        return cls(folder, chosen, region, tuple(dict.fromkeys(partners)), tuple(dict.fromkeys(destinations)), recipe)

    def write(self) -> list[Path]:
        """Write the files that are missing, and this version's schema; returns what it wrote.

        Raises:
            OSError: one can't be written.
        """
        written = []
        for name, text in self.files().items():
            path = self.folder / name
            if path.exists() and (name != SCHEMA or path.read_text(encoding="utf-8") == text):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
        return written

    def files(self) -> dict[str, str]:
        """The text of each file, by its path."""
        return {
            **self._workflow_files(),
            "partners/README.md": "Specifications of partners without a preset: `media-events partner new NAME`.\n",
            "workflows/README.md": "Step Functions definitions: destinations of the type step-functions.\n",
            "main.py": self._template("main.py.txt"),
            "cdktf.json": self._template("cdktf.json"),
            "requirements.txt": requirements(),
            ".terraform-version": (KIT / ".terraform-version").read_text(encoding="utf-8"),
            ".terraform.lock.hcl": (KIT / ".terraform.lock.hcl").read_text(encoding="utf-8"),
            ".gitignore": self._template("gitignore"),
            ".pre-commit-config.yaml": self._template("pre-commit-config.yaml"),
            ".github/workflows/media-events.yml": self._template("github-workflow.yml"),
            "README.md": self._template("README.md"),
            SCHEMA: (KIT / "docs" / SCHEMA).read_text(encoding="utf-8"),
        }

    def _workflow_files(self) -> dict[str, str]:
        """The workflow file, and the files that it names."""
        if self.recipe is not None:
            return files_of(self.recipe, name=self.name, region=self.region, schema=SCHEMA)
        own = [name for name in self._partners() if name not in preset_names()]
        machine = {"workflows/process.asl.json": _MACHINE} if "step-functions" in self.destinations else {}
        return {
            "workflow.yaml": self._workflow(),
            **{f"partners/{name}.yaml": template(name, None) for name in own},
            **machine,
        }

    def _partners(self) -> Sequence[str]:
        return self.partners or (OWN_PARTNER,)

    def _workflow(self) -> str:
        specifications = {
            name: name if name in preset_names() else f"partners/{name}.yaml" for name in self._partners()
        }
        partners = "\n".join(
            f"  {name}: {{specification: {specification}, ingress: webhook}}"
            for name, specification in specifications.items()
        )
        destinations = "\n".join(f"  {kind}:\n    type: {kind}\n    {DESTINATIONS[kind]}" for kind in self.destinations)
        routes = "\n".join(f"  all-to-{kind}:\n    {_ALL}\n    destination: {kind}" for kind in self.destinations)
        return self._filled(
            _WORKFLOW.replace("@partners@", partners)
            .replace("@destinations@", f"destinations:\n{destinations}" if destinations else _NO_DESTINATIONS)
            .replace("@routes@", f"routes:\n{routes}" if routes else _NO_ROUTES)
            .replace("@local@", _LOCAL_HTTP if "http" in self.destinations else "")
        )

    def _template(self, name: str) -> str:
        return self._filled((TEMPLATES / name).read_text(encoding="utf-8"))

    def _filled(self, text: str) -> str:
        values = {
            "name": self.name,
            "region": self.region,
            "environment": ENVIRONMENT if self.recipe is None else recipes.ENVIRONMENT,
            "version": version(),
            "project_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"media-events/{self.name}")),
        }
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        return text


def requirements() -> str:
    """The kit and everything that it needs, at the versions that are installed here, as pip reads them."""
    pinned: dict[str, str] = {DISTRIBUTION: version()}
    waiting = [DISTRIBUTION]
    while waiting:
        for name in _needed(waiting.pop()):
            if name not in pinned and (found := _installed(name)) is not None:
                pinned[name] = found
                waiting.append(name)
    origin = f"# {DISTRIBUTION} is the wheel that you installed: keep it where pip finds it, in CI too (--find-links)\n"
    return origin + "".join(f"{name}=={pinned[name]}\n" for name in sorted(pinned))


def _needed(name: str) -> list[str]:
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if "extra ==" not in line)
    return [re.sub(r"[._-]+", "-", match[0]).lower() for match in names if match]


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


_ALL: Final = "pattern: {}\n    match_all: true # or, say, pattern: {detail-type: [asset.ready]}"

_WORKFLOW: Final = """\
# yaml-language-server: $schema=workflow.schema.json
#
# What gets deployed. `media-events synth` tells every mistake, with its line.
# ${NAME:-example} is an environment variable.
name: @name@

# Who sends events. A preset needs no more than its name (`media-events partner list`); others are files in partners/.
partners:
@partners@

# One shape for the events of all partners:
# transforms:
#   normalise:
#     pattern: {detail-type: [asset.ready]}
#     steps: [{map: {asset_id: metadata.subject, title: data.title}}]

@destinations@

@routes@

# Whom alarms notify:
# settings: {alarms: {actions: {critical: ["arn:aws:sns:@region@:123456789012:on-call"]}}}

# Modules from a repository in place of the installed copy:
# modules: {source: "git::https://example.com/media-events.git", ref: v@version@}

environments:
  @environment@:
    region: @region@
    deletion_protection: false
    # An existing bucket keeps Terraform's state for all who deploy; without it the state is a file here:
    # state: {type: s3, bucket: example-terraform-state}

  # prod:
  #   region: @region@

  local: # media-events local up
    region: us-east-1
    deletion_protection: false
@local@"""

_NO_DESTINATIONS: Final = """\
# Where events go:
# destinations:
#   cms: {type: http, url: "https://cms.example.com/events"}"""

_NO_ROUTES: Final = """\
# Which go where:
# routes:
#   ready-to-cms: {pattern: {detail-type: [asset.ready]}, destination: cms}"""

_LOCAL_HTTP: Final = """\
    destinations:
      http:
        url: ${HTTP_URL:-http://127.0.0.1:8080/cms}
        allow_http: true
        allowed_private_cidrs: [127.0.0.0/8]
"""
