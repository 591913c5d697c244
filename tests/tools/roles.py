# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make test-roles` consists of: molecule scenarios of the role data_plane, in podman as root.

What cannot run here is skipped with its reason; what ran and failed is a failure.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from tools import workspace
from tools.parts import Job, Part, Skip
from tools.report import PASSED, Counts, from_status
from tools.workspace import BUILD, COLLECTIONS, ROOT

#: Seconds for all scenarios together, and what is left when no further one begins.
ALL_SECONDS, LEAST_SECONDS = 900.0, 60.0
PACKAGES = ("podman", "runc", "netavark", "debootstrap", "dpkg-dev", "gnupg")
COMMANDS = ("podman", "runc", "debootstrap", "dpkg-scanpackages", "gpg", "nsenter")
SCENARIOS = ("files", "podman", "hybrid", "package")
REPOSITORY = BUILD / "image/repository"
SETTINGS = BUILD / "containers.conf"
# Runs where the limits cannot be raised, and where control groups of both kinds are mounted.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
ELSEWHERE = {
    "docker": "no Docker engine is started here; its commands are seen by the integration tests",
    "helm": "no cluster and no chart at hand: nothing of it is run",
    "podman-rootless": "its written units are judged by the integration tests, and nothing more",
}


class Clock:
    """Counts down from the first scenario's beginning."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seconds = seconds
        self._end: float | None = None

    def left(self) -> float:
        """Seconds that are left; the first call starts the clock."""
        if self._end is None:
            self._end = self._now() + self._seconds
        return self._end - self._now()


def environment() -> dict[str, str]:
    """Return the scenarios' process environment; podman's settings are the project's own."""
    bins = workspace.environment(workspace.test_venv())
    paths = {
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "CONTAINERS_CONF": str(SETTINGS),
        "DATA_PLANE_REPOSITORY": str(REPOSITORY),
        "PYTHONPATH": str(ROOT / "tests"),
    }
    return {**bins, **paths}


def missing() -> list[str]:
    """List the commands that the scenarios need and that are not here."""
    return [command for command in COMMANDS if not shutil.which(command)]


def _install(job: Job) -> None:
    if os.geteuid() != 0:
        raise Skip("the scenarios run podman as root")
    if not missing():
        return
    if not shutil.which("apt-get"):
        raise Skip(f"no {', '.join(missing())} here, and no apt-get to install them")
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    updated = job.processes.run(["apt-get", "update"], job.log, ROOT, env)
    if updated or job.processes.run(install, job.log, ROOT, env) or missing():
        raise Skip(f"Debian's packages cannot be installed: no {', '.join(missing())}")


def _prepare(job: Job) -> None:
    """Make images, packages and the collection; what was made before is not made again."""
    _install(job)
    workspace.test_venv(job.make)
    workspace.collection(job.make)
    SETTINGS.write_text(CONTAINERS_CONF)
    shutil.rmtree(REPOSITORY, ignore_errors=True)
    for module, *words in (["image.build"], ["image.package", str(REPOSITORY)]):
        command: list[str | Path] = [workspace.VENV / "bin/python", "-m", module, *words]
        status = job.processes.run(command, job.log, ROOT, environment())
        if status == 2:
            raise Skip(job.log.read_text(errors="replace").strip().splitlines()[-1])
        if status:
            raise workspace.Broken(f"{module} ended with {status}")


class Ground:
    """What scenarios stand on; `lacks` says why there is none."""

    lacks = "the images were not made"

    def work(self, job: Job) -> Counts:
        """Make it, as a part of its own."""
        try:
            _prepare(job)
        except Skip as skip:
            self.lacks = str(skip)
            raise
        self.lacks = ""
        return PASSED


def scenario(name: str, ground: Ground, clock: Clock) -> Part:
    """Return the part that runs `extensions/molecule/data_plane_<name>`."""

    def work(job: Job) -> Counts:
        if ground.lacks:
            raise Skip(ground.lacks)
        left = clock.left()
        if left < LEAST_SECONDS:
            raise Skip(f"the {ALL_SECONDS / 60:.0f} minutes for the scenarios are over")
        folder = BUILD / "molecule" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        env = {**environment(), "MOLECULE_EPHEMERAL_DIRECTORY": str(folder)}
        # molecule cleans up on a signal; without it containers would stay.
        command: list[str | Path] = ["timeout", "--kill-after=30", f"{left:.0f}"]
        command += [workspace.VENV / "bin/molecule", "test"]
        command += ["--scenario-name", f"data_plane_{name}"]
        return from_status(job.processes.run(command, job.log, ROOT / "extensions", env))

    return Part(name, work)


def _elsewhere(name: str, reason: str) -> Part:
    def work(job: Job) -> Counts:
        raise Skip(reason)

    return Part(name, work)


GROUND, CLOCK = Ground(), Clock(ALL_SECONDS)
PARTS = (
    Part("images", GROUND.work),
    *(scenario(name, GROUND, CLOCK) for name in SCENARIOS),
    *(_elsewhere(name, reason) for name, reason in ELSEWHERE.items()),
)
