# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name resolution for targets and services, off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass

LOOKUP_TIMEOUT = 2.0
"""Seconds after which a name that the system's resolver still chews on counts as unknown."""

AT_ONCE = 16
"""Look-ups under way at the same time, at most."""

NAME_ERROR = "dns server error: 3 name error"
"""What a gateway shows as `dns` of a target whose name does not resolve."""


@dataclass(frozen=True)
class Answer:
    """What a name resolves to: the record type or the error text, and the addresses.

    `addresses` is empty exactly where `dns` is an error. IPv6 addresses are expanded and
    bracketed, as the gateway writes them in targets.
    """

    dns: str
    addresses: tuple[str, ...] = ()


def _literal(host: str) -> Answer | None:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return _answer([address])


def _answer(addresses: Iterable[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> Answer:
    """The A records where there are any, as a gateway's default DNS order has it."""
    found = sorted(set(addresses), key=lambda address: (address.version, int(address)))
    if not found:
        return Answer(NAME_ERROR)
    if found[0].version == 4:
        return Answer("A", tuple(str(each) for each in found if each.version == 4))
    return Answer("AAAA", tuple(f"[{each.exploded}]" for each in found))


def _look_up(host: str) -> Answer:
    try:
        records = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return Answer(NAME_ERROR)
    # A link-local IPv6 address may carry a zone, which is no part of the address.
    texts = (str(record[4][0]).partition("%")[0] for record in records)
    return _answer(ipaddress.ip_address(text) for text in texts)


async def resolve(host: str, timeout: float = LOOKUP_TIMEOUT) -> Answer:
    """Resolve a name or an IP literal (IPv6 with or without brackets). Never raises.

    `.invalid` is answered here, without asking anybody (RFC 6761, 6.4).
    """
    literal = _literal(host)
    if literal is not None:
        return literal
    if host.rstrip(".").lower().endswith(".invalid"):
        return Answer(NAME_ERROR)
    try:
        return await asyncio.wait_for(_look_up_aside(host), timeout)
    except TimeoutError:
        return Answer(NAME_ERROR)


async def _look_up_aside(host: str) -> Answer:
    """Look up in a daemon thread: a slow name server must not hold up the end of the program."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Answer] = loop.create_future()

    def settle(answer: Answer) -> None:
        if not future.done():
            future.set_result(answer)

    def work() -> None:
        answer = _look_up(host)
        # The loop may have been closed in the meantime; then nobody waits for the answer.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, answer)

    threading.Thread(target=work, daemon=True).start()
    return await future


class Resolver:
    """Remembers answers until `refresh()`; one look-up a name however often it is asked."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}

    async def answers(self, hosts: Iterable[str]) -> dict[str, Answer]:
        """The answers for all of `hosts`; names seen for the first time are looked up at once."""
        wanted = set(hosts)
        missing = sorted(wanted - self._answers.keys())
        for host, answer in zip(missing, await self._resolve_all(missing), strict=True):
            self._answers[host] = answer
        return {host: self._answers[host] for host in wanted}

    async def refresh(self) -> bool:
        """Look all known names up again; true where an answer changed."""
        hosts = sorted(self._answers)
        fresh = dict(zip(hosts, await self._resolve_all(hosts), strict=True))
        changed = any(self._answers[host] != answer for host, answer in fresh.items())
        self._answers.update(fresh)
        return changed

    def keep_only(self, hosts: Iterable[str]) -> None:
        """Forget the names that no entity uses any more."""
        wanted = set(hosts)
        self._answers = {host: each for host, each in self._answers.items() if host in wanted}

    @staticmethod
    async def _resolve_all(hosts: list[str]) -> list[Answer]:
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(host: str) -> Answer:
            async with limit:
                return await resolve(host)

        return list(await asyncio.gather(*(one(host) for host in hosts)))
