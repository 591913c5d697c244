# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connect to a gateway and identify it: the operation behind ``kong_ping``.

Private to the collection.
"""

from __future__ import annotations

from typing import Any

from .._argspec import ArgumentSpec
from .._deadline import Deadline, poll
from .._errors import InputError, KongError, Refused, UnexpectedAnswer, Unreachable
from ._base import Operation, Result, Task


def run_ping(task: Task) -> Result:
    gateway = task.gateway
    found = _wait(task) if task.params.get("wait") else gateway.identify()
    return {"changed": False, "msg": gateway.describe(found), "url": gateway.url, **found}


def _wait(task: Task) -> dict[str, Any]:
    """Ping until it responds; refused credentials end the wait."""
    interval, timeout = task.params["wait_interval"], task.params["wait_timeout"]
    try:
        return poll(
            task.gateway.identify,
            Deadline(timeout),
            temporary=lambda exc: not _is_final(exc),
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
    writes=False,
)
