# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests through a gateway's proxy, one after the other, while a test changes the gateway."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

# Responses that are looked at to see which servers answer, and seconds to wait for them.
_WINDOW, _PATIENCE = 30, 60.0


class Traffic:
    """The responses so far: status and name of the echo server, or the error."""

    def __init__(self) -> None:
        self._responses: list[tuple[int | str, str]] = []
        self._more = threading.Condition()
        self._begun = False

    def send(self, url: str, ended: threading.Event) -> None:
        """Send requests until `ended`; those before the first 200 are not counted."""
        with httpx.Client(trust_env=False, timeout=10) as client:
            while not ended.is_set():
                seen: tuple[int | str, str]
                try:
                    response = client.get(url)
                    seen = (response.status_code, response.headers.get("X-Echo-Server", ""))
                except httpx.HTTPError as exc:
                    seen = (type(exc).__name__, "")
                with self._more:
                    self._begun = self._begun or seen[0] == 200
                    if self._begun:
                        self._responses.append(seen)
                        self._more.notify_all()
                ended.wait(0.005)

    def until_servers_are(self, names: set[str]) -> None:
        """Wait until the responses come from these servers, from each of them and no other."""
        with self._more:
            start = len(self._responses)

            def are_there() -> bool:
                window = self._responses[start:][-_WINDOW:]
                return len(window) == _WINDOW and {name for _status, name in window} == names

            assert self._more.wait_for(are_there, _PATIENCE), self._responses[-_WINDOW:]

    def failed(self) -> list[tuple[int | str, str]]:
        """The responses that are not 200."""
        with self._more:
            return [each for each in self._responses if each[0] != 200]


@contextmanager
def traffic(url: str) -> Iterator[Traffic]:
    """Send requests until the block ends."""
    seen, ended = Traffic(), threading.Event()
    thread = threading.Thread(target=seen.send, args=(url, ended), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
