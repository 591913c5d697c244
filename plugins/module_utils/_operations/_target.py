# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Targets, one or many: the operation behind ``kong_target``."""

from __future__ import annotations

from dataclasses import replace

from .._apply import apply, complete, parent_key
from .._argspec import ArgumentSpec
from .._entities._kind import Entity
from .._entities._upstream import TARGET, UPSTREAM
from .._errors import InputError, KongError
from .._plan import NONE, Plan, by_identity, plan_absent, plan_present
from ._base import Operation, Result, Task, apply_plans, changes_of, entity_result, result_of_one
from ._entity import STATE
from ._nodes import STATUS_URLS, TargetWait, balancing_nodes
from ._upstream import TARGETS, refuse_no_weight, targets_from


def run_target(task: Task) -> Result:
    params, gateway, upstream = task.params, task.gateway, task.params["upstream"]
    many, nodes = "targets" in params, []
    subject = "targets" if many else f"target {params['target']}"
    with task.about(f"{subject} of upstream {upstream}"):
        wanted = _wanted(task, many)
        key = parent_key(gateway, TARGET, upstream, needed=not task.removes)
        if params.get("wait") and not task.removes:
            nodes = balancing_nodes(task)
        plans = _plan(task, key, wanted, many)
    done = apply_plans(task, plans, key) if many else [apply(gateway, plans[0], key)]
    result = _result(task, done, many)
    if nodes and not task.check_mode:
        try:
            result.update(TargetWait(task, upstream, str(key), nodes, done).run())
        except KongError as exc:
            exc.partial = result
            raise
    return result


def _wanted(task: Task, many: bool) -> list[Entity]:
    """The written targets, normalised; checks all that needs no request."""
    params = task.params
    for field in TARGET.fields if many else ():
        if field.name in params:
            raise InputError(f"{field.name} cannot be combined with targets; set it on each target")
    wanted = targets_from(task, params["targets"] if many else [task.written(TARGET)])
    for each in wanted if params["state"] == "drained" else ():
        if "weight" in each:
            raise InputError("weight cannot be combined with state drained, which sets it to 0")
        each["weight"] = 0
    return wanted


def _plan(task: Task, key: str | None, wanted: list[Entity], many: bool) -> list[Plan]:
    """Plans in the written order; one target is looked up by its address, more by one list.

    What may remove weight needs the whole list, too.

    :param key: the upstream in paths; None where it does not exist.
    """
    gateway, upstream, state = task.gateway, task.params["upstream"], task.params["state"]
    current: dict[str, Entity] = {}
    if key is None:
        pass
    elif many or state != "present" or wanted[0].get("weight") == 0:
        listed = gateway.entities(TARGET, key)
        if listed is None and state != "absent":
            gateway.missing(UPSTREAM, upstream)
        current = by_identity(TARGET, listed or [])
    else:
        found = gateway.find_by(TARGET, "target", wanted[0]["target"], key)
        current = by_identity(TARGET, [found] if found else [])
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
            f"target {wanted['target']} of upstream {upstream} does not exist at "
            f"{task.gateway.url}, nothing to drain"
        )
        return Plan(TARGET, NONE, parent=upstream)
    desired = complete(task.gateway, TARGET, wanted, current, task.warn)
    return plan_present(TARGET, desired, current, upstream)


def _result(task: Task, done: list[Plan], many: bool) -> Result:
    if not many:
        return result_of_one(task, done[0])
    return {
        **changes_of(task, done),
        "targets": [entity_result(TARGET, plan.after) for plan in done if plan.after is not None],
    }


KONG_TARGET = Operation(run_target, ArgumentSpec(
    fields=(*(replace(field, required=False) for field in TARGET.fields), TARGETS),
    options={
        "upstream": {"type": "str", "required": True},
        "state": {**STATE["state"], "choices": ["present", "absent", "drained"]},
        "force": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 60},
        **STATUS_URLS,
    },
    required_one_of=[("target", "targets")],
    mutually_exclusive=[("target", "targets")],
))
