# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mark a target healthy or unhealthy: the operation behind ``kong_target_health``.

PRIVATE to the collection: it can change in any release.

Source of the rules: the conformance cases health_states and target_health.
"""

from __future__ import annotations

from typing import Any

from .._address import doubts_about_address, normalise_address
from .._apply import parent_key
from .._argspec import ArgumentSpec
from .._deadline import Deadline, NotYet, poll
from .._entities._identity import find_by_reference, refuse_empty
from .._entities._kind import Entity
from .._entities._target import TARGET
from .._entities._upstream import UPSTREAM
from .._errors import InputError, KongError
from .._gateway._errors import NoBalancer
from .._gateway._protocol import Gateway
from ._base import Operation, Result, Task

_PASSIVE_LIMITS = ("tcp_failures", "http_failures", "timeouts")


def run_target_health(task: Task) -> Result:
    params, gateway = task.params, task.gateway
    address = params.get("address") and normalise_address(params["address"])
    target = normalise_address(params["target"])
    for doubt in doubts_about_address(params["target"]):
        task.warn(f"target {doubt}")
    subject = f"health of target {target} of upstream {params['upstream']} at {gateway.url}"
    deadline = Deadline(params["wait_timeout"])
    try:
        refuse_empty(UPSTREAM.name, params["upstream"])
        _refuse_without_balancer(gateway)
        upstream = parent_key(gateway, TARGET, params["upstream"])
        if upstream is None:
            raise InputError("the upstream does not exist")
        before = _health(task, upstream, target, address, deadline)
        wanted = params["health"].upper()
        changed = before != wanted
        if changed and not task.check_mode:
            _set_health(task, upstream, target, address, deadline)
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


def _health(
    task: Task, upstream: str, target: str, address: str | None, deadline: Deadline
) -> str | None:
    """The target's (or one of its addresses') health; waits for a balancer to have one.

    :returns: None in check mode, which does not wait, where there is none yet.
    :raises InputError: no such upstream, target or address, or one whose health nobody can set.
    """

    def look() -> str:
        seen = _look(task.gateway, upstream, target)
        state = _state(seen, address)
        if state == "HEALTHCHECKS_OFF":
            _refuse_unchecked(task.gateway, upstream, seen)
        if state in (None, "HEALTHCHECKS_OFF"):
            raise NotYet(
                f"the gateway's balancer has no health of it after {task.params['wait_timeout']} s"
            )
        return str(state)

    if not task.check_mode:
        return poll(look, deadline)
    try:
        return look()
    except NotYet:
        return None


def _look(gateway: Gateway, upstream: str, target: str) -> Entity:
    listed = gateway.health(upstream)
    if listed is None:
        raise InputError("the upstream does not exist")
    found = next((each for each in listed if each["target"] == target), None)
    if found is None:
        raise InputError("the target does not exist")
    return found


def _refuse_unchecked(gateway: Gateway, key: str, target: Entity) -> None:
    """Tell why a balancer keeps no health of a target, where it is not only a matter of time."""
    upstream = find_by_reference(gateway, UPSTREAM, key) or {}
    checks = upstream.get("healthchecks") or {}
    active, passive = checks.get("active") or {}, checks.get("passive") or {}
    limits = [
        *((active.get(name) or {}).get("interval") for name in ("healthy", "unhealthy")),
        *((passive.get("unhealthy") or {}).get(name) for name in _PASSIVE_LIMITS),
    ]
    if not any(limits):
        raise InputError("the upstream has no health checks, so a target has no health to set")
    if target.get("weight") == 0:
        raise InputError(
            "its weight is 0, so the balancer keeps no health of it: give it a weight first"
        )


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


def _set_health(
    task: Task, upstream: str, target: str, address: str | None, deadline: Deadline
) -> None:
    """Tell the gateway; right after an upstream was made it has no balancer yet, so try again."""

    def tell() -> None:
        try:
            task.gateway.set_health(upstream, target, address, task.params["health"])
        except NoBalancer as exc:
            raise NotYet(exc.message, **exc.failure) from exc

    poll(tell, deadline)


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
