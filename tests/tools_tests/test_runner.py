# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts run to the end whatever the others do, and the run's status tells the truth."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tools import processes, runner
from tools.parts import Job, Part, Skip
from tools.report import PASSED, Counts, from_status
from tools.workspace import ROOT, Broken


@pytest.fixture(autouse=True)
def own_build_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep logs away from those of a run that these tests may be a part of."""
    monkeypatch.setattr(runner, "BUILD", tmp_path)
    monkeypatch.setattr(processes, "adopt_orphans", lambda: None)
    monkeypatch.setattr(processes, "end_orphans", lambda: [])


def exits(status: int) -> Part:
    """A part whose tool says so and ends with this status."""
    script = f"print('tool ends with', {status}); raise SystemExit({status})"

    def work(job: Job) -> Counts:
        return from_status(job.make([sys.executable, "-c", script]))

    return Part(f"exits-{status}", work)


def raises(error: Exception) -> Part:
    """A part that cannot go on."""

    def work(job: Job) -> Counts:
        raise error

    return Part(type(error).__name__, work)


def test_a_failing_part_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    broken = [exits(3), raises(Broken("no such index")), raises(IndexError("our own mistake"))]
    assert runner.run([*broken, Part("good", lambda job: PASSED), exits(0)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "2 passed, 3 failed, 0 skipped"
    assert "IndexError: our own mistake" in lines
    assert "tool ends with 3" in lines
    assert any(line.startswith("Broken ") and "no such index" in line for line in lines)


def test_a_skipped_part_gives_its_reason_and_fails_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert runner.run([exits(0), raises(Skip("no Python 9.9 at hand"))]) == 0
    out = capsys.readouterr().out
    assert "no Python 9.9 at hand" in out
    assert out.endswith("\n1 passed, 0 failed, 1 skipped\n")


def test_a_run_in_which_nothing_ran_has_not_passed() -> None:
    assert runner.run([raises(Skip("not here"))]) == 1


def test_the_halves_of_the_integration_tests_are_all_of_them() -> None:
    names = {path.name for path in (ROOT / "tests/integration").glob("test_*.py")}
    halves = [{name for name in names if re.match(f"test_[{letters}]", name)}
              for letters in ("a-r", "s-z")]
    assert halves[0] | halves[1] == names
    assert not halves[0] & halves[1]
    assert min(map(len, halves)) > len(names) / 4
