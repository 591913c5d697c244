# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that only one entity can have: who has them, who gets them, and what is deleted first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .._entities._kind import values_together
from .._errors import InputError
from .._plan import Plan
from ._current import CurrentState, owner_of
from ._match import Step

# A kind, a field, within which other entity it is unique if not everywhere, and the value.
UniqueValue = tuple[str, str, Any, str]


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
        plan.stored["id"]: (step, plan) for step in deletes for plan in (step.plan, *step.cascaded)
    }
    kept = {step.id for step in writes if step.plan.stored}
    early: dict[str, tuple[Step, Plan]] = {}
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
    by_id = {key: step for step in deletes for key in step.ids}
    found: dict[int, Step] = {}

    def keep(step: Step) -> None:
        if id(step) not in found:
            found[id(step)] = step
            for key in step.after & by_id.keys():
                keep(by_id[key])

    for step in steps:
        keep(step)
    return list(found.values())


def _wait_for_moves(deletes: Sequence[Step], writes: Sequence[Step]) -> None:
    """Let deletes wait for writes that move something away from what is deleted."""
    by_id = {key: step for step in deletes for key in step.ids}
    for step in writes if by_id else ():
        for field in step.plan.kind.references if step.plan.changed else ():
            owner = (step.plan.stored.get(field.name) or {}).get("id")
            if owner in by_id:
                by_id[owner].after.add(step.id)


def _refuse_duplicate_values(writes: Sequence[Step]) -> None:
    claimed: dict[UniqueValue, Step] = {}
    for step in writes:
        for claim in _unique_values_of(step):
            first = claimed.setdefault(claim, step)
            if first is not step:
                # The value itself can be a secret.
                raise InputError(
                    f"{step.where}: {step.plan.description}: {claim[1]} is also that of "
                    f"{first.plan.description} at {first.where}"
                )


def _unique_values_of(step: Step) -> Iterator[UniqueValue]:
    """What no other entity may have."""
    kind, entity = step.plan.kind, step.plan.entity
    for field in _unique_fields(step):
        value = entity.get(field)
        if isinstance(value, str):
            yield kind.name, field, None if field in kind.unique else step.owner, value
    for names in kind.unique_together:
        values = values_together(entity, names)
        if values is not None:
            yield kind.name, " and ".join(names), values, ""
    if kind.identity.scope:
        scope = tuple((entity.get(each) or {}).get("id") for each in kind.identity.scope)
        yield kind.name, kind.identity.field, scope, str(entity.get(kind.identity.field))


def _owners_of_values(state: CurrentState, step: Step) -> Iterator[tuple[str, str]]:
    """Fields that a step writes, and the IDs of others that have the value now."""
    kind = step.plan.kind
    for field in _unique_fields(step):
        value = step.plan.body.get(field)
        for stored in state.holding(kind.name, field, value) if isinstance(value, str) else ():
            is_global = kind.parent is None or field in kind.unique
            same = is_global or owner_of(kind, stored) == step.owner
            if same and stored["id"] != step.id:
                yield field, stored["id"]
    for names in kind.unique_together:
        written = step.plan.body.keys() & set(names)
        for stored in state.sharing(kind, step.plan.entity, names) if written else ():
            if stored["id"] != step.id:
                yield " and ".join(names), stored["id"]


def _unique_fields(step: Step) -> list[str]:
    kind = step.plan.kind
    own = [kind.path_key] if kind.path_key else []
    return list(dict.fromkeys([*own, *kind.unique]))


def _by_itself(step: Step, plan: Plan) -> Step:
    """A step of its own for one entity of a delete, the rest of which can wait."""
    step.cascaded.remove(plan)
    step.after.add(plan.stored["id"])
    return Step(plan, owner_of(plan.kind, plan.stored))
