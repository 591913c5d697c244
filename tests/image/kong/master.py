# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that keeps the gateway running: it holds the ports, and answers signals as nginx.

HUP starts a new sandbox with new settings on the same ports and ends the old one; QUIT and TERM
end it. It reads what `kong prepare` has written into the prefix, never the environment.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import NoReturn

from image.kong import database, launch
from image.kong.settings import Invalid, Listener, Settings

SIGNALS = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)

#: The log's levels at which notices are written.
NOTICED = ("debug", "info", "notice")

#: Seconds that a sandbox may take to end, before it is killed.
PATIENCE = 10.0


def log(level: str, message: str) -> None:
    """A line of the error log."""
    stamp = time.strftime("%Y/%m/%d %H:%M:%S")
    print(f"{stamp} [{level}] {os.getpid()}#0: {message}", file=sys.stderr, flush=True)


def prepared(prefix: pathlib.Path) -> Settings:
    """The settings that `kong prepare` has left in a prefix."""
    found: Settings = json.loads((prefix / ".kong_env").read_text(encoding="utf-8"))
    return found


def pid_file(prefix: pathlib.Path) -> pathlib.Path:
    """Where the process notes its id."""
    return prefix / "pids" / "nginx.pid"


def running(prefix: pathlib.Path) -> int | None:
    """The id of the process that serves a prefix."""
    try:
        number = int(pid_file(prefix).read_text(encoding="ascii"))
        command = pathlib.Path(f"/proc/{number}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return number if b"image.kong" in command else None


class Master:
    """One gateway: its ports by name, and the sandbox that serves them."""

    def __init__(self, prefix: pathlib.Path) -> None:
        self.prefix = prefix
        self.sockets: dict[str, tuple[Listener, socket.socket]] = {}
        self.child: subprocess.Popen[str] | None = None
        self.mirror: database.Mirror | None = None

    def run(self) -> int:
        """Serve until told to end; 0, or 1 where it could not start or its sandbox died."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self._start(prepared(self.prefix))
        except Invalid as error:
            log("emerg", str(error))
            return 1
        pid_file(self.prefix).parent.mkdir(parents=True, exist_ok=True)
        pid_file(self.prefix).write_text(f"{os.getpid()}\n", encoding="ascii")
        try:
            return self._serve()
        finally:
            self._end(self.child)
            if self.mirror is not None:
                self.mirror.stop()
            # Last, as nginx does: who waits for it to go may take the ports at once.
            pid_file(self.prefix).unlink(missing_ok=True)

    def _serve(self) -> int:
        while True:
            number = signal.sigwait(SIGNALS)
            if number == signal.SIGHUP:
                self._reload()
            elif number != signal.SIGCHLD:
                return 0
            elif self.child is not None and self.child.poll() is not None:
                log("alert", f"the gateway ended with status {self.child.returncode}")
                return 1

    def _reload(self) -> None:
        old = self.child
        try:
            self._start(prepared(self.prefix))
        except Invalid as error:
            log("error", f"reload refused, the old configuration goes on: {error}")
            self.child = old
            return
        self._end(old)
        log("notice", "reloaded")

    def _start(self, settings: Settings) -> None:
        """Open what is not open yet and start a sandbox; `Invalid` leaves all as it was."""
        before = dict(self.sockets)
        if self.mirror is None and launch.mode(settings) in ("database", "control_plane"):
            self.mirror = database.Mirror(settings, self.prefix)
            if self.mirror.pending is not None:
                said = f"database has pending migrations:\ncore: {self.mirror.pending}"
                log("warn", f"[kong] init.lua {said}")
        try:
            self.sockets = self._opened(launch.addresses(settings))
            self.child = self._spawn(settings)
        except Invalid:
            self._close_but(before)
            self.sockets = before
            raise
        for name, (_listener, sock) in before.items():
            if self.sockets.get(name, (None, None))[1] is not sock:
                sock.close()
        document = settings.get("declarative_config")
        noticed = settings.get("log_level", "notice") in NOTICED
        if document and noticed and launch.mode(settings) == "dbless":
            said = f"declarative config loaded from {document}"
            log("notice", f"[kong] init.lua {said}, context: init_worker_by_lua*")

    def _opened(self, wanted: dict[str, Listener]) -> dict[str, tuple[Listener, socket.socket]]:
        found = {}
        for name, listener in wanted.items():
            old = self.sockets.get(name)
            same = old is not None and old[0] == listener
            found[name] = old if same and old else (listener, _bound(listener))
        return found

    def _close_but(self, kept: dict[str, tuple[Listener, socket.socket]]) -> None:
        for name, (_listener, sock) in self.sockets.items():
            if kept.get(name, (None, None))[1] is not sock:
                sock.close()

    def _spawn(self, settings: Settings) -> subprocess.Popen[str]:
        numbers = {name: sock.fileno() for name, (_listener, sock) in self.sockets.items()}
        options = launch.arguments(settings, self.prefix, numbers)
        child = subprocess.Popen(
            [sys.executable, "-m", "image.kong.worker", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            pass_fds=list(numbers.values()),
        )
        assert child.stdout is not None
        if not child.stdout.readline():
            child.wait()
            raise Invalid("the gateway could not start, see the line above")
        # Nothing else is expected there, but a full pipe would stop the gateway.
        threading.Thread(target=child.stdout.read, daemon=True).start()
        return child

    @staticmethod
    def _end(child: subprocess.Popen[str] | None) -> None:
        if child is None:
            return
        child.terminate()
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _bound(listener: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((listener.host, listener.port))
    except OSError as error:
        sock.close()
        raise Invalid(
            f"bind() to {listener.host}:{listener.port} failed ({error.errno}: {error.strerror})"
        ) from error
    sock.listen(512)
    return sock


def become(prefix: pathlib.Path) -> NoReturn:
    """Turn the present process into the one that serves a prefix."""
    os.execv(sys.executable, [sys.executable, "-m", "image.kong.nginx", "-p", str(prefix)])
