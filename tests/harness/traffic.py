# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests through a proxy beside a test, which must all be answered."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

# Requests a second, and how many of them are sent at most.
RATE = 200
MOST = 20_000
_CONNECTIONS = 4


@dataclass
class Traffic:
    """What became of the requests: statuses, or what went wrong."""

    answers: Counter[str] = field(default_factory=Counter)
    servers: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many requests were sent."""
        return sum(self.answers.values())

    @property
    def failed(self) -> dict[str, int]:
        """What was not answered with 200."""
        return {answer: count for answer, count in self.answers.items() if answer != "200"}


@contextmanager
def traffic(url: str) -> Iterator[Traffic]:
    """Send requests until the block ends, `RATE` a second where the machine allows it."""
    sent, lock, stop = Traffic(), threading.Lock(), threading.Event()

    def send() -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            due = time.monotonic()
            while not stop.is_set() and sent.total < MOST:
                try:
                    response = client.get(url)
                    answer = str(response.status_code)
                    server = response.headers.get("X-Echo-Server")
                except httpx.HTTPError as exc:
                    answer, server = repr(exc), None
                with lock:
                    sent.answers[answer] += 1
                    sent.servers[str(server)] += 1
                # Where the machine is slow, requests are sent late and not left out.
                due = max(due + _CONNECTIONS / RATE, time.monotonic() - 1)
                stop.wait(max(0.0, due - time.monotonic()))

    threads = [threading.Thread(target=send) for _each in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    try:
        yield sent
    finally:
        stop.set()
        for thread in threads:
            thread.join()
