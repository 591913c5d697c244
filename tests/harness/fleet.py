# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many sandbox gateways in one process, which costs a tenth of as many processes."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.gateway import Gateway
from harness.paths import ROOT
from harness.processes import server
from sandbox.app import Sandbox
from sandbox.options import parse

_READY = re.compile(r"(http://\S+) (http://\S+)")


@contextmanager
def fleet(number: int, *options: str) -> Iterator[list[Gateway]]:
    """Run so many sandboxes on free ports until the block ends."""
    arguments = ["-m", "harness.fleet", str(number), *options]
    with server(arguments, r"^fleet ready (.*)$", {"PYTHONPATH": str(ROOT / "tests")}) as found:
        yield [
            Gateway(admin_url=admin, proxy_url=proxy)
            for admin, proxy in _READY.findall(found[1])
        ]


def _listening() -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    sock.listen(128)
    return sock


async def _serve(sandboxes: list[Sandbox]) -> None:
    tasks = [asyncio.create_task(each.run()) for each in sandboxes]
    # Each of them says that it is ready; signals are for all of them.
    await asyncio.sleep(0)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    urls = [
        " ".join(f"http://127.0.0.1:{each.node.ports[name]}" for name in ("admin", "proxy"))
        for each in sandboxes
    ]
    print("fleet ready", " ".join(urls), flush=True)
    await ended.wait()
    for task in tasks:
        task.cancel()


def main(number: int, options: list[str]) -> None:
    """Serve until a signal comes."""
    parsed = parse(options)
    sandboxes = [
        Sandbox(parsed, {"admin": _listening(), "proxy": _listening()}) for _each in range(number)
    ]
    asyncio.run(_serve(sandboxes))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
