# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out the steps of a document: level by level, side by side, with an undo.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from .._apply import apply
from .._entities._kind import TIMESTAMPS, Entity, Kind
from .._entities._registry import LEVELS
from .._errors import InputError, KongError, Unreachable
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._plan import CREATE, DELETE, UPDATE, Plan
from .._values import canonical, with_strings, without_nulls
from ._match import Step, is_hashed
from ._reconcile import ChangeSet


@dataclass
class Report:
    """What became of the steps: each is in exactly one of these lists."""

    done: list[Step] = field(default_factory=list)
    failed: list[tuple[Step, KongError]] = field(default_factory=list)
    not_done: list[Step] = field(default_factory=list)


class Runner:
    """Runs steps on a gateway.

    :param on_error: ``stop`` and ``rollback`` begin nothing new after a failure; ``continue``
        leaves out only what needs the failed entity.
    :param progress: told after each change how far the work is.
    """

    def __init__(
        self,
        gateway: Gateway,
        on_error: str,
        workers: int,
        progress: Callable[[str], None],
    ) -> None:
        self._gateway = gateway
        self._goes_on = on_error == "continue"
        self._workers = workers
        self._progress = progress
        self._report = Report()
        self._total = 0
        self._broken: set[str] = set()
        # IDs that somebody else gave what was to get one of ours, by ours.
        self._given: dict[str, str] = {}
        self._lock = threading.Lock()

    def run(self, changes: ChangeSet) -> Report:
        phases = list(_phases(changes))
        self._total = sum(len(phase) for phase in phases)
        for phase in phases:
            for_each(self._attempt, phase, self._workers)
        return self._report

    def _attempt(self, step: Step) -> None:
        with self._lock:
            if self._is_halted or step.needs & self._broken:
                self._broken.add(step.id)
                self._report.not_done.append(step)
                return
        planned, gives_way = step.id, step.plan.generated_id
        self._follow(step)
        try:
            plan = apply(self._gateway, step.plan, step.owner)
            _refuse_another(step, plan)
        except KongError as exc:
            with self._lock:
                self._broken.add(step.id)
                self._report.failed.append((step, exc))
            return
        step.plan = plan
        with self._lock:
            if gives_way and step.id != planned:
                self._given[planned] = step.id
            self._report.done.append(step)
            self._progress(f"{len(self._report.done)} of {self._total} changes done")

    def _follow(self, step: Step) -> None:
        """Refer to entities by the IDs that they have got, where these are not the planned ones."""
        with self._lock:
            given = dict(self._given)
        if given:
            body, after = (with_strings(each, given) for each in (step.plan.body, step.plan.after))
            step.plan = replace(step.plan, body=body, after=after)
            step.owner = given.get(str(step.owner), step.owner)

    @property
    def _is_halted(self) -> bool:
        return bool(self._report.failed) and not self._goes_on


def _refuse_another(step: Step, plan: Plan) -> None:
    """What needs the entity was planned with the id that it should have got."""
    wanted = step.plan.body.get("id")
    if step.plan.generated_id:
        return
    if step.plan.operation == CREATE and wanted not in (None, plan.entity.get("id")):
        raise InputError(
            f"{plan.description} was created by somebody else meanwhile: run the task again"
        )


def _phases(changes: ChangeSet) -> Iterator[list[Step]]:
    """Steps that can be done side by side, one list after the other."""
    yield from _deletes(changes.early)
    for level in sorted(set(LEVELS.values())):
        pending = [step for step in changes.writes if step.level == level]
        yield from _waves([step for step in pending if step.plan.changed])
    # What cannot be put back is only given up once everything else has gone well.
    for hard in (False, True):
        yield from _deletes([step for step in changes.deletes if step.is_final == hard])


def _deletes(steps: Sequence[Step]) -> Iterator[list[Step]]:
    for level in sorted(set(LEVELS.values()), reverse=True):
        found = [step for step in steps if step.level == level]
        if found:
            yield found


def _waves(steps: list[Step]) -> Iterator[list[Step]]:
    """Within a level only a value that another entity gives up makes one step wait for another.

    :raises InputError: two entities swap a value that only one can have.
    """
    while steps:
        waiting = {step.id for step in steps}
        ready = [step for step in steps if not (step.needs - {step.id}) & waiting]
        if not ready:
            names = ", ".join(step.plan.description for step in steps)
            raise InputError(f"each takes a name that another one gives up: {names}")
        yield ready
        begun = {step.id for step in ready}
        steps = [step for step in steps if step.id not in begun]


@dataclass
class Undone:
    """What a rollback put back, and what it left as it is, with the reason."""

    undone: list[Plan] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def undo(gateway: Gateway, report: Report) -> Undone:
    """Put back what was done, in reverse order; what somebody changed since is left alone."""
    back = [
        (plan, step)
        for step in reversed(report.done)
        for plan in (step.plan, *step.cascaded)
        if plan.changed
    ]
    result = Undone()
    gone: KongError | None = None
    for plan, step in back:
        try:
            if gone is not None:
                raise gone
            result.undone.append(_undo_one(gateway, plan, step))
        except KongError as exc:
            # Asking again for each of thousands of entities would take hours.
            gone = exc if isinstance(exc, Unreachable) else gone
            result.left.append(f"{plan.description}: {exc.message}")
    return result


def _undo_one(gateway: Gateway, plan: Plan, step: Step) -> Plan:
    kind = plan.kind
    told = plan.operation == DELETE or bool(plan.body.keys() & {"password", "client_secret"})
    if is_hashed(plan) and told and plan.operation != CREATE:
        raise InputError("its secret cannot be put back: the gateway has only a hash of it")
    if plan.operation == DELETE:
        return _recreate(gateway, plan)
    current = gateway.find_by(kind, "id", str(plan.entity["id"]), step.owner)
    if current is None or _differs(kind, current, plan.entity):
        raise InputError("it was changed since by somebody else")
    if plan.operation == CREATE:
        back = Plan(kind, DELETE, before=current, parent=plan.parent)
    else:
        body = {name: plan.stored.get(name) for name in plan.body}
        back = Plan(kind, UPDATE, current, plan.before, body, plan.parent)
    return apply(gateway, back, step.owner)


def _differs(kind: Kind, one: Entity, other: Entity) -> bool:
    fields = {each.name: each for each in kind.fields}
    return any(
        canonical(fields.get(name), one.get(name)) != canonical(fields.get(name), other.get(name))
        for name in one.keys() | other.keys()
    )


def _recreate(gateway: Gateway, plan: Plan) -> Plan:
    """Make a deleted entity again with the same id."""
    owner = (plan.stored.get(plan.kind.parent or "") or {}).get("id")
    body = {
        name: value
        for name, value in plan.stored.items()
        if name not in (*TIMESTAMPS, *plan.kind.read_only, plan.kind.parent)
    }
    again = Plan(plan.kind, CREATE, None, None, without_nulls(body), plan.parent)
    return apply(gateway, again, owner)
