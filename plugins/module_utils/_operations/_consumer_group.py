# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A consumer group with its members: the operation behind ``kong_consumer_group``."""

from __future__ import annotations

from collections.abc import Sequence

from .._apply import apply, apply_all, apply_with
from .._argspec import ArgumentSpec
from .._entities._consumer import CONSUMER, CONSUMER_GROUP, MEMBER
from .._entities._identity import find_by_reference
from .._entities._kind import Entity, Kind
from .._errors import InputError
from .._plan import CREATE, DELETE, Plan, plan_many
from ._base import Operation, Result, Task, add_to_diff, result_of_one
from ._entity import STATE, fields_with_id, plan_state


def run_consumer_group(task: Task) -> Result:
    has_members = "consumers" in task.params
    if task.params["purge_consumers"] and not has_members and not task.removes:
        raise InputError("purge_consumers needs consumers; set it to the members that remain")
    plan = plan_state(task, CONSUMER_GROUP, task.written(CONSUMER_GROUP))
    if task.removes or not has_members:
        return result_of_one(task, apply(task.gateway, plan))
    wanted = [_member(task, key) for key in task.params["consumers"]]
    done, before = apply_with(task.gateway, plan, lambda plan: _members_of(task, plan))
    return with_members(task, done, MEMBER, wanted, before)


def _members_of(task: Task, group: Plan) -> list[Entity]:
    listed = task.gateway.entities(MEMBER, group.stored["id"]) if group.before else None
    return listed or []


def _member(task: Task, key: str) -> Entity:
    consumer = find_by_reference(task.gateway, CONSUMER, key)
    if consumer is None:
        consumer = {"id": task.gateway.missing(CONSUMER, key), "username": key}
    return {"consumer": {name: consumer.get(name) for name in ("id", *CONSUMER.named_by)}}


def with_members(
    task: Task, group: Plan, kind: Kind, wanted: list[Entity], before: list[Entity]
) -> Result:
    """The result of a group, whose members are added and, with the option to purge, removed."""
    name = group.kind.label(group.entity)
    option = f"{kind.identity.field}s"
    result = result_of_one(task, group)
    plans = plan_many(kind, wanted, before, name, task.params[f"purge_{option}"])

    def so_far(done: Sequence[Plan | None]) -> Result:
        applied = [plan for plan in done if plan is not None]
        return {**result, **_labels(kind, applied), "changed": True}

    done = apply_all(task.gateway, plans, group.entity["id"], so_far)
    changed = group.changed or any(plan.changed for plan in done)
    result.update(_labels(kind, done), changed=changed)
    removed = [plan.stored for plan in done if plan.operation == DELETE]
    added = [plan.entity for plan in done if plan.operation == CREATE]
    after = [each for each in [*before, *added] if each not in removed]
    result[option] = sorted(map(kind.label, after))
    add_to_diff(result, option, sorted(map(kind.label, before)), result[option])
    return result


def _labels(kind: Kind, done: list[Plan]) -> Result:
    return {
        key: [kind.label(plan.entity) for plan in done if plan.operation == operation]
        for key, operation in (("added", CREATE), ("removed", DELETE))
    }


KONG_CONSUMER_GROUP = Operation(run_consumer_group, ArgumentSpec(
    fields=fields_with_id(CONSUMER_GROUP),
    options={
        "consumers": {"type": "list", "elements": "str"},
        "purge_consumers": {"type": "bool", "default": False},
        **STATE,
    },
    required_one_of=[("name", "id")],
))
