# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One entity, present or absent: the operation behind most modules."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Callable

from .._apply import absent, apply, present
from .._argspec import ArgumentSpec
from .._entities._identity import ID
from .._entities._kind import Entity, Field, Kind
from .._plan import Plan
from ._base import Operation, Result, Task, result_of_one

STATE: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"}
}


def plan_state(
    task: Task, kind: Kind, written: Entity, parent: str | None = None, called: str | None = None
) -> Plan:
    """The plan for the state that the task asks for."""
    if task.removes:
        return absent(task.gateway, kind, written, parent, called=called)
    return present(task.gateway, kind, written, task.warn, parent, called=called)


def fields_with_id(kind: Kind) -> tuple[Field, ...]:
    # What lists records that nothing describes is an option of its own: links to partials.
    own = (each for each in kind.fields if each.elements != "dict" or each.fields)
    return (ID, *own)


@functools.cache
def entity_operation(kind: Kind) -> Operation:
    """The operation of a kind that needs no more than its declaration."""
    return operation_of(kind, {})


def operation_of(
    kind: Kind,
    options: Mapping[str, Any],
    check: Callable[[Task, Plan], None] = lambda task, plan: None,
) -> Operation:
    """The operation of a kind with more options than its fields.

    :param check: raises ``InputError`` for what must not be done.
    """

    def run(task: Task) -> Result:
        plan = plan_state(task, kind, task.written(kind))
        with task.about(plan.description):
            check(task, plan)
        return result_of_one(task, apply(task.gateway, plan))

    return Operation(run, ArgumentSpec(
        fields=fields_with_id(kind),
        options={**STATE, **options},
        required_one_of=[(*kind.identity.names(kind), "id")],
    ))
