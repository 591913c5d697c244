# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets, one or many: the operation behind ``kong_target``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._apply import carry_out, carry_out_all, complete
from .._argspec import ArgumentSpec
from .._entities._identity import refuse_empty
from .._entities._kind import Entity
from .._entities._target import TARGET
from .._entities._upstream import UPSTREAM
from .._errors import InputError, KongError
from .._parallel import PartlyDone
from .._plan import DELETE, NONE, Plan, by_identity, plan_absent, plan_present
from .._values import normalise
from ._base import Operation, Result, Task, changes_of, partly_done, result_of_one, shown
from ._upstream import TARGETS, wanted_targets
from ._wait import refuse_waiting_without_proxy, wait_for_targets

_SINGLE = tuple(field.name for field in TARGET.fields)


def run_target(task: Task) -> Result:
    params, gateway, upstream = task.params, task.gateway, task.params["upstream"]
    many = "targets" in params
    try:
        refuse_empty(UPSTREAM.name, upstream)
        wanted = _wanted(task, many)
        waiting = bool(params.get("wait")) and params["state"] != "absent" and not task.check_mode
        if waiting:
            refuse_waiting_without_proxy(gateway)
        plans = _plan(task, wanted, many)
    except KongError as exc:
        exc.within(f"{_subject(params, many)} of upstream {upstream} at {gateway.url}")
        raise
    try:
        if many:
            done = carry_out_all(gateway, plans, upstream)
        else:
            done = [carry_out(gateway, plan, upstream) for plan in plans]
    except PartlyDone as exc:
        raise partly_done(task, exc, plans) from exc
    result = _result(task, done, many)
    if waiting:
        try:
            result["health"] = wait_for_targets(task, upstream, done)
        except KongError as exc:
            exc.partial = result
            raise
    return result


def _subject(params: Any, many: bool) -> str:
    return "targets" if many else f"target {params['target']}"


def _wanted(task: Task, many: bool) -> list[Entity]:
    """What is wanted of each target, normalised; all that can be checked without a request is."""
    params = task.params
    if many:
        beside = [name for name in _SINGLE if name in params]
        if beside:
            raise InputError(f"{beside[0]} stands beside targets: write it in each of them")
        wanted = wanted_targets(task) or []
    else:
        wanted = [normalise(TARGET.fields, task.written(TARGET))]
    if params["state"] == "drained":
        for each in wanted:
            if "weight" in each:
                raise InputError("a drained target has the weight 0: leave weight out")
            each["weight"] = 0
    return wanted


def _plan(task: Task, wanted: list[Entity], many: bool) -> list[Plan]:
    """Plans in the written order; one target is looked up by its address, more by one list."""
    gateway, upstream, state = task.gateway, task.params["upstream"], task.params["state"]
    current: dict[str, Entity]
    if many or state == "drained":
        listed = gateway.entities(TARGET, upstream)
        if listed is None and state != "absent":
            gateway.missing(UPSTREAM, upstream)
        current = dict(by_identity(TARGET, listed or []))
    else:
        found = gateway.by_name(TARGET, wanted[0]["target"], upstream)
        current = {wanted[0]["target"]: found} if found else {}
    if state == "absent":
        return [plan_absent(TARGET, current.get(each["target"]), upstream) for each in wanted]
    if state == "drained":
        return _plan_drain(task, wanted, current)
    return [
        plan_present(
            TARGET,
            complete(gateway, TARGET, each, None, task.warn),
            current.get(each["target"]),
            upstream,
        )
        for each in wanted
    ]


def _plan_drain(task: Task, wanted: list[Entity], current: dict[str, Entity]) -> list[Plan]:
    """Weight 0 on the same entities; a missing one is left missing, and the last one is protected.

    :raises InputError: no target would have weight left, and ``force`` is not set.
    """
    upstream = task.params["upstream"]
    plans = []
    for each in wanted:
        found = current.get(each["target"])
        if found is None:
            task.warn(
                f"target {each['target']} of upstream {upstream} does not exist, nothing to drain"
            )
            plans.append(Plan(TARGET, NONE, parent=upstream))
        else:
            desired = complete(task.gateway, TARGET, each, found, task.warn)
            plans.append(plan_present(TARGET, desired, found, upstream))
    drained = {each["target"] for each in wanted}
    left = sum(target["weight"] for address, target in current.items() if address not in drained)
    if not left and any(plan.changed for plan in plans) and not task.params.get("force"):
        raise InputError(
            "no target of the upstream would have weight left, so it would answer 503: "
            "set force to true if that is meant"
        )
    return plans


def _result(task: Task, done: list[Plan], many: bool) -> Result:
    if not many:
        return result_of_one(task, done[0])
    return {
        **changes_of(task, done),
        "targets": [
            shown(TARGET, plan.after)
            for plan in done
            if plan.operation != DELETE and plan.after is not None
        ],
    }


KONG_TARGET = Operation(
    name="kong_target",
    spec=ArgumentSpec(
        fields=(*(replace(field, required=False) for field in TARGET.fields), TARGETS),
        options={
            "upstream": {"type": "str", "required": True},
            "state": {
                "type": "str",
                "choices": ["present", "absent", "drained"],
                "default": "present",
            },
            "force": {"type": "bool", "default": False},
            "wait": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 60},
        },
        required_one_of=[("target", "targets")],
        mutually_exclusive=[("target", "targets")],
    ),
    run=run_target,
)
