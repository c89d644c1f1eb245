"""Plays a partner: chooses a sample, and sends it as often as is asked for."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from media_events_kit.ops.deployment.discovery import Deployment
from media_events_kit.ops.deployment.webhook_calls import caller
from media_events_kit.ops.local.lambda_package import PACKAGE
from media_events_kit.ops.partner.signing import UnsignableError
from media_events_kit.ops.send.freshness import Place
from media_events_kit.ops.send.message import Outgoing, Writer
from media_events_kit.ops.send.samples import OWN_FOLDER, Sample, samples
from media_events_kit.ops.send.transport import Answer, Transport
from media_events_kit.ops.send.ways_in import UNUSABLE, WayIn, chosen, new_secret, secret_of, ways_in
from media_events_kit.ops.shared.console import OperatorError, fail
from media_events_kit.ops.verify.deployed import Deployed

NEW_SECRET_SECONDS: Final = 40.0
"""A function that found a secret without a value looks for it again after half a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that was sent, and its answer."""

    outgoing: Outgoing
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """One partner, by one way in. ``secret_is_new``: its secret was made a moment ago, for the local cloud."""

    way: WayIn
    writer: Writer
    transport: Transport
    secret_is_new: bool = False
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def send(self, sample: Sample, *, fresh: bool = True, forge: bool = False) -> Sent:
        """Send ``sample`` once: as another event if ``fresh``, signed with a wrong secret if ``forge``.

        Raises:
            OperatorError: it can't be sent, as its sample or its signature is.
            ProcessingError: AWS refuses it, or nobody answers.
        """
        until = self.clock() + NEW_SECRET_SECONDS
        while True:
            sent = self._send_once(sample, fresh=fresh, forge=forge)
            waits = self.secret_is_new and sent.answer.status in _NOT_YET and not forge
            if not waits or self.clock() > until:
                return sent
            self.sleep(3)

    def _send_once(self, sample: Sample, *, fresh: bool, forge: bool) -> Sent:
        now = self.clock()
        wrong = new_secret(self.way.specification) if forge else None
        try:
            outgoing = self.writer.write(sample, now=now, fresh=fresh, forged=wrong)
        except UnsignableError as error:
            fail(f"{self.way.partner} can't be played: {error}", hint="have the partner send a test event")
        except ValueError as error:
            fail(str(error), hint="--set data.duration=3 names a place in the sample", exit_code=UNUSABLE)
        answer = self.transport.send(self.way, outgoing)
        if answer.event_id is not None:
            outgoing = self.writer.as_put(outgoing, answer.event_id, now=now)
        return Sent(outgoing=outgoing, answer=answer)

    def kinds(self, found: Sequence[Sample]) -> list[tuple[Sample, list[str]]]:
        """The samples with the types of their events, the partner's own types after the neutral ones."""
        return [(one, self._kinds(one)) for one in found]

    def _kinds(self, sample: Sample) -> list[str]:
        try:
            arrivals = self.writer.write(sample, now=self.clock(), fresh=False).arrivals
        except (UnsignableError, ValueError):
            return []
        named = [one.type for one in arrivals] + [one.nativetype for one in arrivals if one.nativetype]
        return list(dict.fromkeys(named))


_NOT_YET: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.SERVICE_UNAVAILABLE})


def players(
    deployment: Deployment, partners: Sequence[tuple[str, str | None]], *, changes: Mapping[Place, Any] | None = None
) -> list[Player]:
    """A player for each partner and ingress (``None``: its first).

    Raises:
        OperatorError: there is no such partner, or nobody else can play it.
    """
    deployed = Deployed(outputs=deployment.outputs(), client=deployment.cloud.client, package=PACKAGE)
    if not deployment.outputs().get("functions"):
        fail(
            "Terraform's outputs are not at hand: they say where partners send to",
            hint="choose an --environment that is deployed (locally: media-events local up), or name the file of "
            "`terraform output -json` in MEDIA_EVENTS_OUTPUTS",
            exit_code=UNUSABLE,
        )
    ways = ways_in(deployed)
    return [_player(deployment, deployed, chosen(ways, name, ingress), changes or {}) for name, ingress in partners]


def partners_of(deployment: Deployment) -> list[WayIn]:
    """Every way of every partner of a deployment."""
    return ways_in(Deployed(outputs=deployment.outputs(), client=deployment.cloud.client, package=PACKAGE))


def _player(deployment: Deployment, deployed: Deployed, way: WayIn, changes: Mapping[Place, Any]) -> Player:
    local = deployment.cloud.record is not None
    secret, made = "", False
    if way.kind == "webhook":
        secret, made = secret_of(way, deployment.cloud.client("secretsmanager"), make=local)
    return Player(
        way=way,
        writer=Writer(way=way, secret=secret, bus_arn=deployed.bus_arn, random=_random, changes=changes),
        transport=Transport(client=deployment.cloud.client, post=caller(deployment.cloud), random=_random),
        secret_is_new=made,
    )


def _random() -> str:
    return secrets.token_hex(16)


def sample_of(player: Player, kind: str | None, folder: Path) -> Sample:
    """The partner's sample of a type, neutral or its own, or of a name; the first one for ``None``.

    Raises:
        OperatorError: there is none.
    """
    partner = player.way.partner
    found = samples(partner, player.way.preset, folder)
    if not found:
        raise OperatorError(
            f"there is no sample of {partner}'s events: its specification is your own",
            hint=f"name one with --file, or put it beside the workflow file as {OWN_FOLDER}/{partner}-<name>.json",
            exit_code=UNUSABLE,
        )
    if kind is None:
        return found[0]
    kinds = player.kinds(found)
    match = next((one for one, named in kinds if kind in (*named, one.name)), None)
    if match is None:
        raise OperatorError(
            f"there is no sample of {partner} with the type {kind!r}",
            hint="there are: " + ", ".join(dict.fromkeys(named[0] if named else one.name for one, named in kinds)),
            exit_code=UNUSABLE,
        )
    return match
