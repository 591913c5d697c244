# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep secret values out of results, diffs and errors.

What is secret stands in the declarations (``Field.sensitive``). A reference to a vault is none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from ._entities._kind import Entity, Field, Kind
from ._errors import MASKED, KongError
from ._schema import value_at
from ._secret_names import is_secret_name
from ._values import items_of, map_items

MASKED_CHANGED = "******** (changed)"
# Keys and positions that lead to a value inside an entity.
Path = tuple[Any, ...]
# From the path of a secret, and the secret, to what takes its place.
Change = Callable[[Path, Any], Any]
_SECRET, _OPEN = Field("", secret=True), Field("", open=True)
_SECRET_STRING = Field("", open=True, hides=lambda text: True)


def replace_secrets(fields: Iterable[Field], entity: Mapping[str, Any], change: Change) -> Any:
    """A copy of an entity in which each value that must not be shown is changed."""
    return _replaced(Field("", "dict", fields=tuple(fields)), entity, change, ())


def _replaced(field: Field | None, value: Any, change: Change, at: Path) -> Any:
    if field is None:
        return value
    if field.secret or (field.hides and isinstance(value, str) and field.hides(value)):
        return change(at, value) if _is_secret(value) else value
    return map_items(
        value, lambda key, item: _replaced(_inside(field, key), item, change, (*at, key))
    )


def _inside(field: Field, key: Any) -> Field | None:
    """The declaration of what is in a field at a key; in what no schema describes, by its name."""
    if field.sensitive is not None:
        return _SECRET if field.sensitive(str(key)) else None
    if field.is_record and field.fields:
        return field.fields_by_name.get(key)
    if field.open:
        return _SECRET_STRING if is_secret_name(str(key)) else _OPEN
    return field.item


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
    found: set[str] = set()
    replace_secrets(fields, entity, lambda path, value: found.update(_strings(value)))
    return found


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
    for key, item in items_of(value):
        yield str(key)
        yield from _keys_in(item)


def _strings(value: Any) -> Iterator[str]:
    """The scalars of a secret as strings; a reference to a vault is no secret."""
    if isinstance(value, (Mapping, list)):
        for _key, item in items_of(value):
            yield from _strings(item)
    elif _is_secret(value):
        yield str(value)


def _masked(fields: Iterable[Field], entity: Mapping[str, Any], before: Any = None) -> Entity:
    """An entity with masks in place of its secrets.

    :param before: the other side of a diff, from which a secret can differ.
    """

    def change(path: Path, value: Any) -> str:
        return MASKED if value_at(before, path) in (None, value) else MASKED_CHANGED

    return dict(replace_secrets(fields, entity, change))


def _is_secret(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(item is not None and not str(item).startswith("{vault://") for item in values)
