# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From desired and current entities to plans. Pure: no HTTP, no Ansible.

``changed`` and the diff of a task both come from a :class:`Plan`, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ._entities._kind import PLACEHOLDER, TIMESTAMPS, Entity, Kind
from ._errors import InputError
from ._schema import without_old_names
from ._secrets import mask
from ._values import difference, merge, without_nulls

CREATE, UPDATE, DELETE, NONE = "create", "update", "delete", "none"


@dataclass(frozen=True)
class Plan:
    """One entity's way from ``before`` to ``after``.

    :param parent: what the parent was called by the user, for messages.
    :param body: what is sent: the whole entity on a create, the changed leaves on an update.
    :param after: expected until the write; then the gateway's response, or a prediction.
    :param generated_id: whether the ID in ``body`` is replaced by that of an entity that somebody
        else creates meanwhile; one that a user wrote is not.
    :param exclusive: whether an entity that somebody else creates meanwhile is an error.
    """

    kind: Kind
    operation: str
    before: Entity | None = None
    after: Entity | None = None
    body: Entity = field(default_factory=dict)
    parent: str | None = None
    exclusive: bool = False
    generated_id: bool = False

    @property
    def changed(self) -> bool:
        return self.operation != NONE

    @property
    def stored(self) -> Entity:
        """The entity as it was found; empty where there was none."""
        return self.before or {}

    @property
    def entity(self) -> Entity:
        """The entity as it is once the plan is done; of a deleted one, as it was."""
        return self.after or self.stored or self.body

    @property
    def full_body(self) -> Entity:
        """The whole planned entity, for writes that reset what they leave out."""
        hidden = (*TIMESTAMPS, *self.kind.read_only)
        entity = {name: value for name, value in self.entity.items() if name not in hidden}
        if self.kind.details is not None:
            entity = without_old_names(self.kind.details, entity)
        return without_nulls(self.kind.read(entity, None), self.kind.keeps_nulls)

    @property
    def description(self) -> str:
        entity = self.stored or self.after or self.body
        if self.generated_id and entity == self.body:
            # Nobody knows an ID that no gateway has.
            entity = {name: value for name, value in entity.items() if name != "id"}
        return self.kind.describe(entity, self.parent)

    def done(self, response: Entity | None) -> Plan:
        """The plan after its write, with the entity that the gateway returned."""
        return replace(self, after=response)

    @property
    def sides(self) -> tuple[Entity | None, Entity | None]:
        """Both sides as a diff shows them, but with their secrets."""
        return _shown(self.kind, self.before), _shown(self.kind, self.after)

    def diff(self, gateway: str) -> dict[str, Any]:
        """The pair that ``--diff`` shows: whole entities, without generated values."""
        return diff_entry(f"{self.description} ({gateway})", **mask(self.kind, *self.sides))

    def summary(self) -> dict[str, Any]:
        """The entry of a result's ``changes``."""
        # The SNIs of a certificate are written beside it, so a response can have any of them.
        read = {name: self.stored[name] for name in self.kind.read_only if name in self.stored}
        return {
            "operation": self.operation,
            "kind": self.kind.name,
            self.kind.identity.field: self.kind.label({**self.entity, **read}),
            **({self.kind.parent: self.parent} if self.kind.parent else {}),
        }


def diff_entry(header: str, before: Any, after: Any) -> dict[str, Any]:
    """A diff as Ansible shows it, with one header for both sides."""
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def plan_present(
    kind: Kind, desired: Entity, current: Entity | None, parent: str | None = None
) -> Plan:
    """Create what is missing, update what differs, in place.

    :param desired: what the user wrote, normalised, without explicit nulls that mean a default.
    :raises InputError: ``desired`` contradicts the entity that it was found as.
    """
    if current is None:
        body = without_nulls(desired)
        return Plan(kind, CREATE, None, body, body, parent)
    kind.identity.agrees(kind, desired, current)
    change = difference(kind.fields, desired, current)
    if not change:
        return Plan(kind, NONE, current, current, parent=parent)
    return Plan(kind, UPDATE, current, merge(kind.fields, current, change), change, parent)


def plan_absent(
    kind: Kind, current: Entity | None, parent: str | None = None, desired: Entity | None = None
) -> Plan:
    """Delete what exists.

    :param desired: what the user wrote of it.
    :raises InputError: that contradicts the entity that it was found as.
    """
    if current is None:
        return Plan(kind, NONE, parent=parent)
    kind.identity.agrees(kind, desired or {}, current, deleting=True)
    return Plan(kind, DELETE, current, parent=parent)


def plan_many(
    kind: Kind,
    wanted: Sequence[Entity],
    current: Sequence[Entity],
    parent: str | None,
    purge: bool | None = False,
) -> list[Plan]:
    """Plans for several entities of one parent: those written, in order, then the purged ones.

    Deletes come last, so that a pool is never emptier in between than at the end.
    """
    found = by_identity(kind, current)
    keys = [kind.identity.key_of(entity) for entity in wanted]
    plans = [plan_present(kind, each, found.get(key), parent) for each, key in zip(wanted, keys)]
    if purge:
        surplus = sorted(found.keys() - set(keys))
        plans += [plan_absent(kind, found[key], parent) for key in surplus]
    return plans


def keep_protected(plans: Iterable[Plan], protect_tags: Iterable[str]) -> list[Plan]:
    """The plans, with no delete of what has one of these tags."""
    tags = frozenset(protect_tags)
    return [
        replace(plan, operation=NONE, after=plan.before)
        if plan.operation == DELETE and tags & set(plan.stored.get("tags") or ())
        else plan
        for plan in plans
    ]


def by_identity(kind: Kind, entities: Sequence[Entity]) -> dict[Any, Entity]:
    return {kind.identity.key_of(entity): entity for entity in entities}


def refuse_duplicates(kind: Kind, written: Sequence[Entity], normalised: Sequence[Entity]) -> None:
    """:raises InputError: two entries mean one entity; names both, with positions from 1."""
    first: dict[str, int] = {}
    field = kind.identity.field
    for position, entity in enumerate(normalised):
        identity = entity[field]
        if identity in first:
            earlier = first[identity]
            raise InputError(
                f"{kind.path} {earlier + 1} ({written[earlier][field]}) and {position + 1} "
                f"({written[position][field]}) are the same: {identity}"
            )
        first[identity] = position


def _shown(kind: Kind, entity: Entity | None) -> Entity | None:
    """An entity without its own ID, its times and its parent's ID."""
    if entity is None:
        return None
    hidden = {"id", *TIMESTAMPS, *kind.read_only, kind.parent}
    return {name: _readable(value) for name, value in entity.items() if name not in hidden}


def _readable(value: Any) -> Any:
    if isinstance(value, dict) and str(value.get("id", "")).startswith(PLACEHOLDER):
        return {**value, "id": "(generated)"}
    return value
