# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A document of decK as the one that a gateway without a database takes.

Private to the collection.

Both formats carry the version 3.0 and mostly agree (conformance case dbless_config). The gateway
takes the nested entities as they are; it refuses every key that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._entities._kind import Field, Kind
from .._entities._plugin import PLUGIN
from .._entities._registry import KINDS
from .._errors import InputError
from .._values import map_strings, normalise
from ._duplicates import refuse_duplicates
from ._format import DEFAULTED, MEMBERS, NESTED, NOTES, SECTIONS
from ._located import Located, place_of, strings_of, where_of
from ._parse import Item, deep_merge, entries_of, reference_names, reference_to, refuse_other
from ._strings import (
    as_written,
    merged_strings,
    refuse_unclear,
    refuse_unclear_fields,
    string_at,
    strings_in,
)

Record = dict[str, Any]
# The fields of a plugin's settings by its name.
ConfigFields = Callable[[str], Sequence[Field]]

# Sections that list entities, and the kind of what they list. Others are handed on as they are.
_KINDS = {
    **{section: kind for section, kind in SECTIONS.items() if section != MEMBERS},
    "filter_chains": "filter_chain",
}
# Foreign keys that decK writes as records; the gateway takes a string in all of them.
_REFERENCES = tuple(sorted({name for kind in KINDS.values() for name in reference_names(kind)}))
_DROPPED = ("_info", "_konnect", "_workspace", "_plugin_configs", "custom_entities", *NOTES)


def to_dbless(
    document: Mapping[str, Any], config_fields: ConfigFields | None = None
) -> dict[str, Any]:
    """The document for ``POST /config`` or ``declarative_config``; the given one stays as it is.

    Select tags and defaults of ``_info`` and the shared settings of ``_plugin_configs`` are worked
    into the entities, members of consumer groups become a list of their own.

    :param config_fields: what tells strings from numbers in the settings of plugins.
    :raises InputError: an entity cannot be expressed, is written twice, or names shared settings
        that do not exist.
    """
    refuse_duplicates([*_outline(document)])
    # Without places: Ansible keeps plain values only.
    plain: dict[str, Any] = map_strings(_Conversion(document, config_fields).run(), str)
    return plain


def _outline(document: Mapping[str, Any]) -> Iterator[Item]:
    """The entities of a document, with no more than what tells them apart."""
    for section, kind in SECTIONS.items():
        if section in document:
            at = f"{place_of(document, section)}: "
            yield from _outlined(KINDS[kind], entries_of(document[section], section, at, kind), {})


def _outlined(
    kind: Kind, entries: Iterable[Mapping[str, Any]], links: Mapping[str, Item | str]
) -> Iterator[Item]:
    for entry in entries:
        names = {
            name: string_at(entry, name) for name in ("id", kind.identity.field) if entry.get(name)
        }
        written = {name: str(value) for name, value in names.items() if not isinstance(value, list)}
        own = {
            name: reference_to(name, string_at(entry, name))
            for name in reference_names(kind)
            if entry.get(name) and name not in links
        }
        item = Item(kind, normalise(kind.fields, written), {**own, **links}, where_of(entry))
        for name, owner in links.items():
            if name in entry:
                refuse_other(name, string_at(entry, name), owner)
        yield item
        for section, (inner, back) in NESTED.get(kind.name, {}).items():
            if section in entry:
                at = f"{item.where}: {item.describe()}: "
                inside = entries_of(entry[section], section, at, inner)
                yield from _outlined(KINDS[inner], inside, {back: item})


