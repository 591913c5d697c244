# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of processes that another process can check: who, on which machine, started when."""

from __future__ import annotations

import getpass
import hashlib
import multiprocessing
import os
import socket
from pathlib import Path


def user_and_host() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user that has no name.
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def name_of_process(pid: int) -> str:
    """Another process of the same number has another name."""
    return f"{_place()}.{pid}.{_started(pid) or ''}"


def name_of_run() -> str:
    """The ansible-playbook of this worker, also where it was killed while the worker lives on."""
    # By then os.getppid() is the number of init, which never ends.
    parent = multiprocessing.parent_process()
    return name_of_process(os.getpid() if parent is None or parent.pid is None else parent.pid)


def has_ended(name: str) -> bool:
    """Whether a process is known to be gone; of other machines and containers nothing is known."""
    place, _dot, rest = name.partition(".")
    pid, _dot, started = rest.partition(".")
    if place != _place() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        # It is alive, and somebody else's.
        pass
    return bool(started) and started != _started(int(pid))


def _place() -> str:
    """This boot of this machine, and the container; on some systems only the host's name."""
    known = [socket.gethostname()]
    try:
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        known.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass
    return hashlib.sha256(" ".join(known).encode()).hexdigest()[:16]


def _started(pid: int) -> str | None:
    """The tick at which a process started; None of a zombie, or where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (OSError, UnicodeDecodeError):
        return None
    return None if fields[0] in ("Z", "X") else fields[19]
