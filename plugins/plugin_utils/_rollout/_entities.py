# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dumps with IDs as flat entities: what undoes changes, and what became different."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...module_utils._document._dump import AS_MAPPING
from ...module_utils._document._format import NESTED, ORDER, SECTIONS, section_of
from ...module_utils._entities._consumer import MEMBER
from ...module_utils._entities._registry import KINDS

_ROUNDS = 1000
# Of these kinds the field that identifies is a secret or a text of many lines.
_UNNAMED = ("key_auth", "certificate", "ca_certificate", "oauth2", "jwt")
# Lists of references to others, and the kind of these.
_LISTED: Mapping[str, Mapping[str, str]] = {
    "plugin": {"partials": "partial"},
    "consumer": {"groups": "consumer_group"},
    "consumer_group": {"consumers": "consumer"},
}
# Those of them that are memberships.
_MEMBERS = {"consumer": "groups", "consumer_group": "consumers"}


@dataclass(frozen=True)
class Flat:
    """An entity of a dump without those inside it.

    :param back: the field that points at what it was nested in, and the ID there.
    """

    kind: str
    entity: Mapping[str, Any]
    back: tuple[str, str] | None = None

    @property
    def name(self) -> str | None:
        """What others refer to it by in a dump, if not by its ID."""
        return next(filter(None, map(self.entity.get, ("name", "username"))), None)


def flat(document: Mapping[str, Any]) -> dict[str, Flat]:
    """All entities of a dump that was made with IDs, by these."""
    found: dict[str, Flat] = {}
    for section, kind in SECTIONS.items():
        for entity in document.get(section) or ():
            found.update({each.entity["id"]: each for each in _flat(kind, entity, None)})
    return found


def _flat(kind: str, entity: Mapping[str, Any], back: tuple[str, str] | None) -> Iterator[Flat]:
    inner = NESTED.get(kind, {})
    # Who is in a group has no ID of its own.
    nested = [name for name in inner if inner[name][0] != MEMBER.name]
    yield Flat(kind, {key: entity[key] for key in entity if key not in nested}, back)
    for name in nested:
        below, field = inner[name]
        for each in entity.get(name) or ():
            yield from _flat(below, each, (field, entity["id"]))


def undo_document(
    snapshot: Mapping[str, Any],
    now: Mapping[str, Any],
    changes: Sequence[Mapping[str, Any]] | None,
) -> dict[str, Any]:
    """The document that brings a gateway back, and the kinds that it has all of.

    :param snapshot: the dump from before the changes; ``now`` the one from after them.
    :param changes: entries of a saved plan; only these are undone. None: all that differs is.
    """
    before, after = flat(snapshot), flat(now)
    kept, back = ({}, before) if changes is None else _parted(before, after, changes)
    wanted = {**kept, **back}
    for dump, part in ((after, kept), (before, back)):
        ids = {(each.kind, each.name): key for key, each in dump.items()}
        wanted.update({key: _renamed(each, ids, wanted) for key, each in part.items()})
    kinds = {each.kind for each in (*before.values(), *after.values())}
    sections: dict[str, list[dict[str, Any]]] = {}
    for each in wanted.values():
        sections.setdefault(section_of(each.kind), []).append(_written(each, wanted))
    created = len(after.keys() - wanted.keys())
    return {
        "document": {"_format_version": "3.0", **sections},
        "kinds": [kind for kind in ORDER if kind in kinds],
        "deletes": created,
    }


def _parted(
    before: Mapping[str, Flat], after: Mapping[str, Flat], changes: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Flat], dict[str, Flat]]:
    """What the gateway has now and keeps, and what was changed, as it was before."""
    touched = {each["id"] for each in changes if each.get("id")}
    made = {
        (each["kind"], _identity(each["kind"], each.get("after") or {}))
        for each in changes
        if each["operation"] == "create"
    }
    new = {
        key
        for key, each in after.items()
        if key not in before and (each.kind, _identity(each.kind, each.entity)) in made
    }
    kept = {key: each for key, each in after.items() if key not in new and key not in touched}
    back = {key: each for key, each in before.items() if key in touched}
    if any(each["kind"] == MEMBER.name for each in changes):
        both = [key for key in kept if key in before and kept[key].kind in _MEMBERS]
        back.update({key: _with_members(kept.pop(key), before[key]) for key in both})
    return kept, back


