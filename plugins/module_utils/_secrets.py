# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep secret values out of results, diffs and errors. Private to the collection.

What is secret stands in the declarations (``Field.sensitive``). A reference to a vault is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ._entities._kind import Entity, Field, Kind
from ._errors import MASKED, KongError

MASKED_CHANGED = "******** (changed)"
# Strings that older schemas do not mark as encrypted; names as the bundled plugins use them.
_SECRET_NAME = re.compile(
    r"(^|_)(password|secret|token|apikey|api_key|private_key|passphrase|aws_key|key|auth)$"
)
_NOT_SECRET = frozenset({"public_key"})
_PASSWORD_IN_URL = re.compile(r"://[^/@\s:]*:[^/@\s]+@")
_CREDENTIALS = frozenset({"authorization", "proxy_authorization", "cookie", "set_cookie"})

# Keys and positions that lead to a value inside an entity.
Path = tuple[Any, ...]


def is_secret_name(name: str) -> bool:
    """Whether a setting's name says that its string is a secret."""
    return bool(_SECRET_NAME.search(name)) and name not in _NOT_SECRET


def holds_secret(text: str) -> bool:
    """Whether a string is a URL with a password, or ``name:value`` with a credential's name."""
    if _PASSWORD_IN_URL.search(text):
        return True
    name, colon, value = text.partition(":")
    name = name.strip().lower().replace("-", "_")
    return bool(colon and value) and (name in _CREDENTIALS or is_secret_name(name))


def secret_paths(fields: Iterable[Field], entity: Any) -> Iterator[Path]:
    """Where an entity has values that must not be shown."""
    for field in fields if isinstance(entity, Mapping) else ():
        if entity.get(field.name) is not None:
            yield from _below(field.name, _paths_in(field, entity[field.name]))


def _paths_in(field: Field, value: Any) -> Iterator[Path]:
    if field.secret or (field.hides and isinstance(value, str) and field.hides(value)):
        yield ()
    elif field.sensitive is not None:
        yield from ((name,) for name, _item in _items(value) if field.sensitive(str(name)))
    elif field.is_record and field.fields:
        yield from secret_paths(field.fields, value)
    elif field.open:
        yield from _paths_by_name(value)
    elif field.item is not None:
        for key, item in _items(value):
            yield from _below(key, _paths_in(field.item, item))


def _paths_by_name(value: Any) -> Iterator[Path]:
    """The secrets in what no schema describes, by its names."""
    for key, item in _items(value):
        if isinstance(item, str) and is_secret_name(str(key)):
            yield (key,)
        else:
            yield from _below(key, _paths_by_name(item))


def _below(key: Any, paths: Iterable[Path]) -> Iterator[Path]:
    return ((key, *path) for path in paths)


def mask(kind: Kind, before: Entity | None, after: Entity | None) -> dict[str, Any]:
    """Both sides of a diff, masked; a secret that differs shows that it does, and no more.

    An entity that does not exist is ``''``: Ansible shows ``{}`` as a line.
    """
    return {
        "before": "" if before is None else _masked(kind.fields, before),
        "after": "" if after is None else _masked(kind.fields, after, before),
    }


def mask_entity(kind: Kind, entity: Entity) -> Entity:
    """One entity as a result may show it."""
    return _masked(kind.fields, entity)


def mask_fields(fields: Collection[Field], params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as a log may show them; what is free-form may hold any secret."""
    shown = _masked(fields, params)
    free_form = [field.name for field in fields if field.open and shown.get(field.name)]
    return {**shown, **dict.fromkeys(free_form, MASKED)}


def secrets_of(fields: Iterable[Field], entity: Mapping[str, Any]) -> set[str]:
    """The secret strings of an entity, which are removed from a gateway's error message."""
    paths = secret_paths(fields, entity)
    return {text for path in paths for text in _strings(_value_at(entity, path))}


def redact(exc: KongError, kind: Kind, *entities: Mapping[str, Any]) -> None:
    """Remove the secrets of entities from an error about them; names of fields stay."""
    secrets = {each for entity in entities for each in secrets_of(kind.fields, entity)}
    names = {"@entity", *_field_names(kind.fields), *_keys_in(entities)}
    exc.redact(secrets, names)


def _field_names(fields: Iterable[Field]) -> Iterator[str]:
    for field in fields:
        yield field.name
        yield from _field_names([*field.fields, *filter(None, [field.element])])


def _keys_in(value: Any) -> Iterator[str]:
    for key, item in _items(value):
        yield str(key)
        yield from _keys_in(item)


def _strings(value: Any) -> Iterator[str]:
    """The scalars of a secret as strings; a reference to a vault is no secret."""
    if isinstance(value, (Mapping, list)):
        for _key, item in _items(value):
            yield from _strings(item)
    elif _is_secret(value):
        yield str(value)


def _masked(fields: Iterable[Field], entity: Mapping[str, Any], before: Any = None) -> Entity:
    """An entity with masks in place of its secrets.

    :param before: the other side of a diff, from which a secret can differ.
    """
    shown: Any = dict(entity)
    for path in secret_paths(fields, entity):
        value, was = _value_at(entity, path), _value_at(before, path)
        if _is_secret(value):
            shown = _replaced(shown, path, MASKED if was in (None, value) else MASKED_CHANGED)
    return dict(shown)


def _replaced(value: Any, path: Sequence[Any], text: str) -> Any:
    """A copy of ``value`` with ``text`` at a path."""
    if not path:
        return text
    copy: Any = dict(value) if isinstance(value, Mapping) else list(value)
    copy[path[0]] = _replaced(copy[path[0]], path[1:], text)
    return copy


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, (list, tuple)):
        yield from enumerate(value)


def _value_at(value: Any, path: Path) -> Any:
    """The value at a path, None where there is none."""
    for key in path:
        value = dict(_items(value)).get(key)
    return value


def _is_secret(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(item is not None and not str(item).startswith("{vault://") for item in values)
