# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the engine needs of a gateway in any dialect: a small store, and capabilities."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .._entities._kind import RESTRICT, Entity, Kind, ids_in, shown_id, unique_values
from .._entities._registry import kinds_listing, kinds_referring_to
from .._errors import InputError
from .._plan import DELETE, Plan
from .._schema import Schema, merged_schema

# Seconds; a data plane reports to its control plane every 30 seconds.
_SILENT_AFTER = 120


@dataclass(frozen=True)
class Traits:
    """Properties and capabilities of a gateway; only a dialect reads them.

    :param name: the product, for messages.
    :param version: None if the gateway does not report it.
    :param edition: ``community`` or ``enterprise``.
    :param role: ``traditional``, ``control_plane`` or ``data_plane``.
    :param database: ``postgres``, ``off`` …
    :param has_balancer: whether it balances requests itself, so that its targets have a health.
    :param writes_entities: whether single entities can be written; else only whole documents.
    :param restricts_listed_ids: whether it refuses to delete an entity in a list of IDs.
    :param compares_references: whether it compares what is written with what that refers to.
    """

    name: str = "Kong Gateway"
    version: str | None = None
    edition: str | None = None
    role: str | None = None
    database: str | None = None
    hostname: str | None = None
    has_balancer: bool = True
    writes_entities: bool = True
    restricts_listed_ids: bool = True
    compares_references: bool = True


class Gateway(Protocol):
    """Entities of one gateway. ``parent`` is the parent's name or ID.

    Every method raises ``KongError``; refusals with a meaning are those of ``_errors``.
    """

    url: str
    # Whether writes are validated and predicted, and not sent (check mode).
    predicts: bool
    # Kinds with one list of the entities of all parents, together with those that declare its path.
    lists_all: frozenset[str] = frozenset()
    # Whether the name of a parent can replace its ID in paths.
    takes_names: bool = True
    # Whether its responses leave out what is null, so that a null is a default there.
    omits_nulls: bool = False
    # Whether it is a workspace or control plane that exists in predictions only: it has nothing.
    is_new: bool = False
    # Whether it has schemas, by which it can also validate.
    has_schemas: bool = True
    # The name of the control plane in Konnect.
    control_plane: str | None = None
    # Tags of entities that it manages itself: they are found, and left alone.
    managed_tags: frozenset[str] = frozenset()
    # The message for a kind that it does not have.
    not_offered: str = "the gateway does not have {}"

    def traits(self) -> Traits:
        """Read once."""

    def identify(self) -> dict[str, Any]:
        """Version, edition, role, database and host name, and what else identifies it.

        :raises UnexpectedAnswer: the response is not that of a gateway.
        """

    def describe(self, found: Mapping[str, Any]) -> str:
        """The sentence that says which gateway responded, from what :meth:`identify` found."""

    def is_control_plane(self, name: str) -> bool:
        """Whether this name or ID is that of the control plane of Konnect that it is."""

    def offers(self, kind: Kind) -> bool:
        """Whether the gateway has the kind and shows it; read once a kind."""

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        """The entity with this ID, name or other unique value, whether it looks like an ID or not.

        None where it (or its parent) does not exist. No secret is part of a URL.
        """

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = "", tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        """All entities of a kind that have all of ``tags``; None: no such parent.

        :param parent: only those of this one; else of all parents.
        :param of: the kind of ``parent``, if that is not the kind's own parent but the kind of a
            foreign key.
        :raises NotOffered: the gateway does not have the kind.
        """

    def refuse_read_only(self, current: Entity | None = None) -> None:
        """:raises InputError: single entities cannot be written, or this one cannot."""

    def refuse_taken(
        self, kind: Kind, body: Entity, current: Entity, parent: str | None = None
    ) -> None:
        """Refuse values of a write that only one entity can have and another one has.

        :param current: the entity to update; empty on a create.
        :raises InputError: names the field, and the value unless that is a secret.
        """
        for names, other in self._others_with(kind, body, current, parent):
            if other is not None and other["id"] != current.get("id"):
                raise InputError(_taken(kind, names, {**current, **body}, other, parent))

    def _others_with(
        self, kind: Kind, body: Entity, current: Entity, parent: str | None
    ) -> Iterator[tuple[tuple[str, ...], Entity | None]]:
        """Fields that only one entity can have the values of, and who has them."""
        if body.get("id") and not current and kind.global_path:
            # It was not found in the list of its parent.
            others = self.entities(kind) or []
            yield ("id",), next((each for each in others if each["id"] == body["id"]), None)
        entity = {**current, **body}
        known = unique_values(kind, current, parent).items()
        for names, values in unique_values(kind, entity, parent).items():
            if (names, values) in known:
                continue
            if names in kind.unique_together:
                for other in self.entities(kind) or ():
                    if unique_values(kind, other, parent).get(names) == values:
                        yield names, other
            elif names[-1] in kind.unique:
                yield names, self.find_by(kind, names[-1], str(values[-1]))
            elif current:
                # What is created was looked up by its identity before.
                identity = {name: entity.get(name) for name in names}
                yield names[-1:], kind.identity.search(self, kind, identity, parent)

    def refuse_referenced(self, kind: Kind, current: Entity) -> None:
        """:raises InputError: others refer to the entity to delete, which a gateway refuses."""
        for other, each in self._referring(kind, current):
            raise InputError(f"{other.describe(each)} still refers to it; delete that one first")

    def _referring(self, kind: Kind, current: Entity) -> Iterator[tuple[Kind, Entity]]:
        for other, _field in kinds_referring_to(kind.name, RESTRICT):
            for each in self.entities(other, current["id"], kind.name) or ():
                yield other, each
        lists = kinds_listing(kind.name)
        for other, field in lists if lists and self.traits().restricts_listed_ids else ():
            for each in self.entities(other) or ():
                if current["id"] in ids_in(each.get(field)):
                    yield other, each

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
        """
        :raises UniqueViolation: another entity has one of its values.
        :raises ParentMissing: the parent does not exist.
        :raises NotOffered: the gateway does not have the kind.
        """

    def update(self, plan: Plan, parent: str | None = None) -> Entity:
        """Write ``plan.body`` (the changed leaves) or ``plan.full_body`` (the whole entity)."""

    def delete(self, kind: Kind, current: Entity, parent: str | None = None) -> None:
        """Delete; an entity that does not exist any more is no error.

        :raises StillReferenced: others refer to it.
        """

    def write_at_once(self, plans: Sequence[Plan], parent: str | None) -> None:
        """Create, or delete, entities of a kind that one request can write many of."""
        for plan in plans:
            if plan.operation == DELETE:
                self.delete(plan.kind, plan.stored, parent)
            else:
                self.create(plan.kind, plan.body, parent)

    def schema(self, name: str) -> dict[str, Any] | None:
        """The gateway's own schema of a kind (or ``plugins/NAME``), if any; read once a task."""

    def schema_of(self, kind: Kind) -> Schema:
        """The whole schema of an entity, with what depends on the entity itself."""
        return merged_schema(self.schema(kind.schema_name) or {}, kind.details)

    def validate(self, kind: Kind, body: Entity) -> None:
        """Validate an entity on the gateway without writing it.

        :raises Refused: as a write would be. A gateway that cannot validate refuses nothing.
        """

    def plugin_names(self) -> list[str]:
        """The plugins that the gateway could run, as far as it reports them."""

    # Capabilities that only some gateways have, as their traits say.

    def kinds_tagged(self, tag: str, known: Collection[str] = ()) -> set[str]:
        """Names of the managed kinds with an entity that has a tag.

        :param known: kinds that need not be read.
        """

    def data_planes(self) -> list[Entity]:
        """The data planes of a control plane; none of other nodes."""

    def health(self, upstream: str) -> list[Entity] | None:
        """The upstream's targets as its balancer has them; None: no such upstream.

        A target has no ``health`` until a balancer exists, some seconds after its creation.
        """

    def set_health(self, upstream: str, target: str, address: str | None, to: str) -> None:
        """Mark a target, or one of its addresses, ``healthy`` or ``unhealthy``.

        :raises NoBalancer: the upstream has none yet.
        """

    def load(self, document: str) -> bool:
        """Make a declarative document the whole configuration of a gateway without a database.

        :returns: whether it differs from the one that the gateway runs.
        """

    def missing(self, kind: Kind, key: str) -> str:
        """The ID for an entity that another one needs and that does not exist.

        :raises InputError: unless an earlier task of a check-mode run may create it.
        """
        raise InputError(f"{kind.name} {key} does not exist")


