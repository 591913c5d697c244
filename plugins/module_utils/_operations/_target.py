# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets, one or many: the operation behind ``kong_target``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._apply import carry_out, carry_out_all, complete, parent_key
from .._argspec import ArgumentSpec
from .._entities._kind import Entity
from .._entities._target import TARGET
from .._entities._upstream import UPSTREAM
from .._errors import InputError, KongError
from .._parallel import PartlyDone
from .._plan import DELETE, NONE, Plan, by_identity, plan_absent, plan_present
from .._values import normalise
from ._base import Operation, Result, Task, changes_of, partly_done, result_of_one, shown
from ._nodes import STATUS_URLS, balancing_nodes
from ._upstream import TARGETS, refuse_no_weight, wanted_targets, warn_of_doubts
from ._wait import TargetWait

_SINGLE = tuple(field.name for field in TARGET.fields)


def run_target(task: Task) -> Result:
    params, gateway, upstream = task.params, task.gateway, task.params["upstream"]
    many = "targets" in params
    nodes = []
    try:
        wanted = _wanted(task, many)
        key = parent_key(gateway, TARGET, upstream, needed=params["state"] != "absent")
        if params.get("wait") and params["state"] != "absent":
            nodes = balancing_nodes(task)
        plans = _plan(task, key, wanted, many)
    except KongError as exc:
        exc.within(f"{_subject(params, many)} of upstream {upstream} at {gateway.url}")
        raise
    try:
        if many:
            done = carry_out_all(gateway, plans, key)
        else:
            done = [carry_out(gateway, plan, key) for plan in plans]
    except PartlyDone as exc:
        raise partly_done(task, exc, plans) from exc
    result = _result(task, done, many)
    if nodes and not task.check_mode:
        try:
            result.update(TargetWait(task, upstream, str(key), nodes, done).run())
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
            raise InputError(f"{beside[0]} cannot be combined with targets; set it on each target")
        wanted = wanted_targets(task) or []
    else:
        wanted = [normalise(TARGET.fields, task.written(TARGET))]
        warn_of_doubts(task, task.written(TARGET))
    if params["state"] == "drained":
        for each in wanted:
            if "weight" in each:
                raise InputError("a drained target has the weight 0: leave weight out")
            each["weight"] = 0
    return wanted


def _plan(task: Task, key: str | None, wanted: list[Entity], many: bool) -> list[Plan]:
    """Plans in the written order; one target is looked up by its address, more by one list.

    What may take weight away needs the whole list, too.

    :param key: how a path leads to the upstream; None where it does not exist.
    :raises InputError: no target would have weight left, and ``force`` is not set.
    """
    gateway, upstream, state = task.gateway, task.params["upstream"], task.params["state"]
    current: dict[str, Entity]
    if key is None:
        current = {}
    elif many or state != "present" or wanted[0].get("weight") == 0:
        listed = gateway.entities(TARGET, key)
        if listed is None and state != "absent":
            gateway.missing(UPSTREAM, upstream)
        current = dict(by_identity(TARGET, listed or []))
    else:
        found = gateway.by_name(TARGET, wanted[0]["target"], key)
        current = {wanted[0]["target"]: found} if found else {}
    plans = [_plan_one(task, each, current.get(each["target"])) for each in wanted]
    refuse_no_weight(task, plans, list(current.values()))
    return plans


def _plan_one(task: Task, wanted: Entity, current: Entity | None) -> Plan:
    """A drained target is the same entity with the weight 0; a missing one is left missing."""
    upstream, state = task.params["upstream"], task.params["state"]
    if state == "absent":
        return plan_absent(TARGET, current, upstream)
    if state == "drained" and current is None:
        task.warn(
            f"target {wanted['target']} of upstream {upstream} does not exist, nothing to drain"
        )
        return Plan(TARGET, NONE, parent=upstream)
    known = current if state == "drained" else None
    desired = complete(task.gateway, TARGET, wanted, known, task.warn)
    return plan_present(TARGET, desired, current, upstream)


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
            **STATUS_URLS,
        },
        required_one_of=[("target", "targets")],
        mutually_exclusive=[("target", "targets")],
    ),
    run=run_target,
)
