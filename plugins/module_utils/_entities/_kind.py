# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an entity kind is, declared: the two types that every declaration uses.

PRIVATE to the collection: it can change in any release.

Knows neither HTTP nor Ansible; argument specs, comparison, prediction and masking read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional

from .._errors import InputError

Entity = dict[str, Any]
# Completes what the user wrote in the light of what is stored, in place; returns warnings.
Settle = Callable[[Entity, Optional[Entity]], list[str]]

NEEDS_ENTERPRISE = "this kind of entity needs Kong Gateway Enterprise"

# What a gateway makes up for every entity; never compared, never sent.
GENERATED = ("created_at", "updated_at")

# The beginning of the ids that check mode gives to new entities: valid, and seen to be made up.
PLACEHOLDER = "ffffffff-ffff-4fff-bfff-"


@dataclass(frozen=True)
class Field:
    """One field of an entity, or one of a record inside it.

    :param type: as in an argument spec; ``dict`` with ``fields`` is a record (merged deep by the
        gateway), ``dict`` without is a map (replaced as a whole).
    :param between: the lowest and the highest number that a gateway takes, also in a list.
    :param unordered: the order of the list (or of the lists of a map) has no meaning.
    :param empty_is_null: the gateway makes no difference between an empty value and none.
    :param reference: the kind that a foreign key points at; users write its name or id.
    :param nullable: an explicit null is a value ("clear it"); else it is an error.
    :param normalise: from what the user wrote to what the gateway stores; raises ``InputError``.
    :param compare_as: a form in which two values are equal that differ in writing only.
    :param element: what an item of the list, or a value of the map, looks like inside.
    :param open: a record whose keys only the gateway knows; compared key by key.
    :param secret: the value is never shown.
    :param hides: whether a text holds a secret, as a URL with a password does: it is not shown.
    :param sensitive: the keys of a map whose values are never shown.
    :param doubts: warnings about a written value that a gateway takes, though it may be meant
        otherwise; they get it as it is written.
    """

    name: str
    type: str = "str"
    elements: str | None = None
    choices: tuple[Any, ...] | None = None
    between: tuple[float, float] | None = None
    fields: tuple[Field, ...] = ()
    required: bool = False
    unordered: bool = False
    empty_is_null: bool = False
    reference: str | None = None
    nullable: bool = True
    normalise: Callable[[Any], Any] | None = None
    compare_as: Callable[[Any], Any] | None = None
    element: Field | None = None
    open: bool = False
    secret: bool = False
    hides: Callable[[str], bool] | None = None
    sensitive: Callable[[str], bool] | None = None
    doubts: Callable[[Any], list[str]] | None = None

    @property
    def is_record(self) -> bool:
        return self.type == "dict" and (self.open or bool(self.fields))

    @property
    def is_list_of_records(self) -> bool:
        return self.type == "list" and bool(self.fields)


@dataclass(frozen=True)
class Kind:
    """One kind of entity.

    :param name: singular; the key of the entity in results.
    :param path: the collection's path segment.
    :param schema: the name of the gateway's schema, where it is not the path.
    :param details: the part of the schema that depends on the entity: a plugin's own.
    :param identity: the field by which an entity is found, unique within the parent.
    :param named_by: what people call the entity by, where that is not the identity.
    :param keys: the list field each item of which leads to the entity as its id does.
    :param unique: further fields whose value no two entities share.
    :param fields: what users may write, the identity included, the id not.
    :param parent: the kind under whose path the collection lies.
    :param restricted_by: kinds whose entities forbid to delete the one that they point at.
    :param listed_by: kinds with the list field that holds ids of this one, or records with an
        ``id``, which forbids the same.
    :param matches: whether a stored entity is the wanted one, for kinds that no path leads to.
    :param enterprise: whether only Kong Gateway Enterprise has the kind.
    :param everywhere: the path of a list of all entities of the kind, whatever their parent.
    :param foretell: completes a prediction with what schemas do not say, in place.
    :param settle: rules between fields that the gateway applies silently, made visible.
    """

    name: str
    path: str
    identity: str
    fields: tuple[Field, ...]
    named_by: tuple[str, ...] = ()
    keys: str = ""
    unique: tuple[str, ...] = ()
    parent: str | None = None
    restricted_by: tuple[str, ...] = ()
    listed_by: tuple[tuple[str, str], ...] = ()
    schema: str = ""
    details: Mapping[str, Any] | None = None
    everywhere: str = ""
    foretell: Callable[[Entity], None] | None = None
    settle: Settle | None = None
    matches: Callable[[Entity, Entity], bool] | None = None
    enterprise: bool = False

    @property
    def schema_name(self) -> str:
        return self.schema or self.path

    def field(self, name: str) -> Field:
        """The declared field ``name``; a KeyError is a mistake in the collection."""
        return self._by_name[name]

    @property
    def _by_name(self) -> Mapping[str, Field]:
        return {field.name: field for field in self.fields}

    def label(self, entity: Entity) -> str:
        """What people call the entity: its identity, else its id; never a secret."""
        names = (entity.get(name) for name in (*(self.named_by or (self.identity,)), "id"))
        found = next((name for name in names if name), "")
        # What a state file says may be of any type until it is judged.
        label = str(found[0] if isinstance(found, list) else found)
        return "(generated)" if label.startswith(PLACEHOLDER) else label

    def describe(self, entity: Entity, parent: str | None = None) -> str:
        """``target 10.0.0.1:80 of upstream web``, for messages and the headers of diffs."""
        text = f"{self.name} {self.label(entity)}".rstrip()
        return f"{text} of {self.parent} {parent}" if parent else text


def ids_in(listed: Any) -> list[str]:
    """The ids in a list of them, or of records that have one."""
    return [each["id"] if isinstance(each, dict) else each for each in listed or ()]


def check_tags(tags: list[str]) -> list[str]:
    """Refuse what would be two tags in a filter (conformance case upstream_bad_input)."""
    for tag in tags:
        if "," in tag or "/" in tag:
            raise InputError(f"tag {tag!r} must not hold a comma or a slash")
    return tags


def tags_field() -> Field:
    return Field(
        "tags",
        "list",
        elements="str",
        unordered=True,
        empty_is_null=True,
        normalise=check_tags,
    )
