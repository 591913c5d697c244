# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A consumer group with its members: the operation behind ``kong_consumer_group``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from typing import Any

from .._apply import absent, carry_out, present
from .._argspec import ArgumentSpec
from .._entities._consumer import CONSUMER, CONSUMER_GROUP
from .._entities._kind import Entity
from .._errors import InputError, KongError
from .._plan import CREATE, Plan
from ._base import Operation, Result, Task, result_of_one
from ._entity import STATE, fields_with_id


def run_consumer_group(task: Task) -> Result:
    written = task.written(CONSUMER_GROUP)
    if task.params["state"] == "absent":
        plan = absent(task.gateway, CONSUMER_GROUP, written)
        return result_of_one(task, carry_out(task.gateway, plan))
    if task.params["purge_consumers"] and "consumers" not in task.params:
        raise InputError("purge_consumers needs consumers: write those that shall stay")
    plan = present(task.gateway, CONSUMER_GROUP, written, task.warn)
    wanted = _wanted(task)
    before = [] if plan.operation == CREATE else _members(task, plan)
    done = carry_out(task.gateway, plan)
    return _with_members(task, done, wanted, before)


def _wanted(task: Task) -> list[Entity] | None:
    """The written members, looked up; None where none are written."""
    if "consumers" not in task.params:
        return None
    found = []
    for key in task.params["consumers"]:
        consumer = task.gateway.get(CONSUMER, key)
        if consumer is None:
            consumer = {"id": task.gateway.missing(CONSUMER, key), "username": key}
        found.append(consumer)
    return found


def _members(task: Task, plan: Plan) -> list[Entity]:
    if "consumers" not in task.params:
        return []
    return task.gateway.members(plan.stored["id"])


def _with_members(
    task: Task, done: Plan, wanted: list[Entity] | None, before: list[Entity]
) -> Result:
    """Add and, where asked for, remove members; tells both in the result."""
    result = result_of_one(task, done)
    if wanted is None:
        return result
    present_ids, wanted_ids = ({each["id"] for each in side} for side in (before, wanted))
    added = [each for each in wanted if each["id"] not in present_ids]
    removed = (
        [each for each in before if each["id"] not in wanted_ids]
        if task.params["purge_consumers"]
        else []
    )
    group = done.entity["id"]
    done_so_far: dict[str, Any] = {"added": [], "removed": []}
    try:
        for each in added:
            task.gateway.add_member(group, each["id"])
            done_so_far["added"].append(CONSUMER.label(each))
        for each in removed:
            task.gateway.remove_member(group, each["id"])
            done_so_far["removed"].append(CONSUMER.label(each))
    except KongError as exc:
        exc.partial = {**result, **done_so_far, "changed": True}
        exc.within(f"Could not change the members of {done.description} at {task.gateway.url}")
        raise
    members = [each for each in [*before, *added] if each not in removed]
    result.update(done_so_far, consumers=sorted(CONSUMER.label(each) for each in members))
    result["changed"] = bool(done.changed or added or removed)
    if task.diff:
        for side, entities in (("before", before), ("after", members)):
            if isinstance(result["diff"][side], dict):
                result["diff"][side]["consumers"] = sorted(
                    CONSUMER.label(each) for each in entities
                )
    return result


KONG_CONSUMER_GROUP = Operation(
    name="kong_consumer_group",
    spec=ArgumentSpec(
        fields=fields_with_id(CONSUMER_GROUP),
        options={
            "consumers": {"type": "list", "elements": "str"},
            "purge_consumers": {"type": "bool", "default": False},
            **STATE,
        },
        required_one_of=[("name", "id")],
    ),
    run=run_consumer_group,
)