def _identity(kind: str, entity: Mapping[str, Any]) -> str:
    """What an entity is found by; secrets are masked in a plan, so all of their kind are meant."""
    if kind in _UNNAMED:
        return ""
    return str(entity.get(KINDS[kind].identity.field))


def _with_members(each: Flat, before: Flat) -> Flat:
    """An entity with the memberships that it had, and all else as it is."""
    field = _MEMBERS[each.kind]
    rest = {name: value for name, value in each.entity.items() if name != field}
    earlier = {field: before.entity[field]} if field in before.entity else {}
    return replace(each, entity={**rest, **earlier})


def _renamed(
    each: Flat, ids: Mapping[tuple[str, str | None], str], wanted: Mapping[str, Flat]
) -> Flat:
    """An entity that refers to others by the names that these get.

    :param ids: of the entities of the dump that it is from, by kind and name.
    """

    def follow(kind: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            names = value.keys() & {"name", "username"}
            return {**value, **{name: follow(kind, value[name]) for name in names}}
        key = ids.get((kind, value), "")
        return (wanted[key].name or key) if key in wanted else value

    entity = dict(each.entity)
    for field in KINDS[each.kind].references:
        if entity.get(field.name):
            entity[field.name] = follow(str(field.reference), entity[field.name])
    for name, kind in _LISTED.get(each.kind, {}).items():
        if entity.get(name):
            entity[name] = [follow(kind, value) for value in entity[name]]
    return replace(each, entity=entity)


def _written(each: Flat, wanted: Mapping[str, Flat]) -> dict[str, Any]:
    entity = dict(each.entity)
    if each.back is None:
        return entity
    field, key = each.back
    name = wanted[key].name if key in wanted else None
    if (each.kind, field) in AS_MAPPING:
        return {**entity, field: {"id": key} if name is None else {"name": name}}
    return {**entity, field: name or key}


def record_of(document: Mapping[str, Any], salt: str | None = None) -> dict[str, Any]:
    """Digests of all entities of a dump: they tell what changed and nothing of what it was."""
    salt = salt or secrets.token_hex(16)
    entities = {
        key: {
            "label": KINDS[each.kind].describe(dict(each.entity)),
            "kind": each.kind,
            "tags": list(each.entity.get("tags") or ()),
            "digest": _digest(salt, each),
        }
        for key, each in flat(document).items()
    }
    return {"salt": salt, "entities": entities}


def _digest(salt: str, each: Flat) -> str:
    text = json.dumps([each.kind, each.entity, each.back], sort_keys=True, default=str)
    return hashlib.pbkdf2_hmac("sha256", text.encode(), salt.encode(), _ROUNDS).hex()[:32]


def drift_since(
    record: Mapping[str, Any],
    document: Mapping[str, Any],
    tags: Sequence[str],
    kinds: Sequence[str],
) -> list[str]:
    """What changed since a record was made, in sentences.

    :param tags: of the entities that matter; where there are none, ``kinds`` say which matter.
    """
    then = record.get("entities") or {}
    now = record_of(document, record.get("salt"))["entities"]
    found = []
    for key in dict.fromkeys([*then, *now]):
        old, new = then.get(key), now.get(key)
        known = new or old or {}
        if tags and not set(tags) <= {*(old or {}).get("tags", ()), *(new or {}).get("tags", ())}:
            continue
        if not tags and kinds and known["kind"] not in kinds:
            continue
        what = "created" if old is None else "deleted" if new is None else "changed"
        if old is None or new is None or old["digest"] != new["digest"]:
            found.append(f"{known['label']} was {what}")
    return sorted(found)
