# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make test` consists of: each part makes what it needs and returns what it came to."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import pythons, release, sanity, site, workspace
from tools.processes import Processes
from tools.report import FAILED, PASSED, Counts, from_junit, from_status
from tools.workspace import BUILD, PACKAGE, ROOT

DECK = "tests/integration/test_deck*.py"
# With ansible-core 2.17: what it resolves in another way than newer ones.
GATEWAY = (
    "tests/integration/test_role_gateway.py",
    "tests/integration/test_playbook_shift.py",
)
INTEGRATION = ("integration", "integration-2")
IN_CONTAINERS = "tests/image_tests/test_containers.py"
CONTROLLERS_2_17 = ("3.12", "3.11")
# Certified collections must have one of the tags that Automation Hub sorts by.
IMPORTER_SETTINGS = "[galaxy-importer]\nCHECK_REQUIRED_TAGS=True\nRUN_ANSIBLE_LINT=True\n"
TREE = BUILD / "tree" / PACKAGE
TYPED = (
    "ansible_collections.irishtek.kong.plugins",
    "benchmark", "demo", "events", "harness", "image", "image_tests", "sandbox", "sandbox_tests",
    "site_tests", "tools", "tools_tests", "unit",
)


class Skip(Exception):
    """The part cannot run here; the message says why."""


@dataclass(frozen=True)
class Job:
    """A running part: its processes and the file with their output."""

    processes: Processes
    log: Path

    def make(self, argv: Sequence[str | Path], cwd: Path = ROOT) -> int:
        """Run a command that prepares something."""
        return self.processes.run(argv, self.log, cwd)

    def tool(
        self,
        folders: Sequence[Path],
        argv: Sequence[str | Path],
        cwd: Path = ROOT,
        more: Mapping[str, str] | None = None,
    ) -> int:
        """Run `argv[0]` of the first of these bin/ folders with all of them on PATH."""
        command = [folders[0] / argv[0], *argv[1:]]
        environment = {**workspace.environment(*folders), **(more or {})}
        return self.processes.run(command, self.log, cwd, environment)


@dataclass(frozen=True)
class Part:
    """A named part of the checks."""

    name: str
    work: Callable[[Job], Counts]


def lint(job: Job) -> Counts:
    """Check code and YAML; each tool runs, whatever the others say."""
    tests, linters = workspace.test_venv(job.make), workspace.lint_venv(job.make)
    workspace.collection(job.make)
    packages = [word for package in TYPED for word in ("-p", package)]
    statuses = [
        job.tool([linters], ["ruff", "check", "."]),
        job.tool([linters], ["mypy", "--python-executable", tests / "python", *packages]),
        job.tool([linters], ["yamllint", "--strict", "."]),
    ]
    return from_status(any(statuses))


def ansible_lint(job: Job) -> Counts:
    """Check roles, playbooks and metadata against the strictest profile."""
    linters = workspace.lint_venv(job.make)
    workspace.collection(job.make)
    return from_status(
        job.tool([linters], ["ansible-lint", "--profile", "production", "--offline", "--nocolor"])
    )


def run_pytest(
    name: str, words: Sequence[str], execute: Callable[[Sequence[str]], int]
) -> Counts:
    """Run pytest with these words, as `execute` runs a command, and count its report."""
    report = BUILD / f"reports/{name}.xml"
    report.unlink(missing_ok=True)
    command = ["python", "-m", "pytest", f"--junitxml={report}", *words]
    return from_junit(report, execute(command))


def _pytest(job: Job, name: str, words: Sequence[str], binaries: Path | None = None) -> Counts:
    tests = binaries or workspace.test_venv(job.make)
    workspace.collection(job.make)
    return run_pytest(name, words, lambda command: job.tool([tests], command))


def unit(job: Job) -> Counts:
    """Run the tests that need no gateway, and the sandbox gateway's own.

    `make test-roles` runs those of images, when it has made them.
    """
    return _pytest(job, "unit", [f"--ignore={IN_CONTAINERS}"])


def _integration(name: str, pattern: str) -> Part:
    """Tests of playbooks on a sandbox, half of the files: each half has a core.

    On the gateway that KONG_ADMIN_URL names, all of them one after the other.
    """

    def work(job: Job) -> Counts:
        named = bool(os.environ.get("KONG_ADMIN_URL"))
        if named and name != INTEGRATION[0]:
            raise Skip(f"its tests run in the part {INTEGRATION[0]}, one gateway for all")
        found = ROOT.glob("tests/integration/test_*.py" if named else pattern)
        elsewhere = {str(ROOT / file) for file in GATEWAY}
        return _pytest(job, name, sorted(set(map(str, found)) - elsewhere))

    return Part(name, work)


def events(job: Job) -> Counts:
    """Run event sources and rulebooks, in an environment with ansible-rulebook."""
    return _pytest(job, "events", ["tests/events"], workspace.events_venv(job.make))


def deck(job: Job) -> Counts:
    """Hold decK against the collection, with the files below DECK_FILES or the project's own."""
    if not shutil.which("deck"):
        raise Skip("no `deck` is on the PATH")
    return _pytest(job, "deck", sorted(map(str, ROOT.glob(DECK))))


