# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out the steps of a document, each as soon as what it needs is there, and undo them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .._apply import apply
from .._entities._kind import TIMESTAMPS, Entity, Kind
from .._errors import InputError, KongError, Unreachable
from .._gateway._protocol import Gateway
from .._plan import CREATE, DELETE, UPDATE, Plan
from .._values import difference, map_strings, without_nulls
from ._changes import ChangeSet, EntityKey, Step, is_hashed
from ._schedule import schedules


@dataclass
class Report:
    """What became of the steps: each is in exactly one of these lists, in the planned order."""

    done: list[Step] = field(default_factory=list)
    failed: list[tuple[Step, KongError]] = field(default_factory=list)
    not_done: list[Step] = field(default_factory=list)


@dataclass
class Runner:
    """Runs steps on a gateway.

    :param on_error: ``stop`` and ``rollback`` begin nothing new after a failure; ``continue``
        leaves out only what needs the failed entity.
    :param progress: called after each change with a line that says how far the work is.
    """

    gateway: Gateway
    on_error: str
    workers: int
    progress: Callable[[str], None]

    def __post_init__(self) -> None:
        self._report = Report()
        self._total = 0
        # Entities whose steps failed or were left out, and those that so do not exist.
        self._broken: set[EntityKey] = set()
        self._missing: set[EntityKey] = set()
        # IDs that somebody else gave what was to get one of ours, by ours.
        self._given: dict[str, str] = {}
        self._lock = threading.Lock()

    def run(self, changes: ChangeSet) -> Report:
        """
        :raises InputError: two entities swap a value that only one can have; nothing is written.
        """
        planned = schedules(changes)
        self._total = sum(len(each.steps) for each in planned)
        for each in planned:
            each.run(self._attempt, self.workers)
        # In which order threads ended says nothing.
        places = {id(step): at for at, step in enumerate(step for p in planned for step in p.steps)}
        report = self._report
        report.done.sort(key=lambda step: places[id(step)])
        report.failed.sort(key=lambda failure: places[id(failure[0])])
        report.not_done.sort(key=lambda step: places[id(step)])
        return report

    def _attempt(self, step: Step) -> None:
        with self._lock:
            is_halted = self._report.failed and self.on_error != "continue"
            if is_halted or step.needs & self._missing or step.after & self._broken:
                self._mark_broken(step)
                self._report.not_done.append(step)
                return
        planned, gives_way = step.id, step.plan.generated_id
        self._follow(step)
        try:
            plan = apply(self.gateway, step.plan, step.owner)
            _refuse_another(step, plan)
        except KongError as exc:
            with self._lock:
                self._mark_broken(step)
                self._report.failed.append((step, exc))
            return
        step.plan = plan
        with self._lock:
            if gives_way and step.id != planned:
                self._given[planned] = step.id
            self._report.done.append(step)
            self.progress(f"{len(self._report.done)} of {self._total} changes done")

    def _mark_broken(self, step: Step) -> None:
        self._broken.update(step.keys)
        if step.plan.operation == CREATE:
            self._missing.add(step.key)

    def _follow(self, step: Step) -> None:
        """Refer to entities by the IDs that they have got, where these are not the planned ones."""
        with self._lock:
            given = dict(self._given)
        if given:

            def new(text: str) -> str:
                return given.get(text, text)

            body, after = (map_strings(each, new) for each in (step.plan.body, step.plan.after))
            step.plan = replace(step.plan, body=body, after=after)
            step.owner = given.get(str(step.owner), step.owner)


def _refuse_another(step: Step, plan: Plan) -> None:
    """What needs the entity was planned with the id that it should have got."""
    wanted = step.plan.body.get("id")
    if step.plan.generated_id:
        return
    if step.plan.operation == CREATE and wanted not in (None, plan.entity.get("id")):
        raise InputError(
            f"{plan.description} was created by somebody else meanwhile: run the task again"
        )


def undo(gateway: Gateway, report: Report) -> tuple[list[Plan], list[str]]:
    """Put back what was done, in reverse order; what somebody changed since is left alone.

    :returns: what was put back, and what was left as it is, with the reason.
    """
    back = [
        (plan, step)
        for step in reversed(report.done)
        for plan in (step.plan, *step.cascaded)
        if plan.changed
    ]
    undone: list[Plan] = []
    left: list[str] = []
    gone: KongError | None = None
    for plan, step in back:
        try:
            if gone is not None:
                raise gone
            undone.append(_undo_one(gateway, plan, step))
        except KongError as exc:
            # Asking again for each of thousands of entities would take hours.
            gone = exc if isinstance(exc, Unreachable) else gone
            left.append(f"{plan.description}: {exc.message}")
    return undone, left


def _undo_one(gateway: Gateway, plan: Plan, step: Step) -> Plan:
    kind = plan.kind
    has_secret = plan.operation == DELETE or bool(plan.body.keys() & {"password", "client_secret"})
    if is_hashed(plan) and has_secret and plan.operation != CREATE:
        raise InputError("its secret cannot be put back: the gateway has only a hash of it")
    if plan.operation == DELETE:
        return _recreate(gateway, plan)
    current = gateway.find_by(kind, "id", str(plan.entity["id"]), step.owner)
    if current is None or _differs(kind, current, plan.entity):
        raise InputError("somebody else has changed it since")
    if plan.operation == CREATE:
        back = Plan(kind, DELETE, before=current, parent=plan.parent)
    else:
        body = {name: plan.stored.get(name) for name in plan.body}
        back = Plan(kind, UPDATE, current, plan.before, body, plan.parent)
    return apply(gateway, back, step.owner)


def _differs(kind: Kind, one: Entity, other: Entity) -> bool:
    changed = difference(kind.fields, one, other).keys() | difference(kind.fields, other, one)
    # What is read only, as the SNIs of a certificate, changes with other entities.
    return bool(changed - {*kind.read_only})


def _recreate(gateway: Gateway, plan: Plan) -> Plan:
    """Create a deleted entity again with the same ID."""
    left_out = (*TIMESTAMPS, *plan.kind.read_only, plan.kind.parent)
    body = {name: value for name, value in plan.stored.items() if name not in left_out}
    again = Plan(plan.kind, CREATE, None, None, without_nulls(body), plan.parent)
    return apply(gateway, again, plan.kind.parent_id(plan.stored))
