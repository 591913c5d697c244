# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep secret values out of results, diffs and errors.

PRIVATE to the collection: it can change in any release.

What is secret stands in the declarations (``Field.sensitive``). A reference to a vault is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ._entities._kind import Entity, Field, Kind
from ._errors import MASKED, KongError

MASKED_CHANGED = "******** (changed)"
# Texts that older schemas do not mark as encrypted; names as the bundled plugins use them.
_SECRET_NAME = re.compile(
    r"(^|_)(password|secret|token|apikey|api_key|private_key|passphrase|aws_key|key|auth)$"
)
_NOT_SECRET = frozenset({"public_key"})
_PASSWORD_IN_URL = re.compile(r"://[^/@\s:]*:[^/@\s]+@")
_CREDENTIALS = frozenset({"authorization", "proxy_authorization", "cookie", "set_cookie"})

# One value on both sides of a diff.
_Pair = tuple[Any, Any]


def is_secret_name(name: str) -> bool:
    """Whether a setting's name says that its text is a secret."""
    return bool(_SECRET_NAME.search(name)) and name not in _NOT_SECRET


def holds_secret(text: str) -> bool:
    """Whether a text is a URL with a password, or a ``name:value`` whose name is a credential's."""
    if _PASSWORD_IN_URL.search(text):
        return True
    name, colon, value = text.partition(":")
    name = name.strip().lower().replace("-", "_")
    return bool(colon and value) and (name in _CREDENTIALS or is_secret_name(name))


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
        if _hidden(field, value):
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


def redact(exc: KongError, kind: Kind, *entities: Mapping[str, Any]) -> None:
    """Take the secrets of entities out of an error about them; names of fields stay."""
    secrets = {each for entity in entities for each in secrets_of(kind.fields, entity)}
    names = {"@entity", *_field_names(kind.fields), *_keys_in(entities)}
    exc.redact(secrets, names)


def _field_names(fields: Iterable[Field]) -> Iterator[str]:
    for field in fields:
        yield field.name
        yield from _field_names(field.fields)
        yield from _field_names([field.element] if field.element is not None else ())


def _keys_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from map(str, value)
        value = list(value.values())
    for item in value if isinstance(value, (list, tuple)) else ():
        yield from _keys_in(item)


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


def _mask_values(field: Field, old: Any, new: Any) -> _Pair:
    if _hidden(field, old) or _hidden(field, new):
        return _mask_secret(old, new)
    if field.sensitive is not None:
        return _mask_inside(old, new, partial(_mask_entry, field.sensitive))
    if field.is_record and field.fields:
        return _mask_pair(field.fields, old or {}, new or {})
    if field.open:
        return _mask_inside(old, new, _mask_by_name)
    if field.element is not None:
        return _mask_inside(old, new, partial(_mask_item, field.element))
    return old, new


def _mask_secret(old: Any, new: Any) -> _Pair:
    replaced = old is not None and new is not None and old != new
    return _masked(old, MASKED), _masked(new, MASKED_CHANGED if replaced else MASKED)


def _mask_entry(sensitive: Callable[[str], bool], name: str, old: Any, new: Any) -> _Pair:
    return _mask_secret(old, new) if sensitive(name) else (old, new)


def _mask_item(element: Field, _key: Any, old: Any, new: Any) -> _Pair:
    return _mask_values(element, old, new)


def _hidden(field: Field, value: Any) -> bool:
    if field.secret:
        return True
    return field.hides is not None and isinstance(value, str) and field.hides(value)


def _mask_by_name(key: Any, old: Any, new: Any) -> _Pair:
    """What no schema describes, as far as its names tell."""
    shown = _mask_inside(old, new, _mask_by_name)
    if not is_secret_name(str(key)):
        return shown
    hidden = _mask_secret(old, new)
    return (
        hidden[0] if isinstance(old, str) else shown[0],
        hidden[1] if isinstance(new, str) else shown[1],
    )


def _mask_inside(old: Any, new: Any, mask_one: Callable[[Any, Any, Any], _Pair]) -> _Pair:
    """Both sides of a list or a map, item beside item of the same key or position."""
    pairs = {key: mask_one(key, _at(old, key), _at(new, key)) for key in (*_keys(old), *_keys(new))}
    return _with(old, pairs, 0), _with(new, pairs, 1)


def _keys(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        return range(len(value))
    return value if isinstance(value, Mapping) else ()


def _at(value: Any, key: Any) -> Any:
    return value[key] if key in _keys(value) else None


def _with(value: Any, pairs: Mapping[Any, _Pair], side: int) -> Any:
    if isinstance(value, list):
        return [pairs[position][side] for position in range(len(value))]
    return {key: pairs[key][side] for key in value} if isinstance(value, Mapping) else value


def _masked(value: Any, mask_text: str) -> Any:
    return mask_text if _is_secret(value) else value


def _is_secret(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(item is not None and not str(item).startswith("{vault://") for item in values)
