# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files to measure with: pools of targets, and a mix of kinds."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

# The tag of all that state files make, and how the names of all of it begin.
TAG = "irishtek-bench"


@dataclass(frozen=True, eq=False)
class Shape:
    """A state file of `count` entities; `change` makes another one that differs in one field."""

    name: str
    count: int
    document: Document
    change: Callable[[Document], None]

    @property
    def changed(self) -> Document:
        """The document with one field changed."""
        document = deepcopy(self.document)
        self.change(document)
        return document


def shapes(pools: tuple[tuple[int, int], ...], services: int) -> list[Shape]:
    """One file for each (upstreams, targets of each), and a mix of `services` times five."""
    return [*(_pool(upstreams, targets) for upstreams, targets in pools), _mix(services)]


def _state(**entities: list[dict[str, Any]]) -> Document:
    return {"_format_version": "3.0", "_info": {"select_tags": [TAG]}, **entities}


def _pool(upstreams: int, targets: int) -> Shape:
    listed = [
        {
            "name": f"{TAG}-{number}",
            # Networks for documentation and benchmarks (RFC 2544), never connected to.
            "targets": [
                {"target": f"198.18.{number}.1:{10000 + port}", "weight": 100}
                for port in range(targets)
            ],
        }
        for number in range(upstreams)
    ]
    noun = "upstream" if upstreams == 1 else "upstreams"
    return Shape(
        f"{upstreams} {noun} of {targets} targets",
        upstreams * (targets + 1), _state(upstreams=listed), _change_weight,
    )


def _mix(services: int) -> Shape:
    listed = [
        {
            "name": f"{TAG}-{number}",
            "host": f"{TAG}.invalid",
            "routes": [
                {"name": f"{TAG}-{number}-{way}", "paths": [f"/{TAG}/{number}/{way}"]}
                for way in ("read", "write")
            ],
            "plugins": [
                {"name": "correlation-id", "config": {"header_name": f"X-Request-{number}"}}
            ],
        }
        for number in range(services)
    ]
    consumers = [{"username": f"{TAG}-{number}"} for number in range(services)]
    return Shape(
        f"{services * 5} services, routes, plugins and consumers",
        services * 5, _state(services=listed, consumers=consumers), _change_retries,
    )


def _change_weight(document: Document) -> None:
    document["upstreams"][-1]["targets"][-1]["weight"] = 300


def _change_retries(document: Document) -> None:
    document["services"][-1]["retries"] = 7
