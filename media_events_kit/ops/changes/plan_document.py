"""A Terraform plan's resources, as `terraform show -json` gives them.

The format: https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from media_events.core.json_fields import mapping

Side = Literal["before", "after"]


class NoPlanError(ValueError):
    """The document is no plan of Terraform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one resource. ``before`` is ``None`` for one that is made, ``after`` for one that goes.

    Values that are known only when applied are not in ``after``. ``deletes_first`` of one that is replaced: there is a
    time when neither of the two exists.
    """

    address: str
    type: str
    name: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    is_replaced: bool = False
    deletes_first: bool = False

    @property
    def goes(self) -> bool:
        """Whether the resource that exists does not any more."""
        return self.before is not None and (self.after is None or self.is_replaced)

    @property
    def comes(self) -> bool:
        """Whether a resource is made."""
        return self.after is not None and (self.before is None or self.is_replaced)

    @property
    def module(self) -> str:
        """The address of the module that it is in; empty for the root."""
        return self.address.rpartition(f"{self.type}.{self.name}")[0].removesuffix(".")

    def values(self, side: Side) -> Mapping[str, Any] | None:
        """The values before or after; ``None`` where there is no such resource."""
        return self.before if side == "before" else self.after


@dataclass(frozen=True, slots=True)
class Plan:
    """All resources of a plan that Terraform manages, those that stay as they are included."""

    changes: Sequence[Change] = field(default_factory=tuple)
    refusals: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """Conditions that the plan does not fulfil, so that Terraform applies none of it: address, and reason."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read the output of `terraform show -json` for a plan.

        Raises:
            NoPlanError: it is none.
        """
        changes = document.get("resource_changes", [] if "planned_values" in document else None)
        if not isinstance(changes, list):
            raise NoPlanError("it has no resource_changes")
        return cls(
            tuple(_change(change) for change in changes if mapping(change).get("mode") == "managed"),
            tuple(_refusals(document)) if document.get("errored") is True else (),
        )

    def of_type(self, *types: str) -> list[Change]:
        """The changes of resources of some types."""
        return [change for change in self.changes if change.type in types]


def _refusals(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """By address; see https://developer.hashicorp.com/terraform/internals/json-format#checks-representation."""
    for instance in (each for check in document.get("checks", ()) for each in mapping(check).get("instances", ())):
        address = str(mapping(mapping(instance).get("address")).get("to_display"))
        for problem in mapping(instance).get("problems", ()):
            yield address, str(mapping(problem).get("message"))


def _change(document: Mapping[str, Any]) -> Change:
    change = mapping(document.get("change"))
    actions = change.get("actions")
    before, after = change.get("before"), change.get("after")
    return Change(
        address=str(document.get("address")),
        type=str(document.get("type")),
        name=str(document.get("name")),
        before=before if isinstance(before, Mapping) else None,
        after=after if isinstance(after, Mapping) else None,
        is_replaced=actions in (["delete", "create"], ["create", "delete"]),
        deletes_first=actions == ["delete", "create"],
    )
