# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the event source upstream_health costs: `make benchmark-events DURATION=600`.

One process polls 100 upstreams of 20 targets each, on ten gateways, once a second; the gateways are
a program of their own that answers from memory, and changes one target now and then. Printed are
the part of one core and the memory of the polling process over each tenth of the time.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import runpy
import sys
import time
from typing import Any

from harness.paths import ROOT
from harness.processes import server

GATEWAYS, UPSTREAMS, TARGETS = 10, 10, 20
SOURCE = ROOT / "extensions/eda/plugins/event_source/upstream_health.py"
# One response in so many is another one than the last.
CHANGE_EVERY = 200


def _entries(upstream: str, sick: int | None) -> bytes:
    """A response to /upstreams/NAME/health as a gateway gives it."""
    data = [
        {
            "target": f"10.0.{number}.1:8080",
            "weight": 100,
            "id": f"00000000-0000-4000-8000-{number:012}",
            "created_at": 1764500000.123,
            "updated_at": 1764500000.123,
            "upstream": {"id": f"11111111-0000-4000-8000-{abs(hash(upstream)) % 10**12:012}"},
            "health": "UNHEALTHY" if number == sick else "HEALTHY",
            "data": {
                "host": f"10.0.{number}.1",
                "port": 8080,
                "dns": "A",
                "nodeWeight": 100,
                "weight": {"total": 100, "available": 100, "unavailable": 0},
                "addresses": [
                    {"ip": f"10.0.{number}.1", "port": 8080, "weight": 100, "health": "HEALTHY"}
                ],
            },
        }
        for number in range(TARGETS)
    ]
    return json.dumps({"data": data, "next": None, "node_id": "x"}).encode()


async def _serve() -> None:
    """Answer on GATEWAYS ports of loopback until the process is ended."""
    well, sick = _entries("u", None), _entries("u", 3)
    names = json.dumps({"data": [{"name": f"u{each}"} for each in range(UPSTREAMS)]}).encode()
    answered = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        while head := await reader.readuntil(b"\r\n\r\n"):
            answered += 1
            body = names if b"/health" not in head else well
            if body is well and answered % CHANGE_EVERY == 0:
                body = sick
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )

    async def safely(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    servers = [await asyncio.start_server(safely, "127.0.0.1", 0) for _number in range(GATEWAYS)]
    ports = [each.sockets[0].getsockname()[1] for each in servers]
    print("ready", *ports, flush=True)
    await asyncio.gather(*(each.serve_forever() for each in servers))


def _memory() -> float:
    """Resident memory of this process in MiB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _measure(ports: list[str], seconds: float) -> None:
    queue: asyncio.Queue[Any] = asyncio.Queue()
    args = {"gateways": [f"http://127.0.0.1:{port}" for port in ports], "interval": 1}
    source = asyncio.create_task(runpy.run_path(str(SOURCE))["main"](queue, args))
    events, begun = 0, _cpu()
    for part in range(1, 11):
        before = _cpu(), time.monotonic()
        await asyncio.sleep(seconds / 10)
        while not queue.empty():
            queue.get_nowait()
            events += 1
        share = (_cpu() - before[0]) / (time.monotonic() - before[1])
        print(f"{part * seconds / 10:6.0f} s  {share:6.2%} of one core  {_memory():5.1f} MiB")
    source.cancel()
    print(f"{events} events; {(_cpu() - begun) / seconds:.2%} of one core over all")


def main() -> None:
    """Measure for DURATION seconds (60)."""
    seconds = float(os.environ.get("DURATION") or 60)
    shape = f"{GATEWAYS} gateways x {UPSTREAMS} upstreams x {TARGETS} targets, each second"
    with server(["-m", "benchmark.events", "serve"], r"^ready (.+)") as found:
        print(shape, flush=True)
        asyncio.run(_measure(found[1].split(), seconds))


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
    else:
        main()
