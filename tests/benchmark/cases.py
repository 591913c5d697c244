# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: the same targets written by this collection and by `ansible.builtin.uri`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Work:
    """One side of a comparison: a playbook's tasks that bring `count` targets to `upstream`."""

    upstream: str
    count: int
    tasks: list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """Two sides; `wanted` is the share of the right side's time that the left side must not reach.

    Without `wanted` the ratio is only told.
    """

    name: str
    left: Work
    right: Work
    wanted: float | None

    @property
    def works(self) -> tuple[Work, Work]:
        """Both sides."""
        return self.left, self.right


def address(number: int) -> str:
    """The target number `number`; of a network for documentation (RFC 5737), never connected to."""
    return f"192.0.2.1:{10000 + number}"


def _collection(upstream: str, target: str) -> dict[str, Any]:
    options = {"upstream": upstream, "target": target, "weight": 100}
    return {"name": "Target", "irishtek.kong.kong_target": options}


def _uri(upstream: str, target: str, token: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "url": "{{ lookup('ansible.builtin.env', 'KONG_ADMIN_URL') }}"
        f"/upstreams/{upstream}/targets",
        "method": "POST",
        "body_format": "json",
        "body": {"target": target, "weight": 100},
        "status_code": [201, 409],
    }
    if token:
        secret = "{{ lookup('ansible.builtin.env', 'KONG_ADMIN_TOKEN') }}"
        options["headers"] = {"Kong-Admin-Token": secret}
    return {"name": "Target", "ansible.builtin.uri": options}


def cases(token: bool, count: int = 50, many: int = 500) -> list[Case]:
    """The comparisons, of `count` targets one by one and `many` in one task.

    `token` says whether the gateway wants one (KONG_ADMIN_TOKEN).
    """
    few = [address(number) for number in range(count)]
    listed = [{"target": address(number), "weight": 100} for number in range(many)]
    ours, theirs, all_in_one = (f"irishtek-bench-{name}" for name in ("collection", "uri", "bulk"))
    looped = Work(ours, count, [{**_collection(ours, "{{ item }}"), "loop": few}])
    looped_uri = Work(theirs, count, [{**_uri(theirs, "{{ item }}", token), "loop": few}])
    separate = Work(ours, count, [_collection(ours, target) for target in few])
    separate_uri = Work(theirs, count, [_uri(theirs, target, token) for target in few])
    options = {"name": all_in_one, "targets": listed}
    bulk = Work(all_in_one, many, [{"name": "All", "irishtek.kong.kong_upstream": options}])
    return [
        Case(f"{count} targets in a loop, and in a loop of uri", looped, looped_uri, 0.1),
        Case(f"{count} tasks for a target each, and of uri", separate, separate_uri, 0.2),
        Case(f"{many} targets in one task, and {count} in a loop of uri", bulk, looped_uri, None),
    ]
