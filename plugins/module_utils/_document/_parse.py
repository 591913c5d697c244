# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a state file's document to a flat list of wanted entities. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .._entities._certificate import CERTIFICATE, SNI
from .._entities._consumer import CONSUMER_GROUP, MEMBER
from .._entities._kind import Entity, Field, Kind
from .._entities._registry import KINDS
from .._entities._service import expand_url
from .._errors import InputError, KongError
from .._freeform import as_type
from .._spelling import did_you_mean
from .._values import merge, normalise, warnings_about, without_nulls
from ._format import (
    ANSWERED,
    FOREIGN_SECTIONS,
    MEMBERS,
    NESTED,
    NOTES,
    SECTIONS,
    mapping_in,
    read_head,
)
from ._located import Located, Strings, place_of, strings_of, where_of
from ._typed import (
    merged_strings,
    refuse_masks,
    refuse_unclear,
    string_at,
    strings_in,
    typed,
)

_ID = Field("id")
_NAMES_OF_REFERENCES = ("id", "name", "username", "custom_id")


class CustomId(str):
    """A reference to a consumer by its ``custom_id``, which can be the name of another one."""

    field = "custom_id"


@dataclass(eq=False)
class Item:
    """One wanted entity.

    :param written: its fields, normalised, without references.
    :param links: references by field: the item that it nests in, or a name or id.
    :param where: its place in the file, for messages.
    :param partials: of a plugin, what it is linked to by name or id, with the setting that this
        stands for if it is written; None where nothing is said.
    :param strings: of a plugin's settings, whose types only its schema tells, as they are written.
    :param current: what a gateway has of it; this, and what follows, are known once it is matched.
    :param id: the ID that it has, or gets.
    :param is_partial: whether it leaves out something stored.
    """

    kind: Kind
    written: Entity
    links: dict[str, Item | str]
    where: str
    partials: list[tuple[str, str | None]] | None = None
    strings: Strings = field(default_factory=dict)
    current: Entity | None = None
    id: str = ""
    is_partial: bool = False

    @property
    def label(self) -> str:
        return self.kind.label(self.written)

    @property
    def owner(self) -> Item | str | None:
        """What the entity lies below in the gateway's paths."""
        return self.links.get(self.kind.parent) if self.kind.parent else None

    @property
    def owner_label(self) -> str | None:
        owner = self.owner
        return owner.label if isinstance(owner, Item) else owner

    def describe(self) -> str:
        return self.kind.describe({**self._called(), **self.written}, self.owner_label)

    def _called(self) -> Entity:
        """What it points at, where that is all that it can be called by."""
        link = self.links.get(self.kind.identity.field)
        return {self.kind.identity.field: link.label if isinstance(link, Item) else link}


@dataclass
class Document:
    """What a state file wants."""

    items: list[Item] = field(default_factory=list)
    # Consumers and groups whose list of groups or members is written, and so complete.
    listing: list[Item] = field(default_factory=list)
    select_tags: tuple[str, ...] = ()
    workspace: str | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return sorted({item.kind.name for item in self.items})


def parse(
    document: Mapping[str, Any], select_tags: Sequence[str] = (), foreign: bool = False
) -> Document:
    """Validate a document and list its entities.

    :param select_tags: those of the task; they and the document's must be the same.
    :param foreign: whether sections and fields that the collection does not manage, and entities
        that it could not find again, are allowed.
    :raises InputError: names the place and the entity; never a value of a secret.
    """
    tags, defaults = read_head(document, select_tags, foreign)
    reader = _Reader(document, tags, defaults, foreign)
    for section, entries in document.items():
        if section in SECTIONS:
            reader.read_all(SECTIONS[section], entries, section, {})
    refuse_duplicates(reader.items)
    if not foreign:
        reader.refuse_nameless()
    workspace = string_at(document, "_workspace") if "_workspace" in document else None
    return Document(reader.items, reader.listing, tags, workspace, reader.warnings)


