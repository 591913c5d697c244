# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the tools' processes, each with its output in a file, and lets none of them survive."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tools.workspace import ROOT, Broken

PR_SET_CHILD_SUBREAPER = 36
# Three times what the longest part takes on two busy cores. A gateway that is named serves one,
# in which both halves of the integration tests run one after the other.
PART_SECONDS = 7200 if os.environ.get("KONG_ADMIN_URL") else 3600


class Processes:
    """All processes of a run; each is the leader of a group, which ends with it."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        argv: Sequence[str | Path],
        log: Path,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Run a command, append its output to `log`, and return its exit status.

        Raises Broken when the run is being stopped or the command takes longer than PART_SECONDS.
        """
        with log.open("ab") as output:
            output.write(f"$ {' '.join(map(str, argv))}\n".encode())
            output.flush()
            with self._lock:
                if self._stopped:
                    raise Broken("stopped")
                process = subprocess.Popen(
                    argv, cwd=cwd, env=env, start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                )
                self._groups.add(process.pid)
            try:
                return process.wait(PART_SECONDS)
            except subprocess.TimeoutExpired:
                raise Broken(f"{argv[0]} takes longer than {PART_SECONDS} s") from None
            finally:
                self._end(process.pid)
                process.wait()

    def stop(self) -> None:
        """End every running process and start no other."""
        with self._lock:
            self._stopped = True
        for group in list(self._groups):
            self._end(group)

    def _end(self, group: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self._groups.discard(group)


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own (Linux), so that none hides."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _children(of: int) -> list[tuple[int, str]]:
    """Return id and command line of a process's children; zombies have an empty one."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The second field, the command in brackets, may itself hold spaces and brackets.
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            if parent == of:
                command = (status.parent / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append((int(status.parent.name), command.decode(errors="replace").strip()))
    return found


def end_orphans() -> list[str]:
    """End what tools have left running, and return the command lines; call it when none runs."""
    ended = []
    while children := _children(os.getpid()):
        for pid, command in children:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            if command:
                ended.append(command)
    return ended


def _descendants(of: int) -> list[int]:
    children = [pid for pid, command in _children(of)]
    return children + [below for child in children for below in _descendants(child)]


def kill_tree(root: int) -> None:
    """Kill a process and all its descendants, whatever their groups, and wait until all ended."""
    ended = []
    for pid in [root, *_descendants(root)]:
        with suppress(ProcessLookupError):
            ended.append(os.pidfd_open(pid))
            signal.pidfd_send_signal(ended[-1], signal.SIGKILL)
    for handle in ended:
        # It becomes readable when the process ends, also one that is not this process's child.
        select.select([handle], [], [])
        os.close(handle)
