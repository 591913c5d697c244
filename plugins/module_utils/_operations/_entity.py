# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One entity, present or absent: the operation behind most modules."""

from __future__ import annotations

import functools
from typing import Any

from .._apply import absent, apply, present
from .._argspec import ArgumentSpec
from .._entities._consumer import WORKSPACE
from .._entities._identity import ID
from .._entities._kind import Entity, Field, Kind
from .._entities._plugin import PLUGIN
from .._entities._registry import KINDS
from .._errors import InputError
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._plan import DELETE, Plan
from ._base import Operation, Result, Task, result_of_one

STATE: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"}
}

PARTIALS: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": {name: {"type": "str"} for name in ("id", "name", "path")},
}


def plan_state(
    task: Task, kind: Kind, written: Entity, parent: str | None = None, called: str | None = None
) -> Plan:
    """The plan for the state that the task asks for."""
    if task.removes:
        return absent(task.gateway, kind, written, parent, called=called)
    return present(task.gateway, kind, written, task.warn, parent, called=called)


def held_in(place: Gateway) -> list[str]:
    """The paths of the kinds that a control plane or a workspace has entities of."""
    kinds = [
        each
        for each in KINDS.values()
        if not each.parent and each is not WORKSPACE and place.offers(each)
    ]
    lists = for_each(place.entities, kinds)
    return [kind.path for kind, listed in zip(kinds, lists) if listed]


def _refuse_full(task: Task, plan: Plan) -> None:
    """Refuse to delete a workspace that is not empty, as a gateway does."""
    has_inside = plan.operation == DELETE and task.gateway.traits().edition != "community"
    if has_inside and (held := held_in(task.inside(plan.stored))):
        raise InputError(f"it has {', '.join(held)}: delete these first")


def fields_with_id(kind: Kind) -> tuple[Field, ...]:
    # What lists records that nothing describes is an option of its own: links to partials.
    own = (each for each in kind.fields if each.elements != "dict" or each.fields)
    return (ID, *own)


@functools.cache
def entity_operation(kind: Kind) -> Operation:
    """The operation of a kind that needs no more than its declaration."""

    def run(task: Task) -> Result:
        plan = plan_state(task, kind, task.written(kind))
        if kind is WORKSPACE and task.gateway.predicts:
            with task.about(plan.description):
                _refuse_full(task, plan)
        return result_of_one(task, apply(task.gateway, plan))

    return Operation(run, ArgumentSpec(
        fields=fields_with_id(kind),
        options={**STATE, "partials": PARTIALS} if kind is PLUGIN else STATE,
        required_one_of=[(*kind.identity.names(kind), "id")],
    ))
