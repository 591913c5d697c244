# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make test-roles` consists of: molecule scenarios of the role gateway, in podman as root.

What cannot run here is skipped with its reason; what ran and failed is a failure. Whatever happens
to a scenario, its own playbook takes away what it made. SCENARIO names the only one to run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tools import workspace
from tools.parts import IN_CONTAINERS, Job, Part, Skip, run_pytest
from tools.report import PASSED, Counts, from_status
from tools.workspace import BUILD, COLLECTIONS, ROOT

#: Seconds for images and scenarios together, and what is left when no further one begins.
ALL_SECONDS = 900.0
LEAST_SECONDS = 180.0
#: Seconds that it may take to remove what a scenario has left.
CLEARING_SECONDS = 90.0
PACKAGES = ("podman", "runc", "netavark", "debootstrap", "dpkg-dev", "gnupg")
COMMANDS = ("podman", "runc", "debootstrap", "dpkg-scanpackages", "gpg", "nsenter")
# The longest first.
SCENARIOS = ("hybrid", "podman", "rpm", "package", "docker", "compose", "konnect")
#: Those that were seen to pass to their end; the others run by SCENARIO= only.
PROVEN = ("podman", "package", "konnect")
BASE = "localhost/kong-sandbox-base:latest"
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
    **{name: f"by SCENARIO={name} only" for name in SCENARIOS if name not in PROVEN},
    "helm": "test_role_gateway_helm.py, where KUBECONFIG and GATEWAY_CHART name a cluster",
}


class Clock:
    """Counts down from the first look at it."""

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
        "GATEWAY_REPOSITORY": str(REPOSITORY),
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT / "tests"),
    }
    return {**bins, **paths}


def missing() -> list[str]:
    """List the commands that the scenarios need and that are not here."""
    return [command for command in COMMANDS if not shutil.which(command)]


def _last_line(job: Job) -> str:
    lines = job.log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


