# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gateway holds as a state file's document.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._apply import schema_of
from .._entities._consumer import CONSUMER_GROUP, MEMBER
from .._entities._kind import GENERATED, Entity, Kind
from .._entities._registry import KINDS
from .._errors import MASKED
from .._freeform import with_details
from .._gateway._errors import NotOffered
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._schema import complete, without_old_spellings
from .._secrets import mask_entity, secrets_of
from ._current import CurrentState
from ._format import NESTED, ORDER, section_of

_MADE_UP = (*GENERATED, "cert_digest")
# A document nests an entity in the first of these that it points at.
_NESTS_IN: Mapping[str, tuple[tuple[str, str], ...]] = {
    "target": (("upstream", "upstream"),),
    "route": (("service", "service"),),
    "sni": (("certificate", "certificate"),),
    **{kind: (("consumer", "consumer"),) for kind in KINDS if KINDS[kind].parent == "consumer"},
}
# Foreign keys that decK's format has as mappings.
_AS_MAPPING = (("route", "service"), ("key", "set"), ("upstream", "client_certificate"))


@dataclass(frozen=True)
class Style:
    """How a dump is written.

    :param with_ids: with the ids, which certificates always have.
    :param skip_defaults: only what differs from the gateway's own defaults.
    :param secrets: ``keep`` them, ``mask`` them, or refer to the ``env`` of what reads them.
    """

    with_ids: bool = False
    skip_defaults: bool = False
    secrets: str = "mask"


