# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a state file's document to a flat list of wanted entities. Pure.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._entities._certificate import CERTIFICATE, SNI
from .._entities._kind import GENERATED, Entity, Kind
from .._entities._registry import KINDS
from .._entities._service import settle_url
from .._errors import InputError, KongError
from .._freeform import as_type
from .._spelling import did_you_mean
from .._values import merge, normalise
from ._format import FOREIGN_SECTIONS, NESTED, SECTIONS
from ._head import Head, mapping_in, read_head
from ._located import place_of, where_of
from ._typed import refuse_masks, typed

_NAMES_OF_REFERENCES = ("id", "name", "username", "custom_id")
# SNIs are entities of their own in a document.
NOT_FIELDS = {"certificate": ("snis",)}


@dataclass(eq=False)
class Item:
    """One wanted entity.

    :param written: its fields, normalised, without references.
    :param links: references by field: the item that it nests in, or a name or id.
    :param where: its place in the file, for messages.
    :param partials: of a plugin, what it is linked to by name or id, with the setting that this
        stands for if it is written; None where nothing is said.
    """

    kind: Kind
    written: Entity
    links: dict[str, Item | str]
    where: str
    partials: list[tuple[str, str | None]] | None = None

    @property
    def label(self) -> str:
        return self.kind.label(self.written)

    @property
    def owner(self) -> Item | str | None:
        """What the entity lies below in the gateway's paths."""
        return self.links.get(self.kind.parent) if self.kind.parent else None

    def describe(self) -> str:
        owner = self.owner
        name = owner.label if isinstance(owner, Item) else owner
        return self.kind.describe(self.written, name)


@dataclass
class Document:
    """What a state file wants."""

    items: list[Item] = field(default_factory=list)
    members: list[tuple[Item | str, Item | str]] = field(default_factory=list)
    select_tags: tuple[str, ...] = ()
    workspace: str | None = None

    @property
    def kinds(self) -> list[str]:
        return sorted({item.kind.name for item in self.items})


def parse(document: Mapping[str, Any], select_tags: Sequence[str] = ()) -> Document:
    """Judge a document and take it apart.

    :param select_tags: those of the task; they and the document's must be the same.
    :raises InputError: names the place and the entity; never a value of a secret.
    """
    head = read_head(document, select_tags)
    reader = _Reader(document, head)
    for section, entries in document.items():
        if section in SECTIONS:
            reader.read_all(SECTIONS[section], entries, section, {})
    reader.refuse_duplicates()
    reader.refuse_nameless()
    return Document(reader.items, reader.members, head.select_tags, document.get("_workspace"))


