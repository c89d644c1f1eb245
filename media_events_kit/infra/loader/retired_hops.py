"""Retired transforms and routes, as a document of their own that all checks of a workflow can read."""

from __future__ import annotations

from typing import Any, Final

from media_events_kit.infra.documents.yaml_document import Document, Report, members_of, text_of

SECTION: Final = "retired"
_HOPS: Final = ("transforms", "routes")


def retired_document(document: Document) -> Document | None:
    """The workflow with its retired transforms and routes in place of the others; `None` if it has none.

    A retired route's destination is the retired one of its name, if there is one. Positions are those of the file.
    """
    root = document.value
    retired = members_of(root, SECTION)
    sections: dict[str, dict[str, Any]] = {name: members_of(retired, name) for name in _HOPS}
    if not any(sections.values()):
        return None
    # What is redriven has the stage that it had, whatever that was.
    routes = {
        name: {key: value for key, value in route.items() if key != "stage"} if isinstance(route, dict) else route
        for name, route in sections["routes"].items()
    }
    former, present = members_of(retired, "destinations"), members_of(root, "destinations")
    used = {text_of(route, "destination") for route in routes.values()}
    destinations = {name: value for name, value in (present | former).items() if name in used}
    value = {key: section for key, section in root.items() if key != SECTION}
    value |= {"transforms": sections["transforms"], "routes": routes, "destinations": destinations}
    positions = {path: place for path, place in document.positions.items() if path[:1] != (SECTION,)}
    positions |= {
        path[1:]: place for path, place in document.positions.items() if path[:1] == (SECTION,) and len(path) > 1
    }
    return Document(value, positions)


def check_retired(report: Report) -> None:
    """Note retired hops that would have the names of others, and destinations that no retired route leads to."""
    root = report.document.value
    retired = members_of(root, SECTION)
    for name, other in (("transforms", "routes"), ("routes", "transforms")):
        for key in members_of(retired, name).keys() & members_of(root, other).keys():
            message = f"the {other.removesuffix('s')} {key} would have the same queue: give that another name"
            report.wrong((SECTION, name, key), message)
    used = {text_of(route, "destination") for route in members_of(retired, "routes").values()}
    for name in members_of(retired, "destinations").keys() - used:
        report.wrong((SECTION, "destinations", name), "no retired route leads to this destination: remove it")
