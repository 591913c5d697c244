# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether responses are shared among servers as their weights say. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# More requests are sent only where the option says so.
MOST_BY_DEFAULT = 100


@dataclass(frozen=True)
class Expected:
    """A server and its weight; one without a name stands for any server that is not named."""

    weight: int
    name: str | None = None


@dataclass(frozen=True)
class Response:
    """What one request led to.

    :param status: None where there was no response; ``error`` then says why.
    :param server: the name of the server, None where the response does not contain it.
    """

    seconds: float
    status: int | None = None
    server: str | None = None
    error: str = ""


@dataclass(frozen=True)
class Share:
    """How many requests one server should have responded to, and did."""

    name: str
    count: int
    weight: int
    expected: float
    deviation: int

    @property
    def fair(self) -> bool:
        is_near = abs(self.count - self.expected) <= self.deviation
        return is_near and not (self.weight == 0 and self.count)

    def as_result(self, requests: int) -> dict[str, Any]:
        return {
            "name": self.name,
            "count": self.count,
            "weight": self.weight,
            "expected": round(self.expected, 1),
            "percent": round(100 * self.count / requests, 1),
        }


def round_of(expected: Sequence[Expected]) -> int:
    """Requests after which each server had its exact share: the weights in lowest terms, summed."""
    weights = [each.weight for each in expected]
    return sum(weights) // max(math.gcd(*weights), 1)


def default_requests(expected: Sequence[Expected]) -> int:
    """Two rounds of the weights, or one where that is many, and never more than a hundred."""
    if not expected:
        return 1
    whole = round_of(expected)
    return 2 * whole if 2 * whole <= MOST_BY_DEFAULT else min(whole, MOST_BY_DEFAULT)


def allowed_deviation(expected: Sequence[Expected], requests: int, tolerance: int) -> int:
    """Responses by which a share may be off: a tenth of them where the rounds are not whole."""
    is_whole = requests % max(round_of(expected), 1) == 0
    return max(tolerance, 0 if is_whole else requests // 10)


def count_servers(responses: Sequence[Response]) -> dict[str, int]:
    """Responses by server, by name."""
    counts = Counter(each.server for each in responses if each.server is not None)
    return {name: counts[name] for name in sorted(counts)}


def shares_of(
    expected: Sequence[Expected], counts: Mapping[str, int], requests: int, deviation: int
) -> list[Share]:
    """The share of each expected server, and of each one that was not expected.

    Servers without a name are compared by size: that with most responses has the highest weight.
    """
    total = sum(each.weight for each in expected)
    weights: Counter[str] = Counter()
    for each in expected:
        if each.name is not None:
            weights[each.name] += each.weight
    unnamed = sorted((each.weight for each in expected if each.name is None), reverse=True)
    others = sorted((name for name in counts if name not in weights), key=lambda n: -counts[n])
    found = list(weights.items())
    for position in range(max(len(unnamed), len(others))):
        name = others[position] if position < len(others) else "nobody"
        found.append((name, unnamed[position] if position < len(unnamed) else 0))
    return [
        Share(name, counts.get(name, 0), weight, requests * weight / total, deviation)
        for name, weight in found
    ]


def latency_of(responses: Sequence[Response]) -> dict[str, float]:
    """Seconds that responses took; empty where there was none."""
    seconds = sorted(each.seconds for each in responses if each.status is not None)
    if not seconds:
        return {}
    values = {
        "min": seconds[0],
        "median": percentile(seconds, 50),
        "p95": percentile(seconds, 95),
        "max": seconds[-1],
    }
    return {name: round(value, 4) for name, value in values.items()}


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest of ``ordered`` numbers that ``percent`` of them do not exceed."""
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def table_of(
    shares: Sequence[Share], statuses: Mapping[str, int], latency: Mapping[str, float]
) -> list[str]:
    """The results as the lines of a table."""
    lines = []
    if shares:
        rows = [("server", "weight", "expected", "responses")] + [
            (each.name, str(each.weight), f"{each.expected:.4g}", str(each.count))
            for each in shares
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in rows
        ]
    lines += [f"{status}: {count}" for status, count in statuses.items()]
    if latency:
        lines.append(", ".join(f"{name} {value * 1000:.0f} ms" for name, value in latency.items()))
    return lines
