# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that has to be done so that a gateway is as a document says, deletes included."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from .._entities._consumer import CONSUMER, MEMBER
from .._entities._kind import Entity, Kind
from .._entities._registry import KINDS
from .._errors import InputError, error_context
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._plan import CREATE
from ._changes import ChangeSet, Step, key_of
from ._current import CurrentState
from ._format import ORDER
from ._match import Matcher
from ._parse import Document
from ._removal import Removal
from ._unique_values import deletes_before_writes


@dataclass(frozen=True)
class SyncOptions:
    """What is done with a document.

    :param state: ``synced``, ``applied`` or ``absent``.
    :param purge_kinds: kinds of which everything is owned, where no tags say what is.
    :param protect_tags: what carries one of these is not deleted.
    """

    state: str
    purge_kinds: tuple[str, ...] = ()
    cascade: bool = False
    max_deletes: int | None = None
    allow_empty: bool = False
    protect_tags: tuple[str, ...] = ()


def reconcile(
    gateway: Gateway, document: Document, options: SyncOptions, warn: Callable[[str], None]
) -> ChangeSet:
    """Read what matters of a gateway and plan; nothing is written.

    :raises InputError: the document contradicts itself or the gateway, or more would be deleted
        than the task allows.
    """
    if options.state == "synced" and not document.select_tags and not options.purge_kinds:
        raise InputError(
            "state synced deletes what the document owns and does not have; set select_tags (or "
            "_info.select_tags) or purge_kinds to say what it owns"
        )
    return _Planner(gateway, document, options, warn).plan()


def _call(ask: Callable[[], Any]) -> Any:
    return ask()


@dataclass
class _Planner:
    gateway: Gateway
    document: Document
    options: SyncOptions
    warn: Callable[[str], None]

    def __post_init__(self) -> None:
        self._state = CurrentState(self.gateway)
        self._matcher = Matcher(self.gateway, self._state, self.document, self.warn)

    def plan(self) -> ChangeSet:
        scope = self._scope()
        self._state.read(scope)
        absent, synced = (self.options.state == state for state in ("absent", "synced"))
        for kind in map(KINDS.__getitem__, ORDER):
            if kind.is_listed_below and kind.name in scope:
                below = partial(self._state.read_below, kind, self._owners_of_interest(kind))
                schemas = partial(self._matcher.read_schemas, synced)
                for_each(_call, [below] if absent else [below, schemas])
            self._matcher.match(kind, absent)
        writes = [] if absent else self._matcher.plan(reset=synced)
        removal = self._removal(writes)
        unwanted = self._named() if absent else self._surplus(scope) if synced else []
        deletes = removal.steps(unwanted)
        self._refuse_unwritable([*writes, *deletes])
        self._guard(deletes, allow_all=bool(writes) or not synced)
        early = deletes_before_writes(self._state, writes, deletes)
        moved = {step.key for step in early}
        rest = [step for step in deletes if step.key not in moved]
        return ChangeSet(writes, early, rest, removal.protected)

    def _refuse_unwritable(self, steps: Sequence[Step]) -> None:
        """Refuse before the first write what the edition does not have, or manages itself."""
        managed = self.gateway.managed_tags
        for step in steps:
            kind, stored = step.plan.kind, step.plan.stored
            is_offered = step.plan.operation != CREATE or self.gateway.offers(kind)
            is_managed = step.plan.changed and managed & set(stored.get("tags") or ())
            if is_offered and not is_managed:
                continue
            with error_context(f"{step.where or self.gateway.url}: {step.plan.description}"):
                if not is_offered:
                    raise InputError(self.gateway.not_offered.format(kind.schema_name))
                self.gateway.refuse_read_only(stored)

    def _removal(self, writes: Sequence[Step]) -> Removal:
        # A membership is deleted with its consumer or group, whoever made it.
        return Removal(
            self.gateway,
            self._state,
            self.options.cascade,
            lambda kind, entity: kind == MEMBER.name or self._owns(kind, entity),
            writes,
            frozenset(self.options.protect_tags),
        )

    def _scope(self) -> list[str]:
        """The kinds to look at: those written, owned by tag, and named for purging."""
        kinds = set(self.document.kinds)
        if self.options.state == "synced":
            kinds |= set(self.options.purge_kinds)
            kinds |= {MEMBER.name} if self.document.listing else set()
            if self.document.select_tags:
                kinds |= self._tagged(self.document.select_tags[0], kinds)
        return [kind for kind in ORDER if kind in kinds]

    def _tagged(self, tag: str, known: Collection[str]) -> set[str]:
        """The kinds with a tag; meanwhile what matters in any case is read."""
        asked: list[Callable[[], Any]] = [
            partial(self.gateway.kinds_tagged, tag, known),
            partial(self._state.read, [kind for kind in ORDER if kind in known]),
        ]
        found: set[str] = for_each(_call, asked)[0]
        return found

    def _owners_of_interest(self, kind: Kind) -> list[Entity]:
        """What exists of the parents that are written or owned, or that written entities name."""
        parent = KINDS[str(kind.parent)]
        if kind is MEMBER and any(item.kind is CONSUMER for item in self.document.listing):
            # A consumer may be in any group.
            self._state.read([parent.name])
            return self._state.of(parent.name)
        matched = self._matcher.matched
        named = (
            self._state.find(parent, item.owner)
            for item in self.document.items
            if item.kind is kind and isinstance(item.owner, str)
        )
        found = {each["id"]: each for each in named if each is not None}
        for owner in self._state.of(parent.name):
            if key_of(parent, owner) in matched or self._owns(parent.name, owner):
                found[owner["id"]] = owner
        return list(found.values())

    def _owns(self, kind: str, entity: Entity) -> bool:
        if kind == MEMBER.name:
            group, consumer = MEMBER.parent_id(entity), entity["consumer"]["id"]
            return bool(self._listing & {(MEMBER.parent, group), (CONSUMER.name, consumer)})
        wanted, own = self.document.select_tags, set(entity.get("tags") or ())
        if self.gateway.managed_tags & own:
            return False
        return set(wanted) <= own if wanted else kind in self.options.purge_kinds

    @cached_property
    def _listing(self) -> set[tuple[str | None, str | None]]:
        """The consumers and groups whose memberships the document has all of."""
        return {(item.kind.name, item.id) for item in self.document.listing}

    def _surplus(self, scope: Sequence[str]) -> list[tuple[Kind, Entity]]:
        """What is owned and not written."""
        matched = self._matcher.matched
        return [
            (KINDS[kind], entity)
            for kind in scope
            for entity in self._state.of(kind)
            if key_of(KINDS[kind], entity) not in matched and self._owns(kind, entity)
        ]

    def _named(self) -> list[tuple[Kind, Entity]]:
        """What the document names and the gateway has, if it is owned where tags say what is."""
        return [
            (item.kind, item.current)
            for item in self.document.items
            if item.current is not None
            and (not self.document.select_tags or self._owns(item.kind.name, item.current))
        ]

    def _guard(self, deletes: Sequence[Step], allow_all: bool) -> None:
        """Refuse to delete more than is allowed, and all because a document happens to be empty."""
        most, count = self.options.max_deletes, sum(len(step.plans) for step in deletes)
        if most is not None and count > most:
            raise InputError(
                f"{count} entities at {self.gateway.url} would be deleted, "
                f"and max_deletes is {most}"
            )
        if count and not allow_all and not self.options.allow_empty:
            raise InputError(
                f"the document has no entities, so all {count} owned ones at {self.gateway.url} "
                "would be deleted: set allow_empty to true to allow that"
            )
