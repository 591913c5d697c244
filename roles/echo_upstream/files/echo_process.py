# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the echo servers that run as plain processes in line with a list, for trying.

Each server has a pid file ``echo-PORT.pid`` and a log ``echo-PORT.log`` in one directory. A pid
file alone proves nothing: a process counts as ours only while it is alive and its command line is
this directory's server with this port; any other process is left alone. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

# How often a starting or ending server is looked at, in seconds.
INTERVAL = 0.05


class ProcessError(Exception):
    """A server that did not start or end in time; the message has its port and the reason."""


class Server:
    """One echo server: what it should be (`spec`, None for away) and what its pid file leads to."""

    def __init__(self, directory: Path, port: int, spec: dict[str, Any] | None) -> None:
        self.port = port
        self.spec = spec
        self.program = str(directory / "echo_server.py")
        self.pid_file = directory / f"echo-{port}.pid"
        self.log_file = directory / f"echo-{port}.log"

    def arguments(self) -> list[str]:
        """The wanted command line after the interpreter."""
        spec = self.spec or {}
        words = ["--bind", spec["bind_address"], "--port", str(self.port), "--name", spec["name"]]
        return [self.program, *words, "--digest", spec["digest"]]

    def running(self) -> tuple[int, list[str]] | None:
        """Pid and command line (without interpreter) of our live process, else None."""
        try:
            pid = int(self.pid_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        command = command_line(pid)[1:] if pid > 1 else []
        ours = command[:1] == [self.program] and ["--port", str(self.port)] in pairs(command)
        return (pid, command) if ours else None

    def stop(self, pid: int, timeout: float) -> None:
        """End our process and remove its pid file; raises `ProcessError` when it stays."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while self.running() is not None:
            if time.monotonic() > deadline:
                raise ProcessError(f"The echo server on port {self.port} (pid {pid}) did not end.")
            time.sleep(INTERVAL)
        self.pid_file.unlink()

    def start(self, timeout: float) -> None:
        """Start the server in a session of its own and wait until it answers."""
        with self.log_file.open("ab") as log:
            child = subprocess.Popen(  # pylint: disable=consider-using-with
                [sys.executable, *self.arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        self.pid_file.write_text(f"{child.pid}\n", encoding="ascii")
        deadline = time.monotonic() + timeout
        while not self.answers(child.pid):
            if child.poll() is None and time.monotonic() < deadline:
                time.sleep(INTERVAL)
                continue
            if child.poll() is None:
                child.terminate()
                child.wait()
            self.pid_file.unlink()
            reason = self.last_line()
            raise ProcessError(f"The echo server on port {self.port} did not start: {reason}")

    def answers(self, pid: int) -> bool:
        """Whether it is process `pid`, not somebody else's server, that answers on the port."""
        bind = (self.spec or {})["bind_address"]
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
        host = f"[{address}]" if ":" in address else address
        # Proxies of the environment are not for a server on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{host}:{self.port}/health", timeout=2) as response:
                return bool(json.load(response).get("pid") == pid)
        except (OSError, ValueError, urllib.error.URLError):
            return False

    def last_line(self) -> str:
        """The last line that the server logged."""
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else "it logged nothing"


def pairs(command: list[str]) -> list[list[str]]:
    """Each word of a command line with the one after it."""
    return [command[index : index + 2] for index in range(len(command) - 1)]


def command_line(pid: int) -> list[str]:
    """The words of a process's command line; none when it is gone or a zombie."""
    if not Path("/proc/self/cmdline").exists():
        command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
    return [os.fsdecode(word) for word in words[:-1]]


def known_servers(directory: Path, wanted: list[dict[str, Any]]) -> list[Server]:
    """The wanted servers and those that only a pid file in the directory speaks of."""
    specs = {int(spec["port"]): spec for spec in wanted}
    for file in directory.glob("echo-*.pid"):
        port = file.stem[len("echo-") :]
        if port.isdigit():
            specs.setdefault(int(port), {})
    return [Server(directory, port, specs[port] or None) for port in sorted(specs)]


def reconcile(servers: list[Server], check: bool, timeout: float) -> dict[str, Any]:
    """Stop what is not wanted or differs, start what is missing; `check` only predicts.

    Returns ``changed`` and the ports that were ``started``, ``stopped`` or ``kept``, or whose pid
    file led to no process and was ``removed``.
    """
    result: dict[str, Any] = {"started": [], "stopped": [], "kept": [], "removed": []}
    to_start = []
    # Everything is stopped before anything is started: servers may have swapped their ports' names.
    for server in servers:
        running = server.running()
        if running is not None and server.spec is not None and running[1] == server.arguments():
            result["kept"].append(server.port)
            continue
        if running is not None:
            result["stopped"].append(server.port)
            if not check:
                server.stop(running[0], timeout)
        if server.spec is not None:
            to_start.append(server)
        elif running is None:
            result["removed"].append(server.port)
            if not check:
                server.pid_file.unlink()
    for server in to_start:
        result["started"].append(server.port)
        if not check:
            server.start(timeout)
    result["changed"] = bool(result["started"] or result["stopped"] or result["removed"])
    return result


def main(argv: list[str]) -> int:
    """Read the wanted servers, act and print the result; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", type=Path, required=True, help="of server, pid files, logs")
    parser.add_argument(
        "--servers", type=json.loads, required=True, help="list of name, port, bind_address, digest"
    )
    parser.add_argument("--timeout", type=float, default=15.0, help="seconds to wait for a server")
    parser.add_argument("--check", action="store_true", help="predict what would be done")
    options = parser.parse_args(argv)
    servers = known_servers(options.directory, options.servers)
    try:
        result = reconcile(servers, options.check, options.timeout)
    except ProcessError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
