# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a document deletes: with all that is deleted along with it, and all that forbids it.

A gateway deletes on its own what belongs to a deleted entity, and refuses to delete what others
point at; both are found here beforehand, to any depth.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .._entities._kind import CASCADE, RESTRICT, Entity, Kind
from .._entities._registry import KINDS, kinds_listing, kinds_referring_to
from .._errors import InputError
from .._gateway._protocol import Gateway
from .._plan import Plan, plan_absent
from ._changes import EntityKey, Protected, Step, key_of
from ._current import CurrentState
from ._format import ORDER

Found = tuple[Kind, Entity]


@dataclass
class Removal:
    """Plans the deletes of one document.

    :param cascade: whether what is not owned may be deleted, too.
    :param owns: whether the document owns a stored entity of a kind.
    :param writes: steps of what the document has; none of it is deleted.
    :param protect_tags: what has one of these tags is protected, and so is what cannot be deleted
        without it.
    """

    gateway: Gateway
    state: CurrentState
    cascade: bool
    owns: Callable[[str, Entity], bool]
    writes: Sequence[Step]
    protect_tags: frozenset[str]
    protected: list[Protected] = field(default_factory=list)
    _deleted: dict[EntityKey, Found] = field(default_factory=dict)
    # The entities whose deletes imply that of another one, by that one.
    _implied_by: dict[EntityKey, list[Found]] = field(default_factory=dict)
    _listed_ids: bool = False
    _refuses_blocked: bool = True

    def __post_init__(self) -> None:
        self._kept = {step.key for step in self.writes}

    def steps(self, wanted: Iterable[Found]) -> list[Step]:
        """Delete steps, children with what they belong to.

        :raises InputError: what is not owned would be deleted, too, or forbids a delete; or the
            document has what needs a deleted entity.
        """
        found = list(wanted)
        if any(kinds_listing(kind.name) for kind, _entity in found):
            self._listed_ids = self.gateway.traits().restricts_listed_ids
        # What is protected is known once all is gathered, and nothing is in the way of its delete.
        self._gather(found, refuse_blocked=not self.protect_tags)
        if self.protect_tags:
            self._protect()
            kept = {key_of(each.plan.kind, each.plan.stored) for each in self.protected}
            self._gather([each for each in found if key_of(*each) not in kept])
        self._refuse_needed()
        # What belongs to two deleted entities goes before both, in a step of its own.
        owners = Counter(
            key_of(*child)
            for found in self._deleted.values()
            for child in self._cascading(*found)
        )
        steps = [
            self._step(kind, entity, owners)
            for kind, entity in self._deleted.values()
            if owners[key_of(kind, entity)] != 1
        ]
        return sorted(steps, key=lambda step: (step.is_final, -step.level))

    def _gather(self, wanted: Sequence[Found], refuse_blocked: bool = True) -> None:
        """All that must be deleted together with some entities, to any depth."""
        self._deleted.clear()
        self._refuses_blocked = refuse_blocked
        fresh = list(wanted)
        while fresh:
            self._deleted.update({key_of(*found): found for found in fresh})
            self._read_around({kind.name for kind, _entity in fresh})
            fresh = [other for found in fresh for other in self._implied_deletes(*found)]

    def _protect(self) -> None:
        """Find what is protected, and what cannot be deleted without it."""
        queue = deque(
            Protected(self._plan(kind, entity), f"it has the tag {min(tags)}")
            for kind, entity in self._deleted.values()
            if (tags := self.protect_tags & set(entity.get("tags") or ()))
        )
        known = {key_of(each.plan.kind, each.plan.stored) for each in queue}
        while queue:
            protected = queue.popleft()
            self.protected.append(protected)
            needed_by = key_of(protected.plan.kind, protected.plan.stored)
            for kind, entity in self._implied_by.get(needed_by, ()):
                if key_of(kind, entity) not in known:
                    known.add(key_of(kind, entity))
                    reason = f"{protected.plan.description} is protected and needs it"
                    queue.append(Protected(self._plan(kind, entity), reason))

    def _implied_deletes(self, kind: Kind, entity: Entity) -> list[Found]:
        """What must be deleted because an entity is, and was not known to be."""
        found = [("points at", *each) for each in self._restricting(kind, entity)]
        found += [("would be deleted with", *each) for each in self._cascading(kind, entity)]
        for how, other_kind, other in found:
            owned = how != "points at" and self.owns(other_kind.name, other)
            key = key_of(other_kind, other)
            allowed = owned or self.cascade or key in self._deleted
            if self._refuses_blocked and not allowed:
                raise InputError(
                    f"{other_kind.describe(other)} {how} {kind.describe(entity)} at "
                    f"{self.gateway.url}, and is not owned: set cascade to true if it may be "
                    "deleted, too"
                )
            if self.protect_tags:
                self._implied_by.setdefault(key, []).append((kind, entity))
        return [each[1:] for each in found if key_of(*each[1:]) not in self._deleted]

    def _step(self, kind: Kind, entity: Entity, owners: Mapping[EntityKey, int]) -> Step:
        first = {key_of(*child) for child in self._restricting(kind, entity)}
        children = (key_of(*child) for child in self._cascading(kind, entity))
        first |= {child for child in children if owners[child] != 1}
        cascaded = [self._plan(*found) for found in self._cascaded(kind, entity, owners)]
        return Step(
            self._plan(kind, entity), kind.parent_id(entity), after=first, cascaded=cascaded
        )

    def _cascaded(
        self, kind: Kind, entity: Entity, owners: Mapping[EntityKey, int]
    ) -> Iterator[Found]:
        for child in self._cascading(kind, entity):
            if owners[key_of(*child)] == 1:
                yield child
                yield from self._cascaded(*child, owners)

    def _plan(self, kind: Kind, entity: Entity) -> Plan:
        return plan_absent(kind, entity, self._owner_label(kind, entity))

    def _refuse_needed(self) -> None:
        """Refuse to delete what the document lacks, and what it has needs."""
        for step in self.writes if self._deleted else ():
            for key in step.needs:
                if key in self._deleted:
                    kind, entity = self._deleted[key]
                    raise InputError(
                        f"{step.where}: {step.plan.description} needs {kind.describe(entity)}, "
                        "which would be deleted, as it is owned and not in the document; add it to "
                        "the document"
                    )

    def _read_around(self, kinds: Iterable[str]) -> None:
        """List what a delete of these kinds implies, or what forbids it."""
        wanted = {
            other.name
            for kind in kinds
            for other, _field in (*kinds_referring_to(kind, CASCADE), *self._restricted_by(kind))
        }
        names = [name for name in ORDER if name in wanted]
        self.state.read(names, skipped=lambda kind, exc: None)
        for kind in (KINDS[name] for name in names if KINDS[name].is_listed_below):
            self.state.read_below(kind, self._owners(kind))

    def _owners(self, kind: Kind) -> list[Entity]:
        """The entities below which something that is deleted, too, can lie."""
        above = str(kind.parent)
        pointed_at = {str(each.reference) for each in kind.references} - {above}
        if any(found.name in pointed_at for found, _entity in self._deleted.values()):
            self.state.read([above], skipped=lambda kind, exc: None)
            return self.state.of(above)
        return [entity for found, entity in self._deleted.values() if found.name == above]

    def _restricted_by(self, kind: str) -> list[tuple[Kind, str]]:
        """Kinds, with a field, that forbid to delete what they point at."""
        listed = kinds_listing(kind) if self._listed_ids else []
        return [*kinds_referring_to(kind, RESTRICT), *listed]

    def _restricting(self, kind: Kind, entity: Entity) -> list[Found]:
        return self._children(self._restricted_by(kind.name), entity)

    def _cascading(self, kind: Kind, entity: Entity) -> list[Found]:
        return self._children(kinds_referring_to(kind.name, CASCADE), entity)

    def _children(self, table: Iterable[tuple[Kind, str]], entity: Entity) -> list[Found]:
        return [
            (kind, child)
            for kind, back in table
            for child in self.state.holding(kind.name, back, entity["id"])
            if key_of(kind, child) not in self._kept
        ]

    def _owner_label(self, kind: Kind, entity: Entity) -> str | None:
        owner = kind.parent_id(entity)
        if owner is None or kind.parent is None:
            return None
        stored = self.state.with_id(kind.parent, owner)
        return KINDS[kind.parent].label(stored) if stored else owner