class _Reader:
    """Walks through a document; keeps what it found."""

    def __init__(self, document: Mapping[str, Any], head: Head) -> None:
        self.items: list[Item] = []
        self.members: list[tuple[Item | str, Item | str]] = []
        self._document = document
        self._tags = head.select_tags
        self._defaults = head.defaults
        self._configs = mapping_in(document, "_plugin_configs")

    def read_all(self, kind: str, entries: Any, section: str, links: dict[str, Item | str]) -> None:
        at = _within(links) or f"{place_of(self._document, section)}: "
        if not isinstance(entries, list):
            raise InputError(f"{at}{section} is not a list")
        for position, listed in enumerate(entries, 1):
            is_bare = isinstance(listed, str) and kind == "sni"
            entry = {"name": listed} if is_bare else listed
            if not isinstance(entry, Mapping):
                raise InputError(f"{at}entry {position} of {section} is not a mapping")
            self._read(KINDS[kind], entry, links)

    def _read(self, kind: Kind, entry: Mapping[str, Any], links: dict[str, Item | str]) -> None:
        where = where_of(entry)
        try:
            own, nested = self._apart(kind, entry)
            found = dict(links)
            written: Entity = {}
            for name, value in own.items():
                if name in _reference_names(kind):
                    if name in links:
                        raise InputError(f"{name} stands in what it already nests in")
                    if value is None:
                        written[name] = None
                    else:
                        found[name] = _reference(name, value)
                else:
                    written[name] = value
            linked = _linked(written.pop("partials")) if "partials" in written else None
            item = Item(kind, self._completed(kind, written), found, where, linked)
            if kind.parent and kind.parent not in found:
                raise InputError(f"it says not which {kind.parent} it belongs to")
        except KongError as exc:
            owner = links.get(kind.parent or "")
            named = kind.describe(dict(entry), owner.label if isinstance(owner, Item) else owner)
            raise InputError(f"{where}: {named}: {exc.message}") from exc
        self.items.append(item)
        for section, entries in nested.items():
            self._read_nested(item, section, entries)

    def _read_nested(self, item: Item, section: str, entries: Any) -> None:
        if section not in _MEMBERSHIPS.get(item.kind.name, {}):
            kind, back = NESTED[item.kind.name][section]
            self.read_all(kind, entries, section, {back: item})
            return
        try:
            others = [_reference(section, each) for each in as_type("list", entries or [])]
        except KongError as exc:
            raise InputError(f"{item.where}: {item.describe()}: {exc.message}") from exc
        is_group = item.kind.name == "consumer_group"
        self.members += [(item, other) if is_group else (other, item) for other in others]

    def _apart(self, kind: Kind, entry: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The entity's own fields and what nests in it.

        :raises InputError: a key is neither.
        """
        nests = {**NESTED.get(kind.name, {}), **_MEMBERSHIPS.get(kind.name, {})}
        known = {"id", *(each.name for each in kind.fields), *_reference_names(kind)}
        known -= set(NOT_FIELDS.get(kind.name, ()))
        own, nested = {}, {}
        for key, value in entry.items():
            if key in nests:
                nested[key] = value
            elif key in known or (kind.name == "plugin" and key == "_config"):
                own[key] = value
            # Times say nothing of what is wanted, and a dump may hold them all the same.
            elif key in FOREIGN_SECTIONS:
                raise InputError(f"{key} are not managed by this collection")
            elif key not in GENERATED:
                raise InputError(f"it has no field {key}{did_you_mean(str(key), {*known, *nests})}")
        return own, nested

    def _completed(self, kind: Kind, written: Entity) -> Entity:
        """With the document's own defaults, shared settings, the URL spelled out, and the tags."""
        config = written.pop("_config", None)
        written = merge(kind.fields, self._default(kind), typed(kind.fields, written))
        if written.get("id") is not None:
            written["id"] = as_type("str", written["id"])
        if kind.name == "service" and written.get("url"):
            spelled: Entity = {"url": written.pop("url")}
            settle_url(spelled, None)
            written = {**spelled, **written}
        if config is not None:
            written["config"] = self._shared(config, written.get("config") or {})
        refuse_masks(written, "")
        if self._tags and any(each.name == "tags" for each in kind.fields):
            written["tags"] = [*dict.fromkeys([*(written.get("tags") or ()), *self._tags])]
        return normalise(kind.fields, written)

    def _default(self, kind: Kind) -> Entity:
        return typed(kind.fields, self._defaults.get(kind.name) or {})

    def _shared(self, name: Any, over: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(name, str) or name not in self._configs:
            raise InputError(f"_plugin_configs has no {as_type('str', name)}")
        return _deep_merge(mapping_in(self._configs, name), over)

    def refuse_duplicates(self) -> None:
        seen: dict[Any, Item] = {}
        for item in self.items:
            for key in _keys_of(item):
                if key in seen:
                    raise InputError(
                        f"{item.where}: {item.describe()} stands at {seen[key].where} already"
                    )
                seen[key] = item

    def refuse_nameless(self) -> None:
        """What can be told neither by its name nor by its id would be made anew by each run."""
        served = {id(item.links.get("certificate")) for item in self.items if item.kind is SNI}
        for item in self.items:
            kind = item.kind
            names = dict.fromkeys((kind.identity, *kind.unique, *kind.named_by, "id"))
            told = any(item.written.get(name) for name in names)
            if not told and not (kind is CERTIFICATE and id(item) in served):
                raise InputError(
                    f"{item.where}: {item.describe()}: it needs {' or '.join(names)}, by which it "
                    "is found again"
                )


_MEMBERSHIPS: Mapping[str, Mapping[str, Any]] = {
    "consumer": {"groups": None},
    "consumer_group": {"consumers": None},
}


def _within(links: Mapping[str, Item | str]) -> str:
    """The place of what a list nests in."""
    return "".join(
        f"{link.where}: {link.describe()}: " for link in links.values() if isinstance(link, Item)
    )


def _reference_names(kind: Kind) -> set[str]:
    names = {each.name for each in kind.fields if each.reference}
    return names | ({kind.parent} if kind.parent else set())


def _reference(field_name: str, value: Any) -> str:
    """A name or id, written bare or as ``{name: …}`` or ``{id: …}``."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        for name in _NAMES_OF_REFERENCES:
            if isinstance(value.get(name), str):
                return str(value[name])
    raise InputError(f"{field_name} is neither a name or id, nor a mapping with one")


def _linked(written: Any) -> list[tuple[str, str | None]]:
    """Links to partials: each a name or id, and where the plugin has the settings of it."""
    found: list[tuple[str, str | None]] = []
    for each in as_type("list", written or []):
        more = {*each} - {"id", "name", "path"} if isinstance(each, Mapping) else ()
        if more:
            raise InputError(f"a link to a partial has no {sorted(more)[0]}")
        path = each.get("path") if isinstance(each, Mapping) else None
        found.append((_reference("partials", each), as_type("str", path) if path else None))
    return found


def _keys_of(item: Item) -> Iterator[tuple[Any, ...]]:
    """What no two items of a document may share."""
    kind = item.kind
    if item.written.get("id"):
        yield kind.name, "id", item.written["id"]
    identity = item.written.get(kind.identity)
    if identity is None or kind.identity == "id":
        return
    if kind.name == "plugin":
        scopes = tuple(
            (name, id(link) if isinstance(link, Item) else link)
            for name, link in sorted(item.links.items())
        )
        yield kind.name, identity, scopes
    else:
        owner = item.owner
        yield kind.name, identity, id(owner) if isinstance(owner, Item) else owner


def _deep_merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        merged[key] = _deep_merge(below, value) if both else value  # type: ignore[arg-type]
    return merged
