# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The closing table and summary count what ran, and never call a bad end good."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import report
from tools.report import FAILED, PASSED, SKIPPED, Counts, Result

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="pytest" tests="9" failures="{failures}" errors="1" skipped="3"/>
</testsuites>"""


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    """A report of nine tests: one error, three skipped, the others passed."""
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT.format(failures=0))
    return path


def test_failures_and_errors_count_as_failed(junit: Path) -> None:
    junit.write_text(JUNIT.format(failures=2))
    assert report.from_junit(junit, 1) == Counts(3, 3, 3)


def test_a_bad_exit_status_without_a_failed_test_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text('<testsuites><testsuite tests="2" failures="0" errors="0" skipped="0"/>'
                    "</testsuites>")
    assert report.from_junit(path, 0) == Counts(2, 0, 0)
    assert report.from_junit(path, 3) == Counts(2, 1, 0)


def test_a_missing_report_is_a_failure(tmp_path: Path) -> None:
    assert report.from_junit(tmp_path / "none.xml", 0) == FAILED


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [(Counts(5, 1, 1), "failed"), (Counts(5, 0, 1), "passed"), (SKIPPED, "skipped"),
     (Counts(), "skipped")],
)
def test_only_what_ran_and_did_not_fail_has_passed(counts: Counts, verdict: str) -> None:
    assert counts.verdict == verdict


def test_the_table_shows_each_part_and_why_it_was_skipped() -> None:
    results = [Result("unit", Counts(7, 0, 2), 3.21), Result("leg", SKIPPED, 0.0, "no Python 9.9")]
    assert report.table(results).splitlines() == [
        "part  result   seconds  tests",
        "unit  passed       3.2  7 passed, 0 failed, 2 skipped",
        "leg   skipped      0.0  no Python 9.9",
    ]


def test_the_summary_adds_all_parts() -> None:
    counts = [Counts(7, 1, 2), PASSED, FAILED, SKIPPED]
    results = [Result(str(number), each, 0.0) for number, each in enumerate(counts)]
    assert str(report.total(results)) == "8 passed, 2 failed, 3 skipped"
