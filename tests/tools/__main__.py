# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one of the project's commands; `make help` lists them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools import parts, roles, runner, workspace
from tools.workspace import ROOT

OLDEST = (3, 11)
SANDBOX_SETTINGS = {"ADMIN_PORT", "PROXY_PORT", "MODE", "VERSION", "EDITION", "DBLESS_CONFIG"}


def _announce() -> None:
    """Say what the first call of a command waits for."""
    if not workspace.VENV.exists():
        text = "Preparing .venv and .build: one to three minutes, the first time only."
        print(text, file=sys.stderr, flush=True)


def _collection() -> int:
    _announce()
    print(workspace.collection().relative_to(ROOT))
    return 0


def _become(bin_folder: Path, argv: Sequence[str], **more: str) -> int:
    """Go on as another Python program, so that signals and exit status are its own."""
    python = str(bin_folder / "python")
    env = {**workspace.environment(bin_folder), "PYTHONPATH": str(ROOT / "tests"), **more}
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(python, [python, *argv], env)


def _changelog() -> int:
    """Take the fragments into the changelog of the version that galaxy.yml names."""
    linters = workspace.lint_venv()
    workspace.collection()
    command = [str(linters / "antsibull-changelog"), "release", "--update-existing"]
    environment = workspace.environment(linters)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _sandbox() -> int:
    _announce()
    return _become(workspace.test_venv(), ["-m", "sandbox"])


def _quiet(argv: Sequence[str | Path], cwd: Path) -> int:
    """Run a command whose output only matters when it fails."""
    done = subprocess.run(
        argv, cwd=cwd, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return done.returncode


def _demo(name: str = "demo") -> int:
    _announce()
    workspace.test_venv(_quiet)
    workspace.collection(_quiet)
    return _become(workspace.test_venv(), ["-m", f"demo.{name}"])


def _benchmark() -> int:
    workspace.collection()
    measured = str(workspace.benchmark_venv())
    # It checks with the engine, in its own process, that what it measures was done.
    paths = os.pathsep.join([str(ROOT / "tests"), str(workspace.COLLECTIONS)])
    settings = {"BENCHMARK_BIN": measured, "PYTHONPATH": paths}
    return _become(workspace.test_venv(), ["-m", "benchmark.run"], **settings)


def _benchmark_events() -> int:
    return _become(workspace.events_venv(), ["-m", "benchmark.events"])


PROGRAMS: dict[str, Callable[[], int]] = {
    "collection": _collection,
    "changelog": _changelog,
    "sandbox": _sandbox,
    "demo": _demo,
    "demo-konnect": lambda: _demo("konnect"),
    "benchmark": _benchmark,
    "benchmark-events": _benchmark_events,
}


def _prepare_environment() -> None:
    """Let every tool find the installed collection, and none this program's own modules."""
    os.environ.pop("PYTHONPATH", None)
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(workspace.COLLECTIONS)
    os.environ["ANSIBLE_NOCOLOR"] = "1"


def _forget_gateways() -> None:
    """Keep the caller's gateway and sandbox settings away from tests that start their own."""
    for name in list(os.environ):
        if name.startswith(("KONG_", "KONNECT_")) or name in SANDBOX_SETTINGS:
            del os.environ[name]


def main(command: str) -> int:
    """Run `command` and return the exit status."""
    if sys.version_info < OLDEST:
        raise workspace.Broken("Python 3.11 or newer is needed: make PYTHON=python3.11 …")
    _prepare_environment()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if command in PROGRAMS:
        return PROGRAMS[command]()
    if not shutil.which("git"):
        # Without it some checkers find nothing to check, and call that a success.
        raise workspace.Broken("git is needed for the checks")
    if command not in ("integration", "deck"):
        _forget_gateways()
    if command == "test-roles":
        # One after the other: two at once can outlast what systemd allows a start.
        scenarios = roles.parts(os.environ.get("SCENARIO", ""))
        return runner.run(scenarios, at_a_time=1, may_skip=True)
    chosen = parts.GROUPS[command]
    return runner.run([part for part in (*parts.PARTS, *parts.MORE) if part.name in chosen])


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except workspace.Broken as error:
        sys.exit(f"tools: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