class _Conversion:
    def __init__(self, document: Mapping[str, Any], config_fields: ConfigFields | None) -> None:
        self._document = document
        self._config_fields = config_fields
        info = document.get("_info") or {}
        self._tags = strings_in(info.get("select_tags") or [])
        self._defaults: Mapping[str, Any] = info.get("defaults") or {}
        self._configs: Mapping[str, Any] = document.get("_plugin_configs") or {}
        self._members: list[Record] = []
        # What a reference can call a consumer by, and a gateway cannot look up.
        self._consumers = {
            str(string_at(each, "custom_id")): each
            for each in document.get("consumers") or ()
            if each.get("custom_id")
        }

    def run(self) -> dict[str, Any]:
        result: dict[str, Any] = {"_format_version": "3.0"}
        for name, value in self._document.items():
            if name not in _DROPPED:
                result[name] = self._section(name, value, {})
        for each in self._document.get("custom_entities") or ():
            kind, entity = self._custom(each)
            result.setdefault(kind, []).append(entity)
        if self._members:
            result[MEMBERS] = [*(result.get(MEMBERS) or ()), *self._members]
        return result

    def _section(self, name: str, value: Any, nests: Mapping[str, tuple[str, str]]) -> Any:
        """A list of entities, or a field as it is.

        :param nests: the lists of entities of what has this field, and what points back in each.
        """
        if name not in _KINDS or not isinstance(value, list):
            return value
        back = nests[name][1] if name in nests else ""
        # A service's CA certificates and a route's SNIs are strings, and no entities of their own.
        return [
            self._entity(name, {key: each[key] for key in each if key != back}, each)
            if isinstance(each, Mapping)
            else each
            for each in value
        ]

    def _entity(
        self, section: str, written: Mapping[str, Any], source: Mapping[str, Any]
    ) -> Record:
        """One entity; ``source`` is what it is written as, with its places and strings."""
        label, kind = _KINDS[section], KINDS.get(_KINDS[section])
        references = [Field(name) for name in _REFERENCES]
        fields = (*references, *(kind.fields if kind else ()))
        strings = strings_of(source)
        noted = {key: written[key] for key in written if key not in NOTES}
        own = as_written(fields, noted, strings)
        defaults = (self._defaults.get(label) if label in DEFAULTED else None) or {}
        entity = deep_merge(as_written(fields, defaults, strings_of(defaults)), own)
        try:
            if kind is PLUGIN:
                self._complete_plugin(entity, source)
            else:
                refuse_unclear_fields(fields, own, strings)
        except InputError as exc:
            where = f"{where_of(source)}: " if isinstance(source, Located) else ""
            raise InputError(f"{where}{label} {_label(entity)}: {exc.message}") from exc
        self._take_members(label, entity)
        if label == "certificate" and entity.get("snis"):
            entity["snis"] = [
                {"name": sni} if isinstance(sni, str) else sni for sni in strings_in(entity["snis"])
            ]
        self._refer(label, entity)
        # What a plugin lists, its partials, are references and no entities of their own.
        if kind is not PLUGIN:
            nests = NESTED.get(kind.name if kind else "", {})
            entity = {name: self._section(name, value, nests) for name, value in entity.items()}
        missing = [tag for tag in self._tags if tag not in (entity.get("tags") or ())]
        if missing:
            entity["tags"] = [*(entity.get("tags") or ()), *missing]
        return entity

    def _complete_plugin(self, plugin: Record, source: Mapping[str, Any]) -> None:
        """Work shared settings in, and write strings as strings, in place."""
        name = plugin.pop("_config", None)
        if name is not None and name not in self._configs:
            raise InputError(f"_config is {name}, and _plugin_configs has no such entry")
        shared = (self._configs[name] if name is not None else None) or {}
        if name is None and not plugin.get("config"):
            return
        own = source.get("config") or {}
        config, strings = deep_merge(shared, own), merged_strings(strings_of(shared), own)
        if self._config_fields is None:
            refuse_unclear(config, strings, "config")
        else:
            config = as_written(self._config_fields(str(plugin.get("name"))), config, strings)
        plugin["config"] = config

    def _take_members(self, kind: str, entity: Record) -> None:
        """Who is in which group is written at consumers or at groups, and nested in neither."""
        if kind == "consumer":
            for group in strings_in(entity.pop("groups", None) or []):
                self._member(entity, group)
            for each in entity.pop(MEMBERS, None) or ():
                self._member(entity, string_at(each, "consumer_group"))
        elif kind == "consumer_group":
            for consumer in strings_in(entity.pop("consumers", None) or []):
                self._member(consumer, entity)
            for each in entity.pop(MEMBERS, None) or ():
                self._member(string_at(each, "consumer"), entity)

    def _member(self, consumer: Any, group: Any) -> None:
        member = {
            "consumer": self._reference(f"consumer {_label(consumer)}", consumer),
            "consumer_group": self._reference(f"consumer_group {_label(group)}", group),
        }
        # Both sides may say the same.
        if member not in self._members:
            self._members.append(member)

    def _custom(self, written: Mapping[str, Any]) -> tuple[str, Record]:
        kind = written.get("type")
        if not isinstance(kind, str):
            raise InputError("a custom entity must have a type")
        fields = written.get("fields") or {}
        own = {key: value for key, value in written.items() if key not in ("type", "fields")}
        # Nothing is known of these kinds, not even that they have tags.
        return kind, self._refer(kind, {**own, **fields})

    def _refer(self, kind: str, entity: Record) -> Record:
        """Write foreign keys as strings, in place."""
        for name in _REFERENCES:
            if isinstance(entity.get(name), Mapping):
                entity[name] = self._reference(f"{kind} {_label(entity)}: {name}", entity[name])
        return entity

    def _reference(self, what: str, entity: Any) -> str:
        """What a foreign key says: a name, else an id; only these can be looked up in a document.

        :raises InputError: there is neither.
        """
        found = [entity]
        if isinstance(entity, Mapping):
            custom_id = str(string_at(entity, "custom_id")) if "custom_id" in entity else ""
            both = (entity, self._consumers.get(custom_id, {}))
            names = ("name", "username", "id")
            found = [string_at(each, name) for each in both for name in names if each.get(name)]
        if not found or isinstance(found[0], (bool, list)) or found[0] is None:
            raise InputError(
                f"{what} must be named by its name or id, so that others can refer to it"
            )
        return str(found[0])


def _label(entity: Any) -> str:
    if not isinstance(entity, Mapping):
        return ""
    names = (entity.get(key) for key in ("name", "username", "custom_id", "id"))
    return str(next((name for name in names if name), "without a name"))
