"""An environment under the names that its members have in AWS: the first ones that the file gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from media_events_kit.infra.loader.environment import Environment
from media_events_kit.infra.model.renames import deployed_name
from media_events_kit.infra.model.workflow import Partner

_HOPS: Final = {"ingress": "ingress", "transforms": "transform", "routes": "route", "destinations": "destination"}
T = TypeVar("T")


def as_deployed(environment: Environment) -> Environment:
    """`environment` as if nothing in it had ever been renamed."""
    workflow = environment.workflow
    ingress, transforms, routes, destinations = (_names(getattr(workflow, section)) for section in _HOPS)
    renamed = workflow.model_copy(
        update={
            "ingress": _keyed(workflow.ingress, ingress),
            "transforms": _keyed(workflow.transforms, transforms),
            "routes": {
                routes[name]: route.model_copy(update={"destination": destinations[route.destination]})
                for name, route in workflow.routes.items()
            },
            "destinations": _keyed(workflow.destinations, destinations),
            "partners": {name: _with_ingresses(partner, ingress) for name, partner in workflow.partners.items()},
        }
    )
    return replace(
        environment,
        workflow=renamed,
        definitions=_keyed(environment.definitions, destinations),
        failure=_keyed(environment.failure, ingress | transforms | routes),
        packages=_keyed(environment.packages, transforms),
        retired=None if environment.retired is None else as_deployed(environment.retired),
    )


def renamed_hops(environment: Environment) -> dict[str, str]:
    """The hops and destinations that were renamed: `{"route/new": "route/old", "destination/new": …}`."""
    return {
        f"{kind}/{other}": f"{kind}/{member.formerly[0]}"
        for section, kind in _HOPS.items()
        for name, member in getattr(environment.workflow, section).items()
        if member.formerly
        for other in (*member.formerly[1:], name)
    }


def _names(members: Mapping[str, Any]) -> dict[str, str]:
    return {name: deployed_name(name, member) for name, member in members.items()}


def _keyed(members: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    return {names[name]: member for name, member in members.items()}


def _with_ingresses(partner: Partner, names: Mapping[str, str]) -> Partner:
    single = isinstance(partner.ingress, str)
    ingresses = [names.get(name, name) for name in partner.ingresses]
    return partner.model_copy(update={"ingress": ingresses[0] if single else ingresses})