@dataclass
class _Reader:
    """Walks through a document; keeps what it found."""

    document: Mapping[str, Any]
    tags: tuple[str, ...]
    defaults: Mapping[str, Mapping[str, Any]]
    foreign: bool
    items: list[Item] = field(default_factory=list)
    listing: list[Item] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._configs = mapping_in(self.document, "_plugin_configs")

    def read_all(self, kind: str, entries: Any, section: str, links: dict[str, Item | str]) -> None:
        at = place_within(links) or f"{place_of(self.document, section)}: "
        for entry in entries_of(entries, section, at, kind):
            self._read(KINDS[kind], entry, links)

    def _read(self, kind: Kind, entry: Mapping[str, Any], links: dict[str, Item | str]) -> None:
        where = where_of(entry)
        try:
            own, nested = self._apart(kind, entry)
            found = dict(links)
            written: Entity = {}
            references = reference_names(kind)
            for name, value in own.items():
                if name in references:
                    if name in links:
                        refuse_other(name, string_at(own, name), links[name])
                    elif value is None:
                        written[name] = None
                    else:
                        found[name] = reference_to(name, string_at(own, name))
                else:
                    written[name] = value
            linked = _linked(written.pop("partials")) if "partials" in written else None
            strings = strings_of(own)
            completed = self._completed(kind, written, strings)
            config = self._config_strings(kind, own, strings)
            item = Item(kind, completed, found, where, linked, config)
            if kind.parent and kind.parent not in found:
                raise InputError(f"{kind.parent} is required")
        except KongError as exc:
            owner = links.get(kind.parent or "")
            named = kind.describe(dict(entry), owner.label if isinstance(owner, Item) else owner)
            raise InputError(f"{where}: {named}: {exc.message}") from exc
        self.items.append(item)
        self._warn(item, own, strings, entry)
        for section, entries in nested.items():
            self._read_nested(item, section, entries)

    def _warn(self, item: Item, own: Entity, strings: Strings, entry: Mapping[str, Any]) -> None:
        """Keep the warnings about what is written, with the places of the fields."""
        doubtful = [
            each for each in item.kind.fields if each.warnings and own.get(each.name) is not None
        ]
        for found in doubtful:
            written = typed([found], {found.name: own[found.name]}, strings)
            for warning in warnings_about([found], written):
                where = place_of(entry, found.name)
                self.warnings.append(f"{where}: {item.describe()}: {warning}")

    def _read_nested(self, item: Item, section: str, entries: Any) -> None:
        if section == MEMBERS:
            self.listing.append(item)
            self.read_all(MEMBER.name, entries, section, {item.kind.name: item})
            return
        if section not in _MEMBERSHIPS.get(item.kind.name, {}):
            kind, back = NESTED[item.kind.name][section]
            self.read_all(kind, entries, section, {back: item})
            return
        try:
            others = [
                reference_to(section, each) for each in strings_in(as_type("list", entries or []))
            ]
        except KongError as exc:
            raise InputError(f"{item.where}: {item.describe()}: {exc.message}") from exc
        self.listing.append(item)
        other_kind = MEMBER.identity.field if item.kind is CONSUMER_GROUP else CONSUMER_GROUP.name
        for other in others:
            links: dict[str, Item | str] = {item.kind.name: item, other_kind: other}
            self.items.append(Item(MEMBER, {}, links, item.where))

    def _apart(self, kind: Kind, entry: Mapping[str, Any]) -> tuple[Located, dict[str, Any]]:
        """The entity's own fields and what nests in it."""
        nests, known = _names_of(kind.name)
        own = Located(strings=getattr(entry, "strings", None))
        nested = {}
        # A gateway's own export has nulls for lists that nest nowhere, and for missing names.
        absent = {*nests, *((kind.identity.field,) if entry.get("id") else ())}
        for key, value in entry.items():
            if value is None and key in absent:
                continue
            if key in nests:
                nested[key] = value
            elif key in kind.read_only:
                continue
            elif key in known or (kind.typed_by_name and key == "_config"):
                own[key] = value
            elif key in (*ANSWERED, *NOTES):
                continue
            elif self.foreign:
                own[key] = value
            elif key in FOREIGN_SECTIONS:
                raise InputError(f"{key} are not managed by this collection")
            else:
                raise InputError(f"it has no field {key}{did_you_mean(str(key), {*known, *nests})}")
        return own, nested

    def _completed(self, kind: Kind, written: Entity, strings: Strings) -> Entity:
        """With the document's own defaults, shared settings, the URL spelled out, and the tags."""
        config = written.pop("_config", None)
        fields = (_ID, *kind.fields)
        own, defaults = typed(fields, written, strings), self._default(kind)
        written = merge(kind.fields, defaults, own)
        if kind.name == "service" and written.get("url"):
            levels = map(_with_expanded_url, (defaults, own))
            written = {"path": None, **merge(kind.fields, *levels)}
        if config is not None:
            written["config"] = self._shared(config, written.get("config") or {})
        refuse_masks(written, "")
        if self.tags and "tags" in _names_of(kind.name)[1]:
            written["tags"] = [*dict.fromkeys([*(written.get("tags") or ()), *self.tags])]
        return normalise(kind.fields, written)

    def _default(self, kind: Kind) -> Entity:
        defaults = self.defaults.get(kind.name) or {}
        return typed(kind.fields, defaults, strings_of(defaults))

    def _config_strings(self, kind: Kind, own: Mapping[str, Any], strings: Strings) -> Strings:
        """The strings of a plugin's settings, shared ones included."""
        for name in (each.name for each in kind.fields if each.open and not each.fields):
            is_typed = kind.typed_by_name and name == "config"
            if isinstance(strings.get(name), Mapping) and not is_typed:
                refuse_unclear(own[name], strings[name], name)
        if not kind.typed_by_name:
            return {}
        shared = self._configs.get(string_at(own, "_config")) if "_config" in own else None
        return merged_strings(strings_of(shared), own.get("config") or {})

    def _shared(self, name: Any, over: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(name, str) or name not in self._configs:
            raise InputError(f"_plugin_configs has no {as_type('str', name)}")
        return deep_merge(mapping_in(self._configs, name), over)

    def refuse_nameless(self) -> None:
        """Refuse what has neither a name nor an ID, as each run would create it again."""
        served = {id(item.links.get("certificate")) for item in self.items if item.kind is SNI}
        for item in self.items:
            kind = item.kind
            names = dict.fromkeys((*kind.identity.names(kind), *kind.named_by, "id"))
            identified = any(item.written.get(name) or item.links.get(name) for name in names)
            if not identified and not (kind is CERTIFICATE and id(item) in served):
                needed = " or ".join(names)
                raise InputError(f"{item.where}: {item.describe()}: it needs {needed}")


def _with_expanded_url(written: Entity) -> Entity:
    """A service with the parts that its ``url`` has, over which its other fields win."""
    if not written.get("url"):
        return written
    parts: Entity = {"url": written["url"]}
    expand_url(parts, None)
    rest = {name: value for name, value in written.items() if name != "url"}
    return without_nulls(parts) | rest


_MEMBERSHIPS: Mapping[str, Mapping[str, Any]] = {
    "consumer": {"groups": None, MEMBERS: None},
    "consumer_group": {"consumers": None, MEMBERS: None},
}


def entries_of(entries: Any, section: str, at: str, kind: str = "") -> Iterator[Mapping[str, Any]]:
    """The mappings of a list.

    :param at: the place, for messages.
    :param kind: of what the list holds; an SNI can be written as its name alone.
    :raises InputError: it is no list of mappings.
    """
    if not isinstance(entries, list):
        raise InputError(f"{at}{section} is not a list")
    for position, entry in enumerate(entries):
        is_bare = kind == "sni" and not isinstance(entry, (Mapping, list))
        listed = {"name": string_at(entries, position)} if is_bare else entry
        if not isinstance(listed, Mapping):
            raise InputError(f"{at}entry {position + 1} of {section} is not a mapping")
        yield listed


def place_within(links: Mapping[str, Item | str]) -> str:
    """The place of what a list nests in."""
    return "".join(
        f"{link.where}: {link.describe()}: " for link in links.values() if isinstance(link, Item)
    )


@cache
def _names_of(kind: str) -> tuple[Mapping[str, Any], frozenset[str]]:
    """The lists that nest in an entity of a kind, and the fields that it can have."""
    nests = {**NESTED.get(kind, {}), **_MEMBERSHIPS.get(kind, {})}
    fields = frozenset(each.name for each in KINDS[kind].fields)
    return nests, fields | {"id"} | reference_names(KINDS[kind])


def reference_names(kind: Kind) -> frozenset[str]:
    return frozenset(each.name for each in kind.references)


def reference_to(field_name: str, value: Any) -> str:
    """A name or id, written bare or as ``{name: …}`` or ``{id: …}``."""
    if isinstance(value, Mapping):
        for name in _NAMES_OF_REFERENCES:
            if value.get(name) is not None:
                found = as_type("str", string_at(value, name))
                return CustomId(found) if name == "custom_id" else str(found)
    elif value is not None and not isinstance(value, (bool, list)):
        return str(as_type("str", value))
    raise InputError(f"{field_name} is neither a name or id, nor a mapping with one")


def refuse_other(name: str, value: Any, owner: Item | str) -> None:
    """Refuse a reference to another entity than the one that it nests in.

    :raises InputError: it is another one, or nothing says which one.
    """
    if value is None or not isinstance(owner, Item):
        return
    own = {key: owner.written.get(key) for key in _NAMES_OF_REFERENCES}
    if isinstance(value, Mapping):
        known = [key for key in own.keys() & value.keys() if own[key]]
        same = bool(known) and all(own[key] == string_at(value, key) for key in known)
    else:
        same = reference_to(name, value) in (
            own["id"],
            owner.written.get(owner.kind.identity.field),
        )
    if not same:
        raise InputError(f"{name} is not the {owner.describe()} that it is nested in")


def _linked(written: Any) -> list[tuple[str, str | None]]:
    """Links to partials: each a name or id, and where the plugin has the settings of it."""
    found: list[tuple[str, str | None]] = []
    for each in as_type("list", written or []):
        more = {*each} - {"id", "name", "path"} if isinstance(each, Mapping) else ()
        if more:
            raise InputError(f"a link to a partial has no {sorted(more)[0]}")
        path = each.get("path") if isinstance(each, Mapping) else None
        found.append((reference_to("partials", each), as_type("str", path) if path else None))
    return found


def deep_merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = deep_merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def refuse_duplicates(items: Sequence[Item]) -> None:
    """:raises InputError: two items are one entity; with both places."""
    named: dict[tuple[str, str], Item] = {}
    for item in items:
        for name in (item.written.get("id"), item.written.get(item.kind.identity.field)):
            if isinstance(name, str):
                named.setdefault((item.kind.name, name), item)
    seen: dict[Any, Item] = {}
    for item in items:
        for key in _keys_of(item, named):
            if key in seen:
                raise InputError(
                    f"{item.where}: {item.describe()} is already defined at {seen[key].where}"
                )
            seen[key] = item


def _keys_of(item: Item, named: Mapping[tuple[str, str], Item]) -> Iterator[tuple[Any, ...]]:
    """What no two items of a document may share."""
    kind = item.kind
    if item.written.get("id"):
        yield kind.name, "id", item.written["id"]
    identity = item.written.get(kind.identity.field)
    if identity is None:
        return
    if kind.identity.scope:
        scopes = (
            (field, _end_of(kind, field, link, named)) for field, link in sorted(item.links.items())
        )
        yield kind.name, identity, tuple(scopes)
    else:
        owner = item.owner
        yield kind.name, identity, owner and _end_of(kind, str(kind.parent), owner, named)


def _end_of(kind: Kind, field: str, link: Item | str, named: Mapping[tuple[str, str], Item]) -> Any:
    """What a reference leads to: an item of the document by any of its names, else the name."""
    if isinstance(link, str):
        target = kind.parent if field == kind.parent else kind.field(field).reference
        by = getattr(link, "field", "")
        found = None if by else named.get((str(target), link))
        return (by, str(link)) if found is None else id(found)
    return id(link)
