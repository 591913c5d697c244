# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No process survives the tool that started it, nor the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import processes
from tools.processes import Processes
from tools.workspace import ROOT, Broken

LEAVES_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid)
"""
LEAVES_A_DAEMON = """
import subprocess, sys
from tools import processes
processes.adopt_orphans()
sleeper = [sys.executable, "-c", "import time; time.sleep(600)", "left-behind"]
starter = f"import subprocess; subprocess.Popen({sleeper!r}, start_new_session=True)"
subprocess.run([sys.executable, "-c", starter], check=True)
print(processes.end_orphans())
print(processes.end_orphans())
"""
STARTS_A_SESSION = """
import subprocess, sys
sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(sleeper, start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def ends(pid: int) -> bool:
    """Say whether the process ends, or only waits to be collected; a kill takes a moment."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return True
        if status.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The file that takes the output."""
    return tmp_path / "part.log"


def test_output_and_exit_status_are_kept(log: Path) -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    assert Processes().run([sys.executable, "-uc", script], log) == 7
    assert log.read_text().splitlines()[-2:] == ["out", "err"]


def test_input_is_closed(log: Path) -> None:
    script = "import sys; sys.exit(len(sys.stdin.read()))"
    assert Processes().run([sys.executable, "-c", script], log) == 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_what_a_tool_leaves_in_its_group_ends_with_it(log: Path) -> None:
    Processes().run([sys.executable, "-c", LEAVES_A_CHILD], log)
    assert ends(int(log.read_text().split()[-1]))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans over")
def test_a_daemon_that_left_its_group_is_found_and_ended() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVES_A_DAEMON], capture_output=True, text=True, check=True,
        timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
    )
    first, second = done.stdout.splitlines()
    assert "left-behind" in first
    assert second == "[]"


def test_a_tool_that_hangs_is_ended(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PART_SECONDS", 0.05)
    with pytest.raises(Broken, match="takes longer than"):
        Processes().run([sys.executable, "-c", "import time; time.sleep(600)"], log)


def test_nothing_starts_once_the_run_is_stopped(log: Path) -> None:
    running = Processes()
    running.stop()
    with pytest.raises(Broken, match="stopped"):
        running.run([sys.executable, "-c", "print('ran')"], log)
    assert "ran\n" not in log.read_text()


def test_a_process_is_killed_with_its_descendants_in_other_sessions() -> None:
    command = [sys.executable, "-c", STARTS_A_SESSION]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        processes.kill_tree(process.pid)
        assert process.wait(30) == -signal.SIGKILL
    assert ends(child)
