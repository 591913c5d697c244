# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a sandbox gateway in the foreground: `PYTHONPATH=tests python -m sandbox --help`."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable

from .app import Sandbox
from .options import Refused, parse


def listening(host: str, port: int) -> socket.socket:
    """A bound socket. It says that it is TCP, else asyncio leaves Nagle's delay on: 40 ms."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)[0]
    sock = socket.socket(*found[:3])
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(found[4])
    sock.listen(512)
    return sock


def _tell(refused: Refused) -> None:
    print(refused, file=sys.stderr)


def main(tell: Callable[[Refused], None] = _tell) -> int:
    """Exit status: 0 ended by a signal, 1 a port is taken, 2 not built or not understood.

    `tell` is given why it is not built.
    """
    try:
        options = parse()
    except Refused as error:
        tell(error)
        return 2
    try:
        sockets = {name: socket.socket(fileno=fd) for name, fd in options.inherited.items()}
        if not sockets:
            sockets = {name: listening(options.host, port) for name, port in options.ports.items()}
    except OSError as error:
        print(f"The sandbox cannot listen on {options.host}: {error}.", file=sys.stderr)
        return 1
    try:
        sandbox = Sandbox(options, sockets)
    except Refused as error:
        tell(error)
        return 2
    asyncio.run(sandbox.run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