def refuse_without_workspaces(traits: Traits, name: str) -> None:
    """:raises InputError: the gateway has none, whether or not a workspace can be created."""
    if traits.edition == "community":
        raise InputError(
            f"the gateway does not have the workspace {name}: workspaces need Kong Gateway "
            "Enterprise"
        )


def _taken(
    kind: Kind, names: Sequence[str], entity: Entity, other: Entity, parent: str | None
) -> str:
    if len(names) > 1:
        return f"{' and '.join(names)} are those of {kind.describe(other)}"
    name, value = names[0], str(entity[names[0]])
    is_hidden = (name != "id" and kind.field(name).secret) or "\n" in value
    shown = "" if is_hidden else f" {value}"
    is_below_another = kind.global_path and kind.parent_id(other) != parent
    more = f"; it belongs to another {kind.parent}" if is_below_another else ""
    if not more and name in kind.unique and shown_id(other["id"]) == other["id"]:
        # What identifies an entity is changed in place by its ID only.
        more = f"; set id to {other['id']} to change that one"
    has_name = not is_hidden and kind.label(other) not in (value, other.get("id"))
    taker = kind.describe(other) if has_name else f"another {kind.name}"
    return f"{name}{shown} is taken by {taker}{more}"


def connected(data_planes: Sequence[Entity]) -> list[Entity]:
    """Those that are connected: a control plane lists data planes for weeks after they are gone."""
    newest = max((each.get("last_seen") or 0 for each in data_planes), default=0)
    return [each for each in data_planes if (each.get("last_seen") or 0) > newest - _SILENT_AFTER]
