# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Demonstrations: they show what they say, fail when they cannot, and leave nothing running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from harness.paths import ROOT

# Seconds; only a demonstration that hangs reaches it.
LIMIT = 180.0
STEPS = [
    "Ping the gateway",
    "See what would be done to the empty gateway",
    "Do it",
    "Ask through the proxy: the two targets take turns",
    "Run it again: nothing changes",
    "Change the weights to 3:1 in the inventory and run it again",
    "Drain the first server before work on it",
]
KONNECT_STEPS = [
    "Ping Konnect, which says whose organization it is",
    "Create a control plane",
    "Make a certificate for a data plane and pin it in the control plane",
    "Start a data plane with it",
    "Synchronize the tutorial's file as it is: it names the control plane default",
    "Synchronize it with the right name, by its select tag",
    "Send requests through the data plane: the two targets take turns",
    "Synchronize it again: nothing changes",
    "Run the tutorial's five requests as five tasks: the file did the same",
    "Remove what the file made, and let the five tasks do it instead",
    "Run the five tasks again: nothing changes",
    "Stop the data plane and remove everything",
]
ALTERNATING = re.compile(r"(echo-[ab]) (echo-[ab])( \1 \2){3}$", re.MULTILINE)


class Demo:
    """Starts demonstrations whose processes all carry a mark in their environment."""

    def __init__(self) -> None:
        self.mark = f"KONG_TEST_MARK={uuid.uuid4()}"

    def start(self, name: str = "demo", **environment: str) -> subprocess.Popen[str]:
        """A demonstration in a session, and so a process group, of its own."""
        mark, value = self.mark.split("=")
        return subprocess.Popen(
            [sys.executable, "-m", f"demo.{name}"],
            cwd=ROOT, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), mark: value, **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def running(self) -> list[str]:
        """The command lines of the processes that carry the mark."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if self.mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found


@pytest.fixture
def demo() -> Demo:
    """What starts a demonstration and finds its processes."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("other systems than Linux do not tell which processes belong together")
    return Demo()


def test_it_shows_every_step_and_leaves_nothing_running(demo: Demo) -> None:
    process = demo.start()
    shown = process.communicate(timeout=LIMIT)[0]
    assert process.returncode == 0, shown
    assert re.findall(r"^\d\. (.*)$", shown, re.MULTILINE) == STEPS
    assert ALTERNATING.search(shown), shown
    assert len(re.findall(r"changed=3\b", shown)) == 2
    assert len(re.findall(r"changed=0\b", shown)) == 1
    assert "weight 100 -> 300" in shown
    assert "echo-a 9 times, echo-b 3 times" in shown
    assert "weight 300 -> 0" in shown
    assert re.search(r"^ *echo-b( echo-b){7}$", shown, re.MULTILINE), shown
    assert "{" not in shown
    assert max(map(len, shown.splitlines())) <= 100
    assert demo.running() == []


def test_it_shows_the_tutorial_on_konnect_and_leaves_nothing_running(demo: Demo) -> None:
    process = demo.start("konnect")
    shown = process.communicate(timeout=LIMIT)[0]
    assert process.returncode == 0, shown
    assert re.findall(r"^\d+\. (.*)$", shown, re.MULTILINE) == KONNECT_STEPS
    assert "Successfully Konnected to the Kong organization!" in shown
    assert len(ALTERNATING.findall(shown)) == 2
    assert len(re.findall(r"five entities, five writes", shown)) == 2
    assert len(re.findall(r"changed=0\b", shown)) == 3
    assert "document is for the control plane default" in shown
    assert "kpat_" not in shown and "PRIVATE KEY" not in shown
    assert "{" not in shown
    assert max(map(len, shown.splitlines())) <= 100
    assert demo.running() == []


def _to_all(process: subprocess.Popen[str]) -> None:
    # What a terminal does on Ctrl-C: every process of the group gets the signal.
    os.killpg(process.pid, signal.SIGINT)


def _to_one(process: subprocess.Popen[str]) -> None:
    process.terminate()


@pytest.mark.parametrize(("interrupt", "status"), [(_to_all, 130), (_to_one, 143)])
@pytest.mark.parametrize(("name", "moment"), [
    ("demo", "gateway  Admin API"),
    ("demo", "$ ansible-playbook irishtek.kong"),
    ("konnect", "$ ansible-playbook tests/demo/konnect/nodes.yml"),
])
def test_a_signal_ends_it_and_all_that_it_started(
    demo: Demo, interrupt: Callable[[subprocess.Popen[str]], None], status: int, name: str,
    moment: str,
) -> None:
    process = demo.start(name)
    assert process.stdout is not None
    # Read no further than needed: the next output is awaited, not slept for.
    assert any(moment in line for line in process.stdout)
    assert len(demo.running()) > 1
    interrupt(process)
    rest = process.communicate(timeout=LIMIT)[0]
    assert process.returncode == status, rest
    assert demo.running() == []


def test_a_step_that_does_not_show_what_it_says_fails_it(demo: Demo, tmp_path: Path) -> None:
    process = demo.start(KONG_TEST_COLLECTIONS=str(tmp_path))
    shown = process.communicate(timeout=LIMIT)[0]
    assert process.returncode == 1, shown
    assert "The demonstration failed" in shown
    assert "irishtek.kong.kong_ping" in shown
    assert demo.running() == []
