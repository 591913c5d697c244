# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gateway holds as a state file's document."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._apply import kinds_of_plugins
from .._entities._consumer import CONSUMER, CONSUMER_GROUP, MEMBER
from .._entities._kind import Entity, Kind
from .._entities._plugin import PLUGIN
from .._entities._registry import KINDS
from .._gateway._errors import NotOffered
from .._gateway._protocol import Gateway
from .._schema import Schema, complete, without_old_names
from .._secrets import mask_entity, replace_secrets, secrets_of
from .._values import difference, map_items, map_strings, merge, without_nulls
from ._changes import EntityKey, key_of
from ._current import CurrentState
from ._format import ANSWERED, NESTED, ORDER, REQUIRED, section_of
from ._write import Placeholder, placeholder

# What a document nests an entity in, if it points at one.
_NESTS_IN: Mapping[str, str] = {
    "target": "upstream", "route": "service", "sni": "certificate",
    **{kind: "consumer" for kind in KINDS if KINDS[kind].parent == "consumer"},
}  # fmt: skip
# What makes a secret of the environment's string.
_CONVERSIONS: Mapping[type, str] = {bool: "toBool", int: "toInt", float: "toFloat"}
# Foreign keys that decK's format has as mappings.
AS_MAPPING = (("route", "service"), ("key", "set"), ("upstream", "client_certificate"))


