# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mark a target healthy or unhealthy: the operation behind ``kong_target_health``.

PRIVATE to the collection: it can change in any release.

Source of the rules: the conformance cases health_states and target_health.
"""

from __future__ import annotations

import time
from typing import Any

from .._address import normalise_address
from .._argspec import ArgumentSpec
from .._entities._identity import refuse_empty
from .._entities._kind import Entity
from .._entities._upstream import UPSTREAM
from .._errors import InputError, KongError
from .._gateway._errors import NoBalancer
from .._gateway._protocol import Gateway
from ._base import Operation, Result, Task

_PAUSE = 0.5


def run_target_health(task: Task) -> Result:
    params, gateway = task.params, task.gateway
    address = params.get("address") and normalise_address(params["address"])
    target = normalise_address(params["target"])
    subject = f"health of target {target} of upstream {params['upstream']} at {gateway.url}"
    try:
        refuse_empty(UPSTREAM.name, params["upstream"])
        _refuse_without_balancer(gateway)
        before = _health(task, target, address)
        wanted = params["health"].upper()
        changed = before != wanted
        if changed and before == "HEALTHCHECKS_OFF":
            raise InputError("the upstream has no health checks, so a target has no health to set")
        if changed and not task.check_mode:
            _set_health(task, target, address)
    except KongError as exc:
        exc.within(subject)
        raise
    result: Result = {"changed": changed, "target": target, "health": wanted}
    if task.diff:
        result["diff"] = {
            "before_header": subject,
            "after_header": subject,
            "before": {"health": before},
            "after": {"health": wanted},
        }
    return result


def _refuse_without_balancer(gateway: Gateway) -> None:
    if not gateway.traits().has_balancer:
        raise InputError(
            "a control plane balances no requests, so its targets have no health to set: "
            "take one out with state drained of kong_target"
        )


def _health(task: Task, target: str, address: str | None) -> str | None:
    """The target's (or one of its addresses') health; waits for a balancer to exist.

    :raises InputError: no such upstream, target or address.
    """
    deadline = time.monotonic() + task.params["wait_timeout"]
    while True:
        seen = _look(task, target)
        state = _state(seen, address)
        if state is not None or task.check_mode or time.monotonic() + _PAUSE > deadline:
            return state
        time.sleep(_PAUSE)


def _look(task: Task, target: str) -> Entity:
    listed = task.gateway.health(task.params["upstream"])
    if listed is None:
        raise InputError("the upstream does not exist")
    found = next((each for each in listed if each["target"] == target), None)
    if found is None:
        raise InputError("the target does not exist")
    return found


def _state(seen: Entity, address: str | None) -> str | None:
    if address is None:
        return seen.get("health")
    data: dict[str, Any] = seen.get("data") or {}
    for each in data.get("addresses") or ():
        if normalise_address(f"{each['ip']}:{each['port']}") == address:
            return str(each["health"])
    if data:
        raise InputError(f"the target has no address {address}")
    return None


def _set_health(task: Task, target: str, address: str | None) -> None:
    """Tell the gateway; right after an upstream was made it has no balancer yet, so try again."""
    deadline = time.monotonic() + task.params["wait_timeout"]
    while True:
        try:
            task.gateway.set_health(task.params["upstream"], target, address, task.params["health"])
            return
        except NoBalancer:
            if time.monotonic() + _PAUSE > deadline:
                raise
        time.sleep(_PAUSE)


KONG_TARGET_HEALTH = Operation(
    name="kong_target_health",
    spec=ArgumentSpec(
        options={
            "upstream": {"type": "str", "required": True},
            "target": {"type": "str", "required": True},
            "address": {"type": "str"},
            "health": {"type": "str", "required": True, "choices": ["healthy", "unhealthy"]},
            "wait_timeout": {"type": "int", "default": 30},
        }
    ),
    run=run_target_health,
)
