# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a document changes: the steps that have to be done, and what each of them needs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._entities._kind import Entity, Kind
from .._entities._registry import LEVELS
from .._plan import NONE, Plan

# The kind and the ID: entities of two kinds can have the same ID.
EntityKey = tuple[str, str]


def key_of(kind: Kind, entity: Entity) -> EntityKey:
    """What tells an entity apart from all others."""
    return kind.name, str(entity["id"])


@dataclass
class Step:
    """A plan with what carrying it out needs.

    :param owner: the id of what the entity lies below.
    :param needs: entities that must exist before.
    :param after: entities whose own steps must be done before.
    :param cascaded: what a gateway deletes along with the entity.
    :param desired: the entity as the document writes it, with defaults that reset what it leaves
        out.
    """

    plan: Plan
    owner: str | None = None
    needs: set[EntityKey] = field(default_factory=set)
    after: set[EntityKey] = field(default_factory=set)
    where: str = ""
    cascaded: list[Plan] = field(default_factory=list)
    desired: Entity = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.plan.stored.get("id") or self.plan.entity.get("id"))

    @property
    def plans(self) -> list[Plan]:
        """All that the step is about."""
        return [*self.cascaded, self.plan]

    @property
    def key(self) -> EntityKey:
        return self.plan.kind.name, self.id

    @property
    def keys(self) -> list[EntityKey]:
        return [self.key, *(key_of(plan.kind, plan.stored) for plan in self.cascaded)]

    @property
    def level(self) -> int:
        return LEVELS[self.plan.kind.name]

    @property
    def is_final(self) -> bool:
        """Whether a delete takes something that nobody can make again."""
        return any(map(is_hashed, self.plans))


def is_hashed(plan: Plan) -> bool:
    """Whether a gateway answers a hash instead of a secret, so that nobody can put it back."""
    return plan.kind.name == "basic_auth" or bool(plan.stored.get("hash_secret"))


@dataclass(frozen=True)
class Protected:
    """What is not deleted because of a tag."""

    plan: Plan
    reason: str

    def summary(self) -> dict[str, Any]:
        """The entry of a result's ``protected``."""
        return {**self.plan.summary(), "operation": NONE, "reason": self.reason}


@dataclass
class ChangeSet:
    """Steps: writes, early deletes that free values for them, and deletes that come after."""

    writes: list[Step] = field(default_factory=list)
    early: list[Step] = field(default_factory=list)
    deletes: list[Step] = field(default_factory=list)
    protected: list[Protected] = field(default_factory=list)

    @property
    def steps(self) -> list[Step]:
        return [*self.early, *self.writes, *self.deletes]

    @property
    def plans(self) -> list[Plan]:
        """Everything that changes or stays, what a delete cascades to included."""
        return [plan for step in self.steps for plan in step.plans]

    @property
    def changes(self) -> bool:
        """Whether there is something to do."""
        return any(step.plan.changed for step in self.steps)
