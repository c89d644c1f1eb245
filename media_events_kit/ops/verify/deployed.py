"""What is deployed, by Terraform's outputs and the functions' own settings."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from media_events.core.json_fields import mapping, text
from media_events_kit.ops.deployment.topology import Topology
from media_events_kit.ops.verify.asking import MissingError, NotToldError, ask, ask_pages

DIGEST_VARIABLE: Final = "CONFIGURATION_SHA256"
ALIAS: Final = "live"
"""What invokes a function with SnapStart."""


@dataclass(frozen=True, eq=False)
class Deployed:
    """One deployed environment. ``client`` makes AWS's clients, ``package`` is the zip that the functions should run.

    Methods that ask AWS raise ``MissingError`` and ``NotToldError``.
    """

    outputs: Mapping[str, Any]
    client: Callable[[str], Any]
    package: Path

    @property
    def bus_arn(self) -> str:
        """The bus's ARN, which also says partition, region and account."""
        return str(mapping(self.outputs.get("archive_replay")).get("bus_arn"))

    @property
    def bus_name(self) -> str:
        """The bus's name, with which the names of all resources begin."""
        return self.bus_arn.rpartition("/")[2]

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of ``service`` in the deployment's account and region."""
        _, partition, _, region, account, _ = self.bus_arn.split(":", 5)
        return f"arn:{partition}:{service}:{region}:{account}:{resource}"

    @property
    def partition(self) -> str:
        """``aws``, or that of China or a government's regions."""
        return self.bus_arn.split(":")[1]

    def queue_arn(self, url: str) -> str:
        """A queue's ARN from its URL, whose path has account and name."""
        account, _, name = urlsplit(url).path.strip("/").rpartition("/")
        return self.arn("sqs", name) if not account else ":".join([*self.arn("sqs", "").split(":")[:4], account, name])

    @functools.cached_property
    def topology(self) -> Topology:
        """The hops."""
        return Topology.of(self.outputs)

    @functools.cached_property
    def functions(self) -> dict[str, str]:
        """The functions' names, by hop."""
        named = {hop: str(name) for hop, name in mapping(self.outputs.get("functions")).items()}
        wait = text(self.outputs.get("wait_function_arn"))
        return named if wait is None else {**named, "task-callbacks": wait.rpartition(":")[2]}

    @functools.cache  # noqa: B019 - one command has one deployment
    def function(self, hop: str) -> Mapping[str, Any]:
        """The settings of a hop's function."""
        client = self.client("lambda")
        return ask(
            client.get_function_configuration, "lambda:GetFunctionConfiguration", FunctionName=self.functions[hop]
        )

    def environment(self, hop: str) -> Mapping[str, str]:
        """The environment variables of a hop's function."""
        return mapping(mapping(self.function(hop).get("Environment")).get("Variables"))

    @functools.cache  # noqa: B019
    def document(self, hop: str) -> Mapping[str, Any]:
        """The configuration document of a hop's function; empty where it has none.

        Raises:
            MissingError: it is not there, or it is another one than the function was told.
        """
        uri = self.environment(hop).get("CONFIGURATION_URI")
        if uri is None:
            return {}
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        content = ask(self.client("s3").get_object, "s3:GetObject", Bucket=bucket, Key=key)["Body"].read()
        if hashlib.sha256(content).hexdigest() != self.environment(hop).get(DIGEST_VARIABLE):
            raise MissingError
        return mapping(json.loads(content))

    @functools.cache  # noqa: B019
    def event_sources(self, hop: str) -> tuple[Mapping[str, Any], ...]:
        """The event source mappings of a hop's function, or of its alias, which has them with SnapStart."""
        aliased = mapping(self.function(hop).get("SnapStart")).get("ApplyOn") == "PublishedVersions"
        return tuple(
            ask_pages(
                self.client("lambda").list_event_source_mappings,
                "lambda:ListEventSourceMappings",
                "EventSourceMappings",
                next_field="NextMarker",
                next_parameter="Marker",
                FunctionName=f"{self.functions[hop]}:{ALIAS}" if aliased else self.functions[hop],
            )
        )

    @functools.cache  # noqa: B019
    def rules(self) -> tuple[Mapping[str, Any], ...]:
        """All rules of the bus, other people's too."""
        return tuple(
            ask_pages(self.client("events").list_rules, "events:ListRules", "Rules", EventBusName=self.bus_name)
        )

    def environments(self) -> Iterator[Mapping[str, str]]:
        """The environments of all functions that can be asked for."""
        for hop in self.functions:
            try:
                yield self.environment(hop)
            except (MissingError, NotToldError):
                # The check of the functions says so.
                continue
