# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is the gateway there, and which one is it: the operation behind ``kong_ping``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._argspec import ArgumentSpec
from .._deadline import Deadline, poll
from .._errors import InputError, KongError, Refused, UnexpectedAnswer, Unreachable
from .._gateway import Gateway
from ._base import Operation, Result, Task


def identify(gateway: Gateway) -> dict[str, Any]:
    """Version, edition, role and database of a gateway, from its root.

    :raises UnexpectedAnswer: the answer is JSON, but not that of a gateway.
    """
    root = gateway.root()
    version = root.get("version")
    if not version:
        raise UnexpectedAnswer(
            f"{gateway.url} does not answer as an Admin API does (no version): check admin_url"
        )
    configuration: Mapping[str, Any] = root.get("configuration") or {}
    return {
        "version": version,
        "edition": root.get("edition") or _edition_of(version),
        "role": configuration.get("role"),
        "database": configuration.get("database"),
        "hostname": root.get("hostname"),
    }


def _edition_of(version: str) -> str:
    # Enterprise counts in four numbers: 3.4.3.3, at times with a suffix.
    return "enterprise" if version.count(".") == 3 or "enterprise" in version else "community"


def run_ping(task: Task) -> Result:
    found = _wait(task) if task.params.get("wait") else identify(task.gateway)
    message = (
        f"Connected to Kong Gateway {found['version']} ({found['edition']}) at {task.gateway.url}"
    )
    return {"changed": False, "msg": message, "url": task.gateway.url, **found}


def _wait(task: Task) -> dict[str, Any]:
    """Ping until it answers; credentials that are refused are not waited for."""
    interval, timeout = task.params["wait_interval"], task.params["wait_timeout"]
    try:
        return poll(
            lambda: identify(task.gateway),
            Deadline(timeout),
            passing=lambda exc: not _is_final(exc),
            pause=interval,
            longest_pause=interval,
        )
    except (Unreachable, Refused, UnexpectedAnswer) as exc:
        exc.within(f"waited {timeout} s")
        raise


def _is_final(exc: KongError) -> bool:
    refused = isinstance(exc, Refused) and exc.status in (401, 403)
    return refused or bool(exc.failure.get("final")) or isinstance(exc, InputError)


KONG_PING = Operation(
    name="kong_ping",
    spec=ArgumentSpec(
        options={
            "wait": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 60},
            "wait_interval": {"type": "float", "default": 1.0},
        }
    ),
    run=run_ping,
)
