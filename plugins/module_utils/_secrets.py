# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep secret values out of results, diffs and errors.

PRIVATE to the collection: it can change in any release.

What is secret stands in the declarations (``Field.sensitive``). A reference to a vault is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    Entity,
    Field,
    Kind,
)
from ansible_collections.irishtek.kong.plugins.module_utils._errors import MASKED

MASKED_CHANGED = "******** (changed)"
# Texts that older schemas do not mark as encrypted; names as the bundled plugins use them.
_SECRET_NAME = re.compile(
    r"(^|_)(password|secret|token|apikey|api_key|private_key|passphrase|aws_key|key|auth)$"
)
_NOT_SECRET = frozenset({"public_key"})


def is_secret_name(name: str) -> bool:
    """Whether a setting's name says that its text is a secret."""
    return bool(_SECRET_NAME.search(name)) and name not in _NOT_SECRET


def mask(kind: Kind, before: Entity | None, after: Entity | None) -> dict[str, Any]:
    """Both sides of a diff, masked; a secret that differs shows that it does, and no more.

    An entity that is not there is ``''``: Ansible shows ``{}`` as a line.
    """
    masked_before, masked_after = _mask_pair(kind.fields, before or {}, after or {})
    return {
        "before": "" if before is None else masked_before,
        "after": "" if after is None else masked_after,
    }


def mask_entity(kind: Kind, entity: Entity) -> Entity:
    """One entity as a result may show it."""
    return _mask_pair(kind.fields, entity, entity)[0]


def mask_fields(fields: Iterable[Field], params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as a log may show them; what is free-form may hold any secret."""
    shown = _mask_pair(fields, dict(params), dict(params))[0]
    free_form = [field.name for field in fields if field.open and shown.get(field.name)]
    return {**shown, **dict.fromkeys(free_form, MASKED)}


def secrets_of(fields: Iterable[Field], entity: Mapping[str, Any]) -> set[str]:
    """The secret texts of an entity, to be taken out of a gateway's error message."""
    found: set[str] = set()
    for field in fields:
        value = entity.get(field.name)
        if field.secret:
            found |= set(_texts(value))
        elif field.sensitive is not None and isinstance(value, Mapping):
            for name, item in value.items():
                found |= set(_texts(item)) if field.sensitive(name) else set()
        elif field.open and not field.fields:
            found |= set(_texts_by_name(value))
        elif field.is_record and isinstance(value, Mapping):
            found |= secrets_of(field.fields, value)
        elif field.element is not None:
            items = value.values() if isinstance(value, Mapping) else value or ()
            for item in items:
                found |= secrets_of([replace(field.element, name="")], {"": item})
    return found


def _texts_by_name(value: Any) -> Iterator[str]:
    """What ``_mask_by_name`` hides."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            named = is_secret_name(str(key)) and isinstance(item, str)
            yield from _texts(item) if named else _texts_by_name(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts_by_name(item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif _is_secret(value):
        yield str(value)


def _mask_pair(fields: Iterable[Field], before: Entity, after: Entity) -> tuple[Entity, Entity]:
    before, after = dict(before), dict(after)
    for field in fields:
        old, new = before.get(field.name), after.get(field.name)
        masked = _mask_values(field, old, new)
        for side, was, value in ((before, old, masked[0]), (after, new, masked[1])):
            if was is not None:
                side[field.name] = value
    return before, after


def _mask_values(field: Field, old: Any, new: Any) -> tuple[Any, Any]:
    replaced = old is not None and new is not None and old != new
    if field.secret:
        return _masked(old, MASKED), _masked(new, MASKED_CHANGED if replaced else MASKED)
    if field.sensitive is not None:
        return _mask_map(field, old, new)
    if field.is_record and field.fields:
        return _mask_pair(field.fields, old or {}, new or {})
    if field.open:
        return _mask_by_name(old), _mask_by_name(new)
    if field.element is not None:
        return _mask_items(field.element, old), _mask_items(field.element, new)
    return old, new


def _mask_by_name(value: Any) -> Any:
    """What no schema describes, as far as its names tell."""
    if isinstance(value, Mapping):
        return {
            key: _masked(item, MASKED)
            if is_secret_name(str(key)) and isinstance(item, str)
            else _mask_by_name(item)
            for key, item in value.items()
        }
    return [_mask_by_name(item) for item in value] if isinstance(value, list) else value


def _mask_items(element: Field, value: Any) -> Any:
    """Items have no partner on the other side, so a changed secret shows as any other."""
    if isinstance(value, list):
        return [_mask_values(element, item, item)[0] for item in value]
    if isinstance(value, Mapping):
        return {key: _mask_values(element, item, item)[0] for key, item in value.items()}
    return value


def _mask_map(field: Field, old: Any, new: Any) -> tuple[Any, Any]:
    old, new = dict(old or {}), dict(new or {})
    for name in set(old) | set(new):
        if field.sensitive is None or not field.sensitive(name):
            continue
        replaced = name in old and name in new and old[name] != new[name]
        if name in old:
            old[name] = _masked(old[name], MASKED)
        if name in new:
            new[name] = _masked(new[name], MASKED_CHANGED if replaced else MASKED)
    return old, new


def _masked(value: Any, mask_text: str) -> Any:
    return mask_text if _is_secret(value) else value


def _is_secret(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(item is not None and not str(item).startswith("{vault://") for item in values)