def gateway(job: Job) -> Counts:
    """Run the tests of the role gateway and of shifts, whose gateways are their own.

    With the oldest ansible-core where a Python for it is at hand: the scenarios run the newer one.
    """
    if os.environ.get("KONG_ADMIN_URL"):
        raise Skip("its gateways are its own, and not the one that KONG_ADMIN_URL names")
    found = pythons.find(CONTROLLERS_2_17)
    binaries = workspace.oldest_venv(found[1], job.make) if found else None
    if not found:
        job.log.write_text("no Python for ansible-core 2.17: with the newer one\n")
    return _pytest(job, "gateway", GATEWAY, binaries)


def _python(versions: tuple[str, ...]) -> tuple[str, Path]:
    found = pythons.find(versions)
    if not found:
        raise Skip(f"no Python {' or '.join(versions)} at hand")
    return found


def _sanity(leg: sanity.Leg) -> Part:
    def work(job: Job) -> Counts:
        version, python = _python(leg.pythons)
        target, path = _python((leg.target,)) if leg.target else (version, python)
        binaries = workspace.venv(leg.venv, leg.requirements, python, job.make)
        sanity.offline_bootstrap(binaries, job.make)
        workspace.copy_to(leg.folder)
        command = ["ansible-test", "sanity", "--local", "--python", target, "--color", "no"]
        only = [word for test in leg.only for word in ("--test", test)]
        status = job.tool([binaries, path.parent], [*command, *only], leg.folder)
        # ansible-test calls it a success when it has looked at nothing.
        empty = "All targets skipped" in job.log.read_text(errors="replace")
        return from_status(status or empty)

    return Part(leg.name, work)


def documentation(job: Job) -> Counts:
    """Check the plugins' documentation and every reference in it."""
    linters = workspace.lint_venv(job.make)
    workspace.collection(job.make)
    command = ["antsibull-docs", "lint-collection-docs", "--plugin-docs"]
    return from_status(job.tool([linters], [*command, "--validate-collection-refs=all", "."], TREE))


def website(job: Job) -> Counts:
    """Build the documentation's site, then look at its pages."""
    binaries = workspace.docs_venv(job.make)
    workspace.collection(job.make)
    if site.build(lambda argv, cwd: job.tool([binaries], argv, cwd)):
        return FAILED
    return _pytest(job, "site", ["tests/site_tests"])


def changelog(job: Job) -> Counts:
    """Check the changelog and its fragments."""
    linters = workspace.lint_venv(job.make)
    workspace.collection(job.make)
    return from_status(job.tool([linters], ["antsibull-changelog", "lint"], TREE))


def importer(job: Job) -> Counts:
    """Import the archive as Automation Hub does; a warning of the importer fails, too."""
    binaries = workspace.venv(BUILD / "venv-importer", "importer", execute=job.make)
    archive = workspace.collection(job.make)
    folder = BUILD / "importer"
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "galaxy-importer.cfg"
    settings.write_text(IMPORTER_SETTINGS)
    command: list[str | Path] = ["python", "-m", "galaxy_importer.main", archive]
    status = job.tool([binaries], command, folder, {"GALAXY_IMPORTER_CONFIG": str(settings)})
    troubled = re.search(r"^(ERROR|WARNING)\b", job.log.read_text(errors="replace"), re.MULTILINE)
    return FAILED if status or troubled else PASSED


def published(job: Job) -> Counts:
    """Make what can be published, in .build/release, and run the demonstration from it."""
    archive = workspace.collection(job.make)

    def execute(argv: Sequence[str | Path], more: Mapping[str, str]) -> int:
        return job.processes.run(argv, job.log, ROOT, {**os.environ, **more})

    return from_status(release.make_release(archive, execute, job.make))


# The longest first, and at the start those that make different environments.
PARTS = (
    _integration(INTEGRATION[0], "tests/integration/test_[a-r]*.py"),
    _integration(INTEGRATION[1], "tests/integration/test_[s-z]*.py"),
    _sanity(sanity.LEGS[0]),
    Part("gateway", gateway),
    Part("unit", unit),
    Part("events", events),
    *map(_sanity, sanity.LEGS[1:]),
    Part("lint", lint),
    Part("importer", importer),
    Part("ansible-lint", ansible_lint),
    Part("site", website),
    Part("docs", documentation),
    Part("changelog", changelog),
)
# Parts that only their own commands run; `integration` has the tests of deck, too.
MORE = (Part("deck", deck), *map(_sanity, sanity.RELEASE_LEGS), Part("release", published))
GROUPS: dict[str, tuple[str, ...]] = {
    "test": tuple(part.name for part in PARTS),
    "deck": ("deck",),
    "lint": ("lint", "ansible-lint"),
    "unit": ("unit",),
    "integration": (*INTEGRATION, "gateway"),
    "events": ("events",),
    "sanity": tuple(leg.name for leg in sanity.LEGS),
    "docs": ("docs", "site", "changelog", "importer"),
    # As Automation Hub checks it: the importer, the strictest lint, sanity of each ansible-core.
    "release": (
        *(leg.name for leg in (*sanity.LEGS, *sanity.RELEASE_LEGS)),
        "importer", "ansible-lint", "docs", "changelog", "release",
    ),
}
