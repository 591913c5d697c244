# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The balancing algorithms: which of the usable addresses gets a request."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .healthchecks import AddressKey

LATENCY_MEMORY = 0.7
"""Share of the old average in the moving average of an address's latency."""


@dataclass(eq=False)
class Address:
    """One address of a target, with what the algorithms remember about it."""

    ip: str
    port: int
    weight: int
    host: str
    in_flight: int = 0
    latency: float | None = None
    credit: int = 0

    @property
    def key(self) -> AddressKey:
        return (self.ip, self.port, self.host)

    def observe(self, seconds: float) -> None:
        """Take the latency of one answer into the moving average."""
        old = seconds if self.latency is None else self.latency
        self.latency = LATENCY_MEMORY * old + (1 - LATENCY_MEMORY) * seconds


class Algorithm(Protocol):
    """Picks from `usable`, which is never empty and has positive weights only."""

    def __call__(self, usable: Sequence[Address], hash_key: str | None) -> Address:
        ...


def round_robin(usable: Sequence[Address], hash_key: str | None = None) -> Address:
    """Smooth weighted round robin: 300 to 100 gives three to one in every four."""
    for address in usable:
        address.credit += address.weight
    chosen = max(usable, key=lambda address: address.credit)
    chosen.credit -= sum(address.weight for address in usable)
    return chosen


def least_connections(usable: Sequence[Address], hash_key: str | None = None) -> Address:
    """The fewest requests under way for its weight; round robin where several have as few."""
    load = {address.key: (address.in_flight + 1) / address.weight for address in usable}
    fewest = min(load.values())
    return round_robin([address for address in usable if load[address.key] == fewest])


def latency(usable: Sequence[Address], hash_key: str | None = None) -> Address:
    """The lowest average latency; addresses not tried yet come first."""
    lowest = min(address.latency or 0.0 for address in usable)
    return round_robin([address for address in usable if (address.latency or 0.0) == lowest])


def consistent_hashing(usable: Sequence[Address], hash_key: str | None) -> Address:
    """Weighted rendezvous hashing: a lost address moves only its own keys.

    Without anything to hash it is round robin.
    """
    if hash_key is None:
        return round_robin(usable)

    def score(address: Address) -> float:
        text = f"{address.ip}:{address.port}|{hash_key}".encode()
        # 53 bits, so that the quotient is a float strictly between 0 and 1.
        number = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 11
        return -address.weight / math.log((number + 0.5) / 2**53)

    return max(usable, key=score)


ALGORITHMS: dict[str, Algorithm] = {
    "round-robin": round_robin,
    "least-connections": least_connections,
    "consistent-hashing": consistent_hashing,
    "latency": latency,
}
