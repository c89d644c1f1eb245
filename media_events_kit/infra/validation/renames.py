"""Checks of `formerly`: no two members of a section may have one name in AWS."""

from __future__ import annotations

from typing import Final

from media_events_kit.infra.documents.yaml_document import Report, members_of

SECTIONS: Final = ("ingress", "transforms", "routes", "destinations")
"""Those whose members may be renamed. A partner's name is part of its events (`source`), so it can't change."""


def check_renames(report: Report) -> None:
    """Note earlier names that another member of the section has, or had."""
    for section in SECTIONS:
        members = members_of(report.document.value, section)
        owners: dict[str, str] = {}
        for name, member in members.items():
            former = member.get("formerly") if isinstance(member, dict) else None
            for index, earlier in enumerate(former if isinstance(former, list) else ()):
                if not isinstance(earlier, str):
                    continue
                path = (section, name, "formerly", index)
                if earlier == name:
                    report.wrong(path, f"{earlier} is its name now: leave it out")
                elif earlier in members:
                    report.wrong(path, f"there is another {section}.{earlier}, and both would be one in AWS: rename it")
                elif earlier in owners:
                    report.wrong(path, f"{earlier} is an earlier name of {section}.{owners[earlier]} already")
                owners[earlier] = name