class Ground:
    """What scenarios stand on; `lacks` says why there is none. They wait until it is decided."""

    def __init__(self, clock: Clock, only: str = "") -> None:
        # A host of rpm packages is made for its own scenario only.
        self._images = [["image.build"], *([["image.build", "rpm"]] if only == "rpm" else [])]
        self.lacks = "the images were not made"
        self.decided = threading.Event()
        self._clock = clock

    def work(self, job: Job) -> Counts:
        """Make it, as a part of its own."""
        try:
            self._clock.left()
            self._install(job)
            self._prepare(job)
        except Skip as skip:
            self.lacks = str(skip)
            raise
        finally:
            self.decided.set()
        return PASSED

    def _install(self, job: Job) -> None:
        if os.geteuid() != 0:
            raise Skip("the scenarios run podman as root")
        if not missing():
            return
        if not shutil.which("apt-get"):
            raise Skip(f"no {', '.join(missing())} here, and no apt-get to install them")
        install = ["apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES]
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update"], install):
            job.processes.run([*within(self._clock), *command], job.log, ROOT, env)
        if missing():
            raise Skip(f"Debian's packages cannot be installed: no {', '.join(missing())}")

    def _prepare(self, job: Job) -> None:
        """Make images, packages and the collection; what was made before is not made again."""
        workspace.test_venv(job.make)
        workspace.collection(job.make)
        SETTINGS.write_text(CONTAINERS_CONF)
        shutil.rmtree(REPOSITORY, ignore_errors=True)
        python = workspace.VENV / "bin/python"
        if self.run(job, python, "-m", "image.build", "base"):
            raise Skip(f"no image can be made here: {_last_line(job)}")
        run = ["podman", "run", "--rm", "--network=host", "--pull=never"]
        if self.run(job, *run, BASE, "true"):
            raise Skip(f"podman runs no containers here: {_last_line(job)}")
        for module, *words in (*self._images, ["image.package", str(REPOSITORY)]):
            if status := self.run(job, python, "-m", module, *words):
                raise workspace.Broken(f"{module} ended with {status}")
        self.lacks = ""

    def await_it(self) -> None:
        """Wait until it is decided; raise Skip where there is none."""
        self.decided.wait()
        if self.lacks:
            raise Skip(self.lacks)

    def run(self, job: Job, *command: str | Path) -> int:
        """Run a command with podman's settings, for as long as there is time."""
        return job.processes.run([*within(self._clock), *command], job.log, ROOT, environment())


def within(clock: Clock) -> list[str]:
    """Return the words that end a command when the time is over."""
    return ["timeout", "--kill-after=30", f"{max(clock.left(), 1):.0f}"]


def molecule(command: str, name: str) -> list[str | Path]:
    """Return the words of a molecule command for `extensions/molecule/gateway_<name>`."""
    shared = ROOT / "extensions/molecule/gateway_shared/base.yml"
    program: list[str | Path] = [workspace.VENV / "bin/molecule", "--base-config", shared]
    return [*program, command, "--scenario-name", f"gateway_{name}"]


def _clear(name: str, env: dict[str, str], log: Path) -> None:
    """Take away what a scenario has left; not through Processes, which a stopped run refuses."""
    with log.open("ab") as output, suppress(subprocess.TimeoutExpired):
        subprocess.run(
            molecule("destroy", name), cwd=ROOT / "extensions", env=env, check=False,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, timeout=CLEARING_SECONDS,
        )


def _repeat_failures(log: Path) -> None:
    """Write at the log's end what tasks failed of, which else stands above all of the clearing."""
    failures = re.findall(r"^(?:fatal|failed): \[.*", log.read_text(errors="replace"), re.MULTILINE)
    with log.open("a") as output:
        print("", *failures, sep="\n", file=output)


def in_containers(ground: Ground) -> Part:
    """Return the part that looks whether the images do what a gateway's and a host's do."""
    name = "in-containers"

    def work(job: Job) -> Counts:
        ground.await_it()
        return run_pytest(name, [IN_CONTAINERS], lambda command: ground.run(job, *command))

    return Part(name, work)


def scenario(name: str, ground: Ground, clock: Clock) -> Part:
    """Return the part that runs `extensions/molecule/gateway_<name>`."""

    def work(job: Job) -> Counts:
        ground.await_it()
        if clock.left() < LEAST_SECONDS:
            raise Skip(f"the {ALL_SECONDS / 60:.0f} minutes for the scenarios are over")
        folder = BUILD / "molecule" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        env = {
            **environment(),
            "MOLECULE_EPHEMERAL_DIRECTORY": str(folder),
            # Else molecule looks for a scenario `default`, and calls its lack critical.
            "MOLECULE_GLOB": f"molecule/gateway_{name}/molecule.yml",
        }
        command = [*within(clock), *molecule("test", name)]
        status = -1
        try:
            status = job.processes.run(command, job.log, ROOT / "extensions", env)
        finally:
            if status:
                _clear(name, env, job.log)
                _repeat_failures(job.log)
        return from_status(status)

    return Part(name, work)


def _elsewhere(name: str, reason: str) -> Part:
    def work(job: Job) -> Counts:
        raise Skip(reason)

    return Part(name, work)


def parts(only: str = "") -> tuple[Part, ...]:
    """Return the images, the scenarios (or the only one) and what runs elsewhere.

    Raises Broken for a scenario that there is not.
    """
    if only and only not in SCENARIOS:
        raise workspace.Broken(f"SCENARIO={only}: there are {', '.join(SCENARIOS)}")
    clock = Clock(ALL_SECONDS * (2 if only else 1))
    ground = Ground(clock, only)
    return (
        Part("images", ground.work),
        *(scenario(name, ground, clock) for name in ([only] if only else PROVEN)),
        *([] if only else [in_containers(ground)]),
        *(_elsewhere(name, reason) for name, reason in ELSEWHERE.items() if not only),
    )
