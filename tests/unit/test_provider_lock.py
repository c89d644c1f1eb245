"""The lock files of the AWS provider: one for each root that is meant to be applied, all alike."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / ".terraform.lock.hcl"
RELEASED_PLATFORMS = 14
"""Packages of a release: darwin, freebsd, linux, openbsd and windows on their architectures."""


@pytest.mark.attack("P5")
def test_every_example_takes_the_provider_that_the_synthesised_stacks_take():
    roots = sorted(file.parent for file in (ROOT / "examples").glob("*/main.tf"))

    assert roots
    assert [root.name for root in roots if not (root / LOCK.name).is_file()] == []
    assert [root.name for root in roots if (root / LOCK.name).read_bytes() != LOCK.read_bytes()] == []


@pytest.mark.attack("P5")
def test_lock_has_the_checksums_of_every_platform_by_content_and_by_archive():
    text = LOCK.read_text(encoding="utf-8")

    assert len(set(re.findall(r'"h1:[A-Za-z0-9+/]{43}="', text))) == RELEASED_PLATFORMS
    # One more archive: the registry signs the release's manifest as well.
    assert len(set(re.findall(r'"zh:[0-9a-f]{64}"', text))) == RELEASED_PLATFORMS + 1


def test_locked_version_is_the_oldest_that_the_modules_take_which_is_the_one_that_is_tested():
    text = LOCK.read_text(encoding="utf-8")

    assert re.findall(r'^provider "(.*)"', text, re.MULTILINE) == ["registry.terraform.io/hashicorp/aws"]
    (version,) = re.findall(r'version += "(.*)"', text)
    (lowest,) = {
        found
        for file in ROOT.glob("modules/**/versions.tf")
        for found in re.findall(r'version = ">= ([0-9.]+), < 7"', file.read_text(encoding="utf-8"))
    }
    assert version == f"{lowest}.0"
