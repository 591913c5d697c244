# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A group with its members, of consumers or of others: ``kong_consumer_group``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from .._apply import apply, apply_all, apply_with
from .._argspec import ArgumentSpec
from .._entities._consumer import CONSUMER, CONSUMER_GROUP, MEMBER
from .._entities._identity import find_by_reference
from .._entities._kind import Entity, Kind
from .._errors import InputError
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._plan import CREATE, DELETE, Plan, by_identity, plan_many
from ._base import Operation, Result, Task, add_to_diff, result_of_one
from ._entity import STATE, fields_with_id, plan_state


def run_consumer_group(task: Task) -> Result:
    return run_group(task, CONSUMER_GROUP, MEMBER, CONSUMER)


def run_group(
    task: Task,
    kind: Kind,
    member: Kind,
    of: Kind,
    check: Callable[[Task, Plan, Sequence[Entity]], None] = lambda task, plan, found: None,
) -> Result:
    """A group and, where the option that lists them is written, its members.

    :param member: what puts an entity of the kind ``of`` into a group.
    :param check: raises ``InputError`` for what must not be done to the group; gets the entities
        that must be in it.
    """
    option = f"{member.identity.field}s"
    names = None if task.removes else task.params.get(option)
    if names is None and task.params[f"purge_{option}"] and not task.removes:
        raise InputError(f"purge_{option} needs {option}; set it to the members that remain")
    plan = plan_state(task, kind, task.written(kind))
    with task.about(plan.description):
        found = for_each(lambda name: _found(task.gateway, of, name), names or ())
        check(task, plan, found)
    if names is None:
        return result_of_one(task, apply(task.gateway, plan))
    shown = ("id", *of.named_by)
    written = [{member.identity.field: {n: each.get(n) for n in shown}} for each in found]
    wanted = list(by_identity(member, written).values())

    def members_of(group: Plan) -> list[Entity]:
        listed = task.gateway.entities(member, group.stored["id"]) if group.before else None
        return listed or []

    done, before = apply_with(task.gateway, plan, members_of)
    return _with_members(task, done, member, wanted, before)


def _found(gateway: Gateway, kind: Kind, name: str) -> Entity:
    found = find_by_reference(gateway, kind, name)
    return found or {"id": gateway.missing(kind, name), **dict.fromkeys(kind.named_by[:1], name)}


def _with_members(
    task: Task, group: Plan, kind: Kind, wanted: list[Entity], before: list[Entity]
) -> Result:
    """The result of a group, whose members are added and, with the option to purge, removed."""
    name = group.kind.label(group.entity)
    option = f"{kind.identity.field}s"
    result = result_of_one(task, group)
    plans = plan_many(kind, wanted, before, name, task.params[f"purge_{option}"])

    def so_far(done: Sequence[Plan | None]) -> Result:
        return {**result, **_changes(group, kind, [plan for plan in done if plan is not None])}

    done = apply_all(task.gateway, plans, group.entity["id"], so_far)
    result.update(_changes(group, kind, done))
    removed = [plan.stored for plan in done if plan.operation == DELETE]
    added = [plan.entity for plan in done if plan.operation == CREATE]
    after = [each for each in [*before, *added] if each not in removed]
    result[option] = sorted(map(kind.label, after))
    add_to_diff(result, option, sorted(map(kind.label, before)), result[option])
    return result


def _changes(group: Plan, kind: Kind, done: list[Plan]) -> Result:
    labels = {
        key: [kind.label(plan.entity) for plan in done if plan.operation == operation]
        for key, operation in (("added", CREATE), ("removed", DELETE))
    }
    return {"changed": group.changed or any(plan.changed for plan in done), **labels}


KONG_CONSUMER_GROUP = Operation(run_consumer_group, ArgumentSpec(
    fields=fields_with_id(CONSUMER_GROUP),
    options={
        "consumers": {"type": "list", "elements": "str"},
        "purge_consumers": {"type": "bool", "default": False},
        **STATE,
    },
    required_one_of=[("name", "id")],
))
