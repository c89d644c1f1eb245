"""The account in which all is well, and what is not well in a check's findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from media_events_kit.ops.verify.deployed import Deployed
from media_events_kit.ops.verify.model import Finding
from tests.fakes.deployed_account import Account


@pytest.fixture(name="account")
def _account(tmp_path: Path) -> Account:
    return Account(tmp_path)


@pytest.fixture
def amiss(account: Account) -> Callable[[Callable[[Deployed], Iterable[Finding]]], list[tuple[str, str, str]]]:
    """Subject, verdict and text of every finding of a check that is not ``pass``."""

    def found(check: Callable[[Deployed], Iterator[Finding]]) -> list[tuple[str, str, str]]:
        findings = list(check(account.deployed))
        assert findings
        assert all(one.do for one in findings if one.verdict != "pass"), "a finding says what to do"
        return [(one.subject, one.verdict, one.found) for one in findings if one.verdict != "pass"]

    return found
