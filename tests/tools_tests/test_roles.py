# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios are skipped with a reason where they cannot run; what has none is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import roles, runner
from tools.parts import Job, Skip
from tools.processes import Processes
from tools.workspace import ROOT


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A part's processes and log."""
    return Job(Processes(), tmp_path / "log")


def test_nobody_but_root_is_asked_to_run_podman(
    monkeypatch: pytest.MonkeyPatch, job: Job
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    ground = roles.Ground()
    with pytest.raises(Skip, match="as root"):
        ground.work(job)
    with pytest.raises(Skip, match="as root"):
        roles.scenario("podman", ground, roles.Clock(900)).work(job)


def test_no_scenario_begins_when_the_time_is_over(job: Job) -> None:
    moments = iter([0.0, 0.0, 850.0])
    clock = roles.Clock(900, lambda: next(moments))
    assert clock.left() == 900
    ground = roles.Ground()
    ground.lacks = ""
    with pytest.raises(Skip, match="15 minutes for the scenarios are over"):
        roles.scenario("podman", ground, clock).work(job)


def test_what_runs_elsewhere_is_named_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "BUILD", tmp_path)
    monkeypatch.setattr("tools.processes.adopt_orphans", lambda: None)
    monkeypatch.setattr("tools.processes.end_orphans", lambda: [])
    named = [part for part in roles.PARTS if part.name in roles.ELSEWHERE]
    assert runner.run(named, at_a_time=1, may_skip=True) == 0
    assert runner.run(named) == 1
    out = capsys.readouterr().out
    assert all(reason in out for reason in roles.ELSEWHERE.values())


def test_every_scenario_of_the_role_is_run() -> None:
    folders = (ROOT / "extensions/molecule").glob("data_plane_*/molecule.yml")
    assert {f"data_plane_{name}" for name in roles.SCENARIOS} == {
        path.parent.name for path in folders
    }
