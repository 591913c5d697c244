# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy on loopback that delays what a client sends.

`python -m benchmark.delay HOST PORT SECONDS`, a process of its own that takes no time from what is
measured: what is sent arrives SECONDS later, however many connections there are. Prints one line
when it listens.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

# Bytes that are read at once.
CHUNK = 65536


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on what comes, each piece `delay` seconds after it came."""
    clock = asyncio.get_running_loop().time
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def take() -> None:
        data = b"-"
        while data:
            data = await reader.read(CHUNK)
            pieces.put_nowait((clock() + delay, data))

    taking = asyncio.create_task(take())
    try:
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(due - clock())
            if not data:
                break
            writer.write(data)
            await writer.drain()
    finally:
        taking.cancel()
        writer.close()


async def serve(host: str, port: int, delay: float) -> None:
    """Stand before `host:port` until the process ends."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, port)
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(_pump(reader, back, delay), _pump(there, writer, 0.0))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(f"delay ready {server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
