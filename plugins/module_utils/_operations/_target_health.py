# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mark a target healthy or unhealthy: the operation behind ``kong_target_health``.

Source of the rules: the conformance cases health_states and target_health.
"""

from __future__ import annotations

from typing import Any

from .._address import normalise_address
from .._apply import parent_key
from .._argspec import ArgumentSpec
from .._deadline import Deadline, NotYet, poll
from .._entities._identity import find_by_reference, refuse_empty
from .._entities._kind import PLACEHOLDER, Entity
from .._entities._upstream import TARGET, UPSTREAM
from .._errors import InputError, error_context
from .._gateway._errors import NoBalancer
from .._gateway._protocol import Gateway
from .._plan import diff_entry
from .._values import warnings_about
from ._base import Operation, Result, Task

_PASSIVE_LIMITS = ("tcp_failures", "http_failures", "timeouts")


def run_target_health(task: Task) -> Result:
    params, gateway = task.params, task.gateway
    address = params.get("address") and normalise_address(params["address"])
    target = normalise_address(params["target"])
    for warning in warnings_about(TARGET.fields, {"target": params["target"]}):
        task.warn(f"target {warning}")
    subject = f"health of target {target} of upstream {params['upstream']} at {gateway.url}"
    deadline = Deadline(params["wait_timeout"])
    wanted = params["health"].upper()
    with error_context(subject):
        refuse_empty(UPSTREAM.name, params["upstream"])
        _refuse_without_balancer(gateway)
        key = parent_key(gateway, TARGET, params["upstream"], needed=True)
        if task.check_mode:
            before = _predicted_health(task, str(key), target, address)
        else:
            before = _current_health(task, str(key), target, address, deadline)
            if before != wanted:
                _set_health(task, str(key), target, address, deadline)
    result: Result = {"changed": before != wanted, "target": target, "health": wanted}
    if task.diff:
        result["diff"] = diff_entry(subject, {"health": before}, {"health": wanted})
    return result


def _refuse_without_balancer(gateway: Gateway) -> None:
    if not gateway.traits().has_balancer:
        raise InputError(
            "a control plane does not balance requests, so its targets have no health; "
            "use state drained of kong_target to stop requests to a target"
        )


def _current_health(
    task: Task, upstream: str, target: str, address: str | None, deadline: Deadline
) -> str:
    """The health of the target, or of one of its addresses; waits for a balancer to have one."""

    def look() -> str:
        listed = task.gateway.health(upstream)
        seen = _entry(task, listed, target)
        state = _state(seen, address)
        if state == "HEALTHCHECKS_OFF":
            _refuse_unchecked(task.gateway, upstream, seen)
        if state in (None, "HEALTHCHECKS_OFF"):
            raise NotYet(
                "the balancer of the gateway does not report its health after "
                f"{task.params['wait_timeout']} s"
            )
        return str(state)

    return poll(look, deadline)


def _predicted_health(task: Task, upstream: str, target: str, address: str | None) -> str | None:
    """The health before the task, as check mode knows it; None where no balancer has one yet."""
    gateway = task.gateway
    found = _entry(task, gateway.entities(TARGET, upstream), target)
    if found:
        _refuse_unchecked(gateway, upstream, found)
    listed = [] if upstream.startswith(PLACEHOLDER) else gateway.health(upstream) or []
    seen = next((each for each in listed if each["target"] == target), {})
    state = _state(seen, address)
    return None if state == "HEALTHCHECKS_OFF" else state


def _entry(task: Task, listed: list[Entity] | None, target: str) -> Entity:
    """The target in a list of an upstream's targets; empty where an earlier task may create it."""
    if listed is None:
        task.gateway.missing(UPSTREAM, task.params["upstream"])
    found = next((each for each in listed or () if each["target"] == target), None)
    if found is None and listed is not None:
        task.gateway.missing(TARGET, target)
    return found or {}


def _refuse_unchecked(gateway: Gateway, key: str, target: Entity) -> None:
    """Refuse a target for which a balancer never reports a health."""
    upstream = find_by_reference(gateway, UPSTREAM, key) or {}
    checks = upstream.get("healthchecks") or {}
    active, passive = checks.get("active") or {}, checks.get("passive") or {}
    limits = [
        *((active.get(name) or {}).get("interval") for name in ("healthy", "unhealthy")),
        *((passive.get("unhealthy") or {}).get(name) for name in _PASSIVE_LIMITS),
    ]
    if not any(limits):
        raise InputError("the upstream has no health checks, so its targets have no health")
    if target.get("weight") == 0:
        raise InputError(
            "its weight is 0, so the balancer does not report its health; set its weight first"
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
    """Set the health; a new upstream has no balancer for some seconds, so try again."""

    def set_once() -> None:
        try:
            task.gateway.set_health(upstream, target, address, task.params["health"])
        except NoBalancer as exc:
            raise NotYet(exc.message, **exc.failure) from exc

    poll(set_once, deadline)


KONG_TARGET_HEALTH = Operation(run_target_health, ArgumentSpec(
    options={
        "upstream": {"type": "str", "required": True},
        "target": {"type": "str", "required": True},
        "address": {"type": "str"},
        "health": {"type": "str", "required": True, "choices": ["healthy", "unhealthy"]},
        "wait_timeout": {"type": "int", "default": 30},
    },
))
