# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a document takes away: with all that goes along, and all that stands in the way.

PRIVATE to the collection: it can change in any release.

A gateway deletes on its own what belongs to a deleted entity, and refuses to delete what others
point at; both are found here beforehand, to any depth.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._entities._kind import CASCADE, RESTRICT, Entity, Kind, ids_in
from .._entities._registry import KINDS, kinds_listing, kinds_referring_to
from .._errors import InputError
from .._gateway._protocol import Gateway
from .._plan import NONE, Plan, plan_absent
from ._current import CurrentState, owner_of
from ._format import ORDER
from ._match import Step

Found = tuple[Kind, Entity]


@dataclass(frozen=True)
class Spared:
    """What is not deleted because of a tag.

    :param parent: what its parent is called.
    """

    kind: Kind
    entity: Entity
    reason: str
    parent: str | None = None

    @property
    def description(self) -> str:
        return self.kind.describe(self.entity, self.parent)

    def summary(self) -> dict[str, Any]:
        """The entry of a result's ``spared``."""
        plan = Plan(self.kind, NONE, self.entity, self.entity, parent=self.parent)
        return {**plan.summary(), "reason": self.reason}


class Removal:
    """Plans the deletes of one document.

    :param cascade: whether what is not owned may go, too.
    :param owns: whether the document owns a stored entity of a kind.
    :param writes: steps of what the document has; none of it is deleted.
    :param protect_tags: what carries one of these tags is spared, and so is what cannot be deleted
        without it.
    """

    def __init__(
        self,
        gateway: Gateway,
        state: CurrentState,
        cascade: bool,
        owns: Callable[[str, Entity], bool],
        writes: Sequence[Step] = (),
        *,
        protect_tags: Iterable[str] = (),
    ) -> None:
        self._gateway = gateway
        self._state = state
        self._cascade = cascade
        self._owns = owns
        self._writes = writes
        self._kept = {step.id for step in writes}
        self._listed_ids = False
        # All that is deleted, by its id.
        self.going: dict[str, Found] = {}
        self._protect_tags = frozenset(protect_tags)
        # What each entity that is to go draws in, by the IDs of both, the other way round.
        self._drawn_by: dict[str, list[Found]] = {}
        self.spared: list[Spared] = []

    def steps(self, doomed: Iterable[Found]) -> list[Step]:
        """Delete steps, children with what they belong to.

        :raises InputError: something that is not owned would go along or stands in the way, or the
            document has what needs a deleted entity.
        """
        found = list(doomed)
        if any(kinds_listing(kind.name) for kind, _entity in found):
            self._listed_ids = self._gateway.traits().restricts_listed_ids
        self._gather(found)
        if self._spare():
            gone = {each.entity["id"] for each in self.spared}
            self._gather([each for each in found if each[1]["id"] not in gone])
        self._refuse_needed()
        # What belongs to two deleted entities goes before both, in a step of its own.
        owners = Counter(
            child["id"]
            for kind, entity in self.going.values()
            for _kind, child in self._children(kinds_referring_to(kind.name, CASCADE), entity)
        )
        steps = [
            self._step(kind, entity, owners)
            for kind, entity in self.going.values()
            if owners[entity["id"]] != 1
        ]
        return sorted(steps, key=lambda step: (step.is_final, -step.level))

    def _gather(self, doomed: Sequence[Found]) -> None:
        """All that goes with what is to go, to any depth."""
        self.going.clear()
        fresh = list(doomed)
        while fresh:
            self.going.update({entity["id"]: (kind, entity) for kind, entity in fresh})
            self._read_around({kind.name for kind, _entity in fresh})
            fresh = [other for found in fresh for other in self._drawn_in(*found)]

    def _spare(self) -> bool:
        """Find what is protected, and what would take it along or has to go after it."""
        queue = deque(
            Spared(kind, entity, f"it has the tag {tag}", self._owner_label(kind, entity))
            for kind, entity in self.going.values()
            for tag in self._protecting(entity)[:1]
        )
        known = {each.entity["id"] for each in queue}
        while queue:
            spared = queue.popleft()
            self.spared.append(spared)
            for kind, entity in self._drawn_by.get(spared.entity["id"], ()):
                if entity["id"] not in known:
                    known.add(entity["id"])
                    reason = f"{spared.description} is spared and needs it"
                    queue.append(Spared(kind, entity, reason, self._owner_label(kind, entity)))
        return bool(self.spared)

    def _protecting(self, entity: Entity) -> list[str]:
        return sorted(self._protect_tags & set(entity.get("tags") or ()))

    def _drawn_in(self, kind: Kind, entity: Entity) -> list[Found]:
        """What has to go because an entity does, and was not known to go."""
        found = []
        for other_kind, other in self._children(self._restricting(kind), entity):
            may_go = self._cascade or bool(self._protecting(other))
            if other["id"] not in self.going and not may_go:
                raise self._blocked(other_kind, other, kind, entity, "points at")
            found.append((other_kind, other))
        for other_kind, other in self._children(kinds_referring_to(kind.name, CASCADE), entity):
            may_go = self._cascade or bool(self._protecting(other))
            may_go = may_go or self._owns(other_kind.name, other)
            if other["id"] not in self.going and not may_go:
                raise self._blocked(other_kind, other, kind, entity, "would be deleted with")
            found.append((other_kind, other))
        for _kind, other in found if self._protect_tags else ():
            self._drawn_by.setdefault(other["id"], []).append((kind, entity))
        return [each for each in found if each[1]["id"] not in self.going]

    def _step(self, kind: Kind, entity: Entity, owners: Mapping[str, int]) -> Step:
        first = {child["id"] for _kind, child in self._children(self._restricting(kind), entity)}
        cascaded = [self._plan(*found) for found in self._cascaded(kind, entity, owners)]
        return Step(self._plan(kind, entity), owner_of(kind, entity), first, cascaded=cascaded)

    def _cascaded(self, kind: Kind, entity: Entity, owners: Mapping[str, int]) -> Iterator[Found]:
        for child_kind, child in self._children(kinds_referring_to(kind.name, CASCADE), entity):
            if owners[child["id"]] == 1:
                yield child_kind, child
                yield from self._cascaded(child_kind, child, owners)

    def _plan(self, kind: Kind, entity: Entity) -> Plan:
        return plan_absent(kind, entity, self._owner_label(kind, entity))

    def _refuse_needed(self) -> None:
        """What the document has must not point at what it lacks and so would be deleted."""
        for step in self._writes if self.going else ():
            for key in (*step.needs, *_listed(step)):
                if key in self.going:
                    kind, entity = self.going[key]
                    raise InputError(
                        f"{step.where}: {step.plan.description} needs {kind.describe(entity)}, "
                        "which is owned and not in the document, and so would be deleted: write "
                        "it, too"
                    )

    def _read_around(self, kinds: Iterable[str]) -> None:
        """List what a delete of these kinds takes along or meets in its way."""
        tables = (
            table
            for kind in kinds
            for table in (kinds_referring_to(kind, CASCADE), self._restricting(KINDS[kind]))
        )
        wanted = {kind.name for table in tables for kind, _field in table}
        names = [name for name in ORDER if name in wanted]
        self._state.read(names, skipped=lambda kind, exc: None)
        for kind in (KINDS[name] for name in names if KINDS[name].is_listed_below):
            self._state.read_below(kind, self._owners(kind))

    def _owners(self, kind: Kind) -> list[Entity]:
        """The entities below which something that is deleted along can lie."""
        above = str(kind.parent)
        pointed_at = {str(each.reference) for each in kind.references} - {above}
        if any(found.name in pointed_at for found, _entity in self.going.values()):
            self._state.read([above], skipped=lambda kind, exc: None)
            return self._state.of(above)
        return [entity for found, entity in self.going.values() if found.name == above]

    def _restricting(self, kind: Kind) -> list[tuple[Kind, str]]:
        """Kinds, with a field, that forbid to delete what they point at."""
        listed = kinds_listing(kind.name) if self._listed_ids else []
        return [*kinds_referring_to(kind.name, RESTRICT), *listed]

    def _children(self, table: Iterable[tuple[Kind, str]], entity: Entity) -> list[Found]:
        return [
            (kind, child)
            for kind, back in table
            for child in self._state.holding(kind.name, back, entity["id"])
            if child["id"] not in self._kept
        ]

    def _blocked(
        self, child_kind: Kind, child: Entity, kind: Kind, entity: Entity, how: str
    ) -> InputError:
        return InputError(
            f"{child_kind.describe(child)} {how} {kind.describe(entity)} at {self._gateway.url}, "
            "and is not owned: set cascade to true if it may go, too"
        )

    def _owner_label(self, kind: Kind, entity: Entity) -> str | None:
        owner = owner_of(kind, entity)
        if owner is None or kind.parent is None:
            return None
        stored = self._state.with_id(kind.parent, owner)
        return KINDS[kind.parent].label(stored) if stored else owner


def _listed(step: Step) -> Iterator[str]:
    """The IDs in lists of what the document has."""
    for field in step.plan.kind.fields:
        if field.lists:
            yield from ids_in(step.plan.entity.get(field.name))
