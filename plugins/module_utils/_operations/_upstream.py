# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An upstream together with its targets: the operation behind ``kong_upstream``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._apply import absent, carry_out, carry_out_all, complete, present
from .._argspec import ArgumentSpec
from .._entities._kind import Entity, Field
from .._entities._target import TARGET
from .._entities._upstream import UPSTREAM
from .._errors import InputError, KongError
from .._parallel import PartlyDone
from .._plan import CREATE, DELETE, Plan, plan_absent, plan_many, refuse_duplicates, spare
from .._values import doubts_about, normalise
from ._base import Operation, Result, Task, changes_of, partly_done, result_of_one, shown
from ._entity import STATE, fields_with_id

TARGETS = Field("targets", "list", elements="dict", fields=TARGET.fields, nullable=False)


def run_upstream(task: Task) -> Result:
    if task.params["state"] == "absent":
        return _absent(task)
    wanted = wanted_targets(task)
    _guard_purge(task, wanted)
    upstream = present(task.gateway, UPSTREAM, task.written(UPSTREAM), task.warn)
    if wanted is None:
        return result_of_one(task, carry_out(task.gateway, upstream))
    pool = _plan_pool(task, upstream, wanted)
    done = carry_out(task.gateway, upstream)
    if upstream.operation == CREATE and done.operation != CREATE:
        # Somebody else created it meanwhile, perhaps with targets.
        pool = _plan_pool(task, done, wanted)
    try:
        targets = carry_out_all(task.gateway, pool, _key(done))
    except PartlyDone as exc:
        raise partly_done(task, exc, pool, before=[done]) from exc
    return {
        **changes_of(task, [done, *targets]),
        "operation": done.operation,
        "upstream": shown(UPSTREAM, done.after),
        # Plans of what is written come first.
        "targets": [shown(TARGET, plan.after) for plan in targets[: len(wanted)]],
        **_spared(task, targets[len(wanted) :]),
    }


def _spared(task: Task, surplus: Sequence[Plan]) -> Result:
    if "protect_tags" not in task.params:
        return {}
    return {"spared": [plan.summary() for plan in surplus if not plan.changed]}


def wanted_targets(task: Task) -> list[Entity] | None:
    """The written targets as the gateway stores them, None where none are written.

    :raises InputError: an address or a number that no gateway takes, or one target twice.
    """
    written = task.params.get("targets")
    if written is None:
        return None
    normalised = [normalise(TARGET.fields, entity) for entity in written]
    for entity in written:
        warn_of_doubts(task, entity)
    refuse_duplicates(TARGET, written, normalised)
    return normalised


def warn_of_doubts(task: Task, target: Entity) -> None:
    for doubt in doubts_about(TARGET.fields, target):
        task.warn(f"target {doubt}")


def _guard_purge(task: Task, wanted: list[Entity] | None) -> None:
    if not task.params.get("purge_targets"):
        return
    if wanted is None:
        raise InputError("purge_targets needs targets: write those that shall stay")
    if not wanted and not task.params.get("allow_empty"):
        raise InputError(
            "targets is empty, and purge_targets would leave the upstream without any: "
            "set allow_empty to true if that is meant"
        )


def _plan_pool(task: Task, upstream: Plan, wanted: list[Entity]) -> list[Plan]:
    """Plans for all written targets and, where asked for, the surplus ones.

    :raises InputError: more would be deleted than ``max_deletes`` allows.
    """
    gateway, name = task.gateway, UPSTREAM.label(upstream.entity)
    try:
        known = upstream.operation != CREATE
        current = (gateway.entities(TARGET, _key(upstream)) or []) if known else []
        completed = [complete(gateway, TARGET, dict(each), None, task.warn) for each in wanted]
        purge = bool(task.params.get("purge_targets"))
        plans = plan_many(TARGET, completed, current, name, purge)
        plans = spare(plans, task.params.get("protect_tags", ()))
    except KongError as exc:
        exc.within(f"targets of upstream {name} at {gateway.url}")
        raise
    if wanted or not task.params.get("allow_empty"):
        refuse_no_weight(task, plans, current, f" {name} at {gateway.url}")
    deletes = sum(plan.operation == DELETE for plan in plans)
    most = task.params.get("max_deletes")
    if most is not None and deletes > most:
        raise InputError(
            f"purge_targets would delete {deletes} targets of upstream {name} at {gateway.url}, "
            f"and max_deletes is {most}"
        )
    return plans


def refuse_no_weight(
    task: Task, plans: Sequence[Plan], current: Sequence[Entity], named: str = ""
) -> None:
    """Protect the last targets that have weight, however a task would take that away.

    :raises InputError: an upstream that answers would answer 503, and ``force`` is not set.
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
            f"no target of the upstream{named} would have weight left, so it would answer 503: "
            "set force to true if that is meant"
        )


def _key(upstream: Plan) -> str:
    """How the upstream is found once its plan is done: by id where it has one already."""
    entity = upstream.before or upstream.after or {}
    return str(entity.get("id") or entity["name"])


def _absent(task: Task) -> Result:
    """Delete; the targets that go along with it are read first, and shown."""
    plan = absent(task.gateway, UPSTREAM, task.written(UPSTREAM))
    along: list[Plan] = []
    if plan.changed:
        name = UPSTREAM.label(plan.entity)
        current = sorted(task.gateway.entities(TARGET, _key(plan)) or [], key=TARGET.label)
        along = [plan_absent(TARGET, target, name) for target in current]
    done = carry_out(task.gateway, plan)
    return {**changes_of(task, [done, *along]), "operation": done.operation, "upstream": {}}


KONG_UPSTREAM = Operation(
    name="kong_upstream",
    spec=ArgumentSpec(
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
    ),
    run=run_upstream,
)
