# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the balancer of a gateway uses targets as they are configured.

PRIVATE to the collection: it can change in any release.

Source of the states: the conformance case health_states.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from .._entities._kind import Entity
from .._errors import InputError, KongError
from .._gateway._protocol import Gateway
from .._plan import Plan
from ._base import Task

USABLE = ("HEALTHY", "HEALTHCHECKS_OFF")
NO_HEALTH = "UNKNOWN"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
_WHY = {
    NO_HEALTH: "no balancer knows it yet",
    "DNS_ERROR": "the gateway cannot resolve its name",
    "UNHEALTHY": "it fails its health checks",
}


def refuse_waiting_without_proxy(gateway: Gateway) -> None:
    """A control plane has no balancers, so waiting there would only end in a timeout."""
    if not gateway.traits().has_balancer:
        raise InputError(
            "wait needs a gateway that proxies itself, and this one is a control plane: "
            "set wait to false"
        )


def wait_for_targets(task: Task, upstream: str, plans: Sequence[Plan]) -> dict[str, str]:
    """Ask for the upstream's health until every target is as it should be.

    A target is used as it is when the balancer's own weight of it is the written one, and, unless
    it is drained, when it is healthy or health checks are off.

    :returns: the health by address; ``UNKNOWN`` where no balancer exists.
    :raises KongError: not so within ``wait_timeout`` seconds; names the targets and the reason.
    """
    waited_for = {plan.after["id"]: plan.after for plan in plans if plan.after}
    deadline = time.monotonic() + task.params["wait_timeout"]
    pause = _FIRST_PAUSE
    while True:
        health = {each["id"]: each for each in task.gateway.health(upstream) or []}
        states = {each["target"]: _state(health.get(key)) for key, each in waited_for.items()}
        reasons = {
            each["target"]: _why_not_yet(task, each, health.get(key))
            for key, each in waited_for.items()
        }
        waiting = {address: why for address, why in reasons.items() if why}
        if not waiting:
            return states
        if time.monotonic() + pause > deadline:
            raise KongError(_too_late(task, upstream, waiting), health=states)
        time.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5)


def _state(target: Entity | None) -> str:
    return str((target or {}).get("health") or NO_HEALTH)


def _why_not_yet(task: Task, target: Entity, seen: Entity | None) -> str | None:
    """What the target is instead of being used as it is written; None where it is."""
    state = _state(seen)
    # The balancer's own record, not the entity's: an empty one comes as an object of nothing.
    weight = ((seen or {}).get("data") or {}).get("nodeWeight")
    usable = task.params["state"] == "drained" or state in USABLE
    if usable and weight == target["weight"]:
        return None
    if state in _WHY and (state == NO_HEALTH or not usable):
        return f"{state} ({_WHY[state]})"
    return f"{state} with the weight {weight}"


def _too_late(task: Task, upstream: str, waiting: dict[str, str]) -> str:
    wanted = "out of the balancer" if task.params["state"] == "drained" else "usable"
    reasons = ", ".join(f"{address} is {why}" for address, why in waiting.items())
    return (
        f"targets of upstream {upstream} at {task.gateway.url} are not {wanted} "
        f"after {task.params['wait_timeout']} s: {reasons}"
    )
