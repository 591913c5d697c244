# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that has to be done so that a gateway is as a document says, deletes included.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._document._format import (
    CASCADES,
    ORDER,
    RESTRICTS,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._match import Matcher, Step
from ansible_collections.irishtek.kong.plugins.module_utils._document._members import (
    Membership,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._parse import (
    Document,
    Item,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._stock import (
    Stock,
    owner_of,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity, Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._gateway import Gateway
from ansible_collections.irishtek.kong.plugins.module_utils._plan import Plan, plan_absent


@dataclass(frozen=True)
class Wish:
    """How a document is to be taken.

    :param state: ``synced``, ``applied`` or ``absent``.
    :param purge_kinds: kinds of which everything is owned, where no tags say what is.
    """

    state: str
    purge_kinds: tuple[str, ...] = ()
    cascade: bool = False
    max_deletes: int | None = None
    allow_empty: bool = False


@dataclass
class Work:
    """Steps in the order of their levels; early deletes make room for what takes their place."""

    writes: list[Step] = field(default_factory=list)
    early: list[Step] = field(default_factory=list)
    deletes: list[Step] = field(default_factory=list)
    members: list[Membership] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        return [*self.early, *self.writes, *self.deletes]

    @property
    def plans(self) -> list[Plan]:
        """Everything that changes or stays, what goes along with a delete included."""
        return [plan for step in self.steps for plan in (*step.along, step.plan)]


def reconcile(
    gateway: Gateway, document: Document, wish: Wish, warn: Callable[[str], None]
) -> Work:
    """Read what matters of a gateway and plan; nothing is written.

    :raises InputError: the document contradicts itself or the gateway, or more would be deleted
        than the task allows.
    """
    if wish.state == "synced" and not document.select_tags and not wish.purge_kinds:
        raise InputError(
            "synced deletes what the document does not have, so it must be said what it owns: "
            "write select_tags (or _info.select_tags), or purge_kinds"
        )
    planner = _Planner(gateway, document, wish, warn)
    return planner.work()


class _Planner:
    def __init__(
        self, gateway: Gateway, document: Document, wish: Wish, warn: Callable[[str], None]
    ) -> None:
        self._gateway = gateway
        self._document = document
        self._wish = wish
        self._stock = Stock(gateway)
        self._matcher = Matcher(gateway, self._stock, document, warn)
        # What stays, whatever it belongs to.
        self._kept: set[str] = set()

    def work(self) -> Work:
        scope = self._scope()
        self._stock.read(scope)
        going = self._wish.state == "absent"
        self._matcher.match((kind for kind in ORDER if kind not in ("target", "plugin")), going)
        if "target" in scope:
            self._stock.read_targets(self._upstreams_of_interest())
        self._matcher.match(("target", "plugin"), going)
        if going:
            doomed = self._deletes(self._named())
            self._guard_number(doomed)
            return Work(deletes=doomed)
        self._kept = self._matcher.matched
        writes = self._matcher.plan(reset=self._wish.state == "synced")
        deletes = self._deletes(self._surplus(scope)) if self._wish.state == "synced" else []
        early = self._make_room(writes, deletes)
        self._guard_number(deletes)
        self._guard_everything(writes, deletes)
        moved = {step.id for step in early}
        rest = [step for step in deletes if step.id not in moved]
        return Work(writes, early, rest, self._memberships(), self._groups())

    def _groups(self) -> list[tuple[str, str]]:
        return [
            (self._matcher.id_of(item), item.label)
            for item in self._document.items
            if item.kind.name == "consumer_group"
        ]

    def _memberships(self) -> list[Membership]:
        """The wanted members by id; a group or consumer that the document lacks must be stored."""
        return [
            Membership(
                self._matcher.resolve("consumer_group", group),
                self._matcher.resolve("consumer", consumer),
                _name_of(group),
                _name_of(consumer),
            )
            for group, consumer in self._document.members
        ]

    def _scope(self) -> list[str]:
        """The kinds to look at: those written, owned by tag, and named for purging."""
        kinds = set(self._document.kinds)
        if self._wish.state == "synced":
            kinds |= set(self._wish.purge_kinds)
            if self._document.select_tags:
                kinds |= self._gateway.kinds_tagged(self._document.select_tags[0])
        return [kind for kind in ORDER if kind in kinds]

    def _upstreams_of_interest(self) -> list[Entity]:
        matched = self._matcher.matched
        return [
            upstream
            for upstream in self._stock.of("upstream")
            if upstream["id"] in matched or self._owns("upstream", upstream)
        ]

    def _owns(self, kind: str, entity: Entity) -> bool:
        tags = self._document.select_tags
        if tags:
            return set(tags) <= set(entity.get("tags") or ())
        return kind in self._wish.purge_kinds

    def _surplus(self, scope: Sequence[str]) -> list[tuple[Kind, Entity]]:
        """What is owned and not written."""
        matched = self._matcher.matched
        return [
            (KINDS[kind], entity)
            for kind in scope
            for entity in self._stock.of(kind)
            if entity["id"] not in matched and self._owns(kind, entity)
        ]

    def _named(self) -> list[tuple[Kind, Entity]]:
        """What the document names and the gateway has, if it is owned where tags say what is."""
        found = ((item.kind, self._matcher.current(item)) for item in self._document.items)
        return [
            (kind, entity)
            for kind, entity in found
            if entity is not None
            and (not self._document.select_tags or self._owns(kind.name, entity))
        ]

    def _deletes(self, doomed: list[tuple[Kind, Entity]]) -> list[Step]:
        """Delete steps, children with their parents, the outermost level last.

        :raises InputError: something that is not owned would go along, or stands in the way.
        """
        if not doomed:
            return []
        self._read_children({kind.name for kind, _entity in doomed})
        ids = {entity["id"] for _kind, entity in doomed}
        doomed += self._in_the_way(doomed, ids)
        ids |= {entity["id"] for _kind, entity in doomed}
        gone: dict[str, tuple[Kind, Entity]] = {}
        for kind, entity in doomed:
            for child_kind, child in self._children(CASCADES, kind, entity):
                if child["id"] not in ids and not self._may_go(child_kind, child):
                    raise self._blocked(child_kind, child, kind, entity, "would be deleted with")
                gone[child["id"]] = (kind, entity)
        steps = [
            Step(
                plan_absent(kind, entity, self._owner_label(kind, entity)),
                owner_of(kind, entity),
                along=[
                    plan_absent(
                        child_kind, child, kind.label(entity) if child_kind.parent else None
                    )
                    for child_kind, child in self._children(CASCADES, kind, entity)
                    if gone[child["id"]][1] is entity
                ],
            )
            for kind, entity in doomed
            if entity["id"] not in gone
        ]
        return sorted(steps, key=lambda step: (step.is_final, -step.level))

    def _read_children(self, kinds: Iterable[str]) -> None:
        """List what a delete of these kinds takes along or meets in its way."""
        tables: tuple[Mapping[str, Mapping[str, str]], ...] = (CASCADES, RESTRICTS)
        wanted = {child for kind in kinds for table in tables for child in table.get(kind, {})}
        community = self._gateway.root().get("edition") == "community"
        self._stock.read(
            kind for kind in ORDER if kind in wanted and not (community and KINDS[kind].enterprise)
        )
        if "target" in wanted and not self._stock.has("target"):
            self._stock.read_targets(self._upstreams_of_interest())

    def _children(
        self, table: Mapping[str, Mapping[str, str]], kind: Kind, entity: Entity
    ) -> list[tuple[Kind, Entity]]:
        return [
            (KINDS[name], child)
            for name, back in table.get(kind.name, {}).items()
            for child in self._stock.holding(name, back, entity["id"])
            if child["id"] not in self._kept
        ]

    def _in_the_way(
        self, doomed: list[tuple[Kind, Entity]], ids: set[str]
    ) -> list[tuple[Kind, Entity]]:
        """What forbids a delete and is not deleted itself: deleted too, if the task says so."""
        found = []
        for kind, entity in doomed:
            for other_kind, other in self._children(RESTRICTS, kind, entity):
                if other["id"] in ids:
                    continue
                if not self._wish.cascade:
                    raise self._blocked(other_kind, other, kind, entity, "points at")
                found.append((other_kind, other))
                ids.add(other["id"])
        return found

    def _may_go(self, kind: Kind, entity: Entity) -> bool:
        return self._wish.cascade or self._owns(kind.name, entity)

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
        stored = self._stock.with_id(kind.parent, owner)
        return KINDS[kind.parent].label(stored) if stored else owner

    def _make_room(self, writes: list[Step], deletes: list[Step]) -> list[Step]:
        """Deletes and renamings that free a unique value which another entity takes."""
        by_id = {step.id: step for step in deletes}
        renamed = {step.id: step for step in writes if step.plan.stored}
        early: dict[str, Step] = {}
        for step in writes:
            for holder in self._holders(step):
                if holder in by_id:
                    early[holder] = by_id[holder]
                elif holder in renamed:
                    step.needs.add(holder)
        return list(early.values())

    def _holders(self, step: Step) -> list[str]:
        """Ids of other entities that hold now what a step is about to claim."""
        kind, body = step.plan.kind, step.plan.body
        names = {kind.identity, *kind.unique} if kind.matches is None else set(kind.unique)
        found = []
        for name in names:
            value: Any = body.get(name)
            if value is None or not isinstance(value, str):
                continue
            for stored in self._stock.holding(kind.name, name, value):
                everywhere = kind.parent is None or name in kind.unique
                same = everywhere or owner_of(kind, stored) == step.owner
                if same and stored["id"] != step.id:
                    found.append(stored["id"])
        return found

    def _guard_number(self, deletes: list[Step]) -> None:
        """Refuse to delete more than is allowed."""
        count = sum(1 + len(step.along) for step in deletes)
        if self._wish.max_deletes is not None and count > self._wish.max_deletes:
            raise InputError(
                f"{count} entities at {self._gateway.url} would be deleted, "
                f"and max_deletes is {self._wish.max_deletes}"
            )

    def _guard_everything(self, writes: list[Step], deletes: list[Step]) -> None:
        """Refuse to delete all that is owned because a document happens to be empty."""
        if deletes and not writes and not self._wish.allow_empty:
            count = sum(1 + len(step.along) for step in deletes)
            raise InputError(
                f"the document has no entities, so all {count} owned ones at {self._gateway.url} "
                "would be deleted: set allow_empty to true if that is meant"
            )


def _name_of(link: Item | str) -> str:
    return link.label if isinstance(link, Item) else link
