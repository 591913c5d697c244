# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that has to be done so that a gateway is as a document says, deletes included.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .._entities._consumer import CONSUMER
from .._entities._kind import Entity, Kind
from .._entities._registry import KINDS
from .._errors import InputError
from .._gateway import Gateway
from .._plan import Plan
from ._format import ORDER
from ._match import Matcher, Step
from ._members import Membership, plan_members, read_members
from ._parse import Document, Item
from ._removal import Removal
from ._room import make_room
from ._stock import Stock


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
    """Steps in the order of their levels; early deletes make room for what takes their place.

    :param members: memberships to change when everything else is done.
    :param lost: memberships that go along with the deletes.
    """

    writes: list[Step] = field(default_factory=list)
    early: list[Step] = field(default_factory=list)
    deletes: list[Step] = field(default_factory=list)
    members: list[Membership] = field(default_factory=list)
    lost: list[Membership] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        return [*self.early, *self.writes, *self.deletes]

    @property
    def plans(self) -> list[Plan]:
        """Everything that changes or stays, what goes along with a delete included."""
        return [plan for step in self.steps for plan in (*step.along, step.plan)]

    @property
    def changes(self) -> bool:
        """Whether there is something to do."""
        return bool(self.members) or any(step.plan.changed for step in self.steps)


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

    def work(self) -> Work:
        scope = self._scope()
        self._stock.read(scope)
        going = self._wish.state == "absent"
        self._matcher.match((kind for kind in ORDER if kind not in ("target", "plugin")), going)
        if "target" in scope:
            self._stock.read_targets(self._upstreams_of_interest())
        self._matcher.match(("target", "plugin"), going)
        if going:
            removal = self._removal(())
            doomed = removal.steps(self._named())
            lost = self._lost(removal)
            self._guard_number(doomed, lost)
            return Work(deletes=doomed, lost=lost)
        synced = self._wish.state == "synced"
        writes = self._matcher.plan(reset=synced)
        removal = self._removal(writes)
        deletes = removal.steps(self._surplus(scope)) if synced else []
        lost = self._lost(removal)
        members = self._memberships(removal)
        early = make_room(self._stock, writes, deletes)
        moved = {step.id for step in early}
        rest = [step for step in deletes if step.id not in moved]
        left = [each for each in members if not each.adding]
        self._guard_number([*early, *rest], [*lost, *left])
        self._guard_everything(writes, [*early, *rest])
        return Work(writes, early, rest, members, lost)

    def _removal(self, writes: Sequence[Step]) -> Removal:
        return Removal(self._gateway, self._stock, self._wish.cascade, self._owns, writes)

    def _memberships(self, removal: Removal) -> list[Membership]:
        """What changes in the document's groups, and in those that its consumers are to be in.

        A group or consumer that the document lacks must be stored, and stay.
        """
        wanted = []
        for group, consumer in self._document.members:
            keys = (
                self._matcher.resolve("consumer_group", group),
                self._matcher.resolve("consumer", consumer),
            )
            for key in keys:
                if key in removal.going:
                    kind, entity = removal.going[key]
                    raise InputError(
                        f"{kind.describe(entity)} is owned and not in the document, which has it "
                        "in a membership, and so would be deleted: write it, too"
                    )
            wanted.append(Membership(*keys, _name_of(group), _name_of(consumer)))
        items = [item for item in self._document.items if item.kind.name == "consumer_group"]
        groups = {self._matcher.id_of(item): item.label for item in items}
        made = {self._matcher.id_of(item) for item in items if self._matcher.current(item) is None}
        asked = [*groups, *(each.group for each in wanted)]
        present = read_members(self._gateway, (key for key in asked if key not in made))
        stay = {
            group: [member for member in members if member["id"] not in removal.going]
            for group, members in present.items()
        }
        return plan_members(groups, wanted, stay, self._wish.state == "synced")

    def _lost(self, removal: Removal) -> list[Membership]:
        """The memberships that go along with deleted consumers and groups."""
        kinds = {kind.name for kind, _entity in removal.going.values()}
        if not kinds & {"consumer", "consumer_group"}:
            return []
        if self._gateway.root().get("edition") == "community":
            return []
        self._stock.read(["consumer_group"])
        groups = {
            group["id"]: group["name"]
            for group in self._stock.of("consumer_group")
            if "consumer" in kinds or group["id"] in removal.going
        }
        return [
            Membership(group, member["id"], groups[group], CONSUMER.label(member), adding=False)
            for group, members in read_members(self._gateway, groups).items()
            for member in members
            if removal.going.keys() & {group, member["id"]}
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
        """The stored upstreams that are written or owned, or that written targets name."""
        matched = self._matcher.matched
        named = (
            self._stock.find(KINDS["upstream"], item.owner)
            for item in self._document.items
            if item.kind.name == "target" and isinstance(item.owner, str)
        )
        found = {each["id"]: each for each in named if each is not None}
        for upstream in self._stock.of("upstream"):
            if upstream["id"] in matched or self._owns("upstream", upstream):
                found[upstream["id"]] = upstream
        return list(found.values())

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

    def _guard_number(self, deletes: list[Step], members: list[Membership]) -> None:
        """Refuse to delete more than is allowed."""
        count = sum(1 + len(step.along) for step in deletes) + len(members)
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
