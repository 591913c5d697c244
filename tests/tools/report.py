# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts of tests, the closing table, and the summary line that ends a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Counts:
    """How many tests passed, failed (errors included) and were skipped (xfail included)."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    @property
    def verdict(self) -> str:
        """Say in a word how it went; where nothing ran nothing has passed."""
        if self.failed:
            return "failed"
        return "passed" if self.passed else "skipped"


PASSED = Counts(passed=1)
FAILED = Counts(failed=1)
SKIPPED = Counts(skipped=1)


def from_status(status: int) -> Counts:
    """Count a tool that is no test runner as one test, by its exit status."""
    return FAILED if status else PASSED


def from_junit(report: Path, status: int) -> Counts:
    """Count pytest's JUnit report.

    A non-zero exit status without a failed test (no test found, an interrupt, a plugin's own
    verdict) or a missing report is one failure more: a run that ended badly never counts as good.
    """
    if not report.exists():
        return FAILED
    total = Counts()
    for suite in ElementTree.parse(report).iter("testsuite"):
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        total += Counts(int(suite.get("tests", 0)) - failed - skipped, failed, skipped)
    return total + FAILED if status and not total.failed else total


@dataclass(frozen=True)
class Result:
    """What a part came to: its counts, its seconds of wall time, and why it was skipped."""

    part: str
    counts: Counts
    seconds: float
    reason: str = ""


def table(results: Sequence[Result]) -> str:
    """Lay out one line a part, in the order given."""
    width = max([len("part"), *(len(result.part) for result in results)])
    lines = [f"{'part':<{width}}  {'result':<7}  {'seconds':>7}  tests"]
    for result in results:
        told = result.reason or str(result.counts)
        lines.append(
            f"{result.part:<{width}}  {result.counts.verdict:<7}  {result.seconds:>7.1f}  {told}"
        )
    return "\n".join(lines)


def total(results: Sequence[Result]) -> Counts:
    """Add the parts' counts up."""
    return sum((result.counts for result in results), Counts())
