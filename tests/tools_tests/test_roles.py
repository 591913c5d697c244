# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios are skipped with a reason where they cannot run; what has none is named."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tools import roles, runner
from tools.parts import Job, Part, Skip
from tools.processes import Processes
from tools.report import FAILED, PASSED
from tools.workspace import ROOT, Broken


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A part's processes and log."""
    return Job(Processes(), tmp_path / "log")


@pytest.fixture
def podman(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Part:
    """A scenario on made ground, whose molecule notes in `called` what it is asked for."""
    script = (
        "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + ' ')\n"
        "print(sys.argv[2] == 'test' and 'fatal: [gateway]: FAILED! => no' or 'cleared')\n"
        "sys.exit(sys.argv[2] == 'test' and int(sys.argv[3]))"
    )
    called = str(tmp_path / "called")

    def molecule(command: str, name: str) -> list[str | Path]:
        return [sys.executable, "-c", script, called, command, os.environ.get("STATUS", "0")]

    monkeypatch.setattr(roles, "molecule", molecule)
    monkeypatch.setattr(roles, "environment", lambda: dict(os.environ))
    monkeypatch.setattr(roles, "BUILD", tmp_path)
    clock = roles.Clock(900)
    ground = roles.Ground(clock)
    ground.lacks = ""
    ground.decided.set()
    return roles.scenario("podman", ground, clock)


def test_what_ends_well_has_cleared_up_itself(job: Job, podman: Part, tmp_path: Path) -> None:
    assert podman.work(job) == PASSED
    assert (tmp_path / "called").read_text() == "test "


def test_what_a_failed_scenario_left_is_taken_away(
    monkeypatch: pytest.MonkeyPatch, job: Job, podman: Part, tmp_path: Path
) -> None:
    monkeypatch.setenv("STATUS", "2")
    assert podman.work(job) == FAILED
    assert (tmp_path / "called").read_text() == "test destroy "
    assert job.log.read_text().endswith("cleared\n\nfatal: [gateway]: FAILED! => no\n")


def test_what_a_stopped_scenario_left_is_taken_away(
    job: Job, podman: Part, tmp_path: Path
) -> None:
    job.processes.stop()
    with pytest.raises(Broken, match="stopped"):
        podman.work(job)
    assert (tmp_path / "called").read_text() == "destroy "


def test_one_scenario_can_be_run_alone() -> None:
    assert [part.name for part in roles.parts("hybrid")] == ["images", "hybrid"]
    with pytest.raises(Broken, match="SCENARIO=hybird: there are hybrid, podman"):
        roles.parts("hybird")


def test_nobody_but_root_is_asked_to_run_podman(
    monkeypatch: pytest.MonkeyPatch, job: Job
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    images, podman = roles.parts("podman")
    with pytest.raises(Skip, match="as root"):
        images.work(job)
    with pytest.raises(Skip, match="as root"):
        podman.work(job)


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        ("image.build base", Skip("no image can be made here: no mount for you")),
        ("podman", Skip("podman runs no containers here: no mount for you")),
        ("image.build$", Broken("image.build ended with 2")),
        ("image.package .*", Broken("image.package ended with 2")),
    ],
)
def test_what_podman_cannot_do_is_no_failure_and_a_build_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, job: Job, failing: str, expected: Exception
) -> None:
    def ends(ground: roles.Ground, asked: Job, *command: str | Path) -> int:
        asked.log.write_text("debootstrap says\nno mount for you\n")
        line = " ".join(map(str, command))
        return 2 if re.search(f"(^|-m ){failing}", line) else 0

    monkeypatch.setattr(roles.Ground, "_install", lambda ground, asked: None)
    monkeypatch.setattr(roles.Ground, "run", ends)
    monkeypatch.setattr("tools.workspace.test_venv", lambda make: tmp_path)
    monkeypatch.setattr("tools.workspace.collection", lambda make: tmp_path)
    monkeypatch.setattr(roles, "SETTINGS", tmp_path / "containers.conf")
    monkeypatch.setattr(roles, "REPOSITORY", tmp_path / "repository")
    ground = roles.Ground(roles.Clock(900))
    with pytest.raises(type(expected), match=str(expected)):
        ground.work(job)
    assert ground.lacks
    assert ground.decided.is_set()


@pytest.mark.parametrize(("only", "made"), [("", False), ("package", False), ("rpm", True)])
def test_a_host_of_rpm_packages_is_made_for_its_scenario_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, job: Job, only: str, made: bool
) -> None:
    lines: list[str] = []

    def ends(ground: roles.Ground, asked: Job, *command: str | Path) -> int:
        lines.append(" ".join(map(str, command)))
        return 0

    monkeypatch.setattr(roles.Ground, "_install", lambda ground, asked: None)
    monkeypatch.setattr(roles.Ground, "run", ends)
    monkeypatch.setattr("tools.workspace.test_venv", lambda make: tmp_path)
    monkeypatch.setattr("tools.workspace.collection", lambda make: tmp_path)
    monkeypatch.setattr(roles, "SETTINGS", tmp_path / "containers.conf")
    monkeypatch.setattr(roles, "REPOSITORY", tmp_path / "repository")
    assert roles.Ground(roles.Clock(900), only).work(job) == PASSED
    assert any(line.endswith("image.build rpm") for line in lines) is made


def test_no_scenario_begins_when_the_time_is_over(job: Job) -> None:
    moments = iter([0.0, 0.0, 850.0])
    clock = roles.Clock(900, lambda: next(moments))
    assert clock.left() == 900
    ground = roles.Ground(clock)
    ground.lacks = ""
    ground.decided.set()
    with pytest.raises(Skip, match="15 minutes for the scenarios are over"):
        roles.scenario("podman", ground, clock).work(job)


def test_what_runs_elsewhere_is_named_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "BUILD", tmp_path)
    monkeypatch.setattr("tools.processes.adopt_orphans", lambda: None)
    monkeypatch.setattr("tools.processes.end_orphans", lambda: [])
    named = [part for part in roles.parts() if part.name in roles.ELSEWHERE]
    assert runner.run(named, at_a_time=1, may_skip=True) == 0
    assert runner.run(named) == 1
    out = capsys.readouterr().out
    assert all(reason in out for reason in roles.ELSEWHERE.values())


def test_every_scenario_of_the_role_is_run() -> None:
    folders = (ROOT / "extensions/molecule").glob("gateway_*/molecule.yml")
    assert {f"gateway_{name}" for name in roles.SCENARIOS} == {
        path.parent.name for path in folders
    }