@dataclass
class Dumper:
    """Reads a gateway and writes its entities as a document.

    :param with_ids: with the ids, which certificates always have.
    :param skip_defaults: only what differs from the gateway's own defaults.
    :param secrets: ``keep`` them, ``mask`` them, or refer to the ``env`` of what reads them.
    :param skipped: called with a kind that the gateway does not offer; else that is an error.
    """

    gateway: Gateway
    with_ids: bool = False
    skip_defaults: bool = False
    secrets: str = "mask"
    skipped: Callable[[str, NotOffered], None] | None = None

    def __post_init__(self) -> None:
        self._state = CurrentState(self.gateway)
        # Candidates for names of variables, with what exactly each stands for.
        self._secrets_named: dict[str, list[str]] = {}

    def dump(self, kinds: Sequence[str], tags: Sequence[str]) -> dict[str, Any]:
        """The document of these kinds, of entities that have all of ``tags``; sorted."""
        wanted = [kind for kind in ORDER if kind in kinds]
        owners = {_NESTS_IN[kind] for kind in wanted if kind in _NESTS_IN}
        self._state.read({*wanted, *owners}, self.skipped)
        for kind in (KINDS[name] for name in wanted if KINDS[name].is_listed_below):
            self._state.read_below(kind, self._state.of(str(kind.parent)))
        plugins = self._state.of(PLUGIN.name) if PLUGIN.name in wanted else ()
        typed = kinds_of_plugins(self.gateway, plugins)
        written = {
            kind: [
                (entity, self._written(typed.get(entity.get("name", ""), KINDS[kind]), entity))
                for entity in self._state.of(kind)
                for own in [set(entity.get("tags") or ())]
                if set(tags) <= own and not self.gateway.managed_tags & own
            ]
            for kind in wanted
        }
        document: dict[str, Any] = {"_format_version": "3.0"}
        if tags:
            document["_info"] = {"select_tags": list(tags)}
        self._add_members(written)
        document.update(self._nested(written))
        named: dict[str, Any] = map_strings(document, self._named_apart)
        return named

    def _add_members(self, written: Mapping[str, list[tuple[Entity, Entity]]]) -> None:
        """Memberships at their consumers: decK takes what is below a group for whole consumers."""
        groups = written.get(CONSUMER_GROUP.name, ())
        self._state.read_below(MEMBER, [group for group, _out in groups])
        consumers = {entity["id"]: out for entity, out in written.get(CONSUMER.name, ())}
        for group, out in sorted(groups, key=lambda pair: CONSUMER_GROUP.label(pair[0])):
            members = [each["consumer"] for each in self._state.entities(MEMBER, group["id"]) or ()]
            for each in sorted(members, key=CONSUMER.label):
                if each["id"] in consumers:
                    inside = consumers[each["id"]].setdefault("groups", [])
                    inside.append({"name": group["name"]})
                else:
                    key = "username" if each.get("username") else "id"
                    out.setdefault("consumers", []).append({key: each[key]})

    def _written(self, kind: Kind, entity: Entity) -> Entity:
        """One entity as a document writes it: references by name, secrets as the style says."""
        entity = {name: value for name, value in entity.items() if name not in ANSWERED}
        if kind.details is not None:
            entity = without_old_names(kind.details, entity)
        if self.skip_defaults:
            needed = REQUIRED.get(kind.name, ())
            entity = {
                **{name: entity[name] for name in needed if name in entity},
                **_without_defaults(kind, self.gateway.schema_of(kind), entity),
            }
        entity = self._secrets(kind, entity)
        if not self.with_ids and _is_named(kind, entity):
            entity.pop("id", None)
        for name in kind.read_only:
            entity.pop(name, None)
        for field in kind.fields:
            if field.reference and entity.get(field.name):
                entity[field.name] = self._reference(kind, field.name, entity)
        if entity.get("partials"):
            entity["partials"] = [self._link(each) for each in entity["partials"]]
        # In free-form records nulls mean something.
        free_form = [each.name for each in KINDS[kind.name].fields if each.open]
        return without_nulls(entity, free_form, in_lists=True)

    def _link(self, link: Entity) -> Entity:
        """A link to a partial, by name where it has one."""
        name = self._name("partial", link["id"])
        path = {"path": link["path"]} if link.get("path") else {}
        return {"id" if name == link["id"] else "name": name, **path}

    def _secrets(self, kind: Kind, entity: Entity) -> Entity:
        if self.secrets == "keep" or not secrets_of(kind.fields, entity):
            return dict(entity)
        if self.secrets == "mask":
            return mask_entity(kind, entity)
        # A plugin's name is not its own: others have it in other places.
        scopes = [
            word
            for scope in kind.identity.scope
            if entity.get(scope)
            for word in (scope, str(self._name(scope, entity[scope]["id"])))
        ]
        words = ("DECK", kind.name, *scopes, kind.label(entity))
        placed: Entity = replace_secrets(
            kind.fields, entity, lambda path, value: self._placed((*words, *path), value)
        )
        return placed

    def _placed(self, path: tuple[Any, ...], value: Any) -> Any:
        """A secret with placeholders for its values, named after where they stand."""
        if isinstance(value, (dict, list)):
            return map_items(value, lambda key, item: self._placed((*path, key), item))
        if value is None or str(value).startswith("{vault://"):
            return value
        words = [str(each + 1 if isinstance(each, int) else each) for each in path]
        name, exact = _variable(words), "\0".join(words)
        self._secrets_named.setdefault(name, []).append(exact)
        return placeholder(name, exact, _CONVERSIONS.get(type(value), ""))

    def _named_apart(self, text: str) -> str:
        """A placeholder whose variable stands for nothing else; any other string as it is."""
        if not isinstance(text, Placeholder) or len(self._secrets_named[text.variable]) == 1:
            return text
        digest = hashlib.sha256(text.exact.encode()).hexdigest()[:8].upper()
        return placeholder(f"{text.variable}_{digest}", conversion=text.conversion)

    def _name(self, kind: str, key: str) -> str:
        """What a document calls what another entity points at; its id where it has no name."""
        if kind in ("certificate", "ca_certificate"):
            return key
        self._state.read([kind])
        found = self._state.with_id(kind, key)
        return str((found or {}).get(KINDS[kind].identity.field) or key)

    def _reference(self, kind: Kind, field: str, entity: Entity) -> Any:
        """A reference as decK's format has it: a mapping for some kinds, else a string."""
        target = kind.parent if field == kind.parent else kind.field(field).reference
        key = entity[field]["id"]
        name = self._name(str(target), key)
        if (kind.name, field) not in AS_MAPPING:
            return name
        return {"id": key} if name == key else {"name": name}

    def _nested(self, written: Mapping[str, list[tuple[Entity, Entity]]]) -> dict[str, Any]:
        """Children inside what they belong to, everything sorted by what people call it."""
        sections: dict[str, list[Entity]] = {}
        places = {
            key_of(KINDS[kind], entity): out
            for kind, pairs in written.items()
            for entity, out in pairs
        }
        for kind in reversed(ORDER):
            for entity, out in sorted(
                written.get(kind, ()), key=lambda pair: KINDS[kind].label(pair[0])
            ):
                self._place(kind, entity, out, places, sections)
        order = [section_of(kind) for kind in ORDER]
        return {section: sections[section] for section in order if section in sections}

    def _place(
        self,
        kind: str,
        entity: Entity,
        out: Entity,
        places: Mapping[EntityKey, Entity],
        sections: dict[str, list[Entity]],
    ) -> None:
        owner = _NESTS_IN.get(kind, "")
        above = places.get((owner, str((entity.get(owner) or {}).get("id"))))
        if above is not None:
            out.pop(owner, None)
            inside = next(key for key, found in NESTED[owner].items() if found[0] == kind)
            above.setdefault(inside, []).append(out)
            return
        if owner and KINDS[kind].parent == owner:
            out[owner] = self._reference(KINDS[kind], owner, entity)
        sections.setdefault(section_of(kind), []).append(out)


def _without_defaults(kind: Kind, schema: Schema, entity: Entity) -> Entity:
    """What of an entity is needed to get the same one again.

    The defaults inside a record can differ from the default of the whole record, which has no
    effect on a record that is written in part.
    """
    kept: Entity = {}
    while True:
        lost = difference(kind.fields, entity, complete(schema, kept))
        longer = merge(kind.fields, kept, lost)
        if longer == kept:
            return kept
        kept = longer


def _is_named(kind: Kind, entity: Entity) -> bool:
    """Whether others can refer to an entity, and it is found again, without its id."""
    return "id" not in REQUIRED.get(kind.name, ()) and bool(entity.get(kind.identity.field))


def _variable(words: Iterable[str]) -> str:
    """The name of a variable; different words can give one name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", "_".join(words)).upper()


# Memberships are written with their consumers.
ALL_KINDS = tuple(kind for kind in ORDER if KINDS[kind] is not MEMBER)
