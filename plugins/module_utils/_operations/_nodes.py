# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a gateway that balance requests: itself, further ones, data planes.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._entities._kind import Entity
from .._errors import InputError
from .._gateway._protocol import Gateway, connected
from ._base import Task

STATUS_URLS: dict[str, dict[str, Any]] = {"status_urls": {"type": "list", "elements": "str"}}
_PLACEHOLDERS = ("{ip}", "{hostname}")


def health_by_address(node: Gateway, upstream: str) -> dict[str, Entity]:
    """The targets of an upstream as the balancer of a node has them."""
    return {each["target"]: each for each in node.health(upstream) or []}


def balancing_nodes(task: Task) -> list[Gateway]:
    """Every node whose balancers are read.

    :raises InputError: an invalid URL, or only a control plane, which has no balancers.
    """
    further = further_nodes(task)
    own = [task.gateway] if task.gateway.traits().has_balancer else []
    if not own and not further:
        raise InputError(
            "a control plane has no balancer to wait for; set status_urls to the status URLs of "
            "its data planes, or wait to false"
        )
    return [*own, *further]


def further_nodes(task: Task) -> list[Gateway]:
    """The nodes in ``status_urls``."""
    written: list[str] = task.params.get("status_urls") or []
    urls = dict.fromkeys(url for each in written for url in _expanded(task, each))
    return [task.node(url) for url in urls]


def _expanded(task: Task, url: str) -> Iterator[str]:
    """The URL; with a placeholder, one for each connected data plane."""
    if not any(name in url for name in _PLACEHOLDERS):
        yield url
        return
    planes = connected(task.gateway.data_planes())
    if not planes:
        raise InputError(
            f"status_urls: {task.gateway.url} has no connected data planes for {url}; "
            "set the URL of each data plane"
        )
    if "{ip}" in url and not all(plane.get("ip") for plane in planes):
        raise InputError(
            f"status_urls: {task.gateway.url} does not report the addresses of its data planes; "
            f"use {{hostname}} in {url}, or set the URL of each data plane"
        )
    for plane in planes:
        ip = str(plane.get("ip") or "")
        ip = f"[{ip}]" if ":" in ip else ip
        yield url.replace("{ip}", ip).replace("{hostname}", str(plane.get("hostname") or ""))
