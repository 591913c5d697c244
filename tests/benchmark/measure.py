# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all measurements share: processes with their cost, and a bound on the time of it all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.gateway import Gateway
from harness.paths import COLLECTIONS
from harness.program import DIRECT

# Seconds that no run takes longer than.
ONE = 120.0


class Failed(Exception):
    """A run that did not do its work, so that its time means nothing."""


@dataclass(frozen=True)
class Spent:
    """What one run took: `seconds`, and at its peak `memory` in KiB of its largest process."""

    seconds: float
    memory: int


@dataclass
class Budget:
    """Seconds for a series of rounds, of which none begins that would not end in time."""

    seconds: float
    start: float = field(default_factory=time.monotonic)

    def fits(self, longest: float) -> bool:
        """Whether there is time for a round that takes as long as the `longest` before it."""
        return time.monotonic() - self.start + longest <= self.seconds


def timed(
    command: Sequence[str | Path], environment: Mapping[str, str], folder: Path
) -> tuple[Spent, str]:
    """Run a program to its end; what it took and what it printed.

    :raises Failed: it ended with another status than 0, or had to be stopped after `ONE`.
    """
    report = folder / "spent.json"
    launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
    done = subprocess.run(
        [*launcher, str(report), str(ONE), *command],
        env=dict(environment), cwd=folder, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    if done.returncode:
        raise Failed(f"{command[0]} ended with status {done.returncode}:\n{done.stdout}")
    return Spent(**json.loads(report.read_text())), done.stdout


def environment(gateway: Gateway, folder: Path, programs: Path) -> dict[str, str]:
    """The environment of a measured Ansible that reaches `gateway`; `programs` is its bin/."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ANSIBLE_", "KONG_", "KONNECT_"))
    }
    token = {"KONG_ADMIN_TOKEN": gateway.token} if gateway.token else {}
    return {
        **kept,
        **DIRECT,
        **token,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "KONG_ADMIN_URL": gateway.admin_url,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }
