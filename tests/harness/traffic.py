# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests through a proxy beside a test, which must all be answered."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

# Requests a second, and how many of them are sent at most.
RATE = 200
MOST = 20_000
_CONNECTIONS = 4
# Responses that show which servers answer, and seconds to wait for them.
_WINDOW, _PATIENCE = 30, 60.0


@dataclass
class Traffic:
    """What became of the requests since the first 200: statuses, or what went wrong."""

    answers: Counter[str] = field(default_factory=Counter)
    servers: Counter[str] = field(default_factory=Counter)
    _recent: deque[str] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _more: threading.Condition = field(default_factory=threading.Condition)

    @property
    def total(self) -> int:
        """How many requests were sent."""
        return sum(self.answers.values())

    @property
    def failed(self) -> dict[str, int]:
        """What was not answered with 200."""
        return {answer: count for answer, count in self.answers.items() if answer != "200"}

    def add(self, answer: str, server: str) -> None:
        """Count one request; a new route is not known to a proxy at once."""
        with self._more:
            if answer == "200" or self.answers:
                self.answers[answer] += 1
                self.servers[server] += 1
                self._recent.append(server)
                self._more.notify_all()

    def until_servers_are(self, names: set[str]) -> None:
        """Wait until the responses come from these servers, from each of them and no other."""
        with self._more:
            self._recent.clear()
            seen = self._more.wait_for(
                lambda: len(self._recent) == _WINDOW and set(self._recent) == names, _PATIENCE
            )
            assert seen, (names, self._recent, self.answers)


@contextmanager
def traffic(url: str) -> Iterator[Traffic]:
    """Send requests until the block ends, `RATE` a second where the machine allows it."""
    sent, stop = Traffic(), threading.Event()

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
                sent.add(answer, str(server))
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