class Dumper:
    """Reads a gateway and writes its entities as a document."""

    def __init__(
        self,
        gateway: Gateway,
        style: Style,
        skipped: Callable[[str, NotOffered], None] | None = None,
    ) -> None:
        """:param skipped: told of a kind that the gateway does not offer; else that is an error."""
        self._gateway = gateway
        self._skipped = skipped
        self._style = style
        self._state = CurrentState(gateway)

    def dump(self, kinds: Sequence[str], tags: Sequence[str]) -> dict[str, Any]:
        """The document of these kinds, of entities that have all of ``tags``; sorted."""
        wanted = [kind for kind in ORDER if kind in kinds]
        below = {owner for kind in wanted for _field, owner in _NESTS_IN.get(kind, ())}
        self._state.read({*wanted, *below}, self._skipped)
        for kind in (KINDS[name] for name in wanted if KINDS[name].is_listed_below):
            self._state.read_below(kind, self._state.of(str(kind.parent)))
        typed = self._plugin_kinds() if "plugin" in wanted else {}
        written = {
            kind: [
                (entity, self._written(typed.get(entity.get("name", ""), KINDS[kind]), entity))
                for entity in self._state.of(kind)
                if set(tags) <= set(entity.get("tags") or ())
            ]
            for kind in wanted
        }
        document: dict[str, Any] = {"_format_version": "3.0"}
        if tags:
            document["_info"] = {"select_tags": list(tags)}
        self._add_members(written.get(CONSUMER_GROUP.name, ()))
        document.update(self._nested(written))
        return document

    def _add_members(self, groups: Sequence[tuple[Entity, Entity]]) -> None:
        self._state.read_below(MEMBER, [group for group, _out in groups])
        for group, out in groups:
            names = sorted(map(MEMBER.label, self._state.entities(MEMBER, group["id"]) or ()))
            if names:
                out["consumers"] = [{"username": name} for name in names]

    def _plugin_kinds(self) -> dict[str, Kind]:
        names = sorted({plugin["name"] for plugin in self._state.of("plugin")})
        schemas = for_each(lambda name: self._gateway.schema(f"plugins/{name}"), names)
        return {name: with_details(schema or {}) for name, schema in zip(names, schemas)}

    def _written(self, kind: Kind, entity: Entity) -> Entity:
        """One entity as a document writes it: references by name, secrets as the style says."""
        entity = {name: value for name, value in entity.items() if name not in _MADE_UP}
        if kind.details is not None:
            entity = without_old_spellings(kind.details, entity)
        if self._style.skip_defaults:
            entity = _without_defaults(complete(schema_of(self._gateway, kind), {}), entity)
        entity = self._secrets(kind, entity)
        if not self._style.with_ids and _has_a_name(kind, entity):
            entity.pop("id", None)
        for name in kind.answered_only:
            entity.pop(name, None)
        for field in kind.fields:
            if field.reference and entity.get(field.name):
                entity[field.name] = self._reference(kind, field.name, entity)
        if entity.get("partials"):
            entity["partials"] = [self._link(each) for each in entity["partials"]]
        return {name: value for name, value in entity.items() if value is not None}

    def _link(self, link: Entity) -> Entity:
        """A link to a partial, by name where it has one."""
        name = self._name("partial", link["id"])
        return {"id" if name == link["id"] else "name": name, "path": link["path"]}

    def _secrets(self, kind: Kind, entity: Entity) -> Entity:
        if self._style.secrets == "keep" or not secrets_of(kind.fields, entity):
            return dict(entity)
        masked: Entity = mask_entity(kind, entity)
        if self._style.secrets == "mask":
            return masked
        label = kind.label(entity) if not kind.named_by else str(entity.get("id"))
        # A plugin's name is not its own: others have it in other places.
        scopes = [
            str(self._name(scope, entity[scope]["id"]))
            for scope in kind.identity.scope
            if entity.get(scope)
        ]
        placed: Entity = _with_placeholders(masked, "_".join(["DECK", kind.name, *scopes, label]))
        return placed

    def _name(self, kind: str, key: str) -> str:
        """What a document calls what another entity points at; its id where it has no name."""
        if kind in ("certificate", "ca_certificate"):
            return key
        self._state.read([kind])
        found = self._state.with_id(kind, key)
        return str(KINDS[kind].label(found)) if found else key

    def _reference(self, kind: Kind, field: str, entity: Entity) -> Any:
        """A reference as decK's format has it: a mapping for some kinds, a text for all others."""
        target = kind.parent if field == kind.parent else kind.field(field).reference
        key = entity[field]["id"]
        name = self._name(str(target), key)
        if (kind.name, field) not in _AS_MAPPING:
            return name
        return {"id": key} if name == key else {"name": name}

    def _nested(self, written: Mapping[str, list[tuple[Entity, Entity]]]) -> dict[str, Any]:
        """Children inside what they belong to, everything sorted by what people call it."""
        sections: dict[str, list[Entity]] = {}
        places = {entity["id"]: out for pairs in written.values() for entity, out in pairs}
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
        places: Mapping[str, Entity],
        sections: dict[str, list[Entity]],
    ) -> None:
        for field, owner in _NESTS_IN.get(kind, ()):
            above = places.get(str((entity.get(field) or {}).get("id")))
            if above is not None:
                out.pop(field, None)
                inside = next(key for key, found in NESTED[owner].items() if found[0] == kind)
                above.setdefault(inside, []).append(out)
                return
            if KINDS[kind].parent == owner:
                out[owner] = self._reference(KINDS[kind], owner, entity)
        sections.setdefault(section_of(kind), []).append(out)


def _has_a_name(kind: Kind, entity: Entity) -> bool:
    """Whether an entity is found again without its id."""
    return any(entity.get(name) for name in kind.identity.names(kind))


def _without_defaults(defaults: Mapping[str, Any], entity: Mapping[str, Any]) -> Entity:
    kept: Entity = {}
    for name, value in entity.items():
        default = defaults.get(name)
        if isinstance(value, dict) and isinstance(default, dict):
            inner = _without_defaults(default, value)
            if inner:
                kept[name] = inner
        elif value != default or name == "id":
            kept[name] = value
    return kept


def _with_placeholders(value: Any, name: str) -> Any:
    """Masked texts become references to environment variables, named after where they stand."""
    if isinstance(value, dict):
        return {key: _with_placeholders(item, f"{name}_{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [
            _with_placeholders(item, f"{name}_{position}") for position, item in enumerate(value, 1)
        ]
    if value == MASKED:
        return '${{ env "' + re.sub(r"[^A-Za-z0-9]+", "_", name).upper() + '" }}'
    return value


# Memberships are written with their groups.
ALL_KINDS = tuple(kind for kind in ORDER if KINDS[kind] is not MEMBER)
