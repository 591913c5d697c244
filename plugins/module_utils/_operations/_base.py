# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types that all operations of modules share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Callable

from .._apply import apply_all
from .._argspec import ArgumentSpec
from .._entities._kind import Entity, Kind
from .._errors import InputError, error_context
from .._gateway._protocol import Gateway
from .._plan import Plan
from .._predict import Checks
from .._secrets import mask_entity

Result = dict[str, Any]


def silent(line: str) -> None:
    """A module process can show nothing before it ends."""


def no_node(url: Any) -> Gateway:
    raise InputError(f"{url} cannot be used here")


@dataclass(frozen=True)
class Task:
    """One run of an operation, started by either way.

    :param params: what the user wrote: options left out are missing, explicit nulls are None.
    :param connected: the gateway, None for an operation that connects to no Admin API.
    """

    params: Mapping[str, Any]
    connected: Gateway | None
    check_mode: bool
    diff: bool
    warn: Callable[[str], None]
    # Shows the progress of long work, in a line.
    progress: Callable[[str], None] = silent
    # Another node of the same gateway, or one of its data planes, by its URL.
    node: Callable[[str], Gateway] = no_node
    # One of the control planes or workspaces that the gateway has, to be read.
    inside: Callable[[Entity], Gateway] = no_node

    @property
    def gateway(self) -> Gateway:
        """The gateway of an operation that connects to one."""
        if self.connected is None:
            raise TypeError("the operation connects to no Admin API")
        return self.connected

    @property
    def removes(self) -> bool:
        """Whether the task asks for the state ``absent``."""
        return bool(self.params["state"] == "absent")

    def about(self, subject: str) -> AbstractContextManager[None]:
        """Errors raised inside name the subject and the gateway."""
        return error_context(f"{subject} at {self.gateway.url}")

    def written(self, kind: Kind) -> Entity:
        """The part of the parameters that is the entity itself."""
        names = ["id", *(field.name for field in kind.fields)]
        return {name: self.params[name] for name in names if name in self.params}


@dataclass(frozen=True)
class Operation:
    """A module's argument spec and what it does.

    :param run: raises ``KongError``; its result is made of plain JSON values.
    :param writes: whether it can write: earlier predictions do not hold after it.
    :param only_predicts: whether it only predicts, also in a real run; nothing is kept.
    :param of_account: whether it works on Konnect's control planes, and not on one's entities.
    :param checks: what its predictions are checked for.
    """

    run: Callable[[Task], Result]
    spec: ArgumentSpec
    writes: bool = True
    of_account: bool = False
    checks: Checks = Checks()
    only_predicts: bool = False


def result_of_one(task: Task, plan: Plan) -> Result:
    """The result of a task about one entity."""
    result: Result = {
        "changed": plan.changed,
        "operation": plan.operation,
        plan.kind.name: entity_result(plan.kind, plan.after),
    }
    if task.diff:
        result["diff"] = plan.diff(task.gateway.url)
    return result


def add_to_diff(result: Result, name: str, before: Any, after: Any) -> None:
    """Show what belongs to an entity in its diff, if the result has one."""
    for side, value in (("before", before), ("after", after)) if "diff" in result else ():
        if isinstance(result["diff"][side], dict):
            result["diff"][side][name] = value


def changes_of(task: Task, plans: Sequence[Plan]) -> Result:
    """The part of a result about many entities: only those that changed."""
    changed = [plan for plan in plans if plan.changed]
    result: Result = {"changed": bool(changed), "changes": [plan.summary() for plan in changed]}
    if task.diff:
        result["diff"] = [plan.diff(task.gateway.url) for plan in changed]
    return result


def apply_plans(
    task: Task, plans: Sequence[Plan], parent: str | None, before: Sequence[Plan] = ()
) -> list[Plan]:
    """Apply plans for entities of one parent.

    An error has what was done (``changes``) and what was not (``not_done``).

    :param before: what the task has done already.
    """

    def so_far(done: Sequence[Plan | None]) -> Result:
        return {
            **changes_of(task, [*before, *(plan for plan in done if plan is not None)]),
            "not_done": [plan.summary() for plan, result in zip(plans, done) if result is None],
        }

    return apply_all(task.gateway, plans, parent, so_far)


def entity_result(kind: Kind, entity: Entity | None) -> Entity:
    return {} if entity is None else kind.show(mask_entity(kind, entity))
