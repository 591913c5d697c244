# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An upstream together with its targets: the operation behind ``kong_upstream``."""

from __future__ import annotations

from collections.abc import Sequence

from .._apply import absent, apply, apply_with, complete, present
from .._argspec import ArgumentSpec
from .._entities._kind import Entity, Field
from .._entities._upstream import TARGET, UPSTREAM
from .._errors import InputError
from .._plan import CREATE, DELETE, Plan, keep_protected, plan_absent, plan_many, refuse_duplicates
from .._values import normalise, warnings_about
from ._base import Operation, Result, Task, apply_plans, changes_of, entity_result, result_of_one
from ._entity import STATE, fields_with_id

TARGETS = Field("targets", "list", elements="dict", fields=TARGET.fields, nullable=False)


def run_upstream(task: Task) -> Result:
    if task.removes:
        return _absent(task)
    written = task.params.get("targets")
    wanted = None if written is None else targets_from(task, written)
    _guard_purge(task, wanted)
    upstream = present(task.gateway, UPSTREAM, task.written(UPSTREAM), task.warn)
    if wanted is None:
        return result_of_one(task, apply(task.gateway, upstream))
    done, pool = apply_with(
        task.gateway, upstream, lambda plan: _plan_pool(task, plan, wanted or [])
    )
    targets = apply_plans(task, pool, _key(done), before=[done])
    surplus = [plan.summary() for plan in targets[len(wanted) :] if not plan.changed]
    return {
        **changes_of(task, [done, *targets]),
        "operation": done.operation,
        "upstream": entity_result(UPSTREAM, done.after),
        # Plans of what is written come first.
        "targets": [entity_result(TARGET, plan.after) for plan in targets[: len(wanted)]],
        **({"protected": surplus} if "protect_tags" in task.params else {}),
    }


def targets_from(task: Task, written: Sequence[Entity]) -> list[Entity]:
    """The written targets as the gateway stores them.

    :raises InputError: an address or a number that no gateway takes, or one target twice.
    """
    normalised = [normalise(TARGET.fields, entity) for entity in written]
    for entity in written:
        for warning in warnings_about(TARGET.fields, entity):
            task.warn(f"target {warning}")
    refuse_duplicates(TARGET, written, normalised)
    return normalised


def _guard_purge(task: Task, wanted: list[Entity] | None) -> None:
    if not task.params.get("purge_targets"):
        return
    if wanted is None:
        raise InputError("purge_targets needs targets; set it to the targets that remain")
    if not wanted and not task.params.get("allow_empty"):
        raise InputError(
            "targets is empty, so purge_targets would remove every target; "
            "set allow_empty to true to do that"
        )


def _plan_pool(task: Task, upstream: Plan, wanted: list[Entity]) -> list[Plan]:
    """Plans for all written targets and, with ``purge_targets``, for the others."""
    gateway, name = task.gateway, UPSTREAM.label(upstream.entity)
    with task.about(f"targets of upstream {name}"):
        known = upstream.operation != CREATE
        current = (gateway.entities(TARGET, _key(upstream)) or []) if known else []
        completed = [complete(gateway, TARGET, dict(each), None, task.warn) for each in wanted]
        plans = plan_many(TARGET, completed, current, name, task.params.get("purge_targets"))
        protected = {*task.params.get("protect_tags", ()), *gateway.managed_tags}
        plans = keep_protected(plans, protected)
        if wanted or not task.params.get("allow_empty"):
            refuse_no_weight(task, plans, current)
        deletes = sum(plan.operation == DELETE for plan in plans)
        most = task.params.get("max_deletes")
        if most is not None and deletes > most:
            raise InputError(
                f"purge_targets would delete {deletes} targets, and max_deletes is {most}"
            )
    return plans


def refuse_no_weight(task: Task, plans: Sequence[Plan], current: Sequence[Entity]) -> None:
    """Protect the last targets that have weight, however a task would remove it.

    :raises InputError: the upstream would answer with 503, and ``force`` is not set.
    """
    weights = {each["id"]: each["weight"] for each in current}
    left = dict(weights)
    for plan in plans:
        if plan.operation == DELETE:
            left.pop(plan.stored["id"], None)
        elif plan.changed and plan.after is not None:
            # The gateway's default is a weight.
            left[plan.after.get("id", id(plan))] = plan.after.get("weight", 1)
    if any(weights.values()) and not any(left.values()) and not task.params.get("force"):
        raise InputError(
            "no target of the upstream would have a weight above 0, so requests would fail with "
            "503; set force to true to do that"
        )


def _key(upstream: Plan) -> str:
    """The upstream in paths once its plan is applied: by ID where it has one already."""
    entity = upstream.before or upstream.after or {}
    return str(entity.get("id") or entity["name"])


def _absent(task: Task) -> Result:
    """Delete; the targets that are deleted with it are read first, and shown."""
    plan = absent(task.gateway, UPSTREAM, task.written(UPSTREAM))
    cascaded: list[Plan] = []
    if plan.changed:
        name = UPSTREAM.label(plan.entity)
        current = sorted(task.gateway.entities(TARGET, _key(plan)) or [], key=TARGET.label)
        cascaded = [plan_absent(TARGET, target, name) for target in current]
    done = apply(task.gateway, plan)
    return {**changes_of(task, [done, *cascaded]), "operation": done.operation, "upstream": {}}


KONG_UPSTREAM = Operation(run_upstream, ArgumentSpec(
    fields=(*fields_with_id(UPSTREAM), TARGETS),
    options={
        **STATE,
        "purge_targets": {"type": "bool", "default": False},
        "allow_empty": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        "max_deletes": {"type": "int"},
        "protect_tags": {"type": "list", "elements": "str"},
    },
    required_one_of=[("name", "id")],
))
