# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that only one entity can have: who has them, who gets them, and what is deleted first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .._entities._kind import unique_values
from .._errors import InputError
from .._plan import Plan
from ._changes import EntityKey, Step, key_of
from ._current import CurrentState


def deletes_before_writes(
    state: CurrentState, writes: Sequence[Step], deletes: Sequence[Step]
) -> list[Step]:
    """The deletes that free a value for a write, with what they need.

    Each write waits for what frees its values.

    :raises InputError: two entities of the document claim one value, or an entity
        that the document neither has nor deletes has it.
    """
    _refuse_duplicate_values(writes)
    deleted = {
        key_of(plan.kind, plan.stored): (step, plan) for step in deletes for plan in step.plans
    }
    kept = {step.key for step in writes if step.plan.stored}
    early: dict[EntityKey, tuple[Step, Plan]] = {}
    for step in writes:
        for field, other in _owners_of_values(state, step):
            if other in deleted:
                early[other] = deleted[other]
                step.after.add(other)
            elif other in kept:
                step.after.add(other)
            else:
                raise InputError(
                    f"{step.where}: {step.plan.description}: {field} is taken by another "
                    f"{step.plan.kind.name}, which the document does not have"
                )
    whole = {id(step): step for step, plan in early.values() if plan is step.plan}
    parts = [_by_itself(*found) for found in early.values() if id(found[0]) not in whole]
    found = [*_with_needed(list(whole.values()), deletes), *parts]
    _wait_for_moves(found, writes)
    return found


def _with_needed(steps: Sequence[Step], deletes: Sequence[Step]) -> list[Step]:
    """Deletes, and those that must come before them."""
    by_key = {key: step for step in deletes for key in step.keys}
    found: dict[int, Step] = {}

    def keep(step: Step) -> None:
        if id(step) not in found:
            found[id(step)] = step
            for key in step.after & by_key.keys():
                keep(by_key[key])

    for step in steps:
        keep(step)
    return list(found.values())


def _wait_for_moves(deletes: Sequence[Step], writes: Sequence[Step]) -> None:
    """Let deletes wait for writes that move something away from what is deleted."""
    by_key = {key: step for step in deletes for key in step.keys}
    for step in writes if by_key else ():
        for field in step.plan.kind.references if step.plan.changed else ():
            owner = (str(field.reference), (step.plan.stored.get(field.name) or {}).get("id"))
            if owner in by_key:
                by_key[owner].after.add(step.key)


def _refuse_duplicate_values(writes: Sequence[Step]) -> None:
    claimed: dict[Any, Step] = {}
    for step in writes:
        for names, values in unique_values(step.plan.kind, step.plan.entity, step.owner).items():
            first = claimed.setdefault((step.plan.kind.name, names, values), step)
            if first is not step:
                # The value itself can be a secret.
                raise InputError(
                    f"{step.where}: {step.plan.description}: {_shown(step, names)} is also that of "
                    f"{first.plan.description} at {first.where}"
                )


def _owners_of_values(state: CurrentState, step: Step) -> Iterator[tuple[str, EntityKey]]:
    """Fields that a step changes, and the others that have the values now."""
    kind, plan = step.plan.kind, step.plan
    known = unique_values(kind, plan.stored, step.owner) if plan.changed else {}
    wanted = unique_values(kind, plan.entity, step.owner) if plan.changed else {}
    for unique in wanted.items():
        for stored in state.sharing(kind, unique) if unique not in known.items() else ():
            if stored["id"] != step.id:
                yield _shown(step, unique[0]), key_of(kind, stored)


def _shown(step: Step, names: Sequence[str]) -> str:
    """A set of fields for messages, without the parent or the scope of an identity."""
    return " and ".join(names) if names in step.plan.kind.unique_together else names[-1]


def _by_itself(step: Step, plan: Plan) -> Step:
    """A step of its own for one entity of a delete, the rest of which can wait."""
    step.cascaded.remove(plan)
    step.after.add(key_of(plan.kind, plan.stored))
    return Step(plan, plan.kind.parent_id(plan.stored))
