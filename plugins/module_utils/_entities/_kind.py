# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two types with which every kind of entity is declared.

Knows neither HTTP nor Ansible; argument specs, comparison, prediction and masking read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable, Optional

from .._errors import InputError

if TYPE_CHECKING:
    from ._identity import Identity, Source

Entity = dict[str, Any]
# Completes what the user wrote, given the existing entity, in place; returns warnings.
FieldRules = Callable[[Entity, Optional[Entity]], list[str]]
# An entity from what a gateway returned, and the parent's ID.
Reader = Callable[[Entity, Optional[str]], Entity]
CASCADE, RESTRICT = "cascade", "restrict"

# What a gateway generates for every entity; never compared, never sent.
TIMESTAMPS = ("created_at", "updated_at")

# The beginning of the IDs that check mode gives to new entities: valid, and recognisable.
PLACEHOLDER = "ffffffff-ffff-4fff-bfff-"


@dataclass(frozen=True)
class Field:
    """One field of an entity, or one of a record inside it.

    :param type: as in an argument spec; ``dict`` with ``fields`` is a record (merged deep by the
        gateway), ``dict`` without is a map (replaced as a whole).
    :param between: the lowest and the highest number that a gateway takes, also in a list.
    :param length: the fewest and the most characters, or items of a list, that a gateway takes.
    :param unordered: the order of the list (or of the lists of a map) has no meaning.
    :param repeats: the gateway stores repeated items of the list, though they have no meaning.
    :param empty_is_null: the gateway makes no difference between an empty value and none.
    :param reference: the kind that a foreign key refers to; users write its name or ID.
    :param on_delete: what deleting the entity that the field refers to does to this one:
        ``cascade`` deletes it, too, ``restrict`` refuses.
    :param lists: the kind whose IDs the list holds, or records with an ``id``; newer gateways
        refuse to delete what is listed.
    :param nested: a state file can write the entity inside the one that it refers to.
    :param nullable: an explicit null is a value ("clear it"); else it is an error.
    :param normalise: from what the user wrote to what the gateway stores; raises ``InputError``.
    :param compare_as: a form in which two values are equal that differ in writing only.
    :param element: what an item of the list, or a value of the map, looks like inside.
    :param open: a record whose keys only the gateway knows; compared key by key.
    :param secret: the value is never shown.
    :param hides: whether a string has a secret, as a URL with a password does: it is not shown.
    :param sensitive: the keys of a map whose values are never shown.
    :param always_returned: whether responses have it when it is null; not what is only written,
        and what depends on how a gateway is configured.
    :param warnings: what to warn about in a written value that a gateway accepts, though something
        else may be meant; it gets the value as it is written.
    :param counts_down: seconds from the write on, after which the gateway deletes the entity.
    """

    name: str
    type: str = "str"
    elements: str | None = None
    choices: tuple[Any, ...] | None = None
    between: tuple[float, float] | None = None
    length: tuple[int, int] | None = None
    fields: tuple[Field, ...] = ()
    required: bool = False
    unordered: bool = False
    repeats: bool = False
    empty_is_null: bool = False
    reference: str | None = None
    on_delete: str = ""
    lists: str | None = None
    nested: bool = False
    nullable: bool = True
    normalise: Callable[[Any], Any] | None = None
    compare_as: Callable[[Any], Any] | None = None
    element: Field | None = None
    open: bool = False
    secret: bool = False
    hides: Callable[[str], bool] | None = None
    sensitive: Callable[[str], bool] | None = None
    always_returned: bool = True
    warnings: Callable[[Any], list[str]] | None = None
    counts_down: bool = False

    @property
    def is_record(self) -> bool:
        return self.type == "dict" and (self.open or bool(self.fields))

    @property
    def is_set(self) -> bool:
        return self.unordered and not self.repeats

    @property
    def is_list_of_records(self) -> bool:
        return self.type == "list" and bool(self.fields)

    @cached_property
    def fields_by_name(self) -> Mapping[str, Field]:
        """The fields of a record, and of each record in a list."""
        return {field.name: field for field in self.fields}

    @cached_property
    def item(self) -> Field | None:
        """What an item of the list, or a value of the map, looks like."""
        if self.is_list_of_records:
            return Field("", "dict", fields=self.fields)
        return Field("", self.elements) if self.elements else self.element

    def map_inside(self, value: Any, change: Callable[[Field | None, Any, Any], Any]) -> Any:
        """``value`` with all that is directly inside it changed; a scalar as it is.

        :param change: gets the declaration of what is inside (None: it has none), its value, and
            its key, or its position counted from 1.
        """
        if isinstance(value, Mapping):
            declared = self.fields_by_name if self.is_record else dict.fromkeys(value, self.item)
            return {key: change(declared.get(key), item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [change(self.item, item, position) for position, item in enumerate(value, 1)]
        return value


@dataclass(frozen=True)
class Kind:
    """One kind of entity.

    :param name: singular; the key of the entity in results.
    :param path: the collection's path segment.
    :param schema: the name of the gateway's schema, where it is not the path.
    :param typed_by_name: whether the type of some fields depends on the entity's name, as that of a
        plugin's settings does.
    :param details: the part of the schema that depends on the entity: a plugin's own.
    :param identity: how an entity is found again.
    :param named_by: the fields for messages and references, if not the identity.
    :param unique: further fields whose value no two entities share.
    :param unique_together: sets of fields whose values no two entities share all of, whatever
        their parents.
    :param fields: what users may write, the identity included, the ID not.
    :param parent: the kind in the path before the collection, and the field that refers to it.
    :param parent_kind: the parent's kind, where the collection does not declare it.
    :param optional: whether some gateways do not have the kind.
    :param global_path: the path of a list of all entities of the kind, of all parents.
    :param path_id: what replaces the ID in a path, for kinds without an ID of their own.
    :param validated: whether the kind has a schema by which a gateway can validate an entity.
    :param read_only: fields that a gateway returns and does not accept.
    :param reserved: names of entities that the collection keeps for itself: in no list.
    :param at_once: how many entities one request can create, or delete; more than one where it does
        no harm to send it again.
    :param keeps_nulls: free-form fields, whose nulls are values.
    :param replaced: fields that only a replacement of the whole entity can change.
    :param read: an entity from what a gateway returned (and the parent's ID), if that differs.
    :param show: an entity as results have it, if that differs.
    :param write: what is sent to create an entity, if that is not the entity.
    :param own_defaults: defaults of an entity that differ from those in the schema of its kind.
    :param predict: completes a prediction with what schemas do not say, in place.
    :param apply_field_rules: rules between fields that the gateway applies silently, made visible.
    :param refuse_mismatch: raises ``InputError`` where what is written contradicts what it refers
        to, which the gateway refuses and no schema says; gets what is written, the whole entity,
        and where others are looked for.
    """

    name: str
    path: str
    identity: Identity
    fields: tuple[Field, ...]
    named_by: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    unique_together: tuple[tuple[str, ...], ...] = ()
    parent: str | None = None
    parent_kind: Kind | None = None
    schema: str = ""
    typed_by_name: bool = False
    details: Mapping[str, Any] | None = None
    global_path: str = ""
    path_id: Callable[[Entity], str] | None = None
    validated: bool = True
    read_only: tuple[str, ...] = ()
    reserved: frozenset[str] = frozenset()
    at_once: int = 1
    keeps_nulls: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    read: Reader = lambda response, parent: response
    show: Callable[[Entity], Entity] = lambda entity: entity
    write: Callable[[Entity], Entity] | None = None
    own_defaults: Callable[[Entity], Entity] = lambda entity: {}
    predict: Callable[[Entity], None] = lambda predicted: None
    apply_field_rules: FieldRules = lambda desired, current: []
    refuse_mismatch: Callable[[Entity, Entity, Source], None] = lambda written, entity, source: None
    optional: bool = False

    @property
    def is_listed_below(self) -> bool:
        """Whether there is a list of one parent's entities only."""
        return bool(self.parent) and not self.global_path

    @property
    def path_key(self) -> str:
        """The field whose value can replace the ID in a path; empty where none can."""
        return self.identity.path_key

    @property
    def schema_name(self) -> str:
        return self.schema or self.path

    def settings_schema(self, name: Any) -> str:
        """The schema of the settings of a plugin or vault of this name; some gateways have none."""
        return f"{self.path}/{name}"

    def field(self, name: str) -> Field:
        """The declared field ``name``; a KeyError is a mistake in the collection."""
        return self.fields_by_name[name]

    @cached_property
    def fields_by_name(self) -> Mapping[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def unique_sets(self) -> tuple[tuple[str, ...], ...]:
        """Sets of fields whose values no two entities share all of.

        The identity is one of them, within its scope or the parent, where no other has it.
        """
        own = self.identity.field
        sets = (*((name,) for name in self.unique), *self.unique_together)
        above = (self.parent,) if self.parent else self.identity.scope
        is_covered = own not in self.fields_by_name or any(own in names for names in sets)
        return sets if is_covered else ((*above, own), *sets)

    @cached_property
    def references(self) -> tuple[Field, ...]:
        """The foreign keys; a parent's, which no option writes, last."""
        own = tuple(field for field in self.fields if field.reference)
        above = self.parent and Field(
            self.parent, reference=self.parent, on_delete=CASCADE, nested=True
        )
        return (*own, above) if above else own

    def parent_id(self, entity: Entity) -> str | None:
        """The ID of what an entity lies below; None for kinds without a parent."""
        return id_of(entity.get(self.parent)) if self.parent else None

    def comparing(self, ways: Mapping[str, Callable[[Any], Any]]) -> Kind:
        """The kind with other ways to compare some fields."""
        fields = (replace(f, compare_as=ways.get(f.name, f.compare_as)) for f in self.fields)
        return replace(self, fields=tuple(fields))

    def label(self, entity: Entity) -> str:
        """The name of the entity for messages: its identity, else its ID; never a secret."""
        names = (entity.get(name) for name in (*(self.named_by or (self.identity.field,)), "id"))
        found = next((name for name in names if name), "")
        # A value in a state file can have any type until it is validated.
        found = found[0] if isinstance(found, list) else found
        if isinstance(found, dict):
            found = next(filter(None, map(found.get, ("username", "name", "custom_id", "id"))), "")
        return shown_id(found)

    def describe(self, entity: Entity, parent: str | None = None) -> str:
        """``target 10.0.0.1:80 of upstream web``, for messages and the headers of diffs."""
        text = f"{self.name} {self.label(entity)}".rstrip()
        return f"{text} of {self.parent} {parent}" if parent else text


def shown_id(key: Any) -> str:
    """An ID for messages; nobody knows one that check mode made up."""
    return "(generated)" if str(key).startswith(PLACEHOLDER) else str(key)


def id_of(reference: Any) -> Any:
    """The ID of a reference, which is a record with one or the ID itself."""
    return reference.get("id") if isinstance(reference, dict) else reference


def ids_in(listed: Any) -> list[str]:
    """The IDs in a list of references."""
    return [id_of(each) for each in listed or ()]


def check_tags(tags: list[str]) -> list[str]:
    """Refuse what would be two tags in a filter (conformance case upstream_bad_input)."""
    for tag in tags:
        if "," in tag or "/" in tag:
            raise InputError(f"tag {tag!r} must not contain a comma or a slash")
    return tags


def tags_field() -> Field:
    return Field(
        "tags", "list", elements="str", unordered=True, empty_is_null=True, normalise=check_tags,
    )


def unique_values(
    kind: Kind, entity: Entity, parent: str | None
) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """The values of each set of fields that no two entities share, if its last field is set.

    The value of a reference is its ID.
    """
    return {
        names: tuple(parent if n == kind.parent else id_of(entity.get(n)) for n in names)
        for names in kind.unique_sets
        if entity.get(names[-1])
    }
